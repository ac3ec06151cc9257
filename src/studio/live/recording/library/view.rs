//! The recordings as the window shows them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::media::VideoFrame;
use crate::studio::live::recording::library::details::Details;
use crate::text::Problem;

/// All recordings of the folder.
#[derive(Clone, Debug, Default)]
pub struct RecordingsView {
    pub folder: PathBuf,
    /// The folder was read.
    pub is_read: bool,
    /// Why it cannot be.
    pub problem: Option<Problem>,
    /// The newest first.
    pub files: Vec<RecordingFile>,
    /// How many older ones are not listed.
    pub more: usize,
    /// Bytes that are free on its disk.
    pub free: Option<u64>,
    /// The frame that was asked for last.
    pub frame: Option<FrameAt>,
    pub copy: Option<CopyProgress>,
    /// What became of the last change.
    pub outcome: Option<Outcome>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct RecordingFile {
    pub path: PathBuf,
    pub bytes: u64,
    /// When it was written last, in microseconds since the Unix epoch.
    pub wall_micros: i64,
    pub state: FileState,
}

impl RecordingFile {
    /// Its name without the folder.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What is in it, once that is known.
    pub fn details(&self) -> Option<&Details> {
        match &self.state {
            FileState::Known(details) => Some(details),
            _ => None,
        }
    }
}

/// What is known of a file.
#[derive(Clone, Debug)]
pub enum FileState {
    /// It has not been looked into yet.
    Waiting,
    /// It is being written.
    Changing,
    Known(Arc<Details>),
    Unreadable(Problem),
}

/// A frame of a recording.
#[derive(Clone, Debug)]
pub struct FrameAt {
    pub path: PathBuf,
    /// When it was asked for.
    pub asked: Duration,
    /// `None`: there is none that can be decoded.
    pub frame: Option<VideoFrame>,
}

/// A copy that is being written.
#[derive(Clone, Debug, PartialEq)]
pub struct CopyProgress {
    pub from: PathBuf,
    pub to: PathBuf,
    /// From 0 to 1.
    pub share: f32,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Counts the changes.
    pub number: u64,
    /// The file that it was about, as it was called before.
    pub path: PathBuf,
    /// The file that is there now, if there is one.
    pub now: Option<PathBuf>,
    pub failed: bool,
    pub text: Problem,
}
