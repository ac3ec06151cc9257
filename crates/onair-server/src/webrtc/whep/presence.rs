//! A WHEP viewer in the viewer list of its stream. The stream delivers nothing to this viewer,
//! because the frames come from the stream's WHEP production.

use std::sync::Arc;

use crate::server::event::Protocol;
use crate::server::stream::message::Batch;
use crate::server::stream::sink::Sink;
use crate::server::webrtc::mailbox::Mailbox;
use crate::text::Problem;

/// A WHEP viewer in the list of viewers.
#[derive(Debug)]
pub(super) struct Presence(pub Arc<Mailbox>);

impl Sink for Presence {
    fn id(&self) -> u64 {
        self.0.id
    }

    fn protocol(&self) -> Protocol {
        Protocol::Whep
    }

    fn sent(&self) -> u64 {
        self.0.sent()
    }

    fn dismiss(&self, reason: Problem) {
        self.0.end(reason);
    }

    fn deliver(&self, _batch: &Batch<'_>) {}

    fn end(&self) {
        self.0.published(false);
    }

    fn resume(&self) {
        self.0.published(true);
    }
}
