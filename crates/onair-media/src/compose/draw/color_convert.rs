//! Converts the colors of a frame to the program's colors (BT.709, limited range), once at the
//! source. A worker pool shares the work in bands.

use crate::base::WorkerPool;
use crate::compose::draw::bands;
use crate::compose::draw::bands::MAX_BANDS;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Planes};

/// Converts the colors of a whole frame in place, in fixed point with 13 bits. The chroma's
/// contribution to luma is computed once per chroma sample.
#[derive(Default)]
pub struct ColorConvert {
    /// The contribution of a chroma row to luma, one entry per luma column, for each band.
    add: [Vec<i32>; MAX_BANDS],
}

const FRACTION_BITS: i32 = 13;
const ROUNDING_HALF: i32 = 1 << (FRACTION_BITS - 1);

/// Coefficients for BT.601 to BT.709 in limited range: `y += (YU·u + YV·v)`, `u = UU·u + UV·v`,
/// `v = VU·u + VV·v`, with chroma centered at 128. The coefficients are computed from the two
/// matrices of ITU-T H.273.
struct Coefficients {
    y: i32,
    yu: i32,
    yv: i32,
    uu: i32,
    uv: i32,
    vu: i32,
    vv: i32,
    /// The luma value of black in the source.
    foot: i32,
}

impl Coefficients {
    fn of(color: Color) -> Self {
        let fixed = |value: f64| (value * f64::from(1 << FRACTION_BITS)).round() as i32;
        // In full range, 255 luma steps become 219, and 255 chroma steps become 224.
        let (luma, chroma, foot) = match color.range {
            Range::Full => (219.0 / 255.0, 224.0 / 255.0, 0),
            Range::Limited => (1.0, 1.0, 16),
        };
        // These coefficients are for limited-range chroma (224 steps) and luma (219 steps).
        let (yu, yv, uu, uv, vu, vv) = match color.matrix {
            Matrix::Bt601 => (-0.115_550, -0.207_938, 1.018_640, 0.114_618, 0.075_049, 1.025_327),
            Matrix::Bt709 => (0.0, 0.0, 1.0, 0.0, 0.0, 1.0),
        };
        Self {
            y: fixed(luma),
            yu: fixed(yu * chroma),
            yv: fixed(yv * chroma),
            uu: fixed(uu * chroma),
            uv: fixed(uv * chroma),
            vu: fixed(vu * chroma),
            vv: fixed(vv * chroma),
            foot,
        }
    }
}

impl ColorConvert {
    /// Converts from `color`. The alpha plane is always full range, and stays unchanged.
    pub fn apply(&mut self, color: Color, planes: &mut Planes, workers: &WorkerPool) {
        let c = Coefficients::of(color);
        let (stride, chroma_stride) = (planes.luma_stride().max(1), planes.chroma_stride().max(1));
        let rows = bands::height(planes.u.len() / chroma_stride, chroma_stride);
        let Planes { y, u, v, .. } = planes;
        let [us, vs] = [u, v].map(|plane| plane.chunks_mut(rows * chroma_stride));
        let parts = y.chunks_mut(rows * 2 * stride).zip(us.zip(vs)).zip(&mut self.add);
        workers.each(
            parts,
            #[inline(always)]
            |((y, (u, v)), add)| {
                add.resize(stride, 0);
                tinted(&c, (y, stride), (u, v, chroma_stride), add);
            },
        );
    }
}

/// Converts complete chroma rows with their luma. `add` is as long as a luma row.
#[inline(always)]
fn tinted(
    c: &Coefficients,
    (y, stride): (&mut [u8], usize),
    (u, v, chroma_stride): (&mut [u8], &mut [u8], usize),
    add: &mut [i32],
) {
    let rows = y.chunks_exact_mut(stride * 2);
    let chroma = u.chunks_exact_mut(chroma_stride).zip(v.chunks_exact_mut(chroma_stride));
    for (lines, (us, vs)) in rows.zip(chroma) {
        let base = (16 << FRACTION_BITS) + ROUNDING_HALF - c.y * c.foot;
        for ((add, u), v) in add.chunks_exact_mut(2).zip(us).zip(vs) {
            let (cu, cv) = (i32::from(*u) - 128, i32::from(*v) - 128);
            add.fill(base + c.yu * cu + c.yv * cv);
            *u = clamp(((c.uu * cu + c.uv * cv + ROUNDING_HALF) >> FRACTION_BITS) + 128);
            *v = clamp(((c.vu * cu + c.vv * cv + ROUNDING_HALF) >> FRACTION_BITS) + 128);
        }
        for line in lines.chunks_exact_mut(stride) {
            for (y, add) in line.iter_mut().zip(&*add) {
                *y = clamp((i32::from(*y) * c.y + add) >> FRACTION_BITS);
            }
        }
    }
}

fn clamp(value: i32) -> u8 {
    value.clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;

    /// Encodes RGB (0…1) as YUV of a color description.
    fn encode(color: Color, [r, g, b]: [f64; 3]) -> (u8, u8, u8) {
        let (kr, kb) = match color.matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let (u, v) = ((b - y) / (2.0 * (1.0 - kb)), (r - y) / (2.0 * (1.0 - kr)));
        let (ly, lc, foot) = match color.range {
            Range::Limited => (219.0, 224.0, 16.0),
            Range::Full => (255.0, 255.0, 0.0),
        };
        let byte = |value: f64| value.round().clamp(0.0, 255.0) as u8;
        (byte(foot + ly * y), byte(128.0 + lc * u), byte(128.0 + lc * v))
    }

    #[test]
    fn colours_become_the_programs() {
        let mut tint = ColorConvert::default();
        let all =
            [Matrix::Bt601, Matrix::Bt709].map(|it| [(it, Range::Limited), (it, Range::Full)]);
        let all = all.as_flattened().iter().copied();
        for rgb in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.5, 0.8], [1.0; 3]] {
            let want = encode(Color::PROGRAM, rgb);
            for (matrix, range) in all.clone() {
                let color = Color { matrix, range };
                let (y, u, v) = encode(color, rgb);
                let mut planes = Planes::black(Size::new(16, 16));
                planes.y.fill(y);
                planes.u.fill(u);
                planes.v.fill(v);
                tint.apply(color, &mut planes, &WorkerPool::alone());
                let got = (planes.y[255], planes.u[63], planes.v[0]);
                let off = [got.0.abs_diff(want.0), got.1.abs_diff(want.1), got.2.abs_diff(want.2)];
                assert!(off.iter().all(|&d| d <= 2), "{rgb:?} {color:?}: {got:?} for {want:?}");
            }
        }
    }

    #[test]
    fn a_large_frame_in_bands_equals_its_strips_as_separate_frames() {
        let (width, height) = (642, 402);
        let mut whole = Planes::black(Size::new(width, height));
        for (index, value) in whole.y.iter_mut().enumerate() {
            *value = (index * 7 % 251) as u8;
        }
        for (index, (u, v)) in whole.u.iter_mut().zip(&mut whole.v).enumerate() {
            (*u, *v) = ((index * 5 % 253) as u8, (index * 11 % 255) as u8);
        }
        let mut strips: Vec<Planes> = Vec::new();
        for row in 0..height as usize / 2 {
            let mut strip = Planes::black(Size::new(width, 2));
            let (luma, chroma) = (width as usize * 2, width as usize / 2);
            strip.y.copy_from_slice(&whole.y[row * luma..(row + 1) * luma]);
            strip.u.copy_from_slice(&whole.u[row * chroma..(row + 1) * chroma]);
            strip.v.copy_from_slice(&whole.v[row * chroma..(row + 1) * chroma]);
            strips.push(strip);
        }
        let (mut tint, workers) = (ColorConvert::default(), WorkerPool::of("onair-test", 4));
        tint.apply(Color::WEBCAM, &mut whole, &workers);
        for strip in &mut strips {
            tint.apply(Color::WEBCAM, strip, &WorkerPool::alone());
        }
        let all = |plane: fn(&Planes) -> &[u8]| strips.iter().flat_map(plane).copied();
        assert!(all(|it| &it.y).eq(whole.y.iter().copied()));
        assert!(all(|it| &it.u).eq(whole.u.iter().copied()));
        assert!(all(|it| &it.v).eq(whole.v.iter().copied()));
    }
}
