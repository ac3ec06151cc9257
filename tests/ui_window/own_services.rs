//! Tests of the user's own services in the window.

use onair::media::BitsPerSecond;
use onair::studio::snapshot::TargetView;
use onair::studio::targets::services::{
    KNOWN_SERVICES, Limits, Service, ServiceList, USUAL_LIMITS,
};

use super::targets::open_menu;
use super::*;

const SERVERS: &str = "Addresses, separated by spaces, default first";

/// Types a text into a field of the form.
fn fill(harness: &mut Harness<'static, Window>, name: &str, text: &str) {
    harness.get_by_role_and_label(Role::TextInput, name).focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, name).type_text(text);
    harness.run();
}

/// Adds a service of the user's own with low limits, and a target there.
pub(super) fn add_school(harness: &mut Harness<'static, Window>) {
    harness.state().demo.change(|snapshot| {
        let limits = Limits {
            video: Some(BitsPerSecond(2_000_000)),
            height: Some(720),
            fps: Some(30),
            ..USUAL_LIMITS
        };
        let (id, name) = ("my-school".into(), "My School".into());
        let school = Service { id, name, limits, ..KNOWN_SERVICES[0].clone() };
        snapshot.services = ServiceList::with_own(vec![school]);
        let target = Target::custom(9, "rtmp://live.school.example/app", "key".into());
        let target = Target { service: "my-school".into(), ..target };
        snapshot.targets.push(TargetView::idle(target));
    });
    harness.run();
}

/// Checks that the presets beyond the limits of [`add_school`] are disabled, with the reason.
pub(super) fn assert_presets_are_limited(harness: &Harness<'static, Window>, role: Role) {
    for (name, reason) in [
        ("480p, 30 fps", None),
        ("720p, 30 fps", Some("My School allows at most 2\u{a0}000\u{a0}kbps of video.")),
        ("720p, 60 fps", Some("My School allows at most 30 fps.")),
        ("1080p, 30 fps", Some("My School allows a frame height of at most 720 pixels.")),
    ] {
        let node = harness.get_by_role_and_label(role, name);
        let node = node.accesskit_node();
        assert_eq!(node.is_disabled(), reason.is_some(), "{name}");
        let description = node.data().description().unwrap_or_default();
        assert!(reason.is_none_or(|reason| description == reason), "{name}: {description}");
    }
}

#[test]
fn presets_beyond_the_limits_of_a_service_are_disabled_with_the_reason() {
    let mut harness = open("idle");
    add_school(&mut harness);
    harness.get_by_role_and_label(Role::ComboBox, "Quality").click();
    harness.run();
    assert_presets_are_limited(&harness, Role::MenuItemRadio);
    assert_eq!(click(&mut harness, "1080p, 30 fps"), []);
    let sent = click(&mut harness, "480p, 30 fps");
    assert!(matches!(&sent[..], [Command::SetQuality(quality)] if quality.size.height == 480));
}

#[test]
fn the_settings_open_the_form_at_once_and_open_again_after_it() {
    let is = |harness: &Harness<'static, Window>, dialog| {
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(dialog));
    };
    let mut harness = open("idle");
    for leave in [Some("Cancel"), Some("Close"), None] {
        settings_page(&mut harness, "Network");
        click(&mut harness, "Add a service…");
        harness.run();
        is(&harness, Dialog::Services);
        harness.get_by_role_and_label(Role::TextInput, "Name");
        match leave {
            Some(button) => drop(click(&mut harness, button)),
            None => harness.key_press(Key::Escape),
        }
        harness.run();
        is(&harness, Dialog::Settings);
        harness.key_press(Key::Escape);
        harness.run();
    }
    // From the menu, the dialog goes back from the form to the list, and closes for good.
    open_menu(&mut harness);
    click(&mut harness, "Your own services");
    click(&mut harness, "Add a service");
    click(&mut harness, "Cancel");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
}

#[test]
fn the_form_works_by_keyboard_and_keeps_what_was_typed() {
    let mut harness = open("idle");
    let field = |harness: &Harness<'static, Window>, name: &str| {
        let node = harness.get_by_role_and_label(Role::TextInput, name);
        (node.accesskit_node().value().unwrap_or_default(), node.is_focused())
    };
    let text = |harness: &mut Harness<'static, Window>, text: &str| {
        harness.event(egui::Event::Text(text.into()));
        harness.run();
    };
    open_menu(&mut harness);
    click(&mut harness, "Your own services");
    click(&mut harness, "Add a service");
    harness.run();
    assert!(field(&harness, "Name").1, "the first field has the focus");
    text(&mut harness, "My School");
    // Escape goes back to the list, and the button of the heading closes the dialog.
    for leave in [None, Some("Close")] {
        match leave {
            None => harness.key_press(Key::Escape),
            Some(button) => drop(click(&mut harness, button)),
        }
        harness.run();
        if leave.is_some() {
            open_menu(&mut harness);
            click(&mut harness, "Your own services");
        }
        assert!(harness.query_by_role_and_label(Role::TextInput, "Name").is_none());
        click(&mut harness, "Add a service");
        harness.run();
        assert_eq!(field(&harness, "Name"), ("My School".to_owned(), true));
    }
    // Enter saves from any field. The focus goes to the field that prevents it.
    harness.key_press(Key::Tab);
    harness.run();
    text(&mut harness, "rtmp://live.school.example/app");
    fill(&mut harness, "Frame rate", "x");
    harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), []);
    harness.run();
    assert!(field(&harness, "Frame rate").1);
    harness.key_press(Key::Backspace);
    harness.run();
    harness.key_press(Key::Enter);
    let sent = commands(&mut harness);
    let [Command::PutService { was: None, service }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((&*service.id, service.servers.len()), ("my-school", 1));
    // A saved form is not kept.
    click(&mut harness, "Add a service");
    harness.run();
    assert_eq!(field(&harness, "Name"), (String::new(), true));
}

#[test]
fn every_form_keeps_its_texts_until_its_service_is_removed() {
    let mut harness = open("idle");
    let add = |harness: &mut Harness<'static, Window>| {
        harness.state().demo.change(|snapshot| {
            let (id, name) = ("my-school".into(), "My School".into());
            let school = Service { id, name, ..KNOWN_SERVICES[0].clone() };
            snapshot.services = ServiceList::with_own(vec![school]);
        });
        harness.run();
    };
    let open_form = |harness: &mut Harness<'static, Window>, button: &str| {
        click(harness, button);
        harness.run();
        let node = harness.get_by_role_and_label(Role::TextInput, "Name");
        node.accesskit_node().value().unwrap_or_default()
    };
    let leave = |harness: &mut Harness<'static, Window>| {
        harness.key_press(Key::Escape);
        harness.run();
    };
    add(&mut harness);
    open_menu(&mut harness);
    click(&mut harness, "Your own services");
    let forms = [("Add a service", "Club"), ("Edit My School", "Choir")];
    for (button, text) in forms {
        open_form(&mut harness, button);
        fill(&mut harness, "Name", text);
        leave(&mut harness);
    }
    for (button, text) in forms {
        let name = open_form(&mut harness, button);
        assert!(name.contains(text), "{name}");
        leave(&mut harness);
    }
    click(&mut harness, "Remove My School");
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    click(&mut harness, "Remove");
    harness.run();
    let none = ServiceList::with_own(Vec::new());
    harness.state().demo.change(|snapshot| snapshot.services = none);
    harness.run();
    add(&mut harness);
    assert_eq!(open_form(&mut harness, "Edit My School"), "My School");
}

#[test]
fn own_services_are_added_changed_and_removed() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    click(&mut harness, "Your own services");
    click(&mut harness, "Add a service");
    let limits = "An empty field means no limit. An empty keyframe interval means 4 seconds.";
    assert!(shown(&harness).iter().any(|it| it.ends_with(limits)), "{:?}", shown(&harness));
    assert_eq!(click(&mut harness, "Save"), []);
    assert!(shown(&harness).contains(&"The name is missing".to_owned()));
    fill(&mut harness, "Name", "My School");
    fill(&mut harness, SERVERS, "http://live.school.example/app");
    fill(&mut harness, "Video bitrate (kbps)", "3000");
    assert_eq!(click(&mut harness, "Save"), []);
    assert!(shown(&harness).iter().any(|it| it.starts_with("onair does not support http://")));
    harness.get_by_role_and_label(Role::TextInput, SERVERS).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    fill(&mut harness, SERVERS, "rtmps://live.school.example/app");
    let sent = click(&mut harness, "Save");
    let [Command::PutService { was: None, service }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((&*service.id, service.servers.len()), ("my-school", 1));
    assert_eq!(service.limits.video.map(|it| it.0), Some(3_000_000));
    // The service is listed and can be edited. A second one of the same name is refused.
    click(&mut harness, "Edit My School");
    fill(&mut harness, "Frame rate", "30");
    let sent = click(&mut harness, "Save");
    let [Command::PutService { was: Some(was), service }] = &sent[..] else { panic!("{sent:?}") };
    assert_eq!((was.as_str(), service.limits.fps), ("my-school", Some(30)));
    click(&mut harness, "Add a service");
    fill(&mut harness, "Name", "my school");
    assert_eq!(click(&mut harness, "Save"), []);
    assert!(shown(&harness).contains(&"Another service has this name".to_owned()));
    click(&mut harness, "Cancel");
    // A removal asks first. Enter and Escape keep the service.
    for key in [Key::Enter, Key::Escape] {
        harness.get_by_role_and_label(Role::Button, "Remove My School").focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.run();
        let question = harness.get_by_label("Remove the service 'My School'?");
        let live = question.accesskit_node().data().live();
        assert_eq!(live, Some(egui::accesskit::Live::Polite));
        assert!(harness.get_by_role_and_label(Role::Button, "Keep it").is_focused(), "{key:?}");
        harness.key_press(key);
        assert_eq!(commands(&mut harness), []);
        harness.run();
        harness.run();
        let remove = harness.get_by_role_and_label(Role::Button, "Remove My School");
        assert!(remove.is_focused(), "{key:?}");
    }
    assert_eq!(click(&mut harness, "Remove My School"), []);
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    let sent = click(&mut harness, "Remove");
    assert_eq!(sent, [Command::RemoveService("my-school".into())]);
    harness.run();
    assert!(harness.get_by_role_and_label(Role::Button, "Add a service").is_focused());
    // The dialog works in Chinese too.
    let preferences = preferences(Language::Chinese, Theme::Light);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), preferences);
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Services);
    harness.run();
    click(&mut harness, "添加平台");
    let words = shown(&harness);
    let limits = "平台对推流参数的限制。onair 会据此检查你的设置，\
                  留空表示不限，关键帧间隔留空表示 4 秒。";
    for text in ["自定义平台", limits] {
        assert!(words.iter().any(|it| it == text), "{text} is not among {words:?}");
    }
}
