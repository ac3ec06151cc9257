//! The current state of a relay.

use std::time::Duration;

use crate::base::Timestamp;
use crate::server::event::relay::RelayState;
use crate::text::Problem;

/// How long the HTTP request of a viewer waits for a pull on demand.
pub(in crate::server) const REQUEST_TIMEOUT: Duration = Duration::from_secs(8);

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
