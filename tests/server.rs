//! Tests of the built-in server on real sockets, with onair's client session, hostile connections
//! and third-party programs.

mod drained;
mod guarded;
mod moved;
mod programs;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::peers::client::Client;
use crate::peers::{LIMIT, ffmpeg, others, wait_for, web};
use bytes::Bytes;
use onair::base::{Clock, Secret};
use onair::media::BitsPerSecond;
use onair::net::Runtime;
use onair::server::{Config, Event as ServerEvent, Listen, Server};
use onair::wire::container::flv::{Demuxer, FrameType, TagKind, parse_video};
use onair::wire::rtmp::client::{Config as ClientConfig, Event};
use onair::wire::rtmp::url::Url;

const ANY: &str = "127.0.0.1:0";

struct Running {
    server: Server,
    runtime: Runtime,
}

fn start_with(change: impl FnOnce(&mut Config)) -> Running {
    let any = Listen::exactly(ANY.parse().unwrap());
    let mut config = Config { rtmp: any, http: Some(any), ..Config::default() };
    change(&mut config);
    let runtime = Runtime::start().unwrap();
    let server = Server::start(&runtime, Clock::start(), config).unwrap();
    Running { server, runtime }
}

fn start() -> Running {
    start_with(|_| ())
}

impl Running {
    fn rtmp(&self) -> SocketAddr {
        self.server.addresses().rtmp
    }

    fn http(&self) -> SocketAddr {
        self.server.addresses().http.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("rtmp://{}/{path}", self.rtmp())
    }

    fn publish(&self, path: &str) -> Client {
        Client::publish(&self.url(path))
    }

    fn play(&self, path: &str) -> Client {
        Client::play(&self.url(path))
    }

    fn viewers(&self) -> usize {
        self.server.viewers()
    }

    /// The complete response to a GET or another method.
    fn ask(&self, method: &str, path: &str) -> String {
        web::ask(self.http(), method, path)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        assert!(self.server.shutdown(Duration::from_secs(30)), "everybody leaves in time");
        self.runtime.shutdown(Duration::from_secs(5));
    }
}

fn video(first: u8, packet_type: u8, time_ms: u32, length: usize) -> (TagKind, u32, Bytes) {
    let mut body = vec![first, packet_type, 0, 0, 0];
    body.extend((0..length).map(|at| (at as u32 * 7 + time_ms) as u8));
    (TagKind::Video, time_ms, body.into())
}

fn sound(packet_type: u8, time_ms: u32) -> (TagKind, u32, Bytes) {
    (TagKind::Audio, time_ms, vec![0xAF, packet_type, time_ms as u8, 9].into())
}

fn headers() -> [(TagKind, u32, Bytes); 2] {
    [video(0x17, 0, 0, 40), (TagKind::Audio, 0, vec![0xAF, 0, 0x11, 0x90].into())]
}

/// Two seconds with keyframes of odd sizes, and one enhanced body among them.
fn show() -> Vec<(TagKind, u32, Bytes)> {
    let mut all = Vec::new();
    for index in 0..60_u32 {
        let time = 1_000 + index * 33;
        all.push(match index % 30 {
            0 => video(0x17, 1, time, 65_531 + index as usize * 10_000),
            _ => video(0x27, 1, time, 3_000 + index as usize),
        });
        all.push(sound(1, time));
        if index == 10 {
            all.push((
                TagKind::Video,
                time,
                Bytes::from_static(b"\x91hvc1\x00\x00\x00relayed as it is"),
            ));
        }
    }
    all
}

#[test]
fn bodies_go_through_bit_by_bit_and_late_joiners_start_at_a_keyframe() {
    let running = start();
    let mut publisher = running.publish("live/show");
    headers().iter().for_each(|tag| publisher.send(tag));
    let mut early = running.play("live/show");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    let show = show();
    show.iter().for_each(|tag| publisher.send(tag));
    let sent: Vec<_> = headers().into_iter().chain(show.clone()).collect();
    let received: Vec<_> = sent.iter().map(|_| early.media()).collect();
    assert!(received == sent, "what comes out is what went in");

    // A late viewer gets the sequence headers, and then everything from the last keyframe on.
    let mut late = running.play("live/show");
    let from = show.iter().rposition(|(_, _, body)| body[0] == 0x17).unwrap();
    let expected: Vec<_> = headers().into_iter().chain(show[from..].iter().cloned()).collect();
    let received: Vec<_> = expected.iter().map(|_| late.media()).collect();
    assert!(received == expected, "the group of pictures");

    // The same over HTTP-FLV; the response ends when the publisher leaves.
    let mut stream = TcpStream::connect(running.http()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"GET /live/show.flv HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for("three viewers", LIMIT, || running.viewers() == 3);
    let more = sound(1, 9_000);
    publisher.send(&more);
    publisher.send(&video(0x27, 1, 9_000, 10));
    publisher.session.close();
    publisher.pump();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut demuxer = Demuxer::new();
    demuxer.push(&answer[at..]);
    let tags = std::iter::from_fn(|| demuxer.next_tag().unwrap());
    let received: Vec<_> = tags.map(|tag| (tag.kind, tag.time_ms, tag.body)).collect();
    let expected: Vec<_> = expected.into_iter().chain([more, video(0x27, 1, 9_000, 10)]).collect();
    assert!(received == expected, "HTTP-FLV: {} of {}", received.len(), expected.len());
    assert_eq!(demuxer.pending(), 0);
}

#[test]
fn a_player_waits_for_its_publisher_and_for_the_next_one() {
    let running = start();
    let mut viewer = running.play("live/later");
    for round in 0..2 {
        let mut publisher = running.publish("live/later");
        headers().iter().for_each(|tag| publisher.send(tag));
        let key = video(0x17, 1, 50, 100);
        publisher.send(&key);
        let times: Vec<_> = (0..3).map(|_| viewer.media()).collect();
        assert_eq!(times[2].2, key.2);
        if round == 1 {
            // The headers have the last time, because only media shows how far the times go on.
            let go_on = times[0].1 >= 50 && times[2].1 > 50;
            assert!(go_on, "times go on for who stays: {} {}", times[0].1, times[2].1);
        }
        publisher.session.close();
        publisher.pump();
        viewer.wait("the end of the stream", |event| *event == Event::StreamEof);
        viewer.wait("word of it", |event| *event == Event::Unpublished);
        wait_for("the publisher's end", LIMIT, || {
            running.server.streams().iter().all(|stream| stream.publisher.is_none())
        });
    }
    let names: Vec<_> = std::iter::from_fn(|| running.server.events().try_recv().ok())
        .map(|event| match event {
            ServerEvent::Publish(_) => "publish",
            ServerEvent::Unpublish(..) => "unpublish",
            ServerEvent::Join(_) => "join",
            ServerEvent::Leave(..) => "leave",
            ServerEvent::Fault(_) => "fault",
            ServerEvent::Recording(_) => "recording",
            ServerEvent::Relay(_) => "relay",
            ServerEvent::Drain { .. } => "drain",
            ServerEvent::Refused(_) => "refused",
            ServerEvent::Callback(_) => "callback",
            ServerEvent::Disk(_)
            | ServerEvent::Held(..)
            | ServerEvent::Rendition(_)
            | ServerEvent::Unusual(_) => "notice",
        })
        .collect();
    assert_eq!(names, ["join", "publish", "unpublish", "publish", "unpublish"]);
}

#[test]
fn a_second_publisher_is_refused_and_the_first_goes_on() {
    let running = start();
    let mut publisher = running.publish("live/one");
    publisher.send(&sound(1, 1));
    let url = Url::parse(&running.url("live/one")).unwrap();
    let mut second = Client::new(ClientConfig::publish(url, BitsPerSecond(1_000_000)));
    while second.next().is_some() {}
    let reason = second.failed.unwrap();
    assert!(reason.contains("already"), "{reason}");
    let mut viewer = running.play("live/one");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    publisher.send(&sound(1, 2));
    // The first packet may have been sent before the viewer joined.
    let first = viewer.media().1;
    assert_eq!(if first == 1 { viewer.media().1 } else { first }, 2);
}

#[test]
fn publish_keys_are_asked_for() {
    let running = start_with(|config| config.publish_keys = vec![Secret::new("opensesame")]);
    let mut bad = Client::new(ClientConfig::publish(
        Url::parse(&running.url("live/a?key=close")).unwrap(),
        BitsPerSecond(1_000_000),
    ));
    while bad.next().is_some() {}
    assert!(bad.failed.unwrap().contains("key"));
    let _publisher = running.publish("live/a?key=opensesame");
    let _viewer = running.play("live/a");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
}

/// For the case without a publish key, see `a_second_publisher_is_refused_and_the_first_goes_on`.
#[test]
fn a_publisher_with_the_publish_key_replaces_its_own_ghost() {
    let running = start_with(|config| config.publish_keys = vec![Secret::new("opensesame")]);
    let mut ghost = running.publish("live/a?key=opensesame");
    ghost.send(&sound(1, 1));
    let mut viewer = running.play("live/a");
    let mut back = running.publish("live/a?key=opensesame");
    while ghost.next().is_some() {}
    back.send(&sound(1, 20));
    while viewer.media().1 < 20 {}
}

#[test]
fn a_slow_viewer_skips_to_keyframes_and_harms_nobody() {
    a_slow_viewer_beside(1);
}

/// With several fast viewers, one call sends a frame to all of them.
#[test]
fn a_slow_viewer_harms_none_of_many() {
    a_slow_viewer_beside(5);
}

fn a_slow_viewer_beside(quick: usize) {
    let running = start_with(|config| config.limits.queue_bytes = 512 << 10);
    let mut publisher = running.publish("live/fast");
    headers().iter().for_each(|tag| publisher.send(tag));
    let mut slow = running.play("live/fast");
    let mut fast: Vec<_> = (0..quick).map(|_| running.play("live/fast")).collect();
    wait_for("the viewers", LIMIT, || running.viewers() == 1 + quick);
    // Far more than the system's buffers hold for a viewer that does not read.
    let numbered = |number: u32| {
        let first = if number.is_multiple_of(20) { 0x17 } else { 0x27 };
        let mut body = vec![first, 1, 0, 0, 0];
        // Small numbers in the other order are start codes.
        body.extend(number.to_le_bytes());
        body.resize(60_000, 0);
        (TagKind::Video, number * 10, Bytes::from(body))
    };
    let count = 600;
    let number = |body: &Bytes| u32::from_le_bytes(body[5..9].try_into().unwrap());
    for fast in &mut fast {
        assert_eq!((fast.media().1, fast.media().1), (0, 0));
    }
    for index in 0..count {
        let sent = numbered(index);
        publisher.send(&sent);
        for fast in &mut fast {
            assert_eq!(fast.media().2, sent.2, "the fast ones miss nothing");
        }
    }
    publisher.session.close();
    publisher.pump();
    let (mut last, mut seen, mut jumps) = (None, 0, 0);
    while let Some(event) = slow.next() {
        match event {
            Event::Video { body, .. } if body[1] == 1 => {
                let this = number(&body);
                if last.is_some_and(|last| this != last + 1) {
                    jumps += 1;
                    assert_eq!(parse_video(&body).unwrap().frame_type, FrameType::Key, "{this}");
                }
                last = Some(this);
                seen += 1;
            }
            Event::Unpublished => break,
            _ => {}
        }
    }
    assert!(seen < count && jumps > 0, "{seen} of {count}, {jumps} jumps");
}

#[test]
fn an_http_viewer_that_accepts_nothing_is_disconnected_as_stalled() {
    let limit = Duration::from_millis(500);
    let running = start_with(|config| config.limits.stalled_viewer = limit);
    let mut publisher = running.publish("live/fast");
    headers().iter().for_each(|tag| publisher.send(tag));
    wait_for("the stream", LIMIT, || {
        running.server.streams().iter().any(|stream| stream.publisher.is_some())
    });
    let mut viewer = TcpStream::connect(running.http()).unwrap();
    viewer.write_all(b"GET /live/fast.flv HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    // Far more than the system's buffers hold for a viewer that does not read.
    for index in 0..600 {
        publisher.send(&video(0x17, 1, index * 10, 60_000));
    }
    let mut left = None;
    wait_for("the viewer's end", LIMIT, || {
        while let Ok(event) = running.server.events().try_recv() {
            if let ServerEvent::Leave(_, ended) = event {
                left = Some(ended.reason.id());
            }
        }
        left.is_some()
    });
    assert_eq!(left, Some("left-stalled"));
}

#[test]
fn hostile_connections_leave_the_others_alone() {
    let running = start();
    let mut publisher = running.publish("live/calm");
    headers().iter().for_each(|tag| publisher.send(tag));
    let mut viewer = running.play("live/calm");
    for _ in 0..2 {
        viewer.media();
    }
    let mut handshake = vec![3];
    handshake.resize(1 + 1_536 + 1_536, 0);
    let after = |more: &[u8]| [&handshake[..], more].concat();
    let many_csids: Vec<u8> = (64..65_600_u32)
        .flat_map(|csid| {
            let [low, high, ..] = (csid - 64).to_le_bytes();
            [1, low, high, 0, 0, 0, 0xFF, 0xFF, 0xFF, 9, 1, 0, 0, 0].into_iter().chain([0; 128])
        })
        .collect();
    let attacks = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        vec![0xFF; 100_000],
        vec![3],
        handshake[..2_000].to_vec(),
        after(&[]),
        after(&vec![0xAA; 200_000]),
        after(&many_csids),
        // Announces a message of 16 MiB before any command.
        after(&[3, 0, 0, 0, 0xFF, 0xFF, 0xFF, 20, 0, 0, 0, 0]),
        // Chunk sizes of 0, 1 and 2 GiB.
        after(&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
        after(&[2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF]),
    ];
    let mut held = Vec::new();
    for (index, attack) in attacks.iter().enumerate() {
        let mut socket = TcpStream::connect(running.rtmp()).unwrap();
        socket.set_write_timeout(Some(Duration::from_secs(5))).unwrap();
        // The server may have closed the connection already.
        let _ = socket.write_all(attack);
        held.push(socket);
        let time = 100 + index as u32;
        publisher.send(&video(0x27, 1, time, 10));
        assert_eq!(viewer.media().1, time, "after attack {index}");
    }
    drop(held);
    publisher.send(&video(0x27, 1, 999, 10));
    assert_eq!(viewer.media().1, 999);
}

#[test]
fn http_tells_and_ends() {
    let running = start_with(|config| config.http_token = Some(Secret::new("0123456789abcdef")));
    assert!(running.ask("GET", "/healthz").contains("200 OK"));
    assert!(running.ask("GET", "/live/none.flv").contains("404"));
    assert!(running.ask("GET", "/api/v1/streams/live/none").contains("404"));
    let mut publisher = running.publish("live/told");
    headers().iter().for_each(|tag| publisher.send(tag));
    wait_for("the stream", LIMIT, || {
        running.ask("GET", "/api/v1/streams/live/told").contains("\"codec\":\"AAC\"")
    });
    let all = running.ask("GET", "/api/v1/streams");
    assert!(all.contains("\"stream\":\"told\"") && all.contains("\"sample_rate\":48000"), "{all}");
    // Series have the names of published streams only.
    let waiting = running.play("live/invented");
    wait_for("the player", LIMIT, || running.viewers() == 1);
    let metrics = running.ask("GET", "/metrics");
    assert!(metrics.contains("\nonair_publishers 1\n"), "{metrics}");
    assert!(metrics.contains("\nonair_viewers 1\n") && !metrics.contains("invented"), "{metrics}");
    drop(waiting);
    assert!(metrics.contains("onair_stream_viewers{app=\"live\",stream=\"told\"} 0"), "{metrics}");
    let path = "/api/v1/streams/live/told";
    let ended =
        web::ask_with(running.http(), "DELETE", path, "Authorization: Bearer 0123456789abcdef\r\n");
    assert!(ended.contains("204"), "{ended}");
    while publisher.next().is_some() {}
    wait_for("the end", LIMIT, || running.server.streams().is_empty());
}

#[test]
fn a_port_that_was_asked_for_does_not_give_way_and_a_default_does() {
    let running = start();
    let taken = running.rtmp();
    let runtime = Runtime::start().unwrap();
    let config = |or_next| Config {
        rtmp: Listen { address: taken, or_next },
        http: None,
        ..Config::default()
    };
    let error = Server::start(&runtime, Clock::start(), config(false)).unwrap_err();
    assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
    let moved = Server::start(&runtime, Clock::start(), config(true)).unwrap();
    assert!(moved.addresses().rtmp_moved);
    assert_ne!(moved.addresses().rtmp, taken);
    assert!(moved.shutdown(Duration::from_secs(30)));

    let socket = std::net::UdpSocket::bind(ANY).unwrap();
    let taken = socket.local_addr().unwrap();
    let running = start_with(|config| {
        config.webrtc = Some(Listen { address: taken, or_next: true });
    });
    let addresses = running.server.addresses();
    assert!(addresses.webrtc_moved && !addresses.http_moved && !addresses.rtmp_moved);
    assert!(addresses.webrtc.is_some_and(|webrtc| webrtc.port() != taken.port()));
    drop(socket);
    let running = start_with(|config| config.webrtc = Some(Listen::exactly(ANY.parse().unwrap())));
    assert!(!running.server.addresses().webrtc_moved, "any port was requested");
}

#[test]
fn shutting_down_tells_everybody_and_is_quick() {
    crate::peers::in_real_time!(shutting_down_tells_everybody_and_is_quick);
    let running = start();
    let mut publisher = running.publish("live/end");
    publisher.send(&sound(1, 1));
    let mut viewer = running.play("live/end");
    wait_for("the viewer", LIMIT, || running.viewers() == 1);
    let before = Instant::now();
    assert!(running.server.shutdown(Duration::from_secs(10)));
    assert!(before.elapsed() < Duration::from_secs(8), "{:?}", before.elapsed());
    viewer.wait("word of the end", |event| *event == Event::StreamEof);
    while publisher.next().is_some() {}
    assert!(publisher.failed.is_some());
}
