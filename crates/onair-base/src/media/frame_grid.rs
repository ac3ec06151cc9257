//! The frame grid: the times at which the program has frames.

use std::fmt;
use std::time::Duration;

use crate::base::Timestamp;
use crate::text::problem::{Problem, problem};

/// Frames per second as a fraction (30/1, 30000/1001).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct FrameRate {
    num: u32,
    den: u32,
}

impl FrameRate {
    /// 30 frames per second.
    pub const FPS_30: Self = Self { num: 30, den: 1 };

    /// Creates a rate of `num / den` frames per second. Returns `None` outside 1…240.
    pub const fn new(num: u32, den: u32) -> Option<Self> {
        if den == 0 || num < den || num as u64 > 240 * den as u64 {
            None
        } else {
            Some(Self { num, den })
        }
    }

    /// Returns the numerator.
    pub const fn num(self) -> u32 {
        self.num
    }

    /// Returns the denominator.
    pub const fn den(self) -> u32 {
        self.den
    }

    /// Returns the frame rate in frames per second.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }

    /// Returns the frame period, rounded down to a microsecond.
    pub const fn period(self) -> Duration {
        Duration::from_micros(1_000_000 * self.den as u64 / self.num as u64)
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 { write!(f, "{}", self.num) } else { write!(f, "{:.2}", self.as_f64()) }
    }
}

impl std::str::FromStr for FrameRate {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rate = match text.split_once('/') {
            Some((num, den)) => num.parse().ok().zip(den.parse().ok()),
            None => match text {
                "23.976" | "23.98" => Some((24_000, 1_001)),
                "29.97" => Some((30_000, 1_001)),
                "59.94" => Some((60_000, 1_001)),
                _ => text.parse().ok().map(|num| (num, 1)),
            },
        };
        rate.and_then(|(num, den)| Self::new(num, den))
            .ok_or_else(|| problem!("choice-no-frame-rate", text = text))
    }
}

/// A frame grid: frame *n* is due at `origin + n / rate`. The test source, the compositor and the
/// encoder all use the same grid.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FrameGrid {
    /// The time of frame 0.
    pub origin: Timestamp,
    /// The frame rate.
    pub rate: FrameRate,
}

impl FrameGrid {
    /// Returns the time of frame `index`. Rounding errors do not accumulate.
    pub fn instant(&self, index: i64) -> Timestamp {
        let micros = i128::from(index) * 1_000_000 * i128::from(self.rate.den);
        let micros = micros.div_euclid(i128::from(self.rate.num));
        self.origin.offset(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    /// Returns the index of the frame that is visible at `at`, which is the last frame whose time
    /// is not later.
    pub fn index_at(&self, at: Timestamp) -> i64 {
        let since = i128::from(at.micros_since(self.origin));
        let scale = 1_000_000 * i128::from(self.rate.den);
        // `instant` rounds down, so the exact quotient may be one too low at the time of a frame.
        let low = i64::try_from((since * i128::from(self.rate.num)).div_euclid(scale));
        let low = low.unwrap_or(i64::MAX - 1);
        if self.instant(low + 1) <= at { low + 1 } else { low }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_parse() {
        assert_eq!("30".parse(), Ok(FrameRate::FPS_30));
        assert_eq!("29.97".parse(), Ok(FrameRate { num: 30_000, den: 1_001 }));
        for bad in ["", "0", "-1", "241", "30/0", "1/2", "nan", "99999999999"] {
            assert!(bad.parse::<FrameRate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn instants_and_indices_agree_for_days() {
        for rate in ["30", "29.97", "60", "25", "24", "59.94", "7", "240"] {
            let grid = FrameGrid {
                origin: Timestamp::from_micros(1_234_567),
                rate: rate.parse().unwrap(),
            };
            for index in [-5, -1, 0, 1, 2, 3, 29, 30, 31, 1_000, 107_892, 20_000_000] {
                let at = grid.instant(index);
                assert_eq!(grid.index_at(at), index, "{rate} {index}");
                assert_eq!(grid.index_at(at.offset(-1)), index - 1, "{rate} {index}");
            }
        }
    }
}
