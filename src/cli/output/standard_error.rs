//! Standard error: the lines of the log, and the reasons why a command fails.

use std::io::{self, Write};
use std::sync::OnceLock;

use tracing::Level;

use crate::base::sanitize::sanitized;
use crate::cli::output::language::language;
use crate::cli::output::line_writer::{LineWriter, READER_TIMEOUT};
use crate::cli::output::redact::hidden;
use crate::cli::process::json_log::JsonLine;
use crate::platform::console;
use crate::text::Problem;

/// The thread that writes the lines, if the command must not wait for their reader.
static WRITER: OnceLock<LineWriter> = OnceLock::new();

/// The format of the lines, if they are JSON.
static JSON_FORMAT: OnceLock<JsonLine> = OnceLock::new();

/// Prints reasons as JSON, like the lines of the log. Only the first call has an effect.
pub(in crate::cli) fn use_json(format: JsonLine) {
    let _ = JSON_FORMAT.set(format);
}

/// Writes later lines on a separate thread, so that nothing waits for a reader that stops reading.
pub(in crate::cli) fn write_beside() {
    // The log would drop even more lines to report this.
    let report = |dropped: u64| {
        let text = format!("standard error was read too slowly; dropped lines: {dropped}");
        write_line(&message(Level::WARN, &text));
    };
    match LineWriter::start("log", write_line, report, READER_TIMEOUT) {
        Ok(writer) => drop(WRITER.set(writer)),
        Err(error) => tracing::warn!(%error, "the log waits for its reader"),
    }
}

/// Waits until all lines are written, as long as the reader reads.
pub fn flush() {
    if let Some(writer) = WRITER.get() {
        writer.flush();
    }
}

/// Prints the reason why a command does not start, and the cure, in the chosen language.
pub fn complain(why: impl Into<Problem>) {
    let text = language().say_with_cure(&why.into());
    push(message(Level::ERROR, &text));
    console::show_error(&hidden(&text));
}

/// Prints a sentence that is neither a result nor an error.
pub fn announce(what: &Problem) {
    push(message(Level::INFO, &language().say(what)));
}

/// Returns the line of a message that is not an event of the log.
fn message(level: Level, text: &str) -> String {
    let text = hidden(text);
    match JSON_FORMAT.get() {
        Some(format) => format.message(level, &text),
        None => format!("onair: {}\n", sanitized(&text)),
    }
}

fn push(line: String) {
    match WRITER.get() {
        Some(writer) => writer.push(line, false),
        None => write_line(&line),
    }
}

/// Writes a line, which lines of other threads do not divide. A failure cannot be reported.
fn write_line(line: &str) {
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// Takes the lines of the log.
#[derive(Copy, Clone, Debug)]
pub struct StandardError;

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        push(String::from_utf8_lossy(line).into_owned());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
