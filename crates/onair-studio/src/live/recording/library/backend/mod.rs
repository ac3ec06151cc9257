//! The file manager and the trash.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::{show, trash_cause};
#[cfg(windows)]
pub use windows::{show, trash_cause};
