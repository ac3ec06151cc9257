//! How recordings are made, in the settings: `[recording]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::studio::tape::RecordingChoices;

/// The table; 0 stands for "not at all".
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Table {
    format: String,
    split_seconds: u64,
    split_megabytes: u64,
    replay_seconds: u64,
    replay_megabytes: u64,
    replay_always: bool,
    /// By the number, from 1; those after the last name are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    track_names: Vec<String>,
}

/// The most of each: a year, four terabytes, an hour, 16 gigabytes.
pub(super) const MOST: [u64; 4] = [31_536_000, 4_000_000, 3_600, 16_384];
pub(super) const MEGABYTE: u64 = 1_000_000;

pub(super) fn table(choices: &RecordingChoices) -> Table {
    let seconds = |time: Option<Duration>| time.map_or(0, |time| time.as_secs());
    let named = choices.track_names.iter().rposition(|name| !name.is_empty());
    let named = named.map_or(0, |last| last + 1);
    Table {
        format: choices.format.to_string(),
        split_seconds: seconds(choices.split_time),
        split_megabytes: choices.split_bytes.unwrap_or(0) / MEGABYTE,
        replay_seconds: seconds(choices.replay),
        replay_megabytes: choices.replay_bytes >> 20,
        replay_always: choices.replay_always,
        track_names: choices.track_names.get(..named).unwrap_or_default().to_vec(),
    }
}
