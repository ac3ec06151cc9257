//! Scenes as values: the items, their placement and their order. This module is pure, without
//! frames and clocks. A scene's items are flattened into a [`Plan`], which the compositor draws.

mod item_transition;
#[cfg(test)]
mod tests;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::time::Duration;

pub use crate::compose::scene::item_transition::{ItemTransition, ItemTransitionKind};

/// Maximum nesting depth of groups and scenes.
pub const MAX_DEPTH: usize = 8;

/// Maximum number of layers of a plan. Further layers are skipped.
pub const MAX_LAYERS: usize = 256;

/// Maximum number of scenes and groups with filters in a plan. Further ones are skipped.
pub const MAX_FILTERED: usize = 32;

/// Identifies a source of the collection.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// Identifies a scene of the collection.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SceneId(pub u32);

impl SourceId {
    /// Marks the ids of scenes and of groups. Sources are counted from 0, and a collection is far
    /// too small to reach these numbers.
    const SCENE: u32 = 1 << 31;
    const GROUP: u32 = 1 << 30;

    /// Returns the id under which a scene is a source of frames. Only its filters need it.
    pub const fn of_scene(id: SceneId) -> Self {
        Self(Self::SCENE | id.0)
    }

    /// Returns the id under which a group is a source of frames. Only its filters need it.
    pub const fn of_group(id: ItemId) -> Self {
        Self(Self::GROUP | id.0)
    }

    /// Returns the scene that has this id as a source of frames.
    pub const fn as_scene(self) -> Option<SceneId> {
        if self.0 & Self::SCENE != 0 { Some(SceneId(self.0 & !Self::SCENE)) } else { None }
    }

    /// Returns the group that has this id as a source of frames.
    pub const fn as_group(self) -> Option<ItemId> {
        let is_group = self.0 & (Self::SCENE | Self::GROUP) == Self::GROUP;
        if is_group { Some(ItemId(self.0 & !Self::GROUP)) } else { None }
    }

    /// Returns true for the id of a scene or group.
    pub const fn is_composed(self) -> bool {
        self.0 & (Self::SCENE | Self::GROUP) != 0
    }
}

/// Identifies an item, across all scenes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ItemId(pub u32);

/// Items on the program's canvas.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Scene {
    pub id: SceneId,
    pub name: String,
    /// Items from the bottom to the top.
    pub items: Vec<Item>,
}

/// Content that is shown at a position.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: ItemId,
    /// The item's own name; if empty, the name of its content is used.
    pub name: String,
    pub content: Content,
    pub place: Placement,
    /// Opacity from 0 (invisible) to 1.
    pub opacity: f32,
    pub blend: Blend,
    pub hidden: bool,
    /// True if the item cannot be moved on the canvas by mistake.
    pub locked: bool,
    /// How the item appears when it is shown, and disappears when it is hidden; `None` means at
    /// once.
    pub show: Option<ItemTransition>,
    pub hide: Option<ItemTransition>,
}

/// The content of an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Source(SourceId),
    /// Items that move, hide and fade together, on a canvas of the program's size.
    Group(Vec<Item>),
    /// Another scene, treated like a frame of the program's size.
    Scene(SceneId),
}

impl Item {
    /// Creates an item whose box is the whole program. Its content keeps its aspect ratio.
    pub fn new(id: ItemId, content: Content) -> Self {
        Self {
            id,
            name: String::new(),
            content,
            place: Placement::default(),
            opacity: 1.0,
            blend: Blend::Normal,
            hidden: false,
            locked: false,
            show: None,
            hide: None,
        }
    }

    /// Returns true for a group.
    pub fn is_group(&self) -> bool {
        matches!(self.content, Content::Group(_))
    }

    /// Returns the id under which the filters of the item's content are kept.
    pub fn filtered(&self) -> SourceId {
        match &self.content {
            Content::Source(id) => *id,
            Content::Scene(id) => SourceId::of_scene(*id),
            Content::Group(_) => SourceId::of_group(self.id),
        }
    }

    /// Returns the items of a group; empty for other content.
    pub fn members(&self) -> &[Self] {
        if let Content::Group(items) = &self.content { items } else { &[] }
    }
}

/// The placement of an item. Lengths are fractions of the program (1.0 is its width or height), so
/// a scene looks the same at every program size.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Placement {
    /// The box before rotation: left edge, top edge, width and height.
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
    /// How the frame fits into the box.
    pub fit: Fit,
    /// Degrees clockwise around the center of the box.
    pub rotation: f64,
    pub crop: Crop,
    pub flip_x: bool,
    pub flip_y: bool,
}

impl Default for Placement {
    fn default() -> Self {
        Self {
            x: 0.0,
            y: 0.0,
            width: 1.0,
            height: 1.0,
            fit: Fit::Contain,
            rotation: 0.0,
            crop: Crop::default(),
            flip_x: false,
            flip_y: false,
        }
    }
}

impl Placement {
    /// Maximum distance of an edge, and maximum size of a box, in program sizes.
    pub const MAX_EXTENT: f64 = 50.0;

    /// Returns the placement with every number within its bounds. NaN and infinity become the
    /// default.
    pub fn bounded(self) -> Self {
        let default = Self::default();
        let within = |value: f64, low: f64, high: f64, default: f64| {
            if value.is_finite() { value.clamp(low, high) } else { default }
        };
        Self {
            x: within(self.x, -Self::MAX_EXTENT, Self::MAX_EXTENT, default.x),
            y: within(self.y, -Self::MAX_EXTENT, Self::MAX_EXTENT, default.y),
            width: within(self.width, 0.001, Self::MAX_EXTENT, default.width),
            height: within(self.height, 0.001, Self::MAX_EXTENT, default.height),
            rotation: if self.rotation.is_finite() { self.rotation.rem_euclid(360.0) } else { 0.0 },
            crop: self.crop.bounded(),
            ..self
        }
    }
}

/// The cropped part at each side, as a fraction of the frame's width or height.
#[derive(Copy, Clone, Debug, PartialEq, Default)]
pub struct Crop {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Crop {
    /// Returns the crop, limited so that at least a hundredth of the frame remains in each
    /// direction.
    pub fn bounded(self) -> Self {
        let side = |value: f64, most: f64| {
            if value.is_finite() { value.clamp(0.0, most) } else { 0.0 }
        };
        let (left, top) = (side(self.left, 0.99), side(self.top, 0.99));
        let (right, bottom) = (side(self.right, 0.99 - left), side(self.bottom, 0.99 - top));
        Self { left, top, right, bottom }
    }
}

/// How a frame fits into its box.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Fit {
    /// As large as possible without cropping.
    #[default]
    Contain,
    /// As small as possible without a gap, with the excess cropped.
    Cover,
    /// Exactly the box, regardless of the aspect ratio.
    Stretch,
    /// One frame pixel per program pixel, in the middle of the box.
    Original,
}

impl Fit {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 4] = [
        ("contain", Self::Contain),
        ("cover", Self::Cover),
        ("stretch", Self::Stretch),
        ("original", Self::Original),
    ];
}

/// How a layer's colors combine with those below it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Blend {
    #[default]
    Normal,
    Add,
    Subtract,
    Screen,
    Multiply,
    Lighten,
    Darken,
}

impl Blend {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 7] = [
        ("normal", Self::Normal),
        ("add", Self::Add),
        ("subtract", Self::Subtract),
        ("screen", Self::Screen),
        ("multiply", Self::Multiply),
        ("lighten", Self::Lighten),
        ("darken", Self::Darken),
    ];
}

/// One frame of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The key, which is the same in each plan for the same item in the same groups.
    pub key: u64,
    pub source: SourceId,
    /// The placements from the outermost group to the item itself.
    pub places: Vec<Placement>,
    /// Shows which placements are nested scenes, and therefore clip to their canvas. There is one
    /// bit per placement, the lowest for the outermost.
    pub framed: u16,
    pub opacity: f32,
    pub blend: Blend,
}

/// Layers that are drawn as one image, which is then blended with its own opacity and mode.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerGroup {
    /// The key, like that of a [`Layer`].
    pub key: u64,
    /// The range of the plan's layers.
    pub layers: Range<usize>,
    pub opacity: f32,
    pub blend: Blend,
}

/// The layers of a visible item that appears or disappears with its own transition.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemLayers {
    /// The key of the item, like that of a [`Layer`].
    pub key: u64,
    /// The range of the plan's layers.
    pub layers: Range<usize>,
    /// The index of the item's own placement in [`Layer::places`].
    pub depth: usize,
    pub show: Option<ItemTransition>,
    pub hide: Option<ItemTransition>,
}

/// A scene or group with filters. It is drawn as a frame, which the filters process, and which a
/// [`Layer`] with its id shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Composed {
    /// The [id of the scene](SourceId::of_scene) or [group](SourceId::of_group).
    pub id: SourceId,
    /// The layers on a canvas of the program's size. A layer can show an earlier one of
    /// [`Plan::composed`].
    pub layers: Vec<Layer>,
    pub together: Vec<LayerGroup>,
    pub items: Vec<ItemLayers>,
}

/// A flattened scene: the layers from bottom to top.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plan {
    pub layers: Vec<Layer>,
    /// Groups that are drawn as one image, from bottom to top, each before its inner groups.
    pub together: Vec<LayerGroup>,
    /// Scenes and groups with filters, each after those that it shows.
    pub composed: Vec<Composed>,
    /// Items with a transition of their own.
    pub items: Vec<ItemLayers>,
    /// True if a visible item exceeds the [maximum](MAX_LAYERS).
    pub more: bool,
}

impl Plan {
    /// Creates a plan of one source that fills the program.
    pub fn simple(source: SourceId) -> Self {
        Self { layers: vec![Layer { source, ..Layer::whole(0) }], ..Self::default() }
    }

    /// Flattens `scene` into a plan. This function skips hidden items, recursive scenes, and items
    /// beyond the maximum depth and number.
    pub fn of(scene: &Scene, all: &[Scene]) -> Self {
        Self::filtered(scene, all, &|_| false)
    }

    /// Works like [`Plan::of`]. `has_filters` tells which scenes and groups have filters.
    pub fn filtered(scene: &Scene, all: &[Scene], has_filters: &dyn Fn(SourceId) -> bool) -> Self {
        let path = vec![scene.id];
        let mut flattener = Flattener { all, has_filters, path, count: 0, plan: Self::default() };
        let key = u64::from(scene.id.0);
        let around = EnclosingGroups { key, places: &[], framed: 0 };
        let id = SourceId::of_scene(scene.id);
        if has_filters(id) {
            flattener.composed(id, key, &scene.items);
            flattener.plan.layers.push(Layer { source: id, ..Layer::whole(key) });
        } else {
            flattener.items(&scene.items, &around);
        }
        flattener.plan
    }

    /// Returns the sources that the plan needs.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> {
        self.all_layers().map(|layer| layer.source).filter(|id| !id.is_composed())
    }

    /// Returns the sources of items that `next` lacks, with the durations of the transitions with
    /// which these items disappear.
    pub fn leaving_after(&self, next: &Self) -> Vec<(SourceId, Duration)> {
        let composed = self.composed.iter().map(|it| (&it.items, &it.layers));
        let mut leaving = Vec::new();
        for (items, layers) in std::iter::once((&self.items, &self.layers)).chain(composed) {
            for item in items {
                let own = layers.get(item.layers.clone()).unwrap_or_default();
                let is_there = |key: u64| next.all_layers().any(|layer| layer.key == key);
                if let Some(hide) = item.hide.filter(|_| !own.iter().any(|it| is_there(it.key))) {
                    let sources = own.iter().map(|layer| (layer.source, hide.duration));
                    leaving.extend(sources.filter(|(id, _)| !id.is_composed()));
                }
            }
        }
        leaving
    }

    /// Returns the layers of the plan and of its scenes and groups with filters.
    pub fn all_layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().chain(self.composed.iter().flat_map(|it| &it.layers))
    }

    /// Works like [`Plan::all_layers`].
    pub fn all_layers_mut(&mut self) -> impl Iterator<Item = &mut Layer> {
        self.layers.iter_mut().chain(self.composed.iter_mut().flat_map(|it| &mut it.layers))
    }
}

impl Layer {
    /// Creates a layer that fills the program.
    pub(in crate::compose) fn whole(key: u64) -> Self {
        let places = vec![Placement::default()];
        let (source, blend) = (SourceId::default(), Blend::Normal);
        Self { key, source, places, framed: 0, opacity: 1.0, blend }
    }
}

/// Walks through groups and scenes, and adds their layers to the plan.
struct Flattener<'a> {
    all: &'a [Scene],
    has_filters: &'a dyn Fn(SourceId) -> bool,
    /// The scenes on the current path.
    path: Vec<SceneId>,
    /// The number of layers, with those of scenes and groups with filters.
    count: usize,
    plan: Plan,
}

/// The combined effect of the groups around an item.
struct EnclosingGroups<'a> {
    key: u64,
    places: &'a [Placement],
    framed: u16,
}

impl Flattener<'_> {
    fn items(&mut self, items: &[Item], outer: &EnclosingGroups<'_>) {
        for item in items.iter().filter(|item| !item.hidden) {
            let mut hasher = DefaultHasher::new();
            (outer.key, item.id).hash(&mut hasher);
            let key = hasher.finish();
            let opacity = if item.opacity.is_finite() { item.opacity.clamp(0.0, 1.0) } else { 1.0 };
            // As soon as the maximum is exceeded, the search ends.
            if opacity <= 0.0 || outer.places.len() >= MAX_DEPTH || self.plan.more {
                continue;
            }
            let blend = item.blend;
            let own_transition = item.show.is_some() || item.hide.is_some();
            let first = self.plan.layers.len();
            let mut places: Vec<Placement> =
                outer.places.iter().chain([&item.place.bounded()]).copied().collect();
            let mut framed = outer.framed;
            let composed = match &item.content {
                Content::Group(_) => Some(SourceId::of_group(item.id)),
                Content::Scene(id) => {
                    framed |= 1 << outer.places.len();
                    Some(SourceId::of_scene(*id))
                }
                Content::Source(_) => None,
            };
            let composed = composed.filter(|id| (self.has_filters)(*id));
            match &item.content {
                Content::Source(_) if self.count >= MAX_LAYERS => self.plan.more = true,
                Content::Source(source) => {
                    let source = *source;
                    self.push(Layer { key, source, places, framed, opacity, blend });
                }
                Content::Group(_) | Content::Scene(_) if composed.is_some() => {
                    let (source, items) = match (&item.content, composed) {
                        (Content::Group(items), Some(id)) => (id, items.as_slice()),
                        (Content::Scene(shown), Some(id)) if !self.path.contains(shown) => {
                            let scene = self.all.iter().find(|scene| scene.id == *shown);
                            (id, scene.map(|scene| scene.items.as_slice()).unwrap_or_default())
                        }
                        _ => continue,
                    };
                    if let Content::Scene(id) = item.content {
                        self.path.push(id);
                    }
                    if self.composed(source, u64::from(source.0), items) {
                        // The frame is placed on the canvas of the group or scene.
                        places.push(Placement::default());
                        self.push(Layer { key, source, places, framed, opacity, blend });
                    }
                    if let Content::Scene(_) = item.content {
                        self.path.pop();
                    }
                }
                Content::Group(items) => {
                    self.one(key, (opacity, blend), own_transition, |it| {
                        it.items(
                            items,
                            &EnclosingGroups { key, places: &places, framed: outer.framed },
                        );
                    });
                }
                Content::Scene(id) => {
                    let scene = self.all.iter().find(|scene| scene.id == *id);
                    if let Some(scene) = scene.filter(|scene| !self.path.contains(&scene.id)) {
                        self.path.push(scene.id);
                        self.one(key, (opacity, blend), own_transition, |it| {
                            it.items(
                                &scene.items,
                                &EnclosingGroups { key, places: &places, framed },
                            );
                        });
                        self.path.pop();
                    }
                }
            }
            let layers = first..self.plan.layers.len();
            if own_transition && !layers.is_empty() {
                let (depth, show, hide) = (outer.places.len(), item.show, item.hide);
                self.plan.items.push(ItemLayers { key, layers, depth, show, hide });
            }
        }
    }

    fn push(&mut self, layer: Layer) {
        self.count += 1;
        self.plan.layers.push(layer);
    }

    /// Adds the layers of a scene or group with filters, unless the plan has them already. Returns
    /// false if there are too many.
    fn composed(&mut self, id: SourceId, key: u64, items: &[Item]) -> bool {
        if self.plan.composed.iter().any(|it| it.id == id) {
            return true;
        }
        if self.plan.composed.len() >= MAX_FILTERED || self.count >= MAX_LAYERS {
            self.plan.more = true;
            return false;
        }
        let outer = std::mem::take(&mut self.plan);
        self.plan.composed = outer.composed;
        self.items(items, &EnclosingGroups { key, places: &[], framed: 0 });
        let mut inner = std::mem::take(&mut self.plan);
        let Plan { layers, together, items, .. } = inner;
        // A group that is too deep for its own layers still gets an empty frame.
        inner.composed.push(Composed { id, layers, together, items });
        let more = outer.more || inner.more;
        self.plan = Plan { composed: inner.composed, more, ..outer };
        true
    }

    /// Groups the layers that `members` adds, if this changes the result, or if `always` is true.
    fn one(
        &mut self,
        key: u64,
        (opacity, blend): (f32, Blend),
        always: bool,
        members: impl FnOnce(&mut Self),
    ) {
        if opacity >= 1.0 && blend == Blend::Normal && !always {
            return members(self);
        }
        let (first, index) = (self.plan.layers.len(), self.plan.together.len());
        self.plan.together.push(LayerGroup { key, layers: first..first, opacity, blend });
        members(self);
        let last = self.plan.layers.len();
        let alone = self.plan.together.len() == index + 1 && last == first + 1;
        match self.plan.layers.last_mut().filter(|_| alone) {
            Some(layer) if layer.blend == Blend::Normal => {
                (layer.opacity, layer.blend) = (layer.opacity * opacity, blend);
                self.plan.together.truncate(index);
            }
            _ if first == last => self.plan.together.truncate(index),
            _ => {
                if let Some(group) = self.plan.together.get_mut(index) {
                    group.layers = first..last;
                }
            }
        }
    }
}
