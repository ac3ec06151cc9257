//! Notices in the window: their texts, their buttons, the tray with all of them, and the cards over
//! a player's frame.

mod card;
mod diagnostics;
mod remedy;
mod tray;

pub use card::{Card, watch_cards};
pub use remedy::{apply, is_final, remedy_name, words};
pub use tray::{TrayRequest, tray};
