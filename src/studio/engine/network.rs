//! Changes of this machine's network, and its sleep: connections that died of them are made anew at
//! once, waits for the next try end. Issue 4 part 4.

use std::time::Duration;

use super::Engine;
use crate::net::{Change, Changes};
use crate::studio::backend::clock;
use crate::studio::message::Message;
use crate::studio::on_air::OnAir;

/// A shorter sleep is none: the clocks are not read at the same instant.
const SLEPT: Duration = Duration::from_secs(1);

/// What is known of the network and of sleep.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    changes: Option<Changes>,
    slept: Option<Duration>,
}

impl Surroundings {
    /// How long the machine slept since the last call, if it did: `asleep` is how long it has in
    /// all since its start.
    fn woke(&mut self, asleep: Option<Duration>) -> Option<Duration> {
        let before = std::mem::replace(&mut self.slept, asleep)?;
        asleep?.checked_sub(before).filter(|slept| *slept >= SLEPT)
    }
}

impl Engine {
    /// Begins to listen, where the system tells.
    pub(super) fn begin_network(&mut self) {
        match Changes::listen(&self.runtime) {
            Ok(changes) => self.state.surroundings.changes = Some(changes),
            Err(error) => tracing::info!(%error, "changes of the network are not told"),
        }
        self.state.surroundings.woke(clock::asleep());
    }

    /// Looks at the network, and whether the machine has slept.
    pub(super) fn look_at_network(&mut self) {
        if let Some(slept) = self.state.surroundings.woke(clock::asleep()) {
            let seconds = format!("{:.0}", slept.as_secs_f64());
            self.note(&Message::Slept { seconds });
            self.try_anew(true);
        }
        while let Some(change) = self.state.surroundings.changes.as_ref().and_then(Changes::poll) {
            let Change { came, gone, route } = change;
            tracing::info!(?came, ?gone, route, "the network has changed");
            let on_air = self.state.on_air.as_ref().is_some_and(OnAir::is_publishing);
            if on_air && !(came.is_empty() && gone.is_empty()) {
                let words = |some: &[String]| match some.is_empty() {
                    true => "–".to_owned(),
                    false => some.join(", "),
                };
                self.note(&Message::NetworkChanged { came: words(&came), gone: words(&gone) });
            }
            // What only goes away opens no new way.
            self.try_anew(route || !came.is_empty());
        }
    }

    fn try_anew(&mut self, at_once: bool) {
        let Some(on_air) = &self.state.on_air else { return };
        for (_, _, publisher) in on_air.publishers() {
            publisher.network_changed();
        }
        if at_once {
            on_air.retry_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_is_told_from_clocks_that_are_read_one_after_the_other() {
        let mut surroundings = Surroundings::default();
        let at = |millis: u64| Some(Duration::from_millis(millis));
        assert_eq!(surroundings.woke(at(50_000)), None);
        assert_eq!(surroundings.woke(at(50_002)), None);
        assert_eq!(surroundings.woke(at(110_000)), Some(Duration::from_millis(59_998)));
        assert_eq!(surroundings.woke(at(110_000)), None);
        assert_eq!(surroundings.woke(None), None);
        assert_eq!(surroundings.woke(at(900_000)), None);
    }

    #[test]
    fn the_system_tells_how_long_it_slept() {
        assert_eq!(clock::asleep().is_some(), cfg!(target_os = "linux"));
    }
}
