//! Randomness for what nobody may guess: names of sessions, challenges.

/// 128 bits that nobody can guess, in hex; `None` where the system has none.
pub fn random_hex() -> Option<String> {
    let mut bytes = [0_u8; 16];
    rustls::crypto::ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
