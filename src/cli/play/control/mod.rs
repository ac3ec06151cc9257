//! Parses the lines of `onair play --control`. The module `ask` checks which of the commands are
//! possible.

pub mod ask;

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::cli::control::{not_a_command, split};
use crate::cli::flags::value::{check_png, duration};
use crate::cli::play::args;
use crate::cli::play::args::Buffer;
use crate::media::Rotation;
use crate::player::Figures;
use crate::studio::watch::chat::{
    MAX_BLOCKED_WORD_CHARS, MAX_BLOCKED_WORDS, OPACITY_RANGE, SPEED_FACTOR_RANGE,
    TEXT_SIZE_RANGE_POINTS,
};
use crate::studio::watch::viewport::{Aspect, ZOOM_RANGE};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::Format;

/// The syntax of the lines.
const CONTROL_SYNTAX: &str = "pause, resume, seek PLACE (90s, 1:30, +10s, -10s), rewind [TIME], \
    go-live, volume PERCENT (or +5, -5), mute [on|off], balance PERCENT, speaker [ID], \
    av-offset TIME, buffer TIME|auto, snapshot [FILE.png], record FILE.flv|off, say TEXT, \
    next, previous, stream NUMBER, shape fit|fill|16:9|4:3|original, zoom PERCENT, \
    turn 0|90|180|270, \
    chat fly|still|opacity PERCENT|speed FACTOR|size POINTS|hide [WORD,WORD…], stop";

/// A command from a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum PlayCommand {
    /// Pauses or resumes.
    Pause(bool),
    Seek(SeekPlace),
    /// Seeks to this distance behind the live edge. `None` means as far as possible.
    Rewind(Option<Duration>),
    GoLive,
    Volume(Volume),
    /// Mutes or unmutes. `None` toggles the mute.
    Mute(Option<bool>),
    Balance(f32),
    Speaker(Option<String>),
    AvOffset(i32),
    Buffer(Buffer),
    Screenshot(PathBuf),
    /// Records to this file. `None` stops the recording.
    Record(Option<PathBuf>),
    Say(String),
    /// Selects another stream.
    Stream(StreamSelection),
    SetViewport(Viewport),
    Chat(Chat),
    Stop,
}

/// The destination of a seek.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum SeekPlace {
    At(Duration),
    Ahead(Duration),
    Back(Duration),
}

/// The volume in a command, which is absolute or relative.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Volume {
    To(f32),
    By(f32),
}

impl Volume {
    /// Returns the new volume. `now` is the current volume.
    pub(super) fn on(self, now: f32) -> f32 {
        match self {
            Self::To(volume) => volume,
            Self::By(by) => (now + by).clamp(0.0, 1.0),
        }
    }
}

/// The choice of one of several streams.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum StreamSelection {
    Next,
    Previous,
    /// The index of the stream, from 0.
    Number(usize),
}

impl StreamSelection {
    /// Returns the index of the selected stream, given the number of streams and the current index.
    ///
    /// # Errors
    /// Fails if there is no such stream, or only one stream.
    pub(super) fn of(self, count: usize, now: usize) -> Result<usize, Problem> {
        if count < 2 {
            return Err(problem!("control-one-stream"));
        }
        match self {
            Self::Next => Ok((now + 1) % count),
            Self::Previous => Ok((now + count - 1) % count),
            Self::Number(number) if number < count => Ok(number),
            Self::Number(number) => {
                Err(problem!("control-no-stream", number = number + 1, count = count))
            }
        }
    }
}

/// One setting of the viewport.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum Viewport {
    Shape(Aspect),
    Zoom(f32),
    Turn(Rotation),
}

/// One setting of the chat.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Chat {
    Flying(bool),
    Opacity(f32),
    Speed(f32),
    Size(f32),
    Hide(Vec<String>),
}

/// The direction and the distance of a seek.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(super) enum SeekDirection {
    /// A seek to a position in a recording.
    To(Duration),
    /// A seek to a distance behind the live edge, within the time shift.
    Behind(Duration),
    /// A seek relative to the current or pending position, as far as possible.
    Step { by: Duration, ahead: bool },
}

/// Parses a line. Returns `None` for an empty line.
///
/// # Errors
/// Fails with a sentence that shows the syntax.
pub(super) fn parse(line: &str) -> Result<Option<PlayCommand>, Problem> {
    let (word, rest) = split(line);
    Ok(Some(match word {
        "" => return Ok(None),
        "pause" => PlayCommand::Pause(true),
        "resume" => PlayCommand::Pause(false),
        "seek" => PlayCommand::Seek(place(rest)?),
        "rewind" if rest.is_empty() => PlayCommand::Rewind(None),
        "rewind" => PlayCommand::Rewind(Some(time(rest)?)),
        "go-live" => PlayCommand::GoLive,
        "volume" => PlayCommand::Volume(volume(rest)?),
        "mute" => PlayCommand::Mute(match rest {
            "" => None,
            "on" => Some(true),
            "off" => Some(false),
            _ => {
                let text = format!("mute {rest}");
                return Err(problem!("control-write-for", text = text, syntax = "mute [on|off]"));
            }
        }),
        "balance" => PlayCommand::Balance(args::balance(rest)?),
        "speaker" if rest.is_empty() => PlayCommand::Speaker(None),
        "speaker" => PlayCommand::Speaker(Some(rest.to_owned())),
        "av-offset" => PlayCommand::AvOffset(args::av_offset(rest)?),
        "buffer" => PlayCommand::Buffer(args::buffer(rest)?),
        "snapshot" if rest.is_empty() => PlayCommand::Screenshot("screenshot.png".into()),
        "snapshot" => {
            check_png(rest.as_ref())?;
            PlayCommand::Screenshot(rest.into())
        }
        "record" => record(rest)?,
        "say" if rest.is_empty() => return Err(problem!("control-write", syntax = "say TEXT")),
        "say" => PlayCommand::Say(rest.to_owned()),
        "next" => PlayCommand::Stream(StreamSelection::Next),
        "previous" => PlayCommand::Stream(StreamSelection::Previous),
        "stream" => {
            let number = rest.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let number = number.ok_or_else(|| problem!("control-stream-number"))?;
            PlayCommand::Stream(StreamSelection::Number(number))
        }
        "shape" => {
            let shape = Aspect::of(rest);
            let wrong = || problem!("control-write", syntax = "shape fit|fill|16:9|4:3|original");
            PlayCommand::SetViewport(Viewport::Shape(shape.ok_or_else(wrong)?))
        }
        "zoom" => PlayCommand::SetViewport(Viewport::Zoom(number(
            "zoom",
            rest,
            &ZOOM_RANGE,
            Unit::Percent,
        )?)),
        "turn" => {
            let turn = Rotation::ALL.into_iter().find(|turn| turn.degrees().to_string() == rest);
            let wrong = || problem!("control-write", syntax = "turn 0|90|180|270");
            PlayCommand::SetViewport(Viewport::Turn(turn.ok_or_else(wrong)?))
        }
        "chat" => PlayCommand::Chat(chat(rest)?),
        "stop" | "quit" => PlayCommand::Stop,
        _ => return Err(not_a_command(word, CONTROL_SYNTAX)),
    }))
}

/// Parses `90s`, `1m30s`, `1:30`, `1:02:03`.
fn time(text: &str) -> Result<Duration, Problem> {
    let fault = || problem!("control-write-for", text = text, syntax = "90s|1m30s|1:30|1:02:03");
    if !text.contains(':') {
        return duration(text).map_err(|_| fault());
    }
    let mut total = 0_u64;
    for (index, part) in text.split(':').enumerate() {
        let digits = part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
        let number = part.parse::<u64>().ok().filter(|_| digits && index < 3).ok_or_else(fault)?;
        if index > 0 && number > 59 {
            return Err(fault());
        }
        total = total * 60 + number;
    }
    Ok(Duration::from_secs(total))
}

fn place(text: &str) -> Result<SeekPlace, Problem> {
    let (text, syntax) = (text.trim(), "seek 90s|1:30|+10s|-10s");
    if text.is_empty() {
        return Err(problem!("control-write", syntax = syntax));
    }
    let place = if let Some(ahead) = text.strip_prefix('+') {
        time(ahead).map(SeekPlace::Ahead)
    } else if let Some(back) = text.strip_prefix('-') {
        time(back).map(SeekPlace::Back)
    } else {
        time(text).map(SeekPlace::At)
    };
    place.map_err(|_| problem!("control-write-for", text = text, syntax = syntax))
}

fn volume(text: &str) -> Result<Volume, Problem> {
    let wrong = || problem!("control-write-for", text = text, syntax = "volume 0…100|+5|-5");
    if text.starts_with(['+', '-']) {
        let by = percent(text).filter(|by| by.abs() <= 1.0);
        return by.map(Volume::By).ok_or_else(wrong);
    }
    args::volume(text).map(Volume::To).map_err(|_| wrong())
}

/// The unit of a number.
#[derive(Copy, Clone)]
enum Unit {
    /// A percentage of a value whose maximum is 1.
    Percent,
    Plain(&'static str),
}

/// Parses a number within its limits. A number outside the limits is an error, and is not clamped.
fn number(
    line: &str,
    text: &str,
    bounds: &RangeInclusive<f32>,
    unit: Unit,
) -> Result<f32, Problem> {
    let (read, whole, unit) = match unit {
        Unit::Percent => (percent(text), 100.0, "%"),
        Unit::Plain(unit) => (text.parse().ok(), 1.0, unit),
    };
    read.filter(|number| bounds.contains(number)).ok_or_else(|| {
        let (least, most) = (bounds.start() * whole, bounds.end() * whole);
        problem!("control-write", syntax = format!("{line} {least}…{most}{unit}"))
    })
}

/// Parses `150`, `150%`.
fn percent(text: &str) -> Option<f32> {
    let number = text.trim_end_matches('%').parse::<f32>().ok().filter(|it| it.is_finite());
    number.map(|number| number / 100.0)
}

fn record(text: &str) -> Result<PlayCommand, Problem> {
    match text {
        "" => Err(problem!("control-write", syntax = "record FILE.flv|off")),
        "off" => Ok(PlayCommand::Record(None)),
        _ if Format::of_path(text.as_ref()) != Some(Format::Flv) => {
            Err(problem!("control-record-format", path = text))
        }
        _ => Ok(PlayCommand::Record(Some(text.into()))),
    }
}

fn chat(text: &str) -> Result<Chat, Problem> {
    let (word, rest) = split(text);
    let number = |bounds, unit| number(&format!("chat {word}"), rest, bounds, unit);
    Ok(match word {
        "fly" => Chat::Flying(true),
        "still" => Chat::Flying(false),
        "opacity" => Chat::Opacity(number(&OPACITY_RANGE, Unit::Percent)?),
        "speed" => Chat::Speed(number(&SPEED_FACTOR_RANGE, Unit::Plain("×"))?),
        "size" => Chat::Size(number(&TEXT_SIZE_RANGE_POINTS, Unit::Plain(""))?),
        "hide" => Chat::Hide(words(rest)?),
        _ => {
            let syntax =
                "chat fly|still|opacity PERCENT|speed FACTOR|size POINTS|hide [WORD,WORD…]";
            return Err(problem!("control-write", syntax = syntax));
        }
    })
}

/// Parses the words that block a line of the chat.
fn words(text: &str) -> Result<Vec<String>, Problem> {
    let words: Vec<String> = text.split(',').map(|word| word.trim().to_owned()).collect();
    if words.len() > MAX_BLOCKED_WORDS
        || words.iter().any(|word| word.chars().count() > MAX_BLOCKED_WORD_CHARS)
    {
        let (most, length) = (MAX_BLOCKED_WORDS, MAX_BLOCKED_WORD_CHARS);
        return Err(problem!("control-most-words", most = most, length = length));
    }
    Ok(words)
}

/// Resolves a seek for a player with these figures.
///
/// # Errors
/// Fails with the reason why the position is not possible.
pub(super) fn way(place: SeekPlace, figures: &Figures) -> Result<SeekDirection, Problem> {
    if figures.duration.is_none() && figures.time_shift.is_none() {
        return Err(problem!("control-nothing-kept"));
    }
    match (place, figures.duration) {
        (SeekPlace::Ahead(by), _) => Ok(SeekDirection::Step { by, ahead: true }),
        (SeekPlace::Back(by), _) => Ok(SeekDirection::Step { by, ahead: false }),
        (SeekPlace::At(at), Some(length)) if at > length => {
            Err(problem!("control-beyond-end", seconds = format!("{:.1}", length.as_secs_f64())))
        }
        (SeekPlace::At(at), Some(_)) => Ok(SeekDirection::To(at)),
        (SeekPlace::At(_), None) => Err(problem!("control-live-position")),
    }
}

/// Checks whether the stream has a live edge.
///
/// # Errors
/// Fails if the stream has no live edge.
pub(super) fn live_end(figures: &Figures) -> Result<(), Problem> {
    match figures.duration {
        None => Ok(()),
        Some(_) => Err(problem!("control-no-live-edge")),
    }
}

/// Resolves a rewind.
///
/// # Errors
/// Fails with the reason why the rewind is not possible.
pub(super) fn way_back(
    behind: Option<Duration>,
    figures: &Figures,
) -> Result<SeekDirection, Problem> {
    match (behind, figures.duration) {
        (None, Some(_)) => Ok(SeekDirection::To(Duration::ZERO)),
        (Some(_), Some(_)) => Err(problem!("control-rewind-recording")),
        (behind, None) => {
            let range = figures.time_shift.ok_or_else(|| problem!("control-nothing-kept"))?.range;
            match behind.unwrap_or(range) {
                behind if behind > range => {
                    let seconds = format!("{:.1}", range.as_secs_f64());
                    Err(problem!("control-rewind-range", seconds = seconds))
                }
                behind => Ok(SeekDirection::Behind(behind)),
            }
        }
    }
}

/// Checks whether the stream can be recorded.
///
/// # Errors
/// Fails with the reason why the stream cannot be recorded.
pub(super) fn recordable(figures: &Figures) -> Result<(), Problem> {
    if let Some(saving) = &figures.saving {
        let path = saving.path.display().to_string();
        return Err(problem!("control-recording-already", path = path));
    }
    if figures.duration.is_some() {
        return Err(problem!("control-already-a-file"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::{Saving, TimeShiftState};

    fn of(line: &str) -> PlayCommand {
        parse(line).unwrap_or_else(|why| panic!("{line}: {why}")).unwrap()
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn control_lines_are_read_as_commands() {
        assert_eq!(parse(""), Ok(None));
        assert_eq!(
            (of("pause"), of("resume")),
            (PlayCommand::Pause(true), PlayCommand::Pause(false))
        );
        assert_eq!(of("seek 1:30"), PlayCommand::Seek(SeekPlace::At(seconds(90))));
        assert_eq!(of("seek 1:02:03"), PlayCommand::Seek(SeekPlace::At(seconds(3_723))));
        assert_eq!(of("seek +10s"), PlayCommand::Seek(SeekPlace::Ahead(seconds(10))));
        assert_eq!(of("seek -0:10"), PlayCommand::Seek(SeekPlace::Back(seconds(10))));
        assert_eq!(of("rewind"), PlayCommand::Rewind(None));
        assert_eq!(of("rewind 30s"), PlayCommand::Rewind(Some(seconds(30))));
        assert_eq!(of("volume 50%"), PlayCommand::Volume(Volume::To(0.5)));
        assert_eq!(of("volume -5"), PlayCommand::Volume(Volume::By(-0.05)));
        assert_eq!(
            (of("mute"), of("mute off")),
            (PlayCommand::Mute(None), PlayCommand::Mute(Some(false)))
        );
        assert_eq!(of("balance -30"), PlayCommand::Balance(-0.3));
        assert_eq!(of("av-offset -50ms"), PlayCommand::AvOffset(-50));
        assert_eq!(of("buffer auto"), PlayCommand::Buffer(Buffer::Auto));
        assert_eq!(of("snapshot /a b.png"), PlayCommand::Screenshot("/a b.png".into()));
        assert_eq!(of("record /a b.flv"), PlayCommand::Record(Some("/a b.flv".into())));
        assert_eq!(of("record off"), PlayCommand::Record(None));
        assert_eq!(of("say  hi there"), PlayCommand::Say("hi there".into()));
        assert_eq!(of("stream 2"), PlayCommand::Stream(StreamSelection::Number(1)));
        assert_eq!(of("shape 16:9"), PlayCommand::SetViewport(Viewport::Shape(Aspect::Wide)));
        assert_eq!(of("zoom 150"), PlayCommand::SetViewport(Viewport::Zoom(1.5)));
        assert_eq!(of("turn 90"), PlayCommand::SetViewport(Viewport::Turn(Rotation::Right)));
        assert_eq!(of("chat opacity 50"), PlayCommand::Chat(Chat::Opacity(0.5)));
        assert_eq!(
            of("chat hide a, b"),
            PlayCommand::Chat(Chat::Hide(vec!["a".into(), "b".into()]))
        );
        assert_eq!((of("stop"), of("quit")), (PlayCommand::Stop, PlayCommand::Stop));
        for bad in [
            "Pause",
            "seek",
            "seek x",
            "seek 1:60",
            "seek 1:2:3:4",
            "seek +",
            "rewind x",
            "volume",
            "volume 101",
            "volume +x",
            "mute x",
            "balance 200",
            "av-offset 3s",
            "buffer 1ms",
            "record",
            "record a.mp4",
            "say",
            "stream 0",
            "stream x",
            "shape round",
            "zoom 10",
            "turn 45",
            "chat",
            "chat opacity x",
            "chat fast",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        for bad in ["seek", "seek banana", "seek 1:60", "seek -x"] {
            let why = parse(bad).unwrap_err().to_string();
            assert!(why.contains("seek 90s|1:30|+10s|-10s"), "{bad}: {why}");
        }
        assert!(parse("rewind banana").unwrap_err().to_string().contains("1:30"));
        assert!(parse("nonsense").unwrap_err().to_string().contains("seek PLACE"));
    }

    /// Tests that no number is clamped.
    #[test]
    fn numbers_beyond_their_bounds_are_refused_with_the_bounds() {
        for (line, bad, bounds, expected) in [
            ("volume", ["-101", "101", "1e9"], ["0", "100"], "volume 0…100|"),
            ("balance", ["-101", "101", "inf"], ["-100", "100"], "-100 (left only) to 100 ("),
            ("zoom", ["24", "401", "900"], ["25", "400"], "zoom 25…400%"),
            ("buffer", ["99ms", "11s", "0"], ["100ms", "10s"], "100ms and 10s"),
            ("av-offset", ["-2001ms", "2001ms", "3s"], ["-2s", "2s"], "-2s and 2s"),
            ("chat opacity", ["19", "101", "500"], ["20", "100%"], "opacity 20…100%"),
            ("chat speed", ["0.4", "2.1", "900"], ["0.5", "2"], "speed 0.5…2×"),
            ("chat size", ["13", "41", "-20"], ["14", "40"], "size 14…40"),
        ] {
            for number in bad {
                let why = parse(&format!("{line} {number}")).unwrap_err();
                assert!(why.to_string().contains(expected), "{line} {number}: {why}");
            }
            for number in bounds {
                assert!(parse(&format!("{line} {number}")).is_ok(), "{line} {number}");
            }
        }
        let words = |count| format!("chat hide {}", vec!["word"; count].join(","));
        assert!(
            parse(&words(MAX_BLOCKED_WORDS)).is_ok()
                && parse(&words(MAX_BLOCKED_WORDS + 1)).is_err()
        );
        assert!(parse(&format!("chat hide {}", "a".repeat(MAX_BLOCKED_WORD_CHARS + 1))).is_err());
    }

    #[test]
    fn seek_positions_are_those_of_the_played_stream() {
        let file =
            Figures { position: seconds(5), duration: Some(seconds(12)), ..Figures::default() };
        assert_eq!(way(SeekPlace::At(seconds(9)), &file), Ok(SeekDirection::To(seconds(9))));
        let step = |by, ahead| Ok(SeekDirection::Step { by: seconds(by), ahead });
        assert_eq!(way(SeekPlace::Back(seconds(9)), &file), step(9, false));
        assert_eq!(way(SeekPlace::Ahead(seconds(9)), &file), step(9, true));
        assert!(way(SeekPlace::At(seconds(13)), &file).unwrap_err().to_string().contains("12.0 s"));
        assert_eq!(way_back(None, &file), Ok(SeekDirection::To(seconds(0))));
        assert!(way_back(Some(seconds(1)), &file).is_err());
        let time_shift = Some(TimeShiftState { range: seconds(60), behind: seconds(20), bytes: 1 });
        let live = Figures { time_shift, ..Figures::default() };
        assert_eq!(way(SeekPlace::Back(seconds(99)), &live), step(99, false));
        assert_eq!(way(SeekPlace::Ahead(seconds(5)), &live), step(5, true));
        assert!(way(SeekPlace::At(seconds(5)), &live).unwrap_err().to_string().contains("go-live"));
        assert_eq!(way_back(None, &live), Ok(SeekDirection::Behind(seconds(60))));
        assert_eq!(way_back(Some(seconds(30)), &live), Ok(SeekDirection::Behind(seconds(30))));
        assert!(way_back(Some(seconds(61)), &live).unwrap_err().to_string().contains("60.0 s"));
        let nothing = Figures::default();
        assert!(
            way(SeekPlace::Back(seconds(1)), &nothing).is_err()
                && way_back(None, &nothing).is_err()
        );
        assert!(recordable(&live).is_ok() && recordable(&file).is_err());
        let saving = Some(Saving { path: "/a.flv".into(), ..Saving::default() });
        assert!(
            recordable(&Figures { saving, ..live }).unwrap_err().to_string().contains("/a.flv")
        );
    }

    #[test]
    fn one_of_several_is_chosen_around_the_end() {
        assert_eq!(
            (StreamSelection::Next.of(3, 2), StreamSelection::Previous.of(3, 0)),
            (Ok(0), Ok(2))
        );
        assert_eq!(StreamSelection::Number(1).of(3, 0), Ok(1));
        assert!(
            StreamSelection::Number(3).of(3, 0).is_err() && StreamSelection::Next.of(1, 0).is_err()
        );
        assert_eq!((Volume::By(0.1).on(0.95), Volume::To(0.3).on(1.0)), (1.0, 0.3));
    }
}
