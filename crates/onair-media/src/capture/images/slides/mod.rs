//! A slide show: the images of a folder or a list in order, with fades. The list can change during
//! the show, and a removed image disappears. A thread reads one slide ahead. Only the time, pauses
//! and jumps determine the slide and the fade.

mod fade;
mod reader;
mod skipped_files;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver};
use crate::base::{Pool, Pooled, Timestamp, Worker};
use crate::capture::images::slides::fade::{FADE_STEPS, blend};
use crate::capture::images::slides::reader::{PendingJump, Reader, ShownSlide, Slide, SlideOrder};
use crate::capture::images::slides::skipped_files::SkippedFiles;
use crate::capture::source::{self, Context, Error, LiveSetting, MAX_REQUEST_GAP, Source};
use crate::media::playback_control::{Position, TransportCommand};
use crate::media::source_status::SourceStatus;
use crate::media::{Planes, Transport, VideoFeed, VideoFrame};
use crate::text::problem::{Problem, problem};

/// Maximum number of images of one folder.
const MAX_SLIDES: usize = 10_000;
/// Maximum number of image names that are read from one folder.
const MAX_NAMES: usize = 100_000;
/// Maximum number of entries of one folder, because opening a source waits for them.
const MAX_ENTRIES: usize = 200_000;
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

/// Opens a show of an image file or the images of a folder, followed by the files of `transport`.
///
/// # Errors
/// Fails if there is no image at all.
pub(in crate::capture) fn open(
    path: &Path,
    dial: LiveSetting<Pace>,
    transport: Transport,
    context: &Context,
) -> Result<Source, Error> {
    let (feed, status) = start(path, dial, transport, context)?;
    Ok(Source { feed: Box::new(feed), status })
}

fn start(
    path: &Path,
    dial: LiveSetting<Pace>,
    transport: Transport,
    context: &Context,
) -> Result<(SlideFeed, Arc<SourceStatus>), Error> {
    let changes = transport.then_changes();
    let chosen = {
        let (path, transport) = (path.to_owned(), transport.clone());
        move || std::iter::once(path.clone()).chain(transport.then()).collect::<Vec<_>>()
    };
    if let Err(reason) = listed(chosen()) {
        return Err(Error::File { path: path.to_owned(), reason });
    }
    let size = context.size;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let status = SourceStatus::new("", name);
    let (slides, ready) = queue::bounded("slides", 1, Full::Block);
    let turn = Arc::new(PendingJump::default());
    let (pace, files) = (dial.clone(), chosen.clone());
    let reader = Reader {
        turn: Arc::clone(&turn),
        listed: Box::new(move || listed(files())),
        rounds: Box::new(move || {
            let Pace { order, repeat, .. } = pace.get();
            SlideOrder { shuffled: order == Order::Shuffled, repeat }
        }),
        size,
        fps: context.grid.rate.as_f64(),
        status: Arc::clone(&status),
        slides,
        chosen: Box::new(chosen),
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
        asked: None,
        blank: None,
        _worker: worker,
    };
    Ok((feed, status))
}

/// Returns the files of these paths in order, with the images of folders.
fn listed(paths: Vec<PathBuf>) -> Result<Vec<PathBuf>, Problem> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.append(&mut images_in(&path, MAX_SLIDES, Path::to_owned)?);
        } else {
            files.push(path);
        }
    }
    files.truncate(MAX_SLIDES);
    if files.is_empty() {
        return Err(problem!("image-none-in-folder"));
    }
    Ok(files)
}

/// Returns the first `most` images of a folder, in the order of this key. A folder lists its entries
/// in any order, so up to `MAX_NAMES` names are read first.
pub(in crate::capture) fn images_in<K: Ord>(
    folder: &Path,
    most: usize,
    key: impl Fn(&Path) -> K,
) -> Result<Vec<PathBuf>, Problem> {
    let entries = std::fs::read_dir(folder)?.take(MAX_ENTRIES);
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    let mut named: Vec<_> = paths.filter(|path| names_image(path)).take(MAX_NAMES).collect();
    named.sort_by_cached_key(|path| key(path));
    Ok(named.into_iter().filter(|path| path.is_file()).take(most).collect())
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
    /// The time of the last request.
    asked: Option<Timestamp>,
    /// The empty frame that is shown until the first slide of a restarted show is read.
    blank: Option<VideoFrame>,
    _worker: Worker,
}

impl SlideFeed {
    /// Handles a command. `was_hidden` is true if the show is visible again only now.
    fn handle(&mut self, go: TransportCommand, at: Timestamp, was_hidden: bool) {
        let index = self.index();
        match go {
            TransportCommand::Pause => {
                self.held.get_or_insert(at);
            }
            TransportCommand::Resume => {
                self.pause_sum += self.held.take().map_or(Duration::ZERO, |since| at.since(since));
            }
            TransportCommand::Next => self.show.hurry = true,
            TransportCommand::Previous => self.turn_to(index - 1),
            TransportCommand::Restart => {
                self.turn_to(0);
                // The old slide is not shown again while the first one is read.
                if was_hidden && let Some((old, _)) = self.show.now.take() {
                    let planes = Planes::transparent(old.size());
                    self.blank = Some(source::frame(Pooled::unpooled(planes)));
                }
            }
            // A slide show does not support seeking to a time.
            TransportCommand::To(_) => {}
        }
    }

    fn index(&self) -> i64 {
        i64::try_from(self.shown.index).unwrap_or(0)
    }

    fn turn_to(&mut self, index: i64) {
        self.generation = self.turn.to(index);
        self.show.leave();
    }

    /// Goes to the slide that would be shown now if the show had not been hidden.
    fn catch_up(&mut self, now: Timestamp) {
        let missed = self.show.missed(now);
        let mut index = self.index().saturating_add(1).saturating_add(missed);
        if !self.show.pace.repeat {
            index = index.min(i64::try_from(self.count).unwrap_or(0) - 1);
        }
        if missed > 0 && index > self.index() {
            self.turn_to(index);
        }
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
        // A jump applies to the new list.
        self.check_list();
        // While no scene shows the source, nothing requests frames, and the commands wait. A pause
        // that is the first of them began when the source was hidden.
        let before = self.asked.replace(at).unwrap_or(at);
        let was_hidden = at.since(before) > MAX_REQUEST_GAP;
        let mut paused_at = if was_hidden { before } else { at };
        while let Some(go) = self.transport.take() {
            let when = if go == TransportCommand::Pause { paused_at } else { at };
            self.handle(go, when, was_hidden);
            paused_at = at;
        }
        self.show.pace = self.dial.get().bounded();
        let paused = self.held.is_some();
        if paused {
            // A paused show has no fades.
            self.show.pace.fade = Duration::ZERO;
        }
        let now =
            self.held.unwrap_or(at).offset(-i64::try_from(self.pause_sum.as_micros()).unwrap_or(0));
        if was_hidden && !paused {
            self.catch_up(now);
        }
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
            self.blank = None;
        }
        frame.or_else(|| self.blank.clone()).map(|frame| VideoFrame { pts: at, ..frame })
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

    /// Returns the number of slides, after the next one, whose time is over.
    fn missed(&self, at: Timestamp) -> i64 {
        let Some((_, since)) = self.now.as_ref().filter(|_| !self.hurry) else { return 0 };
        let Pace { time, fade, .. } = self.pace;
        let since = self.next.as_ref().map_or(*since, |(_, begun)| *begun + fade);
        let late = at.since(since).saturating_sub(time);
        i64::try_from(late.as_micros() / (time + fade).as_micros()).unwrap_or(0)
    }

    fn frame(
        &mut self,
        at: Timestamp,
        mut ready: impl FnMut() -> Option<VideoFrame>,
    ) -> Option<VideoFrame> {
        let Some((now, since)) = &self.now else {
            let first = ready()?;
            self.now = Some((first.clone(), at));
            self.hurry = false;
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
