//! The window as a person uses it: found by names, pressed, typed into, walked through by keyboard.
//! Needs no display and no graphics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test's"
)]

mod demo;

use std::path::PathBuf;
use std::time::Duration;

use demo::{Demo, STATES, is_watch};
use egui::{Key, Modifiers, Role, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use onair::app::Studio as _;
use onair::base::Secret;
use onair::capture::text::Align;
use onair::capture::{Hidden, Order, Properties, Rgba, VideoChoice};
use onair::compose::filter as video;
use onair::compose::scene::{ItemId, SourceId};
use onair::compose::transition::{Kind, Matte, Stinger, Transition, Wipe};
use onair::media::ExtraTrack;
use onair::media::transport::Go;
use onair::mix::filter::Filter;
use onair::mix::{Heard, Strip, StripId};
use onair::studio::chatting::ChatChoices;
use onair::studio::{
    Command, Edit, Language, Place, Playing, Preferences, Talk, Target, Theme, TileId,
};
use onair::ui::{Dialog, Page, Screen, Wish};

/// A window around a pretended studio.
struct Window {
    demo: Demo,
    screen: Option<Screen>,
    preferences: Preferences,
    wishes: Vec<Wish>,
    closed: bool,
}

fn preferences(language: Language, theme: Theme) -> Preferences {
    Preferences {
        language,
        theme,
        reduced_motion: true,
        recording_folder: PathBuf::from("/home/ada/Videos"),
        recording: Default::default(),
    }
}

fn open_as(state: &str, size: Vec2, preferences: Preferences) -> Harness<'static, Window> {
    let window =
        Window { demo: Demo::new(state), screen: None, preferences, wishes: vec![], closed: false };
    let page = if is_watch(state) { Page::Watch } else { Page::Studio };
    let mut harness = Harness::builder().with_size(size).with_max_steps(12).build_ui_state(
        move |ui, window: &mut Window| {
            let Window { demo, screen, preferences, wishes, closed } = window;
            let screen = screen.get_or_insert_with(|| {
                let ctx = ui.ctx();
                let mut screen =
                    Screen::new(ctx, preferences.clone(), demo.program(), demo.watched());
                screen.set_page(page);
                screen
            });
            screen.set_snapshot(demo.snapshot());
            for wish in screen.show(ui) {
                match &wish {
                    Wish::Command(command) => demo.send(command.clone()),
                    Wish::Quit => *closed = true,
                    _ => {}
                }
                wishes.push(wish);
            }
        },
        window,
    );
    // The faces are there from the second frame on.
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

fn click(harness: &mut Harness<'static, Window>, name: &str) -> Vec<Command> {
    harness.get_by_label(name).click();
    commands(harness)
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
                // What lies in a list that scrolls may lie beyond its edge downwards.
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
fn go_live_and_stop_which_asks() {
    let mut harness = open("idle");
    assert_eq!(click(&mut harness, "Go Live"), [Command::GoLive]);
    harness.get_by_label_contains("ON AIR");
    assert_eq!(click(&mut harness, "Stop"), []);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::ConfirmStop));
    assert_eq!(click(&mut harness, "Stay on air"), []);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.run();
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
    harness.get_by_label("Go Live");
}

#[test]
fn a_target_is_renamed_routed_and_taken_apart() {
    let mut harness = open("custom");
    assert_eq!(click(&mut harness, "Advanced"), []);
    let typed = |harness: &mut Harness<'static, Window>, name: &str, text: &str| {
        harness.get_by_role_and_label(egui::Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(egui::Role::TextInput, name).type_text(text);
        harness.run();
        match commands(harness).pop() {
            Some(Command::PutTarget(target)) => target,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(typed(&mut harness, "Name", "Main hall").name, "Main hall");
    let routed = typed(&mut harness, "Ports, in this order", "443,1935");
    assert_eq!((routed.route.ports.as_str(), routed.name.as_str()), ("443,1935", "Main hall"));
    typed(&mut harness, "Connect from", "no such place");
    harness.get_by_label_contains("an interface such as eth1");
}

#[test]
fn the_delay_is_chosen_shown_and_ended() {
    let mut harness = open("idle");
    harness.get_by_role_and_label(egui::Role::ComboBox, "Quality").click();
    harness.run();
    let sent = click(&mut harness, "Viewers see it later by 5:00");
    assert_eq!(sent, [Command::SetDelay(Duration::from_secs(300))]);
    let mut harness = open("delayed");
    assert!(harness.get_all_by_label_contains("Viewers see it 5:00 later.").count() > 0);
    assert_eq!(click(&mut harness, "Stop after the delay"), [Command::StopAfterDelay]);
}

#[test]
fn a_target_is_typed_and_its_key_stays_hidden() {
    let mut harness = open("idle");
    harness.get_by_label("Add a target").click();
    harness.run();
    let sent = click(&mut harness, "Own server");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(added.enabled && added.remember_key && added.id == 1, "{added:?}");
    // Going live without an address points at it instead.
    assert_eq!(click(&mut harness, "Go Live"), []);
    harness.get_by_label("Type the address of the server first.");
    let server = harness
        .get_all_by_role(egui::Role::TextInput)
        .find(|node| node.accesskit_node().label().as_deref() == Some("Server"))
        .unwrap();
    assert!(server.is_focused());
    harness.event(egui::Event::Text("rtmp://live.example.com/app".into()));
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    if let Some(node) = harness.get_all_by_role(egui::Role::PasswordInput).next() {
        node.focus();
    }
    harness.event(egui::Event::Text("secret-key-123".into()));
    let sent = commands(&mut harness);
    let place = Place::Custom {
        server: "rtmp://live.example.com/app".into(),
        key: Secret::new("secret-key-123"),
    };
    let wanted = Command::PutTarget(Target { place, ..added.clone() });
    assert_eq!(sent.last(), Some(&wanted));
    let tree = format!("{:?}", harness.root());
    assert!(!tree.contains("secret-key"), "the key is in what a screen reader is told");
    assert_eq!(click(&mut harness, "Go Live"), [Command::GoLive]);
}

#[test]
fn what_viewers_get_is_shown_and_asked_for() {
    let mut harness = open("black");
    harness.get_by_label("On air, but at media.school.example: Viewers see black.");
    harness.get_by_label("Viewers see it: 1.20\u{a0}s behind.");
    harness.get_by_label("What viewers see");
    harness.get_by_role_and_label(egui::Role::CheckBox, "Look at what viewers get").click();
    let sent = commands(&mut harness);
    assert!(
        matches!(sent.as_slice(), [Command::PutTarget(Target { monitor: Some(false), id: 0, .. })]),
        "{sent:?}"
    );
    // All is well again.
    harness.state().demo.snapshot.lock().targets[1].monitor.as_mut().unwrap().state = "ok";
    harness.run();
    harness.get_by_label("All good: viewers see it, 2.10\u{a0}s behind.");

    // Another server's viewers are looked at when it is asked for, at an address of their own.
    let mut harness = open("custom");
    harness.get_by_role_and_label(egui::Role::RadioButton, "live.example.com").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::CheckBox, "Look at what viewers get").click();
    let sent = commands(&mut harness);
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(target.monitor, Some(true));
    harness.state().demo.snapshot.lock().targets[1].monitored = true;
    harness.run();
    let field = harness
        .get_all_by_role(egui::Role::TextInput)
        .find(|node| node.accesskit_node().label().as_deref() == Some("Viewers watch at"))
        .unwrap();
    field.focus();
    harness.run();
    harness.event(egui::Event::Text("rtmp://play.example.com/live/show?token=4711".into()));
    let sent = commands(&mut harness);
    let Some(Command::PutTarget(target)) = sent.last() else { panic!("{sent:?}") };
    assert_eq!(target.play_url.expose(), "rtmp://play.example.com/live/show?token=4711");
    harness.get_by_label_contains("It may hold something secret");
}

#[test]
fn targets_are_switched_kept_fitted_and_removed() {
    let mut harness = open("custom");
    let sent = click(&mut harness, "Send to Built-in server");
    assert!(matches!(sent.as_slice(), [Command::PutTarget(Target { enabled: true, id: 0, .. })]));
    harness.get_by_role_and_label(egui::Role::RadioButton, "live.example.com").click();
    harness.run();
    harness.get_by_role_and_label(egui::Role::CheckBox, "Remember the key").click();
    let sent = commands(&mut harness);
    assert!(matches!(
        sent.as_slice(),
        [Command::PutTarget(Target { remember_key: false, id: 1, .. })]
    ));
    assert_eq!(click(&mut harness, "Remove this target and its key"), [Command::RemoveTarget(1)]);
    // A service brings its address, and asks for what it takes.
    harness.get_by_label("Add a target").click();
    harness.run();
    let sent = click(&mut harness, "Twitch");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(added.service, "twitch");
    assert!(added.server().starts_with("rtmps://ingest."), "{added:?}");
    let mut harness = open("targets");
    for (name, words) in [
        ("Twitch", "On air · 2\u{a0}508\u{a0}kbps"),
        ("media.school.example", "Trying again: connection refused: nothing listens there"),
    ] {
        let row = harness.get_by_role_and_label(egui::Role::RadioButton, name);
        assert_eq!(row.value().as_deref(), Some(words));
    }
    harness.get_by_label("On air, but not at media.school.example.");
    let sent = click(&mut harness, "Send to Twitch");
    assert!(matches!(sent.as_slice(), [Command::PutTarget(Target { enabled: false, id: 1, .. })]));
}

#[test]
fn a_media_file_is_chosen_and_sent_as_it_is() {
    let mut harness = open("idle");
    click(&mut harness, "Send a file…");
    // Nothing to send yet.
    assert_eq!(click(&mut harness, "Go live with this file"), []);
    click(&mut harness, "Choose file…");
    assert!(harness.state().wishes.contains(&Wish::PickFilm));
    let path = PathBuf::from("/films/tour.mkv");
    harness.state_mut().screen.as_mut().unwrap().picked_film(path.clone());
    harness.get_by_role_and_label(Role::CheckBox, "Begin again at the end").click();
    harness.run();
    let sent = click(&mut harness, "Go live with this file");
    assert_eq!(sent, [Command::SendFile { path, again: true }]);
    assert!(harness.state().screen.as_ref().unwrap().dialog().is_none());
    harness.run();
    let words = shown(&harness);
    for said in [
        "A file is on air instead of this picture.",
        "On air: tour.mkv",
        "00:01:12 / 00:30:30 · round 2",
    ] {
        assert!(words.iter().any(|it| it == said), "{said} is not among {words:?}");
    }
    harness.get_by_label("Stop").click();
    harness.run();
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
    // Without a target that can be used, what is missing is shown.
    let mut harness = open("custom");
    let own = Target { enabled: true, ..Target::custom(1, "", Secret::default()) };
    harness.state().demo.send(Command::PutTarget(own));
    let mut harness = {
        harness.state_mut().screen = None;
        harness.run();
        harness.run();
        harness
    };
    harness.state_mut().screen.as_mut().unwrap().picked_film("/films/tour.mkv".into());
    click(&mut harness, "Send a file…");
    let sent = click(&mut harness, "Go live with this file");
    assert!(!sent.iter().any(|it| matches!(it, Command::SendFile { .. })), "{sent:?}");
}

#[test]
fn a_closer_look_is_asked_for_and_the_history_is_shown() {
    let mut harness = open("idle");
    harness.get_by_label("Check…").click();
    assert_eq!(commands(&mut harness), [Command::Check]);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Ready));
    harness.key_press(Key::Escape);
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::H);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::History));
    harness.get_by_label_contains("Nothing yet.");
}

#[test]
fn with_no_target_switched_on_nothing_goes_live() {
    let mut harness = open("idle");
    click(&mut harness, "Send to Built-in server");
    assert_eq!(click(&mut harness, "Go Live"), []);
    harness.get_by_label("Switch a target on first.");
}

#[test]
fn sources_are_chosen_from_lists() {
    let mut harness = open("idle");
    assert_eq!(click(&mut harness, "Test picture"), [Command::SelectVideo(VideoChoice::Test)]);
    assert_eq!(click(&mut harness, "Look for devices again"), [Command::RefreshDevices]);
    harness.get_by_label("Video file…").click();
    harness.run();
    assert!(harness.state().wishes.contains(&Wish::PickVideoFile));
    let mut harness = open("first-run");
    harness.get_by_label("No camera found");
    assert_eq!(click(&mut harness, "Use test picture"), [Command::SelectVideo(VideoChoice::Test)]);
}

#[test]
fn sound_is_muted_and_the_clip_lamp_put_out() {
    let mut harness = open("clipped");
    assert_eq!(click(&mut harness, "Clipped. Click to put the lamp out."), [Command::ClearClip]);
    assert_eq!(click(&mut harness, "Mute"), [Command::SetMuted(true)]);
    assert_eq!(click(&mut harness, "Unmute"), [Command::SetMuted(false)]);
    harness.key_press(Key::M);
    assert_eq!(commands(&mut harness), [Command::SetMuted(true)]);
    harness.get_by_label("Gain of Yeti Stereo Microphone").set_value_accesskit(-6.0);
    assert_eq!(commands(&mut harness), [Command::SetGain(-6.0)]);
}

/// The strip that a command sets.
fn strip_set(commands: &[Command]) -> (StripId, Strip) {
    match commands {
        [Command::SetStrip { id, strip }] => (*id, strip.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn strips_stand_side_by_side_and_are_set() {
    let mut harness = open("mixer");
    let (id, strip) = strip_set(&click(&mut harness, "Mute Music"));
    assert_eq!((id, strip.muted, strip.gain_db), (StripId(1), true, -12.0));
    harness.get_by_label("Unmute Music");
    harness.get_by_label("Gain of Voice").set_value_accesskit(-6.0);
    let (id, strip) = strip_set(&commands(&mut harness));
    assert_eq!((id, strip.gain_db, strip.filters.len()), (StripId(0), -6.0, 5));
}

/// The filters that a command sets.
fn filters_set(commands: &[Command]) -> (SourceId, Vec<video::Slot>) {
    match commands {
        [Command::Edit(Edit::SetFilters(id, slots))] => (*id, slots.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn filters_of_a_source_are_added_moved_set_and_taken_away() {
    let mut harness = open("filters");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    // The topmost source: the guest.
    let (id, slots) = filters_set(&click(&mut harness, "Blue"));
    assert_eq!(id, SourceId(1));
    assert_eq!(slots[0].filter.clone().color(), Some(&mut [0, 0, 255]));
    harness.get_by_role_and_label(Role::Slider, "Similarity").set_value_accesskit(0.5);
    let mut filter = filters_set(&commands(&mut harness)).1[0].filter.clone();
    assert_eq!(*filter.values()[0], 0.5);
    harness.get_by_role_and_label(Role::CheckBox, "Chroma key").click();
    assert!(!filters_set(&commands(&mut harness)).1[0].enabled);
    assert_eq!(click(&mut harness, "Add a filter"), []);
    let (_, slots) = filters_set(&click(&mut harness, "Colour correction"));
    assert_eq!(slots[1].filter.kind(), "color");
    assert_eq!(filters_set(&click(&mut harness, "Remove Chroma key")).1, []);
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Add a filter").is_none());
}

/// The properties that a command sets.
fn properties_set(commands: &[Command]) -> (SourceId, Properties) {
    match commands {
        [Command::Edit(Edit::SetProperties(id, properties))] => (*id, properties.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn properties_of_texts_slides_and_screens_are_set() {
    let mut harness = open("properties");
    let press = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::CheckBox, name).click();
        commands(harness)
    };
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run();
    // The topmost source: the text.
    harness.get_by_label("Properties of Title");
    let (id, properties) = properties_set(&press(&mut harness, "Italic"));
    assert_eq!(id, SourceId(3));
    assert!(properties.text.style.italic);
    assert_eq!(properties.text.style.outline, Some((Rgba::BLACK, 4)), "the rest stays");
    harness.get_by_role_and_label(Role::SpinButton, "Size").set_value_accesskit(96.0);
    assert_eq!(properties_set(&commands(&mut harness)).1.text.style.size, 96);
    let (_, properties) = properties_set(&click(&mut harness, "Centre"));
    assert_eq!(properties.text.style.align, Align::Center);
    assert_eq!(properties_set(&press(&mut harness, "Outline")).1.text.style.outline, None);
    harness.get_by_role_and_label(Role::TextInput, "Font").focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Font").type_text("Noto Serif");
    harness.run();
    let typed = commands(&mut harness);
    let (_, properties) = properties_set(&typed[typed.len() - 1..]);
    assert_eq!(properties.text.style.family, "Noto Serif");
    harness.key_press(Key::Escape);
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_label("Properties of Title").is_none());
    // The pretended studio never took the name, so that it was sent until the end.
    harness.state().demo.taken();
    // The others by their menus.
    let by_menu = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_label(name).click_secondary();
        harness.run();
        assert_eq!(click(harness, "Properties…"), []);
        harness.get_by_label(&format!("Properties of {name}"));
    };
    by_menu(&mut harness, "Album");
    let field = |harness: &mut Harness<'static, Window>, name: &str, value: f64| {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        properties_set(&commands(harness)).1.slides
    };
    assert_eq!(field(&mut harness, "Time of a slide", 8.5).time, Duration::from_millis(8_500));
    assert_eq!(field(&mut harness, "Fade", 0.0).fade, Duration::ZERO);
    let (id, properties) = properties_set(&click(&mut harness, "Shuffled"));
    assert_eq!((id, properties.slides.order), (SourceId(2), Order::Shuffled));
    assert!(!properties_set(&press(&mut harness, "Repeat")).1.slides.repeat);
    harness.key_press(Key::Escape);
    harness.run();
    by_menu(&mut harness, "Desk");
    let (id, properties) = properties_set(&press(&mut harness, "Show the pointer"));
    assert!(id == SourceId(1) && properties.without_pointer);
}

fn transition_set(commands: &[Command]) -> Transition {
    match commands {
        [Command::Edit(Edit::SetTransition(transition))] => transition.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transition_is_chosen_and_set() {
    let mut harness = open("media");
    let by_menu = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_label("Transition and studio mode").click();
        harness.run();
        click(harness, name)
    };
    let wipe = transition_set(&by_menu(&mut harness, "Wipe by a pattern"));
    assert_eq!(wipe.kind, Kind::Luma(Wipe::default()));
    // Its options are shown at once; the pretended studio still fades.
    harness.get_by_role_and_label(Role::SpinButton, "Duration").set_value_accesskit(1.5);
    let longer = transition_set(&commands(&mut harness));
    assert_eq!((longer.kind, longer.duration), (Kind::Fade, Duration::from_millis(1_500)));
    harness.get_by_role_and_label(Role::ComboBox, "Transition").click();
    harness.run();
    let stinger = transition_set(&click(&mut harness, "Stinger…"));
    assert_eq!(stinger.kind, Kind::Stinger(Stinger::default()));
    harness.key_press(Key::Escape);
    harness.run();
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        assert!(collection.apply(&Edit::SetTransition(stinger)));
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    assert_eq!(by_menu(&mut harness, "Options of the transition…"), []);
    harness.get_by_label("No file chosen: scenes change with a cut.");
    harness.get_by_label("Choose…").click();
    harness.run();
    let picked = Wish::PickTransitionFile(onair::ui::pick::Means::Clip);
    assert!(harness.state().wishes.contains(&picked));
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.picked_transition("/v/swoosh.webp".into());
    let of = |transition: Transition| match transition.kind {
        Kind::Stinger(stinger) => stinger,
        other => panic!("{other:?}"),
    };
    assert!(of(transition_set(&commands(&mut harness))).file.ends_with("swoosh.webp"));
    harness.get_by_role_and_label(Role::SpinButton, "Scenes change at").set_value_accesskit(0.8);
    let stinger = of(transition_set(&commands(&mut harness)));
    assert_eq!(stinger.cut, Duration::from_millis(800));
    harness.get_by_role_and_label(Role::ComboBox, "Seen through").click();
    harness.run();
    let right = of(transition_set(&click(&mut harness, "By its right half, in grey")));
    assert_eq!(right.matte, Matte::Right);
}

#[test]
fn what_plays_is_paused_moved_about_in_and_turned() {
    let mut harness = open("media");
    assert!(harness.query_by_label("Pause Opening").is_none(), "nothing is selected");
    harness.get_by_label("Opening").click();
    harness.run();
    let media = |go| [Command::Media(SourceId(2), go)];
    assert_eq!(click(&mut harness, "Pause Opening"), media(Go::Pause));
    assert_eq!(click(&mut harness, "Begin Opening again"), media(Go::Restart));
    harness.get_by_label("0:42 / 3:05");
    harness.get_by_role_and_label(Role::Slider, "Place in Opening").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    assert_eq!(commands(&mut harness), media(Go::To(Duration::from_secs(47))));
    for (key, go) in [
        (Key::Space, Go::Pause),
        (Key::Home, Go::Restart),
        (Key::ArrowLeft, Go::To(Duration::from_secs(37))),
    ] {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        assert_eq!(commands(&mut harness), media(go), "{key:?}");
    }
    harness.get_by_label("Album").click();
    harness.run();
    harness.get_by_label("3 of 12");
    let next = [Command::Media(SourceId(1), Go::Next)];
    assert_eq!(click(&mut harness, "Next slide of Album"), next);
    let previous = [Command::Media(SourceId(1), Go::Previous)];
    assert_eq!(click(&mut harness, "Previous slide of Album"), previous);
    // What becomes of it while it is hidden.
    harness.get_by_label("Opening").click_secondary();
    harness.run();
    assert_eq!(click(&mut harness, "Properties…"), []);
    let (id, properties) = properties_set(&click(&mut harness, "Begin again"));
    assert_eq!((id, properties.hidden), (SourceId(2), Hidden::Restarts));
}

#[test]
fn a_camera_is_set_by_what_its_driver_tells() {
    let mut harness = open("camera");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run();
    let set = |control: &str, value| {
        let (camera, control) = ("c920".to_owned(), control.to_owned());
        [Command::SetCamera { camera, control, value: Some(value) }]
    };
    harness.get_by_role_and_label(Role::SpinButton, "Gain").set_value_accesskit(90.0);
    assert_eq!(commands(&mut harness), set("gain", 90));
    harness.get_by_role_and_label(Role::SpinButton, "Focus (absolute)").set_value_accesskit(43.0);
    assert_eq!(commands(&mut harness), set("focus_absolute", 45), "as the driver steps");
    harness.get_by_role_and_label(Role::CheckBox, "White Balance Temperature, Auto").click();
    assert_eq!(commands(&mut harness), set("white_balance_temperature_auto", 0));
    harness.get_by_role_and_label(Role::ComboBox, "Power Line Frequency").click();
    harness.run();
    assert_eq!(click(&mut harness, "60 Hz"), set("power_line_frequency", 2));
    let reset = [Command::ResetCamera("c920".into())];
    assert_eq!(click(&mut harness, "Reset to the defaults"), reset);
    // What an automatic one has taken over cannot be moved.
    let name = "White Balance Temperature";
    let taken_over = harness.get_by_role_and_label(Role::SpinButton, name);
    assert!(taken_over.accesskit_node().is_disabled());
}

#[test]
fn several_sources_are_selected_and_changed_as_one() {
    let mut harness = open("media");
    let several = |commands: Vec<Command>| match commands.as_slice() {
        [Command::Edit(Edit::Several(edits))] => edits.clone(),
        other => panic!("{other:?}"),
    };
    harness.get_by_label("Opening").click();
    harness.run();
    harness.get_by_label("Album").click_modifiers(Modifiers::COMMAND);
    harness.run();
    harness.get_by_label("Picture of the scene, 2 are selected: arrows move them");
    let hidden = several(click(&mut harness, "Hide Opening"));
    let both = [ItemId(2), ItemId(3)];
    assert!(both.iter().all(|id| hidden.contains(&Edit::HideItem(*id, true))), "{hidden:?}");
    // By the keyboard on the picture.
    let canvas = "Picture of the scene, 2 are selected: arrows move them";
    harness.get_by_label(canvas).focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    let moved = several(commands(&mut harness));
    assert_eq!(moved.len(), 2, "{moved:?}");
    let x = |edit: &Edit| match edit {
        Edit::SetPlace(_, place) => place.x,
        other => panic!("{other:?}"),
    };
    let sum: f64 = moved.iter().map(x).sum();
    assert!((sum - 0.6 - 4.0 / 1_280.0).abs() < 1e-9, "{sum}");
    // By the menu.
    harness.get_by_label("Album").click_secondary();
    harness.run();
    let aligned = several(click(&mut harness, "Align left"));
    assert!(aligned.iter().all(|edit| (x(edit) - 0.05).abs() < 1e-6), "{aligned:?}");
    harness.get_by_label("Album").click_secondary();
    harness.run();
    let grouped = click(&mut harness, "Group them");
    assert!(matches!(&grouped[..], [Command::Edit(Edit::Group(ids))] if ids.len() == 2));
    harness.get_by_label("Picture of the scene: click something to change it");
    // All of them, and then as many rows as lie between two.
    harness.get_by_label("Picture of the scene: click something to change it").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_label("Picture of the scene, 3 are selected: arrows move them");
    harness.get_by_label("Opening").click();
    harness.run();
    harness.get_by_label("Album").click_modifiers(Modifiers::SHIFT);
    harness.run();
    harness.get_by_label("Album").focus();
    harness.run();
    harness.key_press(Key::Delete);
    assert_eq!(several(commands(&mut harness)).len(), 2);
}

#[test]
fn a_frame_around_several_selects_them() {
    let mut harness = open("media");
    let canvas = harness.get_by_label("Picture of the scene: click something to change it").rect();
    let at = |x: f32, y: f32| canvas.min + Vec2::new(canvas.width() * x, canvas.height() * y);
    // With Shift, as the chosen picture lies below everything.
    harness.event(egui::Event::PointerMoved(at(0.02, 0.25)));
    harness.run();
    let button = |pressed, pos| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::SHIFT,
    };
    harness.event(egui::Event::ModifiersChanged(Modifiers::SHIFT));
    harness.event(button(true, at(0.02, 0.25)));
    harness.run();
    harness.event(egui::Event::PointerMoved(at(0.4, 0.8)));
    harness.run();
    harness.event(egui::Event::PointerMoved(at(0.97, 0.8)));
    harness.run();
    harness.event(button(false, at(0.97, 0.8)));
    harness.run();
    harness.get_by_label("Picture of the scene, 3 are selected: arrows move them");
}

#[test]
fn the_sound_desk_sets_everything_about_a_strip() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Desk));
    let row = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::RadioButton, name).click();
        harness.run();
    };
    row(&mut harness, "Music");
    let press = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::CheckBox, name).click();
        strip_set(&commands(harness)).1
    };
    assert!(press(&mut harness, "Solo").solo);
    assert!(press(&mut harness, "Mono").mono);
    assert_eq!(strip_set(&click(&mut harness, "Desk only")).1.heard, Heard::Desk);
    assert_eq!(strip_set(&click(&mut harness, "Tracks only")).1.heard, Heard::Tracks);
    let tracks = |commands: &[Command]| {
        strip_set(commands).1.tracks.iter().map(ExtraTrack::number).collect::<Vec<_>>()
    };
    assert_eq!(tracks(&click(&mut harness, "Track 6 of Music")), [3, 6]);
    assert_eq!(tracks(&click(&mut harness, "Track 3 of Music")), [6]);
    assert!(click(&mut harness, "Track 1 of Music").is_empty(), "it is the program");
    harness.get_by_role_and_label(Role::Slider, "Balance").set_value_accesskit(0.5);
    assert_eq!(strip_set(&commands(&mut harness)).1.balance, 0.5);
    let talk = click(&mut harness, "Push to talk");
    assert_eq!(talk, [Command::SetTalk { id: StripId(1), talk: Talk::PushToTalk }]);
    assert_eq!(click(&mut harness, "Remove this strip"), [Command::RemoveStrip(StripId(1))]);
    // A filter is added, taken away, set.
    assert_eq!(click(&mut harness, "Add a filter"), []);
    let (_, strip) = strip_set(&click(&mut harness, "Compressor"));
    assert_eq!(strip.filters[0].filter.kind(), "compressor");
    row(&mut harness, "Voice");
    let (_, strip) = strip_set(&click(&mut harness, "Remove Gate"));
    assert_eq!(strip.filters.len(), 4);
    harness.get_by_role_and_label(Role::Slider, "Amount").set_value_accesskit(0.25);
    let (_, strip) = strip_set(&commands(&mut harness));
    assert_eq!(strip.filters[0].filter, Filter::Denoise { amount: 0.25 });
    assert_eq!(click(&mut harness, "Start afresh"), [Command::ResetLoudness]);
}

#[test]
fn a_lost_connection_is_retried_or_given_up() {
    let mut harness = open("reconnecting");
    harness.get_by_label("Not on air: the connection was lost. Recording goes on.");
    harness.get_all_by_label("Retry now").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::RetryNow]);
    assert_eq!(click(&mut harness, "Stop"), []);
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
}

#[test]
fn notices_help_and_go_away() {
    let mut harness = open("notices");
    harness.get_all_by_label("Use test picture").last().unwrap().click();
    assert_eq!(
        commands(&mut harness),
        [Command::SelectVideo(VideoChoice::Test), Command::Dismiss(4)]
    );
    let before = harness.get_all_by_label("Dismiss").count();
    harness.get_all_by_label("Dismiss").next().unwrap().click();
    assert!(matches!(commands(&mut harness).as_slice(), [Command::Dismiss(_)]));
    assert_eq!(harness.get_all_by_label("Dismiss").count(), before - 1);
}

#[test]
fn recording_starts_and_stops() {
    let mut harness = open("idle");
    harness.get_by_label("Record").click();
    harness.run();
    assert!(harness.state().wishes.contains(&Wish::Record));
    let mut harness = open("recording");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::R);
    assert_eq!(commands(&mut harness), [Command::StopRecording]);
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
    assert_eq!(click(&mut harness, "End and close"), []);
    assert!(harness.state().closed);
}

#[test]
fn language_and_theme_change_while_running() {
    let mut harness = open("idle");
    click(&mut harness, "Switch to Chinese");
    harness.get_by_label("开始直播");
    click(&mut harness, "切换到浅色主题");
    let kept = harness.state().screen.as_ref().unwrap().preferences().clone();
    assert_eq!((kept.language, kept.theme), (Language::Chinese, Theme::Light));
    assert!(harness.state().wishes.contains(&Wish::Preferences));
    click(&mut harness, "切换到英文");
    harness.get_by_label("Go Live");
}

#[test]
fn a_stream_is_watched() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    harness.run();
    let url = "rtmp://127.0.0.1:1935/live/onair";
    harness.get_all_by_label("Play").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::Watch { url: url.into() }]);
    harness.get_by_label_contains("Latency: 380");
    assert_eq!(click(&mut harness, "Mute the player"), [Command::SetPlayerMuted(true)]);
    harness.get_by_label("Volume").set_value_accesskit(0.5);
    assert_eq!(commands(&mut harness), [Command::SetVolume(0.5)]);
    harness.key_press(Key::F);
    harness.run();
    assert!(harness.state().wishes.contains(&Wish::FullScreen(true)));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.state().wishes.contains(&Wish::FullScreen(false)));
    harness.get_all_by_label("Stop").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::StopWatching]);
}

/// The names of what is shown.
fn shown(harness: &Harness<'static, Window>) -> Vec<String> {
    let nodes = harness.root().children_recursive();
    nodes
        .filter_map(|node| {
            let node = node.accesskit_node();
            node.label().or_else(|| node.value())
        })
        .collect()
}

fn asked(harness: &mut Harness<'static, Window>, key: Key) -> Vec<Command> {
    harness.key_press(key);
    commands(harness)
}

#[test]
fn a_broadcast_is_held_gone_back_in_and_brought_to_its_end() {
    let mut harness = open("watch-behind");
    let player = |playing| vec![Command::Player(playing)];
    let seconds = Duration::from_secs;
    assert!(shown(&harness).iter().any(|name| name == "−12\u{a0}s"), "{:?}", shown(&harness));
    assert_eq!(click(&mut harness, "Pause"), player(Playing::Pause(true)));
    assert_eq!(click(&mut harness, "Go on"), player(Playing::Pause(false)));
    assert_eq!(asked(&mut harness, Key::Space), player(Playing::Pause(true)));
    assert_eq!(asked(&mut harness, Key::ArrowLeft), player(Playing::Rewind(seconds(17))));
    assert_eq!(asked(&mut harness, Key::ArrowRight), player(Playing::Rewind(seconds(12))));
    assert_eq!(asked(&mut harness, Key::PageDown), player(Playing::Rewind(seconds(42))));
    // The bar: where it is pressed, as far back as is kept.
    let bar = harness.get_by_role_and_label(Role::Slider, "Position").rect();
    harness.hover_at(bar.center());
    harness.drag_at(bar.center());
    harness.drop_at(bar.center());
    let sent = commands(&mut harness);
    let [Command::Player(Playing::Rewind(middle))] = sent.as_slice() else { panic!("{sent:?}") };
    assert!((47.0..50.0).contains(&middle.as_secs_f64()), "{middle:?}");
    assert_eq!(click(&mut harness, "Live"), player(Playing::GoToLive));
    assert!(!shown(&harness).iter().any(|name| name == "Live"), "it is live");
    assert_eq!(asked(&mut harness, Key::ArrowRight), []);
    assert_eq!(click(&mut harness, "Stop recording what is watched"), player(Playing::StopSaving));
    click(&mut harness, "Record what is watched");
    assert!(harness.state().wishes.contains(&Wish::WatchSave));
    asked(&mut harness, Key::S);
    assert!(harness.state().wishes.contains(&Wish::WatchSnapshot));
}

#[test]
fn a_recording_is_gone_about_in() {
    let mut harness = open("watch-file");
    let seek = |to| vec![Command::Player(Playing::Seek(Duration::from_secs(to)))];
    assert!(shown(&harness).iter().any(|name| name == "0:42 / 3:10"), "{:?}", shown(&harness));
    assert_eq!(asked(&mut harness, Key::ArrowRight), seek(47));
    assert_eq!(asked(&mut harness, Key::ArrowLeft), seek(42));
    assert_eq!(asked(&mut harness, Key::Home), seek(0));
    assert_eq!(asked(&mut harness, Key::L), [], "it has no live end");
}

#[test]
fn sound_buffer_and_look_are_set() {
    let mut harness = open("watching");
    let player = |playing| vec![Command::Player(playing)];
    harness.get_by_label("Sound: balance, offset, speaker").click();
    harness.run();
    harness.get_by_role_and_label(Role::Slider, "Balance").set_value_accesskit(0.5);
    assert_eq!(commands(&mut harness), player(Playing::SetBalance(0.5)));
    let offset = "Sound against the picture";
    harness.get_by_role_and_label(Role::Slider, offset).set_value_accesskit(-0.25);
    assert_eq!(commands(&mut harness), player(Playing::SetAvOffset(-250)));
    assert_eq!(click(&mut harness, "HDMI Audio"), player(Playing::SetSpeaker(Some("hdmi".into()))));
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(asked(&mut harness, Key::K), player(Playing::SetAvOffset(-240)));
    harness.get_by_label("Picture and buffer").click();
    harness.run();
    let buffer = Some(Duration::from_secs(1));
    assert_eq!(click(&mut harness, "Buffer 1\u{a0}s"), player(Playing::SetBuffer(buffer)));
    assert_eq!(click(&mut harness, "Buffer Auto"), player(Playing::SetBuffer(None)));
    for choice in ["Fill", "4:3", "Original size", "Turned by 90 degrees", "As it comes"] {
        assert_eq!(click(&mut harness, choice), [], "{choice}");
    }
}

#[test]
fn the_figures_lie_over_the_picture() {
    let mut harness = open("watching");
    let over = |harness: &Harness<'static, Window>| {
        shown(harness).into_iter().find(|name| name.starts_with("Figures: "))
    };
    assert_eq!(over(&harness), None);
    asked(&mut harness, Key::I);
    let said = over(&harness).unwrap();
    for part in ["H.264 High", "1280×720", "2\u{a0}498\u{a0}kbps", "380\u{a0}ms", "Reconnects: 0"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    click(&mut harness, "Figures over the picture");
    assert_eq!(over(&harness), None);
}

#[test]
fn streams_are_offered_again_and_forgotten() {
    let mut harness = open("watch-idle");
    let url = "rtmp://live.example.com/app/main-hall";
    harness.get_by_label("Streams watched before").click();
    harness.run();
    let forget = Command::Player(Playing::Forget(url.into()));
    assert_eq!(click(&mut harness, "Forget main-hall · live.example.com"), [forget]);
    let mut harness = open("watch-idle");
    harness.get_by_label("Streams watched before").click();
    harness.run();
    assert_eq!(click(&mut harness, url), [Command::Watch { url: url.into() }]);
    let pasted = "https://host/live.m3u8?token=1";
    harness.event(egui::Event::Paste(pasted.into()));
    assert_eq!(commands(&mut harness), [Command::Watch { url: pasted.into() }]);
    harness.event(egui::Event::Paste("no address".into()));
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn what_is_said_is_read_and_answered() {
    let mut harness = open("watch-chat");
    harness.get_by_role_and_label(Role::Label, "guest-7 画面真清晰");
    let send = harness.get_by_role_and_label(Role::Button, "Send");
    assert!(send.accesskit_node().is_disabled(), "there is nothing to send yet");
    harness.get_by_role_and_label(Role::TextInput, "Say something in the chat").focus();
    harness.run();
    harness
        .get_by_role_and_label(Role::TextInput, "Say something in the chat")
        .type_text("a quartz");
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Send").click();
    let said = Command::Player(Playing::Say("a quartz".into()));
    assert_eq!(commands(&mut harness), [said]);
    click(&mut harness, "How the chat is shown");
    harness.get_by_role_and_label(Role::CheckBox, "Lines fly over the picture").click();
    let choices = ChatChoices { flying: false, ..ChatChoices::default() };
    assert_eq!(commands(&mut harness), [Command::Player(Playing::SetChat(choices))]);
}

#[test]
fn a_wall_shows_each_players_state_in_its_tile() {
    let mut harness = open("watch-wall");
    let player = |playing| vec![Command::Player(playing)];
    let hall = "main-hall · live.example.com";
    let nobody = "nobody · live.example.com";
    harness.get_by_label(&format!("{nobody}: The stream cannot be shown"));
    harness.get_by_label("stage · live.example.com: The stream was lost");
    assert_eq!(
        click(&mut harness, &format!("Play {nobody} again")),
        player(Playing::Again(TileId(4)))
    );
    assert_eq!(
        click(&mut harness, &format!("Take {nobody} away")),
        player(Playing::Remove(TileId(4)))
    );
    let workshop = "workshop · live.example.com: Opening…";
    harness.get_by_label(workshop).focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), player(Playing::Choose(TileId(1))));
    harness.get_by_label(workshop);
    assert_eq!(click(&mut harness, "Tile").len(), 1);
    // Once more: alone, and back.
    harness.get_by_label(workshop).focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), player(Playing::Choose(TileId(1))));
    harness.get_by_label("Picture of the stream");
    assert_eq!(asked(&mut harness, Key::Escape), []);
    harness.get_by_role_and_label(Role::RadioButton, &format!("{hall}: Opening…"));
}

#[test]
fn the_players_move_into_a_window_of_their_own_and_back() {
    let mut harness = open("watching");
    click(&mut harness, "Window of its own");
    assert!(harness.state().screen.as_ref().unwrap().plays_apart());
    // Behind the other window, which is inside this one here.
    harness.get_all_by_label("Back to the page").next().unwrap().click_accesskit();
    harness.run();
    assert!(!harness.state().screen.as_ref().unwrap().plays_apart());
    asked(&mut harness, Key::P);
    assert!(harness.state().screen.as_ref().unwrap().plays_apart());
    asked(&mut harness, Key::Escape);
    assert!(!harness.state().screen.as_ref().unwrap().plays_apart());
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
}

#[test]
fn faults_of_the_built_in_server_are_switched_by_developers() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("developer".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Developer));
    let reset = "reset@media:5s..10s".parse().unwrap();
    let name = "Cuts the connection 5 to 10 s into the stream";
    harness.get_by_role_and_label(egui::Role::CheckBox, name).click();
    assert_eq!(commands(&mut harness), [Command::SetFaults(vec![reset])]);
}

#[test]
fn a_server_is_told_where_its_clients_go_when_it_ends() {
    let mut harness = open("idle");
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Developer);
    harness.run();
    let field = "Where clients go when this server ends";
    let mut type_in = |text: &str| {
        harness.get_by_role_and_label(Role::TextInput, field).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
        let sent = commands(&mut harness);
        (sent, shown(&harness))
    };
    let (sent, _) = type_in("rtmp://other.example.com/live");
    let wanted = Command::SetSuccessor("rtmp://other.example.com/live".into());
    assert_eq!(sent.last(), Some(&wanted));
    // Every client would be told the password.
    let (sent, words) = type_in("@me");
    assert_eq!(sent, []);
    assert!(words.iter().any(|it| it.contains("no user and password")), "{words:?}");
}

#[test]
fn own_services_are_added_changed_and_removed() {
    let mut harness = open("idle");
    click(&mut harness, "Add a target");
    click(&mut harness, "Services of your own");
    click(&mut harness, "Add a service");
    let fill = |harness: &mut Harness<'static, Window>, name: &str, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, name).type_text(text);
        harness.run();
    };
    assert_eq!(click(&mut harness, "Keep"), []);
    assert!(shown(&harness).contains(&"it has no name".to_owned()));
    fill(&mut harness, "Name", "My School");
    fill(&mut harness, "Addresses, the usual one first", "http://live.school.example/app");
    fill(&mut harness, "Video, kbps", "3000");
    assert_eq!(click(&mut harness, "Keep"), []);
    assert!(shown(&harness).iter().any(|it| it.starts_with("its server: ")));
    let servers = "Addresses, the usual one first";
    harness.get_by_role_and_label(Role::TextInput, servers).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    fill(&mut harness, servers, "rtmps://live.school.example/app");
    let sent = click(&mut harness, "Keep");
    let [Command::PutService { was: None, service }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((&*service.id, service.servers.len()), ("my-school", 1));
    assert_eq!(service.limits.video.map(|it| it.0), Some(3_000_000));
    // It is there, is changed, and a second of its name is refused.
    click(&mut harness, "Edit My School");
    fill(&mut harness, "Frames a second", "30");
    let sent = click(&mut harness, "Keep");
    let [Command::PutService { was: Some(was), service }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((was.as_str(), service.limits.fps), ("my-school", Some(30)));
    click(&mut harness, "Add a service");
    fill(&mut harness, "Name", "my school");
    assert_eq!(click(&mut harness, "Keep"), []);
    assert!(shown(&harness).contains(&"another service has this name".to_owned()));
    click(&mut harness, "Cancel");
    let sent = click(&mut harness, "Remove My School");
    assert_eq!(sent, [Command::RemoveService("my-school".into())]);
    // In Chinese too.
    let preferences = preferences(Language::Chinese, Theme::Light);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), preferences);
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Services);
    harness.run();
    click(&mut harness, "添加平台");
    let words = shown(&harness);
    for said in ["自定义平台", "最高要求；留空表示没有限制。会与直播的设置比较。"]
    {
        assert!(words.iter().any(|it| it == said), "{said} is not among {words:?}");
    }
}

#[test]
fn the_sound_tracks_of_recordings_are_named_in_the_settings() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    harness.get_by_label("Sound tracks in recordings: 3");
    harness.get_by_label("Name of track 3").focus();
    harness.run();
    harness.get_by_label("Name of track 3").type_text("The band");
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    let screen = harness.state().screen.as_ref().unwrap();
    let names = &screen.preferences().recording.track_names;
    assert_eq!(names[..4], ["", "", "The band", ""]);
    assert!(harness.state().wishes.iter().any(|wish| matches!(wish, Wish::Preferences)));
    // Without extra tracks there is only the program.
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    harness.get_by_label("Sound tracks in recordings: 1");
    assert!(harness.query_by_label("Name of track 1").is_none());
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

/// From the top left to the bottom right, only with Tab; then going live with Space.
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
        "Look for devices again",
        "Test picture",
        "Default microphone",
        "Gain of Yeti Stereo Microphone",
        "Mute",
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
