//! Displays and windows of Windows, by the best of three ways that works:
//!
//! - Windows.Graphics.Capture shows each window also while others cover it, and what games and films draw with
//!   Direct3D. The system refuses it in some remote sessions, and before Windows 10 version 1903.
//! - DXGI duplication copies one display from its graphics card, and says what has changed.
//! - GDI works everywhere. It copies a display, or asks a window to draw itself.
//!
//! `chosen` tries them in this order, and again when one fails while it runs. `grab` follows the display or window.
//!
//! The position of a display counts from the upper left corner of all displays together.

mod chosen;
mod desktop;
mod direct3d;
mod duplication;
mod front;
mod gdi;
mod grab;
mod graphics_capture;
mod pointer;
mod way;

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
