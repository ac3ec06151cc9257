//! Frame pacing: when a frame is shown, and when it is too late.
//!
//! This module is pure: time is an argument. It runs on the presenter thread.

use std::time::Duration;

use crate::base::Timestamp;

/// The verdict about a decoded frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PacingVerdict {
    /// The frame is due after this time.
    Wait(Duration),
    /// Show the frame now. `late` is true if it is late by more than half the frame duration.
    Show { late: bool },
    /// Drop the frame: it is late, and the next one is ready.
    Drop,
}

/// Judges a frame that is due at `due` while playback is at `position` (media times). A frame that
/// is late by more than half of `period` is dropped, unless there is no other frame.
pub fn judge(
    due: Timestamp,
    position: Timestamp,
    speed: f64,
    period: Duration,
    successor: bool,
) -> PacingVerdict {
    let late = position.micros_since(due);
    if late < 0 {
        let micros = (-late) as f64 / speed.max(0.5);
        return PacingVerdict::Wait(Duration::from_micros(micros as u64));
    }
    let half = i64::try_from(period.as_micros() / 2).unwrap_or(i64::MAX);
    match (late > half, successor) {
        (true, true) => PacingVerdict::Drop,
        (late, _) => PacingVerdict::Show { late },
    }
}

/// The usual distance between frames, learned from decoded frames.
#[derive(Debug)]
pub struct Cadence {
    last: Option<Timestamp>,
    micros: f64,
}

impl Default for Cadence {
    fn default() -> Self {
        Self { last: None, micros: 33_333.0 }
    }
}

impl Cadence {
    /// Records a frame with this media time.
    pub fn note(&mut self, pts: Timestamp) {
        if let Some(last) = self.last {
            let step = pts.micros_since(last) as f64;
            if (2_000.0..500_000.0).contains(&step) {
                self.micros += (step - self.micros) / 8.0;
            }
        }
        self.last = Some(pts);
    }

    /// Returns the usual time between two frames.
    pub fn period(&self) -> Duration {
        Duration::from_micros(self.micros as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn late_frames_go_unless_they_are_all_there_is() {
        let period = Duration::from_millis(40);
        let verdict = |position, successor| judge(at(1_000), at(position), 1.0, period, successor);
        assert_eq!(verdict(990, true), PacingVerdict::Wait(Duration::from_millis(10)));
        assert_eq!(verdict(1_000, true), PacingVerdict::Show { late: false });
        assert_eq!(verdict(1_020, true), PacingVerdict::Show { late: false });
        assert_eq!(verdict(1_021, true), PacingVerdict::Drop);
        assert_eq!(verdict(1_021, false), PacingVerdict::Show { late: true });
    }
}
