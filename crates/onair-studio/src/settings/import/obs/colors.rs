//! Imports the color effects of OBS's filters (color correction, keys, masks) as onair's color
//! correction. The second versions of OBS's filters work in linear light, while the first versions
//! and onair work on pixel values. A multiplication of light is therefore converted to its root,
//! and an addition to its effect on the middle of the range.

use serde_json::Value;

use crate::capture::Rgba;
use crate::compose::filter::{Correction, Filter};
use crate::studio::settings::import::obs::json::{self, number, whole};
use crate::text::problem::{Problem, problem};

/// The exponent that approximately converts a pixel's value to light.
const GAMMA_EXPONENT: f32 = 2.2;

/// White, without the bits for opacity.
const WHITE_RGB: u64 = 0xFF_FF_FF;

/// Imports OBS's color correction. Unsupported parts are added to `not`.
pub fn correction(settings: &Value, second: bool, not: &mut Vec<Problem>) -> Filter {
    let number = |key: &str, default: f64| number(settings, key).unwrap_or(default) as f32;
    let (contrast, brightness) = (number("contrast", 0.0), number("brightness", 0.0));
    let gamma = bent(number("gamma", 0.0));
    let plain = Correction {
        gamma,
        saturation: number("saturation", 0.0) + 1.0,
        hue_degrees: number("hue_shift", 0.0),
        opacity: opacity(settings, second),
        ..Correction::NO_CHANGE
    };
    if !second {
        if whole(settings, "color").is_some_and(|it| it != WHITE_RGB) {
            not.push(problem!("import-any-color"));
        }
        return Filter::Color(Correction { contrast: contrast + 1.0, brightness, ..plain });
    }
    let mut grey = |key: &str, usual: u64, what: fn(String) -> Problem| {
        let color = whole(settings, key).unwrap_or(usual) & WHITE_RGB;
        let known = grey(color);
        if known.is_none() {
            not.push(what(hex(color)));
        }
        light(known.unwrap_or(if usual == 0 { 0.0 } else { 1.0 }))
    };
    let times =
        grey("color_multiply", WHITE_RGB, |color| problem!("import-multiplied", color = color));
    let add = grey("color_add", 0, |color| problem!("import-added", color = color));
    let by = bent(contrast) * times;
    Filter::Color(lit(plain, by, brightness * times + add))
}

/// Returns the color effect of a key filter on the remaining image, if any.
pub fn behind_key(settings: &Value, second: bool) -> Option<Filter> {
    let number = |key: &str| number(settings, key).unwrap_or(0.0) as f32;
    let (contrast, brightness) = (bent(number("contrast")), number("brightness"));
    let gamma = bent(number("gamma"));
    let plain = Correction { gamma, opacity: opacity(settings, second), ..Correction::NO_CHANGE };
    let done = if second {
        lit(plain, contrast, brightness)
    } else {
        // In OBS, gamma is applied first; in onair, last.
        Correction { gain: contrast.powf(gamma), brightness: brightness / 2.0, ..plain }
    };
    unless_plain(done)
}

/// Returns the color effect of a mask on the visible part, if any. Unsupported parts are added to
/// `not`.
pub fn behind_mask(settings: &Value, second: bool, not: &mut Vec<Problem>) -> Option<Filter> {
    let color = whole(settings, "color").unwrap_or(WHITE_RGB) & WHITE_RGB;
    let shade = grey(color);
    if shade.is_none() {
        not.push(problem!("import-color", color = &hex(color)));
    }
    // A gray color multiplies by its own value, in both calculations.
    let gain = shade.unwrap_or(1.0);
    unless_plain(Correction { gain, opacity: opacity(settings, second), ..Correction::NO_CHANGE })
}

fn unless_plain(done: Correction) -> Option<Filter> {
    (done != Correction::NO_CHANGE).then_some(Filter::Color(done))
}

/// Adds a multiplication and an addition of light to a correction. Gamma comes first in OBS, but
/// last in onair.
fn lit(plain: Correction, by: f32, add: f32) -> Correction {
    let gain = by.max(0.0).powf(plain.gamma / GAMMA_EXPONENT);
    let brightness = if add.abs() < 1e-6 { 0.0 } else { value(light(0.5) + add) - 0.5 };
    Correction { gain, brightness, ..plain }
}

/// Converts OBS's contrast and gamma: 0 is neutral, 1 doubles, −1 halves.
fn bent(it: f32) -> f32 {
    if it < 0.0 { 1.0 / (1.0 - it) } else { it + 1.0 }
}

fn opacity(settings: &Value, second: bool) -> f32 {
    let setting = number(settings, "opacity");
    (if second { setting.unwrap_or(1.0) } else { setting.unwrap_or(100.0) / 100.0 }) as f32
}

/// Returns the value of a color if it is gray.
fn grey(color: u64) -> Option<f32> {
    let Rgba { red, green, blue, .. } = json::color(color);
    (red == green && green == blue).then(|| f32::from(red) / 255.0)
}

fn hex(color: u64) -> String {
    Rgba { alpha: 255, ..json::color(color) }.to_string()
}

/// Converts an sRGB value to linear light.
fn light(value: f32) -> f32 {
    if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Converts linear light to an sRGB value.
fn value(light: f32) -> f32 {
    let light = light.clamp(0.0, 2.0);
    if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::NumericSettings;
    use serde_json::json;

    fn values(filter: Option<Filter>) -> Vec<f32> {
        let mut filter = filter.unwrap();
        filter.values().into_iter().map(|it| (*it * 1e3).round() / 1e3).collect()
    }

    fn whole_correction(settings: &Value, second: bool) -> Vec<f32> {
        let mut not = Vec::new();
        let filter = correction(settings, second, &mut not);
        assert_eq!(not, Vec::<String>::new());
        values(Some(filter))
    }

    #[test]
    fn the_first_versions_reckon_with_values() {
        let first = json!({"contrast": -0.5, "brightness": 0.1, "gamma": -1.0, "opacity": 40});
        assert_eq!(whole_correction(&first, false), [1.0, 0.1, 0.5, 0.5, 1.0, 0.0, 0.4]);
        let key = json!({"contrast": 1.0, "brightness": 0.5, "opacity": 100});
        assert_eq!(
            values(behind_key(&key, false)),
            [2.0, 0.25, 1.0, 1.0, 1.0, 0.0, 1.0],
            "about black, and half as bright"
        );
        assert_eq!(behind_key(&json!({"opacity": 100, "gamma": 0.0}), false), None);
    }

    #[test]
    fn the_second_versions_reckon_with_light() {
        let twice = whole_correction(&json!({"contrast": 1.0}), true);
        assert_eq!(twice, [1.37, 0.0, 1.0, 1.0, 1.0, 0.0, 1.0], "the root of 2, about black");
        // Light of 0.214 is the middle; with this addition, the value is 0.596.
        assert_eq!(whole_correction(&json!({"brightness": 0.1}), true)[1], 0.096);
        let grey = json!({"color_multiply": 0xFF80_8080_u32, "color_add": 0xFF00_0000_u32});
        let [gain, brightness, ..] = whole_correction(&grey, true)[..] else { panic!() };
        assert!((gain - 0.5).abs() < 0.02 && brightness == 0.0, "{gain} {brightness}");
        let mut not = Vec::new();
        let tinted = json!({"color_multiply": 0x00FF_u32, "color_add": 0x1000_u32});
        assert_eq!(
            values(Some(correction(&tinted, true, &mut not))),
            values(Some(Filter::Color(Correction::NO_CHANGE)))
        );
        assert_eq!(
            not,
            ["the Color Multiply setting (#ff0000)", "the Color Add setting (#001000)"]
        );
        let key = values(behind_key(&json!({"opacity": 0.25, "gamma": 1.0}), true));
        assert_eq!(key, [1.0, 0.0, 1.0, 2.0, 1.0, 0.0, 0.25]);
    }

    #[test]
    fn masks_fade_and_darken() {
        let mut not = Vec::new();
        let mask = json!({"opacity": 50, "color": 0xFF33_3333_u32});
        let mask = values(behind_mask(&mask, false, &mut not));
        assert_eq!(mask, [0.2, 0.0, 1.0, 1.0, 1.0, 0.0, 0.5]);
        assert_eq!(behind_mask(&json!({}), true, &mut not), None);
        assert_eq!(behind_mask(&json!({"color": 0xFF}), true, &mut not), None);
        assert_eq!(not, ["the color (#ff0000)"]);
    }
}
