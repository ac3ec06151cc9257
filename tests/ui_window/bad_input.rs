//! Tests of texts that mean nothing to a field: the message is beside the field, and nothing that the
//! user has typed is lost.

use super::building::{self, SOURCE};
use super::*;

/// Replaces the text of a field, and leaves the field with Tab.
fn write(harness: &mut Harness<'static, Window>, role: Role, name: &str, text: &str) {
    harness.get_by_role_and_label(role, name).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text(text.into()));
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
}

fn value(harness: &Harness<'static, Window>, role: Role, name: &str) -> String {
    harness.get_by_role_and_label(role, name).accesskit_node().value().unwrap_or_default()
}

#[test]
fn a_time_that_is_none_stays_in_its_field() {
    let mut harness = open("recordings");
    let is_it = |row: &egui_kittest::Node<'_>| {
        row.accesskit_node().label().is_some_and(|label| label.starts_with("interview.mp4"))
    };
    harness.query_all_by_role(Role::RadioButton).find(is_it).unwrap().click();
    harness.run();
    drop(commands(&mut harness));
    let message = "Enter a time such as 1:05.5 or 0:20.";
    write(&mut harness, Role::TextInput, "From", "soon");
    harness.get_by_label(message);
    assert_eq!(value(&harness, Role::TextInput, "From"), "soon");
    assert_eq!(commands(&mut harness), []);
    // It does not become a copy of the whole file.
    choose(&mut harness, "File format", "MKV");
    let copy = harness.get_by_role_and_label(Role::Button, "Save a copy");
    assert!(copy.accesskit_node().is_disabled());
    write(&mut harness, Role::TextInput, "From", "0:20");
    assert!(harness.query_by_label(message).is_none());
    let copy = harness.get_by_role_and_label(Role::Button, "Save a copy");
    assert!(!copy.accesskit_node().is_disabled());
}

#[test]
fn a_number_that_is_none_stays_in_its_field() {
    let mut harness = building::with(&["test"]);
    source(&harness, "Source 1").click();
    harness.run();
    drop(commands(&mut harness));
    let message = "This is not a number. The previous value still applies.";
    write(&mut harness, Role::SpinButton, "Left", "middle");
    harness.get_by_label(message);
    assert_eq!(commands(&mut harness), []);
    assert_eq!(value(&harness, Role::SpinButton, "Left"), "middle");
    // Escape brings the number back.
    harness.get_by_role_and_label(Role::SpinButton, "Left").focus();
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    assert!(harness.query_by_label(message).is_none());
    write(&mut harness, Role::SpinButton, "Left", "100 px");
    assert!(harness.query_by_label(message).is_some(), "this field has no unit");
    write(&mut harness, Role::SpinButton, "Left", " 100");
    assert!(harness.query_by_label(message).is_none());
    let sent = commands(&mut harness);
    assert!(matches!(sent.last(), Some(Command::Edit(Edit::SetPlace(..)))), "{sent:?}");
}

/// Applies the last edit that the window sent, as the studio does.
fn carry_out(harness: &mut Harness<'static, Window>) {
    let sent = commands(harness);
    let Some(Command::Edit(edit)) = sent.last() else { panic!("{sent:?}") };
    apply(harness, edit);
}

#[test]
fn a_number_beyond_the_limit_stays_in_its_field() {
    let mut harness = building::with(&["test"]);
    source(&harness, "Source 1").click();
    harness.run();
    drop(commands(&mut harness));
    let crop = |harness: &Harness<'static, Window>| {
        harness.state().demo.snapshot().scenes.collection.item(building::ITEM).unwrap().place.crop
    };
    let message = "This is above the maximum. onair uses 99\u{a0}%.";
    write(&mut harness, Role::SpinButton, "Crop left", "250");
    carry_out(&mut harness);
    harness.run();
    harness.get_by_label(message);
    assert_eq!(value(&harness, Role::SpinButton, "Crop left"), "250\u{a0}%");
    assert!((crop(&harness).left - 0.99).abs() < 1e-6, "{:?}", crop(&harness));
    // Escape shows the number that applies.
    harness.get_by_role_and_label(Role::SpinButton, "Crop left").focus();
    harness.run();
    harness.key_press(Key::Escape);
    for _ in 0..4 {
        harness.run();
    }
    assert!(harness.query_by_label(message).is_none());
    assert!(value(&harness, Role::SpinButton, "Crop left").starts_with("99"));
    write(&mut harness, Role::SpinButton, "Crop left", "-3");
    carry_out(&mut harness);
    harness.run();
    harness.get_by_label("This is below the minimum. onair uses 0\u{a0}%.");
    // A number within the limits ends the message.
    write(&mut harness, Role::SpinButton, "Crop left", "25");
    carry_out(&mut harness);
    assert!(harness.query_by_label_contains("below the minimum").is_none());
    assert!((crop(&harness).left - 0.25).abs() < 1e-6);
}

#[test]
fn a_source_keeps_its_name_until_it_gets_another() {
    let mut harness = building::with(&["test"]);
    source(&harness, "Source 1").click();
    harness.run();
    drop(commands(&mut harness));
    write(&mut harness, Role::TextInput, "Name", " ");
    harness.get_by_label("Enter a name. Until then, the source is called Source 1.");
    assert_eq!(commands(&mut harness), []);
    write(&mut harness, Role::TextInput, "Name", "Guest");
    let sent = commands(&mut harness);
    assert_eq!(sent, [Command::Edit(Edit::RenameSource(SOURCE, "Guest".into()))]);
}

#[test]
fn a_font_that_is_not_installed_is_said() {
    let mut harness = building::with(&["text:Welcome"]);
    source(&harness, "Source 1").click();
    harness.run();
    drop(commands(&mut harness));
    let message = "This font is not installed. onair uses the built-in font.";
    assert!(harness.query_by_label(message).is_none());
    write(&mut harness, Role::TextInput, "Font", "No such font 9");
    let sent = commands(&mut harness);
    let [.., Command::Edit(edit)] = sent.as_slice() else { panic!("{sent:?}") };
    building::make(&mut harness, std::slice::from_ref(edit));
    harness.get_by_label(message);
    assert_eq!(value(&harness, Role::TextInput, "Font"), "No such font 9");
}

#[test]
fn a_play_address_that_is_none_is_said() {
    let mut harness = open("custom");
    harness.state().demo.change(|snapshot| snapshot.targets[1].monitored = true);
    harness.get_by_role_and_label(Role::Button, "live.example.com").click();
    harness.run();
    harness.run();
    let message = "This is not a play address. Example: rtmp://server/app/stream";
    assert!(harness.query_by_label(message).is_none());
    for (text, is_wrong) in [
        ("play me", true),
        ("rtmp://", true),
        ("ftp://a/b", true),
        ("rtmp://play.example/live/a", false),
        ("https://play.example/live/a.flv", false),
    ] {
        write(&mut harness, Role::TextInput, "Play address", text);
        assert_eq!(harness.query_by_label(message).is_some(), is_wrong, "{text}");
        assert_eq!(value(&harness, Role::TextInput, "Play address"), text);
    }
}
