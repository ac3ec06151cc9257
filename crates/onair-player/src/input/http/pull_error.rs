//! Errors of web streams.

use crate::net;
use crate::player::input::http::range_retry::RangeRefusal;
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv;

/// The reason why no more data arrives.
#[derive(Debug)]
pub(crate) enum PullError {
    /// An error of the network or the server.
    Net(Box<net::Error>),
    /// The server's data cannot be played, for this reason.
    Failed(Failure),
    /// A listed segment does not arrive.
    Stalls(Failure),
}

impl From<net::Error> for PullError {
    fn from(error: net::Error) -> Self {
        Self::Net(Box::new(error))
    }
}

impl From<PullError> for Problem {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Net(error) => error.with_peer(),
            PullError::Failed(failure) | PullError::Stalls(failure) => failure.problem,
        }
    }
}

impl PullError {
    /// Returns the kind of refusal, if the error is a refusal by the server.
    pub(crate) fn refusal(&self) -> Option<RangeRefusal> {
        match self {
            Self::Net(error) => RangeRefusal::of(error),
            Self::Failed(_) | Self::Stalls(_) => None,
        }
    }

    /// Returns the error for data that is not a stream.
    pub(super) fn no_stream(why: Problem) -> Self {
        Self::Failed(Failure::new(FailureKind::Unreachable, why))
    }

    /// Returns the error for a file that cannot be played.
    pub(super) fn file(why: Problem) -> Self {
        Self::Failed(Failure::new(FailureKind::File, why))
    }

    /// Returns the error for a file that changed during playback.
    pub(super) fn changed() -> Self {
        Self::Failed(Failure::new(FailureKind::Lost, problem!("play-file-changed")))
    }

    /// Returns the error for FLV data that became invalid.
    pub(super) fn flv(error: &flv::Error) -> Self {
        Self::no_stream(problem!("play-server-damaged", reason = error.to_problem()))
    }
}
