//! Names in files of settings and scenes that nobody reads: mostly a slip of who wrote them by hand. They are told,
//! with the name that was probably meant.

use toml::{Table, Value};

use crate::studio::notices::settings_warnings;
use crate::studio::scenes::clean_name;
use crate::studio::settings::reading::lenient::nearest;
use crate::studio::settings::reading::parts::quoted;

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

/// Of a collection of scenes.
pub(in crate::studio::settings) fn collection(value: &Value, bad: &mut dyn FnMut(String)) {
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
            let meant = nearest(key, known);
            let key = quoted(key);
            (self.bad)(match meant {
                Some(other) => settings_warnings::unknown_but(&key, &place, &other),
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

#[cfg(test)]
mod tests {
    use crate::studio::settings::Settings;
    use crate::studio::settings::scenes::collection;

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
            "'filter' in the source 'Words' is not known here; 'filters' is",
            "'widht' in an item of the scene 'Talk' is not known here; 'width' is",
            "'transtion' in the collection is not known here; 'transition' is",
            "'colour' in the scene 'Talk' is not known here",
            "'cut' in [stinger] is not known here",
        ];
        for one in wanted {
            assert!(
                told.iter().any(|it| it == &format!("The settings: {one}")),
                "{one}: {told:#?}"
            );
        }
        // Those that the general reader finds, each with its place.
        for (path, place, why) in [
            ("delay", (2, 13), "it is not known here"),
            ("quality.video_bitrat", (4, 13), "it is not known here; 'video_bitrate' is"),
            ("targets.servr", (7, 13), "it is not known here; 'server' is"),
            ("targets.stream_key", (10, 13), "it is not known here"),
            ("strips.gain", (14, 13), "it is not known here"),
        ] {
            let (line, column) = place;
            let one =
                format!("The setting '{path}' in line {line}, column {column} is ignored: {why}");
            assert!(told.contains(&one), "{one}: {told:#?}");
        }
        assert_eq!(told.len(), wanted.len() + 5, "{told:#?}");
        assert!(!format!("{told:?}").contains("Pl4nted"), "{told:#?}");
        // As it is told of a file that is imported.
        let import = collection::import_text(&text.replace("delay = 3", "version = 1")).unwrap();
        assert_eq!(import.left_out.len(), 6, "{:#?}", import.left_out);
        // Of newer ones that was told.
        let (_, told) = Settings::parse("version = 99\ndelay = 3");
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
