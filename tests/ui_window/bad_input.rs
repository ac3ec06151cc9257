//! Tests of texts that mean nothing to a field: the message is beside the field, and nothing that the
//! user has typed is lost. The first-run guide, the dialogs for services and for scene collections, and
//! the file chooser have such tests beside their others.

use std::collections::BTreeSet;

use egui::accesskit::NodeId;

use super::building::{self, SOURCE};
use super::*;

/// A text that is no number, name, address or path, with unusual characters.
const NONSENSE: &str = "\u{202e}☃ -1e999 ../";

/// The message below a number field.
const NO_NUMBER: &str = "This is not a number. The previous value still applies.";

/// Fields that must say beside them why they refuse a text.
const STRICT: [&str; 5] = [
    "Server host names",
    "Websites that may play your stream",
    "Successor server",
    "Content",
    "Chat address",
];

/// Opens a window, or a part of one, with fields.
type Opens = fn() -> Harness<'static, Window>;

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
    let message = NO_NUMBER;
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
    let message = "This value is above the maximum. onair uses 99\u{a0}% instead.";
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
    harness.get_by_label("This value is below the minimum. onair uses 0\u{a0}% instead.");
    // A number within the limits ends the message.
    write(&mut harness, Role::SpinButton, "Crop left", "25");
    carry_out(&mut harness);
    assert!(harness.query_by_label_contains("below the minimum").is_none());
    assert!((crop(&harness).left - 0.25).abs() < 1e-6);
}

#[test]
fn a_number_beyond_the_limit_is_reported_after_enter() {
    let mut harness = building::with(&["test"]);
    source(&harness, "Source 1").click();
    harness.run();
    drop(commands(&mut harness));
    harness.get_by_role_and_label(Role::SpinButton, "Crop left").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("250".into()));
    harness.run();
    harness.key_press(Key::Enter);
    carry_out(&mut harness);
    harness.run();
    harness.get_by_label("This value is above the maximum. onair uses 99\u{a0}% instead.");
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
fn a_font_that_is_not_installed_is_reported() {
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
fn an_invalid_play_address_is_reported() {
    let mut harness = open("custom");
    harness.state().demo.change(|snapshot| snapshot.targets[1].monitored = true);
    harness.get_by_role_and_label(Role::Button, "live.example.com").click();
    harness.run();
    harness.run();
    let message = "This is not a valid playback address. Example: rtmp://server/app/stream";
    assert!(harness.query_by_label(message).is_none());
    for (text, is_wrong) in [
        ("play me", true),
        ("rtmp://", true),
        ("ftp://a/b", true),
        ("rtmp://play.example/live/a", false),
        ("https://play.example/live/a.flv", false),
    ] {
        write(&mut harness, Role::TextInput, "Playback address", text);
        assert_eq!(harness.query_by_label(message).is_some(), is_wrong, "{text}");
        assert_eq!(value(&harness, Role::TextInput, "Playback address"), text);
    }
}

/// Opens the inspector of a source with all its fields.
fn inspected(choice: &str) -> Harness<'static, Window> {
    let mut harness = building::with(&[choice]);
    source(&harness, "Source 1").click();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Advanced").click_accesskit();
    harness.run();
    harness
}

/// Opens the popup of this button.
fn pressed(mut harness: Harness<'static, Window>, button: &str) -> Harness<'static, Window> {
    click(&mut harness, button);
    harness.run();
    harness
}

/// Opens a window in this state, and presses this hotkey.
fn by_key(state: &str, key: Key) -> Harness<'static, Window> {
    let mut harness = open(state);
    harness.key_press_modifiers(Modifiers::COMMAND, key);
    harness.run();
    harness
}

/// Returns the fields that can be used: the focused one first, then the last ones before the first
/// ones, because a text in a search field hides what is below it.
fn fields(harness: &Harness<'static, Window>) -> Vec<(NodeId, Role, String)> {
    let roles = [Role::TextInput, Role::MultilineTextInput, Role::PasswordInput, Role::SpinButton];
    let nodes = harness.root().children_recursive().map(|node| node.accesskit_node());
    let nodes = nodes.filter(|node| roles.contains(&node.role()) && !node.is_disabled());
    let known = |node: egui_kittest::kittest::AccessKitNode<'_>| {
        (!node.is_focused(), (node.locate().0, node.role(), node.label().unwrap_or_default()))
    };
    let mut found: Vec<_> = nodes.map(known).collect();
    found.reverse();
    found.sort_by_key(|(is_other, _)| *is_other);
    found.into_iter().map(|(_, field)| field).collect()
}

fn field<'a>(harness: &'a Harness<'static, Window>, id: NodeId) -> Option<egui_kittest::Node<'a>> {
    harness.root().children_recursive().find(|node| node.accesskit_node().locate().0 == id)
}

/// Replaces the text of the focused field, and leaves the field with Tab.
fn type_over(harness: &mut Harness<'static, Window>, text: &str) {
    let press = |key, modifiers| egui::Event::Key {
        key,
        modifiers,
        physical_key: None,
        pressed: true,
        repeat: false,
    };
    harness.event(press(Key::A, Modifiers::COMMAND));
    harness.event(egui::Event::Text(text.into()));
    harness.event(press(Key::Tab, Modifiers::NONE));
    harness.run();
    harness.key_up(Key::Tab);
    harness.run();
}

/// The window survives it, and the field keeps the text or its last valid one.
#[test]
fn nonsense_in_any_field_is_kept_or_refused() {
    let windows: [(&str, Opens); 19] = [
        ("gradient", || inspected("color:#1e2430,#3b5b8c")),
        ("clock", || inspected("clock")),
        ("countdown", || inspected("countdown:300")),
        ("stream", || inspected("stream:rtmp://127.0.0.1/live/a")),
        ("slides", || inspected("slides:/pictures")),
        ("text", || inspected("text:Hello")),
        ("name in a list", || {
            let mut harness = building::with(&["test"]);
            source(&harness, "Source 1").click();
            harness.run();
            harness.key_press(Key::F2);
            harness.run();
            harness
        }),
        ("camera", || by_key("camera", Key::E)),
        ("filters", || by_key("filters", Key::F)),
        ("mixer", || by_key("mixer", Key::M)),
        ("commands", || by_key("idle", Key::K)),
        ("target", || {
            let mut harness = open("custom");
            super::targets::open_card(&mut harness, "live.example.com");
            click(&mut harness, "Advanced");
            harness
        }),
        ("settings: recording", || {
            let mut harness = open("idle");
            settings_page(&mut harness, "Recording");
            harness
        }),
        ("settings: network", || {
            let mut harness = open("idle");
            settings_page(&mut harness, "Network");
            harness
        }),
        ("layout", || pressed(open("idle"), "Layout: Simple")),
        ("own chat", || {
            let mut harness = open("shared");
            harness.get_by_role_and_label(Role::Tab, "Chat").click();
            harness.run();
            pressed(harness, "Moderation")
        }),
        ("chat", || pressed(open("watch-chat"), "Chat display")),
        ("connection", || {
            pressed(open("watch-chat"), "Connection: proxy, certificates, reconnecting")
        }),
        ("recordings", || {
            let mut harness = open("recordings");
            let is_it = |row: &egui_kittest::Node<'_>| {
                row.accesskit_node().label().is_some_and(|name| name.starts_with("interview.mp4"))
            };
            harness.query_all_by_role(Role::RadioButton).find(is_it).unwrap().click();
            harness.run();
            harness
        }),
    ];
    // What is kept of the text, for example without the characters that change the direction.
    let core = |text: &str| text.replace('\u{202e}', "").trim().to_owned();
    let mut names = BTreeSet::new();
    for (window, opens) in windows {
        let mut harness = opens();
        // No font of the window has the snowman.
        harness.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
        let all = fields(&harness);
        assert!(!all.is_empty(), "{window}");
        for (id, role, name) in all {
            // Several windows have the same field.
            let is_new = names.insert(name.clone()) || name.is_empty() || name == "Name";
            let Some(before) = field(&harness, id).filter(|_| is_new) else { continue };
            let what = format!("{window}: {name}");
            let value = before.value().unwrap_or_default();
            before.focus();
            harness.run();
            let count = shown(&harness).len();
            drop(commands(&mut harness));
            type_over(&mut harness, NONSENSE);
            let sent = commands(&mut harness);
            let Some(after) = field(&harness, id).and_then(|node| node.value()) else { continue };
            if role == Role::SpinButton && !name.is_empty() {
                assert!(after.starts_with(NONSENSE), "{what}: {after:?}");
                assert!(harness.query_all_by_label(NO_NUMBER).next().is_some(), "{what}");
                let changes =
                    |it: &Command| matches!(it, Command::Edit(_) | Command::SetStrip { .. });
                assert!(!sent.iter().any(changes), "{what}: {sent:?}");
            } else if role != Role::PasswordInput {
                let is_kept = !core(&after).is_empty() && core(NONSENSE).starts_with(&core(&after));
                assert!(after == value || is_kept, "{what}: {value:?} became {after:?}");
            }
            if STRICT.contains(&name.as_str()) {
                assert!(shown(&harness).len() > count, "{what} says nothing");
                assert!(!format!("{sent:?}").contains("202e"), "{what}: {sent:?}");
            }
        }
    }
    // None of these is left out.
    let others = [
        "Blocked words",
        "Commands",
        "Direction",
        "Format",
        "From",
        "Hide messages with these words",
        "Ports to try, in order",
        "Save this layout as",
        "Search recordings",
        "Search settings",
        "Send a message",
        "Server",
        "Stream address",
        "Stream key",
        "Sync offset",
        "Text",
        "Your name",
    ];
    for name in others.into_iter().chain(STRICT) {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}
