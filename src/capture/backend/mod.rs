//! The camera systems: Video4Linux through nokhwa and directly, a fake for tests; and the display.

mod controls;
#[cfg(test)]
pub(super) mod fake;
mod identity;
mod nokhwa;
mod shared;
mod stop;
mod v4l;
mod x11;

use std::sync::Arc;

use super::device::Driver;
use super::display::ScreenSystem;

/// The machine's cameras.
pub(super) fn driver() -> Arc<dyn Driver> {
    Arc::new(v4l::Video4Linux)
}

/// The machine's screens and windows.
pub(super) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(x11::X11)
}
