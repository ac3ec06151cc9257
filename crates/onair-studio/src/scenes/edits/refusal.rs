//! The reasons why an edit is refused.

use std::collections::BTreeMap;
use std::path::Path;

use super::Edit;
use crate::capture::{Properties, VideoChoice};
use crate::compose::scene::{Content, Item, MAX_DEPTH, SceneId};
use crate::studio::scenes::{Collection, MAIN_SOURCE, MAX_ITEMS, MAX_SCENES, MAX_SOURCES};

/// The reason why an edit is refused, if that is not obvious.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum EditRefusal {
    /// There would be more items than a collection may have.
    TooMany,
    /// There would be more sources than a collection may have.
    TooManySources,
    /// There would be more scenes than a collection may have.
    TooManyScenes,
    /// There would be more files than a source may have.
    TooManyFiles,
    /// A path is not valid UTF-8, so the settings file cannot contain it.
    InvalidPath,
    /// Groups and scenes would be nested more deeply than onair can draw.
    TooDeep,
    /// A part of the group is cropped.
    Cut,
    /// The group stretches its members in a way that the members' own placements cannot express.
    Stretched,
    /// The group scales a member that is shown pixel by pixel.
    Scaled,
}

/// The refused parts of an edit.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RefusedParts {
    /// The reason for the first one.
    pub reason: EditRefusal,
    pub count: usize,
    /// The number of all parts.
    pub total: usize,
}

impl Edit {
    /// Returns true if each path that the edit adds is valid UTF-8.
    pub(super) fn has_valid_paths(&self) -> bool {
        let path = match self {
            Self::AddSource { choice, .. }
            | Self::PlaceSource { choice, .. }
            | Self::SetSource(_, choice) => choice.path(),
            Self::SetFallback(_, fallback) => fallback.choice().and_then(VideoChoice::path),
            Self::AddFile(_, path) | Self::ReplaceFile { new: path, .. } => Some(path.as_path()),
            Self::SetTransition(transition) | Self::SetSceneTransition(_, Some(transition)) => {
                transition.kind.file()
            }
            Self::SetFilters(_, slots) => {
                let mut files = slots.iter().filter_map(|slot| slot.filter.file());
                return files.all(|(_, path)| is_valid(path));
            }
            _ => None,
        };
        path.is_none_or(is_valid)
    }
}

fn is_valid(path: &Path) -> bool {
    path.to_str().is_some()
}

impl Collection {
    /// Applies each of these edits that is possible. Returns true if any is, and the refused ones.
    pub(super) fn change_each(&mut self, edits: &[Edit]) -> (bool, Option<RefusedParts>) {
        let (mut any, total) = (false, edits.len());
        let mut refused: Option<RefusedParts> = None;
        let refused_for = |reason| RefusedParts { reason, count: 0, total };
        for edit in edits.iter().take(MAX_ITEMS) {
            // Each step of dragging many items is an edit that adds nothing. It succeeds, or it
            // changes nothing.
            let before = edit.may_grow().then(|| self.clone());
            let done = self.change(edit).is_some();
            let exceeded =
                before.as_ref().filter(|_| done).and_then(|before| self.overgrown(before));
            if done && exceeded.is_none() {
                any = true;
                continue;
            }
            if let Some(before) = before {
                *self = before;
            }
            if let Some(reason) = exceeded.or_else(|| self.why_not(edit)) {
                refused.get_or_insert(refused_for(reason)).count += 1;
            }
        }
        if total > MAX_ITEMS {
            let beyond = refused.get_or_insert(refused_for(EditRefusal::TooMany));
            beyond.count += total - MAX_ITEMS;
        }
        (any, refused)
    }

    /// Returns the limit that the collection exceeds now but did not exceed in `before`. An earlier
    /// excess may remain.
    fn overgrown(&self, before: &Self) -> Option<EditRefusal> {
        let many = self.item_count();
        if many > MAX_ITEMS && many > before.item_count() {
            return Some(EditRefusal::TooMany);
        }
        let deep = self.depth();
        (deep > MAX_DEPTH && deep > before.depth()).then_some(EditRefusal::TooDeep)
    }

    /// Returns the reason why an edit was refused.
    fn why_not(&self, edit: &Edit) -> Option<EditRefusal> {
        if !edit.has_valid_paths() {
            return Some(EditRefusal::InvalidPath);
        }
        let source_limit = |count: usize| {
            (self.sources.len() + count > MAX_SOURCES).then_some(EditRefusal::TooManySources)
        };
        match edit {
            Edit::AddScene(_) | Edit::DuplicateScene(_) => {
                (self.scenes.len() >= MAX_SCENES).then_some(EditRefusal::TooManyScenes)
            }
            Edit::AddSource { .. } | Edit::PlaceSource { .. } => source_limit(1),
            Edit::DuplicateSource(id) => match self.item(*id)?.content {
                Content::Source(source) if source != MAIN_SOURCE => source_limit(1),
                _ => None,
            },
            Edit::Paste(_, copied) => {
                source_limit(copied.sources.iter().filter(|it| !self.has_copied(it)).count())
            }
            Edit::AddFile(id, _) => {
                let count = self.source(*id)?.properties.files.len();
                (count >= Properties::MAX_ADDITIONAL_FILES).then_some(EditRefusal::TooManyFiles)
            }
            Edit::Ungroup(id, canvas) => self.lifted(*id, *canvas).err().flatten(),
            Edit::Several(edits) => self.clone().change_each(edits).1.map(|it| it.reason),
            _ => None,
        }
    }

    /// Returns the depth of the deepest item: 1 in a scene without groups.
    fn depth(&self) -> usize {
        let mut known = BTreeMap::new();
        let ids: Vec<_> = self.scenes.iter().map(|scene| scene.id).collect();
        ids.into_iter().map(|id| self.depth_of(id, &mut known)).max().unwrap_or(0)
    }

    /// Returns the depth of one scene. Each scene is checked once, however often it is used.
    fn depth_of(&self, id: SceneId, known: &mut BTreeMap<SceneId, usize>) -> usize {
        if let Some(depth) = known.get(&id) {
            return *depth;
        }
        // A scene inside itself is not drawn.
        known.insert(id, 0);
        let items = self.scene(id).map(|scene| scene.items.as_slice()).unwrap_or_default();
        let depth = self.deepest(items, known);
        known.insert(id, depth);
        depth
    }

    fn deepest(&self, items: &[Item], known: &mut BTreeMap<SceneId, usize>) -> usize {
        let depths = items.iter().map(|item| match &item.content {
            Content::Source(_) => 1,
            Content::Group(members) => 1 + self.deepest(members, known),
            Content::Scene(id) => 1 + self.depth_of(*id, known),
        });
        depths.max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoFallback;
    #[cfg(unix)]
    use crate::compose::filter::{Filter, Slot};
    use crate::compose::scene::{Blend, ItemId, Placement, SourceId};
    #[cfg(unix)]
    use crate::compose::transition::{Kind, Stinger, Transition};
    use crate::media::Size;

    fn logo(scene: SceneId) -> Edit {
        Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test }
    }

    #[test]
    fn groups_and_scenes_go_no_deeper_than_is_drawn() {
        let mut it = Collection::default();
        let (first, mut id) = (it.current, ItemId(1));
        for level in 1..MAX_DEPTH {
            assert_eq!(it.attempt(&Edit::Group(vec![id])), Ok(true), "{level}");
            id = it.scenes[0].items[0].id;
            assert_eq!(it.plan(first).layers.len(), 1, "{level}");
        }
        let full = it.clone();
        assert_eq!(it.attempt(&Edit::Group(vec![id])), Err(EditRefusal::TooDeep));
        assert_eq!(it, full, "nothing vanished");
        // A scene that contains this scene would be too deep as well, and so would any scene that
        // contains that one.
        assert!(it.apply(&Edit::AddScene("Outer".into())));
        let outer = it.scenes.last().unwrap().id;
        let show = Edit::ShowScene { scene: outer, shown: first };
        assert_eq!(it.attempt(&show), Err(EditRefusal::TooDeep));
        let several = Edit::Several(vec![Edit::HideItem(ItemId(1), true), show.clone()]);
        assert_eq!((it.attempt(&several), it.item(ItemId(1)).unwrap().hidden), (Ok(true), true));
        assert_eq!(it.attempt(&Edit::Several(vec![show])), Err(EditRefusal::TooDeep));
        // The group can be ungrouped again.
        assert_eq!(it.attempt(&Edit::Ungroup(id, crate::media::Size::new(64, 36))), Ok(true));
    }

    #[test]
    fn copies_count_all_that_is_in_them() {
        let mut it = Collection::default();
        let scene = it.current;
        assert!(it.apply(&logo(scene)));
        for _ in 0..9 {
            let items: Vec<ItemId> = it.scenes[0].items.iter().map(|item| item.id).collect();
            assert!(it.apply(&Edit::Group(items.clone())), "{}", it.item_count());
            let group = it.scenes[0].items[0].id;
            assert!(it.apply(&Edit::DuplicateItem(group)));
            for id in it.scenes[0].items.iter().map(|item| item.id).collect::<Vec<_>>() {
                assert!(it.apply(&Edit::Ungroup(id, crate::media::Size::new(64, 36))));
            }
        }
        let items: Vec<ItemId> = it.scenes[0].items.iter().map(|item| item.id).collect();
        assert!(it.apply(&Edit::Group(items)));
        // One group on the first level that contains all items.
        let (group, count) = (it.scenes[0].items[0].id, it.item_count());
        assert!((MAX_ITEMS / 2..=MAX_ITEMS).contains(&count), "{count}");
        for edit in [Edit::DuplicateItem(group), Edit::DuplicateScene(scene)] {
            assert_eq!(it.attempt(&edit), Err(EditRefusal::TooMany), "{edit:?}");
        }
        while it.item_count() < MAX_ITEMS {
            assert_eq!(it.attempt(&logo_shown(&it)), Ok(true));
        }
        assert_eq!(it.attempt(&logo_shown(&it)), Err(EditRefusal::TooMany));
        assert_eq!(it.attempt(&Edit::Group(vec![group])), Err(EditRefusal::TooMany));
    }

    #[test]
    fn what_needs_another_source_or_scene_is_refused_at_the_limit() {
        let mut it = Collection::default();
        let scene = it.current;
        while it.sources.len() < MAX_SOURCES {
            assert!(it.apply(&logo(scene)));
        }
        let last = it.scenes[0].items.last().unwrap().id;
        let paste = Edit::Paste(scene, it.copied(it.item(last)));
        let (name, choice, place) = ("A".to_owned(), VideoChoice::None, Placement::default());
        let placed = Edit::PlaceSource { scene, name, choice, place };
        let several = Edit::Several(vec![logo(scene)]);
        for edit in [logo(scene), placed.clone(), Edit::DuplicateSource(last), several] {
            assert_eq!(it.attempt(&edit), Err(EditRefusal::TooManySources), "{edit:?}");
        }
        // The main source cannot be duplicated, and a source that is there needs no room.
        assert_eq!(it.attempt(&Edit::DuplicateSource(ItemId(1))), Ok(false));
        assert_eq!(it.clone().attempt(&paste), Ok(true));
        for edit in [Edit::RemoveItem(last), placed] {
            assert!(it.apply(&edit));
        }
        assert_eq!(it.attempt(&paste), Err(EditRefusal::TooManySources));
        while it.scenes.len() < MAX_SCENES {
            assert!(it.apply(&Edit::AddScene("Talk".into())));
        }
        let empty = it.scenes.last().unwrap().id;
        for edit in [Edit::AddScene("Talk".into()), Edit::DuplicateScene(empty)] {
            assert_eq!(it.attempt(&edit), Err(EditRefusal::TooManyScenes), "{edit:?}");
        }
    }

    #[test]
    fn parts_that_are_refused_are_counted() {
        let mut it = Collection::default();
        let (scene, name) = (it.current, "Slides".to_owned());
        let choice = "slides:/a.png".parse().unwrap();
        assert!(it.apply(&Edit::AddSource { scene, name, choice }));
        let add = || Edit::AddFile(SourceId(1), "/b.png".into());
        let files = Edit::Several(vec![add(); 300]);
        let refused = |reason, count, total| Some(RefusedParts { reason, count, total });
        let too_many = EditRefusal::TooManyFiles;
        assert_eq!(it.attempt_parts(&files), (true, refused(too_many, 100, 300)));
        assert_eq!(it.sources[0].properties.files.len(), Properties::MAX_ADDITIONAL_FILES);
        assert_eq!(it.attempt_parts(&files), (false, refused(too_many, 300, 300)));
        assert_eq!(it.attempt(&add()), Err(too_many));
        // An edit of an item that does not exist is not counted.
        let missing = Edit::RemoveItem(ItemId(99));
        let hide = Edit::HideItem(ItemId(1), true);
        let several = Edit::Several(vec![missing, hide]);
        assert_eq!(it.attempt_parts(&several), (true, None));
        while it.sources.len() < MAX_SOURCES - 1 {
            assert!(it.apply(&logo(scene)));
        }
        let several = Edit::Several(vec![logo(scene), logo(scene), add()]);
        let sources = EditRefusal::TooManySources;
        assert_eq!(it.attempt_parts(&several), (true, refused(sources, 2, 3)));
        // More parts than are tried.
        let mut it = Collection::default();
        let many = Edit::Several(vec![logo(scene); MAX_ITEMS + 10]);
        let count = MAX_ITEMS + 10 - MAX_SOURCES;
        assert_eq!(it.attempt_parts(&many), (true, refused(sources, count, MAX_ITEMS + 10)));
        let many = Edit::Several(vec![Edit::HideItem(ItemId(1), true); MAX_ITEMS + 10]);
        let too_many = EditRefusal::TooMany;
        assert_eq!(it.attempt_parts(&many), (true, refused(too_many, 10, MAX_ITEMS + 10)));
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_cannot_be_saved_is_refused() {
        use std::os::unix::ffi::OsStrExt as _;
        use std::path::PathBuf;
        let bad = || PathBuf::from(std::ffi::OsStr::from_bytes(b"/v/a \xFF.png"));
        let mut it = Collection::default();
        let (scene, name) = (it.current, "Slides".to_owned());
        let choice: VideoChoice = "slides:/a.png".parse().unwrap();
        let source = |choice| Edit::AddSource { scene, name: name.clone(), choice };
        assert!(it.apply(&source(choice)));
        let (id, place) = (SourceId(1), Placement::default());
        let kind = Kind::Stinger(Stinger { file: bad(), ..Stinger::default() });
        let transition = Transition { kind, ..Transition::default() };
        let lut = Slot { enabled: true, filter: Filter::Lut { file: bad(), amount: 1.0 } };
        let (old, new) = (PathBuf::from("/b.png"), bad());
        assert!(it.apply(&Edit::AddFile(id, old.clone())));
        for edit in [
            source(VideoChoice::File(bad())),
            Edit::PlaceSource {
                scene,
                name: name.clone(),
                choice: VideoChoice::Image(bad()),
                place,
            },
            Edit::SetSource(id, VideoChoice::Slides(bad())),
            Edit::SetFallback(id, VideoFallback::Source(VideoChoice::File(bad()))),
            Edit::AddFile(id, bad()),
            Edit::ReplaceFile { source: id, index: 0, old, new },
            Edit::SetTransition(transition.clone()),
            Edit::SetSceneTransition(scene, Some(transition)),
            Edit::SetFilters(id, vec![lut]),
        ] {
            assert_eq!(it.attempt(&edit), Err(EditRefusal::InvalidPath), "{edit:?}");
        }
        // The other files of a selection are added.
        let files =
            Edit::Several(vec![Edit::AddFile(id, bad()), Edit::AddFile(id, "/c.png".into())]);
        let refused = RefusedParts { reason: EditRefusal::InvalidPath, count: 1, total: 2 };
        assert_eq!(it.attempt_parts(&files), (true, Some(refused)));
    }

    #[test]
    fn what_cannot_grow_changes_nothing_where_it_cannot_be_made() {
        let mut it = Collection::default();
        assert!(it.apply(&logo(it.current)));
        let (item, scene, source) = (ItemId(99), SceneId(99), SourceId(99));
        let edits = [
            Edit::RemoveScene(scene),
            // The last scene cannot be removed.
            Edit::RemoveScene(it.current),
            Edit::RenameScene(scene, "A".into()),
            Edit::RenameScene(it.current, String::new()),
            Edit::MoveScene(scene, 0),
            Edit::SetSource(source, VideoChoice::Test),
            Edit::RenameSource(source, "A".into()),
            Edit::RenameSource(SourceId(1), "\n".into()),
            Edit::SetFilters(source, Vec::new()),
            Edit::SetProperties(source, Properties::default()),
            Edit::AddFile(source, "/a".into()),
            Edit::AddFile(SourceId(1), "/a".into()),
            Edit::RemoveFile(SourceId(1), 0),
            Edit::SetFallback(source, VideoFallback::Placeholder),
            Edit::RemoveItem(item),
            Edit::RenameItem(item, "A".into()),
            Edit::HideItem(item, true),
            Edit::LockItem(item, true),
            Edit::MoveItem(item, 0),
            Edit::SetPlace(item, Placement::default()),
            Edit::SetOpacity(item, 0.5),
            Edit::SetBlend(item, Blend::Add),
            Edit::Ungroup(item, Size::new(64, 36)),
            Edit::Ungroup(ItemId(1), Size::new(64, 36)),
            Edit::SetSceneTransition(scene, None),
        ];
        let before = it.clone();
        for edit in &edits {
            assert!(!edit.may_grow() && it.change(edit).is_none(), "{edit:?}");
            assert_eq!(it, before, "{edit:?}");
        }
        let [first, ..] = edits;
        assert!(!Edit::Several(vec![first.clone()]).may_grow());
        assert!(Edit::Several(vec![first, logo(before.current)]).may_grow());
    }

    fn logo_shown(it: &Collection) -> Edit {
        Edit::ShowSource { scene: it.current, source: it.sources[0].id }
    }
}
