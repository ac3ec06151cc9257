//! Text as a source: a fixed text, a watched file, a clock, a countdown, a stopwatch, the chat or a guest's name, in any
//! script, with outline, shadow and background, wrapped or scrolling. A thread draws the text when
//! its content or style changes. Otherwise, the text costs nothing, except for one copy per frame
//! if it scrolls.

mod appearance;
mod bottom_lines;
mod chat;
mod content;
mod draw;
mod guest_names;
mod placeholder;
mod scroll;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

pub use crate::capture::text::appearance::{Align, Shadow, Style, TextAppearance};
pub use crate::capture::text::appearance::{Scroll, ScrollDirection};
pub use crate::capture::text::chat::ChatBoard;
pub use crate::capture::text::content::Content;
pub use crate::capture::text::draw::is_installed;
pub use crate::capture::text::guest_names::GuestNames;
pub use crate::capture::text::placeholder::nameplate;

use crate::base::{Clock, FileStamp, Latest, Pooled, Stop, Timestamp, Worker};
use crate::capture::source::{Context, Error, LiveSetting, Source};
use crate::capture::text::scroll::Strip;
use crate::capture::{rgb, source};
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{Planes, Size, VideoFeed, VideoFrame};
use crate::text::problem::{Problem, problem};

/// Interval at which an open text checks for style changes, so that it follows a moving slider.
const STYLE_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// Returns the size of a text without scrolling, or `None` if its file is unreadable.
pub(super) fn extent(content: &Content, look: &TextAppearance, program: Size) -> Option<Size> {
    let wall = jiff::Timestamp::now().as_microsecond();
    let words = match content {
        Content::File(path) => content::read(path).1.ok()?,
        // The place for the messages that will come.
        Content::Chat(lines) => vec!["Chat"; usize::from(*lines)].join("\n"),
        // The place for a name that will come.
        Content::GuestName(_) => "Guest".to_owned(),
        other => other.words(Duration::ZERO, wall)?,
    };
    let drawn = draw_at(content, &words, look, program, |_| 1.0);
    Some(rgb::even(drawn.width, drawn.height))
}

/// What the studio writes for texts.
#[derive(Clone, Debug, Default)]
pub(super) struct TextBoards {
    /// The messages that a chat shows.
    pub chat: ChatBoard,
    /// The names that the tags of guests show.
    pub guests: GuestNames,
}

/// Opens a text with a live style.
///
/// # Errors
/// Fails if the file cannot be read, or the system cannot start a thread.
pub(super) fn open(
    content: &Content,
    dial: LiveSetting<TextAppearance>,
    boards: TextBoards,
    context: &Context,
) -> Result<Source, Error> {
    if let Content::File(path) = content
        && let Err(reason) = content::read(path).1
    {
        return Err(Error::File { path: path.clone(), reason });
    }
    let status = SourceStatus::new("", content.name());
    let latest = Latest::default();
    let strip = Arc::new(Mutex::new(None));
    let displayed = Arc::new(Mutex::new(None));
    let writer = Writer {
        content: content.clone(),
        look: dial.get(),
        dial,
        boards,
        context: *context,
        status: Arc::clone(&status),
        latest: latest.clone(),
        strip: Arc::clone(&strip),
        displayed: Arc::clone(&displayed),
        drawn: Cell::new((Size::new(2, 2), None)),
    };
    let begun = context.clock.now();
    let worker = Worker::spawn("text", move |stop| writer.run(stop))?;
    let feed = TextFeed { latest, strip, displayed, begun, shown: None, _worker: worker };
    Ok(Source { feed: Box::new(feed), status })
}

/// Draws a static text for a program of this size. The frame of a chat keeps its size, so that letters do not change
/// theirs with each message.
fn draw_at(
    content: &Content,
    words: &str,
    look: &TextAppearance,
    program: Size,
    scale: impl FnOnce(Size) -> f64,
) -> draw::TextPixels {
    let width = look.width.unwrap_or(program.width).clamp(2, Size::MAX_SIDE);
    // The padding is part of the width.
    let wrap = width.saturating_sub(look.style.padding.min(1_000) * 2).max(2) as f32;
    match content {
        Content::Chat(lines) => {
            let room = (wrap, usize::from(*lines), program.height as f32);
            bottom_lines::draw_last_lines(words, &look.style, room, scale)
        }
        _ => draw::draw_enlarged(words, &look.style, Some(wrap), scale),
    }
}

/// Draws one line of text as an image with transparent surroundings.
pub fn line_image(words: &str, style: &Style) -> Planes {
    let words = words.replace(['\r', '\n'], " ");
    let drawn = draw::draw(&words, style, None);
    rgb::planes(&drawn.rgba, drawn.width, drawn.height)
}

type Shared = Arc<Mutex<Option<Arc<Strip>>>>;

/// The displayed size of a text in the program; `None` for the text's own size.
type Displayed = Arc<Mutex<Option<Size>>>;

/// Returns the enlargement for a text that is displayed at this size.
fn scale_for(own: Size, displayed: Option<Size>) -> f64 {
    displayed.map_or(1.0, |it| {
        let across = f64::from(it.width) / f64::from(own.width.max(1));
        across.max(f64::from(it.height) / f64::from(own.height.max(1)))
    })
}

/// The thread that draws a text.
struct Writer {
    content: Content,
    look: TextAppearance,
    dial: LiveSetting<TextAppearance>,
    boards: TextBoards,
    context: Context,
    status: Arc<SourceStatus>,
    latest: Latest<VideoFrame>,
    /// The strip of a scrolling text.
    strip: Shared,
    displayed: Displayed,
    /// The text's own size, and the displayed size for which it was drawn.
    drawn: Cell<(Size, Option<Size>)>,
}

impl Writer {
    fn run(mut self, stop: &Stop) {
        let clock: Clock = self.context.clock;
        let begun = clock.now();
        let mut shown: Option<String> = None;
        let mut stamp = None;
        loop {
            let since = clock.now().since(begun);
            // The time is that of the system's clock, including its corrections, because a clock on
            // air must be correct.
            let wall = jiff::Timestamp::now().as_microsecond();
            let words = match &self.content {
                Content::File(path) => {
                    let now = FileStamp::of(path);
                    if stamp.as_ref() == Some(&now) {
                        None
                    } else {
                        let (found, words) = content::read(path);
                        stamp = Some(found);
                        words.map_err(|why| self.down(&why)).ok()
                    }
                }
                Content::Chat(lines) => Some(content::clean(&self.boards.chat.newest(*lines))),
                Content::GuestName(id) => Some(content::clean(&self.boards.guests.of(id))),
                content => content.words(since, wall),
            };
            if let Some(words) = words {
                if shown.as_ref() != Some(&words) {
                    self.show(&words);
                    shown = Some(words);
                } else if self.status.state() != SourceState::Open {
                    let format = self.status.report().format;
                    self.status.open(format);
                }
            }
            let stands = self.content.stands(since, wall).max(Duration::from_millis(5));
            if self.wait(stop, stands) {
                return;
            }
            let look = self.dial.change(&self.look);
            let changed = look.is_some() || self.is_resized();
            if let Some(look) = look {
                self.look = look;
            }
            if let Some(words) = shown.as_ref().filter(|_| changed) {
                self.show(words);
            }
        }
    }

    /// Waits for a change or the end. Returns true at the end.
    fn wait(&self, stop: &Stop, stands: Duration) -> bool {
        let mut left = stands;
        let may_change = self.dial.is_shared() || Arc::strong_count(&self.displayed) > 1;
        while may_change && left > STYLE_CHECK_INTERVAL {
            if stop.wait(STYLE_CHECK_INTERVAL) {
                return true;
            }
            if self.dial.change(&self.look).is_some() || self.is_resized() {
                return false;
            }
            left -= STYLE_CHECK_INTERVAL;
        }
        stop.wait(left)
    }

    /// Returns true if the displayed size differs from the drawn one. A difference of two pixels is
    /// rounding.
    fn is_resized(&self) -> bool {
        let (own, drawn_for) = self.drawn.get();
        let displayed = *self.displayed.lock();
        if displayed == drawn_for || self.look.scroll.is_some() {
            return false;
        }
        let longest = f64::from(own.width.max(own.height));
        let change = (scale_for(own, displayed) - scale_for(own, drawn_for)) * longest;
        change.abs() > 2.0
    }

    fn down(&self, why: &Problem) {
        let reason = problem!("source-file-unreadable", file = self.content.name(), reason = why);
        self.status.down(SourceState::Lost, reason, why.to_string());
    }

    fn show(&self, words: &str) {
        let Context { size, grid, .. } = self.context;
        let width = self.look.width.unwrap_or(size.width).clamp(2, Size::MAX_SIDE);
        let style = &self.look.style;
        let size = match self.look.scroll {
            None => {
                let displayed = *self.displayed.lock();
                let mut own = size;
                let drawn = draw_at(&self.content, words, &self.look, size, |size| {
                    own = size;
                    scale_for(size, displayed)
                });
                let planes = rgb::planes(&drawn.rgba, drawn.width, drawn.height);
                self.drawn.set((own, displayed));
                self.latest.publish(source::frame(Pooled::unpooled(planes)));
                *self.strip.lock() = None;
                own
            }
            Some(scroll) => {
                let height = self.look.height.unwrap_or(size.height).clamp(2, Size::MAX_SIDE);
                let view = Size::new(width, height);
                let strip = if scroll.is_horizontal() {
                    let words = words.replace('\n', "   ");
                    Strip::new([draw::draw(&words, style, None)], view, scroll)
                } else {
                    Strip::new(draw::draw_pages(words, style, Some(width as f32)), view, scroll)
                };
                let view = strip.view();
                *self.strip.lock() = Some(Arc::new(strip));
                view
            }
        };
        self.status.open(SourceFormat::Video { size, fps: grid.rate.as_f64() });
    }
}

/// The compositor's side.
struct TextFeed {
    latest: Latest<VideoFrame>,
    /// The strip of a scrolling text.
    strip: Shared,
    displayed: Displayed,
    begun: Timestamp,
    /// The last frame, with its strip and step.
    shown: Option<(Arc<Strip>, u64, VideoFrame)>,
    _worker: Worker,
}

impl VideoFeed for TextFeed {
    fn set_displayed(&mut self, size: Option<Size>) {
        *self.displayed.lock() = size;
    }

    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let strip = self.strip.lock().clone();
        let Some(strip) = strip else {
            self.shown = None;
            return self.latest.get().map(|frame| VideoFrame { pts: at, ..frame });
        };
        let step = strip.step(at.since(self.begun));
        let same =
            self.shown.as_ref().filter(|(of, made, _)| Arc::ptr_eq(of, &strip) && *made == step);
        let frame = match same {
            Some((_, _, frame)) => frame.clone(),
            None => source::frame(strip.frame(step)),
        };
        self.shown = Some((strip, step, frame.clone()));
        Some(VideoFrame { pts: at, ..frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::Receiver;
    use crate::media::source_status::SourceReport;
    use crate::media::{FrameGrid, FrameRate};

    fn opened(
        content: &Content,
        scroll: Option<Scroll>,
    ) -> (Source, Receiver<SourceReport>, Clock) {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let dial = LiveSetting::new(TextAppearance { scroll, ..TextAppearance::default() });
        let context = Context { clock, grid, size: Size::new(640, 360) };
        let source = open(content, dial, TextBoards::default(), &context).unwrap();
        let changes = source.status.changes().unwrap();
        (source, changes, clock)
    }

    fn await_state(changes: &Receiver<SourceReport>, state: SourceState) -> SourceReport {
        loop {
            let report = changes.recv_timeout(Duration::from_secs(30)).unwrap();
            if report.state == state {
                return report;
            }
        }
    }

    #[test]
    fn words_are_still_and_transparent_around_the_letters() {
        let (mut source, changes, clock) = opened(&Content::Words("Hello 你好".into()), None);
        await_state(&changes, SourceState::Open);
        let first = source.feed.frame(clock.now()).unwrap();
        let second = source.feed.frame(clock.now()).unwrap();
        assert!(first.is_same(&second));
        let alpha = first.planes().alpha.as_ref().unwrap();
        assert!(alpha.contains(&0) && alpha.contains(&255));
        assert!(first.planes().y.contains(&235), "white");
    }

    #[test]
    fn a_file_is_followed_and_its_last_words_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("score.txt");
        std::fs::write(&path, "1 : 0").unwrap();
        let (mut source, changes, clock) = opened(&Content::File(path.clone()), None);
        await_state(&changes, SourceState::Open);
        let first = source.feed.frame(clock.now()).unwrap();
        std::fs::write(&path, "a longer score: 10 : 20").unwrap();
        let mut tries = 0;
        while source.feed.frame(clock.now()).unwrap().size() == first.size() {
            tries += 1;
            assert!(tries < 8_000, "never followed");
            Stop::new().wait(Duration::from_millis(5));
        }
        std::fs::remove_file(&path).unwrap();
        let lost = await_state(&changes, SourceState::Lost);
        assert_eq!(lost.reason.id(), "source-file-unreadable");
        assert!(source.feed.frame(clock.now()).is_some());
        std::fs::write(&path, "a longer score: 10 : 20").unwrap();
        await_state(&changes, SourceState::Open);
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock, grid, size: Size::new(640, 360) };
        assert!(
            open(
                &Content::File("/nonexistent".into()),
                LiveSetting::default(),
                TextBoards::default(),
                &context
            )
            .is_err()
        );
    }

    #[test]
    fn a_countdown_changes_with_time_and_a_ticker_moves() {
        let (mut source, changes, clock) =
            opened(&Content::Countdown(Duration::from_secs(90)), None);
        await_state(&changes, SourceState::Open);
        let first = source.feed.frame(clock.now()).unwrap();
        let mut tries = 0;
        while source.feed.frame(clock.now()).unwrap().is_same(&first) {
            tries += 1;
            assert!(tries < 8_000, "stands");
            Stop::new().wait(Duration::from_millis(5));
        }
        let scroll = Some(Scroll { direction: ScrollDirection::Left, speed: 200 });
        let words = Content::Words("News of the day".into());
        let (mut source, changes, clock) = opened(&words, scroll);
        await_state(&changes, SourceState::Open);
        let opened = clock.now();
        let ink = |source: &mut Source, millis: i64| {
            let frame = source.feed.frame(Timestamp::from_millis(millis)).unwrap();
            assert_eq!(frame.size().width, 640);
            let alpha = frame.planes().alpha.as_ref().unwrap();
            let left =
                alpha.chunks_exact(640).map(|row| row[..100].iter().filter(|&&a| a > 0).count());
            left.sum::<usize>()
        };
        // The scrolling began between the clock's start and now.
        assert_eq!(ink(&mut source, 500), 0, "it has not come so far");
        let last = opened.as_millis() + 3_400;
        assert!((500..=last).step_by(100).any(|at| ink(&mut source, at) > 0));
    }

    #[test]
    fn credits_show_their_last_line_however_many_there_are() {
        let words = "A name\n".repeat(299) + "The last name";
        let pages: Vec<_> = draw::draw_pages(&words, &Style::default(), Some(640.0)).collect();
        let height: u32 = pages.iter().map(|page| page.height).sum();
        assert!(height > Size::MAX_SIDE, "{height}");
        let scroll = Scroll { direction: ScrollDirection::Up, speed: 60 };
        let strip = Strip::new(pages, Size::new(640, 360), scroll);
        // A step has two rows: the lower edge of the text is at the lower edge of the view.
        let frame = strip.frame(u64::from(height / 2));
        let last = &frame.alpha.as_ref().unwrap()[640 * (360 - Style::default().size as usize)..];
        assert!(last.contains(&255), "the last line is visible");
    }

    #[test]
    fn a_chat_shows_its_newest_messages_however_long_all_are() {
        let program = Size::new(640, 360);
        let drawn = |messages: &[String]| {
            let board = ChatBoard::default();
            board.set(messages.into());
            let words = content::clean(&board.newest(4));
            let content = Content::Chat(4);
            draw_at(&content, &words, &TextAppearance::default(), program, |_| 1.0)
        };
        let size = extent(&Content::Chat(4), &TextAppearance::default(), program).unwrap();
        let of = |it: &draw::TextPixels| Size::new(it.width, it.height);
        let ink = |it: &draw::TextPixels, rows: std::ops::Range<u32>| {
            let row = it.width as usize * 4;
            let part = &it.rgba[rows.start as usize * row..rows.end as usize * row];
            part.chunks_exact(4).filter(|pixel| pixel[3] > 128).count()
        };
        // As long as the service and the board let them be.
        let long = "WWWW ".repeat(200);
        let four = drawn(&[long.clone(), long.clone(), long.clone(), long.clone()]);
        assert_eq!((of(&four), size.width), (size, program.width));
        assert!(ink(&four, 0..80) > 1_000 && ink(&four, size.height - 80..size.height) > 1_000);
        let short = drawn(&[long.clone(), long, "i".to_owned()]);
        let last = ink(&short, size.height - 76..size.height);
        assert!((1..1_000).contains(&last), "{last}");
        // A short message does not become larger.
        let one = drawn(&["i".to_owned()]);
        assert_eq!((of(&one), ink(&one, 0..size.height - 80)), (size, 0));
        assert_eq!(ink(&one, size.height - 76..size.height), last);
        assert_eq!(of(&drawn(&[])), size);
    }

    #[test]
    fn a_text_is_drawn_at_its_displayed_size_and_redrawn_only_if_the_size_changes() {
        let (mut source, changes, clock) = opened(&Content::Words("Sharp".into()), None);
        let report = await_state(&changes, SourceState::Open);
        let first = source.feed.frame(clock.now()).unwrap();
        let SourceFormat::Video { size: own, .. } = report.format else { panic!("{report:?}") };
        assert_eq!(first.size(), own);
        let await_other = |source: &mut Source, displayed: Option<Size>, before: &VideoFrame| {
            source.feed.set_displayed(displayed);
            for _ in 0..8_000 {
                let frame = source.feed.frame(clock.now()).unwrap();
                if !frame.is_same(before) {
                    return frame;
                }
                Stop::new().wait(Duration::from_millis(5));
            }
            panic!("never drawn anew")
        };
        let wide = Size::new(own.width * 3, own.height * 3);
        let large = await_other(&mut source, Some(wide), &first);
        assert_eq!(large.size(), wide);
        // A rounding difference must not cause a redraw.
        source.feed.set_displayed(Some(Size::new(wide.width + 1, wide.height)));
        Stop::new().wait(STYLE_CHECK_INTERVAL * 4);
        assert!(source.feed.frame(clock.now()).unwrap().is_same(&large));
        assert_eq!(await_other(&mut source, None, &large).size(), own);
    }

    #[test]
    fn an_open_text_looks_as_its_dial_is_turned() {
        let dial = LiveSetting::new(TextAppearance::default());
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock, grid, size: Size::new(640, 360) };
        let mut source =
            open(&Content::Words("Wide".into()), dial.clone(), TextBoards::default(), &context)
                .unwrap();
        let mut await_size = |fits: &dyn Fn(Size) -> bool| {
            let mut tries = 0;
            loop {
                if let Some(frame) = source.feed.frame(clock.now())
                    && fits(frame.size())
                {
                    return frame.size();
                }
                tries += 1;
                assert!(tries < 8_000, "never followed");
                Stop::new().wait(Duration::from_millis(5));
            }
        };
        let first = await_size(&|_| true);
        let mut look = TextAppearance::default();
        look.style.size = 128;
        dial.set(look.clone());
        let large = await_size(&|size| size.height > first.height);
        assert!(large.width > first.width);
        // The text starts to scroll, and stops again.
        let scroll = Some(Scroll { direction: ScrollDirection::Left, speed: 100 });
        dial.set(TextAppearance { scroll, width: Some(200), ..look.clone() });
        await_size(&|size| size.width == 200);
        dial.set(look);
        assert_eq!(await_size(&|size| size.width != 200), large);
    }

    #[test]
    fn a_name_tag_follows_the_name_of_its_guest() {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: FrameRate::FPS_30 };
        let context = Context { clock, grid, size: Size::new(640, 360) };
        let boards = TextBoards::default();
        let names = |name: &str| [("g1".to_owned(), name.to_owned())].into();
        boards.guests.set(names("Al"));
        let tag = Content::GuestName("g1".into());
        let source = open(&tag, LiveSetting::default(), boards.clone(), &context).unwrap();
        let changes = source.status.changes().unwrap();
        let width = |report: SourceReport| match report.format {
            SourceFormat::Video { size, .. } => size.width,
            other => panic!("{other:?}"),
        };
        let short = width(await_state(&changes, SourceState::Open));
        boards.guests.set(names("Alexandra"));
        let wide = width(await_state(&changes, SourceState::Open));
        assert!(short < wide, "{short} {wide}");
    }
}
