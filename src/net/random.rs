//! Randomness for what nobody may guess: names of sessions, challenges.

use data_encoding::HEXLOWER;

/// 128 bits that nobody can guess, in hex; `None` where the system has none.
pub fn random_hex() -> Option<String> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}
