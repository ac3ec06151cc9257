//! The displays and windows of Windows, which onair does not capture yet.

use std::sync::Arc;

use crate::capture::screen::area::Area;
use crate::capture::screen::display::{
    Attempt, Fault, Grabber, ScreenInfo, ScreenSystem, Sharing, WindowInfo,
};

struct NoScreens;

fn missing() -> Fault {
    Fault::NotOnThisSystem
}

/// Returns the display system of this computer.
pub(in crate::capture) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(NoScreens)
}

/// Returns `None`: only Wayland has a sharing dialog.
pub(in crate::capture) fn sharing() -> Option<Result<Sharing, Fault>> {
    None
}

impl ScreenSystem for NoScreens {
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
        Err(missing())
    }

    fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
        Err(missing())
    }

    fn grab_screen(
        &self,
        _id: Option<&str>,
        _part: Option<Area>,
        _attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        Err(missing())
    }

    fn grab_window(&self, _id: &str, _attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
        Err(missing())
    }
}
