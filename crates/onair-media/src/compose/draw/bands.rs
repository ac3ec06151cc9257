//! Splits frames into horizontal bands for a worker pool. The number of bands does not depend on
//! the number of threads, so every computer draws the same frame.

use crate::media::Planes;

/// The number of bands of a frame.
pub const MAX_BANDS: usize = 4;

/// A plane with fewer pixels is one band, because waking a thread would take longer than the work.
const MIN_SPLIT_PIXELS: usize = 32 << 10;

/// Returns the number of rows in each band of a plane.
pub fn height(rows: usize, width: usize) -> usize {
    let bands = if rows.saturating_mul(width) < MIN_SPLIT_PIXELS { 1 } else { MAX_BANDS };
    rows.div_ceil(bands).max(1)
}

/// Returns a row of a plane. An index beyond the end gives the last row.
#[inline(always)]
pub fn row(plane: &[u8], width: usize, index: usize) -> &[u8] {
    let last = (plane.len() / width.max(1)).saturating_sub(1);
    let index = index.min(last);
    plane.get(index * width..(index + 1) * width).unwrap_or_default()
}

/// Writes a plane at half the size. Each pixel is the mean of four. `stride` is the length of the
/// plane's rows.
#[inline(always)]
pub fn halved(plane: &[u8], stride: usize, out: &mut [u8]) {
    for (out, rows) in out.chunks_exact_mut(stride / 2).zip(plane.chunks_exact(stride * 2)) {
        let (upper, lower) = rows.split_at(stride);
        let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
        for (out, (upper, lower)) in out.iter_mut().zip(pairs) {
            let sum: u16 = upper.iter().chain(lower).map(|&value| u16::from(value)).sum();
            *out = ((sum + 2) / 4) as u8;
        }
    }
}

/// A band of one plane to read, and the same band of another plane to write.
pub struct Strip<'a> {
    pub from: &'a [u8],
    pub out: &'a mut [u8],
    /// Index of the band's first row in the plane.
    pub first: usize,
}

/// Returns the bands of two planes of the same size, with rows of `width`.
pub fn strips<'a>(
    from: &'a [u8],
    out: &'a mut [u8],
    width: usize,
) -> impl Iterator<Item = Strip<'a>> {
    let rows = height(out.len() / width.max(1), width);
    cut(from, out, rows, width)
}

/// Cuts two planes of the same size, with rows of `width`, into strips of this many rows.
fn cut<'a>(
    from: &'a [u8],
    out: &'a mut [u8],
    rows: usize,
    width: usize,
) -> impl Iterator<Item = Strip<'a>> {
    let length = rows * width.max(1);
    let pairs = from.chunks(length).zip(out.chunks_mut(length)).enumerate();
    pairs.map(move |(index, (from, out))| Strip { from, out, first: index * rows })
}

/// A band of a frame to read, and the same band of another frame to write. A band has complete
/// chroma rows with their luma rows.
pub struct Band<'a> {
    pub y: Strip<'a>,
    pub u: Strip<'a>,
    pub v: Strip<'a>,
    /// The alpha planes of both frames, if present.
    pub alpha: (Option<&'a [u8]>, Option<&'a mut [u8]>),
}

impl Band<'_> {
    /// Copies the colors unchanged.
    pub fn keep(&mut self) {
        for strip in [&mut self.y, &mut self.u, &mut self.v] {
            strip.out.copy_from_slice(strip.from);
        }
    }

    /// Copies the alpha plane without changes.
    pub fn keep_alpha(&mut self) {
        if let (Some(from), Some(out)) = &mut self.alpha {
            out.copy_from_slice(from);
        }
    }
}

/// Returns the bands of two frames of the same size.
pub fn bands<'a>(from: &'a Planes, out: &'a mut Planes) -> impl Iterator<Item = Band<'a>> {
    let (stride, width) = (from.luma_stride(), from.chroma_stride());
    let rows = height(from.u.len() / width.max(1), width);
    let luma = rows * 2 * stride.max(1);
    let ys = cut(&from.y, &mut out.y, rows * 2, stride);
    let us = cut(&from.u, &mut out.u, rows, width);
    let vs = cut(&from.v, &mut out.v, rows, width);
    let mut below = from.alpha.as_deref().map(|alpha| alpha.chunks(luma));
    let mut above = out.alpha.as_deref_mut().map(|alpha| alpha.chunks_mut(luma));
    ys.zip(us.zip(vs)).map(move |(y, (u, v))| {
        let alpha =
            (below.as_mut().and_then(Iterator::next), above.as_mut().and_then(Iterator::next));
        Band { y, u, v, alpha }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    #[test]
    fn bands_are_all_of_a_frame_once() {
        for size in [Size::new(2, 2), Size::new(6, 10), Size::new(640, 362), Size::new(2, 8192)] {
            let from = Planes::transparent(size);
            let mut out = Planes::transparent(size);
            let mut seen = 0;
            for band in bands(&from, &mut out) {
                seen += 1;
                assert_eq!(band.y.first, band.u.first * 2);
                for strip in [band.y, band.u, band.v] {
                    assert_eq!(strip.from.len(), strip.out.len());
                    strip.out.iter_mut().for_each(|value| *value = 7);
                }
                band.alpha.1.into_iter().flatten().for_each(|value| *value = 9);
            }
            assert!((1..=MAX_BANDS).contains(&seen), "{size}");
            for plane in [&out.y, &out.u, &out.v] {
                assert!(plane.iter().all(|value| *value == 7), "{size}");
            }
            assert!(out.alpha.iter().flatten().all(|value| *value == 9), "{size}");
        }
    }
}
