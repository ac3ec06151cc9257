//! The inputs of a connection attempt, and the report of its stages.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::publisher::state::{Event, Report, Shared, State, Timeline};
use crate::net::rtmp::{Client, Options};
use crate::net::{ConnectStage, Error, Step};
use crate::wire::rtmp::client::Purpose;
use crate::wire::rtmp::status::{Level, Status, code};
use crate::wire::rtmp::url::Url;

/// The inputs of an attempt.
pub(super) struct Attempt<'a> {
    /// The user's URL.
    pub home: &'a Url,
    /// The URL of this attempt, which differs from `home` after a redirect.
    pub url: &'a Url,
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
) -> Result<Client, Error> {
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
    let mut options =
        Options { bitrate: timeline.feed.head().bitrate, ..shared.target.options.clone() };
    options.net.tcp_limit = trying.tcp_limit;
    let client =
        Client::connect(trying.url, Purpose::Publish, &options, shared.clock, &on_step).await?;
    on_step(Step::Stage(ConnectStage::Media));
    Ok(client)
}

/// Returns the status that tells the user about a redirect by the server.
pub(super) fn sent_on(to: &str, with_password: bool) -> Status {
    let kept =
        if with_password { "" } else { "; user and password were not handed on to that host" };
    let text = format!("The server sends the stream on to {to}{kept}.");
    Status::new(Level::Warning, code::CONNECT_REJECTED, text)
}

/// Returns true if this is a routine server message without information for the user.
pub(super) fn is_routine(status: &Status) -> bool {
    const ROUTINE_CODES: [&str; 4] = [
        "NetStream.Publish.Start",
        "NetStream.Unpublish.Success",
        "NetStream.FCPublish.Start",
        "NetConnection.Connect.Success",
    ];
    ROUTINE_CODES.contains(&status.code.as_str())
}
