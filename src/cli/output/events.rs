//! The studio's events as lines: JSON objects with the public field names, or sentences.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::output::Output;
use crate::cli::output::exit::Exit;
use crate::media::Track;
use crate::media::source_status::{SourceFormat, SourceState};
use crate::server;
use crate::studio::event::stats::{DelayState, Stats};
use crate::studio::event::{
    Chapter, Delay, Encoder, Monitor, Ready, Recording, Replay, Snapshot, Source, Target, stats,
};
use crate::studio::notices::Level;
use crate::studio::notices::health::Health;
use crate::studio::notices::message::StudioMessage;
use crate::studio::{Event, Notice};
use crate::text::{self, Language, Problem};

/// Seconds with milliseconds.
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1_000.0).round() / 1_000.0
}

/// Prints one event.
pub fn print(output: &Output, event: &Event) {
    match event {
        Event::Ready(ready) => print_ready(output, ready),
        Event::Source(source) => print_source(output, source),
        Event::Scene(name) => {
            output.event("scene", json!({"name": name}), || Some(format!("Scene: {name}")));
        }
        Event::Encoder(encoder) => print_encoder(output, encoder),
        Event::Target(target) => print_target(output, target),
        Event::Monitor(monitor) => print_monitor(output, monitor),
        Event::Recording(recording) => print_recording(output, recording),
        Event::Delay(delay) => print_delay(output, delay),
        Event::Chapter(chapter) => print_chapter(output, chapter),
        Event::Replay(replay) => print_replay(output, replay),
        Event::Snapshot(snapshot) => print_snapshot(output, snapshot),
        Event::Stats(stats) => print_stats(output, stats),
        Event::Server(event) => print_server(output, event),
        Event::Notice(notice) => print_notice(output, notice),
        Event::Health(health) => print_health(output, health),
        // What players do, `play` tells in its own words.
        Event::Player(..) | Event::Totals(_) | Event::Stopped => {}
    }
}

/// The built-in server listens.
pub fn print_ready(output: &Output, ready: &Ready) {
    let fields = json!({
        "rtmp": ready.rtmp,
        "rtmps": ready.rtmps,
        "rtmpt": ready.rtmpt,
        "http": ready.http,
        "play": ready.play,
        "hls": ready.hls,
        "token_file": ready.token_file,
    });
    output.event("ready", fields, || {
        let play = ready.play.as_ref().map(|play| format!(", play {play}")).unwrap_or_default();
        let http = ready.http.as_ref().map(|http| format!(" and {http}")).unwrap_or_default();
        let hls = ready.hls.as_ref().map(|hls| format!(", HLS {hls}")).unwrap_or_default();
        let more = [&ready.rtmps, &ready.rtmpt].into_iter().flatten();
        let more: String = more.map(|url| format!(", {url}")).collect();
        let token = ready.token_file.as_ref().filter(|_| ready.http.is_some());
        let token = token.map(|file| format!("\nThe token for changes over HTTP is in {file}"));
        let token = token.unwrap_or_default();
        Some(format!("Server ready at {}{more}{http}{play}{hls}{token}", ready.rtmp))
    });
}

fn print_source(output: &Output, source: &Source) {
    let report = &source.report;
    // Only what became of it is told.
    if report.state == SourceState::Opening {
        return;
    }
    let language = output.language();
    let state = if source.back { "back" } else { report.state.name() };
    let mut fields = json!({
        "kind": source.kind,
        "id": some(&report.id),
        "name": some(&report.name),
        "state": state,
        "reason": (!report.reason.is_empty()).then(|| language.say_with_cure(&report.reason)),
    });
    let mut format = String::new();
    if let Value::Object(fields) = &mut fields {
        match report.format {
            SourceFormat::Video { size, fps } => {
                fields.insert("width".into(), size.width.into());
                fields.insert("height".into(), size.height.into());
                fields.insert("fps".into(), fps.into());
                format = format!(", {size} at {fps:.4} fps");
            }
            SourceFormat::Audio { rate, channels } => {
                fields.insert("rate".into(), rate.into());
                fields.insert("channels".into(), channels.into());
                format = format!(", {rate} Hz, {channels} channels");
            }
            SourceFormat::Unknown => {}
        }
    }
    output.event("source", fields, || {
        let what = if source.track == Track::Video { "Picture" } else { "Sound" };
        let why = match report.reason.is_empty() {
            true => format,
            false => format!(": {}", language.say_with_cure(&report.reason)),
        };
        Some(format!("{what}: {} is {state}{why}", report.name))
    });
}

fn print_encoder(output: &Output, encoder: &Encoder) {
    let track = track(encoder.track);
    let fields = json!({
        "track": track,
        "name": encoder.name,
        "profile": encoder.profile,
        "level": some(&encoder.level),
        "bitrate": encoder.bitrate,
        "why": some(&encoder.why),
    });
    output.event("encoder", fields, || {
        let kbps = encoder.bitrate / 1_000;
        Some(format!("Encoder ({track}): {} {}, {kbps} kbps", encoder.name, encoder.profile))
    });
}

fn print_target(output: &Output, target: &Target) {
    let language = output.language();
    let advice = target.cause.as_ref().and_then(|cause| language.cure(cause));
    let fields = json!({
        "index": target.index,
        "url": target.url,
        "state": target.state.name(),
        "stage": target.stage,
        "code": target.code,
        "cause": target.cause.as_ref().map(|cause| language.say(cause)),
        "advice": advice,
        "retry_in": target.retry_in.map(seconds),
    });
    output.event("target", fields, || {
        let mut words = format!("Target {}: {}", target.url, target.state.name());
        if let (Some(stage), false) = (target.stage, target.state.is_settled()) {
            words.push_str(&format!(" ({stage})"));
        }
        if let Some(cause) = &target.cause {
            words.push_str(&format!(": {}", language.say(cause)));
        }
        if let Some(retry_in) = target.retry_in {
            words.push_str(&format!("; retrying in {:.1} s", retry_in.as_secs_f64()));
        } else if let (Some(advice), Some(_)) = (advice, target.exit) {
            words.push_str(&format!(". {advice}"));
        }
        Some(words)
    });
}

fn print_monitor(output: &Output, monitor: &Monitor) {
    let language = output.language();
    let millis = |value: Option<f64>| value.map(tenths);
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
        "fps": monitor.fps.map(hundredths),
        "bitrate": monitor.bitrate,
        "video": monitor.video,
        "audio": monitor.audio,
        "cause": monitor.cause.as_ref().map(|cause| language.say(cause)),
        "advice": monitor.notice.as_ref().and_then(|notice| language.cure(notice)),
    });
    output.event("monitor", fields, || {
        let behind = monitor.latency_ms.map(|millis| format!(", {:.1} s behind", millis / 1e3));
        let cause = monitor.cause.as_ref().map(|cause| format!(": {}", language.say(cause)));
        Some(format!(
            "Viewers of {}: {}{}{}",
            monitor.url,
            monitor.state.replace('_', " "),
            behind.unwrap_or_default(),
            cause.unwrap_or_default(),
        ))
    });
}

/// Why something failed, and what helps.
fn failed(output: &Output, reason: Option<&Problem>) -> Option<String> {
    reason.map(|reason| output.language().say_with_cure(reason))
}

fn print_recording(output: &Output, recording: &Recording) {
    let why = failed(output, recording.reason.as_ref());
    let fields = json!({
        "path": recording.path.display().to_string(),
        "state": recording.state.name(),
        "seconds": seconds(recording.duration),
        "bytes": recording.bytes,
        "reason": why,
        "part": recording.part,
        "paused": recording.paused,
    });
    output.event("recording", fields, || {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let path = recording.path.display();
        let state = if recording.paused { "paused" } else { recording.state.name() };
        Some(format!("Recording {path}: {state}{why}"))
    });
}

fn print_delay(output: &Output, delay: &Delay) {
    let (now, wanted) = (seconds(delay.delay), seconds(delay.wanted));
    let fields = json!({ "state": delay.state.name(), "seconds": now, "wanted": wanted });
    output.event("delay", fields, || {
        Some(match delay.state {
            DelayState::Filling => format!("Delay: the stream starts in {now} s"),
            DelayState::On | DelayState::Shortened => {
                format!("Delay: viewers are {now} s behind")
            }
            DelayState::Draining => "Delay: sending the delayed part".into(),
        })
    });
}

fn print_chapter(output: &Output, chapter: &Chapter) {
    let path = chapter.path.display().to_string();
    let at = seconds(chapter.at);
    let fields = json!({ "path": path, "seconds": at, "title": chapter.title });
    output.event("chapter", fields, || Some(format!("Chapter at {at} s: {}", chapter.title)));
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
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Some(format!("Replay {path}: {}{why}", replay.state.name()))
    });
}

fn print_snapshot(output: &Output, snapshot: &Snapshot) {
    let path = snapshot.path.display().to_string();
    let state = if snapshot.reason.is_some() { "failed" } else { "finished" };
    let why = failed(output, snapshot.reason.as_ref());
    let fields = json!({ "path": path, "state": state, "reason": why });
    output.event("snapshot", fields, || {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        Some(format!("Screenshot {path}: {state}{why}"))
    });
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

fn stats_fields(stats: &Stats) -> Value {
    let video = stats.video.map(|video| {
        let mut fields = json!({
            "captured": video.captured,
            "encoded": video.encoded,
            "skipped": video.skipped,
            "fps": hundredths(video.fps),
            "bitrate": video.bitrate,
            "allowed_bitrate": video.allowed,
            "keyframes": video.keyframes,
        });
        insert_known(&mut fields, [("encode_ms", video.encode_ms)], hundredths);
        if let Value::Object(fields) = &mut fields {
            if let Some(size) = video.size {
                fields.insert("size".into(), size.to_string().into());
            }
            if let Some((size, bitrate)) = video.second {
                let second = json!({ "size": size.to_string(), "allowed_bitrate": bitrate });
                fields.insert("second".into(), second);
            }
        }
        fields
    });
    let audio = stats.audio.map(|audio| {
        let mut fields = json!({
            "samples": audio.samples,
            "bitrate": audio.bitrate,
            "level_dbfs": tenths(audio.level_dbfs.into()),
            "held_dbfs": tenths(audio.held_dbfs.into()),
            "clipped": audio.clipped,
            "rms_dbfs": tenths(audio.rms_dbfs.into()),
        });
        let known = [
            ("true_peak_dbtp", audio.true_peak_dbtp.map(f64::from)),
            ("momentary_lufs", audio.momentary_lufs.map(f64::from)),
            ("short_term_lufs", audio.short_term_lufs.map(f64::from)),
            ("integrated_lufs", audio.integrated_lufs.map(f64::from)),
            ("drift_ppm", audio.drift_ppm),
        ];
        insert_known(&mut fields, known, tenths);
        fields
    });
    let targets: Vec<Value> = stats
        .targets
        .iter()
        .map(|target| {
            let mut fields = json!({
                "state": target.state.name(),
                "sent_bytes": target.sent_bytes,
                "bitrate": target.bitrate,
                "queued_ms": target.queued_ms,
                "dropped_frames": target.dropped_frames,
                "dropped_sounds": target.dropped_audio,
                "sent_frames": target.sent_frames,
                "reconnects": target.reconnects,
                "rung": target.rendition_id.name(),
            });
            if let (Some(size), Value::Object(fields)) = (target.size, &mut fields) {
                fields.insert("size".into(), size.to_string().into());
            }
            let times =
                [("round_trip_ms", target.round_trip_ms), ("picture_age_ms", target.frame_age_ms)];
            insert_known(&mut fields, times, hundredths);
            if let (Some(monitor), Value::Object(fields)) = (&target.monitor, &mut fields) {
                fields.insert("monitor".into(), monitor_fields(monitor));
            }
            fields
        })
        .collect();
    let delay = stats.delay.map(|delay| {
        json!({
            "state": delay.state.name(),
            "seconds": seconds(delay.delay),
            "held_ms": u64::try_from(delay.held.as_millis()).unwrap_or(u64::MAX),
            "memory_bytes": delay.memory_bytes,
            "disk_bytes": delay.disk_bytes,
        })
    });
    json!({
        "video": video,
        "audio": audio,
        "strips": stats.strips.iter().map(strip_fields).collect::<Vec<_>>(),
        "targets": targets,
        "delay": delay,
        "cpu": (f64::from(stats.cpu) * 1_000.0).round() / 1_000.0,
        "rss_bytes": stats.rss_bytes,
    })
}

/// A strip of the mixer, of the second's figures.
fn strip_fields(strip: &stats::Strip) -> Value {
    let mut fields = json!({
        "name": strip.name,
        "state": strip.state.name(),
        "level_dbfs": tenths(strip.level_dbfs.into()),
        "held_dbfs": tenths(strip.held_dbfs.into()),
        "clipped": strip.clipped,
        "rms_dbfs": tenths(strip.rms_dbfs.into()),
    });
    insert_known(&mut fields, [("drift_ppm", strip.drift_ppm)], tenths);
    fields
}

fn tenths(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// Adds what is known, rounded; what is not is left out.
fn insert_known<const N: usize>(
    fields: &mut Value,
    known: [(&str, Option<f64>); N],
    rounded: fn(f64) -> f64,
) {
    let Value::Object(fields) = fields else { return };
    for (name, value) in known {
        if let Some(value) = value {
            fields.insert(name.into(), rounded(value).into());
        }
    }
}

/// What viewers get, of the second's figures; what is not known is left out.
fn monitor_fields(monitor: &stats::Monitor) -> Value {
    let mut fields = json!({ "state": monitor.state, "bitrate": monitor.bitrate });
    let known = [
        ("latency_ms", monitor.latency_ms),
        ("av_offset_ms", monitor.av_offset_ms),
        ("fps", monitor.fps),
    ];
    insert_known(&mut fields, known, tenths);
    fields
}

fn print_stats(output: &Output, stats: &Stats) {
    if output.is_json() {
        output.event("stats", stats_fields(stats), || None);
    }
}

/// Somebody came to or left the built-in server, or a fault struck.
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
                Some(format!("Server: simulated fault {} for {}", struck.fault, struck.address))
            });
            return;
        }
        server::Event::Recording(recording) => {
            let fields = json!({
                "path": recording.path.display().to_string(),
                "state": recording.state.name(),
                "seconds": seconds(recording.after),
                "bytes": recording.bytes,
                "reason": recording.reason,
                "app": recording.app,
                "stream": recording.stream,
            });
            output.event("recording", fields, || {
                let why = recording.reason.as_ref().map(|why| format!(": {why}"));
                let (path, state) = (recording.path.display(), recording.state.name());
                Some(format!("Recording {path}: {state}{}", why.unwrap_or_default()))
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
        "reason": ended.map(|ended| &ended.reason),
        "seconds": ended.map(|ended| seconds(ended.after)),
        "bytes": ended.map(|ended| ended.bytes),
    });
    output.event(name, fields, || {
        let why = ended.map(|ended| format!(": {}", ended.reason)).unwrap_or_default();
        Some(format!("Server: {name} {}/{} by {}{why}", peer.app, peer.stream, peer.address))
    });
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Info => "info",
        Level::Warning => "warning",
        Level::Error => "error",
    }
}

/// How the broadcast is, in one sentence.
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
        Some(format!("Health: [{level}] {sentence} {detail}").trim_end().to_owned())
    });
}

/// A person should know.
pub fn print_notice(output: &Output, notice: &Notice) {
    let language = output.language();
    let level = level_name(notice.level);
    let fields = json!({
        "level": level,
        "key": notice.key(),
        "summary": language.say(&notice.problem),
        "advice": language.cure(&notice.problem),
        "detail": some(&notice.detail),
        "target": notice.target,
        "args": (!notice.problem.args().is_empty()).then(|| values(&notice.problem, language)),
        "problem": names(&notice.problem),
    });
    output.event("notice", fields, || {
        Some(format!("[{level}] {}", language.say_with_cure(&notice.problem)))
    });
}

/// The values that the texts of a problem name.
pub fn values(problem: &Problem, language: Language) -> serde_json::Map<String, Value> {
    let value = |(name, value): &(&str, _)| ((*name).to_owned(), language.value(value).into());
    problem.args().iter().map(value).collect()
}

/// A problem by the names of its messages, which are the same in every language.
fn names(problem: &Problem) -> Value {
    let value = |value: &text::Value| match value {
        text::Value::Text(text) => Value::from(&**text),
        text::Value::Number(number) => Value::from(*number),
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

/// A message of a command that runs no studio.
pub fn print_message(output: &Output, message: &StudioMessage) {
    print_notice(output, &message.notice(0, ""));
}

/// The last line.
pub fn summary(output: &Output, stats: Option<&Stats>, exit: Exit, more: impl FnOnce() -> Value) {
    let mut fields = stats.map_or_else(|| json!({}), stats_fields);
    if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more()) {
        fields.extend(more);
        fields.insert("exit".into(), exit.code().into());
    }
    output.event("summary", fields, || {
        let (frames, what) = match stats {
            Some(Stats { video: None, audio: None, targets, .. }) => {
                (targets.iter().map(|target| target.sent_frames).max().unwrap_or(0), "sent")
            }
            _ => (stats.and_then(|stats| stats.video).map_or(0, |video| video.encoded), "encoded"),
        };
        Some(format!("Ended: {frames} frames {what}, exit code {}", exit.code()))
    });
}

/// The exit code of a number that a part of the program gave.
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
        Track::Video => "video",
        Track::Audio | Track::Extra(_) => "audio",
    }
}

/// `null` for nothing.
fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
