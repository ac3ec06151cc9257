//! The camera: a thread that finds it, opens it on another thread, watches that and takes the
//! camera back when it returns; and the feed that shows its newest frame.
//!
//! Drivers can hang in any call. All of them are made on the inner thread, which is woken, left to
//! itself and replaced when it gives nothing; it is never waited for. (It is long because the tests of its watchdog,
//! with made-up cameras, stand beside it.)

#[cfg(test)]
mod allocation_tests;
pub(in crate::capture) mod backend;
pub mod control;
pub(in crate::capture) mod convert;
pub(in crate::capture) mod driver;
pub(in crate::capture) mod mode;
pub(in crate::capture) mod pixel_format;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::capture::camera::control::{CameraControls, Span, WantedControls};
use crate::capture::camera::convert::PixelConverter;
use crate::capture::camera::driver::{Camera, Driver, Fault, FoundCamera, OfferedCamera};
use crate::capture::camera::mode::{CameraChoice, Mode};
use crate::capture::camera::pixel_format::Pixel;
use crate::capture::source::{Context, Error, Source};
use crate::media::feed::FrameDecoder;
use crate::media::source_status::{
    SourceAlarm, SourceFormat, SourceReport, SourceState, SourceStatus,
};
use crate::media::{Planes, VideoFeed, VideoFrame};
use crate::text::problem::{Value, problem};

/// What a camera is called as long as it has not said its name.
const NAMELESS: &str = "Camera";
/// How often the inner thread is looked after.
const WATCH: Duration = Duration::from_millis(100);
/// How often an absent camera is looked for.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// A camera that has given nothing for so long has stalled; its frame is no longer shown.
const STALL: Duration = Duration::from_secs(2);
/// A stalled camera is opened afresh after so long.
const GIVE_UP: Duration = Duration::from_secs(4);
/// How long the inner thread waits for a frame at a time.
const FRAME_TIMEOUT: Duration = Duration::from_millis(200);
/// Every so many looks at what is wanted it is looked at what a camera has: every two seconds.
const POLLS_PER_CONTROL_READ: u32 = 20;
/// Frames in a row that cannot be read before the format is called odd.
const MAX_BROKEN: u32 = 30;

/// A camera that onair itself has just closed, to be opened otherwise, may still be busy for so long.
const CLOSING: Duration = Duration::from_secs(3);

/// Opens a camera: by id, or the first there is.
pub(super) fn open(
    driver: Arc<dyn Driver>,
    choice: CameraChoice,
    (board, unpacker): (CameraControls, FrameDecoder),
    context: &Context,
) -> Result<Source, Error> {
    let status = SourceStatus::new(choice.id.clone().unwrap_or_default(), NAMELESS);
    let latest = Latest::default();
    let mut minder = CameraWatcher {
        driver,
        wanted: choice.id,
        mode: choice.mode,
        board,
        unpacker,
        context: *context,
        status: Arc::clone(&status),
        latest: latest.clone(),
        was_open: false,
    };
    let worker = Worker::spawn("camera", move |stop| minder.run(stop))?;
    let feed = Box::new(CameraFeed { latest, _worker: worker });
    Ok(Source { feed, status })
}

/// The compositor's end.
struct CameraFeed {
    latest: Latest<VideoFrame>,
    /// Ends the minder when the feed is dropped.
    _worker: Worker,
}

impl VideoFeed for CameraFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.latest.get().filter(|frame| at.since(frame.pts) < STALL)
    }
}

/// Looks after the camera.
struct CameraWatcher {
    driver: Arc<dyn Driver>,
    wanted: Option<String>,
    mode: Mode,
    board: CameraControls,
    /// Who decodes what comes as H.264; without it such formats are none.
    unpacker: FrameDecoder,
    context: Context,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
    was_open: bool,
}

/// What the inner thread tells.
#[derive(Default)]
struct Session {
    frames: AtomicU64,
    end: Mutex<Option<Fault>>,
    waker: Mutex<Option<Box<dyn Fn() + Send>>>,
}

impl Session {
    fn wake(&self) {
        if let Some(wake) = self.waker.lock().as_ref() {
            wake();
        }
    }
}

/// How a camera is opened.
#[derive(Copy, Clone)]
struct OfferedView {
    offer: OfferedCamera,
    /// It is what was chosen, or nothing was.
    as_wanted: bool,
}

/// How a session ended.
enum End {
    Stopped,
    Failed(Fault),
    Stalled,
}

impl CameraWatcher {
    fn run(&mut self, stop: &Stop) {
        let begun = self.context.clock.now();
        while !stop.is_set() {
            match self.find().and_then(|(found, sight)| self.session(&found, sight, stop)) {
                Ok(End::Stopped) => return,
                Ok(End::Failed(Fault::Ours(_))) | Err(Fault::Ours(_))
                    if self.context.clock.now().since(begun) < CLOSING =>
                {
                    stop.wait(WATCH);
                    continue;
                }
                // Tried again at once: opening afresh is the cure.
                Ok(End::Stalled) => {}
                Ok(End::Failed(fault)) | Err(fault) => self.report(&fault),
            }
            stop.wait(RETRY_INTERVAL);
        }
    }

    fn find(&mut self) -> Result<(FoundCamera, OfferedView), Fault> {
        let cameras = self.driver.cameras();
        let found = match &self.wanted {
            Some(id) => {
                FoundCamera::position(&cameras, id).and_then(|index| cameras.into_iter().nth(index))
            }
            // The one that was open is taken back before any other.
            None => {
                let before = self.status.report().id;
                let same =
                    if self.was_open { FoundCamera::position(&cameras, &before) } else { None };
                if self.was_open && same.is_none() {
                    return Err(Fault::Absent(format!("no camera {before}")));
                }
                let first = || cameras.iter().position(|camera| camera.fault.is_none());
                let chosen = same.or_else(first).unwrap_or(0);
                cameras.into_iter().nth(chosen)
            }
        };
        let found = found.ok_or_else(|| Fault::Absent("no such camera".to_owned()))?;
        self.status.update(|report| {
            report.id.clone_from(&found.id);
            report.name.clone_from(&found.name);
        });
        let Context { size, grid, .. } = self.context;
        if let Some(fault) = &found.fault {
            return Err(fault.clone());
        }
        let formats = found.offers.iter().map(OfferedCamera::format).collect();
        self.board.tell_formats(&found.id, formats);
        let read = |offer: &&OfferedCamera| offer.pixel != Pixel::H264 || self.unpacker.is_some();
        let offers: Vec<OfferedCamera> = found.offers.iter().filter(read).copied().collect();
        driver::choose(&offers, self.mode, size, grid.rate.as_f64())
            .map(|(offer, as_wanted)| (found, OfferedView { offer, as_wanted }))
            .ok_or_else(|| Fault::Format("no size and rate that fits".to_owned()))
    }

    /// Opens the camera on a thread of its own and watches until something ends it.
    fn session(
        &mut self,
        found: &FoundCamera,
        sight: OfferedView,
        stop: &Stop,
    ) -> Result<End, Fault> {
        let offer = sight.offer;
        tracing::debug!(camera = found.id, pixel = offer.pixel.name(), size = %offer.size, "opening");
        let session = Arc::new(Session::default());
        let reader = Inner {
            driver: Arc::clone(&self.driver),
            id: found.id.clone(),
            offer,
            unpacker: self.unpacker.clone(),
            clock: self.context.clock,
            latest: self.latest.clone(),
            session: Arc::clone(&session),
        };
        let worker = Worker::spawn("camera-io", move |stop| reader.run(stop))
            .map_err(|error| Fault::Other(error.to_string()))?;
        let its = Adjuster {
            driver: Arc::clone(&self.driver),
            id: found.id.clone(),
            board: self.board.clone(),
            session: Arc::clone(&session),
        };
        // A camera without it is as its driver has it.
        let adjuster = Worker::spawn("camera-set", move |stop| its.run(stop));
        let end = self.watch(found, sight, &session, stop);
        // Stopped, woken where it hangs, and not waited for.
        drop(adjuster);
        worker.stop();
        session.wake();
        drop(worker);
        Ok(end)
    }

    fn watch(
        &mut self,
        found: &FoundCamera,
        sight: OfferedView,
        session: &Session,
        stop: &Stop,
    ) -> End {
        let OfferedView { offer, as_wanted } = sight;
        let clock = self.context.clock;
        let (mut frames, mut alive) = (0, clock.now());
        loop {
            if stop.wait(WATCH) {
                return End::Stopped;
            }
            if let Some(fault) = session.end.lock().take() {
                return End::Failed(fault);
            }
            let seen = session.frames.load(Ordering::Relaxed);
            let silent = clock.now().since(alive);
            if seen != frames {
                (frames, alive) = (seen, clock.now());
                self.was_open = true;
                self.status.open(SourceFormat::Video { size: offer.shown(), fps: offer.fps() });
                // What is black or frozen is told before it.
                if !as_wanted && self.status.report().alarm.is_none() {
                    self.status.update(|report| report.alarm = Some(SourceAlarm::OtherFormat));
                }
            } else if silent > STALL {
                let reason = problem!("device-no-frames", device = &found.name);
                self.status.down(SourceState::Stalled, reason, "no picture for 2 s");
                if silent > GIVE_UP {
                    return End::Stalled;
                }
            }
        }
    }

    fn report(&self, fault: &Fault) {
        let SourceReport { id, name, .. } = self.status.report();
        let device = match (&self.wanted, name == NAMELESS) {
            (Some(id), true) => Value::from(problem!("device-camera", id = id)),
            _ => Value::from(name),
        };
        let state = if self.was_open && matches!(fault, Fault::Absent(_) | Fault::Other(_)) {
            SourceState::Lost
        } else {
            SourceState::Failed
        };
        let reason = match fault {
            Fault::Absent(_) if self.was_open => problem!("device-gone", device = device),
            Fault::Absent(_) if self.wanted.is_none() => problem!("device-no-camera"),
            Fault::Absent(_) => problem!("device-absent", device = device),
            Fault::Busy(_) => problem!("device-busy", device = device),
            Fault::Ours(_) => problem!("device-open-twice", device = device, id = id),
            Fault::Refused(_) => problem!("device-camera-forbidden", device = device),
            // One that stalled and cannot be opened again at once is still the same trouble.
            Fault::Format(_) | Fault::Other(_) if self.status.state() == SourceState::Stalled => {
                return;
            }
            Fault::Format(detail) => {
                problem!("device-camera-format", device = device, formats = detail)
            }
            Fault::Other(_) => problem!("device-broken", device = device),
        };
        self.status.down(state, reason, fault.detail());
    }
}

/// The thread that sets what a camera is to be set to, and looks what it has: a driver may hang in
/// these calls as in any other, and takes them beside the one who reads its frames.
struct Adjuster {
    driver: Arc<dyn Driver>,
    id: String,
    board: CameraControls,
    session: Arc<Session>,
}

impl Adjuster {
    fn run(self, stop: &Stop) {
        let mut done = WantedControls::new();
        let mut looked = 0_u32;
        while !stop.wait(WATCH) {
            // Some drivers begin each stream with what they are set to at first.
            if self.session.frames.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let (wanted, back) = (self.board.wanted(&self.id), self.board.take_back(&self.id));
            let changed = wanted != done || !back.is_empty();
            if changed {
                self.set(&done, &wanted, &back);
                done = wanted;
            }
            // What is automatic changes by itself.
            if changed || looked.is_multiple_of(POLLS_PER_CONTROL_READ) {
                match self.driver.controls(&self.id) {
                    Ok(controls) => self.board.tell(&self.id, controls),
                    Err(fault) => tracing::debug!(?fault, "the controls of a camera"),
                }
            }
            looked = looked.wrapping_add(1);
        }
        self.board.forget(&self.id);
    }

    fn set(&self, done: &WantedControls, wanted: &WantedControls, back: &[String]) {
        let controls = self.driver.controls(&self.id).unwrap_or_default();
        // Switches and menus first: they say whether a number may be set at all.
        let late = |name: &str| {
            let control = controls.iter().find(|control| control.name == name);
            control.is_none_or(|control| matches!(control.span, Span::Number { .. }))
        };
        let new = wanted.iter().filter(|(name, value)| done.get(*name) != Some(*value));
        let mut all: Vec<(&str, Option<i64>)> =
            new.map(|(name, value)| (name.as_str(), Some(*value))).collect();
        all.extend(back.iter().map(|name| (name.as_str(), None)));
        all.sort_by_key(|(name, _)| late(name));
        for (name, value) in all {
            if let Err(fault) = self.driver.set_control(&self.id, name, value) {
                tracing::warn!(camera = self.id, name, ?fault, "setting a camera's control");
            }
        }
    }
}

/// The inner thread.
struct Inner {
    driver: Arc<dyn Driver>,
    id: String,
    offer: OfferedCamera,
    unpacker: FrameDecoder,
    clock: Clock,
    latest: Latest<VideoFrame>,
    session: Arc<Session>,
}

impl Inner {
    fn run(self, stop: &Stop) {
        let opened = self.driver.open(&self.id, self.offer);
        let ended = opened.and_then(|mut camera| {
            *self.session.waker.lock() = Some(camera.waker());
            let ended = self.read(&mut *camera, stop);
            // The waker holds the camera's file open.
            *self.session.waker.lock() = None;
            ended
        });
        if let Err(fault) = ended {
            *self.session.end.lock() = Some(fault);
        }
    }

    fn read(&self, camera: &mut dyn Camera, stop: &Stop) -> Result<(), Fault> {
        let pool = Planes::pool(self.offer.shown(), 6);
        let mut turner = PixelConverter::default();
        let compressed = self.offer.pixel == Pixel::H264;
        let mut stream = self.unpacker.open().filter(|_| compressed);
        let mut broken = 0;
        let mut first = true;
        while !stop.is_set() {
            let Some(raw) = camera.frame(FRAME_TIMEOUT)? else { continue };
            // The first proves nothing: a driver may hand out what was left from before a stall.
            let first = std::mem::take(&mut first);
            if first && stream.is_none() {
                continue;
            }
            let pts = self.clock.now() - raw.age;
            let made = match &mut stream {
                Some(stream) => stream.unpack(raw.data).and_then(|frame| match frame {
                    Some(frame) if frame.size() != self.offer.shown() => Err(format!(
                        "a picture of {} instead of {}",
                        frame.size(),
                        self.offer.shown()
                    )),
                    frame => Ok(frame),
                }),
                None => {
                    let mut planes = pool.fresh();
                    let turned = turner.turn(self.offer.pixel, self.offer.size, raw, &mut planes);
                    // One that failed is used again as well.
                    let planes = planes.share();
                    turned.map(|color| Some(VideoFrame { pts, color, surface: planes.into() }))
                }
            };
            match made {
                Ok(None) => {}
                Ok(Some(frame)) => {
                    broken = 0;
                    // A thread that was given up on must not show what it wakes up with.
                    if !stop.is_set() && !first {
                        self.latest.publish(VideoFrame { pts, ..frame });
                        self.session.frames.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(fault) => {
                    // Single damaged frames are usual, at the start above all.
                    broken += 1;
                    if broken >= MAX_BROKEN {
                        return Err(Fault::Format(fault));
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::queue::Receiver;
    use crate::capture::camera::backend::fake::FakeCameras;
    use crate::capture::camera::control::CameraControl;
    use crate::media::feed::OpenDecoder;
    use crate::media::source_status::SourceReport;
    use crate::media::{FrameGrid, FrameRate, Size};

    const SIZE: Size = Size::new(4, 2);
    const FRAME: [u8; 12] = [77; 12];

    fn found(id: &str) -> FoundCamera {
        let offer = OfferedCamera { size: SIZE, rate: (30, 1), pixel: Pixel::Nv12 };
        let id_there = format!("{id}-at-1");
        FoundCamera {
            id: id.to_owned(),
            id_there,
            name: format!("The {id}"),
            offers: vec![offer],
            fault: None,
        }
    }

    fn open_fake(id: Option<&str>, bench: &FakeCameras) -> (Source, Receiver<SourceReport>, Clock) {
        open_as(id, Mode::default(), bench)
    }

    fn open_as(
        id: Option<&str>,
        mode: Mode,
        bench: &FakeCameras,
    ) -> (Source, Receiver<SourceReport>, Clock) {
        open_by(id, mode, bench, FrameDecoder::default())
    }

    fn open_by(
        id: Option<&str>,
        mode: Mode,
        bench: &FakeCameras,
        unpacker: FrameDecoder,
    ) -> (Source, Receiver<SourceReport>, Clock) {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock, grid, size: SIZE };
        let choice = CameraChoice { id: id.map(str::to_owned), mode };
        let source =
            open(Arc::new(bench.clone()), choice, (bench.board(), unpacker), &context).unwrap();
        let changes = source.status.changes().unwrap();
        (source, changes, clock)
    }

    /// The next report in this state, while the camera takes frames.
    fn await_state(
        bench: &FakeCameras,
        changes: &Receiver<SourceReport>,
        state: SourceState,
        data: &[u8],
    ) -> SourceReport {
        for _ in 0..6_000 {
            bench.shoot("cam", data);
            if let Ok(report) = changes.recv_timeout(Duration::from_millis(5))
                && report.state == state
            {
                return report;
            }
        }
        panic!("never {state:?}");
    }

    /// What it shows while it takes frames: an old one is none after the machine stood.
    fn await_frame(
        bench: &FakeCameras,
        source: &mut Source,
        clock: Clock,
        data: &[u8],
    ) -> VideoFrame {
        for _ in 0..6_000 {
            bench.shoot("cam", data);
            if let Some(frame) = source.feed.frame(clock.now()) {
                return frame;
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("no picture");
    }

    #[test]
    fn a_camera_that_is_unplugged_is_taken_back() {
        let bench = FakeCameras::default();
        bench.plug(found("cam"));
        bench.plug(found("other"));
        let (mut source, changes, clock) = open_fake(None, &bench);
        let open = await_state(&bench, &changes, SourceState::Open, &FRAME);
        assert_eq!((open.id.as_str(), open.name.as_str()), ("cam", "The cam"));
        assert_eq!(open.format, SourceFormat::Video { size: SIZE, fps: 30.0 });
        let picture = await_frame(&bench, &mut source, clock, &FRAME);
        assert!(picture.planes().y.iter().all(|&y| y == 77));
        assert!(picture.pts < clock.now());
        assert!(source.feed.frame(clock.now() + STALL).is_none(), "an old picture is none");
        bench.unplug("cam");
        let lost = await_state(&bench, &changes, SourceState::Lost, &FRAME);
        assert!(lost.reason.to_string().contains("The cam"), "{}", lost.reason);
        // The other camera is not taken in its place.
        bench.plug(found("cam"));
        assert_eq!(await_state(&bench, &changes, SourceState::Open, &FRAME).id, "cam");
    }

    #[test]
    fn of_an_odd_size_the_last_column_and_row_are_left_out() {
        let bench = FakeCameras::default();
        let offer = OfferedCamera { size: Size::new(5, 3), rate: (30, 1), pixel: Pixel::Y16Be };
        bench.plug(FoundCamera { offers: vec![offer], ..found("cam") });
        let mode = "5x3".parse().unwrap();
        let (mut source, changes, clock) = open_as(None, mode, &bench);
        let row = |bright: u8| [[bright, 9]; 4].concat().into_iter().chain([255, 255]);
        let picture: Vec<u8> = row(40).chain(row(80)).chain(row(255)).collect();
        let open = await_state(&bench, &changes, SourceState::Open, &picture);
        assert_eq!(open.format, SourceFormat::Video { size: Size::new(4, 2), fps: 30.0 });
        assert_eq!(open.alarm, None, "it is the one that was chosen");
        let frame = await_frame(&bench, &mut source, clock, &picture);
        assert_eq!(frame.size(), Size::new(4, 2));
        assert_eq!(frame.planes().y, [40, 40, 40, 40, 80, 80, 80, 80]);
    }

    /// Gives a frame as bright as the last byte says, of the size that the one before it says, once
    /// it has been told to begin.
    #[derive(Default)]
    struct Pretended(bool);

    impl OpenDecoder for Pretended {
        fn unpack(&mut self, data: &[u8]) -> Result<Option<VideoFrame>, String> {
            let &[kind, width, luma] = data else { return Err("no picture".to_owned()) };
            self.0 |= kind == b'I';
            let mut planes = Planes::black(Size::new(width.into(), 2));
            planes.y.fill(luma);
            let planes = Arc::new(crate::base::Pooled::unpooled(planes));
            let frame = VideoFrame {
                pts: Timestamp::ZERO,
                color: crate::media::Color::PROGRAM,
                surface: planes.into(),
            };
            Ok(Some(frame).filter(|_| self.0))
        }
    }

    #[test]
    fn what_comes_as_h264_is_decoded_by_who_can_from_its_first_picture_on() {
        let bench = FakeCameras::default();
        let h264 = OfferedCamera { size: SIZE, rate: (30, 1), pixel: Pixel::H264 };
        bench.plug(FoundCamera { offers: vec![h264], ..found("cam") });
        let unpacker = FrameDecoder::new(|| Box::new(Pretended::default()));
        let (mut source, changes, clock) = open_by(Some("cam"), Mode::default(), &bench, unpacker);
        // The first frame of a session is not shown, but those that follow hang together with it.
        while !bench.shoot("cam", b"I\x04\x50") {
            Stop::new().wait(Duration::from_millis(5));
        }
        let open = await_state(&bench, &changes, SourceState::Open, b"P\x04\x63");
        assert_eq!(open.format, SourceFormat::Video { size: SIZE, fps: 30.0 });
        let picture = await_frame(&bench, &mut source, clock, b"P\x04\x63");
        assert!(picture.planes().y.iter().all(|&y| y == 0x63));
        assert!(picture.pts > Timestamp::ZERO, "when it was taken");
        // Damage costs frames; frames of another size are none at all.
        let failed = await_state(&bench, &changes, SourceState::Failed, b"P\x08\x63");
        assert!(failed.detail.contains("8x2 instead of 4x2"), "{failed:?}");
        drop(source);

        // Nobody decodes: what else it has is taken, or that it has nothing is said.
        let (_source, changes, _) =
            open_by(Some("cam"), Mode::default(), &bench, FrameDecoder::default());
        let failed = await_state(&bench, &changes, SourceState::Failed, b"I\x04\x63");
        assert_eq!(failed.reason.id(), "device-camera-format", "{failed:?}");
        bench.unplug("cam");
        let nv12 = OfferedCamera { pixel: Pixel::Nv12, ..h264 };
        bench.plug(FoundCamera { offers: vec![h264, nv12], ..found("cam") });
        await_state(&bench, &changes, SourceState::Open, &FRAME);
    }

    #[test]
    fn a_camera_that_stalls_is_woken_and_opened_afresh() {
        let bench = FakeCameras::default();
        bench.plug(found("cam"));
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        await_state(&bench, &changes, SourceState::Open, &FRAME);
        let stalled = loop {
            // Nothing is taken now.
            let report = changes.recv_timeout(Duration::from_secs(30)).unwrap();
            if report.state == SourceState::Stalled {
                break report;
            }
        };
        assert!(!stalled.reason.is_empty());
        await_state(&bench, &changes, SourceState::Open, &FRAME);
        drop(bench);
    }

    fn control(name: &str, span: Span, value: i64) -> CameraControl {
        let (name, title) = (name.to_owned(), name.to_owned());
        CameraControl { name, title, span, default: 1, value, active: true }
    }

    #[test]
    fn a_camera_is_set_when_it_delivers_again_when_it_returns_and_back_to_its_defaults() {
        let bench = FakeCameras::default();
        let number = |most| Span::Number { least: 0, most, step: 1 };
        bench.equip(vec![
            control("absolute", number(100), 1),
            control("zoom_auto", Span::Switch, 1),
        ]);
        let set = |values: &[(&str, i64)]| -> BTreeMap<String, WantedControls> {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value));
            [("cam".to_owned(), values.collect())].into()
        };
        let board = bench.board();
        board.want(&set(&[("absolute", 400), ("zoom_auto", 0), ("unknown", 3)]));
        bench.plug(found("cam"));
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        // Until so much was set, while the camera takes frames.
        let taken = |count: usize| {
            let mut all = Vec::new();
            for _ in 0..6_000 {
                bench.shoot("cam", &FRAME);
                all.extend(bench.taken());
                if all.len() >= count {
                    return all;
                }
                Stop::new().wait(Duration::from_millis(5));
            }
            panic!("only {all:?}");
        };
        let named = |name: &str, value| (name.to_owned(), value);
        let mut first = taken(3);
        // What is automatic first: it decides whether the number may be set. The unknown one harms
        // nothing.
        assert_eq!(first.remove(0), named("zoom_auto", Some(0)));
        first.sort();
        assert_eq!(first, [named("absolute", Some(400)), named("unknown", Some(3))]);
        let value = |name: &str| {
            let listed = board.listed();
            let controls = listed.get("cam")?;
            controls.iter().find(|it| it.name == name).map(|it| it.value)
        };
        let settles = |name: &str, want: Option<i64>| {
            (0..6_000).any(|_| {
                bench.shoot("cam", &FRAME);
                Stop::new().wait(Duration::from_millis(5));
                value(name) == want
            })
        };
        assert!(
            settles("absolute", Some(100)),
            "the nearest that it takes: {:?}",
            value("absolute")
        );
        // One is drawn, another no longer wanted.
        board.want(&set(&[("absolute", 40), ("unknown", 3)]));
        let mut then = taken(2);
        then.sort();
        assert_eq!(then, [named("absolute", Some(40)), named("zoom_auto", None)]);
        assert!(settles("zoom_auto", Some(1)));
        // Unplugged and plugged in again it is as its driver begins, and set anew.
        bench.unplug("cam");
        await_state(&bench, &changes, SourceState::Lost, &FRAME);
        assert!(settles("absolute", None), "gone");
        bench.plug(found("cam"));
        assert!(taken(2).contains(&named("absolute", Some(40))));
    }

    #[test]
    fn a_chosen_format_is_taken_and_told_when_it_is_gone() {
        let bench = FakeCameras::default();
        let small = OfferedCamera { size: SIZE, rate: (30, 1), pixel: Pixel::Nv12 };
        let large = OfferedCamera { size: Size::new(8, 4), ..small };
        bench.plug(FoundCamera { offers: vec![small, large], ..found("cam") });
        let mode = Mode { size: Some(large.size), ..Mode::default() };
        let (source, changes, _) = open_as(Some("cam"), mode, &bench);
        let open = await_state(&bench, &changes, SourceState::Open, &[77; 48]);
        assert_eq!(open.format, SourceFormat::Video { size: large.size, fps: 30.0 });
        assert_eq!(source.status.report().alarm, None);
        let listed = bench.board().formats();
        assert_eq!(listed["cam"].iter().map(Mode::of).filter(|it| it.size == mode.size).count(), 1);
        // It returns without it.
        bench.unplug("cam");
        await_state(&bench, &changes, SourceState::Lost, &FRAME);
        bench.plug(FoundCamera { offers: vec![small], ..found("cam") });
        let open = await_state(&bench, &changes, SourceState::Open, &FRAME);
        assert_eq!(open.format, SourceFormat::Video { size: SIZE, fps: 30.0 });
        let told = (0..6_000).any(|_| {
            bench.shoot("cam", &FRAME);
            Stop::new().wait(Duration::from_millis(5));
            source.status.report().alarm == Some(SourceAlarm::OtherFormat)
        });
        assert!(told);
    }

    #[test]
    fn what_onair_itself_has_just_closed_is_waited_for() {
        let bench = FakeCameras::default();
        bench.refuse(Some(Fault::Ours("EBUSY".into())));
        bench.plug(found("cam"));
        let (source, changes, _) = open_fake(Some("cam"), &bench);
        // It was asked for and refused; nothing is told of that.
        while bench.asked() == 0 {
            Stop::new().wait(Duration::from_millis(5));
        }
        bench.refuse(None);
        await_state(&bench, &changes, SourceState::Open, &FRAME);
        assert!(source.status.report().reason.is_empty());
        // Where it lasts it is told.
        let bench = FakeCameras::default();
        bench.refuse(Some(Fault::Ours("EBUSY".into())));
        bench.plug(found("cam"));
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        let failed = await_state(&bench, &changes, SourceState::Failed, &FRAME);
        assert_eq!(failed.reason.id(), "device-open-twice");
    }

    #[test]
    fn busy_refused_absent_and_odd_cameras_say_so() {
        let bench = FakeCameras::default();
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        // A report with a new name may come before the one with the new reason.
        let says = |id: &str, data: &[u8]| {
            (0..3)
                .any(|_| await_state(&bench, &changes, SourceState::Failed, data).reason.id() == id)
        };
        assert!(says("device-absent", &FRAME));
        bench.refuse(Some(Fault::Busy("EBUSY".into())));
        bench.plug(found("cam"));
        assert!(says("device-busy", &FRAME));
        bench.refuse(Some(Fault::Refused("EACCES".into())));
        assert!(says("device-camera-forbidden", &FRAME));
        bench.refuse(None);
        assert!(says("device-camera-format", &[1, 2, 3]));
        bench.unplug("cam");
        let fault = Some(Fault::Format("GREY".into()));
        bench.plug(FoundCamera { offers: Vec::new(), fault, ..found("cam") });
        assert!(says("device-camera-format", &FRAME));
        bench.unplug("cam");
        bench.plug(found("cam"));
        assert_eq!(bench.woken(), 0);
        await_state(&bench, &changes, SourceState::Open, &FRAME);
    }
}
