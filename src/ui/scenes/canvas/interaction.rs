//! The work with a browser page on the canvas: what is held and pressed, and what the keyboard does. Pure: the
//! events come from `interact`.

use egui::{Event, ImeEvent, Key, Modifiers, Pos2};

use crate::capture::browser::{HeldKeys, PageInput, PageKey, PointerButton, PointerPress};
use crate::compose::scene::{ItemId, SourceId};

/// Longest time between the presses of a double click, in seconds.
const DOUBLE_CLICK_SECONDS: f64 = 0.4;
/// Greatest distance between them, in pixels of the page.
const DOUBLE_CLICK_PIXELS: f32 = 6.0;

/// The page that the user works with.
#[derive(Clone, Debug)]
pub struct Interaction {
    pub item: ItemId,
    /// True after the canvas got the keyboard focus.
    pub focused: bool,
    /// True while the page gets the keys.
    pub takes_keys: bool,
    /// The page, and the last place there that the pointer had.
    pub place: Option<(SourceId, (f32, f32))>,
    /// The buttons that are held on the page.
    pub held: Vec<PointerButton>,
    /// The last press: its time, place and count.
    pub last: Option<(f64, PointerButton, (f32, f32), u8)>,
    /// The pointer in the window.
    pub pointer: Option<Pos2>,
}

impl Interaction {
    pub const fn new(item: ItemId) -> Self {
        Self {
            item,
            focused: false,
            takes_keys: false,
            place: None,
            held: Vec::new(),
            last: None,
            pointer: None,
        }
    }

    /// Returns the number of presses in a row, including this one.
    pub fn presses(&mut self, now: f64, button: PointerButton, at: (f32, f32)) -> u8 {
        let near = |it: (f32, f32)| (it.0 - at.0).hypot(it.1 - at.1) <= DOUBLE_CLICK_PIXELS;
        let count = match self.last {
            Some((then, of, place, count))
                if of == button && now - then <= DOUBLE_CLICK_SECONDS && near(place) =>
            {
                count % 3 + 1
            }
            _ => 1,
        };
        self.last = Some((now, button, at, count));
        count
    }
}

impl Interaction {
    /// Returns what ends the work with the page: held buttons are released where the pointer was last.
    pub fn release(self) -> Option<(SourceId, Vec<PageInput>)> {
        let (source, at) = self.place?;
        let up = |button| {
            let (press, keys) = (PointerPress::Up(button, 1), HeldKeys::default());
            PageInput::Pointer { at, press, keys }
        };
        Some((source, self.held.into_iter().map(up).collect()))
    }
}

/// Adds what the keyboard does. Characters come as texts, which depend on the keyboard.
pub fn of_keyboard(event: &Event, inputs: &mut Vec<PageInput>) {
    let mut press = |key: Option<PageKey>, ctrl: bool| {
        let keys = HeldKeys { ctrl, ..HeldKeys::default() };
        let both = [true, false];
        inputs.extend(
            key.into_iter().flat_map(|key| both.map(|down| PageInput::Key { key, down, keys })),
        );
    };
    match event {
        // egui turns these keys into what they usually mean.
        Event::Copy => press(PageKey::named("c"), true),
        Event::Cut => press(PageKey::named("x"), true),
        Event::Key { key: Key::Escape, .. } => {}
        Event::Key { key, pressed, modifiers, .. } => {
            let down = *pressed;
            let keys = held(*modifiers);
            inputs.extend(page_key(*key).map(|key| PageInput::Key { key, down, keys }));
        }
        Event::Text(text) | Event::Paste(text) | Event::Ime(ImeEvent::Commit(text)) => {
            inputs.push(PageInput::Text(text.clone()));
        }
        _ => {}
    }
}

pub const fn held(modifiers: Modifiers) -> HeldKeys {
    let Modifiers { alt, ctrl, shift, mac_cmd, .. } = modifiers;
    HeldKeys { alt, ctrl, shift, meta: mac_cmd }
}

/// Returns the key that the standard for pages knows by another name.
fn page_key(key: Key) -> Option<PageKey> {
    PageKey::named(match key {
        Key::ArrowDown => "ArrowDown",
        Key::ArrowUp => "ArrowUp",
        Key::ArrowLeft => "ArrowLeft",
        Key::ArrowRight => "ArrowRight",
        Key::Equals => "Equal",
        Key::OpenBracket => "BracketLeft",
        Key::CloseBracket => "BracketRight",
        Key::Backtick => "Backquote",
        other => other.name(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_page_has_a_name_in_the_window() {
        for key in [Key::A, Key::Num7, Key::Space, Key::Enter, Key::Tab, Key::Equals, Key::F12] {
            assert!(page_key(key).is_some(), "{key:?}");
        }
    }
}
