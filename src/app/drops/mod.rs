//! Addresses that the user drags from another program, such as a browser's address bar. The
//! window's library accepts files only. On X11, this module accepts addresses and leaves files to
//! the library.

mod backend;
#[cfg_attr(windows, allow(dead_code, reason = "for addresses, which Windows does not report yet"))]
mod drag;

use crate::base::queue::{self, Full, Receiver};

use backend::DropReceiver;
pub use drag::Drag;
use drag::Window;

/// Maximum number of events that wait for the window.
const MAX_PENDING_EVENTS: usize = 16;

/// The receiver of dropped addresses; see the module documentation.
pub struct Drops {
    drags: Receiver<Drag>,
    _way: Option<DropReceiver>,
}

impl Drops {
    /// Creates the receiver for the window that is being created.
    pub fn new(creation: &eframe::CreationContext<'_>) -> Self {
        let (sender, drags) = queue::bounded("drags", MAX_PENDING_EVENTS, Full::DropOldest);
        let window = Window { drags: sender, context: creation.egui_ctx.clone() };
        let _way = DropReceiver::open(creation, window)
            .inspect_err(|why| tracing::debug!(why, "dropping addresses on the window failed"))
            .ok();
        Self { drags, _way }
    }

    /// Returns the drag events since the last call.
    pub fn come(&self) -> impl Iterator<Item = Drag> {
        self.drags.waiting()
    }
}
