//! The number of viewers by protocol.

use std::collections::BTreeMap;

use crate::server::event::Protocol;

/// The number of viewers by protocol. A protocol without viewers has no entry.
#[derive(Debug, Default)]
pub(crate) struct ViewerCounts(BTreeMap<Protocol, usize>);

impl ViewerCounts {
    /// Counts one more viewer.
    pub fn add(&mut self, protocol: Protocol) {
        *self.0.entry(protocol).or_default() += 1;
    }

    /// Counts one viewer less.
    pub fn remove(&mut self, protocol: Protocol) {
        if let Some(count) = self.0.get_mut(&protocol) {
            *count -= 1;
        }
        self.0.retain(|_, count| *count > 0);
    }

    /// Returns the number of all viewers.
    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    pub fn by_protocol(&self) -> &BTreeMap<Protocol, usize> {
        &self.0
    }
}
