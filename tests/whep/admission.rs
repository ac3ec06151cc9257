//! Who gets the media of a session: not the sender of a copied ICE request, and not a viewer whose key was revoked
//! while the session began. A viewer who asks for a keyframe gets one.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use str0m::change::SdpAnswer;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpPacket;
use str0m::{Candidate, Event, Input, Output, Rtc};

use super::{NO_B_FRAMES, Running, ask, start_with};
use crate::peers::client::Client;
use crate::peers::{self, LIMIT, Peer, ffmpeg, wait_for};
use onair::base::Secret;
use onair::net::webrtc::{Certificate, crypto};
use onair::server::access::{AccessRules, ActionRules, AppRules};
use onair::server::{Config, KeyframeRequest, OwnStream};

/// The first bytes of an ICE request (RFC 8489 §5).
const REQUEST: [u8; 2] = [0, 1];
/// Maximum wait for a datagram.
const PAUSE: Duration = Duration::from_millis(50);

/// A viewer over UDP.
struct Viewer {
    rtc: Rtc,
    socket: UdpSocket,
    /// The last ICE request that it has sent.
    request: Vec<u8>,
    packets: usize,
    video: Mid,
    /// Number of received keyframes.
    keyframes: usize,
}

impl Viewer {
    fn join(http: SocketAddr) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let certificate = Certificate::generate().unwrap();
        let mut rtc = Rtc::builder()
            .set_crypto_provider(crypto())
            .set_dtls_cert(certificate.for_dtls())
            .set_rtp_mode(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr().unwrap(), "udp").unwrap());
        let mut change = rtc.sdp_api();
        let [video, _audio] = [MediaKind::Video, MediaKind::Audio]
            .map(|kind| change.add_media(kind, Direction::RecvOnly, None, None, None));
        let (offer, pending) = change.apply().unwrap();
        let path = "/live/show/whep";
        let (status, _, answer) =
            ask(http, "POST", path, "application/sdp", &offer.to_sdp_string());
        assert_eq!(status, 201, "{answer}");
        let answer = SdpAnswer::from_sdp_string(&answer).unwrap();
        rtc.sdp_api().accept_answer(pending, answer).unwrap();
        Self { rtc, socket, request: Vec::new(), packets: 0, video, keyframes: 0 }
    }

    /// Sends a PLI (RFC 4585 §6.3.1) with the next step.
    fn request_keyframe(&mut self) {
        let mut rtc = self.rtc.direct_api();
        let stream = rtc.stream_rx_by_mid(self.video, None).expect("the video's stream");
        stream.request_keyframe(KeyframeRequestKind::Pli);
    }

    fn is_video(&mut self, packet: &RtpPacket) -> bool {
        let mut rtc = self.rtc.direct_api();
        let stream = rtc.stream_rx_by_mid(self.video, None);
        stream.is_some_and(|stream| stream.ssrc() == packet.header.ssrc)
    }

    /// Receives until this is true.
    fn play_until(&mut self, what: &str, is_done: impl Fn(&Self) -> bool) {
        let limit = Instant::now() + LIMIT;
        while !is_done(self) {
            assert!(Instant::now() < limit, "{what} in time");
            self.step();
        }
    }

    fn step(&mut self) {
        let until = loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(until) => break until,
                Output::Transmit(transmit) => {
                    if transmit.contents.starts_with(&REQUEST) {
                        self.request = transmit.contents.to_vec();
                    }
                    self.socket.send_to(&transmit.contents, transmit.destination).unwrap();
                }
                Output::Event(Event::RtpPacket(packet)) => {
                    self.packets += 1;
                    // The parameter sets of a keyframe begin an aggregation packet (RFC 6184 §5.7.1).
                    let kind = |at: usize| packet.payload.get(at).map(|byte| byte & 0x1F);
                    let is_key = (kind(0), kind(3)) == (Some(24), Some(7));
                    self.keyframes += usize::from(is_key && self.is_video(&packet));
                }
                Output::Event(_) => {}
            }
        };
        let wait = until.saturating_duration_since(Instant::now());
        self.socket.set_read_timeout(Some(wait.clamp(Duration::from_millis(1), PAUSE))).unwrap();
        let mut buffer = [0; 2_048];
        let input = match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let contents = buffer[..length].try_into().unwrap();
                let destination = self.socket.local_addr().unwrap();
                let proto = Protocol::Udp;
                Input::Receive(Instant::now(), Receive { proto, source, destination, contents })
            }
            Err(_) => Input::Timeout(Instant::now()),
        };
        self.rtc.handle_input(input).unwrap();
    }
}

#[test]
fn a_copied_ice_request_does_not_move_the_media() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let options = [&NO_B_FRAMES[..], &["-profile:v", "baseline"]].concat();
    let _publisher = running.publish(&options);
    let mut viewer = Viewer::join(running.http());
    viewer.play_until("media", |it| it.packets > 100);
    let thief = UdpSocket::bind("127.0.0.1:0").unwrap();
    thief.set_read_timeout(Some(PAUSE)).unwrap();
    let webrtc = running.server.addresses().webrtc.unwrap();
    let (mut checks, mut buffer) = (0, [0; 2_048]);
    let mut steal = |request: &[u8]| {
        thief.send_to(request, webrtc).unwrap();
        while let Ok((length, _)) = thief.recv_from(&mut buffer) {
            assert!(buffer[..length].starts_with(&REQUEST), "only checks: {:?}", &buffer[..length]);
            checks += 1;
        }
    };
    for _ in 0..20 {
        steal(&viewer.request.clone());
        let before = viewer.packets;
        viewer.play_until("media at the viewer", |it| it.packets > before + 10);
    }
    assert_eq!(running.viewers(), 1);
    // Nor does the session outlive its viewer.
    let request = std::mem::take(&mut viewer.request);
    drop(viewer);
    wait_for("the end of the session", Duration::from_mins(1), || {
        steal(&request);
        running.viewers() == 0
    });
    assert!(checks > 0, "the server asks the address whether it is the viewer's");
}

/// Publishes a stream with this query whose only keyframe is the first frame.
fn only_one_keyframe(running: &Running, query: &str) -> Peer {
    let url = format!("rtmp://{}/live/show{query}", running.server.addresses().rtmp);
    let options = ["-profile:v", "baseline", "-g", "9999", "-sc_threshold", "0", "-b:v", "100k"];
    let options = [&NO_B_FRAMES[..], &options].concat();
    running.published(ffmpeg::publish_encoded(&url, None, &options))
}

/// Counts the requests to onair's own encoder from now on.
fn count_requests(running: &Running) -> Arc<AtomicUsize> {
    let requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&requests);
    let request = move || {
        counted.fetch_add(1, Ordering::Relaxed);
    };
    running.server.set_keyframe_request(Some(KeyframeRequest(Arc::new(request))));
    requests
}

#[test]
fn a_viewer_who_asks_for_a_keyframe_gets_the_cached_one_again() {
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let requests = count_requests(&running);
    let _publisher = only_one_keyframe(&running, "");
    let mut viewer = Viewer::join(running.http());
    viewer.play_until("a keyframe", |it| it.keyframes == 1);
    let before = viewer.packets;
    viewer.play_until("media", |it| it.packets > before + 100);
    assert_eq!(viewer.keyframes, 1, "the publisher sends no second one");
    viewer.request_keyframe();
    viewer.play_until("the keyframe again", |it| it.keyframes == 2);
    assert_eq!(requests.load(Ordering::Relaxed), 0, "ffmpeg cannot be asked");
}

/// The publisher of the own stream is ffmpeg, which ignores the requests.
#[test]
fn viewers_who_ask_for_a_keyframe_cause_one_request_to_our_own_encoder() {
    /// At this age, the cached keyframe is no answer.
    const OLD: Duration = Duration::from_millis(500);
    if peers::missing(&["ffmpeg"]) {
        return;
    }
    let (app, stream) = ("live".to_owned(), "show".to_owned());
    let own = OwnStream { app, stream, key: Secret::new("of-this-run") };
    let running = start_with(|config| config.own_stream = Some(own));
    let _publisher = only_one_keyframe(&running, "?key=of-this-run");
    let mut viewers = [(); 3].map(|()| Viewer::join(running.http()));
    let mut play_until = |what: &str, is_done: &dyn Fn(&Viewer) -> bool| {
        let limit = Instant::now() + LIMIT;
        while !viewers.iter().all(is_done) {
            assert!(Instant::now() < limit, "{what} in time");
            viewers.iter_mut().for_each(Viewer::step);
        }
    };
    play_until("a keyframe for each", &|it| it.keyframes == 1);
    let old = Instant::now() + OLD;
    play_until("media", &|_| Instant::now() > old);
    let requests = count_requests(&running);
    viewers.iter_mut().for_each(Viewer::request_keyframe);
    // The encoder sends no keyframe, so the viewers get the cached one in the end.
    let asked = Instant::now();
    let limit = asked + LIMIT;
    while viewers.iter().any(|it| it.keyframes == 1) {
        assert!(Instant::now() < limit, "a second keyframe in time");
        viewers.iter_mut().for_each(Viewer::step);
    }
    let requests = requests.load(Ordering::Relaxed);
    let most = 1 + asked.elapsed().as_secs() as usize;
    assert!((1..=most).contains(&requests), "{requests} requests, at most {most}");
}

/// An offer for audio alone, which needs no media.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=recvonly\r\na=rtcp-mux\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=setup:actpass\r\na=fingerprint:sha-256 \
    6B:8B:F0:65:5F:78:E2:51:3B:AC:6F:F3:3F:46:1B:35:DC:B8:5F:64:1A:24:C2:43:F0:A1:58:D0:A1:2C:19:08\r\n\
    a=rtpmap:111 opus/48000/2\r\n";

fn with_key(key: &str) -> AccessRules {
    let play = ActionRules { keys: vec![Secret::new(key)], ..ActionRules::default() };
    AccessRules { others: AppRules { play, ..AppRules::default() }, ..AccessRules::default() }
}

#[test]
fn a_key_that_is_revoked_while_a_session_begins_opens_nothing() {
    let running = start_with(|config| config.access = with_key("old"));
    let _publisher =
        Client::publish(&format!("rtmp://{}/live/show", running.server.addresses().rtmp));
    wait_for("the stream", LIMIT, || !running.server.streams().is_empty());
    let http = running.http();
    let mut socket = TcpStream::connect(http).unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    write!(
        socket,
        "POST /live/show/whep?key=old HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\
         Content-Type: application/sdp\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        OFFER.len()
    )
    .unwrap();
    // The server asks for the body after it has checked the key.
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(" 100 "), "{line}");
    running.server.reload(&Config { access: with_key("new"), ..Config::default() });
    running.server.expel_viewers();
    socket.write_all(OFFER.as_bytes()).unwrap();
    let mut rest = String::new();
    reader.read_to_string(&mut rest).unwrap();
    let status = rest.trim_start().split(' ').nth(1).unwrap();
    assert_eq!(status, "503", "{rest}");
    assert!(rest.to_ascii_lowercase().contains("retry-after: 2"), "{rest}");
    let again = |key: &str| {
        ask(http, "POST", &format!("/live/show/whep?key={key}"), "application/sdp", OFFER).0
    };
    assert_eq!((again("old"), again("new")), (401, 201));
}
