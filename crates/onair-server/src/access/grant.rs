//! The right to publish or play.

use crate::net::connect::network::Network;
use crate::server::access::callback::calls::{DoneCall, RecordCall};
use crate::server::access::rules::AppLimits;
use crate::server::access::token::keys::Signer;
use crate::text::problem::{Problem, problem};

/// Returns the reason that the server gives when all viewers must leave.
pub(crate) fn expelled() -> Problem {
    problem!("left-key-changed")
}

/// The right to publish or play.
#[derive(Debug, Default)]
pub(crate) struct Grant {
    /// True if a secret was required and the client had one.
    pub proven: bool,
    /// True if the client has the publish key of onair's own stream, as only onair itself does.
    pub is_own: bool,
    /// The signer of the client's token. A token differs with each connection, unlike a key.
    pub signer: Option<Signer>,
    /// The end of the client's token in seconds since 1970.
    pub ends: Option<u64>,
    /// The networks that have the right, if the token names some.
    pub networks: Vec<Network>,
    /// The name of the stream (or, for a connection, of the application) if a callback changed it.
    pub renamed: Option<String>,
    /// True if a callback has decided, or reports the end of the client.
    pub followed: bool,
    /// When dropped, reports that the client has finished.
    pub done: Option<Box<DoneCall>>,
    /// Reports that the publication was recorded.
    pub recorded: Option<Box<RecordCall>>,
    pub limits: AppLimits,
    /// Number of times that all viewers had to leave before the decision began.
    pub expelled: u64,
}

/// A viewer that may play.
#[derive(Debug)]
pub(crate) struct AdmittedViewer {
    pub id: u64,
    /// When dropped, reports that the viewer has finished.
    pub done: Option<Box<DoneCall>>,
    /// Number of times that all viewers had to leave before this viewer was admitted.
    pub expelled: u64,
}
