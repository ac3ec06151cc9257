//! Files that hold sound alone: MP3, ADTS (`.aac`), FLAC, WAV, and Ogg with Vorbis, Opus or FLAC in it.
//! Where their packets are is found once, so that one can go about in them as in any other file; or bit by
//! bit (`gradual`), where the bytes are still to come. Pure.

mod flac;
mod incremental;
mod mpeg_frames;
mod ogg;
mod ogg_chain;
mod packets;
#[cfg(test)]
mod tests;
mod wav;

pub use incremental::IncrementalReader;

use crate::wire::container::{Error, Index, ReadAt};
use packets::peek;

/// Tags that may stand before the sound, one after the other.
const MAX_TAGS: usize = 16;
/// Where the first frame of a file without a head is looked for, past its tags.
const MAX_NOISE: u64 = 64 << 10;

/// What kind of file it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Mp3,
    /// AAC with a header before each frame.
    Adts,
    Flac,
    Ogg,
    Wav,
}

impl Kind {
    /// Its name, which is also its extension.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Mp3 => "mp3",
            Self::Adts => "aac",
            Self::Flac => "flac",
            Self::Ogg => "ogg",
            Self::Wav => "wav",
        }
    }
}

/// Which kind a file is, by its first bytes, and where its sound begins; `None`: none of them.
///
/// # Errors
/// It cannot be read.
pub fn kind(source: &mut dyn ReadAt) -> Result<Option<(Kind, u64)>, Error> {
    let mut at = 0;
    for _ in 0..MAX_TAGS {
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
    let mut head = [0; 12];
    peek(source, at, &mut head)?;
    match &head {
        [b'O', b'g', b'g', b'S', ..] => return Ok(Some((Kind::Ogg, at))),
        [b'f', b'L', b'a', b'C', ..] => return Ok(Some((Kind::Flac, at))),
        head if wav::begins(head) => return Ok(Some((Kind::Wav, at))),
        _ => {}
    }
    for (kind, frame) in [(Kind::Adts, mpeg_frames::ADTS), (Kind::Mp3, mpeg_frames::MPEG)] {
        if mpeg_frames::begins(source, at, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    for (kind, frame) in [(Kind::Mp3, mpeg_frames::MPEG), (Kind::Adts, mpeg_frames::ADTS)] {
        if let Some(at) = mpeg_frames::find(source, at, MAX_NOISE, None, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    Ok(None)
}

/// Whether a beginning may be that of such a file: it says so itself, or is like the first frame of one
/// that does not.
pub fn may_begin(start: &[u8]) -> bool {
    let named = [&b"ID3"[..], b"OggS", b"fLaC"].iter().any(|name| start.starts_with(name));
    let wave = start.first_chunk().is_some_and(wav::begins);
    named || wave || mpeg_frames::MPEG(start).is_some() || mpeg_frames::ADTS(start).is_some()
}

/// Finds everything in it, and what of it is heard.
///
/// # Errors
/// It is none of these, cannot be read, or nothing in it can be used.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let (kind, at) = kind(source)?.ok_or(Error::UnknownFormat)?;
    let index = match kind {
        Kind::Mp3 => mpeg_frames::index(source, at, mpeg_frames::MPEG),
        Kind::Adts => mpeg_frames::index(source, at, mpeg_frames::ADTS),
        Kind::Flac => flac::index(source, at),
        Kind::Ogg => ogg::index(source, at),
        Kind::Wav => wav::index(source, at),
    }?;
    if index.samples.is_empty() {
        return Err(Error::Damaged("there is no sound in it"));
    }
    Ok(index)
}
