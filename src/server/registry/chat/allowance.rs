//! The number of messages that a member of a chat may send.

use std::time::Duration;

use crate::base::Timestamp;

/// Number of messages that a member may send in one burst.
pub(super) const MAX_BURST_MESSAGES: u32 = 5;
/// Interval between messages after the first burst.
const MESSAGE_INTERVAL: Duration = Duration::from_secs(1);

/// The message allowance of a member.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    since: Timestamp,
}

impl Allowance {
    pub fn new(now: Timestamp) -> Self {
        Self { left: MAX_BURST_MESSAGES, since: now }
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
}
