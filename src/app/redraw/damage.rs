//! Determines the parts of a window that change between two frames. Shapes that occur in both
//! frames, in the same order, change no pixels. The bounds of every other shape, old or new, are
//! drawn again. The way in which shapes are matched affects only the cost.

use std::collections::BTreeSet;
use std::sync::Arc;

use eframe::egui::emath::TSTransform;
use eframe::egui::epaint::{ClippedShape, TextShape};
use eframe::egui::{Color32, Rect, Shape, TextureId, pos2};

/// Number of following shapes that this module searches for a match.
const MAX_SEARCHED_SHAPES: usize = 24;
/// The distance in points by which a shape can reach beyond its bounds, because of soft edges and
/// rounding to pixels.
const SHAPE_MARGIN_POINTS: f32 = 2.0;
/// Maximum number of areas. Each area has its own meshes.
const MAX_AREAS: usize = 12;
/// Two areas are joined if the joined area has at most this number of additional pixels, because
/// drawing these pixels costs less than additional meshes.
const MAX_ADDED_PIXELS: i64 = 4_096;
/// The fraction of a pixel that counts as a rounding error.
const ROUNDING_TOLERANCE_PIXELS: f32 = 0.01;

/// A shape, and the rectangle in points outside of which it changes no pixel.
#[derive(Clone, Debug)]
pub struct BoundedShape {
    shape: ClippedShape,
    bounds: Rect,
}

impl BoundedShape {
    /// Measures a shape. Returns `None` if the shape draws nothing.
    pub fn new(shape: ClippedShape) -> Option<Self> {
        let margin = match &shape.shape {
            // A frame fills exactly its rectangle.
            Shape::Callback(_) => 0.0,
            it => SHAPE_MARGIN_POINTS + corner_reach(it),
        };
        let visible = shape.transform_after_tessellation * shape.shape.visual_bounding_rect();
        let visible = visible.expand(margin);
        let bounds =
            if visible.any_nan() { shape.clip_rect } else { visible.intersect(shape.clip_rect) };
        bounds.is_positive().then_some(Self { shape, bounds })
    }

    /// Returns true if the shape is a video frame.
    #[cfg(test)]
    pub fn is_video(&self) -> bool {
        matches!(self.shape.shape, Shape::Callback(_))
    }

    /// Returns true if both shapes draw the same pixels. Textures in `renewed` have changed since
    /// the old frame.
    fn is_same(&self, other: &Self, renewed: &BTreeSet<TextureId>) -> bool {
        self.bounds == other.bounds
            && self.shape.clip_rect == other.shape.clip_rect
            && self.shape.transform_after_tessellation == other.shape.transform_after_tessellation
            && same(&self.shape.shape, &other.shape.shape, renewed)
    }

    /// Returns true if this opaque shape hides everything below it in this area.
    fn covers(&self, area: Area, pixels_per_point: f32) -> bool {
        let hides = |rect: Rect| Area::inside(rect, pixels_per_point).contains(area);
        self.shape.transform_after_tessellation == TSTransform::IDENTITY
            && hides(self.shape.clip_rect)
            && match &self.shape.shape {
                Shape::Callback(frame) => hides(frame.rect),
                // The edges of a rectangle are soft.
                Shape::Rect(it) => {
                    it.fill.is_opaque()
                        && it.brush.is_none()
                        && it.blur_width <= 0.0
                        && it.angle == 0.0
                        && it.corner_radius.is_same()
                        && it.corner_radius.nw == 0
                        && hides(it.rect.shrink(SHAPE_MARGIN_POINTS))
                }
                _ => false,
            }
    }
}

/// Returns the distance by which the corners of a path reach beyond its bounds.
fn corner_reach(shape: &Shape) -> f32 {
    match shape {
        Shape::Path(path) => path.stroke.width,
        Shape::Vec(shapes) => shapes.iter().map(corner_reach).fold(0.0, f32::max),
        _ => 0.0,
    }
}

fn same(a: &Shape, b: &Shape, renewed: &BTreeSet<TextureId>) -> bool {
    match (a, b) {
        (Shape::Text(a), Shape::Text(b)) => same_text(a, b),
        (Shape::Vec(a), Shape::Vec(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b, renewed))
        }
        (Shape::Mesh(a), Shape::Mesh(b)) => {
            (Arc::ptr_eq(a, b) || a == b) && !renewed.contains(&a.texture_id)
        }
        _ => a == b && !renewed.contains(&a.texture_id()),
    }
}

/// Compares texts. egui caches the layout of a text while the text is drawn, so both texts usually
/// share one layout.
fn same_text(a: &TextShape, b: &TextShape) -> bool {
    a.pos == b.pos
        && a.fallback_color == b.fallback_color
        && a.override_text_color == b.override_text_color
        && a.underline == b.underline
        && a.angle.to_bits() == b.angle.to_bits()
        && a.opacity_factor.to_bits() == b.opacity_factor.to_bits()
        && (Arc::ptr_eq(&a.galley, &b.galley) || a.galley == b.galley)
}

/// A rectangle of pixels, counted from the upper left corner of the window.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Area {
    pub left: i32,
    pub top: i32,
    pub right: i32,
    pub bottom: i32,
}

impl Area {
    /// Returns the whole window.
    pub fn whole([width, height]: [u32; 2]) -> Self {
        Self { left: 0, top: 0, right: width as i32, bottom: height as i32 }
    }

    /// Returns all pixels that a rectangle in points touches.
    fn around(rect: Rect, pixels_per_point: f32) -> Self {
        let first =
            |points: f32| (points * pixels_per_point + ROUNDING_TOLERANCE_PIXELS).floor() as i32;
        let end =
            |points: f32| (points * pixels_per_point - ROUNDING_TOLERANCE_PIXELS).ceil() as i32;
        Self {
            left: first(rect.left()),
            top: first(rect.top()),
            right: end(rect.right()),
            bottom: end(rect.bottom()),
        }
    }

    /// Returns all pixels that a rectangle in points fills.
    fn inside(rect: Rect, pixels_per_point: f32) -> Self {
        let first =
            |points: f32| (points * pixels_per_point - ROUNDING_TOLERANCE_PIXELS).ceil() as i32;
        let end =
            |points: f32| (points * pixels_per_point + ROUNDING_TOLERANCE_PIXELS).floor() as i32;
        Self {
            left: first(rect.left()),
            top: first(rect.top()),
            right: end(rect.right()),
            bottom: end(rect.bottom()),
        }
    }

    /// Returns the pixels of a rectangle in points, with its edges rounded to pixels.
    pub fn rounded(rect: Rect, pixels_per_point: f32) -> Self {
        let edge = |points: f32| (points * pixels_per_point).round() as i32;
        Self {
            left: edge(rect.left()),
            top: edge(rect.top()),
            right: edge(rect.right()),
            bottom: edge(rect.bottom()),
        }
    }

    /// Returns the rectangle in points.
    fn points(self, pixels_per_point: f32) -> Rect {
        let point = |x: i32, y: i32| pos2(x as f32, y as f32) / pixels_per_point;
        Rect::from_min_max(point(self.left, self.top), point(self.right, self.bottom))
    }

    pub fn width(self) -> i32 {
        self.right - self.left
    }

    pub fn height(self) -> i32 {
        self.bottom - self.top
    }

    /// Returns the number of pixels.
    pub fn pixels(self) -> i64 {
        i64::from(self.width().max(0)) * i64::from(self.height().max(0))
    }

    pub fn intersection(self, other: Self) -> Self {
        Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        }
    }

    fn union(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    fn contains(self, other: Self) -> bool {
        self.union(other) == self
    }

    /// Returns the number of pixels that are added if both areas become one.
    fn added(self, other: Self) -> i64 {
        self.union(other).pixels() - self.pixels() - other.pixels()
    }

    /// Returns true if one joined area costs less than two areas. Areas that overlap are always
    /// joined.
    fn joins(self, other: Self) -> bool {
        self.intersection(other).pixels() > 0 || self.added(other) <= MAX_ADDED_PIXELS
    }
}

/// Returns the areas to draw again, without overlaps. These areas contain every pixel that differs
/// between `before` and `now`.
pub fn changed(
    before: &[BoundedShape],
    now: &[BoundedShape],
    renewed: &BTreeSet<TextureId>,
    pixels_per_point: f32,
    size: [u32; 2],
) -> Vec<Area> {
    let mut areas = Vec::new();
    let mut add = |shape: &BoundedShape| {
        let area = Area::around(shape.bounds, pixels_per_point).intersection(Area::whole(size));
        if area.pixels() > 0 {
            join(&mut areas, area);
        }
    };
    let (mut old, mut new) = (before, now);
    loop {
        let (skipped_old, skipped_new) = to_match(old, new, renewed);
        let (Some((gone, rest_old)), Some((added, rest_new))) =
            (old.split_at_checked(skipped_old), new.split_at_checked(skipped_new))
        else {
            break;
        };
        gone.iter().chain(added).for_each(&mut add);
        // The next two shapes match.
        match (rest_old, rest_new) {
            ([_, rest_old @ ..], [_, rest_new @ ..]) => (old, new) = (rest_old, rest_new),
            _ => break,
        }
    }
    areas
}

/// Returns the numbers of old and of new shapes before the next pair of matching shapes, or all
/// shapes if none match.
fn to_match(
    old: &[BoundedShape],
    new: &[BoundedShape],
    renewed: &BTreeSet<TextureId>,
) -> (usize, usize) {
    let is_match = |a: usize, b: usize| {
        old.get(a).zip(new.get(b)).is_some_and(|(old, new)| old.is_same(new, renewed))
    };
    let (mut skipped_old, mut skipped_new) = (0, 0);
    while skipped_old < old.len() && skipped_new < new.len() {
        let near = (0..=MAX_SEARCHED_SHAPES).flat_map(|far| (0..=far).map(move |a| (a, far - a)));
        for (a, b) in near {
            if is_match(skipped_old + a, skipped_new + b) {
                return (skipped_old + a, skipped_new + b);
            }
        }
        (skipped_old, skipped_new) = (skipped_old + 1, skipped_new + 1);
    }
    (old.len(), new.len())
}

/// Adds an area, and joins it with the areas that it overlaps or nearly touches.
fn join(areas: &mut Vec<Area>, mut area: Area) {
    while let Some(at) = areas.iter().position(|other| area.joins(*other)) {
        area = area.union(areas.swap_remove(at));
    }
    if areas.len() < MAX_AREAS {
        return areas.push(area);
    }
    let least = (0..areas.len()).min_by_key(|at| areas.get(*at).map(|it| area.added(*it)));
    if let Some(at) = least {
        let joined = area.union(areas.swap_remove(at));
        join(areas, joined);
    }
}

/// Returns the shapes to draw in an area over the background color, without the shapes that an
/// opaque shape hides.
pub fn visible(
    shapes: &[BoundedShape],
    area: Area,
    pixels_per_point: f32,
    ground: Color32,
) -> Vec<ClippedShape> {
    let rect = area.points(pixels_per_point);
    let hiding = shapes.iter().rposition(|shape| shape.covers(area, pixels_per_point));
    let first = match hiding {
        Some(_) => None,
        None => {
            // The soft edge of the shape is outside of the area.
            let whole = Shape::rect_filled(rect.expand(SHAPE_MARGIN_POINTS), 0.0, ground);
            Some(ClippedShape::new(Rect::EVERYTHING, whole))
        }
    };
    let rest = shapes.iter().skip(hiding.unwrap_or(0));
    let rest = rest.filter(|shape| shape.bounds.intersects(rect)).map(|it| it.shape.clone());
    first.into_iter().chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use eframe::egui::{Mesh, PaintCallback};
    use proptest::prelude::*;

    use super::*;

    const WINDOW_SIZE: [u32; 2] = [640, 360];
    const BACKGROUND_COLOR: Color32 = Color32::from_rgb(22, 26, 34);

    fn shape(rect: Rect, color: Color32) -> BoundedShape {
        let shape = Shape::rect_filled(rect, 0.0, color);
        BoundedShape::new(ClippedShape::new(Rect::EVERYTHING, shape)).unwrap()
    }

    fn square(left: f32, top: f32, side: f32) -> Rect {
        Rect::from_min_size(pos2(left, top), eframe::egui::Vec2::splat(side))
    }

    fn areas(before: &[BoundedShape], now: &[BoundedShape]) -> Vec<Area> {
        changed(before, now, &BTreeSet::new(), 1.0, WINDOW_SIZE)
    }

    fn frame(rect: Rect, clip: Rect) -> BoundedShape {
        let frame = PaintCallback { rect, callback: Arc::new(()) };
        BoundedShape::new(ClippedShape::new(clip, Shape::Callback(frame))).unwrap()
    }

    #[test]
    fn only_a_new_video_frame_is_drawn_and_nothing_below_it() {
        let page = shape(square(0.0, 0.0, 400.0), Color32::DARK_GRAY);
        let label = shape(square(300.0, 300.0, 20.0), Color32::WHITE);
        let at = Rect::from_min_size(pos2(20.0, 30.0), eframe::egui::vec2(160.0, 90.0));
        let plate = shape(square(30.0, 40.0, 8.0), Color32::BLACK);
        let distinct = |number: u32| {
            let frame = PaintCallback { rect: at, callback: Arc::new(number) };
            BoundedShape::new(ClippedShape::new(Rect::EVERYTHING, Shape::Callback(frame))).unwrap()
        };
        let before = [page.clone(), distinct(1), plate.clone(), label.clone()];
        assert_eq!(areas(&before, &before), []);
        let now = [page, distinct(2), plate, label];
        let frame = Area { left: 20, top: 30, right: 180, bottom: 120 };
        assert_eq!(areas(&before, &now), [frame]);
        let drawn = visible(&now, frame, 1.0, BACKGROUND_COLOR);
        assert!(matches!(drawn[0].shape, Shape::Callback(_)));
        // The label is outside the area.
        assert_eq!(drawn.len(), 2);
        // Outside the frame, the page below it is drawn as well. Outside the page, the background
        // is drawn.
        let drawn = visible(&now, Area { right: 200, ..frame }, 1.0, BACKGROUND_COLOR);
        assert_eq!((drawn.len(), &drawn[0].shape), (3, &now[0].shape.shape));
        let beside = Area { left: 390, top: 30, right: 410, bottom: 40 };
        let drawn = visible(&now, beside, 1.0, BACKGROUND_COLOR);
        assert!(matches!(&drawn[0].shape, Shape::Rect(ground) if ground.fill == BACKGROUND_COLOR));
        assert_eq!((drawn.len(), &drawn[1].shape), (2, &now[0].shape.shape));
    }

    #[test]
    fn a_clipped_frame_hides_only_what_it_fills() {
        let clip = square(40.0, 40.0, 40.0);
        let zoomed = frame(square(0.0, 0.0, 200.0), clip);
        let inside = Area { left: 40, top: 40, right: 80, bottom: 80 };
        assert!(zoomed.covers(inside, 1.0));
        assert!(!zoomed.covers(Area { right: 81, ..inside }, 1.0));
        // At this scale, the frame's edge is in the middle of the last pixel.
        let frame = frame(square(0.0, 0.0, 61.0), Rect::EVERYTHING);
        let end = |end| Area { left: 0, top: 0, right: end, bottom: end };
        assert!(frame.covers(end(91), 1.5) && !frame.covers(end(92), 1.5));
        for (rounded, fill, hides) in [
            (0.0, Color32::BLACK, true),
            (4.0, Color32::BLACK, false),
            (0.0, Color32::from_black_alpha(9), false),
        ] {
            let rect = Shape::rect_filled(square(0.0, 0.0, 200.0), rounded, fill);
            let rect = BoundedShape::new(ClippedShape::new(Rect::EVERYTHING, rect)).unwrap();
            assert_eq!(rect.covers(inside, 1.0), hides, "{rounded} {fill:?}");
        }
    }

    #[test]
    fn a_texture_with_other_pixels_is_drawn_again() {
        let image = |id| {
            let mut mesh = Mesh::with_texture(id);
            let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            mesh.add_rect_with_uv(square(100.0, 100.0, 50.0), uv, Color32::WHITE);
            BoundedShape::new(ClippedShape::new(Rect::EVERYTHING, mesh)).unwrap()
        };
        let shapes = [image(TextureId::User(1)), image(TextureId::User(2))];
        assert_eq!(areas(&shapes, &shapes), []);
        let renewed = BTreeSet::from([TextureId::User(2)]);
        let areas = changed(&shapes, &shapes, &renewed, 1.0, WINDOW_SIZE);
        assert_eq!(areas, [Area { left: 98, top: 98, right: 152, bottom: 152 }]);
    }

    #[test]
    fn many_changes_are_few_areas_without_overlaps() {
        let spots = |color| -> Vec<BoundedShape> {
            let all = (0..20).flat_map(|x| (0..10).map(move |y| (x as f32, y as f32)));
            all.map(|(x, y)| shape(square(x * 31.0, y * 34.0, 3.0), color)).collect()
        };
        let areas = areas(&spots(Color32::RED), &spots(Color32::BLUE));
        assert!((1..=MAX_AREAS).contains(&areas.len()), "{}", areas.len());
        for (index, area) in areas.iter().enumerate() {
            assert!(areas[..index].iter().all(|other| other.intersection(*area).pixels() == 0));
        }
        let drawn = spots(Color32::BLUE);
        let reached = drawn.iter().filter(|it| {
            let own = Area::around(it.bounds, 1.0).intersection(Area::whole(WINDOW_SIZE));
            areas.iter().any(|area| area.contains(own))
        });
        assert_eq!(reached.count(), drawn.len());
    }

    /// A shape whose bounds are not a number is drawn in its whole clip rectangle.
    #[test]
    fn a_shape_without_bounds_is_drawn_in_its_whole_clip() {
        let clip = square(10.0, 10.0, 50.0);
        let odd = Rect::from_min_max(pos2(f32::NAN, 0.0), pos2(20.0, 20.0));
        let odd = Shape::rect_filled(odd, 0.0, Color32::WHITE);
        let odd = BoundedShape::new(ClippedShape::new(clip, odd)).unwrap();
        assert_eq!(odd.bounds, clip);
    }

    /// A window of a few pixels. A translucent shape adds its mark to the pixels, so that their
    /// history shows which shapes were drawn, and in which order.
    #[derive(Clone, PartialEq, Debug)]
    struct Pixels(Vec<u64>);

    const WINDOW_SIDE_PIXELS: u32 = 48;

    impl Pixels {
        fn draw(&mut self, area: Area, shapes: &[ClippedShape]) {
            for (x, y) in
                (0..WINDOW_SIDE_PIXELS).flat_map(|y| (0..WINDOW_SIDE_PIXELS).map(move |x| (x, y)))
            {
                let (left, top) = (x as i32, y as i32);
                let pixel = Area { left, top, right: left + 1, bottom: top + 1 };
                if !area.contains(pixel) {
                    continue;
                }
                let middle = pos2(x as f32 + 0.5, y as f32 + 0.5);
                let value = &mut self.0[(y * WINDOW_SIDE_PIXELS + x) as usize];
                for ClippedShape { clip_rect, shape, .. } in shapes {
                    let Shape::Rect(it) = shape else { panic!("{shape:?}") };
                    if it.rect.contains(middle) && clip_rect.contains(middle) {
                        let mark = it.fill.to_array().map(u64::from);
                        let mark = mark.into_iter().fold(1, |sum, part| sum * 257 + part);
                        let under = if it.fill.is_opaque() { 0 } else { value.wrapping_mul(31) };
                        *value = under.wrapping_add(mark);
                    }
                }
            }
        }
    }

    fn any_shape() -> impl Strategy<Value = ClippedShape> {
        let part = || (0..40_u8, 0..40_u8, 1..30_u8, 1..30_u8);
        let rect = |(x, y, width, height): (u8, u8, u8, u8)| {
            let [x, y, width, height] = [x, y, width, height].map(f32::from);
            Rect::from_min_size(pos2(x, y), eframe::egui::vec2(width, height))
        };
        (part(), proptest::option::of(part()), 1..5_u8, any::<bool>()).prop_map(
            move |(at, clip, color, opaque)| {
                let color =
                    Color32::from_rgba_premultiplied(color, 0, 0, if opaque { 255 } else { 99 });
                let clip = clip.map_or(Rect::EVERYTHING, rect);
                ClippedShape::new(clip, Shape::rect_filled(rect(at), 0.0, color))
            },
        )
    }

    proptest! {
        /// Tests, for any two frames, that drawing the changed areas gives the pixels of the whole
        /// second frame.
        #[test]
        fn drawing_what_changed_is_drawing_everything(
            before in proptest::collection::vec(any_shape(), 0..20),
            new in proptest::collection::vec(any_shape(), 0..4),
            at in proptest::collection::vec(0..20_usize, 4),
            gone in proptest::collection::btree_set(0..20_usize, 0..4),
        ) {
            let size = [WINDOW_SIDE_PIXELS; 2];
            let whole = Area::whole(size);
            let gone: BTreeSet<usize> = gone;
            let mut after: Vec<ClippedShape> = before.iter().enumerate()
                .filter(|(index, _)| !gone.contains(index)).map(|(_, it)| it.clone()).collect();
            for (shape, at) in new.into_iter().zip(at) {
                after.insert(at.min(after.len()), shape);
            }
            let bounded = |shapes: &[ClippedShape]| -> Vec<BoundedShape> {
                shapes.iter().cloned().filter_map(BoundedShape::new).collect()
            };
            let (before, after) = (bounded(&before), bounded(&after));
            let mut pixels = Pixels(vec![0; (WINDOW_SIDE_PIXELS * WINDOW_SIDE_PIXELS) as usize]);
            let mut expected = pixels.clone();
            pixels.draw(whole, &visible(&before, whole, 1.0, BACKGROUND_COLOR));
            for area in changed(&before, &after, &BTreeSet::new(), 1.0, size) {
                pixels.draw(area, &visible(&after, area, 1.0, BACKGROUND_COLOR));
            }
            expected.draw(whole, &[ClippedShape::new(Rect::EVERYTHING,
                Shape::rect_filled(square(-2.0, -2.0, 99.0), 0.0, BACKGROUND_COLOR))]);
            expected.draw(whole, &after.iter().map(|it| it.shape.clone()).collect::<Vec<_>>());
            prop_assert_eq!(pixels, expected);
        }
    }
}
