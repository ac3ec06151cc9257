//! The camera systems: Video4Linux through nokhwa and directly, a fake for tests; and the display: X11,
//! and the desktop's portal for sessions of Wayland.

mod controls;
#[cfg(test)]
pub(super) mod fake;
mod format;
mod handover;
mod identity;
mod ioctl;
mod multiplanar;
#[cfg(not(feature = "wayland"))]
mod no_portal;
mod nokhwa;
#[cfg(feature = "wayland")]
mod portal;
mod session;
mod shared;
mod stop;
mod told;
mod v4l;
mod x11;

use std::sync::Arc;

use super::device::Driver;
use super::display::{Fault, ScreenSystem, Sharing};

/// The machine's cameras.
pub(super) fn driver() -> Arc<dyn Driver> {
    Arc::new(v4l::Video4Linux)
}

/// The machine's screens and windows.
pub(super) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(session::Session)
}

/// What the desktop's dialog offers; `None` where this is no session of Wayland.
pub(super) fn sharing() -> Option<Result<Sharing, Fault>> {
    session::sharing()
}
