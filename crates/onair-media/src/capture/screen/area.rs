//! Pixel rectangles on a display, relative to its upper left corner.

use crate::media::Size;
use crate::text::problem::{Problem, problem};

/// A rectangle with at least one pixel.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Area {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// The maximum coordinate.
const MAX_COORDINATE: u32 = 1 << 16;

impl Area {
    /// Creates a rectangle from its position and size.
    pub const fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// Returns the number of pixels in the rectangle.
    pub(in crate::capture) const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Clips a rectangle that can begin left of or above the origin. Returns `None` if no part of
    /// it is visible.
    pub(in crate::capture) fn clipped(x: i64, y: i64, width: u32, height: u32) -> Option<Self> {
        let span = |at: i64, length: u32| {
            let start = at.clamp(0, MAX_COORDINATE.into());
            let end = (at + i64::from(length)).clamp(0, MAX_COORDINATE.into());
            let length = u32::try_from(end - start).ok().filter(|length| *length > 0)?;
            Some((u32::try_from(start).ok()?, length))
        };
        let ((x, width), (y, height)) = (span(x, width)?, span(y, height)?);
        Some(Self { x, y, width, height })
    }

    /// Returns the intersection with another rectangle, if any.
    pub(in crate::capture) fn within(self, other: Self) -> Option<Self> {
        let span = |a: u32, al: u32, b: u32, bl: u32| {
            let start = a.max(b);
            let end = a.saturating_add(al).min(b.saturating_add(bl));
            Some((start, end.checked_sub(start).filter(|length| *length > 0)?))
        };
        let (x, width) = span(self.x, self.width, other.x, other.width)?;
        let (y, height) = span(self.y, self.height, other.y, other.height)?;
        Some(Self { x, y, width, height })
    }

    /// Returns the smallest rectangle that contains both.
    pub(in crate::capture) fn joined(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let end = |a: u32, al: u32, b: u32, bl: u32| a.saturating_add(al).max(b.saturating_add(bl));
        Self {
            x,
            y,
            width: end(self.x, self.width, other.x, other.width) - x,
            height: end(self.y, self.height, other.y, other.height) - y,
        }
    }

    /// Returns the rectangle relative to another origin.
    pub(in crate::capture) fn moved(self, x: u32, y: u32) -> Self {
        Self { x: self.x.saturating_add(x), y: self.y.saturating_add(y), ..self }
    }

    /// Returns the rectangle relative to the corner of a containing rectangle.
    pub(in crate::capture) fn relative_to(self, outer: Self) -> Self {
        Self { x: self.x.saturating_sub(outer.x), y: self.y.saturating_sub(outer.y), ..self }
    }

    /// Returns the rectangle with an even width and height (an odd last column or row is dropped).
    ///
    /// # Errors
    /// Fails with the reason if no pixel is left, or if the rectangle is larger than a frame.
    pub(in crate::capture) fn even(self) -> Result<Self, Problem> {
        let most = Size::MAX_SIDE;
        let Self { width, height, .. } = self;
        if width > most || height > most {
            let (size, most) = (format!("{width}x{height}"), format!("{most}x{most}"));
            return Err(problem!("display-too-large", size = size, most = most));
        }
        let area = Self { width: width & !1, height: height & !1, ..self };
        let is_empty = area.width == 0 || area.height == 0;
        if is_empty { Err(problem!("display-too-small")) } else { Ok(area) }
    }

    /// Returns the rectangle extended to even corners inside an even frame, so that it contains
    /// whole chroma samples.
    pub(in crate::capture) fn on_chroma(self) -> Self {
        let (x, y) = (self.x & !1, self.y & !1);
        let side = |from: u32, start: u32, length: u32| {
            (from.saturating_add(length) - start).next_multiple_of(2)
        };
        Self { x, y, width: side(self.x, x, self.width), height: side(self.y, y, self.height) }
    }
}

/// Formats as `WIDTHxHEIGHT+X+Y`, like X11.
impl std::fmt::Display for Area {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}+{}+{}", self.width, self.height, self.x, self.y)
    }
}

impl std::str::FromStr for Area {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (size, place) = text.split_once('+')?;
            let ((width, height), (x, y)) = (size.split_once('x')?, place.split_once('+')?);
            let number = |text: &str| {
                let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
                text.parse().ok().filter(|number| digits && *number < MAX_COORDINATE)
            };
            let (width, height) = (number(width)?, number(height)?);
            let area = Self { x: number(x)?, y: number(y)?, width, height };
            (width >= 2 && height >= 2).then_some(area)
        };
        read().ok_or_else(|| problem!("choice-no-region", text = text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rectangles_meet_and_join() {
        let screen = Area::new(100, 50, 640, 480);
        assert_eq!(Area::new(0, 0, 110, 60).within(screen), Some(Area::new(100, 50, 10, 10)));
        assert_eq!(Area::new(0, 0, 100, 60).within(screen), None);
        assert_eq!(Area::clipped(-5, -5, 6, 10), Some(Area::new(0, 0, 1, 5)));
        assert_eq!(Area::clipped(-5, 0, 5, 5), None);
        let joined = Area::new(1, 2, 3, 4).joined(Area::new(10, 0, 1, 1));
        assert_eq!(joined, Area::new(1, 0, 10, 6));
        assert_eq!(Area::new(3, 5, 1, 2).on_chroma(), Area::new(2, 4, 2, 4));
        assert_eq!(Area::new(9, 9, 641, 8_192).even(), Ok(Area::new(9, 9, 640, 8_192)));
        assert_eq!(Area::new(0, 0, 641, 1).even(), Err(problem!("display-too-small")));
        let wide = Area::new(0, 0, 9_000, 200).even().unwrap_err();
        assert_eq!(wide, "9000x200 pixels; the maximum is 8192x8192", "nothing is cut off");
    }

    #[test]
    fn regions_read_back_as_written() {
        assert_eq!("640x480+0+10".parse::<Area>().unwrap().to_string(), "640x480+0+10");
        for bad in ["", "640x480", "1x1+0+0", "640x480+-1+0", "640x480+0+99999", "ax2+0+0"] {
            assert!(bad.parse::<Area>().is_err(), "{bad}");
        }
    }
}
