//! Computes the wait before a retry. Waits are short in the first minute, because the network
//! failure may be brief or the server may be restarting. Afterwards, waits are longer. The waits
//! are partly random, so that many clients do not retry at the same moment. The random numbers are
//! also for other uses without secrecy.

use std::time::Duration;

/// The waits during one outage. This type is pure: the caller sleeps.
#[derive(Clone, Debug)]
pub struct Backoff {
    tries: u32,
    random: SplitMix64,
}

/// The duration of an outage up to which tries are at most [`MAX_EARLY_WAIT`] apart.
const EARLY_PERIOD: Duration = Duration::from_secs(60);
/// Maximum wait in the first minute of an outage.
const MAX_EARLY_WAIT: Duration = Duration::from_secs(2);
/// Maximum wait after the first minute of an outage.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(15);

impl Backoff {
    /// Creates the state before any outage. `seed` spreads the waits of many programs that lost the
    /// same server.
    pub const fn new(seed: u64) -> Self {
        Self { tries: 0, random: SplitMix64::new(seed) }
    }

    /// Returns the wait before the next try. `outage` is the time since the outage began. Waits
    /// grow from 0.5 s to 2 s in the first minute and to 15 s after it; each wait is shortened by
    /// up to a quarter at random.
    pub fn next_wait(&mut self, outage: Duration) -> Duration {
        let step = self.tries;
        self.tries = self.tries.saturating_add(1);
        let wait = if outage < EARLY_PERIOD {
            Duration::from_millis(500).saturating_mul(1 << step.min(4)).min(MAX_EARLY_WAIT)
        } else {
            // 2 s at the end of the first minute, and 1 s more for each further 5 s of outage.
            let extra = (outage - EARLY_PERIOD) / 5;
            (MAX_EARLY_WAIT + extra).min(MAX_RETRY_DELAY)
        };
        wait - wait.mul_f64(0.25 * self.fraction())
    }

    /// Returns the wait after a refusal: 1 s, then twice as long each time, up to 15 s. Each wait
    /// is shortened by up to a quarter at random.
    pub fn next_refused(&mut self) -> Duration {
        let wait =
            Duration::from_secs(1).saturating_mul(1 << self.tries.min(4)).min(MAX_RETRY_DELAY);
        self.tries = self.tries.saturating_add(1);
        wait - wait.mul_f64(0.25 * self.fraction())
    }

    /// Resets the state after an outage, so that the next wait is short again.
    pub const fn reset(&mut self) {
        self.tries = 0;
    }

    /// Returns the number of tries since the outage began.
    pub const fn tries(&self) -> u32 {
        self.tries
    }

    /// Returns a random number in 0…1.
    fn fraction(&mut self) -> f64 {
        (self.random.number() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// The random number generator SplitMix64, for numbers that anybody may guess. The same seed gives
/// the same numbers.
#[derive(Clone, Debug)]
pub struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Returns the next number.
    pub const fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_close_in_the_first_minute_and_bounded_after_it() {
        for seed in 0..50 {
            let mut backoff = Backoff::new(seed);
            let mut outage = Duration::ZERO;
            let mut last = Duration::ZERO;
            while outage < Duration::from_secs(600) {
                let wait = backoff.next_wait(outage);
                assert!(wait >= Duration::from_millis(375), "{wait:?}");
                let limit = if outage < EARLY_PERIOD { MAX_EARLY_WAIT } else { MAX_RETRY_DELAY };
                assert!(wait <= limit, "{wait:?} after {outage:?}");
                outage += wait;
                last = wait;
            }
            assert!(last > Duration::from_secs(11), "{last:?}");
            backoff.reset();
            assert!(backoff.next_wait(Duration::ZERO) <= Duration::from_millis(500));
        }
    }

    #[test]
    fn a_server_that_says_no_is_asked_less_and_less_often() {
        for seed in 0..50 {
            let mut backoff = Backoff::new(seed);
            let (mut gone, mut tries) = (Duration::ZERO, 1);
            while gone < Duration::from_secs(66) {
                gone += backoff.next_refused();
                tries += 1;
            }
            assert!((7..=10).contains(&tries), "{tries} tries in {gone:?}");
        }
    }

    /// The expected numbers are those of the reference implementation (prng.di.unimi.it).
    #[test]
    fn random_numbers_are_those_of_splitmix64() {
        let mut random = SplitMix64::new(0);
        let numbers = [random.number(), random.number(), random.number()];
        let expected = [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn two_programs_do_not_try_in_step() {
        let (mut a, mut b) = (Backoff::new(1), Backoff::new(2));
        assert_ne!(a.next_wait(Duration::ZERO), b.next_wait(Duration::ZERO));
    }
}
