//! Takes an FLV file or HTTP-FLV stream apart, however the bytes arrive. Holds no more than has been
//! received: a tag's claimed size only tells how long to wait.

use bytes::{Buf, Bytes, BytesMut};

use super::{Error, TAG_HEADER, TAG_TRAILER, Tag, TagKind};

/// The longest file header accepted: the specification knows 9.
const MAX_HEADER: u32 = 4_096;
const HEADER: usize = 9;

/// The demuxer. After an error nothing more can be read.
#[derive(Debug, Default)]
pub struct Demuxer {
    buffer: BytesMut,
    started: bool,
    /// Bytes yet to be passed over: the size after a tag, tags of unknown type.
    skip: usize,
    skipped_tags: u64,
}

impl Demuxer {
    /// Expects the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives it bytes as they come.
    pub fn push(&mut self, mut data: &[u8]) {
        if self.buffer.is_empty() && self.skip > 0 {
            let pass = self.skip.min(data.len());
            data = data.get(pass..).unwrap_or_default();
            self.skip -= pass;
        }
        self.buffer.extend_from_slice(data);
    }

    /// The next tag; `None` until more bytes come. Tags that are neither audio, video nor script,
    /// and encrypted ones, are passed over and counted.
    pub fn next_tag(&mut self) -> Result<Option<Tag>, Error> {
        loop {
            if self.skip > 0 {
                let pass = self.skip.min(self.buffer.len());
                self.buffer.advance(pass);
                self.skip -= pass;
                if self.skip > 0 {
                    return Ok(None);
                }
            }
            if !self.started {
                let Some(header) = self.buffer.first_chunk::<HEADER>() else {
                    let expected = b"FLV".get(..self.buffer.len()).unwrap_or(b"FLV");
                    let wrong = !self.buffer.starts_with(expected);
                    return if wrong { Err(Error::NotFlv) } else { Ok(None) };
                };
                self.skip = header_length(header)? + TAG_TRAILER;
                self.started = true;
                continue;
            }
            let Some(header) = self.buffer.first_chunk::<TAG_HEADER>() else { return Ok(None) };
            let [kind, s2, s1, s0, t2, t1, t0, t3, ..] = *header;
            let size = u32::from_be_bytes([0, s2, s1, s0]) as usize;
            // Bit 5 marks encryption (Annex F); the two above it are reserved.
            let Some(kind) = TagKind::from_id(kind & 0x3F) else {
                self.skip = TAG_HEADER + size + TAG_TRAILER;
                self.skipped_tags += 1;
                continue;
            };
            if self.buffer.len() < TAG_HEADER + size {
                return Ok(None);
            }
            self.buffer.advance(TAG_HEADER);
            let body: Bytes = self.buffer.split_to(size).freeze();
            self.skip = TAG_TRAILER;
            let time_ms = u32::from_be_bytes([t3, t2, t1, t0]);
            return Ok(Some(Tag { kind, time_ms, body }));
        }
    }

    /// Tags passed over so far.
    pub fn skipped_tags(&self) -> u64 {
        self.skipped_tags
    }

    /// Bytes received and not yet given out: at the end of a file, what a cut tag left.
    pub fn pending(&self) -> usize {
        self.buffer.len()
    }
}

fn header_length(header: &[u8; HEADER]) -> Result<usize, Error> {
    let [b'F', b'L', b'V', _version, _flags, a, b, c, d] = *header else {
        return Err(Error::NotFlv);
    };
    match u32::from_be_bytes([a, b, c, d]) {
        length @ 9..=MAX_HEADER => Ok(length as usize),
        length => Err(Error::HeaderLength(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{file_header, write_tag};
    use super::*;

    fn file() -> Vec<u8> {
        let mut out = BytesMut::from(&file_header(true, true)[..]);
        write_tag(TagKind::Audio, 5, &[0xAF, 0], &mut out);
        // Unknown, then encrypted.
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
            assert_eq!((demuxer.skipped_tags(), demuxer.pending()), (2, 0));
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
    fn other_files_are_refused_at_once() {
        for bad in [&b"MP"[..], b"FLV\x01\x05\x00\x00\x00\x08", b"FLV\x01\x05\xFF\xFF\xFF\xFF"] {
            let mut demuxer = Demuxer::new();
            demuxer.push(bad);
            assert!(demuxer.next_tag().is_err(), "{bad:?}");
        }
    }
}
