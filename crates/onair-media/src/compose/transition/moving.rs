//! The transition *Move*: items that both scenes show move from their place in the old scene to
//! their place in the new one, and everything else fades.
//!
//! Both scenes are drawn with the shared items where they are at that moment, and the two frames are
//! then faded. So a shared item looks the same in both frames and does not flicker, every other item
//! fades without a dark moment between two backgrounds, and groups, filters and blend modes need no
//! rules of their own. The plans are only changed in their numbers; their order stays.

use std::sync::Arc;

use crate::compose::scene::{Crop, Layer, Placement, Plan};
use crate::compose::transition::Easing;

/// Returns both plans with the shared items where they are at `part` (0…1) of the transition.
pub(in crate::compose) fn moved(
    (old, new): (&Arc<Plan>, &Arc<Plan>),
    part: f32,
    easing: Easing,
) -> (Arc<Plan>, Arc<Plan>) {
    let pairs = pairs(&old.layers, &new.layers);
    if pairs.is_empty() {
        return (Arc::clone(old), Arc::clone(new));
    }
    let part = easing.at(part);
    let (mut from, mut to) = (Plan::clone(old), Plan::clone(new));
    for (before, after) in pairs {
        let (Some(a), Some(b)) = (old.layers.get(before), new.layers.get(after)) else { continue };
        if let Some(layer) = from.layers.get_mut(before) {
            set_between(layer, (a, b), part);
        }
        if let Some(layer) = to.layers.get_mut(after) {
            set_between(layer, (a, b), part);
        }
    }
    (Arc::new(from), Arc::new(to))
}

/// Returns the layers of both scenes that show the same source, in the same depth of groups and
/// nested scenes. If a scene shows a source several times, the items pair up from the bottom.
fn pairs(old: &[Layer], new: &[Layer]) -> Vec<(usize, usize)> {
    let form = |layer: &Layer| (layer.source, layer.places.len(), layer.framed);
    let mut taken = vec![false; new.len()];
    let mut found = Vec::new();
    for (before, layer) in old.iter().enumerate() {
        let mut others = new.iter().zip(&mut taken).enumerate();
        if let Some((after, (_, taken))) =
            others.find(|(_, (other, taken))| !**taken && form(other) == form(layer))
        {
            *taken = true;
            found.push((before, after));
        }
    }
    found
}

/// Moves a layer between these two. How the frame fits its box, flips and the blend mode stay.
fn set_between(layer: &mut Layer, (a, b): (&Layer, &Layer), part: f32) {
    layer.opacity = (a.opacity + (b.opacity - a.opacity) * part).clamp(0.0, 1.0);
    let part = f64::from(part);
    for ((place, a), b) in layer.places.iter_mut().zip(&a.places).zip(&b.places) {
        set_place_between(place, (a, b), part);
    }
}

fn set_place_between(place: &mut Placement, (a, b): (&Placement, &Placement), part: f64) {
    let between = |a: f64, b: f64| a + (b - a) * part;
    place.x = between(a.x, b.x);
    place.y = between(a.y, b.y);
    // A movement that goes too far cannot make an item smaller than nothing.
    place.width = between(a.width, b.width).max(0.0);
    place.height = between(a.height, b.height).max(0.0);
    // The shorter way around.
    let turn = (b.rotation - a.rotation + 180.0).rem_euclid(360.0) - 180.0;
    place.rotation = (a.rotation + turn * part).rem_euclid(360.0);
    place.crop = Crop {
        left: between(a.crop.left, b.crop.left),
        top: between(a.crop.top, b.crop.top),
        right: between(a.crop.right, b.crop.right),
        bottom: between(a.crop.bottom, b.crop.bottom),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::{Fit, SourceId};

    fn layer(source: u32, x: f64, width: f64) -> Layer {
        let mut layer = Layer { source: SourceId(source), ..Layer::whole(source.into()) };
        layer.places = vec![Placement { x, width, ..Placement::default() }];
        layer
    }

    fn plan(layers: &[Layer]) -> Arc<Plan> {
        Arc::new(Plan { layers: layers.to_vec(), ..Plan::default() })
    }

    #[test]
    fn a_shared_item_is_at_one_place_in_both_scenes_and_starts_and_ends_at_its_own() {
        let (mut a, mut b) = (layer(1, 0.0, 1.0), layer(1, 0.5, 0.25));
        (a.opacity, b.opacity) = (1.0, 0.5);
        a.places[0].rotation = 350.0;
        b.places[0].rotation = 30.0;
        b.places[0].crop.left = 0.5;
        b.places[0].fit = Fit::Cover;
        let (old, new) = (plan(&[layer(2, 0.0, 1.0), a]), plan(&[b, layer(3, 0.0, 1.0)]));
        let at = |part| {
            let (from, to) = moved((&old, &new), part, Easing::Smooth);
            // Items of only one scene stay.
            assert_eq!((&from.layers[0], &to.layers[1]), (&old.layers[0], &new.layers[1]));
            let (from, to) = (from.layers[1].clone(), to.layers[0].clone());
            assert_eq!((from.places[0].x, from.opacity), (to.places[0].x, to.opacity), "{part}");
            assert_eq!((from.places[0].fit, to.places[0].fit), (Fit::Contain, Fit::Cover));
            let Placement { x, width, rotation, crop, .. } = to.places[0];
            (x, width, rotation, crop.left, to.opacity)
        };
        assert_eq!(at(0.0), (0.0, 1.0, 350.0, 0.0, 1.0));
        assert_eq!(at(0.5), (0.25, 0.625, 10.0, 0.25, 0.75));
        assert_eq!(at(1.0), (0.5, 0.25, 30.0, 0.5, 0.5));
        assert_eq!(at(7.0), at(1.0));
        // Slow at both ends.
        assert!(at(0.1).0 < 0.05 && at(0.9).0 > 0.45);
    }

    #[test]
    fn several_items_of_a_source_pair_up_and_other_depths_do_not() {
        let old = [layer(1, 0.0, 0.1), layer(1, 0.5, 0.1), layer(2, 0.0, 0.1)];
        let mut in_group = layer(2, 0.0, 0.1);
        in_group.places.insert(0, Placement::default());
        let new = [layer(1, 0.2, 0.1), in_group, layer(1, 0.7, 0.1), layer(1, 0.9, 0.1)];
        assert_eq!(pairs(&old, &new), [(0, 0), (1, 2)]);
        let nothing = plan(&[layer(9, 0.0, 1.0)]);
        let (from, to) = moved((&plan(&old), &nothing), 0.5, Easing::Smooth);
        assert!(from.layers == old && Arc::ptr_eq(&to, &nothing));
    }
}
