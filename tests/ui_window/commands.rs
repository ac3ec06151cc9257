//! Commands: found in the palette, pressed as hotkeys, and where keys without a modifier act.

use onair::studio::settings::hotkeys::ChosenHotkey;

use super::*;

fn palette(harness: &mut Harness<'static, Window>, query: &str) {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text(query.into()));
    harness.run();
    harness.key_press(Key::Enter);
}

#[test]
fn the_palette_finds_commands_by_their_names_in_both_languages() {
    let mut harness = open("idle");
    palette(&mut harness, "重新查找");
    assert_eq!(commands(&mut harness), [Command::RefreshDevices]);
    let chinese = preferences(Language::Chinese, Theme::Dark);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chinese);
    palette(&mut harness, "refresh devices");
    assert_eq!(commands(&mut harness), [Command::RefreshDevices]);
}

#[test]
fn the_palette_finds_scenes_and_targets() {
    let mut harness = building::with(&[]);
    building::make(&mut harness, &[Edit::AddScene("Talk".into())]);
    let snapshot = harness.state().demo.snapshot();
    let collection = &snapshot.scenes.collection;
    let other = collection.scenes.iter().find(|it| it.id != collection.current).unwrap();
    palette(&mut harness, &other.name);
    assert_eq!(commands(&mut harness), [Command::SwitchScene(other.id)]);
    // Where there is no such thing, that is said.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("no such thing".into()));
    harness.run();
    harness.get_by_label("No matches");
}

#[test]
fn scenes_are_switched_by_their_places() {
    let mut harness = building::with(&[]);
    building::make(&mut harness, &[Edit::AddScene("Talk".into())]);
    let second = harness.state().demo.snapshot().scenes.collection.scenes[1].id;
    harness.key_press_modifiers(Modifiers::ALT, Key::Num2);
    assert_eq!(commands(&mut harness), [Command::SwitchScene(second)]);
    harness.key_press_modifiers(Modifiers::ALT, Key::Num9);
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn keys_without_a_modifier_act_only_while_the_canvas_or_a_list_has_the_keyboard() {
    let mut harness = open("idle");
    // Nothing has it: the canvas has.
    harness.key_press(Key::M);
    assert!(matches!(commands(&mut harness)[..], [Command::SetMuted(_)]));
    // A button has it.
    harness.get_by_label("Go Live").focus();
    harness.run();
    harness.key_press(Key::M);
    assert_eq!(commands(&mut harness), []);
    // A list has it.
    harness.get_all_by_role(Role::RadioButton).next().unwrap().focus();
    harness.run();
    harness.key_press(Key::M);
    assert!(matches!(commands(&mut harness)[..], [Command::SetMuted(_)]));
    // With a modifier they are other keys.
    harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::L);
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn the_help_shows_hotkeys_as_they_are_chosen_and_leads_to_them() {
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.hotkeys.keys.insert("record".into(), ChosenHotkey("Ctrl+F12".parse().ok()));
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chosen);
    harness.key_press(Key::F1);
    harness.run();
    harness.get_by_role_and_label(egui::Role::RadioButton, "Keyboard shortcuts").click();
    harness.run();
    harness.get_by_label_contains("Ctrl+F12");
    click(&mut harness, "Change hotkeys…");
    harness.run();
    harness.get_by_label("Hotkey of Start or stop recording: Ctrl+F12");
}

#[test]
fn chosen_hotkeys_act_and_usual_ones_do_not() {
    let mut chosen = preferences(Language::English, Theme::Dark);
    for (name, keys) in [("go-live", "F9"), ("record", "none")] {
        let hotkey = ChosenHotkey(keys.parse().ok());
        chosen.hotkeys.keys.insert(name.to_owned(), hotkey);
    }
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chosen);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    assert_eq!(commands(&mut harness), []);
    assert!(!harness.state().wishes.contains(&WindowRequest::Record));
    harness.key_press(Key::F9);
    assert_eq!(commands(&mut harness), [Command::GoLive]);
}

#[test]
fn what_a_command_does_is_told_below_the_list_and_covers_no_command() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("record".into()));
    harness.run();
    let line = |harness: &Harness<'static, Window>| {
        let line = harness.get_by_role_and_label(Role::MenuItem, "Start or stop recording");
        (line.rect().center(), line.accesskit_node().data().description().map(str::to_owned))
    };
    let (at, told) = line(&harness);
    assert_eq!(told.as_deref(), Some("Records the program to a file in the recordings folder."));
    harness.hover_at(at);
    harness.run_steps(8);
    // A tooltip would have the words as a label of its own.
    assert!(!shown(&harness).iter().any(|it| it.contains("Records the program to a file")));
}
