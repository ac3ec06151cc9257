//! What the bytes of a picture stream tell of it: its configurations, and its first keyframes.

use bytes::Bytes;

use crate::wire::carried::{self, Colors, light};
use crate::wire::flv::VideoFormat;
use crate::wire::h264::DecoderConfig;
use crate::wire::h264::vui::VideoSignal;

/// What a configuration tells.
pub(super) fn described(format: VideoFormat, config: &Bytes) -> Option<carried::Picture> {
    match format {
        VideoFormat::H264 => {
            let parsed = DecoderConfig::parse(config).ok()?;
            let sps = parsed.first_sps().ok();
            Some(carried::Picture {
                level: Some(parsed.level_idc.into()),
                profile: sps.as_ref().map(|sps| sps.profile().to_owned()),
                size: sps.as_ref().map(|sps| (sps.width, sps.height)),
                colors: sps
                    .and_then(|sps| sps.vui?.signal)
                    .map_or_else(Colors::default, h264_colors),
            })
        }
        VideoFormat::Hevc => carried::hevc(config),
        VideoFormat::Av1 => carried::av1(config),
        VideoFormat::Vp9 => carried::vp9(config),
        _ => None,
    }
}

/// What a configuration tells of the frame rate.
pub(super) fn frame_rate(format: VideoFormat, config: &Bytes) -> Option<f64> {
    if format != VideoFormat::H264 {
        return None;
    }
    let (num, den) = DecoderConfig::parse(config).ok()?.first_sps().ok()?.frame_rate()?;
    Some(f64::from(num) / f64::from(den.max(1)))
}

fn h264_colors(signal: VideoSignal) -> Colors {
    let full_range = Some(signal.full_range);
    let told =
        signal.color.map(|(primaries, transfer, matrix)| Colors::of(primaries, transfer, matrix));
    Colors { full_range, ..told.unwrap_or_default() }
}

/// What stands beside a picture that decodes by itself, or in it.
pub(super) fn beside(format: VideoFormat, picture: &Bytes, length_size: usize) -> carried::Picture {
    let colors = match format {
        VideoFormat::H264 => light::of_h264(picture, length_size),
        VideoFormat::Hevc => light::of_hevc(picture, length_size),
        VideoFormat::Av1 => return carried::av1_key(picture).unwrap_or_default(),
        VideoFormat::Vp9 => return carried::vp9_key(picture).unwrap_or_default(),
        _ => Colors::default(),
    };
    carried::Picture { colors, ..carried::Picture::default() }
}

/// Bytes of a NAL unit's length.
pub(super) fn length_size(format: VideoFormat, config: &[u8]) -> usize {
    let place = match format {
        VideoFormat::H264 => 4,
        _ => 21,
    };
    config.get(place).map_or(4, |byte| usize::from(byte & 3) + 1)
}
