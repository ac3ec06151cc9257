//! The slot of a connection while it waits for an answer, or receives one that grows.

use std::sync::Arc;

use crate::server::access::admission::{Purpose, Spot};
use crate::server::registry::Registry;

/// A connection that does not count as idle; ends when dropped.
pub(super) struct Settled {
    registry: Arc<Registry>,
    spot: Arc<Spot>,
}

impl Settled {
    /// Keeps the slot of a connection; `None` if there are too many viewers.
    pub fn new(registry: &Arc<Registry>, spot: &Arc<Spot>) -> Option<Self> {
        registry
            .admission
            .settle(spot, Purpose::Play)
            .then(|| Self { registry: Arc::clone(registry), spot: Arc::clone(spot) })
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        self.registry.admission.unsettle(&self.spot);
    }
}
