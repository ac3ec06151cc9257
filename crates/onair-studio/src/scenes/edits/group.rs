//! Groups items, and moves items into groups and out of them.

use super::{place_in, ungroup};
use crate::compose::layout;
use crate::compose::scene::{Content, Item, ItemId, Placement};
use crate::media::Size;
use crate::studio::scenes::Collection;

/// Maximum difference at which two lengths of a placement count as equal.
const LENGTH_TOLERANCE: f64 = 1e-6;

/// A move of an item into a group of its scene, or out of all groups. The item looks the same
/// afterwards on a program of this size, if its own placement can express that. Otherwise, it keeps
/// its placement.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MovedInto {
    pub item: ItemId,
    /// The group; `None` for the scene itself.
    pub group: Option<ItemId>,
    /// The position among the new siblings, counted from the bottom.
    pub to: usize,
    pub canvas: Size,
}

impl Collection {
    /// Groups items of one list. The group has a separate canvas of the program's size, so no item
    /// moves.
    pub(super) fn group(&mut self, ids: &[ItemId]) -> Option<()> {
        let next = self.next_item();
        let (list, _) = self.place_of(*ids.first()?)?;
        let top = list.iter().rposition(|item| ids.contains(&item.id))?;
        let below = list.iter().take(top).filter(|item| ids.contains(&item.id)).count();
        let (members, mut rest): (Vec<_>, Vec<_>) =
            std::mem::take(list).into_iter().partition(|item| ids.contains(&item.id));
        rest.insert(top - below, Item::new(next, Content::Group(members)));
        *list = rest;
        Some(())
    }

    pub(super) fn move_into(&mut self, moved: MovedInto) -> Option<()> {
        let MovedInto { item: id, group, to, canvas } = moved;
        let scene = self.scenes.iter_mut().find(|scene| path_to(&scene.items, id).is_some())?;
        let from = path_to(&scene.items, id)?;
        let mut into = Vec::new();
        if let Some(group) = group {
            into = path_to(&scene.items, group)?;
            into.push(group);
        }
        // A group cannot contain itself.
        if into.contains(&id) {
            return None;
        }
        let common = from.iter().zip(&into).take_while(|(one, other)| one == other).count();
        let (list, index) = place_in(&mut scene.items, id)?;
        let mut item = list.remove(index);
        let mut item_of = |id: ItemId| {
            let (list, index) = place_in(&mut scene.items, id)?;
            list.get(index).cloned()
        };
        for left in from.iter().skip(common).rev() {
            let locked = item.locked;
            item = ungroup::lift(&item_of(*left)?, &item, canvas).unwrap_or(item);
            item.locked = locked;
        }
        for entered in into.iter().skip(common) {
            let entered = item_of(*entered)?;
            item.place = sunk(&entered.place, &item, canvas).unwrap_or(item.place);
        }
        let list = match group {
            None => &mut scene.items,
            Some(group) => {
                let (list, index) = place_in(&mut scene.items, group)?;
                let Content::Group(members) = &mut list.get_mut(index)?.content else {
                    return None;
                };
                members
            }
        };
        list.insert(to.min(list.len()), item);
        Some(())
    }
}

/// Returns the groups that contain an item, the outermost first; `None` if there is no such item.
fn path_to(items: &[Item], id: ItemId) -> Option<Vec<ItemId>> {
    items.iter().find_map(|item| {
        if item.id == id {
            return Some(Vec::new());
        }
        let mut path = path_to(item.members(), id)?;
        path.insert(0, item.id);
        Some(path)
    })
}

/// Returns the placement with which an item looks the same as a member of a sibling group; `None`
/// if no placement can express that.
fn sunk(group: &Placement, item: &Item, canvas: Size) -> Option<Placement> {
    let (group, own) = (group.bounded(), item.place.bounded());
    let upright = Placement { rotation: 0.0, flip_x: false, flip_y: false, ..group };
    let layout::Affine { xx: across, yy: down, .. } = layout::group(&upright, canvas);
    // A group that is mirrored in only one direction rotates its members in the opposite direction.
    let turned = own.rotation - group.rotation;
    let rotation = if group.flip_x == group.flip_y { turned } else { -turned };
    let lies = ((rotation / 90.0).round() as i64).rem_euclid(2) == 1;
    let (sx, sy) = if lies { (down, across) } else { (across, down) };
    let (width, height) = (own.width / sx, own.height / sy);
    let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
    let middle = ((own.x + own.width / 2.0) * cw, (own.y + own.height / 2.0) * ch);
    let (x, y) = layout::group(&group, canvas).inverse()?.apply(middle.0, middle.1);
    let inner = Placement {
        x: x / cw - width / 2.0,
        y: y / ch - height / 2.0,
        width,
        height,
        rotation,
        flip_x: own.flip_x != group.flip_x,
        flip_y: own.flip_y != group.flip_y,
        ..own
    }
    .bounded();
    let member = Item { place: inner, ..item.clone() };
    let again = ungroup::place(&group, &member, canvas).ok()?;
    is_same(&again, &own).then_some(inner)
}

fn is_same(one: &Placement, other: &Placement) -> bool {
    let lengths = |it: &Placement| [it.x, it.y, it.width, it.height];
    let near = |(one, other): (f64, f64)| (one - other).abs() < LENGTH_TOLERANCE;
    let turned = (one.rotation - other.rotation).rem_euclid(360.0);
    let unmoved = Placement {
        x: other.x,
        y: other.y,
        width: other.width,
        height: other.height,
        rotation: other.rotation,
        ..*one
    };
    lengths(one).into_iter().zip(lengths(other)).all(near)
        && turned.min(360.0 - turned) < LENGTH_TOLERANCE
        && unmoved == *other
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::scene::{Crop, Fit, MAX_DEPTH};
    use crate::studio::scenes::edits::{Edit, EditRefusal};

    const CANVAS_SIZE: Size = Size::new(1280, 720);

    /// Creates a scene with a group of two sources below a third source. Also returns the ids of
    /// the group, its members and the third source.
    fn with_group(place: Placement) -> (Collection, [ItemId; 4]) {
        let mut it = Collection::default();
        let scene = it.current;
        for name in ["One", "Two"] {
            let choice = VideoChoice::Test;
            assert!(it.apply(&Edit::AddSource { scene, name: name.into(), choice }));
        }
        let ids: Vec<ItemId> = it.scenes[0].items.iter().map(|item| item.id).collect();
        let [a, b, c] = ids[..] else { panic!("{ids:?}") };
        assert!(it.apply(&Edit::Group(vec![a, b])));
        let group = it.scenes[0].items[0].id;
        it.apply(&Edit::SetPlace(group, place));
        (it, [group, a, b, c])
    }

    fn moved(item: ItemId, group: Option<ItemId>, to: usize) -> Edit {
        Edit::MoveInto(MovedInto { item, group, to, canvas: CANVAS_SIZE })
    }

    #[test]
    fn an_item_goes_into_a_group_and_out_again_to_its_position() {
        let (mut it, [group, a, b, c]) = with_group(Placement::default());
        let before = it.clone();
        let members = |it: &Collection| {
            it.item(group).unwrap().members().iter().map(|it| it.id).collect::<Vec<_>>()
        };
        assert_eq!(it.attempt(&moved(c, Some(group), 1)), Ok(true));
        assert_eq!((members(&it), it.scenes[0].items.len()), (vec![a, c, b], 1));
        assert_eq!(it.attempt(&moved(c, None, 99)), Ok(true));
        assert_eq!(it, before);
        assert_eq!(it.attempt(&moved(a, None, 0)), Ok(true));
        assert_eq!((members(&it), it.scenes[0].items[0].id), (vec![b], a));
        // An empty group remains, and takes items again.
        assert_eq!(it.attempt(&moved(b, None, 0)), Ok(true));
        assert_eq!(it.attempt(&moved(c, Some(group), 0)), Ok(true));
        assert_eq!(members(&it), [c]);
    }

    #[test]
    fn impossible_moves_change_nothing() {
        let (mut it, [group, a, ..]) = with_group(Placement::default());
        let before = it.clone();
        for edit in [
            moved(group, Some(group), 0),
            moved(a, Some(ItemId(999)), 0),
            moved(ItemId(999), Some(group), 0),
            // The target is not a group.
            moved(group, Some(a), 0),
        ] {
            assert_eq!(it.attempt(&edit), Ok(false), "{edit:?}");
            assert_eq!(it, before, "{edit:?}");
        }
        // Neither does a move that nests groups too deeply.
        let mut deepest = group;
        for _ in 0..MAX_DEPTH - 2 {
            assert!(it.apply(&Edit::Group(vec![deepest])));
            deepest = it.scenes[0].items[0].id;
        }
        let pair = {
            assert!(it.apply(&moved(a, None, 0)));
            assert!(it.apply(&Edit::Group(vec![a])));
            it.scenes[0].items[0].id
        };
        let before = it.clone();
        assert_eq!(it.attempt(&moved(pair, Some(group), 0)), Err(EditRefusal::TooDeep));
        assert_eq!(it, before);
    }

    #[test]
    fn what_moves_into_a_group_looks_the_same() {
        let half = Placement { x: 0.1, y: 0.2, width: 0.5, height: 0.5, ..Placement::default() };
        let own = Placement { x: 0.3, y: 0.1, width: 0.2, height: 0.4, ..Placement::default() };
        for group_place in [
            half,
            Placement { rotation: 90.0, ..half },
            Placement { rotation: 33.0, ..half },
            Placement { flip_x: true, rotation: 20.0, ..half },
            Placement { flip_x: true, flip_y: true, ..half },
        ] {
            for place in [own, Placement { rotation: 45.0, flip_y: true, ..own }] {
                let (mut it, [group, .., c]) = with_group(group_place);
                it.apply(&Edit::SetPlace(c, place));
                assert!(it.apply(&moved(c, Some(group), 0)));
                let inside = it.item(c).unwrap().clone();
                let seen = ungroup::place(&group_place, &inside, CANVAS_SIZE).unwrap();
                assert!(is_same(&seen, &place.bounded()), "{seen:?} {place:?} {group_place:?}");
                assert!(!is_same(&inside.place, &place), "its own placement is another one");
            }
        }
        // A cropped group cannot show it as before, so the item keeps its placement.
        let crop = Crop { left: 0.5, ..Crop::default() };
        for group_place in [
            Placement { crop, ..half },
            Placement { width: 0.9, fit: Fit::Stretch, rotation: 10.0, ..half },
        ] {
            let (mut it, [group, .., c]) = with_group(group_place);
            it.apply(&Edit::SetPlace(c, own));
            assert!(it.apply(&moved(c, Some(group), 0)));
            assert_eq!(it.item(c).unwrap().place, own.bounded());
        }
    }
}
