//! Linux cameras, which are listed through Video4Linux, and read through nokhwa. A camera that
//! nokhwa does not support (JPEG, a fractional rate, an unusual driver) is read directly, with a
//! limit for every wait. `multiplanar.rs` reads multi-planar cameras. Each session opens the camera
//! again, so a hanging session does not block the next one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

use v4l::buffer::{Flags, Type};
use v4l::device::Handle;
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::io::mmap::Stream;
use v4l::io::traits::CaptureStream;
use v4l::video::Capture;
use v4l::{Device, FourCC, capability};

use crate::capture::camera::backend::format::DriverFormat;
use crate::capture::camera::backend::handover::HandOver;
use crate::capture::camera::backend::identity::Node;
use crate::capture::camera::backend::ioctl::{self, BUFFER_COUNT, Queue, age, fault};
use crate::capture::camera::backend::{controls, format, identity, loopback, multiplanar, nokhwa};
use crate::capture::camera::control::CameraControl;
use crate::capture::camera::driver::{
    Camera, Driver, Fault, FoundCamera, Layout, OfferedCamera, RawFrame,
};
use crate::capture::camera::pixel_format::Pixel;
use crate::media::Size;

/// Sizes to try if a camera offers a range.
const COMMON_SIZES: [(u32, u32); 10] = [
    (3840, 2160),
    (2560, 1440),
    (1920, 1080),
    (1280, 720),
    (960, 540),
    (720, 576),
    (720, 480),
    (640, 480),
    (640, 360),
    (320, 240),
];
/// Rates to try if a camera offers a range.
const COMMON_RATES: [u32; 4] = [60, 30, 25, 15];
/// The assumed rate if the driver reports none. The camera sends frames at its own rate.
const UNKNOWN_RATE: (u32, u32) = (30, 1);
/// Maximum number of sizes and rates per pixel format, because the list of a driver may never end.
const MAX_FORMAT_MODES: usize = 256;

/// Time limit for the first frame of a camera, below the watchdog's limit.
const FIRST_FRAME_TIMEOUT: Duration = Duration::from_millis(3_500);

/// The Video4Linux camera system.
pub(super) struct Video4Linux;

impl Driver for Video4Linux {
    fn cameras(&self) -> Vec<FoundCamera> {
        let nodes = identity::nodes().into_iter().filter(|node| !loopback::is_own(node.number));
        nodes.filter_map(found).collect()
    }

    fn open(&self, id: &str, offer: OfferedCamera) -> Result<Box<dyn Camera>, Fault> {
        let node = node(id)?;
        let device = Device::with_path(node.path()).map_err(|error| fault("opening", &error))?;
        let whose = |fault| whose(fault, &node.path());
        let queue = queue(&device).map_err(|error| fault("opening", &error))?;
        let queue = queue.ok_or_else(|| Fault::Absent("it is no camera any more".to_owned()))?;
        let format = prepare(&device, queue, offer).map_err(whose)?;
        if queue == Queue::Several {
            let open = multiplanar::Open::begin(device.handle(), &format, offer.pixel);
            return Ok(Box::new(open.map_err(whose)?));
        }
        let layout = format.layout(offer.pixel);
        let direct = Open::begin(&device, layout).map_err(whose)?;
        if !nokhwa::takes(offer) {
            return Ok(Box::new(direct));
        }
        let again = move || open_again(node.number, &node.path(), offer, layout);
        Ok(Box::new(HandOver::new(Box::new(direct), again)))
    }

    fn controls(&self, id: &str) -> Result<Vec<CameraControl>, Fault> {
        let node = node(id)?;
        controls::list(&node.path()).map_err(|error| fault("listing controls", &error))
    }

    fn set_control(&self, id: &str, name: &str, value: Option<i64>) -> Result<(), Fault> {
        let node = node(id)?;
        controls::set(&node.path(), name, value).map_err(|error| fault("setting", &error))
    }
}

fn node(id: &str) -> Result<Node, Fault> {
    let node = identity::nodes().into_iter().find(|node| node.id == id);
    node.ok_or_else(|| Fault::Absent(format!("no camera {id}")))
}

/// Reopens the camera with its final reader.
fn open_again(
    number: u32,
    path: &Path,
    offer: OfferedCamera,
    layout: Layout,
) -> Result<Box<dyn Camera>, Fault> {
    match nokhwa::open(number, path, offer, layout) {
        Err(Fault::Format(why) | Fault::Other(why)) => {
            tracing::debug!(why, "nokhwa cannot open the camera");
            let device = Device::with_path(path);
            let device = device.map_err(|error| fault("opening again", &error))?;
            let layout = prepare(&device, Queue::Single, offer)?.layout(offer.pixel);
            Ok(Box::new(Open::begin(&device, layout)?))
        }
        taken => taken,
    }
}

/// Converts a node to a camera, with the reason if the camera is unusable. Returns `None` for other
/// devices, and for a further node of a device that cannot be opened.
fn found(node: Node) -> Option<FoundCamera> {
    let none = |fault| (Vec::new(), Some(fault));
    let (offers, fault) = match Device::with_path(node.path()) {
        Ok(device) => {
            // Nodes for metadata and outputs deliver no frames.
            let queue = queue(&device).ok()??;
            let listed = format::list(device.handle().fd(), queue);
            let offers = offers(&device, queue, &listed);
            if offers.is_empty() { none(unreadable(&listed)) } else { (offers, None) }
        }
        // The node may be a camera, so its state shows the error.
        Err(error) if node.first => none(fault("opening", &error)),
        Err(_) => return None,
    };
    Some(FoundCamera { id: node.id, id_there: node.id_there, name: node.name, offers, fault })
}

/// Returns the buffer type of a device, or `None` if the device delivers no frames.
fn queue(device: &Device) -> io::Result<Option<Queue>> {
    let abilities = device.query_caps()?.capabilities;
    let can = |flags| abilities.contains(flags);
    Ok(if can(capability::Flags::VIDEO_CAPTURE) {
        Some(Queue::Single)
    } else {
        can(capability::Flags::VIDEO_CAPTURE_MPLANE).then_some(Queue::Several)
    })
}

fn unreadable(listed: &[[u8; 4]]) -> Fault {
    let is_known = |code: &&[u8; 4]| Pixel::ALL.iter().any(|pixel| pixel.code() == *code);
    let (known, unknown): (Vec<_>, Vec<_>) = listed.iter().partition(is_known);
    if !known.is_empty() {
        return Fault::Other("the driver reports no frame size".to_owned());
    }
    // Invalid characters are replaced.
    let name = |code: &[u8; 4]| String::from_utf8_lossy(code).trim_end().to_owned();
    let names: Vec<String> = unknown.into_iter().take(16).map(name).collect();
    Fault::Format(names.join(", "))
}

/// Returns the formats of a camera that onair can read.
fn offers(device: &Device, queue: Queue, listed: &[[u8; 4]]) -> Vec<OfferedCamera> {
    let fd = device.handle().fd();
    let current = CurrentMode {
        size: format::current(fd, queue).ok().map(|it| (it.width, it.height)),
        rate: format::current_rate(fd, queue).ok(),
    };
    let mut offers = Vec::new();
    for pixel in Pixel::ALL.iter().copied().filter(|pixel| listed.contains(pixel.code())) {
        let code = FourCC::new(pixel.code());
        let listed = device.enum_framesizes(code).unwrap_or_default();
        let sizes = sizes(listed.into_iter().map(|it| it.size), current);
        let modes = sizes.into_iter().flat_map(|(width, height)| {
            let listed = device.enum_frameintervals(code, width, height).unwrap_or_default();
            let rates = rates(listed.into_iter().map(|it| it.interval), current);
            let size = Size::new(width, height);
            rates.into_iter().map(move |rate| OfferedCamera { size, rate, pixel })
        });
        offers.extend(modes.take(MAX_FORMAT_MODES));
    }
    offers
}

/// The size and the rate that a device uses now, for drivers that list none.
#[derive(Copy, Clone, Debug, Default)]
struct CurrentMode {
    size: Option<(u32, u32)>,
    /// Frame rate as a fraction.
    rate: Option<(u32, u32)>,
}

/// Returns the sizes to offer. Devices such as HDMI and analog receivers list no sizes, because the
/// connected device determines the size.
fn sizes(listed: impl Iterator<Item = FrameSizeEnum>, current: CurrentMode) -> Vec<(u32, u32)> {
    let sizes = listed.flat_map(|size| match size {
        FrameSizeEnum::Discrete(size) => vec![(size.width, size.height)],
        FrameSizeEnum::Stepwise(range) => {
            let is_in = |side: u32, low: u32, high: u32, step: u32| {
                (low..=high).contains(&side) && (side - low).is_multiple_of(step.max(1))
            };
            let fits = |&(width, height): &(u32, u32)| {
                is_in(width, range.min_width, range.max_width, range.step_width)
                    && is_in(height, range.min_height, range.max_height, range.step_height)
            };
            let largest = (range.max_width, range.max_height);
            let more = Some(largest).filter(|largest| !COMMON_SIZES.contains(largest));
            more.into_iter().chain(COMMON_SIZES).filter(fits).collect()
        }
    });
    let sizes: Vec<_> = sizes.collect();
    if sizes.is_empty() { current.size.into_iter().collect() } else { sizes }
}

/// Returns the rates to offer for a size, as fractions.
fn rates(listed: impl Iterator<Item = FrameIntervalEnum>, current: CurrentMode) -> Vec<(u32, u32)> {
    let is_valid = |&(num, den): &(u32, u32)| den > 0 && num > 0;
    let rates = listed.flat_map(|interval| match interval {
        FrameIntervalEnum::Discrete(one) => vec![(one.denominator, one.numerator)],
        FrameIntervalEnum::Stepwise(range) => {
            let fps =
                |of: v4l::Fraction| f64::from(of.denominator) / f64::from(of.numerator.max(1));
            let fits = fps(range.max)..=fps(range.min);
            let usual = COMMON_RATES.into_iter().filter(|&rate| fits.contains(&f64::from(rate)));
            usual.map(|rate| (rate, 1)).collect()
        }
    });
    let rates: Vec<_> = rates.filter(is_valid).collect();
    if rates.is_empty() {
        vec![current.rate.filter(is_valid).unwrap_or(UNKNOWN_RATE)]
    } else {
        rates
    }
}

/// Sets the format and the rate, and returns the memory layout of the frames.
fn prepare(device: &Device, queue: Queue, offer: OfferedCamera) -> Result<DriverFormat, Fault> {
    let Size { width, height } = offer.size;
    let handle = device.handle();
    let got = format::set(handle.fd(), queue, offer.size, offer.pixel);
    let got = got.map_err(|error| fault("choosing the format", &error))?;
    let code = FourCC::from(got.code);
    if (got.width, got.height, &code.repr) != (width, height, offer.pixel.code()) {
        return Err(Fault::OtherFormat(format!("{}x{} {code} instead", got.width, got.height)));
    }
    if let Err(error) = format::set_rate(handle.fd(), queue, offer.rate) {
        // Some drivers have only one rate.
        tracing::debug!(%error, "setting a camera's frame rate failed");
    }
    Ok(got)
}

/// Changes the fault of a busy device if this process itself has the device open.
fn whose(fault: Fault, path: &Path) -> Fault {
    let Fault::Busy(detail) = fault else { return fault };
    let open = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let of_it = open.filter(|file| fs::read_link(file.path()).is_ok_and(|to| to == path));
    if of_it.count() > 1 { Fault::Ours(detail) } else { Fault::Busy(detail) }
}

struct Open {
    handle: Arc<Handle>,
    stream: Stream<'static>,
    layout: Layout,
    started: bool,
}

impl Open {
    /// Requests buffers from a configured camera.
    fn begin(device: &Device, layout: Layout) -> Result<Self, Fault> {
        let stream = Stream::with_buffers(device, Type::VideoCapture, BUFFER_COUNT);
        let mut stream = stream.map_err(|error| fault("asking for buffers", &error))?;
        stream.set_timeout(FIRST_FRAME_TIMEOUT);
        Ok(Self { handle: device.handle(), stream, layout, started: false })
    }
}

impl Camera for Open {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        // The first frame starts the stream; it has a separate limit.
        if std::mem::replace(&mut self.started, true) && !ioctl::wait(&self.handle, limit) {
            return Ok(None);
        }
        let next = self.stream.next();
        let (buffer, about) = next.map_err(|error| fault("taking a frame", &error))?;
        if about.flags.contains(Flags::ERROR) {
            return Ok(None);
        }
        let length = usize::try_from(about.bytesused).unwrap_or(usize::MAX);
        // Some drivers do not report the length.
        let data = if length == 0 { buffer } else { buffer.get(..length).unwrap_or(buffer) };
        let age = age(about.timestamp.sec, about.timestamp.usec);
        // The buffer is ours until the next frame is requested.
        Ok(Some(RawFrame::new(data, age, self.layout)))
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let handle = Arc::clone(&self.handle);
        Box::new(move || ioctl::stop(handle.fd(), Queue::Single))
    }
}

#[cfg(test)]
mod tests {
    use v4l::frameinterval;
    use v4l::framesize::{Discrete, Stepwise};

    use super::*;

    #[test]
    fn a_device_that_lists_no_sizes_and_rates_offers_its_current_ones() {
        let current = CurrentMode { size: Some((720, 576)), rate: Some((25, 1)) };
        let unknown = CurrentMode::default();
        assert_eq!(sizes(std::iter::empty(), current), [(720, 576)]);
        assert_eq!(rates(std::iter::empty(), current), [(25, 1)]);
        assert_eq!(sizes(std::iter::empty(), unknown), []);
        assert_eq!(rates(std::iter::empty(), unknown), [UNKNOWN_RATE]);
        let zero = CurrentMode { rate: Some((0, 0)), ..unknown };
        assert_eq!(rates(std::iter::empty(), zero), [UNKNOWN_RATE]);
        // Listed ones win.
        let one = FrameSizeEnum::Discrete(Discrete { width: 640, height: 480 });
        assert_eq!(sizes(std::iter::once(one), current), [(640, 480)]);
        let one = FrameIntervalEnum::Discrete(v4l::Fraction::new(1_001, 30_000));
        assert_eq!(rates(std::iter::once(one), current), [(30_000, 1_001)]);
    }

    #[test]
    fn of_a_range_the_largest_and_the_common_ones_are_offered() {
        let range = |max_width, max_height, step_width| {
            let range = Stepwise {
                min_width: 640,
                max_width,
                step_width,
                min_height: 480,
                max_height,
                step_height: 2,
            };
            sizes(std::iter::once(FrameSizeEnum::Stepwise(range)), CurrentMode::default())
        };
        let offered =
            [(1_600, 1_200), (1_280, 720), (960, 540), (720, 576), (720, 480), (640, 480)];
        assert_eq!(range(1_600, 1_200, 16), offered);
        assert_eq!(range(640, 480, 0), [(640, 480)]);
        let second = |rate| v4l::Fraction::new(1, rate);
        let range = frameinterval::Stepwise { min: second(30), max: second(20), step: second(1) };
        let range = std::iter::once(FrameIntervalEnum::Stepwise(range));
        assert_eq!(rates(range, CurrentMode::default()), [(30, 1), (25, 1)]);
    }

    #[test]
    fn a_format_that_onair_can_read_is_no_reason() {
        assert_eq!(unreadable(&[*b"ABCD", *b"Z16 "]), Fault::Format("ABCD, Z16".to_owned()));
        assert!(matches!(unreadable(&[*b"ABCD", *b"YUYV"]), Fault::Other(_)));
    }
}
