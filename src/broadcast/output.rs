//! What a hub's packets go to: publishers, recorders, the replay buffer, packagers.
//!
//! An output takes its packets by a [`Subscription`](crate::broadcast::Subscription), on a thread or task
//! of its own, or is a [`Sink`] that the hub's thread calls. Who runs a broadcast starts, watches and
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
    /// Given up.
    Failed,
}

impl OutputState {
    /// Whether nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Ended | Self::Failed)
    }
}

/// What is known of an output's link.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkEstimate {
    /// Bits a second that it carries, where it is the bottleneck.
    pub carried: u64,
    /// For how long nothing of the backlog was accepted.
    pub silent: Duration,
}

/// An output that runs.
pub trait Output: fmt::Debug + Send {
    /// What it is doing.
    fn state(&self) -> OutputState;
    /// What its link carries; `None`: it has none.
    fn estimate(&self) -> Option<LinkEstimate>;
    /// From the oldest to the newest packet that it has not handed on.
    fn backlog(&self) -> Duration;
    /// Asks for an orderly end that takes at most `limit`; does not wait.
    fn ask_to_stop(&self, limit: Duration);
    /// Ends in order and waits for it, at most `limit`: what is not done by then is given up.
    fn stop(&mut self, limit: Duration);
}

/// Takes packets on the hub's thread, which never waits: both must return at once.
pub trait Sink: Send + Sync {
    /// Takes the next packet.
    fn offer(&self, packet: &Arc<SharedPacket>);
    /// The stream has ended.
    fn end(&self);
}
