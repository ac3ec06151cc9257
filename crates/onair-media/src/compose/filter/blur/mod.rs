//! Blur and sharpen. A blur consists of three boxes, which approximate a Gaussian at the same cost
//! for every radius. Alpha is blurred together with the colors. Sharpening adds the difference
//! between luma and a slightly blurred luma.

pub(in crate::compose::filter) mod beauty;
pub(in crate::compose::filter) mod box_blur;

use crate::base::WorkerPool;
use crate::compose::draw::bands::{self, MAX_BANDS, strips};
use crate::compose::filter::blur::box_blur::{BoxBlur, gaussian};
use crate::compose::filter::step::Step;
use crate::media::Planes;

/// The implementation of [`Filter::Blur`](super::Filter::Blur).
#[derive(Debug)]
pub struct Blur {
    luma: [usize; 3],
    chroma: [usize; 3],
    boxes: BoxBlur,
}

impl Blur {
    /// Creates a Gaussian blur of this standard deviation in pixels.
    pub fn new(sigma: f32) -> Self {
        Self { luma: gaussian(sigma), chroma: gaussian(sigma / 2.0), boxes: BoxBlur::default() }
    }
}

impl Step for Blur {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let (stride, chroma_stride) = (from.luma_stride(), from.chroma_stride());
        let mut blur = |from: &[u8], out: &mut [u8], width, radii| {
            self.boxes.blur_to(from, out, width, radii, workers);
        };
        blur(&from.y, &mut out.y, stride, &self.luma);
        if let (Some(from), Some(out)) = (&from.alpha, &mut out.alpha) {
            blur(from, out, stride, &self.luma);
        }
        blur(&from.u, &mut out.u, chroma_stride, &self.chroma);
        blur(&from.v, &mut out.v, chroma_stride, &self.chroma);
    }
}

/// The implementation of [`Filter::Sharpen`](super::Filter::Sharpen).
#[derive(Debug)]
pub struct Sharpen {
    /// The amount in 256ths.
    by: i32,
    /// A buffer for each band, with one vertically blurred row.
    columns: [Vec<u16>; MAX_BANDS],
}

impl Sharpen {
    pub fn new(amount: f32) -> Self {
        Self { by: (amount * 256.0).round() as i32, columns: Default::default() }
    }
}

impl Step for Sharpen {
    /// Sharpens with a blur whose kernel is 1 4 6 4 1 in both directions.
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        out.u.copy_from_slice(&from.u);
        out.v.copy_from_slice(&from.v);
        out.copy_alpha(from);
        let width = from.luma_stride();
        let row = |index| bands::row(&from.y, width, index);
        let by = self.by;
        workers.each(
            strips(&from.y, &mut out.y, width).zip(&mut self.columns),
            #[inline(always)]
            |(strip, column)| {
                // Two extra columns at each side.
                column.resize(width + 4, 0);
                for (index, out) in (strip.first..).zip(strip.out.chunks_exact_mut(width)) {
                    let (up2, up) = (row(index.saturating_sub(2)), row(index.saturating_sub(1)));
                    sharpened(
                        [up2, up, row(index), row(index + 1), row(index + 2)],
                        column,
                        by,
                        out,
                    );
                }
            },
        );
    }
}

/// Sharpens the middle one of five rows. `column` has two extra entries at each end.
#[inline(always)]
fn sharpened(
    [up2, up, here, down, down2]: [&[u8]; 5],
    column: &mut [u16],
    by: i32,
    out: &mut [u8],
) {
    let width = out.len();
    let (outer, inner) = (up2.iter().zip(down2), up.iter().zip(down).zip(here));
    let sums = column.iter_mut().skip(2);
    for ((sum, (up2, down2)), ((up, down), here)) in sums.zip(outer).zip(inner) {
        *sum = u16::from(*up2)
            + u16::from(*down2)
            + 4 * (u16::from(*up) + u16::from(*down))
            + 6 * u16::from(*here);
    }
    let (first, end) = (column.get(2).copied(), column.get(width + 1).copied());
    for (edge, value) in [(0, first), (1, first), (width + 2, end), (width + 3, end)] {
        if let (Some(edge), Some(value)) = (column.get_mut(edge), value) {
            *edge = value;
        }
    }
    for ((out, here), around) in out.iter_mut().zip(here).zip(column.windows(5)) {
        let &[a, b, c, d, e] = around else { continue };
        let wide = |value: u16| i32::from(value);
        let blurred = wide(a) + wide(e) + 4 * (wide(b) + wide(d)) + 6 * wide(c);
        let here = i32::from(*here);
        // Both terms are 256 times as large as a pixel value, and so is the amount.
        let more = ((here * 256 - blurred) * by + (1 << 15)) >> 16;
        *out = (here + more).clamp(0, 255) as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    fn edge(size: Size) -> Planes {
        let mut planes = Planes::black(size);
        let width = planes.luma_stride();
        for line in planes.y.chunks_exact_mut(width) {
            line[width / 2..].fill(200);
        }
        planes.u.fill(90);
        planes
    }

    #[test]
    fn a_blur_softens_an_edge_and_leaves_what_is_flat() {
        let from = edge(Size::new(64, 8));
        let mut out = Planes::black(from.size());
        Blur::new(3.0).run(&from, &mut out, &WorkerPool::alone());
        assert_eq!((out.y[0], out.y[63], out.u[5]), (16, 200, 90));
        assert!(out.y[31].abs_diff(108) < 14 && out.y[32].abs_diff(108) < 14, "{}", out.y[31]);
        assert!(out.y.chunks_exact(64).all(|line| line.windows(2).all(|two| two[0] <= two[1])));
        Blur::new(0.0).run(&from, &mut out, &WorkerPool::alone());
        assert_eq!(out, from);
    }

    #[test]
    fn sharpening_overshoots_at_an_edge_and_leaves_what_is_flat() {
        let from = edge(Size::new(16, 6));
        let mut out = Planes::black(from.size());
        Sharpen::new(0.5).run(&from, &mut out, &WorkerPool::alone());
        assert_eq!((out.y[0], out.y[15], &out.u), (16, 200, &from.u));
        // Next to the edge, the blur removes 5/16 of the step, and half of that is added.
        assert!(out.y[8].abs_diff(200 + 29) <= 1, "{}", out.y[8]);
        Sharpen::new(0.0).run(&from, &mut out, &WorkerPool::alone());
        assert_eq!(out, from);
    }
}
