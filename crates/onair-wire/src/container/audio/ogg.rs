//! Ogg (RFC 3533): pages with packets in segments. The reader takes the first audio track with a
//! known codec: Vorbis, Opus (RFC 7845) or FLAC.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::AudioCodec;
use crate::wire::codec;
use crate::wire::codec::vorbis;
use crate::wire::codec::vorbis::Blocks;
use crate::wire::container::audio::flac;
use crate::wire::container::audio::packets::{Packets, peek};
use crate::wire::container::{
    Error, FilePart, Hole, ReadAt, SampleLocation, TrackId, read, read_around,
};

/// Length of a page header before its segment table, in bytes.
pub(super) const PAGE_HEADER_BYTES: usize = 27;
/// Maximum number of bytes between two pages. After a longer gap, the file's audio has ended.
const MAX_NOISE_BYTES: u64 = 1 << 20;
/// Maximum length of a configuration in bytes. Images and texts in the header packets are skipped.
pub(super) const MAX_CONFIG_BYTES: usize = 1 << 20;
/// Maximum length of a packet in bytes, including the gaps between its parts.
const MAX_PACKET_BYTES: u64 = 16 << 20;
/// Maximum number of pages after the first one that a packet uses. Each page adds a gap, and the gaps
/// of the current packet are copied with every page.
pub(super) const MAX_CONTINUED_PAGES: usize = 4_096;
/// Number of bytes at the start of a packet that determine its duration.
const PACKET_PREFIX_BYTES: usize = flac::MAX_FRAME_HEADER_BYTES;
/// Page flag: the page continues a packet.
const CONTINUED_PACKET_FLAG: u8 = 1;
/// Page flag: the page is the first page of a stream.
pub(super) const FIRST_PAGE_FLAG: u8 = 2;
/// Page flag: the page is the last page of a stream.
pub(super) const LAST_PAGE_FLAG: u8 = 4;

/// A page header.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) flags: u8,
    /// Number of samples up to the end of the page's last whole packet; `None` if no packet ends on
    /// the page.
    pub(super) granule: Option<u64>,
    pub(super) serial: u32,
    /// Lengths of the segments.
    pub(super) table: Vec<u8>,
    pub(super) data: u64,
    pub(super) next: u64,
}

impl Page {
    fn at(source: &mut dyn ReadAt, at: u64) -> Result<Option<Self>, Error> {
        let mut head = [0; PAGE_HEADER_BYTES];
        if peek(source, at, &mut head)? < PAGE_HEADER_BYTES {
            return Ok(None);
        }
        let [b'O', b'g', b'g', b'S', 0, flags, rest @ ..] = head else { return Ok(None) };
        let [g0, g1, g2, g3, g4, g5, g6, g7, s0, s1, s2, s3, .., count] = rest;
        let granule = u64::from_le_bytes([g0, g1, g2, g3, g4, g5, g6, g7]);
        let mut table = vec![0; count.into()];
        let table_at = at + PAGE_HEADER_BYTES as u64;
        if peek(source, table_at, &mut table)? < table.len() {
            return Ok(None);
        }
        let data = table_at + table.len() as u64;
        let length: u64 = table.iter().map(|part| u64::from(*part)).sum();
        Ok(Some(Self {
            flags,
            // No packet ends on this page.
            granule: Some(granule).filter(|granule| *granule < 1 << 62),
            serial: u32::from_le_bytes([s0, s1, s2, s3]),
            table,
            data,
            next: data + length,
        }))
    }

    /// Reads the page at `at`, or the next page if that page is damaged.
    pub(super) fn next(source: &mut dyn ReadAt, at: u64) -> Result<Option<Self>, Error> {
        if let Some(page) = Self::at(source, at)? {
            return Ok(Some(page));
        }
        let end = at.saturating_add(MAX_NOISE_BYTES).min(source.size());
        let (mut from, mut block) = (at.saturating_add(1), [0; 4 << 10]);
        while from < end {
            let there = peek(source, from, &mut block)?;
            let bytes = block.get(..there).unwrap_or_default();
            for (offset, _) in bytes.windows(4).enumerate().filter(|(_, name)| *name == b"OggS") {
                if let Some(page) = Self::at(source, from + offset as u64)? {
                    return Ok(Some(page));
                }
            }
            // A capture pattern may cross the block boundary.
            from += there.saturating_sub(3).max(1) as u64;
        }
        Ok(None)
    }
}

/// Codec of a track, from its first packet.
#[derive(Clone, Debug)]
enum Track {
    Vorbis { identity: Bytes, blocks: Option<Blocks> },
    Opus { skip: u64 },
    Flac,
}

/// Assembles the packets of a track.
#[derive(Clone, Debug)]
pub(super) struct Reader {
    track: Track,
    pub(super) packets: Option<Packets>,
    /// Start of the incomplete packet, and its bytes in this page.
    open: Option<(u64, u64)>,
    /// Gaps in header packets, up to the first audio packet.
    head_holes: Vec<Hole>,
    /// Difference between sample counts of the stream and granule positions.
    base: Option<i64>,
    last: Option<u64>,
}

impl Reader {
    pub(super) fn begin(packet: &Bytes) -> Option<Self> {
        let mut packets = None;
        let track = if vorbis::is_header(1, packet) {
            Track::Vorbis { identity: packet.clone(), blocks: None }
        } else if let Some(audio) = codec::opus(packet) {
            let skip = packet.get(10..12)?.first_chunk::<2>()?;
            packets = Some(audio.config(AudioCodec::Opus, packet.clone()));
            Track::Opus { skip: u16::from_le_bytes(*skip).into() }
        } else {
            // The Ogg mapping header, the marker and a block header precede STREAMINFO.
            let info = packet
                .strip_prefix(b"\x7FFLAC")
                .and_then(|_| packet.get(17..17 + flac::STREAMINFO_BYTES))?;
            packets = Some(codec::flac(info)?.config(AudioCodec::Flac, packet.slice_ref(info)));
            Track::Flac
        };
        let packets = packets.map(Packets::new);
        Some(Self { track, packets, open: None, head_holes: Vec::new(), base: None, last: None })
    }

    pub(super) fn page(&mut self, source: &mut dyn ReadAt, page: &Page) -> Result<(), Error> {
        let mut at = page.data;
        // The page begins with the rest of an earlier packet, or with a packet whose start is
        // missing.
        let mut skips = false;
        match (&self.open, page.flags & CONTINUED_PACKET_FLAG != 0) {
            (Some((begin, end)), true) => {
                let hole = Hole { at: *end, size: page.data - end };
                let holes = match &self.packets {
                    Some(packets) => &packets.index.holes,
                    None => &self.head_holes,
                };
                let pages = holes.len() - holes.partition_point(|hole| hole.at < *begin);
                if page.data - begin > MAX_PACKET_BYTES || pages >= MAX_CONTINUED_PAGES {
                    (self.open, skips) = (None, true);
                    self.head_holes.clear();
                } else if let Some(packets) = &mut self.packets {
                    packets.index.holes.push(hole);
                } else {
                    self.head_holes.push(hole);
                }
            }
            (_, continued) => (self.open, skips) = (None, continued),
        }
        let before = self.packets.as_ref().map_or(0, |packets| packets.samples);
        let mut whole = false;
        for length in &page.table {
            let begin = self.open.map_or(at, |(begin, _)| begin);
            at += u64::from(*length);
            self.open = (!skips).then_some((begin, at));
            if *length == 255 {
                continue;
            }
            if !std::mem::take(&mut skips) {
                self.packet(source, begin, at)?;
                whole = true;
            }
            self.open = None;
        }
        let samples = self.packets.as_ref().map_or(0, |packets| packets.samples);
        if let Some(granule) = page.granule.filter(|_| whole && samples > before) {
            // A page that is also the last may end early, so the position of its start is unknown.
            let base = if page.flags & LAST_PAGE_FLAG == 0 {
                granule.cast_signed() - samples.cast_signed()
            } else {
                0
            };
            self.base.get_or_insert(base);
            self.last = Some(granule);
        }
        Ok(())
    }

    /// Adds a whole packet.
    fn packet(&mut self, source: &mut dyn ReadAt, at: u64, end: u64) -> Result<(), Error> {
        let Ok(size) = u32::try_from(end - at) else { return Ok(()) };
        let holes = match &self.packets {
            Some(packets) => &packets.index.holes,
            None => &self.head_holes,
        };
        let track = TrackId::Audio(0);
        let zero = Timestamp::ZERO;
        let place = |size| SampleLocation { track, keyframe: true, dts: zero, pts: zero, at, size };
        // The first contiguous part contains enough bytes for the duration.
        let hole = holes.partition_point(|hole| hole.at < at);
        let piece = holes.get(hole).map_or(end, |hole| hole.at.min(end)) - at;
        let start = read(
            source,
            at,
            piece.min(PACKET_PREFIX_BYTES as u64),
            PACKET_PREFIX_BYTES,
            FilePart::Samples,
        )?;
        let lasts = match &mut self.track {
            Track::Vorbis { identity, blocks: blocks @ None } => {
                if vorbis::is_header(5, &start) {
                    let setup = read_around(source, &place(size), holes, MAX_CONFIG_BYTES)?;
                    let headers = vorbis::config(identity, &setup)
                        .ok_or(Error::Damaged(FilePart::CodecConfig))?;
                    let found =
                        Blocks::of(&headers).ok_or(Error::Damaged(FilePart::CodecConfig))?;
                    let config = found.audio.config(AudioCodec::Vorbis, headers);
                    self.packets = Some(Packets::new(config));
                    *blocks = Some(found);
                }
                None
            }
            Track::Vorbis { blocks: Some(blocks), .. } => blocks.lasts(&start),
            Track::Opus { .. } if start.starts_with(b"OpusTags") => None,
            Track::Opus { .. } => opus_lasts(&start),
            Track::Flac => flac::head(&start).map(|frame| frame.samples),
        };
        // The gaps of a header packet have no use after it.
        self.head_holes.clear();
        match (&mut self.packets, lasts) {
            (Some(packets), Some(lasts)) => packets.add(at, size, lasts.into()),
            _ => Ok(()),
        }
    }

    /// Creates a copy with only the header packets.
    pub(super) fn emptied(&self) -> Self {
        let mut empty = self.clone();
        (empty.open, empty.last) = (None, None);
        if let Some(packets) = &mut empty.packets {
            packets.samples = 0;
        }
        empty
    }

    /// Sets the time of the next packet.
    pub(super) fn count_from(&mut self, time: Timestamp) {
        if let Some(packets) = &mut self.packets {
            let micros = u128::from(time.as_micros().max(0).unsigned_abs());
            let samples = micros * u128::from(packets.rate) / 1_000_000;
            packets.samples = u64::try_from(samples).unwrap_or(u64::MAX / 4);
        }
    }

    /// Returns the start of the incomplete packet, or the maximum position if there is none.
    pub(super) fn open_at(&self) -> u64 {
        self.open.map_or(u64::MAX, |(begin, _)| begin)
    }

    /// Returns the difference that converts a granule position to samples of this stream.
    pub(super) fn base(&self) -> i64 {
        self.base.unwrap_or(0)
    }

    /// Returns the first audible sample.
    pub(super) fn begins(&self) -> u64 {
        match &self.track {
            Track::Opus { skip } => *skip,
            // Audio before granule position zero is not played.
            Track::Vorbis { .. } => u64::try_from(self.base().saturating_neg()).unwrap_or(0),
            Track::Flac => 0,
        }
    }

    /// Returns the end of the audible part in samples, and the sample rate.
    pub(super) fn ends(&self) -> Option<(u64, u32)> {
        let packets = self.packets.as_ref()?;
        let ends = self.last.and_then(|last| last.cast_signed().checked_sub(self.base()));
        let ends = ends.and_then(|ends| u64::try_from(ends).ok()).unwrap_or(packets.samples);
        Some((ends.min(packets.samples), packets.rate))
    }
}

/// Returns the number of samples of an Opus packet (RFC 6716 §3.1), at 48 kHz.
pub fn opus_lasts(packet: &[u8]) -> Option<u32> {
    let toc = *packet.first()?;
    let config = toc >> 3;
    let frame = match config {
        0..=11 => match config & 3 {
            3 => 2_880,
            step => 480 << step,
        },
        12..=15 => 480 << (config & 1),
        _ => 120 << (config & 3),
    };
    let count = match toc & 3 {
        0 => 1,
        1 | 2 => 2,
        _ => u32::from(packet.get(1)? & 0x3F),
    };
    // At most 120 ms.
    Some(frame * count).filter(|lasts| (1..=5_760).contains(lasts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_opus_last_as_their_first_byte_says() {
        let lasts = [0x00, 0x18, 0x60, 0x68, 0x80, 0xF8, 0xF9].map(|toc| opus_lasts(&[toc]));
        let wanted = [480, 2_880, 480, 960, 120, 960, 1_920].map(Some);
        assert_eq!(lasts, wanted);
        assert_eq!(opus_lasts(&[0xFB, 3]), Some(2_880));
        assert_eq!(opus_lasts(&[0xFB, 7]), None, "longer than any packet");
        assert_eq!((opus_lasts(&[]), opus_lasts(&[0xFB, 0])), (None, None));
    }
}
