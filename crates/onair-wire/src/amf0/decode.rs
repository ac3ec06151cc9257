//! Reads AMF0 values from bytes (AMF0 §2). The innermost steps have `#[inline(always)]`, because
//! reading a `connect` command takes 1.7 times as long without it.

use super::{Data, TypedObject, Value, marker};

/// The deepest nesting that is accepted.
pub const MAX_DEPTH: usize = 16;
/// Default limit for the number of values in one body, including nested ones.
pub const MAX_VALUES: usize = 4_096;
/// Maximum number of keyframes in the index of metadata, for 36 hours with one keyframe every two
/// seconds.
pub const MAX_KEYFRAMES: usize = 65_536;
/// Limit for the number of values in metadata, whose index has two numbers for each keyframe.
pub const MAX_METADATA_VALUES: usize = 2 * MAX_KEYFRAMES + MAX_VALUES;

/// The reason why bytes are not valid AMF0.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("AMF0 ends in the middle of a value")]
    Truncated,
    #[error("AMF0 marker {0:#04x} has no value")]
    Marker(u8),
    #[error("AMF0 is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("AMF0 holds more than {0} values")]
    TooMany(usize),
}

/// Reads all values of a body.
///
/// # Errors
/// Fails at the first value that cannot be read.
pub fn decode(body: &[u8]) -> Result<Vec<Value>, Error> {
    decode_most(body, MAX_VALUES)
}

/// Reads all values of a body. More than `most` values are an error.
///
/// # Errors
/// Fails with the same errors as [`decode`].
pub fn decode_most(body: &[u8], most: usize) -> Result<Vec<Value>, Error> {
    let mut decoder = Decoder { most, ..Decoder::new(body) };
    let mut values = Vec::new();
    while let Some(value) = decoder.next_value()? {
        values.push(value);
    }
    Ok(values)
}

/// Reads the first value of a body, and returns it with the number of bytes it takes. More than
/// `most` values, including nested ones, are an error.
///
/// # Errors
/// Fails if the value cannot be read, with [`Error::Truncated`] if the body is empty.
pub fn decode_one(body: &[u8], most: usize) -> Result<(Value, usize), Error> {
    let mut decoder = Decoder { most, ..Decoder::new(body) };
    let value = decoder.next_value()?.ok_or(Error::Truncated)?;
    Ok((value, body.len() - decoder.rest().len()))
}

/// A string of a value, which is borrowed from the body if the type can borrow.
pub trait Text<'a>: From<&'a str> + From<String> {}

impl<'a, S: From<&'a str> + From<String>> Text<'a> for S {}

/// Reads one value after the other from a body.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    values: usize,
    most: usize,
}

impl<'a> Decoder<'a> {
    /// Creates a decoder at the first byte of a body.
    pub const fn new(body: &'a [u8]) -> Self {
        Self { input: body, values: 0, most: MAX_VALUES }
    }

    /// Returns the bytes that are not read yet.
    pub const fn rest(&self) -> &'a [u8] {
        self.input
    }

    /// Reads the next value, as [`Value`] or [`super::ValueRef`]. Returns `None` at the end.
    ///
    /// # Errors
    /// Fails if the value cannot be read.
    pub fn next_value<S: Text<'a>>(&mut self) -> Result<Option<Data<S>>, Error> {
        if self.input.is_empty() { Ok(None) } else { self.value(0).map(Some) }
    }

    fn value<S: Text<'a>>(&mut self, depth: usize) -> Result<Data<S>, Error> {
        let marker = self.u8()?;
        self.values += 1;
        if self.values > self.most {
            return Err(Error::TooMany(self.most));
        }
        Ok(match marker {
            marker::NUMBER => Data::Number(f64::from_bits(u64::from_be_bytes(self.array()?))),
            marker::BOOLEAN => Data::Boolean(self.u8()? != 0),
            marker::STRING => Data::String(self.text()?),
            marker::OBJECT => Data::Object(self.object(depth)?),
            marker::NULL => Data::Null,
            marker::UNDEFINED => Data::Undefined,
            marker::REFERENCE => Data::Reference(u16::from_be_bytes(self.array()?)),
            marker::ECMA_ARRAY => Data::EcmaArray(self.ecma_array(depth)?),
            marker::STRICT_ARRAY => Data::StrictArray(self.strict_array(depth)?),
            marker::DATE => Data::Date {
                millis: f64::from_bits(u64::from_be_bytes(self.array()?)),
                zone_minutes: i16::from_be_bytes(self.array()?),
            },
            marker::LONG_STRING => Data::String(self.long_text()?),
            marker::UNSUPPORTED => Data::Unsupported,
            marker::XML => Data::Xml(self.long_text()?),
            marker::TYPED_OBJECT => {
                let class = self.text()?;
                let properties = self.object(depth)?;
                Data::TypedObject(Box::new(TypedObject { class, properties }))
            }
            // An AMF3 value has no length field. At the top level it is the rest of the body; in a
            // property, its end is unknown.
            marker::AMF3 if depth == 0 && !self.input.is_empty() => {
                self.input = &[];
                Data::Amf3
            }
            marker::AMF3 if self.input.is_empty() => return Err(Error::Truncated),
            // Reserved and never sent (AMF0 §2.6 and §2.16), or not a value.
            marker::MOVIE_CLIP | marker::RECORD_SET | marker::OBJECT_END => {
                return Err(Error::Marker(marker));
            }
            other => return Err(Error::Marker(other)),
        })
    }

    fn object<S: Text<'a>>(&mut self, depth: usize) -> Result<Vec<(S, Data<S>)>, Error> {
        if self.object_end() {
            return Ok(Vec::new());
        }
        let mut properties = Vec::with_capacity(8);
        loop {
            properties.push(self.property(depth)?);
            if self.object_end() {
                return Ok(properties);
            }
        }
    }

    /// Reads an ECMA array up to its end marker. Without a marker, the array ends with the input,
    /// or after the announced number of properties if no further property can follow.
    fn ecma_array<S: Text<'a>>(&mut self, depth: usize) -> Result<Vec<(S, Data<S>)>, Error> {
        let announced = u32::from_be_bytes(self.array()?) as usize;
        let mut properties = Vec::new();
        loop {
            let complete = announced == 0 || !properties.is_empty();
            if self.object_end() || (self.input.is_empty() && complete) {
                return Ok(properties);
            }
            let before = self.clone();
            match self.property(depth) {
                Ok(property) => properties.push(property),
                Err(Error::Truncated | Error::Marker(_))
                    if announced > 0 && properties.len() >= announced =>
                {
                    *self = before;
                    return Ok(properties);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn strict_array<S: Text<'a>>(&mut self, depth: usize) -> Result<Vec<Data<S>>, Error> {
        let depth = deeper(depth)?;
        let count = u32::from_be_bytes(self.array()?) as usize;
        // Each element takes at least one byte, so a count larger than the input is wrong.
        if count > self.input.len() {
            return Err(Error::Truncated);
        }
        if count > self.most {
            return Err(Error::TooMany(self.most));
        }
        let mut elements = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            elements.push(self.value(depth)?);
        }
        Ok(elements)
    }

    #[inline(always)]
    fn property<S: Text<'a>>(&mut self, depth: usize) -> Result<(S, Data<S>), Error> {
        let depth = deeper(depth)?;
        let name = self.text()?;
        // Most values are strings. They are read here, without another call.
        if let [marker::STRING, rest @ ..] = self.input
            && self.values < self.most
        {
            self.input = rest;
            self.values += 1;
            return Ok((name, Data::String(self.text()?)));
        }
        Ok((name, self.value(depth)?))
    }

    /// Consumes an empty name and the end marker, if they are next. Returns true if they were.
    #[inline(always)]
    fn object_end(&mut self) -> bool {
        match self.input {
            [0, 0, marker::OBJECT_END, rest @ ..] => {
                self.input = rest;
                true
            }
            _ => false,
        }
    }

    #[inline(always)]
    fn text<S: Text<'a>>(&mut self) -> Result<S, Error> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        self.bytes(length).map(text_of)
    }

    fn long_text<S: Text<'a>>(&mut self) -> Result<S, Error> {
        let length = u32::from_be_bytes(self.array()?) as usize;
        self.bytes(length).map(text_of)
    }

    #[inline(always)]
    fn u8(&mut self) -> Result<u8, Error> {
        let (&byte, rest) = self.input.split_first().ok_or(Error::Truncated)?;
        self.input = rest;
        Ok(byte)
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let (array, rest) = self.input.split_first_chunk::<N>().ok_or(Error::Truncated)?;
        self.input = rest;
        Ok(*array)
    }

    #[inline(always)]
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], Error> {
        let (bytes, rest) = self.input.split_at_checked(length).ok_or(Error::Truncated)?;
        self.input = rest;
        Ok(bytes)
    }
}

fn deeper(depth: usize) -> Result<usize, Error> {
    if depth + 1 > MAX_DEPTH { Err(Error::Depth) } else { Ok(depth + 1) }
}

#[inline(always)]
fn text_of<'a, S: Text<'a>>(bytes: &'a [u8]) -> S {
    match std::str::from_utf8(bytes) {
        Ok(text) => S::from(text),
        Err(_) => S::from(String::from_utf8_lossy(bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::amf0::{ValueRef, encode};

    #[test]
    fn arrays_without_an_end_are_read_as_far_as_they_go() {
        // Count 1, one property, then another value without an end marker.
        let bytes = [8, 0, 0, 0, 1, 0, 1, b'a', 5, 2, 0, 1, b'x'];
        let values = decode(&bytes).unwrap();
        assert_eq!(values, [Value::ecma_array([("a", Value::Null)]), "x".into()]);
        // Count 9, one property, end of input.
        let values = decode(&[8, 0, 0, 0, 9, 0, 1, b'a', 5]).unwrap();
        assert_eq!(values, [Value::ecma_array([("a", Value::Null)])]);
    }

    #[test]
    fn limits_hold() {
        let mut deep = Vec::new();
        for _ in 0..MAX_DEPTH {
            deep.extend([10, 0, 0, 0, 1]);
        }
        let mut fits = deep.clone();
        fits.push(5);
        assert!(decode(&fits).is_ok());
        deep.extend([10, 0, 0, 0, 1, 5]);
        assert_eq!(decode(&deep), Err(Error::Depth));
        let many = vec![5; MAX_VALUES + 1];
        assert_eq!(decode(&many), Err(Error::TooMany(MAX_VALUES)));
        assert_eq!(decode_most(&many, many.len()).map(|values| values.len()), Ok(many.len()));
        assert_eq!(decode(&[10, 0xFF, 0xFF, 0xFF, 0xFF, 5]), Err(Error::Truncated));
        assert_eq!(decode(&[12, 0xFF, 0xFF, 0xFF, 0xFF, 5]), Err(Error::Truncated));
    }

    #[test]
    fn texts_that_are_no_utf8_and_amf3_are_survived() {
        assert_eq!(decode(&[2, 0, 2, b'a', 0xFF]).unwrap(), ["a\u{FFFD}".into()]);
        assert_eq!(decode(&[5, 0x11, 1, 2, 3]).unwrap(), [Value::Null, Value::Amf3]);
        assert_eq!(decode(&[0x11]), Err(Error::Truncated));
    }

    #[test]
    fn borrowed_values_are_the_same() {
        let value = Value::object([("a", "b".into()), ("c", 1.0.into())]);
        let bytes = encode(std::slice::from_ref(&value));
        let borrowed: ValueRef<'_> = Decoder::new(&bytes).next_value().unwrap().unwrap();
        assert_eq!(borrowed.to_value(), value);
        assert_eq!(decode_one(&bytes, MAX_VALUES).unwrap(), (value, bytes.len()));
    }
}
