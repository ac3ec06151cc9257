//! The recordings of `onair serve`: their flags, and the tables `[[record_rule]]` of
//! `--config FILE`.

use serde::Deserialize;

use crate::cli::serve::args::Args;
use crate::cli::serve::values::{
    MAX_STREAM_RULES, Note, RuleValues, SPLIT_TIME_RANGE, check_pattern, format, size, valid,
    within,
};
use crate::server::recordings::rules::{FileRules, RecordingRules, Retention, StreamRule};
use crate::text::Problem;
use crate::text::problem::problem;

/// The table `[[record_rule]]`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuleTable {
    streams: String,
    record: Option<bool>,
    format: Option<String>,
    split_time: Option<String>,
    split_size: Option<String>,
}

/// Returns the rules in the tables. `note` gets the path of each invalid value, such as
/// `record_rule.0.format`.
pub(super) fn rules(tables: Vec<RuleTable>, note: Note<'_>) -> Vec<RuleValues> {
    if tables.len() > MAX_STREAM_RULES {
        note("record_rule", &problem!("serve-too-many-rules", most = MAX_STREAM_RULES));
    }
    let mut all = Vec::new();
    for (at, table) in tables.into_iter().enumerate() {
        let RuleTable { streams, record, format: format_name, split_time, split_size } = table;
        let mut refuse = |name: &str, why: &Problem| note(&format!("record_rule.{at}.{name}"), why);
        if let Err(why) = check_pattern(&streams) {
            refuse("streams", &why);
        }
        let format = format_name.map(|text| format(&text));
        let time = split_time.map(|text| within(&text, SPLIT_TIME_RANGE));
        let bytes = split_size.map(|text| size(&text));
        all.push(RuleValues {
            streams,
            record: record.unwrap_or(true),
            format: valid(format, "format", &mut refuse),
            split_time: valid(time, "split_time", &mut refuse),
            split_bytes: valid(bytes, "split_size", &mut refuse),
        });
    }
    all
}

/// Returns the server's recording rules.
pub(super) fn recording_rules(args: &Args) -> RecordingRules {
    let others = FileRules {
        format: args.record_format.unwrap_or_default(),
        split_time: args.split_time,
        split_bytes: args.split_size,
    };
    let rule = |rule: &RuleValues| StreamRule {
        streams: rule.streams.clone(),
        file: rule.record.then(|| FileRules {
            format: rule.format.unwrap_or(others.format),
            split_time: rule.split_time.or(others.split_time),
            split_bytes: rule.split_bytes.or(others.split_bytes),
        }),
    };
    RecordingRules {
        others,
        streams: args.record_rules.iter().map(rule).collect(),
        keep: Retention { time: args.keep_time, bytes: args.keep_size },
        playback: args.vod.unwrap_or(true),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::wire::container::Format;

    fn read(text: &str) -> (Vec<RuleValues>, Vec<String>) {
        #[derive(Deserialize)]
        struct Document {
            record_rule: Vec<RuleTable>,
        }
        let mut bad = Vec::new();
        let document: Document = toml::from_str(text).unwrap();
        let mut note = |path: &str, why: &Problem| bad.push(format!("{path}: {why}"));
        (rules(document.record_rule, &mut note), bad)
    }

    #[test]
    fn rules_complete_the_flags() {
        let (record_rules, bad) = read(
            "[[record_rule]]\nstreams = \"live/test*\"\nrecord = false\n\
             [[record_rule]]\nstreams = \"live/*\"\nformat = \"mp4\"\nsplit_size = \"2G\"\n",
        );
        assert_eq!(bad, Vec::<String>::new());
        let hour = Some(Duration::from_hours(1));
        let args = Args { record_rules, split_time: hour, ..Args::default() };
        let rules = recording_rules(&args);
        assert_eq!(rules.of("live", "test1"), None);
        let split_bytes = Some(2_000_000_000);
        let of_live = FileRules { format: Format::Mp4, split_time: hour, split_bytes };
        assert_eq!(rules.of("live", "show"), Some(of_live));
        let others = FileRules { split_time: hour, ..FileRules::default() };
        assert_eq!(rules.of("other", "show"), Some(others));
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        for (line, path) in [
            ("", "record_rule.0.streams"),
            ("streams = \"a\"\nformat = \"mkv\"", "record_rule.0.format"),
            ("streams = \"a\"\nsplit_time = \"0s\"", "record_rule.0.split_time"),
            ("streams = \"a\"\nsplit_size = \"1\"", "record_rule.0.split_size"),
        ] {
            let (_, bad) = read(&format!("[[record_rule]]\n{line}"));
            assert!(bad.len() == 1 && bad[0].starts_with(&format!("{path}: ")), "{line}: {bad:?}");
        }
    }
}
