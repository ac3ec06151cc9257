//! Commands while a broadcast without a window runs: lines on standard input (`--control`) and
//! signals.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};
use crate::cli::value::duration;
use crate::compose::transition::Transition;
use crate::studio::settings::collection::transition_of;
use crate::studio::{Command, Edit};

/// A line longer than this is none.
const MAX_LINE: u64 = 4 << 10;
/// Lines that wait to be obeyed.
const LINES: usize = 64;

/// What the flags say of the way it runs.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub record: Option<PathBuf>,
    pub duration: Option<Duration>,
    pub replay_to: Option<PathBuf>,
    /// Commands come on standard input.
    pub control: bool,
    /// At the end what is held back goes out first.
    pub drain: bool,
}

/// Where files go that nobody named.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub replay: PathBuf,
    pub picture: PathBuf,
}

impl Names {
    /// Beside the recording, or here.
    pub fn beside(record: Option<&Path>, replay: Option<PathBuf>) -> Self {
        let beside = |name: &str| record.map_or_else(|| name.into(), |it| it.with_file_name(name));
        let extension =
            record.and_then(Path::extension).and_then(|it| it.to_str()).unwrap_or("mp4");
        Self {
            replay: replay.unwrap_or_else(|| beside(&format!("replay.{extension}"))),
            picture: beside("picture.png"),
        }
    }
}

/// Reads standard input on a thread of its own, which ends with the process: a read cannot be taken
/// back.
#[derive(Debug)]
pub(super) struct Control {
    lines: Receiver<String>,
    _worker: Worker,
}

impl Control {
    /// # Errors
    /// When the system grants no thread.
    pub fn listen() -> std::io::Result<Self> {
        let (tell, lines) = queue::bounded("control", LINES, Full::Block);
        let worker = Worker::spawn("onair-control", move |stop| {
            let mut input = std::io::stdin().lock();
            loop {
                let mut line = Vec::new();
                let read = input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
                if stop.is_set() || !matches!(read, Ok(1..)) {
                    return;
                }
                let line = String::from_utf8_lossy(&line).trim().to_owned();
                if tell.send(line).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { lines, _worker: worker })
    }

    /// The next line, if one waits.
    pub fn line(&self) -> Option<String> {
        self.lines.try_recv().ok()
    }
}

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Asked {
    Command(Command),
    /// Show the scene of this name.
    Scene(String),
    /// End the broadcast.
    Stop,
}

/// Reads a line; `None` for an empty one.
///
/// # Errors
/// A sentence that says what is known.
pub(super) fn parse(line: &str, names: &Names) -> Result<Option<Asked>, String> {
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let path = |default: &PathBuf| if rest.is_empty() { default.clone() } else { rest.into() };
    let command = match word {
        "" => return Ok(None),
        "pause" => Command::PauseRecording,
        "resume" => Command::ResumeRecording,
        "chapter" => Command::Chapter(rest.to_owned()),
        "split" => Command::SplitRecording,
        "replay" => Command::SaveReplay(path(&names.replay)),
        "snapshot" => Command::Snapshot(path(&names.picture)),
        "record" if !rest.is_empty() => Command::StartRecording(rest.into()),
        "stop-recording" => Command::StopRecording,
        "scene" if !rest.is_empty() => return Ok(Some(Asked::Scene(rest.to_owned()))),
        "transition" => Command::Edit(Edit::SetTransition(transition(rest)?)),
        "stop" => return Ok(Some(Asked::Stop)),
        _ => {
            return Err(format!(
                "'{line}' is no command: write pause, resume, chapter [TITLE], split, \
                 replay [PATH], snapshot [PATH], record PATH, stop-recording, scene NAME, \
                 transition KIND [DURATION] or stop"
            ));
        }
    };
    Ok(Some(Asked::Command(command)))
}

/// How the next scene comes: `fade 500ms`, `slide-left`, `cut`.
fn transition(text: &str) -> Result<Transition, String> {
    let (kind, time) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let known = "cut, fade, color-#RRGGBB, slide-SIDE, swipe-SIDE (left, right, top, bottom), \
                 luma-PATTERN (circle, clock, diagonal, doors, blinds)";
    let kind = transition_of(kind)
        .ok_or_else(|| format!("'{kind}' is no transition: write one of {known}"))?;
    let time = time.trim();
    let default = Transition::default().duration;
    let duration = if time.is_empty() { default } else { duration(time)? };
    Ok(Transition { kind, duration })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_commands() {
        let names = Names::beside(Some(Path::new("/v/show.mkv")), None);
        let command = |line| match parse(line, &names) {
            Ok(Some(Asked::Command(command))) => command,
            other => panic!("{other:?}"),
        };
        assert_eq!(command("chapter  The second act "), Command::Chapter("The second act".into()));
        assert_eq!(command("replay"), Command::SaveReplay("/v/replay.mkv".into()));
        assert_eq!(command("replay /a b.mp4"), Command::SaveReplay("/a b.mp4".into()));
        assert_eq!(command("snapshot"), Command::Snapshot("/v/picture.png".into()));
        assert_eq!(parse("stop", &names), Ok(Some(Asked::Stop)));
        assert_eq!(parse("scene My talk", &names), Ok(Some(Asked::Scene("My talk".into()))));
        let fade = Transition {
            kind: crate::compose::transition::Kind::Fade,
            duration: Duration::from_millis(500),
        };
        assert_eq!(command("transition fade 500ms"), Command::Edit(Edit::SetTransition(fade)));
        assert_eq!(parse("", &names), Ok(None));
        for bad in ["record", "Pause", "chapters x", "scene", "transition", "transition fade x"] {
            assert!(parse(bad, &names).is_err(), "{bad}");
        }
        assert_eq!(Names::beside(None, None).replay, Path::new("replay.mp4"));
    }
}
