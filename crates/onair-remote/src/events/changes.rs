//! All differences between two snapshots, in a fixed order.

use serde_json::{Value, json};

use crate::events::{Event, inputs, outputs, scenes};
use crate::protocol::subscription;
use onair_studio::Snapshot;

/// Returns the events for the changes between two snapshots, in a fixed order.
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<Event> {
    let mut found = Vec::new();
    if before.parts.in_use.collection != after.parts.in_use.collection {
        let data = json!({ "sceneCollectionName": after.parts.in_use.collection });
        found.push(Event::new("CurrentSceneCollectionChanged", subscription::CONFIG, data));
        found.push(scenes::list(after));
        found.push(scenes::program(after));
    } else if !std::sync::Arc::ptr_eq(&before.scenes.collection, &after.scenes.collection)
        || before.scenes.preview_scene != after.scenes.preview_scene
    {
        scenes::changes(before, after, &mut found);
    }
    parts(before, after, &mut found);
    inputs::changes(before, after, &mut found);
    outputs::changes(before, after, &mut found);
    if after.ended && !before.ended {
        found.push(Event::new("ExitStarted", subscription::GENERAL, Value::Null));
    }
    found
}

/// Finds changes of the lists of collections and profiles.
fn parts(before: &Snapshot, after: &Snapshot, found: &mut Vec<Event>) {
    let (was, is) = (&before.parts, &after.parts);
    let mut note = |name, data| found.push(Event::new(name, subscription::CONFIG, data));
    if was.collections != is.collections {
        note("SceneCollectionListChanged", json!({ "sceneCollections": is.collections }));
    }
    if was.in_use.profile != is.in_use.profile {
        note("CurrentProfileChanged", json!({ "profileName": is.in_use.profile }));
    }
    if was.profiles != is.profiles {
        note("ProfileListChanged", json!({ "profiles": is.profiles }));
    }
}
