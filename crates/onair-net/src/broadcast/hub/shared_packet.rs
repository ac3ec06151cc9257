//! A packet that several outputs share.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, Codec, EncodedPacket, ExtraRendition, RenditionId, Track, VideoCodec,
};
use crate::wire::container::flv;

/// The codec configs of a file's stream, as FLV bodies.
pub(in crate::broadcast) type Configurations = Arc<[(Track, Bytes)]>;

/// A packet that several outputs share, with its FLV body (which is also the body of its RTMP
/// message). The body is built for the first output that needs it. Times are on the session clock,
/// and each output subtracts its own start.
#[derive(Clone, Debug)]
pub struct SharedPacket {
    packet: EncodedPacket,
    /// The codec; `None` if only the body shows it.
    codec: Option<Codec>,
    /// True for audio of a file just before its first frame. Such audio is part of the beginning of
    /// the stream.
    pub leads: bool,
    /// The codec configs of a file's stream at this packet, if they are not those of the stream's
    /// headers.
    pub(in crate::broadcast) configurations: Option<Configurations>,
    body: OnceLock<Bytes>,
    /// Size in bytes of the body, or of the data if FLV does not support the codec.
    size: usize,
}

impl Deref for SharedPacket {
    type Target = EncodedPacket;

    fn deref(&self) -> &EncodedPacket {
        &self.packet
    }
}

impl SharedPacket {
    /// Creates a packet that onair encoded, with the codec of its rendition, or AAC.
    pub fn new(packet: EncodedPacket) -> Self {
        let codec = match packet.track {
            Track::Video | Track::Rendition(_) => {
                let rendition = packet.rendition.as_ref();
                Codec::Video(rendition.map_or(VideoCodec::H264, |it| it.video.codec))
            }
            Track::Audio | Track::Extra(_) => Codec::Audio(AudioCodec::Aac),
        };
        Self::of(codec, packet)
    }

    /// Creates a packet of this codec.
    pub fn of(codec: Codec, packet: EncodedPacket) -> Self {
        let size = flv::packet_body_size(codec, &packet).unwrap_or(packet.data.len());
        let (leads, configurations, body) = (false, None, OnceLock::new());
        Self { packet, codec: Some(codec), leads, configurations, body, size }
    }

    /// Creates a packet that arrived in an FLV body and keeps that body.
    pub fn with_body(packet: EncodedPacket, body: Bytes) -> Self {
        let size = body.len();
        let (leads, configurations, body) = (false, None, OnceLock::from(body));
        Self { packet, codec: None, leads, configurations, body, size }
    }

    /// Returns the packet with this value of [`leads`](Self::leads).
    pub(in crate::broadcast) fn leading(self, leads: bool) -> Self {
        Self { leads, ..self }
    }

    /// Returns the packet with these [`configurations`](Self::configurations).
    pub(in crate::broadcast) fn under(self, configurations: Option<Configurations>) -> Self {
        Self { configurations, ..self }
    }

    /// Returns the packet with another DTS and capture time.
    pub(in crate::broadcast) fn at(self, dts: Timestamp, captured: Timestamp) -> Self {
        let pts = dts.offset(self.packet.pts.micros_since(self.packet.dts));
        Self { packet: EncodedPacket { dts, pts, captured, ..self.packet }, ..self }
    }

    /// Returns the FLV body, which is empty if FLV does not support the codec.
    pub fn flv_body(&self) -> &Bytes {
        self.body.get_or_init(|| {
            self.codec.and_then(|codec| flv::packet_body(codec, &self.packet)).unwrap_or_default()
        })
    }

    /// Returns the size of the FLV body in bytes, whether it is built or not.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Returns the rendition of a frame that onair encoded.
    pub fn rendition_id(&self) -> Option<RenditionId> {
        self.packet.rendition.as_ref().map(|rendition| rendition.rendition_id)
    }

    /// Returns true for audio of an extra track, which only recordings, mixes, and targets with
    /// several tracks contain.
    pub fn is_extra(&self) -> bool {
        matches!(self.packet.track, Track::Extra(_))
    }

    /// Returns the further encode of a frame that only targets with several encodes get.
    pub fn extra_rendition(&self) -> Option<ExtraRendition> {
        match self.packet.track {
            Track::Rendition(its) => Some(its),
            Track::Video | Track::Audio | Track::Extra(_) => None,
        }
    }

    /// Returns true if decoding can start with this frame.
    pub fn starts_gop(&self) -> bool {
        self.packet.track == Track::Video && self.packet.keyframe
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::of_rendition;
    use crate::media::Rendition;

    #[test]
    fn the_codec_of_its_rendition_is_that_of_its_body() {
        let of_codec = |codec| {
            let packet = of_rendition(RenditionId::Main, 0);
            let mut rendition = Rendition::clone(packet.rendition.as_ref().unwrap());
            rendition.video.codec = codec;
            let rendition = Some(Arc::new(rendition));
            SharedPacket::new(EncodedPacket { rendition, ..packet }).flv_body().clone()
        };
        // Enhanced RTMP v2: a FourCC after the first byte.
        assert_eq!(of_codec(VideoCodec::Hevc).get(1..5), Some(&b"hvc1"[..]));
        assert_eq!(of_codec(VideoCodec::Av1).get(1..5), Some(&b"av01"[..]));
        assert_eq!(of_codec(VideoCodec::H264).first(), Some(&0x17));
    }
}
