//! The playback position: the current media time, and the position in a recording.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;

/// See the module documentation.
#[derive(Debug, Default)]
pub(in crate::player) struct PlayTimeline {
    /// A recording's own time minus media time, in milliseconds.
    origin: AtomicI64,
    /// The current media time.
    position: AtomicI64,
    /// Counter that changes before and after each start or resumption; see `begin_at`.
    begun: AtomicU32,
    /// The length of a recording in milliseconds; 0 if unknown.
    duration: AtomicU64,
    /// Start of the pass that is being read, in milliseconds since playback began.
    round: AtomicU64,
}

impl PlayTimeline {
    /// Sets the current media time.
    pub(in crate::player) fn set_position(&self, at: Timestamp) {
        self.position.store(at.as_micros(), Ordering::Release);
    }

    /// Returns the last media time that was set.
    pub(in crate::player) fn position(&self) -> Timestamp {
        Timestamp::from_micros(self.position.load(Ordering::Acquire))
    }

    /// Records that playback starts or resumes at this media time. The counter of starts changes
    /// before and after the position, so that a reader of both values never takes a jump for
    /// elapsed time.
    pub(in crate::player) fn begin_at(&self, at: Timestamp) {
        self.begun.fetch_add(1, Ordering::Release);
        self.set_position(at);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// Returns the counter of starts.
    pub(in crate::player) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    /// Returns the position in the recording.
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

    /// Sets the start of the pass that is being read, as the time since playback began.
    pub(in crate::player) fn set_round(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.round.store(millis, Ordering::Relaxed);
    }

    /// Returns true if the pass that is being read is later than the pass that plays.
    pub(in crate::player) fn is_read_beyond(&self) -> bool {
        self.place() < Duration::from_millis(self.round.load(Ordering::Relaxed))
    }

    /// Defines the media time `media` at which the position `own_ms` milliseconds after the start of
    /// a recording plays.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.origin.store(own_ms - media.as_millis(), Ordering::Relaxed);
    }
}
