//! Tests of the built-in server's protection against web pages of other sites, connection floods,
//! guessed keys and clients that hold resources.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::{ANY, Running, headers, sound, start, start_with, video};
use crate::peers::client::Client;
use crate::peers::resources::Resources;
use crate::peers::{LIMIT, wait_for};
use bytes::Bytes;
use onair::base::Secret;
use onair::net::rtmp::Options;
use onair::net::web::WebUrl;
use onair::server::access::{CallKind, CallbackRules, Dialect};
use onair::server::relay::{Direction, RelayRule, RelayTarget};
use onair::server::{OwnStream, Server};
use onair::wire::amf0::Value;
use onair::wire::rtmp::client::{Config, Event};
use onair::wire::rtmp::url::Url;

/// Returns the whole response to a request with these header lines, in lower case.
fn asked(running: &Running, request: &str, fields: &str) -> String {
    let mut stream = TcpStream::connect(running.http()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let head = format!("{request} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).to_lowercase()
}

fn published(running: &Running, path: &str) -> Client {
    let mut publisher = running.publish(path);
    headers().iter().for_each(|tag| publisher.send(tag));
    publisher.send(&video(0x17, 1, 0, 100));
    wait_for("the stream", LIMIT, || {
        running.server.streams().iter().any(|it| it.publisher.is_some())
    });
    publisher
}

const WEBSOCKET: &str = "Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";

#[test]
fn pages_that_rebind_a_name_or_come_from_elsewhere_get_nothing() {
    let running = start_with(|config| config.http_names = vec!["studio.example".into()]);
    let _publisher = published(&running, "live/onair");
    for request in [
        "GET /",
        "GET /healthz",
        "GET /metrics",
        "GET /api/v1/streams",
        "GET /live/onair.flv",
        "DELETE /api/v1/streams/live/onair",
        "OPTIONS /",
        "GET /live/onair/chat",
        "GET /nothing",
    ] {
        let rebound = asked(&running, request, "Host: evil.example\r\n");
        assert!(rebound.starts_with("http/1.1 421"), "{request}: {rebound}");
        let foreign =
            asked(&running, request, "Host: localhost\r\nOrigin: http://evil.example\r\n");
        assert!(foreign.starts_with("http/1.1 403"), "{request}: {foreign}");
    }
    for path in ["/live/onair.flv", "/live/onair/chat"] {
        let fields = format!("Host: localhost\r\nOrigin: http://evil.example\r\n{WEBSOCKET}");
        let socket = asked(&running, &format!("GET {path}"), &fields);
        assert!(socket.starts_with("http/1.1 403"), "{path}: {socket}");
    }
    for host in ["127.0.0.1:80", "[::1]", "localhost:1", "studio.example"] {
        let known = asked(&running, "GET /healthz", &format!("Host: {host}\r\n"));
        assert!(known.starts_with("http/1.1 200"), "{host}: {known}");
    }
    // A cross-site request from a media element has no `Origin`.
    let part = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n";
    assert!(asked(&running, "GET /live/onair.flv", part).starts_with("http/1.1 403"));
    let link = "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
    assert!(asked(&running, "GET /", link).starts_with("http/1.1 200"));
    // The same rules apply to RTMP tunneled over HTTP.
    for fields in ["Host: evil.example\r\n", "Host: localhost\r\nOrigin: http://evil.example\r\n"] {
        let mut stream = TcpStream::connect(running.rtmp()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let open = format!("POST /open/1 HTTP/1.1\r\n{fields}Content-Length: 1\r\n\r\n\0");
        stream.write_all(open.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(
            answer.starts_with(b"HTTP/1.1 403"),
            "{fields}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[test]
fn a_request_has_one_host_and_that_of_its_uri_counts() {
    let running = start_with(|config| config.http_names = vec!["studio.example".into()]);
    let here = "Host: localhost\r\n";
    for (request, fields, status) in [
        ("GET /healthz", "Host: localhost\r\nHost: evil.example\r\n", "400"),
        ("GET /api/v1/streams", "Host: localhost\r\nHost: localhost\r\n", "400"),
        ("GET http://evil.example/healthz", here, "421"),
        ("GET http://evil.example/api/v1/streams", here, "421"),
        ("GET http://a@localhost/healthz", here, "400"),
        ("GET http://studio.example:8088/healthz", "Host: evil.example\r\n", "200"),
        ("GET http://localhost/healthz", "", "200"),
    ] {
        let answer = asked(&running, request, fields);
        assert!(answer.starts_with(&format!("http/1.1 {status}")), "{request}: {answer}");
    }
    // The page of a host that only the URI names is of here.
    let page = "Host: evil.example\r\nOrigin: http://evil.example\r\n";
    let foreign = asked(&running, "GET http://localhost/healthz", page);
    assert!(foreign.starts_with("http/1.1 403"), "{foreign}");
    let mut tunnel = TcpStream::connect(running.rtmp()).unwrap();
    tunnel.set_read_timeout(Some(LIMIT)).unwrap();
    let open = format!("POST /open/1 HTTP/1.1\r\n{here}{here}Content-Length: 1\r\n\r\n\0");
    tunnel.write_all(open.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = tunnel.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("nosniff"), "{answer}");
}

#[test]
fn browsers_must_not_guess_the_type_of_any_response() {
    let running = start();
    let _publisher = published(&running, "live/onair");
    for request in [
        "GET /",
        "GET /healthz",
        "GET /metrics",
        "GET /api/v1/streams",
        "GET /api/v1/none",
        "DELETE /api/v1/streams/live/onair",
        "OPTIONS /live/onair/whep",
        "POST /live/onair/whep",
        "HEAD /live/onair.flv",
        "GET /live/onair.m3u8",
        "GET /live/onair.mpd",
        "GET /live/onair/state",
        "GET /watch/live/onair",
        "GET /live/none.flv",
        "GET /nothing",
        "PUT /healthz",
    ] {
        for host in ["localhost", "evil.example"] {
            let answer = asked(&running, request, &format!("Host: {host}\r\n"));
            let count = answer.matches("\r\nx-content-type-options: nosniff\r\n").count();
            assert_eq!(count, 1, "{request} {host}: {answer}");
        }
    }
}

#[test]
fn a_connection_ends_with_a_refused_upgrade() {
    let running = start_with(|config| config.http_names = vec!["cache.example".into()]);
    let _publisher = published(&running, "live/onair");
    let next = "GET /api/v1/viewers HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (request, host) in [
        ("GET /live/none/state", "cache.example"),
        ("GET /live/none.flv", "cache.example"),
        ("GET /watch/live/onair", "cache.example"),
        ("OPTIONS /", "cache.example"),
        ("GET /api/v1/none", "cache.example"),
        ("GET /live/onair.flv", "evil.example"),
    ] {
        let mut stream = TcpStream::connect(running.http()).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let text = format!("{request} HTTP/1.1\r\nHost: {host}\r\n{WEBSOCKET}\r\n{next}");
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        assert!(answer.contains("\r\nconnection: close\r\n"), "{request}: {answer}");
        assert_eq!(answer.matches("http/1.1 ").count(), 1, "{request}: {answer}");
    }
}

#[test]
fn every_answer_to_an_allowed_page_says_that_it_is_allowed() {
    let running = start_with(|config| config.cors = vec!["https://page.example".into()]);
    let _publisher = published(&running, "live/onair");
    let page = "Host: localhost\r\nOrigin: https://page.example\r\n";
    for (request, status) in [
        ("OPTIONS /live/onair.flv", "204"),
        ("GET /live/none.flv", "404"),
        ("GET /nothing", "404"),
        ("HEAD /live/onair.flv", "200"),
        ("GET /api/v1/streams", "200"),
    ] {
        let answer = asked(&running, request, page);
        assert!(answer.starts_with(&format!("http/1.1 {status}")), "{request}: {answer}");
        let allowed = "access-control-allow-origin: https://page.example\r\n";
        assert!(answer.contains(allowed), "{request}: {answer}");
    }
    // A page that is allowed may also read why a request failed.
    let wrong = "Host: other.example\r\nOrigin: https://page.example\r\n";
    let answer = asked(&running, "GET /api/v1/streams", wrong);
    assert!(answer.starts_with("http/1.1 421"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://page.example\r\n"), "{answer}");
    let answer = asked(&running, "DELETE /api/v1/streams/live/onair", page);
    assert!(answer.starts_with("http/1.1 403"), "{answer}");
    assert!(answer.contains("access-control-allow-origin: https://page.example\r\n"), "{answer}");
    let foreign = "Host: localhost\r\nOrigin: http://evil.example\r\n";
    let answer = asked(&running, "GET /api/v1/streams", foreign);
    assert!(answer.starts_with("http/1.1 403") && !answer.contains("access-control"), "{answer}");
    let head = asked(&running, "HEAD /live/onair.flv", "Host: localhost\r\n");
    assert!(!head.contains("content-length") && head.contains("video/x-flv"), "{head}");
    let plain = asked(&running, "OPTIONS /", "Host: localhost\r\n");
    assert!(plain.contains("204") && plain.contains("allow: get"), "{plain}");
    assert!(!plain.contains("access-control") && !plain.contains("accept-post"), "{plain}");
    let whep = asked(&running, "OPTIONS /live/onair/whep", "Host: localhost\r\n");
    assert!(whep.contains("accept-post: application/sdp\r\n"), "{whep}");
}

#[test]
fn only_who_knows_the_token_ends_a_stream() {
    let running = start_with(|config| config.http_token = Some(Secret::new("0123456789abcdef")));
    let mut publisher = published(&running, "live/told");
    let end = |fields: &str| {
        asked(&running, "DELETE /api/v1/streams/live/told", &format!("Host: localhost\r\n{fields}"))
    };
    assert!(end("").starts_with("http/1.1 401"));
    let wrong = end("Authorization: Bearer 0123456789abcdeX\r\n");
    assert!(wrong.starts_with("http/1.1 401"), "{wrong}");
    assert!(wrong.contains("the token is wrong: take it from the file"), "{wrong}");
    assert_eq!(running.server.streams().len(), 1);
    assert!(end("Authorization: Bearer 0123456789abcdef\r\n").starts_with("http/1.1 204"));
    while publisher.next().is_some() {}
    // A client that guesses tokens has to wait. A client with the right token does not.
    let guesses: Vec<String> =
        (0..8).map(|guess| end(&format!("Authorization: Bearer guess{guess}\r\n"))).collect();
    assert!(guesses.last().unwrap().starts_with("http/1.1 429"), "{guesses:?}");
    assert!(end("Authorization: Bearer 0123456789abcdef\r\n").starts_with("http/1.1 404"));

    let none = start();
    assert!(none.ask("DELETE", "/api/v1/streams/live/told").starts_with("HTTP/1.1 403"));
}

#[test]
fn half_a_request_is_not_waited_for() {
    let running = start_with(|config| config.limits.request = Duration::from_millis(1_500));
    let mut slow = TcpStream::connect(running.http()).unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let begun = Instant::now();
    let gone = |slow: &mut TcpStream| {
        slow.write_all(b"G").is_err()
            || matches!(slow.read(&mut [0; 64]), Ok(0))
            || slow.take_error().unwrap().is_some()
    };
    while !gone(&mut slow) {
        assert!(begun.elapsed() < LIMIT, "a byte now and then holds the connection");
    }
    // A viewer sends no further requests, and stays connected.
    let mut publisher = published(&running, "live/long");
    let mut viewer = TcpStream::connect(running.http()).unwrap();
    viewer.set_read_timeout(Some(LIMIT)).unwrap();
    viewer.write_all(b"GET /live/long.flv HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    std::thread::sleep(Duration::from_millis(2_500));
    publisher.send(&sound(1, 5_000));
    assert_eq!(running.viewers(), 1);
}

/// Waits until the server has accepted all connections of a flood that sends nothing: at a limit of 64
/// connections, it keeps at most eight of them.
fn wait_until_accepted(flood: &[TcpStream]) {
    let is_open = |stream: &&TcpStream| {
        stream.set_nonblocking(true).unwrap();
        stream.peek(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    };
    wait_for("the flood", LIMIT, || flood.iter().filter(is_open).count() <= 8);
}

#[test]
fn a_flood_keeps_neither_publishers_nor_requests_out() {
    drop(start());
    let held = Resources::of_this_test();
    let running = start_with(|config| {
        config.limits.connections = 64;
        config.publish_keys = vec![Secret::new("right")];
    });
    let idle = || TcpStream::connect(running.rtmp());
    let mut flood: Vec<TcpStream> = (0..300).filter_map(|_| idle().ok()).collect();
    let mut publisher = running.publish("live/show?key=right");
    flood.extend((0..300).filter_map(|_| idle().ok()));
    // Each port accepts its clients in order. A flood that the other port accepts later is newer than
    // the request, and evicts it.
    wait_until_accepted(&flood);
    let pages = || TcpStream::connect(running.http());
    flood.extend((0..300).filter_map(|_| pages().ok()));
    publisher.send(&sound(1, 1));
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
    // A flood of players does not keep requests out either.
    let players: Vec<Client> = (0..80)
        .map(|_| {
            let url = Url::parse(&running.url("live/show")).unwrap();
            let mut player = Client::new(Config::play(url));
            while !matches!(player.next(), None | Some(Event::PlayStarted)) {}
            player
        })
        .collect();
    assert!(running.viewers() < 64, "{}", running.viewers());
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
    drop(running.publish("live/second?key=right"));
    drop((flood, players));
    wait_for("the end of the flood", LIMIT, || running.viewers() == 0);
    drop((publisher, running));
    held.inspect(|held| held.returned("a flood"));
}

#[test]
fn a_flood_of_begun_handshakes_keeps_no_publisher_out() {
    let running = start_with(|config| config.limits.connections = 64);
    let begun = || {
        let mut stream = TcpStream::connect(running.rtmp())?;
        // The version, with which the handshake begins.
        stream.write_all(&[3]).map(|()| stream)
    };
    let flood: Vec<TcpStream> = (0..300).filter_map(|_| begun().ok()).collect();
    drop(running.publish("live/show"));
    drop((flood, running));
}

#[test]
fn players_who_wait_keep_no_publisher_out() {
    drop(start());
    let held = Resources::of_this_test();
    let running =
        start_with(|config| (config.limits.streams, config.limits.waiting_names) = (8, 5));
    let waiting: Vec<Client> = (0..12)
        .map(|number| {
            let url = Url::parse(&running.url(&format!("live/none{number}"))).unwrap();
            let mut player = Client::new(Config::play(url));
            while !matches!(player.next(), None | Some(Event::PlayStarted)) {}
            player
        })
        .collect();
    wait_for("those who may wait", LIMIT, || running.viewers() == 5);
    let publishers: Vec<Client> = (0..8)
        .map(|number| {
            let mut publisher = running.publish(&format!("live/show{number}"));
            publisher.send(&sound(1, 1));
            publisher
        })
        .collect();
    drop((waiting, publishers, running));
    held.inspect(|held| held.returned("players who wait"));
}

#[test]
fn a_viewer_that_waits_too_long_learns_that_nobody_publishes() {
    let running = start_with(|config| config.limits.waiting_viewer = Duration::from_secs(1));
    let mut player = running.play("live/none");
    while player.next().is_some() {}
    let why = player.failed.unwrap();
    assert!(why.contains("Nobody publishes"), "{why}");
}

#[test]
fn a_request_that_waits_for_a_pull_gets_an_answer_after_its_time_limit() {
    // The other server accepts the connection, but no more.
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("rtmp://{}/live", other.local_addr().unwrap());
    let running = start_with(|config| {
        config.limits.request = Duration::from_millis(500);
        config.relays = vec![RelayRule {
            direction: Direction::Pull,
            streams: "live/*".to_owned(),
            on_demand: true,
            targets: vec![RelayTarget::parse(&target, None).unwrap()],
            linger: RelayRule::DEFAULT_LINGER,
            options: Options { handshake_limit: Duration::from_secs(2), ..Options::default() },
        }];
    });
    let answer = asked(&running, "GET /live/show.flv", "Host: localhost\r\n");
    assert!(answer.starts_with("http/1.1 404"), "{answer}");
}

#[test]
fn a_request_that_waits_for_a_callback_gets_an_answer_after_its_time_limit() {
    // The receiver accepts the connection, but no more.
    let receiver = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/play", receiver.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let running = start_with(|config| {
        config.limits.request = Duration::from_secs(1);
        config.record = Some(folder.path().to_owned());
        config.access.others.callbacks = Some(CallbackRules {
            dialect: Dialect::Nginx,
            urls: [(CallKind::Play, WebUrl::parse(&url).unwrap())].into(),
            timeout: Duration::from_secs(2),
            accepts_without_answer: true,
        });
    });
    for path in ["/live/show.flv", "/vod/live-show%202026-11-25%2018-00-00.m3u8"] {
        let answer = asked(&running, &format!("GET {path}"), "Host: localhost\r\n");
        assert!(answer.starts_with("http/1.1 404"), "{path} {answer}");
    }
}

#[test]
fn what_a_slow_viewer_does_not_take_costs_little_memory() {
    drop(start());
    let held = Resources::of_this_test();
    let running = start();
    let mut publisher = published(&running, "live/huge");
    // This viewer does not read.
    let slow = running.play("live/huge");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    let before = resident();
    let mut most = 0;
    for number in 0..300_u32 {
        let text = "x".repeat(1_000_000) + &number.to_string();
        publisher.session.send_metadata(Value::object([("title", text.as_str().into())]));
        publisher.pump();
        most = most.max(resident().saturating_sub(before));
    }
    assert!(most < 128 << 20, "{} MiB more", most >> 20);
    drop(slow);
    // An oversized codec config ends the publication.
    publisher.send(&(
        onair::wire::container::flv::TagKind::Video,
        1,
        Bytes::from(vec![0x17; 2 << 20]),
    ));
    while publisher.next().is_some() {}
    assert!(publisher.failed.is_some());
    drop((publisher, running));
    held.inspect(|held| held.returned("a slow viewer"));
}

/// Returns the resident memory of this process in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

#[test]
fn the_programs_own_stream_has_a_key_that_nobody_else_knows() {
    let own =
        |key: &str| OwnStream { app: "live".into(), stream: "onair".into(), key: Secret::new(key) };
    let running = start_with(|config| config.own_stream = Some(own("of-this-run")));
    for path in ["live/onair", "live/onair?key=guess", "live/onair?key=of-this-run2"] {
        let url = Url::parse(&running.url(path)).unwrap();
        let mut thief = Client::new(Config::publish(url, onair::media::BitsPerSecond(1_000_000)));
        while thief.next().is_some() {}
        let why = thief.failed.unwrap();
        assert!(why.contains("key is wrong"), "{path}: {why}");
    }
    let mut publisher = running.publish("live/onair?key=of-this-run");
    publisher.send(&sound(1, 1));
    drop(running.play("live/onair"));
    drop(running.publish("live/other"));
    // onair watches its own stream with this key, and is not one of its viewers.
    wait_for("nobody", LIMIT, || running.viewers() == 0);
    let own = running.play("live/onair?key=of-this-run");
    assert_eq!(running.viewers(), 0);
    let viewer = running.play("live/onair");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    drop((own, viewer));
}

#[test]
fn wrong_keys_are_slowed_down() {
    let running = start_with(|config| config.publish_keys = vec![Secret::new("right")]);
    let answer = |key: &str| {
        let url = Url::parse(&running.url(&format!("live/a?key={key}"))).unwrap();
        let mut client = Client::new(Config::publish(url, onair::media::BitsPerSecond(1_000_000)));
        loop {
            match client.next() {
                Some(Event::PublishStarted) => return "in".to_owned(),
                Some(_) => {}
                None => return client.failed.unwrap_or_default(),
            }
        }
    };
    let answers: Vec<String> = (0..8).map(|number| answer(&format!("guess{number}"))).collect();
    assert!(answers.last().unwrap().contains("Too many wrong keys"), "{answers:?}");
    // After the wait, the server accepts the right key.
    wait_for("the end of the wait", LIMIT, || answer("right") == "in");
    let _: (&Server, &str) = (&running.server, ANY);
}
