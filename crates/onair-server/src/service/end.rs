//! The end of a server whose events are read.

use std::sync::Arc;
use std::time::Duration;

use crate::server::event::Event;
use crate::server::outputs::recordings::DISK_TIMEOUT;
use crate::server::service::Server;
use crate::server::service::drained::drained;

/// How long one wait for an event takes, after which onair checks whether the server has ended.
const EVENT_WAIT_DURATION: Duration = Duration::from_millis(20);

impl Server {
    /// Ends the server like [`Server::shutdown`], and then waits for slow disks and for the
    /// callbacks about their files. Meanwhile, passes the events to `report`, because the queue is
    /// too short for the events of thousands of clients that leave at once. This function must not
    /// be called within the runtime.
    pub fn end(&self, limit: Duration, mut report: impl FnMut(Event)) {
        self.registry.stop();
        let registry = Arc::clone(&self.registry);
        let end = self.runtime.spawn(async move {
            drained(&registry, limit).await;
            registry.finished(DISK_TIMEOUT).await;
        });
        while !end.is_finished() {
            if let Ok(event) = self.events.recv_timeout(EVENT_WAIT_DURATION) {
                report(event);
            }
        }
        self.events.waiting().for_each(report);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::base::Clock;
    use crate::net::Runtime;
    use crate::server::registry::config::{Config, Listen};
    use crate::server::service::MAX_UNREAD_EVENTS;

    #[test]
    fn no_event_of_a_crowd_that_leaves_at_the_end_is_lost() {
        let runtime = Runtime::start().unwrap();
        let any = ([127, 0, 0, 1], 0).into();
        let config = Config { rtmp: Listen::exactly(any), http: None, ..Config::default() };
        let server = Server::start(&runtime, Clock::start(), config).unwrap();
        let registry = Arc::clone(&server.registry);
        let place = registry.admit(([127, 0, 0, 1], 9).into()).unwrap();
        let reported = Arc::new(AtomicUsize::new(0));
        let read = Arc::clone(&reported);
        runtime.spawn(async move {
            registry.stopped().await;
            for sent in 1..=3 * MAX_UNREAD_EVENTS {
                registry.tell(Event::Drain { successor: None });
                // The queue is full.
                while sent.is_multiple_of(MAX_UNREAD_EVENTS) && read.load(Ordering::SeqCst) < sent {
                    tokio::task::yield_now().await;
                }
            }
            drop(place);
        });
        server.end(Duration::from_secs(60), |_| {
            reported.fetch_add(1, Ordering::SeqCst);
        });
        assert_eq!(reported.load(Ordering::SeqCst), 3 * MAX_UNREAD_EVENTS);
    }
}
