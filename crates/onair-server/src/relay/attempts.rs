//! The order of connection attempts: the addresses of the list one after the other, and a growing
//! wait after each round.

use std::time::Duration;

use crate::base::{Backoff, Timestamp};

/// A connection with media for this long was a success.
const MIN_SUCCESS_DURATION: Duration = Duration::from_secs(10);
/// Maximum number of redirects without a success.
const MAX_REDIRECTS: u32 = 3;
/// How long after the last success a relay waits for another publisher of its name to leave, before it tries the next
/// address. The other publisher can be a server that this one replaces, or the relay's own lost connection.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// The wait before the next attempt at an address with another publisher.
const BUSY_WAIT: Duration = Duration::from_millis(500);

/// The attempts of a relay. This type is pure: the caller waits.
#[derive(Debug)]
pub(crate) struct Attempts {
    targets: usize,
    at: usize,
    /// Failures since the last success.
    failures: usize,
    /// Redirects since the last failure or success.
    redirects: u32,
    /// The time at which a server first had another publisher since the last success.
    busy_since: Option<Timestamp>,
    outage: Timestamp,
    backoff: Backoff,
}

impl Attempts {
    pub const fn new(targets: usize, now: Timestamp, seed: u64) -> Self {
        Self {
            targets,
            at: 0,
            failures: 0,
            redirects: 0,
            busy_since: None,
            outage: now,
            backoff: Backoff::new(seed),
        }
    }

    /// Returns the index in the list of the address to try.
    pub const fn target(&self) -> usize {
        self.at
    }

    /// Returns true if each address has failed since the last success.
    pub const fn has_tried_all(&self) -> bool {
        self.failures >= self.targets
    }

    /// Records a failure; `live_since` is the time of the connection's first media. Returns the
    /// wait before the next address.
    pub fn fail(&mut self, live_since: Option<Timestamp>, now: Timestamp) -> Duration {
        self.note_success(live_since, now);
        self.redirects = 0;
        self.failures += 1;
        self.at = (self.at + 1) % self.targets.max(1);
        if self.failures.is_multiple_of(self.targets.max(1)) {
            return self.backoff.next_wait(now.since(self.outage));
        }
        Duration::ZERO
    }

    /// Records that a server has another publisher of the stream's name. Returns the wait before the same address, or
    /// `None` if this has lasted too long. Then, it is a failure.
    pub fn busy(&mut self, now: Timestamp) -> Option<Duration> {
        let since = *self.busy_since.get_or_insert(now);
        (now.since(since) < BUSY_TIMEOUT).then_some(BUSY_WAIT)
    }

    /// Records that a server redirects the relay; `live_since` is the time of the connection's first
    /// media. Returns false if this is a redirect loop.
    pub fn redirect(&mut self, live_since: Option<Timestamp>, now: Timestamp) -> bool {
        self.note_success(live_since, now);
        self.redirects += 1;
        self.redirects <= MAX_REDIRECTS
    }

    fn note_success(&mut self, live_since: Option<Timestamp>, now: Timestamp) {
        if live_since.is_some_and(|since| now.since(since) >= MIN_SUCCESS_DURATION) {
            self.backoff.reset();
            (self.failures, self.redirects, self.outage) = (0, 0, now);
            self.busy_since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_address_follows_at_once_and_the_next_round_waits() {
        let at = Timestamp::from_millis;
        let mut attempts = Attempts::new(3, at(0), 1);
        let mut targets = Vec::new();
        let mut waits = Vec::new();
        for failure in 0..6 {
            targets.push(attempts.target());
            waits.push(!attempts.fail(None, at(failure * 100)).is_zero());
        }
        assert_eq!(targets, [0, 1, 2, 0, 1, 2]);
        assert_eq!(waits, [false, false, true, false, false, true]);
        assert!(attempts.has_tried_all());
        // A connection that lasted begins a new outage: the next address follows at once.
        assert_eq!(attempts.fail(Some(at(1_000)), at(20_000)), Duration::ZERO);
        assert!(!attempts.has_tried_all());
    }

    #[test]
    fn a_server_that_redirects_now_and_then_is_no_redirect_loop() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut attempts = Attempts::new(1, at(0), 1);
        for day in 1..10 {
            assert!(attempts.redirect(Some(at(day * 86_400 - 3_600)), at(day * 86_400)), "{day}");
        }
        // Without media, two servers may redirect to each other.
        let mut attempts = Attempts::new(1, at(0), 1);
        let followed: Vec<_> = (0..4).map(|second| attempts.redirect(None, at(second))).collect();
        assert_eq!(followed, [true, true, true, false]);
        attempts.fail(None, at(4));
        assert!(attempts.redirect(None, at(5)));
    }

    #[test]
    fn a_publisher_that_still_has_the_name_gets_some_seconds_to_leave() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let mut attempts = Attempts::new(2, at(0), 1);
        assert_eq!(
            [3, 7, 8].map(|second| attempts.busy(at(second)).is_some()),
            [true, true, false]
        );
        attempts.fail(None, at(8));
        assert_eq!((attempts.target(), attempts.busy(at(9))), (1, None));
        attempts.fail(Some(at(10)), at(20));
        assert!(attempts.busy(at(21)).is_some());
    }

    #[test]
    fn the_only_address_is_tried_less_and_less_often() {
        let mut attempts = Attempts::new(1, Timestamp::ZERO, 7);
        let mut now = Timestamp::ZERO;
        let mut last = Duration::ZERO;
        for _ in 0..100 {
            last = attempts.fail(Some(now), now);
            assert!(!last.is_zero() && attempts.target() == 0);
            now += last;
        }
        assert!(last > Duration::from_secs(11), "{last:?}");
    }
}
