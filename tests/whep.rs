//! Tests of the built-in server's WHEP output with Chromium, aiortc, node-datachannel and GStreamer. The tests
//! also send HTTP requests directly, both valid and invalid.

mod admission;
pub mod aiortc;
pub mod browser;
mod gstreamer;
mod hostile;
mod network;
mod node_datachannel;
pub mod page;
pub mod relay;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for, web};
use browser::Browser;
use onair::base::{Clock, Secret};
use onair::net::Runtime;
use onair::net::web::WebUrl;
use onair::server::access::{CallKind, CallbackRules, Dialect};
use onair::server::{Config, Event, IceLogin, IceServer, Listen, Protocol, Server};
use page::PageServer;

/// Encoder options without B-frames, so that browsers can play the stream over WebRTC, and with eight slices per frame,
/// which share packets.
const NO_B_FRAMES: [&str; 6] = ["-tune", "zerolatency", "-threads", "8", "-s", "320x180"];

pub struct Running {
    pub server: Server,
    runtime: Runtime,
}

pub fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly("127.0.0.1:0".parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), webrtc: Some(any), ..Config::default() };
    // The server refuses no rendition, even on a busy machine.
    config.media.renditions.cpu = 100.0;
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

impl Running {
    pub fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    pub fn publish(&self, options: &[&str]) -> Peer {
        let url = format!("rtmp://{}/live/show", self.server.addresses().rtmp);
        self.published(ffmpeg::publish_with(&url, None, options))
    }

    /// Waits for the video of this publisher.
    fn published(&self, publisher: Peer) -> Peer {
        wait_for("the stream", LIMIT, || {
            let streams = self.server.streams();
            let mut publishers = streams.iter().filter_map(|it| it.publisher.as_ref());
            publishers.any(|it| it.video.is_some() && it.audio.is_some())
        });
        publisher
    }

    fn viewers(&self) -> usize {
        self.server.streams().iter().map(|stream| stream.whep_viewers).sum()
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

/// The response to a request: status, head in lower case, and body.
pub fn ask(
    http: SocketAddr,
    method: &str,
    path: &str,
    kind: &str,
    body: &str,
) -> (u16, String, String) {
    ask_with(http, method, path, (kind, ""), body)
}

/// Like `ask`, with further header fields.
pub fn ask_with(
    http: SocketAddr,
    method: &str,
    path: &str,
    (kind, more): (&str, &str),
    body: &str,
) -> (u16, String, String) {
    let mut socket = TcpStream::connect(http).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let length = body.len();
    write!(
        socket,
        "{method} {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
         {more}Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    let name = format!("{name}: ");
    head.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default()
}

/// The last report of a browser's page.
fn last(reports: &[Arc<Value>]) -> Arc<Value> {
    reports.last().cloned().unwrap_or_default()
}

/// Starts a broadcast of the test source to the built-in server. Returns its WHEP endpoint, too.
fn our_own_stream() -> (Onair, String) {
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "640x360",
    ]);
    let ready = live.wait_named("ready");
    let endpoint = ready["whep"].as_str().expect("a WHEP URL").to_owned();
    live.wait_event("the target", |event| event["event"] == "target" && event["state"] == "live");
    (live, endpoint)
}

#[test]
fn chromium_plays_our_own_stream_in_the_profile_it_has() {
    if peers::missing(&["chromium"]) {
        return;
    }
    let (mut live, endpoint) = our_own_stream();
    assert!(endpoint.ends_with("/live/onair/whep"), "{endpoint}");
    let encoder = live.wait_named("encoder");
    assert_eq!(encoder["profile"], "High", "the default is what is tested");
    let http: SocketAddr = endpoint.split('/').nth(2).unwrap().parse().unwrap();
    let page = PageServer::start(http);
    let mut browser = Browser::open(&page.url("/live/onair/whep"));
    browser.wait("frames decoded in Chromium", || {
        let report = last(&page.reports());
        report["framesDecoded"].as_u64() > Some(150)
            && report["audioSamples"].as_u64() > Some(96_000)
            && report["latencies"].as_array().is_some_and(|all| all.len() > 60)
    });
    let report = last(&page.reports());
    assert_eq!((report["width"].as_u64(), report["height"].as_u64()), (Some(640), Some(360)));
    assert_eq!(report["audioCodec"], "audio/opus");
    let latencies = &report["latencies"];
    let mut latencies: Vec<i64> =
        latencies.as_array().unwrap().iter().filter_map(Value::as_i64).skip(30).collect();
    latencies.sort_unstable();
    let (median, p95) = (latencies[latencies.len() / 2], latencies[latencies.len() * 95 / 100]);
    println!(
        "Chromium: first frame after {} ms, latency median {median} ms, p95 {p95} ms of {}, {}",
        report["firstFrame"],
        latencies.len(),
        report,
    );
    // A limit for a busy machine without a graphics card; docs/evidence has the goal.
    assert!(median < 1_500, "median {median} ms, p95 {p95} ms");
    let mut streams = String::new();
    let joined = live.wait_event("a viewer by WHEP", |event| {
        event["event"] == "join" && event["protocol"] == "whep"
    });
    assert_eq!(joined["stream"], "onair");
    streams.push_str(&ask(http, "GET", "/api/v1/streams/live/onair", "", "").2);
    let figures: Value = serde_json::from_str(&streams).unwrap();
    assert_eq!((figures["whep_viewers"].as_u64(), figures["viewers"].as_u64()), (Some(1), Some(1)));
    drop(browser);
    live.stop(LIMIT);
}

#[test]
fn chromium_gets_video_again_when_it_asks_and_after_the_publisher_reconnects() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let publisher = running.publish(&NO_B_FRAMES);
    let page = PageServer::start(running.http());
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    let decoded = || last(&page.reports())["framesDecoded"].as_u64().unwrap_or(0);
    browser.wait("frames", || decoded() > 30);
    assert_eq!(running.viewers(), 1);
    drop(publisher);
    let before = decoded();
    let _again = running.publish(&NO_B_FRAMES);
    browser.wait("frames of the next publisher", || decoded() > before + 60);
    assert_eq!(last(&page.reports())["connectionState"], "connected");
    drop(browser);
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
}

#[test]
fn aiortc_receives_video_and_audio_and_leaves_by_delete() {
    let Some(mut client) = aiortc::program() else { return };
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let mut client = client.start(&format!("http://{}/live/show/whep", running.http()));
    client.wait_success(LIMIT);
    let report: Value = serde_json::from_str(client.output().lines().last().unwrap()).unwrap();
    assert!(report["video"].as_u64() > Some(30) && report["audio"].as_u64() > Some(50), "{report}");
    assert_eq!((report["deleted"].as_u64(), report["again"].as_u64()), (Some(200), Some(404)));
    assert!(report["loud"].as_f64() > Some(0.01), "the tone is heard: {report}");
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
    let mut left = None;
    while let Ok(event) = running.server.events().try_recv() {
        if let Event::Leave(peer, ended) = event {
            left = Some((peer.protocol, ended));
        }
    }
    let (protocol, ended) = left.expect("it left");
    assert_eq!(
        (protocol, ended.reason.to_string().as_str()),
        (Protocol::Whep, "ended by the player")
    );
    assert!(ended.bytes > 10_000, "{ended:?}");
}

#[test]
fn node_datachannel_receives_video_and_audio_and_leaves_by_delete() {
    let Some(module) = node_datachannel::module() else { return };
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let mut client = module.start(&format!("http://{}/live/show/whep", running.http()));
    client.wait_success(LIMIT);
    let report: Value = serde_json::from_str(client.output().lines().last().unwrap()).unwrap();
    assert!(
        report["video"].as_u64() > Some(100) && report["audio"].as_u64() > Some(50),
        "{report}"
    );
    assert!(report["keyframes"].as_u64() > Some(1), "{report}");
    assert_eq!(report["connected"], "connected", "{report}");
    assert_eq!((report["deleted"].as_u64(), report["again"].as_u64()), (Some(200), Some(404)));
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
}

/// Plays with webrtcbin over this transport.
fn receive_with_gstreamer(transport: &str) {
    if peers::missing(&["ffmpeg", "webrtcbin"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let endpoint = format!("http://{}/live/show/whep", running.http());
    let mut client = gstreamer::start(&endpoint, transport);
    client.wait_success(LIMIT * 2);
    let report: Value = serde_json::from_str(client.output().lines().last().unwrap()).unwrap();
    println!("{report}");
    assert!(
        report["video"].as_u64() >= Some(150) && report["audio"].as_u64() >= Some(250),
        "{report}"
    );
    assert_eq!((report["size"][0].as_u64(), report["size"][1].as_u64()), (Some(320), Some(180)));
    assert_eq!(report["transports"], serde_json::json!([transport]));
    assert_eq!(report["connected"], "connected", "{report}");
    assert_eq!((report["deleted"].as_u64(), report["again"].as_u64()), (Some(200), Some(404)));
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
}

#[test]
fn gstreamer_and_libnice_decode_video_and_audio_and_leave_by_delete() {
    receive_with_gstreamer("udp");
}

#[test]
fn gstreamer_and_libnice_play_over_tcp() {
    receive_with_gstreamer("tcp");
}

#[test]
fn our_own_audio_comes_from_the_mixer_in_sync_and_only_while_somebody_listens() {
    if peers::missing(&["webrtcbin"]) {
        return;
    }
    let (mut live, endpoint) = our_own_stream();
    // The thread that encodes the mixer's audio.
    let tasks = format!("/proc/{}/task", live.peer.id());
    let encodes = || {
        let tasks = std::fs::read_dir(&tasks).unwrap().flatten();
        let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
        tasks.filter_map(|task| name(task).ok()).any(|name| name.trim() == "whep audio")
    };
    assert!(!encodes(), "nobody listens");
    let mut client = gstreamer::start(&endpoint, "udp");
    wait_for("the audio of the mixer", LIMIT, encodes);
    client.wait_success(LIMIT * 2);
    let report: Value = serde_json::from_str(client.output().lines().last().unwrap()).unwrap();
    println!("{report}");
    let late: Vec<f64> =
        report["late_ms"].as_array().unwrap().iter().filter_map(Value::as_f64).collect();
    // The nearest beep: a busy machine loses flashes and beeps.
    let nearest = late.iter().copied().map(f64::abs).fold(f64::MAX, f64::min);
    assert!(nearest < 20.0, "the beeps are this late in ms: {late:?}");
    wait_for("the end of the encoder", LIMIT, || !encodes());
    live.stop(LIMIT);
}

#[test]
fn players_get_the_ice_servers() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let login =
        IceLogin { username: "onair".to_owned(), credential: Secret::new("Pl4nted-\"tulip\"") };
    let turn = "turn:turn.example:3478?transport=udp";
    let servers = [("stun:stun.example", None), (turn, Some(login))];
    let servers = servers.map(|(url, login)| IceServer::new(url, login).unwrap());
    let running = start_with(|config| config.media.ice_servers = servers.to_vec());
    let _publisher = running.publish(&NO_B_FRAMES);
    let path = "/live/show/whep";
    let (status, head, _) = ask(running.http(), "POST", path, "application/sdp", page::OFFER);
    assert_eq!(status, 201, "{head}");
    let links: Vec<_> = head.lines().filter_map(|line| line.strip_prefix("link: ")).collect();
    let expected = [
        "<stun:stun.example>; rel=\"ice-server\"",
        "<turn:turn.example:3478?transport=udp>; rel=\"ice-server\"; username=\"onair\"; \
         credential=\"pl4nted-\\\"tulip\\\"\"; credential-type=\"password\"",
    ];
    assert!(links.starts_with(&expected), "{links:#?}");
    let (_, _, state) = ask(running.http(), "GET", "/live/show/state", "", "");
    let state: Value = serde_json::from_str(&state).unwrap();
    let expected = serde_json::json!([
        { "urls": "stun:stun.example" },
        { "urls": turn, "username": "onair", "credential": "Pl4nted-\"tulip\"" },
    ]);
    assert_eq!(state["ice_servers"], expected);
}

#[test]
fn only_viewers_whom_the_callback_admits_get_the_login_of_a_turn_server() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let is_admitted = Arc::new(AtomicBool::new(false));
    let admits = Arc::clone(&is_admitted);
    let receiver = web::canned(move |_, socket| {
        let status = if admits.load(Ordering::SeqCst) { "200 OK" } else { "403 Forbidden" };
        let _ = write!(socket, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
    });
    let callbacks = CallbackRules {
        dialect: Dialect::Nginx,
        urls: [(CallKind::Play, WebUrl::parse(&format!("http://127.0.0.1:{receiver}/")).unwrap())]
            .into(),
        timeout: CallbackRules::DEFAULT_TIMEOUT,
        accepts_without_answer: false,
    };
    let login = IceLogin { username: "onair".to_owned(), credential: Secret::new("Pl4nted") };
    let servers = [("stun:stun.example", None), ("turn:turn.example", Some(login))];
    let servers = servers.map(|(url, login)| IceServer::new(url, login).unwrap());
    let running = start_with(|config| {
        config.media.ice_servers = servers.to_vec();
        config.access.others.callbacks = Some(callbacks);
    });
    let _publisher = running.publish(&NO_B_FRAMES);
    for (admitted, expected) in [(false, 403), (true, 201)] {
        is_admitted.store(admitted, Ordering::SeqCst);
        let (_, _, state) = ask(running.http(), "GET", "/live/show/state", "", "");
        let state: Value = serde_json::from_str(&state).unwrap();
        assert_eq!(state["ice_servers"], serde_json::json!([{ "urls": "stun:stun.example" }]));
        let path = "/live/show/whep";
        let (status, head, _) = ask(running.http(), "POST", path, "application/sdp", page::OFFER);
        assert_eq!((status, head.contains("credential=")), (expected, admitted), "{head}");
    }
}

#[test]
fn offers_are_refused_with_the_reason() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let post = |path: &str, kind: &str, offer: &str| ask(running.http(), "POST", path, kind, offer);
    let (status, head, why) = post("/live/show/whep", "application/sdp", page::OFFER);
    assert_eq!((status, header(&head, "retry-after")), (409, "2"), "{why}");
    let _publisher = running.publish(&NO_B_FRAMES);
    for (kind, offer, expected, reason) in [
        ("text/plain", page::OFFER, 415, "application/sdp"),
        ("application/sdp", "hello", 422, "no SDP"),
        ("application/sdp", &*page::OFFER.replace("recvonly", "inactive"), 422, "neither"),
        ("application/sdp", &*page::OFFER.replace("H264/90000", "H265/90000"), 422, "H.264"),
        ("application/sdp", &*format!("v=0\r\n{}", "a=x\r\n".repeat(20_000)), 413, "too long"),
    ] {
        let (status, _, why) = post("/live/show/whep", kind, offer);
        assert_eq!(status, expected, "{why}");
        assert!(why.contains(reason), "{why}");
    }
    // A session without a connection has a URL, and ends later.
    let (status, head, answer) = post("/live/show/whep", "application/sdp", page::OFFER);
    assert_eq!(status, 201, "{answer}");
    assert!(answer.contains("a=ice-lite") && answer.contains("typ host"), "{answer}");
    assert!(answer.contains(" typ host tcptype passive"), "{answer}");
    let session = header(&head, "location").to_owned();
    assert!(session.starts_with("/live/show/whep/") && session.len() > 40, "{session}");
    let fragment = "application/trickle-ice-sdpfrag";
    let patch = |tag: &str, body: &str| {
        let tag = if tag.is_empty() { String::new() } else { format!("If-Match: {tag}\r\n") };
        ask_with(running.http(), "PATCH", &session, (fragment, &tag), body)
    };
    let etag = header(&head, "etag").to_owned();
    let trickle = "a=ice-ufrag:EsAw\r\na=candidate:1 1 udp 1 x.local 9 typ host\r\n";
    let several = format!("\"old\", {etag}");
    for (tag, expected) in
        [("", 428), ("\"old\"", 412), (&*etag, 204), ("*", 204), ("\"*\"", 204), (&*several, 204)]
    {
        assert_eq!(patch(tag, trickle).0, expected, "{tag}");
    }
    assert_eq!(patch("*", "a=ice-ufrag:other\r\na=ice-pwd:x\r\n").0, 422);
    let restart = "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n";
    let (status, head, body) = patch("*", restart);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("a=ice-pwd:") && body.contains(" typ host"), "{body}");
    let next = header(&head, "etag");
    assert!(!next.is_empty() && next != etag && body.contains(next.trim_matches('"')), "{head}");
    assert_eq!((patch(&etag, restart).0, patch(next, restart).0), (412, 204));
    let layer = |kind: &str, body: &str| {
        ask(running.http(), "POST", &format!("{session}/layer"), kind, body).0
    };
    let json = "application/json";
    assert_eq!(
        (layer("text/plain", "{}"), layer(json, "480p"), layer(json, "{}")),
        (415, 422, 200)
    );
    assert_eq!(layer(json, "{\"encodingId\":\"480p\"}"), 404);
    let (status, _, why) = post("/live/show/whep?rendition=480p", "application/sdp", page::OFFER);
    assert_eq!(status, 404, "{why}");
    assert_eq!(ask(running.http(), "DELETE", &session, "", "").0, 200);
    wait_for("the end of the session", LIMIT, || {
        ask(running.http(), "DELETE", &session, "", "").0 == 404
    });
    assert_eq!(running.viewers(), 0, "it never was a viewer");
}

#[test]
fn streams_that_browsers_do_not_play_are_refused_with_the_reason() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let publisher = running.publish(&["-tune", "film", "-bf", "2", "-b_strategy", "0"]);
    let refused = || {
        let http = running.http();
        let (status, _, why) = ask(http, "POST", "/live/show/whep", "application/sdp", page::OFFER);
        (status == 415).then_some(why)
    };
    let mut why = None;
    wait_for("B-frames to be seen", LIMIT, || {
        why = refused();
        why.is_some()
    });
    assert!(why.as_ref().unwrap().contains("B-frames"), "{why:?}");
    drop(publisher);
    let off = start_with(|config| config.webrtc = None);
    let (status, _, why) =
        ask(off.http(), "POST", "/live/show/whep", "application/sdp", page::OFFER);
    assert_eq!(status, 404);
    assert!(why.contains("`webrtc`"), "{why}");
}

#[test]
fn the_operator_ends_a_viewer() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.http_token = Some(Secret::new("t0ken")));
    let _publisher = running.publish(&NO_B_FRAMES);
    let page = PageServer::start(running.http());
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    browser.wait("a viewer", || running.viewers() == 1);
    let mut id = None;
    while let Ok(event) = running.server.events().try_recv() {
        if let Event::Join(peer) = event {
            id = Some(peer.id);
        }
    }
    let path = format!("/api/v1/viewers/{}", id.unwrap());
    assert_eq!(ask(running.http(), "DELETE", &path, "", "").0, 401);
    let head = peers::web::ask_with(
        running.http(),
        "DELETE",
        &path,
        "Authorization: Bearer t0ken\r\nConnection: close\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 204"), "{head}");
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
}

#[test]
fn chromium_plays_av1_as_published_and_a_player_without_it_gets_the_reason() {
    let Some(ffmpeg) = crate::enhanced::new_ffmpeg() else { return };
    if peers::missing(&["chromium"]) {
        return;
    }
    let running = start_with(|_| ());
    let url = format!("rtmp://{}/live/show", running.server.addresses().rtmp);
    let mut command = Command::new(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-v", "error", "-re"]);
    command.args(["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=30"]);
    command.args(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]);
    command.args(["-c:v", "libsvtav1", "-preset", "12", "-g", "30", "-pix_fmt", "yuv420p"]);
    command.args(["-svtav1-params", "pred-struct=1", "-c:a", "aac", "-ac", "2", "-f", "flv", &url]);
    let _publisher = Peer::start_command(&mut command);
    wait_for("the stream", LIMIT, || {
        let streams = running.server.streams();
        let mut publishers = streams.iter().filter_map(|it| it.publisher.as_ref());
        publishers.any(|it| it.video.is_some())
    });
    let page = PageServer::start(running.http());
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    browser.wait("frames decoded in Chromium", || {
        last(&page.reports())["framesDecoded"].as_u64() > Some(90)
    });
    let report = last(&page.reports());
    assert!(report["videoCodec"].as_str().unwrap().starts_with("video/AV1"), "{report}");
    assert_eq!((report["width"].as_u64(), report["height"].as_u64()), (Some(320), Some(180)));
    let (status, _, why) =
        ask(running.http(), "POST", "/live/show/whep", "application/sdp", page::OFFER);
    assert_eq!(status, 415, "{why}");
    assert!(why.starts_with("The video codec of this stream is AV1. "), "{why}");
}
