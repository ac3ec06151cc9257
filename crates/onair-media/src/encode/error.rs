//! Encoding errors.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::encode::backend::process::Trouble;
use crate::media::{Size, TrackKind};
use crate::text::Problem;
use crate::text::problem::{problem, problem_error};

/// The reason why an encoder cannot be opened or cannot continue. Each error ends its encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The settings cannot be encoded, with the reason.
    Config(Problem),
    /// No backend could be opened. `tried` contains one reason for each backend, in the order of
    /// attempts.
    NoBackend { kind: TrackKind, tried: Vec<Problem> },
    /// The codec rejected a request.
    Codec { encoder: &'static str, step: Step, code: i64 },
    /// The codec's output was invalid.
    Malformed { encoder: &'static str, flaw: Flaw },
    /// The encoder's process did not start, or failed.
    Process { encoder: &'static str, trouble: Trouble },
    /// The size of a frame differs from the configured size.
    Size { expected: Size, got: Size },
    /// The system cannot start more threads.
    Thread { thread: &'static str, reason: String },
    /// The encoder's thread has panicked.
    Crashed,
}

/// Runs the work of an encoder's thread. A panic in it is a failure of the encoder.
pub(super) fn contain_panic(work: impl FnOnce() -> Result<(), Error>) -> Result<(), Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(Error::Crashed))
}

/// The operation of an encoder's library.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Start,
    Configure,
    Describe,
    SetQuantizer,
    ForceKeyframe,
    Encode,
}

/// The flaw of an encoder's output.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    NoConfig,
    BadConfig,
    OtherChannels,
    NoSlice,
    NoStartCode,
}

impl From<Step> for Problem {
    fn from(step: Step) -> Self {
        match step {
            Step::Start => problem!("encode-step-start"),
            Step::Configure => problem!("encode-step-configure"),
            Step::Describe => problem!("encode-step-describe"),
            Step::SetQuantizer => problem!("encode-step-quantizer"),
            Step::ForceKeyframe => problem!("encode-step-keyframe"),
            Step::Encode => problem!("encode-step-encode"),
        }
    }
}

impl From<Flaw> for Problem {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::NoConfig => problem!("encode-flaw-no-config"),
            Flaw::BadConfig => problem!("encode-flaw-bad-config"),
            Flaw::OtherChannels => problem!("encode-flaw-channels"),
            Flaw::NoSlice => problem!("encode-flaw-no-slice"),
            Flaw::NoStartCode => problem!("encode-flaw-no-start-code"),
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Config(problem) => problem.clone(),
            Error::NoBackend { kind: TrackKind::Video, tried } => {
                problem!("encode-no-video-encoder", tried = tried.clone())
            }
            Error::NoBackend { kind: TrackKind::Audio, tried } => {
                problem!("encode-no-audio-encoder", tried = tried.clone())
            }
            Error::Codec { encoder, step, code } => {
                let step = Self::from(*step);
                problem!("encode-failed", encoder = *encoder, step = step, code = *code)
            }
            Error::Malformed { encoder, flaw } => {
                problem!("encode-malformed", encoder = *encoder, flaw = Self::from(*flaw))
            }
            Error::Process { encoder, trouble } => {
                let reason = Self::from(trouble);
                problem!("encode-process", encoder = *encoder, reason = reason)
            }
            Error::Size { expected, got } => {
                let (expected, got) = (expected.to_string(), got.to_string());
                problem!("encode-other-size", expected = expected, got = got)
            }
            Error::Thread { thread, reason } => {
                problem!("encode-no-thread", thread = *thread, reason = reason)
            }
            Error::Crashed => problem!("internal-error"),
        }
    }
}

problem_error!(Error);
