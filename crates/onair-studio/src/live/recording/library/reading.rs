//! Reads the recordings folder and the contents of the files on a thread. The thread may write
//! nothing.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

use crate::base::{Latest, Stop, Worker, sandbox};
use crate::files::{Trouble, free_space};
use crate::studio::live::recording::library::details::{self, Opened};
use crate::studio::live::recording::library::view::{
    FileState, FrameAt, MAX_LISTED_RECORDINGS, RecordingFile, RecordingsView,
};
use crate::wire::container::Format;

/// Number of recordings that are listed at first, beginning with the newest. Each request for more
/// adds the same number.
pub const FILES_PER_REQUEST: usize = 500;
/// Maximum number of names in the folder that are checked.
const MAX_NAMES: usize = 50_000;
/// Interval at which the folder is read again.
const READ_INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which the thread checks for requests.
const REQUEST_POLL_INTERVAL: Duration = Duration::from_millis(50);
/// A file that was modified within this time counts as being written.
const CHANGING_FILE_WINDOW: Duration = Duration::from_secs(3);

/// The current request to the thread, which replaces earlier ones.
#[derive(Debug, Default)]
struct ReadRequest {
    frame: Option<(PathBuf, Duration)>,
    again: bool,
    /// True to list more of the older recordings.
    more: bool,
}

/// The reading thread; see the module documentation.
#[derive(Debug)]
pub struct Reading {
    folder: PathBuf,
    asked: Arc<Mutex<ReadRequest>>,
    listed: Latest<RecordingsView>,
    seen: u64,
    _worker: Worker,
}

impl Reading {
    pub fn start(folder: &Path, known: KnownFiles) -> Option<Self> {
        let mut reader = Reader::new(folder, known);
        let (asked, listed) = (Arc::clone(&reader.asked), reader.listed.clone());
        let worker = Worker::spawn("onair-library", move |stop| reader.run(stop));
        let worker =
            worker.inspect_err(|error| tracing::error!(%error, "reading recordings failed"));
        Some(Self { folder: folder.to_owned(), asked, listed, seen: 0, _worker: worker.ok()? })
    }

    pub fn is_of(&self, folder: &Path) -> bool {
        self.folder == folder
    }

    pub fn frame_at(&self, path: PathBuf, at: Duration) {
        self.asked.lock().frame = Some((path, at));
    }

    /// Reports that the folder has changed, so that it is read at once.
    pub fn look_again(&self) {
        self.asked.lock().again = true;
    }

    /// Requests a longer list of recordings.
    pub fn list_more(&self) {
        let mut asked = self.asked.lock();
        (asked.more, asked.again) = (true, true);
    }

    /// Returns the view if the thread has read anything since the last call.
    pub fn news(&mut self) -> Option<RecordingsView> {
        self.listed.newer(&mut self.seen)
    }
}

/// The state of a file in the folder: when it changes, the file is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    modified: SystemTime,
}

impl Stamp {
    fn of(metadata: &fs::Metadata) -> Option<Self> {
        Some(Self { bytes: metadata.len(), modified: metadata.modified().ok()? })
    }
}

/// The files that were read, also before the list was closed and opened again.
pub type KnownFiles = Arc<Mutex<HashMap<PathBuf, (Stamp, FileState)>>>;

struct Reader {
    folder: PathBuf,
    asked: Arc<Mutex<ReadRequest>>,
    listed: Latest<RecordingsView>,
    known: KnownFiles,
    /// The recording of the last requested frame.
    opened: Option<(PathBuf, Stamp, Opened)>,
    view: RecordingsView,
    /// The maximum number of listed recordings.
    most: usize,
}

impl Reader {
    fn new(folder: &Path, known: KnownFiles) -> Self {
        // The cause may have passed, such as a disk that did not answer.
        known.lock().retain(|_, (_, state)| !matches!(state, FileState::Unreadable(_)));
        Self {
            folder: folder.to_owned(),
            asked: Arc::default(),
            listed: Latest::default(),
            known,
            opened: None,
            most: FILES_PER_REQUEST,
            view: RecordingsView { folder: folder.to_owned(), ..RecordingsView::default() },
        }
    }

    fn run(&mut self, stop: &Stop) {
        sandbox::video_decoder();
        while !stop.is_set() {
            self.read_folder();
            self.read_files(stop);
            let mut waited = Duration::ZERO;
            while waited < READ_INTERVAL && !stop.wait(REQUEST_POLL_INTERVAL) {
                self.answer();
                if std::mem::take(&mut self.asked.lock().again) {
                    break;
                }
                waited += REQUEST_POLL_INTERVAL;
            }
        }
    }

    fn publish(&self) {
        self.listed.publish(self.view.clone());
    }

    fn answer(&mut self) {
        let Some((path, asked)) = self.asked.lock().frame.take() else { return };
        let frame = self.open(&path).and_then(|opened| opened.frame_at(asked));
        self.view.frame = Some(FrameAt { path, asked, frame });
        self.publish();
    }

    /// Opens a recording, unless it is still open and unchanged.
    fn open(&mut self, path: &Path) -> Option<&mut Opened> {
        let stamp = Stamp::of(&fs::metadata(path).ok()?)?;
        let is_open = |(its, known, _): &(PathBuf, Stamp, Opened)| its == path && *known == stamp;
        if !self.opened.as_ref().is_some_and(is_open) {
            self.opened = Some((path.to_owned(), stamp, Opened::new(path).ok()?));
        }
        self.opened.as_mut().map(|(_, _, opened)| opened)
    }

    fn read_folder(&mut self) {
        if std::mem::take(&mut self.asked.lock().more) {
            self.most = (self.most + FILES_PER_REQUEST).min(MAX_LISTED_RECORDINGS);
        }
        let before = self.view.files.iter().map(|file| &file.path);
        let before: Vec<PathBuf> = before.cloned().collect();
        let (problem, free) = (self.view.problem.clone(), self.view.free);
        match found(&self.folder) {
            Ok(mut found) => {
                found.sort_by_key(|(_, stamp)| std::cmp::Reverse(stamp.modified));
                self.view.more = found.len().saturating_sub(self.most);
                found.truncate(self.most);
                let files = found.into_iter().map(|(path, stamp)| self.file(path, stamp));
                self.view.files = files.collect();
                self.view.problem = None;
            }
            // The folder is created with the first recording.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                (self.view.files, self.view.problem) = (Vec::new(), None);
            }
            Err(error) => {
                (self.view.files, self.view.problem) = (Vec::new(), Some(Trouble::problem(&error)));
            }
        }
        let listed: std::collections::HashSet<_> =
            self.view.files.iter().map(|file| file.path.clone()).collect();
        self.known.lock().retain(|path, _| listed.contains(path));
        self.view.free = free_space(&self.folder);
        let same = before.len() == self.view.files.len()
            && before.iter().zip(&self.view.files).all(|(path, file)| *path == file.path)
            && self.view.is_read
            && (problem.is_none(), free) == (self.view.problem.is_none(), self.view.free)
            && !self.view.files.iter().any(|file| matches!(file.state, FileState::Changing));
        self.view.is_read = true;
        if !same {
            self.publish();
        }
    }

    fn file(&self, path: PathBuf, stamp: Stamp) -> RecordingFile {
        let since = stamp.modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        let changing = stamp.modified.elapsed().is_ok_and(|age| age < CHANGING_FILE_WINDOW);
        let mut files = self.known.lock();
        let state = match files.get(&path) {
            Some((known, state)) if *known == stamp => state.clone(),
            _ if changing => FileState::Changing,
            _ => FileState::Waiting,
        };
        let bytes = stamp.bytes;
        if let FileState::Waiting = state {
            files.insert(path.clone(), (stamp, FileState::Waiting));
        }
        let wall_micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        RecordingFile { path, bytes, wall_micros, state }
    }

    /// Reads the files that are not known yet, and serves requests in between.
    fn read_files(&mut self, stop: &Stop) {
        for place in 0..self.view.files.len() {
            let Some(file) = self.view.files.get(place) else { return };
            if !matches!(file.state, FileState::Waiting) {
                continue;
            }
            let path = file.path.clone();
            let stamp = self.known.lock().get(&path).map(|(stamp, _)| stamp.clone());
            let state = match details::details(&path) {
                Ok(details) => FileState::Known(Arc::new(details)),
                Err(problem) => FileState::Unreadable(problem),
            };
            // The thread of a list that was opened again may know a later state.
            if let Some((its, known)) = self.known.lock().get_mut(&path)
                && stamp.as_ref() == Some(its)
            {
                *known = state.clone();
            }
            if let Some(file) = self.view.files.get_mut(place) {
                file.state = state;
            }
            self.publish();
            self.answer();
            if stop.is_set() || self.asked.lock().again {
                return;
            }
        }
    }
}

/// Returns the media files in a folder.
fn found(folder: &Path) -> std::io::Result<Vec<(PathBuf, Stamp)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)?.take(MAX_NAMES) {
        let Ok(entry) = entry else { continue };
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if hidden || Format::of_path(&path).is_none() {
            continue;
        }
        let Ok(metadata) = fs::metadata(&path) else { continue };
        if let (true, Some(stamp)) = (metadata.is_file(), Stamp::of(&metadata)) {
            files.push((path, stamp));
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::live::recording::library::details::Details;
    use crate::text::problem::problem;

    #[test]
    fn a_list_that_opens_again_reads_unreadable_files_again() {
        let folder = tempfile::tempdir().unwrap();
        let details = Details {
            duration: Duration::ZERO,
            video: None,
            audio: Vec::new(),
            keyframes: Vec::new(),
            thumbnail: None,
            unfinished: false,
        };
        let unreadable = FileState::Unreadable(problem!("media-unknown"));
        let states = [("a.mkv", FileState::Known(Arc::new(details))), ("b.mkv", unreadable)];
        let known = KnownFiles::default();
        for (name, state) in states {
            let path = folder.path().join(name);
            fs::write(&path, b"").unwrap();
            let stamp = Stamp::of(&fs::metadata(&path).unwrap()).unwrap();
            known.lock().insert(path, (stamp, state));
        }
        let mut reader = Reader::new(folder.path(), known);
        reader.read_folder();
        let state = |name: &str| {
            let mut files = reader.view.files.iter();
            files.find(|file| file.path.ends_with(name)).map(|file| &file.state)
        };
        assert!(matches!(state("a.mkv"), Some(FileState::Known(_))), "{:?}", state("a.mkv"));
        let again = state("b.mkv");
        assert!(matches!(again, Some(FileState::Waiting | FileState::Changing)), "{again:?}");
    }
}
