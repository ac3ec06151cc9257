//! Content encodings of a track (RFC 9559 §5.1.4.1.31): frames compressed with zlib, or without their common beginning.

use std::io::Read;

use bytes::Bytes;
use flate2::read::ZlibDecoder;

use crate::wire::container::UnsupportedContent;
use crate::wire::container::mkv::ebml::{child, elements, id, uint};

/// Maximum size of a frame after decompression, in bytes.
const MAX_FRAME_BYTES: usize = 64 << 20;
/// Maximum number of bytes that are removed from the beginning of each frame.
const MAX_STRIPPED_BYTES: usize = 4_096;
const TYPE_COMPRESSION: u64 = 0;
const ALGORITHM_ZLIB: u64 = 0;
const ALGORITHM_HEADER_STRIPPING: u64 = 3;
const SCOPE_FRAMES: u64 = 1;
const SCOPE_PRIVATE: u64 = 2;

/// How the frames of a track are compressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compression {
    Zlib,
    /// Each frame lacks these bytes at its beginning.
    HeaderStripping(Bytes),
}

impl Compression {
    /// Restores a frame. Returns `None` if it is damaged or too large.
    pub fn restore(&self, data: &[u8]) -> Option<Bytes> {
        match self {
            Self::Zlib => {
                let mut out = Vec::new();
                let mut limited = ZlibDecoder::new(data).take(MAX_FRAME_BYTES as u64 + 1);
                limited.read_to_end(&mut out).ok()?;
                (out.len() <= MAX_FRAME_BYTES).then(|| out.into())
            }
            Self::HeaderStripping(start) => Some([start, data].concat().into()),
        }
    }
}

/// The content encoding of a track.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Encoding {
    pub frames: Option<Compression>,
    pub private: Option<Compression>,
}

impl Encoding {
    /// Restores the config of a track.
    pub fn config(&self, config: Option<Bytes>) -> Option<Bytes> {
        match &self.private {
            Some(compression) => compression.restore(&config?),
            None => config,
        }
    }
}

/// Returns the reason why a track is not used.
pub(super) fn unsupported_content(entry: &[u8], codec: &str) -> UnsupportedContent {
    match encoding(entry) {
        Ok(_) => UnsupportedContent::Track(codec.to_owned()),
        Err(UnknownEncoding::Encrypted) => UnsupportedContent::EncryptedTrack(codec.to_owned()),
        Err(UnknownEncoding::Compressed) => UnsupportedContent::CompressedTrack(codec.to_owned()),
    }
}

/// Why the frames of a track cannot be read.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum UnknownEncoding {
    Encrypted,
    Compressed,
}

/// Reads the content encoding of a track entry.
pub(super) fn encoding(entry: &[u8]) -> Result<Encoding, UnknownEncoding> {
    let Some(all) = child(entry, id::CONTENT_ENCODINGS) else { return Ok(Encoding::default()) };
    let mut encodings = elements(all).filter(|(its, _)| *its == id::CONTENT_ENCODING);
    let Some((_, first)) = encodings.next() else { return Ok(Encoding::default()) };
    let number = |element, name, usual| child(element, name).and_then(uint).unwrap_or(usual);
    if number(first, id::CONTENT_ENCODING_TYPE, TYPE_COMPRESSION) != TYPE_COMPRESSION {
        return Err(UnknownEncoding::Encrypted);
    }
    if encodings.next().is_some() {
        return Err(UnknownEncoding::Compressed);
    }
    // The defaults apply if the element is empty or missing.
    let how = child(first, id::CONTENT_COMPRESSION).unwrap_or_default();
    let settings = child(how, id::CONTENT_COMP_SETTINGS).unwrap_or_default();
    let compression = match number(how, id::CONTENT_COMP_ALGO, ALGORITHM_ZLIB) {
        ALGORITHM_ZLIB => Compression::Zlib,
        ALGORITHM_HEADER_STRIPPING if settings.len() <= MAX_STRIPPED_BYTES => {
            Compression::HeaderStripping(Bytes::copy_from_slice(settings))
        }
        _ => return Err(UnknownEncoding::Compressed),
    };
    let scope = number(first, id::CONTENT_ENCODING_SCOPE, SCOPE_FRAMES);
    let within = |bit| (scope & bit != 0).then(|| compression.clone());
    Ok(Encoding { frames: within(SCOPE_FRAMES), private: within(SCOPE_PRIVATE) })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use bytes::BytesMut;
    use flate2::Compression as Level;
    use flate2::write::ZlibEncoder;

    use super::*;
    use crate::wire::container::mkv::ebml::{put_binary, put_master, put_uint};

    fn entry(fields: &[(u32, u64)], compression: &[(u32, u64)], settings: &[u8]) -> BytesMut {
        let mut entry = BytesMut::new();
        put_master(&mut entry, id::CONTENT_ENCODINGS, |out| {
            put_master(out, id::CONTENT_ENCODING, |out| {
                fields.iter().for_each(|(name, value)| put_uint(out, *name, *value));
                put_master(out, id::CONTENT_COMPRESSION, |out| {
                    compression.iter().for_each(|(name, value)| put_uint(out, *name, *value));
                    put_binary(out, id::CONTENT_COMP_SETTINGS, settings);
                });
            });
        });
        entry
    }

    #[test]
    fn both_compressions_are_undone_and_others_are_named() {
        let text = b"one frame ".repeat(100);
        let mut zlib = ZlibEncoder::new(Vec::new(), Level::default());
        zlib.write_all(&text).unwrap();
        let packed = zlib.finish().unwrap();
        let usual = encoding(&entry(&[], &[], &[])).unwrap();
        assert_eq!((&usual.frames, &usual.private), (&Some(Compression::Zlib), &None));
        assert_eq!(usual.frames.unwrap().restore(&packed).unwrap(), text);
        assert_eq!(Compression::Zlib.restore(&packed[..packed.len() / 2]), None);
        assert_eq!(Compression::Zlib.restore(b"no zlib"), None);
        let stripped = [(id::CONTENT_COMP_ALGO, 3)];
        let found =
            encoding(&entry(&[(id::CONTENT_ENCODING_SCOPE, 3)], &stripped, &[0, 1])).unwrap();
        assert_eq!(found.frames.unwrap().restore(&[2, 3]).unwrap(), &[0, 1, 2, 3][..]);
        assert!(found.private.is_some());
        let bzip2 = entry(&[], &[(id::CONTENT_COMP_ALGO, 1)], &[]);
        assert_eq!(encoding(&bzip2), Err(UnknownEncoding::Compressed));
        let encrypted = entry(&[(id::CONTENT_ENCODING_TYPE, 1)], &[], &[]);
        assert_eq!(encoding(&encrypted), Err(UnknownEncoding::Encrypted));
        assert_eq!(encoding(&[]), Ok(Encoding::default()));
    }

    #[test]
    fn a_small_frame_that_becomes_huge_is_refused() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Level::best());
        let zeros = vec![0; 1 << 20];
        (0..65).for_each(|_| zlib.write_all(&zeros).unwrap());
        assert_eq!(Compression::Zlib.restore(&zlib.finish().unwrap()), None);
    }
}
