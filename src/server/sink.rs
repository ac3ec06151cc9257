//! A viewer, as a stream sees it: somewhere to put messages.

use std::sync::Arc;

use super::connection::Connection;
use super::http::flv::FlvSink;
use super::message::Message;

/// Where messages go.
#[derive(Clone, Debug)]
pub(super) enum Sink {
    Rtmp(Arc<Connection>),
    Flv(Arc<FlvSink>),
}

impl Sink {
    pub fn id(&self) -> u64 {
        match self {
            Self::Rtmp(connection) => connection.id(),
            Self::Flv(sink) => sink.id(),
        }
    }

    /// Queues messages and, if `flush`, sends what waits.
    pub fn deliver(&self, messages: &[Arc<Message>], flush: bool) {
        match self {
            Self::Rtmp(connection) => connection.deliver(messages, flush),
            Self::Flv(sink) => sink.deliver(messages),
        }
    }

    /// The publisher has gone.
    pub fn end(&self) {
        match self {
            Self::Rtmp(connection) => connection.end_play(),
            Self::Flv(sink) => sink.end(),
        }
    }

    /// There is a publisher again.
    pub fn resume(&self) {
        if let Self::Rtmp(connection) = self {
            connection.resume_play();
        }
    }
}
