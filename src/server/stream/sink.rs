//! A viewer, as a stream sees it: somewhere to put messages.

use std::fmt::Debug;

use parking_lot::MappedMutexGuard;

use crate::server::event::Protocol;
use crate::server::stream::message::Batch;
use crate::server::stream::outgoing::Outgoing;

/// Where the messages of a stream go. Called while the stream is locked: must not wait, and must
/// not call the stream.
pub(in crate::server) trait Sink: Debug + Send + Sync {
    /// Of the connection.
    fn id(&self) -> u64;

    /// Whether it is counted among the viewers.
    fn is_viewer(&self) -> bool {
        true
    }

    /// By what it watches, where it is a viewer.
    fn protocol(&self) -> Protocol {
        Protocol::Rtmp
    }

    /// Sends messages, or queues them behind what waits.
    fn deliver(&self, batch: &Batch<'_>);

    /// Its sending half, where the joined batch can go to the socket as it is, past its queue: it
    /// is then sent to many of them in one call. `None`: it is to be delivered.
    fn lend(&self, _batch: &Batch<'_>) -> Option<MappedMutexGuard<'_, Outgoing>> {
        None
    }

    /// So many bytes went over what was lent; what did not go is in its queue.
    fn settle(&self, _sent: u64, _all_done: bool) {}

    /// The publisher has gone.
    fn end(&self);

    /// There is a publisher again.
    fn resume(&self);
}
