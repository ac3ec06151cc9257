//! Support for the push-to-talk key and hotkeys while another window has the focus, and the texts
//! about this support in the settings dialog.

use std::collections::BTreeMap;

use crate::studio::PushToTalkKey;
use crate::studio::settings::hotkeys::Hotkey;
use crate::ui::input::actions::key;
use crate::ui::input::named::AnyCommand;

/// The name of the push-to-talk key for the desktop; commands have the names of the settings file.
pub const PUSH_TO_TALK_ID: &str = "talk";

/// The support for keys while another window has the focus; see the module documentation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GlobalKeySupport {
    /// The system does not support keys in other windows.
    #[default]
    Never,
    /// The pressed keys can be read from the display (X11).
    Looked,
    /// As before, but the keyboard does not have the push-to-talk key.
    NoKey,
    /// The desktop assigns a separate key (Wayland), and gave this reply.
    Asked(GlobalKeyReply),
}

/// The desktop's reply to the request for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GlobalKeyReply {
    /// No request was sent.
    #[default]
    Nothing,
    /// The request is pending, and the desktop's dialog may be open.
    Waits,
    /// The key was assigned. The text is the desktop's description of the key; empty if there is
    /// none yet.
    Given(String),
    /// The desktop does not support keys in other windows.
    Missing,
    /// The desktop assigns keys only to programs that it knows, and it does not know onair.
    Unknown,
    /// The user refused.
    Refused,
    /// The request ended without consent or refusal.
    Unanswered,
    /// The desktop has withdrawn the key, or onair has used up its requests.
    Ended,
    /// The portal has ended. onair sends the request again when the portal returns.
    Gone,
}

impl GlobalKeySupport {
    /// Returns true if the support can be enabled.
    pub fn can_be(&self) -> bool {
        *self != Self::Never
    }

    /// Returns the note for the settings: a text key, and a value for the text. `on` is true if the
    /// support is enabled.
    pub fn note(&self, push_to_talk_key: PushToTalkKey, on: bool) -> Option<(&'static str, &str)> {
        let reply = match self {
            Self::Never => return Some((key!("push-to-talk-here"), "")),
            Self::Looked => return None,
            Self::NoKey => return on.then_some((key!("push-to-talk-no-key"), "")),
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

/// The state of hotkeys while another window has the focus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GlobalHotkeys {
    pub support: GlobalKeySupport,
    /// The hotkeys that another program has grabbed.
    pub taken: Vec<AnyCommand>,
    /// The hotkeys whose keys the keyboard does not have.
    pub no_key: Vec<AnyCommand>,
    /// The desktop's descriptions of the assigned keys, by the names of commands. A description may
    /// be empty.
    pub given: BTreeMap<String, String>,
    /// The keys that the user refuses in the desktop's dialog, by the names of commands or
    /// [`PUSH_TO_TALK_ID`].
    pub refusable: Vec<String>,
}

impl GlobalHotkeys {
    /// Returns the note for all hotkeys. `any` is true if at least one is enabled.
    pub fn note(&self, any: bool) -> Option<&'static str> {
        let reply = match &self.support {
            GlobalKeySupport::Never => return Some(key!("hotkeys-here")),
            GlobalKeySupport::Looked | GlobalKeySupport::NoKey => return None,
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

    /// Returns the note for an enabled hotkey: a text key, a value for the text, and whether the
    /// hotkey needs attention.
    pub fn note_of(
        &self,
        command: &AnyCommand,
        hotkey: Option<Hotkey>,
    ) -> Option<(&'static str, &str, bool)> {
        match &self.support {
            GlobalKeySupport::Never => None,
            GlobalKeySupport::Looked | GlobalKeySupport::NoKey => match hotkey {
                None => Some((key!("hotkey-missing"), "", true)),
                Some(hotkey) if hotkey.types() => Some((key!("hotkey-types"), "", true)),
                Some(_) if self.taken.contains(command) => Some((key!("hotkey-taken"), "", true)),
                Some(_) if self.no_key.contains(command) => Some((key!("hotkey-no-key"), "", true)),
                Some(_) => None,
            },
            GlobalKeySupport::Asked(_) => match self.given.get(&command.setting())?.as_str() {
                "" => Some((key!("hotkey-unassigned"), "", true)),
                trigger => Some((key!("hotkey-given"), trigger, false)),
            },
        }
    }
}
