//! Smooths and lightens skin. A guided filter (He, Sun, Tang) smooths luma and preserves edges: a
//! box with much variation stays unchanged, and a box with little variation becomes its mean. The
//! filter works at half the size, which is the size of chroma, and upscales its coefficients. A
//! skin mask, which is derived from chroma, controls the strength.

use crate::base::WorkerPool;
use crate::compose::draw::bands;
use crate::compose::draw::bands::{Band, MAX_BANDS};
use crate::compose::filter::alpha::{ChromaUpscaler, times};
use crate::compose::filter::blur::box_blur::BoxBlur;
use crate::compose::filter::step::Step;
use crate::media::Planes;

/// The area that the filter affects.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Area {
    /// Areas with skin colors.
    #[default]
    Skin,
    Everything,
}

impl Area {
    pub(in crate::compose::filter) const ALL: [(&'static str, Self); 2] =
        [("skin", Self::Skin), ("everything", Self::Everything)];
}

/// The implementation of [`Filter::Beauty`](crate::compose::filter::Filter::Beauty).
pub struct Beauty {
    /// The share of the smoothed frame, in 255ths.
    smooth: u8,
    /// Variance below which luma counts as flat.
    flat: f32,
    /// The brightened luma for each luma value, at full skin likelihood.
    lighten: Box<[u8; 256]>,
    /// The reduction of chroma, in 255ths.
    pale: u8,
    /// The skin likelihood, indexed by U and then by V.
    skin: Vec<[u8; 256]>,
    small: Vec<u8>,
    gain: Vec<u8>,
    base: Vec<u8>,
    mask: Vec<u8>,
    wide: [Vec<u8>; 3],
    columns: [Vec<(u32, u32)>; MAX_BANDS],
    boxes: BoxBlur,
    doubler: ChromaUpscaler,
}

/// Returns the skin likelihood of a chroma value: full within an ellipse, with a soft edge.
fn skin(u: u8, v: u8) -> u8 {
    let (du, dv) = ((f32::from(u) - 112.0) / 20.0, (f32::from(v) - 148.0) / 18.0);
    (((1.3 - du.hypot(dv)) / 0.5).clamp(0.0, 1.0) * 255.0).round() as u8
}

impl Beauty {
    /// Creates the filter. Both strengths are from 0 to 1.
    pub fn new(smooth: f32, whiten: f32, area: Area) -> Self {
        let mut lighten = Box::new([0; 256]);
        for (more, y) in lighten.iter_mut().zip(0_u16..) {
            // The effect is strongest at middle luma, and zero at black and white.
            let y = ((f32::from(y) - 16.0) / 219.0).clamp(0.0, 1.0);
            *more = (whiten * 120.0 * y * (1.0 - y)).round() as u8;
        }
        let row = |u: u8| {
            let mut row = [255; 256];
            if area == Area::Skin {
                row.iter_mut().zip(0..=255).for_each(|(it, v)| *it = skin(u, v));
            }
            row
        };
        Self {
            smooth: if smooth > 0.0 { (160.0 + smooth * 95.0) as u8 } else { 0 },
            flat: (4.0 + smooth * 26.0).powi(2),
            lighten,
            pale: (whiten * 50.0).round() as u8,
            skin: (0..=255).map(row).collect(),
            small: Vec::new(),
            gain: Vec::new(),
            base: Vec::new(),
            mask: Vec::new(),
            wide: Default::default(),
            columns: Default::default(),
            boxes: BoxBlur::default(),
            doubler: ChromaUpscaler::default(),
        }
    }

    /// Prepares luma at half the size, and the mask.
    fn prepare_mask(&mut self, from: &Planes, workers: &WorkerPool) {
        let (stride, width) = (from.luma_stride(), from.chroma_stride());
        for plane in [&mut self.small, &mut self.gain, &mut self.base, &mut self.mask] {
            plane.resize(from.u.len(), 0);
        }
        let (luma, chroma) = lengths(from);
        let colors = from.u.chunks(chroma).zip(from.v.chunks(chroma));
        let results = self.small.chunks_mut(chroma).zip(self.mask.chunks_mut(chroma));
        let skin = &self.skin;
        workers.each(
            results.zip(from.y.chunks(luma).zip(colors)),
            #[inline(always)]
            |((small, mask), (y, (u, v)))| {
                bands::halved(y, stride, small);
                for ((mask, u), v) in mask.iter_mut().zip(u).zip(v) {
                    let row = skin.get(usize::from(*u));
                    *mask = row.and_then(|row| row.get(usize::from(*v))).copied().unwrap_or(0);
                }
            },
        );
        self.boxes.blur(&mut self.mask, width, 2, workers);
    }

    /// Fits the line `gain · y + base` for each box. The line is flat if luma varies little.
    fn fit(&mut self, width: usize, radius: usize, workers: &WorkerPool) {
        let lines = Lines { small: &self.small, width, radius, flat: self.flat };
        let rows = bands::height(self.small.len() / width.max(1), width);
        let length = rows * width.max(1);
        let planes = self.gain.chunks_mut(length).zip(self.base.chunks_mut(length));
        workers.each(
            planes.zip(&mut self.columns).enumerate(),
            #[inline(always)]
            |(index, ((gains, bases), columns))| lines.rows(index * rows, gains, bases, columns),
        );
        self.boxes.blur(&mut self.gain, width, radius, workers);
        self.boxes.blur(&mut self.base, width, radius, workers);
    }
}

/// Returns the numbers of luma and chroma pixels in a band of a frame.
fn lengths(of: &Planes) -> (usize, usize) {
    let width = of.chroma_stride().max(1);
    let rows = bands::height(of.u.len() / width, width);
    (rows * 2 * of.luma_stride().max(1), rows * width)
}

/// The inputs for computing the lines of all boxes from luma.
#[derive(Copy, Clone)]
struct Lines<'a> {
    small: &'a [u8],
    width: usize,
    radius: usize,
    flat: f32,
}

impl<'a> Lines<'a> {
    /// Returns a row of the plane. Rows beyond the end repeat the last one.
    #[inline(always)]
    fn line(&self, index: usize) -> &'a [u8] {
        bands::row(self.small, self.width, index)
    }

    /// Computes the lines of some rows, from index `first` on. `columns` is a reusable buffer for
    /// the sum of the values in the box, and the sum of their squares, in each column.
    #[inline(always)]
    fn rows(self, first: usize, gains: &mut [u8], bases: &mut [u8], columns: &mut Vec<(u32, u32)>) {
        let (width, radius) = (self.width, self.radius);
        columns.clear();
        columns.resize(width, (0, 0));
        for index in first..=first + radius * 2 {
            let line = self.line(index.saturating_sub(radius));
            for ((sum, squares), value) in columns.iter_mut().zip(line) {
                let value = u32::from(*value);
                *sum += value;
                *squares += value * value;
            }
        }
        let one = 1.0 / ((radius * 2 + 1) as f32).powi(2);
        let rows = gains.chunks_exact_mut(width).zip(bases.chunks_exact_mut(width));
        for (index, (gains, bases)) in (first..).zip(rows) {
            let (Some(&begin), Some(end)) = (columns.first(), columns.last()) else { return };
            let weight = radius as u32 + 1;
            let (mut sum, mut squares) = (begin.0 * weight, begin.1 * weight);
            for index in 1..=radius {
                let (s, q) = columns.get(index).unwrap_or(end);
                (sum, squares) = (sum + s, squares + q);
            }
            let enters = columns.iter().skip(radius + 1).chain(std::iter::repeat(end));
            let leaves = std::iter::repeat_n(&begin, radius.min(width)).chain(&*columns);
            for ((gain, base), (enters, leaves)) in
                gains.iter_mut().zip(bases).zip(enters.zip(leaves))
            {
                let mean = sum as f32 * one;
                let variance = (squares as f32 * one - mean * mean).max(0.0);
                let kept = variance / (variance + self.flat);
                *gain = (kept * 255.0 + 0.5) as u8;
                *base = (mean * (1.0 - kept) + 0.5) as u8;
                sum = sum + enters.0 - leaves.0;
                squares = squares + enters.1 - leaves.1;
            }
            let enters = self.line(index + radius + 1);
            let leaves = self.line(index.saturating_sub(radius));
            let pairs = enters.iter().zip(leaves);
            for ((sum, squares), (enters, leaves)) in columns.iter_mut().zip(pairs) {
                let (enters, leaves) = (u32::from(*enters), u32::from(*leaves));
                *sum = *sum + enters - leaves;
                *squares = *squares + enters * enters - leaves * leaves;
            }
        }
    }
}

impl Step for Beauty {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let width = from.chroma_stride();
        self.prepare_mask(from, workers);
        // The radius matches the size of skin details, at every frame size.
        let radius = (from.size().height as usize / 180).clamp(2, 12);
        self.fit(width, radius, workers);
        for (large, small) in self.wide.iter_mut().zip([&self.gain, &self.base, &self.mask]) {
            large.resize(from.y.len(), 0);
            self.doubler.double(small, width, large, workers);
        }
        let (luma, chroma) = lengths(from);
        let [gains, bases, masks] = self.wide.each_ref().map(|plane| plane.chunks(luma));
        let found = gains.zip(bases).zip(masks.zip(self.mask.chunks(chroma)));
        workers.each(
            bands::bands(from, out).zip(found),
            #[inline(always)]
            |(band, ((gains, bases), (masks, small)))| {
                self.lay(band, gains.iter().zip(bases).zip(masks), (masks, small));
            },
        );
    }
}

impl Beauty {
    /// Applies the result to a band of the frame. `masks` are the skin masks of luma and of chroma.
    #[inline(always)]
    fn lay<'a>(
        &self,
        mut band: Band<'_>,
        lines: impl Iterator<Item = ((&'a u8, &'a u8), &'a u8)>,
        masks: (&[u8], &[u8]),
    ) {
        band.keep_alpha();
        for ((out, y), ((gain, base), mask)) in band.y.out.iter_mut().zip(band.y.from).zip(lines) {
            let flat = i32::from(times(*y, *gain)) + i32::from(*base);
            let (y, mask) = (i32::from(*y), i32::from(*mask));
            let seen = i32::from(self.smooth) * mask;
            let smooth = y + (((flat - y) * seen + 32_512) >> 16);
            *out = smooth.clamp(0, 255) as u8;
        }
        if self.pale == 0 {
            band.u.out.copy_from_slice(band.u.from);
            band.v.out.copy_from_slice(band.v.from);
            return;
        }
        for (y, mask) in band.y.out.iter_mut().zip(masks.0) {
            let more = self.lighten.get(usize::from(*y)).copied().unwrap_or(0);
            *y = y.saturating_add(times(more, *mask));
        }
        let pale = i32::from(self.pale);
        for strip in [band.u, band.v] {
            for ((out, value), mask) in strip.out.iter_mut().zip(strip.from).zip(masks.1) {
                let off = i32::from(*value) - 128;
                let less = (off * pale * i32::from(*mask) + 32_512) >> 16;
                *out = (i32::from(*value) - less).clamp(0, 255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    /// Paints a portrait: skin with blemishes next to a dark area on the left, and a blue wall with
    /// the same pattern on the right.
    fn portrait() -> Planes {
        let mut planes = Planes::black(Size::new(128, 64));
        for (row, line) in planes.y.chunks_exact_mut(128).enumerate() {
            for (column, y) in line.iter_mut().enumerate() {
                let spot = if (column / 2 + row / 2) % 3 == 0 { 8 } else { 0 };
                *y = if column % 64 < 20 { 40 } else { 150 + spot };
            }
        }
        for (u, v) in planes.u.chunks_exact_mut(64).zip(planes.v.chunks_exact_mut(64)) {
            u[..32].fill(110);
            v[..32].fill(150);
            u[32..].fill(170);
            v[32..].fill(100);
        }
        planes
    }

    /// Returns the variation of luma in a part of each row.
    fn varies(planes: &Planes, part: std::ops::Range<usize>) -> f64 {
        let values: Vec<f64> = planes
            .y
            .chunks_exact(128)
            .flat_map(|line| line[part.clone()].iter().map(|y| f64::from(*y)))
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        values.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / values.len() as f64
    }

    #[test]
    fn skin_becomes_smooth_edges_stay_and_the_wall_is_left_alone() {
        let from = portrait();
        let mut out = Planes::black(from.size());
        Beauty::new(0.7, 0.0, Area::Skin).run(&from, &mut out, &WorkerPool::alone());
        let (before, after) = (varies(&from, 34..56), varies(&out, 34..56));
        assert!(after < before / 6.0, "{after} of {before}");
        assert!((varies(&out, 100..124) - varies(&from, 100..124)).abs() < 0.5, "the wall");
        for line in out.y.chunks_exact(128) {
            assert!(line[17] < 60 && line[23] > 130, "{} {}", line[17], line[23]);
        }
        Beauty::new(0.7, 0.0, Area::Everything).run(&from, &mut out, &WorkerPool::alone());
        assert!(varies(&out, 100..124) < varies(&from, 100..124) / 6.0);
        assert_eq!(out.u, from.u);
    }

    #[test]
    fn whitening_lightens_skin_alone_and_nothing_is_nothing() {
        let from = portrait();
        let mut out = Planes::black(from.size());
        Beauty::new(0.0, 0.8, Area::Skin).run(&from, &mut out, &WorkerPool::alone());
        assert!(out.y[64 * 30 + 40] > from.y[64 * 30 + 40] + 8);
        assert_eq!(out.y[128 * 30 + 120], from.y[128 * 30 + 120]);
        assert!(out.v[32 * 2 + 10] < from.v[32 * 2 + 10] && out.v[60] == from.v[60]);
        Beauty::new(0.0, 0.0, Area::Everything).run(&from, &mut out, &WorkerPool::alone());
        assert_eq!(out, from);
    }

    #[test]
    fn bands_on_a_worker_pool_make_the_same_frame_as_one_thread() {
        let size = Size::new(640, 480);
        let (mut from, mut random) = (Planes::transparent(size), 7_u32);
        let mut next = |low: u8, most: u32| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            low + ((random >> 24) % most) as u8
        };
        from.y.iter_mut().for_each(|y| *y = next(90, 60));
        from.u.iter_mut().for_each(|u| *u = next(90, 50));
        from.v.iter_mut().for_each(|v| *v = next(130, 40));
        from.alpha.iter_mut().flatten().for_each(|alpha| *alpha = next(0, 256));
        let run = |beauty: &mut Beauty, workers: &WorkerPool| {
            let mut out = Planes::transparent(size);
            beauty.run(&from, &mut out, workers);
            out
        };
        let mut beauty = Beauty::new(0.7, 0.4, Area::Skin);
        let alone = run(&mut beauty, &WorkerPool::alone());
        assert_eq!(alone.alpha, from.alpha);
        assert_ne!(alone.y, from.y);
        assert!(run(&mut beauty, &WorkerPool::of("onair-test", 4)) == alone);
        // The whole frame is one band.
        let lines = Lines { small: &beauty.small, width: 320, radius: 2, flat: beauty.flat };
        let (mut gain, mut base) = (vec![0; 320 * 240], vec![0; 320 * 240]);
        lines.rows(0, &mut gain, &mut base, &mut Vec::new());
        beauty.boxes.blur(&mut gain, 320, 2, &WorkerPool::alone());
        beauty.boxes.blur(&mut base, 320, 2, &WorkerPool::alone());
        assert!(gain == beauty.gain && base == beauty.base);
    }
}
