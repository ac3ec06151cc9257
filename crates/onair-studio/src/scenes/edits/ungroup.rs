//! Ungroups items: each member gets the group's transform, so that the image stays the same.

use super::{EditRefusal, place_in};
use crate::compose::layout;
use crate::compose::scene::{Blend, Content, Fit, Item, ItemId, Placement};
use crate::media::Size;
use crate::studio::scenes::Collection;

/// Maximum difference at which two scales count as equal.
const SCALE_TOLERANCE: f64 = 1e-6;

impl Collection {
    pub(super) fn ungroup(&mut self, id: ItemId, canvas: Size) -> Option<()> {
        let members = self.lifted(id, canvas).ok()?;
        let (list, index) = self.scenes.iter_mut().find_map(|it| place_in(&mut it.items, id))?;
        list.splice(index..=index, members);
        Some(())
    }

    /// Returns the members of a group as siblings of the group.
    ///
    /// # Errors
    /// Fails with the reason why an existing group cannot be ungrouped.
    pub(super) fn lifted(
        &self,
        id: ItemId,
        canvas: Size,
    ) -> Result<Vec<Item>, Option<EditRefusal>> {
        let group = self.item(id).ok_or(None)?;
        let Content::Group(members) = &group.content else { return Err(None) };
        members.iter().map(|member| lift(group, member, canvas).map_err(Some)).collect()
    }
}

/// Converts a member to a sibling of its group. The group's opacity and blend mode then apply to
/// each member, which looks slightly different where members overlap.
pub fn lift(group: &Item, member: &Item, canvas: Size) -> Result<Item, EditRefusal> {
    let opacity = |item: &Item| if item.opacity.is_finite() { item.opacity } else { 1.0 };
    let blend = if member.blend == Blend::Normal { group.blend } else { member.blend };
    Ok(Item {
        place: place(&group.place, member, canvas)?,
        opacity: opacity(group).clamp(0.0, 1.0) * opacity(member).clamp(0.0, 1.0),
        blend,
        hidden: group.hidden || member.hidden,
        locked: group.locked || member.locked,
        ..member.clone()
    })
}

/// Returns the placement of a member as a sibling of its group.
pub fn place(group: &Placement, member: &Item, canvas: Size) -> Result<Placement, EditRefusal> {
    let group = group.bounded();
    if group == Placement::default() {
        return Ok(member.place);
    }
    if layout::is_cut(&group, canvas) {
        return Err(EditRefusal::Cut);
    }
    let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
    let upright = Placement { rotation: 0.0, flip_x: false, flip_y: false, ..group };
    let layout::Affine { xx: across, yy: down, .. } = layout::group(&upright, canvas);
    let mut own = member.place.bounded();
    let even = (across / down - 1.0).abs() < SCALE_TOLERANCE;
    let known = !matches!(member.content, Content::Source(_));
    if known && (!even || own.fit == Fit::Original) && own.fit != Fit::Cover {
        // The content has the size of the program, so its box is known.
        let plain = Placement { rotation: 0.0, flip_x: false, flip_y: false, ..own };
        let map = layout::map(&plain, (cw, ch), canvas).0;
        let ((left, top), (right, bottom)) = (map.apply(0.0, 0.0), map.apply(1.0, 1.0));
        (own.x, own.y) = (left / cw, top / ch);
        (own.width, own.height) = ((right - left) / cw, (bottom - top) / ch);
        own.fit = Fit::Stretch;
    }
    let quarters = own.rotation / 90.0;
    let is_quarter = (quarters - quarters.round()).abs() < SCALE_TOLERANCE;
    if !even && (!is_quarter || own.fit != Fit::Stretch) {
        return Err(EditRefusal::Stretched);
    }
    let scaled = (across - 1.0).abs() > SCALE_TOLERANCE || (down - 1.0).abs() > SCALE_TOLERANCE;
    if scaled && own.fit == Fit::Original {
        return Err(EditRefusal::Scaled);
    }
    let lies = is_quarter && (quarters.round() as i64).rem_euclid(2) == 1;
    let (sx, sy) = if lies { (down, across) } else { (across, down) };
    let (width, height) = (own.width * sx, own.height * sy);
    let middle = ((own.x + own.width / 2.0) * cw, (own.y + own.height / 2.0) * ch);
    let (x, y) = layout::group(&group, canvas).apply(middle.0, middle.1);
    // A group that is mirrored in only one direction rotates its members in the opposite direction.
    let turned = if group.flip_x == group.flip_y { own.rotation } else { -own.rotation };
    let place = Placement {
        x: x / cw - width / 2.0,
        y: y / ch - height / 2.0,
        width,
        height,
        rotation: group.rotation + turned,
        flip_x: own.flip_x != group.flip_x,
        flip_y: own.flip_y != group.flip_y,
        ..own
    };
    Ok(place.bounded())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::VideoChoice;
    use crate::compose::layout::{FramePlacement, Shape, spot};
    use crate::compose::scene::Crop;
    use crate::studio::scenes::edits::Edit;

    const CANVAS_SIZE: Size = Size::new(1280, 720);
    const CAMERA_SIZE: Size = Size::new(640, 480);

    /// Creates a group of the main video source and two other sources with these placements. Also
    /// returns the id of the group.
    fn grouped(places: [Placement; 3], group: Placement) -> (Collection, ItemId) {
        let mut it = Collection::default();
        let scene = it.current;
        for name in ["One", "Two"] {
            let choice = VideoChoice::Test;
            assert!(it.apply(&Edit::AddSource { scene, name: name.into(), choice }));
        }
        let ids: Vec<ItemId> = it.scenes[0].items.iter().map(|item| item.id).collect();
        for (id, place) in ids.iter().zip(places) {
            it.apply(&Edit::SetPlace(*id, place));
        }
        assert!(it.apply(&Edit::Group(ids)));
        let id = it.scenes[0].items[0].id;
        it.apply(&Edit::SetPlace(id, group));
        (it, id)
    }

    /// Returns the spot and opacity of each drawn layer.
    fn drawn(it: &Collection) -> Vec<(FramePlacement, f32)> {
        let plan = it.plan(it.current);
        let strength = |index: usize| -> f32 {
            let around = plan.together.iter().filter(|all| all.layers.contains(&index));
            around.map(|all| all.opacity).product()
        };
        let layers = plan.layers.iter().enumerate();
        let seen = layers.filter_map(|(index, layer)| {
            let spot = spot(&layer.places, layer.framed, CAMERA_SIZE, CANVAS_SIZE)?;
            Some((spot, layer.opacity * strength(index)))
        });
        seen.collect()
    }

    fn alike((a, strength): &(FramePlacement, f32), (b, other): &(FramePlacement, f32)) -> bool {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        let shapes = match (a.shape, b.shape) {
            (Shape::Free { map: a, bounds }, Shape::Free { map: b, bounds: other }) => {
                let points = [(0.0, 0.0), (100.0, 0.0), (0.0, 100.0)];
                let pairs = points.map(|(x, y)| (a.apply(x, y), b.apply(x, y)));
                bounds == other && pairs.iter().all(|(a, b)| near(a.0, b.0) && near(a.1, b.1))
            }
            (a, b) => a == b,
        };
        let cuts = near(a.cut.left, b.cut.left)
            && near(a.cut.top, b.cut.top)
            && near(a.cut.width, b.cut.width)
            && near(a.cut.height, b.cut.height);
        shapes && cuts && a.scaled == b.scaled && (strength - other).abs() < 1e-6
    }

    fn members() -> [Placement; 3] {
        let small = Placement { x: 0.5, y: 0.1, width: 0.3, height: 0.4, ..Placement::default() };
        [
            Placement { x: 0.1, y: 0.5, width: 0.25, height: 0.3, fit: Fit::Stretch, ..small },
            Placement { rotation: 90.0, flip_x: true, fit: Fit::Cover, ..small },
            Placement { x: 0.6, y: 0.6, rotation: 20.0, ..small },
        ]
    }

    #[test]
    fn what_was_in_a_group_looks_the_same_beside_it() {
        let plain = Placement::default();
        let small = Placement { x: 0.25, y: 0.125, width: 0.5, height: 0.5, ..plain };
        for group in [
            plain,
            Placement { x: 0.25, y: -0.125, ..plain },
            small,
            Placement { width: 0.75, ..small },
            Placement { rotation: 90.0, ..small },
            Placement { rotation: 33.0, ..small },
            Placement { rotation: 33.0, flip_x: true, ..small },
            Placement { flip_y: true, ..small },
            Placement { rotation: 200.0, flip_x: true, flip_y: true, ..small },
        ] {
            let (mut it, id) = grouped(members(), group);
            assert!(it.apply(&Edit::SetOpacity(id, 0.5)));
            let before = drawn(&it);
            assert_eq!(it.attempt(&Edit::Ungroup(id, CANVAS_SIZE)), Ok(true), "{group:?}");
            let after = drawn(&it);
            assert_eq!((before.len(), after.len(), it.scenes[0].items.len()), (3, 3, 3));
            for (before, after) in before.iter().zip(&after) {
                assert!(alike(before, after), "{group:?}: {before:?}, {after:?}");
            }
        }
        // In a stretched group, members that are stretched or rotated by quarter turns keep their
        // appearance.
        let wide =
            Placement { width: 0.9, fit: Fit::Stretch, flip_x: true, rotation: 15.0, ..small };
        let [first, ..] = members();
        let lying = Placement { rotation: 270.0, ..first };
        let (mut it, id) = grouped([first, lying, Placement { flip_y: true, ..first }], wide);
        let before = drawn(&it);
        assert_eq!(it.attempt(&Edit::Ungroup(id, CANVAS_SIZE)), Ok(true));
        assert!(before.iter().zip(&drawn(&it)).all(|(a, b)| alike(a, b)));
    }

    #[test]
    fn hidden_locked_and_mixed_groups_leave_members_that_are() {
        let (mut it, id) = grouped(members(), Placement::default());
        assert!(it.apply(&Edit::SetBlend(id, Blend::Screen)));
        assert!(it.apply(&Edit::HideItem(id, true)) && it.apply(&Edit::LockItem(id, true)));
        assert!(drawn(&it).is_empty());
        assert!(it.apply(&Edit::Ungroup(id, CANVAS_SIZE)));
        assert!(drawn(&it).is_empty(), "nothing appears");
        let items = &it.scenes[0].items;
        assert!(items.iter().all(|it| it.hidden && it.locked && it.blend == Blend::Screen));
    }

    #[test]
    fn groups_within_come_along_and_what_cannot_stay_as_it_is_is_refused() {
        let small =
            Placement { x: 0.25, y: 0.125, width: 0.5, height: 0.5, ..Placement::default() };
        let wide = Placement { width: 0.9, fit: Fit::Stretch, ..small };
        // A nested group has the size of the program, so its box is known.
        let (mut it, id) = grouped(members(), small);
        assert!(it.apply(&Edit::Group(vec![id])));
        let outer = it.scenes[0].items[0].id;
        assert!(it.apply(&Edit::SetPlace(outer, wide)));
        let before = drawn(&it);
        assert_eq!(it.attempt(&Edit::Ungroup(outer, CANVAS_SIZE)), Ok(true));
        assert!(before.iter().zip(&drawn(&it)).all(|(a, b)| alike(a, b)));
        let refused = |group: Placement, member: Placement| {
            let (mut it, id) = grouped([member; 3], group);
            let before = it.clone();
            let why = it.attempt(&Edit::Ungroup(id, CANVAS_SIZE));
            assert!(it == before && !it.takes(&Edit::Ungroup(id, CANVAS_SIZE)));
            why
        };
        let crop = Crop { left: 0.1, ..Crop::default() };
        assert_eq!(refused(Placement { crop, ..small }, small), Err(EditRefusal::Cut));
        let cover = Placement { width: 0.9, fit: Fit::Cover, ..small };
        assert_eq!(refused(cover, small), Err(EditRefusal::Cut));
        assert_eq!(refused(wide, small), Err(EditRefusal::Stretched));
        let turned = Placement { rotation: 20.0, fit: Fit::Stretch, ..small };
        assert_eq!(refused(wide, turned), Err(EditRefusal::Stretched));
        let original = Placement { fit: Fit::Original, ..small };
        assert_eq!(refused(small, original), Err(EditRefusal::Scaled));
        assert_eq!(it.attempt(&Edit::Ungroup(ItemId(999), CANVAS_SIZE)), Ok(false));
    }
}
