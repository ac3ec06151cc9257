//! Tests of MP4 and Matroska films on web servers: nginx, a server without range requests, and
//! servers that send false answers.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::web::serve;
use super::{go_about, look_about_in_a_pause, probe};
use crate::peers::certificates::Authority;
use crate::peers::{self, ffmpeg, web};
use crate::watch::{Watching, config, cure, play};
use onair::base::Clock;
use onair::media::playback_control::{EndBehavior, TransportCommand};
use onair::net::Runtime;
use onair::player::source::{self, Context};
use onair::player::{Config, FailureKind, Source, State};

/// Options for B-frames and a keyframe every second.
const REORDERED: &[&str] =
    &["-preset", "veryfast", "-bf", "3", "-b_strategy", "0", "-g", "25", "-sc_threshold", "0"];

/// File names and muxer options. `bare` and `live` have no index and no duration.
const FILMS: &[(&str, &[&str])] = &[
    ("front.mp4", &["-movflags", "+faststart"]),
    ("end.mp4", &[]),
    ("parts.mp4", &["-movflags", "+frag_keyframe+empty_moov"]),
    ("begun.mp4", &["-movflags", "+frag_keyframe"]),
    (
        "told.mp4",
        &["-movflags", "+frag_keyframe+empty_moov+default_base_moof+global_sidx+skip_trailer"],
    ),
    ("bare.mp4", &["-movflags", "+frag_keyframe+empty_moov+skip_trailer"]),
    ("a.mkv", &[]),
    ("front.mkv", &["-reserve_index_space", "4096"]),
    ("live.mkv", &["-f", "matroska", "-live", "1"]),
];

fn make(folder: &Path, name: &str, seconds: &str) -> PathBuf {
    make_with(folder, name, seconds, &[])
}

fn make_with(folder: &Path, name: &str, seconds: &str, more: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let (_, options) = FILMS.iter().find(|film| film.0 == name).unwrap();
    // With several threads, x264 sometimes encodes the same video differently on a busy computer.
    let options = [REORDERED, &["-threads", "1"], options, more].concat();
    ffmpeg::make(&path, "320x180", seconds, &options);
    path
}

fn nginx(folder: &Path) -> web::Web {
    let authority = Authority::new();
    let good = authority.good();
    web::Web::start(folder, &good.certificate, &good.key)
}

fn goes_about(name: &str) {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    make(folder.path(), name, "12");
    let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
    look_about_in_a_pause(Watching::start(&config(&url)), name);
    go_about(Watching::start(&config(&url)), name);
    let late = Config { start: Some(Duration::from_millis(10_500)), ..config(&url) };
    let outcome = play(&late, |_| false);
    assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
    // Decoding starts at the keyframe before this position.
    assert_eq!(outcome.figures.decoded, 50, "{name}");
    assert_eq!(outcome.notice_keys(), Vec::<&str>::new(), "{name}");
}

#[test]
fn an_mp4_on_a_web_server_can_be_seeked() {
    goes_about("front.mp4");
    goes_about("end.mp4");
}

#[test]
fn fragments_on_a_web_server_can_be_seeked() {
    goes_about("parts.mp4");
    goes_about("bare.mp4");
}

#[test]
fn matroska_on_a_web_server_can_be_seeked() {
    goes_about("a.mkv");
    goes_about("live.mkv");
}

/// Frames per second, and bytes of luma in a frame.
const RATE: f64 = 25.0;
const LUMA: usize = 320 * 180;

/// Returns the number of the frame most similar to this one, among the neighbors of frame `number`.
fn most_like(seen: &[u8], all: &[u8], number: usize) -> usize {
    let pictures = all.chunks_exact(LUMA).enumerate().skip(number.saturating_sub(4)).take(9);
    let off = |other: &[u8]| -> u64 {
        seen.iter().zip(other).map(|(one, other)| u64::from(one.abs_diff(*other))).sum()
    };
    pictures.min_by_key(|(_, picture)| off(picture)).unwrap().0
}

/// Seeks to these positions while the film is paused, and returns the frames. `all` is what ffmpeg
/// decodes from the film.
fn pictures(config: &Config, places: &[f64], all: &[u8]) -> Vec<Vec<u8>> {
    let watching = Watching::start(config);
    watching.wait("the first pictures", |it| it.shown() > 15 && it.player.duration().is_some());
    watching.player.pause(true);
    watching.wait("the pause", |it| it.player.figures().paused);
    let seen = places.iter().map(|place| {
        let (before, number) = (watching.shown(), (place * RATE).round() as usize);
        assert!(watching.player.seek(Duration::from_secs_f64(*place)));
        // On a busy computer, the player may show earlier frames first.
        watching.wait(&format!("the picture at {place} s"), |it| {
            let seen = it.player.last_frame().unwrap();
            it.shown() > before
                && (it.player.position().as_secs_f64() - place).abs() < 0.1
                && most_like(&seen.planes().y, all, number) == number
        });
        watching.player.last_frame().unwrap().planes().y.clone()
    });
    let seen = seen.collect();
    watching.end();
    seen
}

/// Checks that a local file and a web server yield the same frames, and that all these films do.
fn shows_the_same(films: &[&str], options: &[&str], places: &[f64]) {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    let (mut first, mut all) = (None, None);
    for name in films {
        let file = make_with(folder.path(), name, "12", options);
        let all = all.get_or_insert_with(|| ffmpeg::luma_as_it_is(&file));
        let own = Config { speaker: false, ..Config::new(Source::File(file)) };
        let own = pictures(&own, places, all);
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let theirs = pictures(&config(&url), places, all);
        for ((own, theirs), place) in own.iter().zip(&theirs).zip(places) {
            assert!(own == theirs, "{name}: another picture at {place} s");
        }
        assert!(first.get_or_insert(theirs.clone()) == &theirs, "{name}: another film");
    }
}

#[test]
fn the_frame_at_a_position_in_an_mp4_is_the_one_that_the_file_has_there() {
    let films = ["front.mp4", "end.mp4", "parts.mp4", "begun.mp4", "told.mp4", "bare.mp4"];
    shows_the_same(&films, &[], &[7.52, 2.96, 0.0, 3.48]);
}

#[test]
fn the_frame_at_a_position_in_matroska_is_the_one_that_the_file_has_there() {
    shows_the_same(&["a.mkv", "front.mkv", "live.mkv"], &[], &[7.52, 2.96, 0.0, 3.48]);
}

#[test]
fn a_position_is_found_by_bisection_where_there_is_no_index() {
    // More data than onair reads sequentially, so that it has to search.
    let steady = ["-b:v", "16M", "-minrate", "16M", "-maxrate", "16M", "-bufsize", "4M"];
    let steady = [&steady[..], &["-x264-params", "nal-hrd=cbr:force-cfr=1"]].concat();
    shows_the_same(&["bare.mp4"], &steady, &[11.52, 6.96]);
    shows_the_same(&["live.mkv"], &steady, &[11.52, 6.96]);
}

#[test]
fn a_probe_reports_the_same_for_a_file_on_a_web_server_and_on_the_disk() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    for (name, _) in FILMS {
        let file = make(folder.path(), name, "4");
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let (web, disk) = (probe(&url), probe(file.to_str().unwrap()));
        assert_eq!(web["format"], disk["format"], "{name}");
        for (web, disk) in [0, 1].map(|number| (&web["streams"][number], &disk["streams"][number]))
        {
            for key in ["type", "codec", "width", "height", "fps", "profile", "sample_rate"] {
                assert_eq!(web[key], disk[key], "{name}: {key}");
            }
        }
        let length = web["duration"].as_f64().unwrap();
        // One duration counts from the first audio frame, and the other one from the first video
        // frame.
        let disk = disk["duration"].as_f64().unwrap();
        assert!((length - disk).abs() < 0.2, "{name}: {length} {disk}");
    }
}

/// Audio files: names and options.
const SOUNDS: &[(&str, &[&str])] = &[
    ("front.m4a", &["-c:a", "aac", "-movflags", "+faststart"]),
    ("end.m4a", &["-c:a", "aac"]),
    (
        "parts.mp4",
        &["-c:a", "aac", "-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "1000000"],
    ),
    ("a.mka", &["-c:a", "aac"]),
    ("a.webm", &["-c:a", "libopus"]),
    ("live.webm", &["-c:a", "libopus", "-live", "1"]),
];

/// Makes a file in which each second has another pitch: 300 Hz, 400 Hz, and so on.
fn make_sound(folder: &Path, name: &str, seconds: &str) -> PathBuf {
    let path = folder.join(name);
    let (_, options) = SOUNDS.iter().find(|sound| sound.0 == name).unwrap();
    let pitches = format!("aevalsrc=0.3*sin(2*PI*t*(300+100*floor(t))):s=48000:d={seconds}");
    let words = ["-hide_banner", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", &pitches];
    let all = words.into_iter().chain(options.iter().copied()).chain([path.to_str().unwrap()]);
    peers::Peer::start("ffmpeg", all).wait_success(peers::LIMIT);
    path
}

#[test]
fn audio_without_video_on_a_web_server_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    for (name, _) in SOUNDS {
        let file = make_sound(folder.path(), name, "12");
        let url = format!("http://127.0.0.1:{}/{name}", nginx.http);
        let watching = Watching::start(&config(&url));
        let played = |it: &Watching| it.player.figures().audio_samples;
        watching
            .wait("the first sound", |it| played(it) > 24_000 && it.player.duration().is_some());
        let length = watching.player.duration().unwrap().as_secs_f64();
        assert!((length - 12.0).abs() < 0.2, "{name}: {length}");
        for place in [9.0, 3.0] {
            let before = played(&watching);
            assert!(watching.player.seek(Duration::from_secs_f64(place)), "{name}");
            watching.wait("that place", |it| {
                let at = it.player.position().as_secs_f64();
                played(it) > before + 12_000 && (place..place + 2.5).contains(&at)
            });
        }
        assert!(watching.player.seek(Duration::from_secs(11)), "{name}");
        watching.wait("the end", |it| it.player.state().is_final());
        assert_eq!(watching.player.state(), State::Ended, "{name}");
        assert_eq!(watching.notice_keys(), ["player-no-video"], "{name}");
        watching.end();
        // After a seek, the audio must be that of the position, as with the local file.
        let dump = |source| {
            let wav = folder.path().join("heard.wav");
            let start = Some(Duration::from_millis(10_250));
            let config = Config { speaker: false, start, ..Config::new(source) };
            let outcome = play(&Config { audio_dump: Some(wav.clone()), ..config }, |_| false);
            assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
            let mut wav = hound::WavReader::open(wav).unwrap();
            let each = usize::from(wav.spec().channels);
            let left: Vec<i16> = wav.samples().step_by(each).map(Result::unwrap).collect();
            left
        };
        let (theirs, own) = (dump(Source::Url(url.clone())), dump(Source::File(file)));
        let seconds = |samples: &[i16]| samples.len() as f64 / 48_000.0;
        assert!((seconds(&theirs) - 1.75).abs() < 0.15, "{name}: {} s", seconds(&theirs));
        assert!((seconds(&theirs) - seconds(&own)).abs() < 0.05, "{name}: {} s", seconds(&own));
        // The pitch is 1,300 Hz, and 1,400 Hz in the last second.
        for (begin, pitch) in [(0.1, 1_300.0), (1.0, 1_400.0)] {
            let of = |pcm: &[i16]| {
                let from = (begin * 48_000.0) as usize;
                let half = &pcm[from..from + 24_000];
                half.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count() as f64 * 2.0
            };
            assert!((of(&theirs) - pitch).abs() < 15.0, "{name}: {} Hz", of(&theirs));
        }
        let report = probe(&url);
        assert_eq!(report["streams"].as_array().unwrap().len(), 1, "{name}: {report}");
        assert_eq!(report["streams"][0]["type"], "audio", "{name}: {report}");
        let duration = report["duration"].as_f64().unwrap();
        assert!((duration - 12.0).abs() < 0.2, "{name}: {duration}");
    }
}

#[test]
fn audio_without_video_on_a_web_server_is_a_source_that_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    make_sound(folder.path(), "end.m4a", "12");
    let url = format!("http://127.0.0.1:{}/end.m4a", nginx.http);
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let context = Context { clock, rate: 48_000, channels: 2, at_end: EndBehavior::Loop };
    let mut media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let transport = media.transport.clone();
    let mut is_at = |place: f64| {
        let mut block = [0.0; 960];
        media.audio.pull(clock.now(), &mut block);
        let is_audible = block.iter().any(|sample| sample.abs() > 0.1);
        let near = |at: Duration| (0.0..2.0).contains(&(at.as_secs_f64() - place));
        is_audible && transport.position().is_some_and(|it| near(it.at) && it.whole.is_some())
    };
    peers::wait_for("its beginning", peers::LIMIT, || is_at(0.0));
    transport.ask(TransportCommand::To(Duration::from_secs(8)));
    peers::wait_for("another place", peers::LIMIT, || is_at(8.0));
}

#[test]
fn a_file_on_a_server_without_range_support_plays_from_its_beginning() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for (name, _) in FILMS {
        let url = serve(&make(folder.path(), name, "2"), |_, _, _| None);
        for (start, key) in [(None, "player-fixed"), (Some(1), "player-no-start")] {
            let start = start.map(Duration::from_secs);
            let outcome = play(&Config { start, ..config(&url) }, |_| false);
            assert_eq!(outcome.state, State::Ended, "{name}: {:?}", outcome.events);
            assert_eq!(outcome.figures.decoded, 50, "{name}");
            assert_eq!(outcome.figures.duration, None, "{name}");
            assert_eq!(outcome.notice_keys(), [key], "{name}");
        }
    }
}

#[test]
fn an_index_that_cannot_be_loaded_is_reported() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("end.mp4");
    // The index lies behind more data than onair skips.
    ffmpeg::make(&path, "320x180", "2", &["-c:v", "rawvideo", "-f", "mov", "-r", "60"]);
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size > 9 << 20, "{size}");
    let outcome = play(&config(&serve(&path, |_, _, _| None)), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, FailureKind::File);
    assert!(failure.to_string().contains("is at the end"), "{failure:?}");
    assert!(cure(failure).contains("faststart"), "{failure:?}");
}

/// Starts a server whose first answer breaks off in the middle. Requests for parts get the first of
/// these ETags, and from the third request on the second one.
fn fickle(file: &Path, marks: [&'static str; 2]) -> String {
    let file = std::fs::read(file).unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    let port = web::canned(move |head, socket| {
        let span = head.split("Range: bytes=").nth(1).and_then(|span| span.lines().next());
        let whole = file.len();
        let Some((from, last)) = span.and_then(|span| span.split_once('-')) else {
            let head = format!("HTTP/1.1 200 OK\r\nETag: {}\r\n", marks[0]);
            let head = format!("{head}Content-Length: {whole}\r\n\r\n");
            let _ = socket.write_all(&[head.as_bytes(), &file[..whole / 4]].concat());
            return;
        };
        let (from, last): (usize, usize) = (from.parse().unwrap(), last.parse().unwrap());
        let mark = marks[usize::from(asked.fetch_add(1, Ordering::Relaxed) > 1)];
        let head = format!("HTTP/1.1 206 x\r\nContent-Range: bytes {from}-{last}/{whole}\r\n");
        let head = format!("{head}ETag: {mark}\r\nContent-Length: {}\r\n\r\n", last + 1 - from);
        let _ = socket.write_all(&[head.as_bytes(), &file[from..=last]].concat());
    });
    format!("http://127.0.0.1:{port}/a.mp4")
}

#[test]
fn what_breaks_off_is_gone_on_with_unless_it_has_become_another_file() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.mp4");
    let options = ["-g", "25", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-bufsize", "1M"];
    let steady = ["-x264-params", "nal-hrd=cbr:force-cfr=1", "-movflags", "+faststart"];
    ffmpeg::make(&path, "320x180", "4", &[&options[..], &steady].concat());
    let outcome = play(&config(&fickle(&path, ["\"one\""; 2])), |_| false);
    assert_eq!(outcome.state, State::Ended, "{:?}", outcome.events);
    assert_eq!(outcome.figures.decoded, 100);
    assert_eq!(outcome.notice_keys(), Vec::<&str>::new());
    let outcome = play(&config(&fickle(&path, ["\"one\"", "\"two\""])), |_| false);
    let failure = outcome.failure();
    assert_eq!(failure.kind, FailureKind::Lost, "{failure:?}");
    assert!(failure.to_string().contains("changed during playback"), "{failure:?}");
}

#[test]
fn whatever_a_server_does_with_ranges_of_a_file_the_end_has_a_message() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    for name in ["end.mp4", "a.mkv"] {
        let file = make(folder.path(), name, "12");
        // The server sends the end of the file, which contains the index, but no other part.
        let url = serve(&file, |file, from, last| {
            let whole = file.len();
            let head = format!("HTTP/1.1 206 x\r\nContent-Range: bytes {from}-{last}/{whole}\r\n");
            let (head, part) = if last + 1 == whole {
                (head, file[from..].to_vec())
            } else {
                ("HTTP/1.1 503 x\r\n".to_owned(), Vec::new())
            };
            let head = format!("{head}Content-Length: {}\r\n\r\n", part.len());
            Some([head.as_bytes(), &part].concat())
        });
        let watching = Watching::start(&config(&url));
        watching.wait("the length", |it| it.player.duration().is_some() && it.shown() > 15);
        watching.player.seek(Duration::from_secs(6));
        watching.wait("going on", |it| it.shown() > 60);
        watching.end();
    }
}

#[test]
fn a_player_that_waits_for_a_part_stops_at_once() {
    peers::require!("ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = make(folder.path(), "end.mp4", "2");
    // The player requests the index, and the server does not answer.
    let url = serve(&file, |_, _, _| {
        std::thread::sleep(Duration::from_secs(20));
        None
    });
    let watching = Watching::start(&config(&url));
    watching.wait("opening", |it| matches!(it.player.state(), State::Opening { .. }));
    watching.end();
}

#[test]
fn a_video_file_on_a_web_server_is_a_source_that_can_be_seeked() {
    peers::require!("ffmpeg", "nginx");
    let folder = tempfile::tempdir().unwrap();
    let nginx = nginx(folder.path());
    make(folder.path(), "end.mp4", "12");
    let url = format!("http://127.0.0.1:{}/end.mp4", nginx.http);
    let (runtime, clock) = (Runtime::start().unwrap(), Clock::start());
    let context = Context { clock, rate: 48_000, channels: 2, at_end: EndBehavior::Loop };
    let mut media = source::open(&Config::new(Source::Url(url)), &context, &runtime).unwrap();
    let transport = media.transport.clone();
    let mut is_at = |place: f64| {
        let now = clock.now();
        media.audio.pull(now, &mut [0.0; 960]);
        let seen = media.video.frame(now).is_some();
        let position = transport.position();
        let there = position.is_some_and(|it| {
            let near = (0.0..2.0).contains(&(it.at.as_secs_f64() - place));
            near && it.whole.is_some_and(|whole| (whole.as_secs_f64() - 12.0).abs() < 0.2)
        });
        seen && there
    };
    peers::wait_for("its beginning", peers::LIMIT, || is_at(0.0));
    transport.ask(TransportCommand::To(Duration::from_secs(8)));
    peers::wait_for("another place", peers::LIMIT, || is_at(8.0));
}
