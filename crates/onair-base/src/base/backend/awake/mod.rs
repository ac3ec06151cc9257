//! Keeps the computer awake.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub use linux::hold_awake;
#[cfg(windows)]
pub use windows::hold_awake;
