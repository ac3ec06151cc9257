//! Tests of a path that fails while a stream is sent: ICE restarts, if the server can.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::{live, read_request_with_head};
use crate::peers::{self, LIMIT};
use crate::whep::relay::{Network, Relay};
use crate::whep::{Running, start_with};
use onair::server::Event;

/// A gateway before the built-in server, whose media goes through a relay. A restart mends the relay,
/// as another path would, unless the gateway refuses it with this status line.
struct Gateway {
    relay: Arc<Relay>,
    url: String,
    /// The methods of the requests, in order, with the entity tags that they want.
    requests: Arc<Mutex<Vec<String>>>,
    refused: Arc<AtomicUsize>,
}

impl Gateway {
    fn start(running: &Running, refuses: Option<&'static str>) -> Self {
        let webrtc = running.server.addresses().webrtc.unwrap();
        let relay = Arc::new(Relay::start(webrtc, Network { delay: Duration::ZERO, loss: None }));
        let (own, other) = (format!(" {} typ", webrtc.port()), format!(" {} typ", relay.port));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("whip://{}/live/show/whip", listener.local_addr().unwrap());
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let refused: Arc<AtomicUsize> = Arc::default();
        let (http, its_relay) = (running.http(), Arc::clone(&relay));
        let (seen, counted) = (Arc::clone(&requests), Arc::clone(&refused));
        thread::spawn(move || {
            while let Ok((mut socket, _)) = listener.accept() {
                let Some((head, body)) = read_request_with_head(&mut socket) else { continue };
                let method = head.split(' ').next().unwrap().to_owned();
                let tag = head.lines().find_map(|line| line.strip_prefix("If-Match: "));
                let shown = tag.map_or(method.clone(), |tag| format!("{method} {tag}"));
                seen.lock().unwrap().push(shown);
                if method == "PATCH" {
                    its_relay.set_cut(false);
                    if let Some(status) = refuses {
                        counted.fetch_add(1, Ordering::Relaxed);
                        let _ = write!(socket, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                        continue;
                    }
                }
                let answer = pass_on(http, &head, &body);
                let _ = socket.write_all(answer.replace(&own, &other).as_bytes());
            }
        });
        Self { relay, url, requests, refused }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// Sends a request to the server, and returns the whole answer.
fn pass_on(http: std::net::SocketAddr, head: &str, body: &str) -> String {
    use std::io::Read;
    let mut server = TcpStream::connect(http).unwrap();
    let lines = head.lines().filter(|line| !line.to_ascii_lowercase().starts_with("connection:"));
    let head: String = lines.map(|line| format!("{line}\r\n")).collect();
    write!(server, "{head}Connection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    answer
}

/// Returns the number of publishers that the server has had, and of those that have left.
fn counts(running: &Running, so_far: &mut (u32, u32)) -> (u32, u32) {
    while let Ok(event) = running.server.events().try_recv() {
        match event {
            Event::Publish(..) => so_far.0 += 1,
            Event::Unpublish(..) => so_far.1 += 1,
            _ => {}
        }
    }
    *so_far
}

#[test]
fn a_path_that_fails_is_replaced_by_an_ice_restart_in_the_same_session() {
    peers::in_real_time!(a_path_that_fails_is_replaced_by_an_ice_restart_in_the_same_session);
    let running = start_with(|_| ());
    let gateway = Gateway::start(&running, None);
    let mut onair = live(&gateway.url, "", &[]);
    onair.wait_event("a live target", |event| event["state"] == "live");
    let sent = |event: &serde_json::Value| event["targets"][0]["sent_frames"].as_u64();
    onair.wait_event("frames", |event| sent(event) > Some(60));
    gateway.relay.set_cut(true);
    peers::wait_for("the restart", LIMIT, || {
        gateway.requests().iter().any(|request| request.starts_with("PATCH"))
    });
    let bytes = || {
        let publisher = running.server.streams().into_iter().find_map(|it| it.publisher);
        publisher.map_or(0, |it| it.bytes)
    };
    let before = bytes();
    peers::wait_for("media over the new path", LIMIT, || bytes() > before + 200_000);
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    assert_eq!(gateway.requests(), ["POST", "PATCH *", "DELETE"]);
    let events = onair.events();
    assert!(
        events.iter().all(|event| event["state"] != "reconnecting"),
        "the connection stays: {events:?}"
    );
    let mut counted = (0, 0);
    peers::wait_for("the end", LIMIT, || counts(&running, &mut counted) == (1, 1));
}

#[test]
fn a_server_that_refuses_a_restart_gets_a_new_session() {
    peers::in_real_time!(a_server_that_refuses_a_restart_gets_a_new_session);
    for status in ["405 Method Not Allowed", "412 Precondition Failed"] {
        let running = start_with(|_| ());
        let gateway = Gateway::start(&running, Some(status));
        let mut onair = live(&gateway.url, "", &[]);
        onair.wait_event("a live target", |event| event["state"] == "live");
        let sent = |event: &serde_json::Value| event["targets"][0]["sent_frames"].as_u64();
        onair.wait_event("frames", |event| sent(event) > Some(30));
        gateway.relay.set_cut(true);
        onair.wait_event("a reconnect", |event| event["targets"][0]["reconnects"] == 1);
        assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        let requests = gateway.requests();
        assert!(gateway.refused.load(Ordering::Relaxed) >= 1, "{requests:?}");
        assert!(requests.iter().filter(|it| *it == "POST").count() >= 2, "{requests:?}");
    }
}
