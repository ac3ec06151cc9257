//! Tables: the list of programs (ISO/IEC 13818-1 §2.4.4.3), and the streams of a program
//! (§2.4.4.8).

use crate::wire::container::ts::event::Codec;

/// Maximum length of a section in bytes (§2.4.4.1).
const MAX_SECTION_BYTES: usize = 1_024;
/// Maximum number of streams of a program that are read.
const MAX_STREAMS: usize = 64;

/// Assembles the sections of one PID.
#[derive(Debug, Default)]
pub(super) struct Sections(Vec<u8>);

impl Sections {
    /// Adds the payload of a packet. Returns a section once it is complete and its checksum is
    /// valid.
    pub fn push(&mut self, payload: &[u8], starts: bool) -> Option<Vec<u8>> {
        if starts {
            let (pointer, rest) = payload.split_first()?;
            self.0.clear();
            self.0.extend_from_slice(rest.get(usize::from(*pointer)..)?);
        } else if !self.0.is_empty() {
            self.0.extend_from_slice(payload);
        }
        let &[_, high, low] = self.0.first_chunk::<3>()?;
        let length = usize::from(u16::from_be_bytes([high & 0xF, low])) + 3;
        if length > MAX_SECTION_BYTES {
            self.0.clear();
            return None;
        }
        let whole = self.0.get(..length)?.to_vec();
        self.0.clear();
        // The CRC over data and checksum is zero.
        (crc(&whole) == 0).then_some(whole)
    }
}

/// Computes the CRC-32 of Annex A.
pub(super) fn crc(data: &[u8]) -> u32 {
    data.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte) << 24;
        for _ in 0..8 {
            crc = if crc & 0x8000_0000 != 0 { crc << 1 ^ 0x04C1_1DB7 } else { crc << 1 };
        }
        crc
    })
}

/// Returns the bytes between the header and the checksum of a section.
fn body(section: &[u8], table: u8) -> Option<&[u8]> {
    // Only sections that are currently valid count.
    let valid = section.first() == Some(&table) && section.get(5)? & 1 == 1;
    section.get(8..section.len().checked_sub(4)?).filter(|_| valid)
}

/// Returns the PID of the first program map.
pub(super) fn program_map_pid(section: &[u8]) -> Option<u16> {
    let body = body(section, 0)?;
    body.chunks_exact(4).find_map(|entry| match *entry {
        // Program number 0 is the network table.
        [0, 0, ..] => None,
        [_, _, high, low] => Some(u16::from_be_bytes([high & 0x1F, low])),
        _ => None,
    })
}

/// A stream of a program.
#[derive(Copy, Clone, Debug)]
pub(super) struct Stream {
    pub pid: u16,
    pub stream_type: u8,
    pub kind: Kind,
    /// Channels of Opus, from its descriptor.
    pub channels: u8,
    /// True if the stream's units are encrypted.
    pub encrypted: bool,
}

/// Kind of a stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Video(Codec),
    Audio(Codec),
    Data,
}

/// Reads the streams of a program.
pub(super) fn streams(section: &[u8]) -> Option<Vec<Stream>> {
    let body = body(section, 2)?;
    let info = usize::from(u16::from_be_bytes([body.get(2)? & 0xF, *body.get(3)?]));
    let mut rest = body.get(4 + info..)?;
    let mut streams = Vec::new();
    while let [stream_type, high, low, length_high, length_low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([length_high & 0xF, *length_low]));
        let (descriptors, after) = after.split_at_checked(length)?;
        if streams.len() < MAX_STREAMS {
            let (kind, channels) = kind(*stream_type, descriptors);
            let encrypted = encrypted_kind(*stream_type, descriptors);
            let kind = encrypted.unwrap_or(kind);
            let encrypted = encrypted.is_some();
            let pid = u16::from_be_bytes([high & 0x1F, *low]);
            streams.push(Stream { pid, stream_type: *stream_type, kind, channels, encrypted });
        }
        rest = after;
    }
    Some(streams)
}

/// Stream type that represents DTS if only a descriptor identifies the codec.
const DTS_STREAM_TYPE: u8 = 0x8A;

fn kind(stream_type: u8, descriptors: &[u8]) -> (Kind, u8) {
    let kind = match stream_type {
        0x1B => Kind::Video(Codec::H264),
        0x24 => Kind::Video(Codec::Hevc),
        0x01 | 0x02 | 0x10 | 0x33 => Kind::Video(Codec::Other(stream_type)),
        0x03 | 0x04 => Kind::Audio(Codec::Mpeg),
        0x0F => Kind::Audio(Codec::Aac),
        0x80 if has(descriptors, b"HDMV") => Kind::Audio(Codec::BluRayPcm),
        0x11 => Kind::Audio(Codec::Other(stream_type)),
        // Other systems use these numbers for subtitles and cues.
        0x82 | 0x83 | 0x85 | 0x86 if has(descriptors, b"HDMV") => {
            Kind::Audio(Codec::Other(stream_type))
        }
        0x8A => Kind::Audio(Codec::Other(stream_type)),
        0x82 if is_dts(descriptors) => Kind::Audio(Codec::Other(stream_type)),
        0x81 => Kind::Audio(Codec::Ac3),
        0x87 => Kind::Audio(Codec::Eac3),
        0x06 => return private(descriptors),
        _ => Kind::Data,
    };
    (kind, 0)
}

/// Returns true if a registration descriptor has this name.
fn has(descriptors: &[u8], name: &[u8; 4]) -> bool {
    descriptors.windows(6).any(|it| it.starts_with(&[0x05, 4]) && it.ends_with(name))
}

fn is_dts(descriptors: &[u8]) -> bool {
    [b"DTS1", b"DTS2", b"DTS3"].into_iter().any(|name| has(descriptors, name))
}

/// Returns the kind of an encrypted stream, which has special types and names ("MPEG-2 Stream
/// Encryption Format for HTTP Live Streaming").
fn encrypted_kind(stream_type: u8, descriptors: &[u8]) -> Option<Kind> {
    let (name, kind) = match stream_type {
        0xDB => (b"zavc", Kind::Video(Codec::H264)),
        0xCF => (b"aacd", Kind::Audio(Codec::Aac)),
        0xC1 => (b"ac3d", Kind::Audio(Codec::Ac3)),
        0xC2 => (b"ec3d", Kind::Audio(Codec::Eac3)),
        _ => return None,
    };
    // A private data indicator descriptor.
    let found = descriptors.windows(6).any(|it| it.starts_with(&[0x0F, 4]) && it.ends_with(name));
    found.then_some(kind)
}

/// Returns the kind of private data, from its descriptors.
fn private(descriptors: &[u8]) -> (Kind, u8) {
    let (mut rest, mut kind, mut channels) = (descriptors, Kind::Data, 2);
    while let [tag, length, after @ ..] = rest {
        let Some((content, after)) = after.split_at_checked(usize::from(*length)) else { break };
        match (*tag, content) {
            (0x05, [b'O', b'p', b'u', b's', ..]) => kind = Kind::Audio(Codec::Opus),
            (0x05, [b'A', b'C', b'-', b'3', ..]) | (0x6A, _) => kind = Kind::Audio(Codec::Ac3),
            (0x05, [b'E', b'A', b'C', b'3', ..]) | (0x7A, _) => kind = Kind::Audio(Codec::Eac3),
            (0x05, [b'B', b'S', b'S', b'D', ..]) => kind = Kind::Audio(Codec::S302m),
            (0x7B, _) => kind = Kind::Audio(Codec::Other(DTS_STREAM_TYPE)),
            (0x05, [b'H', b'E', b'V', b'C', ..]) => kind = Kind::Video(Codec::Hevc),
            // Opus, in its extension descriptor.
            (0x7F, [0x80, count, ..]) => channels = *count,
            _ => {}
        }
        rest = after;
    }
    (kind, channels)
}
