//! Tests of seeking in recordings: in files, and in recordings that a server plays from its disk.

mod film;
mod hostile;
mod refused;
mod sound;
mod web;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::peers::{self, LIMIT, Onair, ffmpeg};
use crate::watch::{Watching, config, play};
use onair::player::{Config, Source, State};
use serde_json::Value;

/// A file of twelve seconds with a keyframe every second.
fn make(folder: &Path, name: &str) -> PathBuf {
    let path = folder.join(name);
    // A player finds positions in FLV on a server through the index in the metadata.
    let index = if name.ends_with("flv") { &["-flvflags", "add_keyframe_index"][..] } else { &[] };
    ffmpeg::make(&path, "320x180", "12", &[&["-g", "25"], index].concat());
    path
}

/// Pauses, resumes, seeks forward and back, and plays to the end.
fn go_about(watching: Watching, name: &str) {
    let seconds = Duration::from_secs_f64;
    watching.wait("the first pictures", |it| it.player.figures().shown > 15);
    let length = watching.player.duration().expect(name).as_secs_f64();
    assert!((length - 12.0).abs() < 0.3, "{name}: {length}");

    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    let (held, shown) = (watching.player.position(), watching.player.figures().shown);
    let began = watching.clock.now();
    watching.wait("some time", |_| watching.clock.now().since(began) > seconds(0.7));
    assert!(watching.player.position() < held + seconds(0.1), "{name}");
    assert!(watching.player.figures().shown <= shown + 2, "{name}");
    watching.player.pause(false);
    watching.wait("going on", |it| it.player.figures().shown > shown + 10);
    assert!(watching.player.position() < seconds(6.0), "{name}");

    let before = watching.player.figures().shown;
    assert!(watching.player.seek(seconds(9.0)), "{name}");
    watching
        .wait("the place ahead", |it| (8.0..11.9).contains(&it.player.position().as_secs_f64()));
    let shown = watching.player.figures().shown;
    assert!(shown < before + 75, "{name}: it was played, and not gone to");
    watching.wait("its pictures", |it| it.player.figures().shown > shown + 10);

    assert!(watching.player.seek(seconds(3.0)), "{name}");
    watching
        .wait("the place behind", |it| (2.0..6.0).contains(&it.player.position().as_secs_f64()));
    let shown = watching.player.figures().shown;
    watching.wait("its pictures", |it| it.player.figures().shown > shown + 10);
    assert_eq!(watching.player.state(), State::Playing, "{name}");

    assert!(watching.player.seek(seconds(11.0)), "{name}");
    watching.wait("the end", |it| it.player.state().is_final());
    assert_eq!(watching.player.state(), State::Ended, "{name}");
    assert_eq!(watching.player.figures().damaged, 0, "{name}");
    watching.end();
}

/// Shows the frame of each position that it seeks to during a pause.
fn look_about_in_a_pause(watching: Watching, name: &str) {
    watching.wait("the first pictures", |it| it.player.figures().shown > 15);
    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    for place in [9.0_f64, 3.0, 11.0, 0.0] {
        let before = watching.player.figures().shown;
        assert!(watching.player.seek(Duration::from_secs_f64(place)), "{name}");
        let near = |it: &Watching| (it.player.position().as_secs_f64() - place).abs() < 1.1;
        let seen = |it: &Watching| it.player.figures().shown > before;
        watching.wait("the picture of that place", |it| seen(it) && near(it));
        assert!(watching.player.figures().paused, "{name}");
    }
    watching.player.pause(false);
    let shown = watching.player.figures().shown;
    watching.wait("going on", |it| it.player.figures().shown > shown + 10);
    assert!(watching.player.position().as_secs_f64() < 6.0, "{name}: it goes on from there");
    watching.end();
}

#[test]
fn a_position_in_a_file_is_shown_also_while_paused() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.flv", "a.mp4", "a.mkv"] {
        let source = Source::File(make(folder.path(), name));
        let config = Config { speaker: false, ..Config::new(source) };
        look_about_in_a_pause(Watching::start(&config), name);
    }
}

#[test]
fn files_of_every_format_can_be_seeked() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.flv", "a.mp4", "a.mkv"] {
        let file = make(folder.path(), name);
        let config = Config { speaker: false, ..Config::new(Source::File(file.clone())) };
        go_about(Watching::start(&config), name);
        let config = Config { start: Some(Duration::from_millis(10_500)), ..config };
        let outcome = play(&config, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}");
        // Starts from the keyframe at 10 s.
        assert_eq!(outcome.figures.decoded, 50, "{name}");
    }
}

#[test]
fn recordings_of_a_server_can_be_seeked() {
    peers::in_real_time!(recordings_of_a_server_can_be_seeked);
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    make(&nginx.recordings(), "a.flv");
    let url = nginx.url("files", "a.flv");
    go_about(Watching::start(&config(&url)), "nginx");
    // The player starts at the next keyframe, at 10 s.
    let late = Config { start: Some(Duration::from_millis(9_500)), ..config(&url) };
    let outcome = play(&late, |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    // The player decodes everything from there, and nothing that the server had sent before the
    // seek.
    assert_eq!(outcome.figures.decoded, 50);
    assert!(outcome.figures.shown > 15, "{:?}", outcome.figures);
}

/// The report of `onair probe`.
fn probe(url: &str) -> Value {
    let mut onair = Onair::start(&["probe", url]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    serde_json::from_str(&onair.peer.output()).unwrap()
}

#[test]
fn a_probe_tells_how_long_a_servers_recording_is_and_no_length_of_a_broadcast() {
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    let film = make(&nginx.recordings(), "a.flv");
    let report = probe(&nginx.url("files", "a.flv"));
    let length = report["duration"].as_f64().unwrap_or_else(|| panic!("{report}"));
    assert!((length - 12.0).abs() < 0.3, "{report}");
    // The same file as a live stream, from nginx and from our own server.
    let mut serve = Onair::start(&["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0"]);
    let own = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    for url in [nginx.url("live", "film"), format!("{own}/live/film")] {
        let mut copy =
            Onair::start(&["live", "--copy", film.to_str().unwrap(), "--loop", "--to", &url]);
        copy.wait_event("a live target", |event| event["state"] == "live");
        let report = probe(&url);
        assert!(report["duration"].is_null(), "{report}");
        assert_eq!(report["streams"][0]["width"], 320, "{report}");
        copy.stop(LIMIT);
    }
    assert_eq!(serve.stop(LIMIT).code(), Some(0));
}

#[test]
fn a_broadcast_holds_and_goes_on_at_its_end() {
    peers::in_real_time!(a_broadcast_holds_and_goes_on_at_its_end);
    peers::require!("ffmpeg", "nginx");
    let nginx = peers::Nginx::start();
    let _publisher = peers::ffmpeg::publish(&nginx.url("live", "show"), None);
    nginx.wait_published("show");
    let watching = Watching::start(&config(&nginx.url("live", "show")));
    watching.wait("the first pictures", |it| it.player.figures().shown > 15);
    assert_eq!(watching.player.duration(), None);
    assert!(!watching.player.seek(Duration::from_secs(1)));
    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    let (shown, began) = (watching.player.figures().shown, watching.clock.now());
    watching.wait("two seconds", |_| watching.clock.now().since(began) > Duration::from_secs(2));
    assert!(watching.player.figures().shown <= shown + 2);
    watching.player.pause(false);
    watching.wait("going on", |it| it.player.figures().shown > shown + 30);
    assert!(watching.player.figures().buffer < Duration::from_secs(2));
    watching.end();
}
