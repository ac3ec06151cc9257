//! Display systems: X11, and the desktop portal on Wayland.

#[cfg(not(feature = "wayland"))]
pub(in crate::capture) mod no_portal;
#[cfg(feature = "wayland")]
pub(in crate::capture) mod portal;
pub(in crate::capture) mod session;
pub(in crate::capture) mod shared_memory;
pub(in crate::capture) mod x11;

use std::sync::Arc;

use crate::capture::screen::display::{Fault, ScreenSystem, Sharing};

/// The machine's screens and windows.
pub(in crate::capture) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(crate::capture::screen::backend::session::Session)
}

/// What the desktop's dialog offers; `None` where this is no session of Wayland.
pub(in crate::capture) fn sharing() -> Option<Result<Sharing, Fault>> {
    crate::capture::screen::backend::session::sharing()
}
