//! The interface between a screen and its environment. The theme, the texts and the snapshot are
//! its inputs, and requests are its output.

pub mod file_request;

use std::path::PathBuf;

use crate::compose::filter::Asset;
use crate::compose::scene::{SceneId, SourceId};
use crate::mix::StripId;
use crate::studio::notices::health::Health;
use crate::studio::settings::ProjectorPlace;
use crate::studio::settings::part::PartKind;
use crate::studio::{Command, Snapshot};
use crate::ui::input::actions::Action;
use crate::ui::input::named::AnyCommand;
use crate::ui::style::theme::Theme;
use crate::ui::text::Texts;
use crate::ui::view::file_request::{FileRequest, FilterFile, PlaylistRequest, TransitionFile};

/// The renderer of the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renderer {
    /// The name that the driver reports; empty if unknown.
    pub name: String,
    /// True if the processor renders the window.
    pub software: bool,
}

/// A request of the user, to the studio or to the environment of the window.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all requests are commands")]
pub enum WindowRequest {
    Command(Command),
    /// Executes a command of the window. The screen handles this request itself.
    Act(Action),
    /// Executes a command whose hotkey was pressed in another window of onair. The screen handles
    /// this request itself.
    Run(AnyCommand),
    /// Opens a projector. The screen handles this request itself.
    Project(ProjectorPlace),
    CloseProjector(ProjectorPlace),
    /// Lets the user choose a file or folder, and adds it to this scene.
    PickSource(FileRequest, SceneId),
    /// Lets the user choose another file or folder for this source. The dialog opens in the folder
    /// of the current file.
    PickAnother(FileRequest, SourceId, Option<PathBuf>),
    /// Lets the user choose files that a source plays or shows after its first file.
    PickThen(PlaylistRequest, Option<PathBuf>),
    /// Lets the user choose a file for this filter. The dialog opens in the folder of the current
    /// file.
    PickFilterFile(Asset, FilterFile, Option<PathBuf>),
    /// Lets the user choose a grayscale image, a clip or a folder of images for the transition. The
    /// dialog opens in the folder of the current file.
    PickTransitionFile(TransitionFile, Option<PathBuf>),
    /// Lets the user choose a scene file, and imports it.
    PickScenes,
    /// Lets the user choose a scene file, and adds its scenes to the collection in use.
    PickMoreScenes,
    /// Lets the user choose a file, and writes the scenes into it.
    SaveScenes,
    /// Shows the collections and profiles. The screen handles this request itself.
    ShowParts,
    /// Shows the setting for the replay buffer. The screen handles this request itself.
    ShowReplaySetting,
    /// Shows the panel with the program, and gives it the keyboard focus. The screen handles this
    /// request itself.
    ShowProgram,
    /// Lets the user choose the file of a collection or profile, and adds it with or without its
    /// stream key.
    PickPart(PartKind, bool),
    /// Lets the user choose a file, and writes the collection or profile of this name into it.
    SavePart(PartKind, String),
    /// Lets the user choose an audio file for this strip, or for a new one.
    PickStripFile(Option<StripId>),
    /// Lets the user choose a file, and plays it in the player.
    PickWatchFile,
    /// Lets the user choose a media file for passthrough.
    PickPassthrough,
    /// Plays this recording. The screen handles this request itself.
    PlayRecording(PathBuf),
    /// Selects this recording on its page. The screen handles this request itself.
    ShowRecording(PathBuf),
    /// Reports the files that the user chose in onair's own chooser; `None` if the user canceled
    /// it.
    FilesChosen(Option<Vec<PathBuf>>),
    /// Opens onair's own chooser, because the desktop's file dialog does not respond.
    OwnFileChooser,
    /// Lets the user choose the recordings folder.
    PickRecordingFolder,
    /// Starts recording to a new file in the recordings folder.
    Record,
    /// Saves the replay buffer to a new file in the recordings folder.
    SaveReplay,
    /// Saves the program frame to a new file in the recordings folder.
    Screenshot,
    /// Saves the player's frame to a new file in the recordings folder.
    WatchScreenshot,
    /// Records the watched stream to a new file in the recordings folder.
    WatchSave,
    /// Turns full screen on or off.
    FullScreen(bool),
    /// Requests the text of the clipboard, which arrives as a paste event.
    Paste,
    /// Ends onair.
    Quit,
    /// Stores the changed preferences.
    Preferences,
}

/// The references that a screen needs to draw one frame.
#[derive(Debug)]
pub struct View<'a> {
    pub theme: &'a Theme,
    pub texts: &'a Texts,
    pub snapshot: &'a Snapshot,
    /// The health of the studio, as the health bar shows it.
    pub health: &'a Health,
    pub requests: &'a mut Vec<WindowRequest>,
}

impl View<'_> {
    /// Sends a command to the studio.
    pub fn send(&mut self, command: Command) {
        self.requests.push(WindowRequest::Command(command));
    }

    /// Sends a request to the environment of the window.
    pub fn request(&mut self, request: WindowRequest) {
        self.requests.push(request);
    }
}
