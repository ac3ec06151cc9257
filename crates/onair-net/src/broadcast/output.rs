//! The interface of everything that takes packets from a hub: publishers, recorders, the replay
//! buffer, packagers.
//!
//! An output takes its packets from a [`Subscription`](crate::broadcast::Subscription) on its own
//! thread or task, or is a [`Sink`] that the hub's thread calls. A broadcast starts, watches and
//! stops all outputs through [`Output`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::broadcast::hub::shared_packet::SharedPacket;

/// The state of an output.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum OutputState {
    /// Starting: no packet has been delivered yet.
    Starting,
    /// Packets are being delivered.
    Running,
    /// The connection is lost and being restored.
    Recovering,
    /// Ended on request, or with the stream.
    Ended,
    /// Failed.
    Failed,
}

impl OutputState {
    /// Returns true if the output has ended.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed)
    }
}

/// An estimate of an output's link.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkEstimate {
    /// The bandwidth in bits per second, if the link is the bottleneck.
    pub carried: u64,
    /// The time for which the link has accepted nothing.
    pub silent: Duration,
    /// The round-trip time of the link without queues. The backlog includes the packets of this
    /// time, which are on their way.
    pub round_trip: Duration,
    /// True while the backlog and `carried` say nothing about the bandwidth: an interruption is
    /// being caught up with, or this computer is too busy to send in time.
    pub misleading: bool,
}

/// A running output of a broadcast, such as a publisher or a recorder.
pub trait Output: fmt::Debug + Send {
    /// Returns the current state.
    fn state(&self) -> OutputState;
    /// Returns the link estimate, or `None` if the output has no link.
    fn estimate(&self) -> Option<LinkEstimate>;
    /// Returns the duration from the oldest to the newest packet that the output has not passed on.
    fn backlog(&self) -> Duration;
    /// Requests a clean end within `limit`. The call does not wait.
    fn ask_to_stop(&self, limit: Duration);
    /// Ends cleanly within `limit`. After that, drops the remaining packets.
    fn stop(&mut self, limit: Duration);
}

/// A receiver that takes packets on the hub's thread, which never waits. Both methods must return
/// immediately.
pub trait Sink: Send + Sync {
    /// Takes the next packet.
    fn offer(&self, packet: &Arc<SharedPacket>);
    /// Reports that the stream has ended.
    fn end(&self);
}
