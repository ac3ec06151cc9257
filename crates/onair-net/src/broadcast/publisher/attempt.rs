//! The inputs of a connection attempt, and the report of its stages.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::protocol::address::{Request, TargetAddress};
use crate::broadcast::protocol::link::{Link, sent_on};
use crate::broadcast::publisher::state::{Event, Report, Shared, State, Timeline};
use crate::net::{ConnectStage, Error, Step};

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
}

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
    let on_step = |step: Step<'_>| match step {
        Step::Stage(stage) => shared.change(Report::new(state, stage, error.clone())),
        Step::NextPort(failed) | Step::Digests(failed) => {
            shared.change(Report::new(state, failed.stage, Some(failed.clone())));
        }
        Step::Elsewhere { to, with_password } => {
            shared.tell(Event::ServerStatus(sent_on(to, with_password)));
        }
    };
    let mut options = shared.target.options.clone();
    options.net.tcp_limit = trying.tcp_limit;
    let request = Request {
        home: trying.home,
        options: &options,
        bitrate: timeline.feed.head().bitrate,
        clock: shared.clock,
        on_step: &on_step,
    };
    let link = trying.url.connect(request).await?;
    on_step(Step::Stage(ConnectStage::Media));
    Ok(link)
}
