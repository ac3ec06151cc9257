//! The displays for projectors.

use crate::media::Size;

/// A display of this computer. Displays are in the order of the desktop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    pub name: String,
    pub size: Size,
    /// True if the main window is on this display.
    pub is_own: bool,
}
