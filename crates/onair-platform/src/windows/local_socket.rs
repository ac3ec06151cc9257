//! Messages between processes of one user on this computer.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::NotOnThisSystem;

const MISSING: NotOnThisSystem = NotOnThisSystem("messages to the running window");

/// Returns true: the name has no limit that matters.
pub fn is_possible(_path: &Path) -> bool {
    true
}

/// The limits of each message and its answer.
#[derive(Copy, Clone, Debug)]
pub struct Limits {
    pub bytes: usize,
    /// For each read from the other process, and for each write to it.
    pub time: Duration,
}

/// Answers messages until it is dropped.
#[derive(Debug)]
pub enum LocalListener {}

impl LocalListener {
    /// Fails: this system does not have it yet.
    ///
    /// # Errors
    /// Always fails with [`NotOnThisSystem`].
    pub fn bind(_path: &Path) -> io::Result<Self> {
        Err(MISSING.into())
    }

    /// Waits for the next message.
    ///
    /// # Errors
    /// There is no listener on this system.
    pub fn next(&self) -> io::Result<LocalRequest> {
        match *self {}
    }
}

/// A connection of another process.
#[derive(Debug)]
pub enum LocalRequest {}

impl LocalRequest {
    /// Reads the message and writes its answer.
    ///
    /// # Errors
    /// There is no request on this system.
    pub fn answer(self, _limits: Limits, _answer: impl FnOnce(&[u8]) -> Vec<u8>) -> io::Result<()> {
        match self {}
    }
}

/// Fails: this system does not have it yet.
///
/// # Errors
/// Always fails with [`NotOnThisSystem`].
pub fn ask(_path: &Path, _message: &[u8], _limits: Limits) -> io::Result<Vec<u8>> {
    Err(MISSING.into())
}

/// Does nothing: there is no listener on this system.
pub fn end(_path: &PathBuf) {}
