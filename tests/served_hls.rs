//! Tests of the built-in server's HLS output with ffmpeg, mpv, GStreamer and onair's player. The
//! tests also send HTTP requests directly, both valid and invalid.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::peers::{self, LIMIT, Peer, ffmpeg, others, wait_for};
use onair::base::Clock;
use onair::net::Runtime;
use onair::server::hls::Mode;
use onair::server::{Config, Event, Listen, Protocol, Server};
use onair::wire::hls::{Media, Playlist, parse, parse_update};

pub(crate) struct Running {
    pub(crate) server: Server,
    runtime: Runtime,
}

pub(crate) fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), ..Config::default() };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    pub(crate) fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    /// Starts a publisher, and waits for its stream.
    pub(crate) fn publish(&self, options: &[&str]) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        let publisher = ffmpeg::publish_with(&url, None, options);
        wait_for("the stream", LIMIT, || {
            self.server.streams().iter().any(|it| it.publisher.is_some())
        });
        publisher
    }

    /// The response to a GET: status, head and body.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    fn get_with(&self, path: &str, more: &str) -> Answer {
        let mut socket = TcpStream::connect(self.http()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let host = self.http();
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
            .unwrap();
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head, body: bytes.split_off(end + 4) }
    }

    fn list(&self) -> Media {
        self.get(LIST).list()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

const LIST: &str = "/live/show/hls/main.m3u8";

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn list(&self) -> Media {
        assert_eq!(self.status, 200, "{}", self.head);
        match parse(&self.body) {
            Ok(Playlist::Media(media)) => media,
            other => panic!("{other:?} of {}", String::from_utf8_lossy(&self.body)),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let name = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default()
    }
}

/// The bytes that a player needs to play one segment, as one file.
fn segment(running: &Running, media: &Media, index: usize) -> Vec<u8> {
    let segment = &media.segments[index];
    let get = |name: &str| {
        let answer = running.get(&format!("/live/show/hls/{name}"));
        assert_eq!((answer.status, answer.header("content-type")), (200, "video/mp4"));
        answer.body
    };
    [get(&segment.map.as_ref().unwrap().uri), get(&segment.uri)].concat()
}

#[test]
fn lists_wait_for_parts_and_files_never_change() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&[]);
    let master = running.get("/live/show.m3u8");
    assert_eq!(master.header("content-type"), "application/vnd.apple.mpegurl");
    let text = String::from_utf8(master.body).unwrap();
    assert!(text.contains("CODECS=\"avc1.") && text.contains("mp4a.40.2"), "{text}");
    assert!(text.ends_with("\nshow/hls/main.m3u8\n"), "{text}");
    let plain = running.get(LIST);
    assert!(plain.header("cache-control").ends_with("max-age=1"), "{}", plain.head);
    let mut media = plain.list();
    // Five parts, each requested before it exists, with delta updates of the playlist.
    for _ in 0..5 {
        let (number, part) = (media.end(), media.pending.len());
        let hint = media.hint.clone().unwrap().uri;
        let asked = format!("{LIST}?_HLS_msn={number}&_HLS_part={part}&_HLS_skip=YES");
        let (list, early) = std::thread::scope(|scope| {
            let early = scope.spawn(|| running.get(&format!("/live/show/hls/{hint}")));
            (running.get(&asked), early.join().unwrap())
        });
        assert_eq!(list.status, 200, "{}", list.head);
        assert!(list.header("cache-control").ends_with("max-age=12"), "{}", list.head);
        let Ok(Playlist::Media(next)) = parse_update(&list.body, &media) else { panic!() };
        let has = next.segment(number).is_some() || next.pending.len() > part;
        assert!(has, "{}", String::from_utf8_lossy(&list.body));
        assert_eq!(early.status, 200, "{hint}: {}", early.head);
        assert!(early.header("cache-control").contains("immutable"));
        let again = running.get(&format!("/live/show/hls/{hint}"));
        assert_eq!(again.body, early.body, "a part never changes");
        let known = format!("If-None-Match: {}\r\n", again.header("etag"));
        assert_eq!(running.get_with(&format!("/live/show/hls/{hint}"), &known).status, 304);
        media = next;
    }
    // A segment is the concatenation of its parts, and plays alone.
    let media = running.list();
    let last = media.segments.len() - 1;
    let parts: Vec<u8> = media.segments[last]
        .parts
        .iter()
        .flat_map(|part| running.get(&format!("/live/show/hls/{}", part.uri)).body)
        .collect();
    assert_eq!(running.get(&format!("/live/show/hls/{}", media.segments[last].uri)).body, parts);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("segment.mp4");
    std::fs::write(&file, segment(&running, &media, last)).unwrap();
    let complaints = ffmpeg::decode(&file);
    assert!(complaints.is_empty(), "{complaints}");
    // The same playlist at the stream's address, for requests with a media sequence number.
    let number = media.segments[last].uri.clone();
    let direct = running.get(&format!("/live/show.m3u8?_HLS_msn={}", media.end() - 1)).list();
    assert!(direct.segments.iter().any(|it| it.uri == format!("show/hls/{number}")));
    // Two clients with the same software at one address count as one viewer, with one join event.
    let ours = running.server.streams();
    assert_eq!((ours[0].viewers, ours[0].hls_viewers), (1, 1));
    let joined = std::iter::from_fn(|| running.server.events().try_recv().ok());
    let joined =
        joined.filter(|it| matches!(it, Event::Join(peer) if peer.protocol == Protocol::Hls));
    assert_eq!(joined.count(), 1);
}

#[test]
fn shared_caches_keep_no_stream_while_addresses_are_refused() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|config| {
        config.access.others.play.addresses.deny = vec!["192.0.2.0/24".parse().unwrap()];
    });
    let _publisher = running.publish(&[]);
    let media = running.list();
    let segment = format!("/live/show/hls/{}", media.segments[0].uri);
    let awaited = format!("{LIST}?_HLS_msn={}", media.end());
    for path in ["/live/show.m3u8", "/live/show.mpd", LIST, &awaited, &segment] {
        let answer = running.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.head);
        assert!(answer.header("cache-control").starts_with("private, "), "{path}: {}", answer.head);
    }
}

/// Requests a path over a connection that stays open, and returns the status.
fn ask(socket: &mut TcpStream, path: &str) -> std::io::Result<u16> {
    let host = socket.peer_addr()?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    socket.read_exact(&mut body)?;
    Ok(head.split(' ').nth(1).unwrap().parse().unwrap())
}

#[test]
fn viewers_keep_their_connections_between_requests_while_others_come() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    // Eight connections of an address may wait without a purpose.
    let running = start_with(|config| config.limits.connections = 64);
    let _publisher = running.publish(&[]);
    running.list();
    let open = || {
        let socket = TcpStream::connect(running.http()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket
    };
    let viewers = std::iter::repeat_with(open).take(20).map(|mut viewer| {
        assert_eq!(ask(&mut viewer, LIST).unwrap(), 200);
        viewer
    });
    let mut viewers: Vec<_> = viewers.collect();
    let mut newcomers: Vec<_> = (0..20).map(|_| open()).collect();
    let came = newcomers.iter_mut().filter_map(|it| ask(it, "/healthz").ok()).count();
    assert!(came > 0);
    for viewer in &mut viewers {
        assert_eq!(ask(viewer, LIST).expect("an open connection"), 200);
    }
}

#[test]
fn nonsense_is_answered_in_time() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    assert_eq!(running.get("/live/none.m3u8").status, 404);
    assert_eq!(running.get("/live/none/hls/main.m3u8?_HLS_msn=1").status, 404);
    let mut publisher = running.publish(&[]);
    let media = running.list();
    let next = media.end();
    let hint = media.hint.unwrap().uri;
    let tag = hint.split('-').next().unwrap();
    let asked = Instant::now();
    for (path, status) in [
        (format!("{LIST}?_HLS_msn={}", next + 50), 400),
        (format!("{LIST}?_HLS_msn={}", u64::MAX), 400),
        (format!("{LIST}?_HLS_msn={next}&_HLS_part=5000"), 400),
        (format!("{LIST}?_HLS_msn=99999999999999999999999"), 400),
        (format!("{LIST}?_HLS_part=0"), 400),
        (format!("{LIST}?_HLS_msn=0&_HLS_part=0"), 200),
        (format!("/live/show/hls/{tag}-{next}.5000.m4s"), 404),
        (format!("/live/show/hls/{tag}-{}.m4s", next + 9), 404),
        (format!("/live/show/hls/{tag}-{}.mp4", u64::MAX), 404),
        ("/live/show/hls/..%2f..%2fmain.m3u8".to_owned(), 404),
        ("/live/show/hls/x.m4s".to_owned(), 404),
    ] {
        assert_eq!(running.get(&path).status, status, "{path}");
    }
    assert!(asked.elapsed() < Duration::from_secs(5), "nobody waited: {:?}", asked.elapsed());
    // When the publisher leaves, waiting requests are answered, because nobody knows whether it
    // returns.
    publisher.kill();
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let next = running.list().end();
    let path = format!("{LIST}?_HLS_msn={next}&_HLS_part=0");
    let waiting: Vec<u16> = std::thread::scope(|scope| {
        let ask = || scope.spawn(|| running.get(&path).status);
        let all: Vec<_> = (0..50).map(|_| ask()).collect();
        all.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert!(waiting.iter().all(|status| *status == 503), "{waiting:?}");
}

#[test]
fn a_publisher_that_reconnects_goes_on_behind_a_discontinuity() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let mut first = running.publish(&[]);
    let before = running.list();
    first.kill();
    wait_for("its end", LIMIT, || running.server.streams().iter().all(|it| it.publisher.is_none()));
    let _second = running.publish(&["-vf", "scale=480:270"]);
    let mut after = before.clone();
    wait_for("its segments", LIMIT, || {
        after = running.list();
        after.segments.iter().any(|it| it.discontinuity)
    });
    assert!(after.end() > before.end());
    let index = after.segments.iter().position(|it| it.discontinuity).unwrap();
    let maps: Vec<_> = after.segments.iter().map(|it| it.map.clone().unwrap()).collect();
    assert_ne!(maps[index], maps[index - 1]);
    let folder = tempfile::tempdir().unwrap();
    for (at, width) in [(index - 1, None), (index, Some(480))] {
        let file = folder.path().join(format!("{at}.mp4"));
        std::fs::write(&file, segment(&running, &after, at)).unwrap();
        let complaints = ffmpeg::decode(&file);
        assert!(complaints.is_empty(), "{complaints}");
        if let Some(width) = width {
            assert_eq!(ffmpeg::probe(&file).stream("video")["width"], width);
        }
    }
}

/// Otherwise, a cache would send the old playlist to viewers after the stream has begun again.
#[test]
fn caches_keep_the_playlist_of_an_ended_stream_for_a_second() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let mut publisher = running.publish(&[]);
    let number = running.list().end();
    publisher.kill();
    wait_for("the end of the playlist", LIMIT, || running.list().ended);
    let awaited = format!("{LIST}?_HLS_msn={number}");
    for (path, age) in [(LIST, 1), ("/live/show.m3u8", 1), ("/live/show.mpd", 1), (&*awaited, 12)] {
        let answer = running.get(path);
        assert_eq!(answer.header("cache-control"), format!("public, max-age={age}"), "{path}");
    }
}

#[test]
fn players_we_did_not_write_play_it() {
    let running = start_with(|config| config.hls.mode = Mode::Always);
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let _publisher = running.publish(&[]);
    let url = format!("http://{}/live/show.m3u8", running.http());
    let words = ["-nostdin", "-v", "error", "-xerror", "-i", &url, "-t", "5", "-f", "null", "-"];
    let mut player = Peer::start("ffmpeg", words);
    player.wait_success(LIMIT);
    assert_eq!(player.errors(), "", "ffmpeg complains");
    if !peers::missing(&["mpv"]) {
        let mut mpv = others::mpv_play(&url, 3);
        mpv.wait_success(LIMIT);
    }
}

#[test]
fn our_own_player_plays_it() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&[]);
    let url = format!("http://{}/live/show.m3u8", running.http());
    let mut player = peers::onair::Onair::start(&["play", &url, "--headless", "--duration", "5s"]);
    let stats = player.wait_event("pictures", |event| {
        event["event"] == "play_stats" && event["shown"].as_u64() > Some(60)
    });
    assert!(stats["audio_samples"].as_u64() > Some(48_000), "{stats}");
    assert_eq!(player.stop(LIMIT).code(), Some(0));
}
