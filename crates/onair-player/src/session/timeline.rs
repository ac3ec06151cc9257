//! The playback position: the current media time, and the position in a recording.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;

/// Maximum number of stored origins: more than the segments or parts of a full queue.
const MAX_ORIGINS: usize = 512;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct PlayTimeline {
    /// A recording's own time minus media time in milliseconds, from this media time on. The oldest
    /// entry is first, and applies to earlier media too.
    origins: Mutex<VecDeque<(Timestamp, i64)>>,
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
    pub(crate) fn set_position(&self, at: Timestamp) {
        self.position.store(at.as_micros(), Ordering::Release);
    }

    /// Returns the last media time that was set.
    pub(crate) fn position(&self) -> Timestamp {
        Timestamp::from_micros(self.position.load(Ordering::Acquire))
    }

    /// Records that playback starts or resumes at this media time. The counter of starts changes
    /// before and after the position, so that a reader of both values never takes a jump for
    /// elapsed time.
    pub(crate) fn begin_at(&self, at: Timestamp) {
        self.begun.fetch_add(1, Ordering::Release);
        self.set_position(at);
        self.begun.fetch_add(1, Ordering::Release);
    }

    /// Returns the counter of starts.
    pub(crate) fn begun(&self) -> u32 {
        self.begun.load(Ordering::Acquire)
    }

    /// Returns the position in the recording.
    pub(crate) fn place(&self) -> Duration {
        let position = self.position();
        let origins = self.origins.lock();
        let current = origins.iter().rev().find(|(from, _)| *from <= position);
        let origin = current.or(origins.front()).map_or(0, |(_, origin)| *origin);
        drop(origins);
        let millis = position.as_millis().saturating_add(origin);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }

    pub(crate) fn set_duration(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(0);
        self.duration.store(millis, Ordering::Relaxed);
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        let millis = self.duration.load(Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    /// Sets the start of the pass that is being read, as the time since playback began.
    pub(crate) fn set_round(&self, at: Duration) {
        let millis = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        self.round.store(millis, Ordering::Relaxed);
    }

    /// Returns true if the pass that is being read is later than the pass that plays.
    pub(crate) fn is_read_beyond(&self) -> bool {
        self.place() < Duration::from_millis(self.round.load(Ordering::Relaxed))
    }

    /// Defines the media time `media` at which the position `own_ms` milliseconds after the start of
    /// a recording plays.
    pub(crate) fn set_origin(&self, own_ms: i64, media: Timestamp) {
        let mut origins = self.origins.lock();
        origins.clear();
        origins.push_back((media, own_ms.saturating_sub(media.as_millis())));
    }

    /// Works like [`set_origin`](Self::set_origin), but from `media` on. Earlier media keeps its
    /// position.
    pub(crate) fn add_origin(&self, own_ms: i64, media: Timestamp) {
        let origin = own_ms.saturating_sub(media.as_millis());
        let mut origins = self.origins.lock();
        origins.retain(|(from, _)| *from < media);
        if origins.back().is_some_and(|(_, last)| *last == origin) {
            return;
        }
        if origins.len() >= MAX_ORIGINS {
            origins.pop_front();
        }
        origins.push_back((media, origin));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_added_origin_applies_from_its_media_time_on() {
        let (timeline, at) = (PlayTimeline::default(), Timestamp::from_millis);
        let place = |ms| {
            timeline.set_position(at(ms));
            timeline.place().as_millis()
        };
        assert_eq!(place(700), 700);
        timeline.set_origin(10_000, at(1_000));
        assert_eq!((place(700), place(2_500)), (9_700, 11_500));
        timeline.add_origin(18_000, at(3_000));
        timeline.add_origin(20_000, at(5_000));
        assert_eq!([2_990, 3_000, 4_990, 5_500].map(place), [11_990, 18_000, 19_990, 20_500]);
        // A seek applies at once.
        timeline.set_origin(60_000, at(9_000));
        assert_eq!((place(8_990), place(9_010)), (59_990, 60_010));
        for origin in 0..1_000 {
            timeline.add_origin(origin * 3_000, at(10_000 + origin * 2_000));
        }
        assert_eq!(place(10_000 + 999 * 2_000), 999 * 3_000);
        assert_eq!(timeline.origins.lock().len(), MAX_ORIGINS);
    }
}
