//! The aspect of pixels, and the stretching of frames whose pixels are not square.

use crate::media::frame::Size;

/// Maximum ratio of the sides of a pixel. Larger ratios are errors, or would waste memory.
const MAX_PIXEL_ASPECT: u64 = 10;

/// The width and height of pixels, as a reduced fraction.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PixelAspect {
    width: u32,
    height: u32,
}

/// Returns the greatest common divisor, or 1 if both numbers are zero.
pub fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

impl PixelAspect {
    pub const SQUARE: Self = Self { width: 1, height: 1 };

    /// Creates the aspect of pixels with these sides. Returns `None` if the pixels are square, or
    /// if the sides are invalid.
    pub fn new(width: u64, height: u64) -> Option<Self> {
        let (short, long) = (width.min(height), width.max(height));
        if short == long || long > short.saturating_mul(MAX_PIXEL_ASPECT) {
            return None;
        }
        let divisor = gcd(width, height);
        let side = |side: u64| u32::try_from(side / divisor).ok();
        Some(Self { width: side(width)?, height: side(height)? })
    }

    /// Returns the width and the height of a pixel.
    pub const fn sides(self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// Returns true if the difference from another aspect is visible, which is more than 1 %.
    pub fn differs(self, other: Self) -> bool {
        let product = |width: u32, height: u32| u64::from(width) * u64::from(height);
        let (own, others) = (product(self.width, other.height), product(other.width, self.height));
        own.abs_diff(others) > own.max(others) / 100
    }

    /// Returns the size of a frame after it was stretched so that its pixels are square. One side
    /// grows, unless the frame would exceed [`Size::MAX_SIDE`]. An invisible difference is not
    /// worth the loss of sharpness.
    pub fn stretched(self, size: Size) -> Size {
        let (width, height) = (u64::from(self.width), u64::from(self.height));
        if !self.differs(Self::SQUARE) {
            return size;
        }
        let grown = |side: u32, long: u64, short: u64| {
            u32::try_from(u64::from(side) * long / short).unwrap_or(u32::MAX) & !1
        };
        let stretched = if width > height {
            Size::new(grown(size.width, width, height), size.height)
        } else {
            Size::new(size.width, grown(size.height, height, width))
        };
        match stretched.width.max(stretched.height) > Size::MAX_SIDE {
            true => stretched.fitted_into(Size::new(Size::MAX_SIDE, Size::MAX_SIDE)),
            false => stretched,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixel_aspects_are_reduced_and_limited() {
        assert_eq!(PixelAspect::new(1_024, 720).map(PixelAspect::sides), Some((64, 45)));
        assert_eq!(PixelAspect::new(1, 10).map(PixelAspect::sides), Some((1, 10)));
        let large = u64::MAX;
        for (width, height) in
            [(0, 0), (0, 1), (1, 0), (7, 7), (11, 1), (1, 11), (large, 1), (large, large - 1)]
        {
            assert_eq!(PixelAspect::new(width, height), None, "{width}:{height}");
        }
    }

    #[test]
    fn frames_are_stretched_to_square_pixels() {
        for (aspect, from, to) in [
            ((64, 45), (720, 576), (1_024, 576)),
            ((4, 3), (1_440, 1_080), (1_920, 1_080)),
            ((32, 17), (544, 576), (1_024, 576)),
            ((12, 11), (720, 576), (784, 576)),
            // A side never shrinks.
            ((8, 9), (720, 480), (720, 540)),
            // The rest of a rounded size.
            ((1_280, 1_281), (854, 480), (854, 480)),
            ((10, 1), (4_096, 2_304), (8_192, 460)),
            ((1, 10), (16, 8_192), (2, 8_192)),
            ((2, 1), (0, 0), (0, 0)),
            ((2, 1), (u32::MAX, 2), (8_192, 2)),
        ] {
            let size = PixelAspect::new(aspect.0, aspect.1).unwrap();
            let size = size.stretched(Size::new(from.0, from.1));
            assert_eq!(size, Size::new(to.0, to.1), "{aspect:?} {from:?}");
        }
    }
}
