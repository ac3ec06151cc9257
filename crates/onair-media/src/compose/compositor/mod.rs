//! Floor 3: the compositor. On each tick of the program's frame grid, its thread pulls the frames
//! of the visible sources, draws the scene, and passes the program frame to the monitor and to the
//! encoder, if any. If a source has no frame, the compositor shows the source's last frame for two
//! seconds, and then a placeholder, so that program frames never stop.

pub(in crate::compose) mod inbox;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::base::partial_debug;
use crate::base::queue::Sender;
use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::compose::compositor::inbox::{ENCODERS, FIRST_LAYER, FIRST_RENDITION, Inbox};
use crate::compose::degradation::{Degradation, LoadWatcher};
use crate::compose::filter::WantedFilter;
use crate::compose::other_program::{EncoderQueue, OtherProgram, OtherProgramTiming};
use crate::compose::program::Program;
use crate::compose::scene::{Plan, SourceId};
use crate::compose::side_views::{SideView, ViewOf};
use crate::compose::source_frames::SourceFrame;
use crate::compose::transition::{Change, ManualTransition};
use crate::compose::view::DrawResult;
use crate::media::{ExtraRendition, FrameGrid, ProgramId, Size, VideoFeed, VideoFrame};

/// Maximum delay after which a tick still runs. A later tick is skipped.
const MAX_TICK_DELAY: Duration = Duration::from_millis(100);
/// Number of ticks per drawn frame while nobody sees the program.
const UNSEEN_INTERVAL_TICKS: i64 = 10;
/// The longest sleep of a compositor whose frames nobody needs.
const MAX_REST: Duration = Duration::from_millis(100);

/// The format of the program frames.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// Width and height of the program.
    pub size: Size,
    /// The times of the program frames.
    pub grid: FrameGrid,
    /// The session clock.
    pub clock: Clock,
}

/// The reason why the compositor could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program size is odd, zero or too large.
    #[error("a program of {0} cannot be composed")]
    Size(Size),
    /// The thread could not be started.
    #[error("starting the compositor: {0}")]
    Thread(#[from] std::io::Error),
}

/// The compositor's counters.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Program frames drawn.
    pub captured: u64,
    /// Due frames that were skipped because the computer was overloaded.
    pub skipped: u64,
    /// Program frames that are the same as the previous program frame.
    pub repeated: u64,
    /// Program frames that are the placeholder.
    pub placeholders: u64,
    /// Program frames per second, measured over about the last second.
    pub fps: f64,
    /// Mean time to draw a frame, over about the last ten frames.
    pub draw_time: Duration,
    /// The reduction of work on a slow computer.
    pub degradation: Degradation,
}

/// The running compositor, which stops when it is dropped. [`Compositor::join`] waits for the end.
#[derive(Debug)]
pub struct Compositor {
    shared: Arc<Shared>,
    config: Config,
    /// The compositor's thread; `None` if a test calls `tick` itself.
    worker: Option<Worker>,
}

impl Compositor {
    /// Starts composing into `preview`, with the placeholder until a feed is set.
    ///
    /// # Errors
    /// Fails if the size is invalid or no thread can be started.
    pub fn spawn(config: Config, preview: Latest<VideoFrame>) -> Result<Self, Error> {
        if !config.size.is_valid() {
            return Err(Error::Size(config.size));
        }
        let shared = Arc::new(Shared::default());
        let ticker = Ticker::new(config, Arc::clone(&shared), preview);
        let worker = Worker::spawn("compositor", move |stop| run(ticker, stop))?;
        Ok(Self { shared, config, worker: Some(worker) })
    }

    /// Creates a compositor for tests, which draws only when the test calls a tick.
    #[cfg(any(test, feature = "test-support"))]
    pub fn by_hand(config: Config, preview: Latest<VideoFrame>) -> (Self, Ticker) {
        let shared = Arc::new(Shared::default());
        let ticker = Ticker::new(config, Arc::clone(&shared), preview);
        (Self { shared, config, worker: None }, ticker)
    }

    /// Calls `then` after each command, because a tick can happen between any two commands.
    #[cfg(any(test, feature = "test-support"))]
    pub fn after_each_command(&self, then: impl FnMut() + Send + 'static) {
        *self.shared.after.lock() = Some(Box::new(then));
    }

    /// Delays all commands until the guard is dropped, and then applies them with the same frame,
    /// so that no frame shows only some of the changes.
    #[must_use]
    pub fn hold(&self) -> ChangeGuard {
        self.shared.inbox.lock().held += 1;
        ChangeGuard(Arc::clone(&self.shared))
    }

    fn post<R>(&self, post: impl FnOnce(&mut Inbox) -> R) -> R {
        let mut inbox = self.shared.inbox.lock();
        let done = post(&mut inbox);
        inbox.is_pending = true;
        drop(inbox);
        self.shared.more.notify_one();
        #[cfg(any(test, feature = "test-support"))]
        self.shared.command_posted();
        done
    }

    /// Returns the configuration.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Shows this source alone from the next frame on. `None` shows the placeholder. The previous
    /// feed is dropped on the compositor's thread.
    pub fn set_feed(&self, feed: Option<Box<dyn VideoFeed>>) {
        self.set_source(SourceId::default(), feed);
    }

    /// Sets the feed of a source in all scenes; `None` removes it.
    pub fn set_source(&self, id: SourceId, feed: Option<Box<dyn VideoFeed>>) {
        self.give(id, SourceFrame::Feed(feed));
    }

    /// Makes this source show the frames of another one, with its own filters.
    pub fn set_view(&self, id: SourceId, of: SourceId) {
        self.give(id, SourceFrame::View(of));
    }

    /// Sets the origin of a source's frames in all scenes.
    pub fn give(&self, id: SourceId, given: SourceFrame) {
        // A pending value is dropped outside the lock, because dropping it may close a device.
        drop(self.post(|inbox| inbox.sources.insert(id, given)));
    }

    /// Moves the feed of one source to another from the next frame on, without closing it.
    pub fn hand_over(&self, from: SourceId, to: SourceId) {
        let before = self.post(|inbox| match inbox.sources.remove(&from) {
            Some(waiting) => {
                inbox.sources.insert(from, SourceFrame::Feed(None));
                inbox.sources.insert(to, waiting)
            }
            None => {
                inbox.moves.push((from, to));
                inbox.sources.remove(&to)
            }
        });
        drop(before);
    }

    /// Makes this source show the frames of another one, while its own feed continues. `None` shows
    /// the source's own frames again.
    pub fn set_fallback(&self, id: SourceId, by: Option<SourceId>) {
        self.post(|inbox| inbox.fallback.insert(id, by));
    }

    /// Sets the filters of a source in this order, from the next frame on.
    pub fn set_filters(&self, id: SourceId, filters: Vec<WantedFilter>) {
        self.post(|inbox| inbox.filters.insert(id, filters));
    }

    /// Shows this plan from the next frame on: another scene with this `change`, or an edited one.
    pub fn show(&self, plan: Arc<Plan>, change: Option<Change>) {
        let unused = self.post(|inbox| {
            let before = inbox.plan.take().and_then(|(_, change)| change);
            let (change, unused) = if change.is_some() { (change, before) } else { (before, None) };
            inbox.plan = Some((plan, change));
            unused
        });
        // An unused clip is closed outside the lock.
        drop(unused);
    }

    /// Draws the preview scene small, at half the rate, into a separate slot. `None` stops it.
    pub fn prepare(&self, preview: Option<(Arc<Plan>, Latest<VideoFrame>)>) {
        self.post(|inbox| inbox.preview = Some(preview));
    }

    /// Moves the T-bar, which mixes the program with another scene. `None` removes that scene.
    pub fn set_t_bar(&self, bar: Option<ManualTransition>) {
        self.post(|inbox| inbox.t_bar = Some(bar));
    }

    /// Draws exactly these views in addition to the program. On a slow computer, only a view before
    /// a filter is drawn.
    pub fn set_views(&self, views: BTreeMap<ViewOf, SideView>) {
        self.post(|inbox| inbox.views = Some(views));
    }

    /// Draws another program from the same sources, at this size and at most at the main frame
    /// rate. `None` stops that program.
    pub fn set_other(&self, id: ProgramId, other: Option<OtherProgram>) {
        self.post(|inbox| inbox.others.insert(id, other));
    }

    /// Sets whether nobody sees the program and its views. Without an encoder, the compositor then
    /// draws fewer frames, and sleeps between them.
    pub fn set_unseen(&self, unseen: bool) {
        self.shared.unseen.store(unseen, Ordering::Relaxed);
        self.post(|_| ());
    }

    /// Sends program frames to an encoder from the next one on. A queue without a receiver is removed.
    pub fn attach_encoder(&self, encoder: Sender<VideoFrame>) {
        self.attach_encoder_from(encoder, Timestamp::ZERO);
    }

    /// Works like [`Compositor::attach_encoder`], but without frames from before this instant, even
    /// if they are drawn later.
    pub fn attach_encoder_from(&self, encoder: Sender<VideoFrame>, from: Timestamp) {
        self.post(|inbox| inbox.encoders[0] = Some(Some((encoder, from))));
    }

    /// Works like [`Compositor::attach_encoder_from`], but for an encoder of another program. That
    /// program is drawn only while it has an encoder or a preview. `None` stops sending.
    pub fn attach_other(&self, id: ProgramId, encoder: Option<(Sender<VideoFrame>, Timestamp)>) {
        self.post(|inbox| inbox.other_encoders.push((id, encoder)));
    }

    /// Works like [`Compositor::attach_encoder`], but for a second encoder of the same shared
    /// frames. `None` stops sending.
    pub fn attach_second(&self, encoder: Option<Sender<VideoFrame>>) {
        self.post(|inbox| inbox.attach(1, encoder));
    }

    /// Works like [`Compositor::attach_second`], but for the encoder of a further rendition.
    pub fn attach_rendition(&self, track: ExtraRendition, encoder: Option<Sender<VideoFrame>>) {
        self.post(|inbox| inbox.attach(FIRST_RENDITION + track.place(), encoder));
    }

    /// Works like [`Compositor::attach_second`], but for the encoder of a smaller layer, from 1 to
    /// [`MAX_SMALLER_LAYERS`](crate::compose::MAX_SMALLER_LAYERS).
    pub fn attach_layer(&self, layer: usize, encoder: Option<Sender<VideoFrame>>) {
        self.post(|inbox| inbox.attach(FIRST_LAYER + layer.saturating_sub(1), encoder));
    }

    /// Works like [`Compositor::attach_encoder_from`], but for the encoder of a recording that has
    /// its own quality. It gets the same shared frames, until its receiver is dropped, or the program
    /// is detached.
    pub fn attach_recorder(&self, id: ProgramId, encoder: Sender<VideoFrame>, from: Timestamp) {
        let encoder = (encoder, from);
        self.post(|inbox| match id {
            ProgramId::MAIN => inbox.encoders[2] = Some(Some(encoder)),
            id => inbox.other_recorders.push((id, encoder)),
        });
    }

    /// Stops sending frames to the encoders, whose queues end within one frame period.
    pub fn detach_encoder(&self) {
        self.post(|inbox| inbox.encoders = [const { Some(None) }; ENCODERS]);
    }

    /// Returns the counters since the start.
    pub fn figures(&self) -> Figures {
        let shared = &self.shared;
        Figures {
            captured: shared.captured.load(Ordering::Relaxed),
            skipped: shared.skipped.load(Ordering::Relaxed),
            repeated: shared.repeated.load(Ordering::Relaxed),
            placeholders: shared.placeholders.load(Ordering::Relaxed),
            fps: f64::from_bits(shared.fps.load(Ordering::Relaxed)),
            draw_time: Duration::from_nanos(shared.draw_nanos.load(Ordering::Relaxed)),
            degradation: Degradation::of(shared.degradation.load(Ordering::Relaxed)),
        }
    }

    /// Stops the thread, drops the feeds and the encoder queues, and waits.
    ///
    /// # Errors
    /// Fails if the thread does not end within `limit`.
    pub fn join(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.worker.map_or(Ok(()), |worker| worker.join(limit))
    }
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    /// Signals a new command.
    more: Condvar,
    captured: AtomicU64,
    skipped: AtomicU64,
    repeated: AtomicU64,
    placeholders: AtomicU64,
    /// The bits of an `f64`.
    fps: AtomicU64,
    draw_nanos: AtomicU64,
    degradation: AtomicU8,
    unseen: AtomicBool,
    #[cfg(any(test, feature = "test-support"))]
    after: Mutex<Option<Box<dyn FnMut() + Send>>>,
}

#[cfg(any(test, feature = "test-support"))]
impl Shared {
    fn command_posted(&self) {
        if let Some(after) = &mut *self.after.lock() {
            after();
        }
    }
}

/// See [`Compositor::hold`].
#[derive(Debug)]
pub struct ChangeGuard(Arc<Shared>);

impl Drop for ChangeGuard {
    fn drop(&mut self) {
        self.0.inbox.lock().held -= 1;
    }
}

partial_debug!(Shared { captured });

/// The tick loop.
fn run(mut ticker: Ticker, stop: &Stop) {
    let Config { grid, clock, .. } = ticker.config;
    let patience = i64::try_from(MAX_TICK_DELAY.as_micros()).unwrap_or(i64::MAX);
    let mut next = grid.index_at(clock.now()) + 1;
    let period = Duration::from_secs_f64(1.0 / grid.rate.as_f64().max(1.0));
    loop {
        let now = clock.now();
        let due = grid.instant(next);
        let soonest = grid.index_at(now) + 1;
        if soonest < next {
            // Nobody needs the frames up to the next one.
            if ticker.rest(due.since(now).min(MAX_REST)) {
                next = soonest;
            }
            if stop.is_set() {
                return;
            }
            continue;
        }
        if now < due {
            if stop.wait(due.since(now)) {
                return;
            }
            continue;
        }
        if stop.is_set() {
            return;
        }
        if now.micros_since(due) > patience {
            let current = grid.index_at(now);
            ticker.shared.skipped.fetch_add(current.abs_diff(next), Ordering::Relaxed);
            next = current;
        }
        ticker.tick(next);
        ticker.took(clock.now().since(now), period, now);
        next = ticker.next_after(next);
    }
}

/// The work done at each tick.
#[derive(Debug)]
pub struct Ticker {
    config: Config,
    program: Program,
    shared: Arc<Shared>,
    preview: Latest<VideoFrame>,
    encoders: [Option<EncoderQueue>; ENCODERS],
    others: BTreeMap<ProgramId, OtherProgramTiming>,
    rate: Rate,
    watcher: LoadWatcher,
}

impl Ticker {
    fn new(config: Config, shared: Arc<Shared>, preview: Latest<VideoFrame>) -> Self {
        Self {
            config,
            program: Program::new(config.size),
            shared,
            preview,
            encoders: [const { None }; ENCODERS],
            others: BTreeMap::new(),
            rate: Rate::default(),
            watcher: LoadWatcher::default(),
        }
    }

    /// Applies commands, unless they are held, and draws the frame of this number.
    pub fn tick(&mut self, number: i64) {
        let Self { program, shared, watcher, encoders, .. } = self;
        let commands = {
            let mut inbox = shared.inbox.lock();
            if inbox.held > 0 { Inbox::default() } else { std::mem::take(&mut *inbox) }
        };
        let degradation = watcher.degradation();
        let cut = degradation >= Degradation::Transitions;
        let plan = commands
            .plan
            .map(|(plan, change)| (plan, change.map(|it| if cut { Change::CUT } else { it })));
        program.hand_over(commands.moves);
        program.handle(commands.sources, plan, commands.preview);
        if let Some(bar) = commands.t_bar {
            program.set_t_bar(bar);
        }
        if let Some(views) = commands.views {
            program.set_views(views);
        }
        program.set_fallback(commands.fallback);
        program.set_filters(commands.filters, degradation >= Degradation::Filters);
        for (encoder, post) in encoders.iter_mut().zip(commands.encoders) {
            if let Some(post) = post {
                *encoder = post;
            }
        }
        let at = self.config.grid.instant(number);
        self.set_others(commands.others, commands.other_encoders, at);
        self.set_recorders(commands.other_recorders);
        let is_idle = self.is_idle();
        let Self { program, shared, encoders, .. } = self;
        let is_skipped = degradation == Degradation::Rate && number % 2 != 0
            || is_idle && number % UNSEEN_INTERVAL_TICKS != 0;
        let repeated = is_skipped.then(|| program.repeat(at));
        let (frame, made) = repeated.flatten().unwrap_or_else(|| program.frame(at));
        match made {
            DrawResult::New => 0,
            DrawResult::Repeated => shared.repeated.fetch_add(1, Ordering::Relaxed),
            DrawResult::Placeholder => shared.placeholders.fetch_add(1, Ordering::Relaxed),
        };
        for attached in encoders {
            let wanted = attached.as_ref().filter(|(_, from)| at >= *from);
            if wanted.is_some_and(|(encoder, _)| encoder.send(frame.clone()).is_err()) {
                *attached = None;
            }
        }
        // Only a new frame wakes the viewers, so a static program costs a window nothing.
        if !self.preview.get().is_some_and(|shown| shown.is_same(&frame)) {
            self.preview.publish(frame);
        }
        self.draw_others(at);
        let Self { program, shared, config, .. } = self;
        let is_slow = degradation != Degradation::None;
        if !is_idle {
            program.draw_preview(number, at, is_slow);
            program.draw_views((number, config.grid.rate.period()), at, is_slow);
        }
        shared.captured.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of the tick after this one, which is a later one while nobody needs the
    /// frames between them. These count as repeated.
    pub fn next_after(&mut self, number: i64) -> i64 {
        if !self.is_idle() || self.shared.inbox.lock().is_pending {
            return number + 1;
        }
        let next = (number.div_euclid(UNSEEN_INTERVAL_TICKS) + 1) * UNSEEN_INTERVAL_TICKS;
        let between = next - number - 1;
        self.shared.captured.fetch_add(between.unsigned_abs(), Ordering::Relaxed);
        self.shared.repeated.fetch_add(between.unsigned_abs(), Ordering::Relaxed);
        self.rate.count += u32::try_from(between).unwrap_or(0);
        next
    }

    /// Waits for a command, for at most this time. Returns true if there is one.
    fn rest(&self, limit: Duration) -> bool {
        let mut inbox = self.shared.inbox.lock();
        if !inbox.is_pending {
            self.shared.more.wait_for(&mut inbox, limit);
        }
        inbox.is_pending
    }

    /// Returns true if nobody sees the program, and no encoder needs it.
    fn is_idle(&self) -> bool {
        let others = self.others.values().any(|other| other.encoder.is_some());
        let has_encoder = others || self.encoders.iter().any(Option::is_some);
        !has_encoder && self.shared.unseen.load(Ordering::Relaxed)
    }

    fn set_others(
        &mut self,
        others: BTreeMap<ProgramId, Option<OtherProgram>>,
        encoders: Vec<(ProgramId, Option<EncoderQueue>)>,
        at: Timestamp,
    ) {
        for (id, other) in others {
            let Some(OtherProgram { plan, size, rate, preview }) = other else {
                self.others.remove(&id);
                self.program.set_other(id, None);
                continue;
            };
            let grid = FrameGrid { rate, ..self.config.grid };
            let last = grid.index_at(at) - 1;
            let fresh =
                || OtherProgramTiming { grid, last, encoder: None, recorder: None, preview: None };
            let timing = self.others.entry(id).or_insert_with(fresh);
            (timing.grid, timing.preview) = (grid, preview);
            self.program.set_other(id, Some((plan, size)));
        }
        for (id, encoder) in encoders {
            if let Some(other) = self.others.get_mut(&id) {
                if encoder.is_none() {
                    other.recorder = None;
                }
                other.encoder = encoder;
            }
        }
    }

    fn set_recorders(&mut self, recorders: Vec<(ProgramId, EncoderQueue)>) {
        for (id, recorder) in recorders {
            if let Some(other) = self.others.get_mut(&id) {
                other.recorder = Some(recorder);
            }
        }
    }

    /// Draws due frames of other programs that have an encoder or a preview.
    fn draw_others(&mut self, at: Timestamp) {
        for (id, other) in &mut self.others {
            let Some(pts) = other.due(at) else { continue };
            let is_encoded =
                |queue: &Option<EncoderQueue>| queue.as_ref().is_some_and(|(_, from)| pts >= *from);
            let is_wanted = is_encoded(&other.encoder) || is_encoded(&other.recorder);
            if !is_wanted && other.preview.is_none() {
                continue;
            }
            let Some(frame) = self.program.other_frame(*id, at) else { continue };
            let frame = VideoFrame { pts, ..frame };
            if let Some(preview) = &other.preview {
                preview.publish(frame.clone());
            }
            for queue in [&mut other.encoder, &mut other.recorder] {
                let encoder = queue.as_ref().filter(|_| is_encoded(queue));
                if encoder.is_some_and(|(encoder, _)| encoder.send(frame.clone()).is_err()) {
                    *queue = None;
                }
            }
        }
    }

    /// Records how long a tick that began at `now` took, and the available time.
    pub fn took(&mut self, long: Duration, period: Duration, now: Timestamp) {
        let degradation = self.watcher.took(long, period);
        self.shared.draw_nanos.store(self.watcher.draw_nanos(period), Ordering::Relaxed);
        self.shared.degradation.store(degradation.number(), Ordering::Relaxed);
        if let Some(fps) = self.rate.count(now) {
            self.shared.fps.store(fps.to_bits(), Ordering::Relaxed);
        }
    }
}

/// Counts ticks per second.
#[derive(Debug, Default)]
struct Rate {
    since: Option<Timestamp>,
    count: u32,
}

impl Rate {
    /// Counts a tick. Returns the rate once per second.
    fn count(&mut self, now: Timestamp) -> Option<f64> {
        let Some(since) = self.since else {
            self.since = Some(now);
            return None;
        };
        self.count += 1;
        let micros = now.micros_since(since);
        if micros < 1_000_000 {
            return None;
        }
        let fps = f64::from(self.count) * 1e6 / micros as f64;
        *self = Self { since: Some(now), count: 0 };
        Some(fps)
    }
}
