//! Smooths and lightens skin. Luma is smoothed by a guided filter (He, Sun, Tang), which keeps edges:
//! where luma varies much within a box it stays, where it varies little its mean is taken. It works
//! at half the size, where chroma is, and what it found is drawn out to the full size. How much of
//! it is seen says a mask of skin, from chroma.

use crate::base::Crew;
use crate::base::wide::wide;
use crate::compose::filter::alpha::{Doubler, times};
use crate::compose::filter::boxes::Boxes;
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

/// Where it works.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Area {
    /// On what has the colour of skin.
    #[default]
    Skin,
    Everything,
}

impl Area {
    pub(super) const ALL: [(&'static str, Self); 2] =
        [("skin", Self::Skin), ("everything", Self::Everything)];
}

/// See [`Filter::Beauty`](super::Filter::Beauty).
pub(super) struct Beauty {
    /// What of the smoothed picture is seen, of 255.
    smooth: u8,
    /// Variance below which luma counts as flat.
    flat: f32,
    /// What is added to luma where skin is whole.
    lighten: Box<[u8; 256]>,
    /// How much of chroma's strength goes, of 255.
    pale: u8,
    /// How much a chroma is skin's, by U, then V.
    skin: Vec<[u8; 256]>,
    small: Vec<u8>,
    gain: Vec<u8>,
    base: Vec<u8>,
    mask: Vec<u8>,
    wide: [Vec<u8>; 3],
    columns: Vec<(u32, u32)>,
    boxes: Boxes,
    doubler: Doubler,
}

/// How much a chroma is skin's: all within an ellipse, falling softly to nothing around it.
fn skin(u: u8, v: u8) -> u8 {
    let (du, dv) = ((f32::from(u) - 112.0) / 20.0, (f32::from(v) - 148.0) / 18.0);
    (((1.3 - du.hypot(dv)) / 0.5).clamp(0.0, 1.0) * 255.0).round() as u8
}

impl Beauty {
    /// Both from 0 to 1.
    pub fn new(smooth: f32, whiten: f32, area: Area) -> Self {
        let mut lighten = Box::new([0; 256]);
        for (more, y) in lighten.iter_mut().zip(0_u16..) {
            // Most in the middle, nothing at black and white.
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
            columns: Vec::new(),
            boxes: Boxes::default(),
            doubler: Doubler::default(),
        }
    }

    /// Luma at half the size, and the mask.
    fn look(&mut self, from: &Planes, crew: &Crew) {
        let (stride, width) = (from.luma_stride(), from.chroma_stride());
        for plane in [&mut self.small, &mut self.gain, &mut self.base, &mut self.mask] {
            plane.resize(from.u.len(), 0);
        }
        let pairs = from.y.chunks_exact(stride * 2);
        for (out, lines) in self.small.chunks_exact_mut(width).zip(pairs) {
            let (upper, lower) = lines.split_at(stride);
            let fours = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            for (out, (upper, lower)) in out.iter_mut().zip(fours) {
                let sum: u16 = upper.iter().chain(lower).map(|y| u16::from(*y)).sum();
                *out = ((sum + 2) >> 2) as u8;
            }
        }
        for ((mask, u), v) in self.mask.iter_mut().zip(&from.u).zip(&from.v) {
            let row = self.skin.get(usize::from(*u));
            *mask = row.and_then(|row| row.get(usize::from(*v))).copied().unwrap_or(0);
        }
        self.boxes.blur(&mut self.mask, width, 2, crew);
    }

    /// The line `gain · y + base` of each box: flat where luma varies little.
    fn fit(&mut self, width: usize, radius: usize, crew: &Crew) {
        let count = self.small.len() / width;
        let last = count.saturating_sub(1);
        let of = |small: &[u8], index: usize| -> std::ops::Range<usize> {
            let index = index.min(last).min(small.len());
            index * width..(index + 1) * width
        };
        self.columns.clear();
        self.columns.resize(width, (0, 0));
        let add = |columns: &mut [(u32, u32)], line: &[u8], times: u32| {
            for ((sum, squares), value) in columns.iter_mut().zip(line) {
                let value = u32::from(*value);
                *sum += value * times;
                *squares += value * value * times;
            }
        };
        let line = |index: usize| self.small.get(of(&self.small, index)).unwrap_or_default();
        add(&mut self.columns, line(0), radius as u32 + 1);
        for index in 1..=radius {
            add(&mut self.columns, line(index), 1);
        }
        let one = 1.0 / ((radius * 2 + 1) as f32).powi(2);
        let rows = self.gain.chunks_exact_mut(width).zip(self.base.chunks_exact_mut(width));
        for (index, (gains, bases)) in rows.enumerate() {
            let columns = &self.columns;
            let (first, end) = (columns.first(), columns.last());
            let (Some(&first), Some(end)) = (first, end) else { return };
            let weight = radius as u32 + 1;
            let (mut sum, mut squares) = (first.0 * weight, first.1 * weight);
            for index in 1..=radius {
                let (s, q) = columns.get(index).unwrap_or(end);
                (sum, squares) = (sum + s, squares + q);
            }
            let enters = columns.iter().skip(radius + 1).chain(std::iter::repeat(end));
            let leaves = std::iter::repeat_n(&first, radius.min(width)).chain(columns);
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
            let enters = self.small.get(of(&self.small, index + radius + 1)).unwrap_or_default();
            let leaves = self.small.get(of(&self.small, index.saturating_sub(radius)));
            let pairs = enters.iter().zip(leaves.unwrap_or_default());
            for ((sum, squares), (enters, leaves)) in self.columns.iter_mut().zip(pairs) {
                let (enters, leaves) = (u32::from(*enters), u32::from(*leaves));
                *sum = *sum + enters - leaves;
                *squares = *squares + enters * enters - leaves * leaves;
            }
        }
        self.boxes.blur(&mut self.gain, width, radius, crew);
        self.boxes.blur(&mut self.base, width, radius, crew);
    }
}

impl Step for Beauty {
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (size, alpha)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, crew: &Crew) {
        if let (Some(out), Some(from)) = (&mut out.alpha, &from.alpha) {
            out.copy_from_slice(from);
        }
        let width = from.chroma_stride();
        self.look(from, crew);
        // As large as what skin is made of, at every size of the picture.
        let radius = (from.size().height as usize / 180).clamp(2, 12);
        self.fit(width, radius, crew);
        for (large, small) in self.wide.iter_mut().zip([&self.gain, &self.base, &self.mask]) {
            large.resize(from.y.len(), 0);
            self.doubler.double(small, width, large, crew);
        }
        wide(
            #[inline(always)]
            || self.lay(from, out),
        );
    }
}

impl Beauty {
    /// What was found, on the picture.
    #[inline(always)]
    fn lay(&self, from: &Planes, out: &mut Planes) {
        let [gains, bases, masks] = &self.wide;
        let lines = gains.iter().zip(bases).zip(masks);
        for ((out, y), ((gain, base), mask)) in out.y.iter_mut().zip(&from.y).zip(lines) {
            let flat = i32::from(times(*y, *gain)) + i32::from(*base);
            let (y, mask) = (i32::from(*y), i32::from(*mask));
            let seen = i32::from(self.smooth) * mask;
            let smooth = y + (((flat - y) * seen + 32_512) >> 16);
            *out = smooth.clamp(0, 255) as u8;
        }
        if self.pale == 0 {
            out.u.copy_from_slice(&from.u);
            out.v.copy_from_slice(&from.v);
            return;
        }
        for (y, mask) in out.y.iter_mut().zip(masks) {
            let more = self.lighten.get(usize::from(*y)).copied().unwrap_or(0);
            *y = y.saturating_add(times(more, *mask));
        }
        let pale = i32::from(self.pale);
        for (out, from) in [(&mut out.u, &from.u), (&mut out.v, &from.v)] {
            for ((out, value), mask) in out.iter_mut().zip(from).zip(&self.mask) {
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

    /// Skin with blemishes beside something dark, on the left; a blue wall with the same pattern on
    /// the right.
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

    /// How much luma varies in a part of each row.
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
        Beauty::new(0.7, 0.0, Area::Skin).run(&from, &mut out, &Crew::alone());
        let (before, after) = (varies(&from, 34..56), varies(&out, 34..56));
        assert!(after < before / 6.0, "{after} of {before}");
        assert!((varies(&out, 100..124) - varies(&from, 100..124)).abs() < 0.5, "the wall");
        for line in out.y.chunks_exact(128) {
            assert!(line[17] < 60 && line[23] > 130, "{} {}", line[17], line[23]);
        }
        Beauty::new(0.7, 0.0, Area::Everything).run(&from, &mut out, &Crew::alone());
        assert!(varies(&out, 100..124) < varies(&from, 100..124) / 6.0);
        assert_eq!(out.u, from.u);
    }

    #[test]
    fn whitening_lightens_skin_alone_and_nothing_is_nothing() {
        let from = portrait();
        let mut out = Planes::black(from.size());
        Beauty::new(0.0, 0.8, Area::Skin).run(&from, &mut out, &Crew::alone());
        assert!(out.y[64 * 30 + 40] > from.y[64 * 30 + 40] + 8);
        assert_eq!(out.y[128 * 30 + 120], from.y[128 * 30 + 120]);
        assert!(out.v[32 * 2 + 10] < from.v[32 * 2 + 10] && out.v[60] == from.v[60]);
        Beauty::new(0.0, 0.0, Area::Everything).run(&from, &mut out, &Crew::alone());
        assert_eq!(out, from);
    }
}
