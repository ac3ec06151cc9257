//! Scenes in the window: their list, the list of what the chosen one shows, changing that on the
//! picture, and the settings of one item.

mod adding;
mod camera;
pub mod canvas;
mod clips;
mod draft;
pub mod filters;
mod handles;
mod instead;
pub mod list;
mod menu;
mod parts;
mod place;
pub mod properties;
mod shows;
pub mod source;
pub mod transition;
pub mod transport;

pub use draft::{Draft, Whose};
