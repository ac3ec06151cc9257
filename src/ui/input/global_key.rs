//! How the talk key is heard while another window has the keyboard, and how the settings say so.

use crate::studio::PushToTalkKey;
use crate::ui::input::actions::key;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum GlobalKeySupport {
    /// It is not: nobody tells of it.
    #[default]
    Never,
    /// The display can be asked which keys are down (X11).
    Looked,
    /// The desktop gives a key of its own (Wayland), and said this to it.
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

    /// What is to be said of it, `on` where it is switched on: a text, and what stands in it.
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
