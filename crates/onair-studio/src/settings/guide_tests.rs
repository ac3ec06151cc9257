//! Compares the user guide's description of settings with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::audio::AudioChoice;
use crate::compose::filter as video;
use crate::media::playback_control::EndBehavior;
use crate::media::{ExtraTrack, NumericSettings};
use crate::mix::StripId;
use crate::mix::filter::{Filter, Slot};
use crate::studio::mixer::AudioStrip;
use crate::studio::settings::Settings;
use crate::studio::settings::sections::strips;

/// Returns the rows of the table with this header: the first word of each, and the remaining text.
fn rows(page: &str, head: &str) -> BTreeMap<String, String> {
    let path =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("docs/reference").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().skip_while(|line| *line != head).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|')).map(|line| {
        let (first, rest) = line.trim_matches('|').split_once('|').unwrap();
        (words(first)[0].to_owned(), rest.trim().to_owned())
    });
    let rows: BTreeMap<String, String> = rows.collect();
    assert!(!rows.is_empty(), "no table {head} in {page}");
    rows
}

/// Returns the parts of a text that are in backticks.
fn words(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn number(text: &str) -> f32 {
    text.trim().replace('−', "-").replace(',', "").parse().unwrap_or_else(|_| panic!("'{text}'"))
}

/// Minimum, maximum and default value.
type Range = [f32; 3];

/// Returns the numbers in a row, and its other parts.
fn numbers(row: &str) -> (BTreeMap<&str, Range>, BTreeSet<&str>) {
    let (mut numbers, mut others) = (BTreeMap::new(), BTreeSet::new());
    for part in row.trim_matches(['|', ' ']).split(';') {
        let values = part.rsplit_once('`').map_or("", |(_, values)| values);
        let Some((low, rest)) = values.split_once('…') else {
            others.extend(words(part));
            continue;
        };
        let (high, first) = rest.split_once(" (").unwrap();
        let range = [number(low), number(high), number(first.trim_end_matches(')'))];
        numbers.extend(words(part).into_iter().map(|name| (name, range)));
    }
    (numbers, others)
}

/// Creates a filter whose side chain, if it has one, is the main strip.
fn chained(filter: Filter) -> Filter {
    match filter {
        Filter::Compressor { threshold_dbfs, ratio, attack_ms, release_ms, gain_db, .. } => {
            let side_chain = Some(StripId::MAIN);
            Filter::Compressor { threshold_dbfs, ratio, attack_ms, release_ms, gain_db, side_chain }
        }
        other => other,
    }
}

/// Returns all keys that are written for a strip, and those for its filters by kind.
fn written() -> (BTreeSet<String>, BTreeMap<String, BTreeSet<String>>) {
    let mut strip = AudioStrip::new(StripId(1), AudioChoice::Tone);
    strip.name = "Music".into();
    strip.scene = "Talk".into();
    strip.at_end = EndBehavior::Clear;
    strip.if_silent = Some(AudioChoice::Tone);
    strip.strip.tracks = ExtraTrack::all().collect();
    let filters = Filter::ALL_KINDS.map(chained);
    strip.strip.filters = filters.map(|filter| Slot { enabled: true, filter }).to_vec();
    let table = strips::tables(&[AudioStrip::main(), strip]).pop();
    let table = toml::Table::try_from(table.unwrap()).unwrap();
    let of = |filter: &toml::Value| {
        let kind = filter["kind"].as_str().unwrap().to_owned();
        (kind, filter.as_table().unwrap().keys().cloned().collect())
    };
    let filters = table["filters"].as_array().unwrap().iter().map(of).collect();
    (table.keys().cloned().collect(), filters)
}

#[test]
fn the_settings_of_strips_are_in_the_guide() {
    let guide = rows("sound.md", "| key | values |");
    assert_eq!(guide.into_keys().collect::<BTreeSet<_>>(), written().0);
}

#[test]
fn the_numbers_of_audio_filters_are_in_the_guide() {
    let guide = rows("sound.md", "| kind | values |");
    let kinds = Filter::ALL_KINDS.map(|filter| filter.kind());
    assert_eq!(guide.keys().map(String::as_str).collect::<BTreeSet<_>>(), kinds.into());
    let written = written().1;
    for mut filter in Filter::ALL_KINDS {
        let kind = filter.kind();
        let (documented, mut others) = numbers(&guide[kind]);
        let names = filter.parameters();
        let known = names.iter().zip(filter.values());
        let known =
            known.map(|(it, first)| (it.name, [*it.range.start(), *it.range.end(), *first]));
        assert_eq!(documented, known.collect(), "{kind}");
        others.extend(["kind", "enabled"]);
        others.extend(documented.into_keys());
        assert_eq!(written[kind].iter().map(String::as_str).collect::<BTreeSet<_>>(), others);
    }
}

#[test]
fn the_settings_of_video_filters_are_in_the_guide() {
    let guide = rows("filters.md", "| kind | values |");
    let filters = video::Filter::kinds();
    let kinds: BTreeSet<&str> = filters.iter().map(video::Filter::kind).collect();
    assert_eq!(guide.keys().map(String::as_str).collect::<BTreeSet<_>>(), kinds);
    for mut filter in filters {
        let kind = filter.kind();
        // The table also contains the extensions of files.
        let documented = words(&guide[kind]).into_iter().filter(|word| !word.starts_with('.'));
        let mut known: BTreeSet<&str> = filter.parameters().iter().map(|it| it.name).collect();
        known.extend(filter.color().map(|_| "color"));
        known.extend(filter.file().map(|_| "file"));
        for choice in filter.choices() {
            known.insert(choice.name);
            known.extend(choice.options);
        }
        assert_eq!(documented.collect::<BTreeSet<_>>(), known, "{kind}");
    }
}

/// A settings file as the previous version wrote it.
const EVERY_KEY_TOML: &str = include_str!("../../../../tests/data/settings/every-key.toml");

#[test]
fn a_file_with_every_key_is_read_and_written_as_before() {
    let (settings, warnings) = Settings::parse(EVERY_KEY_TOML);
    assert_eq!(warnings, Vec::<String>::new());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    settings.write(&path).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    let (origin, before) = EVERY_KEY_TOML.split_once("\n\n").unwrap();
    assert!(origin.starts_with('#'));
    assert_eq!(written.parse::<toml::Table>(), before.parse::<toml::Table>());
    assert_eq!(Settings::parse(&written), (settings, Vec::new()));
}

/// The keys of the settings file with their values, by their tables.
type KeysByTable = BTreeMap<String, BTreeMap<String, toml::Value>>;

/// Adds the keys of this table and of the tables inside.
fn collect(path: &str, table: &toml::Table, found: &mut KeysByTable) {
    let path = match path {
        // The user chooses the keys of these tables.
        "cameras" | "hotkeys.keys" | "panels.layouts" => {
            found.insert(path.replace("cameras", "cameras.ID"), BTreeMap::new());
            return;
        }
        // These tables have the same keys as other tables.
        "collection.scenes.wipe" => "collection.wipe",
        "collection.scenes.stinger" => "collection.stinger",
        "collection.scenes.items.items" => "collection.scenes.items",
        "collection.main_filters"
        | "collection.scenes.filters"
        | "collection.scenes.items.filters" => "collection.sources.filters",
        path => path,
    };
    found.entry(path.to_owned()).or_default();
    for (key, value) in table {
        let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            toml::Value::Table(table) => collect(&inner, table, found),
            toml::Value::Array(list) if list.first().is_some_and(toml::Value::is_table) => {
                let tables = list.iter().filter_map(toml::Value::as_table);
                tables.for_each(|table| collect(&inner, table, found));
            }
            // Other tests compare the values of filters.
            _ if path.ends_with("filters") && !["kind", "enabled"].contains(&key.as_str()) => {}
            value => {
                found.entry(path.to_owned()).or_default().insert(key.clone(), value.clone());
            }
        }
    }
}

/// Returns the default value of each key in the page about the settings file, by the tables in its
/// headings.
fn documented() -> BTreeMap<String, BTreeMap<String, String>> {
    let path =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join("docs/reference/settings.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut table = String::new();
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            table = words(heading).concat().trim_matches(['[', ']']).to_owned();
            tables.entry(table.clone()).or_default();
        } else if line.starts_with("| `") {
            let cells: Vec<&str> = line.split('|').collect();
            let key = words(cells[1])[0].to_owned();
            tables.entry(table.clone()).or_default().insert(key, cells[3].to_owned());
        }
    }
    tables
}

#[test]
fn every_key_of_the_settings_file_is_in_the_guide_with_its_default() {
    let mut written = KeysByTable::new();
    collect("", &EVERY_KEY_TOML.parse::<toml::Table>().unwrap(), &mut written);
    let guide = documented();
    assert_eq!(guide.keys().collect::<Vec<_>>(), written.keys().collect::<Vec<_>>());
    for (table, keys) in &written {
        let known: BTreeSet<&String> = guide[table].keys().collect();
        assert_eq!(known, keys.keys().collect::<BTreeSet<_>>(), "{table}");
    }
    let mut usual = KeysByTable::new();
    let file = toml::Table::try_from(Settings::default().to_file()).unwrap();
    collect("", &file, &mut usual);
    for (table, keys) in usual {
        for (key, value) in keys {
            let default = words(&guide[&table][&key])[0];
            let default: toml::Table = format!("it = {default}").parse().unwrap();
            assert_eq!(default["it"], value, "{table}.{key}");
        }
    }
}
