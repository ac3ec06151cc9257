//! Decoding errors.

use std::ops::RangeInclusive;

use crate::text::Problem;
use crate::text::problem::{problem, problem_error};

/// The sample rates of decoded audio.
pub(super) const SAMPLE_RATES: RangeInclusive<u32> = 1_000..=384_000;

/// The reason why a stream or one of its packets cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// This decoder does not support the stream. The error is permanent.
    Unsupported(Problem),
    /// No decoder exists for the codec. `lack` is the reason.
    NoDecoder { codec: String, lack: NoDecoder },
    /// The decoder configuration (avcC, AudioSpecificConfig) is damaged.
    Config { codec: &'static str, reason: Problem },
    /// One packet is damaged. The stream can continue after that packet.
    Damaged { codec: &'static str, reason: Problem },
    /// The library failed.
    Codec { decoder: &'static str, step: Step, code: i64 },
}

/// The operation of a decoder's library.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Start,
    Configure,
    /// Decoding several consecutive keyframes.
    DecodeKeyframes,
}

/// The reason why no decoder supports a codec that the built-in decoders lack.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoDecoder {
    /// The build does not include the FFmpeg libraries.
    NotBuilt,
    /// The FFmpeg libraries are not installed.
    NotInstalled,
    /// The installed libraries have no decoder for the codec.
    NotInLibrary,
}

impl Error {
    /// Creates the error for a packet with an invalid length.
    pub(super) fn length(codec: &'static str, bytes: usize) -> Self {
        Self::Damaged { codec, reason: problem!("decode-length", bytes = bytes) }
    }

    /// Fails if decoded audio has an extreme sample rate, for example 1 Hz. A converter would need
    /// too much memory for such audio.
    pub(super) fn check_rate(codec: &'static str, rate: u32) -> Result<(), Self> {
        if SAMPLE_RATES.contains(&rate) {
            return Ok(());
        }
        Err(Self::Unsupported(format!("{codec} ({rate} Hz)").into()))
    }

    /// Returns true if no later packet of the stream can be decoded either.
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

problem_error!(Error);

problem_error!(*NoDecoder);
