//! Records every publication to a file in a folder, if configured: FLV, unchanged. It shares the
//! tags with HTTP viewers, and uses no `Muxer`, so unknown tracks, codecs and script data are kept.
//! Data is on the disk half a second later, so a crash costs no more. A slow disk drops frames up
//! to the next keyframe, like the queue of a slow viewer, but never affects the broadcast. A disk
//! that fills up causes a warning in time, and keeps a reserve.

pub(in crate::server) mod file;
pub(in crate::server) mod under_way;

use std::future::poll_fn;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::files::Trouble;
use crate::server::access::callback::calls::RecordCall;
use crate::server::event::{Event, Recording, RecordingState};
use crate::server::recordings::file::RecordingWriter;
use crate::server::recordings::under_way::RecordingStart;
use crate::server::registry::Registry;
use crate::server::stream::Stream;
use crate::server::stream::flv_sink::FlvSink;
use crate::server::stream::sink::Sink;
use crate::text::Language;

/// Data is collected for this time before it is written.
const GATHER: Duration = Duration::from_millis(500);
/// A disk that does not respond for this long has failed.
const DISK_TIMEOUT: Duration = Duration::from_secs(20);
/// Limit for unwritten bytes.
const WAITING: usize = 32 << 20;
/// Maximum length of the application and of the stream name in a file name.
const MAX_NAME: usize = 80;
/// Interval of attempts after too many open files.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Starts to record publications from now on. It must be called within the runtime.
pub(super) fn begin(registry: &Arc<Registry>, stream: &Arc<Stream>, recorded: Option<RecordCall>) {
    let Some(folder) = &registry.config.record else { return };
    let wall = registry.clock.wall_micros(registry.clock.now());
    let path = folder.join(name_of(&stream.app, &stream.name, wall));
    let sink = FlvSink::for_file(registry.next_id(), WAITING);
    match registry.files.begin(stream, &sink, registry.config.limits.files) {
        RecordingStart::GoesOn => {}
        RecordingStart::Full => {
            let reason = format!("{} files are being written already", registry.files.count());
            let fared = (Duration::ZERO, 0);
            tell(registry, stream, &path, RecordingState::Failed, fared, Some(reason));
        }
        RecordingStart::Anew => {
            stream.join(Arc::<FlvSink>::clone(&sink));
            let (registry, stream) = (Arc::clone(registry), Arc::clone(stream));
            tokio::spawn(async move {
                if let Some(path) = write(registry, stream, sink, path).await
                    && let Some(recorded) = recorded
                {
                    recorded.finished(path.display().to_string());
                }
            });
        }
    }
}

/// Writes until the end, and reports the result. Returns the path of a finished file.
async fn write(
    registry: Arc<Registry>,
    stream: Arc<Stream>,
    sink: Arc<FlvSink>,
    path: PathBuf,
) -> Option<PathBuf> {
    let since = registry.clock.now();
    let mut written = 0;
    let (path, error) = match create(&registry, &sink, &path).await {
        Ok(paper) => {
            let begun = (Duration::ZERO, 0);
            let path = paper.path().to_owned();
            tell(&registry, &stream, &path, RecordingState::Writing, begun, None);
            (path, take(&registry, &sink, paper, &mut written).await.err())
        }
        Err(error) => (path, Some(error)),
    };
    stream.leave(sink.id());
    registry.tidy(&stream);
    let fared = (registry.clock.now().since(since), written);
    let (state, reason) = match (error, sink.skipped()) {
        (Some(error), _) => {
            let cure = Language::English.cure(&Trouble::problem(&error)).unwrap_or_default();
            (RecordingState::Failed, Some(format!("{error}. {cure}")))
        }
        (None, _) if sink.was_overrun() => {
            (RecordingState::Failed, Some("the disk is too slow".to_owned()))
        }
        (None, 0) => (RecordingState::Finished, None),
        (None, skipped) => {
            let why = format!("the disk was too slow: {skipped} pictures or sounds are missing");
            (RecordingState::Finished, Some(why))
        }
    };
    tell(&registry, &stream, &path, state, fared, reason);
    registry.file_ended(sink.id());
    (state == RecordingState::Finished).then_some(path)
}

/// Creates the file. With too many open files, it retries while there is data, which waits.
async fn create(registry: &Registry, sink: &FlvSink, path: &Path) -> io::Result<RecordingWriter> {
    let mut told = false;
    loop {
        let wanted = path.to_owned();
        let error = match on_the_disk(move || RecordingWriter::create(&wanted)).await {
            Ok(paper) => return Ok(paper),
            Err(error) => error,
        };
        if Trouble::of(&error) != Trouble::TooManyFiles || sink.has_ended() {
            return Err(error);
        }
        if !std::mem::replace(&mut told, true) {
            registry.tell(Event::Held(path.to_owned(), Trouble::TooManyFiles));
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// Takes all data until the publisher leaves.
async fn take(
    registry: &Registry,
    sink: &FlvSink,
    mut paper: RecordingWriter,
    written: &mut u64,
) -> io::Result<()> {
    while let Some(first) = poll_fn(|cx| sink.poll_next(cx)).await {
        if !sink.has_ended() {
            tokio::time::sleep(GATHER).await;
        }
        let tags: Vec<Bytes> = std::iter::once(first).chain(sink.waiting()).collect();
        let (back, appended) = on_the_disk(move || {
            let appended = paper.append(&tags).inspect_err(|_| paper.remove_if_empty());
            Ok((paper, appended))
        })
        .await?;
        paper = back;
        *written = paper.written();
        if let Some(warning) = appended? {
            registry.tell(Event::Disk(warning));
        }
    }
    on_the_disk(move || paper.finish()).await
}

/// Runs disk operations with a time limit, because a hanging disk would block forever.
async fn on_the_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match tokio::time::timeout(DISK_TIMEOUT, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done?,
        Err(_) => Err(io::Error::other("the disk has not answered for 20 s")),
    }
}

/// The name of a publication's file. Publishers choose names freely, so characters that could
/// escape the folder or disturb a terminal are replaced.
fn name_of(app: &str, stream: &str, wall_micros: i64) -> String {
    let plain = |name: &str| -> String {
        let safe = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let mut name: String = name.chars().map(safe).collect();
        while name.len() > MAX_NAME {
            name.pop();
        }
        let name = name.trim_start_matches(['.', '-']);
        if name.is_empty() { "_".to_owned() } else { name.to_owned() }
    };
    let at = jiff::Timestamp::from_microsecond(wall_micros).unwrap_or_default();
    let at = at.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H-%M-%S").to_string();
    format!("{}-{} {at}.flv", plain(app), plain(stream))
}

fn tell(
    registry: &Registry,
    stream: &Stream,
    path: &Path,
    state: RecordingState,
    (after, bytes): (Duration, u64),
    reason: Option<String>,
) {
    registry.tell(Event::Recording(Recording {
        app: stream.app.clone(),
        stream: stream.name.clone(),
        path: path.to_owned(),
        state,
        after,
        bytes,
        reason,
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_nowhere_else() {
        for (app, stream) in [
            ("live", "show"),
            ("../..", "/etc/passwd"),
            ("a\n", ".\u{1b}[2J"),
            ("-rf", "-"),
            ("..", ""),
        ] {
            let name = name_of(app, stream, 0);
            assert!(
                !name.contains(['/', '\n', '\u{1b}', '\\']) && !name.starts_with('.'),
                "{name}"
            );
            assert!(name.ends_with(".flv") && Path::new(&name).components().count() == 1);
        }
        assert!(name_of("live", "show", 0).starts_with("live-show 19"));
        assert!(name_of(&"x".repeat(5_000), &"\u{4e2d}".repeat(5_000), 0).len() < 200);
    }
}
