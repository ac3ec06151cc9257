//! The editing state of scenes, which the lists and the canvas share.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::Context;

use crate::capture::sharing::asks_desktop;
use crate::capture::text;
use crate::capture::{UsedProperties, VideoChoice, VideoFallback};
use crate::compose::filter::Slot;
use crate::compose::scene::{Content, Item, ItemId, Placement, SceneId, SourceId};
use crate::compose::transition::Transition;
use crate::media::Size;
use crate::studio::live::view::LiveState;
use crate::studio::scenes::MAIN_SOURCE;
use crate::studio::scenes::edits::CopiedItems;
use crate::studio::snapshot::Scenes;
use crate::studio::{Command, Edit, Snapshot};
use crate::ui::input::actions::key;
use crate::ui::scenes::add_source::arrivals::{Arrival, Arrivals};
use crate::ui::scenes::add_source::page::Adding;
use crate::ui::scenes::canvas::color_pick::ColorPick;
use crate::ui::scenes::canvas::interaction::Interaction;
use crate::ui::scenes::canvas::zoom::CanvasZoom;
use crate::ui::scenes::placement::Grip;
use crate::ui::studio_page::projectors::display::Display;
use crate::ui::text::Texts;
use crate::ui::view::View;
use crate::ui::widgets::{HandleDrag, RowFocus};

/// The number of passes in which the row of a new item can get the keyboard focus. The row of an item
/// that arrives right after a dialog cannot get it yet.
const MAX_FOCUS_PASSES: u8 = 4;

/// A section of the inspector.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Section {
    Whole,
    Filters,
}

/// The last copied items, and their text in the desktop's clipboard. While the clipboard contains
/// this text, a paste inserts these items.
#[derive(Debug, Default)]
pub(super) struct Clip {
    pub words: String,
    pub copied: CopiedItems,
}

/// The editing state of scenes.
#[derive(Debug, Default)]
pub struct Draft {
    /// The selected item. Of several, this is the one that was selected last.
    pub selected: Option<ItemId>,
    /// The other selected items.
    pub(super) others: Vec<ItemId>,
    /// The name that is being entered for a scene or an item.
    pub(super) naming: Option<(RenamedObject, String)>,
    /// True until the name field gets the focus, with its whole text selected.
    pub(super) selects_name: bool,
    /// The current drag on the frame.
    pub(super) grip: Option<Drag>,
    /// The start of a selection frame, in program pixels.
    pub(super) band: Option<(f64, f64)>,
    /// The item that the inspector must select and show next.
    pub settings: Option<ItemId>,
    /// The source and the section that the inspector must show next.
    asked: Option<(SourceId, Section)>,
    /// The source that the inspector shows although no item of the scene is selected.
    pub(super) inspected: Option<SourceId>,
    /// The selection when the inspector last followed it.
    followed: Option<ItemId>,
    /// The section that the inspector scrolls to and that gets the keyboard focus, with the pass in
    /// which it began to wait for the focus.
    pub(super) section: Option<(Section, Option<u64>)>,
    /// The style sheet that is being entered for a browser page.
    pub(super) css: Option<(SourceId, String)>,
    /// The index of the expanded filter.
    pub(super) filter: usize,
    /// The source and the index of the added filter that the inspector scrolls to.
    pub(super) added_filter: Option<(SourceId, usize)>,
    /// The key color that is being picked.
    pub(in crate::ui) pick: Option<ColorPick>,
    /// The browser page that gets the clicks and keys of the canvas.
    pub(in crate::ui) interaction: Option<Interaction>,
    /// The text entered as the font.
    pub(super) family: Option<String>,
    /// The font family that was looked for last, and whether the system has it.
    fonts: Option<(String, bool)>,
    /// True if the inspector shows the advanced fields of a source.
    pub(super) advanced: bool,
    /// The text entered as the content of a source.
    pub(super) source_text: Option<(SourceId, String)>,
    /// The state of the dialog *Add source*.
    pub(super) adding: Option<Adding>,
    /// Requested objects that have not arrived yet.
    pub(super) arrivals: Arrivals,
    /// The remaining passes in which the list gives the keyboard focus to a new item.
    pub(super) focuses_new: u8,
    /// The keyboard focus in the list of scenes, and in that of sources.
    pub(super) scene_rows: RowFocus,
    pub(super) source_rows: RowFocus,
    /// The copied items.
    pub(super) clip: Clip,
    /// The copied filters of a source.
    pub(super) copied_filters: Vec<Slot>,
    /// The copied position, size, crop and rotation of an item.
    pub(super) copied_place: Option<Placement>,
    /// The choice that a source gets once the user releases a dragged number or color.
    pub(super) held: Option<(SourceId, VideoChoice)>,
    /// The texts entered for sources.
    pub(super) words: BTreeMap<SourceId, String>,
    /// The time of the last input.
    pub(super) typed_at: f64,
    /// The text entered as the name of a source.
    pub(super) name: Option<(SourceId, String)>,
    /// The drag on the playback bar.
    pub(super) going: HandleDrag,
    /// The transition whose options are displayed.
    pub transition: Option<TransitionScope>,
    /// True while the user still holds the T-bar after the preview became the program.
    pub t_bar_is_over: bool,
    /// True in studio mode, in which edits go to the preview.
    pub studio_mode: bool,
    /// The zoom of the canvas.
    pub zoom: CanvasZoom,
    /// True if safe areas are drawn over the frame.
    pub safe_areas: bool,
    /// The displays that projectors can fill.
    pub displays: Arc<[Display]>,
    /// True if the space bar is the push-to-talk key, and a strip uses it.
    pub space_talks: bool,
}

impl Draft {
    /// Returns whether the system has a font family, or `None` while it is not known.
    pub(super) fn knows_family(&mut self, family: &str) -> Option<bool> {
        if self.fonts.as_ref().is_none_or(|(known, _)| known != family) {
            self.fonts = Some((family.to_owned(), text::is_installed(family)?));
        }
        self.fonts.as_ref().map(|(_, known)| *known)
    }

    /// Forgets everything about the objects of a collection, because another collection replaces
    /// it. Objects of the other one can have the same ids.
    pub(in crate::ui) fn leave_collection(&mut self) {
        let old = std::mem::take(self);
        *self = Self {
            fonts: old.fonts,
            advanced: old.advanced,
            adding: old.adding,
            clip: old.clip,
            copied_filters: old.copied_filters,
            copied_place: old.copied_place,
            typed_at: old.typed_at,
            studio_mode: old.studio_mode,
            zoom: old.zoom,
            safe_areas: old.safe_areas,
            displays: old.displays,
            space_talks: old.space_talks,
            ..Self::default()
        };
    }

    /// Returns all selected items.
    pub(super) fn chosen(&self) -> Vec<ItemId> {
        self.selected.into_iter().chain(self.others.iter().copied()).collect()
    }

    pub(super) fn is_chosen(&self, id: ItemId) -> bool {
        self.selected == Some(id) || self.others.contains(&id)
    }

    /// Ends the drag on the frame if the frame is not dragged any more. The end of the drag is unknown
    /// if another page was displayed at that moment.
    pub(super) fn follow_drag(&mut self, is_dragged: bool) {
        if !is_dragged {
            (self.grip, self.band) = (None, None);
        }
    }

    /// Selects only this item, or none.
    pub(in crate::ui) fn choose(&mut self, id: Option<ItemId>) {
        self.selected = id;
        self.others.clear();
    }

    /// Adds one item to the selection, or removes it.
    pub(super) fn toggle(&mut self, id: ItemId) {
        if self.selected == Some(id) {
            self.selected = self.others.pop();
        } else if self.others.contains(&id) {
            self.others.retain(|it| *it != id);
        } else {
            self.others.extend(self.selected.replace(id));
        }
    }

    /// Selects these items, the last one as the main one. With `besides`, the existing selection is
    /// kept.
    pub(super) fn choose_all(&mut self, ids: impl IntoIterator<Item = ItemId>, besides: bool) {
        if !besides {
            self.choose(None);
        }
        for id in ids {
            if !self.is_chosen(id) {
                self.toggle(id);
            }
        }
    }

    /// Shows the filters of a source.
    pub(in crate::ui) fn show_filters(&mut self, source: SourceId) {
        self.asked = Some((source, Section::Filters));
        self.filter = 0;
    }

    /// Carries out a request to show an item or a source, and follows the selection. Returns true
    /// if the inspector shows another object or section.
    pub(in crate::ui) fn follow(&mut self, snapshot: &Snapshot) -> bool {
        let mut shown = false;
        if let Some(id) = self.settings.take() {
            self.choose(Some(id));
            shown = true;
        }
        if let Some((source, section)) = self.asked.take() {
            let shows = |item: &Item| item.filtered() == source;
            if !chosen(snapshot, self).first().copied().is_some_and(shows) {
                // The filters of the scene itself are shown without an item.
                let is_scene = source.as_scene() == Some(edited(snapshot));
                let found = topmost(items_of(snapshot), &shows).filter(|_| !is_scene);
                self.choose(found.map(|item| item.id));
                self.inspected = Some(source);
            }
            self.section = Some((section, None));
            shown = true;
        }
        if self.selected != self.followed {
            self.followed = self.selected;
            self.family = None;
            if self.selected.is_some() {
                self.inspected = None;
                shown = true;
            }
        }
        shown
    }

    /// Shows the filters of a source, and expands the first one whose file cannot be used.
    pub(in crate::ui) fn show_lacking_filter(&mut self, scenes: &Scenes, id: SourceId) {
        self.show_filters(id);
        let source = scenes.source(id);
        let is_unusable = |slot: &Slot| {
            let path = slot.filter.file().map(|(_, path)| path).filter(|_| slot.enabled);
            source.zip(path).is_some_and(|(source, path)| source.filter_problem(path).is_some())
        };
        let slots = scenes.collection.filters(id);
        self.filter = slots.iter().position(is_unusable).unwrap_or_default();
    }

    /// Shows the options of the first transition whose file cannot be used.
    pub(in crate::ui) fn show_lacking_transition(&mut self, scenes: &Scenes) {
        let collection = &scenes.collection;
        let is_unusable = |it: &Transition| {
            it.kind.file().is_some_and(|path| scenes.transition_problem(path).is_some())
        };
        let own = collection.own_transitions.iter().find(|(_, it)| is_unusable(it));
        let own = own.filter(|_| !is_unusable(&collection.transition));
        self.transition =
            Some(own.map_or(TransitionScope::Every, |(id, _)| TransitionScope::Scene(*id)));
    }

    /// Shows the properties of a source.
    pub(in crate::ui) fn show_properties(&mut self, source: SourceId) {
        self.asked = Some((source, Section::Whole));
    }

    /// Selects items when they arrive in the edited scene.
    pub(in crate::ui) fn await_items(&mut self, snapshot: &Snapshot) {
        self.arrivals = Arrivals::of_items(snapshot);
        self.choose(None);
    }

    /// Returns true if new items have not arrived yet, or if one of them is about to get the keyboard
    /// focus.
    pub(in crate::ui) fn awaits_items(&self) -> bool {
        self.focuses_new > 0 || self.arrivals.awaits_items()
    }

    /// Counts a pass in which a new item could get the keyboard focus. Call this once per pass, after the
    /// list was drawn. The next passes follow at once, because the item must not get the focus later.
    pub(in crate::ui) fn count_focus_pass(&mut self, ctx: &Context) {
        if self.focuses_new > 0 {
            self.focuses_new -= 1;
            ctx.request_repaint();
        }
    }

    /// Begins to rename the new scene when it arrives.
    pub(super) fn await_scene(&mut self, snapshot: &Snapshot) {
        self.arrivals = Arrivals::of_scene(snapshot);
    }

    /// Returns true if the name field of a new scene is about to appear.
    pub(in crate::ui) fn awaits_scene(&self) -> bool {
        self.arrivals.awaits_scene()
    }

    /// Expects a new scene, and returns the command that adds it.
    pub(in crate::ui) fn add_scene(&mut self, texts: &Texts, snapshot: &Snapshot) -> Command {
        self.await_scene(snapshot);
        Command::Edit(Edit::AddScene(texts.get("scene-new").to_string()))
    }

    /// Switches studio mode on or off, and returns the command for it.
    pub(in crate::ui) fn switch_studio_mode(&mut self, snapshot: &Snapshot) -> Command {
        self.studio_mode = !self.studio_mode;
        let current = snapshot.scenes.collection.current;
        Command::SetPreviewScene(self.studio_mode.then_some(current))
    }

    /// Checks whether requested objects have arrived, and returns the command to send, if any. In
    /// studio mode, a new scene goes to the preview. Otherwise, it is shown at once if nothing is
    /// on air or being recorded.
    pub(in crate::ui) fn learn(&mut self, snapshot: &Snapshot) -> Option<Command> {
        match self.arrivals.take(snapshot, edited(snapshot))? {
            Arrival::Items(items) => {
                self.choose_all(items, false);
                self.focuses_new = MAX_FOCUS_PASSES;
                None
            }
            Arrival::Scene(id, name) => {
                self.rename(RenamedObject::Scene(id), name);
                let idle = snapshot.live == LiveState::Idle && snapshot.recording.is_none();
                match self.studio_mode {
                    true => Some(Command::SetPreviewScene(Some(id))),
                    false => idle.then_some(Command::SwitchScene(id)),
                }
            }
        }
    }

    /// Begins to enter a name. Input replaces the whole name.
    pub(super) fn rename(&mut self, what: RenamedObject, name: String) {
        self.naming = Some((what, name));
        self.selects_name = true;
    }

    /// Returns true if *Add source* is open.
    pub(in crate::ui) fn is_adding(&self) -> bool {
        self.adding.is_some()
    }

    /// Opens *Add source*.
    pub(in crate::ui) fn add_source(&mut self) {
        self.adding = Some(Adding::default());
    }

    /// Returns the selected source, or else the topmost source of the scene.
    pub(in crate::ui) fn source(&self, snapshot: &Snapshot) -> Option<SourceId> {
        self.source_that(snapshot, |_| true)
    }

    /// Returns the selected source that has properties, or else the topmost source of the scene
    /// that has properties.
    pub(in crate::ui) fn source_with_properties(&self, snapshot: &Snapshot) -> Option<SourceId> {
        self.source_that(snapshot, |id| has_properties(snapshot, id))
    }

    pub(super) fn source_that(
        &self,
        snapshot: &Snapshot,
        fits: impl Fn(SourceId) -> bool,
    ) -> Option<SourceId> {
        let shown = |item: &Item| match item.content {
            Content::Source(id) if fits(id) => Some(id),
            _ => None,
        };
        let selected = chosen(snapshot, self).first().copied().and_then(shown);
        selected.or_else(|| items_of(snapshot).iter().rev().find_map(shown))
    }
}

/// Returns the topmost of these items and their members that matches.
fn topmost<'a>(items: &'a [Item], fits: &impl Fn(&Item) -> bool) -> Option<&'a Item> {
    items.iter().rev().find_map(|item| match fits(item) {
        true => Some(item),
        false => topmost(item.members(), fits),
    })
}

/// Returns the properties that apply to a source, if any. For the main video source, these are only
/// a camera's controls, or the pointer of a shared display or window, because nothing else is
/// saved.
pub(in crate::ui) fn heeds(snapshot: &Snapshot, id: SourceId) -> Option<UsedProperties> {
    if id == MAIN_SOURCE {
        let choice = snapshot.video.as_ref().map(|video| &video.choice);
        return choice.and_then(|choice| match UsedProperties::of(choice)? {
            UsedProperties::Camera => Some(UsedProperties::Camera),
            UsedProperties::Pointer if asks_desktop(choice) => Some(UsedProperties::Pointer),
            _ => None,
        });
    }
    UsedProperties::of(&snapshot.scenes.collection.source(id)?.choice)
}

/// Returns true if the source can have a fallback for when it is black or frozen.
pub(super) fn may_be_out(snapshot: &Snapshot, id: SourceId) -> bool {
    snapshot.shown_by(id).is_some_and(VideoFallback::suits)
}

/// Returns true if a source has any settings. The content of a collection's source can always be
/// changed.
pub(in crate::ui) fn has_properties(snapshot: &Snapshot, id: SourceId) -> bool {
    snapshot.scenes.collection.source(id).is_some()
        || heeds(snapshot, id).is_some()
        || may_be_out(snapshot, id)
}

/// The current drag.
#[derive(Clone, Debug)]
pub(super) struct Drag {
    pub id: ItemId,
    pub grip: Grip,
    /// The start position in program pixels.
    pub from: (f64, f64),
    pub start: Placement,
    /// The other items that move along, with their original placements.
    pub others: Vec<(ItemId, Placement)>,
    /// The edges of the common frame (left, top, right, bottom) in program pixels, if that frame is
    /// dragged.
    pub around: Option<[f64; 4]>,
    /// The lines to which the dragged object currently snaps.
    pub guides: (Option<f64>, Option<f64>),
}

/// The scenes to which a transition belongs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TransitionScope {
    /// All scenes without their own transition.
    Every,
    Scene(SceneId),
}

/// An object that can be renamed.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum RenamedObject {
    Scene(SceneId),
    Item(ItemId),
}

/// Returns the scene that is edited: the preview scene, or the one on air.
pub(super) fn edited(snapshot: &Snapshot) -> SceneId {
    snapshot.scenes.preview_scene.unwrap_or(snapshot.scenes.collection.current)
}

/// Returns the size of an item's content. A group, a scene, and a source of unknown size have the
/// program's size.
pub(super) fn natural(snapshot: &Snapshot, item: &Item) -> Size {
    let program = snapshot.quality.size;
    match item.content {
        Content::Source(id) => {
            snapshot.scenes.source(id).and_then(|source| source.size).unwrap_or(program)
        }
        Content::Group(_) | Content::Scene(_) => program,
    }
}

/// Returns the name of an item in the lists.
pub(super) fn name_of(view: &View<'_>, item: &Item) -> String {
    let collection = &view.snapshot.scenes.collection;
    let name = collection.item_name(item);
    if !name.is_empty() {
        return name.to_owned();
    }
    match item.content {
        Content::Group(_) => view.texts.get("scenes-group").to_string(),
        // The source of `--video` is named after its content.
        _ => match &view.snapshot.video {
            Some(video) if !video.name.is_empty() => video.name.clone(),
            _ => view.texts.get("scenes-main").to_string(),
        },
    }
}

/// Applies the same edit to each of these items, as one undo step.
pub(super) fn each(view: &mut View<'_>, ids: &[ItemId], edit: impl Fn(ItemId) -> Edit) {
    together(view, ids.iter().copied().map(edit).collect());
}

/// Sends these edits as one undo step.
pub(super) fn together(view: &mut View<'_>, mut edits: Vec<Edit>) {
    match edits.pop() {
        Some(one) if edits.is_empty() => view.send(Command::Edit(one)),
        Some(last) => {
            edits.push(last);
            view.send(Command::Edit(Edit::Several(edits)));
        }
        None => {}
    }
}

/// Fit modes with the keys of their names.
pub(super) const FIT_MODES: [(&str, crate::compose::scene::Fit); 4] = {
    use crate::compose::scene::Fit;
    [
        (key!("fit-contain"), Fit::Contain),
        (key!("fit-cover"), Fit::Cover),
        (key!("fit-stretch"), Fit::Stretch),
        (key!("fit-original"), Fit::Original),
    ]
};

/// Blend modes with the keys of their names.
pub(super) const BLEND_MODES: [(&str, crate::compose::scene::Blend); 7] = {
    use crate::compose::scene::Blend;
    [
        (key!("blend-normal"), Blend::Normal),
        (key!("blend-add"), Blend::Add),
        (key!("blend-subtract"), Blend::Subtract),
        (key!("blend-screen"), Blend::Screen),
        (key!("blend-multiply"), Blend::Multiply),
        (key!("blend-lighten"), Blend::Lighten),
        (key!("blend-darken"), Blend::Darken),
    ]
};

/// Returns the selected items of the edited scene, first the one that was selected last.
pub(super) fn chosen<'a>(snapshot: &'a Snapshot, draft: &Draft) -> Vec<&'a Item> {
    let (items, collection) = (items_of(snapshot), &snapshot.scenes.collection);
    let is_here = |id: &ItemId| place_of(items, *id).is_some();
    draft.chosen().into_iter().filter(is_here).filter_map(|id| collection.item(id)).collect()
}

/// Returns the group that contains an item, if any, and the item's position there.
pub(super) fn place_of(items: &[Item], id: ItemId) -> Option<(Option<ItemId>, usize)> {
    if let Some(index) = items.iter().position(|item| item.id == id) {
        return Some((None, index));
    }
    items.iter().find_map(|item| {
        let (group, index) = place_of(item.members(), id)?;
        Some((group.or(Some(item.id)), index))
    })
}

/// Returns the items of the edited scene.
pub(super) fn items_of(snapshot: &Snapshot) -> &[Item] {
    let scene = snapshot.scenes.collection.scene(edited(snapshot));
    scene.map_or(&[], |scene| scene.items.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_frame_ends_although_its_drag_ended_on_another_page() {
        let mut draft = Draft { band: Some((10.0, 20.0)), ..Draft::default() };
        draft.follow_drag(true);
        assert_eq!(draft.band, Some((10.0, 20.0)));
        draft.follow_drag(false);
        assert_eq!(draft.band, None);
    }

    #[test]
    fn a_new_item_waits_for_the_focus_for_a_few_passes() {
        let mut draft = Draft { focuses_new: MAX_FOCUS_PASSES, ..Draft::default() };
        for _ in 0..MAX_FOCUS_PASSES {
            // The question itself does not count.
            assert!(draft.awaits_items() && draft.awaits_items());
            draft.count_focus_pass(&Context::default());
        }
        assert!(!draft.awaits_items());
    }

    #[test]
    fn several_are_selected_one_by_one_and_together() {
        let mut draft = Draft::default();
        let ids = |draft: &Draft| {
            let mut ids: Vec<u32> = draft.chosen().iter().map(|id| id.0).collect();
            ids.sort_unstable();
            ids
        };
        for id in [1, 2, 3] {
            draft.toggle(ItemId(id));
        }
        assert_eq!((ids(&draft), draft.selected), (vec![1, 2, 3], Some(ItemId(3))));
        draft.toggle(ItemId(3));
        assert_eq!((ids(&draft), draft.selected), (vec![1, 2], Some(ItemId(2))));
        draft.toggle(ItemId(1));
        assert_eq!(ids(&draft), [2]);
        draft.choose_all([4, 5, 2].map(ItemId), true);
        assert_eq!(ids(&draft), [2, 4, 5]);
        draft.choose_all([7, 8].map(ItemId), false);
        assert_eq!(ids(&draft), [7, 8]);
        draft.choose(Some(ItemId(9)));
        assert!(draft.is_chosen(ItemId(9)) && !draft.is_chosen(ItemId(7)));
    }
}
