//! A file or a remote stream as a source of the program: the player's engine, whose frames and
//! audio go into feeds instead of to a screen and a speaker.
//!
//! The mixer is the player's audio device. Audio that it reads counts as played, so the player's
//! clock is the program's clock, and video stays in sync with audio as with a real speaker. The
//! player works `PLAYER_LEAD` ahead, so that each frame is ready before its time. A thread watches
//! the player, reopens it after its end or failure, and reports its state.

pub(crate) mod alpha;
pub mod clip;
mod frame_times;
mod mixer_queue;
mod playlist;
mod playlist_position;
mod reopen_wait;
mod skipped_files;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::{Clock, FileStamp, Latest, Pooled, Stop, Timestamp, Worker, partial_debug};
use crate::media::playback_control::{EndBehavior, Position, TransportCommand};
use crate::media::source_status::{SourceFormat, SourceReport, SourceState, SourceStatus};
use crate::media::{AudioFeed, Color, Planes, Pulled, Size, Transport, VideoFeed, VideoFrame};
use crate::net::Runtime;
use crate::player::handle::Player;
use crate::player::session::config::{Config, Source};
use crate::player::session::gapless::NextFile;
use crate::player::source::frame_times::FrameTimes;
use crate::player::source::mixer_queue::{MixerQueue, MixerSpeaker};
use crate::player::source::playlist_position::PlaylistPosition;
use crate::player::source::reopen_wait::ReopenWait;
use crate::player::source::skipped_files::SkippedFiles;
use crate::player::state::{Failure, Figures, State};
use crate::text::Problem;
use crate::text::problem::problem;

/// How far the player runs ahead of the program.
const PLAYER_LEAD: Duration = Duration::from_millis(60);
/// Maximum number of frames that wait for their time.
const MAX_QUEUED_FRAMES: usize = 16;
/// Interval between checks of the player.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Interval between attempts to open a missing source.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum time for which the last frame is shown without a new one.
const STALL_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for the player to end.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

/// The context of a source: the program's format and clock.
#[derive(Copy, Clone, Debug)]
pub struct Context {
    /// The session clock.
    pub clock: Clock,
    /// Audio sample rate in Hz.
    pub rate: u32,
    /// Number of audio channels.
    pub channels: u16,
    /// The initial end behavior of a file.
    pub at_end: EndBehavior,
}

/// Video and audio of one source. Either can be dropped; the player ends once both are dropped.
pub struct MediaSource {
    pub video: Box<dyn VideoFeed>,
    pub audio: Box<dyn AudioFeed>,
    /// The state of the video.
    pub video_status: Arc<SourceStatus>,
    /// The state of the audio.
    pub audio_status: Arc<SourceStatus>,
    /// Valid as long as the video feed exists.
    pub video_held: Weak<()>,
    /// Valid as long as the audio feed exists.
    pub audio_held: Weak<()>,
    /// Controls for pause and seeking.
    pub transport: Transport,
}

partial_debug!(MediaSource { video_status });

/// Opens a file or stream. Only the source, the buffer and the network options of `config` apply.
///
/// # Errors
/// Fails if the file cannot be read, the URL is invalid, or the system cannot start threads.
pub fn open(config: &Config, context: &Context, runtime: &Runtime) -> Result<MediaSource, Failure> {
    open_list(config, &[], context, runtime)
}

/// Works like [`open`], with the files that follow the first one. If there are any, the first file
/// need not be readable.
///
/// # Errors
/// Fails with the same errors as [`open`].
pub fn open_list(
    config: &Config,
    then: &[PathBuf],
    context: &Context,
    runtime: &Runtime,
) -> Result<MediaSource, Failure> {
    let name = match &config.source {
        Source::File(path) => {
            if then.is_empty() {
                crate::player::demux::file_samples::open(path)?;
            }
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        Source::Url(url) => plain(url),
    };
    let status = || SourceStatus::new("", name.clone());
    let shared = Arc::new(Shared {
        waiting: Mutex::default(),
        audio: Arc::new(MixerQueue::new(
            context.clock,
            context.rate,
            context.channels,
            PLAYER_LEAD,
        )),
        video_status: status(),
        audio_status: status(),
    });
    let transport = Transport::default();
    transport.set_at_end(context.at_end);
    transport.set_then(then);
    let (sequel, list) = match &config.source {
        Source::File(path) => {
            (Some(NextFile::default()), PlaylistPosition::new(vec![path.clone()]))
        }
        Source::Url(_) => (None, PlaylistPosition::default()),
    };
    let config = Config { sequel, speaker: true, ..config.clone() };
    let keeper = SourceThread {
        transport: transport.clone(),
        shared: Arc::clone(&shared),
        config,
        clock: context.clock,
        runtime: runtime.clone(),
        name,
        ends: Cell::default(),
        list: RefCell::new(list),
        wanted: Cell::default(),
        followed: Cell::default(),
        opened: Cell::default(),
        reopen_wait: Cell::default(),
        left_out: RefCell::default(),
    };
    // Invalid sources are reported at once.
    let first = keeper.start(None)?;
    let worker = Worker::spawn("media-source", move |stop| keeper.run(first, stop));
    let worker = Arc::new(worker.map_err(|error| crate::player::handle::no_threads(&error))?);
    let (video_held, audio_held) = (Arc::new(()), Arc::new(()));
    Ok(MediaSource {
        video_status: Arc::clone(&shared.video_status),
        audio_status: Arc::clone(&shared.audio_status),
        video_held: Arc::downgrade(&video_held),
        audio_held: Arc::downgrade(&audio_held),
        audio: Box::new(SourceAudio {
            queue: Arc::clone(&shared.audio),
            _worker: Arc::clone(&worker),
            _held: audio_held,
        }),
        video: Box::new(SourceVideo {
            shared,
            shown: None,
            blank: None,
            asked: None,
            _worker: worker,
            _held: video_held,
        }),
        transport,
    })
}

/// Returns a URL without private parts: user, password, the stream's name, the query.
pub fn plain(url: &str) -> String {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    format!("{scheme}://{}", host_of(url))
}

/// Returns the host and port of a URL, without user and password.
pub fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#']).next().unwrap_or("");
    host.rsplit_once('@').map_or(host, |(_, host)| host)
}

/// The queue of video frames.
#[derive(Default)]
struct VideoQueue {
    /// Future frames. The `pts` of each is [`PLAYER_LEAD`] before the time at which it is due.
    frames: VecDeque<VideoFrame>,
    /// The times of the last frames.
    times: FrameTimes,
    /// The size of the last frame.
    size: Option<Size>,
    /// True if the source has ended and shows nothing.
    over: bool,
}

/// Data shared by the player and the feeds.
struct Shared {
    waiting: Mutex<VideoQueue>,
    audio: Arc<MixerQueue>,
    video_status: Arc<SourceStatus>,
    audio_status: Arc<SourceStatus>,
}

impl Shared {
    /// Returns a slot for a player, whose frames go to the queue.
    fn screen(self: &Arc<Self>) -> Latest<VideoFrame> {
        let (screen, shared) = (Latest::default(), Arc::clone(self));
        screen.on_value(move |frame| shared.take(frame));
        screen
    }

    fn take(&self, frame: VideoFrame) {
        let mut waiting = self.waiting.lock();
        // The feed was not read, or the compositor was late.
        if waiting.frames.len() >= MAX_QUEUED_FRAMES {
            waiting.frames.pop_front();
        }
        waiting.times.push(frame.pts.as_micros());
        waiting.size = Some(frame.size());
        waiting.frames.push_back(frame);
    }

    /// Returns the format of the video in this size. The frame rate is measured until it is known.
    fn video_format(&self, size: Size, known: &SourceReport) -> SourceFormat {
        let is_known = matches!(known.format, SourceFormat::Video { size: before, fps }
            if before == size && fps > 0.0 && known.state == SourceState::Open);
        if is_known {
            return known.format;
        }
        let times = self.waiting.lock().times.clone();
        SourceFormat::Video { size, fps: times.rate() }
    }

    fn down(&self, state: SourceState, reason: &Problem, detail: &str) {
        self.video_status.down(state, reason.clone(), detail);
        self.audio_status.down(state, reason.clone(), detail);
    }
}

/// The compositor's side of the source.
struct SourceVideo {
    shared: Arc<Shared>,
    /// The shown frame and its time.
    shown: Option<(VideoFrame, Timestamp)>,
    /// An empty frame of the same size, shown after the end.
    blank: Option<Arc<Pooled<Planes>>>,
    /// The last requested time.
    asked: Option<Timestamp>,
    _worker: Arc<Worker>,
    _held: Arc<()>,
}

impl VideoFeed for SourceVideo {
    fn frame(&mut self, at: Timestamp) -> Option<VideoFrame> {
        // The frame nearest to the requested time: within half of the program's frame period.
        let period = self.asked.replace(at).map_or(Duration::ZERO, |before| at.since(before));
        let half = period.min(PLAYER_LEAD) / 2;
        let over = {
            let mut waiting = self.shared.waiting.lock();
            while let Some(frame) = waiting.frames.front() {
                let due = frame.pts + PLAYER_LEAD;
                if due > at + half {
                    break;
                }
                self.shown = waiting.frames.pop_front().map(|frame| (frame, due));
                // The source plays again.
                waiting.over = false;
            }
            waiting.size.filter(|_| waiting.over)
        };
        let blank = self.blank.take();
        if let Some(size) = over {
            let planes = blank
                .filter(|blank| blank.size() == size)
                .unwrap_or_else(|| Arc::new(Pooled::unpooled(Planes::transparent(size))));
            self.blank = Some(Arc::clone(&planes));
            return Some(VideoFrame { pts: at, color: Color::PROGRAM, surface: planes.into() });
        }
        let (frame, due) = self.shown.as_ref()?;
        if at.since(*due) > STALL_TIMEOUT && self.shared.video_status.state() != SourceState::Open {
            self.shown = None;
            return None;
        }
        Some(VideoFrame { pts: at, ..frame.clone() })
    }
}

/// The mixer's side of the source.
struct SourceAudio {
    queue: Arc<MixerQueue>,
    _worker: Arc<Worker>,
    _held: Arc<()>,
}

impl AudioFeed for SourceAudio {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        self.queue.pull(at, out)
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// The thread that watches the player.
struct SourceThread {
    transport: Transport,
    shared: Arc<Shared>,
    config: Config,
    clock: Clock,
    runtime: Runtime,
    name: String,
    ends: Cell<EndState>,
    /// The current file of a list.
    list: RefCell<PlaylistPosition>,
    /// The requested file of the list.
    wanted: Cell<Option<usize>>,
    /// The number of list changes at the last check.
    followed: Cell<Option<u32>>,
    /// The stamp of the current file before it was opened.
    opened: Cell<Option<FileStamp>>,
    reopen_wait: Cell<ReopenWait>,
    /// Files of the list that cannot be played.
    left_out: RefCell<SkippedFiles>,
}

/// The end behavior of the current file.
#[derive(Copy, Clone, Debug, Default)]
struct EndState {
    /// True if playback ends after the current file.
    once: bool,
    /// The value of `once` at the last check.
    last: bool,
}

impl EndState {
    /// Returns true if playback now ends after the file, unlike at the last check.
    const fn follow(&mut self, once: bool) -> bool {
        let begins = once && !self.last;
        *self = Self { once: self.once || once, last: once };
        begins
    }
}

impl SourceThread {
    /// Opens the source at this position.
    fn start(&self, place: Option<Duration>) -> Result<Player, Failure> {
        self.ends.take();
        let screen = self.shared.screen();
        let audio = Arc::clone(&self.shared.audio);
        let speaker: Arc<crate::player::present::speaker::Open> =
            Arc::new(move |rate, channels, _| {
                MixerSpeaker::new(Arc::clone(&audio), rate, channels)
                    .map(|it| Box::new(it) as Box<dyn crate::player::decode::audio::Speaker>)
                    .map_err(Problem::from)
            });
        let file = self.list.borrow().file().map(|file| Source::File(file.to_owned()));
        let source = file.unwrap_or_else(|| self.config.source.clone());
        if let (Some(sequel), Source::File(path)) = (&self.config.sequel, &source) {
            sequel.begin(path);
        }
        self.goes_around();
        self.opened.set(self.stamp());
        let start = place.or(self.config.start);
        let config = Config { start, source, ..self.config.clone() };
        Player::open_with(&config, &self.runtime, self.clock, screen, Some(speaker))
    }

    fn run(&self, first: Player, stop: &Stop) {
        let mut player = first;
        loop {
            let ended = self.watch(&mut player, stop);
            let mut paused = player.is_paused();
            player.stop(STOP_TIMEOUT);
            let Some(mut ended) = ended else { return };
            player = loop {
                match self.again(&ended, &mut paused, stop) {
                    None => return,
                    Some(Ok(next)) => break next,
                    Some(Err(failure)) => ended = State::Failed(failure),
                }
            };
            // A pause that follows a restart takes effect before the file plays.
            player.pause(paused || self.pauses_next());
        }
    }

    /// Watches a player until it ends. Returns `None` if the source is no longer needed.
    fn watch(&self, player: &mut Player, stop: &Stop) -> Option<State> {
        let (mut shown, mut alive) = (0, self.clock.now());
        loop {
            if stop.wait(POLL_INTERVAL) {
                return None;
            }
            while player.events().try_recv().is_ok() {}
            self.follow_list();
            while let Some(go) = self.transport.take() {
                if let Some(file) = self.other(go) {
                    self.wanted.set(Some(file));
                    return Some(State::Ended);
                }
                self.handle(player, go);
            }
            self.follow_end(player);
            self.lead_on(player);
            self.place(player);
            let now = self.clock.now();
            let figures = player.figures();
            let progress = figures.shown + figures.audio_samples;
            // A paused player does not advance.
            if progress != shown || player.is_paused() {
                (shown, alive) = (progress, now);
            }
            match player.state() {
                State::Playing if now.since(alive) <= STALL_TIMEOUT => self.open(&figures),
                State::Playing => {
                    let reason = problem!("play-source-stopped", name = &self.name);
                    if self.shared.video_status.state() == SourceState::Open {
                        self.shared.down(SourceState::Stalled, &reason, "nothing came for 2 s");
                    }
                }
                State::Reconnecting { cause, .. } => {
                    let reason = problem!("play-source-lost", name = &self.name);
                    if self.shared.video_status.state() != SourceState::Lost {
                        self.shared.down(SourceState::Lost, &reason, &cause.to_string());
                    }
                }
                State::Starting | State::Opening { .. } => {}
                State::Ended => return Some(self.ended()),
                state @ State::Failed(_) => return Some(state),
            }
        }
    }

    /// Returns true if the current file loops. Also informs the player.
    fn goes_around(&self) -> bool {
        // A file that was removed from a list ends, even if the list is a single file now.
        let around = self.transport.goes_around() && !self.list.borrow().is_gone();
        if let Some(sequel) = &self.config.sequel {
            sequel.set_around(around);
        }
        around
    }

    /// Ends a looping file, or loops one that would end.
    fn follow_end(&self, player: &Player) {
        let once = !self.goes_around();
        let mut ends = self.ends.get();
        let begins = ends.follow(once);
        self.ends.set(ends);
        if !player.is_read_beyond() {
            return;
        }
        // The file was read completely.
        self.reopen_wait.take();
        // The file should end after this pass, but the next pass is already being read.
        if begins {
            self.seek(player, self.at(player));
        }
    }

    /// Reports the position. For a looped file, the position counts from the beginning of each
    /// pass.
    fn place(&self, player: &Player) {
        let whole = player.duration().filter(|whole| !whole.is_zero());
        let at = self.at(player);
        let (paused, item) = (player.is_paused(), self.item());
        self.transport.tell(Position { paused, stopped: false, at, whole, item });
    }

    /// Returns the position in the file, not counting earlier passes and earlier files.
    fn at(&self, player: &Player) -> Duration {
        let whole = player.duration().filter(|whole| !whole.is_zero());
        let begins = self.config.sequel.as_ref().map_or(Duration::ZERO, NextFile::begins);
        let at = player.position().saturating_sub(begins);
        let around = whole.map(|whole| at.as_secs_f64() % whole.as_secs_f64());
        around.map_or(at, Duration::from_secs_f64)
    }

    /// Seeks in the current file; has no effect on a stream without seeking.
    fn seek(&self, player: &Player, place: Duration) {
        if player.seek(place)
            && let Some(sequel) = &self.config.sequel
        {
            sequel.part();
        }
    }

    fn handle(&self, player: &Player, go: TransportCommand) {
        match go {
            TransportCommand::Pause => player.pause(true),
            TransportCommand::Resume => player.pause(false),
            TransportCommand::Restart => self.seek(player, Duration::ZERO),
            TransportCommand::To(place) => self.seek(player, place),
            TransportCommand::Next | TransportCommand::Previous => {}
        }
    }

    fn open(&self, figures: &Figures) {
        let known = self.shared.video_status.report();
        if let Some(size) = figures.size {
            // The rate takes a moment to measure, and is then reported once.
            let format = self.shared.video_format(size, &known);
            if known.state != SourceState::Open || known.format != format {
                self.shared.video_status.open(format);
            }
        } else if known.state != SourceState::Open && figures.playing_for > STALL_TIMEOUT {
            // The source has only audio.
            self.shared.video_status.open(SourceFormat::Unknown);
        }
        let (rate, channels) = self.shared.audio.format();
        let silent = figures.audio_samples == 0 && figures.playing_for > STALL_TIMEOUT;
        let format =
            if silent { SourceFormat::Unknown } else { SourceFormat::Audio { rate, channels } };
        self.shared.audio_status.open(format);
    }

    fn tell(&self, ended: &State) {
        let list = self.list.borrow();
        let name = match list.file().and_then(|file| file.file_name()) {
            Some(name) => &*name.to_string_lossy(),
            None => &*self.name,
        };
        let is_gone = || list.file().is_some_and(|file| !file.exists());
        let (state, reason) = match ended {
            State::Failed(failure) => {
                let reason = match &failure.problem {
                    // The file played before.
                    _ if is_gone() => problem!("source-file-gone", file = name),
                    // A message about a file already contains its name.
                    reason if failure.to_string().contains(name) => reason.clone(),
                    reason => problem!("play-source-unplayable", name = name, reason = reason),
                };
                (SourceState::Failed, reason)
            }
            _ => (SourceState::Lost, problem!("play-source-ended", name = name)),
        };
        self.shared.down(state, &reason, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_time_that_a_file_is_to_end_is_noticed() {
        let mut ends = EndState::default();
        let noticed = [false, true, true, false, true].map(|once| ends.follow(once));
        assert_eq!(noticed, [false, true, false, false, true]);
        ends.follow(false);
        assert!(ends.once, "it was to end there at some time");
    }

    #[test]
    fn the_rate_is_measured_and_the_slot_of_a_player_is_dropped_with_the_player() {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            audio: Arc::new(MixerQueue::new(Clock::start(), 48_000, 2, PLAYER_LEAD)),
            video_status: SourceStatus::new("", "film.mp4".to_owned()),
            audio_status: SourceStatus::new("", "film.mp4".to_owned()),
        });
        let screen = shared.screen();
        let planes = Arc::new(Pooled::unpooled(Planes::transparent(Size::new(2, 2))));
        let show = |micros: i64| {
            let (pts, color) = (Timestamp::from_micros(micros), Color::PROGRAM);
            screen.publish(VideoFrame { pts, color, surface: Arc::clone(&planes).into() });
        };
        (0..24).for_each(|n| show(n * 40_000));
        let size = Size::new(2, 2);
        let format = |fps| SourceFormat::Video { size, fps };
        let mut known = SourceReport { state: SourceState::Open, ..SourceReport::default() };
        assert_eq!(shared.video_format(size, &known), format(25.0));
        known.format = format(30.0);
        assert_eq!(shared.video_format(size, &known), format(30.0), "it is known");
        known.state = SourceState::Lost;
        assert_eq!(shared.video_format(size, &known), format(25.0), "it may be another one");
        shared.waiting.lock().frames.truncate(1);
        shared.waiting.lock().frames.pop_front().unwrap();
        drop(screen);
        assert_eq!((Arc::strong_count(&shared), Arc::strong_count(&planes)), (1, 1));
    }

    #[test]
    fn names_of_streams_hold_no_secrets() {
        assert_eq!(plain("rtmp://me:secret@host:1935/live/key?token=1"), "rtmp://host:1935");
        assert_eq!(plain("https://host/live/key.flv"), "https://host");
    }
}
