//! Test of hostile peers of a running server. After each round, the server holds as many
//! descriptors and about as much memory as before. `peers/resources` defines how much may remain.

use std::io::{Read, Write};
use std::net::TcpStream;
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
