//! A frame's turn: when it is shown, and when it is too late for it.
//!
//! Pure: time is an argument. Runs on the presenter thread.

use std::time::Duration;

use crate::base::Timestamp;

/// What becomes of a decoded frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PacingVerdict {
    /// Its time comes after this much.
    Wait(Duration),
    /// Show it now. `late`: by more than half its time.
    Show { late: bool },
    /// Throw it away, it is late and its successor is there.
    Drop,
}

/// Judges a frame due at `due` (media time) at `position`: late by more than half of `period` it
/// goes, unless nothing else is there to be shown.
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

/// The usual distance of two frames, learned from what is decoded.
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
    /// A frame of this media time came.
    pub fn note(&mut self, pts: Timestamp) {
        if let Some(last) = self.last {
            let step = pts.micros_since(last) as f64;
            if (2_000.0..500_000.0).contains(&step) {
                self.micros += (step - self.micros) / 8.0;
            }
        }
        self.last = Some(pts);
    }

    /// The distance.
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
    fn late_pictures_go_unless_they_are_all_there_is() {
        let period = Duration::from_millis(40);
        let verdict = |position, successor| judge(at(1_000), at(position), 1.0, period, successor);
        assert_eq!(verdict(990, true), PacingVerdict::Wait(Duration::from_millis(10)));
        assert_eq!(verdict(1_000, true), PacingVerdict::Show { late: false });
        assert_eq!(verdict(1_020, true), PacingVerdict::Show { late: false });
        assert_eq!(verdict(1_021, true), PacingVerdict::Drop);
        assert_eq!(verdict(1_021, false), PacingVerdict::Show { late: true });
    }
}
