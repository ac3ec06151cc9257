//! Tests of *Share*: links, viewers, the play key, and which computers can reach the built-in
//! server.

use super::*;
use onair::studio::targets::sharing::ServerReach;

/// Opens the panel by its command.
fn panel(state: &str) -> Harness<'static, Window> {
    let mut harness = open(state);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("share the stream".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    let tab = harness.get_by_role_and_label(Role::Tab, "Share");
    assert_eq!(tab.accesskit_node().is_selected(), Some(true));
    harness
}

fn copied(harness: &Harness<'static, Window>) -> Vec<String> {
    let commands = &harness.output().platform_output.commands;
    let text = |it: &egui::OutputCommand| match it {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    };
    commands.iter().filter_map(text).collect()
}

#[test]
fn a_network_is_let_in_and_shut_out() {
    let mut harness = panel("idle");
    // Nobody else can open the links. The panel says this and shows no QR code.
    harness.get_by_label("Viewer page on this computer only");
    assert!(harness.query_by_label("QR code of the viewer page").is_none());
    harness.get_by_label("wlan0 192.168.1.20: viewers cannot watch");
    harness.get_by_label("This computer 127.0.0.1: can watch");
    assert!(harness.query_by_label_contains("No key is needed").is_none());
    harness.get_by_role_and_label(Role::CheckBox, "Allow viewers on this network").click();
    let reach = ServerReach { http: true, rtmp: false, ..ServerReach::default() };
    assert_eq!(commands(&mut harness), [Command::SetReach(reach)]);

    let mut harness = panel("shared");
    harness.get_by_label("QR code of the viewer page");
    harness.get_by_label_contains("No key is needed");
    harness.get_by_label("wlan0 192.168.1.20: can watch, but not over RTMP");
    harness.get_by_label("wlan0 fd00::20: not over IPv6");
    // The panel may have to scroll to this box.
    harness.get_by_role_and_label(Role::CheckBox, "Also allow RTMP").click_accesskit();
    let both = ServerReach { http: true, rtmp: true, ..ServerReach::default() };
    assert_eq!(commands(&mut harness), [Command::SetReach(both)]);
    // Without a publish key, others could publish, so the panel says who may publish while the port
    // is open.
    assert!(
        harness.query_by_label_contains("Only programs on this computer can publish").is_none()
    );
    harness.state().demo.change(|snapshot| snapshot.server.reach = both);
    harness.run();
    harness.get_by_label_contains("Only programs on this computer can publish");
    harness.get_by_role_and_label(Role::CheckBox, "Allow viewers on this network").click();
    let none = ServerReach { http: false, rtmp: true, ..ServerReach::default() };
    assert_eq!(commands(&mut harness), [Command::SetReach(none)]);
}

#[test]
fn a_long_state_does_not_shorten_its_address() {
    let harness = panel("shared");
    let shapes = super::lists::shapes(&harness, egui::Rect::EVERYTHING);
    for address in ["This computer · 127.0.0.1", "wlan0 · 192.168.1.20", "wlan0 · fd00::20"] {
        let is_whole = |shape: &egui::Shape| match shape {
            egui::Shape::Text(text) => text.galley.text() == address && !text.galley.elided,
            _ => false,
        };
        assert!(shapes.iter().any(is_whole), "{address}");
    }
}

#[test]
fn viewers_need_a_key_that_can_be_replaced() {
    let mut harness = panel("shared");
    harness.get_by_role_and_label(Role::CheckBox, "Viewers need a key").click_accesskit();
    assert_eq!(commands(&mut harness), [Command::SetPlayKey(true)]);
    assert!(harness.query_by_role_and_label(Role::Button, "New key").is_none());
    harness.state().demo.change(|snapshot| snapshot.server.play_key = true);
    harness.run();
    harness.get_by_label_contains("The links contain a key");
    assert!(harness.query_by_label_contains("No key is needed").is_none());
    harness.get_by_role_and_label(Role::Button, "New key").click_accesskit();
    assert_eq!(commands(&mut harness), [Command::NewPlayKey]);
    harness.get_by_role_and_label(Role::CheckBox, "Viewers need a key").click_accesskit();
    assert_eq!(commands(&mut harness), [Command::SetPlayKey(false)]);
}

#[test]
fn links_are_copied_with_an_address_that_others_reach() {
    let mut harness = panel("shared");
    for (name, link) in [
        ("Viewer page", "http://192.168.1.20:8088/watch/live/onair"),
        ("HLS", "http://192.168.1.20:8088/live/onair.m3u8"),
        ("HLS (TS)", "http://192.168.1.20:8088/live/onair/hls/ts.m3u8"),
        ("DASH", "http://192.168.1.20:8088/live/onair.mpd"),
        ("HTTP-FLV", "http://192.168.1.20:8088/live/onair.flv"),
        ("WHEP", "http://192.168.1.20:8088/live/onair/whep"),
        ("RTMP", "rtmp://127.0.0.1:1935/live/onair"),
    ] {
        let button = format!("Copy the address: {name}");
        harness.get_by_role_and_label(Role::Button, &button).click_accesskit();
        harness.step();
        let copied = copied(&harness);
        harness.run();
        assert_eq!(copied, [link], "{name}");
    }
    // Viewers by protocol.
    harness.get_by_label("WebRTC (WHEP): 31");
    harness.get_by_label("HLS: 12");
}

#[test]
fn the_server_is_stopped_and_started_but_not_below_a_broadcast() {
    let mut harness = panel("idle");
    assert_eq!(click(&mut harness, "Stop the server"), [Command::Serve(false)]);
    let mut harness = panel("server-off");
    harness.get_by_label_contains("Nobody can watch while the server is stopped.");
    assert_eq!(click(&mut harness, "Start the server"), [Command::Serve(true)]);
    let harness = panel("shared");
    let stop = harness.get_by_role_and_label(Role::Button, "Stop the server");
    assert!(stop.accesskit_node().is_disabled());
}

#[test]
fn the_panel_is_used_by_keyboard_and_read_in_chinese() {
    let mut harness = panel("idle");
    harness.get_by_role_and_label(Role::CheckBox, "Allow viewers on this network").focus();
    harness.run();
    harness.key_press(Key::Space);
    let reach = ServerReach { http: true, rtmp: false, ..ServerReach::default() };
    assert_eq!(commands(&mut harness), [Command::SetReach(reach)]);
    let chinese = preferences(Language::Chinese, Theme::Light);
    let mut harness = open_as("shared", Vec2::new(960.0, 600.0), chinese);
    harness.get_by_role_and_label(Role::Tab, "分享").click();
    harness.run();
    harness.run();
    harness.get_by_label("wlan0 192.168.1.20: 可以观看，RTMP 除外");
}
