//! Reads size, rate and channels from FLV bodies of codecs that the server only passes on.

use crate::server::event::{AudioFigures, VideoFigures};
use crate::wire::codec;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::h264::{DecoderConfig, Sps};
use crate::wire::codec::{VideoInfo, mpeg_audio};
use crate::wire::container::flv::audio::{AudioPacket, LegacyAudio};
use crate::wire::container::flv::video::{VideoPacket, VideoTrack};
use crate::wire::container::flv::{AudioTag, Metadata};

/// Reads the sizes of the video, in pixels, from all parameter sets of a codec config, or from a frame if the codec has
/// the size there.
pub(crate) fn coded_sizes(track: &VideoTrack) -> Vec<(u32, u32)> {
    match (&track.format, &track.packet) {
        (VideoFormat::H264, VideoPacket::SequenceStart(config)) => {
            let sets = DecoderConfig::parse(config).map(|config| config.sps).unwrap_or_default();
            let parsed = sets.iter().filter_map(|sps| Sps::parse_for_decoding(sps).ok());
            parsed.map(|sps| (sps.width, sps.height)).collect()
        }
        (VideoFormat::Hevc, VideoPacket::SequenceStart(config)) => codec::hevc_sizes(config),
        _ => parsed(track).and_then(|parsed| parsed.size).into_iter().collect(),
    }
}

/// Parses a codec config, or a frame if the codec has its properties there. Configs of H.264 are parsed elsewhere.
fn parsed(track: &VideoTrack) -> Option<VideoInfo> {
    match (&track.format, &track.packet) {
        (VideoFormat::Hevc, VideoPacket::SequenceStart(config)) => codec::hevc(config),
        (VideoFormat::Av1, VideoPacket::SequenceStart(config)) => codec::av1(config),
        (VideoFormat::Av1, VideoPacket::Frame { data, .. }) => codec::av1_key(data),
        (VideoFormat::Vp9, VideoPacket::Frame { data, .. }) => codec::vp9_key(data),
        _ => None,
    }
}

/// Reads the properties from a codec config, or from a frame if the codec has them there. If the size is in neither,
/// the figures have the size that the publisher declares.
pub(crate) fn of_video(track: &VideoTrack, metadata: &Metadata) -> VideoFigures {
    let parsed = parsed(track).unwrap_or_default();
    let declared = metadata.width.zip(metadata.height);
    VideoFigures {
        codec: track.format.to_string(),
        profile: None,
        size: parsed.size.or(declared),
        pixel_aspect: parsed.pixel_aspect,
        fps: metadata.frame_rate,
    }
}

/// Reads the same properties of audio.
pub(crate) fn of_audio(tag: &AudioTag, metadata: &Metadata) -> AudioFigures {
    let legacy = |legacy: LegacyAudio| (legacy.sample_rate, legacy.channels);
    let known = match (tag.track.format, &tag.track.packet) {
        (AudioFormat::Opus, AudioPacket::SequenceStart(config)) => {
            codec::opus(config).map(|it| (it.sample_rate, it.channels))
        }
        (AudioFormat::Flac, AudioPacket::SequenceStart(config)) => {
            codec::flac(config).map(|it| (it.sample_rate, it.channels))
        }
        (AudioFormat::Ac3 | AudioFormat::Eac3, AudioPacket::Frame(data)) => {
            codec::ac3(data).map(|it| (it.sample_rate, it.channels))
        }
        (AudioFormat::Mp3, AudioPacket::Frame(data)) => {
            mpeg_audio::header(data).map(|it| (it.sample_rate, it.channels))
        }
        (AudioFormat::Legacy(_), AudioPacket::Frame(_)) => tag.legacy.map(legacy),
        _ => None,
    };
    AudioFigures {
        codec: tag.track.format.to_string(),
        sample_rate: known.map(|(rate, _)| rate).or(metadata.sample_rate),
        channels: known.map(|(_, channels)| channels).or(metadata.channels),
    }
}
