//! Operations on alpha planes for filters.

use crate::base::WorkerPool;
use crate::base::simd::wide;
use crate::compose::draw::bands;
use crate::compose::draw::bands::MAX_BANDS;
pub(super) use crate::compose::draw::prepare::scaled_by as times;

/// Converts limited-range luma to 0…255.
pub fn full_range(y: u8) -> u8 {
    ((i32::from(y) - 16) * 255 / 219).clamp(0, 255) as u8
}

/// Multiplies a plane by another, if there is one.
pub fn multiply(plane: &mut [u8], by: Option<&Vec<u8>>) {
    let Some(by) = by else { return };
    wide(
        #[inline(always)]
        || times_all(plane, by),
    );
}

/// Multiplies a plane by another.
#[inline(always)]
pub fn times_all(plane: &mut [u8], by: &[u8]) {
    for (value, by) in plane.iter_mut().zip(by) {
        *value = times(*value, *by);
    }
}

/// Upscales a plane to twice the width and height. In each direction, a new pixel is three quarters
/// of the nearest old pixel and one quarter of the next one.
#[derive(Debug, Default)]
pub struct ChromaUpscaler {
    /// A row buffer for each band.
    rows: [Vec<u16>; MAX_BANDS],
}

impl ChromaUpscaler {
    /// Upscales `small`, which has rows of `width` pixels. `out` has twice as many rows of twice
    /// the width.
    pub fn double(&mut self, small: &[u8], width: usize, out: &mut [u8], workers: &WorkerPool) {
        let width = width.max(1);
        let rows = bands::height(out.len() / (width * 2), width * 2);
        let parts = out.chunks_mut(rows * width * 2).enumerate().zip(&mut self.rows);
        workers.each(
            parts,
            #[inline(always)]
            |((index, out), row)| doubled(small, width, index * rows, row, out),
        );
    }
}

/// Computes some rows of the result, from index `first` on. `row` is a reusable buffer.
#[inline(always)]
fn doubled(small: &[u8], width: usize, first: usize, row: &mut Vec<u16>, out: &mut [u8]) {
    // One extra column at each side.
    row.resize(width + 2, 0);
    let last = (small.len() / width).saturating_sub(1);
    let line = |index| bands::row(small, width, index);
    for (index, out) in (first..).zip(out.chunks_exact_mut(width * 2)) {
        let near = (index / 2).min(last);
        let far = if index % 2 == 0 { near.saturating_sub(1) } else { near + 1 };
        let inner = row.iter_mut().skip(1);
        for ((mixed, near), far) in inner.zip(line(near)).zip(line(far)) {
            *mixed = u16::from(*near) * 3 + u16::from(*far);
        }
        if let [first, second, .., last_but_one, last] = row.as_mut_slice() {
            *first = *second;
            *last = *last_but_one;
        } else if let [first, only, last] = row.as_mut_slice() {
            (*first, *last) = (*only, *only);
        }
        for (out, around) in out.chunks_exact_mut(2).zip(row.windows(3)) {
            if let (&mut [ref mut left, ref mut right], &[before, here, after]) = (out, around) {
                *left = ((here * 3 + before + 8) >> 4) as u8;
                *right = ((here * 3 + after + 8) >> 4) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubling_keeps_what_is_even_and_softens_steps() {
        let mut doubler = ChromaUpscaler::default();
        let mut out = vec![1; 16];
        doubler.double(&[200; 4], 2, &mut out, &WorkerPool::alone());
        assert_eq!(out, [200; 16]);
        let mut out = vec![0; 8];
        doubler.double(&[0, 255], 2, &mut out, &WorkerPool::alone());
        assert_eq!(out, [0, 64, 191, 255, 0, 64, 191, 255]);
        let mut out = vec![0; 4];
        doubler.double(&[77], 1, &mut out, &WorkerPool::alone());
        assert_eq!(out, [77; 4]);
    }

    #[test]
    fn multiplying_is_exact_at_its_ends() {
        for value in 0..=255 {
            assert_eq!((times(value, 255), times(value, 0)), (value, 0));
        }
    }
}
