//! Floor 3: the compositor. On its own thread it ticks on the program's frame grid, pulls the
//! pictures of the sources that the scene shows, draws the scene, and hands the program picture to
//! the monitor and, while there is one, to the encoder. A source without a picture is replaced by
//! its last one for two seconds and by a slate after that: program pictures never stop.

mod blend;
pub mod layout;
mod pictures;
mod prepare;
pub mod scene;
mod slate;
mod stage;
mod tint;
pub mod transition;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::Sender;
use crate::base::{Clock, Latest, Pooled, Stop, Timestamp, Worker};
use crate::compose::pictures::{Pictures, Shown};
use crate::compose::scene::{Plan, SourceId};
use crate::compose::stage::{Canvas, Stage};
use crate::compose::transition::Transition;
use crate::media::{Color, FrameGrid, Planes, Size, VideoFeed, VideoFrame};

/// The scene that is prepared is drawn at most this large…
const PREVIEW: Size = Size::new(640, 360);

/// …and every so many ticks.
const PREVIEW_EVERY: i64 = 2;

/// A tick later than this is skipped; one less late is caught up with.
const PATIENCE: Duration = Duration::from_millis(100);

/// What the program is.
#[derive(Copy, Clone, Debug)]
pub struct Config {
    /// Width and height of the program.
    pub size: Size,
    /// The instants of its pictures.
    pub grid: FrameGrid,
    /// The session clock.
    pub clock: Clock,
}

/// Why there is no compositor.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The program size is odd, empty or huge.
    #[error("a program of {0} cannot be composed")]
    Size(Size),
    /// The system gave no thread.
    #[error("starting the compositor: {0}")]
    Thread(#[from] std::io::Error),
}

/// What the compositor has done since it was started.
#[derive(Copy, Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// Program pictures made.
    pub captured: u64,
    /// Pictures that were due and were not made, because the machine was too busy.
    pub skipped: u64,
    /// Program pictures that repeat the source's last one because it had no new one.
    pub repeated: u64,
    /// Program pictures that are the slate.
    pub slates: u64,
    /// Program pictures a second, measured over about the last second.
    pub fps: f64,
}

/// The running compositor. Dropping it ends it; [`Compositor::join`] waits for that.
#[derive(Debug)]
pub struct Compositor {
    shared: Arc<Shared>,
    config: Config,
    worker: Worker,
}

impl Compositor {
    /// Starts composing into `preview`, with the slate until there is a feed.
    ///
    /// # Errors
    /// An impossible size, or no thread.
    pub fn spawn(config: Config, preview: Latest<VideoFrame>) -> Result<Self, Error> {
        if !config.size.is_valid() {
            return Err(Error::Size(config.size));
        }
        let shared = Arc::new(Shared::default());
        let program = Program::new(config);
        let its_shared = Arc::clone(&shared);
        let worker = Worker::spawn("compositor", move |stop| {
            run(program, &its_shared, &preview, stop);
        })?;
        Ok(Self { shared, config, worker })
    }

    /// What was asked for.
    pub fn config(&self) -> Config {
        self.config
    }

    /// Shows this source alone from the next picture on; `None`: the slate. The feed before it is
    /// dropped on the compositor's thread.
    pub fn set_feed(&self, feed: Option<Box<dyn VideoFeed>>) {
        self.set_source(SourceId::default(), feed);
    }

    /// Gives a source its pictures, in whatever scenes it is shown; `None`: it has none.
    pub fn set_source(&self, id: SourceId, feed: Option<Box<dyn VideoFeed>>) {
        // What was not taken yet is dropped outside the lock: it may close a device.
        let before = self.shared.inbox.lock().sources.insert(id, feed);
        drop(before);
    }

    /// Shows this from the next picture on. With a transition it is another scene, without one the
    /// same scene changed.
    pub fn show(&self, plan: Arc<Plan>, transition: Option<Transition>) {
        let mut inbox = self.shared.inbox.lock();
        let transition = transition.or(inbox.plan.take().and_then(|(_, transition)| transition));
        inbox.plan = Some((plan, transition));
    }

    /// Draws another scene, small and at half the rate, into a slot of its own; `None`: no longer.
    pub fn prepare(&self, preview: Option<(Arc<Plan>, Latest<VideoFrame>)>) {
        self.shared.inbox.lock().preview = Some(preview);
    }

    /// Sends program pictures to an encoder from the next one on. A queue whose receiver is gone is
    /// let go by itself.
    pub fn attach_encoder(&self, encoder: Sender<VideoFrame>) {
        self.shared.inbox.lock().encoder = Some(Some(encoder));
    }

    /// Sends no more pictures to the encoder: its queue ends within one frame period.
    pub fn detach_encoder(&self) {
        self.shared.inbox.lock().encoder = Some(None);
    }

    /// Figures since the start.
    pub fn figures(&self) -> Figures {
        let shared = &self.shared;
        Figures {
            captured: shared.captured.load(Ordering::Relaxed),
            skipped: shared.skipped.load(Ordering::Relaxed),
            repeated: shared.repeated.load(Ordering::Relaxed),
            slates: shared.slates.load(Ordering::Relaxed),
            fps: f64::from_bits(shared.fps.load(Ordering::Relaxed)),
        }
    }

    /// Ends composing, drops feed and encoder queue, and waits.
    ///
    /// # Errors
    /// When the thread does not end within `limit`.
    pub fn join(self, limit: Duration) -> Result<(), crate::base::worker::Stuck> {
        self.worker.join(limit)
    }
}

#[derive(Default)]
struct Shared {
    inbox: Mutex<Inbox>,
    captured: AtomicU64,
    skipped: AtomicU64,
    repeated: AtomicU64,
    slates: AtomicU64,
    /// `f64` as bits.
    fps: AtomicU64,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("captured", &self.captured).finish_non_exhaustive()
    }
}

/// Wishes not yet carried out: the outer `Some` is a wish.
#[derive(Default)]
struct Inbox {
    sources: BTreeMap<SourceId, Option<Box<dyn VideoFeed>>>,
    plan: Option<(Arc<Plan>, Option<Transition>)>,
    preview: Option<Option<(Arc<Plan>, Latest<VideoFrame>)>>,
    encoder: Option<Option<Sender<VideoFrame>>>,
}

/// The tick loop.
fn run(mut program: Program, shared: &Shared, preview: &Latest<VideoFrame>, stop: &Stop) {
    let Config { grid, clock, .. } = program.config;
    let patience = i64::try_from(PATIENCE.as_micros()).unwrap_or(i64::MAX);
    let mut encoder: Option<Sender<VideoFrame>> = None;
    let mut next = grid.index_at(clock.now()) + 1;
    let mut rate = Rate::default();
    loop {
        let now = clock.now();
        let due = grid.instant(next);
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
            shared.skipped.fetch_add(current.abs_diff(next), Ordering::Relaxed);
            next = current;
        }
        let wishes = std::mem::take(&mut *shared.inbox.lock());
        program.obey(wishes.sources, wishes.plan, wishes.preview);
        if let Some(wish) = wishes.encoder {
            encoder = wish;
        }
        let at = grid.instant(next);
        let (frame, made) = program.picture(at);
        match made {
            Made::New => 0,
            Made::Repeated => shared.repeated.fetch_add(1, Ordering::Relaxed),
            Made::Slate => shared.slates.fetch_add(1, Ordering::Relaxed),
        };
        if encoder.as_ref().is_some_and(|encoder| encoder.send(frame.clone()).is_err()) {
            encoder = None;
        }
        preview.publish(frame);
        program.draw_preview(next, at);
        shared.captured.fetch_add(1, Ordering::Relaxed);
        if let Some(fps) = rate.count(now) {
            shared.fps.store(fps.to_bits(), Ordering::Relaxed);
        }
        next += 1;
    }
}

/// Counts ticks a second.
#[derive(Default)]
struct Rate {
    since: Option<Timestamp>,
    count: u32,
}

impl Rate {
    /// One tick; the rate when a second has gone by.
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

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Made {
    New,
    Repeated,
    Slate,
}

/// What makes program pictures, apart from time and threads.
struct Program {
    stage: Stage,
    /// Drawn when it is first shown: most programs never need it.
    slate: Option<VideoFrame>,
    pictures: Pictures,
    plan: Arc<Plan>,
    canvas: Canvas,
    switch: Option<Switch>,
    mixer: transition::Mixer,
    /// The newest program picture.
    last: Option<Arc<Pooled<Planes>>>,
    preview: Option<Preview>,
    config: Config,
}

/// A transition that is under way.
struct Switch {
    transition: Transition,
    /// The instant of its first picture.
    begun: Option<Timestamp>,
    from: From,
}

enum From {
    Plan(Arc<Plan>, Canvas),
    /// Another transition was under way: its last picture stands still.
    Still(Arc<Pooled<Planes>>),
}

/// The scene that is being prepared.
struct Preview {
    plan: Arc<Plan>,
    canvas: Canvas,
    stage: Stage,
    slate: Option<VideoFrame>,
    slot: Latest<VideoFrame>,
}

type Feeds = BTreeMap<SourceId, Option<Box<dyn VideoFeed>>>;

impl Program {
    /// Shows one source that fills the program.
    fn new(config: Config) -> Self {
        Self {
            stage: Stage::new(config.size),
            slate: None,
            pictures: Pictures::default(),
            plan: Arc::new(Plan::simple(SourceId::default())),
            canvas: Canvas::default(),
            switch: None,
            mixer: transition::Mixer::default(),
            last: None,
            preview: None,
            config,
        }
    }

    fn obey(
        &mut self,
        sources: Feeds,
        plan: Option<(Arc<Plan>, Option<Transition>)>,
        preview: Option<Option<(Arc<Plan>, Latest<VideoFrame>)>>,
    ) {
        for (id, feed) in sources {
            self.pictures.set_feed(id, feed);
        }
        if let Some((plan, transition)) = plan {
            self.show(plan, transition);
        }
        match preview {
            None => {}
            Some(None) => self.preview = None,
            Some(Some((plan, slot))) => match &mut self.preview {
                Some(preview) => (preview.plan, preview.slot) = (plan, slot),
                None => {
                    let size = self.config.size;
                    let size =
                        if size.width > PREVIEW.width { size.fitted_into(PREVIEW) } else { size };
                    let (canvas, stage) = (Canvas::default(), Stage::new(size));
                    self.preview = Some(Preview { plan, canvas, stage, slate: None, slot });
                }
            },
        }
    }

    fn show(&mut self, plan: Arc<Plan>, transition: Option<Transition>) {
        let before = std::mem::replace(&mut self.plan, plan);
        let Some(transition) = transition else { return };
        let running = self.switch.take().is_some();
        if transition.is_cut() {
            return;
        }
        let from = match self.last.clone().filter(|_| running) {
            Some(last) => From::Still(last),
            None => From::Plan(before, std::mem::take(&mut self.canvas)),
        };
        self.switch = Some(Switch { transition, begun: None, from });
    }

    /// The program picture of the instant `at`.
    fn picture(&mut self, at: Timestamp) -> (VideoFrame, Made) {
        self.pictures.pull(self.plan.sources(), at);
        let Self { stage, slate, pictures, plan, canvas, switch, .. } = self;
        let (mut picture, mut made) = draw(stage, slate, pictures, plan, canvas);
        if let Some(Switch { transition, begun, from }) = switch {
            let begun = *begun.get_or_insert(at);
            let part = at.since(begun).as_secs_f32() / transition.duration.as_secs_f32().max(1e-3);
            if part >= 1.0 {
                *switch = None;
            } else {
                let old = match from {
                    From::Still(still) => Arc::clone(still),
                    From::Plan(plan, canvas) => {
                        pictures.pull(plan.sources(), at);
                        draw(stage, slate, pictures, plan, canvas).0
                    }
                };
                let mut mixed = stage.take();
                self.mixer.mix(transition.kind, part, &old, &picture, &mut mixed);
                (picture, made) = (Arc::new(mixed), Made::New);
            }
        }
        self.last = Some(Arc::clone(&picture));
        (VideoFrame { pts: at, color: Color::PROGRAM, planes: picture }, made)
    }

    /// Draws the scene that is being prepared, if it is its turn.
    fn draw_preview(&mut self, tick: i64, at: Timestamp) {
        let Some(preview) = self.preview.as_mut().filter(|_| tick % PREVIEW_EVERY == 0) else {
            return;
        };
        self.pictures.pull(preview.plan.sources(), at);
        let Preview { plan, canvas, stage, slate, slot } = preview;
        let (planes, made) = draw(stage, slate, &self.pictures, plan, canvas);
        if made == Made::New || slot.version() == 0 {
            slot.publish(VideoFrame { pts: at, color: Color::PROGRAM, planes });
        }
    }
}

/// Draws a plan, or the slate where none of its sources has a picture.
fn draw(
    stage: &mut Stage,
    slate: &mut Option<VideoFrame>,
    pictures: &Pictures,
    plan: &Plan,
    canvas: &mut Canvas,
) -> (Arc<Pooled<Planes>>, Made) {
    let (mut seen, mut gone) = (plan.layers.is_empty(), false);
    for source in plan.sources() {
        match pictures.shown(source) {
            Shown::Picture(_) => seen = true,
            Shown::Slate => gone = true,
            Shown::Nothing => {}
        }
    }
    if !seen || gone {
        slate.get_or_insert_with(|| slate::frame(stage.size()));
    }
    if let Some(slate) = slate.as_ref().filter(|_| !seen) {
        *canvas = Canvas::default();
        return (Arc::clone(&slate.planes), Made::Slate);
    }
    let picture = |source| match pictures.shown(source) {
        Shown::Picture(picture) => Some(picture),
        Shown::Slate => slate.clone(),
        Shown::Nothing => None,
    };
    let (planes, new) = stage.draw(canvas, plan, picture);
    (planes, if new { Made::New } else { Made::Repeated })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::base::queue::{self, Full};
    use crate::media::{FrameRate, Planes};

    /// Gives the frames it was made with, one a call, then nothing.
    struct Scripted(Vec<Option<VideoFrame>>);

    impl VideoFeed for Scripted {
        fn picture(&mut self, _: Timestamp) -> Option<VideoFrame> {
            if self.0.is_empty() { None } else { self.0.remove(0) }
        }
    }

    fn frame(size: Size, color: Color, luma: u8) -> VideoFrame {
        let mut planes = Planes::black(size);
        planes.y.fill(luma);
        VideoFrame { pts: Timestamp::ZERO, color, planes: Arc::new(Pooled::unpooled(planes)) }
    }

    fn program(size: Size) -> Program {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        Program::new(Config { size, grid, clock })
    }

    impl Program {
        fn feed(&mut self, feed: Option<Box<dyn VideoFeed>>) {
            self.obey([(SourceId::default(), feed)].into(), None, None);
        }
    }

    /// Whether two frames share their pixels.
    fn same(a: &VideoFrame, b: &VideoFrame) -> bool {
        Arc::ptr_eq(&a.planes, &b.planes)
    }

    /// The same picture for ever.
    struct Still(VideoFrame);

    impl VideoFeed for Still {
        fn picture(&mut self, _: Timestamp) -> Option<VideoFrame> {
            Some(self.0.clone())
        }
    }

    #[test]
    fn a_switch_goes_through_its_transition_and_ends_with_the_new_scene() {
        let size = Size::new(64, 36);
        let mut program = program(size);
        let (old, new) = (frame(size, Color::PROGRAM, 40), frame(size, Color::PROGRAM, 200));
        let feed = |frame: &VideoFrame| -> Option<Box<dyn VideoFeed>> {
            Some(Box::new(Still(frame.clone())))
        };
        let feeds = [(SourceId(0), feed(&old)), (SourceId(1), feed(&new))];
        program.obey(feeds.into(), None, None);
        let at = Timestamp::from_millis;
        assert!(same(&program.picture(at(0)).0, &old));
        let fade =
            Transition { kind: transition::Kind::Fade, duration: Duration::from_millis(400) };
        let plan = Arc::new(Plan::simple(SourceId(1)));
        program.obey(Feeds::new(), Some((plan, Some(fade))), None);
        let luma = |program: &mut Program, millis| program.picture(at(millis)).0.planes.y[0];
        let seen: Vec<u8> = [40, 140, 240, 340].map(|it| luma(&mut program, it)).to_vec();
        assert_eq!(seen, [40, 80, 120, 160]);
        // Back in the middle of it: from what is seen, without a jump.
        let plan = Arc::new(Plan::simple(SourceId(0)));
        program.obey(Feeds::new(), Some((plan, Some(fade))), None);
        assert_eq!(luma(&mut program, 350), 160);
        assert_eq!(luma(&mut program, 550), 100);
        assert!(same(&program.picture(at(750)).0, &old) && program.switch.is_none());
        // A cut is the new scene at once.
        let plan = Arc::new(Plan::simple(SourceId(1)));
        program.obey(Feeds::new(), Some((plan, Some(Transition::CUT))), None);
        assert!(same(&program.picture(at(800)).0, &new));
    }

    #[test]
    fn the_prepared_scene_is_drawn_small_and_apart() {
        let size = Size::new(1280, 720);
        let mut program = program(size);
        let slot = Latest::default();
        let plan = Arc::new(Plan::simple(SourceId(7)));
        let given = frame(size, Color::PROGRAM, 90);
        let feed: Option<Box<dyn VideoFeed>> = Some(Box::new(Still(given)));
        program.obey([(SourceId(7), feed)].into(), None, Some(Some((plan, slot.clone()))));
        assert_eq!(program.picture(Timestamp::ZERO).1, Made::Slate);
        program.draw_preview(0, Timestamp::ZERO);
        let seen = slot.get().unwrap();
        assert_eq!((seen.size(), seen.planes.y[0]), (PREVIEW, 90));
        program.draw_preview(2, Timestamp::from_millis(66));
        assert_eq!(slot.version(), 1, "nothing has changed");
    }

    #[test]
    fn a_source_that_is_gone_shows_the_slate_in_its_own_place() {
        let size = Size::new(64, 36);
        let mut program = program(size);
        let given = frame(size, Color::PROGRAM, 200);
        let above: Option<Box<dyn VideoFeed>> = Some(Box::new(Scripted(vec![Some(given.clone())])));
        let below: Option<Box<dyn VideoFeed>> =
            Some(Box::new(Still(frame(size, Color::PROGRAM, 90))));
        let place = scene::Place { width: 0.5, height: 0.5, ..scene::Place::default() };
        let mut plan = Plan::simple(SourceId(0));
        plan.layers.push(scene::Layer {
            key: 1,
            source: SourceId(1),
            places: vec![place],
            ..plan.layers[0].clone()
        });
        program.obey(
            [(SourceId(0), below), (SourceId(1), above)].into(),
            Some((Arc::new(plan), None)),
            None,
        );
        let luma = |program: &mut Program, millis| {
            let planes = program.picture(Timestamp::from_millis(millis)).0.planes;
            (planes.y[0], planes.y[63])
        };
        assert_eq!(luma(&mut program, 0), (200, 90));
        assert_eq!(luma(&mut program, 1_900), (200, 90));
        let (corner, rest) = luma(&mut program, 2_100);
        assert!(corner < 40 && rest == 90, "{corner} {rest}");
    }

    #[test]
    fn a_fitting_picture_passes_without_a_copy() {
        let size = Size::new(640, 360);
        let mut program = program(size);
        let given = frame(size, Color::PROGRAM, 90);
        program.feed(Some(Box::new(Scripted(vec![Some(given.clone()); 2]))));
        let at = Timestamp::from_millis(500);
        let (out, made) = program.picture(at);
        assert!(same(&out, &given) && out.pts == at && made == Made::New);
        assert_eq!(program.picture(at).1, Made::Repeated);
    }

    #[test]
    fn the_last_picture_stands_in_for_two_seconds_then_the_slate() {
        let size = Size::new(640, 360);
        let mut program = program(size);
        assert_eq!(program.picture(Timestamp::ZERO).1, Made::Slate);
        let given = frame(size, Color::PROGRAM, 90);
        program.feed(Some(Box::new(Scripted(vec![Some(given.clone())]))));
        let start = Timestamp::from_millis(1_000);
        assert_eq!(program.picture(start).1, Made::New);
        let (held, made) = program.picture(start + Duration::from_millis(1_999));
        assert!(same(&held, &given) && made == Made::Repeated);
        let (slate, made) = program.picture(start + Duration::from_millis(2_001));
        assert!(!same(&slate, &given) && made == Made::Slate);
        assert_eq!((slate.size(), slate.color), (size, Color::PROGRAM));
    }

    #[test]
    fn an_odd_picture_is_fitted_once_however_often_it_is_shown() {
        let size = Size::new(640, 360);
        let mut program = program(size);
        let given = frame(Size::new(320, 240), Color::WEBCAM, 90);
        program.feed(Some(Box::new(Scripted(vec![Some(given); 2]))));
        let (first, _) = program.picture(Timestamp::ZERO);
        let (second, _) = program.picture(Timestamp::from_millis(33));
        assert_eq!((first.size(), first.color), (size, Color::PROGRAM));
        assert!(same(&first, &second));
    }

    #[test]
    fn ticks_on_the_grid_and_lets_a_closed_encoder_go() {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::from_micros(123), rate: "120".parse().unwrap() };
        let preview = Latest::default();
        let config = Config { size: Size::new(64, 36), grid, clock };
        let compositor = Compositor::spawn(config, preview.clone()).unwrap();
        let (tx, rx) = queue::bounded("test", 64, Full::DropOldest);
        compositor.attach_encoder(tx);
        let mut last = None;
        for _ in 0..20 {
            let frame = rx.recv_timeout(Duration::from_secs(10)).unwrap();
            let index = grid.index_at(frame.pts);
            assert_eq!(grid.instant(index), frame.pts);
            assert!(last.is_none_or(|last| index > last));
            last = Some(index);
        }
        compositor.detach_encoder();
        while rx.recv_timeout(Duration::from_secs(10)).is_ok() {}
        assert_eq!(rx.try_recv().unwrap_err(), queue::Empty::Closed);
        assert!(compositor.figures().captured >= 20 && preview.version() >= 20);
        compositor.join(Duration::from_secs(5)).unwrap();
    }

    #[test]
    fn impossible_sizes_are_refused() {
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let config = Config { size: Size::new(641, 0), grid, clock: Clock::start() };
        assert!(matches!(Compositor::spawn(config, Latest::default()), Err(Error::Size(_))));
    }
}
