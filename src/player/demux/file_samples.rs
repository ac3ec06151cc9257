//! MP4, MKV and files of sound as sources: their samples in the shape of FLV tags, which the rest of the
//! player reads. The first sound track is heard.

use std::fs::File;
use std::path::Path;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::decode::inventory;
use crate::files::MediaFile;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, Priority, Track, VideoCodec};
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::demux::flv_bodies;
use crate::player::state::{Failure, FailureKind};
use crate::wire::container::flv::TagKind;
use crate::wire::container::unsupported::UnsupportedTrack;
use crate::wire::container::{
    Error, Format, Hole, Index, ReadAt, SampleLocation, TrackId, audio, read_around,
};

/// A sample larger than this is none.
const MAX_SAMPLE: usize = 32 << 20;

/// What a file is made of.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum TrackKind {
    Film(Format),
    Sound(audio::Kind),
}

impl TrackKind {
    /// Its name.
    pub(in crate::player) const fn extension(self) -> &'static str {
        match self {
            Self::Film(format) => format.extension(),
            Self::Sound(kind) => kind.extension(),
        }
    }
}

/// What a file is, by its first bytes; FLV where they are none's, so that its reader says what is wrong.
///
/// # Errors
/// When it cannot be read.
pub(in crate::player) fn medium(file: &File, path: &Path) -> Result<TrackKind, Failure> {
    let Ok(copy) = file.try_clone() else { return Ok(TrackKind::Film(Format::Flv)) };
    let source = MediaFile::of(copy).map_err(|error| unreadable(path, &error.to_string()));
    Ok(medium_of(&mut source?).unwrap_or(TrackKind::Film(Format::Flv)))
}

fn medium_of(disk: &mut MediaFile) -> Result<TrackKind, Error> {
    match disk.format() {
        Ok(format) => Ok(TrackKind::Film(format)),
        Err(error) => {
            let kind = audio::kind(disk)?;
            kind.map(|(kind, _)| TrackKind::Sound(kind)).ok_or(error)
        }
    }
}

/// Hands the samples of a file out as tags, in the order of their DTS, until `take` returns false.
///
/// # Errors
/// What is wrong with the file.
pub(in crate::player) fn tags(
    file: File,
    path: &Path,
    take: &mut dyn FnMut(TagKind, u32, Bytes) -> bool,
) -> Result<(), Failure> {
    let source = MediaFile::of(file).map_err(|error| unreadable(path, &error.to_string()));
    let mut disk = source?;
    let index = indexed(&mut disk).map_err(|error| unplayable(path, &error))?;
    samples(&mut disk, &index, true, take).map_err(|error| unplayable(path, &error))
}

/// Decoders of sound need so much before what is heard.
pub(in crate::player) const RUN_UP_MICROS: i64 = 100_000;

/// A body of a file, in microseconds.
#[derive(Clone, Debug)]
pub(in crate::player) struct Body {
    pub(in crate::player) kind: TagKind,
    pub(in crate::player) dts: i64,
    pub(in crate::player) pts: i64,
    pub(in crate::player) body: Bytes,
}

/// What a film is handed out in.
pub(in crate::player) enum FileSample {
    Body(Body),
    /// What came is heard up to this time at most, and what comes from it on, in microseconds.
    Seam(i64),
}

/// A file whose samples are known.
pub(in crate::player) struct SampleFile {
    disk: MediaFile,
    index: Index,
    pub(in crate::player) span: Span,
}

impl SampleFile {
    /// `None`: it has tracks and nothing in them.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(in crate::player) fn open(file: File, path: &Path) -> Result<Option<Self>, Failure> {
        let source = MediaFile::of(file).map_err(|error| unreadable(path, &error.to_string()));
        let mut disk = source?;
        let index = indexed(&mut disk).map_err(|error| unplayable(path, &error))?;
        let span = match index.heard {
            Some((begins, ends)) => {
                Some(Span { begins: begins.as_micros(), ends: ends.as_micros() })
            }
            None => span(&index.samples),
        };
        Ok(span.map(|span| Self { disk, index, span }))
    }

    /// What else is in it and is not played.
    pub(in crate::player) fn missed(&self) -> impl Iterator<Item = &UnsupportedTrack> {
        self.index.missed()
    }

    /// Whether there are decoders for the tracks that are played.
    pub(in crate::player) fn is_playable(&self) -> bool {
        let tracks = &self.index.tracks;
        let (video, audio) = (tracks.video.as_ref(), tracks.audio.first());
        let seen = video.is_none_or(|it| inventory::video_decoder(it.codec).is_ok());
        let heard = audio.is_none_or(|it| inventory::audio_decoder(it.parameters.codec).is_ok());
        seen && heard
    }

    pub(in crate::player) fn has_video(&self) -> bool {
        self.index.tracks.video.is_some()
    }

    /// Leaves out what is not needed to see and hear what is there at `place`, in the file's own time.
    pub(in crate::player) fn begin_at(&mut self, place: i64) {
        let until = Timestamp::from_micros(place);
        let sound = until.offset(-RUN_UP_MICROS);
        let start = start_of(&self.index.samples, until).unwrap_or((0, sound));
        let mut number = 0;
        self.index.samples.retain(|place| {
            number += 1;
            is_needed(start, number - 1, place)
        });
    }

    /// Hands out the configurations, and then the samples `shift` microseconds later than the file's own
    /// time, in the order of their DTS, until `take` returns false; a seam and another configuration
    /// before what follows in a file of several.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(in crate::player) fn play(
        mut self,
        path: &Path,
        shift: i64,
        take: &mut dyn FnMut(FileSample) -> bool,
    ) -> Result<(), Failure> {
        let index = &self.index;
        let begins = self.span.begins.saturating_add(shift);
        let mut head =
            |kind, _, body| take(FileSample::Body(Body { kind, dts: begins, pts: begins, body }));
        let mut links = index.links.as_slice();
        // It may begin in the middle.
        let first = index.samples.first().map_or(0, |place| place.at);
        let passed = links.partition_point(|link| link.at <= first);
        let (before, rest) = links.split_at_checked(passed).unwrap_or_default();
        links = rest;
        let begun = match before.last() {
            None => headers(index, &mut head),
            Some(link) => heading(&link.parameters, &mut head),
        };
        if !begun {
            return Ok(());
        }
        let (pictures, sound) = codecs(index);
        let mut codecs = (pictures, before.last().map_or(sound, |link| link.parameters.codec));
        for place in &index.samples {
            if let Some((link, rest)) = links.split_first().filter(|(link, _)| place.at >= link.at)
            {
                links = rest;
                let at = link.heard.as_micros().saturating_add(shift);
                if !take(FileSample::Seam(at)) {
                    break;
                }
                let mut head =
                    |kind, _, body| take(FileSample::Body(Body { kind, dts: at, pts: at, body }));
                codecs.1 = link.parameters.codec;
                if !heading(&link.parameters, &mut head) {
                    break;
                }
            }
            let packet = sample(&mut self.disk, &index.holes, place)
                .map_err(|error| unplayable(path, &error))?;
            let Some(mut packet) = packet else { continue };
            (packet.dts, packet.pts) = (packet.dts.offset(shift), packet.pts.offset(shift));
            let (dts, pts) = (packet.dts.as_micros(), packet.pts.as_micros());
            let (kind, body) = body(codecs, &packet);
            if !take(FileSample::Body(Body { kind, dts, pts, body })) {
                break;
            }
        }
        Ok(())
    }
}

/// What is seen and heard of these.
pub(in crate::player) fn span(places: &[SampleLocation]) -> Option<Span> {
    let (mut pictures, mut sound) = (FileTimeline::default(), FileTimeline::default());
    for place in places {
        match place.track {
            TrackId::Video => pictures.add(place.pts.as_micros()),
            TrackId::Audio(0) => sound.add(place.pts.as_micros()),
            TrackId::Audio(_) => {}
        }
    }
    Span::of(&pictures, &sound)
}

/// Of these, in the order of their DTS, what is needed to see and hear what is there at `until`: the
/// number of the picture with which it begins, and when the first sound is heard; `None`: they have
/// pictures, and none that one could begin with.
pub(in crate::player) fn start_of(
    places: &[SampleLocation],
    until: Timestamp,
) -> Option<(usize, Timestamp)> {
    let is_video = |place: &SampleLocation| place.track == TrackId::Video;
    let starts = |place: &SampleLocation| is_video(place) && place.keyframe && place.pts <= until;
    let start = places.iter().rposition(starts);
    let start = start.or_else(|| (!places.iter().any(is_video)).then_some(0))?;
    Some((start, until.offset(-RUN_UP_MICROS)))
}

/// Whether one of these, by its number, is needed by who [begins](start_of) there.
pub(in crate::player) fn is_needed(
    (start, sound): (usize, Timestamp),
    number: usize,
    place: &SampleLocation,
) -> bool {
    if place.track == TrackId::Video { number >= start } else { place.pts >= sound }
}

pub(in crate::player) fn codecs(index: &Index) -> (VideoCodec, AudioCodec) {
    let sound = index.tracks.audio.first().map_or(AudioCodec::Aac, |audio| audio.parameters.codec);
    (index.tracks.video.as_ref().map_or(VideoCodec::H264, |video| video.codec), sound)
}

pub(in crate::player) fn body(
    (pictures, sound): (VideoCodec, AudioCodec),
    packet: &EncodedPacket,
) -> (TagKind, Bytes) {
    match packet.track {
        Track::Video => (TagKind::Video, flv_bodies::picture(pictures, packet)),
        Track::Audio | Track::Extra(_) => (TagKind::Audio, flv_bodies::unit(sound, &packet.data)),
    }
}

/// Everything that is in a file, for who plays it.
///
/// # Errors
/// What is wrong with it.
pub(in crate::player) fn indexed(disk: &mut MediaFile) -> Result<Index, Error> {
    match disk.format() {
        Ok(format) => disk.index_to_play(format),
        Err(error) => match audio::index(disk) {
            // What was said of it first.
            Err(Error::UnknownFormat) => Err(error),
            found => found,
        },
    }
}

/// As [`tags`], of what `index` names in `source`; the configurations first where they are wanted.
pub(in crate::player) fn samples(
    source: &mut dyn ReadAt,
    index: &Index,
    configurations: bool,
    take: &mut dyn FnMut(TagKind, u32, Bytes) -> bool,
) -> Result<(), Error> {
    let codecs = codecs(index);
    if configurations && !headers(index, take) {
        return Ok(());
    }
    for place in &index.samples {
        let Some(packet) = sample(source, &index.holes, place)? else { continue };
        // Modulo 2³², as the tags have it.
        let time_ms = packet.dts.as_millis() as u32;
        let (kind, body) = body(codecs, &packet);
        if !take(kind, time_ms, body) {
            break;
        }
    }
    Ok(())
}

/// Reads one sample; `None` for those of sound tracks beyond the first, which are not heard.
///
/// # Errors
/// One that cannot be read, or is larger than any sample.
pub(in crate::player) fn sample(
    source: &mut dyn ReadAt,
    holes: &[Hole],
    place: &SampleLocation,
) -> Result<Option<EncodedPacket>, Error> {
    let track = match place.track {
        TrackId::Video => Track::Video,
        TrackId::Audio(0) => Track::Audio,
        TrackId::Audio(_) => return Ok(None),
    };
    if place.size as usize > MAX_SAMPLE {
        return Err(Error::TooMuch("samples"));
    }
    let data = read_around(source, place, holes, MAX_SAMPLE)?;
    Ok(Some(EncodedPacket {
        track,
        pts: place.pts,
        dts: place.dts,
        keyframe: place.keyframe,
        priority: Priority::Key,
        data: data.into(),
        captured: place.pts,
        rendition: None,
    }))
}

/// Hands out what decoders begin with. False where that was enough.
pub(in crate::player) fn headers(
    index: &Index,
    take: &mut dyn FnMut(TagKind, u32, Bytes) -> bool,
) -> bool {
    let video = index.tracks.video.as_ref().and_then(flv_bodies::video_beginning);
    let audio =
        index.tracks.audio.first().and_then(|audio| flv_bodies::beginning(&audio.parameters));
    video.is_none_or(|body| take(TagKind::Video, 0, body))
        && audio.is_none_or(|body| take(TagKind::Audio, 0, body))
}

/// What decoders of sound begin with.
pub(in crate::player) fn heading(
    parameters: &AudioConfig,
    take: &mut dyn FnMut(TagKind, u32, Bytes) -> bool,
) -> bool {
    flv_bodies::beginning(parameters).is_none_or(|body| take(TagKind::Audio, 0, body))
}

pub(in crate::player) fn unplayable(path: &Path, error: &Error) -> Failure {
    unplayable_at(&path.display(), error)
}

/// The same of what stands elsewhere.
pub(in crate::player) fn unplayable_at(place: &dyn std::fmt::Display, error: &Error) -> Failure {
    let kind = match error {
        Error::Unsupported(_) => FailureKind::Codec,
        _ => FailureKind::File,
    };
    Failure::new(
        kind,
        format!("{place} cannot be played: {error}"),
        "FLV, MP4, MKV and WebM files with H.264 and AAC, MP3, Opus, Vorbis or FLAC can be played, also MP3, FLAC, \
         Ogg, AAC and WAV files, and with HEVC, AV1, VP9, VP8, AC-3 and others by FFmpeg's libraries; what else there is \
         can be converted, for example with ffmpeg.",
    )
}

pub(in crate::player) fn unreadable(path: &Path, why: &str) -> Failure {
    Failure::new(
        FailureKind::File,
        format!("{} cannot be read: {why}", path.display()),
        "Check the file's name, or write a URL such as rtmp://server/live/stream.",
    )
}
