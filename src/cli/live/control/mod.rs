//! Handles commands during a broadcast without a window: lines on standard input (`--control`).

pub mod filters;
pub mod guests;
pub mod items;
pub mod mixer;
pub mod page;
pub mod run;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::capture::VideoFallback;
use crate::cli::control::{not_a_command, split};
use crate::cli::flags::value::{check_png, duration, within};
use crate::cli::live::args::control_syntax;
use crate::cli::live::record_sources;
use crate::compose::scene::SourceId;
use crate::compose::transition::{Kind, MAX_STINGER_DURATION, Order, Transition, Wipe};
use crate::media::playback_control::{EndBehavior, TransportCommand};
use crate::remote::ListenOptions;
use crate::studio::mixer::fallback_of;
use crate::studio::settings::scenes::collection::{matte_of, transition_of};
use crate::studio::{Command, Edit};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::Format;

/// The flags that control the run.
#[derive(Clone, Debug)]
pub(super) struct Run {
    /// A file that is sent unchanged, and whether it loops.
    pub copy: Option<(PathBuf, bool)>,
    pub record: Option<PathBuf>,
    /// The file of the second canvas.
    pub record_canvas: Option<PathBuf>,
    pub duration: Option<Duration>,
    pub replay_to: Option<PathBuf>,
    /// True to read commands from standard input.
    pub control: bool,
    /// True to send the delayed part of the broadcast before the end.
    pub drain: bool,
    /// The sources that are recorded alone, with their files.
    pub sources: BTreeMap<SourceId, PathBuf>,
    /// Where other programs can control the run. It then goes on without a stream or recording.
    pub remote: Option<ListenOptions>,
    /// True to offer the program as a camera.
    pub virtual_camera: bool,
}

impl Run {
    /// Returns true if the run goes on while nothing is sent or recorded.
    pub(super) fn stays(&self) -> bool {
        self.remote.is_some() || self.virtual_camera
    }
}

/// Default names of files that commands write.
#[derive(Clone, Debug)]
pub(super) struct Names {
    pub replay: PathBuf,
    pub screenshot: PathBuf,
}

impl Names {
    /// Returns the default names in the folder of the recording, or in the current folder.
    pub fn beside(record: Option<&Path>, replay: Option<PathBuf>) -> Self {
        let beside = |name: &str| record.map_or_else(|| name.into(), |it| it.with_file_name(name));
        let extension =
            record.and_then(Path::extension).and_then(|it| it.to_str()).unwrap_or("mp4");
        Self {
            replay: replay.unwrap_or_else(|| beside(&format!("replay.{extension}"))),
            screenshot: beside("screenshot.png"),
        }
    }
}

/// A command parsed from one line of `--control` input.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum LiveCommand {
    Command(Box<Command>),
    /// Shows the scene with this name.
    Scene(String),
    /// Puts the scene with this name into the preview.
    Prepare(String),
    /// Switches the preview to the program, with this transition or the default one.
    Take(Option<Transition>),
    /// Changes the item with this name.
    Item(String, items::Change),
    /// Changes a filter of the source with this name; an empty name means the main video source.
    Filter(String, filters::Filter),
    /// Changes a filter of the strip with this name; an empty name means the main strip.
    StripFilter(String, filters::Filter),
    /// Changes a setting of the strip with this name.
    Set(String, mixer::Setting),
    /// Sets the transition to the scene with this name; `None` means the default.
    SceneTransition(String, Option<Transition>),
    /// Controls the media source with this name; an empty name means the main video source.
    Media(String, TransportCommand),
    /// Duplicates the item with this name in the current scene, with the same source or a separate
    /// one.
    Duplicate {
        item: String,
        source: bool,
    },
    /// Sets the end behavior of the source with this name; an empty name means the main video
    /// source.
    AtEnd(String, EndBehavior),
    /// Adds a file to the playlist of the source with this name.
    AddFile(String, PathBuf),
    /// Removes a file from the playlist of the source with this name. Files are counted from 1, and
    /// the first one is the source's own file.
    RemoveFile(String, usize),
    /// Sets the fallback of the source with this name; an empty name means the main video source.
    IfBlack(String, VideoFallback),
    /// Opens the desktop's dialog again, in which the user chooses the display or window of the
    /// source with this name; an empty name means the main video source.
    Ask(String),
    /// Does something on the page of the source with this name; an empty name means the main video
    /// source.
    Page(String, page::PageLine),
    /// Presses or releases push-to-talk for the strip with this name; an empty name means all
    /// strips.
    Talk(String, bool),
    /// Resets the clip indicator of the strip with this name; an empty name means all strips.
    ClipOut(String),
    /// Resets integrated loudness and true peak.
    ResetLoudness,
    /// Sets the end behavior of the strip's file; an empty name means the main strip.
    StripEnd(String, EndBehavior),
    /// Sets the fallback of the strip with this name; an empty name means the main strip.
    IfSilent(String, Option<AudioChoice>),
    /// Restarts the file of the strip.
    StripRestart(String),
    /// Moves the T-bar.
    TBar(f32),
    /// Sets the scene in which the strip with this name is heard, or `all`.
    StripScene(String, String),
    /// Records the source with this name alone to a file, or ends its recording.
    RecordSource(String, Option<PathBuf>),
    /// Ends the broadcast.
    Stop,
}

/// Parses a line. Returns `None` for an empty line.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub(super) fn parse(line: &str, names: &Names) -> Result<Option<LiveCommand>, Problem> {
    let (word, rest) = split(line);
    let path = |default: &PathBuf| if rest.is_empty() { default.clone() } else { rest.into() };
    let command = match word {
        "" => return Ok(None),
        "pause" => Command::PauseRecording,
        "resume" => Command::ResumeRecording,
        "chapter" => Command::Chapter(rest.to_owned()),
        "split" => Command::SplitRecording,
        "replay" => {
            let path = path(&names.replay);
            check_format(word, &path)?;
            Command::SaveReplay(path)
        }
        "snapshot" => {
            check_png(rest.as_ref())?;
            Command::Screenshot(path(&names.screenshot))
        }
        "record" if !rest.is_empty() => {
            check_format(word, rest.as_ref())?;
            Command::StartRecording(rest.into())
        }
        "stop-recording" => Command::StopRecording,
        "record-source" => return record_source(rest).map(Some),
        "stop-source" if !rest.is_empty() => {
            return Ok(Some(LiveCommand::RecordSource(rest.to_owned(), None)));
        }
        "scene" if !rest.is_empty() => return Ok(Some(LiveCommand::Scene(rest.to_owned()))),
        "prepare" if !rest.is_empty() => return Ok(Some(LiveCommand::Prepare(rest.to_owned()))),
        "take" if rest.is_empty() => return Ok(Some(LiveCommand::Take(None))),
        "take" => return transition(rest).map(|it| Some(LiveCommand::Take(Some(it)))),
        "item" => return items::parse(rest).map(|(name, it)| Some(LiveCommand::Item(name, it))),
        "filter" => {
            return filters::parse(rest).map(|(name, it)| Some(LiveCommand::Filter(name, it)));
        }
        "t-bar" => {
            let position = rest.parse::<f32>().ok().filter(|it| (0.0..=1.0).contains(it));
            let why = || problem!("control-write", syntax = "t-bar 0…1");
            return position.map(|it| Some(LiveCommand::TBar(it))).ok_or_else(why);
        }
        "transition" => Command::Edit(Edit::SetTransition(transition(rest)?)),
        "scene-transition" => return scene_transition(rest).map(Some),
        "duplicate" | "duplicate-source" => {
            let source = word == "duplicate-source";
            return Ok(Some(LiveCommand::Duplicate { item: rest.to_owned(), source }));
        }
        "media" => return media(rest).map(Some),
        "if-black" => {
            return named(rest, str::parse).map(|(name, it)| Some(LiveCommand::IfBlack(name, it)));
        }
        "guest" => Command::Guest(guests::parse(rest)?),
        "ask" => return Ok(Some(LiveCommand::Ask(rest.to_owned()))),
        "page" => return page::parse(rest).map(|(name, it)| Some(LiveCommand::Page(name, it))),
        "talk" => return talk(rest).map(Some),
        "clip-out" => return Ok(Some(LiveCommand::ClipOut(rest.to_owned()))),
        "reset-loudness" if rest.is_empty() => return Ok(Some(LiveCommand::ResetLoudness)),
        "strip" => return strip(rest).map(Some),
        "stop" => return Ok(Some(LiveCommand::Stop)),
        _ => return Err(not_a_command(word, &control_syntax(""))),
    };
    Ok(Some(LiveCommand::Command(Box::new(command))))
}

/// Parses `Camera=camera.mkv`.
fn record_source(text: &str) -> Result<LiveCommand, Problem> {
    let file = record_sources::parse(text)?;
    Ok(LiveCommand::RecordSource(file.name, Some(file.path)))
}

/// Fails if the name of a file to record has no known format. `word` is the command or the flag.
pub(super) fn check_format(word: &str, path: &Path) -> Result<(), Problem> {
    if Format::of_path(path).is_some() {
        return Ok(());
    }
    let command = format!("{word} {}", path.display());
    Err(problem!("cli-flag", flag = command, reason = problem!("file-format")))
}

/// Parses settings, filters and files of a strip: `gain -6 Voice`, `filter off gate Voice`, `at-end
/// clear Jingle`, `restart Jingle`.
fn strip(text: &str) -> Result<LiveCommand, Problem> {
    if let Some(setting) = mixer::parse(text) {
        return setting.map(|(name, setting)| LiveCommand::Set(name, setting));
    }
    let (word, rest) = split(text);
    match word {
        "filter" => {
            filters::parse(rest).map(|(name, filter)| LiveCommand::StripFilter(name, filter))
        }
        "restart" => Ok(LiveCommand::StripRestart(rest.to_owned())),
        "scene" => {
            let (name, scene) = rest.rsplit_once(": ").unwrap_or(("", rest));
            if scene.trim().is_empty() {
                return Err(problem!("control-write", syntax = "strip scene [NAME:] SCENE|all"));
            }
            let (name, scene) = (name.trim().to_owned(), scene.trim().to_owned());
            Ok(LiveCommand::StripScene(name, scene))
        }
        "if-silent" => named(rest, fallback_of).map(|(name, it)| LiveCommand::IfSilent(name, it)),
        "at-end" => {
            let (word, name) = split(rest);
            Ok(LiveCommand::StripEnd(name.to_owned(), word.parse()?))
        }
        _ => {
            let syntax = control_syntax("strip ");
            Err(problem!("control-write-for", text = format!("strip {word}"), syntax = syntax))
        }
    }
}

/// Parses push-to-talk commands: `press`, `release Guest`.
fn talk(text: &str) -> Result<LiveCommand, Problem> {
    let (word, name) = split(text);
    let held = match word {
        "press" => true,
        "release" => false,
        _ => {
            let text = format!("talk {word}");
            return Err(problem!(
                "control-write-for",
                text = text,
                syntax = "talk press|release [STRIP]"
            ));
        }
    };
    Ok(LiveCommand::Talk(name.to_owned(), held))
}

/// Parses commands for a media source: `pause Clip`, `seek 90s My clip`, `restart`.
fn media(text: &str) -> Result<LiveCommand, Problem> {
    let (word, rest) = split(text);
    let (go, name) = match word {
        "pause" => (TransportCommand::Pause, rest),
        "resume" => (TransportCommand::Resume, rest),
        "restart" => (TransportCommand::Restart, rest),
        "next" => (TransportCommand::Next, rest),
        "previous" => (TransportCommand::Previous, rest),
        "seek" => {
            let (time, name) = split(rest);
            (TransportCommand::To(duration(time)?), name)
        }
        "at-end" => {
            let (word, name) = split(rest);
            return Ok(LiveCommand::AtEnd(name.to_owned(), word.parse()?));
        }
        "add" => {
            let (name, path) = rest.split_once(": ").unwrap_or((rest, ""));
            if name.trim().is_empty() || path.trim().is_empty() {
                return Err(problem!("control-write", syntax = "media add SOURCE: FILE"));
            }
            return Ok(LiveCommand::AddFile(name.trim().to_owned(), path.trim().into()));
        }
        "remove" => {
            let (number, name) = split(rest);
            let number = number.parse().ok().filter(|number| (2..=1_000).contains(number));
            let number: usize = number.ok_or_else(|| problem!("control-media-remove"))?;
            return Ok(LiveCommand::RemoveFile(name.to_owned(), number));
        }
        _ => {
            let syntax = control_syntax("media ");
            let text = format!("media {word}");
            return Err(problem!("control-write-for", text = text, syntax = syntax));
        }
    };
    Ok(LiveCommand::Media(name.to_owned(), go))
}

/// Parses an optional name, and a value after a colon, such as the fallback of a black, frozen or
/// lost source: `Guest: placeholder`, or `camera:back` without a name. Without a name, a colon can
/// belong to the value.
fn named<T>(text: &str, read: impl Fn(&str) -> Result<T, Problem>) -> Result<(String, T), Problem> {
    let split = text.split_once(": ");
    match split.and_then(|(name, word)| Some((name.trim().to_owned(), read(word.trim()).ok()?))) {
        Some(it) => Ok(it),
        None => Ok((String::new(), read(text.trim())?)),
    }
}

/// Parses the transition to one scene: `Break: color-#000000 1s`, `Break: none`.
fn scene_transition(text: &str) -> Result<LiveCommand, Problem> {
    let (name, words) = text.split_once(": ").unwrap_or((text, ""));
    let (name, words) = (name.trim(), words.trim());
    if name.is_empty() || words.is_empty() {
        let syntax = "scene-transition NAME: KIND [DURATION] [OPTION]…|none";
        return Err(problem!("control-write", syntax = syntax));
    }
    let transition = if words == "none" { None } else { Some(transition(words)?) };
    Ok(LiveCommand::SceneTransition(name.to_owned(), transition))
}

/// Parses a transition: `fade 500ms`, `slide-left`, `luma-clock 1s soft=20 invert`, `stinger
/// cut=400ms matte=right volume=80 file=/v/swoosh.mp4`.
fn transition(text: &str) -> Result<Transition, Problem> {
    // The name of a file may contain spaces, so it comes last.
    let (words, file) = text.split_once("file=").unwrap_or((text, ""));
    let mut words = words.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let known = "cut, fade, move[-linear|-in|-out|-back|-bounce], color-#RRGGBB, slide-SIDE, swipe-SIDE (left, right, top, bottom), \
                 luma-PATTERN, luma-image, stinger";
    let mut transition = Transition {
        kind: transition_of(kind)
            .ok_or_else(|| problem!("control-no-transition", kind = kind, known = known))?,
        ..Transition::default()
    };
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let percent = || {
            let number = value.parse::<u8>().ok().filter(|number| *number <= 100);
            number.ok_or_else(|| problem!("control-write-for", text = word, syntax = "0…100"))
        };
        match (&mut transition.kind, key) {
            (Kind::Luma(wipe), "soft") => wipe.softness = percent()?,
            (Kind::Luma(wipe), "invert") => wipe.invert = true,
            (Kind::Stinger(stinger), "invert") => stinger.invert = true,
            (Kind::Stinger(stinger), "volume") => stinger.volume = percent()?,
            (Kind::Stinger(stinger), "cut") => stinger.cut = transition_time(value)?,
            (Kind::Stinger(stinger), "matte") => {
                let known = "alpha|right|below|dark|#RRGGBB";
                let matte = matte_of(value);
                stinger.matte = matte
                    .ok_or_else(|| problem!("control-write-for", text = word, syntax = known))?;
            }
            _ => transition.duration = transition_time(word)?,
        }
    }
    let file = file.trim();
    match &mut transition.kind {
        Kind::Luma(Wipe { order: Order::Image(path), .. }) if !file.is_empty() => {
            *path = file.into();
        }
        Kind::Stinger(stinger) if !file.is_empty() => stinger.file = file.into(),
        Kind::Luma(Wipe { order: Order::Image(_), .. }) | Kind::Stinger(_) => {
            return Err(problem!("control-needs-file", kind = kind));
        }
        _ if !file.is_empty() => return Err(problem!("control-no-file", kind = kind)),
        _ => {}
    }
    Ok(transition)
}

/// Parses a duration within a transition.
fn transition_time(text: &str) -> Result<Duration, Problem> {
    within(text, (Duration::ZERO, MAX_STINGER_DURATION))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::transition::Matte;

    #[test]
    fn lines_are_commands() {
        let names = Names::beside(Some(Path::new("/v/show.mkv")), None);
        let command = |line| match parse(line, &names) {
            Ok(Some(LiveCommand::Command(command))) => *command,
            other => panic!("{other:?}"),
        };
        assert_eq!(command("chapter  The second act "), Command::Chapter("The second act".into()));
        assert_eq!(command("replay"), Command::SaveReplay("/v/replay.mkv".into()));
        assert_eq!(command("replay /a b.mp4"), Command::SaveReplay("/a b.mp4".into()));
        assert_eq!(command("record /a b.flv"), Command::StartRecording("/a b.flv".into()));
        for bad in ["record foo.avi", "replay foo.avi"] {
            let why = parse(bad, &names).unwrap_err().to_string();
            assert!(why.starts_with(bad) && why.contains(".mkv"), "{why}");
        }
        assert_eq!(command("snapshot"), Command::Screenshot("/v/screenshot.png".into()));
        assert!(parse("snapshot /v/a.jpg", &names).is_err(), "screenshots are PNG files");
        assert_eq!(parse("stop", &names), Ok(Some(LiveCommand::Stop)));
        assert_eq!(parse("scene My talk", &names), Ok(Some(LiveCommand::Scene("My talk".into()))));
        let fade = Transition { kind: Kind::Fade, duration: Duration::from_millis(500) };
        assert_eq!(command("transition fade 500ms"), Command::Edit(Edit::SetTransition(fade)));
        let own = |line| parse(line, &names);
        let slow = Transition { kind: Kind::Fade, duration: Duration::from_secs(2) };
        let asked =
            |transition| Ok(Some(LiveCommand::SceneTransition("My talk".into(), transition)));
        assert_eq!(own("scene-transition My talk: fade 2s"), asked(Some(slow)));
        assert_eq!(own("scene-transition My talk: none"), asked(None));
        for bad in ["scene-transition", "scene-transition My talk", "scene-transition : fade"] {
            assert!(own(bad).is_err(), "{bad}");
        }
        let set = |line| match command(line) {
            Command::Edit(Edit::SetTransition(transition)) => transition,
            other => panic!("{other:?}"),
        };
        let wipe = set("transition luma-image 1s soft=20 invert file=/v/a b.png");
        let order = Order::Image("/v/a b.png".into());
        assert_eq!(wipe.kind, Kind::Luma(Wipe { order, softness: 20, invert: true }));
        assert_eq!(wipe.duration, Duration::from_secs(1));
        let stinger = set("transition stinger cut=400ms matte=right volume=80 file=/v/swoosh.mp4");
        let Kind::Stinger(stinger) = stinger.kind else { panic!("{stinger:?}") };
        assert_eq!((stinger.cut, stinger.volume), (Duration::from_millis(400), 80));
        assert_eq!((stinger.matte, stinger.invert), (Matte::Right, false));
        for bad in [
            "stinger",
            "luma-image 1s",
            "fade file=/x",
            "luma-box soft=x",
            "stinger matte=left file=/x",
            "fade soft=3",
        ] {
            assert!(parse(&format!("transition {bad}"), &names).is_err(), "{bad}");
        }
        assert_eq!(set("transition fade 20s").duration, Duration::from_secs(20));
        for long in ["transition fade 1h", "transition stinger cut=21s file=/x", "take fade 20.1s"]
        {
            let why = parse(long, &names).unwrap_err().to_string();
            assert!(why.contains("0s to 20s"), "{why}");
        }
        let media = |line| match parse(line, &names) {
            Ok(Some(LiveCommand::Media(name, go))) => (name, go),
            other => panic!("{other:?}"),
        };
        assert_eq!(media("media pause My clip"), ("My clip".into(), TransportCommand::Pause));
        let seek = TransportCommand::To(Duration::from_secs(90));
        assert_eq!(media("media seek 90s My clip"), ("My clip".into(), seek));
        assert_eq!(media("media restart"), (String::new(), TransportCommand::Restart));
        let add = LiveCommand::AddFile("My clip".into(), "/v/a: b.mp4".into());
        assert_eq!(parse("media add My clip: /v/a: b.mp4", &names), Ok(Some(add)));
        let remove = LiveCommand::RemoveFile("My clip".into(), 2);
        assert_eq!(parse("media remove 2 My clip", &names), Ok(Some(remove)));
        for bad in ["media add My clip", "media remove My clip", "media remove 1 My clip"] {
            assert!(parse(bad, &names).is_err(), "{bad}");
        }
        let fallback = |line| match parse(line, &names) {
            Ok(Some(LiveCommand::IfBlack(name, fallback))) => (name, fallback.to_string()),
            other => panic!("{other:?}"),
        };
        let of = |name: &str, word: &str| (name.to_owned(), word.to_owned());
        assert_eq!(fallback("if-black My guest: placeholder"), of("My guest", "placeholder"));
        assert_eq!(fallback("if-black Face: image:/a b.png"), of("Face", "image:/a b.png"));
        assert_eq!(fallback("if-black camera:usb-1"), of("", "camera:usb-1"));
        assert_eq!(fallback("if-black image:/a: b.png"), of("", "image:/a: b.png"));
        assert!(
            parse("if-black Face", &names).unwrap_err().to_string().contains("keep, placeholder")
        );
        let end = |line| match parse(line, &names) {
            Ok(Some(LiveCommand::AtEnd(name, at_end))) => (name, at_end),
            other => panic!("{other:?}"),
        };
        assert_eq!(end("media at-end hold My clip"), ("My clip".into(), EndBehavior::Hold));
        assert_eq!(end("media at-end clear"), (String::new(), EndBehavior::Clear));
        assert!(parse("media at-end My clip", &names).unwrap_err().to_string().contains("hold"));
        let doubled =
            |item: &str, source| Ok(Some(LiveCommand::Duplicate { item: item.to_owned(), source }));
        assert_eq!(parse("duplicate My logo", &names), doubled("My logo", false));
        assert_eq!(parse("duplicate", &names), doubled("", false));
        assert_eq!(parse("duplicate-source My logo", &names), doubled("My logo", true));
        assert_eq!(
            parse("ask Left screen", &names),
            Ok(Some(LiveCommand::Ask("Left screen".into())))
        );
        let end = LiveCommand::StripEnd("My jingle".into(), EndBehavior::Clear);
        assert_eq!(parse("strip at-end clear My jingle", &names), Ok(Some(end)));
        let again = LiveCommand::StripRestart(String::new());
        assert_eq!(parse("strip restart", &names), Ok(Some(again)));
        let other = |name: &str, choice| Ok(Some(LiveCommand::IfSilent(name.into(), choice)));
        let second = AudioChoice::Mic(Some("pulse:b".into()));
        assert_eq!(
            parse("strip if-silent My voice: mic:pulse:b", &names),
            other("My voice", Some(second))
        );
        assert_eq!(parse("strip if-silent keep", &names), other("", None));
        let file = AudioChoice::File("/a: b.wav".into());
        assert_eq!(parse("strip if-silent file:/a: b.wav", &names), other("", Some(file)));
        assert!(
            parse("strip if-silent Voice: none", &names).unwrap_err().to_string().contains("keep")
        );
        assert!(parse("strip", &names).is_err() && parse("strip at-end once", &names).is_err());
        let talk = |name: &str, held| Ok(Some(LiveCommand::Talk(name.into(), held)));
        assert_eq!(parse("talk press", &names), talk("", true));
        assert_eq!(parse("talk release My guest", &names), talk("My guest", false));
        let out = |name: &str| Ok(Some(LiveCommand::ClipOut(name.into())));
        assert_eq!(
            (parse("clip-out", &names), parse("clip-out My guest", &names)),
            (out(""), out("My guest"))
        );
        assert_eq!(parse("reset-loudness", &names), Ok(Some(LiveCommand::ResetLoudness)));
        assert!(parse("reset-loudness Voice", &names).is_err());
        assert!(parse("talk", &names).is_err() && parse("talk My guest", &names).is_err());
        assert!(parse("media", &names).is_err() && parse("media seek Clip", &names).is_err());
        assert_eq!(parse("", &names), Ok(None));
        for bad in ["record", "Pause", "chapters x", "scene", "transition", "transition fade x"] {
            assert!(parse(bad, &names).is_err(), "{bad}");
        }
        assert_eq!(Names::beside(None, None).replay, Path::new("replay.mp4"));
    }
}
