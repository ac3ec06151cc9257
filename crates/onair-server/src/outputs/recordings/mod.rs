//! Records publications to files in a folder, if configured. FLV files contain the tags of the stream, which are
//! shared with HTTP viewers, so unknown tracks, codecs and script data are kept. MP4 files contain the packets of the
//! stream. Data is on the disk half a second later, so a crash loses no more than that. If the disk is slow, frames
//! are dropped up to the next keyframe, as in the queue of a slow viewer, but the broadcast is never affected. Before
//! the disk is full, the server warns, and keeps a reserve free. After a failure, the recorder tries again to begin a
//! file until the publication ends.

pub(crate) mod playback;
pub(crate) mod retention;
pub(crate) mod viewers;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::base::Backoff;
use crate::files::Trouble;
use crate::server::access::callback::calls::RecordCall;
use crate::server::event::{Event, Recording, RecordingState};
use crate::server::recordings::file::{CreatedHook, RecordingTask};
use crate::server::recordings::name::RecordedStream;
use crate::server::recordings::parts::{PartEvent, PartFigures, PartsWriter};
use crate::server::recordings::under_way::RecordingStart;
use crate::server::registry::Registry;
use crate::server::stream::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;
use crate::text::problem::{Problem, problem};

/// Data is collected for this time before it is written.
const WRITE_INTERVAL: Duration = Duration::from_millis(500);
/// A disk that does not respond for this long has failed.
pub(crate) const DISK_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of unwritten bytes.
const MAX_UNWRITTEN_BYTES: usize = 32 << 20;
/// Interval between attempts while too many files are open.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);
/// After a recording of this duration, the waits after failures are short again.
const STEADY_TIME: Duration = Duration::from_mins(1);

/// Starts to record publications from now on. This function must be called within the runtime.
pub(crate) fn begin(registry: &Arc<Registry>, stream: &Arc<Stream>, recorded: Option<RecordCall>) {
    let Some(folder) = &registry.config.record else { return };
    let Some(rules) = registry.rules().recording.of(&stream.app, &stream.name) else { return };
    let names = RecordedStream { app: stream.app.clone(), stream: stream.name.clone() };
    let sink = FlvSink::for_file(registry.next_id(), MAX_UNWRITTEN_BYTES);
    let (files, id) = (Arc::downgrade(registry), sink.id());
    let created = CreatedHook(Arc::new(move |path| {
        if let Some(registry) = files.upgrade() {
            registry.files.note_next(id, path);
        }
    }));
    let (folder, disk) = (folder.clone(), Arc::clone(&registry.recording_disk));
    let task = RecordingTask { folder, stream: names, rules, created, disk };
    match registry.files.begin(stream, &sink, registry.config.limits.files) {
        RecordingStart::GoesOn => {}
        RecordingStart::Full => {
            let reason = problem!("recorded-too-many", count = registry.files.count());
            tell(registry, stream, none_of(&task), RecordingState::Failed, Some(reason));
        }
        RecordingStart::Anew => {
            stream.join(Arc::<FlvSink>::clone(&sink));
            let reporter = Reporter {
                registry: Arc::clone(registry),
                stream: Arc::clone(stream),
                sink: sink.id(),
                recorded,
                current: none_of(&task),
                disk: Arc::default(),
            };
            tokio::spawn(record(reporter, sink, task));
        }
    }
}

/// Returns the figures of a file that has not begun.
fn none_of(task: &RecordingTask) -> PartFigures {
    PartFigures { path: task.path(), after: Duration::ZERO, bytes: 0 }
}

/// Reports what happens to the files of a publication.
struct Reporter {
    registry: Arc<Registry>,
    stream: Arc<Stream>,
    sink: u64,
    recorded: Option<RecordCall>,
    /// The file in progress, or the last one.
    current: PartFigures,
    /// Held during each disk operation, so that a hanging disk blocks only one thread.
    disk: Arc<Mutex<()>>,
}

impl Reporter {
    fn tell(&self, figures: PartFigures, state: RecordingState, reason: Option<Problem>) {
        if state != RecordingState::Writing {
            self.registry.files.note_closed(self.sink, &figures.path);
        }
        tell(&self.registry, &self.stream, figures, state, reason);
    }

    /// Replaces the queue of the recording. Returns `None` if the publication has ended, or if another recording of the
    /// stream has begun.
    fn renew(&self) -> Option<Arc<FlvSink>> {
        loop {
            let next = FlvSink::for_file(self.sink, MAX_UNWRITTEN_BYTES);
            self.stream.leave(self.sink);
            if !self.registry.files.renew(&next) {
                return None;
            }
            self.stream.join(Arc::<FlvSink>::clone(&next));
            if self.stream.is_published() {
                return Some(next);
            }
            next.end();
            // A publisher that began before the end of the queue counts on this recording.
            if !self.stream.is_published() {
                return None;
            }
        }
    }

    /// Reports events; `lost` is the reason why the last file is incomplete.
    fn note(&self, events: Vec<PartEvent>, lost: Option<&Problem>) {
        let mut without_video = None;
        for event in events {
            match event {
                PartEvent::Begun(figures) => {
                    self.registry.files.note_part(self.sink, &figures.path);
                    self.tell(figures, RecordingState::Writing, None);
                }
                PartEvent::Lost(count) => {
                    without_video = Some(problem!("recorded-without-video", count = count));
                }
                PartEvent::Finished(figures) => {
                    let path = figures.path.clone();
                    let reason = without_video.take().or_else(|| lost.cloned());
                    self.tell(figures, RecordingState::Finished, reason);
                    self.registry.retention.look();
                    if let Some(recorded) = &self.recorded {
                        recorded.finished(&path);
                    }
                }
                PartEvent::Empty(figures) => {
                    let reason = problem!("recorded-nothing");
                    // Nothing is lost if a publisher leaves before its first media.
                    let nothing_arrived = figures.after.is_zero();
                    let state = match nothing_arrived {
                        true => RecordingState::Deleted,
                        false => RecordingState::Failed,
                    };
                    self.tell(figures, state, Some(reason));
                }
                PartEvent::Flood => {
                    self.stream.dismiss(problem!("left-too-many-files"));
                }
                PartEvent::Disk(warning) => self.registry.tell(Event::Disk(warning)),
            }
        }
    }
}

/// Writes until the publication ends, and reports the result. After a failure, begins another file.
async fn record(mut reporter: Reporter, mut sink: Arc<FlvSink>, task: RecordingTask) {
    let clock = reporter.registry.clock;
    let mut backoff = Backoff::new(sink.id());
    // A problem is reported once until a file has data again.
    let mut is_reported = false;
    loop {
        let began = clock.now();
        let result = match create(&reporter, &sink, &task).await {
            Ok(writer) => {
                let result = take(&mut reporter, &sink, writer).await;
                is_reported &= reporter.current.bytes == 0;
                result
            }
            Err(error) => Err(error),
        };
        let Err(error) = result else { break };
        if !std::mem::replace(&mut is_reported, true) {
            let reason = Trouble::problem(&error);
            reporter.tell(reporter.current.clone(), RecordingState::Failed, Some(reason));
        }
        if clock.now().since(began) >= STEADY_TIME {
            backoff.reset();
        }
        let wait = backoff.next_refused();
        let Some(next) = next_sink(&reporter, &sink, wait).await else { break };
        sink = next;
    }
    reporter.stream.leave(sink.id());
    reporter.registry.tidy(&reporter.stream);
    reporter.registry.file_ended(sink.id());
}

/// Waits before the next attempt. Returns a queue that begins with the codec configs, like that of a new viewer, or
/// `None` if the publication has ended.
async fn next_sink(reporter: &Reporter, sink: &FlvSink, wait: Duration) -> Option<Arc<FlvSink>> {
    if sink.has_ended() && !sink.was_overrun() {
        return None;
    }
    let waiting = reporter.renew()?;
    // The data of this time is lost.
    let ended = async { while poll_fn(|cx| waiting.poll_next(cx)).await.is_some() {} };
    match timeout(wait, ended).await {
        Ok(()) if !waiting.was_overrun() => None,
        _ => reporter.renew(),
    }
}

/// Creates the first file. If the stream had too many files just now, or if too many files are open, retries while data waits in the queue.
async fn create(
    reporter: &Reporter,
    sink: &FlvSink,
    task: &RecordingTask,
) -> io::Result<PartsWriter> {
    let mut is_reported = false;
    while !task.disk.takes_file(&task.stream) {
        if sink.has_ended() {
            return Err(io::Error::other(problem!("recorded-too-often")));
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
    loop {
        let wanted = task.clone();
        let error = match on_the_disk(&reporter.disk, move || PartsWriter::create(wanted)).await {
            Ok(writer) => return Ok(writer),
            Err(error) => error,
        };
        if Trouble::of(&error) != Trouble::TooManyFiles || sink.has_ended() {
            return Err(error);
        }
        if !std::mem::replace(&mut is_reported, true) {
            reporter.registry.tell(Event::Held(task.path(), Trouble::TooManyFiles));
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// Takes all data until the publisher leaves.
async fn take(reporter: &mut Reporter, sink: &FlvSink, mut writer: PartsWriter) -> io::Result<()> {
    reporter.current = writer.figures();
    while let Some(first) = poll_fn(|cx| sink.poll_next(cx)).await {
        if !sink.has_ended() {
            tokio::time::sleep(WRITE_INTERVAL).await;
        }
        let tags: Vec<Bytes> = std::iter::once(first).chain(sink.waiting()).collect();
        let (back, written) = on_the_disk(&reporter.disk, move || {
            let written = writer.write(&tags).inspect_err(|_| writer.remove_if_empty());
            Ok((writer, written))
        })
        .await?;
        writer = back;
        reporter.note(writer.take_events(), None);
        reporter.current = writer.figures();
        written?;
    }
    let (mut writer, finished) = on_the_disk(&reporter.disk, move || {
        let finished = writer.finish();
        Ok((writer, finished))
    })
    .await?;
    if sink.was_overrun() {
        // The last file has failed, even if it is complete.
        let mut events = writer.take_events();
        events.retain(|event| matches!(event, PartEvent::Begun(_) | PartEvent::Disk(_)));
        reporter.note(events, None);
        reporter.current = writer.figures();
        return Err(io::Error::other(problem!("recorded-too-slow")));
    }
    let lost = match sink.skipped() {
        0 => None,
        skipped => Some(problem!("recorded-with-losses", count = skipped)),
    };
    reporter.note(writer.take_events(), lost.as_ref());
    reporter.current = writer.figures();
    finished
}

/// Runs disk operations with a time limit, because a hanging disk would block forever. The next operation waits for the
/// end of one that hangs.
async fn on_the_disk<T: Send + 'static>(
    disk: &Arc<Mutex<()>>,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let disk = Arc::clone(disk);
    let done = async move {
        let turn = disk.lock_owned().await;
        let work = move || {
            let _turn = turn;
            work()
        };
        tokio::task::spawn_blocking(work).await?
    };
    match timeout(DISK_TIMEOUT, done).await {
        Ok(done) => done,
        Err(_) => {
            let seconds = DISK_TIMEOUT.as_secs();
            Err(io::Error::other(problem!("recorded-no-disk", seconds = seconds)))
        }
    }
}

fn tell(
    registry: &Registry,
    stream: &Stream,
    figures: PartFigures,
    state: RecordingState,
    reason: Option<Problem>,
) {
    let PartFigures { path, after, bytes } = figures;
    let (app, stream) = (stream.app.clone(), stream.name.clone());
    registry.tell(Event::Recording(Recording { app, stream, path, state, after, bytes, reason }));
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::pin::pin;
    use std::sync::atomic::{AtomicBool, Ordering};

    use bytes::BytesMut;
    use tokio::sync::oneshot;

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::recordings::file::{RecordingDisk, RecordingWriter};
    use crate::server::recordings::rules::FileRules;
    use crate::server::registry::PublishRight;
    use crate::server::registry::config::Config;
    use crate::server::stream::Incoming;
    use crate::wire::container::flv::{TagKind, write_tag};
    use crate::wire::rtmp::stream_name::StreamName;

    fn tag(kind: TagKind, time_ms: u32, body: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        write_tag(kind, time_ms, body, &mut out);
        out.freeze()
    }

    /// Returns the task to record the stream `live/show`.
    fn task(folder: &Path, rules: FileRules, disk: Arc<RecordingDisk>) -> RecordingTask {
        let stream = RecordedStream { app: "live".to_owned(), stream: "show".to_owned() };
        let created = CreatedHook(Arc::new(|_| {}));
        RecordingTask { folder: folder.to_owned(), stream, rules, created, disk }
    }

    /// Records a publication, at first with this much room in the queue and on the disk. Gives the disk room after the
    /// first failure, and ends the publication when a file follows. Returns the states of its files.
    fn states(queue_bytes: usize, is_full: bool) -> Vec<RecordingState> {
        let (runtime, folder) = (Runtime::start().unwrap(), tempfile::tempdir().unwrap());
        let (sender, events) = queue::bounded("test", 64, queue::Full::DropOldest);
        let config = Config { record: Some(folder.path().to_owned()), ..Config::default() };
        let registry = Registry::new(config, Clock::start(), sender, runtime.handle());
        let registry = Arc::new(registry);
        let (address, name) =
            ("127.0.0.1:5".parse().unwrap(), StreamName::resolve("", "live", "show"));
        let right = PublishRight { proven: true, relayed: false, limits: Default::default() };
        let publication = registry.publish(1, address, &name, right).unwrap();
        let video = |body: &'static [u8]| Incoming {
            kind: TagKind::Video,
            time_ms: 0,
            body: Bytes::from_static(body),
            metadata: false,
        };
        // Each queue begins with this video.
        let mut sent = vec![video(&[0x17, 0, 0, 0, 0]), video(&[0x17, 1, 0, 0, 0, 7])];
        publication.stream.take(1, &mut sent, registry.clock.now());
        // Another file needs the rest of the disk.
        let (path, disk) = (folder.path().join("other.flv"), &registry.recording_disk);
        let mut other = RecordingWriter::create(&path, Arc::clone(disk)).unwrap();
        other.set_index(u64::from(is_full) << 60);
        let sink = FlvSink::for_file(7, queue_bytes);
        registry.files.begin(&publication.stream, &sink, 1);
        publication.stream.join(Arc::<FlvSink>::clone(&sink));
        let task = task(folder.path(), FileRules::default(), Arc::clone(disk));
        let reporter = Reporter {
            registry: Arc::clone(&registry),
            stream: Arc::clone(&publication.stream),
            sink: 7,
            recorded: None,
            current: none_of(&task),
            disk: Arc::default(),
        };
        runtime.spawn(record(reporter, sink, task));
        let mut states = Vec::new();
        while states.last() != Some(&RecordingState::Finished) {
            let event = events.recv_timeout(Duration::from_secs(30)).unwrap();
            let Event::Recording(recording) = event else { continue };
            states.push(recording.state);
            match recording.state {
                RecordingState::Failed => other.set_index(0),
                RecordingState::Writing if states.contains(&RecordingState::Failed) => {
                    registry.unpublish(&publication, 1, address, "gone".into());
                }
                _ => {}
            }
        }
        let broadcast = registry.files.of_stream("live", "show").unwrap();
        let begun = states.iter().filter(|state| **state == RecordingState::Writing).count();
        assert_eq!(broadcast.parts.len(), begun);
        // Deleted files leave the playlist, even if nobody requests it.
        for path in &*broadcast.parts {
            retention::tell_deleted(&registry, path, 1, problem!("recorded-old"));
        }
        assert_eq!(broadcast.list.dropped(), begun);
        states
    }

    #[test]
    fn a_publication_gets_another_file_after_a_failure() {
        use RecordingState::{Failed, Finished, Writing};
        assert_eq!(states(MAX_UNWRITTEN_BYTES, true), [Failed, Writing, Finished]);
        assert_eq!(states(10, false), [Writing, Failed, Writing, Finished]);
    }

    #[test]
    fn a_hanging_disk_blocks_one_thread() {
        let (disk, has_ended) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (release, hanging) = oneshot::channel::<()>();
        let ended = Arc::clone(&has_ended);
        Runtime::start().unwrap().block_on(async {
            let first = on_the_disk(&disk, move || {
                let _ = hanging.blocking_recv();
                ended.store(true, Ordering::Relaxed);
                Ok(())
            });
            assert!(timeout(Duration::from_millis(1), first).await.is_err());
            let mut second =
                pin!(on_the_disk(&disk, move || Ok(has_ended.load(Ordering::Relaxed))));
            assert!(timeout(Duration::from_millis(1), second.as_mut()).await.is_err());
            drop(release);
            assert!(second.await.unwrap());
        });
    }

    #[test]
    fn a_file_without_the_returned_video_says_so() {
        let root = tempfile::tempdir().unwrap();
        let [folder, elsewhere] = ["here", "elsewhere"].map(|name| root.path().join(name));
        std::fs::create_dir(&folder).unwrap();
        let rules = FileRules { split_time: Some(Duration::from_mins(1)), ..FileRules::default() };
        let mut writer = PartsWriter::create(task(&folder, rules, Arc::default())).unwrap();
        let frame = |time_ms, first| tag(TagKind::Video, time_ms, &[first, 1, 0, 0, 0, 7]);
        writer.write(&[tag(TagKind::Video, 0, &[0x17, 0, 0, 0, 0]), frame(0, 0x17)]).unwrap();
        for second in 0..100 {
            writer.write(&[tag(TagKind::Audio, second * 1_000, &[0xAF, 1, 1, 2])]).unwrap();
        }
        // The second file began without video. No third one can be created.
        std::fs::rename(&folder, &elsewhere).unwrap();
        let frames = [(100_000, 0x17), (100_040, 0x27), (100_080, 0x27)];
        writer.write(&frames.map(|(at, first)| frame(at, first))).unwrap();
        std::fs::rename(&elsewhere, &folder).unwrap();
        writer.finish().unwrap();
        let events = writer.take_events();
        let [.., lost, PartEvent::Finished(_)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(*lost, PartEvent::Lost(3));
        assert_eq!(events.iter().filter(|it| matches!(it, PartEvent::Lost(_))).count(), 1);
    }
}
