//! The scenes as the program shows them in studio mode, in which edits wait for *Take*.

use std::sync::Arc;

use crate::compose::scene::{Content, Item, Plan, Scene, SceneId, SourceId};
use crate::studio::scenes::edits::{Edit, RefusedParts};
use crate::studio::scenes::{Collection, Source, walk};

impl Collection {
    /// Copies the scenes for the program, which then shows later edits only after the next call.
    /// The sources of the copy stay in the collection.
    pub(crate) fn copy_for_program(&mut self) {
        self.program_scenes = Some(Arc::new(self.scenes.clone()));
    }

    /// Keeps the sources of the program's copy, until [`Self::forget_leaving`].
    pub(crate) fn keep_leaving(&mut self) {
        for scene in self.program_scenes.iter().flat_map(|scenes| scenes.iter()) {
            walk(&scene.items, &mut |item| {
                if let Content::Source(id) = item.content {
                    self.leaving_sources.insert(id);
                }
            });
        }
    }

    /// Removes the sources that only the previous program showed.
    pub(crate) fn forget_leaving(&mut self) {
        self.leaving_sources.clear();
        self.forget_unused();
    }

    /// Returns the collection without the program's copy, and without sources that only the copy
    /// or the previous program shows.
    pub(crate) fn without_program(&self) -> Self {
        let mut own = self.clone();
        if own.program_scenes.take().is_some() || !own.leaving_sources.is_empty() {
            own.forget_leaving();
        }
        own
    }

    /// Returns the current scene as the program shows it. Outside studio mode, this is the current
    /// scene itself.
    pub fn program_scene(&self) -> Option<&Scene> {
        self.in_program(self.current).map(|(scene, _)| scene).or_else(|| self.current())
    }

    /// Returns the plan of a scene as viewers see it.
    pub fn program_plan(&self, id: SceneId) -> Plan {
        let has_filters = |id| self.has_filters(id);
        let plan = |(scene, all)| Plan::filtered(scene, all, &has_filters);
        self.in_program(id).map_or_else(|| self.plan(id), plan)
    }

    /// Returns the program's copy of a scene, and the copies of all scenes.
    fn in_program(&self, id: SceneId) -> Option<(&Scene, &[Scene])> {
        let all = self.program_scenes.as_ref()?.as_slice();
        Some((all.iter().find(|scene| scene.id == id)?, all))
    }

    /// Works like [`Collection::attempt_parts`], but also changes the program's copy of the scenes.
    pub fn attempt_in_program(&mut self, edit: &Edit) -> (bool, Option<RefusedParts>) {
        let Some(copy) = self.program_scenes.clone() else { return self.attempt_parts(edit) };
        // Both know all items and sources, so new ones get the same ids.
        let mut program = self.clone();
        program.scenes = Vec::clone(&copy);
        program.program_scenes = Some(Arc::new(self.scenes.clone()));
        let (is_changed, refused) = program.attempt_parts(edit);
        if !is_changed && refused.is_some() {
            return (false, refused);
        }
        let is_edited = self.apply(edit);
        if is_changed {
            self.program_scenes = Some(Arc::new(program.scenes));
            self.add_missing(program.sources);
        }
        (is_changed || is_edited, refused)
    }

    /// Returns the sources that only the program or the previous program shows.
    pub(crate) fn program_only_sources(&self) -> Vec<Source> {
        let own = self.without_program();
        let sources = self.sources.iter().filter(|source| own.source(source.id).is_none());
        sources.cloned().collect()
    }

    /// Keeps what the program of `now` shows, when an earlier state of the scenes returns.
    pub(crate) fn keep_program(&mut self, now: &Self) {
        self.program_scenes.clone_from(&now.program_scenes);
        self.leaving_sources.clone_from(&now.leaving_sources);
        self.highest_ids = now.highest_ids;
        let is_shown = |id: SourceId| self.uses(id) || self.leaving_sources.contains(&id);
        let shown = now.sources.iter().filter(|source| is_shown(source.id)).cloned().collect();
        self.add_missing(shown);
        self.forget_unused();
    }

    /// Returns true if the collections differ at most in the program's copy of the scenes and its
    /// sources.
    pub(crate) fn equals_apart_from_program(&self, other: &Self) -> bool {
        let is_whole = |it: &Self| it.program_scenes.is_none() && it.leaving_sources.is_empty();
        if is_whole(self) && is_whole(other) {
            return self == other;
        }
        self.without_program() == other.without_program()
    }

    /// Adds those of the sources that are missing.
    fn add_missing(&mut self, sources: Vec<Source>) {
        for source in sources {
            if self.source(source.id).is_none() {
                let name = self.free_source_name(&source.name);
                self.sources.push(Source { name, ..source });
            }
        }
    }

    /// Calls `job` for every item of the scenes and of the program's copy.
    pub fn each_with_program(&self, mut job: impl FnMut(&Item)) {
        let copy = self.program_scenes.iter().flat_map(|scenes| scenes.iter());
        self.scenes.iter().chain(copy).for_each(|scene| walk(&scene.items, &mut job));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::scene::{ItemId, Placement};

    /// Returns a collection in studio mode, whose only scene shows a logo.
    fn with_logo() -> Collection {
        let mut it = Collection::default();
        assert!(it.apply(&logo(&it)));
        it.copy_for_program();
        it
    }

    fn logo(it: &Collection) -> Edit {
        Edit::AddSource { scene: it.current, name: "Logo".into(), choice: VideoChoice::Test }
    }

    fn half() -> Placement {
        Placement { width: 0.5, ..Placement::default() }
    }

    #[test]
    fn the_program_shows_edits_after_the_next_copy() {
        let mut it = with_logo();
        let before = it.plan(it.current);
        assert!(it.apply(&Edit::SetPlace(ItemId(2), half())));
        assert_eq!((it.plan(it.current) == before, it.program_plan(it.current)), (false, before));
        it.copy_for_program();
        assert_eq!(it.program_plan(it.current), it.plan(it.current));
        assert!(it.apply(&Edit::HideItem(ItemId(2), true)));
        assert_eq!(it.program_scene().map(|scene| scene.items[1].hidden), Some(false));
        it.program_scenes = None;
        assert_eq!(it.program_scene(), it.current());
    }

    #[test]
    fn the_program_shows_edits_of_a_nested_scene_after_the_next_copy() {
        let mut it = with_logo();
        let (main, outer) = (it.current, it.next_scene());
        assert!(it.apply(&Edit::AddScene("Outer".into())));
        assert!(it.apply(&Edit::ShowScene { scene: outer, shown: main }));
        it.copy_for_program();
        let before = it.plan(outer);
        assert!(it.apply(&Edit::SetPlace(ItemId(2), half())));
        assert!(it.program_plan(outer) == before && it.plan(outer) != before);
        assert!(it.apply(&Edit::RemoveScene(main)));
        assert_eq!(it.program_plan(outer), before);
    }

    #[test]
    fn a_source_that_the_program_shows_stays_and_its_id_is_not_used_again() {
        let mut it = with_logo();
        assert!(it.apply(&Edit::RemoveItem(ItemId(2))) && it.uses(SourceId(1)));
        assert!(it.apply(&logo(&it)));
        let added = it.scenes[0].items[1].clone();
        assert_eq!((added.id, added.content), (ItemId(3), Content::Source(SourceId(2))));
        assert_eq!((it.sources.len(), it.without_program().sources.len()), (2, 1));
        it.copy_for_program();
        assert!(it.apply(&Edit::LockItem(ItemId(3), true)));
        assert_eq!(it.sources.iter().map(|it| it.id).collect::<Vec<_>>(), [SourceId(2)]);
    }

    #[test]
    fn an_edit_in_the_program_changes_it_without_the_edits_that_wait() {
        let mut it = with_logo();
        assert!(it.apply(&Edit::SetPlace(ItemId(2), half())));
        assert_eq!(it.attempt_in_program(&Edit::HideItem(ItemId(2), true)), (true, None));
        assert_eq!(it.attempt_in_program(&Edit::HideItem(ItemId(2), true)), (false, None));
        let item = |scene: Option<&Scene>| scene.unwrap().items[1].clone();
        let (program, preview) = (item(it.program_scene()), item(it.current()));
        assert!(program.hidden && preview.hidden);
        assert_eq!((program.place, preview.place), (Placement::default(), half()));
        // Both get the same new item and source.
        assert_eq!(it.attempt_in_program(&Edit::DuplicateSource(ItemId(2))), (true, None));
        let copy = |scene: Option<&Scene>| scene.unwrap().items[2].clone();
        let (program, preview) = (copy(it.program_scene()), copy(it.current()));
        assert_eq!((program.id, program.content), (preview.id, preview.content));
        assert_eq!(it.sources.len(), 2);
        // An item that is only in the program can still be changed.
        assert!(it.apply(&Edit::RemoveItem(ItemId(2))));
        assert_eq!(it.attempt_in_program(&Edit::DuplicateSource(ItemId(2))), (true, None));
        assert_eq!((it.program_scene().unwrap().items.len(), it.scenes[0].items.len()), (4, 2));
        assert_eq!(it.sources.len(), 3);
    }

    #[test]
    fn an_undone_addition_stays_in_the_program() {
        let mut it = Collection::default();
        let mut earlier = it.clone();
        assert!(it.apply(&logo(&it)));
        it.copy_for_program();
        earlier.keep_program(&it);
        assert_eq!(earlier.sources, it.sources);
        assert_eq!(earlier.program_only_sources(), it.sources);
        assert_eq!(earlier.scenes[0].items.len(), 1);
        assert_eq!(earlier.program_plan(earlier.current), it.program_plan(it.current));
        it.program_scenes = None;
        earlier.keep_program(&it);
        assert_eq!(earlier, Collection::default());
    }
}
