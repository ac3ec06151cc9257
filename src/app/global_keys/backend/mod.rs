//! The systems that report keys in other windows: X11 and the portal.

#[cfg(target_os = "linux")]
mod grabs;
#[cfg(target_os = "linux")]
mod keysyms;
#[cfg(target_os = "linux")]
mod portal;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "linux")]
mod x11;

#[cfg(target_os = "linux")]
pub(super) use grabs::{RefusedHotkeys, listen};
#[cfg(target_os = "linux")]
pub(super) use portal::{PortalKeys, WantedKey};
#[cfg(windows)]
pub(super) use windows::{PortalKeys, RefusedHotkeys, WantedKey, listen, watch_key};
#[cfg(target_os = "linux")]
pub(super) use x11::watch_key;
