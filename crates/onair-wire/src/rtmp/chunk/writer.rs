//! Writes messages as chunks.

use bytes::Bytes;

use super::{
    DEFAULT_CHUNK_SIZE, EXTENDED_TIMESTAMP_MARKER, MAX_BODY_BYTES, MAX_CHUNK_SIZE, append_pieces,
};
use crate::wire::rtmp::{Kind, Message, Time};

/// Appends a message in a form that any reader with that chunk size accepts at any time: a full
/// header, then type 3 chunks. Bodies longer than [`MAX_BODY_BYTES`] are truncated.
///
/// On a connection that also uses a [`Writer`], `chunk_stream` must have no other use.
pub fn encode_standalone(
    chunk_stream: u32,
    stream: u32,
    time: Time,
    kind: Kind,
    body: &[u8],
    chunk_size: u32,
    out: &mut Vec<u8>,
) {
    let header = Header { chunk_stream, kind, stream, time };
    let size = chunk_size.clamp(1, MAX_CHUNK_SIZE) as usize;
    let body = body.get(..MAX_BODY_BYTES).unwrap_or(body);
    out.reserve(body.len() + 18 + 7 * (body.len() / size));
    let extended = full_header(&header, body.len(), out);
    let (first, rest) = body.split_at_checked(size).unwrap_or((body, &[]));
    append_pieces(out, first);
    continuation(header.chunk_stream, extended, rest, size, out);
}

/// Makes the bytes of [`encode_standalone`] for a message, so that they can be shared.
pub fn standalone(message: &Message, chunk_size: u32) -> Bytes {
    let mut out = Vec::new();
    let Message { chunk_stream, stream, time, kind, body } = message;
    encode_standalone(*chunk_stream, *stream, *time, *kind, body, chunk_size, &mut out);
    out.into()
}

/// Fields of a message header, except the length.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Header {
    chunk_stream: u32,
    kind: Kind,
    stream: u32,
    time: Time,
}

/// Chunk stream state in the peer's reader.
#[derive(Copy, Clone, Debug)]
struct Sent {
    header: Header,
    length: usize,
    /// The delta that a type 3 header would mean now, or `None` if readers disagree about it.
    delta: Option<u32>,
}

/// Writes one direction of a connection. Headers are compressed relative to earlier ones on the
/// same chunk stream, so all messages on these chunk streams must go through one writer, in order.
#[derive(Debug)]
pub struct Writer {
    chunk_size: u32,
    sent: Vec<Sent>,
}

/// A message in progress, whose chunks may be interleaved with messages on *other* chunk streams.
#[derive(Debug)]
pub struct Pending {
    message: Message,
    at: usize,
    /// Extended time that type 3 headers repeat, if the message's header had one.
    extended: Option<u32>,
}

impl Pending {
    /// Creates a pending message, of which nothing is written yet.
    pub fn new(mut message: Message) -> Self {
        message.body.truncate(MAX_BODY_BYTES);
        Self { message, at: 0, extended: None }
    }

    /// Returns the pending message.
    pub const fn message(&self) -> &Message {
        &self.message
    }

    /// Returns the number of bytes of the body that are not written yet.
    pub fn remaining(&self) -> usize {
        self.message.body.len() - self.at
    }

    /// Returns true if the message's first chunk is written.
    pub const fn is_started(&self) -> bool {
        self.at > 0
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

impl Writer {
    /// Creates a writer for a new connection.
    pub const fn new() -> Self {
        Self { chunk_size: DEFAULT_CHUNK_SIZE, sent: Vec::new() }
    }

    /// Returns the current chunk size.
    pub const fn chunk_size(&self) -> u32 {
        self.chunk_size
    }

    /// Changes the chunk size from the next chunk on. The caller must announce it with a
    /// [`super::super::message::Control::SetChunkSize`] message just before.
    pub fn set_chunk_size(&mut self, size: u32) {
        self.chunk_size = size.clamp(1, MAX_CHUNK_SIZE);
    }

    /// Appends a whole message.
    pub fn write(&mut self, message: &Message, out: &mut Vec<u8>) {
        let body = message.body.get(..MAX_BODY_BYTES).unwrap_or(&message.body);
        let size = self.chunk_size as usize;
        out.reserve(body.len() + 18 + 5 * (body.len() / size));
        let extended = self.start(message, body.len(), out);
        let (first, rest) = body.split_at_checked(size).unwrap_or((body, &[]));
        append_pieces(out, first);
        continuation(message.chunk_stream, extended, rest, size, out);
    }

    /// Appends the next chunk of a message. Returns true if it was the last.
    pub fn write_chunk(&mut self, pending: &mut Pending, out: &mut Vec<u8>) -> bool {
        let length = pending.message.body.len();
        if pending.at == 0 {
            pending.extended = self.start(&pending.message, length, out);
        } else {
            basic_header(3, pending.message.chunk_stream, out);
            if let Some(time) = pending.extended {
                out.extend_from_slice(&time.to_be_bytes());
            }
        }
        let end = (pending.at + self.chunk_size as usize).min(length);
        append_pieces(out, pending.message.body.get(pending.at..end).unwrap_or_default());
        pending.at = end;
        end == length
    }

    /// Writes the header of a message's first chunk in the shortest possible form. A type 3 header
    /// would repeat the time of a type 0 header as a delta. Readers interpret that differently, so
    /// a type 3 header is used only if both are 0.
    fn start(&mut self, message: &Message, length: usize, out: &mut Vec<u8>) -> Option<u32> {
        let header = Header {
            chunk_stream: message.chunk_stream,
            kind: message.kind,
            stream: message.stream,
            time: message.time,
        };
        let delta = (header.time.0 == 0).then_some(0);
        let known =
            self.sent.iter_mut().find(|sent| sent.header.chunk_stream == header.chunk_stream);
        let Some(sent) = known else {
            self.sent.push(Sent { header, length, delta });
            return full_header(&header, length, out);
        };
        let before = std::mem::replace(sent, Sent { header, length, delta });
        let delta = header.time.since(before.header.time);
        if before.header.stream != header.stream
            || !(0..EXTENDED_TIMESTAMP_MARKER.cast_signed()).contains(&delta)
        {
            return full_header(&header, length, out);
        }
        let delta = delta.cast_unsigned();
        sent.delta = Some(delta);
        let [_, d0, d1, d2] = delta.to_be_bytes();
        if before.length != length || before.header.kind != header.kind {
            basic_header(1, header.chunk_stream, out);
            let [_, l0, l1, l2] = length_field(length);
            out.extend_from_slice(&[d0, d1, d2, l0, l1, l2, header.kind.0]);
        } else if before.delta != Some(delta) {
            basic_header(2, header.chunk_stream, out);
            out.extend_from_slice(&[d0, d1, d2]);
        } else {
            basic_header(3, header.chunk_stream, out);
        }
        None
    }
}

/// Writes the chunks after the first.
fn continuation(
    chunk_stream: u32,
    extended: Option<u32>,
    rest: &[u8],
    size: usize,
    out: &mut Vec<u8>,
) {
    if extended.is_none() && (2..64).contains(&chunk_stream) {
        // By far the most common case, on the fast path.
        let header = 0xC0 | chunk_stream as u8;
        for chunk in rest.chunks(size) {
            out.push(header);
            append_pieces(out, chunk);
        }
        return;
    }
    for chunk in rest.chunks(size) {
        basic_header(3, chunk_stream, out);
        if let Some(time) = extended {
            out.extend_from_slice(&time.to_be_bytes());
        }
        append_pieces(out, chunk);
    }
}

/// Writes a type 0 header. Returns the time that type 3 headers must repeat, if any.
fn full_header(header: &Header, length: usize, out: &mut Vec<u8>) -> Option<u32> {
    let extended = (header.time.0 >= EXTENDED_TIMESTAMP_MARKER).then_some(header.time.0);
    basic_header(0, header.chunk_stream, out);
    let [_, t0, t1, t2] =
        extended.map_or(header.time.0, |_| EXTENDED_TIMESTAMP_MARKER).to_be_bytes();
    let [_, l0, l1, l2] = length_field(length);
    // The only little-endian field of the protocol.
    let [s0, s1, s2, s3] = header.stream.to_le_bytes();
    out.extend_from_slice(&[t0, t1, t2, l0, l1, l2, header.kind.0, s0, s1, s2, s3]);
    if let Some(time) = extended {
        out.extend_from_slice(&time.to_be_bytes());
    }
    extended
}

fn basic_header(format: u8, chunk_stream: u32, out: &mut Vec<u8>) {
    match chunk_stream {
        0..64 => out.push(format << 6 | chunk_stream.max(2) as u8),
        64..320 => out.extend_from_slice(&[format << 6, (chunk_stream - 64) as u8]),
        _ => {
            let [low, high, ..] = (chunk_stream - 64).min(0xFFFF).to_le_bytes();
            out.extend_from_slice(&[format << 6 | 1, low, high]);
        }
    }
}

fn length_field(length: usize) -> [u8; 4] {
    (length.min(MAX_BODY_BYTES) as u32).to_be_bytes()
}
