//! What can go wrong while decoding.

use std::fmt;

use crate::text::Problem;
use crate::text::problem::problem;

/// A stream or one of its packets cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The stream is of a kind that this decoder does not have; nothing will help.
    Unsupported(String),
    /// There is no decoder for it here, and why.
    NoDecoder { codec: String, lack: NoDecoder },
    /// The decoder configuration (avcC, AudioSpecificConfig) is damaged.
    Parameters { what: &'static str, reason: String },
    /// One packet is damaged. The stream may go on after it.
    Damaged { what: &'static str, reason: String },
    /// The library could not be started.
    Codec { decoder: &'static str, doing: &'static str, code: i64 },
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
    pub(super) fn length(what: &'static str, bytes: usize) -> Self {
        Self::Damaged { what, reason: format!("{bytes} bytes") }
    }

    /// Nothing that comes later in the stream can be decoded either.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Unsupported(_) | Self::NoDecoder { .. })
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::Unsupported(codec) => problem!("decode-unsupported", codec = codec),
            Error::NoDecoder { codec, lack } => {
                problem!("decode-no-decoder", codec = codec, reason = Self::from(*lack))
            }
            Error::Parameters { what, reason } => {
                problem!("decode-bad-config", what = *what, reason = reason)
            }
            Error::Damaged { what, reason } => {
                problem!("decode-bad-packet", what = *what, reason = reason)
            }
            Error::Codec { decoder, doing, code } => {
                problem!("decode-failed", decoder = *decoder, doing = *doing, code = *code)
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
