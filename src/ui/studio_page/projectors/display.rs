//! The displays that projectors fill.

use crate::media::Size;

/// A display of this machine, in the order in which the desktop lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    pub name: String,
    pub size: Size,
    /// The main window is on it.
    pub is_own: bool,
}
