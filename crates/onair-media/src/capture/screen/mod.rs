//! A display, a part of a display, or a window as a source. A thread checks for changes at the
//! program's rate, and converts only the changes. The feed shows the newest frame, and notices when
//! the thread hangs in a display that does not answer. A retry that would open a dialog waits for
//! the user's request. The module is long because its tests follow a display through its whole
//! life.

pub(in crate::capture) mod area;
pub mod backend;
mod black_check;
pub(in crate::capture) mod canvas;
pub(in crate::capture) mod display;
mod feed;
pub mod front;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod moving_tests;
pub mod permission;
pub mod sharing;
pub(in crate::capture) mod target;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use black_check::BlackCheck;
use feed::ScreenFeed;

use crate::base::{Latest, Stop, Worker};
use crate::capture::screen::area::Area;
use crate::capture::screen::canvas::Canvas;
use crate::capture::screen::display::{
    Attempt, Fault, Grabber, PlacedPointer, RetryRequest, ScreenSystem,
};
use crate::capture::screen::permission::Permissions;
use crate::capture::screen::target::{DisplayTarget, shared_name};
use crate::capture::source::{Context, Error, LiveSetting, Source};
use crate::media::source_status::{SourceAlarm, SourceFormat, SourceState, SourceStatus};
use crate::media::{Color, VideoFrame};
use crate::text::problem::problem;

/// Interval between searches for a missing display or window.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Minimum and maximum interval between attempts that disturb other programs.
const RETRY_INTERVAL_RANGE: (Duration, Duration) =
    (Duration::from_secs(5), Duration::from_secs(60));
/// Time limit for loading a stored permission, because a keyring may need unlocking first.
const PERMISSION_LOAD_TIMEOUT: Duration = Duration::from_secs(60);
/// Time after which an open dialog is reported. With a stored permission, the answer takes only
/// moments.
const DIALOG_REPORT_DELAY: Duration = Duration::from_secs(2);

/// The content to show.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Screen(DisplayTarget),
    /// An id from `onair devices`, or `wayland` (or `wayland/NAME`) for the sharing dialog.
    Window(String),
}

impl Target {
    const fn part(&self) -> Option<Area> {
        match self {
            Self::Screen(screen) => screen.part,
            Self::Window(_) => None,
        }
    }

    fn set_part(&mut self, part: Option<Area>) {
        if let Self::Screen(screen) = self {
            screen.part = part;
        }
    }

    fn grab(
        &self,
        system: &dyn ScreenSystem,
        attempt: &Attempt<'_>,
    ) -> Result<Box<dyn Grabber>, Fault> {
        match self {
            Self::Screen(screen) => system.grab_screen(screen.id.as_deref(), screen.part, attempt),
            Self::Window(id) => system.grab_window(id, attempt),
        }
    }

    /// Returns the name of the stored permission, if the desktop requires one.
    fn key(&self) -> Option<String> {
        match self {
            Self::Screen(screen) => permission::screen_key(screen.id.as_deref()),
            Self::Window(id) => permission::window_key(id),
        }
    }

    /// Returns the alarm for content that is completely black.
    const fn black(&self) -> SourceAlarm {
        match self {
            Self::Screen(_) => SourceAlarm::BlackScreen,
            Self::Window(_) => SourceAlarm::BlackWindow,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Screen(screen) => screen.id.as_deref().unwrap_or_default(),
            Self::Window(id) => id,
        }
    }
}

/// Opens a display or window, with live settings that hide the pointer and set the region of a
/// display. A missing display or window is opened when it appears.
pub(super) fn open(
    system: Arc<dyn ScreenSystem>,
    target: Target,
    (dial, region, permissions): (LiveSetting<bool>, LiveSetting<Option<Area>>, Permissions),
    context: &Context,
) -> Result<Source, Error> {
    let name = match &target {
        Target::Screen(_) if target.id().is_empty() => "Screen",
        Target::Screen(_) if shared_name(target.id()) == Some("") => "Screen",
        Target::Window(_) if shared_name(target.id()) == Some("") => "Window",
        _ => shared_name(target.id()).unwrap_or(target.id()),
    };
    let status = SourceStatus::new(target.id(), name);
    let latest = Latest::default();
    let alive = Arc::new(AtomicI64::new(context.clock.now().as_micros()));
    let (dark, darkness) = BlackCheck::new();
    let black = target.black();
    let mut shower = ScreenThread {
        system,
        key: target.key().unwrap_or_default(),
        target,
        dial,
        without_pointer: false,
        region,
        permissions,
        asked: 0,
        later: RETRY_INTERVAL_RANGE.0,
        context: *context,
        status: Arc::clone(&status),
        latest: latest.clone(),
        alive: Arc::clone(&alive),
        dark,
        was_open: false,
        window: None,
    };
    let worker = Worker::spawn("screen", move |stop| shower.run(stop))?;
    let feed = ScreenFeed::new(latest, alive, Arc::clone(&status), (darkness, black), worker);
    Ok(Source { feed: Box::new(feed), status })
}

/// The thread of a capture.
struct ScreenThread {
    system: Arc<dyn ScreenSystem>,
    target: Target,
    /// True to hide the pointer.
    dial: LiveSetting<bool>,
    /// The value of `dial` with which the capture was opened.
    without_pointer: bool,
    /// The region of a display.
    region: LiveSetting<Option<Area>>,
    permissions: Permissions,
    /// The name of the stored permission.
    key: String,
    /// Number of user requests at the last attempt.
    asked: u64,
    /// The next interval between attempts that disturb other programs.
    later: Duration,
    context: Context,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
    alive: Arc<AtomicI64>,
    /// The check for black.
    dark: BlackCheck,
    was_open: bool,
    /// The number of the captured window. Another window of the program may have the selected
    /// title, or a similar one, when the capture is reopened.
    window: Option<String>,
}

/// The reason why a session ended without a fault.
enum End {
    Stopped,
    /// The capture must be reopened, because the size or the pointer setting changed, or the user
    /// requests a new dialog.
    Reshaped,
    /// The captured content changed its size, and capture continues.
    Resized,
}

impl ScreenThread {
    fn run(&mut self, stop: &Stop) {
        let fetched_by = self.context.clock.now() + PERMISSION_LOAD_TIMEOUT;
        while self.permissions.is_fetching()
            && self.context.clock.now() < fetched_by
            && !stop.wait(POLL_INTERVAL / 5)
        {
            self.beat();
        }
        while !stop.is_set() {
            self.beat();
            self.without_pointer = self.dial.get();
            self.target.set_part(self.region.get());
            self.asked = self.permissions.asked(&self.key);
            match self.take(stop) {
                Ok(End::Stopped) => return,
                Ok(End::Reshaped | End::Resized) => continue,
                Err(_) if stop.is_set() => return,
                Err(fault) => {
                    // The display may give the number of a closed window to another one.
                    if matches!(fault, Fault::Absent(_) | Fault::Display(_) | Fault::NoDisplay) {
                        self.window = None;
                    }
                    self.report(&fault);
                    self.pause(fault.again(), stop);
                }
            }
        }
    }

    /// Opens the display, and shows it until the capture ends.
    fn take(&mut self, stop: &Stop) -> Result<End, Fault> {
        let Context { clock, grid, .. } = self.context;
        let (began, status, alive) = (clock.now(), &self.status, &self.alive);
        let asking = || {
            let now = clock.now();
            alive.store(now.as_micros(), Ordering::Relaxed);
            if now.since(began) >= DIALOG_REPORT_DELAY {
                let reason = problem!("display-asks");
                status.down(SourceState::Failed, reason, "waiting for the desktop's dialog");
            }
        };
        let attempt = Attempt {
            pointer: !self.dial.get(),
            rate: grid.rate,
            before: self.window.as_deref(),
            stop,
            permissions: &self.permissions,
            asking: &asking,
        };
        let mut grab = self.target.grab(&*self.system, &attempt)?;
        self.window = grab.number().map(str::to_owned);
        loop {
            match self.session(&mut *grab, stop)? {
                End::Resized => {}
                end => return Ok(end),
            }
        }
    }

    /// Waits until a new attempt is allowed.
    fn pause(&mut self, again: RetryRequest, stop: &Stop) {
        let until = match again {
            RetryRequest::Soon => {
                self.beat();
                stop.wait(POLL_INTERVAL);
                return;
            }
            RetryRequest::Later => {
                let pause = self.later;
                self.later = (pause * 2).min(RETRY_INTERVAL_RANGE.1);
                Some(self.context.clock.now() + pause)
            }
            RetryRequest::WhenAsked => None,
        };
        while !stop.wait(POLL_INTERVAL / 5) {
            self.beat();
            let due = until.is_some_and(|until| self.context.clock.now() >= until);
            let moved = self.region.change(&self.target.part()).is_some();
            if due || moved || self.is_asked() {
                return;
            }
        }
    }

    /// Returns true if the user requested a new dialog since the last attempt.
    fn is_asked(&self) -> bool {
        self.permissions.asked(&self.key) != self.asked
    }

    fn beat(&self) {
        self.alive.store(self.context.clock.now().as_micros(), Ordering::Relaxed);
    }

    fn session(&mut self, grab: &mut dyn Grabber, stop: &Stop) -> Result<End, Fault> {
        let Context { clock, grid, .. } = self.context;
        let size = grab.size();
        let format = SourceFormat::Video { size, fps: grid.rate.as_f64() };
        let (name, id) = (grab.name().to_owned(), grab.id().to_owned());
        let mut canvas = Canvas::new(size);
        let mut dirty = Some(canvas.whole());
        let mut pointer: Option<PlacedPointer> = None;
        let mut begun = false;
        self.status.update(|report| {
            report.name = name;
            report.id = id;
        });
        loop {
            if let Some(part) = self.region.change(&self.target.part()) {
                self.target.set_part(part);
                if !grab.show_part(part) {
                    return Ok(End::Reshaped);
                }
            }
            let change = grab.changes()?;
            if change.reshaped
                || self.dial.change(&self.without_pointer).is_some()
                || self.is_asked()
            {
                return Ok(End::Reshaped);
            }
            if change.resized {
                return Ok(End::Resized);
            }
            dirty = match (dirty, change.dirty) {
                (Some(a), Some(b)) => Some(a.joined(b)),
                (a, b) => a.or(b),
            };
            let placed = grab.pointer()?;
            if paint(grab, &mut canvas, dirty.take(), pointer.as_ref(), placed.as_ref())?
                && let Some(planes) = canvas.finish()
            {
                let (pts, color) = (clock.now(), Color::PROGRAM);
                self.latest.publish(VideoFrame { pts, color, surface: planes.into() });
                self.dark.changed();
            }
            let now = clock.now();
            if self.dark.is_due(now)
                && let Some(frame) = canvas.seen()
            {
                let pointer = placed.as_ref().and_then(|placed| canvas.pointer_area(placed));
                self.dark.check(now, frame, pointer);
            }
            pointer = placed;
            (self.was_open, self.later) = (true, RETRY_INTERVAL_RANGE.0);
            // The size may have changed while the source stays open.
            if !std::mem::replace(&mut begun, true) || self.status.state() != SourceState::Open {
                self.status.open(format);
            }
            self.beat();
            let next = grid.instant(grid.index_at(now) + 1);
            if stop.wait(next.since(now)) {
                return Ok(End::Stopped);
            }
        }
    }

    fn report(&mut self, fault: &Fault) {
        let report = self.status.report();
        let name = report.name;
        let state = match fault {
            Fault::Hidden(_) | Fault::Elsewhere(_) => SourceState::Stalled,
            _ if self.was_open => SourceState::Lost,
            _ => SourceState::Failed,
        };
        let reason = match fault {
            // The message has the name of the source, which is often that of the window.
            Fault::Absent(_) if self.was_open => problem!("display-gone"),
            fault => fault.of(&name.into()),
        };
        if !matches!(fault, Fault::Hidden(_) | Fault::Elsewhere(_)) {
            self.latest.clear();
            self.dark.gone();
        }
        self.status.down(state, reason, fault.detail());
    }
}

/// Updates the canvas. Returns true if anything was painted.
fn paint(
    grab: &mut dyn Grabber,
    canvas: &mut Canvas,
    dirty: Option<Area>,
    before: Option<&PlacedPointer>,
    now: Option<&PlacedPointer>,
) -> Result<bool, Fault> {
    let moved = before != now;
    let mut painted: Option<Area> = None;
    let parts = [
        dirty,
        // The area under the previous pointer position is visible again.
        before.filter(|_| moved).and_then(|placed| canvas.pointer_area(placed)),
    ];
    for part in parts.into_iter().flatten() {
        let Some(part) = canvas.part(part) else { continue };
        if painted.is_some_and(|painted| painted.within(part) == Some(part)) {
            continue;
        }
        let pixels = grab.read(part)?;
        canvas.put(part, pixels).map_err(Fault::Other)?;
        painted = Some(painted.map_or(part, |painted| painted.joined(part)));
    }
    if let Some(placed) = now
        && let Some(area) = canvas.pointer_area(placed)
        && (moved || painted.is_some_and(|painted| painted.within(area).is_some()))
    {
        let pixels = grab.read(area)?;
        canvas.put_pointer(area, pixels, placed).map_err(Fault::Other)?;
        painted = Some(area);
    }
    Ok(painted.is_some())
}

#[cfg(test)]
mod tests {
    use parking_lot::Mutex;

    use super::*;
    use crate::base::queue::Receiver;
    use crate::base::{Clock, Timestamp};
    use crate::capture::rgb::{Rgba, numbers};
    use crate::capture::screen::display::{Change, Pointer, ScreenInfo, WindowInfo};
    use crate::media::source_status::SourceReport;
    use crate::media::{FrameGrid, FrameRate, Size};

    /// A display that a test controls.
    #[derive(Clone, Default)]
    struct Fake(Arc<Mutex<FakeScreen>>);

    #[derive(Default)]
    struct FakeScreen {
        size: Option<Size>,
        color: Option<Rgba>,
        changes: Vec<Result<Change, Fault>>,
        fault: Option<Fault>,
        pointer: Option<(i64, i64, Option<Arc<Pointer>>)>,
        reads: usize,
        grabs: usize,
        /// The regions that the open capture was to show.
        parts: Vec<Option<Area>>,
        /// The number of the earlier window in each request for a window.
        before: Vec<Option<String>>,
    }

    struct Grabbed(Fake, Size, Vec<u8>);

    impl ScreenSystem for Fake {
        fn screens(&self) -> Result<Vec<ScreenInfo>, Fault> {
            Ok(Vec::new())
        }

        fn windows(&self) -> Result<Vec<WindowInfo>, Fault> {
            Ok(Vec::new())
        }

        fn grab_screen(
            &self,
            _: Option<&str>,
            _: Option<Area>,
            _: &Attempt<'_>,
        ) -> Result<Box<dyn Grabber>, Fault> {
            let mut fake_screen = self.0.lock();
            fake_screen.grabs += 1;
            match (&fake_screen.fault, fake_screen.size) {
                (Some(fault), _) => Err(fault.clone()),
                (None, Some(size)) => Ok(Box::new(Grabbed(self.clone(), size, Vec::new()))),
                (None, None) => Err(Fault::Absent("none".to_owned())),
            }
        }

        fn grab_window(&self, _: &str, it: &Attempt<'_>) -> Result<Box<dyn Grabber>, Fault> {
            self.0.lock().before.push(it.before.map(str::to_owned));
            self.grab_screen(None, None, it)
        }
    }

    impl Grabber for Grabbed {
        fn size(&self) -> Size {
            self.1
        }

        fn name(&self) -> &str {
            "The desk"
        }

        fn id(&self) -> &str {
            "desk"
        }

        fn number(&self) -> Option<&str> {
            Some("0x5")
        }

        fn changes(&mut self) -> Result<Change, Fault> {
            self.0.0.lock().changes.pop().unwrap_or_else(|| Ok(Change::default()))
        }

        fn show_part(&mut self, part: Option<Area>) -> bool {
            self.0.0.lock().parts.push(part);
            true
        }

        fn read(&mut self, part: Area) -> Result<&[u8], Fault> {
            let mut fake_screen = self.0.0.lock();
            fake_screen.reads += 1;
            let color = fake_screen.color.unwrap_or(Rgba::BLACK);
            self.2 = [color.blue, color.green, color.red, 0].repeat(part.pixels());
            Ok(&self.2)
        }

        fn pointer(&mut self) -> Result<Option<PlacedPointer>, Fault> {
            let fake_screen = self.0.0.lock();
            let placed = fake_screen.pointer.as_ref();
            Ok(placed.and_then(|(x, y, image)| {
                Some(PlacedPointer { x: *x, y: *y, image: image.clone()? })
            }))
        }
    }

    const WINE_RED: Rgba = Rgba::opaque(120, 20, 60);

    fn start() -> (Fake, Source, Receiver<SourceReport>, Clock) {
        let fake = Fake::default();
        fake.0.lock().size = Some(Size::new(32, 16));
        fake.0.lock().color = Some(WINE_RED);
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::new(120, 1).unwrap() };
        let context = Context { clock, grid, size: Size::new(32, 16) };
        let target = Target::Window("desk".to_owned());
        let source = open(Arc::new(fake.clone()), target, Default::default(), &context).unwrap();
        let changes = source.status.changes().unwrap();
        (fake, source, changes, clock)
    }

    fn await_state(changes: &Receiver<SourceReport>, state: SourceState) -> SourceReport {
        loop {
            let report = changes.recv_timeout(Duration::from_secs(30)).unwrap();
            if report.state == state {
                return report;
            }
        }
    }

    /// Waits until a frame of the source matches. After a stall of the computer, there is no frame
    /// for a moment.
    fn await_so(source: &mut Source, clock: Clock, so: impl Fn(&VideoFrame) -> bool) -> VideoFrame {
        for _ in 0..6_000 {
            if let Some(frame) = source.feed.frame(clock.now()).filter(&so) {
                return frame;
            }
            Stop::new().wait(Duration::from_millis(5));
        }
        panic!("no picture that is so");
    }

    fn await_luma(source: &mut Source, clock: Clock, place: usize, luma: u8) {
        await_so(source, clock, |frame| frame.planes().y[place].abs_diff(luma) <= 1);
    }

    #[test]
    fn a_still_display_is_read_once_and_changes_are_seen() {
        let (fake, mut source, changes, clock) = start();
        let open = await_state(&changes, SourceState::Open);
        assert_eq!((open.name.as_str(), open.id.as_str()), ("The desk", "desk"));
        await_luma(&mut source, clock, 0, numbers(WINE_RED).0);
        let first = await_so(&mut source, clock, |_| true);
        Stop::new().wait(Duration::from_millis(100));
        let second = await_so(&mut source, clock, |_| true);
        assert!(first.is_same(&second), "the same picture");
        assert_eq!(fake.0.lock().reads, 1);
        {
            let mut fake_screen = fake.0.lock();
            fake_screen.color = Some(Rgba::WHITE);
            let dirty = Some(Area::new(4, 4, 2, 2));
            fake_screen.changes.push(Ok(Change { dirty, ..Change::default() }));
        }
        await_luma(&mut source, clock, 4 * 32 + 4, 235);
        let frame = await_so(&mut source, clock, |_| true);
        assert!(frame.planes().y[0].abs_diff(numbers(WINE_RED).0) <= 1, "the rest is taken over");
    }

    #[test]
    fn the_pointer_moves_over_the_frame() {
        let (fake, mut source, _changes, clock) = start();
        let image = Pointer { width: 2, height: 2, hot: (0, 0), pixels: vec![0xFFFF_FFFF; 4] };
        fake.0.lock().pointer = Some((6, 6, Some(Arc::new(image))));
        await_luma(&mut source, clock, 6 * 32 + 6, 235);
        if let Some(pointer) = &mut fake.0.lock().pointer {
            (pointer.0, pointer.1) = (20, 2);
        }
        await_luma(&mut source, clock, 2 * 32 + 20, 235);
        await_luma(&mut source, clock, 6 * 32 + 6, numbers(WINE_RED).0);
        fake.0.lock().pointer = None;
        await_luma(&mut source, clock, 2 * 32 + 20, numbers(WINE_RED).0);
    }

    #[test]
    fn resized_minimised_and_closed_windows_are_followed() {
        let (fake, mut source, changes, clock) = start();
        await_state(&changes, SourceState::Open);
        {
            let mut fake_screen = fake.0.lock();
            fake_screen.size = Some(Size::new(64, 40));
            fake_screen.changes.push(Ok(Change { reshaped: true, ..Change::default() }));
        }
        await_so(&mut source, clock, |frame| frame.size() == Size::new(64, 40));
        fake.0.lock().fault = Some(Fault::Hidden("The desk".to_owned()));
        fake.0.lock().changes.push(Err(Fault::Hidden("The desk".to_owned())));
        let hidden = await_state(&changes, SourceState::Stalled);
        assert_eq!(hidden.reason.id(), "display-minimized");
        await_so(&mut source, clock, |_| true); // The last frame stays.
        fake.0.lock().fault = None;
        await_state(&changes, SourceState::Open);
        fake.0.lock().fault = Some(Fault::Absent("closed".to_owned()));
        fake.0.lock().changes.push(Err(Fault::Absent("closed".to_owned())));
        await_state(&changes, SourceState::Lost);
        assert!(source.feed.frame(clock.now()).is_none());
        fake.0.lock().fault = None;
        await_state(&changes, SourceState::Open);
    }

    #[test]
    fn the_open_capture_shows_another_region() {
        let fake = Fake::default();
        fake.0.lock().size = Some(Size::new(32, 16));
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::new(120, 1).unwrap() };
        let context = Context { clock, grid, size: Size::new(32, 16) };
        let region = LiveSetting::new(None);
        let live = (LiveSetting::new(false), region.clone(), Permissions::default());
        let target = Target::Screen(DisplayTarget::default());
        let mut source = open(Arc::new(fake.clone()), target, live, &context).unwrap();
        await_so(&mut source, clock, |_| true);
        let part = Some(Area::new(4, 4, 8, 8));
        region.set(part);
        await_so(&mut source, clock, |_| !fake.0.lock().parts.is_empty());
        let resized = Change { resized: true, ..Change::default() };
        fake.0.lock().changes.push(Ok(resized));
        await_so(&mut source, clock, |_| fake.0.lock().changes.is_empty());
        let fake_screen = fake.0.lock();
        assert_eq!((fake_screen.grabs, fake_screen.parts.as_slice()), (1, [part].as_slice()));
    }

    #[test]
    fn the_same_window_is_captured_again_until_it_is_closed() {
        let (fake, mut source, changes, clock) = start();
        await_state(&changes, SourceState::Open);
        let before = || fake.0.lock().before.last().cloned().flatten();
        assert_eq!(before(), None);
        {
            let mut fake_screen = fake.0.lock();
            fake_screen.size = Some(Size::new(64, 40));
            fake_screen.changes.push(Ok(Change { reshaped: true, ..Change::default() }));
        }
        await_so(&mut source, clock, |frame| frame.size() == Size::new(64, 40));
        assert_eq!(before().as_deref(), Some("0x5"));
        let fail = |fault: Fault| {
            let mut fake_screen = fake.0.lock();
            fake_screen.fault = Some(fault.clone());
            fake_screen.changes.push(Err(fault));
        };
        fail(Fault::Hidden("The desk".to_owned()));
        await_state(&changes, SourceState::Stalled);
        fake.0.lock().fault = None;
        await_state(&changes, SourceState::Open);
        assert_eq!(before().as_deref(), Some("0x5"));
        fail(Fault::Absent("closed".to_owned()));
        await_state(&changes, SourceState::Lost);
        fake.0.lock().fault = None;
        await_state(&changes, SourceState::Open);
        assert_eq!(before(), None);
    }

    #[test]
    fn a_display_that_hangs_is_noticed() {
        let (fake, mut source, changes, clock) = start();
        await_state(&changes, SourceState::Open);
        // The lock is held, so that every call of the thread blocks.
        let held = fake.0.lock();
        let later = clock.now() + feed::STALLED_AFTER + Duration::from_millis(100);
        assert!(source.feed.frame(later).is_none());
        await_state(&changes, SourceState::Stalled);
        drop(held);
        await_state(&changes, SourceState::Open);
    }
}
