//! Reads a video stream's properties from its configs and first keyframes.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::media::VideoCodec;
use crate::wire::codec;
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::codec::{Colors, cadence, hdr};

/// Returns the video properties that a config declares.
pub(super) fn described(format: VideoFormat, config: &Bytes) -> Option<codec::VideoInfo> {
    let codec = match format {
        VideoFormat::H264 => VideoCodec::H264,
        VideoFormat::Hevc => VideoCodec::Hevc,
        VideoFormat::Av1 => VideoCodec::Av1,
        VideoFormat::Vp9 => VideoCodec::Vp9,
        _ => return None,
    };
    codec::video_info(codec, config)
}

/// Returns the frame rate that a config declares.
pub(super) fn frame_rate(format: VideoFormat, config: &Bytes) -> Option<f64> {
    if format != VideoFormat::H264 {
        return None;
    }
    let (num, den) = DecoderConfig::parse(config).ok()?.first_sps().ok()?.frame_rate()?;
    Some(f64::from(num) / f64::from(den.max(1)))
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
