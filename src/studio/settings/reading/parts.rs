//! Words of settings files, and repeating them to users.

use toml::Value;

use crate::studio::scenes;
use crate::text::problem::{Problem, problem};

/// The version of written settings. Version 1 had one target.
pub const VERSION: i64 = 2;

/// Limit for the warnings about one list or table; the rest is counted.
const MAX_WARNINGS: usize = 20;

/// Limit for repeated words of a file, and for reasons that contain them.
const MAX_WORD: usize = 40;
const MAX_REASON: usize = 300;

/// A number, whole or not.
pub(in crate::studio::settings) fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// The value of a word.
pub(in crate::studio::settings) fn meant<T: Copy>(word: &str, names: &[(&str, T)]) -> Option<T> {
    names.iter().find(|(name, _)| *name == word).map(|(_, it)| *it)
}

/// The word that represents it.
pub(in crate::studio::settings) fn word_of<T: PartialEq>(
    names: &[(&'static str, T)],
    it: &T,
) -> Option<&'static str> {
    names.iter().find(|(_, one)| one == it).map(|(name, _)| *name)
}

/// A word of a file for repeating to users.
pub(in crate::studio::settings) fn quoted(word: &str) -> String {
    scenes::clean(word, MAX_WORD)
}

/// A reason whose values may be such words.
pub(in crate::studio::settings) fn reason(why: &Problem) -> Problem {
    why.map_texts(&|text| scenes::clean(text, MAX_REASON).into())
}

/// Reads a value, and reports its first problem and the number of others; `what`: the location for
/// users.
pub(in crate::studio::settings) fn counted<T>(
    what: Problem,
    bad: &mut dyn FnMut(Problem),
    read: impl FnOnce(&mut dyn FnMut(Problem)) -> T,
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
        bad(problem!("settings-more-things", count = more, what = what));
    }
    it
}
