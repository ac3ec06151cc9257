//! Tests of FLV files and transport streams on web servers: nginx, a server without range requests,
//! and servers that send false answers.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use super::{go_about, look_about_in_a_pause, make};
use crate::peers::certificates::Authority;
use crate::peers::{self, ffmpeg, web};
use crate::watch::{Watching, config, play};
use onair::base::Clock;
use onair::net::{Options, Runtime};
use onair::player::{Config, Source, State, probe};

fn length(url: &str) -> Option<f64> {
    let (runtime, source) = (Runtime::start().unwrap(), Source::parse(url));
    let report =
        probe::probe(&source, &Options::default(), &runtime, Clock::start(), &|| false).unwrap();
    report.duration
}

/// Makes a file without an index, with GOPs of four seconds, which is large enough that onair has
/// to search.
fn make_large(folder: &Path, name: &str) {
    let options = ["-g", "100", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M"];
    let options = [&options[..], &["-x264-params", "nal-hrd=cbr:force-cfr=1"]].concat();
    ffmpeg::make(&folder.join(name), "320x180", "12", &options);
}

#[test]
fn files_on_a_web_server_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    make(folder.path(), "a.flv");
    make(folder.path(), "a.ts");
    make_large(folder.path(), "large.flv");
    let authority = Authority::new();
    let good = authority.good();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    for name in ["a.flv", "large.flv", "a.ts"] {
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let duration = length(&url).expect(name);
        assert!((duration - 12.0).abs() < 0.2, "{name}: {duration}");
        look_about_in_a_pause(Watching::start(&config(&url)), name);
        go_about(Watching::start(&config(&url)), name);
        let late = Config { start: Some(Duration::from_millis(10_500)), ..config(&url) };
        let outcome = play(&late, |_| false);
        assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
        // Decoding starts at the keyframe before this position.
        let from = if name == "large.flv" { 100 } else { 50 };
        assert_eq!(outcome.figures.decoded, from, "{name}");
        assert_eq!(outcome.notice_keys(), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn a_file_that_our_player_wrote_can_be_seeked_too() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path(), "a.flv");
    let ours = folder.path().join("ours.flv");
    let source = Source::File(file);
    let outcome =
        play(&Config { speaker: false, save: Some(ours), ..Config::new(source) }, |_| false);
    assert_eq!(outcome.state, State::Ended);
    let authority = Authority::new();
    let good = authority.good();
    let nginx = web::Web::start(folder.path(), &good.certificate, &good.key);
    let url = format!("http://127.0.0.1:{}/ours.flv", nginx.http);
    go_about(Watching::start(&config(&url)), "ours");
}

/// Answers a request for a range, given as first and last byte. `None` sends the whole file.
pub type Part = fn(&[u8], usize, usize) -> Option<Vec<u8>>;

/// Starts a server for this file, which answers requests for ranges in this way.
pub fn serve(file: &Path, part: Part) -> String {
    let file = std::fs::read(file).unwrap();
    let port = web::canned(move |head, socket| {
        let span = head.split("Range: bytes=").nth(1).and_then(|span| span.lines().next());
        let ends = span.and_then(|span| span.split_once('-'));
        let answer = match ends {
            None => None,
            Some((from, last)) => part(&file, from.parse().unwrap(), last.parse().unwrap()),
        };
        let whole = || {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", file.len());
            [head.as_bytes(), &file].concat()
        };
        // The client may have closed the connection.
        let _ = socket.write_all(&answer.unwrap_or_else(whole));
    });
    format!("http://127.0.0.1:{port}/a.flv")
}

#[test]
fn a_server_that_gives_no_parts_is_played_from_the_beginning() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.flv");
    ffmpeg::make(&file, "320x180", "2", &["-g", "25"]);
    let lies: [Part; 5] = [
        // The server ignores the range and sends the whole file.
        |_, _, _| None,
        |_, _, _| Some(b"HTTP/1.1 416 x\r\nContent-Length: 0\r\n\r\n".to_vec()),
        // A wrong range, a right range with wrong data, and no HTTP at all.
        |_, _, last| {
            let head = format!("HTTP/1.1 206 x\r\nContent-Range: bytes 0-9/{last}\r\n");
            Some([head.as_bytes(), b"Content-Length: 10\r\n\r\n0123456789"].concat())
        },
        |file, from, last| {
            let (size, whole) = (last + 1 - from, file.len());
            let head = format!("HTTP/1.1 206 x\r\nContent-Range: bytes {from}-{last}/{whole}\r\n");
            let head = format!("{head}Content-Length: {size}\r\n\r\n");
            Some([head.as_bytes(), &vec![9; size]].concat())
        },
        |_, _, _| Some(b"nothing of the kind".to_vec()),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let url = serve(&file, lie);
        let outcome =
            play(&Config { start: Some(Duration::from_secs(1)), ..config(&url) }, |_| false);
        assert_eq!(outcome.state, State::Ended, "{number}: {:?}", outcome.events);
        assert_eq!(outcome.figures.decoded, 50, "{number}");
        assert_eq!(outcome.figures.duration, None, "{number}");
        assert_eq!(outcome.notice_keys(), ["player-no-start"], "{number}");
        // The duration is in the metadata.
        let duration = length(&url).unwrap();
        assert!((duration - 2.0).abs() < 0.1, "{number}: {duration}");
    }
}

#[test]
fn a_position_that_does_not_load_is_reported_and_playback_continues() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path(), "a.flv");
    // The server sends the end of the file, and nothing else.
    let url = serve(&file, |file, from, last| {
        let whole = file.len();
        if last + 1 != whole || whole - from > 100_000 {
            return Some(b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n".to_vec());
        }
        let head = format!("HTTP/1.1 206 x\r\nContent-Range: bytes {from}-{last}/{whole}\r\n");
        let head = format!("{head}Content-Length: {}\r\n\r\n", whole - from);
        Some([head.as_bytes(), &file[from..]].concat())
    });
    let watching = Watching::start(&config(&url));
    watching.wait("the length", |it| it.player.duration().is_some() && it.shown() > 15);
    assert!(watching.player.seek(Duration::from_secs(6)));
    watching.wait("a word of it", |it| it.notice_keys().contains(&"player-unmoved"));
    let shown = watching.shown();
    watching.wait("going on", |it| it.shown() > shown + 15);
    assert_eq!(watching.player.state(), State::Playing);
    watching.end();
}
