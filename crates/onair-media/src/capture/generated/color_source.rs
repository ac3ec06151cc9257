//! A color or a gradient of two colors as a frame.

use std::fmt;
use std::str::FromStr;

use crate::capture::rgb::Rgba;
use crate::capture::source::{Context, Error, Source};
use crate::capture::{rgb, source};
use crate::media::source_status::{SourceFormat, SourceStatus};
use crate::media::{Planes, Size};
use crate::text::problem::{Problem, problem};

/// A solid or gradient background.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct ColorSource {
    pub color: Rgba,
    /// The second color of a gradient; `None` for one color.
    pub to: Option<Rgba>,
    /// The direction of the gradient in clockwise degrees, where 0 is left to right, and 90 is
    /// downwards.
    pub degrees: u16,
}

impl ColorSource {
    /// Makes a single color.
    pub const fn plain(color: Rgba) -> Self {
        Self { color, to: None, degrees: 90 }
    }

    /// Opens the source.
    ///
    /// # Errors
    /// Never fails, because every value is valid.
    pub fn open(&self, context: &Context) -> Result<Source, Error> {
        let size = context.size;
        let status = SourceStatus::new("", self.to_string());
        status.open(SourceFormat::Video { size, fps: context.grid.rate.as_f64() });
        Ok(source::still(self.paint(size), status))
    }

    pub(in crate::capture) fn paint(&self, size: Size) -> Planes {
        let (width, height) = (size.width as usize, size.height as usize);
        let Some(to) = self.to else {
            let pixel = self.color.channels();
            // Convert two by two pixels, and repeat them in the planes.
            let small = rgb::planes(&pixel.repeat(4), 2, 2);
            let mut planes =
                if small.is_opaque() { Planes::black(size) } else { Planes::transparent(size) };
            let first = |plane: &[u8]| plane.first().copied().unwrap_or(0);
            planes.y.fill(first(&small.y));
            planes.u.fill(first(&small.u));
            planes.v.fill(first(&small.v));
            if let Some(alpha) = &mut planes.alpha {
                alpha.fill(self.color.alpha);
            }
            return planes;
        };
        let (sin, cos) = f32::from(self.degrees % 360).to_radians().sin_cos();
        // The distance of the outermost corners along the gradient.
        let reach = (width as f32 * cos.abs() + height as f32 * sin.abs()).max(1.0);
        let mut rgba = Vec::with_capacity(width * height * 4);
        for y in 0..height {
            for x in 0..width {
                let (dx, dy) =
                    (x as f32 + 0.5 - width as f32 / 2.0, y as f32 + 0.5 - height as f32 / 2.0);
                let share = (dx * cos + dy * sin) / reach + 0.5;
                rgba.extend_from_slice(&self.color.mix(to, share).channels());
            }
        }
        rgb::planes(&rgba, size.width, size.height)
    }
}

/// Formats as `#RRGGBB`, or `#RRGGBB,#RRGGBB` for a gradient, with `,DEGREES` if the gradient is
/// not vertical.
impl fmt::Display for ColorSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.color)?;
        if let Some(to) = self.to {
            write!(f, ",{to}")?;
            if self.degrees != 90 {
                write!(f, ",{}", self.degrees)?;
            }
        }
        Ok(())
    }
}

impl FromStr for ColorSource {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(',');
        let color = parts.next().unwrap_or("").parse()?;
        let to = parts.next().map(str::parse).transpose()?;
        let degrees = match parts.next() {
            None => 90,
            Some(part) => part
                .parse()
                .ok()
                .filter(|degrees| *degrees < 360)
                .ok_or_else(|| problem!("choice-no-direction", text = part))?,
        };
        match parts.next() {
            Some(more) => Err(problem!("choice-gradient", text = more)),
            None => Ok(Self { color, to, degrees }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_read_back_as_written() {
        for text in ["#102030", "#102030,#ff000080", "#000000,#ffffff,0"] {
            assert_eq!(text.parse::<ColorSource>().unwrap().to_string(), text);
        }
        for bad in ["", "#102030,", "#102030,#102030,360", "#102030,#102030,1,2", "blue"] {
            assert!(bad.parse::<ColorSource>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_colour_is_its_numbers_and_a_gradient_runs_its_way() {
        let size = Size::new(64, 32);
        let red = Rgba::opaque(255, 0, 0);
        let planes = ColorSource::plain(red).paint(size);
        let (y, u, v) = rgb::numbers(red);
        assert!(planes.y.iter().all(|&l| l == y) && planes.is_opaque());
        assert!(planes.u.iter().all(|&c| c == u) && planes.v.iter().all(|&c| c == v));
        let half = ColorSource::plain(Rgba { alpha: 100, ..red }).paint(size);
        assert_eq!(half.alpha.as_deref(), Some(&vec![100; size.pixels()][..]));

        let graded = |degrees| ColorSource {
            degrees,
            to: Some(Rgba::WHITE),
            ..ColorSource::plain(Rgba::BLACK)
        };
        let across = graded(0).paint(size).y;
        assert!(across[..64].is_sorted() && across[0] < 22 && across[63] > 229);
        assert_eq!(across[..64], across[31 * 64..]);
        let down = graded(90).paint(size).y;
        assert!(down[..64].iter().all(|&l| l == down[0]) && down[0] < 22 && down[31 * 64] > 229);
        let up = graded(270).paint(size).y;
        assert!(up[0] > 229 && up[31 * 64] < 22);
    }
}
