//! How recordings are made, in the settings: `[recording]`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::studio::live::recording::RecordingChoices;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::mixer::clean_name;
use crate::studio::settings::reader::Reader;

/// The table; 0 stands for "not at all".
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::studio::settings) struct Table {
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
const MAX_VALUES: [u64; 4] = [31_536_000, 4_000_000, 3_600, 16_384];
const MEGABYTE: u64 = 1_000_000;

pub(in crate::studio::settings) fn table(choices: &RecordingChoices) -> Table {
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

/// What is read.
pub(in crate::studio::settings) fn read(reader: &mut Reader<'_>) -> RecordingChoices {
    let defaults = RecordingChoices::default();
    let [split, size, replay, memory] = MAX_VALUES;
    let some = |value: u64| Some(value).filter(|value| *value > 0);
    let format = reader.parsed("recording.format").unwrap_or(defaults.format);
    let split_time = some(reader.whole("recording.split_seconds", 0, split, 0));
    let split_bytes = some(reader.whole("recording.split_megabytes", 0, size, 0));
    let replay = some(reader.whole("recording.replay_seconds", 0, replay, 0));
    let default = defaults.replay_bytes >> 20;
    let memory = reader.whole("recording.replay_megabytes", 1, memory, default);
    RecordingChoices {
        format,
        split_time: split_time.map(Duration::from_secs),
        split_bytes: split_bytes.map(|megabytes| megabytes * MEGABYTE),
        replay: replay.map(Duration::from_secs),
        replay_bytes: memory << 20,
        replay_always: reader.flag("recording.replay_always"),
        track_names: track_names(reader),
    }
}

fn track_names(reader: &mut Reader<'_>) -> TrackNames {
    let mut names = TrackNames::default();
    match reader.value("recording.track_names").cloned() {
        None => {}
        Some(toml::Value::Array(given))
            if given.len() <= names.len() && given.iter().all(toml::Value::is_str) =>
        {
            for (name, given) in names.iter_mut().zip(&given) {
                *name = clean_name(given.as_str().unwrap_or_default());
            }
        }
        Some(_) => reader.bad("recording.track_names", "it is not a list of up to six names"),
    }
    names
}
