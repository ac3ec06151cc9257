//! Reader of FLV files, which have no index and whose times are whole milliseconds. The reader runs
//! on the feed thread.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::base::Stop;
use crate::files::flv_tags::{Error, FlvTags};
use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::demux::file_samples::{PRE_ROLL_MICROS, open, unreadable};
use crate::player::demux::{can_play_audio, can_play_video};
use crate::player::input::feed::InputFeed;
use crate::player::input::file::loop_position::{LoopPass, goes_on, micros};
use crate::player::input::http::byte_seek;
use crate::player::session::gapless::NextFile;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::flv::events::audio_codec;
use crate::wire::container::flv::{
    self, Error as FlvError, ReadTag, Reader, TAG_HEADER_BYTES, TAG_TRAILER_BYTES, TagContent,
    TagKind,
};

/// Maximum valid difference between the DTS and PTS of a frame, in microseconds.
const MAX_COMPOSITION_MICROS: i64 = 10_000_000;

/// Reads the file like [`crate::player::input::file::read`].
pub(super) fn read(
    feed: &mut InputFeed,
    reader: &mut Reader,
    path: &Path,
    from: Option<Duration>,
    round: &mut LoopPass,
    sequel: Option<&NextFile>,
) -> Result<bool, Failure> {
    // The indices of the first tag and of the first video tag to play, and the start of the file in
    // its own time.
    let (first, video_start, begins) = if let Some(from) = from {
        let survey = survey(path, from, &feed.shared.lifetime.stop)?;
        feed.shared.timeline.set_duration(survey.duration);
        // Only the last part of the file plays in this pass, so the survey provides the length.
        round.length = Some(micros(survey.duration)).filter(|length| *length > 0);
        (survey.start, survey.video_start, survey.begins)
    } else {
        let begins = beginning(path, &feed.shared.lifetime.stop);
        // The file is not read completely just for its length. Playing the whole file corrects the
        // length.
        let length = length(&mut open(path)?, millis(begins));
        if let Some(length) = length.filter(|_| !round.again) {
            feed.shared.timeline.set_duration(length);
        }
        (0, 0, begins)
    };
    round.begin(feed, from, false);
    feed.expect_metadata();
    let (shift, mut number) = (round.shift(begins), 0);
    let walked = walk(path, reader, &mut |read| {
        let header = read.content.is_header();
        let from = if read.tag.kind == TagKind::Video { video_start } else { first };
        if number >= from || header {
            if !header {
                round.note(read.tag.kind, read.tag.time_ms, shown(&read));
            }
            let now = feed.shared.clock.now();
            feed.take_tag(read.later(shift), now);
        }
        number += 1;
        goes_on(feed)
    });
    if first == 0
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
            None => survey(path, Duration::ZERO, stop)?.duration,
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

/// Reads the tags of an FLV file, until `take` returns false.
fn walk(
    path: &Path,
    reader: &mut Reader,
    take: &mut dyn FnMut(ReadTag) -> bool,
) -> Result<(), Failure> {
    reader.rewind();
    let mut tags = FlvTags::new(open(path)?);
    while let Some(read) = tags.next(reader).map_err(|error| failure(path, &error))? {
        if !take(read) {
            break;
        }
    }
    Ok(())
}

/// Works like [`walk`], but without playing the tags.
fn look(path: &Path, take: &mut dyn FnMut(ReadTag) -> bool) -> Result<(), Failure> {
    walk(path, &mut Reader::new(|_| true), take)
}

/// Returns the failure for a problem of the file.
pub(in crate::player) fn failure(path: &Path, error: &Error) -> Failure {
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
pub(in crate::player) fn length(input: &mut File, begins_ms: u32) -> Option<Duration> {
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

/// The length of an FLV file, its start in its own time, and the indices of the first tag and the
/// first video tag that a position needs.
struct FlvSummary {
    duration: Duration,
    begins: i64,
    start: u64,
    video_start: u64,
}

fn survey(path: &Path, from: Duration, stop: &Stop) -> Result<FlvSummary, Failure> {
    let begins = beginning(path, stop);
    let until = begins.saturating_add(micros(from));
    let (mut number, mut last) = (0, 0);
    // The last keyframe before the position, and the last audio that a decoder needs.
    let (mut keyframe, mut audio, mut has_video) = (None, None, false);
    let (mut video_timeline, mut audio_timeline) =
        (FileTimeline::default(), FileTimeline::default());
    let walked = look(path, &mut |read| {
        if !read.content.is_header() {
            let pts = shown(&read);
            let is_video = read.tag.kind == TagKind::Video;
            // Times after a jump do not count towards the length.
            if pts < last + 600_000_000 {
                last = last.max(pts);
                let course = if is_video { &mut video_timeline } else { &mut audio_timeline };
                course.add(pts);
            }
            if is_video {
                has_video = true;
                if read.is_keyframe() && pts <= until {
                    // The audio for the position may precede the keyframe.
                    keyframe = Some((audio.unwrap_or(number), number));
                }
            } else if pts <= until - PRE_ROLL_MICROS {
                audio = Some(number);
            }
        }
        number += 1;
        !stop.is_set()
    });
    // Damage is found again during playback, and reported then.
    let start = if has_video { keyframe } else { audio.map(|audio| (audio, audio)) };
    let (start, video_start) = start.unwrap_or((0, 0));
    if number == 0 {
        walked?;
    }
    let duration = Span::of(&video_timeline, &audio_timeline).map_or(Duration::ZERO, Span::length);
    Ok(FlvSummary { duration, begins, start, video_start })
}

fn no_flv(path: &Path, error: &FlvError) -> Failure {
    let path = path.display().to_string();
    let problem = problem!("play-not-flv", path = path, reason = Problem::from(error));
    Failure::new(FailureKind::File, problem)
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

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
}
