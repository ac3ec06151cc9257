//! MP4 boxes: length, name, content (ISO/IEC 14496-12 §4.2). The writer fills in the length
//! afterwards, and the reader stays within bounds.

use bytes::{BufMut, BytesMut};

/// A box's name.
pub type Name = [u8; 4];

/// Writes a box around what `content` writes.
pub fn put_box(out: &mut BytesMut, name: Name, content: impl FnOnce(&mut BytesMut)) {
    let at = out.len();
    out.put_u32(0);
    out.put_slice(&name);
    content(out);
    // onair's largest box is a few hundred megabytes long: the `moov` of a recording of several
    // weeks.
    let length = u32::try_from(out.len() - at).unwrap_or(u32::MAX).to_be_bytes();
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length);
    }
}

/// Writes a box with version and flags (§4.2, FullBox).
pub fn put_full(
    out: &mut BytesMut,
    name: Name,
    version: u8,
    flags: u32,
    content: impl FnOnce(&mut BytesMut),
) {
    put_box(out, name, |out| {
        out.put_u32(u32::from(version) << 24 | flags & 0xFF_FFFF);
        content(out);
    });
}

/// The unity matrix of a movie or track.
const UNITY_MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// Writes the unity matrix.
pub fn put_matrix(out: &mut BytesMut) {
    UNITY_MATRIX.iter().for_each(|value| out.put_u32(*value));
}

/// A box in a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct BoxSpan<'a> {
    pub name: Name,
    pub content: &'a [u8],
}

/// Returns the boxes in `data`, up to the first invalid one.
pub fn boxes(mut data: &[u8]) -> impl Iterator<Item = BoxSpan<'_>> {
    std::iter::from_fn(move || {
        let (header, name, size) = header(data)?;
        let size = match size {
            // Size 0 means up to the end.
            0 => data.len(),
            size => usize::try_from(size).ok()?,
        };
        let content = data.get(header..size)?;
        data = data.get(size..)?;
        Some(BoxSpan { name, content })
    })
}

/// Returns the first box with this name.
pub fn child(data: &[u8], name: Name) -> Option<&[u8]> {
    boxes(data).find(|found| found.name == name).map(|found| found.content)
}

/// Returns the header length, name and total length of the box at the start of `data`. A total
/// length of 0 means up to the end.
pub fn header(data: &[u8]) -> Option<(usize, Name, u64)> {
    let [a, b, c, d, n0, n1, n2, n3, rest @ ..] = data else { return None };
    let name = [*n0, *n1, *n2, *n3];
    match u32::from_be_bytes([*a, *b, *c, *d]) {
        1 => {
            let size = u64::from_be_bytes(*rest.first_chunk()?);
            (size >= 16).then_some((16, name, size))
        }
        0 => Some((8, name, 0)),
        size if size >= 8 => Some((8, name, u64::from(size))),
        _ => None,
    }
}

/// Reads numbers from the start of a box.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    /// Reads the version of a box with version and flags, and returns it with the fields after them.
    pub fn versioned(content: &'a [u8]) -> Option<(u8, Self)> {
        let mut fields = Self(content);
        let (version, _) = fields.full()?;
        Some((version, fields))
    }

    /// Returns the fields of a box after its version and flags.
    pub fn after_version(content: &'a [u8]) -> Option<Self> {
        Self::versioned(content).map(|(_, fields)| fields)
    }

    /// Reads the version of `mvhd`, `tkhd` or `mdhd`, and returns it with the fields after the times of
    /// creation and modification.
    pub fn after_dates(content: &'a [u8]) -> Option<(u8, Self)> {
        let (version, mut fields) = Self::versioned(content)?;
        fields.bytes(if version == 1 { 16 } else { 8 })?;
        Some((version, fields))
    }

    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Reads version and flags.
    pub fn full(&mut self) -> Option<(u8, u32)> {
        let word = self.u32()?;
        Some(((word >> 24) as u8, word & 0xFF_FFFF))
    }

    /// Reads a number of 64 bits for version 1, or of 32 bits for version 0.
    pub fn long(&mut self, version: u8) -> Option<u64> {
        if version == 1 { self.u64() } else { self.u32().map(u64::from) }
    }
}

/// Reads the sample rate of an audio sample entry. A `srat` box replaces the field (ISO/IEC 14496-12
/// §12.2.3).
pub(super) fn sample_rate(entry: &BoxSpan<'_>) -> Option<u32> {
    let mut fields = Fields(entry.content);
    fields.bytes(24)?;
    let rate = fields.u32()? >> 16;
    let srat = child(fields.0, *b"srat").and_then(|srat| Fields::after_version(srat)?.u32());
    Some(srat.unwrap_or(rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_nest_and_are_found() {
        let mut out = BytesMut::new();
        put_box(&mut out, *b"moov", |out| {
            put_full(out, *b"mvhd", 1, 7, |out| out.put_u8(9));
            put_box(out, *b"free", |_| ());
        });
        let moov = child(&out, *b"moov").unwrap();
        let mut fields = Fields(child(moov, *b"mvhd").unwrap());
        assert_eq!((fields.full(), fields.u8(), fields.u8()), (Some((1, 7)), Some(9), None));
        assert_eq!(boxes(moov).count(), 2);
        assert_eq!(child(moov, *b"free"), Some(&[][..]));
    }

    #[test]
    fn lengths_that_lie_end_the_walk() {
        for bad in
            [&[0, 0, 0, 7, 1, 2, 3, 4][..], &[0, 0, 0, 9, 1, 2, 3, 4], &[0, 0, 0, 1, 1, 2, 3, 4]]
        {
            assert_eq!(boxes(bad).count(), 0, "{bad:?}");
        }
        let long = [&[0, 0, 0, 1, 1, 2, 3, 4][..], &[0xFF; 8]].concat();
        assert_eq!(boxes(&long).count(), 0);
        assert_eq!(boxes(&[0, 0, 0, 0, 1, 2, 3, 4, 5]).count(), 1);
    }
}
