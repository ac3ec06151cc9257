//! Video bodies in the legacy form (Annex E.4.3) and the enhanced form ("Enhanced Video").

use bytes::Bytes;

use super::Error;
use crate::wire::codec::four_cc::{FourCc, VideoFormat};
use crate::wire::container::flv::enhanced::{Fields, Part, VIDEO_MULTITRACK, modifiers, parts};

/// Frame type of a body.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum FrameType {
    Key,
    Inter,
    /// An H.263 frame to which no other frame refers.
    Disposable,
    /// A generated keyframe, a type reserved for servers.
    GeneratedKey,
    /// Not a frame, but a command to the player.
    Command,
    /// The reserved values 0, 6 and 7, which occur with configurations in practice.
    Reserved(u8),
}

impl FrameType {
    const fn from_bits(bits: u8) -> Self {
        match bits {
            1 => Self::Key,
            2 => Self::Inter,
            3 => Self::Disposable,
            4 => Self::GeneratedKey,
            5 => Self::Command,
            other => Self::Reserved(other),
        }
    }
}

/// A video body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoTag {
    pub frame_type: FrameType,
    /// Nanoseconds to add to the time of the tag (ModEx).
    pub offset_nanos: u32,
    /// True for the multitrack form, even with a single track.
    pub is_multitrack: bool,
    /// The only or the first track.
    pub track: VideoTrack,
    /// Further tracks (Multitrack); mostly empty, which allocates nothing.
    pub more_tracks: Vec<VideoTrack>,
}

/// The part of a body that belongs to one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoTrack {
    /// The track id, 0 outside multitrack bodies.
    pub id: u8,
    pub format: VideoFormat,
    pub packet: VideoPacket,
}

/// A packet of a video body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VideoPacket {
    /// A decoder configuration (avcC, hvcC, av1C…).
    SequenceStart(Bytes),
    /// A coded frame, shown `composition_ms` milliseconds after its DTS.
    Frame { composition_ms: i32, data: Bytes },
    /// The end of the video.
    SequenceEnd,
    /// AMF values such as `colorInfo` (enhanced form).
    Metadata(Bytes),
    /// An MPEG-2 TS descriptor, which replaces the configuration (enhanced form).
    Mpeg2TsSequenceStart(Bytes),
    /// A command to the player (start or end of a seek).
    Command(u8),
}

impl VideoTag {
    /// Returns all tracks of the body.
    pub fn tracks(&self) -> impl Iterator<Item = &VideoTrack> {
        std::iter::once(&self.track).chain(&self.more_tracks)
    }

    /// Returns the track with this id.
    pub fn into_track(self, id: u8) -> Option<VideoTrack> {
        std::iter::once(self.track).chain(self.more_tracks).find(|track| track.id == id)
    }

    /// Returns true if decoding may start at this body.
    pub fn is_keyframe(&self) -> bool {
        self.frame_type == FrameType::Key
            && self.tracks().any(|track| matches!(track.packet, VideoPacket::Frame { .. }))
    }

    /// Returns true if this body must be kept for late viewers.
    pub fn is_sequence_start(&self) -> bool {
        self.tracks().any(|track| {
            matches!(
                track.packet,
                VideoPacket::SequenceStart(_) | VideoPacket::Mpeg2TsSequenceStart(_)
            )
        })
    }

    const fn single(frame_type: FrameType, format: VideoFormat, packet: VideoPacket) -> Self {
        let track = VideoTrack { id: 0, format, packet };
        Self { frame_type, offset_nanos: 0, is_multitrack: false, track, more_tracks: Vec::new() }
    }
}

/// Reads a video body. The packets share the bytes of the body.
pub fn parse_video(body: &Bytes) -> Result<VideoTag, Error> {
    let mut fields = Fields::new(body, "video");
    let first = fields.u8()?;
    let (enhanced, low) = (first & 0x80 != 0, first & 0xF);
    let frame_type = FrameType::from_bits(first >> 4 & 7);
    if enhanced {
        parse_enhanced(fields, frame_type, low)
    } else {
        parse_legacy(fields, frame_type, low)
    }
}

fn parse_legacy(mut fields: Fields, frame_type: FrameType, id: u8) -> Result<VideoTag, Error> {
    let format = VideoFormat::from_legacy(id);
    if frame_type == FrameType::Command {
        let command = VideoPacket::Command(fields.rest.first().copied().unwrap_or(0));
        return Ok(VideoTag::single(frame_type, format, command));
    }
    // H.264, and codecs with the same form: packet type and composition time.
    let packet = if matches!(id, 7 | 12 | 13 | 14) {
        let packet_type = fields.u8()?;
        match packet_type {
            // Some writers omit the composition time if it has no meaning.
            2 => VideoPacket::SequenceEnd,
            0 => {
                fields.i24()?;
                VideoPacket::SequenceStart(fields.rest)
            }
            1 => VideoPacket::Frame { composition_ms: fields.i24()?, data: fields.rest },
            value => return Err(Error::Unknown { what: "AVC packet type", value }),
        }
    } else {
        VideoPacket::Frame { composition_ms: 0, data: fields.rest }
    };
    Ok(VideoTag::single(frame_type, format, packet))
}

/// Packet types in the enhanced header.
mod packet_type {
    pub(super) const SEQUENCE_START: u8 = 0;
    pub(super) const CODED_FRAMES: u8 = 1;
    pub(super) const SEQUENCE_END: u8 = 2;
    pub(super) const CODED_FRAMES_X: u8 = 3;
    pub(super) const METADATA: u8 = 4;
    pub(super) const MPEG2_TS_SEQUENCE_START: u8 = 5;
}

fn parse_enhanced(mut fields: Fields, frame_type: FrameType, first: u8) -> Result<VideoTag, Error> {
    let (packet_type, offset_nanos) = modifiers(&mut fields, first)?;
    if frame_type == FrameType::Command && packet_type != packet_type::METADATA {
        let command = VideoPacket::Command(fields.u8()?);
        return Ok(VideoTag::single(frame_type, VideoFormat::Other(FourCc(*b"    ")), command));
    }
    let is_multitrack = packet_type == VIDEO_MULTITRACK;
    let (first, others) = parts(&mut fields, packet_type, VIDEO_MULTITRACK)?;
    let track = track(first)?;
    let more_tracks = others.into_iter().map(self::track).collect::<Result<_, _>>()?;
    Ok(VideoTag { frame_type, offset_nanos, is_multitrack, track, more_tracks })
}

fn track(part: Part) -> Result<VideoTrack, Error> {
    let Part { id, fourcc, packet_type, mut fields } = part;
    let format = VideoFormat::from_fourcc(fourcc);
    let packet = match packet_type {
        packet_type::SEQUENCE_START => VideoPacket::SequenceStart(fields.rest),
        packet_type::CODED_FRAMES => {
            let composition_ms = if format.has_composition_time() { fields.i24()? } else { 0 };
            VideoPacket::Frame { composition_ms, data: fields.rest }
        }
        packet_type::CODED_FRAMES_X => VideoPacket::Frame { composition_ms: 0, data: fields.rest },
        packet_type::SEQUENCE_END => VideoPacket::SequenceEnd,
        packet_type::METADATA => VideoPacket::Metadata(fields.rest),
        packet_type::MPEG2_TS_SEQUENCE_START => VideoPacket::Mpeg2TsSequenceStart(fields.rest),
        value => return Err(Error::Unknown { what: "video packet type", value }),
    };
    Ok(VideoTrack { id, format, packet })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &'static [u8]) -> Result<VideoTag, Error> {
        parse_video(&Bytes::from_static(bytes))
    }

    #[test]
    fn legacy_bodies() {
        let tag = parse(&[0x27, 1, 0xFF, 0xFF, 0xDE, 9]).unwrap();
        let data = Bytes::from_static(&[9]);
        assert_eq!(tag.track.packet, VideoPacket::Frame { composition_ms: -34, data });
        assert!(!tag.is_keyframe());
        assert_eq!(parse(&[0x17, 2]).unwrap().track.packet, VideoPacket::SequenceEnd);
        assert_eq!(parse(&[0x1C, 0, 0, 0, 0, 1]).unwrap().track.format, VideoFormat::Hevc);
        assert!(parse(&[0x17, 0, 0, 0, 0]).unwrap().is_sequence_start());
        for bad in [&[][..], &[0x17], &[0x17, 1, 0], &[0x17, 9, 0, 0, 0]] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn enhanced_bodies() {
        let tag = parse(b"\x91hvc1\x00\x00\x0A\x01").unwrap();
        assert_eq!(tag.track.format, VideoFormat::Hevc);
        let data = Bytes::from_static(&[1]);
        assert_eq!(tag.track.packet, VideoPacket::Frame { composition_ms: 10, data: data.clone() });
        assert!(tag.is_keyframe());
        // AV1 and CodedFramesX have no composition time.
        for body in [&b"\x91av01\x01"[..], b"\x93hvc1\x01"] {
            let packet = VideoPacket::Frame { composition_ms: 0, data: data.clone() };
            assert_eq!(parse(body).unwrap().track.packet, packet);
        }
        let command = parse(&[0xD1, 1]).unwrap();
        assert_eq!(command.track.packet, VideoPacket::Command(1));
    }

    #[test]
    fn modifiers_and_tracks() {
        // ModEx with 3 bytes (500,000 ns), then coded frames.
        let tag = parse(b"\x97\x02\x07\xA1\x20\x01av01\x05").unwrap();
        assert_eq!(tag.offset_nanos, 500_000);
        assert!(tag.is_keyframe());
        // Several tracks, each with its own codec.
        let tag = parse(b"\x96\x20av01\x00\x00\x00\x01\x0Avp09\x03\x00\x00\x02\x0B\x0C").unwrap();
        assert_eq!(tag.more_tracks.len(), 1);
        let second = &tag.more_tracks[0];
        assert_eq!((second.id, second.format), (3, VideoFormat::Vp9));
        assert_eq!(second.packet, VideoPacket::SequenceStart(Bytes::from_static(&[11, 12])));
        // A single track takes the rest of the body.
        let tag = parse(b"\x96\x01av01\x07\x01\x02").unwrap();
        assert_eq!(tag.track.id, 7);
        for bad in [&b"\x96\x26av01\x00"[..], b"\x96\x30av01", b"\x97\xFF\xFF\xFF\x00", b"\x97\x02"]
        {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
