//! Copies the packets of a file into another file of any format, and repairs incomplete files.

mod fit;
mod timing;
mod trim;

use std::ffi::OsStr;
use std::fs::{OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use timing::CopyTimeline;

pub use fit::UnsupportedParts;
pub use trim::Cut;

use crate::base::Timestamp;
use crate::broadcast::recorder::file::{self, File, check_space, copier, free_space_at};
use crate::files::{self, MediaFile, Trouble};
use crate::media::{EncodedPacket, Metadata, StreamEvent};
use crate::problems::ToProblem;
use crate::text::Problem;
use crate::text::problem::{problem, problem_error};
use crate::wire::container::{
    self, Chapter, FilePart, Format, Index, Muxer, Part, ReadAt, UnsupportedContent, flv, mkv, mp4,
    read,
};

/// Maximum packet size in bytes. No frame is larger.
const MAX_PACKET_BYTES: usize = 64 << 20;
/// Maximum packet size in FLV, in bytes. The rest of a tag's body is for the header of the packet.
const MAX_FLV_PACKET_BYTES: usize = flv::MAX_BODY_BYTES - 16;

/// Maximum length in bytes of the part of a hidden name that comes from the final name. A file name
/// has at most 255 bytes, and `.`, a number such as `-9999` and `.part` need the rest.
const MAX_HIDDEN_STEM_BYTES: usize = 255 - 11;
/// Maximum length in bytes of the part of a repaired copy's name that comes from the original name.
/// `-repaired`, a number and the extension need the rest.
const MAX_REPAIRED_STEM_BYTES: usize = 255 - 18;

/// The reason why a file could not be remuxed or repaired.
#[derive(Debug)]
pub enum Failure {
    /// The existing file could not be read.
    Read { path: PathBuf, reason: container::Error },
    /// Writing the output failed.
    Write(file::Error),
    /// The existing file is still being written, for example by a recording.
    BeingWritten(PathBuf),
    /// A file of that name exists, and is never overwritten.
    Exists(PathBuf),
    /// The output format does not support a part, and the user did not allow it to be dropped.
    Lacking { to: PathBuf, lack: UnsupportedParts },
    /// The file has no packets.
    Nothing(PathBuf),
    /// The chosen part of the file has no packets.
    NothingInPart(PathBuf),
    /// A stop was requested.
    Interrupted,
}

impl Failure {
    /// Returns the failure with the name that the file was to get.
    fn of(self, unfinished: &Path, to: &Path) -> Self {
        match self {
            Self::Write(error) => Self::Write(error.renamed(unfinished, to)),
            Self::Lacking { lack, .. } => Self::Lacking { to: to.to_owned(), lack },
            other => other,
        }
    }
}

impl From<file::Error> for Failure {
    fn from(error: file::Error) -> Self {
        Self::Write(error)
    }
}

impl From<&Failure> for Problem {
    fn from(failure: &Failure) -> Self {
        let shown = |path: &Path| path.display().to_string();
        match failure {
            Failure::Read { path, reason } => {
                let why =
                    problem!("remux-unreadable", path = shown(path), reason = reason.to_problem());
                match reason {
                    container::Error::Io(error)
                        if matches!(
                            error.kind(),
                            io::ErrorKind::NotFound | io::ErrorKind::IsADirectory
                        ) =>
                    {
                        why.with_cure(problem!("remux-cure-name"))
                    }
                    container::Error::UnknownFormat => why.with_cure(problem!("remux-cure-format")),
                    // Repair reads the same parts of the file, and would fail as well.
                    container::Error::Damaged(_) => {
                        why.with_cure(problem!("remux-cure-unrepairable"))
                    }
                    _ => why,
                }
            }
            Failure::Write(error) => {
                problem!("remux-write", path = shown(&error.path), reason = error.problem())
            }
            Failure::BeingWritten(path) => problem!("remux-being-written", path = shown(path)),
            Failure::Exists(path) => problem!("remux-exists", path = shown(path)),
            Failure::Lacking { to, lack } => lack.problem(&shown(to)),
            Failure::Nothing(path) => problem!("play-nothing-in", place = shown(path)),
            Failure::NothingInPart(path) => problem!("remux-nothing-in-part", path = shown(path)),
            Failure::Interrupted => problem!("remux-interrupted"),
        }
    }
}

problem_error!(Failure);

/// The result of remuxing or repairing a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The path of the complete file.
    pub path: PathBuf,
    pub how: RepairMethod,
    pub duration: Duration,
    /// The time in the original at which the part begins.
    pub begins: Option<Duration>,
    /// The number of packets in the file.
    pub packets: usize,
    /// The number of bytes at the end of the old file that were not a complete unit.
    pub cut: u64,
    /// The dropped parts.
    pub left_out: Vec<UnsupportedContent>,
}

impl Report {
    /// Describes a whole file with the packets of this index.
    fn of(path: PathBuf, how: RepairMethod, duration: Duration, cut: u64, index: Index) -> Self {
        let packets = index.samples.len();
        let left_out = index.into_unsupported_contents();
        Self { path, how, duration, begins: None, packets, cut, left_out }
    }
}

/// The way in which a file became complete.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum RepairMethod {
    /// The file was already complete.
    Whole,
    /// The file was repaired in place.
    InPlace,
    /// The packets were copied to a new file.
    Copied,
}

fn unreadable(path: &Path) -> impl Fn(container::Error) -> Failure + '_ {
    |reason| Failure::Read { path: path.to_owned(), reason }
}

fn open(path: &Path) -> Result<MediaFile, Failure> {
    let source = MediaFile::open(path).map_err(|error| unreadable(path)(error.into()))?;
    if source.is_being_written() {
        return Err(Failure::BeingWritten(path.to_owned()));
    }
    Ok(source)
}

/// A callback that gets the progress of a copy, from 0 to 1, and returns true to stop. The callback
/// is called often.
pub type Progress<'a> = &'a dyn Fn(f32) -> bool;

/// Copies the packets of `from` into the new file `to`, whose name determines its format. `stop` is
/// called often, and ends the copy by returning true.
///
/// # Errors
/// Fails if the input cannot be read or is still being written, if the output exists, cannot be
/// written or does not support a part, or if the copy was stopped.
pub fn remux(from: &Path, to: &Path, stop: &dyn Fn() -> bool) -> Result<Report, Failure> {
    remux_part(Cut::default(), &[], from, to, &|_| stop())
}

/// Works like [`remux`], but for a part of the file, and without the parts in `drop` that the
/// output does not support. Until the output is complete, it has a hidden name.
///
/// # Errors
/// Fails with the same errors as [`remux`].
pub fn remux_part(
    part: Cut,
    drop: &[Part],
    from: &Path,
    to: &Path,
    progress: Progress<'_>,
) -> Result<Report, Failure> {
    if Format::of_path(to).is_some() && to.symlink_metadata().is_ok() {
        return Err(Failure::Exists(to.to_owned()));
    }
    remux_numbered(part, drop, from, to, progress)
}

/// Works like [`remux_part`], but if the output exists, the copy gets the first free numbered name.
///
/// # Errors
/// Fails with the same errors as [`remux`], except for an output that exists.
pub fn remux_numbered(
    part: Cut,
    drop: &[Part],
    from: &Path,
    to: &Path,
    progress: Progress<'_>,
) -> Result<Report, Failure> {
    let format = Format::of_path(to).ok_or_else(|| file::Error::of(to, Trouble::Format))?;
    let mut source = open(from)?;
    let mut index = source.index().map_err(unreadable(from))?;
    let was_empty = index.samples.is_empty();
    let begins = (part != Cut::default()).then(|| part.apply(&mut index));
    if index.samples.is_empty() && !was_empty {
        return Err(Failure::NothingInPart(from.to_owned()));
    }
    let report = copy(drop, from, &mut source, index, Destination::new(to, format), progress)?;
    Ok(Report { begins, ..report })
}

/// The file that a copy creates.
#[derive(Copy, Clone, Debug)]
struct Destination<'a> {
    to: &'a Path,
    format: Format,
    /// The number of free bytes on its disk, if known.
    free: Option<u64>,
}

impl<'a> Destination<'a> {
    fn new(to: &'a Path, format: Format) -> Self {
        Self { to, format, free: free_space_at(to) }
    }

    /// Checks whether a copy of these packets leaves enough space for a running recording.
    fn check_space(&self, index: &Index) -> Result<(), file::Error> {
        let bytes = index.samples.iter().map(|place| u64::from(place.size)).sum();
        check_space(self.to, bytes, self.free)
    }
}

fn copy(
    drop: &[Part],
    from: &Path,
    source: &mut MediaFile,
    mut index: Index,
    destination: Destination<'_>,
    progress: Progress<'_>,
) -> Result<Report, Failure> {
    let Destination { to, format, .. } = destination;
    if index.samples.is_empty() {
        return Err(Failure::Nothing(from.to_owned()));
    }
    if format == Format::Flv && index.tracks.audio.iter().any(|track| !track.name.is_empty()) {
        index.unsupported_contents.push((None, UnsupportedContent::AudioTrackNames));
    }
    if format == Format::Flv && index.tracks.audio.iter().any(|track| track.language.is_some()) {
        index.unsupported_contents.push((None, UnsupportedContent::AudioTrackLanguages));
    }
    fit::complete(source, &mut index).map_err(unreadable(from))?;
    fit::fit(&mut index, format, drop).map_err(|lack| Failure::Lacking { to: to.into(), lack })?;
    if index.samples.is_empty() {
        return Err(Failure::Nothing(from.to_owned()));
    }
    if fit::loses_pixel_aspect(&index, format) {
        index.unsupported_contents.push((None, UnsupportedContent::PixelAspect));
    }
    if fit::loses_hdr_metadata(&index, format) {
        index.unsupported_contents.push((None, UnsupportedContent::HdrMetadata));
    }
    destination.check_space(&index)?;
    let cut = cut_bytes(source, &index).map_err(unreadable(from))?;
    let course = CopyTimeline::of(&index, format);
    let muxer = copier(format, index.tracks.clone(), &course.timing, index.colors);
    let unfinished = unfinished_name(to);
    files::remove_abandoned(&unfinished);
    let mut file = File::create_by(&unfinished, muxer)
        .map_err(|error| Failure::Write(error.renamed(&unfinished, to)))?;
    let written = pour(from, source, &index, &course, format, &mut file, progress);
    let named = written.and_then(|()| {
        let failed = |error| Failure::Write(file::Error::new(to, &error));
        files::rename_numbered(file.path(), to).map_err(failed)
    });
    let path = named.map_err(|failure| {
        // An incomplete copy of an existing file has no use.
        let _ = std::fs::remove_file(file.path());
        failure.of(file.path(), to)
    })?;
    let duration = course.end.since(Timestamp::ZERO);
    Ok(Report::of(path, RepairMethod::Copied, duration, cut, index))
}

/// Returns the number of bytes at the end of a file that are not a complete unit. A complete MP4
/// or MKV file has none: its index is also behind the last packet.
fn cut_bytes(source: &mut MediaFile, index: &Index) -> Result<u64, container::Error> {
    let is_whole = index.finished && source.format()? != Format::Flv;
    Ok(if is_whole { 0 } else { source.size().saturating_sub(index.whole) })
}

/// Returns the name of a copy while it is being written.
fn unfinished_name(to: &Path) -> PathBuf {
    let name = shortened(to.file_name(), MAX_HIDDEN_STEM_BYTES);
    to.with_file_name(format!(".{name}.part"))
}

/// Returns the name of the repaired copy of a file.
fn repaired_name(path: &Path, format: Format) -> PathBuf {
    let stem = shortened(path.file_stem(), MAX_REPAIRED_STEM_BYTES);
    path.with_file_name(format!("{stem}-repaired.{format}"))
}

/// Returns a name without the end that exceeds this number of bytes.
fn shortened(name: Option<&OsStr>, most: usize) -> String {
    let mut name = name.unwrap_or_default().to_string_lossy().into_owned();
    name.truncate(name.floor_char_boundary(most));
    name
}

fn pour(
    from: &Path,
    source: &mut MediaFile,
    index: &Index,
    course: &CopyTimeline,
    format: Format,
    file: &mut File,
    progress: Progress<'_>,
) -> Result<(), Failure> {
    let moved = |chapter: &Chapter| {
        let at = chapter.at.offset(course.shift).max(Timestamp::ZERO);
        StreamEvent::Metadata(Metadata::Chapter(Chapter { at, ..chapter.clone() }))
    };
    let mut chapters = index.chapters.iter().peekable();
    let all = index.samples.len().max(1) as f32;
    for (number, place) in index.samples.iter().enumerate() {
        while let Some(chapter) = chapters.next_if(|chapter| chapter.at <= place.dts) {
            file.write(&moved(chapter))?;
        }
        let size = u64::from(place.size);
        let data = read(source, place.at, size, MAX_PACKET_BYTES, FilePart::Samples)
            .map_err(unreadable(from))?;
        let data = index.converted(place.track, data);
        if format == Format::Flv && data.len() > MAX_FLV_PACKET_BYTES {
            let lack = UnsupportedParts::packet(place.track, data.len());
            return Err(Failure::Lacking { to: file.path().to_owned(), lack });
        }
        let (dts, pts) = course.place(place);
        let track = place.track.track();
        let packet = EncodedPacket::received(track, (dts, pts), place.keyframe, data);
        file.write(&StreamEvent::Packet(packet))?;
        if progress(number as f32 / all) {
            return Err(Failure::Interrupted);
        }
    }
    chapters.try_for_each(|chapter| file.write(&moved(chapter)))?;
    file.finish(course.end.since(Timestamp::ZERO))?;
    Ok(())
}

/// Completes an interrupted file. A file that onair recorded is completed in place; any other file
/// is copied to `NAME-repaired` next to it. A complete file stays unchanged. Only a copy calls `progress`.
///
/// # Errors
/// Fails if the file cannot be read, is empty, is still being written, or cannot be written.
pub fn repair(path: &Path, progress: Progress<'_>) -> Result<Report, Failure> {
    let mut source = open(path)?;
    let format = source.format().map_err(unreadable(path))?;
    let (mut index, muxer) = survey(&mut source, format).map_err(unreadable(path))?;
    let cut = cut_bytes(&mut source, &index).map_err(unreadable(path))?;
    if index.finished && cut == 0 {
        let duration = index.end().since(Timestamp::ZERO);
        return Ok(Report::of(path.to_owned(), RepairMethod::Whole, duration, cut, index));
    }
    let Some(muxer) = muxer else {
        let to = repaired_name(path, format);
        let destination = Destination::new(&to, format);
        // Everything that can be recovered is copied.
        return copy(&Part::ALL, path, &mut source, index, destination, progress);
    };
    index.cut();
    if index.samples.is_empty() {
        return Err(Failure::Nothing(path.to_owned()));
    }
    let end = index.end().since(Timestamp::ZERO);
    let fault = |error: io::Error| Failure::Write(file::Error::new(path, &error));
    let file = OpenOptions::new().write(true).open(path).map_err(fault)?;
    // Another program may have begun to repair the file.
    if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
        return Err(Failure::BeingWritten(path.to_owned()));
    }
    file.set_len(index.whole).map_err(fault)?;
    File::resume(file, path, muxer(&index), index.whole).finish(end)?;
    Ok(Report::of(path.to_owned(), RepairMethod::InPlace, end, cut, index))
}

/// Creates the muxer that completes a file. The argument is the index of the file's intact part.
type Finisher = Box<dyn FnOnce(&Index) -> Box<dyn Muxer>>;

/// Reads the contents of a file, and creates the muxer that can complete it, if onair recorded it.
fn survey(
    source: &mut MediaFile,
    format: Format,
) -> Result<(Index, Option<Finisher>), container::Error> {
    Ok(match format {
        Format::Flv => {
            let index = flv::index(source)?;
            let ours = flv::Recording::has_room(source, &index.tracks)?;
            let finisher: Finisher = Box::new(|index| {
                Box::new(flv::Recording::resume(index.tracks.clone(), &index.samples))
            });
            (index, ours.then_some(finisher))
        }
        Format::Mp4 => {
            let mp4::FileIndex { index, room, .. } = mp4::survey(source)?;
            let finisher = room.map(|room| -> Finisher {
                Box::new(move |index| {
                    let chapters = index.chapters.clone();
                    let tracks = index.tracks.clone();
                    Box::new(mp4::Writer::resume(tracks, &index.samples, chapters, room))
                })
            });
            (index, finisher)
        }
        Format::Mkv => {
            let mkv::index::FileIndex { index, layout, cues } = mkv::index::survey(source)?;
            let finisher = layout.map(|layout| -> Finisher {
                Box::new(move |index| {
                    let chapters = index.chapters.clone();
                    let whole = index.whole - layout.segment;
                    let cues = cues.into_iter().filter(|cue| cue.cluster < whole).collect();
                    Box::new(mkv::Writer::resume(index.tracks.clone(), layout, cues, chapters))
                })
            });
            (index, finisher)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::of_rendition;
    use crate::files::disk_space::with_recording_reserve;
    use crate::media::{RenditionId, StreamConfig};
    use crate::wire::container::{SampleLocation, TrackId, Tracks};

    /// Returns the index of a file with a frame of 250 bytes at each of these times in milliseconds.
    fn index<const N: usize>(millis: [i64; N]) -> Index {
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let tracks = Tracks::from(StreamConfig { video: Some(video), audio: None });
        let frame = |(number, millis): (u64, i64)| {
            let at = Timestamp::from_millis(millis);
            let (track, keyframe) = (TrackId::Video, number == 0);
            SampleLocation { track, keyframe, dts: at, pts: at, at: 250 * number, size: 250 }
        };
        let samples = (0..).zip(millis).map(frame).collect();
        Index { tracks, samples, ..Index::default() }
    }

    #[test]
    fn a_copy_leaves_space_for_the_recording() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("x.mp4"), folder.path().join("y.mp4"));
        std::fs::write(&from, [7; 1_000]).unwrap();
        let copied = |free| {
            let index = index([0, 40, 80, 120]);
            let destination = Destination { to: &to, format: Format::Mp4, free };
            copy(&[], &from, &mut open(&from).unwrap(), index, destination, &|_| false)
        };
        let needed = with_recording_reserve(1_000);
        let full = copied(Some(needed - 1));
        assert!(
            matches!(&full, Err(Failure::Write(error)) if error.kind == Trouble::Full),
            "{full:?}"
        );
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        for free in [Some(needed), None] {
            assert_eq!(copied(free).unwrap().packets, 4);
        }
    }

    #[test]
    fn a_copy_replaces_an_interrupted_one_and_leaves_a_running_one() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("x.mp4"), folder.path().join("y.mp4"));
        std::fs::write(&from, [7; 1_000]).unwrap();
        let left = unfinished_name(&to);
        std::fs::write(&left, "interrupted").unwrap();
        let copied = || {
            let destination = Destination { to: &to, format: Format::Mp4, free: None };
            let index = index([0, 40, 80, 120]);
            copy(&[], &from, &mut open(&from).unwrap(), index, destination, &|_| false).unwrap();
        };
        let running = OpenOptions::new().write(true).open(&left).unwrap();
        running.set_modified(std::time::UNIX_EPOCH).unwrap();
        running.lock().unwrap();
        copied();
        assert!(left.exists());
        drop(running);
        copied();
        assert!(!left.exists());
        let names = ["x.mp4", "y.mp4", "y-1.mp4"];
        assert!(names.iter().all(|name| folder.path().join(name).exists()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), names.len());
    }

    #[test]
    fn a_copy_can_have_the_longest_name() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("x.mp4");
        std::fs::write(&from, [7; 1_000]).unwrap();
        let copied = |to: &Path| {
            let destination = Destination { to, format: Format::Mp4, free: None };
            let index = index([0, 40, 80, 120]);
            copy(&[], &from, &mut open(&from).unwrap(), index, destination, &|_| false)
        };
        // The last name has 255 bytes, and is cut within a character.
        for stem in ["y".repeat(251), format!("yy{}", "画".repeat(83))] {
            let to = folder.path().join(format!("{stem}.mp4"));
            assert_eq!(copied(&to).unwrap().path, to);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        // No file can be created here.
        let to = Path::new("/proc/y.mp4");
        let failed = copied(to);
        assert!(matches!(&failed, Err(Failure::Write(error)) if error.path == to), "{failed:?}");
    }

    #[test]
    fn a_repaired_copy_of_the_longest_name_has_room_for_a_number() {
        for (stem, kept) in [("y".repeat(251), 237), (format!("yy{}", "画".repeat(83)), 236)] {
            let name = repaired_name(Path::new(&format!("/v/{stem}.mp4")), Format::Mp4);
            assert_eq!(name, Path::new(&format!("/v/{}-repaired.mp4", &stem[..kept])));
        }
    }

    #[test]
    fn frames_before_a_delayed_start_stay_hidden() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("x.mp4"), folder.path().join("y.mp4"));
        std::fs::write(&from, [7; 1_250]).unwrap();
        // An empty edit of half a second, and then the media from its fourth frame on.
        let times = [-1_000, -500, 0, 500, 1_000];
        let mut index = index(times);
        index.hide_before(Timestamp::from_millis(500));
        let shown_from = index.shown_from;
        let destination = Destination { to: &to, format: Format::Mp4, free: None };
        copy(&[], &from, &mut open(&from).unwrap(), index, destination, &|_| false).unwrap();
        let copied = mp4::index(&mut &std::fs::read(&to).unwrap()[..]).unwrap();
        let found: Vec<_> = copied.samples.iter().map(|it| it.pts.as_millis()).collect();
        assert_eq!(found, times);
        assert!(shown_from.is_some() && copied.shown_from == shown_from, "{copied:?}");
    }
}
