//! MP4, MKV and audio files as sources: their configs and samples as stream events. The first audio
//! track plays.

use std::fs::File;
use std::path::Path;

use crate::base::Timestamp;
use crate::files::MediaFile;
use crate::files::samples::{audio_config, configs, indexed, sample};
use crate::media::{EncodedPacket, StreamEvent};
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::{Error, Format, Index, ReadAt, SampleLocation, TrackId, audio};
use onair_media::decode::inventory;

/// The format of a file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Container(Format),
    Audio(audio::Kind),
}

impl FileFormat {
    /// Returns the file name extension of the format.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Container(format) => format.extension(),
            Self::Audio(kind) => kind.extension(),
        }
    }
}

/// Detects the format by the first bytes. An unknown format becomes FLV, whose reader then reports
/// the problem.
///
/// # Errors
/// Fails if the file cannot be read.
pub(crate) fn file_format(file: &File, path: &Path) -> Result<FileFormat, Failure> {
    let Ok(copy) = file.try_clone() else { return Ok(FileFormat::Container(Format::Flv)) };
    let source = MediaFile::of(copy).map_err(|error| unreadable(path, &error));
    Ok(format_of(&mut source?).unwrap_or(FileFormat::Container(Format::Flv)))
}

fn format_of(disk: &mut MediaFile) -> Result<FileFormat, Error> {
    match disk.format() {
        Ok(format) => Ok(FileFormat::Container(format)),
        Err(error) => {
            let kind = audio::kind(disk)?;
            kind.map(|(kind, _)| FileFormat::Audio(kind)).ok_or(error)
        }
    }
}

/// Passes on the configurations, and then the samples of a file in DTS order, until `take` returns
/// false.
///
/// # Errors
/// Returns the problem of the file.
pub(crate) fn events(
    file: File,
    path: &Path,
    take: &mut dyn FnMut(StreamEvent) -> bool,
) -> Result<(), Failure> {
    let source = MediaFile::of(file).map_err(|error| unreadable(path, &error));
    let mut disk = source?;
    let index = indexed(&mut disk).map_err(|error| unplayable(path, &error))?;
    if !configs(&index).all(&mut *take) {
        return Ok(());
    }
    packets(&mut disk, &index, &mut |packet| take(StreamEvent::Packet(packet)))
        .map_err(|error| unplayable(path, &error))
}

/// Pre-roll that audio decoders need before the first audible audio, in µs.
pub(crate) const PRE_ROLL_MICROS: i64 = 100_000;

/// One event of a media file.
pub(crate) enum FileSample {
    Event(StreamEvent),
    /// Boundary in microseconds: audio from before the seam plays at most up to it, and audio from
    /// after the seam plays from it on.
    Seam(i64),
    /// Frames after this event are hidden if they are before this time in microseconds.
    Hide(i64),
}

/// A file with known samples.
pub(crate) struct SampleFile {
    disk: MediaFile,
    pub(crate) index: Index,
    pub(crate) span: Span,
}

impl SampleFile {
    /// Opens a file. Returns `None` if its tracks are empty.
    ///
    /// # Errors
    /// Returns the problem of the file.
    pub(crate) fn open(file: File, path: &Path) -> Result<Option<Self>, Failure> {
        let source = MediaFile::of(file).map_err(|error| unreadable(path, &error));
        let mut disk = source?;
        let index = indexed(&mut disk).map_err(|error| unplayable(path, &error))?;
        Ok(whole_span(&index).map(|span| Self { disk, index, span }))
    }

    /// Returns true if there are decoders for the tracks that are played.
    pub(crate) fn is_playable(&self) -> bool {
        let tracks = &self.index.tracks;
        let (video, audio) = (tracks.video.as_ref(), tracks.audio.first());
        let video_playable = video.is_none_or(|it| inventory::video_decoder(it.codec).is_ok());
        let audio_playable =
            audio.is_none_or(|it| inventory::audio_decoder(it.config.codec).is_ok());
        video_playable && audio_playable
    }

    pub(crate) fn has_video(&self) -> bool {
        self.index.tracks.video.is_some()
    }

    /// Skips samples that are not needed to present the position `place` in the file's own time.
    pub(crate) fn begin_at(&mut self, place: i64) {
        let until = Timestamp::from_micros(place);
        let audio = until.offset(-PRE_ROLL_MICROS);
        let start = start_of(&self.index.samples, until).unwrap_or((0, audio));
        let mut number = 0;
        self.index.samples.retain(|place| {
            number += 1;
            is_needed(start, number - 1, place)
        });
    }

    /// Passes on the configs and then the samples in DTS order, `shift` microseconds later than the
    /// file's own time, until `take` returns false. In a list of files, a seam and a new config
    /// precede the next file.
    ///
    /// # Errors
    /// Returns the problem of the file.
    pub(crate) fn play(
        mut self,
        path: &Path,
        shift: i64,
        take: &mut dyn FnMut(FileSample) -> bool,
    ) -> Result<(), Failure> {
        let index = &self.index;
        let mut links = index.links.as_slice();
        // The file may begin in the middle of a stream.
        let first = index.samples.first().map_or(0, |place| place.at);
        let passed = links.partition_point(|link| link.at <= first);
        let (before, rest) = links.split_at_checked(passed).unwrap_or_default();
        links = rest;
        let begun = match before.last() {
            None => configs(index).all(|config| take(FileSample::Event(config))),
            Some(link) => take(FileSample::Event(audio_config(&link.config))),
        };
        let hides = index.shown_from.map(|from| from.as_micros().saturating_add(shift));
        if !begun || hides.is_some_and(|at| !take(FileSample::Hide(at))) {
            return Ok(());
        }
        for place in &index.samples {
            if let Some((link, rest)) = links.split_first().filter(|(link, _)| place.at >= link.at)
            {
                links = rest;
                let at = link.audible_from.as_micros().saturating_add(shift);
                let config = FileSample::Event(audio_config(&link.config));
                if !take(FileSample::Seam(at)) || !take(config) {
                    break;
                }
            }
            let packet =
                sample(&mut self.disk, index, place).map_err(|error| unplayable(path, &error))?;
            let Some(mut packet) = packet else { continue };
            (packet.dts, packet.pts) = (packet.dts.offset(shift), packet.pts.offset(shift));
            if !take(FileSample::Event(StreamEvent::Packet(packet))) {
                break;
            }
        }
        Ok(())
    }
}

/// Returns the presented part of a file with this complete index.
pub(crate) fn whole_span(index: &Index) -> Option<Span> {
    match index.audible_span {
        Some((begins, ends)) => Some(Span { begins: begins.as_micros(), ends: ends.as_micros() }),
        None => span(&index.samples, index.shown_from),
    }
}

/// Returns the presented part of these samples, whose frames are shown from this time on.
pub(crate) fn span(places: &[SampleLocation], shown_from: Option<Timestamp>) -> Option<Span> {
    let (mut video, mut audio) = (FileTimeline::default(), FileTimeline::default());
    for place in places {
        match place.track {
            TrackId::Video if shown_from.is_some_and(|from| place.pts < from) => {}
            TrackId::Video => video.add(place.pts.as_micros()),
            TrackId::Audio(0) => audio.add(place.pts.as_micros()),
            TrackId::Audio(_) => {}
        }
    }
    Span::of(&video, &audio)
}

/// Returns where reading must begin to present `until`: the index of the keyframe in DTS order, and
/// the time of the first audio. Returns `None` for video without a keyframe up to `until`.
pub(crate) fn start_of(places: &[SampleLocation], until: Timestamp) -> Option<(usize, Timestamp)> {
    let is_video = |place: &SampleLocation| place.track == TrackId::Video;
    let starts = |place: &SampleLocation| is_video(place) && place.keyframe && place.pts <= until;
    let start = places.iter().rposition(starts);
    let start = start.or_else(|| (!places.iter().any(is_video)).then_some(0))?;
    Some((start, until.offset(-PRE_ROLL_MICROS)))
}

/// Returns true if the sample with this index is needed after this [start](start_of).
pub(crate) fn is_needed(
    (start, audio): (usize, Timestamp),
    number: usize,
    place: &SampleLocation,
) -> bool {
    if place.track == TrackId::Video { number >= start } else { place.pts >= audio }
}

/// Passes on the samples in `index` from `source`, in order, until `take` returns false.
pub(crate) fn packets(
    source: &mut dyn ReadAt,
    index: &Index,
    take: &mut dyn FnMut(EncodedPacket) -> bool,
) -> Result<(), Error> {
    for place in &index.samples {
        let Some(packet) = sample(source, index, place)? else { continue };
        if !take(packet) {
            break;
        }
    }
    Ok(())
}

pub(crate) fn unplayable(path: &Path, error: &Error) -> Failure {
    let Failure { kind, problem, .. } = unplayable_at(&path.display(), error);
    match error {
        Error::Damaged(_) if error.is_repairable() => {
            Failure::new(kind, problem.with_cure(problem!("remux-cure-damaged")))
        }
        Error::Damaged(_) => {
            Failure::new(kind, problem.with_cure(problem!("remux-cure-unrepairable")))
        }
        _ => Failure::new(kind, problem),
    }
}

/// Returns the failure for a file that is not on the disk.
pub(crate) fn unplayable_at(place: &dyn std::fmt::Display, error: &Error) -> Failure {
    let kind = match error {
        Error::Unsupported(_) => FailureKind::Codec,
        _ => FailureKind::File,
    };
    let place = place.to_string();
    Failure::new(kind, problem!("play-unplayable", place = place, reason = error.to_problem()))
}

pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    cannot_read(path, error.into())
}

pub(crate) fn cannot_read(path: &Path, reason: Problem) -> Failure {
    let path = path.display().to_string();
    Failure::new(FailureKind::File, problem!("play-unreadable", path = path, reason = reason))
}

/// Opens a file. Only regular files are allowed: a pipe or a device could block forever.
pub(crate) fn open(path: &Path) -> Result<File, Failure> {
    let metadata = path.metadata().map_err(|error| unreadable(path, &error))?;
    if !metadata.is_file() {
        return Err(cannot_read(path, problem!("io-not-a-file")));
    }
    File::open(path).map_err(|error| unreadable(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Language;
    use crate::wire::container::FilePart;

    #[test]
    fn a_file_is_to_be_repaired_only_where_repair_can_read_it() {
        let cure = |error: &Error| {
            let failure = unplayable(Path::new("/films/torn.mp4"), error);
            Language::English.cure(&failure.problem).unwrap_or_default()
        };
        assert!(cure(&Error::Damaged(FilePart::Samples)).contains("onair repair"));
        for part in [FilePart::Header, FilePart::UnwrittenIndex, FilePart::CodecConfig] {
            let cure = cure(&Error::Damaged(part));
            assert!(cure.contains("another copy") && !cure.contains("onair repair"), "{cure}");
        }
        assert!(cure(&Error::UnknownFormat).contains("Convert"));
    }
}
