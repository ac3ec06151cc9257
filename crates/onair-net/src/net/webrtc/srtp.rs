//! The ciphers of SRTP for str0m: AES-GCM (RFC 7714) from ring, and AES in counter mode (RFC 3711)
//! from RustCrypto.

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher};
use aes::{Aes128, Aes256};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider,
    SupportedAeadAes128Gcm, SupportedAeadAes256Gcm, SupportedAes128CmSha1_80,
};

/// Size of the AES-GCM tag in bytes.
const GCM_TAG_BYTES: usize = 16;
/// Size of an AES block in bytes.
const AES_BLOCK_BYTES: usize = 16;

#[derive(Debug)]
pub(super) struct Provider;

impl SrtpProvider for Provider {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Self
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Self
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Self
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let Ok(cipher) = Aes128::new_from_slice(key) {
            one_block(&cipher, input, output);
        }
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        if let Ok(cipher) = Aes256::new_from_slice(key) {
            one_block(&cipher, input, output);
        }
    }
}

/// Encrypts a block for key derivation, and appends the padding block of PKCS #7. Callers provide
/// room for both blocks.
fn one_block(
    cipher: &impl BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>,
    input: &[u8],
    output: &mut [u8],
) {
    let input = input.first_chunk::<AES_BLOCK_BYTES>().copied().unwrap_or_default();
    for (place, block) in output
        .chunks_exact_mut(AES_BLOCK_BYTES)
        .zip([input, [AES_BLOCK_BYTES as u8; AES_BLOCK_BYTES]])
    {
        let mut block = Array::from(block);
        cipher.encrypt_block(&mut block);
        place.copy_from_slice(&block);
    }
}

impl SupportedAes128CmSha1_80 for Provider {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        Box::new(CounterMode { key })
    }
}

impl SupportedAeadAes128Gcm for Provider {
    fn create_cipher(&self, key: [u8; 16], _encrypt: bool) -> Box<dyn AeadAes128GcmCipher> {
        Box::new(Gcm::new(&AES_128_GCM, &key))
    }
}

impl SupportedAeadAes256Gcm for Provider {
    fn create_cipher(&self, key: [u8; 32], _encrypt: bool) -> Box<dyn AeadAes256GcmCipher> {
        Box::new(Gcm::new(&AES_256_GCM, &key))
    }
}

struct CounterMode {
    key: [u8; 16],
}

impl std::fmt::Debug for CounterMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CounterMode").finish_non_exhaustive()
    }
}

impl Aes128CmSha1_80Cipher for CounterMode {
    fn encrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        let output = output.get_mut(..input.len()).ok_or_else(no_room)?;
        output.copy_from_slice(input);
        ctr::Ctr128BE::<Aes128>::new(&self.key.into(), iv.into()).apply_keystream(output);
        Ok(())
    }

    fn decrypt(
        &mut self,
        iv: &[u8; 16],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        self.encrypt(iv, input, output)
    }
}

/// The AES-GCM cipher, or `None` for a key of the wrong length, which str0m never passes.
struct Gcm(Option<LessSafeKey>);

impl std::fmt::Debug for Gcm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Gcm").finish_non_exhaustive()
    }
}

impl Gcm {
    fn new(algorithm: &'static Algorithm, key: &[u8]) -> Self {
        Self(UnboundKey::new(algorithm, key).ok().map(LessSafeKey::new))
    }

    fn seal(
        &self,
        iv: [u8; 12],
        aad: &[u8],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<(), CryptoError> {
        let key = self.0.as_ref().ok_or_else(no_room)?;
        let (body, rest) = output.split_at_mut_checked(input.len()).ok_or_else(no_room)?;
        body.copy_from_slice(input);
        let nonce = Nonce::assume_unique_for_key(iv);
        let tag = key.seal_in_place_separate_tag(nonce, Aad::from(aad), body);
        let tag = tag.map_err(|_| CryptoError::Other("sealing failed".to_owned()))?;
        rest.get_mut(..GCM_TAG_BYTES).ok_or_else(no_room)?.copy_from_slice(tag.as_ref());
        Ok(())
    }

    fn open(
        &self,
        iv: [u8; 12],
        aads: &[&[u8]],
        input: &[u8],
        output: &mut [u8],
    ) -> Result<usize, CryptoError> {
        let key = self.0.as_ref().ok_or_else(no_room)?;
        let mut sealed = input.to_vec();
        let aad = aads.concat();
        let nonce = Nonce::assume_unique_for_key(iv);
        let opened = key.open_in_place(nonce, Aad::from(&aad), &mut sealed);
        let opened = opened.map_err(|_| CryptoError::Other("the seal is broken".to_owned()))?;
        output.get_mut(..opened.len()).ok_or_else(no_room)?.copy_from_slice(opened);
        Ok(opened.len())
    }
}

fn no_room() -> CryptoError {
    CryptoError::Other("a buffer or key has the wrong length".to_owned())
}

/// Implements the traits of str0m, which has one trait for each key length, with the same methods.
macro_rules! ciphers {
    ($($cipher:path),*) => {$(
        impl $cipher for Gcm {
            fn encrypt(
                &mut self,
                iv: &[u8; 12],
                aad: &[u8],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<(), CryptoError> {
                self.seal(*iv, aad, input, output)
            }

            fn decrypt(
                &mut self,
                iv: &[u8; 12],
                aads: &[&[u8]],
                input: &[u8],
                output: &mut [u8],
            ) -> Result<usize, CryptoError> {
                self.open(*iv, aads, input, output)
            }
        }
    )*};
}

ciphers!(AeadAes128GcmCipher, AeadAes256GcmCipher);

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    #[test]
    fn blocks_and_counters_are_those_of_their_standards() {
        // FIPS 197, appendix C.1.
        let key = hex("000102030405060708090a0b0c0d0e0f");
        let mut out = [0; 32];
        Provider.srtp_aes_128_ecb_round(&key, &hex("00112233445566778899aabbccddeeff"), &mut out);
        assert_eq!(HEXLOWER.encode(&out[..16]), "69c4e0d86a7b0430d8cdb78070b4c55a");
        // RFC 3711, appendix B.2: the key stream of AES in counter mode.
        let key = hex("2b7e151628aed2a6abf7158809cf4f3c").try_into().unwrap();
        let mut cipher = CounterMode { key };
        let iv = hex("f0f1f2f3f4f5f6f7f8f9fafbfcfd0000").try_into().unwrap();
        let mut stream = [0; 16];
        cipher.encrypt(&iv, &[0; 16], &mut stream).unwrap();
        assert_eq!(HEXLOWER.encode(&stream), "e03ead0935c95e80e166b16dd92b4eb4");
        assert!(cipher.encrypt(&iv, &[0; 17], &mut stream).is_err(), "no room");
    }

    #[test]
    fn encrypted_data_is_decrypted_and_damage_is_detected() {
        let gcm = Gcm::new(&AES_128_GCM, &[7; 16]);
        let mut sealed = [0; 5 + GCM_TAG_BYTES];
        gcm.seal([1; 12], b"header", b"hello", &mut sealed).unwrap();
        let mut open = [0; 5];
        let length = gcm.open([1; 12], &[b"hea", b"der"], &sealed, &mut open).unwrap();
        assert_eq!((length, &open), (5, b"hello"));
        assert!(gcm.open([1; 12], &[b"other"], &sealed, &mut open).is_err());
        sealed[2] ^= 1;
        assert!(gcm.open([1; 12], &[b"header"], &sealed, &mut open).is_err());
        assert!(gcm.seal([1; 12], b"header", b"hello", &mut open).is_err(), "no room");
        assert!(gcm.open([1; 12], &[], &[1, 2], &mut open).is_err(), "shorter than a seal");
    }
}
