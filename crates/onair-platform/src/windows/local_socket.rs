//! Messages between processes of one user on this computer, through a named pipe. Each connection carries one
//! message and one answer, both with their length before them, and limited in length and time.
//!
//! A pipe is in no folder, and any process can create one with any name. So its name contains the path that other
//! systems use, which is in a folder of this user, the first instance takes no pipe that exists already, and `ask`
//! writes only to a process of this user.
#![allow(unsafe_code)]

use std::fs::OpenOptions;
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::io::AsRawHandle as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_FLAG_OVERLAPPED, SECURITY_IDENTIFICATION,
};
use windows_sys::Win32::System::Pipes::GetNamedPipeServerProcessId;
use windows_sys::Win32::UI::WindowsAndMessaging::AllowSetForegroundWindow;

use crate::system::pipe::Pipe;
use crate::system::process::can_be_queried;
use crate::system::wide;

/// Maximum number of connections at the same time: one is answered, and one waits.
const MAX_INSTANCES: u32 = 4;
/// The time before a pipe that could not be created is tried again.
const RETRY_INTERVAL: Duration = Duration::from_millis(200);

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
pub struct LocalListener {
    name: Vec<u16>,
    /// The instance of the pipe to which the next process connects.
    waiting: Mutex<Pipe>,
}

impl LocalListener {
    /// Listens for this path.
    ///
    /// # Errors
    /// Fails if another process listens there, or the pipe cannot be created.
    pub fn bind(path: &Path) -> io::Result<Self> {
        let name = wide(name_for(path).as_ref());
        let waiting = Pipe::create(&name, FILE_FLAG_FIRST_PIPE_INSTANCE, MAX_INSTANCES)?;
        Ok(Self { name, waiting: Mutex::new(waiting) })
    }

    /// Waits for the next message, without a time limit.
    ///
    /// # Errors
    /// Fails if the connection fails.
    pub fn next(&self) -> io::Result<LocalRequest> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let accepted = waiting.accept();
        // Before this connection is answered, so that others find a pipe. If the other process has gone already, this
        // instance accepts nobody else either.
        let next = Pipe::create(&self.name, 0, MAX_INSTANCES).inspect_err(|_| {
            // The caller tries again, and something must have ended until then.
            #[allow(clippy::disallowed_methods, reason = "there is nothing to wait for")]
            std::thread::sleep(RETRY_INTERVAL);
        })?;
        let connected = std::mem::replace(&mut *waiting, next);
        accepted.map(|()| LocalRequest(connected))
    }
}

/// A connection of another process.
#[derive(Debug)]
pub struct LocalRequest(Pipe);

impl LocalRequest {
    /// Reads the message and writes its answer.
    ///
    /// # Errors
    /// Fails if the message is too long, or the other process is too slow or gone.
    pub fn answer(self, limits: Limits, answer: impl FnOnce(&[u8]) -> Vec<u8>) -> io::Result<()> {
        let message = receive(&self.0, limits)?;
        send(&self.0, &answer(&message), limits)?;
        // The other process closes the pipe when it has read the answer.
        let _ = self.0.read(&mut [0], Some(limits.time));
        Ok(())
    }
}

/// Sends a message to the process that listens for this path, and returns its answer, which is empty if the process
/// refuses the message.
///
/// # Errors
/// Fails if no process of this user listens there, or it does not answer.
pub fn ask(path: &Path, message: &[u8], limits: Limits) -> io::Result<Vec<u8>> {
    let pipe = connect(path)?;
    let mut process = 0;
    // SAFETY: the handle is open, and the call writes one integer.
    let is_known =
        unsafe { GetNamedPipeServerProcessId(pipe.0.as_raw_handle(), &raw mut process) } != 0;
    if !is_known || !can_be_queried(process) {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    // The user has just started this process, so it may pass the focus on to the other.
    // SAFETY: a plain call.
    unsafe { AllowSetForegroundWindow(process) };
    let answer = send(&pipe, message, limits).and_then(|()| receive(&pipe, limits));
    match answer {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Vec::new()),
        answer => answer,
    }
}

/// Ends one wait of the listener for this path.
pub fn end(path: &PathBuf) {
    let _ = connect(path);
}

fn connect(path: &Path) -> io::Result<Pipe> {
    let mut options = OpenOptions::new();
    // The other process may learn who asks, and nothing more.
    options.security_qos_flags(SECURITY_IDENTIFICATION).custom_flags(FILE_FLAG_OVERLAPPED);
    let file = options.read(true).write(true).open(name_for(path))?;
    Ok(Pipe(file.into()))
}

/// Returns the name of the pipe: a hash (FNV-1a) of the absolute path.
fn name_for(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let hash = path.as_os_str().as_encoded_bytes().iter();
    let hash = hash.fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(r"\\.\pipe\onair-{hash:016x}")
}

/// Sends the length and the message.
fn send(pipe: &Pipe, message: &[u8], limits: Limits) -> io::Result<()> {
    let length = u32::try_from(message.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    pipe.write_all(&[&length.to_le_bytes(), message].concat(), Some(limits.time))
}

/// Receives a message with its length. A message that is too long is refused, because its beginning alone has
/// another meaning.
fn receive(pipe: &Pipe, limits: Limits) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    read_exact(pipe, &mut length, limits.time)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > limits.bytes {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    read_exact(pipe, &mut message, limits.time)?;
    Ok(message)
}

fn read_exact(pipe: &Pipe, mut buffer: &mut [u8], limit: Duration) -> io::Result<()> {
    while !buffer.is_empty() {
        let count = pipe.read(buffer, Some(limit))?;
        buffer = buffer.get_mut(count..).unwrap_or_default();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { bytes: 100_000, time: Duration::from_secs(5) };

    #[test]
    fn a_message_is_answered_and_the_name_is_free_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        assert!(ask(&path, b"anybody?", LIMITS).is_err());
        let listener = LocalListener::bind(&path).unwrap();
        let long = vec![b'x'; LIMITS.bytes];
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..2 {
                    let request = listener.next().unwrap();
                    request.answer(LIMITS, |message| [b"got ", message].concat()).unwrap();
                }
                let refused = listener.next().unwrap().answer(LIMITS, <[u8]>::to_vec);
                assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::InvalidData);
            });
            assert_eq!(ask(&path, b"open this", LIMITS).unwrap(), b"got open this");
            assert_eq!(ask(&path, b"", LIMITS).unwrap(), b"got ");
            let mut longer = long.clone();
            longer.push(b'x');
            assert_eq!(ask(&path, &longer, LIMITS).unwrap_or_default(), b"", "not taken in part");
        });
        drop(listener);
        assert!(ask(&path, b"gone?", LIMITS).is_err());
        drop(LocalListener::bind(&path).unwrap());
    }

    #[test]
    fn a_process_that_is_silent_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let listener = LocalListener::bind(&path).unwrap();
        let short = Limits { time: Duration::from_millis(100), ..LIMITS };
        assert!(ask(&path, b"x", short).is_err(), "nobody answers");
        let connection = connect(&path);
        let request = listener.next().and_then(|request| request.answer(short, <[u8]>::to_vec));
        assert!(request.is_err());
        drop(connection);
    }

    #[test]
    fn the_wait_of_a_listener_can_be_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let listener = LocalListener::bind(&path).unwrap();
        std::thread::scope(|scope| {
            let wait = scope.spawn(|| drop(listener.next()));
            end(&path);
            wait.join().unwrap();
        });
        // Nobody is lost because of one who left.
        std::thread::scope(|scope| {
            scope.spawn(|| listener.next().unwrap().answer(LIMITS, <[u8]>::to_vec).unwrap());
            assert_eq!(ask(&path, b"still there?", LIMITS).unwrap(), b"still there?");
        });
    }
}
