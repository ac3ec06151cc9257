//! A local file as a source. The packet queues pace the reading. Runs on the feed thread.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::player::feed::Feed;
use crate::player::recording::unreadable;
use crate::player::{Failure, Kind, State, recording};
use crate::wire::container::Format;
use crate::wire::flv::{self, Demuxer, TagKind};

/// Read at a time.
const BLOCK: usize = 64 << 10;

/// Reads the file to its end, or until stopped; `again`: over and over, its times going on.
pub(super) fn run(mut feed: Feed, path: &Path, again: bool) {
    let shared = std::sync::Arc::clone(&feed.shared);
    shared.enter(State::Opening { stage: "file" });
    let mut round = Round::default();
    let read = loop {
        let read = read(&mut feed, path, &mut round);
        if !again || read.is_err() || shared.stop.is_set() || !round.next() {
            break read;
        }
    };
    if let Err(failure) = read {
        if feed.has_media() {
            // What could be read is played to its end.
            feed.shared.say(
                "player-file-damaged",
                crate::player::Severity::Warning,
                format!("The file is damaged: {}.", failure.cause),
                &failure.advice,
                "",
            );
        } else {
            shared.fail(failure);
        }
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

fn read(feed: &mut Feed, path: &Path, round: &mut Round) -> Result<(), Failure> {
    let mut file = open(path)?;
    let format = recording::format(&file, path)?;
    if format != Format::Flv {
        return recording::tags(file, path, &mut |kind, time_ms, body| {
            let now = feed.shared.clock.now();
            feed.take(kind, round.place(kind, time_ms), &body, now);
            !feed.shared.stop.is_set()
        });
    }
    let mut demuxer = Demuxer::new();
    let mut block = vec![0; BLOCK];
    while !feed.shared.stop.is_set() {
        let read = file.read(&mut block).map_err(|error| unreadable(path, &error.to_string()))?;
        if read == 0 {
            break;
        }
        demuxer.push(block.get(..read).unwrap_or_default());
        loop {
            let tag = demuxer.next_tag().map_err(|error| no_flv(path, &error))?;
            let Some(tag) = tag else { break };
            if feed.shared.stop.is_set() {
                return Ok(());
            }
            let now = feed.shared.clock.now();
            feed.take(tag.kind, round.place(tag.kind, tag.time_ms), &tag.body, now);
        }
    }
    Ok(())
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
