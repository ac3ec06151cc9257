//! How the talk key is heard while another window has the keyboard, and how the settings say so.

use crate::studio::TalkKey;
use crate::ui::input::actions::key;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Elsewhere {
    /// It is not: nobody tells of it.
    #[default]
    Never,
    /// The display can be asked which keys are down (X11).
    Looked,
    /// The desktop gives a key of its own (Wayland), and said this to it.
    Asked(Reply),
}

/// What the desktop says when it is asked for a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reply {
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

impl Elsewhere {
    /// Whether it can be switched on.
    pub fn can_be(&self) -> bool {
        *self != Self::Never
    }

    /// What is to be said of it, `on` where it is switched on: a text, and what stands in it.
    pub fn note(&self, talk_key: TalkKey, on: bool) -> Option<(&'static str, &str)> {
        let reply = match self {
            Self::Never => return Some((key!("settings-talk-here"), "")),
            Self::Looked => return None,
            Self::Asked(reply) => reply,
        };
        let text = match (on, reply) {
            (false, Reply::Refused) => key!("settings-talk-denied"),
            (false, _) => key!("settings-talk-asks"),
            _ if talk_key.button().is_some() => key!("settings-talk-button"),
            (_, Reply::Nothing) => key!("settings-talk-later"),
            (_, Reply::Waits) => key!("settings-talk-waits"),
            (_, Reply::Given(trigger)) if trigger.is_empty() => key!("settings-talk-none"),
            (_, Reply::Given(trigger)) => return Some((key!("settings-talk-given"), trigger)),
            (_, Reply::Missing) => key!("settings-talk-missing"),
            (_, Reply::Unknown) => key!("settings-talk-unknown"),
            (_, Reply::Refused) => key!("settings-talk-denied"),
            (_, Reply::Unanswered) => key!("settings-talk-unanswered"),
            (_, Reply::Ended) => key!("settings-talk-ended"),
            (_, Reply::Gone) => key!("settings-talk-gone"),
        };
        Some((text, ""))
    }
}
