//! The fallback for a source that is black, frozen or lost.

use std::fmt;
use std::str::FromStr;

use crate::capture::choice::VideoChoice;
use crate::text::problem::{Problem, problem};

/// See the module documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum VideoFallback {
    /// Keep the source itself.
    #[default]
    Keep,
    /// Show a placeholder with the name of the source.
    Placeholder,
    /// Show another source. The choice opens that source, and names a device by its stable id.
    Source(VideoChoice),
}

impl VideoFallback {
    /// Returns true if this kind of source can be black, frozen or lost unintentionally, unlike an
    /// image or a text.
    pub fn suits(choice: &VideoChoice) -> bool {
        matches!(
            choice,
            VideoChoice::Camera(_)
                | VideoChoice::Stream(_)
                | VideoChoice::Guest(_)
                | VideoChoice::Browser(_)
                | VideoChoice::File(_)
                | VideoChoice::Screen(_)
                | VideoChoice::Window(_)
        )
    }

    /// Returns the choice of the other source, if any.
    pub fn choice(&self) -> Option<&VideoChoice> {
        match self {
            Self::Source(choice) => Some(choice),
            Self::Keep | Self::Placeholder => None,
        }
    }

    /// Returns the choice of the other source, for changes.
    pub fn choice_mut(&mut self) -> Option<&mut VideoChoice> {
        match self {
            Self::Source(choice) => Some(choice),
            Self::Keep | Self::Placeholder => None,
        }
    }
}

impl fmt::Display for VideoFallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Placeholder => f.write_str("placeholder"),
            Self::Source(choice) => choice.fmt(f),
        }
    }
}

impl FromStr for VideoFallback {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" => Ok(Self::Keep),
            "placeholder" => Ok(Self::Placeholder),
            source => match source.parse() {
                Ok(VideoChoice::None) | Err(_) => {
                    // Only the scheme of an address is shown, as for the source itself.
                    let text = text.split("://").next().unwrap_or_default();
                    Err(problem!("choice-no-video-fallback", text = text))
                }
                Ok(choice) => Ok(Self::Source(choice)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallbacks_read_back_as_written() {
        for text in
            ["keep", "placeholder", "camera:usb-046d_C920-video-index0", "image:/a b: c.png"]
        {
            assert_eq!(text.parse::<VideoFallback>().unwrap().to_string(), text);
        }
        for bad in ["", "none", "Slate", "camera@big"] {
            assert!(bad.parse::<VideoFallback>().is_err(), "{bad}");
        }
        let why = "rtmp://ada:pw@host/pw".parse::<VideoFallback>().unwrap_err();
        assert!(why.to_string().contains("'rtmp'") && !why.to_string().contains("pw"), "{why}");
        let suits = |choice: &str| VideoFallback::suits(&choice.parse().unwrap());
        assert!(suits("camera") && suits("file:/a.mp4") && suits("stream:rtmp://h/a/s"));
        assert!(suits("screen") && suits("window:Game/Level 1"));
        assert!(!suits("image:/a.png") && !suits("color:#102030") && !suits("text:a"));
    }
}
