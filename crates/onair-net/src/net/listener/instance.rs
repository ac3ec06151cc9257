//! The first instance of onair, to which later starts pass their arguments through a Unix socket
//! that only its owner can reach. Each connection carries one message and one answer, both limited
//! in length and time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::base::Worker;
use crate::platform::local_socket::{self, Limits, LocalListener};

/// Maximum size of a message or answer, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 << 10;
/// Time limit for each read from a peer, and for each write to it.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(1);

/// Returns the path of the socket for this file, such as the settings file. The socket is in the
/// user's runtime folder or, if there is no such folder, next to the file. Returns `None` if the
/// path next to the file would be too long.
pub fn socket_for(name: &Path) -> Option<PathBuf> {
    let Some(folder) = dirs::runtime_dir() else {
        let mut beside = name.as_os_str().to_owned();
        beside.push(".sock");
        return Some(PathBuf::from(beside)).filter(|it| local_socket::is_possible(it));
    };
    let whole = std::path::absolute(name).unwrap_or_else(|_| name.to_owned());
    let digest = Sha256::digest(whole.as_os_str().as_encoded_bytes());
    let name = HEXLOWER.encode(digest.get(..8).unwrap_or_default());
    Some(folder.join("onair").join(format!("{name}.sock")))
}

/// The first instance, which answers later starts until it is dropped.
#[derive(Debug)]
pub struct FirstInstance {
    path: PathBuf,
    over: Arc<AtomicBool>,
    worker: Option<Worker>,
}

impl FirstInstance {
    /// Listens on this socket, and replaces a socket that an earlier instance left behind. The
    /// caller must have ensured that it is the first instance.
    ///
    /// # Errors
    /// Fails if the socket cannot be created.
    pub fn listen(
        path: &Path,
        mut answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static,
    ) -> io::Result<Self> {
        let listener = LocalListener::bind(path)?;
        let over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&over);
        let worker = Worker::spawn("onair-instance", move |_| {
            loop {
                let request = listener.next();
                if ends.load(Ordering::Relaxed) {
                    break;
                }
                let limits = Limits { bytes: MAX_MESSAGE_BYTES, time: MESSAGE_TIMEOUT };
                if let Err(error) = request.and_then(|it| it.answer(limits, &mut answer)) {
                    tracing::debug!(%error, "handing over to the running window failed");
                }
            }
        })?;
        Ok(Self { path: path.to_owned(), over, worker: Some(worker) })
    }
}

impl Drop for FirstInstance {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the thread, which waits for the next connection.
        local_socket::end(&self.path);
        drop(self.worker.take());
    }
}

/// Sends a message to the first instance, and waits for its answer for at most `limit`.
///
/// # Errors
/// Fails if there is no first instance, or it does not answer.
pub fn hand_over(path: &Path, message: &[u8], limit: Duration) -> io::Result<Vec<u8>> {
    local_socket::ask(path, message, Limits { bytes: MAX_MESSAGE_BYTES, time: limit })
}

// The tests meet the sockets of Unix as other programs do. `packaging/windows/test.sh` starts onair twice on Windows.
#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn later_starts_are_answered_and_the_socket_is_the_owners() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("onair").join("a.sock");
        let limit = Duration::from_secs(5);
        assert!(hand_over(&path, b"anybody?", limit).is_err());
        let first = FirstInstance::listen(&path, |message| [b"got ", message].concat()).unwrap();
        for _ in 0..3 {
            assert_eq!(hand_over(&path, b"open this", limit).unwrap(), b"got open this");
        }
        let too_long = vec![b'x'; MAX_MESSAGE_BYTES + 1];
        assert_eq!(hand_over(&path, &too_long, limit).unwrap(), b"", "not taken in part");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        drop(first);
        assert!(hand_over(&path, b"gone?", limit).is_err());
        // A socket that a crash left behind is replaced.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let again = FirstInstance::listen(&path, |_| Vec::new()).unwrap();
        assert_eq!(hand_over(&path, b"x", limit).unwrap(), b"");
        drop(again);
    }

    #[test]
    fn one_that_does_not_answer_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let _hanging = UnixListener::bind(&path).unwrap();
        let begin = std::time::Instant::now();
        assert!(hand_over(&path, b"x", Duration::from_millis(200)).is_err());
        assert!(begin.elapsed() < Duration::from_secs(5));
        // A silent peer does not block other peers for long.
        let path = folder.path().join("b.sock");
        let _first = FirstInstance::listen(&path, <[u8]>::to_vec).unwrap();
        let _silent = UnixStream::connect(&path).unwrap();
        let limit = Duration::from_secs(10);
        assert_eq!(hand_over(&path, b"y", limit).unwrap(), b"y");
    }
}
