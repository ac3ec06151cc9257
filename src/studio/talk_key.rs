//! The key that is held down to talk, as strips listen to one.

/// A key by the name that the settings file has for it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct TalkKey(&'static str);

impl TalkKey {
    /// The keys that may be chosen: none that moves through the window, deletes, or holds another.
    #[rustfmt::skip]
    pub const NAMES: [&'static str; 66] = [
        "Space", "Backtick", "Insert", "Home", "End", "PageUp", "PageDown",
        "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
        "F13", "F14", "F15", "F16", "F17", "F18", "F19", "F20", "F21", "F22", "F23",
        "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
        "N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z",
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
    ];

    /// The key of this name, if it may be chosen.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|known| *known == name).map(Self)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl Default for TalkKey {
    fn default() -> Self {
        Self("Space")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_known_by_their_names_and_others_are_none() {
        for name in TalkKey::NAMES {
            assert_eq!(TalkKey::named(name).map(TalkKey::name), Some(name));
        }
        assert_eq!(TalkKey::named(TalkKey::default().name()), Some(TalkKey::default()));
        for name in ["", "space", "Tab", "Escape", "Enter", "Delete", "Space "] {
            assert_eq!(TalkKey::named(name), None, "{name}");
        }
    }
}
