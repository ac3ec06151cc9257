//! Events of a drag for the window.

use eframe::egui;

use crate::base::queue::Sender;

/// An event of a drag over the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drag {
    /// An address is held over it, or not any more.
    Over(bool),
    /// The address was dropped. Can contain secrets: never print it.
    Dropped(String),
}

/// The way to the window.
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
