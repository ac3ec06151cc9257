//! The formats of single values in files, such as texts, whole milliseconds, or numbers within
//! limits, for serde's `with`, `serialize_with` and `deserialize_with`.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::studio::settings::reading::parts;
use crate::text::problem::{Problem, problem};

thread_local! {
    /// The reason why the last value was refused. It is stored here because an error of serde can
    /// contain only a text.
    static REFUSED_REASON: RefCell<Option<Problem>> = const { RefCell::new(None) };
}

/// The text of a serde error whose actual reason [`refused`] returns.
const REFUSED_TEXT: &str = "refused";

/// Refuses a value for this reason.
pub fn refuse<E: Error>(why: impl Into<Problem>) -> E {
    REFUSED_REASON.set(Some(why.into()));
    E::custom(REFUSED_TEXT)
}

/// Takes the reason of [`refuse`] for an error with this text.
pub fn refused(message: &str) -> Option<Problem> {
    (message == REFUSED_TEXT).then(|| REFUSED_REASON.take()).flatten()
}

/// Maximum length of a text in characters, which no address or name reaches. Longer texts are
/// truncated.
const MAX_TEXT_CHARS: usize = 4_096;

/// Reads and writes a type that has a text form.
pub(in crate::settings) mod text {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Into<Problem>>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(refuse)
    }
}

/// Reads and writes an optional type that has a text form. An empty text means none.
pub(in crate::settings) mod text_or_none {
    use super::*;

    pub fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(to)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Into<Problem>>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        Some(text).filter(|it| !it.is_empty()).map(|it| it.parse()).transpose().map_err(refuse)
    }
}

/// Reads and writes an inverted flag.
pub(in crate::settings) mod not {
    use super::*;

    pub fn serialize<S: Serializer>(flag: &bool, to: S) -> Result<S::Ok, S::Error> {
        (!flag).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
        bool::deserialize(from).map(|flag| !flag)
    }
}

/// Reads a text, truncated if it is far too long.
pub fn short_text<'de, T: From<String>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(String::deserialize(from)?.chars().take(MAX_TEXT_CHARS).collect::<String>().into())
}

/// Reads and writes a path, without invalid Unicode.
pub(in crate::settings) mod path {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&path.display())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        short_text(from).map(|text: String| text.into())
    }
}

/// A type whose values are read within limits.
pub trait Bounded: Sized {
    type Bound;

    /// # Errors
    /// Fails if the value is invalid or out of range. The problem contains the limits in `unit`.
    fn read<'de, D: Deserializer<'de>>(
        from: D,
        bounds: RangeInclusive<Self::Bound>,
        unit: &'static str,
    ) -> Result<Self, D::Error>;
}

/// Returns the problem of a value that is not a number within these limits. `unit` is a symbol, or
/// a name that the text knows; empty means none.
pub fn not_from(low: String, high: String, unit: &str) -> Problem {
    match unit {
        "" => problem!("value-not-from", low = low, high = high),
        unit => problem!("value-not-from-unit", low = low, high = high, unit = unit),
    }
}

/// Returns the problem of a value that is not a whole number within these limits; see
/// [`not_from`].
fn not_whole_from(low: String, high: String, unit: &str) -> Problem {
    match unit {
        "" => problem!("value-not-whole-from", low = low, high = high),
        unit => problem!("value-not-whole-from-unit", low = low, high = high, unit = unit),
    }
}

macro_rules! numbers {
    ($problem:ident, $written:ty, $converted:expr, $($number:ty),*) => {$(
        impl Bounded for $number {
            type Bound = Self;

            fn read<'de, D: Deserializer<'de>>(
                from: D,
                bounds: RangeInclusive<Self>,
                unit: &'static str,
            ) -> Result<Self, D::Error> {
                let number: Option<Self> = <$written>::deserialize(from).ok().and_then($converted);
                number.filter(|number| bounds.contains(number)).ok_or_else(|| {
                    let (low, high) = bounds.into_inner();
                    refuse($problem(low.to_string(), high.to_string(), unit))
                })
            }
        }
    )*};
}

numbers!(not_whole_from, i64, |it| it.try_into().ok(), u8, u16, u32, u64, i8, i32);
numbers!(not_from, f64, Some, f64);
numbers!(not_from, f64, |it| Some(it as f32), f32);

/// An optional value, which is limited if it is present.
impl<T: Bounded> Bounded for Option<T> {
    type Bound = T::Bound;

    fn read<'de, D: Deserializer<'de>>(
        from: D,
        bounds: RangeInclusive<T::Bound>,
        unit: &'static str,
    ) -> Result<Self, D::Error> {
        T::read(from, bounds, unit).map(Some)
    }
}

/// Reads a value within limits. `unit` is the unit of the limits in messages; see [`not_from`].
pub fn bounded<'de, T: Bounded, D: Deserializer<'de>>(
    from: D,
    bounds: RangeInclusive<T::Bound>,
    unit: &'static str,
) -> Result<T, D::Error> {
    T::read(from, bounds, unit)
}

/// Defines readers of single values within limits, for `deserialize_with`. The unit of the limits
/// follows them, if they have one.
macro_rules! within {
    ($($name:ident: $type:ty = $bounds:expr $(, $unit:literal)?;)*) => {$(
        pub(in crate::settings) fn $name<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<$type, D::Error> {
            values::bounded(from, $bounds, concat!($($unit)?))
        }
    )*};
}

pub(in crate::settings) use within;

/// Writes a number rounded for users, without binary fractions.
pub fn rounded<T: Copy + Into<f64>, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    (((*value).into() * 1_000.0).round() / 1_000.0).serialize(to)
}

/// Returns true if the value equals the default, and is therefore not written.
pub fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Writes a table without its default values.
pub fn unusual<T: Default + Serialize, S: Serializer>(table: &T, to: S) -> Result<S::Ok, S::Error> {
    use serde::ser::Error;
    let of = |table: &T| toml::Table::try_from(table).map_err(Error::custom);
    let (mut table, usual) = (of(table)?, of(&T::default())?);
    table.retain(|key, value| usual.get(key) != Some(value));
    table.serialize(to)
}

/// Writes a time as whole milliseconds.
pub fn as_millis<T: Copy + Into<Option<Duration>>, S: Serializer>(
    time: &T,
    to: S,
) -> Result<S::Ok, S::Error> {
    let time: Option<Duration> = (*time).into();
    time.map(|time| u64::try_from(time.as_millis()).unwrap_or_default()).serialize(to)
}

/// Writes a time as whole seconds; 0 means none.
pub fn as_seconds<T: Copy + Into<Option<Duration>>, S: Serializer>(
    time: &T,
    to: S,
) -> Result<S::Ok, S::Error> {
    let time: Option<Duration> = (*time).into();
    time.map_or(0, |time| time.as_secs()).serialize(to)
}

pub fn millis<'de, D: Deserializer<'de>>(
    from: D,
    bounds: RangeInclusive<u64>,
) -> Result<Duration, D::Error> {
    bounded(from, bounds, "ms").map(Duration::from_millis)
}

/// Defines a table of a file, with each key once as a field, and the path to its part of the value.
/// `of` takes these parts from a value, and `put` sets them in a value. The caller handles other
/// keys.
macro_rules! layout {
    ($(#[$meta:meta])* struct $table:ident of $value:ty = $usual:expr; {
        $($(#[$field:meta])* $key:ident: $type:ty $(= $($part:ident).+)?,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(in crate::settings) struct $table {
            $($(#[$field])* $key: $type,)*
        }

        impl Default for $table {
            fn default() -> Self {
                Self::of(&$usual)
            }
        }

        impl $table {
            /// The keys that correspond to parts of the value.
            #[allow(dead_code, reason = "not every table is changed key by key")]
            pub(in crate::settings) const KEYS: &[&str] =
                &[$($({ let _ = stringify!($($part).+); stringify!($key) },)?)*];

            fn of(value: &$value) -> Self {
                Self { $($key: layout!(@part value $($($part).+)?),)* }
            }

            fn put(&self, value: &mut $value) {
                $($(value.$($part).+ = Clone::clone(&self.$key);)?)*
            }
        }
    };
    (@part $value:ident) => { Default::default() };
    (@part $value:ident $($part:ident).+) => { Clone::clone(&$value.$($part).+) };
}

pub(in crate::settings) use layout;

/// Defines a module for `with`. `write` returns the form of a value in the file, and `read` returns
/// the value of a form, or the problem because of which the form is refused.
macro_rules! form {
    (
        $(#[$meta:meta])* $vis:vis $name:ident: $type:ty;
        write $value:ident => $written:expr;
        read $form:ident: $reader:path => $read:expr;
    ) => {
        $(#[$meta])*
        $vis mod $name {
            use super::*;

            pub fn serialize<S: Serializer>($value: &$type, to: S) -> Result<S::Ok, S::Error> {
                let form = $written;
                form.serialize(to)
            }

            pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                let $form = $reader(from)?;
                let read: Result<$type, $crate::text::Problem> = $read;
                read.map_err(values::refuse)
            }
        }
    };
}

pub(in crate::settings) use form;

/// Defines a module for `with` that reads a word from a list of words.
macro_rules! words {
    ($name:ident, $type:ty, $words:expr) => {
        mod $name {
            use super::*;

            pub(super) fn serialize<S: Serializer>(it: &$type, to: S) -> Result<S::Ok, S::Error> {
                parts::word_of(&$words, it).unwrap_or_default().serialize(to)
            }

            pub(super) fn deserialize<'de, D: Deserializer<'de>>(
                from: D,
            ) -> Result<$type, D::Error> {
                values::word(from, &$words)
            }

            #[allow(dead_code, reason = "not every word is left out where it is the usual one")]
            pub(super) fn is_usual(it: &$type) -> bool {
                *it == <$type>::default()
            }
        }
    };
}

pub(in crate::settings) use words;

pub fn word<'de, T: Copy, D: Deserializer<'de>>(
    from: D,
    words: &[(&str, T)],
) -> Result<T, D::Error> {
    let word = String::deserialize(from)?;
    parts::meant(&word, words).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        refuse(problem!("value-none-of", known = &known))
    })
}
