//! Test of a multivariant playlist whose variants have different codecs. When the bandwidth
//! requires it, the player switches variants without losing a frame.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{PICTURE, State, TONE, ffmpeg};
use crate::peers::{self, LIMIT, web};
use crate::watch::{config, play};

const SECONDS: u64 = 8;

/// Makes a playlist `name.m3u8` of one-second segments `name-…`, packed as `fmp4` or `mpegts`.
fn make(folder: &Path, name: &str, kind: &str, codec: &[&str]) {
    let (list, map) = (format!("{name}.m3u8"), format!("{name}-init.mp4"));
    let extension = if kind == "fmp4" { "m4s" } else { "ts" };
    let pieces = format!("{name}-%d.{extension}");
    let seconds = SECONDS.to_string();
    let sound = ["-pix_fmt", "yuv420p", "-g", "25", "-c:a", "aac", "-ac", "2", "-t", &seconds];
    let hls = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "-hls_segment_type", kind];
    let names = ["-hls_fmp4_init_filename", &map, "-hls_segment_filename", &pieces, &list];
    ffmpeg(folder, &[&PICTURE, &TONE, codec, &sound, &hls, &names]).wait_success(LIMIT);
}

/// Serves the files of a folder, and records the requests.
fn serve(folder: &Path) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (folder, noted) = (folder.to_owned(), Arc::clone(&asked));
    let port = web::canned(move |head, socket| {
        let name = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
        let body = fs::read(folder.join(&name));
        noted.lock().push(name);
        let (status, body) = body.map_or(("404 No", Vec::new()), |body| ("200 OK", body));
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    (port, asked)
}

#[test]
fn the_player_goes_on_with_a_variant_of_another_codec() {
    peers::require!("ffmpeg");
    let h264: &[&str] = &["-c:v", "libx264", "-preset", "ultrafast", "-sc_threshold", "0"];
    let hevc: &[&str] = &[
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tag:v",
        "hvc1",
        "-x265-params",
        "log-level=none:keyint=25:min-keyint=25:scenecut=0",
    ];
    let names = [("avc1.42c00d", "H.264"), ("hvc1.1.6.L60.90", "HEVC")];
    for kind in ["mpegts", "fmp4"] {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), "h264", kind, &[h264, &["-s", "640x360"]].concat());
        make(folder.path(), "hevc", kind, &[hevc, &["-s", "480x270"]].concat());
        // Playback starts with the first variant, which claims to need more than any connection
        // has. The player leaves it as soon as it has measured its throughput.
        for (first, second) in [(("h264", 0), ("hevc", 1)), (("hevc", 1), ("h264", 0))] {
            let line = |(name, codec): (&str, usize), bandwidth: u64| {
                let size = ["640x360", "480x270"][codec];
                format!(
                    "#EXT-X-STREAM-INF:BANDWIDTH={bandwidth},RESOLUTION={size},CODECS=\"{},mp4a.40.2\"\n\
                     {name}.m3u8\n",
                    names[codec].0
                )
            };
            let master =
                format!("#EXTM3U\n{}{}", line(first, 900_000_000_000), line(second, 50_000));
            fs::write(folder.path().join("master.m3u8"), master).unwrap();
            let (port, asked) = serve(folder.path());
            let outcome = play(&config(&format!("http://127.0.0.1:{port}/master.m3u8")), |_| false);
            let what = format!("{kind} {} {}", first.0, second.0);
            let asked = asked.lock().clone();
            assert_eq!(outcome.state, State::Ended, "{what}: {:?} {asked:?}", outcome.events);
            let of = |name: &str| {
                let piece = format!("{name}-");
                asked.iter().filter(|it| it.starts_with(&piece) && !it.contains("init")).count()
            };
            assert!(of(first.0) >= 1 && of(second.0) >= 1, "{what}: {asked:?}");
            // Each second comes from one of the variants, and nothing is lost at the switch.
            let figures = &outcome.figures;
            assert_eq!((figures.decoded, figures.damaged), (SECONDS * 25, 0), "{what}: {asked:?}");
            let sound = figures.audio_samples.cast_signed() - SECONDS.cast_signed() * 48_000;
            assert!(sound.abs() < 6 * 1_024, "{what}: {sound}");
            assert!(figures.video.starts_with(names[second.1].1), "{what}: {}", figures.video);
            let width = [640, 480][second.1];
            assert_eq!(figures.size.map(|size| size.width), Some(width), "{what}");
        }
    }
}
