//! Tests of the first-run guide as a user goes through it.

use super::own_services::{add_school, assert_presets_are_limited};
use super::*;
use onair::media::BitsPerSecond;
use onair::studio::Quality;
use onair::studio::command::PartCommand;
use onair::studio::notices::message::StudioMessage;
use onair::studio::preflight::recommendation::Upload;
use onair::studio::settings::part::PartKind;
use onair::studio::snapshot::PartsView;
use onair::studio::targets::quality::PRESETS;

fn guide(state: &str, size: Vec2, language: Language, theme: Theme) -> Harness<'static, Window> {
    let mut harness = open_as(state, size, preferences(language, theme));
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Guide);
    harness.run();
    harness
}

fn begin(state: &str) -> Harness<'static, Window> {
    guide(state, Vec2::new(1280.0, 720.0), Language::English, Theme::Dark)
}

fn is_open(harness: &Harness<'static, Window>) -> bool {
    harness.state().screen.as_ref().unwrap().dialog() == Some(Dialog::Guide)
}

fn press(harness: &mut Harness<'static, Window>, key: Key) -> Vec<Command> {
    harness.key_press(key);
    commands(harness)
}

/// Enter alone leads from the first step to the studio, but not on air.
#[test]
fn the_guide_leads_to_the_studio_by_enter_alone_without_a_broadcast() {
    let mut harness = begin("idle");
    harness.get_by_label("Welcome to onair");
    assert_eq!(press(&mut harness, Key::Enter), []);
    harness.get_by_label("Is this you?");
    harness.get_by_label_contains("Good level:");
    assert_eq!(press(&mut harness, Key::Enter), []);
    harness.get_by_label("Where do you want to stream?");
    let measure = Command::MeasureQuality { test_stream: false };
    assert_eq!(press(&mut harness, Key::Enter), [measure]);
    harness.run();
    harness.get_by_label("onair recommends 1080p at 30 fps and 4\u{a0}500\u{a0}kbps. This is the highest preset, and there is room to spare.");
    let best = PRESETS[3].applied_to(&Quality::default());
    assert_eq!(press(&mut harness, Key::Enter), [Command::SetQuality(best)]);
    harness.get_by_label("All set");
    assert!(harness.get_by_role_and_label(Role::Button, "Open the studio").is_focused());
    let sent = press(&mut harness, Key::Enter);
    assert!(!sent.contains(&Command::GoLive), "{sent:?}");
    assert!(!is_open(&harness));
}

#[test]
fn the_last_step_goes_live_only_by_its_own_button_also_without_a_focus() {
    for goes_live in [false, true] {
        let mut harness = begin("idle");
        for _ in 0..4 {
            press(&mut harness, Key::Enter);
            harness.run();
        }
        click(&mut harness, "All set");
        let sent = match goes_live {
            // The window behind the guide also has a *Go Live* button.
            true => {
                let all = harness.query_all_by_role_and_label(Role::Button, "Go Live");
                all.last().unwrap().click();
                commands(&mut harness)
            }
            false => press(&mut harness, Key::Enter),
        };
        assert_eq!(sent.contains(&Command::GoLive), goes_live, "{sent:?}");
        assert!(!is_open(&harness));
    }
}

#[test]
fn enter_also_leads_on_after_a_click_took_the_focus_away() {
    let mut harness = begin("idle");
    click(&mut harness, "Welcome to onair");
    assert!(!harness.get_by_role_and_label(Role::Button, "Next").is_focused());
    press(&mut harness, Key::Enter);
    harness.get_by_label("Is this you?");
}

#[test]
fn every_step_can_be_skipped_and_the_guide_does_not_come_again() {
    for steps in 0..4 {
        let mut harness = begin("idle");
        for _ in 0..steps {
            press(&mut harness, Key::Enter);
        }
        harness.state_mut().requests.clear();
        click(&mut harness, "Skip, I know my way around");
        assert!(!is_open(&harness), "{steps}");
        assert!(harness.state().requests.contains(&WindowRequest::Preferences), "{steps}");
    }
    let mut harness = begin("idle");
    press(&mut harness, Key::Escape);
    assert!(!is_open(&harness) && harness.state().requests.contains(&WindowRequest::Preferences));
    // The help opens the guide again.
    harness.key_press(Key::F1);
    harness.run();
    click(&mut harness, "Run setup again…");
    assert!(is_open(&harness));
    // A click outside the guide does not close it.
    harness.hover_at(egui::pos2(20.0, 400.0));
    harness.run();
    harness.drag_at(egui::pos2(20.0, 400.0));
    harness.drop_at(egui::pos2(20.0, 400.0));
    harness.run();
    assert!(is_open(&harness));
}

#[test]
fn the_language_changes_at_once() {
    let mut harness = begin("idle");
    click(&mut harness, "中文");
    harness.get_by_label("欢迎使用 onair");
    click(&mut harness, "下一步");
    harness.get_by_label("这是你吗？");
    click(&mut harness, "上一步");
    click(&mut harness, "English");
    harness.get_by_label("Welcome to onair");
}

#[test]
fn camera_and_microphone_are_chosen_and_the_level_is_visible() {
    let mut harness = begin("no-camera");
    press(&mut harness, Key::Enter);
    harness.get_by_label_contains("No camera found.");
    // The step is shown completely, with a gap above the buttons.
    let level = harness.get_by_label_contains("Viewers hear a test tone").rect();
    let next = harness.get_by_role_and_label(Role::Button, "That's me").rect();
    assert!(level.bottom() + 16.0 <= next.top(), "{level:?}, {next:?}");
    assert_eq!(click(&mut harness, "Search again"), [Command::RefreshDevices]);
    let pick = |harness: &mut Harness<'static, Window>, list: &str, line: &str| {
        harness.get_by_role_and_label(Role::ComboBox, list).click();
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, line).click();
        commands(harness)
    };
    let screen = VideoChoice::Screen(onair::capture::DisplayTarget::default());
    assert_eq!(pick(&mut harness, "Camera", "Your display"), [Command::SelectVideo(screen)]);
    let silence = Command::SelectAudio(AudioChoice::Silence);
    assert_eq!(pick(&mut harness, "Microphone", "Silence"), [silence]);
    harness.get_by_label("Viewers hear silence.");
}

#[test]
fn a_service_gets_the_key_which_is_missed_beside_its_field_and_shown_nowhere() {
    let mut harness = begin("idle");
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::RadioButton, "Twitch").focus();
    harness.run();
    harness.get_by_role_and_label(Role::RadioButton, "Twitch").click();
    harness.run();
    assert_eq!(click(&mut harness, "Next"), []);
    harness.get_by_label_contains("Enter the stream key first");
    assert!(harness.get_by_role(Role::PasswordInput).is_focused());
    harness.event(egui::Event::Text("live_secret_9".into()));
    harness.run();
    assert!(harness.query_by_label_contains("Enter the stream key first").is_none());
    let sent = press(&mut harness, Key::Enter);
    let [
        Command::PutTarget(own),
        Command::PutTarget(twitch),
        Command::MeasureQuality { test_stream: false },
    ] = sent.as_slice()
    else {
        panic!("{sent:?}")
    };
    assert!(own.is_built_in() && !own.enabled);
    assert!(twitch.enabled && twitch.remember_key && twitch.service == "twitch");
    assert_eq!(twitch.key().map(Secret::expose), Some("live_secret_9"));
    let tree = format!("{:?}", harness.root());
    assert!(!tree.contains("live_secret"), "the key is in what a screen reader is told");
    // After *Back*, another choice replaces the first one.
    click(&mut harness, "Back");
    harness.get_by_role_and_label(Role::RadioButton, "Just try it here").focus();
    harness.run();
    harness.get_by_role_and_label(Role::RadioButton, "Just try it here").click();
    harness.run();
    let sent = click(&mut harness, "Next");
    let on = |id: u32, sent: &[Command]| {
        sent.iter().find_map(|command| match command {
            Command::PutTarget(target) if target.id == id => Some(target.enabled),
            _ => None,
        })
    };
    assert_eq!((on(0, &sent), on(twitch.id, &sent)), (Some(true), Some(false)));
}

#[test]
fn enter_on_a_destination_leads_to_its_first_field() {
    let mut harness = begin("idle");
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Enter);
    for (name, role) in [("Twitch", Role::PasswordInput), ("Custom server", Role::TextInput)] {
        harness.get_by_role_and_label(Role::RadioButton, name).focus();
        harness.run();
        assert_eq!(press(&mut harness, Key::Enter), [], "{name}");
        let field = match role {
            Role::TextInput => harness.get_by_role_and_label(role, "Server"),
            _ => harness.get_by_role(role),
        };
        assert!(field.is_focused(), "{name}");
    }
}

#[test]
fn an_address_that_cannot_be_one_is_refused_beside_its_field() {
    let mut harness = begin("idle");
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Enter);
    click(&mut harness, "Custom server");
    assert_eq!(click(&mut harness, "Next"), []);
    harness.get_by_label("Enter the server address first.");
    // No font has the last text, so boxes are drawn.
    harness.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
    for nonsense in ["http://a/b", "rtmp://", "💥\u{202e}"] {
        let server = harness.get_by_role_and_label(Role::TextInput, "Server");
        server.focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.event(egui::Event::Text(nonsense.into()));
        harness.run();
        assert_eq!(click(&mut harness, "Next"), [], "{nonsense}");
        assert!(is_open(&harness));
        harness.get_by_label("Where do you want to stream?");
    }
}

/// The guide applies the quality that the user picks instead of the recommended one.
#[test]
fn the_quality_is_recommended_with_its_reason_and_can_be_another() {
    let mut harness = begin("idle");
    for _ in 0..3 {
        press(&mut harness, Key::Enter);
    }
    harness.get_by_label_contains("1080p: encodes 186 frames per second");
    harness.get_by_label("The stream stays on this computer.");
    let measure = Command::MeasureQuality { test_stream: false };
    assert_eq!(click(&mut harness, "Measure again"), [measure]);
    harness.get_by_role_and_label(Role::RadioButton, "480p, 30 fps").click();
    harness.run();
    let sent = click(&mut harness, "Next");
    let small = Quality {
        video_bitrate: BitsPerSecond(1_200_000),
        ..PRESETS[0].applied_to(&Quality::default())
    };
    assert_eq!(sent, [Command::SetQuality(small)]);
}

#[test]
fn the_guide_sends_a_test_stream_only_after_a_click_beside_the_terms() {
    let mut harness = begin("idle");
    for _ in 0..3 {
        press(&mut harness, Key::Enter);
    }
    harness.run();
    assert!(harness.query_by_label("Send test stream").is_none());
    harness.state().demo.change(|snapshot| {
        let host = "live.example.com:1935".to_owned();
        let terms = StudioMessage::FoundNeedsTestStream { host }.problem();
        snapshot.measured.as_mut().unwrap().upload = Some(Upload::NeedsConsent(terms));
    });
    harness.run();
    harness.get_by_label_contains("under a random name (onair-test-…), without your stream key");
    let sent = click(&mut harness, "Send test stream");
    assert_eq!(sent, [Command::MeasureQuality { test_stream: true }]);
}

#[test]
fn the_guide_disables_presets_beyond_the_limits_of_a_service_with_the_reason() {
    let mut harness = begin("idle");
    for _ in 0..3 {
        press(&mut harness, Key::Enter);
    }
    add_school(&mut harness);
    assert_presets_are_limited(&harness, Role::RadioButton);
    for preset in ["480p, 30 fps", "1080p, 30 fps"] {
        harness.get_by_role_and_label(Role::RadioButton, preset).click();
        harness.run();
    }
    let sent = click(&mut harness, "Next");
    assert!(matches!(&sent[..], [Command::SetQuality(quality)] if quality.size.height == 480));
}

#[test]
fn the_guide_does_not_apply_a_recommendation_beyond_the_limits_of_a_service() {
    let mut harness = begin("idle");
    for _ in 0..3 {
        press(&mut harness, Key::Enter);
    }
    add_school(&mut harness);
    // The measurement recommends 1080p.
    assert_eq!(click(&mut harness, "Next"), []);
}

/// The settings and the target's card refuse this too.
#[test]
fn the_guide_does_not_change_the_quality_on_air_or_while_recording() {
    for state in ["on-air", "recording"] {
        let mut harness = begin(state);
        for _ in 0..3 {
            press(&mut harness, Key::Enter);
        }
        harness.run();
        for preset in ["480p, 30 fps", "1080p, 30 fps"] {
            let node = harness.get_by_role_and_label(Role::RadioButton, preset);
            let node = node.accesskit_node();
            assert!(node.is_disabled(), "{state}: {preset}");
            let why =
                "You cannot change the resolution or the frame rate while on air or recording.";
            assert_eq!(node.data().description(), Some(why), "{state}: {preset}");
        }
        assert_eq!(press(&mut harness, Key::Enter), [], "{state}");
        harness.get_by_label("All set");
    }
}

#[test]
fn every_step_fits_in_both_languages_and_themes() {
    for (size, language, theme) in [
        (Vec2::new(960.0, 600.0), Language::English, Theme::Light),
        (Vec2::new(960.0, 600.0), Language::Chinese, Theme::Dark),
        (Vec2::new(1280.0, 720.0), Language::Chinese, Theme::Light),
        (Vec2::new(3840.0, 2160.0), Language::English, Theme::Dark),
    ] {
        let mut harness = guide("no-camera", size, language, theme);
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
        for step in 1..=5 {
            let now = if language == Language::Chinese {
                format!("当前第 {step} 步")
            } else {
                format!("Current step: {step} of 5")
            };
            harness.get_by_label_contains(&now);
            let next = match (language, step) {
                (Language::Chinese, 2) => "就是我",
                (Language::Chinese, 5) => "打开工作台",
                (Language::Chinese, _) => "下一步",
                (_, 2) => "That's me",
                (_, 5) => "Open the studio",
                _ => "Next",
            };
            let is_shown = harness
                .query_all_by_role_and_label(Role::Button, next)
                .any(|it| it.is_focused() && screen.contains_rect(it.rect()));
            assert!(is_shown, "{next}");
            harness.key_press(Key::Enter);
            harness.run();
            harness.run();
        }
    }
}

#[test]
fn the_card_is_in_the_middle() {
    let harness = begin("idle");
    let left = harness.get_by_label("Welcome to onair").rect().left();
    let next = harness.query_all_by_role_and_label(Role::Button, "Next").find(|it| it.is_focused());
    let right = 1_280.0 - next.unwrap().rect().right();
    assert!((left - right).abs() < 1.0, "{left} left, {right} right");
}

/// Names of scenes belong to the user, but nobody has chosen the name of the first scene.
#[test]
fn the_first_scene_has_a_name_in_the_language_of_the_guide() {
    let size = Vec2::new(1280.0, 720.0);
    let mut harness = guide("idle", size, Language::Chinese, Theme::Dark);
    let rename = Command::Edit(Edit::RenameScene(scene::SceneId(1), "主场景".into()));
    assert_eq!(press(&mut harness, Key::Escape), std::slice::from_ref(&rename));
    // At the first start, onair adds the camera or the test pattern to the scene.
    let mut harness = guide("filters", size, Language::Chinese, Theme::Dark);
    assert_eq!(press(&mut harness, Key::Escape), std::slice::from_ref(&rename));
    for (name, is_renamed) in [("Test pattern", true), ("Mine", false)] {
        let mut harness = guide("idle", size, Language::Chinese, Theme::Dark);
        let (scene, choice) = (scene::SceneId(1), VideoChoice::Test);
        apply(&mut harness, &Edit::AddSource { scene, name: name.into(), choice });
        let id = harness.state().demo.snapshot().scenes.collection.sources[0].id;
        let source = Command::Edit(Edit::RenameSource(id, "测试画面".into()));
        let expected = std::iter::once(rename.clone()).chain(is_renamed.then_some(source));
        assert_eq!(press(&mut harness, Key::Escape), expected.collect::<Vec<_>>());
    }
    // A scene that the user named, and one of several scenes, keep their names.
    for edit in
        [Edit::RenameScene(scene::SceneId(1), "Talk".into()), Edit::AddScene("Second".into())]
    {
        let mut harness = guide("idle", size, Language::Chinese, Theme::Dark);
        apply(&mut harness, &edit);
        assert_eq!(press(&mut harness, Key::Escape), [], "{edit:?}");
    }
}

#[test]
fn the_first_collection_and_profile_have_a_name_in_the_language_of_the_guide() {
    let renamed = |language, name: &str| {
        let mut harness = guide("idle", Vec2::new(1280.0, 720.0), language, Theme::Dark);
        harness.state().demo.change(|snapshot| {
            snapshot.parts = std::sync::Arc::new(PartsView {
                collections: vec![name.into()],
                profiles: vec![name.into()],
                is_kept: true,
                ..PartsView::default()
            });
        });
        harness.run();
        let mut sent = press(&mut harness, Key::Escape);
        sent.retain(|it| matches!(it, Command::Part(_)));
        sent
    };
    let rename = |kind| {
        Command::Part(PartCommand::Rename { kind, was: "Main".into(), name: "默认".into() })
    };
    assert_eq!(renamed(Language::Chinese, "Main"), PartKind::ALL.map(rename));
    assert_eq!(renamed(Language::English, "Main"), []);
    assert_eq!(renamed(Language::Chinese, "Friday show"), []);
}

/// Escape may be an accident, so nothing that the user has typed is lost.
#[test]
fn what_is_typed_is_still_there_after_escape() {
    let mut harness = begin("idle");
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Enter);
    click(&mut harness, "Custom server");
    harness.get_by_role_and_label(Role::TextInput, "Server").focus();
    harness.run();
    harness.event(egui::Event::Text("rtmp://live.example/app".into()));
    harness.run();
    drop(press(&mut harness, Key::Escape));
    assert!(!is_open(&harness));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("set up".into()));
    harness.run();
    drop(press(&mut harness, Key::Enter));
    harness.run();
    assert!(is_open(&harness));
    let server = harness.get_by_role_and_label(Role::TextInput, "Server");
    assert_eq!(server.accesskit_node().value().as_deref(), Some("rtmp://live.example/app"));
}
