//! Holds the state that the window and the bus thread share.

use eframe::egui;
use parking_lot::Mutex;

use crate::app::media_keys::state::{MediaKeyRequest, State};
use crate::base::queue;

/// The shared state; see the module documentation.
pub(super) struct Shared {
    pub state: Mutex<State>,
    asks: queue::Sender<MediaKeyRequest>,
    /// Wakes the window.
    wake: egui::Context,
}

impl Shared {
    /// Creates the state, which sends requests to `asks`, and wakes the window of `wake`.
    pub fn new(asks: queue::Sender<MediaKeyRequest>, wake: egui::Context) -> Self {
        Self { state: Mutex::default(), asks, wake }
    }

    /// Passes a request to the window.
    pub fn ask(&self, ask: MediaKeyRequest) {
        if self.asks.send(ask).is_ok() {
            self.wake.request_repaint();
        }
    }
}
