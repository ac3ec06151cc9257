//! The recordings as displayed in the window.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::media::VideoFrame;
use crate::studio::live::recording::library::details::Details;
use crate::text::Problem;

/// Maximum number of listed recordings; the details of each are kept in memory.
pub const MAX_LISTED_RECORDINGS: usize = 5_000;

/// All recordings of the folder.
#[derive(Clone, Debug, Default)]
pub struct RecordingsView {
    pub folder: PathBuf,
    /// True if the folder was read.
    pub is_read: bool,
    /// The reason why the folder cannot be read.
    pub problem: Option<Problem>,
    /// The recordings, the newest first.
    pub files: Vec<RecordingFile>,
    /// The number of older recordings that are not listed.
    pub more: usize,
    /// The free space on the disk in bytes.
    pub free: Option<u64>,
    /// The last requested frame.
    pub frame: Option<FrameAt>,
    pub copy: Option<CopyProgress>,
    /// The result of the last change.
    pub outcome: Option<Outcome>,
}

/// One recording.
#[derive(Clone, Debug)]
pub struct RecordingFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// The time of the last modification, in microseconds since the Unix epoch.
    pub wall_micros: i64,
    pub state: FileState,
}

impl RecordingFile {
    /// Returns the name without the folder.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Returns the details, once they are known.
    pub fn details(&self) -> Option<&Details> {
        match &self.state {
            FileState::Known(details) => Some(details),
            _ => None,
        }
    }

    /// Returns true if the recording was interrupted.
    pub fn is_unfinished(&self) -> bool {
        self.details().is_some_and(|details| details.unfinished)
    }
}

/// The known state of a file.
#[derive(Clone, Debug)]
pub enum FileState {
    /// The file has not been read yet.
    Waiting,
    /// The file is being written.
    Changing,
    Known(Arc<Details>),
    Unreadable(Problem),
}

/// A frame of a recording.
#[derive(Clone, Debug)]
pub struct FrameAt {
    pub path: PathBuf,
    /// The requested time.
    pub asked: Duration,
    /// `None` if no frame can be decoded.
    pub frame: Option<VideoFrame>,
}

/// A copy that is being written, or a recording that is being repaired.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyProgress {
    pub from: PathBuf,
    pub to: PathBuf,
    /// The progress from 0 to 1.
    pub share: f32,
    /// True for a repair.
    pub repairs: bool,
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The number of the change, counted from the start.
    pub number: u64,
    /// The changed file, by its previous name.
    pub path: PathBuf,
    /// The resulting file, if there is one.
    pub now: Option<PathBuf>,
    pub failed: bool,
    pub text: Problem,
}
