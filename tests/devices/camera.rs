//! Tests of cameras. `tests/rigs/camera.sh` starts `inside_camera` in a machine that has cameras.

use std::fs::File;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use onair::base::queue::Receiver;
use onair::base::{Clock, Latest, Stop, Timestamp};
use onair::capture::{self, CameraChoice, Mode, VideoChoice};
use onair::compose::{self, Compositor};
use onair::media::source_status::{SourceFormat, SourceReport, SourceState, SourceStatus};
use onair::media::{Size, VideoFrame};

use super::{LIMIT, Program, await_state, grid};

/// A camera whose frames are composited.
struct Shown {
    id: String,
    status: Arc<SourceStatus>,
    changes: Receiver<SourceReport>,
    preview: Latest<VideoFrame>,
    compositor: Compositor,
}

impl Shown {
    fn open(id: &str) -> Self {
        Self::open_as(CameraChoice::of(id))
    }

    fn open_as(choice: CameraChoice) -> Self {
        eprintln!("  camera{choice}:");
        let id = choice.id.clone().unwrap();
        let clock = Clock::start();
        let size = Size::new(640, 360);
        let context = capture::Context { clock, grid: grid(), size };
        let source = capture::open(&VideoChoice::Camera(choice), &context).unwrap();
        let changes = source.status.changes().unwrap();
        let preview = Latest::default();
        let config = compose::Config { size, grid: grid(), clock };
        let compositor = Compositor::spawn(config, preview.clone()).unwrap();
        compositor.set_feed(Some(source.feed));
        Self { id, status: source.status, changes, preview, compositor }
    }

    fn await_state(&self, state: SourceState) -> SourceReport {
        let clock = Clock::start();
        let report = await_state(&self.changes, state);
        assert_eq!(report.id, self.id);
        eprintln!("    after {:?}", clock.now());
        report
    }

    /// Waits until the middle of the left half of the program has this color, and returns how long
    /// that took.
    fn await_color(&self, (y, u, v): (u8, u8, u8)) -> Duration {
        let clock = Clock::start();
        let mut seen = (0, 0, 0);
        while clock.now() < Timestamp::ZERO + LIMIT {
            if let Some(frame) = self.preview.get() {
                let planes = frame.planes();
                let chroma = 320 * 90 + 80;
                seen = (planes.y[640 * 180 + 160], planes.u[chroma], planes.v[chroma]);
                let near = |a: u8, b: u8| a.abs_diff(b) <= 3;
                if near(seen.0, y) && near(seen.1, u) && near(seen.2, v) {
                    return clock.now().since(Timestamp::ZERO);
                }
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("the picture is {seen:?}, not {:?}: {:?}", (y, u, v), self.status.report());
    }

    /// Returns the number of new frames per second.
    fn rate(&self) -> f64 {
        let count = || {
            let figures = self.compositor.figures();
            figures.captured - figures.repeated - figures.placeholders
        };
        let (clock, before) = (Clock::start(), count());
        Stop::new().wait(Duration::from_secs(3));
        let rate = (count() - before) as f64 / clock.now().since(Timestamp::ZERO).as_secs_f64();
        eprintln!("    {rate:.1} new pictures a second, {:?}", self.status.report().format);
        rate
    }

    /// Waits for a placeholder, and returns how long that took.
    fn await_placeholder(&self) -> Duration {
        let (clock, before) = (Clock::start(), self.compositor.figures().placeholders);
        while self.compositor.figures().placeholders == before {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "no slate");
            Stop::new().wait(Duration::from_millis(5));
        }
        clock.now().since(Timestamp::ZERO)
    }

    /// Fails if the camera opens within this time.
    fn stays_down(&self, time: Duration) {
        let clock = Clock::start();
        while clock.now() < Timestamp::ZERO + time {
            if let Ok(report) = self.changes.recv_timeout(Duration::from_millis(100)) {
                eprintln!("    {:?}: {:?} {}", clock.now(), report.state, report.detail);
                assert_ne!(report.state, SourceState::Open);
            }
        }
    }

    fn close(self) {
        self.compositor.join(Duration::from_secs(30)).unwrap();
    }
}

pub fn await_camera(id: &str) -> capture::CameraInfo {
    let clock = Clock::start();
    loop {
        if let Some(camera) = capture::cameras().into_iter().find(|camera| camera.id == id) {
            return camera;
        }
        assert!(clock.now() < Timestamp::ZERO + LIMIT, "no {id}: {:?}", capture::cameras());
        Stop::new().wait(Duration::from_millis(100));
    }
}

/// Red in the program. Webcams (limited range) and JPEGs (full range) must both arrive as this
/// color.
const RED: (u8, u8, u8) = (63, 102, 240);
const BLUE: (u8, u8, u8) = (32, 240, 118);
/// Red for pixel formats that have only luma, for which the driver uses the weights of BT.709.
const RED_GREY: (u8, u8, u8) = (54, 128, 128);

/// Runs inside a virtual machine with test cameras: `tests/rigs/camera.sh`.
#[test]
#[ignore = "tests/rigs/camera.sh runs it inside a machine that has test cameras"]
fn inside_camera() {
    let cameras = capture::cameras();
    for camera in &cameras {
        eprintln!("  {} '{}' {} formats", camera.id, camera.name, camera.formats.len());
    }
    assert_eq!(cameras.len(), 3, "loopback cameras that nobody feeds are none");
    assert_ne!(cameras[0].id, cameras[1].id);
    raw_and_unplugged(&cameras[0].id);
    busy(&cameras[1].id);
    packed_and_stalled();
    fractional(&cameras[1].id);
    set(&cameras[1].id);
    let (one, several) = (kinds(&cameras[1]), kinds(&cameras[2]));
    for kind in
        ["SBGGR8", "SGBRG8", "SGRBG10", "SRGGB12", "SBGGR16", "Y10", "Y16", "XBGR32", "RGB32"]
    {
        assert!(one.contains(&kind), "{kind}");
    }
    for kind in ["NV12M", "NV21M", "NV16M", "NV61M", "YUV420M", "YVU420M", "YUV422M", "YUV444M"] {
        assert!(several.contains(&kind) && !one.contains(&kind), "{kind}");
    }
    assert!(several.contains(&"YUYV") && several.contains(&"SBGGR8"), "{several:?}");
    every_kind("/dev/video1", &cameras[1].id, &one);
    every_kind("/dev/video2", &cameras[2].id, &several);
    of_several_memories(&cameras[2].id);
}

const SMALL: Size = Size::new(640, 360);

/// Returns the supported pixel formats that a camera has.
fn kinds(camera: &capture::CameraInfo) -> Vec<&'static str> {
    let formats = camera.formats.iter().filter(|format| format.size == SMALL);
    let mut kinds: Vec<&str> = formats.map(|format| format.pixel).collect();
    kinds.dedup();
    kinds
}

/// Tests that every pixel format of the kernel's test camera has the right color.
fn every_kind(device: &str, id: &str, kinds: &[&'static str]) {
    for control in ["test_pattern=7", "osd_text_mode=2", "brightness=128"] {
        tell("v4l2-ctl", &["-d", device, "-c", control]);
    }
    let clock = Clock::start();
    for &pixel in kinds {
        let mode = Mode { size: Some(SMALL), rate: None, pixel: Some(pixel) };
        let shown = Shown::open_as(CameraChoice { id: Some(id.to_owned()), mode });
        shown.await_state(SourceState::Open);
        let grey = pixel == "GREY" || pixel.starts_with("Y1");
        shown.await_color(if grey { RED_GREY } else { RED });
        assert_eq!(shown.status.report().alarm, None, "{pixel}: it was another one");
        shown.close();
    }
    eprintln!("  {} kinds in {:?}", kinds.len(), clock.now());
}

/// Tests that a camera with separate memory for each plane works like any other: onair reopens it
/// after a disconnect, and does not share it.
fn of_several_memories(id: &str) {
    let other = Program::start("v4l2-ctl -d /dev/video2 --stream-mmap --stream-count=100000");
    Stop::new().wait(Duration::from_secs(1));
    let shown = Shown::open(id);
    let failed = shown.await_state(SourceState::Failed);
    assert_eq!(failed.reason.id(), "device-busy", "{}", failed.reason);
    drop(other);
    shown.await_state(SourceState::Open);
    shown.await_color(RED);
    assert!(shown.rate() > 10.0);
    tell("camera-unplug", &["0"]);
    let lost = shown.await_state(SourceState::Lost);
    assert_eq!(lost.reason.id(), "device-gone", "{}", lost.reason);
    eprintln!("    slate after {:?}", shown.await_placeholder());
    tell("camera-plug", &["0"]);
    shown.await_state(SourceState::Open);
    shown.close();
}

/// Tests that onair sets driver controls while it captures, and resets those that are no longer
/// set.
fn set(id: &str) {
    let clock = Clock::start();
    let value = |name: &str| {
        capture::controls(id).into_iter().find(|it| it.name == name).map(|it| it.value)
    };
    let settles = |name: &str, want: i64| {
        while value(name) != Some(want) {
            assert!(clock.now() < Timestamp::ZERO + LIMIT, "{name} is {:?}", value(name));
            Stop::new().wait(Duration::from_millis(20));
        }
    };
    let board = capture::CameraControls::default();
    let wanted = [("brightness".to_owned(), 200), ("contrast".to_owned(), 9_999)].into();
    board.want(&[(id.to_owned(), wanted)].into());
    let dials = capture::LiveProperties::default();
    dials.controls.set(board.clone());
    let context = capture::Context { clock, grid: grid(), size: Size::new(640, 360) };
    let choice = VideoChoice::Camera(CameraChoice::of(id));
    let _source = capture::open_by(&choice, &dials, &context).unwrap();
    settles("brightness", 200);
    settles("contrast", 255);
    board.want(&Default::default());
    settles("brightness", 128);
    settles("contrast", 128);
}

fn raw_and_unplugged(id: &str) {
    for control in ["test_pattern=7", "osd_text_mode=2", "brightness=128"] {
        tell("v4l2-ctl", &["-d", "/dev/video0", "-c", control]);
    }
    let shown = Shown::open(id);
    shown.await_state(SourceState::Open);
    shown.await_color(RED);
    assert!(shown.rate() > 10.0);
    for _ in 0..2 {
        tell("camera-unplug", &["0"]);
        let lost = shown.await_state(SourceState::Lost);
        assert_eq!(lost.reason.id(), "device-gone", "{}", lost.reason);
        eprintln!("    slate after {:?}", shown.await_placeholder());
        tell("camera-plug", &["0"]);
        shown.await_state(SourceState::Open);
    }
    shown.close();
}

fn busy(id: &str) {
    let other = Program::start("v4l2-ctl -d /dev/video1 --stream-mmap --stream-count=100000");
    Stop::new().wait(Duration::from_secs(1));
    let shown = Shown::open(id);
    let failed = shown.await_state(SourceState::Failed);
    assert_eq!(failed.reason.id(), "device-busy", "{}", failed.reason);
    drop(other);
    shown.await_state(SourceState::Open);
    // A second source of onair opens the camera, which the first one has in use.
    let clock = Clock::start();
    let context = capture::Context { clock, grid: grid(), size: Size::new(640, 360) };
    let choice = VideoChoice::Camera(CameraChoice::of(id));
    let again = capture::open(&choice, &context).unwrap();
    let changes = again.status.changes().unwrap();
    let failed = await_state(&changes, SourceState::Failed);
    assert_eq!(failed.reason.id(), "device-open-twice", "{}", failed.reason);
    // The second source gets the camera as soon as the first one is closed.
    shown.close();
    await_state(&changes, SourceState::Open);
}

fn packed_and_stalled() {
    // A loopback camera that no process has open cannot be fed again.
    let held = File::open("/dev/video20").unwrap();
    let feeder = Program::feed("/dev/video20", "red");
    let camera = await_camera("virtual-video20");
    // A loopback camera that is opened immediately after its feeder started may deliver nothing.
    Stop::new().wait(Duration::from_millis(1_500));
    eprintln!("  {camera:?}");
    let shown = Shown::open(&camera.id);
    shown.await_state(SourceState::Open);
    shown.await_color(RED);
    assert!(shown.rate() > 10.0);

    // The feeder hangs, and later continues.
    feeder.signal("-STOP");
    let stalled = shown.await_state(SourceState::Stalled);
    assert_eq!(stalled.reason.id(), "device-no-frames", "{}", stalled.reason);
    eprintln!("    slate after {:?}", shown.await_placeholder());
    shown.stays_down(Duration::from_secs(12));
    feeder.signal("-CONT");
    shown.await_state(SourceState::Open);
    shown.await_color(RED);

    // The feeder ends, and another one starts.
    drop(feeder);
    let clock = Clock::start();
    while shown.status.state() == SourceState::Open {
        assert!(clock.now() < Timestamp::ZERO + LIMIT);
        Stop::new().wait(Duration::from_millis(5));
    }
    eprintln!("    ended: {:?}", shown.status.report());
    shown.await_placeholder();
    shown.stays_down(Duration::from_secs(12));
    let feeder = Program::feed("/dev/video20", "blue");
    shown.await_state(SourceState::Open);
    shown.await_color(BLUE);
    shown.close();
    drop((feeder, held));
}

/// Tests cameras whose frame rate is not a whole number.
fn fractional(id: &str) {
    let format = "width=640,height=360,pixelformat=YUYV";
    tell("v4l2-ctl", &["-d", "/dev/video1", "-v", format, "--set-parm", "12.5"]);
    let shown = Shown::open(id);
    shown.await_state(SourceState::Open);
    shown.close();
    let feeder = Program::feed("/dev/video21", "red");
    let camera = await_camera("virtual-video21");
    Stop::new().wait(Duration::from_millis(1_500));
    tell("v4l2-ctl", &["-d", "/dev/video21", "--set-parm", "29.97"]);
    let shown = Shown::open(&camera.id);
    let open = shown.await_state(SourceState::Open);
    assert_eq!(open.format, SourceFormat::Video { size: Size::new(640, 360), fps: 29.97 });
    shown.await_color(RED);
    shown.close();
    drop(feeder);
}

impl Program {
    /// Feeds a camera with one color as motion JPEG, 30 frames per second.
    pub fn feed(device: &str, color: &str) -> Self {
        Self::start(&format!(
            "ffmpeg -v error -re -f lavfi -i color=c={color}:s=640x360:r=30 -c:v mjpeg -f v4l2 \
             {device}"
        ))
    }

    pub fn signal(&self, name: &str) {
        tell("kill", &[name, &self.0.id().to_string()]);
    }
}

pub fn tell(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).status().unwrap();
    assert!(status.success(), "{program} {arguments:?}");
}
