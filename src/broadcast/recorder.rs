//! Writes the stream to an FLV file, on a thread of its own.
//!
//! The file is playable at every moment: tags are appended whole, at least once a second, and on
//! the disk (not only in the system's memory) within two. A clean end writes duration, size and an
//! index of keyframes over room that was reserved in the metadata. What goes wrong (disk full, read
//! only, folder gone) ends the recording where it is readable, and touches nothing else.

mod file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Stop, Timestamp, Worker};
use crate::broadcast::recorder::file::{File, Place};
use crate::broadcast::subscription::Next;
use crate::broadcast::{Hub, Limits, Subscription, Tag};
use crate::media::{StreamParameters, Track};

pub use crate::broadcast::recorder::file::Error;

/// What is written is handed to the system at least this often…
const FLUSH: Duration = Duration::from_secs(1);
/// …and to the disk.
const SYNC: Duration = Duration::from_secs(2);
/// Or when so many bytes wait.
const FLUSH_BYTES: usize = 256 << 10;
/// How often the thread looks whether it should stop.
const LOOK: Duration = Duration::from_millis(100);
/// Events that wait to be read.
const EVENTS: usize = 16;

/// How a recording fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Packets are written.
    Writing,
    /// Whole: with duration and index.
    Finished,
    /// Ended early, readable up to there.
    Failed(Error),
}

impl State {
    /// Its name in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Finished => "finished",
            Self::Failed(_) => "failed",
        }
    }
}

/// What has been written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The file, which may have another name than was asked for: none is ever overwritten.
    pub path: PathBuf,
    pub state: State,
    /// Of the stream, in the file.
    pub duration: Duration,
    pub bytes: u64,
    /// Pictures lost because the disk was too slow for half a minute.
    pub dropped_frames: u64,
}

/// A running recording. Dropping it finishes the file, without waiting.
pub struct Recorder {
    figures: Arc<Mutex<Figures>>,
    events: Receiver<State>,
    worker: Worker,
    ended: Stop,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("figures", &*self.figures.lock()).finish_non_exhaustive()
    }
}

impl Recorder {
    /// Records into `path` or, where that exists, into `NAME-1.flv`, `NAME-2.flv`…; folders are
    /// made. Begins with the latest keyframe.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn start(path: &Path, hub: &Hub) -> Result<Self, Error> {
        let parameters = hub.parameters().clone();
        let (file, path) = File::create(path, &parameters)?;
        let figures = Arc::new(Mutex::new(Figures {
            path: path.clone(),
            state: State::Writing,
            duration: Duration::ZERO,
            bytes: 0,
            dropped_frames: 0,
        }));
        let (sender, events) = queue::bounded("recorder events", EVENTS, Full::DropOldest);
        let ended = Stop::new();
        let writer = Writer {
            subscription: hub.subscribe(format!("recorder {}", path.display()), Limits::FILE),
            figures: Arc::clone(&figures),
            events: sender,
            ended: ended.clone(),
            timeline: Timeline::new(&parameters),
            flushed: Instant::now(),
            synced: Instant::now(),
            file,
        };
        let worker = Worker::spawn("onair-record", move |stop| writer.run(stop))
            .map_err(|error| Error::new("starting a thread for", &path, &error))?;
        Ok(Self { figures, events, worker, ended })
    }

    /// What has been written.
    pub fn figures(&self) -> Figures {
        self.figures.lock().clone()
    }

    /// Each change of the state; the first one is [`State::Writing`].
    pub fn events(&self) -> &Receiver<State> {
        &self.events
    }

    /// Writes what waits, makes the file whole and waits for it, at most `limit`. Where the hub has
    /// ended before, everything it had is in the file.
    pub fn finish(mut self, limit: Duration) -> Figures {
        self.ended.set();
        if let Err(stuck) = self.worker.wait(limit) {
            let mut figures = self.figures.lock();
            if figures.state == State::Writing {
                let reason = std::io::Error::other(stuck.to_string());
                figures.state =
                    State::Failed(Error::new("finishing", &figures.path.clone(), &reason));
            }
        }
        self.figures.lock().clone()
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.ended.set();
    }
}

/// The thread's side.
struct Writer {
    subscription: Subscription,
    figures: Arc<Mutex<Figures>>,
    events: Sender<State>,
    /// The end is wanted.
    ended: Stop,
    timeline: Timeline,
    flushed: Instant,
    synced: Instant,
    file: File,
}

/// From session time to the file's.
#[derive(Debug)]
struct Timeline {
    has_video: bool,
    /// The DTS that is 0 in the file.
    origin: Option<Timestamp>,
    /// How far the file reaches, frames included.
    end: Duration,
    frame: Duration,
}

impl Timeline {
    fn new(parameters: &StreamParameters) -> Self {
        let frame = parameters.video.as_ref().map(|video| video.frame_rate.period());
        Self {
            has_video: frame.is_some(),
            origin: None,
            end: Duration::ZERO,
            frame: frame.unwrap_or(Duration::from_millis(21)),
        }
    }

    /// Milliseconds in the file; `None` for what lies before its start.
    fn place(&mut self, tag: &Tag) -> Option<u32> {
        if self.origin.is_none() && self.has_video && !tag.starts_gop() {
            return None;
        }
        let origin = *self.origin.get_or_insert(tag.dts);
        if tag.dts < origin {
            return None;
        }
        let at = tag.dts.since(origin);
        self.end =
            self.end.max(at + if tag.track == Track::Video { self.frame } else { Duration::ZERO });
        Some((at.as_millis() & u128::from(u32::MAX)) as u32)
    }
}

impl Writer {
    fn run(mut self, stop: &Stop) {
        let _ = self.events.send(State::Writing);
        let state = match self.record(stop).and_then(|()| self.file.finish(self.timeline.end)) {
            Ok(()) => State::Finished,
            Err(error) => {
                tracing::warn!(%error, "the recording ends here");
                self.file.give_up(self.timeline.end);
                State::Failed(error)
            }
        };
        {
            let mut figures = self.figures.lock();
            figures.state = state.clone();
            figures.bytes = self.file.written();
            figures.duration = self.timeline.end;
        }
        let _ = self.events.send(state);
    }

    fn record(&mut self, stop: &Stop) -> Result<(), Error> {
        // After the wish to end, what waits then is still written, and not what comes later.
        let mut left = None;
        while left != Some(0) {
            let wait = match left {
                Some(_) => Duration::ZERO,
                None => LOOK,
            };
            match self.subscription.next_timeout(wait) {
                Next::Tag(tag) => self.write(&tag)?,
                Next::Ended => return Ok(()),
                Next::Waiting if left.is_some() => return Ok(()),
                Next::Waiting => {}
            }
            self.flush_if_due()?;
            left = match left {
                Some(count) => Some(count - 1),
                None if self.ended.is_set() || stop.is_set() => Some(self.subscription.len()),
                None => None,
            };
        }
        Ok(())
    }

    fn write(&mut self, tag: &Tag) -> Result<(), Error> {
        let Some(time_ms) = self.timeline.place(tag) else { return Ok(()) };
        let place = match (tag.track, tag.keyframe) {
            (Track::Video, true) => Place::Keyframe,
            (Track::Video, false) => Place::Video,
            (Track::Audio, _) => Place::Audio,
        };
        self.file.tag(place, time_ms, &tag.body);
        Ok(())
    }

    fn flush_if_due(&mut self) -> Result<(), Error> {
        let waiting = self.file.waiting();
        if waiting >= FLUSH_BYTES || self.flushed.elapsed() >= FLUSH {
            self.file.flush()?;
            self.flushed = Instant::now();
            let mut figures = self.figures.lock();
            figures.bytes = self.file.written();
            figures.duration = self.timeline.end;
            figures.dropped_frames = self.subscription.figures().dropped_frames;
        }
        if self.synced.elapsed() >= SYNC {
            self.file.sync()?;
            self.synced = Instant::now();
        }
        Ok(())
    }
}
