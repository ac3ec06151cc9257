//! The changes of a relay that become events.

use std::time::Duration;

use crate::text::Problem;

/// The direction of a relay.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// To another server.
    Push,
    /// From another server.
    Pull,
}

impl Direction {
    pub const ALL: [Self; 2] = [Self::Push, Self::Pull];

    /// Returns the name in events and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
        }
    }
}

/// The state of a relay.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RelayState {
    Connecting,
    /// The connection exists, but the stream does not exist yet, or the name is already published
    /// on this server.
    Waiting,
    Live,
    /// The connection failed, and another attempt will follow.
    Reconnecting,
    Stopped,
}

impl RelayState {
    /// All states of a running relay.
    pub const ALL_RUNNING: [Self; 4] =
        [Self::Connecting, Self::Waiting, Self::Live, Self::Reconnecting];

    /// Returns the name in events and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Waiting => "waiting",
            Self::Live => "live",
            Self::Reconnecting => "reconnecting",
            Self::Stopped => "stopped",
        }
    }
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
