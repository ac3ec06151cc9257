//! The desktop's interface for notifications and the tray icon.

#[cfg(target_os = "linux")]
mod bus;
#[cfg(target_os = "linux")]
mod menu;
#[cfg(target_os = "linux")]
mod status_item;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
pub(super) use bus::serve;
#[cfg(windows)]
pub(super) use windows::serve;
