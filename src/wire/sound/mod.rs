//! Files that hold sound alone: MP3, ADTS (`.aac`), FLAC, and Ogg with Vorbis, Opus or FLAC in it. Where
//! their packets are is found once, so that one can go about in them as in any other file. Pure.

mod flac;
mod frames;
mod ogg;
pub mod vorbis;

use crate::base::Timestamp;
use crate::media::{AudioCodec, AudioParameters, BitsPerSecond};
use crate::wire::container::{Error, Index, Place, ReadAt, TrackId};

/// Tags that may stand before the sound, one after the other.
const MOST_TAGS: usize = 16;
/// Where the first frame of a file without a head is looked for, past its tags.
const MOST_NOISE: u64 = 64 << 10;

/// What kind of file it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Mp3,
    /// AAC with a header before each frame.
    Adts,
    Flac,
    Ogg,
}

impl Kind {
    /// Its name, which is also its extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Adts => "aac",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
        }
    }
}

/// Which kind a file is, by its first bytes, and where its sound begins; `None`: none of them.
///
/// # Errors
/// It cannot be read.
pub fn kind(source: &mut dyn ReadAt) -> Result<Option<(Kind, u64)>, Error> {
    let mut at = 0;
    for _ in 0..MOST_TAGS {
        let mut head = [0; 10];
        peek(source, at, &mut head)?;
        let [b'I', b'D', b'3', _, _, flags, sizes @ ..] = head else { break };
        if sizes.iter().any(|part| part & 0x80 != 0) {
            break;
        }
        let size = sizes.iter().fold(0_u64, |size, part| size << 7 | u64::from(*part));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        at += 10 + size + footer;
    }
    let mut head = [0; 4];
    peek(source, at, &mut head)?;
    match &head {
        b"OggS" => return Ok(Some((Kind::Ogg, at))),
        b"fLaC" => return Ok(Some((Kind::Flac, at))),
        _ => {}
    }
    for (kind, frame) in [(Kind::Adts, frames::ADTS), (Kind::Mp3, frames::MPEG)] {
        if frames::begins(source, at, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    for (kind, frame) in [(Kind::Mp3, frames::MPEG), (Kind::Adts, frames::ADTS)] {
        if let Some(at) = frames::find(source, at, MOST_NOISE, None, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    Ok(None)
}

/// Finds everything in it, and what of it is heard.
///
/// # Errors
/// It is none of these, cannot be read, or nothing in it can be used.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let (kind, at) = kind(source)?.ok_or(Error::UnknownFormat)?;
    let index = match kind {
        Kind::Mp3 => frames::index(source, at, frames::MPEG),
        Kind::Adts => frames::index(source, at, frames::ADTS),
        Kind::Flac => flac::index(source, at),
        Kind::Ogg => ogg::index(source, at),
    }?;
    if index.samples.is_empty() {
        return Err(Error::Damaged("there is no sound in it"));
    }
    Ok(index)
}

/// Fills `buffer` with what there is from `at` on; how much that was.
fn peek(source: &mut dyn ReadAt, at: u64, buffer: &mut [u8]) -> Result<usize, Error> {
    let there = source.size().saturating_sub(at).min(buffer.len() as u64) as usize;
    source.read_at(at.min(source.size()), buffer.get_mut(..there).unwrap_or_default())?;
    Ok(there)
}

/// Such sound, of a bitrate that nobody told.
fn parameters(
    codec: AudioCodec,
    rate: u32,
    channels: u16,
    config: bytes::Bytes,
) -> AudioParameters {
    let bitrate = BitsPerSecond(0);
    AudioParameters { codec, sample_rate: rate, channels, bitrate, config }
}

/// The packets of the one track, as they are found.
#[derive(Debug)]
struct Packets {
    index: Index,
    rate: u32,
    /// Samples so far.
    samples: u64,
}

impl Packets {
    fn new(parameters: AudioParameters) -> Self {
        let rate = parameters.sample_rate.max(1);
        let mut index = Index { to_play: true, finished: true, ..Index::default() };
        index.tracks.audio.push(parameters.into());
        Self { index, rate, samples: 0 }
    }

    fn time(&self, samples: u64) -> Timestamp {
        let micros = u128::from(samples) * 1_000_000 / u128::from(self.rate);
        Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX / 4))
    }

    /// One that lasts so many samples.
    fn add(&mut self, at: u64, size: u32, samples: u64) -> Result<(), Error> {
        let pts = self.time(self.samples);
        let track = TrackId::Audio(0);
        self.index.push(Place { track, keyframe: true, dts: pts, pts, at, size })?;
        self.samples = self.samples.saturating_add(samples);
        self.index.whole = at.saturating_add(size.into());
        Ok(())
    }

    /// Of all samples those from `first` to `end` are heard.
    fn finish(mut self, first: u64, end: u64) -> Index {
        let end = end.min(self.samples);
        let (first, end) = if first < end { (first, end) } else { (0, self.samples) };
        self.index.heard = (end > first).then(|| (self.time(first), self.time(end)));
        self.index
    }
}

#[cfg(test)]
mod tests;
