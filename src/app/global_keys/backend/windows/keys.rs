//! The virtual-key codes of Windows (*Virtual-Key Codes*) of the keys for hotkeys and push-to-talk.

use windows_sys::Win32::UI::Input::KeyboardAndMouse::VkKeyScanW;

use crate::studio::PushToTalkKey;

/// Keys that are the same on every keyboard.
const KEYS: [(&str, u32); 14] = [
    ("Backspace", 0x08),
    ("Enter", 0x0d),
    ("Pause", 0x13),
    ("Space", 0x20),
    ("PageUp", 0x21),
    ("PageDown", 0x22),
    ("End", 0x23),
    ("Home", 0x24),
    ("Left", 0x25),
    ("Up", 0x26),
    ("Right", 0x27),
    ("Down", 0x28),
    ("Insert", 0x2d),
    ("Delete", 0x2e),
];

/// Signs, whose keys depend on the keyboard layout, with the code on the numeric keypad.
const SIGNS: [(&str, char, Option<u32>); 13] = [
    ("Plus", '+', Some(0x6b)),
    ("Comma", ',', None),
    ("Minus", '-', Some(0x6d)),
    ("Period", '.', Some(0x6e)),
    ("Slash", '/', Some(0x6f)),
    ("Colon", ':', None),
    ("Semicolon", ';', None),
    ("Equals", '=', None),
    ("OpenBracket", '[', None),
    ("Backslash", '\\', None),
    ("CloseBracket", ']', None),
    ("Backtick", '`', None),
    ("Quote", '\'', None),
];

/// The code of F1, minus one.
const BEFORE_F1: u32 = 0x6f;
/// The code of the keypad's 0.
const KEYPAD_0: u32 = 0x60;

/// Returns the codes of the keys with this name, which is none if the keyboard has no such key. `shift` is true if Shift
/// is held.
pub(super) fn codes(name: &str, shift: bool) -> Vec<u32> {
    if let Some((_, code)) = KEYS.iter().find(|(known, _)| *known == name) {
        return vec![*code];
    }
    if let Some((_, sign, keypad)) = SIGNS.iter().find(|(known, ..)| *known == name) {
        return code_of_sign(*sign, shift).into_iter().chain(*keypad).collect();
    }
    match *name.as_bytes() {
        [digit @ b'0'..=b'9'] => {
            let digit = u32::from(digit);
            vec![digit, KEYPAD_0 + digit - u32::from(b'0')]
        }
        [letter @ b'A'..=b'Z'] => vec![letter.into()],
        _ => {
            let number = name.strip_prefix('F').and_then(|number| number.parse().ok());
            let number = number.filter(|number| (1..=23).contains(number));
            number.map(|number: u32| BEFORE_F1 + number).into_iter().collect()
        }
    }
}

/// Returns the code of the key that gives this sign with Shift or without, if the keyboard layout has one.
fn code_of_sign(sign: char, shift: bool) -> Option<u32> {
    // SAFETY: a plain call. The upper byte has the modifiers: Shift is 1. All bits are set without such a key.
    let found = unsafe { VkKeyScanW(sign as u16) }.cast_unsigned();
    (found >> 8 == u16::from(shift)).then_some(u32::from(found & 0xff))
}

/// Returns the code of a mouse button.
pub(super) fn button(key: PushToTalkKey) -> Option<u32> {
    Some(match key.button()? {
        3 => 0x04,
        4 => 0x05,
        5 => 0x06,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::settings::hotkeys::Hotkey;

    #[test]
    fn every_key_has_a_code_and_digits_have_two() {
        for name in Hotkey::keys().chain(PushToTalkKey::NAMES) {
            let key = PushToTalkKey::named(name).and_then(button);
            let found = [false, true].map(|shift| codes(name, shift)).concat();
            assert!(key.is_some() || !found.is_empty(), "{name}");
        }
        assert_eq!(codes("G", false), [0x47]);
        assert_eq!(codes("7", true), [0x37, 0x67]);
        assert_eq!(codes("F23", false), [0x86]);
        assert!(codes("F24", false).is_empty() && codes("Meta", false).is_empty());
    }
}
