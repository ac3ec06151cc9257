//! The camera: a thread that finds it, opens it on another thread, watches that and takes the
//! camera back when it returns; and the feed that shows its newest picture.
//!
//! Drivers can hang in any call. All of them are made on the inner thread, which is woken, left to
//! itself and replaced when it gives nothing; it is never waited for.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::device::{self, Camera, Driver, Fault, Found, Offer};
use super::pixels::Turner;
use super::source::{Context, Error, Source};
use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::media::source::{Format, State, Status};
use crate::media::{Planes, VideoFeed, VideoFrame};

/// How often the inner thread is looked after.
const WATCH: Duration = Duration::from_millis(100);
/// How often an absent camera is looked for.
const LOOK: Duration = Duration::from_secs(1);
/// A camera that has given nothing for so long has stalled; its picture is no longer shown.
const STALL: Duration = Duration::from_secs(2);
/// A stalled camera is opened afresh after so long.
const GIVE_UP: Duration = Duration::from_secs(4);
/// How long the inner thread waits for a picture at a time.
const WAIT: Duration = Duration::from_millis(200);
/// Pictures in a row that cannot be read before the format is called odd.
const MOST_BROKEN: u32 = 30;

/// Opens a camera: by id, or the first there is.
pub(super) fn open(
    driver: Arc<dyn Driver>,
    id: Option<String>,
    context: &Context,
) -> Result<Source, Error> {
    let status = Status::new(id.clone().unwrap_or_default(), "Camera");
    let latest = Latest::default();
    let mut minder = Minder {
        driver,
        wanted: id,
        context: *context,
        status: Arc::clone(&status),
        latest: latest.clone(),
        was_open: false,
    };
    let worker = Worker::spawn("camera", move |stop| minder.run(stop))?;
    let feed = Box::new(Feed { latest, _worker: worker });
    Ok(Source { feed, status })
}

/// The compositor's end.
struct Feed {
    latest: Latest<VideoFrame>,
    /// Ends the minder when the feed is dropped.
    _worker: Worker,
}

impl VideoFeed for Feed {
    fn picture(&mut self, at: Timestamp) -> Option<VideoFrame> {
        self.latest.get().filter(|frame| at.since(frame.pts) < STALL)
    }
}

/// Looks after the camera.
struct Minder {
    driver: Arc<dyn Driver>,
    wanted: Option<String>,
    context: Context,
    status: Arc<Status>,
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

/// How a session ended.
enum End {
    Stopped,
    Failed(Fault),
    Stalled,
}

impl Minder {
    fn run(&mut self, stop: &Stop) {
        while !stop.is_set() {
            match self.find().and_then(|(found, offer)| self.session(&found, offer, stop)) {
                Ok(End::Stopped) => return,
                // Tried again at once: opening afresh is the cure.
                Ok(End::Stalled) => {}
                Ok(End::Failed(fault)) | Err(fault) => self.report(&fault),
            }
            stop.wait(LOOK);
        }
    }

    fn find(&mut self) -> Result<(Found, Offer), Fault> {
        let cameras = self.driver.cameras();
        let found = match &self.wanted {
            Some(id) => {
                Found::position(&cameras, id).and_then(|index| cameras.into_iter().nth(index))
            }
            // The one that was open is taken back before any other.
            None => {
                let before = self.status.report().id;
                let same = if self.was_open { Found::position(&cameras, &before) } else { None };
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
        device::choose(&found.offers, size, grid.rate.as_f64())
            .map(|offer| (found, offer))
            .ok_or_else(|| Fault::Format("none of its sizes and rates can be used".to_owned()))
    }

    /// Opens the camera on a thread of its own and watches until something ends it.
    fn session(&mut self, found: &Found, offer: Offer, stop: &Stop) -> Result<End, Fault> {
        tracing::debug!(camera = found.id, pixel = offer.pixel.name(), size = %offer.size, "opening");
        let session = Arc::new(Session::default());
        let reader = Inner {
            driver: Arc::clone(&self.driver),
            id: found.id.clone(),
            offer,
            clock: self.context.clock,
            latest: self.latest.clone(),
            session: Arc::clone(&session),
        };
        let worker = Worker::spawn("camera-io", move |stop| reader.run(stop))
            .map_err(|error| Fault::Other(error.to_string()))?;
        let end = self.watch(found, offer, &session, stop);
        // Stopped, woken where it hangs, and not waited for.
        worker.stop();
        session.wake();
        drop(worker);
        Ok(end)
    }

    fn watch(&mut self, found: &Found, offer: Offer, session: &Session, stop: &Stop) -> End {
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
                self.status.open(Format::Video { size: offer.size, fps: offer.fps() });
            } else if silent > STALL {
                let reason = format!(
                    "{} has stopped giving pictures; it is opened afresh until it does. If this \
                     lasts, unplug it and plug it in again",
                    found.name
                );
                self.status.down(State::Stalled, reason, "no picture for 2 s");
                if silent > GIVE_UP {
                    return End::Stalled;
                }
            }
        }
    }

    fn report(&self, fault: &Fault) {
        let name = self.status.report().name;
        let stalled = self.status.state() == State::Stalled;
        let (state, reason) = match fault {
            Fault::Absent(_) if self.was_open => {
                (State::Lost, format!("{name} is gone. Plug it in again and it will be taken back"))
            }
            Fault::Absent(_) if self.wanted.is_none() => {
                (State::Failed, "No camera was found. Plug one in and it will be taken".to_owned())
            }
            Fault::Absent(_) => {
                (State::Failed, format!("{name} is not there. Plug it in and it will be taken"))
            }
            Fault::Busy(_) => (
                State::Failed,
                format!(
                    "{name} is being used by another program. Close that one and wait a second"
                ),
            ),
            Fault::Refused(_) => (
                State::Failed,
                format!(
                    "{name} may not be used by this user. Join the group 'video', or allow cameras \
                     in the system's privacy settings"
                ),
            ),
            Fault::Format(_) if !stalled => (
                State::Failed,
                format!("{name} offers no format that can be read. Choose another camera"),
            ),
            // One that stalled and cannot be opened again at once is still the same trouble.
            Fault::Format(_) | Fault::Other(_) if stalled => return,
            Fault::Format(_) | Fault::Other(_) => (
                if self.was_open { State::Lost } else { State::Failed },
                format!("{name} cannot be opened. It is tried again every second"),
            ),
        };
        self.status.down(state, reason, fault.detail());
    }
}

/// The inner thread.
struct Inner {
    driver: Arc<dyn Driver>,
    id: String,
    offer: Offer,
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
        let pool = Planes::pool(self.offer.size, 6);
        let mut turner = Turner::default();
        let mut broken = 0;
        let mut first = true;
        while !stop.is_set() {
            let Some(raw) = camera.frame(WAIT)? else { continue };
            // The first proves nothing: a driver may hand out what was left from before a stall.
            if std::mem::take(&mut first) {
                continue;
            }
            let pts = self.clock.now() - raw.age;
            let mut planes = pool.take();
            match turner.turn(self.offer.pixel, &raw.data, &mut planes) {
                Ok(color) => {
                    broken = 0;
                    // A thread that was given up on must not show what it wakes up with.
                    if !stop.is_set() {
                        self.latest.publish(VideoFrame { pts, color, planes: Arc::new(planes) });
                        self.session.frames.fetch_add(1, Ordering::Relaxed);
                    }
                }
                Err(fault) => {
                    // Single damaged pictures are usual, at the start above all.
                    broken += 1;
                    if broken >= MOST_BROKEN {
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
    use super::super::backend::fake::Bench;
    use super::super::device::Pixel;
    use super::*;
    use crate::base::queue::Receiver;
    use crate::media::source::Report;
    use crate::media::{FrameGrid, FrameRate, Size};

    const SIZE: Size = Size::new(4, 2);
    const PICTURE: [u8; 12] = [77; 12];

    fn found(id: &str) -> Found {
        let offer = Offer { size: SIZE, rate: (30, 1), pixel: Pixel::Nv12 };
        let id_there = format!("{id}-at-1");
        Found {
            id: id.to_owned(),
            id_there,
            name: format!("The {id}"),
            offers: vec![offer],
            fault: None,
        }
    }

    fn open_fake(id: Option<&str>, bench: &Bench) -> (Source, Receiver<Report>, Clock) {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock, grid, size: SIZE };
        let id = id.map(str::to_owned);
        let source = open(Arc::new(bench.clone()), id, &context).unwrap();
        let changes = source.status.changes().unwrap();
        (source, changes, clock)
    }

    /// The next report in this state, while the camera takes pictures.
    fn await_state(bench: &Bench, changes: &Receiver<Report>, state: State, data: &[u8]) -> Report {
        for _ in 0..3_000 {
            bench.shoot("cam", data);
            if let Ok(report) = changes.recv_timeout(Duration::from_millis(5))
                && report.state == state
            {
                return report;
            }
        }
        panic!("never {state:?}");
    }

    #[test]
    fn a_camera_that_is_unplugged_is_taken_back() {
        let bench = Bench::default();
        bench.plug(found("cam"));
        bench.plug(found("other"));
        let (mut source, changes, clock) = open_fake(None, &bench);
        let open = await_state(&bench, &changes, State::Open, &PICTURE);
        assert_eq!((open.id.as_str(), open.name.as_str()), ("cam", "The cam"));
        assert_eq!(open.format, Format::Video { size: SIZE, fps: 30.0 });
        let picture = source.feed.picture(clock.now()).unwrap();
        assert!(picture.planes.y.iter().all(|&y| y == 77));
        assert!(picture.pts < clock.now());
        assert!(source.feed.picture(clock.now() + STALL).is_none(), "an old picture is none");
        bench.unplug("cam");
        let lost = await_state(&bench, &changes, State::Lost, &PICTURE);
        assert!(lost.reason.contains("The cam"), "{}", lost.reason);
        // The other camera is not taken in its place.
        bench.plug(found("cam"));
        assert_eq!(await_state(&bench, &changes, State::Open, &PICTURE).id, "cam");
    }

    #[test]
    fn a_camera_that_stalls_is_woken_and_opened_afresh() {
        let bench = Bench::default();
        bench.plug(found("cam"));
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        await_state(&bench, &changes, State::Open, &PICTURE);
        let stalled = loop {
            // Nothing is taken now.
            let report = changes.recv_timeout(Duration::from_secs(20)).unwrap();
            if report.state == State::Stalled {
                break report;
            }
        };
        assert!(!stalled.reason.is_empty());
        await_state(&bench, &changes, State::Open, &PICTURE);
        drop(bench);
    }

    #[test]
    fn busy_refused_absent_and_odd_cameras_say_so() {
        let bench = Bench::default();
        let (_source, changes, _) = open_fake(Some("cam"), &bench);
        // A report with a new name may come before the one with the new reason.
        let says = |words: &str, data: &[u8]| {
            (0..3)
                .any(|_| await_state(&bench, &changes, State::Failed, data).reason.contains(words))
        };
        assert!(says("not there", &PICTURE));
        bench.refuse(Some(Fault::Busy("EBUSY".into())));
        bench.plug(found("cam"));
        assert!(says("another program", &PICTURE));
        bench.refuse(Some(Fault::Refused("EACCES".into())));
        assert!(says("group 'video'", &PICTURE));
        bench.refuse(None);
        assert!(says("no format", &[1, 2, 3]));
        bench.unplug("cam");
        let fault = Some(Fault::Format("it has only GREY".into()));
        bench.plug(Found { offers: Vec::new(), fault, ..found("cam") });
        assert!(says("no format", &PICTURE));
        bench.unplug("cam");
        bench.plug(found("cam"));
        assert_eq!(bench.woken(), 0);
        await_state(&bench, &changes, State::Open, &PICTURE);
    }
}
