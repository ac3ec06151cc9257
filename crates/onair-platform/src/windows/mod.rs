//! Windows. `unsafe` calls of the system are allowed here, and nowhere else outside `backend/` folders.

pub mod child_process;
pub mod clocks;
pub mod code_pages;
pub mod console;
pub mod desktop;
pub mod disk;
pub mod errors;
pub mod files;
pub mod local_socket;
pub mod names;
mod pipe;
pub mod process;
pub mod sandbox;
pub mod signals;

use std::ffi::OsStr;
use std::os::windows::ffi::OsStrExt as _;

/// Returns a text for a call of the system, with a zero at its end.
pub fn wide(text: &OsStr) -> Vec<u16> {
    text.encode_wide().chain([0]).collect()
}
