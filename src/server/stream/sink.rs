//! A viewer from a stream's perspective: a receiver of messages.

use std::fmt::Debug;

use parking_lot::MappedMutexGuard;

use crate::server::event::Protocol;
use crate::server::stream::message::Batch;
use crate::server::stream::outgoing::Outgoing;

/// A receiver of a stream's messages. Called while the stream is locked: it must not wait or call
/// the stream.
pub(in crate::server) trait Sink: Debug + Send + Sync {
    /// Of the connection.
    fn id(&self) -> u64;

    /// Whether it counts as a viewer.
    fn is_viewer(&self) -> bool {
        true
    }

    /// The protocol of a viewer.
    fn protocol(&self) -> Protocol {
        Protocol::Rtmp
    }

    /// Sends messages, or queues them.
    fn deliver(&self, batch: &Batch<'_>);

    /// Its sending half, if the joined batch can go to the socket directly: it is then sent to many
    /// of them in one call. `None`: use `deliver`.
    fn lend(&self, _batch: &Batch<'_>) -> Option<MappedMutexGuard<'_, Outgoing>> {
        None
    }

    /// This many bytes were sent on the lent half; the rest is in its queue.
    fn settle(&self, _sent: u64, _all_done: bool) {}

    /// The publisher has left.
    fn end(&self);

    /// There is a publisher again.
    fn resume(&self);
}
