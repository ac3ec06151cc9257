//! The playlist of a broadcast from its start, over all its files. If files are deleted or the playlist becomes too
//! long, its start moves, but segments keep their numbers. This module is pure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::server::recordings::opened::OpenRecording;
use crate::server::recordings::playlist::recording::MIN_EVENT_TARGET_DURATION;
use crate::wire::hls::{ListPosition, Map, Media, Segment, write_media};

/// Name of the playlist of a broadcast below `/{app}/{stream}/hls/`.
pub(crate) const EVENT_PLAYLIST_NAME: &str = "event.m3u8";
/// Maximum number of segments in the playlist: about a day.
const MAX_LISTED_SEGMENTS: usize = 21_600;
/// Minimum time between two checks of whether the files still exist.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The known files of a broadcast, and their segments.
#[derive(Debug, Default)]
pub(crate) struct BroadcastList(Mutex<KnownFiles>);

#[derive(Debug, Default)]
struct KnownFiles {
    /// The files, without those at the start that are gone.
    files: Vec<KnownFile>,
    /// The files that are gone from the start.
    dropped: DroppedFiles,
    /// The start time of the first known file, in microseconds since 1970.
    began: Option<i64>,
    /// The duration of the longest segment so far. It does not change when the playlist's start moves.
    target: Duration,
    /// The time of the last check for missing files.
    checked: Option<Timestamp>,
    /// The last text, for all viewers, because writing a long text takes time.
    written: Option<WrittenText>,
}

/// Numbers of files that are no longer in the list, and of their segments.
#[derive(Debug, Default)]
struct DroppedFiles {
    files: usize,
    files_with_segments: u64,
    segments: usize,
}

/// A text of the playlist.
#[derive(Debug)]
struct WrittenText {
    /// The relative URL of the server's root in the text.
    root: String,
    version: String,
    text: Bytes,
}

/// A file of the broadcast.
#[derive(Debug)]
struct KnownFile {
    path: PathBuf,
    /// The URL of its segments relative to the server's root, with a slash at the end.
    folder: String,
    /// The start time of the file, in microseconds since 1970.
    began: Option<i64>,
    /// Start and duration of each segment.
    segments: Vec<(Timestamp, Duration)>,
    /// Number of segments that were forgotten.
    forgotten: usize,
    state: FileState,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum FileState {
    /// More segments may follow.
    Grows,
    Complete,
    /// The file was deleted, or is no longer in the playlist.
    Gone,
}

/// The current version of the playlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BroadcastText {
    /// The text, which is empty if the client has this version.
    pub text: Bytes,
    /// A version that changes whenever the text changes.
    pub version: String,
    pub ended: bool,
}

/// The playlist of a broadcast, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BroadcastPlaylist {
    Text(BroadcastText),
    /// There is no segment yet.
    Empty,
    /// The broadcast has ended, and all its files are gone.
    Gone,
}

/// Properties of a requested playlist.
#[derive(Copy, Clone, Debug)]
pub(crate) struct BroadcastForm<'a> {
    /// The relative URL of the root of the server.
    pub root: &'a str,
    /// True if the broadcast has ended.
    pub ended: bool,
    /// True if no retention rule deletes the broadcast's files.
    pub keeps_all: bool,
}

impl KnownFile {
    fn count(&self) -> usize {
        self.forgotten + self.segments.len()
    }

    /// Returns true if the playlist does not need the file, because it has no segments.
    fn is_empty(&self) -> bool {
        self.state == FileState::Complete && self.count() == 0
    }

    /// Adds the file's segments to a playlist, except the first `skipped` ones.
    fn list(&self, root: &str, skipped: usize, listed: &mut Vec<Segment>) {
        let uri = |name: &str| format!("{root}{}{name}", self.folder);
        let map = Some(Arc::new(Map { uri: uri("init.mp4"), range: None, key: None }));
        for (number, (start, duration)) in self.segments.iter().enumerate().skip(skipped) {
            listed.push(Segment {
                uri: uri(&format!("{number}.m4s")),
                duration: *duration,
                discontinuity: number == 0 && !listed.is_empty(),
                gap: false,
                range: None,
                map: map.clone(),
                key: None,
                parts: Vec::new(),
                made: self.began.map(|began| began.saturating_add(start.as_micros())),
            });
        }
    }

    fn forget(&mut self) {
        self.forgotten = self.count();
        self.segments = Vec::new();
        self.state = FileState::Gone;
    }
}

impl KnownFiles {
    /// Adds the files that are new in this list of all files, in the order of recording, from number `first` on.
    fn extend(&mut self, files: &[PathBuf], first: usize) {
        let known = self.dropped.files + self.files.len();
        for path in files.iter().skip(known.saturating_sub(first)) {
            self.files.push(KnownFile {
                path: path.clone(),
                folder: String::new(),
                began: None,
                segments: Vec::new(),
                forgotten: 0,
                state: FileState::Grows,
            });
        }
    }

    /// Returns the segments from number `first` on, and the number of discontinuities before them. Forgets complete
    /// files before them.
    fn list(&mut self, root: &str, first: usize) -> (Vec<Segment>, u64) {
        let (mut number, mut files) = (self.dropped.segments, self.dropped.files_with_segments);
        let mut discontinuities = 0;
        let mut segments = Vec::new();
        for file in &mut self.files {
            let end = number + file.count();
            if end > first {
                if segments.is_empty() {
                    discontinuities = files;
                }
                file.list(root, first.saturating_sub(number), &mut segments);
            } else if file.state == FileState::Complete {
                file.forget();
            }
            files += u64::from(end > number);
            number = end;
        }
        self.drop_gone();
        (segments, discontinuities)
    }

    /// Drops the files at the start that are gone. The other segments keep their numbers.
    fn drop_gone(&mut self) {
        let gone = self.files.iter().take_while(|file| file.state == FileState::Gone).count();
        for file in self.files.drain(..gone) {
            self.dropped.files += 1;
            self.dropped.files_with_segments += u64::from(file.count() > 0);
            self.dropped.segments += file.count();
        }
    }
}

impl BroadcastList {
    /// Returns the files that may have segments that are not known yet, in the order of recording. `files` are all
    /// files from number `first` on.
    pub fn unknown(&self, files: &[PathBuf], first: usize) -> Vec<PathBuf> {
        let mut known = self.0.lock();
        known.extend(files, first);
        let grows = known.files.iter().filter(|file| file.state == FileState::Grows);
        grows.map(|file| file.path.clone()).collect()
    }

    /// Returns the number of files from the first one on that are gone.
    pub fn dropped(&self) -> usize {
        self.0.lock().dropped.files
    }

    /// Returns the files in the playlist that should still exist, or none if they were just checked.
    pub fn to_check(&self, now: Timestamp) -> Vec<PathBuf> {
        let mut known = self.0.lock();
        if known.checked.is_some_and(|at| now.since(at) < FILE_CHECK_INTERVAL) {
            return Vec::new();
        }
        known.checked = Some(now);
        let is_listed = |file: &&KnownFile| file.state != FileState::Gone && !file.is_empty();
        let listed = known.files.iter().filter(is_listed);
        listed.map(|file| file.path.clone()).collect()
    }

    /// Records the segments of a file; `folder` is their URL relative to the server's root.
    pub fn note(&self, recording: &OpenRecording, folder: &str) {
        let content = recording.content();
        let spans = content.index.segments.iter().map(|span| (span.start, span.duration));
        let state = if content.ended { FileState::Complete } else { FileState::Grows };
        self.note_segments(&recording.path, (folder, recording.began), spans.collect(), state);
    }

    fn note_segments(
        &self,
        path: &Path,
        (folder, began): (&str, Option<i64>),
        segments: Vec<(Timestamp, Duration)>,
        state: FileState,
    ) {
        let mut known = self.0.lock();
        let longest = segments.iter().map(|(_, duration)| *duration).max().unwrap_or_default();
        known.target = known.target.max(longest);
        let Some(file) = known.files.iter_mut().rfind(|file| file.path == path) else { return };
        // Another request may have read more.
        if file.state == FileState::Grows && segments.len() >= file.segments.len() {
            folder.clone_into(&mut file.folder);
            (file.began, file.segments, file.state) = (began, segments, state);
            known.began = known.began.or(began);
        }
    }

    /// Records that a file is gone. The playlist then begins after it.
    pub fn note_gone(&self, path: &Path) {
        let mut known = self.0.lock();
        if let Some(at) = known.files.iter().position(|it| it.path == path && !it.is_empty()) {
            known.files.iter_mut().take(at + 1).for_each(KnownFile::forget);
            known.drop_gone();
        }
    }

    /// Records that a file cannot be read, and therefore has no segments.
    pub fn note_unreadable(&self, path: &Path) {
        let mut known = self.0.lock();
        if let Some(file) = known.files.iter_mut().rfind(|file| file.path == path) {
            file.state = FileState::Complete;
        }
    }

    /// Records that one of the files was deleted. `files` are all files from number `first` on.
    pub fn note_deleted(&self, files: &[PathBuf], first: usize, path: &Path) {
        self.0.lock().extend(files, first);
        self.note_gone(path);
    }

    /// Returns the playlist. `has` is true if the client has this version, and needs no text.
    pub fn playlist(
        &self,
        form: BroadcastForm<'_>,
        has: impl FnOnce(&str) -> bool,
    ) -> BroadcastPlaylist {
        let mut known = self.0.lock();
        let is_gone = |file: &&KnownFile| file.state == FileState::Gone;
        let dropped = known.dropped.segments;
        let gone: usize = known.files.iter().filter(is_gone).map(KnownFile::count).sum();
        let all = dropped + known.files.iter().map(KnownFile::count).sum::<usize>();
        let first = (dropped + gone).max(all.saturating_sub(MAX_LISTED_SEGMENTS));
        let count = all - first;
        let is_complete = known.files.iter().all(|file| file.state != FileState::Grows);
        let ended = form.ended && is_complete;
        if count == 0 {
            return if ended { BroadcastPlaylist::Gone } else { BroadcastPlaylist::Empty };
        }
        let began = known.began.unwrap_or_default();
        let keeps_all = form.keeps_all && first == 0;
        // Segments are only added, so equal counts mean equal segments.
        let version = format!("e{began}-{first}-{count}{ended}{keeps_all}");
        let is_written = |it: &&WrittenText| it.version == version && it.root == form.root;
        let text = if has(&version) {
            Bytes::new()
        } else if let Some(written) = known.written.as_ref().filter(is_written) {
            written.text.clone()
        } else {
            let (segments, discontinuities) = known.list(form.root, first);
            let media = Media {
                target_duration: known.target.max(MIN_EVENT_TARGET_DURATION),
                sequence: first as u64,
                ended,
                keeps_all,
                segments,
                ..Media::default()
            };
            let position = ListPosition { discontinuities, skipped: 0 };
            let text = Bytes::from(write_media(&media, position));
            let (root, version) = (form.root.to_owned(), version.clone());
            known.written = Some(WrittenText { root, version, text: text.clone() });
            text
        };
        BroadcastPlaylist::Text(BroadcastText { text, version, ended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::hls::{Playlist, parse};

    const GROWING_FORM: BroadcastForm<'_> =
        BroadcastForm { root: "../", ended: false, keeps_all: true };

    fn path(number: usize) -> PathBuf {
        PathBuf::from(format!("/r/{number}.mp4"))
    }

    /// Records a file with this many segments of 4 s.
    fn note(list: &BroadcastList, number: usize, segments: usize, state: FileState) {
        let paths: Vec<_> = (0..=number).map(path).collect();
        list.unknown(&paths, 0);
        let of =
            |index: usize| (Timestamp::from_millis(index as i64 * 4_000), Duration::from_secs(4));
        let folder = format!("vod/{number}/hls/");
        let began = Some(1_800_000_000_000_000 + number as i64 * 40_000_000);
        list.note_segments(&path(number), (&folder, began), (0..segments).map(of).collect(), state);
    }

    fn text(list: &BroadcastList, form: BroadcastForm<'_>) -> String {
        match list.playlist(form, |_| false) {
            BroadcastPlaylist::Text(text) => String::from_utf8(text.text.to_vec()).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the URL, number and discontinuity number of each segment.
    fn numbered(text: &str) -> Vec<(String, u64, u64)> {
        let Ok(Playlist::Media(media)) = parse(text.as_bytes()) else { panic!("{text}") };
        let start = text.split("DISCONTINUITY-SEQUENCE:").nth(1);
        let start = start.map_or(0, |it| it.lines().next().unwrap().parse().unwrap());
        let mut discontinuity = start;
        let segments = media.segments.iter().zip(media.sequence..);
        let of = segments.map(|(segment, number)| {
            discontinuity += u64::from(segment.discontinuity);
            (segment.uri.clone(), number, discontinuity)
        });
        of.collect()
    }

    #[test]
    fn segments_keep_their_numbers_when_files_are_deleted() {
        let list = BroadcastList::default();
        assert_eq!(list.playlist(GROWING_FORM, |_| false), BroadcastPlaylist::Empty);
        for (number, segments) in [3, 5, 2, 4].into_iter().enumerate() {
            let state = if number < 3 { FileState::Complete } else { FileState::Grows };
            note(&list, number, segments, state);
        }
        let whole = text(&list, GROWING_FORM);
        assert!(whole.contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"), "{whole}");
        let before = numbered(&whole);
        assert_eq!((before.len(), before[13].1, before[13].2), (14, 13, 3));
        assert_eq!(before[3].0, "../vod/1/hls/0.m4s");
        list.note_gone(&path(0));
        let shorter = text(&list, GROWING_FORM);
        assert_eq!(numbered(&shorter), before[3..]);
        // A playlist that has lost its start has no type.
        assert!(!shorter.contains("PLAYLIST-TYPE"), "{shorter}");
        // Deleting a file in the middle also removes the files before it.
        list.note_gone(&path(2));
        assert_eq!(numbered(&text(&list, GROWING_FORM)), before[10..]);
        assert_eq!(list.to_check(Timestamp::ZERO), [path(3)]);
        note(&list, 3, 6, FileState::Complete);
        let ended = text(&list, BroadcastForm { ended: true, ..GROWING_FORM });
        assert!(ended.ends_with("#EXT-X-ENDLIST\n") && !ended.contains("PLAYLIST-TYPE"), "{ended}");
        assert_eq!(numbered(&ended).len(), 6);
        list.note_gone(&path(3));
        let form = BroadcastForm { ended: true, ..GROWING_FORM };
        assert_eq!(list.playlist(form, |_| false), BroadcastPlaylist::Gone);
    }

    #[test]
    fn deleted_files_leave_the_list_and_their_numbers_stay() {
        let list = BroadcastList::default();
        for number in 0..210 {
            note(&list, number, 3, FileState::Complete);
            if number >= 10 {
                list.note_gone(&path(number - 10));
            }
        }
        assert_eq!((list.dropped(), list.0.lock().files.len()), (200, 10));
        let numbers = numbered(&text(&list, GROWING_FORM));
        assert_eq!(numbers[0], ("../vod/200/hls/0.m4s".to_owned(), 600, 200));
        assert_eq!(numbers[29], ("../vod/209/hls/2.m4s".to_owned(), 629, 209));
        // Lists of the files may lack the first ones, or have files that are gone.
        let files: Vec<_> = (100..211).map(path).collect();
        assert_eq!(list.unknown(&files, 100), [path(210)]);
        assert_eq!(list.unknown(&[path(210), path(211)], 210), [path(210), path(211)]);
    }

    #[test]
    fn files_are_checked_and_texts_are_made_no_more_than_needed() {
        let list = BroadcastList::default();
        note(&list, 0, 3, FileState::Grows);
        let now = Timestamp::from_millis(5_000);
        let checked = |after: Duration| list.to_check(now + after).len();
        let times = [
            Duration::ZERO,
            FILE_CHECK_INTERVAL / 2,
            FILE_CHECK_INTERVAL,
            FILE_CHECK_INTERVAL * 3 / 2,
        ];
        assert_eq!(times.map(checked), [1, 0, 1, 0]);
        let written = |form: BroadcastForm<'_>| match list.playlist(form, |_| false) {
            BroadcastPlaylist::Text(text) => text,
            other => panic!("{other:?}"),
        };
        let (first, again) = (written(GROWING_FORM), written(GROWING_FORM));
        assert_eq!(first.text.as_ptr(), again.text.as_ptr(), "the same text for all");
        // A client that has the text does not get it again, and such a request does not replace the
        // text.
        let known = list.playlist(GROWING_FORM, |version| version == first.version);
        let empty = BroadcastText { text: Bytes::new(), ..first.clone() };
        assert_eq!(known, BroadcastPlaylist::Text(empty));
        assert_eq!(written(GROWING_FORM).text.as_ptr(), first.text.as_ptr());
        // Any change of the form creates another text.
        assert_ne!(written(BroadcastForm { root: "", ..GROWING_FORM }).text, first.text);
        assert_ne!(
            written(BroadcastForm { keeps_all: false, ..GROWING_FORM }).version,
            first.version
        );
        assert_eq!(written(GROWING_FORM), first);
        note(&list, 0, 4, FileState::Grows);
        let longer = written(GROWING_FORM);
        assert!(longer.version != first.version && longer.text.len() > first.text.len());
        note(&list, 0, 4, FileState::Complete);
        let ended = written(BroadcastForm { ended: true, ..GROWING_FORM });
        assert!(ended.version != longer.version && ended.text != longer.text);
    }

    #[test]
    fn a_file_that_was_deleted_before_anyone_asked_has_no_numbers() {
        let list = BroadcastList::default();
        list.unknown(&[path(0), path(1)], 0);
        list.note_gone(&path(0));
        note(&list, 1, 3, FileState::Grows);
        let numbers: Vec<_> =
            numbered(&text(&list, GROWING_FORM)).iter().map(|it| (it.1, it.2)).collect();
        assert_eq!(numbers, [(0, 0), (1, 0), (2, 0)]);
        // A file that cannot be read is left out.
        list.unknown(&[path(0), path(1), path(2)], 0);
        list.note_unreadable(&path(2));
        note(&list, 3, 1, FileState::Grows);
        assert_eq!(numbered(&text(&list, GROWING_FORM)).last().unwrap().2, 1);
        // The playlist does not lack the file either.
        let before = text(&list, GROWING_FORM);
        list.note_gone(&path(2));
        assert_eq!(list.to_check(Timestamp::ZERO), [path(1), path(3)]);
        assert_eq!(text(&list, GROWING_FORM), before);
    }

    #[test]
    fn the_list_is_bounded_in_files_of_any_length() {
        let list = BroadcastList::default();
        for number in 0..200 {
            note(&list, number, 150, FileState::Complete);
        }
        let numbers = numbered(&text(&list, GROWING_FORM));
        let (first, last) = (&numbers[0], &numbers[numbers.len() - 1]);
        assert_eq!(numbers.len(), MAX_LISTED_SEGMENTS);
        assert_eq!(
            (first.1 as usize, last.1, last.2),
            (200 * 150 - MAX_LISTED_SEGMENTS, 29_999, 199)
        );
        assert_eq!((first.0.as_str(), first.2), ("../vod/56/hls/0.m4s", 56));
        note(&list, 200, 149, FileState::Grows);
        let later = numbered(&text(&list, GROWING_FORM));
        assert_eq!(later[..100], numbers[149..249]);
        let kept: usize = list.0.lock().files.iter().map(|file| file.segments.len()).sum();
        assert!(kept <= MAX_LISTED_SEGMENTS + 150, "{kept}");
        // The text is short enough for onair's player.
        assert!(text(&list, GROWING_FORM).len() < crate::wire::hls::MAX_PLAYLIST_BYTES);
    }
}
