//! The console or terminal from which the program was started.

#[cfg(windows)]
pub use crate::system::console::{attach, show_error, show_errors};

/// Does nothing: a program has the terminal from which it was started.
#[cfg(not(windows))]
pub fn attach() {}

/// Does nothing: the desktop keeps in its journal what a program prints.
#[cfg(not(windows))]
pub fn show_errors() {}

/// Does nothing: see [`show_errors`].
#[cfg(not(windows))]
pub fn show_error(_text: &str) {}
