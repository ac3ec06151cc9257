//! The settings of video filters: plain values.

use std::mem::discriminant;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::compose::filter::assets::Asset;
use crate::compose::filter::background::BackgroundMode;
use crate::compose::filter::blur::beauty::Area;
use crate::compose::filter::color::correction::Correction;
use crate::compose::filter::deinterlace::{Deinterlacing, Field};
use crate::compose::filter::overlay::{Corner, Reading};
use crate::compose::filter::scale::{self, Kernel};
use crate::media::{FilterParameter, FilterSlot, NumericSettings, ParameterUnit, Size};

/// Maximum number of filters of one source.
pub const MAX_FILTERS: usize = 16;

/// A video filter with its on/off state.
pub type Slot = FilterSlot<Filter>;

/// The settings of one filter. Values outside the ranges of [`NumericSettings::parameters`] are
/// clamped when they are set.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// Crops the sides, each by a fraction of the frame's width or height.
    Crop { left: f32, top: f32, right: f32, bottom: f32 },
    /// Corrects the colors.
    Color(Correction),
    /// Makes the key's chroma transparent: fully up to a distance of `similarity`, and partly up to
    /// `smoothness` more. `spill` is the amount of spill removal. `protect`, 0…1, keeps colors that
    /// contain little of the key color, however near they are. With 0, the distance alone decides.
    ChromaKey { color: [u8; 3], similarity: f32, smoothness: f32, spill: f32, protect: f32 },
    /// Makes the key color transparent. The brightness counts too.
    ColorKey { color: [u8; 3], similarity: f32, smoothness: f32 },
    /// Makes luma below `low` or above `high` transparent, with soft steps.
    LumaKey { low: f32, low_smooth: f32, high: f32, high_smooth: f32 },
    /// Scales to another size in pixels. If one side is zero, the aspect ratio determines it.
    Scale { width: f32, height: f32, kernel: Kernel },
    /// Adds the difference from a slightly blurred frame, multiplied by `amount`.
    Sharpen { amount: f32 },
    /// Blurs with a Gaussian of this standard deviation in pixels.
    Blur { sigma: f32 },
    /// Reduces noise within a frame and between frames; each strength is 0…1.
    Denoise { spatial: f32, temporal: f32 },
    /// Smooths and lightens skin; each strength is 0…1.
    Beauty { smooth: f32, whiten: f32, area: Area },
    /// Deinterlaces frames of capture cards.
    Deinterlace { mode: Deinterlacing, field: Field },
    /// Maps colors with a LUT (`.cube`), mixed in by `amount`.
    Lut { file: PathBuf, amount: f32 },
    /// Controls visibility with an image.
    Mask { file: PathBuf, reading: Reading },
    /// Draws an image on top of the frame; `width` and `margin` are fractions of the frame width.
    Watermark { file: PathBuf, corner: Corner, width: f32, margin: f32, opacity: f32 },
    /// Delays the frame by up to 500 ms.
    Delay { ms: f32 },
    /// Makes everything but people transparent, or blurs it with this standard deviation in pixels.
    Background { mode: BackgroundMode, sigma: f32 },
}

/// The color of a green screen.
pub const GREEN_SCREEN_COLOR: [u8; 3] = [0, 255, 0];

/// The name of each kind in settings, and its defaults.
static FILTER_KINDS: [(&str, Filter); 16] = [
    ("crop", Filter::Crop { left: 0.0, top: 0.0, right: 0.0, bottom: 0.0 }),
    ("color", Filter::Color(Correction::NO_CHANGE)),
    (
        "chroma-key",
        Filter::ChromaKey {
            color: GREEN_SCREEN_COLOR,
            similarity: 0.5,
            smoothness: 0.08,
            spill: 0.8,
            protect: 0.5,
        },
    ),
    (
        "color-key",
        Filter::ColorKey { color: GREEN_SCREEN_COLOR, similarity: 0.1, smoothness: 0.05 },
    ),
    ("luma-key", Filter::LumaKey { low: 0.1, low_smooth: 0.05, high: 1.0, high_smooth: 0.05 }),
    ("beauty", Filter::Beauty { smooth: 0.5, whiten: 0.2, area: Area::Skin }),
    ("denoise", Filter::Denoise { spatial: 0.3, temporal: 0.4 }),
    ("sharpen", Filter::Sharpen { amount: 0.4 }),
    ("blur", Filter::Blur { sigma: 8.0 }),
    ("scale", Filter::Scale { width: 0.0, height: 0.0, kernel: Kernel::Bilinear }),
    ("deinterlace", Filter::Deinterlace { mode: Deinterlacing::Adaptive, field: Field::Top }),
    ("lut", Filter::Lut { file: PathBuf::new(), amount: 1.0 }),
    ("mask", Filter::Mask { file: PathBuf::new(), reading: Reading::Alpha }),
    (
        "watermark",
        Filter::Watermark {
            file: PathBuf::new(),
            corner: Corner::BottomRight,
            width: 0.15,
            margin: 0.02,
            opacity: 0.8,
        },
    ),
    ("delay", Filter::Delay { ms: 0.0 }),
    ("background", Filter::Background { mode: BackgroundMode::Transparent, sigma: 12.0 }),
];

impl Filter {
    /// Returns the defaults of each kind.
    pub fn kinds() -> Vec<Self> {
        FILTER_KINDS.iter().map(|(_, filter)| filter.clone()).collect()
    }

    /// Returns the name of the filter's kind in settings.
    pub fn kind(&self) -> &'static str {
        let is_own = |(_, filter): &&(&str, Self)| discriminant(filter) == discriminant(self);
        FILTER_KINDS.iter().find(is_own).map_or("", |(kind, _)| kind)
    }

    /// Returns the default of the kind with this name.
    pub fn of_kind(kind: &str) -> Option<Self> {
        FILTER_KINDS.iter().find(|(name, _)| *name == kind).map(|(_, filter)| filter.clone())
    }

    /// Returns true if the filter is skipped on a slow computer. Only cosmetic filters, which hide
    /// no part of a frame, are skipped.
    pub const fn is_costly(&self) -> bool {
        matches!(self, Self::Beauty { .. } | Self::Denoise { .. } | Self::Sharpen { .. })
    }

    /// Returns true if the filter's file controls visibility, so that the frame must stay hidden
    /// without the file.
    pub const fn hides_by_file(&self) -> bool {
        matches!(self, Self::Mask { .. })
    }
}

/// The unit of a filter's numeric parameter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A share, 0…1 or -1…1, that is displayed in percent.
    Share,
    /// A factor.
    Factor,
    Degrees,
    /// Whole pixels, where zero means that the size depends on the frame.
    Pixels,
    /// Pixels with fractions.
    Radius,
    Milliseconds,
}

impl ParameterUnit for Unit {
    fn symbol(self) -> &'static str {
        match self {
            Self::Share | Self::Factor => "",
            Self::Degrees => "degrees",
            Self::Pixels | Self::Radius => "px",
            Self::Milliseconds => "ms",
        }
    }
}

/// A numeric parameter of a video filter.
pub type Parameter = FilterParameter<Unit>;

/// A choice among a few options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name in settings.
    pub name: &'static str,
    /// The options, as named in settings.
    pub options: Vec<&'static str>,
    pub chosen: &'static str,
}

/// One setting of a filter.
enum Setting<'a> {
    Number(Parameter, &'a mut f32),
    /// A choice, with a function that sets an option by its name, and returns true if that option
    /// exists.
    Choice(Choice, Box<dyn FnOnce(&str) -> bool + 'a>),
}

fn number<'a>(
    name: &'static str,
    value: &'a mut f32,
    unit: Unit,
    range: RangeInclusive<f32>,
) -> Setting<'a> {
    Setting::Number(Parameter { name, unit, range, rest: *value }, value)
}

fn share<'a>(name: &'static str, value: &'a mut f32) -> Setting<'a> {
    number(name, value, Unit::Share, 0.0..=1.0)
}

fn choice<'a, T: Copy + PartialEq>(
    name: &'static str,
    all: &'static [(&'static str, T)],
    value: &'a mut T,
) -> Setting<'a> {
    let options = all.iter().map(|(name, _)| *name).collect();
    let chosen = all.iter().find(|(_, it)| it == value).map_or("", |(name, _)| name);
    let pick = |option: &str| {
        let found = all.iter().find(|(name, _)| *name == option);
        found.map(|(_, it)| *value = *it).is_some()
    };
    Setting::Choice(Choice { name, options, chosen }, Box::new(pick))
}

impl Filter {
    /// Returns all settings except colors and files, in order.
    fn settings(&mut self) -> Vec<Setting<'_>> {
        use Unit::{Degrees, Factor, Milliseconds, Pixels, Radius, Share};
        match self {
            Self::Crop { left, top, right, bottom } => vec![
                number("left", left, Share, 0.0..=0.99),
                number("top", top, Share, 0.0..=0.99),
                number("right", right, Share, 0.0..=0.99),
                number("bottom", bottom, Share, 0.0..=0.99),
            ],
            Self::Color(it) => vec![
                number("gain", &mut it.gain, Factor, 0.0..=4.0),
                number("brightness", &mut it.brightness, Share, -1.0..=1.0),
                number("contrast", &mut it.contrast, Factor, 0.0..=4.0),
                number("gamma", &mut it.gamma, Factor, 0.1..=8.0),
                number("saturation", &mut it.saturation, Factor, 0.0..=4.0),
                number("hue_degrees", &mut it.hue_degrees, Degrees, -180.0..=180.0),
                share("opacity", &mut it.opacity),
            ],
            Self::ChromaKey { similarity, smoothness, spill, protect, .. } => vec![
                share("similarity", similarity),
                share("smoothness", smoothness),
                share("spill", spill),
                share("protect", protect),
            ],
            Self::ColorKey { similarity, smoothness, .. } => {
                vec![share("similarity", similarity), share("smoothness", smoothness)]
            }
            Self::LumaKey { low, low_smooth, high, high_smooth } => vec![
                share("low", low),
                share("low_smooth", low_smooth),
                share("high", high),
                share("high_smooth", high_smooth),
            ],
            Self::Scale { width, height, kernel } => vec![
                number("width", width, Pixels, 0.0..=scale::MAX_SCALE_SIDE),
                number("height", height, Pixels, 0.0..=scale::MAX_SCALE_SIDE),
                choice("kernel", &Kernel::ALL, kernel),
            ],
            Self::Sharpen { amount } => vec![number("amount", amount, Share, 0.0..=2.0)],
            Self::Blur { sigma } => vec![number("sigma", sigma, Radius, 0.0..=64.0)],
            Self::Denoise { spatial, temporal } => {
                vec![share("spatial", spatial), share("temporal", temporal)]
            }
            Self::Beauty { smooth, whiten, area } => vec![
                share("smooth", smooth),
                share("whiten", whiten),
                choice("area", &Area::ALL, area),
            ],
            Self::Deinterlace { mode, field } => {
                vec![choice("mode", &Deinterlacing::ALL, mode), choice("field", &Field::ALL, field)]
            }
            Self::Lut { amount, .. } => vec![share("amount", amount)],
            Self::Mask { reading, .. } => vec![choice("reading", &Reading::ALL, reading)],
            Self::Watermark { corner, width, margin, opacity, .. } => vec![
                number("width", width, Share, 0.01..=1.0),
                number("margin", margin, Share, 0.0..=0.5),
                share("opacity", opacity),
                choice("corner", &Corner::ALL, corner),
            ],
            Self::Delay { ms } => vec![number("ms", ms, Milliseconds, 0.0..=500.0)],
            Self::Background { mode, sigma } => vec![
                choice("background", &BackgroundMode::ALL, mode),
                number("sigma", sigma, Radius, 1.0..=64.0),
            ],
        }
    }

    /// Returns the key color in sRGB, for filters that have a key color.
    pub fn color(&mut self) -> Option<&mut [u8; 3]> {
        match self {
            Self::ChromaKey { color, .. } | Self::ColorKey { color, .. } => Some(color),
            _ => None,
        }
    }

    /// Returns the choices of the filter in order.
    pub fn choices(&self) -> Vec<Choice> {
        let mut own = self.clone();
        let choices = own.settings().into_iter().filter_map(|setting| match setting {
            Setting::Choice(choice, _) => Some(choice),
            Setting::Number(..) => None,
        });
        choices.collect()
    }

    /// Sets a choice. Returns true if that choice and that option exist.
    pub fn choose(&mut self, name: &str, option: &str) -> bool {
        self.settings().into_iter().any(|setting| match setting {
            Setting::Choice(choice, pick) => choice.name == name && pick(option),
            Setting::Number(..) => false,
        })
    }

    /// Returns the file and the expected kind of content, for filters that use a file.
    pub fn file(&self) -> Option<(Asset, &Path)> {
        match self {
            Self::Lut { file, .. } => Some((Asset::Table, file)),
            Self::Mask { file, .. } | Self::Watermark { file, .. } => Some((Asset::Image, file)),
            _ => None,
        }
    }

    /// Sets the file. Returns true if the filter uses a file.
    pub fn set_file(&mut self, path: PathBuf) -> bool {
        match self {
            Self::Lut { file, .. } | Self::Mask { file, .. } | Self::Watermark { file, .. } => {
                *file = path;
                true
            }
            _ => false,
        }
    }

    /// Returns the filter with every value clamped to its range.
    pub fn bounded(mut self) -> Self {
        let parameters = self.parameters();
        for (value, parameter) in self.values().into_iter().zip(&parameters) {
            let (low, high) = (*parameter.range.start(), *parameter.range.end());
            *value = if value.is_finite() { value.clamp(low, high) } else { parameter.rest };
        }
        self
    }

    /// Returns the size of a frame after this filter.
    pub fn size(&self, from: Size) -> Size {
        match self {
            Self::Crop { left, top, right, bottom } => {
                let part = crate::compose::filter::crop::part([*left, *top, *right, *bottom], from);
                part.size
            }
            Self::Scale { width, height, .. } => scale::target(*width, *height, from),
            _ => from,
        }
    }
}

impl NumericSettings for Filter {
    type Unit = Unit;

    fn default_of_kind(&self) -> Self {
        Self::of_kind(self.kind()).unwrap_or_else(|| self.clone())
    }

    fn numbers(&mut self) -> Vec<(Parameter, &mut f32)> {
        let numbers = self.settings().into_iter().filter_map(|setting| match setting {
            Setting::Number(parameter, value) => Some((parameter, value)),
            Setting::Choice(..) => None,
        });
        numbers.collect()
    }
}

/// Returns the size of a frame after these filters.
pub fn filtered_size(slots: &[Slot], from: Size) -> Size {
    let on = slots.iter().filter(|slot| slot.enabled);
    on.fold(from, |size, slot| slot.filter.size(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name_and_set_within_its_ranges() {
        for filter in Filter::kinds() {
            assert_eq!(Filter::of_kind(filter.kind()), Some(filter.clone()));
            let mut filter = filter;
            let parameters = filter.parameters();
            assert_eq!(parameters.len(), filter.values().len());
            for (index, parameter) in parameters.iter().enumerate() {
                let value = *filter.values()[index];
                assert!(parameter.range.contains(&value), "{filter:?} {}", parameter.name);
                assert_eq!(value.to_bits(), parameter.rest.to_bits());
                for (input, expected) in [
                    (1e9, *parameter.range.end()),
                    (-1e9, *parameter.range.start()),
                    (f32::NAN, *parameter.range.start()),
                ] {
                    assert!(filter.set(parameter.name, input));
                    assert_eq!(*filter.values()[index], expected);
                }
            }
            assert!(!filter.set("reverb", 1.0));
            for choice in filter.choices() {
                assert!(choice.options.contains(&choice.chosen));
                for option in choice.options {
                    assert!(filter.choose(choice.name, option));
                    assert!(filter.choices().iter().any(|it| it.chosen == option));
                }
                assert!(!filter.choose(choice.name, "reverb"));
            }
        }
        assert_eq!(Filter::of_kind("reverb"), None);
        let odd = Filter::LumaKey { low: f32::NAN, low_smooth: 9.0, high: -1.0, high_smooth: 0.5 };
        let want = Filter::LumaKey { low: 0.1, low_smooth: 1.0, high: 0.0, high_smooth: 0.5 };
        assert_eq!(odd.bounded(), want);
    }
}
