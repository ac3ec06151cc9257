//! Edits of the scene collection, each as a value. The window and the command line request edits,
//! and *undo* reverts them.

mod duplicate;
mod effect;
mod files;
mod group;
mod paste;
mod refusal;
mod ungroup;

use std::path::PathBuf;

use crate::capture::{Properties, VideoChoice, VideoFallback};
use crate::compose::filter::{MAX_FILTERS, Slot};
use crate::compose::scene::{
    Blend, Content, Item, ItemId, ItemTransition, Placement, Scene, SceneId, SourceId,
};
use crate::compose::transition::Transition;
use crate::media::Size;
use crate::studio::scenes::{Collection, MAIN_SOURCE, MAX_SCENES, MAX_SOURCES, Source, clean_name};

use duplicate::renumber;
pub use group::MovedInto;
pub use paste::CopiedItems;
pub use refusal::{EditRefusal, RefusedParts};

/// A change of the collection.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    AddScene(String),
    RemoveScene(SceneId),
    RenameScene(SceneId, String),
    DuplicateScene(SceneId),
    /// Moves a scene to this position in the list.
    MoveScene(SceneId, usize),
    /// Adds a new source on top of a scene.
    AddSource {
        scene: SceneId,
        name: String,
        choice: VideoChoice,
    },
    /// Adds a new source on top of a scene, at this position.
    PlaceSource {
        scene: SceneId,
        name: String,
        choice: VideoChoice,
        place: Placement,
    },
    /// Pastes copied items on top of a scene.
    Paste(SceneId, CopiedItems),
    /// Shows an existing source on top of a scene.
    ShowSource {
        scene: SceneId,
        source: SourceId,
    },
    /// Shows another scene on top of a scene.
    ShowScene {
        scene: SceneId,
        shown: SceneId,
    },
    /// Changes the choice of a source, for a file that was moved, or for another device.
    SetSource(SourceId, VideoChoice),
    RenameSource(SourceId, String),
    /// Sets all filters of a source's frames, in order.
    SetFilters(SourceId, Vec<Slot>),
    /// Sets the properties of a source, such as a text's style or the visibility of the pointer.
    SetProperties(SourceId, Properties),
    /// Adds a media file to a source's playlist.
    AddFile(SourceId, PathBuf),
    /// Removes this file from a source's playlist.
    RemoveFile(SourceId, usize),
    /// Replaces a file of a source's playlist.
    ReplaceFile {
        source: SourceId,
        /// The position of the old file when the new one was chosen, to identify one of two equal
        /// files.
        index: usize,
        old: PathBuf,
        new: PathBuf,
    },
    /// Sets the fallback of a source for the time while it is black, frozen or lost.
    SetFallback(SourceId, VideoFallback),
    /// Sets whether recordings of the program also record a source alone.
    SetRecorded(SourceId, bool),
    RemoveItem(ItemId),
    /// Duplicates an item with the same source.
    DuplicateItem(ItemId),
    /// Duplicates an item with a new source, which has the same settings and is then independent.
    DuplicateSource(ItemId),
    /// Renames an item; if the name is empty, the name of its content is used.
    RenameItem(ItemId, String),
    HideItem(ItemId, bool),
    LockItem(ItemId, bool),
    /// Moves an item to this position among its siblings, counted from the bottom.
    MoveItem(ItemId, usize),
    /// Moves an item into a group of its scene, or out of all groups; see [`MovedInto`].
    MoveInto(MovedInto),
    SetPlace(ItemId, Placement),
    SetOpacity(ItemId, f32),
    SetBlend(ItemId, Blend),
    /// Sets how an item appears; `None` means at once.
    SetShow(ItemId, Option<ItemTransition>),
    /// Sets how an item disappears; `None` means at once.
    SetHide(ItemId, Option<ItemTransition>),
    /// Groups these items at the position of the topmost one.
    Group(Vec<ItemId>),
    /// Ungroups a group. Its members keep their appearance on a program of this size.
    Ungroup(ItemId, Size),
    /// Sets the default transition.
    SetTransition(Transition),
    /// Sets the transition of one scene; `None` means the default.
    SetSceneTransition(SceneId, Option<Transition>),
    /// Applies all of these edits as one undo step, except the edits that are not possible.
    Several(Vec<Edit>),
}

impl Collection {
    /// Applies an edit. Returns false if it is not possible or has no effect.
    pub fn apply(&mut self, edit: &Edit) -> bool {
        self.attempt_parts(edit).0
    }

    /// Works like [`Collection::apply`], but fails with the reason if a limit is reached or the
    /// appearance would change.
    ///
    /// # Errors
    /// Fails with [`EditRefusal`]. In that case, nothing is changed.
    pub fn attempt(&mut self, edit: &Edit) -> Result<bool, EditRefusal> {
        match self.attempt_parts(edit) {
            (false, Some(refused)) => Err(refused.reason),
            (done, _) => Ok(done),
        }
    }

    /// Works like [`Collection::apply`], and also returns the refused parts.
    pub fn attempt_parts(&mut self, edit: &Edit) -> (bool, Option<RefusedParts>) {
        let before = self.clone();
        let (done, refused) = match edit {
            Edit::Several(edits) => self.change_each(edits),
            one => self.change_each(std::slice::from_ref(one)),
        };
        if !done {
            *self = before;
            return (false, refused);
        }
        self.forget_unused();
        (*self != before, refused)
    }

    /// Returns true if the edit would change anything.
    pub fn takes(&self, edit: &Edit) -> bool {
        self.clone().apply(edit)
    }

    fn change(&mut self, edit: &Edit) -> Option<()> {
        if !edit.has_valid_paths() {
            return None;
        }
        match edit {
            Edit::AddScene(name) => {
                self.room_for_scene()?;
                let scene = Scene {
                    id: self.next_scene(),
                    name: self.free_scene_name(name),
                    items: Vec::new(),
                };
                self.scenes.push(scene);
            }
            Edit::RemoveScene(id) => {
                if self.scenes.len() < 2 {
                    return None;
                }
                let index = self.scenes.iter().position(|scene| scene.id == *id)?;
                self.scenes.remove(index);
                for scene in &mut self.scenes {
                    remove_where(&mut scene.items, &|item| item.content == Content::Scene(*id));
                }
                self.forget_transitions();
                if self.current == *id {
                    self.current = self.scenes.get(index.saturating_sub(1))?.id;
                }
            }
            Edit::RenameScene(id, name) => {
                let name = clean_name(name);
                if name.is_empty() || self.scene(*id)?.name == name {
                    return None;
                }
                let name = self.free_scene_name(&name);
                self.scene_mut(*id)?.name = name;
            }
            Edit::DuplicateScene(id) => {
                self.room_for_scene()?;
                let index = self.scenes.iter().position(|scene| scene.id == *id)?;
                let mut copy = self.scene(*id)?.clone();
                copy.id = self.next_scene();
                copy.name = self.free_scene_name(&copy.name);
                let mut next = self.next_item();
                renumber(&mut copy.items, &mut next);
                let filters = self.composed_filters.clone();
                let items = self.scene(*id)?.items.clone();
                self.copy_group_filters((&items, &copy.items), &filters);
                let own = filters.get(&SourceId::of_scene(*id)).cloned();
                let own = own.map(|own| (SourceId::of_scene(copy.id), own));
                self.composed_filters.extend(own);
                let own = self.own_transitions.get(id).cloned();
                self.own_transitions.extend(own.map(|own| (copy.id, own)));
                self.scenes.insert(index + 1, copy);
            }
            Edit::MoveScene(id, to) => {
                let index = self.scenes.iter().position(|scene| scene.id == *id)?;
                let scene = self.scenes.remove(index);
                self.scenes.insert((*to).min(self.scenes.len()), scene);
            }
            Edit::AddSource { scene, name, choice } => {
                if self.sources.len() >= MAX_SOURCES {
                    return None;
                }
                let (id, name) = (self.next_source(), self.free_source_name(name));
                self.sources.push(Source::new(id, name, choice.clone()));
                self.add_item(*scene, Content::Source(id))?;
            }
            Edit::PlaceSource { scene, name, choice, place } => {
                let (scene, name, choice) = (*scene, name.clone(), choice.clone());
                self.change(&Edit::AddSource { scene, name, choice })?;
                self.scene_mut(scene)?.items.last_mut()?.place = place.bounded();
            }
            Edit::Paste(scene, copied) => self.paste(*scene, copied)?,
            Edit::ShowSource { scene, source } => {
                if *source != MAIN_SOURCE {
                    self.source(*source)?;
                }
                self.add_item(*scene, Content::Source(*source))?;
            }
            Edit::ShowScene { scene, shown } => {
                self.scene(*shown)?;
                if self.reaches(*shown, *scene) {
                    return None;
                }
                self.add_item(*scene, Content::Scene(*shown))?;
            }
            Edit::SetSource(id, choice) => {
                self.source_mut(*id)?.choice = choice.clone();
            }
            Edit::RenameSource(id, name) => {
                let name = clean_name(name);
                if name.is_empty() || self.source(*id)?.name == name {
                    return None;
                }
                let name = self.free_source_name(&name);
                self.source_mut(*id)?.name = name;
            }
            Edit::SetFilters(id, slots) => {
                let bounded = slots
                    .iter()
                    .take(MAX_FILTERS)
                    .map(|slot| Slot { filter: slot.filter.clone().bounded(), ..*slot });
                *self.filters_mut(*id)? = bounded.collect();
            }
            Edit::SetProperties(id, properties) => {
                self.source_mut(*id)?.properties = properties.clone().bounded();
            }
            Edit::AddFile(id, path) => self.add_file(*id, path)?,
            Edit::RemoveFile(id, index) => self.remove_file(*id, *index)?,
            Edit::ReplaceFile { source, index, old, new } => {
                self.replace_file(*source, *index, old, new)?;
            }
            Edit::SetFallback(MAIN_SOURCE, fallback) => self.main_fallback = fallback.clone(),
            Edit::SetFallback(id, fallback) => {
                self.source_mut(*id)?.fallback = fallback.clone();
            }
            Edit::SetRecorded(id, record) => self.source_mut(*id)?.record = *record,
            Edit::RemoveItem(id) => {
                let (list, index) = self.place_of(*id)?;
                list.remove(index);
            }
            Edit::DuplicateItem(id) => self.duplicate_item(*id)?,
            Edit::DuplicateSource(id) => self.duplicate_source(*id)?,
            Edit::RenameItem(id, name) => self.item_mut(*id)?.name = clean_name(name),
            Edit::HideItem(id, hidden) => self.item_mut(*id)?.hidden = *hidden,
            Edit::LockItem(id, locked) => self.item_mut(*id)?.locked = *locked,
            Edit::MoveItem(id, to) => {
                let (list, index) = self.place_of(*id)?;
                let item = list.remove(index);
                list.insert((*to).min(list.len()), item);
            }
            Edit::MoveInto(moved) => self.move_into(*moved)?,
            Edit::SetPlace(id, place) => self.item_mut(*id)?.place = place.bounded(),
            Edit::SetOpacity(id, opacity) => {
                self.item_mut(*id)?.opacity =
                    if opacity.is_finite() { opacity.clamp(0.0, 1.0) } else { 1.0 };
            }
            Edit::SetBlend(id, blend) => self.item_mut(*id)?.blend = *blend,
            Edit::SetShow(id, it) => self.item_mut(*id)?.show = it.map(ItemTransition::bounded),
            Edit::SetHide(id, it) => self.item_mut(*id)?.hide = it.map(ItemTransition::bounded),
            Edit::Group(ids) => self.group(ids)?,
            Edit::Ungroup(id, canvas) => self.ungroup(*id, *canvas)?,
            Edit::Several(edits) => self.change_each(edits).0.then_some(())?,
            Edit::SetTransition(transition) => {
                self.transition = transition.clone().bounded();
            }
            Edit::SetSceneTransition(id, transition) => {
                self.scene(*id)?;
                match transition.clone() {
                    Some(own) => drop(self.own_transitions.insert(*id, own.bounded())),
                    None => drop(self.own_transitions.remove(id)),
                }
            }
        }
        Some(())
    }

    fn room_for_scene(&self) -> Option<()> {
        (self.scenes.len() < MAX_SCENES).then_some(())
    }

    fn add_item(&mut self, scene: SceneId, content: Content) -> Option<()> {
        let item = Item::new(self.next_item(), content);
        self.scene_mut(scene)?.items.push(item);
        Some(())
    }

    fn item_mut(&mut self, id: ItemId) -> Option<&mut Item> {
        let (list, index) = self.place_of(id)?;
        list.get_mut(index)
    }

    /// Returns the list of an item, and its position in that list.
    fn place_of(&mut self, id: ItemId) -> Option<(&mut Vec<Item>, usize)> {
        self.scenes.iter_mut().find_map(|scene| place_in(&mut scene.items, id))
    }

    /// Removes unused sources.
    pub(crate) fn forget_unused(&mut self) {
        let mut used = self.leaving_sources.clone();
        self.each_with_program(|item| {
            if let Content::Source(id) = item.content {
                used.insert(id);
            }
        });
        self.sources.retain(|source| used.contains(&source.id));
        self.forget_composed_filters();
    }
}

fn place_in(items: &mut Vec<Item>, id: ItemId) -> Option<(&mut Vec<Item>, usize)> {
    if let Some(index) = items.iter().position(|item| item.id == id) {
        return Some((items, index));
    }
    items.iter_mut().find_map(|item| match &mut item.content {
        Content::Group(members) => place_in(members, id),
        _ => None,
    })
}

fn remove_where(items: &mut Vec<Item>, bad: &impl Fn(&Item) -> bool) {
    items.retain(|item| !bad(item));
    for item in items {
        if let Content::Group(members) = &mut item.content {
            remove_where(members, bad);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::undo_history::{Change, UndoState};

    /// The undo history of the scenes only.
    #[derive(Default)]
    struct Steps(crate::studio::engine::undo_history::UndoHistory);

    impl Steps {
        fn add(&mut self, before: Collection, edit: &Edit, apart: bool) {
            let before = UndoState { scenes: Some(before), strips: None };
            self.0.add(before, Change::Scenes(edit.clone()), apart);
        }

        fn undo(&mut self, now: &Collection) -> Option<Collection> {
            self.0.undo(now, &[]).and_then(|it| it.scenes)
        }

        fn redo(&mut self, now: &Collection) -> Option<Collection> {
            self.0.redo(now, &[]).and_then(|it| it.scenes)
        }
    }

    fn edited(edits: &[Edit]) -> Collection {
        let mut collection = Collection::default();
        for edit in edits {
            assert!(collection.apply(edit), "{edit:?}");
        }
        collection
    }

    const MAIN_SCENE: SceneId = SceneId(1);

    fn logo() -> Edit {
        Edit::AddSource { scene: MAIN_SCENE, name: "Logo".into(), choice: VideoChoice::Test }
    }

    #[test]
    fn items_come_go_and_change_places() {
        let mut it = edited(&[logo(), logo()]);
        let names = |it: &Collection| -> Vec<String> {
            it.scenes[0].items.iter().map(|item| it.item_name(item).to_owned()).collect()
        };
        assert_eq!(names(&it), ["", "Logo", "Logo 2"]);
        assert!(it.apply(&Edit::MoveItem(ItemId(3), 0)));
        assert_eq!(names(&it), ["Logo 2", "", "Logo"]);
        assert!(
            it.apply(&Edit::HideItem(ItemId(2), true))
                && !it.apply(&Edit::HideItem(ItemId(2), true))
        );
        assert!(it.apply(&Edit::DuplicateItem(ItemId(2))) && it.scenes[0].items.len() == 4);
        assert!(it.apply(&Edit::RemoveItem(ItemId(2))) && it.sources.len() == 2);
        assert!(it.apply(&Edit::RemoveItem(ItemId(4))) && it.sources.len() == 1, "shown by none");
        assert!(!it.apply(&Edit::RemoveItem(ItemId(99))));
    }

    #[test]
    fn scenes_come_and_go_and_never_hold_themselves() {
        let mut it = edited(&[Edit::AddScene("Talk".into()), Edit::DuplicateScene(MAIN_SCENE)]);
        let names: Vec<_> = it.scenes.iter().map(|scene| scene.name.as_str()).collect();
        assert_eq!(names, ["Main", "Main 2", "Talk"]);
        let show = |scene, shown| Edit::ShowScene { scene: SceneId(scene), shown: SceneId(shown) };
        assert!(it.apply(&show(1, 2)) && it.apply(&show(2, 3)));
        assert!(!it.apply(&show(3, 1)) && !it.apply(&show(2, 2)), "a circle");
        assert!(it.apply(&Edit::RemoveScene(SceneId(2))));
        assert!(it.scenes[0].items.iter().all(|item| item.content == Content::Source(MAIN_SOURCE)));
        assert!(it.apply(&Edit::RemoveScene(SceneId(1))) && it.current == SceneId(3));
        assert!(!it.apply(&Edit::RemoveScene(SceneId(3))), "the last one stays");
    }

    #[test]
    fn a_scene_may_have_its_own_transition() {
        use crate::compose::transition::Kind;
        use std::time::Duration;
        let way = |kind, ms| Transition { kind, duration: Duration::from_millis(ms) };
        let own = |id, transition| Edit::SetSceneTransition(SceneId(id), transition);
        let slow = way(Kind::FadeColor([0; 3]), 900);
        let mut it = edited(&[Edit::AddScene("Break".into()), own(2, Some(slow.clone()))]);
        assert_eq!(
            (it.transition_to(MAIN_SCENE), it.transition_to(SceneId(2))),
            (&it.transition, &slow)
        );
        assert!(it.apply(&Edit::DuplicateScene(SceneId(2))));
        assert_eq!(it.transition_to(SceneId(3)), &slow, "the copy as well");
        assert!(it.apply(&own(2, None)) && !it.apply(&own(2, None)));
        assert_eq!(it.transition_to(SceneId(2)), &it.transition);
        assert!(!it.apply(&own(99, Some(slow))), "no such scene");
        assert!(it.apply(&own(2, Some(way(Kind::Fade, 99_000)))));
        assert_eq!(
            it.transition_to(SceneId(2)).duration,
            crate::compose::transition::MAX_STINGER_DURATION
        );
        assert!(it.apply(&Edit::RemoveScene(SceneId(3))));
        assert_eq!(it.own_transitions.len(), 1, "gone with its scene");
        // Transitions of imported scenes are kept under their new ids.
        let mut other = Collection::default();
        other.take_in(it.clone());
        assert_eq!(other, it);
        other.take_in(it.clone());
        let added = other.scenes.last().unwrap().id;
        assert!(added != SceneId(2) && other.transition_to(added) == it.transition_to(SceneId(2)));
        // The steps of dragging a number are one undo step.
        assert!(own(2, Some(way(Kind::Fade, 100))).continues(&own(2, Some(way(Kind::Fade, 50)))));
        assert!(!own(2, Some(way(Kind::Cut, 100))).continues(&own(2, Some(way(Kind::Fade, 50)))));
    }

    #[test]
    fn groups_keep_order_and_come_apart_again() {
        let mut it = edited(&[logo(), logo(), logo()]);
        assert!(it.apply(&Edit::Group(vec![ItemId(1), ItemId(3)])));
        let ids =
            |it: &Collection| it.scenes[0].items.iter().map(|item| item.id.0).collect::<Vec<_>>();
        assert_eq!(ids(&it), [2, 5, 4]);
        let sources =
            |it: &Collection| it.plan(MAIN_SCENE).sources().map(|id| id.0).collect::<Vec<_>>();
        assert_eq!(sources(&it), [1, 0, 2, 3]);
        assert!(it.apply(&Edit::SetOpacity(ItemId(3), 0.5)), "within the group");
        assert!(it.apply(&Edit::Ungroup(ItemId(5), Size::new(1280, 720))));
        assert_eq!(ids(&it), [2, 1, 3, 4]);
    }

    #[test]
    fn steps_are_undone_and_a_drag_is_one() {
        let mut it = Collection::default();
        let mut steps = Steps::default();
        let apply = |it: &mut Collection, steps: &mut Steps, edit: Edit| {
            let before = it.clone();
            assert!(it.apply(&edit));
            steps.add(before, &edit, false);
        };
        apply(&mut it, &mut steps, logo());
        let added = it.clone();
        for x in 1..=20 {
            let place = Placement { x: f64::from(x) / 40.0, ..Placement::default() };
            apply(&mut it, &mut steps, Edit::SetPlace(ItemId(2), place));
        }
        let moved = it;
        let it = steps.undo(&moved).unwrap();
        assert_eq!(it, added);
        assert_eq!(steps.redo(&it).unwrap(), moved);
        let it = steps.undo(&moved).unwrap();
        assert_eq!(steps.undo(&it).unwrap(), Collection::default());
        assert!(steps.undo(&it).is_none());
    }

    #[test]
    fn several_changes_are_one_undo_step_and_impossible_ones_are_skipped() {
        let (mut it, mut steps) = (edited(&[logo(), logo()]), Steps::default());
        let before = it.clone();
        let moved = |x: f64| {
            let at = |id| Edit::SetPlace(ItemId(id), Placement { x, ..Placement::default() });
            Edit::Several(vec![at(2), at(99), at(3)])
        };
        for x in [0.1, 0.2, 0.3] {
            let then = it.clone();
            assert!(it.apply(&moved(x)));
            steps.add(then, &moved(x), false);
        }
        assert!(it.scenes[0].items.iter().skip(1).all(|item| item.place.x == 0.3));
        let hide =
            Edit::Several(vec![Edit::HideItem(ItemId(2), true), Edit::RemoveItem(ItemId(3))]);
        let then = it.clone();
        assert!(it.apply(&hide));
        steps.add(then.clone(), &hide, false);
        assert!(it.scenes[0].items[1].hidden && it.scenes[0].items.len() == 2);
        assert_eq!(steps.undo(&it).unwrap(), then);
        assert_eq!(steps.undo(&then).unwrap(), before, "the whole drag");
        let nothing = Edit::Several(vec![Edit::RemoveItem(ItemId(99))]);
        assert!(!it.apply(&nothing) && !it.apply(&Edit::Several(Vec::new())));
    }

    #[test]
    fn properties_are_set_and_a_drawn_slider_is_one_step() {
        let mut it = edited(&[Edit::AddSource {
            scene: MAIN_SCENE,
            name: "Title".into(),
            choice: "text:Hello".parse().unwrap(),
        }]);
        let id = it.sources.last().unwrap().id;
        let mut steps = Steps::default();
        let mut properties = Properties::default();
        let mut set = |properties: &Properties| {
            let (before, edit) = (it.clone(), Edit::SetProperties(id, properties.clone()));
            assert!(it.apply(&edit));
            steps.add(before, &edit, false);
        };
        for size in [70, 80, 90] {
            properties.text.style.size = size;
            set(&properties);
        }
        properties.text.style.italic = true;
        set(&properties);
        properties.text.style.size = u32::MAX;
        set(&properties);
        assert_eq!(it.source(id).unwrap().properties.text.style.size, 1_000, "bounded");
        let mut back = Vec::new();
        while let Some(before) = steps.undo(&it) {
            it = before;
            let style = &it.source(id).unwrap().properties.text.style;
            back.push((style.size, style.italic));
        }
        assert_eq!(back, [(90, false), (64, false)]);
        assert!(!it.apply(&Edit::SetProperties(SourceId(9), properties)));
    }

    #[test]
    fn filters_are_set_and_a_drawn_slider_is_one_step() {
        use crate::compose::filter::Filter;
        use crate::media::NumericSettings;
        let kinds = Filter::kinds();
        let of = |count: usize| -> Vec<Slot> {
            let slot = |filter: &Filter| Slot { enabled: true, filter: filter.clone() };
            kinds.iter().cycle().take(count).map(slot).collect()
        };
        for id in [MAIN_SOURCE, SourceId(1)] {
            let (mut it, mut steps) = (edited(&[logo()]), Steps::default());
            let mut edits = vec![of(1)];
            edits.extend((1..=20_u8).map(|left| {
                let mut slots = of(1);
                assert!(slots[0].filter.set("left", f32::from(left) / 40.0));
                slots
            }));
            for slots in edits {
                let (before, edit) = (it.clone(), Edit::SetFilters(id, slots));
                assert!(it.apply(&edit));
                steps.add(before, &edit, false);
            }
            assert_eq!(steps.undo(&it).unwrap().filters(id), []);
            assert!(it.apply(&Edit::SetFilters(id, of(100))));
            assert_eq!(it.filters(id).len(), MAX_FILTERS);
        }
        assert!(!edited(&[]).apply(&Edit::SetFilters(SourceId(9), of(1))));
    }
}
