//! Parses words of settings files, and formats them for messages.

use toml::Value;

use crate::studio::scenes;
use crate::text::problem::{Problem, problem};

/// The format version of written settings. Version 1 had one target.
pub const SETTINGS_VERSION: i64 = 2;

/// Maximum number of warnings about one list or table. Further ones are only counted.
const MAX_WARNINGS: usize = 20;

/// Maximum number of characters of a file's word in a message.
const MAX_WORD_CHARS: usize = 40;
/// Maximum number of characters of a reason that contains words of a file.
const MAX_REASON_CHARS: usize = 300;

/// Returns the number in a value, integer or not.
pub fn number(value: &Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64))
}

/// Returns the value that a word stands for.
pub fn meant<T: Copy>(word: &str, names: &[(&str, T)]) -> Option<T> {
    names.iter().find(|(name, _)| *name == word).map(|(_, it)| *it)
}

/// Returns the word for a value.
pub fn word_of<T: PartialEq>(names: &[(&'static str, T)], it: &T) -> Option<&'static str> {
    names.iter().find(|(_, one)| one == it).map(|(name, _)| *name)
}

/// Returns a word from a file, quoted for a message.
pub fn quoted(word: &str) -> String {
    scenes::clean(word, MAX_WORD_CHARS)
}

/// Shortens a reason whose values may be words from a file.
pub fn reason(why: &Problem) -> Problem {
    why.map_texts(&|text| scenes::clean(text, MAX_REASON_CHARS).into())
}

/// Reads a value. Reports its first problems one by one, and the number of further ones. `what`
/// names the location to users.
pub fn counted<T>(
    what: Problem,
    bad: &mut dyn FnMut(Problem),
    read: impl FnOnce(&mut dyn FnMut(Problem)) -> T,
) -> T {
    let mut problem_count = 0;
    let it = read(&mut |why| {
        problem_count += 1;
        if problem_count <= MAX_WARNINGS {
            bad(why);
        }
    });
    if problem_count > MAX_WARNINGS {
        let more = problem_count - MAX_WARNINGS;
        bad(problem!("settings-more-things", count = more, what = what));
    }
    it
}
