//! Tests of Enhanced RTMP with codecs for which onair has no built-in decoder. The streams pass
//! through the server, `onair probe`, `play`, `play --save` and `live --copy`. An ffmpeg that
//! writes Enhanced RTMP makes the streams. Debian's ffmpeg 5.1 cannot write it. `ONAIR_FFMPEG`
//! names a newer ffmpeg (`packaging/test.sh` downloads it); without it, the test tries the ffmpeg
//! on the path.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::peers::{self, LIMIT, Onair, Peer, wait_for, web};
use bytes::Bytes;
use onair::wire::container::flv::{Demuxer, TagKind, parse_audio, parse_video};
use serde_json::Value;

/// Video and audio codecs, the encoders that make them, and what the probe reports.
const CODECS: [(&str, &[&str], &str, &str, u32); 3] = [
    (
        "HEVC and AC-3",
        &[
            "-c:v",
            "libx265",
            "-preset",
            "ultrafast",
            "-x265-params",
            "log-level=none:keyint=15",
            "-c:a",
            "ac3",
        ],
        "hevc",
        "ac3",
        48_000,
    ),
    (
        "AV1 and Opus",
        &[
            "-c:v",
            "libsvtav1",
            "-preset",
            "12",
            "-g",
            "15",
            "-svtav1-params",
            "pred-struct=1",
            "-c:a",
            "libopus",
        ],
        "av1",
        "opus",
        48_000,
    ),
    (
        "VP9 and FLAC",
        &[
            "-c:v",
            "libvpx-vp9",
            "-deadline",
            "realtime",
            "-cpu-used",
            "8",
            "-g",
            "15",
            "-c:a",
            "flac",
        ],
        "vp9",
        "flac",
        48_000,
    ),
];

/// An ffmpeg that writes all of these codecs, or `None` with a loud message.
pub(crate) fn new_ffmpeg() -> Option<PathBuf> {
    let named = std::env::var_os("ONAIR_FFMPEG").map(PathBuf::from);
    let program = named.unwrap_or_else(|| "ffmpeg".into());
    let text = |flag: &str| {
        let output = Command::new(&program).args(["-hide_banner", flag]).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let version = text("-version").and_then(|text| {
        let word = text.split_whitespace().nth(2)?.trim_start_matches('n').to_owned();
        word.split('.').next()?.parse::<u32>().ok()
    });
    let encoders = text("-encoders").unwrap_or_default();
    let all = ["libx265", "libsvtav1", "libvpx-vp9", "libopus"];
    if version.is_some_and(|version| version >= 8) && all.iter().all(|it| encoders.contains(it)) {
        return Some(program);
    }
    let named = std::env::var_os("ONAIR_FFMPEG");
    assert!(named.is_none(), "{named:?} cannot encode all of {}", all.join(", "));
    peers::skipped(&format!(
        "no ffmpeg of version 8 or later with {} (set ONAIR_FFMPEG to one; packaging/test.sh \
         fetches it)",
        all.join(", ")
    ));
    None
}

/// Makes an FLV file of five seconds: 320×180 at 30 fps, stereo.
fn film(ffmpeg: &Path, codecs: &[&str], file: &Path) {
    film_as(ffmpeg, codecs, "flv", file);
}

/// Like [`film`], in this format.
fn film_as(ffmpeg: &Path, codecs: &[&str], format: &str, file: &Path) {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "5"]);
    command.args(["-pix_fmt", "yuv420p", "-ac", "2"]).args(codecs);
    let output = command.args(["-f", format]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The bodies of the video and audio packets, without codec configs and sequence ends.
fn bodies(file: &[u8]) -> Vec<(TagKind, Bytes)> {
    let mut demuxer = Demuxer::new();
    demuxer.push(file);
    let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap());
    let media = tags.filter(|tag| match tag.kind {
        TagKind::Script => false,
        TagKind::Video => parse_video(&tag.body).is_ok_and(|tag| {
            use onair::wire::container::flv::video::VideoPacket::Frame;
            matches!(tag.track.packet, Frame { .. })
        }),
        TagKind::Audio => parse_audio(&tag.body).is_ok_and(|tag| !tag.is_sequence_start()),
    });
    media.map(|tag| (tag.kind, tag.body)).collect()
}

/// What `ffmpeg -i` prints about the streams: Debian's ffprobe knows none of these codecs in FLV.
fn streams(ffmpeg: &Path, input: &str) -> String {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-t", "1", "-i", input, "-f", "null", "-"]);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{errors}");
    errors
}

fn probe(input: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(["--json", "probe", input])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_codec_is_sent_as_is_relayed_saved_and_probed() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, codecs, video, audio, rate) in CODECS {
        let file = folder.path().join(format!("{video}.flv"));
        film(&ffmpeg, codecs, &file);
        let path = file.to_str().unwrap();
        let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        let base = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
        let url = format!("{base}/live/film");
        let mut live = Onair::start(&["live", "--copy", path, "--loop", "--to", &url]);
        live.wait_event("live", |event| event["event"] == "target" && event["state"] == "live");
        server.wait_event("published", |event| event["event"] == "publish");

        // Our probe reads the stream. So does ffmpeg, which joins late and decodes it.
        let report = probe(&url);
        let streams_found = report["streams"].as_array().unwrap();
        assert_eq!(streams_found[0]["codec"], video, "{name}: {report}");
        assert_eq!(streams_found[0]["width"], 320, "{name}: {report}");
        assert_eq!(streams_found[0]["height"], 180, "{name}: {report}");
        assert!(streams_found[0]["profile"].is_string(), "{name}: {report}");
        assert_eq!(streams_found[1]["codec"], audio, "{name}: {report}");
        assert_eq!(streams_found[1]["sample_rate"], rate, "{name}: {report}");
        assert_eq!(streams_found[1]["channels"], 2, "{name}: {report}");
        // ffmpeg cannot declare that it takes Opus.
        let listing = streams(&ffmpeg, &format!("{url}?audio=opus"));
        assert!(listing.contains(&format!("Video: {video}")), "{name}: {listing}");
        assert!(listing.contains("320x180"), "{name}: {listing}");
        assert!(listing.contains(&format!("Audio: {audio}")), "{name}: {listing}");

        is_shown_or_named(name, &url);

        // The saved file has the same packets as the original, byte for byte.
        let saved = folder.path().join(format!("{video}-saved.flv"));
        let saved_path = saved.to_str().unwrap();
        let arguments = ["play", &url, "--headless", "--save", saved_path, "--duration", "3s"];
        let mut player = Onair::start(&arguments);
        player.peer.wait(LIMIT);
        let original: HashSet<_> = bodies(&std::fs::read(&file).unwrap()).into_iter().collect();
        let got = bodies(&std::fs::read(&saved).unwrap());
        assert!(got.len() > 60, "{name}: {} bodies saved, {}", got.len(), player.peer.output());
        assert!(got.iter().all(|body| original.contains(body)), "{name}");
        let first = got.iter().find(|(kind, _)| *kind == TagKind::Video).unwrap();
        assert!(parse_video(&first.1).unwrap().is_keyframe(), "{name}: begins with a keyframe");

        assert!(live.stop(LIMIT).success(), "{name}: {}", live.peer.output());
        assert!(server.stop(LIMIT).success());
    }
}

/// A checksum of each frame as ffmpeg decodes it, and of each audio packet, in order. FLV cannot
/// tell where audio begins within its first packet.
fn checksums(ffmpeg: &Path, file: &Path, track: &str) -> Vec<String> {
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-i"]).arg(file);
    command.args(["-map", track]);
    if track == "0:a" {
        command.args(["-c", "copy"]);
    }
    command.args(["-f", "framemd5", "-"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{track}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    // Stream, DTS, PTS, duration, size, checksum; side data may follow.
    lines.filter_map(|line| line.split(',').nth(5)).map(|it| it.trim().to_owned()).collect()
}

#[test]
fn mp4_and_mkv_files_of_every_codec_are_sent_as_is() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let base = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    for (format, container) in [("mp4", "mp4"), ("mkv", "matroska")] {
        for (name, codecs, video, audio, _) in CODECS {
            let what = format!("{name} in {format}");
            let file = folder.path().join(format!("{video}.{format}"));
            film_as(&ffmpeg, codecs, container, &file);
            let url = format!("{base}/live/{video}-{format}");
            // A player that is connected from the start gets every packet.
            let saved = folder.path().join(format!("{video}-{format}.flv"));
            let words = ["play", &url, "--headless", "--save", saved.to_str().unwrap()];
            let mut player = Onair::start(&words);
            server.wait_event("the viewer", |event| {
                event["event"] == "join" && event["stream"] == format!("{video}-{format}")
            });
            let words = ["live", "--copy", file.to_str().unwrap(), "--to", &url];
            let mut live = Onair::start(&words);
            assert_eq!(live.peer.wait(LIMIT).code(), Some(0), "{what}: {}", live.peer.errors());
            server.wait_event("its end", |event| {
                event["event"] == "unpublish" && event["stream"] == format!("{video}-{format}")
            });
            player.stop(LIMIT);
            let listing = streams(&ffmpeg, saved.to_str().unwrap());
            assert!(listing.contains(&format!("Video: {video}")), "{what}: {listing}");
            assert!(listing.contains(&format!("Audio: {audio}")), "{what}: {listing}");
            for track in ["0:v", "0:a"] {
                let sent = checksums(&ffmpeg, &file, track);
                let got = checksums(&ffmpeg, &saved, track);
                assert!(sent.len() > 50, "{what} {track}: {}", sent.len());
                // Audio may begin before the first frame, where saving begins.
                let before = if track == "0:a" { sent.len().saturating_sub(got.len()) } else { 0 };
                assert!(before <= 3, "{what}: {before} packets of sound are missing");
                assert_eq!(got, sent[before..], "{what} {track}");
            }
        }
    }
    assert!(server.stop(LIMIT).success());
}

/// With FFmpeg's libraries the stream plays; without them the player says what is missing.
fn is_shown_or_named(name: &str, url: &str) {
    let arguments = ["--json", "play", url, "--headless", "--mute", "--duration", "2s"];
    let output = Command::new(env!("CARGO_BIN_EXE_onair")).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let (video, audio) = name.split_once(" and ").unwrap();
    if cfg!(feature = "ffmpeg") {
        assert_eq!(output.status.code(), Some(0), "{name}: {last} {errors}");
        assert!(last["video"].as_str().unwrap().starts_with(video), "{name}: {last}");
        assert!(last["audio"].as_str().unwrap().starts_with(audio), "{name}: {last}");
        assert!(last["decoded"].as_u64().unwrap() > 5, "{name}: {last}");
        assert!(last["shown"].as_u64().unwrap() > 0, "{name}: {last}");
        assert_eq!((&last["width"], &last["damaged"]), (&320.into(), &0.into()), "{name}: {last}");
    } else {
        assert_eq!(output.status.code(), Some(5), "{name}: {last} {errors}");
        assert!(errors.contains(&format!("{video} video")), "{name}: {errors}");
        assert!(errors.contains("feature `ffmpeg`"), "{name}: {errors}");
    }
}

#[test]
fn ffmpeg_publishes_and_late_joiners_decode() {
    let Some(ffmpeg) = new_ffmpeg() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let base = server.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    for (name, codecs, video, audio, _) in CODECS {
        let file = folder.path().join(format!("{video}.flv"));
        film(&ffmpeg, codecs, &file);
        let url = format!("{base}/live/{video}");
        let mut command = Command::new(&ffmpeg);
        command.args(["-hide_banner", "-nostdin", "-re", "-stream_loop", "-1", "-i"]).arg(&file);
        command.args(["-c", "copy", "-f", "flv", &url]);
        let publisher = Peer::start_command(&mut command);
        server.wait_event("published", |event| {
            event["event"] == "publish" && event["stream"] == video
        });
        wait_for("pictures", LIMIT, || {
            probe(&url)["streams"].as_array().is_some_and(|it| it.len() == 2)
        });
        let listing = streams(&ffmpeg, &url);
        // ffmpeg does not declare that it takes Opus.
        let heard = if audio == "opus" { "aac" } else { audio };
        assert!(listing.contains(&format!("Video: {video}")), "{name}: {listing}");
        assert!(listing.contains(&format!("Audio: {heard}")), "{name}: {listing}");
        drop(publisher);
    }
    assert!(server.stop(LIMIT).success());
}

/// Two servers, the address of a stream on the first, and a file to publish. When the first server
/// drains, it names this application of the second one as its successor.
fn successor(folder: &Path, application: &str) -> ([Onair; 2], String, PathBuf) {
    let file = folder.join("film.flv");
    std::fs::write(&file, small_film()).unwrap();
    let serve = ["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0"];
    let mut second = Onair::start(&serve);
    let next = second.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let successor = format!("{next}/{application}");
    let mut first = Onair::start(&[&serve[..], &["--successor", &successor]].concat());
    let base = first.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    ([first, second], format!("{base}/live/film"), file)
}

#[test]
fn a_passthrough_file_follows_the_server_to_its_successor() {
    let folder = tempfile::tempdir().unwrap();
    let ([mut first, mut second], url, file) = successor(folder.path(), "live");
    let arguments = ["live", "--copy", file.to_str().unwrap(), "--loop", "--to", &url];
    let mut live = Onair::start(&arguments);
    first.wait_event("published", |event| event["event"] == "publish");
    live.wait_event("a live target", |event| event["state"] == "live");
    assert!(first.stop(LIMIT).success());
    let published = second.wait_event("published", |event| event["event"] == "publish");
    assert_eq!(published["stream"], "film");
    wait_for("the copy to be live again", LIMIT, || {
        live.events().iter().filter(|event| event["state"] == "live").count() == 2
    });
    assert!(live.stop(LIMIT).success(), "{}", live.peer.output());
    assert!(second.stop(Duration::from_secs(30)).success());
}

#[test]
fn a_viewer_follows_the_server_to_its_successor_with_the_stream() {
    let folder = tempfile::tempdir().unwrap();
    let ([mut first, mut second], url, file) = successor(folder.path(), "other");
    let words = ["live", "--copy", file.to_str().unwrap(), "--loop", "--to", &url];
    let mut live = Onair::start(&words);
    first.wait_event("published", |event| event["event"] == "publish");
    let saved = folder.path().join("saved.flv");
    let words = ["play", &url, "--headless", "--save", saved.to_str().unwrap()];
    let mut player = Onair::start(&words);
    first.wait_event("joined", |event| event["event"] == "join");
    assert!(first.stop(LIMIT).success());
    for what in ["publish", "join"] {
        let event = second.wait_event(what, |event| event["event"] == what);
        assert_eq!((&event["app"], &event["stream"]), (&"other".into(), &"film".into()));
    }
    let size = || std::fs::metadata(&saved).map_or(0, |it| it.len());
    let before = size();
    wait_for("more of the stream", LIMIT, || size() > before + 1_000);
    player.stop(LIMIT);
    assert!(live.stop(LIMIT).success());
    assert!(second.stop(LIMIT).success());
}

#[test]
fn clients_keep_their_applications_at_the_successor() {
    let folder = tempfile::tempdir().unwrap();
    let ([mut first, mut second], url, file) = successor(folder.path(), "{app}");
    let file = file.to_str().unwrap();
    let mut copies = [url.clone(), url.replace("/live/", "/other/")]
        .map(|url| Onair::start(&["live", "--copy", file, "--loop", "--to", &url]));
    for app in ["live", "other"] {
        first.wait_event(app, |event| event["event"] == "publish" && event["app"] == app);
    }
    assert!(first.stop(LIMIT).success());
    for app in ["live", "other"] {
        second.wait_event(app, |event| event["event"] == "publish" && event["app"] == app);
    }
    for copy in &mut copies {
        copy.stop(LIMIT);
    }
    assert!(second.stop(LIMIT).success());
}

/// A drained server keeps serving clients that cannot move. Other clients resume at the successor
/// within a second, and new clients are sent there.
#[test]
fn a_drained_server_hands_its_clients_over_within_a_second() {
    crate::peers::in_real_time!(a_drained_server_hands_its_clients_over_within_a_second);
    for by_signal in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let ([mut first, mut second], url, file) = successor(folder.path(), "live");
        let ready = first.wait_named("ready");
        let http = ready["http"].as_str().unwrap().trim_start_matches("http://").to_owned();
        let token = std::fs::read_to_string(ready["token_file"].as_str().unwrap()).unwrap();
        let words = ["live", "--copy", file.to_str().unwrap(), "--loop", "--to", &url];
        let mut live = Onair::start(&words);
        first.wait_event("published", |event| event["event"] == "publish");
        let saved = folder.path().join("saved.flv");
        let mut player =
            Onair::start(&["play", &url, "--headless", "--save", saved.to_str().unwrap()]);
        let size = || std::fs::metadata(&saved).map_or(0, |it| it.len());
        wait_for("media", LIMIT, || size() > 1_000);
        if by_signal {
            first.peer.signal("USR1");
        } else {
            let fields = format!("Authorization: Bearer {}\r\nContent-Length: 0\r\n", token.trim());
            let answer = web::ask_with(http.as_str(), "POST", "/api/v1/drain", &fields);
            assert!(answer.starts_with("HTTP/1.1 202") && answer.contains("/live\""), "{answer}");
        }
        let (mut longest, mut last, mut grown) = (Duration::ZERO, Instant::now(), size());
        // Both clients are at the successor, and the viewer gets more media from there.
        let mut before = None;
        wait_for("media from the successor", LIMIT, || {
            if size() > grown {
                longest = longest.max(last.elapsed());
                (last, grown) = (Instant::now(), size());
            }
            let events = second.events();
            let is_there = |what| events.iter().any(|event| event["event"] == what);
            if before.is_none() && is_there("publish") && is_there("join") {
                before = Some(grown);
            }
            before.is_some_and(|before| grown > before)
        });
        assert!(longest < Duration::from_secs(1), "by signal {by_signal}: {longest:?}");
        println!("by signal {by_signal}: the viewer got nothing for {longest:?}");
        // The server accepts no new clients, says so, and redirects them.
        let readiness = web::ask(http.as_str(), "GET", "/readyz");
        assert!(readiness.contains(" 503 ") && readiness.contains("draining"), "{readiness}");
        let mut late = Onair::start(&["play", &url, "--headless"]);
        wait_for("a late viewer at the successor", LIMIT, || {
            second.events().iter().filter(|event| event["event"] == "join").count() == 2
        });
        for program in [&mut late, &mut player, &mut live, &mut first, &mut second] {
            program.stop(LIMIT);
        }
    }
}

#[test]
fn a_server_without_a_successor_asks_its_clients_to_reconnect() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.flv");
    std::fs::write(&file, small_film()).unwrap();
    let mut first = Onair::start(&["serve", "--http", "127.0.0.1:0", "--rtmp", "127.0.0.1:0"]);
    let base = first.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{base}/live/film");
    let words = ["live", "--copy", file.to_str().unwrap(), "--loop", "--to", &url];
    let mut live = Onair::start(&[&words[..], &["--log", "info"]].concat());
    live.wait_event("a live target", |event| event["state"] == "live");
    assert!(first.stop(LIMIT).success());
    // The publisher was asked to reconnect, not merely cut off. No server is there yet.
    live.peer.wait_until("the request", LIMIT, |peer| {
        peer.errors().contains("the server asks to reconnect to another address")
    });
    live.wait_event("the next try", |event| event["state"] == "reconnecting");
    live.stop(LIMIT);
}

#[test]
fn a_stream_outlives_a_drained_server_without_a_successor() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.flv");
    std::fs::write(&file, small_film()).unwrap();
    let serve = |rtmp: &str| Onair::start(&["serve", "--http", "127.0.0.1:0", "--rtmp", rtmp]);
    let mut first = serve("127.0.0.1:0");
    let base = first.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{base}/live/film");
    let mut live =
        Onair::start(&["live", "--copy", file.to_str().unwrap(), "--loop", "--to", &url]);
    live.wait_event("a live target", |event| event["state"] == "live");
    first.peer.signal("USR1");
    live.wait_event("the refusal", |event| {
        event["state"] == "reconnecting" && event["code"] == "NetConnection.Connect.AppShutdown"
    });
    assert!(first.stop(LIMIT).success());
    let mut second = serve(base.trim_start_matches("rtmp://"));
    wait_for("the copy to be live again", LIMIT, || {
        live.events().iter().filter(|event| event["state"] == "live").count() == 2
    });
    assert!(live.stop(LIMIT).success(), "{}", live.peer.output());
    assert!(second.stop(LIMIT).success());
}

#[test]
fn what_cannot_be_sent_or_saved_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("film.mp4");
    std::fs::write(&file, b"\0\0\0\x18ftypisom").unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_onair")).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let path = file.to_str().unwrap();
    let (code, errors) = run(&["live", "--copy", path, "--to", "rtmp://127.0.0.1:9/live/film"]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.contains("onair cannot send"), "{errors}");
    let (code, errors) = run(&["live", "--copy", path]);
    assert_eq!(code, Some(2), "no target: {errors}");
    let saved = folder.path().join("saved.mp4");
    let save = ["play", "rtmp://127.0.0.1:9/live/film", "--headless", "--save"];
    let (code, errors) = run(&[&save[..], &[saved.to_str().unwrap()]].concat());
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains(".flv") && !saved.exists(), "{errors}");
}

/// Two seconds of packets that are labeled AV1 but hold no real video.
fn small_film() -> Vec<u8> {
    use onair::wire::container::flv::{file_header, write_tag};
    let mut out = bytes::BytesMut::from(&file_header(false, true)[..]);
    write_tag(TagKind::Video, 0, b"\x90av01\x81\0\0\0", &mut out);
    for at in 0..50_u32 {
        let mut body = vec![if at % 25 == 0 { 0x91 } else { 0xA1 }];
        body.extend(b"av01");
        // Large enough that a file writer does not buffer it for long.
        body.resize(1_000, at as u8);
        write_tag(TagKind::Video, at * 40, &body, &mut out);
    }
    out.to_vec()
}
