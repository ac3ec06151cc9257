//! The requests in progress of an HTTP/2 connection, and their deadlines. A client can keep a connection alive without
//! reading or asking, so the connection itself shows nothing.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::server::access::limits::Limits;

/// The time after which a connection without requests ends.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The requests in progress of a connection.
#[derive(Debug)]
pub(super) struct Requests {
    inner: Mutex<Inner>,
    stall_limit: Duration,
}

#[derive(Debug)]
struct Inner {
    next: u64,
    /// For each request, the time at which its response gave data that the client has not accepted yet; `None` while
    /// the request waits for the server.
    unread_since: HashMap<u64, Option<Instant>>,
    /// The end of the time without requests.
    idle_until: Instant,
}

/// What a connection deserves.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Busy,
    /// The connection has had no request for too long.
    Idle,
    /// The client accepts no data.
    Stalled,
}

impl Requests {
    /// Begins with a connection, whose first request must come in time.
    pub fn new(limits: &Limits, now: Instant) -> Self {
        let idle_until = now + limits.request;
        let inner = Inner { next: 0, unread_since: HashMap::new(), idle_until };
        Self { inner: Mutex::new(inner), stall_limit: limits.stalled_viewer }
    }

    /// Adds a request.
    pub fn begin(self: &Arc<Self>) -> RequestInProgress {
        let mut inner = self.inner.lock();
        let number = inner.next;
        inner.next += 1;
        inner.unread_since.insert(number, None);
        RequestInProgress { requests: Arc::clone(self), number }
    }

    /// Judges the connection.
    pub fn verdict(&self, now: Instant) -> Verdict {
        let inner = self.inner.lock();
        let mut unread = inner.unread_since.values().flatten();
        if unread.any(|since| now.duration_since(*since) >= self.stall_limit) {
            return Verdict::Stalled;
        }
        match inner.unread_since.is_empty() && now >= inner.idle_until {
            true => Verdict::Idle,
            false => Verdict::Busy,
        }
    }
}

/// A request; dropped when it is over.
#[derive(Debug)]
pub(super) struct RequestInProgress {
    requests: Arc<Requests>,
    number: u64,
}

impl RequestInProgress {
    fn set_unread(&self, since: Option<Instant>) {
        if let Some(entry) = self.requests.inner.lock().unread_since.get_mut(&self.number) {
            *entry = since;
        }
    }
}

impl Drop for RequestInProgress {
    fn drop(&mut self) {
        let mut inner = self.requests.inner.lock();
        inner.unread_since.remove(&self.number);
        inner.idle_until = Instant::now() + IDLE_TIMEOUT;
    }
}

/// The body of a response. The connection asks for the next data when the client has accepted enough of the last.
pub(super) struct WatchedBody {
    body: Body,
    request: RequestInProgress,
}

impl WatchedBody {
    pub fn new(body: Body, request: RequestInProgress) -> Self {
        Self { body, request }
    }
}

impl http_body::Body for WatchedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        self.request.set_unread(matches!(frame, Poll::Ready(Some(Ok(_)))).then(Instant::now));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    #[test]
    fn a_connection_ends_without_requests_and_with_a_client_that_reads_nothing() {
        let (limits, start) = (Limits::default(), Instant::now());
        let requests = Arc::new(Requests::new(&limits, start));
        let after = |time: Duration| requests.verdict(Instant::now() + time);
        assert_eq!(requests.verdict(start), Verdict::Busy);
        assert_eq!(requests.verdict(start + limits.request), Verdict::Idle, "no first request");
        let waiting = requests.begin();
        assert_eq!(after(Duration::from_secs(3_600)), Verdict::Busy, "it waits for the server");
        let read = requests.begin();
        read.set_unread(Some(Instant::now()));
        assert_eq!(after(limits.stalled_viewer / 2), Verdict::Busy);
        assert_eq!(after(limits.stalled_viewer), Verdict::Stalled);
        read.set_unread(None);
        assert_eq!(after(limits.stalled_viewer), Verdict::Busy, "the client has read");
        drop((waiting, read));
        assert_eq!(after(Duration::ZERO), Verdict::Busy);
        assert_eq!(after(IDLE_TIMEOUT), Verdict::Idle);
    }

    #[test]
    fn a_response_counts_as_unread_until_the_connection_asks_for_more() {
        let requests = Arc::new(Requests::new(&Limits::default(), Instant::now()));
        let mut body = WatchedBody::new(Body::from("data"), requests.begin());
        let mut poll = || {
            let cx = &mut Context::from_waker(std::task::Waker::noop());
            let _ = Pin::new(&mut body).poll_frame(cx);
            requests.inner.lock().unread_since[&0].is_some()
        };
        assert!(poll(), "it gave data");
        assert!(!poll(), "it has ended");
    }
}
