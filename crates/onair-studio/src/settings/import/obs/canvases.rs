//! The canvases of OBS 32. Names are unique only within a canvas, so `canvas_uuid` and `source_uuid` decide which
//! source an item shows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::studio::settings::import::obs::json::{array, text};

/// The UUID that OBS gives the main canvas of every collection.
const MAIN_CANVAS_UUID: &str = "6c69626f-6273-4c00-9d88-c5136d61696e";
const LISTS: [&str; 2] = ["sources", "groups"];

/// Returns the collection with only the scenes of the main canvas, and in which each source has its own name. Also
/// returns the names of the scenes and groups of other canvases.
pub fn of_main_canvas(json: &Value) -> (Value, Vec<String>) {
    let mut json = json.clone();
    let others: BTreeSet<String> = array(&json, "canvases")
        .into_iter()
        .map(|canvas| canvas.get("info").unwrap_or(canvas))
        .map(|canvas| text(canvas, "uuid").to_owned())
        .filter(|uuid| !uuid.is_empty() && uuid != MAIN_CANVAS_UUID)
        .collect();
    let mut left_out = Vec::new();
    for list in LISTS {
        let Some(sources) = json.get_mut(list).and_then(Value::as_array_mut) else { continue };
        sources.retain(|source| {
            let is_other = others.contains(text(source, "canvas_uuid"));
            if is_other {
                left_out.push(text(source, "name").to_owned());
            }
            !is_other
        });
    }
    let names = separate_names(&mut json);
    for list in LISTS {
        let Some(sources) = json.get_mut(list).and_then(Value::as_array_mut) else { continue };
        for source in sources {
            let items = source.pointer_mut("/settings/items").and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                name_by_uuid(item, &names);
            }
        }
    }
    (json, left_out)
}

/// Gives every source with a UUID a name of its own. Returns the names by UUID.
fn separate_names(json: &mut Value) -> BTreeMap<String, String> {
    let all = LISTS.map(|list| array(json, list)).concat();
    let mut taken: BTreeSet<String> = all.iter().map(|it| text(it, "name").to_owned()).collect();
    let (mut seen, mut names) = (BTreeSet::new(), BTreeMap::new());
    // The number after each repeated name, so that many equal names take no quadratic time.
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    for list in LISTS {
        let Some(sources) = json.get_mut(list).and_then(Value::as_array_mut) else { continue };
        for source in sources {
            let (uuid, mut name) =
                (text(source, "uuid").to_owned(), text(source, "name").to_owned());
            if uuid.is_empty() || names.contains_key(&uuid) {
                continue;
            }
            if !seen.insert(name.clone()) {
                let number = numbers.entry(name.clone()).or_insert(1);
                let free = loop {
                    *number = number.saturating_add(1);
                    let free = format!("{name} {number}");
                    if taken.insert(free.clone()) {
                        break free;
                    }
                };
                if let Some(field) = source.get_mut("name") {
                    *field = Value::String(free.clone());
                }
                seen.insert(free.clone());
                name = free;
            }
            names.insert(uuid, name);
        }
    }
    names
}

fn name_by_uuid(item: &mut Value, names: &BTreeMap<String, String>) {
    let name = names.get(text(item, "source_uuid")).cloned();
    if let (Some(name), Some(item)) = (name, item.as_object_mut()) {
        item.insert("name".to_owned(), Value::String(name));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::studio::settings::import::obs::import;

    #[test]
    fn scenes_of_equal_names_on_two_canvases_keep_their_own_items() {
        let item = |name: &str, uuid: &str, x: u32| {
            json!({"name": name, "source_uuid": uuid, "pos": {"x": x, "y": 20}, "align": 5,
                "scale": {"x": 1, "y": 1}})
        };
        let scene = |name: &str, uuid: &str, canvas: &str, items: serde_json::Value| {
            json!({"id": "scene", "name": name, "uuid": uuid, "canvas_uuid": canvas,
                "settings": {"items": items}})
        };
        let color = |name: &str, uuid: &str, color: u32| {
            json!({"id": "color_source", "versioned_id": "color_source_v3", "name": name, "uuid": uuid,
                "settings": {"color": color, "width": 400, "height": 300}})
        };
        let main = super::MAIN_CANVAS_UUID;
        let file = json!({
            "name": "two", "current_scene": "Main", "scene_order": [{"name": "Main"}],
            "resolution": {"x": 1920, "y": 1080},
            "canvases": [{"info": {"name": "Vertical", "uuid": "other"}}],
            "sources": [
                color("Shape", "red", 0xFF00_00FF), color("Shape", "blue", 0xFFFF_0000),
                scene("Main", "s1", "other", json!([item("Shape", "blue", 100)])),
                scene("Tall", "s3", "other", json!([item("Shape", "blue", 100)])),
                scene("Main", "s2", main, json!([item("Shape", "red", 10), item("Shape", "blue", 96)])),
            ],
        });
        let import = import(&file);
        let scenes = &import.collection.scenes;
        let names: Vec<_> = scenes.iter().map(|scene| scene.name.as_str()).collect();
        assert_eq!(names, ["Main"]);
        let shown: Vec<_> = scenes[0].items.iter().map(|item| item.place.x * 1_920.0).collect();
        assert_eq!(shown.iter().map(|x| x.round() as i64).collect::<Vec<_>>(), [10, 96]);
        let sources = &import.collection.sources;
        let kinds: Vec<_> =
            sources.iter().map(|it| (it.name.as_str(), it.choice.to_string())).collect();
        assert_eq!(kinds.len(), 2, "{kinds:?}");
        assert!(kinds[0].1 != kinds[1].1, "{kinds:?}");
        let left_out: String = import.left_out.iter().map(|it| format!("{it}\n")).collect();
        assert!(left_out.contains("Tall"), "{left_out}");
    }
}
