//! Rules in the settings file, `[[rules]]`: "when this happens, run this command". The window
//! defines the events and commands; unknown ones are kept unchanged.

use serde::{Deserialize, Serialize};

/// Maximum number of rules that are followed.
pub const MAX_RULES: usize = 64;
/// Maximum length of an event or a command in bytes.
pub const MAX_RULE_TEXT_BYTES: usize = 512;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The event, such as `scene:Break`.
    pub when: String,
    /// The command, such as `on mute:Microphone`.
    pub then: String,
    /// False while the rule is paused.
    pub enabled: bool,
}

impl Default for Rule {
    fn default() -> Self {
        Self { when: String::new(), then: String::new(), enabled: true }
    }
}

impl Rule {
    /// Returns the rule as one line, as on the command line.
    pub fn line(&self) -> String {
        format!("{} => {}", self.when, self.then)
    }

    /// Reads a rule from one line.
    pub fn of_line(line: &str) -> Option<Self> {
        let (when, then) = line.split_once("=>")?;
        let (when, then) = (when.trim().to_owned(), then.trim().to_owned());
        (!when.is_empty() && !then.is_empty()).then_some(Self { when, then, enabled: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_read_from_its_line() {
        let rule = Rule::of_line(" scene:Break=> on mute:Mic ").unwrap();
        assert_eq!((&*rule.when, &*rule.then, rule.enabled), ("scene:Break", "on mute:Mic", true));
        assert_eq!(Rule::of_line(&rule.line()), Some(rule));
        assert!(
            ["", "scene:A", "=> mute", "scene:A =>"].iter().all(|it| Rule::of_line(it).is_none())
        );
    }
}
