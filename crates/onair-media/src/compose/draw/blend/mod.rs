//! Blends prepared layers onto the program, row by row, in I420. This module uses plain loops over
//! whole rows, which the compiler vectorizes, in bands for a worker pool. Modes that are defined
//! only in RGB (add, screen…) convert the pixels of their layer.

#[cfg(test)]
mod tests;

use crate::base::WorkerPool;
use crate::compose::draw::bands;
use crate::compose::draw::prepare::{Image, scaled_by};
use crate::compose::layout::Rect;
use crate::compose::scene::Blend;
use crate::media::Planes;

/// Converts an opacity to 256ths.
pub fn opacity(part: f32) -> u16 {
    (part.clamp(0.0, 1.0) * 256.0).round() as u16
}

/// Blends `image` onto `out`.
pub fn lay(image: &Image, strength: u16, mode: Blend, out: &mut Planes, workers: &WorkerPool) {
    if strength == 0 {
        return;
    }
    if mode != Blend::Normal {
        return workers.each(
            parts(image, out, None, rows_of(image)),
            #[inline(always)]
            |part| mixed(part, strength, mode),
        );
    }
    let rect = image.rect;
    let half = half(rect);
    let (stride, chroma_stride) = (out.luma_stride(), out.chroma_stride());
    let from = &**image.planes;
    let alpha = from.alpha.as_deref();
    let chroma_alpha = image.chroma_alpha.as_ref().map(|it| it.as_slice());
    for (from, alpha, rect, out, stride) in [
        (&from.y, alpha, rect, &mut out.y, stride),
        (&from.u, chroma_alpha, half, &mut out.u, chroma_stride),
        (&from.v, chroma_alpha, half, &mut out.v, chroma_stride),
    ] {
        let (samples, parts) = banded(alpha, rect, out, stride);
        let along = Rect { y: 0, ..rect };
        workers.each(
            parts.zip(from.chunks(samples)),
            #[inline(always)]
            |((out, alpha), from)| plane(from, alpha, along, strength, out, stride),
        );
    }
}

/// Blends `image` onto a transparent frame `out`, which is premultiplied by its alpha.
/// `chroma_alpha` is the alpha of the frame's chroma samples.
pub fn gather(
    image: &Image,
    strength: u16,
    mode: Blend,
    out: &mut Planes,
    chroma_alpha: &mut [u8],
    workers: &WorkerPool,
) {
    if strength == 0 {
        return;
    }
    if mode != Blend::Normal {
        return workers.each(
            parts(image, out, Some(chroma_alpha), rows_of(image)),
            #[inline(always)]
            |part| gathered(part, strength, mode),
        );
    }
    lay(image, strength, mode, out, workers);
    let rect = image.rect;
    let (stride, chroma_stride) = (out.luma_stride(), out.chroma_stride());
    let alpha = image.planes.alpha.as_deref();
    let chroma = image.chroma_alpha.as_ref().map(|it| it.as_slice());
    if let Some(out) = &mut out.alpha {
        cover(alpha, rect, strength, out, stride, workers);
    }
    cover(chroma, half(rect), strength, chroma_alpha, chroma_stride, workers);
}

/// Adds the coverage of a layer to an alpha plane.
fn cover(
    alpha: Option<&[u8]>,
    rect: Rect,
    strength: u16,
    out: &mut [u8],
    stride: usize,
    workers: &WorkerPool,
) {
    let along = Rect { y: 0, ..rect };
    workers.each(
        banded(alpha, rect, out, stride).1,
        #[inline(always)]
        |(out, alpha)| covered(alpha, along, strength, out, stride),
    );
}

/// Returns the bands of a plane below a layer, each with the layer's alpha, and the number of the
/// layer's samples per band.
fn banded<'a>(
    alpha: Option<&'a [u8]>,
    rect: Rect,
    out: &'a mut [u8],
    stride: usize,
) -> (usize, impl Iterator<Item = (&'a mut [u8], Option<&'a [u8]>)>) {
    let width = side(rect.width).max(1);
    let rows = bands::height(side(rect.height), width);
    let (top, count) = (side(rect.y) * stride, side(rect.height) * stride);
    let end = (top + count).min(out.len());
    let out = out.get_mut(top..end).unwrap_or_default();
    let mut alphas = alpha.map(|alpha| alpha.chunks(rows * width));
    let parts = out.chunks_mut((rows * stride).max(1));
    (rows * width, parts.map(move |out| (out, alphas.as_mut().and_then(Iterator::next))))
}

#[inline(always)]
fn covered(alpha: Option<&[u8]>, rect: Rect, strength: u16, out: &mut [u8], stride: usize) {
    let width = side(rect.width).max(1);
    let lines = rows(out, stride, rect);
    match alpha {
        Some(alpha) => {
            lines
                .zip(alpha.chunks_exact(width))
                .for_each(|(out, row)| over(row, row, strength, out));
        }
        None => lines.for_each(|out| {
            let (more, rest) = (255 * strength, 256 - strength.min(256));
            for out in out {
                *out = ((more + u16::from(*out) * rest + 128) >> 8) as u8;
            }
        }),
    }
}

fn half(rect: Rect) -> Rect {
    Rect { x: rect.x / 2, y: rect.y / 2, width: rect.width / 2, height: rect.height / 2 }
}

fn side(value: i64) -> usize {
    usize::try_from(value).unwrap_or(0)
}

/// Returns the rows of a plane within a rectangle.
fn rows(out: &mut [u8], stride: usize, rect: Rect) -> impl Iterator<Item = &mut [u8]> {
    let (left, width) = (side(rect.x), side(rect.width));
    let lines = out.chunks_exact_mut(stride.max(1)).skip(side(rect.y)).take(side(rect.height));
    lines.filter_map(move |line| line.get_mut(left..left + width))
}

#[inline(always)]
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

/// Mixes `from` into `out`. `strength` is the share of `from` in 256ths.
#[inline(always)]
pub fn faded(from: &[u8], strength: u16, out: &mut [u8]) {
    let rest = 256 - strength.min(256);
    for (out, from) in out.iter_mut().zip(from) {
        *out = ((u16::from(*from) * strength + u16::from(*out) * rest + 128) >> 8) as u8;
    }
}

/// Blends a premultiplied row over `out`.
#[inline(always)]
fn over(from: &[u8], alpha: &[u8], strength: u16, out: &mut [u8]) {
    let pixels = out.iter_mut().zip(from).zip(alpha);
    if strength >= 256 {
        for ((out, from), alpha) in pixels {
            *out = from.saturating_add(scaled_by(*out, 255 - *alpha));
        }
        return;
    }
    for ((out, from), alpha) in pixels {
        let part = i32::from(*alpha) * i32::from(strength);
        // The value 65,280 means opaque; the background gets the remainder.
        let below = i32::from(*out) * (65_280 - part);
        let above = i32::from(*from) * i32::from(strength) * 255;
        *out = ((above + below) as f32 * (1.0 / 65_280.0) + 0.5).min(255.0) as u8;
    }
}

/// Fills the area outside `rect` with black.
pub fn blacken_around(out: &mut Planes, rect: Rect) {
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

/// Fills all planes with black.
pub fn blacken(out: &mut Planes) {
    out.y.fill(16);
    out.u.fill(128);
    out.v.fill(128);
}

/// Fractional bits of the color matrices.
const FRACTION_BITS: i32 = 14;
const ROUNDING_HALF: i32 = 1 << (FRACTION_BITS - 1);

/// Converts BT.709, limited range, to RGB 0…255.
fn rgb(y: u8, u: i32, v: i32) -> [i32; 3] {
    let y = (i32::from(y) - 16) * 19_077 + ROUNDING_HALF;
    let clamp = |value: i32| (value >> FRACTION_BITS).clamp(0, 255);
    [clamp(y + 29_372 * v), clamp(y - 3_494 * u - 8_731 * v), clamp(y + 34_610 * u)]
}

/// Returns the luma of an RGB color.
fn luma([r, g, b]: [i32; 3]) -> u8 {
    (((2_991 * r + 10_064 * g + 1_016 * b + ROUNDING_HALF) >> FRACTION_BITS) + 16).clamp(0, 255)
        as u8
}

/// Returns the chroma of the sum of four RGB pixels.
fn chroma([r, g, b]: [i32; 3]) -> (u8, u8) {
    let clamp = |value: i32| {
        (((value + 2 * (1 << FRACTION_BITS)) >> (FRACTION_BITS + 2)) + 128).clamp(0, 255) as u8
    };
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

/// The plane values of 2×2 pixels.
struct Block {
    luma: [u8; 4],
    u: u8,
    v: u8,
}

/// Rows of an image in blocks of 2×2 pixels, and the same rows of the frame below the image.
struct Part<'a> {
    from: VisiblePart<'a>,
    out: Background<'a>,
    /// The left edge of the image in blocks.
    left: usize,
}

struct VisiblePart<'a> {
    y: &'a [u8],
    u: &'a [u8],
    v: &'a [u8],
    alpha: Option<&'a [u8]>,
    chroma_alpha: Option<&'a [u8]>,
    /// The number of blocks in a row.
    width: usize,
}

struct Background<'a> {
    y: &'a mut [u8],
    u: &'a mut [u8],
    v: &'a mut [u8],
    alpha: Option<&'a mut [u8]>,
    /// The chroma alpha of the frame below, if that frame is transparent.
    chroma_alpha: Option<&'a mut [u8]>,
    width: usize,
}

/// Returns the number of block rows in a part of an image.
fn rows_of(image: &Image) -> usize {
    let half = half(image.rect);
    bands::height(side(half.height), side(half.width))
}

/// Splits an image and the frame below it into parts of this many block rows.
fn parts<'a>(
    image: &'a Image,
    out: &'a mut Planes,
    chroma_alpha: Option<&'a mut [u8]>,
    rows: usize,
) -> impl Iterator<Item = Part<'a>> {
    let (rect, from) = (half(image.rect), &**image.planes);
    let (width, across) = (from.chroma_stride().max(1), out.chroma_stride().max(1));
    let (top, left) = (side(rect.y), side(rect.x));
    let (fine, coarse) = (rows * width * 4, rows * width);
    let mut alpha = from.alpha.as_deref().map(|it| it.chunks(fine));
    let mut alphas = image.chroma_alpha.as_ref().map(|it| it.chunks(coarse));
    let seen = from.y.chunks(fine).zip(from.u.chunks(coarse).zip(from.v.chunks(coarse)));
    let seen = seen.map(move |(y, (u, v))| VisiblePart {
        y,
        u,
        v,
        alpha: alpha.as_mut().and_then(Iterator::next),
        chroma_alpha: alphas.as_mut().and_then(Iterator::next),
        width,
    });
    let below = |plane: &'a mut [u8], row: usize| {
        plane.get_mut(top * row..).unwrap_or_default().chunks_mut(rows * row)
    };
    let mut alpha = out.alpha.as_deref_mut().map(|it| below(it, across * 4));
    let mut alphas = chroma_alpha.map(|it| below(it, across));
    let (us, vs) = (below(out.u.as_mut_slice(), across), below(out.v.as_mut_slice(), across));
    let ground = below(out.y.as_mut_slice(), across * 4).zip(us.zip(vs)).map(move |(y, (u, v))| {
        Background {
            y,
            u,
            v,
            alpha: alpha.as_mut().and_then(Iterator::next),
            chroma_alpha: alphas.as_mut().and_then(Iterator::next),
            width: across,
        }
    });
    seen.zip(ground).map(move |(from, out)| Part { from, out, left })
}

impl Block {
    #[inline(always)]
    fn of(luma: &[u8], (u, v): (&[u8], &[u8]), width: usize, (x, y): (usize, usize)) -> Self {
        let pixel = |dx: usize, dy: usize| {
            luma.get((y * 2 + dy) * width * 2 + x * 2 + dx).copied().unwrap_or(16)
        };
        let chroma = |plane: &[u8]| plane.get(y * width + x).copied().unwrap_or(128);
        Self {
            luma: [pixel(0, 0), pixel(1, 0), pixel(0, 1), pixel(1, 1)],
            u: chroma(u),
            v: chroma(v),
        }
    }
}

impl VisiblePart<'_> {
    #[inline(always)]
    fn block(&self, x: usize, y: usize) -> Block {
        Block::of(self.y, (self.u, self.v), self.width, (x, y))
    }

    /// Returns the coverage of a chroma sample.
    #[inline(always)]
    fn chroma_at(&self, index: usize) -> u8 {
        self.chroma_alpha.and_then(|alpha| alpha.get(index)).copied().unwrap_or(255)
    }
}

impl Background<'_> {
    #[inline(always)]
    fn block(&self, x: usize, y: usize) -> Block {
        Block::of(self.y, (self.u, self.v), self.width, (x, y))
    }
}

/// Blends an image in one of the RGB modes.
#[inline(always)]
fn mixed(part: Part<'_>, strength: u16, mode: Blend) {
    let Part { from, out, left } = part;
    let stride = out.width * 2;
    for row in 0..from.u.len() / from.width {
        for column in 0..from.width {
            let x = column + left;
            let (below, above) = (out.block(x, row), from.block(column, row));
            let chroma_alpha = from.chroma_at(row * from.width + column);
            let centred = |value: u8| i32::from(value) - 128;
            let (au, av) = (
                centred(straight(above.u, chroma_alpha)),
                centred(straight(above.v, chroma_alpha)),
            );
            let (bu, bv) = (centred(below.u), centred(below.v));
            let mut sum = [0; 3];
            for (index, (below, above)) in below.luma.into_iter().zip(above.luma).enumerate() {
                let (dx, dy) = (index % 2, index / 2);
                let place = (row * 2 + dy) * from.width * 2 + column * 2 + dx;
                let alpha = from.alpha.and_then(|alpha| alpha.get(place)).copied().unwrap_or(255);
                let part = i32::from(alpha) * i32::from(strength);
                let (under, upper) = (rgb(below, bu, bv), rgb(straight(above, alpha), au, av));
                let mut result = under;
                for ((result, upper), sum) in result.iter_mut().zip(upper).zip(&mut sum) {
                    let mixed = mix(mode, *result, upper);
                    *result = (mixed * part + *result * (65_280 - part) + 32_640) / 65_280;
                    *sum += *result;
                }
                if let Some(out) = out.y.get_mut((row * 2 + dy) * stride + x * 2 + dx) {
                    *out = luma(result);
                }
            }
            let (u, v) = chroma(sum);
            let small = row * out.width + x;
            if let (Some(to_u), Some(to_v)) = (out.u.get_mut(small), out.v.get_mut(small)) {
                (*to_u, *to_v) = (u, v);
            }
        }
    }
}

/// Reverses the premultiplication of a color by its alpha.
fn straight(value: u8, alpha: u8) -> u8 {
    if alpha == 0 {
        return value;
    }
    ((u32::from(value) * 255 + u32::from(alpha) / 2) / u32::from(alpha)).min(255) as u8
}

/// Works like [`mixed`], but onto a transparent frame. A mode has no effect without a backdrop (W3C
/// Compositing and Blending Level 1, section 5.8).
#[inline(always)]
fn gathered(part: Part<'_>, strength: u16, mode: Blend) {
    let Part { from, mut out, left } = part;
    let stride = out.width * 2;
    let centred = |value: u8| i32::from(value) - 128;
    for row in 0..from.u.len() / from.width {
        for column in 0..from.width {
            let x = column + left;
            let (below, above) = (out.block(x, row), from.block(column, row));
            let small = row * out.width + x;
            let own = from.chroma_at(row * from.width + column);
            let there = out.chroma_alpha.as_ref().and_then(|alpha| alpha.get(small));
            let there = there.copied().unwrap_or(0);
            let (au, av) = (centred(straight(above.u, own)), centred(straight(above.v, own)));
            let (bu, bv) = (centred(straight(below.u, there)), centred(straight(below.v, there)));
            let (mut sum, mut seen) = ([0.0_f32; 3], 0.0_f32);
            for (index, (under, upper)) in below.luma.into_iter().zip(above.luma).enumerate() {
                let (dx, dy) = (index % 2, index / 2);
                let place = (row * 2 + dy) * from.width * 2 + column * 2 + dx;
                let alpha = from.alpha.and_then(|alpha| alpha.get(place)).copied().unwrap_or(255);
                let at = (row * 2 + dy) * stride + x * 2 + dx;
                let ground = out.alpha.as_ref().and_then(|alpha| alpha.get(at)).copied();
                let ground = ground.unwrap_or(255);
                let (a, b) =
                    (f32::from(alpha) * f32::from(strength) / 65_280.0, f32::from(ground) / 255.0);
                let whole = a + b - a * b;
                let under = rgb(straight(under, ground), bu, bv);
                let upper = rgb(straight(upper, alpha), au, av);
                let mut result = [0; 3];
                for ((result, (under, upper)), sum) in
                    result.iter_mut().zip(under.into_iter().zip(upper)).zip(&mut sum)
                {
                    let both = mix(mode, under, upper) as f32;
                    let (under, upper) = (under as f32, upper as f32);
                    let color = a * (1.0 - b) * upper + a * b * both + (1.0 - a) * b * under;
                    *sum += color;
                    *result = (color / whole.max(1e-6)).round() as i32;
                }
                seen += whole;
                if let Some(out) = out.y.get_mut(at) {
                    *out = (f32::from(luma(result)) * whole).round() as u8;
                }
                if let Some(out) = out.alpha.as_mut().and_then(|alpha| alpha.get_mut(at)) {
                    *out = (whole * 255.0).round() as u8;
                }
            }
            let mean = sum.map(|sum| (sum * 4.0 / seen.max(1e-6)).round() as i32);
            let ((u, v), part) = (chroma(mean), seen / 4.0);
            for (plane, value) in [(&mut out.u, u), (&mut out.v, v)] {
                if let Some(out) = plane.get_mut(small) {
                    *out = (f32::from(value) * part).round() as u8;
                }
            }
            let seen = out.chroma_alpha.as_mut().and_then(|alpha| alpha.get_mut(small));
            if let Some(out) = seen {
                *out = (part * 255.0).round() as u8;
            }
        }
    }
}
