//! The events of rules, and their form in the settings file.

use std::fmt;
use std::time::Duration;

use crate::capture::screen::front;
use crate::studio::snapshot::RULE_KEYS;
use crate::text::Problem;
use crate::ui::input::actions::key;

/// Maximum time without sound that a rule can wait for.
const MAX_SILENCE: Duration = Duration::from_secs(86_400);

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleEvent {
    /// The program shows the scene with this name.
    Scene(String),
    /// The source with this name no longer delivers; an empty name means any source.
    SourceLost(String),
    /// The connection to the target with this name is lost; an empty name means any target.
    TargetLost(String),
    /// The strip with this name is silent for this long; an empty name means the program.
    Silent(Duration, String),
    /// A time of day, as hour and minute.
    Time(u8, u8),
    /// A chat message contains this word.
    Chat(String),
    /// A window whose program or title contains this text comes to the front.
    Window(String),
    /// The hotkey of the rule key with this number, from 1, was pressed.
    Hotkey(u8),
}

/// The kinds of events in the order of lists: the word, and the text keys of the name and of the hint
/// for its details.
pub const KINDS: [(&str, &str, &str); 8] = [
    ("scene", key!("rule-scene"), key!("rule-scene-hint")),
    ("source-lost", key!("rule-source-lost"), key!("rule-source-lost-hint")),
    ("target-lost", key!("rule-target-lost"), key!("rule-target-lost-hint")),
    ("silent", key!("rule-silent"), key!("rule-silent-hint")),
    ("time", key!("rule-time"), key!("rule-time-hint")),
    ("chat", key!("rule-chat"), key!("rule-chat-hint")),
    ("window", key!("rule-window"), key!("rule-window-hint")),
    ("hotkey", key!("rule-hotkey"), key!("rule-hotkey-hint")),
];

impl RuleEvent {
    /// Reads an event, such as `scene:Break`, `source-lost:`, `silent:10:Microphone`, `time:20:15` or
    /// `chat:!pause`.
    pub fn parse(text: &str) -> Option<Self> {
        let (word, rest) = text.trim().split_once(':')?;
        let rest = rest.trim();
        let name = || rest.to_owned();
        Some(match word {
            "scene" if !rest.is_empty() => Self::Scene(name()),
            "source-lost" => Self::SourceLost(name()),
            "target-lost" => Self::TargetLost(name()),
            "silent" => {
                let (seconds, strip) = rest.split_once(':').unwrap_or((rest, ""));
                let time = Duration::from_secs(seconds.trim().parse().ok()?);
                if time.is_zero() || time > MAX_SILENCE {
                    return None;
                }
                Self::Silent(time, strip.trim().to_owned())
            }
            "time" => {
                let (hour, minute) = rest.split_once(':')?;
                let part = |text: &str, most: u8| text.parse().ok().filter(|it| *it <= most);
                Self::Time(part(hour, 23)?, part(minute, 59)?)
            }
            "chat" if !rest.is_empty() => Self::Chat(name()),
            "window" if !rest.is_empty() => Self::Window(name()),
            "hotkey" => Self::Hotkey(rest.parse().ok().filter(|it| (1..=RULE_KEYS).contains(it))?),
            _ => return None,
        })
    }

    /// Returns the reason why this event cannot happen in this session.
    pub fn refusal(&self) -> Option<Problem> {
        match self {
            Self::Window(_) => front::refusal(),
            _ => None,
        }
    }
}

impl fmt::Display for RuleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scene(name) => write!(f, "scene:{name}"),
            Self::SourceLost(name) => write!(f, "source-lost:{name}"),
            Self::TargetLost(name) => write!(f, "target-lost:{name}"),
            Self::Silent(time, name) if name.is_empty() => write!(f, "silent:{}", time.as_secs()),
            Self::Silent(time, name) => write!(f, "silent:{}:{name}", time.as_secs()),
            Self::Time(hour, minute) => write!(f, "time:{hour:02}:{minute:02}"),
            Self::Chat(word) => write!(f, "chat:{word}"),
            Self::Window(text) => write!(f, "window:{text}"),
            Self::Hotkey(number) => write!(f, "hotkey:{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_are_written() {
        for text in [
            "scene:Break: 2",
            "source-lost:",
            "source-lost:Camera",
            "target-lost:Twitch",
            "silent:10",
            "silent:10:Mic",
            "time:07:05",
            "chat:!pause",
            "window:Firefox",
            "hotkey:4",
        ] {
            assert_eq!(RuleEvent::parse(text).unwrap().to_string(), text);
        }
        for bad in ["", "scene", "scene:", "silent:0", "silent:x", "silent:99999999", "time:24:00"]
        {
            assert_eq!(RuleEvent::parse(bad), None, "{bad}");
        }
        for bad in
            ["window:", "time:12", "time:12:60", "time:-1:00", "chat: ", "hotkey:0", "hotkey:5"]
        {
            assert_eq!(RuleEvent::parse(bad), None, "{bad}");
        }
    }
}
