//! The camera. One thread finds the camera, opens it on another thread, watches that thread, and
//! reopens the camera when it returns. The feed shows the camera's newest frame.
//!
//! Drivers can hang in any call. All calls therefore run on the inner thread, which is abandoned
//! and replaced if it sends no frames. No other thread waits for the inner thread.

#[cfg(test)]
mod allocation_tests;
pub(in crate::capture) mod backend;
pub mod control;
pub(in crate::capture) mod convert;
pub(in crate::capture) mod driver;
pub(in crate::capture) mod mode;
pub(in crate::capture) mod pixel_format;

#[cfg(test)]
mod tests;
pub mod virtual_camera;

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

/// The name of a camera before its real name is known.
const INITIAL_CAMERA_NAME: &str = "Camera";
/// Interval between checks of the inner thread.
const THREAD_CHECK_INTERVAL: Duration = Duration::from_millis(100);
/// Interval between searches for a missing camera.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);
/// A camera without a frame for this long counts as stalled, and its last frame is no longer shown.
const STALLED_AFTER: Duration = Duration::from_secs(2);
/// A stalled camera is reopened after this long.
const STALL_TIMEOUT: Duration = Duration::from_secs(4);
/// Time limit of the inner thread for each frame.
const FRAME_TIMEOUT: Duration = Duration::from_millis(200);
/// The controls are read once per this many checks of the wanted values: every two seconds.
const POLLS_PER_CONTROL_READ: u32 = 20;
/// Number of consecutive unreadable frames after which the format counts as unsupported.
const MAX_UNREADABLE_FRAMES: u32 = 30;

/// Time for which a camera may still be busy after onair itself has closed it in order to reopen it
/// differently.
const MAX_CLOSING_TIME: Duration = Duration::from_secs(3);

/// Opens the camera with this id, or the first camera.
pub(super) fn open(
    driver: Arc<dyn Driver>,
    choice: CameraChoice,
    (board, unpacker): (CameraControls, FrameDecoder),
    context: &Context,
) -> Result<Source, Error> {
    let status = SourceStatus::new(choice.id.clone().unwrap_or_default(), INITIAL_CAMERA_NAME);
    let latest = Latest::default();
    let mut watcher = CameraWatcher {
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
    let worker = Worker::spawn("camera", move |stop| watcher.run(stop))?;
    let feed = Box::new(CameraFeed { latest, _worker: worker });
    Ok(Source { feed, status })
}

/// The compositor's side of a camera.
struct CameraFeed {
    latest: Latest<VideoFrame>,
    /// Ends the camera's thread when the feed is dropped.
    _worker: Worker,
}

impl VideoFeed for CameraFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.latest.get().filter(|frame| at.since(frame.pts) < STALLED_AFTER)
    }
}

/// Watches the camera.
struct CameraWatcher {
    driver: Arc<dyn Driver>,
    wanted: Option<String>,
    mode: Mode,
    board: CameraControls,
    /// The H.264 decoder, without which H.264 formats are not available.
    unpacker: FrameDecoder,
    context: Context,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
    was_open: bool,
}

/// Reports from the inner thread.
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

/// The format in which a camera is opened.
#[derive(Copy, Clone)]
struct OfferedView {
    offer: OfferedCamera,
    /// True if the format is the selected one, or no format was selected.
    as_wanted: bool,
}

/// The end of a session.
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
                    if self.context.clock.now().since(begun) < MAX_CLOSING_TIME =>
                {
                    stop.wait(THREAD_CHECK_INTERVAL);
                    continue;
                }
                // Try again immediately, because reopening usually helps.
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
            // The previously open camera is preferred to any other camera.
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
            // Only H.264 can be missing from the readable formats.
            .ok_or_else(|| Fault::Format(Pixel::H264.name().to_owned()))
    }

    /// Opens the camera on a separate thread, and watches that thread until the session ends.
    fn session(
        &mut self,
        found: &FoundCamera,
        sight: OfferedView,
        stop: &Stop,
    ) -> Result<End, Fault> {
        let offer = sight.offer;
        tracing::debug!(camera = found.id, pixel = offer.pixel.name(), size = %offer.size, "opening a camera");
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
        // Without this thread, a camera keeps the values of its driver.
        let adjuster = Worker::spawn("camera-set", move |stop| its.run(stop));
        let end = self.watch(found, sight, &session, stop);
        // The thread is stopped, and is woken if it hangs. Nothing waits for the thread.
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
            if stop.wait(THREAD_CHECK_INTERVAL) {
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
                // Black and frozen video have priority.
                if !as_wanted && self.status.report().alarm.is_none() {
                    self.status.update(|report| report.alarm = Some(SourceAlarm::OtherFormat));
                }
            } else if silent > STALLED_AFTER {
                let reason = problem!("device-no-frames", device = &found.name);
                self.status.down(SourceState::Stalled, reason, "no frame for 2 s");
                if silent > STALL_TIMEOUT {
                    return End::Stalled;
                }
            }
        }
    }

    fn report(&self, fault: &Fault) {
        let SourceReport { id, name, .. } = self.status.report();
        let device = match (&self.wanted, name == INITIAL_CAMERA_NAME) {
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
            // A stalled camera that cannot be reopened immediately still has the same problem, so
            // nothing new is reported.
            Fault::Format(_) | Fault::OtherFormat(_) | Fault::Other(_)
                if self.status.state() == SourceState::Stalled =>
            {
                return;
            }
            Fault::Format(detail) => {
                problem!("device-camera-format", device = device, formats = detail)
            }
            Fault::OtherFormat(_) => problem!("device-camera-other-format", device = device),
            Fault::Other(_) => problem!("device-broken", device = device),
            Fault::NotOnThisSystem => problem!("device-not-on-this-system", device = device),
        };
        self.status.down(state, reason, fault.detail());
    }
}

/// The thread that sets and reads a camera's controls. This thread is separate from the reader of
/// frames, because a driver can hang in any call.
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
        while !stop.wait(THREAD_CHECK_INTERVAL) {
            // Some drivers reset the controls at the start of each stream.
            if self.session.frames.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let (wanted, back) = (self.board.wanted(&self.id), self.board.take_back(&self.id));
            let changed = wanted != done || !back.is_empty();
            if changed {
                self.set(&done, &wanted, &back);
                done = wanted;
            }
            // The camera itself changes the values of automatic controls.
            if changed || looked.is_multiple_of(POLLS_PER_CONTROL_READ) {
                match self.driver.controls(&self.id) {
                    Ok(controls) => self.board.tell(&self.id, controls),
                    Err(fault) => tracing::debug!(?fault, "reading a camera's controls failed"),
                }
            }
            looked = looked.wrapping_add(1);
        }
        self.board.forget(&self.id);
    }

    fn set(&self, done: &WantedControls, wanted: &WantedControls, back: &[String]) {
        let controls = self.driver.controls(&self.id).unwrap_or_default();
        // Switches and menus come first, because they decide whether a number may be set.
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
                tracing::warn!(camera = self.id, name, ?fault, "setting a camera control failed");
            }
        }
    }
}

/// The inner thread, which reads frames.
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
            // The waker keeps the camera's file open.
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
            // The first frame proves nothing: a driver may return an old one from before a stall.
            let first = std::mem::take(&mut first);
            if first && stream.is_none() {
                continue;
            }
            let pts = self.clock.now() - raw.age;
            let made = match &mut stream {
                Some(stream) => stream.unpack(raw.data).and_then(|frame| match frame {
                    Some(frame) if frame.size() != self.offer.shown() => Err(format!(
                        "a frame of {} instead of {}",
                        frame.size(),
                        self.offer.shown()
                    )),
                    frame => Ok(frame),
                }),
                None => {
                    let mut planes = pool.fresh();
                    let turned = turner.turn(self.offer.pixel, self.offer.size, raw, &mut planes);
                    // The planes of a failed frame are reused as well.
                    let planes = planes.share();
                    turned.map(|color| Some(VideoFrame { pts, color, surface: planes.into() }))
                }
            };
            match made {
                Ok(None) => {}
                Ok(Some(frame)) => {
                    broken = 0;
                    // An abandoned thread must not show its late frames.
                    if !stop.is_set() && !first {
                        self.latest.publish(VideoFrame { pts, ..frame });
                        self.session.frames.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(fault) => {
                    // Single damaged frames are common, especially at the start.
                    broken += 1;
                    if broken >= MAX_UNREADABLE_FRAMES {
                        return Err(Fault::OtherFormat(fault));
                    }
                }
            }
        }
        Ok(())
    }
}
