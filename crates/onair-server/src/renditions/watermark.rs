//! A watermark on renditions: an image or a line of text in a corner.

use std::path::Path;
use std::sync::Arc;

use crate::capture::text::Style;
use crate::capture::{self, Rgba};
use crate::compose::filter::{Corner, WatermarkImage};
use crate::media::Planes;
use crate::text::problem::{Problem, problem};

/// Height at which a text is drawn before it is scaled to the rendition, in pixels.
const TEXT_HEIGHT: u32 = 96;
/// Width of the dark outline, without which white text would vanish on a white background.
const OUTLINE_PIXELS: u32 = 5;

/// A watermark, and the renditions that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Watermark {
    pub image: WatermarkImage,
    /// Names such as `720p`; `None` for all renditions with video.
    pub renditions: Option<Vec<String>>,
}

impl Watermark {
    /// Maximum number of watermarks of an application.
    pub const MAX_COUNT: usize = 4;
    /// Maximum number of characters in a text.
    pub const MAX_TEXT_CHARS: usize = 100;
    /// The default distance from the edges; see [`WatermarkImage`].
    pub const DEFAULT_MARGIN: f32 = 0.02;
    /// The default opacity.
    pub const DEFAULT_OPACITY: f32 = 0.8;

    /// Creates a watermark with an image from a file, on all renditions.
    ///
    /// # Errors
    /// Fails if the file is not an image that onair can read.
    pub fn image(path: &Path) -> Result<Self, Problem> {
        let image = capture::still(path).map_err(|reason| {
            problem!("watermark-image", file = path.display().to_string(), reason = reason)
        })?;
        Ok(Self::new(image, 0.1))
    }

    /// Creates a watermark with a line of text, white with a dark outline, on all renditions.
    pub fn text(words: &str) -> Self {
        let style = Style {
            size: TEXT_HEIGHT,
            weight: 700,
            outline: Some((Rgba::BLACK, OUTLINE_PIXELS)),
            ..Style::default()
        };
        Self::new(capture::text::line_image(words, &style), 0.05)
    }

    fn new(image: Planes, height: f32) -> Self {
        let image = WatermarkImage {
            image: Arc::new(image),
            corner: Corner::TopRight,
            height,
            margin: Self::DEFAULT_MARGIN,
            opacity: Self::DEFAULT_OPACITY,
        };
        Self { image, renditions: None }
    }

    /// Returns true if this rendition has the watermark.
    pub(super) fn is_on(&self, rendition: &str) -> bool {
        self.renditions.as_ref().is_none_or(|names| names.iter().any(|name| name == rendition))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_opaque_line_on_nothing_and_a_bad_image_is_named() {
        let text = Watermark::text("live.example.com");
        let size = text.image.image.size();
        assert!(size.width > 3 * size.height && size.height < 2 * TEXT_HEIGHT, "{size}");
        let alpha = text.image.image.alpha.as_ref().unwrap();
        assert!(alpha.contains(&0) && alpha.contains(&255));
        assert!(text.is_on("720p"));
        let some = Watermark { renditions: Some(vec!["720p".to_owned()]), ..text };
        assert!(some.is_on("720p") && !some.is_on("480p"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.png");
        std::fs::write(&path, "no image").unwrap();
        for path in [path.as_path(), Path::new("/nonexistent.png")] {
            let error = Watermark::image(path).unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
    }
}
