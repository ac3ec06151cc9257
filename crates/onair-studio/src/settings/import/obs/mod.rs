//! Imports scene collections of OBS (its JSON files): scenes, groups, items with their placements,
//! and sources of the kinds that onair supports. The unsupported parts are listed.

pub(in crate::settings) mod audio_filters;
pub(in crate::settings) mod audio_sources;
pub(in crate::settings) mod canvases;
pub(in crate::settings) mod colors;
pub(in crate::settings) mod devices;
pub(in crate::settings) mod imported_filters;
pub(in crate::settings) mod json;
pub(in crate::settings) mod placement;
pub(in crate::settings) mod sizes;
pub(in crate::settings) mod text_and_slides;
pub(in crate::settings) mod transitions;
pub(in crate::settings) mod video_filters;
pub(in crate::settings) mod video_sources;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use serde_json::Value;

use crate::audio::AudioChoice;
use crate::capture::VideoChoice;
use crate::compose::filter::{Filter, MAX_FILTERS, Slot};
use crate::compose::scene::{Content, Fit, Item, ItemId, MAX_DEPTH, Scene, SourceId};
use crate::compose::transition::{self, Transition};
use crate::media::TrackKind;
use crate::studio::mixer::audio_of;
use crate::studio::scenes::{Collection, MAX_ITEMS, MAX_SCENES, MAX_SOURCES, Source};
use crate::studio::settings::import::Import;
use crate::studio::settings::import::obs::audio_sources::SceneCounts;
use crate::studio::settings::import::obs::json::{
    array, is_group_copy, is_off, is_on, number, part, text,
};
use crate::studio::settings::import::obs::sizes::SourceInfo;
use crate::studio::settings::import::obs::video_sources::ImportedSource;
use crate::text::problem::{Problem, problem};

/// Maximum number of listed parts that are not imported.
const MAX_REPORTED_PARTS: usize = 1_000;
/// Maximum number of items that are read, including those that are not imported. A group that
/// contains itself is read again at each depth.
const MAX_READ_ITEMS: usize = 20 * MAX_ITEMS;

/// Returns true if this is a scene collection of OBS.
pub fn is_one(json: &Value) -> bool {
    let has = |key: &str| json.get(key).is_some();
    json.get("sources").is_some_and(Value::is_array) && (has("scene_order") || has("current_scene"))
}

/// Imports the supported parts.
pub fn import(json: &Value) -> Import {
    let (json, of_other_canvases) = &canvases::of_main_canvas(json);
    let collection = Collection { scenes: Vec::new(), ..Collection::default() };
    let canvas = placement::canvas(json);
    let mut importer = Importer { canvas, collection, ..Importer::default() };
    let all: Vec<&Value> = [array(json, "sources"), array(json, "groups")].concat();
    for source in &all {
        importer.by_name.entry(text(source, "name")).or_insert(source);
    }
    // Scenes in the file's order, followed by the scenes that `scene_order` does not contain.
    let order = array(json, "scene_order").iter().map(|it| text(it, "name")).collect::<Vec<_>>();
    let is_scene = |source: &&&Value| text(source, "id") == "scene";
    let named: Vec<&str> = all.iter().filter(is_scene).map(|it| text(it, "name")).collect();
    let [in_order, in_file] =
        [&order, &named].map(|all| all.iter().copied().collect::<HashSet<_>>());
    let rest = named.iter().copied().filter(|name| !in_order.contains(name));
    let names: Vec<&str> =
        order.iter().copied().filter(|name| in_file.contains(name)).chain(rest).collect();
    if names.len() > MAX_SCENES {
        importer.left_out.insert(problem!("import-scenes-beyond", most = MAX_SCENES));
    }
    for name in names.iter().take(MAX_SCENES) {
        let scene = Scene {
            id: importer.collection.next_scene(),
            name: importer.collection.free_scene_name(name),
            items: Vec::new(),
        };
        importer.scenes.insert(name, scene.id.0);
        importer.collection.scenes.push(scene);
    }
    for (index, name) in names.iter().enumerate().take(MAX_SCENES) {
        let Some(source) = importer.by_name.get(name).copied() else { continue };
        let items = importer.items(source, 1);
        let canvas = importer.canvas;
        if let Some(id) = importer.collection.scenes.get(index).map(|scene| scene.id) {
            importer.composed_filters(SourceId::of_scene(id), source, canvas);
        }
        if let Some(scene) = importer.collection.scenes.get_mut(index) {
            scene.items = items;
            let (own, not) = transitions::of_scene(json, source);
            let id = scene.id;
            importer.collection.own_transitions.extend(own.map(|own| (id, own)));
            importer.left_out.extend(not);
        }
    }
    let of_other_canvases = of_other_canvases.iter();
    importer
        .left_out
        .extend(of_other_canvases.map(|it| problem!("import-other-canvas", name = it)));
    importer.tell_of_unused(&all);
    importer.tell_of_the_rest(json, &all);
    importer.finish(json)
}

#[derive(Default)]
struct Importer<'a> {
    /// The width and height of the canvas in pixels.
    canvas: (f64, f64),
    by_name: BTreeMap<&'a str, &'a Value>,
    scenes: BTreeMap<&'a str, u32>,
    sources: BTreeMap<&'a str, Option<SourceId>>,
    /// The groups that a scene shows.
    groups: BTreeSet<&'a str>,
    /// The known properties of imported sources.
    known: BTreeMap<&'a str, SourceInfo>,
    collection: Collection,
    items: u32,
    /// The number of items that were read, including those that are not imported.
    read_items: usize,
    left_out: HashSet<Problem>,
}

impl<'a> Importer<'a> {
    fn finish(mut self, json: &Value) -> Import {
        if self.is_full() {
            self.left_out.insert(problem!("import-items-beyond", most = self.items));
        }
        let mut collection = self.collection;
        if collection.scenes.is_empty() {
            collection.scenes = Collection::default().scenes;
        }
        // OBS itself refuses recursion, but a file may contain anything.
        for name in collection.break_circles() {
            self.left_out.insert(problem!("import-circle", name = &name));
        }
        let program = ["current_program_scene", "current_scene"];
        let current = program.iter().map(|key| text(json, key)).find(|name| !name.is_empty());
        collection.current = current
            .and_then(|name| collection.scene_named(name))
            .or(collection.scenes.first())
            .map(|scene| scene.id)
            .unwrap_or_default();
        let duration = number(json, "transition_duration").unwrap_or(300.0).clamp(0.0, 20_000.0);
        let (kind, not) = transitions::read(json);
        self.left_out.extend(not);
        let duration = Duration::from_millis(duration as u64).min(transition::MAX_STINGER_DURATION);
        collection.transition = Transition { kind, duration }.bounded();
        let beside: BTreeMap<&str, AudioChoice> = self
            .sources
            .iter()
            .filter_map(|(name, id)| {
                let has_audio =
                    self.known.get(name).and_then(|known| known.has_audio) != Some(false);
                let choice = &collection.source((*id)?)?.choice;
                Some((*name, audio_of(choice).filter(|_| has_audio)?))
            })
            .collect();
        let scenes = SceneCounts::of(self.scenes.keys().copied(), &self.by_name);
        let strips = audio_sources::read(json, &beside, &scenes, &mut self.left_out);
        let mut left_out: Vec<Problem> = self.left_out.into_iter().collect();
        left_out.sort_by_cached_key(ToString::to_string);
        if left_out.len() > MAX_REPORTED_PARTS {
            let more = left_out.len() - MAX_REPORTED_PARTS;
            left_out.truncate(MAX_REPORTED_PARTS);
            left_out.push(problem!("import-and-more", count = more));
        }
        Import { name: text(json, "name").to_owned(), collection, strips, left_out }
    }

    fn is_full(&self) -> bool {
        self.items as usize >= MAX_ITEMS || self.read_items >= MAX_READ_ITEMS
    }

    fn items(&mut self, scene: &'a Value, depth: usize) -> Vec<Item> {
        let tables = scene.get("settings").and_then(|it| it.get("items")).and_then(Value::as_array);
        let mut items = Vec::new();
        for table in tables.into_iter().flatten() {
            if self.is_full() {
                break;
            }
            if is_group_copy(table) {
                continue;
            }
            self.read_items += 1;
            let name = text(table, "name");
            let Some(source) = self.by_name.get(name).copied() else {
                let scene = text(scene, "name");
                self.left_out.insert(match name {
                    "" => problem!("import-item-of-nothing", scene = &scene),
                    name => problem!("import-item-of", scene = &scene, name = &name),
                });
                continue;
            };
            let Some(content) = self.content(name, source, depth) else { continue };
            self.items += 1;
            let hidden = is_off(table, "visible");
            let locked = is_on(table, "locked");
            let whole = matches!(content, Content::Group(_));
            let size = match content {
                Content::Scene(_) => Some(self.canvas),
                Content::Group(_) => sizes::of_group(source),
                Content::Source(_) => self.known.get(name).and_then(|known| known.size),
            };
            let (mut place, unsure) = placement::place(table, size, self.canvas, whole);
            if let Content::Source(id) = content
                && let Some(source) = self.collection.source(id)
                && matches!(source.choice, VideoChoice::Color(_))
            {
                // In OBS, the item has its own size; here, it fills its box.
                place.fit = Fit::Stretch;
            }
            if unsure {
                self.left_out.insert(problem!(
                    "import-size-unknown",
                    name = &name,
                    size = &pixels(self.canvas)
                ));
            }
            self.left_out.extend(item_not(table, name, whole));
            if whole {
                let id = SourceId::of_group(ItemId(self.items));
                self.composed_filters(id, source, size.unwrap_or(self.canvas));
            }
            let show = transitions::of_item(part(table, "show_transition"));
            let hide = transitions::of_item(part(table, "hide_transition"));
            items.push(Item {
                show,
                hide,
                place,
                blend: placement::blend(text(table, "blend_type")),
                hidden,
                locked,
                ..Item::new(ItemId(self.items), content)
            });
        }
        items
    }

    fn content(&mut self, name: &'a str, source: &'a Value, depth: usize) -> Option<Content> {
        match text(source, "id") {
            "scene" => {
                let id = self.scenes.get(name).copied()?;
                Some(Content::Scene(crate::compose::scene::SceneId(id)))
            }
            "group" => {
                self.groups.insert(name);
                if depth >= MAX_DEPTH {
                    self.left_out.insert(problem!("import-too-deep", name = &name));
                    return None;
                }
                Some(Content::Group(self.items(source, depth + 1)))
            }
            _ => self.source(name, source).map(Content::Source),
        }
    }

    /// Reads the filters of a scene or group of this size.
    fn composed_filters(&mut self, id: SourceId, source: &Value, size: (f64, f64)) {
        let name = text(source, "name");
        let taken = video_filters::read(source, size);
        self.left_out.extend(taken.left_out(TrackKind::Video, name));
        let not = taken.otherwise.iter();
        let not = not.map(|not| problem!("import-of-source", name = name, what = not));
        self.left_out.extend(not);
        if !taken.slots.is_empty() {
            self.collection.composed_filters.insert(id, taken.slots);
        }
    }

    /// Reports hotkeys and scripts, which are not imported.
    fn tell_of_the_rest(&mut self, json: &Value, all: &[&'a Value]) {
        let bound = |it: &&Value| {
            let keys = it.get("hotkeys").and_then(Value::as_object);
            keys.is_some_and(|keys| {
                keys.values().any(|it| it.as_array().is_some_and(|it| !it.is_empty()))
            })
        };
        if all.iter().any(bound) {
            self.left_out.insert(problem!("import-hotkeys"));
        }
        if json.get("modules").is_some_and(|it| !array(it, "scripts-tool").is_empty()) {
            self.left_out.insert(problem!("import-scripts"));
        }
    }

    /// Reports sources that are in no scene, and are therefore not imported. Audio sources are
    /// imported without a scene.
    fn tell_of_unused(&mut self, all: &[&'a Value]) {
        let shown = |source: &Value| match text(source, "id") {
            "scene" => true,
            "group" => self.groups.contains(text(source, "name")),
            _ => {
                self.sources.contains_key(text(source, "name"))
                    || audio_sources::choice(source).is_some()
            }
        };
        let unused = all.iter().filter(|it| it.is_object() && !shown(it));
        let problems: Vec<Problem> =
            unused.map(|it| problem!("import-no-scene-shows", name = &text(it, "name"))).collect();
        self.left_out.extend(problems);
    }

    fn source(&mut self, name: &'a str, source: &'a Value) -> Option<SourceId> {
        if let Some(known) = self.sources.get(name) {
            return *known;
        }
        if audio_sources::choice(source).is_some() {
            // An audio source becomes a strip of the mixer, regardless of its scene.
            return None;
        }
        let id = match video_sources::read(source) {
            _ if self.collection.sources.len() >= MAX_SOURCES => {
                self.left_out.insert(problem!("import-sources-beyond", most = MAX_SOURCES));
                None
            }
            Ok(ImportedSource { choice, properties, mut not, cut }) => {
                let kind = video_sources::kind(source);
                let known = sizes::of(kind, source, (&choice, &properties), self.canvas);
                let size = known.size.unwrap_or(self.canvas);
                let taken = video_filters::read(source, size);
                self.left_out.extend(taken.left_out(TrackKind::Video, name));
                let mut filters = taken.slots;
                not.extend(taken.otherwise);
                if let Some([left, top, right, bottom]) = cut {
                    let part = |side: f64, length: f64| (side / length.max(1.0)) as f32;
                    let (width, height) = size;
                    let filter = Filter::Crop {
                        left: part(left, width),
                        top: part(top, height),
                        right: part(right, width),
                        bottom: part(bottom, height),
                    };
                    filters.insert(0, Slot { enabled: true, filter: filter.bounded() });
                    if filters.len() > MAX_FILTERS {
                        filters.truncate(MAX_FILTERS);
                        not.push(problem!("import-last-filter"));
                    }
                    not.push(problem!("import-cut-of-screen", size = &pixels(size)));
                }
                if known.clear {
                    not.push(problem!("import-transparency"));
                }
                self.left_out.extend(
                    not.iter().map(|not| problem!("import-of-source", name = &name, what = not)),
                );
                self.known.insert(name, known);
                let id = self.collection.next_source();
                let name = self.collection.free_source_name(name);
                let source = Source::new(id, name, choice);
                self.collection.sources.push(Source { filters, properties, ..source });
                Some(id)
            }
            Err(why) => {
                self.left_out.insert(problem!("import-not-a-source", name = &name, why = &why));
                None
            }
        };
        self.sources.insert(name, id);
        id
    }
}

/// Lists the unsupported parts of an item with this name. A `whole` item (a group) is not cropped.
fn item_not(table: &Value, name: &str, whole: bool) -> impl Iterator<Item = Problem> {
    let sides = ["crop_left", "crop_top", "crop_right", "crop_bottom"];
    let cut = sides.iter().any(|side| number(table, side).is_some_and(|it| it > 0.0));
    let mixed = !matches!(text(table, "blend_method"), "" | "default");
    let changes = |key| transitions::differs_in_item(part(table, key));
    let scaled = !matches!(text(table, "scale_filter"), "" | "disable");
    let all = [
        (whole && cut, problem!("import-cut-off-group", name = name)),
        (mixed, problem!("import-blending-of", name = name)),
        (scaled, problem!("import-scaling-of", name = name)),
        (changes("show_transition"), problem!("import-appears-by", name = name)),
        (changes("hide_transition"), problem!("import-goes-by", name = name)),
    ];
    all.into_iter().filter_map(|(is_so, what)| is_so.then_some(what))
}

fn pixels((width, height): (f64, f64)) -> String {
    format!("{width}×{height}")
}

#[cfg(test)]
mod tests;
