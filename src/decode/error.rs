//! What can go wrong while decoding.

use std::fmt;

use crate::text::Problem;
use crate::text::problem::problem;

/// A stream or one of its packets cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The stream is of a kind that this decoder does not have; nothing will help.
    Unsupported(Problem),
    /// There is no decoder for it here, and why.
    NoDecoder { codec: String, lack: NoDecoder },
    /// The decoder configuration (avcC, AudioSpecificConfig) is damaged.
    Config { codec: &'static str, reason: Problem },
    /// One packet is damaged. The stream may continue after it.
    Damaged { codec: &'static str, reason: Problem },
    /// The library failed.
    Codec { decoder: &'static str, step: Step, code: i64 },
}

/// What a decoder's library was asked to do.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Start,
    Configure,
    /// Keyframes, several in a row.
    DecodeKeyframes,
}

/// Why there is no decoder for a codec that none of those in the program decodes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoDecoder {
    /// It knows nothing of the libraries that have it.
    NotBuilt,
    /// The libraries that it was built for are not on this system.
    NotInstalled,
    /// The libraries that are there have none.
    NotInLibrary,
}

impl Error {
    /// A packet of a length that none has.
    pub(super) fn length(codec: &'static str, bytes: usize) -> Self {
        Self::Damaged { codec, reason: problem!("decode-length", bytes = bytes) }
    }

    /// Nothing that comes later in the stream can be decoded either.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unsupported(_) | Self::NoDecoder { .. })
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unsupported(codec) => problem!("decode-unsupported", codec = codec.clone()),
            Error::NoDecoder { codec, lack } => {
                problem!("decode-no-decoder", codec = codec, reason = Self::from(*lack))
            }
            Error::Config { codec, reason } => {
                problem!("decode-bad-config", codec = *codec, reason = reason.clone())
            }
            Error::Damaged { codec, reason } => {
                problem!("decode-bad-packet", codec = *codec, reason = reason.clone())
            }
            Error::Codec { decoder, step: Step::Start, code } => {
                problem!("decode-failed-start", decoder = *decoder, code = *code)
            }
            Error::Codec { decoder, step: Step::Configure, code } => {
                problem!("decode-failed-config", decoder = *decoder, code = *code)
            }
            Error::Codec { decoder, step: Step::DecodeKeyframes, code } => {
                problem!("decode-failed-keyframes", decoder = *decoder, count = *code)
            }
        }
    }
}

impl From<NoDecoder> for Problem {
    fn from(lack: NoDecoder) -> Self {
        match lack {
            NoDecoder::NotBuilt => problem!("decode-not-built"),
            NoDecoder::NotInstalled => problem!("decode-not-installed"),
            NoDecoder::NotInLibrary => problem!("decode-not-in-library"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Problem::from(self).fmt(f)
    }
}

impl std::error::Error for Error {}

impl fmt::Display for NoDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Problem::from(*self).fmt(f)
    }
}

impl std::error::Error for NoDecoder {}
