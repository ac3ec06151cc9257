//! What a player says of its stream, each once.

use crate::player::session::shared::Shared;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Event, PlayerMessage, Severity};
use crate::text::Problem;
use crate::wire::chat::ChatLine;

/// What is said once of something, at most: a stream may change its codec for ever.
const MAX_REPORTED: usize = 64;

impl Shared {
    /// Says it, unless that was done.
    pub(in crate::player) fn odd(&self, odd: &Anomaly) {
        if !odd.returns() {
            let mut told = self.told.lock();
            let of = if odd.is_each_time() {
                told.iter().filter(|(key, _)| *key == odd.key()).count().to_string()
            } else {
                odd.of()
            };
            // There are only so many kinds, but no end to what they may be of.
            let full = !of.is_empty() && told.len() >= MAX_REPORTED;
            if full || !told.insert((odd.key(), of)) {
                return;
            }
        }
        let hurts = odd.hurts() || *odd == Anomaly::Stalled;
        let severity = if hurts { Severity::Warning } else { Severity::Info };
        self.pass_on(odd.problem(), severity, !odd.hurts(), odd.detail());
    }

    /// What was said is no longer so: when it comes again it is said again.
    pub(in crate::player) fn is_over(&self, odd: &Anomaly) {
        self.told.lock().remove(&(odd.key(), odd.of()));
    }

    /// Says something once.
    pub(in crate::player) fn say(
        &self,
        problem: Problem,
        severity: Severity,
        detail: impl Into<String>,
    ) {
        self.pass_on(problem, severity, false, detail.into());
    }

    /// Passes a message on, for what happened alone where it is `quiet`.
    pub(in crate::player) fn pass_on(
        &self,
        problem: Problem,
        severity: Severity,
        quiet: bool,
        detail: String,
    ) {
        let message = PlayerMessage { problem, severity, quiet, detail };
        let _ = self.events.send(Event::Message(message));
    }

    /// Passes on a line that came in the stream.
    pub(in crate::player) fn tell_line(&self, line: ChatLine) {
        let _ = self.events.send(Event::Line(line));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Clock;
    use crate::player::session::config::{Config, Source};

    #[test]
    fn what_a_stream_makes_be_said_for_ever_hides_nothing_else() {
        let config = Config::new(Source::Url("rtmp://host/app/name".into()));
        let (shared, events) = Shared::new(&config, Clock::start());
        (0..1_000).for_each(|n| shared.odd(&Anomaly::ChangedAudio(n.to_string())));
        assert_eq!(events.waiting().count(), MAX_REPORTED);
        for odd in [Anomaly::TooSlow, Anomaly::NoKeyframe, Anomaly::Stalled] {
            shared.odd(&odd);
            shared.odd(&odd);
            assert_eq!(events.waiting().count(), 1, "{odd:?}");
        }
        shared.odd(&Anomaly::ChangedAudio("one more".into()));
        assert_eq!(events.waiting().count(), 0);
        // What is over may come again.
        shared.is_over(&Anomaly::TooSlow);
        shared.odd(&Anomaly::TooSlow);
        assert_eq!(events.waiting().count(), 1);
    }
    #[test]
    fn each_change_of_the_size_is_said() {
        let config = Config::new(Source::Url("rtmp://host/app/name".into()));
        let (shared, events) = Shared::new(&config, Clock::start());
        let sizes = ["320x180", "640x360", "320x180"];
        sizes.into_iter().for_each(|size| shared.odd(&Anomaly::ChangedSize(size.into())));
        let told = events.waiting().filter_map(|event| match event {
            Event::Message(message) => Some(message.detail),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), sizes);
        // One that changes for ever is not told of for ever.
        (0..1_000).for_each(|n| shared.odd(&Anomaly::ChangedSize(n.to_string())));
        assert_eq!(events.waiting().count(), MAX_REPORTED - sizes.len());
    }
}
