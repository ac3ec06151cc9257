//! The proof of the password, and the delay after wrong ones.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

use crate::base::secret::is_same_secret;
use crate::base::{Secret, Timestamp};
use crate::net::random_bytes;

/// The delay after the first wrong password; each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(250);
/// The longest delay.
const MAX_DELAY: Duration = Duration::from_secs(4);
/// Wrong passwords are forgotten after this time without another one.
const FORGET_AFTER: Duration = Duration::from_secs(60);
/// Maximum number of addresses whose wrong passwords are counted.
const MAX_ADDRESSES: usize = 256;

/// The random values of one connection, from which the client computes its proof.
#[derive(Clone, Debug)]
pub struct Challenge {
    pub challenge: String,
    pub salt: String,
}

impl Challenge {
    /// Returns `None` if the system has no randomness.
    pub fn new() -> Option<Self> {
        let text = || Some(BASE64.encode(&random_bytes::<32>()?));
        Some(Self { challenge: text()?, salt: text()? })
    }

    /// Returns true if the client knows the password.
    pub fn is_proof(&self, password: &Secret, proof: &str) -> bool {
        is_same_secret(self.proof(password).as_bytes(), proof.as_bytes())
    }

    fn proof(&self, password: &Secret) -> String {
        let digest = |one: &str, other: &str| {
            BASE64.encode(&Sha256::new().chain_update(one).chain_update(other).finalize())
        };
        digest(&digest(password.expose(), &self.salt), &self.challenge)
    }
}

/// Where a client is: its address, and whether it is a web page. A page in the user's browser has
/// the address of the user's programs.
pub type From = (IpAddr, bool);

/// The wrong passwords of each place.
#[derive(Debug, Default)]
pub struct WrongPasswords(BTreeMap<From, (u32, Timestamp)>);

impl WrongPasswords {
    /// Notes a wrong password.
    pub fn note(&mut self, from: From, now: Timestamp) {
        self.0.retain(|_, (_, last)| now.since(*last) < FORGET_AFTER);
        if self.0.len() >= MAX_ADDRESSES {
            let oldest = self.0.iter().min_by_key(|(_, (_, last))| *last).map(|(ip, _)| *ip);
            oldest.map(|ip| self.0.remove(&ip));
        }
        let (count, last) = self.0.entry(from).or_insert((0, now));
        (*count, *last) = (count.saturating_add(1), now);
    }

    /// Forgets the wrong passwords of a client that now knows the password.
    pub fn forgive(&mut self, from: From) {
        self.0.remove(&from);
    }

    /// Returns the time for which the next attempt from this address must wait.
    pub fn delay(&self, from: From, now: Timestamp) -> Duration {
        match self.0.get(&from) {
            Some((count, last)) if now.since(*last) < FORGET_AFTER => {
                let doubled = 1_u32 << count.saturating_sub(1).min(8);
                (FIRST_DELAY * doubled).min(MAX_DELAY)
            }
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_one_of_the_protocol() {
        // Computed with Python's hashlib from the formula of the protocol.
        let challenge = Challenge {
            challenge: "+IxH4CnCiqpX1rM9scsNynZzbOe4KhDeYcTNS3PDaeY=".to_owned(),
            salt: "lM1GncleQOaCu9lT1yeUZhFYnqhsLLP1G5lAGo3ixaI=".to_owned(),
        };
        let (password, proof) =
            (Secret::new("supersecretpassword"), "1Ct943GAT+6YQUUX47Ia/ncufilbe6+oD6lY+5kaCu4=");
        assert!(challenge.is_proof(&password, proof));
        assert!(!challenge.is_proof(&Secret::new("supersecretpasswore"), proof));
        assert!(!challenge.is_proof(&password, ""));
    }

    #[test]
    fn wrong_passwords_wait_longer_and_are_forgotten_later() {
        let from = |ip: [u8; 4]| (IpAddr::from(ip), false);
        let (mut wrong, ip, other) =
            (WrongPasswords::default(), from([127, 0, 0, 1]), from([192, 0, 2, 1]));
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        assert_eq!(wrong.delay(ip, at(0)), Duration::ZERO);
        let mut delays = Vec::new();
        for _ in 0..6 {
            wrong.note(ip, at(1));
            delays.push(wrong.delay(ip, at(1)).as_millis());
        }
        assert_eq!(delays, [250, 500, 1_000, 2_000, 4_000, 4_000]);
        assert_eq!(wrong.delay(other, at(1)), Duration::ZERO);
        assert_eq!(wrong.delay((ip.0, true), at(1)), Duration::ZERO, "a page");
        assert_eq!(wrong.delay(ip, at(62)), Duration::ZERO);
        wrong.forgive(ip);
        assert_eq!(wrong.delay(ip, at(1)), Duration::ZERO);
        for last in 0..=255 {
            wrong.note(from([192, 0, 2, last]), at(2));
            wrong.note(from([192, 0, 3, last]), at(3));
        }
        assert_eq!(wrong.0.len(), MAX_ADDRESSES);
    }
}
