//! Reads a video stream's properties from its configs and first keyframes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::wire::codec;
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::codec::h264::vui::VideoSignal;
use crate::wire::codec::h264::{DecoderConfig, Sps};
use crate::wire::codec::{Colors, cadence, hdr};

/// Returns the video properties that a config declares.
pub(super) fn described(format: VideoFormat, config: &Bytes) -> Option<codec::VideoInfo> {
    match format {
        VideoFormat::H264 => {
            let parsed = DecoderConfig::parse(config).ok()?;
            let sps = parsed.first_sps().ok();
            Some(codec::VideoInfo {
                level: Some(parsed.level_idc.into()),
                profile: sps.as_ref().map(|sps| sps.profile().to_owned()),
                size: sps.as_ref().map(|sps| (sps.width, sps.height)),
                pixel_aspect: sps.as_ref().and_then(Sps::pixel_aspect),
                colors: sps
                    .and_then(|sps| sps.vui?.signal)
                    .map_or_else(Colors::default, h264_colors),
            })
        }
        VideoFormat::Hevc => codec::hevc(config),
        VideoFormat::Av1 => codec::av1(config),
        VideoFormat::Vp9 => codec::vp9(config),
        _ => None,
    }
}

/// Returns the frame rate that a config declares.
pub(super) fn frame_rate(format: VideoFormat, config: &Bytes) -> Option<f64> {
    if format != VideoFormat::H264 {
        return None;
    }
    let (num, den) = DecoderConfig::parse(config).ok()?.first_sps().ok()?.frame_rate()?;
    Some(f64::from(num) / f64::from(den.max(1)))
}

fn h264_colors(signal: VideoSignal) -> Colors {
    let full_range = Some(signal.full_range);
    let declared =
        signal.color.map(|(primaries, transfer, matrix)| Colors::of(primaries, transfer, matrix));
    Colors { full_range, ..declared.unwrap_or_default() }
}

/// Returns the video properties that a keyframe itself declares.
pub(super) fn beside(format: VideoFormat, frame: &Bytes, length_size: usize) -> codec::VideoInfo {
    let colors = match format {
        VideoFormat::H264 => hdr::of_h264(frame, length_size),
        VideoFormat::Hevc => hdr::of_hevc(frame, length_size),
        VideoFormat::Av1 => return codec::av1_key(frame).unwrap_or_default(),
        VideoFormat::Vp9 => return codec::vp9_key(frame).unwrap_or_default(),
        VideoFormat::Vp8 => {
            return codec::VideoInfo { size: codec::vp8_key_size(frame), ..Default::default() };
        }
        _ => Colors::default(),
    };
    codec::VideoInfo { colors, ..codec::VideoInfo::default() }
}

/// Returns the size of a NAL unit's length field, in bytes.
pub(super) fn length_size(format: VideoFormat, config: &[u8]) -> usize {
    let place = match format {
        VideoFormat::H264 => 4,
        _ => 21,
    };
    config.get(place).map_or(4, |byte| usize::from(byte & 3) + 1)
}

/// Returns the frame rate according to the presentation times, to three decimals; `declared` is the
/// rate that the stream declares.
pub(super) fn measured_frame_rate(times: &VecDeque<i64>, declared: Option<f64>) -> Option<f64> {
    let rate = cadence::frame_rate(times.iter().copied(), declared)?;
    Some((rate * 1_000.0).round() / 1_000.0)
}
