//! A local file as a source. The packet queues pace the reading. Runs on the feed thread.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Stop;
use crate::player::course::{Course, Span};
use crate::player::feed::Feed;
use crate::player::recording::{Film, Makes, Medium, Piece, RUN_UP_MICROS, unreadable};
use crate::player::{Failure, Kind, Sequel, State, recording};
use crate::wire::container::Format;
use crate::wire::flv::video::VideoPacket;
use crate::wire::flv::{self, Demuxer, Tag, TagKind};

/// Read at a time.
const BLOCK: usize = 64 << 10;

/// How often a reader that has come to the end looks whether it is to go back.
const LOOK: Duration = Duration::from_millis(20);

/// The first instant of a file has this time on the way to the decoders, in microseconds: what decodes
/// before it, and sound's run-up, have room.
pub(super) const BEGINS: i64 = 10_000_000;

/// Reads the file from `start` to its end, or until stopped, and from wherever else it is wanted;
/// then what `sequel` has follow, its times going on: over and over the same, or another file.
pub(super) fn run(
    mut feed: Feed,
    mut path: PathBuf,
    start: Option<Duration>,
    sequel: Option<&Sequel>,
) {
    let shared = std::sync::Arc::clone(&feed.shared);
    shared.enter(State::Opening { stage: "file" });
    let (mut round, mut from, mut ready) = (Round::default(), start, None);
    loop {
        let read = read(&mut feed, &path, from, &mut round, ready.take());
        // Where it was to go to, it is, or it cannot be read.
        shared.give_up();
        let whole = read.is_ok();
        let makes = read.as_ref().ok().copied().flatten();
        let goes_on = || !shared.stop.is_set() && !shared.is_wanted();
        let then = |round: &mut Round| {
            let sequel = sequel.filter(|_| goes_on())?;
            if sequel.goes_around() && whole && round.next() {
                return Some(Next::Again);
            }
            follow(sequel, makes?, round, &shared.stop)
        };
        let mut next = then(&mut round);
        if next.is_none() {
            match read {
                Ok(_) => {}
                // What could be read is played to its end.
                Err(failure) if feed.has_media() => feed.shared.say(
                    "player-file-damaged",
                    crate::player::Severity::Warning,
                    format!("The file is damaged: {}.", failure.cause),
                    &failure.advice,
                    "",
                ),
                Err(failure) => shared.fail(failure),
            }
        }
        // While the rest is played one may still go back, have it go around after all, or another one follow.
        while next.is_none() && goes_on() && (!shared.video.is_empty() || !shared.audio.is_empty())
        {
            shared.stop.wait(LOOK);
            next = then(&mut round);
        }
        match next.filter(|_| goes_on()) {
            Some(Next::Again) => from = None,
            Some(Next::File(other, film)) => (path, ready, from) = (other, Some(*film), None),
            None => {
                from = shared.take_wanted();
                if from.is_none() || shared.stop.is_set() {
                    break;
                }
                if let Some(sequel) = sequel {
                    path = sequel.restart();
                }
                round = Round::default();
            }
        }
    }
    feed.finish();
}

/// What follows without a gap.
enum Next {
    /// The same file, once more.
    Again,
    /// Another one, opened.
    File(PathBuf, Box<Film>),
}

/// The file that follows one that gives this, where it can without a gap.
fn follow(sequel: &Sequel, makes: Makes, round: &mut Round, stop: &Stop) -> Option<Next> {
    let path = sequel.wanted()?;
    let opened = open(&path).and_then(|file| match recording::medium(&file, &path)? {
        // Without an index nobody knows what is in it.
        Medium::Film(Format::Flv) => Ok(None),
        _ => Film::open(file, &path),
    });
    // The disk may have taken so long that another player plays by now.
    if stop.is_set() {
        return None;
    }
    let film = match opened {
        Ok(film) => film.filter(|film| film.makes() == Some(makes)),
        Err(failure) => {
            sequel.refuse(&path, Some(failure));
            return None;
        }
    };
    let Some(film) = film.filter(|_| round.next()) else {
        sequel.refuse(&path, None);
        return None;
    };
    let begins = Duration::from_micros(u64::try_from(round.at).unwrap_or(0));
    sequel.join(&path, begins, film.span.length());
    Some(Next::File(path, Box::new(film)))
}

/// A round through the file.
#[derive(Debug, Default)]
struct Round {
    /// Where it begins, in microseconds after [`BEGINS`].
    at: i64,
    /// How long a whole one is, where that is known beforehand.
    length: Option<i64>,
    /// What came, by its time in the file.
    pictures: Course,
    sound: Course,
    /// The last time that came of each, and whether they came in order.
    last: [Option<u32>; 2],
    jumped: bool,
    /// It is not the first one.
    again: bool,
    /// Times jumped in one before: where they are played nobody knows any more.
    loose: bool,
}

impl Round {
    /// By how much later than in the file something is handed on.
    fn shift(&self, begins: i64) -> i64 {
        BEGINS.saturating_add(self.at).saturating_sub(begins)
    }

    /// Takes note of a tag's time in the file.
    fn note(&mut self, kind: TagKind, time_ms: u32, pts: i64) {
        let [video, audio] = &mut self.last;
        let (last, course) = match kind {
            TagKind::Video => (video, &mut self.pictures),
            TagKind::Audio => (audio, &mut self.sound),
            TagKind::Script => return,
        };
        // As far as the times of a track may step without being brought together.
        let untidy = |last: u32| !(-100..5_000).contains(&time_ms.wrapping_sub(last).cast_signed());
        self.jumped |= last.is_some_and(untidy);
        *last = Some(time_ms);
        course.add(pts);
    }

    /// The next round begins where this one ends. False where nothing has come.
    fn next(&mut self) -> bool {
        // Of times that jump nobody knows what they are.
        let known = self.length.filter(|_| !self.jumped);
        let length = known.or_else(|| Span::of(&self.pictures, &self.sound).map(Span::micros));
        let Some(length) = length else { return false };
        let loose = self.loose || self.jumped;
        *self = Self { at: self.at.saturating_add(length), again: true, loose, ..Self::default() };
        // Thousands of years.
        self.at < i64::MAX / 4
    }

    /// Tells the feed where what comes is played: `from` in the file on, or where the last round ends.
    fn begin(&self, feed: &mut Feed, from: Option<Duration>, firm: bool) {
        feed.shared.set_round(Duration::from_micros(u64::try_from(self.at).unwrap_or(0)));
        let now = feed.shared.clock.now();
        let place = from.map_or(0, micros);
        match from {
            Some(from) => feed.move_to(BEGINS.saturating_add(place), from, firm, now),
            None if self.loose => {}
            None if self.again => feed.seam(BEGINS.saturating_add(self.at)),
            None => feed.begin(BEGINS, firm, now),
        }
    }
}

pub(super) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

/// Gives what is in it, where that is known; `ready`: the file, where it is open already.
fn read(
    feed: &mut Feed,
    path: &Path,
    from: Option<Duration>,
    round: &mut Round,
    ready: Option<Film>,
) -> Result<Option<Makes>, Failure> {
    // How long one is that follows another is told when it plays.
    let follows = ready.is_some();
    let film = if ready.is_some() {
        ready
    } else {
        let file = open(path)?;
        if recording::medium(&file, path)? == Medium::Film(Format::Flv) {
            return read_flv(feed, path, from, round).map(|()| None);
        }
        Film::open(file, path)?
    };
    let Some(mut film) = film else { return Ok(None) };
    let makes = film.makes();
    film.missed().for_each(|track| feed.leave_out(track));
    let span = film.span;
    if !follows {
        feed.shared.set_duration(span.length());
    }
    if let Some(from) = from {
        film.begin_at(span.begins.saturating_add(micros(from)));
    }
    round.length = Some(span.micros());
    round.begin(feed, from, true);
    film.play(path, round.shift(span.begins), &mut |piece| {
        match piece {
            Piece::Body(body) => feed.take_exact(body.kind, body.dts, body.pts, &body.body),
            Piece::Seam(at) => feed.seam(at),
        }
        goes_on(feed)
    })?;
    Ok(makes)
}

fn goes_on(feed: &Feed) -> bool {
    !feed.shared.stop.is_set() && !feed.shared.is_wanted()
}

/// A file without an index, whose times are whole milliseconds.
fn read_flv(
    feed: &mut Feed,
    path: &Path,
    from: Option<Duration>,
    round: &mut Round,
) -> Result<(), Failure> {
    // The first tags of sound, and of pictures.
    let (first, pictures, begins) = if let Some(from) = from {
        let survey = survey(path, from, &feed.shared.stop)?;
        feed.shared.set_duration(survey.duration);
        // Of this round only the end is seen.
        round.length = Some(micros(survey.duration)).filter(|length| *length > 0);
        (survey.start, survey.pictures, survey.begins)
    } else {
        let begins = head(path, &feed.shared.stop);
        // Its whole is not read for this alone; once it has been, it is known better.
        let last = last_time(&mut open(path)?).filter(|last| (0.0..1e6).contains(last));
        if let Some(last) = last.filter(|_| !round.again) {
            let begins = Duration::from_micros(u64::try_from(begins).unwrap_or(0));
            feed.shared.set_duration(Duration::from_secs_f64(last).saturating_sub(begins));
        }
        (0, 0, begins)
    };
    round.begin(feed, from, false);
    feed.expect_metadata();
    let (shift, mut number) = (round.shift(begins), 0);
    let walked = walk(path, &mut |tag| {
        let header = is_header(&tag);
        let from = if tag.kind == TagKind::Video { pictures } else { first };
        if number >= from || header {
            let (dts, pts) = times(&tag);
            if !header {
                round.note(tag.kind, tag.time_ms, pts);
            }
            // One that carries no time of its own must not seem to jump.
            let (dts, pts) = if header { (begins, begins) } else { (dts, pts) };
            let (dts, pts) = (dts.saturating_add(shift), pts.saturating_add(shift));
            feed.take_exact(tag.kind, dts, pts, &tag.body);
        }
        number += 1;
        goes_on(feed)
    });
    if first == 0
        && goes_on(feed)
        && !round.jumped
        && let Some(span) = Span::of(&round.pictures, &round.sound)
    {
        feed.shared.set_duration(span.length());
    }
    walked
}

/// When a tag is decoded, and seen or heard, in microseconds.
fn times(tag: &Tag) -> (i64, i64) {
    let dts = i64::from(tag.time_ms) * 1_000;
    let picture = || match flv::parse_video(&tag.body).ok()?.track.packet {
        VideoPacket::Frame { composition_ms, .. } => Some(composition_ms.clamp(-10_000, 10_000)),
        _ => None,
    };
    let composition = if tag.kind == TagKind::Video { picture() } else { None };
    (dts, dts + i64::from(composition.unwrap_or(0)) * 1_000)
}

/// Where a file begins in its own time, by its first tags.
fn head(path: &Path, stop: &Stop) -> i64 {
    let (mut pictures, mut sound, mut number) = (Course::default(), Course::default(), 0);
    // What is damaged is told when it is played.
    let _ = walk(path, &mut |tag| {
        let mut found = false;
        if !is_header(&tag) {
            let (_, pts) = times(&tag);
            if tag.kind == TagKind::Video {
                pictures.add(pts);
                found = true;
            } else {
                sound.add(pts);
            }
        }
        number += 1;
        !found && number < HEAD && !stop.is_set()
    });
    Span::of(&pictures, &sound).map_or(0, |span| span.begins)
}

/// So many tags are looked at for the first picture.
const HEAD: u32 = 200;

fn is_header(tag: &Tag) -> bool {
    match tag.kind {
        TagKind::Script => true,
        TagKind::Video => flv::parse_video(&tag.body).is_ok_and(|tag| tag.is_sequence_start()),
        TagKind::Audio => flv::parse_audio(&tag.body).is_ok_and(|tag| tag.is_sequence_start()),
    }
}

/// The tags of an FLV file, until `take` returns false.
fn walk(path: &Path, take: &mut dyn FnMut(Tag) -> bool) -> Result<(), Failure> {
    let mut file = open(path)?;
    let mut demuxer = Demuxer::new();
    let mut block = vec![0; BLOCK];
    loop {
        let read = file.read(&mut block).map_err(|error| unreadable(path, &error.to_string()))?;
        if read == 0 {
            return Ok(());
        }
        demuxer.push(block.get(..read).unwrap_or_default());
        loop {
            let tag = demuxer.next_tag().map_err(|error| no_flv(path, &error))?;
            let Some(tag) = tag else { break };
            if !take(tag) {
                return Ok(());
            }
        }
    }
}

/// The time of a file's last tag, in seconds, by the size that stands after it.
pub(super) fn last_time(input: &mut File) -> Option<f64> {
    let mut size = [0; 4];
    input.seek(SeekFrom::End(-4)).ok()?;
    input.read_exact(&mut size).ok()?;
    let back = i64::from(u32::from_be_bytes(size)).checked_add(4)?;
    input.seek(SeekFrom::End(-back)).ok()?;
    let mut header = [0; 8];
    input.read_exact(&mut header).ok()?;
    let [_, _, _, _, t2, t1, t0, t3] = header;
    Some(f64::from(u32::from_be_bytes([t3, t2, t1, t0])) / 1_000.0)
}

/// How long an FLV file is, where it begins in its own time, and the numbers of the tags to begin with
/// for a place in it: of all, and of pictures.
struct Survey {
    duration: Duration,
    begins: i64,
    start: u64,
    pictures: u64,
}

fn survey(path: &Path, from: Duration, stop: &Stop) -> Result<Survey, Failure> {
    let begins = head(path, stop);
    let until = begins.saturating_add(micros(from));
    let (mut number, mut last) = (0, 0);
    // The last keyframe before the place, and the last sound that a decoder needs.
    let (mut keyframe, mut sound, mut pictures) = (None, None, false);
    let (mut seen, mut heard) = (Course::default(), Course::default());
    let walked = walk(path, &mut |tag| {
        if tag.kind != TagKind::Script && !is_header(&tag) {
            let (_, pts) = times(&tag);
            // Times that jump say nothing of how long it is.
            if pts < last + 600_000_000 {
                last = last.max(pts);
                let course = if tag.kind == TagKind::Video { &mut seen } else { &mut heard };
                course.add(pts);
            }
            if tag.kind == TagKind::Video {
                pictures = true;
                let key = flv::parse_video(&tag.body).is_ok_and(|tag| tag.is_keyframe());
                if key && pts <= until {
                    // The sound of the place may stand before its keyframe.
                    keyframe = Some((sound.unwrap_or(number), number));
                }
            } else if pts <= until - RUN_UP_MICROS {
                sound = Some(number);
            }
        }
        number += 1;
        !stop.is_set()
    });
    // What is damaged is found again, and said, when it is played.
    let start = if pictures { keyframe } else { sound.map(|sound| (sound, sound)) };
    let (start, pictures) = start.unwrap_or((0, 0));
    if number == 0 {
        walked?;
    }
    let duration = Span::of(&seen, &heard).map_or(Duration::ZERO, Span::length);
    Ok(Survey { duration, begins, start, pictures })
}

/// Opens a regular file: a pipe or a device could keep us waiting for ever.
pub(super) fn open(path: &Path) -> Result<File, Failure> {
    let metadata = path.metadata().map_err(|error| unreadable(path, &error.to_string()))?;
    if !metadata.is_file() {
        return Err(unreadable(path, "it is no regular file"));
    }
    File::open(path).map_err(|error| unreadable(path, &error.to_string()))
}

pub(super) fn no_flv(path: &Path, error: &flv::Error) -> Failure {
    Failure::new(
        Kind::File,
        format!("{} cannot be played: {error}", path.display()),
        "Give an FLV, MP4, MKV, WebM, MP3, FLAC, Ogg, AAC or WAV file; others can be converted, for example with ffmpeg.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_ended() {
        let mut round = Round::default();
        assert!(!round.next(), "nothing has come");
        // The first two are an encoder's run-up and a picture that is shown later.
        for number in 0..48 {
            round.note(TagKind::Audio, number * 64 / 3, i64::from(number * 64 / 3) * 1_000);
        }
        for number in 0..25 {
            round.note(TagKind::Video, number * 40, i64::from(number * 40 + 21) * 1_000);
        }
        assert_eq!(round.shift(21_000), BEGINS - 21_000);
        assert!(round.next());
        assert_eq!(round.shift(21_000), BEGINS - 21_000 + 1_000_000);
        // Of a file with an index it is known.
        round.length = Some(999_999);
        assert!(round.next() && !round.next());
        assert_eq!(round.at, 1_999_999);
    }
}
