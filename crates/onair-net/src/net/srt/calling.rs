//! The handshake of a side that calls, alone or in rendezvous mode (draft-sharabayko-srt-01 §4.3),
//! without a socket and without a clock.

use std::fmt;

use srt_runtime::handshake_sm::CryptoConfig;
use srt_runtime::packet::handshake::EncryptionField;
use srt_runtime::packet::{ControlPacket, HandshakeType};
use srt_runtime::{CallerHandshake, HandshakeConfig, RendezvousHandshake};

use crate::net::random::random_bytes;
use crate::net::srt::keys::Keys;
use crate::net::srt::mode::Mode;
use crate::net::srt::packets::SEQUENCE_MASK;
use crate::net::srt::url::SrtUrl;

/// What follows from a datagram.
pub use srt_runtime::handshake_sm::HandshakeOutput;

/// A handshake by which this side calls.
pub struct Calling {
    handshake: Handshake,
    config: HandshakeConfig,
    receive_sequence: u32,
}

enum Handshake {
    Caller(CallerHandshake),
    Rendezvous(RendezvousHandshake),
}

impl fmt::Debug for Calling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calling").finish_non_exhaustive()
    }
}

impl Calling {
    /// Creates the handshake of the socket with this number. Returns `None` if the system has no
    /// randomness.
    pub fn new(url: &SrtUrl, own_id: u32) -> Option<Self> {
        let config = config_of(url)?;
        let handshake = match url.mode {
            Mode::Rendezvous => {
                let cookie = u32::from_be_bytes(random_bytes()?);
                Handshake::Rendezvous(RendezvousHandshake::new(own_id, cookie, config.clone()))
            }
            _ => Handshake::Caller(CallerHandshake::new(own_id, config.clone())),
        };
        Some(Self { handshake, config, receive_sequence: 0 })
    }

    /// Returns the first datagram.
    pub fn start(&mut self) -> Option<Vec<u8>> {
        match &mut self.handshake {
            Handshake::Caller(it) => it.start().ok(),
            Handshake::Rendezvous(it) => it.start().ok(),
        }
    }

    /// Repeats an unanswered question.
    pub fn tick(&mut self) -> Vec<HandshakeOutput> {
        match &mut self.handshake {
            Handshake::Caller(it) => it.tick(),
            Handshake::Rendezvous(it) => it.tick(),
        }
    }

    /// Takes a datagram. Whatever is no answer to the handshake is ignored.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<HandshakeOutput> {
        let outputs = match &mut self.handshake {
            Handshake::Caller(it) => it.feed_bytes(bytes).unwrap_or_default(),
            Handshake::Rendezvous(it) => it.feed_bytes(bytes).unwrap_or_default(),
        };
        // Datagrams that mean nothing here come from somebody else, or too late.
        if !outputs.is_empty()
            && let Some(first) = first_sequence(bytes)
        {
            self.receive_sequence = first;
        }
        outputs
    }

    /// Returns the number of the first data packet of this side.
    pub fn send_sequence(&self) -> u32 {
        self.config.initial_seq_number
    }

    /// Returns the number of the first data packet of the other side.
    pub fn receive_sequence(&self) -> u32 {
        self.receive_sequence
    }

    /// Returns the keys of the connection, which are those of this side.
    pub fn keys(&self, url: &SrtUrl) -> Keys {
        match (&self.config.crypto, &url.passphrase) {
            (Some(own), Some(passphrase)) => Keys::new(&own.sek, own.salt, passphrase.clone()),
            _ => Keys::default(),
        }
    }
}

fn config_of(url: &SrtUrl) -> Option<HandshakeConfig> {
    let latency_ms = u16::try_from(url.latency.as_millis()).unwrap_or(u16::MAX);
    let mut config = HandshakeConfig {
        latency_ms,
        initial_seq_number: u32::from_be_bytes(random_bytes()?) & SEQUENCE_MASK,
        stream_id: url.stream_id.as_ref().map(|id| id.expose().to_owned()),
        retransmit_after_ticks: 1,
        max_retries: u32::MAX,
        ..HandshakeConfig::default()
    };
    if let Some(passphrase) = &url.passphrase {
        config.encryption_field = match url.key_bytes {
            24 => EncryptionField::Aes192,
            32 => EncryptionField::Aes256,
            _ => EncryptionField::Aes128,
        };
        let key: [u8; 32] = random_bytes()?;
        config.crypto = Some(CryptoConfig {
            passphrase: passphrase.expose().as_bytes().to_vec(),
            salt: random_bytes()?,
            sek: key.get(..url.key_bytes).unwrap_or(&key).to_vec(),
        });
    }
    Some(config)
}

/// Returns the number of the first data packet of the other side, if this is its conclusion.
fn first_sequence(bytes: &[u8]) -> Option<u32> {
    match ControlPacket::parse(bytes) {
        Ok(ControlPacket::Handshake(it))
            if matches!(it.handshake_type, HandshakeType::Conclusion | HandshakeType::Wavehand) =>
        {
            Some(it.initial_seq_number & SEQUENCE_MASK)
        }
        _ => None,
    }
}
