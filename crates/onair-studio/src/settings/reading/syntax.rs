//! Parses files as TOML and JSON. A syntax error contains its position and onair's own text,
//! followed by the library's text. It never repeats the file's content, which can contain a key.

use serde_json::error::Category;
use toml::de::DeTable;
use toml::{Spanned, Table};

use crate::text::problem::{Problem, problem};

const BAD_BACKSLASH: &str = "syntax-backslash";
const MISSING_QUOTES: &str = "syntax-quotes";
const MISSING_VALUE: &str = "syntax-no-value";
const EXTRA_COMMA: &str = "syntax-comma-extra";
const EXTRA_EQUALS: &str = "syntax-equals-extra";
const CONTROL_CHARACTER: &str = "syntax-control";
const BAD_NUMBER: &str = "syntax-number";
const TRUNCATED_FILE: &str = "syntax-cut-off";
const NO_TOML: &str = "syntax-no-toml";
const NO_JSON: &str = "syntax-no-json";

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
    syntax_problem(text, at, cause(text, at).unwrap_or(NO_TOML), error.message())
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
        let cause = if cut_off { Some(TRUNCATED_FILE) } else { cause(text, at) };
        syntax_problem(text, at, cause.unwrap_or(NO_JSON), message)
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

/// Returns the name of onair's own message, if the text around the position alone shows the cause.
/// Otherwise, the library's words say it.
fn cause(text: &str, at: usize) -> Option<&'static str> {
    let (before, after) = text.split_at_checked(at)?;
    let Some(next) = after.chars().next() else { return Some(TRUNCATED_FILE) };
    // The libraries report a wrong escape at the character after the backslash or behind it.
    if before.chars().rev().take(2).any(|it| it == '\\') {
        return Some(BAD_BACKSLASH);
    }
    let line = before.rsplit('\n').next().unwrap_or_default().trim_matches([' ', '\t']);
    // The brackets of a table's name are alone in their line.
    let is_table_name = line.trim_start_matches('[').is_empty();
    let begins_value = line.ends_with(['=', ':', '[', ',']) && !is_table_name;
    match next {
        '\n' | '\r' if begins_value => Some(MISSING_VALUE),
        ',' if begins_value => Some(EXTRA_COMMA),
        '}' | ']' if before.trim_end().ends_with(',') => Some(EXTRA_COMMA),
        '=' if begins_value => Some(EXTRA_EQUALS),
        '0'..='9' | '+' | '-' | '.' if begins_value && is_wrong_number(after) => Some(BAD_NUMBER),
        '\n' | '\r' | '\t' => None,
        _ if next.is_control() => Some(CONTROL_CHARACTER),
        _ if begins_value && next.is_alphabetic() => Some(MISSING_QUOTES),
        _ => None,
    }
}

/// Returns true if the text begins with a number that is wrong in itself. A date is none, and behind a right number,
/// something else is wrong, such as a missing comma.
fn is_wrong_number(text: &str) -> bool {
    let number = text.split([' ', '\t', ',', ']', '}', '#', '\r', '\n']).next().unwrap_or_default();
    let digits = number.trim_start_matches(['+', '-']);
    let is_date = digits.contains([':', '-']);
    let has_extra_zero =
        digits.starts_with('0') && digits[1..].starts_with(|it: char| it.is_ascii_digit());
    let lacks_digits = digits.starts_with('.') || digits.ends_with('.');
    !is_date && (has_extra_zero || lacks_digits || number.parse::<f64>().is_err())
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
    fn an_error_in_toml_is_reported_with_its_place_and_a_cause_that_the_text_shows() {
        for (text, place, words) in [
            ("a = 1\na = 2\n", (2, 1), NO_TOML),
            ("[a]\nb = \"x\n", (2, 7), NO_TOML),
            ("b = 'x\nc = 1", (1, 7), NO_TOML),
            ("a = x\n", (1, 5), MISSING_QUOTES),
            ("a = C:\\x\n", (1, 5), MISSING_QUOTES),
            ("名 = 1\n", (1, 1), NO_TOML),
            ("b = \"名\\x\"\n", (1, 9), BAD_BACKSLASH),
            ("a = \"C:\\Users\\me\"", (1, 10), BAD_BACKSLASH),
            ("a = [1, 2\nb = 3\n", (2, 1), NO_TOML),
            ("a = [1 2]\n", (1, 6), NO_TOML),
            ("a = [1,, 2]\n", (1, 8), EXTRA_COMMA),
            ("a = { b = 1 c = 2 }\n", (1, 15), NO_TOML),
            ("a = { b = 1\n", (1, 12), NO_TOML),
            ("[a\nb = 1\n", (1, 3), NO_TOML),
            ("a\n", (1, 2), NO_TOML),
            ("a = \n", (1, 5), MISSING_VALUE),
            ("a = 1 b = 2\n", (1, 9), NO_TOML),
            ("a = 1\n[a.b]\n", (2, 2), NO_TOML),
            ("a = 2026-13-01\n", (1, 5), NO_TOML),
            ("a = 1.2.3\n", (1, 8), NO_TOML),
            ("a = .5\n", (1, 5), BAD_NUMBER),
            ("a = 012\n", (1, 5), BAD_NUMBER),
            ("a = = 1\n", (1, 5), EXTRA_EQUALS),
            ("a = 1__2\n", (1, 6), NO_TOML),
        ] {
            let problem = toml(text).unwrap_err();
            assert_eq!(place_and_key(&problem), (place, words), "{problem}");
            assert!(!problem.to_string().contains("C:"), "{problem}");
        }
        assert!(toml("\u{FEFF}a = 1").is_ok(), "with the mark of UTF-8");
    }

    #[test]
    fn an_error_in_json_is_reported_with_its_place_and_a_cause_that_the_text_shows() {
        for (text, place, words) in [
            ("{\"a\": 1,\n\"b\": x}", (2, 6), MISSING_QUOTES),
            ("{\"a\": [1, 2", (1, 11), TRUNCATED_FILE),
            ("{\"a\": \"x", (1, 8), TRUNCATED_FILE),
            ("{\"a\" 1}", (1, 6), NO_JSON),
            ("{\"a\": 1 \"b\": 2}", (1, 9), NO_JSON),
            ("{\"a\": [1 2]}", (1, 10), NO_JSON),
            ("{\"a\": 1,}", (1, 9), EXTRA_COMMA),
            ("{a: 1}", (1, 2), NO_JSON),
            ("{} x", (1, 4), NO_JSON),
            ("{\"名名\": \"C:\\Users\"}", (1, 12), BAD_BACKSLASH),
            ("{\"a\": \"x\ny\"}", (2, 1), NO_JSON),
            ("{\"a\": 01}", (1, 8), NO_JSON),
        ] {
            let problem = json(text).unwrap_err();
            assert_eq!(place_and_key(&problem), (place, words), "{problem}");
        }
        let deep = "[".repeat(200);
        assert_eq!(place_and_key(&json(&deep).unwrap_err()).1, NO_JSON);
        assert!(json("\u{FEFF}{}").is_ok());
    }
}
