//! Takes one value after the other out of a settings file and notes what is bad.

use std::str::FromStr;

use crate::media::BitsPerSecond;

/// A file's tables; a path is `name` or `table.name`.
pub(super) struct Reader<'a> {
    pub(super) table: &'a toml::Table,
    /// What was bad, in plain words.
    pub(super) warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// The texts of a list.
    pub(super) fn list(&mut self, path: &str) -> Vec<String> {
        match self.value(path) {
            None => Vec::new(),
            Some(toml::Value::Array(list)) => {
                list.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect()
            }
            Some(_) => {
                self.bad(path, "it is not a list");
                Vec::new()
            }
        }
    }

    pub(super) fn value(&self, path: &str) -> Option<&toml::Value> {
        match path.split_once('.') {
            Some((table, name)) => self.table.get(table)?.get(name),
            None => self.table.get(path),
        }
    }

    pub(super) fn bad(&mut self, path: &str, why: &str) {
        self.warnings.push(format!("The setting '{path}' is ignored: {why}"));
    }

    pub(super) fn text(&mut self, path: &str) -> Option<String> {
        match self.value(path) {
            None => None,
            Some(toml::Value::String(text)) => Some(text.clone()),
            Some(_) => {
                self.bad(path, "it is not a text");
                None
            }
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
        match self.value(path) {
            None => false,
            Some(toml::Value::Boolean(flag)) => *flag,
            Some(_) => {
                self.bad(path, "it is neither true nor false");
                false
            }
        }
    }

    pub(super) fn number(&mut self, path: &str, low: f64, high: f64, default: f64) -> f32 {
        let number = match self.value(path) {
            None => return default as f32,
            Some(toml::Value::Float(number)) => Some(*number),
            Some(toml::Value::Integer(number)) => Some(*number as f64),
            Some(_) => None,
        };
        match number {
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
        if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
            return *value;
        }
        self.bad(path, &format!("'{text}' is not known"));
        T::default()
    }
}
