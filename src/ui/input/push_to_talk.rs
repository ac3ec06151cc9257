//! The state of the push-to-talk key or mouse button, while a strip uses it.

use egui::{Context, Event, Key, Modifiers, PointerButton};

use crate::studio::{Command, Preferences, PushToTalkKey, Snapshot, TalkMode};

/// The state of the push-to-talk key in the last frame.
#[derive(Debug, Default)]
pub struct TalkState {
    held: bool,
    /// True if the key is held in another window.
    elsewhere: bool,
}

impl TalkState {
    /// Handles the key state while another window has the keyboard focus. Returns the command to
    /// send.
    pub fn handle_elsewhere(&mut self, held: bool, away: bool) -> Option<Command> {
        self.elsewhere = held;
        if away { self.set_held(held) } else { None }
    }

    /// Returns true if the key is held, as last reported.
    pub fn held(&self) -> bool {
        self.held
    }

    /// Reads this window's input. Returns the command to send.
    pub fn poll(
        &mut self,
        ctx: &Context,
        snapshot: &Snapshot,
        key: PushToTalkKey,
        typing: bool,
    ) -> Option<Command> {
        let away = !ctx.input(|input| input.focused);
        let here = held(ctx, snapshot, key, typing);
        // A window that gets the keyboard focus does not see that the key is already held.
        let continues = self.held && (!typing || key.button().is_some());
        self.set_held(here || (self.elsewhere && (away || continues)))
    }

    fn set_held(&mut self, held: bool) -> Option<Command> {
        (std::mem::replace(&mut self.held, held) != held).then_some(Command::PushToTalkKeys(held))
    }
}

/// Returns true if a strip uses the push-to-talk key.
fn is_wanted(snapshot: &Snapshot) -> bool {
    let mut talks = snapshot.strips.iter().map(|strip| strip.audio.talk);
    talks.any(|talk| matches!(talk, TalkMode::PushToTalk | TalkMode::PushToMute))
}

/// Returns true if the space bar is currently the push-to-talk key.
pub fn is_space(snapshot: &Snapshot, preferences: &Preferences) -> bool {
    Key::from_name(preferences.push_to_talk_key.name()) == Some(Key::Space) && is_wanted(snapshot)
}

/// Returns the push-to-talk key if a strip uses it.
pub fn wanted(snapshot: &Snapshot, preferences: &Preferences) -> Option<PushToTalkKey> {
    is_wanted(snapshot).then_some(preferences.push_to_talk_key)
}

/// Returns the mouse button of a push-to-talk key, if the key is a button.
fn button(key: PushToTalkKey) -> Option<PointerButton> {
    Some(match key.button()? {
        3 => PointerButton::Middle,
        4 => PointerButton::Extra1,
        5 => PointerButton::Extra2,
        _ => return None,
    })
}

/// Returns true if the key is currently held in this window. Keys do not count while the user is
/// typing. Neither keys nor buttons count while another window has the keyboard focus.
fn held(ctx: &Context, snapshot: &Snapshot, key: PushToTalkKey, typing: bool) -> bool {
    if let Some(button) = button(key) {
        let down = |input: &egui::InputState| input.focused && input.pointer.button_down(button);
        return is_wanted(snapshot) && ctx.input(down);
    }
    let Some(key) = Key::from_name(key.name()) else { return false };
    is_wanted(snapshot)
        && !typing
        && ctx.input_mut(|input| {
            // The key must not activate the focused element.
            input.consume_key(Modifiers::NONE, key);
            input.focused && input.key_down(key)
        })
}

/// The input while a key is being chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum KeyPress {
    Key(PushToTalkKey),
    /// A key that cannot be the push-to-talk key.
    Other,
    Escape,
}

/// Takes the key or button that was pressed in this frame to become the push-to-talk key, so that
/// it has no other effect.
pub fn pressed(ctx: &Context) -> Option<KeyPress> {
    ctx.input_mut(|input| {
        let mut found = None;
        input.events.retain(|event| {
            if let Event::PointerButton { button: pressed, pressed: true, .. } = event {
                let mut keys = PushToTalkKey::NAMES.into_iter().filter_map(PushToTalkKey::named);
                let chosen = keys.find(|key| button(*key) == Some(*pressed));
                if let Some(key) = chosen {
                    found.get_or_insert(KeyPress::Key(key));
                }
                // The other buttons are needed for clicking controls.
                return chosen.is_none();
            }
            let Event::Key { key, pressed, repeat, .. } = event else { return true };
            if *key == Key::Tab {
                return true;
            }
            if *pressed && !repeat {
                found.get_or_insert(match (PushToTalkKey::named(key.name()), key) {
                    (_, Key::Escape) => KeyPress::Escape,
                    (Some(key), _) => KeyPress::Key(key),
                    (None, _) => KeyPress::Other,
                });
            }
            false
        });
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_push_to_talk_key_is_a_key_of_the_window_or_a_button() {
        let mut buttons = Vec::new();
        for name in PushToTalkKey::NAMES {
            match button(PushToTalkKey::named(name).unwrap()) {
                Some(button) => buttons.push(button),
                None => assert_eq!(Key::from_name(name).map(Key::name), Some(name)),
            }
        }
        assert_eq!(buttons, [PointerButton::Middle, PointerButton::Extra1, PointerButton::Extra2]);
    }
}
