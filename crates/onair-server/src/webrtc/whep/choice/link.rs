//! Chooses among the renditions of a stream by the estimated bitrate of the link. This module is pure.

use std::time::{Duration, Instant};

/// Time for which low estimates are ignored, because the estimates of some receivers rise only gradually
/// at first.
const WARM_UP_DURATION: Duration = Duration::from_secs(5);
/// Time for which the link must be too slow before a smaller rendition is chosen.
const STEP_DOWN_DELAY: Duration = Duration::from_secs(1);
/// Time for which the link must be fast enough before a larger rendition is chosen. The time
/// doubles each time that the larger rendition turns out to be too large.
const STEP_UP_DELAY: Duration = Duration::from_secs(5);
/// Maximum of the doubled [`STEP_UP_DELAY`].
const MAX_STEP_UP_DELAY: Duration = Duration::from_secs(80);
/// A larger rendition counts as too large if the link requires a smaller one within this time.
const TRIAL_DURATION: Duration = Duration::from_secs(20);
/// The estimate that a larger rendition needs, in percent of its bitrate.
const MIN_ESTIMATE_PERCENT: u64 = 125;

/// The state of a link.
#[derive(Debug)]
pub(in crate::webrtc) struct LinkChoice {
    begun: Option<Instant>,
    /// The time since which the link has been too slow.
    slow_since: Option<Instant>,
    /// The time since which the link has been fast enough for a larger rendition.
    fast_since: Option<Instant>,
    up_after: Duration,
    last_up: Option<Instant>,
}

impl Default for LinkChoice {
    fn default() -> Self {
        Self {
            begun: None,
            slow_since: None,
            fast_since: None,
            up_after: STEP_UP_DELAY,
            last_up: None,
        }
    }
}

impl LinkChoice {
    /// Returns the choice to change to, if any. `rates` are the bitrates of the choices, the largest first, and
    /// `current` is the index of the current one. `is_crowded` is true if frames are already being dropped.
    pub fn choose(
        &mut self,
        rates: &[u64],
        current: usize,
        (estimate, is_crowded): (u64, bool),
        now: Instant,
    ) -> Option<usize> {
        let rate = *rates.get(current)?;
        let begun = *self.begun.get_or_insert(now);
        let is_known = now.duration_since(begun) >= WARM_UP_DURATION;
        if is_crowded || (estimate < rate && is_known) {
            self.fast_since = None;
            let since = *self.slow_since.get_or_insert(now);
            if !is_crowded && now.duration_since(since) < STEP_DOWN_DELAY {
                return None;
            }
            let smaller = rates.iter().enumerate().skip(current + 1);
            let mut fitting = smaller.clone().filter(|(_, rate)| **rate <= estimate);
            let (index, _) = fitting.next().or_else(|| smaller.clone().last())?;
            if self.last_up.take().is_some_and(|up| now.duration_since(up) < TRIAL_DURATION) {
                self.up_after = (self.up_after * 2).min(MAX_STEP_UP_DELAY);
            }
            self.slow_since = None;
            return Some(index);
        }
        self.slow_since = None;
        if self.last_up.is_some_and(|up| now.duration_since(up) >= TRIAL_DURATION) {
            (self.up_after, self.last_up) = (STEP_UP_DELAY, None);
        }
        let fits = |rate: u64| rate.saturating_mul(MIN_ESTIMATE_PERCENT) / 100 <= estimate;
        let Some(index) = rates.iter().take(current).position(|rate| fits(*rate)) else {
            self.fast_since = None;
            return None;
        };
        let since = *self.fast_since.get_or_insert(now);
        if now.duration_since(since) < self.up_after {
            return None;
        }
        (self.fast_since, self.last_up) = (None, Some(now));
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RENDITION_BITRATES: [u64; 3] = [2_500_000, 1_000_000, 400_000];

    /// A link in simulated time that is checked twice a second.
    struct Link {
        choice: LinkChoice,
        now: Instant,
        current: usize,
    }

    impl Link {
        fn new() -> Self {
            Self { choice: LinkChoice::default(), now: Instant::now(), current: 0 }
        }

        /// Returns the changes within this time, each with the second in which it happens.
        fn run(&mut self, seconds: u64, estimate: u64, is_crowded: bool) -> Vec<(u64, usize)> {
            let begin = self.now;
            let mut changes = Vec::new();
            for _ in 0..seconds * 2 {
                self.now += Duration::from_millis(500);
                let state = (estimate, is_crowded);
                if let Some(index) =
                    self.choice.choose(&RENDITION_BITRATES, self.current, state, self.now)
                {
                    self.current = index;
                    changes.push((self.now.duration_since(begin).as_secs(), index));
                }
            }
            changes
        }
    }

    #[test]
    fn a_slow_link_gets_what_it_carries_and_a_fast_one_the_largest() {
        let mut link = Link::new();
        assert_eq!(link.run(60, 8_000_000, false), []);
        assert_eq!(link.run(10, 1_100_000, false), [(1, 1)]);
        assert_eq!(link.run(10, 100_000, false), [(1, 2)], "nothing smaller exists");
        assert_eq!(link.run(60, 1_200_000, false), [], "too little to spare");
        assert_eq!(link.run(60, 1_300_000, false), [(5, 1)]);
        assert_eq!(link.run(60, 3_200_000, false), [(5, 0)]);
    }

    #[test]
    fn an_estimate_may_begin_low() {
        let mut link = Link::new();
        assert_eq!(link.run(4, 300_000, false), []);
        assert_eq!(link.run(60, 8_000_000, false), []);
    }

    #[test]
    fn a_short_dip_changes_nothing_but_dropped_frames_do_at_once() {
        let mut link = Link::new();
        for _ in 0..10 {
            assert_eq!(link.run(1, 2_000_000, false), []);
            assert_eq!(link.run(1, 4_000_000, false), []);
        }
        let now = link.now + Duration::from_millis(500);
        assert_eq!(link.choice.choose(&RENDITION_BITRATES, 0, (8_000_000, true), now), Some(1));
    }

    #[test]
    fn a_link_that_fails_each_time_is_tried_less_and_less() {
        let mut link = Link::new();
        link.run(10, 500_000, false);
        let mut waits = Vec::new();
        for _ in 0..7 {
            let begin = link.now;
            while link.run(1, 5_000_000, false).is_empty() {}
            waits.push(link.now.duration_since(begin).as_secs());
            assert_eq!(link.run(3, 500_000, false).len(), 1, "too large after all");
        }
        assert_eq!(waits, [6, 11, 21, 41, 81, 81, 81]);
    }

    #[test]
    fn there_may_be_nothing_to_choose() {
        let mut choice = LinkChoice::default();
        let now = Instant::now();
        assert_eq!(choice.choose(&[], 0, (0, true), now), None);
        assert_eq!(choice.choose(&[5], 0, (0, true), now), None);
        assert_eq!(choice.choose(&[5], 7, (0, true), now), None);
    }
}
