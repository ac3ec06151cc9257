//! Computes moves, resizes, rotations and crops of a placement by its handles. The module is pure
//! arithmetic in program pixels.

use crate::compose::layout::{Affine, map};
use crate::compose::scene::{Fit, Placement};
use crate::media::Size;

/// Minimum side length after a drag, in program pixels.
const MIN_SIDE: f64 = 8.0;

/// The dragged part of an item.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Grip {
    Whole,
    /// A corner or edge. Each number is −1, 0 or 1, for the horizontal and the vertical direction.
    Side(i8, i8),
    /// A corner or edge that crops the frame.
    Crop(i8, i8),
    Turn,
}

/// Returns the corners of a placed frame in program pixels: upper left, upper right, lower right,
/// lower left of the frame before rotation and flipping.
pub fn corners(place: &Placement, natural: Size, canvas: Size) -> [(f64, f64); 4] {
    let size = (f64::from(natural.width), f64::from(natural.height));
    let (map, _) = map(place, size, canvas);
    [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map(|(x, y)| map.apply(x, y))
}

/// Returns true if a point of the program is on the placed frame.
pub fn contains(place: &Placement, natural: Size, canvas: Size, point: (f64, f64)) -> bool {
    let size = (f64::from(natural.width), f64::from(natural.height));
    let Some(back) = map(place, size, canvas).0.inverse() else { return false };
    let (x, y) = back.apply(point.0, point.1);
    (0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)
}

/// Returns the same placement with a box that is exactly the placed frame.
pub fn tight(place: &Placement, natural: Size, canvas: Size) -> Placement {
    let unturned = Placement { rotation: 0.0, flip_x: false, flip_y: false, ..*place };
    let [from, _, to, _] = corners(&unturned, natural, canvas);
    boxed(place, from, (to.0 - from.0, to.1 - from.1), canvas)
}

/// Returns the placement with another box, in program pixels.
fn boxed(place: &Placement, from: (f64, f64), size: (f64, f64), canvas: Size) -> Placement {
    let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
    let fit = if place.fit == Fit::Original { Fit::Contain } else { place.fit };
    Placement {
        x: from.0 / cw,
        y: from.1 / ch,
        width: size.0 / cw,
        height: size.1 / ch,
        fit,
        ..*place
    }
}

/// Returns the left and top coordinates, the width and the height, in program pixels.
pub fn pixels(place: &Placement, canvas: Size) -> [f64; 4] {
    let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
    [place.x * cw, place.y * ch, place.width * cw, place.height * ch]
}

/// Returns the placement after a move by this number of program pixels.
pub fn moved(place: &Placement, by: (f64, f64), canvas: Size) -> Placement {
    Placement {
        x: place.x + by.0 / f64::from(canvas.width),
        y: place.y + by.1 / f64::from(canvas.height),
        ..*place
    }
}

/// Returns the placement whose frame, before its rotation, has this left and top coordinate, width
/// and height, in program pixels. If only one side of a frame changes that keeps its aspect ratio,
/// the other side follows.
pub fn framed(
    place: &Placement,
    natural: Size,
    canvas: Size,
    [left, top, mut width, mut height]: [f64; 4],
) -> Placement {
    let frame = tight(place, natural, canvas);
    let [x, y, old_width, old_height] = pixels(&frame, canvas);
    let differs = |new: f64, old: f64| new.to_bits() != old.to_bits();
    match (differs(width, old_width), differs(height, old_height)) {
        (false, false) => return moved(place, (left - x, top - y), canvas),
        (true, false) if frame.fit == Fit::Contain && old_width > 0.0 => {
            height *= width / old_width;
        }
        (false, true) if frame.fit == Fit::Contain && old_height > 0.0 => {
            width *= height / old_height;
        }
        _ => {}
    }
    boxed(&frame, (left, top), (width, height), canvas)
}

/// Returns the placement after a drag of one part between the two given points. `start` must be the
/// result of [`tight`]. With `free`, a corner does not keep the aspect ratio, and the rotation
/// snaps to multiples of 15°.
pub fn dragged(
    start: &Placement,
    grip: Grip,
    (from, to): ((f64, f64), (f64, f64)),
    canvas: Size,
    free: bool,
) -> Placement {
    let by = (to.0 - from.0, to.1 - from.1);
    let [x, y, width, height] = pixels(start, canvas);
    let middle = (x + width / 2.0, y + height / 2.0);
    let turn = Affine::turn(start.rotation);
    // This is the movement along the axes of the placement.
    let own = Affine::turn(-start.rotation).apply(by.0, by.1);
    match grip {
        Grip::Whole => moved(start, by, canvas),
        Grip::Turn => {
            // The handle may be on either side of the center.
            let direction = |at: (f64, f64)| (at.0 - middle.0).atan2(middle.1 - at.1).to_degrees();
            let angle = (start.rotation + direction(to) - direction(from)).rem_euclid(360.0);
            let nearest = (angle / 90.0).round() * 90.0;
            let angle = if free {
                (angle / 15.0).round() * 15.0
            } else if (angle - nearest).abs() < 3.0 {
                nearest
            } else {
                angle
            };
            Placement { rotation: angle.rem_euclid(360.0), ..*start }
        }
        Grip::Side(across, down) => {
            let (sx, sy) = (f64::from(across), f64::from(down));
            let mut size =
                ((width + own.0 * sx).max(MIN_SIDE), (height + own.1 * sy).max(MIN_SIDE));
            let mut place = *start;
            if across != 0 && down != 0 && !free {
                let scale = (size.0 / width).max(size.1 / height);
                size = (width * scale, height * scale);
            } else {
                place.fit = if start.fit == Fit::Cover { Fit::Cover } else { Fit::Stretch };
            }
            let shift = turn.apply((size.0 - width) * sx / 2.0, (size.1 - height) * sy / 2.0);
            let middle = (middle.0 + shift.0, middle.1 + shift.1);
            boxed(&place, (middle.0 - size.0 / 2.0, middle.1 - size.1 / 2.0), size, canvas)
        }
        Grip::Crop(across, down) => {
            let crop = start.crop;
            let whole = (
                width / (1.0 - crop.left - crop.right).max(0.01),
                height / (1.0 - crop.top - crop.bottom).max(0.01),
            );
            // This is the inward movement of the dragged edge, as a fraction of the whole frame.
            let (sx, sy) = (f64::from(across), f64::from(down));
            let (inwards_x, inwards_y) = (-own.0 * sx / whole.0, -own.1 * sy / whole.1);
            let mut cut = crop;
            // In a flipped frame, the left side is on the right.
            match if start.flip_x { -across } else { across } {
                -1 => cut.left += inwards_x,
                1 => cut.right += inwards_x,
                _ => {}
            }
            match if start.flip_y { -down } else { down } {
                -1 => cut.top += inwards_y,
                1 => cut.bottom += inwards_y,
                _ => {}
            }
            let cut = cut.bounded();
            let size =
                (whole.0 * (1.0 - cut.left - cut.right), whole.1 * (1.0 - cut.top - cut.bottom));
            // The opposite edge stays in place.
            let shift = turn.apply((size.0 - width) * sx / 2.0, (size.1 - height) * sy / 2.0);
            let middle = (middle.0 + shift.0, middle.1 + shift.1);
            let place = Placement { crop: cut, ..*start };
            boxed(&place, (middle.0 - size.0 / 2.0, middle.1 - size.1 / 2.0), size, canvas)
        }
    }
}

/// Returns a placement with these edges: left, top, right, bottom, in program pixels.
pub fn around([left, top, right, bottom]: [f64; 4], canvas: Size) -> Placement {
    boxed(&Placement::default(), (left, top), (right - left, bottom - top), canvas)
}

/// Moves a side or corner of the common frame of several tight placements by this number of program
/// pixels. The placements scale and move with the frame. A corner keeps the aspect ratios unless
/// `free` is true. A rotated placement uses only the movement along its own sides.
pub fn resized(
    all: &[Placement],
    [left, top, right, bottom]: [f64; 4],
    (across, down): (i8, i8),
    by: (f64, f64),
    canvas: Size,
    free: bool,
) -> Vec<Placement> {
    let grown = |side: i8, length: f64, by: f64| {
        let length = length.max(MIN_SIDE);
        if side == 0 { 1.0 } else { (length + by * f64::from(side)).max(MIN_SIDE) / length }
    };
    let mut scale = (grown(across, right - left, by.0), grown(down, bottom - top, by.1));
    if across != 0 && down != 0 && !free {
        let larger = scale.0.max(scale.1);
        scale = (larger, larger);
    }
    // The opposite side stays in place.
    let still = (if across < 0 { right } else { left }, if down < 0 { bottom } else { top });
    let one = |place: &Placement| {
        let [x, y, width, height] = pixels(place, canvas);
        let (sin, cos) = place.rotation.to_radians().sin_cos();
        let own =
            (cos * cos * scale.0 + sin * sin * scale.1, sin * sin * scale.0 + cos * cos * scale.1);
        let size = ((width * own.0).max(1.0), (height * own.1).max(1.0));
        let middle = (
            still.0 + (x + width / 2.0 - still.0) * scale.0,
            still.1 + (y + height / 2.0 - still.1) * scale.1,
        );
        let fit = match place.fit {
            Fit::Cover => Fit::Cover,
            _ if scale.0 != scale.1 => Fit::Stretch,
            fit => fit,
        };
        let place = Placement { fit, ..*place };
        boxed(&place, (middle.0 - size.0 / 2.0, middle.1 - size.1 / 2.0), size, canvas)
    };
    all.iter().map(one).collect()
}

/// The line on which items are aligned.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum AlignTo {
    Left,
    Center,
    Right,
    Top,
    Middle,
    Bottom,
}

/// Returns the edges of a rotated frame: left, top, right, bottom.
pub fn edges(place: &Placement, natural: Size, canvas: Size) -> [f64; 4] {
    let corners = corners(place, natural, canvas);
    let low = |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::INFINITY, f64::min);
    let high =
        |pick: fn(&(f64, f64)) -> f64| corners.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
    [low(|it| it.0), low(|it| it.1), high(|it| it.0), high(|it| it.1)]
}

/// Returns the edges of the box that encloses both boxes.
pub fn joined([a, b, c, d]: [f64; 4], [e, f, g, h]: [f64; 4]) -> [f64; 4] {
    [a.min(e), b.min(f), c.max(g), d.max(h)]
}

/// Aligns several placements with each other, or a single one with the program.
pub fn aligned(all: &[(Placement, Size)], line: AlignTo, canvas: Size) -> Vec<Placement> {
    let edges_of = |(place, natural): &(Placement, Size)| edges(place, *natural, canvas);
    let frame = match all {
        [_] => [0.0, 0.0, f64::from(canvas.width), f64::from(canvas.height)],
        all => all.iter().map(edges_of).reduce(joined).unwrap_or_default(),
    };
    let [left, top, right, bottom] = frame;
    let moved_one = |one: &(Placement, Size)| {
        let [l, t, r, b] = edges_of(one);
        let by = match line {
            AlignTo::Left => (left - l, 0.0),
            AlignTo::Center => ((left + right - l - r) / 2.0, 0.0),
            AlignTo::Right => (right - r, 0.0),
            AlignTo::Top => (0.0, top - t),
            AlignTo::Middle => (0.0, (top + bottom - t - b) / 2.0),
            AlignTo::Bottom => (0.0, bottom - b),
        };
        moved(&one.0, by, canvas)
    };
    all.iter().map(moved_one).collect()
}

/// Snaps a placement: moves it so that an edge or its center is on a line within `near` pixels. The
/// lines are the edges and centers of the program and of the other items, whose edges are given.
/// Also returns the line that was used in each direction, if any.
pub fn snapped(
    place: &Placement,
    natural: Size,
    canvas: Size,
    others: &[[f64; 4]],
    near: f64,
) -> (Placement, Option<f64>, Option<f64>) {
    let [left, top, right, bottom] = edges(place, natural, canvas);
    let snap = |low: f64, high: f64, length: f64, sides: fn(&[f64; 4]) -> (f64, f64)| {
        let middle = f64::midpoint(low, high);
        let program = [(low, 0.0), (high, length), (middle, length / 2.0)];
        let beside = others.iter().map(sides).flat_map(|(from, to)| {
            let centre = f64::midpoint(from, to);
            [(low, from), (low, to), (high, from), (high, to), (middle, centre)]
        });
        let best = program
            .into_iter()
            .chain(beside)
            .min_by(|a, b| (a.0 - a.1).abs().total_cmp(&(b.0 - b.1).abs()));
        best.filter(|(is, line)| (is - line).abs() <= near).map(|(is, line)| (line - is, line))
    };
    let across = snap(left, right, f64::from(canvas.width), |[left, _, right, _]| (*left, *right));
    let down = snap(top, bottom, f64::from(canvas.height), |[_, top, _, bottom]| (*top, *bottom));
    let by = (across.map_or(0.0, |it| it.0), down.map_or(0.0, |it| it.0));
    (moved(place, by, canvas), across.map(|it| it.1), down.map(|it| it.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE_720P: Size = Size::new(1280, 720);

    fn quarter() -> Placement {
        Placement { x: 0.25, y: 0.25, width: 0.5, height: 0.5, ..Placement::default() }
    }

    fn near(place: &Placement, want: [f64; 4]) -> bool {
        pixels(place, SIZE_720P).iter().zip(want).all(|(have, want)| (have - want).abs() < 1e-6)
    }

    #[test]
    fn a_tight_box_is_the_frame() {
        let place = tight(&quarter(), Size::new(480, 480), SIZE_720P);
        assert!(near(&place, [460.0, 180.0, 360.0, 360.0]), "{place:?}");
    }

    #[test]
    fn numbers_set_the_frame_that_the_canvas_shows() {
        // The frame fills the height of its box.
        let natural = Size::new(480, 480);
        let start = pixels(&tight(&quarter(), natural, SIZE_720P), SIZE_720P);
        assert_eq!(start, [460.0, 180.0, 360.0, 360.0]);
        let set = |frame: [f64; 4]| framed(&quarter(), natural, SIZE_720P, frame);
        assert_eq!(set(start), quarter());
        let shown = |place: &Placement, want| near(&tight(place, natural, SIZE_720P), want);
        // A move leaves the box of the frame as it is.
        let right = set([524.0, 180.0, 360.0, 360.0]);
        assert!(near(&right, [384.0, 180.0, 640.0, 360.0]), "{right:?}");
        assert!(shown(&right, [524.0, 180.0, 360.0, 360.0]));
        for frame in [[460.0, 180.0, 180.0, 360.0], [460.0, 180.0, 360.0, 180.0]] {
            assert!(shown(&set(frame), [460.0, 180.0, 180.0, 180.0]), "{frame:?}");
        }
        // The height of this frame is less than a pixel.
        let flat = Size::new(1_000, 1);
        let [x, y, width, height] = pixels(&tight(&quarter(), flat, SIZE_720P), SIZE_720P);
        assert!(height < 1.0);
        let higher = framed(&quarter(), flat, SIZE_720P, [x, y, width, height * 2.0]);
        assert!(near(&higher, [x, y, width * 2.0, height * 2.0]), "{higher:?}");
        let stretched = Placement { fit: Fit::Stretch, ..quarter() };
        let wide = framed(&stretched, natural, SIZE_720P, [320.0, 180.0, 100.0, 360.0]);
        assert!(near(&wide, [320.0, 180.0, 100.0, 360.0]), "{wide:?}");
    }

    #[test]
    fn corners_keep_the_shape_and_edges_do_not() {
        let start = quarter();
        let to = |x, y| ((0.0, 0.0), (x, y));
        let corner = dragged(&start, Grip::Side(1, 1), to(64.0, 0.0), SIZE_720P, false);
        assert!(near(&corner, [320.0, 180.0, 704.0, 396.0]), "{corner:?}");
        let edge = dragged(&start, Grip::Side(-1, 0), to(40.0, 99.0), SIZE_720P, false);
        assert!(near(&edge, [360.0, 180.0, 600.0, 360.0]) && edge.fit == Fit::Stretch);
        let tiny = dragged(&start, Grip::Side(1, 0), to(-9_000.0, 0.0), SIZE_720P, false);
        assert!(near(&tiny, [320.0, 180.0, MIN_SIDE, 360.0]));
    }

    #[test]
    fn a_turned_box_keeps_its_opposite_corner() {
        let start = Placement { rotation: 30.0, ..quarter() };
        let grown = dragged(&start, Grip::Side(1, 1), ((0.0, 0.0), (50.0, 70.0)), SIZE_720P, true);
        let before = corners(&Placement { fit: Fit::Stretch, ..start }, SIZE_720P, SIZE_720P)[0];
        let after = corners(&grown, SIZE_720P, SIZE_720P)[0];
        assert!((before.0 - after.0).hypot(before.1 - after.1) < 1e-6);
    }

    #[test]
    fn cropping_moves_one_edge_and_leaves_the_rest_where_it_is() {
        let cut =
            dragged(&quarter(), Grip::Crop(-1, 0), ((0.0, 0.0), (64.0, 0.0)), SIZE_720P, false);
        assert!(near(&cut, [384.0, 180.0, 576.0, 360.0]), "{cut:?}");
        assert!((cut.crop.left - 0.1).abs() < 1e-9 && cut.crop.right == 0.0);
        let back = dragged(&cut, Grip::Crop(-1, 0), ((0.0, 0.0), (-64.0, 0.0)), SIZE_720P, false);
        assert!(near(&back, [320.0, 180.0, 640.0, 360.0]) && back.crop.left.abs() < 1e-9);
        let flipped = Placement { flip_x: true, ..quarter() };
        let cut = dragged(&flipped, Grip::Crop(-1, 0), ((0.0, 0.0), (64.0, 0.0)), SIZE_720P, false);
        assert!((cut.crop.right - 0.1).abs() < 1e-9 && cut.crop.left == 0.0, "{cut:?}");
        assert!(near(&cut, [384.0, 180.0, 576.0, 360.0]));
    }

    #[test]
    fn moving_snaps_to_edges_and_the_middle() {
        let place = moved(&quarter(), (5.0, -177.0), SIZE_720P);
        let (place, across, down) = snapped(&place, SIZE_720P, SIZE_720P, &[], 8.0);
        assert!(near(&place, [320.0, 0.0, 640.0, 360.0]), "{place:?}");
        assert_eq!((across, down), (Some(640.0), Some(0.0)));
        let beside = moved(&quarter(), (50.0, 0.0), SIZE_720P);
        let (_, across, _) = snapped(&beside, SIZE_720P, SIZE_720P, &[], 8.0);
        assert_eq!(across, None);
        // Some of the lines are an edge of the first item, and the center of the second one.
        let others = [[100.0, 5.0, 365.0, 95.0], [0.0, 600.0, 30.0, 690.0]];
        let (place, across, down) = snapped(&beside, SIZE_720P, SIZE_720P, &others, 8.0);
        assert!(near(&place, [365.0, 180.0, 640.0, 360.0]), "{place:?}");
        assert_eq!((across, down), (Some(365.0), Some(360.0)));
        let low = moved(&quarter(), (99.0, 289.0), SIZE_720P);
        let (_, _, down) = snapped(&low, SIZE_720P, SIZE_720P, &others, 8.0);
        assert_eq!(down, Some(645.0));
    }

    #[test]
    fn several_are_aligned_with_each_other_and_one_with_the_program() {
        let small = Placement { x: 0.5, y: 0.5, width: 0.25, height: 0.25, ..Placement::default() };
        let both = [(quarter(), SIZE_720P), (small, SIZE_720P)];
        let line = |line| aligned(&both, line, SIZE_720P);
        assert!(near(&line(AlignTo::Left)[1], [320.0, 360.0, 320.0, 180.0]));
        assert!(near(&line(AlignTo::Center)[1], [480.0, 360.0, 320.0, 180.0]));
        assert!(near(&line(AlignTo::Right)[1], [640.0, 360.0, 320.0, 180.0]));
        assert!(near(&line(AlignTo::Top)[1], [640.0, 180.0, 320.0, 180.0]));
        assert!(near(&line(AlignTo::Middle)[1], [640.0, 270.0, 320.0, 180.0]));
        assert!(near(&line(AlignTo::Bottom)[0], [320.0, 180.0, 640.0, 360.0]));
        assert!(near(
            &aligned(&[(small, SIZE_720P)], AlignTo::Right, SIZE_720P)[0],
            [960.0, 360.0, 320.0, 180.0]
        ));
        assert!(aligned(&[], AlignTo::Left, SIZE_720P).is_empty());
        // A rotated item snaps by its visible bounds.
        let turned = Placement { rotation: 90.0, ..quarter() };
        let [left, ..] = edges(
            &aligned(&[(turned, SIZE_720P)], AlignTo::Left, SIZE_720P)[0],
            SIZE_720P,
            SIZE_720P,
        );
        assert!(left.abs() < 1e-6);
    }

    #[test]
    fn several_grow_with_the_frame_around_them() {
        // The first item fills the frame, and the other item is its lower right quarter.
        let other = Placement { x: 0.5, y: 0.5, width: 0.25, height: 0.25, ..Placement::default() };
        let all = [quarter(), other];
        let frame = [320.0, 180.0, 960.0, 540.0];
        let drag = |side, by, free| resized(&all, frame, side, by, SIZE_720P, free);
        let corner = drag((1, 1), (320.0, 0.0), false);
        assert!(near(&corner[0], [320.0, 180.0, 960.0, 540.0]), "{corner:?}");
        assert!(near(&corner[1], [800.0, 450.0, 480.0, 270.0]) && corner[1].fit == other.fit);
        // The right edge of the frame stays in place, and its left edge moves.
        let left = drag((-1, 0), (320.0, 77.0), false);
        assert!(near(&left[0], [640.0, 180.0, 320.0, 360.0]) && left[0].fit == Fit::Stretch);
        assert!(near(&left[1], [800.0, 360.0, 160.0, 180.0]));
        let free = drag((1, 1), (640.0, 0.0), true);
        assert!(near(&free[0], [320.0, 180.0, 1_280.0, 360.0]));
        assert!(drag((1, 1), (-9e9, -9e9), false).iter().all(|it| it.width > 0.0));
        // A placement that is rotated by 90° grows along its height.
        let turned = Placement { rotation: 90.0, ..other };
        let wide = resized(&[turned], frame, (1, 0), (640.0, 0.0), SIZE_720P, false)[0];
        let [_, _, width, height] = pixels(&wide, SIZE_720P);
        assert!((width - 320.0).abs() < 1e-6 && (height - 360.0).abs() < 1e-6, "{wide:?}");
        assert_eq!(pixels(&around(frame, SIZE_720P), SIZE_720P), [320.0, 180.0, 640.0, 360.0]);
    }

    #[test]
    fn turning_follows_the_pointer() {
        let turn_from = |from, to| dragged(&quarter(), Grip::Turn, (from, to), SIZE_720P, false);
        let turn = |x, y| turn_from((640.0, 100.0), (x, y)).rotation;
        assert_eq!(turn(640.0, 0.0), 0.0);
        // A handle below the box.
        assert_eq!(turn_from((640.0, 700.0), (640.0, 720.0)).rotation, 0.0);
        assert_eq!(turn_from((640.0, 700.0), (300.0, 360.0)).rotation, 90.0);
        assert_eq!(turn(1_000.0, 362.0), 90.0, "near enough");
        assert!((turn(840.0, 160.0) - 45.0).abs() < 1e-6);
        assert!(contains(&quarter(), SIZE_720P, SIZE_720P, (640.0, 360.0)));
        assert!(!contains(&quarter(), SIZE_720P, SIZE_720P, (100.0, 360.0)));
    }
}
