//! Shared code of the file formats: tracks, samples, chapters, the writer interface for files that
//! may be cut off at any moment ([`Muxer`]), and the contents of a file ([`Index`]). This module
//! has no I/O: muxers return bytes to write, and demuxers read through [`ReadAt`]. It is long because
//! every format shares these definitions.

pub mod audio;
mod capacity;
pub mod demuxer;
mod error;
pub mod flv;
pub mod growing;
pub mod mkv;
pub mod mp4;
mod opening;
mod packet_times;
mod read_at;
pub mod track_config;
pub mod ts;
pub mod unsupported;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::stream_event::printable;
use crate::media::{
    AudioConfig, ExtraTrack, StreamConfig, StreamEvent, Track, TrackKind, UnsupportedTrack,
    VideoConfig,
};
use crate::wire::codec::h264::annexb_to_avcc;
use crate::wire::codec::{Colors, cadence};

pub use crate::media::{Chapter, stream_event::MAX_TITLE_BYTES};
pub use capacity::Part;
pub use demuxer::Demuxer;
pub use error::{Error, FilePart, UnsupportedContent};
pub use opening::open;
pub use packet_times::{Timing, TrackTiming, audio_frame};
pub use read_at::{Hole, ReadAt, read, read_around};

/// Maximum number of audio tracks in a file.
pub const MAX_AUDIO_TRACKS: usize = 16;
/// Maximum number of samples that are read from a file, even if it is small.
pub const MAX_SAMPLES: usize = 16_000_000;
/// Maximum number of samples that are read from a large file, enough for two days of video with six
/// audio tracks.
const MAX_SAMPLES_OF_LARGE_FILE: usize = 64_000_000;
/// Minimum average size of the samples of a large file in bytes, which limits the memory for its
/// index.
const MIN_SAMPLE_BYTES: u64 = 16;
/// Maximum number of unsupported contents that a reader reports.
const MAX_REPORTED_CONTENTS: usize = 32;
/// Maximum number of chapters of a file.
pub const MAX_CHAPTERS: usize = 1_000;

/// Data within this time of the part that an edit list shows is kept: the codec's delay, padding,
/// and frames that are out of order, in microseconds.
const EDIT_MARGIN_MICROS: i64 = 100_000;
/// The time by which an edit list may begin after its first frame, because times are rounded, in
/// microseconds.
const EDIT_TOLERANCE_MICROS: i64 = 5_000;

/// Returns the maximum number of samples that are read from a file of this size.
pub fn max_samples(bytes: u64) -> usize {
    let count = usize::try_from(bytes / MIN_SAMPLE_BYTES).unwrap_or(usize::MAX);
    count.clamp(MAX_SAMPLES, MAX_SAMPLES_OF_LARGE_FILE)
}

/// The file formats.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Default)]
pub enum Format {
    /// Adobe FLV.
    #[default]
    Flv,
    /// ISO/IEC 14496-12 and -14.
    Mp4,
    /// Matroska (RFC 9559).
    Mkv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 3] = [Self::Flv, Self::Mp4, Self::Mkv];

    /// Returns the file extension, which is also the name of the format.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Flv => "flv",
            Self::Mp4 => "mp4",
            Self::Mkv => "mkv",
        }
    }

    /// Detects the format by the extension of a path, in upper or lower case.
    pub fn of_path(path: &std::path::Path) -> Option<Self> {
        let extension = path.extension()?;
        Self::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }

    /// Detects the format by the first bytes of a file.
    pub fn of_bytes(start: &[u8]) -> Option<Self> {
        match start {
            [b'F', b'L', b'V', ..] => Some(Self::Flv),
            [0x1A, 0x45, 0xDF, 0xA3, ..] => Some(Self::Mkv),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Self::Mp4),
            _ => None,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.extension())
    }
}

/// The name of no supported format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a supported file format: use flv, mp4 or mkv")]
pub struct UnknownFormat(pub String);

impl std::str::FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| text.eq_ignore_ascii_case(format.extension()))
            .ok_or_else(|| UnknownFormat(text.to_owned()))
    }
}

/// The tracks of a file: at most one video track, and any number of audio tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    pub video: Option<VideoConfig>,
    /// The audio tracks, of which the first is the default.
    pub audio: Vec<AudioTrack>,
}

/// An audio track of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    pub config: AudioConfig,
    /// Title of the track, at most [`MAX_TITLE_BYTES`] bytes; empty if it has none.
    pub name: String,
    /// Language in letters of ISO 639-2, if known.
    pub language: Option<[u8; 3]>,
}

/// Returns the language with this code of ISO 639-2, or `None` for another code and for `und`.
pub fn language(code: &[u8]) -> Option<[u8; 3]> {
    let code: [u8; 3] = code.try_into().ok()?;
    (code != *b"und" && code.iter().all(u8::is_ascii_lowercase)).then_some(code)
}

impl AudioTrack {
    /// Creates a track with a title that every format accepts: truncated, and without control
    /// characters.
    pub fn named(config: AudioConfig, name: &str) -> Self {
        Self { config, name: printable(name), language: None }
    }
}

impl From<AudioConfig> for AudioTrack {
    fn from(config: AudioConfig) -> Self {
        Self { config, name: String::new(), language: None }
    }
}

impl From<StreamConfig> for Tracks {
    fn from(stream: StreamConfig) -> Self {
        let audio = stream.audio.map(AudioTrack::from);
        Self { video: stream.video, audio: audio.into_iter().collect() }
    }
}

/// Identifies a track of a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackId {
    Video,
    /// Audio track, counted from 0.
    Audio(u8),
}

impl TrackId {
    /// Returns the same track in a stream.
    pub const fn track(self) -> Track {
        match self {
            Self::Video => Track::Video,
            Self::Audio(0) => Track::Audio,
            Self::Audio(number) => Track::Extra(ExtraTrack::behind_first(number)),
        }
    }
}

impl From<Track> for TrackId {
    fn from(track: Track) -> Self {
        match track {
            Track::Video | Track::Rendition(_) => Self::Video,
            Track::Audio => Self::Audio(0),
            Track::Extra(track) => Self::Audio(track.number().saturating_sub(1)),
        }
    }
}

/// Bytes for a file: some to append, and some that replace existing bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MuxerOutput {
    /// Bytes to append.
    pub append: Bytes,
    /// Bytes to write at these positions, after the append.
    pub patches: Vec<(u64, Bytes)>,
}

/// Writes a file that is readable at every moment. A muxer appends whole units. When it finishes,
/// the file becomes an ordinary one with an index.
pub trait Muxer: fmt::Debug + Send {
    /// Returns the start of the file. This method is called once, before all other methods.
    fn begin(&mut self) -> Bytes;

    /// Adds a packet or a chapter to the next [`Muxer::flush`]. Times begin at zero, and the
    /// packets of each track must be in DTS order.
    fn write(&mut self, event: &StreamEvent);

    /// Returns the number of bytes that were added and not flushed yet.
    fn waiting(&self) -> usize;

    /// Returns all waiting data as whole units for the end of the file, which is at `at`. The
    /// caller then calls [`Muxer::commit`] after writing the bytes, or [`Muxer::discard`] if it
    /// cannot write them.
    fn flush(&mut self, at: u64) -> MuxerOutput;

    /// Confirms that the last flush is in the file.
    fn commit(&mut self);

    /// Discards waiting data and the last flush, which are not in the file.
    fn discard(&mut self);

    /// Completes the file, whose size is `at` and whose content lasts until `end`. The result
    /// covers only committed data.
    fn finish(&mut self, at: u64, end: Timestamp) -> MuxerOutput;

    /// Returns the patches for the end of a file to which nothing can be appended (a full disk).
    /// The file also plays without them.
    fn close(&mut self, at: u64, end: Timestamp) -> Vec<(u64, Bytes)>;

    /// Returns an upper estimate of the number of bytes that [`Muxer::finish`] would append now.
    fn index_weight(&self) -> usize;
}

/// Position of a sample in a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SampleLocation {
    pub track: TrackId,
    pub keyframe: bool,
    pub dts: Timestamp,
    pub pts: Timestamp,
    /// Position of its data.
    pub at: u64,
    pub size: u32,
}

/// A part of a file from which reading can start: a cluster or a fragment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Time of its first sample.
    pub time: Timestamp,
    /// Position of its first byte.
    pub at: u64,
}

/// A chained audio stream in an audio-only file.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Position of its first packet.
    pub at: u64,
    /// Start of its audible part. The previous stream plays until then, even if more of it is
    /// decoded.
    pub audible_from: Timestamp,
    pub config: AudioConfig,
}

/// The contents of a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    pub tracks: Tracks,
    /// Color description in the container, not in the video stream.
    pub colors: Colors,
    /// True for playback, for which times begin at zero. For copying, times are unchanged, even
    /// below zero, and all missing parts are reported.
    pub to_play: bool,
    /// True if the player has the key of encrypted samples.
    pub has_key: bool,
    /// True if the samples of H.264 are in Annex B.
    pub annex_b: bool,
    /// The compression of the samples of these tracks (Matroska).
    pub compressions: Vec<(TrackId, mkv::Compression)>,
    /// Maximum number of samples; 0 means [`MAX_SAMPLES`].
    pub max_samples: usize,
    /// Samples in writing order: by DTS, video first.
    pub samples: Vec<SampleLocation>,
    /// Start of the shown video: earlier frames are only decoded. `None` if all frames are shown.
    pub shown_from: Option<Timestamp>,
    /// Alpha channel of the frames: frames of the same codec, matched by `pts`, whose luma is the
    /// opacity.
    pub alpha: Vec<SampleLocation>,
    /// Foreign bytes to skip within samples, sorted by position.
    pub holes: Vec<Hole>,
    /// For audio-only files, the streams that follow the first one, in order.
    pub links: Vec<Link>,
    /// For audio-only files, the audible span without the encoder's padding.
    pub audible_span: Option<(Timestamp, Timestamp)>,
    pub chapters: Vec<Chapter>,
    /// The contents that are not kept, each with the part to which it belongs. A content without a
    /// part does not prevent a copy of the file.
    pub unsupported_contents: Vec<(Option<Part>, UnsupportedContent)>,
    /// Ticks per second of tracks that are finer than a millisecond.
    pub timescales: Vec<(TrackId, u32)>,
    /// Tracks without a decoder, which are listed only for playback (`to_play`).
    pub unsupported: Vec<UnsupportedTrack>,
    /// End of the last whole unit, after which an index or a truncated unit follows.
    pub whole: u64,
    /// True if the file was finished, so that it has an index and a duration.
    pub finished: bool,
}

impl Index {
    /// Records contents that the reader does not support, and their part, up to a limit. Losses that a
    /// copy causes have no limit: they are pushed to `unsupported_contents`.
    pub fn note_unsupported(&mut self, part: Option<Part>, what: UnsupportedContent) {
        if self.unsupported_contents.len() < MAX_REPORTED_CONTENTS {
            self.unsupported_contents.push((part, what));
        }
    }

    /// Returns the contents that are not kept, without their parts.
    pub fn into_unsupported_contents(self) -> Vec<UnsupportedContent> {
        self.unsupported_contents.into_iter().map(|(_, what)| what).collect()
    }

    /// Returns the data of a sample as onair passes it on: without compression, H.264 in AVCC.
    pub fn converted(&self, track: TrackId, data: Bytes) -> Bytes {
        let compression = self.compressions.iter().find(|(its, _)| *its == track);
        // Decoders report damaged data.
        let data = compression.and_then(|(_, it)| it.restore(&data)).unwrap_or(data);
        let is_annex_b = self.annex_b && track == TrackId::Video;
        let avcc = is_annex_b.then(|| annexb_to_avcc(&data, |_| true));
        avcc.and_then(Result::ok).unwrap_or(data)
    }

    /// Records a track without a decoder.
    pub fn note_unsupported_track(&mut self, track: Option<UnsupportedTrack>) {
        if let Some(track) = track.filter(|_| self.to_play) {
            unsupported::note(&mut self.unsupported, &track);
        }
    }

    /// Returns the unsupported tracks that the user misses: audio, and video if there is no other
    /// video.
    pub fn missed_by_user(&self) -> impl Iterator<Item = &UnsupportedTrack> {
        let seen = self.tracks.video.is_some();
        self.unsupported.iter().filter(move |it| it.kind == TrackKind::Audio || !seen)
    }

    /// Sorts the samples by DTS, keeps the order within each track, and moves negative times to
    /// zero, except for copying.
    pub fn arrange(&mut self) {
        self.samples.sort_by_key(|sample| (sample.dts, sample.track));
        if !self.to_play {
            return;
        }
        let first = self.samples.iter().map(|sample| sample.dts.min(sample.pts)).min();
        let shift = first.map_or(0, |first| first.as_micros().min(0).saturating_neg());
        if shift != 0 {
            self.move_by(shift);
        }
    }

    /// Moves all times by this many microseconds.
    fn move_by(&mut self, shift: i64) {
        for sample in self.samples.iter_mut().chain(&mut self.alpha) {
            sample.dts = sample.dts.offset(shift);
            sample.pts = sample.pts.offset(shift);
        }
        for chapter in &mut self.chapters {
            chapter.at = chapter.at.offset(shift);
        }
        self.shown_from = self.shown_from.map(|from| from.offset(shift));
    }

    /// Returns true if a frame with this time is shown, and not only decoded.
    pub fn shows(&self, pts: Timestamp) -> bool {
        self.shown_from.is_none_or(|from| pts >= from)
    }

    /// Hides the frames before this time.
    pub fn hide_before(&mut self, begins: Timestamp) {
        let from = begins.offset(-EDIT_TOLERANCE_MICROS);
        let is_hidden = |it: &SampleLocation| it.track == TrackId::Video && it.pts < from;
        if self.samples.iter().any(is_hidden) {
            self.shown_from = Some(from);
        }
    }

    /// Hides the frames outside this part of the video, unless no frame is inside. A frame after the
    /// end is kept only if an earlier one may depend on it.
    pub fn show_only(&mut self, begins: Timestamp, ends: Option<Timestamp>) {
        let ends = ends.map(|ends| ends.offset(EDIT_MARGIN_MICROS));
        let in_time = |it: &&SampleLocation| ends.is_none_or(|ends| it.pts < ends);
        let video = self.samples.iter().filter(|it| it.track == TrackId::Video).filter(in_time);
        if video.clone().all(|it| it.pts < begins) {
            return;
        }
        let last = video.map(|it| it.dts).max();
        self.samples.retain(|it| it.track != TrackId::Video || Some(it.dts) <= last);
        self.hide_before(begins);
    }

    /// Drops the hidden frames, for a use that cannot hide them. The video then begins at the first
    /// keyframe that is shown.
    ///
    /// # Errors
    /// Fails if no keyframe is shown.
    pub fn skip_hidden(&mut self) -> Result<(), Error> {
        let Some(from) = self.shown_from else { return Ok(()) };
        let is_start =
            |it: &&SampleLocation| it.track == TrackId::Video && it.keyframe && it.pts >= from;
        let Some(key) = self.samples.iter().find(is_start).copied() else {
            return Err(Error::Unsupported(UnsupportedContent::CutStart));
        };
        let is_kept = |it: &SampleLocation| {
            it.track != TrackId::Video || it.dts >= key.dts && it.pts >= key.pts
        };
        if self.samples.iter().any(|it| !is_kept(it) && it.pts >= from) {
            self.unsupported_contents.push((None, UnsupportedContent::CutStart));
        }
        self.samples.retain(is_kept);
        self.shown_from = None;
        let first = self.samples.iter().map(|it| it.dts.min(it.pts)).min();
        if let Some(first) = first.filter(|_| self.to_play) {
            self.move_by(first.as_micros().saturating_neg());
        }
        Ok(())
    }

    /// Returns the maximum number of samples.
    pub const fn limit(&self) -> usize {
        if self.max_samples == 0 { MAX_SAMPLES } else { self.max_samples }
    }

    /// Adds a sample.
    ///
    /// # Errors
    /// Fails if there are too many samples.
    pub fn push(&mut self, place: SampleLocation) -> Result<(), Error> {
        if self.samples.len() >= self.limit() {
            return Err(Error::TooMuch(FilePart::Samples));
        }
        self.samples.push(place);
        Ok(())
    }

    /// Adds a chapter. Chapters beyond [`MAX_CHAPTERS`] are ignored.
    pub fn push_chapter(&mut self, chapter: Chapter) {
        if self.chapters.len() < MAX_CHAPTERS {
            self.chapters.push(chapter);
        }
    }

    /// Removes data after the last whole unit.
    pub fn cut(&mut self) {
        let whole = self.whole;
        self.samples.retain(|place| place.at + u64::from(place.size) <= whole);
    }

    /// Checks that at least one track can be used.
    ///
    /// # Errors
    /// Fails with the reason if no track can be used.
    pub fn usable(&self) -> Result<(), Error> {
        if !self.is_empty() {
            return Ok(());
        }
        Err(match self.unsupported_contents.first() {
            Some((_, what)) => Error::Unsupported(what.clone()),
            None => Error::Empty,
        })
    }

    /// Returns true if no track can be used.
    pub fn is_empty(&self) -> bool {
        self.tracks.video.is_none() && self.tracks.audio.is_empty()
    }

    /// Measures the frame rate of the video from its first frames.
    pub fn measure_frame_rate(&mut self) {
        let Some(video) = &mut self.tracks.video else { return };
        let shown = self.samples.iter().filter(|place| place.track == TrackId::Video);
        let times = shown.map(|place| place.pts.as_micros());
        video.frame_rate = cadence::measured_rate(times, video.frame_rate);
    }

    /// Returns the end time of the last video or audio sample.
    pub fn end(&self) -> Timestamp {
        let reach = |sample: &SampleLocation| sample.pts + self.tracks.length(sample.track);
        self.samples.iter().map(reach).max().unwrap_or_default()
    }
}

impl Tracks {
    /// Returns the duration of a sample of this track.
    pub fn length(&self, track: TrackId) -> Duration {
        match track {
            TrackId::Video => {
                self.video.as_ref().map_or(Duration::ZERO, |video| video.frame_rate.period())
            }
            TrackId::Audio(index) => {
                self.audio.get(usize::from(index)).map_or(Duration::ZERO, |audio| {
                    let (samples, rate) = audio_frame(&audio.config);
                    Duration::from_micros(u64::from(samples) * 1_000_000 / u64::from(rate))
                })
            }
        }
    }

    /// Returns all tracks, video first.
    pub fn ids(&self) -> impl Iterator<Item = TrackId> {
        let video = self.video.as_ref().map(|_| TrackId::Video);
        video.into_iter().chain((0..self.audio.len().min(MAX_AUDIO_TRACKS)).map(audio_track))
    }
}

/// Returns the audio track with this index.
pub fn audio_track(index: usize) -> TrackId {
    TrackId::Audio(u8::try_from(index).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_with_six_audio_tracks_has_not_too_many_samples() {
        let seconds = 24 * 3_600;
        let samples = seconds * (60 + 6 * 48_000 / 1_024);
        assert!((MAX_SAMPLES..max_samples(seconds as u64 * 750_000)).contains(&samples));
        // The index of a small file needs little memory.
        assert_eq!((max_samples(1 << 20), max_samples(u64::MAX)), (MAX_SAMPLES, 64_000_000));
        let sample = SampleLocation {
            track: TrackId::Video,
            keyframe: true,
            dts: Timestamp::ZERO,
            pts: Timestamp::ZERO,
            at: 0,
            size: 1,
        };
        let mut index = Index { max_samples: 2, ..Index::default() };
        let pushed: Vec<_> = (0..3).map(|_| index.push(sample).is_ok()).collect();
        assert_eq!(pushed, [true, true, false]);
    }

    #[test]
    fn contents_that_a_reader_reports_are_limited() {
        let mut index = Index::default();
        let mut note =
            |part| index.note_unsupported(Some(part), UnsupportedContent::UnreadableTrack);
        (0..40).for_each(|_| note(Part::Data));
        assert_eq!(index.into_unsupported_contents().len(), MAX_REPORTED_CONTENTS);
    }

    #[test]
    fn formats_are_known_by_extension_and_by_their_first_bytes() {
        let of = |path: &str| Format::of_path(std::path::Path::new(path));
        assert_eq!(of("a/b.MP4"), Some(Format::Mp4));
        assert_eq!((of("a.mov"), of("mkv"), of("x.mkv")), (None, None, Some(Format::Mkv)));
        assert_eq!(Format::of_bytes(b"FLV\x01"), Some(Format::Flv));
        assert_eq!(Format::of_bytes(b"\0\0\0\x20ftypisom"), Some(Format::Mp4));
        assert_eq!(Format::of_bytes(b"RIFF"), None);
        assert_eq!("MKV".parse(), Ok(Format::Mkv));
    }

    #[test]
    fn negative_times_are_moved_to_zero_for_playback_only() {
        let place = |track, dts: i64| SampleLocation {
            track,
            keyframe: true,
            dts: Timestamp::from_millis(dts),
            pts: Timestamp::from_millis(dts),
            at: 0,
            size: 1,
        };
        let mut index = Index {
            samples: vec![place(TrackId::Audio(0), 10), place(TrackId::Video, -40)],
            ..Index::default()
        };
        let times = |index: &Index| -> Vec<_> {
            index.samples.iter().map(|it| (it.track, it.dts.as_millis())).collect()
        };
        index.arrange();
        // Times stay unchanged for copying.
        assert_eq!(times(&index), [(TrackId::Video, -40), (TrackId::Audio(0), 10)]);
        index.to_play = true;
        index.arrange();
        assert_eq!(times(&index), [(TrackId::Video, 0), (TrackId::Audio(0), 50)]);
    }
}
