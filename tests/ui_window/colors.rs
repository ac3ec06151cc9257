//! Tests of the fields for colors: the button, the sliders in its popup, and the typed hex code.

use super::building::*;
use super::properties::{properties_of, shows};
use super::*;

/// Opens the popup of a color by keyboard.
fn open_color(harness: &mut Harness<'static, Window>, name: &str) {
    harness.get_by_role_and_label(Role::ColorWell, name).focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

/// Replaces the hex code in the open popup.
fn write_code(harness: &mut Harness<'static, Window>, text: &str) -> Vec<Command> {
    harness.get_by_role_and_label(Role::TextInput, "Hex code").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text(text.into()));
    commands(harness)
}

/// Checks that the popup is closed, and that the keyboard focus is on its button.
fn assert_closed(harness: &mut Harness<'static, Window>, name: &str) {
    harness.run();
    assert!(harness.query_by_label("Hex code").is_none(), "{name} is still open");
    assert!(harness.get_by_role_and_label(Role::ColorWell, name).is_focused(), "{name}");
}

/// Returns the number of sliders for an opacity. The item has one too.
fn opacities(harness: &Harness<'static, Window>) -> usize {
    harness.query_all_by_role_and_label(Role::Slider, "Opacity").count()
}

#[test]
fn a_color_is_set_by_keyboard_and_escape_returns_to_its_button() {
    let mut harness = properties_of("color:#102030");
    let before = opacities(&harness);
    open_color(&mut harness, "Color");
    assert_eq!(opacities(&harness), before + 1);
    for (name, key, wanted) in [
        ("Red", Key::ArrowLeft, "color:#0f2030"),
        ("Green", Key::ArrowRight, "color:#102130"),
        ("Blue", Key::ArrowRight, "color:#102031"),
    ] {
        harness.get_by_role_and_label(Role::Slider, name).focus();
        harness.run();
        harness.key_press(key);
        assert_eq!(shows(&commands(&mut harness)), wanted, "{name}");
    }
    harness.get_by_role_and_label(Role::Slider, "Red").set_value_accesskit(255.0);
    assert_eq!(shows(&commands(&mut harness)), "color:#ff2030");
    harness.key_press(Key::Escape);
    assert_eq!(commands(&mut harness), []);
    assert_closed(&mut harness, "Color");
}

#[test]
fn a_typed_color_applies_and_nonsense_keeps_the_old_one() {
    let mut harness = properties_of("color:#102030");
    open_color(&mut harness, "Color");
    let message =
        "This is not a valid color. Use the format #RRGGBBAA. The previous color still applies.";
    for text in ["green", "#12345", "#1234567", "#12345g", "é"] {
        assert_eq!(write_code(&mut harness, text), [], "{text}");
        harness.get_by_label(message);
        let field = harness.get_by_role_and_label(Role::TextInput, "Hex code");
        assert_eq!(field.accesskit_node().value().as_deref(), Some(text));
    }
    for (text, wanted) in [("#00FF0080", "color:#00ff0080"), ("a1b2c3", "color:#a1b2c3")] {
        assert_eq!(shows(&write_code(&mut harness, text)), wanted);
        assert!(harness.query_by_label(message).is_none(), "{text}");
        make(&mut harness, &[Edit::SetSource(SOURCE, wanted.parse().unwrap())]);
    }
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), []);
    assert_closed(&mut harness, "Color");
    // The popup does not keep a text that is not a color.
    open_color(&mut harness, "Color");
    assert_eq!(write_code(&mut harness, "green"), []);
    harness.key_press(Key::Escape);
    assert_eq!(commands(&mut harness), []);
    assert_closed(&mut harness, "Color");
    open_color(&mut harness, "Color");
    let field = harness.get_by_role_and_label(Role::TextInput, "Hex code");
    assert_eq!(field.accesskit_node().value().as_deref(), Some("#a1b2c3"));
}

#[test]
fn the_colors_of_filters_and_transitions_are_opaque() {
    let message =
        "This is not a valid color. Use the format #RRGGBB. The previous color still applies.";
    let mut harness = open("filters");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    let before = opacities(&harness);
    open_color(&mut harness, "Key color");
    assert_eq!(opacities(&harness), before);
    assert_eq!(write_code(&mut harness, "#a1b2c380"), []);
    harness.get_by_label(message);
    match edit(&write_code(&mut harness, "#a1b2c3")) {
        Edit::SetFilters(_, mut slots) => {
            assert_eq!(slots[0].filter.color(), Some(&mut [0xA1, 0xB2, 0xC3]));
        }
        other => panic!("{other:?}"),
    }
    harness.key_press(Key::Escape);
    harness.run();
    assert_closed(&mut harness, "Key color");

    let mut harness = open("media");
    let fade = Transition { kind: Kind::FadeColor([0; 3]), ..Transition::default() };
    make(&mut harness, &[Edit::SetTransition(fade.clone())]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    assert_eq!(click(&mut harness, "Transition settings…"), []);
    open_color(&mut harness, "Color");
    assert_eq!(write_code(&mut harness, "#a1b2c380"), []);
    harness.get_by_label(message);
    let colored = Transition { kind: Kind::FadeColor([0xA1, 0xB2, 0xC3]), ..fade };
    let set = edit(&write_code(&mut harness, "#a1b2c3"));
    assert_eq!(set, Edit::SetTransition(colored));
    // Escape closes the popup, but not the dialog.
    harness.key_press(Key::Escape);
    harness.run();
    assert_closed(&mut harness, "Color");
}

/// egui's own color picker has English texts and a symbol that onair's fonts lack.
#[test]
fn the_popup_of_a_color_has_only_chinese_texts_in_a_chinese_window() {
    let size = Vec2::new(1280.0, 720.0);
    let mut harness = open_as("idle", size, preferences(Language::Chinese, Theme::Dark));
    let choice = "color:#102030".parse().unwrap();
    make(&mut harness, &[Edit::AddSource { scene: SCENE, name: "Source 1".into(), choice }]);
    source(&harness, "Source 1").click();
    harness.run();
    harness.get_by_role_and_label(Role::ColorWell, "颜色").focus();
    harness.run();
    let before = shown(&harness);
    harness.key_press(Key::Enter);
    harness.run();
    let mut texts = shown(&harness);
    texts.retain(|text| !before.contains(text));
    assert!(texts.iter().any(|text| text == "红色"), "{texts:?}");
    let is_chinese = |text: &str| {
        text.chars().all(|it| it.is_ascii_digit() || ('\u{4E00}'..='\u{9FFF}').contains(&it))
    };
    for text in texts {
        assert!(text.starts_with('#') || is_chinese(&text), "{text}");
    }
}
