//! Addresses that the user drags on Windows, which onair does not receive yet.

use crate::app::drops::drag::Window;
use crate::platform::NotOnThisSystem;

/// A receiver, of which there is none.
pub(in crate::app::drops) enum DropReceiver {}

impl DropReceiver {
    /// Fails: there is no receiver.
    pub fn open(_creation: &eframe::CreationContext<'_>, _window: Window) -> Result<Self, String> {
        Err(NotOnThisSystem("dropped addresses").to_string())
    }
}
