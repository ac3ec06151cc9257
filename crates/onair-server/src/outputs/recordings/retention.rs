//! Deletes old recordings, the oldest first, until the rest fits the rules. The module deletes only regular files
//! directly in the folder that have the name of a recording, and never a file that is being written or watched.

use std::cmp::Ordering;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::timeout;

use crate::server::event::{Event, Recording, RecordingState};
use crate::server::outputs::recordings::viewers::leave_quiet;
use crate::server::recordings::folder;
use crate::server::recordings::name::{is_ours, stream_of};
use crate::server::recordings::rules::Retention;
use crate::server::registry::Registry;
use crate::text::problem::{Problem, problem};

/// How often the folder and the viewers are checked, in addition to the check after each recording.
const CHECK_INTERVAL: Duration = Duration::from_secs(20);
/// Number of files, the oldest ones, that one check can delete.
const MAX_OLDEST_FILES: usize = 50_000;

/// A recording in the folder that nobody uses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FoundFile {
    name: String,
    bytes: u64,
    /// The time since its last change.
    age: Duration,
}

/// The reason why a recording is deleted.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum DeletionReason {
    Age,
    Bytes,
}

/// Deletes recordings by the rules until the server stops.
pub(crate) async fn run(registry: Arc<Registry>) {
    if registry.config.record.is_none() {
        return;
    }
    loop {
        let keep = registry.rules().recording.keep;
        if keep != Retention::default() {
            let work = Arc::clone(&registry);
            // A folder that hangs blocks one thread, but not a second one.
            let _ = tokio::task::spawn_blocking(move || tidy(&work, keep)).await;
        }
        let now = registry.clock.now();
        leave_quiet(&registry, now);
        registry.opened.forget_idle(now);
        tokio::select! {
            biased;
            () = registry.stopped() => return,
            _ = timeout(CHECK_INTERVAL, registry.retention.due.notified()) => {}
        }
    }
}

fn tidy(registry: &Registry, keep: Retention) {
    let Some(folder) = &registry.config.record else { return };
    let now = registry.clock.now();
    let is_used =
        |path: &Path| registry.files.is_writing(path) || registry.retention.is_watched(path, now);
    let (found, bytes) = match found(folder, SystemTime::now(), is_used, MAX_OLDEST_FILES) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "the folder of recordings was not read");
            return;
        }
    };
    for (file, excess) in excess(found, bytes, keep) {
        let path = folder.join(&file.name);
        // A viewer may have arrived in the meantime.
        if is_used(&path) {
            continue;
        }
        if let Err(error) = folder::remove(&path) {
            tracing::warn!(%error, file = file.name, "a recording was not deleted");
            continue;
        }
        let reason = match excess {
            DeletionReason::Age => problem!("recorded-old"),
            DeletionReason::Bytes => problem!("recorded-too-large"),
        };
        tell_deleted(registry, &path, file.bytes, reason);
    }
}

/// Reports a deleted file, which leaves the playlist of its broadcast.
pub(crate) fn tell_deleted(registry: &Registry, path: &Path, bytes: u64, reason: Problem) {
    registry.files.note_deleted(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (app, stream) = stream_of(&name).map(|it| (it.app, it.stream)).unwrap_or_default();
    registry.tell(Event::Recording(Recording {
        app,
        stream,
        path: path.to_owned(),
        state: RecordingState::Deleted,
        after: Duration::ZERO,
        bytes,
        reason: Some(reason),
    }));
}

/// Returns the server's recordings in the folder, only the `oldest` ones of those that nobody uses, and the size of all
/// recordings in bytes. Links are not followed, and do not count as recordings.
fn found(
    folder: &Path,
    now: SystemTime,
    is_used: impl Fn(&Path) -> bool,
    oldest: usize,
) -> io::Result<(Vec<FoundFile>, u64)> {
    let (mut files, mut bytes) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some(metadata) = entry.metadata().ok().filter(|it| is_ours(&name) && it.is_file())
        else {
            continue;
        };
        let Ok(modified) = metadata.modified() else { continue };
        let age = now.duration_since(modified).unwrap_or_default();
        bytes += metadata.len();
        if !is_used(&entry.path()) {
            let file = FoundFile { name, bytes: metadata.len(), age };
            folder::push_limited(&mut files, file, oldest, oldest_first);
        }
    }
    // The list may have more files, and lack older ones than these.
    files.sort_unstable_by(oldest_first);
    files.truncate(oldest);
    Ok((files, bytes))
}

fn oldest_first(a: &FoundFile, b: &FoundFile) -> Ordering {
    (b.age, &a.name).cmp(&(a.age, &b.name))
}

/// Returns the files to delete. `files` are sorted, the oldest first; `bytes` is the size of all recordings.
fn excess(
    files: Vec<FoundFile>,
    mut bytes: u64,
    keep: Retention,
) -> Vec<(FoundFile, DeletionReason)> {
    let mut gone = Vec::new();
    for file in files {
        let excess = if keep.time.is_some_and(|most| file.age > most) {
            DeletionReason::Age
        } else if keep.bytes.is_some_and(|most| bytes > most) {
            DeletionReason::Bytes
        } else {
            continue;
        };
        bytes = bytes.saturating_sub(file.bytes);
        gone.push((file, excess));
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, bytes: u64, age: u64) -> FoundFile {
        FoundFile { name: name.to_owned(), bytes, age: Duration::from_secs(age) }
    }

    #[test]
    fn the_oldest_files_go_first_and_used_ones_stay() {
        // Another file, which is used, has 40 bytes too.
        let files = || vec![file("b", 40, 20), file("c", 40, 10), file("d", 40, 5)];
        let names = |keep: Retention| -> Vec<_> {
            let gone = excess(files(), 160, keep).into_iter();
            gone.map(|(file, why)| (file.name, why)).collect()
        };
        let name = |name: &str, why| (name.to_owned(), why);
        let (time, bytes) = (Some(Duration::from_secs(10)), Some(100));
        assert_eq!(names(Retention::default()), []);
        assert_eq!(names(Retention { time, bytes: None }), [name("b", DeletionReason::Age)]);
        let both = [name("b", DeletionReason::Bytes), name("c", DeletionReason::Bytes)];
        assert_eq!(names(Retention { time: None, bytes }), both);
        let mixed = [name("b", DeletionReason::Age), name("c", DeletionReason::Bytes)];
        assert_eq!(names(Retention { time, bytes }), mixed);
        // Used files stay, even if too little space is freed.
        assert_eq!(names(Retention { time: None, bytes: Some(0) }).len(), 3);
    }

    #[test]
    fn only_recordings_in_the_folder_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        #[cfg(unix)]
        let elsewhere = tempfile::NamedTempFile::new().unwrap();
        let names = ["live-a 2026-11-25 18-00-00.flv", "live-a 2026-11-25 18-00-00-1.mp4"];
        for name in names.iter().chain(&["notes.txt", "live-a.flv", "holiday.mp4"]) {
            fs::write(at(name), "12345").unwrap();
        }
        fs::create_dir(at("live-b 2026-11-25 18-00-00.flv")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(elsewhere.path(), at("live-c 2026-11-25 18-00-00.flv")).unwrap();
        let later = SystemTime::now() + Duration::from_secs(100);
        let is_used = |path: &Path| path.ends_with(names[1]);
        let (found, bytes) = found(folder.path(), later, is_used, 9).unwrap();
        let facts: Vec<_> = found.iter().map(|it| (it.name.as_str(), it.bytes)).collect();
        assert_eq!((facts, bytes), (vec![(names[0], 5)], 10));
        assert!(found.iter().all(|file| file.age >= Duration::from_secs(99)));
    }

    #[test]
    fn the_oldest_files_of_a_huge_folder_go_first() {
        let folder = tempfile::tempdir().unwrap();
        let name = |number: u64| format!("live-a 2026-11-25 18-00-{number:02}.flv");
        let now = SystemTime::now();
        for number in 0..20 {
            let path = folder.path().join(name(number));
            fs::write(&path, "12345").unwrap();
            let age = Duration::from_secs((number * 7 % 20) * 60);
            fs::File::options().write(true).open(path).unwrap().set_modified(now - age).unwrap();
        }
        let (found, bytes) = found(folder.path(), now, |_| false, 3).unwrap();
        assert!(bytes == 100 && found.len() == 3, "{found:?}");
        let keep = Retention { time: None, bytes: Some(90) };
        let gone = excess(found, bytes, keep).into_iter().map(|(file, _)| file.name);
        assert_eq!(gone.collect::<Vec<_>>(), [name(17), name(14)]);
    }
}
