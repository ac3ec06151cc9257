//! Audio: interleaved 32-bit float samples, full scale ±1, and the gains with which the channels of speakers become
//! stereo.

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

/// The bits of the channels in a channel mask, in the order of FFmpeg and WAVE_FORMAT_EXTENSIBLE,
/// from the front left channel on.
pub const FRONT_LEFT: u64 = 1;
pub const FRONT_RIGHT: u64 = 1 << 1;
pub const FRONT_CENTER: u64 = 1 << 2;
pub const LOW_FREQUENCY: u64 = 1 << 3;
pub const BACK_LEFT: u64 = 1 << 4;
pub const BACK_RIGHT: u64 = 1 << 5;
pub const BACK_CENTER: u64 = 1 << 8;
pub const SIDE_LEFT: u64 = 1 << 9;
pub const SIDE_RIGHT: u64 = 1 << 10;

/// A gain of −3 dB.
const MINUS_3_DB: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Returns the gain of a channel for each side.
fn gain(channel: u64) -> (f32, f32) {
    match channel {
        FRONT_LEFT => (1.0, 0.0),
        FRONT_RIGHT => (0.0, 1.0),
        FRONT_CENTER | BACK_CENTER => (MINUS_3_DB, MINUS_3_DB),
        LOW_FREQUENCY => (0.0, 0.0),
        BACK_LEFT | SIDE_LEFT => (MINUS_3_DB, 0.0),
        BACK_RIGHT | SIDE_RIGHT => (0.0, MINUS_3_DB),
        _ => (0.5, 0.5),
    }
}

/// Returns the usual mask for this many channels, for streams that declare no mask.
fn usual(channels: usize) -> u64 {
    let front = FRONT_LEFT | FRONT_RIGHT;
    match channels {
        3 => front | FRONT_CENTER,
        4 => front | BACK_LEFT | BACK_RIGHT,
        5 => front | FRONT_CENTER | BACK_LEFT | BACK_RIGHT,
        6 => front | FRONT_CENTER | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT,
        _ => front | FRONT_CENTER | LOW_FREQUENCY | BACK_LEFT | BACK_RIGHT | SIDE_LEFT | SIDE_RIGHT,
    }
}

/// Returns the gains of more than two channels for the left and the right side of stereo (ITU-R
/// BS.775-3 table 2). Front channels stay on their sides, center and surround are 3 dB lower, and
/// the LFE channel is dropped. The channels are in the order of `mask`, or in the usual order of
/// PulseAudio and WAV if the mask does not fit (0: unknown). Further channels have no gain.
pub fn stereo_gains(channels: usize, mask: u64) -> impl Iterator<Item = (f32, f32)> {
    let known = mask.count_ones() as usize == channels;
    let mask = if known { mask } else { usual(channels) };
    let places = (0..64).map(|bit| 1_u64 << bit).filter(move |bit| mask & bit != 0);
    places.map(gain).take(channels)
}

/// Returns the level of stereo with these gains if all channels are at full scale, and at least 1.
pub fn stereo_peak(gains: &[(f32, f32)]) -> f32 {
    let (left, right) = gains.iter().fold((0.0, 0.0), |sum, gain| (sum.0 + gain.0, sum.1 + gain.1));
    f32::max(left, right).max(1.0)
}
