//! Transitions between scenes, which combine two whole program frames into one. This module is
//! pure, and works row by row.

mod easing;
pub(in crate::compose) mod manual;
pub(in crate::compose) mod moving;
pub(in crate::compose) mod stinger;
mod wipe;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub use crate::compose::transition::easing::Easing;
pub use crate::compose::transition::manual::ManualTransition;
pub use crate::compose::transition::stinger::{MAX_STINGER_DURATION, Matte, Stinger};
pub use crate::compose::transition::wipe::{Order, Pattern, Wipe};

use crate::base::WorkerPool;
use crate::base::partial_debug;
use crate::compose::draw::bands::strips;
use crate::compose::draw::blend::faded;
use crate::compose::filter::luma_chroma;
use crate::media::{ClipFeed, Planes};

/// The side from which the new scene enters.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Side {
    #[default]
    Right,
    Left,
    Top,
    Bottom,
}

/// The kind of a transition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Kind {
    #[default]
    Cut,
    Fade,
    /// A fade through a color, in red, green and blue.
    FadeColor([u8; 3]),
    /// Items of both scenes move to their new places, and the others fade.
    Move(Easing),
    /// The new scene pushes the old one out.
    Slide(Side),
    /// The old scene moves out and reveals the new one, which does not move.
    Swipe(Side),
    /// A pattern or a grayscale image determines the order in which the new scene appears.
    Luma(Wipe),
    /// A clip plays over both scenes, with its own length.
    Stinger(Stinger),
}

impl Kind {
    /// Returns the file of the transition; empty means that none is chosen.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::Luma(wipe) => wipe.image(),
            Self::Stinger(stinger) => Some(&stinger.file),
            _ => None,
        }
    }
}

/// A kind of transition and its duration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    /// A change without a transition.
    pub const CUT: Self = Self { kind: Kind::Cut, duration: Duration::ZERO };

    /// Returns true if the transition takes no time.
    pub fn is_cut(&self) -> bool {
        match self.kind {
            Kind::Cut => true,
            Kind::Stinger(_) => false,
            _ => self.duration.is_zero(),
        }
    }

    /// Returns the time for which the old scene can still be visible.
    pub fn hides_after(&self) -> Duration {
        match &self.kind {
            Kind::Cut => Duration::ZERO,
            Kind::Stinger(stinger) => {
                stinger.cut.min(MAX_STINGER_DURATION) + stinger::LATE_CLIP_GRACE
            }
            _ => self.duration,
        }
    }

    /// Returns the transition with every number within its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        let kind = match self.kind {
            Kind::Luma(wipe) => Kind::Luma(Wipe { softness: wipe.softness.min(100), ..wipe }),
            Kind::Stinger(it) => {
                let (cut, volume) = (it.cut.min(MAX_STINGER_DURATION), it.volume.min(100));
                Kind::Stinger(Stinger { cut, volume, ..it })
            }
            kind => kind,
        };
        Self { kind, duration: self.duration.min(MAX_STINGER_DURATION) }
    }
}

/// Files that a transition needs in addition to its settings.
#[derive(Default)]
pub enum TransitionAssets {
    /// No file is needed, or the file is missing.
    #[default]
    Nothing,
    /// The grayscale image of a wipe.
    Image(Arc<Planes>),
    /// The clip of a stinger, at its beginning.
    Clip(Box<dyn ClipFeed>),
}

impl std::fmt::Debug for TransitionAssets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "Nothing",
            Self::Image(_) => "Image",
            Self::Clip(_) => "Clip",
        })
    }
}

/// A scene change to be carried out.
pub struct Change {
    pub transition: Transition,
    pub means: TransitionAssets,
}

partial_debug!(Change { transition });

impl Change {
    /// A change without a transition.
    pub const CUT: Self = Self { transition: Transition::CUT, means: TransitionAssets::Nothing };
}

impl From<Transition> for Change {
    fn from(transition: Transition) -> Self {
        Self { transition, means: TransitionAssets::Nothing }
    }
}

/// Blends frames, and keeps the buffers of a wipe.
#[derive(Debug, Default)]
pub(super) struct Mixer {
    map: wipe::Map,
}

impl Mixer {
    /// Fills `out` with the state at `part` (0…1) of the transition from `from` to `to`. All frames
    /// have one size. `image` is the grayscale image of a wipe. Without this image, the wipe is a
    /// cut halfway through the transition. The worker pool shares the work.
    pub fn mix(
        &mut self,
        kind: &Kind,
        image: Option<&Arc<Planes>>,
        part: f32,
        (from, to): (&Planes, &Planes),
        out: &mut Planes,
        workers: &WorkerPool,
    ) {
        let part = part.clamp(0.0, 1.0);
        match *kind {
            Kind::Cut => out.copy_pixels(to),
            // The frames already show the moving items where they are.
            Kind::Fade | Kind::Move(_) => {
                out.copy_pixels(from);
                fade(to, part, out, workers);
            }
            Kind::FadeColor(rgb) => {
                let (image, seen) =
                    if part < 0.5 { (from, 1.0 - 2.0 * part) } else { (to, 2.0 * part - 1.0) };
                let [y, u, v] = yuv(rgb);
                out.y.fill(y);
                out.u.fill(u);
                out.v.fill(v);
                fade(image, seen, out, workers);
            }
            Kind::Slide(side) | Kind::Swipe(side) => {
                let slides = matches!(kind, Kind::Slide(_));
                each(from, to, out, |from, to, out, width| {
                    move_out((side, slides), eased(part), from, to, out, width);
                });
            }
            Kind::Luma(ref wipe) => {
                if !self.map.wipe(wipe, image, part, (from, to), out, workers) {
                    out.copy_pixels(if part < 0.5 { from } else { to });
                }
            }
            // The clip is drawn over whole frames, so there is nothing to mix.
            Kind::Stinger(_) => out.copy_pixels(to),
        }
    }
}

/// Returns an easing curve that is slow at both ends.
pub(in crate::compose) fn eased(part: f32) -> f32 {
    Easing::Smooth.at(part)
}

/// Converts an RGB color to the program's YUV.
fn yuv(rgb: [u8; 3]) -> [u8; 3] {
    let [y, u, v] = luma_chroma(rgb);
    [y, u + 128.0, v + 128.0].map(|value| value.round() as u8)
}

fn fade(to: &Planes, part: f32, out: &mut Planes, workers: &WorkerPool) {
    let strength = (part * 256.0).round() as u16;
    let (stride, width) = (out.luma_stride(), out.chroma_stride());
    for (to, out, width) in
        [(&to.y, &mut out.y, stride), (&to.u, &mut out.u, width), (&to.v, &mut out.v, width)]
    {
        workers.each(
            strips(to, out, width),
            #[inline(always)]
            |strip| faded(strip.from, strength, strip.out),
        );
    }
}

/// Applies the same operation to each plane, with its width.
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

/// Moves the old scene out, away from the side of the new scene. If `slides` is true, the new scene
/// follows the old one; otherwise, the old scene reveals it.
fn move_out(
    (side, slides): (Side, bool),
    part: f32,
    from: &[u8],
    to: &[u8],
    out: &mut [u8],
    width: usize,
) {
    let width = width.max(1);
    let rows = out.len() / width;
    let of = |length: usize| ((part * length as f32).round() as usize).min(length);
    // Vertically, the whole plane is one line.
    let (line, moved) = match side {
        Side::Right | Side::Left => (width, of(width)),
        Side::Bottom | Side::Top => (rows * width, of(rows) * width),
    };
    let (line, rest) = (line.max(1), line - moved);
    let at_end = matches!(side, Side::Right | Side::Bottom);
    let new = if slides == at_end { 0..moved } else { rest..line };
    let lines = out.chunks_exact_mut(line).zip(from.chunks_exact(line)).zip(to.chunks_exact(line));
    for ((out, from), to) in lines {
        let new = to.get(new.clone());
        match at_end {
            true => place(out, from.get(moved..), new),
            false => place(out, new, from.get(..rest)),
        }
    }
}

/// Writes two slices in sequence to `out`.
fn place(out: &mut [u8], first: Option<&[u8]>, second: Option<&[u8]>) {
    let (first, second) = (first.unwrap_or_default(), second.unwrap_or_default());
    let (before, after) = out.split_at_mut(first.len().min(out.len()));
    for (out, piece) in [(before, first), (after, second)] {
        out.iter_mut().zip(piece).for_each(|(out, value)| *out = *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    fn flat(luma: u8) -> Planes {
        let mut planes = Planes::black(Size::new(64, 36));
        planes.y.fill(luma);
        planes.u.fill(luma / 2);
        planes
    }

    fn all() -> Vec<Kind> {
        let sides = [Side::Right, Side::Left, Side::Top, Side::Bottom];
        let mut all = vec![Kind::Cut, Kind::Fade, Kind::Move(Easing::Smooth)];
        all.extend([[255; 3], [0; 3]].map(Kind::FadeColor));
        all.extend(sides.map(Kind::Slide));
        all.extend(sides.map(Kind::Swipe));
        all.extend(Pattern::ALL.map(|(_, pattern)| Kind::Luma(Wipe::of(pattern))));
        let absent = Wipe { order: Order::Image("/absent".into()), ..Wipe::default() };
        all.push(Kind::Luma(absent));
        all
    }

    #[test]
    fn every_kind_begins_with_the_old_and_ends_with_the_new() {
        let (from, to) = (flat(40), flat(200));
        let mut mixer = Mixer::default();
        for kind in all() {
            let mut out = flat(0);
            mixer.mix(&kind, None, 1.0, (&from, &to), &mut out, &WorkerPool::alone());
            assert_eq!(out, to, "{kind:?} at its end");
            if kind != Kind::Cut {
                mixer.mix(&kind, None, 0.0, (&from, &to), &mut out, &WorkerPool::alone());
                assert_eq!(out, from, "{kind:?} at its beginning");
            }
        }
    }

    #[test]
    fn every_kind_lies_between_half_way() {
        let (from, to) = (flat(40), flat(200));
        let mut mixer = Mixer::default();
        let mut out = flat(0);
        for kind in all().into_iter().filter(|kind| *kind != Kind::Cut) {
            mixer.mix(&kind, None, 0.5, (&from, &to), &mut out, &WorkerPool::alone());
            let mean = out.y.iter().map(|&y| u32::from(y)).sum::<u32>() / (64 * 36);
            match kind {
                Kind::FadeColor([255, ..]) => assert_eq!(mean, 235),
                Kind::FadeColor(_) => assert_eq!(mean, 16),
                Kind::Luma(Wipe { order: Order::Image(_), .. }) => assert_eq!(mean, 200, "cut"),
                _ => assert!((60..=180).contains(&mean), "{kind:?}: {mean}"),
            }
        }
        mixer.mix(
            &Kind::Slide(Side::Right),
            None,
            0.5,
            (&from, &to),
            &mut out,
            &WorkerPool::alone(),
        );
        assert_eq!((out.y[0], out.y[63]), (40, 200), "the new one comes from the right");
        mixer.mix(&Kind::Swipe(Side::Top), None, 0.5, (&from, &to), &mut out, &WorkerPool::alone());
        assert_eq!((out.y[0], out.y[35 * 64]), (200, 40), "the new one comes from above");
        mixer.mix(
            &Kind::Luma(Wipe::default()),
            None,
            0.5,
            (&from, &to),
            &mut out,
            &WorkerPool::alone(),
        );
        assert_eq!((out.y[18 * 64 + 32], out.y[0]), (200, 40), "from the middle");
    }

    /// Moves the scenes halfway, and compares each plane with the expected place of each sample: the
    /// scene (the new one if true), the column and the row.
    fn assert_halfway(kind: &Kind, place: impl Fn([usize; 2], [usize; 2]) -> (bool, usize, usize)) {
        let size = Size::new(64, 36);
        let value = |is_new: bool, x: usize, y: usize| (usize::from(is_new) * 120 + x + y) as u8;
        let planes = |is_new| {
            let mut planes = Planes::black(size);
            for (plane, width) in [(&mut planes.y, 64), (&mut planes.u, 32), (&mut planes.v, 32)] {
                for (index, sample) in plane.iter_mut().enumerate() {
                    *sample = value(is_new, index % width, index / width);
                }
            }
            planes
        };
        let mut out = Planes::black(size);
        let scenes = (&planes(false), &planes(true));
        Mixer::default().mix(kind, None, 0.5, scenes, &mut out, &WorkerPool::alone());
        for (plane, width, height) in [(&out.y, 64, 36), (&out.u, 32, 18), (&out.v, 32, 18)] {
            for (index, sample) in plane.iter().enumerate() {
                let (x, y) = (index % width, index / width);
                let (is_new, from_x, from_y) = place([x, y], [width / 2, height / 2]);
                assert_eq!(*sample, value(is_new, from_x, from_y), "{kind:?} at {x}, {y}");
            }
        }
    }

    #[test]
    fn a_swipe_moves_only_the_old_scene_and_a_slide_moves_both() {
        for slides in [false, true] {
            let kind = |side| if slides { Kind::Slide(side) } else { Kind::Swipe(side) };
            // The new scene does not move, or comes from its side.
            let new = |x: usize, y: usize, [moved_x, moved_y]: [usize; 2]| match slides {
                true => (true, moved_x, moved_y),
                false => (true, x, y),
            };
            assert_halfway(&kind(Side::Right), |[x, y], [half, _]| match x < half {
                true => (false, x + half, y),
                false => new(x, y, [x - half, y]),
            });
            assert_halfway(&kind(Side::Left), |[x, y], [half, _]| match x < half {
                true => new(x, y, [x + half, y]),
                false => (false, x - half, y),
            });
            assert_halfway(&kind(Side::Bottom), |[x, y], [_, half]| match y < half {
                true => (false, x, y + half),
                false => new(x, y, [x, y - half]),
            });
            assert_halfway(&kind(Side::Top), |[x, y], [_, half]| match y < half {
                true => new(x, y, [x, y + half]),
                false => (false, x, y - half),
            });
        }
    }

    #[test]
    fn colours_are_the_programs() {
        assert_eq!(yuv([255, 255, 255]), [235, 128, 128]);
        assert_eq!(yuv([0, 0, 0]), [16, 128, 128]);
        assert_eq!(yuv([255, 0, 0]), [63, 102, 240]);
    }
}
