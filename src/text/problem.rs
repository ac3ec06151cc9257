//! A problem without sentences: a name and its values. The message of that name in `assets/i18n` has its
//! text in both languages, and its cure in the attribute `cure`.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::sync::Arc;

use crate::text::language::Language;

/// The name of what has no message: words as they are, of the system, a server or a library.
const WORDS: &str = "words";

/// Something that went wrong, or that a person is told, by the name of its message.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    id: &'static str,
    args: Arc<[(&'static str, Value)]>,
    cure: Option<Arc<Self>>,
}

/// A value that a message names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// A name, or words as they are.
    Text(Arc<str>),
    /// A number, which may choose the plural.
    Number(i64),
    /// A problem inside the problem, in the same language.
    Problem(Problem),
    /// Several, one behind the other.
    Problems(Arc<[Problem]>),
    /// A list of names, with the separator of the language.
    List(Arc<[Arc<str>]>),
}

/// A [`Problem`] by the name of its message, with the values that the message names:
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

impl Problem {
    /// A problem by the name of its message. Use [`problem!`], whose names and values a test compares with
    /// the Fluent files.
    pub fn new<const N: usize>(id: &'static str, args: [(&'static str, Value); N]) -> Self {
        Self { id, args: Arc::new(args), cure: None }
    }

    /// A problem whose values are known only at run time.
    pub fn of(id: &'static str, args: Vec<(&'static str, Value)>) -> Self {
        Self { id, args: args.into(), cure: None }
    }

    /// Words of the system, a server or a library, which are the same in every language.
    pub fn words(words: impl Into<Arc<str>>) -> Self {
        Self::new(WORDS, [("words", Value::Text(words.into()))])
    }

    /// The same with another cure than that of its message.
    #[must_use]
    pub fn with_cure(mut self, cure: Self) -> Self {
        self.cure = Some(Arc::new(cure));
        self
    }

    /// The name of its message.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Values of the problem by name.
    pub fn args(&self) -> &[(&'static str, Value)] {
        &self.args
    }

    /// The cure that it was given in place of that of its message.
    pub fn own_cure(&self) -> Option<&Self> {
        self.cure.as_deref()
    }

    /// The text of a problem that consists only of text.
    pub fn as_words(&self) -> Option<&str> {
        match &*self.args {
            [(_, Value::Text(words))] if self.id == WORDS => Some(words),
            _ => None,
        }
    }

    /// True if the problem has no text.
    pub fn is_empty(&self) -> bool {
        self.as_words() == Some("")
    }

    /// The problems among its values.
    pub fn inner(&self) -> impl Iterator<Item = &Self> {
        self.args.iter().flat_map(|(_, value)| match value {
            Value::Problem(problem) => std::slice::from_ref(problem),
            Value::Problems(problems) => problems,
            Value::Text(_) | Value::Number(_) | Value::List(_) => &[],
        })
    }

    /// The same with each text in it replaced.
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

/// In English, for logs and details; windows and commands choose a [`Language`].
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

/// Why a file cannot be read, in words of ours where the system's answer is a usual one.
impl From<&io::Error> for Problem {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => problem!("io-not-found"),
            io::ErrorKind::PermissionDenied => problem!("io-forbidden"),
            io::ErrorKind::IsADirectory => problem!("io-folder"),
            _ => Self::words(error.to_string()),
        }
    }
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Self::from(&error)
    }
}

/// In English, for answers that programs read.
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

/// Tests compare what is said in English.
#[cfg(test)]
macro_rules! compared {
    ($($words:ty),*) => {$(
        impl PartialEq<$words> for Problem {
            fn eq(&self, words: &$words) -> bool {
                self.to_string() == **words
            }
        }
    )*};
}
#[cfg(test)]
compared!(&str, String);

#[cfg(test)]
mod tests {
    use super::*;

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
