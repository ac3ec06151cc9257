//! Posts the requests of one callback of an application to its URL. A limited number of requests are
//! sent at the same time. Further requests wait in the queue "callback", and fail at once if the queue
//! is full. After repeated failures, or if the receiver is unreachable, requests pause, longer each
//! time. A request for which a client waits has a time limit, which includes the queue, and fails
//! during a pause. Notices wait longer. Callbacks share no state, so a slow receiver does not delay
//! other callbacks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::base::{Backoff, Clock, Timestamp};
use crate::net::connect::Options;
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
/// The time limit applies to each stage of a notice: DNS, TCP, TLS and the request.
const CONNECTION_STAGES: u32 = 4;
/// Number of consecutive failures without a pause, because a receiver may be slow for a few clients
/// only. If the receiver is unreachable, the first failure causes a pause.
const MAX_FAILURES: u32 = 8;
/// Maximum idle time of a connection that is used again. The path of an older connection may have
/// failed silently, and a request on it would wait for the whole time limit.
const MAX_IDLE_TIME: Duration = Duration::from_secs(30);

/// A receiver at a URL.
#[derive(Debug)]
pub(super) struct Destination {
    url: WebUrl,
    limit: Duration,
    slots: Arc<Semaphore>,
    requests: Arc<AtomicUsize>,
    health: Mutex<Health>,
    /// HTTP clients whose connections can be reused, with the time since which they are idle.
    idle: Mutex<Vec<(Timestamp, Client)>>,
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
            slots: Arc::new(Semaphore::new(MAX_SIMULTANEOUS_REQUESTS)),
            requests: Arc::default(),
            health: Mutex::new(health),
            idle: Mutex::default(),
        }
    }

    /// Returns the host and port of the receiver.
    pub fn host(&self) -> String {
        self.url.endpoint().to_string()
    }

    /// Waits for a slot for a request for which a client waits. Fails during a pause, and after the time limit.
    pub async fn client_turn(&self, clock: Clock) -> Result<ClientTurn, PostError> {
        let (began, counted) = (clock.now(), self.count()?);
        if self.pause(clock).is_some() {
            return Err(PostError::Paused);
        }
        let slot = timeout(self.limit, self.slot()).await;
        let slot = slot.unwrap_or_else(|_| Err(late(self.limit)));
        let slot = slot.inspect_err(|error| self.note(&Err(error.clone()), clock))?;
        Ok(ClientTurn { began, counted, slot })
    }

    /// Posts a request for which a client waits, in its turn.
    pub async fn post(
        &self,
        turn: ClientTurn,
        request: &Request,
        clock: Clock,
    ) -> Result<ReceiverAnswer, PostError> {
        let ClientTurn { began, counted: _counted, slot: _slot } = turn;
        let rest = (began + self.limit).since(clock.now());
        let answered = timeout(rest, self.exchange(request, Options::default(), clock)).await;
        let answered = answered.unwrap_or_else(|_| Err(late(self.limit)));
        self.note(&answered, clock);
        answered
    }

    /// Counts a request until the result is dropped. Fails if too many requests are waiting.
    pub fn count(&self) -> Result<Counted, PostError> {
        Counted::new(&self.requests).ok_or(PostError::Full)
    }

    /// Takes all slots.
    #[cfg(test)]
    pub async fn take_slots(&self) -> OwnedSemaphorePermit {
        let all = u32::try_from(MAX_SIMULTANEOUS_REQUESTS).unwrap();
        Arc::clone(&self.slots).acquire_many_owned(all).await.unwrap()
    }

    /// Waits for a slot for a notice, and for the end of a pause. Fails if that takes longer than `until`, and during a
    /// pause once the value of `closing` is true.
    pub async fn turn(
        &self,
        clock: Clock,
        until: Timestamp,
        closing: &mut watch::Receiver<bool>,
    ) -> Result<OwnedSemaphorePermit, PostError> {
        let slot = timeout(until.since(clock.now()), self.slot_after_pause(clock, closing)).await;
        slot.unwrap_or(Err(PostError::Paused))
    }

    async fn slot_after_pause(
        &self,
        clock: Clock,
        closing: &mut watch::Receiver<bool>,
    ) -> Result<OwnedSemaphorePermit, PostError> {
        loop {
            let slot = self.slot().await?;
            let Some(pause) = self.pause(clock) else { return Ok(slot) };
            drop(slot);
            tokio::select! {
                () = sleep(pause) => {}
                _ = closing.wait_for(|closing| *closing) => return Err(PostError::Paused),
            }
        }
    }

    /// Posts a notice, in its turn. A receiver that does not accept the connection within the time limit is
    /// unreachable. It has received the notice only if it ended a kept connection without an answer.
    pub async fn post_notice(
        &self,
        _slot: OwnedSemaphorePermit,
        request: &Request,
        clock: Clock,
    ) -> Result<ReceiverAnswer, PostError> {
        let limit = self.limit;
        let options =
            Options { dns_limit: limit, tcp_limit: limit, tls_limit: limit, ..Options::default() };
        let answered =
            timeout(limit * CONNECTION_STAGES, self.exchange(request, options, clock)).await;
        let answered = answered.unwrap_or_else(|_| Err(late(limit * CONNECTION_STAGES)));
        self.note(&answered, clock);
        answered
    }

    /// Returns the rest of the pause, if requests are paused.
    fn pause(&self, clock: Clock) -> Option<Duration> {
        let until = self.health.lock().until?;
        Some(until.since(clock.now())).filter(|pause| !pause.is_zero())
    }

    async fn slot(&self) -> Result<OwnedSemaphorePermit, PostError> {
        let slot = Arc::clone(&self.slots).acquire_owned().await;
        slot.map_err(|error| PostError::NoAnswer(error.to_string().into()))
    }

    /// Records how a request ended.
    fn note(&self, answered: &Result<ReceiverAnswer, PostError>, clock: Clock) {
        let mut health = self.health.lock();
        match answered {
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
    }

    /// Takes an idle client, and drops those that have been idle for too long.
    fn idle_client(&self, now: Timestamp) -> Option<Client> {
        let mut idle = self.idle.lock();
        idle.retain(|(since, _)| now.since(*since) < MAX_IDLE_TIME);
        idle.pop().map(|(_, client)| client)
    }

    async fn exchange(
        &self,
        request: &Request,
        options: Options,
        clock: Clock,
    ) -> Result<ReceiverAnswer, PostError> {
        let idle = self.idle_client(clock.now());
        let mut client = idle.unwrap_or_else(|| Client::new(options));
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
        self.idle.lock().push((clock.now(), client));
        Ok(ReceiverAnswer { status, location, body: body.to_vec() })
    }
}

/// Returns the error for a receiver that does not answer within this time.
fn late(limit: Duration) -> PostError {
    PostError::NoAnswer(problem!("callback-late", time = format!("{limit:?}")))
}

/// The turn of a request for which a client waits.
#[derive(Debug)]
pub(super) struct ClientTurn {
    /// The time from which the time limit counts.
    began: Timestamp,
    counted: Counted,
    slot: OwnedSemaphorePermit,
}

/// Counts a request as waiting until dropped.
#[derive(Debug)]
pub(super) struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(all: &Arc<AtomicUsize>) -> Option<Self> {
        let counted = Self(Arc::clone(all));
        (all.fetch_add(1, Ordering::AcqRel) < MAX_REQUESTS).then_some(counted)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use super::*;
    use crate::net::Runtime;

    /// Returns a receiver whose time limit is over at once.
    fn impatient() -> Destination {
        let url = WebUrl::parse("http://127.0.0.1:9/done").unwrap();
        Destination::new(url, Duration::ZERO, 1)
    }

    #[test]
    fn a_client_that_was_idle_for_a_minute_is_not_used_again() {
        let destination = impatient();
        for idle_since in [0, 40_000] {
            let kept = (Timestamp::from_millis(idle_since), Client::new(Options::default()));
            destination.idle.lock().push(kept);
        }
        let now = Timestamp::from_millis(60_000);
        assert!(destination.idle_client(now).is_some());
        assert!(destination.idle_client(now).is_none(), "the older client is gone");
    }

    #[test]
    fn a_notice_waits_for_a_slot_longer_than_the_time_limit() {
        let (runtime, clock, destination) =
            (Runtime::start().unwrap(), Clock::start(), impatient());
        runtime.block_on(async {
            let slots = destination.take_slots().await;
            let (_sender, mut closing) = watch::channel(false);
            let later = clock.now() + Duration::from_hours(1);
            let mut turn = pin!(destination.turn(clock, later, &mut closing));
            assert!(timeout(Duration::from_millis(1), turn.as_mut()).await.is_err());
            drop(slots);
            assert!(turn.await.is_ok());
        });
    }

    #[test]
    fn a_notice_waits_for_the_end_of_a_pause_without_a_slot() {
        let (runtime, clock, destination) =
            (Runtime::start().unwrap(), Clock::start(), impatient());
        let later = clock.now() + Duration::from_hours(1);
        runtime.block_on(async {
            let (sender, mut closing) = watch::channel(false);
            destination.health.lock().until = Some(later);
            let turn = destination.turn(clock, clock.now(), &mut closing).await;
            assert_eq!(turn.map(|_| ()), Err(PostError::Paused));
            assert_eq!(destination.slots.available_permits(), MAX_SIMULTANEOUS_REQUESTS);
            destination.health.lock().until = Some(clock.now() + Duration::from_millis(5));
            assert!(destination.turn(clock, later, &mut closing).await.is_ok());
            // A server that ends does not wait for the end of a pause, but still for a slot.
            sender.send_replace(true);
            destination.health.lock().until = Some(later);
            let turn = destination.turn(clock, later, &mut closing).await;
            assert_eq!(turn.map(|_| ()), Err(PostError::Paused));
            destination.health.lock().until = None;
            assert!(destination.turn(clock, later, &mut closing).await.is_ok());
        });
    }
}
