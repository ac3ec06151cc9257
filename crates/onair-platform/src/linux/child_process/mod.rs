//! Helper processes that read memory of this process and talk to it over a stream.

#![allow(unsafe_code)]

pub mod launcher;
pub mod shared_memory;

use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::system::child_process::launcher::{FIRST_FILE, Helper};
use crate::system::child_process::shared_memory::SharedMemory;
use crate::system::mapping::Mapping;

/// One end of the stream between this process and a helper.
#[derive(Debug)]
pub struct HelperStream(UnixStream);

impl From<UnixStream> for HelperStream {
    fn from(stream: UnixStream) -> Self {
        Self(stream)
    }
}

impl HelperStream {
    /// Reads what is there, or waits for it. Returns 0 if the other end is closed. `None` is no time limit.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::TimedOut`] after the time limit.
    pub fn read(&self, into: &mut [u8], limit: Option<Duration>) -> io::Result<usize> {
        // A timeout of zero would mean no timeout.
        if limit == Some(Duration::ZERO) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.0.set_read_timeout(limit)?;
        match (&self.0).read(into) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                Err(io::ErrorKind::TimedOut.into())
            }
            result => result,
        }
    }

    /// Writes all bytes. `limit` is the time for each part that the other end takes.
    ///
    /// # Errors
    /// Fails if the other end is closed or does not read.
    pub fn write_all(&self, bytes: &[u8], limit: Duration) -> io::Result<()> {
        self.0.set_write_timeout(Some(limit))?;
        (&self.0).write_all(bytes)
    }
}

/// Memory that this helper inherited.
#[derive(Debug)]
pub struct InheritedMemory(OwnedFd);

impl InheritedMemory {
    /// Maps the memory, which must have at least this length in bytes.
    ///
    /// # Errors
    /// Fails if the system has no addresses left.
    pub fn map(&self, length: usize) -> io::Result<Mapping> {
        Mapping::of(self.0.as_raw_fd(), length, 0)
    }
}

/// Starts a helper that can read this memory.
///
/// # Errors
/// Fails if this process has no launcher, or the launcher cannot start the helper.
pub fn launch(helper: &str, memory: &SharedMemory) -> io::Result<(HelperStream, Helper)> {
    let (stream, theirs) = launcher::stream()?;
    let files: [&dyn AsRawFd; 2] = [&theirs, &memory.file()];
    let helper = launcher::launch(helper, &files)?;
    Ok((HelperStream(stream), helper))
}

/// Returns the stream and the memory of this helper, or `None` if a user started the command.
pub fn inherited() -> Option<(HelperStream, InheritedMemory)> {
    let is_open = |file: RawFd| {
        // SAFETY: a plain call; a closed descriptor gives an error.
        unsafe { libc::fcntl(file, libc::F_GETFD) >= 0 }
    };
    let (stream, memory) = (FIRST_FILE, FIRST_FILE + 1);
    if !is_open(stream) || !is_open(memory) {
        return None;
    }
    // SAFETY: the descriptors are open, and nothing else in this process owns them.
    let (stream, memory) =
        unsafe { (UnixStream::from_raw_fd(stream), OwnedFd::from_raw_fd(memory)) };
    stream.peer_addr().is_ok().then_some((HelperStream(stream), InheritedMemory(memory)))
}
