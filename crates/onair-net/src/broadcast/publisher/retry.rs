//! Decides about connection attempts: which failures are final, how long to wait, and when to stop
//! trying.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::base::{Backoff, Timestamp};
use crate::broadcast::hub::HubFeed;
use crate::broadcast::hub::subscription::Subscription;
use crate::broadcast::publisher::attempt::Attempt;
use crate::broadcast::publisher::early_closes::{
    ConnectionEnd, EarlyCloses, MIN_STABLE_DURATION, RepeatedCloses,
};
use crate::broadcast::publisher::session::{self, Ended};
use crate::broadcast::publisher::state::{
    History, KeptSubscription, Report, Shared, State, Timeline,
};
use crate::media::RenditionId;
use crate::net::{Cause, Class, ConnectStage, Error, Refusal};
use crate::text::problem::problem;

/// Maximum number of successive short connections that each end an outage. Further short
/// connections do not end the outage.
const MAX_SHORT_ATTEMPTS: u32 = 3;
/// Maximum number of successive redirects.
const MAX_REDIRECTS: u32 = 3;
/// Time limit of a TCP connection attempt in the first minute of an outage. A new attempt finds a
/// restored network sooner than a retransmission does.
const EARLY_TCP_TIMEOUT: Duration = Duration::from_secs(2);
const EARLY_PERIOD: Duration = Duration::from_secs(60);

/// Time limit of the last attempt, which begins when the time for retries is over.
const LAST_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(500);

/// A server that refuses a reconnect within this time usually still has the previous connection,
/// whose end it detects only later.
const OLD_CONNECTION_LIFETIME: Duration = Duration::from_secs(60);

/// Publishes to the target until the stream ends, a stop is requested, or a failure is final.
/// `kept` contains the packets that arrived before the first connection, if no packet may be lost.
pub(super) async fn run(shared: Arc<Shared>, feed: HubFeed, kept: Option<Subscription>) {
    let clock = shared.clock;
    let home = shared.target.url.clone();
    if shared.target.await_media && !begun(&shared, &feed).await {
        return stopped(&shared);
    }
    let kept = kept.map(KeptSubscription::new);
    let mut timeline = Timeline { feed, origin: None, last: None, accepted: None, kept };
    let mut outage = clock.now();
    let mut backoff = Backoff::new(outage.as_micros().unsigned_abs() ^ address_of(&shared));
    let mut url = home.clone();
    let (mut short, mut elsewhere) = (0_u32, 0_u32);
    // True if a connection was ever live for more than a moment.
    let mut was_live = false;
    // The reason why the previous attempt failed, and whether the next attempt is the last.
    let (mut failed, mut is_last) = (None::<Error>, false);
    let mut early_closes = EarlyCloses::default();
    loop {
        // The first attempt has no time limit, and the last attempt has a short time limit.
        let until = failed.as_ref().and(shared.target.retry_for).map(|limit| {
            let by = outage + limit;
            if is_last { by.max(clock.now() + LAST_ATTEMPT_TIMEOUT) } else { by }
        });
        let tcp_limit = tcp_limit(&shared, outage);
        let (doubt, refusal_limit) = match home.refuses_by_closing() {
            true => (early_closes.doubt(), early_closes.refusal_limit()),
            false => (None, Duration::ZERO),
        };
        let history = History {
            worked: was_live && doubt.is_none(),
            closes: early_closes.pattern(),
            ..History::default()
        };
        let trying =
            Attempt { home: &home, url: &url, tcp_limit, doubt, refusal_limit, until, history };
        let (live_since, ended) = session::run(&shared, &mut timeline, &trying).await;
        let now = clock.now();
        let live_for = live_since.map_or(Duration::ZERO, |since| now.since(since));
        if live_since.is_some() && doubt.is_none_or(|doubt| live_for >= doubt) {
            failed = None;
        }
        let refused = matches!(ended, Ended::Refused(_));
        let mut error = match ended {
            Ended::Asked => return stopped(&shared),
            Ended::NetworkReturned => continue,
            Ended::Elsewhere(next) if elsewhere < MAX_REDIRECTS || stayed(live_since, now) => {
                // A server that redirects occasionally does not count as a redirect loop.
                elsewhere = if stayed(live_since, now) { 1 } else { elsewhere + 1 };
                if live_since.is_some() {
                    was_live = true;
                    early_closes.ended(live_for, ConnectionEnd::Other);
                    // The outage begins now.
                    outage = now;
                    backoff.reset();
                }
                tracing::info!(to = %next, "the server asks to reconnect to another address");
                url = next;
                continue;
            }
            Ended::Elsewhere(_) => Error {
                stage: ConnectStage::Media,
                cause: Cause::Protocol(problem!("net-sent-too-often")),
                peer: url.authority(),
            },
            Ended::Failed(error) | Ended::Refused(error) => error,
            Ended::OutOfTime => {
                let class = failed.as_ref().map_or(Class::Unreachable, Error::class);
                let lost = was_live && doubt.is_none();
                let class = if lost { Class::Lost } else { class };
                return gave_up(&shared, class, failed, history);
            }
        };
        elsewhere = 0;
        let closed = home.refuses_by_closing()
            && matches!(error.cause, Cause::Closed | Cause::Reset)
            && matches!(error.stage, ConnectStage::Publish | ConnectStage::Media);
        let end = if closed { ConnectionEnd::Closed(live_for) } else { ConnectionEnd::Other };
        // A server that closes a reconnect before the stream begins may still have the previous
        // connection. This says nothing about the key.
        let may_be_busy = closed && was_live && live_since.is_none() && !refused;
        let is_early = !may_be_busy && early_closes.ended(live_for, end);
        let hung_up = refused || is_early;
        let lost = |was_live| was_live && !hung_up;
        let history = History {
            worked: lost(was_live || live_since.is_some()),
            closes: early_closes.pattern(),
            ..history
        };
        if let (true, Some(RepeatedCloses { times, after })) = (closed, history.closes) {
            error.cause = Cause::ClosedEachTime { after, times };
        } else if refused {
            error.cause = Cause::AcceptedThenClosed { after: live_for };
        }
        tracing::debug!(%error, stage = %error.stage, "publishing failed");
        // If a redirect failed, the next attempt uses the user's URL again.
        url.clone_from(&home);
        if let Some(since) = live_since.filter(|_| !refused) {
            was_live = true;
            short = if stayed(Some(since), now) { 0 } else { short + 1 };
            if short <= MAX_SHORT_ATTEMPTS {
                outage = now;
                backoff.reset();
            }
        }
        if lost(was_live) && now.since(outage) < OLD_CONNECTION_LIFETIME && turned_away(&error) {
            error.cause = Cause::StillThere(Box::new(error.cause));
        }
        if !(may_pass(&error, was_live) || shared.target.own_server) {
            let class = error.class();
            return over(&shared, State::Failed(class), Some(error), history);
        }
        let gone = now.since(outage);
        // A server that refuses is tried less and less often, because the reply changes only when
        // the key does.
        let wait = if hung_up { backoff.next_refused() } else { backoff.next_wait(gone) };
        let Some(next) = next_try(shared.target.retry_for, gone, wait) else {
            let class = if lost(was_live) { Class::Lost } else { error.class() };
            return gave_up(&shared, class, Some(error), history);
        };
        is_last = next < wait;
        failed = Some(error.clone());
        if !pause(&shared, &timeline, (lost(was_live), history), error, next).await {
            return stopped(&shared);
        }
    }
}

/// Returns the wait before the next attempt, at time `gone` of an outage. The last attempt begins
/// when the time limit is reached; after it, the result is `None`.
fn next_try(limit: Option<Duration>, gone: Duration, wait: Duration) -> Option<Duration> {
    match limit {
        None => Some(wait),
        Some(limit) => Some(limit.checked_sub(gone).filter(|left| !left.is_zero())?.min(wait)),
    }
}

/// Returns true if a connection was live long enough to count as stable.
fn stayed(live_since: Option<Timestamp>, now: Timestamp) -> bool {
    live_since.is_some_and(|since| now.since(since) >= MIN_STABLE_DURATION)
}

/// Returns true if the server indicates, explicitly or by closing the connection, that the stream
/// name is in use.
fn turned_away(error: &Error) -> bool {
    match error.cause {
        Cause::Status { refusal: Refusal::Busy, .. } => error.stage != ConnectStage::Media,
        Cause::Closed | Cause::Reset => error.stage == ConnectStage::Publish,
        _ => false,
    }
}

/// Waits for the first packet. Returns false if a stop is requested or the stream ends.
async fn begun(shared: &Shared, feed: &HubFeed) -> bool {
    let first = feed.subscribe("first packet", shared.target.limits, None, RenditionId::Main);
    tokio::select! {
        () = shared.stop_wanted() => false,
        there = first.ready() => there,
    }
}

/// Returns true if a retry can help. A rejected certificate or proxy login is final, unless it was
/// accepted before. In that case, something else replied, such as a hotel's login page.
fn may_pass(error: &Error, was_live: bool) -> bool {
    match &error.cause {
        Cause::Certificate { .. } => was_live,
        Cause::Proxy { problem, .. } if problem.is_login() => was_live,
        _ => error.may_pass(),
    }
}

fn tcp_limit(shared: &Shared, outage: Timestamp) -> Duration {
    let limit = shared.target.options.net.tcp_limit;
    let early = shared.clock.now().since(outage) < EARLY_PERIOD;
    if early { limit.min(EARLY_TCP_TIMEOUT) } else { limit }
}

/// Waits for the next attempt. Returns false if a stop is requested, or if the stream has ended and
/// no packets are kept for the next connection.
async fn pause(
    shared: &Shared,
    timeline: &Timeline,
    (lost, history): (bool, History),
    error: Error,
    wait: Duration,
) -> bool {
    let retry = shared.retry.notified();
    let state = if lost { State::Reconnecting } else { State::Connecting };
    let report = Report::new(state, error.stage, Some(error));
    shared.change(Report { retry_in: Some(wait), history, ..report });
    tokio::select! {
        () = shared.stop_wanted() => false,
        () = timeline.feed.ended(), if timeline.kept.is_none() => false,
        () = retry => true,
        () = sleep(wait) => true,
    }
}

fn over(shared: &Shared, state: State, error: Option<Error>, history: History) {
    shared.end_outage(0);
    let reached = shared.report.lock().stage;
    let stage = error.as_ref().map_or(reached, |error| error.stage);
    shared.change(Report { history, ..Report::new(state, stage, error) });
}

/// Ends on request, or with the stream. The stage stays the one that was reached.
fn stopped(shared: &Shared) {
    over(shared, State::Stopped, None, History::default());
}

/// Ends because the time for retries is over.
fn gave_up(shared: &Shared, class: Class, error: Option<Error>, history: History) {
    let history = History { retried_for: shared.target.retry_for, ..history };
    over(shared, State::Failed(class), error, history);
}

/// Ends a publisher whose task has panicked.
pub(super) fn crashed(shared: &Shared) {
    let stage = shared.report.lock().stage;
    let error = Error { stage, cause: Cause::Crashed, peer: shared.target.url.host_and_port() };
    over(shared, State::Failed(error.class()), Some(error), History::default());
}

/// Returns a value that differs between publishers that start in the same microsecond.
fn address_of(shared: &Arc<Shared>) -> u64 {
    Arc::as_ptr(shared).addr() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::queue::{self, Full};
    use crate::base::{Clock, Stop};
    use crate::broadcast::hub::Hub;
    use crate::broadcast::publisher::{EndOnDrop, Event, Publisher, Target};
    use crate::media::StreamConfig;
    use crate::net::{ProxyProblem, Runtime};
    use crate::wire::rtmp::url::Url;

    #[test]
    fn the_end_of_the_stream_ends_the_attempts() {
        let limit = Duration::from_secs(60);
        let (packets, input) = queue::bounded("test", 4, Full::Block);
        let hub = Hub::spawn(StreamConfig::default(), input).unwrap();
        let runtime = Runtime::start().unwrap();
        // Nothing listens on this port.
        let target = Target::new(Url::parse("rtmp://127.0.0.1:1/app/key").unwrap());
        let publisher = Publisher::start(&runtime, target, &hub, Clock::start());
        loop {
            let event = publisher.events().recv_timeout(limit).unwrap();
            if matches!(event, Event::Changed(report) if report.retry_in.is_some()) {
                break;
            }
        }
        drop(packets);
        assert!(publisher.wait(limit), "{:?}", publisher.report());
        // The stage is the one that was reached.
        let Report { state, stage, .. } = publisher.report();
        assert_eq!((state, stage), (State::Stopped, ConnectStage::Tcp));
    }

    #[test]
    fn a_cause_belongs_to_its_attempt_and_the_limit_of_retries_is_reported() {
        let limit = Duration::from_secs(60);
        let (_packets, input) = queue::bounded("test", 4, Full::Block);
        let hub = Hub::spawn(StreamConfig::default(), input).unwrap();
        let runtime = Runtime::start().unwrap();
        let target = Target::new(Url::parse("rtmp://127.0.0.1:1/app/key").unwrap());
        let retry_for = Some(Duration::from_millis(300));
        let target = Target { retry_for, ..target };
        let publisher = Publisher::start(&runtime, target, &hub, Clock::start());
        assert!(publisher.wait(limit));
        let report = publisher.report();
        assert_eq!(report.state, State::Failed(Class::Unreachable));
        assert_eq!(report.history.retried_for, retry_for);
        let reports = publisher.events().waiting().filter_map(|event| match event {
            Event::Changed(report) => Some(report),
            _ => None,
        });
        let (mut waited, mut earlier) = (false, 0);
        for report in reports {
            waited |= report.retry_in.is_some();
            let is_attempt = report.retry_in.is_none() && !report.state.is_over();
            assert_eq!(report.history.is_earlier, is_attempt && waited, "{report:?}");
            earlier += u32::from(report.history.is_earlier);
        }
        assert!(earlier > 0, "no second attempt");
    }

    #[test]
    fn a_publisher_that_panics_has_failed() {
        let limit = Duration::from_secs(60);
        let (_packets, input) = queue::bounded("test", 4, Full::Block);
        let hub = Hub::spawn(StreamConfig::default(), input).unwrap();
        let runtime = Runtime::start().unwrap();
        let target = Target::new(Url::parse("rtmp://127.0.0.1:1/app/key").unwrap());
        let publisher = Publisher::start(&runtime, target, &hub, Clock::start());
        // Another task takes the place of the publisher's.
        publisher.task.abort();
        assert!(publisher.wait(limit));
        assert!(!publisher.state().is_over());
        let done = Stop::new();
        let ended = EndOnDrop { done: done.clone(), shared: Arc::clone(&publisher.shared) };
        drop(runtime.spawn(async move {
            let _ended = ended;
            let fail: fn() = || panic!("in the publisher");
            fail();
        }));
        assert!(done.wait(limit));
        assert_eq!(publisher.state(), State::Failed(Class::Internal));
        let last = publisher.events().waiting().last();
        assert!(matches!(last, Some(Event::Changed(report)) if report.state.is_over()));
    }

    #[test]
    fn a_rejected_proxy_login_is_final_unless_it_was_accepted_before() {
        let other = ProxyProblem::OtherLogin("NTLM".into());
        for problem in [ProxyProblem::NeedsLogin, ProxyProblem::WrongLogin, other] {
            let cause = Cause::Proxy { proxy: String::new(), problem };
            let error = Error { stage: ConnectStage::Tcp, cause, peer: String::new() };
            assert_eq!([false, true].map(|was_live| may_pass(&error, was_live)), [false, true]);
        }
    }

    #[test]
    fn it_is_tried_for_exactly_as_long_as_was_asked_for() {
        for (limit, seed) in [(0, 1), (400, 2), (1_000, 3), (4_000, 4), (90_000, 5)] {
            let limit = Duration::from_millis(limit);
            let (mut backoff, mut gone, mut tries) = (Backoff::new(seed), Duration::ZERO, 1);
            while let Some(wait) = next_try(Some(limit), gone, backoff.next_wait(gone)) {
                assert!(!wait.is_zero());
                gone += wait;
                tries += 1;
            }
            assert_eq!(gone, limit, "given up too early or too late");
            assert_eq!(tries == 1, limit.is_zero());
        }
        let wait = Duration::from_secs(9);
        assert_eq!(next_try(None, Duration::from_secs(86_400), wait), Some(wait));
        assert_eq!(next_try(Some(wait), Duration::from_secs(10), wait), None);
    }
}
