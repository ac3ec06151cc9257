//! Counts wrong keys, passwords and tokens per address and guessed secret. After several failures, an
//! address must wait increasingly long; other addresses are not affected. Attempts during the wait are
//! ignored, and do not extend it. A client with one correct secret can guess another, so a correct
//! one resets only its own failures.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::access::action::Action;

/// Number of wrong attempts without a wait, because people mistype and encoders retry.
const FREE_ATTEMPTS: u32 = 5;
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// An address is forgotten after this time without a wrong attempt.
const FAILURE_EXPIRY: Duration = Duration::from_mins(10);
/// Maximum number of stored addresses and secrets. Beyond this number, the one with the oldest failure is
/// dropped.
const MAX_ENTRIES: usize = 4_096;

/// A secret that a client can guess.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum GuessedSecret {
    /// A key for this action. `None` stands for all applications without their own rules: their names are arbitrary,
    /// and must not give more attempts.
    Key(Option<String>, Action),
    /// The password of publishers.
    Password,
    /// The token of the server.
    ServerToken,
    /// The link of a guest.
    GuestLink,
    /// The key with which studios meet their guests at the server.
    MeetingKey,
}

/// The failures of all addresses.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    all: Mutex<HashMap<(IpAddr, GuessedSecret), Failed>>,
}

#[derive(Copy, Clone, Debug)]
struct Failed {
    times: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Failures {
    /// Returns the remaining wait of this address.
    pub fn wait(
        &self,
        address: IpAddr,
        secret: &GuessedSecret,
        now: Timestamp,
    ) -> Option<Duration> {
        let known = self.all.lock().get(&key(address, secret)).copied()?;
        Some(known.until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// Records a wrong attempt from this address.
    pub fn add(&self, address: IpAddr, secret: &GuessedSecret, now: Timestamp) {
        let key = key(address, secret);
        let mut all = self.all.lock();
        if all.len() >= MAX_ENTRIES && !all.contains_key(&key) {
            let oldest = all.iter().min_by_key(|(_, failed)| failed.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                all.remove(&oldest);
            }
        }
        let failed = all.entry(key).or_insert(Failed { times: 0, last: now, until: now });
        if now.since(failed.last) >= FAILURE_EXPIRY {
            failed.times = 0;
        }
        failed.times = failed.times.saturating_add(1);
        failed.last = now;
        if failed.times > FREE_ATTEMPTS {
            let doubled = 1_u64 << (failed.times - FREE_ATTEMPTS - 1).min(16);
            failed.until = now + Duration::from_secs(doubled).min(MAX_WAIT);
        }
    }

    /// Resets the failures of an address after a correct attempt.
    pub fn forgive(&self, address: IpAddr, secret: &GuessedSecret) {
        self.all.lock().remove(&key(address, secret));
    }
}

fn key(address: IpAddr, secret: &GuessedSecret) -> (IpAddr, GuessedSecret) {
    (subscriber(address), secret.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guesses_waits_longer_each_time_and_nobody_else_does() {
        let failures = Failures::default();
        let [guesser, other]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let mut now = Timestamp::from_millis(1_000);
        let (mut guesses, end) = (0, now + Duration::from_mins(10));
        while now < end {
            match failures.wait(guesser, &GuessedSecret::Password, now) {
                Some(wait) => now += wait,
                None => {
                    guesses += 1;
                    failures.add(guesser, &GuessedSecret::Password, now);
                }
            }
        }
        assert!((10..25).contains(&guesses), "{guesses} in ten minutes");
        assert_eq!(failures.wait(other, &GuessedSecret::Password, now), None);
        failures.forgive(guesser, &GuessedSecret::Password);
        assert_eq!(failures.wait(guesser, &GuessedSecret::Password, now), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let failures = Failures::default();
        for number in 0..3 * MAX_ENTRIES as u32 {
            let now = Timestamp::from_millis(number.into());
            failures.add(IpAddr::from(number.to_be_bytes()), &GuessedSecret::ServerToken, now);
        }
        assert_eq!(failures.all.lock().len(), MAX_ENTRIES);
    }

    #[test]
    fn a_correct_secret_forgives_no_guesses_of_another() {
        use GuessedSecret::{Key, Password, ServerToken};
        let (failures, address) = (Failures::default(), IpAddr::from([192, 0, 2, 1]));
        let now = Timestamp::from_millis(1_000);
        let own = |action| Key(Some("live".to_owned()), action);
        let guessed = own(Action::Publish);
        for _ in 0..=FREE_ATTEMPTS {
            failures.add(address, &guessed, now);
        }
        for other in [own(Action::Play), Key(None, Action::Publish), Password, ServerToken] {
            assert_eq!(failures.wait(address, &other, now), None, "{other:?}");
            failures.forgive(address, &other);
        }
        assert_eq!(failures.wait(address, &guessed, now), Some(Duration::from_secs(1)));
    }
}
