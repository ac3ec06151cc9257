//! The end of a player: its threads stop, and it shows no more frames.

use parking_lot::Mutex;

use crate::base::{Latest, Stop};
use crate::media::VideoFrame;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct Lifetime {
    /// The stop signal of all threads.
    pub(crate) stop: Stop,
    /// Wakes a feed that waits for the network, see `feed`.
    pub(crate) stopping: tokio::sync::Notify,
    /// True until the end is requested. It is locked while a frame goes to the screen: once this
    /// player has ended, the screen may belong to another one.
    showing: Mutex<bool>,
}

impl Default for Lifetime {
    fn default() -> Self {
        let (stop, stopping) = (Stop::new(), tokio::sync::Notify::new());
        Self { stop, stopping, showing: Mutex::new(true) }
    }
}

impl Lifetime {
    /// Stops all threads. Nothing is shown from now on.
    pub(crate) fn end(&self) {
        *self.showing.lock() = false;
        self.stop.set();
        self.stopping.notify_one();
    }

    /// Shows a frame, unless the end was requested.
    pub(crate) fn show(&self, screen: &Latest<VideoFrame>, frame: VideoFrame) {
        let showing = self.showing.lock();
        if *showing {
            screen.publish(frame);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::{Color, Planes, Size};

    #[test]
    fn who_is_asked_to_end_leaves_no_frame_behind() {
        let lifetime = Lifetime::default();
        let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(2, 2))));
        let frame = || VideoFrame {
            pts: Timestamp::ZERO,
            color: Color::PROGRAM,
            surface: Arc::clone(&planes).into(),
        };
        let slot = Latest::default();
        lifetime.show(&slot, frame());
        assert!(slot.get().is_some());
        lifetime.end();
        slot.clear();
        lifetime.show(&slot, frame());
        assert!(slot.get().is_none());
    }
}
