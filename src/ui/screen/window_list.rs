//! The list of the windows that draw themselves, beside the main window.

use std::sync::{Arc, Weak};
use std::time::Duration;

use egui::ViewportId;
use parking_lot::Mutex;

/// The windows that draw themselves. `S` is the state that they draw.
#[derive(Debug)]
pub(super) struct WindowList<S> {
    /// The state itself, if the windows draw themselves.
    pub screen: Weak<Mutex<S>>,
    /// The open windows. Other threads wake them for new frames.
    pub open: Arc<Mutex<Vec<ViewportId>>>,
    /// The closed windows, each with the frame after which it ends.
    pub closing: Vec<(ViewportId, u64)>,
    /// The time until they are drawn next if no new frame arrives.
    pub patience: Option<Duration>,
}

impl<S> Default for WindowList<S> {
    fn default() -> Self {
        Self { screen: Weak::new(), open: Arc::default(), closing: Vec::new(), patience: None }
    }
}
