//! Drag events for the window.

use eframe::egui;

use crate::base::queue::Sender;

/// An event of a drag over the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drag {
    /// An address is being dragged over the window (`true`), or has left it (`false`).
    Over(bool),
    /// The address was dropped. The address can contain secrets, so it must never be printed.
    Dropped(String),
}

/// The connection to the window.
#[derive(Clone)]
pub(super) struct Window {
    pub drags: Sender<Drag>,
    pub context: egui::Context,
}

impl Window {
    pub fn tell(&self, drag: Drag) {
        if self.drags.send(drag).is_ok() {
            self.context.request_repaint();
        }
    }
}
