//! Hotkeys in the window: which one a command has, the presses of the keyboard, and conflicts.

use std::sync::Arc;

use egui::{Context, Event, Id, InputState, Key, Modifiers, Response};

use crate::studio::Preferences;
use crate::studio::settings::hotkeys::{ChosenHotkey, Hotkey};
use crate::ui::input::actions::Action;
use crate::ui::text::Texts;

/// The hotkeys of all commands, as they are chosen or usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap(Vec<(Action, Hotkey)>);

impl Keymap {
    /// As the preferences say.
    pub fn new(preferences: &Preferences) -> Self {
        let all = Action::ALL.iter();
        Self(all.filter_map(|action| Some((*action, hotkey_of(preferences, *action)?))).collect())
    }

    /// The hotkey of a command.
    pub fn hotkey(&self, action: Action) -> Option<Hotkey> {
        self.0.iter().find(|(one, _)| *one == action).map(|(_, hotkey)| *hotkey)
    }

    /// Every command with a hotkey, in the order of the table.
    pub fn all(&self) -> impl Iterator<Item = (Action, Hotkey)> {
        self.0.iter().copied()
    }

    /// Lets all of the window show these in tooltips.
    pub fn install(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(Id::unique("keymap"), Arc::new(self)));
    }

    /// Those that all of the window goes by.
    pub fn installed(ctx: &Context) -> Arc<Self> {
        ctx.data(|data| data.get_temp(Id::unique("keymap"))).unwrap_or_default()
    }
}

/// The hotkey of a command: what was chosen, else the usual one.
pub fn hotkey_of(preferences: &Preferences, action: Action) -> Option<Hotkey> {
    match preferences.hotkeys.keys.get(action.name()) {
        Some(ChosenHotkey(chosen)) => *chosen,
        None => action.usual_hotkey(),
    }
}

/// Gives a command this hotkey, or none.
pub fn choose(preferences: &mut Preferences, action: Action, hotkey: Option<Hotkey>) {
    let keys = &mut preferences.hotkeys.keys;
    if hotkey == action.usual_hotkey() {
        keys.remove(action.name());
    } else {
        keys.insert(action.name().to_owned(), ChosenHotkey(hotkey));
    }
}

/// The other commands that have the hotkey of this one.
pub fn conflicts(preferences: &Preferences, action: Action) -> Vec<Action> {
    let Some(hotkey) = hotkey_of(preferences, action) else { return Vec::new() };
    let others = Action::ALL.iter().copied().filter(|other| *other != action);
    others.filter(|other| hotkey_of(preferences, *other) == Some(hotkey)).collect()
}

/// Whether the hotkey of this command is the talk key.
pub fn is_talk_key(preferences: &Preferences, action: Action) -> bool {
    let talk = Hotkey::new(false, false, false, preferences.push_to_talk_key.name());
    talk.is_some() && hotkey_of(preferences, action) == talk
}

/// Names in the settings file that no command has.
pub fn unknown_names(preferences: &Preferences) -> Vec<&str> {
    let hotkeys = &preferences.hotkeys;
    let names = hotkeys.keys.keys().chain(&hotkeys.other_windows).map(String::as_str);
    let mut unknown: Vec<&str> = names.filter(|name| Action::named(name).is_none()).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

/// A hotkey in words: `Ctrl+L`, `Ctrl+,`.
pub fn text_of(hotkey: Hotkey) -> String {
    let sign = match Key::from_name(hotkey.key()) {
        Some(
            key @ (Key::Comma
            | Key::Period
            | Key::Plus
            | Key::Equals
            | Key::Semicolon
            | Key::Colon
            | Key::Slash
            | Key::Backslash
            | Key::Backtick
            | Key::OpenBracket
            | Key::CloseBracket
            | Key::Minus),
        ) => key.symbol_or_name(),
        _ => hotkey.key(),
    };
    let whole = hotkey.to_string();
    let modifiers = whole.strip_suffix(hotkey.key()).unwrap_or_default();
    format!("{modifiers}{sign}")
}

/// The hotkey of a command in words, if it has one.
pub fn shortcut_text(ctx: &Context, action: Action) -> Option<String> {
    Keymap::installed(ctx).hotkey(action).map(text_of)
}

/// What the tooltip of a command's button says: its name, its hotkey, and what it does.
pub fn tooltip(ctx: &Context, texts: &Texts, action: Action) -> String {
    let (name, tip) = (texts.get(action.key()), texts.get(action.tip()));
    match shortcut_text(ctx, action) {
        Some(keys) => format!("{name} ({keys})\n{tip}"),
        None => format!("{name}\n{tip}"),
    }
}

fn is(hotkey: Hotkey, key: Key, modifiers: Modifiers) -> bool {
    let held = [modifiers.ctrl || modifiers.command, modifiers.alt, modifiers.shift];
    hotkey.modifiers() == held && hotkey.key() == key.name()
}

/// Takes the presses of a hotkey; whether there was one. One that is held down counts once, unless it `repeats`.
pub fn take(input: &mut InputState, hotkey: Hotkey, repeats: bool) -> bool {
    presses(input, hotkey, repeats) > 0
}

/// The same; how many there were.
pub fn presses(input: &mut InputState, hotkey: Hotkey, repeats: bool) -> usize {
    let mut pressed = 0;
    input.events.retain(|event| match event {
        Event::Key { key, pressed: true, repeat, modifiers, .. }
            if is(hotkey, *key, *modifiers) =>
        {
            pressed += usize::from(repeats || !repeat);
            false
        }
        _ => true,
    });
    pressed
}

/// What is pressed while a hotkey is chosen.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PressedHotkey {
    Hotkey(Hotkey),
    /// It cannot be one.
    Refused,
    /// Nothing else is wanted.
    Escape,
}

/// Takes what is pressed in this frame to be a hotkey; it does nothing else. Tab continues.
pub fn pressed(ctx: &Context) -> Option<PressedHotkey> {
    ctx.input_mut(|input| {
        let mut found = None;
        input.events.retain(|event| {
            // egui tells of these only what they do.
            if matches!(event, Event::Copy | Event::Cut | Event::Paste(_)) {
                found.get_or_insert(PressedHotkey::Refused);
                return false;
            }
            let Event::Key { key, pressed, repeat, modifiers, .. } = event else {
                return !matches!(event, Event::Text(_));
            };
            let alone = matches!(
                key,
                Key::ShiftLeft
                    | Key::ShiftRight
                    | Key::ControlLeft
                    | Key::ControlRight
                    | Key::AltLeft
                    | Key::AltRight
            );
            if *key == Key::Tab || alone {
                return true;
            }
            if *pressed && !repeat {
                let ctrl = modifiers.ctrl || modifiers.command;
                let hotkey = Hotkey::new(ctrl, modifiers.alt, modifiers.shift, key.name());
                found.get_or_insert(match hotkey {
                    _ if *key == Key::Escape => PressedHotkey::Escape,
                    Some(hotkey) => PressedHotkey::Hotkey(hotkey),
                    None => PressedHotkey::Refused,
                });
            }
            false
        });
        found
    })
}

/// The canvas or a list has the keyboard: keys without a modifier act there. To be called for each of them in
/// every frame.
pub fn accept_letters(response: &Response) {
    if response.has_focus() {
        let id = response.id;
        response.ctx.data_mut(|data| data.insert_temp(Id::unique("letters"), id));
    }
}

/// Whether keys without a modifier act now: the canvas or a list has the keyboard, or nothing has it.
pub fn letters_act(ctx: &Context) -> bool {
    if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
        return false;
    }
    let accepting = ctx.data(|data| data.get_temp::<Id>(Id::unique("letters")));
    ctx.memory(egui::Memory::focused).is_none_or(|focused| Some(focused) == accepting)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hotkey_is_a_key_of_the_window() {
        for name in Hotkey::keys() {
            assert_eq!(Key::from_name(name).map(Key::name), Some(name));
        }
        let text = |text: &str| text_of(text.parse().unwrap());
        assert_eq!(
            (text("Ctrl+Comma"), text("Ctrl+Alt+M")),
            ("Ctrl+,".into(), "Ctrl+Alt+M".into())
        );
        assert_eq!((text("Ctrl+Left"), text("F1")), ("Ctrl+Left".into(), "F1".into()));
    }

    #[test]
    fn what_is_chosen_is_kept_and_conflicts_are_found() {
        let mut preferences = Preferences::default();
        let usual = hotkey_of(&preferences, Action::Record);
        assert!(conflicts(&preferences, Action::Record).is_empty());
        choose(&mut preferences, Action::Record, "Ctrl+L".parse().ok());
        assert_eq!(conflicts(&preferences, Action::Record), [Action::GoLive]);
        assert_eq!(conflicts(&preferences, Action::GoLive), [Action::Record]);
        choose(&mut preferences, Action::Record, None);
        assert_eq!(Keymap::new(&preferences).hotkey(Action::Record), None);
        choose(&mut preferences, Action::Record, usual);
        assert_eq!(preferences, Preferences::default());
    }

    #[test]
    fn a_hotkey_is_taken_with_its_modifiers_alone_and_once_while_it_is_held() {
        let key = |key, modifiers, repeat| Event::Key {
            key,
            physical_key: None,
            pressed: true,
            repeat,
            modifiers,
        };
        let mut input = InputState::default();
        input.events = vec![
            key(Key::S, Modifiers::CTRL | Modifiers::SHIFT, false),
            key(Key::S, Modifiers::CTRL, true),
        ];
        let hotkey: Hotkey = "Ctrl+S".parse().unwrap();
        assert!(!take(&mut input, hotkey, false));
        assert_eq!(input.events.len(), 1);
        input.events.push(key(Key::S, Modifiers::CTRL, true));
        assert!(take(&mut input, hotkey, true));
        assert!(take(&mut input, "Ctrl+Shift+S".parse().unwrap(), false));
    }
}
