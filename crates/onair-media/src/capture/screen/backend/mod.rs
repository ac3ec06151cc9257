//! The display systems.

#[cfg(all(target_os = "linux", not(feature = "wayland")))]
pub(in crate::capture) mod no_portal;
#[cfg(all(target_os = "linux", feature = "wayland"))]
pub(in crate::capture) mod portal;
#[cfg(target_os = "linux")]
mod session;
#[cfg(target_os = "linux")]
pub(in crate::capture) mod shared_memory;
#[cfg(windows)]
mod windows;
#[cfg(target_os = "linux")]
pub(in crate::capture) mod x11;

#[cfg(target_os = "linux")]
pub(in crate::capture) use session::{screens, sharing};
#[cfg(windows)]
pub(in crate::capture) use windows::{FrontConnection, screens, sharing};
#[cfg(target_os = "linux")]
pub(in crate::capture) use x11::FrontConnection;
