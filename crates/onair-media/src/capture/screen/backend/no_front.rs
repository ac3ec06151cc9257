//! The replacement of the window in front on systems that do not tell it yet.

use crate::capture::screen::display::{Fault, WindowInfo};

/// A connection that tells which window is in front.
pub(in crate::capture) struct FrontConnection;

impl FrontConnection {
    /// Fails: there is no such connection.
    pub fn connect() -> Result<Self, Fault> {
        Err(Fault::NotOnThisSystem)
    }

    pub fn window(&self) -> Result<Option<WindowInfo>, Fault> {
        Err(Fault::NotOnThisSystem)
    }
}
