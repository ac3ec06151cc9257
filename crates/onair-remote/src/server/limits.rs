//! The limits of one connection.

use std::time::Duration;

use crate::base::Timestamp;

/// Maximum number of connections.
pub const MAX_CLIENTS: usize = 16;
/// Maximum length of a message of a client in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// The time in which a client must identify itself.
pub const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that acknowledges no data for this long has left.
pub const UNACKNOWLEDGED_TIMEOUT: Duration = Duration::from_secs(30);
/// A client that takes no message for this long is disconnected.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of events that wait for a client, named `remote events`. A client with more is
/// disconnected.
pub const MAX_WAITING_EVENTS: usize = 512;
/// Maximum number of batches of a client at the same time. Further ones are refused.
pub const MAX_RUNNING_BATCHES: usize = 8;
/// Maximum time to wait for the studio to execute the commands of a request.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest sleep of a batch.
pub const MAX_SLEEP_MILLIS: f64 = 50_000.0;
/// The most frames that a batch can sleep.
pub const MAX_SLEEP_FRAMES: f64 = 10_000.0;

/// Maximum time to wait for the screenshots of other requests, of which one is made at a time.
pub const WORK_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size in bytes of the answers of a batch.
pub const MAX_BATCH_ANSWER_BYTES: usize = 32 << 20;
/// Maximum total sleep of a batch.
pub const MAX_BATCH_SLEEP: Duration = Duration::from_secs(120);
/// Maximum size in bytes of an event that a client sends to all clients.
pub const MAX_CUSTOM_EVENT_BYTES: usize = 64 << 10;
/// Maximum number of connections of one address that have not proven the password. An older one
/// makes room for a new one.
pub const MAX_UNKNOWN_PER_ADDRESS: usize = 4;

/// The number of events that clients may send to all clients at once.
const MAX_BURST_CUSTOM_EVENTS: f64 = 60.0;
/// The number of such events per second.
const CUSTOM_EVENTS_PER_SECOND: f64 = 20.0;
/// The number of requests that a client may send at once.
const MAX_BURST_REQUESTS: f64 = 1_000.0;
/// The number of requests per second of a client that sends without a pause. More requests wait.
const MAX_REQUESTS_PER_SECOND: f64 = 400.0;

/// Limits how often something happens: at once, and per second.
#[derive(Debug)]
pub struct Rate {
    /// The number that is possible at once.
    burst: f64,
    per_second: f64,
    /// The number that is possible now. It is negative if some have to wait.
    left: f64,
    at: Timestamp,
}

impl Rate {
    /// Creates the limit of the requests of a client.
    pub fn of_requests(now: Timestamp) -> Self {
        Self::new(MAX_BURST_REQUESTS, MAX_REQUESTS_PER_SECOND, now)
    }

    /// Creates the limit of the events that clients send to all clients. A client has places for few waiting events.
    pub fn of_custom_events(now: Timestamp) -> Self {
        Self::new(MAX_BURST_CUSTOM_EVENTS, CUSTOM_EVENTS_PER_SECOND, now)
    }

    fn new(burst: f64, per_second: f64, now: Timestamp) -> Self {
        Self { burst, per_second, left: burst, at: now }
    }

    /// Takes account of requests, and returns the time to wait before they are executed.
    pub fn wait_for(&mut self, requests: usize, now: Timestamp) -> Duration {
        self.gain(now);
        self.left -= requests.max(1) as f64;
        let missing = (-self.left).max(0.0) / self.per_second;
        Duration::from_secs_f64(missing.min(60.0))
    }

    /// Takes account of an event. Returns false if there are too many.
    pub fn admits(&mut self, now: Timestamp) -> bool {
        self.gain(now);
        let admits = self.left >= 1.0;
        if admits {
            self.left -= 1.0;
        }
        admits
    }

    fn gain(&mut self, now: Timestamp) {
        let gained = now.since(self.at).as_secs_f64() * self.per_second;
        (self.left, self.at) = ((self.left + gained).min(self.burst), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_events_beyond_the_burst_are_refused_until_time_has_passed() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let mut rate = Rate::of_custom_events(at(0));
        assert_eq!((0..100).filter(|_| rate.admits(at(0))).count(), 60);
        assert!(!rate.admits(at(49)));
        assert!(rate.admits(at(100)) && rate.admits(at(101)) && !rate.admits(at(102)));
    }

    #[test]
    fn a_flood_waits_and_a_pause_pays_it_off() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let mut rate = Rate::of_requests(at(0));
        assert_eq!(rate.wait_for(1_000, at(0)), Duration::ZERO);
        assert_eq!(rate.wait_for(40, at(0)), Duration::from_millis(100));
        assert_eq!(rate.wait_for(40, at(100)), Duration::from_millis(100));
        assert_eq!(rate.wait_for(0, at(60_000)), Duration::ZERO);
        assert_eq!(rate.wait_for(999, at(60_000)), Duration::ZERO);
    }
}
