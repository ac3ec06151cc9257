//! Tests of `onair serve --record DIR` and `--config FILE`. The server records each published
//! stream in a file, whatever the stream's name. If the folder disappears, only the recordings end.
//! The server checks its configuration file and reloads it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::peers::{self, LIMIT, Onair, ffmpeg};
use serde_json::Value;

fn start(more: &[&str]) -> (Onair, String) {
    let mut arguments = vec!["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    arguments.extend(more);
    let mut serve = Onair::start(&arguments);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    (serve, rtmp)
}

/// The event with this state that follows `after` earlier ones.
fn recording(serve: &Onair, state: &str, after: usize) -> Value {
    let found = |serve: &Onair| {
        let mut events = serve.events().into_iter();
        let is_it = |event: &Value| event["event"] == "recording" && event["state"] == state;
        events.by_ref().filter(is_it).nth(after)
    };
    peers::wait_for(state, LIMIT, || found(serve).is_some());
    found(serve).unwrap()
}

fn path_of(event: &Value) -> PathBuf {
    event["path"].as_str().unwrap().into()
}

/// Asserts that a file is complete and has the length that was sent.
fn check(file: &Path) {
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "");
    assert_eq!(ffmpeg::decode(file), "");
    let (pictures, sounds) = (probe.packets("video"), probe.packets("audio"));
    let span = pictures.last().unwrap().pts - pictures[0].pts;
    assert!(pictures[0].keyframe && (2.0..3.2).contains(&span), "{span} s");
    assert!(pictures[0].pts.abs() < 0.1 && sounds[0].pts.abs() < 0.1);
    for packets in [&pictures, &sounds] {
        assert!(packets.windows(2).all(|pair| pair[0].dts < pair[1].dts), "DTS not monotonic");
    }
}

#[test]
fn every_publication_is_a_separate_file() {
    peers::in_real_time!(every_publication_is_a_separate_file);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("made/anew");
    let (mut serve, rtmp) = start(&["--record", into.to_str().unwrap()]);
    let mut files = Vec::new();
    for (number, name) in ["live/show", "live/show", "live/..%2F..%2Fetc"].iter().enumerate() {
        let mut publisher = ffmpeg::publish(&format!("{rtmp}/{name}"), Some(3));
        let writing = recording(&serve, "writing", number);
        publisher.wait_success(LIMIT);
        let finished = recording(&serve, "finished", number);
        assert_eq!(finished["path"], writing["path"]);
        assert!(finished["reason"].is_null() && finished["seconds"].as_f64().unwrap() > 2.0);
        let file = path_of(&finished);
        assert_eq!(file.parent(), Some(into.as_path()), "{}", file.display());
        assert_eq!(finished["bytes"].as_u64(), fs::metadata(&file).ok().map(|it| it.len()));
        check(&file);
        files.push(file);
    }
    files.dedup();
    assert_eq!(files.len(), 3);
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(0));
    let summary = serve.events().pop().unwrap();
    assert_eq!((&summary["recordings"], &summary["unwritten"]), (&3.into(), &0.into()));
}

/// The server ends in the middle of a broadcast: the file has everything received, and is reported
/// before the end.
#[test]
fn a_server_that_ends_finishes_its_files() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let (mut serve, rtmp) = start(&["--record", folder.path().to_str().unwrap()]);
    let _publisher = ffmpeg::publish(&format!("{rtmp}/live/show"), None);
    let file = path_of(&recording(&serve, "writing", 0));
    peers::wait_for("some of it", LIMIT, || fs::metadata(&file).unwrap().len() > 100_000);
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(0));
    recording(&serve, "finished", 0);
    let probe = ffmpeg::probe(&file);
    assert!(probe.packets("video").len() > 10);
    assert_eq!(ffmpeg::decode(&file), "");
}

#[test]
fn a_folder_that_vanishes_costs_the_files_only() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("gone");
    let (mut serve, rtmp) = start(&["--record", into.to_str().unwrap()]);
    fs::remove_dir(&into).unwrap();
    let url = format!("{rtmp}/live/show");
    let _publisher = ffmpeg::publish(&url, None);
    let failed = recording(&serve, "failed", 0);
    assert!(
        failed["reason"].as_str().is_some_and(|it| it.contains("the folder does not exist")),
        "{failed}"
    );
    let live = ffmpeg::probe(&url);
    assert_eq!(live.stream("video")["codec_name"], "h264");
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(3));
    // A recording folder that cannot be created is an error at the start.
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let mut serve = Onair::start(&["serve", "--record", file.join("below").to_str().unwrap()]);
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(3));
    // So is a folder that exists but takes no files.
    let mut serve = Onair::start(&[
        "serve",
        "--rtmp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--record",
        "/proc",
    ]);
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(3));
    assert!(
        serve.peer.errors().contains("Check that the folder or drive"),
        "{}",
        serve.peer.errors()
    );
}

/// Landlock allows the folder that existed at the start, and not another folder at the same path.
#[test]
fn a_replaced_folder_needs_a_restart() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().join("into");
    let (serve, rtmp) = start(&["--record", into.to_str().unwrap()]);
    fs::remove_dir(&into).unwrap();
    fs::create_dir(&into).unwrap();
    let _publisher = ffmpeg::publish(&format!("{rtmp}/live/show"), None);
    let find = || serve.events().into_iter().find(|event| event["event"] == "recording");
    peers::wait_for("a recording", LIMIT, || find().is_some());
    let recording = find().unwrap();
    // Without Landlock in the kernel, the server can write to the new folder.
    if recording["state"] != "writing" {
        let reason = recording["reason"].as_str().unwrap();
        assert!(
            reason.contains("the folder was replaced") && reason.contains("Restart"),
            "{reason}"
        );
    }
}

/// When the disk is full, the file so far is complete, and its size is reported.
#[test]
fn a_file_that_finds_no_room_ends_whole_and_tells_its_bytes() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("sh");
    // 400 blocks of 512 bytes: no file may exceed 200 KiB.
    command.args(["-c", "ulimit -f 400; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_onair"), "serve"]);
    command.args(["--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--json", "--record"]);
    let mut serve = Onair::start_command(command.arg(folder.path()), &[]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let _publisher = ffmpeg::publish(&format!("{rtmp}/live/show"), None);
    let failed = recording(&serve, "failed", 0);
    let file = path_of(&failed);
    let there = fs::metadata(&file).unwrap().len();
    assert!(there > 100_000 && failed["bytes"] == there, "{there}: {failed}");
    assert!(failed["reason"].as_str().unwrap().contains("smaller files"), "{failed}");
    assert_eq!(ffmpeg::decode(&file), "");
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(3));
}

#[test]
fn flags_and_publish_keys_come_from_a_file() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("serve.toml");
    let text = format!(
        "rtmp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nrecord = {:?}\n\
         publish_keys = [\"Pl4nted-k3y\"]\n",
        folder.path()
    );
    fs::write(&config, text).unwrap();
    let mut serve = Onair::start(&["serve", "--config", config.to_str().unwrap()]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let mut refused = ffmpeg::publish(&format!("{rtmp}/live/show?key=wrong"), Some(3));
    assert!(!refused.wait(LIMIT).success());
    let mut welcome = ffmpeg::publish(&format!("{rtmp}/live/show?key=Pl4nted-k3y"), Some(3));
    welcome.wait_success(LIMIT);
    check(&path_of(&recording(&serve, "finished", 0)));
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(0));
    let output: String = serve.events().iter().map(Value::to_string).collect();
    assert!(!output.contains("Pl4nted"), "{output}");
    fs::write(&config, "port = 1935\n").unwrap();
    let mut serve = Onair::start(&["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(3));
}

/// `--check` exits with 0 or 3, and names line and column.
#[test]
fn a_configuration_is_checked_without_serving() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("serve.toml");
    let check = |text: &str| {
        fs::write(&config, text).unwrap();
        let mut serve = Onair::start(&["serve", "--config", config.to_str().unwrap(), "--check"]);
        let code = serve.peer.wait(LIMIT).code();
        (code, serve.events())
    };
    let (code, events) = check("rtmp = \"127.0.0.1:0\"\npublish_keys = [\"Pl4nted\"]\n");
    assert_eq!((code, &events[0]["event"], events.len()), (Some(0), &"check".into(), 1));
    let (code, events) = check("rtmp = \"127.0.0.1:0\"\npublish_keys = \"Pl4nted\"\n");
    let error = events[0]["error"].as_str().unwrap();
    assert!(code == Some(3) && error.contains("line 2, column 16"), "{error}");
    assert!(!error.contains("Pl4nted"), "{error}");
}

/// SIGHUP changes who may publish, and disconnects nobody; an invalid file changes nothing.
#[test]
fn a_configuration_is_reloaded_without_disconnecting_anybody() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("serve.toml");
    let addresses = "rtmp = \"127.0.0.1:0\"\nhttp = \"127.0.0.1:0\"\nwebrtc = \"none\"\n";
    let write = |more: &str| fs::write(&config, format!("{addresses}{more}\n")).unwrap();
    write("publish_keys = [\"first\"]");
    let mut serve = Onair::start(&["serve", "--config", config.to_str().unwrap()]);
    let ready = serve.wait_named("ready");
    let (rtmp, http) = (ready["rtmp"].as_str().unwrap(), ready["http"].as_str().unwrap());
    let answer = peers::web::ask(http.trim_start_matches("http://"), "GET", "/readyz");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("{\"ready\":true,\"full\":[]}"), "{answer}");
    let mut before = ffmpeg::publish(&format!("{rtmp}/live/a?key=first"), None);
    serve.wait_event("publish", |it| it["event"] == "publish" && it["stream"] == "a");
    // An invalid file: the old configuration stays.
    write("publish_keys = 5");
    serve.peer.signal("HUP");
    let event = serve.wait_named("reload");
    assert!(event["error"].as_str().unwrap().contains("line 4"), "{event}");
    let mut known = ffmpeg::publish(&format!("{rtmp}/live/b?key=first"), Some(1));
    known.wait_success(LIMIT);
    let state = || peers::web::ask(http.trim_start_matches("http://"), "GET", "/live/a/state");
    assert!(state().contains("\"renditions\":[]"), "{}", state());
    write(
        "publish_keys = [\"second\"]\nhls = \"off\"\nrenditions = [\"240p:300k\"]\nmax_streams = 9",
    );
    serve.peer.signal("HUP");
    let is_second = |it: &Value| it["event"] == "reload" && it["error"].is_null();
    let event = serve.wait_event("reload", is_second);
    assert_eq!(event["needs_restart"], serde_json::json!(["max_streams", "hls"]));
    assert!(state().contains("\"renditions\":[\"240p\""), "{}", state());
    let mut refused = ffmpeg::publish(&format!("{rtmp}/live/c?key=first"), Some(1));
    assert!(!refused.wait(LIMIT).success());
    let mut welcome = ffmpeg::publish(&format!("{rtmp}/live/c?key=second"), Some(1));
    welcome.wait_success(LIMIT);
    // The first publisher is still connected.
    assert_eq!(before.status(), None, "{}", before.errors());
    let left = |it: &Value| it["event"] == "unpublish" && it["stream"] == "a";
    assert!(!serve.events().iter().any(left));
    drop(before);
    serve.peer.interrupt();
    assert_eq!(serve.peer.wait(LIMIT).code(), Some(0));
}
