//! Text that must not be seen: stream keys, passwords, tokens. Never printed, wiped when dropped.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text. `Debug` and `Display` print `***`; [`Secret::expose`] is the one way to read it,
/// and each call of it is a place to review.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself: for the wire and the key store only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` with every occurrence of the secret replaced by `***`: for what a server says back.
    /// Secrets shorter than 4 bytes are left alone, they would blank out ordinary words.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < 4 { text.to_owned() } else { text.replace(self.expose(), "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_never_printed() {
        let key = Secret::new("live_1234_abcd");
        assert_eq!(format!("{key} {key:?}"), "*** ***");
        assert_eq!(key.redact("no stream live_1234_abcd here"), "no stream *** here");
        assert_eq!(Secret::new("a").redact("a word"), "a word");
    }
}
