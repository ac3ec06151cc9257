//! What can be wrong with what comes from the web.

use crate::net;
use crate::player::input::http::range_retry::RangeRefusal;
use crate::player::state::{Failure, FailureKind};
use crate::wire::container::flv;

/// Why nothing, or nothing more, comes.
#[derive(Debug)]
pub(in crate::player) enum Problem {
    /// The network or the server.
    Net(Box<net::Error>),
    /// What the server sends.
    Told(Failure),
    /// Of what is listed, something does not come.
    Stalls(Failure),
}

impl From<net::Error> for Problem {
    fn from(error: net::Error) -> Self {
        Self::Net(Box::new(error))
    }
}

impl Problem {
    /// Whether the server refuses what was asked for.
    pub(in crate::player) fn refusal(&self) -> Option<RangeRefusal> {
        match self {
            Self::Net(error) => RangeRefusal::of(error),
            Self::Told(_) | Self::Stalls(_) => None,
        }
    }

    /// What answers is no stream.
    pub(super) fn no_stream(what: impl Into<String>, advice: &str) -> Self {
        Self::Told(Failure::new(FailureKind::Unreachable, what, advice))
    }

    /// What was being played has become something else.
    pub(super) fn changed() -> Self {
        Self::Told(Failure::new(
            FailureKind::Lost,
            "the file on the server is not the one any more that was being played",
            "Play it again from its beginning.",
        ))
    }

    /// What began as FLV is none any more.
    pub(super) fn flv(error: &flv::Error) -> Self {
        Self::no_stream(
            format!("what the server sends is damaged: {error}"),
            "Check the server, or play the stream in another form.",
        )
    }
}
