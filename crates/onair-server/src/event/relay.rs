//! The changes of a relay that become events.

use std::time::Duration;

use crate::base::named;
use crate::text::Problem;

named! {
    /// The direction of a relay.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum Direction {
        /// To another server.
        Push = "push",
        /// From another server.
        Pull = "pull",
    }
    /// Returns the name in events and in the API.
    fn name;
}

named! {
    /// The state of a relay.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub enum RelayState {
        Connecting = "connecting",
        /// The connection exists, but the stream does not exist yet, or the name is already published
        /// on this server.
        Waiting = "waiting",
        Live = "live",
        /// The connection failed, and another attempt will follow.
        Reconnecting = "reconnecting",
        Stopped = "stopped",
    }
    /// Returns the name in events and in the API.
    fn name;
}

impl RelayState {
    /// All states of a running relay.
    pub const ALL_RUNNING: [Self; 4] =
        [Self::Connecting, Self::Waiting, Self::Live, Self::Reconnecting];
}

/// A change of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayChange {
    pub id: u64,
    pub direction: Direction,
    pub app: String,
    pub stream: String,
    /// The address without its secret.
    pub url: String,
    pub state: RelayState,
    /// The reason why the last connection failed, or why the relay stopped.
    pub cause: Option<Problem>,
    /// The time until the next attempt.
    pub retry_in: Option<Duration>,
}
