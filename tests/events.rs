//! Compares `docs/reference/events.md` with the output of real runs. Every event and field that a
//! run prints must be in the page. Every name in the page must be printed by a run or, if it is
//! rare, occur in the code. The file is
//! long because it lists the rare fields of all events.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;

use crate::peers::web::{ask, ask_with};
use crate::peers::{self, LIMIT, Onair, wait_for};
use onair::server::Limits;
use serde_json::Value;

const SMALL: [&str; 8] =
    ["--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "600k"];

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The names in the first column of each table, by the heading above the table.
fn guide() -> BTreeMap<String, Names> {
    let text = read("docs/reference/events.md");
    let mut all: BTreeMap<String, Names> = BTreeMap::new();
    let mut heading = String::new();
    for line in text.lines() {
        if line.starts_with('#') {
            heading = line.trim_start_matches('#').trim().to_owned();
        } else if line.starts_with("| `") {
            let names = quoted(line.split('|').nth(1).unwrap()).map(str::to_owned);
            all.entry(heading.clone()).or_default().extend(names);
        }
    }
    all
}

/// The names under these headings.
fn named(guide: &BTreeMap<String, Names>, headings: &[&str]) -> Names {
    let of =
        |heading: &&str| guide.get(*heading).unwrap_or_else(|| panic!("no '{heading}'")).clone();
    headings.iter().flat_map(of).collect()
}

/// Every field of an answer or event as the guide writes it: `targets[].state`. An object with free
/// names (`metadata{}`) counts as one field.
fn fields(value: &Value, at: &str, named: &Names, found: &mut Names) {
    match value {
        Value::Object(all) => {
            let free = format!("{at}{{}}");
            if named.contains(&free) {
                found.insert(free);
                return;
            }
            for (name, value) in all {
                let path = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                found.insert(path.clone());
                fields(value, &path, named, found);
            }
        }
        Value::Array(all) => {
            all.iter().for_each(|value| fields(value, &format!("{at}[]"), named, found));
        }
        _ => {}
    }
}

/// Compares printed events with the guide.
struct Compared {
    guide: BTreeMap<String, Names>,
}

impl Compared {
    fn new() -> Self {
        Self { guide: guide() }
    }

    /// Checks that the values have only the fields under these headings; returns the documented
    /// fields that no value had.
    #[track_caller]
    fn unseen(&self, headings: &[&str], values: &[Value]) -> Names {
        let named = named(&self.guide, headings);
        let mut found = Names::new();
        values.iter().for_each(|value| fields(value, "", &named, &mut found));
        let known = |path: &String| {
            let inside = |name: &String| {
                let rest = name.strip_prefix(path.as_str());
                rest.is_some_and(|rest| rest.starts_with(['.', '[', '{']))
            };
            named.contains(path) || named.iter().any(inside)
        };
        let always = ["t", "event"];
        found.retain(|path| !always.contains(&path.as_str()));
        let unknown: Vec<&String> = found.iter().filter(|path| !known(path)).collect();
        assert!(unknown.is_empty(), "not in the guide under {headings:?}: {unknown:?}");
        named.difference(&found).cloned().collect()
    }

    /// All events of a run. Each event must have a heading, and each field of those headings must
    /// occur, except the `seldom` ones.
    #[track_caller]
    fn all_seen(&self, events: &[Value], headings: &[(&str, &[&str])], seldom: &[&str]) {
        let unseen = self.unseen_of(events, headings);
        let missing: Vec<_> =
            unseen.into_iter().filter(|name| !seldom.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "in the guide and not printed: {missing:?}");
    }

    #[track_caller]
    fn unseen_of(&self, events: &[Value], headings: &[(&str, &[&str])]) -> Vec<String> {
        let mut unseen = Vec::new();
        let known: Vec<&str> = headings.iter().map(|(name, _)| *name).collect();
        for event in events {
            let name = event["event"].as_str().unwrap();
            assert!(known.contains(&name), "an event that is not told of: {event}");
        }
        for (name, headings) in headings {
            let of: Vec<Value> =
                events.iter().filter(|event| event["event"] == *name).cloned().collect();
            unseen.extend(
                self.unseen(headings, &of).into_iter().map(|field| format!("{name} {field}")),
            );
        }
        unseen
    }
}

/// The events of `live`, and the headings that describe them.
const LIVE: [(&str, &[&str]); 22] = [
    ("ready", &["`ready`"]),
    ("source", &["`source`"]),
    ("scene", &["`scene`"]),
    ("guest", &["`guest`"]),
    ("remote", &["`remote`"]),
    ("control", &["`control`"]),
    ("encoder", &["`encoder`"]),
    ("target", &["`target`"]),
    ("monitor", &["`monitor`"]),
    ("recording", &["`recording`"]),
    ("chapter", &["`chapter`"]),
    ("replay", &["`replay`"]),
    ("snapshot", &["`snapshot`"]),
    ("delay", &["`delay`"]),
    ("health", &["`health`"]),
    ("stats", &["`stats`"]),
    ("summary", &["`summary`", "`stats`"]),
    ("notice", &["`notice`"]),
    ("publish", CAME),
    ("join", CAME),
    ("unpublish", WENT),
    ("leave", WENT),
];
const CAME: &[&str] = &["`publish`, `join`"];
const WENT: &[&str] = &["`unpublish`, `leave`"];

/// Fields that a run of `live` seldom has: faults, and fields of other flags and other sources.
const SELDOM: &[&str] = &[
    "encoder preset",
    "encoder why",
    "guest id",
    "guest link",
    "guest loss",
    "guest name",
    "guest rtt_ms",
    "guest state",
    "guest tagged",
    "monitor advice",
    "monitor av_offset_ms",
    "monitor cause",
    "monitor fps",
    "monitor latency_by",
    "monitor latency_ms",
    "notice advice",
    "notice args{}",
    "notice detail",
    "notice target",
    "ready https",
    "ready https_fingerprint",
    "ready rtmps",
    "ready rtmpt",
    "ready srt",
    "recording app",
    "recording reason",
    "recording source",
    "recording stream",
    "replay reason",
    "snapshot reason",
    "source id",
    "source reason",
    "stats audio.drift_ppm",
    "stats canvas",
    "stats canvas.targets",
    "stats canvas.video",
    "stats guests",
    "stats guests.allowed_bitrate",
    "stats guests.bitrate",
    "stats guests.count",
    "stats guests.lowered",
    "stats guests.max_fps",
    "stats guests.max_height",
    "stats guests.sent_bitrate",
    "stats strips[].drift_ppm",
    "stats targets[].layers",
    "stats targets[].loss",
    "stats targets[].monitor.av_offset_ms",
    "stats targets[].monitor.fps",
    "stats targets[].monitor.latency_ms",
    "stats targets[].repeated_bytes",
    "stats video.second",
    "stats video.second.allowed_bitrate",
    "stats video.second.size",
    "summary audio.drift_ppm",
    "summary audio.true_peak_dbtp",
    "summary canvas",
    "summary canvas.targets",
    "summary canvas.video",
    "summary delay",
    "summary delay.disk_bytes",
    "summary delay.held_ms",
    "summary delay.memory_bytes",
    "summary delay.seconds",
    "summary delay.state",
    "summary error",
    "summary guests",
    "summary guests.allowed_bitrate",
    "summary guests.bitrate",
    "summary guests.count",
    "summary guests.lowered",
    "summary guests.max_fps",
    "summary guests.max_height",
    "summary guests.sent_bitrate",
    "summary strips[].drift_ppm",
    "summary targets[].layers",
    "summary targets[].loss",
    "summary targets[].repeated_bytes",
    "summary targets[].monitor.av_offset_ms",
    "summary targets[].monitor.fps",
    "summary targets[].monitor.latency_ms",
    "summary video.second",
    "summary video.second.allowed_bitrate",
    "summary video.second.size",
    "target code",
    "target retry_in",
];

const SCENES: &str = "[collection]
current = 'One'
[[collection.scenes]]
name = 'One'
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = 'Two'
[[collection.scenes.items]]
main = true
";

/// `onair live`, with a pipe that its `--control` reads.
fn live_with_control(folder: &Path, words: &[&str]) -> (Onair, File) {
    let pipe = folder.join("control");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" \"$@\" < \"$PIPE\"", env!("CARGO_BIN_EXE_onair"), "live"]);
    let onair = Onair::start_command(shell.args(words).arg("--json").env("PIPE", &pipe), &[]);
    let control = File::options().write(true).open(pipe).unwrap();
    (onair, control)
}

#[test]
fn all_output_of_live_is_in_the_guide_and_the_guide_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("settings.toml"), SCENES).unwrap();
    let (settings, record) = (path("settings.toml"), path("show.mp4"));
    let mut words = SMALL.to_vec();
    words.extend(["--settings", &settings, "--scene", "One", "--record", &record, "--control"]);
    words.extend([
        "--obs-websocket",
        "127.0.0.1:0",
        "--built-in",
        "--monitor",
        "--delay",
        "1s",
        "--replay",
        "5s",
    ]);
    let (mut onair, mut control) = live_with_control(folder.path(), &words);
    onair.wait_event("pictures", |event| event["video"]["encoded"].as_u64() > Some(60));
    let url = onair.wait_event("a link", |event| event["play"].is_string());
    let play = url["play"].as_str().unwrap();
    let _viewer = Onair::start(&["play", "--headless", "--duration", "1s", play]);
    let (replay, snapshot) = (path("replay.mp4"), path("picture.png"));
    let (replay, snapshot) = (format!("replay {replay}"), format!("snapshot {snapshot}"));
    for line in ["chapter One", "scene Two", "nonsense", &replay, &snapshot] {
        writeln!(control, "{line}").unwrap();
    }
    let compared = Compared::new();
    // Fields that occur only at the end are checked below.
    let missing = |onair: &Onair| {
        let unseen = compared.unseen_of(&onair.events(), &LIVE).into_iter();
        let ends = ["summary ", "target ", "unpublish "];
        let end = |name: &String| ends.iter().any(|end| name.starts_with(end));
        unseen.filter(|name| !SELDOM.contains(&name.as_str()) && !end(name)).collect::<Vec<_>>()
    };
    let start = std::time::Instant::now();
    while !missing(&onair).is_empty() {
        assert!(start.elapsed() < LIMIT, "in the guide and not printed: {:?}", missing(&onair));
        assert!(onair.peer.status().is_none(), "{}", onair.peer.errors());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    writeln!(control, "stop").unwrap();
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let mut events = onair.events();

    // A target that fails says why.
    let url = format!("rtmp://127.0.0.1:{}/live/stream", peers::free_port());
    let words = [&["live", "--to", &url, "--retry-for", "1s"], &SMALL[..]].concat();
    let mut failed = Onair::start(&words);
    assert_eq!(failed.peer.wait(LIMIT).code(), Some(6), "{}", failed.peer.output());
    events.extend(failed.events());
    compared.all_seen(&events, &LIVE, SELDOM);
}

#[test]
fn the_guide_has_all_output_of_serve_and_play_and_all_answers_of_the_server() {
    peers::in_real_time!(the_guide_has_all_output_of_serve_and_play_and_all_answers_of_the_server);
    let folder = tempfile::tempdir().unwrap();
    let records = folder.path().display().to_string();
    let mut serve = Onair::start(&[
        "serve",
        "--rtmp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--webrtc",
        "127.0.0.1:0",
        "--record",
        &records,
        "--fault",
        "delay@media:1ms",
        "--renditions",
        "96p:100k",
        "--renditions-cpu",
        "100",
    ]);
    let ready = serve.wait_named("ready");
    let http = ready["http"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
    let url = format!("{}/live/show", ready["rtmp"].as_str().unwrap());
    let mut live = Onair::start(&[&["live", "--to", &url], &SMALL[..]].concat());
    live.wait_event("a live target", |event| event["state"] == "live");
    // Jitter is known after three seconds.
    let (flv, end) = (format!("http://{http}/live/show.flv"), ["--duration", "5s"]);
    let mut play =
        Onair::start(&[&["play", &flv, "--headless", "--measure", "--chat"], &end[..]].concat());
    let json = |path: &str| -> Value {
        let answer = ask(&*http, "GET", path);
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    };
    let compared = Compared::new();
    let mut unseen = Names::new();
    wait_for("all that is told of a stream", LIMIT, || {
        ask(&*http, "GET", "/live/show/hls/96p.m3u8");
        unseen = compared.unseen(&["`/api/v1/streams`"], &[json("/api/v1/streams")]);
        unseen.is_empty() || live.peer.status().is_some()
    });
    assert_eq!(unseen, Names::new());
    let one = serde_json::json!({ "streams": [json("/api/v1/streams/live/show")] });
    assert_eq!(compared.unseen(&["`/api/v1/streams`"], &[one]), Names::new());

    let metrics = ask(&*http, "GET", "/metrics");
    let metric_names: Names = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(metric_names, named(&compared.guide, &["`/metrics`"]));

    assert_eq!(play.peer.wait(LIMIT * 2).code(), Some(0), "{}", play.peer.errors());
    let headings: [(&str, &[&str]); 4] = [
        ("play", &["`play`"]),
        ("chat", &["`chat`"]),
        ("play_stats", &["`play_stats`"]),
        ("summary", &["`summary` of `play`", "`play_stats`"]),
    ];
    let mut events = play.events();
    // Notices about anomalies of the stream.
    let notices: Vec<Value> =
        events.iter().filter(|event| event["event"] == "notice").cloned().collect();
    compared.unseen(&["`notice`"], &notices);
    events.retain(|event| event["event"] != "notice");
    let mut gone = Onair::start(&["play", "--headless", "--no-reconnect", &url[..url.len() - 1]]);
    assert_eq!(gone.peer.wait(LIMIT).code(), Some(9), "{}", gone.peer.output());
    events.extend(gone.events().into_iter().filter(|event| event["event"] == "play"));
    let wall = ["play", &flv, &flv, "--headless", "--duration", "1s"];
    let mut wall = Onair::start(&wall);
    assert_eq!(wall.peer.wait(LIMIT).code(), Some(0), "{}", wall.peer.errors());
    events.extend(wall.events().into_iter().filter(|event| event["event"] != "notice"));
    let mut refused = Onair::start(&["play", "--headless", &flv, "--save", "x.mp4"]);
    assert_eq!(refused.peer.wait(LIMIT).code(), Some(2));
    events.extend(refused.events());
    let seldom = [
        "play retry_in",
        "chat name",
        "chat text",
        "chat cause",
        "chat role",
        "chat service",
        "chat channel",
        "play_stats av_offset_ms",
        "summary av_offset_ms",
        // Only HLS has these.
        "play_stats sender_latency_ms",
        "summary sender_latency_ms",
    ];
    // Only recordings, time shift and saved files have these.
    let about = ["position", "duration", "behind", "rewind"];
    let saved = ["saving", "saving.path", "saving.seconds", "saving.bytes"];
    let about: Vec<String> = ["play_stats", "summary"]
        .iter()
        .flat_map(|event| about.iter().chain(&saved).map(move |field| format!("{event} {field}")))
        .collect();
    let seldom: Vec<&str> = seldom.into_iter().chain(about.iter().map(String::as_str)).collect();
    compared.all_seen(&events, &headings, &seldom);

    let token = fs::read_to_string(ready["token_file"].as_str().unwrap()).unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
    let ended = ask_with(&*http, "DELETE", "/api/v1/streams/live/show", &bearer);
    assert!(ended.contains("204"), "{ended}");
    serve.wait_named("unpublish");
    serve.wait_event("a file", |event| {
        event["event"] == "recording" && event["state"] == "finished"
    });
    assert_eq!(serve.stop(LIMIT).code(), Some(0), "{}", serve.peer.errors());
    let headings: [(&str, &[&str]); 9] = [
        ("ready", &["`ready`"]),
        ("rendition", &["`rendition`"]),
        ("publish", CAME),
        ("join", CAME),
        ("unpublish", WENT),
        ("leave", WENT),
        ("fault", &["`fault`"]),
        ("recording", &["`recording`"]),
        ("summary", &["`summary` of `serve`"]),
    ];
    let seldom = [
        "ready srt",
        "ready rtmps",
        "ready https",
        "ready https_fingerprint",
        "ready rtmpt",
        "ready play",
        "rendition cause",
        "rendition reason",
        "recording reason",
        "recording program",
        "recording source",
        "recording part",
        "recording paused",
        "summary error",
    ];
    // The notice about the cores that the renditions need.
    let (notices, events): (Vec<Value>, Vec<Value>) =
        serve.events().into_iter().partition(|event| event["event"] == "notice");
    assert_eq!(notices[0]["key"], "renditions-need", "{notices:?}");
    compared.unseen(&["`notice`"], &notices);
    compared.all_seen(&events, &headings, &seldom);
    live.stop(LIMIT);
}

/// Runs a command that ends after it has printed one line.
fn answer(words: &[&str], code: i32) -> Value {
    let mut onair = Onair::start(words);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(code), "{words:?} {}", onair.peer.errors());
    serde_json::from_str(&onair.peer.output()).unwrap()
}

#[test]
fn answers_are_as_the_guide_says() {
    let compared = Compared::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (film, copy) = (path("show.mkv"), path("show.flv"));
    let words = [&["live", "--record", &film, "--duration", "3s"], &SMALL[..]].concat();
    assert_eq!(Onair::start(&words).peer.wait(LIMIT).code(), Some(0));
    let remuxed = answer(&["remux", &film, &copy], 0);
    compared.unseen(&["`remux`, `repair`"], &[remuxed]);
    compared.unseen(&["`remux`, `repair`"], &[answer(&["repair", &copy], 0)]);
    fs::write(path("scenes.toml"), SCENES).unwrap();
    let taken = answer(&["scenes", "import", &path("scenes.toml"), "--to", &path("to.toml")], 0);
    compared.unseen(&["`scenes`"], &[taken]);

    let probes = [answer(&["probe", &film], 0), answer(&["probe", &copy], 0)];
    let unseen = compared.unseen(&["`onair probe`"], &probes);
    let seldom = [
        "name",
        "hdr",
        "max_content",
        "max_average",
        "min_luminance",
        "max_luminance",
        "sample_aspect_ratio",
    ];
    let seldom: Names = seldom.iter().map(|name| format!("streams[].{name}")).collect();
    assert!(unseen.is_subset(&seldom), "in the guide and not printed: {unseen:?}");

    // The lists of devices depend on the machine.
    let unseen = compared.unseen(&["`onair devices`"], &[answer(&["devices"], 0)]);
    let lists = [
        "cameras",
        "microphones",
        "speakers",
        "applications",
        "screens",
        "windows",
        "decoders",
        "encoders",
    ];
    assert!(!lists.iter().any(|list| unseen.contains(*list)), "{unseen:?}");

    let url = format!("rtmp://127.0.0.1:{}/live/stream", peers::free_port());
    let words =
        ["check", &url, "--machine", "--video", "test", "--audio", "none", "--size", "480x270"];
    let checked = answer(&words, 6);
    for stage in checked["stages"].as_array().unwrap() {
        for field in ["detail", "advice"] {
            assert_eq!(stage.get(field).map(Value::is_null), Some(stage["ok"] == true), "{stage}");
        }
    }
    let unseen = compared.unseen(&["`onair check`"], &[checked]);
    assert!(unseen.is_subset(&["elsewhere".to_owned()].into()), "{unseen:?}");
}

/// The text of every source file under a folder.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text += &sources(&path);
        } else {
            text += &fs::read_to_string(path).unwrap();
        }
    }
    text
}

#[test]
fn nothing_is_named_that_the_program_does_not_know() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let server = root.join("crates/onair-server/src");
    // The operator's list has events that no command prints.
    let code = sources(&root.join("src/cli"))
        + &sources(&server.join("http"))
        + &sources(&server.join("event"));
    let guide = guide();
    for (heading, names) in &guide {
        // Numbers, paths and metrics are checked elsewhere in this file.
        if ["Exit codes", "The built-in server over HTTP", "`/metrics`"].contains(&heading.as_str())
        {
            continue;
        }
        for name in names {
            let last = name.trim_end_matches("{}").rsplit('.').next().unwrap();
            assert!(code.contains(&format!("\"{last}\"")), "{heading} {name}: no such field");
        }
        let own = heading.split(" of ").next().unwrap();
        let events = quoted(own).filter(|name| !name.contains([' ', '/']));
        for event in events {
            assert!(code.contains(&format!("\"{event}\"")), "{event}: no such event");
        }
    }
    // The other way round: each event that the code emits by name has a heading.
    let documented: Names =
        guide.keys().flat_map(|heading| quoted(heading)).map(str::to_owned).collect();
    for call in ["event(\"", "say(\""] {
        for after in code.split(call).skip(1) {
            let name = after.split('"').next().unwrap();
            assert!(documented.contains(name), "{name}: not in the guide");
        }
    }
}

#[test]
fn paths_bounds_and_exit_codes_are_those_of_the_program() {
    let text = read("docs/reference/events.md");
    let routes = read("crates/onair-server/src/http/mod.rs");
    let paths = named(&guide(), &["The built-in server over HTTP"]);
    for after in routes.split(".route(\"").skip(1) {
        let path = after
            .split('"')
            .next()
            .unwrap()
            .replace("{*path}", "APP/STREAM")
            .replace("{id}", "ID")
            .replace("{file}", "FILE")
            .replace("{token}", "TOKEN");
        assert!(paths.contains(&path), "{path} is not in the guide");
    }
    assert!(["/APP/STREAM.flv", "/APP/STREAM/chat"].iter().all(|path| paths.contains(*path)));

    let limits = Limits::default();
    let thousands = |count: usize| match count {
        0..1_000 => count.to_string(),
        _ => format!("{},{:03}", count / 1_000, count % 1_000),
    };
    for bound in [
        format!("| connections of every kind | {};", thousands(limits.connections)),
        format!("| viewers of one stream | {};", thousands(limits.viewers)),
        format!("| published streams | {};", thousands(limits.streams)),
        format!("since the last keyframe, at most {} MiB;", limits.group_bytes >> 20),
        format!("| backlog of one viewer | {} MiB;", limits.queue_bytes >> 20),
        format!(
            "| a viewer that accepts no data | disconnected after {} s |",
            limits.stalled_viewer.as_secs()
        ),
        format!(
            "| a publisher that sends no data | disconnected after {} s |",
            limits.silent_publisher.as_secs()
        ),
        format!("| simultaneous recordings (`--record`) | {} |", limits.files),
    ] {
        assert!(text.contains(&bound), "the guide does not say: {bound}");
    }
    for code in 0..=9 {
        let row = format!("\n| {code} | ");
        assert!(text.contains(&row) && read("README.md").contains(&row), "exit code {code}");
    }
}
