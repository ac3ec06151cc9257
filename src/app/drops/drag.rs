//! What is told to the window of what is dragged over it.

use eframe::egui;

use crate::base::queue::Sender;

/// What happens over the window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Drag {
    /// An address is held over it, or not any more.
    Over(bool),
    /// It was let go. May hold what is secret: not to be printed.
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
