//! One packet as it goes to every output: the FLV tag body is built once and shared.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{EncodedPacket, Priority, Rendition, RenditionId, Track};
use crate::wire::container::flv;

/// An encoded packet with its FLV tag body (which is also the body of its RTMP message).
#[derive(Clone, Debug)]
pub struct SharedTag {
    /// Picture or sound.
    pub track: Track,
    /// On the session clock; the output subtracts where its own time began.
    pub dts: Timestamp,
    /// On the session clock too.
    pub pts: Timestamp,
    /// A picture that decodes by itself; true for all sound.
    pub keyframe: bool,
    /// What may be thrown away first.
    pub priority: Priority,
    /// When it was captured.
    pub captured: Timestamp,
    /// The FLV tag body.
    pub body: Bytes,
    /// Which encode a picture is of; `None` for sound, and for what was not encoded here.
    pub rendition: Option<Arc<Rendition>>,
    /// Sound of a file from right before its first picture: the stream begins with it.
    pub leads: bool,
}

impl SharedTag {
    /// Wraps a packet.
    pub fn new(packet: &EncodedPacket) -> Self {
        let body = match packet.track {
            Track::Video => flv::video_body(packet),
            Track::Audio | Track::Extra(_) => flv::audio_body(packet),
        };
        Self {
            track: packet.track,
            dts: packet.dts,
            pts: packet.pts,
            keyframe: packet.keyframe,
            priority: packet.priority,
            captured: packet.captured,
            body,
            rendition: packet.rendition.clone(),
            leads: false,
        }
    }

    /// Of a picture that was encoded here.
    pub fn rendition_id(&self) -> Option<RenditionId> {
        self.rendition.as_ref().map(|rendition| rendition.rendition_id)
    }

    /// The packet's data, which is the body without its head.
    pub fn data(&self) -> Bytes {
        let head = match self.track {
            Track::Video => flv::VIDEO_HEAD,
            Track::Audio | Track::Extra(_) => flv::AUDIO_HEAD,
        };
        self.body.slice(head.min(self.body.len())..)
    }

    /// Sound for recordings only.
    pub fn is_extra(&self) -> bool {
        matches!(self.track, Track::Extra(_))
    }

    /// Whether it is a picture from which decoding can start.
    pub fn starts_gop(&self) -> bool {
        self.track == Track::Video && self.keyframe
    }
}
