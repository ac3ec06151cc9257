//! Who calls whom.

/// The way in which two sides find each other.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// This side calls a listener.
    Caller,
    /// This side waits for a caller.
    Listener,
    /// Both sides call each other, from the port that they call.
    Rendezvous,
}

impl Mode {
    /// Returns the word for the mode in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Listener => "listener",
            Self::Rendezvous => "rendezvous",
        }
    }

    /// Returns the mode of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        let all = [Self::Caller, Self::Listener, Self::Rendezvous];
        all.into_iter().find(|mode| mode.word() == word)
    }
}
