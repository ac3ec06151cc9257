//! Sound that is moved by twenty seconds either way, through a recording.

use std::fs;

use crate::peers::{self, LIMIT, Onair};

#[test]
fn sound_that_is_moved_by_twenty_seconds_is_recorded_there() {
    peers::in_real_time!(sound_that_is_moved_by_twenty_seconds_is_recorded_there);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    // The markers come each second: a tenth of a second beside twenty is a tenth beside the flash.
    let cases = [("later", 19_900, -100.0), ("earlier", -19_900, 100.0)];
    let mut runs: Vec<(Onair, String, f64)> = cases
        .into_iter()
        .map(|(name, offset_ms, expected)| {
            let settings = folder.path().join(format!("{name}.toml"));
            let text = format!(
                "version = 2\nvideo = \"test\"\naudio = \"tone\"\n[[strips]]\noffset_ms = {offset_ms}\n"
            );
            fs::write(&settings, text).unwrap();
            let path = folder.path().join(format!("{name}.mkv")).to_str().unwrap().to_owned();
            let settings = settings.to_str().unwrap();
            let words = ["--size", "480x270", "--fps", "25", "--duration", "30s", "--record", &path];
            let onair = Onair::start(&[&["live", "--settings", settings], &words[..]].concat());
            (onair, path, expected)
        })
        .collect();
    for (onair, path, expected) in &mut runs {
        assert_eq!(onair.peer.wait(LIMIT * 4).code(), Some(0), "{}", onair.peer.errors());
        // The later one begins with twenty seconds of silence.
        let start = if *expected < 0.0 { "22s" } else { "1s" };
        let words = ["play", "--headless", "--measure", "--start", start, "--mute", path.as_str()];
        let mut player = Onair::start(&words);
        assert_eq!(player.peer.wait(LIMIT * 2).code(), Some(0), "{}", player.peer.errors());
        let measured = |event: &serde_json::Value| event["av_offset_ms"].as_f64();
        let offset = player.events().iter().filter_map(measured).next_back();
        let offset = offset
            .unwrap_or_else(|| panic!("{path}: nothing measured {:?}", player.events().last()));
        assert!((offset - *expected).abs() < 10.0, "{path}: {offset} ms");
    }
}
