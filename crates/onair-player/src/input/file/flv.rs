//! Reader of FLV files, which have no index and whose times are whole milliseconds. The reader runs
//! on the feed thread.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::base::Stop;
use crate::files::flv_tags::{Error, FlvTags};
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::demux::file_samples::{open, unreadable};
use crate::player::demux::{can_play_audio, can_play_video};
use crate::player::input::feed::InputFeed;
use crate::player::input::file::flv_index::{FlvIndex, SeekStart};
use crate::player::input::file::loop_position::{LoopPass, goes_on, micros};
use crate::player::input::http::byte_seek;
use crate::player::session::gapless::NextFile;
use crate::player::state::{Failure, FailureKind};
use crate::problems::ToProblem;
use crate::text::problem::problem;
use crate::wire::container::flv::events::audio_codec;
use crate::wire::container::flv::{
    self, Error as FlvError, ReadTag, Reader, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, TagContent,
    TagKind,
};

/// Maximum valid difference between the DTS and PTS of a frame, in microseconds.
pub(crate) const MAX_COMPOSITION_MICROS: i64 = 10_000_000;

/// The reader of FLV files, and the index of the last file with a seek.
pub(super) struct FlvInput {
    reader: Reader,
    index: Option<(FileVersion, FlvIndex)>,
}

impl FlvInput {
    pub(super) fn new() -> Self {
        Self { reader: Reader::new(can_play_video), index: None }
    }

    /// Starts another file, which earlier configs do not describe.
    pub(super) fn restart(&mut self) {
        self.reader.restart();
    }
}

/// A file with its content at one time.
#[derive(PartialEq, Eq)]
struct FileVersion {
    path: PathBuf,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl FileVersion {
    fn of(path: &Path) -> Result<Self, Failure> {
        let metadata = path.metadata().map_err(|error| unreadable(path, &error))?;
        let (bytes, modified) = (metadata.len(), metadata.modified().ok());
        Ok(Self { path: path.to_owned(), bytes, modified })
    }
}

/// Reads the file like [`crate::player::input::file::read`].
pub(super) fn read(
    feed: &mut InputFeed,
    input: &mut FlvInput,
    path: &Path,
    from: Option<Duration>,
    round: &mut LoopPass,
    sequel: Option<&NextFile>,
) -> Result<bool, Failure> {
    let FlvInput { reader, index } = input;
    // The start of the file in its own time.
    let begins = beginning(path, &feed.shared.lifetime.stop);
    let start = if let Some(from) = from {
        // A newer seek does not wait for the index.
        let Some(index) = index_of(index, path, &|| goes_on(feed))? else { return Ok(false) };
        feed.shared.timeline.set_duration(index.length());
        // Only the last part of the file plays in this pass, so the index provides the length.
        round.length = Some(micros(index.length())).filter(|length| *length > 0);
        index.start(begins.saturating_add(micros(from)))
    } else {
        // The file is not read completely just for its length. Playing the whole file corrects the
        // length.
        let length = length(&mut open(path)?, millis(begins));
        if let Some(length) = length.filter(|_| !round.again) {
            feed.shared.timeline.set_duration(length);
        }
        SeekStart::default()
    };
    round.begin(feed, from, false);
    feed.expect_metadata();
    let shift = round.shift(begins);
    reader.rewind();
    for (_, header) in start.headers {
        let now = feed.shared.clock.now();
        feed.take_tag(reader.read(header.clone()).later(shift), now);
    }
    if start.read_from > 0 {
        reader.resume(start.read_from, start.dts);
    }
    let walked = walk(path, reader, start.read_from, &mut |read, at| {
        let header = read.content.is_header();
        let is_video = read.tag.kind == TagKind::Video;
        let from = if is_video { start.video_from } else { start.audio_from };
        if at >= from || header {
            if !header {
                round.note(read.tag.kind, read.tag.time_ms, shown(&read));
            }
            let now = feed.shared.clock.now();
            feed.take_tag(read.later(shift), now);
        }
        goes_on(feed)
    });
    if start.audio_from == 0
        && goes_on(feed)
        && let Some(span) = round.measured()
    {
        // While this file is only read ahead, the length of the current file stays.
        if !sequel.is_some_and(|sequel| sequel.measure(path, span.length())) {
            feed.shared.timeline.set_duration(span.length());
        }
    }
    walked.map(|()| true)
}

/// The data of the next file that is known before the file is read.
pub(super) struct NextHead {
    /// The length according to the file's last tag, corrected after reading.
    pub(super) length: Duration,
    pub(super) has_video: bool,
}

impl NextHead {
    /// Reads the head of a file. Returns `None` if it is empty or cannot be decoded.
    pub(super) fn of(path: &Path, stop: &Stop) -> Result<Option<Self>, Failure> {
        let (mut has_video, mut has_audio, mut decoded, mut number) = (false, false, true, 0);
        look(path, &mut |read| {
            match read.tag.kind {
                TagKind::Video => {
                    has_video = true;
                    decoded &= flv::parse_video(&read.tag.body).is_ok_and(|tag| {
                        read.content == TagContent::Command
                            || tag.track.format.codec().is_some_and(can_play_video)
                    });
                }
                TagKind::Audio => {
                    has_audio = true;
                    decoded &= flv::parse_audio(&read.tag.body).is_ok_and(|tag| {
                        audio_codec(tag.track.format, tag.legacy).is_some_and(can_play_audio)
                    });
                }
                TagKind::Script => {}
            }
            number += 1;
            decoded && !(has_video && has_audio) && number < MAX_FIRST_TAGS && !stop.is_set()
        })?;
        if !decoded || !(has_video || has_audio) {
            return Ok(None);
        }
        let length = match length(&mut open(path)?, millis(beginning(path, stop))) {
            Some(length) => length,
            // The end of the file is unreadable.
            None => {
                let index = survey(path, &|| !stop.is_set())?;
                index.map_or(Duration::ZERO, |index| index.length())
            }
        };
        Ok(Some(Self { length, has_video }))
    }
}

/// Returns the presentation time of a tag in microseconds.
fn shown(read: &ReadTag) -> i64 {
    let composition =
        read.pts.micros_since(read.dts).clamp(-MAX_COMPOSITION_MICROS, MAX_COMPOSITION_MICROS);
    read.dts.as_micros() + composition
}

/// Returns the start of a file in its own time, from its first tags.
fn beginning(path: &Path, stop: &Stop) -> i64 {
    let (mut video, mut audio, mut number) = (FileTimeline::default(), FileTimeline::default(), 0);
    // Damage is reported during playback.
    let _ = look(path, &mut |read| {
        let mut found = false;
        if !read.content.is_header() {
            if read.tag.kind == TagKind::Video {
                video.add(shown(&read));
                found = true;
            } else {
                audio.add(shown(&read));
            }
        }
        number += 1;
        !found && number < MAX_FIRST_TAGS && !stop.is_set()
    });
    Span::of(&video, &audio).map_or(0, |span| span.begins)
}

/// Maximum number of tags that are checked for the first frame.
const MAX_FIRST_TAGS: u32 = 200;

/// Reads the tags of an FLV file from byte `from` on, until `take` returns false. `take` also gets
/// the byte at which each tag begins.
fn walk(
    path: &Path,
    reader: &mut Reader,
    from: u64,
    take: &mut dyn FnMut(ReadTag, u64) -> bool,
) -> Result<(), Failure> {
    let mut file = open(path)?;
    file.seek(SeekFrom::Start(from)).map_err(|error| unreadable(path, &error))?;
    let mut tags = FlvTags::new(file);
    loop {
        let at = from.saturating_add(reader.next_tag_at(tags.bytes()));
        let read = tags.next(reader).map_err(|error| failure(path, &error))?;
        let Some(read) = read else { return Ok(()) };
        if !take(read, at) {
            return Ok(());
        }
    }
}

/// Reads the tags of a file from its beginning without playing them, until `take` returns false.
fn look(path: &Path, take: &mut dyn FnMut(ReadTag) -> bool) -> Result<(), Failure> {
    walk(path, &mut Reader::new(|_| true), 0, &mut |read, _| take(read))
}

/// Returns the failure for a problem of the file.
pub(crate) fn failure(path: &Path, error: &Error) -> Failure {
    match error {
        Error::Io(error) => unreadable(path, error),
        Error::Flv(error) => no_flv(path, error),
    }
}

/// Returns a time of the file in wrapping milliseconds.
const fn millis(micros: i64) -> u32 {
    micros.div_euclid(1_000) as u32
}

/// Returns the distance of a file's last tag from `begins_ms`, if it is plausible.
pub(crate) fn length(input: &mut File, begins_ms: u32) -> Option<Duration> {
    // A file that was cut off, or that still grows, ends within a tag.
    let last = last_tag(input).or_else(|| last_packet(input))?;
    let length = byte_seek::length(begins_ms, last)?;
    Some(Duration::from_millis(length.unsigned_abs()))
}

/// Returns the time of the last tag, if the file ends with complete video or audio. The size field
/// after the tag locates the tag.
fn last_tag(input: &mut File) -> Option<u32> {
    let mut size = [0; TAG_TRAILER_BYTES];
    input.seek(SeekFrom::End(-(TAG_TRAILER_BYTES as i64))).ok()?;
    input.read_exact(&mut size).ok()?;
    let size = u32::from_be_bytes(size);
    input.seek(SeekFrom::End(-i64::from(size) - TAG_TRAILER_BYTES as i64)).ok()?;
    let mut header = [0; TAG_HEADER_BYTES];
    input.read_exact(&mut header).ok()?;
    let [kind, s2, s1, s0, t2, t1, t0, t3, ..] = header;
    let is_media = matches!(TagKind::from_id(kind), Some(TagKind::Video | TagKind::Audio));
    let fits = u32::from_be_bytes([0, s2, s1, s0]) + TAG_HEADER_BYTES as u32 == size;
    (is_media && fits).then(|| u32::from_be_bytes([t3, t2, t1, t0]))
}

/// Returns the time of the last packet that begins in the last bytes of a file.
fn last_packet(input: &mut File) -> Option<u32> {
    let whole = input.seek(SeekFrom::End(0)).ok()?;
    let from = whole.saturating_sub(byte_seek::MAX_PACKET_SEARCH_BYTES);
    input.seek(SeekFrom::Start(from)).ok()?;
    let mut end = Vec::new();
    input.take(byte_seek::MAX_PACKET_SEARCH_BYTES).read_to_end(&mut end).ok()?;
    byte_seek::last_of_flv(&end.into())
}

/// Returns the index of a file. The file is read unless it is unchanged since the last call.
/// Returns `None` if `goes_on` returns false before the end.
fn index_of<'a>(
    known: &'a mut Option<(FileVersion, FlvIndex)>,
    path: &Path,
    goes_on: &dyn Fn() -> bool,
) -> Result<Option<&'a FlvIndex>, Failure> {
    let version = FileVersion::of(path)?;
    if known.as_ref().is_none_or(|(of, _)| *of != version) {
        *known = survey(path, goes_on)?.map(|index| (version, index));
    }
    Ok(known.as_ref().map(|(_, index)| index))
}

/// Reads a whole file for its index. Returns `None` if `goes_on` returns false before the end.
fn survey(path: &Path, goes_on: &dyn Fn() -> bool) -> Result<Option<FlvIndex>, Failure> {
    let (mut index, mut is_empty, mut whole) = (FlvIndex::default(), true, true);
    let walked = walk(path, &mut Reader::new(|_| true), 0, &mut |read, at| {
        index.note(&read, shown(&read), at);
        is_empty = false;
        whole = goes_on();
        whole
    });
    // Damage is found again during playback, and reported then.
    if is_empty {
        walked?;
    }
    Ok(whole.then_some(index))
}

fn no_flv(path: &Path, error: &FlvError) -> Failure {
    let path = path.display().to_string();
    let problem = problem!("play-not-flv", path = path, reason = error.to_problem());
    Failure::new(FailureKind::File, problem)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use bytes::BytesMut;

    use super::*;
    use crate::base::Clock;
    use crate::player::session::config::{Config, Source};
    use crate::player::session::shared::Shared;

    /// Creates a file with two seconds of video from `begins` milliseconds on.
    fn film(begins: u32) -> BytesMut {
        let mut film = BytesMut::from(&flv::file_header(false, true)[..]);
        for number in 0..50 {
            let mut body = vec![if number == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0];
            body.resize(40, 9);
            flv::write_tag(TagKind::Video, begins.wrapping_add(number * 40), &body, &mut film);
        }
        film
    }

    /// Returns the length in milliseconds.
    fn length_of(film: &[u8]) -> Option<u128> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.flv");
        std::fs::write(&path, film).unwrap();
        let begins = beginning(&path, &Stop::new());
        length(&mut open(&path).unwrap(), millis(begins)).map(|length| length.as_millis())
    }

    #[test]
    fn a_file_has_a_length_whatever_its_first_time_is() {
        const TWELVE_DAYS_MS: u32 = 12 * 24 * 3_600 * 1_000;
        for begins in [0, 3_600_000, TWELVE_DAYS_MS, u32::MAX - 999] {
            assert_eq!(length_of(&film(begins)), Some(1_960), "{begins}");
        }
    }

    #[test]
    fn a_file_has_a_length_however_it_ends() {
        let film = film(0);
        let tag = TAG_HEADER_BYTES + 40 + TAG_TRAILER_BYTES;
        let cut = |bytes| length_of(&film[..film.len() - bytes]);
        // In the size field, in the body and in the header of the last tag.
        assert_eq!((cut(2), cut(20), cut(tag - 5)), (Some(1_960), Some(1_960), Some(1_920)));
        // A size field that leads to data that is no tag, and script data without a time.
        let size = [&film[..], &[0; 20], &[0, 0, 0, 20]].concat();
        assert_eq!(length_of(&size), Some(1_960));
        let mut script = film.clone();
        flv::write_tag(TagKind::Script, 0, b"\x02\0\x01a", &mut script);
        assert_eq!(length_of(&script), Some(1_960));
        assert_eq!(length_of(&[&film[..], &vec![0xFF; 3 << 20]].concat()), None);
    }

    /// Number of tags of [`seekable`].
    const SEEKABLE_TAGS: u32 = 1_001;

    /// Creates a file with a config, and 20 s of video with a keyframe every second, and of audio.
    fn seekable(begins: u32) -> BytesMut {
        let mut film = BytesMut::from(&flv::file_header(true, true)[..]);
        flv::write_tag(TagKind::Video, 0, b"\x17\0\0\0\0\x01d", &mut film);
        for number in 0..500 {
            let time_ms = begins.wrapping_add(number * 40);
            flv::write_tag(TagKind::Audio, time_ms, b"\xAF\x01\x09\x09", &mut film);
            let kind = if number % 25 == 0 { 0x17 } else { 0x27 };
            flv::write_tag(TagKind::Video, time_ms, &[kind, 1, 0, 0, 0, 9, 9], &mut film);
        }
        film
    }

    #[test]
    fn only_the_first_seek_reads_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.flv");
        for first_ms in [0, 3_600_000, u32::MAX - 4_999] {
            let mut film = seekable(first_ms);
            std::fs::write(&path, &film).unwrap();
            let begins = beginning(&path, &Stop::new());
            let (mut known, tags) = (None, Cell::new(0));
            let goes_on = || {
                tags.set(tags.get() + 1);
                true
            };
            for (to_ms, key_ms) in [(15_500, 15_000), (3_020, 3_000), (1_000, 1_000)] {
                let index = index_of(&mut known, &path, &goes_on).unwrap().unwrap();
                assert_eq!((tags.get(), index.length().as_millis()), (SEEKABLE_TAGS, 20_000));
                let start = index.start(begins + to_ms * 1_000);
                assert_eq!(start.headers.len(), 1);
                let mut reader = Reader::new(|_| true);
                reader.resume(start.read_from, start.dts);
                let (mut sound, mut key) = (None, None);
                walk(&path, &mut reader, start.read_from, &mut |read, at| {
                    let shown_ms = (shown(&read) - begins).div_euclid(1_000);
                    if read.tag.kind == TagKind::Audio {
                        sound = sound.or(Some(shown_ms));
                    } else if at >= start.video_from && !read.content.is_header() {
                        key = Some((shown_ms, read.is_keyframe()));
                    }
                    key.is_none()
                })
                .unwrap();
                assert_eq!(key, Some((key_ms, true)), "{first_ms} {to_ms}");
                let before_ms = key_ms - sound.unwrap();
                assert!((100..=700).contains(&before_ms), "{first_ms} {to_ms}: {before_ms}");
            }
            // The file has grown.
            flv::write_tag(TagKind::Audio, first_ms, b"\xAF\x01\x09\x09", &mut film);
            std::fs::write(&path, &film).unwrap();
            index_of(&mut known, &path, &goes_on).unwrap();
            assert_eq!(tags.get(), 2 * SEEKABLE_TAGS + 1);
        }
    }

    #[test]
    fn a_newer_seek_does_not_wait_for_an_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("film.flv");
        std::fs::write(&path, seekable(0)).unwrap();
        let tags = Cell::new(0);
        let goes_on = || {
            tags.set(tags.get() + 1);
            tags.get() < 3
        };
        assert!(index_of(&mut None, &path, &goes_on).unwrap().is_none());
        assert_eq!(tags.get(), 3);

        let config = Config::new(Source::File(path.clone()));
        let shared = Arc::new(Shared::new(&config, Clock::start()).0);
        let (mut input, mut round) = (FlvInput::new(), LoopPass::default());
        let mut feed = InputFeed::new(Arc::clone(&shared), None, false);
        let (older, newer) = (Duration::from_secs(10), Duration::from_secs(3));
        shared.requests.wanted.lock().want(newer);
        let led = read(&mut feed, &mut input, &path, Some(older), &mut round, None).unwrap();
        assert!(!led && input.index.is_none() && shared.timeline.duration().is_none());
        assert_eq!(shared.requests.take_wanted(), Some(newer));
    }
}
