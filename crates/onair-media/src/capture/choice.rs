//! The choice of a video source, and its syntax.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use crate::capture::browser;
use crate::capture::camera::mode::CameraChoice;
use crate::capture::generated::color_source::ColorSource;
use crate::capture::screen::target::DisplayTarget;
use crate::capture::text::{ChatBoard, Content, GuestNames};
use crate::platform::names;
use crate::text::problem::{Problem, problem};

/// A video source as selected, saved and displayed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum VideoChoice {
    /// A camera with the wanted format.
    Camera(CameraChoice),
    /// A display, or a part of one.
    Screen(DisplayTarget),
    /// A window with this id.
    Window(String),
    /// The test pattern with the markers for latency and lip sync.
    Test,
    /// A video file. This room reads Y4M files, and the player reads other formats.
    File(PathBuf),
    /// An image file: PNG, JPEG, WebP or GIF, with animation and alpha.
    Image(PathBuf),
    /// The images of a folder in order, or the first image of a list.
    Slides(PathBuf),
    /// A color or a gradient.
    Color(ColorSource),
    /// Fixed text, the text of a file, or a time.
    Text(Content),
    /// A remote stream.
    Stream(String),
    /// A page in a browser: an address, or the path of a file.
    Browser(String),
    /// The camera of the guest with this id.
    Guest(String),
    /// No video, for an audio-only broadcast.
    None,
}

impl VideoChoice {
    /// Returns the file or folder of the choice.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::File(path)
            | Self::Image(path)
            | Self::Slides(path)
            | Self::Text(Content::File(path)) => Some(path),
            Self::Browser(page) if !browser::is_address(page) => Some(Path::new(page)),
            _ => None,
        }
    }

    /// Returns true for texts, images, slide shows and colors. When one of them replaces another,
    /// the program shows the old one until the new one is drawn.
    pub const fn is_still(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Image(_) | Self::Slides(_) | Self::Color(_))
    }

    /// Returns true if both choices open the same device. A camera has only one format at a time,
    /// so the formats may differ.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Camera(one), Self::Camera(other)) => one.id == other.id,
            _ => self == other,
        }
    }

    /// Returns true if both choices are equal except for the region of a display, which an open
    /// source can change.
    pub fn equals_but_region(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Screen(one), Self::Screen(other)) => one.id == other.id,
            _ => self == other,
        }
    }
}

impl fmt::Display for VideoChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera(camera) => write!(f, "camera{camera}"),
            Self::Screen(screen) if *screen == DisplayTarget::default() => f.write_str("screen"),
            Self::Screen(screen) => write!(f, "screen:{screen}"),
            Self::Window(id) => write!(f, "window:{id}"),
            Self::Test => f.write_str("test"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Image(path) => write!(f, "image:{}", path.display()),
            Self::Slides(path) => write!(f, "slides:{}", path.display()),
            Self::Color(fill) => write!(f, "color:{fill}"),
            Self::Text(Content::Words(words)) => write!(f, "text:{words}"),
            Self::Text(Content::File(path)) => write!(f, "text-file:{}", path.display()),
            Self::Text(Content::Clock(format)) if format.is_empty() => f.write_str("clock"),
            Self::Text(Content::Clock(format)) => write!(f, "clock:{format}"),
            Self::Text(Content::Countdown(from)) => write!(f, "countdown:{}", from.as_secs()),
            Self::Text(Content::Stopwatch) => f.write_str("stopwatch"),
            Self::Text(Content::Chat(ChatBoard::USUAL_LINES)) => f.write_str("chat"),
            Self::Text(Content::Chat(lines)) => write!(f, "chat:{lines}"),
            Self::Text(Content::GuestName(id)) => write!(f, "guest-name:{id}"),
            Self::Stream(url) => write!(f, "stream:{url}"),
            Self::Browser(page) => write!(f, "browser:{page}"),
            Self::Guest(id) => write!(f, "guest:{id}"),
            Self::None => f.write_str("none"),
        }
    }
}

impl VideoChoice {
    /// Parses a choice; a path need not be valid UTF-8.
    ///
    /// # Errors
    /// Fails with the same errors as the text parser.
    pub fn of_word(word: &OsStr) -> Result<Self, Problem> {
        let named = |kind: &str| path_after(word, kind).filter(|_| word.to_str().is_none());
        let of_path = (named("file:").map(Self::File))
            .or_else(|| named("image:").map(Self::Image))
            .or_else(|| named("slides:").map(Self::Slides))
            .or_else(|| named("text-file:").map(|path| Self::Text(Content::File(path))));
        of_path.map_or_else(|| word.to_string_lossy().parse(), Ok)
    }
}

/// Returns the path in `KIND:PATH`.
fn path_after(word: &OsStr, kind: &str) -> Option<PathBuf> {
    names::after(word, kind).map(PathBuf::from)
}

impl FromStr for VideoChoice {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A camera can have a format without an id.
        if let Some(camera) = text.strip_prefix("camera")
            && (camera.is_empty() || camera.starts_with([':', '@']))
        {
            return camera.parse().map(Self::Camera);
        }
        let (kind, rest) = match text.split_once(':') {
            Some((kind, rest)) => (kind, Some(rest).filter(|rest| !rest.is_empty())),
            None => (text, None),
        };
        match (kind, rest) {
            ("screen", None) => Ok(Self::Screen(DisplayTarget::default())),
            ("screen", Some(screen)) => screen.parse().map(Self::Screen),
            ("window", Some(id)) => Ok(Self::Window(id.to_owned())),
            ("window", None) => Err(problem!("choice-needs-window")),
            ("test", None) => Ok(Self::Test),
            ("none", None) => Ok(Self::None),
            ("file", Some(path)) => Ok(Self::File(path.into())),
            ("image", Some(path)) => Ok(Self::Image(path.into())),
            ("slides", Some(path)) => Ok(Self::Slides(path.into())),
            ("color", Some(fill)) => fill.parse().map(Self::Color),
            ("text", Some(words)) => Ok(Self::Text(Content::Words(words.to_owned()))),
            ("text-file", Some(path)) => Ok(Self::Text(Content::File(path.into()))),
            ("clock", format) => Ok(Self::Text(Content::Clock(format.unwrap_or("").to_owned()))),
            ("stopwatch", None) => Ok(Self::Text(Content::Stopwatch)),
            ("chat", lines) => {
                let lines = lines.map_or(Ok(ChatBoard::USUAL_LINES), str::parse).ok();
                let lines = lines.filter(|lines| (1..=ChatBoard::MAX_LINES).contains(lines));
                let most = ChatBoard::MAX_LINES;
                let lines = lines.ok_or_else(|| problem!("choice-needs-lines", most = most))?;
                Ok(Self::Text(Content::Chat(lines)))
            }
            ("countdown", Some(seconds)) => {
                let seconds = seconds.parse().ok().filter(|seconds| *seconds < 360_000);
                let seconds = seconds.ok_or_else(|| problem!("choice-needs-seconds"))?;
                let from = Duration::from_secs(seconds);
                Ok(Self::Text(Content::Countdown(from)))
            }
            ("text" | "text-file" | "countdown", None) => Err(problem!("choice-needs-text")),
            ("stream", Some(url)) if url.contains("://") => Ok(Self::Stream(url.to_owned())),
            ("stream", _) => Err(problem!("choice-needs-url")),
            ("browser", page) => {
                let page = browser::parse(page.unwrap_or_default());
                page.map(Self::Browser).ok_or_else(|| problem!("choice-needs-page"))
            }
            ("guest", Some(id)) => Ok(Self::Guest(id.to_owned())),
            ("guest-name", Some(id))
                if (1..=GuestNames::MAX_ID_BYTES).contains(&id.len())
                    && id.bytes().all(|it| it.is_ascii_alphanumeric()) =>
            {
                Ok(Self::Text(Content::GuestName(id.to_owned())))
            }
            ("file", None) => Err(problem!("choice-needs-path", example = "file:FILE.mp4")),
            ("image", None) => Err(problem!("choice-needs-path", example = "image:FILE.png")),
            ("slides", None) => Err(problem!("choice-needs-path", example = "slides:FOLDER")),
            ("color", None) => Err(problem!("choice-no-color", text = "")),
            _ => {
                // Only the scheme of an address is shown, because the rest may be secret.
                let text = text.split("://").next().unwrap_or_default();
                Err(problem!("choice-no-video", text = text))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_path_need_be_no_text() {
        use std::os::unix::ffi::OsStrExt;
        let read = |word: &[u8]| VideoChoice::of_word(OsStr::from_bytes(word));
        let path: PathBuf = OsStr::from_bytes(b"/a: \xFF.mp4").into();
        assert_eq!(read(b"file:/a: \xFF.mp4"), Ok(VideoChoice::File(path.clone())));
        assert_eq!(read(b"image:/a: \xFF.mp4"), Ok(VideoChoice::Image(path.clone())));
        let words = VideoChoice::Text(Content::File(path));
        assert_eq!(read(b"text-file:/a: \xFF.mp4"), Ok(words));
        assert_eq!(read(b"test"), Ok(VideoChoice::Test));
        assert!(read(b"\xFF").unwrap_err().id() == "choice-no-video");
    }

    #[test]
    fn choices_read_back_as_written() {
        for text in [
            "camera",
            "camera:usb-046d_C920-video-index0",
            "camera:usb-046d_C920-video-index0@1280x720,30,MJPEG",
            "camera@640x480",
            "screen",
            "screen:HDMI-1",
            "screen:DP-2@640x480+0+10",
            "screen:@640x480+0+10",
            "window:Browser/News: today",
            "window:0x1a00003",
            "test",
            "none",
            "file:/a b:c.y4m",
            "image:/a b:c.png",
            "slides:/pictures",
            "color:#102030",
            "text:Hello: world",
            "text-file:/tmp/a:b.txt",
            "stream:rtmp://host/live/show",
            "browser:https://alerts.example/a?token=1",
            "browser:/a b:c.html",
            "clock",
            "clock:%H:%M",
            "countdown:300",
            "guest:g1",
            "stopwatch",
            "chat",
            "chat:3",
            "guest-name:g1",
            "color:#102030,#ffffff80,45",
        ] {
            assert_eq!(text.parse::<VideoChoice>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "Camera",
            "camera@big",
            "camera1",
            "test:1",
            "file",
            "file:",
            "window",
            "webcam",
            "chat:0",
            "chat:51",
            "chat:x",
            "guest-name",
            "guest-name:",
            "guest-name:g 1",
            "image",
            "color:red",
            "browser",
            "browser:ftp://host/a",
            "browser:javascript:alert(1)",
        ] {
            assert!(bad.parse::<VideoChoice>().is_err(), "{bad}");
        }
    }
}
