//! A local file as a source. The packet queues pace the reading. Runs on the feed thread.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use crate::base::Stop;
use crate::player::feed::Feed;
use crate::player::recording::unreadable;
use crate::player::{Failure, Kind, State, recording};
use crate::wire::container::Format;
use crate::wire::flv::{self, Demuxer, Tag, TagKind};

/// Read at a time.
const BLOCK: usize = 64 << 10;

/// How often a reader that has come to the end looks whether it is to go back.
const LOOK: Duration = Duration::from_millis(20);

/// Reads the file from `start` to its end, or until stopped, and from wherever else it is wanted;
/// `again`: over and over, its times going on.
pub(super) fn run(mut feed: Feed, path: &Path, start: Option<Duration>, again: bool) {
    let shared = std::sync::Arc::clone(&feed.shared);
    shared.enter(State::Opening { stage: "file" });
    let (mut round, mut from) = (Round::default(), start);
    loop {
        let read = read(&mut feed, path, from, &mut round);
        let goes_on = !shared.stop.is_set() && !shared.is_wanted();
        if again && read.is_ok() && goes_on && round.next() {
            from = None;
            continue;
        }
        match read {
            Ok(()) => {}
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
        // While the rest is played one may still go back.
        let waits = || !shared.video.is_empty() || !shared.audio.is_empty();
        while !shared.stop.is_set() && !shared.is_wanted() && waits() {
            shared.stop.wait(LOOK);
        }
        from = shared.take_wanted();
        if from.is_none() || shared.stop.is_set() {
            break;
        }
        round = Round::default();
        feed.move_here(shared.clock.now());
    }
    feed.finish();
}

/// Where the times of this round through the file begin.
#[derive(Debug, Default)]
struct Round {
    offset: u32,
    /// When the last picture and the last sound began, and how long after the one before.
    last: [Option<(u32, u32)>; 2],
}

/// A packet that is alone is as long as a picture usually is.
const ALONE_MS: u32 = 33;

impl Round {
    /// A time of the file in this round.
    fn place(&mut self, kind: TagKind, time_ms: u32) -> u32 {
        let time = time_ms.wrapping_add(self.offset);
        let [video, audio] = &mut self.last;
        let last = match kind {
            TagKind::Video => video,
            TagKind::Audio => audio,
            TagKind::Script => return time,
        };
        // Configurations have a time too, often none.
        let step = last.map_or(ALONE_MS, |(before, step)| match time.checked_sub(before) {
            Some(new @ 1..1_000) => new,
            _ => step,
        });
        *last = Some((last.map_or(time, |(before, _)| before.max(time)), step));
        time
    }

    /// The next round begins where this one ends. False where nothing has come.
    fn next(&mut self) -> bool {
        let ends = self.last.iter().flatten().map(|(time, step)| time.saturating_add(*step));
        match ends.max() {
            // Half a day short of where times would begin again.
            Some(end) if end > self.offset && end < u32::MAX - 50_000_000 => {
                self.offset = end;
                true
            }
            _ => false,
        }
    }
}

fn read(
    feed: &mut Feed,
    path: &Path,
    from: Option<Duration>,
    round: &mut Round,
) -> Result<(), Failure> {
    let mut file = open(path)?;
    let format = recording::format(&file, path)?;
    let goes_on = |feed: &Feed| !feed.shared.stop.is_set() && !feed.shared.is_wanted();
    if format != Format::Flv {
        return recording::tags_from(file, path, from, &mut |found| {
            match found {
                recording::Found::Duration(duration) => feed.shared.set_duration(duration),
                recording::Found::Tag(kind, time_ms, body) => {
                    let now = feed.shared.clock.now();
                    feed.take(kind, round.place(kind, time_ms), &body, now);
                }
            }
            goes_on(feed)
        });
    }
    let mut first = 0;
    if let Some(from) = from {
        let survey = survey(path, from, &feed.shared.stop)?;
        feed.shared.set_duration(survey.duration);
        first = survey.start;
    } else if let Some(last) = last_time(&mut file).filter(|last| (0.0..1e6).contains(last)) {
        // Its whole is not read for this alone.
        feed.shared.set_duration(Duration::from_secs_f64(last));
    }
    let mut number = 0;
    walk(path, &mut |tag| {
        let now = feed.shared.clock.now();
        if number >= first || is_header(&tag) {
            feed.take(tag.kind, round.place(tag.kind, tag.time_ms), &tag.body, now);
        }
        number += 1;
        goes_on(feed)
    })
}

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

/// How long an FLV file is, and the number of the tag to begin with for a place in it.
struct Survey {
    duration: Duration,
    start: u64,
}

fn survey(path: &Path, from: Duration, stop: &Stop) -> Result<Survey, Failure> {
    let (mut number, mut first, mut last) = (0, None, 0);
    // The last keyframe before the place, and the last sound.
    let (mut keyframe, mut sound, mut pictures) = (None, None, false);
    let walked = walk(path, &mut |tag| {
        if tag.kind != TagKind::Script && !is_header(&tag) {
            let begins = *first.get_or_insert(tag.time_ms);
            let time_ms = tag.time_ms.wrapping_sub(begins);
            // Times that jump say nothing of how long it is.
            if time_ms < last + 600_000 {
                last = last.max(time_ms);
            }
            if u128::from(time_ms) <= from.as_millis() {
                if tag.kind == TagKind::Video {
                    pictures = true;
                    let key = flv::parse_video(&tag.body).is_ok_and(|tag| tag.is_keyframe());
                    if key {
                        keyframe = Some(number);
                    }
                } else {
                    sound = Some(number);
                }
            }
        }
        number += 1;
        !stop.is_set()
    });
    // What is damaged is found again, and said, when it is played.
    let start = if pictures { keyframe } else { sound };
    if number == 0 {
        walked?;
    }
    Ok(Survey { duration: Duration::from_millis(last.into()), start: start.unwrap_or(0) })
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
        "Give an FLV, MP4 or MKV file; others can be converted, for example with ffmpeg.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_ended() {
        let mut round = Round::default();
        assert!(!round.next(), "nothing has come");
        for (kind, time) in [
            (TagKind::Video, 0),
            (TagKind::Audio, 0),
            (TagKind::Video, 0),
            (TagKind::Audio, 23),
            (TagKind::Video, 40),
            (TagKind::Audio, 46),
            (TagKind::Video, 80),
        ] {
            assert_eq!(round.place(kind, time), time);
        }
        assert!(round.next());
        // 80 and the 40 that a picture lasts.
        assert_eq!(round.place(TagKind::Video, 0), 120);
        assert_eq!(round.place(TagKind::Audio, 23), 143);
        assert!(round.next());
        assert!(round.place(TagKind::Video, 0) > 143);
    }
}
