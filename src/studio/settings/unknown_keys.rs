//! Names in files of settings and scenes that nobody reads: mostly a slip of who wrote them by hand. They are told,
//! with the name that was probably meant.

use toml::{Table, Value};

use crate::studio::notices::settings_warnings;
use crate::studio::scenes::clean_name;
use crate::studio::settings::reader::quoted;

/// What stands in the settings themselves; `target`, `gain_db` and `muted` are of older ones.
const SETTINGS: &[&str] = &[
    "version",
    "video",
    "audio",
    "monitoring",
    "delay_ms",
    "quality",
    "targets",
    "strips",
    "player",
    "chat",
    "server",
    "window",
    "recording",
    "cameras",
    "collection",
    "target",
    "gain_db",
    "muted",
];

/// What their tables have.
const TABLES: &[(&str, &[&str])] = &[
    (
        "quality",
        &[
            "size",
            "fps",
            "video_bitrate",
            "adapt",
            "least_bitrate",
            "adapt_frames",
            "adapt_size",
            "keyframe_interval_ms",
            "audio_bitrate",
            "sample_rate",
            "channels",
        ],
    ),
    (
        "player",
        &[
            "url",
            "recent",
            "wall",
            "wall_looks",
            "look",
            "volume",
            "muted",
            "buffer_ms",
            "av_offset_ms",
            "balance",
            "speaker",
            "decoder",
            "ports",
            "proxy",
            "bind",
            "tls_ca",
            "no_reconnect",
            "trusted",
        ],
    ),
    ("chat", &["name", "opacity", "places", "size", "speed", "still", "words"]),
    ("server", &["successor"]),
    (
        "window",
        &[
            "language",
            "theme",
            "reduced_motion",
            "meter_fall",
            "push_to_talk_key",
            "push_to_talk_everywhere",
            "recording_folder",
        ],
    ),
    (
        "recording",
        &[
            "format",
            "track_names",
            "split_seconds",
            "split_megabytes",
            "replay_seconds",
            "replay_megabytes",
            "replay_always",
        ],
    ),
    ("target", &["custom", "server"]),
];

const TARGET: &[&str] = &[
    "server",
    "enabled",
    "name",
    "service",
    "tls_pin",
    "monitor",
    "play_url",
    "remember_key",
    "key_apart",
    "key_name",
    "least_bitrate",
    "ports",
    "proxy",
    "bind",
];

const STRIP: &[&str] = &[
    "name",
    "source",
    "gain_db",
    "muted",
    "balance",
    "mono",
    "offset_ms",
    "heard",
    "tracks",
    "solo",
    "talk",
    "at_end",
    "if_silent",
    "filters",
];

const COLLECTION: &[&str] = &[
    "current",
    "transition",
    "transition_ms",
    "wipe",
    "stinger",
    "sources",
    "scenes",
    "main_filters",
    "main_if_black",
];

const SOURCE: &[&str] = &[
    "name",
    "source",
    "filters",
    "text",
    "slides",
    "pointer",
    "when_hidden",
    "at_end",
    "files",
    "if_black",
];

const SCENE: &[&str] = &["name", "items", "transition", "transition_ms", "wipe", "stinger"];

const ITEM: &[&str] = &[
    "main", "source", "scene", "items", "name", "x", "y", "width", "height", "fit", "rotation",
    "crop", "flip_x", "flip_y", "opacity", "blend", "hidden", "locked",
];

const WIPE: &[&str] = &["picture", "softness", "invert"];
const STINGER: &[&str] = &["file", "cut_ms", "matte", "invert", "volume"];

/// So deep items lie within each other at most, whatever a file says.
const MAX_DEPTH: usize = 16;

/// Of settings, without their scenes and strips.
pub(super) fn settings(table: &Table, bad: &mut dyn FnMut(String)) {
    let mut look = KeySearch { bad };
    look.keys(table, SETTINGS, &settings_warnings::the_settings());
    for (name, known) in TABLES {
        if let Some(Value::Table(table)) = table.get(*name) {
            look.keys(table, known, &format!("[{name}]"));
        }
    }
    for (number, table) in (1..).zip(tables(table.get("targets"))) {
        // Not by its address: somebody may have written a password or a key into it.
        let name = match table.get("name").and_then(Value::as_str) {
            Some(name) => clean_name(name),
            None => i32::to_string(&number),
        };
        look.keys(table, TARGET, &settings_warnings::the_target(&name));
    }
}

/// Of the strip that is called so.
pub(super) fn strip(table: &Table, called: &str, bad: &mut dyn FnMut(String)) {
    KeySearch { bad }.keys(table, STRIP, called);
}

/// Of a collection of scenes.
pub(super) fn collection(value: &Value, bad: &mut dyn FnMut(String)) {
    let Value::Table(table) = value else { return };
    let mut look = KeySearch { bad };
    look.keys(table, COLLECTION, &settings_warnings::the_collection());
    look.transition(table);
    for table in tables(table.get("sources")) {
        look.keys(table, SOURCE, &settings_warnings::the_source(&name_of(table)));
    }
    for table in tables(table.get("scenes")) {
        let name = name_of(table);
        look.keys(table, SCENE, &settings_warnings::the_scene(&name));
        look.transition(table);
        look.items(table, &settings_warnings::item_of(&name), MAX_DEPTH);
    }
}

struct KeySearch<'a> {
    bad: &'a mut dyn FnMut(String),
}

impl KeySearch<'_> {
    fn keys(&mut self, table: &Table, known: &[&str], place: &str) {
        for key in table.keys().filter(|key| !known.contains(&key.as_str())) {
            let nearest = known.iter().map(|it| (distance(key, it), it)).min();
            // As many slips as a word has room for.
            let meant = nearest.filter(|(slips, it)| *slips <= 2 && *slips * 2 < it.len());
            let key = quoted(key);
            (self.bad)(match meant {
                Some((_, other)) => settings_warnings::unknown_but(&key, &place, other),
                None => settings_warnings::unknown(&key, &place),
            });
        }
    }

    fn transition(&mut self, of: &Table) {
        for (name, known) in [("wipe", WIPE), ("stinger", STINGER)] {
            if let Some(Value::Table(table)) = of.get(name) {
                self.keys(table, known, &format!("[{name}]"));
            }
        }
    }

    fn items(&mut self, of: &Table, place: &str, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        for table in tables(of.get("items")) {
            self.keys(table, ITEM, place);
            self.items(table, place, depth);
        }
    }
}

fn tables(list: Option<&Value>) -> impl Iterator<Item = &Table> {
    let list = list.and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_table)
}

fn name_of(table: &Table) -> String {
    clean_name(table.get("name").and_then(Value::as_str).unwrap_or_default())
}

/// How many letters have to be put in, taken out, changed or exchanged with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len().abs_diff(other.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (y, a) in one.iter().enumerate() {
        let mut next = vec![y + 1];
        for (x, b) in other.iter().enumerate() {
            let of = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX - 1);
            let changed = of(&row, x) + usize::from(a != b);
            let mut least = changed.min(of(&row, x + 1) + 1).min(of(&next, x) + 1);
            let exchanged =
                x > 0 && y > 0 && Some(b) == one.get(y - 1) && Some(a) == other.get(x - 1);
            if exchanged {
                least = least.min(of(&before, x - 1) + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;
    use crate::studio::settings::scenes::collection;

    #[test]
    fn slips_are_counted() {
        for (one, other, slips) in [
            ("width", "width", 0),
            ("widht", "width", 1),
            ("colour", "color", 1),
            ("heigth", "height", 1),
            ("hiden", "hidden", 1),
            ("transtion", "transition", 1),
            ("x", "y", 1),
            ("", "ab", 2),
            ("bitrate", "video_bitrate", usize::MAX),
        ] {
            assert_eq!(distance(one, other), slips, "{one} {other}");
        }
    }

    #[test]
    fn names_that_nobody_reads_are_told_with_the_one_that_was_meant() {
        let text = r#"
            delay = 3
            [quality]
            video_bitrat = 1000
            [[targets]]
            name = "Mine"
            servr = "rtmp://h/a"
            [[targets]]
            server = "rtmp://me:Pl4nted@h/a/Pl4nted"
            stream_key = "Pl4nted"
            [[strips]]
            [[strips]]
            source = "mic"
            gain = 3
            [collection]
            transtion = "cut"
            [collection.stinger]
            cut = 3
            [[collection.sources]]
            name = "Words"
            source = "text:a"
            filter = []
            [[collection.scenes]]
            name = "Talk"
            colour = 1
            [[collection.scenes.items]]
            [[collection.scenes.items.items]]
            source = "Words"
            widht = 0.5
        "#;
        let told = Settings::parse(text).1;
        let wanted = [
            "'servr' in the target 'Mine' is not known here; 'server' is",
            "'stream_key' in the target '2' is not known here",
            "'filter' in the source 'Words' is not known here; 'filters' is",
            "'widht' in an item of the scene 'Talk' is not known here; 'width' is",
            "'transtion' in the collection is not known here; 'transition' is",
            "'video_bitrat' in [quality] is not known here; 'video_bitrate' is",
            "'colour' in the scene 'Talk' is not known here",
            "'delay' in the settings is not known here",
            "'cut' in [stinger] is not known here",
            "'gain' in the strip 'mic' is not known here",
        ];
        for one in wanted {
            assert!(
                told.iter().any(|it| it == &format!("The settings: {one}")),
                "{one}: {told:#?}"
            );
        }
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        assert!(!format!("{told:?}").contains("Pl4nted"), "{told:#?}");
        // As it is told of a file that is imported.
        let import = collection::import_text(&text.replace("delay = 3", "version = 1")).unwrap();
        assert_eq!(import.left_out.len(), 6, "{:#?}", import.left_out);
        // Of newer ones that was told.
        let (_, told) = Settings::parse("version = 99\ndelay = 3");
        assert_eq!(told.len(), 1, "{told:?}");
    }

    #[test]
    fn what_is_written_is_known() {
        let successor = "rtmp://host/app".into();
        let settings = Settings { successor, ..Settings::default() };
        let written = toml::to_string_pretty(&settings.to_file()).unwrap();
        assert_eq!(Settings::parse(&written).1, Vec::<String>::new(), "{written}");
        // Whatever the readers ask for.
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/studio/settings");
        let (mut seen, mut folders) = (0, vec![std::path::PathBuf::from(folder)]);
        while let Some(entry) = folders.pop() {
            if entry.is_dir() {
                folders.extend(entry.read_dir().unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let code = std::fs::read_to_string(entry).unwrap();
            let code = code.split("#[cfg(test)]").next().unwrap_or_default();
            for path in code.split('"') {
                let Some((table, key)) = path.split_once('.') else { continue };
                let known = TABLES.iter().find(|(name, _)| *name == table);
                let is_key = key.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
                if let Some((_, known)) = known.filter(|_| is_key && !key.is_empty()) {
                    seen += 1;
                    assert!(known.contains(&key), "{path}");
                }
            }
        }
        assert!(seen > 40, "{seen}");
    }
}
