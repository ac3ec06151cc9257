//! Wipes, in which the new scene appears point by point in the order of a pattern or a grayscale
//! image, dark areas first. This module is pure, and works plane by plane.

use std::path::PathBuf;
use std::sync::Arc;

use fast_image_resize::{FilterType, ResizeAlg, Resizer};

use crate::base::WorkerPool;
use crate::base::partial_debug;
use crate::compose::draw::bands;
use crate::compose::draw::prepare::resize;
use crate::compose::filter::full_range;
use crate::compose::layout::Cut;
use crate::media::{Planes, Size};

/// The order in which a wipe reveals the new scene. Sides and corners name the position where the
/// wipe begins.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Pattern {
    /// From the middle outwards.
    #[default]
    Circle,
    Box,
    Diamond,
    /// Like the hand of a clock.
    Clock,
    Left,
    Right,
    Top,
    Bottom,
    /// From the upper left corner.
    Diagonal,
    UpperRight,
    LowerLeft,
    LowerRight,
    /// From the middle to the left and the right.
    Doors,
    /// From the middle upwards and downwards.
    FlatDoors,
    /// In vertical stripes.
    Blinds,
    /// In horizontal stripes.
    FlatBlinds,
    /// In small random blocks.
    Dissolve,
}

impl Pattern {
    /// All values, with their names in settings.
    pub const ALL: [(&str, Self); 17] = [
        ("circle", Self::Circle),
        ("box", Self::Box),
        ("diamond", Self::Diamond),
        ("clock", Self::Clock),
        ("left", Self::Left),
        ("right", Self::Right),
        ("top", Self::Top),
        ("bottom", Self::Bottom),
        ("diagonal", Self::Diagonal),
        ("upper-right", Self::UpperRight),
        ("lower-left", Self::LowerLeft),
        ("lower-right", Self::LowerRight),
        ("doors", Self::Doors),
        ("flat-doors", Self::FlatDoors),
        ("blinds", Self::Blinds),
        ("flat-blinds", Self::FlatBlinds),
        ("dissolve", Self::Dissolve),
    ];

    /// Returns the time at which the wipe uncovers a point, 0…1. `x` and `y` are fractions of the
    /// width and height.
    fn order(self, x: f32, y: f32) -> f32 {
        let (dx, dy) = (x - 0.5, y - 0.5);
        match self {
            Self::Circle => (dx * 16.0 / 9.0).hypot(dy) / (0.5_f32 * 16.0 / 9.0).hypot(0.5),
            Self::Box => dx.abs().max(dy.abs()) * 2.0,
            Self::Diamond => dx.abs() + dy.abs(),
            Self::Clock => dx.atan2(-dy) / std::f32::consts::TAU + if dx < 0.0 { 1.0 } else { 0.0 },
            Self::Left => x,
            Self::Right => 1.0 - x,
            Self::Top => y,
            Self::Bottom => 1.0 - y,
            Self::Diagonal => (x + y) / 2.0,
            Self::UpperRight => (1.0 - x + y) / 2.0,
            Self::LowerLeft => (x + 1.0 - y) / 2.0,
            Self::LowerRight => (2.0 - x - y) / 2.0,
            Self::Doors => dx.abs() * 2.0,
            Self::FlatDoors => dy.abs() * 2.0,
            Self::Blinds => (x * 8.0).fract(),
            Self::FlatBlinds => (y * 8.0).fract(),
            Self::Dissolve => grain((x * DISSOLVE_BLOCKS.0) as u32, (y * DISSOLVE_BLOCKS.1) as u32),
        }
    }
}

/// The number of blocks of a dissolve, horizontally and vertically. A block has four pixels per
/// side at 1080p, so that an encoder can keep up.
const DISSOLVE_BLOCKS: (f32, f32) = (480.0, 270.0);

/// Returns a number from 0 to 1 that is always the same for the same block. The numbers are evenly
/// distributed.
fn grain(x: u32, y: u32) -> f32 {
    let mut seed = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77);
    seed ^= seed >> 15;
    seed = seed.wrapping_mul(0x2c1b_3c6d);
    seed ^= seed >> 12;
    seed = seed.wrapping_mul(0x297a_2d39);
    seed ^= seed >> 15;
    (seed >> 8) as f32 / (1_u32 << 24) as f32
}

/// The definition of the order in which the pixels of the new scene are uncovered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Order {
    Pattern(Pattern),
    /// An image file, whose black parts are uncovered first, and white parts last.
    Image(PathBuf),
}

/// Settings of a wipe.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wipe {
    pub order: Order,
    /// The width of the soft edge in percent.
    pub softness: u8,
    /// Reverses the order of the pattern.
    pub invert: bool,
}

impl Default for Wipe {
    fn default() -> Self {
        Self::of(Pattern::default())
    }
}

impl Wipe {
    /// Creates a wipe by a pattern, with a slightly soft edge.
    pub const fn of(pattern: Pattern) -> Self {
        Self { order: Order::Pattern(pattern), softness: 9, invert: false }
    }

    /// Returns the image file that defines the order, if any.
    pub fn image(&self) -> Option<&std::path::Path> {
        match &self.order {
            Order::Image(path) => Some(path),
            Order::Pattern(_) => None,
        }
    }

    /// Returns the visibility of the new scene at the order values 0…255, in 256ths.
    fn seen(&self, part: f32) -> [u16; 256] {
        let soft = (i32::from(self.softness.min(100)) * 256 / 100).max(1);
        // The value goes from "nothing yet" to "the whole frame", including the soft edge.
        let reached = (part * (256 + soft) as f32).round() as i32;
        let mut seen = [0; 256];
        for (order, seen) in (0_i32..).zip(&mut seen) {
            let order = if self.invert { 255 - order } else { order };
            *seen = ((reached - order) * 256 / soft).clamp(0, 256) as u16;
        }
        seen
    }
}

/// The order at every point of luma and of chroma, cached.
#[derive(Default)]
pub struct Map {
    of: Option<(Pattern, Size)>,
    /// The image that defines the order, and the size of the frame.
    image: Option<(Arc<Planes>, Size)>,
    full: Vec<u8>,
    half: Vec<u8>,
    resizers: [Resizer; 2],
}

impl Map {
    /// Fills `out` with the state at `part` of the transition from `from` to `to`. Returns false if
    /// the wipe needs an image, and the image is missing.
    pub fn wipe(
        &mut self,
        wipe: &Wipe,
        image: Option<&Arc<Planes>>,
        part: f32,
        (from, to): (&Planes, &Planes),
        out: &mut Planes,
        workers: &WorkerPool,
    ) -> bool {
        match (&wipe.order, image) {
            (Order::Pattern(pattern), _) => self.draw(*pattern, out.size(), workers),
            (Order::Image(_), Some(image)) => self.take(image, out.size(), workers),
            (Order::Image(_), None) => return false,
        }
        let seen = wipe.seen(part);
        let (stride, width) = (out.luma_stride(), out.chroma_stride());
        for (map, from, to, out, width) in [
            (&self.full, &from.y, &to.y, &mut out.y, stride),
            (&self.half, &from.u, &to.u, &mut out.u, width),
            (&self.half, &from.v, &to.v, &mut out.v, width),
        ] {
            let length = bands::height(out.len() / width.max(1), width) * width.max(1);
            let frames = from.chunks(length).zip(to.chunks(length));
            let parts = map.chunks(length).zip(frames).zip(out.chunks_mut(length));
            workers.each(
                parts,
                #[inline(always)]
                |((map, frames), out)| mix(map, &seen, frames, out),
            );
        }
        true
    }

    fn draw(&mut self, pattern: Pattern, size: Size, workers: &WorkerPool) {
        if self.of == Some((pattern, size)) {
            return;
        }
        (self.of, self.image) = (Some((pattern, size)), None);
        for (map, size) in [(&mut self.full, size), (&mut self.half, size.half())] {
            let (width, height) = (size.width as usize, size.height as usize);
            map.resize(width * height, 0);
            let (width, rows) = (width.max(1), bands::height(height, width));
            let parts = map.chunks_mut(rows * width).enumerate();
            workers.each(parts, |(index, part)| {
                for (row, line) in (index * rows..).zip(part.chunks_exact_mut(width)) {
                    let y = (row as f32 + 0.5) / height as f32;
                    for (column, value) in line.iter_mut().enumerate() {
                        let x = (column as f32 + 0.5) / width as f32;
                        *value = (pattern.order(x, y).clamp(0.0, 1.0) * 255.0) as u8;
                    }
                }
            });
        }
    }

    fn take(&mut self, image: &Arc<Planes>, size: Size, workers: &WorkerPool) {
        let same = |(known, of): &(Arc<Planes>, Size)| Arc::ptr_eq(known, image) && *of == size;
        if self.image.as_ref().is_some_and(same) {
            return;
        }
        (self.of, self.image) = (None, Some((Arc::clone(image), size)));
        let from = image.size();
        // Grays from black to white; images have limited range.
        let grey: Vec<u8> = image.y.iter().map(|&y| full_range(y)).collect();
        let whole = Cut::whole(from);
        let bilinear = ResizeAlg::Convolution(FilterType::Bilinear);
        let maps = [(&mut self.full, size), (&mut self.half, size.half())];
        workers.each(maps.into_iter().zip(&mut self.resizers), |((map, size), resizer)| {
            map.resize(size.pixels(), 0);
            resize(resizer, bilinear, (&grey, from), &whole, (map, size));
        });
    }
}

partial_debug!(Map { of });

#[inline(always)]
fn mix(map: &[u8], seen: &[u16; 256], (from, to): (&[u8], &[u8]), out: &mut [u8]) {
    for (((out, from), to), order) in out.iter_mut().zip(from).zip(to).zip(map) {
        // An 8-bit index into 256 values is always in range.
        let seen = seen.get(usize::from(*order)).copied().unwrap_or(256);
        *out = ((u16::from(*to) * seen + u16::from(*from) * (256 - seen) + 128) >> 8) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME_SIZE: Size = Size::new(64, 36);

    fn flat(luma: u8) -> Planes {
        let mut planes = Planes::black(FRAME_SIZE);
        planes.y.fill(luma);
        planes
    }

    fn wiped(wipe: &Wipe, image: Option<&Arc<Planes>>, part: f32) -> Planes {
        let mut out = flat(0);
        let mut map = Map::default();
        assert!(map.wipe(
            wipe,
            image,
            part,
            (&flat(40), &flat(200)),
            &mut out,
            &WorkerPool::alone()
        ));
        out
    }

    fn at(planes: &Planes, x: usize, y: usize) -> u8 {
        planes.y[y * 64 + x]
    }

    #[test]
    fn every_pattern_begins_where_its_name_says_and_inverted_ends_there() {
        // For each pattern, a point that is uncovered early and one that is uncovered late.
        let (middle, left, right) = ((32, 18), (0, 18), (63, 18));
        let (top, bottom) = ((32, 0), (32, 35));
        for (pattern, early, late) in [
            (Pattern::Circle, middle, (0, 0)),
            (Pattern::Box, middle, left),
            (Pattern::Diamond, middle, (63, 35)),
            (Pattern::Clock, (34, 0), (30, 0)),
            (Pattern::Left, left, right),
            (Pattern::Right, right, left),
            (Pattern::Top, top, bottom),
            (Pattern::Bottom, bottom, top),
            (Pattern::Diagonal, (0, 0), (63, 35)),
            (Pattern::UpperRight, (63, 0), (0, 35)),
            (Pattern::LowerLeft, (0, 35), (63, 0)),
            (Pattern::LowerRight, (63, 35), (0, 0)),
            (Pattern::Doors, middle, left),
            (Pattern::FlatDoors, middle, top),
            (Pattern::Blinds, left, (7, 18)),
            (Pattern::FlatBlinds, top, (32, 3)),
        ] {
            let wipe = Wipe::of(pattern);
            let out = wiped(&wipe, None, 0.5);
            let seen = (at(&out, early.0, early.1), at(&out, late.0, late.1));
            assert_eq!(seen, (200, 40), "{pattern:?}");
            let out = wiped(&Wipe { invert: true, ..wipe }, None, 0.5);
            let seen = (at(&out, early.0, early.1), at(&out, late.0, late.1));
            assert_eq!(seen, (40, 200), "{pattern:?} inverted");
        }
    }

    #[test]
    fn every_pattern_uncovers_about_half_by_half_time_and_nothing_at_either_end() {
        for (name, pattern) in Pattern::ALL {
            let wipe = Wipe { softness: 0, ..Wipe::of(pattern) };
            assert_eq!(wiped(&wipe, None, 0.0), flat(40), "{name}");
            assert_eq!(wiped(&wipe, None, 1.0), flat(200), "{name}");
            let out = wiped(&wipe, None, 0.5);
            let new = out.y.iter().filter(|&&y| y == 200).count();
            let share = new as f64 / FRAME_SIZE.pixels() as f64;
            assert!((0.2..0.8).contains(&share), "{name}: {share}");
        }
    }

    #[test]
    fn softness_is_how_much_lies_between() {
        let between = |softness| {
            let wipe = Wipe { softness, ..Wipe::of(Pattern::Left) };
            let out = wiped(&wipe, None, 0.5);
            out.y.iter().take(64).filter(|&&y| y != 40 && y != 200).count()
        };
        assert!(between(0) <= 1, "{}", between(0));
        assert!((8..=18).contains(&between(20)), "{}", between(20));
        assert!(between(100) >= 55, "{}", between(100));
    }

    #[test]
    fn a_grey_image_tells_the_order_at_any_size() {
        // The right side is dark, so it is uncovered first.
        let mut grey = Planes::black(Size::new(8, 2));
        for row in grey.y.chunks_exact_mut(8) {
            row.copy_from_slice(&[235, 220, 180, 150, 100, 60, 30, 16]);
        }
        let grey = Arc::new(grey);
        let wipe = Wipe { order: Order::Image("/x.png".into()), ..Wipe::default() };
        let out = wiped(&wipe, Some(&grey), 0.5);
        assert_eq!((at(&out, 0, 5), at(&out, 63, 5)), (40, 200));
        assert_eq!(wiped(&wipe, Some(&grey), 1.0), flat(200));
        assert_eq!(wiped(&wipe, Some(&grey), 0.0), flat(40));
        let mut map = Map::default();
        let mut out = flat(0);
        assert!(
            !map.wipe(&wipe, None, 0.5, (&flat(40), &flat(200)), &mut out, &WorkerPool::alone()),
            "not there"
        );
    }

    #[test]
    fn a_pattern_is_drawn_in_bands_as_it_is_in_one() {
        let workers = WorkerPool::of("onair-test", 4);
        for (name, pattern) in Pattern::ALL {
            let mut map = Map::default();
            map.draw(pattern, Size::new(640, 480), &workers);
            for (drawn, (width, height)) in
                [(&map.full, (640_u16, 480_u16)), (&map.half, (320, 240))]
            {
                let part = |at: u16, of: u16| (f32::from(at) + 0.5) / f32::from(of);
                let at = |x, y| pattern.order(part(x, width), part(y, height));
                let whole = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
                let whole = whole.map(|(x, y)| (at(x, y).clamp(0.0, 1.0) * 255.0) as u8);
                assert!(whole.eq(drawn.iter().copied()), "{name} {width}");
            }
        }
    }
}
