//! Changes of scenes, items, transitions and studio mode.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::call::set;
use crate::compose::scene::{Item, ItemId, Scene};
use crate::events::Event;
use crate::names::{content_name, content_uuid, group_name, group_uuid, inputs, scene_uuid};
use crate::protocol::subscription::{ITEM_TRANSFORM, SCENE_ITEMS, SCENES, TRANSITIONS, UI};
use crate::requests::{scene_array, transform_of, transition_duration, transition_name};
use onair_studio::Snapshot;

/// The event at the start of a transition.
pub const TRANSITION_STARTED: &str = "SceneTransitionStarted";

/// Returns the events at the end of a transition. `data` is that of its start.
pub fn transition_ends(data: &Value) -> [Event; 2] {
    ["SceneTransitionVideoEnded", "SceneTransitionEnded"]
        .map(|name| Event::new(name, TRANSITIONS, data.clone()))
}

/// Returns the duration of the transition to the program's scene.
pub fn transition_duration_to_program(studio: &Snapshot) -> Duration {
    let collection = &studio.scenes.collection;
    collection.transition_to(collection.current).hides_after()
}

fn named(studio: &Snapshot, scene: &Scene) -> Value {
    json!({ "sceneName": scene.name, "sceneUuid": scene_uuid(studio, scene.id) })
}

/// Returns the event for the whole list of scenes.
pub fn list(after: &Snapshot) -> Event {
    Event::new("SceneListChanged", SCENES, json!({ "scenes": scene_array(after) }))
}

/// Returns the event for the program's scene.
pub fn program(after: &Snapshot) -> Event {
    let scene = after.scenes.collection.current();
    let data = scene.map(|scene| named(after, scene)).unwrap_or_default();
    Event::new("CurrentProgramSceneChanged", SCENES, data)
}

pub fn changes(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let (was, is) = (&before.scenes, &after.scenes);
    let (old, new) = (&was.collection, &is.collection);
    let event = |name, data| Event::new(name, SCENES, data);
    let with_group = |studio: &Snapshot, scene: &Scene| {
        let mut data = named(studio, scene);
        set(&mut data, "isGroup", false);
        data
    };
    for scene in new.scenes.iter().filter(|scene| old.scene(scene.id).is_none()) {
        found.push(event("SceneCreated", with_group(after, scene)));
    }
    for scene in old.scenes.iter().filter(|scene| new.scene(scene.id).is_none()) {
        found.push(event("SceneRemoved", with_group(before, scene)));
    }
    for scene in &new.scenes {
        if let Some(earlier) = old.scene(scene.id).filter(|it| it.name != scene.name) {
            found.push(event(
                "SceneNameChanged",
                json!({
                    "sceneUuid": scene_uuid(after, scene.id),
                    "oldSceneName": earlier.name,
                    "sceneName": scene.name,
                }),
            ));
        }
    }
    let order =
        |scenes: &[Scene]| scenes.iter().map(|it| (it.id, it.name.clone())).collect::<Vec<_>>();
    if order(&old.scenes) != order(&new.scenes) {
        found.push(list(after));
    }
    if was.preview_scene.is_some() != is.preview_scene.is_some() {
        let enabled = is.preview_scene.is_some();
        let data = json!({ "studioModeEnabled": enabled });
        found.push(Event::new("StudioModeStateChanged", UI, data));
    }
    if old.current != new.current {
        let transition = new.transition_to(new.current);
        let (name, uuid) = transition_name(after, transition);
        let data = json!({ "transitionName": name, "transitionUuid": uuid });
        found.push(Event::new(TRANSITION_STARTED, TRANSITIONS, data));
        found.push(program(after));
    }
    if was.preview_scene != is.preview_scene
        && let Some(scene) = is.preview_scene.and_then(|id| new.scene(id))
    {
        found.push(event("CurrentPreviewSceneChanged", named(after, scene)));
    }
    if old.transition.kind != new.transition.kind {
        let (name, uuid) = transition_name(after, &new.transition);
        let data = json!({ "transitionName": name, "transitionUuid": uuid });
        found.push(Event::new("CurrentSceneTransitionChanged", TRANSITIONS, data));
    }
    if old.transition.duration != new.transition.duration {
        let data = json!({ "transitionDuration": transition_duration(&new.transition) });
        found.push(Event::new("CurrentSceneTransitionDurationChanged", TRANSITIONS, data));
    }
    if old.scenes != new.scenes {
        items(before, after, found);
    }
}

/// A list of items: the name and UUID of its scene or group, and the items.
type NamedList<'a> = (String, String, &'a [Item]);

/// Returns the items of a scene, and those of its groups.
fn lists<'a>(studio: &Snapshot, scene: &'a Scene) -> Vec<NamedList<'a>> {
    fn walk<'a>(studio: &Snapshot, items: &'a [Item], all: &mut Vec<NamedList<'a>>) {
        for item in items.iter().filter(|item| !item.members().is_empty()) {
            all.push((group_name(item), group_uuid(studio, item.id), item.members()));
            walk(studio, item.members(), all);
        }
    }
    let mut all = vec![(scene.name.clone(), scene_uuid(studio, scene.id), scene.items.as_slice())];
    walk(studio, &scene.items, &mut all);
    all
}

/// Finds changes of items.
fn items(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let all_inputs = (inputs(before), inputs(after));
    let lists_of = |studio: &Snapshot| -> Vec<(String, String, Vec<Item>)> {
        let scenes = studio.scenes.collection.scenes.iter();
        let all = scenes.flat_map(|scene| lists(studio, scene));
        all.map(|(name, uuid, items)| (name, uuid, items.to_vec())).collect()
    };
    let earlier: BTreeMap<String, Vec<Item>> =
        lists_of(before).into_iter().map(|(_, uuid, items)| (uuid, items)).collect();
    for (name, uuid, items) in lists_of(after) {
        let of = |more: Value| {
            let mut data = json!({ "sceneName": name, "sceneUuid": uuid });
            if let (Value::Object(data), Value::Object(more)) = (&mut data, more) {
                data.extend(more);
            }
            data
        };
        let none = Vec::new();
        let old = earlier.get(&uuid).unwrap_or(&none);
        let find = |items: &[Item], id: ItemId| items.iter().position(|item| item.id == id);
        for item in old.iter().filter(|item| find(&items, item.id).is_none()) {
            let source = content_name(before, &all_inputs.0, item);
            let uuid = content_uuid(before, &all_inputs.0, item);
            let data =
                of(json!({ "sourceName": source, "sourceUuid": uuid, "sceneItemId": item.id.0 }));
            found.push(Event::new("SceneItemRemoved", SCENE_ITEMS, data));
        }
        for (index, item) in items.iter().enumerate() {
            let id = item.id.0;
            let Some(was) = find(old, item.id).and_then(|place| old.get(place)) else {
                let source = content_name(after, &all_inputs.1, item);
                let data = of(json!({
                    "sourceName": source,
                    "sourceUuid": content_uuid(after, &all_inputs.1, item),
                    "sceneItemId": id,
                    "sceneItemIndex": index,
                }));
                found.push(Event::new("SceneItemCreated", SCENE_ITEMS, data));
                continue;
            };
            if was.hidden != item.hidden {
                let data = of(json!({ "sceneItemId": id, "sceneItemEnabled": !item.hidden }));
                found.push(Event::new("SceneItemEnableStateChanged", SCENE_ITEMS, data));
            }
            if was.locked != item.locked {
                let data = of(json!({ "sceneItemId": id, "sceneItemLocked": item.locked }));
                found.push(Event::new("SceneItemLockStateChanged", SCENE_ITEMS, data));
            }
            if was.place != item.place {
                let transform = transform_of(after, item);
                let data = of(json!({ "sceneItemId": id, "sceneItemTransform": transform }));
                found.push(Event::new("SceneItemTransformChanged", ITEM_TRANSFORM, data));
            }
        }
        let order = |items: &[Item], others: &[Item]| {
            let kept = items.iter().filter(|item| find(others, item.id).is_some());
            kept.map(|item| item.id).collect::<Vec<_>>()
        };
        if order(old, &items) != order(&items, old) {
            let all = items.iter().enumerate();
            let all = all
                .map(|(index, item)| json!({ "sceneItemId": item.id.0, "sceneItemIndex": index }));
            let data = of(json!({ "sceneItems": all.collect::<Vec<Value>>() }));
            found.push(Event::new("SceneItemListReindexed", SCENE_ITEMS, data));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::compose::scene::SceneId;
    use onair_studio::scenes::edits::Edit;

    /// Returns the names of the events after these edits, and the last event.
    fn after(edits: &[Edit]) -> (Vec<&'static str>, Event) {
        let mut before = Snapshot::default();
        let logo = Edit::AddSource {
            scene: SceneId(1),
            name: "Logo".into(),
            choice: "test".parse().unwrap(),
        };
        assert!(Arc::make_mut(&mut before.scenes.collection).apply(&logo));
        let mut after = before.clone();
        for edit in edits {
            assert!(Arc::make_mut(&mut after.scenes.collection).apply(edit), "{edit:?}");
        }
        let mut events = Vec::new();
        changes(&before, &after, &mut events);
        let names = events.iter().map(|event| event.name).collect();
        (names, events.last().cloned().unwrap())
    }

    #[test]
    fn every_edit_has_its_events() {
        let (names, last) = after(&[Edit::HideItem(ItemId(2), true)]);
        assert_eq!(names, ["SceneItemEnableStateChanged"]);
        assert_eq!(last.data["sceneItemEnabled"], false);
        assert_eq!(after(&[Edit::LockItem(ItemId(2), true)]).0, ["SceneItemLockStateChanged"]);
        assert_eq!(after(&[Edit::MoveItem(ItemId(2), 0)]).0, ["SceneItemListReindexed"]);
        let (names, created) = after(&[Edit::DuplicateItem(ItemId(1))]);
        assert_eq!(names, ["SceneItemCreated"]);
        assert_eq!(created.data["sceneItemId"], 3);
        assert!(created.data.get("sourceUuid").is_some());
        let names = after(&[Edit::AddScene("Break".into())]).0;
        assert_eq!(names, ["SceneCreated", "SceneListChanged"]);
        let names = after(&[Edit::RenameScene(SceneId(1), "Start".into())]).0;
        assert_eq!(names, ["SceneNameChanged", "SceneListChanged"]);
        let place = crate::compose::scene::Placement { x: 0.5, ..Default::default() };
        let (names, moved) = after(&[Edit::SetPlace(ItemId(2), place)]);
        assert_eq!((names[0], moved.intent), ("SceneItemTransformChanged", ITEM_TRANSFORM));
    }

    #[test]
    fn a_switch_reports_the_transition_and_the_scene() {
        let mut before = Snapshot::default();
        let scenes = Arc::make_mut(&mut before.scenes.collection);
        assert!(scenes.apply(&Edit::AddScene("Break".into())));
        let mut after = before.clone();
        Arc::make_mut(&mut after.scenes.collection).current = SceneId(2);
        after.scenes.preview_scene = Some(SceneId(1));
        let mut events = Vec::new();
        changes(&before, &after, &mut events);
        let names: Vec<_> = events.iter().map(|event| event.name).collect();
        assert_eq!(
            names,
            [
                "StudioModeStateChanged",
                "SceneTransitionStarted",
                "CurrentProgramSceneChanged",
                "CurrentPreviewSceneChanged"
            ]
        );
        assert_eq!(events[2].data["sceneName"], "Break");
    }
}
