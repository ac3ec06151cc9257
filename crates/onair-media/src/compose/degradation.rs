//! The reduction of work on a slow computer, in this order: the preview, transitions, cosmetic
//! filters, every other frame. Audio is never affected; it has a separate thread. This module is
//! pure: it takes the time of each frame.

use std::time::Duration;

/// The level of reduction.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Degradation {
    /// No reduction.
    #[default]
    None,
    /// The preview scene is drawn rarely, and the other views are not drawn.
    Preview,
    /// In addition, scenes change without transitions.
    Transitions,
    /// In addition, [costly](crate::compose::filter::Filter::is_costly) filters are skipped.
    Filters,
    /// In addition, every other frame repeats the previous frame.
    Rate,
}

impl Degradation {
    const ALL: [Self; 5] =
        [Self::None, Self::Preview, Self::Transitions, Self::Filters, Self::Rate];

    /// Returns the level with this number.
    pub(super) fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Rate)
    }

    /// Returns the number of the level; a higher one means more reduction.
    pub(super) fn number(self) -> u8 {
        self as u8
    }
}

/// The load, as a fraction of the frame period, above which it is too high.
const HIGH_LOAD: f64 = 0.85;
/// The time for which the load must be too high before the work is reduced.
const OVERLOAD_DURATION: Duration = Duration::from_secs(1);
/// The load above which frames are skipped, because they would be late anyway.
const OVERLOAD_THRESHOLD: f64 = 1.1;
/// The time for which the load must exceed [`OVERLOAD_THRESHOLD`] before frames are skipped.
const LAST_OVERLOAD_DURATION: Duration = Duration::from_secs(3);
/// The load, as a fraction of the frame period, below which it is low.
const LOW_LOAD: f64 = 0.75;
/// The same for [`Degradation::Rate`], which halves the load.
const LOW_HALVED_LOAD: f64 = 0.5;
/// The time for which the load must be low before a reduction ends.
const RECOVERY_DURATION: Duration = Duration::from_secs(8);
/// A reduction that follows the end of another within this time has ended too early.
const RETURN_WINDOW: Duration = Duration::from_secs(30);
/// The load below which the computer has room for all work again. The recovery time does not double then.
const NO_LOAD: f64 = 0.4;
/// How often the recovery time doubles, up to about two minutes.
const MAX_DOUBLINGS: u32 = 4;

/// Measures the load from the drawing time of frames.
#[derive(Debug, Default)]
pub(super) struct LoadWatcher {
    degradation: Degradation,
    /// The load, smoothed over about ten frames, in fractions of the frame period.
    load: f64,
    /// The time for which the load has been too high.
    high: Duration,
    /// The time for which the load has been low.
    low: Duration,
    /// The time since a reduction ended, up to [`RETURN_WINDOW`]; `None` after another one began.
    ended: Option<Duration>,
    /// How often reductions have ended too early. Each time doubles the recovery time.
    early_ends: u32,
}

impl LoadWatcher {
    /// Returns the current level of degradation.
    pub fn degradation(&self) -> Degradation {
        self.degradation
    }

    /// Returns the mean drawing time of a frame in nanoseconds, smoothed like the load.
    pub fn draw_nanos(&self, period: Duration) -> u64 {
        (self.load * period.as_secs_f64() * 1e9) as u64
    }

    /// Records the time that a frame used of its period. Returns the new level.
    pub fn took(&mut self, used: Duration, period: Duration) -> Degradation {
        let part = used.as_secs_f64() / period.as_secs_f64().max(1e-6);
        self.load += (part.min(4.0) - self.load) * 0.1;
        let (most, patience) = match self.degradation {
            Degradation::None | Degradation::Preview | Degradation::Transitions => {
                (HIGH_LOAD, OVERLOAD_DURATION)
            }
            Degradation::Filters | Degradation::Rate => {
                (OVERLOAD_THRESHOLD, LAST_OVERLOAD_DURATION)
            }
        };
        // A frame that took several seconds counts as several seconds of load.
        let passed = used.max(period);
        self.high = if self.load > most { self.high + passed } else { Duration::ZERO };
        let low_load = match self.degradation {
            Degradation::Rate => LOW_HALVED_LOAD,
            _ => LOW_LOAD,
        };
        self.low = if self.load < low_load { self.low + period } else { Duration::ZERO };
        self.ended = self.ended.map(|time| time + passed);
        if self.ended.is_some_and(|time| time > RETURN_WINDOW) {
            (self.ended, self.early_ends) = (None, 0);
        }
        let number = self.degradation.number();
        let doublings = if self.load < NO_LOAD { 0 } else { self.early_ends };
        if self.high >= patience && self.degradation != Degradation::Rate {
            self.degradation = Degradation::of(number + 1);
            self.high = Duration::ZERO;
            let is_early = u32::from(self.ended.take().is_some());
            self.early_ends = (self.early_ends + is_early).min(MAX_DOUBLINGS);
        } else if self.low >= RECOVERY_DURATION * (1_u32 << doublings)
            && self.degradation != Degradation::None
        {
            self.degradation = Degradation::of(number - 1);
            self.low = Duration::ZERO;
            self.ended = Some(Duration::ZERO);
        }
        self.degradation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_drawing_time_is_that_of_the_last_frames() {
        let mut watcher = LoadWatcher::default();
        let period = Duration::from_millis(40);
        for _ in 0..100 {
            watcher.took(Duration::from_millis(3), period);
        }
        assert!(watcher.draw_nanos(period).abs_diff(3_000_000) < 10_000);
    }

    #[test]
    fn a_short_overload_of_a_busy_computer_ends() {
        let (mut watcher, period) = (LoadWatcher::default(), Duration::from_millis(20));
        for (seconds, ms, wanted) in [(60, 12, 0), (2, 30, 1), (60, 12, 0)] {
            for _ in 0..seconds * 50 {
                watcher.took(Duration::from_millis(ms), period);
            }
            assert_eq!(watcher.degradation().number().min(1), wanted);
        }
    }

    #[test]
    fn a_step_that_returns_soon_is_reversed_later_each_time() {
        let (mut watcher, period) = (LoadWatcher::default(), Duration::from_millis(20));
        let mut ends = 0;
        for _ in 0..600 * 50 {
            let before = watcher.degradation();
            // Only without the preview is the computer fast enough.
            let ms = if before == Degradation::None { 18 } else { 12 };
            ends += u32::from(watcher.took(Duration::from_millis(ms), period) < before);
        }
        assert!((4..=8).contains(&ends), "{ends}");
    }

    #[test]
    fn after_the_load_is_gone_all_steps_are_reversed_at_the_usual_time() {
        let (mut watcher, period) = (LoadWatcher::default(), Duration::from_millis(20));
        // The load comes and goes, so that each step returns soon.
        for _ in 0..300 * 50 {
            let ms = if watcher.degradation() == Degradation::None { 18 } else { 12 };
            watcher.took(Duration::from_millis(ms), period);
        }
        for _ in 0..10 * 50 {
            watcher.took(Duration::from_millis(40), period);
        }
        assert_eq!(watcher.degradation(), Degradation::Rate);
        for _ in 0..35 * 50 {
            watcher.took(Duration::from_millis(5), period);
        }
        assert_eq!(watcher.degradation(), Degradation::None);
    }

    #[test]
    fn degradations_begin_in_order_and_end_slowly() {
        let mut watcher = LoadWatcher::default();
        let period = Duration::from_millis(33);
        let mut seen = vec![Degradation::None];
        let mut run = |watcher: &mut LoadWatcher, ms, seconds: u32| {
            for _ in 0..seconds * 30 {
                let degradation = watcher.took(Duration::from_millis(ms), period);
                if seen.last() != Some(&degradation) {
                    seen.push(degradation);
                }
            }
            std::mem::take(&mut seen)
        };
        let up = run(&mut watcher, 40, 10);
        assert_eq!(up, Degradation::ALL);
        assert!(run(&mut watcher, 20, 20).iter().all(|it| *it == Degradation::Rate), "no room yet");
        let down = run(&mut watcher, 5, 40);
        assert_eq!(down.last(), Some(&Degradation::None));
        // If each frame takes a second, the time counts, not the number of frames.
        let (mut slow, mut frames) = (LoadWatcher::default(), 0);
        while slow.degradation() != Degradation::Rate {
            slow.took(Duration::from_secs(1), period);
            frames += 1;
        }
        assert!((6..=12).contains(&frames), "{frames} s");
        // One slow frame has no effect.
        watcher.took(Duration::from_millis(200), period);
        assert!(run(&mut watcher, 5, 3).iter().all(|it| *it == Degradation::None));
    }
}
