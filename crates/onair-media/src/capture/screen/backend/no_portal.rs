//! The replacement of [`portal`](super) in builds without the feature `wayland`, which reports the
//! missing support.

use crate::capture::screen::area::Area;
use crate::capture::screen::display::{Attempt, Fault, Grabber, Sharing};

/// A request to the desktop.
#[allow(dead_code, reason = "only a portal uses all of it")]
pub(in crate::capture) enum ShareRequest {
    Screen(Option<Area>),
    Window,
}

pub(in crate::capture) fn offers() -> Result<Sharing, Fault> {
    Err(Fault::Lacking)
}

pub(in crate::capture) fn grab(
    _what: ShareRequest,
    _id: &str,
    _key: &str,
    _attempt: &Attempt<'_>,
) -> Result<Box<dyn Grabber>, Fault> {
    Err(Fault::Lacking)
}
