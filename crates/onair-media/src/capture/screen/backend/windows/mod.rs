//! Displays and windows of Windows, by GDI: it copies the pixels of a display that shows what the user sees, and asks
//! a window to draw itself, so that others may cover it.
//!
//! GDI is the oldest of three ways, and the one that every Windows, remote session and virtual machine has. It does
//! not say what has changed, so each frame is read in whole, and it costs time on the processor. Some programs draw
//! themselves past it (protected films, some games): these are black. Windows.Graphics.Capture and DXGI duplication
//! have neither limit; they belong in files beside this one, before GDI.
//!
//! The position of a display counts from the upper left corner of all displays together.

mod desktop;
mod front;
mod gdi;
mod grab;
mod pointer;

pub(in crate::capture) use front::FrontConnection;

use std::sync::Arc;

use crate::capture::screen::area::Area;
use crate::capture::screen::display::{
    Attempt, Fault, Grabber, ScreenInfo, ScreenSystem, Sharing, WindowInfo,
};

struct Desktop;

/// Returns the display system of this computer.
pub(in crate::capture) fn screens() -> Arc<dyn ScreenSystem> {
    Arc::new(Desktop)
}

/// Returns `None`: only Wayland has a sharing dialog.
pub(in crate::capture) fn sharing() -> Option<Result<Sharing, Fault>> {
    None
}

impl ScreenSystem for Desktop {
    fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
        desktop::screens()
    }

    fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
        Ok(desktop::windows().into_iter().map(|(_, info)| info).collect())
    }

    fn grab_screen(
        &self,
        id: Option<&str>,
        part: Option<Area>,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        Ok(Box::new(grab::Grab::of_screen(id, part, attempt.pointer)?))
    }

    fn grab_window(&self, id: &str, attempt: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
        Ok(Box::new(grab::Grab::of_window(id, attempt.before, attempt.pointer)?))
    }
}
