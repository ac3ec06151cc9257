//! The desktop's interface for media keys.

#[cfg(target_os = "linux")]
mod bus;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(super) use bus::serve;
#[cfg(windows)]
pub(super) use windows::serve;
