//! Moves messages over the socket. onair reads in short waits, so that its thread can stop.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::capture::browser::wire::{HEAD, parse_head};

/// Bytes that are read at a time, so that memory grows only with data that came.
const CHUNK: usize = 256 << 10;

/// Sends a message within a time limit.
pub(in crate::capture::browser) fn send(
    socket: &UnixStream,
    message: &[u8],
    limit: Duration,
) -> io::Result<()> {
    let mut socket = socket;
    socket.set_write_timeout(Some(limit))?;
    socket.write_all(message)
}

/// Lets the other side end in order, within a time limit.
pub(in crate::capture::browser) fn finish(
    socket: &UnixStream,
    reader: &mut MessageReader,
    limit: Duration,
) {
    let _: io::Result<()> = socket.shutdown(Shutdown::Write);
    let until = Instant::now() + limit;
    let slice = Duration::from_millis(100);
    while Instant::now() < until && reader.next(socket, slice, |_, _| Some(())).is_ok() {}
}

/// Collects the bytes of messages.
#[derive(Debug, Default)]
pub(in crate::capture::browser) struct MessageReader {
    bytes: Vec<u8>,
    filled: usize,
}

impl MessageReader {
    /// Waits for a message, for at most `limit`. Returns `None` if none is complete yet.
    ///
    /// # Errors
    /// Fails if the other side ended, or if it sent something that `parse` refuses (`InvalidData`).
    pub fn next<T>(
        &mut self,
        socket: &UnixStream,
        limit: Duration,
        parse: impl FnOnce(u8, &[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        socket.set_read_timeout(Some(limit))?;
        loop {
            let needed = match self.bytes.get(..self.filled).and_then(|it| it.first_chunk()) {
                None => HEAD,
                Some(head) => {
                    let (kind, length) = parse_head(*head).ok_or(io::ErrorKind::InvalidData)?;
                    if self.filled >= HEAD + length {
                        let body = self.bytes.get(HEAD..HEAD + length).unwrap_or_default();
                        let message = parse(kind, body);
                        self.filled = 0;
                        return message.map(Some).ok_or_else(|| io::ErrorKind::InvalidData.into());
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
    use crate::capture::browser::wire::{Report, Trouble};
    use crate::media::{Planes, Size};

    const LIMIT: Duration = Duration::from_millis(20);

    #[test]
    fn reports_arrive_in_order_and_in_parts() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let frame = Report::Frame(Planes::transparent(Size::new(64, 32)));
        let bytes = [Report::Alive.to_bytes(), frame.to_bytes(), Report::Alive.to_bytes()].concat();
        let (first, rest) = bytes.split_at(100);
        let mut reader = MessageReader::default();
        send(&theirs, first, LIMIT).unwrap();
        assert_eq!(reader.next(&ours, LIMIT, Report::parse).unwrap(), Some(Report::Alive));
        assert_eq!(reader.next(&ours, LIMIT, Report::parse).unwrap(), None, "half a frame");
        send(&theirs, rest, LIMIT).unwrap();
        assert_eq!(reader.next(&ours, LIMIT, Report::parse).unwrap(), Some(frame));
        assert_eq!(reader.next(&ours, LIMIT, Report::parse).unwrap(), Some(Report::Alive));
        drop(theirs);
        assert_eq!(
            reader.next(&ours, LIMIT, Report::parse).unwrap_err().kind(),
            io::ErrorKind::UnexpectedEof
        );
    }

    #[test]
    fn nonsense_is_an_error() {
        for bytes in [&[9_u8, 0, 0, 0, 0][..], &[0, 255, 255, 255, 255], &[0, 1, 0, 0, 0, b'{']] {
            let (ours, theirs) = UnixStream::pair().unwrap();
            send(&theirs, bytes, LIMIT).unwrap();
            let error = MessageReader::default().next(&ours, LIMIT, Report::parse).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{bytes:?}");
        }
        let trouble = Report::Trouble(Trouble::Crashed);
        let (ours, theirs) = UnixStream::pair().unwrap();
        send(&theirs, &trouble.to_bytes(), LIMIT).unwrap();
        assert_eq!(
            MessageReader::default().next(&ours, LIMIT, Report::parse).unwrap(),
            Some(trouble)
        );
    }
}
