//! Tests of recordings by `onair live`: interrupted, split, paused and replay-saved recordings, and
//! recordings on a full disk.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg};
use serde_json::Value;

const FORMATS: [&str; 3] = ["mp4", "mkv", "flv"];

/// Options for a small broadcast of the test source, recorded to `path`.
fn live(path: &Path, more: &[&str]) -> Vec<String> {
    let mut words = vec!["live", "--video", "test", "--audio", "tone", "--size", "320x180"];
    words.extend(["--video-bitrate", "500k", "--keyframe-interval", "1s"]);
    words.extend(["--record", path.to_str().unwrap()]);
    words.extend(more);
    words.into_iter().map(str::to_owned).collect()
}

fn start(path: &Path, more: &[&str]) -> Onair {
    let words = live(path, more);
    Onair::start(&words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// The number of frames that a busy machine has skipped, as it reports them.
fn skipped(events: &[Value]) -> usize {
    let counts = events.iter().filter_map(|event| event["video"]["skipped"].as_u64());
    usize::try_from(counts.max().unwrap()).unwrap()
}

/// Asserts that ffprobe and the decoder give no warning, and that no frames are missing except the
/// skipped ones.
fn check(path: &Path, skipped: usize) -> ffmpeg::Probe {
    let probe = ffmpeg::probe(path);
    assert_eq!(probe.warnings, "", "{path:?}");
    assert_eq!(ffmpeg::decode(path), "", "{path:?}");
    let video = probe.packets("video");
    assert!(video[0].keyframe && video[0].pts.abs() < 0.001, "{path:?}: {:?}", video[0]);
    for pair in video.windows(2) {
        let step = pair[1].pts - pair[0].pts;
        let off = (step * 30.0 - (step * 30.0).round()).abs() / 30.0;
        assert!(step > 0.03 && off <= 0.0012, "{path:?}: {step} after {:?}", pair[0]);
    }
    let missing = places(&probe) - video.len();
    assert!(missing <= skipped, "{path:?} lacks {missing}, {skipped} are told");
    let audio = probe.packets("audio");
    assert!(audio[0].pts < 0.05);
    for pair in audio.windows(2) {
        // After a pause, up to two audio packets may be missing, and more where a frame was
        // skipped.
        let step = pair[1].pts - pair[0].pts;
        let limit = if skipped == 0 { 0.066 } else { 0.1 };
        assert!(step > 0.0 && step < limit, "{path:?}: {step} after {:?}", pair[0]);
    }
    probe
}

/// The number of frames including the skipped ones.
fn places(probe: &ffmpeg::Probe) -> usize {
    (probe.packets("video").last().unwrap().pts * 30.0).round() as usize + 1
}

fn frames(path: &Path, skipped: usize) -> usize {
    check(path, skipped).packets("video").len()
}

fn last<'a>(events: &'a [Value], name: &str) -> &'a Value {
    events.iter().rfind(|event| event["event"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn a_kill_loses_two_seconds_at_most_and_the_next_start_makes_the_file_whole() {
    peers::in_real_time!(a_kill_loses_two_seconds_at_most_and_the_next_start_makes_the_file_whole);
    peers::require!("ffmpeg", "ffprobe");
    for format in FORMATS {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        let run = |path: &Path, more: &[&str]| {
            let words = live(path, more);
            let words: Vec<_> = words.iter().map(String::as_str).collect();
            Onair::start_with(&words, &[("XDG_STATE_HOME", state.to_str().unwrap())])
        };
        let path = folder.path().join(format!("show.{format}"));
        let mut onair = run(&path, &[]);
        let stats = onair.wait_event("five seconds of pictures", |event| {
            event["event"] == "stats" && event["video"]["encoded"].as_u64() >= Some(150)
        });
        onair.peer.signal("KILL");
        onair.peer.wait(LIMIT);
        // The file plays without repair. The last second's skipped frames were not reported any
        // more.
        let skipped = skipped(&onair.events()) + 30;
        let left = frames(&path, skipped);
        let encoded = stats["video"]["encoded"].as_u64().unwrap();
        assert!(left as u64 + 60 >= encoded, "{path:?}: {left} of {encoded}");

        let mut onair = run(&folder.path().join("other.mp4"), &["--duration", "2s"]);
        assert!(onair.peer.wait(LIMIT).success());
        let events = onair.events();
        let is_reported = |event: &&Value| {
            event["key"] == "recording-repaired"
                && event["summary"].as_str().unwrap().contains(path.to_str().unwrap())
        };
        assert!(events.iter().any(|event| is_reported(&event)), "{path:?}: {events:?}");
        let probe = check(&path, skipped);
        assert_eq!(probe.packets("video").len(), left);
        let duration: f64 = probe.json["format"]["duration"].as_str().unwrap().parse().unwrap();
        let length = places(&probe) as f64 / 30.0;
        assert!((duration - length).abs() < 0.1, "{path:?}: {duration}, not {length}");
        // A second repair has nothing to do.
        let mut repair = Onair::start(&["repair", path.to_str().unwrap()]);
        assert!(repair.peer.wait(LIMIT).success());
        assert_eq!(repair.events()[0]["state"], "whole");
        assert_eq!(fs::read_dir(state.join("onair/recordings")).unwrap().count(), 0);
    }
}

#[test]
fn a_split_recording_loses_and_doubles_nothing() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format!("show.{format}"));
        let mut onair = start(&path, &["--split-time", "2s", "--duration", "7s"]);
        assert!(onair.peer.wait(LIMIT).success());
        let events = onair.events();
        let parts: Vec<PathBuf> = events
            .iter()
            .filter(|it| it["event"] == "recording" && it["state"] == "finished")
            .map(|it| PathBuf::from(it["path"].as_str().unwrap()))
            .collect();
        assert!(parts.len() >= 3, "{parts:?}");
        assert_eq!(parts[1], folder.path().join(format!("show-part2.{format}")));
        let skipped = skipped(&events);
        let counts: Vec<_> = parts.iter().map(|part| places(&check(part, skipped))).collect();
        let (_, whole) = counts.split_last().unwrap();
        // The recorder asks for a keyframe after two seconds. A busy machine encodes it some frames later, but
        // a keyframe comes every second anyway. Frames skipped at the end of a part are missing in its length.
        let expected = 60_usize.saturating_sub(skipped)..=90;
        assert!(whole.iter().all(|count| expected.contains(count)), "{counts:?}, {skipped}");
        // No audio is missing either: each part begins where the part before it ended.
        let sounds: usize =
            parts.iter().map(|part| ffmpeg::probe(part).packets("audio").len()).sum();
        let pictures: usize = counts.iter().sum();
        let packets = |frames: usize| frames as f64 / 30.0 * 48_000.0 / 1_024.0;
        let (expected, slack) = (packets(pictures), 4.0 + packets(skipped));
        assert!((sounds as f64 - expected).abs() <= slack, "{sounds} of {expected}");
    }
}

/// A pipe as the standard input of `onair`.
struct Keyboard {
    pipe: fs::File,
}

impl Keyboard {
    fn beside(folder: &Path) -> (Self, PathBuf) {
        let path = folder.join("keyboard");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        // Opened for both reading and writing, so that neither end waits for the other.
        let pipe = fs::File::options().read(true).write(true).open(&path).unwrap();
        (Self { pipe }, path)
    }

    fn line(&mut self, line: &str) {
        writeln!(self.pipe, "{line}").unwrap();
    }
}

/// Starts `onair` through a shell that connects the pipe or sets a limit.
fn through_shell(script: &str, words: &[String], state: &Path) -> Onair {
    let settings = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(env!("CARGO_BIN_EXE_onair")).args(words).arg("--json");
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command.env("XDG_CONFIG_HOME", settings.path()).env("XDG_STATE_HOME", state);
    Onair::of(Peer::start_command(&mut command), settings)
}

fn seconds_recorded(onair: &mut Onair, seconds: u64) {
    onair.wait_event("pictures", |event| {
        event["event"] == "stats" && event["video"]["encoded"].as_u64() >= Some(seconds * 30)
    });
}

#[test]
fn commands_pause_mark_split_and_save() {
    peers::in_real_time!(commands_pause_mark_split_and_save);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.mp4");
    let (mut keyboard, pipe) = Keyboard::beside(folder.path());
    let words = live(&path, &["--control", "--replay", "2s"]);
    let script = format!("exec \"$@\" < {}", pipe.display());
    let mut onair = through_shell(&script, &words, folder.path());
    seconds_recorded(&mut onair, 2);
    keyboard.line("chapter The 第二 act");
    let chapter = onair.wait_named("chapter");
    assert_eq!(chapter["title"], "The 第二 act");
    keyboard.line("pause");
    onair.wait_event("the pause", |it| it["event"] == "recording" && it["paused"] == true);
    // Counts frames, because time also passes on a busy machine. The latest figures may be a second
    // old.
    let known = last(&onair.events(), "stats")["video"]["encoded"].as_u64().unwrap();
    onair.wait_event("frames of the pause", |it| {
        it["event"] == "stats" && it["video"]["encoded"].as_u64() > Some(known + 100)
    });
    keyboard.line("snapshot");
    let picture = onair.wait_named("snapshot");
    assert_eq!(picture["state"], "finished");
    // A pause of the recording does not affect the replay buffer.
    onair.peer.signal("USR1");
    assert_eq!(onair.wait_named("replay")["state"], "writing");
    let is_over = |it: &Value| it["event"] == "replay" && it["state"] != "writing";
    let replay = onair.wait_event("the replay", is_over);
    assert_eq!(replay["state"], "finished", "{replay}");
    keyboard.line("resume");
    // A busy machine makes the pause longer. The recording goes on at a keyframe.
    let known = last(&onair.events(), "stats")["video"]["encoded"].as_u64().unwrap();
    onair.wait_event("frames after the pause", |it| {
        it["event"] == "stats" && it["video"]["encoded"].as_u64() > Some(known + 240)
    });
    onair.peer.signal("USR2");
    onair.wait_event("a chapter by signal", |it| it["title"] == "Chapter 2");
    keyboard.line("nonsense");
    keyboard.line("stop");
    assert!(onair.peer.wait(LIMIT).success(), "{}", onair.peer.errors());
    assert!(onair.peer.errors().contains("'nonsense' is not a command"));

    // `check` looks at every frame. The frames of the pause are not in the file.
    let events = onair.events();
    let encoded = last(&events, "summary")["video"]["encoded"].as_u64().unwrap();
    let recorded = frames(&path, skipped(&events)) as u64;
    assert!(recorded + 60 <= encoded && recorded >= 120, "{recorded} of {encoded}");
    let replay = PathBuf::from(replay["path"].as_str().unwrap());
    assert_eq!(replay, folder.path().join("replay.mp4"));
    let frames = frames(&replay, skipped(&events));
    assert!((55..=95).contains(&frames), "{frames} pictures of 2 to 3 seconds");
    let probe = ffmpeg::probe(picture["path"].as_str().unwrap());
    assert_eq!(probe.stream("video")["width"], 320);
}

#[test]
fn no_room_ends_the_recording_readable_and_the_stream_goes_on() {
    peers::require!("ffmpeg", "ffprobe");
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let url = format!("{}/live/show", serve.wait_named("ready")["rtmp"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format!("show.{format}"));
        let words = live(&path, &["--duration", "8s"]);
        // 400 blocks of 512 bytes: no file may exceed 200 KiB.
        let mut onair = through_shell("ulimit -f 400; exec \"$@\"", &words, folder.path());
        onair.wait_event("the failure", |it| it["event"] == "recording" && it["state"] == "failed");
        let status = onair.peer.wait(LIMIT);
        assert_eq!(status.code(), Some(3), "{}", onair.peer.errors());
        let events = onair.events();
        assert!(events.iter().any(|it| it["key"] == "recording-failed"));
        assert!(frames(&path, skipped(&events)) >= 30, "{path:?}");
        fs::remove_file(&path).unwrap();

        // Together with a stream: the stream continues.
        let words = live(&path, &["--to", &url]);
        let mut onair = through_shell("ulimit -f 400; exec \"$@\"", &words, folder.path());
        onair.wait_event("the failure", |it| it["event"] == "recording" && it["state"] == "failed");
        let sent = |it: &Value| it["targets"][0]["sent_frames"].as_u64();
        let before = onair.events().iter().filter_map(sent).max().unwrap_or(0);
        onair.wait_event("more frames", |it| sent(it) > Some(before + 60));
        assert_eq!(last(&onair.events(), "target")["state"], "live");
        onair.stop(LIMIT);
    }
}

/// A recording that cannot begin gives a notice with cause and cure.
#[test]
fn a_recording_that_never_began_says_so_and_why() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let long = "long".repeat(80);
    let inside = |name: &str| folder.path().join(name);
    for (path, limit, cause, cure) in [
        (inside("file/show.mp4"), "", "part of the path is a file", "another name or folder"),
        (inside(&format!("{long}.mkv")), "", "the name is too long", "a shorter name"),
        (PathBuf::from("/proc/none/show.flv"), "", "the folder does not exist", "still available"),
        // With a limit of zero bytes, nothing can be written.
        (inside("show.flv"), "ulimit -f 0; ", "reached the maximum file size", "another disk"),
    ] {
        let words = live(&path, &["--duration", "2s"]);
        let script = format!("({limit}exec \"$@\") | cat");
        let mut onair = through_shell(&script, &words, folder.path());
        onair.peer.wait(LIMIT);
        let (events, errors) = (onair.events(), onair.peer.errors());
        let notice = events.iter().find(|it| it["key"] == "recording-not-started");
        let notice = notice.unwrap_or_else(|| panic!("{path:?}: {events:?} {errors}"));
        assert!(notice["summary"].as_str().unwrap().contains(cause), "{notice}");
        assert!(notice["advice"].as_str().unwrap().contains(cure), "{notice}");
        assert!(!notice.to_string().contains("can play the recorded part"), "{notice}");
        assert_eq!(last(&events, "summary")["exit"], 3, "{events:?}");
        assert!(!path.exists(), "{path:?}");
    }
    // `check` has tried to record, and leaves no file behind.
    let check = |path: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(["check", "--json", "--video", "test", "--audio", "tone", "--record"]);
        command.arg(path).args(["--size", "320x180", "--fps", "15"]).env_remove("DISPLAY");
        command.env("XDG_CONFIG_HOME", folder.path()).env("XDG_STATE_HOME", folder.path());
        let output = command.output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        (output.status.code(), found)
    };
    for (path, name, cause) in [
        (inside("file/show.mp4"), "folder-bad", "part of the path"),
        (inside(&format!("{long}.mp4")), "record-bad", "the name is too long"),
    ] {
        let (code, found) = check(&path);
        assert_eq!((code, &found["ok"]), (Some(3), &false.into()), "{found}");
        let bad = found["machine"].as_array().unwrap().iter().find(|it| it["name"] == name);
        let bad = bad.unwrap_or_else(|| panic!("{found}"));
        assert!(bad["ok"] == false && bad["summary"].as_str().unwrap().contains(cause), "{bad}");
    }
    let (code, found) = check(&inside("new/show.mp4"));
    assert!(code != Some(3) && !found.to_string().contains("-bad"), "{found}");
    assert!(!inside("new").exists());
}

#[test]
fn remux_says_what_it_did_and_refuses_what_it_must() {
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("show.flv");
    let mut onair = start(&path, &["--duration", "2s"]);
    assert!(onair.peer.wait(LIMIT).success());
    let to = folder.path().join("show.mkv");
    let run = |from: &Path, to: &Path| {
        let mut onair = Onair::start(&["remux", from.to_str().unwrap(), to.to_str().unwrap()]);
        let status = onair.peer.wait(LIMIT);
        (status.code(), onair.events())
    };
    let (code, events) = run(&path, &to);
    assert_eq!(code, Some(0));
    assert_eq!((&events[0]["event"], &events[0]["state"]), (&"remux".into(), &"written".into()));
    let missing_frames = skipped(&onair.events());
    assert_eq!(frames(&to, missing_frames), frames(&path, missing_frames));
    assert_eq!(run(&path, &to).0, Some(3), "it exists");
    assert_eq!(run(&path, &folder.path().join("show.avi")).0, Some(2));
    assert_eq!(run(&folder.path().join("none.mkv"), &folder.path().join("a.mp4")).0, Some(3));
    fs::write(folder.path().join("text.mp4"), "no film").unwrap();
    assert_eq!(run(&folder.path().join("text.mp4"), &folder.path().join("b.mp4")).0, Some(3));
    assert!(!folder.path().join("b.mp4").exists());
}

#[test]
fn our_own_player_plays_and_probes_each_format() {
    peers::in_real_time!(our_own_player_plays_and_probes_each_format);
    let folder = tempfile::tempdir().unwrap();
    for format in FORMATS {
        let path = folder.path().join(format!("show.{format}"));
        let mut onair = start(&path, &["--duration", "3s"]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
        let file = path.to_str().unwrap();
        let mut probe = Onair::start(&["probe", file]);
        assert_eq!(probe.peer.wait(LIMIT).code(), Some(0), "{}", probe.peer.errors());
        let found: Value = serde_json::from_str(&probe.peer.output()).unwrap();
        assert_eq!(found["format"], format);
        let codecs: Vec<_> =
            found["streams"].as_array().unwrap().iter().map(|it| &it["codec"]).collect();
        assert_eq!(codecs, ["h264", "aac"], "{found}");
        // A busy machine may end it later.
        assert!((2.8..6.0).contains(&found["duration"].as_f64().unwrap()), "{found}");
        let mut player = Onair::start(&["play", file, "--headless", "--mute", "--measure"]);
        assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.output());
        let summary = player.events().pop().unwrap();
        assert!(summary["decoded"].as_u64() >= Some(85), "{format}: {summary}");
        let broken = folder.path().join(format!("broken.{format}"));
        let bytes = fs::read(&path).unwrap();
        fs::write(&broken, &bytes[..64]).unwrap();
        let mut player = Onair::start(&["play", broken.to_str().unwrap(), "--headless"]);
        assert_eq!(player.peer.wait(LIMIT).code(), Some(3), "{}", player.peer.output());
    }
}
