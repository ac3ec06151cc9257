//! Turns inputs of the user into commands of the DevTools protocol.

use serde_json::{Value, json};

use crate::capture::browser::input::{PageInput, PointerButton, PointerPress};
use crate::media::Size;

/// Remembers which buttons of the mouse are held, which every movement repeats.
#[derive(Debug, Default)]
pub(super) struct Hands {
    held: u8,
}

const fn bit(button: PointerButton) -> u8 {
    match button {
        PointerButton::Left => 1,
        PointerButton::Right => 2,
        PointerButton::Middle => 4,
    }
}

/// Returns a position that is on the page.
fn on_page(at: (f32, f32), size: Size) -> (f32, f32) {
    let inside = |at: f32, side: u32| {
        let at = if at.is_finite() { at } else { 0.0 };
        at.clamp(0.0, (side.max(1) - 1) as f32)
    };
    (inside(at.0, size.width), inside(at.1, size.height))
}

impl Hands {
    /// Returns the command for an input on a page of this size, with its method.
    pub fn command(&mut self, input: &PageInput, size: Size) -> (&'static str, Value) {
        match input {
            PageInput::Pointer { at, press, keys } => {
                let (kind, button, count) = match press {
                    PointerPress::Move => ("mouseMoved", None, 0),
                    PointerPress::Down(button, count) => {
                        self.held |= bit(*button);
                        ("mousePressed", Some(*button), *count)
                    }
                    PointerPress::Up(button, count) => {
                        self.held &= !bit(*button);
                        ("mouseReleased", Some(*button), *count)
                    }
                };
                let moving = || {
                    let all = [PointerButton::Left, PointerButton::Right, PointerButton::Middle];
                    all.into_iter().find(|button| self.held & bit(*button) != 0)
                };
                let button = button.or_else(moving).map_or("none", PointerButton::name);
                let (x, y) = on_page(*at, size);
                let params = json!({
                    "type": kind, "x": x, "y": y, "button": button, "buttons": self.held,
                    "clickCount": count, "modifiers": keys.bits(),
                });
                ("Input.dispatchMouseEvent", params)
            }
            PageInput::Wheel { at, by, keys } => {
                let (x, y) = on_page(*at, size);
                let turned =
                    |by: f32| if by.is_finite() { by.clamp(-10_000.0, 10_000.0) } else { 0.0 };
                let params = json!({
                    "type": "mouseWheel", "x": x, "y": y, "button": "none",
                    "buttons": self.held, "deltaX": turned(by.0), "deltaY": turned(by.1),
                    "modifiers": keys.bits(),
                });
                ("Input.dispatchMouseEvent", params)
            }
            PageInput::Key { key, down, keys } => {
                let kind = match (down, key.text.is_empty()) {
                    (false, _) => "keyUp",
                    // The text of other keys depends on the keyboard, and comes separately.
                    (true, true) => "rawKeyDown",
                    (true, false) => "keyDown",
                };
                let mut params = json!({
                    "type": kind, "key": key.name, "code": key.place,
                    "windowsVirtualKeyCode": key.number, "nativeVirtualKeyCode": key.number,
                    "modifiers": keys.bits(),
                });
                if *down
                    && !key.text.is_empty()
                    && let Some(params) = params.as_object_mut()
                {
                    params.insert("text".to_owned(), key.text.into());
                }
                ("Input.dispatchKeyEvent", params)
            }
            PageInput::Text(text) => {
                let mut characters = text.chars();
                match (characters.next(), characters.next()) {
                    // A page that listens to keys hears a single character.
                    (Some(only), None) if !only.is_control() => {
                        ("Input.dispatchKeyEvent", json!({ "type": "char", "text": text }))
                    }
                    _ => ("Input.insertText", json!({ "text": text })),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::browser::input::{HeldKeys, PageKey};

    #[test]
    fn a_movement_with_a_held_button_is_a_drag_on_the_page() {
        let size = Size::new(320, 180);
        let mut hands = Hands::default();
        let mut pointer = |press, at| {
            let keys = HeldKeys { shift: true, ..HeldKeys::default() };
            hands.command(&PageInput::Pointer { at, press, keys }, size).1
        };
        let down = pointer(PointerPress::Down(PointerButton::Left, 1), (10.0, 20.0));
        assert_eq!((&down["type"], &down["buttons"]), (&"mousePressed".into(), &1.into()));
        assert_eq!((&down["modifiers"], &down["clickCount"]), (&8.into(), &1.into()));
        let drag = pointer(PointerPress::Move, (9_999.0, f32::NAN));
        assert_eq!((&drag["button"], &drag["buttons"]), (&"left".into(), &1.into()));
        assert_eq!((drag["x"].as_f64(), drag["y"].as_f64()), (Some(319.0), Some(0.0)));
        let up = pointer(PointerPress::Up(PointerButton::Left, 1), (0.0, 0.0));
        assert_eq!(up["buttons"], 0);
        assert_eq!(pointer(PointerPress::Move, (0.0, 0.0))["button"], "none");
    }

    #[test]
    fn keys_with_their_own_text_type_it() {
        let mut hands = Hands::default();
        let size = Size::new(32, 32);
        let mut press = |name: &str, down| {
            let key = PageKey::named(name).unwrap();
            let input = PageInput::Key { key, down, keys: HeldKeys::default() };
            hands.command(&input, size).1
        };
        assert_eq!(
            (&press("Enter", true)["text"], &press("a", true)["text"]),
            (&"\r".into(), &Value::Null)
        );
        assert_eq!(
            (&press("a", true)["type"], &press("a", false)["type"]),
            (&"rawKeyDown".into(), &"keyUp".into())
        );
        let mut text = |text: &str| hands.command(&PageInput::Text(text.into()), size).0;
        assert_eq!(
            (text("ä"), text("ab"), text("\n")),
            ("Input.dispatchKeyEvent", "Input.insertText", "Input.insertText")
        );
    }
}
