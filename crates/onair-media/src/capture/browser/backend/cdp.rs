//! The DevTools protocol over two pipes: JSON texts, each ended by a zero.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Maximum length of a message: a large image in base64.
const MAX_MESSAGE: usize = 64 << 20;
/// Bytes that are read at a time.
const CHUNK: usize = 256 << 10;
/// Maximum number of events that wait during a call.
const MAX_EVENTS: usize = 10_000;
/// Time limit for writing. Chromium reads at once, unless it hangs.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// The connection to Chromium.
pub(super) struct Cdp {
    to: File,
    from: File,
    buffer: Vec<u8>,
    /// The length of the part of the buffer that contains no end.
    searched: usize,
    last_id: u64,
    /// The events, and the answers to other requests, that came during calls.
    events: VecDeque<Value>,
}

/// A message that arrives while a request waits for its answer.
pub enum Arrival {
    /// The answer; `None` if Chromium refuses.
    Answer(Option<Value>),
    Other(Value),
}

impl Cdp {
    pub fn new(to: File, from: File) -> io::Result<Self> {
        for pipe in [&to, &from] {
            // SAFETY: plain calls on open descriptors.
            let set = unsafe {
                let flags = libc::fcntl(pipe.as_raw_fd(), libc::F_GETFL);
                libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, flags | libc::O_NONBLOCK)
            };
            if set < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        let (buffer, events) = (Vec::new(), VecDeque::new());
        Ok(Self { to, from, buffer, searched: 0, last_id: 0, events })
    }

    /// Returns the descriptor to wait for.
    pub fn descriptor(&self) -> RawFd {
        self.from.as_raw_fd()
    }

    /// Sends a request. Returns its number.
    pub fn send(&mut self, session: Option<&str>, method: &str, params: &Value) -> io::Result<u64> {
        self.last_id += 1;
        let mut request = json!({ "id": self.last_id, "method": method, "params": params });
        if let (Some(session), Some(fields)) = (session, request.as_object_mut()) {
            fields.insert("sessionId".into(), session.into());
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        let until = Instant::now() + WRITE_TIMEOUT;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match self.to.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let left = until.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                    wait(&[(self.to.as_raw_fd(), libc::POLLOUT)], left)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.last_id)
    }

    /// Sends a request and waits for its answer. Returns `None` if Chromium refuses.
    ///
    /// # Errors
    /// Fails if Chromium ended, or did not answer in time.
    pub fn call(
        &mut self,
        session: Option<&str>,
        method: &str,
        params: &Value,
        limit: Duration,
    ) -> io::Result<Option<Value>> {
        let number = self.send(session, method, params)?;
        let until = Instant::now() + limit;
        loop {
            match self.arrival(number, until)? {
                Arrival::Answer(answer) => return Ok(answer),
                // Answers to requests that were sent before may come meanwhile.
                Arrival::Other(message) => self.keep(message),
            }
        }
    }

    /// Waits for the answer to the request with this number, or for a message that comes before it.
    ///
    /// # Errors
    /// Fails if Chromium ended, or sent neither in time.
    pub fn arrival(&mut self, number: u64, until: Instant) -> io::Result<Arrival> {
        loop {
            if let Some(mut message) = self.read_message()? {
                let is_answer = message.get("id").and_then(Value::as_u64) == Some(number);
                return Ok(match is_answer {
                    true => Arrival::Answer(message.get_mut("result").map(Value::take)),
                    false => Arrival::Other(message),
                });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            wait(&[(self.from.as_raw_fd(), libc::POLLIN)], left)?;
        }
    }

    /// Returns the next event or answer, if it is there.
    ///
    /// # Errors
    /// Fails if Chromium ended, or sent something else.
    pub fn next(&mut self) -> io::Result<Option<Value>> {
        match self.events.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.read_message(),
        }
    }

    /// Keeps an event or answer for [`next`](Self::next).
    pub fn keep(&mut self, message: Value) {
        if self.events.len() < MAX_EVENTS {
            self.events.push_back(message);
        }
    }

    /// Reads an event or answer that nobody kept.
    ///
    /// # Errors
    /// Fails as [`next`](Self::next).
    pub fn read_message(&mut self) -> io::Result<Option<Value>> {
        loop {
            let fresh = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == 0) {
                let end = self.searched + end;
                let message = self.buffer.get(..end).map(serde_json::from_slice);
                self.buffer.drain(..=end);
                self.searched = 0;
                return match message {
                    Some(Ok(message)) => Ok(Some(message)),
                    _ => Err(io::ErrorKind::InvalidData.into()),
                };
            }
            self.searched = self.buffer.len();
            if self.searched > MAX_MESSAGE {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.buffer.resize(self.searched + CHUNK, 0);
            let room = self.buffer.get_mut(self.searched..).unwrap_or_default();
            let read = self.from.read(room);
            self.buffer.truncate(self.searched + read.as_ref().map_or(0, |read| *read));
            match read {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits until one of these descriptors is ready, for at most `limit`. Returns which ones are.
pub(super) fn wait<const N: usize>(
    descriptors: &[(RawFd, libc::c_short); N],
    limit: Duration,
) -> io::Result<[bool; N]> {
    let mut polled = descriptors.map(|(fd, events)| libc::pollfd { fd, events, revents: 0 });
    let millis = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX).saturating_add(1);
    // SAFETY: the call reads and writes an array of this length.
    let ready = unsafe { libc::poll(polled.as_mut_ptr(), N as libc::nfds_t, millis) };
    if ready < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
        return Ok([false; N]);
    }
    Ok(polled.map(|it| it.revents != 0))
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;

    use super::*;

    fn connection() -> (Cdp, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let file = |socket: UnixStream| File::from(OwnedFd::from(socket));
        let cdp = Cdp::new(file(ours.try_clone().unwrap()), file(ours)).unwrap();
        (cdp, theirs)
    }

    #[test]
    fn an_answer_is_found_among_events_which_are_kept() {
        let (mut cdp, mut chromium) = connection();
        chromium
            .write_all(
                b"{\"method\":\"A\"}\0{\"id\":1,\"result\":{}}\0{\"id\":2,\"result\":{\"x\":2}}\0{\"method\":\"B\"}\0",
            )
            .unwrap();
        cdp.send(None, "N", &json!({})).unwrap();
        let answer = cdp.call(None, "M", &json!({}), Duration::from_secs(5)).unwrap().unwrap();
        assert_eq!(answer["x"], 2);
        assert_eq!(cdp.next().unwrap().unwrap()["method"], "A");
        assert_eq!(cdp.next().unwrap().unwrap()["id"], 1, "the answer to the earlier request");
        assert_eq!(cdp.next().unwrap().unwrap()["method"], "B");
        assert_eq!(cdp.next().unwrap(), None);
        let mut sent = [0; 200];
        let length = chromium.read(&mut sent).unwrap();
        let requests = b"{\"id\":1,\"method\":\"N\",\"params\":{}}\0{\"id\":2,\"method\":\"M\",\"params\":{}}\0";
        assert_eq!(&sent[..length], requests);
    }

    #[test]
    fn a_silent_or_broken_chromium_is_an_error() {
        let (mut cdp, mut chromium) = connection();
        let silent = cdp.call(None, "M", &json!({}), Duration::from_millis(20)).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        chromium.write_all(b"nonsense\0").unwrap();
        assert_eq!(cdp.next().unwrap_err().kind(), io::ErrorKind::InvalidData);
        drop(chromium);
        // A socket, unlike a pipe, tells that the request was not read.
        let ended = cdp.next().unwrap_err().kind();
        assert!(
            matches!(ended, io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset),
            "{ended}"
        );
    }
}
