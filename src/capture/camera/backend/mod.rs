//! The camera systems: Video4Linux through nokhwa and directly, a fake for tests; and the display: X11,
//! and the desktop's portal for sessions of Wayland.

mod controls;
mod driver_report;
#[cfg(test)]
pub(in crate::capture) mod fake;
mod format;
mod handover;
mod identity;
mod ioctl;
mod multiplanar;
mod nokhwa;
mod v4l;
mod wake;

use std::sync::Arc;

use crate::capture::camera::driver::Driver;

/// The machine's cameras.
pub(in crate::capture) fn driver() -> Arc<dyn Driver> {
    Arc::new(v4l::Video4Linux)
}
