//! The studio on the desktop, over the session bus: a notification for an error while nobody looks at the window,
//! and a status icon with *Go Live* and *Stop* (StatusNotifierItem). Where there is no bus, or
//! nobody on it who shows these, nothing happens. No secrets are shown, only the health sentence.
//!
//! The window tells how the studio is ([`DesktopStatus::show`]) and takes what the desktop asks for
//! ([`DesktopStatus::asked`]); in between there is a thread.

#[cfg(target_os = "linux")]
mod bus;
#[cfg(target_os = "linux")]
mod menu;
mod notification;
mod state;
mod status_icon;
#[cfg(target_os = "linux")]
mod status_item;

use std::sync::Arc;

use eframe::egui;
use parking_lot::Mutex;

use crate::base::Worker;
use crate::base::queue::{self, Full};

use state::Shared;
pub use state::{DesktopRequest, DesktopState};

/// Wishes that wait for the window.
const DEPTH: usize = 16;

/// See the module.
#[derive(Debug)]
pub struct DesktopStatus {
    shared: Arc<Shared>,
    asks: queue::Receiver<DesktopRequest>,
    _worker: Option<Worker>,
}

impl DesktopStatus {
    /// For the window of `wake`, on the session bus, or on the bus at this address.
    pub fn new(wake: egui::Context, bus: Option<String>) -> Self {
        let (sender, asks) = queue::bounded("desktop status", DEPTH, Full::DropOldest);
        let shared = Arc::new(Shared { state: Mutex::default(), asks: sender, wake });
        let of_thread = Arc::clone(&shared);
        let worker = Worker::spawn("onair-desktop", move |stop| {
            serve(&of_thread, bus.as_deref(), stop);
        });
        let worker =
            worker.inspect_err(|error| tracing::debug!(%error, "the desktop is not told")).ok();
        Self { shared, asks, _worker: worker }
    }

    /// The studio as it is now.
    pub fn show(&self, state: DesktopState) {
        *self.shared.state.lock() = Some(state);
    }

    /// What the desktop asked for since the last time.
    pub fn asked(&self) -> impl Iterator<Item = DesktopRequest> {
        self.asks.waiting()
    }
}

#[cfg(target_os = "linux")]
use bus::serve;

#[cfg(not(target_os = "linux"))]
fn serve(_: &Arc<Shared>, _: Option<&str>, _: &crate::base::Stop) {}
