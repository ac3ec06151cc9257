//! The FLV file itself: made under a free name, appended to in whole tags, its metadata brought up
//! to date in place at the end.

use std::fs::{self, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::media::StreamParameters;
use crate::wire::amf0::Value;
use crate::wire::flv::{self, TagKind};

/// Room for so many keyframes in the index; in longer files every second, fourth… is listed. With
/// two numbers each it stays below the 4,096 values that readers (ours too) take from a script tag.
const INDEX: usize = 1_800;
/// FFmpeg warns of an index with fewer entries: as long as it would have fewer, it bears a name that
/// readers pass over, as long as the right one.
const FEWEST: usize = 2;
const UNINDEXED: &str = "unindexed";
/// Names tried before giving up.
const MOST_NAMES: u32 = 10_000;
/// Why a recording ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{doing} {}: {reason}", .path.display())]
pub struct Error {
    /// What was being done: `creating`, `writing to`, `finishing`.
    pub doing: &'static str,
    pub path: PathBuf,
    /// In the system's words.
    pub reason: String,
    /// What kind of trouble it is.
    pub kind: Trouble,
}

/// The kinds of trouble a person can do something about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The disk, or the share of it that is allowed, is full.
    Full,
    /// The folder or disk cannot be written to.
    Forbidden,
    /// The file or its folder is gone.
    Gone,
    /// Anything else.
    Other,
}

impl Error {
    pub(super) fn new(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        let kind = match error.kind() {
            Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge => Trouble::Full,
            Kind::PermissionDenied | Kind::ReadOnlyFilesystem => Trouble::Forbidden,
            Kind::NotFound | Kind::NotADirectory | Kind::StaleNetworkFileHandle => Trouble::Gone,
            _ => Trouble::Other,
        };
        Self { doing, path: path.to_owned(), reason: error.to_string(), kind }
    }

    /// What a person can do about it.
    pub fn advice(&self) -> &'static str {
        match self.kind {
            Trouble::Full => "Make room on the disk, or record to another one.",
            Trouble::Forbidden => "Choose a folder you may write to.",
            Trouble::Gone => "Check that the folder or drive is still there, or choose another.",
            Trouble::Other => "Choose another folder or drive.",
        }
    }
}

/// What a tag is, for the index.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Keyframe,
    Video,
    Audio,
}

/// The open file.
#[derive(Debug)]
pub(super) struct File {
    file: fs::File,
    path: PathBuf,
    parameters: StreamParameters,
    /// Whole tags not yet written.
    buffer: BytesMut,
    /// Bytes in the file; always the end of a tag.
    written: u64,
    index: Index,
}

/// Where the keyframes are.
#[derive(Debug)]
struct Index {
    /// Seconds and place in the file.
    entries: Vec<(f64, f64)>,
    /// One in so many keyframes is listed.
    every: u64,
    seen: u64,
}

impl File {
    /// Makes the file, under the next free name where `path` is taken, and writes its head.
    pub fn create(path: &Path, parameters: &StreamParameters) -> Result<(Self, PathBuf), Error> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder)
                .map_err(|error| Error::new("creating the folder", folder, &error))?;
        }
        let (file, path) = create_new(path)?;
        let mut file = Self {
            file,
            path: path.clone(),
            parameters: parameters.clone(),
            buffer: BytesMut::new(),
            written: 0,
            index: Index { entries: Vec::new(), every: 1, seen: 0 },
        };
        file.head();
        if let Err(error) = file.flush().and_then(|()| file.sync()) {
            // An empty file that nobody asked for helps nobody.
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok((file, path))
    }

    fn head(&mut self) {
        let parameters = &self.parameters;
        let (audio, video) = (&parameters.audio, &parameters.video);
        self.buffer.extend_from_slice(&flv::file_header(audio.is_some(), video.is_some()));
        let metadata = self.metadata(None);
        flv::write_tag(TagKind::Script, 0, &metadata, &mut self.buffer);
        if let Some(video) = video {
            let body = flv::video_sequence_header(video);
            flv::write_tag(TagKind::Video, 0, &body, &mut self.buffer);
        }
        if let Some(audio) = audio {
            let body = flv::audio_sequence_header(audio);
            flv::write_tag(TagKind::Audio, 0, &body, &mut self.buffer);
        }
    }

    /// Takes a tag in; it is written by the next [`File::flush`].
    pub fn tag(&mut self, place: Place, time_ms: u32, body: &Bytes) {
        let kind = match place {
            Place::Audio => TagKind::Audio,
            Place::Keyframe | Place::Video => TagKind::Video,
        };
        if place == Place::Keyframe {
            let at = self.written + self.buffer.len() as u64;
            self.index.add(f64::from(time_ms) / 1_000.0, at as f64);
        }
        flv::write_tag(kind, time_ms, body, &mut self.buffer);
    }

    /// Bytes taken in and not written.
    pub fn waiting(&self) -> usize {
        self.buffer.len()
    }

    /// Bytes in the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Hands everything to the system.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.buffer);
        if let Err(error) = result {
            // A part of it may be there: back to the last whole tag. Making a file shorter needs
            // no room.
            let _ = self.file.set_len(self.written);
            let _ = self.file.seek(SeekFrom::Start(self.written));
            return Err(self.fault("writing to", &error));
        }
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Hands everything to the disk; finds out whether the file is still in its folder.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_data().map_err(|error| self.fault("writing to", &error))?;
        if is_unlinked(&self.file) {
            let gone = io::Error::new(io::ErrorKind::NotFound, "the file was removed");
            return Err(self.fault("writing to", &gone));
        }
        Ok(())
    }

    /// Writes what waits and makes the file whole.
    pub fn finish(&mut self, duration: Duration) -> Result<(), Error> {
        if self.parameters.video.is_some() && !self.index.entries.is_empty() {
            let time_ms = (duration.as_millis() & u128::from(u32::MAX)) as u32;
            let body = flv::video_end_of_sequence();
            flv::write_tag(TagKind::Video, time_ms, &body, &mut self.buffer);
        }
        self.flush()?;
        self.patch(duration).map_err(|error| self.fault("finishing", &error))?;
        self.sync()
    }

    /// As whole as it can be made after a failure.
    pub fn give_up(&mut self, duration: Duration) {
        self.buffer.clear();
        // What failed before may fail again; the file is playable without.
        let _ = self.patch(duration);
        let _ = self.file.sync_data();
    }

    /// Writes the final metadata over the first.
    fn patch(&mut self, duration: Duration) -> io::Result<()> {
        let body = self.metadata(Some(duration));
        let at = flv::file_header(true, true).len() + flv::TAG_HEADER;
        self.file.seek(SeekFrom::Start(at as u64))?;
        self.file.write_all(&body)?;
        self.file.seek(SeekFrom::Start(self.written))?;
        Ok(())
    }

    /// The body of onMetaData, of the same length whatever is in it.
    fn metadata(&self, end: Option<Duration>) -> Bytes {
        let mut entries = match flv::metadata(&self.parameters) {
            Value::EcmaArray(entries) | Value::Object(entries) => entries,
            _ => Vec::new(),
        };
        if let Some(duration) = end {
            for (name, value) in &mut entries {
                match name.as_str() {
                    "duration" => *value = Value::Number(duration.as_secs_f64()),
                    "fileSize" | "filesize" => *value = Value::Number(self.written as f64),
                    _ => {}
                }
            }
        }
        if self.parameters.video.is_some() {
            let listed = if end.is_some() { self.index.entries.as_slice() } else { &[] };
            let places = listed.iter().map(|(_, at)| Value::Number(*at)).collect();
            let times = listed.iter().map(|(time, _)| Value::Number(*time)).collect();
            let index = vec![
                ("filepositions".to_owned(), Value::StrictArray(places)),
                ("times".to_owned(), Value::StrictArray(times)),
            ];
            let name = if listed.len() < FEWEST { UNINDEXED } else { "keyframes" };
            entries.push((name.to_owned(), Value::Object(index)));
            // What the lists do not need, zeros fill: FFmpeg takes no string of over 1,023 bytes.
            let room = INDEX.saturating_sub(listed.len()) * 2;
            let zeros = std::iter::repeat_n(Value::Number(0.0), room).collect();
            entries.push(("spacer".to_owned(), Value::StrictArray(zeros)));
        }
        flv::metadata_body(&Value::EcmaArray(entries))
    }

    fn fault(&self, doing: &'static str, error: &io::Error) -> Error {
        Error::new(doing, &self.path, error)
    }
}

impl Index {
    fn add(&mut self, seconds: f64, at: f64) {
        let listed = self.seen.is_multiple_of(self.every);
        self.seen += 1;
        if !listed {
            return;
        }
        if self.entries.len() == INDEX {
            // Full: every second one goes, and from here on twice as many are passed over.
            let mut keep = false;
            self.entries.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
        self.entries.push((seconds, at));
    }
}

/// `NAME.flv`, or `NAME-1.flv`, `NAME-2.flv`… where that exists already.
fn create_new(path: &Path) -> Result<(fs::File, PathBuf), Error> {
    let mut candidate = path.to_owned();
    for number in 1..=MOST_NAMES {
        match OpenOptions::new().write(true).create_new(true).open(&candidate) {
            Ok(file) => return Ok((file, candidate)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let mut name = path.file_stem().unwrap_or_default().to_owned();
                name.push(format!("-{number}"));
                if let Some(extension) = path.extension() {
                    name.push(".");
                    name.push(extension);
                }
                candidate = path.with_file_name(name);
            }
            Err(error) => return Err(Error::new("creating", &candidate, &error)),
        }
    }
    let taken = io::Error::new(io::ErrorKind::AlreadyExists, "all its names are taken");
    Err(Error::new("creating", path, &taken))
}

/// Whether the file is in no folder any more.
#[cfg(unix)]
fn is_unlinked(file: &fs::File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
}

#[cfg(not(unix))]
fn is_unlinked(_: &fs::File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{BitsPerSecond, FrameRate, Size, VideoCodec, VideoParameters};

    fn parameters() -> StreamParameters {
        let video = VideoParameters {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            config: Bytes::from_static(&[1, 100, 0, 30, 0xff, 0xe0, 0]),
        };
        StreamParameters { video: Some(video), audio: None }
    }

    fn tags(path: &Path) -> Vec<flv::Tag> {
        let mut demuxer = flv::Demuxer::new();
        demuxer.push(&fs::read(path).unwrap());
        let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap()).collect();
        assert_eq!(demuxer.pending(), 0, "ends within a tag");
        tags
    }

    #[test]
    fn the_index_points_at_keyframes_and_fits_however_long_the_file_is() {
        let folder = tempfile::tempdir().unwrap();
        let (mut file, path) = File::create(&folder.path().join("a/b.flv"), &parameters()).unwrap();
        let body = Bytes::from_static(&[0x17, 1, 0, 0, 0, 9]);
        for second in 0..5_000 {
            file.tag(Place::Keyframe, second * 2_000, &body);
            file.tag(Place::Video, second * 2_000 + 33, &Bytes::from_static(&[0x27, 1, 0, 0, 0]));
        }
        file.finish(Duration::from_secs(10_000)).unwrap();
        let size = fs::metadata(&path).unwrap().len();
        assert_eq!(size, file.written());
        let tags = tags(&path);
        let metadata = flv::metadata::parse_script(&tags[0].body).unwrap().unwrap();
        assert_eq!(metadata.get_number("duration"), Some(10_000.0));
        assert_eq!(metadata.get_number("fileSize"), Some(size as f64));
        let index = metadata.get("keyframes").unwrap();
        let list = |name| match index.get(name) {
            Some(Value::StrictArray(values)) => {
                values.iter().map(|value| value.as_number().unwrap()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let (places, times) = (list("filepositions"), list("times"));
        assert!(places.len() == times.len() && places.len() > INDEX / 2 && places.len() <= INDEX);
        let bytes = fs::read(&path).unwrap();
        for (place, time) in places.iter().zip(&times) {
            let tag = &bytes[*place as usize..];
            let ms = u32::from_be_bytes([tag[7], tag[4], tag[5], tag[6]]);
            assert_eq!((tag[0], f64::from(ms)), (9, time * 1_000.0));
            assert_eq!(tag[11], 0x17);
        }
    }

    #[test]
    fn an_index_of_less_than_two_keyframes_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (keyframes, indexed) in [(0, false), (1, false), (2, true)] {
            let name = format!("{keyframes}.flv");
            let (mut file, path) = File::create(&folder.path().join(name), &parameters()).unwrap();
            let metadata = |path: &Path| {
                let body = tags(path)[0].body.clone();
                flv::metadata::parse_script(&body).unwrap().unwrap()
            };
            assert!(metadata(&path).get("keyframes").is_none(), "of a file that is not finished");
            for n in 0..keyframes {
                let body = Bytes::from_static(&[0x17, 1, 0, 0, 0, 9]);
                file.tag(Place::Keyframe, n * 2_000, &body);
            }
            file.finish(Duration::from_secs(2)).unwrap();
            assert_eq!(metadata(&path).get("keyframes").is_some(), indexed, "{keyframes}");
        }
    }

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.flv");
        fs::write(&path, "precious").unwrap();
        let (_, first) = File::create(&path, &parameters()).unwrap();
        let (_, second) = File::create(&path, &parameters()).unwrap();
        assert_eq!(first.file_name().unwrap(), "show-1.flv");
        assert_eq!(second.file_name().unwrap(), "show-2.flv");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn trouble_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = File::create(&folder.path().join("file/x.flv"), &parameters()).unwrap_err();
        assert_eq!(error.doing, "creating the folder");
        let path = folder.path().join("x.flv");
        let (mut file, _) = File::create(&path, &parameters()).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(file.sync().unwrap_err().kind, Trouble::Gone);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_found_at_once() {
        let full = Path::new("/dev/full");
        let file = OpenOptions::new().write(true).open(full).unwrap();
        let mut file = File {
            file,
            path: full.to_owned(),
            parameters: parameters(),
            buffer: BytesMut::from(&b"x"[..]),
            written: 0,
            index: Index { entries: Vec::new(), every: 1, seen: 0 },
        };
        assert_eq!(file.flush().unwrap_err().kind, Trouble::Full);
    }
}
