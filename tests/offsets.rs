//! Test of audio with a sync offset of about twenty seconds, earlier or later, in a recording.

use std::fs;

use crate::peers::{self, LIMIT, Onair};

#[test]
fn audio_with_a_sync_offset_of_twenty_seconds_is_recorded_there() {
    peers::in_real_time!(audio_with_a_sync_offset_of_twenty_seconds_is_recorded_there);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    // The markers come every second, so an offset a tenth of a second short of twenty measures as a
    // tenth of a second.
    let cases = [("later", 19_900, -100.0), ("earlier", -19_900, 100.0)];
    let runs: Vec<(Onair, String, f64)> = cases
        .into_iter()
        .map(|(name, offset_ms, expected)| {
            let settings = folder.path().join(format!("{name}.toml"));
            let text = format!(
                "version = 2\nvideo = \"test\"\naudio = \"tone\"\n[[strips]]\noffset_ms = {offset_ms}\n"
            );
            fs::write(&settings, text).unwrap();
            let path = folder.path().join(format!("{name}.mkv")).to_str().unwrap().to_owned();
            let settings = settings.to_str().unwrap();
            let words = ["--size", "480x270", "--fps", "25", "--duration", "26s", "--record", &path];
            let onair = Onair::start(&[&["live", "--settings", settings], &words[..]].concat());
            (onair, path, expected)
        })
        .collect();
    let players: Vec<(Onair, String, f64)> = runs
        .into_iter()
        .map(|(mut onair, path, expected)| {
            assert_eq!(onair.peer.wait(LIMIT * 4).code(), Some(0), "{}", onair.peer.errors());
            // The recording with later audio begins with twenty seconds of silence.
            let start = if expected < 0.0 { "21s" } else { "1s" };
            let words = ["play", "--headless", "--measure", "--start", start, "--mute", &path];
            (Onair::start(&words), path, expected)
        })
        .collect();
    for (mut player, path, expected) in players {
        let measured = |event: &serde_json::Value| event["av_offset_ms"].as_f64();
        let offsets = |peer: &peers::Peer| -> Vec<f64> {
            let events = peer.output();
            let events = events.lines().filter_map(|line| serde_json::from_str(line).ok());
            events.filter_map(|event| measured(&event)).collect()
        };
        player.peer.wait_until("two measures", LIMIT, |peer| offsets(peer).len() >= 2);
        let offset = offsets(&player.peer).pop().unwrap();
        assert!((offset - expected).abs() < 10.0, "{path}: {offset} ms");
        assert_eq!(player.stop(LIMIT).code(), Some(0), "{}", player.peer.errors());
    }
}
