//! Keys where no program sees other windows' keys (Wayland): the desktop is asked for the talk key and the hotkeys of
//! commands by its portal, all in one session, and tells of them. It asks the person, so that it is asked when
//! one more is switched on, or when a strip first listens to the talk key, and not again on its own; keys are known
//! by names that stay, by which the desktop remembers what was answered.

mod session;

use std::sync::Arc;

use eframe::egui;
use parking_lot::Mutex;

use crate::app::global_keys::key_state::KeyState;
use crate::app::global_keys::keysyms;
use crate::base::Worker;
use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::{Action, GlobalKeyReply};

use session::{Pressed, Shortcut, TALK, TriggerNames};

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
pub(super) struct PortalKeys {
    line: Arc<KeyState>,
    pressed: Pressed,
    wake: egui::Context,
    /// Whether the talk key was wanted when it was looked last; nobody has looked before the first time.
    was_on: Option<bool>,
    reply: Arc<Mutex<GlobalKeyReply>>,
    given: Arc<Mutex<TriggerNames>>,
    /// The talk key was asked for, and not switched off since.
    talk_asked: bool,
    /// The names of the keys that were asked for.
    asked: Vec<String>,
    worker: Option<Worker>,
}

impl PortalKeys {
    pub(super) fn new(line: Arc<KeyState>, pressed: Pressed, wake: egui::Context) -> Self {
        Self {
            line,
            pressed,
            wake,
            was_on: None,
            reply: Arc::default(),
            given: Arc::default(),
            talk_asked: false,
            asked: Vec::new(),
            worker: None,
        }
    }

    /// What the desktop has said, of the talk key where it was asked for.
    pub(super) fn reply(&self) -> GlobalKeyReply {
        self.reply.lock().clone()
    }

    /// How it describes the keys that it has given.
    pub(super) fn given(&self) -> TriggerNames {
        self.given.lock().clone()
    }

    /// Asks, or gives keys back. `called` says what the desktop is to call them: the talk key, or a command.
    pub(super) fn follow(
        &mut self,
        talk: WantedKey,
        commands: &[(Action, Option<Hotkey>)],
        called: impl Fn(Option<Action>) -> String,
    ) {
        let talk_trigger = trigger(talk.key).filter(|_| talk.on);
        let on = talk_trigger.is_some();
        let switched_on = self.was_on.replace(on) == Some(false) && on;
        self.talk_asked = on && (self.talk_asked || talk.listens || switched_on);
        let with_talk = self.talk_asked.then(|| TALK.to_owned());
        let names = commands.iter().map(|(action, _)| action.name().to_owned());
        let wanted: Vec<String> = with_talk.into_iter().chain(names).collect();
        if talk.on && !on && wanted.is_empty() {
            // A button: nobody is asked, and nobody refuses.
            *self.reply.lock() = GlobalKeyReply::Nothing;
        }
        if wanted == self.asked {
            return;
        }
        self.worker = None;
        // What is still said of the old ones is said to nobody; but that they were refused is to be read.
        let refused = self.reply() == GlobalKeyReply::Refused;
        let reply = match (wanted.is_empty(), refused) {
            (false, _) => GlobalKeyReply::Waits,
            (true, true) => GlobalKeyReply::Refused,
            (true, false) => GlobalKeyReply::Nothing,
        };
        (self.reply, self.given) = (Arc::new(Mutex::new(reply)), Arc::default());
        let commands = commands.iter().map(|(action, hotkey)| Shortcut {
            id: action.name().to_owned(),
            trigger: hotkey.and_then(trigger_of),
            called: called(Some(*action)),
        });
        let talk = self.talk_asked.then(|| Shortcut {
            id: TALK.to_owned(),
            trigger: talk_trigger,
            called: called(None),
        });
        let shortcuts: Vec<Shortcut> = talk.into_iter().chain(commands).collect();
        self.asked = wanted;
        if shortcuts.is_empty() {
            return;
        }
        let reply = (&self.reply, &self.given);
        let told = session::PortalEvent::new(&self.line, reply, &self.pressed, self.wake.clone());
        self.worker = Worker::spawn("onair-hotkeys", move |stop| {
            session::hear(&shortcuts, stop, told);
        })
        .inspect_err(|error| tracing::warn!(%error, "hotkeys are heard in the window only"))
        .ok();
    }
}

/// A hotkey as the portal is told which one would be liked (XDG shortcuts specification).
fn trigger_of(hotkey: Hotkey) -> Option<String> {
    let names = ["CTRL+", "ALT+", "SHIFT+"];
    let [mut ctrl, mut alt, shift] = hotkey.modifiers();
    if hotkey.types() {
        // Other windows could not do without it.
        (ctrl, alt) = (true, true);
    }
    let held = [ctrl, alt, shift].into_iter().zip(names).filter(|(held, _)| *held);
    let (name, _) = keysyms::key(hotkey.key())?;
    Some(held.map(|(_, name)| name).chain([&*name]).collect())
}

/// The key as the portal is told which one would be liked (XDG shortcuts specification: names of
/// xkbcommon-keysyms.h, modifiers before them). A desktop keeps such a key from all windows: of those
/// that type something nobody could do without, so that they are asked for with Ctrl and Alt. There
/// are no buttons of mice in it.
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
}
