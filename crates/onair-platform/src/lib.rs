//! Everything that onair needs of an operating system, except media devices, which are in the `backend/`
//! folders of their rooms.
//!
//! Each system has a folder with the same modules: `linux/` and `windows/`. The rest of onair names
//! no system: it calls `platform::files::make_private`, and the folder of the system knows whether
//! that means a mode, an access control list or nothing. So a second system costs one folder here
//! and one file in each `backend/`, instead of a condition in each of a hundred files.
//!
//! A function that a system cannot offer returns [`NotOnThisSystem`] (or `None`, where the result
//! is a figure that may be unknown anyway). It must never return a value that looks like a
//! success, because then a promise to the user would be broken without a word: that a recording
//! has room, that a decoder is confined, that a file is private.
//!
//! A trait with an implementation for each system was rejected: there is only ever one system in a
//! program, and the compiler checks that both folders have the same functions, because the check
//! of `packaging/windows.sh` compiles the whole workspace.
//!
//! This crate knows no texts and no other room, so that it can be the lowest floor.

pub mod console;
pub mod disk;
mod file_name;
#[cfg(target_os = "linux")]
mod linux;
mod not_on_this_system;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(windows)]
use windows as system;

pub use file_name::ForbiddenName;
pub use not_on_this_system::NotOnThisSystem;
pub use system::child_process::launcher;
pub use system::child_process::shared_memory::SharedMemory;
pub use system::code_pages::CodePages;
pub use system::{
    child_process, clocks, errors, files, local_socket, names, process, sandbox, signals,
};

/// Memory that drivers and other processes write to, for the backends of Linux.
#[cfg(target_os = "linux")]
pub use linux::mapping::Mapping;

/// What the backends of Windows need: messages of windows, the state of the computer, and texts for calls of the system.
#[cfg(windows)]
pub use windows::{
    desktop::{messages, power},
    wide,
};

#[cfg(not(any(target_os = "linux", windows)))]
compile_error!("onair does not know this system: it needs a folder beside linux/ and windows/");
