//! What goes out, in the settings: `[quality]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::studio::settings::reader::Reader;
use crate::studio::targets::quality::{Quality, SAMPLE_RATES};

/// As it is laid out.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::studio::settings) struct Table {
    size: String,
    fps: String,
    video_bitrate: u32,
    adapt: String,
    least_bitrate: u32,
    adapt_frames: bool,
    adapt_size: bool,
    keyframe_interval_ms: u64,
    audio_bitrate: u32,
    sample_rate: u32,
    channels: u16,
}

/// What is written.
pub(in crate::studio::settings) fn table(quality: &Quality) -> Table {
    Table {
        size: quality.size.to_string(),
        fps: if quality.frame_rate.den() == 1 {
            quality.frame_rate.num().to_string()
        } else {
            format!("{}/{}", quality.frame_rate.num(), quality.frame_rate.den())
        },
        video_bitrate: quality.video_bitrate.0,
        adapt: quality.adapt.name().to_owned(),
        least_bitrate: quality.least_bitrate.0,
        adapt_frames: quality.adapt_frames,
        adapt_size: quality.adapt_size,
        keyframe_interval_ms: u64::try_from(quality.keyframe_interval.as_millis()).unwrap_or(2_000),
        audio_bitrate: quality.audio_bitrate.0,
        sample_rate: quality.sample_rate,
        channels: quality.channels,
    }
}

/// What is read.
pub(in crate::studio::settings) fn read(reader: &mut Reader<'_>) -> Quality {
    let defaults = Quality::default();
    Quality {
        size: reader.parsed("quality.size").unwrap_or(defaults.size),
        frame_rate: reader.parsed("quality.fps").unwrap_or(defaults.frame_rate),
        video_bitrate: reader.bitrate("quality.video_bitrate", defaults.video_bitrate),
        adapt: reader.parsed("quality.adapt").unwrap_or(defaults.adapt),
        least_bitrate: reader.bitrate("quality.least_bitrate", defaults.least_bitrate),
        adapt_frames: reader.flag("quality.adapt_frames"),
        adapt_size: reader.flag("quality.adapt_size"),
        keyframe_interval: Duration::from_millis(reader.whole(
            "quality.keyframe_interval_ms",
            100,
            20_000,
            2_000,
        )),
        audio_bitrate: reader.bitrate("quality.audio_bitrate", defaults.audio_bitrate),
        sample_rate: sample_rate(reader, defaults.sample_rate),
        channels: u16::try_from(reader.whole("quality.channels", 1, 2, 2))
            .unwrap_or(defaults.channels),
    }
}

fn sample_rate(reader: &mut Reader<'_>, default: u32) -> u32 {
    let path = "quality.sample_rate";
    let read = reader.whole(path, 8_000, 96_000, default.into());
    let known = SAMPLE_RATES.into_iter().find(|rate| u64::from(*rate) == read);
    known.unwrap_or_else(|| {
        reader.bad(path, &format!("AAC has no sampling rate of {read} Hz"));
        default
    })
}
