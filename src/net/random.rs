//! Unpredictable random values for session names and challenges.

use data_encoding::HEXLOWER;

/// Returns 128 random bits in hex, or `None` if the system has no randomness.
pub fn random_hex() -> Option<String> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}
