//! Runs every command of the table in states in which it is possible. Something visible must happen.

use onair::studio::live::recording::library::view::FileState;
use onair::studio::settings::PanelLayout;
use onair::studio::settings::hotkeys::ChosenHotkey;
use onair::ui::Action;

use super::building::SCENE;
use super::*;

/// Returns the states in which a command is tried, until it has an effect.
fn states(action: Action) -> &'static [&'static str] {
    match action.name() {
        name if name.starts_with("watch-") => {
            &["idle", "watching", "watch-behind", "watch-file", "on-air"]
        }
        name if name.starts_with("recording") => &["idle", "recordings"],
        name if name.starts_with("media-") => &["idle", "media"],
        "chapter" | "pause-recording" => &["idle", "recording"],
        "clear-clip" => &["idle", "clipped"],
        // Only one of the targets reconnects.
        "retry" => &["targets"],
        "remedy" => &["idle", "notices"],
        "studio" | "mute-player" => &["idle", "watching"],
        _ => &["idle", "media", "on-air"],
    }
}

/// Makes everything possible that no state shows.
fn prepare(harness: &mut Harness<'static, Window>, action: Action) {
    harness.state().demo.change(|snapshot| {
        (snapshot.scenes.can_undo, snapshot.scenes.can_redo) = (true, true);
        snapshot.server.play_key = true;
        snapshot.loudness.integrated_lufs.get_or_insert(-16.0);
        if action == Action::SaveReplay {
            snapshot.replay = Some(onair::studio::snapshot::ReplayFigures {
                filled: Duration::from_secs(9),
                room: Duration::from_secs(30),
            });
        }
        if action == Action::Transition {
            snapshot.scenes.preview_scene = Some(snapshot.scenes.collection.current);
        }
    });
    if action.scene().is_some() {
        for number in 2..10 {
            apply(harness, &Edit::AddScene(format!("Scene {number}")));
        }
    }
    let is_there = |harness: &Harness<'static, Window>, name: &str| {
        harness.query_all_by_role_and_label(Role::RadioButton, name).next().is_some()
    };
    if action.is_about_scene() {
        apply(harness, &Edit::AddScene("Second".to_owned()));
    }
    if action == Action::SceneUp {
        let current = harness.state().demo.snapshot().scenes.collection.current;
        apply(harness, &Edit::MoveScene(current, 1));
    }
    if is_there(harness, "Opening") {
        let grouped: &[u32] = match action {
            Action::Ungroup => &[3],
            Action::ItemIntoGroup => &[1, 2],
            Action::ItemOutOfGroup => &[2, 3],
            _ => &[],
        };
        if !grouped.is_empty() {
            apply(harness, &Edit::Group(grouped.iter().map(|id| ItemId(*id)).collect()));
        }
        if action == Action::ItemInteract {
            let (name, choice) =
                ("Page".to_owned(), "browser:https://page.example/".parse().unwrap());
            apply(harness, &Edit::AddSource { scene: SCENE, name, choice });
        }
        let name = match action {
            Action::Ungroup => "Group",
            Action::ItemInteract => "Page",
            // This item is not the topmost one.
            Action::ItemUp | Action::ItemTop => "Album",
            _ => "Opening",
        };
        source(harness, name).click();
        harness.run();
    }
    let is_recording = |row: &egui_kittest::Node<'_>| {
        row.accesskit_node().label().is_some_and(|label| label.starts_with("interview.mp4"))
    };
    let row = harness.query_all_by_role(Role::RadioButton).find(is_recording);
    let is_listed = row.is_some_and(|row| {
        row.click();
        true
    });
    if is_listed {
        harness.run();
        if action == Action::RecordingRepair {
            harness.state().demo.change(|snapshot| {
                let recordings = std::sync::Arc::make_mut(&mut snapshot.recordings);
                let FileState::Known(details) = &mut recordings.files[2].state else { panic!() };
                std::sync::Arc::make_mut(details).unfinished = true;
            });
        }
    }
    let press = |harness: &mut Harness<'static, Window>, key| {
        harness.key_press_modifiers(Modifiers::COMMAND | Modifiers::ALT, key);
        harness.run();
    };
    match action {
        Action::Paste => press(harness, Key::F1),
        Action::PasteTransform => press(harness, Key::F5),
        Action::CloseProjectors => press(harness, Key::F2),
        Action::ZoomOut | Action::ZoomFit => press(harness, Key::F3),
        Action::WatchZoomOut => press(harness, Key::F4),
        Action::RecordingCopy
            if harness.query_by_role_and_label(Role::ComboBox, "File format").is_some() =>
        {
            drop(choose(harness, "File format", "MKV"));
        }
        _ => {}
    }
    // Stored selections and scrolling settle.
    for _ in 0..3 {
        harness.run();
    }
}

/// Returns true if a command has an effect in this state: a command or another request, another
/// page, dialog or setting, copied text, or other words in the window.
fn acts(action: Action, state: &str) -> bool {
    let mut chosen = preferences(Language::English, Theme::Dark);
    match action {
        Action::LayoutSimple => chosen.panels.layout = "monitor".to_owned(),
        Action::ResetSize => chosen.ui_scale = Some(110),
        Action::LayoutReset | Action::LayoutDelete => {
            let name = if action == Action::LayoutReset { "simple" } else { "Mine" };
            let other = PanelLayout::preset("monitor").unwrap();
            chosen.panels.layouts.insert(name.to_owned(), other);
            chosen.panels.layout = name.to_owned();
        }
        _ => {}
    }
    for (name, keys) in [
        ("copy", "Ctrl+Alt+F1"),
        ("program-window", "Ctrl+Alt+F2"),
        ("zoom-in", "Ctrl+Alt+F3"),
        ("watch-zoom-in", "Ctrl+Alt+F4"),
        ("copy-transform", "Ctrl+Alt+F5"),
        (action.name(), "Ctrl+Alt+F12"),
    ] {
        chosen.hotkeys.keys.insert(name.to_owned(), ChosenHotkey(keys.parse().ok()));
    }
    let mut harness = open_as(state, Vec2::new(1280.0, 720.0), chosen);
    prepare(&mut harness, action);
    harness.state_mut().requests.clear();
    harness.run();
    let quiet = &harness.state().requests;
    assert!(quiet.is_empty(), "{} in {state} before: {quiet:?}", action.name());
    let seen = |harness: &Harness<'static, Window>| {
        let screen = harness.state().screen.as_ref().unwrap();
        let focused = harness.root().children_recursive().find(|node| node.is_focused());
        let focused = focused.and_then(|node| node.accesskit_node().label());
        (screen.page(), screen.dialog(), screen.preferences().clone(), shown(harness), focused)
    };
    let before = seen(&harness);
    // With a single event, the output of its frame can be read.
    harness.event(egui::Event::Key {
        key: Key::F12,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::COMMAND | Modifiers::ALT,
    });
    let mut copied = false;
    for _ in 0..4 {
        harness.step();
        let output = &harness.output().platform_output;
        copied |= output.commands.iter().any(|it| matches!(it, egui::OutputCommand::CopyText(_)));
    }
    copied
        || !harness.state().requests.is_empty()
        || harness.state().closed
        || seen(&harness) != before
}

#[test]
fn every_command_does_something_where_it_is_possible() {
    let is_silent = |action: &&Action| !states(**action).iter().any(|state| acts(**action, state));
    let silent: Vec<&str> = Action::ALL.iter().filter(is_silent).map(|it| it.name()).collect();
    assert!(silent.is_empty(), "nothing happens after: {silent:?}");
}
