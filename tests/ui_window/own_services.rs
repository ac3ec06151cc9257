//! Tests of the user's own services in the window.

use super::targets::open_menu;
use super::*;

#[test]
fn own_services_are_added_changed_and_removed() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    click(&mut harness, "Your own services");
    click(&mut harness, "Add a service");
    let fill = |harness: &mut Harness<'static, Window>, name: &str, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, name).type_text(text);
        harness.run();
    };
    assert_eq!(click(&mut harness, "Save"), []);
    assert!(shown(&harness).contains(&"it has no name".to_owned()));
    fill(&mut harness, "Name", "My School");
    fill(&mut harness, "Addresses, default first", "http://live.school.example/app");
    fill(&mut harness, "Video bitrate (kbps)", "3000");
    assert_eq!(click(&mut harness, "Save"), []);
    assert!(shown(&harness).iter().any(|it| it.starts_with("onair does not support http://")));
    let servers = "Addresses, default first";
    harness.get_by_role_and_label(Role::TextInput, servers).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    fill(&mut harness, servers, "rtmps://live.school.example/app");
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
    assert!(shown(&harness).contains(&"another service has this name".to_owned()));
    click(&mut harness, "Cancel");
    let sent = click(&mut harness, "Remove My School");
    assert_eq!(sent, [Command::RemoveService("my-school".into())]);
    // The dialog works in Chinese too.
    let preferences = preferences(Language::Chinese, Theme::Light);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), preferences);
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Services);
    harness.run();
    click(&mut harness, "添加平台");
    let words = shown(&harness);
    for text in ["自定义平台", "平台的上限，留空表示不限。onair 会按它检查你的设置。"]
    {
        assert!(words.iter().any(|it| it == text), "{text} is not among {words:?}");
    }
}
