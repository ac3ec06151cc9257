//! Splits the bytes of an FLV file or HTTP-FLV stream into tags. The bytes may arrive split at any
//! position. The demuxer stores only received bytes; the claimed size of a tag does not reserve
//! memory.

use bytes::BytesMut;

use super::{Error, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, Tag, TagKind};
use crate::wire::byte_block::ByteBlock;

/// The longest accepted file header in bytes. The specification defines 9 bytes.
const MAX_FILE_HEADER_BYTES: u32 = 4_096;
const FILE_HEADER_BYTES: usize = 9;

/// The FLV demuxer. After an error, nothing more can be read.
#[derive(Debug, Default)]
pub struct Demuxer {
    /// Received bytes that are not returned yet.
    buffer: BytesMut,
    /// Bytes of memory that a body keeps alive when it shares the buffer.
    whole: usize,
    state: State,
}

/// Position in the file structure.
#[derive(Debug, Default)]
struct State {
    started: bool,
    /// Number of bytes to skip: the size after a tag, and tags of unknown type.
    skip: usize,
}

impl Demuxer {
    /// Creates a demuxer at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds received bytes; [`Demuxer::next_tag`] returns the tags.
    pub fn push(&mut self, mut data: &[u8]) {
        if self.buffer.is_empty() && self.state.skip > 0 {
            let pass = self.state.skip.min(data.len());
            data = data.get(pass..).unwrap_or_default();
            self.state.skip -= pass;
        }
        self.buffer.extend_from_slice(data);
        self.whole = self.whole.max(self.buffer.capacity());
    }

    /// Returns the next tag, or `None` if more bytes are needed. Encrypted tags, and tags that are
    /// neither audio, video nor script, are skipped.
    ///
    /// # Errors
    /// Fails if the data is not FLV.
    pub fn next_tag(&mut self) -> Result<Option<Tag>, Error> {
        self.state.next_tag(&mut ByteBlock::of(&mut self.buffer, self.whole))
    }

    /// Returns the number of bytes before the next tag that are not received yet.
    pub(super) fn skip(&self) -> usize {
        self.state.skip
    }

    /// Returns the number of received bytes that are not returned yet. At the end of a file, these
    /// are the bytes of a truncated tag.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }
}

impl State {
    fn next_tag(&mut self, block: &mut ByteBlock<'_>) -> Result<Option<Tag>, Error> {
        loop {
            self.pass(block);
            if self.skip > 0 {
                return Ok(None);
            }
            let bytes = block.as_slice();
            if !self.started {
                let Some(header) = bytes.first_chunk::<FILE_HEADER_BYTES>() else {
                    let expected = b"FLV".get(..bytes.len()).unwrap_or(b"FLV");
                    let wrong = !bytes.starts_with(expected);
                    return if wrong { Err(Error::NotFlv) } else { Ok(None) };
                };
                self.skip = header_length(header)? + TAG_TRAILER_BYTES;
                self.started = true;
                continue;
            }
            let Some(header) = bytes.first_chunk::<TAG_HEADER_BYTES>() else { return Ok(None) };
            let [kind, s2, s1, s0, t2, t1, t0, t3, ..] = *header;
            let size = u32::from_be_bytes([0, s2, s1, s0]) as usize;
            // Bit 5 marks encryption (Annex F); the two above it are reserved.
            let Some(kind) = TagKind::from_id(kind & 0x3F) else {
                self.skip = TAG_HEADER_BYTES + size + TAG_TRAILER_BYTES;
                continue;
            };
            if bytes.len() < TAG_HEADER_BYTES + size {
                return Ok(None);
            }
            block.advance(TAG_HEADER_BYTES);
            let body = block.take(size);
            self.skip = TAG_TRAILER_BYTES;
            self.pass(block);
            let time_ms = u32::from_be_bytes([t3, t2, t1, t0]);
            return Ok(Some(Tag { kind, time_ms, body }));
        }
    }

    fn pass(&mut self, block: &mut ByteBlock<'_>) {
        let pass = self.skip.min(block.as_slice().len());
        block.advance(pass);
        self.skip -= pass;
    }
}

fn header_length(header: &[u8; FILE_HEADER_BYTES]) -> Result<usize, Error> {
    let [b'F', b'L', b'V', _version, _flags, a, b, c, d] = *header else {
        return Err(Error::NotFlv);
    };
    match u32::from_be_bytes([a, b, c, d]) {
        length @ 9..=MAX_FILE_HEADER_BYTES => Ok(length as usize),
        length => Err(Error::HeaderLength(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::container::flv::{file_header, write_tag};

    fn file() -> Vec<u8> {
        let mut out = BytesMut::from(&file_header(true, true)[..]);
        write_tag(TagKind::Audio, 5, &[0xAF, 0], &mut out);
        // An unknown tag, then an encrypted one.
        out.extend_from_slice(&[1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 13]);
        out.extend_from_slice(&[0x29, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 12]);
        write_tag(TagKind::Video, 0x0123_4567, &[], &mut out);
        out.to_vec()
    }

    fn tags(demuxer: &mut Demuxer) -> Vec<(TagKind, u32, usize)> {
        std::iter::from_fn(|| demuxer.next_tag().unwrap())
            .map(|tag| (tag.kind, tag.time_ms, tag.body.len()))
            .collect()
    }

    #[test]
    fn pieces_of_any_size_give_the_same_tags() {
        let file = file();
        let whole = [(TagKind::Audio, 5, 2), (TagKind::Video, 0x0123_4567, 0)];
        for piece in 1..=file.len() {
            let mut demuxer = Demuxer::new();
            let mut found = Vec::new();
            for bytes in file.chunks(piece) {
                demuxer.push(bytes);
                found.extend(tags(&mut demuxer));
            }
            assert_eq!(found, whole, "{piece}");
            assert_eq!(demuxer.pending(), 0);
        }
    }

    #[test]
    fn a_cut_tag_waits_and_then_comes() {
        let file = file();
        let mut demuxer = Demuxer::new();
        demuxer.push(&file[..file.len() - 6]);
        assert_eq!(tags(&mut demuxer).len(), 1);
        assert!(demuxer.pending() > 0);
        demuxer.push(&file[file.len() - 6..]);
        assert_eq!(tags(&mut demuxer).len(), 1);
    }

    #[test]
    fn a_large_body_shares_the_buffer() {
        let mut demuxer = Demuxer::new();
        demuxer.push(&file_header(true, true));
        assert!(demuxer.next_tag().unwrap().is_none());
        let mut tags = BytesMut::new();
        write_tag(TagKind::Video, 5, &[7; 1_000], &mut tags);
        write_tag(TagKind::Audio, 5, &[8; 10], &mut tags);
        demuxer.push(&tags);
        let at = demuxer.buffer.as_ptr();
        let video = demuxer.next_tag().unwrap().unwrap();
        assert_eq!(video.body.as_ptr(), at.wrapping_add(TAG_HEADER_BYTES));
        let at = demuxer.buffer.as_ptr();
        let audio = demuxer.next_tag().unwrap().unwrap();
        assert_ne!(audio.body.as_ptr(), at.wrapping_add(TAG_HEADER_BYTES), "copied, it is small");
        assert_eq!(audio.body[..], [8; 10]);
    }

    #[test]
    fn other_files_are_refused_at_once() {
        for bad in [&b"MP"[..], b"FLV\x01\x05\x00\x00\x00\x08", b"FLV\x01\x05\xFF\xFF\xFF\xFF"] {
            let mut demuxer = Demuxer::new();
            demuxer.push(bad);
            assert!(demuxer.next_tag().is_err(), "{bad:?}");
        }
    }
}
