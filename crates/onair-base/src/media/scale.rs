//! Scales frames with a triangle filter. Half of the filter's width is one pixel of the result when
//! reducing, and one pixel of the original when enlarging. Down to half the size, four pixels per
//! row contribute, and this module scales without a library. Other sizes are scaled by a library,
//! which would be slower for only four pixels.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::base::simd::wide;
use crate::media::frame::{Planes, Size};

/// Number of pixels of the original that contribute to a pixel of the result, in each direction.
const FILTER_TAPS: usize = 4;
/// The sum of the weights, chosen so that the rounded weighted sum fits into 16 bits.
const WEIGHT_SUM: f64 = 256.0;
const ROUNDING_HALF: u16 = 128;

/// A scaler for frames, which keeps its buffers while the sizes stay the same.
#[derive(Debug, Default)]
pub struct FrameScaler {
    luma: Plane,
    chroma: Plane,
}

/// The reason why a frame could not be scaled.
#[derive(Debug, thiserror::Error)]
#[error("scaling a frame: {0}")]
pub struct ScaleError(String);

impl FrameScaler {
    /// Scales `from` into `to`, whose planes have the size `target`.
    ///
    /// # Errors
    /// Fails if the planes do not have the expected size.
    pub fn scale(
        &mut self,
        from: &Planes,
        [y, u, v]: [&mut [u8]; 3],
        target: Size,
    ) -> Result<(), ScaleError> {
        let size = from.size();
        self.luma.scale((&from.y, size), (y, target))?;
        self.chroma.scale((&from.u, size.half()), (u, target.half()))?;
        self.chroma.scale((&from.v, size.half()), (v, target.half()))
    }
}

/// The inputs of a row or column of the result: the start of the inputs, and their weights.
#[derive(Copy, Clone, Debug)]
struct Tap {
    first: usize,
    weights: [u16; FILTER_TAPS],
}

/// The inputs of a column, with packed weights. The last weight is in the lowest bits.
#[derive(Copy, Clone, Debug)]
struct Lane {
    first: usize,
    weights: u64,
}

impl From<Tap> for Lane {
    fn from(Tap { first, weights: [a, b, c, d] }: Tap) -> Self {
        Self { first, weights: lanes([d, c, b, a]) }
    }
}

/// Scales planes of one size.
#[derive(Debug, Default)]
struct Plane {
    sizes: Option<(Size, Size)>,
    across: Vec<Lane>,
    down: Vec<Tap>,
    /// One row of the vertical pass, as wide as the original.
    row: Vec<u16>,
    resizer: Resizer,
}

impl Plane {
    fn scale(&mut self, from: (&[u8], Size), to: (&mut [u8], Size)) -> Result<(), ScaleError> {
        // In a build for tests, only the library is optimized, and scales several times faster.
        if cfg!(debug_assertions) { self.by_library(from, to) } else { self.fastest(from, to) }
    }

    /// Scales in the way that is faster in an optimized build.
    fn fastest(
        &mut self,
        (from, size): (&[u8], Size),
        (to, target): (&mut [u8], Size),
    ) -> Result<(), ScaleError> {
        let fits =
            |from: u32, to: u32| from as usize >= FILTER_TAPS && from <= to.saturating_mul(2);
        if !fits(size.width, target.width) || !fits(size.height, target.height) {
            return self.by_library((from, size), (to, target));
        }
        if self.sizes.replace((size, target)) != Some((size, target)) {
            self.across = taps(size.width, target.width).into_iter().map(Lane::from).collect();
            self.down = taps(size.height, target.height);
            self.row = vec![0; size.width as usize];
        }
        let width = size.width as usize;
        for (tap, out) in self.down.iter().zip(to.chunks_exact_mut(target.width as usize)) {
            let mut rows = from.chunks_exact(width).skip(tap.first);
            let mut next = || rows.next().ok_or_else(|| ScaleError("rows are missing".into()));
            let rows = [next()?, next()?, next()?, next()?];
            wide(|| blend(&mut self.row, rows, tap.weights));
            gather(&self.row, &self.across, out);
        }
        Ok(())
    }

    fn by_library(
        &mut self,
        (from, size): (&[u8], Size),
        (to, target): (&mut [u8], Size),
    ) -> Result<(), ScaleError> {
        let fault = |error: &dyn std::fmt::Display| ScaleError(error.to_string());
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let from = TypedImageRef::<U8>::from_buffer(size.width, size.height, from)
            .map_err(|e| fault(&e))?;
        let mut to = TypedImage::<U8>::from_buffer(target.width, target.height, to)
            .map_err(|e| fault(&e))?;
        self.resizer.resize_typed(&from, &mut to, &options).map_err(|e| fault(&e))
    }
}

/// Returns the inputs of each of `to` pixels in a row, from `from` pixels.
fn taps(from: u32, to: u32) -> Vec<Tap> {
    let scale = f64::from(from) / f64::from(to);
    let reach = scale.max(1.0);
    let last = f64::from(from) - FILTER_TAPS as f64;
    let tap = |at: u32| {
        let center = (f64::from(at) + 0.5) * scale - 0.5;
        // The first pixel within the reach of the filter.
        let first = ((center - reach).floor() + 1.0).clamp(0.0, last);
        let weight = |n: usize| (1.0 - ((first + n as f64 - center) / reach).abs()).max(0.0);
        let exact: [f64; FILTER_TAPS] = std::array::from_fn(weight);
        let sum: f64 = exact.iter().sum();
        // Cumulative rounding, so that the weights add up exactly.
        let (mut seen, mut given) = (0.0, 0);
        let weights = exact.map(|weight| {
            seen += weight;
            let until = (seen / sum * WEIGHT_SUM).round() as u16;
            until - std::mem::replace(&mut given, until)
        });
        Tap { first: first as usize, weights }
    };
    (0..to).map(tap).collect()
}

/// Combines four rows into one.
#[inline(always)]
fn blend(row: &mut [u16], [a, b, c, d]: [&[u8]; FILTER_TAPS], weights: [u16; FILTER_TAPS]) {
    let [p, q, r, s] = weights;
    for ((((out, a), b), c), d) in row.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        let sum = u16::from(*a) * p + u16::from(*b) * q + u16::from(*c) * r + u16::from(*d) * s;
        *out = (sum + ROUNDING_HALF) >> 8;
    }
}

/// Computes a row of the result. One multiplication computes four products and their sum, which is
/// in the highest 16 bits of the result. All intermediate sums also fit into 16 bits.
fn gather(row: &[u16], across: &[Lane], out: &mut [u8]) {
    for (out, lane) in out.iter_mut().zip(across) {
        let Some(pixels) = row.get(lane.first..).and_then(|rest| rest.first_chunk()) else {
            return;
        };
        let sum = lanes(*pixels).wrapping_mul(lane.weights);
        *out = (((sum >> 48) as u16 + ROUNDING_HALF) >> 8) as u8;
    }
}

/// Packs four values, with the first one in the lowest bits.
#[inline(always)]
fn lanes([a, b, c, d]: [u16; FILTER_TAPS]) -> u64 {
    u64::from(a) | u64::from(b) << 16 | u64::from(c) << 32 | u64::from(d) << 48
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws a test frame: rings that become finer towards the edges, lines that are one and two
    /// pixels wide, and noise.
    fn card(size: Size) -> Vec<u8> {
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        let mut noise = 1_u32;
        let mut pixel = |x: u32, y: u32| {
            let (dx, dy) = (f64::from(x) - width / 2.0, f64::from(y) - height / 2.0);
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            match y * 4 / size.height {
                0 | 1 => (128.0 + 110.0 * ((dx * dx + dy * dy) * 1.5 / width).cos()) as u8,
                2 if x.is_multiple_of(2) || y.is_multiple_of(4) => 235,
                2 => 16,
                _ => (noise >> 24) as u8,
            }
        };
        let places = (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y)));
        places.map(|(x, y)| pixel(x, y)).collect()
    }

    #[test]
    fn four_taps_are_what_the_library_makes_of_any_number() {
        let from = Size::new(480, 270);
        let card = card(from);
        let sizes =
            [(240, 135), (360, 202), (320, 180), (400, 226), (478, 268), (720, 404), (480, 135)];
        for (width, height) in sizes {
            let to = Size::new(width, height);
            let (mut own, mut theirs) = (vec![0; to.pixels()], vec![0; to.pixels()]);
            let mut plane = Plane::default();
            plane.fastest((&card, from), (&mut own, to)).unwrap();
            assert!(plane.sizes.is_some(), "{to} is left to the library");
            plane.by_library((&card, from), (&mut theirs, to)).unwrap();
            let off = own.iter().zip(&theirs).map(|(a, b)| a.abs_diff(*b));
            let square: f64 = off.clone().map(|off| f64::from(off).powi(2)).sum();
            let most = off.max();
            assert!(most <= Some(2), "{to}: {most:?}");
            // At least 53 dB.
            let mean = square / to.pixels() as f64;
            assert!(mean < 0.3, "{to}: {mean}");
        }
    }

    #[test]
    fn what_is_flat_stays_so_and_the_ends_are_those_of_the_source() {
        for value in [0, 1, 127, 254, 255] {
            let from = Size::new(64, 36);
            let mut plane = Plane::default();
            for (width, height) in [(32, 18), (42, 26), (64, 18), (130, 74), (16, 10)] {
                let to = Size::new(width, height);
                let mut out = vec![7; to.pixels()];
                plane.fastest((&vec![value; from.pixels()], from), (&mut out, to)).unwrap();
                assert!(out.iter().all(|out| *out == value), "{value} {to}");
            }
        }
        let mut from = vec![50; 64 * 36];
        from.chunks_exact_mut(64).for_each(|row| (row[0], row[63]) = (0, 250));
        let to = Size::new(128, 72);
        let mut out = vec![0; to.pixels()];
        Plane::default().fastest((&from, Size::new(64, 36)), (&mut out, to)).unwrap();
        assert_eq!((out[0], out[127], out[64]), (0, 250, 50));
    }

    #[test]
    fn planes_of_another_size_than_they_say_are_an_error_and_no_more() {
        let (size, to) = (Size::new(64, 36), Size::new(32, 18));
        let mut out = vec![0; to.pixels()];
        let short = Plane::default().fastest((&[0; 64], size), (&mut out, to));
        assert!(short.unwrap_err().to_string().contains("rows"));
        let tiny = Size::new(2, 2);
        let mut out = [0; 16];
        Plane::default().fastest((&[9; 4], tiny), (&mut out, Size::new(4, 4))).unwrap();
        assert_eq!(out, [9; 16]);
    }
}
