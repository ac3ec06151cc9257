//! Tests of the built-in server's playlists and manifests with third-party parsers: m3u8 and
//! mpegdash from PyPI. `ONAIR_PLAYLISTS` names a Python that has both packages (`packaging/test.sh`
//! downloads them).

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::peers::{self, LIMIT, ffmpeg, wait_for};
use crate::served_hls::{Running, start_with};
use onair::wire::hls::{Media, Playlist, parse, parse_update};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/served_playlists/parse.py");

/// The result of the other parser.
fn read(text: &[u8]) -> Value {
    let python = std::env::var_os("ONAIR_PLAYLISTS").unwrap();
    let mut parser = Command::new(python)
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    parser.stdin.take().unwrap().write_all(text).unwrap();
    let output = parser.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors} of {}", String::from_utf8_lossy(text));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn is_missing() -> bool {
    peers::fetched("ONAIR_PLAYLISTS").is_none() || peers::missing(&["ffmpeg"])
}

/// Asserts that both parsers find the same.
fn compare(other: &Value, ours: &Media) {
    assert_eq!(other["sequence"].as_u64().unwrap_or(0), ours.sequence);
    assert_eq!(other["ended"], ours.ended);
    assert_eq!(other["target"].as_f64().unwrap(), ours.target_duration.as_secs_f64());
    let segments = other["segments"].as_array().unwrap();
    // The other parser has one more entry, for parts without a segment.
    let whole = segments.iter().filter(|it| !it["uri"].is_null());
    assert_eq!(whole.clone().count(), ours.segments.len(), "{other}");
    for (other, ours) in whole.zip(&ours.segments) {
        assert_eq!(other["uri"], ours.uri.as_str());
        assert_eq!(other["discontinuity"], ours.discontinuity);
        assert_eq!(other["map"].as_str(), ours.map.as_ref().map(|map| map.uri.as_str()));
        assert!((other["seconds"].as_f64().unwrap() - ours.duration.as_secs_f64()).abs() < 1e-6);
        let made = ours.made.unwrap() as f64 / 1e6;
        assert!((other["time"].as_f64().unwrap() - made).abs() < 0.002, "{other} {made}");
        let parts: Vec<_> = ours.parts.iter().map(|part| part.uri.as_str()).collect();
        assert_eq!(other["parts"], serde_json::json!(parts));
    }
    assert_eq!(other["hint"].as_str(), ours.hint.as_ref().map(|hint| hint.uri.as_str()));
}

/// The playlist at this path, read by both parsers.
fn playlist(running: &Running, path: &str) -> (Value, Media) {
    let answer = running.get(path);
    let ours = answer.list();
    let other = read(&answer.body);
    compare(&other, &ours);
    (other, ours)
}

#[test]
fn playlists_of_streams_are_read_by_others() {
    if is_missing() {
        return;
    }
    let running = start_with(|_| ());
    let mut first = running.publish(&[]);
    let live = "/live/show/hls/main.m3u8";
    wait_for("segments", LIMIT, || {
        let answer = running.get(live);
        answer.status == 200 && answer.list().segments.len() >= 2
    });
    first.kill();
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let _second = running.publish(&["-vf", "scale=480:270"]);
    wait_for("enough for an update", LIMIT, || {
        let media = running.get(live).list();
        media.segments.iter().any(|it| it.discontinuity) && media.segments.len() >= 10
    });
    let master = read(&running.get("/live/show.m3u8").body);
    let variant = &master["variants"][0];
    assert_eq!(variant["uri"], "show/hls/main.m3u8");
    assert!(variant["codecs"].as_str().unwrap().ends_with(",mp4a.40.2"), "{master}");
    let (other, ours) = playlist(&running, live);
    assert_eq!((&other["version"], &other["blocks"]), (&9.into(), &"YES".into()));
    let parts = other["segments"].as_array().unwrap().iter();
    assert!(parts.map(|it| it["parts"].as_array().unwrap().len()).sum::<usize>() > 5, "{other}");
    // A delta update, and MPEG-TS for old devices.
    let update = running.get(&format!("{live}?_HLS_msn={}&_HLS_skip=YES", ours.end()));
    let skipped = read(&update.body)["skipped"].as_u64().unwrap();
    let Ok(Playlist::Media(whole)) = parse_update(&update.body, &ours) else { panic!() };
    assert!(skipped > 0 && skipped < whole.segments.len() as u64);
    let (ts, _) = playlist(&running, "/live/show/hls/ts-list.m3u8");
    assert_eq!(ts["version"], 3);
    let ts = read(&running.get("/live/show/hls/ts.m3u8").body);
    assert_eq!(ts["variants"][0]["uri"], "ts-list.m3u8");
    // The manifest has one period per publisher.
    let manifest = running.get("/live/show.mpd");
    let mpd = read(&manifest.body);
    assert_eq!(mpd["type"], "dynamic");
    let periods = mpd["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 2, "{mpd}");
    for period in periods {
        check_period(period);
        let track = &period["tracks"][0];
        let name = track["initialization"].as_str().unwrap();
        assert_eq!(running.get(&format!("/live/{name}")).status, 200);
        let name = track["media"].as_str().unwrap();
        let name = name.replace("$Number$", &track["first"].to_string());
        assert_eq!(running.get(&format!("/live/{name}")).status, 200);
    }
}

/// Asserts that both tracks of a period have the same segments, without gaps.
fn check_period(period: &Value) {
    let tracks = period["tracks"].as_array().unwrap();
    let types: Vec<_> = tracks.iter().map(|it| it["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["video", "audio"]);
    assert_eq!(tracks[0]["times"], tracks[1]["times"]);
    let numbers = |name: &str| -> Vec<u64> {
        tracks[0][name].as_array().unwrap().iter().map(|it| it.as_u64().unwrap()).collect()
    };
    let (times, lengths) = (numbers("times"), numbers("lengths"));
    for (pair, length) in times.windows(2).zip(lengths) {
        assert_eq!(pair[0] + length, pair[1]);
    }
}

#[test]
fn playlists_of_recordings_are_read_by_others() {
    if is_missing() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| config.record = Some(folder.path().to_owned()));
    let file = folder.path().join("live-show 2026-11-25 18-00-00.mp4");
    ffmpeg::make(&file, "320x180", "12", &["-g", "50", "-bf", "2"]);
    let name = "live-show%202026-11-25%2018-00-00";
    let (list, ours) = playlist(&running, &format!("/vod/{name}/hls/main.m3u8"));
    assert_eq!((&list["type"], ours.segments.len()), (&"vod".into(), 3));
    let master = read(&running.get(&format!("/vod/{name}.m3u8")).body);
    assert_eq!(master["variants"][0]["uri"], format!("{name}/hls/main.m3u8"));
    let mpd = read(&running.get(&format!("/vod/{name}.mpd")).body);
    assert_eq!(mpd["type"], "static");
    check_period(&mpd["periods"][0]);
    let mut publisher = running.publish(&[]);
    let event = "/live/show/hls/event.m3u8";
    wait_for("the list of the broadcast", LIMIT, || running.get(event).status == 200);
    assert_eq!(playlist(&running, event).0["type"], "event");
    publisher.kill();
    wait_for(
        "its end",
        LIMIT,
        || matches!(parse(&running.get(event).body), Ok(Playlist::Media(list)) if list.ended),
    );
    assert_eq!(playlist(&running, event).0["type"], "vod");
}
