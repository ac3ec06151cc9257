//! What a body is: a picture or sound, what tells of all that follow, or neither.

use bytes::Bytes;

use crate::media::{Codec, StreamEvent, Track};
use crate::wire::container::flv;
use crate::wire::container::flv::audio::AudioPacket;
use crate::wire::container::flv::video::VideoPacket;
use crate::wire::container::flv::{FrameType, TagKind};

/// Whether a body is a picture or sound: no data, nothing that only tells how to decode, no command.
pub(in crate::player) fn is_media(kind: TagKind, body: &Bytes) -> bool {
    match kind {
        TagKind::Script => false,
        TagKind::Video => flv::parse_video(body).is_ok_and(|tag| {
            let frame = |packet: &VideoPacket| matches!(packet, VideoPacket::Frame { data, .. } if !data.is_empty());
            tag.frame_type != FrameType::Command && tag.tracks().any(|it| frame(&it.packet))
        }),
        TagKind::Audio => flv::parse_audio(body).is_ok_and(|tag| {
            let frame = |packet: &AudioPacket| matches!(packet, AudioPacket::Frame(data) if !data.is_empty());
            tag.tracks().any(|it| frame(&it.packet))
        }),
    }
}

/// What a file that is begun in the middle of a stream needs first.
#[derive(Debug, Default)]
pub(in crate::player) struct SequenceHeaders {
    pub(in crate::player) script: Option<Bytes>,
    pub(in crate::player) video: Option<Bytes>,
    pub(in crate::player) audio: Option<Bytes>,
    /// What the packets of events are of.
    codecs: (Option<Codec>, Option<Codec>),
}

/// Whether a body of data is what tells of the stream.
fn is_metadata(body: &[u8]) -> bool {
    const NAME: &[u8] = b"onMetaData";
    body.get(..32).unwrap_or(body).windows(NAME.len()).any(|name| name == NAME)
}

/// Whether a body holds no picture or sound, but tells of all that come after it.
pub(in crate::player) fn is_head(kind: TagKind, body: &Bytes) -> bool {
    match kind {
        // Other data, such as a chat's lines, are no head.
        TagKind::Script => is_metadata(body),
        TagKind::Video => flv::parse_video(body).is_ok_and(|tag| tag.is_sequence_start()),
        // How channels are laid out does without; the configuration does not.
        TagKind::Audio => {
            flv::parse_audio(body).is_ok_and(|tag| tag.is_sequence_start() && !tag.is_layout())
        }
    }
}

impl SequenceHeaders {
    /// An event came.
    pub(in crate::player) fn note_event(&mut self, event: &StreamEvent) {
        let StreamEvent::Config(config) = event else { return };
        let (body, codec) = match config.track() {
            Track::Video => (&mut self.video, &mut self.codecs.0),
            Track::Audio | Track::Extra(_) => (&mut self.audio, &mut self.codecs.1),
        };
        (*body, *codec) = (flv::config_body(config), Some(config.codec()));
    }

    /// An event as a body for a file; `None`: it has none, or FLV does not carry its codec.
    pub(in crate::player) fn body(&self, event: &StreamEvent) -> Option<(TagKind, Bytes)> {
        let (kind, head, codec) = match event.track()? {
            Track::Video => (TagKind::Video, &self.video, self.codecs.0),
            Track::Audio | Track::Extra(_) => (TagKind::Audio, &self.audio, self.codecs.1),
        };
        let body = match event {
            StreamEvent::Config(_) => head.clone(),
            StreamEvent::Packet(packet) => flv::packet_body(codec?, packet),
            _ => None,
        };
        body.map(|body| (kind, body))
    }

    /// A body came.
    pub(in crate::player) fn note(&mut self, kind: TagKind, body: &Bytes) {
        if is_head(kind, body) {
            let place = match kind {
                TagKind::Script => &mut self.script,
                TagKind::Video => &mut self.video,
                TagKind::Audio => &mut self.audio,
            };
            *place = Some(body.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_decoded_is_media() {
        for (kind, body, is) in [
            (TagKind::Script, &b"\x02\0\x0aonMetaData"[..], false),
            (TagKind::Video, b"\x17\0\0\0\0\x01d", false),
            (TagKind::Video, b"\x17\x01\0\0\0\0\0\0\x01e", true),
            (TagKind::Video, b"\x17\x01\0\0\0", false),
            (TagKind::Video, b"\x57\0", false),
            (TagKind::Video, b"\x17\x02\0\0\0", false),
            (TagKind::Audio, b"\xAF\0\x11\x90", false),
            (TagKind::Audio, b"\xAF\x01abc", true),
            (TagKind::Audio, b"\xAF\x01", false),
            (TagKind::Audio, b"", false),
        ] {
            assert_eq!(is_media(kind, &Bytes::from_static(body)), is, "{kind:?} {body:?}");
        }
    }
}
