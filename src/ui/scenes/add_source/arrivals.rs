//! Waits for requested objects in later snapshots: new items, which are then selected, or a new
//! scene, which is then renamed.

use std::collections::BTreeSet;

use crate::compose::scene::{Item, ItemId, SceneId};
use crate::studio::Snapshot;

/// Number of further commands after which a requested object is no longer expected.
const MAX_COMMANDS_WAITED: u64 = 8;

/// The items or scenes that existed before a request.
#[derive(Debug, Default)]
pub(in crate::ui::scenes) struct Arrivals {
    items: Option<BTreeSet<ItemId>>,
    scenes: Option<BTreeSet<SceneId>>,
    asked_at: u64,
}

/// The objects that have arrived.
#[derive(Debug)]
pub(in crate::ui::scenes) enum Arrival {
    Items(Vec<ItemId>),
    Scene(SceneId, String),
}

impl Arrivals {
    /// Begins to wait for items.
    pub fn of_items(snapshot: &Snapshot) -> Self {
        let mut items = BTreeSet::new();
        snapshot.scenes.collection.each(|item| {
            items.insert(item.id);
        });
        Self { items: Some(items), asked_at: snapshot.handled_commands, ..Self::default() }
    }

    /// Begins to wait for a scene.
    pub fn of_scene(snapshot: &Snapshot) -> Self {
        let scenes = snapshot.scenes.collection.scenes.iter().map(|scene| scene.id);
        Self {
            scenes: Some(scenes.collect()),
            asked_at: snapshot.handled_commands,
            ..Self::default()
        }
    }

    /// Returns true if requested items have not arrived yet.
    pub fn awaits_items(&self) -> bool {
        self.items.is_some()
    }

    /// Returns true if a requested scene has not arrived yet.
    pub fn awaits_scene(&self) -> bool {
        self.scenes.is_some()
    }

    /// Returns the objects that have arrived since the request. Items must be in this scene.
    pub fn take(&mut self, snapshot: &Snapshot, edited: SceneId) -> Option<Arrival> {
        let came = self.items(snapshot, edited).or_else(|| self.scene(snapshot));
        if came.is_some() || snapshot.handled_commands > self.asked_at + MAX_COMMANDS_WAITED {
            *self = Self::default();
        }
        came
    }

    fn items(&self, snapshot: &Snapshot, edited: SceneId) -> Option<Arrival> {
        let before = self.items.as_ref()?;
        let mut new = Vec::new();
        find_new(&snapshot.scenes.collection.scene(edited)?.items, before, &mut new);
        (!new.is_empty()).then_some(Arrival::Items(new))
    }

    fn scene(&self, snapshot: &Snapshot) -> Option<Arrival> {
        let before = self.scenes.as_ref()?;
        let mut scenes = snapshot.scenes.collection.scenes.iter();
        let new = scenes.find(|scene| !before.contains(&scene.id))?;
        Some(Arrival::Scene(new.id, new.name.clone()))
    }
}

/// Finds the new items, also within groups. The members of a new group are not selected.
fn find_new(items: &[Item], before: &BTreeSet<ItemId>, new: &mut Vec<ItemId>) {
    for item in items {
        match before.contains(&item.id) {
            true => find_new(item.members(), before, new),
            false => new.push(item.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::capture::VideoChoice;
    use crate::studio::Edit;

    #[test]
    fn a_new_group_arrives_also_within_another_group() {
        let mut snapshot = Snapshot::default();
        let scene = snapshot.scenes.collection.current;
        let added = Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
        let mut apply = |edit: &Edit| {
            let mut arrivals = Arrivals::of_items(&snapshot);
            assert!(Arc::make_mut(&mut snapshot.scenes.collection).apply(edit), "{edit:?}");
            match arrivals.take(&snapshot, scene) {
                Some(Arrival::Items(items)) => items,
                other => panic!("{other:?}"),
            }
        };
        let items = [1, 2, 3].map(ItemId);
        assert_eq!(apply(&added), [items[1]]);
        assert_eq!(apply(&added), [items[2]]);
        assert_eq!(apply(&Edit::Group(items.to_vec())), [ItemId(4)]);
        assert_eq!(apply(&Edit::Group(items[..2].to_vec())), [ItemId(5)]);
    }
}
