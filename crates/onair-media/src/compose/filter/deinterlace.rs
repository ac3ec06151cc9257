//! Deinterlaces the fields of a capture card. The lines of one field are kept. The lines of the
//! other field are interpolated along edges, or kept where nothing moved. Each input frame gives
//! one output frame.

use crate::base::WorkerPool;
use crate::compose::draw::bands::{row, strips};
use crate::compose::filter::step::Step;
use crate::media::Planes;

/// How the lines of the other field are made.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Deinterlacing {
    /// Interpolated where there is motion, otherwise kept.
    #[default]
    Adaptive,
    /// Always interpolated.
    Linear,
    /// Both fields are blended. The result is soft, and has double edges where there is motion.
    Blend,
}

impl Deinterlacing {
    pub(super) const ALL: [(&'static str, Self); 3] =
        [("adaptive", Self::Adaptive), ("linear", Self::Linear), ("blend", Self::Blend)];
}

/// The field whose lines are kept.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Field {
    /// The field with the first line, the third line, and so on.
    #[default]
    Top,
    Bottom,
}

impl Field {
    pub(super) const ALL: [(&'static str, Self); 2] =
        [("top", Self::Top), ("bottom", Self::Bottom)];
}

/// The implementation of [`Filter::Deinterlace`](super::Filter::Deinterlace).
#[derive(Debug)]
pub struct Deinterlace {
    mode: Deinterlacing,
    field: Field,
    past: Option<Planes>,
}

impl Deinterlace {
    pub fn new(mode: Deinterlacing, field: Field) -> Self {
        Self { mode, field, past: None }
    }

    /// Sets the mode. The state is kept if the mode was and stays adaptive.
    pub fn set(&mut self, mode: Deinterlacing, field: Field) {
        // Only the adaptive mode uses the previous frame, and keeps it.
        if [self.mode, mode] != [Deinterlacing::Adaptive; 2] {
            self.past = None;
        }
        (self.mode, self.field) = (mode, field);
    }
}

impl Step for Deinterlace {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        out.copy_alpha(from);
        let past = self.past.as_ref().filter(|past| past.size() == from.size());
        let (stride, chroma) = (from.luma_stride(), from.chroma_stride());
        let (mode, field) = (self.mode, self.field);
        for (from, past, out, width) in [
            (&from.y, past.map(|past| past.y.as_slice()), &mut out.y, stride),
            (&from.u, past.map(|past| past.u.as_slice()), &mut out.u, chroma),
            (&from.v, past.map(|past| past.v.as_slice()), &mut out.v, chroma),
        ] {
            workers.each(
                strips(from, out, width),
                #[inline(always)]
                |strip| {
                    plane(from, past, strip.first, strip.out, width, mode, field);
                },
            );
        }
        if self.mode == Deinterlacing::Adaptive {
            match &mut self.past {
                Some(past) if past.size() == from.size() => {
                    past.copy_pixels(from);
                }
                past => *past = Some(from.clone()),
            }
        }
    }
}

/// Computes the rows of a plane from index `first` on.
#[inline(always)]
fn plane(
    from: &[u8],
    past: Option<&[u8]>,
    first: usize,
    out: &mut [u8],
    width: usize,
    mode: Deinterlacing,
    field: Field,
) {
    let width = width.max(1);
    let last = (from.len() / width).saturating_sub(1);
    let kept = if field == Field::Top { 0 } else { 1 };
    for (index, out) in (first..).zip(out.chunks_exact_mut(width)) {
        // At the edges, the nearest available line of the kept field is used.
        let above = index.checked_sub(1).unwrap_or((index + 1).min(last));
        let below = if index < last { index + 1 } else { above };
        let (up, here, down) =
            (row(from, width, above), row(from, width, index), row(from, width, below));
        if mode == Deinterlacing::Blend {
            for ((out, here), (up, down)) in out.iter_mut().zip(here).zip(up.iter().zip(down)) {
                let sum = u16::from(*here) * 2 + u16::from(*up) + u16::from(*down);
                *out = ((sum + 2) >> 2) as u8;
            }
        } else if index % 2 == kept || last == 0 {
            out.copy_from_slice(here);
        } else {
            made(up, down, out);
            if let (Deinterlacing::Adaptive, Some(past)) = (mode, past) {
                let rows = [
                    (up, row(past, width, above)),
                    (here, row(past, width, index)),
                    (down, row(past, width, below)),
                ];
                keep_still(rows, out);
            }
        }
    }
}

/// Interpolates a line between two lines, along the direction in which they differ least.
#[inline(always)]
fn made(up: &[u8], down: &[u8], out: &mut [u8]) {
    for ((out, up), down) in out.iter_mut().zip(up).zip(down) {
        *out = ((u16::from(*up) + u16::from(*down) + 1) >> 1) as u8;
    }
    let inner = out.iter_mut().skip(1);
    for ((out, up), down) in inner.zip(up.windows(3)).zip(down.windows(3)) {
        let (&[a, b, c], &[d, e, f]) = (up, down) else { continue };
        // The vertical direction wins if a diagonal is not clearly better.
        let (straight, fall, rise) = (b.abs_diff(e), a.abs_diff(f), c.abs_diff(d));
        let mean = |one: u8, other: u8| ((u16::from(one) + u16::from(other) + 1) >> 1) as u8;
        let best = if fall < rise { mean(a, f) } else { mean(c, d) };
        if fall.min(rise).saturating_add(8) < straight {
            *out = best;
        }
    }
}

/// Keeps the interpolated line close to the original line: the difference is at most the change of
/// the original line, or of its neighbors, since the last frame. Without a change, the result is
/// the original.
#[inline(always)]
fn keep_still([up, here, down]: [(&[u8], &[u8]); 3], out: &mut [u8]) {
    let ups = up.0.iter().zip(up.1);
    let downs = down.0.iter().zip(down.1);
    let heres = here.0.iter().zip(here.1);
    for ((out, (here, was)), ((up, up_was), (down, down_was))) in
        out.iter_mut().zip(heres).zip(ups.zip(downs))
    {
        let moved = here.abs_diff(*was).max(up.abs_diff(*up_was)).max(down.abs_diff(*down_was));
        *out = (*out).clamp(here.saturating_sub(moved), here.saturating_add(moved));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    /// Paints a bar whose position differs between the fields.
    fn combed(top: usize, bottom: usize) -> Planes {
        let mut planes = Planes::black(Size::new(32, 16));
        for (index, line) in planes.y.chunks_exact_mut(32).enumerate() {
            let left = if index % 2 == 0 { top } else { bottom };
            line[left..left + 8].fill(200);
        }
        planes
    }

    #[test]
    fn a_moving_bar_loses_its_comb_and_a_still_one_its_nothing() {
        for mode in [Deinterlacing::Linear, Deinterlacing::Adaptive] {
            let mut work = Deinterlace::new(mode, Field::Top);
            let mut out = Planes::black(Size::new(32, 16));
            work.run(&combed(0, 2), &mut out, &WorkerPool::alone());
            work.run(&combed(4, 8), &mut out, &WorkerPool::alone());
            let lines: Vec<&[u8]> = out.y.chunks_exact(32).collect();
            assert!(lines.iter().all(|line| *line == lines[0]), "{mode:?}");
            assert_eq!((lines[1][3], lines[1][4], lines[1][11]), (16, 200, 200));
        }
        // A static frame with fine lines keeps them.
        let mut fine = Planes::black(Size::new(32, 16));
        fine.y.chunks_exact_mut(64).for_each(|two| two[..32].fill(200));
        let mut work = Deinterlace::new(Deinterlacing::Adaptive, Field::Bottom);
        let mut out = Planes::black(Size::new(32, 16));
        work.run(&fine, &mut out, &WorkerPool::alone());
        assert_ne!(out.y, fine.y);
        work.run(&fine, &mut out, &WorkerPool::alone());
        assert_eq!(out.y, fine.y);
    }

    #[test]
    fn blending_mixes_both_fields() {
        let mut out = Planes::black(Size::new(32, 16));
        Deinterlace::new(Deinterlacing::Blend, Field::Top).run(
            &combed(4, 4),
            &mut out,
            &WorkerPool::alone(),
        );
        assert_eq!(out.y, combed(4, 4).y);
        Deinterlace::new(Deinterlacing::Blend, Field::Top).run(
            &combed(0, 16),
            &mut out,
            &WorkerPool::alone(),
        );
        assert_eq!(out.y[40], 16);
        assert_eq!(out.y[32 * 3 + 17], 108);
    }
}
