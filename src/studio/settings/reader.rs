//! Takes one value after the other out of a settings file and notes what is bad. What a value is looked at
//! for stands here as functions: those who read tables tell in their own way what is not so.

use std::str::FromStr;

use toml::Value;

use crate::media::BitsPerSecond;
use crate::studio::notices::settings_warnings;
use crate::studio::scenes;

/// The version of the settings that this program writes. Version 1 had one target.
pub const VERSION: i64 = 2;

/// Warnings about one list or table; of one with more the rest is counted.
const MAX_WARNINGS: usize = 20;

/// Words of a file, and reasons with such words in them, as far as they are repeated to people.
const MAX_WORD: usize = 40;
const MAX_REASON: usize = 300;

/// What a value is not.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Text,
    Flag,
    List,
}

impl Fault {
    /// Behind what it is called.
    pub(super) fn is(self) -> String {
        match self {
            Self::Text => settings_warnings::is_no_text(),
            Self::Flag => settings_warnings::is_no_flag(),
            Self::List => settings_warnings::is_no_list(),
        }
    }

    /// By itself.
    pub(super) fn it_is(self) -> String {
        match self {
            Self::Text => settings_warnings::it_is_no_text(),
            Self::Flag => settings_warnings::it_is_no_flag(),
            Self::List => settings_warnings::it_is_no_list(),
        }
    }
}

/// What is written there as a text.
pub(super) fn text(value: Option<&Value>) -> Result<Option<&str>, Fault> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::Text),
    }
}

/// Where nothing is written it is not so.
pub(super) fn flag(value: Option<&Value>) -> Result<bool, Fault> {
    match value {
        None => Ok(false),
        Some(Value::Boolean(flag)) => Ok(*flag),
        Some(_) => Err(Fault::Flag),
    }
}

/// Where nothing is written it is empty.
pub(super) fn list(value: Option<&Value>) -> Result<&[Value], Fault> {
    match value {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(Fault::List),
    }
}

/// A number, whole or not.
pub(super) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// What a word stands for.
pub(super) fn meant<T: Copy>(word: &str, names: &[(&str, T)]) -> Option<T> {
    names.iter().find(|(name, _)| *name == word).map(|(_, it)| *it)
}

/// The word that stands for it.
pub(super) fn word_of<T: PartialEq>(names: &[(&'static str, T)], it: &T) -> Option<&'static str> {
    names.iter().find(|(_, one)| one == it).map(|(name, _)| *name)
}

/// A word of a file as it is repeated to people.
pub(super) fn quoted(word: &str) -> String {
    scenes::clean(word, MAX_WORD)
}

/// The same of a reason that may have such words in it.
pub(super) fn reason(why: &str) -> String {
    scenes::clean(why, MAX_REASON)
}

/// Reads something, and tells the first that is bad in it and how many more there are; `what`: where, for
/// people.
pub(super) fn counted<T>(
    what: &str,
    bad: &mut dyn FnMut(String),
    read: impl FnOnce(&mut dyn FnMut(String)) -> T,
) -> T {
    let mut told = 0;
    let it = read(&mut |why| {
        told += 1;
        if told <= MAX_WARNINGS {
            bad(why);
        }
    });
    if told > MAX_WARNINGS {
        let more = told - MAX_WARNINGS;
        bad(settings_warnings::more_things(&more, &what));
    }
    it
}

/// A file's tables; a path is `name` or `table.name`.
pub(super) struct Reader<'a> {
    pub(super) table: &'a toml::Table,
    /// What was bad, in plain words.
    pub(super) warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The texts of a list.
    pub(super) fn list(&mut self, path: &str) -> Vec<String> {
        match list(self.value(path)) {
            Ok(list) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Err(fault) => self.none(path, fault),
        }
    }

    pub(super) fn value(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            Some((table, name)) => self.table.get(table)?.get(name),
            None => self.table.get(path),
        }
    }

    pub(super) fn bad(&mut self, path: &str, why: &str) {
        self.warnings.push(format!("The setting '{path}' is ignored: {}", reason(why)));
    }

    /// It is told, and is as if nothing were written.
    fn none<T: Default>(&mut self, path: &str, fault: Fault) -> T {
        self.bad(path, &fault.it_is());
        T::default()
    }

    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        match text(self.value(path)) {
            Ok(text) => text.map(str::to_owned),
            Err(fault) => self.none(path, fault),
        }
    }

    pub(super) fn parsed<T: FromStr<Err = String>>(&mut self, path: &str) -> Option<T> {
        let text = self.text(path)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(why) => {
                self.bad(path, &why);
                None
            }
        }
    }

    pub(super) fn flag(&mut self, path: &str) -> bool {
        flag(self.value(path)).unwrap_or_else(|fault| self.none(path, fault))
    }

    pub(super) fn number(&mut self, path: &str, low: f64, high: f64, default: f64) -> f32 {
        let Some(value) = self.value(path) else { return default as f32 };
        match number(value) {
            Some(number) if (low..=high).contains(&number) => number as f32,
            _ => {
                self.bad(path, &format!("it is not a number from {low} to {high}"));
                default as f32
            }
        }
    }

    pub(super) fn whole(&mut self, path: &str, low: u64, high: u64, default: u64) -> u64 {
        match self.value(path) {
            None => default,
            Some(value) => match value.as_integer().and_then(|value| u64::try_from(value).ok()) {
                Some(value) if (low..=high).contains(&value) => value,
                _ => {
                    self.bad(path, &format!("it is not a whole number from {low} to {high}"));
                    default
                }
            },
        }
    }

    pub(super) fn bitrate(&mut self, path: &str, default: BitsPerSecond) -> BitsPerSecond {
        let bits = self.whole(path, 8_000, 200_000_000, u64::from(default.0));
        u32::try_from(bits).map_or(default, BitsPerSecond)
    }

    pub(super) fn one_of<T: Copy + Default>(&mut self, path: &str, names: &[(&str, T)]) -> T {
        let Some(text) = self.text(path) else { return T::default() };
        meant(&text, names).unwrap_or_else(|| {
            self.bad(path, &format!("'{}' is not known", quoted(&text)));
            T::default()
        })
    }
}
