//! Tests that no part of the window contradicts another, or leaves the window: verdicts never sound
//! better than the problems beside them, and dialogs fit.

use super::*;
use onair::studio::notices::message::StudioMessage;

#[test]
fn a_check_with_a_warning_does_not_end_in_a_green_sentence() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    harness.run();
    harness.run();
    let is_shown = |harness: &Harness<'static, Window>, words: &str| {
        harness.query_by_label_contains(words).is_some()
    };
    assert!(is_shown(&harness, "reaches only 1 900\u{a0}kbps"));
    let warned = "You can go live, but see the warnings above.";
    assert!(is_shown(&harness, warned));
    assert!(!is_shown(&harness, "Ready to go live. The check"));
    harness.state().demo.change(|snapshot| {
        let found = snapshot.checked.as_mut().unwrap();
        found.found.retain(|notice| notice.level == Level::Info);
    });
    harness.run();
    assert!(is_shown(&harness, "Ready to go live. The check") && !is_shown(&harness, warned));
}

#[test]
fn a_check_sends_a_test_stream_only_after_a_click_beside_the_terms() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    assert_eq!(commands(&mut harness), [Command::Check { test_stream: false }]);
    harness.run();
    assert!(harness.query_by_label("Send test stream").is_none());
    harness.state().demo.change(|snapshot| {
        let host = "live.example.com:1935".to_owned();
        let needed = StudioMessage::FoundNeedsTestStream { host }.notice(9, "");
        snapshot.checked.as_mut().unwrap().found = vec![needed];
    });
    harness.run();
    harness.get_by_label_contains("under a random name (onair-test-…), without your stream key");
    harness.get_by_label("Send test stream").click_accesskit();
    assert_eq!(commands(&mut harness), [Command::Check { test_stream: true }]);
    harness.run();
    harness.get_by_label("Check again").click_accesskit();
    assert_eq!(
        commands(&mut harness),
        [Command::Check { test_stream: false }],
        "consent is for one check"
    );
}

#[test]
fn a_check_that_a_broadcast_has_ended_does_not_seem_to_run() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    harness.run();
    harness.run();
    harness.state().demo.change(|snapshot| snapshot.checked = None);
    harness.run();
    assert!(harness.query_by_label("Checking…").is_none());
    harness.get_by_label("Check again");
}

#[test]
fn a_certificate_that_is_trusted_in_a_check_is_checked_again_without_a_broadcast() {
    let mut harness = open("idle");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    harness.run();
    drop(commands(&mut harness));
    let pin = CertificatePin::of(b"certificate");
    let mut trusted = None;
    harness.state().demo.change(|snapshot| {
        let target = snapshot.targets[0].target.clone();
        let (host, cause) = ("live.example.com:443".to_owned(), Problem::from("self-signed"));
        let id = target.id;
        let failed = StudioMessage::FoundTargetFailed { id, host, cause, pin: Some(pin) };
        snapshot.checked.as_mut().unwrap().found = vec![failed.notice(9, "")];
        trusted = Some(Target { pin: Some(pin), ..target });
    });
    harness.run();
    harness.get_by_label("Trust this certificate").click_accesskit();
    assert_eq!(
        commands(&mut harness),
        [Command::PutTarget(trusted.unwrap()), Command::Check { test_stream: false }]
    );
}

#[test]
fn nothing_says_ready_beside_a_problem_and_the_sentence_stays_in_its_place() {
    let pill = |harness: &Harness<'static, Window>, words: &str| {
        harness
            .query_all_by_role(Role::Status)
            .any(|it| it.accesskit_node().label().unwrap_or_default().starts_with(words))
    };
    let sentence = |harness: &Harness<'static, Window>, words: &str| {
        harness.get_by_role_and_label(Role::Status, words).rect().left()
    };
    let idle = open("idle");
    assert!(pill(&idle, "READY"));
    let trouble = open("notices");
    assert!(pill(&trouble, "OFF AIR") && !pill(&trouble, "READY"), "{:?}", shown(&trouble));
    let on_air = open("on-air");
    assert!(pill(&on_air, "ON AIR"));
    let lost = "Not on air: the connection to media.school.example was lost.";
    let reconnecting = open("reconnecting");
    let places = [
        sentence(&idle, "Ready to go live."),
        sentence(&on_air, "All good."),
        sentence(&reconnecting, lost),
    ];
    assert!(places.iter().all(|it| (it - places[0]).abs() < 1.0), "{places:?}");
}

#[test]
fn the_sentence_has_priority_over_the_text_of_the_layout_button() {
    let harness = open("reconnecting");
    let row = |words: &str| harness.get_by_label(words).rect();
    let sentence = row("Not on air: the connection to media.school.example was lost.");
    let cause = row("Attempt 4 in 2 s · The connection was reset · Recording continues");
    assert!((sentence.center().y - cause.center().y).abs() < 2.0, "{sentence} {cause}");
    let button = row("Layout: Simple");
    assert!(button.width() < 40.0 && cause.right() < button.left(), "{cause} {button}");
    // Where there is room for both, the button keeps its text.
    assert!(open("idle").get_by_label("Layout: Simple").rect().width() > 100.0);
}

#[test]
fn the_largest_dialogs_fit_into_the_smallest_window() {
    for (key, title) in [(Key::M, "Audio mixer"), (Key::Comma, "Settings")] {
        let size = Vec2::new(960.0, 600.0);
        let mut harness = open_as("mixer", size, preferences(Language::English, Theme::Dark));
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        harness.run();
        harness.run();
        let heading = harness.get_by_role_and_label(Role::Label, title).rect();
        // The margin of the dialog, and a gap to the edge of the window.
        assert!(heading.top() >= 24.0, "{title}: {heading:?}");
    }
}

/// Nothing is sent during an outage, even if a figure is left from before.
#[test]
fn no_bitrate_is_shown_during_an_outage() {
    let bitrates = |state: &str| {
        let mut harness = open(state);
        harness.state().demo.change(|snapshot| {
            snapshot.figures.bitrate = 2_512_000;
            snapshot.targets.iter_mut().for_each(|it| it.bitrate = 2_512_000);
        });
        harness.run();
        let nodes = harness.root().children_recursive();
        let words = nodes.flat_map(|node| {
            let node = node.accesskit_node();
            [node.label(), node.value()]
        });
        words.flatten().filter(|it| it.contains("2\u{a0}512\u{a0}kbps")).collect::<Vec<_>>()
    };
    assert_eq!(bitrates("reconnecting"), [""; 0]);
    assert_eq!(bitrates("on-air"), ["Bitrate: 2\u{a0}512\u{a0}kbps"]);
}

/// Where no target was ever connected, no viewer loses the stream.
#[test]
fn only_a_broadcast_that_was_connected_is_stopped_with_a_question() {
    let mut harness = open("reconnecting");
    assert_eq!(click(&mut harness, "Stop"), []);
    assert!(harness.query_by_label_contains("The stream ends for all viewers.").is_some());
    for by_key in [false, true] {
        let mut harness = open("reconnecting");
        harness.state().demo.change(|snapshot| snapshot.figures.on_air_for = Duration::ZERO);
        harness.run();
        // The button does not change with each attempt.
        assert!(harness.query_by_label("Stop").is_none());
        match by_key {
            true => harness.key_press_modifiers(Modifiers::COMMAND, Key::L),
            false => harness.get_by_label_contains("Connecting…").click(),
        }
        harness.run();
        assert_eq!(commands(&mut harness), [Command::StopLive]);
    }
}

#[test]
fn stop_says_how_much_of_a_delayed_stream_is_discarded() {
    for (state, is_delayed) in [("delayed", true), ("on-air", false)] {
        let mut harness = open(state);
        assert_eq!(click(&mut harness, "Stop"), []);
        let text = "onair discards the last 5:00 of the stream.";
        let is_said = harness.query_by_label_contains(text).is_some();
        assert_eq!(is_said, is_delayed, "{:?}", shown(&harness));
    }
}

#[test]
fn a_broadcast_that_waits_for_the_keyring_is_canceled_with_its_button() {
    for by_key in [false, true] {
        let mut harness = open("idle");
        harness.state().demo.change(|snapshot| {
            (snapshot.has_postponed_commands, snapshot.waits_to_go_live) = (true, true);
            snapshot.keys_pending = true;
        });
        harness.run();
        harness.get_by_label("Waiting for the keyring.");
        match by_key {
            true => harness.key_press_modifiers(Modifiers::COMMAND, Key::L),
            false => harness.get_by_label_contains("Connecting…").click(),
        }
        assert_eq!(commands(&mut harness), [Command::StopLive]);
    }
}

#[test]
fn stop_does_not_speak_of_viewers_if_only_the_built_in_server_is_on_and_has_none() {
    for (viewers, elsewhere, text) in [
        (0, false, "Nobody is watching."),
        (2, false, "The stream ends for all viewers."),
        (0, true, "The stream ends for all viewers."),
    ] {
        let mut harness = open("black");
        harness.state().demo.change(|snapshot| {
            snapshot.server.viewers = viewers;
            snapshot.targets[1].target.enabled = elsewhere;
        });
        harness.run();
        assert_eq!(click(&mut harness, "Stop"), []);
        assert!(harness.query_by_label_contains(text).is_some(), "{:?}", shown(&harness));
    }
}

#[test]
fn dialogs_leave_the_health_bar_visible() {
    for room in [Vec2::new(980.0, 620.0), Vec2::new(1280.0, 720.0)] {
        for (modifiers, key, title) in [
            (Modifiers::COMMAND, Key::M, "Audio mixer"),
            (Modifiers::COMMAND, Key::Comma, "Settings"),
            (Modifiers::NONE, Key::F1, "Guide"),
        ] {
            let mut harness = open_as("mixer", room, preferences(Language::English, Theme::Dark));
            harness.key_press_modifiers(modifiers, key);
            harness.run();
            harness.run();
            let close = harness.get_by_role_and_label(Role::Button, "Close").rect();
            let case = format!("{title} at {room:?}: {close:?}");
            let bar =
                harness.get_by_label("Microphone Yeti Stereo Microphone is disconnected.").rect();
            assert!(close.top() > bar.bottom() && close.top() < bar.bottom() + 110.0, "{case}");
            // Nor is the health bar dimmed.
            let dims = |shape: &egui::epaint::ClippedShape| match &shape.shape {
                egui::Shape::Rect(it) => {
                    let visible = it.rect.intersect(shape.clip_rect).intersect(bar);
                    // The card's shadow has soft edges.
                    it.fill == egui::Color32::from_black_alpha(150)
                        && it.blur_width <= 0.0
                        && visible.width() > 1.0
                        && visible.height() > 1.0
                }
                _ => false,
            };
            let dimmed = harness.output().shapes.iter().find(|it| dims(it));
            assert!(dimmed.is_none(), "{case}: {dimmed:?}");
        }
    }
}
