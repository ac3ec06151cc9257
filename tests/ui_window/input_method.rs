//! Chinese as people type it: letters that an input method composes into characters, in every kind of field.

use egui::{Event, ImeEvent};

use super::building::*;
use super::*;

fn compose(harness: &mut Harness<'static, Window>, text: &str) {
    let text = text.to_owned();
    harness.event(Event::Ime(ImeEvent::Preedit { text, active_range_chars: None }));
    harness.run_steps(3);
}

fn commit(harness: &mut Harness<'static, Window>, text: &str) {
    harness.event(Event::Ime(ImeEvent::Commit(text.to_owned())));
    harness.run_steps(3);
}

/// Returns the text of the field, which must have the keyboard focus.
fn typed(harness: &Harness<'static, Window>, role: Role, name: &str) -> String {
    let field = harness.get_by_role_and_label(role, name);
    assert!(field.is_focused(), "{name}");
    field.accesskit_node().value().unwrap_or_default()
}

/// The name and role of a field, and a function that opens a window with this field.
type Place = (&'static str, Role, fn() -> Harness<'static, Window>);

fn focused(
    mut harness: Harness<'static, Window>,
    role: Role,
    name: &str,
) -> Harness<'static, Window> {
    harness.get_by_role_and_label(role, name).focus();
    harness.run_steps(3);
    harness
}

#[test]
fn characters_are_composed_in_every_kind_of_field() {
    let places: [Place; 6] = [
        // Fields with one line in a dialog, on a page, and in a panel.
        ("Search settings", Role::TextInput, || {
            let mut harness = open("idle");
            settings_page(&mut harness, "General");
            harness
        }),
        ("Stream address", Role::TextInput, || open("watching")),
        ("Send a message", Role::TextInput, || open("watch-chat")),
        // A field in the properties of a source.
        ("Name", Role::TextInput, || source_of("test")),
        // A field with several lines.
        ("Text", Role::MultilineTextInput, || source_of("text:Hello")),
        // A field in a row, for renaming.
        ("Name", Role::TextInput, || {
            let mut harness = open("idle");
            harness.get_by_role_and_label(Role::RadioButton, "Main").focus();
            harness.run();
            harness.key_press(Key::F2);
            harness.run_steps(3);
            harness
        }),
    ];
    for (name, role, place) in places {
        let mut harness = focused(place(), role, name);
        let before = typed(&harness, role, name);
        // The letters appear in the field while they are composed. The chosen characters replace
        // them.
        compose(&mut harness, "zhong");
        assert!(typed(&harness, role, name).contains("zhong"), "{name}");
        compose(&mut harness, "zhong wen");
        assert!(typed(&harness, role, name).contains("zhong wen"), "{name}");
        commit(&mut harness, "中文");
        let after = typed(&harness, role, name);
        assert!(after.contains("中文") && !after.contains("zhong"), "{name}: {after}");
        // A canceled composition leaves nothing behind.
        compose(&mut harness, "ni");
        compose(&mut harness, "");
        assert_eq!(typed(&harness, role, name), after, "{name}");
        assert_ne!(before, after, "{name}");
    }
}

/// Opens the properties of a source with this content.
fn source_of(choice: &str) -> Harness<'static, Window> {
    let mut harness = with(&[choice]);
    by_menu(&mut harness, "Source 1", "Inspector…");
    harness
}

#[test]
fn a_key_is_composed_unseen() {
    let mut harness = open("targets");
    harness.get_by_role_and_label(Role::Button, "Twitch").click();
    harness.run();
    harness.get_by_role(Role::PasswordInput).focus();
    harness.run();
    compose(&mut harness, "zhong");
    commit(&mut harness, "中文");
    let tree = format!("{:?}", harness.root());
    assert!(!tree.contains("中文") && !tree.contains("zhong"), "a screen reader is told the key");
    harness.get_by_label("Apply and reconnect").click_accesskit();
    let sent = commands(&mut harness);
    let [Command::RestartTarget(wanted)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(wanted.key().unwrap().expose().ends_with("中文"));
}

#[test]
fn a_number_is_typed_with_an_input_method() {
    let mut harness = focused(source_of("countdown:90"), Role::SpinButton, "Minutes");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(3);
    commit(&mut harness, "5");
    harness.key_press(Key::Enter);
    let set = edit(&commands(&mut harness));
    assert!(
        matches!(&set, Edit::SetSource(_, choice) if choice.to_string() == "countdown:330"),
        "{set:?}"
    );
}

#[test]
fn viewers_see_a_text_when_its_characters_are_chosen() {
    let mut harness = focused(source_of("text:Hello "), Role::MultilineTextInput, "Text");
    harness.state().demo.taken();
    compose(&mut harness, "zhongwen");
    // Far longer than a pause in typing.
    harness.run_steps(20);
    assert_eq!(harness.state().demo.taken(), [], "the letters are not what viewers are to read");
    commit(&mut harness, "中文");
    harness.run_steps(20);
    let sent = harness.state().demo.taken();
    let shown = edit(&sent[sent.len() - 1..]);
    let wanted = "text:Hello 中文".parse().unwrap();
    assert_eq!(shown, Edit::SetSource(SOURCE, wanted));
}
