//! Parameters of PipeWire streams (SPA POD): writes objects of numbers, and reads a negotiated
//! video format. The byte order is native, and each value is padded to 8 bytes.

use libspa_sys as spa;

/// Maximum size of an object, in bytes.
const MAX_OBJECT_BYTES: usize = 64 << 10;

/// Value of a stream parameter (SPA POD).
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Value {
    Id(u32),
    Int(i32),
    Rectangle(u32, u32),
    Fraction(u32, u32),
}

impl Value {
    fn kind(self) -> u32 {
        match self {
            Self::Id(_) => spa::SPA_TYPE_Id,
            Self::Int(_) => spa::SPA_TYPE_Int,
            Self::Rectangle(..) => spa::SPA_TYPE_Rectangle,
            Self::Fraction(..) => spa::SPA_TYPE_Fraction,
        }
    }

    fn put(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Id(value) => word(bytes, value),
            Self::Int(value) => word(bytes, value.cast_unsigned()),
            Self::Rectangle(a, b) | Self::Fraction(a, b) => {
                word(bytes, a);
                word(bytes, b);
            }
        }
    }

    fn length(self) -> u32 {
        match self {
            Self::Id(_) | Self::Int(_) => 4,
            Self::Rectangle(..) | Self::Fraction(..) => 8,
        }
    }
}

fn word(bytes: &mut Vec<u8>, value: u32) {
    bytes.extend_from_slice(&value.to_ne_bytes());
}

/// An object under construction.
#[derive(Debug)]
pub(in crate::capture) struct Object {
    /// The object's type and id, followed by its properties.
    body: Vec<u8>,
}

impl Object {
    pub(in crate::capture) fn new(kind: u32, id: u32) -> Self {
        let mut body = Vec::new();
        word(&mut body, kind);
        word(&mut body, id);
        Self { body }
    }

    fn pad(&mut self) {
        self.body.resize(self.body.len().next_multiple_of(8), 0);
    }

    /// Adds a property with one value.
    pub(in crate::capture) fn one(mut self, key: u32, value: Value) -> Self {
        for part in [key, 0, value.length(), value.kind()] {
            word(&mut self.body, part);
        }
        value.put(&mut self.body);
        self.pad();
        self
    }

    /// Adds a property whose value the other side chooses. The preferred value is first, before the
    /// values of `kind` (minimum and maximum of a range, or all of an enumeration). All values have
    /// one type.
    pub(in crate::capture) fn choice(mut self, key: u32, kind: u32, values: &[Value]) -> Self {
        let Some(first) = values.first() else { return self };
        let length = 16 + first.length() * values.len() as u32;
        for part in [key, 0, length, spa::SPA_TYPE_Choice, kind, 0, first.length(), first.kind()] {
            word(&mut self.body, part);
        }
        for value in values {
            value.put(&mut self.body);
        }
        self.pad();
        self
    }

    /// Returns the whole object in units of 8 bytes, for alignment.
    pub(in crate::capture) fn finish(self) -> Vec<u64> {
        let mut bytes = Vec::with_capacity(self.body.len() + 8);
        word(&mut bytes, self.body.len() as u32);
        word(&mut bytes, spa::SPA_TYPE_Object);
        bytes.extend_from_slice(&self.body);
        let units = bytes.chunks(8).map(|unit| {
            let mut whole = [0; 8];
            for (to, from) in whole.iter_mut().zip(unit) {
                *to = *from;
            }
            u64::from_ne_bytes(whole)
        });
        units.collect()
    }
}

/// Returns the total length of an object with these first 8 bytes, or `None` if they are invalid.
pub(in crate::capture) fn length(head: [u8; 8]) -> Option<usize> {
    let [size, kind] = [number(&head, 0)?, number(&head, 4)?];
    let length = 8 + size as usize;
    (kind == spa::SPA_TYPE_Object && length <= MAX_OBJECT_BYTES).then_some(length)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// The negotiated frame format.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Format {
    /// `SPA_VIDEO_FORMAT_…`.
    pub(in crate::capture) pixels: u32,
    pub(in crate::capture) width: u32,
    pub(in crate::capture) height: u32,
}

/// Reads a format object. Returns `None` if the object is not raw video with a size.
pub(in crate::capture) fn format(bytes: &[u8]) -> Option<Format> {
    let end = length(bytes.get(..8)?.try_into().ok()?)?;
    let body = bytes.get(8..end)?;
    if number(body, 0)? != spa::SPA_TYPE_OBJECT_Format {
        return None;
    }
    let (mut kind, mut subtype, mut pixels, mut size) = (None, None, None, None);
    let mut at = 8;
    while let Some(key) = number(body, at) {
        let (length, of) = (number(body, at + 8)? as usize, number(body, at + 12)?);
        let value = body.get(at + 16..(at + 16).checked_add(length)?)?;
        // A fixed value may still be encoded as a choice.
        let (value, of) = match of {
            spa::SPA_TYPE_Choice => (value.get(16..)?, number(value, 12)?),
            of => (value, of),
        };
        match (key, of) {
            (spa::SPA_FORMAT_mediaType, spa::SPA_TYPE_Id) => kind = number(value, 0),
            (spa::SPA_FORMAT_mediaSubtype, spa::SPA_TYPE_Id) => subtype = number(value, 0),
            (spa::SPA_FORMAT_VIDEO_format, spa::SPA_TYPE_Id) => pixels = number(value, 0),
            (spa::SPA_FORMAT_VIDEO_size, spa::SPA_TYPE_Rectangle) => {
                size = Some((number(value, 0)?, number(value, 4)?));
            }
            _ => {}
        }
        at += 16 + length.next_multiple_of(8);
    }
    let raw =
        kind == Some(spa::SPA_MEDIA_TYPE_video) && subtype == Some(spa::SPA_MEDIA_SUBTYPE_raw);
    let (width, height) = size.filter(|_| raw)?;
    Some(Format { pixels: pixels?, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(units: &[u64]) -> Vec<u8> {
        units.iter().flat_map(|unit| unit.to_ne_bytes()).collect()
    }

    fn agreed() -> Object {
        Object::new(spa::SPA_TYPE_OBJECT_Format, spa::SPA_PARAM_Format)
            .one(spa::SPA_FORMAT_mediaType, Value::Id(spa::SPA_MEDIA_TYPE_video))
            .one(spa::SPA_FORMAT_mediaSubtype, Value::Id(spa::SPA_MEDIA_SUBTYPE_raw))
            .choice(
                spa::SPA_FORMAT_VIDEO_format,
                spa::SPA_CHOICE_None,
                &[Value::Id(spa::SPA_VIDEO_FORMAT_RGBA)],
            )
    }

    #[test]
    fn a_format_reads_back_as_written() {
        let whole = agreed()
            .one(spa::SPA_FORMAT_VIDEO_framerate, Value::Fraction(0, 1))
            .one(spa::SPA_FORMAT_VIDEO_size, Value::Rectangle(640, 481))
            .finish();
        let want = Format { pixels: spa::SPA_VIDEO_FORMAT_RGBA, width: 640, height: 481 };
        assert_eq!(format(&bytes(&whole)), Some(want));
        assert_eq!(format(&bytes(&agreed().finish())), None, "without a size");
        // The header contains the length.
        let head: [u8; 8] = bytes(&whole)[..8].try_into().unwrap();
        assert_eq!(length(head), Some(whole.len() * 8));
    }

    #[test]
    fn bytes_of_no_format_are_none() {
        let whole = agreed().one(spa::SPA_FORMAT_VIDEO_size, Value::Rectangle(64, 48)).finish();
        let whole = bytes(&whole);
        for end in 0..whole.len() {
            assert_eq!(format(&whole[..end]), None, "{end}");
        }
        let mut seed = 7_u32;
        for _ in 0..200_000 {
            let mut bad = whole.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let place = (seed >> 8) as usize % bad.len();
                bad[place] = seed.to_be_bytes()[0];
            }
            // Parsing must neither panic nor hang.
            let _ = format(&bad);
        }
        let huge = [u32::MAX.to_ne_bytes(), spa::SPA_TYPE_Object.to_ne_bytes()].concat();
        assert_eq!(format(&huge), None);
    }
}
