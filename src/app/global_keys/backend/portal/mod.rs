//! Handles keys on Wayland, where no program sees the keys of other windows. onair requests the
//! push-to-talk key and the hotkeys of commands from the portal, all in one session. The portal
//! asks the user. onair therefore sends the request only when a hotkey is enabled or a strip first
//! uses the push-to-talk key, and does not repeat the request without a reason. The ids of the keys
//! are stable, so the desktop remembers the reply.

mod session;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;
use parking_lot::Mutex;

use crate::app::global_keys::backend::keysyms;
use crate::app::global_keys::key_state::KeyState;
use crate::base::Worker;
use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::{AnyCommand, GlobalKeyReply, PUSH_TO_TALK_ID};

use session::{Pressed, Shortcut, TriggerNames};

/// Time after the start before the first request. Meanwhile, onair opens the microphones, and
/// learns whether it needs the push-to-talk key. A second request would ask the user again.
const SETTLING_TIME: Duration = Duration::from_millis(1_500);
/// Time limit for closing a session before the next session opens.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The requested push-to-talk key.
#[derive(Copy, Clone, Debug)]
pub(in crate::app::global_keys) struct WantedKey {
    pub(in crate::app::global_keys) key: PushToTalkKey,
    /// True if the push-to-talk key should work in other windows.
    pub(in crate::app::global_keys) on: bool,
    /// True if a strip uses the push-to-talk key.
    pub(in crate::app::global_keys) listens: bool,
}

/// The keys of the portal; see the module documentation.
pub(in crate::app::global_keys) struct PortalKeys {
    line: Arc<KeyState>,
    pressed: Pressed,
    wake: egui::Context,
    /// Whether the push-to-talk key was wanted at the last check; `None` before the first check.
    was_on: Option<bool>,
    reply: Arc<Mutex<GlobalKeyReply>>,
    given: Arc<Mutex<TriggerNames>>,
    /// True if the push-to-talk key was requested, and was not disabled afterwards.
    talk_asked: bool,
    /// The names of the requested keys.
    asked: Vec<String>,
    /// The names of the keys that the desktop granted before the last request.
    granted: BTreeSet<String>,
    /// The time at which the first request is due.
    first_at: Instant,
    /// The thread of the last session, which may have ended.
    worker: Option<Worker>,
}

impl PortalKeys {
    pub(in crate::app::global_keys) fn new(
        line: Arc<KeyState>,
        pressed: Pressed,
        wake: egui::Context,
    ) -> Self {
        Self {
            line,
            pressed,
            wake,
            was_on: None,
            reply: Arc::default(),
            given: Arc::default(),
            talk_asked: false,
            asked: Vec::new(),
            granted: BTreeSet::new(),
            first_at: Instant::now() + SETTLING_TIME,
            worker: None,
        }
    }

    /// Returns the desktop's reply to the request.
    pub(in crate::app::global_keys) fn reply(&self) -> GlobalKeyReply {
        self.reply.lock().clone()
    }

    /// Returns the desktop's reply for the push-to-talk key.
    pub(in crate::app::global_keys) fn talk_reply(&self) -> GlobalKeyReply {
        match self.reply() {
            GlobalKeyReply::Given(_) | GlobalKeyReply::Waits if !self.talk_asked => {
                GlobalKeyReply::Nothing
            }
            reply => reply,
        }
    }

    /// Returns the names of the keys that a refusal of the request is about: the new ones, if any.
    pub(in crate::app::global_keys) fn refusable(&self) -> Vec<String> {
        let new = self.asked.iter().filter(|name| !self.granted.contains(*name));
        let new: Vec<String> = new.cloned().collect();
        if new.is_empty() { self.asked.clone() } else { new }
    }

    /// Returns the desktop's descriptions of the keys.
    pub(in crate::app::global_keys) fn given(&self) -> TriggerNames {
        self.given.lock().clone()
    }

    fn note_granted(&mut self) {
        if matches!(self.reply(), GlobalKeyReply::Given(_)) {
            self.granted = self.given().into_keys().collect();
        }
    }

    /// Requests keys, or releases them. `called` returns the names that the desktop displays for
    /// the push-to-talk key or a command.
    pub(in crate::app::global_keys) fn follow(
        &mut self,
        talk: WantedKey,
        commands: &[(AnyCommand, Option<Hotkey>)],
        called: impl Fn(Option<&AnyCommand>) -> String,
    ) {
        let talk_trigger = trigger(talk.key).filter(|_| talk.on);
        let on = talk_trigger.is_some();
        let switched_on = self.was_on.replace(on) == Some(false) && on;
        self.talk_asked = on && (self.talk_asked || talk.listens || switched_on);
        let with_talk = self.talk_asked.then(|| PUSH_TO_TALK_ID.to_owned());
        let names = commands.iter().map(|(command, _)| command.setting());
        let wanted: Vec<String> = with_talk.into_iter().chain(names).collect();
        if talk.on && !on && wanted.is_empty() {
            // For a mouse button, nothing is requested or refused.
            *self.reply.lock() = GlobalKeyReply::Nothing;
        }
        if wanted == self.asked {
            return;
        }
        let rest = self.first_at.saturating_duration_since(Instant::now());
        if self.asked.is_empty() && !rest.is_zero() {
            return self.wake.request_repaint_after(rest);
        }
        self.worker.iter().for_each(Worker::stop);
        self.note_granted();
        // Later reports about the old keys are ignored, but a refusal is kept.
        let refused = self.reply() == GlobalKeyReply::Refused;
        let reply = match (wanted.is_empty(), refused) {
            (false, _) => GlobalKeyReply::Waits,
            (true, true) => GlobalKeyReply::Refused,
            (true, false) => GlobalKeyReply::Nothing,
        };
        (self.reply, self.given) = (Arc::new(Mutex::new(reply)), Arc::default());
        let commands = commands.iter().map(|(command, hotkey)| Shortcut {
            id: command.setting(),
            trigger: hotkey.and_then(trigger_of),
            called: called(Some(command)),
        });
        let talk = self.talk_asked.then(|| Shortcut {
            id: PUSH_TO_TALK_ID.to_owned(),
            trigger: talk_trigger,
            called: called(None),
        });
        let shortcuts: Vec<Shortcut> = talk.into_iter().chain(commands).collect();
        self.asked = wanted;
        if shortcuts.is_empty() {
            return;
        }
        let reply = (&self.reply, &self.given);
        let events = session::PortalEvent::new(&self.line, reply, &self.pressed, self.wake.clone());
        let before = self.worker.take();
        self.worker = Worker::spawn("onair-hotkeys", move |stop| {
            // All sessions have the same name. If the old session closed later than the new one
            // opens, Plasma would turn off the keys of the new session.
            if let Some(Err(stuck)) = before.map(|worker| worker.join(CLOSE_TIMEOUT)) {
                tracing::debug!(%stuck, "the earlier session for hotkeys is still open");
            }
            session::hear(&shortcuts, stop, events);
        })
        .inspect_err(|error| tracing::warn!(%error, "hotkeys work only in the window"))
        .ok();
    }
}

/// Returns the preferred trigger of a hotkey for the portal (XDG shortcuts specification).
fn trigger_of(hotkey: Hotkey) -> Option<String> {
    let names = ["CTRL+", "ALT+", "SHIFT+"];
    let [mut ctrl, mut alt, shift] = hotkey.modifiers();
    if hotkey.types() {
        // Other windows need the key without modifiers.
        (ctrl, alt) = (true, true);
    }
    let held = [ctrl, alt, shift].into_iter().zip(names).filter(|(held, _)| *held);
    let (name, _) = keysyms::key(hotkey.key())?;
    Some(held.map(|(_, name)| name).chain([&*name]).collect())
}

/// Returns the preferred trigger of the push-to-talk key for the portal (XDG shortcuts
/// specification: names of xkbcommon-keysyms.h, modifiers first). The desktop withholds this key
/// from all windows, so for a key that types, the trigger includes Ctrl and Alt. Mouse buttons are
/// not possible.
fn trigger(key: PushToTalkKey) -> Option<String> {
    let (name, _) = keysyms::key(key.name())?;
    let types = key.name() == "Space" || key.name() == "Backtick" || key.name().len() == 1;
    Some(if types { format!("CTRL+ALT+{name}") } else { name })
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
        let hotkey = |text: &str| trigger_of(text.parse().unwrap()).unwrap();
        assert_eq!(hotkey("Ctrl+Alt+Shift+M"), "CTRL+ALT+SHIFT+m");
        assert_eq!(hotkey("Alt+PageUp"), "ALT+Page_Up");
        assert_eq!((hotkey("M"), hotkey("F9")), ("CTRL+ALT+m".into(), "F9".into()));
        for name in PushToTalkKey::NAMES {
            assert_eq!(of(name).is_none(), name.starts_with("mouse"), "{name}");
        }
    }

    #[test]
    fn a_refusal_is_about_the_new_keys() {
        let (line, pressed) = (Arc::new(KeyState::new(|_| {})), Arc::new(|_: &str| {}));
        let mut keys = PortalKeys::new(line, pressed, egui::Context::default());
        keys.asked = vec!["mute".to_owned()];
        assert_eq!(keys.refusable(), ["mute"]);
        *keys.reply.lock() = GlobalKeyReply::Given(String::new());
        keys.given.lock().insert("mute".to_owned(), "Press M".to_owned());
        // onair did not request the push-to-talk key.
        assert_eq!(keys.talk_reply(), GlobalKeyReply::Nothing);
        keys.note_granted();
        keys.asked.push("record".to_owned());
        assert_eq!(keys.refusable(), ["record"]);
        // If the user also refuses the earlier keys, onair stops asking.
        keys.asked.pop();
        assert_eq!(keys.refusable(), ["mute"]);
    }
}
