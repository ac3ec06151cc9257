//! Finds everything in an MP4 file, ordinary or of fragments, whole or cut off.

use crate::base::Timestamp;
use crate::wire::container::mp4::boxes::{Name, header};
use crate::wire::container::mp4::encryption::EncryptedTrack;
use crate::wire::container::mp4::movie::{Movie, moof, moov};
use crate::wire::container::mp4::writer::{CHAPTER_MARK, MDAT_HEADER_BYTES};
use crate::wire::container::{Chapter, Error, Index, ReadAt, read};

/// The largest `moov` that is read: days of samples.
pub(super) const MAX_MOOV: usize = 512 << 20;
/// The largest `moof` that is read.
pub(super) const MAX_MOOF: usize = 16 << 20;
/// The longest box in which a chapter may be.
const MAX_CHAPTER: u64 = 512;

pub(super) const NO_MP4: Error = Error::Damaged("this is no MP4 file");
pub(super) const NO_MOOV: Error =
    Error::Damaged("it was cut off before its index (moov) was written");

/// Whether a file may begin with such a box.
pub(super) const fn may_begin(name: Name) -> bool {
    matches!(&name, b"ftyp" | b"styp" | b"moov" | b"free" | b"wide" | b"mdat")
}

/// What is in the file and, where it is one of ours, what is needed to finish it where it is.
#[derive(Debug)]
pub struct FileIndex {
    pub index: Index,
    /// Where the room for the header of `mdat` is.
    pub room: Option<u64>,
    /// What is encrypted of the samples.
    pub sealed: Vec<EncryptedTrack>,
}

/// Finds what is in the file, for who copies it.
///
/// # Errors
/// Where it is no MP4, cannot be read, or has nothing that can be used.
pub fn index(source: &mut dyn ReadAt) -> Result<Index, Error> {
    survey(source).map(|survey| survey.index)
}

/// As [`index`], for who plays: with every codec that is known.
///
/// # Errors
/// As [`index`].
pub fn index_to_play(source: &mut dyn ReadAt) -> Result<Index, Error> {
    let index = Index { to_play: true, ..Index::default() };
    look(source, index).map(|survey| survey.index)
}

/// As [`index_to_play`], for who has the key of what is encrypted; and what that is.
///
/// # Errors
/// As [`index`].
pub fn index_sealed(source: &mut dyn ReadAt) -> Result<(Index, Vec<EncryptedTrack>), Error> {
    let index = Index { to_play: true, has_key: true, ..Index::default() };
    look(source, index).map(|survey| (survey.index, survey.sealed))
}

/// As [`index`], with more.
///
/// # Errors
/// As [`index`].
pub fn survey(source: &mut dyn ReadAt) -> Result<FileIndex, Error> {
    look(source, Index::default())
}

fn look(source: &mut dyn ReadAt, mut index: Index) -> Result<FileIndex, Error> {
    let size = source.size();
    let mut movie: Option<Movie> = None;
    let (mut room, mut at, mut number) = (None, 0_u64, 0);
    while at < size {
        let start = read(source, at, (size - at).min(16), 16, "boxes")?;
        let Some((head, name, length)) = header(&start) else { break };
        let head = head as u64;
        let length = if length == 0 { size - at } else { length };
        let Some(end) = at.checked_add(length).filter(|end| *end <= size) else { break };
        if number == 0 && !may_begin(name) {
            return Err(NO_MP4);
        }
        if number == 1 && name == *b"free" && length == MDAT_HEADER_BYTES {
            room = Some(at);
        }
        let content = at + head;
        let mut advance = true;
        match &name {
            b"moov" => {
                let bytes = read(source, content, end - content, MAX_MOOV, "tables")?;
                let first = movie.is_none();
                let Index { to_play, has_key, .. } = index;
                let mut found = Index { to_play, has_key, ..Index::default() };
                let its = moov(&bytes, &mut found, size)?;
                if first || !its.fragmented && !found.samples.is_empty() {
                    // The last of two is that of a file that was all but finished.
                    index.finished = first && !its.fragmented;
                    index.tracks = found.tracks;
                    index.colors = found.colors;
                    index.samples = found.samples;
                    index.left_out = found.left_out;
                    index.lacking = found.lacking;
                    index.timescales = found.timescales;
                    index.unsupported = found.unsupported;
                    // The list is more exact, and has no more than 255.
                    let titled =
                        crate::wire::container::mp4::chapters::titles(source, &its.titles)?;
                    if titled.len() > found.chapters.len() {
                        found.chapters = titled;
                    }
                    if !found.chapters.is_empty() {
                        index.chapters = found.chapters;
                    }
                    movie = Some(its);
                }
                advance = first;
            }
            b"moof" => {
                if let Some(movie) = movie.as_mut().filter(|movie| movie.fragmented) {
                    let bytes = read(source, content, end - content, MAX_MOOF, "fragments")?;
                    moof(&bytes, at, movie, &mut index, size)?;
                }
                // Only with its data it is whole.
                advance = false;
            }
            b"free" if (16..=MAX_CHAPTER).contains(&(end - content)) => {
                let bytes = read(source, content, end - content, 512, "chapters")?;
                chapter(&bytes, &mut index);
            }
            _ => {}
        }
        at = end;
        number += 1;
        if advance {
            index.whole = at;
        }
    }
    if number == 0 {
        return Err(NO_MP4);
    }
    if movie.is_none() {
        return Err(NO_MOOV);
    }
    index.usable()?;
    index.arrange();
    let sealed = movie.map(|movie| movie.sealed).unwrap_or_default();
    Ok(FileIndex { index, room, sealed })
}

/// A chapter kept between fragments.
fn chapter(bytes: &[u8], index: &mut Index) -> Option<()> {
    let rest = bytes.strip_prefix(CHAPTER_MARK)?;
    let (at, title) = rest.split_first_chunk()?;
    let micros = i64::try_from(u64::from_be_bytes(*at)).ok()?;
    let title = String::from_utf8_lossy(title);
    index.push_chapter(Chapter::new(Timestamp::from_micros(micros), &title));
    Some(())
}
