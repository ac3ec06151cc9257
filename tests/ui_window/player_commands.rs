//! Tests of the player's commands. As with all other commands, the palette finds them and users can
//! assign hotkeys.

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
