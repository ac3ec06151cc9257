//! What can be wrong with what comes from the web.

use crate::net;
use crate::player::input::http::range_retry::RangeRefusal;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv;

/// Why nothing, or nothing more, comes.
#[derive(Debug)]
pub(in crate::player) enum PullError {
    /// The network or the server.
    Net(Box<net::Error>),
    /// What the server sends.
    Told(Failure),
    /// Of what is listed, something does not come.
    Stalls(Failure),
}

impl From<net::Error> for PullError {
    fn from(error: net::Error) -> Self {
        Self::Net(Box::new(error))
    }
}

impl PullError {
    /// Whether the server refuses what was asked for.
    pub(in crate::player) fn refusal(&self) -> Option<RangeRefusal> {
        match self {
            Self::Net(error) => RangeRefusal::of(error),
            Self::Told(_) | Self::Stalls(_) => None,
        }
    }

    /// What answers is no stream.
    pub(super) fn no_stream(why: Problem) -> Self {
        Self::Told(Failure::new(FailureKind::Unreachable, why))
    }

    /// The file, or what the server gives of it, cannot be played.
    pub(super) fn file(why: Problem) -> Self {
        Self::Told(Failure::new(FailureKind::File, why))
    }

    /// What was being played has become something else.
    pub(super) fn changed() -> Self {
        Self::Told(Failure::new(FailureKind::Lost, problem!("play-file-changed")))
    }

    /// What began as FLV is none any more.
    pub(super) fn flv(error: &flv::Error) -> Self {
        Self::no_stream(problem!("play-server-damaged", reason = Problem::from(error)))
    }
}
