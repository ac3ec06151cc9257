//! What the file formats have in common: tracks, samples, chapters, how a file is written while it
//! may be cut off at any moment ([`Muxer`]), and what is found in one ([`Index`]). Pure: bytes to be
//! written are handed out, bytes to be read come through [`ReadAt`].

pub mod audio;
mod capacity;
pub mod demuxer;
mod error;
pub mod flv;
pub mod mkv;
pub mod mp4;
mod opening;
mod packet_times;
pub mod track_config;
pub mod ts;
pub mod unsupported;

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::stream_event::printable;
use crate::media::{
    AudioConfig, ExtraTrack, StreamConfig, StreamEvent, Track, TrackKind, UnsupportedTrack,
    VideoConfig,
};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::codec::Colors;

pub use crate::media::{Chapter, stream_event::MAX_TITLE};
pub use capacity::Part;
pub use demuxer::Demuxer;
pub use error::{Error, FilePart};
pub use opening::open;
pub use packet_times::{Timing, TrackTiming, audio_frame};

/// The most audio tracks of a file.
pub const MAX_AUDIO_TRACKS: usize = 16;
/// The most samples that are read from one file: two days of video and audio.
pub const MAX_SAMPLES: usize = 16_000_000;
/// The most chapters that are kept of one file.
pub const MAX_CHAPTERS: usize = 1_000;

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
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Flv, Self::Mp4, Self::Mkv];

    /// The extension of its files, which is also its name.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Flv => "flv",
            Self::Mp4 => "mp4",
            Self::Mkv => "mkv",
        }
    }

    /// From the extension of a path, in whatever case.
    pub fn of_path(path: &std::path::Path) -> Option<Self> {
        let extension = path.extension()?;
        Self::ALL.into_iter().find(|format| extension.eq_ignore_ascii_case(format.extension()))
    }

    /// From the first bytes of a file.
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

impl std::str::FromStr for Format {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| text.eq_ignore_ascii_case(format.extension()))
            .ok_or_else(|| problem!("media-no-format", text = text))
    }
}

/// What is in a file: at most one frame track, and any number of audio tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    pub video: Option<VideoConfig>,
    /// The first is the one that plays unless another is chosen.
    pub audio: Vec<AudioTrack>,
}

/// A audio track of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    pub parameters: AudioConfig,
    /// What players call it, at most [`MAX_TITLE`] bytes; empty: nothing in particular.
    pub name: String,
}

impl AudioTrack {
    /// With as much of the name as every format takes, without control characters.
    pub fn named(parameters: AudioConfig, name: &str) -> Self {
        Self { parameters, name: printable(name) }
    }
}

impl From<AudioConfig> for AudioTrack {
    fn from(parameters: AudioConfig) -> Self {
        Self { parameters, name: String::new() }
    }
}

impl From<StreamConfig> for Tracks {
    fn from(stream: StreamConfig) -> Self {
        let audio = stream.audio.map(AudioTrack::from);
        Self { video: stream.video, audio: audio.into_iter().collect() }
    }
}

/// Which track of a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TrackId {
    Video,
    /// Counted from 0.
    Audio(u8),
}

impl TrackId {
    /// The same among the tracks of a stream.
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
            Track::Video => Self::Video,
            Track::Audio => Self::Audio(0),
            Track::Extra(track) => Self::Audio(track.number().saturating_sub(1)),
        }
    }
}

/// Bytes for a file: some to be appended, some to be written over others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MuxerOutput {
    /// To be appended at the end.
    pub append: Bytes,
    /// To be written over what is at these places, after the above.
    pub patches: Vec<(u64, Bytes)>,
}

/// Writes a file that can be read at every moment: whole units are appended, and the end makes it
/// an ordinary file with an index.
pub trait Muxer: fmt::Debug + Send {
    /// The start of the file. Called once, first.
    fn begin(&mut self) -> Bytes;

    /// Takes a packet or a chapter in, which is part of the next [`Muxer::flush`]. Times are those of the file,
    /// which begins at zero; packets of a track come in the order of their DTS.
    fn write(&mut self, event: &StreamEvent);

    /// Bytes taken in and not handed out.
    fn waiting(&self) -> usize;

    /// Everything that waits, as whole units for the end of the file, which is at `at`. Once the
    /// bytes are written [`Muxer::commit`] is called, and [`Muxer::discard`] when they cannot be.
    fn flush(&mut self, at: u64) -> MuxerOutput;

    /// What was last handed out is in the file.
    fn commit(&mut self);

    /// What waits or was last handed out is not in the file and never will be.
    fn discard(&mut self);

    /// What makes the file whole, whose end is at `at` and whose content reaches to `end`. Of what
    /// was committed only.
    fn finish(&mut self, at: u64, end: Timestamp) -> MuxerOutput;

    /// What can still be put right in a file to whose end nothing can be added any more (a full
    /// disk); it plays without.
    fn close(&mut self, at: u64, end: Timestamp) -> Vec<(u64, Bytes)>;

    /// How many bytes [`Muxer::finish`] would append now, roughly and not less.
    fn index_weight(&self) -> usize;
}

/// A file, or bytes in memory, to be read at any place.
pub trait ReadAt {
    /// Bytes in all.
    fn size(&self) -> u64;

    /// Fills `buffer` from `at` on.
    ///
    /// # Errors
    /// `UnexpectedEof` where there are not this many bytes; `WouldBlock` where they are still to come.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// The most that is read at a time.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// Where this many bytes from `at` on end.
    ///
    /// # Errors
    /// `UnexpectedEof` where there are not this many.
    fn end(&self, at: u64, length: usize) -> io::Result<u64> {
        let end = at.checked_add(length as u64).filter(|end| *end <= self.size());
        end.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl ReadAt for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..));
        let bytes = from.and_then(|rest| rest.get(..buffer.len()));
        let bytes = bytes.ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// Reads `size` bytes at `at`, at most `most`: what a file claims is never allocated unseen.
///
/// # Errors
/// Where there are not this many, or they are too many.
pub fn read(
    source: &mut dyn ReadAt,
    at: u64,
    size: u64,
    most: usize,
    part: FilePart,
) -> Result<Bytes, Error> {
    let length = usize::try_from(size).ok().filter(|size| *size <= most.min(source.most()));
    let length = length.ok_or(Error::TooMuch(part))?;
    source.end(at, length)?;
    let mut bytes = vec![0; length];
    source.read_at(at, &mut bytes)?;
    Ok(bytes.into())
}

/// Where a sample is in a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct SampleLocation {
    pub track: TrackId,
    pub keyframe: bool,
    pub dts: Timestamp,
    pub pts: Timestamp,
    /// Of its data.
    pub at: u64,
    pub size: u32,
}

/// Bytes in the middle of a sample that are none of its own, such as the head of a page.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Hole {
    pub at: u64,
    pub size: u64,
}

/// Reads the bytes of a sample without the holes in it, which are in their order; at most `most` of
/// them and of what lies between.
///
/// # Errors
/// As [`read`].
pub fn read_around(
    source: &mut dyn ReadAt,
    place: &SampleLocation,
    holes: &[Hole],
    most: usize,
) -> Result<Vec<u8>, Error> {
    let end = place.at.saturating_add(place.size.into());
    let first = holes.partition_point(|hole| hole.at < place.at);
    let inside = holes.get(first..).unwrap_or_default().iter().take_while(|hole| hole.at < end);
    let (mut at, mut data) = (place.at, Vec::new());
    let whole = Hole { at: end, size: 0 };
    for hole in inside.chain(std::iter::once(&whole)) {
        let room = most.saturating_sub(data.len());
        data.extend_from_slice(&read(
            source,
            at,
            hole.at.saturating_sub(at),
            room,
            FilePart::Samples,
        )?);
        at = hole.at.saturating_add(hole.size);
    }
    Ok(data)
}

/// A part of a file from which on it can be read, without what is before it: a cluster, a fragment.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// When the first of it is seen or heard.
    pub time: Timestamp,
    /// Its first byte.
    pub at: u64,
}

/// A stream of audio that follows another one in a file of audio alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Where its first packet is.
    pub at: u64,
    /// When it is heard: what came before is heard up to then, though more of it is decoded.
    pub heard: Timestamp,
    pub parameters: AudioConfig,
}

/// What is in a file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Index {
    pub tracks: Tracks,
    /// What the file, and not the stream in it, tells of the frame's colors.
    pub colors: Colors,
    /// As who plays wants it: times begin at zero. Who copies gets the times
    /// as they are, below zero too, and is told of all that is lacking.
    pub to_play: bool,
    /// Who plays has the key of what is encrypted.
    pub has_key: bool,
    /// So many samples are taken at most; 0: [`MAX_SAMPLES`].
    pub most: usize,
    /// In the order in which they are to be written: by DTS, frames first.
    pub samples: Vec<SampleLocation>,
    /// How much is seen of frames, as frames of the same codec whose luma tells it: that of each by
    /// its `pts`.
    pub alpha: Vec<SampleLocation>,
    /// What is left out when samples are read, by its place.
    pub holes: Vec<Hole>,
    /// Of audio alone, what follows the first stream in the same file, in order.
    pub links: Vec<Link>,
    /// Of audio alone, what is heard of it: without what its encoder put before and behind it.
    pub heard: Option<(Timestamp, Timestamp)>,
    pub chapters: Vec<Chapter>,
    /// What else is in it and is not carried, in words.
    pub left_out: Vec<String>,
    /// The same by its kind.
    pub lacking: Vec<(Part, String)>,
    /// Ticks a second of the tracks, where they are finer than a millisecond.
    pub timescales: Vec<(TrackId, u32)>,
    /// Tracks of it that nobody here plays; with `to_play`.
    pub unsupported: Vec<UnsupportedTrack>,
    /// Where the last whole unit ends; what follows was cut off, or is an index.
    pub whole: u64,
    /// The file has its index and its duration: it was finished.
    pub finished: bool,
}

impl Index {
    /// What is not carried.
    pub fn lack(&mut self, part: Part, what: String) {
        if self.left_out.len() < 32 {
            self.left_out.push(what.clone());
            self.lacking.push((part, what));
        }
    }

    /// A track that nobody here plays.
    pub fn leave(&mut self, track: Option<UnsupportedTrack>) {
        if let Some(track) = track.filter(|_| self.to_play) {
            unsupported::note(&mut self.unsupported, &track);
        }
    }

    /// What is missing without them: audio, and the frame where there is no other.
    pub fn missed(&self) -> impl Iterator<Item = &UnsupportedTrack> {
        let seen = self.tracks.video.is_some();
        self.unsupported.iter().filter(move |it| it.medium == TrackKind::Audio || !seen)
    }

    /// Puts the samples into the order of their DTS, keeps the order within each track, and begins
    /// at zero where times lie before it, unless it is to be copied.
    pub fn arrange(&mut self) {
        self.samples.sort_by_key(|sample| (sample.dts, sample.track));
        if !self.to_play {
            return;
        }
        let first = self.samples.iter().map(|sample| sample.dts.min(sample.pts)).min();
        let shift = first.map_or(0, |first| first.as_micros().min(0).saturating_neg());
        if shift != 0 {
            for sample in self.samples.iter_mut().chain(&mut self.alpha) {
                sample.dts = sample.dts.offset(shift);
                sample.pts = sample.pts.offset(shift);
            }
            for chapter in &mut self.chapters {
                chapter.at = chapter.at.offset(shift);
            }
        }
    }

    /// Takes a sample in.
    ///
    /// # Errors
    /// Where there are too many.
    pub fn push(&mut self, place: SampleLocation) -> Result<(), Error> {
        let most = if self.most == 0 { MAX_SAMPLES } else { self.most };
        if self.samples.len() >= most {
            return Err(Error::TooMuch(FilePart::Samples));
        }
        self.samples.push(place);
        Ok(())
    }

    /// Takes a chapter in; those past [`MAX_CHAPTERS`] are left out.
    pub fn push_chapter(&mut self, chapter: Chapter) {
        if self.chapters.len() < MAX_CHAPTERS {
            self.chapters.push(chapter);
        }
    }

    /// Without what lies beyond the last whole unit.
    pub fn cut(&mut self) {
        let whole = self.whole;
        self.samples.retain(|place| place.at + u64::from(place.size) <= whole);
    }

    /// Nothing where there is a track that can be used.
    ///
    /// # Errors
    /// What is there instead.
    pub fn usable(&self) -> Result<(), Error> {
        if !self.is_empty() {
            return Ok(());
        }
        Err(match self.left_out.first() {
            Some(what) => Error::Unsupported(what.clone()),
            None => Error::Empty,
        })
    }

    /// Whether there is no track that can be used.
    pub fn is_empty(&self) -> bool {
        self.tracks.video.is_none() && self.tracks.audio.is_empty()
    }

    /// How far the content reaches: the last video or audio with its length.
    pub fn end(&self) -> Timestamp {
        let reach = |sample: &SampleLocation| sample.pts + self.tracks.length(sample.track);
        self.samples.iter().map(reach).max().unwrap_or_default()
    }
}

impl Tracks {
    /// How long a sample of this track lasts.
    pub fn length(&self, track: TrackId) -> Duration {
        match track {
            TrackId::Video => {
                self.video.as_ref().map_or(Duration::ZERO, |video| video.frame_rate.period())
            }
            TrackId::Audio(index) => {
                self.audio.get(usize::from(index)).map_or(Duration::ZERO, |audio| {
                    let (samples, rate) = audio_frame(&audio.parameters);
                    Duration::from_micros(u64::from(samples) * 1_000_000 / u64::from(rate))
                })
            }
        }
    }

    /// All of them, frames first.
    pub fn ids(&self) -> impl Iterator<Item = TrackId> {
        let video = self.video.as_ref().map(|_| TrackId::Video);
        video.into_iter().chain((0..self.audio.len().min(MAX_AUDIO_TRACKS)).map(audio_track))
    }
}

/// The audio track of this number.
pub fn audio_track(index: usize) -> TrackId {
    TrackId::Audio(u8::try_from(index).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn what_lies_before_zero_is_moved_as_a_whole() {
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
        // Who copies wants it as it is.
        assert_eq!(times(&index), [(TrackId::Video, -40), (TrackId::Audio(0), 10)]);
        index.to_play = true;
        index.arrange();
        assert_eq!(times(&index), [(TrackId::Video, 0), (TrackId::Audio(0), 50)]);
    }
}
