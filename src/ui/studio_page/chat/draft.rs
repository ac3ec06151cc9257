//! The state of the chat panel between two frames.

/// The state of the chat panel between two frames.
#[derive(Debug, Default)]
pub struct Draft {
    /// True if the user has chosen the chat of the watched stream over that of the own one.
    pub(super) watched: bool,
    /// The message that is being written.
    pub(super) saying: String,
    /// The blocked words, while they are edited.
    pub(super) words: Option<String>,
}
