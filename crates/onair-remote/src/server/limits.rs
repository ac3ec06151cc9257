//! The limits of one connection.

use std::time::Duration;

use crate::base::Timestamp;

/// Maximum number of connections.
pub const MAX_CLIENTS: usize = 16;
/// Maximum length of a message of a client in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1 << 20;
/// The time in which a client must identify itself.
pub const IDENTIFY_TIMEOUT: Duration = Duration::from_secs(10);
/// A client that takes no message for this long is disconnected.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum number of events that wait for a client, named `remote events`. A client with more is
/// disconnected.
pub const MAX_WAITING_EVENTS: usize = 512;
/// Maximum number of batches of a client at the same time. Further messages wait.
pub const MAX_RUNNING_BATCHES: usize = 8;
/// Maximum time to wait for the studio to execute the commands of a request.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest sleep of a batch.
pub const MAX_SLEEP_MILLIS: f64 = 50_000.0;
/// The most frames that a batch can sleep.
pub const MAX_SLEEP_FRAMES: f64 = 10_000.0;

/// The number of requests that a client may send at once.
const MAX_BURST_REQUESTS: f64 = 1_000.0;
/// The number of requests per second of a client that sends without a pause. More requests wait.
const MAX_REQUESTS_PER_SECOND: f64 = 400.0;

/// Limits the requests per second.
#[derive(Debug)]
pub struct RequestRate {
    /// The number of requests that are possible at once.
    left: f64,
    at: Timestamp,
}

impl RequestRate {
    pub fn new(now: Timestamp) -> Self {
        Self { left: MAX_BURST_REQUESTS, at: now }
    }

    /// Takes account of requests, and returns the time to wait before they are executed.
    pub fn wait_for(&mut self, requests: usize, now: Timestamp) -> Duration {
        let gained = now.since(self.at).as_secs_f64() * MAX_REQUESTS_PER_SECOND;
        self.left = (self.left + gained).min(MAX_BURST_REQUESTS) - requests.max(1) as f64;
        self.at = now;
        let missing = (-self.left).max(0.0) / MAX_REQUESTS_PER_SECOND;
        Duration::from_secs_f64(missing.min(60.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_waits_and_a_pause_pays_it_off() {
        let at = |millis: i64| Timestamp::from_micros(millis * 1_000);
        let mut rate = RequestRate::new(at(0));
        assert_eq!(rate.wait_for(1_000, at(0)), Duration::ZERO);
        assert_eq!(rate.wait_for(40, at(0)), Duration::from_millis(100));
        assert_eq!(rate.wait_for(40, at(100)), Duration::from_millis(100));
        assert_eq!(rate.wait_for(0, at(60_000)), Duration::ZERO);
        assert_eq!(rate.wait_for(999, at(60_000)), Duration::ZERO);
    }
}
