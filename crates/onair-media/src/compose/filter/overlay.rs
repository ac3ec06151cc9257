//! Filters with an image file: a mask, which controls visibility, and a watermark, which is drawn
//! on top. Each image is scaled once to the needed size, and then kept.

use std::fmt;
use std::sync::Arc;

use fast_image_resize::Resizer;

use crate::base::WorkerPool;
use crate::compose::draw::bands::halved;
use crate::compose::draw::color_convert::ColorConvert;
use crate::compose::filter::alpha::{full_range, multiply, times};
use crate::compose::filter::scale::{self, Kernel};
use crate::compose::filter::step::Step;
use crate::media::{Color, Planes, PlanesPool, Size, VideoFrame};

/// Number of frames with watermarks that the pool keeps for reuse. Frames in use belong to an
/// encoder and the current drawing.
const MAX_OVERLAY_FRAMES: usize = 2;

/// How the image of a mask controls visibility.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Reading {
    #[default]
    Alpha,
    /// White parts are visible, and black parts are hidden.
    Luma,
    AlphaInverted,
    LumaInverted,
}

impl Reading {
    pub(super) const ALL: [(&'static str, Self); 4] = [
        ("alpha", Self::Alpha),
        ("luma", Self::Luma),
        ("alpha-inverted", Self::AlphaInverted),
        ("luma-inverted", Self::LumaInverted),
    ];
}

/// The position of a watermark.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    #[default]
    BottomRight,
    Middle,
}

impl Corner {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("top-left", Self::TopLeft),
        ("top-right", Self::TopRight),
        ("bottom-left", Self::BottomLeft),
        ("bottom-right", Self::BottomRight),
        ("middle", Self::Middle),
    ];

    /// The position with this name, such as `top-left`.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, corner)| *corner)
    }
}

/// The implementation of [`Filter::Mask`](super::Filter::Mask).
pub struct Mask {
    image: Arc<Planes>,
    reading: Reading,
    /// The visibility plane for frames of this size.
    fitted: Option<(Size, Vec<u8>)>,
}

impl Mask {
    pub fn new(image: Arc<Planes>, reading: Reading) -> Self {
        Self { image, reading, fitted: None }
    }

    fn fit(&self, size: Size) -> Vec<u8> {
        let image = &*self.image;
        let alpha = |index: usize| image.alpha.as_ref().and_then(|it| it.get(index)).copied();
        let seen = image.y.iter().enumerate().map(|(index, y)| {
            let alpha = alpha(index).unwrap_or(255);
            match self.reading {
                Reading::Alpha => alpha,
                Reading::AlphaInverted => 255 - alpha,
                Reading::Luma => times(full_range(*y), alpha),
                Reading::LumaInverted => 255 - times(full_range(*y), alpha),
            }
        });
        let seen: Vec<u8> = seen.collect();
        let mut out = vec![255; size.pixels()];
        if image.size() == size {
            return seen;
        }
        let mut resizer = Resizer::default();
        scale::plane(&mut resizer, Kernel::Bilinear, (&seen, image.size()), (&mut out, size));
        out
    }
}

impl Step for Mask {
    fn shape(&self, size: Size, _: bool) -> (Size, bool) {
        (size, true)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, _: &WorkerPool) {
        out.copy(from);
        let size = from.size();
        if self.fitted.as_ref().is_none_or(|(of, _)| *of != size) {
            self.fitted = Some((size, self.fit(size)));
        }
        if let (Some(alpha), Some((_, seen))) = (&mut out.alpha, &self.fitted) {
            alpha.copy_from_slice(seen);
            multiply(alpha, from.alpha.as_ref());
        }
    }
}

/// The implementation of [`Filter::Watermark`](super::Filter::Watermark).
pub struct Watermark {
    image: Arc<Planes>,
    corner: Corner,
    extent: Extent,
    margin: f32,
    opacity: f32,
    fitted: Option<(Size, ScaledWatermark)>,
}

/// The size of a watermark: a fraction of the frame's width or height.
#[derive(Copy, Clone)]
enum Extent {
    Width(f32),
    Height(f32),
}

/// The watermark at its final size, premultiplied by its alpha.
struct ScaledWatermark {
    left: usize,
    top: usize,
    planes: Planes,
    solid: Vec<u8>,
    /// The share of the background that remains, for luma and for chroma.
    rest: [Vec<u8>; 2],
}

impl Watermark {
    /// Creates the watermark. `width` and `margin` are fractions of the frame width.
    pub fn new(image: Arc<Planes>, corner: Corner, width: f32, margin: f32, opacity: f32) -> Self {
        Self { image, corner, extent: Extent::Width(width), margin, opacity, fitted: None }
    }

    /// Draws the watermark on a frame.
    fn lay(&mut self, out: &mut Planes, workers: &WorkerPool) {
        let size = out.size();
        if self.fitted.as_ref().is_none_or(|(of, _)| *of != size) {
            self.fitted = Some((size, self.fit(size, workers)));
        }
        let Some((_, fitted)) = &self.fitted else { return };
        let ScaledWatermark { left, top, planes, solid, rest: [fine, rough] } = fitted;
        let (stride, width) = (out.luma_stride(), planes.luma_stride());
        let (at, half) = ((*left, *top), (left / 2, top / 2));
        over(&mut out.y, stride, at, &planes.y, fine, width);
        over(&mut out.u, stride / 2, half, &planes.u, rough, width / 2);
        over(&mut out.v, stride / 2, half, &planes.v, rough, width / 2);
        if let Some(alpha) = &mut out.alpha {
            // The covered area becomes visible, whatever its alpha was.
            over(alpha, stride, at, solid, fine, width);
        }
    }

    fn fit(&self, size: Size, workers: &WorkerPool) -> ScaledWatermark {
        let from = self.image.size();
        let even = |side: f32, most: u32| (((side / 2.0).round() as u32) * 2).clamp(2, most);
        let width = match self.extent {
            Extent::Width(part) => part * size.width as f32,
            Extent::Height(part) => {
                part * size.height as f32 * from.width as f32 / from.height.max(1) as f32
            }
        };
        let width = even(width, size.width);
        let height = width as f32 * from.height as f32 / from.width.max(1) as f32;
        let to = Size::new(width, even(height, size.height));
        let mut weighed = (*self.image).clone();
        let alpha = weighed.alpha.take().unwrap_or_else(|| vec![255; from.pixels()]);
        let strength = (self.opacity.clamp(0.0, 1.0) * 255.0).round() as u8;
        let alpha: Vec<u8> = alpha.iter().map(|value| times(*value, strength)).collect();
        let mut coarse = vec![0; weighed.u.len()];
        halved(&alpha, weighed.luma_stride(), &mut coarse);
        multiply(&mut weighed.y, Some(&alpha));
        multiply(&mut weighed.u, Some(&coarse));
        multiply(&mut weighed.v, Some(&coarse));
        let mut planes = Planes::black(to);
        let mut resizer = Resizer::default();
        let kernel = if to.width < from.width { Kernel::Area } else { Kernel::Bilinear };
        scale::scale(&mut Default::default(), kernel, &weighed, &mut planes, workers);
        let mut fine = vec![0; to.pixels()];
        let mut rough = vec![0; to.half().pixels()];
        scale::plane(&mut resizer, kernel, (&alpha, from), (&mut fine, to));
        scale::plane(&mut resizer, kernel, (&coarse, from.half()), (&mut rough, to.half()));
        let solid = fine.clone();
        for value in fine.iter_mut().chain(&mut rough) {
            *value = 255 - *value;
        }
        let margin = (self.margin * size.width as f32 / 2.0).round() as u32 * 2;
        let far = |side: u32, length: u32| side.saturating_sub(length).saturating_sub(margin);
        let near = |side: u32, length: u32| margin.min(side.saturating_sub(length));
        let (right, bottom) = (far(size.width, to.width), far(size.height, to.height));
        let (first, top) = (near(size.width, to.width), near(size.height, to.height));
        let (left, top) = match self.corner {
            Corner::TopLeft => (first, top),
            Corner::TopRight => (right, top),
            Corner::BottomLeft => (first, bottom),
            Corner::BottomRight => (right, bottom),
            Corner::Middle => ((size.width - to.width) / 2, (size.height - to.height) / 2),
        };
        let even = |side: u32| (side & !1) as usize;
        ScaledWatermark { left: even(left), top: even(top), planes, solid, rest: [fine, rough] }
    }
}

/// Blends a premultiplied plane over a part of another one.
fn over(
    out: &mut [u8],
    stride: usize,
    (left, top): (usize, usize),
    from: &[u8],
    rest: &[u8],
    width: usize,
) {
    let rows = out.chunks_exact_mut(stride.max(1)).skip(top);
    let lines = from.chunks_exact(width.max(1)).zip(rest.chunks_exact(width.max(1)));
    for (out, (from, rest)) in rows.zip(lines) {
        let Some(out) = out.get_mut(left..left + width) else { continue };
        for ((out, from), rest) in out.iter_mut().zip(from).zip(rest) {
            *out = from.saturating_add(times(*out, *rest));
        }
    }
}

impl Step for Watermark {
    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        out.copy(from);
        self.lay(out, workers);
    }
}

/// A watermark that is drawn on frames outside a filter chain.
#[derive(Clone, Debug, PartialEq)]
pub struct WatermarkImage {
    /// The image in the program's colors, usually with alpha.
    pub image: Arc<Planes>,
    pub corner: Corner,
    /// Height as a fraction of the frame's height.
    pub height: f32,
    /// Distance from the edges as a fraction of the frame's width.
    pub margin: f32,
    /// From 0 (invisible) to 1.
    pub opacity: f32,
}

/// Converts frames to the program's colors, and draws watermarks on them.
pub struct FrameWatermarks {
    watermarks: Vec<Watermark>,
    convert: ColorConvert,
    pool: PlanesPool<MAX_OVERLAY_FRAMES>,
    workers: WorkerPool,
}

impl fmt::Debug for FrameWatermarks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FrameWatermarks({})", self.watermarks.len())
    }
}

impl FrameWatermarks {
    /// Creates an object that draws these watermarks, the last one on top.
    pub fn new(images: impl IntoIterator<Item = WatermarkImage>) -> Self {
        let watermark = |it: WatermarkImage| Watermark {
            image: it.image,
            corner: it.corner,
            extent: Extent::Height(it.height),
            margin: it.margin,
            opacity: it.opacity,
            fitted: None,
        };
        let watermarks = images.into_iter().map(watermark).collect();
        let (convert, workers) = (ColorConvert::default(), WorkerPool::alone());
        Self { watermarks, convert, pool: PlanesPool::default(), workers }
    }

    /// Returns the frame in the program's colors, with the watermarks. A frame that needs no change
    /// is shared.
    pub fn draw(&mut self, frame: VideoFrame) -> VideoFrame {
        let is_converted = frame.color == Color::PROGRAM;
        if self.watermarks.is_empty() && is_converted {
            return frame;
        }
        let mut out = self.pool.fresh(frame.size(), false);
        out.copy_pixels(frame.planes());
        if !is_converted {
            self.convert.apply(frame.color, &mut out, &self.workers);
        }
        for watermark in &mut self.watermarks {
            watermark.lay(&mut out, &self.workers);
        }
        VideoFrame { color: Color::PROGRAM, surface: out.share().into(), ..frame }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Pooled, Timestamp};
    use crate::media::frame::Range;

    fn flat(size: Size, [y, u, v]: [u8; 3], alpha: Option<u8>) -> Planes {
        let mut planes = Planes::black(size);
        planes.y.fill(y);
        planes.u.fill(u);
        planes.v.fill(v);
        planes.alpha = alpha.map(|alpha| vec![alpha; size.pixels()]);
        planes
    }

    #[test]
    fn a_mask_says_what_is_seen_by_its_alpha_or_its_luma() {
        let mut image = flat(Size::new(4, 2), [235, 128, 128], Some(255));
        image.y[..4].fill(16);
        image.alpha.as_mut().unwrap()[0] = 100;
        let image = Arc::new(image);
        let from = flat(Size::new(4, 2), [90, 60, 70], None);
        for (reading, want) in [
            (Reading::Alpha, [100, 255, 255, 255]),
            (Reading::AlphaInverted, [155, 0, 0, 0]),
            (Reading::Luma, [0, 0, 255, 255]),
            (Reading::LumaInverted, [255, 255, 0, 0]),
        ] {
            let mut out = Planes::transparent(from.size());
            Mask::new(Arc::clone(&image), reading).run(&from, &mut out, &WorkerPool::alone());
            let alpha = out.alpha.unwrap();
            assert_eq!([alpha[0], alpha[1], alpha[4], alpha[7]], want, "{reading:?}");
            assert_eq!(out.y, from.y);
        }
        let mut large = Planes::transparent(Size::new(64, 36));
        let from = flat(large.size(), [90, 60, 70], Some(128));
        Mask::new(image, Reading::Luma).run(&from, &mut large, &WorkerPool::alone());
        let alpha = large.alpha.unwrap();
        assert_eq!((alpha[0], alpha[64 * 36 - 1]), (0, 128));
    }

    #[test]
    fn watermarks_are_drawn_on_a_copy_of_a_frame_by_their_height() {
        let size = Size::new(160, 80);
        let grey = Arc::new(Pooled::unpooled(flat(size, [100, 128, 128], None)));
        let frame = VideoFrame {
            pts: Timestamp::from_millis(40),
            color: Color::PROGRAM,
            surface: grey.into(),
        };
        assert!(FrameWatermarks::new([]).draw(frame.clone()).is_same(&frame));
        let image = |corner, y, opacity| WatermarkImage {
            image: Arc::new(flat(Size::new(8, 4), [y, 90, 160], Some(255))),
            corner,
            height: 0.25,
            margin: 0.05,
            opacity,
        };
        let left = image(Corner::named("top-left").unwrap(), 200, 1.0);
        let right = image(Corner::BottomRight, 220, 0.5);
        let mut watermarks = FrameWatermarks::new([left, right]);
        for _ in 0..3 {
            let drawn = watermarks.draw(frame.clone());
            let y = &drawn.planes().y;
            assert_eq!((drawn.pts, drawn.size()), (frame.pts, size));
            // 40x20 pixels, 8 from each edge.
            let at = |x: usize, row: usize| y[row * 160 + x];
            assert_eq!(
                [at(8, 8), at(47, 27), at(7, 8), at(48, 8), at(8, 28)],
                [200, 200, 100, 100, 100]
            );
            assert!(at(120, 60).abs_diff(160) <= 1, "{}", at(120, 60));
        }
        assert_eq!(frame.planes().y[8 * 160 + 8], 100, "the frame itself stays");
        assert_eq!(Corner::named("top"), None);
    }

    #[test]
    fn frames_get_the_colors_of_the_program_before_watermarks() {
        let size = Size::new(160, 80);
        let frame = |color, pixel| {
            let surface = Arc::new(Pooled::unpooled(flat(size, pixel, None))).into();
            VideoFrame { pts: Timestamp::from_millis(40), color, surface }
        };
        let image = Arc::new(flat(Size::new(8, 4), [200, 128, 128], Some(255)));
        let (corner, height, margin, opacity) = (Corner::TopLeft, 0.25, 0.05, 1.0);
        let image = WatermarkImage { image, corner, height, margin, opacity };
        // Red in full-range BT.709, and in limited-range BT.601.
        let full = Color { range: Range::Full, ..Color::PROGRAM };
        for given in [frame(full, [54, 99, 255]), frame(Color::WEBCAM, [81, 90, 240])] {
            for (images, luma) in [(vec![], 63), (vec![image.clone()], 200)] {
                let drawn = FrameWatermarks::new(images).draw(given.clone());
                assert_eq!(
                    (drawn.color, drawn.pts, drawn.size()),
                    (Color::PROGRAM, given.pts, size)
                );
                let Planes { y, u, v, .. } = drawn.planes();
                let last = [y.last(), u.last(), v.last()].map(|value| i16::from(*value.unwrap()));
                let off = [last[0] - 63, last[1] - 102, last[2] - 240];
                assert!(off.iter().all(|it| it.abs() <= 2), "{last:?}");
                assert!(y[10 * 160 + 10].abs_diff(luma) <= 2, "{}", y[10 * 160 + 10]);
            }
        }
    }

    #[test]
    fn a_watermark_lies_in_its_corner_as_strong_as_asked_for() {
        let logo = Arc::new(flat(Size::new(8, 4), [200, 90, 160], Some(255)));
        let from = flat(Size::new(80, 40), [100, 128, 128], None);
        for (corner, inside, outside) in [
            (Corner::TopLeft, (8, 8), (70, 30)),
            (Corner::TopRight, (70, 8), (8, 8)),
            (Corner::BottomLeft, (8, 30), (8, 8)),
            (Corner::BottomRight, (70, 30), (70, 8)),
            (Corner::Middle, (40, 20), (8, 20)),
        ] {
            let mut out = Planes::black(from.size());
            Watermark::new(Arc::clone(&logo), corner, 0.2, 0.05, 1.0).run(
                &from,
                &mut out,
                &WorkerPool::alone(),
            );
            let at = |(x, y): (usize, usize)| (out.y[y * 80 + x], out.u[y / 2 * 40 + x / 2]);
            assert_eq!((at(inside), at(outside)), ((200, 90), (100, 128)), "{corner:?}");
        }
        let mut out = Planes::transparent(from.size());
        let clear = flat(Size::new(80, 40), [100, 128, 128], Some(0));
        Watermark::new(logo, Corner::Middle, 0.2, 0.0, 0.5).run(
            &clear,
            &mut out,
            &WorkerPool::alone(),
        );
        let middle = 20 * 80 + 40;
        assert!(out.y[middle].abs_diff(150) <= 1);
        assert_eq!((out.alpha.as_ref().unwrap()[middle], out.alpha.unwrap()[0]), (128, 0));
    }
}
