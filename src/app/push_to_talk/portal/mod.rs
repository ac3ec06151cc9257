//! The talk key where no program sees other windows' keys (Wayland): the desktop is asked for a key of its own
//! by its portal, and tells when that is held. It asks the person, so that it is asked when that
//! is switched on, or when a strip first listens to the key, and not again by itself; it is known by
//! a name that stays, by which the desktop remembers what was answered.

mod session;

use std::sync::Arc;

use eframe::egui;
use parking_lot::Mutex;

use crate::app::push_to_talk::key_state::KeyState;
use crate::base::Worker;
use crate::studio::PushToTalkKey;
use crate::ui::GlobalKeyReply;

/// What is wanted of the talk key.
#[derive(Copy, Clone, Debug)]
pub(super) struct WantedKey {
    pub(super) key: PushToTalkKey,
    /// It is to be heard behind other windows.
    pub(super) on: bool,
    /// A strip listens to it.
    pub(super) listens: bool,
}

/// See the module.
pub(super) struct PortalKey {
    line: Arc<KeyState>,
    wake: egui::Context,
    /// Whether it was wanted when it was looked last; nobody has looked before the first time.
    was_on: Option<bool>,
    reply: Arc<Mutex<GlobalKeyReply>>,
    /// The desktop was asked, and it was not switched off since.
    asked: bool,
    worker: Option<Worker>,
}

impl PortalKey {
    pub(super) fn new(line: Arc<KeyState>, wake: egui::Context) -> Self {
        Self { line, wake, was_on: None, reply: Arc::default(), asked: false, worker: None }
    }

    /// What the desktop has said.
    pub(super) fn reply(&self) -> GlobalKeyReply {
        self.reply.lock().clone()
    }

    /// Asks, or gives the key back. `called` is what the desktop is to call it.
    pub(super) fn follow(&mut self, wanted: WantedKey, called: impl FnOnce() -> String) {
        let trigger = trigger(wanted.key).filter(|_| wanted.on);
        let on = trigger.is_some();
        let switched_on = self.was_on.replace(on) == Some(false) && on;
        let Some(trigger) = trigger else {
            self.worker = None;
            if std::mem::take(&mut self.asked) {
                // What is still said of it is said to nobody; but that it was refused is to be read.
                let reply = self.reply();
                let reply =
                    if reply == GlobalKeyReply::Refused { reply } else { GlobalKeyReply::Nothing };
                self.reply = Arc::new(Mutex::new(reply));
            }
            if wanted.on {
                // A button: nobody is asked, and nobody refuses.
                *self.reply.lock() = GlobalKeyReply::Nothing;
            }
            return;
        };
        if self.asked || !(wanted.listens || switched_on) {
            return;
        }
        self.asked = true;
        self.reply = Arc::new(Mutex::new(GlobalKeyReply::Waits));
        let told = session::PortalEvent::new(&self.line, &self.reply, self.wake.clone());
        let called = called();
        self.worker = Worker::spawn("onair-talk-key", move |stop| {
            session::hear(&trigger, &called, stop, told);
        })
        .inspect_err(|error| tracing::warn!(%error, "the talk key is heard in the window only"))
        .ok();
    }
}

/// The key as the portal is told which one would be liked (XDG shortcuts specification: names of
/// xkbcommon-keysyms.h, modifiers before them). A desktop keeps such a key from all windows: of those
/// that type something nobody could do without, so that they are asked for with Ctrl and Alt. There
/// are no buttons of mice in it.
fn trigger(key: PushToTalkKey) -> Option<String> {
    if key.button().is_some() {
        return None;
    }
    let typed = |name: &str| Some(format!("CTRL+ALT+{name}"));
    match key.name() {
        "Space" => typed("space"),
        "Backtick" => typed("grave"),
        "PageUp" => Some("Page_Up".to_owned()),
        "PageDown" => Some("Page_Down".to_owned()),
        name if name.len() == 1 => typed(&name.to_ascii_lowercase()),
        name => Some(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_trigger_and_no_button_has() {
        let of = |name| trigger(PushToTalkKey::named(name).unwrap());
        let is = |name, wanted: &str| assert_eq!(of(name).as_deref(), Some(wanted));
        is("F8", "F8");
        is("Home", "Home");
        is("PageUp", "Page_Up");
        is("Space", "CTRL+ALT+space");
        is("Backtick", "CTRL+ALT+grave");
        is("A", "CTRL+ALT+a");
        is("9", "CTRL+ALT+9");
        for name in PushToTalkKey::NAMES {
            assert_eq!(of(name).is_none(), name.starts_with("mouse"), "{name}");
        }
    }
}
