//! What a person has in hand while building scenes, and what the lists and the picture both need.

use crate::capture::Heeds;
use crate::compose::scene::{Content, Item, ItemId, Place, SceneId, SourceId};
use crate::media::Size;
use crate::studio::Snapshot;
use crate::ui::actions::key;
use crate::ui::icons::Icon;
use crate::ui::scenes::place::Grip;
use crate::ui::view::View;

/// What a person has in hand.
#[derive(Debug, Default)]
pub struct Draft {
    /// The item that is selected.
    pub selected: Option<ItemId>,
    /// The name that is being typed, of a scene or an item.
    pub(super) naming: Option<(Named, String)>,
    /// What is being dragged on the picture.
    pub(super) grip: Option<Drag>,
    /// The item whose settings are shown.
    pub settings: Option<ItemId>,
    /// The source whose filters are shown, and which of them is looked at.
    pub filters: Option<SourceId>,
    pub(super) filter: usize,
    /// The source whose properties are shown, and what is typed there as the font.
    pub properties: Option<SourceId>,
    pub(super) family: Option<String>,
    /// What is typed there as the source.
    pub(super) source_text: Option<String>,
    /// Studio mode: scenes are prepared before they go out.
    pub studio_mode: bool,
}

impl Draft {
    /// Shows the filters of a source.
    pub(in crate::ui) fn show_filters(&mut self, source: SourceId) {
        (self.filters, self.filter) = (Some(source), 0);
        (self.settings, self.properties) = (None, None);
    }

    /// Shows the properties of a source.
    pub(in crate::ui) fn show_properties(&mut self, source: SourceId) {
        (self.properties, self.family) = (Some(source), None);
        (self.settings, self.filters) = (None, None);
    }

    /// The source that is selected, or else the topmost of the scene.
    pub(in crate::ui) fn source(&self, snapshot: &Snapshot) -> Option<SourceId> {
        self.source_that(snapshot, |_| true)
    }

    /// The same among those that have properties.
    pub(in crate::ui) fn source_with_properties(&self, snapshot: &Snapshot) -> Option<SourceId> {
        let collection = &snapshot.scenes.collection;
        self.source_that(snapshot, |id| {
            collection.source(id).is_some_and(|source| Heeds::of(&source.choice).is_some())
        })
    }

    fn source_that(
        &self,
        snapshot: &Snapshot,
        fits: impl Fn(SourceId) -> bool,
    ) -> Option<SourceId> {
        let collection = &snapshot.scenes.collection;
        let shown = |item: &Item| match item.content {
            Content::Source(id) if fits(id) => Some(id),
            _ => None,
        };
        let selected = self.selected.and_then(|id| collection.item(id)).and_then(shown);
        let scene = collection.scene(edited(snapshot));
        selected.or_else(|| scene?.items.iter().rev().find_map(shown))
    }
}

/// What is held.
#[derive(Clone, Debug)]
pub(super) struct Drag {
    pub id: ItemId,
    pub grip: Grip,
    /// Where it began, in program pixels.
    pub from: (f64, f64),
    pub start: Place,
    /// The lines it snaps to now.
    pub guides: (Option<f64>, Option<f64>),
}

/// What can be named.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    Scene(SceneId),
    Item(ItemId),
}

/// The scene that is being worked on: the prepared one, or what goes out.
pub(super) fn edited(snapshot: &Snapshot) -> SceneId {
    snapshot.scenes.prepared.unwrap_or(snapshot.scenes.collection.current)
}

/// The size of what an item shows, as far as it is known.
pub(super) fn natural(snapshot: &Snapshot, item: &Item) -> Size {
    let program = snapshot.quality.size;
    match item.content {
        Content::Source(id) => {
            snapshot.scenes.source(id).and_then(|source| source.size).unwrap_or(program)
        }
        Content::Group(_) | Content::Scene(_) => program,
    }
}

/// What an item is called in the lists.
pub(super) fn name_of(view: &View<'_>, item: &Item) -> String {
    let collection = &view.snapshot.scenes.collection;
    let name = collection.item_name(item);
    if !name.is_empty() {
        return name.to_owned();
    }
    match item.content {
        Content::Group(_) => view.texts.get("scenes-group").to_string(),
        // The chosen picture: what it is.
        _ => view.texts.get("scenes-main").to_string(),
    }
}

pub(super) fn icon_of(item: &Item) -> Icon {
    match item.content {
        Content::Source(id) if id == crate::studio::scenes::MAIN => Icon::Camera,
        Content::Source(_) => Icon::Picture,
        Content::Group(_) => Icon::Folder,
        Content::Scene(_) => Icon::Film,
    }
}

/// Fit modes with the keys of their names.
pub(super) const FITS: [(&str, crate::compose::scene::Fit); 4] = {
    use crate::compose::scene::Fit;
    [
        (key!("fit-contain"), Fit::Contain),
        (key!("fit-cover"), Fit::Cover),
        (key!("fit-stretch"), Fit::Stretch),
        (key!("fit-original"), Fit::Original),
    ]
};

/// Blend modes with the keys of their names.
pub(super) const BLENDS: [(&str, crate::compose::scene::Blend); 7] = {
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
