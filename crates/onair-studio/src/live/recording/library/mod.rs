//! The recordings folder: the list of recordings, the contents of each file, and actions on a file.
//! While the list is displayed, two threads work: one reads (the data can be hostile, so this
//! thread may write nothing), and the other changes files, one at a time. While the list is hidden,
//! no thread runs, unless a change is still in progress.

mod backend;
pub mod change;
pub mod details;
mod reading;
pub mod view;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::broadcast::recorder::remux::Cut;
use crate::studio::live::recording::library::change::Changes;
use crate::studio::live::recording::library::reading::{KnownFiles, Reading};
use crate::studio::live::recording::library::view::RecordingsView;

/// The commands for recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingsCommand {
    /// The list is displayed: the folder is read, and watched until [`Close`](Self::Close).
    Open,
    /// The list is no longer displayed.
    Close,
    /// Lists more of the older recordings, until [`Close`](Self::Close).
    ListMore,
    /// Shows the frame of a recording at this time: the last keyframe at or before the time.
    FrameAt(PathBuf, Duration),
    /// Renames a recording; its extension stays.
    Rename(PathBuf, String),
    /// Shows a recording in the desktop's file manager.
    ShowInFolder(PathBuf),
    /// Moves a recording to the desktop's trash.
    Trash(PathBuf),
    /// Copies a part of a recording, or all of it, to a new file in the same folder, without
    /// encoding. The extension determines the format.
    Copy { from: PathBuf, to: PathBuf, part: Cut },
    /// Completes a recording that was interrupted: in place, or as `NAME-repaired` next to it.
    Repair(PathBuf),
    /// Stops the copy; the part that was written is removed.
    StopCopy,
}

impl RecordingsCommand {
    /// Returns the file that the command changes in place.
    pub(crate) fn changed_file(&self) -> Option<&Path> {
        match self {
            Self::Rename(path, _) | Self::Trash(path) | Self::Repair(path) => Some(path),
            _ => None,
        }
    }
}

/// The recordings of the studio; see the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Library {
    reading: Option<Reading>,
    known: KnownFiles,
    changes: Changes,
    view: Arc<RecordingsView>,
}

impl Library {
    /// Executes a command. The recordings are in `folder`.
    pub fn handle(&mut self, command: RecordingsCommand, folder: &Path) {
        match command {
            RecordingsCommand::Open => self.open(folder),
            RecordingsCommand::Close => {
                self.reading = None;
                let RecordingsView { copy, outcome, .. } = (*self.view).clone();
                self.view = Arc::new(RecordingsView { copy, outcome, ..RecordingsView::default() });
            }
            RecordingsCommand::ListMore => {
                if let Some(reading) = &self.reading {
                    reading.list_more();
                }
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
            RecordingsCommand::Repair(path) => self.changes.repair(path),
            RecordingsCommand::StopCopy => self.changes.stop_copy(),
        }
    }

    /// Refuses a command for a file that is still being written. The window offers no repair of it.
    pub fn refuse(&self, command: &RecordingsCommand) {
        match command {
            RecordingsCommand::Rename(path, _) => self.changes.refuse_to_rename(path),
            RecordingsCommand::Trash(path) => self.changes.refuse_to_trash(path),
            _ => {}
        }
    }

    fn open(&mut self, folder: &Path) {
        if self.reading.as_ref().is_some_and(|reading| reading.is_of(folder)) {
            return;
        }
        self.reading = Reading::start(folder, KnownFiles::clone(&self.known));
    }

    /// Takes the results of the threads. If `folder`, the current recordings folder, has changed,
    /// the open list is read again from there.
    pub fn poll(&mut self, folder: &Path) {
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

    /// Returns the current view for the window.
    pub fn view(&self) -> Arc<RecordingsView> {
        Arc::clone(&self.view)
    }

    /// Returns true if no change is in progress. Otherwise requests that a running copy or repair
    /// stops.
    pub fn is_over(&self) -> bool {
        self.changes.stop_copy();
        self.changes.is_idle()
    }
}
