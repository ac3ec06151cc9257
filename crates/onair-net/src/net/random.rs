//! Unpredictable random values for session names and challenges.

use data_encoding::HEXLOWER;

/// Returns 128 random bits in hex, or `None` if the system has no randomness.
pub fn random_hex() -> Option<String> {
    Some(HEXLOWER.encode(&random_bytes::<16>()?))
}

/// Returns random bytes, or `None` if the system has no randomness.
pub fn random_bytes<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0_u8; N];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes)
}
