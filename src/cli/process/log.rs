//! Writes logs to standard error. Logs contain no secrets, because secrets cannot be formatted.

use std::ffi::OsString;
use std::fmt::{self, Debug};
use std::io::{self, IsTerminal as _};

use tracing::Level;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::{Format, Writer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::base::sanitize::sanitized;
use crate::cli::output::redact::hidden;
use crate::cli::output::standard_error::{self, StandardError};
use crate::cli::process::crash::LastLines;
use crate::cli::process::json_log::{JsonFields, JsonLine};
use crate::cli::process::log_target::{RoomNames, with_crates};
use crate::text::problem::{Problem, problem};

/// The format of log lines.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Plain text.
    #[default]
    Text,
    /// One JSON object per line, for programs that collect logs.
    Json,
}

/// Starts logging at a level (`info`) or with a filter (`onair=debug`). Returns the last lines for
/// a crash report.
///
/// # Errors
/// Fails with a sentence if the level is not valid.
pub fn start(level: &str, format: LogFormat) -> Result<LastLines, Problem> {
    let json = (format == LogFormat::Json).then(JsonLine::of_this_run);
    if let Some(json) = &json {
        standard_error::use_json(json.clone());
    }
    let known = ["off", "error", "warn", "info", "debug", "trace"].contains(&level);
    let filter = if known {
        // onair logs at the requested level; libraries log only problems.
        let others = if matches!(level, "debug" | "trace") { "info" } else { "error" };
        format!("{others},onair={level}")
    } else {
        level.to_owned()
    };
    let filter = filter
        .parse::<Targets>()
        .ok()
        .filter(|_| known || level.contains(['=', ',']))
        .map(with_crates)
        .ok_or_else(|| problem!("flag-log", text = level))?;
    // The level for a crash report, regardless of the displayed level. At this level, messages
    // about viewers who join and leave cannot displace all other lines.
    let for_report = Targets::new()
        .with_default(Level::WARN)
        .with_target("onair", Level::INFO)
        .with_target("onair::server::event", Level::WARN);
    let last = LastLines::default();
    let kept = tracing_subscriber::fmt::layer()
        .fmt_fields(Fields)
        .event_format(RoomNames(Format::default().with_ansi(false)))
        .with_ansi(false)
        .with_writer(last.clone());
    let registry = tracing_subscriber::registry().with(kept.with_filter(for_report));
    let shown = tracing_subscriber::fmt::layer().with_writer(|| StandardError);
    match json {
        None => {
            let is_colored = has_colors(io::stderr().is_terminal(), std::env::var_os("NO_COLOR"));
            let format = RoomNames(Format::default().with_ansi(is_colored));
            let shown = shown.fmt_fields(Fields).event_format(format).with_ansi(is_colored);
            registry.with(shown.with_filter(filter)).init();
        }
        Some(json) => {
            let shown = shown.fmt_fields(JsonFields).event_format(json);
            registry.with(shown.with_ansi(false).with_filter(filter)).init();
        }
    }
    Ok(last)
}

/// Returns true if lines may have colors: only on a terminal, because in a file or in the journal of systemd, colors
/// are unreadable characters. `NO_COLOR` is the variable of that name (no-color.org).
fn has_colors(is_terminal: bool, no_color: Option<OsString>) -> bool {
    is_terminal && no_color.is_none_or(|value| value.is_empty())
}

/// Formats the fields of an event as `message name=value …`. Texts from servers, files and devices
/// are sanitized, so that they cannot control a terminal. (The layer's own colors are kept.)
#[derive(Clone, Copy, Debug)]
struct Fields;

impl<'writer> FormatFields<'writer> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, written: false, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    written: bool,
    result: fmt::Result,
}

impl Visit for Visitor<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A text is printed in quotes, with escapes; a message is not.
        match field.name() {
            "message" => self.record_debug(field, &format_args!("{value}")),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let gap = if std::mem::replace(&mut self.written, true) { " " } else { "" };
        let text = match field.name() {
            "message" => format!("{gap}{value:?}"),
            name => format!("{gap}{name}={value:?}"),
        };
        self.result = self.result.and_then(|()| self.writer.write_str(&sanitized(&hidden(&text))));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::sanitize::is_harmless;
    use parking_lot::Mutex;
    use std::sync::Arc;

    /// A log in memory.
    #[derive(Clone, Default)]
    pub struct Lines(pub Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn only_a_terminal_gets_colors() {
        for (is_terminal, no_color, colored) in [
            (true, None, true),
            (true, Some(""), true),
            (true, Some("1"), false),
            (false, None, false),
        ] {
            assert_eq!(has_colors(is_terminal, no_color.map(OsString::from)), colored);
        }
    }

    #[test]
    fn what_is_logged_steers_no_terminal() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(Fields)
            .with_ansi(false)
            .with_writer(move || writer.clone());
        let evil = "\u{1B}]0;owned\u{7}\u{9B}31m\u{202E}";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            tracing::error!(answer = %evil, quoted = evil, "the server says {evil}");
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        assert!(text.contains("the server says") && text.contains("answer="), "{text}");
        assert!(text.trim_end().chars().all(is_harmless), "{text:?}");
    }
}
