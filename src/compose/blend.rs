//! Lays prepared layers onto the program, row by row, in I420. Plain loops over whole rows, which
//! the compiler turns into vector code. Modes that mean something in RGB only (adding, screening…)
//! take the way through it, for the pixels of their layer alone.

use crate::compose::layout::Rect;
use crate::compose::prepare::Image;
use crate::compose::scene::Blend;
use crate::media::Planes;

/// Opacity in 256ths.
pub(super) fn opacity(part: f32) -> u16 {
    (part.clamp(0.0, 1.0) * 256.0).round() as u16
}

/// Lays `image` onto `out`.
pub(super) fn lay(image: &Image, strength: u16, mode: Blend, out: &mut Planes) {
    if strength == 0 {
        return;
    }
    if mode != Blend::Normal {
        return mixed(image, strength, mode, out);
    }
    let rect = image.rect;
    let half = half(rect);
    let (stride, chroma_stride) = (out.luma_stride(), out.chroma_stride());
    let from = &**image.planes;
    let alpha = from.alpha.as_deref();
    let chroma_alpha = alpha.map(|_| image.chroma_alpha.as_slice());
    plane(&from.y, alpha, rect, strength, &mut out.y, stride);
    plane(&from.u, chroma_alpha, half, strength, &mut out.u, chroma_stride);
    plane(&from.v, chroma_alpha, half, strength, &mut out.v, chroma_stride);
}

fn half(rect: Rect) -> Rect {
    Rect { x: rect.x / 2, y: rect.y / 2, width: rect.width / 2, height: rect.height / 2 }
}

fn side(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// The rows of a plane within a rectangle.
fn rows(out: &mut [u8], stride: usize, rect: Rect) -> impl Iterator<Item = &mut [u8]> {
    let (left, width) = (side(rect.x), side(rect.width));
    let lines = out.chunks_exact_mut(stride.max(1)).skip(side(rect.y)).take(side(rect.height));
    lines.filter_map(move |line| line.get_mut(left..left + width))
}

fn plane(
    from: &[u8],
    alpha: Option<&[u8]>,
    rect: Rect,
    strength: u16,
    out: &mut [u8],
    stride: usize,
) {
    let width = side(rect.width).max(1);
    let lines = rows(out, stride, rect).zip(from.chunks_exact(width));
    match alpha {
        None if strength >= 256 => lines.for_each(|(out, from)| out.copy_from_slice(from)),
        None => lines.for_each(|(out, from)| faded(from, strength, out)),
        Some(alpha) => {
            for ((out, from), alpha) in lines.zip(alpha.chunks_exact(width)) {
                over(from, alpha, strength, out);
            }
        }
    }
}

/// `out` goes over to `from`, by 256ths.
pub(super) fn faded(from: &[u8], strength: u16, out: &mut [u8]) {
    let rest = 256 - strength.min(256);
    for (out, from) in out.iter_mut().zip(from) {
        *out = ((u16::from(*from) * strength + u16::from(*out) * rest + 128) >> 8) as u8;
    }
}

/// A row that is multiplied by its alpha comes over `out`.
fn over(from: &[u8], alpha: &[u8], strength: u16, out: &mut [u8]) {
    for ((out, from), alpha) in out.iter_mut().zip(from).zip(alpha) {
        let part = u32::from(*alpha) * u32::from(strength);
        // 65,280 is opaque; what is below shows through the rest.
        let below = u32::from(*out) * (65_280 - part);
        let above = u32::from(*from) * u32::from(strength) * 255;
        *out = ((above + below + 32_640) / 65_280).min(255) as u8;
    }
}

/// Puts black where `rect` is not.
pub(super) fn blacken_around(out: &mut Planes, rect: Rect) {
    let (stride, chroma_stride) = (out.luma_stride(), out.chroma_stride());
    around(&mut out.y, stride, rect, 16);
    around(&mut out.u, chroma_stride, half(rect), 128);
    around(&mut out.v, chroma_stride, half(rect), 128);
}

fn around(plane: &mut [u8], stride: usize, rect: Rect, black: u8) {
    let (top, bottom) = (side(rect.y), side(rect.y + rect.height));
    let (left, right) = (side(rect.x), side(rect.x + rect.width));
    for (row, line) in plane.chunks_exact_mut(stride.max(1)).enumerate() {
        if row < top || row >= bottom {
            line.fill(black);
            continue;
        }
        for side in [0..left, right..stride] {
            if let Some(side) = line.get_mut(side) {
                side.fill(black);
            }
        }
    }
}

/// Makes everything black.
pub(super) fn blacken(out: &mut Planes) {
    out.y.fill(16);
    out.u.fill(128);
    out.v.fill(128);
}

/// Fixed point of the colour matrices.
const BITS: i32 = 14;
const HALF: i32 = 1 << (BITS - 1);

/// BT.709, limited range, to RGB 0…255.
fn rgb(y: u8, u: i32, v: i32) -> [i32; 3] {
    let y = (i32::from(y) - 16) * 19_077 + HALF;
    let clamp = |value: i32| (value >> BITS).clamp(0, 255);
    [clamp(y + 29_372 * v), clamp(y - 3_494 * u - 8_731 * v), clamp(y + 34_610 * u)]
}

/// Luma of RGB.
fn luma([r, g, b]: [i32; 3]) -> u8 {
    (((2_991 * r + 10_064 * g + 1_016 * b + HALF) >> BITS) + 16).clamp(0, 255) as u8
}

/// Chroma of the sum of four RGB pixels.
fn chroma([r, g, b]: [i32; 3]) -> (u8, u8) {
    let clamp = |value: i32| (((value + 2 * (1 << BITS)) >> (BITS + 2)) + 128).clamp(0, 255) as u8;
    (clamp(-1_649 * r - 5_547 * g + 7_196 * b), clamp(7_196 * r - 6_536 * g - 660 * b))
}

fn mix(mode: Blend, below: i32, above: i32) -> i32 {
    match mode {
        Blend::Normal => above,
        Blend::Add => (below + above).min(255),
        Blend::Subtract => (below - above).max(0),
        Blend::Screen => 255 - ((255 - below) * (255 - above) + 127) / 255,
        Blend::Multiply => (below * above + 127) / 255,
        Blend::Lighten => below.max(above),
        Blend::Darken => below.min(above),
    }
}

/// A picture's planes at 2×2 pixels.
struct Block {
    luma: [u8; 4],
    u: u8,
    v: u8,
}

impl Block {
    fn of(planes: &Planes, x: usize, y: usize) -> Self {
        let (stride, chroma_stride) = (planes.luma_stride(), planes.chroma_stride());
        let luma = |dx: usize, dy: usize| {
            planes.y.get((y * 2 + dy) * stride + x * 2 + dx).copied().unwrap_or(16)
        };
        let chroma = |plane: &[u8]| plane.get(y * chroma_stride + x).copied().unwrap_or(128);
        Self {
            luma: [luma(0, 0), luma(1, 0), luma(0, 1), luma(1, 1)],
            u: chroma(&planes.u),
            v: chroma(&planes.v),
        }
    }
}

/// Lays an image down in one of the modes of RGB.
fn mixed(image: &Image, strength: u16, mode: Blend, out: &mut Planes) {
    let rect = half(image.rect);
    let from = &**image.planes;
    let (stride, chroma_stride) = (out.luma_stride(), out.chroma_stride());
    for row in 0..side(rect.height) {
        for column in 0..side(rect.width) {
            let (x, y) = (column + side(rect.x), row + side(rect.y));
            let (below, above) = (Block::of(out, x, y), Block::of(from, column, row));
            let chroma_alpha =
                image.chroma_alpha.get(row * from.chroma_stride() + column).copied().unwrap_or(255);
            let straight = |value: u8, alpha: u8| {
                if alpha == 0 {
                    value
                } else {
                    ((u32::from(value) * 255 + u32::from(alpha) / 2) / u32::from(alpha)).min(255)
                        as u8
                }
            };
            let centred = |value: u8| i32::from(value) - 128;
            let (au, av) = (
                centred(straight(above.u, chroma_alpha)),
                centred(straight(above.v, chroma_alpha)),
            );
            let (bu, bv) = (centred(below.u), centred(below.v));
            let mut sum = [0; 3];
            for (index, (below, above)) in below.luma.into_iter().zip(above.luma).enumerate() {
                let (dx, dy) = (index % 2, index / 2);
                let place = (row * 2 + dy) * from.luma_stride() + column * 2 + dx;
                let alpha =
                    from.alpha.as_ref().and_then(|alpha| alpha.get(place)).copied().unwrap_or(255);
                let part = i32::from(alpha) * i32::from(strength);
                let (under, upper) = (rgb(below, bu, bv), rgb(straight(above, alpha), au, av));
                let mut result = under;
                for ((result, upper), sum) in result.iter_mut().zip(upper).zip(&mut sum) {
                    let mixed = mix(mode, *result, upper);
                    *result = (mixed * part + *result * (65_280 - part) + 32_640) / 65_280;
                    *sum += *result;
                }
                if let Some(out) = out.y.get_mut((y * 2 + dy) * stride + x * 2 + dx) {
                    *out = luma(result);
                }
            }
            let (u, v) = chroma(sum);
            if let (Some(to_u), Some(to_v)) =
                (out.u.get_mut(y * chroma_stride + x), out.v.get_mut(y * chroma_stride + x))
            {
                (*to_u, *to_v) = (u, v);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::media::Size;
    use std::sync::Arc;

    fn image(yuv: [u8; 3], alpha: Option<u8>) -> Image {
        let size = Size::new(4, 4);
        let mut planes = Planes::black(size);
        let by = |value: u8| {
            alpha.map_or(value, |a| (f64::from(value) * f64::from(a) / 255.0).round() as u8)
        };
        planes.y.fill(by(yuv[0]));
        planes.u.fill(by(yuv[1]));
        planes.v.fill(by(yuv[2]));
        planes.alpha = alpha.map(|alpha| vec![alpha; 16]);
        let chroma_alpha = alpha.map_or_else(Vec::new, |alpha| vec![alpha; 4]);
        Image {
            rect: Rect { x: 2, y: 2, width: 4, height: 4 },
            planes: Arc::new(Pooled::unpooled(planes)),
            chroma_alpha: Arc::new(chroma_alpha),
        }
    }

    fn laid(image: &Image, strength: u16, mode: Blend, ground: [u8; 3]) -> [u8; 3] {
        let mut out = Planes::black(Size::new(8, 8));
        out.y.fill(ground[0]);
        out.u.fill(ground[1]);
        out.v.fill(ground[2]);
        lay(image, strength, mode, &mut out);
        assert_eq!((out.y[0], out.u[0]), (ground[0], ground[1]), "outside");
        assert_eq!((out.y[2 * 8 + 1], out.y[2 * 8 + 6]), (ground[0], ground[0]), "beside");
        [out.y[2 * 8 + 2], out.u[4 + 1], out.v[4 + 1]]
    }

    #[test]
    fn opacity_and_alpha_mix_by_their_product() {
        let ground = [50, 100, 150];
        let above = [210, 60, 200];
        assert_eq!(laid(&image(above, None), 256, Blend::Normal, ground), above);
        assert_eq!(laid(&image(above, None), 128, Blend::Normal, ground), [130, 80, 175]);
        assert_eq!(laid(&image(above, Some(255)), 256, Blend::Normal, ground), above);
        assert_eq!(laid(&image(above, Some(0)), 256, Blend::Normal, ground), ground);
        let near = |got: [u8; 3], want: [u8; 3]| {
            got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 1)
        };
        assert!(near(laid(&image(above, Some(128)), 256, Blend::Normal, ground), [130, 80, 175]));
        assert!(near(laid(&image(above, Some(128)), 128, Blend::Normal, ground), [90, 90, 163]));
    }

    #[test]
    fn modes_follow_their_formulas_in_rgb() {
        // Greys: luma 16 + 219 · part.
        let grey = |part: f64| [(16.0 + 219.0 * part).round() as u8, 128, 128];
        for (mode, want) in [
            (Blend::Add, 0.7),
            (Blend::Subtract, 0.3),
            (Blend::Screen, 0.6),
            (Blend::Multiply, 0.1),
            (Blend::Lighten, 0.5),
            (Blend::Darken, 0.2),
        ] {
            let got = laid(&image(grey(0.2), None), 256, mode, grey(0.5));
            for (got, want) in got.iter().zip(grey(want)) {
                assert!(got.abs_diff(want) <= 1, "{mode:?}: {got} for {want}");
            }
        }
        // Pure red times pure green is black, plus green it is yellow.
        let (red, green, yellow) = ([63, 102, 240], [173, 42, 26], [219, 16, 138]);
        let near = |got: [u8; 3], want: [u8; 3]| {
            got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2)
        };
        assert!(near(laid(&image(red, None), 256, Blend::Add, green), yellow));
        assert!(near(laid(&image(red, None), 256, Blend::Multiply, green), [16, 128, 128]));
        // Half as much of it.
        let half = laid(&image(grey(0.4), Some(128)), 256, Blend::Add, grey(0.4));
        assert!(half[0].abs_diff(grey(0.6)[0]) <= 1, "{half:?}");
    }
}
