//! What a picture source is to those who open and own it.

use std::sync::Arc;

use crate::base::Clock;
use crate::media::source::Status;
use crate::media::{FrameGrid, Size, VideoFeed};

/// What a source needs to know of the program.
#[derive(Copy, Clone, Debug)]
pub struct Context {
    /// The session clock.
    pub clock: Clock,
    /// The instants of program pictures.
    pub grid: FrameGrid,
    /// The program's size: what a source delivers at best.
    pub size: Size,
}

/// An open (or opening) picture source. Dropping the feed closes it.
pub struct Source {
    /// For the compositor.
    pub feed: Box<dyn VideoFeed>,
    /// How it fares, readable at any time, also after the feed has been handed over.
    pub status: Arc<Status>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a source cannot even be begun with. A camera that is absent or busy is no error: its status
/// says so, and it is taken when it comes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `none` was chosen.
    #[error("no picture source was chosen")]
    NoPicture,
    /// The file cannot be played.
    #[error("opening {path}: {reason}")]
    File { path: std::path::PathBuf, reason: String },
    /// The system gave no thread.
    #[error("starting a source: {0}")]
    Thread(#[from] std::io::Error),
}

/// A camera of this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct CameraInfo {
    /// Stable over replugging and restarts.
    pub id: String,
    /// For people.
    pub name: String,
    /// What it offers.
    pub formats: Vec<CameraFormat>,
}

/// A format that a camera offers.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct CameraFormat {
    /// Width and height.
    pub size: Size,
    /// Pictures a second.
    pub fps: f64,
    /// How pixels are stored: `YUYV`, `NV12`, `MJPEG`…
    pub pixel: &'static str,
}
