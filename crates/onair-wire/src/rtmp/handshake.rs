//! The RTMP handshake (RTMP 1.0, 5.2) with the digests of Flash Player 9, for both roles, sans-IO.
//!
//! A client sends the simple form, which nearly every server accepts, or the digests of Flash
//! Player, which some servers require. A server answers with digests if the client's digest proves
//! support for them. Otherwise it sends a plain echo with version zero, because some clients verify
//! digests of servers with version 3 or more. The content of the last 1,536 bytes never causes an
//! error, because real peers send any value.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::base::SplitMix64;

/// Size of C1, S1, C2 and S2 in bytes.
pub const MESSAGE_BYTES: usize = 1_536;
const RTMP_VERSION: u8 = 3;
const DIGEST_BYTES: usize = 32;
const PLAYER_KEY: &[u8; 30] = b"Genuine Adobe Flash Player 001";
const SERVER_KEY: &[u8; 36] = b"Genuine Adobe Flash Media Server 001";
/// The version of Flash Player that first sent digests at this position.
const FLASH_PLAYER_VERSION: [u8; 4] = [9, 0, 124, 2];
/// The end of both keys, which is used for signing whole messages.
const KEY_TAIL: [u8; 32] = [
    0xF0, 0xEE, 0xC2, 0x4A, 0x80, 0x68, 0xBE, 0xE8, 0x2E, 0x00, 0xD0, 0xD1, 0x02, 0x9E, 0x7E, 0x57,
    0x6E, 0xEC, 0x5D, 0x2D, 0x29, 0x80, 0x6F, 0xAB, 0x93, 0xB8, 0xE6, 0x36, 0xCF, 0xEB, 0x31, 0xAE,
];

/// The reason why the peer does not speak RTMP.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("the peer does not speak RTMP (its first byte is {0:#04x})")]
    NotRtmp(u8),
    #[error("the peer wants encrypted RTMP (RTMPE), which is obsolete and not supported")]
    Encrypted,
    #[error("the proxy in front announces {0} bytes about the client")]
    ProxyHeader(u16),
}

/// Client side of the handshake. Send the bytes from [`Client::new`], then call [`Client::read`].
#[derive(Debug)]
pub struct Client {
    received: Vec<u8>,
    answered: bool,
    /// The seed for the random part of the answer, if the client began with a digest.
    digests: Option<u64>,
}

impl Client {
    /// Starts a handshake. Also returns C0 and C1. `seed` fills the random part and need not be
    /// secret.
    pub fn new(seed: u64) -> (Self, Vec<u8>) {
        let mut hello = vec![0; 1 + MESSAGE_BYTES];
        fill_random(hello.get_mut(9..).unwrap_or_default(), seed);
        if let Some(version) = hello.first_mut() {
            *version = RTMP_VERSION;
        }
        (Self { received: Vec::new(), answered: false, digests: None }, hello)
    }

    /// Works like [`Client::new`], but with the digest of Flash Player in C1. C2 is signed if the
    /// server's own digest proves support for digests. Otherwise it is an echo.
    pub fn with_digests(seed: u64) -> (Self, Vec<u8>) {
        let (client, mut hello) = Self::new(seed);
        if let Some(c1) = hello.get_mut(1..) {
            sign_hello(c1, FLASH_PLAYER_VERSION, offset_low, PLAYER_KEY);
        }
        (Self { digests: Some(seed), ..client }, hello)
    }

    /// Takes bytes from the front of `input` and appends C2 to `out`. Returns true if the handshake
    /// is done. The remaining `input` then contains chunks.
    ///
    /// # Errors
    /// Fails if the peer is not an RTMP server.
    pub fn read(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
        take(&mut self.received, 1 + 2 * MESSAGE_BYTES, input);
        check_version(&self.received)?;
        if !self.answered
            && let Some(s1) = self.received.get(1..=MESSAGE_BYTES)
        {
            let digest = self.digests.zip(find_digest(s1, SERVER_KEY));
            match digest {
                Some((seed, (_, digest))) => {
                    let start = out.len();
                    out.resize(start + MESSAGE_BYTES, 0);
                    let c2 = out.get_mut(start..).unwrap_or_default();
                    sign_answer(c2, seed, PLAYER_KEY, &digest);
                }
                None => out.extend_from_slice(s1),
            }
            self.answered = true;
        }
        Ok(self.received.len() == 1 + 2 * MESSAGE_BYTES)
    }
}

/// Server side of the handshake. Call [`Server::read`].
#[derive(Debug)]
pub struct Server {
    seed: u64,
    received: Vec<u8>,
    /// Number of remaining bytes of the proxy header.
    proxy: usize,
    answered: bool,
}

impl Server {
    /// Creates the state that waits for a client. `seed` fills the random part and need not be
    /// secret.
    pub const fn new(seed: u64) -> Self {
        Self { seed, received: Vec::new(), proxy: 0, answered: false }
    }

    /// Takes bytes from the front of `input` and appends S0, S1 and S2 to `out`. Returns true if
    /// the handshake is done. The remaining `input` then contains chunks.
    ///
    /// # Errors
    /// Fails if the peer is not an RTMP client.
    pub fn read(&mut self, input: &mut &[u8], out: &mut Vec<u8>) -> Result<bool, Error> {
        if !self.skip_proxy(input)? {
            return Ok(false);
        }
        take(&mut self.received, 1 + 2 * MESSAGE_BYTES, input);
        check_version(&self.received)?;
        if !self.answered
            && let Some(c1) = self.received.get(1..=MESSAGE_BYTES)
        {
            out.push(RTMP_VERSION);
            answer(c1, self.seed, out);
            self.answered = true;
        }
        Ok(self.received.len() == 1 + 2 * MESSAGE_BYTES)
    }

    /// Skips the header of some proxies: 0xF3, a 16-bit length and the client's address. Returns
    /// true if the client's own bytes are next.
    fn skip_proxy(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        loop {
            let (_, rest) = input.split_at(self.proxy.min(input.len()));
            self.proxy -= input.len() - rest.len();
            *input = rest;
            if self.proxy > 0 {
                return Ok(false);
            }
            if self.received.first().or(input.first()) != Some(&0xF3) {
                return Ok(true);
            }
            take(&mut self.received, 3, input);
            let [_, high, low] = *self.received else { return Ok(false) };
            let length = u16::from_be_bytes([high, low]);
            if length > 1_024 {
                return Err(Error::ProxyHeader(length));
            }
            self.received.clear();
            self.proxy = usize::from(length);
        }
    }
}

fn check_version(received: &[u8]) -> Result<(), Error> {
    match received.first() {
        None | Some(&RTMP_VERSION) => Ok(()),
        Some(6 | 8) => Err(Error::Encrypted),
        Some(&other) => Err(Error::NotRtmp(other)),
    }
}

/// Moves bytes to `received` until it contains `total` bytes.
fn take(received: &mut Vec<u8>, total: usize, input: &mut &[u8]) {
    let (now, rest) = input.split_at((total - received.len()).min(input.len()));
    received.extend_from_slice(now);
    *input = rest;
}

/// Makes S1 and S2 for this C1.
fn answer(c1: &[u8], seed: u64, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + 2 * MESSAGE_BYTES, 0);
    let Some((s1, s2)) =
        out.get_mut(start..).and_then(|both| both.split_at_mut_checked(MESSAGE_BYTES))
    else {
        return;
    };
    fill_random(s1.get_mut(8..).unwrap_or_default(), seed);
    let Some((offset, client_digest)) = find_digest(c1, PLAYER_KEY) else {
        s2.copy_from_slice(c1);
        return;
    };
    sign_hello(s1, [4, 5, 0, 1], offset, SERVER_KEY);
    sign_answer(s2, seed, SERVER_KEY, &client_digest);
}

/// Signs C1 or S1, whose random part is filled, by setting its version and its digest.
fn sign_hello(hello: &mut [u8], version: [u8; 4], offset: Offset, key: &[u8]) {
    if let Some(place) = hello.get_mut(4..8) {
        place.copy_from_slice(&version);
    }
    let offset = offset(hello);
    let digest = digest_around(hello, offset, key);
    if let Some(place) = hello.get_mut(offset..offset + DIGEST_BYTES) {
        place.copy_from_slice(&digest);
    }
}

/// Makes C2 or S2 for the digest of the peer.
fn sign_answer(answer: &mut [u8], seed: u64, key: &[u8], digest: &[u8; DIGEST_BYTES]) {
    fill_random(answer, seed.rotate_left(32) ^ 0x5DEE_CE66);
    let full_key: Vec<u8> = key.iter().chain(&KEY_TAIL).copied().collect();
    let key = hmac(&full_key, &[digest]);
    if let Some((signed, signature)) = answer.split_at_mut_checked(MESSAGE_BYTES - DIGEST_BYTES) {
        signature.copy_from_slice(&hmac(&key, &[signed]));
    }
}

/// Returns the offset of the digest in a message, from bytes 8 to 11.
fn offset_low(message: &[u8]) -> usize {
    12 + sum_of_four(message, 8) % 728
}

/// Returns the alternative offset, from bytes 772 to 775.
fn offset_high(message: &[u8]) -> usize {
    776 + sum_of_four(message, 772) % 728
}

fn sum_of_four(message: &[u8], at: usize) -> usize {
    message.iter().skip(at).take(4).map(|&byte| usize::from(byte)).sum()
}

type Offset = fn(&[u8]) -> usize;

/// Returns the digest in a message and its schema, if it is valid in one of the two schemas.
fn find_digest(message: &[u8], key: &[u8]) -> Option<(Offset, [u8; DIGEST_BYTES])> {
    if message.get(4..8).is_none_or(|version| version == [0; 4]) {
        return None;
    }
    let schemas: [Offset; 2] = [offset_high, offset_low];
    schemas.into_iter().find_map(|schema| {
        let offset = schema(message);
        let found = message.get(offset..)?.first_chunk::<DIGEST_BYTES>()?;
        (digest_around(message, offset, key) == *found).then_some((schema, *found))
    })
}

/// Returns the offset of the digest in C1, if it has a valid one.
pub fn digest_offset(c1: &[u8; MESSAGE_BYTES]) -> Option<usize> {
    find_digest(c1, PLAYER_KEY).map(|(offset, _)| offset(c1))
}

/// Returns the digest of a message without the 32 bytes at `offset`.
fn digest_around(message: &[u8], offset: usize, key: &[u8]) -> [u8; DIGEST_BYTES] {
    let before = message.get(..offset).unwrap_or(message);
    let after = message.get(offset + DIGEST_BYTES..).unwrap_or_default();
    hmac(key, &[before, after])
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; DIGEST_BYTES] {
    // Any key length is valid; the error is for other algorithms.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; DIGEST_BYTES] };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Fills bytes with random numbers, which only have to differ between connections.
fn fill_random(out: &mut [u8], seed: u64) {
    let mut random = SplitMix64::new(seed);
    for chunk in out.chunks_mut(8) {
        for (to, from) in chunk.iter_mut().zip(random.number().to_le_bytes()) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a C1 with a digest at the given position, as Flash and FFmpeg send it.
    fn signed_c1(schema: Offset) -> Vec<u8> {
        let mut c1 = vec![0; MESSAGE_BYTES];
        fill_random(&mut c1, 7);
        c1[4..8].copy_from_slice(&[9, 0, 124, 2]);
        let offset = schema(&c1);
        let digest = digest_around(&c1, offset, PLAYER_KEY);
        c1[offset..offset + DIGEST_BYTES].copy_from_slice(&digest);
        c1
    }

    fn serve(c1: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut hello = vec![3];
        hello.extend_from_slice(c1);
        assert_eq!(Server::new(1).read(&mut hello.as_slice(), &mut out), Ok(false));
        assert_eq!(out.len(), 1 + 2 * MESSAGE_BYTES);
        out
    }

    #[test]
    fn both_ends_agree_at_any_cut() {
        for cut in [1, 2, 3, 1_536, 1_537, 4_000] {
            let (mut client, hello) = Client::new(5);
            let mut server = Server::new(6);
            let (mut to_client, mut to_server) = (Vec::new(), hello);
            to_server.extend_from_slice(&[]);
            let (mut client_done, mut server_done) = (false, false);
            while !(client_done && server_done) {
                for mut part in std::mem::take(&mut to_server).chunks(cut) {
                    server_done = server.read(&mut part, &mut to_client).unwrap();
                }
                for mut part in std::mem::take(&mut to_client).chunks(cut) {
                    client_done = client.read(&mut part, &mut to_server).unwrap();
                }
            }
        }
    }

    #[test]
    fn digests_are_answered_in_the_same_schema() {
        for schema in [offset_low as Offset, offset_high] {
            let c1 = signed_c1(schema);
            let answer = serve(&c1);
            let (s1, s2) = answer[1..].split_at(MESSAGE_BYTES);
            let (found, _) = find_digest(s1, SERVER_KEY).unwrap();
            assert_eq!(found(s1), schema(s1));
            let offset = schema(&c1);
            let mut key = SERVER_KEY.to_vec();
            key.extend(KEY_TAIL);
            let key = hmac(&key, &[&c1[offset..offset + DIGEST_BYTES]]);
            assert_eq!(
                hmac(&key, &[&s2[..MESSAGE_BYTES - DIGEST_BYTES]]),
                s2[MESSAGE_BYTES - DIGEST_BYTES..]
            );
        }
    }

    #[test]
    fn a_client_with_digests_is_taken_for_flash_player_and_signs_its_answer() {
        for seed in 0..50 {
            let (mut client, hello) = Client::with_digests(seed);
            let c1: &[u8; MESSAGE_BYTES] = hello[1..].try_into().unwrap();
            assert!(digest_offset(c1).is_some());
            // A server with digest support: its digest is answered.
            let mut answer = Vec::new();
            Server::new(seed + 1).read(&mut hello.as_slice(), &mut answer).unwrap();
            let (_, server_digest) = find_digest(&answer[1..=MESSAGE_BYTES], SERVER_KEY).unwrap();
            let mut c2 = Vec::new();
            assert_eq!(client.read(&mut answer.as_slice(), &mut c2), Ok(true));
            let key = hmac(&[&PLAYER_KEY[..], &KEY_TAIL].concat(), &[&server_digest]);
            assert_eq!(
                hmac(&key, &[&c2[..MESSAGE_BYTES - DIGEST_BYTES]]),
                c2[MESSAGE_BYTES - DIGEST_BYTES..]
            );
        }
        // A server without digest support: its bytes are echoed.
        let (mut client, _) = Client::with_digests(1);
        let mut plain = vec![RTMP_VERSION];
        plain.extend(std::iter::repeat_n(7, 2 * MESSAGE_BYTES));
        let mut c2 = Vec::new();
        assert_eq!(client.read(&mut plain.as_slice(), &mut c2), Ok(true));
        assert_eq!(c2, plain[1..=MESSAGE_BYTES]);
    }

    #[test]
    fn anything_else_is_echoed_with_version_zero() {
        let mut c1 = signed_c1(offset_low);
        c1[1_535] ^= 1;
        let answer = serve(&c1);
        assert_eq!(answer[1 + 4..1 + 8], [0; 4]);
        assert_eq!(answer[1 + MESSAGE_BYTES..], c1);
    }

    #[test]
    fn other_protocols_are_recognized() {
        let (mut client, _) = Client::new(0);
        assert_eq!(
            client.read(&mut b"HTTP/1.1 400".as_slice(), &mut Vec::new()),
            Err(Error::NotRtmp(b'H'))
        );
        let mut server = Server::new(0);
        assert_eq!(server.read(&mut [6].as_slice(), &mut Vec::new()), Err(Error::Encrypted));
    }

    #[test]
    fn a_proxys_header_is_skipped_at_any_cut() {
        let mut hello = vec![0xF3, 0, 4, 127, 0, 0, 1];
        hello.extend(Client::new(1).1);
        for cut in 1..9 {
            let (mut server, mut out) = (Server::new(2), Vec::new());
            for mut part in hello.chunks(cut) {
                assert_eq!(server.read(&mut part, &mut out), Ok(false));
            }
            assert_eq!(out.len(), 3_073);
        }
        let long = [0xF3, 0xFF, 0xFF, 0];
        let result = Server::new(0).read(&mut long.as_slice(), &mut Vec::new());
        assert_eq!(result, Err(Error::ProxyHeader(0xFFFF)));
    }
}
