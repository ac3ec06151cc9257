//! A local file as a source. The packet queues pace the reading. This module runs on the feed
//! thread.

mod flv;
mod flv_index;
mod loop_position;

use std::path::{Path, PathBuf};
use std::time::Duration;

use flv::FlvInput;
pub(crate) use flv::{MAX_COMPOSITION_MICROS, failure, length};
pub(crate) use loop_position::{FIRST_DTS_MICROS, micros};
use loop_position::{LoopPass, goes_on};

use crate::base::Stop;
use crate::player::demux::file_samples::{self, FileFormat, FileSample, SampleFile, open};
use crate::player::input::feed::InputFeed;
use crate::player::session::gapless::NextFile;
use crate::player::state::{Failure, State};
use crate::text::problem::problem;
use crate::wire::container::Format;

/// How often a reader at the end of a file checks for a seek back.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Reads the file from `start` to its end, or until stopped, and follows seeks. Then it reads the
/// files of `sequel` without a gap: the same file in a loop, or another one.
pub(crate) fn run(
    mut feed: InputFeed,
    mut path: PathBuf,
    start: Option<Duration>,
    sequel: Option<&NextFile>,
) {
    let shared = std::sync::Arc::clone(&feed.shared);
    shared.report.enter(State::Opening { stage: "file" });
    let (mut round, mut from, mut ready) = (LoopPass::default(), start, None);
    let mut flv_input = FlvInput::new();
    loop {
        let read = read(&mut feed, &mut flv_input, &path, from, &mut round, ready.take(), sequel);
        // The seek is done, or the file cannot be read.
        shared.requests.give_up();
        let whole = read.is_ok();
        let led = read.as_ref().is_ok_and(|led| *led);
        let goes_on = || !shared.lifetime.stop.is_set() && !shared.requests.is_wanted();
        let then = |round: &mut LoopPass| {
            let sequel = sequel.filter(|_| goes_on())?;
            if sequel.goes_around() && whole && round.next() {
                return Some(NextInput::Again);
            }
            if !led {
                return None;
            }
            follow(sequel, round, &shared.lifetime.stop)
        };
        let mut next = then(&mut round);
        if next.is_none() {
            match read {
                Ok(_) => {}
                // The readable part plays to its end.
                Err(failure) if feed.has_media() => {
                    if let Some(sequel) = sequel {
                        sequel.note_damage(failure.clone());
                    }
                    feed.shared.report.say(
                        problem!("player-file-damaged", reason = failure.problem),
                        crate::player::state::Severity::Warning,
                        "",
                    );
                }
                Err(failure) => shared.fail(failure),
            }
        }
        // During the rest of playback, the user may still seek back, turn on looping, or add
        // another file.
        while next.is_none() && goes_on() && !shared.packets.is_empty() {
            shared.lifetime.stop.wait(POLL_INTERVAL);
            next = then(&mut round);
        }
        match next.filter(|_| goes_on()) {
            Some(NextInput::Again) => from = None,
            Some(NextInput::File(other, opened)) => {
                (path, ready, from) = (other, Some(opened), None);
            }
            None => {
                from = shared.requests.take_wanted();
                if from.is_none() || shared.lifetime.stop.is_set() {
                    break;
                }
                if let Some(sequel) = sequel {
                    path = sequel.restart();
                }
                round = LoopPass::default();
            }
        }
    }
    feed.finish();
}

/// The next part of gapless playback.
enum NextInput {
    /// The same file again.
    Again,
    /// Another file, opened.
    File(PathBuf, OpenedFile),
}

/// A file that is opened before the previous one ends.
enum OpenedFile {
    Indexed(Box<SampleFile>),
    Flv(flv::NextHead),
}

impl OpenedFile {
    /// Opens a file. Returns `None` if it is empty or cannot be decoded.
    fn of(path: &Path, stop: &Stop) -> Result<Option<Self>, Failure> {
        let file = open(path)?;
        if file_samples::file_format(&file, path)? == FileFormat::Container(Format::Flv) {
            return Ok(flv::NextHead::of(path, stop)?.map(Self::Flv));
        }
        let film = SampleFile::open(file, path)?.filter(SampleFile::is_playable);
        Ok(film.map(|film| Self::Indexed(Box::new(film))))
    }

    fn length(&self) -> Duration {
        match self {
            Self::Indexed(film) => film.span.length(),
            Self::Flv(head) => head.length,
        }
    }

    fn has_video(&self) -> bool {
        match self {
            Self::Indexed(film) => film.has_video(),
            Self::Flv(head) => head.has_video,
        }
    }

    /// Returns true if its timestamps are trusted.
    const fn is_firm(&self) -> bool {
        matches!(self, Self::Indexed(_))
    }
}

/// Returns the following file, if it can follow without a gap.
fn follow(sequel: &NextFile, round: &mut LoopPass, stop: &Stop) -> Option<NextInput> {
    let path = sequel.wanted()?;
    // After a jump of the times, the end of the received data is unknown.
    if round.is_loose() {
        sequel.refuse(&path, None);
        return None;
    }
    let opened = OpenedFile::of(&path, stop);
    // The disk may be so slow that another player already plays.
    if stop.is_set() {
        return None;
    }
    let opened = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            sequel.refuse(&path, Some(failure));
            return None;
        }
    };
    let Some(opened) = opened.filter(|_| round.next()) else {
        sequel.refuse(&path, None);
        return None;
    };
    let begins = Duration::from_micros(u64::try_from(round.at).unwrap_or(0));
    sequel.join(&path, begins, opened.length());
    Some(NextInput::File(path, opened))
}

/// Reads the file, and returns true if another file can follow without a gap. `ready` is the file
/// if it is already open.
fn read(
    feed: &mut InputFeed,
    flv_input: &mut FlvInput,
    path: &Path,
    from: Option<Duration>,
    round: &mut LoopPass,
    ready: Option<OpenedFile>,
    sequel: Option<&NextFile>,
) -> Result<bool, Failure> {
    if let Some(opened) = &ready {
        feed.take_file(opened.is_firm(), opened.has_video());
        flv_input.restart();
    }
    // The length of a following file is reported when it plays.
    let follows = ready.is_some();
    let film = match ready {
        Some(OpenedFile::Indexed(film)) => Some(*film),
        Some(OpenedFile::Flv(_)) => return flv::read(feed, flv_input, path, from, round, sequel),
        None => {
            let file = open(path)?;
            if file_samples::file_format(&file, path)? == FileFormat::Container(Format::Flv) {
                return flv::read(feed, flv_input, path, from, round, sequel);
            }
            SampleFile::open(file, path)?
        }
    };
    let Some(mut film) = film else { return Ok(false) };
    let playable = film.is_playable();
    let span = film.span;
    if !follows {
        feed.shared.timeline.set_duration(span.length());
    }
    let is_hidden = film.index.shown_from.is_some();
    if is_hidden || from.is_some() {
        film.begin_at(span.begins.saturating_add(from.map_or(0, micros)));
    }
    // As after a seek, the frames before the start are decoded first.
    let from = from.or((is_hidden && !round.again).then_some(Duration::ZERO));
    round.length = Some(span.micros());
    round.begin(feed, from, true);
    film.play(path, round.shift(span.begins), &mut |piece| {
        match piece {
            FileSample::Event(event) => feed.take_event(event),
            FileSample::Seam(at) => feed.seam(at),
            FileSample::Hide(at) => feed.hide_before(at),
        }
        goes_on(feed)
    })?;
    Ok(playable)
}
