//! The push-to-talk key, which can be a mouse button.

/// A key, by its name in the settings file.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PushToTalkKey(&'static str);

impl PushToTalkKey {
    /// The allowed keys: none that navigate or delete, and no modifiers. The middle, back and
    /// forward mouse buttons are also allowed, by their usual numbers.
    #[rustfmt::skip]
    pub const NAMES: [&'static str; 69] = [
        "Space", "Backtick", "Insert", "Home", "End", "PageUp", "PageDown",
        "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
        "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F23",
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
        "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
        "mouse-3", "mouse-4", "mouse-5",
    ];

    /// Returns the key with this name, if it is allowed.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| *known == name).map(Self)
    }

    /// Returns the number of a mouse button: 3 middle, 4 back, 5 forward.
    pub fn button(self) -> Option<u8> {
        self.0.strip_prefix("mouse-")?.parse().ok()
    }

    /// Returns the name of the key.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Default for PushToTalkKey {
    fn default() -> Self {
        Self("Space")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_names_and_others_are_none() {
        for name in PushToTalkKey::NAMES {
            assert_eq!(PushToTalkKey::named(name).map(PushToTalkKey::name), Some(name));
            let button = PushToTalkKey::named(name).and_then(PushToTalkKey::button);
            assert_eq!(button.is_some(), name.starts_with("mouse"), "{name}");
        }
        assert_eq!(
            PushToTalkKey::named(PushToTalkKey::default().name()),
            Some(PushToTalkKey::default())
        );
        for name in ["", "space", "Tab", "Escape", "Enter", "Delete", "Space ", "mouse-1"] {
            assert_eq!(PushToTalkKey::named(name), None, "{name}");
        }
    }
}
