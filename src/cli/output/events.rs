//! Prints the studio's events as lines: JSON objects with the public field names, or sentences. The
//! file is long because it gives every event its fields.

use serde_json::{Value, json};

use crate::cli::output::exit::Exit;
use crate::cli::output::flag_cures::with_flags;
use crate::cli::output::stats::{one_decimal, seconds, stats_fields, two_decimals};
use crate::cli::output::{Output, clients, guests};
use crate::media::source_status::{SourceFormat, SourceState};
use crate::media::{Size, Track};
use crate::server;
use crate::server::relay::Direction;
use crate::studio::event::service_chat::{ServiceChatNews, ServiceLine};
use crate::studio::event::stats::{DelayState, Stats};
use crate::studio::event::{
    Chapter, Delay, Encoder, Monitor, Ready, Recording, Replay, Screenshot, Source, Target,
};
use crate::studio::notices::Level;
use crate::studio::notices::health::Health;
use crate::studio::notices::message::StudioMessage;
use crate::studio::{Event, Notice};
use crate::text::problem::{Problem, problem};
use crate::text::{self, Language};

/// Prints one event.
pub fn print(output: &Output, event: &Event) {
    match event {
        Event::Ready(ready) => print_ready(output, ready),
        Event::Source(source) => print_source(output, source),
        Event::Scene(name) => {
            let text = problem!("out-scene", name = name);
            output.event("scene", json!({"name": name}), || Some(output.say(&text)));
        }
        Event::Encoder(encoder) => print_encoder(output, encoder),
        Event::Target(target) => print_target(output, target),
        Event::Monitor(monitor) => print_monitor(output, monitor),
        Event::Recording(recording) => print_recording(output, recording),
        Event::Delay(delay) => print_delay(output, delay),
        Event::Chapter(chapter) => print_chapter(output, chapter),
        Event::Replay(replay) => print_replay(output, replay),
        Event::Screenshot(screenshot) => print_screenshot(output, screenshot),
        Event::Stats(stats) => print_stats(output, stats),
        Event::ServiceChat(news) => print_service_chat(output, news),
        Event::Guest(guest) => guests::print(output, guest),
        Event::Server(event) => print_server(output, event),
        Event::Notice(notice) => print_notice(output, notice),
        Event::Health(health) => print_health(output, health),
        // The command `play` prints the events of players itself.
        Event::Player(..) | Event::Totals(_) | Event::Stopped => {}
    }
}

/// Prints that the built-in server is listening.
pub fn print_ready(output: &Output, ready: &Ready) {
    let fields = json!({
        "rtmp": ready.rtmp,
        "rtmps": ready.rtmps,
        "rtmpt": ready.rtmpt,
        "http": ready.http,
        "https": ready.https,
        "https_fingerprint": ready.https_fingerprint,
        "webrtc": ready.webrtc,
        "srt": ready.srt,
        "play": ready.play,
        "hls": ready.hls,
        "dash": ready.dash,
        "hls_ts": ready.hls_ts,
        "flv": ready.flv,
        "whep": ready.whep,
        "watch": ready.watch,
        "token_file": ready.token_file,
    });
    output.event("ready", fields, || {
        let rest = [&ready.rtmps, &ready.rtmpt, &ready.http, &ready.https, &ready.srt];
        let rest = rest.into_iter().flatten();
        let addresses: Vec<&str> =
            std::iter::once(&ready.rtmp).chain(rest).map(String::as_str).collect();
        let mut lines = vec![output.say(&problem!("out-ready", addresses = &addresses))];
        let play: Vec<&str> = [&ready.watch, &ready.play, &ready.hls, &ready.flv, &ready.whep]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        if !play.is_empty() {
            lines.push(output.say(&problem!("out-ready-play", addresses = &play)));
        }
        if let Some(pin) = &ready.https_fingerprint {
            lines.push(output.say(&problem!("out-ready-own-certificate", pin = pin)));
        }
        if let Some(file) = ready.token_file.as_ref().filter(|_| ready.http.is_some()) {
            lines.push(output.say(&problem!("out-ready-token", file = file)));
        }
        Some(lines.join("\n"))
    });
}

fn print_source(output: &Output, source: &Source) {
    let report = &source.report;
    // Only the result is reported.
    if report.state == SourceState::Opening {
        return;
    }
    let language = output.language();
    let (state, reason) = state_of(source);
    let mut fields = json!({
        "kind": source.kind,
        "id": some(&report.id),
        "name": some(&report.name),
        "state": state,
        "reason": (!reason.is_empty()).then(|| language.say_with_cure(&reason)),
    });
    let mut format = None;
    if let Value::Object(fields) = &mut fields {
        match report.format {
            SourceFormat::Video { size, fps } => {
                fields.insert("width".into(), size.width.into());
                fields.insert("height".into(), size.height.into());
                fields.insert("fps".into(), json!(known_rate(fps)));
                format = Some(video_format(size, fps));
            }
            SourceFormat::Audio { rate, channels } => {
                fields.insert("rate".into(), rate.into());
                fields.insert("channels".into(), channels.into());
                let rate = rate.to_string();
                format = Some(problem!("out-audio-format", rate = rate, channels = channels));
            }
            SourceFormat::Unknown => {}
        }
    }
    output.event("source", fields, || {
        let track = track(source.track);
        let name = source_name(source.kind).unwrap_or_else(|| Problem::words(report.name.as_str()));
        let text = problem!("out-source", track = track, name = name, state = state);
        let more = match reason.is_empty() {
            true => format.map(|format| language.say(&format)),
            false => Some(language.say_with_cure(&reason)),
        };
        Some(with(output, text, more))
    });
}

/// Returns the state of a source in its event, and the reason. A file or stream without video fails
/// as a video source, because viewers get the placeholder.
fn state_of(source: &Source) -> (&'static str, Problem) {
    let report = &source.report;
    let may_lack_video = source.track == Track::Video && matches!(source.kind, "file" | "stream");
    match (report.state, report.format) {
        (SourceState::Open, SourceFormat::Unknown) if may_lack_video => {
            (SourceState::Failed.name(), problem!("source-only-audio", name = &report.name))
        }
        _ if source.back => ("back", report.reason.clone()),
        (state, _) => (state.name(), report.reason.clone()),
    }
}

/// Returns the frame rate of a video source, if it is known. The rate of a file is measured later.
fn known_rate(fps: f64) -> Option<f64> {
    (fps > 0.0).then_some(fps)
}

/// Returns the format of a video source.
fn video_format(size: Size, fps: f64) -> Problem {
    let size = size.to_string();
    match known_rate(fps) {
        Some(fps) => problem!("out-video-format", size = size, fps = rounded(fps)),
        None => Problem::words(size),
    }
}

/// Returns the name of a source that onair generates.
fn source_name(kind: &str) -> Option<Problem> {
    match kind {
        "test" => Some(problem!("test-pattern")),
        "tone" => Some(problem!("test-tone")),
        _ => None,
    }
}

fn print_encoder(output: &Output, encoder: &Encoder) {
    let track = track(encoder.track);
    let fields = json!({
        "program": encoder.program.program(),
        "track": track,
        "name": encoder.name,
        "profile": encoder.profile,
        "level": some(&encoder.level),
        "bitrate": encoder.bitrate,
        "preset": encoder.preset,
        "why": some(&encoder.why),
        "output": if encoder.is_of_recording { "recording" } else { "stream" },
    });
    output.event("encoder", fields, || {
        Some(output.say(&problem!(
            "out-encoder",
            track = track,
            name = encoder.name.to_string(),
            profile = encoder.profile.to_string(),
            kbps = (encoder.bitrate / 1_000).to_string()
        )))
    });
}

fn print_target(output: &Output, target: &Target) {
    let language = output.language();
    // The cause of an earlier attempt does not belong to the stage of this one.
    let cause = target.cause.as_ref().filter(|_| !target.is_earlier);
    let code = target.code.as_ref().filter(|_| !target.is_earlier);
    let advice = cause.and_then(|cause| language.cure(&with_flags(cause)));
    let fields = json!({
        "index": target.index,
        "program": target.program.program(),
        "url": target.url,
        "protocol": target.url.split_once("://").map(|(scheme, _)| scheme),
        "state": target.state.name(),
        "stage": target.stage,
        "code": code,
        "cause": cause.map(|cause| language.say(cause)),
        "advice": advice,
        "retry_in": target.retry_in.map(seconds),
        "retried_for": target.retried_for.map(seconds),
    });
    output.event("target", fields, || {
        let mut text = problem!("out-target", url = &target.url, state = target.state.name());
        if let (Some(stage), false) = (target.stage, target.state.is_settled()) {
            text = problem!("out-target-stage", what = text, stage = stage);
        }
        if let Some(cause) = cause {
            text = problem!("out-with", what = text, more = cause);
        }
        if let Some(limit) = target.retried_for {
            let seconds = limit.as_secs_f64().to_string();
            text = problem!("out-target-time-over", what = text, seconds = seconds);
        }
        if let Some(retry_in) = target.retry_in {
            let seconds = format!("{:.1}", retry_in.as_secs_f64());
            text = problem!("out-target-retry", what = text, seconds = seconds);
        }
        let text = output.say(&text);
        Some(match (advice, target.exit) {
            (Some(advice), Some(_)) if target.retry_in.is_none() => language.joined(&text, &advice),
            _ => text,
        })
    });
}

fn print_monitor(output: &Output, monitor: &Monitor) {
    let language = output.language();
    let millis = |value: Option<f64>| value.map(one_decimal);
    let fields = json!({
        "index": monitor.index,
        "url": monitor.url,
        "state": monitor.state,
        "troubles": monitor.troubles,
        "latency_ms": millis(monitor.latency_ms),
        "latency_by": monitor.latency_by,
        "av_offset_ms": millis(monitor.av_offset_ms),
        "width": monitor.size.map(|size| size.width),
        "height": monitor.size.map(|size| size.height),
        "fps": monitor.fps.map(two_decimals),
        "bitrate": monitor.bitrate,
        "video": monitor.video,
        "audio": monitor.audio,
        "cause": monitor.cause.as_ref().map(|cause| language.say(cause)),
        "advice": monitor.notice.as_ref().and_then(|notice| language.cure(notice)),
    });
    output.event("monitor", fields, || {
        let mut text = problem!("out-monitor", url = &monitor.url, state = monitor.state);
        if let Some(millis) = monitor.latency_ms {
            let seconds = format!("{:.1}", millis / 1e3);
            text = problem!("out-monitor-behind", what = text, seconds = seconds);
        }
        let cause = monitor.cause.as_ref().map(|cause| language.say(cause));
        Some(with(output, text, cause))
    });
}

/// Joins a text and additional details.
fn with(output: &Output, text: Problem, more: Option<String>) -> String {
    let whole = match more {
        Some(more) => problem!("out-with", what = text, more = more),
        None => text,
    };
    output.say(&whole)
}

/// Rounds a number to four decimals.
fn rounded(number: f64) -> String {
    format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Returns the reason for a failure, and the cure.
fn failed(output: &Output, reason: Option<&Problem>) -> Option<String> {
    reason.map(|reason| output.language().say_with_cure(reason))
}

fn print_recording(output: &Output, recording: &Recording) {
    let why = failed(output, recording.reason.as_ref());
    let fields = json!({
        "program": recording.program.program(),
        "source": recording.program.source(),
        "path": recording.path.display().to_string(),
        "state": recording.state.name(),
        "seconds": seconds(recording.duration),
        "bytes": recording.bytes,
        "reason": why,
        "part": recording.part,
        "paused": recording.paused,
    });
    output.event("recording", fields, || {
        let path = recording.path.display().to_string();
        let state = if recording.paused { "paused" } else { recording.state.name() };
        Some(with(output, problem!("out-recording", path = path, state = state), why))
    });
}

fn print_delay(output: &Output, delay: &Delay) {
    let (now, wanted) = (seconds(delay.delay), seconds(delay.wanted));
    let fields = json!({ "state": delay.state.name(), "seconds": now, "wanted": wanted });
    output.event("delay", fields, || {
        let seconds = now.to_string();
        Some(output.say(&match delay.state {
            DelayState::Filling => problem!("out-delay-filling", seconds = seconds),
            DelayState::On | DelayState::Shortened => {
                problem!("out-delay-on", seconds = seconds)
            }
            DelayState::Draining => problem!("out-delay-draining"),
        }))
    });
}

fn print_chapter(output: &Output, chapter: &Chapter) {
    let path = chapter.path.display().to_string();
    let at = seconds(chapter.at);
    let fields = json!({ "path": path, "seconds": at, "title": chapter.title });
    let (seconds, title) = (at.to_string(), &chapter.title);
    let text = problem!("out-chapter", seconds = seconds, title = title);
    output.event("chapter", fields, || Some(output.say(&text)));
}

fn print_service_chat(output: &Output, news: &ServiceChatNews) {
    match news {
        ServiceChatNews::Line(ServiceLine { address, post, .. }) => {
            let line = &post.line;
            let fields = json!({
                "service": address.service.name(),
                "channel": address.channel,
                "name": line.name,
                "text": line.text,
                "role": post.role.name(),
            });
            output.event("chat", fields, || {
                let name = if line.name.is_empty() { "*" } else { &line.name };
                Some(format!("{name}: {}", line.text))
            });
        }
        ServiceChatNews::State(address, state) => {
            let cause = state.cause().map(|cause| output.say(cause));
            let fields = json!({
                "service": address.service.name(),
                "channel": address.channel,
                "state": state.name(),
                "cause": cause,
            });
            output.event("chat", fields, || {
                cause.map(|cause| output.say(&problem!("play-no-chat", cause = cause)))
            });
        }
    }
}

fn print_replay(output: &Output, replay: &Replay) {
    let path = replay.path.display().to_string();
    let why = failed(output, replay.reason.as_ref());
    let fields = json!({
        "path": path,
        "state": replay.state.name(),
        "seconds": seconds(replay.duration),
        "bytes": replay.bytes,
        "reason": why,
    });
    output.event("replay", fields, || {
        let state = replay.state.name();
        Some(with(output, problem!("out-replay", path = path, state = state), why))
    });
}

fn print_screenshot(output: &Output, screenshot: &Screenshot) {
    let path = screenshot.path.display().to_string();
    let state = if screenshot.reason.is_some() { "failed" } else { "finished" };
    let why = failed(output, screenshot.reason.as_ref());
    let fields = json!({ "path": path, "state": state, "reason": why });
    output.event("snapshot", fields, || {
        Some(with(output, problem!("out-screenshot", path = path, state = state), why))
    });
}

fn print_stats(output: &Output, stats: &Stats) {
    if output.is_json() {
        output.event("stats", stats_fields(stats), || None);
    }
}

/// Prints an event of the built-in server: a client connected or left, or a fault was simulated.
pub fn print_server(output: &Output, event: &server::Event) {
    let (name, peer, ended) = match event {
        server::Event::Fault(struck) => {
            let fields = json!({
                "fault": struck.fault,
                "phase": struck.phase.name(),
                "peer": struck.address.to_string(),
                "id": struck.id,
            });
            output.event("fault", fields, || {
                let peer = struck.address.to_string();
                let fault = struck.fault.to_string();
                Some(output.say(&problem!("out-fault", fault = fault, peer = peer)))
            });
            return;
        }
        server::Event::Recording(recording) => {
            let why = failed(output, recording.reason.as_ref());
            // The length of a deleted file is unknown.
            let is_known = recording.state != server::RecordingState::Deleted;
            let fields = json!({
                "path": recording.path.display().to_string(),
                "state": recording.state.name(),
                "seconds": is_known.then(|| seconds(recording.after)),
                "bytes": recording.bytes,
                "reason": why,
                "app": recording.app,
                "stream": recording.stream,
            });
            output.event("recording", fields, || {
                let (path, state) = (recording.path.display().to_string(), recording.state.name());
                Some(with(output, problem!("out-recording", path = path, state = state), why))
            });
            return;
        }
        server::Event::Disk(warning) => {
            print_message(output, &StudioMessage::of_disk(*warning));
            return;
        }
        server::Event::Held(path, trouble) => {
            let path = path.display().to_string();
            let reason = trouble.as_problem().unwrap_or_default();
            print_message(output, &StudioMessage::RecordingNotStarted { path, reason });
            return;
        }
        server::Event::Relay(change) => return print_relay(output, change),
        server::Event::Unusual(unusual) => {
            let language = output.language();
            let name = format!("{}/{}", unusual.app, unusual.stream);
            let fields = json!({
                "level": "warning",
                "key": "unusual-stream",
                "summary": format!("{name}: {}", language.say(&unusual.reason)),
                "advice": language.cure(&unusual.reason),
                "detail": unusual.cause,
                "target": null,
                "args": null,
                "problem": names(&unusual.reason),
            });
            output.event("notice", fields, || {
                Some(format!("{name}: {}", output.language().say_with_cure(&unusual.reason)))
            });
            return;
        }
        server::Event::Rendition(change) => {
            let why = failed(output, change.reason.as_ref());
            let fields = json!({
                "app": change.app,
                "stream": change.stream,
                "rendition": change.rendition,
                "state": change.state.name(),
                "cause": change.cause,
                "reason": why,
            });
            output.event("rendition", fields, || {
                let stream = format!("{}/{}", change.app, change.stream);
                let (name, state) = (change.rendition.clone(), change.state.name());
                let text = problem!("out-rendition", name = name, stream = stream, state = state);
                Some(with(output, text, why))
            });
            return;
        }
        server::Event::Drain { successor } => {
            output.event("drain", json!({ "successor": successor }), || {
                let text = match successor {
                    Some(url) => problem!("out-drain", url = url),
                    None => problem!("out-drain-nowhere"),
                };
                Some(output.say(&text))
            });
            return;
        }
        server::Event::Refused(refusal) => return clients::print_refusal(output, refusal),
        server::Event::Callback(answer) => return clients::print_callback(output, answer),
        server::Event::Publish(peer) => ("publish", peer, None),
        server::Event::Unpublish(peer, ended) => ("unpublish", peer, Some(ended)),
        server::Event::Join(peer) => ("join", peer, None),
        server::Event::Leave(peer, ended) => ("leave", peer, Some(ended)),
    };
    let fields = json!({
        "app": peer.app,
        "stream": peer.stream,
        "peer": peer.address.to_string(),
        "id": peer.id,
        "protocol": peer.protocol.name(),
        "reason": ended.map(|ended| output.say(&ended.reason)),
        "seconds": ended.map(|ended| seconds(ended.after)),
        "bytes": ended.map(|ended| ended.bytes),
    });
    output.event(name, fields, || {
        let stream = format!("{}/{}", peer.app, peer.stream);
        let peer = peer.address.to_string();
        let reason = ended.map(|ended| ended.reason.clone()).unwrap_or_default();
        Some(output.say(&match name {
            "publish" => problem!("out-publish", peer = peer, stream = stream),
            "unpublish" => {
                problem!("out-unpublish", peer = peer, stream = stream, reason = reason)
            }
            "join" => problem!("out-join", peer = peer, stream = stream),
            _ => problem!("out-leave", peer = peer, stream = stream, reason = reason),
        }))
    });
}

fn print_relay(output: &Output, change: &server::relay::RelayChange) {
    let (direction, state) = (change.direction.name(), change.state.name());
    let cause = change.cause.as_ref().map(|cause| output.language().say_with_cure(cause));
    let fields = json!({
        "id": change.id,
        "direction": direction,
        "app": change.app,
        "stream": change.stream,
        "url": change.url,
        "state": state,
        "cause": cause,
        "retry_in": change.retry_in.map(seconds),
    });
    output.event("relay", fields, || {
        let stream = format!("{}/{}", change.app, change.stream);
        let (url, state) = (&change.url, state.to_owned());
        let text = match change.direction {
            Direction::Push => problem!("out-push", stream = stream, url = url, state = state),
            Direction::Pull => problem!("out-pull", stream = stream, url = url, state = state),
        };
        Some(with(output, text, cause))
    });
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// Prints the health sentence.
fn print_health(output: &Output, health: &Health) {
    let (sentence, detail) = health.words(output.language());
    let fields = json!({
        "activity": health.activity.name(),
        "level": health.level.map_or("good", level_name),
        "sentence": sentence,
        "detail": some(&detail),
        "more": health.more,
    });
    output.event("health", fields, || {
        let level = health.level.map_or("good", level_name);
        let sentence = output.language().joined(&sentence, &detail);
        Some(output.say(&problem!("out-health", level = level, sentence = sentence)))
    });
}

/// Prints a notice.
pub fn print_notice(output: &Output, notice: &Notice) {
    let language = output.language();
    let level = level_name(notice.level);
    let problem = with_flags(&notice.problem);
    let fields = json!({
        "level": level,
        "key": notice.key(),
        "summary": language.say(&problem),
        "advice": language.cure(&problem),
        "detail": some(&notice.detail),
        "target": notice.target,
        "args": (!problem.args().is_empty()).then(|| values(&problem, language)),
        "problem": names(&problem),
    });
    output.event("notice", fields, || {
        let text = language.say_with_cure(&problem);
        Some(output.say(&problem!("out-notice", level = level, text = text)))
    });
}

/// Returns the values that the texts of a problem contain.
pub fn values(problem: &Problem, language: Language) -> serde_json::Map<String, Value> {
    let value = |(name, value): &(&str, _)| ((*name).to_owned(), language.value(value).into());
    problem.args().iter().map(value).collect()
}

/// Returns a problem as the names of its messages, which are the same in every language.
fn names(problem: &Problem) -> Value {
    let value = |value: &text::Value| match value {
        text::Value::Text(text) => Value::from(&**text),
        text::Value::Number(number) => Value::from(*number),
        text::Value::List(names) => names.join(", ").into(),
        text::Value::Problem(problem) => names(problem),
        text::Value::Problems(problems) => problems.iter().map(names).collect(),
    };
    let args = problem.args().iter().map(|(name, it)| ((*name).to_owned(), value(it)));
    let args: serde_json::Map<_, _> = args.collect();
    match problem.own_cure() {
        Some(cure) => json!({ "id": problem.id(), "args": args, "cure": names(cure) }),
        None => json!({ "id": problem.id(), "args": args }),
    }
}

/// Prints a message from a command that runs without a studio.
pub fn print_message(output: &Output, message: &StudioMessage) {
    print_notice(output, &message.notice(0, ""));
}

/// Prints the last line.
pub fn summary(output: &Output, stats: Option<&Stats>, exit: Exit, more: impl FnOnce() -> Value) {
    let mut fields = stats.map_or_else(|| json!({}), stats_fields);
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more()) {
        fields.extend(more);
        fields.insert("exit".into(), exit.code().into());
    }
    output.event("summary", fields, || {
        let exit = exit.code().to_string();
        Some(output.say(&match stats {
            Some(Stats { video: None, audio: None, targets, .. }) => {
                let frames = targets.iter().map(|target| target.sent_frames).max().unwrap_or(0);
                problem!("out-ended-sent", frames = frames, exit = exit)
            }
            _ => {
                let video = stats.and_then(|stats| stats.video);
                let frames = video.map_or(0, |video| video.encoded);
                problem!("out-ended-encoded", frames = frames, exit = exit)
            }
        }))
    });
}

/// Converts the exit code of another part of onair.
pub fn exit(code: Option<u8>) -> Exit {
    match code {
        Some(2) => Exit::Usage,
        Some(3) => Exit::File,
        Some(4) => Exit::Device,
        Some(5) => Exit::Codec,
        Some(6) => Exit::Unreachable,
        Some(7) => Exit::Refused,
        Some(8) => Exit::Lost,
        Some(9) => Exit::NoStream,
        _ => Exit::Error,
    }
}

fn track(track: Track) -> &'static str {
    match track {
        Track::Video | Track::Rendition(_) => "video",
        Track::Audio | Track::Extra(_) => "audio",
    }
}

/// Returns the text, or `None` (`null` in JSON) for an empty text.
fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::source_status::SourceReport;

    #[test]
    fn a_source_has_a_name_in_the_users_language_and_a_rate_once_known() {
        let chinese = |problem: &Problem| Language::Chinese.say(problem);
        assert_eq!(chinese(&source_name("test").unwrap()), "测试画面");
        assert_eq!(chinese(&source_name("tone").unwrap()), "测试音");
        assert!(source_name("camera").is_none());
        let size = Size::new(64, 36);
        assert_eq!(video_format(size, 0.0).to_string(), "64x36");
        assert_eq!(video_format(size, 25.0).to_string(), "64x36 at 25 fps");
        assert_eq!([0.0, 25.0].map(known_rate), [None, Some(25.0)]);
    }

    #[test]
    fn one_frame_is_no_plural() {
        let line = |frames: u64| problem!("out-ended-encoded", frames = frames, exit = "0");
        let text = |frames| Language::English.say(&line(frames));
        assert_eq!(text(1), "Ended: 1 frame encoded, exit code 0");
        assert_eq!(text(2), "Ended: 2 frames encoded, exit code 0");
    }

    #[test]
    fn a_file_without_video_fails_as_a_video_source_only() {
        let source = |track, kind, format| {
            let name = "song.mp3".to_owned();
            let state = SourceState::Open;
            let report = SourceReport { state, name, format, ..SourceReport::default() };
            Source { track, kind, back: false, report }
        };
        let (state, reason) = state_of(&source(Track::Video, "file", SourceFormat::Unknown));
        assert_eq!((state, reason.to_string()), ("failed", "song.mp3 contains only audio".into()));
        let video = SourceFormat::Video { size: Size::new(64, 36), fps: 0.0 };
        for opened in [
            source(Track::Video, "file", video),
            source(Track::Video, "text", SourceFormat::Unknown),
            source(Track::Audio, "file", SourceFormat::Unknown),
        ] {
            assert_eq!(state_of(&opened), ("open", Problem::default()));
        }
    }
}
