//! Bisection for a position in a recording in which bytes are roughly proportional to time. This
//! module is pure.

/// Maximum number of steps.
const MAX_STEPS: u32 = 24;

/// A bisection. All times are in the same unit, which the caller chooses.
#[derive(Copy, Clone, Debug)]
pub(super) struct Bisection {
    /// A byte before the position, and its time.
    low: (u64, i64),
    /// A byte after the position, and the time of the first packet from that byte on.
    high: (u64, i64),
    step: u32,
}

impl Bisection {
    /// Creates a bisection between the first packet and the end.
    pub const fn new(low: (u64, i64), high: (u64, i64)) -> Self {
        Self { low, high, step: 0 }
    }

    /// Returns the closest known byte before the position, and its time.
    pub const fn low(&self) -> (u64, i64) {
        self.low
    }

    /// Returns the closest byte that is known to be after the position.
    pub const fn end(&self) -> u64 {
        self.high.0
    }

    /// Returns the next byte at which to look for `to`. Returns `None` if at most `near_bytes` are
    /// left between the two ends, if the low end is within `near_time` of `to`, or after the
    /// maximum number of steps.
    pub fn guess(&self, to: i64, near_bytes: u64, near_time: i64) -> Option<u64> {
        let ((low, low_time), (high, high_time)) = (self.low, self.high);
        let (between, after) = (high.saturating_sub(low), to.saturating_sub(low_time));
        if self.step >= MAX_STEPS || between <= near_bytes || after <= near_time {
            return None;
        }
        // Interpolates, but every other step goes to the middle.
        let part = after as f64 / high_time.saturating_sub(low_time).max(1) as f64;
        let part = if self.step.is_multiple_of(2) { part.clamp(0.05, 0.95) } else { 0.5 };
        Some(low + (between as f64 * part) as u64)
    }

    /// Records the position and time of the first packet from byte `guess` on.
    pub fn note(&mut self, guess: u64, to: i64, first: Option<(u64, i64)>) {
        self.step += 1;
        match first {
            Some((at, time)) if time <= to && at < self.high.0 => self.low = (at, time),
            Some((_, time)) if time > to => self.high = (guess, time),
            _ => self.high.0 = guess,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_found_in_few_steps_wherever_the_bytes_are() {
        // A packet begins every 100 bytes; the later half has four times as many per second.
        let time = |at: i64| if at < 500_000 { at * 4 } else { 2_000_000 + (at - 500_000) };
        for to in [1_000, 700_000, 1_999_000, 2_100_000, 2_499_000] {
            let mut bisection = Bisection::new((0, 0), (1_000_000, time(1_000_000)));
            let mut steps = 0;
            while let Some(guess) = bisection.guess(to, 1_000, 500) {
                let at = guess.next_multiple_of(100);
                bisection.note(guess, to, Some((at, time(at as i64))));
                steps += 1;
            }
            let (low, low_time) = bisection.low();
            assert!(low_time <= to && bisection.end() > low, "{to}");
            assert!(to - low_time <= 5_000 && steps < 20, "{to} {low_time} {steps}");
        }
        // Without any packet, the search still ends.
        let mut bisection = Bisection::new((0, 0), (u64::MAX, i64::MAX));
        let mut steps = 0;
        while let Some(guess) = bisection.guess(i64::MAX / 2, 0, 0) {
            bisection.note(guess, i64::MAX / 2, None);
            steps += 1;
        }
        assert_eq!(steps, MAX_STEPS);
    }
}
