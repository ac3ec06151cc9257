//! A slide show: the images of a folder or a list in order, with fades. The list can change during
//! the show, and a removed image disappears. A thread reads one slide ahead. Only the time, pauses
//! and jumps determine the slide and the fade.

mod fade;
mod reader;
mod skipped_files;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver};
use crate::base::{Pool, Timestamp, Worker};
use crate::capture::images::slides::fade::{FADE_STEPS, blend};
use crate::capture::images::slides::reader::{PendingJump, Reader, ShownSlide, Slide, SlideOrder};
use crate::capture::images::slides::skipped_files::SkippedFiles;
use crate::capture::source;
use crate::capture::source::{Context, Error, LiveSetting, Source};
use crate::media::playback_control::{Position, TransportCommand};
use crate::media::source_status::SourceStatus;
use crate::media::{Planes, Size, Transport, VideoFeed, VideoFrame};
use crate::text::problem::{Problem, problem};

/// Maximum number of images of one folder.
const MAX_SLIDES: usize = 10_000;
/// File extensions of slides.
const IMAGE_EXTENSIONS: [&str; 6] = ["png", "jpg", "jpeg", "webp", "gif", "apng"];

/// The order of slides.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// In order of name, or in the order of the list.
    #[default]
    Name,
    /// Random, in a new order for each round.
    Shuffled,
}

/// The timing of slides.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pace {
    /// Display time of each slide, without its fade.
    pub time: Duration,
    /// Duration of a fade; zero means a cut.
    pub fade: Duration,
    /// Order of the slides, from the next round on.
    pub order: Order,
    /// True to repeat after the last slide; otherwise the last slide stays.
    pub repeat: bool,
}

impl Default for Pace {
    /// Creates the default timing: five seconds per slide, repeated.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            fade: Duration::from_millis(700),
            order: Order::Name,
            repeat: true,
        }
    }
}

impl Pace {
    /// The range of a slide's duration.
    pub const TIME_RANGE: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(3_600)];
    pub const MAX_FADE: Duration = Duration::from_secs(60);

    /// Clamps every value to its range.
    #[must_use]
    pub fn bounded(self) -> Self {
        let [least, most] = Self::TIME_RANGE;
        Self { time: self.time.clamp(least, most), fade: self.fade.min(Self::MAX_FADE), ..self }
    }
}

/// A slide show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SlideShow {
    /// Image files, and folders of image files.
    pub paths: Vec<PathBuf>,
    pub pace: Pace,
    /// The size to which all images are fitted; `None` for the program's size.
    pub size: Option<Size>,
}

impl SlideShow {
    /// Creates a show of the images of a folder, five seconds each.
    pub fn of(path: impl Into<PathBuf>) -> Self {
        Self { paths: vec![path.into()], pace: Pace::default(), size: None }
    }

    /// Opens the show.
    ///
    /// # Errors
    /// Fails if there is no image at all.
    pub fn open(&self, context: &Context) -> Result<Source, Error> {
        self.open_by(LiveSetting::new(self.pace), Transport::default(), context)
    }

    /// Opens the show with live settings for its timing.
    pub(in crate::capture) fn open_by(
        &self,
        dial: LiveSetting<Pace>,
        transport: Transport,
        context: &Context,
    ) -> Result<Source, Error> {
        let (feed, status) = self.feed(dial, transport, context)?;
        Ok(Source { feed: Box::new(feed), status })
    }

    fn feed(
        &self,
        dial: LiveSetting<Pace>,
        transport: Transport,
        context: &Context,
    ) -> Result<(SlideFeed, Arc<SourceStatus>), Error> {
        let first = self.paths.first().cloned().unwrap_or_default();
        let changes = transport.then_changes();
        if let Err(reason) = self.listed(&transport.then()) {
            return Err(Error::File { path: first, reason });
        }
        let size = self.size.filter(|size| size.is_valid()).unwrap_or(context.size);
        let status = SourceStatus::new("", first.file_name().unwrap_or_default().to_string_lossy());
        let (slides, ready) = queue::bounded("slides", 1, Full::Block);
        let turn = Arc::new(PendingJump::default());
        let (its, pace, then) = (self.clone(), dial.clone(), transport.clone());
        let (paths, others) = (self.paths.clone(), transport.clone());
        let reader = Reader {
            turn: Arc::clone(&turn),
            listed: Box::new(move || its.listed(&then.then())),
            rounds: Box::new(move || {
                let Pace { order, repeat, .. } = pace.get();
                SlideOrder { shuffled: order == Order::Shuffled, repeat }
            }),
            size,
            fps: context.grid.rate.as_f64(),
            status: Arc::clone(&status),
            slides,
            chosen: Box::new(move || paths.iter().cloned().chain(others.then()).collect()),
            missing: SkippedFiles::new(transport.clone()),
            seed: context.clock.wall_micros(context.clock.now()).cast_unsigned(),
        };
        let worker = Worker::spawn("slides", move |stop| reader.run(stop))?;
        let show = Show {
            pace: dial.get().bounded(),
            pool: Planes::alpha_pool(size, 4),
            now: None,
            next: None,
            blended: None,
            hurry: false,
        };
        let feed = SlideFeed {
            show,
            dial,
            ready,
            transport,
            turn,
            generation: 0,
            changes,
            shown: ShownSlide::default(),
            count: 0,
            held: None,
            pause_sum: Duration::ZERO,
            _worker: worker,
        };
        Ok((feed, status))
    }

    /// Returns the current files in order: the files of the show, and then the additional files.
    fn listed(&self, then: &[PathBuf]) -> Result<Vec<PathBuf>, Problem> {
        let mut files = Vec::new();
        for path in self.paths.iter().chain(then) {
            if path.is_dir() {
                let mut found = images_in(path, MAX_SLIDES)?;
                found.sort();
                files.append(&mut found);
            } else {
                files.push(path.clone());
            }
        }
        files.truncate(MAX_SLIDES);
        if files.is_empty() {
            return Err(problem!("image-none-in-folder"));
        }
        Ok(files)
    }
}

/// Returns the images among the first `most` entries of a folder.
pub(in crate::capture) fn images_in(folder: &Path, most: usize) -> Result<Vec<PathBuf>, Problem> {
    let entries = std::fs::read_dir(folder)?;
    let paths = entries.take(most).filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| is_image(path)).collect())
}

pub(in crate::capture) fn is_image(path: &Path) -> bool {
    names_image(path) && path.is_file()
}

/// Returns true if the path has the name of an image. The function does not access the disk.
pub fn names_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| IMAGE_EXTENSIONS.contains(&ending.as_str()))
}

struct SlideFeed {
    show: Show,
    dial: LiveSetting<Pace>,
    ready: Receiver<Slide>,
    transport: Transport,
    turn: Arc<PendingJump>,
    /// The current generation. Slides of other generations are ignored.
    generation: u32,
    /// Number of list changes at the last check.
    changes: u32,
    /// The latest slide.
    shown: ShownSlide,
    /// The number of slides.
    count: usize,
    /// Start of the current pause.
    held: Option<Timestamp>,
    /// Total time of earlier pauses.
    pause_sum: Duration,
    _worker: Worker,
}

impl SlideFeed {
    fn handle(&mut self, go: TransportCommand, at: Timestamp) {
        let index = i64::try_from(self.shown.index).unwrap_or(0);
        match go {
            TransportCommand::Pause => {
                self.held.get_or_insert(at);
            }
            TransportCommand::Resume => {
                self.pause_sum += self.held.take().map_or(Duration::ZERO, |since| at.since(since));
            }
            TransportCommand::Next => self.show.hurry = true,
            TransportCommand::Previous => self.turn_to(index - 1),
            TransportCommand::Restart => self.turn_to(0),
            // A slide show does not support seeking to a time.
            TransportCommand::To(_) => {}
        }
    }

    fn turn_to(&mut self, index: i64) {
        self.generation = self.turn.to(index);
        self.show.leave();
    }

    /// Checks whether the list has changed.
    fn check_list(&mut self) {
        let changes = self.transport.then_changes();
        if changes != self.changes {
            self.changes = changes;
            self.generation = self.turn.anew(self.shown.clone());
            // Otherwise, the reader would wait for space in the queue, and check the new list only
            // when the next slide is due.
            drop(self.ready.try_recv());
        }
        if self.turn.is_gone(&self.shown) {
            self.show.leave();
        }
    }
}

impl VideoFeed for SlideFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        while let Some(go) = self.transport.take() {
            self.handle(go, at);
        }
        self.check_list();
        self.show.pace = self.dial.get().bounded();
        let paused = self.held.is_some();
        if paused {
            // A paused show has no fades.
            self.show.pace.fade = Duration::ZERO;
        }
        let now =
            self.held.unwrap_or(at).offset(-i64::try_from(self.pause_sum.as_micros()).unwrap_or(0));
        let Self { show, ready, generation, shown, count, .. } = self;
        let frame = show.frame(now, || {
            loop {
                let slide = ready.try_recv().ok()?;
                if slide.generation == *generation {
                    *shown = ShownSlide { path: Some(slide.path), index: slide.index };
                    *count = slide.count;
                    return Some(slide.frame);
                }
            }
        });
        if frame.is_some() {
            let item = Some((self.shown.index, self.count));
            self.transport.tell(Position { paused, item, ..Position::default() });
        }
        frame.map(|frame| VideoFrame { pts: at, ..frame })
    }
}

/// The state of a show: the current slide and its timing.
struct Show {
    pace: Pace,
    pool: Pool<Planes>,
    /// The current slide, and the time since which it is fully visible.
    now: Option<(VideoFrame, Timestamp)>,
    /// The next slide during a fade, and its start.
    next: Option<(VideoFrame, Timestamp)>,
    /// The last step of a fade.
    blended: Option<(u32, VideoFrame)>,
    /// True if the next slide appears as soon as it is ready.
    hurry: bool,
}

impl Show {
    /// Shows the next slide as soon as it is ready, instead of the one in preparation.
    fn leave(&mut self) {
        self.hurry = true;
        (self.next, self.blended) = (None, None);
    }

    fn frame(
        &mut self,
        at: Timestamp,
        mut ready: impl FnMut() -> Option<VideoFrame>,
    ) -> Option<VideoFrame> {
        let Some((now, since)) = &self.now else {
            let first = ready()?;
            self.now = Some((first.clone(), at));
            return Some(VideoFrame { pts: at, ..first });
        };
        if self.next.is_none() && (self.hurry || at.since(*since) >= self.pace.time) {
            self.next = ready().map(|next| (next, at));
            self.hurry &= self.next.is_none();
        }
        let Some((next, begun)) = &self.next else {
            return Some(VideoFrame { pts: at, ..now.clone() });
        };
        let gone = at.since(*begun);
        if gone >= self.pace.fade {
            let next = next.clone();
            self.now = Some((next.clone(), at));
            (self.next, self.blended) = (None, None);
            return Some(VideoFrame { pts: at, ..next });
        }
        let step =
            (gone.as_secs_f64() / self.pace.fade.as_secs_f64() * f64::from(FADE_STEPS)) as u32;
        if self.blended.as_ref().is_none_or(|(before, _)| *before != step) {
            let mut out = self.pool.fresh();
            blend(now.planes(), next.planes(), step, &mut out);
            self.blended = Some((step, source::frame(out.share())));
        }
        self.blended.as_ref().map(|(_, frame)| VideoFrame { pts: at, ..frame.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use image::{Rgba as Pixel, RgbaImage};

    use super::*;
    use crate::base::{Clock, Pooled, Stop};
    use crate::media::{FrameGrid, FrameRate};

    fn slide(luma: u8) -> VideoFrame {
        let mut planes = Planes::black(Size::new(4, 2));
        planes.y.fill(luma);
        source::frame(Pooled::unpooled(planes))
    }

    #[test]
    fn slides_stand_and_fade_by_the_time() {
        let mut show = Show {
            pace: Pace {
                time: Duration::from_secs(2),
                fade: Duration::from_secs(1),
                ..Pace::default()
            },
            pool: Planes::alpha_pool(Size::new(4, 2), 4),
            now: None,
            next: None,
            blended: None,
            hurry: false,
        };
        let mut slides = vec![slide(50), slide(200), slide(100)];
        let mut luma = |millis: i64| {
            let next = || slides.pop();
            show.frame(Timestamp::from_millis(millis), next).map(|frame| frame.planes().y[0])
        };
        let seen: Vec<_> =
            [0, 1_999, 2_000, 2_500, 2_999, 3_000, 4_999, 5_000, 5_500, 6_000, 60_000]
                .into_iter()
                .map(|at| luma(at).unwrap())
                .collect();
        assert_eq!(seen, [100, 100, 100, 150, 200, 200, 200, 200, 125, 50, 50]);
    }

    #[test]
    fn a_folder_is_shown_in_order_and_what_is_broken_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, grey: u8, width: u32| {
            let pixel = Pixel([grey, grey, grey, 255]);
            RgbaImage::from_pixel(width, 36, pixel).save(folder.path().join(name)).unwrap();
        };
        save("b.png", 255, 64);
        save("a.png", 0, 36);
        fs::write(folder.path().join("ab.png"), b"broken").unwrap();
        fs::write(folder.path().join("notes.txt"), b"no picture").unwrap();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
        let fade = Duration::ZERO;
        let pace = Pace { fade, ..Pace::default() };
        let mut source = SlideShow { pace, ..SlideShow::of(folder.path()) }.open(&context).unwrap();
        let mut at = Timestamp::ZERO;
        for luma in [16, 235, 16, 235] {
            let found = (0..15_000).any(|_| {
                at += Duration::from_millis(5_000);
                let frame = source.feed.frame(at);
                if frame.as_ref().is_none_or(|frame| frame.planes().y[32] != luma) {
                    Stop::new().wait(Duration::from_millis(2));
                    return false;
                }
                true
            });
            assert!(found, "{luma}");
            let frame = source.feed.frame(at).unwrap();
            assert_eq!(frame.size(), context.size);
            if luma == 16 {
                // The middle 36 of 64 columns are visible.
                let alpha = frame.planes().alpha.as_ref().unwrap();
                assert_eq!(
                    (alpha[0], alpha[13], alpha[14], alpha[49], alpha[50]),
                    (0, 0, 255, 255, 0)
                );
            }
        }
        // The show plays once: after the last slide, nothing follows until repeat is set.
        let dial = LiveSetting::new(Pace { repeat: false, ..pace });
        let mut source = SlideShow::of(folder.path())
            .open_by(dial.clone(), Transport::default(), &context)
            .unwrap();
        let mut luma = |at: &mut Timestamp| {
            *at += Duration::from_secs(5);
            source.feed.frame(*at).map(|frame| frame.planes().y[32])
        };
        let mut await_luma = |wanted: u8, at: &mut Timestamp| {
            for _ in 0..15_000 {
                if luma(at) == Some(wanted) {
                    return;
                }
                Stop::new().wait(Duration::from_millis(2));
            }
            panic!("never {wanted}");
        };
        await_luma(16, &mut at);
        await_luma(235, &mut at);
        for _ in 0..200 {
            await_luma(235, &mut at);
        }
        dial.set(pace);
        await_luma(16, &mut at);
        let empty = tempfile::tempdir().unwrap();
        assert!(SlideShow::of(empty.path()).open(&context).is_err());
    }

    #[test]
    fn a_show_is_paused_turned_on_and_back_and_begun_again() {
        let folder = tempfile::tempdir().unwrap();
        for (name, grey) in [("a.png", 0), ("b.png", 128), ("c.png", 255)] {
            let pixel = Pixel([grey, grey, grey, 255]);
            RgbaImage::from_pixel(64, 36, pixel).save(folder.path().join(name)).unwrap();
        }
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
        let transport = Transport::default();
        let dial = LiveSetting::new(Pace::default());
        let slides = SlideShow::of(folder.path());
        let mut source = slides.open_by(dial, transport.clone(), &context).unwrap();
        let mut at = Timestamp::ZERO;
        // Waits until this slide is shown; each step takes a millisecond, so that the display time
        // of the slide does not end.
        let mut wait_for = |wanted: usize, go: Option<TransportCommand>| {
            if let Some(go) = go {
                transport.ask(go);
            }
            for _ in 0..30_000 {
                at += Duration::from_millis(1);
                let seen = source.feed.frame(at).map(|frame| frame.planes().y[32]);
                if seen == [16, 126, 235].get(wanted).copied() {
                    let position = transport.position().unwrap();
                    assert_eq!(position.item, Some((wanted, 3)));
                    return position;
                }
                Stop::new().wait(Duration::from_millis(1));
            }
            panic!("never {wanted} after {go:?}");
        };
        wait_for(0, None);
        assert!(wait_for(0, Some(TransportCommand::Pause)).paused);
        assert!(wait_for(1, Some(TransportCommand::Next)).paused, "turned while it stands");
        wait_for(0, Some(TransportCommand::Previous));
        wait_for(2, Some(TransportCommand::Previous));
        wait_for(0, Some(TransportCommand::Restart));
        // A pause of a minute does not count; then the show continues.
        for _ in 0..60 {
            at += Duration::from_secs(1);
            assert_eq!(source.feed.frame(at).map(|frame| frame.planes().y[32]), Some(16));
        }
        transport.ask(TransportCommand::Resume);
        for _ in 0..30_000 {
            at += Duration::from_millis(100);
            if source.feed.frame(at).map(|frame| frame.planes().y[32]) == Some(126) {
                assert!(!transport.position().unwrap().paused);
                return;
            }
            Stop::new().wait(Duration::from_millis(1));
        }
        panic!("it does not go on");
    }

    #[test]
    fn a_list_is_shown_in_its_order_and_what_is_taken_out_is_not_seen_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, grey) in [("c.png", 0), ("a.png", 128), ("b.png", 255), ("private.png", 64)] {
            let pixel = Pixel([grey, grey, grey, 255]);
            RgbaImage::from_pixel(64, 36, pixel).save(path(name)).unwrap();
        }
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock: Clock::start(), grid, size: Size::new(64, 36) };
        let transport = Transport::default();
        transport.set_then(&[path("a.png"), path("b.png")]);
        let dial = LiveSetting::new(Pace { fade: Duration::ZERO, ..Pace::default() });
        let slides = SlideShow::of(path("c.png"));
        let (mut feed, _) = slides.feed(dial, transport.clone(), &context).unwrap();
        let mut at = Timestamp::ZERO;
        // Waits for the next different image; `step` is the time between checks.
        let mut after = |feed: &mut SlideFeed, luma: Option<u8>, step: Duration| {
            for _ in 0..30_000 {
                at += step;
                let seen = feed.frame(at).map(|frame| frame.planes().y[32]);
                if seen.is_some() && seen != luma {
                    return seen;
                }
                Stop::new().wait(Duration::from_millis(1));
            }
            panic!("nothing after {luma:?}");
        };
        let turn = Duration::from_secs(5);
        let (c, a, b) = (Some(16), Some(126), Some(235));
        assert_eq!(after(&mut feed, None, turn), c);
        for (luma, wanted) in [(c, a), (a, b), (b, c), (c, a)] {
            assert_eq!(after(&mut feed, luma, turn), wanted);
        }
        assert_eq!(transport.position().unwrap().item, Some((1, 3)));
        // The list changes during a slide: the show continues after that slide, although its
        // position changed.
        transport.set_then(&[path("b.png"), path("a.png")]);
        for (luma, wanted) in [(a, c), (c, b), (b, a)] {
            assert_eq!(after(&mut feed, luma, turn), wanted);
        }
        // A removed slide disappears immediately: the time hardly advances, even if the next slide
        // is ready and another one waits for space.
        while !feed.ready.is_awaited() {
            std::thread::yield_now();
        }
        transport.set_then(&[path("b.png")]);
        assert_eq!(after(&mut feed, a, Duration::from_micros(1)), c);
        for (luma, wanted) in [(c, b), (b, c), (c, b)] {
            assert_eq!(after(&mut feed, luma, turn), wanted);
        }
    }
}
