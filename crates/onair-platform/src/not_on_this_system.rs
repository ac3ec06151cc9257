//! The error of a function that this operating system cannot offer.

use std::io;

/// This operating system does not offer it. The text names what is missing.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not on this system: {0}")]
pub struct NotOnThisSystem(pub &'static str);

impl From<NotOnThisSystem> for io::Error {
    fn from(error: NotOnThisSystem) -> Self {
        Self::new(io::ErrorKind::Unsupported, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_of_io_says_what_is_missing() {
        let error = io::Error::from(NotOnThisSystem("locks"));
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "not on this system: locks");
    }
}
