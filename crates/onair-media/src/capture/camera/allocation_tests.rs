//! Allocation tests for a camera frame, from the driver's buffer to the compositor.

use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use super::*;
use crate::capture::camera::backend::allocations;
use crate::capture::camera::driver::{Layout, PlaneBytes, RawFrame};
use crate::capture::camera::pixel_format::PixelLayout;
use crate::media::{Color, Size};

/// Number of frames that fill the pool.
const WARM_UP_FRAMES: usize = 12;
/// Number of measured frames.
const MEASURED_FRAMES: usize = 20;

/// A camera that returns the same frame for a while, and reports the allocations of its reader's
/// thread.
struct Still {
    data: Vec<u8>,
    given: usize,
    /// The newest frames, as the compositor holds them.
    held: Vec<VideoFrame>,
    latest: Latest<VideoFrame>,
    counts: Arc<Mutex<Vec<u64>>>,
    stop: Stop,
}

impl Camera for Still {
    fn frame(&mut self, _: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        if let Some(frame) = self.latest.get() {
            self.held.remove(0);
            self.held.push(frame);
        }
        self.counts.lock().push(allocations::so_far());
        self.given += 1;
        if self.given == WARM_UP_FRAMES + MEASURED_FRAMES {
            self.stop.set();
        }
        let layout = Layout { stride: 0, color: Color::WEBCAM };
        // Separate memory for each plane.
        let more = [PlaneBytes { data: &self.data, stride: 0 }; 2];
        Ok(Some(RawFrame { more, ..RawFrame::new(&self.data, Duration::ZERO, layout) }))
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        Box::new(|| {})
    }
}

/// Measures the maximum number of bytes that are allocated for a frame.
fn each(pixel: Pixel, size: Size, data: Vec<u8>) -> u64 {
    let counts = Arc::new(Mutex::new(Vec::with_capacity(WARM_UP_FRAMES + MEASURED_FRAMES)));
    let latest = Latest::default();
    let stop = Stop::new();
    let planes = Arc::new(crate::base::Pooled::unpooled(Planes::black(size)));
    let black = VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() };
    let mut camera = Still {
        data,
        given: 0,
        held: vec![black; 3],
        latest: latest.clone(),
        counts: Arc::clone(&counts),
        stop: stop.clone(),
    };
    let inner = Inner {
        driver: Arc::new(crate::capture::camera::backend::fake::FakeCameras::default()),
        id: "cam".to_owned(),
        offer: OfferedCamera { size, rate: (30, 1), pixel },
        unpacker: FrameDecoder::default(),
        clock: Clock::start(),
        latest,
        session: Arc::default(),
    };
    inner.read(&mut camera, &stop).unwrap();
    let frames = inner.session.frames.load(Ordering::Relaxed);
    assert!(
        frames as usize >= WARM_UP_FRAMES + MEASURED_FRAMES - 2,
        "{pixel:?}: {frames} pictures were read"
    );
    let counts = counts.lock();
    counts[WARM_UP_FRAMES..].windows(2).map(|pair| pair[1] - pair[0]).max().unwrap()
}

fn jpeg(size: Size) -> Vec<u8> {
    let mut made = Vec::new();
    let pixels: Vec<u8> = (0..size.pixels() * 3).map(|at| (at / 7 % 251) as u8).collect();
    let mut encoder = JpegEncoder::new_with_quality(&mut made, 80);
    encoder.encode(&pixels, size.width, size.height, ExtendedColorType::Rgb8).unwrap();
    made
}

const SMALL_SIZE: Size = Size::new(160, 120);
const LARGE_SIZE: Size = Size::new(640, 480);

#[test]
fn a_raw_frame_allocates_nothing_once_warm() {
    let room = SMALL_SIZE.pixels() * 4;
    let raw = |pixel: &&Pixel| !matches!(pixel.form(), PixelLayout::Jpeg | PixelLayout::H264);
    for pixel in Pixel::ALL.iter().filter(raw) {
        assert_eq!(each(*pixel, SMALL_SIZE, vec![77; room]), 0, "{pixel:?}");
    }
}

/// Checks the library's decoder, which is created for each frame. The decoder allocates some tables
/// and a few rows of each plane, but never a whole frame.
#[test]
fn a_jpeg_allocates_its_decoders_tables_and_a_few_rows() {
    const JPEG_422: &[u8] = include_bytes!("../../../../../tests/data/jpeg/red-blue-422.jpg");
    for (size, data) in [
        (SMALL_SIZE, jpeg(SMALL_SIZE)),
        (LARGE_SIZE, jpeg(LARGE_SIZE)),
        // Chroma of half the width, as in webcams.
        (Size::new(32, 16), JPEG_422.to_vec()),
    ] {
        let (mut turner, mut planes) = (PixelConverter::default(), Planes::black(size));
        let mut turn = || {
            let layout = Layout { stride: 0, color: Color::WEBCAM };
            let raw = RawFrame::new(&data, Duration::ZERO, layout);
            turner.turn(Pixel::Mjpeg, size, raw, &mut planes).unwrap();
        };
        turn();
        let ((), once) = allocations::counted(turn);
        assert!(once.count <= 24 && once.peak <= 64 << 10, "{size}: {once:?}");
        assert_eq!(each(Pixel::Mjpeg, size, data), once.count, "and nothing beside the decoder");
    }
}
