//! The tables `[[rendition_rule]]` of `onair serve --config FILE`: the renditions of single streams.

use serde::Deserialize;

use crate::cli::serve::values::{MAX_STREAM_RULES, Note, check_pattern};
use crate::server::renditions::{Ladder, LadderRule};
use crate::text::problem::problem;

/// The table `[[rendition_rule]]`. Without renditions, the streams have none.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RuleTable {
    streams: String,
    renditions: Vec<String>,
}

/// Returns the rules in the tables. `note` gets the path of each invalid value, such as
/// `rendition_rule.0.renditions`.
pub(super) fn rules(tables: &[RuleTable], note: Note<'_>) -> Vec<LadderRule> {
    if tables.len() > MAX_STREAM_RULES {
        note(
            "rendition_rule",
            &problem!("serve-too-many-rendition-rules", most = MAX_STREAM_RULES),
        );
    }
    let mut all = Vec::new();
    for (at, RuleTable { streams, renditions }) in tables.iter().enumerate() {
        if let Err(why) = check_pattern(streams) {
            note(&format!("rendition_rule.{at}.streams"), &why);
        }
        match Ladder::of(renditions.iter().map(String::as_str)) {
            Ok(ladder) => all.push(LadderRule { streams: streams.clone(), ladder }),
            Err(why) => note(&format!("rendition_rule.{at}.renditions"), &why),
        }
    }
    all
}
