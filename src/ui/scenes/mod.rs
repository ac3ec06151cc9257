//! Scenes in the window: their list, the items of the selected scene, editing on the canvas, and
//! the settings of an item.

pub mod add_source;
pub mod canvas;
mod clipboard;
pub mod collections;
pub mod commands;
mod draft;
pub mod inspector;
pub mod kind;
pub mod left_panel;
pub(in crate::ui) mod menu;
mod placement;
pub mod playback_bar;
mod source;
pub mod transition;

use crate::capture::VideoChoice;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::text::Texts;
use crate::ui::view::View;

pub use draft::{Draft, TransitionScope};

/// Returns the command that adds the test pattern on top of the current scene.
pub fn test_pattern(texts: &Texts, snapshot: &Snapshot) -> Command {
    let scene = snapshot.scenes.collection.current;
    let name = texts.get("test-pattern").to_string();
    Command::EditProgram(Edit::AddSource { scene, name, choice: VideoChoice::Test })
}

/// Shows the test pattern.
pub fn show_test_pattern(view: &mut View<'_>) {
    let command = test_pattern(view.texts, view.snapshot);
    view.send(command);
}
