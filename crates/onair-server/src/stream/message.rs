//! One message of a stream, encoded once for all viewers.

use std::sync::{Arc, OnceLock};

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use crate::wire::container::flv;
use crate::wire::container::flv::TagKind;
use crate::wire::rtmp::Time;
use crate::wire::rtmp::chunk::encode_standalone;
use crate::wire::rtmp::message::{Kind, chunk_stream};

/// The chunk size for viewers: nearly every message is one chunk.
pub(crate) const CHUNK_SIZE: u32 = 65_536;
/// The message stream that nearly all players get.
pub(crate) const MESSAGE_STREAM_ID: u32 = 1;
/// Number of bytes in the first chunk's header before the message stream: basic header, time,
/// length, kind.
const STREAM_ID_OFFSET: usize = 8;
/// Size of the first chunk's header in bytes, without an extended timestamp.
const CHUNK_HEADER_BYTES: usize = 12;
/// From this time on, a chunk's timestamp is extended by four bytes (RTMP 1.0, 5.3.1.3).
const EXTENDED_TIMESTAMP_MS: u32 = 0xFF_FFFF;

/// The importance of a message to a viewer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Codec configs, metadata, session messages: never dropped.
    Vital,
    /// A frame at which decoding can start.
    Key,
    /// A frame that refers to others.
    Inter,
    Audio,
}

/// Identifies a message that a newer one replaces: metadata, or the config of a track.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct MessageVersion {
    pub kind: TagKind,
    /// The slot of the track. Higher slots are for data outside the tracks.
    pub slot: u16,
    /// A number that changes with the body.
    pub version: u32,
}

impl MessageVersion {
    /// Returns the identity of the message, independent of its version.
    pub fn slot(self) -> (TagKind, u16) {
        (self.kind, self.slot)
    }
}

/// A message. It is shared by the cache and all queues.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub kind: TagKind,
    pub class: Class,
    pub time_ms: u32,
    pub mark: Option<MessageVersion>,
    length: usize,
    rtmp: Bytes,
    flv: OnceLock<Bytes>,
    /// The form for viewers without multitrack support, if it differs.
    plain: Option<SingleTrack>,
    /// The FLV tag for recordings, if it differs.
    recorded: Option<Bytes>,
    /// The form for viewers without Opus, if it differs.
    without_opus: Option<SingleTrack>,
    /// True for AAC that replaces Opus. Only viewers without Opus get it.
    replaces_opus: bool,
}

/// What a viewer supports.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Takes {
    /// True for multitrack bodies.
    pub tracks: bool,
    /// True for Opus in FLV and RTMP.
    pub opus: bool,
}

impl Takes {
    pub const EVERYTHING: Self = Self { tracks: true, opus: true };
    pub const ONE_TRACK: Self = Self { tracks: false, opus: true };
    pub const ONE_TRACK_WITHOUT_OPUS: Self = Self { tracks: false, opus: false };
}

/// The part of a multitrack body for viewers that support one track.
#[derive(Clone, Debug)]
pub(crate) enum SingleTrack {
    /// The default track in single-track form.
    Track(Arc<Message>),
    Nothing,
}

impl Message {
    pub fn new(kind: TagKind, class: Class, time_ms: u32, body: &Bytes) -> Self {
        let (chunk_stream, message_kind) = match kind {
            TagKind::Audio => (chunk_stream::AUDIO, Kind::AUDIO),
            TagKind::Video => (chunk_stream::VIDEO, Kind::VIDEO),
            TagKind::Script => (chunk_stream::SHARED_DATA, Kind::DATA),
        };
        let mut out = Vec::with_capacity(body.len() + 32 + body.len() / CHUNK_SIZE as usize * 8);
        let time = Time(time_ms);
        encode_standalone(
            chunk_stream,
            MESSAGE_STREAM_ID,
            time,
            message_kind,
            body,
            CHUNK_SIZE,
            &mut out,
        );
        let (length, rtmp) = (body.len(), Bytes::from(out));
        Self {
            kind,
            class,
            time_ms,
            mark: None,
            length,
            rtmp,
            flv: OnceLock::new(),
            plain: None,
            recorded: None,
            without_opus: None,
            replaces_opus: false,
        }
    }

    /// Sets the version of the message.
    pub fn with_mark(self, mark: Option<MessageVersion>) -> Self {
        Self { mark, ..self }
    }

    /// Returns the body for viewers. It is part of the encoded form (whole in the only chunk, or in
    /// pieces after the headers of several chunks), and is not stored separately.
    pub fn body(&self) -> Bytes {
        let extended = if self.time_ms >= EXTENDED_TIMESTAMP_MS { 4 } else { 0 };
        let mut rest = self.rtmp.slice((CHUNK_HEADER_BYTES + extended).min(self.rtmp.len())..);
        if self.length <= CHUNK_SIZE as usize {
            return rest;
        }
        let mut body = BytesMut::with_capacity(self.length);
        loop {
            body.extend_from_slice(&rest.split_to(rest.len().min(CHUNK_SIZE as usize)));
            if rest.is_empty() {
                return body.freeze();
            }
            rest.advance((1 + extended).min(rest.len()));
        }
    }

    /// Sets another form for viewers without multitrack support.
    pub fn with_plain(self, plain: SingleTrack) -> Self {
        Self { plain: Some(plain), ..self }
    }

    /// Sets another form for viewers without Opus.
    pub fn with_form_without_opus(self, form: Option<SingleTrack>) -> Self {
        Self { without_opus: form, ..self }
    }

    /// Returns true if viewers without Opus get another form or nothing.
    pub fn has_form_without_opus(&self) -> bool {
        self.without_opus.is_some()
    }

    /// Returns true for a message for viewers without Opus only.
    pub fn is_replacing_opus(&self) -> bool {
        self.replaces_opus
    }

    /// Sends the message only to viewers without Opus.
    pub fn replacing_opus(self) -> Self {
        Self { replaces_opus: true, ..self }
    }

    /// Sets another body for recordings.
    pub fn with_recorded(self, body: &Bytes) -> Self {
        let mut out = BytesMut::new();
        flv::write_tag(self.kind, self.time_ms, body, &mut out);
        Self { recorded: Some(out.freeze()), ..self }
    }

    /// Returns true if decoding can start with this message.
    pub fn is_keyframe(&self) -> bool {
        self.kind == TagKind::Video && self.class == Class::Key
    }

    /// Returns true if the form differs between viewers.
    pub fn is_divided(&self) -> bool {
        self.plain.is_some() || self.without_opus.is_some() || self.replaces_opus
    }

    /// Returns true if a viewer gets the message itself, and not another form.
    pub fn is_whole_for(&self, takes: Takes) -> bool {
        let is_for_it = if takes.opus { !self.replaces_opus } else { self.without_opus.is_none() };
        is_for_it && (takes.tracks || self.plain.is_none())
    }

    /// Returns the form for a viewer.
    pub fn for_viewer(&self, takes: Takes) -> Option<&Self> {
        if takes.opus && self.replaces_opus {
            return None;
        }
        match &self.without_opus {
            Some(SingleTrack::Track(form)) if !takes.opus => return Some(form),
            Some(SingleTrack::Nothing) if !takes.opus => return None,
            _ => {}
        }
        match &self.plain {
            Some(SingleTrack::Track(plain)) if !takes.tracks => Some(plain),
            Some(SingleTrack::Nothing) if !takes.tracks => None,
            _ => Some(self),
        }
    }

    /// Returns the RTMP form for the message stream of nearly all players.
    pub fn rtmp(&self) -> Bytes {
        self.rtmp.clone()
    }

    /// Returns the RTMP form for a player's message stream. Another stream needs only its own
    /// header.
    pub fn piece(&self, stream: u32) -> MessageBytes {
        if stream == MESSAGE_STREAM_ID || self.rtmp.len() < CHUNK_HEADER_BYTES {
            return self.rtmp.clone().into();
        }
        let mut head = BytesMut::with_capacity(CHUNK_HEADER_BYTES);
        head.extend_from_slice(&self.rtmp.slice(..STREAM_ID_OFFSET));
        head.put_u32_le(stream);
        MessageBytes { head: head.freeze(), rest: self.rtmp.slice(CHUNK_HEADER_BYTES..) }
    }

    /// Returns the form as an FLV tag.
    pub fn flv(&self) -> Bytes {
        let tag = self.flv.get_or_init(|| {
            let mut out = BytesMut::new();
            flv::write_tag(self.kind, self.time_ms, &self.body(), &mut out);
            out.freeze()
        });
        tag.clone()
    }

    /// Returns the form as an FLV tag of a recording.
    pub fn recorded_flv(&self) -> Bytes {
        self.recorded.clone().unwrap_or_else(|| self.flv())
    }

    /// Returns the memory that the message uses, in bytes.
    pub fn weight(&self) -> usize {
        self.rtmp.len()
    }
}

/// The bytes of one message: the viewer's own header, which can be empty, and the shared part.
#[derive(Clone, Debug, Default)]
pub(crate) struct MessageBytes {
    pub head: Bytes,
    pub rest: Bytes,
}

impl From<Bytes> for MessageBytes {
    fn from(rest: Bytes) -> Self {
        Self { head: Bytes::new(), rest }
    }
}

impl MessageBytes {
    /// Returns the number of bytes in both parts.
    pub fn len(&self) -> usize {
        self.head.len() + self.rest.len()
    }
}

/// Maximum total size in bytes of messages that are joined by copying.
const MAX_JOINED_BYTES: usize = 1 << 20;

/// Messages that are sent together, in order.
#[derive(Debug)]
pub(crate) struct Batch<'a> {
    pub messages: &'a [Arc<Message>],
    /// All messages in RTMP form for the message stream of nearly all players, for viewers that
    /// want everything. These bytes are built once, and sent to each viewer with one system call.
    pub joined: Option<Bytes>,
}

impl<'a> Batch<'a> {
    /// Creates a batch for one viewer.
    pub fn pieces(messages: &'a [Arc<Message>]) -> Self {
        Self { messages, joined: None }
    }

    /// Creates a batch for many viewers.
    pub fn joined(messages: &'a [Arc<Message>]) -> Self {
        let length: usize = messages.iter().map(|message| message.weight()).sum();
        let joined = match messages {
            [message] => Some(message.rtmp()),
            _ if length > MAX_JOINED_BYTES => None,
            _ => {
                let mut joined = BytesMut::with_capacity(length);
                messages.iter().for_each(|message| joined.extend_from_slice(&message.rtmp()));
                Some(joined.freeze())
            }
        };
        Self { messages, joined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::rtmp::chunk::{Limits, Reader};

    #[test]
    fn what_is_encoded_is_read_back_on_any_message_stream() {
        for length in [0, 1, 5_000, 65_536, 65_537, 200_000] {
            let body = Bytes::from(vec![0x27; length]);
            for (stream, time_ms) in [(1, 40), (5, 0x0123_4567)] {
                let message = Message::new(TagKind::Video, Class::Inter, time_ms, &body);
                assert_eq!(message.body(), body);
                let mut reader = Reader::new(Limits::default());
                let mut wire = vec![2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
                wire.extend(CHUNK_SIZE.to_be_bytes());
                let piece = message.piece(stream);
                assert!(piece.head.len() <= CHUNK_HEADER_BYTES, "the body is shared");
                wire.extend([piece.head, piece.rest].concat());
                let mut input = &wire[..];
                let size = reader.read(&mut input).unwrap().unwrap();
                assert_eq!(size.kind, Kind::SET_CHUNK_SIZE);
                let read = reader.read(&mut input).unwrap().unwrap();
                assert_eq!(
                    (read.stream, read.time, read.body),
                    (stream, Time(time_ms), body.clone())
                );
                assert_eq!(message.flv().len(), length + 15);
            }
        }
    }
}
