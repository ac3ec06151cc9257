//! Tests of the audio tracks of recordings: ffmpeg and hls.js find every track of a file in its HLS playlist.

use std::fs;
use std::io::Write;
use std::path::Path;

use super::{NAME, Running, STEM, start};
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, web};
use crate::viewer_page::chromium::Chromium;
use onair::wire::hls::{Playlist, parse};

/// A recording with three audio tracks, two of which have titles, as the studio writes them.
fn record_tracks(running: &Running, extension: &str) {
    let path = running.folder.path().join(format!("{STEM}.{extension}"));
    let tones =
        ["500", "900", "1300"].map(|hertz| format!("sine=frequency={hertz}:sample_rate=48000"));
    let mut words = vec!["-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i"];
    words.push("testsrc2=size=320x180:rate=25");
    tones.iter().for_each(|tone| words.extend(["-f", "lavfi", "-i", tone]));
    words.extend(["-map", "0", "-map", "1", "-map", "2", "-map", "3", "-t", "10"]);
    words.extend(["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]);
    words.extend(["-c:a", "aac", "-metadata:s:a:1", "handler_name=Voice"]);
    words.extend(["-metadata:s:a:2", "handler_name=Voice", path.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(LIMIT);
}

/// The loudest frequency of an audio track that ffmpeg plays: the number of zero crossings in a second.
fn hertz(url: &str, track: usize, folder: &Path) -> f64 {
    let pcm = folder.join("tone.pcm");
    let map = format!("0:a:{track}");
    let words = ["-nostdin", "-y", "-v", "error", "-i", url, "-map", &map, "-ss", "5", "-t", "1"];
    let after = ["-ac", "1", "-f", "s16le", pcm.to_str().unwrap()];
    let mut player = Peer::start("ffmpeg", words.into_iter().chain(after));
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "", "{url} {track}");
    let samples: Vec<_> = fs::read(pcm)
        .unwrap()
        .chunks_exact(2)
        .map(|two| i16::from_le_bytes([two[0], two[1]]))
        .collect();
    let crossings = samples.windows(2).filter(|two| (two[0] < 0) != (two[1] < 0)).count();
    crossings as f64 / 2.0 * 48_000.0 / samples.len() as f64
}

#[test]
fn hls_offers_every_audio_track_of_a_recording() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start(|_| ());
    record_tracks(&running, "mp4");
    let text = running.get(&format!("/vod/{NAME}.m3u8")).text();
    let Ok(Playlist::Master(master)) = parse(text.as_bytes()) else { panic!("{text}") };
    let video = format!("{NAME}/hls/video.m3u8");
    assert_eq!((master.variants.len(), &master.variants[0].uri), (1, &video));
    let names: Vec<_> = master.renditions.iter().map(|it| (it.name.as_str(), it.default)).collect();
    assert_eq!(names, [("Track 1", true), ("Voice", false), ("Voice 3", false)], "{text}");
    assert!(master.audio_of(&master.variants[0]).is_some());
    for (path, status) in [("audio3.m3u8", 200), ("audio4.m3u8", 404), ("audio3-0.m4s", 200)] {
        assert_eq!(running.get(&format!("/vod/{NAME}/hls/{path}")).status, status, "{path}");
    }
    let url = running.url(&format!("/vod/{NAME}.m3u8"));
    let probe = ffmpeg::probe(&url);
    let streams = probe.json["streams"].as_array().unwrap();
    let count = |kind| streams.iter().filter(|it| it["codec_type"] == kind).count();
    assert_eq!((count("video"), count("audio")), (1, 3), "{}", probe.json);
    for (track, expected) in [500.0, 900.0, 1_300.0].into_iter().enumerate() {
        let pitch = hertz(&url, track, running.folder.path());
        assert!((pitch - expected).abs() < 20.0, "track {track}: {pitch}");
    }
    // All of it decodes, and other addresses play the first track.
    assert_eq!(ffmpeg::decode(&url), "");
    for path in [format!("/vod/{NAME}/hls/main.m3u8"), format!("/vod/{NAME}.mpd")] {
        let streams = ffmpeg::probe(running.url(&path)).json["streams"].as_array().unwrap().len();
        assert_eq!(streams, 2, "{path}");
    }
    let rtmp = running.rtmp(&format!("vod/{NAME}"));
    let pitch = hertz(&rtmp, 0, running.folder.path());
    assert!((pitch - 500.0).abs() < 20.0, "over RTMP: {pitch}");
    // `onair probe` and the player take the default track.
    let url = running.url(&format!("/vod/{NAME}.m3u8"));
    assert!(Onair::start(&["probe", &url]).peer.wait(LIMIT).success());
}

/// A page that plays the playlist of a recording with hls.js, and names the audio tracks.
const PAGE: &str =
    "<!doctype html><title>VOD</title><video id=video muted></video><script type=module>
import Hls from '/hls.js';
const video = document.getElementById('video');
const hls = new Hls({ enableWorker: false });
hls.on('hlsManifestParsed', () => video.play());
hls.on('hlsError', (_, { fatal, details }) => { if (fatal) window.problem = details; });
hls.loadSource(ADDRESS);
hls.attachMedia(video);
window.hls = hls;
</script>";

#[test]
fn hls_js_plays_every_audio_track_of_a_recording() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let Some(library) = peers::fetched("ONAIR_HLSJS") else { return };
    let library = fs::read(library).unwrap();
    let running = start(|config| config.cors = vec!["*".to_owned()]);
    record_tracks(&running, "mp4");
    let address = format!("{:?}", running.url(&format!("/vod/{NAME}.m3u8")));
    let page = PAGE.replace("ADDRESS", &address);
    let port = web::canned(move |head, socket| {
        let (kind, body) = match head.split(' ').nth(1) {
            Some("/hls.js") => ("text/javascript", library.as_slice()),
            _ => ("text/html", page.as_bytes()),
        };
        let length = body.len();
        let _ = write!(
            socket,
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let _ = socket.write_all(body);
    });
    let browser = Chromium::start("en");
    let page = browser.open(&format!("http://127.0.0.1:{port}/"), "");
    page.wait("video.currentTime > 1");
    let names = page.value("hls.audioTracks.map(it => it.name).slice(1).join()");
    assert_eq!((names, page.value("hls.audioTracks.length")), ("Voice,Voice 3".into(), 3.into()));
    for track in [2, 1, 0] {
        page.value(&format!("hls.audioTrack = {track}; window.at = video.currentTime"));
        page.wait(&format!(
            "hls.audioTrack === {track} && (video.ended || video.currentTime > at + 0.8)"
        ));
        assert!(page.value("video.webkitAudioDecodedByteCount").as_u64() > Some(1_000), "{track}");
    }
    assert_eq!(page.value("window.problem ?? null"), serde_json::Value::Null);
}
