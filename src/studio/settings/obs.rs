//! Takes scene collections of OBS in (its JSON files): scenes, groups, items with their places, and
//! the sources of the kinds that onair has. The rest is listed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::capture::{Hidden, Properties, VideoChoice};
use crate::compose::scene::{
    Blend, Content, Crop, Fit, Item, ItemId, MOST_DEPTH, Place, Scene, SourceId,
};
use crate::compose::transition::{self, Transition};
use crate::studio::scenes::{Collection, MOST_ITEMS, MOST_SCENES, MOST_SOURCES, Source};
use crate::studio::settings::obs_filters::{self, array, number, text};
use crate::studio::settings::obs_sounds;
use crate::studio::settings::obs_transitions;
use crate::studio::strips::SoundStrip;

/// What is left out is listed up to here.
const MOST_TOLD: usize = 30;

/// What a file had in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Import {
    pub collection: Collection,
    /// Strips of the mixer, to be [taken in](crate::studio::strips::take_in).
    pub strips: Vec<SoundStrip>,
    /// What was not taken in, in plain words.
    pub left_out: Vec<String>,
}

/// Whether this is such a file.
pub(super) fn is_one(json: &Value) -> bool {
    let has = |key: &str| json.get(key).is_some();
    json.get("sources").is_some_and(Value::is_array) && (has("scene_order") || has("current_scene"))
}

/// Takes in what can be.
pub(super) fn import(json: &Value) -> Import {
    let mut importer = Importer { canvas: canvas(json), ..Importer::default() };
    let all: Vec<&Value> = [array(json, "sources"), array(json, "groups")].concat();
    for source in &all {
        importer.by_name.entry(text(source, "name")).or_insert(source);
    }
    // Scenes in their order, then those that it does not name.
    let order = array(json, "scene_order").iter().map(|it| text(it, "name")).collect::<Vec<_>>();
    let is_scene = |source: &&&Value| text(source, "id") == "scene";
    let named: Vec<&str> = all.iter().filter(is_scene).map(|it| text(it, "name")).collect();
    let rest = named.iter().filter(|name| !order.contains(name)).copied();
    let names: Vec<&str> =
        order.iter().filter(|it| named.contains(it)).copied().chain(rest).collect();
    if names.len() > MOST_SCENES {
        importer.told.insert(format!("scenes beyond {MOST_SCENES}"));
    }
    for name in names.iter().take(MOST_SCENES) {
        let scene = Scene {
            id: importer.collection.next_scene(),
            name: importer.collection.free_scene_name(name),
            items: Vec::new(),
        };
        importer.scenes.insert(name, scene.id.0);
        importer.collection.scenes.push(scene);
    }
    for (index, name) in names.iter().enumerate().take(MOST_SCENES) {
        let Some(source) = importer.by_name.get(name).copied() else { continue };
        let items = importer.items(source, 1);
        if let Some(scene) = importer.collection.scenes.get_mut(index) {
            scene.items = items;
            let (own, not) = obs_transitions::of_scene(json, source);
            let id = scene.id;
            importer.collection.own_transitions.extend(own.map(|own| (id, own)));
            importer.told.extend(not);
        }
    }
    importer.finish(json)
}

#[derive(Default)]
struct Importer<'a> {
    /// Width and height of the canvas in pixels.
    canvas: (f64, f64),
    by_name: BTreeMap<&'a str, &'a Value>,
    scenes: BTreeMap<&'a str, u32>,
    sources: BTreeMap<&'a str, Option<SourceId>>,
    collection: Empty,
    items: u32,
    told: BTreeSet<String>,
}

/// A collection without the scene that is there from the start.
struct Empty(Collection);

impl Default for Empty {
    fn default() -> Self {
        Self(Collection { scenes: Vec::new(), ..Collection::default() })
    }
}

impl std::ops::Deref for Empty {
    type Target = Collection;

    fn deref(&self) -> &Collection {
        &self.0
    }
}

impl std::ops::DerefMut for Empty {
    fn deref_mut(&mut self) -> &mut Collection {
        &mut self.0
    }
}

impl<'a> Importer<'a> {
    fn finish(mut self, json: &Value) -> Import {
        let mut collection = self.collection.0;
        if collection.scenes.is_empty() {
            collection.scenes = Collection::default().scenes;
        }
        // OBS refuses circles itself; a file may hold anything.
        for index in 0..collection.scenes.len() {
            let Some(scene) = collection.scenes.get_mut(index) else { break };
            let (id, items) = (scene.id, std::mem::take(&mut scene.items));
            let kept = items
                .into_iter()
                .filter(|item| {
                    !matches!(item.content, Content::Scene(shown) if collection.reaches(shown, id))
                })
                .collect();
            if let Some(scene) = collection.scenes.get_mut(index) {
                scene.items = kept;
            }
        }
        let program = ["current_program_scene", "current_scene"];
        let current = program.iter().map(|key| text(json, key)).find(|name| !name.is_empty());
        collection.current = current
            .and_then(|name| collection.scene_named(name))
            .or(collection.scenes.first())
            .map(|scene| scene.id)
            .unwrap_or_default();
        let duration = number(json, "transition_duration").unwrap_or(300.0).clamp(0.0, 20_000.0);
        let (kind, not) = obs_transitions::read(json);
        self.told.extend(not);
        let duration = Duration::from_millis(duration as u64).min(transition::MOST);
        collection.transition = Transition { kind, duration }.bounded();
        if self.items as usize >= MOST_ITEMS {
            self.told.insert(format!("items beyond {MOST_ITEMS}"));
        }
        let strips = obs_sounds::read(json, &mut self.told);
        let mut left_out: Vec<String> = self.told.into_iter().collect();
        if left_out.len() > MOST_TOLD {
            let more = left_out.len() - MOST_TOLD;
            left_out.truncate(MOST_TOLD);
            left_out.push(format!("{more} more"));
        }
        Import { collection, strips, left_out }
    }

    fn items(&mut self, scene: &'a Value, depth: usize) -> Vec<Item> {
        let Some(settings) = scene.get("settings") else { return Vec::new() };
        let mut items = Vec::new();
        for table in array(settings, "items") {
            if self.items as usize >= MOST_ITEMS {
                break;
            }
            let name = text(table, "name");
            let Some(source) = self.by_name.get(name).copied() else { continue };
            let Some(content) = self.content(name, source, depth) else { continue };
            self.items += 1;
            let hidden = table.get("visible").and_then(Value::as_bool) == Some(false);
            let locked = table.get("locked").and_then(Value::as_bool) == Some(true);
            let whole = !matches!(content, Content::Source(_));
            items.push(Item {
                place: place(table, source, self.canvas, whole).bounded(),
                blend: blend(text(table, "blend_type")),
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
            "group" if depth >= MOST_DEPTH => None,
            "group" => Some(Content::Group(self.items(source, depth + 1))),
            _ => self.source(name, source).map(Content::Source),
        }
    }

    fn source(&mut self, name: &'a str, source: &'a Value) -> Option<SourceId> {
        if let Some(known) = self.sources.get(name) {
            return *known;
        }
        if obs_sounds::choice(source).is_some() {
            // A strip of the mixer, whichever scene it is in.
            return None;
        }
        let (filters, not) = obs_filters::read(source, self.canvas);
        if !not.is_empty() {
            self.told.insert(format!("filters of '{name}': {}", not.join(", ")));
        }
        let id = match choice(source) {
            _ if self.collection.sources.len() >= MOST_SOURCES => {
                self.told.insert(format!("sources beyond {MOST_SOURCES}"));
                None
            }
            Ok(choice) => {
                let id = self.collection.next_source();
                let name = self.collection.free_source_name(name);
                self.collection.sources.push(Source {
                    id,
                    name,
                    choice,
                    filters,
                    properties: Properties { hidden: hidden(source), ..Properties::default() },
                });
                Some(id)
            }
            Err(why) => {
                self.told.insert(format!("'{name}' ({why})"));
                None
            }
        };
        self.sources.insert(name, id);
        id
    }
}

/// A source of ours for one of theirs.
fn choice(source: &Value) -> Result<VideoChoice, String> {
    let none = Value::Null;
    let settings = source.get("settings").unwrap_or(&none);
    let kind = text(source, "id");
    let versioned =
        kind.rsplit_once("_v").filter(|(_, it)| it.chars().all(|it| it.is_ascii_digit()));
    let wanted = match versioned.map_or(kind, |(kind, _)| kind) {
        "image_source" => format!("image:{}", text(settings, "file")),
        "slideshow" => format!("slides:{}", slides(settings)),
        "color_source" => format!("color:{}", color(settings)),
        "ffmpeg_source"
            if settings.get("is_local_file").and_then(Value::as_bool) == Some(false) =>
        {
            format!("stream:{}", text(settings, "input"))
        }
        "ffmpeg_source" | "vlc_source" => format!("file:{}", text(settings, "local_file")),
        "v4l2_input" | "dshow_input" | "av_capture_input" | "macos-avcapture" => {
            // Their ids are not ours: the first camera, to be chosen anew.
            "camera".into()
        }
        "xshm_input" | "monitor_capture" | "display_capture" | "screen_capture" => "screen".into(),
        // The desktop is asked for these, for each apart.
        "pipewire-desktop-capture-source" | "pipewire-screen-capture-source" => {
            format!("screen:wayland/{}", shared_name(source))
        }
        "pipewire-window-capture-source" => format!("window:wayland/{}", shared_name(source)),
        "xcomposite_input" | "window_capture" => {
            return Err("a window: add it anew".into());
        }
        "text_gdiplus" | "text_ft2_source" => format!("text:{}", text(settings, "text")),
        other => return Err(other.to_owned()),
    };
    wanted.parse().map_err(|_| kind.to_owned())
}

/// The name of a source as part of an id.
fn shared_name(source: &Value) -> String {
    let plain = |sign: &char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
    let name: String = text(source, "name").chars().filter(plain).take(60).collect();
    if name.trim().is_empty() { "OBS".to_owned() } else { name.trim().to_owned() }
}

/// What becomes of something that plays while it is not shown.
fn hidden(source: &Value) -> Hidden {
    let none = Value::Null;
    let settings = source.get("settings").unwrap_or(&none);
    match text(source, "id") {
        "ffmpeg_source" => match settings.get("restart_on_activate").and_then(Value::as_bool) {
            Some(false) => Hidden::Plays,
            _ => Hidden::Restarts,
        },
        "slideshow" | "vlc_source" => match text(settings, "playback_behavior") {
            "pause_unpause" => Hidden::Pauses,
            "stop_restart" => Hidden::Restarts,
            _ => Hidden::Plays,
        },
        _ => Hidden::Plays,
    }
}

fn slides(settings: &Value) -> String {
    let first =
        array(settings, "files").first().map(|file| text(file, "value")).unwrap_or_default();
    std::path::Path::new(first)
        .parent()
        .unwrap_or(std::path::Path::new(first))
        .display()
        .to_string()
}

/// Their colours are ABGR in one number.
fn color(settings: &Value) -> String {
    let number = settings.get("color").and_then(Value::as_u64).unwrap_or(0xffff_ffff);
    let [r, g, b, a, ..] = number.to_le_bytes();
    if a == 255 {
        format!("#{r:02x}{g:02x}{b:02x}")
    } else {
        format!("#{r:02x}{g:02x}{b:02x}{a:02x}")
    }
}

fn blend(name: &str) -> Blend {
    match name {
        "additive" => Blend::Add,
        "subtract" => Blend::Subtract,
        "screen" => Blend::Screen,
        "multiply" => Blend::Multiply,
        "lighten" => Blend::Lighten,
        "darken" => Blend::Darken,
        _ => Blend::Normal,
    }
}

/// Their places are pixels about a point of alignment; the size is a scale of the source's own,
/// which only some files tell: where it is not known, it is taken for the canvas's.
fn place(table: &Value, source: &Value, canvas: (f64, f64), whole: bool) -> Place {
    let point = |key: &str, default: f64| {
        let value = table.get(key);
        let part = |axis| value.and_then(|it| number(it, axis)).unwrap_or(default);
        (part("x"), part("y"))
    };
    let settings = source.get("settings");
    let side = |key, canvas: f64| {
        settings
            .and_then(|it| number(it, key))
            .filter(|side| *side >= 1.0 && !whole)
            .unwrap_or(canvas)
    };
    let natural = (side("width", canvas.0), side("height", canvas.1));
    let (scale, position) = (point("scale", 1.0), point("pos", 0.0));
    let bounds_type = number(table, "bounds_type").unwrap_or(0.0) as i64;
    let crop =
        |key: &str, length: f64| number(table, key).unwrap_or(0.0).max(0.0) / length.max(1.0);
    let crop = Crop {
        left: crop("crop_left", natural.0),
        top: crop("crop_top", natural.1),
        right: crop("crop_right", natural.0),
        bottom: crop("crop_bottom", natural.1),
    };
    let crop = crop.bounded();
    let seen =
        (natural.0 * (1.0 - crop.left - crop.right), natural.1 * (1.0 - crop.top - crop.bottom));
    let (size, fit) = match bounds_type {
        0 => ((seen.0 * scale.0.abs(), seen.1 * scale.1.abs()), Fit::Contain),
        1 => (point("bounds", canvas.0), Fit::Stretch),
        3 => (point("bounds", canvas.0), Fit::Cover),
        _ => (point("bounds", canvas.0), Fit::Contain),
    };
    let align = number(table, "align").unwrap_or(5.0) as i64;
    let offset = |low: i64, high: i64, length: f64| match (align & low != 0, align & high != 0) {
        (true, _) => length / 2.0,
        (_, true) => -length / 2.0,
        _ => 0.0,
    };
    // They turn about the point of alignment, we about the middle.
    let rotation = number(table, "rot").unwrap_or(0.0);
    let (dx, dy) = (offset(1, 2, size.0), offset(4, 8, size.1));
    let (sin, cos) = rotation.to_radians().sin_cos();
    let middle = (position.0 + dx * cos - dy * sin, position.1 + dx * sin + dy * cos);
    Place {
        x: (middle.0 - size.0 / 2.0) / canvas.0,
        y: (middle.1 - size.1 / 2.0) / canvas.1,
        width: size.0 / canvas.0,
        height: size.1 / canvas.1,
        fit,
        rotation,
        crop: if whole { Crop::default() } else { crop },
        flip_x: scale.0 < 0.0,
        flip_y: scale.1 < 0.0,
    }
}

fn canvas(json: &Value) -> (f64, f64) {
    let side = |key| json.get("resolution").and_then(|it| number(it, key));
    let valid = |side: &f64| (2.0..=16_384.0).contains(side);
    match (side("x").filter(valid), side("y").filter(valid)) {
        (Some(width), Some(height)) => (width, height),
        // It is kept in a profile beside the collection: the usual one.
        _ => (1_920.0, 1_080.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Import, import, is_one};
    use crate::compose::scene::{Blend, Content, Fit};

    fn import_text(text: &str) -> Result<Import, String> {
        let json = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if is_one(&json) { Ok(import(&json)) } else { Err("another file".into()) }
    }

    const FILE: &str = r#"{
      "current_scene": "Game", "current_program_scene": "Game", "current_transition": "Slide",
      "transition_duration": 450, "name": "Untitled", "resolution": {"x": 1280, "y": 720},
      "scene_order": [{"name": "Game"}, {"name": "Break"}],
      "sources": [
        {"id": "v4l2_input", "name": "Cam", "settings": {"device_id": "/dev/video0"},
         "filters": [{"id": "chroma_key_filter_v2", "name": "Key", "enabled": false,
                      "settings": {"key_color_type": "blue", "similarity": 250}},
                     {"id": "shader_filter", "name": "Glow"}]},
        {"id": "ffmpeg_source", "name": "Clip", "settings": {"local_file": "/v/clip.y4m"}},
        {"id": "browser_source", "name": "Alerts", "settings": {"url": "https://example.org"}},
        {"id": "pulse_input_capture", "name": "Mic", "settings": {}},
        {"id": "scene", "name": "Break", "settings": {"items": [
          {"name": "Game", "pos": {"x": 0, "y": 0}, "scale": {"x": 0.5, "y": 0.5}},
          {"name": "Nobody"}]}},
        {"id": "scene", "name": "Game", "settings": {"items": [
          {"name": "Clip", "visible": false, "locked": true, "pos": {"x": 640, "y": 360},
           "align": 0, "rot": 90.0, "scale": {"x": -0.5, "y": 0.5}, "bounds_type": 0,
           "blend_type": "screen"},
          {"name": "Cam", "pos": {"x": 960, "y": 540}, "align": 5, "bounds_type": 3,
           "bounds": {"x": 320, "y": 180}},
          {"name": "Alerts"},
          {"name": "Box"}]}}],
      "groups": [{"id": "group", "name": "Box", "settings": {"items": [{"name": "Cam"}]}}]
    }"#;

    #[test]
    fn a_collection_of_obs_is_taken_in_and_the_rest_is_listed() {
        let import = import_text(FILE).unwrap();
        let it = &import.collection;
        let names: Vec<_> = it.scenes.iter().map(|scene| scene.name.as_str()).collect();
        assert_eq!(names, ["Game", "Break"]);
        assert_eq!(it.current().unwrap().name, "Game");
        let sources: Vec<_> =
            it.sources.iter().map(|it| (it.name.as_str(), it.choice.to_string())).collect();
        assert_eq!(sources, [("Clip", "file:/v/clip.y4m".into()), ("Cam", "camera".into())]);
        let hidden: Vec<_> = it.sources.iter().map(|it| it.properties.hidden).collect();
        assert_eq!(hidden, [super::Hidden::Restarts, super::Hidden::Plays]);
        let [clip, cam, group] = it.scenes[0].items.as_slice() else { panic!() };
        assert!(clip.hidden && clip.locked && clip.place.flip_x && clip.blend == Blend::Screen);
        assert!((clip.place.x - 0.25).abs() < 1e-9 && (clip.place.rotation - 90.0).abs() < 1e-9);
        assert_eq!((cam.place.x, cam.place.width, cam.place.fit), (0.75, 0.25, Fit::Cover));
        assert_eq!(group.members().len(), 1);
        assert!(matches!(it.scenes[1].items[0].content, Content::Scene(_)));
        let left_out = import.left_out.join("\n");
        let told =
            left_out.contains("Alerts") && left_out.contains("filters of 'Cam': shader_filter");
        assert!(told, "{left_out}");
        let strips: Vec<_> = import.strips.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(strips, ["Mic"]);
        let [key] = it.sources[1].filters.as_slice() else { panic!("{:?}", it.sources[1]) };
        assert_eq!((key.filter.kind(), key.enabled), ("chroma-key", false));
    }

    #[test]
    fn odd_files_are_refused_or_bounded() {
        for bad in ["", "{", "[]", "{}", "version = 1", "{\"sources\": 1, \"scene_order\": []}"] {
            assert!(import_text(bad).is_err(), "{bad}");
        }
        let circle = r#"{"scene_order": [], "sources": [
            {"id": "scene", "name": "A", "settings": {"items": [{"name": "B"}, {"name": "A"}]}},
            {"id": "scene", "name": "B", "settings": {"items": [{"name": "A"}]}},
            {"id": "scene", "name": 7, "settings": 5}]}"#;
        let it = import_text(circle).unwrap().collection;
        assert!(!it.reaches(it.scenes[1].id, it.scenes[0].id) || it.scenes[0].items.is_empty());
        let deep = "{\"id\": \"group\", \"name\": \"G\", \"settings\": {\"items\": [{\"name\": \"G\"}, {\"name\": \"G\"}]}}";
        let file = format!(
            "{{\"scene_order\": [], \"sources\": [{deep}, {{\"id\": \"scene\", \"name\": \"A\", \"settings\": {{\"items\": [{{\"name\": \"G\"}}]}}}}]}}"
        );
        assert!(import_text(&file).unwrap().collection.item_count() < 2_000);
    }
}
