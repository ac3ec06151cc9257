//! The reports of a relay: its state, and the changes that become events.

use std::time::Duration;

use crate::base::Timestamp;
use crate::server::relay::rules::Direction;
use crate::text::Problem;

/// How long the HTTP request of a viewer waits for a pull on demand.
pub(in crate::server) const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

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

/// The current state of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::server) struct RelayReport {
    pub state: RelayState,
    pub url: String,
    pub cause: Option<Problem>,
    pub retry_in: Option<Duration>,
    /// Time of the last change of `state`.
    pub since: Timestamp,
    /// True if each address has failed since the last success.
    pub has_tried_all: bool,
}
