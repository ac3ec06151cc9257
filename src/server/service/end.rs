//! The end of a server whose events are read.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use crate::server::event::Event;
use crate::server::outputs::recordings::{DISK_TIMEOUT, viewers};
use crate::server::registry::Registry;
use crate::server::service::Server;
use crate::text::problem::problem;

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

/// Waits at most `limit` until the clients of a server that ends have left, and then as long for the callbacks. Also
/// reports the end of HLS and DASH viewers of recordings, who have no connections. Returns true if all ended in time.
pub(super) async fn drained(registry: &Registry, limit: Duration) -> bool {
    report_rest(registry, registry.drained(limit), limit).await
}

/// Waits until `gone` returns whether all clients have left. Then reports the end of the viewers without connections,
/// and waits at most `limit` for the callbacks, even if a client stays. Returns true if all ended in time.
async fn report_rest(
    registry: &Registry,
    gone: impl Future<Output = bool>,
    limit: Duration,
) -> bool {
    let are_gone = gone.await;
    viewers::end(registry, |_, _| true, false, &problem!("left-server-stopped"));
    let are_sent = registry.finished(limit).await;
    are_gone && are_sent
}

#[cfg(test)]
mod tests {
    use std::future::{poll_fn, ready};
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::access::limits::Limits;
    use crate::server::registry::config::{Config, Listen};
    use crate::server::service::MAX_UNREAD_EVENTS;
    use crate::server::stream::Stream;
    use crate::server::stream::flv_sink::FlvSink;

    #[test]
    fn a_client_that_stays_does_not_end_the_wait_for_callbacks() {
        let runtime = Runtime::start().unwrap();
        let (sender, _events) = queue::bounded("test", 16, queue::Full::DropOldest);
        let registry = Registry::new(Config::default(), Clock::start(), sender, runtime.handle());
        let home = [127, 0, 0, 1].into();
        let stream = Stream::new("live".into(), "show".into(), home, Limits::default());
        registry.files.begin(&Arc::new(stream), &FlvSink::for_file(7, 10), 1);
        runtime.block_on(async {
            let mut rest = pin!(report_rest(&registry, ready(false), Duration::from_secs(60)));
            let waits = poll_fn(|cx| Poll::Ready(rest.as_mut().poll(cx).is_pending())).await;
            assert!(waits, "the file is not complete");
            registry.file_ended(7);
            assert!(!rest.await);
        });
    }

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
