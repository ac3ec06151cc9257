//! The window in front, which Windows tells to every program.

use crate::capture::screen::backend::windows::desktop;
use crate::capture::screen::display::{Fault, WindowInfo};

/// Tells which window is in front. Windows needs no connection for it.
pub(in crate::capture) struct FrontConnection;

impl FrontConnection {
    /// Never fails.
    pub fn connect() -> Result<Self, Fault> {
        Ok(Self)
    }

    /// Returns the window in front, or `None` if there is none with a title.
    pub fn window(&self) -> Result<Option<WindowInfo>, Fault> {
        Ok(desktop::front())
    }
}
