//! Tests of the player's commands and notices. As with all other commands, the palette finds them
//! and users can assign hotkeys.

use onair::player::FailureKind;
use onair::text::problem::problem;

use super::watch::laid;
use super::*;

#[test]
fn commands_about_players_are_found_run_from_any_page_and_have_hotkeys_of_ones_own() {
    // By the palette, from the Studio page.
    let mut harness = open("idle");
    harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Playing);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("audio 10 ms later".into()));
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::Player(WatchCommand::StepAvOffset(10))]);
    assert_eq!(harness.state().screen.as_ref().unwrap().page(), Page::Watch);

    // Another letter takes the place of the usual one, which does nothing any more.
    let mut harness = open("watching");
    let chosen = "[hotkeys.keys]\nwatch-audio-later = 'O'\n";
    let (settings, _) = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, format!("version = 2\n{chosen}")).unwrap();
        onair::studio::Settings::read(&path)
    };
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    let hotkeys = settings.preferences.hotkeys;
    screen.set_preferences(&ctx, Preferences { hotkeys, ..screen.preferences().clone() });
    harness.run();
    harness.state().demo.taken();
    harness.key_press(Key::K);
    assert_eq!(commands(&mut harness), []);
    harness.key_press(Key::O);
    assert_eq!(commands(&mut harness), [Command::Player(WatchCommand::StepAvOffset(10))]);
    // Keys that players share stay.
    harness.key_press(Key::ArrowUp);
    assert_eq!(commands(&mut harness), [Command::StepVolume(0.05)]);
}

/// Clicks on the video, which gives it the keyboard focus.
pub(super) fn click_video(harness: &mut Harness<'static, Window>) {
    harness.get_by_label("Player video").click();
    harness.run();
    assert!(harness.get_by_label("Player video").is_focused());
}

#[test]
fn letters_act_on_a_player_only_while_its_frame_has_the_focus() {
    let mut harness = open("watching");
    let sends = |harness: &mut Harness<'static, Window>, key| {
        harness.key_press(key);
        commands(harness)
    };
    let later = [Command::Player(WatchCommand::StepAvOffset(10))];
    // At the start, the keys belong to the frame.
    assert_eq!(sends(&mut harness, Key::K), later);
    // A click on a button takes the letters away, but not the keys that enter no text.
    let mute = [Command::SetPlayerMuted(true)];
    assert_eq!(click(&mut harness, "Mute the player"), mute);
    for key in [Key::K, Key::M, Key::R, Key::Num9, Key::Plus] {
        assert_eq!(sends(&mut harness, key), [], "{key:?}");
    }
    assert!(!harness.state().requests.contains(&WindowRequest::WatchSave), "R was pressed");
    let pause = [Command::Player(WatchCommand::Pause(true))];
    assert_eq!(sends(&mut harness, Key::Space), pause);
    // A click on the video gives them back, and so does Tab.
    click_video(&mut harness);
    assert_eq!(sends(&mut harness, Key::K), later);
    assert_eq!(sends(&mut harness, Key::ArrowUp), [Command::StepVolume(0.05)]);
    harness.get_by_label("Video and buffer").focus();
    harness.run();
    assert_eq!(sends(&mut harness, Key::K), []);
    harness.get_by_label("Player video").focus();
    harness.run();
    assert_eq!(sends(&mut harness, Key::K), later);
    assert_eq!(sends(&mut harness, Key::ArrowDown), [Command::StepVolume(-0.05)]);
    assert!(harness.get_by_label("Player video").is_focused(), "the arrow keys leave it there");
    // Enter in the address field plays, and the keys then belong to the frame.
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    assert!(matches!(sends(&mut harness, Key::Enter)[..], [Command::Watch { .. }]));
    assert_eq!(sends(&mut harness, Key::K), later);
}

#[test]
fn letters_act_on_a_player_only_once_it_plays_the_entered_address() {
    let mut harness = open("watch-idle");
    let set = |harness: &mut Harness<'static, Window>, state: WatchState| {
        harness.state().demo.change(|snapshot| snapshot.watch = state);
        harness.run();
    };
    let enter = |harness: &mut Harness<'static, Window>| {
        assert!(harness.get_by_role_and_label(Role::TextInput, "Stream address").is_focused());
        // The simulated player would play from the next frame on.
        harness.key_down(Key::Enter);
        harness.step();
        assert!(matches!(harness.state().demo.taken()[..], [Command::Watch { .. }]));
        set(harness, WatchState::Opening { stage: None });
        harness.key_up(Key::Enter);
    };
    let typed = |harness: &mut Harness<'static, Window>| {
        harness.key_press(Key::K);
        commands(harness)
    };
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    enter(&mut harness);
    assert_eq!(typed(&mut harness), [], "nothing plays yet");
    let cause = problem!("player-too-slow");
    set(&mut harness, WatchState::Failed { cause, kind: FailureKind::NoSuchStream });
    assert_eq!(typed(&mut harness), []);
    harness.event(egui::Event::Text("/film.flv".into()));
    harness.run();
    let field = harness.get_by_role_and_label(Role::TextInput, "Stream address");
    assert_eq!(field.accesskit_node().value().as_deref(), Some("/film.flv"));
    enter(&mut harness);
    set(&mut harness, WatchState::Playing);
    assert_eq!(typed(&mut harness), [Command::Player(WatchCommand::StepAvOffset(10))]);
}

#[test]
fn each_enter_in_the_address_field_is_followed_to_its_own_end() {
    let mut harness = open("watch-idle");
    let enter = |harness: &mut Harness<'static, Window>, state: WatchState| {
        assert!(harness.get_by_role_and_label(Role::TextInput, "Stream address").is_focused());
        harness.key_down(Key::Enter);
        harness.step();
        assert!(matches!(harness.state().demo.taken()[..], [Command::Watch { .. }]));
        harness.state().demo.change(|snapshot| snapshot.watch = state);
        harness.key_up(Key::Enter);
        harness.run();
    };
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    // The same address fails in the same way again.
    for _ in 0..2 {
        let cause = problem!("player-too-slow");
        enter(&mut harness, WatchState::Failed { cause, kind: FailureKind::NoSuchStream });
    }
    assert!(harness.get_by_role_and_label(Role::TextInput, "Stream address").is_focused());
    // Another stream plays until the entered one opens.
    let play = |harness: &mut Harness<'static, Window>| {
        harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Playing);
        harness.run();
    };
    play(&mut harness);
    enter(&mut harness, WatchState::Opening { stage: None });
    let typed = |harness: &mut Harness<'static, Window>| {
        harness.key_press(Key::K);
        commands(harness)
    };
    assert_eq!(typed(&mut harness), []);
    play(&mut harness);
    assert_eq!(typed(&mut harness), [Command::Player(WatchCommand::StepAvOffset(10))]);
    // The previous stream reconnects and plays again before the entered one opens.
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    harness.key_down(Key::Enter);
    harness.step();
    assert!(matches!(harness.state().demo.taken()[..], [Command::Watch { .. }]));
    let change = |harness: &mut Harness<'static, Window>, state: WatchState, begins: u64| {
        harness.state().demo.change(|snapshot| {
            snapshot.watch = state;
            snapshot.watch_attempts += begins;
        });
        harness.run();
    };
    harness.state().demo.change(|snapshot| snapshot.watch_attempts -= 1);
    harness.key_up(Key::Enter);
    change(&mut harness, WatchState::Reconnecting { cause: problem!("player-too-slow") }, 0);
    change(&mut harness, WatchState::Playing, 0);
    assert_eq!(typed(&mut harness), []);
    change(&mut harness, WatchState::Playing, 1);
    assert_eq!(typed(&mut harness), [Command::Player(WatchCommand::StepAvOffset(10))]);
}

/// Where there is room, the icons below the player have labels, first those that are hardest to
/// recognize.
#[test]
fn the_controls_have_labels_where_there_is_room() {
    let labels =
        ["Audio", "Video", "Statistics", "Record", "Picture in picture", "Separate window"];
    let opened = |state, width: f32| {
        let size = Vec2::new(width, 720.0);
        open_as(state, size, preferences(Language::English, Theme::Dark))
    };
    let painted = |width| {
        let harness = opened("watching", width);
        let bar = harness.get_by_label("Full screen").rect().with_min_x(0.0);
        let in_bar = |shape: &egui::Shape| shape.visual_bounding_rect().intersects(bar);
        labels.map(|words| {
            let shapes = harness.output().shapes.iter().map(|it| &it.shape);
            shapes.filter(|it| in_bar(it)).any(|it| laid(it, words))
        })
    };
    assert_eq!(painted(960.0), [false; 6]);
    assert_eq!(painted(1_280.0)[..4], [true; 4]);
    assert_eq!(painted(1_920.0), [true; 6]);
    // With the longest position at the left, nothing overlaps.
    for width in [960.0, 1_100.0, 1_280.0, 1_500.0, 1_920.0] {
        let harness = opened("watch-behind", width);
        let names = [
            "Live",
            "Stop recording this stream",
            "Take a screenshot",
            "Audio: balance, offset, speaker",
            "Video and buffer",
            "Statistics overlay",
            "Separate window",
            "Picture in picture",
            "Full screen",
        ];
        let rects = names.map(|name| harness.get_by_label(name).rect());
        for (place, pair) in rects.windows(2).enumerate() {
            assert!(pair[1].left() >= pair[0].right(), "{width}: {}: {pair:?}", names[place]);
        }
    }
}

/// Nothing covers the video but the state of the player itself.
#[test]
fn a_notice_about_a_player_is_in_the_health_bar_and_the_tray_and_not_over_the_video() {
    let words = "This computer is too slow to decode the video, so the player skips frames.";
    for state in ["watching", "watch-wall"] {
        let mut harness = open(state);
        harness.state().demo.change(|snapshot| {
            snapshot.notices.push(Notice {
                target: None,
                id: 7,
                problem: problem!("player-too-slow"),
                level: Level::Warning,
                detail: String::new(),
                file: None,
                remedies: Vec::new(),
                wall_micros: 0,
                times: 1,
            });
        });
        harness.run();
        let places: Vec<_> = harness.query_all_by_label(words).map(|it| it.rect()).collect();
        assert_eq!(places.len(), 1, "{state}: {places:?}");
        assert!(places[0].bottom() < 120.0, "{state}: the health bar, and not {places:?}");
        harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
        harness.run();
        harness.get_by_role_and_label(Role::ListItem, words);
    }
}
