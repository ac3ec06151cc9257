//! The further renditions that a target gets on the same connection, if its server takes several
//! video tracks. This module is pure.

use std::fmt;
use std::str::FromStr;

use crate::media::{BitsPerSecond, ExtraRendition, Size};
use crate::studio::targets::quality::Quality;
use crate::text::Problem;
use crate::text::problem::problem;

/// A scaled video has exactly the chosen size if it has the aspect ratio of the program, except for
/// this share, which rounding to even sides costs.
const MAX_ASPECT_ERROR: f64 = 0.01;
/// The exponent with which the usual bitrate follows the number of pixels: a smaller video needs more
/// bits for each pixel.
const BITRATE_EXPONENT: f64 = 0.75;

/// Returns the size to which a program of this size is scaled: the largest one of the program's aspect
/// ratio that fits into the chosen size.
pub fn fitted_size(program: Size, chosen: Size) -> Size {
    let fitted = program.fitted_into(chosen);
    let is_near = |fitted: u32, chosen: u32| {
        f64::from(fitted) >= f64::from(chosen) * (1.0 - MAX_ASPECT_ERROR)
    };
    let is_same = is_near(fitted.width, chosen.width) && is_near(fitted.height, chosen.height);
    if is_same { chosen } else { fitted }
}

/// A further rendition, as it is chosen for a target.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct RenditionChoice {
    pub size: Size,
    /// `None` means the usual bitrate of the size.
    pub bitrate: Option<BitsPerSecond>,
}

impl RenditionChoice {
    /// Maximum number of further renditions of all targets.
    pub const MAX: usize = ExtraRendition::MAX;

    /// Returns the size beside a stream of this size, which is never larger.
    pub fn size_in(&self, stream: Size) -> Size {
        let most =
            Size::new(self.size.width.min(stream.width), self.size.height.min(stream.height));
        fitted_size(stream, most)
    }

    /// Returns the bitrate beside a stream of this quality.
    pub fn bitrate_in(&self, stream: &Quality) -> BitsPerSecond {
        let pixels = |size: Size| size.pixels().max(1) as f64;
        let share =
            (pixels(self.size_in(stream.size)) / pixels(stream.size)).powf(BITRATE_EXPONENT);
        let usual = (f64::from(stream.video_bitrate.0) * share) as u32;
        let (least, most) = (*Quality::BITRATE_RANGE.start(), *Quality::BITRATE_RANGE.end());
        self.bitrate.unwrap_or(BitsPerSecond(usual.clamp(least, most)))
    }
}

impl fmt::Display for RenditionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.bitrate {
            Some(bitrate) => write!(f, "{}@{}", self.size, bitrate.0),
            None => self.size.fmt(f),
        }
    }
}

impl FromStr for RenditionChoice {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let (size, bitrate) = match text.split_once('@') {
            Some((size, bitrate)) => (size, Some(bitrate)),
            None => (text, None),
        };
        let size = size.trim().parse()?;
        let of = |text: &str| {
            let bitrate = text.trim().parse::<BitsPerSecond>().ok();
            let bitrate = bitrate.filter(|it| Quality::BITRATE_RANGE.contains(&it.0));
            bitrate.ok_or_else(|| problem!("value-rendition"))
        };
        Ok(Self { size, bitrate: bitrate.map(of).transpose()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renditions_are_read_as_they_are_written() {
        for text in ["640x360", "640x360@800000"] {
            assert_eq!(text.parse::<RenditionChoice>().unwrap().to_string(), text);
        }
        let of = |text: &str| text.parse::<RenditionChoice>();
        assert_eq!(of("640x360@800k"), of("640x360@800000"));
        for text in ["", "640", "641x360", "640x360@", "640x360@1k", "640x360@800k@1", "@800k"] {
            assert!(of(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rendition_has_the_shape_of_the_stream_and_is_never_larger() {
        let stream = Quality::default();
        let size = |text: &str| {
            let choice: RenditionChoice = text.parse().unwrap();
            choice.size_in(stream.size).to_string()
        };
        assert_eq!(size("640x360"), "640x360");
        assert_eq!(size("854x480"), "854x480");
        assert_eq!(size("640x640"), "640x360");
        assert_eq!(size("3840x2160"), "1280x720");
    }

    #[test]
    fn the_usual_bitrate_follows_the_size() {
        let stream = Quality { video_bitrate: BitsPerSecond(4_000_000), ..Quality::default() };
        let bitrate = |text: &str| {
            let choice: RenditionChoice = text.parse().unwrap();
            choice.bitrate_in(&stream).0
        };
        assert_eq!(bitrate("1280x720"), 4_000_000);
        assert_eq!(bitrate("640x360"), 1_414_213);
        assert_eq!(bitrate("640x360@500k"), 500_000);
    }
}
