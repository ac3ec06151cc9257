//! Reads commands on standard input, one per line (`--control`), and prints their results.

use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::cli::output::{Output, complain};
use crate::studio::Studio;
use crate::text::problem::problem;
use crate::text::{Language, Problem};

/// Maximum length of a line in bytes. A longer line is invalid.
const MAX_LINE_BYTES: u64 = 4 << 10;
/// The text that replaces a line that is too long. No command begins with this text.
const LONG_LINE_TEXT: &str = "(a line of more than 4 KiB)";
/// Maximum number of commands executed in a row.
pub(super) const MAX_COMMANDS_PER_TURN: usize = 16;
/// Maximum number of lines that wait to be executed.
const MAX_WAITING_LINES: usize = 64;
/// The time for which a line waits for the studio to finish earlier commands.
const SETTLE_TIMEOUT: Duration = Duration::from_millis(50);

/// A reader of standard input. The reader runs on a separate thread, which ends only with the
/// process, because a read cannot be canceled.
#[derive(Debug)]
pub struct Lines {
    lines: Receiver<String>,
    /// Lines that were read but not executed yet.
    waiting: VecDeque<ControlLine>,
    count: u64,
    _worker: Worker,
}

/// A line and its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlLine {
    /// The line number, counted from 1, including empty lines.
    pub number: u64,
    pub text: String,
}

impl Lines {
    /// Starts to read.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn listen() -> std::io::Result<Self> {
        let (tell, lines) = queue::bounded("control", MAX_WAITING_LINES, Full::Block);
        let worker = Worker::spawn("onair-control", move |stop| {
            let mut input = std::io::stdin().lock();
            loop {
                let Some(line) = next(&mut input).filter(|_| !stop.is_set()) else { return };
                if tell.send(line).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { lines, waiting: VecDeque::new(), count: 0, _worker: worker })
    }

    /// Returns the next line, if one is waiting.
    pub fn take(&mut self) -> Option<ControlLine> {
        self.waiting.pop_front().or_else(|| {
            let text = self.lines.try_recv().ok()?;
            self.count += 1;
            Some(ControlLine { number: self.count, text })
        })
    }

    /// Returns the next line after the studio has executed all earlier lines, because the meaning
    /// of a line can depend on earlier ones. A line that `at_once` accepts does not wait.
    pub fn take_for(
        &mut self,
        studio: &Studio,
        at_once: impl Fn(&str) -> bool,
    ) -> Option<ControlLine> {
        let line = self.take()?;
        if at_once(&line.text) || studio.settle(SETTLE_TIMEOUT) {
            return Some(line);
        }
        self.waiting.push_front(line);
        None
    }
}

/// Reads the next line, or returns `None` at the end of the input. A line that is too long is
/// invalid as a whole.
fn next(input: &mut impl BufRead) -> Option<String> {
    let (mut line, mut long) = (Vec::new(), false);
    loop {
        let read = input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line).ok()?;
        if line.ends_with(b"\n") || read < MAX_LINE_BYTES as usize {
            break;
        }
        long = true;
        line.clear();
    }
    if long {
        return Some(LONG_LINE_TEXT.to_owned());
    }
    (!line.is_empty()).then(|| String::from_utf8_lossy(&line).trim().to_owned())
}

/// Creates the problem for a word that is not a command. The problem repeats the word only if it
/// looks like a command, so that a key pasted by mistake is not printed.
pub(super) fn not_a_command(word: &str, syntax: &str) -> Problem {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    if word.len() <= 16 && word.bytes().all(is_word) {
        problem!("control-no-command", word = word, syntax = syntax)
    } else {
        problem!("control-no-command-here", syntax = syntax)
    }
}

impl ControlLine {
    /// Prints the result of a line. Without `--json`, only failures are printed.
    pub fn answer(&self, output: &Output, done: &Result<(), Problem>) {
        if let Err(why) = done {
            complain(why.clone());
        }
        output.event("control", self.result(done, output.language()), || None);
    }

    /// Returns the fields of the result.
    fn result(&self, done: &Result<(), Problem>, language: Language) -> Value {
        // An unknown command may be any text, including text that was entered by mistake.
        let command = self.text.split_whitespace().next().filter(|_| done.is_ok());
        json!({
            "line": self.number,
            "command": command,
            "ok": done.is_ok(),
            "reason": done.as_ref().err().map(|why| language.say(why)),
        })
    }
}

/// Splits off the first word of a line.
pub fn split(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_no_line_and_nothing_of_it_another() {
        let long = format!("say {} stop", "a".repeat(2 * MAX_LINE_BYTES as usize));
        let exact = "b".repeat(MAX_LINE_BYTES as usize - 1);
        let text = format!(" pause \n\n{long}\n{exact}\nstop");
        let mut input = text.as_bytes();
        let read: Vec<String> = std::iter::from_fn(|| next(&mut input)).collect();
        assert_eq!(read, ["pause", "", LONG_LINE_TEXT, &exact, "stop"]);
    }

    #[test]
    fn the_reason_is_in_the_language_of_the_output() {
        let line = ControlLine { number: 1, text: "paus".to_owned() };
        let why = not_a_command(&line.text, "pause");
        for language in Language::ALL {
            let result = line.result(&Err(why.clone()), language);
            assert_eq!(result["reason"], language.say(&why));
        }
    }

    #[test]
    fn what_was_pasted_by_mistake_is_not_repeated() {
        let words = ["paus", "go-liv", "live_4f9A77", "aaaaaaaaaaaaaaaaaaaaaaaa"];
        for (word, start) in words.into_iter().zip(["'paus'", "'go-liv'", "this is", "this is"]) {
            let message = not_a_command(word, "pause").to_string();
            assert!(message.starts_with(start) && message.ends_with("use pause"), "{message}");
        }
    }
}
