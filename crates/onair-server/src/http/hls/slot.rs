//! The slot of a connection while the connection waits for a decision or a response, or receives a growing one.

use std::sync::Arc;

use crate::server::access::admission::Spot;
use crate::server::registry::Registry;

/// Until dropped, keeps a connection from counting as idle.
pub(in crate::http) struct ActiveGuard {
    registry: Arc<Registry>,
    spot: Arc<Spot>,
}

impl ActiveGuard {
    /// Keeps the slot of a connection. Returns `None` if there are too many viewers.
    pub fn new(registry: &Arc<Registry>, spot: &Arc<Spot>) -> Option<Self> {
        registry
            .admission
            .begin_play(spot)
            .then(|| Self { registry: Arc::clone(registry), spot: Arc::clone(spot) })
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        self.registry.admission.end_play(&self.spot);
    }
}

/// Until dropped, suspends the time limit of a request, because the receiver of a callback decides about its client.
pub(in crate::http) struct DecisionGuard(Arc<Spot>);

impl DecisionGuard {
    pub fn new(spot: &Arc<Spot>) -> Self {
        spot.begin_deciding();
        Self(Arc::clone(spot))
    }
}

impl Drop for DecisionGuard {
    fn drop(&mut self) {
        self.0.end_deciding();
    }
}
