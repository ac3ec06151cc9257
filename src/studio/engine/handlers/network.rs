//! Handles network changes and sleep: reconnects dead connections at once, and begins the next
//! attempt at once.

use crate::net::{NetworkChange, NetworkChanges, forget_lookups};
use crate::studio::engine::Engine;
use crate::studio::notices::message::StudioMessage;
use crate::studio::preflight::backend;

impl Engine {
    /// Starts to listen for network changes, if supported.
    pub(in crate::studio::engine) fn begin_network(&mut self) {
        match NetworkChanges::listen(&self.runtime) {
            Ok(changes) => self.machine.events.set_changes(changes),
            Err(error) => tracing::info!(%error, "watching for network changes failed"),
        }
        self.machine.events.woke(backend::asleep());
    }

    /// Checks the network, and whether the computer has slept.
    pub(in crate::studio::engine) fn poll_network(&mut self) {
        if let Some(slept) = self.machine.events.woke(backend::asleep()) {
            let seconds = format!("{:.0}", slept.as_secs_f64());
            self.notices.note(&StudioMessage::Slept { seconds });
            self.try_anew(true);
        }
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
