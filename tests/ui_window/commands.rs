//! Tests of commands: in the palette and as hotkeys. Hotkeys without a modifier work only while the
//! canvas or a list has the focus.

use onair::studio::command::PartCommand;
use onair::studio::settings::hotkeys::ChosenHotkey;
use onair::studio::settings::part::PartKind;

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
fn the_palette_finds_each_kind_of_object_by_its_name() {
    let mut harness = open("custom");
    let strips = open("mixer").state().demo.snapshot().strips;
    let scene = harness.state().demo.snapshot().scenes.collection.current;
    let source = Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
    building::make(&mut harness, &[Edit::AddScene("Talk".into()), source]);
    harness.state().demo.change(|snapshot| {
        snapshot.strips = strips;
        let parts = std::sync::Arc::make_mut(&mut snapshot.parts);
        parts.collections.push("Friday show".to_owned());
        parts.profiles.push("Evening".to_owned());
    });
    harness.run();
    // The palette says if nothing matches.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("no such thing".into()));
    harness.run();
    harness.get_by_label("No matches");
    harness.key_press(Key::Escape);
    drop(commands(&mut harness));
    palette(&mut harness, "talk");
    assert_eq!(commands(&mut harness), [Command::SwitchScene(scene::SceneId(2))]);
    let used = |kind, name: &str| Command::Part(PartCommand::Use(kind, name.to_owned()));
    palette(&mut harness, "friday");
    assert_eq!(commands(&mut harness), [used(PartKind::Collection, "Friday show")]);
    palette(&mut harness, "evening");
    assert_eq!(commands(&mut harness), [used(PartKind::Profile, "Evening")]);
    // An audio source opens in the mixer.
    palette(&mut harness, "music");
    harness.run();
    harness.run();
    let dialog = harness.state().screen.as_ref().unwrap().dialog();
    assert_eq!(dialog, Some(Dialog::Mixer));
    let name = harness.get_by_role_and_label(Role::TextInput, "Name");
    assert_eq!(name.accesskit_node().value().as_deref(), Some("Music"));
    harness.key_press(Key::Escape);
    harness.run();
    // A source opens in the inspector, and a target in its card.
    palette(&mut harness, "logo");
    harness.run();
    harness.run();
    harness.get_by_label("Properties of Logo");
    assert!(harness.query_by_role_and_label(Role::TextInput, "Server").is_none());
    palette(&mut harness, "live.example");
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Server");
}

/// Opens the palette and types this query. Returns the lines with their descriptions, and whether
/// they are possible.
fn found(harness: &mut Harness<'static, Window>, query: &str) -> Vec<(String, String, bool)> {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text(query.into()));
    harness.run();
    let each = |node: egui_kittest::Node<'_>| {
        let node = node.accesskit_node();
        let description = node.data().description().unwrap_or_default().to_owned();
        (node.label().unwrap_or_default(), description, !node.is_disabled())
    };
    harness.get_all_by_role(Role::MenuItem).map(each).collect()
}

#[test]
fn the_palette_finds_a_setting_by_its_explanation() {
    let lines = found(&mut open("idle"), "text size");
    for wanted in ["Interface size", "Larger interface", "Smaller interface"] {
        assert!(lines.iter().any(|(name, ..)| name == wanted), "{wanted}: {lines:?}");
    }
}

#[test]
fn impossible_commands_are_found_last_with_the_reason_and_do_nothing() {
    let mut harness = open("idle");
    let why = "Turn on the replay buffer first.";
    let lines = found(&mut harness, "replay");
    let place = |name: &str| lines.iter().position(|(line, ..)| line == name).unwrap();
    let (on, save) = (place("Turn the replay buffer on or off"), place("Save replay"));
    assert!(lines[on].2 && on < save, "{lines:?}");
    assert_eq!(lines[save], ("Save replay".to_owned(), why.to_owned(), false));
    // Commands with a similar explanation follow.
    assert!(lines[..save].iter().all(|(.., possible)| *possible), "{lines:?}");
    harness.key_press(Key::Escape);
    harness.run();
    // Without a query, only possible commands are listed.
    let lines = found(&mut harness, "");
    assert!(lines.iter().all(|(.., possible)| *possible), "{lines:?}");
    harness.key_press(Key::Escape);
    harness.run();
    // Enter says the reason, and the palette stays open.
    found(&mut harness, "save replay");
    assert!(harness.query_by_role_and_label(Role::Status, why).is_none());
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), []);
    let status = harness.get_by_role_and_label(Role::Status, why);
    assert!(status.accesskit_node().data().live() == Some(egui::accesskit::Live::Polite));
    assert!(!harness.state().requests.contains(&WindowRequest::SaveReplay));
    let screen = harness.state().screen.as_ref().unwrap();
    assert_eq!(screen.dialog(), Some(Dialog::Palette));
}

#[test]
fn the_palette_stays_in_place_while_the_user_types() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    // The list has its whole height after a few frames.
    harness.run_steps(8);
    let top = |harness: &Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::TextInput, "Commands").rect().top()
    };
    let before = top(&harness);
    // The first query has few matches, and the second one has none.
    for text in ["undo", "zzz"] {
        harness.event(egui::Event::Text(text.into()));
        harness.run_steps(8);
        assert!((top(&harness) - before).abs() < 0.5, "{text}: {before} {}", top(&harness));
    }
    harness.get_by_label("No matches");
}

#[test]
fn enter_runs_no_command_that_the_user_did_not_select() {
    let mut harness = open("idle");
    let lines = found(&mut harness, "");
    assert_eq!(lines[0].0, "Go live or stop");
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), []);
    let dialog =
        |harness: &Harness<'static, Window>| harness.state().screen.as_ref().unwrap().dialog();
    assert_eq!(dialog(&harness), Some(Dialog::Palette));
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::GoLive]);
}

#[test]
fn a_screen_reader_announces_the_line_to_which_the_arrow_keys_move() {
    let mut harness = open("idle");
    let lines = found(&mut harness, "");
    for (key, place) in [(Key::ArrowDown, 0), (Key::ArrowDown, 1), (Key::ArrowUp, 0)] {
        harness.key_press(key);
        harness.run();
        let status = harness.get_by_role_and_label(Role::Status, &lines[place].0);
        let live = status.accesskit_node().data().live();
        assert_eq!(live, Some(egui::accesskit::Live::Polite));
    }
}

#[test]
fn the_button_of_a_replay_says_whether_the_buffer_is_off_or_empty() {
    for (length, tip) in [
        (None, "Turn on the replay buffer first."),
        (Some(30), "The replay buffer fills while you are live or recording."),
    ] {
        let mut harness = open("idle");
        harness.state().demo.change(|snapshot| {
            snapshot.preferences.recording.replay = length.map(Duration::from_secs);
        });
        harness.run();
        let button = harness.get_by_label_contains("Save replay").rect();
        harness.hover_at(button.center());
        (0..8).for_each(|_| harness.step());
        assert!(shown(&harness).iter().any(|name| name == tip), "{:?}", shown(&harness));
        // Without a buffer, a click shows the setting that turns it on.
        harness.get_by_label_contains("Save replay").click();
        harness.run();
        harness.run();
        let dialog = harness.state().screen.as_ref().unwrap().dialog();
        assert_eq!(dialog, length.is_none().then_some(Dialog::Settings));
        let is_shown = shown(&harness).iter().any(|name| name == "Replay buffer");
        assert_eq!(is_shown, length.is_none());
    }
}

#[test]
fn the_hotkey_of_a_replay_without_a_buffer_is_not_silent() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::S);
    harness.run();
    assert!(harness.state().requests.contains(&WindowRequest::SaveReplay), "the studio reports it");
}

#[test]
fn the_hotkeys_of_a_recording_are_not_silent_without_one() {
    let mut harness = open("idle");
    for (key, command) in
        [(Key::P, Command::PauseRecording), (Key::B, Command::Chapter(String::new()))]
    {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        assert_eq!(commands(&mut harness), [command], "the studio reports it");
    }
}

#[test]
fn the_replay_buffer_is_turned_off_and_on_with_its_length() {
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.recording.replay = Some(Duration::from_secs(75));
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chosen);
    let replay = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().unwrap().preferences().recording.replay
    };
    for wanted in [None, Some(Duration::from_secs(75))] {
        palette(&mut harness, "turn the replay buffer");
        harness.run();
        assert_eq!(replay(&harness), wanted);
        assert!(harness.state().requests.contains(&WindowRequest::Preferences));
    }
    let mut harness = open("idle");
    palette(&mut harness, "turn the replay buffer");
    harness.run();
    assert_eq!(replay(&harness), Some(Duration::from_secs(30)));
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
    let mutes = |harness: &mut Harness<'static, Window>| {
        harness.key_press(Key::M);
        match commands(harness)[..] {
            [] => false,
            [Command::SetMuted(_)] => true,
            ref other => panic!("{other:?}"),
        }
    };
    // At the start, the keys belong to the canvas.
    assert!(mutes(&mut harness));
    // A button has the focus.
    harness.get_by_label("Go Live").focus();
    harness.run();
    assert!(!mutes(&mut harness));
    // A list has the focus.
    harness.get_all_by_role(Role::RadioButton).next().unwrap().focus();
    harness.run();
    assert!(mutes(&mut harness));
    // A click on a button takes the keys from the canvas, although no control has the focus.
    let clicks = |harness: &mut Harness<'static, Window>, at: egui::Pos2| {
        harness.hover_at(at);
        harness.run();
        for pressed in [true, false] {
            let (button, modifiers) = (egui::PointerButton::Primary, Modifiers::NONE);
            harness.event(egui::Event::PointerButton { pos: at, button, pressed, modifiers });
            harness.run();
        }
        drop(commands(harness));
    };
    let button = harness.get_by_label("Mute Yeti Stereo Microphone").rect().center();
    let canvas = harness.get_by_role(Role::Canvas).rect();
    let row = source(&harness, "HD Pro Webcam C920").rect().center();
    // This place is below the scenes and sources.
    let empty = egui::pos2(60.0, canvas.bottom() - 20.0);
    for back in [canvas.center(), row, empty] {
        clicks(&mut harness, button);
        assert!(!mutes(&mut harness), "{back:?}");
        clicks(&mut harness, back);
        assert!(mutes(&mut harness), "{back:?}");
    }
    // Escape gives them back to the canvas, too.
    clicks(&mut harness, button);
    assert!(!mutes(&mut harness));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(mutes(&mut harness));
    // After a dialog, they belong where they belonged before.
    harness.key_press(Key::F1);
    harness.run();
    click(&mut harness, "Close");
    assert!(mutes(&mut harness));
    // This combination is not a hotkey.
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
    harness.get_by_label("Hotkey for Start or stop recording: Ctrl+F12");
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
    assert!(!harness.state().requests.contains(&WindowRequest::Record));
    harness.key_press(Key::F9);
    assert_eq!(commands(&mut harness), [Command::GoLive]);
}

#[test]
fn the_description_of_a_command_is_below_the_list_and_covers_no_command() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("record".into()));
    harness.run();
    let line = |harness: &Harness<'static, Window>| {
        let line = harness.get_by_role_and_label(Role::MenuItem, "Start or stop recording");
        (line.rect().center(), line.accesskit_node().data().description().map(str::to_owned))
    };
    let (at, description) = line(&harness);
    assert_eq!(
        description.as_deref(),
        Some("Records the program to a file in the recordings folder.")
    );
    harness.hover_at(at);
    harness.run_steps(8);
    // A tooltip would add a label with these words.
    assert!(!shown(&harness).iter().any(|it| it.contains("Records the program to a file")));
}

/// Opens the window with these hotkeys in addition to the default ones.
fn with_hotkeys(state: &str, hotkeys: &[(&str, &str)]) -> Harness<'static, Window> {
    let mut chosen = preferences(Language::English, Theme::Dark);
    for (name, keys) in hotkeys {
        chosen.hotkeys.keys.insert((*name).to_owned(), ChosenHotkey(keys.parse().ok()));
    }
    open_as(state, Vec2::new(1280.0, 720.0), chosen)
}

#[test]
fn things_with_a_name_have_commands_with_hotkeys() {
    let strips = open("mixer").state().demo.snapshot().strips;
    let strip = strips.last().unwrap().clone();
    let hotkeys = [
        (format!("mute:{}", strip.name), "Ctrl+F2"),
        ("target:".to_owned(), "Ctrl+F3"),
        ("scene:No such scene".to_owned(), "Ctrl+F4"),
        ("profile:Fast".to_owned(), "Ctrl+F5"),
        ("collection:Talk".to_owned(), "Ctrl+F6"),
    ];
    let hotkeys: Vec<_> = hotkeys.iter().map(|(name, keys)| (&**name, *keys)).collect();
    let mut harness = with_hotkeys("idle", &hotkeys);
    let mut enabled = false;
    harness.state().demo.change(|snapshot| {
        snapshot.strips = strips;
        enabled = snapshot.targets.iter().any(|it| it.target.is_built_in() && it.target.enabled);
        let parts = std::sync::Arc::make_mut(&mut snapshot.parts);
        parts.profiles.push("Fast".to_owned());
        parts.collections.push("Talk".to_owned());
    });
    harness.run();
    let press = |harness: &mut Harness<'static, Window>, key| {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        commands(harness)
    };
    let before = strip.audio.strip.clone();
    let muted = Strip { muted: !before.muted, ..before.clone() };
    let wanted = Command::SetStrip { id: strip.audio.id, before, strip: muted };
    assert_eq!(press(&mut harness, Key::F2), [wanted]);
    let sent = press(&mut harness, Key::F3);
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((target.is_built_in(), target.enabled), (true, !enabled));
    // A hotkey for a scene that does not exist has no effect.
    assert_eq!(press(&mut harness, Key::F4), []);
    let used = |kind, name: &str| Command::Part(PartCommand::Use(kind, name.to_owned()));
    assert_eq!(press(&mut harness, Key::F5), [used(PartKind::Profile, "Fast")]);
    assert_eq!(press(&mut harness, Key::F6), [used(PartKind::Collection, "Talk")]);
}

#[test]
fn a_source_is_shown_and_hidden_by_its_name_and_a_scene_beyond_the_ninth_has_a_hotkey() {
    let mut harness = with_hotkeys("idle", &[("scene:Tenth", "Ctrl+F7")]);
    let scene = harness.state().demo.snapshot().scenes.collection.current;
    let add = Edit::AddSource { scene, name: "Logo".into(), choice: VideoChoice::Test };
    apply(&mut harness, &add);
    for index in 0..9 {
        let name = if index < 8 { format!("Scene {index}") } else { "Tenth".to_owned() };
        apply(&mut harness, &Edit::AddScene(name));
    }
    harness.run();
    drop(commands(&mut harness));
    palette(&mut harness, "show or hide logo");
    let sent = commands(&mut harness);
    let [Command::EditProgram(Edit::Several(edits))] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(matches!(edits[..], [Edit::HideItem(_, true)]), "{edits:?}");
    let scenes = harness.state().demo.snapshot().scenes.collection.scenes.clone();
    let tenth = scenes.iter().find(|scene| scene.name == "Tenth").unwrap();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F7);
    let sent = commands(&mut harness);
    assert_eq!(sent, [Command::SwitchScene(tenth.id)]);
}

#[test]
fn a_named_command_gets_a_hotkey_and_conflicts_are_reported() {
    let mut harness = with_hotkeys("idle", &[("target:", "Ctrl+R")]);
    settings_page(&mut harness, "Hotkeys");
    harness.get_by_label("Hotkey for Turn the target Built-in server on or off: Ctrl+R");
    let conflicts: Vec<String> =
        shown(&harness).into_iter().filter(|it| it.starts_with("Also the hotkey for: ")).collect();
    assert_eq!(conflicts.len(), 2, "{conflicts:?}");
    assert!(conflicts.iter().any(|it| it.contains("Built-in server")), "{conflicts:?}");
    let remove = "Remove the hotkey for Turn the target Built-in server on or off";
    harness.get_by_label(remove).click_accesskit();
    harness.run();
    let kept = harness.state().screen.as_ref().unwrap().preferences();
    assert!(kept.hotkeys.keys.is_empty(), "{:?}", kept.hotkeys.keys);
}

#[test]
fn a_changed_hotkey_moves_no_button() {
    let place = |hotkeys: &[(&str, &str)]| {
        let mut harness = with_hotkeys("idle", hotkeys);
        settings_page(&mut harness, "Hotkeys");
        harness.get_by_label("Remove the hotkey for Go live or stop").rect().left()
    };
    assert_eq!(place(&[]), place(&[("go-live", "Ctrl+F7")]));
}

#[test]
fn selected_items_are_edited_by_commands() {
    let hotkeys = [
        ("show-hide", "Ctrl+F2"),
        ("lock", "Ctrl+F3"),
        ("align-left", "Ctrl+F4"),
        ("duplicate", "Ctrl+F5"),
        ("copy", "Ctrl+F6"),
        ("paste", "Ctrl+F7"),
        ("delete", "Ctrl+F8"),
        ("group", "Ctrl+F9"),
    ];
    let mut harness = with_hotkeys("media", &hotkeys);
    let scene = harness.state().demo.snapshot().scenes.collection.current;
    let press = |harness: &mut Harness<'static, Window>, key| {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        commands(harness)
    };
    let select = |harness: &mut Harness<'static, Window>| {
        source(harness, "Opening").click();
        drop(commands(harness));
    };
    let id = ItemId(3);
    select(&mut harness);
    assert_eq!(press(&mut harness, Key::F2), [Command::Edit(Edit::HideItem(id, true))]);
    assert_eq!(press(&mut harness, Key::F3), [Command::Edit(Edit::LockItem(id, true))]);
    let sent = press(&mut harness, Key::F4);
    let [Command::Edit(Edit::Several(edits))] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(matches!(edits[..], [Edit::SetPlace(of, _)] if of == id), "{edits:?}");
    assert_eq!(press(&mut harness, Key::F6), []);
    let sent = press(&mut harness, Key::F7);
    assert!(
        matches!(&sent[..], [Command::Edit(Edit::Paste(into, _))] if *into == scene),
        "{sent:?}"
    );
    // Without a selection, nothing happens.
    assert_eq!(press(&mut harness, Key::F8), []);
    select(&mut harness);
    assert_eq!(press(&mut harness, Key::F5), [Command::Edit(Edit::DuplicateItem(id))]);
    select(&mut harness);
    let sent = press(&mut harness, Key::F9);
    assert!(
        matches!(&sent[..], [Command::Edit(Edit::Group(ids))] if ids.contains(&id)),
        "{sent:?}"
    );
    select(&mut harness);
    assert_eq!(press(&mut harness, Key::F8), [Command::Edit(Edit::RemoveItem(id))]);
}

#[test]
fn the_palette_edits_the_selected_items_and_the_current_scene() {
    let mut harness = open("media");
    let fit = "Fit the selected items to the canvas";
    let why = |harness: &mut Harness<'static, Window>| {
        let lines = found(harness, fit);
        harness.key_press(Key::Escape);
        harness.run();
        lines.into_iter().find(|(line, ..)| line == fit).map(|(_, why, possible)| (why, possible))
    };
    let no_item = Some(("Select an item first.".to_owned(), false));
    assert_eq!(why(&mut harness), no_item);
    source(&harness, "Opening").click();
    drop(commands(&mut harness));
    palette(&mut harness, fit);
    let whole = scene::Placement::default();
    assert_eq!(commands(&mut harness), [Command::Edit(Edit::SetPlace(ItemId(3), whole))]);
    apply(&mut harness, &Edit::LockItem(ItemId(3), true));
    let locked = Some(("Locked items cannot be moved. Unlock them first.".to_owned(), false));
    assert_eq!(why(&mut harness), locked);
    let scene = harness.state().demo.snapshot().scenes.collection.current;
    palette(&mut harness, "duplicate the current scene");
    assert_eq!(commands(&mut harness), [Command::Edit(Edit::DuplicateScene(scene))]);
    // The name is typed in the list of scenes.
    palette(&mut harness, "rename the current scene");
    harness.run();
    harness.run();
    let sent = building::type_and_enter(&mut harness, "Main two");
    assert_eq!(sent, [Command::Edit(Edit::RenameScene(scene, "Main two".into()))]);
}

#[test]
fn the_server_and_the_network_have_commands() {
    let hotkeys = [("server", "Ctrl+F2"), ("network", "Ctrl+F3"), ("new-play-key", "Ctrl+F4")];
    let mut harness = with_hotkeys("idle", &hotkeys);
    let press = |harness: &mut Harness<'static, Window>, key| {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        commands(harness)
    };
    assert_eq!(press(&mut harness, Key::F2), [Command::Serve(false)]);
    let sent = press(&mut harness, Key::F3);
    assert!(matches!(sent[..], [Command::SetReach(reach)] if reach.http), "{sent:?}");
    assert_eq!(press(&mut harness, Key::F4), [], "viewers need no key");
    harness.state().demo.change(|snapshot| snapshot.server.play_key = true);
    harness.run();
    assert_eq!(press(&mut harness, Key::F4), [Command::NewPlayKey]);
}

#[test]
fn one_line_of_the_palette_is_lit_and_enter_runs_it() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("layout".into()));
    harness.run();
    let line = |harness: &Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::MenuItem, name).rect().center()
    };
    let at = line(&harness, "Layout: Monitor");
    harness.hover_at(line(&harness, "Layout: Simple"));
    harness.run();
    harness.hover_at(at);
    harness.run();
    // The arrow keys start from the line under the pointer, although the pointer does not move.
    harness.key_press(Key::ArrowUp);
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let screen = harness.state().screen.as_ref().unwrap();
    assert_eq!(screen.preferences().panels.layout, "monitor");
}
