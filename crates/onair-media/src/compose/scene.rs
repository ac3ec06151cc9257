//! Scenes as values: the items, their placement and their order. This module is pure, without
//! frames and clocks. A scene's items are flattened into a [`Plan`], which the compositor draws.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// Maximum nesting depth of groups and scenes.
pub const MAX_DEPTH: usize = 8;

/// Maximum number of layers of a plan. Further layers are skipped.
pub const MAX_LAYERS: usize = 256;

/// Identifies a source of the collection.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SourceId(pub u32);

/// Identifies a scene of the collection.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct SceneId(pub u32);

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

/// A flattened scene: the layers from bottom to top.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Plan {
    pub layers: Vec<Layer>,
    /// Groups that are drawn as one image, from bottom to top, each before its inner groups.
    pub together: Vec<LayerGroup>,
    /// True if a visible item exceeds the [maximum](MAX_LAYERS).
    pub more: bool,
}

impl Plan {
    /// Creates a plan of one source that fills the program.
    pub fn simple(source: SourceId) -> Self {
        let places = vec![Placement::default()];
        let layer = Layer { key: 0, source, places, framed: 0, opacity: 1.0, blend: Blend::Normal };
        Self { layers: vec![layer], ..Self::default() }
    }

    /// Flattens `scene` into a plan. This function skips hidden items, recursive scenes, and items
    /// beyond the maximum depth and number.
    pub fn of(scene: &Scene, all: &[Scene]) -> Self {
        let mut flattener = Flattener { all, path: vec![scene.id], plan: Self::default() };
        flattener.items(
            &scene.items,
            &EnclosingGroups { key: u64::from(scene.id.0), places: &[], framed: 0 },
        );
        flattener.plan
    }

    /// Returns the sources that the plan needs.
    pub fn sources(&self) -> impl Iterator<Item = SourceId> {
        self.layers.iter().map(|layer| layer.source)
    }
}

/// Walks through groups and scenes, and adds their layers to the plan.
struct Flattener<'a> {
    all: &'a [Scene],
    /// The scenes on the current path.
    path: Vec<SceneId>,
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
            let places: Vec<Placement> =
                outer.places.iter().chain([&item.place.bounded()]).copied().collect();
            match &item.content {
                Content::Source(_) if self.plan.layers.len() >= MAX_LAYERS => {
                    self.plan.more = true;
                }
                Content::Source(source) => {
                    let (source, framed) = (*source, outer.framed);
                    self.plan.layers.push(Layer { key, source, places, framed, opacity, blend });
                }
                Content::Group(items) => {
                    self.one(key, opacity, blend, |it| {
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
                        let framed = outer.framed | 1 << outer.places.len();
                        self.one(key, opacity, blend, |it| {
                            it.items(
                                &scene.items,
                                &EnclosingGroups { key, places: &places, framed },
                            );
                        });
                        self.path.pop();
                    }
                }
            }
        }
    }

    /// Groups the layers that `members` adds, if this changes the result.
    fn one(&mut self, key: u64, opacity: f32, blend: Blend, members: impl FnOnce(&mut Self)) {
        if opacity >= 1.0 && blend == Blend::Normal {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn item(id: u32, content: Content) -> Item {
        Item::new(ItemId(id), content)
    }

    #[test]
    fn groups_and_scenes_are_flattened_in_order() {
        let inner = Scene {
            id: SceneId(2),
            items: vec![item(5, Content::Source(SourceId(50)))],
            ..Scene::default()
        };
        let mut group = item(
            2,
            Content::Group(vec![
                item(3, Content::Source(SourceId(30))),
                item(4, Content::Scene(SceneId(2))),
            ]),
        );
        group.opacity = 0.5;
        let mut hidden = item(6, Content::Source(SourceId(60)));
        hidden.hidden = true;
        let items = vec![item(1, Content::Source(SourceId(10))), group, hidden];
        let scene = Scene { id: SceneId(1), items, ..Scene::default() };
        let plan = Plan::of(&scene, &[scene.clone(), inner]);
        let seen: Vec<_> = plan
            .layers
            .iter()
            .map(|layer| (layer.source.0, layer.places.len(), layer.framed, layer.opacity))
            .collect();
        assert_eq!(seen, [(10, 1, 0, 1.0), (30, 2, 0, 1.0), (50, 3, 0b10, 1.0)]);
        let [group] = plan.together.as_slice() else { panic!("{:?}", plan.together) };
        assert_eq!((group.layers.clone(), group.opacity), (1..3, 0.5));
        let keys: std::collections::BTreeSet<_> = plan.layers.iter().map(|it| it.key).collect();
        assert_eq!(keys.len(), 3);
    }

    #[test]
    fn only_groups_that_look_otherwise_are_drawn_as_one() {
        let source = |id| item(id, Content::Source(SourceId(id)));
        let group = |id, opacity, blend, members| Item {
            opacity,
            blend,
            ..item(id, Content::Group(members))
        };
        let plan = |items| {
            let scene = Scene { id: SceneId(1), items, ..Scene::default() };
            Plan::of(&scene, &[])
        };
        let plain = plan(vec![group(1, 1.0, Blend::Normal, vec![source(2), source(3)])]);
        assert!(plain.together.is_empty() && plain.layers.len() == 2);
        let alone = plan(vec![group(1, 0.5, Blend::Screen, vec![source(2)])]);
        assert!(alone.together.is_empty());
        assert_eq!((alone.layers[0].opacity, alone.layers[0].blend), (0.5, Blend::Screen));
        let empty = plan(vec![group(1, 0.5, Blend::Normal, Vec::new()), source(2)]);
        assert!(empty.together.is_empty() && empty.layers.len() == 1);
        let inner = group(4, 0.5, Blend::Normal, vec![source(5), source(6)]);
        let outer = group(1, 1.0, Blend::Add, vec![inner, source(2)]);
        let nested = plan(vec![source(9), outer]);
        let ranges: Vec<_> = nested.together.iter().map(|it| it.layers.clone()).collect();
        assert_eq!(ranges, [1..4, 1..3]);
    }

    #[test]
    fn a_scene_within_itself_and_too_many_layers_are_left_out() {
        let own = item(1, Content::Scene(SceneId(1)));
        let mut items = vec![own, item(2, Content::Source(SourceId(1)))];
        let scene = Scene { id: SceneId(1), items: items.clone(), ..Scene::default() };
        assert_eq!(Plan::of(&scene, std::slice::from_ref(&scene)).layers.len(), 1);
        items.extend((3..10_003).map(|id| item(id, Content::Source(SourceId(1)))));
        let scene = Scene { id: SceneId(1), items, ..Scene::default() };
        let plan = Plan::of(&scene, &[]);
        assert_eq!((plan.layers.len(), plan.more), (MAX_LAYERS, true));
        // Invisible items do not count; members of groups count one by one.
        let source = |id| item(id, Content::Source(SourceId(1)));
        let mut items: Vec<Item> = (1..=255).map(source).collect();
        items.push(item(300, Content::Group(vec![source(301)])));
        items.push(item(302, Content::Group(Vec::new())));
        items.push(Item { hidden: true, ..source(303) });
        let mut scene = Scene { id: SceneId(1), items, ..Scene::default() };
        let plan = Plan::of(&scene, &[]);
        assert_eq!((plan.layers.len(), plan.more), (MAX_LAYERS, false));
        scene.items[256] = item(302, Content::Group(vec![source(304)]));
        assert!(Plan::of(&scene, &[]).more);
        let mut deep = item(1, Content::Source(SourceId(1)));
        for id in 2..40 {
            deep = item(id, Content::Group(vec![deep]));
        }
        let scene = Scene { id: SceneId(1), items: vec![deep], ..Scene::default() };
        assert!(Plan::of(&scene, &[]).layers.is_empty());
    }

    #[test]
    fn numbers_that_are_none_become_defaults() {
        let place = Placement {
            x: f64::NAN,
            width: 1e9,
            height: -3.0,
            rotation: -90.0,
            ..Placement::default()
        };
        let place = place.bounded();
        assert_eq!((place.x, place.width, place.height), (0.0, Placement::MAX_EXTENT, 0.001));
        assert!((place.rotation - 270.0).abs() < 1e-9);
        let crop = Crop { left: 0.7, right: 0.7, top: f64::INFINITY, bottom: -1.0 }.bounded();
        assert!(crop.left + crop.right <= 0.99 && crop.top == 0.0 && crop.bottom == 0.0);
    }
}
