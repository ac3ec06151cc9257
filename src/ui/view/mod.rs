//! What every screen is handed: the look, the words, the studio as it is; and what it hands back.

pub mod file_request;

use std::path::PathBuf;

use crate::compose::filter::Asset;
use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::notices::health::Health;
use crate::studio::settings::ProjectorPlace;
use crate::studio::settings::part::PartKind;
use crate::studio::{Command, Remedy, Snapshot};
use crate::ui::input::actions::Action;
use crate::ui::style::theme::Theme;
use crate::ui::text::Texts;
use crate::ui::view::file_request::{FileRequest, FilterFile, Then, TransitionFile};

/// What draws the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renderer {
    /// As the driver calls itself; empty: not known.
    pub name: String,
    /// The processor draws.
    pub software: bool,
}

/// What a person asks for: of the studio, or of the window's surroundings.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowRequest {
    Command(Command),
    /// A command of the window: the screen does it itself.
    Act(Action),
    /// Open a projector: the screen does that itself, too.
    Project(ProjectorPlace),
    CloseProjector(ProjectorPlace),
    /// Ask for a file or folder and put it into this scene.
    PickSource(FileRequest, SceneId),
    /// Ask for a file or folder that this source shows from now on; the dialog begins where it was.
    PickAnother(FileRequest, SourceId, Option<PathBuf>),
    /// Ask for files that a source plays or shows after its first one.
    PickThen(Then, Option<PathBuf>),
    /// Ask for a file for this filter; the dialog begins where it was.
    PickFilterFile(Asset, FilterFile, Option<PathBuf>),
    /// Ask for a file for the transition: a gray frame, or a clip; or for a folder of frames; the dialog
    /// begins where it was.
    PickTransitionFile(TransitionFile, Option<PathBuf>),
    /// Ask for a file of scenes and take it in.
    PickScenes,
    /// Ask for a file and write the scenes into it.
    SaveScenes,
    /// Show the collections and profiles: the screen does that itself.
    ShowParts,
    /// Ask for the file of a collection or profile and add it, with the stream key that is in it or without.
    PickPart(PartKind, bool),
    /// Ask for a file and write the collection or profile of this name into it.
    SavePart(PartKind, String),
    /// Ask for a file of audio for this strip, or for a new one.
    PickStripFile(Option<StripId>),
    /// Ask for a file and show it in the player.
    PickWatchFile,
    /// Ask for a media file to be sent as it is.
    PickPassthrough,
    /// Do what this button promises: the screen does that itself.
    Help(Remedy),
    /// These were chosen in onair's own chooser, or nothing.
    FilesChosen(Option<Vec<PathBuf>>),
    /// The desktop's file dialog does not answer: open onair's own.
    OwnFileChooser,
    /// Ask for the folder of recordings.
    PickRecordingFolder,
    /// Record into a new file in the folder of recordings.
    Record,
    /// Save the replay buffer into a new file in the folder of recordings.
    SaveReplay,
    /// Save the frame that is sent into a new file in the folder of recordings.
    Snapshot,
    /// Save the frame that is watched into a new file in the folder of recordings.
    WatchSnapshot,
    /// Record what is watched into a new file there.
    WatchSave,
    /// Fill the screen, or do not.
    FullScreen(bool),
    /// Ask the clipboard for its text; it comes as a paste.
    Paste,
    /// End the program.
    Quit,
    /// The preferences changed: keep them.
    Preferences,
}

/// One look at everything, for the time of one frame.
#[derive(Debug)]
pub struct View<'a> {
    pub theme: &'a Theme,
    pub texts: &'a Texts,
    pub snapshot: &'a Snapshot,
    /// What the health bar says of it.
    pub health: &'a Health,
    pub wishes: &'a mut Vec<WindowRequest>,
}

impl View<'_> {
    /// Asks the studio for something.
    pub fn send(&mut self, command: Command) {
        self.wishes.push(WindowRequest::Command(command));
    }

    /// Asks the surroundings for something.
    pub fn wish(&mut self, wish: WindowRequest) {
        self.wishes.push(wish);
    }
}
