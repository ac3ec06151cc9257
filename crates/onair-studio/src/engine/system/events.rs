//! Detects events of the computer: network changes and sleep.

use std::time::Duration;

use crate::net::{NetworkChange, NetworkChanges};

/// Minimum gap that counts as sleep. Shorter gaps arise because the clocks are not read
/// simultaneously.
const MIN_SLEEP_GAP: Duration = Duration::from_secs(1);

/// The state of the network and of sleep.
#[derive(Debug, Default)]
pub struct SystemEvents {
    changes: Option<NetworkChanges>,
    slept: Option<Duration>,
}

impl SystemEvents {
    /// Sets the source of network changes.
    pub fn set_changes(&mut self, changes: NetworkChanges) {
        self.changes = Some(changes);
    }

    /// Returns the network changes since the last call.
    pub fn change(&self) -> Option<NetworkChange> {
        self.changes.as_ref().and_then(NetworkChanges::poll)
    }

    /// Returns how long the computer slept since the last call, if it did. `asleep` is the total
    /// since the computer was started.
    pub fn woke(&mut self, asleep: Option<Duration>) -> Option<Duration> {
        let before = std::mem::replace(&mut self.slept, asleep)?;
        asleep?.checked_sub(before).filter(|slept| *slept >= MIN_SLEEP_GAP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clocks;

    #[test]
    fn sleep_is_distinguished_from_clocks_that_are_read_one_after_the_other() {
        let mut events = SystemEvents::default();
        let at = |millis: u64| Some(Duration::from_millis(millis));
        assert_eq!(events.woke(at(50_000)), None);
        assert_eq!(events.woke(at(50_002)), None);
        assert_eq!(events.woke(at(110_000)), Some(Duration::from_millis(59_998)));
        assert_eq!(events.woke(at(110_000)), None);
        assert_eq!(events.woke(None), None);
        assert_eq!(events.woke(at(900_000)), None);
    }

    #[test]
    fn the_system_tells_how_long_it_slept() {
        assert!(clocks::asleep().is_some());
    }
}
