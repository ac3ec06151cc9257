//! The X11 and xkbcommon names (`keysymdef.h`) of the keys for hotkeys and for push-to-talk.

/// Keys whose xkbcommon name differs: onair's name, xkbcommon name, keysym.
const RENAMED_KEYS: [(&str, &str, u32); 27] = [
    ("Space", "space", 0x20),
    ("Quote", "apostrophe", 0x27),
    ("Plus", "plus", 0x2b),
    ("Comma", "comma", 0x2c),
    ("Minus", "minus", 0x2d),
    ("Period", "period", 0x2e),
    ("Slash", "slash", 0x2f),
    ("Colon", "colon", 0x3a),
    ("Semicolon", "semicolon", 0x3b),
    ("Equals", "equal", 0x3d),
    ("OpenBracket", "bracketleft", 0x5b),
    ("Backslash", "backslash", 0x5c),
    ("CloseBracket", "bracketright", 0x5d),
    ("Backtick", "grave", 0x60),
    ("Backspace", "BackSpace", 0xff08),
    ("Enter", "Return", 0xff0d),
    ("Pause", "Pause", 0xff13),
    ("Home", "Home", 0xff50),
    ("Left", "Left", 0xff51),
    ("Up", "Up", 0xff52),
    ("Right", "Right", 0xff53),
    ("Down", "Down", 0xff54),
    ("PageUp", "Page_Up", 0xff55),
    ("PageDown", "Page_Down", 0xff56),
    ("End", "End", 0xff57),
    ("Insert", "Insert", 0xff63),
    ("Delete", "Delete", 0xffff),
];

/// The keysym of F1, minus one.
const KEYSYM_BEFORE_F1: u32 = 0xffbd;

/// Returns a key's xkbcommon name and its keysym, or `None` if `name` is not a key.
pub(super) fn key(name: &str) -> Option<(String, u32)> {
    if let Some((_, xkb, symbol)) = RENAMED_KEYS.iter().find(|(known, ..)| *known == name) {
        return Some(((*xkb).to_owned(), *symbol));
    }
    if let [sign] = *name.as_bytes()
        && sign.is_ascii_alphanumeric()
    {
        let sign = sign.to_ascii_lowercase();
        return Some((char::from(sign).to_string(), u32::from(sign)));
    }
    let number: u32 = name.strip_prefix('F')?.parse().ok()?;
    (1..=23).contains(&number).then(|| (name.to_owned(), KEYSYM_BEFORE_F1 + number))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::PushToTalkKey;
    use crate::studio::settings::hotkeys::Hotkey;

    #[test]
    fn every_key_has_its_symbol_and_no_button_has() {
        let mut symbols: Vec<u32> = Hotkey::keys().map(|name| key(name).unwrap().1).collect();
        let count = symbols.len();
        symbols.sort_unstable();
        symbols.dedup();
        assert_eq!(symbols.len(), count);
        for name in PushToTalkKey::NAMES {
            assert_eq!(key(name).is_none(), name.starts_with("mouse"), "{name}");
        }
        let symbol = |name| key(name).map(|it| it.1);
        assert_eq!(
            [symbol("A"), symbol("9"), symbol("F1"), symbol("F12")],
            [Some(0x61), Some(0x39), Some(0xffbe), Some(0xffc9)]
        );
        assert_eq!(symbol("F24"), None);
    }
}
