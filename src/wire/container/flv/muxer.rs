//! The pieces of an FLV file or stream: header, tags, metadata. [`Recording`](super::Recording) makes files of
//! them.

use bytes::{BufMut, Bytes, BytesMut};

use super::{MAX_BODY, TAG_HEADER, TAG_TRAILER, TagKind};
use crate::wire::amf0::Value;

/// The file header, with the size of the tag before the first, which is none.
pub fn file_header(audio: bool, video: bool) -> Bytes {
    let flags = if audio { 4 } else { 0 } | u8::from(video);
    Bytes::copy_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0])
}

/// The header of a tag whose body has `length` bytes (at most [`MAX_BODY`]).
pub fn tag_header(kind: TagKind, time_ms: u32, length: usize) -> [u8; TAG_HEADER] {
    let [t3, t2, t1, t0] = time_ms.to_be_bytes();
    let [_, s2, s1, s0] = (length.min(MAX_BODY) as u32).to_be_bytes();
    [kind.id(), s2, s1, s0, t2, t1, t0, t3, 0, 0, 0]
}

/// What follows the body of a tag.
pub fn tag_trailer(length: usize) -> [u8; TAG_TRAILER] {
    ((length.min(MAX_BODY) + TAG_HEADER) as u32).to_be_bytes()
}

/// Bodies are copied in pieces so short that the C library never takes to the processor's string
/// instructions, which on several processors are slower where source and target lie unluckily.
const COPY_BYTES: usize = 2_048 - 64;

/// Appends a whole tag. A body that is too long for a tag (16 MiB) is left out.
pub fn write_tag(kind: TagKind, time_ms: u32, body: &[u8], out: &mut BytesMut) {
    if body.len() <= MAX_BODY {
        out.reserve(TAG_HEADER + body.len() + TAG_TRAILER);
        out.put_slice(&tag_header(kind, time_ms, body.len()));
        for piece in body.chunks(COPY_BYTES) {
            out.extend_from_slice(piece);
        }
        out.put_slice(&tag_trailer(body.len()));
    }
}

/// The script body that names the metadata.
pub fn metadata_body(value: &Value) -> Bytes {
    crate::wire::amf0::encode(&[Value::String("onMetaData".to_owned()), value.clone()]).into()
}
