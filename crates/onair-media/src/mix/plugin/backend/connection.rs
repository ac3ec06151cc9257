//! Moves messages over the socket, each within a time limit.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::mix::plugin::wire::MAX_MESSAGE;

/// Bytes that are read at a time, so that memory grows only with data that came.
const CHUNK: usize = 64 << 10;
/// The length of the field with a message's length.
const HEAD: usize = 4;

/// Sends a message within a time limit.
pub(super) fn send(socket: &UnixStream, message: &[u8], limit: Duration) -> io::Result<()> {
    let mut socket = socket;
    socket.set_write_timeout(Some(limit))?;
    socket.write_all(message)
}

/// Collects the bytes of messages.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    bytes: Vec<u8>,
    filled: usize,
}

impl MessageReader {
    /// Waits for a message, for at most `limit`. Returns it without its length, or `None` if none is
    /// complete yet.
    ///
    /// # Errors
    /// Fails if the other side ended, or if the message is too long (`InvalidData`).
    pub fn next(&mut self, socket: &UnixStream, limit: Duration) -> io::Result<Option<Vec<u8>>> {
        // A timeout of zero would mean no timeout.
        socket.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        loop {
            let needed = match self.bytes.get(..self.filled).and_then(|it| it.first_chunk()) {
                None => HEAD,
                Some(head) => {
                    let length = u32::from_le_bytes(*head) as usize;
                    if length > MAX_MESSAGE {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    if self.filled >= HEAD + length {
                        let message = self.bytes.get(HEAD..HEAD + length);
                        self.filled = 0;
                        return Ok(Some(message.unwrap_or_default().to_vec()));
                    }
                    HEAD + length
                }
            };
            // Never more than this message, so that the next one begins at the front.
            let end = needed.min(self.filled + CHUNK);
            if self.bytes.len() < end {
                self.bytes.resize(end, 0);
            }
            let room = self.bytes.get_mut(self.filled..end).unwrap_or_default();
            let mut from = socket;
            match from.read(room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mix::plugin::wire::Reply;

    const LIMIT: Duration = Duration::from_millis(20);

    #[test]
    fn messages_arrive_in_order_and_in_parts() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let latency = Reply::Latency(9);
        let bytes = [Reply::Alive.to_bytes(), latency.to_bytes()].concat();
        let (first, rest) = bytes.split_at(7);
        let mut reader = MessageReader::default();
        let mut next = || {
            let message = reader.next(&ours, LIMIT)?;
            io::Result::Ok(message.map(|message| Reply::parse(&message).unwrap()))
        };
        send(&theirs, first, LIMIT).unwrap();
        assert_eq!(next().unwrap(), Some(Reply::Alive));
        assert_eq!(next().unwrap(), None, "half a message");
        send(&theirs, rest, LIMIT).unwrap();
        assert_eq!(next().unwrap(), Some(latency));
        drop(theirs);
        assert_eq!(next().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_message_without_end_is_refused_before_memory_is_reserved() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        send(&theirs, &[255; 4], LIMIT).unwrap();
        let error = MessageReader::default().next(&ours, LIMIT).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
