//! Parses files as TOML and JSON. A syntax error contains its position and onair's own text,
//! followed by the library's text. It never repeats the file's content, which can contain a key.

use serde_json::error::Category;
use toml::de::DeTable;
use toml::{Spanned, Table};

use crate::text::problem::{Problem, problem};

/// Parts of the TOML library's error texts, each with the name of onair's own message.
const TOML_ERRORS: &[(&str, &str)] = &[
    ("duplicate key", DUPLICATE_NAME),
    ("cannot extend", "syntax-nested"),
    ("escape", BAD_BACKSLASH),
    ("unicode value", BAD_BACKSLASH),
    ("string values must be quoted", MISSING_QUOTES),
    ("unclosed array table", "syntax-table-open"),
    ("unclosed table", "syntax-table-open"),
    ("unclosed", UNCLOSED_BRACKET),
    ("basic string", UNCLOSED_STRING),
    ("literal string", UNCLOSED_STRING),
    ("opening quote", UNCLOSED_STRING),
    ("missing comma", "syntax-comma"),
    ("extra comma", "syntax-comma-extra"),
    ("key with no value", MISSING_EQUALS),
    ("missing assignment", MISSING_EQUALS),
    ("missing value for key", MISSING_EQUALS),
    ("missing value", "syntax-no-value"),
    ("extra assignment", "syntax-comma"),
    ("`=`", "syntax-equals-extra"),
    ("unexpected key or value", "syntax-same-line"),
    ("unexpected content", "syntax-stray"),
    ("recurs", NESTED_TOO_DEEP),
    ("key", "syntax-key"),
    ("date", "syntax-date"),
    ("time", "syntax-date"),
    ("comment", CONTROL_CHARACTER),
    ("carriage return", CONTROL_CHARACTER),
    ("number", BAD_NUMBER),
    ("numeric", BAD_NUMBER),
    ("digits", BAD_NUMBER),
    ("integer", BAD_NUMBER),
    ("radix", BAD_NUMBER),
    ("leading zero", BAD_NUMBER),
    ("sign", BAD_NUMBER),
    ("", "syntax-no-toml"),
];

const JSON_ERRORS: &[(&str, &str)] = &[
    ("escape", BAD_BACKSLASH),
    ("surrogate", BAD_BACKSLASH),
    ("expected `:`", "syntax-no-colon"),
    ("expected `,`", "syntax-comma-or-bracket"),
    ("trailing comma", "syntax-comma-extra"),
    ("key must be", "syntax-name-quotes"),
    ("expected `\"`", "syntax-name-quotes"),
    ("trailing characters", "syntax-trailing"),
    ("control character", CONTROL_CHARACTER),
    ("number", BAD_NUMBER),
    ("recursion", NESTED_TOO_DEEP),
    ("expected", MISSING_QUOTES),
    ("", "syntax-no-json"),
];

const DUPLICATE_NAME: &str = "syntax-twice";
const BAD_BACKSLASH: &str = "syntax-backslash";
const MISSING_QUOTES: &str = "syntax-quotes";
const UNCLOSED_STRING: &str = "syntax-open";
const UNCLOSED_BRACKET: &str = "syntax-unclosed";
const MISSING_EQUALS: &str = "syntax-no-equals";
const NESTED_TOO_DEEP: &str = "syntax-deep";
const CONTROL_CHARACTER: &str = "syntax-control";
const BAD_NUMBER: &str = "syntax-number";
const TRUNCATED_FILE: &str = "syntax-cut-off";

/// # Errors
/// Fails with the position and the error.
pub(in crate::settings) fn toml(text: &str) -> Result<Table, Problem> {
    text.parse().map_err(|error| of_toml(text, &error))
}

/// Works like [`toml()`], but with the positions of all values.
///
/// # Errors
/// Fails with the same errors as [`toml()`].
pub(in crate::settings) fn spanned(text: &str) -> Result<Spanned<DeTable<'_>>, Problem> {
    DeTable::parse(text).map_err(|error| of_toml(text, &error))
}

fn of_toml(text: &str, error: &toml::de::Error) -> Problem {
    let at = error.span().map_or(text.len(), |span| span.start);
    syntax_problem(text, at, ours(TOML_ERRORS, error.message()), error.message())
}

/// # Errors
/// Fails with the same errors as [`toml()`].
pub(in crate::settings) fn json(text: &str) -> Result<serde_json::Value, Problem> {
    let text = without_mark(text);
    serde_json::from_str(text).map_err(|error| {
        let message = error.to_string();
        // The position is at the end of the message; onair counts in characters.
        let message = message.rsplit_once(" at line ").map_or(&*message, |(words, _)| words);
        let lines = text.split_inclusive('\n').take(error.line().saturating_sub(1));
        let at = lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
        let cut_off = error.classify() == Category::Eof;
        let ours = if cut_off { TRUNCATED_FILE } else { ours(JSON_ERRORS, message) };
        syntax_problem(text, at, ours, message)
    })
}

/// Removes `null` values.
pub(in crate::settings) fn without_nulls(value: serde_json::Value) -> serde_json::Value {
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

/// Returns the text without the UTF-8 byte order mark that Windows editors add.
pub(in crate::settings) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{FEFF}').unwrap_or(text)
}

/// Returns the reason why a file could not be read.
pub(in crate::settings) fn unreadable(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::InvalidData => problem!("syntax-no-text"),
        _ => error.into(),
    }
}

fn ours(table: &[(&str, &'static str)], message: &str) -> &'static str {
    table.iter().find(|(theirs, _)| message.contains(theirs)).map_or("", |(_, ours)| ours)
}

fn syntax_problem(text: &str, at: usize, ours: &'static str, theirs: &str) -> Problem {
    let (line, column) = place(text, at);
    let what = Problem::new(ours, []);
    problem!("syntax-at", line = line, column = column, what = what, words = theirs)
}

/// Returns the line and column of an offset, from 1.
pub(in crate::settings) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = (0..=at.min(text.len())).rev().find_map(|at| text.get(..at)).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Value;

    /// Returns the position of a syntax error, and the name of its message.
    fn place_and_key(problem: &Problem) -> ((usize, usize), &'static str) {
        let number = |at: usize| match problem.args()[at].1 {
            Value::Number(number) => usize::try_from(number).unwrap(),
            _ => panic!("{problem:?}"),
        };
        ((number(0), number(1)), problem.inner().next().unwrap().id())
    }

    #[test]
    fn a_file_that_is_no_toml_is_told_by_the_place_and_in_our_words() {
        for (text, place, words) in [
            ("a = 1\na = 2\n", (2, 1), DUPLICATE_NAME),
            ("[a]\nb = \"x\n", (2, 7), UNCLOSED_STRING),
            ("b = 'x\nc = 1", (1, 7), UNCLOSED_STRING),
            ("a = x\n", (1, 5), MISSING_QUOTES),
            ("a = C:\\x\n", (1, 5), MISSING_QUOTES),
            ("名 = 1\n", (1, 1), "syntax-key"),
            ("b = \"名\\x\"\n", (1, 9), BAD_BACKSLASH),
            ("a = \"C:\\Users\\me\"", (1, 10), BAD_BACKSLASH),
            ("a = [1, 2\nb = 3\n", (2, 1), "syntax-comma"),
            ("a = [1 2]\n", (1, 6), MISSING_QUOTES),
            ("a = [1,, 2]\n", (1, 8), "syntax-comma-extra"),
            ("a = { b = 1 c = 2 }\n", (1, 15), "syntax-comma"),
            ("a = { b = 1\n", (1, 12), UNCLOSED_BRACKET),
            ("[a\nb = 1\n", (1, 3), "syntax-table-open"),
            ("a\n", (1, 2), MISSING_EQUALS),
            ("a = \n", (1, 5), MISSING_QUOTES),
            ("a = 1 b = 2\n", (1, 9), "syntax-same-line"),
            ("a = 1\n[a.b]\n", (2, 2), "syntax-nested"),
            ("a = 2026-13-01\n", (1, 5), "syntax-date"),
            ("a = 012\n", (1, 5), BAD_NUMBER),
            ("a = = 1\n", (1, 5), "syntax-equals-extra"),
            ("a = 1__2\n", (1, 6), BAD_NUMBER),
        ] {
            let problem = toml(text).unwrap_err();
            assert_eq!(place_and_key(&problem), (place, words), "{problem}");
            assert!(!problem.to_string().contains("C:"), "{problem}");
        }
        assert!(toml("\u{FEFF}a = 1").is_ok(), "with the mark of UTF-8");
    }

    #[test]
    fn a_file_that_is_no_json_is_told_by_the_place_and_in_our_words() {
        for (text, place, words) in [
            ("{\"a\": 1,\n\"b\": x}", (2, 6), MISSING_QUOTES),
            ("{\"a\": [1, 2", (1, 11), TRUNCATED_FILE),
            ("{\"a\": \"x", (1, 8), TRUNCATED_FILE),
            ("{\"a\" 1}", (1, 6), "syntax-no-colon"),
            ("{\"a\": 1 \"b\": 2}", (1, 9), "syntax-comma-or-bracket"),
            ("{\"a\": [1 2]}", (1, 10), "syntax-comma-or-bracket"),
            ("{\"a\": 1,}", (1, 9), "syntax-comma-extra"),
            ("{a: 1}", (1, 2), "syntax-name-quotes"),
            ("{} x", (1, 4), "syntax-trailing"),
            ("{\"名名\": \"C:\\Users\"}", (1, 12), BAD_BACKSLASH),
            ("{\"a\": \"x\ny\"}", (2, 1), CONTROL_CHARACTER),
            ("{\"a\": 01}", (1, 8), BAD_NUMBER),
        ] {
            let problem = json(text).unwrap_err();
            assert_eq!(place_and_key(&problem), (place, words), "{problem}");
        }
        let deep = "[".repeat(200);
        assert_eq!(place_and_key(&json(&deep).unwrap_err()).1, NESTED_TOO_DEEP);
        assert!(json("\u{FEFF}{}").is_ok());
    }
}
