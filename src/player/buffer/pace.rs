//! How what comes is to be played: live, recorded, or followed near its end.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How what comes is to be played.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum PlayPace {
    /// As it comes: a broadcast.
    Live,
    /// As its own times say, from the beginning: a file.
    Recorded,
    /// As its own times say, near the end of what there is.
    Followed(LiveDistance),
}

/// Where to be in what is followed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) struct LiveDistance {
    /// So far from the end of what there is.
    pub hold_back: Duration,
    /// As the server wants it: less, where the person wants more to be kept back.
    pub least: Duration,
    /// From the first frame on, and again after a break, instead of being led there.
    pub at_once: bool,
}

/// How much the person wants to be kept back. It may change while a stream is pulled.
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
