//! Shows and hides single items with their own transitions, while their scene stays. A plan names
//! the layers of the items that have such a transition. If a new plan has layers that the previous
//! one lacked, they appear; layers that it lacks are kept from the previous plan until they have
//! disappeared. While a transition runs, a modified copy of the plan is drawn; otherwise the plan
//! itself, so that a scene that stays costs nothing.
//!
//! A scene change ends all of them, because it has its own transition.

use std::cmp::Reverse;
use std::ops::Range;
use std::sync::Arc;

use crate::base::Timestamp;
use crate::compose::scene::{
    ItemLayers, ItemTransition, ItemTransitionKind, Layer, LayerGroup, Plan, SourceId,
};

/// The running transitions of items.
#[derive(Default)]
pub struct ItemTransitions(Vec<Running>);

struct Running {
    /// The scene or group with filters in which the item is; `None` for the plan itself.
    canvas: Option<SourceId>,
    key: u64,
    transition: ItemTransition,
    /// The part that is visible when the transition begins.
    initial: f32,
    begun: Option<Timestamp>,
    /// The visible part, from 0 to 1, in the last frame.
    visible: f32,
    /// The layers of an item that disappears.
    gone: Option<Gone>,
}

/// The layers of an item that the plan no longer has.
struct Gone {
    layers: Vec<Layer>,
    /// The groups of the layers, counted from the first layer.
    together: Vec<LayerGroup>,
    depth: usize,
    /// The keys of the layers below, the nearest first.
    below: Vec<u64>,
    /// The keys of the groups around the item.
    around: Vec<u64>,
}

/// The lists of a plan, or of a scene or group with filters.
struct Lists<'a> {
    layers: &'a mut Vec<Layer>,
    together: &'a mut Vec<LayerGroup>,
    items: &'a mut Vec<ItemLayers>,
}

/// The same lists of a plan that is not changed.
#[derive(Copy, Clone)]
struct View<'a> {
    layers: &'a [Layer],
    together: &'a [LayerGroup],
    items: &'a [ItemLayers],
}

impl<'a> View<'a> {
    fn of(plan: &'a Plan, canvas: Option<SourceId>) -> Option<Self> {
        let Some(id) = canvas else {
            let Plan { layers, together, items, .. } = plan;
            return Some(Self { layers, together, items });
        };
        let it = plan.composed.iter().find(|it| it.id == id)?;
        Some(Self { layers: &it.layers, together: &it.together, items: &it.items })
    }

    /// Returns true if any of these layers is there.
    fn has(&self, layers: &[Layer]) -> bool {
        layers.iter().any(|layer| self.layers.iter().any(|it| it.key == layer.key))
    }
}

impl ItemTransitions {
    /// Ends all transitions.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Begins the transitions of the items in which the plans differ.
    pub fn change(&mut self, old: &Plan, new: &Plan) {
        let ids = new.composed.iter().map(|it| Some(it.id));
        for canvas in std::iter::once(None).chain(ids) {
            let (Some(before), Some(after)) = (View::of(old, canvas), View::of(new, canvas)) else {
                continue;
            };
            for item in after.items {
                let own = after.layers.get(item.layers.clone()).unwrap_or_default();
                if !before.has(own) {
                    self.begin(canvas, item.key, item.show, None);
                }
            }
            for item in before.items {
                let own = before.layers.get(item.layers.clone()).unwrap_or_default();
                if !after.has(own) {
                    let gone = Gone::of(before, item);
                    self.begin(canvas, item.key, item.hide, Some(gone));
                }
            }
        }
    }

    /// Begins to show or hide an item. A transition that was still running is continued from its
    /// state.
    fn begin(
        &mut self,
        canvas: Option<SourceId>,
        key: u64,
        transition: Option<ItemTransition>,
        gone: Option<Gone>,
    ) {
        let running = self.0.iter().position(|it| (it.canvas, it.key) == (canvas, key));
        let running = running.map(|at| self.0.swap_remove(at));
        let Some(transition) = transition.filter(|it| !it.duration.is_zero()) else { return };
        let at_rest = if gone.is_some() { 1.0 } else { 0.0 };
        let initial = running.map_or(at_rest, |it| it.visible);
        let (begun, visible) = (None, initial);
        self.0.push(Running { canvas, key, transition, initial, begun, visible, gone });
    }

    /// Returns the plan to draw at the instant `at`.
    pub fn plan(&mut self, plan: &Arc<Plan>, at: Timestamp) -> Arc<Plan> {
        self.0.retain_mut(|it| it.step(at));
        if self.0.is_empty() {
            return Arc::clone(plan);
        }
        let mut now = Plan::clone(plan);
        for running in &self.0 {
            let Plan { layers, together, items, composed, .. } = &mut now;
            let lists = match running.canvas {
                None => Some(Lists { layers, together, items }),
                Some(id) => composed.iter_mut().find(|it| it.id == id).map(|it| Lists {
                    layers: &mut it.layers,
                    together: &mut it.together,
                    items: &mut it.items,
                }),
            };
            if let Some(mut lists) = lists {
                running.put(&mut lists);
            }
        }
        Arc::new(now)
    }
}

impl Running {
    /// Moves on to this instant. Returns false at the end.
    fn step(&mut self, at: Timestamp) -> bool {
        let begun = *self.begun.get_or_insert(at);
        let part = at.since(begun).as_secs_f32() / self.transition.duration.as_secs_f32().max(1e-3);
        let (from, to) = (self.initial, if self.gone.is_some() { 0.0 } else { 1.0 });
        self.visible = if from < to { (from + part).min(to) } else { (from - part).max(to) };
        self.visible != to
    }

    fn put(&self, lists: &mut Lists<'_>) {
        let (layers, depth) = match &self.gone {
            Some(gone) => (gone.insert(lists), gone.depth),
            None => {
                let Some(item) = lists.items.iter().find(|it| it.key == self.key) else { return };
                (item.layers.clone(), item.depth)
            }
        };
        let own = lists.layers.get_mut(layers.clone()).unwrap_or_default();
        if self.transition.kind != ItemTransitionKind::Fade {
            for layer in own {
                slide(layer, depth, self.transition.kind, 1.0 - eased(self.visible));
            }
        } else if let Some(group) = lists.together.iter_mut().find(|it| it.layers == layers) {
            group.opacity *= self.visible;
        } else {
            own.iter_mut().for_each(|layer| layer.opacity *= self.visible);
        }
    }
}

/// Returns an easing curve that is slow at both ends.
fn eased(part: f32) -> f64 {
    let part = f64::from(part);
    part * part * (3.0 - 2.0 * part)
}

/// Moves a layer out of its canvas by this part of the way.
fn slide(layer: &mut Layer, depth: usize, kind: ItemTransitionKind, part: f64) {
    let Some(place) = layer.places.get_mut(depth) else { return };
    // The corners of a rotated box are outside of it.
    let more = if place.rotation == 0.0 { 0.0 } else { place.width.hypot(place.height) / 2.0 };
    let way = |length: f64| length.max(0.0) + more;
    match kind {
        ItemTransitionKind::Fade => {}
        ItemTransitionKind::SlideLeft => place.x -= part * way(place.x + place.width),
        ItemTransitionKind::SlideRight => place.x += part * way(1.0 - place.x),
        ItemTransitionKind::SlideTop => place.y -= part * way(place.y + place.height),
        ItemTransitionKind::SlideBottom => place.y += part * way(1.0 - place.y),
    }
}

impl Gone {
    fn of(from: View<'_>, item: &ItemLayers) -> Self {
        let Range { start, end } = item.layers;
        let is_own = |it: &&LayerGroup| it.layers.start >= start && it.layers.end <= end;
        let moved = |it: &LayerGroup| {
            let layers = it.layers.start - start..it.layers.end - start;
            LayerGroup { layers, ..it.clone() }
        };
        let is_around = |it: &&LayerGroup| {
            it.layers.start <= start && it.layers.end >= end && it.layers != item.layers
        };
        let below = from.layers.get(..start).unwrap_or_default();
        Self {
            layers: from.layers.get(start..end).unwrap_or_default().to_vec(),
            together: from.together.iter().filter(is_own).map(moved).collect(),
            depth: item.depth,
            below: below.iter().rev().map(|layer| layer.key).collect(),
            around: from.together.iter().filter(is_around).map(|it| it.key).collect(),
        }
    }

    /// Inserts the layers above those that were below them. Returns their range.
    fn insert(&self, lists: &mut Lists<'_>) -> Range<usize> {
        let place = |key: &u64| lists.layers.iter().position(|layer| layer.key == *key);
        let at = self.below.iter().find_map(place).map_or(0, |below| below + 1);
        let count = self.layers.len();
        let widen = |range: &mut Range<usize>, is_around: bool| {
            if range.start > at || (range.start == at && !is_around) {
                range.start += count;
                range.end += count;
            } else if range.end > at || (range.end == at && is_around) {
                range.end += count;
            }
        };
        for group in lists.together.iter_mut() {
            let is_around = self.around.contains(&group.key);
            widen(&mut group.layers, is_around);
        }
        for item in lists.items.iter_mut() {
            widen(&mut item.layers, false);
        }
        lists.layers.splice(at..at, self.layers.iter().cloned());
        let own = self.together.iter().map(|group| {
            let layers = group.layers.start + at..group.layers.end + at;
            LayerGroup { layers, ..group.clone() }
        });
        lists.together.extend(own);
        // Each group comes before its inner groups.
        lists.together.sort_by_key(|group| (group.layers.start, Reverse(group.layers.end)));
        at..at + count
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::compose::scene::{Content, Item, ItemId, Scene, SceneId};

    const TRANSITION: ItemTransition =
        ItemTransition { kind: ItemTransitionKind::Fade, duration: Duration::from_millis(1_000) };

    fn item(id: u32, kind: ItemTransitionKind) -> Item {
        let transition = Some(ItemTransition { kind, ..TRANSITION });
        let content = Content::Source(SourceId(id));
        Item { show: transition, hide: transition, ..Item::new(ItemId(id), content) }
    }

    fn plan(items: &[Item]) -> Arc<Plan> {
        let scene = Scene { id: SceneId(1), items: items.to_vec(), ..Scene::default() };
        Arc::new(Plan::of(&scene, &[]))
    }

    /// Returns the sources of the plan with their opacities and left edges.
    fn shown(plan: &Plan) -> Vec<(u32, f32, f64)> {
        plan.layers.iter().map(|it| (it.source.0, it.opacity, it.places[0].x)).collect()
    }

    #[test]
    fn an_item_fades_out_in_its_place_and_fades_in_again_from_where_it_is() {
        let all: Vec<Item> = (1..4).map(|id| item(id, ItemTransitionKind::Fade)).collect();
        let (whole, without) = (plan(&all), plan(&[all[0].clone(), all[2].clone()]));
        let mut it = ItemTransitions::default();
        let at = Timestamp::from_millis;
        it.change(&whole, &without);
        assert_eq!(shown(&it.plan(&without, at(0)))[1], (2, 1.0, 0.0));
        let half = it.plan(&without, at(500));
        assert_eq!(shown(&half), [(1, 1.0, 0.0), (2, 0.5, 0.0), (3, 1.0, 0.0)]);
        it.change(&without, &whole);
        assert_eq!(shown(&it.plan(&whole, at(600)))[1], (2, 0.5, 0.0));
        assert_eq!(shown(&it.plan(&whole, at(850)))[1], (2, 0.75, 0.0));
        assert!(Arc::ptr_eq(&it.plan(&whole, at(1_100)), &whole), "it is over");
        it.change(&whole, &without);
        it.plan(&without, at(2_000));
        assert!(Arc::ptr_eq(&it.plan(&without, at(3_000)), &without));
    }

    #[test]
    fn an_item_slides_from_its_side_and_one_without_a_transition_appears_at_once() {
        let mut items = vec![item(1, ItemTransitionKind::SlideRight), item(2, Default::default())];
        items[0].place.x = 0.25;
        items[0].place.width = 0.5;
        items[1].show = None;
        let (none, both) = (plan(&[]), plan(&items));
        let mut it = ItemTransitions::default();
        it.change(&none, &both);
        let at = Timestamp::from_millis;
        assert_eq!(shown(&it.plan(&both, at(0))), [(1, 1.0, 1.0), (2, 1.0, 0.0)]);
        assert_eq!(shown(&it.plan(&both, at(500)))[0].2, 0.625);
        assert_eq!(shown(&it.plan(&both, at(1_000)))[0].2, 0.25);
        // A transition that is set for a visible item starts nothing.
        let mut plain = items.clone();
        plain[0].show = None;
        it.change(&plan(&plain), &both);
        assert!(Arc::ptr_eq(&it.plan(&both, at(2_000)), &both));
    }

    #[test]
    fn a_group_fades_as_one_image_and_stays_inside_the_group_around_it() {
        let group = |id, opacity, members| Item {
            opacity,
            content: Content::Group(members),
            ..item(id, ItemTransitionKind::Fade)
        };
        let plain = |id| Item::new(ItemId(id), Content::Source(SourceId(id)));
        let inner = group(5, 1.0, vec![plain(6), plain(7)]);
        let with = |inner: &[Item]| {
            let mut members = vec![plain(2), plain(3)];
            members.splice(1..1, inner.iter().cloned());
            plan(&[plain(1), group(4, 0.5, members), plain(8)])
        };
        let (whole, without) = (with(std::slice::from_ref(&inner)), with(&[]));
        let mut it = ItemTransitions::default();
        it.change(&whole, &without);
        it.plan(&without, Timestamp::ZERO);
        let half = it.plan(&without, Timestamp::from_millis(500));
        let sources: Vec<u32> = half.layers.iter().map(|it| it.source.0).collect();
        assert_eq!(sources, [1, 2, 6, 7, 3, 8]);
        let groups: Vec<_> =
            half.together.iter().map(|it| (it.layers.clone(), it.opacity)).collect();
        assert_eq!(groups, [(1..5, 0.5), (2..4, 0.5)]);
    }
}
