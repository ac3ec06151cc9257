//! Fits a picture into the program: scaled to the largest size of its shape that fits, centred on
//! black, its colours turned into the program's. One pass a plane, pooled output.

use std::sync::Arc;

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use crate::base::{Pool, Pooled};
use crate::media::color::{Matrix, Range};
use crate::media::{Color, Planes, Size, VideoFrame};

/// Scales and converts into one program size.
pub(super) struct Fitter {
    size: Size,
    pool: Pool<Planes>,
    resizer: Resizer,
    /// The scaled picture before it is laid onto the black ground, per plane.
    scaled: Vec<u8>,
    tint: Tint,
}

impl Fitter {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            pool: Planes::pool(size, 6),
            resizer: Resizer::new(),
            scaled: Vec::new(),
            tint: Tint::default(),
        }
    }

    /// The program picture made of `frame`, with its time stamp.
    pub(super) fn fit(&mut self, frame: &VideoFrame) -> VideoFrame {
        let mut out = self.pool.take();
        let from = frame.size();
        let inner = from.fitted_into(self.size);
        let from_planes = &**frame.planes;
        for plane in [Plane::Y, Plane::U, Plane::V] {
            self.plane(plane, (plane.of(from_planes), from), inner, &mut out);
        }
        if frame.color != Color::PROGRAM {
            self.tint.apply(frame.color, &mut out);
        }
        if inner != self.size {
            blacken_border(&mut out, inner);
        }
        VideoFrame { pts: frame.pts, color: Color::PROGRAM, planes: share(out) }
    }

    /// Scales one plane and lays it into the middle of the program's.
    fn plane(&mut self, plane: Plane, from: (&[u8], Size), inner: Size, out: &mut Planes) {
        let (outer, source) = (plane.size(self.size), plane.size(from.1));
        let inner = plane.size(inner);
        let target = plane.of_mut(out);
        let (iw, ow) = (inner.width as usize, outer.width as usize);
        let offset = plane.offset(self.size, inner);
        let rows = offset.1..offset.1 + inner.height as usize;
        if source == inner {
            lay(from.0, iw, target, ow, offset.0, rows);
            return;
        }
        let whole = inner == outer;
        self.scaled.resize(if whole { 0 } else { inner.pixels() }, 0);
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
        let input = ImageRef::new(source.width, source.height, from.0, PixelType::U8);
        let buffer = if whole { &mut *target } else { &mut *self.scaled };
        let output = Image::from_slice_u8(inner.width, inner.height, buffer, PixelType::U8);
        if let (Ok(input), Ok(mut output)) = (input, output)
            && let Err(fault) = self.resizer.resize(&input, &mut output, &options)
        {
            // Cannot happen with sizes that match their buffers; the old content would show.
            tracing::warn!(%fault, "scaling a picture");
        }
        if !whole {
            lay(&self.scaled, iw, target, ow, offset.0, rows);
        }
    }
}

fn share(planes: Pooled<Planes>) -> Arc<Pooled<Planes>> {
    Arc::new(planes)
}

/// Copies rows of `width` bytes to column `left` of the target's `rows`.
fn lay(
    from: &[u8],
    width: usize,
    target: &mut [u8],
    stride: usize,
    left: usize,
    rows: std::ops::Range<usize>,
) {
    let lines = target.chunks_exact_mut(stride).skip(rows.start).take(rows.len());
    for (line, source) in lines.zip(from.chunks_exact(width)) {
        if let Some(line) = line.get_mut(left..left + width) {
            line.copy_from_slice(source);
        }
    }
}

#[derive(Copy, Clone, PartialEq, Eq)]
enum Plane {
    Y,
    U,
    V,
}

impl Plane {
    fn of(self, planes: &Planes) -> &[u8] {
        match self {
            Self::Y => &planes.y,
            Self::U => &planes.u,
            Self::V => &planes.v,
        }
    }

    fn of_mut(self, planes: &mut Planes) -> &mut [u8] {
        match self {
            Self::Y => &mut planes.y,
            Self::U => &mut planes.u,
            Self::V => &mut planes.v,
        }
    }

    /// The plane's size in a picture of `size`.
    fn size(self, size: Size) -> Size {
        if self == Self::Y { size } else { Size::new(size.width / 2, size.height / 2) }
    }

    /// Where the inner plane begins: even luma positions, so that chroma lies on the same point.
    fn offset(self, outer: Size, inner: Size) -> (usize, usize) {
        let scale = if self == Self::Y { 1 } else { 2 };
        let side = |outer: u32, inner: u32| {
            let luma = ((outer - (inner * scale).min(outer)) / 2) & !1;
            (luma / scale) as usize
        };
        (side(outer.width, inner.width), side(outer.height, inner.height))
    }
}

/// Makes everything outside the centred inner picture black.
fn blacken_border(out: &mut Planes, inner: Size) {
    let outer = out.size();
    for plane in [Plane::Y, Plane::U, Plane::V] {
        let black = if plane == Plane::Y { 16 } else { 128 };
        let (size, inner) = (plane.size(outer), plane.size(inner));
        let (left, top) = plane.offset(outer, inner);
        let (right, bottom) = (left + inner.width as usize, top + inner.height as usize);
        let lines = plane.of_mut(out).chunks_exact_mut(size.width as usize);
        for (row, line) in lines.enumerate() {
            if row < top || row >= bottom {
                line.fill(black);
                continue;
            }
            for side in [0..left, right..size.width as usize] {
                if let Some(side) = line.get_mut(side) {
                    side.fill(black);
                }
            }
        }
    }
}

/// Turns the colours of a whole picture into the program's, in place. Fixed point, 13 bits; the
/// chroma's part of luma is worked out once a chroma sample.
#[derive(Default)]
struct Tint {
    /// What a row of chroma adds to luma, one entry a luma column.
    add: Vec<i32>,
}

const BITS: i32 = 13;
const HALF: i32 = 1 << (BITS - 1);

/// BT.601 to BT.709 on limited-range numbers: `y += (YU·u + YV·v)`, `u = UU·u + UV·v`,
/// `v = VU·u + VV·v`, chroma about 128. Worked out from the two matrices of ITU-T H.273.
struct Coefficients {
    y: i32,
    yu: i32,
    yv: i32,
    uu: i32,
    uv: i32,
    vu: i32,
    vv: i32,
    /// Luma's zero point in the source.
    foot: i32,
}

impl Coefficients {
    fn of(color: Color) -> Self {
        let fixed = |value: f64| (value * f64::from(1 << BITS)).round() as i32;
        // Full range: luma 255 → 219 steps, chroma 255 → 224.
        let (luma, chroma, foot) = match color.range {
            Range::Full => (219.0 / 255.0, 224.0 / 255.0, 0),
            Range::Limited => (1.0, 1.0, 16),
        };
        // On limited-range chroma (224 steps) and luma (219 steps).
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

impl Tint {
    fn apply(&mut self, color: Color, planes: &mut Planes) {
        let c = Coefficients::of(color);
        let (stride, chroma_stride) = (planes.luma_stride(), planes.chroma_stride());
        self.add.resize(stride, 0);
        let Planes { y, u, v, .. } = planes;
        let rows = y.chunks_exact_mut(stride * 2);
        let chroma = u.chunks_exact_mut(chroma_stride).zip(v.chunks_exact_mut(chroma_stride));
        for (lines, (us, vs)) in rows.zip(chroma) {
            let base = (16 << BITS) + HALF - c.y * c.foot;
            for ((add, u), v) in self.add.chunks_exact_mut(2).zip(us).zip(vs) {
                let (cu, cv) = (i32::from(*u) - 128, i32::from(*v) - 128);
                add.fill(base + c.yu * cu + c.yv * cv);
                *u = clamp(((c.uu * cu + c.uv * cv + HALF) >> BITS) + 128);
                *v = clamp(((c.vu * cu + c.vv * cv + HALF) >> BITS) + 128);
            }
            for line in lines.chunks_exact_mut(stride) {
                for (y, add) in line.iter_mut().zip(&self.add) {
                    *y = clamp((i32::from(*y) * c.y + add) >> BITS);
                }
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
    use crate::base::Timestamp;

    fn flat(size: Size, color: Color, yuv: (u8, u8, u8)) -> VideoFrame {
        let mut planes = Planes::black(size);
        planes.y.fill(yuv.0);
        planes.u.fill(yuv.1);
        planes.v.fill(yuv.2);
        VideoFrame { pts: Timestamp::ZERO, color, planes: share(Pooled::unpooled(planes)) }
    }

    /// RGB (0…1) in the numbers of a colour description.
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
        let size = Size::new(16, 16);
        let mut fitter = Fitter::new(size);
        for rgb in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.2, 0.5, 0.8], [1.0; 3]] {
            let want = encode(Color::PROGRAM, rgb);
            for color in [Color::WEBCAM, Color::JPEG] {
                let out = fitter.fit(&flat(size, color, encode(color, rgb)));
                let got = (out.planes.y[0], out.planes.u[0], out.planes.v[0]);
                let off = [got.0.abs_diff(want.0), got.1.abs_diff(want.1), got.2.abs_diff(want.2)];
                assert!(off.iter().all(|&d| d <= 2), "{rgb:?} {color:?}: {got:?} for {want:?}");
                assert_eq!(out.color, Color::PROGRAM);
            }
        }
    }

    #[test]
    fn shapes_are_kept_on_black() {
        let program = Size::new(160, 90);
        let mut fitter = Fitter::new(program);
        for from in [Size::new(64, 48), Size::new(320, 100), Size::new(2, 90), Size::new(160, 90)] {
            let out = fitter.fit(&flat(from, Color::PROGRAM, (200, 90, 170)));
            assert_eq!(out.size(), program);
            let inner = from.fitted_into(program);
            let lit = out.planes.y.iter().filter(|&&y| y == 200).count();
            let black = out.planes.y.iter().filter(|&&y| y == 16).count();
            assert_eq!((lit, lit + black), (inner.pixels(), program.pixels()), "{from}");
            let tinted = out.planes.u.iter().filter(|&&u| u == 90).count();
            assert_eq!(tinted, inner.pixels() / 4, "{from}");
            let middle = 45 * 160 + 79;
            assert_eq!(out.planes.y[middle], 200);
        }
    }
}
