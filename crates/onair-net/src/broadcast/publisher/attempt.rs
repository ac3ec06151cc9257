//! The inputs of a connection attempt, and the report of its stages.

use std::time::Duration;

use tokio::time::sleep;

use crate::base::Timestamp;
use crate::broadcast::protocol::address::{Request, TargetAddress};
use crate::broadcast::protocol::link::{Link, Redirect};
use crate::broadcast::publisher::state::{Event, History, Report, Shared, State, Timeline};
use crate::net::{Cause, ConnectStage, Error, Step};

/// The inputs of an attempt.
pub(super) struct Attempt<'a> {
    /// The user's address.
    pub home: &'a TargetAddress,
    /// The address of this attempt, which differs from `home` after a redirect.
    pub url: &'a TargetAddress,
    pub tcp_limit: Duration,
    /// If the server refused the last connection, the time for which it must keep this one before
    /// the connection counts as live.
    pub doubt: Option<Duration>,
    /// The time within which a close by the server is a refusal.
    pub refusal_limit: Duration,
    /// The time at which the attempt ends, even if it has not succeeded.
    pub until: Option<Timestamp>,
    pub history: History,
}

/// Interval between two looks at a stage about which the user was told.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// After this time without an answer, the user is told.
const UNANSWERED_AFTER: Duration = Duration::from_secs(3);

/// Connects to the target, and reports each stage.
pub(super) async fn connect(
    shared: &Shared,
    timeline: &Timeline,
    trying: &Attempt<'_>,
) -> Result<Box<dyn Link>, Error> {
    let state = match timeline.origin {
        Some(_) if trying.doubt.is_none() => State::Reconnecting,
        _ => State::Connecting,
    };
    let error = shared.report.lock().error.clone();
    let history = trying.history;
    let on_step = |step: Step<'_>| match step {
        Step::Stage(stage) => {
            let history = History { is_earlier: error.is_some(), ..history };
            shared.change(Report { history, ..Report::new(state, stage, error.clone()) });
        }
        Step::NextPort(failed) | Step::Digests(failed) => {
            let report = Report::new(state, failed.stage, Some(failed.clone()));
            shared.change(Report { history, ..report });
        }
        Step::Elsewhere { to, with_password } => {
            shared.tell(Event::Redirected(Redirect { to: to.to_owned(), with_password }));
        }
    };
    let mut options = shared.target.options.clone();
    options.net.tcp_limit = trying.tcp_limit;
    let request = Request {
        home: trying.home,
        head: Some(timeline.feed.head()),
        options: &options,
        bitrate: timeline.feed.head().bitrate,
        layers: shared.target.layers,
        clock: shared.clock,
        on_step: &on_step,
    };
    let unanswered = tell_unanswered(shared, state, trying);
    let link = tokio::select! {
        biased;
        link = trying.url.connect(request) => link?,
        never = unanswered => match never {},
    };
    on_step(Step::Stage(ConnectStage::Media));
    Ok(link)
}

/// Reports once for each stage that the server has not answered for a while.
async fn tell_unanswered(
    shared: &Shared,
    state: State,
    trying: &Attempt<'_>,
) -> std::convert::Infallible {
    loop {
        let began = shared.tries.lock().progress;
        shared.time_is_up(Some(began + UNANSWERED_AFTER)).await;
        let Report { stage, error, history, .. } = shared.report.lock().clone();
        let asked = (ConnectStage::Tls..ConnectStage::Media).contains(&stage);
        let is_told = error.is_some() && !history.is_earlier;
        if shared.tries.lock().progress != began || !asked || is_told {
            // The next stage, or the next look.
            sleep(LOOK_INTERVAL).await;
            continue;
        }
        let cause = Cause::Unanswered { after: UNANSWERED_AFTER };
        let error = Error { stage, cause, peer: trying.url.authority() };
        let report = Report::new(state, stage, Some(error));
        shared.change(Report { history: trying.history, ..report });
    }
}
