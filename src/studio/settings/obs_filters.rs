//! Filters out of OBS's files: those of the kinds that onair has, with their numbers as onair
//! means them.

use serde_json::Value;

use crate::compose::filter::{Filter, Kernel, MOST_FILTERS, Reading, Slot};
use crate::media::Size;

pub(super) fn array<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    value.get(key).and_then(Value::as_array).map(|it| it.iter().collect()).unwrap_or_default()
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn number(value: &Value, key: &str) -> Option<f64> {
    value.get(key).and_then(Value::as_f64).filter(|number| number.is_finite())
}

/// A flag that is there and on.
pub(super) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool) == Some(true)
}

/// Their filters of sound, without their versions.
const OF_SOUND: [&str; 10] = [
    "gain_filter",
    "noise_suppress_filter",
    "noise_gate_filter",
    "expander_filter",
    "upward_compressor_filter",
    "compressor_filter",
    "limiter_filter",
    "basic_eq_filter",
    "invert_polarity_filter",
    "vst_filter",
];

/// The filters of a source's picture, and the kinds of those that were not taken.
pub(super) fn read(source: &Value, size: (f64, f64)) -> (Vec<Slot>, Vec<String>) {
    let (mut slots, mut not) = (Vec::new(), Vec::new());
    // Those of its sound come with its strip.
    for table in array(source, "filters").into_iter().filter(|it| !is_of_sound(it)) {
        match filter(table, size).filter(|_| slots.len() < MOST_FILTERS) {
            Some(filter) => {
                let enabled = table.get("enabled").and_then(Value::as_bool) != Some(false);
                slots.push(Slot { enabled, filter: filter.bounded() });
            }
            None if not.len() < MOST_FILTERS => not.push(called(table)),
            None => {}
        }
    }
    (slots, not)
}

/// Whether it is a filter of sound, be it one that onair has or not.
pub(super) fn is_of_sound(table: &Value) -> bool {
    let kind = text(table, "id");
    OF_SOUND.iter().any(|known| kind.starts_with(known))
}

/// The kind, and the name that a person gave it: of plugins the kind says nothing.
pub(super) fn called(table: &Value) -> String {
    let name = text(table, "name");
    let called = match text(table, "id") {
        kind if name.is_empty() || name == kind => kind.to_owned(),
        kind => format!("{kind} '{name}'"),
    };
    called.chars().filter(|it| !it.is_control()).take(100).collect()
}

/// What kind a filter is of, and whether it is the second version of it, whose numbers mean other
/// things.
pub(super) fn kind(table: &Value) -> (&str, bool) {
    let kind = match text(table, "versioned_id") {
        "" => text(table, "id"),
        kind => kind,
    };
    kind.strip_suffix("_v2").map_or((kind, false), |kind| (kind, true))
}

fn filter(table: &Value, size: (f64, f64)) -> Option<Filter> {
    let none = Value::Null;
    let settings = table.get("settings").unwrap_or(&none);
    let number = |key: &str, default: f64| number(settings, key).unwrap_or(default) as f32;
    let (kind, second) = kind(table);
    Some(match kind {
        "crop_filter" if settings.get("relative").and_then(Value::as_bool) != Some(false) => {
            // Theirs are pixels of the source.
            let (width, height) = (size.0.max(1.0) as f32, size.1.max(1.0) as f32);
            Filter::Crop {
                left: number("left", 0.0) / width,
                top: number("top", 0.0) / height,
                right: number("right", 0.0) / width,
                bottom: number("bottom", 0.0) / height,
            }
        }
        "color_filter" => {
            let (gamma, contrast) = (number("gamma", 0.0), number("contrast", 0.0));
            let bent = |it: f32| if it < 0.0 { 1.0 / (1.0 - it) } else { it + 1.0 };
            let opacity =
                if second { number("opacity", 1.0) } else { number("opacity", 100.0) / 100.0 };
            Filter::Color {
                gain: 1.0,
                brightness: number("brightness", 0.0),
                contrast: bent(contrast),
                gamma: bent(gamma),
                saturation: number("saturation", 0.0) + 1.0,
                hue_degrees: number("hue_shift", 0.0),
                opacity,
            }
        }
        "chroma_key_filter" => Filter::ChromaKey {
            color: key_color(settings),
            similarity: number("similarity", 400.0) / 1_000.0,
            smoothness: number("smoothness", 80.0) / 1_000.0,
            // Theirs is how far from the key colours lose their own; most leave it at 100.
            spill: number("spill", 100.0) / 125.0,
            // Theirs goes by the distance alone.
            protect: 0.0,
        },
        "color_key_filter" => {
            // Their distance runs to the root of 3.
            let part = |key, default| number(key, default) / 1_000.0 / 3.0_f32.sqrt();
            Filter::ColorKey {
                color: key_color(settings),
                similarity: part("similarity", 80.0),
                smoothness: part("smoothness", 50.0),
            }
        }
        "luma_key_filter" => Filter::LumaKey {
            low: number("luma_min", 0.0),
            low_smooth: number("luma_min_smooth", 0.0),
            high: number("luma_max", 1.0),
            high_smooth: number("luma_max_smooth", 0.0),
        },
        // Theirs looks at the nearest pixels, as ours does, and runs to 1.
        "sharpness_filter" => Filter::Sharpen { amount: number("sharpness", 0.08) * 2.0 },
        "clut_filter" if text(settings, "image_path").to_lowercase().ends_with(".cube") => {
            let file = text(settings, "image_path").into();
            Filter::Lut { file, amount: number("clut_amount", 1.0) }
        }
        "mask_filter" => {
            let reading = match text(settings, "type") {
                "mask_alpha_filter.effect" => Reading::Alpha,
                "mask_color_filter.effect" | "" => Reading::Luma,
                // Those that add, multiply or subtract colours.
                _ => return None,
            };
            Filter::Mask { file: text(settings, "image_path").into(), reading }
        }
        "gpu_delay" | "async_delay_filter" => Filter::Delay { ms: number("delay_ms", 0.0) },
        "scale_filter" => {
            // A shape (16:9) or nothing is no size.
            let size = text(settings, "resolution").parse::<Size>().ok()?;
            let kernel = match text(settings, "sampling") {
                "point" => Kernel::Nearest,
                "lanczos" => Kernel::Lanczos,
                "area" => Kernel::Area,
                "bilinear" => Kernel::Bilinear,
                _ => Kernel::Bicubic,
            };
            Filter::Scale { width: size.width as f32, height: size.height as f32, kernel }
        }
        _ => return None,
    })
}

fn key_color(settings: &Value) -> [u8; 3] {
    match text(settings, "key_color_type") {
        "blue" => [0, 0, 255],
        "magenta" => [255, 0, 255],
        "red" => [255, 0, 0],
        "custom" | "custom_color" => {
            // ABGR in one number.
            let number = settings.get("key_color").and_then(Value::as_u64).unwrap_or(0x00_ff_00);
            let [red, green, blue, ..] = number.to_le_bytes();
            [red, green, blue]
        }
        _ => [0, 255, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_numbers_become_ours() {
        let text = r#"{"filters": [
            {"id": "crop_filter", "settings": {"left": 192, "bottom": 108}},
            {"id": "color_filter", "versioned_id": "color_filter_v2", "enabled": false,
             "settings": {"gamma": 1.0, "contrast": -1.0, "saturation": -1.0, "opacity": 0.5}},
            {"id": "chroma_key_filter", "settings": {"key_color_type": "custom", "key_color": 4278255360}},
            {"id": "color_key_filter", "settings": {"similarity": 1e30}},
            {"id": "luma_key_filter", "settings": {"luma_min": "dark"}},
            {"id": "crop_filter", "settings": {"relative": false}},
            {"id": "scale_filter", "settings": {"resolution": "640x360", "sampling": "lanczos"}},
            {"id": "clut_filter", "settings": {"image_path": "/a.png"}},
            {"id": "clut_filter", "settings": {"image_path": "/a.CUBE", "clut_amount": 0.5}},
            {"id": "mask_filter", "settings": {"type": "mask_alpha_filter.effect"}},
            {"id": "gpu_delay", "settings": {"delay_ms": 100000}},
            {"id": "shader_filter", "name": "Glow"}, {"id": "noise_gate_filter"},
            {"id": "noise_suppress_filter_v2"}, {"id": 7}, 8]}"#;
        let json: Value = serde_json::from_str(text).unwrap();
        let (slots, not) = read(&json, (1920.0, 1080.0));
        let kinds: Vec<_> = slots.iter().map(|slot| slot.filter.kind()).collect();
        assert_eq!(
            kinds,
            [
                "crop",
                "color",
                "chroma-key",
                "color-key",
                "luma-key",
                "scale",
                "lut",
                "mask",
                "delay"
            ]
        );
        assert_eq!(slots[8].filter, Filter::Delay { ms: 500.0 });
        assert_eq!(not, ["crop_filter", "clut_filter", "shader_filter 'Glow'", "", ""]);
        let crop = Filter::Crop { left: 0.1, top: 0.0, right: 0.0, bottom: 0.1 };
        assert_eq!(slots[0].filter, crop);
        assert!(!slots[1].enabled);
        let mut color = slots[1].filter.clone();
        let values: Vec<f32> = color.values().into_iter().map(|it| *it).collect();
        assert_eq!(values, [1.0, 0.0, 0.5, 2.0, 0.0, 0.0, 0.5]);
        assert_eq!(slots[2].filter.clone().color(), Some(&mut [0, 255, 0]));
        let key: Vec<f32> = slots[2].filter.clone().values().into_iter().map(|it| *it).collect();
        assert_eq!(key, [0.4, 0.08, 0.8, 0.0]);
        assert_eq!(slots[3].filter.clone().values()[0], &mut 1.0);
    }
}
