//! What the commands print. With `--json`, one object a line on standard output and nothing else
//! there; without, plain sentences. A reader that goes away (`| head`) ends nothing.

use std::io::Write;

use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::base::Clock;
use crate::cli::Exit;

/// Writes events. Shared by reference; lines never mix.
#[derive(Debug)]
pub struct Output {
    clock: Clock,
    json: bool,
    line: Mutex<()>,
}

impl Output {
    /// Output of a command that started with `clock`.
    pub fn new(clock: Clock, json: bool) -> Self {
        Self { clock, json, line: Mutex::new(()) }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// One event: with `--json` a line `{"t":…,"event":NAME,…fields}`, else the sentence that
    /// `words` gives, if any.
    pub fn event(&self, name: &str, fields: Value, words: impl FnOnce() -> Option<String>) {
        if self.json {
            let mut object = Map::new();
            let seconds = (self.clock.now().as_secs_f64() * 1_000.0).round() / 1_000.0;
            object.insert("t".into(), seconds.into());
            object.insert("event".into(), name.into());
            if let Value::Object(fields) = fields {
                object.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
            }
            self.write(&Value::Object(object).to_string());
        } else if let Some(words) = words() {
            self.write(&words);
        }
    }

    /// A line as it is (a result that is JSON whether asked for or not, such as `probe`).
    pub fn line(&self, text: &str) {
        self.write(text);
    }

    fn write(&self, text: &str) {
        let _whole_lines = self.line.lock();
        let mut out = std::io::stdout().lock();
        // A closed pipe is the reader's choice.
        let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    }
}

/// Bytes to standard output (completions, manual page).
pub fn raw(bytes: &[u8]) -> Exit {
    match std::io::stdout().lock().write_all(bytes) {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::Error,
    }
}

/// A sentence to standard error: for what keeps a command from starting.
pub fn complain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "onair: {text}");
}
