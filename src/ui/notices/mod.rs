//! Notices in the window: their texts, their buttons, and the tray with all of them.

mod remedy;
mod toast;
mod tray;

pub use remedy::{apply, is_final, remedy_name, words};
pub use toast::Toast;
pub use tray::{TrayRequest, tray};
