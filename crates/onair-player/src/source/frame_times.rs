//! The times of a source's last frames, from which its frame rate is measured.

use std::collections::VecDeque;

use crate::wire::codec::cadence::frame_rate;

/// Number of frames from which the frame rate is measured.
const MEASURED_FRAMES: usize = 24;
/// Number of frames that is enough for a source with few frames per second.
const MIN_MEASURED_FRAMES: usize = 3;
/// Time in microseconds after which such a source is measured.
const MAX_MEASURED_MICROS: i64 = 3_000_000;

/// The times of the last [`MEASURED_FRAMES`] frames in microseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct FrameTimes(VecDeque<i64>);

impl FrameTimes {
    /// Adds the time of the next frame.
    pub(super) fn push(&mut self, micros: i64) {
        if self.0.len() >= MEASURED_FRAMES {
            self.0.pop_front();
        }
        self.0.push_back(micros);
    }

    /// Returns the rounded frame rate, or 0 while too few frames were shown. The number of frames in
    /// a second is inaccurate after the start.
    pub(super) fn rate(&self) -> f64 {
        if self.0.len() < MEASURED_FRAMES && !self.is_slow() {
            return 0.0;
        }
        frame_rate(self.0.iter().copied(), None).map_or(0.0, f64::round)
    }

    /// Returns true if the source has few frames per second, rather than a pause between frames.
    fn is_slow(&self) -> bool {
        let steps = || self.0.iter().zip(self.0.iter().skip(1)).map(|(a, b)| b - a);
        let (least, most) = (steps().min().unwrap_or(0), steps().max().unwrap_or(0));
        self.0.len() >= MIN_MEASURED_FRAMES
            && steps().sum::<i64>() >= MAX_MEASURED_MICROS
            && most < least * 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(times: impl IntoIterator<Item = i64>) -> Vec<f64> {
        let mut shown = FrameTimes::default();
        let rate = |micros| {
            shown.push(micros);
            shown.rate()
        };
        times.into_iter().map(rate).collect()
    }

    #[test]
    fn the_rate_is_measured_from_enough_frames() {
        // 30 fps, each frame up to 2 ms early or late, and a pause after the first one.
        let times = (1..30).map(|n| 80_000 + n * 33_333 + (n * 7 % 5 - 2) * 1_000);
        for (rate, count) in rates(std::iter::once(0).chain(times)).into_iter().zip(1..) {
            assert_eq!(rate, if count < MEASURED_FRAMES { 0.0 } else { 30.0 }, "{count}");
        }
    }

    #[test]
    fn few_frames_per_second_are_measured_after_three_seconds() {
        assert_eq!(rates([0, 1_010_000, 2_000_000, 3_000_000]), [0.0, 0.0, 0.0, 1.0]);
        // A pause says nothing about the rate.
        assert_eq!(rates([0, 33_000, 9_000_000, 9_033_000]), [0.0; 4]);
    }
}
