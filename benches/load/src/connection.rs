//! One connection, non-blocking: RTMP (handshake, commands, then media) or a response of HTTP-FLV. Of
//! each message only the first bytes are kept.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Instant;

use mio::net::TcpStream;

use crate::command::{self, Answer};
use crate::flv::Flv;
use crate::stream::{CHUNK, STAMP_AT};

#[derive(Clone, Copy, PartialEq)]
pub enum Role {
    Publish,
    Play,
    /// Plays over HTTP: `app` is the path with a leading slash, and `name` the host.
    PlayFlv,
}

/// Received data.
pub enum Seen {
    /// This many bytes were read from the socket.
    Bytes(usize),
    /// A complete video or audio message was received. It was sent at this time, in nanoseconds.
    Stamp(u64),
}

#[derive(PartialEq)]
enum State {
    /// The head of the HTTP response is missing.
    Http,
    Handshake,
    Connect,
    CreateStream,
    Command,
    Ready,
    Ended,
}

/// A message being received on one chunk stream.
#[derive(Default, Clone)]
struct Partial {
    length: usize,
    kind: u8,
    extended: bool,
    received: usize,
    head: Vec<u8>,
}

pub struct Connection {
    socket: TcpStream,
    role: Role,
    app: String,
    name: String,
    tc_url: String,
    state: State,
    stream: u32,
    input: Vec<u8>,
    output: Vec<u8>,
    chunk_size: usize,
    partial: HashMap<u32, Partial>,
    flv: Option<Flv>,
    /// The rest of a chunk's payload: chunk stream and bytes.
    payload: Option<(u32, usize)>,
    total: u64,
    acknowledged: u64,
    window: u64,
    pub opened: Instant,
    /// The time at which the play or publish command was written.
    pub asked: Option<Instant>,
    pub first_keyframe: Option<Instant>,
}

impl Connection {
    pub fn open(
        address: SocketAddr,
        role: Role,
        app: &str,
        name: &str,
        tc_url: &str,
    ) -> io::Result<Self> {
        let opened = Instant::now();
        let socket = TcpStream::connect(address)?;
        let (state, output) = if role == Role::PlayFlv {
            let request = format!("GET {app} HTTP/1.1\r\nHost: {name}\r\n\r\n");
            (State::Http, request.into_bytes())
        } else {
            let mut output = vec![3];
            output.extend([0; 8]);
            output.extend((0..1_528_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8));
            (State::Handshake, output)
        };
        Ok(Self {
            socket,
            role,
            app: app.to_owned(),
            name: name.to_owned(),
            tc_url: tc_url.to_owned(),
            state,
            stream: 1,
            input: Vec::new(),
            output,
            chunk_size: 128,
            partial: HashMap::new(),
            flv: None,
            payload: None,
            total: 0,
            acknowledged: 0,
            window: 2_500_000,
            opened,
            asked: (role == Role::PlayFlv).then_some(opened),
            first_keyframe: None,
        })
    }

    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    pub fn ready(&self) -> bool {
        self.state == State::Ready
    }

    pub fn ended(&self) -> bool {
        self.state == State::Ended
    }

    pub fn stream_id(&self) -> u32 {
        self.stream
    }

    /// Ends the connection.
    pub fn leave(&mut self) {
        self.socket.shutdown(Shutdown::Both).ok();
        self.state = State::Ended;
    }

    /// Returns the buffer to which bytes for sending are appended.
    pub fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    /// Sends as many bytes as the socket accepts.
    pub fn flush(&mut self) -> io::Result<()> {
        let mut sent = 0;
        while sent < self.output.len() {
            match self.socket.write(&self.output[sent..]) {
                Ok(count) => sent += count,
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
                    ) =>
                {
                    break;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.state = State::Ended;
                    sent = self.output.len();
                }
            }
        }
        self.output.drain(..sent);
        Ok(())
    }

    /// Reads all received bytes, and answers the messages that need an answer.
    pub fn take(&mut self, mut seen: impl FnMut(Seen)) -> io::Result<()> {
        self.socket.set_nodelay(true).ok();
        self.flush()?;
        let mut buffer = [0; 65_536];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.state = State::Ended;
                    break;
                }
                Ok(count) => {
                    self.total += count as u64;
                    seen(Seen::Bytes(count));
                    self.receive(&buffer[..count], &mut seen);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::NotConnected
                    ) =>
                {
                    break;
                }
                Err(_) => {
                    self.state = State::Ended;
                    break;
                }
            }
        }
        let asks = self.state == State::Ready && self.role != Role::PlayFlv;
        if asks && self.total - self.acknowledged >= self.window / 2 {
            self.acknowledged = self.total;
            self.send(3, 2, 0, &(self.total as u32).to_be_bytes());
        }
        self.flush()
    }

    fn send(&mut self, kind: u8, csid: u8, stream: u32, body: &[u8]) {
        command::message(kind, csid, stream, 0, body, CHUNK, &mut self.output);
    }

    fn receive(&mut self, bytes: &[u8], seen: &mut impl FnMut(Seen)) {
        if self.role == Role::PlayFlv {
            return self.receive_flv(bytes, seen);
        }
        if self.input.is_empty() && self.state != State::Handshake {
            let left = self.chunks(bytes, seen);
            self.input.extend_from_slice(&bytes[bytes.len() - left..]);
            return;
        }
        self.input.extend_from_slice(bytes);
        if self.state == State::Handshake {
            if self.input.len() < 3_073 {
                return;
            }
            let answer: Vec<u8> = self.input[1..1_537].to_vec();
            self.input.drain(..3_073);
            self.output.extend(answer);
            self.send(1, 2, 0, &(CHUNK as u32).to_be_bytes());
            let body = command::connect(&self.app, &self.tc_url);
            self.send(20, 3, 0, &body);
            self.state = State::Connect;
        }
        let input = std::mem::take(&mut self.input);
        let left = self.chunks(&input, seen);
        self.input = input[input.len() - left..].to_vec();
    }

    fn receive_flv(&mut self, bytes: &[u8], seen: &mut impl FnMut(Seen)) {
        if let Some(mut flv) = self.flv.take() {
            flv.take(bytes, |kind, head| self.message(kind, head, seen));
            self.flv = Some(flv);
            return;
        }
        self.input.extend_from_slice(bytes);
        let Some(end) = self.input.windows(4).position(|it| it == b"\r\n\r\n") else { return };
        let head = String::from_utf8_lossy(&self.input[..end]).to_ascii_lowercase();
        if !head.starts_with("http/1.1 200") {
            eprintln!("the server refused: {}", head.lines().next().unwrap_or_default());
            self.state = State::Ended;
            return;
        }
        self.state = State::Ready;
        self.flv = Some(Flv::new(head.contains("\r\ntransfer-encoding: chunked")));
        let rest = self.input.split_off(end + 4);
        self.input.clear();
        self.receive_flv(&rest, seen);
    }

    /// Reads chunks; returns how many bytes at the end are of a header that is not whole.
    fn chunks(&mut self, mut bytes: &[u8], seen: &mut impl FnMut(Seen)) -> usize {
        loop {
            if let Some((csid, left)) = self.payload {
                let count = left.min(bytes.len());
                self.payload = (left > count).then_some((csid, left - count));
                self.part(csid, &bytes[..count], seen);
                bytes = &bytes[count..];
                if self.payload.is_some() {
                    return 0;
                }
            }
            let Some(used) = self.header(bytes) else { return bytes.len() };
            bytes = &bytes[used..];
        }
    }

    /// Reads one chunk header. Returns `None` if the header is incomplete.
    fn header(&mut self, bytes: &[u8]) -> Option<usize> {
        let first = *bytes.first()?;
        let (csid, mut at) = match first & 0x3f {
            0 => (u32::from(*bytes.get(1)?) + 64, 2),
            1 => (u32::from(*bytes.get(1)?) + u32::from(*bytes.get(2)?) * 256 + 64, 3),
            csid => (u32::from(csid), 1),
        };
        let size = [11, 7, 3, 0][usize::from(first >> 6)];
        let fields = bytes.get(at..at + size)?;
        at += size;
        let partial = self.partial.entry(csid).or_default();
        let extended = if size >= 3 { fields[..3] == [0xff; 3] } else { partial.extended };
        if extended {
            bytes.get(at..at + 4)?;
            at += 4;
        }
        partial.extended = extended;
        if size >= 7 {
            partial.length =
                usize::from(fields[3]) << 16 | usize::from(fields[4]) << 8 | usize::from(fields[5]);
            partial.kind = fields[6];
        }
        let left = (partial.length - partial.received.min(partial.length)).min(self.chunk_size);
        self.payload = Some((csid, left));
        Some(at)
    }

    fn part(&mut self, csid: u32, bytes: &[u8], seen: &mut impl FnMut(Seen)) {
        let Some(partial) = self.partial.get_mut(&csid) else { return };
        let keep = if matches!(partial.kind, 8 | 9) { STAMP_AT + 8 } else { 4_096 };
        let room = keep - partial.head.len().min(keep);
        partial.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        partial.received += bytes.len();
        if partial.received < partial.length {
            return;
        }
        partial.received = 0;
        let mut head = std::mem::take(&mut partial.head);
        let kind = partial.kind;
        self.message(kind, &head, seen);
        head.clear();
        if let Some(partial) = self.partial.get_mut(&csid) {
            partial.head = head;
        }
    }

    fn message(&mut self, kind: u8, head: &[u8], seen: &mut impl FnMut(Seen)) {
        let word = |at: usize| {
            head.get(at..at + 4).and_then(|b| b.try_into().ok()).map_or(0, u32::from_be_bytes)
        };
        match kind {
            1 => self.chunk_size = (word(0) as usize & 0x7fff_ffff).max(1),
            4 if head.starts_with(&[0, 6]) => {
                let mut pong = vec![0, 7];
                pong.extend(&head[2..]);
                self.send(4, 2, 0, &pong);
            }
            5 => self.window = u64::from(word(0)).max(1_000),
            8 | 9 if head.len() == STAMP_AT + 8 && head[1] == 1 => {
                if kind == 9 && head[0] >> 4 == 1 && self.first_keyframe.is_none() {
                    self.first_keyframe = Some(Instant::now());
                }
                if let Ok(stamp) = head[STAMP_AT..].try_into() {
                    seen(Seen::Stamp(u64::from_be_bytes(stamp)));
                }
            }
            20 => self.command(head),
            _ => {}
        }
    }

    fn command(&mut self, body: &[u8]) {
        match command::answer(body) {
            Answer::Result { transaction, .. }
                if transaction == 1.0 && self.state == State::Connect =>
            {
                self.state = State::CreateStream;
                self.send(20, 3, 0, &command::create_stream());
            }
            Answer::Result { transaction, number }
                if transaction == 2.0 && self.state == State::CreateStream =>
            {
                self.stream = number.unwrap_or(1.0) as u32;
                self.state = State::Command;
                let body = match self.role {
                    Role::Publish => command::publish(&self.name),
                    Role::Play | Role::PlayFlv => command::play(&self.name),
                };
                let stream = self.stream;
                self.send(20, 8, stream, &body);
                self.asked = Some(Instant::now());
            }
            Answer::Status { code } if code.ends_with("Start") => self.state = State::Ready,
            Answer::Status { code } if code.contains("Failed") || code.contains("Bad") => {
                eprintln!("the server refused: {code}");
                self.state = State::Ended;
            }
            Answer::Error => {
                eprintln!("the server refused a command");
                self.state = State::Ended;
            }
            _ => {}
        }
    }
}
