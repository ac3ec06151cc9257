//! The selection of a camera and of its format.

use crate::capture::camera::pixel_format::Pixel;
use crate::capture::source::CameraFormat;
use crate::media::Size;
use crate::text::problem::{Problem, problem};

/// Tolerance for equal rates in frames per 1,000 seconds, because 29.97 stands for 30000/1001.
pub(in crate::capture) const RATE_TOLERANCE: u32 = 5;

/// The wanted format of a camera. onair chooses missing values for the program.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Mode {
    pub size: Option<Size>,
    /// Frames per 1,000 seconds.
    pub rate: Option<u32>,
    /// The pixel format, as named in `onair devices`.
    pub pixel: Option<&'static str>,
}

impl Mode {
    /// Returns the mode for exactly this format.
    pub fn of(format: &CameraFormat) -> Self {
        Self { size: Some(format.size), rate: Some(milli(format.fps)), pixel: Some(format.pixel) }
    }

    /// Returns true if all values are chosen for the program.
    pub fn is_automatic(&self) -> bool {
        *self == Self::default()
    }
}

/// Parses a camera's frame size, which can be odd.
fn size(text: &str) -> Option<Size> {
    let (width, height) = text.split_once(['x', 'X', '×'])?;
    let side = |text: &str| {
        let side = text.trim().parse().ok();
        side.filter(|side| (2..=Size::MAX_SIDE).contains(side))
    };
    Some(Size::new(side(width)?, side(height)?))
}

/// Converts a rate to frames per 1,000 seconds.
pub(in crate::capture) fn milli(fps: f64) -> u32 {
    (fps * 1e3).round().clamp(0.0, f64::from(u32::MAX)) as u32
}

/// Formats as `WIDTHxHEIGHT,RATE,PIXELS`, or as some of these parts.
impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rate = self.rate.map(|rate| {
            let text = format!("{}.{:03}", rate / 1_000, rate % 1_000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        });
        let parts = [self.size.map(|it| it.to_string()), rate, self.pixel.map(str::to_owned)];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(","))
    }
}

impl std::str::FromStr for Mode {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || problem!("choice-no-camera-format", text = text);
        let mut mode = Self::default();
        for part in text.split(',') {
            let pixel = Pixel::ALL.iter().find(|it| it.name().eq_ignore_ascii_case(part));
            let again = if let Some(pixel) = pixel {
                mode.pixel.replace(pixel.name()).is_some()
            } else if let Some(size) = size(part) {
                mode.size.replace(size).is_some()
            } else {
                let rate = part.parse().ok().filter(|rate| (0.1..1_000.0).contains(rate));
                mode.rate.replace(milli(rate.ok_or_else(fault)?)).is_some()
            };
            if again {
                return Err(fault());
            }
        }
        Ok(mode)
    }
}

/// A selected camera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CameraChoice {
    /// Stable id of the camera; `None` for the first camera.
    pub id: Option<String>,
    pub mode: Mode,
}

impl CameraChoice {
    /// Creates the choice of a camera with the best format for the program.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: Some(id.into()), mode: Mode::default() }
    }
}

/// Formats as empty or `:ID`, followed by `@MODE`.
impl std::fmt::Display for CameraChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.id.as_ref().map_or(Ok(()), |id| write!(f, ":{id}"))?;
        if self.mode.is_automatic() { Ok(()) } else { write!(f, "@{}", self.mode) }
    }
}

impl std::str::FromStr for CameraChoice {
    type Err = Problem;

    /// Parses a choice. If the part after the last `@` is not a format, the part belongs to the id.
    /// In earlier versions, choices had no format.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let split = text.rsplit_once('@');
        let split = split.and_then(|(id, mode)| Some((id, mode.parse::<Mode>().ok()?)));
        let (id, mode) = split.unwrap_or((text, Mode::default()));
        let named = id.strip_prefix(':');
        if named.is_none() && !id.is_empty() {
            return Err(problem!("choice-no-camera", text = text));
        }
        let id = named.filter(|id| !id.is_empty()).map(str::to_owned);
        Ok(Self { id, mode })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cameras_read_back_as_written() {
        for text in [
            "",
            ":usb-046d_C920-video-index0",
            ":C920@1280x720,30,MJPEG",
            ":C920@29.97",
            "@640x480",
            "@NV12",
            "@H264",
            ":pci-0000:00:14.0@12.5,YU12",
            ":odd@id",
            ":odd@1281x7,30",
        ] {
            assert_eq!(text.parse::<CameraChoice>().unwrap().to_string(), text);
        }
        let wanted = ":c@mjpeg,30.000,1280x720".parse::<CameraChoice>().unwrap();
        assert_eq!(wanted.to_string(), ":c@1280x720,30,MJPEG");
        let odd = ":odd@1281x7,30".parse::<CameraChoice>().unwrap();
        assert_eq!((odd.id.as_deref(), odd.mode.size), (Some("odd"), Some(Size::new(1281, 7))));
        assert_eq!(":odd@id".parse::<CameraChoice>().unwrap().id.as_deref(), Some("odd@id"));
        assert_eq!(":".parse(), Ok(CameraChoice::default()));
        for bad in ["@", "@big", "C920", "@30,30", "@-1", "@1280x720,640x480", "@H265", "@1x480"] {
            assert!(bad.parse::<CameraChoice>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_format_is_wanted_by_its_words() {
        let format =
            CameraFormat { size: Size::new(640, 480), fps: 30_000.0 / 1_001.0, pixel: "MJPEG" };
        assert_eq!(Mode::of(&format).to_string(), "640x480,29.97,MJPEG");
        assert_eq!("640x480,29.97,MJPEG".parse(), Ok(Mode::of(&format)));
    }
}
