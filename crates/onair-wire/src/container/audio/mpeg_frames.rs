//! MP3 and ADTS frames, which follow each other without a container.

use bytes::Bytes;

use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec::aac::{AudioSpecificConfig, adts};
use crate::wire::codec::{AudioInfo, mpeg_audio};
use crate::wire::container::audio::packets::peek;
use crate::wire::container::{Error, FilePart, ReadAt, UnsupportedContent, read};

/// Minimum number of consecutive frames that cannot be a coincidence.
const MIN_FRAMES: usize = 3;
/// Maximum number of bytes between two frames. After a longer gap, the audio has ended.
pub(super) const MAX_NOISE_BYTES: u64 = 1 << 20;
/// Number of bytes that are searched at a time.
const SEARCH_BLOCK_BYTES: usize = 4 << 10;
/// Delay of an MP3 decoder in samples (LAME's tag counts from there).
pub(super) const DECODER_DELAY_SAMPLES: u64 = 529;

/// A frame, described by its header.
#[derive(Copy, Clone, Debug)]
pub(super) struct Frame {
    /// Length of the header in bytes.
    pub(super) header: usize,
    /// Length of the whole frame in bytes.
    pub(super) length: usize,
    pub(super) samples: u32,
    /// Bitrate in bits per second if the header contains it, otherwise 0.
    pub(super) bitrate: u32,
    /// The properties that are equal in all frames of a stream: codec or object type, rate, and
    /// channels of ADTS.
    pub(super) key: Key,
}

pub(super) type Key = (u8, u32, u8);
/// A function that reads a header.
pub(super) type ReadHeader = fn(&[u8]) -> Option<Frame>;

pub(super) const READ_MPEG_HEADER: ReadHeader = |data| {
    let found = mpeg_audio::header(data)?;
    let key = (found.layer, found.sample_rate, 0);
    let (length, samples, bitrate) = (found.length, found.samples, found.bitrate);
    Some(Frame { header: 0, length, samples, bitrate, key })
};

/// The highest bit of a key marks ADTS.
const ADTS_FLAG: u8 = 0x80;

pub(super) const READ_ADTS_HEADER: ReadHeader = |data| {
    let found = adts::head(data).ok()??;
    let key = (found.object_type | ADTS_FLAG, found.sample_rate, found.channel_config);
    let header = found.header_length;
    let length = found.length;
    (length > header).then_some(Frame { header, length, samples: 1_024, bitrate: 0, key })
};

pub(super) fn frame_at(
    source: &mut dyn ReadAt,
    at: u64,
    head: ReadHeader,
) -> Result<Option<Frame>, Error> {
    let mut bytes = [0; adts::MIN_HEADER_BYTES];
    let there = peek(source, at, &mut bytes)?;
    Ok(head(bytes.get(..there).unwrap_or_default()))
}

/// Returns the number of consecutive whole frames of one kind at `at`, up to [`MIN_FRAMES`], and
/// whether the file ends with them.
fn run(source: &mut dyn ReadAt, at: u64, head: ReadHeader) -> Result<(usize, bool), Error> {
    let (mut at, mut key, mut count) = (at, None, 0);
    while count < MIN_FRAMES {
        let Some(frame) = frame_at(source, at, head)? else { return Ok((count, false)) };
        if *key.get_or_insert(frame.key) != frame.key {
            return Ok((count, false));
        }
        at = at.saturating_add(frame.length as u64);
        if at > source.size() {
            // The last frame was cut off.
            return Ok((count, count > 0));
        }
        count += 1;
        if at == source.size() {
            return Ok((count, true));
        }
    }
    Ok((count, false))
}

/// Returns true if a stream of frames whose headers `head` reads begins at this position.
pub(super) fn begins(source: &mut dyn ReadAt, at: u64, head: ReadHeader) -> Result<bool, Error> {
    let (count, ends) = run(source, at, head)?;
    Ok(count >= MIN_FRAMES || ends && count > 0)
}

/// Finds the first frame at or after `at`, at most `most` bytes away, that is followed by other
/// frames of its kind. `key` is the kind, if it is known.
pub(super) fn find(
    source: &mut dyn ReadAt,
    at: u64,
    most: u64,
    key: Option<Key>,
    head: ReadHeader,
) -> Result<Option<u64>, Error> {
    let end = at.saturating_add(most).min(source.size());
    let mut block = [0; SEARCH_BLOCK_BYTES];
    let mut from = at;
    while from < end {
        let there = peek(source, from, &mut block)?;
        let bytes = block.get(..there).unwrap_or_default();
        for (offset, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == 0xFF) {
            let place = from + offset as u64;
            if place >= end {
                return Ok(None);
            }
            let Some(frame) = frame_at(source, place, head)? else { continue };
            if key.is_some_and(|key| key != frame.key) {
                continue;
            }
            let (count, ends) = run(source, place, head)?;
            if count >= MIN_FRAMES || key.is_some() && ends && count > 0 {
                return Ok(Some(place));
            }
        }
        from += there.max(1) as u64;
    }
    Ok(None)
}

pub(super) fn describe(
    source: &mut dyn ReadAt,
    at: u64,
    first: &Frame,
) -> Result<AudioConfig, Error> {
    let (of, sample_rate, channel_config) = first.key;
    if of & ADTS_FLAG == 0 {
        let bytes = read(
            source,
            at,
            mpeg_audio::HEADER_BYTES as u64,
            mpeg_audio::HEADER_BYTES,
            FilePart::Samples,
        )?;
        let channels = mpeg_audio::header(&bytes).map_or(2, |found| found.channels);
        let codec = if of == 3 { AudioCodec::Mp3 } else { AudioCodec::Mp2 };
        return Ok(AudioInfo { sample_rate, channels }.config(codec, Bytes::new()));
    }
    let unsupported = |_| Error::Unsupported(UnsupportedContent::Codec("AAC (ADTS)".to_owned()));
    let mut asc = AudioSpecificConfig::lc(sample_rate, 2).map_err(unsupported)?;
    asc.object_type = of & !ADTS_FLAG;
    asc.channel_config = channel_config;
    let (channels, codec_config) = (asc.channels(), asc.build().map_err(unsupported)?);
    Ok(AudioInfo { sample_rate, channels }.config(AudioCodec::Aac, codec_config))
}

/// The silent first frame of an MP3 encoder, which describes the rest (Xing, LAME or VBRI tag).
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct Tag {
    /// Number of padding samples before the audio.
    pub(super) before: Option<u64>,
    /// Number of padding samples after the audio.
    pub(super) behind: u64,
    /// Number of audio frames.
    pub(super) frames: Option<u32>,
    /// Number of bytes from this frame to the end.
    pub(super) bytes: Option<u32>,
    /// The byte position of each hundredth of the audio, in 1/256 of the bytes, for a variable
    /// bitrate.
    pub(super) places: Option<[u8; 100]>,
}

impl Tag {
    pub(super) fn read(
        source: &mut dyn ReadAt,
        at: u64,
        frame: &Frame,
    ) -> Result<Option<Self>, Error> {
        if frame.key.0 != 3 {
            return Ok(None);
        }
        let length = frame.length.min(512);
        let bytes = read(source, at, length as u64, 512, FilePart::Samples)?;
        let mono = mpeg_audio::header(&bytes).is_some_and(|found| found.channels == 1);
        // The tag is after the side information, whose size depends on version and channels.
        let place = match (frame.samples, mono) {
            (576, true) => 13,
            (576, false) | (_, true) => 21,
            _ => 36,
        };
        let number = |at: usize| {
            let bytes = bytes.get(at..)?.first_chunk::<4>()?;
            Some(u32::from_be_bytes(*bytes))
        };
        if bytes.get(36..40) == Some(b"VBRI") {
            // VBRI has its own table format, which is not read.
            return Ok(Some(Self { frames: number(50), bytes: number(46), ..Self::default() }));
        }
        let Some(name) = bytes.get(place..place + 4) else { return Ok(None) };
        if name != b"Xing" && name != b"Info" {
            return Ok(None);
        }
        let Some(flags) = number(place + 4) else { return Ok(None) };
        // Frames, bytes, a seek table and the quality, each present if its flag is set.
        let mut at = place + 8;
        let mut part = |flag: u32, length: usize| {
            let there = flags & flag != 0;
            let its = at;
            at += if there { length } else { 0 };
            there.then_some(its)
        };
        let (frames, size, table, _) = (part(1, 4), part(2, 4), part(4, 100), part(8, 4));
        let table = table.filter(|_| name == b"Xing").and_then(|at| bytes.get(at..at + 100));
        let tag = Self {
            frames: frames.and_then(number),
            bytes: size.and_then(number),
            places: table.and_then(|table| table.first_chunk().copied()),
            ..Self::default()
        };
        let delays = bytes.get(at..).and_then(|lame| {
            let known = [b"LAME", b"Lavf", b"Lavc"].iter().any(|name| lame.starts_with(*name));
            lame.get(21..24).filter(|_| known)?.first_chunk::<3>()
        });
        Ok(Some(delays.map_or(tag, |&[a, b, c]| Self {
            before: Some(u64::from(a) << 4 | u64::from(b >> 4)),
            behind: u64::from(b & 0xF) << 8 | u64::from(c),
            ..tag
        })))
    }
}
