//! Handles network changes and sleep: reconnects dead connections at once, and begins the next
//! attempt at once.

use std::time::Duration;

use crate::net::{NetworkChange, NetworkChanges, forget_lookups};
use crate::platform::clocks;
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;

impl Engine {
    /// Starts to listen for network changes, if supported.
    pub fn begin_network(&mut self) {
        match NetworkChanges::listen(&self.runtime) {
            Ok(changes) => self.machine.events.set_changes(changes),
            Err(error) => tracing::info!(%error, "watching for network changes failed"),
        }
        self.machine.events.woke(clocks::asleep());
    }

    /// Checks the network, and whether the computer has slept.
    pub fn poll_network(&mut self) {
        self.poll_sleep(clocks::asleep());
        while let Some(change) = self.machine.events.change() {
            let NetworkChange { came, gone, route } = change;
            tracing::info!(?came, ?gone, route, "the network has changed");
            self.built_in.look_at_networks();
            let on_air = self.live.is_publishing();
            if on_air && !(came.is_empty() && gone.is_empty()) {
                let words = |some: &[String]| match some.is_empty() {
                    true => "–".to_owned(),
                    false => some.join(", "),
                };
                self.notices.note(&StudioMessage::NetworkChanged {
                    came: words(&came),
                    gone: words(&gone),
                });
            }
            // Addresses that only disappear provide no new route.
            self.try_anew(route || !came.is_empty());
        }
    }

    /// Notes that the computer has slept, and connects again. `asleep` is the total sleep since the
    /// computer was started.
    fn poll_sleep(&mut self, asleep: Option<Duration>) {
        if let Some(slept) = self.machine.events.woke(asleep) {
            let seconds = format!("{:.0}", slept.as_secs_f64());
            self.notices.note(&StudioMessage::Slept { seconds });
            self.try_anew(true);
        }
    }

    fn try_anew(&mut self, at_once: bool) {
        if at_once {
            forget_lookups();
        }
        let Some(on_air) = &self.live.on_air else { return };
        for sent in on_air.targets() {
            sent.publisher.network_changed();
            if at_once {
                sent.publisher.network_returned();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::studio::engine::handlers::live::tests::{end, on_air, until};

    #[test]
    fn after_sleep_each_wait_for_an_attempt_ends_at_once_and_the_event_log_says_why() {
        let (mut engine, _ends) = on_air();
        let wait = |engine: &Engine| {
            let mut targets = engine.live.on_air.as_ref().unwrap().targets();
            targets.next().unwrap().publisher.report().retry_in
        };
        let tries = |engine: &Engine| {
            let mut targets = engine.live.on_air.as_ref().unwrap().targets();
            targets.next().unwrap().publisher.tries()
        };
        engine.poll_sleep(Some(Duration::ZERO));
        let (since, mut waits) = (Instant::now(), Duration::ZERO);
        for sleeps in 1..=20 {
            until("failed attempt", || wait(&engine).is_some());
            waits += wait(&engine).unwrap_or_default();
            let before = tries(&engine);
            engine.poll_sleep(Some(Duration::from_secs(90 * sleeps)));
            until("another attempt", || tries(&engine) > before);
        }
        assert!(since.elapsed() < waits, "{:?} of {waits:?}", since.elapsed());
        let entries = engine.notices.log.entries();
        let notes: Vec<_> = entries.iter().filter(|it| it.notice.key() == "slept").collect();
        assert_eq!(notes.iter().map(|it| it.times).sum::<u32>(), 20, "{notes:?}");
        assert_eq!(notes[0].notice.value("seconds").as_deref(), Some("90"));
        end(engine);
    }
}
