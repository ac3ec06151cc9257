//! Tests of the settings: pages, search, defaults, hotkeys, and the limits of streaming services.

use onair::media::BitsPerSecond;
use onair::ui::{GlobalHotkeys, GlobalKeyReply, GlobalKeySupport};

use super::*;

/// Every control that gets the focus is visible, in both directions.
#[test]
fn the_focus_scrolls_into_view() {
    let small = Vec2::new(960.0, 600.0);
    let mut harness = open_as("idle", small, preferences(Language::English, Theme::Dark));
    settings_page(&mut harness, "Hotkeys");
    // The list is beside the search field, and as high as the window allows.
    let top = harness.get_by_role_and_label(Role::TextInput, "Search settings").rect().top() - 0.5;
    let bottom = top + 600.0 - 140.0 + 1.0;
    let mut farthest: f32 = 0.0;
    for (modifiers, presses) in [(Modifiers::NONE, 60), (Modifiers::SHIFT, 40)] {
        for press in 0..presses {
            harness.key_press_modifiers(modifiers, Key::Tab);
            harness.run();
            let focused = harness.root().children_recursive().find(|node| node.is_focused());
            let Some(node) = focused else { continue };
            let (rect, name) = (node.rect(), node.accesskit_node().label());
            if name.as_deref().is_some_and(|name| name.starts_with("Hotkey for")) {
                let what = format!("{modifiers:?} {press}: {name:?} {rect:?}, {top} to {bottom}");
                assert!(rect.top() >= top && rect.bottom() <= bottom, "{what}");
                farthest = farthest.max(press as f32);
            }
        }
    }
    assert!(farthest > 50.0, "the list has the focus until {farthest}");
}

/// In a window that is smaller than the page, the focus scrolls the page around the panels, too.
#[test]
fn the_focus_scrolls_all_areas_around_it() {
    let size = Vec2::new(560.0, 380.0);
    let mut harness = open_as("idle", size, preferences(Language::English, Theme::Dark));
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(1.0);
    let mut names = std::collections::BTreeSet::new();
    for press in 0..60 {
        harness.key_press(Key::Tab);
        harness.run();
        harness.run();
        let focused = harness.root().children_recursive().find(|node| node.is_focused());
        let Some(node) = focused else { continue };
        let (rect, name) = (node.rect(), node.accesskit_node().label().unwrap_or_default());
        let part = rect.intersect(window);
        let is_seen = part.is_positive() && part.area() > 0.9 * rect.area().min(9_000.0);
        assert!(is_seen, "{press}: {name} {rect:?}");
        names.insert(name);
    }
    // The panels at both sides had the focus.
    for name in ["Add source…", "Go Live"] {
        assert!(names.iter().any(|it| it.starts_with(name)), "{name}: {names:?}");
    }
}

#[test]
fn the_button_that_resets_is_beside_its_control() {
    let mut chosen = preferences(Language::English, Theme::Light);
    chosen.recording.replay = Some(Duration::from_secs(30));
    chosen.recording.replay_always = true;
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chosen);
    for (page, role, name, reset) in [
        ("General", Role::ComboBox, "Colors", "Reset Colors to"),
        ("Recording", Role::ComboBox, "Replay buffer", "Reset Replay buffer to"),
        ("Recording", Role::CheckBox, "Keep the replay buffer running", "Reset Keep the replay"),
    ] {
        settings_page(&mut harness, page);
        let control = harness.get_by_role_and_label(role, name).rect().center().y;
        let begins = |node: &egui_kittest::Node<'_>| {
            node.accesskit_node().label().is_some_and(|label| label.starts_with(reset))
        };
        let button = harness.get_all_by_role(Role::Button).find(begins);
        let button = button.unwrap_or_else(|| panic!("{reset}")).rect().center().y;
        assert!((control - button).abs() < 0.6, "{name}: {control} {button}");
        harness.key_press(Key::Escape);
        harness.run();
    }
}

fn kept<'h>(harness: &'h Harness<'static, Window>) -> &'h Preferences {
    harness.state().screen.as_ref().unwrap().preferences()
}

/// Presses a widget by keyboard, because it may be below the fold.
fn press_named(harness: &mut Harness<'static, Window>, name: &str) {
    harness.get_by_label(name).focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

#[test]
fn every_page_shows_its_settings_in_both_languages_and_small_windows() {
    for (language, pages) in [
        (
            Language::English,
            ["General", "Video", "Audio", "Output", "Recording", "Hotkeys", "Network", "About"],
        ),
        (Language::Chinese, ["常规", "视频", "音频", "推流", "录制", "快捷键", "网络", "关于"]),
    ] {
        for size in [Vec2::new(1280.0, 720.0), Vec2::new(960.0, 600.0)] {
            let mut harness = open_as("idle", size, preferences(language, Theme::Dark));
            harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
            harness.run();
            let mut seen = Vec::new();
            for page in pages {
                // In Chinese, the window behind the dialog has a button with the same name.
                let buttons = harness.get_all_by_role_and_label(Role::Button, page);
                buttons.last().unwrap().click();
                harness.run();
                let now = shown(&harness);
                assert!(!seen.contains(&now), "{page} shows nothing of its own");
                seen.push(now);
                let room = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
                let placed =
                    |node: &egui_kittest::Node<'_>| node.accesskit_node().bounding_box().is_some();
                for node in harness.root().children_recursive().filter(placed) {
                    let rect = node.rect();
                    let fits = rect.left() >= room.left() && rect.right() <= room.right();
                    let what = node.accesskit_node().label();
                    assert!(what.is_none() || fits, "{page} {size:?}: {what:?} {rect:?}");
                }
            }
        }
    }
}

#[test]
fn the_settings_scroll_where_the_largest_interface_leaves_little_room() {
    // 1280×720 at a scale of 300 %.
    let small = Vec2::new(427.0, 240.0);
    let mut harness = open_as("idle", small, preferences(Language::English, Theme::Dark));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    for (page, setting) in [
        ("General", "Interface size"),
        ("Video", "Resolution"),
        ("Output", "Adaptive bitrate"),
        ("Recording", "Recording format"),
        ("Hotkeys", "Hotkey for Go live or stop"),
        ("About", "Version"),
    ] {
        harness.get_by_role_and_label(Role::Button, page).focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        assert!(harness.query_all_by_label_contains(setting).next().is_some(), "{page}");
    }
}

#[test]
fn settings_are_found_in_both_languages_and_from_the_palette() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    let search = |harness: &mut Harness<'static, Window>, text: &str| {
        harness.get_by_label("Search settings").focus();
        harness.run();
        harness.event(egui::Event::Text(text.into()));
        harness.run();
    };
    search(&mut harness, "界面大小");
    harness.get_by_role_and_label(Role::ComboBox, "Interface size");
    assert!(harness.query_by_role_and_label(Role::ComboBox, "Language").is_none());
    search(&mut harness, "xyz");
    harness.get_by_label("No matches");
    // The palette opens the page of a setting.
    harness.key_press(Key::Escape);
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("video encoder".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_role_and_label(Role::ComboBox, "Video encoder");
}

#[test]
fn the_built_in_server_gets_names_and_websites() {
    use onair::studio::targets::sharing::ServerNames;
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Network").click();
    harness.run();
    let type_in = |harness: &mut Harness<'static, Window>, field: &str, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, field).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
        commands(harness)
    };
    let field = "Server host names";
    let sent = type_in(&mut harness, field, "studio.example, my.home");
    let hosts = vec!["studio.example".to_owned(), "my.home".to_owned()];
    let names = ServerNames { hosts, ..ServerNames::default() };
    assert_eq!(sent.last(), Some(&Command::SetServerNames(names.clone())));
    // A host name has no port. The page explains this beside the field.
    assert_eq!(type_in(&mut harness, field, ":80"), []);
    harness.get_by_label_contains("is not a host name");
    harness.state().demo.change(|snapshot| snapshot.server.names = names.clone());
    let sent = type_in(&mut harness, "Websites that may play your stream", "https://example.com");
    let origins = vec!["https://example.com".to_owned()];
    let both = ServerNames { origins, ..names };
    assert_eq!(sent.last(), Some(&Command::SetServerNames(both)));
    assert_eq!(type_in(&mut harness, "Websites that may play your stream", "/a"), []);
    harness.get_by_label_contains("Use an origin without a path");
}

#[test]
fn long_texts_about_onair_have_the_whole_width() {
    let mut harness = open("idle");
    let path = "/home/ada/.local/share/onair/keys.toml";
    harness.state().demo.change(|snapshot| {
        snapshot.key_place = Some(onair::studio::KeyPlace::File(path.into()));
    });
    settings_page(&mut harness, "About");
    let keys = harness.get_by_label_contains(path).rect();
    assert!(keys.height() < 50.0, "more than two lines: {keys:?}");
}

#[test]
fn what_is_changed_is_marked_and_its_default_comes_back() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    let reset = "Reset Interface size to Automatic: 100\u{a0}%";
    assert!(harness.query_by_label(reset).is_none());
    harness.get_by_role_and_label(Role::ComboBox, "Interface size").click();
    harness.run();
    let default = "Automatic: 100\u{a0}% (default)";
    harness.get_by_label(default);
    let mut shapes = harness.output().shapes.iter();
    assert!(shapes.any(|it| super::watch::laid(&it.shape, default)), "it is not cut off");
    harness.get_by_label("75\u{a0}%").click();
    harness.run();
    assert_eq!(kept(&harness).ui_scale, Some(75));
    assert!((harness.ctx.zoom_factor() - 0.75).abs() < 1e-3);
    harness.run();
    harness.get_by_label(reset).click();
    harness.run();
    assert_eq!(kept(&harness).ui_scale, None);
    harness.key_press(Key::Escape);
    harness.run();
    // Shortcuts change the scale in steps, up to the maximum.
    for _ in 0..20 {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::Equals);
        harness.run();
    }
    assert_eq!(kept(&harness).ui_scale, Some(300));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Minus);
    harness.run();
    assert_eq!(kept(&harness).ui_scale, Some(250));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num0);
    harness.run();
    assert_eq!(kept(&harness).ui_scale, None);
}

#[test]
fn a_display_has_its_scale_until_the_user_chooses_another() {
    let mut harness = open("idle");
    let ctx = harness.ctx.clone();
    let shows = |harness: &mut Harness<'static, Window>, scale: u16| {
        let screen = harness.state_mut().screen.as_mut().unwrap();
        let changed = screen.set_display_scale(&ctx, scale);
        harness.run();
        changed
    };
    assert!(shows(&mut harness, 150));
    assert!((harness.ctx.zoom_factor() - 1.5).abs() < 1e-3);
    assert!(!shows(&mut harness, 150), "nothing changes");
    assert_eq!(kept(&harness).ui_scale, None, "another display may need another scale");
    // The first step starts from the scale of the display.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Equals);
    harness.run();
    assert_eq!(kept(&harness).ui_scale, Some(175));
    assert!(!shows(&mut harness, 200));
    assert!((harness.ctx.zoom_factor() - 1.75).abs() < 1e-3);
}

#[test]
fn a_window_that_is_too_small_for_its_scale_gets_a_smaller_one() {
    let chosen = Preferences { ui_scale: Some(300), ..preferences(Language::English, Theme::Dark) };
    let small = Vec2::new(1280.0, 720.0);
    let mut harness = open_as("mixer", small / 3.0, chosen);
    let ctx = harness.ctx.clone();
    // Passes a size in points at 100 % to the window, and draws the window in that size.
    let resize = |harness: &mut Harness<'static, Window>, size: Vec2, scale: f32| {
        let screen = harness.state_mut().screen.as_mut().unwrap();
        let changed = screen.set_window_size(&ctx, size);
        harness.set_size(size / scale);
        harness.run();
        harness.run();
        assert!((harness.ctx.zoom_factor() - scale).abs() < 1e-3, "{}", harness.ctx.zoom_factor());
        changed
    };
    assert!(resize(&mut harness, small, 1.2));
    assert!(!resize(&mut harness, small, 1.2), "nothing changes");
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, small / 1.2).expand(0.5);
    for name in ["Go Live", "Microphone Yeti Stereo Microphone is disconnected."] {
        let rect = harness.get_by_label(name).rect();
        assert!(window.contains_rect(rect), "{name}: {rect:?}");
    }
    let note = "This window is too small for 300\u{a0}%. onair uses 120\u{a0}%.";
    settings_page(&mut harness, "General");
    harness.get_by_label(note);
    // The choice stays, and a larger window has it.
    assert_eq!(kept(&harness).ui_scale, Some(300));
    assert!(resize(&mut harness, Vec2::new(2880.0, 1800.0), 3.0));
    assert!(harness.query_by_label(note).is_none());
    harness.key_press(Key::Escape);
    harness.run();
    // The next start opens the window at the chosen scale, so the stored size is smaller.
    assert!(resize(&mut harness, Vec2::new(1440.0, 900.0), 1.5));
    harness.state_mut().screen.as_mut().unwrap().set_place(Some([960, 600]), false);
    assert_eq!(kept(&harness).size, Some([480, 300]));
    assert!(resize(&mut harness, small, 1.2));
    // A larger step would not fit, so the choice stays.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Equals);
    harness.run();
    assert_eq!(kept(&harness).ui_scale, Some(300));
    // A step begins at the scale of the window.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Minus);
    harness.run();
    assert_eq!(kept(&harness).ui_scale, Some(110));
}

#[test]
fn the_size_of_the_window_is_remembered_but_not_while_it_is_set_up() {
    let mut harness = open("idle");
    let seen = |harness: &mut Harness<'static, Window>, size, maximized| {
        harness.state_mut().requests.clear();
        harness.state_mut().screen.as_mut().unwrap().set_place(size, maximized);
        harness.run();
        let kept = kept(harness);
        let requests = &harness.state().requests;
        (kept.size, kept.maximized, requests.contains(&WindowRequest::Preferences))
    };
    assert_eq!(seen(&mut harness, Some([1_280, 720]), false), (None, false, false), "as usual");
    let large = Some([1_600, 900]);
    assert_eq!(seen(&mut harness, large, false), (large, false, true));
    assert_eq!(seen(&mut harness, large, false), (large, false, false), "once");
    assert_eq!(seen(&mut harness, None, true), (large, true, true), "the size is for later");
    assert_eq!(seen(&mut harness, Some([1_280, 720]), false), (None, false, true));
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Guide);
    assert_eq!(seen(&mut harness, large, false), (None, false, false));
}

#[test]
fn a_hotkey_is_chosen_by_pressing_it_and_conflicts_are_reported() {
    let mut harness = open("idle");
    settings_page(&mut harness, "Hotkeys");
    let hotkey = |harness: &Harness<'static, Window>, name: &str| {
        kept(harness).hotkeys.keys.get(name).map(|chosen| chosen.0.map(|it| it.to_string()))
    };
    press_named(&mut harness, "Hotkey for Start or stop recording: Ctrl+R");
    // Keys that operate the window cannot be hotkeys.
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_label_contains("This key cannot be a hotkey");
    // While the dialog waits for a hotkey, the keys have no other effect.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.run();
    assert_eq!(commands(&mut harness), []);
    assert_eq!(hotkey(&harness, "record"), Some(Some("Ctrl+L".to_owned())));
    assert_eq!(harness.query_all_by_label_contains("Also the hotkey for: ").count(), 2);
    press_named(&mut harness, "Reset the hotkey for Start or stop recording to Ctrl+R");
    assert_eq!(hotkey(&harness, "record"), None);
    assert_eq!(harness.query_all_by_label_contains("Also the hotkey for: ").count(), 0);
    press_named(&mut harness, "Remove the hotkey for Start or stop recording");
    assert_eq!(hotkey(&harness, "record"), Some(None));
    // Escape keeps the hotkey, and does not close the dialog.
    press_named(&mut harness, "Hotkey for Go live or stop: Ctrl+L");
    harness.key_press(Key::Escape);
    harness.run();
    harness.get_by_label("Hotkey for Go live or stop: Ctrl+L");
    press_named(&mut harness, "Reset all hotkeys");
    assert!(kept(&harness).hotkeys.keys.is_empty());
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
}

#[test]
fn hotkeys_of_scenes_and_strips_work_in_other_windows_while_these_exist() {
    let mut harness = open("mixer");
    let support = GlobalHotkeys { support: GlobalKeySupport::Looked, ..Default::default() };
    harness.state_mut().screen.as_mut().unwrap().set_global_hotkeys(support);
    settings_page(&mut harness, "Hotkeys");
    let elsewhere = |harness: &Harness<'static, Window>| -> Vec<String> {
        let commands = harness.state().screen.as_ref().unwrap().hotkeys_elsewhere(false);
        commands.into_iter().map(|(command, _)| command.setting()).collect()
    };
    let scene_switch = "Use in other windows: Switch to the scene Main";
    press_named(&mut harness, "Use in other windows: Mute or unmute Music");
    press_named(&mut harness, scene_switch);
    assert_eq!(elsewhere(&harness), ["scene:Main", "mute:Music"]);
    assert_eq!(harness.query_all_by_label("Choose a hotkey first.").count(), 2);
    let scene = harness.state().demo.snapshot().scenes.collection.current;
    apply(&mut harness, &Edit::RenameScene(scene, "Intro".into()));
    assert_eq!(elsewhere(&harness), ["mute:Music"]);
    // The page still shows the switch for the earlier name.
    press_named(&mut harness, scene_switch);
    assert_eq!(kept(&harness).hotkeys.other_windows.len(), 1);
    harness.state().demo.change(|snapshot| snapshot.strips.retain(|it| it.name != "Music"));
    harness.run();
    assert!(elsewhere(&harness).is_empty());
}

#[test]
fn hotkeys_of_other_windows_rest_while_a_key_is_chosen() {
    let mut harness = open("mixer");
    let support = GlobalHotkeys { support: GlobalKeySupport::Looked, ..Default::default() };
    harness.state_mut().screen.as_mut().unwrap().set_global_hotkeys(support);
    settings_page(&mut harness, "Hotkeys");
    press_named(&mut harness, "Use in other windows: Start or stop recording");
    let count = |harness: &mut Harness<'static, Window>, support| {
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.set_elsewhere(support);
        (screen.hotkeys_elsewhere(false).len(), screen.chooses_key())
    };
    let asked = || GlobalKeySupport::Asked(GlobalKeyReply::Given(String::new()));
    assert_eq!(count(&mut harness, GlobalKeySupport::Looked), (1, false));
    press_named(&mut harness, "Hotkey for Start or stop recording: Ctrl+R");
    assert_eq!(count(&mut harness, GlobalKeySupport::Looked), (0, true));
    // They work while another window has the focus.
    assert_eq!(harness.state().screen.as_ref().unwrap().hotkeys_elsewhere(true).len(), 1);
    // The desktop keeps its keys. Otherwise, it would ask the user again.
    assert_eq!(count(&mut harness, asked()), (1, true));
    harness.key_press(Key::F9);
    harness.run();
    let button = "Hotkey for Start or stop recording: F9";
    harness.get_by_label(button);
    assert_eq!(count(&mut harness, GlobalKeySupport::Looked), (1, false));
    // Some keyboards do not have the key.
    let no_key = vec![onair::ui::Action::Record.into()];
    let refused = GlobalHotkeys { support: GlobalKeySupport::Looked, no_key, ..Default::default() };
    harness.state_mut().screen.as_mut().unwrap().set_global_hotkeys(refused);
    harness.run();
    assert_eq!(harness.query_all_by_label_contains("layout does not have this key").count(), 1);
    // Another page does not wait for the key.
    press_named(&mut harness, button);
    assert_eq!(count(&mut harness, GlobalKeySupport::Looked), (0, true));
    harness.get_by_role_and_label(Role::Button, "General").click_accesskit();
    harness.run();
    assert_eq!(count(&mut harness, GlobalKeySupport::Looked), (1, false));
}

#[test]
fn a_hotkey_that_replaces_a_fixed_key_is_reported() {
    let mut harness = open("idle");
    settings_page(&mut harness, "Hotkeys");
    assert_eq!(harness.query_all_by_label_contains("Replaces the fixed key").count(), 0);
    press_named(&mut harness, "Hotkey for Start or stop recording: Ctrl+R");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::D);
    harness.run();
    harness.get_by_label("Replaces the fixed key that lets you duplicate the selected items");
}

#[test]
fn the_output_page_shows_every_default() {
    let mut harness = open("idle");
    settings_page(&mut harness, "Output");
    for usual in ["Default: Follow the slowest target", "Default: 2", "Default: None"] {
        let all = harness.query_all_by_label_contains(usual);
        assert!(all.count() > 0, "{usual}: {:#?}", shown(&harness));
    }
}

#[test]
fn what_a_service_does_not_take_cannot_be_chosen() {
    let with_twitch = |bitrate| {
        let mut harness = open("idle");
        harness.state().demo.change(|snapshot| {
            let server = "rtmps://ingest.global-contribute.live-video.net:443/app";
            let twitch =
                Target { service: "twitch".into(), ..Target::custom(9, server, "k".into()) };
            let view = snapshot.targets[0].clone();
            let target = Target { enabled: true, ..twitch };
            snapshot.targets.push(onair::studio::snapshot::TargetView { target, ..view });
            snapshot.quality.video_bitrate = BitsPerSecond(bitrate);
        });
        settings_page(&mut harness, "Video");
        harness
    };
    let mut harness = with_twitch(2_500_000);
    harness.get_by_label_contains("Twitch allows at most 6\u{a0}000\u{a0}kbps of video");
    assert!(harness.query_by_label("Adjust the quality for Twitch").is_none());
    harness.get_by_role_and_label(Role::ComboBox, "Resolution").click();
    harness.run();
    assert_eq!(click(&mut harness, "3840×2160"), []);
    harness.get_by_role_and_label(Role::ComboBox, "Resolution").click();
    harness.run();
    let sent = click(&mut harness, "1920×1080");
    assert!(matches!(&sent[..], [Command::SetQuality(quality)] if quality.size.height == 1080));
    // A button lowers a value that exceeds the limit.
    let mut harness = with_twitch(8_000_000);
    harness.get_by_label("Adjust the quality for Twitch").focus();
    harness.run();
    harness.key_press(Key::Enter);
    let sent = commands(&mut harness);
    let [Command::SetQuality(quality)] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!(quality.video_bitrate, BitsPerSecond(6_000_000));
}

#[test]
fn settings_that_cannot_change_on_air_are_named_once_a_page() {
    let mut harness = open("on-air");
    let times =
        |harness: &Harness<'static, Window>, words: &str| harness.query_all_by_label(words).count();
    settings_page(&mut harness, "Output");
    let words =
        "You cannot change the keyframe interval or the audio format while on air or recording.";
    assert_eq!(times(&harness, words), 1);
    // The note comes with whatever a search finds.
    harness.get_by_role_and_label(Role::TextInput, "Search settings").focus();
    harness.run();
    harness.event(egui::Event::Text("audio format".into()));
    harness.run();
    assert_eq!(times(&harness, words), 1);
    harness.get_by_role_and_label(Role::Button, "Video").click();
    harness.run();
    harness.get_by_role_and_label(Role::ComboBox, "Resolution").click();
    harness.run();
    let words = "You cannot change the resolution or the frame rate while on air or recording.";
    assert_eq!(times(&harness, words), 1);
    assert_eq!(click(&mut harness, "1920×1080"), []);
}

#[test]
fn a_recording_keeps_the_resolution_and_the_keyframe_interval() {
    let mut harness = open("recording");
    harness.state().demo.change(|snapshot| {
        snapshot.quality.keyframe_interval = Duration::from_secs(4);
        snapshot.quality.frame_rate = onair::media::FrameRate::new(60, 1).unwrap();
    });
    settings_page(&mut harness, "Output");
    let words =
        "You cannot change the keyframe interval or the audio format while on air or recording.";
    assert_eq!(harness.query_all_by_label(words).count(), 1);
    let resets = harness.query_all_by_label_contains("Reset Keyframe interval");
    assert_eq!(resets.count(), 0);
    harness.get_by_role_and_label(Role::Button, "Video").click();
    harness.run();
    assert_eq!(harness.query_all_by_label_contains("Reset Frame rate").count(), 0);
    harness.get_by_role_and_label(Role::ComboBox, "Resolution").click();
    harness.run();
    assert_eq!(click(&mut harness, "1920×1080"), []);
}

#[test]
fn what_explains_a_setting_begins_below_its_name() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    for (name, note) in [
        ("Language", "The language of the window. Names that you entered stay as they are."),
        ("Level meter decay", "How fast the bars fall after a peak."),
    ] {
        let name = harness.get_by_role_and_label(Role::Label, name).rect();
        let note = harness.get_by_role_and_label(Role::Label, note).rect();
        assert!((name.left() - note.left()).abs() < 1.0, "{name:?} {note:?}");
        assert!(note.top() >= name.bottom(), "{name:?} {note:?}");
    }
}

#[test]
fn the_focus_stays_where_a_default_was_restored() {
    let mut harness = open("idle");
    harness.state().demo.change(|snapshot| snapshot.delay = Duration::from_secs(5));
    settings_page(&mut harness, "Output");
    // A delay from the settings file is shown, too.
    let toggled = harness.get_by_label("Stream delay 0:05").accesskit_node().toggled();
    assert_eq!(toggled, Some(egui::accesskit::Toggled::True));
    let reset = "Reset Stream delay to None";
    press_named(&mut harness, reset);
    assert_eq!(commands(&mut harness), [Command::SetDelay(Duration::ZERO)]);
    harness.state().demo.change(|snapshot| snapshot.delay = Duration::ZERO);
    harness.run();
    harness.run();
    assert!(harness.get_by_label(reset).is_focused());
    harness.key_press(Key::Tab);
    harness.run();
    harness.run();
    assert!(harness.get_by_label("Stream delay None").is_focused());
    assert!(harness.query_by_label(reset).is_none());
    // In other rows, the button is beside the control.
    let preferences = preferences(Language::English, Theme::Light);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), preferences);
    settings_page(&mut harness, "General");
    let reset = harness.get_by_label_contains("Reset Colors to").accesskit_node().label().unwrap();
    press_named(&mut harness, &reset);
    harness.run();
    assert!(harness.get_by_label(&reset).is_focused());
}
