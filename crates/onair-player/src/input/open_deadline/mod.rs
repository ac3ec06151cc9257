//! The total time limit for opening a network stream. Each step has its own limit, but a server
//! that stays slightly below all of them would take minutes.

#[cfg(test)]
mod tests;

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::net::web::WebUrl;
use crate::net::{self, ConnectStage, Step};
use crate::player::state::{Failure, FailureKind};
use crate::wire::rtmp::Url;

use crate::text::problem::problem;

/// Time limit until media begins to arrive.
pub(crate) const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Additional time for each further port that is tried.
const EXTRA_PORT_TIMEOUT: Duration = Duration::from_secs(10);
/// The limit for a slow link, from the first data until media can be presented.
const SLOW_LINK_TIMEOUT: Duration = Duration::from_secs(60);

/// The deadline of an opening.
#[derive(Debug)]
pub(crate) struct OpenDeadline(Mutex<State>);

#[derive(Debug)]
struct State {
    began: Instant,
    until: Instant,
    media: bool,
    /// The server or proxy whose answer is pending.
    peer: String,
    owes: &'static str,
}

impl Default for OpenDeadline {
    fn default() -> Self {
        Self::new(String::new(), OPEN_TIMEOUT)
    }
}

/// Extends the limit for this many ports.
fn with_ports(limit: Duration, ports: usize) -> Duration {
    limit + EXTRA_PORT_TIMEOUT * u32::try_from(ports.saturating_sub(1)).unwrap_or(u32::MAX).min(100)
}

impl OpenDeadline {
    /// Starts the deadline for opening a stream from `peer`.
    pub fn new(peer: String, limit: Duration) -> Self {
        let began = Instant::now();
        let (until, owes) = (began + limit, pending_answer(ConnectStage::Dns));
        Self(Mutex::new(State { began, until, media: false, peer, owes }))
    }

    /// Starts the deadline for an RTMP server with several ports; `limit` is for the first one.
    pub fn of_rtmp(url: &Url, options: &net::Options, limit: Duration) -> Self {
        let ports = if url.names_port { 1 } else { options.ports.len() };
        Self::new(format!("{}:{}", url.host, url.port), with_ports(limit, ports))
    }

    /// Records a step of the connection.
    pub fn step(&self, step: Step<'_>) {
        match step {
            Step::Stage(stage) => self.0.lock().owes = pending_answer(stage),
            Step::Elsewhere { to, .. } => {
                let web = || WebUrl::parse(to).ok().map(|url| url.endpoint().to_string());
                let rtmp = || Url::parse(to).ok().map(|url| format!("{}:{}", url.host, url.port));
                if let Some(peer) = web().or_else(rtmp) {
                    self.0.lock().peer = peer;
                }
            }
            _ => {}
        }
    }

    /// Records a request to `peer`.
    pub fn ask(&self, peer: String, what: &'static str) {
        let mut state = self.0.lock();
        (state.peer, state.owes) = (peer, what);
    }

    /// Records that media begins to arrive.
    pub fn media(&self) {
        let mut state = self.0.lock();
        if !std::mem::replace(&mut state.media, true) {
            state.until = state.until.max(Instant::now() + SLOW_LINK_TIMEOUT);
        }
    }

    /// Returns the failure, once the opening has taken too long.
    pub fn overdue(&self) -> Option<Failure> {
        let state = self.0.lock();
        (Instant::now() >= state.until).then(|| state.failure())
    }

    /// Runs a part of the opening within the remaining time.
    pub async fn within<T>(&self, it: impl Future<Output = T>) -> Result<T, Failure> {
        let until = self.0.lock().until;
        timeout_at(until, it).await.map_err(|_| self.0.lock().failure())
    }
}

impl State {
    fn failure(&self) -> Failure {
        let seconds = (self.until - self.began).as_secs_f64().round().to_string();
        let awaited = problem!("play-awaited", what = self.owes);
        let problem = problem!(
            "play-opening-slow",
            seconds = seconds,
            server = &self.peer,
            awaited = awaited
        );
        Failure::new(FailureKind::Unreachable, problem)
    }
}

/// Returns the id of the text that names the pending answer in a stage.
fn pending_answer(stage: ConnectStage) -> &'static str {
    match stage {
        ConnectStage::Publish => ConnectStage::Play.name(),
        stage => stage.name(),
    }
}
