//! The compositor's end of sources whose pictures stand until another one comes: an image, a text, a
//! screen. Nothing costs anything while nothing changes: the same planes are handed out again.

use std::sync::Arc;

use super::source::Source;
use crate::base::{Latest, Pooled, Timestamp, Worker};
use crate::media::source::Status;
use crate::media::{Color, Planes, VideoFeed, VideoFrame};

/// Shows what its worker put there last, for as long as it stands there.
pub(super) struct Board {
    pub(super) latest: Latest<VideoFrame>,
    /// Ends when the feed is dropped.
    pub(super) _worker: Option<Worker>,
}

impl VideoFeed for Board {
    fn picture(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.latest.get().map(|frame| VideoFrame { pts: at, ..frame })
    }
}

/// A picture in the program's colours; whoever shows it stamps it.
pub(super) fn frame(planes: impl Into<Arc<Pooled<Planes>>>) -> VideoFrame {
    VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, planes: planes.into() }
}

/// A source of one picture that never changes.
pub(super) fn still(planes: Planes, status: Arc<Status>) -> Source {
    let latest = Latest::default();
    latest.publish(frame(Pooled::unpooled(planes)));
    Source { feed: Box::new(Board { latest, _worker: None }), status }
}
