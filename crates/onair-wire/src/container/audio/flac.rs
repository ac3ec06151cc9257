//! FLAC (RFC 9639). Its frames have no length field, so a frame ends at the header of the next one.

use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec;
use crate::wire::container::{Error, FilePart, ReadAt, read};

/// Length of STREAMINFO in bytes.
pub(super) const STREAMINFO_BYTES: usize = 34;
/// Maximum length of a frame header in bytes.
pub(super) const MAX_FRAME_HEADER_BYTES: usize = 16;
/// Maximum number of metadata blocks.
const MAX_BLOCKS: usize = 1_024;
/// Number of bytes that are searched at a time.
const SEARCH_BLOCK_BYTES: usize = 64 << 10;
/// Maximum frame length in bytes if the file does not declare one. A longer frame is damaged.
const MAX_FRAME_BYTES: u64 = 1 << 20;
/// Maximum number of bytes without a frame. After a longer run, the audio has ended.
const MAX_NOISE_BYTES: u64 = 16 << 20;

/// Fields of a frame header.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct FlacHeader {
    /// True if all frames have the same number of samples, so that the header counts frames.
    /// Otherwise it counts samples.
    fixed: bool,
    number: u64,
    pub(super) samples: u32,
}

/// Reads the header at the start of `data`. Returns `None` if there is none (§9.1).
pub(super) fn head(data: &[u8]) -> Option<FlacHeader> {
    let &[0xFF, second @ (0xF8 | 0xF9), sizes, channels, lead, ..] = data else { return None };
    let (block, rate) = (sizes >> 4, sizes & 0xF);
    if block == 0 || rate == 15 || channels >> 4 > 10 || channels & 0xE == 6 || channels & 1 == 1 {
        return None;
    }
    // Coded like UTF-8, up to 36 bits.
    let more = match lead.leading_ones() {
        0 => 0,
        ones @ 2..=7 => ones as usize - 1,
        _ => return None,
    };
    let kept = if more == 0 { 0x7F } else { 0x3F_u8.checked_shr(more as u32).unwrap_or(0) };
    let mut number = u64::from(lead & kept);
    for byte in data.get(5..5 + more)? {
        if byte & 0xC0 != 0x80 {
            return None;
        }
        number = number << 6 | u64::from(byte & 0x3F);
    }
    let mut at = 5 + more;
    let samples = match block {
        1 => 192,
        2..=5 => 576 << (block - 2),
        6 => u32::from(*data.get(at)?) + 1,
        7 => u32::from(u16::from_be_bytes(*data.get(at..)?.first_chunk()?)) + 1,
        _ => 256 << (block - 8),
    };
    at += match block {
        6 => 1,
        7 => 2,
        _ => 0,
    };
    at += match rate {
        12 => 1,
        13 | 14 => 2,
        _ => 0,
    };
    let sum = data.get(..at)?.iter().fold(0, |sum, byte| crc8(sum ^ byte));
    (data.get(at) == Some(&sum)).then_some(FlacHeader { fixed: second & 1 == 0, number, samples })
}

fn crc8(mut sum: u8) -> u8 {
    for _ in 0..8 {
        sum = if sum & 0x80 == 0 { sum << 1 } else { sum << 1 ^ 0x07 };
    }
    sum
}

/// Frame properties from the header of a file.
#[derive(Clone, Debug)]
pub(super) struct FrameInfo {
    pub(super) config: AudioConfig,
    /// Samples per frame if all frames have the same size. Only the last frame may be shorter.
    usual: u64,
    /// Maximum length of a frame in bytes.
    pub(super) longest: u64,
    /// Total number of samples; 0 if unknown.
    pub(super) samples: u64,
    /// Position of the first frame.
    pub(super) frames: u64,
}

impl FrameInfo {
    /// Reads the header of a file that begins at `begin`.
    pub(super) fn read(source: &mut dyn ReadAt, begin: u64) -> Result<Self, Error> {
        let mut at = begin + 4;
        let mut info = None;
        for _ in 0..MAX_BLOCKS {
            let block = read(source, at, 4, 4, FilePart::Header)?;
            let &[kind, a, b, c] =
                block.first_chunk::<4>().ok_or(Error::Damaged(FilePart::Header))?;
            let length = u64::from(u32::from_be_bytes([0, a, b, c]));
            if kind & 0x7F == 0 && info.is_none() {
                info = Some(read(source, at + 4, length, STREAMINFO_BYTES, FilePart::Header)?);
            }
            at += 4 + length;
            if kind & 0x80 != 0 {
                break;
            }
        }
        let info = info.filter(|info| info.len() == STREAMINFO_BYTES);
        let info = info.ok_or(Error::Damaged(FilePart::Header))?;
        let audio = codec::flac(&info).ok_or(Error::Damaged(FilePart::Header))?;
        let number = |from: usize, count: usize| {
            let bytes = info.get(from..from + count).unwrap_or_default();
            bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let longest = Some(number(7, 3)).filter(|longest| *longest > 0).unwrap_or(MAX_FRAME_BYTES);
        let (usual, samples) = (number(2, 2), number(13, 5) & 0xF_FFFF_FFFF);
        let config = audio.config(AudioCodec::Flac, info.clone());
        Ok(Self { config, usual, longest, samples, frames: at })
    }

    /// Returns the index of the first sample of a frame.
    pub(super) fn begins(&self, frame: FlacHeader) -> u64 {
        if frame.fixed { frame.number.saturating_mul(self.usual) } else { frame.number }
    }
}

/// A search for a frame, with its progress.
#[derive(Clone, Debug)]
pub(super) struct FrameSearch {
    at: u64,
    /// First sample of the wanted frame; `None` accepts any frame.
    wanted: Option<u64>,
    longest: u64,
    from: u64,
    /// The first frame that was found after the wanted sample.
    later: Option<(u64, FlacHeader)>,
}

impl FrameSearch {
    fn new(at: u64, wanted: Option<u64>, longest: u64) -> Self {
        Self { at, wanted, longest, from: at, later: None }
    }

    /// Searches for the first frame from `at` on.
    pub(super) fn any(at: u64) -> Self {
        Self::new(at, None, MAX_FRAME_BYTES)
    }

    /// Searches for the frame after this one.
    pub(super) fn behind(place: u64, frame: FlacHeader, info: &FrameInfo) -> Self {
        let wanted = info.begins(frame).saturating_add(frame.samples.into());
        Self::new(place + 1, Some(wanted), info.longest)
    }
}

/// The loaded bytes that are searched, and their position.
#[derive(Clone, Debug, Default)]
pub(super) struct Scan {
    block: Vec<u8>,
    at: u64,
}

impl Scan {
    /// Searches for the frame. If none is found within the longest frame length, a frame is
    /// damaged, and the result is the first frame that begins later. If bytes are missing, the next
    /// call continues the search.
    pub(super) fn find(
        &mut self,
        source: &mut dyn ReadAt,
        info: &FrameInfo,
        hunt: &mut FrameSearch,
    ) -> Result<Option<(u64, FlacHeader)>, Error> {
        loop {
            let FrameSearch { at, wanted, longest, from, later } = hunt;
            if let Some(later) = later.filter(|_| *from > at.saturating_add(*longest)) {
                return Ok(Some(later));
            }
            if *from > at.saturating_add(MAX_NOISE_BYTES) || !self.fill(source, *from)? {
                return Ok(*later);
            }
            let start = (*from - self.at) as usize;
            let bytes = self.block.get(start..).unwrap_or_default();
            let last = self.at + self.block.len() as u64 == source.size();
            // The end of the block is searched together with the next block.
            let usable =
                if last { bytes.len() } else { bytes.len().saturating_sub(MAX_FRAME_HEADER_BYTES) };
            for (offset, frame) in heads(bytes, usable) {
                let found = (*from + offset as u64, frame);
                let begins = info.begins(frame);
                if wanted.is_none_or(|wanted| begins == wanted) {
                    return Ok(Some(found));
                }
                if wanted.is_some_and(|wanted| begins > wanted) {
                    later.get_or_insert(found);
                }
            }
            *from += usable.max(1) as u64;
        }
    }

    /// Loads the bytes at `at`. Returns false at the end.
    fn fill(&mut self, source: &mut dyn ReadAt, at: u64) -> Result<bool, Error> {
        if at >= source.size() {
            return Ok(false);
        }
        let end = self.at + self.block.len() as u64;
        let enough = at + MAX_FRAME_HEADER_BYTES as u64 <= end || end == source.size();
        if at < self.at || at >= end || !enough {
            let length = (source.size() - at).min(SEARCH_BLOCK_BYTES as u64) as usize;
            // If reading fails, the block stays empty.
            let mut block = std::mem::take(&mut self.block);
            block.resize(length, 0);
            source.read_at(at, &mut block)?;
            (self.block, self.at) = (block, at);
        }
        Ok(true)
    }
}

/// Returns the possible frame headers that start in the first `usable` bytes, with their positions.
pub(super) fn heads(bytes: &[u8], usable: usize) -> impl Iterator<Item = (usize, FlacHeader)> {
    let inside = bytes.get(..usable).unwrap_or_default().iter().enumerate();
    let begins = inside.filter(|(_, byte)| **byte == 0xFF);
    begins.filter_map(|(at, _)| Some((at, head(bytes.get(at..)?)?)))
}
