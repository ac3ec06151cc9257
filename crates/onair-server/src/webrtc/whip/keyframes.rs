//! Decides when to ask a publisher for a keyframe. Browsers send no keyframes on their own, but segments and new viewers
//! need them.

use std::time::{Duration, Instant};

/// Minimum interval between requests.
const MIN_REQUEST_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum interval between requests that nobody answers.
const MAX_REQUEST_INTERVAL: Duration = Duration::from_secs(4);
/// Age of a keyframe after which viewers and segments need another one.
const MAX_KEYFRAME_AGE: Duration = Duration::from_secs(2);

/// The requests to one publisher.
#[derive(Debug)]
pub(super) struct KeyframeRequests {
    /// The time at which the last keyframe arrived, or the connection began.
    last_keyframe: Instant,
    last_request: Option<Instant>,
    /// Interval until the next request. It grows while nobody answers.
    interval: Duration,
    /// True if frames are useless until the next keyframe.
    is_urgent: bool,
}

impl KeyframeRequests {
    pub fn new(now: Instant) -> Self {
        let interval = MIN_REQUEST_INTERVAL;
        Self { last_keyframe: now, last_request: None, interval, is_urgent: false }
    }

    /// Records that frames are useless until the next keyframe.
    pub fn lose(&mut self) {
        if !std::mem::replace(&mut self.is_urgent, true) {
            self.interval = MIN_REQUEST_INTERVAL;
        }
    }

    /// Records a keyframe.
    pub fn receive(&mut self, now: Instant) {
        self.last_keyframe = now;
        self.is_urgent = false;
        self.interval = MIN_REQUEST_INTERVAL;
    }

    /// Returns the time of the next request.
    pub fn next(&self) -> Instant {
        let wanted = match self.is_urgent {
            true => self.last_request.unwrap_or(self.last_keyframe),
            false => self.last_keyframe + MAX_KEYFRAME_AGE,
        };
        self.last_request.map_or(wanted, |last| wanted.max(last + self.interval))
    }

    /// Returns true if a request is due, and records it.
    pub fn is_due(&mut self, now: Instant) -> bool {
        if now < self.next() {
            return false;
        }
        if self.last_request.is_some_and(|last| last > self.last_keyframe) {
            self.interval = (self.interval * 2).min(MAX_REQUEST_INTERVAL);
        }
        self.last_request = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the times in ms of the requests during this time, with these keyframes and losses.
    fn requests(millis: u64, keyframes: &[u64], losses: &[u64]) -> Vec<u64> {
        let begun = Instant::now();
        let mut requests = KeyframeRequests::new(begun);
        let mut found = Vec::new();
        for ms in 0..millis {
            let now = begun + Duration::from_millis(ms);
            if keyframes.contains(&ms) {
                requests.receive(now);
            }
            if losses.contains(&ms) {
                requests.lose();
            }
            if requests.is_due(now) {
                found.push(ms);
            }
        }
        found
    }

    #[test]
    fn a_publisher_that_sends_keyframes_is_not_asked() {
        assert!(requests(9_000, &[0, 1_900, 3_800, 5_700, 7_600], &[]).is_empty());
        assert_eq!(requests(2_400, &[0], &[]), [2_000]);
    }

    #[test]
    fn a_loss_is_reported_at_once_but_rarely() {
        let losses: Vec<u64> = (100..3_000).collect();
        let keyframes: Vec<u64> = (0..3_000).step_by(100).collect();
        let asked = requests(3_000, &keyframes, &losses);
        assert_eq!(asked.first(), Some(&100), "{asked:?}");
        assert!(asked.windows(2).all(|two| two[1] - two[0] >= 500), "{asked:?}");
        assert!(asked.len() >= 5, "{asked:?}");
    }

    #[test]
    fn a_publisher_that_does_not_answer_is_asked_less_often() {
        let asked = requests(60_000, &[], &[]);
        let gaps: Vec<u64> = asked.windows(2).map(|two| two[1] - two[0]).collect();
        assert_eq!(gaps[..4], [500, 1_000, 2_000, 4_000]);
        assert!(gaps[4..].iter().all(|gap| *gap == 4_000), "{gaps:?}");
    }
}
