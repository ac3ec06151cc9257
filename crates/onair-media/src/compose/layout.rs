//! The position of a frame in the program. This module converts an item's placement, the frame's
//! size and the program's size to a crop and an affine map. The module is pure. Upright frames are
//! aligned to even pixels, so that luma and chroma match. Rotated frames can be at any position.
//!
//! Long because each rule of the geometry stands beside its cases.

use crate::compose::scene::{Fit, Placement};
use crate::media::Size;

/// Maximum side length in pixels to which a frame is scaled before its rotation.
const MAX_ROTATED_SIDE: f64 = 4_096.0;
/// Maximum distance or size in pixels: 2⁴⁰.
const MAX_COORDINATE_PIXELS: f64 = 1_099_511_627_776.0;

/// An affine map: `x' = xx·x + xy·y + tx`, `y' = yx·x + yy·y + ty`.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Affine {
    pub xx: f64,
    pub xy: f64,
    pub tx: f64,
    pub yx: f64,
    pub yy: f64,
    pub ty: f64,
}

impl Affine {
    /// The transformation that changes nothing.
    pub const NONE: Self = Self::scale(1.0, 1.0);

    /// Scales around the origin.
    pub const fn scale(x: f64, y: f64) -> Self {
        Self { xx: x, xy: 0.0, tx: 0.0, yx: 0.0, yy: y, ty: 0.0 }
    }

    /// Moves by a distance.
    pub const fn shift(x: f64, y: f64) -> Self {
        Self { xx: 1.0, xy: 0.0, tx: x, yx: 0.0, yy: 1.0, ty: y }
    }

    /// Rotates clockwise around the origin (y points down), exactly at quarter turns.
    pub fn turn(degrees: f64) -> Self {
        let quarters = degrees.rem_euclid(360.0) / 90.0;
        let (sin, cos) = match quarters {
            0.0 => (0.0, 1.0),
            1.0 => (1.0, 0.0),
            2.0 => (0.0, -1.0),
            3.0 => (-1.0, 0.0),
            _ => degrees.to_radians().sin_cos(),
        };
        Self { xx: cos, xy: -sin, tx: 0.0, yx: sin, yy: cos, ty: 0.0 }
    }

    /// Returns this map applied after `first`.
    pub fn after(self, first: Self) -> Self {
        Self {
            xx: self.xx * first.xx + self.xy * first.yx,
            xy: self.xx * first.xy + self.xy * first.yy,
            tx: self.xx * first.tx + self.xy * first.ty + self.tx,
            yx: self.yx * first.xx + self.yy * first.yx,
            yy: self.yx * first.xy + self.yy * first.yy,
            ty: self.yx * first.tx + self.yy * first.ty + self.ty,
        }
    }

    /// Applies the transformation to a point.
    pub fn apply(self, x: f64, y: f64) -> (f64, f64) {
        (self.xx * x + self.xy * y + self.tx, self.yx * x + self.yy * y + self.ty)
    }

    /// Returns the inverse, or `None` for a singular map.
    pub fn inverse(self) -> Option<Self> {
        let determinant = self.xx * self.yy - self.xy * self.yx;
        if !determinant.is_finite() || determinant.abs() < 1e-9 {
            return None;
        }
        let (xx, xy) = (self.yy / determinant, -self.xy / determinant);
        let (yx, yy) = (-self.yx / determinant, self.xx / determinant);
        let tx = -(xx * self.tx + xy * self.ty);
        let ty = -(yx * self.tx + yy * self.ty);
        Some(Self { xx, xy, tx, yx, yy, ty })
    }
}

/// A rectangle of program pixels, whose four numbers are even.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Rect {
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
}

impl Rect {
    fn right(self) -> i64 {
        self.x + self.width
    }

    fn bottom(self) -> i64 {
        self.y + self.height
    }

    /// Returns the rectangle of the whole program.
    pub fn whole(size: Size) -> Self {
        Self { x: 0, y: 0, width: size.width.into(), height: size.height.into() }
    }

    /// Returns the intersection of both rectangles.
    pub fn common(self, other: Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let width = self.right().min(other.right()) - x;
        let height = self.bottom().min(other.bottom()) - y;
        (width >= 2 && height >= 2).then_some(Self { x, y, width, height })
    }

    /// Returns the smallest rectangle that contains both.
    pub fn around(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let width = self.right().max(other.right()) - x;
        let height = self.bottom().max(other.bottom()) - y;
        Self { x, y, width, height }
    }

    /// Returns true if the rectangle contains `other`.
    pub fn covers(self, other: Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && self.right() >= other.right()
            && self.bottom() >= other.bottom()
    }

    /// Returns the size in pixels.
    pub fn size(self) -> Size {
        let side = |side: i64| u32::try_from(side).unwrap_or(0);
        Size::new(side(self.width), side(self.height))
    }
}

/// A part of a frame, in luma pixels.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Cut {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

impl Cut {
    /// Returns the rectangle of the whole frame.
    pub fn whole(size: Size) -> Self {
        Self { left: 0.0, top: 0.0, width: size.width.into(), height: size.height.into() }
    }

    /// Returns the corresponding part of the chroma planes.
    pub fn half(self) -> Self {
        let Self { left, top, width, height } = self;
        Self { left: left / 2.0, top: top / 2.0, width: width / 2.0, height: height / 2.0 }
    }

    /// Returns true if the part has this size.
    pub fn is_of(self, size: Size) -> bool {
        (self.width - f64::from(size.width)).abs() < 1e-6
            && (self.height - f64::from(size.height)).abs() < 1e-6
    }

    /// Returns true if the part is the whole frame of this size.
    pub fn is_whole(self, size: Size) -> bool {
        self.left.abs() < 1e-6 && self.top.abs() < 1e-6 && self.is_of(size)
    }
}

/// The rotation and mirroring of an upright frame. First the axes are swapped, and then the sides
/// are mirrored.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub struct Orientation {
    /// Swaps rows and columns.
    pub swap: bool,
    /// The result is mirrored horizontally, after the swap.
    pub flip_x: bool,
    /// The result is mirrored vertically, after the swap.
    pub flip_y: bool,
}

impl Orientation {
    /// The transformation that changes nothing.
    pub const NONE: Self = Self { swap: false, flip_x: false, flip_y: false };
}

/// The area that the scaled crop fills.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Shape {
    /// Aligned with the program's axes, with a rectangle inside the program.
    Upright { rect: Rect, turn: Orientation },
    /// Rotated. `map` goes from pixels of the scaled crop to program pixels, and `bounds` is inside
    /// the program.
    Free { map: Affine, bounds: Rect },
}

/// The placement of a frame in the program.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct FramePlacement {
    /// The visible part of the frame.
    pub cut: Cut,
    /// The size of that part before rotation.
    pub scaled: Size,
    pub shape: Shape,
}

/// Returns two values for a frame in its box: the map from the unit square of the cropped frame to
/// program pixels, and the crop as left, top, width and height in fractions of the frame.
pub fn map(place: &Placement, natural: (f64, f64), canvas: Size) -> (Affine, [f64; 4]) {
    let (cw, ch) = (f64::from(canvas.width), f64::from(canvas.height));
    let (width, height) = (place.width * cw, place.height * ch);
    let crop = place.crop.bounded();
    let mut part =
        [crop.left, crop.top, 1.0 - crop.left - crop.right, 1.0 - crop.top - crop.bottom];
    let (pw, ph) = ((natural.0 * part[2]).max(1.0), (natural.1 * part[3]).max(1.0));
    let (fw, fh) = match place.fit {
        Fit::Stretch => (width, height),
        Fit::Original => (pw, ph),
        Fit::Contain => {
            let scale = (width / pw).min(height / ph);
            (pw * scale, ph * scale)
        }
        Fit::Cover => {
            let scale = (width / pw).max(height / ph);
            let (seen_x, seen_y) = (width / (pw * scale), height / (ph * scale));
            part[0] += part[2] * (1.0 - seen_x) / 2.0;
            part[1] += part[3] * (1.0 - seen_y) / 2.0;
            part[2] *= seen_x;
            part[3] *= seen_y;
            (width, height)
        }
    };
    let sign = |flip: bool| if flip { -1.0 } else { 1.0 };
    let middle = Affine::shift(place.x * cw + width / 2.0, place.y * ch + height / 2.0);
    let map = middle
        .after(Affine::turn(place.rotation))
        .after(Affine::scale(fw * sign(place.flip_x), fh * sign(place.flip_y)))
        .after(Affine::shift(-0.5, -0.5));
    (map, part)
}

/// Returns the placement of a frame of size `source` through `places` (the outermost group first).
/// `framed` says which of `places` are nested scenes, as in
/// [`Layer`](crate::compose::scene::Layer). Returns `None` if the frame is invisible.
pub fn spot(
    places: &[Placement],
    framed: u16,
    source: Size,
    canvas: Size,
) -> Option<FramePlacement> {
    spot_scaled(places, framed, source, canvas, canvas)
}

/// Works like [`spot`], on a canvas that shows a program of another size, enlarged or reduced.
pub fn spot_scaled(
    places: &[Placement],
    framed: u16,
    source: Size,
    canvas: Size,
    program: Size,
) -> Option<FramePlacement> {
    let (own, groups) = places.split_last()?;
    let (outer, seen) = through(groups, framed, canvas)?;
    let (sw, sh) = (f64::from(source.width), f64::from(source.height));
    let natural = match own.fit {
        Fit::Original => (
            sw * f64::from(canvas.width) / f64::from(program.width.max(1)),
            sh * f64::from(canvas.height) / f64::from(program.height.max(1)),
        ),
        Fit::Contain | Fit::Cover | Fit::Stretch => (sw, sh),
    };
    let (inner, part) = map(own, natural, canvas);
    let map = outer.after(inner);
    let cut =
        Cut { left: part[0] * sw, top: part[1] * sh, width: part[2] * sw, height: part[3] * sh };
    if is_upright(map) { upright(map, cut, seen) } else { free(map, cut, seen) }
}

/// Returns the displayed size of a whole frame of size `source` through `places`; `None` means the
/// frame's own size, or that the frame is invisible.
pub fn displayed(places: &[Placement], framed: u16, source: Size, canvas: Size) -> Option<Size> {
    let (own, groups) = places.split_last()?;
    if own.fit == Fit::Original {
        return None;
    }
    let (outer, _) = through(groups, framed, canvas)?;
    let (inner, part) = map(own, (f64::from(source.width), f64::from(source.height)), canvas);
    let map = outer.after(inner);
    let side = |length: f64, part: f64| {
        (length / part).round().clamp(1.0, f64::from(Size::MAX_SIDE)) as u32
    };
    Some(Size::new(side(map.xx.hypot(map.yx), part[2]), side(map.xy.hypot(map.yy), part[3])))
}

fn is_upright(map: Affine) -> bool {
    let flat = 1e-3;
    map.xy.abs() < flat && map.yx.abs() < flat || map.xx.abs() < flat && map.yy.abs() < flat
}

/// Returns the map from the innermost group's canvas to the program, and the visible part of the
/// program. A scene clips to the program's size, and a group clips its cropped parts. For an
/// arbitrary rotation, the visible part is the bounding rectangle.
fn through(groups: &[Placement], framed: u16, canvas: Size) -> Option<(Affine, Rect)> {
    let mut outer = Affine::NONE;
    let mut seen = Rect::whole(canvas);
    for (index, place) in groups.iter().enumerate() {
        let (own, part) = canvas_map(place, canvas);
        if (framed >> index) & 1 == 1 || cuts(part) {
            let map = outer.after(own);
            let own = if is_upright(map) { upright_box(map).0 } else { around(map) };
            seen = seen.common(own)?;
        }
        outer = outer.after(from_pixels(own, part, canvas));
    }
    Some((outer, seen))
}

/// Returns the [`map`] of a group's canvas, which has the program's size.
fn canvas_map(place: &Placement, canvas: Size) -> (Affine, [f64; 4]) {
    map(place, (f64::from(canvas.width), f64::from(canvas.height)), canvas)
}

/// Converts a map from [`map`] to a map from the pixels of the canvas.
fn from_pixels(map: Affine, [left, top, width, height]: [f64; 4], canvas: Size) -> Affine {
    map.after(Affine::scale(1.0 / width, 1.0 / height))
        .after(Affine::shift(-left, -top))
        .after(Affine::scale(1.0 / f64::from(canvas.width), 1.0 / f64::from(canvas.height)))
}

fn cuts(part: [f64; 4]) -> bool {
    part.into_iter().zip([0.0, 0.0, 1.0, 1.0]).any(|(is, whole)| (is - whole).abs() > 1e-9)
}

/// Returns the map from the pixels of a group's own canvas to the pixels of the surrounding canvas.
pub fn group(place: &Placement, canvas: Size) -> Affine {
    let (map, part) = canvas_map(place, canvas);
    from_pixels(map, part, canvas)
}

/// Returns true if part of a group's canvas is cropped.
pub fn is_cut(place: &Placement, canvas: Size) -> bool {
    cuts(canvas_map(place, canvas).1)
}

/// Limits a coordinate, because nested groups can enlarge each other without limit, and the
/// coordinates are later added as integers.
fn bounded(coordinate: f64) -> f64 {
    coordinate.clamp(-MAX_COORDINATE_PIXELS, MAX_COORDINATE_PIXELS)
}

/// Returns the rectangle of an upright frame, and its rotation.
fn upright_box(map: Affine) -> (Rect, Orientation) {
    let swap = map.xx.abs() < map.xy.abs();
    let (across, down) = if swap { (map.xy, map.yx) } else { (map.xx, map.yy) };
    let turn = Orientation { swap, flip_x: across < 0.0, flip_y: down < 0.0 };
    // A frame of the program's size keeps that size despite rounding errors.
    let even = |length: f64| ((length.abs() + 1e-6) / 2.0).floor().max(1.0) * 2.0;
    let reach = |start: f64, across: f64| {
        let length = even(across);
        let low = ((start + across / 2.0 - length / 2.0 + 1e-6) / 2.0).floor() * 2.0;
        let (low, high) = (bounded(low) as i64, bounded(low + length) as i64);
        (low, high - low)
    };
    let ((x, width), (y, height)) = (reach(map.tx, across), reach(map.ty, down));
    (Rect { x, y, width, height }, turn)
}

/// Returns the rectangle around a rotated frame.
fn around(map: Affine) -> Rect {
    let corners =
        [map.apply(0.0, 0.0), map.apply(1.0, 0.0), map.apply(0.0, 1.0), map.apply(1.0, 1.0)];
    let reach = |pick: fn(&(f64, f64)) -> f64| {
        let low = corners.iter().map(pick).fold(f64::INFINITY, f64::min);
        let high = corners.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
        let low = (bounded(low - 1.0) / 2.0).floor() as i64 * 2;
        (low, (bounded(high + 1.0) / 2.0).ceil() as i64 * 2 - low)
    };
    let ((x, width), (y, height)) = (reach(|corner| corner.0), reach(|corner| corner.1));
    Rect { x, y, width, height }
}

fn upright(map: Affine, cut: Cut, seen: Rect) -> Option<FramePlacement> {
    let (all, turn) = upright_box(map);
    let (swap, rect) = (turn.swap, all.common(seen)?);
    // The visible part of the whole, then the same part of the crop.
    let part = |start: i64, length: i64, from: i64, of: i64, flip: bool| {
        let (start, length) = ((start - from) as f64 / of as f64, length as f64 / of as f64);
        (if flip { 1.0 - start - length } else { start }, length)
    };
    let (u, w) = part(rect.x, rect.width, all.x, all.width, turn.flip_x);
    let (v, h) = part(rect.y, rect.height, all.y, all.height, turn.flip_y);
    let ((u, w), (v, h)) = if swap { ((v, h), (u, w)) } else { ((u, w), (v, h)) };
    let cut = Cut {
        left: cut.left + cut.width * u,
        top: cut.top + cut.height * v,
        width: cut.width * w,
        height: cut.height * h,
    };
    let size = rect.size();
    let scaled = if swap { Size::new(size.height, size.width) } else { size };
    Some(FramePlacement { cut, scaled, shape: Shape::Upright { rect, turn } })
}

fn free(map: Affine, cut: Cut, seen: Rect) -> Option<FramePlacement> {
    let even = |length: f64| (length / 2.0).round().clamp(1.0, MAX_ROTATED_SIDE / 2.0) * 2.0;
    let (width, height) = (even(map.xx.hypot(map.yx)), even(map.xy.hypot(map.yy)));
    let bounds = around(map).common(seen)?;
    let map = map.after(Affine::scale(1.0 / width, 1.0 / height));
    map.inverse()?;
    let scaled = Size::new(width as u32, height as u32);
    Some(FramePlacement { cut, scaled, shape: Shape::Free { map, bounds } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::scene::Crop;

    const HD_SIZE: Size = Size::new(1280, 720);

    fn rect(place: Placement, source: Size) -> (Rect, Orientation, Cut) {
        let spot = spot(&[place], 0, source, HD_SIZE).unwrap();
        match spot.shape {
            Shape::Upright { rect, turn } => (rect, turn, spot.cut),
            Shape::Free { .. } => panic!("{spot:?}"),
        }
    }

    fn at(x: i64, y: i64, width: i64, height: i64) -> Rect {
        Rect { x, y, width, height }
    }

    #[test]
    fn fit_modes_fill_the_box() {
        let source = Size::new(640, 480);
        let place = |fit| Placement { fit, ..Placement::default() };
        assert_eq!(rect(place(Fit::Contain), source).0, at(160, 0, 960, 720));
        assert_eq!(rect(place(Fit::Stretch), source).0, at(0, 0, 1280, 720));
        assert_eq!(rect(place(Fit::Original), source).0, at(320, 120, 640, 480));
        let (cover, _, cut) = rect(place(Fit::Cover), source);
        assert_eq!(cover, at(0, 0, 1280, 720));
        assert!((cut.height - 360.0).abs() < 1e-6 && (cut.top - 60.0).abs() < 1e-6);
    }

    #[test]
    fn all_of_a_frame_is_as_large_as_what_is_seen_of_it_says() {
        let source = Size::new(400, 100);
        let half = Placement { width: 0.5, height: 0.5, rotation: 30.0, ..Placement::default() };
        let of = |places: &[Placement]| displayed(places, 0, source, HD_SIZE);
        assert_eq!(of(&[half]), Some(Size::new(640, 160)));
        assert_eq!(of(&[half, half]), Some(Size::new(320, 80)), "in a group");
        let crop = Crop { left: 0.5, ..Crop::default() };
        assert_eq!(of(&[Placement { crop, ..half }]), Some(Size::new(1280, 320)));
        let outside = Placement { x: -0.4, rotation: 0.0, ..half };
        assert_eq!(
            of(&[outside]),
            Some(Size::new(640, 160)),
            "though only a part is on the program"
        );
        assert_eq!(of(&[Placement { fit: Fit::Stretch, ..half }]), Some(Size::new(640, 360)));
        assert_eq!(of(&[Placement { fit: Fit::Original, ..half }]), None);
        let huge = Placement { width: 50.0, height: 50.0, ..half };
        assert_eq!(of(&[huge, huge]).map(|size| size.width), Some(Size::MAX_SIDE));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_lone_frame_lies_where_it_always_did() {
        for source in [
            Size::new(320, 240),
            Size::new(1920, 1080),
            Size::new(1000, 562),
            Size::new(2, 720),
            Size::new(722, 1280),
            Size::new(3840, 1080),
        ] {
            let (rect, turn, _) = rect(Placement::default(), source);
            let inner = source.fitted_into(HD_SIZE);
            let start = |outer: u32, inner: u32| i64::from(((outer - inner) / 2) & !1);
            let want = at(
                start(1280, inner.width),
                start(720, inner.height),
                inner.width.into(),
                inner.height.into(),
            );
            assert_eq!((rect, turn), (want, Orientation::NONE), "{source}");
        }
    }

    #[test]
    fn what_lies_outside_is_cut_off_the_frame() {
        let place = Placement { x: -0.5, fit: Fit::Stretch, ..Placement::default() };
        let (seen, _, cut) = rect(place, Size::new(100, 100));
        assert_eq!(seen, at(0, 0, 640, 720));
        assert!((cut.left - 50.0).abs() < 1e-6 && (cut.width - 50.0).abs() < 1e-6);
        let (_, turn, cut) = rect(Placement { flip_x: true, ..place }, Size::new(100, 100));
        assert!(turn.flip_x && cut.left.abs() < 1e-6 && (cut.width - 50.0).abs() < 1e-6);
        assert!(
            spot(&[Placement { x: 1.0, ..Placement::default() }], 0, HD_SIZE, HD_SIZE).is_none()
        );
    }

    #[test]
    fn quarter_turns_are_exact_and_crops_are_of_the_frame() {
        let crop = Crop { left: 0.25, ..Crop::default() };
        let place = Placement {
            x: 0.25,
            y: 0.25,
            width: 0.5,
            height: 0.5,
            fit: Fit::Stretch,
            rotation: 90.0,
            crop,
            ..Placement::default()
        };
        let (seen, turn, cut) = rect(place, Size::new(400, 200));
        assert_eq!(seen, at(460, 40, 360, 640));
        // Clockwise rotation: the left side becomes the top.
        assert_eq!(turn, Orientation { swap: true, flip_x: true, flip_y: false });
        assert_eq!((cut.left, cut.width), (100.0, 300.0));
        let half = Placement { rotation: 180.0, ..place };
        assert_eq!(rect(half, HD_SIZE).1, Orientation { swap: false, flip_x: true, flip_y: true });
    }

    #[test]
    fn a_group_moves_and_shrinks_what_is_in_it() {
        let group = Placement { x: 0.5, width: 0.5, height: 0.5, ..Placement::default() };
        let own = Placement { x: 0.5, y: 0.5, width: 0.5, height: 0.5, ..Placement::default() };
        let spot = spot(&[group, own], 0, HD_SIZE, HD_SIZE).unwrap();
        assert_eq!(
            spot.shape,
            Shape::Upright { rect: at(960, 180, 320, 180), turn: Orientation::NONE }
        );
    }

    #[test]
    fn of_a_group_is_seen_what_its_crop_and_its_box_leave() {
        let upright = |places: &[Placement], framed: u16| {
            let spot = spot(places, framed, HD_SIZE, HD_SIZE)?;
            let Shape::Upright { rect, .. } = spot.shape else { panic!("{spot:?}") };
            Some((rect, spot.cut))
        };
        let own = Placement::default();
        // The right half, in a box of its aspect ratio, keeps its scale.
        let crop = Crop { left: 0.5, ..Crop::default() };
        let half = Placement { x: 0.5, width: 0.5, crop, ..Placement::default() };
        let (rect, cut) = upright(&[half, own], 0).unwrap();
        assert_eq!(rect, at(640, 0, 640, 720));
        assert!((cut.left - 640.0).abs() < 1e-6 && (cut.width - 640.0).abs() < 1e-6, "{cut:?}");
        let left = Placement { width: 0.4, fit: Fit::Stretch, ..own };
        assert_eq!(upright(&[half, left], 0), None, "cut off");
        // At twice the size, in a group that covers an upright box, the sides of the frame are not
        // visible.
        let cover = Placement { x: 0.25, width: 0.5, height: 2.0, fit: Fit::Cover, ..own };
        let (rect, cut) = upright(&[cover, own], 0).unwrap();
        assert_eq!(rect, at(320, 0, 640, 720));
        let near = |is: f64, wanted: f64| (is - wanted).abs() < 1e-6;
        assert!(near(cut.left, 480.0) && near(cut.width, 320.0) && near(cut.height, 360.0));
        // Content outside the canvas of a nested scene is not visible, but content outside the
        // canvas of a group is.
        let small = Placement { x: 0.25, y: 0.25, width: 0.5, height: 0.5, ..own };
        let wide = Placement { x: 0.5, ..own };
        assert_eq!(upright(&[small, wide], 0).unwrap().0, at(640, 180, 640, 360));
        assert_eq!(upright(&[small, wide], 1).unwrap().0, at(640, 180, 320, 360));
        assert_eq!(upright(&[small, Placement { x: 1.0, ..own }], 1), None);
        // Several levels: the scene is within a group that is cropped itself.
        assert_eq!(upright(&[half, small, own], 0b10).unwrap().0, at(640, 180, 320, 360));
        // A rotated group is cropped to the bounding rectangle of its remaining part.
        let turned = Placement { rotation: 30.0, ..small };
        let far = Placement { width: 3.0, x: -1.0, fit: Fit::Stretch, ..own };
        let bounds = |framed| match spot(&[turned, far], framed, HD_SIZE, HD_SIZE).unwrap().shape {
            Shape::Free { bounds, .. } => bounds.width,
            Shape::Upright { .. } => panic!(),
        };
        assert!(bounds(1) <= 740 && bounds(0) > 1_200, "{} {}", bounds(1), bounds(0));
    }

    #[test]
    fn groups_that_enlarge_each_other_without_end_are_within_reach() {
        let crop = Crop { left: 0.99, top: 0.99, ..Crop::default() };
        let huge = Placement {
            width: 50.0,
            height: 50.0,
            fit: Fit::Stretch,
            crop,
            ..Placement::default()
        };
        for rotation in [0.0, 30.0, 90.0] {
            for x in [0.0, -25.0, 25.0] {
                let group = Placement { x, y: -x, rotation, ..huge };
                for depth in 0..=15 {
                    let mut places = vec![group; depth];
                    places.push(Placement::default());
                    for framed in [0, u16::MAX] {
                        let Some(spot) = spot(&places, framed, HD_SIZE, HD_SIZE) else { continue };
                        let (Shape::Upright { rect: seen, .. } | Shape::Free { bounds: seen, .. }) =
                            spot.shape;
                        assert!(Rect::whole(HD_SIZE).covers(seen), "{depth}: {spot:?}");
                    }
                }
            }
        }
        // The middle stays visible, however far away the edges are.
        let middle = Placement { x: -24.5, y: -24.5, crop: Crop::default(), ..huge };
        assert!(spot(&[[middle; 9].as_slice(), &[huge]].concat(), 0, HD_SIZE, HD_SIZE).is_some());
    }

    #[test]
    fn turned_frames_keep_their_size_and_stay_within_bounds() {
        let place = Placement {
            x: 0.25,
            y: 0.25,
            width: 0.5,
            height: 0.5,
            rotation: 30.0,
            ..Placement::default()
        };
        let spot = spot(&[place], 0, HD_SIZE, HD_SIZE).unwrap();
        assert_eq!(spot.scaled, Size::new(640, 360));
        let Shape::Free { map, bounds } = spot.shape else { panic!("{spot:?}") };
        let (x, y) = map.apply(320.0, 180.0);
        assert!((x - 640.0).abs() < 1e-6 && (y - 360.0).abs() < 1e-6);
        assert!(Rect::whole(HD_SIZE).covers(bounds) && bounds.width < 760 && bounds.height < 660);
        let (x, y) = map.inverse().unwrap().apply(640.0, 360.0);
        assert!((x - 320.0).abs() < 1e-6 && (y - 180.0).abs() < 1e-6);
    }
}
