//! Imports video filters of OBS's files: those that onair supports, with converted values.

use std::path::Path;

use serde_json::Value;

use crate::capture::{Properties, Rgba, VideoChoice};
use crate::compose::filter::{BackgroundMode, Deinterlacing, Field, Filter, Kernel, Reading, Slot};
use crate::media::Size;
use crate::studio::settings::import::obs::colors;
use crate::studio::settings::import::obs::imported_filters::ImportedFilters;
use crate::studio::settings::import::obs::json::{
    array, color, is_off, is_on, number, part, text, whole,
};
use crate::text::problem::{Problem, problem};

/// OBS's audio filters, without their versions.
const AUDIO_FILTER_KINDS: [&str; 10] = [
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

/// Reads the video filters of a source whose frames have this size.
pub fn read(source: &Value, size: (f64, f64)) -> ImportedFilters<Slot> {
    let mut taken = ImportedFilters::default();
    let (fields, not) = deinterlacing(source);
    taken.slots.extend(fields.map(|filter| Slot { enabled: true, filter }));
    taken.otherwise.extend(not);
    // The source's audio filters are imported with its strip.
    for table in array(source, "filters").into_iter().filter(|it| !is_of_audio(it)) {
        let mut not = Vec::new();
        let filters = filters(table, size, &mut not);
        taken.take(table, filters, not, 2, |enabled, filter| Slot { enabled, filter });
    }
    taken
}

/// Reads the deinterlacing of a source, which is not a filter in OBS.
fn deinterlacing(source: &Value) -> (Option<Filter>, Option<Problem>) {
    let whole = |key: &str| source.get(key).and_then(Value::as_i64).unwrap_or(0);
    let (mode, not) = match whole("deinterlace_mode") {
        0 => return (None, None),
        1 => (Deinterlacing::Linear, Some(problem!("import-discarded"))),
        2 => (Deinterlacing::Linear, Some(problem!("import-retro"))),
        3 => (Deinterlacing::Blend, None),
        4 => (Deinterlacing::Blend, Some(problem!("import-doubled"))),
        5 => (Deinterlacing::Linear, None),
        6 => (Deinterlacing::Linear, Some(problem!("import-doubled"))),
        7 => (Deinterlacing::Adaptive, None),
        8 => (Deinterlacing::Adaptive, Some(problem!("import-doubled"))),
        other => return (None, Some(problem!("import-deinterlacing", kind = other))),
    };
    let field = if whole("deinterlace_field_order") == 1 { Field::Bottom } else { Field::Top };
    (Some(Filter::Deinterlace { mode, field }), not)
}

/// Returns true if this is an audio filter, supported or not.
pub fn is_of_audio(table: &Value) -> bool {
    let kind = text(table, "id");
    AUDIO_FILTER_KINDS.iter().any(|known| kind.starts_with(known))
}

/// Returns the kind of a filter, and whether it is the second version, whose values differ.
pub fn kind(table: &Value) -> (&str, bool) {
    let kind = match text(table, "versioned_id") {
        "" => text(table, "id"),
        kind => kind,
    };
    kind.strip_suffix("_v2").map_or((kind, false), |kind| (kind, true))
}

/// Converts an OBS filter to filters of onair: the filter itself, and its further effects.
/// Unsupported parts are added to `not`.
fn filters(table: &Value, size: (f64, f64), not: &mut Vec<Problem>) -> Option<Vec<Filter>> {
    let settings = part(table, "settings");
    let (kind, second) = kind(table);
    let first = filter(kind, second, settings, size, not)?;
    let behind = match kind {
        "chroma_key_filter" | "color_key_filter" => colors::behind_key(settings, second),
        "mask_filter" => {
            if keeps_shape(settings, size) {
                not.push(problem!("import-shape"));
            }
            colors::behind_mask(settings, second, not)
        }
        _ => None,
    };
    Some([first].into_iter().chain(behind).collect())
}

fn filter(
    kind: &str,
    second: bool,
    settings: &Value,
    size: (f64, f64),
    not: &mut Vec<Problem>,
) -> Option<Filter> {
    let number = |key: &str, default: f64| number(settings, key).unwrap_or(default) as f32;
    Some(match kind {
        "crop_filter" if !is_off(settings, "relative") => {
            // OBS's values are pixels of the source.
            let (width, height) = (size.0.max(1.0) as f32, size.1.max(1.0) as f32);
            Filter::Crop {
                left: number("left", 0.0) / width,
                top: number("top", 0.0) / height,
                right: number("right", 0.0) / width,
                bottom: number("bottom", 0.0) / height,
            }
        }
        "color_filter" => colors::correction(settings, second, not),
        // The plugin obs-backgroundremoval. Its models and thresholds mean nothing here.
        "background_removal" => match number("blur_background", 0.0) {
            radius if radius > 0.0 => Filter::Background {
                mode: BackgroundMode::Blur,
                sigma: (2.0 * radius).clamp(1.0, 64.0),
            },
            _ => Filter::Background { mode: BackgroundMode::Transparent, sigma: 12.0 },
        },
        "chroma_key_filter" => Filter::ChromaKey {
            color: key_color(settings, [0, 0x99, 255]),
            similarity: number("similarity", 400.0) / 1_000.0,
            smoothness: number("smoothness", 80.0) / 1_000.0,
            // OBS's value is the distance from the key up to which colors are desaturated; usually
            // it is 100.
            spill: number("spill", 100.0) / 125.0,
            // OBS uses the distance alone.
            protect: 0.0,
        },
        "color_key_filter" => {
            // OBS's distance has a maximum of √3.
            let part = |key, default| number(key, default) / 1_000.0 / 3.0_f32.sqrt();
            Filter::ColorKey {
                color: key_color(settings, [0, 0, 255]),
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
        // OBS sharpens with the nearest pixels, as onair does. Its maximum amount is 1.
        "sharpness_filter" => Filter::Sharpen { amount: number("sharpness", 0.08) * 2.0 },
        "clut_filter" if text(settings, "image_path").to_lowercase().ends_with(".cube") => {
            let file = text(settings, "image_path").into();
            Filter::Lut { file, amount: number("clut_amount", 1.0) }
        }
        "mask_filter" => {
            let reading = match text(settings, "type") {
                "mask_alpha_filter.effect" => Reading::Alpha,
                "mask_color_filter.effect" | "" => Reading::Luma,
                // Masks that add, multiply or subtract colors are not supported.
                _ => return None,
            };
            Filter::Mask { file: text(settings, "image_path").into(), reading }
        }
        "gpu_delay" | "async_delay_filter" => Filter::Delay { ms: number("delay_ms", 0.0) },
        "scale_filter" => {
            // An aspect ratio (16:9) or an empty value is not a size.
            let size = text(settings, "resolution").parse::<Size>().ok()?;
            let kernel = match text(settings, "sampling") {
                "point" => Kernel::Nearest,
                "lanczos" => Kernel::Lanczos,
                "area" => Kernel::Area,
                "bilinear" => Kernel::Bilinear,
                _ => Kernel::Bicubic,
            };
            if is_on(settings, "undistort") && matches!(kernel, Kernel::Bicubic | Kernel::Lanczos) {
                not.push(problem!("import-undistorted"));
            }
            Filter::Scale { width: size.width as f32, height: size.height as f32, kernel }
        }
        _ => return None,
    })
}

/// Returns true if OBS does not stretch the mask, and its image has another aspect ratio than the
/// frame.
fn keeps_shape(settings: &Value, (width, height): (f64, f64)) -> bool {
    let path = text(settings, "image_path");
    if is_on(settings, "stretch") || path.is_empty() {
        return false;
    }
    let image = VideoChoice::Image(Path::new(path).into());
    let size = crate::capture::extent(&image, &Properties::default(), Size::new(2, 2));
    // An image that cannot be read has a notice anyway.
    size.is_some_and(|(across, down)| {
        let (across, down) = (f64::from(across) * height, f64::from(down) * width);
        (across - down).abs() > down * 0.02
    })
}

/// Returns the color of a key filter. OBS's blue differs between filters.
fn key_color(settings: &Value, blue: [u8; 3]) -> [u8; 3] {
    match text(settings, "key_color_type") {
        "blue" => blue,
        "magenta" => [255, 0, 255],
        "red" => [255, 0, 0],
        "custom" | "custom_color" => {
            let Rgba { red, green, blue, .. } =
                color(whole(settings, "key_color").unwrap_or(0x00_ff_00));
            [red, green, blue]
        }
        _ => [0, 255, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::filter::MAX_FILTERS;
    use crate::media::NumericSettings;
    use serde_json::json;

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
        let ImportedFilters { slots, not, otherwise, .. } = read(&json, (1920.0, 1080.0));
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
        let [similarity, delay] = otherwise.as_slice() else { panic!("{otherwise:?}") };
        assert!(
            similarity.to_string().starts_with("in the filter color_key_filter, the similarity"),
            "{similarity}"
        );
        assert_eq!(*delay, "in the filter gpu_delay, the delay (changed from 100000 ms to 500 ms)");
        assert_eq!(not, ["crop_filter", "clut_filter", "shader_filter 'Glow'", "", ""]);
        let crop = Filter::Crop { left: 0.1, top: 0.0, right: 0.0, bottom: 0.1 };
        assert_eq!(slots[0].filter, crop);
        assert!(!slots[1].enabled);
        let mut color = slots[1].filter.clone();
        let values: Vec<f32> = color.values().into_iter().map(|it| *it).collect();
        assert_eq!(values[1..], [0.0, 1.0, 2.0, 0.0, 0.0, 0.5]);
        assert!(values[0] < 0.6, "half the light, before it is bent: {values:?}");
        assert_eq!(slots[2].filter.clone().color(), Some(&mut [0, 255, 0]));
        let key: Vec<f32> = slots[2].filter.clone().values().into_iter().map(|it| *it).collect();
        assert_eq!(key, [0.4, 0.08, 0.8, 0.0]);
        assert_eq!(slots[3].filter.clone().values()[0], &mut 1.0);
    }

    fn of(source: &Value) -> (Vec<Filter>, Vec<Problem>) {
        let taken = read(source, (1_920.0, 1_080.0));
        assert_eq!(taken.not, Vec::<String>::new());
        (taken.slots.into_iter().map(|slot| slot.filter).collect(), taken.otherwise)
    }

    #[test]
    fn a_background_is_removed_or_blurred_as_before() {
        let (filters, differences) = of(&json!({"filters": [
            {"id": "background_removal", "settings": {"model": "selfie", "threshold": 0.5}},
            {"id": "background_removal", "settings": {"blur_background": 6}},
            {"id": "background_removal", "settings": {"blur_background": 1e30}}]}));
        let background = |mode, sigma| Filter::Background { mode, sigma };
        assert_eq!(filters[0], background(BackgroundMode::Transparent, 12.0));
        assert_eq!(filters[1], background(BackgroundMode::Blur, 12.0));
        assert_eq!(filters[2], background(BackgroundMode::Blur, 64.0));
        assert!(differences.is_empty(), "{differences:?}");
    }

    #[test]
    fn fields_of_capture_cards_are_made_whole_first() {
        let crop = json!([{"id": "crop_filter", "settings": {"left": 192}}]);
        let with = |mode: i64, order: i64| {
            of(&json!({"deinterlace_mode": mode, "deinterlace_field_order": order,
                      "filters": crop}))
        };
        let (filters, differences) = with(7, 1);
        let (mode, field) = (Deinterlacing::Adaptive, Field::Bottom);
        assert_eq!(filters[0], Filter::Deinterlace { mode, field });
        assert_eq!((filters.len(), differences), (2, Vec::new()));
        for (number, kind) in
            [(3, Deinterlacing::Blend), (5, Deinterlacing::Linear), (1, Deinterlacing::Linear)]
        {
            let (filters, differences) = with(number, 0);
            assert_eq!(filters[0], Filter::Deinterlace { mode: kind, field: Field::Top });
            assert_eq!(differences.is_empty(), number != 1, "{differences:?}");
        }
        assert_eq!(with(8, 0).1, ["the doubled frame rate from deinterlacing"]);
        assert_eq!(with(0, 1).0.len(), 1);
        let (filters, differences) = with(9, 0);
        assert_eq!((filters.len(), differences.len()), (1, 1));
    }

    #[test]
    fn what_keys_and_masks_do_to_colours_comes_behind_them() {
        let key = json!({"opacity": 0.5, "contrast": 0.0, "brightness": 0.0, "gamma": 0.0,
                         "key_color_type": "blue"});
        let (filters, differences) = of(&json!({"filters": [
            {"id": "chroma_key_filter", "versioned_id": "chroma_key_filter_v2", "name": "Key",
             "enabled": true, "settings": key},
            {"id": "color_key_filter", "settings": {"brightness": 0.5, "key_color_type": "blue"}},
            {"id": "mask_filter", "versioned_id": "mask_filter_v2", "name": "Round",
             "settings": {"opacity": 0.25, "color": 0xFF}}]}));
        let kinds: Vec<_> = filters.iter().map(Filter::kind).collect();
        assert_eq!(kinds, ["chroma-key", "color", "color-key", "color", "mask", "color"]);
        let values = |index: usize| -> Vec<f32> {
            filters[index].clone().values().into_iter().map(|it| *it).collect()
        };
        assert_eq!(values(1), [1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.5]);
        assert_eq!(values(3), [1.0, 0.25, 1.0, 1.0, 1.0, 0.0, 1.0]);
        assert_eq!(values(5)[6], 0.25);
        assert_eq!(differences, ["in the filter mask_filter 'Round', the color (#ff0000)"]);
        assert_eq!(filters[0].clone().color(), Some(&mut [0, 0x99, 255]), "theirs is no pure blue");
        assert_eq!(filters[2].clone().color(), Some(&mut [0, 0, 255]));
        // A key without other effects needs no filter after it.
        let (filters, differences) =
            of(&json!({"filters": [{"id": "chroma_key_filter", "settings":
            {"opacity": 100}}]}));
        assert_eq!((filters.len(), differences.len()), (1, 0));
    }

    #[test]
    fn differences_of_video_filters_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let image = |name: &str, width, height| {
            let path = folder.path().join(name);
            image::RgbaImage::new(width, height).save(&path).unwrap();
            path
        };
        let (square, wide) = (image("square.png", 90, 90), image("wide.png", 160, 90));
        let mask = |path, stretch| {
            let settings = json!({"image_path": path, "stretch": stretch});
            of(&json!({"filters": [{"id": "mask_filter", "settings": settings}]})).1.len()
        };
        assert_eq!((mask(&square, false), mask(&square, true), mask(&wide, false)), (1, 0, 0));
        let (_, differences) = of(&json!({"filters": [
            {"id": "color_filter", "versioned_id": "color_filter_v2", "name": "Warm",
             "settings": {"color_add": 0x20, "saturation": 5.0}},
            {"id": "gpu_delay", "name": "Late", "settings": {"delay_ms": 501}},
            {"id": "scale_filter", "settings": {"resolution": "640x360", "undistort": true}}]}));
        assert_eq!(
            differences,
            [
                "in the filter color_filter 'Warm', the Color Add setting (#200000)",
                "in the filter color_filter 'Warm', the saturation (changed from 6.00 to 4.00)",
                "in the filter gpu_delay 'Late', the delay (changed from 501 ms to 500 ms)",
                "in the filter scale_filter, the option to undistort the center",
            ]
        );
        let many = json!({"filters": vec![json!({"id": "shader_filter"}); 3 * MAX_FILTERS]});
        let ImportedFilters { not, more, .. } = read(&many, (2.0, 2.0));
        assert_eq!((not.len(), more), (MAX_FILTERS, 2 * MAX_FILTERS));
    }
}
