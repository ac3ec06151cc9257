//! The callbacks of an application. They ask a receiver before a client connects, publishes or plays,
//! and notify it when the client has finished.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::base::Clock;
use crate::net::web::WebUrl;
use crate::server::access::callback::destination::{Destination, PostError};
use crate::server::access::callback::exchange::{ReceiverAnswer, Request, Verdict};
use crate::server::access::callback::rules::{CallKind, CallbackRules, Dialect};
use crate::server::access::callback::visit::{Call, Visit};
use crate::server::access::callback::{mediamtx, nginx, srs};
use crate::server::access::denied::Denied;
use crate::server::event::reporter::{Reporter, without_secrets};
use crate::server::event::{CallbackAnswer, CallbackResult, Event};
use crate::wire::rtmp::stream_name::StreamName;

/// Maximum number of notices in the queue "callback notices". Further notices are lost.
const MAX_NOTICES: usize = 1_024;
/// A notice that does not reach its receiver is sent again after each of these waits.
const RETRY_DELAYS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Sends notices to receivers in the background, and reports all answers.
#[derive(Clone, Debug)]
pub(in crate::server) struct Notices {
    runtime: Handle,
    clock: Clock,
    reporter: Arc<Reporter>,
    waiting: Arc<AtomicUsize>,
    idle: Arc<Notify>,
}

impl Notices {
    pub fn new(runtime: Handle, clock: Clock, reporter: Arc<Reporter>) -> Self {
        Self { runtime, clock, reporter, waiting: Arc::default(), idle: Arc::default() }
    }

    /// Returns true if no notice is waiting.
    pub fn is_idle(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Returns the signal that no notice is waiting any more.
    pub fn idle(&self) -> &Notify {
        &self.idle
    }

    fn send(&self, destination: &Arc<Destination>, dialect: Dialect, visit: &Visit, call: &Call) {
        let (notices, destination) = (self.clone(), Arc::clone(destination));
        let (visit, call) = (visit.clone(), call.clone());
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= MAX_NOTICES {
            tracing::warn!(kind = ?call.kind(), "too many callbacks are waiting: dropped one");
            return self.done();
        }
        self.runtime.spawn(async move {
            let guard = NoticeGuard(notices);
            for wait in RETRY_DELAYS.into_iter().map(Some).chain([None]) {
                let posted = guard.0.post(&destination, dialect, &visit, &call).await;
                // If the request may have arrived, a second attempt would deliver the notice twice.
                let again = matches!(posted, Err(PostError::Unreachable(_) | PostError::Paused));
                let Some(wait) = wait.filter(|_| again) else { break };
                tokio::time::sleep(wait).await;
            }
        });
    }

    /// Posts a request to a receiver, and reports the answer.
    async fn post(
        &self,
        destination: &Destination,
        dialect: Dialect,
        visit: &Visit,
        call: &Call,
    ) -> Result<Verdict, PostError> {
        let (request, began) = (request(dialect, visit, call), self.clock.now());
        let posted = destination.post(&request, self.clock).await;
        let took = self.clock.now().since(began);
        let status = posted.as_ref().ok().map(|answer| answer.status);
        let decided = posted.map(|answer| valid(verdict(dialect, &answer), visit, call));
        let result = match &decided {
            Ok(Verdict::Accept) => CallbackResult::Accepted,
            Ok(Verdict::Rename(_)) => CallbackResult::Renamed,
            Ok(Verdict::Refuse) => CallbackResult::Refused,
            Err(_) => CallbackResult::Failed,
        };
        let error = decided.as_ref().err();
        self.reporter.tell(Event::Callback(CallbackAnswer {
            callback: call.kind().name(),
            host: destination.host(),
            app: without_secrets(&visit.app),
            stream: without_secrets(&visit.stream),
            result,
            status,
            cause: error.map(PostError::name),
            reason: error.map(PostError::problem),
            took,
            times: 1,
        }));
        decided
    }

    fn done(&self) {
        if self.waiting.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.idle.notify_waiters();
        }
    }
}

/// Returns the request for a call.
fn request(dialect: Dialect, visit: &Visit, call: &Call) -> Request {
    let (content_type, body) = match dialect {
        Dialect::Nginx => ("application/x-www-form-urlencoded", nginx::form(visit, call)),
        Dialect::Srs => ("application/json", srs::json(visit, call)),
        Dialect::MediaMtx => ("application/json", mediamtx::json(visit, call)),
    };
    Request { content_type, body }
}

/// Returns the decision in a response.
fn verdict(dialect: Dialect, answer: &ReceiverAnswer) -> Verdict {
    match dialect {
        Dialect::Nginx => nginx::verdict(answer),
        Dialect::Srs => srs::verdict(answer),
        Dialect::MediaMtx => mediamtx::verdict(answer),
    }
}

/// A notice that is being sent.
struct NoticeGuard(Notices);

impl Drop for NoticeGuard {
    fn drop(&mut self) {
        self.0.done();
    }
}

/// The callbacks of an application and their receivers.
#[derive(Debug)]
pub(in crate::server) struct Callbacks {
    dialect: Dialect,
    accepts_without_answer: bool,
    destinations: HashMap<CallKind, Arc<Destination>>,
    notices: Notices,
}

impl Callbacks {
    pub fn new(rules: &CallbackRules, notices: &Notices) -> Self {
        let destination = |(kind, url): (&CallKind, &WebUrl)| {
            let destination = Destination::new(url.clone(), rules.timeout, *kind as u64);
            (*kind, Arc::new(destination))
        };
        Self {
            dialect: rules.dialect,
            accepts_without_answer: rules.accepts_without_answer,
            destinations: rules.urls.iter().map(destination).collect(),
            notices: notices.clone(),
        }
    }

    /// Returns true if a receiver decides about this call.
    pub fn decides(&self, call: &Call) -> bool {
        self.destinations.contains_key(&call.kind())
    }

    /// Asks the receiver whether the client may act. Returns the new name if the receiver changes it.
    pub async fn ask(&self, visit: &Visit, call: &Call) -> Result<Option<String>, Denied> {
        let Some(destination) = self.destinations.get(&call.kind()) else { return Ok(None) };
        match self.notices.post(destination, self.dialect, visit, call).await {
            Ok(Verdict::Accept) => Ok(None),
            Ok(Verdict::Rename(name)) => Ok(Some(name)),
            Ok(Verdict::Refuse) => Err(Denied::Callback),
            Err(_) if self.accepts_without_answer => Ok(None),
            Err(_) => Err(Denied::NoCallback),
        }
    }

    fn tell(&self, visit: &Visit, call: &Call) {
        if let Some(destination) = self.destinations.get(&call.kind()) {
            self.notices.send(destination, self.dialect, visit, call);
        }
    }
}

/// Returns the verdict with the new name, without its query, if it has one. An invalid name refuses the client.
fn valid(verdict: Verdict, visit: &Visit, call: &Call) -> Verdict {
    let Verdict::Rename(name) = verdict else { return verdict };
    let name = name.split('?').next().unwrap_or_default();
    let (app, stream) = match call {
        Call::Connect => (name, ""),
        _ => (visit.app.as_str(), name),
    };
    let resolved = StreamName::resolve("", app, stream);
    let is_one = *call == Call::Connect || !resolved.stream.is_empty();
    if resolved.is_plain() && is_one {
        return Verdict::Rename(name.trim_matches('/').to_owned());
    }
    tracing::warn!("a callback redirects to an invalid stream name");
    Verdict::Refuse
}

/// When dropped, reports that a client has finished.
#[derive(Debug)]
pub(in crate::server) struct DoneCall {
    callbacks: Arc<Callbacks>,
    visit: Visit,
    /// `None` if there is nothing to report.
    call: Option<Call>,
}

impl DoneCall {
    /// Creates the report for the end of `call`. Returns `None` if the end of this call is not
    /// reported.
    pub fn new(callbacks: &Arc<Callbacks>, visit: &Visit, call: &Call) -> Option<Self> {
        let (callbacks, visit) = (Arc::clone(callbacks), visit.clone());
        call.end().map(|call| Self { callbacks, visit, call: Some(call) })
    }

    /// Records that the stream has another name.
    pub fn rename(&mut self, stream: &str) {
        stream.clone_into(&mut self.visit.stream);
    }

    /// Cancels the report.
    pub fn cancel(&mut self) {
        self.call = None;
    }

    /// Returns the report that the publication was recorded.
    pub fn recorded(&self) -> RecordCall {
        RecordCall { callbacks: Arc::clone(&self.callbacks), visit: self.visit.clone() }
    }
}

impl Drop for DoneCall {
    fn drop(&mut self) {
        if let Some(call) = &self.call {
            self.callbacks.tell(&self.visit, call);
        }
    }
}

/// Reports that a publication was recorded.
#[derive(Debug)]
pub(in crate::server) struct RecordCall {
    callbacks: Arc<Callbacks>,
    visit: Visit,
}

impl RecordCall {
    /// Reports that this file is complete.
    pub fn finished(&self, path: &Path) {
        let path = absolute(path);
        self.callbacks.tell(&self.visit, &Call::RecordDone { path });
    }
}

/// Returns a path that also a receiver with another working directory can open.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receivers_get_absolute_paths() {
        let here = std::env::current_dir().unwrap();
        let expected = here.join("recordings/live-show.flv").display().to_string();
        assert_eq!(absolute(Path::new("recordings/live-show.flv")), expected);
        assert_eq!(absolute(Path::new(&expected)), expected);
    }
}
