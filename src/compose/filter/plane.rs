//! Planes: copies, and box blurs, of any radius at the same cost.

use crate::base::Crew;
use crate::compose::bands::{BANDS, strips};
use crate::media::Planes;

/// The same picture; what has no alpha plane on one side keeps it as it is.
pub(super) fn copy(from: &Planes, out: &mut Planes) {
    out.y.copy_from_slice(&from.y);
    out.u.copy_from_slice(&from.u);
    out.v.copy_from_slice(&from.v);
    if let (Some(out), Some(from)) = (&mut out.alpha, &from.alpha) {
        out.copy_from_slice(from);
    }
}

/// Blurs planes by boxes; its buffers are kept.
#[derive(Debug, Default)]
pub(super) struct Boxes {
    /// A sum a column, for each band.
    sums: [Vec<u32>; BANDS],
    rows: Vec<u8>,
}

/// `sum / count` by a multiplication: `2^24 / count`, rounded up.
fn part(count: usize) -> u32 {
    (1_u32 << 24).div_ceil(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
}

impl Boxes {
    /// Each pixel becomes the mean of the box around it that reaches `radius` to each side; the
    /// edges go on outwards. `plane` has rows of `width`.
    pub fn blur(&mut self, plane: &mut [u8], width: usize, radius: usize, crew: &Crew) {
        if radius == 0 || width == 0 || plane.len() < width {
            return;
        }
        self.rows.resize(plane.len(), 0);
        let by = part(radius * 2 + 1);
        crew.each(strips(plane, &mut self.rows, width), |strip| {
            let lines = strip.from.chunks_exact(width).zip(strip.out.chunks_exact_mut(width));
            lines.for_each(|(line, out)| along(line, out, radius, by));
        });
        let rows = &self.rows;
        crew.each(strips(rows, plane, width).zip(&mut self.sums), |(strip, sums)| {
            down(rows, strip.first, strip.out, sums, width, radius, by);
        });
    }
}

/// The vertical pass of some rows from `first` on, a whole row at a time: a sum for each column runs
/// downwards.
fn down(
    rows: &[u8],
    first: usize,
    out: &mut [u8],
    sums: &mut Vec<u32>,
    width: usize,
    radius: usize,
    by: u32,
) {
    let last = (rows.len() / width).saturating_sub(1);
    let row = |index: usize| {
        let index = index.min(last);
        rows.get(index * width..(index + 1) * width).unwrap_or_default()
    };
    sums.clear();
    sums.resize(width, 0);
    // Around the first row; above the plane's first there is that one again.
    let above = (radius + 1).saturating_sub(first + 1) as u32;
    sums.iter_mut().zip(row(0)).for_each(|(sum, value)| *sum = u32::from(*value) * above);
    for index in first.saturating_sub(radius)..=first + radius {
        for (sum, value) in sums.iter_mut().zip(row(index)) {
            *sum += u32::from(*value);
        }
    }
    for (index, out) in (first..).zip(out.chunks_exact_mut(width)) {
        for (out, sum) in out.iter_mut().zip(&*sums) {
            *out = mean(*sum, by);
        }
        let (enters, leaves) = (row(index + radius + 1), row(index.saturating_sub(radius)));
        for (sum, (enters, leaves)) in sums.iter_mut().zip(enters.iter().zip(leaves)) {
            *sum = *sum + u32::from(*enters) - u32::from(*leaves);
        }
    }
}

fn mean(sum: u32, by: u32) -> u8 {
    // Half of one, for rounding. A sum of 255s times the part is a little less than 2^32.
    (sum.wrapping_mul(by).wrapping_add(1 << 23) >> 24) as u8
}

/// The horizontal pass of one row.
fn along(line: &[u8], out: &mut [u8], radius: usize, by: u32) {
    let (Some(&first), Some(&last)) = (line.first(), line.last()) else { return };
    let mut sum = u32::from(first) * (radius as u32 + 1);
    for index in 1..=radius {
        sum += u32::from(*line.get(index).unwrap_or(&last));
    }
    let enters = line.iter().skip(radius + 1).chain(std::iter::repeat(&last));
    let leaves = std::iter::repeat_n(&first, radius.min(line.len())).chain(line);
    for ((out, enters), leaves) in out.iter_mut().zip(enters).zip(leaves) {
        *out = mean(sum, by);
        sum = sum + u32::from(*enters) - u32::from(*leaves);
    }
}

/// Radii of three boxes that together are close to a Gaussian of this standard deviation.
pub(super) fn gaussian(sigma: f32) -> [usize; 3] {
    // The variance of a box of width w is (w² - 1) / 12: three boxes, the narrow ones first.
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

    #[test]
    fn a_box_is_the_mean_of_what_is_around() {
        let (width, height) = (13_usize, 9_usize);
        let mut random = 7_u32;
        let plane: Vec<u8> = (0..width * height)
            .map(|_| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (random >> 24) as u8
            })
            .collect();
        for radius in [0_usize, 1, 2, 5, 20] {
            let mut out = plane.clone();
            Boxes::default().blur(&mut out, width, radius, &Crew::alone());
            let at = |x: i64, y: i64| {
                let (x, y) = (x.clamp(0, 12) as usize, y.clamp(0, 8) as usize);
                f64::from(plane[y * width + x])
            };
            let reach = radius as i64;
            for y in 0..height as i64 {
                for x in 0..width as i64 {
                    let around =
                        (-reach..=reach).flat_map(|dy| (-reach..=reach).map(move |dx| (dx, dy)));
                    let sum: f64 = around.map(|(dx, dy)| at(x + dx, y + dy)).sum();
                    let want = sum / ((2 * reach + 1) as f64).powi(2);
                    let have = f64::from(out[y as usize * width + x as usize]);
                    assert!((want - have).abs() <= 1.01, "{radius} {x} {y}: {have} for {want}");
                }
            }
        }
        let mut flat = vec![235; 40];
        Boxes::default().blur(&mut flat, 8, 3, &Crew::alone());
        assert_eq!(flat, [235; 40]);
        Boxes::default().blur(&mut [1, 2], 0, 3, &Crew::alone());
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
