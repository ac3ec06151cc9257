//! Connects the studio with the desktop over the session bus. A notification reports a problem while
//! the window is not in use, and a status icon offers *Go Live* and *Stop* (StatusNotifierItem). On
//! Windows, both belong to an icon of the taskbar. Without a bus, or without a program that shows
//! notifications and icons, nothing happens. No secrets are shown, only the health sentence.
//!
//! The window passes on the state of the studio ([`DesktopStatus::show`]) and takes the desktop's
//! requests ([`DesktopStatus::asked`]). A thread connects the window with the bus.

mod backend;
mod notification;
mod state;
mod status_icon;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use eframe::egui;
use parking_lot::Mutex;

use crate::base::Worker;
use crate::base::queue::{self, Full};

use backend::serve;
use state::Shared;
pub use state::{DesktopRequest, DesktopState};

/// Maximum number of requests that wait for the window.
const MAX_PENDING_REQUESTS: usize = 16;

/// Time limit for removing the status icon. An open menu of it waits for the user.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// The connection to the desktop; see the module documentation.
#[derive(Debug)]
pub struct DesktopStatus {
    shared: Arc<Shared>,
    asks: queue::Receiver<DesktopRequest>,
    worker: Option<Worker>,
}

impl Drop for DesktopStatus {
    fn drop(&mut self) {
        // Otherwise, the process could end before the icon is removed.
        if let Some(Err(stuck)) = self.worker.take().map(|worker| worker.join(END_TIMEOUT)) {
            tracing::debug!(%stuck, "the status icon may stay behind");
        }
    }
}

impl DesktopStatus {
    /// Creates the connection for the window that `wake` repaints. The connection uses the bus at
    /// the address `bus`, or else the session bus.
    pub fn new(wake: egui::Context, bus: Option<String>) -> Self {
        let (sender, asks) =
            queue::bounded("desktop status", MAX_PENDING_REQUESTS, Full::DropOldest);
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            revision: AtomicU32::new(0),
            read_revision: AtomicU32::new(0),
            asks: sender,
            token: Mutex::default(),
            wake,
        });
        let of_thread = Arc::clone(&shared);
        let worker = Worker::spawn("onair-desktop", move |stop| {
            serve(&of_thread, bus.as_deref(), stop);
        });
        let worker = worker
            .inspect_err(|error| tracing::debug!(%error, "no thread for desktop notifications"))
            .ok();
        Self { shared, asks, worker }
    }

    /// Passes on the current state of the studio.
    pub fn show(&self, state: DesktopState) {
        self.shared.set(state);
    }

    /// Returns the desktop's requests since the last call.
    pub fn asked(&self) -> impl Iterator<Item = DesktopRequest> {
        self.asks.waiting()
    }

    /// Returns the activation token that came with the newest request, once. With this token, the
    /// window gets the focus on Wayland.
    pub fn token(&self) -> Option<String> {
        self.shared.token.lock().take()
    }
}
