//! What can go wrong while decoding.

/// A stream or one of its packets cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The stream is of a kind that this decoder does not have; nothing will help.
    #[error("{0} cannot be decoded here")]
    Unsupported(String),
    /// There is no decoder for it here, and why.
    #[error("{codec} cannot be decoded here: {lack}")]
    NoDecoder { codec: String, lack: NoDecoder },
    /// The decoder configuration (avcC, AudioSpecificConfig) is damaged.
    #[error("the {what} is damaged: {reason}")]
    Parameters { what: &'static str, reason: String },
    /// One packet is damaged. The stream may go on after it.
    #[error("a damaged {what} packet was left out ({reason})")]
    Damaged { what: &'static str, reason: String },
    /// The library could not be started.
    #[error("{decoder} failed while {doing} (code {code})")]
    Codec { decoder: &'static str, doing: &'static str, code: i64 },
}

/// Why there is no decoder for a codec that none of those in the program decodes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoDecoder {
    /// It knows nothing of the libraries that have it.
    #[error("this onair was built without FFmpeg's libraries")]
    NotBuilt,
    /// The libraries that it was built for are not on this system.
    #[error("the FFmpeg libraries that this onair was built for are not installed")]
    NotInstalled,
    /// The libraries that are there have none.
    #[error("FFmpeg's libraries on this system have no decoder for it")]
    NotInLibrary,
}

impl NoDecoder {
    /// What a person can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotBuilt => {
                "Use an onair that was built with the feature `ffmpeg` (packaging/run.sh builds it \
                 so where FFmpeg's libraries are installed)"
            }
            Self::NotInstalled => {
                "Install FFmpeg's libraries (libavcodec, libavutil, libswscale) of the version that it \
                 was built with, or build it again with those that are there"
            }
            Self::NotInLibrary => "Install FFmpeg's libraries with that decoder",
        }
    }
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
