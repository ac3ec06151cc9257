//! Where a player is: the media time that is seen and heard, and what that is in a recording.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::Timestamp;

/// See the module.
#[derive(Debug, Default)]
pub(in crate::player) struct PlayTimeline {
    /// Milliseconds of a recording's own time, less media time.
    origin: AtomicI64,
    /// Media time that is seen and heard.
    position: AtomicI64,
    /// How often playing has begun or gone on.
    begun: AtomicU32,
    /// How long a recording is, in milliseconds; 0 where that is not known.
    duration: AtomicU64,
    /// Where the round through a file begins that is being read, in milliseconds of the recording.
    round: AtomicU64,
}

impl PlayTimeline {
    /// Media time that is seen and heard.
    pub(in crate::player) fn set_position(&self, at: Timestamp) {
        self.position.store(at.as_micros(), Ordering::Release);
    }

    /// As last told.
    pub(in crate::player) fn position(&self) -> Timestamp {
        Timestamp::from_micros(self.position.load(Ordering::Acquire))
    }

    /// Playing begins or continues there, maybe elsewhere than it was. Counted before and after, so that
    /// who looks at the position first and then here never takes a jump for time that passed.
    pub(in crate::player) fn begin_at(&self, at: Timestamp) {
        self.begun.fetch_add(1, Ordering::Release);
        self.set_position(at);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// Another number each time that it did.
    pub(in crate::player) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    /// Where in the recording it is.
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

    /// What comes now of a file that goes around begins this long after it began to be played.
    pub(in crate::player) fn set_round(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.round.store(millis, Ordering::Relaxed);
    }

    /// Whether what is being read is of another round than what is played.
    pub(in crate::player) fn is_read_beyond(&self) -> bool {
        self.place() < Duration::from_millis(self.round.load(Ordering::Relaxed))
    }

    /// What lies this many milliseconds after a recording's beginning was placed at `media`.
    pub(in crate::player) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        self.origin.store(own_ms - media.as_millis(), Ordering::Relaxed);
    }
}
