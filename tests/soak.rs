//! Soak test of a busy server: one hour of load in a short time. Clients join and leave, publishers
//! disappear, readers are slow or silent, connections stay half-open, and packets flood the WebRTC
//! port. One undisturbed stream must lose nothing. After each round, the server has as many
//! descriptors and about as much memory as before.
//!
//! By default, the test runs a twentieth of the load. `ONAIR_SOAK=20` runs all of it and takes some
//! minutes.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use onair::net::listener::descriptors;
use onair::wire::container::flv::TagKind;

use crate::peers::client::Client;
use crate::peers::resources::Resources;
use crate::peers::{self, LIMIT, Onair, ffmpeg, free_port, wait_for, web};
use crate::random::Random;
use crate::whep::page::OFFER;

/// The interval between frames of the undisturbed stream.
const FRAME: Duration = Duration::from_millis(40);
/// A frame number that marks the last frame.
const LAST: u32 = u32::MAX;
/// Number of half-open connections at the same time, after the rounds.
const CROWD: usize = 10_000;
/// Datagrams per flood.
const FLOOD: usize = 2_500;

struct Soak {
    server: Onair,
    rtmp: String,
    http: String,
    webrtc: u16,
    random: Random,
}

impl Soak {
    fn start() -> Self {
        let webrtc = free_port();
        let at = format!("127.0.0.1:{webrtc}");
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0", "--webrtc", &at];
        let mut server = Onair::start(&words);
        let ready = server.wait_named("ready");
        let host =
            |name: &str| ready[name].as_str().unwrap().split_once("://").unwrap().1.to_owned();
        let (rtmp, http) = (host("rtmp"), host("http"));
        Self { server, rtmp, http, webrtc, random: Random(0x50A4) }
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp)
    }

    /// Sends a request and returns without waiting for the response.
    fn request(&self, path: &str) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(&self.http).ok()?;
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        let get = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.write_all(get.as_bytes()).ok()?;
        Some(stream)
    }
}

fn config() -> (TagKind, u32, Bytes) {
    (TagKind::Video, 0, Bytes::from_static(&[0x17, 0, 0, 0, 0, 1, 2, 3]))
}

/// A frame with a number, and a keyframe every second.
fn frame(number: u32, size: usize) -> (TagKind, u32, Bytes) {
    let kind = if number.is_multiple_of(25) { 0x17 } else { 0x27 };
    let mut body = vec![kind, 1, 0, 0, 0];
    // Small numbers in the other order are start codes.
    body.extend(number.to_le_bytes());
    body.resize(size, 7);
    (TagKind::Video, number * 40, Bytes::from(body))
}

/// A stream that must continue without interruption, and a viewer that gets every frame.
struct Undisturbed {
    ends: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    publisher: JoinHandle<()>,
    viewer: JoinHandle<(u32, Duration)>,
}

impl Undisturbed {
    fn start(soak: &Soak) -> Self {
        let url = soak.url("live/undisturbed");
        let (ends, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU32::new(0)));
        let mut publishing = Client::publish(&url);
        publishing.send(&config());
        let mut viewing = Client::play(&url);
        let (over, count) = (Arc::clone(&ends), Arc::clone(&sent));
        let publisher = thread::spawn(move || {
            let begun = Instant::now();
            let mut number = 0_u32;
            while !over.load(Ordering::Acquire) || !number.is_multiple_of(25) {
                publishing.send(&frame(number, 2_000));
                assert_eq!(publishing.failed, None, "the publisher is disturbed");
                number += 1;
                count.store(number, Ordering::Release);
                thread::sleep((FRAME * number).saturating_sub(begun.elapsed()));
            }
            let last = [&[0x27, 1, 0, 0, 0][..], &LAST.to_le_bytes()].concat();
            publishing.send(&(TagKind::Video, number * 40, Bytes::from(last)));
            // The publisher stays until the viewer has everything.
            while publishing.next().is_some() {}
        });
        let viewer = thread::spawn(move || {
            let (mut expected, mut longest, mut last) = (0, Duration::ZERO, Instant::now());
            loop {
                let (_, _, body) = viewing.media();
                let Some(number) = body.get(5..9).filter(|_| body[1] == 1) else { continue };
                let number = u32::from_le_bytes(number.try_into().unwrap());
                if number == LAST {
                    return (expected, longest);
                }
                assert_eq!(number, expected, "a frame is missing");
                longest = longest.max(last.elapsed());
                (expected, last) = (expected + 1, Instant::now());
            }
        });
        Self { ends, sent, publisher, viewer }
    }

    /// Ends the stream, and checks that the viewer got every frame.
    fn end(self, soak: &Soak) {
        self.ends.store(true, Ordering::Release);
        let (received, longest) = self.viewer.join().expect("the viewer");
        assert_eq!(received, self.sent.load(Ordering::Acquire));
        println!("undisturbed: {received} frames, at most {longest:?} apart");
        let path = "/api/v1/streams/live/undisturbed";
        assert!(received > 0 && web::ask(soak.http.as_str(), "GET", path).contains("200 OK"));
        drop(self.publisher);
    }
}

/// Viewers that join and leave over RTMP, HTTP-FLV, WebSocket and HLS.
fn joins_and_leaves(soak: &mut Soak) {
    for number in 0..200 {
        match number % 4 {
            0 => drop(Client::play(&soak.url("live/show"))),
            1 => drop(soak.request("/live/show.flv")),
            2 => drop(soak.request("/live/show/hls/main.m3u8")),
            _ => {
                let mut joined = soak.request("/live/show.flv");
                let _ = joined.as_mut().map(|it| it.read(&mut [0; 4_096]));
            }
        }
    }
}

/// Publishers that disappear in the middle, some while viewers wait for their stream.
fn dying_publishers(soak: &mut Soak) {
    for number in 0..20 {
        let url = soak.url(&format!("live/dying{}", number % 3));
        let waiting = soak.random.below(2) == 0;
        let viewer = waiting.then(|| Client::play(&url));
        let mut publisher = Client::publish(&url);
        publisher.send(&config());
        for frame_number in 0..soak.random.below(40) as u32 {
            publisher.send(&frame(frame_number, 500));
        }
        drop(publisher);
        drop(viewer);
    }
}

/// Viewers of a heavy stream that read nothing, or little at a time.
fn slow_and_silent_readers(soak: &mut Soak) {
    let url = soak.url("live/heavy");
    let mut publisher = Client::publish(&url);
    publisher.send(&config());
    publisher.send(&frame(0, 200_000));
    let silent: Vec<_> = (0..10).map(|_| Client::play(&url)).collect();
    let slow: Vec<_> = (0..10).filter_map(|_| soak.request("/live/heavy.flv")).collect();
    for number in 1..100 {
        publisher.send(&frame(number, 200_000));
        for mut stream in &slow {
            let _ = stream.read(&mut [0; 1_000]);
        }
    }
    drop((silent, slow));
}

fn half_open_connections(soak: &mut Soak) {
    drop(open_halfway(soak, 500));
}

/// Opens connections that stop halfway: without a byte, within the RTMP handshake, or within an HTTP
/// request.
fn open_halfway(soak: &Soak, count: usize) -> Vec<TcpStream> {
    let mut open = Vec::new();
    for number in 0..count {
        let address = if number % 2 == 0 { &soak.rtmp } else { &soak.http };
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        let begun: &[u8] = match number % 4 {
            0 => &[3, 0, 0, 0, 0],
            1 => b"GET /live/show.flv HTTP/1.1\r\nHost: loc",
            _ => &[],
        };
        let _ = stream.write_all(begun);
        open.push(stream);
    }
    open
}

/// Keeps many half-open connections at the same time, if this process may have as many sockets. The
/// server closes the oldest ones, and serves others.
fn half_open_crowd(soak: &Soak) {
    let files = descriptors::limit();
    if files < CROWD as u64 + 500 {
        let few = format!("{files} open files are too few for {CROWD} half-open connections");
        peers::skipped_even_in_ci(&few);
        return;
    }
    let since = Instant::now();
    let open = open_halfway(soak, CROWD);
    assert_eq!(open.len(), CROWD, "all are open");
    assert!(web::ask(soak.http.as_str(), "GET", "/healthz").contains("200 OK"));
    println!("{CROWD} half-open connections took {:?}", since.elapsed());
}

/// Sends datagrams to the WebRTC port from several sockets; the server must answer none of them.
fn flood(soak: &mut Soak, datagram: impl Fn(&mut Random) -> Vec<u8>) {
    let sockets: Vec<_> = (0..8).map(|_| UdpSocket::bind("127.0.0.1:0").unwrap()).collect();
    for number in 0..FLOOD {
        let bytes = datagram(&mut soak.random);
        let _ = sockets[number % sockets.len()].send_to(&bytes, ("127.0.0.1", soak.webrtc));
    }
    wait_for("a server that answers", LIMIT, || {
        web::ask(soak.http.as_str(), "GET", "/healthz").contains("200 OK")
    });
    for socket in &sockets {
        socket.set_nonblocking(true).unwrap();
        // A datagram from another process may arrive at a reused port.
        while let Ok((length, from)) = socket.recv_from(&mut [0; 2_048]) {
            assert_ne!(from.port(), soak.webrtc, "strangers get no answer: {length} bytes");
        }
    }
}

fn random_bytes(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.next() as u8).collect()
}

/// Binding requests (RFC 8489 §5) with unknown user names.
fn stun_flood(soak: &mut Soak) {
    flood(soak, |random| {
        let user = format!("{:016x}:viewer00", random.next());
        let mut attributes = vec![0, 6, 0, user.len() as u8];
        attributes.extend(user.as_bytes());
        attributes.resize(attributes.len().next_multiple_of(4), 0);
        // USE-CANDIDATE, and MESSAGE-INTEGRITY with a random value.
        attributes.extend([0, 0x25, 0, 0, 0, 8, 0, 20]);
        attributes.extend(random_bytes(random, 20));
        let mut message = vec![0, 1];
        message.extend((attributes.len() as u16).to_be_bytes());
        message.extend([0x21, 0x12, 0xA4, 0x42]);
        message.extend(random_bytes(random, 12));
        message.extend(attributes);
        message
    });
}

/// ClientHellos (RFC 6347 §4.2) and records of other types, some of them truncated.
fn dtls_flood(soak: &mut Soak) {
    flood(soak, |random| {
        let length = 60 + random.below(200);
        let mut record = vec![20 + random.below(5) as u8, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 1];
        record.extend((length as u16).to_be_bytes());
        record.extend([1, 0, 0, length as u8, 0, 0, 0, 0, 0, 0, 0, length as u8, 0xFE, 0xFD]);
        let rest = length - random.below(40);
        record.extend(random_bytes(random, rest));
        record
    });
}

/// RTP and RTCP without a session.
fn rtp_flood(soak: &mut Soak) {
    flood(soak, |random| {
        let mut packet = vec![0x80, if random.below(2) == 0 { 96 } else { 200 }];
        let length = 10 + random.below(1_200);
        packet.extend(random_bytes(random, length));
        packet
    });
}

/// WHEP sessions to which no client connects.
fn half_open_sessions(soak: &mut Soak) {
    // Main profile: if the browser could decode only Baseline, the server would have to encode.
    let offer = OFFER.replace("42e01f", "4d001f");
    let begun = (0..40).filter(|_| {
        let mut stream = TcpStream::connect(&soak.http).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = "POST /live/show/whep HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                    Content-Type: application/sdp\r\nContent-Length:";
        let _ = write!(stream, "{head} {}\r\n\r\n{offer}", offer.len());
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.starts_with("HTTP/1.1 201")
    });
    assert!(begun.count() > 0, "sessions begin");
}

type Round = (&'static str, fn(&mut Soak));

const ROUNDS: [Round; 8] = [
    ("joins and leaves", joins_and_leaves),
    ("dying publishers", dying_publishers),
    ("slow and silent readers", slow_and_silent_readers),
    ("half-open connections", half_open_connections),
    ("half-open WHEP sessions", half_open_sessions),
    ("a flood of STUN", stun_flood),
    ("a flood of DTLS", dtls_flood),
    ("a flood of RTP", rtp_flood),
];

#[test]
fn a_stream_goes_on_undisturbed_beside_an_hour_of_others() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let turns = std::env::var("ONAIR_SOAK").ok().and_then(|it| it.parse().ok()).unwrap_or(1);
    let mut soak = Soak::start();
    let options = ["-vf", "scale=320:180", "-r", "10", "-g", "10", "-bf", "0"];
    let _publisher = ffmpeg::publish_with(&soak.url("live/show"), None, &options);
    wait_for("HLS", LIMIT, || {
        web::ask(soak.http.as_str(), "GET", "/live/show/hls/main.m3u8").contains("200 OK")
    });
    let undisturbed = Undisturbed::start(&soak);
    // Buffers and threads that remain are created on first use.
    for (_, round) in ROUNDS {
        round(&mut soak);
    }
    let peer = soak.server.peer.id();
    wait_for("the end of the sessions", LIMIT, || {
        let events = soak.server.events();
        let count = |name: &str| events.iter().filter(|it| it["event"] == name).count();
        count("join") <= count("leave") + 1
    });
    let start = Resources::of(peer);
    for turn in 1..=turns {
        for (name, round) in ROUNDS {
            let since = Instant::now();
            round(&mut soak);
            println!("{turn}: {name} took {:?}", since.elapsed());
        }
        start.returned(&format!("turn {turn}"));
    }
    half_open_crowd(&soak);
    start.returned("the half-open crowd");
    undisturbed.end(&soak);
}
