//! How the talk key and hotkeys are heard while another window has the keyboard, and how the settings say so.

use std::collections::BTreeMap;

use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::input::actions::{Action, key};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GlobalKeySupport {
    /// It is not: nobody tells of it.
    #[default]
    Never,
    /// The display can be asked which keys are down (X11).
    Looked,
    /// The desktop gives a separate key (Wayland), and said this to it.
    Asked(GlobalKeyReply),
}

/// What the desktop says when it is asked for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GlobalKeyReply {
    /// It was not asked.
    #[default]
    Nothing,
    /// It is asked; its dialog may be open.
    Waits,
    /// It is the key that is described so, in the desktop's words; empty where it has none yet.
    Given(String),
    /// It has no such thing.
    Missing,
    /// It gives keys only to programs that it knows, and this is none.
    Unknown,
    /// The person said no.
    Refused,
    /// Neither yes nor no was said.
    Unanswered,
    /// It has taken the key back.
    Ended,
    /// Its portal has ended; it is asked again when that is back.
    Gone,
}

impl GlobalKeySupport {
    /// Whether it can be switched on.
    pub fn can_be(&self) -> bool {
        *self != Self::Never
    }

    /// What is to be said of it, `on` where it is switched on: a text, and what is in it.
    pub fn note(&self, push_to_talk_key: PushToTalkKey, on: bool) -> Option<(&'static str, &str)> {
        let reply = match self {
            Self::Never => return Some((key!("push-to-talk-here"), "")),
            Self::Looked => return None,
            Self::Asked(reply) => reply,
        };
        let text = match (on, reply) {
            (false, GlobalKeyReply::Refused) => key!("push-to-talk-denied"),
            (false, _) => key!("push-to-talk-asks"),
            _ if push_to_talk_key.button().is_some() => key!("push-to-talk-button"),
            (_, GlobalKeyReply::Nothing) => key!("push-to-talk-later"),
            (_, GlobalKeyReply::Waits) => key!("push-to-talk-waits"),
            (_, GlobalKeyReply::Given(trigger)) if trigger.is_empty() => key!("push-to-talk-none"),
            (_, GlobalKeyReply::Given(trigger)) => {
                return Some((key!("push-to-talk-given"), trigger));
            }
            (_, GlobalKeyReply::Missing) => key!("push-to-talk-missing"),
            (_, GlobalKeyReply::Unknown) => key!("push-to-talk-unknown"),
            (_, GlobalKeyReply::Refused) => key!("push-to-talk-denied"),
            (_, GlobalKeyReply::Unanswered) => key!("push-to-talk-unanswered"),
            (_, GlobalKeyReply::Ended) => key!("push-to-talk-ended"),
            (_, GlobalKeyReply::Gone) => key!("push-to-talk-gone"),
        };
        Some((text, ""))
    }
}

/// How the hotkeys of commands are heard while another window has the keyboard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalHotkeys {
    pub support: GlobalKeySupport,
    /// Those that are another program's.
    pub taken: Vec<Action>,
    /// By the names of commands: how the desktop describes the key that it has given; empty where it has none.
    pub given: BTreeMap<String, String>,
}

impl GlobalHotkeys {
    /// What is to be said of all of them, where any is switched on or none.
    pub fn note(&self, any: bool) -> Option<&'static str> {
        let reply = match &self.support {
            GlobalKeySupport::Never => return Some(key!("hotkeys-here")),
            GlobalKeySupport::Looked => return None,
            GlobalKeySupport::Asked(reply) => reply,
        };
        match reply {
            GlobalKeyReply::Refused => Some(key!("hotkeys-denied")),
            _ if !any => Some(key!("hotkeys-asks")),
            GlobalKeyReply::Nothing | GlobalKeyReply::Given(_) => None,
            GlobalKeyReply::Waits => Some(key!("hotkeys-waits")),
            GlobalKeyReply::Missing => Some(key!("hotkeys-missing")),
            GlobalKeyReply::Unknown => Some(key!("hotkeys-unknown")),
            GlobalKeyReply::Unanswered => Some(key!("hotkeys-unanswered")),
            GlobalKeyReply::Ended => Some(key!("hotkeys-ended")),
            GlobalKeyReply::Gone => Some(key!("hotkeys-gone")),
        }
    }

    /// What is to be said of one that is switched on: a text, what is in it, and whether it needs attention.
    pub fn note_of(
        &self,
        action: Action,
        hotkey: Option<Hotkey>,
    ) -> Option<(&'static str, &str, bool)> {
        match &self.support {
            GlobalKeySupport::Never => None,
            GlobalKeySupport::Looked => match hotkey {
                None => Some((key!("hotkey-missing"), "", true)),
                Some(hotkey) if hotkey.types() => Some((key!("hotkey-types"), "", true)),
                Some(_) if self.taken.contains(&action) => Some((key!("hotkey-taken"), "", true)),
                Some(_) => None,
            },
            GlobalKeySupport::Asked(_) => match self.given.get(action.name())?.as_str() {
                "" => Some((key!("hotkey-unassigned"), "", true)),
                trigger => Some((key!("hotkey-given"), trigger, false)),
            },
        }
    }
}
