//! Reports of a player: its state, its figures, and the anomalies of its stream, each reported
//! once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::base::queue::{self, Full};
use crate::base::{Clock, Timestamp};
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Event, Failure, Figures, PlayerMessage, Severity, State};
use crate::text::problem::{Problem, problem};
use crate::wire::chat::ChatLine;

/// Maximum number of unread events; the oldest are dropped.
const MAX_UNREAD_EVENTS: usize = 256;
/// Maximum number of messages that are reported once, because a stream could change its codec
/// without end.
const MAX_REPORTED_MESSAGES: usize = 64;

/// See the module documentation.
#[derive(Debug)]
pub(crate) struct PlayerReport {
    clock: Clock,
    state: Mutex<State>,
    events: queue::Sender<Event>,
    pub(crate) figures: Mutex<Figures>,
    /// Packets dropped because the decoder could not keep up.
    dropped: AtomicU64,
    /// The reason why a file in progress will be incomplete.
    pub(crate) output_failure: Mutex<Option<Failure>>,
    /// Messages reported once, by key and subject.
    reported: Mutex<BTreeSet<(&'static str, String)>>,
    /// Time at which the connection was lost.
    lost: Mutex<Option<Timestamp>>,
}

impl PlayerReport {
    /// Creates a report; also returns the receiver of its events.
    pub(crate) fn new(clock: Clock) -> (Self, queue::Receiver<Event>) {
        let (events, receiver) =
            queue::bounded("player events", MAX_UNREAD_EVENTS, Full::DropOldest);
        let report = Self {
            clock,
            state: Mutex::new(State::Starting),
            events,
            figures: Mutex::new(Figures { speed: 1.0, ..Figures::default() }),
            dropped: AtomicU64::new(0),
            output_failure: Mutex::new(None),
            reported: Mutex::default(),
            lost: Mutex::new(None),
        };
        (report, receiver)
    }

    pub(crate) fn state(&self) -> State {
        self.state.lock().clone()
    }

    /// Changes the state and reports it. A final state stays.
    pub(crate) fn enter(&self, next: State) {
        {
            let mut state = self.state.lock();
            if state.is_final() || *state == next {
                return;
            }
            if matches!(next, State::Reconnecting { .. }) {
                self.lost.lock().get_or_insert(self.clock.now());
            }
            *state = next.clone();
        }
        // There may be no receiver.
        let _ = self.events.send(Event::State(next));
    }

    /// Records that media arrives again after a loss.
    pub(crate) fn regained(&self) {
        let lost = matches!(*self.state.lock(), State::Reconnecting { .. });
        if lost {
            self.enter(State::Playing);
        }
        if let Some(since) = self.lost.lock().take() {
            self.report_anomaly(&Anomaly::Regained(self.clock.now().since(since).as_secs()));
        }
    }

    /// Adds packets that were dropped because the decoder could not keep up.
    pub(crate) fn add_dropped(&self, count: u64) {
        if count > 0 {
            self.dropped.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Reports an anomaly, only once unless it can recur.
    pub(crate) fn report_anomaly(&self, anomaly: &Anomaly) {
        if !anomaly.returns() {
            let mut reported = self.reported.lock();
            let of = if anomaly.is_each_time() {
                reported.iter().filter(|(key, _)| *key == anomaly.key()).count().to_string()
            } else {
                anomaly.of()
            };
            // The number of kinds is fixed, but not the number of subjects.
            let full = !of.is_empty() && reported.len() >= MAX_REPORTED_MESSAGES;
            if full || !reported.insert((anomaly.key(), of)) {
                return;
            }
        }
        let hurts = anomaly.hurts() || *anomaly == Anomaly::Stalled;
        let severity = if hurts { Severity::Warning } else { Severity::Info };
        self.pass_on(anomaly.problem(), severity, !anomaly.hurts(), anomaly.detail());
    }

    /// Ends the anomaly with this message id, which is reported again if it returns.
    pub(crate) fn is_over(&self, key: &'static str) {
        let was_reported = {
            let mut reported = self.reported.lock();
            let before = reported.len();
            reported.retain(|(known, _)| *known != key);
            reported.len() < before
        };
        if was_reported {
            let _ = self.events.send(Event::Over(key));
        }
    }

    /// Reports a message to the user.
    pub(crate) fn say(&self, problem: Problem, severity: Severity, detail: impl Into<String>) {
        self.pass_on(problem, severity, false, detail.into());
    }

    /// Passes on a message. A `quiet` one goes only to the event log.
    pub(crate) fn pass_on(
        &self,
        problem: Problem,
        severity: Severity,
        quiet: bool,
        detail: String,
    ) {
        let message = PlayerMessage { problem, severity, quiet, detail };
        let _ = self.events.send(Event::Message(message));
    }

    /// Passes on a chat message of the stream.
    pub(crate) fn tell_line(&self, line: ChatLine) {
        let _ = self.events.send(Event::Line(line));
    }

    /// Reports that an output file is no longer writable. Playback continues.
    pub(crate) fn output_failed(&self, failure: &Failure) {
        let problem = problem!("player-output-failed", reason = &failure.problem);
        self.say(problem, Severity::Warning, "");
        *self.output_failure.lock() = Some(failure.clone());
    }

    /// Reports that the audio cannot be played. The video continues.
    pub(crate) fn unsupported_audio(&self, what: Problem) {
        let words = what.to_string();
        self.say(problem!("player-no-audio-codec", detail = what), Severity::Warning, words);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_anomalies_do_not_hide_others() {
        let (report, events) = PlayerReport::new(Clock::start());
        (0..1_000).for_each(|n| report.report_anomaly(&Anomaly::ChangedAudio(n.to_string())));
        assert_eq!(events.waiting().count(), MAX_REPORTED_MESSAGES);
        for anomaly in [Anomaly::TooSlow, Anomaly::NoKeyframe, Anomaly::Stalled] {
            report.report_anomaly(&anomaly);
            report.report_anomaly(&anomaly);
            assert_eq!(events.waiting().count(), 1, "{anomaly:?}");
        }
        report.report_anomaly(&Anomaly::ChangedAudio("one more".into()));
        assert_eq!(events.waiting().count(), 0);
        // An anomaly that ended may return.
        report.is_over("player-too-slow");
        report.is_over("player-too-slow");
        report.report_anomaly(&Anomaly::TooSlow);
        let waiting: Vec<_> = events.waiting().collect();
        let [Event::Over("player-too-slow"), Event::Message(message)] = waiting.as_slice() else {
            panic!("{waiting:?}")
        };
        assert_eq!(message.key(), "player-too-slow");
    }

    #[test]
    fn each_change_of_the_size_is_reported() {
        let (report, events) = PlayerReport::new(Clock::start());
        let sizes = ["320x180", "640x360", "320x180"];
        sizes
            .into_iter()
            .for_each(|size| report.report_anomaly(&Anomaly::ChangedSize(size.into())));
        let details = events.waiting().filter_map(|event| match event {
            Event::Message(message) => Some(message.detail),
            _ => None,
        });
        assert_eq!(details.collect::<Vec<_>>(), sizes);
        // Endless changes are not reported endlessly.
        (0..1_000).for_each(|n| report.report_anomaly(&Anomaly::ChangedSize(n.to_string())));
        assert_eq!(events.waiting().count(), MAX_REPORTED_MESSAGES - sizes.len());
    }
}
