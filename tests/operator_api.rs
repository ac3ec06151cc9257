//! Tests of the operator API of the built-in server. The answers must match the API description,
//! only clients with permission may read them, and the API must disconnect the publishers and
//! viewers that the operator names.

mod media;
mod schema;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peers::client::Client;
use crate::peers::{self, LIMIT, ffmpeg, wait_for};
use onair::base::{Clock, Secret};
use onair::net::Runtime;
use onair::server::{Config, Limits, Listen, Server};
use onair::wire::chat::ChatLine;
use onair::wire::container::flv::TagKind;
use schema::Description;

const TOKEN: &str = "0123456789abcdef";

/// A complete HTTP response.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn new(head: &[u8], body: &[u8]) -> Self {
        let head = String::from_utf8(head.to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
        Self { status, head, body: body.to_vec() }
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{error}: {} {}", self.head, String::from_utf8_lossy(&self.body))
        })
    }

    /// The value of a header field.
    fn field(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The server's response to a request with these header fields.
fn exchange(address: SocketAddr, request: &str, fields: &str) -> Answer {
    exchange_with(address, request, fields, "")
}

fn exchange_with(address: SocketAddr, request: &str, fields: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let length = format!("Content-Length: {}\r\n", body.len());
    let length = if body.is_empty() { "" } else { length.as_str() };
    let head = format!("{request} HTTP/1.1\r\nConnection: close\r\n{fields}{length}\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    Answer::new(&bytes[..end], &bytes[end + 4..])
}

struct Running {
    server: Server,
    runtime: Runtime,
    folder: tempfile::TempDir,
}

fn start() -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    // A slow machine can be silent for long.
    let limits = Limits { silent_publisher: Duration::from_mins(5), ..Limits::default() };
    let config = Config {
        rtmp: any,
        http: Some(any),
        webrtc: Some(any),
        http_token: Some(Secret::new(TOKEN)),
        record: Some(folder.path().to_owned()),
        cors: vec!["https://page.example".to_owned()],
        limits,
        ..Config::default()
    };
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime, folder }
}

impl Running {
    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.server.addresses().rtmp)
    }

    fn get(&self, path: &str) -> Answer {
        exchange(self.http(), &format!("GET {path}"), "Host: localhost\r\n")
    }

    /// Sends a DELETE request with the token.
    fn remove(&self, path: &str) -> Answer {
        let fields = format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n");
        exchange(self.http(), &format!("DELETE {path}"), &fields)
    }

    /// The viewers that the API lists.
    fn viewers(&self) -> Vec<Value> {
        self.get("/api/v1/viewers").json()["viewers"].as_array().unwrap().clone()
    }

    /// The viewer with this protocol, once it is listed.
    fn viewer_by(&self, protocol: &str) -> Value {
        let mut found = None;
        wait_for("the viewer", LIMIT, || {
            found = self.viewers().into_iter().find(|viewer| viewer["protocol"] == protocol);
            found.is_some()
        });
        found.unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

/// Publishes a codec config and one audio packet.
fn publish(running: &Running, path: &str) -> Client {
    let mut publisher = Client::publish(&running.url(path));
    publisher.send(&(TagKind::Audio, 0, vec![0xAF, 0, 0x11, 0x90].into()));
    publisher.send(&(TagKind::Audio, 20, vec![0xAF, 1, 9, 9].into()));
    publisher
}

/// Sends a request whose response has no end.
fn open(running: &Running, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(running.http()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

#[test]
fn answers_are_as_the_description_says() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start();
    let description = Description::new(running.get("/api/v1/openapi.json").json());
    let _publisher = ffmpeg::publish(&running.url("live/show"), None);
    wait_for("the publisher", LIMIT, || running.get("/api/v1/streams/live/show").status == 200);
    let _viewer = open(&running, "/live/show.flv");
    let _waiting = Client::play(&running.url("live/none"));
    wait_for("a complete step, and a recording with a length", LIMIT, || {
        let stream = running.get("/api/v1/streams/live/show").json();
        let recordings = running.get("/api/v1/recordings").json();
        stream["publisher"]["history"]["bitrates"][0].as_u64() > Some(0)
            && recordings["recordings"][0]["seconds"].as_f64() > Some(0.0)
            && running.viewers().len() == 2
    });
    let viewer = running.viewer_by("http-flv")["id"].to_string();
    let recordings = running.get("/api/v1/recordings").json();
    let file = recordings["recordings"][0]["url"].as_str().unwrap().to_owned();
    let file = file.strip_prefix("/recordings/").unwrap().to_owned();
    let local = "Host: localhost\r\n";
    let token = format!("{local}Authorization: Bearer {TOKEN}\r\n");
    // The path with values that exist, and with values that do not.
    let there = |path: &str| {
        let path = path.replace("{app}/{stream}", "live/show").replace("{file}", &file);
        path.replace("{id}", &viewer)
    };
    let nowhere = |path: &str| {
        let path = path.replace("{app}/{stream}", "live/nobody").replace("{file}", "no.flv");
        path.replace("{id}", "999999999").replace("{session}", "none").replace("{token}", "none")
    };
    let (mut asked, mut of_media, mut open_to_all) = (0, 0, 0);
    for (method, template) in description.operations() {
        let ask = |path: &str, fields: &str| {
            let body = if method == "PATCH" { "{}" } else { "" };
            let request = format!("{method} {path}");
            let answer = exchange_with(running.http(), &request, fields, body);
            description.check(&method, &template, &answer);
            answer.status
        };
        assert_eq!(ask(&nowhere(&template), "Host: other.example\r\n"), 421, "{template}");
        // Here, nothing plays (see `media`).
        if ["/{app}", "/watch/", "/vod/", "/.well-known/"].iter().any(|it| template.starts_with(it))
        {
            ask(&nowhere(&template), local);
            of_media += 1;
            continue;
        }
        if ["/", "/healthz", "/readyz", "/metrics"].contains(&template.as_str()) {
            for host in ["Host: 192.0.2.9\r\n", local] {
                let status = ask(&template, host);
                // The server may have been asked to drain.
                let is_fine = status == 200 || status == 503 && template == "/readyz";
                assert!(is_fine, "{template}: {status}");
            }
            open_to_all += 1;
            continue;
        }
        // Chat contains words of viewers, which other users of this computer need not read.
        let is_chat = template.contains("/chats/");
        let is_change = method != "GET" || is_chat;
        assert_eq!(ask(&there(&template), "Host: 192.0.2.9\r\n"), 401, "{template}");
        if is_change {
            assert_eq!(ask(&there(&template), local), 401, "{template}");
        }
        let fields = if is_change { &token } else { local };
        if template.contains('{') && !is_chat {
            assert_eq!(ask(&nowhere(&template), fields), 404, "{template}");
        }
        let status = ask(&there(&template), fields);
        // A change to the recording that is still being written may fail.
        let is_fine =
            matches!(status, 200 | 202 | 204) || is_change && template.contains("recordings");
        assert!(is_fine, "{method} {template}: {status}");
        asked += 1;
    }
    assert_eq!((asked, of_media, open_to_all), (17, 22, 4), "every operation is asked");
    for (path, status) in [
        ("/api/v1/recordings?limit=x", 400),
        ("/api/v1/recordings?limit=0&offset=5", 200),
        ("/api/v1/events?viewers=no", 200),
        ("/api/v1/relays?lang=zh-CN", 200),
        ("/api/v1/viewers?app=live&stream=none", 200),
    ] {
        let answer = running.get(path);
        description.check("GET", path.split('?').next().unwrap(), &answer);
        assert_eq!(answer.status, status, "{path}");
    }
    let answer = exchange_with(running.http(), "GET /api/v1/chats/live", &token, "");
    description.check("GET", "/api/v1/chats/{app}/{stream}", &answer);
    assert_eq!(answer.status, 404, "a chat without a stream");
}

#[test]
fn the_streamer_cannot_be_muted() {
    let running = start();
    let description = Description::new(running.get("/api/v1/openapi.json").json());
    let streamer = running.server.join_chat("live", "show").unwrap();
    streamer.say(ChatLine::new("ann", "hello").unwrap());
    let fields = format!("Host: localhost\r\nAuthorization: Bearer {TOKEN}\r\n");
    let change = |body: &str| {
        let path = "/api/v1/chats/live/show";
        let answer = exchange_with(running.http(), &format!("PATCH {path}"), &fields, body);
        description.check("PATCH", "/api/v1/chats/{app}/{stream}", &answer);
        (answer.status, answer.json())
    };
    let (status, answer) =
        change(&format!("{{\"slow_seconds\": 9, \"mute\": [{}]}}", streamer.id()));
    assert_eq!((status, answer["reason"].as_str()), (409, Some("staff")), "{answer}");
    let (status, answer) = change("{}");
    assert_eq!((status, answer["slow_seconds"].as_u64()), (200, Some(0)), "nothing has changed");
    assert_eq!(answer["messages"][0]["text"], "hello");
    assert!(answer["muted"].as_array().unwrap().is_empty(), "{answer}");
}

#[test]
fn every_route_is_described() {
    let running = start();
    let description = Description::new(running.get("/api/v1/openapi.json").json());
    let described: BTreeSet<_> = description.operations().into_iter().collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = std::fs::read_to_string(root.join("crates/onair-server/src/http/mod.rs")).unwrap();
    // The router's routes, with the methods of their handlers.
    let mut found = 0;
    for route in source.split(".route(\"").skip(1) {
        let (path, rest) = route.split_once('"').unwrap();
        let path = path.replace("{*path}", "{app}/{stream}");
        let handlers = &rest[..rest.find('\n').unwrap()];
        for method in ["get", "post", "patch", "put", "delete"] {
            let named = [format!(" {method}("), format!(".{method}(")];
            if named.iter().any(|it| handlers.contains(it.as_str())) {
                found += 1;
                let operation = (method.to_uppercase(), path.clone());
                assert!(described.contains(&operation), "{operation:?} is not described");
            }
        }
    }
    assert!(found >= 19, "{found} routes");
    // The router cannot tell stream resources apart; their paths end like this.
    let folder = root.join("crates/onair-server/src/http");
    let others = ["webrtc/whep.rs", "webrtc/whip.rs", "watch/mod.rs"]
        .map(|it| std::fs::read_to_string(folder.join(it)));
    let all = others.into_iter().fold(source, |all, it| all + &it.unwrap());
    let mut ends = 0;
    for suffix in all.split("strip_suffix(\"").skip(1) {
        let suffix = suffix.split('"').next().unwrap();
        let ends_so = |path: &str| path.starts_with("/{app}/{stream}") && path.ends_with(suffix);
        assert!(described.iter().any(|(_, path)| ends_so(path)), "{suffix} is not described");
        ends += 1;
    }
    assert!(ends >= 8, "{ends} ends");
}

#[test]
fn other_computers_need_the_token() {
    let running = start();
    let _publisher = publish(&running, "live/show");
    std::fs::write(running.folder.path().join("old.flv"), "FLV").unwrap();
    let status =
        |path: &str, fields: &str| exchange(running.http(), &format!("GET {path}"), fields).status;
    let local = "Host: localhost\r\n";
    for path in [
        "/api/v1/server",
        "/api/v1/streams",
        "/api/v1/streams/live/show",
        "/api/v1/viewers",
        "/api/v1/events",
        "/api/v1/recordings",
        "/api/v1/relays",
        "/api/v1/access",
        "/recordings/old.flv",
    ] {
        assert_eq!(status(path, local), 200, "{path}");
        for elsewhere in [
            "Host: 192.0.2.9:8088\r\n",
            "Host: localhost\r\nX-Forwarded-For: 203.0.113.5\r\n",
            "Host: localhost\r\nForwarded: for=203.0.113.5\r\n",
        ] {
            assert_eq!(status(path, elsewhere), 401, "{path} {elsewhere}");
            let token = format!("{elsewhere}Authorization: Bearer {TOKEN}\r\n");
            assert_eq!(status(path, &token), 200, "{path} {elsewhere}");
        }
        assert_eq!(status(path, "Host: evil.example\r\n"), 421, "{path}");
        let foreign = format!("{local}Origin: http://evil.example\r\n");
        assert_eq!(status(path, &foreign), 403, "{path}");
        // An origin that the operator has configured is trusted.
        assert_eq!(status(path, &format!("{local}Origin: https://page.example\r\n")), 200);
    }
    // The metrics of a stream contain its name.
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let elsewhere = "Host: localhost\r\nX-Forwarded-For: 203.0.113.5\r\n";
    for (fields, has_names) in [
        (local.to_owned(), true),
        (elsewhere.to_owned(), false),
        ("Host: 192.0.2.9:8088\r\n".to_owned(), false),
        (format!("{elsewhere}Authorization: Bearer wrong\r\n"), false),
        (format!("{elsewhere}{bearer}"), true),
    ] {
        let answer = exchange(running.http(), "GET /metrics", &fields);
        let text = String::from_utf8(answer.body).unwrap();
        assert!(answer.status == 200 && text.contains("\nonair_publishers 1\n"), "{text}");
        assert_eq!(text.contains("stream=\""), has_names, "{fields}: {text}");
    }
    // The page itself contains no figures.
    let page = exchange(running.http(), "GET /", "Host: 192.0.2.9\r\n");
    assert_eq!(page.status, 200);
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
    // After several wrong guesses, the server answers 429.
    let guess = |number: u32| format!("Host: 192.0.2.9\r\nAuthorization: Bearer guess{number}\r\n");
    let guesses: Vec<_> = (0..8).map(|it| status("/api/v1/streams", &guess(it))).collect();
    assert_eq!(guesses.last(), Some(&429), "{guesses:?}");
}

#[test]
fn viewers_of_every_protocol_are_listed_and_ended() {
    let running = start();
    let mut publisher = publish(&running, "live/show");
    let mut player = Client::play(&running.url("live/show"));
    let mut download = open(&running, "/live/show.flv");
    // After a second without video, the file is one of audio.
    let mut time = 1_000;
    wait_for("what is sent to both", LIMIT, || {
        time += 20;
        publisher.send(&(TagKind::Audio, time, vec![0xAF, 1, 9, 9].into()));
        let viewers = running.viewers();
        viewers.len() == 2 && viewers.iter().all(|viewer| viewer["bytes"].as_u64() > Some(0))
    });
    let rtmp = running.viewer_by("rtmp");
    assert_eq!((&rtmp["app"], &rtmp["stream"]), (&"live".into(), &"show".into()));
    assert!(rtmp["bytes"].as_u64() > Some(0) && rtmp["peer"].is_string(), "{rtmp}");
    let flv = running.viewer_by("http-flv");
    let by = running.get("/api/v1/streams/live/show").json()["viewers_by_protocol"].clone();
    assert_eq!((&by["rtmp"], &by["http-flv"], &by["hls"]), (&1.into(), &1.into(), &0.into()));

    assert_eq!(running.remove(&format!("/api/v1/viewers/{}", rtmp["id"])).status, 204);
    while player.next().is_some() {}
    assert_eq!(running.remove(&format!("/api/v1/viewers/{}", flv["id"])).status, 204);
    let mut rest = Vec::new();
    download.read_to_end(&mut rest).unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the answer ends as it should");
    wait_for("both to leave", LIMIT, || running.viewers().is_empty());
    assert_eq!(running.remove(&format!("/api/v1/viewers/{}", flv["id"])).status, 404);

    // An HLS viewer has no connection: the server refuses it for a while. Other viewers are still
    // served.
    let list = |agent: &str| {
        let fields = format!("Host: localhost\r\nUser-Agent: {agent}\r\n");
        exchange(running.http(), "GET /live/show/hls/main.m3u8", &fields).status
    };
    publisher.send(&(TagKind::Audio, time + 20, vec![0xAF, 1, 9, 9].into()));
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| list("one"));
        let hls = running.viewer_by("hls");
        assert_eq!(running.remove(&format!("/api/v1/viewers/{}", hls["id"])).status, 204);
        assert_eq!(list("one"), 403);
        for number in 2..200 {
            let time = time + number * 20;
            publisher.send(&(TagKind::Audio, time, vec![0xAF, 1, 9, 9].into()));
        }
        assert!(matches!(waits.join().unwrap(), 200 | 503));
    });
    assert_eq!(list("two"), 200);

    let events = running.get("/api/v1/events").json();
    let left = events["events"].as_array().unwrap().iter().filter(|it| it["event"] == "leave");
    let reasons: Vec<_> = left.map(|event| event["reason"].clone()).collect();
    assert_eq!(reasons, ["ended by the operator"; 3].map(Value::from));
    assert!(running.get("/api/v1/server").json()["viewers_peak"].as_u64() >= Some(2));
    assert_eq!(running.remove("/api/v1/streams/live/show").status, 204);
    while publisher.next().is_some() {}
}

#[test]
fn a_thumbnail_is_an_image_of_the_last_keyframe_and_made_seldom() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start();
    let _sound = publish(&running, "live/sound");
    assert_eq!(running.get("/api/v1/thumbnails/live/sound").status, 404, "no video");
    assert_eq!(running.get("/api/v1/thumbnails/live/none").status, 404);
    for (name, options) in
        [("live/high", &["-bf", "2"][..]), ("live/main", &["-profile:v", "main"])]
    {
        let _publisher = ffmpeg::publish_with(&running.url(name), None, options);
        // The time of the last request that found no thumbnail: it was made later.
        let (mut answer, mut missed_at) = (None, Instant::now());
        wait_for("a thumbnail", LIMIT, || {
            let asked_at = Instant::now();
            let got = running.get(&format!("/api/v1/thumbnails/{name}"));
            let is_there = got.status == 200;
            if !is_there {
                missed_at = asked_at;
            }
            answer = Some(got);
            is_there
        });
        let jpeg = answer.unwrap();
        // The video moves, and a keyframe comes every second, so a new thumbnail would differ.
        std::thread::sleep(Duration::from_millis(1_500));
        let again = running.get(&format!("/api/v1/thumbnails/{name}"));
        // A thumbnail is kept for five seconds. A busy machine may need longer for the second request.
        let is_late = missed_at.elapsed() > Duration::from_secs(4);
        assert!(is_late || again.body == jpeg.body, "a new one was made too soon");
        assert_eq!(jpeg.field("content-type"), Some("image/jpeg"));
        let file = running.folder.path().join("thumbnail.jpg");
        std::fs::write(&file, &jpeg.body).unwrap();
        let probe = ffmpeg::probe(&file);
        let image = probe.stream("video");
        assert_eq!((&image["width"], &image["height"]), (&320.into(), &180.into()));
        assert_eq!(probe.warnings, "");
    }
}

#[test]
fn recordings_have_ranges_and_nothing_else_is_given_away() {
    let running = start();
    let bytes: Vec<u8> = (0..700_000_u32).map(|at| (at % 251) as u8).collect();
    let name = "a show \u{4e2d}.flv";
    std::fs::write(running.folder.path().join(name), &bytes).unwrap();
    std::fs::write(running.folder.path().join(".hidden.flv"), "secret").unwrap();
    std::fs::write(running.folder.path().join("notes.txt"), "secret").unwrap();
    let secret = tempfile::NamedTempFile::with_suffix(".flv").unwrap();
    std::fs::write(secret.path(), "secret").unwrap();
    std::os::unix::fs::symlink(secret.path(), running.folder.path().join("link.flv")).unwrap();

    let list = running.get("/api/v1/recordings").json();
    let all = list["recordings"].as_array().unwrap();
    assert_eq!((all.len(), &all[0]["name"], &list["all"]), (1, &name.into(), &1.into()));
    assert_eq!((&all[0]["bytes"], &all[0]["state"]), (&700_000.into(), &"finished".into()));
    let path = all[0]["url"].as_str().unwrap();
    assert_eq!(path, "/recordings/a%20show%20%E4%B8%AD.flv");

    let whole = running.get(path);
    assert!(whole.status == 200 && whole.body == bytes, "{}", whole.head);
    assert_eq!(whole.field("content-type"), Some("video/x-flv"));
    assert_eq!(whole.field("accept-ranges"), Some("bytes"));
    assert!(whole.field("content-disposition").unwrap().starts_with("inline"));
    let saved = running.get(&format!("{path}?download"));
    assert!(
        saved.field("content-disposition").unwrap().starts_with("attachment; filename*=UTF-8''a")
    );
    let ask = |range: &str, more: &str| {
        let fields = format!("Host: localhost\r\nRange: {range}\r\n{more}");
        exchange(running.http(), &format!("GET {path}"), &fields)
    };
    for (range, part) in [
        ("bytes=0-0", 0..1),
        ("bytes=300000-600000", 300_000..600_001),
        ("bytes=699990-", 699_990..700_000),
        ("bytes=-10", 699_990..700_000),
    ] {
        let answer = ask(range, "");
        assert!(answer.status == 206 && answer.body == bytes[part.clone()], "{}", answer.head);
        let expected = format!("bytes {}-{}/700000", part.start, part.end - 1);
        assert_eq!(answer.field("content-range"), Some(&*expected));
    }
    let beyond = ask("bytes=700000-", "");
    assert_eq!((beyond.status, beyond.field("content-range")), (416, Some("bytes */700000")));
    let tag = whole.field("etag").unwrap();
    assert_eq!(ask("bytes=0-0", &format!("If-Range: {tag}\r\n")).status, 206);
    assert_eq!(ask("bytes=0-0", "If-Range: \"other\"\r\n").status, 200);
    let head = exchange(running.http(), &format!("HEAD {path}"), "Host: localhost\r\n");
    assert_eq!((head.field("content-length"), head.body.len()), (Some("700000"), 0));

    let outside = secret.path().display().to_string();
    let encoded = outside.replace('/', "%2F");
    for bad in [
        "..%2Fa.flv",
        "%2e%2e%2Fa.flv",
        "../a.flv",
        "..%5Ca.flv",
        "sub/a.flv",
        ".hidden.flv",
        "%2Ehidden.flv",
        "notes.txt",
        "link.flv",
        "a.flv%00.txt",
        "a%00.flv",
        "%ff.flv",
        "",
        &encoded,
        &outside,
    ] {
        let answer = running.get(&format!("/recordings/{bad}"));
        assert!(matches!(answer.status, 400 | 404), "{bad}: {}", answer.head);
        assert!(!answer.body.windows(6).any(|it| it == b"secret"), "{bad}");
    }

    // HTML elements on another computer use a link instead of the token.
    let far = format!("Host: 192.0.2.9\r\nAuthorization: Bearer {TOKEN}\r\n");
    let list = exchange(running.http(), "GET /api/v1/recordings", &far).json();
    let link = list["recordings"][0]["url"].as_str().unwrap().to_owned();
    let far = |path: &str| exchange(running.http(), &format!("GET {path}"), "Host: 192.0.2.9\r\n");
    assert_eq!(far(&link).status, 200);
    assert_eq!(far(path).status, 401);
    assert_eq!(far(&link.replace("signature=", "signature=0")).status, 401);
    let other = link.replace("a%20show%20%E4%B8%AD.flv", "b.flv");
    assert_eq!(far(&other).status, 401);
}

#[test]
fn a_slow_download_holds_nobody_up() {
    let running = start();
    let file = running.folder.path().join("large.flv");
    std::fs::write(&file, vec![7; 64 << 20]).unwrap();
    // More clients that read nothing than there are disk threads.
    let slow: Vec<_> = (0..32).map(|_| open(&running, "/recordings/large.flv")).collect();
    // All of these downloads have begun.
    for download in &slow {
        assert_eq!(download.peek(&mut [0]).unwrap(), 1);
    }
    let whole = running.get("/recordings/large.flv");
    assert_eq!((whole.status, whole.body.len()), (200, 64 << 20));
    drop(slow);
    assert!(Path::new(&file).exists());
}
