//! Hotkeys and their syntax in the settings file: `[hotkeys]`. The window defines the names of
//! commands; unknown names are kept unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::studio::settings::reading::values;
use crate::text::problem::{Problem, problem};

/// Maximum number of commands with hotkeys.
const MAX_HOTKEYS: usize = 500;

/// A key with modifiers.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hotkey {
    ctrl: bool,
    alt: bool,
    shift: bool,
    key: &'static str,
}

/// Keys that enter text, or activate the focused control.
const TYPING_KEYS: &str = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z 0 1 2 3 4 5 6 7 8 9 \
    Comma Period Minus Plus Equals Semicolon Colon Slash Backslash Backtick Quote OpenBracket \
    CloseBracket Space Enter Backspace Delete Up Down Left Right Home End Insert";

/// The keys that can be hotkeys and are not in [`TYPING_KEYS`].
const OTHER_KEYS: [&str; 26] = [
    "PageUp", "PageDown", "Pause", "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10",
    "F11", "F12", "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F23",
];

/// With Ctrl, these keys edit text.
const CTRL_EDITING_KEYS: [&str; 11] =
    ["Z", "Y", "Up", "Down", "Left", "Right", "Home", "End", "Backspace", "Delete", "Enter"];

/// Without Ctrl and Alt, these keys navigate in the window and activate its controls.
const NAVIGATION_KEYS: &str =
    "Space Enter Backspace Delete Up Down Left Right Home End PageUp PageDown";

impl Hotkey {
    /// Creates a hotkey from a key with modifiers, unless it only navigates in the window, copies
    /// or pastes.
    pub fn new(ctrl: bool, alt: bool, shift: bool, key: &str) -> Option<Self> {
        let key = Self::keys().find(|known| *known == key)?;
        let clipboard = ctrl && !alt && !shift && matches!(key, "A" | "C" | "V" | "X");
        let moves = !ctrl && !alt && NAVIGATION_KEYS.split(' ').any(|known| known == key);
        (!clipboard && !moves).then_some(Self { ctrl, alt, shift, key })
    }

    /// Returns the names of all keys.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        TYPING_KEYS.split(' ').chain(OTHER_KEYS)
    }

    /// Returns the key without the modifiers.
    pub fn key(self) -> &'static str {
        self.key
    }

    /// Returns the states of Ctrl, Alt and Shift.
    pub fn modifiers(self) -> [bool; 3] {
        [self.ctrl, self.alt, self.shift]
    }

    /// Returns true if the hotkey enters text in a text field, where it must not run its command.
    pub fn types(self) -> bool {
        !self.ctrl && !self.alt && TYPING_KEYS.split(' ').any(|key| key == self.key)
    }

    /// Returns true if a text field uses the hotkey itself.
    pub fn edits(self) -> bool {
        self.types() || (self.ctrl && !self.alt && CTRL_EDITING_KEYS.contains(&self.key))
    }
}

impl fmt::Display for Hotkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in [(self.ctrl, "Ctrl+"), (self.alt, "Alt+"), (self.shift, "Shift+")] {
            f.write_str(if held { name } else { "" })?;
        }
        f.write_str(self.key)
    }
}

impl FromStr for Hotkey {
    type Err = Problem;

    fn from_str(text: &str) -> Result<Self, Problem> {
        let wrong = || problem!("value-hotkey");
        let mut parts: Vec<&str> = text.split('+').map(str::trim).collect();
        let last = parts.pop().ok_or_else(wrong)?;
        let [mut ctrl, mut alt, mut shift] = [false; 3];
        for part in parts {
            match part.to_ascii_lowercase().as_str() {
                "ctrl" | "control" => ctrl = true,
                "alt" => alt = true,
                "shift" => shift = true,
                _ => return Err(wrong()),
            }
        }
        let key = Self::keys().find(|key| key.eq_ignore_ascii_case(last)).ok_or_else(wrong)?;
        Self::new(ctrl, alt, shift, key).ok_or_else(wrong)
    }
}

/// The hotkey that the user chose for a command; `None` means no hotkey.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ChosenHotkey(pub Option<Hotkey>);

impl Serialize for ChosenHotkey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(hotkey) => to.collect_str(&hotkey),
            None => to.serialize_str("none"),
        }
    }
}

impl<'de> Deserialize<'de> for ChosenHotkey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match String::deserialize(from)?.as_str() {
            "none" => Ok(Self(None)),
            text => text.parse().map(|hotkey| Self(Some(hotkey))).map_err(values::refuse),
        }
    }
}

/// The hotkeys that the user chose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hotkeys {
    /// The commands whose hotkeys also work while another window has the keyboard focus.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", deserialize_with = "names")]
    pub other_windows: BTreeSet<String>,
    /// The hotkeys by the names of commands. Commands without an entry have their default hotkey.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "keys")]
    pub keys: BTreeMap<String, ChosenHotkey>,
}

fn names<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeSet<String>, D::Error> {
    let names = BTreeSet::<String>::deserialize(from)?;
    Ok(names.into_iter().take(MAX_HOTKEYS).collect())
}

fn keys<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, ChosenHotkey>, D::Error> {
    let keys = BTreeMap::<String, ChosenHotkey>::deserialize(from)?;
    Ok(keys.into_iter().take(MAX_HOTKEYS).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::Settings;

    #[test]
    fn hotkeys_are_read_as_they_are_written() {
        for text in ["Ctrl+L", "M", "F1", "Ctrl+Alt+Shift+F12", "Ctrl+Comma", "Alt+1"] {
            assert_eq!(text.parse::<Hotkey>().unwrap().to_string(), text);
        }
        assert_eq!(
            "control + alt+pageup".parse::<Hotkey>().unwrap().to_string(),
            "Ctrl+Alt+PageUp"
        );
        // These navigate in the window, copy or paste, or are not keys.
        for text in ["", "+", "Ctrl+", "Tab", "Escape", "Space", "Ctrl+C", "Hyper+A", "Ctrl+L+M"] {
            assert!(text.parse::<Hotkey>().is_err(), "{text}");
        }
    }

    #[test]
    fn hotkeys_that_type_are_distinguished_from_others() {
        let of = |text: &str| text.parse::<Hotkey>().unwrap();
        assert!(of("M").types() && of("Shift+M").types() && of("M").edits());
        assert!(!of("F1").types() && !of("Ctrl+M").edits() && !of("F1").edits());
        assert!(of("Ctrl+Z").edits() && !of("Ctrl+Z").types());
    }

    #[test]
    fn a_bad_hotkey_is_reported_and_the_default_one_remains() {
        let (settings, warnings) = Settings::parse(
            "[hotkeys]\nother_windows = ['mute']\n[hotkeys.keys]\nmute = 'Ctrl+Alt+M'\n\
             record = 'none'\ngo-live = 'Hyper+L'\n",
        );
        let hotkeys = settings.preferences.hotkeys;
        assert_eq!(hotkeys.keys["mute"], ChosenHotkey("Ctrl+Alt+M".parse().ok()));
        assert_eq!(hotkeys.keys["record"], ChosenHotkey(None));
        assert!(!hotkeys.keys.contains_key("go-live") && hotkeys.other_windows.contains("mute"));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].to_string().contains("hotkeys.keys.go-live"), "{warnings:?}");
    }
}
