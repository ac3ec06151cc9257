//! The recordings that are being watched. Their segment lists stay in memory, and their samples stay in the
//! file. Functions here read files, so only use the `async` ones on the runtime's threads.

mod content;

use std::borrow::Cow;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::base::{Clock, Timestamp};
use crate::files::MediaFile;
use crate::server::event::{Peer, Protocol};
use crate::server::hls::mpeg_ts::to_ts;
use crate::server::hls::viewers::{Viewer, ViewerKey, Viewers};
use crate::server::recordings::folder::{self, FileVersion, open_error};
use crate::server::recordings::name::{RecordedStream, began, stem, stream_of};
use crate::server::recordings::samples::{MAX_SAMPLES, SampleList};
use crate::server::recordings::segments::RecordedTracks;
use crate::server::recordings::viewers::keeper::WATCHED_WINDOW;
use crate::wire::container::growing::GrowingIndex;
use crate::wire::container::mp4::limited_index_to_play;
use crate::wire::container::mp4::live::{self, ChunkSample, ChunkTrack, FIRST_TRACK_ID};
use crate::wire::container::mp4::sample_table::Entry;
use crate::wire::container::{Error, FilePart, Format, ReadAt, SampleLocation};

pub(crate) use crate::server::recordings::folder::OpenError;
pub(crate) use crate::server::recordings::opened::content::RecordingContent;

/// The application of all recordings.
pub(crate) const VOD_APP: &str = "vod";
/// Maximum number of recordings in memory.
const MAX_OPEN_RECORDINGS: usize = 32;
/// Maximum size of a segment in bytes. A larger one counts as damaged.
const MAX_SEGMENT_BYTES: u64 = 128 << 20;
/// Maximum number of files that are read at the same time.
const MAX_PARALLEL_READS: usize = 8;
/// Memory for segments that are read or sent, in KiB. A client that does not read holds its segment.
const MAX_SENDING_KIB: u32 = 256 << 10;
/// Number of copies of a segment that are in memory while the segment is converted to MPEG-TS.
const TS_COPIES: u64 = 3;
/// How long a request waits for the disk, or for memory.
const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a request waits for another one that reads the same file.
const OTHER_READER_TIMEOUT: Duration = Duration::from_secs(2);
/// A growing file is read again after this time.
const REFRESH_INTERVAL: Duration = Duration::from_millis(500);
/// A viewer without a request for this long counts as gone: players load far ahead.
pub(super) const VIEWER_TIMEOUT: Duration = Duration::from_mins(1);
/// How long a new file waits for its other track.
const OTHER_TRACK_TIMEOUT: Duration = Duration::from_secs(2);

/// The recordings in memory.
#[derive(Debug)]
pub(crate) struct OpenRecordings {
    /// The recordings in order of use, the most recently used one last.
    all: Mutex<Vec<Arc<OpenRecording>>>,
    /// Held while a viewer continues in another file, so that parallel requests of one viewer count once.
    pub continuing: Mutex<()>,
    reading: Arc<Semaphore>,
    /// Room for segments in memory, in KiB.
    room: Arc<Semaphore>,
}

impl Default for OpenRecordings {
    fn default() -> Self {
        let reading = Arc::new(Semaphore::new(MAX_PARALLEL_READS));
        let room = Arc::new(Semaphore::new(MAX_SENDING_KIB as usize));
        Self { all: Mutex::default(), continuing: Mutex::default(), reading, room }
    }
}

/// The bytes of a segment. Their memory counts as used until the last reference is dropped.
struct SegmentBytes {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for SegmentBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Runs `work` with a time limit. `work` reads the disk, or waits for a free slot.
async fn in_time<T, E>(work: impl Future<Output = Result<T, E>>) -> Result<T, OpenError> {
    let done = tokio::time::timeout(READ_TIMEOUT, work).await;
    done.ok().and_then(Result::ok).ok_or(OpenError::Busy)
}

/// A recording.
#[derive(Debug)]
pub(crate) struct OpenRecording {
    pub path: PathBuf,
    /// The name without the extension.
    pub name: String,
    pub stream: RecordedStream,
    /// The start of the recording, in microseconds since 1970.
    pub began: Option<i64>,
    file: Mutex<OpenFile>,
    content: RwLock<RecordingContent>,
    pub viewers: Mutex<Viewers>,
    /// The last use, in microseconds of the clock.
    used: AtomicI64,
}

/// The file while it is being read.
#[derive(Debug)]
struct OpenFile {
    media: MediaFile,
    /// The reader of a growing file or of an FLV file.
    growing: Option<GrowingIndex>,
    refreshed: Option<Timestamp>,
    /// True if another program has changed the file since it was read.
    is_outdated: bool,
    /// Maximum number of samples in memory. A longer file plays up to there.
    max_samples: usize,
    /// True if the file has more samples.
    is_full: bool,
}

impl OpenRecordings {
    /// Opens the recording in this file, or reads the data added to the file. `is_writing` is true while the file
    /// grows. Also returns the viewers of recordings that this one displaces from memory, with the names of those
    /// recordings.
    ///
    /// # Errors
    /// Fails if the file cannot be read.
    pub async fn open(
        &self,
        path: &Path,
        clock: Clock,
        is_writing: impl Fn() -> bool + Send + 'static,
    ) -> Result<(Arc<OpenRecording>, Vec<(String, Viewer)>), OpenError> {
        let reading = in_time(Arc::clone(&self.reading).acquire_owned()).await?;
        let known = self.all.lock().iter().find(|it| it.path == path).cloned();
        let recording = match known {
            Some(known) => known,
            None => {
                let path = path.to_owned();
                let open = move || {
                    let file = folder::open(&path).map_err(open_error)?;
                    OpenRecording::new(path, file)
                };
                // Other clients that open the recording find it from here on, and do not read it
                // again.
                self.add(in_time(tokio::task::spawn_blocking(open)).await??)
            }
        };
        recording.note_use(clock.now());
        let work = Arc::clone(&recording);
        let refresh = move || {
            let _reading = reading;
            // The file may have been replaced or deleted.
            let file = folder::open(&work.path).map_err(open_error)?;
            work.refresh(file, clock.now(), is_writing)
        };
        let refreshed = in_time(tokio::task::spawn_blocking(refresh)).await?;
        // A file that is busy is often read by another client, who must not begin again.
        let is_useless = matches!(refreshed, Err(OpenError::Missing | OpenError::Unreadable(_)));
        if is_useless && recording.content().index.is_empty() {
            self.forget(path);
        }
        refreshed?;
        let now = clock.now();
        recording.note_use(now);
        let left = self.remember(&recording, now);
        Ok((recording, left))
    }

    /// Adds a recording, unless another task has already added it.
    fn add(&self, recording: OpenRecording) -> Arc<OpenRecording> {
        let mut all = self.all.lock();
        if let Some(known) = all.iter().find(|it| it.path == recording.path) {
            return Arc::clone(known);
        }
        let recording = Arc::new(recording);
        all.push(Arc::clone(&recording));
        recording
    }

    /// Makes this recording the last used one. Returns the viewers of displaced recordings, with the names of those
    /// recordings.
    fn remember(&self, recording: &Arc<OpenRecording>, now: Timestamp) -> Vec<(String, Viewer)> {
        let mut all = self.all.lock();
        all.retain(|it| it.path != recording.path);
        all.push(Arc::clone(recording));
        let samples = |it: &Arc<OpenRecording>| it.content.read().index.sample_count();
        let mut sum: usize = all.iter().map(samples).sum();
        let mut left = Vec::new();
        while all.len() > 1 && (all.len() > MAX_OPEN_RECORDINGS || sum > MAX_SAMPLES) {
            // The least recently used recording that nobody watches goes first, and a recording
            // that keeps a viewer out goes last.
            let worth = |it: &Arc<OpenRecording>| {
                let viewers = it.viewers.lock();
                (viewers.has_barred(now), viewers.len() > 0)
            };
            let others = all.iter().take(all.len() - 1).enumerate();
            let at = others.min_by_key(|(_, it)| worth(it)).map_or(0, |(at, _)| at);
            let displaced = all.remove(at);
            sum = sum.saturating_sub(samples(&displaced));
            let viewers = displaced.viewers.lock().remove_idle(Duration::ZERO, now);
            left.extend(viewers.into_iter().map(|viewer| (displaced.name.clone(), viewer)));
        }
        left
    }

    /// Returns true if this viewer was just disconnected from one of these files.
    pub fn is_barred(&self, files: &[PathBuf], key: ViewerKey, now: Timestamp) -> bool {
        let all = self.all.lock();
        all.iter().any(|it| it.viewers.lock().is_barred(key, now) && files.contains(&it.path))
    }

    /// Records that a viewer still watches the broadcast with these files.
    pub fn refresh(&self, files: &[PathBuf], key: ViewerKey, now: Timestamp) {
        let all = self.all.lock();
        all.iter()
            .filter(|it| files.contains(&it.path))
            .for_each(|it| it.viewers.lock().refresh(key, now));
    }

    /// Forgets recordings that nobody watches, and that keep no viewer out.
    pub fn forget_idle(&self, now: Timestamp) {
        let is_used = |it: &Arc<OpenRecording>| {
            let used = Timestamp::from_micros(it.used.load(Ordering::Acquire));
            let viewers = it.viewers.lock();
            now.since(used) < WATCHED_WINDOW || viewers.len() > 0 || viewers.has_barred(now)
        };
        self.all.lock().retain(is_used);
    }

    /// Returns all recordings in memory.
    pub fn all(&self) -> Vec<Arc<OpenRecording>> {
        self.all.lock().clone()
    }

    /// Returns the number of HLS and DASH viewers of this file.
    pub fn count_viewers(&self, file: &str) -> usize {
        let all = self.all.lock();
        all.iter().find(|it| it.file_name() == file).map_or(0, |it| it.viewers.lock().len())
    }

    /// Removes viewers who no longer send requests.
    pub fn leave(&self, now: Timestamp) -> Vec<(Arc<OpenRecording>, Viewer)> {
        let mut gone = Vec::new();
        for recording in self.all() {
            let left = recording.viewers.lock().remove_idle(VIEWER_TIMEOUT, now);
            gone.extend(left.into_iter().map(|viewer| (Arc::clone(&recording), viewer)));
        }
        gone
    }

    /// Forgets a recording that was deleted.
    pub fn forget(&self, path: &Path) {
        self.all.lock().retain(|it| it.path != path);
    }

    /// Reads a segment. Returns `None` if it does not exist.
    ///
    /// # Errors
    /// Fails if the segment cannot be read.
    pub async fn segment(
        &self,
        recording: &Arc<OpenRecording>,
        tracks: RecordedTracks,
        number: usize,
    ) -> Result<Option<Bytes>, OpenError> {
        self.read(recording, number, 1, move |it| it.read_segment(tracks, number)).await
    }

    /// Reads a segment as MPEG-TS. Returns `None` if the segment does not exist, or cannot be
    /// converted.
    ///
    /// # Errors
    /// Fails if the segment cannot be read.
    pub async fn ts_segment(
        &self,
        recording: &Arc<OpenRecording>,
        number: usize,
    ) -> Result<Option<Bytes>, OpenError> {
        self.read(recording, number, TS_COPIES, move |it| it.read_ts(number)).await
    }

    async fn read(
        &self,
        recording: &Arc<OpenRecording>,
        number: usize,
        copies: u64,
        read: impl FnOnce(&OpenRecording) -> Result<Option<Bytes>, OpenError> + Send + 'static,
    ) -> Result<Option<Bytes>, OpenError> {
        let size = recording.segment_bytes(number);
        let kib = size.min(MAX_SEGMENT_BYTES) * copies / 1_024 + 1;
        let kib = u32::try_from(kib).map_or(MAX_SENDING_KIB, |kib| kib.min(MAX_SENDING_KIB));
        let mut room = in_time(Arc::clone(&self.room).acquire_many_owned(kib)).await?;
        let reading = in_time(Arc::clone(&self.reading).acquire_owned()).await?;
        let recording = Arc::clone(recording);
        let work = move || {
            let _reading = reading;
            read(&recording)
        };
        let bytes = in_time(tokio::task::spawn_blocking(work)).await??;
        // Only one copy is left, and a slow client may need long for it.
        let surplus = kib - kib / u32::try_from(copies).unwrap_or(1).max(1);
        drop(room.split(usize::try_from(surplus).unwrap_or(0)));
        Ok(bytes.map(|bytes| Bytes::from_owner(SegmentBytes { bytes, _room: room })))
    }
}

impl OpenFile {
    fn new(file: File) -> Result<Self, OpenError> {
        Ok(Self {
            media: MediaFile::of(file)?,
            growing: None,
            refreshed: None,
            is_outdated: false,
            max_samples: MAX_SAMPLES,
            is_full: false,
        })
    }
}

impl OpenRecording {
    fn new(path: PathBuf, file: File) -> Result<Self, OpenError> {
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = stem(&file_name).to_owned();
        let stream = stream_of(&name).ok_or(OpenError::Missing)?;
        let created = file.metadata().ok().and_then(|it| it.created().ok());
        let began = began(&name, created);
        let version = FileVersion::of(&file, false)?;
        let content = RwLock::new(RecordingContent { version, ..RecordingContent::default() });
        let (file, used) = (Mutex::new(OpenFile::new(file)?), AtomicI64::new(0));
        Ok(Self { path, name, stream, began, file, content, viewers: Mutex::default(), used })
    }

    fn note_use(&self, now: Timestamp) {
        self.used.store(now.as_micros(), Ordering::Release);
    }

    /// Returns the name of the file.
    pub fn file_name(&self) -> Cow<'_, str> {
        self.path.file_name().unwrap_or_default().to_string_lossy()
    }

    /// Describes a viewer of the recording for events.
    pub fn peer(&self, address: SocketAddr, id: u64, protocol: Protocol) -> Peer {
        Peer { app: VOD_APP.to_owned(), stream: self.name.clone(), address, id, protocol }
    }

    /// Returns the known content of the recording.
    pub fn content(&self) -> impl std::ops::Deref<Target = RecordingContent> + '_ {
        self.content.read()
    }

    /// Opens the file again to read samples of this version.
    ///
    /// # Errors
    /// Fails if the file was replaced, until [`OpenRecordings::open`] has read the new one.
    pub fn reopen(&self, version: FileVersion) -> Result<MediaFile, OpenError> {
        let file = folder::open(&self.path).map_err(open_error)?;
        if version.is_of(&file)? { Ok(MediaFile::of(file)?) } else { Err(OpenError::Busy) }
    }

    /// Reads the data that was added to the file. `newest` is the file that has its name now.
    fn refresh(
        &self,
        newest: File,
        now: Timestamp,
        is_writing: impl Fn() -> bool,
    ) -> Result<(), OpenError> {
        let Some(mut file) = self.file.try_lock_for(OTHER_READER_TIMEOUT) else {
            // Another request is reading the file. The known part is enough, if there is any.
            return (!self.content.read().index.is_empty()).then_some(()).ok_or(OpenError::Busy);
        };
        // This check comes first: data that is written after it is read the next time.
        let ended = !is_writing();
        let version = FileVersion::of(&newest, ended)?;
        let known = self.content.read().version;
        let is_fresh = file.refreshed.is_some_and(|at| now.since(at) < REFRESH_INTERVAL);
        if known.is_of(&newest)? && (is_fresh || !file.is_outdated) {
            if is_fresh || self.content.read().ended {
                return Ok(());
            }
            self.content.write().version = version;
        } else if is_fresh && known.is_same_file(version) && !version.is_smaller_than(known) {
            // Another program adds to the file, which is read from its start only once per interval.
            file.is_outdated = true;
            self.content.write().version = version;
            return Ok(());
        } else {
            *file = OpenFile::new(newest)?;
            *self.content.write() = RecordingContent { version, ..RecordingContent::default() };
        }
        file.media.grow()?;
        let OpenFile { media, growing, refreshed, max_samples, is_full, .. } = &mut *file;
        if growing.is_none() {
            let format = media.format()?;
            if format == Format::Mp4 && ended && refreshed.is_none() {
                let mut index = limited_index_to_play(media, *max_samples)?;
                index.skip_hidden()?;
                let mut content = self.content.write();
                content.index.add(&index.tracks, &index.samples);
                content.complete(true);
                *refreshed = Some(now);
                return Ok(());
            }
            *growing = GrowingIndex::new(format);
        }
        let Some(reader) = growing else { return Err(OpenError::Missing) };
        let span = |samples: &[SampleLocation]| {
            let (first, last) = (samples.first(), samples.last());
            first.zip(last).map_or(Duration::ZERO, |(first, last)| last.dts.since(first.dts))
        };
        loop {
            let has_more = !*is_full && reader.read_on(media)?;
            let index = reader.index();
            let mut content = self.content.write();
            if content.index.sample_count() + index.samples.len() > *max_samples {
                if content.index.segments.is_empty() {
                    return Err(OpenError::Unreadable(Error::TooMuch(FilePart::Samples)));
                }
                (index.samples, *is_full) = (Vec::new(), true);
                continue;
            }
            let both = index.tracks.video.is_some() && !index.tracks.audio.is_empty();
            let is_certain = ended || has_more || both || !content.index.is_empty();
            if is_certain || span(&index.samples) >= OTHER_TRACK_TIMEOUT {
                let samples = std::mem::take(&mut index.samples);
                content.index.add(&index.tracks, &samples);
                content.complete(ended && !has_more);
            }
            if !has_more {
                *refreshed = Some(now);
                return Ok(());
            }
        }
    }

    /// Returns the maximum size of the files of a segment in bytes.
    fn segment_bytes(&self, number: usize) -> u64 {
        let content = self.content.read();
        let index = &content.index;
        index.segments.get(number).map_or(0, |span| index.segment_bytes(span))
    }

    /// Returns the bytes of a segment, or `None` if it does not exist.
    fn read_segment(
        &self,
        tracks: RecordedTracks,
        number: usize,
    ) -> Result<Option<Bytes>, OpenError> {
        let (video, audio, second, version) = {
            let content = self.content.read();
            let index = &content.index;
            let span = index.segments.get(number);
            let span = span.filter(|span| index.segment_bytes(span) <= MAX_SEGMENT_BYTES);
            let Some(span) = span else { return Ok(None) };
            let of = |list: &SampleList, range: &std::ops::Range<usize>| {
                let last = list.duration(range.end.saturating_sub(1));
                (list.samples.get(range.clone()).unwrap_or_default().to_vec(), last)
            };
            let (has_video, audio) = match tracks {
                RecordedTracks::All => (true, Some(0)),
                RecordedTracks::Video => (index.video_config.is_some(), None),
                RecordedTracks::Audio(index) => (false, Some(index)),
            };
            let video = has_video.then(|| of(&index.video, &span.video));
            let audio = audio.and_then(|audio| {
                let range = index.audio_range(audio, span)?;
                index.audio_track(audio).map(|(_, list, _)| of(list, &range))
            });
            (video, audio, index.audio_number(), content.version)
        };
        let mut media = self.reopen(version)?;
        let sequence = u32::try_from(number * 2 + 1).unwrap_or(u32::MAX);
        let mut chunks = Vec::new();
        for (is_video, number, samples) in [(true, FIRST_TRACK_ID, video), (false, second, audio)] {
            // DASH players request the video of all segments, also of those without frames.
            let is_needed = tracks == RecordedTracks::Video;
            let samples = samples.filter(|(it, _)| is_needed || !it.is_empty());
            let Some((samples, last_duration)) = samples else { continue };
            let mut read = Vec::with_capacity(samples.len());
            for sample in &samples {
                let mut data = vec![0; sample.size as usize];
                media.read_at(sample.at, &mut data)?;
                let (dts, composition, size) = (sample.dts, sample.composition, sample.size);
                let entry = Entry { dts, composition, size, keyframe: sample.keyframe };
                read.push(ChunkSample { entry, data: data.into() });
            }
            let track = ChunkTrack { number, video: is_video };
            chunks.push(live::chunk(track, sequence + u32::from(!is_video), &read, last_duration));
        }
        Ok((!chunks.is_empty()).then(|| chunks.concat().into()))
    }

    /// Returns the bytes of a segment as MPEG-TS, or `None` if the segment does not exist or cannot
    /// be converted.
    fn read_ts(&self, number: usize) -> Result<Option<Bytes>, OpenError> {
        let initialization = self.content.read().initialization.clone();
        let segment = self.read_segment(RecordedTracks::All, number)?;
        let (Some(initialization), Some(segment)) = (initialization, segment) else {
            return Ok(None);
        };
        Ok(to_ts(&initialization, std::iter::once(&segment), number as u64))
    }
}

#[cfg(test)]
mod tests;
