//! Audio-only files: MP3, ADTS (`.aac`), FLAC, WAV, and Ogg with Vorbis, Opus or FLAC. Each format
//! has its own method for seeking: frame numbers (FLAC), page counts (Ogg), or the position in the
//! file (MP3, ADTS, WAV). This module has no I/O.

mod flac;
mod flac_reader;
mod mpeg_frames;
mod mpeg_reader;
mod ogg;
mod ogg_reader;
mod packets;
#[cfg(test)]
mod reader_tests;
#[cfg(test)]
mod tests;
pub mod wav;

use crate::wire::container::{Demuxer, Error, FilePart, Index, MAX_SAMPLES, ReadAt};
use flac_reader::Flac;
use mpeg_reader::MpegFile;
pub use ogg::opus_lasts;
use ogg_reader::Ogg;
pub use packets::Kind;
use packets::peek;
use wav::WavCursor;

/// Maximum number of tags before the audio.
const MAX_TAGS: usize = 16;
/// Number of bytes after the tags within which the first frame must begin, for a file without a
/// header.
const MAX_NOISE_BYTES: u64 = 64 << 10;

/// Detects the format by the first bytes, and returns it with the start of the audio. Returns
/// `None` for other formats.
///
/// # Errors
/// Fails if the file cannot be read.
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
    for (kind, frame) in
        [(Kind::Adts, mpeg_frames::READ_ADTS_HEADER), (Kind::Mp3, mpeg_frames::READ_MPEG_HEADER)]
    {
        if mpeg_frames::begins(source, at, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    for (kind, frame) in
        [(Kind::Mp3, mpeg_frames::READ_MPEG_HEADER), (Kind::Adts, mpeg_frames::READ_ADTS_HEADER)]
    {
        if let Some(at) = mpeg_frames::find(source, at, MAX_NOISE_BYTES, None, frame)? {
            return Ok(Some((kind, at)));
        }
    }
    Ok(None)
}

/// Returns true if a file with this start may be an audio-only file of a known format, because the
/// start has a signature or looks like a frame.
pub fn may_begin(start: &[u8]) -> bool {
    let named = [&b"ID3"[..], b"OggS", b"fLaC"].iter().any(|name| start.starts_with(name));
    let wave = start.first_chunk().is_some_and(wav::begins);
    named
        || wave
        || mpeg_frames::READ_MPEG_HEADER(start).is_some()
        || mpeg_frames::READ_ADTS_HEADER(start).is_some()
}

/// Opens the reader of an audio-only file.
///
/// # Errors
/// Fails if the format is unknown, the header is invalid, or bytes are missing
/// ([`Error::is_missing`]).
pub fn open(source: &mut dyn ReadAt) -> Result<Box<dyn Demuxer>, Error> {
    open_for(source, false)
}

/// Works like [`open`], but either for the whole index (`all`) or for reading packet by packet.
fn open_for(source: &mut dyn ReadAt, all: bool) -> Result<Box<dyn Demuxer>, Error> {
    let (kind, at) = kind(source)?.ok_or(Error::UnknownFormat)?;
    Ok(match kind {
        Kind::Mp3 | Kind::Adts => Box::new(MpegFile::open(source, at, kind)?),
        Kind::Flac => Box::new(Flac::open(source, at)?),
        Kind::Ogg => Box::new(Ogg::new(at, all)),
        Kind::Wav => Box::new(WavCursor::open(source, at)?),
    })
}

/// Finds all packets in the file, and the audible span.
///
/// # Errors
/// Fails if the format is unknown, the file cannot be read, or nothing in it can be used.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let mut reader = open_for(source, true)?;
    reader.head(source)?;
    let mut samples = Vec::new();
    while reader.read_on(source, &mut samples)? {
        if samples.len() > MAX_SAMPLES {
            return Err(Error::TooMuch(FilePart::Samples));
        }
    }
    if samples.is_empty() {
        return Err(Error::Empty);
    }
    Ok(Index { samples, audible_span: reader.audio_span(), ..reader.index().clone() })
}
