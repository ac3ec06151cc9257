//! Lists and finds the files in the folder of recordings. The functions block on the disk, except those that are
//! `async`.

use std::cmp::Ordering;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::files::{Trouble, change_error};
use crate::platform::files::FileId;
use crate::server::recordings::contents::FLV_TRACK_WAIT;
use crate::server::recordings::name::{format_of, stem, stream_of};
use crate::wire::container::flv::{Demuxer, Tag, TagKind, parse_audio, parse_video};
use crate::wire::container::mp4::boxes::{self, Fields};
use crate::wire::container::{Error, Format};

/// Maximum number of files, the newest ones, that can be listed.
const MAX_NEWEST_FILES: usize = 50_000;
/// Maximum number of files in one list.
pub(crate) const MAX_LISTED_FILES: usize = 200;
/// The start of a file is searched for its first time and its tracks in chunks of this size, at most in this number.
const START_CHUNK_BYTES: u64 = 256 << 10;
const MAX_START_CHUNKS: usize = 4;
/// Maximum number of boxes before the index of an MP4 file.
const MAX_BOXES: usize = 16;
/// Number of bytes of the index that contain its header.
const MOVIE_HEADER_BYTES: u64 = 512;
/// Size of a tag's head in bytes (Adobe FLV v10.1, annex E.4.1).
const TAG_HEADER_BYTES: u64 = 11;
/// Size of the length after a tag in bytes.
const TAG_LENGTH_BYTES: u64 = 4;

/// A file of the folder.
#[derive(Clone, Debug)]
pub(crate) struct ListedFile {
    pub name: String,
    pub path: PathBuf,
    pub format: Format,
    pub bytes: u64,
    /// The time of the last change, in microseconds since 1970.
    pub modified: i64,
    /// The length of the recording, if it can be read quickly.
    pub length: Option<Duration>,
    /// The tracks of the recording, if they can be read quickly.
    pub tracks: Option<ListedTracks>,
}

/// The tracks of a file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListedTracks {
    pub audio: bool,
    pub video: bool,
}

/// A part of the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordingList {
    /// The files, newest first.
    pub files: Vec<ListedFile>,
    /// Number of all files.
    pub all: usize,
}

/// The identity of a file.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileVersion {
    id: FileId,
    /// The size in bytes and the time of the last change, if the file is complete.
    content: Option<(u64, SystemTime)>,
}

impl FileVersion {
    /// Returns the version of a file, which changes no more if it is complete.
    pub fn of(file: &fs::File, is_complete: bool) -> io::Result<Self> {
        let data = file.metadata()?;
        let content = (data.len(), data.modified()?);
        let content = is_complete.then_some(content);
        Ok(Self { id: FileId::of(file)?, content })
    }

    /// Returns true if this is the same file, and is unchanged if it was complete.
    pub fn is_of(self, file: &fs::File) -> io::Result<bool> {
        Ok(self == Self::of(file, self.content.is_some())?)
    }

    /// Returns true if both are versions of the same file.
    pub fn is_same_file(self, other: Self) -> bool {
        self.id == other.id
    }

    /// Returns true if both versions are complete, and this one is smaller.
    pub fn is_smaller_than(self, other: Self) -> bool {
        let size = |it: Self| it.content.map(|(size, ..)| size);
        size(self).zip(size(other)).is_some_and(|(own, other)| own < other)
    }

    /// Returns true if a newer version only adds data to this one.
    pub fn continues_in(self, newer: Self) -> bool {
        let is_unchanged = self.content.is_none() || self.content == newer.content;
        self.is_same_file(newer) && is_unchanged
    }
}

/// The reason why a recording cannot be played.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("there is no such recording")]
    Missing,
    #[error(transparent)]
    Unreadable(#[from] Error),
    #[error("the file cannot be read now")]
    Busy,
}

impl OpenError {
    /// Returns true if a file that has just begun can have this error.
    pub fn is_of_short_file(&self) -> bool {
        matches!(self, Self::Unreadable(error) if !matches!(error, Error::TooMuch(_)))
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error.into())
    }
}

/// Returns the reason why a file was not opened. While too many files are open, the file may still be there.
pub(super) fn open_error(error: io::Error) -> OpenError {
    match (error.kind(), Trouble::of(&error)) {
        (io::ErrorKind::NotFound | io::ErrorKind::InvalidInput, _) => OpenError::Missing,
        (_, Trouble::TooManyFiles) => OpenError::Busy,
        _ => error.into(),
    }
}

/// Adds an item to a list of which only the `most` first ones in this order are needed. Sometimes drops the others.
pub(crate) fn push_limited<T>(
    list: &mut Vec<T>,
    item: T,
    most: usize,
    order: impl FnMut(&T, &T) -> Ordering,
) {
    list.push(item);
    if list.len() > most * 2 {
        list.select_nth_unstable_by(most, order);
        list.truncate(most);
    }
}

/// Reads the folder. Returns at most `most` files from `offset` on, newest first.
pub(crate) fn read(folder: &Path, offset: usize, most: usize) -> io::Result<RecordingList> {
    read_newest(folder, offset, most, MAX_NEWEST_FILES)
}

/// Returns the number of entries of a folder, at most `most`.
///
/// # Errors
/// Fails if the folder cannot be read.
pub(super) fn count(folder: &Path, most: usize) -> io::Result<usize> {
    Ok(fs::read_dir(folder)?.take(most).count())
}

fn read_newest(
    folder: &Path,
    offset: usize,
    most: usize,
    newest: usize,
) -> io::Result<RecordingList> {
    let order = |a: &ListedFile, b: &ListedFile| (b.modified, &b.name).cmp(&(a.modified, &a.name));
    let (mut files, mut all) = (Vec::new(), 0);
    for entry in fs::read_dir(folder)? {
        let Ok(entry) = entry else { continue };
        let Ok(name) = entry.file_name().into_string() else { continue };
        let Some(format) = format_of(&name) else { continue };
        // This call does not follow links.
        let Ok(metadata) = entry.metadata() else { continue };
        let Ok(modified) = metadata.modified() else { continue };
        if metadata.is_file() {
            let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
            let modified = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
            let (path, bytes) = (entry.path(), metadata.len());
            let file =
                ListedFile { name, path, format, bytes, modified, length: None, tracks: None };
            push_limited(&mut files, file, newest, order);
            all += 1;
        }
    }
    files.sort_unstable_by(order);
    files.truncate(newest);
    let mut files: Vec<_> =
        files.into_iter().skip(offset).take(most.min(MAX_LISTED_FILES)).collect();
    for file in &mut files {
        match file.format {
            Format::Flv => (file.length, file.tracks) = flv_facts(&file.path).unwrap_or_default(),
            Format::Mp4 => file.length = mp4_length(&file.path).ok().flatten(),
            Format::Mkv => {}
        }
    }
    Ok(RecordingList { files, all })
}

/// Finds the file of a recording in the folder, by its name. With an extension, the file has this format.
pub(crate) async fn find(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = format_of(&format!("{}.flv", stem(name))).is_some();
    stream_of(name).filter(|_| is_plain)?;
    let (folder, stem, wanted) = (folder.to_owned(), stem(name).to_owned(), format_of(name));
    let look = move || {
        let path = |format: Format| folder.join(format!("{stem}.{}", format.extension()));
        let is_there = |path: &PathBuf| path.symlink_metadata().is_ok_and(|it| it.is_file());
        let formats = [Format::Mp4, Format::Flv].into_iter();
        let formats = formats.filter(|it| wanted.is_none_or(|wanted| wanted == *it));
        formats.map(path).find(is_there)
    };
    tokio::task::spawn_blocking(look).await.ok().flatten()
}

/// Deletes a recording, and returns its size. Only regular files are recordings; links are not.
pub(crate) fn remove(path: &Path) -> io::Result<u64> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_file() {
        return Err(io::ErrorKind::NotFound.into());
    }
    fs::remove_file(path).map_err(|error| change_error(path, error))?;
    Ok(metadata.len())
}

/// Opens a recording, which is a regular file.
pub(crate) fn open(path: &Path) -> io::Result<fs::File> {
    // Links could point outside the folder, and pipes could block.
    if !fs::symlink_metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    fs::File::open(path)
}

/// Returns the time from the first to the last tag of an FLV file, from its two ends, and its tracks.
fn flv_facts(path: &Path) -> io::Result<(Option<Duration>, Option<ListedTracks>)> {
    let mut file = fs::File::open(path)?;
    let FlvStart { first, tracks, is_settled } = FlvStart::read(&mut file)?;
    let Some(first) = first else { return Ok((None, None)) };
    let last = last_time(&mut file)?;
    let length = last.map(|last| Duration::from_millis(last.wrapping_sub(first).into()));
    Ok((length, is_settled.then_some(tracks)))
}

/// Returns the length in the header of a complete MP4 file (ISO/IEC 14496-12 §8.2.2).
fn mp4_length(path: &Path) -> io::Result<Option<Duration>> {
    let mut file = fs::File::open(path)?;
    let size = file.metadata()?.len();
    let mut at = 0;
    for _ in 0..MAX_BOXES {
        let mut start = Vec::new();
        file.seek(SeekFrom::Start(at))?;
        Read::by_ref(&mut file).take(MOVIE_HEADER_BYTES).read_to_end(&mut start)?;
        let Some((head, name, length)) = boxes::header(&start) else { return Ok(None) };
        if name == *b"moov" {
            let content = start.get(head..).unwrap_or_default();
            return Ok(boxes::child(content, *b"mvhd").and_then(movie_length));
        }
        at = match at.checked_add(length).filter(|at| length > 0 && *at < size) {
            Some(at) => at,
            None => return Ok(None),
        };
    }
    Ok(None)
}

/// Returns the length in a movie header, or `None` if the file is not complete.
fn movie_length(header: &[u8]) -> Option<Duration> {
    let (version, mut fields) = Fields::after_dates(header)?;
    let timescale = fields.u32().filter(|it| *it > 0)?;
    let ticks = fields.long(version).filter(|ticks| *ticks > 0)?;
    Duration::try_from_secs_f64(ticks as f64 / f64::from(timescale)).ok()
}

/// The facts that the start of an FLV file shows.
#[derive(Debug, Default)]
struct FlvStart {
    /// The time of the first media.
    first: Option<u32>,
    tracks: ListedTracks,
    /// True if no other track can begin in the file.
    is_settled: bool,
}

impl FlvStart {
    fn read(file: &mut fs::File) -> io::Result<Self> {
        let (mut start, mut demuxer) = (Self::default(), Demuxer::new());
        for _ in 0..MAX_START_CHUNKS {
            let mut chunk = Vec::new();
            Read::by_ref(file).take(START_CHUNK_BYTES).read_to_end(&mut chunk)?;
            demuxer.push(&chunk);
            while !start.is_settled
                && let Ok(Some(tag)) = demuxer.next_tag()
            {
                start.note(&tag);
            }
            if start.is_settled || chunk.is_empty() {
                break;
            }
        }
        Ok(start)
    }

    fn note(&mut self, tag: &Tag) {
        match tag.kind {
            TagKind::Audio => self.tracks.audio = true,
            TagKind::Video => self.tracks.video = true,
            TagKind::Script => {}
        }
        if is_media(tag) {
            let first = *self.first.get_or_insert(tag.time_ms);
            let since = tag.time_ms.wrapping_sub(first).cast_signed().max(0).unsigned_abs();
            let is_late = Duration::from_millis(since.into()) >= FLV_TRACK_WAIT;
            self.is_settled = is_late || self.tracks.audio && self.tracks.video;
        }
    }
}

/// Returns true for a frame or audio. The time of a config or of metadata can differ from that of the
/// stream.
fn is_media(tag: &Tag) -> bool {
    match tag.kind {
        TagKind::Video => parse_video(&tag.body).is_ok_and(|it| !it.is_sequence_start()),
        TagKind::Audio => parse_audio(&tag.body).is_ok_and(|it| !it.is_sequence_start()),
        TagKind::Script => false,
    }
}

/// Returns the time of the last tag, if the file ends with a complete one.
fn last_time(file: &mut fs::File) -> io::Result<Option<u32>> {
    let size = file.metadata()?.len();
    let Some(end) = size.checked_sub(TAG_LENGTH_BYTES) else { return Ok(None) };
    let mut length = [0; 4];
    file.seek(SeekFrom::Start(end))?;
    file.read_exact(&mut length)?;
    let length = u64::from(u32::from_be_bytes(length));
    let Some(at) = end.checked_sub(length).filter(|_| length >= TAG_HEADER_BYTES) else {
        return Ok(None);
    };
    file.seek(SeekFrom::Start(at))?;
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [kind, a, b, c, low2, low1, low0, high] = head;
    let is_tag = matches!(kind, 8 | 9 | 18)
        && u64::from(u32::from_be_bytes([0, a, b, c])) == length - TAG_HEADER_BYTES;
    Ok(is_tag.then(|| u32::from_be_bytes([high, low2, low1, low0])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Runtime;
    use crate::wire::container::FilePart;

    #[test]
    fn a_file_is_missing_only_if_it_is_not_there() {
        let of = |code| open_error(io::Error::from_raw_os_error(code));
        assert!(matches!(of(libc::ENOENT), OpenError::Missing));
        assert!(matches!(open_error(io::ErrorKind::InvalidInput.into()), OpenError::Missing));
        for code in [libc::EMFILE, libc::ENFILE] {
            assert!(matches!(of(code), OpenError::Busy), "the broadcast would lose its files");
        }
        assert!(matches!(of(libc::EACCES), OpenError::Unreadable(_)));
    }

    #[test]
    fn a_file_with_too_many_samples_has_begun() {
        let unreadable = |error| OpenError::Unreadable(error).is_of_short_file();
        assert!(unreadable(Error::UnknownFormat) && unreadable(Error::Empty));
        assert!(
            !unreadable(Error::TooMuch(FilePart::Samples)) && !OpenError::Busy.is_of_short_file()
        );
    }

    /// Returns a tag, as in a file.
    fn tag(kind: u8, time_ms: u32, body: &[u8]) -> Vec<u8> {
        let [high, low @ ..] = time_ms.to_be_bytes();
        let [_, length @ ..] = (body.len() as u32).to_be_bytes();
        let mut tag = vec![kind];
        tag.extend(length);
        tag.extend(low);
        tag.extend([high, 0, 0, 0]);
        tag.extend(body);
        tag.extend((body.len() as u32 + 11).to_be_bytes());
        tag
    }

    fn flv(tags: &[Vec<u8>]) -> Vec<u8> {
        [&b"FLV\x01\x05\0\0\0\x09\0\0\0\0"[..], &tags.concat()].concat()
    }

    #[test]
    fn a_folder_is_listed_with_lengths_and_without_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let config = tag(8, 0, &[0xAF, 0, 0x11, 0x90]);
        let media = |time| tag(8, time, &[0xAF, 1, 1, 2]);
        // The times continue from another recording, and pass 2^24.
        let whole = flv(&[config, media(0x00FF_FFF0), media(0x0100_07E0)]);
        fs::write(at("b.flv"), &whole).unwrap();
        fs::write(at("a.flv"), &whole[..whole.len() - 1]).unwrap();
        fs::write(at("c.mp4"), "not looked into").unwrap();
        fs::write(at(".hidden.flv"), &whole).unwrap();
        fs::write(at("notes.txt"), "").unwrap();
        fs::create_dir(at("d.flv")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", at("link.flv")).unwrap();
        let list = read(folder.path(), 0, 100).unwrap();
        let mut names: Vec<_> =
            list.files.iter().map(|file| (file.name.as_str(), file.length)).collect();
        names.sort_unstable();
        let length = Some(Duration::from_millis(0x7F0));
        assert_eq!(names, [("a.flv", None), ("b.flv", length), ("c.mp4", None)]);
        let rest = read(folder.path(), 2, 100).unwrap();
        assert_eq!((rest.files.len(), rest.all), (1, 3));
        assert!(read(&at("none"), 0, 1).is_err());
    }

    #[test]
    fn tracks_are_known_when_no_other_one_can_begin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flv");
        let audio = |time| tag(8, time, &[0xAF, 1, 1, 2]);
        let video = |time| tag(9, time, &[&[0x17, 1, 0, 0, 0][..], &[7; 30_000]].concat());
        let tracks = |audio, video| Some(ListedTracks { audio, video });
        // The first chunk of this file has less than a second.
        let long: Vec<_> = (0..30).map(|number| video(number * 40)).collect();
        for (tags, expected) in [
            (vec![audio(0), audio(980)], None),
            (vec![audio(40), audio(20), audio(60)], None),
            (vec![audio(0), audio(980), audio(1_000), video(1_020)], tracks(true, false)),
            (vec![audio(0), audio(980), video(980)], tracks(true, true)),
            (vec![tag(8, 0, &[0xAF, 0, 0x11, 0x90]), video(0)], tracks(true, true)),
            (long, tracks(false, true)),
        ] {
            fs::write(&path, flv(&tags)).unwrap();
            assert_eq!(flv_facts(&path).unwrap().1, expected, "{expected:?}");
        }
    }

    #[test]
    fn the_newest_files_of_a_huge_folder_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..20 {
            let file = fs::File::create(folder.path().join(format!("{number:02}.flv"))).unwrap();
            // The folder has the files in any order.
            let age = Duration::from_secs((number * 7 % 20) * 60);
            file.set_modified(std::time::SystemTime::now() - age).unwrap();
        }
        let list = read_newest(folder.path(), 0, 2, 3).unwrap();
        let names: Vec<_> = list.files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!((names, list.all), (vec!["00.flv", "03.flv"], 20));
        assert_eq!(read_newest(folder.path(), 2, 2, 3).unwrap().files[0].name, "06.flv");
    }

    #[test]
    fn a_name_with_an_extension_finds_the_file_of_this_format() {
        const NAME: &str = "live-show 2026-11-25 18-00-00";
        let (runtime, folder) = (Runtime::start().unwrap(), tempfile::tempdir().unwrap());
        let find = |name: &str| {
            let found = runtime.block_on(find(folder.path(), name))?;
            found.extension().map(|it| it.to_string_lossy().into_owned())
        };
        let (mp4, flv) = (format!("{NAME}.mp4"), format!("{NAME}.flv"));
        fs::write(folder.path().join(&flv), "").unwrap();
        assert_eq!((find(NAME), find(&mp4)), (Some("flv".to_owned()), None));
        fs::write(folder.path().join(&mp4), "").unwrap();
        assert_eq!((find(NAME), find(&flv)), (Some("mp4".to_owned()), Some("flv".to_owned())));
    }

    #[test]
    fn damaged_files_have_no_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.flv");
        for bytes in [&b""[..], b"FLV", b"\0\0\0", b"\xFF\xFF\xFF\xFF", &[0; 64], &[255; 64]] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(flv_facts(&path).unwrap_or_default(), (None, None), "{bytes:?}");
            assert_eq!(mp4_length(&path).ok().flatten(), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_complete_mp4_file_has_its_length_in_its_header() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let boxed = |name: &[u8; 4], content: &[u8]| {
            let length = (content.len() as u32 + 8).to_be_bytes();
            [&length[..], name, content].concat()
        };
        let header = |ticks: u32| {
            let numbers = [0, 0, 0, 1_000, ticks];
            boxed(b"mvhd", &numbers.map(u32::to_be_bytes).concat())
        };
        for (ticks, length) in [(2_500, Some(Duration::from_millis(2_500))), (0, None)] {
            let boxes = [
                boxed(b"ftyp", b"isom"),
                boxed(b"mdat", &[7; 10_000]),
                boxed(b"moov", &header(ticks)),
            ];
            fs::write(&path, boxes.concat()).unwrap();
            assert_eq!(mp4_length(&path).unwrap(), length);
        }
    }
}
