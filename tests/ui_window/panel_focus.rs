//! Tests of the commands that show a panel and give it the keyboard focus.

use super::panels::{HD, command, laid_out, panels};
use super::*;
use onair::studio::settings::{PanelLayout, Panels};

/// Returns the place of the control with the keyboard focus.
fn focused(harness: &Harness<'static, Window>) -> egui::Rect {
    let node = harness.root().children_recursive().find(|node| node.is_focused());
    node.expect("nothing has the focus").rect()
}

#[test]
fn the_keyboard_enters_a_panel_that_a_command_shows() {
    for layout in ["simple", "studio"] {
        let mut harness = laid_out("properties", layout, HD);
        source(&harness, "Title").focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
        harness.run();
        harness.run();
        let heading = harness.get_by_label("Properties of Title").rect().expand(1.0);
        let place = focused(&harness);
        let end = harness.get_by_role_and_label(Role::Button, "Go Live").rect().top();
        let is_in = heading.x_range().contains(place.left())
            && place.top() > heading.top()
            && place.bottom() < end;
        assert!(is_in, "{layout}: {place:?} {heading:?}");
    }
    // The palette gives the focus back to the control before it, unless the panel gets the focus.
    let mut harness = open("shared");
    harness.get_by_label("Stop").focus();
    harness.run();
    command(&mut harness, "Panel: Chat");
    harness.run();
    let tab = harness.get_by_role_and_label(Role::Tab, "Your stream");
    assert!(tab.is_focused(), "{:?} {tab:?}", focused(&harness));
    // Without a control, the tab of the panel gets the focus.
    command(&mut harness, "Panel: Inspector");
    harness.run();
    assert!(harness.get_by_role_and_label(Role::Tab, "Inspector").is_focused());
    // The simple layout keeps its panels, even if one has the focus already.
    for _ in 0..2 {
        command(&mut harness, "Panel: Chat");
        harness.run();
        assert!(harness.get_by_role_and_label(Role::Tab, "Your stream").is_focused());
    }
    let mut harness = open("mixer");
    command(&mut harness, "Panel: Audio mixer");
    harness.run();
    let (place, end) = (focused(&harness), harness.get_by_label("Mute Music").rect().bottom());
    assert!(place.top() > HD.y / 2.0 && place.top() < end, "{place:?} {end}");
    assert!(panels(&harness).layouts.is_empty());
}

#[test]
fn a_command_hides_only_a_panel_with_the_focus() {
    let mut harness = laid_out("shared", "studio", HD);
    let is_there = |harness: &Harness<'static, Window>| {
        harness.query_by_role_and_label(Role::Tab, "Chat").is_some()
    };
    // The panel is entered whether or not its tab is in front, and then hidden.
    command(&mut harness, "Panel: Chat");
    harness.run();
    assert!(
        is_there(&harness) && harness.get_by_role_and_label(Role::Tab, "Your stream").is_focused()
    );
    harness.get_by_label("Stop").focus();
    harness.run();
    command(&mut harness, "Panel: Chat");
    harness.run();
    assert!(
        is_there(&harness) && harness.get_by_role_and_label(Role::Tab, "Your stream").is_focused()
    );
    // After Escape, the panel no longer has the focus.
    harness.key_press(Key::Escape);
    harness.run();
    command(&mut harness, "Panel: Chat");
    harness.run();
    assert!(
        is_there(&harness) && harness.get_by_role_and_label(Role::Tab, "Your stream").is_focused()
    );
    command(&mut harness, "Panel: Chat");
    harness.run();
    assert!(!is_there(&harness));
}

#[test]
fn a_command_hides_a_panel_without_controls_and_tab() {
    let text = "row(* program, 304 column(* stats, 120 controls))";
    let layout: PanelLayout = text.parse().unwrap();
    let layouts = std::collections::BTreeMap::from([("mine".to_owned(), layout)]);
    let shown = Panels { layout: "mine".into(), layouts, ..Panels::default() };
    let preferences =
        Preferences { panels: Box::new(shown), ..preferences(Language::English, Theme::Dark) };
    let mut harness = open_as("idle", HD, preferences);
    let is_there = |harness: &Harness<'static, Window>| {
        panels(harness).layouts["mine"].to_string().contains("stats")
    };
    harness.get_by_role_and_label(Role::Button, "Go Live").focus();
    harness.run();
    command(&mut harness, "Panel: Stats");
    harness.run();
    assert!(is_there(&harness));
    // The panel no longer has the focus after another control gets it.
    harness.key_press(Key::Tab);
    harness.run();
    command(&mut harness, "Panel: Stats");
    harness.run();
    assert!(is_there(&harness));
    command(&mut harness, "Panel: Stats");
    harness.run();
    assert!(!is_there(&harness));
}
