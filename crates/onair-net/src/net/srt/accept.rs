//! Answers callers (draft-sharabayko-srt-01 §4.3.1). Until a caller has returned the cookie, which
//! proves its address, no state is kept, and no answer is larger than its question.

use std::net::SocketAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use srt_runtime::handshake_sm::{
    CryptoConfig, HANDSHAKE_VERSION_5, HandshakeOutput, SRT_MAGIC_CODE,
};
use srt_runtime::packet::handshake::EncryptionField;
use srt_runtime::packet::{
    ControlPacket, ExtensionType, HandshakeExtensionFlags, HandshakeExtensions, HandshakePacket,
    HandshakeType,
};
use srt_runtime::{HandshakeConfig, ListenerHandshake, RejectionReason};

use crate::base::{Secret, Timestamp};
use crate::net::random::random_bytes;
use crate::net::srt::engine::Agreed;
use crate::net::srt::keys::Keys;
use crate::net::srt::packets::{MAX_DATAGRAM_BYTES, SEQUENCE_MASK};
use crate::net::srt::url::MAX_STREAM_ID_BYTES;

/// The time for which a cookie is valid, and then once more.
const COOKIE_TIME: Duration = Duration::from_secs(60);
/// The numbers of rejections that servers choose follow those of HTTP.
const REJECTION_BASE: u32 = 2_000;

/// The answer to a datagram.
#[derive(Debug)]
pub enum Reply {
    /// Nothing is to be sent.
    None,
    /// This datagram is to be sent back.
    Send(Vec<u8>),
    /// A caller with a valid cookie.
    Call(Box<Call>),
}

/// A caller that has proven its address.
#[derive(Debug)]
pub struct Call {
    /// The number of the caller's socket.
    pub caller_id: u32,
    /// The id of the stream that it wants, which can contain a password.
    pub stream_id: Option<Secret>,
    sequence: u32,
    cookie: u32,
    conclusion: Vec<u8>,
}

/// The answer that rejects a caller, and the name of the reason.
pub type Rejection = (Vec<u8>, &'static str);

/// Answers the first datagrams of callers.
#[derive(Debug)]
pub struct Acceptor {
    secret: [u8; 32],
}

impl Acceptor {
    /// Creates an acceptor, or returns `None` if the system has no randomness.
    pub fn new() -> Option<Self> {
        random_bytes().map(|secret| Self { secret })
    }

    /// Answers a datagram that belongs to no connection.
    pub fn answer(&self, bytes: &[u8], from: SocketAddr, now: Timestamp) -> Reply {
        if bytes.len() > MAX_DATAGRAM_BYTES {
            return Reply::None;
        }
        let Ok(ControlPacket::Handshake(question)) = ControlPacket::parse(bytes) else {
            return Reply::None;
        };
        let is_valid = question.initial_seq_number <= SEQUENCE_MASK && question.srt_socket_id != 0;
        if question.dest_socket_id != 0 || !is_valid {
            return Reply::None;
        }
        let period = now.as_micros() / COOKIE_TIME.as_micros() as i64;
        match question.handshake_type {
            HandshakeType::Induction => {
                let answer = handshake(&question, self.cookie(from, period));
                serialized(answer)
                    .filter(|it| it.len() <= bytes.len())
                    .map_or(Reply::None, Reply::Send)
            }
            HandshakeType::Conclusion => {
                let cookie = question.syn_cookie;
                let is_ours = [period, period - 1].map(|it| self.cookie(from, it));
                if !is_ours.contains(&cookie) {
                    return Reply::None;
                }
                let Ok(stream_id) = stream_id(&question) else {
                    return rejection(&question, RejectionReason::Rogue);
                };
                Reply::Call(Box::new(Call {
                    caller_id: question.srt_socket_id,
                    stream_id,
                    sequence: question.initial_seq_number,
                    cookie,
                    conclusion: bytes.to_vec(),
                }))
            }
            _ => Reply::None,
        }
    }

    /// Returns the cookie for an address. It changes with time, so that a stolen one is soon
    /// worthless.
    fn cookie(&self, from: SocketAddr, period: i64) -> u32 {
        let Ok(mut hash) = Hmac::<Sha256>::new_from_slice(&self.secret) else { return 0 };
        hash.update(from.to_string().as_bytes());
        hash.update(&period.to_be_bytes());
        let hash = hash.finalize().into_bytes();
        hash.iter().take(4).fold(0, |cookie, byte| (cookie << 8) | u32::from(*byte))
    }
}

/// Returns the stream id of a question. Fails if an extension is malformed or the id is too long.
fn stream_id(question: &HandshakePacket<'_>) -> Result<Option<Secret>, ()> {
    let mut found = None;
    for block in question.extensions.iter() {
        let block = block.map_err(drop)?;
        if block.ext_type == ExtensionType::Sid {
            let id = block.as_stream_id().map_err(drop)?;
            if id.len() > MAX_STREAM_ID_BYTES {
                return Err(());
            }
            found = Some(Secret::from_client(id)).filter(|id| !id.is_empty());
        }
    }
    Ok(found)
}

/// Returns an answer without extensions.
fn handshake(question: &HandshakePacket<'_>, cookie: u32) -> HandshakePacket<'static> {
    HandshakePacket {
        timestamp: 0,
        dest_socket_id: question.srt_socket_id,
        version: HANDSHAKE_VERSION_5,
        encryption_field: EncryptionField::NoEncryption,
        extension_field: HandshakeExtensionFlags(SRT_MAGIC_CODE),
        initial_seq_number: question.initial_seq_number,
        mtu: MAX_DATAGRAM_BYTES as u32,
        max_flow_window_size: question.max_flow_window_size,
        handshake_type: HandshakeType::Induction,
        // The socket has no number before the caller is known.
        srt_socket_id: question.srt_socket_id,
        syn_cookie: cookie,
        peer_ip: [0; 4],
        extensions: HandshakeExtensions(&[]),
    }
}

fn rejection(question: &HandshakePacket<'_>, reason: RejectionReason) -> Reply {
    let answer = HandshakePacket {
        handshake_type: reason.to_handshake_type(),
        extension_field: HandshakeExtensionFlags(0),
        ..handshake(question, 0)
    };
    serialized(answer).map_or(Reply::None, Reply::Send)
}

fn serialized(packet: HandshakePacket<'_>) -> Option<Vec<u8>> {
    let packet = ControlPacket::Handshake(packet);
    let mut bytes = vec![0; packet.serialized_len()];
    packet.serialize_into(&mut bytes).ok()?;
    Some(bytes)
}

impl Call {
    /// Accepts the caller. Returns the connection and the answer, or the rejection if it has not
    /// the same passphrase.
    ///
    /// # Errors
    /// Fails with the answer that rejects the caller, and the name of the reason.
    pub fn accept(
        &self,
        own_id: u32,
        passphrase: Option<&Secret>,
        (latency, now): (Duration, Timestamp),
    ) -> Result<(Agreed, Vec<u8>), Rejection> {
        let failed = |_| (self.reject(500), "REJ_ROGUE");
        let packet = ControlPacket::parse(&self.conclusion).map_err(failed)?;
        let ControlPacket::Handshake(question) = &packet else {
            return Err((self.reject(500), "REJ_ROGUE"));
        };
        let crypto = passphrase.map(|passphrase| CryptoConfig {
            passphrase: passphrase.expose().as_bytes().to_vec(),
            salt: [0; 16],
            sek: Vec::new(),
        });
        let config = HandshakeConfig {
            latency_ms: u16::try_from(latency.as_millis()).unwrap_or(u16::MAX),
            // Both directions begin with the caller's number, as in libsrt.
            initial_seq_number: self.sequence,
            encryption_field: question.encryption_field,
            crypto,
            ..HandshakeConfig::default()
        };
        let mut listener = ListenerHandshake::new(own_id, self.cookie, config);
        let first =
            HandshakePacket { handshake_type: HandshakeType::Induction, ..handshake(question, 0) };
        listener.feed(&ControlPacket::Handshake(first)).map_err(failed)?;
        let (mut answer, mut params) = (Vec::new(), Err("REJ_ROGUE"));
        for output in listener.feed(&packet).map_err(failed)? {
            match output {
                HandshakeOutput::Send(bytes) => answer = bytes,
                HandshakeOutput::Connected(connected) => params = Ok(connected),
                HandshakeOutput::Rejected(reason) => params = Err(reason.name()),
                _ => {}
            }
        }
        let params = match params {
            Ok(params) => params,
            Err(reason) => return Err((answer, reason)),
        };
        let keys = match (&params.sek, params.salt, passphrase) {
            (Some(key), Some(salt), Some(passphrase)) => Keys::new(key, salt, passphrase.clone()),
            _ => Keys::default(),
        };
        let agreed = Agreed {
            own_id,
            peer_id: self.caller_id,
            send_sequence: self.sequence,
            receive_sequence: self.sequence,
            latency: Duration::from_millis(params.latency_ms.into()),
            window: params.max_flow_window_size as usize,
            keys,
            begun: now,
        };
        Ok((agreed, answer))
    }

    /// Returns the answer that rejects the caller with this status, as HTTP has it.
    pub fn reject(&self, status: u32) -> Vec<u8> {
        let Ok(ControlPacket::Handshake(question)) = ControlPacket::parse(&self.conclusion) else {
            return Vec::new();
        };
        let reason = RejectionReason::from_bits(REJECTION_BASE + status);
        match rejection(&question, reason) {
            Reply::Send(bytes) => bytes,
            Reply::None | Reply::Call(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use srt_runtime::CallerHandshake;

    use super::*;

    const FROM: ([u8; 4], u16) = ([192, 0, 2, 1], 9_000);

    fn caller(id: &str) -> (CallerHandshake, Vec<u8>) {
        let stream_id = Some(id.to_owned());
        let config = HandshakeConfig { stream_id, ..HandshakeConfig::default() };
        let mut caller = CallerHandshake::new(7, config);
        let first = caller.start().unwrap();
        (caller, first)
    }

    fn conclusion(acceptor: &Acceptor, id: &str, now: Timestamp) -> (CallerHandshake, Vec<u8>) {
        let (mut caller, first) = caller(id);
        let Reply::Send(answer) = acceptor.answer(&first, FROM.into(), now) else {
            panic!("no answer");
        };
        assert!(answer.len() <= first.len());
        let Some(HandshakeOutput::Send(bytes)) = caller.feed_bytes(&answer).unwrap().pop() else {
            panic!("no conclusion");
        };
        (caller, bytes)
    }

    #[test]
    fn only_a_caller_that_returns_the_cookie_of_its_address_in_time_is_accepted() {
        let acceptor = Acceptor::new().unwrap();
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        let (mut caller, bytes) = conclusion(&acceptor, "publish:live/a", at(0));
        let other = ([192, 0, 2, 2], 9_000).into();
        let port = ([192, 0, 2, 1], 9_001).into();
        for (from, now) in [(other, at(1)), (port, at(1)), (FROM.into(), at(121))] {
            assert!(matches!(acceptor.answer(&bytes, from, now), Reply::None), "{from} {now:?}");
        }
        let Reply::Call(call) = acceptor.answer(&bytes, FROM.into(), at(61)) else {
            panic!("not heard");
        };
        assert_eq!(call.stream_id.as_ref().unwrap().expose(), "publish:live/a");
        assert!(!format!("{call:?}").contains("live/a"), "{call:?}");
        let (agreed, answer) = call.accept(9, None, (Duration::from_millis(300), at(61))).unwrap();
        assert_eq!((agreed.own_id, agreed.peer_id), (9, 7));
        assert_eq!(agreed.latency, Duration::from_millis(300));
        let outputs = caller.feed_bytes(&answer).unwrap();
        assert!(matches!(&outputs[..], [HandshakeOutput::Connected(it)] if it.peer_socket_id == 9));
    }

    #[test]
    fn a_caller_with_another_passphrase_or_a_stream_that_is_not_there_is_rejected() {
        let acceptor = Acceptor::new().unwrap();
        let (mut caller, bytes) = conclusion(&acceptor, "read:live/a", Timestamp::ZERO);
        let Reply::Call(call) = acceptor.answer(&bytes, FROM.into(), Timestamp::ZERO) else {
            panic!("not heard");
        };
        let passphrase = Secret::new("planted-passphrase");
        let now = (Duration::ZERO, Timestamp::ZERO);
        let (_, reason) = call.accept(9, Some(&passphrase), now).unwrap_err();
        assert_eq!(reason, "REJ_UNSECURE");
        let outputs = caller.feed_bytes(&call.reject(404)).unwrap();
        let expected = HandshakeOutput::Rejected(RejectionReason::Reserved(2_404));
        assert_eq!(outputs, [expected]);
    }

    #[test]
    fn hostile_questions_get_no_answer_that_is_larger_and_break_nothing() {
        let acceptor = Acceptor::new().unwrap();
        let (_, first) = caller("read:live/a");
        let (_, second) = conclusion(&acceptor, &"x".repeat(600), Timestamp::ZERO);
        assert!(matches!(
            acceptor.answer(&second, FROM.into(), Timestamp::ZERO),
            Reply::Send(bytes) if bytes.len() <= second.len()
        ));
        let (_, third) = conclusion(&acceptor, "publish:live/a:user:password", Timestamp::ZERO);
        // A simple generator: the cases are the same in every run.
        let mut state = 0x1234_5678_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize
        };
        for case in 0..20_000 {
            let mut bytes = [&first, &second, &third][case % 3].clone();
            for _ in 0..=random() % 4 {
                let place = random() % bytes.len();
                bytes[place] = random() as u8;
            }
            bytes.truncate(bytes.len() - (random() % 3) * (random() % 20));
            match acceptor.answer(&bytes, FROM.into(), Timestamp::ZERO) {
                Reply::None => {}
                Reply::Send(answer) => assert!(answer.len() <= bytes.len(), "{bytes:?}"),
                Reply::Call(call) => {
                    let _ = call.accept(9, None, (Duration::ZERO, Timestamp::ZERO));
                }
            }
        }
    }
}
