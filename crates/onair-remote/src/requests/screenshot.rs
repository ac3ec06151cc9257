//! Screenshots of the program and of the preview.

use std::io::Cursor;

use data_encoding::BASE64;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::imageops::{self, FilterType};
use image::{ExtendedColorType, ImageEncoder as _, RgbImage};
use serde_json::{Value, json};

use crate::call::{Call, CallResult, Failure, Outcome, RequestEntry};
use crate::protocol::status;
use onair_base::media::VideoFrame;

pub const REQUESTS: &[RequestEntry] = &[("GetSourceScreenshot", screenshot)];

/// The limits of a side in pixels.
const SIDE_RANGE: (f64, f64) = (8.0, 4_096.0);
const DEFAULT_JPEG_QUALITY: u8 = 75;

/// The form of a screenshot.
#[derive(Copy, Clone, Debug)]
struct Form {
    width: Option<u32>,
    height: Option<u32>,
    /// The quality of a JPEG image; `None` for PNG.
    jpeg_quality: Option<u8>,
}

fn screenshot(call: &Call<'_>) -> CallResult {
    let scenes = &call.studio.scenes;
    let scene = call.scene_in("sourceName", "sourceUuid").map_err(|refused| {
        match call.input_in("sourceName", "sourceUuid") {
            Ok(_) => shown_only(),
            Err(_) => refused,
        }
    })?;
    let frame = if scene.id == scenes.collection.current {
        call.program.get()
    } else if Some(scene.id) == scenes.preview_scene {
        scenes.preview.get()
    } else {
        return Err(shown_only());
    };
    let none = || Failure::new(status::INVALID_STATE, "The scene has no frame yet.");
    let frame = frame.ok_or_else(none)?;
    let side = |name: &str| call.optional_number(name, SIDE_RANGE);
    let quality = call.optional_number("imageCompressionQuality", (-1.0, 100.0))?;
    let quality = quality.filter(|it| *it >= 0.0).map_or(DEFAULT_JPEG_QUALITY, |it| it as u8);
    let jpeg_quality = match call.text("imageFormat")? {
        "png" => None,
        "jpg" | "jpeg" => Some(quality.max(1)),
        _ => return Err(Failure::new(status::INVALID_FIELD, "The image format is unknown.")),
    };
    let whole = |side: Option<f64>| side.map(|it| it as u32);
    let form = Form {
        width: whole(side("imageWidth")?),
        height: whole(side("imageHeight")?),
        jpeg_quality,
    };
    Ok(Outcome::Work(Box::new(move || {
        let failed = || Failure::new(status::PROCESSING_FAILED, "The image cannot be made.");
        encoded(&frame, form).map(|data| json!({ "imageData": data })).ok_or_else(failed)
    })))
}

fn shown_only() -> Failure {
    let comment = "onair makes screenshots only of the scenes in the program and the preview.";
    Failure::new(status::INVALID_STATE, comment)
}

/// Returns the frame as an image in a `data:` URL.
fn encoded(frame: &VideoFrame, form: Form) -> Option<Value> {
    let (size, rgb) = (frame.size(), frame.planes().to_rgb(frame.color).ok()?);
    let mut image = RgbImage::from_raw(size.width, size.height, rgb)?;
    let (width, height) = match (form.width, form.height) {
        (Some(width), Some(height)) => (width, height),
        (Some(width), None) => (width, scaled(size.height, width, size.width)),
        (None, Some(height)) => (scaled(size.width, height, size.height), height),
        (None, None) => (size.width, size.height),
    };
    if (width, height) != (size.width, size.height) {
        image = imageops::resize(&image, width, height, FilterType::Triangle);
    }
    let (mut bytes, color) = (Cursor::new(Vec::new()), ExtendedColorType::Rgb8);
    let kind = match form.jpeg_quality {
        Some(quality) => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
            encoder.write_image(&image, width, height, color).ok()?;
            "jpg"
        }
        None => {
            PngEncoder::new(&mut bytes).write_image(&image, width, height, color).ok()?;
            "png"
        }
    };
    Some(format!("data:image/{kind};base64,{}", BASE64.encode(bytes.get_ref())).into())
}

/// Returns `side · to / from`, at least 8.
fn scaled(side: u32, to: u32, from: u32) -> u32 {
    let scaled = u64::from(side) * u64::from(to) / u64::from(from.max(1));
    scaled.clamp(8, 4_096) as u32
}
