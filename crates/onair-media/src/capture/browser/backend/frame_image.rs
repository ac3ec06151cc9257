//! An image that Chromium sends as a PNG file in base64.

use std::io;

/// Maximum number of pixels of an image.
const MAX_PIXELS: u64 = 4_096 * 4_096;

/// An image of Chromium: four bytes per pixel.
pub(super) struct Image {
    pub rgba: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Decodes a PNG image in base64.
pub(super) fn decode(data: &str) -> Option<Image> {
    let bytes = data_encoding::BASE64.decode(data.as_bytes()).ok()?;
    let mut reader = image::ImageReader::new(io::Cursor::new(bytes));
    reader.set_format(image::ImageFormat::Png);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(MAX_PIXELS * 8);
    reader.limits(limits);
    let rgba = reader.decode().ok()?.into_rgba8();
    let (width, height) = rgba.dimensions();
    Some(Image { rgba: rgba.into_raw(), width, height })
}
