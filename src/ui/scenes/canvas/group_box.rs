//! The box of a group on the canvas: the area of its items, and not the whole canvas on which they
//! lie. A group that fills the program would otherwise cover everything below it, and its handles
//! would be far from what they change. The box has the group's rotation, so its handles work like
//! those of a source; what the user does to the box is then done to the group.

use crate::compose::layout::Affine;
use crate::compose::scene::{Crop, Fit, Item, Placement};
use crate::media::Size;
use crate::studio::Snapshot;
use crate::ui::scenes::draft::natural;
use crate::ui::scenes::placement;

/// Returns the placement of an item as the canvas shows it: for a group, the box around its items.
pub(in crate::ui::scenes) fn shown(snapshot: &Snapshot, item: &Item) -> Placement {
    GroupBox::of(snapshot, item).map_or(item.place, |it| it.outer())
}

/// Returns true if [`shown`] is the box around the items of a group.
pub(in crate::ui::scenes) fn is_around(snapshot: &Snapshot, item: &Item) -> bool {
    GroupBox::of(snapshot, item).is_some()
}

/// Returns the placement with which the canvas shows an item as `now`.
pub(in crate::ui::scenes) fn put(snapshot: &Snapshot, item: &Item, now: Placement) -> Placement {
    GroupBox::of(snapshot, item).map_or(now, |it| it.inner(now))
}

/// The area of a group's items on its canvas.
struct GroupBox {
    place: Placement,
    canvas: Size,
    /// The center and the size of the area, as fractions of the group's canvas.
    center: (f64, f64),
    size: (f64, f64),
}

impl GroupBox {
    /// Returns the box of a group; `None` for another item, for a group without visible items, and
    /// for a cropped one, whose crop is measured on its whole canvas.
    fn of(snapshot: &Snapshot, item: &Item) -> Option<Self> {
        let canvas = snapshot.quality.size;
        if !item.is_group() || item.place.crop != Crop::default() {
            return None;
        }
        let members = item.members().iter().filter(|member| !member.hidden);
        let edges = members.map(|member| {
            placement::edges(&shown(snapshot, member), natural(snapshot, member), canvas)
        });
        let [left, top, right, bottom] = edges.reduce(placement::joined)?;
        let (width, height) = (f64::from(canvas.width), f64::from(canvas.height));
        let size = ((right - left) / width, (bottom - top) / height);
        let center = ((left + right) / 2.0 / width, (top + bottom) / 2.0 / height);
        let is_real = size.0 > 1e-4 && size.1 > 1e-4;
        is_real.then_some(Self { place: item.place, canvas, center, size })
    }

    /// Returns the vector from the center of a group with this frame size to that of its area.
    fn offset(&self, place: &Placement, (width, height): (f64, f64)) -> (f64, f64) {
        let sign = |flipped: bool| if flipped { -1.0 } else { 1.0 };
        let across = (self.center.0 - 0.5) * width * sign(place.flip_x);
        let down = (self.center.1 - 0.5) * height * sign(place.flip_y);
        Affine::turn(place.rotation).apply(across, down)
    }

    /// Returns the placement of the box.
    fn outer(&self) -> Placement {
        let frame = placement::tight(&self.place, self.canvas, self.canvas);
        let [x, y, width, height] = placement::pixels(&frame, self.canvas);
        let (across, down) = self.offset(&self.place, (width, height));
        let middle = (x + width / 2.0 + across, y + height / 2.0 + down);
        let size = (width * self.size.0, height * self.size.1);
        self.around(middle, size, Placement { fit: Fit::Stretch, ..self.place })
    }

    /// Returns the placement of the group whose box is `now`.
    fn inner(&self, now: Placement) -> Placement {
        let [x, y, width, height] = placement::pixels(&now, self.canvas);
        let frame = (width / self.size.0, height / self.size.1);
        let (across, down) = self.offset(&now, frame);
        let middle = (x + width / 2.0 - across, y + height / 2.0 - down);
        let aspect = f64::from(self.canvas.width) / f64::from(self.canvas.height.max(1));
        let keeps_aspect = (frame.0 / frame.1.max(1e-9) / aspect - 1.0).abs() < 1e-3;
        let fit = if keeps_aspect { Fit::Contain } else { Fit::Stretch };
        self.around(middle, frame, Placement { fit, crop: self.place.crop, ..now })
    }

    fn around(&self, middle: (f64, f64), size: (f64, f64), place: Placement) -> Placement {
        let (cw, ch) = (f64::from(self.canvas.width), f64::from(self.canvas.height));
        Placement {
            x: (middle.0 - size.0 / 2.0) / cw,
            y: (middle.1 - size.1 / 2.0) / ch,
            width: size.0 / cw,
            height: size.1 / ch,
            ..place
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::{Content, ItemId, SceneId};

    fn member(id: u32, [x, y, width, height]: [f64; 4]) -> Item {
        let place = Placement { x, y, width, height, fit: Fit::Stretch, ..Placement::default() };
        Item { place, ..Item::new(ItemId(id), Content::Scene(SceneId(9))) }
    }

    fn near(one: Placement, other: Placement) -> bool {
        let numbers = |it: Placement| [it.x, it.y, it.width, it.height, it.rotation];
        numbers(one).into_iter().zip(numbers(other)).all(|(one, other)| (one - other).abs() < 1e-6)
    }

    #[test]
    fn the_box_of_a_group_is_the_union_of_its_visible_items() {
        let snapshot = Snapshot::default();
        let mut hidden = member(4, [0.0, 0.0, 1.0, 1.0]);
        hidden.hidden = true;
        let members =
            vec![member(2, [0.1, 0.2, 0.2, 0.2]), member(3, [0.4, 0.3, 0.2, 0.3]), hidden];
        let mut group = Item::new(ItemId(1), Content::Group(members));
        let want = Placement { x: 0.1, y: 0.2, width: 0.5, height: 0.4, ..Placement::default() };
        assert!(near(shown(&snapshot, &group), want));
        // The group is half as large, in the lower right quarter.
        group.place = Placement { x: 0.5, y: 0.5, width: 0.5, height: 0.5, ..group.place };
        let want = Placement { x: 0.55, y: 0.6, width: 0.25, height: 0.2, ..want };
        assert!(near(shown(&snapshot, &group), want));
        let empty = Item::new(ItemId(5), Content::Group(Vec::new()));
        assert!(!is_around(&snapshot, &empty) && shown(&snapshot, &empty) == empty.place);
    }

    #[test]
    fn what_is_done_to_the_box_is_done_to_the_group() {
        let snapshot = Snapshot::default();
        let members = vec![member(2, [0.1, 0.2, 0.2, 0.2]), member(3, [0.4, 0.3, 0.2, 0.3])];
        let mut group = Item::new(ItemId(1), Content::Group(members));
        for place in [
            Placement::default(),
            Placement { rotation: 30.0, x: 0.2, ..Placement::default() },
            Placement { flip_x: true, rotation: 200.0, width: 0.5, ..Placement::default() },
        ] {
            group.place = Placement { fit: Fit::Stretch, ..place };
            let frame = shown(&snapshot, &group);
            assert!(near(put(&snapshot, &group, frame), group.place), "{place:?}");
            let moved = Placement { x: frame.x + 0.1, width: frame.width * 2.0, ..frame };
            group.place = put(&snapshot, &group, moved);
            assert!(near(shown(&snapshot, &group), moved), "{place:?}");
        }
    }
}
