//! The systems that report dragged addresses.

#[cfg(windows)]
mod windows;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(windows)]
pub(super) use windows::DropReceiver;
#[cfg(target_os = "linux")]
pub(super) use x11::DropReceiver;
