//! Tests of the window as a person uses it. The tests find controls by name, press them, type text
//! and move through the window by keyboard. They need no display and no GPU.

mod adding;
mod bad_input;
mod building;
mod canvas;
mod chat;
mod colors;
mod commands;
mod every_command;
mod faders;
mod figures;
mod file_chooser;
mod filter_clipboard;
mod filters;
mod focus;
mod guests;
mod guide;
mod help;
mod input_method;
mod items;
mod lists;
mod network;
mod notice_size;
mod notices;
mod output;
mod own_chat;
mod own_services;
mod panel_focus;
mod panels;
mod parts;
mod player_commands;
mod projectors;
mod properties;
mod recordings;
mod rules;
mod scenes;
mod selection;
mod server;
mod settings;
mod share;
mod sound;
mod talk;
mod targets;
mod verdicts;
mod watch;
mod watch_address;

use std::path::PathBuf;
use std::time::Duration;

use crate::demo::{Demo, STATES, page_of};
use egui::{Key, Modifiers, Role, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use onair::app::Studio as _;
use onair::audio::AudioChoice;
use onair::base::Secret;
use onair::capture::text::Align;
use onair::capture::{Order, Properties, Rgba, VideoChoice, VideoFallback, WhenHidden};
use onair::compose::filter as video;
use onair::compose::scene::{self, ItemId, SourceId};
use onair::compose::transition::{Kind, Matte, Stinger, Transition, Wipe};
use onair::decode::DecoderInfo;
use onair::media::ExtraTrack;
use onair::media::playback_control::{EndBehavior, TransportCommand};
use onair::mix::filter::Filter;
use onair::mix::{MeterFall, MonitoringMode, Strip, StripId, StripLamp};
use onair::net::CertificatePin;
use onair::player::OfferedChat;
use onair::player::chat::ChatState;
use onair::studio::snapshot::{SourceState, StripView};
use onair::studio::watch::chat::ChatChoices;
use onair::studio::watch::choices::Network;
use onair::studio::watch::view::WatchState;
use onair::studio::{
    AudioStrip, Command, Edit, Language, Level, Monitoring, Notice, Preferences, Remedy, TalkMode,
    Target, TargetPlace, Theme, TileId, WatchCommand,
};
use onair::text::Problem;
use onair::ui::{Dialog, Page, Screen, WindowRequest};

/// A window around a simulated studio.
struct Window {
    demo: Demo,
    screen: Option<Screen>,
    preferences: Preferences,
    requests: Vec<WindowRequest>,
    closed: bool,
}

fn preferences(language: Language, theme: Theme) -> Preferences {
    Preferences {
        language,
        theme,
        reduced_motion: true,
        meter_fall: MeterFall::Fast,
        recording_folder: PathBuf::from("/home/ada/Videos"),
        ..Preferences::default()
    }
}

fn open_as(state: &str, size: Vec2, preferences: Preferences) -> Harness<'static, Window> {
    let window = Window {
        demo: Demo::new(state),
        screen: None,
        preferences,
        requests: vec![],
        closed: false,
    };
    let page = page_of(state);
    let mut harness = Harness::builder().with_size(size).with_max_steps(12).build_ui_state(
        move |ui, window: &mut Window| {
            let Window { demo, screen, preferences, requests, closed } = window;
            let screen = screen.get_or_insert_with(|| {
                let ctx = ui.ctx();
                let mut screen =
                    Screen::new(ctx, preferences.clone(), demo.program(), demo.watched());
                screen.set_page(page);
                screen
            });
            screen.set_snapshot(demo.snapshot());
            for request in screen.show(ui) {
                match &request {
                    WindowRequest::Command(command) => demo.send(command.clone()),
                    WindowRequest::Quit => *closed = true,
                    _ => {}
                }
                requests.push(request);
            }
        },
        window,
    );
    // The fonts are ready from the second frame on.
    harness.run();
    harness.run();
    harness
}

fn open(state: &str) -> Harness<'static, Window> {
    open_as(state, Vec2::new(1280.0, 720.0), preferences(Language::English, Theme::Dark))
}

fn commands(harness: &mut Harness<'static, Window>) -> Vec<Command> {
    harness.run();
    harness.state().demo.taken()
}

/// Applies an edit to the simulated studio.
fn apply(harness: &mut Harness<'static, Window>, edit: &Edit) {
    harness.state().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        assert!(collection.apply(edit), "{edit:?}");
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
}

/// The chosen entry of a list.
fn chosen(harness: &Harness<'static, Window>, list: &str) -> String {
    let list = harness.get_by_role_and_label(Role::ComboBox, list);
    list.accesskit_node().value().expect("a list shows its choice")
}

/// The commands sent when an entry of a list is chosen with the keyboard alone.
fn choose(harness: &mut Harness<'static, Window>, list: &str, line: &str) -> Vec<Command> {
    for (role, name) in [(Role::ComboBox, list), (Role::MenuItemRadio, line)] {
        harness.get_by_role_and_label(role, name).focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
    }
    // The list has closed, and the focus is back on it.
    assert!(harness.query_by_role(Role::MenuItemRadio).is_none(), "{list} is still open");
    assert!(harness.get_by_role_and_label(Role::ComboBox, list).is_focused());
    commands(harness)
}

/// Opens this page of the settings.
fn settings_page(harness: &mut Harness<'static, Window>, page: &str) {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    harness.get_by_role_and_label(Role::Button, page).click();
    harness.run();
}

fn click(harness: &mut Harness<'static, Window>, name: &str) -> Vec<Command> {
    harness.get_by_label(name).click();
    commands(harness)
}

/// A source's row in the scene's list. Its audio has another row with the same name further down.
fn source<'h>(harness: &'h Harness<'static, Window>, name: &'h str) -> egui_kittest::Node<'h> {
    harness.query_all_by_role_and_label(Role::RadioButton, name).next().expect(name)
}

/// The names of all visible widgets.
fn shown(harness: &Harness<'static, Window>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    nodes
        .filter_map(|node| {
            let node = node.accesskit_node();
            node.label().or_else(|| node.value())
        })
        .collect()
}

#[test]
fn every_state_fits_in_both_languages_and_themes() {
    for state in STATES {
        for (size, language, theme) in [
            (Vec2::new(1280.0, 720.0), Language::English, Theme::Dark),
            (Vec2::new(1280.0, 720.0), Language::Chinese, Theme::Light),
            (Vec2::new(1920.0, 1080.0), Language::Chinese, Theme::Dark),
            (Vec2::new(960.0, 600.0), Language::English, Theme::Light),
        ] {
            let harness = open_as(state, size, preferences(language, theme));
            let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
            let mut named = 0;
            for node in harness.root().children_recursive() {
                let accesskit = node.accesskit_node();
                if accesskit.label().is_none() || accesskit.is_hidden() {
                    continue;
                }
                named += 1;
                // A row of a scrolling list may lie below its visible part.
                let rect = node.rect();
                let what =
                    format!("{state} {size:?} {language:?}: {:?} {rect:?}", accesskit.label());
                assert!(rect.left() >= screen.left() && rect.right() <= screen.right(), "{what}");
                assert!(rect.top() >= screen.top(), "{what}");
            }
            assert!(named > 8, "{state}: {named}");
        }
    }
}

#[test]
fn where_a_desktop_gives_less_room_than_is_needed_one_scrolls() {
    let small = Vec2::new(640.0, 480.0);
    for state in STATES {
        for size in [small, Vec2::new(1280.0, 300.0), Vec2::new(40.0, 30.0)] {
            open_as(state, size, preferences(Language::English, Theme::Dark));
        }
    }
    let mut harness = open_as("idle", small, preferences(Language::English, Theme::Dark));
    let place = |harness: &Harness<'static, Window>| harness.get_by_label("Go Live").rect();
    let room = egui::Rect::from_min_size(egui::Pos2::ZERO, small);
    assert!(!room.contains_rect(place(&harness)));
    harness.hover_at(egui::pos2(300.0, 200.0));
    let (unit, delta) = (egui::MouseWheelUnit::Point, Vec2::splat(-400.0));
    let (phase, modifiers) = (egui::TouchPhase::Move, Modifiers::NONE);
    let source = egui::MouseWheelSource::Wheel;
    harness.event(egui::Event::MouseWheel { unit, delta, phase, modifiers, source });
    harness.run_steps(30);
    assert!(room.contains_rect(place(&harness)), "{:?}", place(&harness));
}

#[test]
fn on_a_small_display_the_page_is_smaller_and_nothing_is_out_of_view() {
    for (width, height, scale) in
        [(960.0, 540.0, 0.9), (910.0, 512.0, 0.85), (800.0, 500.0, 0.83), (672.0, 420.0, 0.7)]
    {
        let size = Vec2::new(width, height);
        let mut harness = open_as("mixer", size, preferences(Language::English, Theme::Dark));
        let ctx = harness.ctx.clone();
        assert!(harness.state_mut().screen.as_mut().unwrap().set_window_size(&ctx, size));
        harness.set_size(size / scale);
        harness.run();
        harness.run();
        let zoom = harness.ctx.zoom_factor();
        assert!((zoom - scale).abs() < 1e-3, "{size:?}: {zoom}");
        let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size / scale).expand(2.0);
        for name in ["Go Live", "Record", "Microphone Yeti Stereo Microphone is disconnected."] {
            let rect = harness.get_by_label(name).rect();
            assert!(window.contains_rect(rect), "{name} in {size:?}: {rect:?}");
        }
        let cpu = harness.get_by_label_contains("CPU ").rect();
        assert!(window.contains_rect(cpu), "{size:?}: {cpu:?}");
    }
}

#[test]
fn notices_help_and_go_away() {
    let mut harness = open("notices");
    // The worst notice and its button are in the health bar, the others behind the bell.
    harness.get_by_label("Camera HD Pro Webcam C920 is disconnected.");
    assert!(harness.query_by_label("Dismiss").is_none());
    assert_eq!(click(&mut harness, "3 more"), []);
    for row in ["Microphone Yeti Stereo Microphone is disconnected.", "No audio from Yeti."] {
        harness.get_by_role_and_label(Role::ListItem, row);
    }
    // The first button has the focus.
    let first = "Use test pattern: Camera HD Pro Webcam C920 is disconnected.";
    assert!(harness.get_by_label(first).is_focused());
    let with_focus = harness.root().children_recursive().filter(|it| it.is_focused()).count();
    assert_eq!(with_focus, 1);
    harness.key_press(Key::Space);
    assert_eq!(
        commands(&mut harness),
        [
            Command::EditProgram(Edit::AddSource {
                scene: scene::SceneId(1),
                name: "Test pattern".into(),
                choice: VideoChoice::Test,
            }),
            Command::Dismiss(4),
        ]
    );
    click(&mut harness, "Notices: 3 open");
    let before = harness.get_all_by_label("Dismiss").count();
    harness.get_all_by_label("Dismiss").next().unwrap().click();
    assert!(matches!(commands(&mut harness).as_slice(), [Command::Dismiss(_)]));
    assert_eq!(harness.get_all_by_label("Dismiss").count(), before - 1);
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Dismiss").is_none());
    // The keyboard opens the notices too, and the event log is reachable from there.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
    harness.run();
    harness.get_all_by_label("Dismiss").next().unwrap();
    click(&mut harness, "Event log");
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::EventLog));
}

#[test]
fn closing_asks_only_when_something_would_end() {
    let mut harness = open("idle");
    harness.state_mut().screen.as_mut().unwrap().ask_to_close();
    harness.run();
    assert!(harness.state().closed);
    let mut harness = open("on-air");
    harness.state_mut().screen.as_mut().unwrap().ask_to_close();
    harness.run();
    assert!(!harness.state().closed);
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
    harness.state_mut().screen.as_mut().unwrap().ask_to_close();
    harness.run();
    assert_eq!(click(&mut harness, "Stop and close"), []);
    assert!(harness.state().closed);
    // Until onair has ended, the window says so.
    harness.get_by_label("Finishing…");
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Closing));
}

#[test]
fn language_and_theme_change_while_running() {
    let mut harness = open("idle");
    click(&mut harness, "Switch to Chinese");
    harness.get_by_label("开始直播");
    click(&mut harness, "切换到浅色主题");
    let kept = harness.state().screen.as_ref().unwrap().preferences().clone();
    assert_eq!((kept.language, kept.theme), (Language::Chinese, Theme::Light));
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
    click(&mut harness, "切换到英文");
    harness.get_by_label("Go Live");
}

/// Returns true if text of this color is painted.
fn has_text_color(shape: &egui::Shape, color: egui::Color32) -> bool {
    match shape {
        egui::Shape::Text(text) => {
            text.galley.job.sections.iter().any(|section| section.format.color == color)
        }
        egui::Shape::Vec(shapes) => shapes.iter().any(|shape| has_text_color(shape, color)),
        _ => false,
    }
}

#[test]
fn another_theme_colors_the_whole_window_in_the_same_frame() {
    use onair::ui::style::theme::Theme as Colors;

    let mut harness = open("idle");
    // With a single event, the output of its frame can be read.
    harness.get_by_label("Switch to the light theme").click_accesskit();
    harness.step();
    assert_eq!(harness.state().screen.as_ref().unwrap().preferences().theme, Theme::Light);
    let shapes = &harness.output().shapes;
    let has = |color| shapes.iter().any(|it| has_text_color(&it.shape, color));
    assert!(has(Colors::LIGHT.text) && !has(Colors::DARK.text));
}

#[test]
fn the_palette_finds_what_is_typed() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("devices".into()));
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::RefreshDevices]);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
    // The explanation of a command finds it too.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("restore".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(
        harness.state().screen.as_ref().unwrap().dialog(),
        Some(Dialog::CollectionsAndProfiles)
    );
}

#[test]
fn settings_and_help_open_by_keyboard_and_close_by_escape() {
    let mut harness = open("idle");
    for (modifiers, key, dialog) in [
        (Modifiers::COMMAND, Key::Comma, Dialog::Settings),
        (Modifiers::NONE, Key::F1, Dialog::Help),
    ] {
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(dialog));
        harness.key_press(Key::Escape);
        harness.run();
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
    }
}

#[test]
fn the_video_encoder_is_chosen_in_the_settings() {
    use onair::encode::{Choice, Error, KnownEncoder};
    use onair::media::{Codec, VideoCodec};

    let open_settings = |encoders: Vec<KnownEncoder>| {
        let mut harness = open("idle");
        harness.state().demo.change(|snapshot| snapshot.encoders = encoders.leak());
        settings_page(&mut harness, "Output");
        harness.get_by_role_and_label(Role::ComboBox, "Video encoder").click();
        harness.run();
        harness
    };
    let known = |unavailable| KnownEncoder {
        choice: Some(Choice::OpenH264),
        name: "openh264",
        library: "OpenH264",
        codec: Codec::Video(VideoCodec::H264),
        hardware: false,
        unavailable,
        speed_720p: None,
    };
    let mut harness = open_settings(vec![known(None)]);
    match &click(&mut harness, "openh264")[..] {
        [Command::SetQuality(quality)] => assert_eq!(quality.encoder, Choice::OpenH264),
        other => panic!("{other:?}"),
    }
    // An encoder that does not open cannot be chosen.
    let reason = Error::Config(Problem::words("no device"));
    let mut harness = open_settings(vec![known(Some(reason))]);
    assert_eq!(click(&mut harness, "openh264"), []);
}

/// Tab goes from the top left to the bottom right; then Space goes live.
#[test]
fn everything_is_reached_by_keyboard_in_reading_order() {
    let mut harness = open("idle");
    let mut names: Vec<String> = Vec::new();
    for _ in 0..60 {
        harness.key_press(Key::Tab);
        harness.run();
        let focused = harness
            .root()
            .children_recursive()
            .find(|node| node.is_focused() && node.accesskit_node().label().is_some())
            .map(|node| node.accesskit_node().label().unwrap());
        let Some(name) = focused else { continue };
        if names.first() == Some(&name) {
            break;
        }
        names.push(name);
    }
    let at = |name: &str| {
        names
            .iter()
            .position(|have| have == name)
            .unwrap_or_else(|| panic!("{name} is not reached: {names:?}"))
    };
    let order = [
        "Studio",
        "Settings",
        "Add a scene",
        "Add a source",
        "Hide HD Pro Webcam C920",
        "Add source…",
        "Mute Yeti Stereo Microphone",
        "Gain of Yeti Stereo Microphone",
        "Built-in server",
        "Quality",
        "Go Live",
        "Record",
    ];
    for pair in order.windows(2) {
        assert!(at(pair[0]) < at(pair[1]), "{pair:?} in {names:?}");
    }
    harness.get_by_label("Go Live").focus();
    harness.run();
    harness.key_press(Key::Space);
    assert_eq!(commands(&mut harness), [Command::GoLive]);
}

#[test]
fn a_machine_that_is_too_slow_is_not_called_good() {
    let mut harness = open("on-air");
    assert!(harness.query_by_label_contains("too slow").is_none());
    // A slow connection may halve the frame rate.
    harness.state().demo.change(|snapshot| {
        (snapshot.figures.fps, snapshot.figures.wanted_fps) = (15.0, 15.0);
    });
    harness.run();
    assert!(harness.query_by_label_contains("too slow").is_none());
    harness.state().demo.change(|snapshot| {
        (snapshot.figures.fps, snapshot.figures.wanted_fps) = (17.0, 30.0);
    });
    harness.run();
    harness.get_by_label("This computer is too slow: only 17 of 30 fps.");
    assert!(harness.query_by_label_contains("All good").is_none());
}
