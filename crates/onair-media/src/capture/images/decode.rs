//! Decodes image files (PNG, JPEG, WebP and GIF, also animated). Values in the file are checked
//! before memory is allocated.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::time::Duration;

use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::imageops::thumbnail;
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageReader,
    Limits, Rgba, RgbaImage,
};

use crate::base::FileStamp;
use crate::capture::rgb;
use crate::media::{Planes, Size};
use crate::text::problem::{Problem, problem};

/// Maximum size of an image file, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// Maximum side length of a decoded image in pixels.
const MAX_SIDE: u32 = 16_384;
/// Maximum number of pixels of a decoded image.
const MAX_PIXELS: u64 = 1 << 26;
/// Maximum additional memory during decoding, in bytes.
const MAX_DECODE_MEMORY_BYTES: u64 = 640 << 20;
/// Maximum size of an image in memory. Larger images are scaled down once, when they are read.
const MAX_STORED_SIZE: Size = Size::new(4_096, 4_096);
/// An image of an animation that declares this duration or less has no specified duration, and is
/// shown for [`DEFAULT_FRAME_DURATION`]. Images at 60 frames per second last longer.
const UNSPECIFIED_FRAME_DURATION: Duration = Duration::from_millis(10);
/// Display time of an image without a specified duration, as in browsers.
const DEFAULT_FRAME_DURATION: Duration = Duration::from_millis(100);
const MAX_FRAME_DURATION: Duration = Duration::from_secs(3_600);

/// An opened image file.
pub(in crate::capture) enum OpenedImage {
    Still(Planes),
    Animation(Animation),
}

impl OpenedImage {
    /// Returns the image, or the first image of an animation.
    pub(in crate::capture) fn first(self) -> Result<Planes, Problem> {
        match self {
            Self::Still(planes) => Ok(planes),
            Self::Animation(mut moving) => match moving.next()? {
                Some((planes, _)) => Ok(planes),
                None => Err(problem!("image-none")),
            },
        }
    }
}

/// The images of an animation in order.
pub(in crate::capture) struct Animation {
    frames: Frames<'static>,
    fit: Size,
    /// The images that were already decoded to detect the animation.
    waiting: Vec<(Planes, Duration)>,
}

type Input = BufReader<File>;

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_DECODE_MEMORY_BYTES);
    limits
}

fn problem_of(error: &ImageError) -> Problem {
    match error {
        ImageError::Limits(_) => problem!("image-too-large"),
        ImageError::IoError(error) => error.into(),
        error => Problem::words(error.to_string()),
    }
}

fn input(path: &Path) -> Result<Input, Problem> {
    let stamp = FileStamp::of(path)?;
    if stamp.bytes > MAX_FILE_BYTES {
        return Err(problem!("image-file-too-large", megabytes = stamp.bytes >> 20));
    }
    let file = File::open(path)?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

/// Checks that an image does not exceed the pixel limit.
fn bounded((width, height): (u32, u32)) -> Result<(), Problem> {
    let pixels = u64::from(width) * u64::from(height);
    if width == 0 || height == 0 {
        return Err(problem!("image-empty"));
    }
    if width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(problem!(
            "image-too-many-pixels",
            size = format!("{width}×{height}"),
            side = MAX_SIDE.to_string(),
            millions = MAX_PIXELS / 1_000_000
        ));
    }
    Ok(())
}

/// Returns the size in pixels of the shown image from the file's header, if the file is a supported
/// image.
pub(in crate::capture) fn dimensions(path: &Path) -> Result<(u32, u32), Problem> {
    let (_, size) = header(path)?;
    bounded(size)?;
    Ok(size)
}

fn header(path: &Path) -> Result<(ImageFormat, (u32, u32)), Problem> {
    let mut reader = ImageReader::new(input(path)?).with_guessed_format()?;
    let format = reader.format().filter(|format| {
        matches!(
            format,
            ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP | ImageFormat::Gif
        )
    });
    let format = format.ok_or_else(|| problem!("image-format"))?;
    // Only the header is read; the caller checks the size.
    reader.no_limits();
    let mut decoder = reader.into_decoder().map_err(|error| problem_of(&error))?;
    let (width, height) = decoder.dimensions();
    let is_turned = matches!(
        decoder.orientation(),
        Ok(Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH)
    );
    let size = if is_turned { (height, width) } else { (width, height) };
    Ok((format, size))
}

/// Opens an image, and decodes it unless it is animated. The result is at most as large as `fit`.
pub(in crate::capture) fn open(path: &Path, fit: Option<Size>) -> Result<OpenedImage, Problem> {
    let fit = fit.unwrap_or(MAX_STORED_SIZE);
    let (format, size) = header(path)?;
    bounded(size)?;
    let input = || input(path);
    let fault = |error: ImageError| problem_of(&error);
    let frames = match format {
        ImageFormat::Gif => {
            let mut decoder = GifDecoder::new(input()?).map_err(fault)?;
            decoder.set_limits(limits()).map_err(fault)?;
            Some(decoder.into_frames())
        }
        ImageFormat::Png => {
            let decoder = PngDecoder::with_limits(input()?, limits()).map_err(fault)?;
            if decoder.is_apng().map_err(fault)? {
                Some(decoder.apng().map_err(fault)?.into_frames())
            } else {
                None
            }
        }
        ImageFormat::WebP => {
            let mut decoder = WebPDecoder::new(input()?).map_err(fault)?;
            decoder.set_limits(limits()).map_err(fault)?;
            decoder.has_animation().then(|| decoder.into_frames())
        }
        _ => None,
    };
    let Some(frames) = frames else { return still(path, fit).map(OpenedImage::Still) };
    let mut moving = Animation { frames, fit, waiting: Vec::new() };
    let first = moving.next()?.ok_or_else(|| problem!("image-none"))?;
    match moving.next()? {
        None => Ok(OpenedImage::Still(first.0)),
        Some(second) => {
            moving.waiting = vec![second, first];
            Ok(OpenedImage::Animation(moving))
        }
    }
}

fn still(path: &Path, fit: Size) -> Result<Planes, Problem> {
    let mut reader = ImageReader::new(input(path)?).with_guessed_format()?;
    reader.limits(limits());
    let mut decoder = reader.into_decoder().map_err(|error| problem_of(&error))?;
    // Photos can contain their orientation.
    let orientation = decoder.orientation();
    let mut image = DynamicImage::from_decoder(decoder).map_err(|error| problem_of(&error))?;
    if let Ok(orientation) = orientation {
        image.apply_orientation(orientation);
    }
    Ok(shrink(image.into_rgba8(), fit))
}

/// Converts the image to planes that are at most as large as `fit`.
fn shrink(mut image: RgbaImage, fit: Size) -> Planes {
    let (width, height) = image.dimensions();
    if width > fit.width || height > fit.height {
        let small = Size::new(width, height).fitted_into(fit);
        // Colors are weighted by their alpha.
        for Rgba([colors @ .., alpha]) in image.pixels_mut() {
            colors.iter_mut().for_each(|color| *color = product(*color, *alpha));
        }
        image = thumbnail(&image, small.width, small.height);
        for Rgba([colors @ .., alpha]) in image.pixels_mut() {
            colors.iter_mut().for_each(|color| *color = quotient(*color, *alpha));
        }
    }
    rgb::planes(image.as_raw(), image.width(), image.height())
}

/// Returns `color · alpha / 255`, rounded.
fn product(color: u8, alpha: u8) -> u8 {
    ((u16::from(color) * u16::from(alpha) + 127) / 255) as u8
}

/// Returns `color / alpha · 255`, rounded, or 0 for a transparent pixel.
fn quotient(color: u8, alpha: u8) -> u8 {
    let alpha = u16::from(alpha);
    (u16::from(color) * 255 + alpha / 2).checked_div(alpha).map_or(0, |color| color.min(255) as u8)
}

impl Animation {
    /// Returns the next image and its duration, or `None` at the end.
    pub(in crate::capture) fn next(&mut self) -> Result<Option<(Planes, Duration)>, Problem> {
        if let Some(waiting) = self.waiting.pop() {
            return Ok(Some(waiting));
        }
        let Some(frame) = self.frames.next() else { return Ok(None) };
        let frame = frame.map_err(|error| problem_of(&error))?;
        let (millis, parts) = frame.delay().numer_denom_ms();
        let shown = Duration::from_micros(u64::from(millis) * 1_000 / u64::from(parts.max(1)));
        let shown = if shown <= UNSPECIFIED_FRAME_DURATION {
            DEFAULT_FRAME_DURATION
        } else {
            shown.min(MAX_FRAME_DURATION)
        };
        let planes = shrink(frame.into_buffer(), self.fit);
        Ok(Some((planes, shown)))
    }
}

#[cfg(test)]
mod tests {
    use image::{Delay, Frame};

    use super::*;

    #[test]
    fn images_at_60_per_second_keep_their_speed_and_an_unspecified_duration_is_replaced() {
        let shown = |numerator: u32, denominator: u32| {
            let delay = Delay::from_numer_denom_ms(numerator, denominator);
            let frame = Frame::from_parts(RgbaImage::new(2, 2), 0, 0, delay);
            let frames = Frames::new(Box::new(std::iter::once(Ok(frame))));
            let mut moving = Animation { frames, fit: MAX_STORED_SIZE, waiting: Vec::new() };
            moving.next().unwrap().map(|(_, shown)| shown)
        };
        assert_eq!(shown(1_000, 60), Some(Duration::from_micros(16_666)));
        assert_eq!(shown(7_200_000, 1), Some(MAX_FRAME_DURATION));
        for unspecified in [0, 10] {
            assert_eq!(shown(unspecified, 1), Some(DEFAULT_FRAME_DURATION));
        }
    }
}
