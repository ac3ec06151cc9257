//! The bitrate of a publisher over the last ten minutes, in steps of five seconds.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;

/// Duration of a step.
pub(crate) const STEP_DURATION: Duration = Duration::from_secs(5);
/// Maximum number of complete steps.
const MAX_STEPS: usize = 120;

/// The history of one publisher.
#[derive(Clone, Debug)]
pub(crate) struct BitrateHistory {
    since: Timestamp,
    /// Number of the step that is being counted.
    step: u64,
    bytes: u64,
    /// Number of bytes in each complete step, oldest first.
    complete: VecDeque<u64>,
}

impl BitrateHistory {
    pub fn new(now: Timestamp) -> Self {
        Self { since: now, step: 0, bytes: 0, complete: VecDeque::new() }
    }

    /// Counts received data.
    pub fn count(&mut self, bytes: usize, now: Timestamp) {
        self.advance(now);
        self.bytes += bytes as u64;
    }

    /// Returns the bitrates of the complete steps in bits per second, oldest first.
    pub fn bitrates(&self, now: Timestamp) -> Vec<u64> {
        let mut until_now = self.clone();
        until_now.advance(now);
        until_now.complete.iter().map(|bytes| bytes * 8 / STEP_DURATION.as_secs()).collect()
    }

    /// Completes the steps before `now`; those without data are zero.
    fn advance(&mut self, now: Timestamp) {
        let step = now.since(self.since).as_secs() / STEP_DURATION.as_secs();
        let passed = usize::try_from(step.saturating_sub(self.step)).unwrap_or(usize::MAX);
        for _ in 0..passed.min(MAX_STEPS + 1) {
            self.complete.push_back(std::mem::take(&mut self.bytes));
            if self.complete.len() > MAX_STEPS {
                self.complete.pop_front();
            }
        }
        self.step = self.step.max(step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_without_data_are_zero_and_the_oldest_are_dropped() {
        let at = Timestamp::from_millis;
        let mut history = BitrateHistory::new(at(1_000));
        history.count(1_000, at(1_500));
        history.count(250, at(5_999));
        assert_eq!(history.bitrates(at(5_999)), [0; 0]);
        assert_eq!(history.bitrates(at(6_000)), [2_000]);
        history.count(625, at(17_000));
        assert_eq!(history.bitrates(at(21_000)), [2_000, 0, 0, 1_000]);
        for second in 0..2_000 {
            history.count(1, at(30_000 + second * 1_000));
        }
        let all = history.bitrates(at(2_100_000));
        assert_eq!((all.len(), all[0]), (MAX_STEPS, 8));
        // A publisher that was silent for hours.
        assert_eq!(history.bitrates(at(1_000_000_000)), [0; MAX_STEPS]);
    }
}
