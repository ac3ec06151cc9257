//! Prints the output of `onair play`, with or without a window: events with `--json`, otherwise
//! sentences.

use serde_json::{Value, json};

use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::cli::output::stats::{one_decimal, seconds};
use crate::player::chat::ChatState;
use crate::player::source::host_of;
use crate::player::{Failure, FailureKind, Figures, PlayerMessage, Severity, Source, State};
use crate::text::Language;
use crate::text::problem::problem;
use crate::wire::chat::{ChatLine, ChatRole};

/// Prints the last line for several streams.
pub(super) fn totals(
    output: &Output,
    figures: &[Figures],
    streams: usize,
    (exit, error): (Exit, Option<&str>),
) {
    let sum = |count: fn(&Figures) -> u64| figures.iter().map(count).sum::<u64>();
    let shown = sum(|figures| figures.shown);
    let fields = json!({
        "streams": streams,
        "decoded": sum(|figures| figures.decoded),
        "shown": shown,
        "dropped": sum(|figures| figures.dropped),
        "audio_samples": sum(|figures| figures.audio_samples),
        "received_bytes": sum(|figures| figures.received_bytes),
        "error": error,
        "exit": exit.code(),
    });
    let text = problem!("out-ended-streams", streams = streams, shown = shown);
    output.event("summary", fields, || Some(output.say(&text)));
}

/// Prints an event, with the number of its stream if there are several.
pub(super) fn event(
    output: &Output,
    index: Option<usize>,
    name: &str,
    mut fields: Value,
    words: impl FnOnce() -> Option<String>,
) {
    if let (Some(index), Some(fields)) = (index, fields.as_object_mut()) {
        fields.insert("index".into(), index.into());
    }
    output.event(name, fields, || words().map(|words| numbered(index, words)));
}

/// Puts the stream's number, counted from 1, before the sentence if there are several streams.
pub(super) fn numbered(index: Option<usize>, words: String) -> String {
    match index {
        Some(index) => format!("{}: {words}", index + 1),
        None => words,
    }
}

/// Returns the fields of the event `play`, or `None` if there is nothing to report yet.
pub(super) fn state(language: Language, state: &State) -> Option<Value> {
    Some(match state {
        State::Starting => return None,
        State::Opening { stage } => json!({ "state": "opening", "stage": stage }),
        State::Playing => json!({ "state": "playing" }),
        State::Reconnecting { cause, retry_in } => json!({
            "state": "reconnecting",
            "cause": language.say(cause),
            "retry_in": retry_in.as_secs_f64(),
        }),
        State::Ended => json!({ "state": "ended" }),
        State::Failed(failure) => json!({
            "state": "failed",
            "code": failure.kind.exit_code(),
            "cause": language.say(&failure.problem),
            "advice": language.cure(&failure.problem).unwrap_or_default(),
        }),
    })
}

/// Returns the state as a sentence, if there is something to report.
pub(super) fn state_words(language: Language, state: &State) -> Option<String> {
    match state {
        State::Starting | State::Opening { .. } | State::Failed(_) => None,
        State::Playing => Some(language.say(&problem!("play-playing"))),
        State::Reconnecting { cause, retry_in } => {
            let seconds = format!("{:.1}", retry_in.as_secs_f64());
            Some(language.say(&problem!("play-lost", cause = cause, seconds = seconds)))
        }
        State::Ended => Some(language.say(&problem!("play-over"))),
    }
}

/// Prints a player's message about its stream.
pub(super) fn message(output: &Output, index: Option<usize>, message: &PlayerMessage) {
    let language = output.language();
    let (summary, cure) = (language.say(&message.problem), language.cure(&message.problem));
    let cure = cure.unwrap_or_default();
    let level = match message.severity {
        Severity::Info => "info",
        Severity::Warning => "warning",
    };
    let fields = json!({
        "level": level,
        "key": message.key(),
        "summary": summary,
        "advice": cure,
        "detail": message.detail,
    });
    event(output, index, "notice", fields, || {
        Some(format!("{summary} {cure}").trim_end().to_owned())
    });
}

/// Prints a line of the chat.
pub(super) fn line(output: &Output, index: Option<usize>, role: ChatRole, line: &ChatLine) {
    let fields = json!({ "name": line.name, "text": line.text, "role": role.name() });
    event(output, index, "chat", fields, || {
        let name = if line.name.is_empty() { "*" } else { &line.name };
        Some(format!("{name}: {}", line.text))
    });
}

/// Prints the state of the chat.
pub(super) fn chat(output: &Output, index: Option<usize>, state: &ChatState) {
    let cause = state.cause().map(|cause| output.language().say(cause));
    event(output, index, "chat", json!({ "state": state.name(), "cause": cause }), || {
        cause.map(|cause| output.language().say(&problem!("play-no-chat", cause = cause)))
    });
}

/// Returns the fields of the event `play_stats`.
pub(super) fn fields(figures: &Figures, measure: bool) -> Value {
    let mut fields = json!({
        "width": figures.size.map(|size| size.width),
        "height": figures.size.map(|size| size.height),
        "decoded": figures.decoded,
        "shown": figures.shown,
        "dropped": figures.dropped,
        "late": figures.late,
        "skipped": figures.skipped,
        "damaged": figures.damaged,
        "audio_samples": figures.audio_samples,
        "underruns": figures.underruns,
        "buffer_ms": figures.buffer.as_millis() as u64,
        "speed": (figures.speed * 10_000.0).round() / 10_000.0,
        "first_picture_ms": figures.first_frame.map(|first| first.as_millis() as u64),
        "reconnects": figures.reconnects,
        "fps": one_decimal(figures.fps),
        "bitrate": figures.bitrate,
        "video": figures.video,
        "audio": figures.audio,
        "audio_device": figures.device,
        "jitter_ms": figures.jitter.map(|jitter| one_decimal(jitter.as_secs_f64() * 1_000.0)),
        "sender_latency_ms": figures.sender_latency_ms.map(one_decimal),
        "paused": figures.paused,
        "position": figures.duration.map(|_| seconds(figures.position)),
        "duration": figures.duration.map(seconds),
        "behind": figures.time_shift.map(|kept| seconds(kept.behind)),
        "rewind": figures.time_shift.map(|kept| seconds(kept.range)),
        "volume": (figures.volume * 100.0).round(),
        "muted": figures.muted,
        "saving": figures.saving.as_ref().map(|saving| json!({
            "path": saving.path.display().to_string(),
            "seconds": seconds(saving.time),
            "bytes": saving.bytes,
        })),
    });
    if measure && let Some(fields) = fields.as_object_mut() {
        fields.insert("latency_ms".into(), json!(figures.latency_ms.map(one_decimal)));
        fields.insert("arrival_ms".into(), json!(figures.arrival_ms.map(one_decimal)));
        fields.insert("av_offset_ms".into(), json!(figures.av_offset_ms.map(one_decimal)));
    }
    fields
}

/// Formats the figures of one second as a sentence.
pub(super) fn stats_words(language: Language, figures: &Figures) -> String {
    if figures.size.is_none() && figures.audio_samples == 0 && figures.buffer.is_zero() {
        return language.say(&problem!("play-awaits-data"));
    }
    let size = match figures.size {
        Some(size) => size.to_string(),
        None => language.say(&problem!("play-no-frame")),
    };
    let mut words = language.say(&problem!(
        "play-figures",
        size = size,
        fps = format!("{:.1}", figures.fps),
        kbps = (figures.bitrate / 1_000).to_string(),
        buffer = figures.buffer.as_millis().to_string(),
        dropped = figures.dropped.to_string(),
        underruns = figures.underruns.to_string(),
    ));
    if let Some(ms) = figures.latency_ms {
        let latency = problem!("play-latency", ms = format!("{ms:.0}"));
        words = format!("{words} · {}", language.say(&latency));
    }
    words
}

pub(super) fn summary(
    output: &Output,
    figures: &Figures,
    measure: bool,
    index: Option<usize>,
    (exit, error): (Exit, Option<&str>),
) {
    let mut fields = fields(figures, measure);
    if let Some(fields) = fields.as_object_mut() {
        fields.insert("received_bytes".into(), figures.received_bytes.into());
        fields.insert("seconds".into(), figures.playing_for.as_secs_f64().into());
        fields.insert("error".into(), error.into());
        fields.insert("exit".into(), exit.code().into());
    }
    event(output, index, "summary", fields, || {
        let seconds = format!("{:.1}", figures.playing_for.as_secs_f64());
        Some(output.say(&problem!(
            "out-ended-played",
            shown = figures.shown,
            dropped = figures.dropped,
            seconds = seconds
        )))
    });
}

/// Returns the sentence for a failure. The sentence names the stream if the cause does not.
pub fn sentence_of(language: Language, source: &Source, failure: &Failure) -> String {
    let name = match source {
        Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        Source::Url(url) => host_of(url).to_owned(),
    };
    let text = language.say_with_cure(&failure.problem);
    match text.contains(&name) || failure.kind == FailureKind::Usage {
        true => text,
        false => format!("{name}: {text}"),
    }
}

/// Returns the exit code for a kind of failure.
pub const fn exit_of(kind: FailureKind) -> Exit {
    match kind {
        FailureKind::System => Exit::Error,
        FailureKind::Usage => Exit::Usage,
        FailureKind::File => Exit::File,
        FailureKind::Codec => Exit::Codec,
        FailureKind::Unreachable => Exit::Unreachable,
        FailureKind::Refused => Exit::Refused,
        FailureKind::Lost => Exit::Lost,
        FailureKind::NoSuchStream => Exit::NoStream,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Size;
    use crate::text::Problem;

    #[test]
    fn a_player_without_data_waits_for_the_stream() {
        let words = |figures: &Figures| stats_words(Language::English, figures);
        assert_eq!(words(&Figures::default()), "Waiting for video or audio.");
        let audio = Figures { audio_samples: 48_000, ..Figures::default() };
        assert!(words(&audio).starts_with("no video 0.0 fps"), "{}", words(&audio));
        let video = Figures { size: Some(Size::new(64, 36)), ..Figures::default() };
        assert!(words(&video).starts_with("64x36 0.0 fps"), "{}", words(&video));
    }

    #[test]
    fn what_was_to_be_played_is_named_once_and_without_a_password() {
        let sentence = |source: &str, cause: &str| {
            let failure =
                Failure::new(FailureKind::Codec, Problem::words(cause).with_cure("Wait.".into()));
            sentence_of(Language::English, &Source::parse(source), &failure)
        };
        assert_eq!(sentence("/films/a.flv", "it has no codec"), "a.flv: it has no codec. Wait.");
        assert_eq!(sentence("/films/a.flv", "/films/a.flv is bad"), "/films/a.flv is bad. Wait.");
        let url = "rtmp://me:secret@h.example:1/live/key?x=1";
        assert_eq!(sentence(url, "nothing came"), "h.example:1: nothing came. Wait.");
        assert_eq!(sentence(url, "h.example:1: refused"), "h.example:1: refused. Wait.");
    }
}
