//! Retry limit for a server that answers, but refuses the rest of a recording. Without an answer
//! there is no limit, because networks recover. This module is pure.

use crate::net::{self, Cause, WebProblem};
use crate::player::state::{Failure, FailureKind};
use crate::text::problem::problem;

/// Maximum number of consecutive wrong answers. A few are normal while a server is reconfigured.
const MAX_REFUSALS: u32 = 5;
/// Maximum number of consecutive temporary refusals. They cover more than a minute, which is enough
/// for a backend server to restart.
const MAX_TEMPORARY_REFUSALS: u32 = 40;

/// The reason why the server does not send the rest.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum RangeRefusal {
    /// The file is gone.
    Gone,
    /// A wrong answer, or a clear refusal.
    Other,
    /// A temporary refusal.
    Passing,
}

impl RangeRefusal {
    /// Classifies an error. Returns `None` if the error is not an answer of the server.
    pub fn of(error: &net::Error) -> Option<Self> {
        Some(match &error.cause {
            Cause::Answer { status: 404 | 410, .. } => Self::Gone,
            Cause::Answer { status: 408 | 425 | 429 | 500..=599, .. } => Self::Passing,
            Cause::Web(WebProblem::TooLittle) => Self::Passing,
            Cause::Answer { .. } | Cause::Web(_) | Cause::Protocol(_) => Self::Other,
            _ => return None,
        })
    }
}

/// Number of consecutive useless answers.
#[derive(Debug, Default)]
pub(crate) struct RangeRetry(u32);

impl RangeRetry {
    /// Resets the counter, because media arrived.
    pub fn came(&mut self) {
        self.0 = 0;
    }

    /// Counts a refusal, and returns the failure once the limit is reached.
    pub fn refused(&mut self, refusal: RangeRefusal, failure: &Failure) -> Option<Failure> {
        self.0 += 1;
        let cause = &failure.problem;
        let (most, problem) = match refusal {
            RangeRefusal::Gone => (1, problem!("play-recording-gone", cause = cause)),
            RangeRefusal::Other => {
                (MAX_REFUSALS, problem!("play-recording-refused", cause = cause))
            }
            RangeRefusal::Passing => {
                (MAX_TEMPORARY_REFUSALS, problem!("play-recording-refused", cause = cause))
            }
        };
        (self.0 >= most).then(|| Failure::new(FailureKind::Lost, problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::ConnectStage;

    fn of(cause: Cause) -> Option<RangeRefusal> {
        RangeRefusal::of(&net::Error {
            stage: ConnectStage::Request,
            cause,
            peer: "server:80".to_owned(),
        })
    }

    fn answer(status: u16) -> Option<RangeRefusal> {
        of(Cause::Answer { status, reason: String::new(), cookie: false })
    }

    #[test]
    fn what_is_gone_is_gone_at_once_and_others_are_asked_again() {
        assert_eq!([404, 410].map(answer), [Some(RangeRefusal::Gone); 2]);
        assert_eq!([401, 403, 416].map(answer), [Some(RangeRefusal::Other); 3]);
        assert_eq!([429, 500, 502, 503].map(answer), [Some(RangeRefusal::Passing); 4]);
        assert_eq!(of(Cause::Web(WebProblem::OtherPart)), Some(RangeRefusal::Other));
        // There is no answer.
        assert_eq!(of(Cause::ConnectionRefused), None);
        assert_eq!(of(Cause::Closed), None);

        let failure = Failure::new(FailureKind::Refused, "it says no".into());
        let tries = |refusal| {
            let mut range_retry = RangeRetry::default();
            let ends =
                (1..100).find_map(|number| Some((number, range_retry.refused(refusal, &failure)?)));
            ends.unwrap()
        };
        let (tried, ended) = tries(RangeRefusal::Gone);
        assert_eq!((tried, ended.kind), (1, FailureKind::Lost));
        assert_eq!(ended.to_string(), "the recording is no longer on the server: it says no");
        assert_eq!(
            (tries(RangeRefusal::Other).0, tries(RangeRefusal::Passing).0),
            (MAX_REFUSALS, MAX_TEMPORARY_REFUSALS)
        );
        // Only consecutive refusals count.
        let mut range_retry = RangeRetry::default();
        for _ in 0..100 {
            assert_eq!(range_retry.refused(RangeRefusal::Other, &failure), None);
            range_retry.came();
        }
    }
}
