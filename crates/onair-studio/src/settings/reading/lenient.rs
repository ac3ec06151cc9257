//! Reads TOML files that users can edit, into a type with serde. For a bad value, the reader
//! records the position and reason, removes the value from the document, and reads again, so that
//! only that value gets its default. The fields of the type define the keys and their values.

use serde::de::{DeserializeOwned, Deserializer};
use serde_path_to_error::{Path, Segment, Track};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use crate::studio::settings::reading::parts::{counted, quoted, reason};
use crate::studio::settings::reading::{syntax, values};
use crate::text::problem::{Problem, problem, problem_error};

/// Maximum number of bytes that are read in total, because each bad value requires reading the
/// document again. After that, a bad value removes its whole list entry, later its whole list, and
/// finally everything with its top-level name.
const MAX_READ_BYTES: usize = 32 << 20;

/// Number of bad values that are recorded individually even in a long document.
const MIN_RECORDED_VALUES: usize = 16;

/// The path to a value, from the root of the document.
type Steps = Vec<Step>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

/// A bad value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadValue {
    /// The path, such as `quality.size` or `targets.name`.
    pub path: String,
    /// The line and column from 1; `None` without a position.
    pub place: Option<(usize, usize)>,
    /// The reason. It never contains the value, unless the value is a valid name.
    pub reason: Problem,
    /// True for an unknown name rather than a bad value.
    pub unknown: bool,
}

impl From<&BadValue> for Problem {
    fn from(BadValue { path, place, reason, .. }: &BadValue) -> Self {
        match place {
            Some((line, column)) => problem!(
                "settings-ignored-at",
                path = path,
                line = *line,
                column = *column,
                reason = reason
            ),
            None => problem!("settings-ignored", path = path, reason = reason),
        }
    }
}

problem_error!(BadValue);

/// A document, and its bad values so far.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    /// The bad values, each with its position in the text, for sorting.
    bad: Vec<(usize, BadValue)>,
    /// Keys without which a list entry is meaningless.
    essential: &'static [&'static str],
    /// Maximum number of individually recorded bad values.
    rounds: usize,
}

impl<'a> Document<'a> {
    /// # Errors
    /// Fails with the reason if the text is not TOML.
    pub fn parse(text: &'a str) -> Result<Self, Problem> {
        let root = syntax::spanned(text)?;
        let rounds = MIN_RECORDED_VALUES.max(MAX_READ_BYTES / text.len().max(1));
        Ok(Self { text, root, bad: Vec::new(), essential: &[], rounds })
    }

    /// Returns true if the root table contains this name.
    pub fn has(&self, name: &str) -> bool {
        self.root.get_ref().contains_key(name)
    }

    /// Sets the essential keys of list entries. An entry is dropped if one of them is bad.
    pub fn essential(mut self, names: &'static [&'static str]) -> Self {
        self.essential = names;
        self
    }

    /// Reads the document. Bad values count as missing.
    pub fn read<T: DeserializeOwned + Default>(&mut self) -> T {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let mut track = Track::new();
            let document = toml::Deserializer::from(self.root.clone());
            match erased::<T, _>(document, &mut track) {
                Ok(read) => return read,
                Err(message) => {
                    let path = track.path();
                    let mut steps = steps(&path);
                    let refused = values::refused(&message);
                    let length = self.noted_length(&steps, rounds);
                    let message = match steps.len() > length {
                        true => Err(problem!("value-too-many-bad")),
                        false => refused.map_or(Ok(message.as_str()), Err),
                    };
                    steps.truncate(length);
                    if !self.leave_out(steps, message) {
                        return T::default();
                    }
                }
            }
        }
    }

    /// Returns the length of the path that is removed for a bad value in this round.
    fn noted_length(&self, steps: &[Step], round: usize) -> usize {
        let entry = steps.iter().rposition(|step| matches!(step, Step::Index(_)));
        match (round.saturating_sub(1) / self.rounds, entry) {
            (0, _) => steps.len(),
            (1, Some(entry)) => entry + 1,
            (2, Some(entry)) => entry,
            _ => 1,
        }
    }

    /// Returns true if there are bad values so far.
    pub fn has_bad(&self) -> bool {
        !self.bad.is_empty()
    }

    /// Records another bad value. `path` has the form `name`, `table.name` or `list.0.name`.
    pub fn note(&mut self, path: &str, why: &Problem) {
        let step = |part: &str| match part.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key(part.to_owned()),
        };
        let steps: Steps = path.split('.').map(step).collect();
        let at = (1..=steps.len())
            .rev()
            .find_map(|length| find(self.root.get_ref(), steps.get(..length)?));
        let bad = self.bad_value(&steps, at, reason(why));
        self.bad.push((at.unwrap_or(0), bad));
    }

    /// Records names instead of positions, because no user wrote the text.
    pub fn without_places(mut self) -> Self {
        self.text = "";
        self
    }

    /// Reports the first bad values one by one, and the number of further ones. `what` names the
    /// location to users.
    pub fn tell(self, what: Problem, bad: &mut dyn FnMut(Problem)) {
        counted(what, bad, |tell| self.finish().iter().for_each(|bad| tell(bad.into())));
    }

    /// Returns the bad values in text order.
    pub fn finish(mut self) -> Vec<BadValue> {
        self.bad.sort_by_key(|(at, _)| *at);
        self.bad.into_iter().map(|(_, bad)| bad).collect()
    }

    /// Removes the value at this path, according to serde's message or a refusal. Returns false if
    /// the value does not exist.
    fn leave_out(&mut self, mut steps: Steps, message: Result<&str, Problem>) -> bool {
        if let Ok(message) = message
            && message.starts_with("unknown field")
            && !steps.is_empty()
        {
            steps.pop();
            return self.leave_unknown_out(&steps, message);
        }
        let why = match message {
            Ok(message) => why(message),
            Err(refused) => reason(&refused),
        };
        if let [.., Step::Index(_), Step::Key(name)] = &steps[..]
            && self.essential.contains(&name.as_str())
        {
            // The value is reported, and the entry is removed.
            let at = find(self.root.get_ref(), &steps);
            let bad = self.bad_value(&steps, at, why);
            self.bad.push((at.unwrap_or(0), bad));
            steps.pop();
            return remove(self.root.get_mut(), &steps);
        }
        while !steps.is_empty() {
            if let Some(at) = find(self.root.get_ref(), &steps) {
                let bad = self.bad_value(&steps, Some(at), why);
                self.bad.push((at, bad));
                return remove(self.root.get_mut(), &steps);
            }
            steps.pop();
        }
        false
    }

    /// Removes names that the message does not list, in this table and all similar ones (the other
    /// entries of its lists).
    fn leave_unknown_out(&mut self, steps: &[Step], message: &str) -> bool {
        let (_, expected) = message.split_once(", expected").unwrap_or_default();
        let known: Vec<&str> = words(expected).collect();
        let before = self.bad.len();
        for mut steps in self.alike(steps) {
            let Some(table) = table_at(self.root.get_mut(), &steps) else { continue };
            let names = table.keys().map(|key| (key.span().start, key.get_ref().to_string()));
            let unknown: Vec<_> =
                names.filter(|(_, name)| !known.contains(&name.as_str())).collect();
            for (at, name) in unknown {
                let why = match nearest(&name, &known) {
                    Some(other) => problem!("value-unknown-name-like", other = other),
                    None => problem!("value-unknown-name"),
                };
                steps.push(Step::Key(name.clone()));
                let bad = BadValue { unknown: true, ..self.bad_value(&steps, Some(at), why) };
                self.bad.push((at, bad));
                steps.pop();
                if let Some(table) = table_at(self.root.get_mut(), &steps) {
                    table.remove(name.as_str());
                }
            }
        }
        self.bad.len() > before
    }

    /// Returns the paths that differ from this one only in list indexes.
    fn alike(&self, steps: &[Step]) -> Vec<Steps> {
        let mut ways = vec![Steps::new()];
        for step in steps {
            ways = ways.iter().flat_map(|way| self.further(way, step)).collect();
        }
        ways
    }

    fn further(&self, way: &[Step], step: &Step) -> Vec<Steps> {
        let next = |step| way.iter().cloned().chain([step]).collect();
        match (step, value_in(self.root.get_ref(), way)) {
            (Step::Index(_), Some(DeValue::Array(list))) => {
                (0..list.len()).map(|at| next(Step::Index(at))).collect()
            }
            (step, _) => vec![next(step.clone())],
        }
    }

    fn bad_value(&self, steps: &[Step], at: Option<usize>, reason: Problem) -> BadValue {
        let place = at.filter(|_| !self.text.is_empty()).map(|at| syntax::place(self.text, at));
        BadValue { path: self.shown(steps), place, reason, unknown: false }
    }

    /// Formats a path. A list entry is identified by its line, because its index changes after a
    /// removal, or by its name if there are no line numbers.
    fn shown(&self, steps: &[Step]) -> String {
        let mut shown = Vec::new();
        for (number, step) in steps.iter().enumerate() {
            match step {
                Step::Key(name) => shown.push(quoted(name)),
                Step::Index(_) if self.text.is_empty() => {
                    let entry = value_in(self.root.get_ref(), steps.get(..=number).unwrap_or(&[]));
                    let name = entry.and_then(|it| it.get("name")?.get_ref().as_str());
                    shown.extend(name.map(quoted));
                }
                Step::Index(_) => {}
            }
        }
        shown.join(".")
    }
}

/// Reads a table completely, or not at all.
///
/// # Errors
/// Fails with the first bad value.
pub fn strictly<T: DeserializeOwned>(table: toml::Table) -> Result<T, Problem> {
    let mut track = Track::new();
    let value = toml::Value::Table(table);
    erased(value, &mut track).map_err(|message| {
        let reason = values::refused(&message).unwrap_or_else(|| why(&message));
        problem!("value-in", path = track.path().to_string(), reason = reason)
    })
}

/// Reads a value, and records the path to a bad one. The deserializer's type is erased: otherwise,
/// the code for each settings table would be in the binary once for each of `toml`'s deserializers.
///
/// # Errors
/// Fails with the reason, without the position that `toml` adds.
fn erased<'de, T, D>(from: D, track: &mut Track) -> Result<T, String>
where
    T: DeserializeOwned,
    D: Deserializer<'de>,
{
    let tracked = serde_path_to_error::Deserializer::new(from, track);
    let mut erased = <dyn erased_serde::Deserializer<'_>>::erase(tracked);
    erased_serde::deserialize(&mut erased).map_err(|error| {
        let text = error.to_string();
        // A bad name, which comes before the expected ones, can itself contain line breaks.
        let from = text.find(", expected").unwrap_or_default();
        let (before, after) = text.split_at(from);
        [before, after.split('\n').next().unwrap_or_default()].concat()
    })
}

/// Returns the most similar known name, if the difference may be a typing error.
pub fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let nearest = known.iter().map(|it| (distance(name, it), *it)).min();
    nearest.filter(|(slips, it)| *slips <= 2 && *slips * 2 < it.len()).map(|(_, it)| it)
}

fn steps(path: &Path) -> Steps {
    let mut steps = Vec::new();
    for segment in path.iter() {
        match segment {
            Segment::Map { key } => steps.push(Step::Key(key.clone())),
            Segment::Seq { index } => steps.push(Step::Index(*index)),
            Segment::Enum { .. } | Segment::Unknown => break,
        }
    }
    steps
}

/// Returns the position of a value in the text.
fn find(root: &DeTable<'_>, steps: &[Step]) -> Option<usize> {
    spanned(root, steps).map(|value| value.span().start)
}

fn value_in<'t, 'a>(root: &'t DeTable<'a>, steps: &[Step]) -> Option<&'t DeValue<'a>> {
    spanned(root, steps).map(Spanned::get_ref)
}

fn spanned<'t, 'a>(root: &'t DeTable<'a>, steps: &[Step]) -> Option<&'t Spanned<DeValue<'a>>> {
    let (first, rest) = steps.split_first()?;
    let Step::Key(name) = first else { return None };
    let mut spanned = root.get(name.as_str())?;
    for step in rest {
        spanned = match step {
            Step::Key(name) => spanned.get_ref().get(name.as_str())?,
            Step::Index(index) => spanned.get_ref().get(*index)?,
        };
    }
    Some(spanned)
}

fn value_at<'t, 'a>(root: &'t mut DeTable<'a>, steps: &[Step]) -> Option<&'t mut DeValue<'a>> {
    let (first, rest) = steps.split_first()?;
    let Step::Key(name) = first else { return None };
    let mut value = root.get_mut(name.as_str())?.get_mut();
    for step in rest {
        value = match (step, value) {
            (Step::Key(name), DeValue::Table(table)) => table.get_mut(name.as_str())?.get_mut(),
            (Step::Index(index), DeValue::Array(list)) => list.get_mut(*index)?.get_mut(),
            _ => return None,
        };
    }
    Some(value)
}

fn table_at<'t, 'a>(root: &'t mut DeTable<'a>, steps: &[Step]) -> Option<&'t mut DeTable<'a>> {
    if steps.is_empty() {
        return Some(root);
    }
    match value_at(root, steps)? {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

fn remove(root: &mut DeTable<'_>, steps: &[Step]) -> bool {
    let Some((last, of)) = steps.split_last() else { return false };
    match last {
        Step::Key(name) => {
            table_at(root, of).is_some_and(|table| table.remove(name.as_str()).is_some())
        }
        Step::Index(index) => match value_at(root, of) {
            Some(DeValue::Array(list)) if *index < list.len() => {
                let entries = std::mem::replace(list, DeArray::new()).into_iter().enumerate();
                for (_, entry) in entries.filter(|(at, _)| at != index) {
                    list.push(entry);
                }
                true
            }
            _ => false,
        },
    }
}

/// Returns the parts of a text that are in backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Replaces serde's message with onair's own text, because the message could repeat a value that
/// contains a key.
fn why(message: &str) -> Problem {
    const SERDE_MESSAGE_PREFIXES: [&str; 4] =
        ["invalid type", "invalid value", "invalid length", "unknown variant"];
    if !SERDE_MESSAGE_PREFIXES.iter().any(|it| message.starts_with(it)) {
        return reason(&message.into());
    }
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let is_number = matches!(expected, "usize" | "isize")
        || expected.starts_with(['u', 'i']) && expected.ends_with(|it: char| it.is_ascii_digit());
    match expected {
        _ if message.starts_with("unknown variant") => {
            let known: Vec<&str> = words(expected).collect();
            problem!("value-none-of", known = &known)
        }
        "a boolean" => problem!("value-no-flag"),
        "a sequence" => problem!("value-no-list"),
        "f32" | "f64" => problem!("value-no-number"),
        "a map" => problem!("value-no-table"),
        _ if expected.starts_with("struct") => problem!("value-no-table"),
        _ if is_number => problem!("value-no-whole-number"),
        _ => problem!("value-no-text"),
    }
}

/// Returns the edit distance of two words: the number of letters to insert, delete, change or swap.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (y, a) in one.iter().enumerate() {
        let mut next = vec![y + 1];
        for (x, b) in other.iter().enumerate() {
            let of = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let changed = of(&row, x) + usize::from(a != b);
            let mut least = changed.min(of(&row, x + 1) + 1).min(of(&next, x) + 1);
            let exchanged =
                x > 0 && y > 0 && Some(b) == one.get(y - 1) && Some(a) == other.get(x - 1);
            if exchanged {
                least = least.min(of(&before, x - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::studio::settings::reading::values;

    #[test]
    fn slips_are_counted() {
        for (one, other, slips) in [
            ("width", "width", 0),
            ("widht", "width", 1),
            ("colour", "color", 1),
            ("heigth", "height", 1),
            ("hiden", "hidden", 1),
            ("transtion", "transition", 1),
            ("x", "y", 1),
            ("", "ab", 2),
            ("bitrate", "video_bitrate", usize::MAX),
        ] {
            assert_eq!(distance(one, other), slips, "{one} {other}");
        }
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sheet {
        title: String,
        flag: bool,
        #[serde(deserialize_with = "small")]
        count: u8,
        rows: Vec<Row>,
        words: Vec<String>,
        by_name: BTreeMap<String, BTreeMap<String, i64>>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Row {
        url: String,
        width: f32,
        kind: Kind,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Kind {
        #[default]
        Plain,
        Fancy,
    }

    fn small<'de, D: serde::Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
        values::bounded(from, 1..=9, "")
    }

    fn read(text: &str) -> (Sheet, Vec<BadValue>) {
        let mut document = Document::parse(text).unwrap().essential(&["url"]);
        let sheet = document.read::<Sheet>();
        (sheet, document.finish())
    }

    #[test]
    fn only_a_bad_value_falls_back_and_it_is_reported_with_its_position_and_reason() {
        let text = "title = 7\ncount = 12\nflag = 'Pl4nted'\nwords = ['a', 2, 'b']\n\
            [[rows]]\nurl = 'one'\nwidth = 'Pl4nted'\nkind = 'Pl4nted'\nheigth = 1\n\
            [[rows]]\nurl = 5\nwidth = 2\n\
            [[rows]]\nurl = 'three'\nwidth = 3\n  widht = 4\n\
            [by_name]\nx = { good = 1, bad = 'Pl4nted' }\n";
        let (sheet, bad) = read(text);
        let row = |url: &str, width| Row { url: url.into(), width, kind: Kind::Plain };
        assert_eq!(sheet.rows, [row("one", 0.0), row("three", 3.0)]);
        assert_eq!(sheet.words, ["a", "b"]);
        assert_eq!(sheet.by_name["x"], BTreeMap::from([("good".to_owned(), 1)]));
        let found: Vec<_> = bad
            .iter()
            .map(|it| (it.path.as_str(), it.place.unwrap(), it.reason.to_string()))
            .collect();
        let wanted = [
            ("title", (1, 9), "it must be text"),
            ("count", (2, 9), "it must be a whole number from 1 to 9"),
            ("flag", (3, 8), "it must be true or false"),
            ("words", (4, 15), "it must be text"),
            ("rows.width", (7, 9), "it must be a number"),
            ("rows.kind", (8, 8), "it must be one of plain, fancy"),
            ("rows.heigth", (9, 1), "onair has no such setting"),
            ("rows.url", (11, 7), "it must be text"),
            ("rows.widht", (16, 3), "onair has no such setting; did you mean 'width'?"),
            ("by_name.x.bad", (18, 23), "it must be a whole number"),
        ]
        .map(|(path, place, why)| (path, place, why.to_owned()));
        assert_eq!(found, wanted);
        let unknown = bad.iter().filter(|it| it.unknown).map(|it| it.path.as_str());
        assert_eq!(unknown.collect::<Vec<_>>(), ["rows.heigth", "rows.widht"]);
        assert!(!format!("{bad:?}").contains("Pl4nted"), "{bad:#?}");
    }

    #[test]
    fn a_name_with_a_line_break_is_left_out_alone() {
        let (sheet, bad) = read("\"a\\nb\" = 1\ncount = 5");
        assert_eq!(sheet.count, 5);
        assert_eq!(bad.iter().filter(|it| it.unknown).count(), bad.len());
        assert_eq!(bad.len(), 1, "{bad:?}");
    }

    #[test]
    fn a_hostile_document_is_read_to_the_end() {
        let rows = "[[rows]]\nurl = 'x'\nwidth = 'y'\n".repeat(5_000);
        let (sheet, bad) = read(&format!("count = 5\n{rows}"));
        assert_eq!((sheet.count, sheet.rows.len()), (5, 0));
        let rounds = MAX_READ_BYTES / (rows.len() + "count = 5\n".len());
        assert_eq!(bad.len(), 2 * rounds + 1, "values, entries, and the rest of them");
        assert!(bad.iter().any(|it| it.path == "rows" && it.reason.id() == "value-too-many-bad"));
        // Unknown names need little time, regardless of how many there are.
        let rows = "[[rows]]\nurl = 'x'\nheigth = 1\n".repeat(1_000);
        let (sheet, bad) = read(&rows);
        assert_eq!((sheet.rows.len(), bad.len()), (1_000, 1_000));
        // In a small document, every bad value is recorded.
        let words = format!("words = [{}]\ncount = 5\n", "7, ".repeat(500));
        let (sheet, bad) = read(&words);
        assert_eq!((sheet.count, bad.len()), (5, 500));
        let unknown: String = (0..5_000).map(|number| format!("k{number} = 1\n")).collect();
        let (sheet, bad) = read(&format!("count = 5\n{unknown}"));
        assert_eq!((sheet.count, bad.len()), (5, 5_000));
    }
}
