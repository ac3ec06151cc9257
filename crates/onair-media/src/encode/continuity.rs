//! Keeps the sample count in sync with time. An audio encoder counts samples, so a gap must be
//! filled and an overlap dropped; otherwise all later audio would be early or late.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::samples::micros_to_frames;

/// Maximum length of a gap that is filled. A longer gap restarts the count, because encoding an
/// hour of silence would take too long.
const MAX_FILLED_GAP: Duration = Duration::from_secs(10);

/// The correction before a block of samples.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// The block follows the previous one.
    Follows,
    /// Insert this many samples per channel of silence before the block.
    Fill(usize),
    /// Drop this many samples per channel at the start of the block (perhaps the whole block).
    Skip(usize),
    /// Finish the previous audio, and begin a new count with this block.
    Restart,
}

/// Counts samples against time.
#[derive(Debug)]
pub(super) struct Continuity {
    rate: u32,
    /// Deviations up to this many samples are rounding and jitter, not gaps.
    tolerance: i64,
    origin: Option<Timestamp>,
    /// Samples per channel since the origin.
    count: i64,
}

impl Continuity {
    /// Creates a counter for packets of `block` samples. Deviations of up to half a packet are
    /// tolerated.
    pub(super) fn new(rate: u32, block: usize) -> Self {
        let tolerance = i64::try_from(block / 2).unwrap_or(512);
        Self { rate, tolerance, origin: None, count: 0 }
    }

    /// Returns the time of the first counted sample.
    pub(super) fn origin(&self) -> Option<Timestamp> {
        self.origin
    }

    /// Returns the correction for a block that begins at `pts`. The caller then reports the result
    /// to [`Continuity::counted`].
    pub(super) fn judge(&mut self, pts: Timestamp) -> Repair {
        let Some(origin) = self.origin else {
            self.origin = Some(pts);
            return Repair::Follows;
        };
        let off = micros_to_frames(pts.micros_since(origin), self.rate).saturating_sub(self.count);
        if off.abs() <= self.tolerance {
            return Repair::Follows;
        }
        let longest = micros_to_frames(MAX_FILLED_GAP.as_micros() as i64, self.rate);
        if off.abs() > longest {
            self.origin = Some(pts);
            self.count = 0;
            return Repair::Restart;
        }
        let samples = usize::try_from(off.unsigned_abs()).unwrap_or(usize::MAX);
        if off > 0 { Repair::Fill(samples) } else { Repair::Skip(samples) }
    }

    /// Adds the number of encoded samples per channel to the count.
    pub(super) fn counted(&mut self, samples: usize) {
        self.count = self.count.saturating_add(i64::try_from(samples).unwrap_or(i64::MAX));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn gaps_are_filled_and_overlaps_are_skipped() {
        let mut continuity = Continuity::new(48_000, 1_024);
        assert_eq!(continuity.judge(at(100)), Repair::Follows);
        continuity.counted(480);
        assert_eq!(continuity.judge(at(110)), Repair::Follows);
        continuity.counted(480);
        // 9 ms of jitter is not a gap
        assert_eq!(continuity.judge(at(129)), Repair::Follows);
        assert_eq!(continuity.judge(at(150)), Repair::Fill(30 * 48));
        assert_eq!(continuity.judge(at(100)), Repair::Skip(960));
        assert_eq!(continuity.judge(at(60_000)), Repair::Restart);
        assert_eq!(continuity.origin(), Some(at(60_000)));
        assert_eq!(continuity.judge(at(60_000)), Repair::Follows);
    }
}
