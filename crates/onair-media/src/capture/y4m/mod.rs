//! A Y4M file as a source. A separate thread reads ahead, and the session clock determines which
//! frames are due. In a looped file, the position depends only on the time since the grid's origin,
//! so an audio file that is opened at the same time is in sync. A file that plays once starts at
//! its beginning.

pub(in crate::capture) mod reader;

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{FileStamp, Pooled, Stop, Timestamp, Worker};
use crate::capture::source::{Context, Error, MAX_REQUEST_GAP, Source};
use crate::capture::y4m::reader::Reader;
use crate::media::playback_control::{EndBehavior, Position, TransportCommand};
use crate::media::source_status::{SourceFormat, SourceState, SourceStatus};
use crate::media::{Color, FrameGrid, Planes, Transport, VideoFeed, VideoFrame};
use crate::text::problem::{Problem, problem};

/// Number of frames read ahead.
const READ_AHEAD_FRAMES: usize = 4;

/// Returns true if a file claims to be Y4M. An unreadable file counts as Y4M, so that this module
/// reports the reason.
pub(super) fn is_y4m(path: &Path) -> bool {
    let mut head = [0; 9];
    let regular = path.metadata().is_ok_and(|meta| meta.is_file());
    let read = regular.then(|| File::open(path).and_then(|mut file| file.read_exact(&mut head)));
    !matches!(read, Some(Ok(()))) || head == *b"YUV4MPEG2"
}

/// Opens a Y4M file as a source.
pub(super) fn open(path: &Path, transport: Transport, context: &Context) -> Result<Source, Error> {
    let fault = |reason: Problem| Error::File { path: path.to_owned(), reason };
    // Opening a pipe would block.
    FileStamp::of(path).map_err(fault)?;
    let file = File::open(path).map_err(|error| fault(error.into()))?;
    let source = BufReader::with_capacity(1 << 16, file);
    let reader = Reader::open(source).map_err(|error| fault(Problem::from(&error)))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let status = SourceStatus::new("", name);
    let (size, rate) = (reader.size(), reader.rate());
    status.open(SourceFormat::Video { size, fps: rate.as_f64() });
    let times = FrameGrid { origin: context.grid.origin, rate };
    let count = i64::try_from(reader.frames()).unwrap_or(i64::MAX).max(1);
    let due = times.index_at(context.clock.now()).max(0);
    let first = if transport.at_end() == EndBehavior::Loop { due } else { up_to(due, count) };
    let wanted = Arc::new(AtomicI64::new(first));
    let (frames, ready) = queue::bounded("file-frames", READ_AHEAD_FRAMES, Full::Block);
    let its = (Arc::clone(&wanted), Arc::clone(&status));
    let worker = Worker::spawn("video-file", move |stop| {
        read_ahead(reader, &its.0, &its.1, &frames, stop);
    })?;
    let its_status = Arc::clone(&status);
    let (current, next) = (None, None);
    let feed = Y4mFeed {
        times,
        wanted,
        ready,
        current,
        next,
        transport,
        count,
        ahead: 0,
        held: None,
        first,
        round: None,
        over: false,
        asked: None,
        late_from: Timestamp::ZERO,
        blank: None,
        status: its_status,
        _worker: worker,
    };
    Ok(Source { feed: Box::new(feed), status })
}

/// Returns the first frame, at or after this one, with which a pass of `count` frames begins.
const fn up_to(frame: i64, count: i64) -> i64 {
    frame.saturating_add((-frame).rem_euclid(count))
}

/// A frame with its number since the grid's origin.
type Numbered = (i64, VideoFrame);

fn read_ahead(
    mut reader: Reader<BufReader<File>>,
    wanted: &AtomicI64,
    status: &SourceStatus,
    frames: &Sender<Numbered>,
    stop: &Stop,
) {
    let pool = Planes::pool(reader.size(), READ_AHEAD_FRAMES + 6);
    let count = i64::try_from(reader.frames()).unwrap_or(i64::MAX);
    let color = reader.color();
    let mut number = wanted.load(Ordering::Relaxed);
    while !stop.is_set() {
        let mut planes = pool.fresh();
        let frame = u64::try_from(number.rem_euclid(count)).unwrap_or(0);
        if let Err(fault) = reader.read(frame, &mut planes) {
            let reason = problem!("source-unreadable", reason = Problem::from(&fault));
            status.down(SourceState::Failed, reason, fault.to_string());
            return;
        }
        let frame = VideoFrame { pts: Timestamp::ZERO, color, surface: planes.share().into() };
        if frames.send((number, frame)).is_err() {
            return;
        }
        number = (number + 1).max(wanted.load(Ordering::Relaxed));
    }
}

struct Y4mFeed {
    times: FrameGrid,
    /// The due frame. The reader skips older frames.
    wanted: Arc<AtomicI64>,
    ready: Receiver<Numbered>,
    current: Option<Numbered>,
    /// A frame that was read and is not due yet.
    next: Option<Numbered>,
    transport: Transport,
    /// Number of frames in the file.
    count: i64,
    /// Number of frames by which playback is ahead of time after a seek.
    ahead: i64,
    /// The frame at which playback was paused.
    held: Option<i64>,
    /// The frame with which reading began.
    first: i64,
    /// The first frame of the current pass.
    round: Option<i64>,
    /// True if the file has played to its end, and may show nothing.
    over: bool,
    /// The time of the last request.
    asked: Option<Timestamp>,
    /// The time after which a delay counts: the first request after a pause, or the last command.
    /// The reader then has to catch up first.
    late_from: Timestamp,
    blank: Option<Arc<Pooled<Planes>>>,
    status: Arc<SourceStatus>,
    _worker: Worker,
}

/// A disk that has delivered no data for this long counts as stalled.
const STALLED_AFTER: Duration = Duration::from_secs(2);

impl Y4mFeed {
    /// Handles the end of the file, if `at_end` ends playback there.
    fn end(&mut self, by_time: i64, at_end: EndBehavior) {
        let due = self.held.unwrap_or(by_time + self.ahead);
        let beginning = due - due.rem_euclid(self.count);
        match self.round {
            _ if at_end == EndBehavior::Loop => {
                self.round = Some(beginning);
                if self.over {
                    self.handle(TransportCommand::Restart, by_time);
                }
            }
            Some(round) if beginning > round => {
                self.held = Some(round + self.count - 1);
                self.over = true;
            }
            _ => {}
        }
    }

    /// Starts a file that plays once, at its beginning, regardless of the time.
    fn begin(&mut self, by_time: i64, at_end: EndBehavior) {
        if self.round.is_none() && at_end != EndBehavior::Loop {
            let first = up_to(self.first, self.count);
            self.ahead = first - by_time;
            self.round = Some(first);
        }
    }

    fn handle(&mut self, go: TransportCommand, by_time: i64) {
        if std::mem::take(&mut self.over) {
            // Every command begins a new pass.
            let at = match go {
                TransportCommand::Restart | TransportCommand::Resume => Duration::ZERO,
                TransportCommand::To(place) => place,
                TransportCommand::Pause | TransportCommand::Next | TransportCommand::Previous => {
                    return self.over = true;
                }
            };
            let beginning = self.held.take().unwrap_or(by_time) + 1;
            self.ahead = beginning + self.frame_at(at) - by_time;
            self.round = Some(beginning);
            return;
        }
        let now = self.held.unwrap_or(by_time + self.ahead);
        // Seeking only goes forward: the reader skips older frames, and the file loops anyway.
        let to = |frame: i64| now + (frame - now).rem_euclid(self.count);
        let there = match go {
            TransportCommand::Pause => return self.held = Some(now),
            TransportCommand::Resume => {
                self.ahead = now - by_time;
                return self.held = None;
            }
            TransportCommand::Restart => to(0),
            TransportCommand::To(place) => to(self.frame_at(place)),
            TransportCommand::Next | TransportCommand::Previous => return,
        };
        match &mut self.held {
            Some(held) => *held = there,
            None => self.ahead = there - by_time,
        }
        self.round = Some(there - there.rem_euclid(self.count));
    }

    /// Returns the frame of the file at this position.
    fn frame_at(&self, place: Duration) -> i64 {
        let frame = place.as_secs_f64() * self.times.rate.as_f64();
        (frame.round() as i64).clamp(0, self.count - 1)
    }
}

impl VideoFeed for Y4mFeed {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        let by_time = self.times.index_at(at).max(0);
        let at_end = self.transport.at_end();
        // This step comes before any command, because the file may be paused before its first
        // frame.
        self.begin(by_time, at_end);
        // While a scene without this file is shown, nothing requests frames, and the commands wait.
        // A pause that is the first of them began when the file was hidden.
        let before = self.asked.replace(at);
        if before.is_none_or(|before| at.since(before) > STALLED_AFTER) {
            self.late_from = at;
        }
        let hidden_at = before.filter(|before| at.since(*before) > MAX_REQUEST_GAP);
        let mut paused_at = hidden_at.map_or(by_time, |before| self.times.index_at(before).max(0));
        while let Some(go) = self.transport.take() {
            let when = if go == TransportCommand::Pause { paused_at } else { by_time };
            self.handle(go, when);
            paused_at = by_time;
            self.late_from = at;
        }
        self.end(by_time, at_end);
        let due = self.held.unwrap_or(by_time + self.ahead);
        let rate = self.times.rate.as_f64().max(1e-3);
        let seconds = |frames: i64| Duration::from_secs_f64(frames as f64 / rate);
        self.transport.tell(Position {
            paused: self.held.is_some(),
            stopped: self.over,
            at: seconds(due.rem_euclid(self.count)),
            whole: Some(seconds(self.count)),
            item: None,
        });
        self.wanted.store(due, Ordering::Relaxed);
        loop {
            match self.next.take().or_else(|| self.ready.try_recv().ok()) {
                Some(frame) if frame.0 <= due || self.current.is_none() => {
                    self.current = Some(frame);
                }
                later => {
                    self.next = later;
                    break;
                }
            }
        }
        let behind = self.current.as_ref().is_some_and(|(number, _)| {
            // The delay is measured from the due frame, because that frame may have moved.
            due.saturating_sub(*number) as f64
                > (STALLED_AFTER + self.times.rate.period()).as_secs_f64() * rate
        });
        let late = behind && at.since(self.late_from) > STALLED_AFTER;
        match (late, self.status.state()) {
            (true, SourceState::Open) => {
                let reason = problem!("source-disk-silent");
                self.status.down(SourceState::Stalled, reason, "nothing was read for 2 s");
            }
            (false, SourceState::Stalled) => {
                let format = self.status.report().format;
                self.status.open(format);
            }
            _ => {}
        }
        if late {
            return None;
        }
        if self.over && at_end == EndBehavior::Clear {
            let size = self.current.as_ref()?.1.size();
            let blank = self
                .blank
                .get_or_insert_with(|| Arc::new(Pooled::unpooled(Planes::transparent(size))));
            let planes = Arc::clone(blank);
            return Some(VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() });
        }
        self.blank = None;
        self.current.as_ref().map(|(_, frame)| VideoFrame { pts: at, ..frame.clone() })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::base::Clock;
    use crate::media::Size;

    /// Writes a clip of ten frames per second with these values.
    fn clip(frames: impl IntoIterator<Item = u8>) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"YUV4MPEG2 W4 H2 F10:1\n").unwrap();
        for frame in frames {
            file.write_all(b"FRAME\n").unwrap();
            file.write_all(&[frame; 12]).unwrap();
        }
        file
    }

    /// Waits for the reader, which is a separate thread. Returns false if nothing comes.
    fn comes(mut is_there: impl FnMut() -> bool) -> bool {
        (0..30_000).any(|_| {
            let found = is_there();
            if !found {
                Stop::new().wait(Duration::from_millis(1));
            }
            found
        })
    }

    /// Opens a clip for a program of this frame rate, which began at zero.
    fn opened(path: &Path, rate: &str, transport: Transport) -> (Source, FrameGrid) {
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: rate.parse().unwrap() };
        let context = Context { clock: Clock::start(), grid, size: Size::new(4, 2) };
        (open(path, transport, &context).unwrap(), grid)
    }

    #[test]
    fn frames_come_by_time_and_loop() {
        let file = clip(0..5);
        let (mut source, grid) = opened(file.path(), "30", Transport::default());
        // The program requests 30 frames per second from a file with 10.
        for tick in 0..60 {
            let at = grid.instant(tick);
            let want = (tick / 3 % 5) as u8;
            let found =
                comes(|| source.feed.frame(at).map(|frame| frame.planes().y[0]) == Some(want));
            assert!(found, "tick {tick}");
        }
    }

    #[test]
    fn a_clip_that_comes_back_or_is_moved_shows_a_frame_at_once() {
        let file = clip(0..50);
        let transport = Transport::default();
        let (mut source, grid) = opened(file.path(), "10", transport.clone());
        assert!(comes(|| source.feed.frame(grid.instant(0)).is_some()));
        // Another scene was shown for 100 s, and the reader is still at the beginning.
        assert!(source.feed.frame(grid.instant(1_000)).is_some());
        assert_eq!(source.status.state(), SourceState::Open);
        // The reader skips 47 frames.
        transport.ask(TransportCommand::To(Duration::from_millis(4_800)));
        assert!(source.feed.frame(grid.instant(1_001)).is_some());
        assert_eq!(source.status.state(), SourceState::Open);
    }

    #[test]
    fn a_clip_is_paused_and_moved_about_in() {
        let file = clip(0..50);
        let transport = Transport::default();
        let (mut source, grid) = opened(file.path(), "10", transport.clone());
        let mut check = |tick: i64, go: Option<TransportCommand>, want: u8| {
            if let Some(go) = go {
                transport.ask(go);
            }
            let at = grid.instant(tick);
            let found =
                comes(|| source.feed.frame(at).map(|frame| frame.planes().y[0]) == Some(want));
            assert!(found, "tick {tick} {go:?}");
            transport.position().unwrap()
        };
        check(0, None, 0);
        check(10, None, 10);
        let position = check(12, Some(TransportCommand::Pause), 12);
        assert!(position.paused && position.at == Duration::from_millis(1_200));
        assert_eq!(position.whole, Some(Duration::from_secs(5)));
        check(40, None, 12);
        check(41, Some(TransportCommand::To(Duration::from_secs(3))), 30);
        check(60, None, 30);
        check(70, Some(TransportCommand::Resume), 30);
        check(75, None, 35);
        check(80, Some(TransportCommand::To(Duration::from_secs(1))), 10);
        check(85, Some(TransportCommand::Restart), 0);
        check(88, Some(TransportCommand::To(Duration::from_secs(99))), 49);
    }

    #[test]
    fn a_hidden_clip_is_paused_goes_on_or_begins_again() {
        use crate::media::playback_control::TransportCommand::{Pause, Restart, Resume};
        let file = clip(0..50);
        let transport = Transport::default();
        let (mut source, grid) = opened(file.path(), "10", transport.clone());
        let mut check = |tick: i64, want: u8, hidden: &[TransportCommand]| {
            hidden.iter().for_each(|go| transport.ask(*go));
            let at = grid.instant(tick);
            let found =
                comes(|| source.feed.frame(at).map(|frame| frame.planes().y[0]) == Some(want));
            assert!(found, "tick {tick} {hidden:?}");
        };
        check(12, 12, &[]);
        check(1_000, 12, &[Pause, Resume]);
        check(1_005, 17, &[]);
        check(1_105, 17, &[]);
        check(2_000, 17, &[Pause, Resume, Pause, Resume]);
        check(3_000, 0, &[Pause, Restart, Resume]);
        check(3_005, 5, &[]);
        check(4_010, 0, &[Restart, Pause, Resume]);
        check(4_015, 5, &[]);
    }

    #[test]
    fn a_clip_that_is_played_once_ends_as_it_is_to() {
        let file = clip(1..=10);
        let clock = Clock::start();
        // The session has run for a while.
        let origin = clock.now().offset(-12_340_000);
        let grid = FrameGrid { origin, rate: "10".parse().unwrap() };
        let context = Context { clock, grid, size: Size::new(4, 2) };
        let transport = Transport::default();
        transport.set_at_end(EndBehavior::Clear);
        let mut source = open(file.path(), transport.clone(), &context).unwrap();
        let status = Arc::clone(&source.status);
        let begin = 123;
        let mut check = |tick: i64, want: Option<u8>| {
            let found = comes(|| {
                let seen = source.feed.frame(grid.instant(begin + tick)).map(|seen| {
                    let clear = seen.planes().alpha.as_ref().is_some_and(|alpha| alpha[0] == 0);
                    (!clear).then(|| seen.planes().y[0])
                });
                seen == Some(want)
            });
            assert!(found, "tick {tick}");
            transport.position().unwrap().paused
        };
        // The file begins with its first frame, regardless of the time.
        assert!(!check(0, Some(1)) && !check(9, Some(10)));
        assert!(check(10, None), "it has been played to its end");
        assert!(check(500, None));
        transport.ask(TransportCommand::Pause);
        assert!(check(501, None), "there is nothing to pause");
        transport.set_at_end(EndBehavior::Hold);
        assert!(check(502, Some(10)));
        transport.set_at_end(EndBehavior::Clear);
        transport.ask(TransportCommand::Resume);
        assert!(!check(600, Some(1)) && !check(609, Some(10)) && check(610, None));
        transport.ask(TransportCommand::To(Duration::from_millis(700)));
        assert!(!check(700, Some(8)) && !check(702, Some(10)) && check(703, None));
        transport.ask(TransportCommand::Restart);
        assert!(!check(800, Some(1)) && !check(805, Some(6)));
        transport.ask(TransportCommand::Restart);
        assert!(!check(806, Some(1)) && !check(815, Some(10)) && check(816, None));
        transport.set_at_end(EndBehavior::Loop);
        assert!(!check(900, Some(1)) && !check(914, Some(5)), "it goes around");
        transport.set_at_end(EndBehavior::Hold);
        assert!(!check(915, Some(6)) && check(930, Some(10)));
        assert_eq!(status.state(), SourceState::Open, "that is no fault");
    }

    #[test]
    fn a_clip_that_is_played_once_and_paused_before_its_first_frame_goes_on_from_there() {
        let file = clip(1..=10);
        let clock = Clock::start();
        let origin = clock.now().offset(-12_340_000);
        let grid = FrameGrid { origin, rate: "10".parse().unwrap() };
        let context = Context { clock, grid, size: Size::new(4, 2) };
        let transport = Transport::default();
        transport.set_at_end(EndBehavior::Hold);
        let mut source = open(file.path(), transport.clone(), &context).unwrap();
        transport.ask(TransportCommand::Pause);
        let mut check = |tick: i64, want: u8| {
            let found = comes(|| {
                let seen = source.feed.frame(grid.instant(123 + tick));
                seen.map(|frame| frame.planes().y[0]) == Some(want)
            });
            assert!(found, "tick {tick}");
            transport.position().unwrap().paused
        };
        assert!(check(0, 1) && check(50, 1));
        transport.ask(TransportCommand::Resume);
        assert!(!check(60, 1) && !check(65, 6) && !check(69, 10));
        assert!(check(70, 10), "it has been played to its end");
    }

    #[test]
    fn what_is_no_clip_says_why() {
        let clock = Clock::start();
        let grid = FrameGrid { origin: Timestamp::ZERO, rate: "30".parse().unwrap() };
        let context = Context { clock, grid, size: Size::new(4, 2) };
        for path in
            ["/nonexistent/clip.y4m", "/", concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml")]
        {
            let fault =
                open(Path::new(path), Transport::default(), &context).unwrap_err().to_string();
            assert!(fault.contains(path), "{fault}");
        }
    }

    #[test]
    fn a_pipe_is_no_clip_and_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.y4m");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (tell, reasons) = queue::bounded("test", 1, Full::Block);
        // Another thread opens the pipe, because an attempt that blocks would never end.
        let _worker = Worker::spawn("test", move |_| {
            let grid = FrameGrid { origin: Timestamp::ZERO, rate: "30".parse().unwrap() };
            let context = Context { clock: Clock::start(), grid, size: Size::new(4, 2) };
            let error = open(&pipe, Transport::default(), &context).unwrap_err();
            tell.send(error.to_string()).unwrap();
        })
        .unwrap();
        let reason = reasons.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(reason.contains("regular file"), "{reason}");
    }
}
