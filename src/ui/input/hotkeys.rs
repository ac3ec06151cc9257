//! Hotkeys in the window: the hotkey of each command, key presses, and conflicts.

use std::sync::Arc;

use egui::{Context, Event, Id, InputState, Key, Modifiers, Response};

use crate::studio::settings::hotkeys::{ChosenHotkey, Hotkey};
use crate::studio::{Preferences, Snapshot};
use crate::ui::input::actions::{Action, key};
use crate::ui::input::named::{AnyCommand, NamedCommand, NamedKind};
use crate::ui::text::Texts;

/// The second default hotkey for redo, because many programs use it. It works unless the user has
/// chosen a hotkey for redo, or uses this one for another command.
const SECOND_REDO_HOTKEY: &str = "Ctrl+Shift+Z";

/// The hotkeys of all commands, chosen or default, except those of named objects that do not exist. A
/// default hotkey does not work if the user chose it for another command. Audio sources always count
/// as existing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keymap(Vec<(AnyCommand, Hotkey)>);

impl Keymap {
    /// Creates the keymap from the preferences, for the objects in the snapshot.
    pub fn new(preferences: &Preferences, snapshot: &Snapshot) -> Self {
        let chosen = &preferences.hotkeys.keys;
        let is_chosen = |command: &AnyCommand| chosen.contains_key(&command.setting());
        let exists = |command: &AnyCommand| match command {
            AnyCommand::Action(_) => true,
            // A strip can have the name of its device, which is unknown until the device opens.
            AnyCommand::Named(NamedCommand { kind: NamedKind::Strip, .. }) => true,
            AnyCommand::Named(_) => command.has_object(snapshot),
        };
        let all = with_hotkeys(preferences).filter(|(command, _)| exists(command));
        let mut all: Vec<(AnyCommand, Hotkey)> = all.collect();
        let taken = all.iter().filter(|(command, _)| is_chosen(command));
        let taken: Vec<Hotkey> = taken.map(|(_, hotkey)| *hotkey).collect();
        all.retain(|(command, hotkey)| is_chosen(command) || !taken.contains(hotkey));
        let redo = AnyCommand::from(Action::Redo);
        let is_usual = hotkey_of(preferences, redo.clone()) == redo.usual_hotkey();
        if let Ok(second) = SECOND_REDO_HOTKEY.parse::<Hotkey>()
            && is_usual
            && !all.iter().any(|(_, hotkey)| *hotkey == second)
        {
            all.push((redo, second));
        }
        Self(all)
    }

    /// Returns the hotkey of a command, the first if it has two.
    pub fn hotkey(&self, command: impl Into<AnyCommand>) -> Option<Hotkey> {
        let command = command.into();
        self.0.iter().find(|(one, _)| *one == command).map(|(_, hotkey)| *hotkey)
    }

    /// Returns the keys of a command as text for a menu: its hotkey, or else its fixed key in the
    /// lists and on the canvas, unless the fixed key is the hotkey of another command.
    pub fn text_in_menu(&self, command: impl Into<AnyCommand>) -> Option<String> {
        let command = command.into();
        if let Some(hotkey) = self.hotkey(command.clone()) {
            return Some(text_of(hotkey));
        }
        let AnyCommand::Action(action) = command else { return None };
        let fixed = match action {
            Action::Copy => "Ctrl+C",
            Action::Cut => "Ctrl+X",
            Action::Paste => "Ctrl+V",
            Action::Duplicate => "Ctrl+D",
            Action::Delete | Action::SceneRemove | Action::RecordingTrash => "Delete",
            Action::ItemRename | Action::SceneRename | Action::RecordingRename => "F2",
            Action::RecordingPlay => "Enter",
            _ => return None,
        };
        let is_taken = self.0.iter().any(|(_, hotkey)| text_of(*hotkey) == fixed);
        (!is_taken).then(|| fixed.to_owned())
    }

    /// Returns all commands with a hotkey: those of the table in its order, then those for named
    /// objects.
    pub fn all(&self) -> impl Iterator<Item = (&AnyCommand, Hotkey)> {
        self.0.iter().map(|(command, hotkey)| (command, *hotkey))
    }

    /// Makes the keymap available to the whole window, for tooltips.
    pub fn install(self, ctx: &Context) {
        ctx.data_mut(|data| data.insert_temp(Id::unique("keymap"), Arc::new(self)));
    }

    /// Returns the keymap that [`Self::install`] made available.
    pub fn installed(ctx: &Context) -> Arc<Self> {
        ctx.data(|data| data.get_temp(Id::unique("keymap"))).unwrap_or_default()
    }
}

/// Returns all commands that have a chosen or default hotkey: those of the table in its order, then
/// those for named objects.
fn with_hotkeys(preferences: &Preferences) -> impl Iterator<Item = (AnyCommand, Hotkey)> {
    let all = Action::ALL.iter().copied().map(AnyCommand::from).chain(named(preferences));
    all.filter_map(move |it| Some((it.clone(), hotkey_of(preferences, it)?)))
}

/// Returns the named commands (for scenes, sources, strips, targets, collections and profiles)
/// whose hotkey the user has set, or enabled in other windows.
pub fn named(preferences: &Preferences) -> impl Iterator<Item = AnyCommand> {
    let hotkeys = &preferences.hotkeys;
    let others = hotkeys.other_windows.iter().filter(move |name| !hotkeys.keys.contains_key(*name));
    let names = hotkeys.keys.keys().chain(others);
    names.filter_map(|name| NamedCommand::parse(name)).map(AnyCommand::from)
}

/// Returns the hotkey of a command: the chosen one, or else the default.
pub fn hotkey_of(preferences: &Preferences, command: impl Into<AnyCommand>) -> Option<Hotkey> {
    let command = command.into();
    match preferences.hotkeys.keys.get(&command.setting()) {
        Some(ChosenHotkey(chosen)) => *chosen,
        None => command.usual_hotkey(),
    }
}

/// Sets or removes the hotkey of a command.
pub fn choose(
    preferences: &mut Preferences,
    command: impl Into<AnyCommand>,
    hotkey: Option<Hotkey>,
) {
    let command = command.into();
    let keys = &mut preferences.hotkeys.keys;
    if hotkey == command.usual_hotkey() {
        keys.remove(&command.setting());
    } else {
        keys.insert(command.setting(), ChosenHotkey(hotkey));
    }
}

/// Returns the other commands with the same hotkey, including those for objects that do not exist
/// now: such an object may return.
pub fn conflicts(preferences: &Preferences, command: impl Into<AnyCommand>) -> Vec<AnyCommand> {
    let command = command.into();
    let Some(hotkey) = hotkey_of(preferences, command.clone()) else { return Vec::new() };
    let others = with_hotkeys(preferences).filter(|(other, _)| *other != command);
    others.filter(|(_, its)| *its == hotkey).map(|(other, _)| other).collect()
}

/// The keys with a fixed use in the canvas, the lists and the players that can also be hotkeys, and
/// the text keys of these uses.
const FIXED_KEYS: &[(Modifiers, Key, &str)] = &[
    (Modifiers::COMMAND, Key::D, key!("fixed-key-duplicate")),
    (Modifiers::NONE, Key::F2, key!("fixed-key-rename")),
    (Modifiers::ALT, Key::ArrowUp, key!("fixed-key-order")),
    (Modifiers::ALT, Key::ArrowDown, key!("fixed-key-order")),
    (Modifiers::ALT, Key::ArrowLeft, key!("fixed-key-players")),
    (Modifiers::ALT, Key::ArrowRight, key!("fixed-key-players")),
    (Modifiers::SHIFT, Key::F10, key!("fixed-key-menu")),
    (Modifiers::NONE, Key::Num0, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num1, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num2, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num3, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num4, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num5, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num6, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num7, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num8, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Num9, key!("fixed-key-players")),
    (Modifiers::NONE, Key::Equals, key!("fixed-key-players")),
];

/// Returns the text key for the fixed use of a command's hotkey, if it has one. The command takes
/// the key away from this use.
pub fn fixed_use(
    preferences: &Preferences,
    command: impl Into<AnyCommand>,
) -> Option<&'static str> {
    let hotkey = hotkey_of(preferences, command)?;
    let fixed = FIXED_KEYS.iter().find(|(modifiers, key, _)| is(hotkey, *key, *modifiers));
    fixed.map(|(_, _, name)| *name)
}

/// Returns true if the hotkey of this command is the push-to-talk key.
pub fn is_talk_key(preferences: &Preferences, command: impl Into<AnyCommand>) -> bool {
    let talk = Hotkey::new(false, false, false, preferences.push_to_talk_key.name());
    talk.is_some() && hotkey_of(preferences, command) == talk
}

/// Returns the names in the settings file that belong to no command.
pub fn unknown_names(preferences: &Preferences) -> Vec<&str> {
    let hotkeys = &preferences.hotkeys;
    let keys = hotkeys.keys.keys().map(String::as_str);
    let keys = keys.filter(|name| AnyCommand::parse(name).is_none());
    let elsewhere = hotkeys.other_windows.iter().map(String::as_str);
    let elsewhere = elsewhere
        .filter(|name| AnyCommand::parse(name).is_none_or(|command| !command.may_be_global()));
    let mut unknown: Vec<&str> = keys.chain(elsewhere).collect();
    unknown.sort_unstable();
    unknown.dedup();
    unknown
}

/// Returns a hotkey as text: `Ctrl+L`, `Ctrl+,`.
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

/// Returns the hotkey of a command as text, if it has one.
pub fn shortcut_text(ctx: &Context, command: impl Into<AnyCommand>) -> Option<String> {
    Keymap::installed(ctx).hotkey(command).map(text_of)
}

/// Returns the tooltip of a command's button: its name, its hotkey, and its explanation.
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

/// Consumes the presses of a hotkey, and returns true if there were any. A held hotkey counts once,
/// unless it `repeats`.
pub fn take(input: &mut InputState, hotkey: Hotkey, repeats: bool) -> bool {
    presses(input, hotkey, repeats) > 0
}

/// Works like [`take`], but returns the number of presses.
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

/// The result of choosing a hotkey by pressing it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum PressedHotkey {
    Hotkey(Hotkey),
    /// The key cannot be a hotkey.
    Refused,
    /// Escape was pressed.
    Escape,
}

/// Consumes the keys pressed in this frame as a hotkey, so that they have no other effect. Tab
/// still moves the focus.
pub fn pressed(ctx: &Context) -> Option<PressedHotkey> {
    ctx.input_mut(|input| {
        let mut found = None;
        input.events.retain(|event| {
            // For the keys that copy, cut and paste, egui reports only their effect.
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

/// The control to which keys without a modifier belong, for each window.
#[derive(Copy, Clone, Debug, Default)]
struct LetterOwner {
    /// The control that the user pressed or focused last. `None` stands for the canvas: nothing was
    /// pressed yet, or the user pressed Escape or an empty place.
    last: Option<Id>,
    /// The canvas or list that the user pressed or focused last.
    accepting: Option<Id>,
}

impl LetterOwner {
    fn id(ctx: &Context) -> Id {
        Id::unique(("letters", ctx.viewport_id()))
    }

    fn change(ctx: &Context, change: impl FnOnce(&mut Self)) {
        let id = Self::id(ctx);
        ctx.data_mut(|data| change(data.get_temp_mut_or_default(id)));
    }
}

/// Lets keys without a modifier act on a canvas or list that has the keyboard focus, or that the
/// user clicked last. Every canvas, list and frame of a player calls this function in every frame.
pub fn accept_letters(response: &Response) {
    let pressed = response.clicked() || response.secondary_clicked() || response.dragged();
    if pressed || response.has_focus() {
        LetterOwner::change(&response.ctx, |owner| owner.accepting = Some(response.id));
    }
}

/// Notes which control of the window was pressed or focused last. Call this once per frame, while
/// no dialog is open: after a dialog, the keys belong where they belonged before.
pub fn follow_letters(ctx: &Context) {
    if egui::Popup::is_any_open(ctx) {
        return;
    }
    let pressed = ctx.interaction_snapshot(|it| it.clicked.or(it.dragged));
    let (empty, escaped) = ctx.input(|input| {
        (input.pointer.any_click() && pressed.is_none(), input.key_pressed(Key::Escape))
    });
    let focused = ctx.memory(egui::Memory::focused);
    // A control that was pressed takes the focus from another one only later in this frame.
    LetterOwner::change(ctx, |owner| match pressed.or(focused) {
        Some(id) => owner.last = Some(id),
        None if empty || escaped => owner.last = None,
        None => {}
    });
}

/// Gives keys without a modifier back to the canvas or the frame of a player, as at the start.
pub fn return_letters(ctx: &Context) {
    LetterOwner::change(ctx, |owner| owner.last = None);
}

/// Returns true if keys without a modifier act now: the canvas or a list has the keyboard focus, or
/// nothing has it and the user did not press another control since.
pub fn letters_act(ctx: &Context) -> bool {
    if ctx.text_edit_focused() || egui::Popup::is_any_open(ctx) {
        return false;
    }
    // The context must not be used while its lock is held: if another thread requests a repaint then,
    // both wait forever.
    let id = LetterOwner::id(ctx);
    let owner: LetterOwner = ctx.data(|data| data.get_temp(id)).unwrap_or_default();
    let now = ctx.memory(egui::Memory::focused).or(owner.last);
    now.is_none_or(|id| owner.accepting == Some(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a studio whose scene has the name *Gaming*.
    fn with_gaming_scene() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let collection = Arc::make_mut(&mut snapshot.scenes.collection);
        "Gaming".clone_into(&mut collection.scenes[0].name);
        snapshot
    }

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
        assert_eq!(conflicts(&preferences, Action::Record), [Action::GoLive.into()]);
        assert_eq!(conflicts(&preferences, Action::GoLive), [Action::Record.into()]);
        let scene = AnyCommand::parse("scene:Gaming").unwrap();
        choose(&mut preferences, scene.clone(), "Ctrl+L".parse().ok());
        let keymap = Keymap::new(&preferences, &with_gaming_scene());
        assert_eq!(keymap.hotkey(scene.clone()), "Ctrl+L".parse().ok());
        assert_eq!(conflicts(&preferences, Action::GoLive), [Action::Record.into(), scene.clone()]);
        let elsewhere = ["mute", "mute:Guest", "scene:Gaming", "show-hide:Logo"];
        preferences.hotkeys.other_windows = elsewhere.map(str::to_owned).into();
        assert!(unknown_names(&preferences).is_empty());
        // These commands have no hotkeys in other windows.
        let unknown = ["dance", "settings", "target:"];
        preferences.hotkeys.other_windows = unknown.map(str::to_owned).into();
        assert_eq!(unknown_names(&preferences), unknown);
        preferences.hotkeys.other_windows.clear();
        choose(&mut preferences, scene, None);
        choose(&mut preferences, Action::Record, None);
        let keymap = Keymap::new(&preferences, &Snapshot::default());
        assert_eq!(keymap.hotkey(Action::Record), None);
        choose(&mut preferences, Action::Record, usual);
        assert_eq!(preferences, Preferences::default());
    }

    #[test]
    fn a_chosen_hotkey_is_no_longer_the_default_of_another_command() {
        let mut preferences = Preferences::default();
        let scene = AnyCommand::parse("scene:Gaming").unwrap();
        choose(&mut preferences, scene.clone(), "Alt+Z".parse().ok());
        choose(&mut preferences, Action::Quit, "Ctrl+0".parse().ok());
        let keymap = Keymap::new(&preferences, &with_gaming_scene());
        let commands = |keys: &str| {
            let wanted: Hotkey = keys.parse().unwrap();
            let all = keymap.all().filter(|(_, hotkey)| *hotkey == wanted);
            all.map(|(command, _)| command.clone()).collect::<Vec<_>>()
        };
        assert_eq!(commands("Alt+Z"), std::slice::from_ref(&scene));
        assert_eq!(commands("Ctrl+0"), [Action::Quit.into()]);
        // The settings still show the conflict at both commands.
        assert_eq!(conflicts(&preferences, Action::ZoomActual), std::slice::from_ref(&scene));
        assert_eq!(conflicts(&preferences, scene), [Action::ZoomActual.into()]);
    }

    #[test]
    fn the_hotkey_of_an_object_that_is_gone_does_not_disable_a_default_one() {
        let keys = Action::GoLive.usual_hotkey();
        let hotkeys = |name: &str, snapshot: &Snapshot| {
            let (mut preferences, command) = (Preferences::default(), AnyCommand::parse(name));
            choose(&mut preferences, command.clone().unwrap(), keys);
            let keymap = Keymap::new(&preferences, snapshot);
            (keymap.hotkey(command.unwrap()), keymap.hotkey(Action::GoLive))
        };
        let kinds = ["scene", "show-hide", "target", "collection", "profile", "layout"];
        for kind in kinds {
            let found = hotkeys(&format!("{kind}:Gaming"), &Snapshot::default());
            assert_eq!(found, (None, keys), "{kind}");
        }
        // A microphone that is not connected yet has another name.
        assert_eq!(hotkeys("mute:Gaming", &Snapshot::default()), (keys, None));
        assert_eq!(hotkeys("scene:Gaming", &with_gaming_scene()), (keys, None));
        // The profile in use exists too.
        let mut snapshot = Snapshot::default();
        let parts = Arc::make_mut(&mut snapshot.parts);
        parts.profiles.push("Gaming".to_owned());
        "Gaming".clone_into(&mut parts.in_use.profile);
        assert_eq!(hotkeys("profile:Gaming", &snapshot), (keys, None));
    }

    #[test]
    fn fixed_keys_are_found_and_no_default_hotkey_is_one() {
        let mut preferences = Preferences::default();
        for action in Action::ALL {
            assert_eq!(fixed_use(&preferences, *action), None, "{action:?}");
        }
        for (keys, fixed) in [
            ("Ctrl+D", Some("fixed-key-duplicate")),
            ("F2", Some("fixed-key-rename")),
            ("Ctrl+F2", None),
            ("Alt+Up", Some("fixed-key-order")),
            ("3", Some("fixed-key-players")),
            ("Shift+F10", Some("fixed-key-menu")),
        ] {
            choose(&mut preferences, Action::Record, keys.parse().ok());
            assert_eq!(fixed_use(&preferences, Action::Record), fixed, "{keys}");
        }
    }

    #[test]
    fn a_menu_shows_fixed_keys_unless_a_hotkey_replaces_them() {
        let mut preferences = Preferences::default();
        let text = |preferences: &Preferences, action: Action| {
            let keymap = Keymap::new(preferences, &Snapshot::default());
            keymap.text_in_menu(action).unwrap_or_default()
        };
        assert_eq!(text(&preferences, Action::GoLive), "Ctrl+L");
        assert_eq!(text(&preferences, Action::Copy), "Ctrl+C");
        assert_eq!(text(&preferences, Action::Delete), "Delete");
        assert_eq!(text(&preferences, Action::Duplicate), "Ctrl+D");
        assert_eq!(text(&preferences, Action::RecordingPlay), "Enter");
        assert_eq!(text(&preferences, Action::Group), "");
        choose(&mut preferences, Action::Copy, "Ctrl+F2".parse().ok());
        choose(&mut preferences, Action::Record, "Ctrl+D".parse().ok());
        assert_eq!(text(&preferences, Action::Copy), "Ctrl+F2");
        assert_eq!(text(&preferences, Action::Duplicate), "");
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
