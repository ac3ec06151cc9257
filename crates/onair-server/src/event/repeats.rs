//! Events that repeat often, for the operator: refused clients, and the answers of callbacks. Repeats are one entry,
//! and the server reports them rarely: a flood must neither displace other events nor fill the log. This module is
//! pure.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::net::subscriber::subscriber;
use crate::server::event::{CallbackAnswer, Refusal};

/// Maximum number of entries of one kind. The oldest one is dropped first.
pub(super) const MAX_ENTRIES: usize = 20;
/// Minimum time between two reports about repeats of the same event.
const MIN_REPORT_INTERVAL: Duration = Duration::from_mins(1);
/// Maximum number of reports in this time about all events of a kind together.
const MAX_REPORTS: u32 = 30;
/// Maximum number of reports in this time about urgent events.
const MAX_URGENT_REPORTS: u32 = 120;

/// An event that repeats often.
pub(super) trait Repeating: Clone {
    /// What identifies the repeats of an event.
    type Key: PartialEq;

    fn key(&self) -> Self::Key;

    /// Returns the number of repeats that the event stands for.
    fn times(&mut self) -> &mut u64;

    /// Returns true if the server reports every repeat, and keeps the entry longer than others.
    fn is_urgent(&self) -> bool;
}

impl Repeating for Refusal {
    /// All addresses of one subscriber, and the action.
    type Key = (IpAddr, &'static str);

    fn key(&self) -> Self::Key {
        (subscriber(self.address), self.action)
    }

    fn times(&mut self) -> &mut u64 {
        &mut self.times
    }

    fn is_urgent(&self) -> bool {
        false
    }
}

impl Repeating for CallbackAnswer {
    /// The callback of an application, its receiver, and the result.
    type Key = (&'static str, String, String, &'static str, Option<u16>, Option<&'static str>);

    fn key(&self) -> Self::Key {
        let (host, app) = (self.host.clone(), self.app.clone());
        (self.callback, host, app, self.result.name(), self.status, self.cause)
    }

    fn times(&mut self) -> &mut u64 {
        &mut self.times
    }

    fn is_urgent(&self) -> bool {
        self.is_failed_request()
    }
}

/// An event and its repeats.
#[derive(Debug)]
pub(super) struct Entry<T> {
    /// The last event. Its number of repeats is that since the entry exists.
    pub event: T,
    /// The number of the last event among all events.
    pub number: u64,
    pub wall_micros: i64,
    reported: Option<Timestamp>,
    /// Number of events since the last report.
    unreported: u64,
}

/// The reports of the current interval.
#[derive(Debug, Default)]
struct Quota(Option<(Timestamp, u32)>);

impl Quota {
    fn take(&mut self, now: Timestamp, most: u32) -> bool {
        let current = self.0.filter(|(start, _)| now.since(*start) < MIN_REPORT_INTERVAL);
        let (start, reports) = current.unwrap_or((now, 0));
        self.0 = Some((start, reports + u32::from(reports < most)));
        reports < most
    }
}

/// The last events of a kind, in the order of their last repeats.
#[derive(Debug)]
pub(super) struct Repeats<T> {
    entries: VecDeque<Entry<T>>,
    usual: Quota,
    urgent: Quota,
}

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self { entries: VecDeque::new(), usual: Quota::default(), urgent: Quota::default() }
    }
}

impl<T: Repeating> Repeats<T> {
    /// Adds an event. Returns the event to report, with the number of events since the last report.
    pub fn note(
        &mut self,
        mut event: T,
        now: Timestamp,
        (number, wall_micros): (u64, i64),
    ) -> Option<T> {
        let key = event.key();
        let known = self.entries.iter().position(|it| it.event.key() == key);
        let known = known.and_then(|at| self.entries.remove(at));
        let (before, reported, unreported) =
            known.map_or((0, None, 0), |mut it| (*it.event.times(), it.reported, it.unreported));
        *event.times() = before.saturating_add(1);
        let unreported = unreported.saturating_add(1);
        let mut entry = Entry { event, number, wall_micros, reported, unreported };
        let is_due = match entry.event.is_urgent() {
            true => self.urgent.take(now, MAX_URGENT_REPORTS),
            false => {
                reported.is_none_or(|last| now.since(last) >= MIN_REPORT_INTERVAL)
                    && self.usual.take(now, MAX_REPORTS)
            }
        };
        let report = is_due.then(|| {
            entry.reported = Some(now);
            let mut report = entry.event.clone();
            *report.times() = std::mem::take(&mut entry.unreported);
            report
        });
        self.entries.push_back(entry);
        if self.entries.len() > MAX_ENTRIES {
            let oldest = self.entries.iter().position(|it| !it.event.is_urgent());
            self.entries.remove(oldest.unwrap_or_default());
        }
        report
    }

    pub fn entries(&self) -> impl Iterator<Item = &Entry<T>> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::event::CallbackResult;

    fn refusal(last: u8) -> Refusal {
        Refusal {
            address: [192, 0, 2, last].into(),
            protocol: None,
            action: "play",
            app: "live".to_owned(),
            stream: "show".to_owned(),
            cause: "wrong-key",
            reason: "The play key is wrong.".into(),
            times: 1,
        }
    }

    fn answer(app: usize, result: CallbackResult) -> CallbackAnswer {
        let is_failed = result == CallbackResult::Failed;
        CallbackAnswer {
            callback: "on_publish",
            host: "auth.example:80".to_owned(),
            id: 7,
            app: format!("app{app}"),
            stream: "show".to_owned(),
            result,
            status: (!is_failed).then_some(200),
            cause: is_failed.then_some("no-answer"),
            reason: None,
            took: Duration::from_millis(12),
            times: 1,
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn repeats_of_an_address_are_one_entry_and_rarely_reported() {
        let mut refusals = Repeats::default();
        let mut reports = Vec::new();
        for second in 0..150 {
            let report = refusals.note(refusal(1), at(second), (second, 0));
            reports.extend(report.map(|report| (second, report.times)));
        }
        assert_eq!(reports, [(0, 1), (60, 60), (120, 60)]);
        let all: Vec<_> = refusals.entries().map(|it| (it.number, it.event.times)).collect();
        assert_eq!(all, [(149, 150)]);
        let publishes = Refusal { action: "publish", ..refusal(1) };
        assert!(refusals.note(publishes, at(151), (151, 0)).is_some(), "another action");
        assert_eq!(refusals.entries().count(), 2);
    }

    #[test]
    fn many_addresses_cause_few_reports_and_few_entries() {
        let mut refusals = Repeats::default();
        let mut flood = |second| {
            (0..200).filter_map(|last| refusals.note(refusal(last), at(second), (0, 0))).count()
        };
        assert_eq!(flood(1), MAX_REPORTS as usize);
        assert_eq!(flood(30), 0);
        assert_eq!(flood(61), MAX_REPORTS as usize);
        assert_eq!(refusals.entries().count(), MAX_ENTRIES);
    }

    #[test]
    fn busy_callbacks_hide_no_failure() {
        let mut answers = Repeats::default();
        let mut reports = Vec::new();
        for second in 0..200 {
            for app in 0..30 {
                answers.note(answer(app, CallbackResult::Accepted), at(second), (second, 0));
            }
            if second < 10 {
                let failed = answer(7, CallbackResult::Failed);
                reports.extend(answers.note(failed, at(second), (second, 0)));
            }
        }
        assert_eq!(reports.iter().map(|it| it.times).collect::<Vec<_>>(), [1; 10]);
        assert_eq!(answers.entries().count(), MAX_ENTRIES);
        let failed = answers.entries().find(|it| it.event.result == CallbackResult::Failed);
        assert_eq!(failed.map(|it| it.event.times), Some(10), "it stays in the list");
        // Failures without a request follow from earlier ones.
        let paused = CallbackAnswer { cause: Some("paused"), ..answer(1, CallbackResult::Failed) };
        assert!(answers.note(paused.clone(), at(300), (300, 0)).is_some());
        assert!(answers.note(paused, at(301), (301, 0)).is_none());
    }
}
