//! Box blurs of planes, at nearly the same cost for any radius. The horizontal passes process
//! sixteen rows at the same time. These rows are transposed, so that a running sum is a vector of
//! sixteen rows. The vertical passes work on strips of columns that are narrow enough to stay in
//! the processor's cache for all passes. Sums and means have 16 bits.

use std::iter::{repeat, repeat_n};
use std::ops::Range;

use fearless_simd::{Simd, SimdBase, dispatch, u8x16};

use crate::base::WorkerPool;
use crate::base::simd::level;
use crate::compose::draw::bands::{MAX_BANDS, strips};

/// The largest box whose sum fits into 16 bits with exact division.
const MAX_BOX_SIDE: usize = 64;

/// The number of rows that are processed at the same time.
const ROWS_PER_PASS: usize = 16;

/// The number of columns that are processed at the same time.
const STRIPE_COLUMNS: usize = 512;

/// One pixel of each of [`ROWS_PER_PASS`] rows.
type Column = [u8; ROWS_PER_PASS];

/// Box blurs of planes, with reusable buffers.
#[derive(Debug, Default)]
pub struct BoxBlur {
    /// The plane after the horizontal passes.
    rows: Vec<u8>,
    turned: [[Vec<Column>; 2]; MAX_BANDS],
    stripes: [[Vec<u8>; 2]; MAX_BANDS],
}

impl BoxBlur {
    /// Replaces each pixel by the mean of the box around it that extends `radius` pixels to each
    /// side. The edge pixels are repeated outwards. `plane` has rows of `width`.
    pub fn blur(&mut self, plane: &mut [u8], width: usize, radius: usize, workers: &WorkerPool) {
        if radius > 0 && width > 0 && plane.len() >= width {
            self.along(plane, width, &[radius], workers);
            self.down(plane, width, &[radius], workers);
        }
    }

    /// Works like [`BoxBlur::blur`], but with several boxes in sequence, from one plane to another.
    /// Boxes with radius 0 must be first.
    pub fn blur_to(
        &mut self,
        from: &[u8],
        out: &mut [u8],
        width: usize,
        radii: &[usize],
        workers: &WorkerPool,
    ) {
        let none = radii.iter().take_while(|radius| **radius == 0).count();
        let radii = radii.get(none..).unwrap_or_default();
        if radii.is_empty() || width == 0 {
            return out.copy_from_slice(from);
        }
        self.along(from, width, radii, workers);
        self.down(out, width, radii, workers);
    }

    fn along(&mut self, from: &[u8], width: usize, radii: &[usize], workers: &WorkerPool) {
        self.rows.resize(from.len(), 0);
        let parts = strips(from, &mut self.rows, width).zip(&mut self.turned);
        workers.each(parts, #[inline(always)] |(strip, turned)| {
            dispatch!(level(), simd => along(simd, strip.from, strip.out, width, radii, turned));
        });
    }

    fn down(&mut self, out: &mut [u8], width: usize, radii: &[usize], workers: &WorkerPool) {
        let rows = &self.rows;
        workers.each(
            strips(rows, out, width).zip(&mut self.stripes),
            #[inline(always)]
            |(strip, stripes)| {
                down(rows, width, strip.first, strip.out, radii, stripes);
            },
        );
    }
}

/// Divides the sum of a box, to which half of the divisor was added for rounding. The division is
/// exact for all possible sums, all of which a test checks.
#[derive(Copy, Clone)]
struct Part {
    by: u16,
    shift: u32,
    half: u16,
}

impl Part {
    fn of(radius: usize) -> Self {
        let half = radius.clamp(1, MAX_BOX_SIDE) as u16;
        let count = u32::from(half) * 2 + 1;
        let shift = count.ilog2();
        Self { by: (1_u32 << (16 + shift)).div_ceil(count) as u16, shift, half }
    }

    #[inline(always)]
    fn mean(self, sum: u16) -> u8 {
        let high = (u32::from(sum) * u32::from(self.by)) >> 16;
        (high as u16 >> self.shift) as u8
    }
}

/// Runs all horizontal passes on a band.
#[inline(always)]
fn along<S: Simd>(
    simd: S,
    from: &[u8],
    out: &mut [u8],
    width: usize,
    radii: &[usize],
    [have, next]: &mut [Vec<Column>; 2],
) {
    have.resize(width, [0; ROWS_PER_PASS]);
    next.resize(width, [0; ROWS_PER_PASS]);
    for (from, out) in from.chunks(width * ROWS_PER_PASS).zip(out.chunks_mut(width * ROWS_PER_PASS))
    {
        turn_in(simd, from, width, have);
        for radius in radii {
            columns(simd, have, next, *radius);
            std::mem::swap(have, next);
        }
        turn_out(simd, have, width, out);
    }
}

/// Transposes up to sixteen rows into columns. Missing rows repeat the last one.
#[inline(always)]
fn turn_in<S: Simd>(simd: S, from: &[u8], width: usize, columns: &mut [Column]) {
    let mut lines = from.chunks_exact(width);
    let mut line: &[u8] = &[];
    let lines: [&[u8]; ROWS_PER_PASS] = std::array::from_fn(|_| {
        line = lines.next().unwrap_or(line);
        line
    });
    let mut blocks = columns.chunks_exact_mut(ROWS_PER_PASS);
    let mut left = 0;
    for block in &mut blocks {
        let mut rows = [u8x16::splat(simd, 0); ROWS_PER_PASS];
        for (row, line) in rows.iter_mut().zip(&lines) {
            if let Some(pixels) = line.get(left..left + ROWS_PER_PASS) {
                *row = u8x16::from_slice(simd, pixels);
            }
        }
        for (column, pixels) in block.iter_mut().zip(&turned(simd, rows)) {
            pixels.store_slice(column);
        }
        left += ROWS_PER_PASS;
    }
    for (x, column) in (left..).zip(blocks.into_remainder()) {
        *column = lines.map(|line| line.get(x).copied().unwrap_or(0));
    }
}

/// Transposes columns back into rows. Missing rows are skipped.
#[inline(always)]
fn turn_out<S: Simd>(simd: S, columns: &[Column], width: usize, out: &mut [u8]) {
    let mut lines = out.chunks_exact_mut(width);
    let mut lines: [&mut [u8]; ROWS_PER_PASS] =
        std::array::from_fn(|_| lines.next().unwrap_or_default());
    let blocks = columns.chunks_exact(ROWS_PER_PASS);
    let rest = blocks.remainder();
    let mut left = 0;
    for block in blocks {
        let mut rows = [u8x16::splat(simd, 0); ROWS_PER_PASS];
        for (row, column) in rows.iter_mut().zip(block) {
            *row = u8x16::from_slice(simd, column);
        }
        for (line, pixels) in lines.iter_mut().zip(&turned(simd, rows)) {
            if let Some(line) = line.get_mut(left..left + ROWS_PER_PASS) {
                pixels.store_slice(line);
            }
        }
        left += ROWS_PER_PASS;
    }
    for (x, column) in (left..).zip(rest) {
        for (line, value) in lines.iter_mut().zip(column) {
            if let Some(pixel) = line.get_mut(x) {
                *pixel = *value;
            }
        }
    }
}

/// Transposes rows into columns with four shuffles.
#[inline(always)]
fn turned<S: Simd>(simd: S, rows: [u8x16<S>; ROWS_PER_PASS]) -> [u8x16<S>; ROWS_PER_PASS] {
    shuffled(simd, shuffled(simd, shuffled(simd, shuffled(simd, rows))))
}

/// Interleaves the bytes of the upper half with those of the lower half. The code is unrolled,
/// because a loop would go through memory.
#[inline(always)]
fn shuffled<S: Simd>(simd: S, rows: [u8x16<S>; ROWS_PER_PASS]) -> [u8x16<S>; ROWS_PER_PASS] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = rows;
    let low = |upper, lower| simd.zip_low_u8x16(upper, lower);
    let high = |upper, lower| simd.zip_high_u8x16(upper, lower);
    [
        low(a, i),
        high(a, i),
        low(b, j),
        high(b, j),
        low(c, k),
        high(c, k),
        low(d, l),
        high(d, l),
        low(e, m),
        high(e, m),
        low(f, n),
        high(f, n),
        low(g, o),
        high(g, o),
        low(h, p),
        high(h, p),
    ]
}

/// Runs one pass along transposed rows.
#[inline(always)]
fn columns<S: Simd>(simd: S, from: &[Column], out: &mut [Column], radius: usize) {
    let (Some(first), Some(last)) = (from.first(), from.last()) else { return };
    let part = Part::of(radius);
    let radius = usize::from(part.half);
    let load = |column: &Column| simd.widen_u8x16(simd.load_array_ref_u8x16(column));
    // The whole first box except the pixel that enters last.
    let mut sums = load(first) * (part.half + 1) + part.half;
    for index in 1..radius {
        sums += load(from.get(index).unwrap_or(last));
    }
    let enters = from.iter().skip(radius).chain(repeat(last));
    let leaves = repeat_n(first, radius).chain(from);
    for ((out, enters), leaves) in out.iter_mut().zip(enters).zip(leaves) {
        let whole = sums + load(enters);
        *out = simd.as_array_u16x16(whole).map(|sum| part.mean(sum));
        sums = whole - load(leaves);
    }
}

/// Moves adjacent boxes by one pixel.
#[inline(always)]
fn slide(sums: &mut [u16], enters: &[u8], leaves: &[u8], out: &mut [u8], part: Part) {
    for ((out, sum), (enters, leaves)) in out.iter_mut().zip(sums).zip(enters.iter().zip(leaves)) {
        let whole = *sum + u16::from(*enters);
        *out = part.mean(whole);
        *sum = whole - u16::from(*leaves);
    }
}

/// Some rows of a plane, from `first` on.
#[derive(Copy, Clone)]
struct Rows<'a> {
    data: &'a [u8],
    stride: usize,
    left: usize,
    width: usize,
    first: usize,
}

impl<'a> Rows<'a> {
    #[inline(always)]
    fn row(&self, index: usize) -> &'a [u8] {
        let start = index.saturating_sub(self.first) * self.stride + self.left;
        self.data.get(start..start + self.width).unwrap_or_default()
    }
}

/// Runs all vertical passes on a band that begins at row `first`. A pass computes as many extra
/// rows around the band as later passes need.
#[inline(always)]
fn down(
    rows: &[u8],
    width: usize,
    first: usize,
    out: &mut [u8],
    radii: &[usize],
    [have, next]: &mut [Vec<u8>; 2],
) {
    let height = rows.len() / width;
    let end = first + out.len() / width;
    let reach: usize = radii.iter().map(|radius| (*radius).min(MAX_BOX_SIDE)).sum();
    let most = (end - first + reach * 2).min(height) * STRIPE_COLUMNS.min(width);
    have.resize(most, 0);
    next.resize(most, 0);
    for left in (0..width).step_by(STRIPE_COLUMNS) {
        let wide = STRIPE_COLUMNS.min(width - left);
        let mut after = reach;
        let mut source = Rows { data: rows, stride: width, left, width: wide, first: 0 };
        for radius in radii {
            after -= (*radius).min(MAX_BOX_SIDE);
            let made = first.saturating_sub(after)..(end + after).min(height);
            let top = made.start;
            if after == 0 {
                stripe(source, height, made, out.chunks_mut(width), left, *radius);
                break;
            }
            stripe(source, height, made, next.chunks_mut(wide), 0, *radius);
            std::mem::swap(have, next);
            source = Rows { data: have, stride: wide, left: 0, width: wide, first: top };
        }
    }
}

/// Blurs the rows `made` of a strip of columns vertically. In `out`, the strip begins at column
/// `left`.
#[inline(always)]
fn stripe<'a>(
    from: Rows<'_>,
    height: usize,
    made: Range<usize>,
    out: impl Iterator<Item = &'a mut [u8]>,
    left: usize,
    radius: usize,
) {
    let part = Part::of(radius);
    let radius = usize::from(part.half);
    let row = |index: usize| from.row(index.min(height.saturating_sub(1)));
    let mut sums = [part.half; STRIPE_COLUMNS];
    // The whole first box except the pixel that enters last.
    for index in made.start..made.start + radius * 2 {
        let row = row(index.saturating_sub(radius));
        sums.iter_mut().zip(row).for_each(|(sum, pixel)| *sum += u16::from(*pixel));
    }
    for (index, out) in made.zip(out) {
        let out = out.get_mut(left..left + from.width).unwrap_or_default();
        slide(&mut sums, row(index + radius), row(index.saturating_sub(radius)), out, part);
    }
}

/// Returns the radii of three boxes that together approximate a Gaussian of this standard
/// deviation.
pub fn gaussian(sigma: f32) -> [usize; 3] {
    // The variance of a box of width w is (w² - 1) / 12; there are three boxes, and the narrow ones
    // come first.
    let ideal = (12.0 * sigma * sigma / 3.0 + 1.0).max(1.0).sqrt();
    let narrow = ((ideal - 1.0) / 2.0).floor().max(0.0);
    let low = narrow * 2.0 + 1.0;
    let wide = low + 2.0;
    let few = (12.0 * sigma * sigma - 3.0 * (wide * wide - 1.0)) / ((low * low) - (wide * wide));
    let few = few.round().clamp(0.0, 3.0) as usize;
    let mut radii = [narrow as usize + 1; 3];
    radii.iter_mut().take(few).for_each(|radius| *radius = narrow as usize);
    radii
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a test plane with noise on a gradient, and an edge.
    fn painted(width: usize, height: usize) -> Vec<u8> {
        let mut random = 7_u32;
        (0..width * height)
            .map(|index| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let (x, y) = (index % width, index / width);
                let noise = (random >> if x % 97 < 50 { 24 } else { 29 }) as usize;
                let edge = if x + y > (width + height) / 2 { 120 } else { 0 };
                (noise + x * 60 / width + edge).min(255) as u8
            })
            .collect()
    }

    #[test]
    fn a_mean_is_exact_for_all_that_a_box_can_sum_up_to() {
        for radius in 1..=MAX_BOX_SIDE {
            let (part, count) = (Part::of(radius), radius as u32 * 2 + 1);
            for sum in 0..=255 * count {
                let want = (sum + radius as u32) / count;
                assert_eq!(
                    u32::from(part.mean((sum + radius as u32) as u16)),
                    want,
                    "{radius} {sum}"
                );
            }
        }
    }

    /// Blurs with one box, pixel by pixel, along the rows and then down the columns.
    fn slowly(plane: &[u8], width: usize, radius: usize) -> Vec<u8> {
        let (count, height) = (radius as i64 * 2 + 1, plane.len() / width);
        let pass = |plane: &[u8], (right, down): (i64, i64)| -> Vec<u8> {
            let at = |x: i64, y: i64| {
                let x = x.clamp(0, width as i64 - 1) as usize;
                u32::from(plane[y.clamp(0, height as i64 - 1) as usize * width + x])
            };
            (0..plane.len() as i64)
                .map(|index| {
                    let (x, y) = (index % width as i64, index / width as i64);
                    let sum: u32 = (-(count / 2)..=count / 2)
                        .map(|step| at(x + step * right, y + step * down))
                        .sum();
                    ((sum + radius as u32) / count as u32) as u8
                })
                .collect()
        };
        pass(&pass(plane, (1, 0)), (0, 1))
    }

    /// Tests sizes that fill no complete blocks, strips or bands, or are smaller than a box.
    #[test]
    fn one_box_is_what_it_is_pixel_by_pixel() {
        let workers = WorkerPool::of("bands", 2);
        for (width, height) in [(1, 1), (2, 40), (13, 9), (16, 16), (33, 17), (530, 70)] {
            for radius in [1, 2, 5, 20] {
                let from = painted(width, height);
                let mut plane = from.clone();
                BoxBlur::default().blur(&mut plane, width, radius, &workers);
                assert!(plane == slowly(&from, width, radius), "{width}x{height}, {radius}");
            }
        }
        let mut flat = vec![235; 40];
        BoxBlur::default().blur(&mut flat, 8, 3, &WorkerPool::alone());
        assert_eq!(flat, [235; 40]);
        BoxBlur::default().blur(&mut [1, 2], 0, 3, &WorkerPool::alone());
    }

    /// Checks several boxes. All horizontal passes run before all vertical ones, which changes the
    /// rounding.
    #[test]
    fn several_boxes_are_within_one_of_each_after_the_other() {
        let mut boxes = BoxBlur::default();
        for (width, height, radii) in [
            (530, 90, [1, 2, 2]),
            (530, 90, [5, 5, 6]),
            (97, 350, [0, 0, 1]),
            (97, 350, [20, 21, 21]),
            (40, 30, [63, 63, 64]),
        ] {
            let from = painted(width, height);
            let mut out = vec![0; from.len()];
            boxes.blur_to(&from, &mut out, width, &radii, &WorkerPool::of("bands", 2));
            let want = radii.iter().fold(from, |plane, radius| slowly(&plane, width, *radius));
            let worst = out.iter().zip(&want).map(|(one, other)| one.abs_diff(*other)).max();
            assert!(worst <= Some(1), "{width}x{height}, {radii:?}: {worst:?}");
        }
        let mut out = [0; 3];
        boxes.blur_to(&[1, 2, 3], &mut out, 3, &[0, 0, 0], &WorkerPool::alone());
        assert_eq!(out, [1, 2, 3]);
    }

    #[test]
    fn three_boxes_have_the_variance_asked_for() {
        for sigma in [0.0_f32, 0.8, 1.0, 2.5, 7.0, 40.0] {
            let variance: f32 = gaussian(sigma)
                .iter()
                .map(|&radius| {
                    let width = (2 * radius + 1) as f32;
                    (width * width - 1.0) / 12.0
                })
                .sum();
            assert!((variance.sqrt() - sigma).abs() < 0.45, "{sigma}: {}", variance.sqrt());
        }
    }
}
