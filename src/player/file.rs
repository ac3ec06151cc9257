//! A local file as a source. The packet queues pace the reading. Runs on the feed thread.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::player::feed::Feed;
use crate::player::recording::unreadable;
use crate::player::{Failure, Kind, State, recording};
use crate::wire::container::Format;
use crate::wire::flv::{self, Demuxer};

/// Read at a time.
const BLOCK: usize = 64 << 10;

/// Reads the file to its end, or until stopped.
pub(super) fn run(mut feed: Feed, path: &Path) {
    let shared = std::sync::Arc::clone(&feed.shared);
    shared.enter(State::Opening { stage: "file" });
    if let Err(failure) = read(&mut feed, path) {
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

fn read(feed: &mut Feed, path: &Path) -> Result<(), Failure> {
    let mut file = open(path)?;
    let format = recording::format(&file, path)?;
    if format != Format::Flv {
        return recording::tags(file, path, &mut |kind, time_ms, body| {
            let now = feed.shared.clock.now();
            feed.take(kind, time_ms, &body, now);
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
            feed.take(tag.kind, tag.time_ms, &tag.body, now);
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
