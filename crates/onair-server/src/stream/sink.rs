//! A viewer from the perspective of a stream: a receiver of messages.

use std::fmt::Debug;
use std::net::SocketAddr;

use parking_lot::MappedMutexGuard;

use crate::base::Timestamp;
use crate::server::event::Protocol;
use crate::server::stream::message::Batch;
use crate::server::stream::outgoing::Outgoing;
use crate::server::stream::relayed::RelayPath;
use crate::text::Problem;

/// A receiver of a stream's messages. Its methods are called while the stream sends or is locked: they
/// must not wait or call the stream.
pub(crate) trait Sink: Debug + Send + Sync {
    /// Returns the id of the connection.
    fn id(&self) -> u64;

    /// Returns true if the receiver counts as a viewer.
    fn is_viewer(&self) -> bool {
        true
    }

    /// Returns the protocol of a viewer.
    fn protocol(&self) -> Protocol {
        Protocol::Rtmp
    }

    /// Returns true if the receiver takes Opus. Others get AAC instead. The result stays the same until the receiver leaves.
    fn takes_opus(&self) -> bool {
        true
    }

    /// Returns the servers that wait for the stream, if the receiver is a relay.
    fn relay_path(&self) -> RelayPath {
        RelayPath::default()
    }

    /// Drops frames until the next keyframe, because a new viewer cannot decode them.
    fn skip_to_keyframe(&self) {}

    /// Sends messages, or queues them.
    fn deliver(&self, batch: &Batch<'_>);

    /// Queues messages. A receiver with a socket sends them only in the next [`Sink::send_queued`] or
    /// [`Sink::deliver`], because sending takes longer.
    fn queue(&self, batch: &Batch<'_>) {
        self.deliver(batch);
    }

    /// Sends the queued messages.
    fn send_queued(&self) {}

    /// Returns the sending half of the connection if [`Batch::joined`] can go to the socket
    /// directly. These bytes are then sent to many viewers in one call. `None` means that `deliver`
    /// must be used.
    fn lend(&self, _batch: &Batch<'_>) -> Option<MappedMutexGuard<'_, Outgoing>> {
        None
    }

    /// Records that this many bytes were sent on the sending half that was lent. The rest is in its
    /// queue.
    fn settle(&self, _sent: u64, _all_done: bool) {}

    /// Returns the number of bytes that were sent to the receiver.
    fn sent(&self) -> u64 {
        0
    }

    /// Disconnects the viewer.
    fn dismiss(&self, _reason: Problem) {}

    /// Handles the end of the stream: the publisher has left.
    fn end(&self);

    /// Handles the return of a publisher.
    fn resume(&self);
}

/// A stream's data about a viewer, in addition to the viewer's queue.
#[derive(Copy, Clone, Debug)]
pub(crate) struct ViewerRecord {
    pub id: u64,
    pub address: SocketAddr,
    pub since: Timestamp,
    /// Number of bytes that the viewer's connection had sent before.
    pub sent_before: u64,
}
