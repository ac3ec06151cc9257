//! Tests of HLS playback: playlists from ffmpeg and nginx, and malformed playlists.

mod elsewhere;
mod encrypted;
mod ended;
mod low;
mod lying;
#[cfg(feature = "ffmpeg")]
mod mixed;
mod origin;
mod regained;
mod saved;
mod slow;
mod tracks;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::peers::certificates::Authority;
use crate::peers::{self, LIMIT, Peer, web};
use crate::watch::{Outcome, Watching, config, play};
use onair::base::Clock;
use onair::net::{Options, Runtime};
use onair::player::{Config, Source, State, probe};

const PICTURE: [&str; 4] = ["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25"];
const TONE: [&str; 4] = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"];
const CODE: [&str; 14] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "25",
    "-sc_threshold",
    "0",
    "-c:a",
    "aac",
    "-ac",
    "2",
];

fn ffmpeg(folder: &Path, parts: &[&[&str]]) -> Peer {
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error"].into_iter();
    let words = words.chain(parts.iter().flat_map(|part| part.iter().copied()));
    let mut command = std::process::Command::new("ffmpeg");
    Peer::start_command(command.current_dir(folder).args(words))
}

fn serve(folder: &Path) -> web::Web {
    let good = Authority::new().good_kept();
    web::Web::start(folder, &good.certificate, &good.key)
}

/// Makes a playlist of each kind, `name.m3u8`, encoded and segmented with `how` and its own
/// options, and serves them.
fn made_and_served(at: &Path, how: &[&[&str]], kinds: &[(&str, &[&str])]) -> web::Web {
    for (name, options) in kinds {
        let list = format!("{name}.m3u8");
        let out = [list.as_str()];
        let parts = [&[&PICTURE[..], &TONE], how, &[*options, &out]].concat();
        ffmpeg(at, &parts).wait_success(LIMIT);
    }
    serve(at)
}

/// Serves texts by path; every other path is not found.
fn texts(pages: &[(&str, &str)]) -> u16 {
    let pages: Vec<(String, String)> =
        pages.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let page = pages.iter().find(|(known, _)| path.split('?').next() == Some(known));
        let _ = match page {
            Some((_, text)) => write!(
                socket,
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
                text.len()
            ),
            None => write!(socket, "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"),
        };
    })
}

/// Plays a playlist of this many seconds to its end, and asserts that all video and audio came
/// (audio in packets of this many samples).
fn whole(web: &web::Web, name: &str, seconds: u64, packet: i64) -> Outcome {
    let url = format!("http://127.0.0.1:{}/{name}.m3u8", web.http);
    let outcome = play(&config(&url), |_| false);
    assert_eq!(outcome.state, State::Ended, "{name}");
    let figures = &outcome.figures;
    assert_eq!((figures.decoded, figures.damaged), (seconds * 25, 0), "{name}");
    let off = figures.audio_samples.cast_signed() - seconds.cast_signed() * 48_000;
    assert!(off.abs() < 5 * packet, "{name} {off}");
    outcome
}

#[test]
fn recorded_lists_of_every_kind_are_played_whole() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    fs::write(at.join("key.bin"), [7; 16]).unwrap();
    fs::write(at.join("key.txt"), "key.bin\nkey.bin\n").unwrap();
    let hls = ["-t", "4", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let kinds: [(&str, &[&str]); 5] = [
        ("ts", &[]),
        ("fmp4", &["-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", "init.mp4"]),
        ("encrypted", &["-hls_key_info_file", "key.txt"]),
        ("ranges", &["-hls_flags", "single_file"]),
        ("bframes", &["-bf", "2"]),
    ];
    let web = made_and_served(at, &[&CODE, &hls], &kinds);
    for (name, _) in kinds {
        whole(&web, name, 4, 1_024);
    }
    let runtime = Runtime::start().unwrap();
    let source = Source::parse(&format!("http://127.0.0.1:{}/fmp4.m3u8", web.http));
    let report = probe::probe(&source, &Options::default(), &runtime, Clock::start(), &|| false);
    let report = report.unwrap();
    assert_eq!((report.format, report.gop_s), ("hls", Some(1.0)));
    assert_eq!(report.video.unwrap().size, Some((320, 180)));
    assert_eq!(report.audio.unwrap().sample_rate, Some(48_000));
}

/// Codecs that the system's FFmpeg libraries decode also play from segments.
#[cfg(feature = "ffmpeg")]
#[test]
fn hevc_and_ac3_are_played_from_segments_of_both_kinds() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let code = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-tag:v", "hvc1"];
    let keys = ["-x265-params", "log-level=none:keyint=25:scenecut=0", "-c:a", "ac3", "-ac", "2"];
    let hls = ["-t", "3", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let kinds: [(&str, &[&str]); 2] = [("ts", &[]), ("fmp4", &["-hls_segment_type", "fmp4"])];
    let web = made_and_served(at, &[&code, &keys, &hls], &kinds);
    for (name, _) in kinds {
        let outcome = whole(&web, name, 3, 1_536);
        assert!(outcome.figures.video.starts_with("HEVC"), "{name}: {}", outcome.figures.video);
    }
}

#[test]
fn recorded_playlists_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let hls = ["-t", "12", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0"];
    let split = ["-map", "0:v", "-map", "1:a", "-var_stream_map", "v:0,agroup:s a:0,agroup:s"];
    let kinds: [(&str, &str, &[&str]); 3] = [
        ("ts.m3u8", "ts.m3u8", &[]),
        ("fmp4.m3u8", "fmp4.m3u8", &["-hls_segment_type", "fmp4"]),
        // Video and audio in separate playlists.
        ("split.m3u8", "split%v.m3u8", &[&split[..], &["-master_pl_name", "split.m3u8"]].concat()),
    ];
    for (_, list, options) in kinds {
        let parts: [&[&str]; 6] = [&PICTURE, &TONE, &CODE, &hls, options, &[list]];
        ffmpeg(at, &parts).wait_success(LIMIT);
    }
    let web = serve(at);
    for (name, ..) in kinds {
        let url = format!("http://127.0.0.1:{}/{name}", web.http);
        let watching = Watching::start(&config(&url));
        let place = |it: &Watching| it.player.position().as_secs_f64();
        watching.wait("the first pictures", |it| it.player.figures().shown > 15);
        let length = watching.player.duration().expect(name).as_secs_f64();
        assert!((length - 12.0).abs() < 0.2, "{name} {length}");
        assert!(place(&watching) < 5.0, "{name}");

        for (wanted, paused) in [(9.5, false), (2.5, false), (10.0, true), (0.5, true)] {
            watching.player.pause(paused);
            let shown = watching.player.figures().shown;
            assert!(watching.player.seek(Duration::from_secs_f64(wanted)), "{name}");
            // Also within a segment, which lasts one second.
            let there = |it: &Watching| (wanted - 0.1..wanted + 1.0).contains(&place(it));
            let seen = |it: &Watching| it.player.figures().shown > shown;
            watching.wait("the picture of the place", |it| seen(it) && there(it));
        }
        let (shown, sound) =
            (watching.player.figures().shown, watching.player.figures().audio_samples);
        watching.player.pause(false);
        watching.wait("going on", |it| it.player.figures().shown > shown + 10);
        watching.wait("sound", |it| it.player.figures().audio_samples > sound);
        assert!(watching.player.seek(Duration::from_secs(11)), "{name}");
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{name}");
        assert_eq!(watching.player.figures().damaged, 0, "{name}");
        watching.end();

        let late = Config { start: Some(Duration::from_millis(10_200)), ..config(&url) };
        let outcome = play(&late, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}");
        // The two segments from 10 s on.
        assert_eq!(outcome.figures.decoded, 50, "{name}");
    }
}

#[test]
fn a_live_list_is_followed_at_its_distance() {
    peers::in_real_time!(a_live_list_is_followed_at_its_distance);
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let options = [
        "-f",
        "hls",
        "-hls_time",
        "1",
        "-hls_list_size",
        "5",
        "-hls_flags",
        "delete_segments",
        "live.m3u8",
    ];
    let _live = ffmpeg(folder.path(), &[&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options]);
    let web = serve(folder.path());
    let list = folder.path().join("live.m3u8");
    peers::wait_for("four segments", LIMIT, || {
        fs::read_to_string(&list).is_ok_and(|text| text.matches("#EXTINF").count() >= 4)
    });
    let url = format!("http://127.0.0.1:{}/live.m3u8", web.http);
    let outcome = play(&config(&url), |figures| figures.shown > 200);
    assert_eq!(outcome.state, State::Playing);
    let figures = &outcome.figures;
    assert_eq!((figures.damaged, figures.reconnects), (0, 0), "{figures:?}");
    assert!(figures.underruns < 3, "{figures:?}");
    // Playback starts three target durations before the end, and part of that is always received.
    assert!(figures.buffer < Duration::from_secs(5), "{figures:?}");
}

#[test]
fn one_goes_back_in_what_a_live_list_holds() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let options = ["-f", "hls", "-hls_time", "1", "-hls_list_size", "20", "-hls_flags"];
    let last = ["delete_segments", "live.m3u8"];
    let parts: [&[&str]; 7] = [&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options, &last];
    let _live = ffmpeg(folder.path(), &parts);
    let web = serve(folder.path());
    let list = folder.path().join("live.m3u8");
    peers::wait_for("twelve segments", LIMIT, || {
        fs::read_to_string(&list).is_ok_and(|text| text.matches("#EXTINF").count() >= 12)
    });
    let watching = Watching::start(&config(&format!("http://127.0.0.1:{}/live.m3u8", web.http)));
    let time_shift = |it: &Watching| it.player.figures().time_shift.unwrap_or_default();
    let shown = |it: &Watching| it.player.figures().shown;
    let behind = |it: &Watching| time_shift(it).behind.as_secs_f64();
    watching.wait("the first pictures", |it| shown(it) > 15);
    watching.wait("the list", |it| time_shift(it).range > Duration::from_secs(5));
    assert_eq!(behind(&watching), 0.0);

    assert!(watching.player.seek_behind_live(Duration::from_secs(6)));
    let before = shown(&watching);
    watching
        .wait("the place behind", |it| shown(it) > before + 30 && (4.5..8.5).contains(&behind(it)));

    // A pause adds latency; within it, the player can seek.
    watching.player.pause(true);
    let (was, before) = (behind(&watching), shown(&watching));
    watching.wait("more behind", |it| behind(it) > was + 1.0);
    assert!(watching.player.seek_behind_live(Duration::from_secs(3)));
    watching.wait("the picture of the place", |it| shown(it) > before && behind(it) < was);
    assert!(watching.player.figures().paused);

    watching.player.go_live();
    let before = shown(&watching);
    watching.wait("the live end", |it| shown(it) > before + 50 && behind(it) == 0.0);
    let figures = watching.player.figures();
    assert!(!figures.paused && figures.damaged == 0 && figures.reconnects == 0, "{figures:?}");
    watching.end();
}

#[test]
fn a_transport_stream_is_played_as_it_comes() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let port = peers::free_port();
    let url = format!("http://127.0.0.1:{port}/x.ts");
    let options = ["-f", "mpegts", "-listen", "1", &url];
    let mut live = ffmpeg(folder.path(), &[&["-re"], &PICTURE, &["-re"], &TONE, &CODE, &options]);
    peers::wait_listening(&mut live, port);
    let outcome =
        play(&config(&url), |figures| figures.shown > 40 && figures.audio_samples > 48_000);
    assert_eq!((outcome.state, outcome.figures.damaged), (State::Playing, 0));
}

#[test]
fn a_broadcast_that_restarts_is_still_followed() {
    peers::in_real_time!(a_broadcast_that_restarts_is_still_followed);
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let hls = ["-t", "6", "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "a.m3u8"];
    ffmpeg(folder.path(), &[&PICTURE, &TONE, &CODE, &hls]).wait_success(LIMIT);
    // A live window of three segments over the six. Halfway through, the numbering restarts.
    let at = folder.path().to_owned();
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let port = web::canned(move |head, socket| {
        let path = head.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
        let body = if path == "live.m3u8" {
            let step = count.fetch_add(1, Ordering::Relaxed);
            let (first, sequence) = if step < 2 { (step, 100 + step) } else { (3, step - 2) };
            let mut text =
                format!("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:{sequence}\n");
            for number in first..first + 3 {
                text.push_str(&format!("#EXTINF:1,\na{}.ts\n", number.min(5)));
            }
            if step > 4 {
                text.push_str("#EXT-X-ENDLIST\n");
            }
            text.into_bytes()
        } else {
            fs::read(at.join(path)).unwrap_or_default()
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = socket.write_all(head.as_bytes());
        let _ = socket.write_all(&body);
    });
    let outcome = play(&config(&format!("http://127.0.0.1:{port}/live.m3u8")), |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    assert!(outcome.figures.decoded >= 150, "{:?}", outcome.figures);
    assert_eq!(outcome.figures.damaged, 0);
}
