//! Applies a LUT to YUV. The LUT is computed once for every luma value at a grid of chroma values.
//! A pixel then needs three lookups, at the corners of its triangle in the grid.

use std::sync::Arc;

use crate::base::WorkerPool;
use crate::base::partial_debug;
use crate::compose::draw::bands::{Band, bands};
use crate::compose::filter::color::cube::Cube;
use crate::compose::filter::color::key::luma_chroma_of;
use crate::compose::filter::step::Step;
use crate::media::Planes;

/// The chroma steps between two corners.
const CHROMA_STEP: usize = 8;
/// The number of corners per side. The last corner is beyond 255.
const CORNERS_PER_SIDE: usize = 256 / CHROMA_STEP + 1;

/// The result of each luma value at one chroma value.
#[derive(Clone)]
struct Corner {
    y: [u8; 256],
    u: [u8; 256],
    v: [u8; 256],
}

/// A LUT that is prepared for frames in the program's colors.
pub struct Table {
    /// The corners, indexed by U and then by V.
    corners: Vec<Corner>,
}

partial_debug!(Table {});

impl Table {
    /// Computes the table. The table has almost 280,000 colors, so this takes tens of milliseconds.
    pub fn new(cube: &Cube) -> Self {
        let mut corners = Vec::with_capacity(CORNERS_PER_SIDE * CORNERS_PER_SIDE);
        for u in 0..CORNERS_PER_SIDE {
            for v in 0..CORNERS_PER_SIDE {
                let chroma = [u, v].map(|it| (it * CHROMA_STEP) as f32 - 128.0);
                corners.push(corner(cube, chroma));
            }
        }
        Self { corners }
    }
}

fn corner(cube: &Cube, [u, v]: [f32; 2]) -> Corner {
    let mut corner = Corner { y: [0; 256], u: [0; 256], v: [0; 256] };
    let out = corner.y.iter_mut().zip(&mut corner.u).zip(&mut corner.v);
    for (((out_y, out_u), out_v), y) in out.zip(0_u16..) {
        let y = (f32::from(y) - 16.0) / 219.0;
        let (cu, cv) = (u / 224.0, v / 224.0);
        let rgb = [y + 1.5748 * cv, y - 0.187_324 * cu - 0.468_124 * cv, y + 1.8556 * cu];
        let within = rgb.map(|it| it.clamp(0.0, 1.0));
        let mapped = cube.map(within);
        // A color outside the visible range keeps its distance from the nearest color inside, so
        // that the interpolation stays linear.
        let mut new = [0.0; 3];
        for (new, ((mapped, rgb), within)) in
            new.iter_mut().zip(mapped.into_iter().zip(rgb).zip(within))
        {
            *new = mapped + rgb - within;
        }
        let [new_y, new_u, new_v] = luma_chroma_of(new);
        let byte = |value: f32| value.round().clamp(0.0, 255.0) as u8;
        (*out_y, *out_u, *out_v) = (byte(new_y), byte(new_u + 128.0), byte(new_v + 128.0));
    }
    corner
}

/// The implementation of [`Filter::Lut`](crate::compose::filter::Filter::Lut).
#[derive(Debug)]
pub struct Lut {
    table: Arc<Table>,
    /// The strength in 256ths.
    amount: i32,
}

impl Lut {
    pub fn new(table: Arc<Table>, amount: f32) -> Self {
        Self { table, amount: (amount * 256.0).round() as i32 }
    }

    /// Returns the three corners around a chroma value, and their weights in eighths.
    fn triangle(&self, u: u8, v: u8) -> Option<[(&Corner, u32); 3]> {
        let (u, v) = (usize::from(u), usize::from(v));
        let (part_u, part_v) = ((u % CHROMA_STEP) as u32, (v % CHROMA_STEP) as u32);
        let first = u / CHROMA_STEP * CORNERS_PER_SIDE + v / CHROMA_STEP;
        let step = CHROMA_STEP as u32;
        let (second, weights) = if part_u >= part_v {
            (first + CORNERS_PER_SIDE, [step - part_u, part_u - part_v, part_v])
        } else {
            (first + 1, [step - part_v, part_v - part_u, part_u])
        };
        let corner = |index: usize| self.table.corners.get(index);
        let [a, b, c] = weights;
        Some([
            (corner(first)?, a),
            (corner(second)?, b),
            (corner(first + CORNERS_PER_SIDE + 1)?, c),
        ])
    }
}

fn interpolate([(a, wa), (b, wb), (c, wc)]: [(&[u8; 256], u32); 3], y: u8) -> u8 {
    let of = |table: &[u8; 256]| u32::from(table.get(usize::from(y)).copied().unwrap_or(0));
    ((of(a) * wa + of(b) * wb + of(c) * wc + 4) >> 3) as u8
}

fn mixed(from: u8, to: u8, amount: i32) -> u8 {
    let (from, to) = (i32::from(from), i32::from(to));
    (from + (((to - from) * amount + 128) >> 8)).clamp(0, 255) as u8
}

impl Step for Lut {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        let (stride, width) = (from.luma_stride(), from.chroma_stride());
        workers.each(
            bands(from, out),
            #[inline(always)]
            |band| self.map(band, stride, width),
        );
    }
}

impl Lut {
    #[inline(always)]
    fn map(&self, mut band: Band<'_>, stride: usize, width: usize) {
        band.keep_alpha();
        let Band { y, u, v, .. } = band;
        let lines = y.from.chunks_exact(stride * 2).zip(y.out.chunks_exact_mut(stride * 2));
        let chroma = u.from.chunks_exact(width).zip(v.from.chunks_exact(width));
        let out_chroma = u.out.chunks_exact_mut(width).zip(v.out.chunks_exact_mut(width));
        for ((lines, out_lines), (chroma, out_chroma)) in lines.zip(chroma.zip(out_chroma)) {
            let ((upper, lower), (out_upper, out_lower)) =
                (lines.split_at(stride), out_lines.split_at_mut(stride));
            let pixels = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            let out_pixels = out_upper.chunks_exact_mut(2).zip(out_lower.chunks_exact_mut(2));
            let samples = chroma.0.iter().zip(chroma.1);
            let out_samples = out_chroma.0.iter_mut().zip(out_chroma.1);
            for (((up, down), (out_up, out_down)), ((u, v), (out_u, out_v))) in
                pixels.zip(out_pixels).zip(samples.zip(out_samples))
            {
                let Some(corners) = self.triangle(*u, *v) else { continue };
                let luma = corners.map(|(corner, weight)| (&corner.y, weight));
                let mut sum = 2;
                let fours = up.iter().chain(down).zip(out_up.iter_mut().chain(out_down));
                for (y, out) in fours {
                    *out = mixed(*y, interpolate(luma, *y), self.amount);
                    sum += u16::from(*y);
                }
                let y = (sum >> 2) as u8;
                let new_u = interpolate(corners.map(|(corner, weight)| (&corner.u, weight)), y);
                let new_v = interpolate(corners.map(|(corner, weight)| (&corner.v, weight)), y);
                *out_u = mixed(*u, new_u, self.amount);
                *out_v = mixed(*v, new_v, self.amount);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    fn cube(map: impl Fn([f32; 3]) -> [f32; 3]) -> Cube {
        let mut text = "LUT_3D_SIZE 9\n".to_owned();
        for index in 0..729 {
            let at = [index % 9, index / 9 % 9, index / 81].map(|it| it as f32 / 8.0);
            let [r, g, b] = map(at);
            text.push_str(&format!("{r} {g} {b}\n"));
        }
        Cube::parse(&text).unwrap()
    }

    fn every_chroma() -> Planes {
        let mut planes = Planes::black(Size::new(512, 512));
        planes
            .y
            .iter_mut()
            .zip(0_usize..)
            .for_each(|(y, n)| *y = (16 + n / 1024 * 219 / 511) as u8);
        for (row, (u, v)) in
            planes.u.chunks_exact_mut(256).zip(planes.v.chunks_exact_mut(256)).enumerate()
        {
            u.iter_mut().zip(0..=255).for_each(|(u, n)| *u = n);
            v.fill(row as u8);
        }
        planes
    }

    #[test]
    fn a_table_that_changes_nothing_changes_nothing() {
        let from = every_chroma();
        let mut out = Planes::black(from.size());
        Lut::new(Arc::new(Table::new(&cube(|it| it))), 1.0).run(
            &from,
            &mut out,
            &WorkerPool::alone(),
        );
        for (out, from) in [(&out.y, &from.y), (&out.u, &from.u), (&out.v, &from.v)] {
            let worst = out.iter().zip(from).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst <= Some(1), "{worst:?}");
        }
    }

    #[test]
    fn colours_become_what_the_table_says_and_half_of_it_is_half_way() {
        let negative = Arc::new(Table::new(&cube(|rgb| rgb.map(|it| 1.0 - it))));
        let mut from = Planes::black(Size::new(2, 2));
        (from.y, from.u, from.v) = (vec![81; 4], vec![100], vec![160]);
        let mut out = Planes::black(from.size());
        Lut::new(Arc::clone(&negative), 1.0).run(&from, &mut out, &WorkerPool::alone());
        assert!(out.y[0].abs_diff(170) <= 1 && out.u[0].abs_diff(156) <= 1, "{:?}", out.y);
        assert!(out.v[0].abs_diff(96) <= 1);
        Lut::new(negative, 0.5).run(&from, &mut out, &WorkerPool::alone());
        assert!(out.y[0].abs_diff(126) <= 1 && out.u[0].abs_diff(128) <= 1);
    }
}
