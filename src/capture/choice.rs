//! What a person may choose as the picture, in the words of `--video`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A picture source as it is chosen, saved and shown.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VideoChoice {
    /// A camera by its stable id; `None`: the first there is.
    Camera(Option<String>),
    /// The test picture with the markers that measure latency and lip-sync.
    Test,
    /// A Y4M file, looped.
    File(PathBuf),
    /// No picture: a broadcast of sound alone.
    None,
}

impl fmt::Display for VideoChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(None) => f.write_str("camera"),
            Self::Camera(Some(id)) => write!(f, "camera:{id}"),
            Self::Test => f.write_str("test"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::None => f.write_str("none"),
        }
    }
}

impl FromStr for VideoChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest).filter(|rest| !rest.is_empty())),
            None => (text, None),
        };
        match (kind, rest) {
            ("camera", id) => Ok(Self::Camera(id.map(str::to_owned))),
            ("test", None) => Ok(Self::Test),
            ("none", None) => Ok(Self::None),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("file", None) => Err("'file' needs a path: file:CLIP.y4m".into()),
            ("screen" | "window" | "image", _) => Err(format!(
                "'{kind}' sources are not in this version: choose camera[:ID], file:CLIP.y4m, test or none"
            )),
            _ => Err(format!(
                "'{text}' is no picture source: choose camera[:ID], file:CLIP.y4m, test or none"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_read_back_as_written() {
        for text in
            ["camera", "camera:usb-046d_C920-video-index0", "test", "none", "file:/a b:c.y4m"]
        {
            assert_eq!(text.parse::<VideoChoice>().unwrap().to_string(), text);
        }
        for bad in ["", "Camera", "test:1", "file", "file:", "screen", "webcam"] {
            assert!(bad.parse::<VideoChoice>().is_err(), "{bad}");
        }
    }
}
