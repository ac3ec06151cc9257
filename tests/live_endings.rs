//! Tests of how the commands end: exit codes with their stage, cause and cure, and files that stay
//! playable after Ctrl-C or a kill at any moment. Also tests `probe`, `check` and `devices`.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::odd_servers::{Behavior, Server};
use crate::peers::web::ask_with;
use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg, full_pipe};
use onair::wire::rtmp::handshake;
use onair::wire::rtmp::status::{Level, Status};
use serde_json::Value;

const TEST: [&str; 9] =
    ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--video-bitrate", "600k"];

fn live(more: &[&str]) -> Onair {
    let words: Vec<&str> = TEST.iter().chain(more).copied().collect();
    Onair::start(&words)
}

fn closed() -> String {
    format!("rtmp://127.0.0.1:{}/live/stream", peers::free_port())
}

/// Waits for the end; the last event must also have the exit code.
#[track_caller]
fn ends_with(onair: &mut Onair, code: i32) -> Vec<Value> {
    let ended = onair.peer.wait(LIMIT * 2).code();
    let events = onair.events();
    assert_eq!(ended, Some(code), "{}{}", onair.peer.output(), onair.peer.errors());
    let last = events.last().expect("a last line");
    assert_eq!((&last["event"], &last["exit"]), (&"summary".into(), &code.into()), "{last}");
    events
}

/// The event of the target's failure; it must say what to do.
#[track_caller]
fn failure(events: &[Value]) -> &Value {
    let failed = events
        .iter()
        .find(|event| event["event"] == "target" && event["state"] == "failed")
        .unwrap_or_else(|| panic!("no failure in {events:?}"));
    for field in ["cause", "advice"] {
        assert!(failed[field].as_str().is_some_and(|text| text.len() > 8), "{field}: {failed}");
    }
    failed
}

#[test]
fn the_own_server_ends_no_broadcast_for_good() {
    let mut onair = live(&["--built-in"]);
    let ready = onair.wait_named("ready");
    let live_after = |onair: &mut Onair, after: f64| {
        let live = |it: &Value| it["event"] == "target" && it["state"] == "live";
        onair.wait_event("on air", |it| live(it) && it["t"].as_f64() > Some(after));
    };
    live_after(&mut onair, 0.0);
    let shown = onair.events().iter().map(Value::to_string).collect::<String>();
    assert!(!shown.contains("key="), "the key of this run is shown: {shown}");
    let http = ready["http"].as_str().unwrap().strip_prefix("http://").unwrap();
    let token = std::fs::read_to_string(ready["token_file"].as_str().unwrap()).unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", token.trim());
    let ended = ask_with(http, "DELETE", "/api/v1/streams/live/onair", &bearer);
    assert!(ended.contains("204"), "{ended}");
    let lost = |it: &Value| it["event"] == "target" && it["state"] == "reconnecting";
    let lost = onair.wait_event("the loss", lost);
    live_after(&mut onair, lost["t"].as_f64().unwrap());
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
}

#[test]
fn what_makes_no_sense_is_usage() {
    for url in ["http://example.com/live/x", "rtmp://", "rtmp://host/app", "nonsense", ""] {
        ends_with(&mut live(&["--to", url]), 2);
    }
    for words in [&["--size", "641x"][..], &["--fps", "0"], &["--video", "telepathy"]] {
        let mut onair = Onair::start(&[&["live"], words].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(2), "{words:?}");
        assert!(!onair.peer.errors().is_empty());
    }
    ends_with(&mut live(&["--to", "rtmp://host/app", "--key-env", "ONAIR_NO_SUCH_VARIABLE"]), 3);
    ends_with(&mut live(&["--record", "/proc/nowhere/show.flv"]), 3);
    ends_with(&mut live(&["--record", "show.avi"]), 2);
}

#[test]
fn a_closed_port_is_unreachable() {
    peers::in_real_time!(a_closed_port_is_unreachable);
    let events = ends_with(&mut live(&["--to", &closed(), "--retry-for", "1s"]), 6);
    assert_eq!(failure(&events)["stage"], "tcp");
    let retried = events.iter().any(|event| event["retry_in"].as_f64().is_some());
    assert!(retried, "was tried again");
}

#[test]
fn what_speaks_no_rtmp_is_named_at_the_handshake() {
    let http = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec();
    let garbage = (0..4_000_u32).map(|n| (n * 167 % 251) as u8 | 0x40).collect();
    let servers = [
        Server::start(|_| Behavior::Silent),
        Server::start(move |_| Behavior::Bytes(http.clone())),
        Server::start(move |_| Behavior::Bytes(Vec::clone(&garbage))),
        Server::start(|_| Behavior::Hangup),
    ];
    let urls: Vec<String> =
        servers.iter().map(|server| format!("{}/stream", server.app_url())).collect();
    let mut runs: Vec<Onair> =
        urls.iter().map(|url| live(&["--to", url, "--retry-for", "500ms"])).collect();
    for run in &mut runs {
        let events = ends_with(run, 6);
        assert_eq!(failure(&events)["stage"], "handshake");
    }
    let cause = failure(&runs[1].events())["cause"].to_string();
    assert!(cause.contains("HTTP"), "{cause}");
}

#[test]
fn a_refusal_ends_it_at_once() {
    let status = |code: &str, text: &str| Status::new(Level::Error, code, text);
    let denied = status("NetStream.Publish.Denied", "the key is expired");
    let busy = status("NetStream.Publish.BadName", "stream already publishing");
    let rejected = status("NetConnection.Connect.Rejected", "no such application");
    let servers = [
        Server::start(move |_| Behavior::RejectPublish(denied.clone())),
        Server::start(move |_| Behavior::RejectPublish(busy.clone())),
        Server::start(move |_| Behavior::RejectConnect(rejected.clone())),
    ];
    let urls: Vec<String> =
        servers.iter().map(|server| format!("{}/stream", server.app_url())).collect();
    // No retry limit where waiting cannot help. A name in use may become free, so that run has a
    // limit.
    let mut runs: Vec<Onair> = urls
        .iter()
        .zip([None, Some("1s"), None])
        .map(|(url, limit)| {
            let limit = limit.map(|limit| ["--retry-for", limit]);
            let words: Vec<&str> =
                ["--to", url].into_iter().chain(limit.into_iter().flatten()).collect();
            live(&words)
        })
        .collect();
    for (run, (stage, word)) in runs.iter_mut().zip([
        ("publish", "expired"),
        ("publish", "already"),
        ("connect", "no such application"),
    ]) {
        let events = ends_with(run, 7);
        let failed = failure(&events);
        assert_eq!(failed["stage"], stage);
        assert!(failed["cause"].to_string().contains(word), "{failed}");
        assert!(failed["code"].as_str().is_some_and(|code| code.starts_with("Net")), "{failed}");
    }
}

#[test]
fn nginx_refuses_by_hanging_up() {
    peers::require!("nginx");
    let nginx = Nginx::start();
    let url = nginx.url("refused", "stream");
    ends_with(&mut live(&["--to", &url, "--retry-for", "2s"]), 7);
    // A player is refused too, or told that there is no such stream.
    let mut player = Onair::start(&["play", "--headless", &url]);
    ends_with(&mut player, 7);
}

#[test]
fn a_server_that_dies_and_stays_away_is_lost() {
    peers::require!("nginx");
    let mut nginx = Nginx::start();
    let mut onair = live(&["--to", &nginx.url("live", "stream"), "--retry-for", "2s"]);
    nginx.wait_published("stream");
    // A server that closes the connection within a second counts as refusing the stream.
    onair.wait_event("two seconds", |event| event["video"]["encoded"].as_u64() > Some(50));
    nginx.peer.kill();
    let events = ends_with(&mut onair, 8);
    failure(&events);
    let reconnecting =
        events.iter().any(|event| event["event"] == "target" && event["state"] == "reconnecting");
    assert!(reconnecting);
}

#[test]
fn a_player_says_what_it_misses() {
    peers::require!("nginx");
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.flv");
    std::fs::write(&garbage, vec![0x5a; 5_000]).unwrap();
    let nginx = Nginx::start();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ours = format!("{}/live/none", serve.wait_named("ready")["rtmp"].as_str().unwrap());
    let (theirs, closed) = (nginx.url("live", "none"), closed());
    let file = garbage.to_str().unwrap();
    let cases =
        [(&*theirs, 9), (&*ours, 9), (&*closed, 6), (file, 3), ("/no/such.flv", 3), ("x://y", 2)];
    let mut runs: Vec<Onair> =
        cases.iter().map(|(source, _)| Onair::start(&["play", "--headless", source])).collect();
    for (run, (source, code)) in runs.iter_mut().zip(cases) {
        let events = ends_with(run, code);
        assert!(!run.peer.errors().is_empty(), "{source}: nothing for a person");
        if code == 2 {
            continue;
        }
        let failed = events
            .iter()
            .find(|event| event["event"] == "play" && event["state"] == "failed")
            .unwrap_or_else(|| panic!("{source}: {events:?}"));
        assert!(failed["advice"].as_str().is_some_and(|advice| advice.len() > 8), "{failed}");
    }
    // `probe` gives the same exit codes, and the reason.
    for (source, code) in [(&*closed, 6), (file, 3)] {
        let refused = answer(&["probe", source], code);
        assert_eq!(refused["exit"], code, "{refused}");
        assert!(refused["error"].as_str().is_some_and(|error| error.len() > 8), "{refused}");
    }
    assert_eq!(serve.stop(LIMIT).code(), Some(0));
}

/// A recording must be playable from start to finish.
fn playable(path: &Path) {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "");
    assert!(probe.packets("video").len() > 5);
    assert_eq!(ffmpeg::decode(path), "");
}

#[test]
fn ctrl_c_at_any_moment_leaves_a_playable_file_and_no_stream() {
    peers::in_real_time!(ctrl_c_at_any_moment_leaves_a_playable_file_and_no_stream);
    peers::require!("ffmpeg", "ffprobe", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = Nginx::start();
    // The event after which the signal is sent.
    type Moment = fn(&Value) -> bool;
    let moments: [(&str, Moment); 5] = [
        ("encoder", |event| event["event"] == "encoder"),
        ("connecting", |event| event["event"] == "target" && event["state"] == "connecting"),
        ("live", |event| event["event"] == "target" && event["state"] == "live"),
        ("first", |event| event["video"]["encoded"].as_u64() > Some(10)),
        ("third", |event| event["video"]["encoded"].as_u64() > Some(60)),
    ];
    for (name, moment) in moments {
        let path = folder.path().join(format!("{name}.flv"));
        let url = nginx.url("live", name);
        let mut onair = live(&["--to", &url, "--record", path.to_str().unwrap()]);
        onair.wait_event(name, moment);
        onair.peer.interrupt();
        let ended = onair.peer.wait(LIMIT).code();
        nginx.wait_unpublished(name);
        let events = onair.events();
        let last = events.last().unwrap();
        assert_eq!(
            (&last["event"], last["exit"].as_i64()),
            (&"summary".into(), ended.map(i64::from))
        );
        let recorded = events.iter().rev().find(|event| event["event"] == "recording");
        if ["live", "first", "third"].contains(&name) {
            assert_eq!(ended, Some(0), "{name}: {}", onair.peer.output());
        }
        let Some(recorded) = recorded else { continue };
        assert_eq!(recorded["state"], "finished", "{name}: {recorded}");
        if recorded["seconds"].as_f64() > Some(0.3) {
            playable(&path);
        }
        assert_eq!(onair.peer.errors(), "");
    }
    // SIGTERM has the same effect.
    let path = folder.path().join("term.flv");
    let mut onair = live(&["--record", path.to_str().unwrap()]);
    onair.wait_named("stats");
    onair.peer.signal("TERM");
    ends_with(&mut onair, 0);
    playable(&path);
}

#[test]
fn a_reader_that_stops_reading_does_not_stop_the_end() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unread.flv");
    let (_reader, output) = full_pipe();
    let words = [&TEST[..], &["--record", path.to_str().unwrap()]].concat();
    let mut onair = Onair::start_with_output(&words, output);
    let is_long = |path: &Path| path.metadata().is_ok_and(|file| file.len() > 100_000);
    onair.peer.wait_until("a recording", LIMIT, |_| is_long(&path));
    onair.peer.signal("TERM");
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    playable(&path);
}

/// The recording of `--record` is complete. The command names a file that cannot be written.
#[test]
fn a_recording_of_a_command_does_not_change_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.flv");
    let words = [&TEST[..], &["--built-in", "--record", path.to_str().unwrap()]].concat();
    let (mut onair, mut input) = Onair::start_with_input(&words);
    onair.wait_event("on air", |it| it["event"] == "target" && it["state"] == "live");
    onair.wait_event("a second", |event| event["video"]["encoded"].as_u64() > Some(30));
    let is_recording = |it: &Value, state: &str| it["event"] == "recording" && it["state"] == state;
    writeln!(input, "stop-recording").unwrap();
    onair.wait_event("the file", |it| is_recording(it, "finished"));
    writeln!(input, "pause").unwrap();
    let refused = onair.wait_event("a refusal", |it| it["event"] == "control" && it["ok"] == false);
    assert!(refused["reason"].as_str().unwrap().contains("no recording"), "{refused}");
    writeln!(input, "record /proc/nowhere/other.flv").unwrap();
    onair.wait_event("the failure", |it| is_recording(it, "failed"));
    writeln!(input, "stop").unwrap();
    ends_with(&mut onair, 0);
}

#[test]
fn a_log_that_nobody_reads_does_not_stop_the_end() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unread.flv");
    let (_reader, errors) = full_pipe();
    let words = [&TEST[..], &["--log", "info", "--record", path.to_str().unwrap()]].concat();
    let mut onair = Onair::start_with_errors(&words, errors);
    let is_long = |path: &Path| path.metadata().is_ok_and(|file| file.len() > 100_000);
    onair.peer.wait_until("a recording", LIMIT, |_| is_long(&path));
    onair.peer.signal("TERM");
    ends_with(&mut onair, 0);
    playable(&path);
}

#[test]
fn a_reader_that_stops_reading_does_not_stop_the_end_of_a_player() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("unread.flv");
    let mut live = live(&["--built-in"]);
    let url = live.play_url();
    let (_reader, output) = full_pipe();
    let words = ["play", &url, "--headless", "--mute", "--save", path.to_str().unwrap()];
    let mut player = Onair::start_with_output(&words, output);
    let is_long = |path: &Path| path.metadata().is_ok_and(|file| file.len() > 100_000);
    player.peer.wait_until("a saved stream", LIMIT, |_| is_long(&path));
    player.peer.signal("TERM");
    assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.errors());
    playable(&path);
}

#[test]
fn a_kill_leaves_a_playable_file() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("killed.flv");
    let mut onair = live(&["--record", path.to_str().unwrap()]);
    onair.wait_event("pictures", |event| event["video"]["encoded"].as_u64() > Some(80));
    onair.peer.kill();
    playable(&path);
    let last = ffmpeg::probe(&path).packets("video").last().unwrap().dts;
    assert!(last > 1.0, "{last}");
}

/// Runs a command that ends without a signal; returns its only event.
fn answer(words: &[&str], code: i32) -> Value {
    let mut onair = Onair::start(words);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(code), "{words:?} {}", onair.peer.errors());
    let output = onair.peer.output();
    assert_eq!(output.lines().count(), 1, "{output}");
    serde_json::from_str(&output).unwrap()
}

#[test]
fn probe_tells_what_live_recorded() {
    peers::in_real_time!(probe_tells_what_live_recorded);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.flv");
    let path = path.to_str().unwrap();
    ends_with(&mut live(&["--record", path, "--duration", "5s"]), 0);
    let report = answer(&["probe", path], 0);
    assert_eq!(report["format"], "flv");
    assert!((4.5..6.0).contains(&report["duration"].as_f64().unwrap()), "{report}");
    let (video, audio) = (&report["streams"][0], &report["streams"][1]);
    assert_eq!((&video["codec"], &video["profile"]), (&"h264".into(), &"High".into()));
    assert_eq!((&video["width"], &video["height"]), (&480.into(), &270.into()));
    assert_eq!(video["fps"], 30.0);
    assert_eq!((&audio["codec"], &audio["profile"]), (&"aac".into(), &"LC".into()));
    assert_eq!((&audio["sample_rate"], &audio["channels"]), (&48_000.into(), &2.into()));
    assert_eq!(report["gop_s"], 2.0);
    assert!(report["metadata"]["spacer"].is_null(), "{report}");
}

#[test]
fn check_goes_stage_by_stage_and_devices_lists_all_kinds() {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let report = answer(&["check", &format!("{rtmp}/live/SecretKey")], 0);
    assert_eq!(report["ok"], true);
    assert_eq!(report["target"], format!("{rtmp}/live/***"));
    assert_eq!(report["key_visible"], true);
    let stages: Vec<&str> = report["stages"]
        .as_array()
        .unwrap()
        .iter()
        .inspect(|stage| assert!(stage["ok"] == true && stage["ms"].is_number(), "{stage}"))
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["dns", "tcp", "handshake", "connect"]);
    assert_eq!(serve.stop(LIMIT).code(), Some(0));
    let published = serve.events().into_iter().any(|event| event["event"] == "publish");
    assert!(!published, "check goes live");

    let report = answer(&["check", &closed()], 6);
    assert_eq!(report["ok"], false);
    let last = report["stages"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["name"], &last["ok"]), (&"tcp".into(), &false.into()));
    assert!(last["detail"].is_string() && last["advice"].is_string(), "{last}");

    let refused = answer(&["check", &format!("{rtmp}/live")], 2);
    assert_eq!(refused["exit"], 2);
    assert!(refused["error"].as_str().unwrap().contains("--key-env"), "{refused}");

    let devices = answer(&["devices"], 0);
    for kind in ["cameras", "microphones", "speakers", "screens", "windows"] {
        assert!(devices[kind].is_array(), "{kind}: {devices}");
    }
}

#[test]
fn people_get_sentences_and_pipes_may_close() {
    let program = env!("CARGO_BIN_EXE_onair");
    let line = format!(
        "'{program}' live --video test --audio tone --size 480x270 --encoder openh264 --duration 2s --record \"$0\" | head -n 1"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.flv");
    let output = Command::new("sh").args(["-c", &line]).arg(&path).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("Video encoder: openh264"), "{text}");
    assert!(path.metadata().unwrap().len() > 50_000, "the recording went on");
    let help = Command::new(program).arg("--help").output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes"));
    // In Chinese, every line is translated.
    let words = "live --video test --audio tone --size 480x270 --duration 1s --lang zh-CN --record";
    let other = folder.path().join("other.flv");
    let output = Command::new(program).args(words.split(' ')).arg(&other).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let is_chinese = |line: &str| line.chars().any(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it));
    assert!(text.lines().count() > 3 && text.lines().all(is_chinese), "{text}");
}

#[test]
fn a_broadcast_without_a_target_that_is_on_ends_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "version = 2\n[[targets]]\nenabled = false\n").unwrap();
    let events = ends_with(&mut live(&["--settings", settings.to_str().unwrap()]), 2);
    let notice = events.iter().find(|event| event["key"] == "no-target").expect("a notice");
    assert!(notice["advice"].as_str().unwrap().contains("--built-in"), "{notice}");
}

#[test]
fn check_looks_at_this_machine_and_sends_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("show.mp4").display().to_string();
    let words = ["check", "--video", "test", "--audio", "tone", "--size", "480x270", "--record"];
    let report = answer(&[&words[..], &[&record]].concat(), 0);
    assert_eq!(report["ok"], true);
    let names = |report: &serde_json::Value| -> Vec<String> {
        let found = report["machine"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        found.iter().map(|it| text(&it["name"])).collect()
    };
    let found = names(&report);
    for name in ["video", "audio", "encoder", "disk"] {
        assert!(found.iter().any(|it| it == name || it == &format!("{name}-little")), "{report}");
    }
    assert!(found.iter().any(|name| name.starts_with("clock")), "{report}");
    assert!(!found.iter().any(|name| name == "no-target"), "{report}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    // A folder that cannot be written to, and a file that does not exist.
    let words = ["check", "--video", "file:/no/such.y4m", "--audio", "none", "--record"];
    let report = answer(&[&words[..], &["/proc/show.mp4"]].concat(), 4);
    let found = names(&report);
    assert_eq!(report["ok"], false);
    assert!(found.contains(&"folder-bad".into()) && found.contains(&"no-video".into()), "{report}");
    let why = report["machine"].as_array().unwrap().iter().find(|it| it["name"] == "no-video");
    let why = why.unwrap()["summary"].as_str().unwrap();
    assert!(why.contains("/no/such.y4m: there is no such file"), "{why}");

    // Together with a target.
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{rtmp}/live/SecretKey");
    let words =
        ["check", &url, "--machine", "--video", "test", "--audio", "none", "--size", "480x270"];
    let report = answer(&words, 0);
    assert_eq!(report["ok"], true);
    assert!(report["stages"].is_array() && report["machine"].is_array(), "{report}");
    assert_eq!(serve.stop(LIMIT).code(), Some(0));
    assert!(!serve.events().iter().any(|event| event["event"] == "publish"), "check goes live");
}

/// The messages are those of the window, and come before anything is sent.
#[test]
fn live_and_check_name_the_limits_of_a_service_that_a_stream_exceeds() {
    peers::in_real_time!(live_and_check_name_the_limits_of_a_service_that_a_stream_exceeds);
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{rtmp}/live/show");
    let folder = tempfile::tempdir().unwrap();
    let service = format!("[[service]]\nname = \"School\"\nserver = \"{rtmp}/live\"\n");
    let limits = "max_video_kbps = 500\nmax_height = 240\nmax_fps = 25\n";
    std::fs::write(folder.path().join("services.toml"), service + limits).unwrap();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "version = 2\n").unwrap();
    let settings = settings.to_str().unwrap();
    let wanted = [
        "School allows at most 500\u{a0}kbps of video; your setting is 600.",
        "School allows a maximum video height of 240 pixels; your setting is 270.",
        "School allows at most 25 fps; your setting is 30.",
    ];
    let mut live = live(&["--settings", settings, "--to", &url, "--duration", "1s"]);
    ends_with(&mut live, 0);
    let events = live.events();
    let misfits: Vec<_> = events.iter().filter(|event| event["key"] == "misfit").collect();
    let texts: Vec<_> = misfits.iter().map(|event| event["summary"].as_str().unwrap()).collect();
    assert_eq!(texts, wanted, "{misfits:?}");
    let words = ["check", &url, "--settings", settings, "--machine", "--video", "test"];
    let size = ["--audio", "none", "--size", "480x270", "--video-bitrate", "600k"];
    let report = answer(&[&words[..], &size].concat(), 0);
    let found = report["machine"].as_array().unwrap();
    let misfits = found.iter().filter(|it| it["name"] == "misfit");
    let texts: Vec<_> = misfits.map(|it| it["summary"].as_str().unwrap()).collect();
    assert_eq!(texts, wanted, "{report}");
    serve.stop(LIMIT);
}

/// A proxy that behaves like servers for Flash Player alone: it disconnects clients that send no
/// digest. Returns its address, and a counter of the refused clients.
fn insists_on_digests(behind: String) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let refused = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refused);
    thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut hello = [0; 1 + handshake::MESSAGE_BYTES];
            client.read_exact(&mut hello).unwrap();
            if handshake::digest_offset(hello[1..].try_into().unwrap()).is_none() {
                counted.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            let mut server = TcpStream::connect(&behind).unwrap();
            server.write_all(&hello).unwrap();
            for (mut from, mut to) in
                [(client.try_clone().unwrap(), server.try_clone().unwrap()), (server, client)]
            {
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    (address, refused)
}

#[test]
fn a_server_that_insists_on_digests_is_sent_them() {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let behind = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let behind = behind.strip_prefix("rtmp://").unwrap().trim_end_matches('/').to_owned();
    let (address, refused) = insists_on_digests(behind);
    let url = format!("rtmp://{address}/live/stream");
    let mut live = live(&["--to", &url]);
    live.wait_event("on air", |it| it["event"] == "target" && it["state"] == "live");
    let cut = |it: &Value| {
        it["event"] == "target" && it["stage"] == "handshake" && it["cause"].is_string()
    };
    assert!(live.events().iter().any(cut), "it is told that the server hung up");
    assert_eq!(refused.load(Ordering::SeqCst), 1);

    let mut play = Onair::start(&["play", &url, "--headless", "--mute", "--duration", "1s"]);
    ends_with(&mut play, 0);
    let report = answer(&["check", &url], 0);
    let stages: Vec<_> =
        report["stages"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(stages, ["dns", "tcp", "handshake", "connect"], "{report}");
    assert_eq!(refused.load(Ordering::SeqCst), 3, "each of them once");
    assert!(live.stop(LIMIT).success());
}
