//! The bodies of the fuzz targets for the datagrams of a WHEP viewer; see bodies.rs. They call onair's code and the
//! parts of str0m and dimpl that read such datagrams before the sender is known.

#![allow(dead_code, reason = "each fuzz target uses one of these")]

use std::net::SocketAddr;
use std::sync::LazyLock;
use std::time::Instant;

use onair::net::webrtc::{Certificate, crypto};
use onair::wire::webrtc::{public_address, stun};
use str0m::IceCreds;
use str0m::config::DtlsVersion;
use str0m::crypto::dtls::{DtlsInstance, DtlsOutput};
use str0m::ice::{IceAgent, StunMessage, StunPacket};
use str0m::net::{Protocol, Receive};

/// The server's ICE credentials.
pub const UFRAG: &str = "ours";
pub const PASSWORD: &str = "0123456789abcdefghijkl";
/// An answer to a request is no longer than this.
const MAX_ANSWER: usize = 1_200;
/// Maximum number of datagrams that one received datagram causes: a flight of the handshake.
const MAX_FLIGHT: usize = 24;

pub fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 20] {
    crypto().sha1_hmac_provider.sha1_hmac(key, parts)
}

fn addresses() -> [SocketAddr; 2] {
    [SocketAddr::from(([198, 51, 100, 7], 5_000)), SocketAddr::from(([192, 0, 2, 1], 8_189))]
}

/// STUN messages: what onair reads of them agrees, and the ICE agent answers only intact ones, to their sender.
/// With an odd first byte, the rest becomes the type and the attributes of an intact message.
pub fn stun(data: &[u8]) -> bool {
    let Some((&first, data)) = data.split_first() else { return false };
    let signed = (first & 1 == 1).then(|| signed(data));
    let data = signed.as_deref().unwrap_or(data);
    if stun::answered(data).is_some() {
        assert!(stun::is_stun(data) && !stun::is_request(data));
    }
    if let Some(ufrag) = stun::local_ufrag(data) {
        assert!(stun::is_stun(data) && ufrag.len() < data.len());
        let check = stun::check(*b"123456789012", &format!("{ufrag}:it"), PASSWORD, &hmac);
        assert_eq!(stun::local_ufrag(&check), Some(ufrag));
        assert!(stun::is_request(&check) && stun::is_intact(&check, PASSWORD, &hmac));
        assert!(StunMessage::parse(&check).is_ok());
    }
    // The tag of a message depends on all bytes before it, so only a message with this tag is intact.
    let sum = |key: &[u8], parts: &[&[u8]]| {
        let sum = parts.iter().chain([&key]).flat_map(|it| it.iter()).fold(0_u8, |a, b| a ^ b);
        [sum; 20]
    };
    assert!(!stun::is_intact(data, "password", &sum) || data.len() >= 44);
    let [viewer, server] = addresses();
    let _ = public_address::answered_address(data);
    if let Some(transaction) = public_address::requested(data) {
        let answer = public_address::answer(transaction, viewer);
        assert!(answer.len() < 2 * data.len());
        assert_eq!(public_address::answered_address(&answer), Some(viewer));
    }
    let _ = Receive::new(Protocol::Udp, viewer, server, data).is_ok();
    let Ok(message) = StunMessage::parse(data) else { return false };
    let creds = IceCreds { ufrag: UFRAG.to_owned(), pass: PASSWORD.to_owned() };
    let mut agent = IceAgent::with_hmac(creds, crypto().sha1_hmac_provider);
    agent.set_ice_lite(true);
    let candidate = str0m::Candidate::host(server, "udp").expect("a candidate");
    agent.add_local_candidate(candidate);
    let now = Instant::now();
    agent.handle_timeout(now);
    let proto = Protocol::Udp;
    let packet = StunPacket { proto, source: viewer, destination: server, message };
    let is_taken = agent.handle_packet(now, packet);
    assert!(!is_taken || stun::is_intact(data, PASSWORD, &hmac), "{data:02x?}");
    agent.handle_timeout(now);
    let sent: Vec<_> = std::iter::from_fn(|| agent.poll_transmit()).collect();
    assert!(sent.len() <= usize::from(is_taken), "{} datagrams", sent.len());
    for transmit in sent {
        assert_eq!(transmit.destination, viewer);
        assert!(transmit.contents.len() <= MAX_ANSWER);
    }
    true
}

/// Returns an intact message: the first two bytes are its type, the others its attributes.
fn signed(data: &[u8]) -> Vec<u8> {
    let (kind, attributes) = data.split_at(data.len().min(2));
    let mut attributes = attributes.get(..1_000).unwrap_or(attributes).to_vec();
    attributes.resize(attributes.len().next_multiple_of(4), 0);
    let length = u16::try_from(attributes.len() + 24).expect("a short message").to_be_bytes();
    let mut kind = kind.to_vec();
    kind.resize(2, 1);
    let cookie = [0x21, 0x12, 0xA4, 0x42];
    let mut message = [&kind[..], &length, &cookie, b"123456789012", &attributes].concat();
    let tag = hmac(PASSWORD.as_bytes(), &[&message]);
    message.extend([0, 8, 0, 20]);
    message.extend(tag);
    message
}

/// Returns the server's side of a DTLS connection.
fn dtls_server() -> Box<dyn DtlsInstance> {
    static CERTIFICATE: LazyLock<Certificate> =
        LazyLock::new(|| Certificate::generate().expect("a certificate"));
    let (provider, now) = (crypto().dtls_provider, Instant::now());
    let made = provider.new_dtls(&CERTIFICATE.for_dtls(), now, DtlsVersion::Dtls12, None);
    let mut side = made.expect("a DTLS connection");
    side.set_active(false);
    side.handle_timeout(now).expect("a DTLS connection that begins");
    side
}

/// Takes the datagrams that a side sends now.
fn sent_by(side: &mut dyn DtlsInstance) -> Vec<Vec<u8>> {
    let (mut buffer, mut sent) = (vec![0; 4_096], Vec::new());
    loop {
        match side.poll_output(&mut buffer) {
            DtlsOutput::Packet(packet) => sent.push(packet.to_vec()),
            DtlsOutput::BufferTooSmall { needed } => panic!("a datagram of {needed} bytes"),
            DtlsOutput::ApplicationData(data) => panic!("{} bytes of nobody", data.len()),
            DtlsOutput::Timeout(_) => return sent,
            _ => {}
        }
    }
}

/// DTLS: datagrams to a server, each one after its length in two bytes. A datagram causes at most one flight of the
/// handshake.
pub fn dtls(mut data: &[u8]) -> bool {
    let [viewer, server] = addresses();
    let mut side = dtls_server();
    assert!(sent_by(&mut *side).is_empty(), "a server waits");
    let mut is_answered = false;
    while let Some((length, rest)) = data.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (datagram, rest) = rest.split_at(length);
        data = rest;
        let _ = Receive::new(Protocol::Udp, viewer, server, datagram).is_ok();
        if side.handle_packet(datagram).is_err() {
            return is_answered;
        }
        let sent = sent_by(&mut *side);
        assert!(sent.len() <= MAX_FLIGHT, "{} datagrams", sent.len());
        is_answered |= !sent.is_empty();
    }
    is_answered
}
