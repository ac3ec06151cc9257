//! The playback position: the present media time, and the position in a recording.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::player) struct PlayTimeline {
    /// Milliseconds of a recording's own time, less media time.
    origin: AtomicI64,
    /// The present media time.
    position: AtomicI64,
    /// The number of starts and resumptions.
    begun: AtomicU32,
    /// The length of a recording in milliseconds; 0 if unknown.
    duration: AtomicU64,
    /// The beginning of the loop that is being read, in milliseconds of the recording.
    round: AtomicU64,
}

impl PlayTimeline {
    /// The present media time.
    pub(in crate::player) fn set_position(&self, at: Timestamp) {
        self.position.store(at.as_micros(), Ordering::Release);
    }

    /// The last reported value.
    pub(in crate::player) fn position(&self) -> Timestamp {
        Timestamp::from_micros(self.position.load(Ordering::Acquire))
    }

    /// Playback begins or resumes there, possibly elsewhere. Counted before and after, so that a
    /// reader of both never takes a jump for elapsed time.
    pub(in crate::player) fn begin_at(&self, at: Timestamp) {
        self.begun.fetch_add(1, Ordering::Release);
        self.set_position(at);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// Another number each time that it did.
    pub(in crate::player) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    /// The position in the recording.
    pub(in crate::player) fn place(&self) -> Duration {
        let origin = self.origin.load(Ordering::Relaxed);
        let millis = self.position().as_millis().saturating_add(origin);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    pub(in crate::player) fn set_duration(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(0);
        self.duration.store(millis, Ordering::Relaxed);
    }

    pub(in crate::player) fn duration(&self) -> Option<Duration> {
        let millis = self.duration.load(Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// The next loop of a file begins this long after playback began.
    pub(in crate::player) fn set_round(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.round.store(millis, Ordering::Relaxed);
    }

    /// Whether another loop is being read than the one that plays.
    pub(in crate::player) fn is_read_beyond(&self) -> bool {
        self.place() < Duration::from_millis(self.round.load(Ordering::Relaxed))
    }

    /// The position this many milliseconds after the beginning of a recording plays at `media`.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.origin.store(own_ms - media.as_millis(), Ordering::Relaxed);
    }
}
