//! Records publications to files in a folder, if configured. FLV files contain the tags of the stream, which are
//! shared with HTTP viewers, so unknown tracks, codecs and script data are kept. MP4 files contain the packets of the
//! stream. Data is on the disk half a second later, so a crash loses no more than that. If the disk is slow, frames
//! are dropped up to the next keyframe, as in the queue of a slow viewer, but the broadcast is never affected. Before
//! the disk is full, the server warns, and keeps a reserve free.

pub(in crate::server) mod playback;
pub(in crate::server) mod retention;
pub(in crate::server) mod viewers;

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

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
pub(in crate::server) const DISK_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of unwritten bytes.
const MAX_UNWRITTEN_BYTES: usize = 32 << 20;
/// Interval between attempts while too many files are open.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Starts to record publications from now on. This function must be called within the runtime.
pub(in crate::server) fn begin(
    registry: &Arc<Registry>,
    stream: &Arc<Stream>,
    recorded: Option<RecordCall>,
) {
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
    /// The file in progress.
    current: PartFigures,
}

impl Reporter {
    fn tell(&self, figures: PartFigures, state: RecordingState, reason: Option<Problem>) {
        if state != RecordingState::Writing {
            if figures.bytes == 0 {
                self.registry.files.note_empty(self.sink, &figures.path);
            }
            self.registry.files.note_closed(self.sink, &figures.path);
        }
        tell(&self.registry, &self.stream, figures, state, reason);
    }

    /// Reports events; `lost` is the reason why the last file is incomplete.
    fn note(&mut self, events: Vec<PartEvent>, lost: Option<&Problem>) {
        let mut without_video = None;
        for event in events {
            match event {
                PartEvent::Begun(figures) => {
                    self.registry.files.note_part(self.sink, &figures.path);
                    self.current.clone_from(&figures);
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
                PartEvent::Disk(warning) => self.registry.tell(Event::Disk(warning)),
            }
        }
    }
}

/// Writes until the end, and reports the result.
async fn record(mut reporter: Reporter, sink: Arc<FlvSink>, task: RecordingTask) {
    let result = match create(&reporter.registry, &sink, &task).await {
        Ok(writer) => take(&mut reporter, &sink, writer).await,
        Err(error) => Err(error),
    };
    reporter.stream.leave(sink.id());
    reporter.registry.tidy(&reporter.stream);
    if let Err(error) = result {
        let reason = Trouble::problem(&error);
        reporter.tell(reporter.current.clone(), RecordingState::Failed, Some(reason));
    }
    reporter.registry.file_ended(sink.id());
}

/// Creates the first file. If too many files are open, retries while data waits in the queue.
async fn create(
    registry: &Registry,
    sink: &FlvSink,
    task: &RecordingTask,
) -> io::Result<PartsWriter> {
    let mut is_reported = false;
    loop {
        let wanted = task.clone();
        let error = match on_the_disk(move || PartsWriter::create(wanted)).await {
            Ok(writer) => return Ok(writer),
            Err(error) => error,
        };
        if Trouble::of(&error) != Trouble::TooManyFiles || sink.has_ended() {
            return Err(error);
        }
        if !std::mem::replace(&mut is_reported, true) {
            registry.tell(Event::Held(task.path(), Trouble::TooManyFiles));
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// Takes all data until the publisher leaves.
async fn take(reporter: &mut Reporter, sink: &FlvSink, mut writer: PartsWriter) -> io::Result<()> {
    reporter.note(writer.take_events(), None);
    while let Some(first) = poll_fn(|cx| sink.poll_next(cx)).await {
        if !sink.has_ended() {
            tokio::time::sleep(WRITE_INTERVAL).await;
        }
        let tags: Vec<Bytes> = std::iter::once(first).chain(sink.waiting()).collect();
        let (back, written) = on_the_disk(move || {
            let written = writer.write(&tags).inspect_err(|_| writer.remove_if_empty());
            Ok((writer, written))
        })
        .await?;
        writer = back;
        reporter.note(writer.take_events(), None);
        reporter.current = writer.figures();
        written?;
    }
    let (mut writer, finished) = on_the_disk(move || {
        let finished = writer.finish();
        Ok((writer, finished))
    })
    .await?;
    if sink.was_overrun() {
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

/// Runs disk operations with a time limit, because a hanging disk would block forever.
async fn on_the_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::time::timeout(DISK_TIMEOUT, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done?,
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
    use bytes::BytesMut;

    use super::*;
    use crate::server::recordings::rules::FileRules;
    use crate::wire::container::flv::{TagKind, write_tag};

    fn tag(kind: TagKind, time_ms: u32, body: &[u8]) -> Bytes {
        let mut out = BytesMut::new();
        write_tag(kind, time_ms, body, &mut out);
        out.freeze()
    }

    #[test]
    fn a_file_that_lacks_the_returned_video_says_so() {
        let root = tempfile::tempdir().unwrap();
        let [folder, elsewhere] = ["here", "elsewhere"].map(|name| root.path().join(name));
        std::fs::create_dir(&folder).unwrap();
        let task = RecordingTask {
            folder: folder.clone(),
            stream: RecordedStream { app: "live".to_owned(), stream: "show".to_owned() },
            rules: FileRules { split_time: Some(Duration::from_mins(1)), ..FileRules::default() },
            created: CreatedHook(Arc::new(|_| {})),
            disk: Arc::default(),
        };
        let mut writer = PartsWriter::create(task).unwrap();
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
