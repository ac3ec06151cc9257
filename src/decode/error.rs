//! What can go wrong while decoding.

/// A stream or one of its packets cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The stream is of a kind that this decoder does not have; nothing will help.
    #[error("{0} cannot be decoded here")]
    Unsupported(String),
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

impl Error {
    /// Whether the stream can go on: only this packet is lost.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}
