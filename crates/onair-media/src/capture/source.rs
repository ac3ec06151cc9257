//! The interface of a video source for its owner.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Latest, Pooled, Timestamp, Worker, partial_debug};
use crate::media::source_status::SourceStatus;
use crate::media::{Color, FrameGrid, Planes, Size, Surface, VideoFeed, VideoFrame};
use crate::text::problem::{Problem, problem};

/// The longest time between two requests for frames of a source that is drawn. After a longer time,
/// the source was hidden.
pub(super) const MAX_REQUEST_GAP: Duration = Duration::from_millis(500);

/// The context of a source: the program's clock and format.
#[derive(Copy, Clone, Debug)]
pub struct Context {
    /// The session clock.
    pub clock: Clock,
    /// The frame grid of the program.
    pub grid: FrameGrid,
    /// The size of the program, which is the best size for a source.
    pub size: Size,
}

/// An open (or opening) video source. Dropping the feed closes the source.
pub struct Source {
    /// The feed for the compositor.
    pub feed: Box<dyn VideoFeed>,
    /// State of the source, which can be read at any time, even after the feed was moved.
    pub status: Arc<SourceStatus>,
}

partial_debug!(Source { status });

/// The reason why a source cannot be created. A missing or busy camera is not an error. The
/// source's status reports it, and the source opens the camera as soon as possible.
#[derive(Debug, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub enum Error {
    /// The choice is `none`.
    NoVideo,
    /// The file cannot be played.
    File { path: std::path::PathBuf, reason: Problem },
    /// The system could not start a thread.
    Thread(#[from] std::io::Error),
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoVideo => problem!("source-no-video"),
            Error::File { path, reason } => {
                problem!("source-file", path = path.display().to_string(), reason = reason)
            }
            Error::Thread(error) => problem!("source-no-thread", reason = error.to_string()),
        }
    }
}

/// A camera of this computer.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// An id that is stable across replugging and restarts.
    pub id: String,
    /// The display name.
    pub name: String,
    /// Formats of the camera.
    pub formats: Vec<CameraFormat>,
}

/// A format of a camera.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct CameraFormat {
    /// Width and height.
    pub size: Size,
    /// Frame rate in frames per second.
    pub fps: f64,
    /// The pixel format: `YUYV`, `NV12`, `MJPEG`…
    pub pixel: &'static str,
}

/// A shared setting, whose last value all owners see.
#[derive(Clone, Debug, Default)]
pub struct LiveSetting<T>(Arc<Mutex<T>>);

impl<T: Clone + PartialEq> LiveSetting<T> {
    pub fn new(value: T) -> Self {
        Self(Arc::new(Mutex::new(value)))
    }

    /// Returns the current value.
    pub fn get(&self) -> T {
        self.0.lock().clone()
    }

    /// Changes the value.
    pub fn set(&self, value: T) {
        *self.0.lock() = value;
    }

    /// Returns the new value, if it differs from `before`.
    pub(super) fn change(&self, before: &T) -> Option<T> {
        let now = self.0.lock();
        (*now != *before).then(|| now.clone())
    }

    /// Returns true if there is another owner. Otherwise the value cannot change.
    pub(super) fn is_shared(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

/// A feed that shows the last frame of its worker.
pub(super) struct StillFeed {
    pub(super) latest: Latest<VideoFrame>,
    /// The worker, which ends when the feed is dropped.
    pub(super) _worker: Option<Worker>,
}

impl VideoFeed for StillFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.latest.get().map(|frame| VideoFrame { pts: at, ..frame })
    }
}

/// Makes a frame in the program's color space. The caller sets the timestamp.
pub(super) fn frame(planes: impl Into<Arc<Pooled<Planes>>>) -> VideoFrame {
    VideoFrame {
        pts: Timestamp::ZERO,
        color: Color::PROGRAM,
        surface: Surface::I420(planes.into()),
    }
}

/// Makes a source of one constant frame.
pub(super) fn still(planes: Planes, status: Arc<SourceStatus>) -> Source {
    let latest = Latest::default();
    latest.publish(frame(Pooled::unpooled(planes)));
    Source { feed: Box::new(StillFeed { latest, _worker: None }), status }
}

#[cfg(test)]
mod dial_tests {
    use super::*;

    #[test]
    fn all_see_what_was_set_last() {
        let dial = LiveSetting::new(3);
        assert!(!dial.is_shared());
        let other = dial.clone();
        assert!(dial.is_shared());
        other.set(4);
        assert_eq!((dial.get(), dial.change(&3), dial.change(&4)), (4, Some(4), None));
        drop(other);
        assert!(!dial.is_shared());
    }
}
