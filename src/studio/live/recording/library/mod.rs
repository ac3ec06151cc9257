//! The recordings in the folder of recordings: the list, the contents of each file, and actions on one.
//! Two threads work while somebody looks: one reads (what it reads is hostile, so it may write nothing), one
//! changes files, one at a time. Neither runs while nobody looks and nothing is copied.

pub mod change;
pub mod details;
mod file_manager;
mod reading;
pub mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::broadcast::recorder::remux::Cut;
use crate::studio::live::recording::library::change::Changes;
use crate::studio::live::recording::library::reading::Reading;
use crate::studio::live::recording::library::view::RecordingsView;

/// What is asked of the recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingsCommand {
    /// Somebody looks: the folder is read, and watched until [`Close`](Self::Close).
    Open,
    /// Nobody looks any more.
    Close,
    /// Show the frame at this time of a recording: the keyframe that is not later.
    FrameAt(PathBuf, Duration),
    /// Give a recording another name; its ending stays.
    Rename(PathBuf, String),
    /// Show a recording in the desktop's file manager.
    ShowInFolder(PathBuf),
    /// Move a recording to the desktop's trash.
    Trash(PathBuf),
    /// Copy a part of a recording, or all of it, into a new file beside it, without encoding. The name tells
    /// the format.
    Copy { from: PathBuf, to: PathBuf, part: Cut },
    /// Stop the copy; what is written of it is removed.
    StopCopy,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(in crate::studio) struct Library {
    reading: Option<Reading>,
    changes: Changes,
    view: Arc<RecordingsView>,
}

impl Library {
    /// Does what is asked. The recordings are in `folder`.
    pub(in crate::studio) fn handle(&mut self, command: RecordingsCommand, folder: &Path) {
        match command {
            RecordingsCommand::Open => self.open(folder),
            RecordingsCommand::Close => {
                self.reading = None;
                let RecordingsView { copy, outcome, .. } = (*self.view).clone();
                self.view = Arc::new(RecordingsView { copy, outcome, ..RecordingsView::default() });
            }
            RecordingsCommand::FrameAt(path, at) => {
                if let Some(reading) = &self.reading {
                    reading.frame_at(path, at);
                }
            }
            RecordingsCommand::Rename(path, name) => self.changes.rename(&path, &name),
            RecordingsCommand::ShowInFolder(path) => self.changes.show(path),
            RecordingsCommand::Trash(path) => self.changes.trash(path),
            RecordingsCommand::Copy { from, to, part } => self.changes.copy(from, to, part),
            RecordingsCommand::StopCopy => self.changes.stop_copy(),
        }
    }

    fn open(&mut self, folder: &Path) {
        if self.reading.as_ref().is_some_and(|reading| reading.is_of(folder)) {
            return;
        }
        self.reading = Reading::start(folder);
    }

    /// Looks at what the threads did; the folder may be another one by now.
    pub(in crate::studio) fn poll(&mut self, folder: &Path) {
        if self.reading.is_some() {
            self.open(folder);
        }
        let listed = self.reading.as_mut().and_then(Reading::news);
        let (copy, outcome) = self.changes.poll();
        if outcome != self.view.outcome
            && let Some(reading) = &self.reading
        {
            reading.look_again();
        }
        if listed.is_none() && copy == self.view.copy && outcome == self.view.outcome {
            return;
        }
        let before = listed.unwrap_or_else(|| (*self.view).clone());
        self.view = Arc::new(RecordingsView { copy, outcome, ..before });
    }

    /// As it was seen last.
    pub(in crate::studio) fn view(&self) -> Arc<RecordingsView> {
        Arc::clone(&self.view)
    }

    /// Returns true if nothing is being changed any more; asks a copy to stop.
    pub(in crate::studio) fn is_over(&self) -> bool {
        self.changes.stop_copy();
        self.changes.is_idle()
    }
}
