//! Action Message Format 0: the values in RTMP commands and data messages, and in FLV script tags.
//!
//! [`decode()`] and [`Decoder`] read values; [`encode()`] and [`Data::encode`] write them. A
//! [`Value`] owns its strings. A [`ValueRef`] borrows them from the input without an allocation per
//! string; the sessions read commands with it. The decoder accepts known errors of real peers: an
//! ECMA array may lack its end marker or have a wrong count, invalid UTF-8 is read with replacement
//! characters, and [`Data::properties`] accepts objects and arrays alike. Limits are 16 levels and
//! 4,096 values (more for an index of keyframes). No allocation depends on a claimed length.

mod decode;
mod encode;

use std::borrow::Cow;

pub use decode::{
    Decoder, Error, MAX_DEPTH, MAX_KEYFRAMES, MAX_METADATA_VALUES, MAX_VALUES, decode, decode_most,
    decode_one,
};
pub use encode::encode;

/// An AMF0 value with strings of type `S`. Use it as [`Value`] or [`ValueRef`].
#[derive(Clone, Debug, PartialEq)]
pub enum Data<S> {
    Number(f64),
    Boolean(bool),
    String(S),
    /// Properties in their original order.
    Object(Vec<(S, Data<S>)>),
    Null,
    Undefined,
    /// A reference to the n-th object, array or typed object of the same body, counted from 0. It
    /// is not resolved, because the object may contain the reference itself.
    Reference(u16),
    /// Named properties in order. The count that precedes them is only a hint and is not kept.
    EcmaArray(Vec<(S, Data<S>)>),
    StrictArray(Vec<Data<S>>),
    /// Milliseconds since the Unix epoch, and a time zone in minutes, which should be 0.
    Date {
        millis: f64,
        zone_minutes: i16,
    },
    Xml(S),
    TypedObject(Box<TypedObject<S>>),
    Unsupported,
    /// The rest of the body is AMF3 and is not read. It is encoded as undefined.
    Amf3,
}

/// An object of a named class.
#[derive(Clone, Debug, PartialEq)]
pub struct TypedObject<S> {
    pub class: S,
    pub properties: Vec<(S, Data<S>)>,
}

/// A value that owns its strings.
pub type Value = Data<String>;

/// A value that borrows its strings from the input.
pub type ValueRef<'a> = Data<Cow<'a, str>>;

impl<S: AsRef<str>> Data<S> {
    /// Returns the value as a number, or `None`.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the value as a boolean. Numbers convert as in ActionScript, because some peers send
    /// 0 and 1.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(boolean) => Some(*boolean),
            Self::Number(number) => Some(*number != 0.0),
            _ => None,
        }
    }

    /// Returns the value as a string, or `None`.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Xml(text) => Some(text.as_ref()),
            _ => None,
        }
    }

    /// Returns the properties of an object, typed object or ECMA array.
    pub fn properties(&self) -> Option<&[(S, Self)]> {
        match self {
            Self::Object(properties) | Self::EcmaArray(properties) => Some(properties),
            Self::TypedObject(object) => Some(&object.properties),
            _ => None,
        }
    }

    /// Returns the elements of a strict array.
    pub fn elements(&self) -> Option<&[Self]> {
        match self {
            Self::StrictArray(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the property with this name. An exact match wins over one that differs in case,
    /// because some peers write `tcurl`.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let properties = self.properties()?;
        let exact = properties.iter().find(|(key, _)| key.as_ref() == name);
        exact
            .or_else(|| properties.iter().find(|(key, _)| key.as_ref().eq_ignore_ascii_case(name)))
            .map(|(_, value)| value)
    }

    /// Returns the property with this name as a string.
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    /// Returns the property with this name as a number.
    pub fn get_number(&self, name: &str) -> Option<f64> {
        self.get(name)?.as_number()
    }

    /// Returns a copy of the value that owns its strings.
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
    /// Makes an object of these properties, such as `Value::object([("code", "ok".into()), …])`.
    pub fn object<'k>(properties: impl IntoIterator<Item = (&'k str, Value)>) -> Self {
        Self::Object(properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    }

    /// Makes an ECMA array of these properties.
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

/// The type markers before values (AMF0 §2.1).
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
