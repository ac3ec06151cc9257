//! Scenes in the window: their list, the list of what the chosen one shows, changing that on the
//! picture, and the settings of one item.

mod add_source;
pub mod canvas;
mod draft;
pub mod inspector;
pub mod left_panel;
pub mod list;
mod menu;
mod placement;
pub mod playback_bar;
mod source;
pub mod transition;

pub use draft::{Draft, Whose};
