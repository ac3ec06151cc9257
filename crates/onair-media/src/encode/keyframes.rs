//! Decides when a keyframe is due. The decision uses the frame grid and does not count frames, so
//! that the interval does not drift when frames are lost before the encoder.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{FrameGrid, FrameRate};

/// The keyframe schedule, which decides frame by frame.
#[derive(Debug)]
pub(super) struct Schedule {
    rate: FrameRate,
    /// Frames per keyframe interval, at least 1.
    interval: i64,
    grid: Option<FrameGrid>,
    /// The number of the last interval that has its keyframe.
    current: i64,
}

impl Schedule {
    pub(super) fn new(rate: FrameRate, interval: Duration) -> Self {
        let frames = (interval.as_secs_f64() * rate.as_f64()).round();
        // The interval is at most a day, so that the cast cannot saturate.
        let interval = frames.clamp(1.0, 240.0 * 86_400.0) as i64;
        Self { rate, interval, grid: None, current: 0 }
    }

    /// Returns the frames per keyframe interval.
    #[cfg(test)]
    pub(super) fn interval(&self) -> i64 {
        self.interval
    }

    /// Returns true if the frame with this PTS begins an interval. The first frame of the stream
    /// begins an interval, and defines the grid. If the first frame of an interval is missing, the
    /// next frame begins the interval.
    pub(super) fn is_due(&mut self, pts: Timestamp) -> bool {
        let Some(grid) = self.grid else {
            self.grid = Some(FrameGrid { origin: pts, rate: self.rate });
            self.current = 0;
            return true;
        };
        // Times are rounded to microseconds on both sides, so add half a frame.
        let half = i64::try_from(self.rate.period().as_micros() / 2).unwrap_or(0);
        let interval = grid.index_at(pts.offset(half)).div_euclid(self.interval);
        if interval == self.current {
            return false;
        }
        self.current = interval;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(rate: &str, interval_ms: u64, indices: impl Iterator<Item = i64>) -> Vec<i64> {
        let rate: FrameRate = rate.parse().unwrap();
        let grid = FrameGrid { origin: Timestamp::from_micros(987_654), rate };
        let mut schedule = Schedule::new(rate, Duration::from_millis(interval_ms));
        indices.filter(|index| schedule.is_due(grid.instant(*index))).collect()
    }

    #[test]
    fn keyframes_stay_on_the_grid_for_hours() {
        let due = keys("29.97", 2_000, 0..200_000);
        assert!(due.iter().all(|index| index % 60 == 0));
        assert_eq!(due.len(), 200_000usize.div_ceil(60));
        assert_eq!(keys("30", 2_000, 7..200), [7, 67, 127, 187]);
    }

    #[test]
    fn lost_frames_do_not_shift_what_follows() {
        let lost = |index: &i64| !(55..=62).contains(index) && *index != 120;
        assert_eq!(keys("30", 2_000, (0..200).filter(lost)), [0, 63, 121, 180]);
    }

    #[test]
    fn an_interval_below_a_frame_means_every_frame() {
        assert_eq!(keys("30", 0, 0..3), [0, 1, 2]);
        assert_eq!(Schedule::new(FrameRate::FPS_30, Duration::MAX).interval(), 240 * 86_400);
    }
}
