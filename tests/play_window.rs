//! `onair play` in a window does what it is told, as without one: `--duration`, `--snapshot`,
//! `--json`, `--settings`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails"
)]

#[path = "peers/mod.rs"]
mod peers;

use std::fs;
use std::path::Path;

use peers::desktop::Desktop;
use peers::{LIMIT, Onair, Peer};
use serde_json::Value;

fn play(desktop: &Desktop, home: &Path, words: &[&str]) -> Peer {
    Peer::start_command(desktop.onair(home).arg("play").args(words).arg("--mute"))
}

fn events(peer: &Peer) -> Vec<Value> {
    peer.output().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn the_window_ends_after_its_time_with_a_picture_and_figures() {
    peers::require!("Xvfb", "dbus-daemon", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let picture = home.path().join("last.png");
    let desktop = Desktop::start();
    let words = |more: &[&'static str]| -> Vec<String> {
        let film = file.to_str().unwrap().to_owned();
        std::iter::once(film).chain(more.iter().map(|word| (*word).to_owned())).collect()
    };
    let mut all = words(&["--duration", "3s", "--json", "--snapshot"]);
    all.push(picture.to_str().unwrap().to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut window = play(&desktop, home.path(), &all);
    let status = window.wait(LIMIT * 2);
    assert_eq!(status.code(), Some(0), "{}{}", window.output(), window.errors());
    let events = events(&window);
    let named = |name: &str| events.iter().filter(|event| event["event"] == name).count();
    assert!(events.iter().any(|event| event["event"] == "play" && event["state"] == "playing"));
    assert!(named("play_stats") >= 2, "{events:?}");
    let last = events.last().unwrap();
    assert_eq!((&last["event"], &last["exit"]), (&"summary".into(), &0.into()), "{last}");
    assert_eq!((&last["width"], &last["height"]), (&160.into(), &90.into()), "{last}");
    assert!(last["shown"].as_u64() > Some(30), "{last}");
    // The picture is that of the film.
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(&picture).unwrap()));
    let info = decoder.read_info().unwrap();
    assert_eq!((info.info().width, info.info().height), (160, 90));

    // What cannot be written is told, and the code says so.
    let mut all = words(&["--duration", "1s", "--snapshot", "/proc/nowhere/last.png"]);
    all.push("--json".to_owned());
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let mut window = play(&desktop, home.path(), &all);
    assert_eq!(window.wait(LIMIT * 2).code(), Some(3), "{}", window.errors());
    assert!(window.errors().contains("last.png"), "{}", window.errors());
}

#[test]
fn a_stream_that_is_lost_when_the_time_is_over_gives_the_code_of_what_is_lost() {
    peers::require!("Xvfb", "dbus-daemon");
    let home = tempfile::tempdir().unwrap();
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180", "--fps", "15"];
    let mut onair = Onair::start(&words);
    let url = onair.play_url();
    let desktop = Desktop::start();
    let mut window = play(&desktop, home.path(), &[&url, "--duration", "4s", "--json"]);
    let plays = "\"state\":\"playing\"";
    window.wait_until("its stream", LIMIT * 2, |peer| peer.output().contains(plays));
    onair.peer.kill();
    let status = window.wait(LIMIT * 2);
    let events = events(&window);
    let last = events.last().unwrap();
    assert_eq!((status.code(), &last["exit"]), (Some(8), &8.into()), "{events:?}");
}

#[test]
fn the_window_is_as_the_settings_say() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let film = file.to_str().unwrap();
    let desktop = Desktop::start();
    // A file that is not there is an error, not silence.
    let missing = home.path().join("none.toml");
    let mut window = play(&desktop, home.path(), &[film, "--settings", missing.to_str().unwrap()]);
    assert_eq!(window.wait(LIMIT).code(), Some(3));
    assert!(window.errors().contains("none.toml"), "{}", window.errors());
    // What is wrong in the one that is named is told: it was read.
    let settings = home.path().join("mine.toml");
    fs::write(&settings, "version = 2\n[window]\ntheme = \"plaid\"\n").unwrap();
    let words = [film, "--settings", settings.to_str().unwrap(), "--duration", "1s", "--json"];
    let mut window = play(&desktop, home.path(), &words);
    assert_eq!(window.wait(LIMIT * 2).code(), Some(0), "{}", window.errors());
    let told = events(&window);
    let bad = told.iter().find(|event| event["key"] == "settings-bad");
    let bad = bad.unwrap_or_else(|| panic!("{told:?}"));
    assert!(bad.to_string().contains("theme"), "{bad}");
}

#[test]
fn where_there_is_no_display_that_is_said_with_a_code_of_its_own() {
    let home = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_onair"));
    let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"];
    command.envs(folders.map(|name| (name, home.path())));
    for name in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(name);
    }
    let mut window = Peer::start_command(command.args(["play", "nothing.flv", "--mute"]));
    assert_eq!(window.wait(LIMIT).code(), Some(4), "{}", window.errors());
    assert!(window.errors().contains("--headless"), "{}", window.errors());
}
