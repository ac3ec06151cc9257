//! The answers for the media of a stream, compared with the description of the API.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::schema::Description;
use super::{Answer, Running, TOKEN, exchange_with, start};
use crate::peers::{self, LIMIT, ffmpeg, wait_for};
use crate::whep::page::OFFER;

const SDP: &str = "Content-Type: application/sdp\r\n";
const FRAGMENT: &str = "Content-Type: application/trickle-ice-sdpfrag\r\n";
const JSON: &str = "Content-Type: application/json\r\n";
/// The fields with which a player opens a WebSocket.
const UPGRADE: &str = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const STREAM: &str = "/{app}/{stream}";

/// A server, and the description of its answers.
struct Described {
    running: Running,
    description: Description,
}

impl Described {
    /// Asserts that the answer to this request has this status, and is described. `template` is the
    /// path in the description.
    #[track_caller]
    fn ask(&self, request: &str, template: &str, more: (&str, &str), status: u16) -> Answer {
        let (fields, body) = more;
        let fields = format!("Host: localhost\r\n{fields}");
        let answer = exchange_with(self.running.http(), request, &fields, body);
        self.check(request, template, &answer, status);
        answer
    }

    #[track_caller]
    fn get(&self, path: &str, template: &str, fields: &str, status: u16) -> Answer {
        self.ask(&format!("GET {path}"), template, (fields, ""), status)
    }

    /// Like `get`, for an answer whose body may have no end.
    #[track_caller]
    fn open(&self, path: &str, template: &str, fields: &str, status: u16) {
        let mut stream = TcpStream::connect(self.running.http()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        self.check(&format!("GET {path}"), template, &Answer::new(&head, &[]), status);
    }

    #[track_caller]
    fn check(&self, request: &str, template: &str, answer: &Answer, status: u16) {
        assert_eq!(answer.status, status, "{request}: {}", answer.head);
        let (method, _) = request.split_once(' ').unwrap();
        self.description.check(method, template, answer);
    }

    /// Requests a playlist of the stream, and returns its first address that ends like this.
    fn listed(&self, name: &str, end: &str) -> String {
        let list = self.get(&format!("/live/show/hls/{name}"), &below("/hls/{file}"), "", 200);
        let list = String::from_utf8(list.body).unwrap();
        let found = list.lines().find(|line| !line.starts_with('#') && line.ends_with(end));
        found.unwrap_or_else(|| panic!("{list}")).to_owned()
    }
}

/// A path below a stream, in the description.
fn below(rest: &str) -> String {
    format!("{STREAM}{rest}")
}

fn start_described() -> Described {
    let running = start();
    let description = Description::new(running.get("/api/v1/openapi.json").json());
    Described { running, description }
}

#[test]
fn playlists_segments_and_pages_are_as_described() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let server = start_described();
    let _publisher = ffmpeg::publish(&server.running.url("live/show"), None);
    wait_for("the publisher", LIMIT, || {
        server.running.get("/api/v1/streams/live/show").status == 200
    });
    let main = "/live/show/hls/main.m3u8";
    for (path, template) in [
        ("/live/show.m3u8", below(".m3u8")),
        ("/live/show.mpd", below(".mpd")),
        (main, below("/hls/{file}")),
    ] {
        server.get(path, &template, "", 200);
        server.get(path, &template, "If-None-Match: *\r\n", 304);
        server.get(&format!("{path}?_HLS_msn=x"), &template, "", 400);
    }
    let files = below("/hls/{file}");
    server.get(&format!("{main}?_HLS_msn={}", u64::MAX), &files, "", 400);
    let segment = server.listed("main.m3u8", ".m4s");
    let ts = server.listed(&server.listed("ts.m3u8", ".m3u8"), ".ts");
    for name in [segment, ts] {
        let path = format!("/live/show/hls/{name}");
        server.get(&path, &files, "", 200);
        server.get(&path, &files, "If-None-Match: *\r\n", 304);
    }
    server.get("/live/show/hls/time", &files, "", 200);

    server.open("/live/show.flv", &below(".flv"), "", 200);
    server.open("/live/show.flv", &below(".flv"), UPGRADE, 101);
    server.open("/live/show/chat", &below("/chat"), UPGRADE, 101);
    server.get("/live/show/chat", &below("/chat"), "", 400);
    server.get("/live/show/state", &below("/state"), "", 200);
    let code = below("/code.svg");
    server.get("/live/show/code.svg", &code, "", 200);
    server.get(&format!("/live/show/code.svg?key={}", "a".repeat(4_000)), &code, "", 400);
    let page = server.get("/watch/live/show", "/watch/{app}/{stream}", "", 200);
    let known = format!("If-None-Match: {}\r\n", page.field("etag").unwrap());
    server.get("/watch/live/show", "/watch/{app}/{stream}", &known, 304);
}

#[test]
fn sessions_of_webrtc_are_as_described() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let server = start_described();
    let endpoint = below("/whep");
    let post = "POST /live/show/whep";
    server.ask(post, &endpoint, (SDP, OFFER), 409);
    let _publisher = ffmpeg::publish(&server.running.url("live/show"), None);
    wait_for("the publisher", LIMIT, || {
        server.running.get("/api/v1/streams/live/show").status == 200
    });
    server.ask(post, &endpoint, ("", OFFER), 415);
    server.ask(post, &endpoint, (SDP, "hello"), 422);
    server.ask(post, &endpoint, (SDP, &"a=x\r\n".repeat(20_000)), 413);
    let path = server.ask(post, &endpoint, (SDP, OFFER), 201);
    let path = path.field("location").unwrap();

    let session = below("/whep/{session}");
    server.get(path, &session, "", 204);
    let patch = |fields: &str, body: &str, status| {
        server.ask(&format!("PATCH {path}"), &session, (fields, body), status);
    };
    let (trickle, any) = ("a=ice-ufrag:EsAw\r\n", format!("{FRAGMENT}If-Match: *\r\n"));
    patch("", trickle, 415);
    patch(FRAGMENT, trickle, 428);
    patch(&format!("{FRAGMENT}If-Match: \"old\"\r\n"), trickle, 412);
    patch(&any, trickle, 204);
    patch(&any, "a=ice-ufrag:other\r\na=ice-pwd:x\r\n", 422);
    patch(&any, "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n", 200);
    let layer = |more: (&str, &str), status| {
        let template = below("/whep/{session}/layer");
        server.ask(&format!("POST {path}/layer"), &template, more, status);
    };
    layer(("", "{}"), 415);
    layer((JSON, "480p"), 422);
    layer((JSON, "{\"encodingId\":\"480p\"}"), 404);
    layer((JSON, "{}"), 200);
    server.ask(&format!("DELETE {path}"), &session, ("", ""), 200);
}

#[test]
fn recordings_to_watch_are_as_described() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let server = start_described();
    ffmpeg::publish(&server.running.url("live/show"), Some(3)).wait_success(LIMIT);
    let recordings = server.running.get("/api/v1/recordings").json();
    let file = recordings["recordings"][0]["url"].as_str().unwrap();
    let file = format!("/vod/{}", file.strip_prefix("/recordings/").unwrap());
    let (stem, _) = file.rsplit_once('.').unwrap();
    let manifest = format!("{stem}.mpd");
    wait_for("the end of the recording", LIMIT, || server.running.get(&manifest).status == 200);
    let template = "/vod/{file}";
    for list in [&manifest, &format!("{stem}.m3u8")] {
        server.get(list, template, "", 200);
        server.get(list, template, "If-None-Match: *\r\n", 304);
    }
    server.get(&file, template, "", 200);
    server.get(&file, template, "Range: bytes=0-9\r\n", 206);
    server.get(&file, template, "Range: bytes=99999999999-\r\n", 416);
}

#[test]
fn redirects_to_the_successor_are_as_described() {
    let server = start_described();
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let drain = "/api/v1/drain";
    for (body, status) in [("{\"sucessor\":\"rtmp://a/live\"}", 422), ("\"rtmp://a/live\"", 400)] {
        server.ask(&format!("POST {drain}"), drain, (&token, body), status);
    }
    assert_eq!(server.running.get("/readyz").status, 200, "a refused request drains nothing");
    let body = "{\"successor_http\":\"http://127.0.0.1:9\"}";
    server.ask("POST /api/v1/drain", "/api/v1/drain", (&token, body), 202);
    for (path, template) in [
        ("/live/show.flv", below(".flv")),
        ("/live/show.m3u8", below(".m3u8")),
        ("/live/show.mpd", below(".mpd")),
        ("/live/show/hls/main.m3u8", below("/hls/{file}")),
        ("/live/show/chat", below("/chat")),
        ("/watch/live/show", "/watch/{app}/{stream}".to_owned()),
    ] {
        let moved = server.get(path, &template, "", 307);
        assert_eq!(moved.field("location").unwrap(), format!("http://127.0.0.1:9{path}"));
    }
    server.ask("POST /live/show/whep", &below("/whep"), (SDP, OFFER), 307);
}

#[test]
fn every_failure_of_the_api_is_json() {
    let server = start_described();
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    server.ask("DELETE /api/v1/viewers/x", "/api/v1/viewers/{id}", (&token, ""), 400);
    let refused = |request: &str, host: &str| {
        exchange_with(server.running.http(), request, &format!("Host: {host}\r\n"), "")
    };
    for (request, host, status) in [
        ("GET /api/v1/nothing", "localhost", 404),
        ("PUT /api/v1/streams", "localhost", 405),
        ("GET /api/v1/streams", "other.example", 421),
    ] {
        let answer = refused(request, host);
        assert_eq!(answer.status, status, "{request}");
        assert!(answer.json()["error"].as_str().is_some_and(|it| !it.is_empty()), "{request}");
    }
    assert_eq!(refused("GET /nothing", "localhost").body, b"There is nothing here.\n");
}
