//! Files of ours and of others as TOML and JSON. One that is neither is told by the place where it goes
//! wrong and in our own words, which the window has in its language; the library's stand behind them.
//! Nothing of the file's content is repeated: a key may stand in it.

use serde_json::error::Category;
use toml::de::DeTable;
use toml::{Spanned, Table};

/// What is wrong, by what the libraries say.
const TOML: &[(&str, &str)] = &[
    ("duplicate key", TWICE),
    ("cannot extend", "a name that has a value cannot have others below it"),
    ("escape", BACKSLASH),
    ("unicode value", BACKSLASH),
    ("string values must be quoted", QUOTES),
    ("unclosed array table", "the name of a table has no closing bracket"),
    ("unclosed table", "the name of a table has no closing bracket"),
    ("unclosed", UNCLOSED),
    ("basic string", OPEN),
    ("literal string", OPEN),
    ("opening quote", OPEN),
    ("missing comma", "a comma is missing"),
    ("extra comma", "there is a comma too many"),
    ("key with no value", NO_EQUALS),
    ("missing assignment", NO_EQUALS),
    ("missing value for key", NO_EQUALS),
    ("missing value", "a value is missing"),
    ("extra assignment", "a comma is missing"),
    ("`=`", "there is an = too many"),
    ("unexpected key or value", "the next name must begin on a line of its own"),
    ("unexpected content", "this belongs to nothing"),
    ("recurs", DEEP),
    ("key", "this is no name: what is not a to z, 0 to 9, _ and - must stand in quotation marks"),
    ("date", "this is no date and no time"),
    ("time", "this is no date and no time"),
    ("comment", CONTROL),
    ("carriage return", CONTROL),
    ("number", NUMBER),
    ("numeric", NUMBER),
    ("digits", NUMBER),
    ("integer", NUMBER),
    ("radix", NUMBER),
    ("leading zero", NUMBER),
    ("sign", NUMBER),
    ("", "this is no TOML"),
];

const JSON: &[(&str, &str)] = &[
    ("escape", BACKSLASH),
    ("surrogate", BACKSLASH),
    ("expected `:`", "a name is not followed by a colon and a value"),
    ("expected `,`", "a comma or a closing bracket is missing"),
    ("trailing comma", "there is a comma too many"),
    ("key must be", "a name must stand in quotation marks"),
    ("expected `\"`", "a name must stand in quotation marks"),
    ("trailing characters", "unexpected characters after the end"),
    ("control character", CONTROL),
    ("number", NUMBER),
    ("recursion", DEEP),
    ("expected", QUOTES),
    ("", "this is no JSON"),
];

const TWICE: &str = "a name is there twice";
const BACKSLASH: &str = "a backslash begins nothing that there is: in a path it is written twice";
const QUOTES: &str = "this is no value: texts must stand in quotation marks";
const OPEN: &str = "a text is not closed by a quotation mark";
const UNCLOSED: &str = "a list or a table is not closed by a bracket";
const NO_EQUALS: &str = "a name is not followed by an = and a value";
const DEEP: &str = "it is nested too deeply";
const CONTROL: &str = "a character stands here that cannot be seen";
const NUMBER: &str = "this is no number";
const CUT_OFF: &str = "it ends in the middle: something is not closed";
const NO_TEXT: &str = "it is no text in UTF-8";

/// All that is said, for who says it in another language.
#[cfg(test)]
pub(crate) fn all() -> impl Iterator<Item = &'static str> {
    TOML.iter().chain(JSON).map(|(_, ours)| *ours).chain([CUT_OFF, NO_TEXT])
}

/// # Errors
/// Where it goes wrong, and how.
pub(in crate::studio::settings) fn toml(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error| of_toml(text, &error))
}

/// The same with the places of all values.
///
/// # Errors
/// As [`toml()`].
pub(in crate::studio::settings) fn spanned(text: &str) -> Result<Spanned<DeTable<'_>>, String> {
    DeTable::parse(text).map_err(|error| of_toml(text, &error))
}

fn of_toml(text: &str, error: &toml::de::Error) -> String {
    let at = error.span().map_or(text.len(), |span| span.start);
    told(text, at, ours(TOML, error.message()), error.message())
}

/// # Errors
/// As [`toml()`].
pub(in crate::studio::settings) fn json(text: &str) -> Result<serde_json::Value, String> {
    let text = without_mark(text);
    serde_json::from_str(text).map_err(|error| {
        let said = error.to_string();
        // The place stands behind the words; ours counts letters.
        let said = said.rsplit_once(" at line ").map_or(&*said, |(said, _)| said);
        let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let at = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        let cut_off = error.classify() == Category::Eof;
        told(text, at, if cut_off { CUT_OFF } else { ours(JSON, said) }, said)
    })
}

/// What is `null` is not there.
pub(in crate::studio::settings) fn without_nulls(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Array(list) => {
            list.into_iter().filter(|it| !it.is_null()).map(without_nulls).collect()
        }
        Value::Object(map) => {
            let map = map.into_iter().filter(|(_, it)| !it.is_null());
            map.map(|(key, it)| (key, without_nulls(it))).collect()
        }
        other => other,
    }
}

/// Without the mark of UTF-8 that editors of Windows put before a text.
pub(in crate::studio::settings) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// Why a file could not be read.
pub(in crate::studio::settings) fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::InvalidData => NO_TEXT.to_owned(),
        _ => error.to_string(),
    }
}

fn ours(table: &[(&str, &'static str)], said: &str) -> &'static str {
    table.iter().find(|(theirs, _)| said.contains(theirs)).map_or("", |(_, ours)| ours)
}

fn told(text: &str, at: usize, ours: &str, theirs: &str) -> String {
    let (line, column) = place(text, at);
    format!("line {line}, column {column}: {ours} ({theirs})")
}

/// The line and the column of what begins there, from 1.
pub(in crate::studio::settings) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = (0..=at.min(text.len())).rev().find_map(|at| text.get(..at)).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_toml_is_told_by_the_place_and_in_our_words() {
        for (text, place, words) in [
            ("a = 1\na = 2\n", (2, 1), TWICE),
            ("[a]\nb = \"x\n", (2, 7), OPEN),
            ("b = 'x\nc = 1", (1, 7), OPEN),
            ("a = x\n", (1, 5), QUOTES),
            ("a = C:\\x\n", (1, 5), QUOTES),
            ("名 = 1\n", (1, 1), "this is no name"),
            ("b = \"名\\x\"\n", (1, 9), BACKSLASH),
            ("a = \"C:\\Users\\me\"", (1, 10), BACKSLASH),
            ("a = [1, 2\nb = 3\n", (2, 1), "a comma is missing"),
            ("a = [1 2]\n", (1, 6), QUOTES),
            ("a = [1,, 2]\n", (1, 8), "there is a comma too many"),
            ("a = { b = 1 c = 2 }\n", (1, 15), "a comma is missing"),
            ("a = { b = 1\n", (1, 12), UNCLOSED),
            ("[a\nb = 1\n", (1, 3), "the name of a table"),
            ("a\n", (1, 2), NO_EQUALS),
            ("a = \n", (1, 5), QUOTES),
            ("a = 1 b = 2\n", (1, 9), "the next name"),
            ("a = 1\n[a.b]\n", (2, 2), "a name that has a value"),
            ("a = 2026-13-01\n", (1, 5), "this is no date"),
            ("a = 012\n", (1, 5), NUMBER),
            ("a = = 1\n", (1, 5), "there is an = too many"),
            ("a = 1__2\n", (1, 6), NUMBER),
        ] {
            let said = toml(text).unwrap_err();
            let (line, column) = place;
            eprintln!("{text:?}: {said}");
            assert!(said.starts_with(&format!("line {line}, column {column}: {words}")), "{said}");
            assert!(!said.contains("C:") && !said.contains("this is no TOML"), "{said}");
        }
        assert!(toml("\u{FEFF}a = 1").is_ok(), "with the mark of UTF-8");
    }

    #[test]
    fn a_file_that_is_no_json_is_told_by_the_place_and_in_our_words() {
        for (text, place, words) in [
            ("{\"a\": 1,\n\"b\": x}", (2, 6), QUOTES),
            ("{\"a\": [1, 2", (1, 11), CUT_OFF),
            ("{\"a\": \"x", (1, 8), CUT_OFF),
            ("{\"a\" 1}", (1, 6), "a name is not followed"),
            ("{\"a\": 1 \"b\": 2}", (1, 9), "a comma or"),
            ("{\"a\": [1 2]}", (1, 10), "a comma or"),
            ("{\"a\": 1,}", (1, 9), "there is a comma too many"),
            ("{a: 1}", (1, 2), "a name must"),
            ("{} x", (1, 4), "unexpected characters"),
            ("{\"名名\": \"C:\\Users\"}", (1, 12), BACKSLASH),
            ("{\"a\": \"x\ny\"}", (2, 1), CONTROL),
            ("{\"a\": 01}", (1, 8), NUMBER),
        ] {
            let said = json(text).unwrap_err();
            let (line, column) = place;
            eprintln!("{text:?}: {said}");
            assert!(said.starts_with(&format!("line {line}, column {column}: {words}")), "{said}");
        }
        let deep = "[".repeat(200);
        assert!(json(&deep).unwrap_err().contains(DEEP));
        assert!(json("\u{FEFF}{}").is_ok());
    }
}
