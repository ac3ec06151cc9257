//! The display systems of Linux: X11 and the portal. The id selects one of them; without an id, the session
//! decides.

use std::sync::Arc;

use crate::capture::screen::area::Area;
#[cfg(not(feature = "wayland"))]
use crate::capture::screen::backend::no_portal as portal;
#[cfg(feature = "wayland")]
use crate::capture::screen::backend::portal;
use crate::capture::screen::backend::x11::X11;
use crate::capture::screen::display::{
    Attempt, Fault, Grabber, ScreenInfo, ScreenSystem, Sharing, WindowInfo,
};
use crate::capture::screen::permission;
use crate::capture::screen::target::{SHARED_CONTENT_ID, is_wayland, shared_name};

struct Session;

/// Returns the display system of this computer.
pub(in crate::capture) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(Session)
}

/// Returns the options of the sharing dialog; `None` outside a Wayland session.
pub(in crate::capture) fn sharing() -> Option<Result<Sharing, Fault>> {
    is_wayland().then(portal::offers)
}

impl ScreenSystem for Session {
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
        X11.screens()
    }

    fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
        X11.windows()
    }

    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        let by_portal = id.map_or_else(is_wayland, |id| shared_name(id).is_some());
        match permission::screen_key(id).filter(|_| by_portal) {
            Some(key) => portal::grab(
                portal::ShareRequest::Screen(part),
                id.unwrap_or(SHARED_CONTENT_ID),
                &key,
                attempt,
            ),
            None => X11.grab_screen(id, part, attempt),
        }
    }

    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
        match permission::window_key(id) {
            Some(key) => portal::grab(portal::ShareRequest::Window, id, &key, attempt),
            None => X11.grab_window(id, attempt),
        }
    }
}
