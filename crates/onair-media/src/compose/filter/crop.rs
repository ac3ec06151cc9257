//! Crops a frame at even pixels, so that chroma stays aligned.

use crate::base::WorkerPool;
use crate::compose::filter::step::Step;
use crate::media::{Planes, Size};

/// A part of a frame, with an even position and size.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub left: u32,
    pub top: u32,
    pub size: Size,
}

/// Returns the remaining part of a frame without these margins: left, top, right, bottom.
pub fn part([left, top, right, bottom]: [f32; 4], from: Size) -> Part {
    let even = |part: f32, side: u32| {
        let part = if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 };
        ((part * side as f32 / 2.0).round() as u32) * 2
    };
    let along = |low: f32, high: f32, side: u32| {
        let low = even(low, side).min(side.saturating_sub(2));
        let left = side.saturating_sub(low).saturating_sub(even(high, side)).max(2);
        (low, left)
    };
    let (left, width) = along(left, right, from.width);
    let (top, height) = along(top, bottom, from.height);
    Part { left, top, size: Size::new(width, height) }
}

/// The implementation of [`Filter::Crop`](super::Filter::Crop).
#[derive(Debug)]
pub struct Crop {
    pub sides: [f32; 4],
}

impl Step for Crop {
    fn shape(&self, size: Size, alpha: bool) -> (Size, bool) {
        (part(self.sides, size).size, alpha)
    }

    fn run(&mut self, from: &Planes, out: &mut Planes, _: &WorkerPool) {
        let Part { left, top, .. } = part(self.sides, from.size());
        let (left, top) = (left as usize, top as usize);
        let size = (out.luma_stride(), out.size().height as usize);
        out.copy_rect(from, (left, top), (0, 0), size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_cut_on_even_pixels() {
        let hd = Size::new(1920, 1080);
        let it = part([0.25, 0.0, 0.25, 0.5], hd);
        assert_eq!((it.left, it.top, it.size), (480, 0, Size::new(960, 540)));
        assert_eq!(part([0.99; 4], Size::new(2, 2)).size, Size::new(2, 2));
        for sides in [[0.99, 0.99, 0.99, 0.99], [f32::NAN; 4], [0.3337, 0.1113, 0.51, 0.7]] {
            let it = part(sides, hd);
            assert!(it.size.is_valid() && it.left + it.size.width <= 1920, "{it:?}");
            assert!(it.top + it.size.height <= 1080, "{it:?}");
        }
    }

    #[test]
    fn pixels_come_from_their_places() {
        let mut from = Planes::transparent(Size::new(8, 4));
        from.y.iter_mut().zip(0..).for_each(|(y, n)| *y = n);
        from.u.iter_mut().zip(0..).for_each(|(u, n)| *u = n);
        from.alpha.iter_mut().flatten().zip(100..).for_each(|(a, n)| *a = n);
        let mut crop = Crop { sides: [0.25, 0.5, 0.25, 0.0] };
        let (size, alpha) = crop.shape(from.size(), true);
        assert_eq!((size, alpha), (Size::new(4, 2), true));
        let mut out = Planes::transparent(size);
        crop.run(&from, &mut out, &WorkerPool::alone());
        assert_eq!(out.y, [18, 19, 20, 21, 26, 27, 28, 29]);
        assert_eq!(out.u, [5, 6]);
        assert_eq!(out.alpha.unwrap()[0], 118);
    }
}
