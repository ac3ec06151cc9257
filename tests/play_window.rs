//! Tests of `onair play` in a window. The flags `--duration`, `--snapshot`, `--json` and
//! `--settings` must work there as they do without a window.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use serde_json::Value;

fn play(desktop: &Desktop, home: &Path, words: &[&str]) -> Peer {
    Peer::start_command(desktop.onair(home).arg("play").args(words).arg("--mute"))
}

fn events(peer: &Peer) -> Vec<Value> {
    peer.output().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn the_window_ends_after_its_time_with_an_image_and_figures() {
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
    // The screenshot has the size of the file's video.
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(&picture).unwrap()));
    let info = decoder.read_info().unwrap();
    assert_eq!((info.info().width, info.info().height), (160, 90));

    // A file that cannot be written is reported, and the exit code says so.
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
    let mut window = play(&desktop, home.path(), &[&url, "--duration", "15s", "--json"]);
    // Most of the time is left when the stream is lost, even if the machine is busy.
    let plays = "\"state\":\"playing\"";
    window.wait_until("its stream", LIMIT * 2, |peer| peer.output().contains(plays));
    onair.peer.kill();
    let status = window.wait(LIMIT * 2);
    let events = events(&window);
    let last = events.last().unwrap();
    assert_eq!((status.code(), &last["exit"]), (Some(8), &8.into()), "{events:?}");
    // The events include every stage and the retry, as without a window.
    let of = |state: &'static str| events.iter().filter(move |event| event["state"] == state);
    let stages: Vec<&str> = of("opening").filter_map(|event| event["stage"].as_str()).collect();
    assert!(["tcp", "handshake", "media"].iter().all(|it| stages.contains(it)), "{stages:?}");
    let lost = of("reconnecting").next().expect("the loss is not told");
    assert!(lost["cause"].is_string() && lost["retry_in"].is_f64(), "{lost}");
}

/// However the window closes, the file is complete, and the notice about it comes before the
/// summary.
#[test]
fn closing_the_window_completes_and_reports_a_recording() {
    peers::require!("Xvfb", "dbus-daemon", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "320x180", "--fps", "15"];
    let mut live = Onair::start(&words);
    let url = live.play_url();
    let desktop = Desktop::start();
    for end in ["a line", "a signal"] {
        let file = home.path().join(end).with_extension("flv");
        let words = ["play", &url, "--mute", "--control", "--json"];
        let (mut window, mut input) =
            Peer::start_with_input(desktop.onair(home.path()).args(words));
        let plays = "\"state\":\"playing\"";
        window.wait_until("its stream", LIMIT * 2, |peer| peer.output().contains(plays));
        writeln!(input, "record {}", file.display()).unwrap();
        // More than one write.
        let written = || fs::metadata(&file).map_or(0, |it| it.len());
        window.wait_until("some of it", LIMIT, |_| written() > 100_000);
        match end {
            "a line" => writeln!(input, "stop").unwrap(),
            _ => window.interrupt(),
        }
        assert_eq!(window.wait(LIMIT).code(), Some(0), "{end}: {}", window.errors());
        let reported = events(&window);
        let place = |wanted: &dyn Fn(&Value) -> bool| reported.iter().position(wanted);
        let saved = place(&|it| it["key"] == "player-saved");
        let saved = saved.unwrap_or_else(|| panic!("{end}: {reported:?}"));
        assert!(Some(saved) < place(&|it| it["event"] == "summary"), "{end}: {reported:?}");
        assert_eq!(ffmpeg::decode(&file), "", "{end}");
    }
    live.stop(LIMIT);
}

#[test]
fn where_nothing_can_be_played_the_time_is_over_with_the_code_of_what_failed() {
    peers::require!("Xvfb", "dbus-daemon");
    let home = tempfile::tempdir().unwrap();
    let desktop = Desktop::start();
    let dead = format!("rtmp://127.0.0.1:{}/live/nobody", peers::free_port());
    for source in [dead.as_str(), "not there.flv"] {
        let words = [source, "--duration", "5s"];
        let mut window = play(&desktop, home.path(), &[&words[..], &["--json"]].concat());
        let mut headless = Onair::start(&[&["play", "--headless"], &words[..]].concat());
        let wanted = headless.peer.wait(LIMIT).code();
        assert_ne!(wanted, Some(0));
        assert_eq!(window.wait(LIMIT * 2).code(), wanted, "{source}: {}", window.errors());
        // The last state, and the last event.
        let failed = |events: &[Value]| {
            let failed = events.iter().rfind(|event| event["state"] == "failed").cloned();
            let failed = failed.unwrap_or_else(|| panic!("{source}: {events:?}"));
            let last = events.last().unwrap();
            let fields = ["code", "cause", "advice"].map(|field| failed[field].clone());
            (fields, last["event"].clone(), last["exit"].clone())
        };
        assert_eq!(failed(&events(&window)), failed(&headless.events()), "{source}");
    }
}

#[test]
fn each_of_several_streams_in_a_window_has_its_own_code() {
    peers::require!("Xvfb", "dbus-daemon", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let desktop = Desktop::start();
    let words = [file.to_str().unwrap(), "not there.flv", "--duration", "2s", "--json"];
    let mut window = play(&desktop, home.path(), &words);
    assert_eq!(window.wait(LIMIT * 2).code(), Some(3), "{}", window.errors());
    let events = events(&window);
    let exits: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "summary")
        .map(|event| (event["index"].as_u64(), event["exit"].as_u64().unwrap()))
        .collect();
    assert_eq!(exits, [(Some(0), 0), (Some(1), 3), (None, 3)], "{events:?}");
}

#[test]
fn the_window_is_as_the_settings_say() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xprop", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let film = file.to_str().unwrap();
    let desktop = Desktop::start();
    // A settings file that does not exist is an error, not ignored.
    let missing = home.path().join("none.toml");
    let mut window = play(&desktop, home.path(), &[film, "--settings", missing.to_str().unwrap()]);
    assert_eq!(window.wait(LIMIT).code(), Some(3));
    assert!(window.errors().contains("none.toml"), "{}", window.errors());
    // A mistake in the named settings file is reported, so the file was read.
    let settings = home.path().join("mine.toml");
    fs::write(&settings, "version = 2\n[window]\ntheme = \"plaid\"\n").unwrap();
    let words = [film, "--settings", settings.to_str().unwrap(), "--duration", "1s", "--json"];
    let mut window = play(&desktop, home.path(), &words);
    assert_eq!(window.wait(LIMIT * 2).code(), Some(0), "{}", window.errors());
    let reported = events(&window);
    let bad = reported.iter().find(|event| event["key"] == "settings-bad");
    let bad = bad.unwrap_or_else(|| panic!("{reported:?}"));
    assert!(bad.to_string().contains("theme"), "{bad}");
}

#[test]
fn a_missing_display_is_reported_with_its_own_exit_code() {
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

/// The settings file in this home folder.
fn kept(home: &Path) -> String {
    fs::read_to_string(home.join("onair/settings.toml")).unwrap_or_default()
}

/// Whether the settings have this volume and this sync offset.
fn holds(home: &Path, volume: f64, offset: i64) -> bool {
    let file: toml::Table = kept(home).parse().unwrap();
    let number = |name: &str| file.get("player").and_then(|player| player.get(name)).cloned();
    let near = |value: toml::Value| value.as_float().is_some_and(|it| (it - volume).abs() < 1e-3);
    number("volume").is_some_and(near) && number("av_offset_ms") == Some(offset.into())
}

#[test]
fn what_is_chosen_in_the_window_is_kept_and_no_secret_is() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg");
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let film = file.to_str().unwrap();
    // The studio's settings in an older format: they must stay.
    fs::create_dir_all(home.path().join("onair")).unwrap();
    let studios = "version = 1\nvideo = \"test\"\n[target]\ncustom = true\nserver = \"rtmp://127.0.0.1:1/own\"\n";
    fs::write(home.path().join("onair/settings.toml"), studios).unwrap();
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let secret = "rtmp://127.0.0.1:1/live/show?token=planted";
    let below = "rtmp://127.0.0.1:1/own/planted";
    let press = |keys: &[&str], words: &[&str]| {
        let mut window = play(&desktop, home.path(), words);
        wait_for("the window", LIMIT * 2, || !desktop.windows().is_empty());
        let id = desktop.windows().pop().unwrap();
        let plays = "\"state\":\"playing\"";
        window.wait_until("its film", LIMIT * 2, |peer| peer.output().contains(plays));
        // By then the window has been drawn, and no field has the focus.
        window.wait_until("its film kept", LIMIT, |_| kept(home.path()).contains("a film.mp4"));
        desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
        for key in keys {
            desktop.output_of("xdotool", &["key", key]);
        }
        window
    };
    // Lower volume, and audio two steps later.
    let words = [film, secret, below, "--volume", "80", "--buffer", "700ms", "--json"];
    let mut window = press(&["9", "k", "k"], &words);
    window.wait_until("what was chosen", LIMIT, |_| holds(home.path(), 0.75, 20));
    window.interrupt();
    assert_eq!(window.wait(LIMIT).code(), Some(0));
    let text = kept(home.path());
    assert!(text.contains("a film.mp4") && !text.contains("planted"), "{text}");
    // Values that only flags set are not saved.
    assert!(!text.contains("buffer_ms") && !text.contains("muted"), "{text}");
    for line in studios.lines() {
        assert!(text.contains(line), "{line}: {text}");
    }
    // The next run starts with the saved values.
    let mut window = press(&["9", "k"], &[film, "--json"]);
    window.wait_until("what was chosen next", LIMIT, |_| holds(home.path(), 0.7, 30));
    window.interrupt();
    assert_eq!(window.wait(LIMIT).code(), Some(0));
}
