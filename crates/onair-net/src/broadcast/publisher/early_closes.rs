//! Tells a server that refuses a stream by closing the connection from a server that is lost.
//!
//! Many servers accept every stream, check the key, and then close the connection: some at once,
//! others after several seconds. A server that restarts also closes the connection, but keeps the
//! stream afterwards, or cannot be reached for a while.

use std::time::Duration;

/// A connection that was live for this long counts as stable. No server takes so long to check a
/// key.
pub(super) const MIN_STABLE_DURATION: Duration = Duration::from_secs(10);
/// A server that closes the connection within this time has refused the stream, as nginx-rtmp and
/// several services do.
pub(super) const IMMEDIATE_REFUSAL_LIMIT: Duration = Duration::from_secs(1);

/// The end of one connection attempt.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum ConnectionEnd {
    /// The server closed the connection after the publish request. The time is the time since the
    /// first packet, or zero without packets.
    Closed(Duration),
    /// The connection ended for another reason, or was never established.
    Other,
}

/// Closes of which each comes after the same time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatedCloses {
    /// The number of successive closes.
    pub times: u32,
    /// The time for which the last connection was live.
    pub after: Duration,
}

/// The number of closes that make a pattern.
const MIN_REPEATED_CLOSES: u32 = 3;
/// Shorter connections have other explanations.
const MIN_REPEATED_DURATION: Duration = Duration::from_secs(1);

impl RepeatedCloses {
    /// Adds a close by the server after this time.
    fn add(&mut self, after: Duration) {
        let tolerance = Duration::from_secs(1).max(self.after / 10);
        let is_alike = self.times > 0 && after.abs_diff(self.after) <= tolerance;
        self.times = if is_alike { self.times.saturating_add(1) } else { 1 };
        self.after = after;
    }

    fn is_pattern(&self) -> bool {
        self.times >= MIN_REPEATED_CLOSES && self.after >= MIN_REPEATED_DURATION
    }
}

/// The connections of one publisher that the server closed early. This type is pure.
#[derive(Clone, Debug, Default)]
pub(super) struct EarlyCloses {
    /// True if the server ever kept the stream for [`MIN_STABLE_DURATION`]. It then knows the key.
    has_kept: bool,
    /// True if a connection was ever live and did not end with a refusal.
    was_live: bool,
    /// The number of successive connections that the server closed early.
    early: u32,
    /// The longest time after which a refused stream was closed; `None` if the server does not
    /// refuse the stream.
    refused_after: Option<Duration>,
    /// The last closes by the server.
    repeated: RepeatedCloses,
}

impl EarlyCloses {
    /// Returns the time within which a close by the server is a refusal. The first close counts
    /// only within a moment: a server can restart at any time. If the server closes the next
    /// connection early too, it refuses the stream.
    pub fn refusal_limit(&self) -> Duration {
        match self.early {
            _ if self.has_kept => Duration::ZERO,
            0 if self.was_live => Duration::ZERO,
            0 => IMMEDIATE_REFUSAL_LIMIT,
            _ => MIN_STABLE_DURATION,
        }
    }

    /// Takes the end of a connection that was live for `live`. Returns true if the server refuses
    /// the stream.
    pub fn ended(&mut self, live: Duration, end: ConnectionEnd) -> bool {
        match end {
            ConnectionEnd::Closed(after) if !live.is_zero() => self.repeated.add(after),
            _ => self.repeated = RepeatedCloses::default(),
        }
        let limit = self.refusal_limit();
        if live >= MIN_STABLE_DURATION {
            let repeated = self.repeated;
            *self = Self { has_kept: true, repeated, ..Self::default() };
            return false;
        }
        let ConnectionEnd::Closed(after) = end else {
            (self.early, self.refused_after) = (0, None);
            self.was_live |= !live.is_zero();
            return false;
        };
        self.early = self.early.saturating_add(1);
        let refused = after < limit;
        self.was_live |= !refused && !live.is_zero();
        if refused {
            self.refused_after = self.refused_after.max(Some(after));
        }
        refused
    }

    /// Returns the pattern of the last closes, if each came after the same time.
    pub fn pattern(&self) -> Option<RepeatedCloses> {
        Some(self.repeated).filter(RepeatedCloses::is_pattern)
    }

    /// Returns the time for which the server must keep the next connection before it counts as
    /// live, if the server refused the last one.
    pub fn doubt(&self) -> Option<Duration> {
        self.refused_after.map(|after| {
            if after < IMMEDIATE_REFUSAL_LIMIT {
                IMMEDIATE_REFUSAL_LIMIT
            } else {
                MIN_STABLE_DURATION
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEVER_LIVE: Duration = Duration::ZERO;

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Returns the verdicts for connections that the server closes after these seconds.
    fn closed(early_closes: &mut EarlyCloses, seconds: &[f64]) -> Vec<bool> {
        let after = seconds.iter().map(|it| Duration::from_secs_f64(*it));
        after.map(|after| early_closes.ended(after, ConnectionEnd::Closed(after))).collect()
    }

    #[test]
    fn a_close_at_once_is_a_refusal_and_a_later_one_if_it_is_repeated() {
        let mut at_once = EarlyCloses::default();
        assert_eq!(closed(&mut at_once, &[0.0, 0.3, 0.9]), [true; 3]);
        assert_eq!(at_once.doubt(), Some(IMMEDIATE_REFUSAL_LIMIT));
        let mut late = EarlyCloses::default();
        assert_eq!(closed(&mut late, &[2.0]), [false]);
        assert_eq!(late.doubt(), None);
        assert_eq!(closed(&mut late, &[5.0, 3.0, 9.0]), [true; 3]);
        // The next connection counts as live only after the server has kept it for longer than
        // these.
        assert_eq!(late.doubt(), Some(MIN_STABLE_DURATION));
    }

    #[test]
    fn an_outage_is_not_a_refusal() {
        // The server crashes twice within seconds, but cannot be reached in between.
        let mut crashes = EarlyCloses::default();
        for _ in 0..4 {
            assert_eq!(closed(&mut crashes, &[3.0]), [false]);
            assert!(!crashes.ended(NEVER_LIVE, ConnectionEnd::Other));
        }
        // The network is lost again and again: nobody closes the connection.
        let mut network = EarlyCloses::default();
        assert!((1..9).all(|live| !network.ended(secs(live), ConnectionEnd::Other)));
        // A server that kept the stream once knows the key.
        let mut kept = EarlyCloses::default();
        assert_eq!(closed(&mut kept, &[3.0, 60.0, 0.1, 0.1, 4.0]), [false; 5]);
        let mut lost = EarlyCloses::default();
        assert!(!lost.ended(secs(30), ConnectionEnd::Other));
        assert_eq!(closed(&mut lost, &[0.1, 3.0, 3.0]), [false; 3]);
        // One close soon after a lost network can be the old connection on the server.
        let mut short = EarlyCloses::default();
        assert!(!short.ended(secs(5), ConnectionEnd::Other));
        assert_eq!(closed(&mut short, &[0.1]), [false]);
    }

    #[test]
    fn closes_after_the_same_time_are_a_pattern_until_something_else_ends_a_connection() {
        let mut early_closes = EarlyCloses::default();
        let mut patterns = Vec::new();
        for live in [20.1, 19.8, 20.3, 20.2, 45.0] {
            closed(&mut early_closes, &[live]);
            patterns.push(early_closes.pattern().map(|it| (it.times, it.after.as_secs())));
        }
        assert_eq!(patterns, [None, None, Some((3, 20)), Some((4, 20)), None]);
        closed(&mut early_closes, &[20.0, 20.0, 20.0]);
        assert!(early_closes.pattern().is_some());
        // A server that cannot be reached in between has stopped.
        assert!(!early_closes.ended(NEVER_LIVE, ConnectionEnd::Other));
        assert_eq!(early_closes.pattern(), None);
    }

    #[test]
    fn doubt_ends_when_the_server_keeps_the_stream() {
        let mut early_closes = EarlyCloses::default();
        assert_eq!(closed(&mut early_closes, &[3.0, 3.0]), [false, true]);
        assert!(early_closes.doubt().is_some());
        assert_eq!(closed(&mut early_closes, &[20.0]), [false]);
        assert_eq!(early_closes.doubt(), None);
    }
}
