//! Log lines as JSON objects, for programs that collect logs.
//!
//! `{"time":"2026-01-31T12:00:00.000000Z","level":"info","target":"onair::server","run":"5f0c…","session":7,
//! "message":"…", …}`: `run` is the same in all lines of a process, and `session` is the `id` of a
//! client in the server's events. The other fields depend on the message.

use std::fmt::{self, Debug};
use std::hash::{BuildHasher as _, RandomState};

use jiff::Timestamp;
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, FormattedFields};
use tracing_subscriber::registry::LookupSpan;

use crate::base::sanitize::sanitized_json;
use crate::cli::output::redact::hidden;
use crate::cli::process::log_target::displayed;

/// The names of the members that every line has. A field with such a name gets an
/// underscore at its end.
const HEAD_NAMES: [&str; 4] = ["time", "level", "target", "run"];

/// Formats an event, with the fields of the spans around it.
#[derive(Clone, Debug)]
pub struct JsonLine {
    run: String,
}

impl JsonLine {
    /// Creates the format with a new random name for this run.
    pub fn of_this_run() -> Self {
        Self { run: format!("{:016x}", RandomState::new().hash_one(std::process::id())) }
    }

    /// Returns the line of a message of the command line that is not an event of the log.
    pub fn message(&self, level: Level, message: &str) -> String {
        let member = format!(",\"message\":{}", json!(message));
        format!("{}{}}}\n", self.head(level, "onair::cli"), sanitized_json(&member))
    }

    /// Returns the start of a line, with the members that every line has.
    fn head(&self, level: Level, target: &str) -> String {
        let time = format!("{:.6}", Timestamp::now());
        let (level, run) = (level.as_str().to_ascii_lowercase(), &self.run);
        format!(
            r#"{{"time":{},"level":{},"target":{},"run":{}"#,
            json!(time),
            json!(level),
            json!(target),
            json!(run)
        )
    }
}

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        writer.write_str(&self.head(*metadata.level(), &displayed(metadata.target())))?;
        let mut names = FieldNames::default();
        event.record(&mut names);
        // A member may occur only once: some programs refuse a line with two.
        for span in context.event_scope().into_iter().flatten() {
            let of_span: Vec<_> = span.metadata().fields().iter().map(|it| it.name()).collect();
            if of_span.iter().any(|name| names.0.contains(name)) {
                continue;
            }
            names.0.extend(of_span);
            if let Some(fields) = span.extensions().get::<FormattedFields<N>>() {
                writer.write_str(&fields.fields)?;
            }
        }
        context.format_fields(writer.by_ref(), event)?;
        writer.write_str("}\n")
    }
}

/// The names of the fields of an event.
#[derive(Default)]
struct FieldNames(Vec<&'static str>);

impl Visit for FieldNames {
    fn record_debug(&mut self, field: &Field, _: &dyn Debug) {
        self.0.push(field.name());
    }
}

/// Formats fields as members of a JSON object, each after a comma.
#[derive(Clone, Copy, Debug)]
pub struct JsonFields;

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Visitor { writer, result: Ok(()) };
        fields.record(&mut visitor);
        visitor.result
    }
}

struct Visitor<'writer> {
    writer: Writer<'writer>,
    result: fmt::Result,
}

impl Visitor<'_> {
    fn member(&mut self, field: &Field, value: &serde_json::Value) {
        let mut name = field.name().to_owned();
        if HEAD_NAMES.contains(&field.name()) {
            name.push('_');
        }
        let text = format!(",{}:{value}", json!(name));
        self.result = self.result.and_then(|()| self.writer.write_str(&sanitized_json(&text)));
    }
}

impl Visit for Visitor<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.member(field, &json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.member(field, &json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.member(field, &json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.member(field, &json!(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.member(field, &json!(hidden(value)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.member(field, &json!(hidden(&format!("{value:?}"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::process::log::tests::Lines;
    use serde_json::Value;
    use tracing_subscriber::layer::SubscriberExt as _;

    #[test]
    fn every_line_is_an_object_with_the_fields_of_its_session() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer()
            .fmt_fields(JsonFields)
            .event_format(JsonLine::of_this_run())
            .with_writer(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let _session = tracing::info_span!("session", session = 7_u64).entered();
            tracing::info!(bytes = 12, live = true, ratio = 0.5, "joins");
            tracing::warn!(answer = "\u{1B}]0;\"owned\"\u{7}\u{202E}\n}{", "the server says");
            tracing::info!(session = Some(8_u64), "another client");
            tracing::info!(session = None::<u64>, "no client");
            let address = "rtmp://h";
            tracing::info!(target = address, "a redirect");
        });
        let text = String::from_utf8(lines.0.lock().clone()).unwrap();
        let rows = text.lines().map(|line| serde_json::from_str(line).unwrap());
        let rows = rows.collect::<Vec<Value>>();
        assert_eq!(rows.len(), 5, "{text}");
        assert_eq!((&rows[2]["session"], &rows[3]["session"]), (&json!(8), &json!(7)));
        let repeated = text.lines().filter(|line| line.matches("\"session\":").count() != 1);
        assert_eq!(repeated.collect::<Vec<_>>(), Vec::<&str>::new());
        assert_eq!(rows[0]["session"], 7);
        assert_eq!(rows[0]["message"], "joins");
        assert_eq!((&rows[0]["bytes"], &rows[0]["live"]), (&json!(12), &json!(true)));
        assert_eq!(rows[0]["level"], "info");
        assert_eq!(rows[0]["run"], rows[1]["run"]);
        assert_eq!(rows[1]["session"], 7);
        assert_eq!(
            (&rows[4]["target_"], &rows[4]["target"]),
            (&json!("rtmp://h"), &rows[3]["target"])
        );
        assert!(rows[0]["time"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{text}");
        assert!(text.chars().all(|sign| sign == '\n' || crate::base::sanitize::is_harmless(sign)));
    }

    #[test]
    fn a_reason_is_an_object_of_the_same_run() {
        let format = JsonLine::of_this_run();
        let line = format.message(Level::ERROR, "no \"file\"\n\u{202E}");
        assert!(line.ends_with("}\n") && !line.contains('\u{202E}'), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&line["level"], &line["run"]), (&json!("error"), &json!(format.run)));
        assert_eq!(line["message"], "no \"file\"\n\u{202E}");
        assert!(line["time"].as_str().unwrap().parse::<Timestamp>().is_ok(), "{line}");
    }
}
