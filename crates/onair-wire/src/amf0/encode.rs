//! Writes AMF0 values to bytes (AMF0 §2).

use super::{Data, marker};

/// Encodes these values as one body.
pub fn encode<S: AsRef<str>>(values: &[Data<S>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for value in values {
        value.encode(&mut out);
    }
    out
}

impl<S: AsRef<str>> Data<S> {
    /// Appends the value. Strings of 64 KiB or more become long strings. Property names are cut at
    /// that length, because the format has no long names.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(number) => {
                let [a, b, c, d, e, f, g, h] = number.to_bits().to_be_bytes();
                out.extend_from_slice(&[marker::NUMBER, a, b, c, d, e, f, g, h]);
            }
            Self::Boolean(boolean) => {
                out.extend_from_slice(&[marker::BOOLEAN, u8::from(*boolean)]);
            }
            Self::String(text) => string(text.as_ref(), out),
            Self::Object(properties) => {
                out.push(marker::OBJECT);
                object(properties, out);
            }
            Self::Null => out.push(marker::NULL),
            Self::Undefined | Self::Amf3 => out.push(marker::UNDEFINED),
            Self::Reference(index) => {
                let [a, b] = index.to_be_bytes();
                out.extend_from_slice(&[marker::REFERENCE, a, b]);
            }
            Self::EcmaArray(properties) => {
                out.push(marker::ECMA_ARRAY);
                count(properties.len(), out);
                object(properties, out);
            }
            Self::StrictArray(elements) => {
                out.push(marker::STRICT_ARRAY);
                count(elements.len(), out);
                for element in elements {
                    element.encode(out);
                }
            }
            Self::Date { millis, zone_minutes } => {
                out.push(marker::DATE);
                out.extend_from_slice(&millis.to_bits().to_be_bytes());
                out.extend_from_slice(&zone_minutes.to_be_bytes());
            }
            Self::Xml(text) => {
                out.push(marker::XML);
                count(text.as_ref().len(), out);
                out.extend_from_slice(text.as_ref().as_bytes());
            }
            Self::TypedObject(typed) => {
                out.push(marker::TYPED_OBJECT);
                name(typed.class.as_ref(), out);
                object(&typed.properties, out);
            }
            Self::Unsupported => out.push(marker::UNSUPPORTED),
        }
    }
}

#[inline]
fn string(text: &str, out: &mut Vec<u8>) {
    if let Ok(length) = u16::try_from(text.len()) {
        // Reserves all bytes before the two copies, so that the copies do not reallocate.
        out.reserve(3 + text.len());
        let [a, b] = length.to_be_bytes();
        out.extend_from_slice(&[marker::STRING, a, b]);
    } else {
        out.push(marker::LONG_STRING);
        count(text.len(), out);
    }
    out.extend_from_slice(text.as_bytes());
}

fn object<S: AsRef<str>>(properties: &[(S, Data<S>)], out: &mut Vec<u8>) {
    for (key, value) in properties {
        name(key.as_ref(), out);
        value.encode(out);
    }
    out.extend_from_slice(&[0, 0, marker::OBJECT_END]);
}

#[inline]
fn name(text: &str, out: &mut Vec<u8>) {
    let (length, text) = match u16::try_from(text.len()) {
        Ok(length) => (length, text),
        Err(_) => cut(text),
    };
    out.reserve(2 + text.len());
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

#[cold]
fn cut(text: &str) -> (u16, &str) {
    let text = text.get(..text.floor_char_boundary(usize::from(u16::MAX))).unwrap_or_default();
    (u16::try_from(text.len()).unwrap_or(u16::MAX), text)
}

fn count(count: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::amf0::{TypedObject, Value, decode};

    #[test]
    fn every_kind_comes_back() {
        let values = vec![
            Value::Number(-0.5),
            Value::Boolean(true),
            "текст".into(),
            Value::object([("a", Value::Null), ("", Value::Undefined)]),
            Value::Reference(3),
            Value::ecma_array([("k", Value::StrictArray(vec![1.0.into(), "x".into()]))]),
            Value::ecma_array([]),
            Value::Date { millis: 1e12, zone_minutes: -60 },
            Value::Xml("<a/>".into()),
            Value::TypedObject(Box::new(TypedObject {
                class: "c".into(),
                properties: vec![("p".into(), 2.0.into())],
            })),
            Value::Unsupported,
            Value::String("l".repeat(70_000)),
            Value::String("m".repeat(65_535)),
        ];
        assert_eq!(decode(&encode(&values)).unwrap(), values);
    }

    #[test]
    fn names_that_are_too_long_are_cut_at_a_character() {
        let value = Value::object([("é".repeat(40_000).as_str(), Value::Null)]);
        let back = decode(&encode(&[value])).unwrap();
        let [Value::Object(properties)] = back.as_slice() else { panic!("{back:?}") };
        assert_eq!(properties[0].0.len(), 65_534);
    }
}
