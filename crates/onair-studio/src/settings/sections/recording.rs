//! The recording options in the settings file: `[recording]`. The value 0 disables an option.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::encode;
use crate::files::name_pattern::{self, DEFAULT_PATTERN, MAX_PATTERN};
use crate::media::{ExtraTrack, Size};
use crate::problems::ToProblem;
use crate::studio::live::recording::RecordingChoices;
use crate::studio::live::recording::audio_tracks::TrackNames;
use crate::studio::live::recording::own_quality::RecordQuality;
use crate::studio::mixer::clean_name;
use crate::studio::settings::reading::parts::quoted;
use crate::studio::settings::reading::values::{self, form, within};
use crate::text::problem::{Problem, problem};
use crate::wire::container::Format;

#[derive(Debug, Serialize, Deserialize)]
#[serde(remote = "RecordingChoices", default = "RecordingChoices::default", deny_unknown_fields)]
pub struct RecordingLayout {
    #[serde(with = "file_format")]
    format: Format,
    #[serde(with = "file_name", skip_serializing_if = "is_default_name")]
    file_name: String,
    #[serde(
        rename = "split_seconds",
        serialize_with = "values::as_seconds",
        deserialize_with = "split_time"
    )]
    split_time: Option<Duration>,
    #[serde(rename = "split_megabytes", with = "split_bytes")]
    split_bytes: Option<u64>,
    #[serde(
        rename = "replay_seconds",
        serialize_with = "values::as_seconds",
        deserialize_with = "replay"
    )]
    replay: Option<Duration>,
    #[serde(rename = "replay_megabytes", with = "replay_bytes")]
    replay_bytes: u64,
    replay_always: bool,
    #[serde(with = "super::targets::mix", skip_serializing_if = "Option::is_none")]
    mix: Option<ExtraTrack>,
    #[serde(with = "track_names", skip_serializing_if = "track_names::are_none")]
    track_names: TrackNames,
    #[serde(with = "own_encoder", skip_serializing_if = "Option::is_none")]
    encoder: Option<encode::Choice>,
    #[serde(with = "values::text_or_none", skip_serializing_if = "Option::is_none")]
    quality: Option<RecordQuality>,
    #[serde(with = "values::text_or_none", skip_serializing_if = "Option::is_none")]
    size: Option<Size>,
}

form! {
    file_format: Format;
    write format => format.extension();
    read name: String::deserialize => name.parse::<Format>().map_err(|error| error.to_problem());
}

form! {
    own_encoder: Option<encode::Choice>;
    write encoder => encoder.map_or("", encode::Choice::name);
    read name: String::deserialize => match name.as_str() {
        "" => Ok(None),
        name => name.parse().map(Some).map_err(Problem::from),
    };
}

form! {
    file_name: String;
    write pattern => pattern;
    read pattern: String::deserialize => match name_pattern::unknown_placeholder(&pattern) {
        Some(name) => {
            let known = name_pattern::PLACEHOLDERS.map(|it| format!("{{{it}}}")).join(", ");
            Err(problem!("settings-file-name", name = quoted(name), known = known))
        }
        None if pattern.trim().is_empty() => Ok(DEFAULT_PATTERN.to_owned()),
        None => Ok(pattern.chars().filter(|it| !it.is_control()).take(MAX_PATTERN).collect()),
    };
}

fn is_default_name(pattern: &String) -> bool {
    pattern == DEFAULT_PATTERN
}

fn seconds<'de, D: Deserializer<'de>>(from: D, most: u64) -> Result<Option<Duration>, D::Error> {
    let seconds = values::bounded(from, 0..=most, "s")?;
    Ok(Some(seconds).filter(|it| *it > 0).map(Duration::from_secs))
}

fn split_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    seconds(from, RecordingChoices::MAX_SPLIT_SECONDS)
}

fn replay<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    seconds(from, RecordingChoices::MAX_REPLAY_SECONDS)
}

within! {
    split_megabytes: u64 = 0..=4_000_000, "MB";
    replay_mebibytes: u64 = RecordingChoices::REPLAY_MEBIBYTES_RANGE, "MiB";
}

const BYTES_PER_MEGABYTE: u64 = 1_000_000;

form! {
    split_bytes: Option<u64>;
    write bytes => bytes.unwrap_or(0) / BYTES_PER_MEGABYTE;
    read megabytes: split_megabytes => Ok(Some(megabytes * BYTES_PER_MEGABYTE).filter(|it| *it > 0));
}

form! {
    replay_bytes: u64;
    write bytes => bytes >> 20;
    read mebibytes: replay_mebibytes => Ok(mebibytes << 20);
}

/// Reads and writes the names of the tracks by their numbers from 1. Empty names at the end are
/// dropped.
mod track_names {
    use super::*;

    fn named(names: &TrackNames) -> &[String] {
        let last = names.iter().rposition(|name| !name.is_empty());
        names.get(..last.map_or(0, |last| last + 1)).unwrap_or_default()
    }

    pub fn are_none(names: &TrackNames) -> bool {
        named(names).is_empty()
    }

    pub fn serialize<S: Serializer>(names: &TrackNames, to: S) -> Result<S::Ok, S::Error> {
        named(names).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<TrackNames, D::Error> {
        let mut names = TrackNames::default();
        // Either all names are used or none: names after a bad one would belong to other tracks.
        let given = toml::Value::deserialize(from)?.try_into::<Vec<String>>();
        let given = given.ok().filter(|given| given.len() <= names.len());
        for (name, given) in
            names.iter_mut().zip(given.ok_or_else(|| values::refuse(problem!("value-tracks")))?)
        {
            *name = clean_name(&given);
        }
        Ok(names)
    }
}
