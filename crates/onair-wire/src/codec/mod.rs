//! Readers that get the profile, size, frame rate and channels from codec configs. Every reader accepts any
//! bytes, and returns the values that it finds.
//!
//! HEVC (ISO/IEC 14496-15 §8.3, H.265 §7.3.2.2 and Annex E), AV1 (AV1 in ISOBMFF §2.3, AV1 §5.5),
//! VP9 (VP Codec ISO Media File Format Binding, VP9 §6.2), Opus (RFC 7845 §5.1), FLAC (RFC 9639
//! §8.2), AC-3 (ETSI TS 102 366 §4.4). This module decodes no audio or video, except uncompressed
//! audio, whose decoding all readers share.

pub mod aac;
mod audio_config;
pub mod cadence;
pub mod color;
mod config_record;
pub mod four_cc;
pub mod h264;
pub mod hdr;
mod hevc_vui;
pub mod mpeg_audio;
pub(crate) mod obu;
pub mod pcm;
mod video_config;
pub mod vorbis;

use bytes::Bytes;

use crate::media::VideoCodec;
use crate::wire::codec::h264::vui::VideoSignal;

pub use audio_config::{AudioInfo, ac3, ac3_frame, flac, opus};
pub use color::{Colors, Hdr, Light};
pub use config_record::{
    FLAC_STREAM_HEADER, ac3_record, av1, av1_key, av1_record, opus_box, opus_delay_nanos,
    opus_head, vp9_record,
};
pub use obu::obu_packet;
pub use video_config::{
    VideoInfo, bit_depth, hevc, hevc_parameter_sets, hevc_record, hevc_sizes, vp8_key_size, vp9,
    vp9_colors, vp9_key, vp9_key_size,
};

/// Reads what the config of a video declares; `None` if the codec's config declares nothing, or is
/// invalid.
pub fn video_info(codec: VideoCodec, config: &Bytes) -> Option<VideoInfo> {
    match codec {
        VideoCodec::H264 => {
            let parsed = h264::DecoderConfig::parse(config).ok()?;
            let sps = parsed.first_sps().ok();
            Some(VideoInfo {
                level: Some(parsed.level_idc.into()),
                profile: sps.as_ref().map(|sps| sps.profile().to_owned()),
                size: sps.as_ref().map(|sps| (sps.width, sps.height)),
                pixel_aspect: sps.as_ref().and_then(h264::Sps::pixel_aspect),
                colors: sps
                    .and_then(|sps| sps.vui?.signal)
                    .map_or_else(Colors::default, h264_colors),
            })
        }
        VideoCodec::Hevc => hevc(config),
        VideoCodec::Av1 => av1(config),
        VideoCodec::Vp9 => vp9(config),
        _ => None,
    }
}

fn h264_colors(signal: VideoSignal) -> Colors {
    let full_range = Some(signal.full_range);
    let declared =
        signal.color.map(|(primaries, transfer, matrix)| Colors::of(primaries, transfer, matrix));
    Colors { full_range, ..declared.unwrap_or_default() }
}
