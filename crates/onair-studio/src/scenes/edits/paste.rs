//! Pastes copied items into a scene, and restores their sources if they are gone.

use std::collections::BTreeMap;

use crate::compose::filter::Slot;
use crate::compose::scene::{Content, Item, Placement, SceneId, SourceId};
use crate::studio::scenes::{Collection, MAIN_SOURCE, MAX_SOURCES, Source, nested};

/// The offset of a copy from an item at the same position, as a fraction of the program size.
const PASTE_OFFSET: f64 = 0.03;

/// Copied items, their sources, and the names of the scenes that they show.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct CopiedItems {
    pub items: Vec<Item>,
    pub sources: Vec<Source>,
    pub scenes: BTreeMap<SceneId, String>,
    /// The filters of copied groups.
    pub filters: BTreeMap<SourceId, Vec<Slot>>,
}

impl Collection {
    /// Copies these items.
    pub fn copied<'a>(&self, items: impl IntoIterator<Item = &'a Item>) -> CopiedItems {
        fn shown(item: &Item, ids: &mut Vec<SourceId>) {
            match &item.content {
                Content::Source(id) => ids.push(*id),
                Content::Group(members) => members.iter().for_each(|it| shown(it, ids)),
                Content::Scene(_) => {}
            }
        }
        let items: Vec<Item> = items.into_iter().cloned().collect();
        let mut ids = Vec::new();
        items.iter().for_each(|item| shown(item, &mut ids));
        let sources = self.sources.iter().filter(|source| ids.contains(&source.id));
        let scenes = nested(&items).into_iter().filter_map(|id| self.scene(id));
        let scenes = scenes.map(|scene| (scene.id, scene.name.clone())).collect();
        let filters = self.composed_filters.iter().filter(|(id, _)| id.as_group().is_some());
        let filters = filters.map(|(id, all)| (*id, all.clone())).collect();
        CopiedItems { sources: sources.cloned().collect(), scenes, items, filters }
    }

    pub(super) fn paste(&mut self, scene: SceneId, copied: &CopiedItems) -> Option<()> {
        let (mut items, mut restored) = (copied.items.clone(), BTreeMap::new());
        for item in &mut items {
            self.settle(item, copied, &mut restored)?;
            if self.reaches_back(item, scene) {
                return None;
            }
        }
        let mut next = self.next_item();
        super::renumber(&mut items, &mut next);
        self.copy_group_filters((&copied.items, &items), &copied.filters);
        let there = &mut self.scene_mut(scene)?.items;
        for mut item in items {
            while there.iter().any(|it| it.content == item.content && it.place == item.place) {
                let Placement { x, y, .. } = item.place;
                item.place = Placement { x: x + PASTE_OFFSET, y: y + PASTE_OFFSET, ..item.place };
            }
            there.push(item);
        }
        Some(())
    }

    /// Resolves the content of an item: uses the existing scene or source, or restores the source.
    /// `restored` maps the copied sources to those that this paste has restored.
    fn settle(
        &mut self,
        item: &mut Item,
        copied: &CopiedItems,
        restored: &mut BTreeMap<SourceId, SourceId>,
    ) -> Option<()> {
        match &mut item.content {
            Content::Group(members) => {
                members.iter_mut().try_for_each(|item| self.settle(item, copied, restored))
            }
            Content::Scene(id) => {
                // Another scene can have the id now, for example in another collection.
                let name = copied.scenes.get(id)?;
                *id = self.scenes.iter().find(|scene| scene.name == *name)?.id;
                Some(())
            }
            Content::Source(MAIN_SOURCE) => Some(()),
            Content::Source(id) => {
                let known = copied.sources.iter().find(|source| source.id == *id)?;
                if self.has_copied(known) {
                    return Some(());
                }
                if let Some(new) = restored.get(&known.id) {
                    *id = *new;
                    return Some(());
                }
                if self.sources.len() >= MAX_SOURCES {
                    return None;
                }
                let name = self.free_source_name(&known.name);
                // A later paste of the same items finds the source by its earlier id.
                if self.source(*id).is_some() {
                    *id = self.next_source();
                }
                restored.insert(known.id, *id);
                self.sources.push(Source { id: *id, name, ..known.clone() });
                Some(())
            }
        }
    }

    /// Returns true if the source of a copy still exists.
    pub(super) fn has_copied(&self, known: &Source) -> bool {
        self.source(known.id).is_some_and(|it| it.choice.is_same_as(&known.choice))
    }

    /// Returns true if an item shows this scene, directly or through others.
    fn reaches_back(&self, item: &Item, scene: SceneId) -> bool {
        match &item.content {
            Content::Scene(id) => self.reaches(*id, scene),
            Content::Group(members) => members.iter().any(|it| self.reaches_back(it, scene)),
            Content::Source(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::scene::ItemId;
    use crate::studio::scenes::edits::Edit;

    #[test]
    fn items_go_to_another_scene_also_after_they_were_cut() {
        let mut it = Collection::default();
        let first = it.current;
        let add = Edit::AddSource { scene: first, name: "Logo".into(), choice: VideoChoice::Test };
        let second = SceneId(2);
        for edit in [add, Edit::AddScene("Second".into())] {
            assert!(it.apply(&edit));
        }
        let copied = it.copied(it.item(ItemId(2)));
        assert!(it.apply(&Edit::Paste(second, copied.clone())));
        let pasted = it.scene(second).unwrap().items.clone();
        assert_eq!(pasted.len(), 1);
        assert_eq!(pasted[0].content, Content::Source(SourceId(1)), "the same source");
        assert_eq!(pasted[0].place, Placement::default());
        // In the same scene, the copy is slightly offset.
        assert!(it.apply(&Edit::Paste(first, copied.clone())));
        let last = it.scene(first).unwrap().items.last().unwrap().clone();
        assert!(last.place.x > 0.0 && last.place.y > 0.0);
        // After all items of the source are removed, pasting restores the source.
        for id in [ItemId(2), pasted[0].id, last.id] {
            assert!(it.apply(&Edit::RemoveItem(id)));
        }
        assert!(it.sources.is_empty());
        assert!(it.apply(&Edit::Paste(second, copied)));
        assert_eq!(it.sources.len(), 1);
        assert_eq!(
            (it.sources[0].name.as_str(), &it.sources[0].choice),
            ("Logo", &VideoChoice::Test)
        );
    }

    #[test]
    fn a_scene_is_not_pasted_into_itself() {
        let mut it = Collection::default();
        let first = it.current;
        assert!(it.apply(&Edit::AddScene("Second".into())));
        assert!(it.apply(&Edit::ShowScene { scene: first, shown: SceneId(2) }));
        let copied = it.copied(it.item(ItemId(2)));
        assert!(!it.apply(&Edit::Paste(SceneId(2), copied)));
    }

    #[test]
    fn a_pasted_scene_is_the_one_that_was_copied() {
        let mut it = Collection::default();
        let first = it.current;
        assert!(it.apply(&Edit::AddScene("Talk".into())));
        assert!(it.apply(&Edit::ShowScene { scene: first, shown: SceneId(2) }));
        let copied = it.copied(it.item(ItemId(2)));
        assert!(it.apply(&Edit::Paste(first, copied.clone())));
        // Another collection has the scene under another id.
        let mut other = Collection::default();
        for name in ["Break", "Talk"] {
            assert!(other.apply(&Edit::AddScene(name.into())));
        }
        assert!(other.apply(&Edit::Paste(first, copied.clone())));
        let pasted = other.scene(first).unwrap().items.last().unwrap();
        assert_eq!(pasted.content, Content::Scene(SceneId(3)));
        // A new scene has the id of the removed one.
        assert!(it.apply(&Edit::RemoveScene(SceneId(2))));
        assert!(it.apply(&Edit::AddScene("Break".into())));
        assert!(it.scene(SceneId(2)).is_some());
        assert!(!it.apply(&Edit::Paste(first, copied)));
    }

    #[test]
    fn items_that_were_cut_share_their_source_again() {
        let mut it = Collection::default();
        let first = it.current;
        let add = |name: &str, choice: VideoChoice| Edit::AddSource {
            scene: first,
            name: name.into(),
            choice,
        };
        let black = || "color:#000000".parse().unwrap();
        assert!(it.apply(&add("Logo", VideoChoice::Test)));
        assert!(it.apply(&add("Black", black())));
        assert!(it.apply(&Edit::DuplicateItem(ItemId(2))));
        let shows = |item: &&Item| item.content == Content::Source(SourceId(1));
        let items: Vec<Item> = it.scenes[0].items.iter().filter(shows).cloned().collect();
        assert_eq!(items.len(), 2);
        let copied = it.copied(&items);
        for item in &items {
            assert!(it.apply(&Edit::RemoveItem(item.id)));
        }
        for count in [2, 4] {
            assert!(it.apply(&Edit::Paste(first, copied.clone())));
            let names: Vec<&str> = it.sources.iter().map(|source| source.name.as_str()).collect();
            assert_eq!(names, ["Black", "Logo"]);
            assert_eq!(it.scenes[0].items.iter().filter(shows).count(), count);
        }
        // In another collection, another source has the id.
        let mut other = Collection::default();
        assert!(other.apply(&add("Black", black())));
        assert!(other.apply(&Edit::Paste(first, copied)));
        assert_eq!(other.sources.len(), 2);
        let pasted = |item: &&Item| item.content == Content::Source(SourceId(2));
        assert_eq!(other.scenes[0].items.iter().filter(pasted).count(), 2);
    }
}
