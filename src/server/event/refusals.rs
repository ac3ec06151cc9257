//! Refused clients, for the operator. Repeats from one address are one entry, and the server reports them rarely:
//! a flood must neither displace other events nor fill the log. This module is pure.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::server::access::admission::subscriber;
use crate::server::event::Refusal;

/// Maximum number of entries. The oldest one is dropped first.
pub(super) const MAX_REFUSALS: usize = 20;
/// Minimum time between two reports about the same address.
const REPEAT: Duration = Duration::from_mins(1);
/// Maximum number of reports in this time about all addresses together.
const MAX_REPORTS: u32 = 30;

/// A refused client and its repeats.
#[derive(Debug)]
pub(super) struct RefusalEntry {
    /// The last refusal. Its `times` counts the repeats since the entry exists.
    pub refusal: Refusal,
    /// The number of the last refusal among the events.
    pub number: u64,
    pub wall_micros: i64,
    reported: Option<Timestamp>,
    /// Number of refusals since the last report.
    unreported: u64,
}

/// The last refused clients, in the order of their last refusals.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    entries: VecDeque<RefusalEntry>,
    /// The start of the current interval, and the reports in it.
    interval: Option<(Timestamp, u32)>,
}

/// Returns what identifies the repeats of a refusal: all addresses of one subscriber, and the action.
fn client(refusal: &Refusal) -> (IpAddr, &'static str) {
    (subscriber(refusal.address), refusal.action)
}

impl Refusals {
    /// Adds a refusal. Returns the refusal to report, with the number of refusals since the last report.
    pub fn note(
        &mut self,
        refusal: Refusal,
        now: Timestamp,
        (number, wall_micros): (u64, i64),
    ) -> Option<Refusal> {
        let known = self.entries.iter().position(|it| client(&it.refusal) == client(&refusal));
        let known = known.and_then(|at| self.entries.remove(at));
        let (before, reported, unreported) =
            known.map_or((0, None, 0), |it| (it.refusal.times, it.reported, it.unreported));
        let mut entry = RefusalEntry {
            refusal: Refusal { times: before.saturating_add(1), ..refusal },
            number,
            wall_micros,
            reported,
            unreported: unreported.saturating_add(1),
        };
        let is_due = reported.is_none_or(|last| now.since(last) >= REPEAT) && self.may_report(now);
        let report = is_due.then(|| {
            entry.reported = Some(now);
            Refusal { times: std::mem::take(&mut entry.unreported), ..entry.refusal.clone() }
        });
        self.entries.push_back(entry);
        if self.entries.len() > MAX_REFUSALS {
            self.entries.pop_front();
        }
        report
    }

    fn may_report(&mut self, now: Timestamp) -> bool {
        let current = self.interval.filter(|(start, _)| now.since(*start) < REPEAT);
        let (start, reports) = current.unwrap_or((now, 0));
        self.interval = Some((start, reports + u32::from(reports < MAX_REPORTS)));
        reports < MAX_REPORTS
    }

    pub fn entries(&self) -> impl Iterator<Item = &RefusalEntry> {
        self.entries.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(last: u8) -> Refusal {
        Refusal {
            address: [192, 0, 2, last].into(),
            protocol: None,
            action: "play",
            app: "live".to_owned(),
            stream: "show".to_owned(),
            cause: "wrong-key",
            reason: "The play key is wrong.".to_owned(),
            times: 1,
        }
    }

    #[test]
    fn repeats_of_an_address_are_one_entry_and_rarely_reported() {
        let mut refusals = Refusals::default();
        let mut reports = Vec::new();
        for second in 0..150 {
            let now = Timestamp::ZERO + Duration::from_secs(second);
            let report = refusals.note(refusal(1), now, (second, 0));
            reports.extend(report.map(|report| (second, report.times)));
        }
        assert_eq!(reports, [(0, 1), (60, 60), (120, 60)]);
        let all: Vec<_> = refusals.entries().map(|it| (it.number, it.refusal.times)).collect();
        assert_eq!(all, [(149, 150)]);
        let publishes = Refusal { action: "publish", ..refusal(1) };
        let now = Timestamp::ZERO + Duration::from_secs(151);
        assert!(refusals.note(publishes, now, (151, 0)).is_some(), "another action");
        assert_eq!(refusals.entries().count(), 2);
    }

    #[test]
    fn many_addresses_cause_few_reports_and_few_entries() {
        let mut refusals = Refusals::default();
        let mut flood = |second| {
            let now = Timestamp::ZERO + Duration::from_secs(second);
            (0..200).filter_map(|last| refusals.note(refusal(last), now, (0, 0))).count()
        };
        assert_eq!(flood(1), MAX_REPORTS as usize);
        assert_eq!(flood(30), 0);
        assert_eq!(flood(61), MAX_REPORTS as usize);
        assert_eq!(refusals.entries().count(), MAX_REFUSALS);
    }
}
