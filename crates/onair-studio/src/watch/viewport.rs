//! The viewport of a player's frame: its aspect, zoom, rotation, and position. There is one for
//! each tile.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::base::named;
use crate::media::Rotation;

named! {
    /// The way in which a frame fits into its area.
    #[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
    pub enum Aspect {
        /// The whole frame, in its own aspect ratio.
        #[default]
        Fit = "fit",
        /// Fills the whole area, in the frame's own aspect ratio: the excess is cropped.
        Fill = "fill",
        Wide = "16:9",
        Classic = "4:3",
        /// One screen pixel per frame pixel.
        Original = "original",
    }
    /// Returns the name in settings files.
    fn word;
}

impl Aspect {
    /// Returns the next value.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|it| *it == self).unwrap_or(0);
        Self::ALL.get(at + 1).copied().unwrap_or_default()
    }

    /// Returns the value with this name in settings files.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// The range of zoom factors.
pub const ZOOM_RANGE: RangeInclusive<f32> = 0.25..=4.0;

/// Maximum distance by which a frame can be dragged. A frame never gets that far, because the area
/// also limits the position.
pub const MAX_PAN_DISTANCE: f32 = 4.0;

/// The viewport of a frame.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Viewport {
    pub aspect: Aspect,
    pub zoom: f32,
    pub turn: Rotation,
    /// The offset of the frame's center from the center of its area, to the right and down. The
    /// unit is the displayed frame's width and height, so areas of any size show the same part.
    pub pan: [f32; 2],
}

impl Default for Viewport {
    fn default() -> Self {
        Self { aspect: Aspect::Fit, zoom: 1.0, turn: Rotation::None, pan: [0.0; 2] }
    }
}

impl Viewport {
    /// Returns the viewport with a valid zoom and a matching position.
    pub fn checked(self) -> Self {
        let zoom = if self.zoom.is_finite() { self.zoom } else { 1.0 };
        let zoom = zoom.clamp(*ZOOM_RANGE.start(), *ZOOM_RANGE.end());
        // Only an enlarged frame can be dragged.
        let place = |at: f32| {
            if at.is_finite() && zoom > 1.0 {
                at.clamp(-MAX_PAN_DISTANCE, MAX_PAN_DISTANCE)
            } else {
                0.0
            }
        };
        Self { zoom, pan: self.pan.map(place), ..self }
    }
}

/// Formats the viewport as in settings files: `fill 1.5 90`, or `fill 1.5 90 -0.2 0.1` if it was
/// dragged.
impl fmt::Display for Viewport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The fractions of a percent from a slider are not intentional. (Adding 0.0 removes the
        // sign of a negative zero.)
        let short = |value: f32| (value * 1_000.0).round() / 1_000.0 + 0.0;
        write!(f, "{} {} {}", self.aspect.word(), short(self.zoom), self.turn.degrees())?;
        let [x, y] = self.pan.map(short);
        if x == 0.0 && y == 0.0 { Ok(()) } else { write!(f, " {x} {y}") }
    }
}

impl FromStr for Viewport {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const PARSE_ERROR: &str = "a look is a shape, a zoom from 0.25 to 4 and a turn, as in \"fit 1 0\", and perhaps how \
             far right and down it was dragged, as in \"fit 2 0 -0.2 0.1\"";
        let mut words = text.split_whitespace();
        let mut word = || words.next().ok_or(PARSE_ERROR);
        let (aspect, zoom, turn) = (word()?, word()?, word()?);
        let zoom: f32 = zoom.parse().map_err(|_| PARSE_ERROR)?;
        let turn: usize = turn.parse().map_err(|_| PARSE_ERROR)?;
        let mut pan = [0.0_f32; 2];
        let rest: Vec<_> = words.take(pan.len() + 1).collect();
        match rest.len() {
            0 => {}
            2 => {
                for (at, word) in pan.iter_mut().zip(rest) {
                    *at = word.parse().ok().filter(|at: &f32| at.is_finite()).ok_or(PARSE_ERROR)?;
                }
            }
            _ => return Err(PARSE_ERROR),
        }
        let viewport = Self {
            aspect: Aspect::of(aspect).ok_or(PARSE_ERROR)?,
            zoom,
            turn: Rotation::ALL.into_iter().find(|it| it.degrees() == turn).ok_or(PARSE_ERROR)?,
            pan,
        };
        // A position that is too far away is limited, because its exact value is not intentional.
        if ZOOM_RANGE.contains(&zoom) { Ok(viewport.checked()) } else { Err(PARSE_ERROR) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_look_is_read_as_it_was_written() {
        for aspect in Aspect::ALL {
            for turn in Rotation::ALL {
                for zoom in [0.25, 1.0, 1.337, 4.0] {
                    let pan = if zoom > 1.0 { [-0.25, 0.125] } else { [0.0; 2] };
                    let viewport = Viewport { aspect, zoom, turn, pan };
                    assert_eq!(viewport.to_string().parse(), Ok(viewport), "{viewport}");
                }
            }
        }
        let slid = Viewport { zoom: 1.234_567, ..Viewport::default() };
        assert_eq!(slid.to_string(), "fit 1.235 0");
        let dragged = Viewport { zoom: 2.0, pan: [0.300_04, -0.000_1], ..Viewport::default() };
        assert_eq!(dragged.to_string(), "fit 2 0 0.3 0");
        assert_eq!((Aspect::Original.next(), Rotation::Left.next()), (Aspect::Fit, Rotation::None));
    }

    #[test]
    fn what_is_no_look_is_refused() {
        let wrong =
            ["", "fit", "fit 1", "round 1 0", "fit NaN 0", "fit 9 0", "fit 1 45", "fit 1 0 x"];
        let places =
            ["fit 2 0 1", "fit 2 0 1 x", "fit 2 0 NaN 0", "fit 2 0 0 inf", "fit 2 0 0 0 0"];
        for text in wrong.into_iter().chain(places) {
            assert!(text.parse::<Viewport>().is_err(), "{text}");
        }
        assert_eq!(
            Viewport { zoom: f32::NAN, ..Viewport::default() }.checked(),
            Viewport::default()
        );
        assert_eq!(Viewport { zoom: 99.0, ..Viewport::default() }.checked().zoom, 4.0);
    }

    #[test]
    fn a_position_is_bounded_and_exists_only_with_an_enlarged_view() {
        let pan = |text: &str| text.parse::<Viewport>().unwrap().pan;
        assert_eq!(pan("fit 2 0 1e30 -7"), [MAX_PAN_DISTANCE, -MAX_PAN_DISTANCE]);
        assert_eq!(pan("fit 1 0 0.5 0.5"), [0.0; 2]);
        let wild =
            Viewport { zoom: 2.0, pan: [f32::NAN, f32::NEG_INFINITY], ..Viewport::default() };
        assert_eq!(wild.checked().pan, [0.0; 2]);
    }
}
