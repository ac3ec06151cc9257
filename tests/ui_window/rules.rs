//! Tests of the page *Rules* in the settings.

use onair::studio::settings::Rule;

use super::*;

fn open_rules(rules: &[&str]) -> Harness<'static, Window> {
    let mut harness = open("idle");
    let rules: Vec<Rule> = rules.iter().map(|line| Rule::of_line(line).unwrap()).collect();
    harness.state().demo.change(|snapshot| snapshot.rules.clone_from(&rules));
    settings_page(&mut harness, "Rules");
    harness
}

fn lines(commands: &[Command]) -> Vec<String> {
    match commands {
        [Command::SetRules(rules)] => rules.iter().map(Rule::line).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_rule_is_added_tested_changed_and_removed() {
    let mut harness = open_rules(&[]);
    let added = lines(&click(&mut harness, "Add a rule"));
    assert!(added.len() == 1 && added[0].ends_with("=> screenshot"), "{added:?}");
    let mut harness = open_rules(&["chat:!cam => on virtual-camera"]);
    assert_eq!(click(&mut harness, "Test"), [Command::SwitchVirtualCamera(true)]);
    harness.get_by_role_and_label(Role::ComboBox, "Event").click();
    harness.run();
    assert_eq!(lines(&click(&mut harness, "Time of day")), ["time:!cam => on virtual-camera"]);
    let mut harness = open_rules(&["chat:!cam => on virtual-camera"]);
    harness.get_by_role_and_label(Role::ComboBox, "On or off").click();
    harness.run();
    assert_eq!(lines(&click(&mut harness, "Turn off")), ["chat:!cam => off virtual-camera"]);
    let mut harness = open_rules(&["chat:!cam => on virtual-camera"]);
    assert!(lines(&click(&mut harness, "Remove the rule")).is_empty());
}

#[test]
fn the_details_of_an_event_are_typed() {
    let mut harness = open_rules(&["chat:!cam => screenshot"]);
    harness.get_by_role_and_label(Role::TextInput, "Details of the event").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("!picture".into()));
    assert_eq!(lines(&commands(&mut harness)), ["chat:!picture => screenshot"]);
    harness.get_by_label("Test");
}

#[test]
fn a_command_that_no_rule_can_run_is_reported_as_unknown() {
    let mut harness = open_rules(&["chat:!x => settings"]);
    harness.get_by_label_contains("onair does not know this command");
    assert_eq!(click(&mut harness, "Test"), []);
}
