//! The layout of scene collections in files, in which each key is one field. Defaults are not
//! written. Entries that refer to nothing are reported and dropped. The file is long because all tables
//! of a collection refer to each other.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::capture::text::TextAppearance;
use crate::capture::{BrowserPage, Pace, Properties, VideoChoice, VideoFallback, WhenHidden};
use crate::compose::filter::Slot;
use crate::compose::scene::{
    Blend, Content, Crop, Fit, Item, ItemId, ItemTransition, MAX_DEPTH, Placement, Scene, SceneId,
    SourceId,
};
use crate::compose::transition::{
    Kind, MAX_STINGER_DURATION, Matte, Order, Stinger, Transition, Wipe,
};
use crate::media::playback_control::EndBehavior;
use crate::studio::scenes::{
    Collection, MAIN_SOURCE, MAX_ITEMS, MAX_SCENES, MAX_SOURCES, Source, clean_name,
};
use crate::studio::settings::reading::lenient::Document;
use crate::studio::settings::reading::parts::{self, quoted};
use crate::studio::settings::reading::values::{self, form, is_usual, layout, within, words};
use crate::studio::settings::scenes::properties::{files, page, slides, text};
use crate::studio::settings::scenes::transition_words::{
    item_transition_of, item_transition_text, matte_of, matte_text, transition_of, transition_text,
};
use crate::studio::settings::sections::filters;
use crate::text::problem::{Problem, problem};

layout! {
    struct WipeTable of Wipe = Wipe::default(); {
        #[serde(with = "values::path", skip_serializing_if = "is_usual")]
        image: PathBuf,
        #[serde(deserialize_with = "percent")]
        softness: u8 = softness,
        invert: bool = invert,
    }
}

layout! {
    struct StingerTable of Stinger = Stinger::default(); {
        #[serde(with = "values::path")]
        file: PathBuf = file,
        #[serde(serialize_with = "values::as_millis", deserialize_with = "time")]
        cut_ms: Duration = cut,
        #[serde(with = "matte")]
        matte: Matte = matte,
        invert: bool = invert,
        #[serde(deserialize_with = "percent")]
        volume: u8 = volume,
    }
}

layout! {
    struct SourceTable of Source = Source::new(MAIN_SOURCE, String::new(), VideoChoice::None); {
        name: String,
        #[serde(deserialize_with = "values::short_text")]
        source: String,
        #[serde(with = "values::not", skip_serializing_if = "is_usual")]
        pointer: bool = properties.without_pointer,
        #[serde(with = "when_hidden", skip_serializing_if = "is_usual")]
        when_hidden: WhenHidden = properties.hidden,
        #[serde(with = "at_end", skip_serializing_if = "is_usual")]
        at_end: EndBehavior = properties.at_end,
        #[serde(with = "fallback", skip_serializing_if = "is_usual")]
        if_black: VideoFallback = fallback,
        #[serde(skip_serializing_if = "is_usual")]
        record: bool = record,
        #[serde(with = "files", skip_serializing_if = "is_usual")]
        files: Vec<PathBuf> = properties.files,
        #[serde(with = "text", skip_serializing_if = "is_usual")]
        text: TextAppearance = properties.text,
        #[serde(with = "slides", skip_serializing_if = "is_usual")]
        slides: Pace = properties.slides,
        #[serde(with = "page", skip_serializing_if = "is_usual")]
        browser: Box<BrowserPage> = properties.page,
        #[serde(skip_serializing_if = "is_usual")]
        filters: Vec<toml::Table>,
    }
}

layout! {
    /// The table of an item. The item shows what one of the first three keys names, or is a group
    /// of `items`.
    struct ItemTable of Item = Item::new(ItemId(0), Content::Source(MAIN_SOURCE)); {
        /// True for the main video source, which `video` sets.
        #[serde(skip_serializing_if = "is_usual")]
        main: bool,
        #[serde(skip_serializing_if = "is_usual")]
        source: Option<String>,
        #[serde(skip_serializing_if = "is_usual")]
        scene: Option<String>,
        #[serde(skip_serializing_if = "is_usual")]
        name: String,
        #[serde(serialize_with = "fine", deserialize_with = "extent", skip_serializing_if = "is_usual")]
        x: f64 = place.x,
        #[serde(serialize_with = "fine", deserialize_with = "extent", skip_serializing_if = "is_usual")]
        y: f64 = place.y,
        #[serde(serialize_with = "fine", deserialize_with = "side", skip_serializing_if = "is_one")]
        width: f64 = place.width,
        #[serde(serialize_with = "fine", deserialize_with = "side", skip_serializing_if = "is_one")]
        height: f64 = place.height,
        #[serde(with = "fit", skip_serializing_if = "is_usual")]
        fit: Fit = place.fit,
        #[serde(serialize_with = "fine", deserialize_with = "degrees", skip_serializing_if = "is_usual")]
        rotation: f64 = place.rotation,
        #[serde(with = "crop", skip_serializing_if = "is_usual")]
        crop: Crop = place.crop,
        #[serde(skip_serializing_if = "is_usual")]
        flip_x: bool = place.flip_x,
        #[serde(skip_serializing_if = "is_usual")]
        flip_y: bool = place.flip_y,
        #[serde(serialize_with = "fine", deserialize_with = "share", skip_serializing_if = "is_one")]
        opacity: f32 = opacity,
        #[serde(with = "blend", skip_serializing_if = "is_usual")]
        blend: Blend = blend,
        #[serde(skip_serializing_if = "is_usual")]
        hidden: bool = hidden,
        #[serde(skip_serializing_if = "is_usual")]
        locked: bool = locked,
        /// How the item appears and disappears.
        #[serde(with = "item_transition", skip_serializing_if = "is_usual")]
        show: Option<ItemTransition> = show,
        #[serde(with = "item_transition", skip_serializing_if = "is_usual")]
        hide: Option<ItemTransition> = hide,
        #[serde(skip_serializing_if = "is_usual")]
        items: Option<Vec<Self>>,
        /// The filters of a group.
        #[serde(skip_serializing_if = "is_usual")]
        filters: Vec<toml::Table>,
    }
}

const WHEN_HIDDEN_WORDS: [(&str, WhenHidden); 3] =
    [("play", WhenHidden::Plays), ("pause", WhenHidden::Pauses), ("restart", WhenHidden::Restarts)];

words!(when_hidden, WhenHidden, super::WHEN_HIDDEN_WORDS);
words!(at_end, EndBehavior, EndBehavior::ALL);
words!(fit, Fit, Fit::ALL);
words!(blend, Blend, Blend::ALL);

within! {
    extent: f64 = -Placement::MAX_EXTENT..=Placement::MAX_EXTENT;
    side: f64 = 0.001..=Placement::MAX_EXTENT;
    degrees: f64 = -3_600.0..=3_600.0, "degrees";
    share: f32 = 0.0..=1.0;
    milliseconds: f64 = 0.0..=MAX_STINGER_DURATION.as_secs_f64() * 1e3, "ms";
    hundredths: f32 = 0.0..=100.0, "%";
}

fn time<'de, T: From<Duration>, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    milliseconds(from).map(|ms| Duration::from_secs_f64(ms / 1e3).into())
}

fn percent<'de, D: Deserializer<'de>>(from: D) -> Result<u8, D::Error> {
    hundredths(from).map(|share| share as u8)
}

/// Writes a length rounded to a millionth of the program, which is less than a pixel.
fn fine<T: Copy + Into<f64>, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    (((*value).into() * 1e6).round() / 1e6).serialize(to)
}

fn is_one<T: Copy + Into<f64>>(value: &T) -> bool {
    (*value).into() == 1.0
}

form! {
    /// Reads and writes the sides in the order left, top, right, bottom.
    crop: Crop;
    write crop => [crop.left, crop.top, crop.right, crop.bottom];
    read sides: toml::Value::deserialize => {
        // Either all sides are used or none: if a bad value were left out, the other values would
        // change their positions.
        let sides: Option<[f64; 4]> = sides.try_into().ok();
        let sides = sides.filter(|sides| sides.iter().all(|side| (0.0..1.0).contains(side)));
        let crop = |[left, top, right, bottom]: [f64; 4]| Crop { left, top, right, bottom };
        sides.map(|sides| crop(sides).bounded()).ok_or_else(|| problem!("settings-crop"))
    };
}

form! {
    /// Reads and writes the kind of an item's transition, with its duration: `fade 300`.
    item_transition: Option<ItemTransition>;
    write it => it.map(item_transition_text).unwrap_or_default();
    read text: String::deserialize => {
        let unknown = || problem!("settings-item-transition", word = quoted(&text));
        item_transition_of(&text).ok_or_else(unknown)
    };
}

form! {
    matte: Matte;
    write matte => matte_text(*matte);
    read text: String::deserialize => {
        matte_of(&text).ok_or_else(|| problem!("settings-matte", word = quoted(&text)))
    };
}

form! {
    kind: Option<Kind>;
    write kind => kind.as_ref().map(transition_text);
    read text: String::deserialize => {
        let unknown = || problem!("settings-transition", word = quoted(&text));
        transition_of(&text).map(Some).ok_or_else(unknown)
    };
}

form! {
    /// Reads and writes the fallback of a source; an empty text means none.
    fallback: VideoFallback;
    write fallback => fallback.to_string();
    read fallback: values::text_or_none::deserialize => Ok(fallback.unwrap_or_default());
}

/// Defines a table that contains a transition: the default one, or that of one scene.
macro_rules! with_transition {
    ($(#[$meta:meta])* struct $table:ident { $($first:tt)* } and { $($last:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub(in crate::settings) struct $table {
            $($first)*
            #[serde(with = "kind", skip_serializing_if = "is_usual")]
            transition: Option<Kind>,
            #[serde(
                serialize_with = "values::as_millis",
                deserialize_with = "time",
                skip_serializing_if = "is_usual"
            )]
            transition_ms: Option<Duration>,
            /// The settings of a wipe.
            #[serde(skip_serializing_if = "is_usual")]
            wipe: Option<WipeTable>,
            /// The settings of a stinger.
            #[serde(skip_serializing_if = "is_usual")]
            stinger: Option<StingerTable>,
            $($last)*
        }

        impl $table {
            fn set_transition(&mut self, transition: &Transition) {
                self.transition = Some(transition.kind.clone());
                self.transition_ms = Some(transition.duration);
                match &transition.kind {
                    Kind::Luma(wipe) => {
                        let image = wipe.image().unwrap_or("".as_ref()).to_owned();
                        let table = WipeTable { image, ..WipeTable::of(wipe) };
                        self.wipe = Some(table).filter(|table| !is_usual(table));
                    }
                    Kind::Stinger(stinger) => self.stinger = Some(StingerTable::of(stinger)),
                    _ => {}
                }
            }

            fn transition(&self, usual: Transition) -> Transition {
                let mut kind = self.transition.clone().unwrap_or(usual.kind);
                match (&mut kind, &self.wipe, &self.stinger) {
                    (Kind::Luma(wipe), Some(table), _) => {
                        table.put(wipe);
                        if let Order::Image(path) = &mut wipe.order {
                            path.clone_from(&table.image);
                        }
                    }
                    (Kind::Stinger(stinger), _, Some(table)) => table.put(stinger),
                    _ => {}
                }
                Transition { kind, duration: self.transition_ms.unwrap_or(usual.duration) }
            }
        }
    };
}

with_transition! {
    struct CollectionTable {
        current: String,
    } and {
        /// The fallback of the main video source, which `video` sets.
        #[serde(with = "fallback", skip_serializing_if = "is_usual")]
        main_if_black: VideoFallback,
        #[serde(skip_serializing_if = "is_usual")]
        sources: Vec<SourceTable>,
        /// The filters of the main video source.
        #[serde(skip_serializing_if = "is_usual")]
        main_filters: Vec<toml::Table>,
        scenes: Vec<SceneTable>,
    }
}

with_transition! {
    struct SceneTable {
        name: String,
    } and {
        #[serde(skip_serializing_if = "is_usual")]
        filters: Vec<toml::Table>,
        #[serde(skip_serializing_if = "is_usual")]
        items: Vec<ItemTable>,
    }
}

impl CollectionTable {
    /// Formats a collection, without sources that only the program of studio mode still shows.
    pub fn of(collection: &Collection) -> Self {
        let collection = &collection.without_program();
        let source = |source: &Source| SourceTable {
            name: source.name.clone(),
            source: source.choice.to_string(),
            filters: filter_tables(&source.filters),
            ..SourceTable::of(source)
        };
        let scene = |scene: &Scene| {
            let items = scene.items.iter().map(|item| ItemTable::shown(collection, item));
            let name = scene.name.clone();
            let filters = filter_tables(collection.filters(SourceId::of_scene(scene.id)));
            let items = items.collect();
            let mut table = SceneTable { name, items, filters, ..SceneTable::default() };
            if let Some(own) = collection.own_transitions.get(&scene.id) {
                table.set_transition(own);
            }
            table
        };
        let current = collection.scene(collection.current).map(|scene| scene.name.clone());
        let mut table = Self {
            current: current.unwrap_or_default(),
            main_if_black: collection.main_fallback.clone(),
            sources: collection.sources.iter().map(source).collect(),
            main_filters: filter_tables(&collection.main_filters),
            scenes: collection.scenes.iter().map(scene).collect(),
            ..Self::default()
        };
        table.set_transition(&collection.transition);
        table
    }

    /// Returns the collection of this table, which is `collection` in the document.
    pub fn collection(self, from: &mut Document<'_>) -> Collection {
        let mut reader = Reader {
            document: from,
            filters: BTreeMap::new(),
            sources: BTreeMap::new(),
            scenes: BTreeMap::new(),
            items: 0,
            over: 0,
        };
        reader.collection(self)
    }
}

impl ItemTable {
    /// Formats an item.
    pub fn shown(collection: &Collection, item: &Item) -> Self {
        let mut table = Self { name: item.name.clone(), ..Self::of(item) };
        match &item.content {
            Content::Source(MAIN_SOURCE) => table.main = true,
            Content::Source(id) => table.source = Some(collection.source_name(*id).to_owned()),
            Content::Scene(id) => {
                table.scene = collection.scene(*id).map(|scene| scene.name.clone());
            }
            Content::Group(items) => {
                table.items = Some(items.iter().map(|it| Self::shown(collection, it)).collect());
                table.filters = filter_tables(collection.filters(SourceId::of_group(item.id)));
            }
        }
        table
    }

    /// Sets the values of this table in the item.
    pub fn put_to(&self, item: &mut Item) {
        self.put(item);
        item.name = clean_name(&self.name);
        item.place = item.place.bounded();
    }
}

fn filter_tables(slots: &[Slot]) -> Vec<toml::Table> {
    slots.iter().map(|slot| filters::table(slot.enabled, &slot.filter)).collect()
}

struct Reader<'a, 'd> {
    document: &'a mut Document<'d>,
    /// The filters of scenes and groups.
    filters: BTreeMap<SourceId, Vec<Slot>>,
    sources: BTreeMap<String, SourceId>,
    scenes: BTreeMap<String, SceneId>,
    items: usize,
    /// The number of items beyond the limit.
    over: usize,
}

impl Reader<'_, '_> {
    fn collection(&mut self, table: CollectionTable) -> Collection {
        let usual = Collection::default();
        let mut it = Collection {
            sources: Vec::new(),
            scenes: Vec::new(),
            transition: table.transition(usual.transition.clone()),
            main_fallback: table.main_if_black,
            main_filters: self.filters(&table.main_filters, "collection.main_filters"),
            ..usual
        };
        self.at_most(MAX_SOURCES, "sources", table.sources.len());
        for (at, table) in table.sources.iter().take(MAX_SOURCES).enumerate() {
            let source = self.source(&format!("collection.sources.{at}"), table, &it);
            self.sources.insert(source.name.clone(), source.id);
            it.sources.push(source);
        }
        self.at_most(MAX_SCENES, "scenes", table.scenes.len());
        let scenes = table.scenes.iter().take(MAX_SCENES);
        for (at, table) in scenes.clone().enumerate() {
            let (id, name) = (it.next_scene(), it.free_scene_name(&table.name));
            self.tell_twice(&format!("collection.scenes.{at}.name"), &table.name, &name);
            self.scenes.insert(name.clone(), id);
            if table.transition.is_some() {
                it.own_transitions.insert(id, table.transition(Collection::default().transition));
            }
            it.scenes.push(Scene { id, name, items: Vec::new() });
        }
        for (at, table) in scenes.enumerate() {
            let place = format!("collection.scenes.{at}");
            let items = self.items(&place, &table.items, 1);
            let filters = self.filters(&table.filters, &format!("{place}.filters"));
            if let Some(scene) = it.scenes.get_mut(at) {
                scene.items = items;
                self.filters.insert(SourceId::of_scene(scene.id), filters);
            }
        }
        if self.over > 0 {
            let why = problem!("settings-items-beyond", most = MAX_ITEMS, count = self.over);
            self.document.note("collection.scenes", &why);
        }
        for name in it.break_circles() {
            self.document
                .note("collection.scenes", &problem!("settings-shows-itself", name = &name));
        }
        if it.scenes.is_empty() {
            it.scenes = Collection::default().scenes;
        }
        it.current = self.current(&table.current, &it);
        it.composed_filters = std::mem::take(&mut self.filters);
        it.forget_composed_filters();
        it
    }

    fn current(&mut self, name: &str, it: &Collection) -> SceneId {
        if let Some(scene) = it.scene_named(name) {
            return scene.id;
        }
        let first = it.scenes.first();
        if !name.is_empty() {
            let first = first.map_or("", |scene| &scene.name);
            let why = problem!("settings-no-current", name = clean_name(name), other = first);
            self.document.note("collection.current", &why);
        }
        first.map(|scene| scene.id).unwrap_or_default()
    }

    fn source(&mut self, at: &str, table: &SourceTable, others: &Collection) -> Source {
        let name = others.free_source_name(&table.name);
        self.tell_twice(&format!("{at}.name"), &table.name, &name);
        let choice = table.source.parse().unwrap_or_else(|why| {
            let why = problem!("settings-shows-nothing", name = &name, why = why);
            self.document.note(&format!("{at}.source"), &why);
            VideoChoice::None
        });
        if table.files.len() > Properties::MAX_ADDITIONAL_FILES {
            let why = problem!("settings-the-rest", most = Properties::MAX_ADDITIONAL_FILES);
            self.document.note(&format!("{at}.files"), &why);
        }
        let mut source = Source::new(others.next_source(), name, choice);
        table.put(&mut source);
        source.properties = source.properties.bounded();
        source.filters = self.filters(&table.filters, &format!("{at}.filters"));
        source
    }

    fn filters(&mut self, tables: &[toml::Table], at: &str) -> Vec<Slot> {
        let filters = filters::read(tables, at, self.document).into_iter();
        filters.map(|(enabled, filter)| Slot { enabled, filter }).collect()
    }

    fn at_most(&mut self, most: usize, list: &str, count: usize) {
        if count > most {
            let why = problem!("settings-the-rest", most = most);
            self.document.note(&format!("collection.{list}"), &why);
        }
    }

    /// Reports a second scene or source with the same name, because references mean the first one.
    fn tell_twice(&mut self, at: &str, wanted: &str, name: &str) {
        let wanted = clean_name(wanted);
        if !wanted.is_empty() && wanted != name {
            self.document.note(at, &problem!("settings-called-twice", name = wanted, other = name));
        }
    }

    /// Reads the items of a scene or group. `at` is its path in the document, for warnings.
    fn items(&mut self, at: &str, tables: &[ItemTable], depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        for (number, table) in tables.iter().enumerate() {
            if self.items >= MAX_ITEMS {
                self.over += 1;
                continue;
            }
            self.items += 1;
            let id = ItemId(u32::try_from(self.items).unwrap_or(u32::MAX));
            let at = format!("{at}.items.{number}");
            match self.content(&at, table, depth) {
                Ok(content) => {
                    let mut item = Item::new(id, content);
                    table.put_to(&mut item);
                    if item.is_group() {
                        let filters = self.filters(&table.filters, &format!("{at}.filters"));
                        self.filters.insert(SourceId::of_group(id), filters);
                    }
                    items.push(item);
                }
                Err((key, why)) => self.document.note(&format!("{at}{key}"), &why),
            }
        }
        items
    }

    /// # Errors
    /// Fails with the key whose content is not valid, and the reason.
    fn content(
        &mut self,
        at: &str,
        table: &ItemTable,
        depth: usize,
    ) -> Result<Content, (&'static str, Problem)> {
        if let Some(name) = table.source.as_deref().map(clean_name) {
            let id = self.sources.get(&name).copied().map(Content::Source);
            return id.ok_or_else(|| (".source", problem!("settings-source-gone", name = &name)));
        }
        if let Some(name) = table.scene.as_deref().map(clean_name) {
            let id = self.scenes.get(&name).copied().map(Content::Scene);
            return id.ok_or_else(|| (".scene", problem!("settings-scene-gone", name = &name)));
        }
        match &table.items {
            _ if table.main => Ok(Content::Source(MAIN_SOURCE)),
            None => Err(("", problem!("settings-shows-neither"))),
            Some(_) if depth >= MAX_DEPTH => {
                Err((".items", problem!("settings-too-deep", most = MAX_DEPTH)))
            }
            Some(items) => Ok(Content::Group(self.items(at, items, depth + 1))),
        }
    }
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;
    use crate::compose::transition::Pattern;
    use crate::studio::settings::Settings;

    #[test]
    fn image_wipes_and_stingers_read_back_and_bad_ones_are_reported() {
        let order = Order::Image("/v/a \"b\".png".into());
        let stinger = Stinger {
            file: "/v/转场.webp".into(),
            cut: Duration::from_millis(1_250),
            matte: Matte::Color([0, 255, 16]),
            invert: true,
            volume: 40,
        };
        for kind in [
            Kind::Luma(Wipe { order, softness: 0, invert: false }),
            Kind::Luma(Wipe::of(Pattern::Dissolve)),
            Kind::Stinger(stinger),
        ] {
            let transition = Transition { kind, duration: Duration::from_millis(700) };
            let mut before = Collection { transition: transition.clone(), ..Collection::default() };
            let mut own = before.scenes[0].clone();
            (own.id, own.name) = (before.next_scene(), "Own".into());
            own.items.clear();
            before.own_transitions.insert(own.id, transition);
            before.scenes.push(own);
            let (read, warnings) = Settings::parse(
                &toml::to_string(&toml::Table::from_iter([(
                    "collection".to_owned(),
                    Value::try_from(CollectionTable::of(&before)).unwrap(),
                )]))
                .unwrap(),
            );
            assert_eq!(warnings, Vec::<String>::new());
            assert_eq!(read.collection.transition, before.transition);
            assert_eq!(read.collection.own_transitions, before.own_transitions);
        }
        let text = "[collection]\ntransition = 'stinger'\n[collection.stinger]\nfile = 7\n\
            cut_ms = -1\nmatte = 'left'\ninvert = 1\nvolume = 101\n";
        let (settings, warnings) = Settings::parse(text);
        assert_eq!(settings.collection.transition.kind, Kind::Stinger(Stinger::default()));
        assert_eq!(warnings.len(), 5, "{warnings:#?}");
    }
}
