//! The wait for the clients, viewers and callbacks of a server that ends.

use std::future::Future;
use std::time::Duration;

use crate::server::outputs::recordings::viewers;
use crate::server::registry::Registry;
use crate::text::problem::problem;

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
    use std::sync::Arc;
    use std::task::Poll;

    use super::*;
    use crate::base::{Clock, queue};
    use crate::net::Runtime;
    use crate::server::access::limits::Limits;
    use crate::server::registry::config::Config;
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
}
