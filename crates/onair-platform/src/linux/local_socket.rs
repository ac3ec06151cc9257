//! Messages between processes of one user on this computer, through a Unix socket that only its owner can
//! reach. Each connection carries one message and one answer, both limited in length and time.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::system::files::create_private_folder;

/// Maximum length of a socket path in bytes.
const MAX_PATH_BYTES: usize = 100;

/// Returns false if the system allows no socket with such a long path.
pub fn is_possible(path: &Path) -> bool {
    path.as_os_str().len() <= MAX_PATH_BYTES
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
pub struct LocalListener(UnixListener);

impl LocalListener {
    /// Listens on this path, and replaces a socket that an earlier process left behind. The caller
    /// must have ensured that no process listens there.
    ///
    /// # Errors
    /// Fails if the socket cannot be created.
    pub fn bind(path: &Path) -> io::Result<Self> {
        create_private_folder(path.parent().unwrap_or_else(|| Path::new(".")))?;
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self(listener))
    }

    /// Waits for the next message, without a time limit.
    ///
    /// # Errors
    /// Fails if the connection fails.
    pub fn next(&self) -> io::Result<LocalRequest> {
        self.0.accept().map(|(peer, _)| LocalRequest(peer))
    }
}

/// A connection of another process.
#[derive(Debug)]
pub struct LocalRequest(UnixStream);

impl LocalRequest {
    /// Reads the message and writes its answer.
    ///
    /// # Errors
    /// Fails if the message is too long, or the other process is too slow or gone.
    pub fn answer(self, limits: Limits, answer: impl FnOnce(&[u8]) -> Vec<u8>) -> io::Result<()> {
        let mut peer = self.0;
        peer.set_read_timeout(Some(limits.time))?;
        peer.set_write_timeout(Some(limits.time))?;
        let mut message = Vec::new();
        (&mut peer).take(limits.bytes as u64 + 1).read_to_end(&mut message)?;
        if message.len() > limits.bytes {
            // Its beginning alone has another meaning.
            return Err(io::ErrorKind::InvalidData.into());
        }
        peer.write_all(&answer(&message))
    }
}

/// Sends a message to the process that listens on this path, and returns its answer.
///
/// # Errors
/// Fails if no process listens there, or it does not answer.
pub fn ask(path: &Path, message: &[u8], limits: Limits) -> io::Result<Vec<u8>> {
    let mut peer = UnixStream::connect(path)?;
    peer.set_read_timeout(Some(limits.time))?;
    peer.set_write_timeout(Some(limits.time))?;
    peer.write_all(message)?;
    peer.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    peer.take(limits.bytes as u64).read_to_end(&mut answer)?;
    Ok(answer)
}

/// Ends one wait of the listener on this path, and removes the path.
pub fn end(path: &PathBuf) {
    let _ = UnixStream::connect(path);
    let _ = std::fs::remove_file(path);
}
