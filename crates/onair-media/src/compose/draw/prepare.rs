//! Prepares a source's frame for blending: crops, scales and rotates it, converts its colors, and
//! premultiplies its alpha. The result is cached until the frame or its placement changes, so a
//! static layer costs nothing here. A frame that needs no change is shared, not copied.

use std::sync::Arc;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::base::{Fresh, Pool, Pooled, WorkerPool};
use crate::compose::draw::bands;
use crate::compose::draw::bands::Band;
use crate::compose::draw::color_convert::ColorConvert;
use crate::compose::layout::{Affine, Cut, FramePlacement, Orientation, Rect, Shape};
use crate::media::{Color, Planes, PlanesPool, Size, VideoFrame};

/// Number of frames of one layer that the pool keeps for reuse. Frames in use belong to the
/// encoder, the preview and the current drawing.
const MAX_LAYER_FRAMES: usize = 4;

/// A layer that is ready to be blended.
#[derive(Clone, Debug)]
pub struct Image {
    /// The area of the image in the program, which is also the size of `planes`.
    pub rect: Rect,
    /// The planes in the program's colors. With an alpha plane, the planes are premultiplied.
    pub planes: Arc<Pooled<Planes>>,
    /// The alpha of the chroma samples, if there is an alpha plane.
    pub chroma_alpha: Option<Arc<Pooled<Vec<u8>>>>,
}

/// The last image of a layer and its inputs.
#[derive(Debug)]
pub struct Prepared {
    frame: VideoFrame,
    spot: FramePlacement,
    pub image: Image,
    pools: Pools,
}

/// The pools of a layer's images and of their chroma alphas.
#[derive(Debug)]
struct Pools {
    planes: PlanesPool<MAX_LAYER_FRAMES>,
    alphas: Pool<Vec<u8>>,
}

impl Default for Pools {
    fn default() -> Self {
        Self { planes: PlanesPool::default(), alphas: Pool::new(MAX_LAYER_FRAMES, Vec::new) }
    }
}

impl Prepared {
    fn is_of(&self, frame: &VideoFrame, spot: &FramePlacement) -> bool {
        self.frame.is_same(frame) && self.frame.color == frame.color && self.spot == *spot
    }
}

/// Prepares layers, all with the same buffers.
#[derive(Default)]
pub struct Preparer {
    /// One resizer for each plane, because different workers use them.
    resizers: [Resizer; 5],
    tint: ColorConvert,
    /// The frame multiplied by its alpha.
    premultiplied: Option<Planes>,
    premultiplied_chroma: Vec<u8>,
    /// The scaled frame before rotation.
    scaled: Option<Planes>,
    /// The scaled frame with alpha before rotation.
    scaled_clear: Option<Planes>,
    scaled_chroma: Vec<u8>,
}

impl Preparer {
    /// Prepares the image of `frame` at `spot`, unless `before` already contains the same image.
    pub fn prepare(
        &mut self,
        frame: &VideoFrame,
        spot: &FramePlacement,
        before: Option<Prepared>,
        workers: &WorkerPool,
    ) -> Prepared {
        let mut pools = match before {
            Some(before) if before.is_of(frame, spot) => return before,
            // The old image goes back to its pool first.
            Some(before) => before.pools,
            None => Pools::default(),
        };
        let image =
            self.share(frame, spot).unwrap_or_else(|| self.make(frame, spot, &mut pools, workers));
        Prepared { frame: frame.clone(), spot: *spot, image, pools }
    }

    /// Returns the shared frame itself, if no change is needed.
    fn share(&self, frame: &VideoFrame, spot: &FramePlacement) -> Option<Image> {
        let Shape::Upright { rect, turn: Orientation::NONE } = spot.shape else { return None };
        let same = frame.planes().is_opaque()
            && frame.color == Color::PROGRAM
            && spot.scaled == frame.size()
            && spot.cut.is_whole(frame.size());
        same.then(|| Image { rect, planes: Arc::clone(frame.shared()), chroma_alpha: None })
    }

    fn make(
        &mut self,
        frame: &VideoFrame,
        spot: &FramePlacement,
        pools: &mut Pools,
        workers: &WorkerPool,
    ) -> Image {
        let see_through = !frame.planes().is_opaque();
        let (rect, alpha) = match spot.shape {
            Shape::Upright { rect, .. } => (rect, see_through),
            Shape::Free { bounds, .. } => (bounds, true),
        };
        let mut out = pools.planes.fresh(rect.size(), alpha);
        let mut kept_alpha = alpha.then(|| pools.alphas.fresh());
        let mut none = Vec::new();
        let chroma_alpha = kept_alpha.as_deref_mut().unwrap_or(&mut none);
        if see_through {
            self.premultiply(frame, workers);
        }
        if let Shape::Upright { turn: Orientation::NONE, .. } = spot.shape {
            self.scale(frame, spot, &mut out, chroma_alpha, workers);
        } else {
            let kept = if see_through { &mut self.scaled_clear } else { &mut self.scaled };
            let mut scaled = shaped(kept.take(), spot.scaled, see_through);
            let mut chroma = std::mem::take(&mut self.scaled_chroma);
            self.scale(frame, spot, &mut scaled, &mut chroma, workers);
            match spot.shape {
                Shape::Upright { turn, .. } => {
                    turn_all(&scaled, &chroma, turn, &mut out, chroma_alpha, workers);
                }
                Shape::Free { map, bounds } => {
                    warp_all(&scaled, &chroma, map, bounds, &mut out, chroma_alpha, workers);
                }
            }
            *(if see_through { &mut self.scaled_clear } else { &mut self.scaled }) = Some(scaled);
            self.scaled_chroma = chroma;
        }
        let chroma_alpha = kept_alpha.map(Fresh::share);
        Image { rect, planes: out.share(), chroma_alpha }
    }

    /// Converts the frame to the program's colors and multiplies it by its alpha.
    fn premultiply(&mut self, frame: &VideoFrame, workers: &WorkerPool) {
        let from = frame.planes();
        let mut planes = shaped(self.premultiplied.take(), from.size(), true);
        let (stride, width) = (planes.luma_stride(), planes.chroma_stride());
        self.premultiplied_chroma.resize(from.u.len(), 0);
        let rows = bands::height(from.u.len() / width.max(1), width);
        let chroma = self.premultiplied_chroma.chunks_mut(rows * width.max(1));
        let is_plain = frame.color == Color::PROGRAM;
        if !is_plain {
            planes.copy_pixels(from);
            self.tint.apply(frame.color, &mut planes, workers);
        }
        workers.each(
            bands::bands(from, &mut planes).zip(chroma),
            #[inline(always)]
            |(mut band, chroma)| {
                if is_plain {
                    band.keep();
                }
                multiply(band, chroma, stride);
            },
        );
        self.premultiplied = Some(planes);
    }

    /// Crops and scales into `out`, in the program's colors.
    fn scale(
        &mut self,
        frame: &VideoFrame,
        spot: &FramePlacement,
        out: &mut Planes,
        chroma_alpha: &mut Vec<u8>,
        workers: &WorkerPool,
    ) {
        let premultiplied = self.premultiplied.as_ref().filter(|_| !frame.planes().is_opaque());
        let from: &Planes = premultiplied.unwrap_or(frame.planes());
        let (size, to) = (from.size(), out.size());
        let (cut, half_cut) = (spot.cut, spot.cut.half());
        let (fine, coarse) = ((size, &cut, to), (size.half(), &half_cut, to.half()));
        let (alpha, small_alpha) = match (&from.alpha, &mut out.alpha) {
            (Some(from), Some(out)) => {
                chroma_alpha.resize(to.half().pixels(), 0);
                let small = (&self.premultiplied_chroma, chroma_alpha, coarse);
                (Some((from, out, fine)), Some(small))
            }
            _ => (None, None),
        };
        let planes = [
            Some((&from.y, &mut out.y, fine)),
            alpha,
            Some((&from.u, &mut out.u, coarse)),
            Some((&from.v, &mut out.v, coarse)),
            small_alpha,
        ];
        let jobs = planes.into_iter().zip(&mut self.resizers);
        let jobs = jobs.filter_map(|(plane, resizer)| plane.map(|plane| (plane, resizer)));
        workers.each(jobs, |((from, out, (size, cut, to)), resizer)| {
            let bilinear = ResizeAlg::Convolution(FilterType::Bilinear);
            resize(resizer, bilinear, (from, size), cut, (out, to));
        });
        if premultiplied.is_none() && frame.color != Color::PROGRAM {
            self.tint.apply(frame.color, out, workers);
        }
    }
}

/// Returns a frame of this size with undefined content. Reuses `kept` if possible.
fn shaped(kept: Option<Planes>, size: Size, alpha: bool) -> Planes {
    match kept {
        Some(mut planes) => {
            planes.reshape(size);
            planes
        }
        None if alpha => Planes::transparent(size),
        None => Planes::black(size),
    }
}

/// Premultiplies the colors of a band by the alpha of its source, and copies the alpha. `chroma`
/// becomes the alpha of the chroma samples.
#[inline(always)]
fn multiply(band: Band<'_>, chroma: &mut [u8], stride: usize) {
    let (Some(alpha), Some(kept)) = band.alpha else { return };
    kept.copy_from_slice(alpha);
    band.y.out.iter_mut().zip(alpha).for_each(|(y, a)| *y = scaled_by(*y, *a));
    bands::halved(alpha, stride, chroma);
    for plane in [band.u.out, band.v.out] {
        plane.iter_mut().zip(&*chroma).for_each(|(value, a)| *value = scaled_by(*value, *a));
    }
}

/// Returns `value · alpha / 255`, rounded.
#[inline(always)]
pub fn scaled_by(value: u8, alpha: u8) -> u8 {
    let product = u16::from(value) * u16::from(alpha) + 128;
    ((product + (product >> 8)) >> 8) as u8
}

/// Scales a part of one plane. An aligned part that already has the new size is copied.
pub fn resize(
    resizer: &mut Resizer,
    algorithm: ResizeAlg,
    (from, size): (&[u8], Size),
    cut: &Cut,
    (to, target): (&mut [u8], Size),
) {
    let whole = |value: f64| (value - value.round()).abs() < 1e-6;
    if cut.is_of(target) && whole(cut.left) && whole(cut.top) {
        let (left, top) = (cut.left.round() as usize, cut.top.round() as usize);
        let width = target.width as usize;
        let rows = from.chunks_exact(size.width.max(1) as usize).skip(top);
        for (to, from) in to.chunks_exact_mut(width.max(1)).zip(rows) {
            if let Some(from) = from.get(left..left + width) {
                to.copy_from_slice(from);
            }
        }
        return;
    }
    // Rounding may have moved an edge slightly outside the frame.
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let (left, top) = (cut.left.clamp(0.0, width), cut.top.clamp(0.0, height));
    let options = ResizeOptions::new().resize_alg(algorithm).crop(
        left,
        top,
        cut.width.min(width - left),
        cut.height.min(height - top),
    );
    // With untyped images, the binary would contain the scaling code of all 13 pixel types, which
    // is 2 MB.
    let input = TypedImageRef::<U8>::from_buffer(size.width, size.height, from);
    let output = TypedImage::<U8>::from_buffer(target.width, target.height, to);
    if let (Ok(input), Ok(mut output)) = (input, output)
        && let Err(fault) = resizer.resize_typed(&input, &mut output, &options)
    {
        // With sizes that match the buffers, scaling cannot fail. After a failure, the old content
        // would be shown.
        tracing::warn!(%fault, "scaling a frame failed");
    }
}

/// Rotates all planes by quarter turns, and flips them.
fn turn_all(
    from: &Planes,
    chroma: &[u8],
    turn: Orientation,
    out: &mut Planes,
    chroma_alpha: &mut Vec<u8>,
    workers: &WorkerPool,
) {
    let (width, to) = (from.luma_stride(), out.luma_stride());
    turn_plane(&from.y, width, turn, &mut out.y, to, workers);
    turn_plane(&from.u, width / 2, turn, &mut out.u, to / 2, workers);
    turn_plane(&from.v, width / 2, turn, &mut out.v, to / 2, workers);
    if let (Some(from), Some(out)) = (&from.alpha, &mut out.alpha) {
        turn_plane(from, width, turn, out, to, workers);
        chroma_alpha.resize(chroma.len(), 0);
        turn_plane(chroma, width / 2, turn, chroma_alpha, to / 2, workers);
    }
}

fn turn_plane(
    from: &[u8],
    width: usize,
    turn: Orientation,
    out: &mut [u8],
    out_width: usize,
    workers: &WorkerPool,
) {
    let out_width = out_width.max(1);
    let all = out.len() / out_width;
    let rows = bands::height(all, out_width);
    let parts = out.chunks_mut(rows * out_width).enumerate();
    workers.each(
        parts,
        #[inline(always)]
        |(index, out)| turn_rows(from, width, turn, out, out_width, (index * rows, all)),
    );
}

/// Writes rows of the turned plane, from index `first` on. The whole turned plane has `out_rows`
/// rows.
#[inline(always)]
fn turn_rows(
    from: &[u8],
    width: usize,
    turn: Orientation,
    out: &mut [u8],
    out_width: usize,
    (first, out_rows): (usize, usize),
) {
    let width = width.max(1);
    let rows = from.len() / width;
    for (index, line) in (first..).zip(out.chunks_exact_mut(out_width)) {
        let along = if turn.flip_y { out_rows - 1 - index } else { index };
        if turn.swap {
            // A column of the original, read downwards or upwards.
            let column = from.iter().skip(along).step_by(width);
            if turn.flip_x {
                for (row, value) in column.take(rows).enumerate() {
                    if let Some(out) = line.get_mut(rows - 1 - row) {
                        *out = *value;
                    }
                }
            } else {
                line.iter_mut().zip(column).for_each(|(out, value)| *out = *value);
            }
        } else if let Some(source) = from.get(along * width..(along + 1) * width) {
            line.copy_from_slice(source);
            if turn.flip_x {
                line.reverse();
            }
        }
    }
}

/// Rotates all planes by any angle, with smooth edges. The area outside the frame is transparent.
fn warp_all(
    from: &Planes,
    chroma: &[u8],
    map: Affine,
    bounds: Rect,
    out: &mut Planes,
    chroma_alpha: &mut Vec<u8>,
    workers: &WorkerPool,
) {
    let Some(back) = map.inverse() else { return };
    let size = from.size();
    let half = size.half();
    // Maps pixels of the result to pixels of the original, both measured at their centers.
    let luma = back.after(Affine::shift(bounds.x as f64, bounds.y as f64));
    let small = Affine::scale(0.5, 0.5).after(luma).after(Affine::scale(2.0, 2.0));
    let (width, chroma_width) = (out.luma_stride(), out.chroma_stride());
    chroma_alpha.resize(out.u.len(), 0);
    let full = Source { size, plane: None };
    let small_full = Source { size: half, plane: None };
    let small_alpha = from.alpha.as_ref().map(|_| chroma);
    let alpha = out
        .alpha
        .as_mut()
        .map(|out| (Source { plane: from.alpha.as_deref(), ..full }, luma, out, width));
    let planes = [
        Some((Source { plane: Some(&from.y), ..full }, luma, &mut out.y, width)),
        Some((Source { plane: Some(&from.u), ..small_full }, small, &mut out.u, chroma_width)),
        Some((Source { plane: Some(&from.v), ..small_full }, small, &mut out.v, chroma_width)),
        alpha,
        Some((Source { plane: small_alpha, ..small_full }, small, chroma_alpha, chroma_width)),
    ];
    for (source, map, out, width) in planes.into_iter().flatten() {
        let rows = bands::height(out.len() / width.max(1), width);
        let parts = out.chunks_mut(rows * width.max(1)).enumerate();
        workers.each(
            parts,
            #[inline(always)]
            |(index, out)| warp(&source, map, index * rows, out, width),
        );
    }
}

/// A plane to sample; `None` means 255 everywhere.
#[derive(Copy, Clone)]
struct Source<'a> {
    size: Size,
    plane: Option<&'a [u8]>,
}

impl Source<'_> {
    fn at(&self, x: i64, y: i64) -> i64 {
        let (width, height) = (i64::from(self.size.width), i64::from(self.size.height));
        if x < 0 || y < 0 || x >= width || y >= height {
            return 0;
        }
        let index = usize::try_from(y * width + x).unwrap_or(0);
        self.plane.map_or(255, |plane| plane.get(index).copied().unwrap_or(0).into())
    }
}

/// Samples the rows from index `first` with bilinear interpolation, at positions with 16
/// fractional bits.
#[inline(always)]
fn warp(from: &Source<'_>, map: Affine, first: usize, out: &mut [u8], width: usize) {
    let fixed = |value: f64| (value * 65_536.0).round() as i64;
    let step = (fixed(map.xx), fixed(map.yx));
    for (row, line) in (first..).zip(out.chunks_exact_mut(width.max(1))) {
        let (x, y) = map.apply(0.5, row as f64 + 0.5);
        let (mut x, mut y) = (fixed(x - 0.5), fixed(y - 0.5));
        for value in line {
            let (left, top) = (x >> 16, y >> 16);
            let (right, down) = ((x >> 8) & 255, (y >> 8) & 255);
            let upper = from.at(left, top) * (256 - right) + from.at(left + 1, top) * right;
            let lower = from.at(left, top + 1) * (256 - right) + from.at(left + 1, top + 1) * right;
            *value = ((upper * (256 - down) + lower * down + (1 << 15)) >> 16) as u8;
            x += step.0;
            y += step.1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarter_turns_move_every_pixel_to_its_place() {
        let from = [1, 2, 3, 4, 5, 6];
        let turned = |swap, flip_x, flip_y| {
            let mut out = [0; 6];
            let width = if swap { 2 } else { 3 };
            let turn = Orientation { swap, flip_x, flip_y };
            turn_plane(&from, 3, turn, &mut out, width, &WorkerPool::alone());
            out
        };
        assert_eq!(turned(true, true, false), [4, 1, 5, 2, 6, 3], "clockwise");
        assert_eq!(turned(true, false, true), [3, 6, 2, 5, 1, 4], "counter-clockwise");
        assert_eq!(turned(false, true, true), [6, 5, 4, 3, 2, 1], "upside down");
        assert_eq!(turned(false, true, false), [3, 2, 1, 6, 5, 4], "mirrored");
    }

    #[test]
    fn a_large_plane_is_turned_in_bands_to_the_same_places() {
        let (width, height) = (402, 322);
        let from: Vec<u8> = (0..width * height).map(|it| (it * 7 % 251) as u8).collect();
        let workers = WorkerPool::of("onair-test", 4);
        for bits in 0..8 {
            let [swap, flip_x, flip_y] = [1, 2, 4].map(|bit| bits & bit != 0);
            let (to, rows) = if swap { (height, width) } else { (width, height) };
            let mut out = vec![0; from.len()];
            turn_plane(&from, width, Orientation { swap, flip_x, flip_y }, &mut out, to, &workers);
            for (place, value) in out.iter().enumerate() {
                let (x, y) = (place % to, place / to);
                let x = if flip_x { to - 1 - x } else { x };
                let y = if flip_y { rows - 1 - y } else { y };
                let (x, y) = if swap { (y, x) } else { (x, y) };
                assert_eq!(*value, from[y * width + x], "{swap} {flip_x} {flip_y} {place}");
            }
        }
    }

    #[test]
    fn sampling_by_the_identity_changes_nothing() {
        let plane: Vec<u8> = (0..=255).collect();
        let from = Source { size: Size::new(16, 16), plane: Some(&plane) };
        let mut out = vec![0; 256];
        warp(&from, Affine::scale(1.0, 1.0), 0, &mut out, 16);
        assert_eq!(out, plane);
        warp(&from, Affine::shift(0.5, 0.0), 0, &mut out, 16);
        assert_eq!(out[0], 1, "between 0 and 1");
        assert_eq!(out[31], 16, "half of 31: outside there is nothing");
    }

    #[test]
    fn multiplying_by_alpha_is_exact_at_its_ends() {
        for value in 0..=255 {
            assert_eq!(scaled_by(value, 255), value);
            assert_eq!(scaled_by(value, 0), 0);
        }
        assert_eq!(scaled_by(200, 128), 100);
    }
}
