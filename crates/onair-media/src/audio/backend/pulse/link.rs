//! A connection to the audio server: requests with a time limit, and messages that arrive
//! meanwhile.

use std::ffi::{CStr, CString};
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use pulseaudio::protocol::{
    self, AuthParams, AuthReply, Command, DESCRIPTOR_SIZE, MAX_VERSION, Prop, Props, ProtocolError,
    PulseError, SetClientNameReply, TagStructRead, TagStructReader,
};

use crate::audio::system::Fault;
use crate::base::Clock;

/// Time limit for an answer.
const REPLY_TIMEOUT: Duration = Duration::from_secs(3);
/// Maximum size of a message, in bytes. Servers send audio in pieces of at most 64 KiB, and no list
/// of streams is longer than this limit.
const MAX_MESSAGE_BYTES: usize = 4 << 20;
/// Bytes per read.
const READ_CHUNK_BYTES: usize = 64 << 10;
/// The channel of commands; other channels carry audio.
const CONTROL_CHANNEL: u32 = u32::MAX;

/// A message that is not an answer.
#[derive(Debug)]
pub(super) enum ServerMessage<'a> {
    /// Audio of the capture on this channel.
    Audio(u32, &'a [u8]),
    /// A message of the server.
    Command(&'a Command),
}

/// A connection after the handshake.
pub(super) struct Link {
    socket: UnixStream,
    version: u16,
    next: u32,
    /// The bytes before `taken` are already handled.
    buffer: Vec<u8>,
    taken: usize,
    clock: Clock,
}

/// The position of a message in the buffer.
struct Message {
    channel: u32,
    start: usize,
    end: usize,
}

impl Link {
    /// Connects to this session's server.
    pub(super) fn connect() -> Result<Self, Fault> {
        let nobody = || Fault::Absent("neither PulseAudio nor PipeWire answers".to_owned());
        let path = pulseaudio::socket_path_from_env().ok_or_else(nobody)?;
        crate::audio::backend::cookie::provide();
        let cookie = pulseaudio::cookie_path_from_env().and_then(|path| std::fs::read(path).ok());
        let socket = UnixStream::connect(path).map_err(io_fault)?;
        socket.set_write_timeout(Some(REPLY_TIMEOUT)).map_err(io_fault)?;
        let clock = Clock::start();
        let mut link =
            Self { socket, version: MAX_VERSION, next: 0, buffer: Vec::new(), taken: 0, clock };
        let auth = AuthParams {
            version: MAX_VERSION,
            supports_shm: false,
            supports_memfd: false,
            cookie: cookie.unwrap_or_default(),
        };
        let reply: AuthReply = link.ask(&Command::Auth(auth), &mut |_| ())?;
        link.version = MAX_VERSION.min(reply.version);
        let _: SetClientNameReply = link.ask(&Command::SetClientName(own_props()), &mut |_| ())?;
        Ok(link)
    }

    /// Sends a request, and waits for the answer. `aside` handles the messages that arrive before
    /// the answer.
    pub(super) fn ask<T: TagStructRead>(
        &mut self,
        command: &Command,
        aside: &mut dyn FnMut(ServerMessage<'_>),
    ) -> Result<T, Fault> {
        self.request(command, aside, |reader| reader.read())
    }

    /// Requests a list of the server's objects.
    pub(super) fn list<T: TagStructRead>(
        &mut self,
        command: &Command,
        aside: &mut dyn FnMut(ServerMessage<'_>),
    ) -> Result<Vec<T>, Fault> {
        self.request(command, aside, |reader| {
            let mut list = Vec::new();
            while reader.has_data_left()? {
                list.push(reader.read()?);
            }
            Ok(list)
        })
    }

    /// Sends a request whose answer is only an acknowledgement.
    pub(super) fn order(
        &mut self,
        command: &Command,
        aside: &mut dyn FnMut(ServerMessage<'_>),
    ) -> Result<(), Fault> {
        self.request(command, aside, |_| Ok(()))
    }

    /// Handles messages that arrive within `patience`.
    pub(super) fn listen(
        &mut self,
        patience: Duration,
        aside: &mut dyn FnMut(ServerMessage<'_>),
    ) -> Result<(), Fault> {
        if !self.has_message()? {
            self.fill(patience)?;
        }
        while let Some(message) = self.take()? {
            let body = self.buffer.get(message.start..message.end).unwrap_or_default();
            if message.channel != CONTROL_CHANNEL {
                aside(ServerMessage::Audio(message.channel, body));
            } else if let Ok((_, command)) = Command::read_tag_prefixed(&mut &*body, self.version) {
                aside(ServerMessage::Command(&command));
            }
        }
        Ok(())
    }

    fn request<T>(
        &mut self,
        command: &Command,
        aside: &mut dyn FnMut(ServerMessage<'_>),
        read: impl FnOnce(&mut TagStructReader<'_>) -> Result<T, ProtocolError>,
    ) -> Result<T, Fault> {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let mut bytes = Vec::new();
        protocol::write_command_message(&mut bytes, number, command, self.version)
            .map_err(fault)?;
        self.socket.write_all(&bytes).map_err(io_fault)?;
        let until = self.clock.now() + REPLY_TIMEOUT;
        loop {
            while let Some(message) = self.take()? {
                let body = self.buffer.get(message.start..message.end).unwrap_or_default();
                if message.channel != CONTROL_CHANNEL {
                    aside(ServerMessage::Audio(message.channel, body));
                    continue;
                }
                let mut rest = body;
                // Messages that this protocol version does not know are ignored.
                let Ok((of, received)) = Command::read_tag_prefixed(&mut rest, self.version) else {
                    continue;
                };
                match received {
                    Command::Reply if of == number => {
                        return read(&mut TagStructReader::new(&mut rest, self.version))
                            .map_err(fault);
                    }
                    Command::Error(error) if of == number => return Err(refusal(error)),
                    received => aside(ServerMessage::Command(&received)),
                }
            }
            let left = until.since(self.clock.now());
            if left.is_zero() {
                return Err(Fault::Other("the sound server does not answer".to_owned()));
            }
            self.fill(left)?;
        }
    }

    /// Returns the next complete message.
    fn take(&mut self) -> Result<Option<Message>, Fault> {
        if !self.has_message()? {
            return Ok(None);
        }
        let (length, channel) = self.head().unwrap_or_default();
        let start = self.taken + DESCRIPTOR_SIZE;
        self.taken = start + length;
        Ok(Some(Message { channel, start, end: self.taken }))
    }

    /// Returns the length and channel of the next message.
    fn head(&self) -> Option<(usize, u32)> {
        let mut head = self.buffer.get(self.taken..self.taken + DESCRIPTOR_SIZE)?;
        let head = protocol::read_descriptor(&mut head).ok()?;
        Some((usize::try_from(head.length).unwrap_or(usize::MAX), head.channel))
    }

    fn has_message(&self) -> Result<bool, Fault> {
        let Some((length, _)) = self.head() else { return Ok(false) };
        if length > MAX_MESSAGE_BYTES {
            return Err(Fault::Other("the sound server sends invalid data".to_owned()));
        }
        Ok(self.buffer.len() - self.taken >= DESCRIPTOR_SIZE + length)
    }

    /// Reads the available bytes, or else the bytes that arrive within `patience`.
    fn fill(&mut self, patience: Duration) -> Result<(), Fault> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        // Zero would mean no limit.
        let patience = patience.max(Duration::from_millis(1));
        self.socket.set_read_timeout(Some(patience)).map_err(io_fault)?;
        let before = self.buffer.len();
        self.buffer.resize(before + READ_CHUNK_BYTES, 0);
        let read = self.socket.read(self.buffer.get_mut(before..).unwrap_or_default());
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Fault::Absent("the sound server has ended".to_owned())),
            Ok(_) => Ok(()),
            Err(error) if is_wait(&error) => Ok(()),
            Err(error) => Err(io_fault(error)),
        }
    }
}

/// The name of onair in the server's lists.
const APPLICATION_NAME: &CStr = c"onair";

pub(super) fn own_props() -> Props {
    let mut props = Props::new();
    props.set(Prop::ApplicationName, APPLICATION_NAME);
    if let Ok(id) = CString::new(std::process::id().to_string()) {
        props.set(Prop::ApplicationProcessId, id);
    }
    props
}

fn is_wait(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
}

#[allow(clippy::needless_pass_by_value, reason = "called by map_err")]
fn io_fault(error: io::Error) -> Fault {
    let detail = error.to_string();
    match error.kind() {
        io::ErrorKind::PermissionDenied => Fault::Refused(detail),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Fault::Absent(detail),
        _ => Fault::Other(detail),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "called by map_err")]
fn fault(error: ProtocolError) -> Fault {
    Fault::Other(error.to_string())
}

fn refusal(error: PulseError) -> Fault {
    let detail = format!("the sound server says {error:?}");
    match error {
        PulseError::AccessDenied | PulseError::AuthKey => Fault::Refused(detail),
        PulseError::NoEntity => Fault::Absent(detail),
        _ => Fault::Other(detail),
    }
}
