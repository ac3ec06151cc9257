//! What the studio keeps about scenes and the mixer while it runs: the prepared scene, what can be
//! undone, files in work.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::audio::AudioChoice;
use crate::base::queue::Receiver;
use crate::base::{Timestamp, Worker};
use crate::capture::{CameraControls, Permissions};
use crate::compose::degradation::Degradation;
use crate::compose::scene::SceneId;
use crate::studio::engine::undo_history::UndoHistory;
use crate::studio::scenes::Collection;
use crate::studio::settings::scenes::collection::Import;

/// What of the scenes is not remembered.
#[derive(Debug, Default)]
pub(in crate::studio) struct SceneState {
    /// What is wanted of cameras, and what they have.
    pub(in crate::studio) board: CameraControls,
    /// What the desktop has allowed of screens and windows.
    pub(in crate::studio) permissions: Permissions,
    /// What was last told about the machine not keeping up.
    pub degradation: Degradation,
    pub prepared: Option<SceneId>,
    /// Scenes of which it was told that they have more layers than are drawn, by the names they had then.
    pub crowded: BTreeMap<SceneId, String>,
    /// The audio of what is seen, as the strips were last set by.
    pub sounds: Vec<AudioChoice>,
    pub steps: UndoHistory,
    pub last_edit: Option<Timestamp>,
    /// The collection as the window gets it.
    pub shared: Arc<Collection>,
    /// A file that is being read or written.
    pub file: Option<Receiver<FileDone>>,
    pub workers: Vec<Worker>,
}

/// What became of a file.
#[derive(Debug)]
pub(in crate::studio) enum FileDone {
    Read(PathBuf, Result<Box<Import>, crate::text::Problem>),
    Written(PathBuf, Option<String>),
}
