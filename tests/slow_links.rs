//! Tests of players on a link that stalls for a while, and of players whose buffer the user
//! changes. The player reports the stall, and its latency returns to the target.

use std::time::Duration;

use crate::peers::throttle::Throttle;
use crate::peers::watcher::watcher;
use crate::peers::{LIMIT, Onair, wait_for};
use crate::watch::{Watching, config};
use onair::player::{self, State};
use onair::studio::{Command, WatchCommand};

const WIDE: u64 = 50_000_000;
/// The tolerance for latency, in milliseconds.
const NEAR: f64 = 120.0;

/// The test source, with markers and a keyframe every second, on our own server.
fn broadcast() -> (Onair, String) {
    let picture = ["--video", "test", "--size", "480x270", "--video-bitrate", "500k"];
    let rest = ["--audio", "tone", "--keyframe-interval", "1s"];
    let mut live = Onair::start(&[&["live"], &picture[..], &rest].concat());
    let url = live.play_url();
    (live, url)
}

/// The URL with another port, which `link` gives for the original one.
fn through(url: &str, link: impl FnOnce(u16) -> u16) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (authority, path) = rest.split_once('/').unwrap();
    let (host, port) = authority.rsplit_once(':').unwrap();
    format!("{scheme}://{host}:{}/{path}", link(port.parse().unwrap()))
}

#[test]
fn a_stall_of_three_seconds_is_reported_and_caught_up() {
    crate::peers::in_real_time!(a_stall_of_three_seconds_is_reported_and_caught_up);
    let (_live, url) = broadcast();
    let mut link = None;
    let url = through(&url, |port| link.insert(Throttle::start_back(port, WIDE)).port);
    let link = link.unwrap();
    let watching = Watching::start(&player::Config { measure: true, ..config(&url) });
    // How far the displayed frame is behind the player's clock, in milliseconds.
    let behind = |it: &Watching| {
        (it.clock.now().as_secs_f64() - it.player.position().as_secs_f64()) * 1_000.0
    };
    let latency = |it: &Watching| it.player.figures().latency_ms;
    watching.wait("pictures", |it| it.shown() > 90 && latency(it).is_some());
    let (late, lag, place) =
        (latency(&watching).unwrap(), behind(&watching), watching.player.position());
    assert_eq!(watching.notice_keys(), Vec::<&str>::new());

    link.set(0);
    let since = watching.clock.now();
    watching.wait("three seconds", |it| it.clock.now().since(since) >= Duration::from_secs(3));
    let (shown, figures) = (watching.shown(), watching.player.figures());
    assert!(figures.underruns >= 1, "{figures:?}");
    assert!(behind(&watching) > lag + 1_500.0, "it stands still");
    assert!(watching.notice_keys().contains(&"player-stalled"), "{:?}", watching.notice_keys());

    link.set(WIDE);
    watching.wait("pictures again", |it| it.shown() > shown + 30);
    watching.wait("the latency", |it| latency(it).is_some_and(|now| (now - late).abs() < NEAR));
    watching.wait("the clock", |it| (behind(it) - lag).abs() < NEAR);
    assert!(watching.player.position() > place + Duration::from_secs(3));
    assert_eq!(watching.player.state(), State::Playing);
    let figures = watching.player.figures();
    assert_eq!((figures.reconnects, figures.damaged), (0, 0), "{figures:?}");
    let keys = watching.notice_keys();
    assert_eq!(keys.iter().filter(|key| **key == "player-stalled").count(), 1, "{keys:?}");
    watching.end();
}

#[test]
fn latency_follows_a_buffer_that_is_changed_while_it_plays() {
    crate::peers::in_real_time!(latency_follows_a_buffer_that_is_changed_while_it_plays);
    let (_live, url) = broadcast();
    let folder = tempfile::tempdir().unwrap();
    let studio = watcher(folder.path());
    studio.send(Command::Watch { url });
    let latency = || studio.snapshot().watch_figures.latency().map(|it| it.as_secs_f64() * 1_000.0);
    let set = |buffer| studio.send(Command::Player(WatchCommand::SetBuffer(buffer)));
    let steady = || (studio.snapshot().watch_figures.speed - 1.0).abs() < 1e-6;
    wait_for("a latency", LIMIT, || latency().is_some() && steady());
    // The latency without the buffer.
    let rest = latency().unwrap() - 300.0;
    for millis in [1_500, 200, 600] {
        let buffer = Duration::from_millis(millis);
        set(Some(buffer));
        let wanted = rest + millis as f64;
        wait_for(&format!("{wanted} ms"), LIMIT, || {
            steady() && latency().is_some_and(|now| (now - wanted).abs() < NEAR)
        });
        assert_eq!(studio.snapshot().player.buffer, Some(buffer));
    }
    // The least latency that the network allows, which is close to zero here.
    set(None);
    wait_for("next to nothing", LIMIT, || latency().is_some_and(|now| now < rest + 400.0));
    let snapshot = studio.snapshot();
    assert_eq!((snapshot.player.buffer, snapshot.watch_figures.reconnects), (None, 0));
    studio.end(LIMIT).unwrap();
}
