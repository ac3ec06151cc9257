//! Counts wrong keys, passwords and tokens per address. After several failures, an address must
//! wait increasingly long; other addresses are not affected. Attempts during the wait are ignored,
//! and do not extend it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;

/// Number of wrong attempts without a wait, because people mistype and encoders retry.
const FREE_ATTEMPTS: u32 = 5;
/// The longest wait.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// An address is forgotten after this time without a wrong attempt.
const FAILURE_EXPIRY: Duration = Duration::from_mins(10);
/// Maximum number of stored addresses. Beyond this number, the address with the oldest failure is
/// dropped.
const MAX_ADDRESSES: usize = 4_096;

/// The failures of all addresses.
#[derive(Debug, Default)]
pub(in crate::server) struct Failures {
    by_address: Mutex<HashMap<IpAddr, Failed>>,
}

#[derive(Copy, Clone, Debug)]
struct Failed {
    times: u32,
    last: Timestamp,
    until: Timestamp,
}

impl Failures {
    /// Returns the remaining wait of this address.
    pub fn wait(&self, address: IpAddr, now: Timestamp) -> Option<Duration> {
        let known = self.by_address.lock().get(&subscriber(address)).copied()?;
        Some(known.until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// Records a wrong attempt from this address.
    pub fn add(&self, address: IpAddr, now: Timestamp) {
        let address = subscriber(address);
        let mut by_address = self.by_address.lock();
        if by_address.len() >= MAX_ADDRESSES && !by_address.contains_key(&address) {
            let oldest = by_address.iter().min_by_key(|(_, failed)| failed.last);
            if let Some(oldest) = oldest.map(|(address, _)| *address) {
                by_address.remove(&oldest);
            }
        }
        let failed =
            by_address.entry(address).or_insert(Failed { times: 0, last: now, until: now });
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

    /// Resets an address after a correct attempt.
    pub fn forgive(&self, address: IpAddr) {
        self.by_address.lock().remove(&subscriber(address));
    }
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
            match failures.wait(guesser, now) {
                Some(wait) => now += wait,
                None => {
                    guesses += 1;
                    failures.add(guesser, now);
                }
            }
        }
        assert!((10..25).contains(&guesses), "{guesses} in ten minutes");
        assert_eq!(failures.wait(other, now), None);
        failures.forgive(guesser);
        assert_eq!(failures.wait(guesser, now), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let failures = Failures::default();
        for number in 0..3 * MAX_ADDRESSES as u32 {
            failures.add(IpAddr::from(number.to_be_bytes()), Timestamp::from_millis(number.into()));
        }
        assert_eq!(failures.by_address.lock().len(), MAX_ADDRESSES);
    }
}
