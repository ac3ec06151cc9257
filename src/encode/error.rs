//! What can go wrong while encoding.

use crate::media::Size;

/// An encoder does not open or does not go on. All of these end the encoder they concern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The settings describe nothing that can be encoded.
    #[error("cannot encode {what}: {reason}")]
    Config { what: &'static str, reason: String },
    /// No backend could be opened; one reason each, in the order they were tried.
    #[error("no {kind} encoder could be opened ({})", .tried.join("; "))]
    NoBackend { kind: &'static str, tried: Vec<String> },
    /// The codec refused what it was asked.
    #[error("{encoder} failed while {doing} (code {code})")]
    Codec { encoder: &'static str, doing: &'static str, code: i64 },
    /// The codec's output was not what the format promises.
    #[error("{encoder} wrote a malformed stream: {what}")]
    Malformed { encoder: &'static str, what: &'static str },
    /// A picture of another size than was agreed.
    #[error("a picture of {got} came to an encoder for {expected}")]
    Size { expected: Size, got: Size },
    /// The system can start no more threads.
    #[error("cannot start the {thread} thread: {reason}")]
    Thread { thread: &'static str, reason: String },
}
