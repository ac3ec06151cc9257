//! One message of a stream, encoded once for all viewers.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use crate::wire::flv::{self, TagKind};
use crate::wire::rtmp::Time;
use crate::wire::rtmp::chunk::encode_standalone;
use crate::wire::rtmp::message::{Kind, chunk_stream};

/// The chunk size of what is sent to viewers: nearly every message is one chunk.
pub(super) const CHUNK_SIZE: u32 = 65_536;
/// The message stream that nearly all players get.
pub(super) const STREAM: u32 = 1;
/// Where the message stream stands in the encoded form: after the basic header, time, length, kind.
const STREAM_AT: std::ops::Range<usize> = 8..12;
/// Of our own: the session's writer compresses its headers against what *it* sent on a chunk stream.
const DATA_CHUNK_STREAM: u32 = 7;

/// What a viewer can do without.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Configuration, metadata, what the session says: never dropped.
    Vital,
    /// A picture to start from.
    Key,
    /// A picture that refers to others.
    Inter,
    Sound,
}

/// A message. Shared by the group of pictures and all queues.
#[derive(Debug)]
pub(super) struct Message {
    pub kind: TagKind,
    pub class: Class,
    pub time_ms: u32,
    pub body: Bytes,
    rtmp: Bytes,
    flv: OnceLock<Bytes>,
    /// For those who know nothing of tracks, where it is not the same.
    plain: Option<Plain>,
}

/// What of a body of several tracks goes to those who know one only.
#[derive(Debug)]
pub(super) enum Plain {
    /// The default track, in the form for one.
    Track(Arc<Message>),
    Nothing,
}

impl Message {
    pub fn new(kind: TagKind, class: Class, time_ms: u32, body: &Bytes) -> Self {
        let (chunk_stream, message_kind) = match kind {
            TagKind::Audio => (chunk_stream::AUDIO, Kind::AUDIO),
            TagKind::Video => (chunk_stream::VIDEO, Kind::VIDEO),
            TagKind::Script => (DATA_CHUNK_STREAM, Kind::DATA),
        };
        let mut out = Vec::with_capacity(body.len() + 32 + body.len() / CHUNK_SIZE as usize * 8);
        let time = Time(time_ms);
        encode_standalone(chunk_stream, STREAM, time, message_kind, body, CHUNK_SIZE, &mut out);
        let rtmp = Bytes::from(out);
        // In one chunk the body is there as it is: keep it once.
        let body = match rtmp.len().checked_sub(body.len()) {
            Some(header) if body.len() <= CHUNK_SIZE as usize => rtmp.slice(header..),
            _ => body.clone(),
        };
        Self { kind, class, time_ms, body, rtmp, flv: OnceLock::new(), plain: None }
    }

    /// With another form for those who know nothing of tracks.
    pub fn with_plain(self, plain: Plain) -> Self {
        Self { plain: Some(plain), ..self }
    }

    /// Whether it is not the same for all.
    pub fn is_divided(&self) -> bool {
        self.plain.is_some()
    }

    /// What a viewer gets that takes tracks, or does not.
    pub fn for_viewer(&self, takes_tracks: bool) -> Option<&Self> {
        match &self.plain {
            Some(Plain::Track(plain)) if !takes_tracks => Some(plain),
            Some(Plain::Nothing) if !takes_tracks => None,
            _ => Some(self),
        }
    }

    /// As RTMP, for a player's message stream.
    pub fn rtmp(&self, stream: u32) -> Bytes {
        if stream == STREAM {
            return self.rtmp.clone();
        }
        let mut bytes = BytesMut::from(&self.rtmp[..]);
        if let Some(field) = bytes.get_mut(STREAM_AT) {
            field.copy_from_slice(&stream.to_le_bytes());
        }
        bytes.freeze()
    }

    /// As an FLV tag.
    pub fn flv(&self) -> Bytes {
        let tag = self.flv.get_or_init(|| {
            let mut out = BytesMut::new();
            flv::write_tag(self.kind, self.time_ms, &self.body, &mut out);
            out.freeze()
        });
        tag.clone()
    }

    /// Bytes it keeps in memory.
    pub fn weight(&self) -> usize {
        self.rtmp.len()
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
                assert_eq!(message.body, body);
                let mut reader = Reader::new(Limits::default());
                let mut wire = vec![2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0];
                wire.extend(CHUNK_SIZE.to_be_bytes());
                wire.extend(message.rtmp(stream));
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
