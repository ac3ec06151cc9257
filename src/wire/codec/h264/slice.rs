//! The first fields of a slice header (ITU-T H.264 §7.3.3): enough to tell what kind of picture an
//! access unit holds.

use super::Error;
use crate::wire::bits::BitReader;
use crate::wire::codec::h264::nal::unescape;

/// What a slice refers to (Table 7-6).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum SliceType {
    P,
    B,
    I,
    Sp,
    Si,
}

/// The type of a slice, from its whole NAL unit (types 1, 2 and 5).
pub fn slice_type(nal: &[u8]) -> Result<SliceType, Error> {
    let (header, rest) = nal.split_first().ok_or(Error::NoNal)?;
    if header & 0x80 != 0 || !matches!(header & 0x1F, 1 | 2 | 5) {
        return Err(Error::WrongNal { header: *header, expected: "a slice" });
    }
    // Two codes of at most 63 bits each, and what escaping may add.
    let start = unescape(rest.get(..24).unwrap_or(rest));
    let mut reader = BitReader::new(&start);
    let _first_macroblock = reader.ue()?;
    match reader.ue()? {
        0 | 5 => Ok(SliceType::P),
        1 | 6 => Ok(SliceType::B),
        2 | 7 => Ok(SliceType::I),
        3 | 8 => Ok(SliceType::Sp),
        4 | 9 => Ok(SliceType::Si),
        _ => Err(Error::Range("slice_type")),
    }
}
