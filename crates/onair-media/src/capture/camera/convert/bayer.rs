//! Converts frames of a Bayer sensor, which have one color per pixel. The other two colors are the
//! mean of neighbors that have them (bilinear), and edges are mirrored.

use crate::capture::camera::convert::rgb;
use crate::capture::camera::convert::rows::Rows;
use crate::capture::camera::convert::yuv::{mean2, mean4};
use crate::capture::camera::pixel_format::{BayerOrder, RgbOrder, Samples};
use crate::media::frame::Range;
use crate::media::{Planes, Size};

/// Buffers kept between frames.
#[derive(Default)]
pub(super) struct Demosaic {
    /// Three rows of 8-bit samples, which are used in turn, each with an extra sample at both ends.
    lines: Vec<u8>,
}

/// Number of buffered rows of samples.
const BUFFERED_ROWS: usize = 3;

impl Demosaic {
    /// Fills `planes`; `scratch` holds two rows of RGB.
    pub(super) fn turn(
        &mut self,
        (order, samples, range): (BayerOrder, Samples, Range),
        rows: &mut Rows<'_>,
        scratch: &mut Vec<u8>,
        planes: &mut Planes,
    ) -> Result<(), String> {
        let Size { width, height } = planes.size();
        let (width, height) = (width as usize, height as usize);
        let (across, down) = rows.size();
        let mut from = rows.rows(samples.row(across), down)?;
        let long = width + 2;
        self.lines.resize(long * BUFFERED_ROWS, 0);
        // The first row contains green and either red or blue. The red or blue color is written
        // first.
        let ends = match order {
            BayerOrder::Bggr | BayerOrder::Gbrg => RgbOrder::Blue,
            BayerOrder::Grbg | BayerOrder::Rggb => RgbOrder::Red,
        };
        let green_begins = matches!(order, BayerOrder::Gbrg | BayerOrder::Grbg);
        let mut unpacked = 0;
        rgb::by_rows((ends, range), scratch, planes, |row, to| {
            while unpacked < height.min(row + 2) {
                let line = self.lines.chunks_exact_mut(long).nth(unpacked % BUFFERED_ROWS);
                if let (Some(line), Some(from)) = (line, from.next()) {
                    unpack(samples, from, line);
                }
                unpacked += 1;
            }
            let line = |number: usize| {
                let line = self.lines.chunks_exact(long).nth(number % BUFFERED_ROWS);
                line.unwrap_or(&[])
            };
            let above = line(if row == 0 { 1 } else { row - 1 });
            let below = line(if row + 1 == height { row.saturating_sub(1) } else { row + 1 });
            let three = [above, line(row), below];
            match (row.is_multiple_of(2), green_begins) {
                (true, false) => one_row::<true, false>(three, to),
                (true, true) => one_row::<true, true>(three, to),
                (false, false) => one_row::<false, true>(three, to),
                (false, true) => one_row::<false, false>(three, to),
            }
        })
    }
}

/// Unpacks a row of samples, mirrored at its ends.
fn unpack(samples: Samples, from: &[u8], line: &mut [u8]) {
    if let [_, middle @ .., _] = line {
        samples.high(from, middle);
    }
    if let [before, _, second, ..] = line {
        *before = *second;
    }
    if let [.., second, _, after] = line {
        *after = *second;
    }
}

/// Makes a row of pixels from three rows of samples. `EVEN` means that the row's non-green samples
/// have the color that is written first. `GREEN` means that the row begins with green.
fn one_row<const EVEN: bool, const GREEN: bool>([above, here, below]: [&[u8]; 3], to: &mut [u8]) {
    // Four columns: two pixels and their neighbors.
    let columns = above.windows(4).zip(here.windows(4)).zip(below.windows(4)).step_by(2);
    for (to, ((above, here), below)) in to.as_chunks_mut::<6>().0.iter_mut().zip(columns) {
        let (&[a0, a1, a2, a3], &[h0, h1, h2, h3], &[b0, b1, b2, b3]) = (above, here, below) else {
            return;
        };
        let (first, second) = if GREEN {
            ([mean2(h0, h2), h1, mean2(a1, b1)], [h2, mean4(a2, b2, h1, h3), mean4(a1, a3, b1, b3)])
        } else {
            ([h1, mean4(a1, b1, h0, h2), mean4(a0, a2, b0, b2)], [mean2(h1, h3), h2, mean2(a2, b2)])
        };
        let ([own0, green0, other0], [own1, green1, other1]) = (first, second);
        *to = if EVEN {
            [own0, green0, other0, own1, green1, other1]
        } else {
            [other0, green0, own0, other1, green1, own1]
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the color of the sensor (0 red, 1 green, 2 blue) at a position, according to the
    /// name of the order.
    fn color(order: BayerOrder, x: i64, y: i64) -> usize {
        let name = format!("{order:?}").to_uppercase();
        let at = (y.rem_euclid(2) * 2 + x.rem_euclid(2)) as usize;
        "RGB".find(&name[at..=at]).unwrap()
    }

    /// Returns the reference value of one color of a pixel: the pixel's own sample, or the mean of
    /// that color's samples among the nine around the pixel.
    fn by_definition(
        order: BayerOrder,
        samples: &[Vec<u8>],
        (x, y): (i64, i64),
        wanted: usize,
    ) -> f64 {
        let (width, height) = (samples[0].len() as i64, samples.len() as i64);
        let mirrored = |at: i64, end: i64| if at < 0 { -at } else { at.min(2 * (end - 1) - at) };
        if color(order, x, y) == wanted {
            return samples[y as usize][x as usize].into();
        }
        let mut of_it = Vec::new();
        for (dx, dy) in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (dx, dy))) {
            // Green pixels also have green in the corners, which are farther away.
            let corner = dx != 0 && dy != 0;
            if color(order, x + dx, y + dy) == wanted && !(wanted == 1 && corner) {
                let (x, y) = (mirrored(x + dx, width), mirrored(y + dy, height));
                of_it.push(f64::from(samples[y as usize][x as usize]));
            }
        }
        of_it.iter().sum::<f64>() / of_it.len() as f64
    }

    #[test]
    fn what_a_pixel_does_not_see_is_the_mean_of_its_neighbours() {
        for (width, height) in [(2, 2), (4, 2), (2, 6), (8, 6), (34, 4)] {
            let mut seed = 11_u32;
            let mut next = || {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            };
            let samples: Vec<Vec<u8>> =
                (0..height).map(|_| (0..width).map(|_| next()).collect()).collect();
            for order in [BayerOrder::Bggr, BayerOrder::Gbrg, BayerOrder::Grbg, BayerOrder::Rggb] {
                let mut demosaic = Demosaic::default();
                let mut scratch = Vec::new();
                let data = samples.concat();
                let size = Size::new(width, height);
                let mut planes = Planes::black(size);
                demosaic
                    .turn(
                        (order, Samples::Eight, Range::Full),
                        &mut Rows::tight(&data, size),
                        &mut scratch,
                        &mut planes,
                    )
                    .unwrap();
                let weigh = |rgb: [f64; 3]| {
                    16.0 + 219.0 / 255.0 * (0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2])
                };
                for y in 0..i64::from(height) {
                    for x in 0..i64::from(width) {
                        let rgb = [0, 1, 2].map(|c| by_definition(order, &samples, (x, y), c));
                        let got = planes.y[(y * i64::from(width) + x) as usize];
                        let off = (f64::from(got) - weigh(rgb)).abs();
                        assert!(off < 1.6, "{order:?} {size} at {x},{y}: {got}, not {rgb:?}");
                    }
                }
            }
        }
    }
}
