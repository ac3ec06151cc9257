//! The X11 and xkbcommon names (`keysymdef.h`) of the keys for hotkeys and for push-to-talk, and
//! the codes of these keys on X11.

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
pub(in crate::app::global_keys) fn key(name: &str) -> Option<(String, u32)> {
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

/// Keys that are also on the numeric keypad, and the keypad's keysyms.
const KEYPAD_KEYS: [(&str, u32); 15] = [
    ("Enter", 0xff8d),
    ("Home", 0xff95),
    ("Left", 0xff96),
    ("Up", 0xff97),
    ("Right", 0xff98),
    ("Down", 0xff99),
    ("PageUp", 0xff9a),
    ("PageDown", 0xff9b),
    ("End", 0xff9c),
    ("Insert", 0xff9e),
    ("Delete", 0xff9f),
    ("Plus", 0xffab),
    ("Minus", 0xffad),
    ("Period", 0xffae),
    ("Slash", 0xffaf),
];
/// The keysym of the keypad's 0.
const KEYPAD_0: u32 = 0xffb0;
/// The X11 code of F13 is this number plus 13; the other function keys follow (Linux `KEY_F13`).
const CODE_BEFORE_F13: u8 = 178;

/// Returns the keysym that this key has on the numeric keypad.
fn keypad(name: &str) -> Option<u32> {
    match *name.as_bytes() {
        [digit @ b'0'..=b'9'] => Some(KEYPAD_0 + u32::from(digit - b'0')),
        _ => KEYPAD_KEYS.iter().find(|(known, _)| *known == name).map(|(_, symbol)| *symbol),
    }
}

/// A key of the keyboard.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::app::global_keys) struct KeyCode {
    pub(in crate::app::global_keys) code: u8,
    /// The state of Num Lock in which the key has its symbol; `None` for both states.
    pub(in crate::app::global_keys) num_lock: Option<bool>,
}

impl KeyCode {
    /// Returns true if the key has its symbol in this state of Num Lock.
    pub(in crate::app::global_keys) fn works_with(self, num_lock: bool) -> bool {
        self.num_lock.is_none_or(|wanted| wanted == num_lock)
    }
}

/// Returns the keys with this name on a keyboard. `mapping` has the codes, each with its keysyms
/// (X11 protocol, *Keyboards*). `shift` is true if Shift is held.
pub(in crate::app::global_keys) fn codes<'a>(
    mapping: impl Iterator<Item = (u8, &'a [u32])> + Clone,
    name: &str,
    shift: bool,
) -> Vec<KeyCode> {
    let Some((_, symbol)) = key(name) else { return Vec::new() };
    let with = |is: &dyn Fn(&[u32]) -> bool| -> Vec<KeyCode> {
        let keys = mapping.clone().filter(|(_, symbols)| is(symbols));
        keys.map(|(code, _)| KeyCode { code, num_lock: None }).collect()
    };
    // The first and third symbols are those of two layouts without Shift.
    let mut found = with(&|symbols| symbols.iter().take(4).step_by(2).any(|it| *it == symbol));
    // Digits that need Shift also work without it, as in the window; other signs do not.
    if found.is_empty() && (shift || !matches!(name, "Plus" | "Colon")) {
        found = with(&|symbols| symbols.contains(&symbol));
    }
    if let Some(pad) = keypad(name) {
        for (code, symbols) in mapping.clone() {
            // Without a symbol for Num Lock, a key ignores it.
            let first = symbols.first().copied().unwrap_or_default();
            let second = symbols.get(1).copied().filter(|it| *it != 0).unwrap_or(first);
            let num_lock = match [first, second].map(|it| it == pad) {
                [true, true] => None,
                [off, on] if off || on => Some(on),
                _ => continue,
            };
            found.push(KeyCode { code, num_lock });
        }
    }
    // Many layouts give other symbols to these keys, such as XF86Tools.
    let number = name.strip_prefix('F').and_then(|number| number.parse::<u8>().ok());
    if let Some(number) = number.filter(|it| found.is_empty() && (13..=23).contains(it)) {
        let key = KeyCode { code: CODE_BEFORE_F13 + number, num_lock: None };
        found.extend(mapping.map(|(code, _)| code).any(|it| it == key.code).then_some(key));
    }
    found
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

    #[test]
    fn keys_are_found_on_the_keypad_and_without_a_symbol() {
        // Keys of the layout *us*: 1, =, the keypad's plus, 1 and 0, F13 as XF86Tools, and F19.
        let keys: [(u8, &[u32]); 7] = [
            (10, &[0x31, 0x21, 0x31, 0x21]),
            (21, &[0x3d, 0x2b, 0x3d, 0x2b]),
            (86, &[0xffab, 0, 0xffab, 0]),
            (87, &[0xff9c, 0xffb1, 0xff9c, 0xffb1]),
            (90, &[0xff9e, 0xffb0, 0xff9e, 0xffb0]),
            (191, &[0x1008_ff81, 0, 0x1008_ff81, 0]),
            (197, &[0xffd0, 0, 0xffd0, 0]),
        ];
        let of = |name: &str, shift| -> Vec<(u8, Option<bool>)> {
            let found = codes(keys.into_iter(), name, shift);
            found.iter().map(|key| (key.code, key.num_lock)).collect()
        };
        assert_eq!(of("1", false), [(10, None), (87, Some(true))]);
        assert_eq!(of("End", false), [(87, Some(false))]);
        // Ctrl+Plus must not grab Ctrl+=.
        assert_eq!(of("Plus", false), [(86, None)]);
        assert_eq!(of("Plus", true), [(21, None), (86, None)]);
        assert_eq!(of("Equals", false), [(21, None)]);
        assert_eq!((of("F13", false), of("F19", false)), (vec![(191, None)], vec![(197, None)]));
        // This keyboard has neither key.
        assert!(of("F14", false).is_empty() && of("M", false).is_empty());
        // Digits that need Shift, as in the layout *fr*.
        let keys: [(u8, &[u32]); 1] = [(10, &[0x26, 0x31])];
        assert_eq!(codes(keys.into_iter(), "1", false).len(), 1);
    }
}
