//! What goes out, in figures: size, rate, bitrates.

use std::time::Duration;

use crate::media::{BitsPerSecond, FrameRate, Size};

/// Picture and sound quality of a broadcast. Changes apply at once while idle; on air only
/// `video_bitrate` does, the rest with the next broadcast.
#[derive(Clone, Debug, PartialEq)]
pub struct Quality {
    pub size: Size,
    pub frame_rate: FrameRate,
    pub video_bitrate: BitsPerSecond,
    pub keyframe_interval: Duration,
    pub audio_bitrate: BitsPerSecond,
    pub sample_rate: u32,
    pub channels: u16,
}

impl Default for Quality {
    fn default() -> Self {
        Self {
            size: Size::new(1280, 720),
            frame_rate: FrameRate::FPS_30,
            video_bitrate: BitsPerSecond(2_500_000),
            keyframe_interval: Duration::from_secs(2),
            audio_bitrate: BitsPerSecond(128_000),
            sample_rate: 48_000,
            channels: 2,
        }
    }
}
