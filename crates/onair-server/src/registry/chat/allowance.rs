//! The number of messages that a sender may send, and the intervals of slow mode.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;

/// Number of messages that a sender may send in one burst.
pub(super) const MAX_BURST_MESSAGES: u32 = 5;
/// Interval between messages after the first burst.
const MESSAGE_INTERVAL: Duration = Duration::from_secs(1);
/// Number of senders whose allowances a chat remembers.
const MAX_SENDERS: usize = 1_024;

/// The message allowance of a sender.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    since: Timestamp,
    /// The time of the last message that was passed on, for slow mode.
    pub last_message_at: Option<Timestamp>,
}

impl Allowance {
    pub fn new(now: Timestamp) -> Self {
        Self { left: MAX_BURST_MESSAGES, since: now, last_message_at: None }
    }

    pub fn take(&mut self, now: Timestamp) -> bool {
        while self.left < MAX_BURST_MESSAGES && now.since(self.since) >= MESSAGE_INTERVAL {
            self.left += 1;
            self.since += MESSAGE_INTERVAL;
        }
        if self.left == MAX_BURST_MESSAGES {
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }

    /// Returns the time until the next message, if slow mode with this interval does not allow it now.
    pub fn wait(&self, slow: Duration, now: Timestamp) -> Option<Duration> {
        slow.checked_sub(now.since(self.last_message_at?)).filter(|wait| !wait.is_zero())
    }
}

/// The allowances of a chat's last senders, which a new connection does not circumvent.
#[derive(Debug, Default)]
pub(super) struct Allowances(HashMap<(IpAddr, String), Allowance>);

impl Allowances {
    /// Returns the allowance of a sender, judged by the address. Behind a proxy on this computer,
    /// everyone has the same address, so the name counts too.
    pub fn of(&mut self, address: IpAddr, name: &str, now: Timestamp) -> &mut Allowance {
        let name = if address.is_loopback() { name } else { "" };
        let sender = (address, name.to_owned());
        if self.0.len() >= MAX_SENDERS && !self.0.contains_key(&sender) {
            let oldest = self.0.iter().min_by_key(|(_, allowance)| allowance.since);
            if let Some(oldest) = oldest.map(|(sender, _)| sender.clone()) {
                self.0.remove(&oldest);
            }
        }
        self.0.entry(sender).or_insert_with(|| Allowance::new(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_of_senders_is_bounded() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let mut allowances = Allowances::default();
        let last = MAX_SENDERS as i64 + 5;
        for number in 0..=last {
            let now = Timestamp::from_micros(number);
            allowances.of(local, &number.to_string(), now).take(now);
        }
        assert_eq!(allowances.0.len(), MAX_SENDERS);
        assert!(allowances.0.contains_key(&(local, last.to_string())));
        assert!(!allowances.0.contains_key(&(local, "0".to_owned())), "the oldest are forgotten");
    }
}
