//! Tests of time shift: seeking back in a real stream of onair's own server and returning to the
//! live edge. Another test checks that the player does not mistake a broadcast for a recording.

use std::time::Duration;

use crate::peers::{self, LIMIT, Onair, ffmpeg};
use crate::watch::{Watching, config};
use onair::player::{Config, State, TimeShiftDepth};

/// A stream with a keyframe every second, and its URL.
fn broadcast() -> (Onair, String) {
    let mut live = Onair::start(&[
        "live",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "480x270",
        "--keyframe-interval",
        "1s",
    ]);
    let url = live.play_url();
    (live, url)
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn one_goes_back_in_a_broadcast_and_forward_to_its_end() {
    peers::in_real_time!(one_goes_back_in_a_broadcast_and_forward_to_its_end);
    let (mut live, url) = broadcast();
    let watching = Watching::start(&Config {
        time_shift: Some(TimeShiftDepth { time: seconds(20.0), bytes: 32 << 20 }),
        measure: true,
        reconnect: false,
        ..config(&url)
    });
    watching.wait("something to go back in", |it| it.time_shift().range > seconds(6.0));
    assert_eq!(watching.time_shift().behind, Duration::ZERO);
    assert_eq!(watching.player.duration(), None);
    let latency = |it: &Watching| it.player.figures().latency_ms.unwrap_or_default();
    watching.wait("the markers", |it| latency(it) > 0.0);
    let at_the_end = latency(&watching);
    assert!(at_the_end < 2_500.0, "{at_the_end}");

    // Five seconds back: the markers show that the frames are that old.
    assert!(watching.player.seek_behind_live(seconds(5.0)));
    watching.wait("the place behind", |it| it.time_shift().behind > seconds(4.0));
    let shown = watching.shown();
    watching.wait("its pictures", |it| it.shown() > shown + 20);
    let old = latency(&watching);
    assert!((4_500.0..9_000.0).contains(&old), "{old}");
    assert_eq!(watching.player.state(), State::Playing);
    let behind = watching.time_shift().behind;
    assert!((4.5..7.5).contains(&behind.as_secs_f64()), "{behind:?}");

    // Seeking during a pause shows one frame, which stays.
    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    let shown = watching.shown();
    let before = watching.time_shift();
    assert!(watching.player.seek_behind_live(before.behind + seconds(1.5)));
    watching.wait("the picture there", |it| it.shown() > shown);
    let begun = watching.clock.now();
    watching.wait("two seconds", |it| it.clock.now().since(begun) > seconds(2.0));
    assert!(watching.shown() <= shown + 2, "{} {shown}", watching.shown());
    assert!(watching.time_shift().behind > before.behind + seconds(1.5));
    watching.player.pause(false);
    let shown = watching.shown();
    watching.wait("going on", |it| it.shown() > shown + 20);
    assert!(watching.time_shift().behind > before.behind, "a pause makes it later");

    // A seek forward goes to a keyframe ahead, never back.
    let behind = watching.time_shift().behind;
    assert!(watching.player.seek_behind_live(behind - seconds(2.0)));
    watching.wait("a step ahead", |it| it.time_shift().behind < behind - seconds(1.0));

    watching.player.go_live();
    watching.wait("the live end", |it| it.time_shift().behind == Duration::ZERO);
    let shown = watching.shown();
    watching.wait("its pictures", |it| it.shown() > shown + 20);
    let again = latency(&watching);
    assert!(again < at_the_end + 1_000.0, "{again} {at_the_end}");
    let figures = watching.player.figures();
    assert_eq!(figures.damaged, 0, "{figures:?}");
    assert!(watching.time_shift().bytes <= 32 << 20);

    // The broadcast ends while the player is behind: the time shift plays to its end.
    assert!(watching.player.seek_behind_live(seconds(3.0)));
    watching.wait("the place behind", |it| it.time_shift().behind > seconds(2.0));
    live.stop(LIMIT);
    watching.wait("the end", |it| it.player.state().is_final());
    assert_eq!(watching.player.state(), State::Ended);
    watching.end();
}

#[test]
fn a_pause_that_outlasts_the_buffer_goes_on_where_it_begins() {
    peers::in_real_time!(a_pause_that_outlasts_the_buffer_goes_on_where_it_begins);
    let (_live, url) = broadcast();
    let depth = TimeShiftDepth { time: seconds(4.0), bytes: 32 << 20 };
    let watching = Watching::start(&Config { time_shift: Some(depth), ..config(&url) });
    watching.wait("the first pictures", |it| it.shown() > 15);
    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    let begun = watching.clock.now();
    watching.wait("seven seconds", |it| it.clock.now().since(begun) > seconds(7.0));
    let kept = watching.time_shift();
    watching.player.pause(false);
    let shown = watching.shown();
    watching.wait("going on", |it| it.shown() > shown + 30);
    let behind = watching.time_shift().behind;
    // The buffer kept four of at least seven seconds. Playback skips what was before that, so the
    // player is behind by less than the pause.
    let passed = watching.clock.now().since(begun);
    assert!(behind > seconds(1.5) && behind + seconds(1.0) < passed, "{behind:?} {kept:?}");
    watching.end();
}

#[test]
fn a_relayed_length_makes_no_recording_of_a_broadcast() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("film.flv");
    ffmpeg::make(&film, "320x180", "30", &["-g", "25"]);
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let url = format!("{}/live/film", ready["rtmp"].as_str().unwrap());
    // The metadata state 30 s, the length of the file.
    let _publisher = ffmpeg::publish_file(&film, &url);
    let watching = Watching::start(&config(&url));
    watching.wait("the first pictures", |it| it.shown() > 15);
    assert_eq!(watching.player.duration(), None);
    assert!(!watching.player.seek(seconds(1.0)));
    watching.end();
}

#[test]
fn what_is_watched_is_written_from_a_keyframe_on() {
    peers::in_real_time!(what_is_watched_is_written_from_a_keyframe_on);
    peers::require!("ffmpeg");
    let (_live, url) = broadcast();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watched.flv");
    let watching = Watching::start(&config(&url));
    watching.wait("the first pictures", |it| it.shown() > 15);
    assert_eq!(watching.player.figures().saving, None);
    let nowhere = watching.player.start_saving(&folder.path().join("no/where.flv"));
    assert_eq!(nowhere.unwrap_err().kind.exit_code(), 3);
    watching.player.start_saving(&path).unwrap();
    watching.wait("three seconds of it", |it| {
        it.player.figures().saving.is_some_and(|saving| saving.time > seconds(3.0))
    });
    watching.player.stop_saving();
    watching.wait("its end", |it| it.player.figures().saving.is_none());
    let probe = ffmpeg::probe(&path);
    assert_eq!(probe.warnings, "");
    let packets = probe.packets("video");
    assert!(packets.len() > 60 && probe.packets("audio").len() > 100, "{}", packets.len());
    assert_eq!(ffmpeg::decode(&path), "");
    watching.end();
}

#[test]
fn a_file_of_a_silent_stream_ends_when_saving_stops() {
    let (live, url) = broadcast();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("watched.flv");
    // The loss of the connection would also complete the file, but would end the player.
    let watching = Watching::start(&Config { reconnect: false, ..config(&url) });
    watching.wait("the first pictures", |it| it.shown() > 15);
    watching.player.start_saving(&path).unwrap();
    watching.wait("a second of it", |it| {
        it.player.figures().saving.is_some_and(|saving| saving.time > seconds(1.0))
    });
    live.peer.signal("STOP");
    let begun = watching.clock.now();
    watching.wait("silence", |it| it.clock.now().since(begun) > seconds(2.0));
    watching.player.stop_saving();
    watching.wait("the whole file", |it| it.notice_keys().contains(&"player-saved"));
    assert_eq!(watching.player.state(), State::Playing);
    live.peer.signal("CONT");
    watching.end();
}
