//! Cameras of Linux: nokhwa opens and reads them; what it does not tell or cannot do (which node is
//! which, rates that are fractions, waiting with a limit, waking a reader that hangs) is asked of
//! Video4Linux directly.

#![allow(unsafe_code)]

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType,
    Resolution,
};
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use super::identity::{self, Node};
use crate::capture::device::{Camera, Driver, Fault, Found, Offer, Pixel, Raw};
use crate::media::Size;

/// Sizes to try where a camera offers a range of them.
const USUAL: [(u32, u32); 6] =
    [(1920, 1080), (1280, 720), (960, 540), (640, 480), (640, 360), (320, 240)];
/// Formats looked at in all: a driver may list without end.
const MOST_OFFERS: usize = 512;
/// A stamp older than this is a driver's mistake.
const MOST_AGE: Duration = Duration::from_secs(1);

/// Video4Linux.
pub(super) struct Video4Linux;

impl Driver for Video4Linux {
    fn cameras(&self) -> Vec<Found> {
        let listed = identity::nodes().into_iter().filter_map(|node| {
            let offers = match Device::with_path(path(&node)) {
                Ok(device) => offers(&device),
                // It may be a camera: opening it will say what is wrong.
                Err(_) if node.first => return Some((node, Vec::new())),
                Err(_) => return None,
            };
            // Nodes for metadata and outputs offer no pictures.
            if offers.is_empty() { None } else { Some((node, offers)) }
        });
        listed.map(|(node, offers)| Found { id: node.id, name: node.name, offers }).collect()
    }

    fn open(&self, id: &str, offer: Offer) -> Result<Box<dyn Camera>, Fault> {
        let node = identity::nodes().into_iter().find(|node| node.id == id);
        let node = node.ok_or_else(|| Fault::Absent(format!("no camera {id}")))?;
        prepare(&node, offer)?;
        let format = CameraFormat::new(
            Resolution::new(offer.size.width, offer.size.height),
            match offer.pixel {
                Pixel::Yuyv => FrameFormat::YUYV,
                Pixel::Nv12 => FrameFormat::NV12,
                Pixel::Mjpeg => FrameFormat::MJPEG,
            },
            offer.rate.0 / offer.rate.1.max(1),
        );
        let kinds = [format.format()];
        let exact = RequestedFormatType::Exact(format);
        let wish = RequestedFormat::with_formats(exact, &kinds);
        let index = CameraIndex::Index(node.number);
        let camera = nokhwa::Camera::with_backend(index, wish, ApiBackend::Video4Linux);
        let mut camera = camera.map_err(|error| fault(&error.to_string()))?;
        camera.open_stream().map_err(|error| fault(&error.to_string()))?;
        let descriptor = Arc::new(descriptor(&path(&node))?);
        Ok(Box::new(Open { camera, descriptor, started: false }))
    }
}

fn path(node: &Node) -> PathBuf {
    PathBuf::from(format!("/dev/video{}", node.number))
}

/// What a camera offers that we can read and nokhwa can open: whole rates.
fn offers(device: &Device) -> Vec<Offer> {
    let mut offers = Vec::new();
    for (code, pixel) in [(b"YUYV", Pixel::Yuyv), (b"NV12", Pixel::Nv12), (b"MJPG", Pixel::Mjpeg)] {
        let code = FourCC::new(code);
        let listed = device.enum_formats().unwrap_or_default();
        if listed.iter().all(|format| format.fourcc != code) {
            continue;
        }
        for size in device.enum_framesizes(code).unwrap_or_default() {
            let sizes = match size.size {
                FrameSizeEnum::Discrete(size) => vec![(size.width, size.height)],
                FrameSizeEnum::Stepwise(range) => {
                    let width = range.min_width..=range.max_width;
                    let height = range.min_height..=range.max_height;
                    let fits = |&(w, h): &(u32, u32)| width.contains(&w) && height.contains(&h);
                    USUAL.into_iter().filter(fits).collect()
                }
            };
            for (width, height) in sizes {
                for rate in rates(device, code, width, height) {
                    if offers.len() < MOST_OFFERS {
                        offers.push(Offer { size: Size::new(width, height), rate, pixel });
                    }
                }
            }
        }
    }
    offers
}

fn rates(device: &Device, code: FourCC, width: u32, height: u32) -> Vec<(u32, u32)> {
    let intervals = device.enum_frameintervals(code, width, height).unwrap_or_default();
    let rates = intervals.into_iter().flat_map(|interval| match interval.interval {
        FrameIntervalEnum::Discrete(one) => vec![(one.denominator, one.numerator)],
        FrameIntervalEnum::Stepwise(range) => {
            let fps =
                |of: v4l::Fraction| f64::from(of.denominator) / f64::from(of.numerator.max(1));
            let (low, high) = (fps(range.max), fps(range.min));
            let usual = [60, 30, 25, 15].into_iter();
            usual.filter(|&r| (low..=high).contains(&f64::from(r))).map(|r| (r, 1)).collect()
        }
    });
    rates.filter(|&(num, den)| den > 0 && num.is_multiple_of(den) && num > 0).collect()
}

/// Puts the format and a whole rate in place, because nokhwa refuses to open a camera whose rate is
/// a fraction at the moment, whatever is asked of it.
fn prepare(node: &Node, offer: Offer) -> Result<(), Fault> {
    let io = |error: std::io::Error| fault(&error.to_string());
    let device = Device::with_path(path(node)).map_err(io)?;
    let code = FourCC::new(match offer.pixel {
        Pixel::Yuyv => b"YUYV",
        Pixel::Nv12 => b"NV12",
        Pixel::Mjpeg => b"MJPG",
    });
    let Size { width, height } = offer.size;
    let got = device.set_format(&Format::new(width, height, code)).map_err(io)?;
    if (got.width, got.height, got.fourcc) != (width, height, code) {
        return Err(Fault::Format(format!("{}x{} {} instead", got.width, got.height, got.fourcc)));
    }
    let fps = offer.rate.0 / offer.rate.1.max(1);
    device.set_params(&Parameters::with_fps(fps)).map_err(io)?;
    Ok(())
}

/// The kinds of faults, by the error number that every layer leaves in its message.
fn fault(detail: &str) -> Fault {
    let number = detail.rsplit_once("(os error ").and_then(|(_, rest)| {
        let (digits, _) = rest.split_once(')')?;
        digits.parse::<i32>().ok()
    });
    let detail = detail.to_owned();
    match number {
        Some(libc::EBUSY) => Fault::Busy(detail),
        Some(libc::EACCES | libc::EPERM) => Fault::Refused(detail),
        Some(libc::ENODEV | libc::ENOENT | libc::ENXIO) => Fault::Absent(detail),
        Some(libc::EINVAL) => Fault::Format(detail),
        _ => Fault::Other(detail),
    }
}

/// Our own handle on the file that nokhwa has open, to wait on it with a limit.
fn descriptor(path: &Path) -> Result<OwnedFd, Fault> {
    let io = |error: std::io::Error| Fault::Other(format!("finding the camera's file: {error}"));
    for entry in fs::read_dir("/proc/self/fd").map_err(io)?.flatten() {
        let points_there = fs::read_link(entry.path()).is_ok_and(|to| to == *path);
        let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if let Some(number) = number.filter(|_| points_there) {
            // SAFETY: the number was listed as open a moment ago and belongs to the nokhwa camera,
            // which the caller holds and which closes it only when it is dropped.
            let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
            return borrowed.try_clone_to_owned().map_err(io);
        }
    }
    Err(Fault::Other("the camera's file is not open".to_owned()))
}

struct Open {
    camera: nokhwa::Camera,
    descriptor: Arc<OwnedFd>,
    started: bool,
}

impl Camera for Open {
    fn frame(&mut self, limit: Duration) -> Result<Option<Raw>, Fault> {
        // nokhwa starts the stream with the first frame, and waits for it without a limit; before
        // that there is nothing to wait on.
        if self.started && !ready(&self.descriptor, limit) {
            return Ok(None);
        }
        self.started = true;
        let frame = self.camera.frame().map_err(|error| fault(&error.to_string()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = frame.capture_timestamp().and_then(|taken| now.checked_sub(taken));
        let age = age.filter(|age| *age < MOST_AGE).unwrap_or_default();
        Ok(Some(Raw { data: frame.buffer_bytes(), age }))
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let descriptor = Arc::clone(&self.descriptor);
        Box::new(move || stop_stream(&descriptor))
    }
}

/// Waits until the camera has a picture or a fault to tell.
fn ready(descriptor: &OwnedFd, limit: Duration) -> bool {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: `poll` is one valid entry, alive for the call; the descriptor is open.
    let count = unsafe { libc::poll(&raw mut poll, 1, limit) };
    count > 0
}

/// Ends streaming, which makes a reader that waits return with an error.
fn stop_stream(descriptor: &OwnedFd) {
    let mut kind = v4l::buffer::Type::VideoCapture as libc::c_int;
    // SAFETY: VIDIOC_STREAMOFF reads one `int`, which lives through the call; the descriptor is
    // open and of a video device.
    let done = unsafe {
        v4l::v4l2::ioctl(
            descriptor.as_raw_fd(),
            v4l::v4l2::vidioc::VIDIOC_STREAMOFF,
            (&raw mut kind).cast(),
        )
    };
    if let Err(error) = done {
        tracing::debug!(%error, "stopping a camera that hangs");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_by_their_numbers() {
        let of = |detail: &str| fault(detail);
        assert!(matches!(of("stream: Device or resource busy (os error 16)"), Fault::Busy(_)));
        assert!(matches!(of("Permission denied (os error 13)"), Fault::Refused(_)));
        assert!(matches!(of("V4L2 Error: No such device (os error 19)"), Fault::Absent(_)));
        assert!(matches!(of("no idea"), Fault::Other(_)));
    }
}
