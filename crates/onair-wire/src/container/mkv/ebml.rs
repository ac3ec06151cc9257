//! EBML elements: id, size and content (RFC 8794 §4 to §6), and the Matroska ids that onair uses
//! (RFC 9559 §5).

use bytes::{BufMut, BytesMut};

/// Element ids, including the marker bits.
pub mod id {
    pub const EBML: u32 = 0x1A45_DFA3;
    pub const EBML_VERSION: u32 = 0x4286;
    pub const EBML_READ_VERSION: u32 = 0x42F7;
    pub const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
    pub const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const DOC_TYPE_VERSION: u32 = 0x4287;
    pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub const VOID: u32 = 0xEC;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const SEEK_HEAD: u32 = 0x114D_9B74;
    pub const SEEK: u32 = 0x4DBB;
    pub const SEEK_ID: u32 = 0x53AB;
    pub const SEEK_POSITION: u32 = 0x53AC;
    pub const INFO: u32 = 0x1549_A966;
    pub const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub const DURATION: u32 = 0x4489;
    pub const MUXING_APP: u32 = 0x4D80;
    pub const WRITING_APP: u32 = 0x5741;
    pub const TRACKS: u32 = 0x1654_AE6B;
    pub const TRACK_ENTRY: u32 = 0xAE;
    pub const TRACK_NUMBER: u32 = 0xD7;
    pub const TRACK_UID: u32 = 0x73C5;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const FLAG_DEFAULT: u32 = 0x88;
    pub const FLAG_LACING: u32 = 0x9C;
    pub const LANGUAGE: u32 = 0x22_B59C;
    pub const NAME: u32 = 0x536E;
    pub const CODEC_ID: u32 = 0x86;
    pub const CODEC_PRIVATE: u32 = 0x63A2;
    pub const DEFAULT_DURATION: u32 = 0x23_E383;
    pub const CODEC_DELAY: u32 = 0x56AA;
    pub const SEEK_PRE_ROLL: u32 = 0x56BB;
    pub const VIDEO: u32 = 0xE0;
    pub const PIXEL_WIDTH: u32 = 0xB0;
    pub const PIXEL_HEIGHT: u32 = 0xBA;
    pub const DISPLAY_WIDTH: u32 = 0x54B0;
    pub const DISPLAY_HEIGHT: u32 = 0x54BA;
    pub const DISPLAY_UNIT: u32 = 0x54B2;
    pub const ALPHA_MODE: u32 = 0x53C0;
    pub const COLOUR: u32 = 0x55B0;
    pub const MATRIX_COEFFICIENTS: u32 = 0x55B1;
    pub const RANGE: u32 = 0x55B9;
    pub const TRANSFER_CHARACTERISTICS: u32 = 0x55BA;
    pub const PRIMARIES: u32 = 0x55BB;
    pub const MAX_CLL: u32 = 0x55BC;
    pub const MAX_FALL: u32 = 0x55BD;
    pub const MASTERING_METADATA: u32 = 0x55D0;
    pub const LUMINANCE_MAX: u32 = 0x55D9;
    pub const LUMINANCE_MIN: u32 = 0x55DA;
    pub const PROJECTION: u32 = 0x7670;
    pub const PROJECTION_TYPE: u32 = 0x7671;
    pub const PROJECTION_POSE_YAW: u32 = 0x7673;
    pub const PROJECTION_POSE_PITCH: u32 = 0x7674;
    pub const PROJECTION_POSE_ROLL: u32 = 0x7675;
    pub const AUDIO: u32 = 0xE1;
    pub const SAMPLING_FREQUENCY: u32 = 0xB5;
    pub const OUTPUT_SAMPLING_FREQUENCY: u32 = 0x78B5;
    pub const CHANNELS: u32 = 0x9F;
    pub const BIT_DEPTH: u32 = 0x6264;
    pub const CONTENT_ENCODINGS: u32 = 0x6D80;
    pub const CONTENT_ENCODING: u32 = 0x6240;
    pub const CONTENT_ENCODING_SCOPE: u32 = 0x5032;
    pub const CONTENT_ENCODING_TYPE: u32 = 0x5033;
    pub const CONTENT_COMPRESSION: u32 = 0x5034;
    pub const CONTENT_COMP_ALGO: u32 = 0x4254;
    pub const CONTENT_COMP_SETTINGS: u32 = 0x4255;
    pub const CHAPTERS: u32 = 0x1043_A770;
    pub const EDITION_ENTRY: u32 = 0x45B9;
    pub const CHAPTER_ATOM: u32 = 0xB6;
    pub const CHAPTER_UID: u32 = 0x73C4;
    pub const CHAPTER_TIME_START: u32 = 0x91;
    pub const CHAPTER_DISPLAY: u32 = 0x80;
    pub const CHAP_STRING: u32 = 0x85;
    pub const CHAP_LANGUAGE: u32 = 0x437C;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMESTAMP: u32 = 0xE7;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
    pub const BLOCK_GROUP: u32 = 0xA0;
    pub const BLOCK: u32 = 0xA1;
    pub const REFERENCE_BLOCK: u32 = 0xFB;
    pub const BLOCK_ADDITIONS: u32 = 0x75A1;
    pub const BLOCK_MORE: u32 = 0xA6;
    pub const BLOCK_ADD_ID: u32 = 0xEE;
    pub const BLOCK_ADDITIONAL: u32 = 0xA5;
    pub const CUES: u32 = 0x1C53_BB6B;
    pub const CUE_POINT: u32 = 0xBB;
    pub const CUE_TIME: u32 = 0xB3;
    pub const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub const CUE_TRACK: u32 = 0xF7;
    pub const CUE_CLUSTER_POSITION: u32 = 0xF1;
    pub const CUE_RELATIVE_POSITION: u32 = 0xF0;
}

/// A size of eight bytes that means "unknown".
pub const UNKNOWN_SIZE: u64 = 0x01FF_FFFF_FFFF_FFFF;

/// Writes an id.
pub fn put_id(out: &mut BytesMut, id: u32) {
    let bytes = id.to_be_bytes();
    let skip = (id.leading_zeros() / 8).min(3) as usize;
    out.put_slice(bytes.get(skip..).unwrap_or_default());
}

/// Writes a size in the fewest possible bytes.
pub fn put_size(out: &mut BytesMut, size: u64) {
    let mut length = 1_u32;
    // All ones mean "unknown".
    while length < 8 && size >= (1 << (7 * length)) - 1 {
        length += 1;
    }
    let marked = size | 1 << (7 * length);
    let bytes = marked.to_be_bytes();
    out.put_slice(bytes.get(8 - length as usize..).unwrap_or_default());
}

/// Encodes any size in eight bytes.
pub fn long_size(size: u64) -> [u8; 8] {
    (size & 0x00FF_FFFF_FFFF_FFFF | 0x01 << 56).to_be_bytes()
}

/// Writes a master element with the content that `content` writes.
pub fn put_master(out: &mut BytesMut, id: u32, content: impl FnOnce(&mut BytesMut)) {
    let mut inner = BytesMut::new();
    content(&mut inner);
    put_binary(out, id, &inner);
}

/// Writes an element of bytes or text.
pub fn put_binary(out: &mut BytesMut, id: u32, content: &[u8]) {
    put_id(out, id);
    put_size(out, content.len() as u64);
    out.put_slice(content);
}

/// Writes a number in the fewest possible bytes.
pub fn put_uint(out: &mut BytesMut, id: u32, value: u64) {
    let bytes = value.to_be_bytes();
    let skip = (value.leading_zeros() / 8).min(7) as usize;
    put_binary(out, id, bytes.get(skip..).unwrap_or_default());
}

/// Writes a number in eight bytes.
pub fn put_long(out: &mut BytesMut, id: u32, value: u64) {
    put_binary(out, id, &value.to_be_bytes());
}

/// Writes a floating-point number.
pub fn put_float(out: &mut BytesMut, id: u32, value: f64) {
    put_binary(out, id, &value.to_be_bytes());
}

/// Writes a Void element of `length` bytes in total (at least 2).
pub fn put_void(out: &mut BytesMut, length: usize) {
    out.put_u8(0xEC);
    if length < 10 {
        put_size(out, length.saturating_sub(2) as u64);
        out.put_bytes(0, length.saturating_sub(2));
    } else {
        out.put_slice(&long_size(length as u64 - 9));
        out.put_bytes(0, length - 9);
    }
}

/// The header of an element in a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ElementHeader {
    pub id: u32,
    /// Size of the content; `None` if unknown.
    pub size: Option<u64>,
    /// Length of the header itself in bytes.
    pub length: usize,
}

/// Maximum length of a header in bytes.
pub const MAX_ELEMENT_HEADER_BYTES: usize = 12;

/// Reads the header at the start of `data`.
pub fn head(data: &[u8]) -> Option<ElementHeader> {
    let first = *data.first()?;
    let id_length = first.leading_zeros() as usize + 1;
    if id_length > 4 {
        return None;
    }
    let id = data.get(..id_length)?.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let (size, size_length) = vint(data.get(id_length..)?)?;
    Some(ElementHeader { id, size, length: id_length + size_length })
}

/// Reads a variable-size integer. The inner `None` means that all its bits are set.
pub fn vint(data: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *data.first()?;
    let length = first.leading_zeros() as usize + 1;
    if length > 8 {
        return None;
    }
    let whole = data.get(..length)?.iter().fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
    let mask = (1_u64 << (7 * length)) - 1;
    let value = whole & mask;
    Some(((value != mask).then_some(value), length))
}

/// Returns the elements in `data`, up to the first invalid one.
pub fn elements(mut data: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    std::iter::from_fn(move || {
        let head = head(data)?;
        let rest = data.get(head.length..)?;
        let size = usize::try_from(head.size?).ok()?;
        let (content, rest) = rest.split_at_checked(size)?;
        data = rest;
        Some((head.id, content))
    })
}

/// Returns the first element with this id.
pub fn child(data: &[u8], id: u32) -> Option<&[u8]> {
    elements(data).find(|(its, _)| *its == id).map(|(_, content)| content)
}

/// Returns a text, which ends at the first NUL if it has one (RFC 8794 §13).
pub fn text(content: &[u8]) -> &[u8] {
    content.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Reads an unsigned integer of up to eight bytes.
pub fn uint(content: &[u8]) -> Option<u64> {
    (content.len() <= 8).then(|| content.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)))
}

/// Reads a floating-point number of four or eight bytes.
pub fn float(content: &[u8]) -> Option<f64> {
    match content.len() {
        0 => Some(0.0),
        4 => content.first_chunk().map(|bytes| f64::from(f32::from_be_bytes(*bytes))),
        8 => content.first_chunk().map(|bytes| f64::from_be_bytes(*bytes)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_ids_read_back() {
        for size in [0, 1, 126, 127, 128, 16_382, 16_383, 1 << 20, (1 << 56) - 2] {
            let mut out = BytesMut::new();
            put_size(&mut out, size);
            assert_eq!(vint(&out), Some((Some(size), out.len())), "{size}");
            assert_eq!(vint(&long_size(size)), Some((Some(size), 8)));
        }
        assert_eq!(vint(&UNKNOWN_SIZE.to_be_bytes()), Some((None, 8)));
        assert_eq!(vint(&[0xFF]), Some((None, 1)));
        assert_eq!(vint(&[0]), None);
        for id in [id::VOID, id::DURATION, id::TIMESTAMP_SCALE, id::SEGMENT] {
            let mut out = BytesMut::new();
            put_uint(&mut out, id, 300);
            let (found, content) = elements(&out).next().unwrap();
            assert_eq!((found, uint(content)), (id, Some(300)));
        }
    }

    #[test]
    fn nothing_is_written_at_the_length_that_was_asked() {
        for length in [2, 3, 9, 10, 11, 4_096] {
            let mut out = BytesMut::new();
            put_void(&mut out, length);
            assert_eq!(out.len(), length);
            assert_eq!(elements(&out).count(), 1, "{length}");
        }
    }
}
