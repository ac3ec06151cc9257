//! The scene collection in the settings (`[collection]`) and as a file of its own, TOML or JSON.
//! Reading never fails: what is bad is left out or becomes its default, and is told. (It is long because each field of a
//! scene is read and written here, and its tests stand beside it.)

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use toml::Value;

pub use crate::studio::settings::import::Import;
pub use crate::studio::settings::scenes::transition_words::{
    matte_of, matte_text, transition_of, transition_text,
};

use crate::capture::{VideoChoice, VideoFallback};
use crate::compose::scene::{
    Blend, Content, Crop, Fit, Item, ItemId, MAX_DEPTH, Placement, Scene, SceneId, SourceId,
};
use crate::compose::transition::{self, Kind, Order, Transition};
use crate::studio::mixer::AudioStrip;
use crate::studio::notices::{import_report, settings_warnings};
use crate::studio::scenes::{
    Collection, MAIN, MAX_ITEMS, MAX_SCENES, MAX_SOURCES, Source, clean_name,
};
use crate::studio::settings::disk::replace;
use crate::studio::settings::import::obs;
use crate::studio::settings::reading::parts::{self, number, quoted};
use crate::studio::settings::reading::{syntax, unknown_keys};
use crate::studio::settings::scenes::layout::Table;
use crate::studio::settings::scenes::{filters, layout, properties};
use crate::studio::settings::secret_addresses;
use crate::studio::settings::sections::strips;

/// The version of a collection's own file.
const VERSION: i64 = 1;

/// Tables that settings have and a collection's own file has not.
const OF_SETTINGS: [&str; 4] = ["quality", "targets", "player", "window"];

/// A file larger than this is no collection.
const MAX_BYTES: u64 = 8 << 20;

/// Texts longer than this name nothing.
const MAX_TEXT: usize = 4_096;

/// A source of picture or sound, as it is written, as it may be shown to everybody: an address without
/// what looks secret in it.
pub fn shown(choice: String) -> String {
    let url = choice.strip_prefix("stream:").and_then(secret_addresses::without_secrets);
    url.map_or(choice, |url| format!("stream:{url}"))
}

/// Reads a collection; `bad` is told what is not as it should be.
pub(in crate::studio::settings) fn read(value: &Value, bad: &mut dyn FnMut(String)) -> Collection {
    parts::counted(&settings_warnings::the_scenes(), bad, |bad| {
        unknown_keys::collection(value, bad);
        let (sources, scenes) = (BTreeMap::new(), BTreeMap::new());
        Reader { value, bad, sources, scenes, items: 0, over: 0 }.collection()
    })
}

/// The same item as this table says; `bad` is told what is not as it should be.
pub(in crate::studio::settings) fn item_of(
    table: &Value,
    item: Item,
    bad: &mut dyn FnMut(String),
) -> Item {
    let (sources, scenes) = (BTreeMap::new(), BTreeMap::new());
    Reader { value: table, bad, sources, scenes, items: 0, over: 0 }.item(table, item)
}

struct Reader<'a> {
    value: &'a Value,
    bad: &'a mut dyn FnMut(String),
    sources: BTreeMap<String, SourceId>,
    scenes: BTreeMap<String, SceneId>,
    items: u32,
    /// Items that were left out because there are too many.
    over: usize,
}

impl<'a> Reader<'a> {
    fn collection(&mut self) -> Collection {
        let mut collection =
            Collection { sources: Vec::new(), scenes: Vec::new(), ..Collection::default() };
        for table in
            self.list(self.value, "sources", &settings_warnings::the_sources(), MAX_SOURCES)
        {
            let wanted = self.text(table, "name").unwrap_or_default();
            let name = collection.free_source_name(&wanted);
            self.tell_twice(&wanted, &name);
            let text = self.text(table, "source").unwrap_or_default();
            let choice = text.parse().unwrap_or_else(|why| {
                (self.bad)(settings_warnings::shows_nothing(&name, &why));
                VideoChoice::None
            });
            let id = collection.next_source();
            let filters = filters::read(table.get("filters"), self.bad);
            let properties = properties::read(table, &name, self.bad);
            let fallback = self.fallback(table, "if_black", &name);
            self.sources.insert(name.clone(), id);
            collection.sources.push(Source { id, name, choice, filters, properties, fallback });
        }
        collection.main_filters = filters::read(self.value.get("main_filters"), self.bad);
        collection.main_fallback = self.fallback(self.value, "main_if_black", "");
        let tables = self.list(self.value, "scenes", &settings_warnings::the_scenes(), MAX_SCENES);
        for table in &tables {
            let wanted = self.text(table, "name").unwrap_or_default();
            let name = collection.free_scene_name(&wanted);
            self.tell_twice(&wanted, &name);
            let id = collection.next_scene();
            self.scenes.insert(name.clone(), id);
            let own = table.get("transition").is_some();
            let usual = Collection::default().transition;
            let transition = own.then(|| self.transition(table, usual));
            collection.own_transitions.extend(transition.map(|own| (id, own)));
            collection.scenes.push(Scene { id, name, items: Vec::new() });
        }
        for (index, table) in tables.into_iter().enumerate() {
            let items = self.items(table, 1);
            if let Some(scene) = collection.scenes.get_mut(index) {
                scene.items = items;
            }
        }
        if self.over > 0 {
            (self.bad)(settings_warnings::items_beyond(&MAX_ITEMS, &self.over));
        }
        for name in collection.break_circles() {
            (self.bad)(settings_warnings::shows_itself(&name));
        }
        if collection.scenes.is_empty() {
            collection.scenes = Collection::default().scenes;
        }
        let current = self.text(self.value, "current").unwrap_or_default();
        collection.current = match collection.scene_named(&current) {
            Some(scene) => scene.id,
            None => {
                let first = collection.scenes.first();
                let name = first.map_or("", |scene| &scene.name);
                if !current.is_empty() {
                    (self.bad)(settings_warnings::no_current(&clean_name(&current), &name));
                }
                first.map(|scene| scene.id).unwrap_or_default()
            }
        };
        collection.transition = self.transition(self.value, collection.transition);
        collection
    }

    /// What refers to the second by that name means the first.
    fn tell_twice(&mut self, wanted: &str, name: &str) {
        let wanted = clean_name(wanted);
        if !wanted.is_empty() && wanted != name {
            (self.bad)(settings_warnings::called_twice(&wanted, &name));
        }
    }

    /// What is shown in a source's stead.
    fn fallback(&mut self, of: &Value, key: &str, name: &str) -> VideoFallback {
        let text = self.text(of, key).unwrap_or_default();
        if text.is_empty() {
            return VideoFallback::Keep;
        }
        text.parse().unwrap_or_else(|why| {
            (self.bad)(settings_warnings::of_source(&key, &name, &why));
            VideoFallback::Keep
        })
    }

    /// How scenes come, or the scene of this table.
    fn transition(&mut self, of: &Value, default: Transition) -> Transition {
        let most = transition::MAX_STINGER.as_secs_f64() * 1e3;
        let time = |ms: f64| Duration::from_secs_f64(ms / 1e3);
        let mut kind = default.kind;
        if let Some(text) = self.text(of, "transition") {
            match transition_of(&text) {
                Some(known) => kind = known,
                None => (self.bad)(settings_warnings::transition(&quoted(&text))),
            }
        }
        let ms = self.number(of, "transition_ms", 0.0, most);
        match &mut kind {
            Kind::Luma(wipe) => {
                let Some(table) = of.get("wipe") else {
                    return Transition { kind, duration: ms.map_or(default.duration, time) };
                };
                if let Order::Picture(path) = &mut wipe.order {
                    *path = self.text(table, "picture").unwrap_or_default().into();
                }
                if let Some(softness) = self.number(table, "softness", 0.0, 100.0) {
                    wipe.softness = softness as u8;
                }
                wipe.invert = self.flag(table, "invert");
            }
            Kind::Stinger(stinger) => {
                let none = Value::Table(toml::Table::new());
                let table = of.get("stinger").unwrap_or(&none);
                stinger.file = self.text(table, "file").unwrap_or_default().into();
                if let Some(cut) = self.number(table, "cut_ms", 0.0, most) {
                    stinger.cut = time(cut);
                }
                if let Some(text) = self.text(table, "matte") {
                    match matte_of(&text) {
                        Some(matte) => stinger.matte = matte,
                        None => (self.bad)(settings_warnings::matte(&quoted(&text))),
                    }
                }
                stinger.invert = self.flag(table, "invert");
                if let Some(volume) = self.number(table, "volume", 0.0, 100.0) {
                    stinger.volume = volume as u8;
                }
            }
            _ => {}
        }
        Transition { kind, duration: ms.map_or(default.duration, time) }
    }

    fn items(&mut self, table: &'a Value, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        for table in self.list(table, "items", &settings_warnings::the_items(), usize::MAX) {
            if self.items as usize >= MAX_ITEMS {
                self.over += 1;
                continue;
            }
            self.items += 1;
            let id = ItemId(self.items);
            if let Some(content) = self.content(table, depth) {
                items.push(self.item(table, Item::new(id, content)));
            }
        }
        items
    }

    fn content(&mut self, table: &'a Value, depth: usize) -> Option<Content> {
        if let Some(name) = self.text(table, "source") {
            let id = self.sources.get(&clean_name(&name)).copied();
            if id.is_none() {
                (self.bad)(settings_warnings::source_gone(&clean_name(&name)));
            }
            return id.map(Content::Source);
        }
        if let Some(name) = self.text(table, "scene") {
            let id = self.scenes.get(&clean_name(&name)).copied();
            if id.is_none() {
                (self.bad)(settings_warnings::scene_gone(&clean_name(&name)));
            }
            return id.map(Content::Scene);
        }
        if self.flag(table, "main") {
            return Some(Content::Source(MAIN));
        }
        if table.get("items").is_none() {
            (self.bad)(settings_warnings::shows_neither());
            return None;
        }
        if depth >= MAX_DEPTH {
            (self.bad)(settings_warnings::too_deep(&MAX_DEPTH));
            return None;
        }
        Some(Content::Group(self.items(table, depth + 1)))
    }

    fn item(&mut self, table: &Value, item: Item) -> Item {
        let none = Placement::default();
        let far = Placement::MAX_EXTENT;
        let mut number =
            |key, low, high, default| self.number(table, key, low, high).unwrap_or(default);
        let place = Placement {
            x: number("x", -far, far, none.x),
            y: number("y", -far, far, none.y),
            width: number("width", 0.001, far, none.width),
            height: number("height", 0.001, far, none.height),
            rotation: number("rotation", -3_600.0, 3_600.0, 0.0),
            ..none
        };
        let opacity = number("opacity", 0.0, 1.0, 1.0) as f32;
        let place = Placement {
            fit: self.named(table, "fit", &Fit::ALL),
            crop: self.crop(table),
            flip_x: self.flag(table, "flip_x"),
            flip_y: self.flag(table, "flip_y"),
            ..place
        };
        Item {
            name: clean_name(&self.text(table, "name").unwrap_or_default()),
            place: place.bounded(),
            opacity,
            blend: self.named(table, "blend", &Blend::ALL),
            hidden: self.flag(table, "hidden"),
            locked: self.flag(table, "locked"),
            ..item
        }
    }

    fn crop(&mut self, table: &Value) -> Crop {
        let Some(value) = table.get("crop") else { return Crop::default() };
        let sides: Vec<f64> = value.as_array().into_iter().flatten().filter_map(number).collect();
        match sides.as_slice() {
            &[left, top, right, bottom] if sides.iter().all(|side| (0.0..1.0).contains(side)) => {
                Crop { left, top, right, bottom }.bounded()
            }
            _ => {
                (self.bad)(settings_warnings::crop());
                Crop::default()
            }
        }
    }

    /// The tables of a list, at most `most` of them.
    fn list(&mut self, table: &'a Value, key: &str, what: &str, most: usize) -> Vec<&'a Value> {
        let Ok(list) = parts::list(table.get(key)) else {
            (self.bad)(settings_warnings::no_list(&what));
            return Vec::new();
        };
        if list.len() > most {
            (self.bad)(settings_warnings::beyond(&most, &what));
        }
        list.iter().take(most).collect()
    }

    /// It is told, and is as if nothing were written.
    fn none<T: Default>(&mut self, key: &str, fault: &str) -> T {
        (self.bad)(settings_warnings::in_scenes(&key, &fault));
        T::default()
    }

    fn text(&mut self, table: &Value, key: &str) -> Option<String> {
        match parts::text(table.get(key)) {
            Ok(text) => text.map(|text| text.chars().take(MAX_TEXT).collect()),
            Err(fault) => self.none(key, &fault.is()),
        }
    }

    fn flag(&mut self, table: &Value, key: &str) -> bool {
        parts::flag(table.get(key)).unwrap_or_else(|fault| self.none(key, &fault.is()))
    }

    fn number(&mut self, table: &Value, key: &str, low: f64, high: f64) -> Option<f64> {
        let value = table.get(key)?;
        let number = number(value).filter(|number| (low..=high).contains(number));
        number.or_else(|| self.none(key, &settings_warnings::is_not_from(&low, &high)))
    }

    fn named<T: Copy + Default>(&mut self, table: &Value, key: &str, names: &[(&str, T)]) -> T {
        let Some(text) = self.text(table, key) else { return T::default() };
        let fault = || settings_warnings::is_no_word(&quoted(&text));
        parts::meant(&text, names).unwrap_or_else(|| self.none(key, &fault()))
    }
}

/// Reads a collection's own file, or one of OBS.
///
/// # Errors
/// Why nothing can be taken out of it, in plain words.
pub fn import(path: &Path) -> Result<Import, String> {
    let file = fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = file.take(MAX_BYTES + 1).read_to_string(&mut text);
    read.map_err(|error| syntax::unreadable(&error))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(import_report::too_large());
    }
    import_text(&text)
}

/// The same out of a text.
///
/// # Errors
/// As [`import`].
pub fn import_text(text: &str) -> Result<Import, String> {
    let mut left_out = Vec::new();
    let value: Value = if syntax::without_mark(text).trim_start().starts_with('{') {
        let json = syntax::json(text)?;
        if obs::is_one(&json) {
            return Ok(obs::import(&json));
        }
        Value::try_from(syntax::without_nulls(json))
            .map_err(|_| import_report::too_big_a_number())?
    } else {
        Value::Table(syntax::toml(text)?)
    };
    let table = value.get("collection").ok_or_else(import_report::no_collection)?;
    // Settings have a collection too, and a version of their own.
    let settings = OF_SETTINGS.iter().any(|key| value.get(key).is_some());
    let newest = if settings { parts::VERSION } else { VERSION };
    if value.get("version").and_then(Value::as_integer).is_some_and(|it| it > newest) {
        left_out.push(import_report::newer());
    }
    let collection = read(table, &mut |why| left_out.push(why));
    // Those that came with it; the main one is everybody's own.
    let strips = strips::of_others(&value, &mut |why| left_out.push(why));
    Ok(Import { collection, strips, left_out })
}

/// Writes a collection's own file, with the strips that came with it: JSON if it is named so, else TOML;
/// by atomic replace.
///
/// # Errors
/// Why it could not be written, in plain words.
pub fn export(collection: &Collection, strips: &[AudioStrip], path: &Path) -> Result<(), String> {
    #[derive(Serialize)]
    struct Own {
        version: i64,
        collection: Table,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        strips: Vec<strips::Table>,
    }
    let given = secret_addresses::for_others(collection);
    let strips = strips::tables_of_others(&secret_addresses::strips_for_others(strips));
    let own = Own { version: VERSION, collection: layout::whole_table(&given), strips };
    let is_json = path.extension().is_some_and(|it| it.eq_ignore_ascii_case("json"));
    let text = if is_json {
        serde_json::to_string_pretty(&own).map_err(|error| error.to_string())?
    } else {
        toml::to_string_pretty(&own).map_err(|error| error.to_string())?
    };
    replace(path, &text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::filter::{Filter, Slot};
    use crate::compose::transition::{Pattern, Wipe};
    use crate::mix::StripId;
    use crate::studio::scenes::edits::Edit;
    use crate::studio::settings::Settings;
    use proptest::prelude::*;

    fn sample() -> Collection {
        let on = |filter| Slot { enabled: true, filter };
        let mut it = Collection::default();
        let main = SceneId(1);
        let place = Placement {
            x: 0.25,
            rotation: 12.5,
            crop: Crop { left: 0.125, ..Crop::default() },
            flip_x: true,
            fit: Fit::Cover,
            ..Placement::default()
        };
        for edit in [
            Edit::AddScene("Talk".into()),
            Edit::AddSource {
                scene: main,
                name: "Logo".into(),
                choice: VideoChoice::File("/none/logo.y4m".into()),
            },
            Edit::AddSource { scene: main, name: "Clip".into(), choice: VideoChoice::Test },
            Edit::ShowScene { scene: SceneId(2), shown: main },
            Edit::SetPlace(ItemId(2), place),
            Edit::SetOpacity(ItemId(2), 0.5),
            Edit::SetBlend(ItemId(3), Blend::Screen),
            Edit::HideItem(ItemId(3), true),
            Edit::LockItem(ItemId(3), true),
            Edit::RenameItem(ItemId(3), "片头".into()),
            Edit::SetFilters(MAIN, Filter::kinds().into_iter().map(on).collect()),
            Edit::SetFilters(SourceId(2), vec![on(Filter::of_kind("luma-key").unwrap())]),
            Edit::Group(vec![ItemId(2), ItemId(3)]),
            Edit::SetTransition(Transition {
                kind: Kind::Luma(Wipe { softness: 30, invert: true, ..Wipe::of(Pattern::Clock) }),
                duration: Duration::from_millis(750),
            }),
        ] {
            assert!(it.apply(&edit), "{edit:?}");
        }
        it.current = SceneId(2);
        it
    }

    /// Ids are given anew on reading: written again, it is the same text.
    fn text_of(collection: &Collection) -> String {
        toml::to_string_pretty(&layout::whole_table(collection)).unwrap()
    }

    #[test]
    fn what_was_written_is_read_back_as_toml_and_json_and_in_the_settings() {
        let folder = tempfile::tempdir().unwrap();
        let want = text_of(&sample());
        for name in ["scenes.toml", "scenes.json"] {
            let path = folder.path().join(name);
            export(&sample(), &[], &path).unwrap();
            let read = import(&path).unwrap();
            assert_eq!(read.left_out, Vec::<String>::new(), "{name}");
            assert_eq!(text_of(&read.collection), want, "{name}");
        }
        let path = folder.path().join("settings.toml");
        let settings = Settings { collection: sample(), ..Settings::default() };
        settings.write(&path).unwrap();
        let (read, warnings) = Settings::read(&path);
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(text_of(&read.collection), want);
        Settings::default().write(&path).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("collection"));
    }

    #[test]
    fn strips_go_with_a_collection_and_keep_their_side_chains() {
        use crate::audio::AudioChoice;
        use crate::mix::filter;
        let strip = |id, choice: &str| AudioStrip {
            name: format!("Strip {id}"),
            ..AudioStrip::new(StripId(id), choice.parse().unwrap())
        };
        let mut duck = filter::Filter::of_kind("compressor").unwrap();
        let filter::Filter::Compressor { side_chain, .. } = &mut duck else { panic!("{duck:?}") };
        *side_chain = Some(StripId(1));
        let mut music = strip(2, "file:/m/song.mp3");
        music.strip.filters = vec![filter::Slot { enabled: true, filter: duck }];
        music.strip.gain_db = -6.0;
        let strips = [strip(1, "mic"), music, strip(3, "stream:rtmp://me:secret@host/live/x")];
        let folder = tempfile::tempdir().unwrap();
        for name in ["scenes.toml", "scenes.json"] {
            let path = folder.path().join(name);
            export(&sample(), &strips, &path).unwrap();
            assert!(!fs::read_to_string(&path).unwrap().contains("secret"), "{name}");
            let read = import(&path).unwrap();
            assert_eq!(read.left_out, Vec::<String>::new(), "{name}");
            assert_eq!(read.strips[..2], strips[..2], "{name}");
            assert!(matches!(&read.strips[2].choice, AudioChoice::Stream(_)));
            assert_eq!(read.strips.len(), 3);
        }
    }

    #[test]
    fn circles_are_broken_and_told() {
        let text = "[collection]\ncurrent = 'B'\n\
            [[collection.scenes]]\nname = 'A'\n[[collection.scenes.items]]\nscene = 'B'\n\
            [[collection.scenes]]\nname = 'B'\n[[collection.scenes.items]]\nscene = 'C'\n\
            [[collection.scenes]]\nname = 'C'\n[[collection.scenes.items]]\nitems = [{ scene = 'A' }, { main = true }]\n\
            [[collection.scenes.items]]\nscene = 'C'\n";
        let (settings, warnings) = Settings::parse(text);
        let collection = settings.collection;
        assert!(!warnings.is_empty(), "{warnings:?}");
        for scene in &collection.scenes {
            let shown: Vec<SceneId> =
                collection.scenes.iter().map(|it| it.id).filter(|it| *it != scene.id).collect();
            for other in shown {
                assert!(
                    !(collection.reaches(scene.id, other) && collection.reaches(other, scene.id))
                );
            }
        }
        assert_eq!(collection.current().unwrap().name, "B");
        assert_eq!(collection.plan(collection.current).sources().collect::<Vec<_>>(), [MAIN]);
    }

    #[test]
    fn ten_thousand_items_and_scenes_are_bounded() {
        let mut text = String::from("[collection]\n[[collection.scenes]]\nname = 'A'\n");
        for _ in 0..10_000 {
            text.push_str("[[collection.scenes.items]]\nmain = true\n");
        }
        let (settings, warnings) = Settings::parse(&text);
        assert_eq!(settings.collection.item_count(), MAX_ITEMS);
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        let scenes = "[[collection.scenes]]\nname = 'A'\n".repeat(10_000);
        let (settings, _) = Settings::parse(&scenes);
        assert_eq!(settings.collection.scenes.len(), MAX_SCENES);
    }

    #[test]
    fn bad_values_fall_back_one_by_one() {
        let text = "[collection]\ntransition = 'explode'\n\
            [[collection.sources]]\nname = 'Gone'\nsource = 'file:/none/at/all.y4m'\n\
            [[collection.sources]]\nname = 'Odd'\nsource = 'hologram'\n\
            [[collection.scenes]]\nname = 'A'\n\
            [[collection.scenes.items]]\nsource = 'Gone'\nx = 'left'\nwidth = -2\nrotation = 45\ncrop = [1]\nfit = 'snug'\n\
            [[collection.scenes.items]]\nsource = 'Nobody'\n";
        let (settings, warnings) = Settings::parse(text);
        let it = settings.collection;
        assert_eq!(it.sources[0].choice, VideoChoice::File("/none/at/all.y4m".into()), "kept");
        assert_eq!(it.sources[1].choice, VideoChoice::None);
        let place = it.scenes[0].items[0].place;
        assert_eq!(place, Placement { rotation: 45.0, ..Placement::default() });
        assert_eq!(it.scenes[0].items.len(), 1);
        assert_eq!(warnings.len(), 7, "{warnings:#?}");
        for text in
            ["collection = 7", "[collection]\nscenes = 'x'", "[collection]\nscenes = [1, 'a']"]
        {
            let (settings, _) = Settings::parse(text);
            assert!(settings.collection.current().is_some(), "{text}");
        }
    }

    #[test]
    fn a_newer_file_is_told_as_one() {
        let newer = |text: &str| {
            let left_out = import_text(text).unwrap().left_out;
            left_out.iter().any(|it| it == "what only a newer onair knows")
        };
        let own = |version: i64| format!("version = {version}\n[[collection.scenes]]\nname = 'A'");
        assert!(!newer(&own(1)) && newer(&own(2)), "its own version");
        assert!(newer(r#"{"version": 2, "collection": {"scenes": [{"name": "A"}]}}"#));
        let settings = |version: i64| format!("{}\n[window]\ntheme = 'dark'", own(version));
        assert!(!newer(&settings(parts::VERSION)) && newer(&settings(parts::VERSION + 1)));
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_a_collection(text in "(\\[\\[collection.(scenes|sources|scenes.items)\\]\\]\n|(name|source|scene|main|items|x|crop) = |'[AB]'|[0-9.]+|true|\\[|\\]|\n)*") {
            let (settings, _) = Settings::parse(&text);
            prop_assert!(settings.collection.current().is_some());
        }
    }
}
