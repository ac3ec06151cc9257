//! Tests of controlling the player from the command line: commands on standard input (`onair play
//! --control`), with and without a window.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::ChildStdin;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use serde_json::Value;

/// A player that takes commands on standard input.
struct ControlledPlayer {
    onair: Onair,
    input: ChildStdin,
    lines: u64,
}

impl ControlledPlayer {
    fn start(words: &[&str]) -> Self {
        let (onair, input) = Onair::start_with_input(&[&["play", "--headless"], words].concat());
        Self { onair, input, lines: 0 }
    }

    /// Writes a command line and returns the answer.
    fn ask(&mut self, line: &str) -> Value {
        writeln!(self.input, "{line}").unwrap();
        self.lines += 1;
        let number = self.lines;
        let is_it = |it: &Value| it["event"] == "control" && it["line"] == number;
        self.onair.wait_event(&format!("the answer to '{line}'"), is_it)
    }

    #[track_caller]
    fn done(&mut self, line: &str) {
        let answer = self.ask(line);
        let word = line.split(' ').next().unwrap();
        assert_eq!((&answer["ok"], &answer["command"]), (&true.into(), &word.into()), "{answer}");
    }

    #[track_caller]
    fn refused(&mut self, line: &str, why: &str) {
        let answer = self.ask(line);
        let reason = answer["reason"].as_str().unwrap_or_else(|| panic!("{line}: {answer}"));
        assert!(answer["ok"] == false && reason.contains(why), "{answer}");
        // Another thread writes the log.
        self.onair
            .peer
            .wait_until("the reason in the log", LIMIT, |it| it.errors().contains(reason));
    }

    /// Writes several lines at the same time and returns the answers. No line waits for the effect
    /// of the one before it.
    fn ask_together(&mut self, lines: &[&str]) -> Vec<Value> {
        let mut text = lines.join("\n");
        text.push('\n');
        self.input.write_all(text.as_bytes()).unwrap();
        let numbers = self.lines + 1..=self.lines + lines.len() as u64;
        self.lines = *numbers.end();
        let answer = |number: u64| {
            let is_it = |it: &Value| it["event"] == "control" && it["line"] == number;
            self.onair.wait_event(&format!("the answers to {lines:?}"), is_it)
        };
        numbers.map(answer).collect()
    }

    #[track_caller]
    fn done_together(&mut self, lines: &[&str]) {
        let answers = self.ask_together(lines);
        assert!(answers.iter().all(|it| it["ok"] == true), "{answers:?}");
    }

    /// Figures that are printed from now on.
    fn figures(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let before = self.onair.events().last().map_or(0.0, |it| it["t"].as_f64().unwrap());
        self.onair.wait_event(what, |it| {
            it["event"] == "play_stats" && it["t"].as_f64() > Some(before) && wanted(it)
        })
    }

    fn stop(&mut self) {
        self.done("stop");
        let code = self.onair.peer.wait(LIMIT).code();
        assert_eq!(code, Some(0), "{}", self.onair.peer.errors());
    }
}

fn film(folder: &Path, name: &str) -> String {
    let path = folder.join(name);
    ffmpeg::make(&path, "160x90", "60", &["-g", "25"]);
    path.display().to_string()
}

fn is_png(path: &Path) -> bool {
    fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"\x89PNG"))
}

#[test]
fn a_playing_file_is_controlled_by_lines() {
    peers::in_real_time!(a_playing_file_is_controlled_by_lines);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film.mp4");
    let mut play = ControlledPlayer::start(&[&film]);
    play.figures("it to play", |it| it["shown"].as_u64() > Some(5) && it["paused"] == false);
    play.done("pause");
    play.done("seek 0:40");
    let held = play.figures("a pause at its place", |it| {
        it["paused"] == true && it["position"].as_f64() > Some(39.0)
    });
    assert!((held["duration"].as_f64().unwrap() - 60.0).abs() < 0.5, "{held}");
    assert!(held["position"].as_f64() < Some(41.0), "{held}");
    // A bad line has no effect.
    play.refused("nonsense", "is not a command, or is incomplete: use pause");
    play.refused("seek 2h", "s long");
    play.refused("go-live", "recording");
    play.refused("zoom 150", "needs a window");
    play.refused("say hello", "--chat");
    play.refused("next", "one stream");
    play.refused("record film.flv", "already a recording");
    play.done("seek -10s");
    play.figures("ten seconds earlier", |it| {
        it["position"].as_f64().is_some_and(|at| (28.0..31.0).contains(&at))
    });
    // A relative seek starts at the position of the seek before it, and stops at the ends of the
    // file.
    let near = |place: f64| {
        move |it: &Value| it["position"].as_f64().is_some_and(|at| (at - place).abs() < 0.2)
    };
    for (lines, place) in [
        (&["seek 40s", "seek +3s", "seek +3s", "seek -1s"][..], 45.0),
        (&["seek -10s", "seek -10s"], 25.0),
        (&["seek +50s", "seek +50s", "seek -20s"], 40.0),
    ] {
        play.done_together(lines);
        play.figures(&format!("{place} s"), near(place));
    }
    play.done("volume 40");
    play.done("volume -10");
    play.done("mute");
    play.done("balance -50");
    play.done("av-offset 100ms");
    play.done("buffer 1s");
    play.figures("its loudness", |it| it["volume"] == 30.0 && it["muted"] == true);
    let picture = folder.path().join("a picture.png");
    for name in ["a picture.png", "a picture-1.png"] {
        play.done(&format!("snapshot {}", picture.display()));
        let path = folder.path().join(name);
        let is_saved =
            |it: &Value| it["event"] == "snapshot" && it["path"] == *path.to_str().unwrap();
        play.onair.wait_event("a picture", is_saved);
        assert!(is_png(&path), "{name}");
    }
    play.done("resume");
    play.done("rewind");
    play.figures("the beginning", |it| {
        it["paused"] == false && it["position"].as_f64() < Some(10.0)
    });
    play.stop();
}

#[test]
fn a_broadcast_is_gone_back_in_recorded_and_talked_about_by_lines() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = serve.wait_named("ready");
    let at = |kind: &str| ready[kind].as_str().unwrap().trim_end_matches('/').to_owned();
    let to = format!("{}/live/show", at("rtmp"));
    let words = ["--video", "test", "--audio", "tone", "--size", "480x270", "--fps", "15"];
    let mut live = Onair::start(&[&["live", "--to", &to], &words[..]].concat());
    live.wait_event("a live target", |it| it["state"] == "live");
    let mut play =
        ControlledPlayer::start(&[&format!("{}/live/show.flv", at("http")), "--mute", "--chat"]);
    play.figures("some of it kept", |it| it["rewind"].as_f64() > Some(6.5));
    play.refused("seek 10s", "go-live");
    play.refused("rewind 10m", "you can go back at most");
    play.done("rewind 4s");
    play.figures("a place behind", |it| it["behind"].as_f64() > Some(2.5));
    play.done("go-live");
    play.figures("the live end", |it| it["behind"].as_f64() < Some(1.5));
    // The second seek starts at the position of the first. A seek back ends at the keyframe before
    // that position, 5 s earlier at most.
    play.done_together(&["seek -3s", "seek -3s"]);
    play.figures("two steps behind", |it| it["behind"].as_f64() > Some(5.5));
    play.done_together(&["seek +20s", "seek +20s"]);
    play.figures("the live end again", |it| it["behind"].as_f64() < Some(1.5));
    play.onair.wait_event("the chat", |it| it["event"] == "chat" && it["state"] == "open");
    play.done("say hello from a line");
    play.onair.wait_event("what was said", |it| it["text"] == "hello from a line");
    let file = folder.path().join("new/show.flv");
    play.refused("record show.mp4", ".flv");
    // The last accepted command counts, even if the earlier ones have not taken effect yet.
    let record = |name: &str| format!("record {}", folder.path().join(name).display());
    let lines =
        [record("one.flv"), "record off".to_owned(), record("new/show.flv"), record("no.flv")];
    let answers = play.ask_together(&lines.each_ref().map(String::as_str));
    let oks: Vec<bool> = answers.iter().map(|it| it["ok"] == true).collect();
    assert_eq!(oks, [true, true, true, false], "{answers:?}");
    assert!(answers[3]["reason"].as_str().unwrap().contains("'record off' first"), "{answers:?}");
    assert!(folder.path().join("one.flv").exists() && !folder.path().join("no.flv").exists());
    play.figures("some of it saved", |it| {
        it["saving"]["path"] == *file.to_str().unwrap()
            && it["saving"]["seconds"].as_f64() > Some(2.0)
    });
    play.refused("record other.flv", "'record off' first");
    play.done("record off");
    play.onair.wait_event("the file", |it| it["key"] == "player-saved");
    assert_eq!(ffmpeg::decode(&file), "");
    play.stop();
    live.stop(LIMIT);
    serve.stop(LIMIT);
}

#[test]
fn of_several_streams_one_is_audible_and_controlled() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (film(folder.path(), "one.mp4"), film(folder.path(), "two.flv"));
    let absent = folder.path().join("absent.flv").display().to_string();
    let mut play = ControlledPlayer::start(&[&one, &two, &absent]);
    play.figures("both", |it| it["index"] == 1 && it["shown"].as_u64() > Some(5));
    play.done("next");
    play.figures("the second alone heard", |it| it["index"] == 1 && it["muted"] == false);
    play.figures("the first silent", |it| it["index"] == 0 && it["muted"] == true);
    play.done("pause");
    play.figures("the second held", |it| it["index"] == 1 && it["paused"] == true);
    play.figures("the first going on", |it| it["index"] == 0 && it["paused"] == false);
    play.refused("next", "is not playing");
    play.refused("stream 4", "only 3 are open");
    play.done("stream 1");
    play.figures("the first heard", |it| it["index"] == 0 && it["muted"] == false);
    play.done("stop");
    // One file does not exist, so the command fails.
    assert_eq!(play.onair.peer.wait(LIMIT).code(), Some(3));
}

#[test]
fn a_window_is_steered_by_the_same_lines() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop", "ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "a film.mp4");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let mut command = desktop.onair(folder.path());
    command.args(["play", &film, "--mute", "--control", "--own-window", "--figures", "--json"]);
    let (peer, input) = Peer::start_with_input(&mut command);
    let settings = tempfile::tempdir().unwrap();
    let mut play = ControlledPlayer { onair: Onair::of(peer, settings), input, lines: 0 };
    wait_for("a window of its own", LIMIT * 2, || desktop.windows().len() == 2);
    play.figures("it to play", |it| it["shown"].as_u64() > Some(5) && it["paused"] == false);
    play.done("pause");
    play.done("seek 40s");
    play.figures("a pause at its place", |it| {
        it["paused"] == true && it["position"].as_f64() > Some(39.0)
    });
    play.refused("nonsense", "is not a command");
    play.refused("seek 2h", "s long");
    play.done_together(&["seek -10s", "seek -10s"]);
    play.figures("two steps back", |it| {
        it["position"].as_f64().is_some_and(|at| (at - 20.0).abs() < 0.2)
    });
    play.refused("next", "one stream");
    play.refused("say hello", "chat");
    // A value out of range is refused, not clamped.
    play.refused("chat opacity 500", "opacity 20…100%");
    play.refused("chat speed 900", "speed 0.5…2×");
    play.refused("zoom 900", "zoom 25…400%");
    // Each command builds on the result of the one before it.
    for line in ["volume 50", "volume -20", "shape fill", "zoom 150", "turn 90", "chat size 30"] {
        play.done(line);
    }
    play.done("chat hide spoiler, 剧透");
    play.figures("its loudness", |it| it["volume"] == 30.0);
    let picture = folder.path().join("picture.png");
    play.done(&format!("snapshot {}", picture.display()));
    play.onair.wait_event("a picture", |it| it["event"] == "snapshot" && it["state"] == "finished");
    assert!(is_png(&picture));
    let kept = || fs::read_to_string(folder.path().join("onair/settings.toml")).unwrap_or_default();
    wait_for("the look and the chat to be kept", LIMIT, || {
        let kept = kept();
        ["fill 1.5 90", "size = 30", "剧透"].iter().all(|part| kept.contains(part))
    });
    play.stop();
    let last = play.onair.events().pop().unwrap();
    assert_eq!((&last["event"], &last["exit"]), (&"summary".into(), &0.into()), "{last}");
}
