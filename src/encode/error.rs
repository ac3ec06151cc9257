//! What can go wrong while encoding.

use std::fmt;

use crate::media::Size;
use crate::text::Problem;
use crate::text::problem::problem;

/// An encoder does not open or does not go on. All of these end the encoder they concern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The settings describe nothing that can be encoded, and why.
    Config(Problem),
    /// No backend could be opened; one reason each, in the order they were tried.
    NoBackend { kind: &'static str, tried: Vec<String> },
    /// The codec refused what it was asked.
    Codec { encoder: &'static str, doing: &'static str, code: i64 },
    /// The codec's output was not what the format promises.
    Malformed { encoder: &'static str, what: &'static str },
    /// A picture of another size than was agreed.
    Size { expected: Size, got: Size },
    /// The system can start no more threads.
    Thread { thread: &'static str, reason: String },
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Config(problem) => problem.clone(),
            Error::NoBackend { kind, tried } => {
                problem!("encode-no-encoder", kind = *kind, tried = tried.join("; "))
            }
            Error::Codec { encoder, doing, code } => {
                problem!("encode-failed", encoder = *encoder, doing = *doing, code = *code)
            }
            Error::Malformed { encoder, what } => {
                problem!("encode-malformed", encoder = *encoder, what = *what)
            }
            Error::Size { expected, got } => {
                let (expected, got) = (expected.to_string(), got.to_string());
                problem!("encode-other-size", expected = expected, got = got)
            }
            Error::Thread { thread, reason } => {
                problem!("encode-no-thread", thread = *thread, reason = reason)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Problem::from(self).fmt(f)
    }
}

impl std::error::Error for Error {}
