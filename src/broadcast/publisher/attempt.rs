//! Try after try: which failures are final, how long to wait, when to give up.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::base::{Backoff, Timestamp};
use crate::broadcast::Subscription;
use crate::broadcast::hub::Feed;
use crate::broadcast::publisher::session::{self, Ended, Trying};
use crate::broadcast::publisher::state::{Kept, Report, Shared, State, Timeline};
use crate::media::Rung;
use crate::net::{Cause, Class, Error, Stage};

/// A connection that was live for this long was a good one.
const STEADY: Duration = Duration::from_secs(10);
/// A server that accepts the stream and hangs up this soon has refused it: nginx-rtmp and several
/// services say no like this.
const MOMENT: Duration = Duration::from_secs(1);
/// So many connections in a row may be cut sooner and each begin a new outage; after that, being
/// live for a moment does not end the outage any more.
const MOST_SHORT: u32 = 3;
/// Redirections followed in a row.
const MOST_ELSEWHERE: u32 = 3;
/// In the first minute, at the start as after a loss, a try that reaches nobody is given up after
/// this: the next one finds the network that is back sooner than a lost packet is sent again.
const EARLY_TCP_LIMIT: Duration = Duration::from_secs(2);
const EARLY: Duration = Duration::from_secs(60);

/// Runs until the stream ends, stop is wanted, or there is no point in trying any more. `kept` has what
/// comes before the first connection, where none of it may be missing.
pub(super) async fn run(shared: Arc<Shared>, feed: Feed, kept: Option<Subscription>) {
    let clock = shared.clock;
    if shared.target.await_media && !begun(&shared, &feed).await {
        return over(&shared, State::Stopped, None);
    }
    let kept = kept.map(Kept::new);
    let mut timeline = Timeline { feed, origin: None, last: None, last_sent: None, kept };
    let mut outage = clock.now();
    let mut backoff = Backoff::new(outage.as_micros().unsigned_abs() ^ address_of(&shared));
    let mut url = shared.target.url.clone();
    let (mut short, mut elsewhere) = (0_u32, 0_u32);
    // Whether a connection was ever live for more than a moment.
    let mut was_live = false;
    loop {
        let trying = Trying { url: &url, tcp_limit: tcp_limit(&shared, outage) };
        let (live_since, ended) = session::run(&shared, &mut timeline, &trying).await;
        let now = clock.now();
        let mut error = match ended {
            Ended::Asked => return over(&shared, State::Stopped, None),
            Ended::Elsewhere(next) if elsewhere < MOST_ELSEWHERE || stayed(live_since, now) => {
                // A server that sends us on now and then does not send us round and round.
                elsewhere = if stayed(live_since, now) { 1 } else { elsewhere + 1 };
                tracing::info!(target = %next, "the server asks to connect elsewhere");
                url = next;
                continue;
            }
            Ended::Elsewhere(_) => Error {
                stage: Stage::Media,
                cause: Cause::Protocol("it sends us from server to server".into()),
                peer: url.authority(),
            },
            Ended::Failed(error) => error,
        };
        elsewhere = 0;
        let hung_up = matches!(error.cause, Cause::Closed | Cause::Reset);
        let refused = !was_live
            && hung_up
            && live_since.is_none_or(|since| now.since(since) < MOMENT)
            && error.stage == Stage::Media;
        if refused {
            error.stage = Stage::Publish;
        }
        tracing::debug!(%error, stage = %error.stage, "publishing");
        // Where a redirection led nowhere, the next try is at the front door again.
        url.clone_from(&shared.target.url);
        if let Some(since) = live_since.filter(|_| !refused) {
            was_live = true;
            short = if stayed(Some(since), now) { 0 } else { short + 1 };
            if short <= MOST_SHORT {
                outage = now;
                backoff.reset();
            }
        }
        if !(may_pass(&error, was_live) || shared.target.own_server) {
            let class = error.class();
            return over(&shared, State::Failed(class), Some(error));
        }
        let elapsed = now.since(outage);
        let mut wait = backoff.next_wait(elapsed);
        if let Some(limit) = shared.target.retry_for {
            if elapsed >= limit {
                let class = if was_live { Class::Lost } else { error.class() };
                return over(&shared, State::Failed(class), Some(error));
            }
            // The last try is made when the time is over, not a whole wait before.
            wait = wait.min(limit - elapsed);
        }
        if !pause(&shared, was_live, error, wait).await {
            return over(&shared, State::Stopped, None);
        }
    }
}

/// Whether a connection was live for long enough to be a good one.
fn stayed(live_since: Option<Timestamp>, now: Timestamp) -> bool {
    live_since.is_some_and(|since| now.since(since) >= STEADY)
}

/// Waits for the first packet; `false` when stop is wanted or there never is one.
async fn begun(shared: &Shared, feed: &Feed) -> bool {
    let first = feed.subscribe("first packet", shared.target.limits, None, Rung::Main);
    tokio::select! {
        () = session::stop_wanted(shared) => false,
        there = first.ready() => there,
    }
}

/// Whether trying again may help. A certificate that is not accepted is no passing trouble, unless
/// it was accepted before: then somebody else (a hotel's login page) answers for the server.
fn may_pass(error: &Error, was_live: bool) -> bool {
    match error.cause {
        Cause::Certificate { .. } => was_live,
        _ => error.may_pass(),
    }
}

fn tcp_limit(shared: &Shared, outage: Timestamp) -> Duration {
    let limit = shared.target.options.net.tcp_limit;
    let early = shared.clock.now().since(outage) < EARLY;
    if early { limit.min(EARLY_TCP_LIMIT) } else { limit }
}

/// Waits for the next try; `false` when stop is wanted.
async fn pause(shared: &Shared, was_live: bool, error: Error, wait: Duration) -> bool {
    let retry = shared.retry.notified();
    shared.change(Report {
        state: if was_live { State::Reconnecting } else { State::Connecting },
        stage: error.stage,
        error: Some(error),
        retry_in: Some(wait),
        gap: None,
    });
    tokio::select! {
        () = session::stop_wanted(shared) => false,
        () = retry => true,
        () = sleep(wait) => true,
    }
}

fn over(shared: &Shared, state: State, error: Option<Error>) {
    let stage = error.as_ref().map_or(Stage::Media, |error| error.stage);
    shared.change(Report { state, stage, error, retry_in: None, gap: None });
}

/// Sets apart publishers that start in the same microsecond.
fn address_of(shared: &Arc<Shared>) -> u64 {
    Arc::as_ptr(shared).addr() as u64
}
