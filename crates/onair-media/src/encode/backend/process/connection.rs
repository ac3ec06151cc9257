//! Moves messages over the socket, each within a time limit.

use std::io;
use std::time::{Duration, Instant};

use crate::base::child_process::HelperStream;
use crate::encode::backend::process::wire::MAX_MESSAGE;

/// The bytes that are read at a time, so that memory grows only with data that came.
const CHUNK: usize = 64 << 10;

/// Sends a message.
pub(super) fn send(socket: &HelperStream, message: &[u8], limit: Duration) -> io::Result<()> {
    socket.write_all(message, limit)
}

/// Receives a message without its length. `limit` is the time for the whole message; `None` waits
/// until it comes.
pub(super) fn receive(socket: &HelperStream, limit: Option<Duration>) -> io::Result<Vec<u8>> {
    let until = limit.map(|limit| Instant::now() + limit);
    let mut length = [0; 4];
    read(socket, &mut length, until)?;
    let length = u32::from_le_bytes(length) as usize;
    if length > MAX_MESSAGE + 64 {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut message = Vec::new();
    while message.len() < length {
        let start = message.len();
        message.resize(length.min(start + CHUNK), 0);
        read(socket, message.get_mut(start..).unwrap_or_default(), until)?;
    }
    Ok(message)
}

fn read(socket: &HelperStream, mut into: &mut [u8], until: Option<Instant>) -> io::Result<()> {
    while !into.is_empty() {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match socket.read(into, left) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => into = std::mem::take(&mut into).get_mut(read..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
