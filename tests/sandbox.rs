//! Test of the sandbox of the player's threads. The player must be confined and still play, save
//! files and report events.

use std::collections::BTreeMap;
use std::fs;

use crate::peers::{self, LIMIT, Onair, Peer};

/// `no_new_privs`, the seccomp mode and the number of seccomp filters of each thread, by its name.
fn threads(process: u32) -> BTreeMap<String, [u32; 3]> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let read = |folder: std::path::PathBuf| {
        let name = fs::read_to_string(folder.join("comm")).ok()?;
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let figure = |name: &str| -> u32 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.map_or(0, |line| line.trim().parse().unwrap())
        };
        let figures = [figure("NoNewPrivs:"), figure("Seccomp:"), figure("Seccomp_filters:")];
        Some((name.trim().to_owned(), figures))
    };
    tasks.flatten().filter_map(|task| read(task.path())).collect()
}

#[test]
fn a_player_is_confined_and_plays_saves_and_tells_all_the_same() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let film = at("film.mp4");
    let words = [
        "-nostdin",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        "testsrc2=size=320x180:rate=15",
        "-f",
        "lavfi",
        "-i",
        "sine=frequency=400:sample_rate=48000",
        "-t",
        "4",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-g",
        "15",
        "-c:a",
        "aac",
        &film,
    ];
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    fs::create_dir(folder.path().join("kept")).unwrap();
    let (dump, shot) = (at("kept/sound.wav"), at("kept/last.png"));
    let files = ["--audio-dump", &dump, "--snapshot", &shot];
    let mut onair = Onair::start(&[&["play", &film, "--headless"], &files[..]].concat());
    onair.wait_event("pictures", |event| {
        event["event"] == "play_stats" && event["shown"].as_u64() > Some(0)
    });
    let threads = threads(onair.peer.id());
    for (name, [no_new_privileges, mode, _]) in &threads {
        assert_eq!((*no_new_privileges, *mode), (1, 2), "{name} of {threads:?}");
    }
    // One filter for the process, one more for a thread that plays audio, and two more for a video
    // decoder: `clone3` needs a separate filter. On x86-64, each of the three has another one for x32.
    let filters = |name: &str| threads.get(name).map(|thread| thread[2]);
    let x32 = u32::from(cfg!(target_arch = "x86_64"));
    assert_eq!(filters("onair"), Some(1 + x32), "{threads:?}");
    assert_eq!(filters("player-video"), Some(3 + 2 * x32), "{threads:?}");
    assert_eq!(filters("player-present"), Some(2 + 2 * x32), "{threads:?}");
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let played = onair.wait_named("summary");
    assert!(played["shown"].as_u64() > Some(30), "{played}");
    for kept in [&dump, &shot] {
        assert!(fs::metadata(kept).unwrap().len() > 1_000, "{kept}");
    }
    // A remux reads one file and creates another in a folder.
    let mut remux = Onair::start(&["remux", &film, &at("kept/film.mkv")]);
    assert_eq!(remux.peer.wait(LIMIT).code(), Some(0), "{}", remux.peer.errors());
    let mut probe = Onair::start(&["probe", &at("kept/film.mkv")]);
    assert_eq!(probe.peer.wait(LIMIT).code(), Some(0), "{}", probe.peer.errors());
    assert!(probe.peer.output().contains("h264"), "{}", probe.peer.output());
}
