//! The virtual camera: the program as a camera that other programs use, such as a meeting in a
//! browser. A thread passes on the newest frame at the frame rate, while a program uses the camera.
//! `backend/virtual_node` offers the camera to PipeWire, and `backend/loopback` to a device of v4l2loopback, if there is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use parking_lot::Mutex;
use yuv::{BufferStoreMut, YuvPackedImageMut, YuvPlanarImage};

use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::capture::camera::backend::loopback::Loopback;
use crate::capture::camera::backend::virtual_node::Node;
use crate::media::{FrameRate, Planes, Size, VideoFrame};
use crate::text::Problem;

/// Time between attempts to offer the camera.
const RETRY_INTERVAL: Duration = Duration::from_secs(3);
/// The luma of the dark frame, which shows that the camera works.
const PLACEHOLDER_LUMA: u8 = 32;

/// The format of the virtual camera.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct VirtualCameraFormat {
    pub size: Size,
    pub rate: FrameRate,
    /// True to exchange left and right, for programs that show the own camera like a mirror.
    pub mirrored: bool,
}

/// The state of the virtual camera.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum VirtualCameraState {
    #[default]
    Off,
    /// Other programs do not see the camera yet.
    Starting,
    /// No program uses the camera.
    Waiting,
    /// A program uses the camera.
    Used,
    /// The camera cannot be offered. onair repeats the attempt.
    Failed(Problem),
}

/// A running virtual camera. Dropping it removes the camera.
#[derive(Debug)]
pub struct VirtualCamera {
    state: Arc<Mutex<VirtualCameraState>>,
    format: VirtualCameraFormat,
    shows_preview: Arc<AtomicBool>,
    _worker: Worker,
}

impl VirtualCamera {
    /// Offers the frames of the program as a camera, or those of the preview if that is chosen.
    ///
    /// # Errors
    /// Fails if the system cannot start a thread.
    pub fn start(
        program: Latest<VideoFrame>,
        preview: Latest<VideoFrame>,
        format: VirtualCameraFormat,
        clock: Clock,
    ) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(VirtualCameraState::Starting));
        let shows_preview = Arc::new(AtomicBool::new(false));
        let feeder = Feeder {
            program,
            preview,
            shows_preview: Arc::clone(&shows_preview),
            format,
            clock,
            state: Arc::clone(&state),
            canvas: Canvas::new(format),
        };
        let worker = Worker::spawn("virtual-camera", move |stop| feeder.run(stop))?;
        Ok(Self { state, format, shows_preview, _worker: worker })
    }

    pub fn state(&self) -> VirtualCameraState {
        self.state.lock().clone()
    }

    /// Shows the frames of the preview instead of the program.
    pub fn show_preview(&self, preview: bool) {
        self.shows_preview.store(preview, Ordering::Relaxed);
    }

    pub fn format(&self) -> VirtualCameraFormat {
        self.format
    }
}

struct Feeder {
    program: Latest<VideoFrame>,
    preview: Latest<VideoFrame>,
    shows_preview: Arc<AtomicBool>,
    format: VirtualCameraFormat,
    clock: Clock,
    state: Arc<Mutex<VirtualCameraState>>,
    canvas: Canvas,
}

impl Feeder {
    fn run(mut self, stop: &Stop) {
        let (size, rate) = (self.format.size, self.format.rate);
        let mut node = Retried::new();
        let mut loopback = Retried::new();
        let mut next = self.clock.now();
        loop {
            let now = self.clock.now();
            node.open(now, || Node::open(size, rate));
            loopback.open(now, || Loopback::open(size));
            let node_used = match node.held.as_ref().map(Node::is_used) {
                Ok(Ok(used)) => used,
                Ok(Err(reason)) => {
                    node.lose(now, reason);
                    false
                }
                Err(_) => false,
            };
            // Nobody tells who reads the device.
            let used = node_used || loopback.held.is_ok();
            self.set(match &node.held {
                _ if used => VirtualCameraState::Used,
                Ok(_) => VirtualCameraState::Waiting,
                Err(reason) => VirtualCameraState::Failed(reason.clone()),
            });
            if used {
                let frames = match self.shows_preview.load(Ordering::Relaxed) {
                    true => &self.preview,
                    false => &self.program,
                };
                // A program without video has no frame.
                let frame = frames.get();
                let bytes = self.canvas.draw(frame.as_ref().map(VideoFrame::planes));
                if let (true, Ok(node)) = (node_used, &node.held) {
                    node.send(bytes);
                }
                if let Ok(Err(reason)) = loopback.held.as_mut().map(|it| it.send(bytes)) {
                    loopback.lose(now, reason);
                }
            }
            next = following(next, rate.period(), now);
            if stop.wait(next.since(now)) {
                return;
            }
        }
    }

    fn set(&self, state: VirtualCameraState) {
        let mut now = self.state.lock();
        if *now != state {
            *now = state;
        }
    }
}

/// One of the kinds of the camera. If it cannot be opened, or has ended, it is opened again, and the other kind goes on.
struct Retried<T> {
    /// The camera, or the reason why there is none.
    held: Result<T, Problem>,
    next_attempt: Timestamp,
}

impl<T> Retried<T> {
    fn new() -> Self {
        Self { held: Err(Problem::words("")), next_attempt: Timestamp::ZERO }
    }

    /// Opens the camera if there is none, and the last attempt or loss is long enough ago.
    fn open(&mut self, now: Timestamp, open: impl FnOnce() -> Result<T, Problem>) {
        if self.held.is_ok() || now < self.next_attempt {
            return;
        }
        self.held = open();
        if let Err(reason) = &self.held {
            tracing::debug!(%reason, "the virtual camera is not offered");
        }
        self.next_attempt = now + RETRY_INTERVAL;
    }

    fn lose(&mut self, now: Timestamp, reason: Problem) {
        tracing::debug!(%reason, "the virtual camera has ended");
        self.held = Err(reason);
        self.next_attempt = now + RETRY_INTERVAL;
    }
}

/// Returns the time of the next frame. After a stall, no frames are made up for.
fn following(last: Timestamp, period: Duration, now: Timestamp) -> Timestamp {
    let next = last + period;
    if next < now { now + period } else { next }
}

/// A frame of the camera in the making.
struct Canvas {
    format: VirtualCameraFormat,
    resizer: Resizer,
    /// The frame before it is packed.
    planes: Planes,
    /// The frame as YUYV, two bytes for each pixel.
    packed: Vec<u8>,
}

impl Canvas {
    fn new(format: VirtualCameraFormat) -> Self {
        let planes = Planes::black(format.size);
        let packed = vec![0; format.size.pixels() * 2];
        Self { format, resizer: Resizer::new(), planes, packed }
    }

    /// Returns a frame in the format of the camera: fitted into its size, or the placeholder.
    fn draw(&mut self, frame: Option<&Planes>) -> &[u8] {
        let size = self.format.size;
        let canvas = &mut self.planes;
        let luma = if frame.is_some() { 16 } else { PLACEHOLDER_LUMA };
        canvas.y.fill(luma);
        canvas.u.fill(128);
        canvas.v.fill(128);
        if let Some(frame) = frame {
            let (width, height) = fitted(frame.size(), size);
            let (left, top) = ((size.width - width) / 4 * 2, (size.height - height) / 4 * 2);
            let shape = |part: u32| (width / part, height / part, left / part, top / part);
            let Size { width: own_width, height: own_height } = frame.size();
            for (from, to, part) in [
                (&frame.y, &mut canvas.y, 1),
                (&frame.u, &mut canvas.u, 2),
                (&frame.v, &mut canvas.v, 2),
            ] {
                let own = (own_width / part, own_height / part);
                place(&mut self.resizer, (from, own), (to, size.width / part), shape(part));
            }
            if self.format.mirrored {
                let width = size.width as usize;
                canvas.y.chunks_exact_mut(width).for_each(<[u8]>::reverse);
                canvas.u.chunks_exact_mut(width / 2).for_each(<[u8]>::reverse);
                canvas.v.chunks_exact_mut(width / 2).for_each(<[u8]>::reverse);
            }
        }
        let planar = YuvPlanarImage {
            y_plane: &canvas.y,
            y_stride: size.width,
            u_plane: &canvas.u,
            u_stride: size.width / 2,
            v_plane: &canvas.v,
            v_stride: size.width / 2,
            width: size.width,
            height: size.height,
        };
        let mut packed = YuvPackedImageMut {
            yuy: BufferStoreMut::Borrowed(&mut self.packed),
            yuy_stride: size.width * 2,
            width: size.width,
            height: size.height,
        };
        if let Err(error) = yuv::yuv420_to_yuyv422(&mut packed, &planar) {
            tracing::debug!(%error, "a frame of the virtual camera is lost");
        }
        &self.packed
    }
}

/// Returns the largest even size with the shape of `of` that fits into `into`.
fn fitted(of: Size, into: Size) -> (u32, u32) {
    let (width, height) = (u64::from(of.width), u64::from(of.height));
    let (most_width, most_height) = (u64::from(into.width), u64::from(into.height));
    let (width, height) = if width * most_height > most_width * height {
        (most_width, height * most_width / width.max(1))
    } else {
        (width * most_height / height.max(1), most_height)
    };
    let even = |side: u64, most: u32| (side as u32).clamp(2, most) & !1;
    (even(width, into.width), even(height, into.height))
}

/// Scales a plane into a part of another one, whose rows have `row` bytes.
fn place(
    resizer: &mut Resizer,
    (from, (own_width, own_height)): (&[u8], (u32, u32)),
    (to, row): (&mut [u8], u32),
    (width, height, left, top): (u32, u32, u32, u32),
) {
    let rows = to.chunks_exact_mut(row as usize).skip(top as usize).take(height as usize);
    let part = left as usize..(left + width) as usize;
    if (own_width, own_height) == (width, height) {
        for (to, from) in rows.zip(from.chunks_exact(own_width as usize)) {
            if let Some(to) = to.get_mut(part.clone()) {
                to.copy_from_slice(from);
            }
        }
        return;
    }
    let mut scaled = vec![0; (width * height) as usize];
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    let done = TypedImageRef::<U8>::from_buffer(own_width, own_height, from).and_then(|from| {
        let mut to = TypedImage::<U8>::from_buffer(width, height, &mut scaled)?;
        Ok(resizer.resize_typed(&from, &mut to, &options))
    });
    if !matches!(done, Ok(Ok(()))) {
        return;
    }
    for (to, from) in rows.zip(scaled.chunks_exact(width as usize)) {
        if let Some(to) = to.get_mut(part.clone()) {
            to.copy_from_slice(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canvas(size: Size, mirrored: bool) -> Canvas {
        Canvas::new(VirtualCameraFormat { size, rate: FrameRate::FPS_30, mirrored })
    }

    #[test]
    fn a_frame_is_fitted_and_mirrored() {
        let mut frame = Planes::black(Size::new(32, 16));
        for row in frame.y.chunks_exact_mut(32) {
            row[..16].fill(200);
        }
        let luma = |packed: &[u8], x: usize, y: usize| packed[(y * 32 + x) * 2];
        let mut same = canvas(Size::new(32, 16), false);
        let packed = same.draw(Some(&frame)).to_vec();
        assert_eq!((luma(&packed, 4, 8), luma(&packed, 28, 8), packed[1]), (200, 16, 128));
        let mut mirror = canvas(Size::new(32, 16), true);
        let packed = mirror.draw(Some(&frame)).to_vec();
        assert_eq!((luma(&packed, 4, 8), luma(&packed, 28, 8)), (16, 200));
        // A wide frame in a square one has black bars above and below.
        let mut square = canvas(Size::new(32, 32), false);
        let packed = square.draw(Some(&frame)).to_vec();
        assert_eq!([2, 16, 29].map(|y| luma(&packed, 4, y)), [16, 200, 16], "bars above and below");
        let packed = square.draw(None).to_vec();
        assert!(packed.chunks_exact(2).all(|it| it == [PLACEHOLDER_LUMA, 128]));
    }

    #[test]
    fn sizes_keep_their_shape() {
        let fit = |w, h, x, y| fitted(Size::new(w, h), Size::new(x, y));
        assert_eq!(fit(1_280, 720, 640, 360), (640, 360));
        assert_eq!(fit(1_080, 1_920, 640, 360), (202, 360));
        assert_eq!(fit(2, 4_000, 640, 360), (2, 360));
    }

    #[test]
    fn a_lost_kind_of_camera_is_opened_again_after_a_while() {
        let at = Timestamp::from_millis;
        let mut camera = Retried::new();
        camera.open(at(0), || Ok(1));
        camera.open(at(5), || panic!("it is open"));
        assert_eq!(camera.held.as_ref().ok(), Some(&1));
        camera.lose(at(10), Problem::words("unplugged"));
        camera.open(at(3_009), || panic!("too early"));
        camera.open(at(3_010), || Err(Problem::words("still away")));
        camera.open(at(6_009), || panic!("too early"));
        camera.open(at(6_010), || Ok(2));
        assert_eq!(camera.held.ok(), Some(2));
    }

    #[test]
    fn after_a_stall_no_frames_are_made_up_for() {
        let at = Timestamp::from_millis;
        let period = Duration::from_millis(40);
        assert_eq!(following(at(0), period, at(10)), at(40));
        assert_eq!(following(at(0), period, at(500)), at(540));
    }
}
