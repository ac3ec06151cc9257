//! The cameras of Windows, which nokhwa reads through Media Foundation.
//!
//! A call of Media Foundation can wait without a limit. So an open camera has a thread, which hands its frames over with
//! a time limit. A thread that does not come back is left behind. `controls` reaches the camera on a thread of its own.

mod controls;
mod media_foundation;

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::Bytes;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, CameraInfo, FrameFormat, RequestedFormat,
    RequestedFormatType, Resolution,
};
use parking_lot::Mutex;

use crate::base::queue::{self, Empty, Full};
use crate::base::{Stop, Worker};
use crate::capture::camera::backend::windows::media_foundation::{
    ANSWER_TIMEOUT, MAX_CAMERAS, fault, with_com,
};
use crate::capture::camera::control::CameraControl;
use crate::capture::camera::driver::{
    Camera, Driver, Fault, FoundCamera, Layout, OfferedCamera, RawFrame,
};
use crate::capture::camera::pixel_format::Pixel;
use crate::media::frame::{Matrix, Range};
use crate::media::{Color, Size};

/// Frames that wait for the reader. Older ones are useless.
const MAX_WAITING_FRAMES: usize = 2;
/// Maximum number of formats of a camera, because the lists of drivers have no end of their own.
const MAX_OFFERS: usize = 1_024;

/// The formats of cameras by their ids. A camera is asked once while it is connected, because to ask it means to open it.
static OFFERS: LazyLock<Mutex<HashMap<String, Vec<OfferedCamera>>>> = LazyLock::new(Mutex::default);

/// The camera system.
pub(super) struct MediaFoundation;

impl Driver for MediaFoundation {
    fn cameras(&self) -> Vec<FoundCamera> {
        on_own_thread("camera-list", list).unwrap_or_else(|fault| {
            tracing::debug!(detail = fault.detail(), "the cameras cannot be listed");
            Vec::new()
        })
    }

    fn open(&self, id: &str, offer: OfferedCamera) -> Result<Box<dyn Camera>, Fault> {
        let (ready, is_ready) = queue::bounded("camera-ready", 1, Full::DropOldest);
        let (send, frames) = queue::bounded("camera-frames", MAX_WAITING_FRAMES, Full::DropOldest);
        let id = id.to_owned();
        let worker = Worker::spawn("onair-camera-mf", move |stop| {
            with_com();
            let mut camera = match start(&id, offer) {
                Ok(camera) => camera,
                Err(fault) => {
                    let _ = ready.send(Err(fault));
                    return;
                }
            };
            if ready.send(Ok(())).is_ok() {
                read(&mut camera, stop, &send);
            }
        });
        let worker = worker.map_err(|error| Fault::Other(error.to_string()))?;
        match is_ready.recv_timeout(ANSWER_TIMEOUT) {
            Ok(result) => result?,
            Err(_) => return Err(Fault::Other("the camera does not start".to_owned())),
        }
        let layout = Layout { stride: 0, color: color(offer) };
        Ok(Box::new(Open { frames, last: Bytes::new(), layout, _worker: worker }))
    }

    fn controls(&self, id: &str) -> Result<Vec<CameraControl>, Fault> {
        controls::ask(id, None)
    }

    fn set_control(&self, id: &str, name: &str, value: Option<i64>) -> Result<(), Fault> {
        controls::ask(id, Some((name, value))).map(|_| ())
    }
}

/// Runs calls of Media Foundation, and waits for their result for a limited time.
fn on_own_thread<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let (send, answer) = queue::bounded(name, 1, Full::DropOldest);
    let _worker = Worker::spawn("onair-camera-ask", move |_| {
        with_com();
        let _ = send.send(work());
    })
    .map_err(|error| Fault::Other(error.to_string()))?;
    match answer.recv_timeout(ANSWER_TIMEOUT) {
        Ok(result) => result,
        Err(_) => Err(Fault::Other("the cameras do not answer".to_owned())),
    }
}

fn infos() -> Result<Vec<CameraInfo>, Fault> {
    let mut infos =
        nokhwa::query(ApiBackend::MediaFoundation).map_err(|error| fault(&error.to_string()))?;
    infos.truncate(MAX_CAMERAS);
    Ok(infos)
}

fn list() -> Result<Vec<FoundCamera>, Fault> {
    let found: Vec<FoundCamera> = infos()?.iter().map(about).collect();
    OFFERS.lock().retain(|id, _| found.iter().any(|camera| camera.id == *id));
    Ok(found)
}

/// The id of a camera is its symbolic link, which contains the USB port and the maker's numbers.
fn about(info: &CameraInfo) -> FoundCamera {
    let (id, name) = (info.misc(), info.human_name());
    let known = OFFERS.lock().get(&id).cloned();
    let (offers, fault) = match known.map_or_else(|| ask(info), Ok) {
        Ok(offers) if offers.is_empty() => {
            (offers, Some(Fault::Format("no format that onair can read".to_owned())))
        }
        Ok(offers) => {
            OFFERS.lock().insert(id.clone(), offers.clone());
            (offers, None)
        }
        Err(fault) => (Vec::new(), Some(fault)),
    };
    FoundCamera { id_there: id.clone(), id, name, offers, fault }
}

fn ask(info: &CameraInfo) -> Result<Vec<OfferedCamera>, Fault> {
    let mut camera = device(info.index().clone(), RequestedFormatType::None)?;
    let formats = camera.compatible_camera_formats().map_err(|error| fault(&error.to_string()))?;
    Ok(formats.iter().filter_map(offer_of).take(MAX_OFFERS).collect())
}

fn device(index: CameraIndex, format: RequestedFormatType) -> Result<nokhwa::Camera, Fault> {
    const READABLE: [FrameFormat; 4] =
        [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::MJPEG, FrameFormat::GRAY];
    let request = RequestedFormat::with_formats(format, &READABLE);
    nokhwa::Camera::with_backend(index, request, ApiBackend::MediaFoundation)
        .map_err(|error| fault(&error.to_string()))
}

/// Returns `None` for RGB, whose rows can be upside down in Media Foundation.
fn pixel_of(format: FrameFormat) -> Option<Pixel> {
    match format {
        FrameFormat::YUYV => Some(Pixel::Yuyv),
        FrameFormat::NV12 => Some(Pixel::Nv12),
        FrameFormat::MJPEG => Some(Pixel::Mjpeg),
        FrameFormat::GRAY => Some(Pixel::Grey),
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => None,
    }
}

fn format_of(pixel: Pixel) -> Option<FrameFormat> {
    let all = [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::MJPEG, FrameFormat::GRAY];
    all.into_iter().find(|format| pixel_of(*format) == Some(pixel))
}

fn offer_of(format: &CameraFormat) -> Option<OfferedCamera> {
    let size = Size::new(format.width(), format.height());
    Some(OfferedCamera { size, rate: (format.frame_rate(), 1), pixel: pixel_of(format.format())? })
}

/// Returns the usual colors of a camera: nokhwa does not report those of the driver.
fn color(offer: OfferedCamera) -> Color {
    if offer.pixel == Pixel::Mjpeg {
        return Color::JPEG;
    }
    let matrix = if offer.size.height >= 720 { Matrix::Bt709 } else { Matrix::Bt601 };
    Color { matrix, range: Range::Limited }
}

fn start(id: &str, offer: OfferedCamera) -> Result<nokhwa::Camera, Fault> {
    let info = infos()?.into_iter().find(|info| info.misc() == id);
    let info = info.ok_or_else(|| Fault::Absent(format!("no camera {id}")))?;
    let format =
        format_of(offer.pixel).ok_or_else(|| Fault::Format(offer.pixel.name().to_owned()))?;
    let resolution = Resolution::new(offer.size.width, offer.size.height);
    let format = CameraFormat::new(resolution, format, offer.rate.0 / offer.rate.1.max(1));
    let mut camera = device(info.index().clone(), RequestedFormatType::Exact(format))?;
    if camera.camera_format() != format {
        return Err(Fault::OtherFormat(format!("{} instead", camera.camera_format())));
    }
    camera.open_stream().map_err(|error| fault(&error.to_string()))?;
    Ok(camera)
}

/// A frame, and the time at which it arrived.
type Arrived = Result<(Bytes, Instant), Fault>;

fn read(camera: &mut nokhwa::Camera, stop: &Stop, send: &queue::Sender<Arrived>) {
    while !stop.is_set() {
        let frame = camera.frame().map_err(|error| fault(&error.to_string()));
        let is_over = frame.is_err();
        let arrived = frame.map(|frame| (frame.buffer_bytes(), Instant::now()));
        if send.send(arrived).is_err() || is_over {
            break;
        }
    }
    let _ = camera.stop_stream();
}

struct Open {
    frames: queue::Receiver<Arrived>,
    last: Bytes,
    layout: Layout,
    /// Ends when this value is dropped, or is left behind if the camera does not answer.
    _worker: Worker,
}

impl Camera for Open {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        match self.frames.recv_timeout(limit) {
            Ok(arrived) => {
                let (data, at) = arrived?;
                self.last = data;
                Ok(Some(RawFrame::new(&self.last, at.elapsed(), self.layout)))
            }
            Err(Empty::Waiting) => Ok(None),
            Err(Empty::Closed) => Err(Fault::Absent("the camera's thread has ended".to_owned())),
        }
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        // `frame` always has a limit.
        Box::new(|| {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_without_cameras_has_an_empty_list() {
        assert!(MediaFoundation.cameras().iter().all(|camera| !camera.id.is_empty()));
        let size = Size::new(640, 480);
        let offer = OfferedCamera { size, rate: (30, 1), pixel: Pixel::Yuyv };
        assert!(MediaFoundation.open("none such", offer).is_err());
    }

    #[test]
    fn formats_are_read_back_as_written() {
        for pixel in [Pixel::Yuyv, Pixel::Nv12, Pixel::Mjpeg, Pixel::Grey] {
            let format = format_of(pixel).unwrap();
            let format = CameraFormat::new(Resolution::new(1280, 720), format, 30);
            let offer = offer_of(&format).unwrap();
            assert_eq!(
                (offer.pixel, offer.size, offer.rate),
                (pixel, Size::new(1280, 720), (30, 1))
            );
        }
    }
}
