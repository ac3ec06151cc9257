//! Tests of the built-in server in the window: its addresses, its faults and its successor.

use super::targets::open_card;
use super::*;

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
    let name = "Resets the connection after 5 to 10 s";
    harness.get_by_role_and_label(egui::Role::CheckBox, name).click();
    assert_eq!(commands(&mut harness), [Command::SetFaults(vec![reset])]);
}

#[test]
fn the_successor_to_which_clients_go_is_set_for_a_server() {
    let type_in = |text: &str| {
        let mut harness = open("idle");
        harness.state_mut().screen.as_mut().unwrap().open(Dialog::Developer);
        harness.run();
        let field = "Successor server";
        harness.get_by_role_and_label(Role::TextInput, field).focus();
        harness.run();
        harness.get_by_role_and_label(Role::TextInput, field).type_text(text);
        let sent = commands(&mut harness);
        (sent, shown(&harness))
    };
    let (sent, _) = type_in("rtmp://other.example.com/live");
    let wanted = Command::SetSuccessor("rtmp://other.example.com/live".into());
    assert_eq!(sent.last(), Some(&wanted));
    // The server would tell the password to every client.
    let (sent, words) = type_in("rtmp://me:tulip@other.example.com/live");
    assert_eq!(sent, []);
    assert!(words.iter().any(|it| it.contains("user name or password")), "{words:?}");
}

#[test]
fn the_built_in_server_shows_its_addresses_for_players_and_browsers() {
    let mut harness = open("idle");
    open_card(&mut harness, "Built-in server");
    for (name, url) in [
        ("Playback address", "rtmp://127.0.0.1:1935/live/onair"),
        ("Viewer page", "http://127.0.0.1:8088/watch/live/onair"),
    ] {
        harness.get_by_role_and_label(Role::TextInput, name);
        harness.get_by_label(&format!("Copy the address: {name}")).click();
        // A full run would wait until the button has its normal text again.
        harness.step();
        let copied =
            harness.output().platform_output.commands.iter().any(
                |command| matches!(command, egui::OutputCommand::CopyText(text) if text == url),
            );
        assert!(copied, "{name}");
    }
}

#[test]
fn a_stopped_server_does_not_seem_to_start() {
    let mut harness = open("server-off");
    open_card(&mut harness, "Built-in server");
    for name in ["Playback address", "Viewer page"] {
        let field = harness.get_by_role_and_label(Role::TextInput, name);
        assert_eq!(field.value().as_deref(), Some("Stopped. Going live starts the server."));
        assert!(harness.query_by_label(&format!("Copy the address: {name}")).is_none());
    }
    // Going live does not start the server for a target that is off.
    harness.state().demo.change(|snapshot| snapshot.targets[0].target.enabled = false);
    harness.run();
    let field = harness.get_by_role_and_label(Role::TextInput, "Playback address");
    assert_eq!(field.value().as_deref(), Some("Stopped. Turn on this target first."));
}

#[test]
fn a_stopped_server_of_ones_own_is_ready_because_going_live_starts_it() {
    let mut harness = open("server-off");
    harness.get_by_label("Ready to go live.");
    let tag = harness.get_by_role_and_label(Role::Label, "1 target").rect();
    harness.hover_at(tag.center());
    (0..8).for_each(|_| harness.step());
    let tip = "All enabled targets have an address and a key.";
    assert!(shown(&harness).iter().any(|name| name == tip), "{:?}", shown(&harness));
}
