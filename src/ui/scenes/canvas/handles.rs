//! The handles of selected items on the frame: their positions, hit tests, and drawing.

use egui::{Color32, Pos2, Rect, Shape, Stroke, Ui, Vec2, pos2};

use crate::compose::layout::{self, Affine};
use crate::compose::scene::{Fit, Item, Placement};
use crate::media::Size;
use crate::ui::scenes::canvas::group_box;
use crate::ui::scenes::draft::natural;
use crate::ui::scenes::placement;
use crate::ui::scenes::placement::Grip;
use crate::ui::view::View;

/// Maximum distance between the pointer and a handle at which the pointer touches the handle, in
/// points.
const HANDLE_HIT_RADIUS_POINTS: f32 = 9.0;
/// Minimum length of a side with a handle that crops, in points.
const MIN_CROP_SIDE_POINTS: f32 = 96.0;
const CROP_HANDLE_LENGTH_POINTS: f32 = 16.0;
/// Distance of the rotation handle from the box, in points.
const ROTATION_HANDLE_OFFSET_POINTS: f32 = 26.0;
/// Size of the part of a handle that is beyond its center, in points.
pub const HANDLE_MARGIN_POINTS: f32 = 6.0;

/// Converts program pixels to points of the window and back. Within a group, the program pixels are
/// those of the group's own canvas, which has the size of the program.
#[derive(Copy, Clone, Debug)]
pub struct Frame {
    pub rect: Rect,
    /// The visible area, outside which nothing is drawn.
    pub room: Rect,
    pub canvas: Size,
    /// The map from program pixels to points of the window.
    map: Affine,
    back: Affine,
}

impl Frame {
    /// Returns the frame of a program of this size in `rect`, or `None` if `rect` has no area.
    pub fn new(rect: Rect, room: Rect, canvas: Size) -> Option<Self> {
        let scale = f64::from(rect.width()) / f64::from(canvas.width).max(1.0);
        let map =
            Affine::shift(rect.min.x.into(), rect.min.y.into()).after(Affine::scale(scale, scale));
        Some(Self { rect, room, canvas, map, back: map.inverse()? })
    }

    /// Returns the frame of the canvas of a group with this placement, or `None` if it has no area.
    pub fn within(self, group: &Placement) -> Option<Self> {
        let map = self.map.after(layout::group(group, self.canvas));
        Some(Self { map, back: map.inverse()?, ..self })
    }

    /// Returns the number of window points per program pixel.
    pub fn scale(self) -> f64 {
        (self.map.xx * self.map.yy - self.map.xy * self.map.yx).abs().sqrt()
    }

    pub fn to_window(self, (x, y): (f64, f64)) -> Pos2 {
        let (x, y) = self.map.apply(x, y);
        pos2(x as f32, y as f32)
    }

    pub fn to_program(self, at: Pos2) -> (f64, f64) {
        self.back.apply(at.x.into(), at.y.into())
    }
}

/// Returns the handles of a tight placement, in the window. The rotation handle is above the box, or
/// else below or in it, wherever it is visible.
pub fn handles(frame: Frame, place: &Placement) -> Vec<(Grip, Pos2)> {
    let plain = Placement {
        flip_x: false,
        flip_y: false,
        fit: Fit::Stretch,
        crop: Default::default(),
        ..*place
    };
    let [a, b, c, d] =
        placement::corners(&plain, frame.canvas, frame.canvas).map(|it| frame.to_window(it));
    let between = |a: Pos2, b: Pos2| a + (b - a) / 2.0;
    let (top, bottom) = (between(a, b), between(d, c));
    let up = (top - bottom).normalized() * ROTATION_HANDLE_OFFSET_POINTS;
    let is_visible = |at: &Pos2| frame.room.shrink(HANDLE_MARGIN_POINTS).contains(*at);
    let turn = [top + up, bottom - up, top - up].into_iter().find(is_visible);
    vec![
        (Grip::Turn, turn.unwrap_or(top + up)),
        (Grip::Side(-1, -1), a),
        (Grip::Side(1, -1), b),
        (Grip::Side(1, 1), c),
        (Grip::Side(-1, 1), d),
        (Grip::Side(0, -1), top),
        (Grip::Side(1, 0), between(b, c)),
        (Grip::Side(0, 1), bottom),
        (Grip::Side(-1, 0), between(a, d)),
    ]
}

/// Returns the handles that crop, which are on the sides, beside the handles that resize. Short sides have none. Window
/// managers take a drag with Alt, so there is another way.
fn crop_handles(handles: &[(Grip, Pos2)]) -> impl Iterator<Item = (Grip, Pos2)> {
    let sides = [(0, -1, -1, -1), (1, 0, 1, -1), (0, 1, 1, 1), (-1, 0, -1, 1)];
    sides.into_iter().filter_map(|(x, y, corner_x, corner_y)| {
        let (middle, corner) =
            (at(handles, Grip::Side(x, y))?, at(handles, Grip::Side(corner_x, corner_y))?);
        let is_long = middle.distance(corner) >= MIN_CROP_SIDE_POINTS / 2.0;
        is_long.then(|| (Grip::Crop(x, y), middle + (corner - middle) / 2.0))
    })
}

/// Returns the handle at this point of the window. With `crop`, the handles of the sides crop.
pub fn grip_at(frame: Frame, place: &Placement, at: Pos2, crop: bool) -> Option<Grip> {
    let near = |(_, handle): &(Grip, Pos2)| handle.distance(at) <= HANDLE_HIT_RADIUS_POINTS;
    let handles = handles(frame, place);
    let found = handles.iter().copied().find(near);
    let (grip, _) = found.or_else(|| crop_handles(&handles).find(near))?;
    Some(match grip {
        Grip::Side(x, y) if crop => Grip::Crop(x, y),
        grip => grip,
    })
}

pub fn cursor(grip: Grip) -> egui::CursorIcon {
    match grip {
        Grip::Whole => egui::CursorIcon::Move,
        Grip::Turn => egui::CursorIcon::Grab,
        Grip::Side(0, _) | Grip::Crop(0, _) => egui::CursorIcon::ResizeVertical,
        Grip::Side(_, 0) | Grip::Crop(_, 0) => egui::CursorIcon::ResizeHorizontal,
        Grip::Side(x, y) | Grip::Crop(x, y) if x == y => egui::CursorIcon::ResizeNwSe,
        Grip::Side(..) | Grip::Crop(..) => egui::CursorIcon::ResizeNeSw,
    }
}

/// Draws an outline around an item, with handles if the item is `alone`.
pub fn outline(ui: &Ui, view: &View<'_>, frame: Frame, item: &Item, alone: bool) {
    let size = natural(view.snapshot, item);
    let place = group_box::shown(view.snapshot, item);
    let place = placement::tight(&place, size, frame.canvas);
    let handles = handles(frame, &place);
    box_of(ui, view, frame, &handles);
    if item.locked || !alone {
        return;
    }
    let painter = ui.painter().with_clip_rect(frame.room);
    let accent = view.theme.accent;
    let side = |down| at(&handles, Grip::Side(0, down));
    if let (Some(turn), Some(top), Some(bottom)) = (at(&handles, Grip::Turn), side(-1), side(1)) {
        let is_below = bottom.distance(turn) < top.distance(turn);
        let foot = if is_below { bottom } else { top };
        painter.line_segment([foot, turn], Stroke::new(1.5, accent));
        painter.circle(turn, 5.0, Color32::WHITE, Stroke::new(1.5, accent));
    }
    squares(ui, view, frame, &handles);
    for (grip, middle) in crop_handles(&handles) {
        let Grip::Crop(x, y) = grip else { continue };
        let Some(side) = at(&handles, Grip::Side(x, y)) else { continue };
        let along = (side - middle).normalized() * CROP_HANDLE_LENGTH_POINTS / 2.0;
        let bar = [middle - along, middle + along];
        painter.line_segment(bar, Stroke::new(7.0, Color32::from_black_alpha(140)));
        painter.line_segment(bar, Stroke::new(4.0, accent));
    }
}

fn at(handles: &[(Grip, Pos2)], wanted: Grip) -> Option<Pos2> {
    handles.iter().find(|(grip, _)| *grip == wanted).map(|(_, at)| *at)
}

/// Draws the lines between the corners of a box.
pub fn box_of(ui: &Ui, view: &View<'_>, frame: Frame, handles: &[(Grip, Pos2)]) {
    let corners = [(-1, -1), (1, -1), (1, 1), (-1, 1)];
    let corners = corners.into_iter().filter_map(|(x, y)| at(handles, Grip::Side(x, y)));
    let corners: Vec<Pos2> = corners.collect();
    let painter = ui.painter().with_clip_rect(frame.room);
    // A dark line under the light line makes the outline visible on any frame.
    painter
        .add(Shape::closed_line(corners.clone(), Stroke::new(3.0, Color32::from_black_alpha(140))));
    painter.add(Shape::closed_line(corners, Stroke::new(1.5, view.theme.accent)));
}

/// Draws the handles at corners and sides.
pub fn squares(ui: &Ui, view: &View<'_>, frame: Frame, handles: &[(Grip, Pos2)]) {
    let painter = ui.painter().with_clip_rect(frame.room);
    for (grip, at) in handles {
        if matches!(grip, Grip::Side(..)) {
            let square = Rect::from_center_size(pos2(at.x, at.y), Vec2::splat(8.0));
            let stroke = Stroke::new(1.5, view.theme.accent);
            painter.rect(square, 1.0, Color32::WHITE, stroke, egui::StrokeKind::Middle);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sides_have_handles_that_crop_and_short_ones_do_not() {
        let rect = Rect::from_min_size(pos2(100.0, 50.0), Vec2::new(640.0, 360.0));
        let size = Size::new(1280, 720);
        let frame = Frame::new(rect, rect.expand(HANDLE_MARGIN_POINTS), size).unwrap();
        let place = Placement::default();
        for (at, grip) in [
            (pos2(260.0, 50.0), Grip::Crop(0, -1)),
            (pos2(740.0, 140.0), Grip::Crop(1, 0)),
            (pos2(580.0, 410.0), Grip::Crop(0, 1)),
            (pos2(100.0, 320.0), Grip::Crop(-1, 0)),
            (pos2(420.0, 50.0), Grip::Side(0, -1)),
        ] {
            assert_eq!(grip_at(frame, &place, at, false), Some(grip), "{at:?}");
        }
        let small = Placement { width: 0.1, height: 0.1, ..place };
        assert_eq!(crop_handles(&handles(frame, &small)).count(), 0);
    }

    #[test]
    fn the_rotation_handle_is_visible() {
        let rect = Rect::from_min_size(pos2(100.0, 50.0), Vec2::new(640.0, 360.0));
        let size = Size::new(1280, 720);
        let frame = Frame::new(rect, rect.expand(HANDLE_MARGIN_POINTS), size).unwrap();
        // The top edge, the height, and the distance of the handle from the top of the frame.
        for (y, height, down) in [(0.25, 0.5, 64.0), (0.0, 0.5, 206.0), (0.0, 1.0, 26.0)] {
            let place = Placement { y, height, ..Placement::default() };
            let handles = handles(frame, &place);
            let turn = at(&handles, Grip::Turn).unwrap();
            assert!((turn - rect.center_top() - Vec2::new(0.0, down)).length() < 0.1, "{turn:?}");
            assert_eq!(grip_at(frame, &place, turn, false), Some(Grip::Turn));
        }
    }
}
