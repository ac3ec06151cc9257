//! Tests of push-to-talk: choosing the key in the settings, and using it in the window and behind
//! other windows.

use std::collections::BTreeSet;

use onair::ui::{GlobalHotkeys, GlobalKeyReply, GlobalKeySupport};

use super::*;

#[test]
fn the_space_bar_is_the_push_to_talk_key_where_a_strip_uses_one() {
    let mut harness = open("mixer");
    // No strip uses push-to-talk, so the key has no effect.
    harness.key_down(Key::Space);
    assert!(commands(&mut harness).is_empty());
    harness.key_up(Key::Space);
    harness.run();
    let push = |talk| {
        move |snapshot: &mut onair::studio::Snapshot| {
            snapshot.strips[0].audio.talk = talk;
        }
    };
    for talk in [TalkMode::PushToTalk, TalkMode::PushToMute] {
        harness.state().demo.change(push(talk));
        harness.run();
        harness.key_down(Key::Space);
        assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)], "{talk:?}");
        // A held key is not pressed again.
        harness.run();
        assert!(commands(&mut harness).is_empty());
        harness.key_up(Key::Space);
        assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
    }
    // The key does not press the focused button.
    harness.get_by_label("Mute Music").focus();
    harness.run();
    harness.key_down(Key::Space);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)]);
    // When another window gets the focus, the key no longer counts as held.
    harness.input_mut().focused = false;
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
    harness.input_mut().focused = true;
    harness.key_up(Key::Space);
    harness.run();
    harness.state().demo.taken();
    // In a text field, the key types a space.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.key_down(Key::Space);
    assert!(commands(&mut harness).is_empty());
}

#[test]
fn the_push_to_talk_key_is_chosen_by_pressing_it() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.talk = TalkMode::PushToTalk);
    settings_page(&mut harness, "Audio");
    let key = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().unwrap().preferences().push_to_talk_key.name()
    };
    assert!(click(&mut harness, "Push-to-talk key Space bar").is_empty());
    // Enter cannot be the key. Escape keeps the old key.
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_label("Push-to-talk key Press a key…");
    assert!(
        harness
            .query_all_by_label_contains("This key cannot be the push-to-talk key")
            .next()
            .is_some()
    );
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(key(&harness), "Space");
    harness.get_by_label("Push-to-talk key Space bar").click();
    harness.run();
    harness.key_press(Key::F8);
    harness.run();
    harness.get_by_label("Push-to-talk key F8");
    assert_eq!(key(&harness), "F8");
    assert!(
        harness
            .state()
            .requests
            .iter()
            .any(|request| matches!(request, WindowRequest::Preferences))
    );
    // If Tab moves the focus away, no key is chosen.
    harness.get_by_label("Push-to-talk key F8").click();
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    harness.key_press(Key::A);
    harness.run();
    assert_eq!(key(&harness), "F8");
    // The first desktop hides keys of other windows; the second one does not.
    let everywhere = "Use in other windows";
    let named = |harness: &Harness<'static, Window>| {
        harness.query_all_by_label_contains("This desktop does not report keys").count()
    };
    assert_eq!(named(&harness), 1);
    harness.state_mut().screen.as_mut().unwrap().set_elsewhere(GlobalKeySupport::Looked);
    harness.run();
    assert_eq!(named(&harness), 0);
    harness.get_by_role_and_label(Role::CheckBox, everywhere).click();
    harness.run();
    let screen = harness.state().screen.as_ref().unwrap();
    assert!(screen.preferences().push_to_talk_everywhere);
    assert_eq!(screen.watched_talk_key().map(onair::studio::PushToTalkKey::name), Some("F8"));
    // Some keyboards do not have the key.
    harness.state_mut().screen.as_mut().unwrap().set_elsewhere(GlobalKeySupport::NoKey);
    harness.run();
    let missing = harness.query_all_by_label_contains("layout does not have this key").count();
    assert_eq!(missing, 1);
    // The new key works in the window.
    harness.key_press(Key::Escape);
    harness.run();
    harness.state().demo.taken();
    harness.key_down(Key::F8);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)]);
    harness.key_up(Key::F8);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
}

#[test]
fn a_mouse_button_is_chosen_by_pressing_it_and_works_while_somebody_types() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.talk = TalkMode::PushToTalk);
    let button = |harness: &mut Harness<'static, Window>, button, pressed| {
        let (pos, modifiers) = (egui::pos2(300.0, 300.0), Modifiers::NONE);
        harness.event(egui::Event::PointerButton { pos, button, pressed, modifiers });
        commands(harness)
    };
    let (middle, back) = (egui::PointerButton::Middle, egui::PointerButton::Extra1);
    // The key is still the space bar.
    assert!(button(&mut harness, back, true).is_empty());
    assert!(button(&mut harness, back, false).is_empty());
    settings_page(&mut harness, "Audio");
    for (chosen, name, words) in [
        (egui::PointerButton::Extra2, "mouse-5", "Mouse button 5"),
        (middle, "mouse-3", "Middle mouse button"),
        (back, "mouse-4", "Mouse button 4"),
    ] {
        let chooser = |name: &str| name.starts_with("Push-to-talk key ");
        harness.get_by(|node| node.label().is_some_and(|it| chooser(&it))).click();
        harness.run();
        harness.get_by_label("Push-to-talk key Press a key…");
        button(&mut harness, chosen, true);
        button(&mut harness, chosen, false);
        harness.get_by_label(&format!("Push-to-talk key {words}"));
        let screen = harness.state().screen.as_ref().unwrap();
        assert_eq!(screen.preferences().push_to_talk_key.name(), name);
    }
    harness.key_press(Key::Escape);
    harness.run();
    harness.state().demo.taken();
    assert!(button(&mut harness, middle, true).is_empty());
    assert!(button(&mut harness, middle, false).is_empty());
    assert_eq!(button(&mut harness, back, true), [Command::PushToTalkKeys(true)]);
    // When another window gets the focus, the button no longer counts as held.
    harness.input_mut().focused = false;
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
    harness.input_mut().focused = true;
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)]);
    assert_eq!(button(&mut harness, back, false), [Command::PushToTalkKeys(false)]);
    // The button also works while a text field has the focus.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    assert_eq!(button(&mut harness, back, true), [Command::PushToTalkKeys(true)]);
    assert_eq!(button(&mut harness, back, false), [Command::PushToTalkKeys(false)]);
}

#[test]
fn a_push_to_talk_key_pressed_while_a_file_is_chosen_leaves_no_microphone_open() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.talk = TalkMode::PushToTalk);
    harness.run();
    harness.key_down(Key::Space);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)]);
    harness.state_mut().screen.as_mut().unwrap().set_file_wait(true);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
}

/// Turns on the push-to-talk key in other windows.
fn use_everywhere(harness: &mut Harness<'static, Window>) {
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    let preferences = Preferences { push_to_talk_everywhere: true, ..screen.preferences().clone() };
    screen.set_preferences(&ctx, preferences);
}

/// Returns the command that follows from the key's state as the display reports it.
fn key_command(
    harness: &mut Harness<'static, Window>,
    held: bool,
    hidden: bool,
) -> Option<Command> {
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.talk_elsewhere(&ctx, held, hidden)
}

#[test]
fn a_pressed_push_to_talk_key_stays_pressed_when_the_keyboard_focus_changes() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.talk = TalkMode::PushToTalk);
    harness.input_mut().focused = false;
    harness.run();
    let is_watched = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().unwrap().watched_talk_key().is_some()
    };
    assert!(!is_watched(&harness));
    // In another window, the key does not count yet.
    assert_eq!(key_command(&mut harness, true, false), None);
    harness.input_mut().focused = true;
    harness.key_down(Key::Space);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(true)]);
    assert!(is_watched(&harness));
    assert_eq!(key_command(&mut harness, true, false), None);
    // On X11, the press of a global hotkey takes the focus for a moment.
    harness.input_mut().focused = false;
    harness.key_up(Key::Space);
    assert!(commands(&mut harness).is_empty());
    harness.input_mut().focused = true;
    assert!(commands(&mut harness).is_empty());
    assert_eq!(key_command(&mut harness, false, false), None);
    assert_eq!(commands(&mut harness), [Command::PushToTalkKeys(false)]);
    // The user presses the key in another window, and then changes to this one.
    use_everywhere(&mut harness);
    harness.input_mut().focused = false;
    harness.run();
    assert_eq!(key_command(&mut harness, true, false), Some(Command::PushToTalkKeys(true)));
    harness.input_mut().focused = true;
    assert!(commands(&mut harness).is_empty());
    // The key does not count in a text field.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    assert!(commands(&mut harness).contains(&Command::PushToTalkKeys(false)));
}

#[test]
fn the_push_to_talk_key_works_behind_another_window_and_ends_with_the_key() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.talk = TalkMode::PushToMute);
    use_everywhere(&mut harness);
    harness.input_mut().focused = false;
    harness.run();
    assert_eq!(key_command(&mut harness, true, false), Some(Command::PushToTalkKeys(true)));
    assert_eq!(key_command(&mut harness, true, false), None);
    // Keyboard events of the window itself do not end the talking.
    assert!(commands(&mut harness).is_empty());
    assert_eq!(key_command(&mut harness, false, false), Some(Command::PushToTalkKeys(false)));
    // While the window has the focus, it handles the key itself, and keys in text fields do not
    // count.
    harness.input_mut().focused = true;
    harness.run();
    assert_eq!(key_command(&mut harness, true, false), None);
    assert!(commands(&mut harness).is_empty());
    // In a minimized window, the key counts whatever had the focus before.
    assert_eq!(key_command(&mut harness, true, true), Some(Command::PushToTalkKeys(true)));
}

/// Opens the settings after the desktop has given this answer.
fn settings(language: Language, elsewhere: GlobalKeySupport) -> Harness<'static, Window> {
    let preferences = Preferences {
        push_to_talk_key: onair::studio::PushToTalkKey::named("F8").unwrap(),
        ..preferences(language, Theme::Dark)
    };
    let mut harness = open_as("mixer", Vec2::new(1280.0, 720.0), preferences);
    harness.state_mut().screen.as_mut().unwrap().set_elsewhere(elsewhere);
    let page = if language == Language::English { "Audio" } else { "音频" };
    settings_page(&mut harness, page);
    harness
}

#[test]
fn the_settings_show_the_answer_of_the_desktop_about_the_push_to_talk_key() {
    let count = |harness: &Harness<'static, Window>, words: &str| {
        harness.query_all_by_label_contains(words).count()
    };
    let switch =
        [(Language::English, "Use in other windows"), (Language::Chinese, "在其他窗口中也有效")];
    let asked = [
        (GlobalKeyReply::Nothing, ["once an audio source uses", "有音频源启用按键讲话后"]),
        (GlobalKeyReply::Waits, ["to enable the key in other windows", "请在弹窗中选择"]),
        (
            GlobalKeyReply::Given("Press Super+F8".to_owned()),
            ["other windows, the key is Press Super+F8. ", "窗口中的讲话键：Press Super+F8。"],
        ),
        (GlobalKeyReply::Given(String::new()), ["not yet assigned a key", "还没有为 onair 分配"]),
        (GlobalKeyReply::Missing, ["does not support global shortcuts", "不支持全局快捷键"]),
        (GlobalKeyReply::Unknown, ["onair.desktop", "onair.desktop"]),
        (GlobalKeyReply::Unanswered, ["closed without a choice", "你没有作出选择"]),
        (GlobalKeyReply::Ended, ["revoked the push-to-talk shortcut", "已收回讲话键"]),
        (GlobalKeyReply::Gone, ["portal stopped", "xdg-desktop-portal）已停止"]),
    ];
    for (number, (language, switch)) in switch.into_iter().enumerate() {
        // Before the setting is on, the page explains what it does, and that mouse buttons do not
        // work.
        let mut harness = settings(language, GlobalKeySupport::Asked(GlobalKeyReply::Nothing));
        assert_eq!(count(&harness, ["mouse buttons do not work", "不支持鼠标按键"][number]), 1);
        harness.get_by_role_and_label(Role::CheckBox, switch).click();
        harness.run();
        for (reply, words) in &asked {
            let screen = harness.state_mut().screen.as_mut().unwrap();
            screen.set_elsewhere(GlobalKeySupport::Asked(reply.clone()));
            assert_eq!(screen.talk_refused(), None);
            harness.run();
            let [english, chinese] = words;
            assert_eq!(count(&harness, [english, chinese][number]), 1, "{reply:?}");
        }
        // A mouse button is not requested from the desktop.
        let button = onair::studio::PushToTalkKey::named("mouse-4").unwrap();
        let ctx = harness.ctx.clone();
        let screen = harness.state_mut().screen.as_mut().unwrap();
        let with_button = Preferences { push_to_talk_key: button, ..screen.preferences().clone() };
        screen.set_preferences(&ctx, with_button);
        harness.run();
        let words =
            ["The mouse button works only in onair's window", "鼠标按键只在 onair 窗口中有效"];
        assert_eq!(count(&harness, words[number]), 1);
    }
}

#[test]
fn a_global_hotkey_in_the_window_goes_by_its_page() {
    let mut harness = open("mixer");
    let ctx = harness.ctx.clone();
    for (page, muted) in
        [(Page::Studio, Command::SetMuted(true)), (Page::Watch, Command::SetPlayerMuted(true))]
    {
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.set_page(page);
        screen.press(&ctx, onair::ui::Action::Mute);
        assert!(commands(&mut harness).contains(&muted), "{page:?}");
    }
}

#[test]
fn where_the_desktop_refuses_the_switch_goes_off_and_asks_again() {
    let mut harness = settings(Language::English, GlobalKeySupport::Asked(GlobalKeyReply::Waits));
    let everywhere = "Use in other windows";
    let on = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().unwrap().preferences().push_to_talk_everywhere
    };
    harness.get_by_role_and_label(Role::CheckBox, everywhere).click();
    harness.run();
    assert!(on(&harness));
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.set_elsewhere(GlobalKeySupport::Asked(GlobalKeyReply::Refused));
    // Hotkeys that the desktop granted earlier stay.
    let names = ["mute", "record"].map(str::to_owned);
    let mut preferences = screen.preferences().clone();
    preferences.hotkeys.other_windows = BTreeSet::from(names);
    screen.set_preferences(&ctx, preferences);
    let refusable = ["talk", "record"].map(str::to_owned).to_vec();
    screen.set_global_hotkeys(GlobalHotkeys { refusable, ..GlobalHotkeys::default() });
    let Some(Command::SetPreferences { preferences: kept, .. }) = screen.talk_refused() else {
        panic!("not kept")
    };
    assert!(!kept.push_to_talk_everywhere);
    assert!(kept.hotkeys.other_windows.iter().eq(["mute"]));
    // The refusal is handled only once.
    assert_eq!(screen.talk_refused(), None);
    harness.run();
    assert!(!on(&harness));
    assert!(
        harness
            .query_all_by_label_contains("To be asked again, turn this switch on")
            .next()
            .is_some()
    );
    harness.get_by_role_and_label(Role::CheckBox, everywhere).click();
    harness.run();
    assert!(on(&harness));
}
