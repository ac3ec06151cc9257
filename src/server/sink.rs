//! A viewer, as a stream sees it: somewhere to put messages.

use std::fmt::Debug;
use std::sync::Arc;

use super::message::Message;

/// Where the messages of a stream go. Called while the stream is locked: must not wait, and must
/// not call the stream.
pub(super) trait Sink: Debug + Send + Sync {
    /// Of the connection.
    fn id(&self) -> u64;

    /// Queues messages and, if `flush`, sends what waits.
    fn deliver(&self, messages: &[Arc<Message>], flush: bool);

    /// The publisher has gone.
    fn end(&self);

    /// There is a publisher again.
    fn resume(&self);
}
