//! Splits an AV1 stream into its OBUs (AV1 §5.3).

use bytes::{BufMut, Bytes, BytesMut};

/// An OBU without its size.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Obu<'a> {
    /// The header with its extension.
    pub header: &'a [u8],
    pub payload: &'a [u8],
}

impl Obu<'_> {
    /// The type.
    pub fn kind(&self) -> u8 {
        self.header.first().map_or(0, |header| header >> 3 & 0xF)
    }
}

/// Returns the OBUs of `data`, up to the first invalid one.
pub(crate) fn units(mut data: &[u8]) -> impl Iterator<Item = Obu<'_>> {
    std::iter::from_fn(move || {
        let first = *data.first()?;
        let (header, mut rest) = data.split_at_checked(if first & 4 == 0 { 1 } else { 2 })?;
        let mut size = rest.len();
        if first & 2 != 0 {
            size = 0;
            for place in 0..8 {
                let (&byte, after) = rest.split_first()?;
                size |= usize::from(byte & 0x7F) << (7 * place);
                rest = after;
                if byte & 0x80 == 0 {
                    break;
                }
            }
        }
        let (payload, after) = rest.split_at_checked(size)?;
        data = after;
        Some(Obu { header, payload })
    })
}

/// Returns the OBUs of `data` with their types, up to the first invalid one.
pub(super) fn obus(data: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    units(data).map(|obu| (obu.kind(), obu.payload))
}

/// Types of OBUs that are not part of packets: temporal delimiters and padding.
const NON_PACKET_OBU_TYPES: [u8; 2] = [2, 15];

/// Returns a temporal unit without delimiters and padding, as containers store it. Each OBU gets its
/// size. The unit is empty if it has no frame.
pub fn obu_packet(data: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(data.len());
    let mut has_frame = false;
    for unit in units(data).filter(|unit| !NON_PACKET_OBU_TYPES.contains(&unit.kind())) {
        has_frame |= matches!(unit.kind(), 3 | 4 | 6);
        let [first, extension @ ..] = unit.header else { continue };
        out.put_u8(first | 2);
        out.put_slice(extension);
        put_size(&mut out, unit.payload.len());
        out.put_slice(unit.payload);
    }
    if has_frame { out.freeze() } else { Bytes::new() }
}

/// Writes the size of an OBU (leb128).
pub(super) fn put_size(out: &mut BytesMut, size: usize) {
    let mut size = size;
    while size > 0x7F {
        out.put_u8(0x80 | (size & 0x7F) as u8);
        size >>= 7;
    }
    out.put_u8(size as u8);
}
