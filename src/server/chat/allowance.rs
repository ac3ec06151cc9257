//! The number of messages that a member of a chat may send.

use std::time::Duration;

use crate::base::Timestamp;

/// Number of messages that a member may send in one burst.
pub(super) const BURST: u32 = 5;
/// Interval between messages after the first burst.
const PAUSE: Duration = Duration::from_secs(1);

/// The message allowance of a member.
#[derive(Debug)]
pub(super) struct Allowance {
    left: u32,
    since: Timestamp,
}

impl Allowance {
    pub fn new(now: Timestamp) -> Self {
        Self { left: BURST, since: now }
    }

    pub fn take(&mut self, now: Timestamp) -> bool {
        while self.left < BURST && now.since(self.since) >= PAUSE {
            self.left += 1;
            self.since += PAUSE;
        }
        if self.left == BURST {
            self.since = now;
        }
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        may
    }
}
