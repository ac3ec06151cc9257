//! Tests of the notice tray: the order of the notices, and the effects of their buttons.

use egui::Shape;
use onair::media::BitsPerSecond;
use onair::studio::Quality;
use onair::studio::notices::Next;
use onair::studio::notices::message::StudioMessage;
use onair::studio::snapshot::TargetView;
use onair::studio::targets::TargetState;
use onair::text::problem::problem;
use onair::ui::style::theme::Theme as Colors;

use super::*;

/// Opens the tray with its hotkey.
fn open_tray(harness: &mut Harness<'static, Window>) {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
    harness.run();
    harness.run();
}

#[test]
fn the_tray_lists_the_newest_first_counts_repeats_and_dims_what_is_over() {
    let mut harness = open("notices");
    // All of these fit into the tray.
    harness.state().demo.change(|snapshot| snapshot.notices.truncate(2));
    harness.run();
    open_tray(&mut harness);
    let rows = harness.get_all_by_role(Role::ListItem);
    let rows = rows.map(|row| (row.rect().top(), row.accesskit_node().label().unwrap_or_default()));
    let mut rows: Vec<(f32, String)> = rows.collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0));
    let over = "No audio from Yeti.";
    let [(_, newest), (_, oldest), (_, past)] = &rows[..] else { panic!("{rows:?}") };
    assert!(newest.starts_with("live.example.com: ") && newest.ends_with(" ×4"), "{newest}");
    assert_eq!(oldest, "Microphone Yeti Stereo Microphone is disconnected.");
    assert_eq!(past, over);
    harness.get_by_label_contains("Resolved at ");
    let shapes = super::lists::shapes(&harness, egui::Rect::EVERYTHING);
    let has_color = |words: &str, color: egui::Color32| {
        shapes.iter().any(|shape| match shape {
            Shape::Text(text) if text.galley.text() == words => {
                text.galley.job.sections.iter().all(|section| section.format.color == color)
            }
            _ => false,
        })
    };
    assert!(has_color(oldest, Colors::DARK.text) && has_color(over, Colors::DARK.secondary));
    assert!(!has_color(over, Colors::DARK.text));
}

#[test]
fn the_buttons_of_notices_lower_the_bitrate_change_the_port_and_start_a_target() {
    let mut harness = open("on-air");
    harness.state().demo.change(|snapshot| {
        let server = "rtmp://a.rtmp.youtube.com/live2";
        let target = Target::custom(1, server, "planted".into());
        let state = Some(TargetState::Failed);
        snapshot.targets.push(TargetView { state, ..TargetView::idle(target) });
        let message = StudioMessage::Target {
            key: "target-unreachable",
            id: 1,
            pin: None,
            host: "YouTube".into(),
            cause: problem!("net-unreachable"),
            next: Next::GivenUp,
        };
        let mut unreachable = message.notice(11, "");
        // The studio adds this button if the network may block the port.
        unreachable.remedies.insert(0, Remedy::UsePort443(1));
        let (host, kbps) = ("YouTube".into(), Some(1_800));
        let slow = StudioMessage::FramesDropped { id: 1, host, kbps }.notice(12, "");
        snapshot.notices = vec![unreachable, slow];
    });
    let press = |harness: &mut Harness<'static, Window>, text: &str| {
        open_tray(harness);
        let text = format!("{text}: ");
        let is_it = |button: &egui_kittest::Node<'_>| {
            button.accesskit_node().label().is_some_and(|name| name.starts_with(&text))
        };
        let button = harness.query_all_by_role(Role::Button).find(is_it);
        button.unwrap_or_else(|| panic!("no button {text:?}")).click();
        commands(harness)
    };
    let before = harness.state().demo.snapshot().quality;
    let lower = Quality { video_bitrate: BitsPerSecond(1_800_000), ..before };
    assert_eq!(
        press(&mut harness, "Lower to 1\u{a0}800 kbps"),
        [Command::SetQuality(lower), Command::Dismiss(12)]
    );
    // The problem of a target is over only when the target is live again.
    assert_eq!(press(&mut harness, "Retry now"), [Command::StartTarget(1)]);
    let sent = press(&mut harness, "Use port 443");
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(target.server().starts_with("rtmps://"), "{}", target.server());
    assert_eq!((target.id, target.key().map(Secret::expose)), (1, Some("planted")));
}
