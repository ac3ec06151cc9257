//! Posts requests to one URL. A limited number of requests are sent at the same time. Further
//! requests wait in the queue "callback" for at most the time limit, and fail at once if the queue
//! is full. After repeated failures, or if the receiver is unreachable, requests to the URL pause,
//! longer each time. URLs share no state, so a slow URL does not delay the others.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::base::{Backoff, Clock, Timestamp};
use crate::net::connect::{Endpoint, Options};
use crate::net::web::{Client, StallTimeout, WebUrl};
use crate::server::access::callback::exchange::{ReceiverAnswer, Request};
use crate::server::event::{NO_ANSWER_CAUSE, RECEIVER_UNREACHABLE};
use crate::text::problem::{Problem, problem};

/// Maximum number of simultaneous requests.
const MAX_SIMULTANEOUS_REQUESTS: usize = 32;
/// Maximum number of requests, including waiting ones.
const MAX_REQUESTS: usize = 1_024;
/// Maximum size of a response in bytes.
const MAX_RESPONSE_BYTES: usize = 64 << 10;
/// Number of consecutive failures without a pause, because a receiver may be slow for a few clients
/// only. If the receiver is unreachable, the first failure causes a pause.
const MAX_FAILURES: u32 = 8;

/// A receiver at a URL.
#[derive(Debug)]
pub(super) struct Destination {
    url: WebUrl,
    limit: Duration,
    slots: Semaphore,
    requests: AtomicUsize,
    health: Mutex<Health>,
    /// HTTP clients whose connections can be reused.
    idle: Mutex<Vec<Client>>,
}

#[derive(Debug)]
struct Health {
    failures: u32,
    backoff: Backoff,
    /// No requests are sent before this time.
    until: Option<Timestamp>,
}

/// The reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PostError {
    /// There was no connection, for this reason.
    Unreachable(Problem),
    /// The receiver did not answer in time, or not properly.
    NoAnswer(Problem),
    /// Requests are paused because of recent failures.
    Paused,
    /// Too many requests are waiting.
    Full,
}

impl PostError {
    /// Returns the cause as one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => RECEIVER_UNREACHABLE,
            Self::NoAnswer(_) => NO_ANSWER_CAUSE,
            Self::Paused => "paused",
            Self::Full => "full",
        }
    }

    /// Returns the reason for the operator.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Unreachable(reason) | Self::NoAnswer(reason) => reason.clone(),
            Self::Paused => problem!("callback-paused"),
            Self::Full => problem!("callback-full"),
        }
    }
}

impl Destination {
    pub fn new(url: WebUrl, limit: Duration, seed: u64) -> Self {
        let health = Health { failures: 0, backoff: Backoff::new(seed), until: None };
        Self {
            url,
            limit,
            slots: Semaphore::new(MAX_SIMULTANEOUS_REQUESTS),
            requests: AtomicUsize::new(0),
            health: Mutex::new(health),
            idle: Mutex::default(),
        }
    }

    /// Returns the host and port of the receiver.
    pub fn host(&self) -> String {
        let Endpoint { host, port, .. } = self.url.endpoint();
        if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
    }

    /// Posts a request.
    pub async fn post(&self, request: &Request, clock: Clock) -> Result<ReceiverAnswer, PostError> {
        let _counted = Counted::new(&self.requests).ok_or(PostError::Full)?;
        if self.health.lock().until.is_some_and(|until| clock.now() < until) {
            return Err(PostError::Paused);
        }
        let answered = match timeout(self.limit, self.exchange(request)).await {
            Ok(answered) => answered,
            Err(_) => {
                let time = format!("{:?}", self.limit);
                Err(PostError::NoAnswer(problem!("callback-late", time = time)))
            }
        };
        let mut health = self.health.lock();
        match &answered {
            Ok(_) => {
                health.failures = 0;
                health.backoff.reset();
                health.until = None;
            }
            Err(error) => {
                health.failures = health.failures.saturating_add(1);
                let is_gone = matches!(error, PostError::Unreachable(_));
                // Requests that fail during a pause do not extend it.
                let now = clock.now();
                let is_paused = health.until.is_some_and(|until| now < until);
                if !is_paused && (is_gone || health.failures > MAX_FAILURES) {
                    health.until = Some(now + health.backoff.next_refused());
                }
                tracing::warn!(url = %self.url, error = %error.problem(), "a callback failed");
            }
        }
        drop(health);
        answered
    }

    async fn exchange(&self, request: &Request) -> Result<ReceiverAnswer, PostError> {
        let slot = self.slots.acquire().await;
        let _slot = slot.map_err(|error| PostError::NoAnswer(error.to_string().into()))?;
        let idle = self.idle.lock().pop();
        let mut client = idle.unwrap_or_else(|| Client::new(Options::default()));
        let Request { content_type, body } = request;
        let answer = client.post(&self.url, content_type, body.as_bytes()).await;
        let answer = answer.map_err(|error| match error.is_before_request() {
            true => PostError::Unreachable(error.with_peer()),
            false => PostError::NoAnswer(error.with_peer()),
        })?;
        let (status, location) = (answer.status(), answer.location().map(str::to_owned));
        let mut patience = StallTimeout::new(self.limit, self.limit);
        let body = client.read(answer, MAX_RESPONSE_BYTES, &mut patience).await;
        let body = body.map_err(|error| PostError::NoAnswer(error.with_peer()))?;
        self.idle.lock().push(client);
        Ok(ReceiverAnswer { status, location, body: body.to_vec() })
    }
}

/// Counts a request as waiting until dropped.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(all: &'a AtomicUsize) -> Option<Self> {
        let counted = Self(all);
        (all.fetch_add(1, Ordering::AcqRel) < MAX_REQUESTS).then_some(counted)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
