//! Encoder processes share memory and a socket with onair in a way that only Linux has.

use std::io;

use crate::NotOnThisSystem;

/// Fails: this system has no launcher.
///
/// # Errors
/// Always fails with [`NotOnThisSystem`].
pub fn start() -> io::Result<()> {
    Err(NotOnThisSystem("encoder processes").into())
}
