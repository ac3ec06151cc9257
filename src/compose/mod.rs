//! Floor 3: the compositor. On its own thread it ticks on the program's frame grid, pulls the
//! chosen source's picture, fits it into the program size, and hands the program picture to the
//! preview and, while there is one, to the encoder. A source without a picture is replaced by its
//! last one for two seconds and by a slate after that: program pictures never stop.

mod fit;
mod slate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::Sender;
use crate::base::{Clock, Latest, Stop, Timestamp, Worker};
use crate::media::{Color, FrameGrid, Size, VideoFeed, VideoFrame};

/// How long the last picture stands in for a missing one.
const HOLD: Duration = Duration::from_secs(2);

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
        let program = Program {
            config,
            fitter: fit::Fitter::new(config.size),
            slate: None,
            feed: None,
            last: None,
            fitted: None,
        };
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

    /// Shows this source from the next picture on; `None`: the slate. The feed before it is dropped
    /// on the compositor's thread.
    pub fn set_feed(&self, feed: Option<Box<dyn VideoFeed>>) {
        self.shared.inbox.lock().feed = Some(feed);
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
    feed: Option<Option<Box<dyn VideoFeed>>>,
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
        if let Some(feed) = wishes.feed {
            program.set_feed(feed);
        }
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
    config: Config,
    fitter: fit::Fitter,
    /// Drawn when it is first shown: most programs never need it.
    slate: Option<VideoFrame>,
    feed: Option<Box<dyn VideoFeed>>,
    /// The source's newest picture and when it first came, on the grid.
    last: Option<(VideoFrame, Timestamp)>,
    /// The picture last fitted and what became of it.
    fitted: Option<(VideoFrame, VideoFrame)>,
}

impl Program {
    fn set_feed(&mut self, feed: Option<Box<dyn VideoFeed>>) {
        self.feed = feed;
        self.last = None;
    }

    /// The program picture of the instant `at`.
    fn picture(&mut self, at: Timestamp) -> (VideoFrame, Made) {
        let picture = self.feed.as_mut().and_then(|feed| feed.picture(at));
        let (picture, made) = match (picture, &self.last) {
            (Some(picture), Some((last, _))) if same(&picture, last) => (picture, Made::Repeated),
            (Some(picture), _) => (picture, Made::New),
            (None, Some((last, seen))) if at.since(*seen) < HOLD => (last.clone(), Made::Repeated),
            (None, _) => {
                self.last = None;
                self.fitted = None;
                let slate = self.slate.get_or_insert_with(|| slate::frame(self.config.size));
                return (VideoFrame { pts: at, ..slate.clone() }, Made::Slate);
            }
        };
        match &mut self.last {
            Some((last, _)) if made == Made::Repeated => *last = picture.clone(),
            last => *last = Some((picture.clone(), at)),
        }
        (VideoFrame { pts: at, ..self.fit(picture) }, made)
    }

    fn fit(&mut self, picture: VideoFrame) -> VideoFrame {
        if picture.size() == self.config.size && picture.color == Color::PROGRAM {
            self.fitted = None;
            return picture;
        }
        if let Some((from, to)) = &self.fitted
            && same(from, &picture)
        {
            return to.clone();
        }
        let fitted = self.fitter.fit(&picture);
        self.fitted = Some((picture, fitted.clone()));
        fitted
    }
}

/// Whether two frames share their pixels.
fn same(a: &VideoFrame, b: &VideoFrame) -> bool {
    Arc::ptr_eq(&a.planes, &b.planes)
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
        Program {
            config: Config { size, grid, clock },
            fitter: fit::Fitter::new(size),
            slate: None,
            feed: None,
            last: None,
            fitted: None,
        }
    }

    #[test]
    fn a_fitting_picture_passes_without_a_copy() {
        let size = Size::new(640, 360);
        let mut program = program(size);
        let given = frame(size, Color::PROGRAM, 90);
        program.set_feed(Some(Box::new(Scripted(vec![Some(given.clone()); 2]))));
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
        program.set_feed(Some(Box::new(Scripted(vec![Some(given.clone())]))));
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
        program.set_feed(Some(Box::new(Scripted(vec![Some(given); 2]))));
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
