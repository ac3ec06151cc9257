//! The interface of a camera system. There is one real backend, and a fake for tests.

use std::time::Duration;

use crate::capture::camera::control::CameraControl;
use crate::capture::camera::mode::{self, Mode};
use crate::capture::camera::pixel_format::{Pixel, PixelLayout, Samples};
use crate::capture::source::CameraFormat;
use crate::media::{Color, Size};

/// The reason why a camera is unavailable, with the system's message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) enum Fault {
    /// The camera does not exist, or is gone.
    Absent(String),
    /// Another program uses the camera.
    Busy(String),
    /// This process already has the camera open.
    Ours(String),
    /// The system denies access.
    Refused(String),
    /// The camera has no format that onair can read. The text names its formats.
    Format(String),
    /// The camera sends another format than the chosen one, or damaged frames.
    OtherFormat(String),
    /// Another error.
    Other(String),
    /// onair does not support cameras on this system.
    #[cfg_attr(target_os = "linux", allow(dead_code, reason = "for systems that lack it"))]
    NotOnThisSystem,
}

impl Fault {
    /// Returns the error text of the system.
    pub(in crate::capture) fn detail(&self) -> &str {
        match self {
            Self::Absent(detail)
            | Self::Busy(detail)
            | Self::Ours(detail)
            | Self::Refused(detail)
            | Self::Format(detail)
            | Self::OtherFormat(detail)
            | Self::Other(detail) => detail,
            Self::NotOnThisSystem => "",
        }
    }
}

/// A format that a camera offers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) struct OfferedCamera {
    pub(in crate::capture) size: Size,
    /// Frame rate as a fraction.
    pub(in crate::capture) rate: (u32, u32),
    pub(in crate::capture) pixel: Pixel,
}

impl OfferedCamera {
    pub(in crate::capture) fn fps(&self) -> f64 {
        f64::from(self.rate.0) / f64::from(self.rate.1.max(1))
    }

    /// Returns the visible size. Frames have an even width and height, so an odd last column or row
    /// is dropped.
    pub(in crate::capture) const fn shown(&self) -> Size {
        Size::new(self.size.width & !1, self.size.height & !1)
    }

    /// Returns true if the offer matches the mode.
    fn is_of(&self, mode: Mode) -> bool {
        mode.size.is_none_or(|size| size == self.size)
            && mode
                .rate
                .is_none_or(|rate| rate.abs_diff(mode::milli(self.fps())) <= mode::RATE_TOLERANCE)
            && mode.pixel.is_none_or(|pixel| pixel == self.pixel.name())
    }

    pub(in crate::capture) fn format(&self) -> CameraFormat {
        CameraFormat { size: self.size, fps: self.fps(), pixel: self.pixel.name() }
    }
}

/// A connected camera.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::capture) struct FoundCamera {
    /// An id that is stable across replugging and restarts.
    pub(in crate::capture) id: String,
    /// Id of the camera while another camera with the same id is connected.
    pub(in crate::capture) id_there: String,
    pub(in crate::capture) name: String,
    pub(in crate::capture) offers: Vec<OfferedCamera>,
    /// The reason why the camera has no formats.
    pub(in crate::capture) fault: Option<Fault>,
}

impl FoundCamera {
    /// Returns the position of a camera in a list. The result refers to the same camera even if
    /// another camera with the same id appears or disappears.
    pub(in crate::capture) fn position(cameras: &[Self], id: &str) -> Option<usize> {
        let exact = cameras.iter().position(|camera| camera.id == id || camera.id_there == id);
        let twin = || cameras.iter().position(|c| c.id == c.id_there && c.id.starts_with(id));
        exact.or_else(twin)
    }
}

/// The memory layout of a driver's frames.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::capture) struct Layout {
    /// Stride in bytes, of the luma plane if there are several planes; 0 means no padding.
    pub(in crate::capture) stride: u32,
    /// The color space. For RGB, only the range counts.
    pub(in crate::capture) color: Color,
}

/// A frame of the camera, in the driver's memory if possible.
#[derive(Copy, Clone, Debug)]
pub(in crate::capture) struct RawFrame<'a> {
    pub(in crate::capture) data: &'a [u8],
    /// The second and the third plane of formats with separate memory.
    pub(in crate::capture) more: [PlaneBytes<'a>; 2],
    /// Age of the frame.
    pub(in crate::capture) age: Duration,
    pub(in crate::capture) layout: Layout,
}

impl<'a> RawFrame<'a> {
    /// Makes a frame in one memory block.
    pub(in crate::capture) fn new(data: &'a [u8], age: Duration, layout: Layout) -> Self {
        Self { data, more: [PlaneBytes::default(); 2], age, layout }
    }
}

/// The memory of one plane.
#[derive(Copy, Clone, Debug, Default)]
pub(in crate::capture) struct PlaneBytes<'a> {
    pub(in crate::capture) data: &'a [u8],
    /// Stride in bytes; 0 means no padding.
    pub(in crate::capture) stride: u32,
}

/// An open camera, which lives on one thread.
pub(in crate::capture) trait Camera {
    /// Returns the next frame, or `None` if no frame arrived within `limit`. The first call can
    /// take longer.
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault>;
    /// Returns a function that ends a hanging call of `frame` on another thread.
    fn waker(&self) -> Box<dyn Fn() + Send>;
}

/// A camera system. The trait has no default methods, so each backend implements all of them.
pub(in crate::capture) trait Driver: Send + Sync {
    /// Returns the available cameras, without nodes that deliver no frames.
    fn cameras(&self) -> Vec<FoundCamera>;
    /// Opens and starts a camera.
    fn open(&self, id: &str, offer: OfferedCamera) -> Result<Box<dyn Camera>, Fault>;
    /// Returns the controls of a camera, even while the camera is open.
    fn controls(&self, id: &str) -> Result<Vec<CameraControl>, Fault>;
    /// Sets the control with this name to the nearest valid value; `None` sets its default.
    fn set_control(&self, id: &str, name: &str, value: Option<i64>) -> Result<(), Fault>;
}

/// Chooses the best format for the program. The first criterion is the rate, the second is to avoid
/// upscaling, and the third is to limit downscaling. Raw pixels are preferred to compressed ones.
/// If possible, the format is one that `mode` allows; the result also states whether `mode` allows
/// it.
pub(in crate::capture) fn choose(
    offers: &[OfferedCamera],
    mode: Mode,
    size: Size,
    fps: f64,
) -> Option<(OfferedCamera, bool)> {
    let allowed: Vec<OfferedCamera> = offers.iter().filter(|it| it.is_of(mode)).copied().collect();
    match best(&allowed, size, fps) {
        Some(offer) => Some((offer, true)),
        None => Some((best(offers, size, fps)?, false)),
    }
}

fn best(offers: &[OfferedCamera], size: Size, fps: f64) -> Option<OfferedCamera> {
    let cost = |offer: &OfferedCamera| {
        let missing = |want: f64, have: f64| (1.0 - have / want).max(0.0);
        let (want, have) = (size.pixels() as f64, offer.size.pixels() as f64);
        let excess =
            (have / want - 1.0).clamp(0.0, 8.0) + (offer.fps() / fps - 1.0).clamp(0.0, 8.0);
        let packed = match offer.pixel.form() {
            PixelLayout::Quads
            | PixelLayout::Pairs(..)
            | PixelLayout::Planes(..)
            | PixelLayout::Whole(_) => 0.0,
            // RGB needs an additional conversion by a matrix.
            PixelLayout::Rgb(..) => 0.02,
            // The colors are also coarse.
            PixelLayout::Rgb16(_) => 0.04,
            PixelLayout::Jpeg => 0.05,
            // H.264 has lost more quality.
            PixelLayout::H264 => 0.06,
            // This format needs twice the bytes, for bits that are dropped.
            PixelLayout::WidePairs => 0.07,
            // Two of three colors are interpolated, and the colors are those of the raw sensor.
            PixelLayout::Bayer(_, Samples::Eight) => 0.08,
            PixelLayout::Bayer(..) => 0.09,
            // A format without color is used only if there is no other.
            PixelLayout::Luma(Samples::Eight) => 100.0,
            PixelLayout::Luma(_) => 100.01,
        };
        4.0 * missing(fps * 0.98, offer.fps()) + 2.0 * missing(want, have) + 0.2 * excess + packed
    };
    let usable = offers.iter().filter(|offer| offer.shown().is_valid() && offer.fps() > 0.0);
    usable.min_by(|a, b| cost(a).total_cmp(&cost(b))).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_found_with_and_without_its_twin() {
        let found = |id: &str, id_there: &str| FoundCamera {
            id: id.to_owned(),
            id_there: id_there.to_owned(),
            name: String::new(),
            offers: Vec::new(),
            fault: None,
        };
        let other = found("other", "other-at-3");
        let alone = [other.clone(), found("twin", "twin-at-2")];
        assert_eq!(FoundCamera::position(&alone, "twin"), Some(1));
        assert_eq!(FoundCamera::position(&alone, "twin-at-2"), Some(1));
        assert_eq!(FoundCamera::position(&alone, "twin-at-1"), None);
        let both = [other, found("twin-at-1", "twin-at-1"), found("twin-at-2", "twin-at-2")];
        assert_eq!(FoundCamera::position(&both, "twin-at-2"), Some(2));
        assert_eq!(FoundCamera::position(&both, "twin"), Some(1), "one of them");
        assert_eq!(FoundCamera::position(&both, "oth"), None);
    }

    #[test]
    fn the_format_fits_the_program() {
        let offer = |width, height, rate, pixel| {
            let size = Size::new(width, height);
            OfferedCamera { size, rate: (rate, 1), pixel }
        };
        let webcam = [
            offer(1280, 720, 10, Pixel::Yuyv),
            offer(640, 480, 30, Pixel::Yuyv),
            offer(1280, 720, 30, Pixel::Mjpeg),
            offer(1920, 1080, 30, Pixel::Mjpeg),
        ];
        let fitting = |width, height, fps| best(&webcam, Size::new(width, height), fps).unwrap();
        assert_eq!(fitting(1280, 720, 30.0), webcam[2]);
        assert_eq!(fitting(640, 360, 29.97), webcam[1]);
        assert_eq!(fitting(1920, 1080, 60.0), webcam[3]);
        let slow = OfferedCamera { rate: (2_997, 100), ..webcam[3] };
        assert_eq!(best(&[webcam[0], slow], Size::new(1920, 1080), 30.0), Some(slow));
        let odd = [offer(1281, 721, 30, Pixel::Yuyv)];
        assert_eq!(best(&odd, Size::new(640, 480), 30.0), Some(odd[0]));
        assert_eq!(odd[0].shown(), Size::new(1280, 720));
        for (width, height) in [(1, 480), (640, 1), (0, 0), (8194, 480)] {
            let none = [offer(width, height, 30, Pixel::Yuyv)];
            assert_eq!(best(&none, Size::new(640, 480), 30.0), None);
        }
        assert_eq!(best(&webcam[..1], Size::new(640, 480), 30.0), Some(webcam[0]));
        let kinds = [
            Pixel::Y16,
            Pixel::Grey,
            Pixel::Srggb10,
            Pixel::Sbggr8,
            Pixel::P010,
            Pixel::H264,
            Pixel::Mjpeg,
            Pixel::Rgb565,
            Pixel::Bgr24,
            Pixel::Uyvy,
        ];
        let kinds = kinds.map(|pixel| offer(640, 480, 30, pixel));
        for last in 1..=kinds.len() {
            let chosen = best(&kinds[..last], Size::new(640, 480), 30.0);
            assert_eq!(chosen, Some(kinds[last - 1]), "the better one");
        }
        let small = offer(320, 240, 15, Pixel::Yuyv);
        assert_eq!(best(&[kinds[1], small], Size::new(640, 480), 30.0), Some(small), "colour");
    }

    #[test]
    fn what_is_wanted_is_chosen_while_it_is_there() {
        let offer = |width, height, rate, pixel| {
            let size = Size::new(width, height);
            OfferedCamera { size, rate: (rate, 1), pixel }
        };
        let webcam = [
            offer(640, 480, 30, Pixel::Yuyv),
            offer(1280, 720, 10, Pixel::Yuyv),
            offer(1280, 720, 30, Pixel::Mjpeg),
            offer(1920, 1080, 30, Pixel::Mjpeg),
        ];
        let chosen = |mode: &str| {
            choose(&webcam, mode.parse().unwrap(), Size::new(1280, 720), 30.0).unwrap()
        };
        assert_eq!(chosen("1920x1080"), (webcam[3], true));
        assert_eq!(chosen("YUYV"), (webcam[0], true), "the best of them");
        assert_eq!(chosen("1280x720,10"), (webcam[1], true));
        let ntsc = OfferedCamera { rate: (30_000, 1_001), ..webcam[0] };
        assert!(ntsc.is_of("29.97".parse().unwrap()) && !ntsc.is_of("30".parse().unwrap()));
        assert!(ntsc.is_of(Mode::of(&ntsc.format())));
        assert_eq!(chosen("1280x720,60"), (webcam[2], false), "as if nothing were wanted");
        let any = choose(&webcam, Mode::default(), Size::new(1280, 720), 30.0);
        assert_eq!(any, Some((webcam[2], true)));
        assert_eq!(choose(&[], Mode::default(), Size::new(1280, 720), 30.0), None);
    }
}
