//! Everything that takes packets from a hub: publishers, recorders, the replay buffer, packagers.
//!
//! An output takes its packets from a [`Subscription`](crate::broadcast::Subscription) on its own
//! thread or task, or is a [`Sink`] that the hub's thread calls. A broadcast starts, watches and
//! stops all of them through [`Output`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::broadcast::hub::shared_packet::SharedPacket;

/// What an output is doing.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum OutputState {
    /// On the way to the first packet that gets through.
    Starting,
    /// Packets get through.
    Running,
    /// Lost; on the way back.
    Recovering,
    /// Ended as asked, or with the stream.
    Ended,
    /// It has failed.
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
    /// Its bandwidth in bits per second, if it is the bottleneck.
    pub carried: u64,
    /// How long it has accepted nothing.
    pub silent: Duration,
}

/// An output that runs.
pub trait Output: fmt::Debug + Send {
    /// The present state.
    fn state(&self) -> OutputState;
    /// The link estimate; `None`: the output has no link.
    fn estimate(&self) -> Option<LinkEstimate>;
    /// From the oldest to the newest packet that it has not handed on.
    fn backlog(&self) -> Duration;
    /// Asks for an orderly end that takes at most `limit`; does not wait.
    fn ask_to_stop(&self, limit: Duration);
    /// Ends properly within `limit`; drops the rest.
    fn stop(&mut self, limit: Duration);
}

/// Takes packets on the hub's thread, which never waits: both must return at once.
pub trait Sink: Send + Sync {
    /// Takes the next packet.
    fn offer(&self, packet: &Arc<SharedPacket>);
    /// The stream has ended.
    fn end(&self);
}
