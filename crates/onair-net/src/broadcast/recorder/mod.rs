//! Writes the stream to a file on a separate thread. The file name determines the format.
//!
//! The file is playable at any time. Complete units are appended at least once per second, and are
//! on the disk (not only in the system's cache) within two seconds. A clean end gives the file a
//! duration and an index. An error (disk full, read-only, folder gone) ends the recording at a
//! point up to which the file is playable, and affects nothing else.

mod commands;
#[cfg(test)]
mod end_tests;
mod file;
#[cfg(test)]
mod full_disk_tests;
pub mod journal;
mod opus;
#[cfg(test)]
mod panic_tests;
mod parts;
pub mod remux;
pub mod replay;
mod timeline;
mod try_out;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

pub use crate::broadcast::recorder::file::{Error, ExtraAudioTrack, RecordedTracks, State};
pub use crate::broadcast::recorder::remux::{remux, repair};
pub use crate::broadcast::recorder::replay::Replay;
pub use crate::broadcast::recorder::try_out::try_out;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Stop, Timestamp, Worker};
use crate::broadcast::hub::backlog::Limits;
use crate::broadcast::hub::opus::SourceAudio;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::subscription::{NextPacket, Subscription, SubscriptionQueue};
use crate::broadcast::hub::{Hub, HubFeed};
use crate::broadcast::output::{LinkEstimate, Output, OutputState};
use crate::broadcast::recorder::file::File;
use crate::broadcast::recorder::journal::Entry;
use crate::broadcast::recorder::timeline::Timeline;
use crate::broadcast::recorder::try_out::enough_room;
use crate::files::disk_space::{DiskChange, SpaceReading, SpaceWatch};
use crate::files::{self, Trouble};
use crate::media::{EncodedPacket, RenditionId, StreamConfig, StreamEvent, Track};
use crate::wire::container::{Format, Tracks};

/// Interval at which data is written.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);
/// Interval at which data is flushed to the disk, and the disk is checked.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which the thread checks whether it should stop.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The time for which packets may still arrive at the end, in addition to the audio delay. This time
/// is longer than the time for which the hub waits for a late track.
const END_GRACE: Duration = Duration::from_millis(600);
/// Maximum number of unread events.
const MAX_UNREAD_EVENTS: usize = 64;
/// Maximum number of commands that wait to be executed.
const MAX_PENDING_COMMANDS: usize = 64;

/// The counters of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The path of the file, whose name can differ from the requested one, because files are never
    /// overwritten.
    pub path: PathBuf,
    pub state: State,
    /// The duration of the media in the file.
    pub duration: Duration,
    pub bytes: u64,
    /// Frames lost because the disk was too slow for half a minute.
    pub dropped_frames: u64,
    /// True if nothing is written until the recording resumes.
    pub paused: bool,
    /// The number of the file of a split recording, from 1.
    pub part: u32,
    /// The duration of the previous files.
    pub earlier: Duration,
    /// The number of chapters in this file.
    pub chapters: u32,
}

/// The conditions under which a recording continues in a new file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Starts a new file after this duration.
    pub every: Option<Duration>,
    /// Starts a new file before the current one becomes larger than this many bytes.
    pub bytes: Option<u64>,
}

/// The options of a recording.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub split: Split,
    /// The folder of the journal; `None` means no journal.
    pub journal: Option<PathBuf>,
    /// The audio tracks. The hub must already get the extra tracks.
    pub audio_tracks: RecordedTracks,
    /// The recording begins with a keyframe after this DTS, instead of with the latest one.
    pub after: Option<Timestamp>,
}

/// An event of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A file was created.
    Began(Figures),
    /// A file of a split recording is complete, and the recording continues in the next one.
    Parted(Figures),
    /// The recording was paused or resumed.
    Paused(Figures),
    /// The recording has ended, and its state contains the reason.
    Over(Figures),
    /// A chapter was set at this position in the file.
    Chapter { at: Duration, title: String },
    /// A warning about the disk, or the end of a warning.
    Disk(DiskChange),
    /// The next file cannot be created. The recording continues in the current file and retries;
    /// [`Event::Began`] follows.
    Held(Error),
}

#[derive(Clone, Debug)]
enum RecorderCommand {
    Pause,
    Resume,
    Chapter(String),
    Split,
}

/// A command and the moment of its request.
#[derive(Clone, Debug)]
struct PendingCommand {
    command: RecorderCommand,
    /// The number of packets in the hub at the request.
    given: u64,
    /// The latest DTS among these packets, or `None` while it is unknown.
    reach: Option<Timestamp>,
}

/// A running recording. Dropping the recorder finalizes the file, without waiting.
pub struct Recorder {
    figures: Arc<Mutex<Figures>>,
    events: Receiver<Event>,
    orders: Sender<PendingCommand>,
    worker: Worker,
    ended: Stop,
    feed: HubFeed,
    /// The queue of the recorder's subscription.
    waiting: Weak<SubscriptionQueue>,
    /// The number of packets in the hub when the end was requested.
    mark: Arc<Mutex<Option<u64>>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("figures", &*self.figures.lock()).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records to `path` or, if this path exists, to `NAME-1.mp4`, `NAME-2.mp4`…, and creates
    /// missing folders. The recording begins with the latest keyframe.
    ///
    /// # Errors
    /// Fails if the file cannot be created, its extension is unknown, or the disk is nearly full.
    pub fn start(path: &Path, hub: &Hub) -> Result<Self, Error> {
        Self::start_with(path, hub, Options::default())
    }

    /// Works like [`Recorder::start`], but with options.
    ///
    /// # Errors
    /// Fails with the same errors as [`Recorder::start`].
    pub fn start_with(path: &Path, hub: &Hub, options: Options) -> Result<Self, Error> {
        let mut config = hub.config().clone();
        if let (Some(video), Some(now)) = (&mut config.video, hub.latest(RenditionId::Main)) {
            video.clone_from(&now.video);
        }
        let format = Format::of_path(path).ok_or_else(|| Error::of(path, Trouble::Format))?;
        // Files of other formats are usually played with AAC.
        let opus = Some(hub.feed()).filter(|_| format == Format::Mkv);
        let opus = opus.and_then(|feed| feed.opus().replace(&mut config));
        let tracks = options.audio_tracks.tracks(&config);
        let file = File::create(path, format, &tracks)?;
        if let Err(error) = enough_room(file.path(), 0) {
            // An empty file has no use.
            let _ = std::fs::remove_file(file.path());
            return Err(error);
        }
        Self::write_to(file, path, (format, tracks), (&config, opus), hub, options)
    }

    /// Records to this file, which was requested under the path `asked`.
    fn write_to(
        file: File,
        asked: &Path,
        (format, tracks): (Format, Tracks),
        (config, opus): (&StreamConfig, Option<SourceAudio>),
        hub: &Hub,
        options: Options,
    ) -> Result<Self, Error> {
        let figures = Figures { path: file.path().to_owned(), part: 1, ..Figures::default() };
        let figures = Arc::new(Mutex::new(figures));
        let (sender, events) =
            queue::bounded("recorder events", MAX_UNREAD_EVENTS, Full::DropOldest);
        let (orders, waiting_orders) =
            queue::bounded("recorder orders", MAX_PENDING_COMMANDS, Full::DropOldest);
        let ended = Stop::new();
        let mark = Arc::new(Mutex::new(None));
        let bitrate = config.video.as_ref().map_or(0, |it| u64::from(it.bitrate.0))
            + config.audio.as_ref().map_or(0, |it| u64::from(it.bitrate.0))
            + options.audio_tracks.bitrate();
        let name = format!("recorder {}", asked.display());
        let extras = Some(options.audio_tracks.wanted()).filter(|extras| !extras.is_empty());
        let subscription = hub.subscribe_after(name, Limits::FILE, options.after, extras);
        let waiting = Arc::downgrade(&subscription.line);
        let writer = Writer {
            asked: asked.to_owned(),
            format,
            tracks,
            subscription,
            feed: hub.feed(),
            figures: Arc::clone(&figures),
            events: sender,
            orders: waiting_orders,
            pending: VecDeque::new(),
            paused: false,
            ended: ended.clone(),
            mark: Arc::clone(&mark),
            timeline: Timeline::new(config),
            opus,
            watch: SpaceWatch::new(bitrate),
            begun: Instant::now(),
            flushed: Instant::now(),
            synced: Instant::now(),
            earlier_bytes: 0,
            group_began: 0,
            largest_group: 0,
            split_wanted: false,
            keyframe_asked: false,
            held: None,
            dropped_without_file: 0,
            chapters: 0,
            entry: enter(&options, file.path()),
            options,
            file,
        };
        let created = writer.file.path().to_owned();
        let worker = Worker::spawn("onair-record", move |stop| writer.run_contained(stop));
        let worker = worker.map_err(|error| {
            let _ = std::fs::remove_file(created);
            Error::new(asked, &error)
        })?;
        Ok(Self { figures, events, orders, worker, ended, feed: hub.feed(), waiting, mark })
    }

    /// Returns the counters of the recording.
    pub fn figures(&self) -> Figures {
        self.figures.lock().clone()
    }

    /// Returns the events. The first event is [`Event::Began`].
    pub fn events(&self) -> &Receiver<Event> {
        &self.events
    }

    /// Pauses the recording. Packets from before this call that still arrive are written.
    pub fn pause(&self) {
        self.order(RecorderCommand::Pause);
    }

    /// Resumes at the next keyframe, without a gap in the file.
    pub fn resume(&self) {
        self.order(RecorderCommand::Resume);
    }

    /// Adds a chapter at the current position. If the title is empty, the chapter's number becomes
    /// the title.
    pub fn chapter(&self, title: &str) {
        self.order(RecorderCommand::Chapter(title.to_owned()));
    }

    /// Continues in a new file at the next keyframe.
    pub fn split(&self) {
        self.order(RecorderCommand::Split);
    }

    fn order(&self, command: RecorderCommand) {
        let given = self.feed.given();
        let reach = self.feed.reach(given);
        // A recording that has ended executes no commands.
        let _ = self.orders.send(PendingCommand { command, given, reach });
    }

    /// Writes all packets that are in the hub now, finalizes the file and waits for at most
    /// `limit`.
    pub fn finish(mut self, limit: Duration) -> Figures {
        self.stop(limit);
        self.figures()
    }
}

impl Output for Recorder {
    fn state(&self) -> OutputState {
        match self.figures.lock().state {
            State::Writing => OutputState::Running,
            State::Finished => OutputState::Ended,
            State::Failed(_) => OutputState::Failed,
        }
    }

    fn estimate(&self) -> Option<LinkEstimate> {
        None
    }

    fn backlog(&self) -> Duration {
        self.waiting.upgrade().map(|line| Subscription { line }.queued()).unwrap_or_default()
    }

    fn ask_to_stop(&self, _: Duration) {
        self.mark.lock().get_or_insert_with(|| self.feed.given());
        self.ended.set();
    }

    fn stop(&mut self, limit: Duration) {
        self.ask_to_stop(limit);
        if let Err(stuck) = self.worker.wait(limit) {
            let mut figures = self.figures.lock();
            if figures.state == State::Writing {
                tracing::warn!(%stuck, "finishing a recording failed");
                figures.state = State::Failed(Error::of(&figures.path, Trouble::Slow));
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.ended.set();
    }
}

/// The state of the recorder's thread.
struct Writer {
    /// The requested path.
    asked: PathBuf,
    format: Format,
    tracks: Tracks,
    options: Options,
    subscription: Subscription,
    feed: HubFeed,
    figures: Arc<Mutex<Figures>>,
    events: Sender<Event>,
    orders: Receiver<PendingCommand>,
    /// Commands whose moment has not reached the subscription yet.
    pending: VecDeque<PendingCommand>,
    /// True if the packets now leaving the hub belong to a pause.
    paused: bool,
    /// Set if the end is requested.
    ended: Stop,
    mark: Arc<Mutex<Option<u64>>>,
    timeline: Timeline,
    /// Encodes the program's audio, if the file has Opus.
    opus: Option<SourceAudio>,
    watch: SpaceWatch,
    begun: Instant,
    flushed: Instant,
    synced: Instant,
    /// The size of the earlier files in bytes.
    earlier_bytes: u64,
    /// The position where the current GOP began in this file.
    group_began: u64,
    /// The size of the largest GOP in this file so far.
    largest_group: u64,
    split_wanted: bool,
    keyframe_asked: bool,
    /// The time at which the next file could not be created, and the reason.
    held: Option<(Instant, Error)>,
    /// Lost frames that belong to the file that could not be created.
    dropped_without_file: u64,
    chapters: u32,
    file: File,
    entry: Option<Entry>,
}

/// Returns true if a file with this error is no longer accessible.
const fn is_gone(trouble: Trouble) -> bool {
    matches!(trouble, Trouble::Gone | Trouble::NoFolder | Trouble::NotAFolder)
}

/// Adds an entry to the journal. The recording continues even without the entry.
fn enter(options: &Options, path: &Path) -> Option<Entry> {
    let folder = options.journal.as_ref()?;
    Entry::create(folder, path)
        .inspect_err(|error| tracing::warn!(%error, "writing the recording journal failed"))
        .ok()
}

impl Writer {
    /// Runs the thread of a recording. After a panic, the recording has failed. Its entry in the
    /// journal remains, so that the next start repairs the file.
    fn run_contained(self, stop: &Stop) {
        let (figures, events) = (Arc::clone(&self.figures), self.events.clone());
        if catch_unwind(AssertUnwindSafe(|| self.run(stop))).is_err() {
            let mut figures = figures.lock();
            figures.state = State::Failed(Error::of(&figures.path, Trouble::Crashed));
            let _ = events.send(Event::Over(figures.clone()));
        }
    }

    fn run(mut self, stop: &Stop) {
        let _ = self.events.send(Event::Began(self.figures.lock().clone()));
        let recorded = self.record(stop);
        // A chapter that was requested just before the end is in the file.
        let recorded =
            recorded.and_then(|()| self.execute_commands(&NextPacket::Ended, Timestamp::ZERO));
        let state = match recorded.and_then(|()| self.file.finish(self.timeline.end())) {
            Ok(()) => State::Finished,
            Err(error) => {
                tracing::warn!(%error, "the recording ends early");
                self.file.give_up(self.file.end());
                State::Failed(error)
            }
        };
        self.note();
        if matches!(state, State::Failed(_)) && !self.file.has_media() {
            self.file.remove();
        }
        // An unfinished file is repaired at the next start: by then there may be enough space.
        let hopeless = matches!(&state, State::Failed(error) if is_gone(error.kind));
        if let Some(entry) = self.entry.take_if(|_| hopeless || state == State::Finished) {
            entry.done();
        }
        // The file is unlocked before its end is reported.
        drop(self.file);
        let figures = {
            let mut figures = self.figures.lock();
            figures.state = state;
            figures.clone()
        };
        let _ = self.events.send(Event::Over(figures));
    }

    fn record(&mut self, stop: &Stop) -> Result<(), Error> {
        loop {
            let handed_out = self.feed.handed_out();
            let next = self.subscription.next_timeout(POLL_INTERVAL);
            self.execute_commands(&next, handed_out)?;
            match next {
                NextPacket::Tag(tag) => self.take(&tag)?,
                NextPacket::Ended => return Ok(()),
                NextPacket::Waiting => {}
            }
            self.flush_if_due()?;
            if self.ended.is_set() || stop.is_set() {
                return self.last();
            }
        }
    }

    /// Writes the packets that were in the hub when the end was requested, including packets that
    /// still wait for the other track. Later packets are not written.
    fn last(&mut self) -> Result<(), Error> {
        let mark = *self.mark.lock();
        let until =
            Instant::now() + END_GRACE + self.feed.audio_delay().max(self.feed.video_delay());
        let mut waiting = self.subscription.len();
        let mut reach = None;
        loop {
            reach = reach.or_else(|| self.feed.reach(mark?));
            let handed_out = self.feed.handed_out();
            let limit = if mark.is_some() { POLL_INTERVAL } else { Duration::ZERO };
            let next = self.subscription.next_timeout(limit);
            self.execute_commands(&next, handed_out)?;
            match next {
                NextPacket::Tag(tag) => {
                    if reach.is_some_and(|reach| tag.dts > reach) {
                        return Ok(());
                    }
                    self.take(&tag)?;
                    waiting = waiting.saturating_sub(1);
                }
                NextPacket::Ended => return Ok(()),
                NextPacket::Waiting
                    if mark.is_none() || reach.is_some_and(|reach| handed_out >= reach) =>
                {
                    return Ok(());
                }
                NextPacket::Waiting => {}
            }
            self.flush_if_due()?;
            if (mark.is_none() && waiting == 0) || Instant::now() > until {
                return Ok(());
            }
        }
    }

    /// Writes a packet, or skips it.
    fn take(&mut self, tag: &SharedPacket) -> Result<(), Error> {
        if self.paused {
            return Ok(());
        }
        let begins =
            tag.starts_gop() || self.tracks.video.is_none() || self.timeline.is_after_video(tag);
        if begins {
            let size = self.file.written() + self.file.waiting() as u64;
            self.largest_group = self.largest_group.max(size.saturating_sub(self.group_began));
            self.group_began = size;
        }
        if let Some(new) = tag.rendition.as_ref().filter(|_| tag.starts_gop())
            && self
                .tracks
                .video
                .as_ref()
                .is_some_and(|video| video.codec_config != new.video.codec_config)
        {
            // Few players support a file whose frame size changes: the recording continues in the next
            // file. While that file cannot be created, no frames of the new size are written.
            if !self.part(Some(&new.video))? {
                self.timeline.pause();
                self.dropped_without_file += 1;
                return Ok(());
            }
        }
        if self.timeline.is_running() && self.is_split_due(begins) {
            if begins {
                self.part(None)?;
            } else if !std::mem::replace(&mut self.keyframe_asked, true) {
                self.feed.ask_keyframe(RenditionId::Main);
            }
        }
        if tag.track == Track::Audio && self.opus.is_some() {
            return self.take_opus(tag);
        }
        self.write(tag)
    }

    /// Writes a packet of a track of the file.
    fn write(&mut self, tag: &SharedPacket) -> Result<(), Error> {
        let track = self.options.audio_tracks.place(self.feed.config(), tag.track);
        let Some(track) = track else { return Ok(()) };
        let Some((dts, pts)) = self.timeline.place(tag) else {
            self.dropped_without_file += u64::from(self.held.is_some() && track == Track::Video);
            return Ok(());
        };
        let packet = EncodedPacket { track, dts, pts, ..EncodedPacket::clone(tag) };
        self.file.write(&StreamEvent::Packet(packet))?;
        self.file.set_end(self.timeline.end());
        Ok(())
    }

    fn note(&self) {
        let mut figures = self.figures.lock();
        figures.bytes = self.file.written();
        figures.duration = self.file.end();
        figures.dropped_frames =
            self.subscription.figures().dropped_frames + self.dropped_without_file;
    }

    fn flush_if_due(&mut self) -> Result<(), Error> {
        if self.flushed.elapsed() >= FLUSH_INTERVAL {
            self.file.flush()?;
            self.flushed = Instant::now();
            self.note();
        }
        if self.synced.elapsed() >= SYNC_INTERVAL {
            self.file.sync()?;
            self.synced = Instant::now();
            self.check_disk_space()?;
        }
        Ok(())
    }

    fn check_disk_space(&mut self) -> Result<(), Error> {
        let index = self.file.index_weight() as u64;
        let look = SpaceReading {
            now: Timestamp::ZERO + self.begun.elapsed(),
            free: files::free_space(self.file.path()),
            written: self.earlier_bytes + self.file.written(),
            queued: self.subscription.queued(),
            index,
        };
        if let Some(change) = self.watch.check(&look) {
            let _ = self.events.send(Event::Disk(change));
        }
        // At this point, there is still enough space to finalize the file.
        enough_room(self.file.path(), index)
    }
}
