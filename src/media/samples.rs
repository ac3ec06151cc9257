//! Audio: interleaved 32-bit float samples, full scale ±1.

use crate::base::{Pooled, Timestamp};

/// A block of audio with the time of its first sample.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleBlock {
    /// The time of the first sample.
    pub pts: Timestamp,
    /// Samples per second per channel.
    pub rate: u32,
    /// Number of interleaved channels.
    pub channels: u16,
    /// `frames × channels` values. When a block of the mixer is dropped, this buffer returns to the
    /// mixer's pool.
    pub data: Pooled<Vec<f32>>,
}

impl SampleBlock {
    /// Returns the number of samples per channel.
    pub fn frames(&self) -> usize {
        self.data.len() / usize::from(self.channels.max(1))
    }

    /// Returns the time after the last sample.
    pub fn end(&self) -> Timestamp {
        self.pts.offset(frames_to_micros(self.frames() as i64, self.rate))
    }
}

/// Returns the duration of `frames` samples per channel in microseconds, rounded down.
pub fn frames_to_micros(frames: i64, rate: u32) -> i64 {
    let micros = (i128::from(frames) * 1_000_000).div_euclid(i128::from(rate.max(1)));
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Returns the number of samples per channel in `micros` microseconds, rounded to the nearest.
pub fn micros_to_frames(micros: i64, rate: u32) -> i64 {
    let frames = (i128::from(micros) * i128::from(rate) + 500_000).div_euclid(1_000_000);
    i64::try_from(frames).unwrap_or(i64::MAX)
}
