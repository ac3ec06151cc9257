//! How single values are written in files: as texts, as whole numbers of milliseconds, within bounds. For
//! serde's `with`, `serialize_with` and `deserialize_with`.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::studio::settings::reading::parts;

/// Longer texts are cut off: no address and no name is.
const MAX_TEXT: usize = 4_096;

/// What has words of its own.
pub(in crate::studio::settings) mod text {
    use super::*;

    pub(in crate::studio::settings) fn serialize<T: Display, S: Serializer>(
        value: &T,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub(in crate::studio::settings) fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(Error::custom)
    }
}

/// The same where nothing may stand, or an empty text.
pub(in crate::studio::settings) mod text_or_none {
    use super::*;

    pub(in crate::studio::settings) fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(ToString::to_string).serialize(to)
    }

    pub(in crate::studio::settings) fn deserialize<'de, T, D>(
        from: D,
    ) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        let text = String::deserialize(from)?;
        Some(text)
            .filter(|it| !it.is_empty())
            .map(|it| it.parse())
            .transpose()
            .map_err(Error::custom)
    }
}

/// What is written the other way round.
pub(in crate::studio::settings) mod not {
    use super::*;

    pub(in crate::studio::settings) fn serialize<S: Serializer>(
        flag: &bool,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        (!flag).serialize(to)
    }

    pub(in crate::studio::settings) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<bool, D::Error> {
        bool::deserialize(from).map(|flag| !flag)
    }
}

/// A text, cut off where it is far too long.
pub(in crate::studio::settings) fn short_text<'de, T: From<String>, D: Deserializer<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(String::deserialize(from)?.chars().take(MAX_TEXT).collect::<String>().into())
}

/// A whole number within bounds.
pub(in crate::studio::settings) fn whole<'de, T: TryFrom<i64>, D: Deserializer<'de>>(
    from: D,
    bounds: RangeInclusive<i64>,
) -> Result<T, D::Error> {
    let number = i64::deserialize(from).ok().filter(|number| bounds.contains(number));
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| {
        let (low, high) = bounds.into_inner();
        Error::custom(format!("it is not a whole number from {low} to {high}"))
    })
}

/// Any number within bounds.
pub(in crate::studio::settings) fn number<'de, D: Deserializer<'de>>(
    from: D,
    bounds: RangeInclusive<f32>,
) -> Result<f32, D::Error> {
    let number = f64::deserialize(from).ok().map(|number| number as f32);
    number.filter(|number| bounds.contains(number)).ok_or_else(|| {
        let (low, high) = bounds.into_inner();
        Error::custom(format!("it is not a number from {low} to {high}"))
    })
}

/// As people read it, not as binary fractions are.
pub(in crate::studio::settings) fn rounded<S: Serializer>(
    value: &f32,
    to: S,
) -> Result<S::Ok, S::Error> {
    ((f64::from(*value) * 1_000.0).round() / 1_000.0).serialize(to)
}

/// A time as whole milliseconds.
pub(in crate::studio::settings) fn as_millis<S: Serializer>(
    time: &Duration,
    to: S,
) -> Result<S::Ok, S::Error> {
    u64::try_from(time.as_millis()).unwrap_or_default().serialize(to)
}

pub(in crate::studio::settings) fn millis<'de, D: Deserializer<'de>>(
    from: D,
    bounds: RangeInclusive<i64>,
) -> Result<Duration, D::Error> {
    whole(from, bounds).map(Duration::from_millis)
}

/// A word of a list of words, as a module for `with`.
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

pub(in crate::studio::settings) use words;

pub(in crate::studio::settings) fn word<'de, T: Copy, D: Deserializer<'de>>(
    from: D,
    words: &[(&str, T)],
) -> Result<T, D::Error> {
    let word = String::deserialize(from)?;
    parts::meant(&word, words).ok_or_else(|| {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        Error::custom(format!("it is none of {}", known.join(", ")))
    })
}
