//! The time that a broadcast has been on air.

use std::time::Duration;

use crate::base::Timestamp;

/// The time since the broadcast first went on air. It includes outages, and targets that were
/// removed or restarted.
#[derive(Debug, Default)]
pub struct TimeOnAir {
    since: Option<Timestamp>,
    pub total: Duration,
}

impl TimeOnAir {
    /// Counts the time up to now. `live_for` is the longest live time of a target. It is zero again
    /// if the first connection was refused after all.
    pub fn count(&mut self, live_for: Duration, is_publishing: bool, now: Timestamp) {
        if live_for.is_zero() {
            *self = Self::default();
        } else if is_publishing {
            let since = *self.since.get_or_insert(now - live_for);
            self.total = now.since(since);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_on_air_goes_on_if_the_target_with_the_longest_live_time_begins_again() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut time = TimeOnAir::default();
        let mut count = |live_for, is_publishing, now| {
            time.count(Duration::from_secs(live_for), is_publishing, at(now));
            time.total.as_secs()
        };
        assert_eq!(count(0, true, 5), 0);
        assert_eq!(count(10, true, 20), 10);
        // The target that was live since 10 s restarts at 20 s; another is live since 16 s.
        assert_eq!(count(10, true, 26), 16);
        // All targets have ended, and a recording goes on.
        assert_eq!(count(16, false, 40), 16);
        // A server closed the first connection at once, which was a refusal.
        assert_eq!(count(0, true, 50), 0);
        assert_eq!(count(1, true, 60), 1);
    }
}
