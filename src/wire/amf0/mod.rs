//! Action Message Format 0: the values in RTMP commands and data messages, and in FLV script tags.
//!
//! [`decode()`] and [`Decoder`] read, [`encode()`] and [`Data::encode`] write. A [`Value`] owns its
//! texts; a [`ValueRef`] borrows them from the input and costs no allocation a text (it is what the
//! sessions read commands with). Lenient where real peers err: an ECMA array may lack its end
//! marker or carry a wrong count, texts that are no UTF-8 are read with replacement characters, and
//! an object is taken where an array is due and the other way round ([`Data::properties`]).
//! Bounded: 16 levels, 4,096 values (more where an index of keyframes is due), no allocation by a claimed length.

mod decode;
mod encode;

use std::borrow::Cow;

pub use decode::{Decoder, Error, MAX_DEPTH, MAX_VALUES, decode, decode_most, decode_one};
pub use encode::encode;

/// An AMF0 value over texts of type `S`. Use it as [`Value`] or [`ValueRef`].
#[derive(Clone, Debug, PartialEq)]
pub enum Data<S> {
    Number(f64),
    Boolean(bool),
    String(S),
    /// Properties in their order.
    Object(Vec<(S, Data<S>)>),
    Null,
    Undefined,
    /// The n-th object, array or typed object of the same body (counted from 0), once more. Left
    /// as it is: what it points to may contain the reference itself.
    Reference(u16),
    /// Named properties in their order; the count in front of it is a hint and not kept.
    EcmaArray(Vec<(S, Data<S>)>),
    StrictArray(Vec<Data<S>>),
    /// Milliseconds since the Unix epoch and a time zone in minutes, which should be 0.
    Date {
        millis: f64,
        zone_minutes: i16,
    },
    Xml(S),
    TypedObject(Box<TypedObject<S>>),
    Unsupported,
    /// The rest of the body is AMF3 and was not read. Encodes as undefined.
    Amf3,
}

/// An object of a named class.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedObject<S> {
    pub class: S,
    pub properties: Vec<(S, Data<S>)>,
}

/// A value that owns its texts.
pub type Value = Data<String>;

/// A value that borrows its texts from the bytes it was read from.
pub type ValueRef<'a> = Data<Cow<'a, str>>;

impl<S: AsRef<str>> Data<S> {
    /// The number, if it is one.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value; numbers count as in ActionScript (some peers send 0 and 1).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Number(number) => Some(*number != 0.0),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Xml(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// The properties of an object, typed object or ECMA array.
    pub fn properties(&self) -> Option<&[(S, Self)]> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => Some(properties),
            Self::TypedObject(object) => Some(&object.properties),
            _ => None,
        }
    }

    /// The elements of a strict array.
    pub fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::StrictArray(elements) => Some(elements),
            _ => None,
        }
    }

    /// The property of that name, first exactly, then without regard to case: some peers write
    /// `tcurl`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let properties = self.properties()?;
        let exact = properties.iter().find(|(key, _)| key.as_ref() == name);
        exact
            .or_else(|| properties.iter().find(|(key, _)| key.as_ref().eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    /// The text of the property of that name.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// The number of the property of that name.
    pub fn get_number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }

    /// The same value with texts of its own.
    pub fn to_value(&self) -> Value {
        let pairs = |properties: &[(S, Self)]| {
            properties
                .iter()
                .map(|(key, value)| (key.as_ref().to_owned(), value.to_value()))
                .collect()
        };
        match self {
            Self::Number(number) => Value::Number(*number),
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            Self::String(text) => Value::String(text.as_ref().to_owned()),
            Self::Object(properties) => Value::Object(pairs(properties)),
            Self::Null => Value::Null,
            Self::Undefined => Value::Undefined,
            Self::Reference(index) => Value::Reference(*index),
            Self::EcmaArray(properties) => Value::EcmaArray(pairs(properties)),
            Self::StrictArray(elements) => {
                Value::StrictArray(elements.iter().map(Self::to_value).collect())
            }
            Self::Date { millis, zone_minutes } => {
                Value::Date { millis: *millis, zone_minutes: *zone_minutes }
            }
            Self::Xml(text) => Value::Xml(text.as_ref().to_owned()),
            Self::TypedObject(object) => Value::TypedObject(Box::new(TypedObject {
                class: object.class.as_ref().to_owned(),
                properties: pairs(&object.properties),
            })),
            Self::Unsupported => Value::Unsupported,
            Self::Amf3 => Value::Amf3,
        }
    }
}

impl Value {
    /// An object of these properties: `Value::object([("code", "ok".into()), …])`.
    pub fn object<'k>(properties: impl IntoIterator<Item = (&'k str, Value)>) -> Self {
        Self::Object(properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// An ECMA array of these properties.
    pub fn ecma_array<'k>(properties: impl IntoIterator<Item = (&'k str, Value)>) -> Self {
        Self::EcmaArray(
            properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        )
    }
}

impl<S> From<f64> for Data<S> {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<S> From<u32> for Data<S> {
    fn from(number: u32) -> Self {
        Self::Number(f64::from(number))
    }
}

impl<S> From<bool> for Data<S> {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

impl<'a> From<&'a str> for ValueRef<'a> {
    fn from(text: &'a str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

/// The byte in front of a value (AMF0, 2.1).
mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const MOVIE_CLIP: u8 = 0x04;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0A;
    pub(super) const DATE: u8 = 0x0B;
    pub(super) const LONG_STRING: u8 = 0x0C;
    pub(super) const UNSUPPORTED: u8 = 0x0D;
    pub(super) const RECORD_SET: u8 = 0x0E;
    pub(super) const XML: u8 = 0x0F;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
    pub(super) const AMF3: u8 = 0x11;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_found_whatever_the_container_and_case() {
        for value in [
            Value::object([("tcurl", "x".into()), ("n", 2.0.into())]),
            Value::ecma_array([("tcurl", "x".into()), ("n", 2.0.into())]),
        ] {
            assert_eq!(value.get_str("tcUrl"), Some("x"));
            assert_eq!(value.get_number("n"), Some(2.0));
            assert_eq!(value.get("n").and_then(Value::as_bool), Some(true));
            assert_eq!(value.get("none"), None);
        }
        assert_eq!(Value::Null.get("a"), None);
    }
}
