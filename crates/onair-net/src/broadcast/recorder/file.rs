//! The output file of a recording. The file is created under a free name, grows in complete units,
//! and is finalized at the end. The [`Muxer`] determines its format.

use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::files::disk_space::with_recording_reserve;
use crate::files::{self, Trouble};
use crate::media::{AudioConfig, ExtraTrack, ExtraTracks, StreamConfig, StreamEvent, Track};
use crate::platform::files::is_unlinked;
use crate::text::Problem;
use crate::wire::codec::Colors;
use crate::wire::container::{
    AudioTrack, Format, Muxer, MuxerOutput, Timing, Tracks, audio_track, flv, mkv, mp4,
};

/// Maximum duration of a unit of a file, according to the samples' timestamps.
const MAX_UNIT_DURATION: Duration = Duration::from_millis(1_000);
/// A unit also ends at this size in bytes.
const MAX_UNIT_BYTES: usize = 4 << 20;

/// The state of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Packets are being written.
    #[default]
    Writing,
    /// The file is complete, with duration and index.
    Finished,
    /// The recording ended early. The file is playable up to that point.
    Failed(Error),
}

impl State {
    /// Returns the name of the state in events.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Writing => "writing",
            Self::Finished => "finished",
            Self::Failed(_) => "failed",
        }
    }
}

/// The reason why a recording ended early.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", .path.display(), self.problem())]
pub struct Error {
    pub path: PathBuf,
    pub kind: Trouble,
    /// The system's message, used if the kind is [`Trouble::Other`].
    words: String,
}

impl Error {
    /// Returns the error with the path `to` if it names `from`, for a file that was to be renamed.
    pub(super) fn renamed(mut self, from: &Path, to: &Path) -> Self {
        if self.path == from {
            self.path = to.to_owned();
        }
        self
    }

    pub(super) fn new(path: &Path, error: &io::Error) -> Self {
        Self { words: error.to_string(), ..Self::of(path, Trouble::of(error)) }
    }

    /// Creates an error that did not come from the system.
    pub(super) fn of(path: &Path, kind: Trouble) -> Self {
        Self { path: path.to_owned(), kind, words: String::new() }
    }

    /// Returns the cause and the remedy.
    pub fn problem(&self) -> Problem {
        self.kind.in_words(&self.words)
    }
}

/// The file to which the recorder writes.
#[derive(Debug)]
pub(super) struct File {
    file: fs::File,
    path: PathBuf,
    muxer: Box<dyn Muxer>,
    /// The size of the file in bytes, which is always the end of a unit.
    written: u64,
    /// The DTS of the first sample of the current unit.
    unit: Option<Timestamp>,
    /// The end of the media that was taken.
    taken: Duration,
    /// The end of the media in the file.
    end: Duration,
    /// True if the file contains media.
    media: bool,
}

impl File {
    /// Creates the file, under the next free name if `path` exists, and writes its header.
    pub fn create(path: &Path, format: Format, tracks: &Tracks) -> Result<Self, Error> {
        Self::create_by(path, muxer(format, tracks.clone()))
    }

    /// Works like [`File::create`], but with this muxer.
    pub fn create_by(path: &Path, muxer: Box<dyn Muxer>) -> Result<Self, Error> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| {
                // The existing object is not a folder.
                let error = match error.kind() {
                    io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
                    _ => error,
                };
                Error::new(folder, &error)
            })?;
        }
        let made = files::create_new(path);
        let (file, numbered) = made.map_err(|error| Error::new(path, &error))?;
        let mut file = Self { media: false, ..Self::resume(file, &numbered, muxer, 0) };
        let append = file.muxer.begin();
        let made =
            file.put(&MuxerOutput { append, patches: Vec::new() }).and_then(|()| file.sync());
        if let Err(error) = made {
            // An empty file has no use.
            let _ = fs::remove_file(&numbered);
            return Err(error.renamed(&numbered, path));
        }
        Ok(file)
    }

    /// Continues an existing file of `written` bytes, in order to finalize it.
    pub fn resume(file: fs::File, path: &Path, muxer: Box<dyn Muxer>, written: u64) -> Self {
        let (taken, end) = (Duration::ZERO, Duration::ZERO);
        Self { file, path: path.to_owned(), muxer, written, unit: None, taken, end, media: true }
    }

    /// Returns the actual path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes an event, see [`Muxer::write`]. When a unit is full or a keyframe begins, the previous
    /// data is written.
    pub fn write(&mut self, event: &StreamEvent) -> Result<(), Error> {
        if let StreamEvent::Packet(packet) = event {
            let begins = packet.track == Track::Video && packet.keyframe;
            let full = self.unit.is_some_and(|since| packet.dts.since(since) >= MAX_UNIT_DURATION);
            if self.unit.is_some() && (begins || full || self.muxer.waiting() >= MAX_UNIT_BYTES) {
                self.flush()?;
            }
            self.unit.get_or_insert(packet.dts);
        }
        self.muxer.write(event);
        Ok(())
    }

    /// Sets the end of the media that was taken. The file has this end once the media is written.
    pub fn set_end(&mut self, end: Duration) {
        self.taken = end;
    }

    /// Returns the end of the media in the file.
    pub fn end(&self) -> Duration {
        self.end
    }

    /// Returns the number of bytes that were taken but not written yet.
    pub fn waiting(&self) -> usize {
        self.muxer.waiting()
    }

    /// Returns true if the file contains media.
    pub fn has_media(&self) -> bool {
        self.media
    }

    /// Removes a file that is not needed.
    pub fn remove(&self) {
        if !is_unlinked(&self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Returns the size of the file in bytes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Returns the number of bytes that finalizing would add.
    pub fn index_weight(&self) -> usize {
        self.muxer.index_weight()
    }

    /// Passes all data to the system.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.unit = None;
        if self.muxer.waiting() == 0 {
            return Ok(());
        }
        let piece = self.muxer.flush(self.written);
        let written = self.put(&piece);
        match written {
            Ok(()) => {
                self.muxer.commit();
                (self.end, self.media) = (self.taken, true);
            }
            Err(_) => self.muxer.discard(),
        }
        written
    }

    /// Writes all data to the disk, and checks whether the file is still in its folder.
    pub fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_data().map_err(|error| self.fault(&error))?;
        if is_unlinked(&self.file) {
            return Err(Error::of(&self.path, Trouble::Gone));
        }
        Ok(())
    }

    /// Writes the remaining data and finalizes the file.
    pub fn finish(&mut self, end: Duration) -> Result<(), Error> {
        self.flush()?;
        let piece = self.muxer.finish(self.written, Timestamp::ZERO + end);
        self.put(&piece)?;
        self.sync()
    }

    /// Finalizes as much as possible after a failure, which may be a failure of [`File::finish`].
    pub fn give_up(&mut self, end: Duration) {
        self.muxer.discard();
        let end = Timestamp::ZERO + end;
        let piece = self.muxer.finish(self.written, end);
        if self.put(&piece).is_err() {
            // An operation that failed before may fail again; the file is playable without it.
            for (at, bytes) in self.muxer.close(self.written, end) {
                let _ = self.patch(at, &bytes);
            }
        }
        let _ = self.file.sync_data();
    }

    /// Writes one output of the muxer. After a failure, the file keeps its previous end.
    fn put(&mut self, piece: &MuxerOutput) -> Result<(), Error> {
        let before = self.written;
        let write = |file: &mut Self| -> io::Result<()> {
            file.file.seek(SeekFrom::Start(before))?;
            file.file.write_all(&piece.append)?;
            for (at, bytes) in &piece.patches {
                file.patch(*at, bytes)?;
            }
            Ok(())
        };
        match write(self) {
            Ok(()) => {
                self.written += piece.append.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A part of the data may have been written. Truncating a file needs no space.
                let _ = self.file.set_len(before);
                Err(self.fault(&error))
            }
        }
    }

    fn patch(&mut self, at: u64, bytes: &Bytes) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }

    fn fault(&self, error: &io::Error) -> Error {
        Error::new(&self.path, error)
    }
}

/// Returns the number of free bytes for a file with this path, if known.
pub(super) fn free_space_at(path: &Path) -> Option<u64> {
    files::free_space_for(path.parent().unwrap_or(path))
}

/// Checks whether a file with this much media leaves enough space for a running recording. `free` is
/// the result of [`free_space_at`].
pub(super) fn check_space(path: &Path, bytes: u64, free: Option<u64>) -> Result<(), Error> {
    match free {
        Some(free) if free < with_recording_reserve(bytes) => Err(Error::of(path, Trouble::Full)),
        _ => Ok(()),
    }
}

/// The audio tracks of a recording.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordedTracks {
    /// The name of the program's track; empty means no name.
    pub program: String,
    /// The extra tracks in the order in which they follow the program's track.
    pub extras: Vec<ExtraAudioTrack>,
}

/// An extra audio track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraAudioTrack {
    pub track: ExtraTrack,
    pub name: String,
    pub config: AudioConfig,
}

impl RecordedTracks {
    /// Returns the extra tracks that are recorded.
    pub fn wanted(&self) -> ExtraTracks {
        self.extras.iter().map(|extra| extra.track).collect()
    }

    /// Returns the tracks of a file of this stream.
    pub(super) fn tracks(&self, stream: &StreamConfig) -> Tracks {
        let program = stream.audio.iter().cloned();
        let program = program.map(|audio| AudioTrack::named(audio, &self.program));
        let extras = self.extras.iter();
        let extras = extras.map(|it| AudioTrack::named(it.config.clone(), &it.name));
        Tracks { video: stream.video.clone(), audio: program.chain(extras).collect() }
    }

    /// Returns the track of a packet in the recorded file, or `None` if the packet is not recorded.
    pub(super) fn place(&self, stream: &StreamConfig, track: Track) -> Option<Track> {
        let extra = match track {
            Track::Video | Track::Audio => return Some(track),
            Track::Rendition(_) => return None,
            Track::Extra(extra) => extra,
        };
        let before = usize::from(stream.audio.is_some());
        let place = self.extras.iter().position(|it| it.track == extra)?;
        Some(audio_track(before + place).track())
    }

    /// Returns the total bitrate of the extra tracks.
    pub(super) fn bitrate(&self) -> u64 {
        self.extras.iter().map(|extra| u64::from(extra.config.bitrate.0)).sum()
    }
}

/// Returns the muxer for a file of this format with these tracks.
pub(super) fn muxer(format: Format, tracks: Tracks) -> Box<dyn Muxer> {
    match format {
        Format::Flv => Box::new(flv::Recording::new(tracks)),
        Format::Mp4 => Box::new(mp4::Writer::new(tracks)),
        Format::Mkv => Box::new(mkv::Writer::new(tracks)),
    }
}

/// Returns the muxer for a copy of a file with this timing.
pub(super) fn copier(
    format: Format,
    tracks: Tracks,
    timing: &Timing,
    colors: Colors,
) -> Box<dyn Muxer> {
    match format {
        Format::Flv => Box::new(flv::Recording::new(tracks)),
        Format::Mp4 => Box::new(mp4::Writer::copying(tracks, timing, colors)),
        Format::Mkv => Box::new(mkv::Writer::copying(tracks, timing, colors)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{
        BitsPerSecond, EncodedPacket, FrameRate, Rotation, Size, VideoCodec, VideoConfig,
    };

    fn tracks() -> Tracks {
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            codec_config: Bytes::from_static(&[1, 100, 0, 30, 0xff, 0xe0, 0]),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        Tracks { video: Some(video), audio: Vec::new() }
    }

    #[test]
    fn no_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("show.mkv");
        fs::write(&path, "precious").unwrap();
        let first = File::create(&path, Format::Mkv, &tracks()).unwrap();
        let second = File::create(&path, Format::Mkv, &tracks()).unwrap();
        assert_eq!(first.path().file_name().unwrap(), "show-1.mkv");
        assert_eq!(second.path().file_name().unwrap(), "show-2.mkv");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
    }

    #[test]
    fn trouble_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let path = folder.path().join("file/x.flv");
        let error = File::create(&path, Format::Flv, &tracks()).unwrap_err();
        assert_eq!((error.path, error.kind), (folder.path().join("file"), Trouble::NotAFolder));
        let path = folder.path().join("x.flv");
        let mut file = File::create(&path, Format::Flv, &tracks()).unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(file.sync().unwrap_err().kind, Trouble::Gone);
    }

    #[test]
    fn a_full_disk_is_found_at_once() {
        let full = Path::new("/dev/full");
        let file = fs::OpenOptions::new().write(true).open(full).unwrap();
        let mut file = File::resume(file, full, muxer(Format::Mp4, tracks()), 0);
        let at = Timestamp::ZERO;
        let data = Bytes::from_static(&[0; 64]);
        let packet = EncodedPacket::received(Track::Video, (at, at), true, data);
        file.write(&StreamEvent::Packet(packet)).unwrap();
        assert_eq!(file.flush().unwrap_err().kind, Trouble::Full);
        assert_eq!((file.waiting(), file.written()), (0, 0));
    }
}
