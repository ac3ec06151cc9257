//! What the user does on a page with mouse and keyboard, and its way to the page's process.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

/// Maximum number of inputs that wait. The oldest is discarded, because the page hangs.
const MAX_WAITING: usize = 256;
/// Maximum length of a text in bytes.
const MAX_TEXT: usize = 16 << 10;

/// An input for a page. Positions are in pixels of the page.
#[derive(Clone, Debug, PartialEq)]
pub enum PageInput {
    /// The pointer moves, or a button is pressed or released there.
    Pointer { at: (f32, f32), press: PointerPress, keys: HeldKeys },
    /// The wheel turns by this number of pixels.
    Wheel { at: (f32, f32), by: (f32, f32), keys: HeldKeys },
    /// A key is pressed or released.
    Key { key: PageKey, down: bool, keys: HeldKeys },
    /// A text is typed or pasted.
    Text(String),
}

/// What the pointer does.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PointerPress {
    Move,
    /// The count is 2 for the second press of a double click.
    Down(PointerButton, u8),
    Up(PointerButton, u8),
}

/// A button of the mouse.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PointerButton {
    Left,
    Middle,
    Right,
}

impl PointerButton {
    const ALL: [Self; 3] = [Self::Left, Self::Middle, Self::Right];

    /// Returns the name in the DevTools protocol and in commands.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Middle => "middle",
            Self::Right => "right",
        }
    }

    /// Returns the button with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The keys that are held during an input.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldKeys {
    pub alt: bool,
    pub ctrl: bool,
    pub meta: bool,
    pub shift: bool,
}

impl HeldKeys {
    /// Returns the bits of the DevTools protocol.
    pub(super) const fn bits(self) -> u8 {
        self.alt as u8 | (self.ctrl as u8) << 1 | (self.meta as u8) << 2 | (self.shift as u8) << 3
    }

    const fn of_bits(bits: u8) -> Self {
        Self { alt: bits & 1 != 0, ctrl: bits & 2 != 0, meta: bits & 4 != 0, shift: bits & 8 != 0 }
    }
}

/// A key of the keyboard that a page can receive.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct PageKey {
    /// The name of the key in the standard for pages, which is also that in commands.
    pub(super) name: &'static str,
    /// The name of its place on the keyboard.
    pub(super) place: &'static str,
    /// The number of the key in Windows, which pages still read.
    pub(super) number: u8,
    /// The text that only this key enters.
    pub(super) text: &'static str,
}

const fn key(name: &'static str, number: u8, text: &'static str) -> PageKey {
    PageKey { name, place: name, number, text }
}

const fn sign(name: &'static str, place: &'static str, number: u8) -> PageKey {
    PageKey { name, place, number, text: "" }
}

/// The keys. The number of a letter or digit is its upper-case code.
const KEYS: &[PageKey] = &[
    key("Backspace", 8, ""),
    key("Tab", 9, ""),
    key("Enter", 13, "\r"),
    key("Escape", 27, ""),
    sign(" ", "Space", 32),
    key("PageUp", 33, ""),
    key("PageDown", 34, ""),
    key("End", 35, ""),
    key("Home", 36, ""),
    key("ArrowLeft", 37, ""),
    key("ArrowUp", 38, ""),
    key("ArrowRight", 39, ""),
    key("ArrowDown", 40, ""),
    key("Insert", 45, ""),
    key("Delete", 46, ""),
    sign("0", "Digit0", b'0'),
    sign("1", "Digit1", b'1'),
    sign("2", "Digit2", b'2'),
    sign("3", "Digit3", b'3'),
    sign("4", "Digit4", b'4'),
    sign("5", "Digit5", b'5'),
    sign("6", "Digit6", b'6'),
    sign("7", "Digit7", b'7'),
    sign("8", "Digit8", b'8'),
    sign("9", "Digit9", b'9'),
    sign("a", "KeyA", b'A'),
    sign("b", "KeyB", b'B'),
    sign("c", "KeyC", b'C'),
    sign("d", "KeyD", b'D'),
    sign("e", "KeyE", b'E'),
    sign("f", "KeyF", b'F'),
    sign("g", "KeyG", b'G'),
    sign("h", "KeyH", b'H'),
    sign("i", "KeyI", b'I'),
    sign("j", "KeyJ", b'J'),
    sign("k", "KeyK", b'K'),
    sign("l", "KeyL", b'L'),
    sign("m", "KeyM", b'M'),
    sign("n", "KeyN", b'N'),
    sign("o", "KeyO", b'O'),
    sign("p", "KeyP", b'P'),
    sign("q", "KeyQ", b'Q'),
    sign("r", "KeyR", b'R'),
    sign("s", "KeyS", b'S'),
    sign("t", "KeyT", b'T'),
    sign("u", "KeyU", b'U'),
    sign("v", "KeyV", b'V'),
    sign("w", "KeyW", b'W'),
    sign("x", "KeyX", b'X'),
    sign("y", "KeyY", b'Y'),
    sign("z", "KeyZ", b'Z'),
    key("F1", 112, ""),
    key("F2", 113, ""),
    key("F3", 114, ""),
    key("F4", 115, ""),
    key("F5", 116, ""),
    key("F6", 117, ""),
    key("F7", 118, ""),
    key("F8", 119, ""),
    key("F9", 120, ""),
    key("F10", 121, ""),
    key("F11", 122, ""),
    key("F12", 123, ""),
    sign(";", "Semicolon", 186),
    sign("=", "Equal", 187),
    sign(",", "Comma", 188),
    sign("-", "Minus", 189),
    sign(".", "Period", 190),
    sign("/", "Slash", 191),
    sign("`", "Backquote", 192),
    sign("[", "BracketLeft", 219),
    sign("\\", "Backslash", 220),
    sign("]", "BracketRight", 221),
    sign("'", "Quote", 222),
];

impl PageKey {
    /// Returns the key with this name, such as `Enter` or `a`, or with this place, such as `Space`.
    pub fn named(name: &str) -> Option<Self> {
        let is_it = |key: &&Self| {
            key.name.eq_ignore_ascii_case(name) || key.place.eq_ignore_ascii_case(name)
        };
        KEYS.iter().find(is_it).copied()
    }
}

impl PageInput {
    /// Returns the input with a text in bounded length.
    fn bounded(self) -> Self {
        match self {
            Self::Text(mut text) if text.len() > MAX_TEXT => {
                let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end));
                text.truncate(end.unwrap_or(0));
                Self::Text(text)
            }
            other => other,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Pointer { at, press, keys } => {
                let (does, button, count) = match press {
                    PointerPress::Move => ("move", "", 0),
                    PointerPress::Down(button, count) => ("down", button.name(), *count),
                    PointerPress::Up(button, count) => ("up", button.name(), *count),
                };
                json!({ "pointer": does, "button": button, "count": count, "at": [at.0, at.1],
                        "keys": keys.bits() })
            }
            Self::Wheel { at, by, keys } => {
                json!({ "wheel": [by.0, by.1], "at": [at.0, at.1], "keys": keys.bits() })
            }
            Self::Key { key, down, keys } => {
                json!({ "key": key.name, "down": down, "keys": keys.bits() })
            }
            Self::Text(text) => json!({ "text": text }),
        }
    }

    pub(super) fn of_json(value: &Value) -> Option<Self> {
        let keys = value.get("keys").and_then(Value::as_u64).unwrap_or_default();
        let keys = HeldKeys::of_bits(u8::try_from(keys).ok()?);
        let pair = |name: &str| {
            let number = |index: usize| Some(value.get(name)?.get(index)?.as_f64()? as f32);
            Some((number(0)?, number(1)?))
        };
        if let Some(text) = value.get("text").and_then(Value::as_str) {
            return Some(Self::Text(text.to_owned()));
        }
        if let Some(name) = value.get("key").and_then(Value::as_str) {
            let down = value.get("down")?.as_bool()?;
            return Some(Self::Key { key: PageKey::named(name)?, down, keys });
        }
        if let Some(by) = pair("wheel") {
            return Some(Self::Wheel { at: pair("at")?, by, keys });
        }
        let button = || PointerButton::named(value.get("button")?.as_str()?);
        let count = || u8::try_from(value.get("count")?.as_u64()?).ok();
        let press = match value.get("pointer")?.as_str()? {
            "move" => PointerPress::Move,
            "down" => PointerPress::Down(button()?, count()?),
            "up" => PointerPress::Up(button()?, count()?),
            _ => return None,
        };
        Some(Self::Pointer { at: pair("at")?, press, keys })
    }

    const fn is_move(&self) -> bool {
        matches!(self, Self::Pointer { press: PointerPress::Move, .. })
    }
}

/// The inputs of a page that its thread has not passed on yet, in order: the queue `page-input`.
#[derive(Clone, Debug, Default)]
pub struct PageInputs(Arc<Mutex<VecDeque<PageInput>>>);

impl PartialEq for PageInputs {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl PageInputs {
    /// Adds an input. A movement replaces the one before it.
    pub fn push(&self, input: PageInput) {
        let mut waiting = self.0.lock();
        if input.is_move() && waiting.back().is_some_and(PageInput::is_move) {
            waiting.pop_back();
        }
        if waiting.len() >= MAX_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(input.bounded());
    }

    /// Takes all inputs.
    pub(super) fn take(&self) -> VecDeque<PageInput> {
        std::mem::take(&mut *self.0.lock())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(x: f32) -> PageInput {
        PageInput::Pointer { at: (x, 1.0), press: PointerPress::Move, keys: HeldKeys::default() }
    }

    #[test]
    fn movements_in_a_row_are_one_and_a_full_queue_forgets_the_oldest() {
        let inputs = PageInputs::default();
        inputs.push(moved(1.0));
        inputs.push(moved(2.0));
        inputs.push(PageInput::Text("a".into()));
        assert_eq!(inputs.take(), [moved(2.0), PageInput::Text("a".into())]);
        for number in 0..MAX_WAITING + 3 {
            inputs.push(PageInput::Text(number.to_string()));
        }
        let all = inputs.take();
        assert_eq!((all.len(), &all[0]), (MAX_WAITING, &PageInput::Text("3".into())));
        inputs.push(PageInput::Text("ä".repeat(MAX_TEXT)));
        assert!(matches!(&inputs.take()[0], PageInput::Text(text) if text.len() <= MAX_TEXT));
    }

    #[test]
    fn keys_have_names_and_places() {
        for (name, place, number) in
            [("a", "KeyA", 65), ("Enter", "Enter", 13), ("space", "Space", 32), ("F5", "F5", 116)]
        {
            let key = PageKey::named(name).unwrap();
            assert_eq!((key.place, key.number), (place, number), "{name}");
        }
        assert_eq!(PageKey::named("ä"), None);
        for key in KEYS {
            assert_eq!(PageKey::named(key.name), Some(*key));
        }
    }
}
