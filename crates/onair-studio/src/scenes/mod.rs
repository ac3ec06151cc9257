//! The scene collection: the sources, and the scenes that show them. It consists of plain values;
//! the compositor draws the result of [`Collection::plan`].

pub mod edits;
pub mod guest_tile;
mod main_source;
mod program_scenes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::capture::{Properties, VideoChoice, VideoFallback};
use crate::compose::filter::Slot;
use crate::compose::scene::{Content, Item, ItemId, Plan, Scene, SceneId, SourceId};
use crate::compose::transition::{Kind, Transition};
use crate::studio::scenes;

/// The source of `--video`. The window converts it to a separate source.
pub const MAIN_SOURCE: SourceId = SourceId(0);

/// Maximum number of sources of a collection, each of which may be an open device.
pub const MAX_SOURCES: usize = 64;

/// Maximum number of scenes of a collection.
pub const MAX_SCENES: usize = 200;

/// Maximum number of items of a collection, over all its scenes.
pub const MAX_ITEMS: usize = 2_000;

/// Maximum number of characters of a name.
pub const MAX_NAME: usize = 100;

/// A named source. All scenes that show it share it.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub id: SourceId,
    pub name: String,
    pub choice: VideoChoice,
    /// The filters in order.
    pub filters: Vec<Slot>,
    /// The properties. Those that do not apply to the kind of source are ignored.
    pub properties: Properties,
    /// The fallback while the source is black, frozen or lost.
    pub fallback: VideoFallback,
    /// True if recordings of the program also record this source alone.
    pub record: bool,
}

impl Source {
    /// Creates a new source with default settings.
    pub fn new(id: SourceId, name: String, choice: VideoChoice) -> Self {
        let (filters, properties) = (Vec::new(), Properties::default());
        let fallback = VideoFallback::Keep;
        Self { id, name, choice, filters, properties, fallback, record: false }
    }
}

/// The highest ids that a collection has used. *Undo* can return what was removed, so ids are not
/// used again. They are not part of a collection's value: all are equal.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct HighestIds {
    source: u32,
    scene: u32,
    item: u32,
}

impl PartialEq for HighestIds {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The sources and scenes of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Collection {
    /// The sources in addition to [`MAIN_SOURCE`], which always exists.
    pub sources: Vec<Source>,
    /// The filters of [`MAIN_SOURCE`] in order.
    pub main_filters: Vec<Slot>,
    /// The filters of [scenes](SourceId::of_scene) and [groups](SourceId::of_group) in order.
    pub composed_filters: BTreeMap<SourceId, Vec<Slot>>,
    /// The fallback of [`MAIN_SOURCE`].
    pub main_fallback: VideoFallback,
    /// The scenes; there is at least one.
    pub scenes: Vec<Scene>,
    /// The current scene of the program.
    pub current: SceneId,
    /// In studio mode, the scenes as the program shows them. Edits do not change this copy.
    pub program_scenes: Option<Arc<Vec<Scene>>>,
    /// The sources of the previous program, which stay while a transition may show them.
    pub(crate) leaving_sources: BTreeSet<SourceId>,
    /// The default transition.
    pub transition: Transition,
    /// The transitions of scenes that do not use the default one.
    pub own_transitions: BTreeMap<SceneId, Transition>,
    pub(crate) highest_ids: HighestIds,
}

impl Default for Collection {
    /// Creates a collection of one scene, which shows the source of `--video`.
    fn default() -> Self {
        let item = Item::new(ItemId(1), Content::Source(MAIN_SOURCE));
        let scene = Scene { id: SceneId(1), name: "Main".into(), items: vec![item] };
        Self {
            sources: Vec::new(),
            main_filters: Vec::new(),
            composed_filters: BTreeMap::new(),
            main_fallback: VideoFallback::Keep,
            scenes: vec![scene],
            current: SceneId(1),
            program_scenes: None,
            leaving_sources: BTreeSet::new(),
            transition: Transition { kind: Kind::Fade, duration: Duration::from_millis(300) },
            own_transitions: BTreeMap::new(),
            highest_ids: HighestIds::default(),
        }
    }
}

impl Collection {
    pub fn scene(&self, id: SceneId) -> Option<&Scene> {
        self.scenes.iter().find(|scene| scene.id == id)
    }

    pub(super) fn scene_mut(&mut self, id: SceneId) -> Option<&mut Scene> {
        self.scenes.iter_mut().find(|scene| scene.id == id)
    }

    /// Returns the transition to this scene.
    pub fn transition_to(&self, id: SceneId) -> &Transition {
        self.own_transitions.get(&id).unwrap_or(&self.transition)
    }

    /// Returns all transitions, the default first.
    pub fn transitions(&self) -> impl Iterator<Item = &Transition> {
        std::iter::once(&self.transition).chain(self.own_transitions.values())
    }

    /// Removes the transitions of scenes that no longer exist.
    pub(super) fn forget_transitions(&mut self) {
        let scenes = &self.scenes;
        self.own_transitions.retain(|id, _| scenes.iter().any(|scene| scene.id == *id));
    }

    /// Returns the scene with this name. If no name matches exactly, the case of letters is
    /// ignored.
    pub fn scene_named(&self, name: &str) -> Option<&Scene> {
        let exact = self.scenes.iter().find(|scene| scene.name == name);
        let lower = name.to_lowercase();
        exact.or_else(|| self.scenes.iter().find(|scene| scene.name.to_lowercase() == lower))
    }

    /// Returns the current scene of the program, or else the first scene.
    pub fn current(&self) -> Option<&Scene> {
        self.scene(self.current).or_else(|| self.scenes.first())
    }

    pub fn source(&self, id: SourceId) -> Option<&Source> {
        self.sources.iter().find(|source| source.id == id)
    }

    /// Returns the filters of a source, scene or group.
    pub fn filters(&self, id: SourceId) -> &[Slot] {
        if id == MAIN_SOURCE {
            return &self.main_filters;
        }
        if id.is_composed() {
            return self.composed_filters.get(&id).map(Vec::as_slice).unwrap_or_default();
        }
        self.source(id).map(|source| source.filters.as_slice()).unwrap_or_default()
    }

    /// Returns the fallback of a source.
    pub fn fallback(&self, id: SourceId) -> &VideoFallback {
        let own = self.source(id).filter(|_| id != MAIN_SOURCE);
        own.map_or(&self.main_fallback, |source| &source.fallback)
    }

    /// Returns true if the collection has enabled filters that a slow computer skips.
    pub(super) fn has_costly_filters(&self) -> bool {
        let own = self.sources.iter().flat_map(|source| &source.filters);
        let composed = self.composed_filters.values().flatten();
        let mut all = own.chain(&self.main_filters).chain(composed);
        all.any(|slot| slot.enabled && slot.filter.is_costly())
    }

    pub(super) fn filters_mut(&mut self, id: SourceId) -> Option<&mut Vec<Slot>> {
        if id == MAIN_SOURCE {
            return Some(&mut self.main_filters);
        }
        if id.is_composed() {
            let exists = match (id.as_scene(), id.as_group()) {
                (Some(scene), _) => self.scene(scene).is_some(),
                (_, Some(group)) => self.item(group).is_some_and(Item::is_group),
                _ => false,
            };
            return exists.then(|| self.composed_filters.entry(id).or_default());
        }
        self.sources.iter_mut().find(|source| source.id == id).map(|source| &mut source.filters)
    }

    /// Returns true if a scene or group has an enabled filter.
    fn has_filters(&self, id: SourceId) -> bool {
        self.composed_filters.get(&id).is_some_and(|all| all.iter().any(|slot| slot.enabled))
    }

    /// Removes the filters of scenes and groups that no longer exist.
    pub(super) fn forget_composed_filters(&mut self) {
        if self.composed_filters.is_empty() {
            return;
        }
        let mut kept = BTreeSet::new();
        let copy = self.program_scenes.iter().flat_map(|scenes| scenes.iter());
        for scene in self.scenes.iter().chain(copy) {
            kept.insert(SourceId::of_scene(scene.id));
            walk(&scene.items, &mut |item| {
                if item.is_group() {
                    kept.insert(SourceId::of_group(item.id));
                }
            });
        }
        self.composed_filters.retain(|id, all| kept.contains(id) && !all.is_empty());
    }

    /// Gives copies of items the filters of their groups.
    pub(super) fn copy_group_filters(
        &mut self,
        (from, to): (&[Item], &[Item]),
        filters: &BTreeMap<SourceId, Vec<Slot>>,
    ) {
        for (from, to) in from.iter().zip(to) {
            let own = filters.get(&SourceId::of_group(from.id)).filter(|_| from.is_group());
            let own = own.map(|all| (SourceId::of_group(to.id), all.clone()));
            self.composed_filters.extend(own);
            self.copy_group_filters((from.members(), to.members()), filters);
        }
    }

    /// Returns the scenes that a viewer sees: the current scene of the program, and those that it
    /// shows.
    pub fn scenes_in_program(&self) -> BTreeSet<SceneId> {
        let all = self.program_scenes.as_deref().unwrap_or(&self.scenes);
        let mut seen = BTreeSet::new();
        let mut waiting: Vec<SceneId> = self.program_scene().map(|it| it.id).into_iter().collect();
        while let Some(id) = waiting.pop() {
            let scene = all.iter().find(|scene| scene.id == id);
            if let Some(scene) = scene.filter(|_| seen.insert(id)) {
                waiting.extend(visible_scenes(&scene.items));
            }
        }
        seen
    }

    /// Returns the plan of a scene.
    pub fn plan(&self, id: SceneId) -> Plan {
        let has_filters = |id| self.has_filters(id);
        let plan = |scene| Plan::filtered(scene, &self.scenes, &has_filters);
        self.scene(id).map(plan).unwrap_or_default()
    }

    pub(super) fn source_mut(&mut self, id: SourceId) -> Option<&mut Source> {
        self.sources.iter_mut().find(|source| source.id == id)
    }

    /// Returns true if any scene shows this source, hidden or not.
    pub(super) fn shows(&self, source: SourceId) -> bool {
        let mut found = false;
        self.each(|item| found |= item.content == Content::Source(source));
        found
    }

    /// Returns true if any scene or the program shows this source, hidden or not.
    pub fn uses(&self, source: SourceId) -> bool {
        let mut found = false;
        self.each_with_program(|item| found |= item.content == Content::Source(source));
        found
    }

    /// Calls `job` for every item, including those within groups.
    pub fn each(&self, mut job: impl FnMut(&Item)) {
        self.scenes.iter().for_each(|scene| walk(&scene.items, &mut job));
    }

    /// Returns the total number of items.
    pub fn item_count(&self) -> usize {
        let mut count = 0;
        self.each(|_| count += 1);
        count
    }

    /// Returns the item with this id.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.scenes.iter().find_map(|scene| find(&scene.items, id))
    }

    /// Returns the topmost item with this name in a scene, including those within groups. An empty
    /// name means an item that shows the [default source](Self::usual_source).
    pub fn item_named<'a>(&self, scene: &'a Scene, name: &str) -> Option<&'a Item> {
        let usual = self.usual_source();
        let main = |item: &Item| item.content == Content::Source(usual);
        let named =
            |item: &&Item| if name.is_empty() { main(item) } else { self.item_name(item) == name };
        fn collect<'a>(items: &'a [Item], found: &mut Vec<&'a Item>) {
            for item in items {
                collect(item.members(), found);
                found.push(item);
            }
        }
        let mut items = Vec::new();
        collect(&scene.items, &mut items);
        items.into_iter().rev().find(named)
    }

    /// Returns the name of a source, scene or group. It is empty for [`MAIN_SOURCE`], which is
    /// named after its content elsewhere.
    pub fn source_name(&self, id: SourceId) -> &str {
        if let Some(scene) = id.as_scene() {
            return self.scene(scene).map_or("", |scene| &scene.name);
        }
        if let Some(group) = id.as_group() {
            return self.item(group).map_or("", |group| &group.name);
        }
        self.source(id).map_or("", |source| &source.name)
    }

    /// Returns an item's name: its own, or that of its content.
    pub fn item_name<'a>(&'a self, item: &'a Item) -> &'a str {
        match &item.content {
            _ if !item.name.is_empty() => &item.name,
            Content::Source(id) => self.source_name(*id),
            Content::Scene(id) => self.scene(*id).map_or("", |scene| &scene.name),
            Content::Group(_) => "",
        }
    }

    /// Returns true if `scene` shows `other`, directly or indirectly.
    pub fn reaches(&self, scene: SceneId, other: SceneId) -> bool {
        let (mut waiting, mut seen) = (vec![scene], BTreeSet::new());
        while let Some(id) = waiting.pop() {
            if id == other {
                return true;
            }
            if !seen.insert(id) {
                continue;
            }
            let items = self.scene(id).map(|scene| scene.items.as_slice()).unwrap_or_default();
            waiting.extend(nested(items));
        }
        false
    }

    /// Removes recursion, that is, the items through which a scene contains itself. Returns the
    /// names of the affected scenes.
    pub fn break_circles(&mut self) -> Vec<String> {
        let mut broken = Vec::new();
        for index in 0..self.scenes.len() {
            let Some(scene) = self.scenes.get_mut(index) else { break };
            let (id, name) = (scene.id, scene.name.clone());
            let items = std::mem::take(&mut scene.items);
            // The scene's items are taken out first, so no path leads through the scene. An item
            // that still reaches it closes a circle.
            let (kept, closed) = without(items, &|shown| self.reaches(shown, id));
            if closed {
                broken.push(name);
            }
            if let Some(scene) = self.scenes.get_mut(index) {
                scene.items = kept;
            }
        }
        broken
    }

    pub(super) fn next_source(&self) -> SourceId {
        let ids = self.sources.iter().map(|source| source.id.0);
        SourceId(ids.fold(self.highest_ids.source, u32::max) + 1)
    }

    pub(super) fn next_scene(&self) -> SceneId {
        let copy = self.program_scenes.iter().flat_map(|scenes| scenes.iter());
        let ids = self.scenes.iter().chain(copy).map(|scene| scene.id.0);
        SceneId(ids.fold(self.highest_ids.scene, u32::max) + 1)
    }

    pub(super) fn next_item(&self) -> ItemId {
        let mut most = self.highest_ids.item;
        self.each_with_program(|item| most = most.max(item.id.0));
        ItemId(most + 1)
    }

    /// Notes all ids, so that they are not used again.
    pub(crate) fn note_ids(&mut self) {
        let (source, scene, item) = (self.next_source(), self.next_scene(), self.next_item());
        self.highest_ids =
            HighestIds { source: source.0 - 1, scene: scene.0 - 1, item: item.0 - 1 };
    }

    /// Returns `wanted` or, if a scene already has that name, `wanted` with a number.
    pub(super) fn free_scene_name(&self, wanted: &str) -> String {
        free(wanted, |name| self.scenes.iter().any(|scene| scene.name == name))
    }

    /// Returns `wanted` or, if a source already has that name, `wanted` with a number.
    pub(super) fn free_source_name(&self, wanted: &str) -> String {
        free(wanted, |name| self.sources.iter().any(|source| source.name == name))
    }
}

/// Returns the items except those that show a scene for which `bad` is true, and whether any were
/// removed.
fn without(items: Vec<Item>, bad: &impl Fn(SceneId) -> bool) -> (Vec<Item>, bool) {
    let mut broken = false;
    let mut kept = Vec::new();
    for mut item in items {
        match item.content {
            Content::Scene(id) if bad(id) => {
                broken = true;
                continue;
            }
            Content::Group(members) => {
                let (members, inside) = without(members, bad);
                broken |= inside;
                item.content = Content::Group(members);
            }
            _ => {}
        }
        kept.push(item);
    }
    (kept, broken)
}

/// Returns the scenes that these items show, including those within groups.
fn nested(items: &[Item]) -> Vec<SceneId> {
    let mut found = Vec::new();
    for item in items {
        match &item.content {
            Content::Scene(id) => found.push(*id),
            Content::Group(items) => found.extend(nested(items)),
            Content::Source(_) => {}
        }
    }
    found
}

/// Returns the scenes that these items show, without hidden items.
fn visible_scenes(items: &[Item]) -> Vec<SceneId> {
    let mut found = Vec::new();
    for item in items.iter().filter(|item| !item.hidden && item.opacity > 0.0) {
        match &item.content {
            Content::Scene(id) => found.push(*id),
            Content::Group(items) => found.extend(visible_scenes(items)),
            Content::Source(_) => {}
        }
    }
    found
}

/// Calls `job` for each of these items, and for those within groups.
fn walk(items: &[Item], job: &mut impl FnMut(&Item)) {
    for item in items {
        job(item);
        walk(item.members(), job);
    }
}

fn find(items: &[Item], id: ItemId) -> Option<&Item> {
    items.iter().find_map(|item| if item.id == id { Some(item) } else { find(item.members(), id) })
}

/// Returns a name of limited length without control characters.
pub fn clean_name(name: &str) -> String {
    scenes::clean(name, MAX_NAME)
}

fn free(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let wanted = match clean_name(wanted) {
        name if name.is_empty() => "1".to_owned(),
        name => name,
    };
    if !taken(&wanted) {
        return wanted;
    }
    let mut number = 2_u32;
    loop {
        // The name is also found in a file, where longer names are cut.
        let suffix = format!(" {number}");
        let name = clean(&wanted, MAX_NAME.saturating_sub(suffix.len())) + &suffix;
        if !taken(&name) {
            return name;
        }
        number += 1;
    }
}

/// Returns a name as one line of at most this many characters, without control characters.
pub(super) fn clean(name: &str, most: usize) -> String {
    let printable = name.chars().filter(|it| !it.is_control()).take(most);
    printable.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_shows_the_chosen_video_alone() {
        let collection = Collection::default();
        assert_eq!(
            collection.plan(collection.current).sources().collect::<Vec<_>>(),
            [MAIN_SOURCE]
        );
        assert!(collection.uses(MAIN_SOURCE) && !collection.uses(SourceId(1)));
        assert_eq!(collection.scene_named("main").map(|scene| scene.id), Some(SceneId(1)));
    }

    #[test]
    fn items_are_found_by_their_names_the_topmost_first() {
        use crate::studio::scenes::edits::Edit;
        let mut it = Collection::default();
        let scene = it.current;
        for name in ["Logo", "Clock"] {
            let (name, choice) = (name.to_owned(), VideoChoice::Test);
            assert!(it.apply(&Edit::AddSource { scene, name, choice }));
        }
        assert!(it.apply(&Edit::DuplicateItem(ItemId(2))));
        assert!(it.apply(&Edit::Group(vec![ItemId(2), ItemId(4)])));
        let scene = it.scene(scene).unwrap();
        let found = |name: &str| it.item_named(scene, name).map(|item| item.id);
        assert_eq!(found("Logo"), Some(ItemId(4)), "within the group, and above the first");
        assert_eq!((found(""), found("Clock")), (Some(ItemId(1)), Some(ItemId(3))));
        assert_eq!(found("Nothing"), None);
    }

    #[test]
    fn names_are_made_free_and_clean() {
        let collection = Collection::default();
        assert_eq!(collection.free_scene_name("Main"), "Main 2");
        assert_eq!(collection.free_scene_name(" Talk\u{7}\n"), "Talk");
        assert_eq!(clean_name(&"x".repeat(1_000)).len(), MAX_NAME);
    }

    #[test]
    fn a_long_name_that_is_taken_is_read_back_as_it_was_written() {
        let mut collection = Collection::default();
        let long = "片".repeat(MAX_NAME);
        collection.scenes[0].name.clone_from(&long);
        let second = collection.free_scene_name(&long);
        assert!(second != long && second.ends_with(" 2"), "{second}");
        assert_eq!(clean_name(&second), second);
    }
}
