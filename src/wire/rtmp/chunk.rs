//! Messages cut into chunks (RTMP 1.0, 5.3).
//!
//! [`Reader`] takes bytes as they arrive and gives whole [`Message`]s; each payload byte is copied
//! once, from the input to its message's body. [`Writer`] appends messages to a buffer, whole or
//! chunk by chunk (so that other messages may go in between), with the shortest header that says
//! it; nothing is allocated a chunk. [`encode_standalone`] depends on no connection's state: a
//! server encodes a message once and shares the bytes between all viewers.

mod reader;
mod writer;

use bytes::Bytes;

pub use reader::{Error, Limits, Reader};
pub use writer::{Pending, Writer};

use super::{Kind, Message, Time};

/// The chunk size of both directions until somebody changes it.
pub const DEFAULT_SIZE: u32 = 128;
/// The largest chunk size worth telling apart: no message is longer than its 24-bit length.
pub const MAX_SIZE: u32 = 0x00FF_FFFF;
/// The value of a 24-bit time field that says: the time follows in 32 bits.
const EXTENDED: u32 = 0x00FF_FFFF;
/// The longest body a message header can announce.
pub const MAX_BODY: usize = 0x00FF_FFFF;

/// Appends a message in a form that any reader at that chunk size takes at any time: a full header,
/// then type 3 chunks. Bodies longer than [`MAX_BODY`] are cut.
///
/// `chunk_stream` must be used for nothing else by whoever also writes through a [`Writer`] on the
/// same connection.
pub fn encode_standalone(
    chunk_stream: u32,
    stream: u32,
    time: Time,
    kind: Kind,
    body: &[u8],
    chunk_size: u32,
    out: &mut Vec<u8>,
) {
    let header = writer::Header { chunk_stream, kind, stream, time };
    writer::write_full(&header, body, chunk_size.clamp(1, MAX_SIZE) as usize, out);
}

/// [`encode_standalone`] of a message, as bytes ready to share.
pub fn standalone(message: &Message, chunk_size: u32) -> Bytes {
    let chunks = message.body.len() / chunk_size.max(1) as usize;
    let mut out = Vec::with_capacity(message.body.len() + 20 + 7 * chunks);
    let Message { chunk_stream, stream, time, kind, body } = message;
    encode_standalone(*chunk_stream, *stream, *time, *kind, body, chunk_size, &mut out);
    out.into()
}
