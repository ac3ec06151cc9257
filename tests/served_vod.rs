//! Tests of recordings that the built-in server makes and serves. Viewers who may play the stream
//! can play its recordings over HLS, DASH, RTMP and range requests. The players are ffmpeg, mpv and
//! rtmpdump; the tests also send requests directly.

mod tracks;
mod viewers;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, others, wait_for};
use onair::base::{Clock, Secret};
use onair::net::Runtime;
use onair::server::recordings::rules::{FileRules, RecordingRules, Retention, StreamRule};
use onair::server::{Config, Event, Listen, RecordingState, Server};
use onair::wire::container::Format;
use onair::wire::container::flv::{TagKind, parse_video};
use onair::wire::hls::{Media, Playlist, parse};
use onair::wire::rtmp::client::Event as ClientEvent;

/// The name of a recording, in a URL and on disk.
const NAME: &str = "live-show%202026-11-25%2018-00-00";
const STEM: &str = "live-show 2026-11-25 18-00-00";

struct Running {
    server: Server,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

fn start(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config {
        rtmp: any,
        http: Some(any),
        record: Some(folder.path().to_owned()),
        ..Config::default()
    };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime, folder }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.head);
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn list(&self) -> Media {
        let text = self.text();
        match parse(text.as_bytes()) {
            Ok(Playlist::Media(media)) => media,
            other => panic!("{other:?} of {text}"),
        }
    }

    fn header(&self, name: &str) -> &str {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        let found = fields.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).unwrap_or_default()
    }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.http())
    }

    fn rtmp(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.server.addresses().rtmp)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, more: &str) -> Answer {
        let mut socket = TcpStream::connect(self.http()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let host = self.http();
        write!(
            socket,
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
        )
        .unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes.split_off(end + 4) }
    }

    /// A recording of 12 s with a keyframe every 2 s.
    fn record(&self, extension: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{STEM}.{extension}"));
        ffmpeg::make(&path, "320x180", "12", &["-g", "50", "-bf", "2"]);
        path
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

/// The PTS of the frames that ffprobe finds.
fn frames(input: &str) -> Vec<f64> {
    let words = ["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time"];
    let mut peer = Peer::start("ffprobe", words.into_iter().chain(["-of", "csv=p=0", input]));
    peer.wait_success(LIMIT);
    assert_eq!(peer.errors(), "", "{input}");
    let output = peer.output();
    let mut times: Vec<f64> =
        output.lines().map(|line| line.trim_matches(',').parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

/// Asserts that the distances between frames are the same in two inputs.
fn check_frames(played: &[f64], file: &[f64]) {
    assert_eq!(played.len(), file.len());
    for (played, file) in played.windows(2).zip(file.windows(2)) {
        assert!(((played[1] - played[0]) - (file[1] - file[0])).abs() < 0.002);
    }
}

#[test]
fn a_recording_is_played_by_hls_dash_and_ranges() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    for extension in ["mp4", "flv"] {
        let running = start(|_| ());
        let file = running.record(extension);
        let all = frames(file.to_str().unwrap());
        let master = running.get(&format!("/vod/{NAME}.m3u8")).text();
        assert!(master.contains("CODECS=\"avc1.") && master.contains("RESOLUTION=320x180"));
        assert!(master.ends_with(&format!("\n{NAME}/hls/main.m3u8\n")), "{master}");
        let answer = running.get(&format!("/vod/{NAME}/hls/main.m3u8"));
        assert!(answer.text().contains("#EXT-X-PLAYLIST-TYPE:VOD\n"));
        let media = answer.list();
        let lengths: Vec<_> =
            media.segments.iter().map(|it| it.duration.as_secs_f64().round()).collect();
        assert_eq!((media.ended, lengths), (true, vec![4.0, 4.0, 4.0]));
        // A segment never changes, and it can be requested in byte ranges.
        let path = format!("/vod/{NAME}/hls/{}", media.segments[1].uri);
        let whole = running.get(&path);
        assert_eq!(whole.header("content-type"), "video/mp4");
        assert!(whole.header("cache-control").contains("immutable"));
        let part = running.ask("GET", &path, "Range: bytes=100-199\r\n");
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[100..200]));
        let known = format!("If-None-Match: {}\r\n", whole.header("etag"));
        assert_eq!(running.ask("GET", &path, &known).status, 304);
        assert_eq!(running.ask("GET", &path, "Range: bytes=99999999-\r\n").status, 416);
        assert_eq!(running.get(&format!("/vod/{NAME}/hls/3.m4s")).status, 404);
        let whole = running.ask("GET", &format!("/vod/{NAME}.{extension}"), "Range: bytes=0-9\r\n");
        assert_eq!((whole.status, whole.body.len()), (206, 10));
        // Players find every frame, without a warning.
        for path in [format!("/vod/{NAME}.m3u8"), format!("/vod/{NAME}.mpd")] {
            let url = running.url(&path);
            check_frames(&frames(&url), &all);
            assert_eq!(ffmpeg::decode(&url), "", "{extension} {path}");
        }
        // Players can start in the middle.
        let url = running.url(&format!("/vod/{NAME}.m3u8"));
        let words = ["-v", "error", "-xerror", "-ss", "5.5", "-i", &url, "-f", "null", "-"];
        let mut player = Peer::start("ffmpeg", words);
        player.wait_success(LIMIT);
        assert_eq!(player.errors(), "");
        if !peers::missing(&["mpv"]) {
            others::mpv_play(&url, 2).wait_success(LIMIT);
        }
        // `onair probe` reads the playlist too.
        let probe = Onair::start(&["probe", &url]).peer.wait(LIMIT);
        assert!(probe.success());
    }
}

#[test]
fn recordings_are_for_those_who_may_play_the_stream() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let token = "0123456789abcdef";
    let running = start(|config| {
        let mut rules = onair::server::access::AppRules::default();
        rules.play.keys = vec![Secret::new("pl4y")];
        config.access.apps.insert("live".to_owned(), rules);
        config.http_token = Some(Secret::new(token));
    });
    running.record("mp4");
    for path in [".m3u8", ".mpd", ".mp4", "/hls/main.m3u8", "/hls/0.m4s", "/hls/init.mp4"] {
        assert_eq!(running.get(&format!("/vod/{NAME}{path}")).status, 401, "{path}");
        let wrong = running.get(&format!("/vod/{NAME}{path}?key=wrong"));
        assert!(matches!(wrong.status, 401 | 429), "{path}");
        // Viewers without a key do not learn which recordings exist.
        let other = NAME.replace("18-00-00", "18-00-01");
        assert_eq!(running.get(&format!("/vod/{other}{path}")).status, 401, "{path}");
    }
    let url = running.url(&format!("/vod/{NAME}.m3u8?key=pl4y"));
    wait_for("an end of the wait after wrong keys", LIMIT, || {
        running.get(&format!("/vod/{NAME}.m3u8?key=pl4y")).status == 200
    });
    let master = running.get(&format!("/vod/{NAME}.m3u8?key=pl4y"));
    assert!(
        master.text().contains("main.m3u8?pass=") && master.header("cache-control") == "no-store"
    );
    // Caches identify files by address, and a header is not part of it: the response is private.
    let shown = "Authorization: Bearer pl4y\r\n";
    let segment = running.ask("GET", &format!("/vod/{NAME}/hls/0.m4s"), shown);
    assert_eq!(segment.status, 200);
    assert!(segment.header("cache-control").starts_with("private,"), "{:?}", segment.head);
    assert_eq!(frames(&url).len(), 300);
    let dash = running.url(&format!("/vod/{NAME}.mpd?key=pl4y"));
    assert_eq!(ffmpeg::decode(&dash), "");
    // The operator's list has a link that opens the recording for a limited time.
    let list: serde_json::Value =
        serde_json::from_slice(&running.get("/api/v1/recordings").body).unwrap();
    let link = list["recordings"][0]["vod"].as_str().unwrap();
    assert_eq!(frames(&running.url(link)).len(), 300);
    assert_eq!(running.get(&link.replace("signature=", "signature=0")).status, 401);
    // RTMP requires the same key.
    let mut refused =
        Peer::start("ffprobe", ["-v", "error", &running.rtmp(&format!("vod/{NAME}"))]);
    assert!(!refused.wait(LIMIT).success());
    let client = Client::play(&running.rtmp(&format!("vod/{NAME}?key=pl4y")));
    drop(client);
    // Only the operator can delete.
    let path = format!("/api/v1/recordings/{NAME}.mp4");
    assert_eq!(running.ask("DELETE", &path, "").status, 401);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    assert_eq!(running.ask("DELETE", &path, &bearer).status, 204);
    assert_eq!(running.ask("DELETE", &path, &bearer).status, 404);
    assert_eq!(running.get(&format!("/vod/{NAME}.m3u8?key=pl4y")).status, 404);
    assert_eq!(fs::read_dir(running.folder.path()).unwrap().count(), 0);
}

#[test]
fn shared_caches_keep_no_recording_while_addresses_are_refused() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start(|config| {
        config.access.others.play.addresses.deny = vec!["192.0.2.0/24".parse().unwrap()];
    });
    running.record("mp4");
    for path in [".m3u8", ".mpd", ".mp4", "/hls/main.m3u8", "/hls/0.m4s", "/hls/init.mp4"] {
        let answer = running.get(&format!("/vod/{NAME}{path}"));
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        assert!(answer.header("cache-control").starts_with("private, "), "{path}: {}", answer.head);
    }
}

#[test]
fn nothing_beside_recordings_is_reached() {
    let running = start(|_| ());
    let outside = tempfile::NamedTempFile::new().unwrap();
    fs::write(running.folder.path().join("live-show.mp4"), "no recording").unwrap();
    fs::write(running.folder.path().join(format!("{STEM}.mp4")), "no media").unwrap();
    std::os::unix::fs::symlink(
        outside.path(),
        running.folder.path().join("live-link 2026-11-25 18-00-00.mp4"),
    )
    .unwrap();
    for path in [
        "live-show.mp4",
        "live-show.m3u8",
        "live-link%202026-11-25%2018-00-00.m3u8",
        "live-link%202026-11-25%2018-00-00.mp4",
        "..%2Flive-show%202026-11-25%2018-00-00.m3u8",
        "x/../live-show%202026-11-25%2018-00-00.m3u8",
        &format!("{NAME}.m3u8"),
        &format!("{NAME}.mpd"),
        &format!("{NAME}.flv"),
        &format!("{NAME}/hls/18446744073709551616.m4s"),
        &format!("{NAME}/hls/..%2f0.m4s"),
    ] {
        let status = running.get(&format!("/vod/{path}")).status;
        assert!(matches!(status, 404), "{path}: {status}");
    }
    assert_eq!(running.ask("POST", &format!("/vod/{NAME}.m3u8"), "").status, 405);
    let unknown = running.get("/live/show/hls/event.m3u8");
    let text = String::from_utf8_lossy(&unknown.body);
    assert!(unknown.status == 404 && text.contains("/vod/NAME.m3u8"), "{text}");
    // Without playback, only the operator can get the file.
    let off = start(|config| config.media.recording.playback = false);
    if !peers::missing(&["ffmpeg"]) {
        off.record("mp4");
        assert_eq!(off.get(&format!("/vod/{NAME}.m3u8")).status, 404);
        assert_eq!(off.get(&format!("/recordings/{NAME}.mp4")).status, 200);
    }
}

/// The recording events so far.
fn recorded(running: &Running, events: &mut Vec<(RecordingState, PathBuf)>) {
    while let Ok(event) = running.server.events().try_recv() {
        if let Event::Recording(recording) = event {
            events.push((recording.state, recording.path));
        }
    }
}

/// A stream with a long name.
const LONG_STREAM: &str = concat!(
    "live/",
    "0123456789012345678901234567890123456789012345678",
    "0123456789012345678901234567890123456789012345678",
);

/// Parts begin with a keyframe, and together they have every frame. Meanwhile, the broadcast's
/// playlist grows.
#[test]
fn a_broadcast_is_split_without_a_lost_frame_and_listed_from_its_start() {
    peers::in_real_time!(a_broadcast_is_split_without_a_lost_frame_and_listed_from_its_start);
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    for format in [Format::Mp4, Format::Flv] {
        let running = start(|config| {
            let split_time = Some(Duration::from_secs(6));
            config.media.recording.others = FileRules { format, split_time, split_bytes: None };
            let secret = StreamRule { streams: "live/secret".to_owned(), file: None };
            config.media.recording.streams = vec![secret];
        });
        let _secret = ffmpeg::publish(&running.rtmp("live/secret"), Some(12));
        let mut publisher = ffmpeg::publish(&running.rtmp(LONG_STREAM), Some(14));
        let list = || running.get(&format!("/{LONG_STREAM}/hls/event.m3u8"));
        wait_for("the first segment", LIMIT, || list().status == 200);
        let early = list();
        assert!(early.text().contains("#EXT-X-PLAYLIST-TYPE:EVENT\n"), "{}", early.text());
        assert!(!early.list().ended);
        publisher.wait_success(LIMIT);
        let mut events = Vec::new();
        wait_for("the end of the recording", LIMIT, || {
            recorded(&running, &mut events);
            running.server.files_under_way() == 0
        });
        recorded(&running, &mut events);
        let finished: Vec<_> =
            events.iter().filter(|it| it.0 == RecordingState::Finished).map(|it| &it.1).collect();
        assert_eq!(finished.len(), 3, "{format}: {events:?}");
        let (mut pictures, mut sounds) = (0, 0);
        for path in &finished {
            let probe = ffmpeg::probe(path);
            assert_eq!((probe.warnings.as_str(), ffmpeg::decode(path).as_str()), ("", ""));
            let packets = probe.packets("video");
            assert!(packets[0].keyframe && packets[0].pts.abs() < 0.2, "{}", packets[0].pts);
            pictures += packets.len();
            sounds += probe.packets("audio").len();
        }
        // 14 s at 30 frames per second, and at 48,000 samples per second.
        assert_eq!(pictures, 14 * 30, "{format}");
        assert!((654..=660).contains(&sounds), "{format}: {sounds}");
        let whole = list();
        assert!(whole.list().ended && whole.text().contains("#EXT-X-PLAYLIST-TYPE:VOD\n"));
        // The first entries stay in the playlist, and the files follow each other.
        let uris = |list: &Answer| -> Vec<_> {
            list.list().segments.iter().map(|it| it.uri.clone()).collect()
        };
        assert!(uris(&whole).starts_with(&uris(&early)));
        let broken = whole.list().segments.iter().filter(|it| it.discontinuity).count();
        assert_eq!(broken, 2, "{}", whole.text());
        let url = running.url(&format!("/{LONG_STREAM}/hls/event.m3u8"));
        let mut player = Peer::start("ffmpeg", ["-v", "error", "-i", &url, "-f", "null", "-"]);
        player.wait_success(LIMIT);
        assert_eq!(fs::read_dir(running.folder.path()).unwrap().count(), 3);
        check_deletions(&running, &finished, &whole);
    }
}

/// Checks a broadcast's playlist while its files are deleted, the oldest first, until none are
/// left.
fn check_deletions(running: &Running, files: &[&PathBuf], whole: &Answer) {
    let list = || running.get(&format!("/{LONG_STREAM}/hls/event.m3u8"));
    let before = whole.list();
    fs::remove_file(files[0]).unwrap();
    // Files are checked at most once per second.
    wait_for("a list without the file", LIMIT, || list().list().sequence > 0);
    let text = list().text();
    let later = list().list();
    let skipped = before.segments.iter().skip(1).position(|it| it.discontinuity).unwrap() + 1;
    assert_eq!((later.sequence, later.ended), (skipped as u64, true), "{text}");
    let uris = |media: &Media, skipped: usize| -> Vec<_> {
        media.segments.iter().skip(skipped).map(|it| it.uri.clone()).collect()
    };
    assert_eq!(uris(&later, 0), uris(&before, skipped));
    assert!(text.contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n"), "{text}");
    assert!(!text.contains("#EXT-X-PLAYLIST-TYPE"), "it does not keep everything: {text}");
    let url = running.url(&format!("/{LONG_STREAM}/hls/event.m3u8"));
    let mut player = Peer::start("ffmpeg", ["-v", "error", "-i", &url, "-f", "null", "-"]);
    player.wait_success(LIMIT);
    for file in &files[1..] {
        fs::remove_file(file).unwrap();
    }
    wait_for("no list", LIMIT, || list().status == 404);
    let none = list();
    assert_eq!(
        (none.status, none.body),
        (404, b"The recording of this broadcast was deleted.\n".to_vec())
    );
}

/// A crash in the middle of an MP4 costs at most the last fragment.
#[test]
fn a_killed_server_leaves_a_file_that_plays() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let mut serve = Onair::start(&[
        "serve",
        "--rtmp",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
        "--webrtc",
        "none",
        "--record",
        into,
        "--record-format",
        "mp4",
    ]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let _publisher = ffmpeg::publish(&format!("{rtmp}/live/show"), None);
    let file: PathBuf = serve.wait_named("recording")["path"].as_str().unwrap().into();
    wait_for("some of it", LIMIT, || fs::metadata(&file).unwrap().len() > 400_000);
    serve.peer.kill();
    let packets = ffmpeg::probe(&file).packets("video");
    let span = packets.last().unwrap().pts - packets[0].pts;
    assert!(span > 2.0 && packets.len() as f64 > span * 29.0, "{} in {span} s", packets.len());
    assert_eq!(ffmpeg::decode(&file), "");
}

#[test]
fn old_recordings_are_deleted_and_nothing_else() {
    let keep = |folder: &Path, name: &str, age: u64| {
        let path = folder.join(name);
        fs::write(&path, vec![0; 1_000]).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    };
    let folder = tempfile::tempdir().unwrap();
    let names = ["live-a 2026-11-23 18-00-00.flv", "live-a 2026-11-24 18-00-00.flv"];
    let others = ["live-b 2026-11-25 18-00-00.mp4", "holiday.mp4", "notes.txt"];
    keep(folder.path(), names[0], 90_000);
    keep(folder.path(), names[1], 5_000);
    keep(folder.path(), others[0], 4_000);
    keep(folder.path(), others[1], 900_000);
    keep(folder.path(), others[2], 900_000);
    let running = start(|config| {
        config.record = Some(folder.path().to_owned());
        let time = Some(Duration::from_secs(86_400));
        config.media.recording = RecordingRules {
            keep: Retention { time, bytes: Some(1_500) },
            ..RecordingRules::default()
        };
    });
    let mut events = Vec::new();
    wait_for("the deletion", LIMIT, || {
        recorded(&running, &mut events);
        events.len() == 2
    });
    let gone = names.map(|name| (RecordingState::Deleted, folder.path().join(name)));
    assert_eq!(events, gone);
    let left = fs::read_dir(folder.path()).unwrap().map(|it| it.unwrap().file_name());
    let mut left: Vec<_> = left.map(|it| it.into_string().unwrap()).collect();
    left.sort();
    let mut others = others.map(str::to_owned);
    others.sort();
    assert_eq!(left, others);
}

/// The time of the next frame, and whether it is a keyframe.
fn next_frame(client: &mut Client) -> (u32, bool) {
    loop {
        let (kind, time_ms, body) = client.media();
        let tag = (kind == TagKind::Video).then(|| parse_video(&body).unwrap());
        if let Some(tag) = tag.filter(|tag| !tag.is_sequence_start()) {
            let key = tag.frame_type == onair::wire::container::flv::FrameType::Key;
            return (time_ms, key);
        }
    }
}

#[test]
fn a_recording_is_played_over_rtmp_with_pauses_and_seeking() {
    if peers::missing(&["ffmpeg", "ffprobe"]) {
        return;
    }
    let running = start(|_| ());
    running.record("mp4");
    let url = running.rtmp(&format!("vod/{NAME}"));
    let mut client = Client::play(&url);
    assert_eq!(next_frame(&mut client), (0, true));
    // A seek goes to the keyframe before the position, and times are those of the recording.
    client.session.seek(Duration::from_millis(7_300));
    let mut found = (0, false);
    wait_for("the frame after a seek", LIMIT, || {
        found = next_frame(&mut client);
        found.0 == 6_000
    });
    assert!(found.1, "a keyframe");
    // During a pause nothing arrives, except packets already in transit.
    client.session.pause(true, Duration::from_secs(6));
    client.wait("the pause", |event| {
        matches!(event, ClientEvent::Status(status) if status.code.ends_with("Pause.Notify"))
    });
    client.session.pause(false, Duration::from_secs(6));
    let went_on = next_frame(&mut client);
    assert!(went_on.0 > 6_000 && went_on.0 < 12_100, "{went_on:?}");
    client.session.seek(Duration::from_secs(11));
    let complete = |event: &ClientEvent| {
        matches!(event, ClientEvent::Status(status) if status.code == "NetStream.Play.Stop")
            || *event == ClientEvent::Unpublished
    };
    client.wait("the end", complete);
    drop(client);
    // Third-party players receive the whole recording, in about its duration.
    let began = Instant::now();
    let copy = running.folder.path().join("copy.flv");
    let target = copy.to_str().unwrap();
    let mut player = Peer::start("ffmpeg", ["-v", "error", "-i", &url, "-c", "copy", target]);
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "");
    assert_eq!(frames(target).len(), 300);
    assert!(began.elapsed() > Duration::from_secs(6), "it is paced: {:?}", began.elapsed());
    if !peers::missing(&["rtmpdump"]) {
        let dump = running.folder.path().join("dump.flv");
        let mut rtmpdump = others::rtmpdump(&running.rtmp(&format!("vod/mp4:{NAME}.mp4")), &dump);
        rtmpdump.wait(LIMIT);
        assert_eq!(frames(dump.to_str().unwrap()).len(), 300);
    }
    let missing = running.rtmp("vod/live-none%202026-11-25%2018-00-00");
    let mut none = Peer::start("ffprobe", ["-v", "error", &missing]);
    assert!(!none.wait(LIMIT).success());
    // Our own player plays it to the end.
    let mut player = Onair::start(&["play", &url, "--headless"]);
    assert_eq!(player.peer.wait(LIMIT).code(), Some(0), "{}", player.peer.errors());
}
