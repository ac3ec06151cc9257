//! Tests of WHEP playback in Chromium over bad and unusual networks.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::browser::Browser;
use super::page::{OFFER, PageServer};
use super::relay::{Network, Relay};
use super::{NO_B_FRAMES, Running, ask, header, last, start_with};
use crate::peers::{self, LIMIT, wait_for};
use onair::wire::webrtc::stun;

/// Serves a page whose WebRTC connection passes through a relay.
fn behind(running: &Running, network: Network) -> (Relay, PageServer) {
    let webrtc: SocketAddr = running.server.addresses().webrtc.unwrap();
    let relay = Relay::start(webrtc, network);
    let page = PageServer::start_behind(running.http(), Some((relay.port, webrtc.port())));
    (relay, page)
}

/// The frames between two that the page has shown.
struct Frames {
    shown: u64,
    decoded: u64,
    /// The number that was sent at 30 fps.
    sent: u64,
}

fn frames(report: &Value) -> Option<Frames> {
    let at = |index: usize, of: usize| report["shown"][index][of].as_u64();
    let ticks = (at(1, 0)? as u32).wrapping_sub(at(0, 0)? as u32);
    let [shown, decoded] = [1, 2].map(|of| Some(at(1, of)? - at(0, of)?));
    Some(Frames { shown: shown?, decoded: decoded?, sent: u64::from(ticks) * 30 / 90_000 })
}

#[test]
fn nearly_all_frames_arrive_despite_losses() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let network = Network { delay: Duration::from_millis(50), loss: Some(20) };
    let (_relay, page) = behind(&running, network);
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    browser.wait("frames", || frames(&last(&page.reports())).is_some_and(|it| it.sent >= 600));
    let reports = page.reports();
    let report = last(&reports);
    let Frames { shown, decoded, sent } = frames(&report).unwrap();
    // The mean time that frames of the second half wait before they are decoded.
    let half = reports.iter().find(|it| frames(it).is_some_and(|it| it.sent >= 300)).unwrap();
    let grown = |name: &str| report[name].as_f64().unwrap() - half[name].as_f64().unwrap();
    let delay = grown("jitterBufferDelay") / grown("jitterBufferEmittedCount") * 1_000.0;
    println!(
        "5 % loss and 50 ms in each direction: of {sent} frames, {decoded} decoded and {shown} shown, {delay:.0} ms \
         after they arrive; {report}"
    );
    assert!(report["nackCount"].as_u64() > Some(0), "nothing was lost: {report}");
    // On a busy machine, Chromium shows fewer frames than it decodes. On an idle one, it shows nearly all if their
    // playout is delayed by the time of a retransmission.
    assert!(decoded * 100 >= sent * 95, "{decoded} of {sent}: {report}");
    assert!(delay > 100.0, "{delay} ms: {report}");
}

#[test]
fn a_slow_link_gets_a_smaller_rendition_and_a_fast_one_the_stream_itself() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running =
        start_with(|config| config.media.renditions.others = "180p:150k".parse().unwrap());
    let steady = ["-b:v", "1000k", "-minrate", "1000k", "-maxrate", "1000k", "-bufsize", "500k"];
    let _publisher = running.publish(&steady);
    let network = Network { delay: Duration::from_millis(10), loss: None };
    let (relay, page) = behind(&running, network);
    let mut browser = Browser::open(&page.url("/live/show/whep"));
    let width = || last(&page.reports())["width"].as_u64();
    let decoded = || last(&page.reports())["framesDecoded"].as_u64().unwrap_or(0);
    browser.wait("the stream itself", || width() == Some(640) && decoded() > 60);
    relay.set_rate(500_000);
    browser.wait("the smaller rendition", || width() == Some(320));
    let before = decoded();
    browser.wait("its frames", || decoded() > before + 60);
    relay.set_rate(0);
    browser.wait("the stream itself again", || width() == Some(640));
    assert_eq!(last(&page.reports())["connectionState"], "connected");
}

#[test]
fn a_viewer_without_udp_plays_over_tcp() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let page = PageServer::start(running.http());
    let mut browser = Browser::open(&page.url("/live/show/whep&tcp=1"));
    let decoded = || last(&page.reports())["framesDecoded"].as_u64().unwrap_or(0);
    browser.wait("frames", || decoded() > 90);
    let report = last(&page.reports());
    assert_eq!(report["path"], "tcp", "{report}");
    assert_eq!(running.viewers(), 1);
    drop(browser);
    wait_for("the end of the viewer", LIMIT, || running.viewers() == 0);
}

#[test]
fn ice_restarts_within_the_session() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let page = PageServer::start(running.http());
    let mut browser = Browser::open(&page.url("/live/show/whep&restart=1"));
    browser.wait("the restart", || {
        let report = last(&page.reports());
        assert!(report["error"].is_null(), "{report}");
        report["restarted"].is_string()
    });
    let decoded = || last(&page.reports())["framesDecoded"].as_u64().unwrap_or(0);
    let before = decoded();
    // Longer than a path stays valid without connectivity checks.
    browser.wait("frames after the restart", || decoded() > before + 600);
    assert_eq!(last(&page.reports())["connectionState"], "connected");
    assert_eq!(running.viewers(), 1, "the same session");
}

#[test]
fn strangers_on_the_tcp_port_are_disconnected() {
    let running = start_with(|_| ());
    let port = running.server.addresses().webrtc.unwrap();
    // A STUN request with a user name that belongs to no session.
    let mut request = vec![0, 32, 0, 1, 0, 12, 0x21, 0x12, 0xA4, 0x42];
    request.extend([7; 12]);
    request.extend(b"\0\x06\0\x07ours:it\0");
    let strangers: [&[u8]; 5] =
        [b"GET / HTTP/1.1\r\n\r\n", &[0xFF; 64], &[0, 4, 22, 254, 253, 0], &[0, 0], &request];
    for bytes in strangers {
        let mut socket = TcpStream::connect(port).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.write_all(bytes).unwrap();
        // A connection reset counts as a disconnect too.
        match socket.read(&mut [0; 8]) {
            Ok(length) => assert_eq!(length, 0, "{bytes:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{bytes:?}"),
        }
    }
}

#[test]
fn a_tcp_connection_ends_with_its_session() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let (status, head, answer) =
        ask(running.http(), "POST", "/live/show/whep", "application/sdp", OFFER);
    assert_eq!(status, 201, "{answer}");
    let line = |begin: &str| answer.lines().find_map(|line| line.strip_prefix(begin)).unwrap();
    // The viewer never answers the check of its address, so the session does not know the connection.
    let username = format!("{}:EsAw", line("a=ice-ufrag:"));
    let request = stun::check([7; 12], &username, line("a=ice-pwd:"), &hmac);
    let mut socket = TcpStream::connect(running.server.addresses().webrtc.unwrap()).unwrap();
    // Less than the time for which a connection may be silent.
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let length = u16::try_from(request.len()).unwrap().to_be_bytes();
    socket.write_all(&[&length, &request[..]].concat()).unwrap();
    let mut check = [0; 2];
    socket.read_exact(&mut check).expect("the check of the address");
    assert_eq!(ask(running.http(), "DELETE", header(&head, "location"), "", "").0, 200);
    socket.read_to_end(&mut Vec::new()).expect("the end of the connection");
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    ring::hmac::sign(&key, &parts.concat()).as_ref().try_into().unwrap()
}
