//! Shared parsing of enhanced video and audio bodies: optional fields, ModEx and tracks (Enhanced
//! RTMP v2, "Enhanced Audio" and "Enhanced Video").

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{Error, TagKind};
use crate::wire::codec::four_cc::FourCc;

/// Maximum number of tracks in a body. Ids are one byte long, and real streams have up to 10
/// tracks.
pub(super) const MAX_TRACKS: usize = 32;

/// Reads fields from the start of a body.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) rest: Bytes,
    /// "video" or "audio", for the error.
    what: &'static str,
}

impl Fields {
    pub(super) fn new(body: &Bytes, what: &'static str) -> Self {
        Self { rest: body.clone(), what }
    }

    fn need(&self, length: usize) -> Result<(), Error> {
        if self.rest.len() < length { Err(Error::Short(self.what)) } else { Ok(()) }
    }

    pub(super) fn u8(&mut self) -> Result<u8, Error> {
        self.need(1)?;
        Ok(self.rest.get_u8())
    }

    pub(super) fn u24(&mut self) -> Result<u32, Error> {
        self.need(3)?;
        Ok(self.rest.get_uint(3) as u32)
    }

    /// Reads a signed 24-bit number, the format of composition times.
    pub(super) fn i24(&mut self) -> Result<i32, Error> {
        self.need(3)?;
        Ok(self.rest.get_int(3) as i32)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Error> {
        self.need(4)?;
        Ok(self.rest.get_u32())
    }

    pub(super) fn fourcc(&mut self) -> Result<FourCc, Error> {
        Ok(FourCc(self.u32()?.to_be_bytes()))
    }

    pub(super) fn take(&mut self, length: usize) -> Result<Bytes, Error> {
        self.need(length)?;
        Ok(self.rest.split_to(length))
    }
}

/// The packet type of modifiers, in both kinds of body.
pub(super) const MOD_EX: u8 = 7;
/// The packet type of multitrack video bodies.
pub(super) const VIDEO_MULTITRACK: u8 = 6;
/// The packet type of multitrack audio bodies.
pub(super) const AUDIO_MULTITRACK: u8 = 5;

/// Reads modifiers up to the next other packet type, and returns that type and the timestamp offset
/// in nanoseconds.
pub(super) fn modifiers(fields: &mut Fields, first_type: u8) -> Result<(u8, u32), Error> {
    let (mut packet_type, mut nanos) = (first_type, 0);
    while packet_type == MOD_EX {
        let mut size = usize::from(fields.u8()?) + 1;
        if size == 256 {
            size = (usize::from(fields.u8()?) << 8 | usize::from(fields.u8()?)) + 1;
        }
        let data = fields.take(size)?;
        let kind_and_next = fields.u8()?;
        if let (0, [high, middle, low, ..]) = (kind_and_next >> 4, &data[..]) {
            nanos = u32::from_be_bytes([0, *high, *middle, *low]);
        }
        packet_type = kind_and_next & 0xF;
    }
    Ok((packet_type, nanos))
}

/// The part of a body that belongs to one track.
pub(super) struct Part {
    pub(super) id: u8,
    pub(super) fourcc: FourCc,
    pub(super) packet_type: u8,
    pub(super) fields: Fields,
}

/// Splits the body of a multitrack packet into tracks. Any other body becomes track 0. `multitrack`
/// is the packet type of multitrack bodies. Returns the part of the first track, and those of the
/// further tracks.
pub(super) fn parts(
    fields: &mut Fields,
    packet_type: u8,
    multitrack: u8,
) -> Result<(Part, Vec<Part>), Error> {
    let whole = |fields: &mut Fields, id, fourcc, packet_type| {
        let rest = fields.rest.split_off(0);
        Part { id, fourcc, packet_type, fields: Fields { rest, what: fields.what } }
    };
    if packet_type != multitrack {
        let fourcc = fields.fourcc()?;
        return Ok((whole(fields, 0, fourcc, packet_type), Vec::new()));
    }
    let kind_and_type = fields.u8()?;
    let (kind, packet_type) = (kind_and_type >> 4, kind_and_type & 0xF);
    if kind > 2 {
        return Err(Error::Unknown { what: "multitrack type", value: kind });
    }
    if packet_type == multitrack || packet_type == MOD_EX {
        return Err(Error::Unknown {
            what: "packet type in a multitrack body",
            value: packet_type,
        });
    }
    // 0: one track. 1: several tracks of one codec. 2: several tracks, each with its own codec.
    let shared = if kind < 2 { Some(fields.fourcc()?) } else { None };
    let next = |fields: &mut Fields| -> Result<Part, Error> {
        let fourcc = shared.map_or_else(|| fields.fourcc(), Ok)?;
        let id = fields.u8()?;
        if kind == 0 {
            return Ok(whole(fields, id, fourcc, packet_type));
        }
        let size = fields.u24()? as usize;
        let rest = fields.take(size)?;
        Ok(Part { id, fourcc, packet_type, fields: Fields { rest, what: fields.what } })
    };
    let first = next(fields)?;
    let mut others = Vec::new();
    while !fields.rest.is_empty() {
        if others.len() + 1 >= MAX_TRACKS {
            return Err(Error::TooManyTracks(MAX_TRACKS));
        }
        others.push(next(fields)?);
    }
    Ok((first, others))
}

/// Returns true if this is a multitrack body without modifiers.
pub fn is_multitrack(kind: TagKind, body: &[u8]) -> bool {
    body.first().is_some_and(|first| match kind {
        TagKind::Video => first & 0x8F == 0x80 | VIDEO_MULTITRACK,
        TagKind::Audio => *first == 0x90 | AUDIO_MULTITRACK,
        TagKind::Script => false,
    })
}

/// Extracts a track of a multitrack body as a single-track body. H.264 and AAC get the legacy form,
/// which every player reads; other codecs get the enhanced form. Returns `None` if the body has no
/// such track, or is not a multitrack body.
pub fn default_track(kind: TagKind, body: &Bytes, track: u8) -> Option<Bytes> {
    let (what, multitrack) = match kind {
        TagKind::Video => ("video", VIDEO_MULTITRACK),
        TagKind::Audio => ("audio", AUDIO_MULTITRACK),
        TagKind::Script => return None,
    };
    let mut fields = Fields::new(body, what);
    let first = fields.u8().ok()?;
    if first & 0x80 == 0 {
        return None;
    }
    let (packet_type, _) = modifiers(&mut fields, first & 0xF).ok()?;
    if packet_type != multitrack {
        return None;
    }
    let (one, more) = parts(&mut fields, packet_type, multitrack).ok()?;
    let Part { fourcc, packet_type, fields: Fields { rest, .. }, .. } =
        std::iter::once(one).chain(more).find(|part| part.id == track)?;
    let mut out = BytesMut::with_capacity(5 + rest.len());
    match (kind, &fourcc.0, packet_type) {
        // With packet type 1, the data begins with the composition time. With the other types,
        // zeros take its place in the legacy form.
        (TagKind::Video, b"avc1", 0..=3) => {
            out.put_u8(first & 0x70 | 7);
            out.put_u8(if packet_type == 3 { 1 } else { packet_type });
            if packet_type != 1 {
                out.put_slice(&[0; 3]);
            }
        }
        (TagKind::Audio, b"mp4a", 0 | 1) => out.put_slice(&[0xAF, packet_type]),
        _ => {
            out.put_u8(first & 0xF0 | packet_type);
            out.put_slice(&fourcc.0);
        }
    }
    out.put_slice(&rest);
    Some(out.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::flv::{parse_audio, parse_video};

    #[test]
    fn the_default_track_is_taken_out() {
        let of = |kind, body: &'static [u8], track| {
            default_track(kind, &Bytes::from_static(body), track)
        };
        // A keyframe with two H.264 tracks, with composition times 1 and 2.
        let two = b"\x96\x11avc1\x00\x00\x00\x05\x00\x00\x01AB\x01\x00\x00\x04\x00\x00\x02C";
        assert_eq!(of(TagKind::Video, two, 0).unwrap()[..], *b"\x17\x01\x00\x00\x01AB");
        assert_eq!(of(TagKind::Video, two, 1).unwrap()[..], *b"\x17\x01\x00\x00\x02C");
        assert_eq!(of(TagKind::Video, two, 2), None);
        // Each track has its own codec, after a modifier.
        let mixed =
            b"\x97\x02\x00\x00\x05\x06\x20av01\x00\x00\x00\x01\x0Ahvc1\x01\x00\x00\x02\x0B\x0C";
        let av1 = of(TagKind::Video, mixed, 0).unwrap();
        assert_eq!(av1[..], *b"\x90av01\x0A");
        assert!(parse_video(&av1).unwrap().is_sequence_start());
        let audio = of(TagKind::Audio, b"\x95\x01mp4a\x00\x21", 0).unwrap();
        assert_eq!(audio[..], *b"\xAF\x01\x21");
        let opus = of(TagKind::Audio, b"\x95\x01Opus\x03\x21", 3).unwrap();
        assert_eq!(opus[..], *b"\x91Opus\x21");
        assert!(!parse_audio(&opus).unwrap().is_multitrack);
        for single in [&b"\x91av01\x05"[..], b"\x17\x01\0\0\0", b"", b"\x96", b"\x96\x11av01"] {
            assert_eq!(of(TagKind::Video, single, 0), None, "{single:?}");
        }
    }
}
