//! Services for str0m, which has no I/O itself: a socket, a certificate and cryptography.

pub mod certificate;
pub mod client;
mod dtls;
pub mod panics;
mod socket;
mod srtp;

use std::sync::{Arc, LazyLock};

use ring::{digest, hmac};
use str0m::config::CryptoProvider;
use str0m::crypto::{Sha1HmacProvider, Sha1Provider, Sha256Provider};

pub use certificate::{Certificate, CertificateError};
pub use socket::{DatagramSocket, UdpPath};

/// Returns the cryptography for str0m: DTLS from dimpl with RustCrypto, and everything else from
/// ring, which onair also uses for TLS. The backends of str0m itself use OpenSSL, AWS's library, or
/// a version of a crate that has not been published.
pub fn crypto() -> Arc<CryptoProvider> {
    static CRYPTO_PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
        Arc::new(CryptoProvider {
            srtp_provider: &srtp::Provider,
            sha1_hmac_provider: &Hashes,
            sha1_provider: &Hashes,
            sha256_provider: &Hashes,
            dtls_provider: &dtls::Provider,
        })
    });
    Arc::clone(&CRYPTO_PROVIDER)
}

#[derive(Debug)]
struct Hashes;

impl Sha1HmacProvider for Hashes {
    fn sha1_hmac(&self, key: &[u8], payloads: &[&[u8]]) -> [u8; 20] {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
        let mut context = hmac::Context::with_key(&key);
        payloads.iter().for_each(|payload| context.update(payload));
        sized(context.sign().as_ref())
    }
}

impl Sha1Provider for Hashes {
    fn sha1(&self, data: &[u8]) -> [u8; 20] {
        sized(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, data).as_ref())
    }
}

impl Sha256Provider for Hashes {
    fn sha256(&self, data: &[u8]) -> [u8; 32] {
        sized(digest::digest(&digest::SHA256, data).as_ref())
    }
}

/// Converts bytes to an array whose length is that of the hash.
fn sized<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.first_chunk::<N>().copied().unwrap_or([0; N])
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    #[test]
    fn hashes_are_those_of_their_standards() {
        // Test vectors: RFC 2202, case 2; FIPS 180, "abc".
        let mac = Hashes.sha1_hmac(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(HEXLOWER.encode(&mac), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        let sha1 = HEXLOWER.encode(&Hashes.sha1(b"abc"));
        assert_eq!(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha256 = HEXLOWER.encode(&Hashes.sha256(b"abc"));
        assert!(sha256.starts_with("ba7816bf8f01cfea414140de5dae2223"), "{sha256}");
    }
}
