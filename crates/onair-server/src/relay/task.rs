//! The task of a relay: the common part of pushes and pulls.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::server::event::Event;
use crate::server::event::relay::RelayState;
use crate::server::registry::Registry;
use crate::server::registry::relays::Addition;
use crate::server::registry::relays::state::{Relay, RelayReport};
use crate::text::problem::{Problem, problem};

/// Interval between checks.
pub(super) const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// A relay and its server. The relay is over when this value is dropped.
#[derive(Debug)]
pub(crate) struct RelayTask {
    pub registry: Arc<Registry>,
    pub relay: Arc<Relay>,
}

impl RelayTask {
    /// Adds a relay to those of the server. Returns `None` if `is_same` finds an equal one, or if
    /// there are too many. In the latter case, the operator gets an event.
    pub fn begin(
        registry: &Arc<Registry>,
        relay: Relay,
        is_same: impl Fn(&Relay) -> bool,
    ) -> Option<Self> {
        let relay = Arc::new(relay);
        let cause = match registry.relays.add(&relay, is_same) {
            Addition::Added => return Some(Self { registry: Arc::clone(registry), relay }),
            Addition::Known => return None,
            Addition::Full => problem!("relay-no-room"),
            Addition::TooManyEmpty => problem!("relay-too-many-empty"),
        };
        let now = registry.clock.now();
        let refused = |report: &mut RelayReport| {
            report.state = RelayState::Stopped;
            report.cause = Some(cause);
        };
        if registry.relays.is_refusal_reported(now)
            && let Some(change) = relay.change(now, refused)
        {
            registry.tell(Event::Relay(change));
        }
        None
    }

    /// Returns the id of the relay's stream on relay paths.
    pub fn own_id(&self) -> String {
        self.registry.relays.id_of((&self.relay.app, &self.relay.stream))
    }

    /// Changes the report, and reports a changed state or cause as an event.
    pub fn change(&self, change: impl FnOnce(&mut RelayReport)) {
        if let Some(change) = self.relay.change(self.registry.clock.now(), change) {
            self.registry.tell(Event::Relay(change));
        }
    }

    /// Records an attempt to connect to this address.
    pub fn connecting(&self, shown: String) {
        self.change(|report| {
            report.state = RelayState::Connecting;
            report.url = shown;
            report.retry_in = None;
        });
    }

    /// Records the first media of a connection.
    pub fn live(&self) {
        self.change(|report| {
            report.state = RelayState::Live;
            report.cause = None;
            report.retry_in = None;
            report.has_tried_all = false;
        });
    }

    /// Records a failure, and the wait before the next attempt.
    pub fn failed(&self, cause: Problem, wait: Duration, has_tried_all: bool) {
        self.change(|report| {
            report.state = RelayState::Reconnecting;
            report.cause = Some(cause);
            report.retry_in = Some(wait);
            report.has_tried_all = has_tried_all;
        });
    }

    /// Records the end of the relay.
    pub fn over(&self, why: Option<Problem>) {
        self.change(|report| {
            report.state = RelayState::Stopped;
            report.cause = why;
            report.retry_in = None;
        });
    }

    /// Waits until the relay or the server is asked to end.
    pub async fn stopped(&self) {
        tokio::select! {
            () = self.relay.stopped() => {}
            () = self.registry.stopped() => {}
        }
    }
}

impl Drop for RelayTask {
    fn drop(&mut self) {
        // A task that was aborted reports nothing itself.
        if self.relay.report().state != RelayState::Stopped {
            self.over(None);
        }
        self.registry.relays.remove(&self.relay);
        self.registry.relay_ended();
    }
}

/// Returns the timer for the checks of a relay.
pub(crate) fn ticks() -> Interval {
    let mut ticks = interval(CHECK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
