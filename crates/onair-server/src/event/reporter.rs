//! Passes on every event of a server: to the lists of the operator, the log of the process, and the owner of the
//! server.

use parking_lot::Mutex;

use crate::base::secret::scrub_own;
use crate::base::{Clock, queue};
use crate::server::event::log::{self, EventLog};
use crate::server::event::{Event, Refusal};

/// Reports events.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub log: Mutex<EventLog>,
    events: queue::Sender<Event>,
    clock: Clock,
}

impl Reporter {
    pub fn new(events: queue::Sender<Event>, clock: Clock) -> Self {
        Self { log: Mutex::default(), events, clock }
    }

    /// Reports an event.
    pub fn tell(&self, event: Event) {
        let now = self.clock.now();
        let event = self.log.lock().note(event, now, Clock::system_micros());
        let Some(event) = event else { return };
        log::trace(&event);
        // The queue is limited and drops the oldest events; a missing receiver is not an error.
        let _ = self.events.send(event);
    }

    /// Reports a refused client. The names that it sent can contain a key of the server by mistake.
    pub fn refuse(&self, refusal: Refusal) {
        let [app, stream] = [&refusal.app, &refusal.stream].map(|name| without_secrets(name));
        self.tell(Event::Refused(Refusal { app, stream, ..refusal }));
    }
}

/// Returns a name from a client with `***` instead of the server's own secrets.
pub(crate) fn without_secrets(name: &str) -> String {
    scrub_own(name).unwrap_or_else(|| "***".to_owned())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::base::{Secret, Timestamp};
    use crate::server::event::NoRoom;

    #[test]
    fn a_client_cannot_hide_a_name_behind_its_key() {
        let (sender, events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let reporter = Reporter::new(sender, Clock::start());
        let _keys = (Secret::from_client("pr0t-app"), Secret::new("pr0t-stream"));
        let client = (IpAddr::from([192, 0, 2, 1]), None);
        let names = ("pr0t-app", "pr0t-stream");
        reporter.refuse(Refusal::of_viewer(client, names, NoRoom::Server));
        let Ok(Event::Refused(refusal)) = events.recv_timeout(Duration::ZERO) else {
            panic!("no refusal")
        };
        assert_eq!((refusal.app.as_str(), refusal.stream.as_str()), ("pr0t-app", "***"));
    }

    #[test]
    fn events_have_the_current_time_of_the_system() {
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        // The system's clock was set after the server started.
        let reporter = Reporter::new(sender, Clock::start_at(0));
        let now = Clock::system_micros();
        reporter.tell(Event::Drain { successor: None });
        let events = reporter.log.lock().latest(true);
        let since =
            Timestamp::from_micros(events[0].wall_micros).since(Timestamp::from_micros(now));
        assert!(events[0].wall_micros >= now && since.as_secs() < 60);
    }
}
