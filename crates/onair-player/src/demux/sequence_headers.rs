//! The beginning of a stream: its metadata and configs as FLV bodies.

use bytes::Bytes;

use crate::media::{Codec, StreamEvent, Track};
use crate::wire::container::flv::{self, ReadTag, TagContent, TagKind};

/// The first tags of a file that begins in the middle of a stream.
#[derive(Debug, Default)]
pub(crate) struct SequenceHeaders {
    pub(crate) script: Option<Bytes>,
    pub(crate) video: Option<Bytes>,
    pub(crate) audio: Option<Bytes>,
    /// The codecs of the packets.
    codecs: (Option<Codec>, Option<Codec>),
}

impl SequenceHeaders {
    /// Remembers the codec config in an event.
    pub(crate) fn note_event(&mut self, event: &StreamEvent) {
        let StreamEvent::Config(config) = event else { return };
        let (body, codec) = match config.track() {
            Track::Video | Track::Rendition(_) => (&mut self.video, &mut self.codecs.0),
            Track::Audio | Track::Extra(_) => (&mut self.audio, &mut self.codecs.1),
        };
        (*body, *codec) = (flv::config_body(config), Some(config.codec()));
    }

    /// Converts an event to an FLV body. Returns `None` if the event has no data, or FLV does not
    /// support the codec.
    pub(crate) fn body(&self, event: &StreamEvent) -> Option<(TagKind, Bytes)> {
        let (kind, head, codec) = match event.track()? {
            Track::Video | Track::Rendition(_) => (TagKind::Video, &self.video, self.codecs.0),
            Track::Audio | Track::Extra(_) => (TagKind::Audio, &self.audio, self.codecs.1),
        };
        let body = match event {
            StreamEvent::Config(_) => head.clone(),
            StreamEvent::Packet(packet) => flv::packet_body(codec?, packet),
            _ => None,
        };
        body.map(|body| (kind, body))
    }

    /// Records a tag of video or audio.
    pub(crate) fn note_tag(&mut self, read: &ReadTag) {
        // A channel layout may be empty; a config may not.
        if read.content == TagContent::Config {
            let place = match read.tag.kind {
                TagKind::Video => &mut self.video,
                _ => &mut self.audio,
            };
            *place = Some(read.tag.body.clone());
        }
    }
}
