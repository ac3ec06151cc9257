//! Maps 10-bit colors for display with a table, and applies the table to frames. The nodes of the
//! table are 32 codes of luma and 16 codes of chroma apart, with linear interpolation between them.
//! Chroma has a quarter of the pixels, so its two values select a column once for four pixels. In
//! the column, the four corners of each node are adjacent, as one vector.

use fearless_simd::{Simd, dispatch, f32x4};

use crate::base::WorkerPool;
use crate::base::simd::level;
use crate::decode::backend::ffmpeg::transfer::Kind;
use crate::media::Planes;

/// The distance between two nodes in codes, as a power of two.
const LUMA_STEP_SHIFT: u32 = 5;
const CHROMA_STEP_SHIFT: u32 = 4;
/// Number of luma nodes.
const LUMA_NODES: usize = (1024 >> LUMA_STEP_SHIFT) + 1;
/// Number of chroma columns in each direction.
const CHROMA_COLUMNS: usize = 1024 >> CHROMA_STEP_SHIFT;
/// Number of positions between two columns in one direction.
const POSITIONS_PER_COLUMN: usize = 1 << CHROMA_STEP_SHIFT;
/// Number of positions between the columns in both directions together.
const SUBCELLS_PER_COLUMN: usize = POSITIONS_PER_COLUMN * POSITIONS_PER_COLUMN;

/// Number of bands that are processed in parallel.
const PARALLEL_BANDS: usize = 8;

/// For each node, the values at the four corners of the column.
type Curve = [[f32; 4]; LUMA_NODES];

/// The curves of Y', Cb and Cr for one column of chroma.
struct Column([Curve; 3]);

/// The table of mapped colors; see the module documentation.
pub(super) struct Table {
    kind: Kind,
    columns: Box<[Column]>,
    /// The weights of the four corners of a column at each position between them.
    weights: Box<[[f32; 4]]>,
}

/// Three 10-bit planes in memory, each with its stride.
pub(super) struct TenBitPlanes<'a>(pub [(&'a [u16], usize); 3]);

/// A table with fixed lengths for fast loops.
#[derive(Copy, Clone)]
struct SizedTable<'a> {
    columns: &'a [Column; CHROMA_COLUMNS * CHROMA_COLUMNS],
    weights: &'a [[f32; 4]; SUBCELLS_PER_COLUMN],
}

/// Two rows of luma and the chroma row between them, each with its output.
struct Rows<'a> {
    luma: [&'a [u16]; 2],
    chroma: [&'a [u16]; 2],
    /// Output of both luma rows.
    to_luma: &'a mut [u8],
    to_chroma: [&'a mut [u8]; 2],
}

impl Table {
    pub fn new(kind: Kind, workers: &WorkerPool) -> Self {
        let ready = kind.ready();
        let side = CHROMA_COLUMNS + 1;
        let mut nodes = vec![[0.0_f32; 3]; side * side * LUMA_NODES];
        workers.each(nodes.chunks_mut(side * LUMA_NODES).enumerate(), |(cb, nodes)| {
            for (place, node) in nodes.iter_mut().enumerate() {
                let (cr, luma) = (place / LUMA_NODES, place % LUMA_NODES);
                let codes =
                    [luma << LUMA_STEP_SHIFT, cb << CHROMA_STEP_SHIFT, cr << CHROMA_STEP_SHIFT];
                let shown = ready.shown(codes.map(|code| code as f64));
                *node = shown.map(|value| value.clamp(0.0, 255.0) as f32);
            }
        });
        let node = |cb: usize, cr: usize, luma: usize| {
            nodes.get((cb * side + cr) * LUMA_NODES + luma).copied().unwrap_or_default()
        };
        let column = |at: usize| {
            let (cb, cr) = (at / CHROMA_COLUMNS, at % CHROMA_COLUMNS);
            let corners = [(cb, cr), (cb, cr + 1), (cb + 1, cr), (cb + 1, cr + 1)];
            let mut column = Column([[[0.0; 4]; LUMA_NODES]; 3]);
            for (channel, curve) in column.0.iter_mut().enumerate() {
                for (luma, values) in curve.iter_mut().enumerate() {
                    *values = corners.map(|(cb, cr)| {
                        node(cb, cr, luma).get(channel).copied().unwrap_or_default()
                    });
                }
            }
            column
        };
        let weights = |place: usize| {
            let part = |steps: usize| steps as f32 / POSITIONS_PER_COLUMN as f32;
            let (x, y) = (part(place / POSITIONS_PER_COLUMN), part(place % POSITIONS_PER_COLUMN));
            [(1.0 - x) * (1.0 - y), (1.0 - x) * y, x * (1.0 - y), x * y]
        };
        Self {
            kind,
            columns: (0..CHROMA_COLUMNS * CHROMA_COLUMNS).map(column).collect(),
            weights: (0..SUBCELLS_PER_COLUMN).map(weights).collect(),
        }
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    fn sized(&self) -> Option<SizedTable<'_>> {
        let columns = (&*self.columns).try_into().ok()?;
        Some(SizedTable { columns, weights: (&*self.weights).try_into().ok()? })
    }

    /// Converts a 10-bit frame to an onair frame. The 10-bit frame is at least as large.
    pub fn show(&self, from: &TenBitPlanes<'_>, into: &mut Planes, workers: &WorkerPool) {
        let Some(look) = self.sized() else { return };
        let (width, half) = (into.luma_stride(), into.chroma_stride());
        // Whole rows of chroma, each with its two rows of luma.
        let rows = (into.size().height as usize / 2).div_ceil(PARALLEL_BANDS).max(1);
        let [luma, cb, cr] = from.0;
        let bands = luma
            .0
            .chunks(luma.1 * 2 * rows)
            .zip(cb.0.chunks(cb.1 * rows))
            .zip(cr.0.chunks(cr.1 * rows))
            .zip(into.y.chunks_mut(width * 2 * rows))
            .zip(into.u.chunks_mut(half * rows))
            .zip(into.v.chunks_mut(half * rows));
        workers.each(bands, |(((((y, u), v), to_y), to_u), to_v)| {
            let from = y.chunks(luma.1 * 2).zip(u.chunks(cb.1)).zip(v.chunks(cr.1));
            let into = to_y
                .chunks_exact_mut(width * 2)
                .zip(to_u.chunks_exact_mut(half))
                .zip(to_v.chunks_exact_mut(half));
            for (((y, u), v), ((to_luma, to_u), to_v)) in from.zip(into) {
                let Some((upper, lower)) = y.split_at_checked(luma.1) else { return };
                let rows =
                    Rows { luma: [upper, lower], chroma: [u, v], to_luma, to_chroma: [to_u, to_v] };
                look.through(rows);
            }
        });
    }
}

/// Interpolates the four corner values of a curve at `luma`, which is between two nodes. The caller
/// adds these values.
#[inline(always)]
fn corners<S: Simd>(simd: S, curve: &Curve, luma: u16, weights: f32x4<S>) -> f32x4<S> {
    let luma = u32::from(luma) & 1023;
    let node = (luma >> LUMA_STEP_SHIFT) as usize;
    let part = (luma & ((1 << LUMA_STEP_SHIFT) - 1)) as f32 / (1 << LUMA_STEP_SHIFT) as f32;
    let [Some(low), Some(high)] = [curve.get(node), curve.get(node + 1)] else { return weights };
    let (low, high) = (simd.load_array_ref_f32x4(low), simd.load_array_ref_f32x4(high));
    ((high - low) * simd.splat_f32x4(part) + low) * weights
}

/// Returns the horizontal sum of each of four vectors.
#[inline(always)]
fn sums<S: Simd>(simd: S, [a, b, c, d]: [f32x4<S>; 4]) -> f32x4<S> {
    let pairs = |a, b| simd.unzip_low_f32x4(a, b) + simd.unzip_high_f32x4(a, b);
    pairs(pairs(a, b), pairs(c, d))
}

impl SizedTable<'_> {
    fn through(self, rows: Rows<'_>) {
        dispatch!(level(), simd => self.rows(simd, rows));
    }

    /// Converts rows. Luma is dithered with a pattern of four pixels, which together keep more than
    /// 8 bits, so dark skies show no banding.
    #[inline(always)]
    fn rows<S: Simd>(self, simd: S, rows: Rows<'_>) {
        let (to_upper, to_lower) = rows.to_luma.split_at_mut(rows.to_luma.len() / 2);
        let [upper, lower] = rows.luma.map(|row| row.as_chunks::<2>().0);
        let [u, v] = rows.chroma;
        let [to_u, to_v] = rows.to_chroma;
        let from = upper.iter().zip(lower).zip(u).zip(v);
        let to_luma =
            to_upper.as_chunks_mut::<2>().0.iter_mut().zip(to_lower.as_chunks_mut::<2>().0);
        let rounding = simd.load_array_f32x4([0.125, 0.625, 0.875, 0.375]);
        let half = simd.splat_f32x4(0.5);
        for ((((upper, lower), u), v), (((to_upper, to_lower), to_u), to_v)) in
            from.zip(to_luma.zip(to_u).zip(to_v))
        {
            let (x, y) = (usize::from(*u & 1023), usize::from(*v & 1023));
            let column = (x >> CHROMA_STEP_SHIFT) * CHROMA_COLUMNS + (y >> CHROMA_STEP_SHIFT);
            let place = x % POSITIONS_PER_COLUMN * POSITIONS_PER_COLUMN + y % POSITIONS_PER_COLUMN;
            let (Some(Column([of_luma, of_u, of_v])), Some(weights)) =
                (self.columns.get(column), self.weights.get(place))
            else {
                continue;
            };
            let weights = simd.load_array_ref_f32x4(weights);
            let ([a, b], [c, d]) = (*upper, *lower);
            let four = [a, b, c, d].map(|luma| corners(simd, of_luma, luma, weights));
            let [a8, b8, c8, d8] =
                simd.as_array_i32x4(simd.cvt_i32_f32x4(sums(simd, four) + rounding));
            *to_upper = [a8 as u8, b8 as u8];
            *to_lower = [c8 as u8, d8 as u8];
            let mean = ((a & 1023) + (b & 1023) + (c & 1023) + (d & 1023) + 2) / 4;
            let [u, v] = [of_u, of_v].map(|curve| corners(simd, curve, mean, weights));
            let [u, v, ..] =
                simd.as_array_i32x4(simd.cvt_i32_f32x4(sums(simd, [u, v, u, v]) + half));
            (*to_u, *to_v) = (u as u8, v as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::backend::ffmpeg::transfer::{Matrix, Primaries, Transfer};
    use crate::media::Size;

    /// Tests that the table matches the formulas for all colors, except between nodes at the edge
    /// of BT.709, where a channel falls steeply to zero.
    #[test]
    fn the_table_follows_the_formulas() {
        for (transfer, peak) in [
            (Transfer::Pq, None),
            (Transfer::Pq, Some(4_000)),
            (Transfer::Hlg, None),
            (Transfer::Gamma, None),
        ] {
            let (primaries, matrix) = (Primaries::Bt2020, Matrix::Bt2020);
            let kind = Kind { transfer, primaries, matrix, full: false, peak };
            let (table, ready) = (Table::new(kind, &WorkerPool::alone()), kind.ready());
            let look = table.sized().unwrap();
            let mut errors: [Vec<f64>; 3] = Default::default();
            let mut seed = 1_u32;
            for _ in 0..10_000 {
                // All values that the matrix allows.
                let mut next = || {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    f64::from(seed >> 8) / f64::from(1 << 24)
                };
                let (r, g, b) = (next(), next(), next());
                let luma = 0.2627 * r + 0.678 * g + 0.0593 * b;
                let (cb, cr) = ((b - luma) / 1.8814, (r - luma) / 1.4746);
                let codes = [64.0 + 876.0 * luma, 512.0 + 896.0 * cb, 512.0 + 896.0 * cr];
                let codes = codes.map(f64::round);
                let [y, u, v] = codes.map(|code| code as u16);
                let (mut to_y, mut to_u, mut to_v) = ([0; 4], [0], [0]);
                look.through(Rows {
                    luma: [&[y; 2], &[y; 2]],
                    chroma: [&[u], &[v]],
                    to_luma: &mut to_y,
                    to_chroma: [&mut to_u, &mut to_v],
                });
                let mean = to_y.iter().map(|it| f64::from(*it)).sum::<f64>() / 4.0;
                let got = [mean, f64::from(to_u[0]), f64::from(to_v[0])];
                for ((got, want), errors) in got.iter().zip(ready.shown(codes)).zip(&mut errors) {
                    errors.push((got - want).abs());
                }
            }
            for errors in &mut errors {
                errors.sort_by(f64::total_cmp);
                let mean = errors.iter().sum::<f64>() / errors.len() as f64;
                let most = errors[errors.len() * 95 / 100];
                assert!(mean < 0.8 && most < 4.0, "{transfer:?} {peak:?}: {mean}, {most}");
            }
        }
    }

    #[test]
    fn every_code_has_a_place_and_sizes_may_be_small() {
        let kind = Kind {
            transfer: Transfer::Pq,
            primaries: Primaries::Bt2020,
            matrix: Matrix::Bt2020,
            full: true,
            peak: None,
        };
        let table = Table::new(kind, &WorkerPool::alone());
        for size in [Size::new(2, 2), Size::new(6, 34), Size::new(130, 18)] {
            let mut planes = Planes::black(size);
            let (width, height) = (size.width as usize, size.height as usize);
            // Rows are longer than the frame, and codes have unrelated high bits.
            let luma = vec![0xFFFF_u16; (width + 3) * height];
            let chroma = vec![0x0200_u16; (width / 2 + 5) * height / 2];
            let stride = width / 2 + 5;
            let from = TenBitPlanes([(&luma, width + 3), (&chroma, stride), (&chroma, stride)]);
            table.show(&from, &mut planes, &WorkerPool::alone());
            assert!(planes.y.iter().all(|it| *it >= 234), "{size}");
            assert!(planes.u.iter().chain(&planes.v).all(|it| *it == 128), "{size}");
        }
    }
}
