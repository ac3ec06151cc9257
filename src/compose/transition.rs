//! From one scene to the next: two whole program pictures become one. Pure, row by row.

use std::time::Duration;

use crate::compose::blend::{blacken, faded};
use crate::media::{Planes, Size};

/// How wide the soft edge of a wipe is, in 256ths of its whole way.
const SOFT: i32 = 24;

/// The longest transition.
pub const MOST: Duration = Duration::from_secs(20);

/// From where the new scene comes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Side {
    #[default]
    Right,
    Left,
    Top,
    Bottom,
}

/// The order in which a wipe uncovers the picture.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Pattern {
    /// From the middle outwards.
    #[default]
    Circle,
    /// Like the hand of a clock.
    Clock,
    /// From the upper left corner.
    Diagonal,
    /// From the middle to the left and the right.
    Doors,
    /// In stripes.
    Blinds,
}

/// How scenes follow each other.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    #[default]
    Cut,
    Fade,
    /// Over a colour, red, green and blue.
    FadeColor([u8; 3]),
    /// The new one pushes the old one out.
    Slide(Side),
    /// The new one is uncovered by an edge that moves.
    Swipe(Side),
    /// The new one is uncovered in the order of a pattern.
    Luma(Pattern),
}

/// A way from scene to scene and how long it takes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    pub kind: Kind,
    pub duration: Duration,
}

impl Default for Transition {
    fn default() -> Self {
        Self { kind: Kind::Cut, duration: Duration::from_millis(300) }
    }
}

impl Transition {
    /// At once.
    pub const CUT: Self = Self { kind: Kind::Cut, duration: Duration::ZERO };

    /// Whether it takes no time.
    pub fn is_cut(&self) -> bool {
        self.kind == Kind::Cut || self.duration.is_zero()
    }
}

/// Mixes; keeps what a pattern needs.
#[derive(Debug, Default)]
pub(super) struct Mixer {
    /// For which pattern and size the two maps are made, of luma and chroma.
    of: Option<(Pattern, Size)>,
    map: Vec<u8>,
    half: Vec<u8>,
}

impl Mixer {
    /// `out` becomes what lies `part` (0…1) of the way from `from` to `to`. All are of one size.
    pub fn mix(&mut self, kind: Kind, part: f32, from: &Planes, to: &Planes, out: &mut Planes) {
        let part = part.clamp(0.0, 1.0);
        match kind {
            Kind::Cut => copy(to, out),
            Kind::Fade => {
                copy(from, out);
                fade(to, part, out);
            }
            Kind::FadeColor(rgb) => {
                let (picture, seen) =
                    if part < 0.5 { (from, 1.0 - 2.0 * part) } else { (to, 2.0 * part - 1.0) };
                blacken(out);
                let [y, u, v] = yuv(rgb);
                out.y.fill(y);
                out.u.fill(u);
                out.v.fill(v);
                fade(picture, seen, out);
            }
            Kind::Slide(side) => each(from, to, out, |from, to, out, width| {
                slide(side, eased(part), from, to, out, width);
            }),
            Kind::Swipe(side) => each(from, to, out, |from, to, out, width| {
                swipe(side, eased(part), from, to, out, width);
            }),
            Kind::Luma(pattern) => {
                self.prepare(pattern, out.size());
                wipe(&self.map, part, &from.y, &to.y, &mut out.y);
                wipe(&self.half, part, &from.u, &to.u, &mut out.u);
                wipe(&self.half, part, &from.v, &to.v, &mut out.v);
            }
        }
    }

    fn prepare(&mut self, pattern: Pattern, size: Size) {
        if self.of == Some((pattern, size)) {
            return;
        }
        self.of = Some((pattern, size));
        let half = Size::new(size.width / 2, size.height / 2);
        for (map, size) in [(&mut self.map, size), (&mut self.half, half)] {
            let (width, height) = (size.width as usize, size.height as usize);
            map.resize(width * height, 0);
            for (row, line) in map.chunks_exact_mut(width.max(1)).enumerate() {
                let y = (row as f32 + 0.5) / height as f32;
                for (column, value) in line.iter_mut().enumerate() {
                    let x = (column as f32 + 0.5) / width as f32;
                    *value = (order(pattern, x, y).clamp(0.0, 1.0) * 255.0) as u8;
                }
            }
        }
    }
}

/// When a point is uncovered, 0…1; `x` and `y` are parts of the width and height.
fn order(pattern: Pattern, x: f32, y: f32) -> f32 {
    let (dx, dy) = (x - 0.5, y - 0.5);
    match pattern {
        Pattern::Circle => (dx * 16.0 / 9.0).hypot(dy) / (0.5_f32 * 16.0 / 9.0).hypot(0.5),
        Pattern::Clock => dx.atan2(-dy) / std::f32::consts::TAU + if dx < 0.0 { 1.0 } else { 0.0 },
        Pattern::Diagonal => (x + y) / 2.0,
        Pattern::Doors => dx.abs() * 2.0,
        Pattern::Blinds => (x * 8.0).fract(),
    }
}

/// Slow at both ends.
fn eased(part: f32) -> f32 {
    part * part * (3.0 - 2.0 * part)
}

/// A colour in the program's numbers (BT.709, limited range).
fn yuv(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(|value| f32::from(value) / 255.0);
    let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    let (u, v) = ((b - y) / 1.8556, (r - y) / 1.5748);
    [16.0 + 219.0 * y, 128.0 + 224.0 * u, 128.0 + 224.0 * v].map(|value| value.round() as u8)
}

fn copy(from: &Planes, out: &mut Planes) {
    for (from, out) in [(&from.y, &mut out.y), (&from.u, &mut out.u), (&from.v, &mut out.v)] {
        if from.len() == out.len() {
            out.copy_from_slice(from);
        }
    }
}

fn fade(to: &Planes, part: f32, out: &mut Planes) {
    let strength = (part * 256.0).round() as u16;
    faded(&to.y, strength, &mut out.y);
    faded(&to.u, strength, &mut out.u);
    faded(&to.v, strength, &mut out.v);
}

/// The same for each plane, with its width.
fn each(
    from: &Planes,
    to: &Planes,
    out: &mut Planes,
    job: impl Fn(&[u8], &[u8], &mut [u8], usize),
) {
    let (width, half) = (out.luma_stride(), out.chroma_stride());
    job(&from.y, &to.y, &mut out.y, width);
    job(&from.u, &to.u, &mut out.u, half);
    job(&from.v, &to.v, &mut out.v, half);
}

fn slide(side: Side, part: f32, from: &[u8], to: &[u8], out: &mut [u8], width: usize) {
    let width = width.max(1);
    let rows = out.len() / width;
    match side {
        Side::Right | Side::Left => {
            let moved = (part * width as f32).round() as usize;
            let moved = moved.min(width);
            for ((out, from), to) in out
                .chunks_exact_mut(width)
                .zip(from.chunks_exact(width))
                .zip(to.chunks_exact(width))
            {
                if side == Side::Right {
                    place(out, from.get(moved..), to.get(..moved));
                } else {
                    place(out, to.get(width - moved..), from.get(..width - moved));
                }
            }
        }
        Side::Bottom | Side::Top => {
            let moved = ((part * rows as f32).round() as usize).min(rows);
            let (moved, rest) = (moved * width, (rows - moved) * width);
            if side == Side::Bottom {
                place(out, from.get(moved..rows * width), to.get(..moved));
            } else {
                place(out, to.get(rest..rows * width), from.get(..rest));
            }
        }
    }
}

/// Two pieces one after the other.
fn place(out: &mut [u8], first: Option<&[u8]>, second: Option<&[u8]>) {
    let pieces = first.into_iter().chain(second).flatten();
    out.iter_mut().zip(pieces).for_each(|(out, value)| *out = *value);
}

fn swipe(side: Side, part: f32, from: &[u8], to: &[u8], out: &mut [u8], width: usize) {
    let width = width.max(1);
    let rows = out.len() / width;
    let edge = ((part * width as f32).round() as usize).min(width);
    let level = ((part * rows as f32).round() as usize).min(rows);
    let lines =
        out.chunks_exact_mut(width).zip(from.chunks_exact(width)).zip(to.chunks_exact(width));
    for (row, ((out, from), to)) in lines.enumerate() {
        match side {
            Side::Right => place(out, from.get(..width - edge), to.get(width - edge..)),
            Side::Left => place(out, to.get(..edge), from.get(edge..)),
            Side::Top => out.copy_from_slice(if row < level { to } else { from }),
            Side::Bottom => out.copy_from_slice(if row >= rows - level { to } else { from }),
        }
    }
}

fn wipe(map: &[u8], part: f32, from: &[u8], to: &[u8], out: &mut [u8]) {
    // From "nothing yet" to "all of it", the soft edge included.
    let reached = (part * (256 + SOFT) as f32).round() as i32;
    for (((out, from), to), order) in out.iter_mut().zip(from).zip(to).zip(map) {
        let seen = ((reached - i32::from(*order)) * 256 / SOFT).clamp(0, 256);
        *out = ((i32::from(*to) * seen + i32::from(*from) * (256 - seen) + 128) >> 8) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(luma: u8) -> Planes {
        let mut planes = Planes::black(Size::new(64, 36));
        planes.y.fill(luma);
        planes.u.fill(luma / 2);
        planes
    }

    const ALL: [Kind; 17] = [
        Kind::Fade,
        Kind::FadeColor([255, 255, 255]),
        Kind::FadeColor([0, 0, 0]),
        Kind::Slide(Side::Right),
        Kind::Slide(Side::Left),
        Kind::Slide(Side::Top),
        Kind::Slide(Side::Bottom),
        Kind::Swipe(Side::Right),
        Kind::Swipe(Side::Left),
        Kind::Swipe(Side::Top),
        Kind::Swipe(Side::Bottom),
        Kind::Luma(Pattern::Circle),
        Kind::Luma(Pattern::Clock),
        Kind::Luma(Pattern::Diagonal),
        Kind::Luma(Pattern::Doors),
        Kind::Luma(Pattern::Blinds),
        Kind::Cut,
    ];

    #[test]
    fn every_kind_begins_with_the_old_and_ends_with_the_new() {
        let (from, to) = (flat(40), flat(200));
        let mut mixer = Mixer::default();
        for kind in ALL {
            let mut out = flat(0);
            mixer.mix(kind, 1.0, &from, &to, &mut out);
            assert_eq!(out, to, "{kind:?} at its end");
            if kind != Kind::Cut {
                mixer.mix(kind, 0.0, &from, &to, &mut out);
                assert_eq!(out, from, "{kind:?} at its beginning");
            }
        }
    }

    #[test]
    fn every_kind_lies_between_half_way() {
        let (from, to) = (flat(40), flat(200));
        let mut mixer = Mixer::default();
        let mut out = flat(0);
        for kind in ALL.into_iter().filter(|kind| *kind != Kind::Cut) {
            mixer.mix(kind, 0.5, &from, &to, &mut out);
            let mean = out.y.iter().map(|&y| u32::from(y)).sum::<u32>() / (64 * 36);
            match kind {
                Kind::FadeColor([255, ..]) => assert_eq!(mean, 235),
                Kind::FadeColor(_) => assert_eq!(mean, 16),
                _ => assert!((90..=150).contains(&mean), "{kind:?}: {mean}"),
            }
        }
        mixer.mix(Kind::Slide(Side::Right), 0.5, &from, &to, &mut out);
        assert_eq!((out.y[0], out.y[63]), (40, 200), "the new one comes from the right");
        mixer.mix(Kind::Swipe(Side::Top), 0.5, &from, &to, &mut out);
        assert_eq!((out.y[0], out.y[35 * 64]), (200, 40), "the new one comes from above");
        mixer.mix(Kind::Luma(Pattern::Circle), 0.5, &from, &to, &mut out);
        assert_eq!((out.y[18 * 64 + 32], out.y[0]), (200, 40), "from the middle");
    }

    #[test]
    fn colours_are_the_programs() {
        assert_eq!(yuv([255, 255, 255]), [235, 128, 128]);
        assert_eq!(yuv([0, 0, 0]), [16, 128, 128]);
        assert_eq!(yuv([255, 0, 0]), [63, 102, 240]);
    }
}
