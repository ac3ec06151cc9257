//! One running relay: its state and its figures.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::base::Timestamp;
use crate::server::event::relay::{RelayChange, RelayState};
use crate::server::registry::relays::rules::RelayRule;
use crate::server::stream::Stream;
use crate::server::stream::relayed::RelayPath;
use crate::text::Problem;

/// The path of a relayed stream.
#[derive(Clone, Debug)]
pub(crate) struct RelayWay {
    /// The other servers on the path: those that a pushed stream has passed through, or those on the
    /// way to the viewer who caused a pull.
    pub path: RelayPath,
    /// The pushed stream.
    pub stream: Weak<Stream>,
}

impl RelayWay {
    /// Returns true if the relay sends this stream, and the other servers on the path are these.
    pub fn is_of(&self, stream: &Arc<Stream>, path: &RelayPath) -> bool {
        std::ptr::eq(self.stream.as_ptr(), Arc::as_ptr(stream)) && self.path == *path
    }
}

/// The current state of a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RelayReport {
    pub state: RelayState,
    pub url: String,
    pub cause: Option<Problem>,
    pub retry_in: Option<Duration>,
    /// Time of the last change of `state`.
    pub since: Timestamp,
    /// True if each address has failed since the last success.
    pub has_tried_all: bool,
}

/// A running relay.
#[derive(Debug)]
pub(crate) struct Relay {
    pub id: u64,
    /// The rule, which a reload can replace.
    rule: watch::Sender<Arc<RelayRule>>,
    pub app: String,
    pub stream: String,
    pub way: RelayWay,
    /// The network of the viewer who caused a pull on demand.
    pub opened_by: Option<IpAddr>,
    report: watch::Sender<RelayReport>,
    /// True once the report has changed. The first change is always an event, even if it equals the
    /// initial report.
    is_reported: AtomicBool,
    stop: watch::Sender<bool>,
    /// The time at which a viewer last requested the stream, in microseconds of the clock.
    last_request: AtomicI64,
    /// The servers on the way to the viewer who last requested the stream.
    asker: Mutex<RelayPath>,
    /// Number of bytes sent or received by all connections.
    pub bytes: AtomicU64,
    pub reconnects: AtomicU64,
    pub dropped_frames: AtomicU64,
}

impl Relay {
    pub fn new(
        (id, now): (u64, Timestamp),
        rule: Arc<RelayRule>,
        (app, stream): (&str, &str),
        way: RelayWay,
        opened_by: Option<IpAddr>,
    ) -> Self {
        let asker = Mutex::new(way.path.clone());
        let url = rule.targets.first().map(|it| it.shown(app, stream)).unwrap_or_default();
        let report = RelayReport {
            state: RelayState::Connecting,
            url,
            cause: None,
            retry_in: None,
            since: now,
            has_tried_all: false,
        };
        Self {
            id,
            rule: watch::Sender::new(rule),
            app: app.to_owned(),
            stream: stream.to_owned(),
            way,
            opened_by,
            report: watch::Sender::new(report),
            is_reported: AtomicBool::new(false),
            stop: watch::Sender::new(false),
            last_request: AtomicI64::new(now.as_micros()),
            asker,
            bytes: AtomicU64::new(0),
            reconnects: AtomicU64::new(0),
            dropped_frames: AtomicU64::new(0),
        }
    }

    /// Returns the current rule.
    pub fn rule(&self) -> Arc<RelayRule> {
        Arc::clone(&self.rule.borrow())
    }

    /// Replaces the rule.
    pub fn set_rule(&self, rule: &Arc<RelayRule>) {
        self.rule.send_replace(Arc::clone(rule));
    }

    /// Returns true if the current rule has other addresses or options than this rule.
    pub fn connects_unlike(&self, rule: &RelayRule) -> bool {
        !self.rule.borrow().connects_like(rule)
    }

    /// Waits until [`Relay::connects_unlike`].
    pub async fn readdressed(&self, rule: &RelayRule) {
        // The sender is in `self`, so an error cannot occur.
        let _ = self.rule.subscribe().wait_for(|it| !it.connects_like(rule)).await;
    }

    /// Returns the current report.
    pub fn report(&self) -> RelayReport {
        self.report.borrow().clone()
    }

    /// Returns a receiver of the changing report.
    pub fn reports(&self) -> watch::Receiver<RelayReport> {
        self.report.subscribe()
    }

    /// Changes the report. Returns the content of an event if the state or the cause has changed.
    pub fn change(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut RelayReport),
    ) -> Option<RelayChange> {
        let mut reported = None;
        let rule = self.rule();
        self.report.send_modify(|report| {
            let before = report.clone();
            change(report);
            let hidden = |text: &str| rule.hidden(text).into_owned();
            report.url = hidden(&report.url);
            report.cause =
                report.cause.take().map(|it| it.map_texts(&|text| Cow::Owned(hidden(text))));
            if report.state != before.state {
                report.since = now;
            }
            // The attempts during a long outage are not events.
            let is_first = !self.is_reported.swap(true, Ordering::Relaxed);
            let is_news = is_first || report.state != before.state || report.cause != before.cause;
            let is_attempt = report.state == RelayState::Connecting && report.cause.is_some();
            if is_news && !is_attempt && !self.is_repeated(report, &before) {
                reported = Some(report.clone());
            }
        });
        reported.map(|report| RelayChange {
            id: self.id,
            direction: rule.direction,
            app: self.app.clone(),
            stream: self.stream.clone(),
            url: report.url,
            state: report.state,
            cause: report.cause,
            retry_in: report.retry_in,
        })
    }

    /// Returns true if the same failure follows an attempt.
    fn is_repeated(&self, report: &RelayReport, before: &RelayReport) -> bool {
        report.state == RelayState::Reconnecting
            && before.state == RelayState::Connecting
            && report.cause == before.cause
            && report.url == before.url
    }

    /// Records that a viewer requests the stream.
    pub fn note_asked(&self, now: Timestamp) {
        self.last_request.fetch_max(now.as_micros(), Ordering::AcqRel);
    }

    /// Records the servers on the way to the viewer who requests the stream.
    pub fn set_asker(&self, path: &RelayPath) {
        self.asker.lock().clone_from(path);
    }

    /// Returns the servers on the way to the viewer who last requested the stream.
    pub fn asker(&self) -> RelayPath {
        self.asker.lock().clone()
    }

    /// Returns the time at which a viewer last requested the stream, or watched it.
    pub fn last_request(&self) -> Timestamp {
        Timestamp::from_micros(self.last_request.load(Ordering::Acquire))
    }

    /// Ends the relay.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for [`Relay::stop`].
    pub async fn stopped(&self) {
        // The sender is in `self`, so an error cannot occur.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Returns true if the relay was asked to end.
    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }
}
