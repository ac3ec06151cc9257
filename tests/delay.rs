//! Tests of the stream delay with third-party servers. Viewers get the stream later and without
//! gaps, even if the connection is lost in between.

use std::path::Path;

use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg};
use serde_json::Value;

const TEST: [&str; 11] = [
    "live",
    "--video",
    "test",
    "--audio",
    "tone",
    "--size",
    "480x270",
    "--video-bitrate",
    "500k",
    "--adapt",
    "off",
];

fn live(more: &[&str]) -> Onair {
    Onair::start(&TEST.iter().chain(more).copied().collect::<Vec<_>>())
}

fn is_live(event: &Value) -> bool {
    event["event"] == "target" && event["state"] == "live"
}

fn time(event: &Value) -> f64 {
    event["t"].as_f64().unwrap()
}

/// Asserts that the file decodes without a warning and that time never goes back; returns its
/// length in seconds.
fn whole(file: &Path) -> f64 {
    assert_eq!(ffmpeg::decode(file), "");
    let probe = ffmpeg::probe(file);
    assert_eq!(probe.warnings, "");
    for track in ["video", "audio"] {
        let packets = probe.packets(track);
        for pair in packets.windows(2) {
            let step = pair[1].dts - pair[0].dts;
            assert!(step > 0.0 && step < 0.1, "{track}: {:?} {:?}", pair[0].dts, pair[1].dts);
        }
    }
    let pictures = probe.packets("video");
    assert!(pictures[0].keyframe && pictures[0].dts.abs() < 0.05);
    pictures.last().unwrap().dts
}

#[test]
fn viewers_get_everything_later_and_the_recording_does_not_wait() {
    peers::in_real_time!(viewers_get_everything_later_and_the_recording_does_not_wait);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let nginx = Nginx::start();
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.mp4");
    let url = nginx.url("recorded", "show");
    let mut onair = live(&[
        "--to",
        &url,
        "--record",
        own.to_str().unwrap(),
        "--duration",
        "7s",
        "--delay",
        "3s",
        "--delay-folder",
        folder.path().to_str().unwrap(),
        "--stop-after-delay",
    ]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.output());
    nginx.wait_unpublished("show");
    let events = onair.events();
    let states: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "delay")
        .map(|event| event["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["filling", "on", "draining"]);
    let recording = events.iter().find(|event| event["event"] == "recording").unwrap();
    let first = events.iter().find(|event| is_live(event)).unwrap();
    let later = time(first) - time(recording);
    // On a busy machine, the event of the recording can be late.
    assert!((1.5..6.0).contains(&later), "live after {later} s");
    assert_eq!(events.iter().filter(|event| is_live(event)).count(), 1);
    let connecting = events.iter().find(|event| event["state"] == "connecting").unwrap();
    assert!(time(connecting) - time(recording) > 1.5, "the server was kept waiting: {connecting}");
    let held = events.iter().filter_map(|event| event["delay"]["held_ms"].as_u64()).max().unwrap();
    assert!((2_500..4_500).contains(&held), "{held}");
    // The same show, once through the stream delay.
    let sent = whole(&nginx.recordings().join("show.flv"));
    let recorded = whole(&own);
    assert!(recorded > 6.5 && sent > 6.5 && (sent - recorded).abs() < 1.0, "{sent} {recorded}");
    // The delayed packets were not written to any file.
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 1, "only the recording");
}

#[test]
fn stop_discards_delayed_packets_at_once() {
    peers::in_real_time!(stop_discards_delayed_packets_at_once);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let nginx = Nginx::start();
    let mut onair = live(&["--to", &nginx.url("recorded", "show"), "--delay", "4s"]);
    let state =
        |state: &'static str| move |it: &Value| it["event"] == "delay" && it["state"] == state;
    let begun = time(&onair.wait_event("the delay", state("filling")));
    onair.wait_event("being live", is_live);
    let late = onair.wait_event("more", |event| {
        event["video"]["encoded"].as_u64().is_some_and(|count| count > 240)
    });
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.output());
    nginx.wait_unpublished("show");
    let events = onair.events();
    let end = time(events.last().unwrap());
    assert!(end - time(&late) < 4.0, "it waited");
    let sent = whole(&nginx.recordings().join("show.flv"));
    let seen = end - begun;
    assert!(sent < seen - 3.5, "{sent} of {seen}");
    assert!(sent > 2.0, "{sent}");
}

#[test]
fn the_delay_outlives_a_lost_connection() {
    peers::in_real_time!(the_delay_outlives_a_lost_connection);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let mut nginx = Nginx::start();
    let port = nginx.port;
    let mut onair = live(&["--to", &nginx.url("kept", "show"), "--delay", "4s"]);
    onair.wait_event("being live", is_live);
    nginx.wait_published("show");
    onair.wait_event("ten seconds", |event| {
        event["video"]["encoded"].as_u64().is_some_and(|count| count > 240)
    });
    nginx.peer.kill();
    let lost = onair.wait_event("the loss", |event| event["state"] == "reconnecting");
    let nginx = Nginx::start_on(port);
    nginx.wait_published("show");
    let back = onair.wait_event("the return", |event| is_live(event) && time(event) > time(&lost));
    // The delay is as long as before.
    let held = onair.wait_event("figures", |event| {
        time(event) > time(&back) + 3.0 && event["event"] == "stats"
    });
    assert_eq!(held["delay"]["state"], "on");
    let millis = held["delay"]["held_ms"].as_u64().unwrap();
    assert!((3_500..4_800).contains(&millis), "{millis}");
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
    nginx.wait_unpublished("show");
    let files = nginx.recorded();
    assert_eq!(files.len(), 1);
    // The file's time begins with the second connection, which begins with a keyframe.
    assert_eq!(ffmpeg::decode(&files[0]), "");
    let pictures = ffmpeg::probe(&files[0]).packets("video");
    assert!(pictures[0].keyframe);
    assert!(pictures.windows(2).all(|pair| pair[1].dts - pair[0].dts < 0.1));
}

#[test]
fn the_end_of_the_delay_ends_the_run_with_a_target_down_or_with_a_replay_buffer() {
    peers::require!("nginx");
    let nginx = Nginx::start();
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    std::fs::write(&settings, "[recording]\nreplay_seconds = 5\nreplay_always = true\n").unwrap();
    let down = ["--to", "rtmp://127.0.0.1:1/app/key"];
    let always = ["--settings", settings.to_str().unwrap()];
    for (name, more, code) in [("one", down, 6), ("two", always, 0)] {
        let url = nginx.url("kept", name);
        let usual = ["--to", &url, "--delay", "2s", "--duration", "4s", "--stop-after-delay"];
        let mut onair = live(&[&usual[..], &more].concat());
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(code), "{}", onair.peer.output());
    }
}

#[test]
fn what_would_send_nothing_is_refused() {
    let mut onair = live(&["--to", "rtmp://127.0.0.1:1/a/b", "--delay", "5s", "--duration", "3s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2));
    assert!(onair.peer.errors().contains("--stop-after-delay"), "{}", onair.peer.errors());
    let mut onair = live(&["--to", "rtmp://127.0.0.1:1/a/b", "--delay", "31m"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(2));
}
