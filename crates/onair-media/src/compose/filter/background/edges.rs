//! Refines the coarse edges of the network by those of the picture: a *guided filter*. In the neighborhood of a
//! pixel, the mask is a linear function of luma, `a · luma + b`. The two factors are computed in the size of the
//! network, and applied to luma in the size of the frame.

/// The radius of a neighborhood, in pixels of the network.
const RADIUS: usize = 4;
/// Contrast below this is no edge.
const MIN_VARIANCE: f32 = 1e-3;

/// The factors for each pixel of the network.
#[derive(Clone, Debug, Default)]
pub struct Edges {
    pub slope: Vec<f32>,
    pub base: Vec<f32>,
}

/// Buffers that are used again.
#[derive(Debug, Default)]
pub struct EdgeFinder {
    rows: Vec<f32>,
    means: [Vec<f32>; 4],
    product: Vec<f32>,
}

impl EdgeFinder {
    /// Computes the factors from luma and the mask, 0…1, with rows of `width`.
    pub fn find(&mut self, luma: &[f32], mask: &[f32], width: usize, out: &mut Edges) {
        let [mean_luma, mean_mask, mean_both, mean_square] = &mut self.means;
        let (rows, product) = (&mut self.rows, &mut self.product);
        blurred(luma, width, rows, mean_luma);
        blurred(mask, width, rows, mean_mask);
        product.clear();
        product.extend(luma.iter().zip(mask).map(|(luma, mask)| luma * mask));
        blurred(product, width, rows, mean_both);
        product.clear();
        product.extend(luma.iter().map(|luma| luma * luma));
        blurred(product, width, rows, mean_square);
        // The means are no longer needed where the factors are written.
        let means = mean_luma.iter().zip(mean_mask.iter());
        let others = mean_both.iter_mut().zip(mean_square.iter_mut());
        for ((luma, mask), (both, square)) in means.zip(others) {
            let slope = (*both - luma * mask) / ((*square - luma * luma).max(0.0) + MIN_VARIANCE);
            (*both, *square) = (slope, mask - slope * luma);
        }
        blurred(mean_both, width, rows, &mut out.slope);
        blurred(mean_square, width, rows, &mut out.base);
    }
}

/// Writes the mean of each pixel's neighborhood.
fn blurred(from: &[f32], width: usize, rows: &mut Vec<f32>, out: &mut Vec<f32>) {
    let width = width.max(1);
    rows.clear();
    for row in from.chunks_exact(width) {
        let mut sum: f32 = row.iter().take(RADIUS).sum();
        let mut count = RADIUS.min(width);
        for x in 0..width {
            if let Some(next) = row.get(x + RADIUS) {
                sum += next;
                count += 1;
            }
            if let Some(last) = x.checked_sub(RADIUS + 1).and_then(|x| row.get(x)) {
                sum -= last;
                count -= 1;
            }
            rows.push(sum / count as f32);
        }
    }
    let height = rows.len() / width;
    out.clear();
    out.resize(rows.len(), 0.0);
    for (y, out) in out.chunks_exact_mut(width).enumerate() {
        let (first, last) = (y.saturating_sub(RADIUS), (y + RADIUS + 1).min(height));
        let near = rows.get(first * width..last * width).unwrap_or_default();
        for row in near.chunks_exact(width) {
            for (out, value) in out.iter_mut().zip(row) {
                *out += value;
            }
        }
        let count = (last - first).max(1) as f32;
        out.iter_mut().for_each(|it| *it /= count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coarse_edge_moves_to_the_edge_in_the_frame() {
        let (width, height) = (32, 16);
        // The picture changes between columns 15 and 16, the mask already at 12.
        let by_column = |edge: usize| -> Vec<f32> {
            (0..width * height).map(|at| if at % width < edge { 0.1 } else { 0.9 }).collect()
        };
        let (luma, mask) = (by_column(16), by_column(13));
        let mut edges = Edges::default();
        EdgeFinder::default().find(&luma, &mask, width, &mut edges);
        let refined = |x: usize| {
            let at = 8 * width + x;
            edges.slope[at] * luma[at] + edges.base[at]
        };
        assert!(refined(2) < 0.15 && refined(29) > 0.85, "{} {}", refined(2), refined(29));
        // The step of the result is where the picture has it.
        assert!(refined(16) - refined(15) > 2.0 * (refined(13) - refined(12)).abs());
    }

    #[test]
    fn a_constant_stays_constant() {
        let mut edges = Edges::default();
        EdgeFinder::default().find(&[0.5; 64], &[0.25; 64], 8, &mut edges);
        assert!(edges.slope.iter().all(|it| it.abs() < 1e-4));
        assert!(edges.base.iter().all(|it| (it - 0.25).abs() < 1e-4));
    }
}
