//! Merges a collection into another. The merged scenes and sources get free names and ids, as far
//! as there is space. Parts without space are listed, and nothing refers to them. This module is
//! pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::capture::VideoFallback;
use crate::compose::scene::{Content, Item, ItemId, Scene, SceneId, SourceId};
use crate::studio::scenes::{Collection, MAIN_SOURCE, MAX_ITEMS, MAX_SCENES, MAX_SOURCES, Source};
use crate::text::problem::{Problem, problem};

/// The result of a merge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// The number of scenes that were added: the first ones of the other collection.
    pub scenes: usize,
    /// The number of sources that were added.
    pub sources: usize,
    /// The parts that were not added, as texts.
    pub left_out: Vec<Problem>,
}

impl Collection {
    /// Adds the scenes of another collection, under free names and ids. The other collection
    /// replaces a default one.
    pub fn take_in(&mut self, other: Self) -> MergeReport {
        if *self == Self::default() {
            let (scenes, sources) = (other.scenes.len(), other.sources.len());
            *self = other;
            return MergeReport { scenes, sources, left_out: Vec::new() };
        }
        let mut left_out = self.keep_own(&other);
        let by = (self.next_source().0, self.next_scene().0, self.next_item().0);
        let room = MAX_SOURCES.saturating_sub(self.sources.len()).min(other.sources.len());
        let (came, gone) = other.sources.split_at_checked(room).unwrap_or_default();
        for it in came {
            let (id, name) = (SourceId(it.id.0 + by.0), self.free_source_name(&it.name));
            self.sources.push(Source { id, name, ..it.clone() });
        }
        let full = |it: &Source| {
            problem!("import-no-room-for-source", name = &it.name, most = MAX_SOURCES)
        };
        left_out.extend(gone.iter().map(full));
        let sources = came.len();
        let gone_sources = gone.iter().map(|it| (it.id, it.name.as_str())).collect();

        let room = MAX_SCENES.saturating_sub(self.scenes.len()).min(other.scenes.len());
        let (came, gone) = other.scenes.split_at_checked(room).unwrap_or_default();
        let gone_scenes = gone.iter().map(|it| (it.id, it.name.as_str())).collect();
        let room = MAX_ITEMS.saturating_sub(self.item_count());
        let mut mover =
            IdAssigner { by, room, gone_sources, gone_scenes, over: 0, without: BTreeSet::new() };
        for it in came {
            let (id, name) = (SceneId(it.id.0 + by.1), self.free_scene_name(&it.name));
            let items = mover.items(&it.items);
            left_out.extend(mover.missing_parts(&it.name));
            let own = other.own_transitions.get(&it.id).cloned();
            self.own_transitions.extend(own.map(|own| (id, own)));
            self.scenes.push(Scene { id, name, items });
            let filters = other.composed_filters.get(&SourceId::of_scene(it.id)).cloned();
            self.composed_filters.extend(filters.map(|all| (SourceId::of_scene(id), all)));
        }
        for (id, all) in &other.composed_filters {
            if let Some(ItemId(group)) = id.as_group() {
                let id = SourceId::of_group(ItemId(group + by.2));
                self.composed_filters.insert(id, all.clone());
            }
        }
        self.forget_composed_filters();
        let full =
            |it: &Scene| problem!("import-no-room-for-scene", name = &it.name, most = MAX_SCENES);
        left_out.extend(gone.iter().map(full));
        MergeReport { scenes: came.len(), sources, left_out }
    }

    /// Merges values of the whole collection. If both collections have a value, the existing one is
    /// kept.
    fn keep_own(&mut self, other: &Self) -> Vec<Problem> {
        let mut left_out = Vec::new();
        if self.transition != other.transition {
            left_out.push(problem!("import-transition-stays"));
        }
        if self.main_filters.is_empty() {
            self.main_filters.clone_from(&other.main_filters);
        } else if self.main_filters != other.main_filters && !other.main_filters.is_empty() {
            left_out.push(problem!("import-main-filters-stay"));
        }
        if self.main_fallback == VideoFallback::Keep {
            self.main_fallback.clone_from(&other.main_fallback);
        } else if self.main_fallback != other.main_fallback
            && other.main_fallback != VideoFallback::Keep
        {
            left_out.push(problem!("import-main-fallback-stays"));
        }
        left_out
    }
}

/// Assigns new ids to items and their contents.
struct IdAssigner<'a> {
    /// The offsets of source, scene and item ids.
    by: (u32, u32, u32),
    /// The number of items for which there is space.
    room: usize,
    gone_sources: BTreeMap<SourceId, &'a str>,
    gone_scenes: BTreeMap<SceneId, &'a str>,
    /// The number of items of the current scene that did not fit.
    over: usize,
    /// The names of missing contents.
    without: BTreeSet<&'a str>,
}

impl IdAssigner<'_> {
    fn items(&mut self, items: &[Item]) -> Vec<Item> {
        items.iter().filter_map(|item| self.item(item)).collect()
    }

    fn item(&mut self, item: &Item) -> Option<Item> {
        let (source, scene, shift) = self.by;
        let gone = match &item.content {
            Content::Source(id) => self.gone_sources.get(id),
            Content::Scene(id) => self.gone_scenes.get(id),
            Content::Group(_) => None,
        };
        if let Some(name) = gone {
            self.without.insert(name);
            return None;
        }
        if self.room == 0 {
            self.over += 1 + count(item.members());
            return None;
        }
        self.room -= 1;
        let content = match &item.content {
            Content::Source(id) if *id == MAIN_SOURCE => Content::Source(MAIN_SOURCE),
            Content::Source(id) => Content::Source(SourceId(id.0 + source)),
            Content::Scene(id) => Content::Scene(SceneId(id.0 + scene)),
            Content::Group(members) => Content::Group(self.items(members)),
        };
        let mut moved = Item { content, ..item.clone() };
        moved.id.0 += shift;
        Some(moved)
    }

    /// Returns descriptions of the missing parts of a scene.
    fn missing_parts(&mut self, scene: &str) -> Vec<Problem> {
        let without = std::mem::take(&mut self.without).into_iter();
        let mut missing: Vec<Problem> = without
            .map(|name| problem!("import-shows-what-did-not-come", name = &name, scene = &scene))
            .collect();
        match std::mem::take(&mut self.over) {
            0 => {}
            over => missing.push(problem!(
                "import-no-room-for-items",
                count = over,
                scene = &scene,
                most = MAX_ITEMS
            )),
        }
        missing
    }
}

/// Returns the number of items, including those within groups.
fn count(items: &[Item]) -> usize {
    items.iter().map(|item| 1 + count(item.members())).sum()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::filter::{Filter, Slot};
    use crate::compose::scene::ItemId;
    use crate::compose::transition::{Kind, Transition};
    use crate::studio::scenes::edits::Edit;

    fn shows(id: u32, content: Content) -> Item {
        Item::new(ItemId(id), content)
    }

    /// Creates a collection with this many sources and scenes. Each scene contains the source with
    /// the scene's number, a group with the last source, and the last scene.
    fn large(sources: u32, scenes: u32) -> Collection {
        let source = |id| Source {
            id: SourceId(id),
            name: format!("Source {id}"),
            choice: VideoChoice::Test,
            filters: Vec::new(),
            properties: Default::default(),
            fallback: VideoFallback::Keep,
            record: false,
        };
        let scene = |id: u32| {
            let last = shows(id * 5 + 2, Content::Source(SourceId(sources)));
            let items = vec![
                shows(id * 5, Content::Source(SourceId(id.min(sources)))),
                shows(id * 5 + 1, Content::Group(vec![last])),
                shows(id * 5 + 3, Content::Scene(SceneId(scenes))),
            ];
            Scene { id: SceneId(id), name: format!("Scene {id}"), items }
        };
        let (sources, scenes) =
            ((1..=sources).map(source).collect(), (1..=scenes).map(scene).collect());
        let mut it = Collection { sources, scenes, ..Collection::default() };
        it.break_circles();
        it
    }

    /// Checks that all contents exist and that all item ids are unique.
    fn holds_together(it: &Collection) {
        let mut ids = BTreeSet::new();
        it.each(|item| {
            assert!(ids.insert(item.id), "{:?} twice", item.id);
            match item.content {
                Content::Source(id) => {
                    assert!(id == MAIN_SOURCE || it.source(id).is_some(), "{id:?}");
                }
                Content::Scene(id) => assert!(it.scene(id).is_some(), "{id:?}"),
                Content::Group(_) => {}
            }
        });
    }

    #[test]
    fn nothing_refers_to_imported_parts_without_room_and_they_are_reported() {
        let mut it = large(62, 198);
        let taken = it.take_in(large(4, 4));
        assert_eq!((taken.scenes, taken.sources), (2, 2));
        assert_eq!((it.scenes.len(), it.sources.len()), (MAX_SCENES, MAX_SOURCES));
        holds_together(&it);
        assert_eq!(
            taken.left_out,
            [
                "the source 'Source 3' (limit of 64 sources reached)",
                "the source 'Source 4' (limit of 64 sources reached)",
                "the item for 'Scene 4' in the scene 'Scene 1'",
                "the item for 'Source 4' in the scene 'Scene 1'",
                "the item for 'Scene 4' in the scene 'Scene 2'",
                "the item for 'Source 4' in the scene 'Scene 2'",
                "the scene 'Scene 3' (limit of 200 scenes reached)",
                "the scene 'Scene 4' (limit of 200 scenes reached)",
            ]
        );
        let [.., first, second] = it.scenes.as_slice() else { panic!() };
        let shown = |scene: &Scene| match scene.items[0].content {
            Content::Source(id) => it.source_name(id).to_owned(),
            _ => panic!("{scene:?}"),
        };
        assert_eq!((shown(first), shown(second)), ("Source 1 2".into(), "Source 2 2".into()));
    }

    #[test]
    fn items_beyond_the_most_are_counted() {
        let mut it = Collection::default();
        it.scenes[0].items =
            (1..=1_998).map(|id| shows(id, Content::Source(MAIN_SOURCE))).collect();
        let taken = it.take_in(large(1, 2));
        assert_eq!(it.item_count(), MAX_ITEMS);
        holds_together(&it);
        assert_eq!(
            taken.left_out,
            [
                "2 more items in the scene 'Scene 1' (limit of 2000 items reached)",
                "3 more items in the scene 'Scene 2' (limit of 2000 items reached)",
            ]
        );
    }

    #[test]
    fn only_a_default_collection_is_replaced() {
        let other = large(1, 1);
        let mut it = Collection::default();
        it.take_in(other.clone());
        assert_eq!(it, other);
        let mut it = Collection::default();
        assert!(it.apply(&Edit::RenameScene(it.current, "Talk".into())));
        it.take_in(other.clone());
        assert_eq!(it.scenes.len(), 2);
        let mut it = Collection::default();
        assert!(it.adopt_main("Mine", VideoChoice::Camera(Default::default())));
        it.take_in(other);
        assert_eq!(it.scenes.len(), 2, "the user may have chosen the camera");
    }

    #[test]
    fn what_is_one_for_all_stays_as_it_is_here() {
        let slot = |kind| Slot { enabled: true, filter: Filter::of_kind(kind).unwrap() };
        let mut other = large(1, 1);
        other.transition = Transition { kind: Kind::Cut, duration: Duration::ZERO };
        other.main_filters = vec![slot("blur")];
        // An untouched collection is replaced by the other one, which stays unchanged.
        let mut empty = Collection::default();
        let taken = empty.take_in(other.clone());
        assert_eq!((&empty, taken.left_out.len(), taken.scenes), (&other, 0, 1));
        let mut it = Collection::default();
        assert!(it.apply(&Edit::AddScene("Mine".into())));
        let before = it.transition.clone();
        let taken = it.take_in(other.clone());
        assert_eq!((&it.transition, it.main_filters.len()), (&before, 1));
        assert_eq!(taken.left_out, ["the default transition (onair keeps your current one)"]);
        it.main_filters = vec![slot("sharpen")];
        let taken = it.take_in(other.clone());
        assert_eq!(taken.left_out.len(), 2, "{:?}", taken.left_out);
        // Equal values are not reported.
        it.transition = other.transition.clone();
        it.main_filters.clone_from(&other.main_filters);
        assert_eq!(it.take_in(other).left_out, Vec::<String>::new());
    }
}
