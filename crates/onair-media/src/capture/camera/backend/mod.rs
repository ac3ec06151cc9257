//! The camera systems: Video4Linux, read through nokhwa and directly, and a fake for tests.

#[cfg(test)]
#[path = "../../../../../../benches/backend/allocations.rs"]
pub(in crate::capture) mod allocations;
mod controls;
#[cfg(test)]
pub(in crate::capture) mod fake;
mod format;
mod handover;
mod identity;
mod ioctl;
mod multiplanar;
mod nokhwa;
mod v4l;

use std::sync::Arc;

use crate::capture::camera::driver::Driver;

/// Returns the camera system of this computer.
pub(in crate::capture) fn driver() -> Arc<dyn Driver> {
    Arc::new(v4l::Video4Linux)
}
