//! Tests of how servers are reached: the network fields of players and targets, and certificates.

use onair::text::problem::problem;

use super::targets::open_card;
use super::*;

const PROXY: &str = "Proxy (login not saved)";
const BIND: &str = "Local address";
const PORTS: &str = "Ports to try, in order";

/// Types a text into a field.
fn type_into(harness: &mut Harness<'static, Window>, name: &str, text: &str) -> Vec<Command> {
    harness.get_by_role_and_label(Role::TextInput, name).focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, name).type_text(text);
    commands(harness)
}

/// Returns true if the border of a field has the warning color.
fn is_marked(harness: &Harness<'static, Window>, name: &str) -> bool {
    let field = harness.get_by_role_and_label(Role::TextInput, name).rect();
    let warn = onair::ui::style::theme::Theme::DARK.warn;
    harness.output().shapes.iter().any(|it| match &it.shape {
        egui::Shape::Rect(frame) => {
            let fits = frame.rect.expand(1.0).contains_rect(field) && frame.rect.height() < 50.0;
            fits && frame.stroke.color == warn
        }
        _ => false,
    })
}

/// Types wrong values into two fields, and checks that each message is beside its own field.
fn assert_each_fault_is_beside_its_field(harness: &mut Harness<'static, Window>) {
    let faults = [
        (PROXY, "ftp://", "use a proxy address such as http://host:port or socks5://host:port"),
        (PORTS, "many", "separate the ports with commas, for example 1935, 443, 80"),
    ];
    for (name, text, _) in faults {
        assert!(!is_marked(harness, name), "{name} is empty");
        type_into(harness, name, text);
    }
    harness.run();
    for (name, _, message) in faults {
        assert!(is_marked(harness, name), "{name}");
        let field = harness.get_by_role_and_label(Role::TextInput, name).rect();
        let gap = harness.get_by_label(message).rect().top() - field.bottom();
        assert!((-1.0..20.0).contains(&gap), "{message} is {gap} points below {name}");
    }
    assert!(!is_marked(harness, BIND));
}

#[test]
fn each_wrong_network_field_is_marked_and_has_its_own_message() {
    let mut harness = open("watch-idle");
    click(&mut harness, "Connection: proxy, certificates, reconnecting");
    assert_each_fault_is_beside_its_field(&mut harness);
    let mut harness = open("custom");
    open_card(&mut harness, "live.example.com");
    click(&mut harness, "Advanced");
    assert_each_fault_is_beside_its_field(&mut harness);
}

#[test]
fn how_servers_are_reached_is_set_and_only_what_makes_sense_is_sent() {
    let mut harness = open("watch-idle");
    harness.state().demo.change(|snapshot| {
        snapshot.player.network.trust("own.example:443", CertificatePin::of(b"own"));
    });
    let network = harness.state().demo.snapshot.lock().player.network.clone();
    let asked = |network: &Network| [Command::Player(WatchCommand::SetNetwork(network.clone()))];
    click(&mut harness, "Connection: proxy, certificates, reconnecting");
    // A click on the name of a switch works like a click on the switch.
    harness.get_by_role_and_label(Role::Label, "Reconnect automatically").click();
    let once = Network { reconnect: false, ..network };
    assert_eq!(commands(&mut harness), asked(&once));
    // The user is still typing, and the text is invalid at first.
    assert_eq!(type_into(&mut harness, PROXY, "ftp://"), []);
    harness.get_by_label("use a proxy address such as http://host:port or socks5://host:port");
    for _ in 0..6 {
        harness.key_press(Key::Backspace);
    }
    commands(&mut harness);
    let sent = type_into(&mut harness, PROXY, "socks5://proxy.example:9");
    let mut wanted = once;
    wanted.route.proxy = Secret::new("socks5://proxy.example:9");
    assert_eq!(sent.last(), asked(&wanted).last());
    let sent = type_into(&mut harness, "Also trust this certificate file", "/own.pem");
    wanted.ca_file = "/own.pem".into();
    assert_eq!(sent.last(), asked(&wanted).last());
    let sent = click(&mut harness, "Stop trusting own.example:443");
    wanted.trusted.clear();
    assert_eq!(sent.last(), asked(&wanted).last());
}

#[test]
fn a_certificate_that_nobody_vouches_for_can_be_accepted() {
    let pin = CertificatePin::of(b"own");
    let mut harness = open("watch-idle");
    let tile = TileId(0);
    harness.state().demo.change(|snapshot| {
        snapshot.notices.push(Notice {
            target: None,
            id: 77,
            problem: problem!(
                "watch-unreachable",
                cause = "the server's certificate is not accepted"
            ),
            level: Level::Error,
            detail: String::new(),
            file: None,
            remedies: vec![Remedy::TrustStream { tile, pin }],
            wall_micros: 0,
            times: 1,
        });
    });
    harness.run();
    // The button is in the health bar, and in place of the frame.
    let trust = [Command::Player(WatchCommand::Trust { tile, pin })];
    assert_eq!(click(&mut harness, "Trust this certificate"), trust);
    let mut harness = open("watch-failed");
    harness.state().demo.change(|snapshot| snapshot.tiles[0].offered = Some(pin));
    harness.run();
    assert_eq!(click(&mut harness, "Trust this certificate"), trust);
    // In a wall, the button is in the tile.
    let mut harness = open("watch-wall");
    harness.state().demo.change(|snapshot| snapshot.tiles[4].offered = Some(pin));
    harness.run();
    let sent = click(&mut harness, "Trust the certificate of nobody · live.example.com");
    assert_eq!(sent, [Command::Player(WatchCommand::Trust { tile: TileId(4), pin })]);
    // For the chat, the button is next to the reason for the failure.
    let mut harness = open("watch-chat");
    harness.state().demo.change(|snapshot| {
        let offered = Some(OfferedChat { server: "chat.example:443".into(), pin });
        snapshot.chat.state = Some(ChatState::Lost { cause: "certificate".into(), offered });
    });
    harness.run();
    assert!(shown(&harness).iter().any(|it| it.starts_with("The chat connection was lost")));
    let sent = click(&mut harness, "Trust the chat server's certificate");
    assert_eq!(sent, [Command::Player(WatchCommand::TrustChat(pin))]);
}
