//! The file of a recorded publication: writes complete tags and watches the disk, like the studio's
//! recordings. The operations of this module can block on the disk, so do not call them on the
//! runtime's threads.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::{Clock, Timestamp};
use crate::files;
use crate::files::disk_space::{DiskChange, SpaceReading, SpaceWatch, Warning, reserve};
use crate::platform::files::is_unlinked;
use crate::server::access::publisher_limits::Allowance;
use crate::server::recordings::folder;
use crate::server::recordings::name::{RecordedStream, file_name};
use crate::server::recordings::rules::FileRules;
use crate::text::problem::problem;

/// How often data is synced to the disk, and the disk is checked.
const SYNC_INTERVAL: Duration = Duration::from_secs(2);
/// The assumed bitrate before a measurement, in bits per second.
const ASSUMED_BITS_PER_SECOND: u64 = 2_500_000;
/// Without a recording for this long, the warnings about the disk begin again.
const MAX_IDLE_TIME: Duration = Duration::from_mins(1);
/// How long the slowest write counts, because other files may be written faster.
const SLOW_WRITE_WINDOW: Duration = Duration::from_secs(30);
/// Maximum number of new files of one stream at once, for example of a publisher that reconnects.
const MAX_NEW_FILES: u32 = 10;
/// The time after which a stream may have one more file.
const NEW_FILE_INTERVAL: Duration = Duration::from_secs(1);
/// From this number of streams on, those without new files are forgotten.
const MAX_REMEMBERED_STREAMS: usize = 1_024;
/// Number of files that other programs can still create.
const RESERVED_FILES: u64 = 256;
/// Maximum number of files in the folder. With more files, listing the folder takes too long.
const MAX_FILES: usize = 500_000;
/// How often the files are counted.
const COUNT_INTERVAL: Duration = Duration::from_mins(1);

/// The disk, which all recordings of the server fill.
#[derive(Debug)]
pub(crate) struct RecordingDisk {
    begun: Instant,
    state: Mutex<DiskState>,
    /// Number of bytes that the ends of all open files need.
    index: AtomicU64,
    /// The new files of each stream.
    new_files: Mutex<HashMap<RecordedStream, Allowance>>,
    /// The number of files in the folder, and the time at which they were counted.
    files: Mutex<Option<(Instant, usize)>>,
}

#[derive(Debug)]
struct DiskState {
    watch: SpaceWatch,
    /// The time of the last check.
    checked: Timestamp,
    /// Number of bytes in all files.
    written: u64,
    /// The time of the slowest write, and how long it took.
    slowest: (Timestamp, Duration),
}

impl DiskState {
    fn new(now: Timestamp) -> Self {
        let watch = SpaceWatch::new(ASSUMED_BITS_PER_SECOND);
        Self { watch, checked: now, written: 0, slowest: (now, Duration::ZERO) }
    }
}

impl Default for RecordingDisk {
    fn default() -> Self {
        let state = Mutex::new(DiskState::new(Timestamp::ZERO));
        let (index, new_files, files) = Default::default();
        Self { begun: Instant::now(), state, index, new_files, files }
    }
}

impl RecordingDisk {
    /// Counts a new file of a stream. Returns false, and does not count the file, if the stream has too many.
    pub fn takes_file(&self, stream: &RecordedStream) -> bool {
        self.takes_file_at(stream, Timestamp::ZERO + self.begun.elapsed())
    }

    fn takes_file_at(&self, stream: &RecordedStream, now: Timestamp) -> bool {
        let mut streams = self.new_files.lock();
        if streams.len() >= MAX_REMEMBERED_STREAMS {
            streams.retain(|_, files| !files.is_unused(NEW_FILE_INTERVAL, now));
        }
        let files = streams.entry(stream.clone()).or_default();
        files.takes(MAX_NEW_FILES, NEW_FILE_INTERVAL, now)
    }

    /// Checks that the disk and the folder have room for another file.
    fn check_count(&self, folder: &Path, free: Option<u64>, most: usize) -> io::Result<()> {
        if free.is_some_and(|free| free < RESERVED_FILES) {
            return Err(io::Error::other(problem!("recorded-no-more-files")));
        }
        let mut files = self.files.lock();
        let count = match *files {
            Some((at, count)) if at.elapsed() < COUNT_INTERVAL => count,
            // The creation of the file finds out what is wrong with the folder.
            _ => folder::count(folder, most).unwrap_or_default(),
        };
        if count >= most {
            *files = None;
            return Err(io::Error::other(problem!("recorded-folder-full", count = most)));
        }
        let at = files.filter(|(_, known)| *known == count).map_or_else(Instant::now, |it| it.0);
        *files = Some((at, count + 1));
        Ok(())
    }

    /// Checks the disk for one file. Unlike elsewhere, `written` is the number of bytes since the last check of this
    /// file. `index` is that of all files.
    fn check(&self, reading: &SpaceReading) -> Option<Warning> {
        let now = reading.now;
        let mut state = self.state.lock();
        if now.since(state.checked) > MAX_IDLE_TIME {
            *state = DiskState::new(now);
        }
        state.checked = now;
        state.written += reading.written;
        let (at, slowest) = state.slowest;
        if reading.queued >= slowest || now.since(at) > SLOW_WRITE_WINDOW {
            state.slowest = (now, reading.queued);
        }
        let (written, (_, queued)) = (state.written, state.slowest);
        let change = state.watch.check(&SpaceReading { written, queued, ..*reading });
        change.and_then(DiskChange::warning)
    }
}

/// The task of a recorder.
#[derive(Clone, Debug)]
pub(crate) struct RecordingTask {
    pub folder: PathBuf,
    pub stream: RecordedStream,
    pub rules: FileRules,
    pub created: CreatedHook,
    pub disk: Arc<RecordingDisk>,
}

/// A callback that gets the path of each new file before anything is written to the file.
#[derive(Clone)]
pub(crate) struct CreatedHook(pub Arc<dyn Fn(&Path) + Send + Sync>);

impl fmt::Debug for CreatedHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CreatedHook")
    }
}

impl RecordingTask {
    /// Returns the path of a file that begins now.
    pub fn path(&self) -> PathBuf {
        let RecordedStream { app, stream } = &self.stream;
        self.folder.join(file_name(app, stream, Clock::system_micros(), self.rules.format))
    }

    /// Creates the next file. From then on, the file counts as being written, so that nobody
    /// deletes it.
    pub(super) fn create(&self) -> io::Result<RecordingWriter> {
        self.disk.check_count(&self.folder, files::free_files(&self.folder), MAX_FILES)?;
        let file = RecordingWriter::create(&self.path(), Arc::clone(&self.disk))?;
        (self.created.0)(file.path());
        Ok(file)
    }
}

/// The writer of a recording.
#[derive(Debug)]
pub(crate) struct RecordingWriter {
    file: File,
    path: PathBuf,
    written: u64,
    disk: Arc<RecordingDisk>,
    /// Number of bytes that the disk counts.
    counted: u64,
    /// The time of the next check.
    due: Instant,
    /// Number of bytes that the end of the file needs.
    index: u64,
    /// A function that returns the number of free bytes at a path.
    free: fn(&Path) -> Option<u64>,
}

impl RecordingWriter {
    /// Creates a new file with this name, or with a number added.
    pub fn create(path: &Path, disk: Arc<RecordingDisk>) -> io::Result<Self> {
        Self::create_where(path, disk, files::free_space)
    }

    fn create_where(
        path: &Path,
        disk: Arc<RecordingDisk>,
        free: fn(&Path) -> Option<u64>,
    ) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        enough_room(free(folder), disk.index.load(Ordering::Relaxed))?;
        let (file, path) = files::create_new(path)?;
        let due = Instant::now() + SYNC_INTERVAL;
        Ok(Self { file, path, written: 0, disk, counted: 0, due, index: 0, free })
    }

    /// Returns the actual name of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of bytes written to the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends tags.
    ///
    /// # Errors
    /// Fails if writing fails. The file then ends with the last complete tag.
    pub fn append(&mut self, tags: &[Bytes]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(&tags.concat()) {
            self.cut(tags);
            return Err(error);
        }
        self.written += tags.iter().map(|tag| tag.len() as u64).sum::<u64>();
        Ok(())
    }

    /// Regularly syncs the file to the disk, and checks the disk. `since` is the start of the last write. Can return a
    /// warning.
    ///
    /// # Errors
    /// Fails if the disk has too little free space, or if the file was removed.
    pub fn check(&mut self, since: Instant) -> io::Result<Option<Warning>> {
        if Instant::now() < self.due {
            return Ok(None);
        }
        self.file.sync_data()?;
        self.due = Instant::now() + SYNC_INTERVAL;
        self.check_disk(since.elapsed())
    }

    /// Simulates a full disk, which the next check finds.
    #[cfg(test)]
    pub(super) fn fill_disk(&mut self) {
        self.free = |_| Some(0);
        self.due = Instant::now();
    }

    /// Sets how many bytes the end of the file will need.
    pub fn set_index(&mut self, bytes: u64) {
        let before = std::mem::replace(&mut self.index, bytes);
        self.disk.index.fetch_add(bytes, Ordering::Relaxed);
        self.disk.index.fetch_sub(before, Ordering::Relaxed);
    }

    /// Completes the file: appends this end, and then replaces bytes at these positions.
    ///
    /// # Errors
    /// Fails if writing fails. The file is then playable up to the data that was written before.
    pub fn complete(&mut self, end: &Bytes, patches: &[(u64, Bytes)]) -> io::Result<()> {
        // A failed write may have left the position elsewhere.
        self.file.seek(SeekFrom::Start(self.written))?;
        if let Err(error) = self.file.write_all(end) {
            self.cut(&[]);
            return Err(error);
        }
        self.written += end.len() as u64;
        self.set_index(0);
        for (at, bytes) in patches {
            self.file.seek(SeekFrom::Start(*at))?;
            self.file.write_all(bytes)?;
        }
        self.file.seek(SeekFrom::End(0))?;
        Ok(())
    }

    /// Checks the disk, which needed this long for the last write.
    fn check_disk(&mut self, took: Duration) -> io::Result<Option<Warning>> {
        if is_unlinked(&self.file) {
            // The kind for a file that was removed, unlike `NotFound`, which means its folder.
            return Err(io::ErrorKind::StaleNetworkFileHandle.into());
        }
        let free = (self.free)(&self.path);
        let index = self.disk.index.load(Ordering::Relaxed);
        // Stop while there is still space for the ends of all files, and for other programs.
        enough_room(free, index)?;
        let now = Timestamp::ZERO + self.disk.begun.elapsed();
        let written = self.written.saturating_sub(self.counted);
        self.counted = self.written;
        // The data that arrived in the meantime is waiting.
        let reading = SpaceReading { now, free, written, queued: took, index };
        Ok(self.disk.check(&reading))
    }

    /// After a failure: keeps complete tags, and removes the rest.
    fn cut(&mut self, tags: &[Bytes]) {
        let there = self.file.metadata().map_or(self.written, |it| it.len());
        let mut end = self.written;
        for tag in tags {
            let next = end + tag.len() as u64;
            if next > there {
                break;
            }
            end = next;
        }
        // Truncating a file needs no space.
        self.written = if self.file.set_len(end).is_ok() { end } else { there };
    }

    /// Syncs the file to the disk.
    pub fn finish(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Removes an empty file.
    pub fn remove_if_empty(&self) {
        if self.written == 0 && !is_unlinked(&self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Drop for RecordingWriter {
    fn drop(&mut self) {
        self.set_index(0);
        // The disk may have hung for so long that nobody waits for the new file.
        self.remove_if_empty();
    }
}

fn enough_room(free: Option<u64>, index: u64) -> io::Result<()> {
    match free {
        Some(free) if free < reserve(index) => Err(io::ErrorKind::StorageFull.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEST_TAG: Bytes = Bytes::from_static(&[7; 100]);

    fn create(path: &Path) -> io::Result<RecordingWriter> {
        create_where(path, files::free_space)
    }

    fn create_where(path: &Path, free: fn(&Path) -> Option<u64>) -> io::Result<RecordingWriter> {
        RecordingWriter::create_where(path, Arc::default(), free)
    }

    #[test]
    fn all_recordings_share_the_free_space() {
        let disk = RecordingDisk::default();
        // Twenty files of one megabyte per second are checked every two seconds. At first, there is enough space for an
        // hour, then for a minute.
        let mut warnings = Vec::new();
        for (step, seconds) in
            [3_600, 3_600, 3_600, 3_600, 3_600, 3_600, 60].into_iter().enumerate()
        {
            for file in 0..20 {
                let now = Timestamp::from_millis(step as i64 * 2_000 + file);
                let free = Some((8 << 20) + seconds * 20_000_000);
                let queued = Duration::ZERO;
                let reading = SpaceReading { now, free, written: 2_000_000, queued, index: 0 };
                warnings.extend(disk.check(&reading));
            }
        }
        let [Warning::Space { left, .. }] = warnings[..] else { panic!("{warnings:?}") };
        assert!((50..70).contains(&left.as_secs()), "{left:?}");
    }

    #[test]
    fn the_ends_of_all_open_files_keep_their_space() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Arc::<RecordingDisk>::default();
        let create = |name: &str| {
            let free = |_: &Path| Some(1_u64 << 30);
            RecordingWriter::create_where(&folder.path().join(name), Arc::clone(&disk), free)
        };
        let (mut first, mut second) = (create("a.flv").unwrap(), create("b.flv").unwrap());
        first.set_index(1 << 20);
        assert!(second.check_disk(Duration::ZERO).is_ok());
        first.set_index(1 << 30);
        for result in [second.check_disk(Duration::ZERO).err(), create("c.flv").err()] {
            assert_eq!(result.unwrap().kind(), io::ErrorKind::StorageFull);
        }
        // The first file has its end.
        first.complete(&Bytes::from_static(b"end"), &[]).unwrap();
        assert!(second.check_disk(Duration::ZERO).is_ok());
        second.set_index(1 << 30);
        assert!(first.check_disk(Duration::ZERO).is_err());
        drop(second);
        assert!(first.check_disk(Duration::ZERO).is_ok());
    }

    #[test]
    fn a_stream_gets_a_new_file_once_a_second() {
        let disk = RecordingDisk::default();
        let [one, other] = ["one", "other"]
            .map(|stream| RecordedStream { app: "live".into(), stream: stream.into() });
        let takes = |stream: &_, ms| disk.takes_file_at(stream, Timestamp::from_millis(ms));
        assert_eq!((0..60_000).filter(|ms| takes(&one, *ms)).count(), 10 + 59);
        assert!(takes(&other, 60_000), "another stream");
        assert!((70..200).all(|second| takes(&one, second * 1_000)), "split every second");
        for number in 0..2 * MAX_REMEMBERED_STREAMS as i64 {
            let stream = RecordedStream { app: "live".into(), stream: number.to_string() };
            assert!(takes(&stream, 300_000 + number * 100));
        }
        assert!(disk.new_files.lock().len() <= MAX_REMEMBERED_STREAMS);
    }

    #[test]
    fn other_programs_can_still_create_files() {
        let folder = tempfile::tempdir().unwrap();
        let check = |free, most| {
            let disk = RecordingDisk::default();
            let check = || disk.check_count(folder.path(), free, most);
            (0..3).find_map(|_| check().err()).map(|error| error.to_string())
        };
        assert_eq!([check(None, 500), check(Some(RESERVED_FILES), 500)], [None, None]);
        assert!(check(Some(RESERVED_FILES - 1), 500).is_some());
        assert!(check(None, 2).is_some(), "two new files");
        (0..20).for_each(|it| fs::write(folder.path().join(format!("{it}.flv")), "").unwrap());
        assert_eq!(check(None, 23), None);
        let why = check(None, 20).unwrap();
        assert!(why.contains("20"), "{why}");
    }

    #[test]
    fn other_files_end_no_warning_about_a_slow_disk() {
        let disk = RecordingDisk::default();
        let check = |seconds: i64, took: u64| {
            let now = Timestamp::from_millis(seconds * 1_000);
            let queued = Duration::from_secs(took);
            disk.check(&SpaceReading { now, free: None, written: 100, queued, index: 0 }).is_some()
        };
        assert_eq!(
            [check(0, 6), check(1, 0), check(2, 6), check(3, 0)],
            [true, false, false, false]
        );
        // The disk was fast enough for a while.
        assert_eq!([check(34, 0), check(35, 6)], [false, true]);
        // The next recording begins much later.
        assert!(check(200, 6));
    }

    #[test]
    fn a_file_that_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live-show.flv");
        let mut first = create(&path).unwrap();
        first.append(&[Bytes::from_static(b"first")]).unwrap();
        let second = create(&path).unwrap();
        let empty = second.path().to_owned();
        assert_eq!((first.path(), empty.ends_with("live-show-1.flv")), (&*path, true));
        assert_eq!(fs::read(&path).unwrap(), b"first");
        drop((first, second));
        assert!(path.exists() && !empty.exists());
        assert!(create(&folder.path().join("none/a.flv")).is_err());
    }

    #[test]
    fn a_disk_that_fills_up_is_reported_and_left_with_some_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.flv");
        let mut paper = create_where(&path, |_| Some(1 << 40)).unwrap();
        paper.append(&[TEST_TAG, TEST_TAG]).unwrap();
        assert_eq!(paper.check_disk(Duration::ZERO).unwrap(), None);
        paper.free = |_| Some((8 << 20) + 2_500_000 / 8 * 60);
        let left = Duration::from_secs(60);
        let warning = paper.check_disk(Duration::ZERO).unwrap();
        assert!(
            matches!(warning, Some(Warning::Space { left: it, .. }) if it == left),
            "{warning:?}"
        );
        assert_eq!(paper.check_disk(Duration::ZERO).unwrap(), None, "said already");
        paper.free = |_| Some((8 << 20) - 1);
        let full = paper.check_disk(Duration::ZERO).unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::StorageFull);
        assert_eq!((paper.written(), fs::metadata(&path).unwrap().len()), (200, 200));
        // No file is created there.
        assert!(create_where(&folder.path().join("b.flv"), |_| Some(0)).is_err());
        assert!(!folder.path().join("b.flv").exists());
        // A slow disk is reported too, and so is a removed file.
        paper.free = |_| None;
        let slow = paper.check_disk(Duration::from_secs(6)).unwrap();
        assert!(matches!(slow, Some(Warning::Slow { .. })), "{slow:?}");
        fs::remove_file(&path).unwrap();
        assert!(paper.check_disk(Duration::ZERO).is_err());
    }

    #[test]
    fn what_was_cut_ends_with_a_whole_tag_and_counts() {
        let folder = tempfile::tempdir().unwrap();
        let mut paper = create(&folder.path().join("show.flv")).unwrap();
        paper.append(&[TEST_TAG]).unwrap();
        // As after a full disk: two more tags, and a part of the third.
        paper.file.write_all(&[7; 250]).unwrap();
        paper.cut(&[TEST_TAG, TEST_TAG, TEST_TAG, TEST_TAG]);
        assert_eq!(paper.written(), 300);
        assert_eq!(fs::metadata(paper.path()).unwrap().len(), 300);
        // The end of the file follows directly.
        paper.complete(&Bytes::from_static(b"end"), &[(0, Bytes::from_static(b"start"))]).unwrap();
        let bytes = fs::read(paper.path()).unwrap();
        assert_eq!((bytes.len(), &bytes[..6]), (303, &b"start\x07"[..]));
        assert_eq!(&bytes[300..], b"end");
    }
}
