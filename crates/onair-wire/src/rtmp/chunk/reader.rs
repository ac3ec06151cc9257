//! Reads chunks into messages.

use bytes::Bytes;

use super::{
    DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP_MARKER, MAX_BODY_BYTES, MAX_CHUNK_SIZE, append_pieces,
};
use crate::wire::byte_block::ByteBlock;
use crate::wire::rtmp::Time;
use crate::wire::rtmp::message::{Control, Kind, Message};

/// Limits for the memory that a peer may use.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum message length in bytes.
    pub message: usize,
    /// Maximum number of messages in progress at the same time.
    pub partials: usize,
    /// Maximum total size of all messages in progress, in bytes.
    pub partial_bytes: usize,
    /// Maximum number of chunk streams.
    pub chunk_streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 16 << 20, partials: 8, partial_bytes: 32 << 20, chunk_streams: 64 }
    }
}

/// The reason why bytes are not valid chunks, or exceed a limit. After any of these errors, the
/// connection is out of sync and must be closed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("chunk stream {0} continues a message it never began")]
    NothingToContinue(u32),
    #[error("a message of {length} bytes is announced, {limit} are allowed")]
    MessageTooLong { length: usize, limit: usize },
    #[error("more than {0} messages are under way at once")]
    TooManyPartials(usize),
    #[error("messages under way hold more than {0} bytes")]
    PartialsTooLong(usize),
    #[error("more than {0} chunk streams are in use")]
    TooManyChunkStreams(usize),
    #[error("chunk size 0")]
    ChunkSizeZero,
}

/// Initial capacity in bytes that a message gets for its announced length alone. More is allocated
/// when the bytes arrive, or if this peer has already sent messages of that length.
const INITIAL_CAPACITY_BYTES: usize = 16 << 10;
/// Maximum capacity in bytes that a message gets for its announced length alone.
const MAX_INITIAL_CAPACITY_BYTES: usize = 1 << 20;
/// The longest chunk header in bytes: 3 of basic header, 11 of message header, 4 of time.
const MAX_CHUNK_HEADER_BYTES: usize = 18;

/// Reads one direction of a connection. Call [`Reader::read`] until it returns `None`.
#[derive(Debug)]
pub struct Reader {
    limits: Limits,
    chunk_size: usize,
    streams: Vec<Stream>,
    /// Maps chunk stream ids below 64, the usual ones, to an index in `streams` plus 1.
    index: [u8; 64],
    /// The current chunk: its stream, and its remaining bytes.
    current: Option<(usize, usize)>,
    /// The first part of a header that was cut off at the end of the input.
    header: Bytes20,
    /// Bytes that were read as a time and turned out to be payload.
    pushed_back: Bytes20,
    /// True if type 3 chunks repeat the extended time; `None` until known.
    repeats_extended: Option<bool>,
    partials: usize,
    partial_bytes: usize,
    trusted: usize,
}

/// State of a chunk stream.
#[derive(Debug, Default)]
struct Stream {
    id: u32,
    kind: u8,
    stream: u32,
    time: Time,
    delta: u32,
    length: usize,
    /// The extended time of the last type 0, 1 or 2 header, if any.
    extended: Option<u32>,
    /// True if a message is in progress.
    partial: bool,
    body: Vec<u8>,
}

/// An inline buffer of a few bytes.
#[derive(Copy, Clone, Debug, Default)]
struct Bytes20 {
    bytes: [u8; 20],
    length: usize,
}

impl Bytes20 {
    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends bytes of `more` up to the length of a header.
    fn fill(&mut self, more: &[u8]) {
        let room = self.bytes.get_mut(self.length..MAX_CHUNK_HEADER_BYTES).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(more) {
            *to = *from;
            self.length += 1;
        }
    }

    fn of(bytes: &[u8]) -> Self {
        let mut new = Self::default();
        new.fill(bytes);
        new
    }
}

/// A parsed chunk header.
struct Header {
    chunk_stream: u32,
    /// Length of the header in bytes.
    size: usize,
    fields: Fields,
}

enum Fields {
    /// A header of type 0, 1 or 2.
    Explicit {
        time: u32,
        extended: bool,
        length_and_kind: Option<(usize, u8)>,
        stream: Option<u32>,
    },
    /// A header of type 3, and what it proves about the sender's format.
    Same { repeats_extended: Option<bool> },
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Reader {
    /// Creates a reader for a new connection.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            chunk_size: DEFAULT_CHUNK_SIZE as usize,
            streams: Vec::new(),
            index: [0; 64],
            current: None,
            header: Bytes20 { bytes: [0; 20], length: 0 },
            pushed_back: Bytes20 { bytes: [0; 20], length: 0 },
            repeats_extended: None,
            partials: 0,
            partial_bytes: 0,
            trusted: INITIAL_CAPACITY_BYTES,
        }
    }

    /// Sets the maximum message length from the next message on.
    pub const fn set_message_limit(&mut self, bytes: usize) {
        self.limits.message = bytes;
    }

    /// Returns the peer's chunk size, which follows the peer's messages automatically.
    pub const fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    /// Sets the peer's chunk size, for readers that join an existing connection.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = size.clamp(1, MAX_CHUNK_SIZE) as usize;
    }

    /// Returns the number of buffered bytes of incomplete messages.
    pub const fn partial_bytes(&self) -> usize {
        self.partial_bytes
    }

    /// Returns the allocated capacity for incomplete messages.
    pub fn reserved_bytes(&self) -> usize {
        self.streams.iter().map(|stream| stream.body.capacity()).sum()
    }

    /// Takes bytes from the front of `input` until a message is complete. Returns `None` if all
    /// bytes are used up before that. Chunk size changes and aborts are applied here, and are
    /// returned too.
    ///
    /// # Errors
    /// Fails if the peer is out of sync or exceeds a limit. Nothing more can be read then.
    pub fn read(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            if self.pushed_back.length > 0 {
                let pushed_back = std::mem::take(&mut self.pushed_back);
                let mut rest = pushed_back.as_slice();
                let message = self.advance(&mut rest)?;
                self.pushed_back = Bytes20::of(rest);
                if message.is_some() {
                    return Ok(message);
                }
            }
            let message = self.advance(input)?;
            if message.is_some() || self.pushed_back.length == 0 {
                return Ok(message);
            }
        }
    }

    /// Works like [`Reader::read`], but for a block that bodies may share. A single-chunk message
    /// is not copied if it is complete in the block and takes a large part of it
    /// ([`ByteBlock::take`]).
    ///
    /// # Errors
    /// Fails with the same errors as [`Reader::read`].
    pub fn read_block(&mut self, block: &mut ByteBlock<'_>) -> Result<Option<Message>, Error> {
        let between = self.current.is_none() && self.header.length + self.pushed_back.length == 0;
        if between && let Some(header) = self.parse_header(block.as_slice()) {
            block.advance(header.size);
            let (at, left) = self.begin_chunk(&header)?;
            let whole = self
                .streams
                .get(at)
                .is_some_and(|stream| stream.body.is_empty() && stream.length == left);
            if whole && left <= block.as_slice().len() {
                return self.complete(at, block.take(left)).map(Some);
            }
            self.current = Some((at, left));
        }
        let mut rest = block.as_slice();
        let before = rest.len();
        let message = self.read(&mut rest)?;
        let taken = before - rest.len();
        block.advance(taken);
        Ok(message)
    }

    fn advance(&mut self, input: &mut &[u8]) -> Result<Option<Message>, Error> {
        loop {
            let (at, left) = match self.current.take() {
                Some(current) => current,
                None => match self.next_header(input)? {
                    Some(header) => self.begin_chunk(&header)?,
                    None => return Ok(None),
                },
            };
            let take = left.min(input.len());
            let (now, rest) = input.split_at_checked(take).unwrap_or((input, &[]));
            *input = rest;
            let Some(stream) = self.streams.get_mut(at) else { return Ok(None) };
            append(stream, now, self.trusted);
            let before = stream.body.len() - take;
            if take < left {
                self.current = Some((at, left - take));
            } else if stream.id < 64 && stream.extended.is_none() {
                follow_up(stream, self.chunk_size, self.trusted, input);
            }
            self.partial_bytes += stream.body.len() - before;
            if self.partial_bytes > self.limits.partial_bytes {
                return Err(Error::PartialsTooLong(self.limits.partial_bytes));
            }
            if stream.body.len() == stream.length {
                return self.finish(at).map(Some);
            }
            if input.is_empty() {
                return Ok(None);
            }
        }
    }

    /// Returns the next header, if it is complete.
    fn next_header(&mut self, input: &mut &[u8]) -> Result<Option<Header>, Error> {
        if self.header.length == 0 {
            if let Some(header) = self.parse_header(input) {
                *input = input.get(header.size..).unwrap_or_default();
                return Ok(Some(header));
            }
            self.header.fill(input);
            *input = &[];
            return Ok(None);
        }
        let before = self.header.length;
        self.header.fill(input);
        let Some(header) = self.parse_header(self.header.as_slice()) else {
            *input = &[];
            return Ok(None);
        };
        let cut = std::mem::take(&mut self.header);
        if header.size >= before {
            *input = input.get(header.size - before..).unwrap_or_default();
            return Ok(Some(header));
        }
        // Some of the stored bytes are payload. Read these first, then the input: return the header
        // with the payload put back.
        self.pushed_back = Bytes20::of(cut.as_slice().get(header.size..before).unwrap_or_default());
        self.current = Some(self.begin_chunk(&header)?);
        Ok(None)
    }

    /// Parses a header. Returns `None` if more bytes are needed.
    fn parse_header(&self, bytes: &[u8]) -> Option<Header> {
        let (&first, rest) = bytes.split_first()?;
        let (chunk_stream, rest) = match (first & 0x3F, rest) {
            (0, [low, rest @ ..]) => (64 + u32::from(*low), rest),
            (1, [low, high, rest @ ..]) => (64 + u32::from(*low) + (u32::from(*high) << 8), rest),
            (0 | 1, _) => return None,
            (id, rest) => (u32::from(id), rest),
        };
        let mut after = rest;
        let fields = if let (0..=2, Some((&[t0, t1, t2], mut rest))) =
            (first >> 6, rest.split_first_chunk::<3>())
        {
            let mut time = u32::from_be_bytes([0, t0, t1, t2]);
            let mut length_and_kind = None;
            let mut stream = None;
            if first >> 6 < 2 {
                let (&[l0, l1, l2, kind], more) = rest.split_first_chunk::<4>()?;
                length_and_kind = Some((u32::from_be_bytes([0, l0, l1, l2]) as usize, kind));
                rest = more;
            }
            if first >> 6 == 0 {
                let (id, more) = rest.split_first_chunk::<4>()?;
                stream = Some(u32::from_le_bytes(*id));
                rest = more;
            }
            let extended = time == EXTENDED_TIMESTAMP_MARKER;
            if extended {
                let (field, more) = rest.split_first_chunk::<4>()?;
                time = u32::from_be_bytes(*field);
                rest = more;
            }
            after = rest;
            Fields::Explicit { time, extended, length_and_kind, stream }
        } else if first >> 6 == 3 {
            let mut repeats_extended = None;
            if let Some(at) = self.find(chunk_stream)
                && let Some(stream) = self.streams.get(at)
                && stream.extended.is_some()
            {
                let there;
                (there, repeats_extended) = self.repeated_time(stream, rest)?;
                after = if there { rest.get(4..)? } else { rest };
            }
            Fields::Same { repeats_extended }
        } else {
            return None;
        };
        Some(Header { chunk_stream, size: bytes.len() - after.len(), fields })
    }

    /// Returns whether `bytes`, which follow a type 3 header, begin with a repeated extended time,
    /// and what that proves about the sender. Some senders repeat the time, some do not, and some
    /// write zeros (which may also be payload and prove nothing). Returns `None` if it is not known
    /// yet.
    fn repeated_time(&self, stream: &Stream, bytes: &[u8]) -> Option<(bool, Option<bool>)> {
        if let Some(known) = self.repeats_extended {
            return Some((known, None));
        }
        let next = if stream.partial { stream.time } else { stream.time.plus(stream.delta) };
        let seen = bytes.get(..4).unwrap_or(bytes);
        let is = |time: u32| time.to_be_bytes().starts_with(seen);
        let real = is(next.0) || stream.extended.is_some_and(is);
        match (real || is(0), seen.len() == 4) {
            (false, _) => Some((false, Some(false))),
            (true, true) => Some((true, (real && !is(0)).then_some(true))),
            (true, false) => None,
        }
    }

    fn find(&self, chunk_stream: u32) -> Option<usize> {
        match self.index.get(chunk_stream as usize) {
            Some(&at) => usize::from(at).checked_sub(1),
            None => self.streams.iter().position(|stream| stream.id == chunk_stream),
        }
    }

    /// Applies a header. Returns the index of the chunk stream, and the payload length of the
    /// chunk.
    fn begin_chunk(&mut self, header: &Header) -> Result<(usize, usize), Error> {
        let id = header.chunk_stream;
        let at = match self.find(id) {
            Some(at) => at,
            None if matches!(header.fields, Fields::Same { .. }) => {
                return Err(Error::NothingToContinue(id));
            }
            None if self.streams.len() >= self.limits.chunk_streams.min(usize::from(u8::MAX)) => {
                return Err(Error::TooManyChunkStreams(self.limits.chunk_streams));
            }
            None => {
                self.streams.push(Stream { id, ..Stream::default() });
                if let Some(entry) = self.index.get_mut(id as usize) {
                    *entry = self.streams.len() as u8;
                }
                self.streams.len() - 1
            }
        };
        let Some(stream) = self.streams.get_mut(at) else {
            return Err(Error::NothingToContinue(id));
        };
        match header.fields {
            Fields::Explicit { time, extended, length_and_kind, stream: message_stream } => {
                if stream.partial {
                    // Not allowed by the specification but seen in practice: a message that continues
                    // under a repeated header. Any other header discards the old message.
                    let repeated = length_and_kind.is_none_or(|(length, kind)| {
                        (stream.length, stream.kind) == (length, kind)
                    }) && message_stream
                        .is_none_or(|id| (stream.stream, stream.time.0) == (id, time));
                    if repeated {
                        let left = stream.length - stream.body.len();
                        return Ok((at, left.min(self.chunk_size)));
                    }
                    self.partials -= 1;
                    self.partial_bytes -= stream.body.len();
                    stream.partial = false;
                    stream.body = Vec::new();
                }
                stream.time = match message_stream {
                    Some(id) => {
                        stream.stream = id;
                        Time(time)
                    }
                    None => stream.time.plus(time),
                };
                stream.delta = time;
                stream.extended = extended.then_some(time);
                if let Some((length, kind)) = length_and_kind {
                    (stream.length, stream.kind) = (length, kind);
                }
            }
            Fields::Same { repeats_extended } => {
                self.repeats_extended = self.repeats_extended.or(repeats_extended);
                if !stream.partial {
                    stream.time = stream.time.plus(stream.delta);
                }
            }
        }
        if !stream.partial {
            let limit = self.limits.message.min(MAX_BODY_BYTES);
            if stream.length > limit {
                return Err(Error::MessageTooLong { length: stream.length, limit });
            }
            self.partials += 1;
            if self.partials > self.limits.partials {
                return Err(Error::TooManyPartials(self.limits.partials));
            }
            stream.partial = true;
        }
        Ok((at, (stream.length - stream.body.len()).min(self.chunk_size)))
    }

    fn finish(&mut self, at: usize) -> Result<Message, Error> {
        let Some(stream) = self.streams.get_mut(at) else {
            return Err(Error::NothingToContinue(0));
        };
        self.partial_bytes -= stream.body.len();
        self.trusted = self.trusted.max(stream.length.min(MAX_INITIAL_CAPACITY_BYTES));
        let body = Bytes::from(std::mem::take(&mut stream.body));
        self.complete(at, body)
    }

    /// Makes the message with this complete body.
    fn complete(&mut self, at: usize, body: Bytes) -> Result<Message, Error> {
        let Some(stream) = self.streams.get_mut(at) else {
            return Err(Error::NothingToContinue(0));
        };
        stream.partial = false;
        self.partials -= 1;
        let message = Message {
            chunk_stream: stream.id,
            kind: Kind(stream.kind),
            stream: stream.stream,
            time: stream.time,
            body,
        };
        match Control::parse(message.kind, &message.body) {
            // The first bit is reserved and must be 0.
            Some(Control::SetChunkSize(size)) => match size & 0x7FFF_FFFF {
                0 => return Err(Error::ChunkSizeZero),
                size => self.set_chunk_size(size),
            },
            Some(Control::Abort { chunk_stream }) => self.abort(chunk_stream),
            _ => {}
        }
        Ok(message)
    }

    fn abort(&mut self, chunk_stream: u32) {
        let stream = self.find(chunk_stream).and_then(|at| self.streams.get_mut(at));
        if let Some(stream) = stream.filter(|stream| stream.partial) {
            self.partials -= 1;
            self.partial_bytes -= stream.body.len();
            stream.partial = false;
            stream.body = Vec::new();
        }
    }
}

/// Appends payload. The capacity grows with the received bytes, never with the announced length.
fn append(stream: &mut Stream, payload: &[u8], trusted: usize) {
    let body = &mut stream.body;
    if body.capacity() - body.len() < payload.len() {
        let enough = body.len() + payload.len();
        let room = enough.max(trusted).max(body.capacity() * 2).min(stream.length).max(enough);
        body.reserve_exact(room - body.len());
    }
    append_pieces(body, payload);
}

/// Takes all whole chunks of the same message that follow, in one pass. Nearly all chunks of a long
/// message arrive like this.
fn follow_up(stream: &mut Stream, chunk_size: usize, trusted: usize, input: &mut &[u8]) {
    let header = 0xC0 | stream.id as u8;
    loop {
        let left = stream.length - stream.body.len();
        let [first, rest @ ..] = *input else { return };
        if left == 0 || *first != header {
            return;
        }
        let Some((payload, rest)) = rest.split_at_checked(left.min(chunk_size)) else { return };
        append(stream, payload, trusted);
        *input = rest;
    }
}
