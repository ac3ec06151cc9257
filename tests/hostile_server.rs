//! Test of hostile peers of a running server. After each round, the server holds as many
//! descriptors and about as much memory as before. `peers/resources` defines how much may remain.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use onair::media::BitsPerSecond;
use onair::wire::amf0::Value;
use onair::wire::container::flv::TagKind;
use onair::wire::rtmp::client::{Config, Event};
use onair::wire::rtmp::url::Url;

use crate::peers::client::Client;
use crate::peers::resources::Resources;
use crate::peers::{LIMIT, Onair, wait_for, web};
use crate::random::Random;

/// A server, and where it listens.
struct Served {
    server: Onair,
    rtmp: String,
    http: String,
}

impl Served {
    fn start() -> Self {
        let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        let mut server = Onair::start(&words);
        let ready = server.wait_named("ready");
        let host =
            |name: &str| ready[name].as_str().unwrap().split_once("://").unwrap().1.to_owned();
        Self { rtmp: host("rtmp"), http: host("http"), server }
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp)
    }

    fn is_well(&self) -> bool {
        web::ask(self.http.as_str(), "GET", "/healthz").contains("200 OK")
    }
}

/// Opens connections to both ports; skips those that the server refuses.
fn connections(served: &Served, number: usize) -> Vec<TcpStream> {
    let addresses = [&served.rtmp, &served.http].into_iter();
    let all = addresses.flat_map(|address| std::iter::repeat_n(address, number));
    all.filter_map(|address| TcpStream::connect(address).ok()).collect()
}

fn who_says_nothing(served: &Served) {
    drop(connections(served, 300));
}

fn half_a_request(served: &Served) {
    let mut flood = connections(served, 100);
    for stream in &mut flood {
        let _ = stream.write_all(b"GET /live/show.flv HTTP/1.1\r\nHost: loc");
    }
}

/// Handshakes followed by random bytes.
fn garbage(served: &Served) {
    let mut random = Random(0x5EED);
    for _ in 0..150 {
        let Ok(mut stream) = TcpStream::connect(&served.rtmp) else { continue };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
        let mut bytes = vec![3_u8];
        bytes.extend((0..1_536 * 2 + random.below(9_000)).map(|_| random.next() as u8));
        let _ = stream.write_all(&bytes);
        let _ = stream.read(&mut [0; 4_096]);
    }
}

fn players_of_nothing(served: &Served) {
    let player = |number: u32| {
        let url = Url::parse(&served.url(&format!("live/none{number}"))).unwrap();
        let mut player = Client::new(Config::play(url));
        while !matches!(player.next(), None | Some(Event::PlayStarted)) {}
        player
    };
    drop((0..60).map(player).collect::<Vec<_>>());
}

/// A player that does not read, and a publisher that repeats a megabyte.
fn hoarding(served: &Served) {
    let url = served.url("live/huge");
    let mut publisher = Client::publish(&url);
    let slow = Client::play(&url);
    for number in 0..80_u32 {
        let text = "x".repeat(1_000_000) + &number.to_string();
        publisher.session.send_metadata(Value::object([("title", text.as_str().into())]));
        publisher.pump();
    }
    drop((publisher, slow));
}

/// Codec configs of half a megabyte, each different.
fn large_configs(served: &Served) {
    let url = Url::parse(&served.url("live/large")).unwrap();
    let mut publisher = Client::new(Config::publish(url, BitsPerSecond(50_000_000)));
    while !matches!(publisher.next(), None | Some(Event::PublishStarted)) {}
    for number in 0..40_u32 {
        let mut body = vec![0x17, 0, 0, 0, 0];
        body.resize(500_000, number as u8);
        publisher.send(&(TagKind::Video, number, Bytes::from(body)));
    }
}

/// Tunnels that are opened and then abandoned.
fn tunnels(served: &Served) {
    for _ in 0..80 {
        let Ok(mut stream) = TcpStream::connect(&served.rtmp) else { continue };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
        let open = "POST /open/1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n\0";
        let _ = stream.write_all(open.as_bytes());
        let _ = stream.read(&mut [0; 4_096]);
    }
}

/// HTTP viewers that disconnect in the middle.
fn viewers_who_go(served: &Served) {
    let mut publisher = Client::publish(&served.url("live/show"));
    publisher.send(&(TagKind::Video, 0, Bytes::from(vec![0x17, 0, 0, 0, 0, 1, 2, 3])));
    let mut key = vec![0x17, 1, 0, 0, 0];
    key.resize(200_000, 7);
    publisher.send(&(TagKind::Video, 0, Bytes::from(key)));
    let get = "GET /live/show.flv HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let viewer = || {
        let mut stream = TcpStream::connect(&served.http).ok()?;
        stream.write_all(get.as_bytes()).ok()?;
        Some(stream)
    };
    let viewers: Vec<_> = (0..60).filter_map(|_| viewer()).collect();
    wait_for("some viewers", LIMIT, || {
        let streams = web::ask(served.http.as_str(), "GET", "/api/v1/streams");
        streams.contains("live") && !viewers.is_empty()
    });
}

type Round = (&'static str, fn(&Served));

const ROUNDS: [Round; 8] = [
    ("connections that say nothing", who_says_nothing),
    ("half requests", half_a_request),
    ("garbage", garbage),
    ("players of nothing", players_of_nothing),
    ("a slow player of a megabyte of metadata", hoarding),
    ("large codec configs", large_configs),
    ("tunnels that are left alone", tunnels),
    ("viewers who go", viewers_who_go),
];

#[test]
fn a_server_gives_back_what_hostile_peers_made_it_take() {
    let served = Served::start();
    let idle = Resources::of(served.server.peer.id());
    // Buffers and threads that remain are created on first use.
    for (_, round) in ROUNDS {
        round(&served);
    }
    wait_for("a server that answers", LIMIT, || served.is_well());
    // The server has the descriptors of one that nobody has connected to.
    idle.returned("the first rounds");
    let start = Resources::of(served.server.peer.id());
    for (name, round) in ROUNDS {
        round(&served);
        start.returned(name);
        assert!(served.is_well(), "{name}");
    }
}

/// Sends the same request in many connections, which stay open.
fn requests(served: &Served, request: impl Fn(usize) -> String) -> Vec<TcpStream> {
    let send = |number| {
        let mut stream = TcpStream::connect(&served.http).ok()?;
        // The server may close the connection before it has everything.
        let _ = stream.write_all(request(number).as_bytes());
        Some(stream)
    };
    (0..300).filter_map(send).collect()
}

fn huge_headers(served: &Served) -> Vec<TcpStream> {
    let field = "a".repeat(390_000);
    requests(served, |_| format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {field}"))
}

/// The stream cannot be cut, so there is never a part.
fn reloads_that_wait(served: &Served) -> Vec<TcpStream> {
    requests(served, |number| {
        let path = format!("/live/steady/hls/main.m3u8?_HLS_msn={number}&_HLS_part=0");
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
    })
}

fn wrong_tokens(served: &Served) -> Vec<TcpStream> {
    requests(served, |number| {
        let fields = format!("Host: localhost\r\nAuthorization: Bearer wrong{number}\r\n");
        format!("DELETE /api/v1/viewers/1 HTTP/1.1\r\n{fields}\r\n")
    })
}

/// Returns the connections of an attack, which stay open.
type Attack = fn(&Served) -> Vec<TcpStream>;

/// Ends the threads of a test, also if it fails.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Publishes numbered frames until `stop`.
fn publish_steadily(mut publisher: Client, stop: &AtomicBool) {
    let mut number = 0_u32;
    while !stop.load(Ordering::Acquire) {
        let mut body = vec![if number == 0 { 0x17 } else { 0x27 }, 1, 0, 0, 0];
        body.extend(number.to_be_bytes());
        publisher.send(&(TagKind::Video, number * 20, Bytes::from(body)));
        number += 1;
        thread::sleep(Duration::from_millis(20));
    }
}

/// Counts the frames, of which none may be absent.
fn watch_steadily(mut viewer: Client, stop: &AtomicBool, received: &AtomicU32) {
    while !stop.load(Ordering::Acquire) {
        match viewer.next() {
            Some(Event::Video { body, .. }) if body.get(1) == Some(&1) => {
                let number = u32::from_be_bytes(body[5..9].try_into().unwrap());
                assert_eq!(number, received.load(Ordering::Acquire), "a frame is absent");
                received.store(number + 1, Ordering::Release);
            }
            Some(_) => {}
            None => return,
        }
    }
}

#[test]
fn hostile_requests_do_not_disturb_another_stream() {
    let served = Served::start();
    let mut publisher = Client::publish(&served.url("live/steady"));
    publisher.send(&(TagKind::Video, 0, Bytes::from(vec![0x17, 0, 0, 0, 0, 1, 2, 3])));
    let viewer = Client::play(&served.url("live/steady"));
    let (stop, received) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        let stopper = StopOnDrop(&stop);
        scope.spawn(|| publish_steadily(publisher, &stop));
        scope.spawn(|| watch_steadily(viewer, &stop, &received));
        let wait_frames = |name: &str| {
            let before = received.load(Ordering::Acquire);
            wait_for(name, LIMIT, || received.load(Ordering::Acquire) >= before + 50);
        };
        wait_frames("the first frames");
        let start = Resources::of(served.server.peer.id());
        let attacks: [(&str, Attack); 3] = [
            ("frames beside huge headers", huge_headers),
            ("frames beside reloads that wait", reloads_that_wait),
            ("frames beside wrong tokens", wrong_tokens),
        ];
        for (name, attack) in attacks {
            let held = attack(&served);
            wait_frames(name);
            let more = start.growth() >> 20;
            println!("{name}: {more} MiB more");
            assert!(more < 64, "{name}: {more} MiB more");
            assert!(served.is_well(), "{name}");
            drop(held);
        }
        drop(stopper);
    });
}

#[test]
fn headers_of_requests_are_limited() {
    let served = Served::start();
    let status = |fields: &str| {
        let mut stream = TcpStream::connect(&served.http).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!("GET /healthz HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n");
        // The server may close the connection before it has everything.
        let _ = stream.write_all(request.as_bytes());
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[9..]).into_owned()
    };
    assert_eq!(status(&format!("X: {}\r\n", "a".repeat(15 << 10))), "200");
    assert_eq!(status(&format!("X: {}\r\n", "a".repeat(16 << 10))), "431");
    let fields = |count: usize| (0..count).map(|it| format!("X-{it}: a\r\n")).collect::<String>();
    assert_eq!(status(&fields(90)), "200");
    assert_eq!(status(&fields(110)), "431");
}
