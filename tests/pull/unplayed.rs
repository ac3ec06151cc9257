//! Tests of tracks that onair cannot play. The player reports each once, and `onair probe` lists
//! them.

use std::path::{Path, PathBuf};
use std::process::Command;

use onair::player::{Config, Event, FailureKind, Source, State};
use serde_json::Value;

use crate::peers::{self, LIMIT, Peer, web};
use crate::watch::{Outcome, play};

fn make(folder: &Path, name: &str, pictures: bool, options: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let mut all = vec!["-hide_banner", "-nostdin", "-y"];
    if pictures {
        all.extend(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"]);
    }
    all.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "2"]);
    all.extend(options);
    all.push(path.to_str().unwrap());
    Peer::start("ffmpeg", all).wait_success(LIMIT);
    path
}

/// Returns the texts of the notices with this key.
fn texts_of(outcome: &Outcome, key: &str) -> Vec<String> {
    let texts = outcome.events.iter().filter_map(|event| match event {
        Event::Message(message) if message.key() == key => Some(message.problem.to_string()),
        _ => None,
    });
    texts.collect()
}

/// Returns the type and codec of each stream that `onair probe` lists.
fn listed(source: &str) -> Vec<(String, String)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
    let mut peer = Peer::start_command(command.args(["probe", "--json", source]));
    peer.wait_success(LIMIT);
    let json: Value = serde_json::from_str(&peer.output()).unwrap();
    let text = |stream: &Value, name: &str| stream[name].as_str().unwrap().to_owned();
    let streams = json["streams"].as_array().unwrap().iter();
    streams.map(|it| (text(it, "type"), text(it, "codec"))).collect()
}

const X264: [&str; 6] = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];

/// File name, encoder options, the key and a word of the notice, and the type and codec that `onair
/// probe` lists.
type Case = (&'static str, &'static [&'static str], &'static str, &'static str, [&'static str; 2]);

#[test]
fn a_track_that_is_not_played_is_named_once() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let (sound, picture) = ("player-no-audio-codec", "player-no-video-codec");
    let cases: [Case; 5] = [
        ("dts.mkv", &["-c:a", "dca", "-strict", "-2"], sound, "DTS", ["audio", "dts"]),
        ("tta.mkv", &["-c:a", "tta"], sound, "TTA", ["audio", "tta"]),
        ("alac.mp4", &["-c:a", "alac"], sound, "ALAC", ["audio", "alac"]),
        (
            "latm.ts",
            &["-c:a", "aac", "-mpegts_flags", "latm"],
            sound,
            "AAC-LATM",
            ["audio", "aac_latm"],
        ),
        (
            "mpeg2.ts",
            &["-c:v", "mpeg2video", "-c:a", "aac"],
            picture,
            "MPEG-2",
            ["video", "mpeg2video"],
        ),
    ];
    let made: Vec<PathBuf> = cases
        .iter()
        .map(|(name, options, ..)| {
            make(folder.path(), name, true, &[X264.as_slice(), options].concat())
        })
        .collect();
    let bytes: Vec<(String, Vec<u8>)> = cases
        .iter()
        .zip(&made)
        .map(|(case, path)| (case.0.to_owned(), std::fs::read(path).unwrap()))
        .collect();
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let body = bytes.iter().find(|(name, _)| name == path).map(|(_, body)| body);
        let body = body.cloned().unwrap_or_else(|| {
            let list = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:2,\nmpeg2.ts\n#EXT-X-ENDLIST\n";
            list.as_bytes().to_vec()
        });
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        let _ = std::io::Write::write_all(socket, head.as_bytes());
        let _ = std::io::Write::write_all(socket, &body);
    });
    let served = |name: &str| format!("http://127.0.0.1:{port}/{name}");
    let mut runs: Vec<_> = cases
        .iter()
        .zip(&made)
        .map(|((name, _, key, word, listing), path)| {
            // Transport streams can be read only over HTTP.
            let is_ts = path.extension().is_some_and(|end| end == "ts");
            let source = if is_ts { served(name) } else { path.display().to_string() };
            (source, *key, *word, *listing)
        })
        .collect();
    runs.push((served("list.m3u8"), picture, "MPEG-2", ["video", "mpeg2video"]));
    for (source, key, word, [kind, codec]) in runs {
        let config = Config { speaker: false, ..Config::new(Source::parse(&source)) };
        let outcome = play(&config, |_| false);
        assert_eq!(outcome.state, State::Ended, "{source}: {:?}", outcome.events);
        let texts = texts_of(&outcome, key);
        assert!(texts.len() == 1 && texts[0].contains(word), "{source}: {:?}", outcome.events);
        // The other track plays.
        let figures = &outcome.figures;
        let whole =
            if key == picture { figures.audio_samples > 80_000 } else { figures.shown > 40 };
        assert!(whole, "{source}: {figures:?}");
        let listed = listed(&source);
        let mine = (kind.to_owned(), codec.to_owned());
        assert!(listed.contains(&mine) && listed.len() == 2, "{source}: {listed:?}");
    }
}

#[test]
fn with_nothing_left_to_play_it_is_a_matter_of_codecs() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let tta = make(folder.path(), "a.mkv", false, &["-c:a", "tta"]);
    let latm = make(folder.path(), "a.ts", false, &["-c:a", "aac", "-mpegts_flags", "latm"]);
    let data = std::fs::read(latm).unwrap();
    let port = web::canned(move |_, socket| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", data.len());
        let _ = std::io::Write::write_all(socket, head.as_bytes());
        let _ = std::io::Write::write_all(socket, &data);
    });
    let url = format!("http://127.0.0.1:{port}/a.ts");
    for (source, word) in [(tta.display().to_string(), "TTA"), (url.clone(), "AAC-LATM")] {
        let config = Config { speaker: false, ..Config::new(Source::parse(&source)) };
        let outcome = play(&config, |_| false);
        let failure = outcome.failure();
        assert_eq!(failure.kind, FailureKind::Codec, "{failure:?}");
        assert!(failure.to_string().contains(word), "{failure:?}");
    }
    assert_eq!(listed(&url), [("audio".to_owned(), "aac_latm".to_owned())]);
}
