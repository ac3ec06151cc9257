//! A problem without sentences: a message name and its values. The message of that name in
//! `assets/i18n` contains the text in both languages, and the cure in the attribute `cure`.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::platform::NotOnThisSystem;
use crate::text::language::Language;

/// The name of problems that have no message, only a text of the system, a server or a library.
const TEXT_ONLY_NAME: &str = "words";

/// A problem, or other information for the user, identified by the name of its message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    id: &'static str,
    args: Arc<[(&'static str, Value)]>,
    cure: Option<Arc<Self>>,
}

/// A value that a message refers to by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A name, or another text that is the same in every language.
    Text(Arc<str>),
    /// A number, which may select the plural form.
    Number(i64),
    /// A problem inside this problem, formatted in the same language.
    Problem(Problem),
    /// Several problems, in order.
    Problems(Arc<[Problem]>),
    /// A list of names, with the separator of the language.
    List(Arc<[Arc<str>]>),
}

/// Creates a [`Problem`] from the name of its message, with the values that the message refers to:
/// `problem!("net-no-answer", seconds = "10")`.
#[macro_export]
macro_rules! problem {
    ($id:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::text::Problem::new(
            $id,
            [$((stringify!($name), $crate::text::Value::from($value))),*],
        )
    };
}

pub use crate::problem;

/// Implements `Display` and `Error` for an error type: its text is that of the problem. A star
/// precedes the name of a `Copy` type that becomes a problem by value. An error with another text
/// has it after an arrow.
#[macro_export]
macro_rules! problem_error {
    ($name:ident, $error:ident => $problem:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let $error = self;
                std::fmt::Display::fmt(&$problem, f)
            }
        }

        impl std::error::Error for $name {}
    };
    ($name:ident) => {
        $crate::text::problem::problem_error!($name, error => $crate::text::Problem::from(error));
    };
    (*$name:ident) => {
        $crate::text::problem::problem_error!($name, error => $crate::text::Problem::from(*error));
    };
}

pub use crate::problem_error;

impl Problem {
    /// Creates a problem from the name of its message. Use [`problem!`] instead, because a test
    /// compares the names and values in its calls with the Fluent files.
    pub fn new<const N: usize>(id: &'static str, args: [(&'static str, Value); N]) -> Self {
        Self { id, args: Arc::new(args), cure: None }
    }

    /// Creates a problem whose values are known only at run time.
    pub fn of(id: &'static str, args: Vec<(&'static str, Value)>) -> Self {
        Self { id, args: args.into(), cure: None }
    }

    /// Creates a problem from a text of the system, a server or a library. This text is the same in
    /// every language.
    pub fn words(words: impl Into<Arc<str>>) -> Self {
        Self::new(TEXT_ONLY_NAME, [("words", Value::Text(words.into()))])
    }

    /// Replaces the cure of the problem's message with another cure.
    #[must_use]
    pub fn with_cure(mut self, cure: Self) -> Self {
        self.cure = Some(Arc::new(cure));
        self
    }

    /// Returns the name of the problem's message.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Returns the values of the problem by name.
    pub fn args(&self) -> &[(&'static str, Value)] {
        &self.args
    }

    /// Returns the cure that replaces the cure of the message, if any.
    pub fn own_cure(&self) -> Option<&Self> {
        self.cure.as_deref()
    }

    /// Returns the text of a problem that consists only of a text.
    pub fn as_words(&self) -> Option<&str> {
        match &*self.args {
            [(_, Value::Text(words))] if self.id == TEXT_ONLY_NAME => Some(words),
            _ => None,
        }
    }

    /// Returns true if the problem has no text.
    pub fn is_empty(&self) -> bool {
        self.as_words() == Some("")
    }

    /// Returns the problems among the values.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        self.args.iter().flat_map(|(_, value)| match value {
            Value::Problem(problem) => std::slice::from_ref(problem),
            Value::Problems(problems) => problems,
            Value::Text(_) | Value::Number(_) | Value::List(_) => &[],
        })
    }

    /// Returns true if this problem, or a problem inside it, has this name.
    pub fn contains(&self, id: &str) -> bool {
        self.id() == id || self.inner().any(|it| it.contains(id))
    }

    /// Returns a copy of the problem in which `replaced` has replaced each text.
    #[must_use]
    pub fn map_texts(&self, replaced: &impl Fn(&str) -> Cow<'_, str>) -> Self {
        let text = |text: &Arc<str>| match replaced(text) {
            Cow::Borrowed(_) => Arc::clone(text),
            Cow::Owned(text) => text.into(),
        };
        let value = |value: &Value| match value {
            Value::Text(it) => Value::Text(text(it)),
            Value::List(names) => Value::List(names.iter().map(text).collect()),
            Value::Number(number) => Value::Number(*number),
            Value::Problem(problem) => Value::Problem(problem.map_texts(replaced)),
            Value::Problems(problems) => {
                Value::Problems(problems.iter().map(|it| it.map_texts(replaced)).collect())
            }
        };
        Self {
            id: self.id,
            args: self.args.iter().map(|(name, it)| (*name, value(it))).collect(),
            cure: self.cure.as_ref().map(|cure| Arc::new(cure.map_texts(replaced))),
        }
    }
}

impl Default for Problem {
    fn default() -> Self {
        Self::words("")
    }
}

/// Formats the problem in English, for logs and details. Windows and commands choose a
/// [`Language`].
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Language::English.say(self))
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut all = f.debug_struct(self.id);
        self.args.iter().for_each(|(name, value)| {
            all.field(name, value);
        });
        all.finish()
    }
}

impl std::error::Error for Problem {}

fn is_not_on_this_system(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NotOnThisSystem>())
}

/// Converts the reason why a file cannot be read. Common system errors get onair's own texts; other
/// errors keep the system's text.
impl From<&io::Error> for Problem {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => problem!("io-not-found"),
            io::ErrorKind::PermissionDenied => problem!("io-forbidden"),
            io::ErrorKind::IsADirectory => problem!("io-folder"),
            io::ErrorKind::Unsupported if is_not_on_this_system(error) => {
                problem!("io-not-on-this-system")
            }
            _ => Self::words(error.to_string()),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

/// Formats the problem in English, for answers that programs read.
impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        problem.to_string()
    }
}

impl From<String> for Problem {
    fn from(words: String) -> Self {
        Self::words(words)
    }
}

impl From<&String> for Problem {
    fn from(words: &String) -> Self {
        Self::words(words.as_str())
    }
}

impl From<&str> for Problem {
    fn from(words: &str) -> Self {
        Self::words(words)
    }
}

impl From<Problem> for Value {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<&Problem> for Value {
    fn from(problem: &Problem) -> Self {
        Self::Problem(problem.clone())
    }
}

impl From<Vec<Problem>> for Value {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Problems(problems.into())
    }
}

impl<T: AsRef<str>> From<&[T]> for Value {
    fn from(names: &[T]) -> Self {
        Self::List(names.iter().map(|name| name.as_ref().into()).collect())
    }
}

impl<T: AsRef<str>> From<&Vec<T>> for Value {
    fn from(names: &Vec<T>) -> Self {
        names.as_slice().into()
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.as_str().into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&&str> for Value {
    fn from(text: &&str) -> Self {
        Self::from(*text)
    }
}

impl From<Cow<'_, str>> for Value {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into())
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
            }
        }
    )*};
}
numbers!(u8, u16, u32, u64, usize, i32, i64);

/// Implements comparisons of a problem with an English text, for tests.
#[cfg(any(test, feature = "test-support"))]
macro_rules! compared {
    ($($words:ty),*) => {$(
        impl PartialEq<$words> for Problem {
            fn eq(&self, words: &$words) -> bool {
                self.to_string() == **words
            }
        }
    )*};
}
#[cfg(any(test, feature = "test-support"))]
compared!(&str, String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parts_of_a_system_are_reported_in_both_languages() {
        let problem = Problem::from(io::Error::from(NotOnThisSystem("cameras")));
        for language in [Language::English, Language::Chinese] {
            assert!(language.say(&problem).contains("onair"), "{language:?}");
            assert!(language.cure(&problem).unwrap().contains("Linux"), "{language:?}");
        }
        let other = Problem::from(io::Error::from(io::ErrorKind::Unsupported));
        assert_ne!(other, problem);
    }

    #[test]
    fn texts_are_replaced_however_deep_they_are() {
        let inner = Problem::words("a\u{7}");
        let problem = problem!("words", words = inner.clone()).with_cure(inner);
        let clean = problem.map_texts(&|text| text.replace('\u{7}', "�").into());
        assert_eq!(clean.inner().next().and_then(Problem::as_words), Some("a�"));
        assert_eq!(clean.own_cure().and_then(Problem::as_words), Some("a�"));
        assert_eq!(problem.map_texts(&|text| text.into()), problem);
    }
}
