//! Connects the player with the media keys, the audio menu and the lock screen of the desktop: on
//! Linux, through MPRIS over the session bus (Media Player Remote Interfacing Specification 2.2); on
//! Windows, through its media transport controls. Without them, nothing happens. The desktop gets
//! the title and position, but no address, because addresses can contain secrets.
//!
//! The window passes on the state ([`MediaKeys::show`]) and takes the desktop's requests
//! ([`MediaKeys::asked`]); a thread connects the window with the desktop while a player exists.

mod backend;
mod shared;
mod state;

use std::sync::Arc;

use eframe::egui;

use crate::base::Worker;
use crate::base::queue::{self, Full};
use crate::studio::Snapshot;

use backend::serve;
use shared::Shared;
pub use state::{MediaKeyRequest, State};

/// Maximum number of requests that wait for the window. The desktop sends at most a few requests
/// per second.
const MAX_PENDING_REQUESTS: usize = 32;

/// The connection to the desktop; see the module documentation.
pub struct MediaKeys {
    shared: Arc<Shared>,
    asks: queue::Receiver<MediaKeyRequest>,
    worker: Option<Worker>,
}

impl MediaKeys {
    /// Creates the connection for the window of `wake`.
    pub fn new(wake: egui::Context) -> Self {
        let (sender, asks) = queue::bounded("media keys", MAX_PENDING_REQUESTS, Full::DropOldest);
        Self { shared: Arc::new(Shared::new(sender, wake)), asks, worker: None }
    }

    /// Passes on the current state of the players.
    pub fn show(&mut self, snapshot: &Snapshot) {
        let Some(state) = State::of(snapshot) else {
            // Dropping the worker requests its stop: the player leaves the bus.
            self.worker = None;
            return;
        };
        *self.shared.state.lock() = state;
        if self.worker.is_none() {
            let shared = Arc::clone(&self.shared);
            self.worker = Worker::spawn("onair-media-keys", move |stop| serve(&shared, stop))
                .inspect_err(|error| tracing::debug!(%error, "media keys do not work"))
                .ok();
        }
    }

    /// Returns the desktop's requests since the last call.
    pub fn asked(&self) -> impl Iterator<Item = MediaKeyRequest> {
        self.asks.waiting()
    }
}
