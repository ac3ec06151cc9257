//! Decrypts whole segments (RFC 8216 §4.3.2.4, AES-128), video and audio in a transport stream
//! ("MPEG-2 Stream Encryption Format for HTTP Live Streaming"), and samples of an MP4 (ISO/IEC
//! 23001-7, `cenc` and `cbcs`). This module is pure.

use aes::cipher::BlockCipherEncrypt;
use bytes::{BufMut, Bytes, BytesMut};
use cbc::cipher::{BlockModeDecrypt, KeyInit, KeyIvInit};

use crate::wire::codec::h264::{NalType, avcc_nals, unescape};
use crate::wire::container::mp4::{EncryptedSample, Scheme};

/// Size of a cipher block in bytes.
const CIPHER_BLOCK_BYTES: usize = 16;
/// Number of clear bytes at the beginning of a NAL unit. After them, one of every ten blocks is
/// encrypted. Units that are no longer than these bytes plus one block are not encrypted.
const CLEAR_NAL_BYTES: usize = 32;
const NAL_PATTERN_BYTES: usize = 10 * CIPHER_BLOCK_BYTES;
/// Number of clear bytes at the beginning of an audio access unit.
const CLEAR_AUDIO_BYTES: usize = 16;

/// A key and its initialization vector. They are never printed.
pub(in crate::input::http) struct Decryption {
    pub key: [u8; CIPHER_BLOCK_BYTES],
    pub iv: [u8; CIPHER_BLOCK_BYTES],
}

type Chain = cbc::Decryptor<aes::Aes128>;

impl Decryption {
    fn chain(&self, iv: &[u8; CIPHER_BLOCK_BYTES]) -> Chain {
        Chain::new(&self.key.into(), &(*iv).into())
    }

    /// Decrypts a whole segment with PKCS #7 padding. Returns `None` if it is damaged or the key is
    /// wrong.
    pub fn segment(&self, data: &[u8]) -> Option<Bytes> {
        if data.is_empty() || !data.len().is_multiple_of(CIPHER_BLOCK_BYTES) {
            return None;
        }
        let mut out = BytesMut::from(data);
        blocks(&mut self.chain(&self.iv), &mut out);
        let padding = usize::from(out.last().copied()?);
        let length = out.len().checked_sub(padding)?;
        let end = out.get(length..)?;
        let right = (1..=CIPHER_BLOCK_BYTES).contains(&padding)
            && end.iter().all(|byte| usize::from(*byte) == padding);
        out.truncate(length);
        right.then(|| out.freeze())
    }

    /// Decrypts an H.264 frame whose NAL units have 4-byte length fields.
    pub fn video(&self, units: &Bytes) -> Bytes {
        let mut out = BytesMut::with_capacity(units.len());
        for nal in avcc_nals(units, 4).map_while(Result::ok) {
            let is_slice = matches!(NalType::of(nal), Some(NalType::Slice | NalType::Idr));
            let opened = (is_slice && nal.len() > CLEAR_NAL_BYTES + CIPHER_BLOCK_BYTES)
                .then(|| self.nal(nal));
            let nal = opened.as_deref().unwrap_or(nal);
            out.put_u32(u32::try_from(nal.len()).unwrap_or(u32::MAX));
            out.put_slice(nal);
        }
        out.freeze()
    }

    /// Decrypts a slice. The sender added emulation prevention after the encryption.
    fn nal(&self, nal: &[u8]) -> Vec<u8> {
        let mut nal = unescape(nal);
        let mut chain = self.chain(&self.iv);
        for part in nal.get_mut(CLEAR_NAL_BYTES..).unwrap_or_default().chunks_mut(NAL_PATTERN_BYTES)
        {
            // The last block is clear, even if it is complete.
            if part.len() > CIPHER_BLOCK_BYTES {
                blocks(&mut chain, part.get_mut(..CIPHER_BLOCK_BYTES).unwrap_or_default());
            }
        }
        nal
    }

    /// Decrypts an audio access unit without its ADTS header.
    pub fn audio(&self, unit: &Bytes) -> Bytes {
        let mut out = BytesMut::from(&unit[..]);
        blocks(&mut self.chain(&self.iv), out.get_mut(CLEAR_AUDIO_BYTES..).unwrap_or_default());
        out.freeze()
    }

    /// Decrypts the samples of an MP4 in place.
    pub fn samples(&self, file: &mut [u8], encrypted: &[EncryptedSample]) {
        for sample in encrypted {
            let from = usize::try_from(sample.at).unwrap_or(usize::MAX);
            let until = from.saturating_add(sample.size as usize);
            if let Some(data) = file.get_mut(from..until) {
                self.sample(data, sample);
            }
        }
    }

    fn sample(&self, mut data: &mut [u8], sample: &EncryptedSample) {
        let whole = [(0, sample.size)];
        let parts = if sample.parts.is_empty() { &whole[..] } else { &sample.parts };
        let mut stream = Stream::new(&self.key, sample.iv);
        for (clear, encrypted) in parts {
            let Some((_, rest)) = data.split_at_mut_checked(usize::from(*clear)) else { return };
            let Some((part, rest)) = rest.split_at_mut_checked(*encrypted as usize) else { return };
            match sample.scheme {
                // One key stream covers all parts.
                Scheme::Ctr => stream.apply(part),
                // The IV applies again to each part; without a pattern everything is encrypted.
                Scheme::Cbc { encrypted, clear } => {
                    let mut chain = self.chain(&sample.iv);
                    let encrypted = usize::from(encrypted) * CIPHER_BLOCK_BYTES;
                    if encrypted == 0 || clear == 0 {
                        blocks(&mut chain, part);
                    } else {
                        for part in
                            part.chunks_mut(encrypted + usize::from(clear) * CIPHER_BLOCK_BYTES)
                        {
                            let most = encrypted.min(part.len());
                            blocks(&mut chain, part.get_mut(..most).unwrap_or_default());
                        }
                    }
                }
            }
            data = rest;
        }
    }
}

/// Decrypts all whole blocks.
fn blocks(chain: &mut Chain, data: &mut [u8]) {
    for chunk in data.chunks_exact_mut(CIPHER_BLOCK_BYTES) {
        let Ok(mut block) = aes::Block::try_from(&*chunk) else { return };
        chain.decrypt_block(&mut block);
        chunk.copy_from_slice(&block);
    }
}

/// The key stream of CTR mode: the last eight bytes count blocks.
struct Stream {
    cipher: aes::Aes128,
    counter: [u8; CIPHER_BLOCK_BYTES],
    pad: [u8; CIPHER_BLOCK_BYTES],
    used: usize,
}

impl Stream {
    fn new(key: &[u8; CIPHER_BLOCK_BYTES], iv: [u8; CIPHER_BLOCK_BYTES]) -> Self {
        let cipher = aes::Aes128::new(&(*key).into());
        Self { cipher, counter: iv, pad: [0; CIPHER_BLOCK_BYTES], used: CIPHER_BLOCK_BYTES }
    }

    fn apply(&mut self, data: &mut [u8]) {
        for byte in data {
            if self.used == CIPHER_BLOCK_BYTES {
                let mut block = aes::Block::from(self.counter);
                self.cipher.encrypt_block(&mut block);
                self.pad.copy_from_slice(&block);
                if let Some(count) = self.counter.last_chunk_mut::<8>() {
                    *count = u64::from_be_bytes(*count).wrapping_add(1).to_be_bytes();
                }
                self.used = 0;
            }
            *byte ^= self.pad.get(self.used).copied().unwrap_or(0);
            self.used += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decryption(iv: u128) -> Decryption {
        Decryption { key: std::array::from_fn(|at| at as u8), iv: iv.to_be_bytes() }
    }

    #[test]
    fn segments_are_decrypted_and_wrong_keys_found_out() {
        let plain = b"hello segment";
        let closed = close(plain, &decryption(1));
        assert_eq!(&decryption(1).segment(&closed).unwrap()[..], plain);
        assert!(Decryption { key: [9; 16], ..decryption(1) }.segment(&closed).is_none());
        assert!(
            decryption(1).segment(&closed[1..]).is_none() && decryption(1).segment(&[]).is_none()
        );
    }

    fn close(plain: &[u8], decryption: &Decryption) -> Vec<u8> {
        use cbc::cipher::BlockModeEncrypt;
        let mut cipher =
            cbc::Encryptor::<aes::Aes128>::new(&decryption.key.into(), &decryption.iv.into());
        let padding = 16 - plain.len() % 16;
        let mut padded = plain.to_vec();
        padded.resize(plain.len() + padding, padding as u8);
        let mut out = Vec::new();
        for chunk in padded.chunks_exact(16) {
            let mut block = aes::Block::try_from(chunk).unwrap();
            cipher.encrypt_block(&mut block);
            out.extend_from_slice(&block);
        }
        out
    }

    #[test]
    fn ctr_goes_on_over_the_parts_of_a_sample_as_the_standard_has_it() {
        // NIST SP 800-38A, F.5.2, decryption in two parts that meet within a block.
        let hex = |text: &str| {
            let digits = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
            (0..text.len()).step_by(2).map(digits).collect::<Vec<_>>()
        };
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap();
        let iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff").try_into().unwrap();
        let encrypted = hex("874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff");
        let plain = hex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
        let mut file = [&encrypted[..20], b"open", &encrypted[20..]].concat();
        let parts = vec![(0, 20), (4, 12)];
        let sample = EncryptedSample { at: 0, size: 36, scheme: Scheme::Ctr, iv, parts };
        Decryption { key, iv }.samples(&mut file, std::slice::from_ref(&sample));
        assert_eq!(file, [&plain[..20], b"open", &plain[20..]].concat());
        // Data beyond the end is not changed.
        let beyond = EncryptedSample { at: 30, ..sample.clone() };
        let lies = EncryptedSample { parts: vec![(60_000, u32::MAX)], ..sample };
        let before = file.clone();
        Decryption { key, iv }.samples(&mut file, &[beyond, lies]);
        assert_eq!(file, before);
    }

    #[test]
    fn frames_and_audio_of_any_length_are_read() {
        for length in 0..400 {
            let unit = Bytes::from(vec![0x65; length]);
            assert_eq!(decryption(1).audio(&unit).len(), length);
            let mut frame = BytesMut::new();
            frame.put_u32(length as u32);
            frame.put_slice(&unit);
            let opened = decryption(1).video(&frame.freeze());
            let is_open = opened.get(4..36) == unit.get(..32);
            assert!(is_open && (opened.len() == length + 4 || length == 0), "{length}");
            // The second block of the encrypted range is clear.
            assert!(length < 80 || opened[52..80] == unit[48..76], "{length}");
        }
    }
}
