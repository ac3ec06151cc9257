//! Hostile datagrams against a connection: those of a viewer's real session, changed by seeded
//! mutations, from the viewer's own address and from the address of a stranger. Time is simulated.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::hmac;
use str0m::change::SdpAnswer;
use str0m::media::{Direction, MediaKind};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpWrite, SeqNo};
use str0m::{Candidate, Input, Output, Rtc, RtcError};

use super::tests::{ANSWER_PASSWORD, CHROMIUM_OFFER, SERVER_ADDRESS, answer};
use super::{VideoFormat, VideoRoute};
use crate::net::webrtc::crypto;
use crate::wire::webrtc::stun;

const VIEWER_ADDRESS: &str = "198.51.100.7:5000";
const STRANGER_ADDRESS: &str = "203.0.113.9:6000";
const HIGH_PROFILE_FORMAT: Option<VideoFormat> = Some(VideoFormat::H264(0x64_00_1F));
/// Number of sessions in each test. The next constant is the number of hostile datagrams before
/// each datagram of the viewer.
const SESSION_COUNT: u64 = 24;
const MUTANTS_PER_DATAGRAM: usize = 40;
/// A datagram makes the server send no more than a flight of the handshake.
const MAX_REPLY_DATAGRAMS: usize = 24;
/// Lengths of the last two attributes of an ICE request: FINGERPRINT, which nothing protects, and
/// before it MESSAGE-INTEGRITY.
const FINGERPRINT_BYTES: usize = 8;
const MESSAGE_INTEGRITY_BYTES: usize = 24;

/// Numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound.max(1) as u64) as usize
    }

    fn mutate(&mut self, base: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = base.to_vec();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + self.below(24)).min(bytes.len());
            match self.below(7) {
                0 if at < bytes.len() => bytes[at] = self.below(256) as u8,
                1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => bytes[at..end].fill([0, 0x7F, 0x80, 0xFF][self.below(4)]),
                5 => {
                    let from = self.below(other.len());
                    let to = (from + self.below(200)).min(other.len());
                    bytes.splice(at..at, other[from..to].iter().copied());
                }
                _ => {
                    let copy = bytes[at..end].to_vec();
                    bytes.splice(at..at, copy);
                }
            }
        }
        bytes.truncate(8_192);
        bytes
    }

    /// Returns an ICE request with changed attributes, and with a correct MESSAGE-INTEGRITY.
    fn resign(&mut self, request: &[u8]) -> Vec<u8> {
        let (head, attributes) = request.split_at(20);
        let kept = attributes.len().saturating_sub(MESSAGE_INTEGRITY_BYTES + FINGERPRINT_BYTES);
        let mut attributes = self.mutate(&attributes[..kept], &attributes[..kept]);
        attributes.truncate(1_000);
        attributes.resize(attributes.len().next_multiple_of(4), 0);
        let mut message = [&head[..2], &[0, 0], &head[4..], &attributes].concat();
        let length = (attributes.len() + MESSAGE_INTEGRITY_BYTES) as u16;
        message[2..4].copy_from_slice(&length.to_be_bytes());
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, ANSWER_PASSWORD.as_bytes());
        let tag = hmac::sign(&key, &message);
        message.extend([0, 8, 0, 20]);
        message.extend(tag.as_ref());
        message
    }
}

/// Datagrams with their destinations.
type Sent = Vec<(SocketAddr, Vec<u8>)>;

/// A server's connection and its viewer.
struct Session {
    server: Rtc,
    video: VideoRoute,
    viewer: Rtc,
    now: Instant,
    /// True if the server's connection has failed.
    failed: bool,
    delivered: usize,
}

impl Session {
    fn begin() -> Self {
        let now = Instant::now();
        let mut viewer = Rtc::builder().set_crypto_provider(crypto()).build(now);
        viewer.add_local_candidate(Candidate::host(address(VIEWER_ADDRESS), "udp").unwrap());
        let mut change = viewer.sdp_api();
        change.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = change.apply().unwrap();
        drop(drain(&mut viewer));
        let made = answer(&offer.to_sdp_string(), HIGH_PROFILE_FORMAT).unwrap();
        let text = SdpAnswer::from_sdp_string(&made.answer).unwrap();
        viewer.sdp_api().accept_answer(pending, text).unwrap();
        let video = made.video.unwrap();
        Self { server: made.rtc, video, viewer, now, failed: false, delivered: 0 }
    }

    /// Returns true if the server takes this datagram.
    fn is_taken(&self, from: &str, datagram: &[u8]) -> bool {
        let receive = Receive::new(Protocol::Udp, address(from), address(SERVER_ADDRESS), datagram);
        receive.is_ok_and(|receive| self.server.accepts(&Input::Receive(self.now, receive)))
    }

    /// Passes a datagram of the viewer to the server, as a session does.
    fn deliver(&mut self, datagram: &[u8]) {
        if !self.is_taken(VIEWER_ADDRESS, datagram) {
            return;
        }
        let receive =
            Receive::new(Protocol::Udp, address(VIEWER_ADDRESS), address(SERVER_ADDRESS), datagram);
        let Ok(receive) = receive else { return };
        self.delivered += 1;
        // A session only logs the error of a datagram that cannot be read.
        let _ = self.server.handle_input(Input::Receive(self.now, receive));
    }

    /// Passes the server's datagrams to the viewer. Returns the time at which the server wants to
    /// be polled again.
    fn pass_back(&mut self) -> Instant {
        match drain(&mut self.server) {
            Ok((sent, until)) => {
                for (to, datagram) in
                    sent.into_iter().filter(|(to, _)| *to == address(VIEWER_ADDRESS))
                {
                    let receive =
                        Receive::new(Protocol::Udp, address(SERVER_ADDRESS), to, &datagram);
                    let Ok(receive) = receive else { continue };
                    let _ = self.viewer.handle_input(Input::Receive(self.now, receive));
                }
                until
            }
            Err(_) => {
                self.failed = true;
                self.now + Duration::from_secs(1)
            }
        }
    }

    /// Runs for `duration`. If `is_enough` is set, ends earlier once both sides are connected.
    /// Before each datagram of the viewer, `attack` sends hostile ones.
    fn run(
        &mut self,
        duration: Duration,
        is_enough: bool,
        attack: &mut impl FnMut(&mut Self, &[u8]),
    ) {
        let end = self.now + duration;
        while self.now < end && !self.failed {
            if is_enough && self.server.is_connected() && self.viewer.is_connected() {
                return;
            }
            let Ok((sent, mut next)) = drain(&mut self.viewer) else { return };
            for (_, datagram) in sent {
                attack(self, &datagram);
                self.deliver(&datagram);
                next = next.min(self.pass_back());
            }
            next = next.min(self.pass_back());
            self.now = next.min(end).max(self.now + Duration::from_millis(1));
            let _ = self.viewer.handle_input(Input::Timeout(self.now));
            self.failed |= self.server.handle_input(Input::Timeout(self.now)).is_err();
        }
    }

    /// Sends a packet of a frame to the viewer, who reports about it.
    fn send(&mut self, number: u64) {
        let (pt, now) = (self.video.h264.unwrap(), self.now);
        let mut direct = self.server.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.video.mid, None) else { return };
        let payload: Arc<[u8]> = vec![0x65; 900].into();
        let time = number as u32 * 3_000;
        stream.write_rtp(RtpWrite::new(pt, SeqNo::from(number), time, now, payload).nackable(true));
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Returns the datagrams that a side sends until it waits, and the time until which it waits.
fn drain(rtc: &mut Rtc) -> Result<(Sent, Instant), RtcError> {
    let mut sent = Vec::new();
    loop {
        match rtc.poll_output()? {
            Output::Timeout(until) => {
                assert!(sent.len() <= MAX_REPLY_DATAGRAMS, "{} datagrams at once", sent.len());
                return Ok((sent, until));
            }
            Output::Transmit(packet) => {
                sent.push((packet.destination, packet.contents.to_vec()));
            }
            Output::Event(_) => {}
        }
    }
}

#[test]
fn nothing_is_taken_from_a_stranger() {
    let mut tried = 0;
    for seed in 1..=SESSION_COUNT {
        let mut random = Random(seed);
        let mut session = Session::begin();
        let mut last = vec![0; 40];
        let mut attack = |session: &mut Session, datagram: &[u8]| {
            for _ in 0..MUTANTS_PER_DATAGRAM {
                let bad = random.mutate(datagram, &last);
                if bad == datagram {
                    continue;
                }
                tried += 1;
                if session.is_taken(STRANGER_ADDRESS, &bad) {
                    // The server takes nothing from a stranger but a copy of a request. The copy
                    // can differ only in parts that are not protected.
                    let end = datagram.len() - FINGERPRINT_BYTES;
                    assert!(stun::is_stun(datagram), "{bad:02x?}");
                    assert_eq!(bad.get(4..end), datagram.get(4..end));
                }
            }
            last = datagram.to_vec();
        };
        session.run(Duration::from_secs(20), true, &mut attack);
        assert!(session.server.is_connected() && session.viewer.is_connected(), "seed {seed}");
        for number in 0..100 {
            session.send(number);
            session.run(Duration::from_millis(33), false, &mut attack);
        }
        assert!(session.server.is_connected() && session.viewer.is_connected(), "seed {seed}");
    }
    assert!(tried > 5_000, "{tried}");
}

#[test]
fn a_hostile_viewer_breaks_nothing_but_its_own_session() {
    let (mut delivered, mut connected) = (0, 0);
    for seed in 1..=SESSION_COUNT {
        let mut random = Random(seed << 8);
        let mut session = Session::begin();
        let mut last = vec![0; 40];
        let mut attack = |session: &mut Session, datagram: &[u8]| {
            for _ in 0..MUTANTS_PER_DATAGRAM {
                let bad = match stun::is_stun(datagram) && random.below(2) == 0 {
                    true => random.resign(datagram),
                    false => random.mutate(datagram, &last),
                };
                session.deliver(&bad);
                session.pass_back();
            }
            last = datagram.to_vec();
        };
        // In every other session, the attack waits for the end of the handshake.
        if seed.is_multiple_of(2) {
            session.run(Duration::from_secs(20), true, &mut |_, _| ());
            assert!(session.server.is_connected(), "seed {seed}");
        } else {
            session.run(Duration::from_secs(20), true, &mut attack);
        }
        connected += u32::from(session.server.is_connected());
        for number in 0..30 {
            session.send(number);
            session.run(Duration::from_millis(33), false, &mut attack);
        }
        delivered += session.delivered;
    }
    println!("{delivered} datagrams delivered, {connected} of {SESSION_COUNT} sessions connected");
    assert!(delivered > 2_000, "{delivered}");
}

#[test]
fn damaged_offers_are_answered_or_refused_thousands_of_times() {
    let mut random = Random(0x5EED);
    let (mut answered, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let bytes = random.mutate(CHROMIUM_OFFER.as_bytes(), CHROMIUM_OFFER.as_bytes());
        match answer(&String::from_utf8_lossy(&bytes), HIGH_PROFILE_FORMAT) {
            Ok(made) => {
                assert!(made.answer.contains("a=ice-lite\r\n"), "{}", made.answer);
                answered += 1;
            }
            Err(reason) => {
                assert!(!reason.is_empty());
                refused += 1;
            }
        }
    }
    assert!(answered > 200 && refused > 200, "{answered} answered, {refused} refused");
}
