//! FLV (Adobe Flash Video File Format 10.1, Annex E), and the media bodies that it shares with
//! RTMP, legacy and Enhanced RTMP v2. This module has no I/O.

pub mod audio;
pub mod demuxer;
mod enhanced;
pub mod events;
pub mod index;
pub mod metadata;
pub mod normalize;
pub mod reader;
pub mod recording;
pub mod tag_body;
pub mod tag_content;
pub mod video;
mod wire_time;

pub use audio::{AudioTag, parse_audio};
pub use demuxer::Demuxer;
pub use enhanced::{default_track, is_multitrack};
pub use events::TagEvent;
pub use index::index;
pub use metadata::{Metadata, metadata, metadata_by};
pub use reader::{ReadTag, Reader};
pub use recording::Recording;
pub use tag_body::{
    audio_config_body, audio_front, carries, color_body, config_body, packet_body,
    packet_body_size, video_config_body, video_track_body,
};
pub use tag_content::TagContent;
pub use video::{FrameType, VideoTag, parse_video};
pub use wire_time::WireTime;

use bytes::{BufMut, Bytes, BytesMut};

use crate::wire::amf0::Value;

/// Length of a tag header in bytes.
pub const TAG_HEADER_BYTES: usize = 11;
/// Length in bytes of the trailer after a tag's body, which repeats the tag's size.
pub const TAG_TRAILER_BYTES: usize = 4;
/// The longest possible body of a tag in bytes.
pub const MAX_BODY_BYTES: usize = 0xFF_FFFF;

/// The reason why FLV bytes are invalid.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file does not have the FLV signature.
    #[error("the media format is unknown")]
    NotFlv,
    /// The file header has a length that no writer uses.
    #[error("the FLV header claims to be {0} bytes long")]
    HeaderLength(u32),
    /// A tag body ends before its fields do.
    #[error("a {0} body ends too early")]
    Short(&'static str),
    /// A field has a reserved value.
    #[error("{what} {value} is unknown")]
    Unknown { what: &'static str, value: u8 },
    /// A body has too many tracks.
    #[error("a body holds more than {0} tracks")]
    TooManyTracks(usize),
    /// The script data is not metadata.
    #[error("script data: {0}")]
    Script(&'static str),
    /// The H.264 configuration or frame is invalid.
    #[error(transparent)]
    H264(#[from] crate::wire::codec::h264::Error),
    /// The AAC configuration is invalid.
    #[error(transparent)]
    Aac(#[from] crate::wire::codec::aac::Error),
}

/// Type of a tag.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    Audio,
    Video,
    Script,
}

impl TagKind {
    /// Returns the number in the tag header, which is also the RTMP message type.
    pub const fn id(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }

    /// Converts the number in the tag header.
    pub const fn from_id(id: u8) -> Option<Self> {
        match id {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// An FLV tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub kind: TagKind,
    /// DTS in milliseconds, modulo 2³².
    pub time_ms: u32,
    pub body: Bytes,
}

/// Makes the file header, followed by the zero that is the size before the first tag.
pub fn file_header(audio: bool, video: bool) -> Bytes {
    let flags = if audio { 4 } else { 0 } | u8::from(video);
    Bytes::copy_from_slice(&[b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0])
}

/// Makes the header of a tag with a body of `length` bytes (at most [`MAX_BODY_BYTES`]).
pub fn tag_header(kind: TagKind, time_ms: u32, length: usize) -> [u8; TAG_HEADER_BYTES] {
    let [t3, t2, t1, t0] = time_ms.to_be_bytes();
    let [_, s2, s1, s0] = (length.min(MAX_BODY_BYTES) as u32).to_be_bytes();
    [kind.id(), s2, s1, s0, t2, t1, t0, t3, 0, 0, 0]
}

/// Makes the trailer of a tag.
pub fn tag_trailer(length: usize) -> [u8; TAG_TRAILER_BYTES] {
    ((length.min(MAX_BODY_BYTES) + TAG_HEADER_BYTES) as u32).to_be_bytes()
}

/// Size in bytes of the pieces in which bodies are copied. It is short enough that the C library
/// does not use the processor's string instructions, which are slow on several processors if source
/// and target are badly aligned.
const COPY_PIECE_BYTES: usize = 2_048 - 64;

/// Appends a whole tag. A body that is too long for a tag (16 MiB) is omitted.
pub fn write_tag(kind: TagKind, time_ms: u32, body: &[u8], out: &mut BytesMut) {
    if body.len() <= MAX_BODY_BYTES {
        out.reserve(TAG_HEADER_BYTES + body.len() + TAG_TRAILER_BYTES);
        out.put_slice(&tag_header(kind, time_ms, body.len()));
        for piece in body.chunks(COPY_PIECE_BYTES) {
            out.extend_from_slice(piece);
        }
        out.put_slice(&tag_trailer(body.len()));
    }
}

/// Makes the script body with the metadata.
pub fn metadata_body(value: &Value) -> Bytes {
    crate::wire::amf0::encode(&[Value::String("onMetaData".to_owned()), value.clone()]).into()
}
