//! onair itself as a receiver of its own stream, which does not count as a viewer.

use std::sync::Arc;

use crate::server::rtmp::connection::Connection;
use crate::server::stream::message::Batch;
use crate::server::stream::sink::Sink;

/// The connection of the viewer monitor, which plays the stream with the stream's own key.
#[derive(Debug)]
pub(super) struct OwnViewer(pub Arc<Connection>);

impl Sink for OwnViewer {
    fn id(&self) -> u64 {
        self.0.id()
    }

    /// Returns false, so that the operator sees only real viewers, from the first moment on.
    fn is_viewer(&self) -> bool {
        false
    }

    fn deliver(&self, batch: &Batch<'_>) {
        self.0.deliver(batch);
    }

    fn sent(&self) -> u64 {
        self.0.sent()
    }

    fn dismiss(&self, reason: &'static str) {
        self.0.dismiss(reason);
    }

    fn end(&self) {
        self.0.end();
    }

    fn resume(&self) {
        self.0.resume();
    }
}
