//! The pace of playback: live, recorded, or near the end of a growing stream.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The pace of playback.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlayPace {
    /// A broadcast plays as it arrives.
    Live,
    /// A file plays by its own timestamps from the beginning.
    Recorded,
    /// A growing stream plays by its own timestamps, near its end.
    Followed(LiveDistance),
}

/// The distance of playback from the end of a growing stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveDistance {
    /// The distance in media time.
    pub hold_back: Duration,
    /// The server's minimum distance; `hold_back` is larger if the user chose a larger buffer.
    pub least: Duration,
    /// True if the distance applies from the first frame and again after a stall, instead of being
    /// approached gradually.
    pub at_once: bool,
}

/// The buffer that the user chose. It can change during playback.
#[derive(Debug, Default)]
pub(crate) struct BufferTarget(AtomicU64);

impl BufferTarget {
    pub fn new(buffer: Duration) -> Self {
        let wanted = Self::default();
        wanted.set(buffer);
        wanted
    }

    pub fn set(&self, buffer: Duration) {
        self.0.store(u64::try_from(buffer.as_millis()).unwrap_or(0), Ordering::Relaxed);
    }

    pub fn get(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}
