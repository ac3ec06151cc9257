//! Scaling with a choice of kernels.

use fast_image_resize::{FilterType, ResizeAlg, Resizer};

use crate::base::WorkerPool;
use crate::compose::draw::prepare::resize;
use crate::compose::filter::step::Step;
use crate::compose::layout::Cut;
use crate::media::{Planes, Size};

/// The interpolation of pixels.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Default)]
pub enum Kernel {
    /// The nearest pixel, for pixel art.
    Nearest,
    #[default]
    Bilinear,
    /// Catmull-Rom.
    Bicubic,
    /// Lanczos with three lobes, the sharpest kernel.
    Lanczos,
    /// The mean of the covered area.
    Area,
}

impl Kernel {
    pub(super) const ALL: [(&'static str, Self); 5] = [
        ("nearest", Self::Nearest),
        ("bilinear", Self::Bilinear),
        ("bicubic", Self::Bicubic),
        ("lanczos", Self::Lanczos),
        ("area", Self::Area),
    ];

    fn algorithm(self) -> ResizeAlg {
        ResizeAlg::Convolution(match self {
            Self::Nearest => return ResizeAlg::Nearest,
            Self::Bilinear => FilterType::Bilinear,
            Self::Bicubic => FilterType::CatmullRom,
            Self::Lanczos => FilterType::Lanczos3,
            Self::Area => FilterType::Box,
        })
    }
}

/// Maximum side length in pixels.
pub const MAX_SCALE_SIDE: f32 = 4_096.0;

/// Returns the new size of a frame of size `from`. If one side is zero, the aspect ratio determines
/// it.
pub fn target(width: f32, height: f32, from: Size) -> Size {
    let asked = |side: f32| if side >= 1.0 { side.min(MAX_SCALE_SIDE) } else { 0.0 };
    let (width, height) = (asked(width), asked(height));
    let shape = f64::from(from.width) / f64::from(from.height.max(1));
    let (width, height) = (f64::from(width), f64::from(height));
    let (width, height) = match (width > 0.0, height > 0.0) {
        (true, true) => (width, height),
        (true, false) => (width, width / shape),
        (false, true) => (height * shape, height),
        (false, false) => return from,
    };
    let even = |side: f64| {
        let side = (side / 2.0).round() as u32 * 2;
        side.clamp(2, Size::MAX_SIDE)
    };
    Size::new(even(width), even(height))
}

/// Resizes one plane into another.
pub fn plane(
    resizer: &mut Resizer,
    kernel: Kernel,
    (from, size): (&[u8], Size),
    (to, target): (&mut [u8], Size),
) {
    resize(resizer, kernel.algorithm(), (from, size), &Cut::whole(size), (to, target));
}

/// The implementation of [`Filter::Scale`](super::Filter::Scale).
pub struct Scale {
    pub width: f32,
    pub height: f32,
    pub kernel: Kernel,
    /// One resizer for each plane, because different workers use them.
    pub resizers: [Resizer; 4],
}

impl Step for Scale {
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (target(self.width, self.height, size), alpha)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, workers: &WorkerPool) {
        scale(&mut self.resizers, self.kernel, from, out, workers);
    }
}

/// Resizes all planes, without weighting colors by alpha.
pub fn scale(
    resizers: &mut [Resizer; 4],
    kernel: Kernel,
    from: &Planes,
    out: &mut Planes,
    workers: &WorkerPool,
) {
    let (size, to) = (from.size(), out.size());
    if size == to {
        out.copy(from);
        return;
    }
    let (fine, coarse) = ((size, to), (size.half(), to.half()));
    let alpha = from.alpha.as_ref().zip(out.alpha.as_mut());
    let planes = [
        Some((&from.y, &mut out.y, fine)),
        alpha.map(|(from, out)| (from, out, fine)),
        Some((&from.u, &mut out.u, coarse)),
        Some((&from.v, &mut out.v, coarse)),
    ];
    let jobs = planes.into_iter().flatten().zip(resizers);
    workers.each(jobs, |((from, out, (size, to)), resizer)| {
        plane(resizer, kernel, (from, size), (out, to));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_that_is_not_asked_for_follows_from_the_other() {
        let hd = Size::new(1280, 720);
        for (width, height, want) in [
            (0.0, 0.0, hd),
            (640.0, 0.0, Size::new(640, 360)),
            (0.0, 1080.0, Size::new(1920, 1080)),
            (333.0, 77.0, Size::new(334, 78)),
            (1e9, 1.0, Size::new(4096, 2)),
            (f32::NAN, f32::NAN, hd),
        ] {
            assert_eq!(target(width, height, hd), want);
        }
        assert_eq!(target(0.0, 4096.0, Size::new(8192, 2)), Size::new(8192, 4096));
    }

    #[test]
    fn flat_stays_flat_and_the_nearest_is_taken_as_it_is() {
        let mut from = Planes::black(Size::new(4, 4));
        from.y.iter_mut().zip(0..).for_each(|(y, n)| *y = n * 10);
        from.u.fill(50);
        for (_, kernel) in Kernel::ALL {
            let resizers = Default::default();
            let mut scale = Scale { width: 8.0, height: 0.0, kernel, resizers };
            let (size, _) = scale.shape(from.size(), false);
            let mut out = Planes::black(size);
            scale.run(&from, &mut out, &WorkerPool::alone());
            assert_eq!(out.u, [50; 16], "{kernel:?}");
            if kernel == Kernel::Nearest {
                assert_eq!(out.y[..8], [0, 0, 10, 10, 20, 20, 30, 30]);
            }
        }
    }
}
