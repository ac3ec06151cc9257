//! The pace of playback: live, recorded, or near the end of a growing stream.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The pace of playback.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum PlayPace {
    /// As it arrives: a broadcast.
    Live,
    /// By its own timestamps from the beginning: a file.
    Recorded,
    /// By its own timestamps, near the end of the stream.
    Followed(LiveDistance),
}

/// The distance to the end of a growing stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) struct LiveDistance {
    /// This far from the end.
    pub hold_back: Duration,
    /// The server's distance, if the user's is larger.
    pub least: Duration,
    /// From the first frame on, and again after a break, instead of being led there.
    pub at_once: bool,
}

/// The user's buffer. It can change during playback.
#[derive(Debug, Default)]
pub(in crate::player) struct BufferTarget(AtomicU64);

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
