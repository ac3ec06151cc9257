//! The output of the commands. With `--json`, the output is one object per line on standard output,
//! and nothing else; otherwise, it consists of sentences. A closed reader (`| head`) does not end
//! the process. Any other write error (a full disk) counts as an unwritable output file, so the
//! command does not exit with code 0.

mod clients;
pub mod events;
pub mod exit;
pub mod flag_cures;
mod guests;
mod language;
mod line_writer;
pub mod progress;
pub mod redact;
pub mod standard_error;
pub mod stats;

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::error::{ContextKind, ContextValue};
use serde_json::{Map, Value, json};

use crate::base::Clock;
use crate::base::sanitize::{sanitized, sanitized_json};
use crate::cli::output::exit::Exit;
use crate::cli::output::line_writer::{LineWriter, READER_TIMEOUT};
use crate::cli::output::redact::{hidden, hidden_json, without_keys};
use crate::files::Trouble;
use crate::text::problem::problem;
use crate::text::{Language, Problem};

pub use language::speak;
pub use standard_error::complain;

/// True if something could not be written to standard output.
static WRITE_FAILED: AtomicBool = AtomicBool::new(false);

/// The output of events. Threads share the output by reference, and their lines are never mixed.
#[derive(Debug)]
pub struct Output {
    clock: Clock,
    json: bool,
    /// The thread that writes the lines, if the command must not wait for its reader.
    writer: OnceLock<LineWriter>,
}

impl Output {
    /// Creates the output of a command that started with `clock`.
    pub fn new(clock: Clock, json: bool) -> Self {
        Self { clock, json, writer: OnceLock::new() }
    }

    /// Writes later lines, also those of standard error, on separate threads. Otherwise, a broadcast,
    /// a server or a player would wait for a reader that stops reading, even at its end.
    pub fn write_beside(&self) {
        let report = |dropped: u64| tracing::warn!(dropped, "standard output was read too slowly");
        match LineWriter::start("output", write_line, report, READER_TIMEOUT) {
            Ok(writer) => drop(self.writer.set(writer)),
            Err(error) => tracing::warn!(%error, "the output waits for its reader"),
        }
        standard_error::write_beside();
    }

    /// Waits until all lines are written, as long as the reader reads.
    pub fn flush(&self) {
        if let Some(writer) = self.writer.get() {
            writer.flush();
        }
    }

    /// Returns true if JSON was requested.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Returns the language of the output: the chosen language, or else English with `--json`, or
    /// else the language of the system.
    pub fn language(&self) -> Language {
        let unasked = if self.json { Language::English } else { Language::of_system() };
        language::chosen().unwrap_or(unasked)
    }

    /// Returns the text of a problem in the language of the output.
    pub fn say(&self, text: &Problem) -> String {
        self.language().say(text)
    }

    /// Prints one event: with `--json` a line `{"t":…,"event":NAME,…fields}`, otherwise the
    /// sentence of `words`, if any.
    pub fn event(&self, name: &str, fields: Value, words: impl FnOnce() -> Option<String>) {
        if self.json {
            let mut object = Map::new();
            let seconds = (self.clock.now().as_secs_f64() * 1_000.0).round() / 1_000.0;
            object.insert("t".into(), seconds.into());
            object.insert("event".into(), name.into());
            if let Value::Object(fields) = fields {
                object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
            }
            // The last line contains the code that the shell gets.
            if let Some(exit) = object.get_mut("exit").filter(|exit| **exit == Exit::Ok.code()) {
                self.flush();
                *exit = settle(Exit::Ok).code().into();
            }
            self.write(name, &sanitized_json(&hidden_json(Value::Object(object)).to_string()));
        } else if let Some(words) = words() {
            self.write(name, &sanitized(&hidden(&words)));
        }
    }

    /// Prints the reason why a command does not start: on standard error, and with `--json` also in
    /// the last line. Returns the exit code.
    pub fn refuse(&self, why: &Problem, exit: Exit) -> Exit {
        complain(why.clone());
        let error = self.language().say_with_cure(why);
        self.event("summary", json!({"error": error, "exit": exit.code()}), || None);
        exit
    }

    /// Prints the reason why a command such as `probe` has no answer: on standard error, and with
    /// `--json` also in place of the answer, with these `more` fields. Returns the exit code.
    pub fn refuse_answer(&self, why: &Problem, exit: Exit, more: Value) -> Exit {
        complain(why.clone());
        if self.json {
            self.object(self.refusal(why, exit, more));
        }
        exit
    }

    /// Returns the object in place of an answer.
    fn refusal(&self, why: &Problem, exit: Exit, more: Value) -> Value {
        let mut fields = json!({"error": self.language().say_with_cure(why), "exit": exit.code()});
        if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
            fields.extend(more);
        }
        fields
    }

    /// Prints an object without a time or an event name; for example, the report of `probe`. With
    /// `--json`, the object is on one line for programs, otherwise on several lines for users.
    pub fn object(&self, object: Value) {
        let object = hidden_json(object);
        let text =
            if self.json { Ok(object.to_string()) } else { serde_json::to_string_pretty(&object) };
        self.write("", &sanitized_json(&text.unwrap_or_default()));
    }

    /// Prints a line of text unchanged, without a time or an event name. Only secrets are hidden.
    pub fn line(&self, text: &str) {
        self.write("", &sanitized_json(&hidden(text)));
    }

    /// Writes a line of the event `name`, or of a result without a name.
    fn write(&self, name: &str, text: &str) {
        let line = format!("{text}\n");
        match self.writer.get() {
            Some(writer) => writer.push(line, matches!(name, "stats" | "play_stats")),
            None => write_line(&line),
        }
    }
}

/// Writes bytes to standard output (completions, manual page).
pub fn raw(bytes: &[u8]) -> Exit {
    note(to_stdout(bytes));
    settle(Exit::Ok)
}

/// The flags that also accept other values than those that shells suggest.
const OPEN_FLAGS: [&str; 4] = ["--audio", "--lang", "--service", "--video"];

/// Removes the list of possible values from an error about a flag that also accepts other values.
pub(in crate::cli) fn without_suggestions(mut error: clap::Error) -> clap::Error {
    let is_open = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(arg)) => {
            arg.split(' ').next().is_some_and(|name| OPEN_FLAGS.contains(&name))
        }
        _ => false,
    };
    if is_open {
        error.remove(ContextKind::ValidValue);
    }
    error
}

/// Prints the output of clap: `--help`, `--version`, or an error.
pub fn answer(answer: clap::Error) -> Exit {
    let answer = without_suggestions(answer);
    if answer.use_stderr() {
        // The error repeats the arguments, which may contain a password or a stream key.
        let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
        if let Some(problem) = invalid_value(&answer) {
            complain(without_keys(&language::language().say_with_cure(&problem), words));
            return Exit::Usage;
        }
        let text = without_keys(&answer.render().to_string(), words);
        let _ = write!(io::stderr().lock(), "{}", sanitized(&hidden(&text)));
        return Exit::Usage;
    }
    note(answer.print().and_then(|()| io::stdout().lock().flush()));
    settle(Exit::Ok)
}

/// Returns the problem of an invalid value, or `None` if only clap has a text for the error.
fn invalid_value(answer: &clap::Error) -> Option<Problem> {
    let mut sources = std::iter::successors(answer.source(), |&source| source.source());
    let reason = sources.find_map(|source| source.downcast_ref::<Problem>())?;
    let text = |kind| match answer.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let (name, value) = (text(ContextKind::InvalidArg), text(ContextKind::InvalidValue));
    let flag = match name.split(' ').next() {
        Some(flag) if flag.starts_with('-') => format!("{flag} {value}"),
        _ => value.to_owned(),
    };
    Some(problem!("cli-flag", flag = flag.trim_end(), reason = reason))
}

/// Returns the final exit code. A result that could not be written counts as a failure.
pub fn settle(exit: Exit) -> Exit {
    if exit == Exit::Ok && WRITE_FAILED.load(Ordering::Relaxed) { Exit::File } else { exit }
}

/// Writes a line, which lines of other threads do not divide.
fn write_line(line: &str) {
    note(to_stdout(line.as_bytes()));
}

fn to_stdout(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush())
}

/// Records a write error, and reports it once.
fn note(written: io::Result<()>) {
    let Err(error) = written else { return };
    // A closed pipe is the reader's choice.
    if error.kind() != io::ErrorKind::BrokenPipe && !WRITE_FAILED.swap(true, Ordering::Relaxed) {
        complain(problem!("cli-stdout", reason = Trouble::problem(&error)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_in_place_of_an_answer_contains_the_fields_of_the_command() {
        let output = Output::new(Clock::start(), true);
        let refusal = output.refusal(&problem!("io-not-found"), Exit::File, json!({"ok": false}));
        assert_eq!((&refusal["ok"], &refusal["exit"]), (&json!(false), &json!(3)));
        assert!(refusal["error"].is_string());
        let refusal = output.refusal(&problem!("io-not-found"), Exit::File, Value::Null);
        assert!(refusal.get("ok").is_none());
    }
}
