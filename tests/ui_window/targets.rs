//! Tests of targets and going live in the window. The file is long because all of them need the same window.

use super::*;
use onair::studio::live::view::LiveState;
use onair::text::problem::problem;

#[test]
fn go_live_and_stop_which_asks() {
    let mut harness = open("idle");
    assert_eq!(click(&mut harness, "Go Live"), [Command::GoLive]);
    harness.get_by_label_contains("ON AIR");
    assert_eq!(click(&mut harness, "Stop"), []);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::ConfirmStop));
    assert_eq!(click(&mut harness, "Stay on air"), []);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.run();
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
    harness.get_by_label("Go Live");
}

#[test]
fn the_question_before_a_stop_closes_when_the_broadcast_ends_although_the_recording_continues() {
    let mut harness = open("on-air-recording");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    harness.run();
    let dialog =
        |harness: &Harness<'static, Window>| harness.state().screen.as_ref().unwrap().dialog();
    assert_eq!(dialog(&harness), Some(Dialog::ConfirmStop));
    harness.state_mut().demo.change(|snapshot| snapshot.live = LiveState::Idle);
    harness.run();
    assert!(harness.state().demo.snapshot().recording.is_some());
    assert_eq!(dialog(&harness), None);
}

/// Opens or closes the card of a target.
pub fn open_card(harness: &mut Harness<'static, Window>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run();
}

/// Opens the menu of new targets. It reaches its final position in its second frame.
pub fn open_menu(harness: &mut Harness<'static, Window>) {
    harness.get_by_label("Add a target").click();
    harness.run();
    harness.step();
    harness.step();
}

#[test]
fn the_menu_of_new_targets_does_not_cover_stop() {
    let mut harness = open("on-air");
    harness.get_by_label("Add a target").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    let item = |name| harness.get_by_role_and_label(Role::MenuItemRadio, name).rect();
    let menu = item("Custom server").union(item("Your own services"));
    let stop = harness.get_by_label("Stop").rect();
    assert!(!menu.intersects(stop), "{menu:?} {stop:?}");
}

#[test]
fn a_target_is_renamed_routed_and_taken_apart() {
    let mut harness = open("custom");
    // A closed card says where the key is kept.
    let card = harness.get_by_role_and_label(Role::Button, "live.example.com");
    assert_eq!(card.value().as_deref(), Some("Key in your keyring"));
    harness.state().demo.change(|snapshot| {
        snapshot.key_place = Some(onair::studio::KeyPlace::File("keys.toml".into()));
    });
    harness.run();
    let card = harness.get_by_role_and_label(Role::Button, "live.example.com");
    assert_eq!(card.value().as_deref(), Some("Key saved in a file"));
    assert!(harness.query_by_label("Advanced").is_none());
    open_card(&mut harness, "live.example.com");
    assert_eq!(click(&mut harness, "Advanced"), []);
    let typed = |harness: &mut Harness<'static, Window>, name: &str, text: &str| {
        harness.get_by_role_and_label(egui::Role::TextInput, name).focus();
        harness.run();
        harness.get_by_role_and_label(egui::Role::TextInput, name).type_text(text);
        harness.run();
        match commands(harness).pop() {
            Some(Command::PutTarget(target)) => target,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(typed(&mut harness, "Name", "Main hall").name, "Main hall");
    let routed = typed(&mut harness, "Ports to try, in order", "443,1935");
    assert_eq!((routed.route.ports.as_str(), routed.name.as_str()), ("443,1935", "Main hall"));
    typed(&mut harness, "Local address", "no such place");
    harness.get_by_label_contains("an interface such as eth1");
}

#[test]
fn the_delay_is_chosen_shown_and_ended() {
    let mut harness = open("idle");
    settings_page(&mut harness, "Output");
    harness.get_by_label("Stream delay 5:00").focus();
    harness.run();
    harness.key_press(Key::Enter);
    let sent = commands(&mut harness);
    assert_eq!(sent, [Command::SetDelay(Duration::from_secs(300))]);
    let mut harness = open("delayed");
    // The panel shows the delay only if the health bar shows a problem.
    harness.get_by_label("Viewers are 5:00 behind live · 2 watching");
    assert!(harness.query_by_label("Viewers are 5:00 behind live.").is_none());
    harness.state().demo.change(|snapshot| snapshot.figures.fps = 17.0);
    harness.run();
    harness.get_by_label("This computer is too slow: only 17 of 30 fps.");
    harness.get_by_label("Viewers are 5:00 behind live.");
    assert_eq!(click(&mut harness, "Stop after the delay"), [Command::StopAfterDelay]);
}

#[test]
fn a_target_is_typed_and_its_key_stays_hidden() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    let sent = click(&mut harness, "Custom server");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(added.enabled && added.remember_key && added.id == 1, "{added:?}");
    // *Go Live* without an address focuses the address field instead.
    assert_eq!(click(&mut harness, "Go Live"), []);
    harness.get_by_label("Enter the server address first.");
    let server = harness
        .get_all_by_role(egui::Role::TextInput)
        .find(|node| node.accesskit_node().label().as_deref() == Some("Server"))
        .unwrap();
    assert!(server.is_focused());
    harness.event(egui::Event::Text("rtmp://live.example.com/app".into()));
    harness.run();
    commands(&mut harness);
    // The same happens without a key.
    assert_eq!(click(&mut harness, "Go Live"), []);
    harness.get_by_label_contains("Enter the stream key first");
    assert!(harness.get_by_role(egui::Role::PasswordInput).is_focused());
    harness.event(egui::Event::Text("secret-key-123".into()));
    let sent = commands(&mut harness);
    let place = TargetPlace::Custom {
        server: "rtmp://live.example.com/app".into(),
        key: Secret::new("secret-key-123"),
    };
    let wanted = Command::PutTarget(Target { place, ..added.clone() });
    assert_eq!(sent.last(), Some(&wanted));
    assert!(harness.query_by_label_contains("Enter the stream key first").is_none());
    let tree = format!("{:?}", harness.root());
    assert!(!tree.contains("secret-key"), "the key is in what a screen reader is told");
    assert_eq!(click(&mut harness, "Go Live"), [Command::GoLive]);
}

#[test]
fn a_bad_key_and_an_address_without_an_application_are_named_and_edited() {
    let mut harness = open("custom");
    let set = |harness: &mut Harness<'static, Window>, server: &str, key: &str| {
        let place = TargetPlace::Custom { server: server.to_owned(), key: Secret::new(key) };
        harness.state().demo.change(|snapshot| snapshot.targets[1].target.place = place);
        harness.run();
    };
    set(&mut harness, "rtmp://live.example.com/app", "planted key");
    harness.get_by_label("live.example.com: the stream key contains a space.");
    assert_eq!(second_line(&harness, "live.example.com").0, "Correct the stream key");
    assert_eq!(click(&mut harness, "Edit key"), []);
    harness.run();
    harness.get_by_label("The stream key contains a space");
    assert!(harness.get_by_role(egui::Role::PasswordInput).is_focused());
    assert!(!format!("{:?}", harness.root()).contains("planted"));
    set(&mut harness, "rtmp://live.example.com", "key");
    harness.get_by_label("The address of live.example.com has no application.");
    let words = second_line(&harness, "live.example.com").0;
    assert_eq!(words, "Add the application to the address");
    assert_eq!(click(&mut harness, "Edit target"), []);
    harness.run();
    let server = harness
        .get_all_by_role(egui::Role::TextInput)
        .find(|node| node.accesskit_node().label().as_deref() == Some("Server"))
        .unwrap();
    assert!(server.is_focused());
}

#[test]
fn an_address_without_a_key_asks_for_none_and_goes_live() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    click(&mut harness, "Custom server");
    harness.run();
    harness.get_by_role(Role::PasswordInput);
    harness.event(egui::Event::Text("udp://239.1.1.1:5000?ttl=4".into()));
    harness.run();
    harness.run();
    assert!(harness.query_by_role(Role::PasswordInput).is_none());
    assert!(harness.query_by_label("Remember the key").is_none());
    let sent = commands(&mut harness);
    let Some(Command::PutTarget(put)) = sent.last() else { panic!("{sent:?}") };
    assert_eq!(put.server(), "udp://239.1.1.1:5000?ttl=4");
    assert_eq!(click(&mut harness, "Go Live"), [Command::GoLive]);
}

#[test]
fn enter_in_the_server_field_goes_to_the_missing_key() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    click(&mut harness, "Custom server");
    harness.run();
    harness.event(egui::Event::Text("rtmp://live.example.com/app".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    assert!(harness.get_by_role(Role::PasswordInput).is_focused());
}

/// A person types faster than a busy computer draws, so all text can arrive in one frame.
#[test]
fn text_typed_quickly_after_tab_arrives_in_its_own_field() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    click(&mut harness, "Custom server");
    harness.run();
    let tab = |pressed| egui::Event::Key {
        key: Key::Tab,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let text = |text: &str| egui::Event::Text(text.to_owned());
    let typed = [text("rtmp://live.example.com/app"), tab(true), tab(false), text("secret-key-9")];
    harness.input_mut().events.extend(typed);
    let sent = commands(&mut harness);
    let Some(Command::PutTarget(target)) = sent.last() else { panic!("{sent:?}") };
    let place = TargetPlace::Custom {
        server: "rtmp://live.example.com/app".into(),
        key: Secret::new("secret-key-9"),
    };
    assert_eq!(target.place, place);
}

/// Returns the state in the second line of a card, and whether it is cut off.
fn second_line(harness: &Harness<'static, Window>, card: &str) -> (String, bool) {
    let node = harness.get_by_role_and_label(Role::Button, card);
    let words = node.accesskit_node().value().unwrap();
    let font = onair::ui::style::theme::Type::Small.font();
    let galley =
        harness.ctx.debug_painter().layout_no_wrap(words.clone(), font, egui::Color32::WHITE);
    // The status lamp takes up room before the words.
    (words, galley.size().x > node.rect().width() - 21.0)
}

#[test]
fn the_second_line_of_a_card_fits_on_air() {
    for (language, name, behind) in [
        (Language::English, "Built-in server", " · 77\u{a0}ms behind"),
        (Language::Chinese, "内置服务器", " · 延迟 77\u{a0}ms"),
    ] {
        let size = Vec2::new(1280.0, 720.0);
        let mut harness = open_as("black", size, preferences(language, Theme::Dark));
        for state in [
            "ok",
            "comparing",
            "unsure",
            "different",
            "unavailable",
            "unreachable",
            "no_stream",
            "stalled",
            "black",
            "frozen",
            "silent",
            "late",
            "wrong_size",
        ] {
            for latency in [Some(Duration::from_millis(77)), None] {
                harness.state().demo.change(|snapshot| {
                    snapshot.server.viewers = 1_234;
                    let monitor = snapshot.targets[0].monitor.as_mut().unwrap();
                    (monitor.state, monitor.latency) = (state, latency);
                });
                harness.run();
                let (words, cut) = second_line(&harness, name);
                assert!(!cut, "{language:?}: {words}");
                if state == "ok" && latency.is_some() {
                    assert!(words.ends_with(behind), "{words}");
                }
            }
        }
    }
}

#[test]
fn a_card_without_viewers_has_no_latency_of_viewers() {
    for (language, name, wanted) in [
        (Language::English, "Built-in server", "On air · 0 viewers"),
        (Language::Chinese, "内置服务器", "直播中 · 0 位观众"),
    ] {
        let size = Vec2::new(1280.0, 720.0);
        let mut harness = open_as("black", size, preferences(language, Theme::Dark));
        for latency in [Some(Duration::from_millis(77)), None] {
            harness.state().demo.change(|snapshot| {
                snapshot.server.viewers = 0;
                snapshot.targets[0].monitor.as_mut().unwrap().latency = latency;
            });
            harness.run();
            assert_eq!(second_line(&harness, name).0, wanted);
        }
    }
}

#[test]
fn what_viewers_get_is_shown_and_asked_for() {
    let mut harness = open("black");
    harness.get_by_label("On air. media.school.example: Viewers see black video.");
    assert!(harness.query_by_label("What viewers see").is_none());
    assert_eq!(click(&mut harness, "Show what viewers get"), []);
    harness.get_by_label("What viewers see");
    // The other card may be above the fold.
    harness.get_by_role_and_label(Role::Button, "Built-in server").click_accesskit();
    harness.run();
    harness.get_by_label("Viewers are 1.20\u{a0}s behind live.");
    harness.get_by_label("What viewers see");
    // The box may be below the fold.
    harness.get_by_role_and_label(egui::Role::CheckBox, "Viewer monitor").click_accesskit();
    let sent = commands(&mut harness);
    assert!(
        matches!(sent.as_slice(), [Command::PutTarget(Target { monitor: Some(false), id: 0, .. })]),
        "{sent:?}"
    );
    // The problem is over.
    harness.state().demo.snapshot.lock().targets[1].monitor.as_mut().unwrap().state = "ok";
    harness.run();
    harness.get_by_label("All good.");
    harness.get_by_label("Viewers are 2.1\u{a0}s behind live · 2 watching");
    // Without viewers, nobody is behind.
    harness.state().demo.snapshot.lock().server.viewers = 0;
    harness.run();
    harness.get_by_label("Nobody is watching. A viewer would be 1.20\u{a0}s behind live.");

    // For another server, the viewer monitor is off by default and needs a playback address.
    let mut harness = open("custom");
    open_card(&mut harness, "live.example.com");
    harness.get_by_role_and_label(egui::Role::CheckBox, "Viewer monitor").click();
    let sent = commands(&mut harness);
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(target.monitor, Some(true));
    harness.state().demo.snapshot.lock().targets[1].monitored = true;
    harness.run();
    let field = harness
        .get_all_by_role(egui::Role::TextInput)
        .find(|node| node.accesskit_node().label().as_deref() == Some("Playback address"))
        .unwrap();
    field.focus();
    harness.run();
    harness.event(egui::Event::Text("rtmp://play.example.com/live/show?token=4711".into()));
    let sent = commands(&mut harness);
    let Some(Command::PutTarget(target)) = sent.last() else { panic!("{sent:?}") };
    assert_eq!(target.play_url.expose(), "rtmp://play.example.com/live/show?token=4711");
    harness.get_by_label_contains("stores the full address together with the stream key");
}

#[test]
fn targets_are_switched_kept_adapted_and_removed() {
    let mut harness = open("custom");
    let sent = click(&mut harness, "Send to Built-in server");
    assert!(matches!(sent.as_slice(), [Command::PutTarget(Target { enabled: true, id: 0, .. })]));
    open_card(&mut harness, "live.example.com");
    harness.get_by_role_and_label(egui::Role::CheckBox, "Remember the key").click();
    let sent = commands(&mut harness);
    assert!(matches!(
        sent.as_slice(),
        [Command::PutTarget(Target { remember_key: false, id: 1, .. })]
    ));
    assert_eq!(click(&mut harness, "Remove target and key"), [Command::RemoveTarget(1)]);
    // A service with a new address for each show is listed without an address.
    open_menu(&mut harness);
    let sent = click(&mut harness, "Xiaohongshu");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!((&*added.service, added.server()), ("xiaohongshu", ""));
    // A service brings its own address.
    open_menu(&mut harness);
    let sent = click(&mut harness, "Twitch");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(added.service, "twitch");
    assert!(added.server().starts_with("rtmps://ingest."), "{added:?}");
    let mut harness = open("targets");
    for (name, words) in [
        ("Twitch", "On air · 2\u{a0}508\u{a0}kbps"),
        ("media.school.example", "Reconnecting, attempt 4 in 3 s"),
    ] {
        let row = harness.get_by_role_and_label(Role::Button, name);
        assert_eq!(row.value().as_deref(), Some(words));
    }
    harness.get_by_label("On air, but not on media.school.example.");
    harness
        .get_by_label("Attempt 4 in 3 s · Connection refused: nothing is listening on this port");
    let sent = click(&mut harness, "Send to Twitch");
    assert!(matches!(sent.as_slice(), [Command::PutTarget(Target { enabled: false, id: 1, .. })]));
}

#[test]
fn a_media_file_is_chosen_and_sent_as_it_is() {
    let mut harness = open("idle");
    click(&mut harness, "Send a file as is…");
    // No file is chosen yet.
    assert_eq!(click(&mut harness, "Send this file live"), []);
    click(&mut harness, "Choose file…");
    assert!(harness.state().requests.contains(&WindowRequest::PickPassthrough));
    let path = PathBuf::from("/films/tour.mkv");
    harness.state_mut().screen.as_mut().unwrap().picked_passthrough(path.clone());
    harness.get_by_role_and_label(Role::CheckBox, "Loop").click();
    harness.run();
    let sent = click(&mut harness, "Send this file live");
    assert_eq!(sent, [Command::SendFile { path, again: true }]);
    assert!(harness.state().screen.as_ref().unwrap().dialog().is_none());
    harness.run();
    let words = shown(&harness);
    for text in ["The file replaces your scenes", "File: tour.mkv", "00:01:12 / 00:30:30 · loop 2"]
    {
        assert!(words.iter().any(|it| it == text), "{text} is not among {words:?}");
    }
    harness.get_by_label("Stop").click();
    harness.run();
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
    // Without a usable target, the window shows what is missing.
    let mut harness = open("custom");
    let own = Target { enabled: true, ..Target::custom(1, "", Secret::default()) };
    harness.state().demo.send(Command::PutTarget(own));
    let mut harness = {
        harness.state_mut().screen = None;
        harness.run();
        harness.run();
        harness
    };
    harness.state_mut().screen.as_mut().unwrap().picked_passthrough("/films/tour.mkv".into());
    // The keyboard reaches the button below the fold.
    harness.get_by_label("Send a file as is…").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let sent = click(&mut harness, "Send this file live");
    assert!(!sent.iter().any(|it| matches!(it, Command::SendFile { .. })), "{sent:?}");
}

#[test]
fn a_check_during_a_recording_says_why_it_does_not_run() {
    let mut harness = open("recording");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::T);
    assert_eq!(commands(&mut harness), []);
    let why = "You cannot run this check while on air or recording.";
    assert!(harness.query_by_label_contains(why).is_some());
    assert!(harness.query_by_label("Checking…").is_none());
}

#[test]
fn a_file_that_does_not_open_can_be_cancelled() {
    for by_key in [false, true] {
        let mut harness = open("film");
        harness.state().demo.change(|snapshot| {
            snapshot.live = LiveState::Idle;
            snapshot.passthrough.as_mut().unwrap().opening = true;
        });
        harness.run();
        let button = harness.get_by_role_and_label(Role::Button, "Opening harbour tour.mp4…");
        match by_key {
            true => harness.key_press_modifiers(Modifiers::COMMAND, Key::L),
            false => button.click(),
        }
        assert_eq!(commands(&mut harness), [Command::StopLive]);
    }
}

#[test]
fn a_preflight_check_is_requested_and_the_event_log_is_shown() {
    let mut harness = open("idle");
    harness.get_by_label("Check…").click();
    assert_eq!(commands(&mut harness), [Command::Check { test_stream: false }]);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Preflight));
    harness.key_press(Key::Escape);
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::H);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::EventLog));
    harness.get_by_label_contains("No events yet.");
}

#[test]
fn on_air_a_target_is_edited_and_reconnects_when_that_is_asked_for() {
    let mut harness = open("targets");
    open_card(&mut harness, "Twitch");
    harness.get_by_role(Role::PasswordInput).focus();
    harness.run();
    harness.event(egui::Event::Text("-new".into()));
    // Half a key is not sent, and other changes keep the old key.
    assert_eq!(commands(&mut harness), []);
    let known = harness.state().demo.snapshot().targets[1].target.clone();
    harness.get_by_role_and_label(Role::CheckBox, "Remember the key").click_accesskit();
    let sent = commands(&mut harness);
    let [Command::PutTarget(kept)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(kept.place, known.place);
    // The button is below the fold.
    harness.get_by_label("Apply and reconnect").click_accesskit();
    let sent = commands(&mut harness);
    let [Command::RestartTarget(wanted)] = sent.as_slice() else { panic!("{sent:?}") };
    assert!(wanted.id == 1 && wanted.key().unwrap().expose().ends_with("-new"), "{wanted:?}");
    harness.get_by_label("Discard").click_accesskit();
    harness.run();
    assert!(harness.query_by_label("Apply and reconnect").is_none());
}

#[test]
fn stop_never_moves() {
    let place = |state: &str| {
        let harness = open(state);
        let name = if state == "idle" { "Go Live" } else { "Stop" };
        harness.get_by_role_and_label(Role::Button, name).rect()
    };
    let first = place("idle");
    for state in ["on-air", "on-air-recording", "slow", "reconnecting", "targets", "delayed"] {
        assert_eq!(place(state), first, "{state}");
    }
}

/// A server that refuses the key is tried again and again, while the user corrects the key.
#[test]
fn the_fields_of_a_target_do_not_move_between_attempts() {
    let mut harness = open("custom");
    open_card(&mut harness, "live.example.com");
    let mut place = |live: LiveState, on_air_for: Duration| {
        harness.state().demo.change(|snapshot| {
            (snapshot.live, snapshot.figures.on_air_for) = (live, on_air_for);
            let entry = &mut snapshot.targets[1];
            entry.state = Some(onair::studio::targets::TargetState::Connecting);
            entry.cause = Some(problem!("net-closed"));
        });
        harness.run();
        harness.get_by_role(Role::PasswordInput).rect()
    };
    for on_air_for in [Duration::ZERO, Duration::from_secs(5)] {
        let (retry_in, cause) = (Duration::from_secs(2), problem!("net-closed"));
        let waiting = place(LiveState::Reconnecting { retry_in, cause }, on_air_for);
        let connecting = place(LiveState::Connecting { stage: "publish" }, on_air_for);
        assert_eq!(connecting, waiting, "on air for {on_air_for:?}");
    }
}

#[test]
fn with_no_target_switched_on_nothing_goes_live() {
    let mut harness = open("idle");
    click(&mut harness, "Send to Built-in server");
    assert_eq!(click(&mut harness, "Go Live"), []);
    harness.get_by_label("Turn on a target first.");
}

#[test]
fn a_lost_connection_is_retried_or_abandoned() {
    let mut harness = open("reconnecting");
    harness.get_by_label("Not on air: the connection to media.school.example was lost.");
    harness.get_by_label("Attempt 4 in 2 s · The connection was reset · Recording continues");
    // The card does not repeat the cause.
    let card = |harness: &Harness<'static, Window>| second_line(harness, "media.school.example").0;
    assert_eq!(card(&harness), "Reconnecting, attempt 4 in 2 s");
    // The word does not overlap the time.
    let place = |words: &str| {
        let shapes = &harness.output().shapes;
        let text = shapes.iter().find(|it| super::sound::paints(&it.shape, words));
        text.expect(words).shape.visual_bounding_rect()
    };
    let (word, time) = (place("RECONNECTING"), place("00:12:34"));
    assert!(word.right() + 4.0 < time.left(), "{word} {time}");
    harness.get_all_by_label("Retry now").next().unwrap().click();
    assert_eq!(commands(&mut harness), [Command::RetryNow]);
    assert_eq!(click(&mut harness, "Stop"), []);
    assert_eq!(click(&mut harness, "Stop the broadcast"), [Command::StopLive]);
}

#[test]
fn a_target_that_was_never_live_connects_and_does_not_reconnect() {
    let mut harness = open("reconnecting");
    for (was_live, words) in
        [(false, "Connecting, attempt 4 in"), (true, "Reconnecting, attempt 4")]
    {
        harness.state().demo.change(|snapshot| {
            let state = onair::studio::targets::TargetState::Connecting;
            (snapshot.targets[1].state, snapshot.targets[1].was_live) = (Some(state), was_live);
        });
        harness.run();
        let card = second_line(&harness, "media.school.example").0;
        assert!(card.starts_with(words), "{card}");
    }
}

/// A target with a problem comes first, except while the pointer is over the list.
#[test]
fn on_air_a_target_with_a_problem_is_listed_first() {
    let top = |harness: &Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::Button, name).rect().top()
    };
    let mut harness = open("targets");
    let (troubled, well) = ("media.school.example", "Built-in server");
    assert!(top(&harness, troubled) < top(&harness, well));
    // The bell counts and lists the problem, although the studio has no notice about it.
    click(&mut harness, "Notices: 1 open");
    let row = "On air, but not on media.school.example.";
    harness.get_by_role_and_label(Role::ListItem, row);
    let retry = format!("Retry now: {row}");
    assert_eq!(click(&mut harness, &retry), [Command::RetryNow]);
    // The problem ends under the pointer: nothing moves until the pointer leaves.
    let heal = |snapshot: &mut onair::studio::Snapshot| {
        let entry = snapshot.targets.iter_mut().find(|it| it.target.id == 2).unwrap();
        (entry.state, entry.cause) = (Some(onair::studio::targets::TargetState::Live), None);
    };
    let at = harness.get_by_role_and_label(Role::Button, troubled).rect().center();
    harness.event(egui::Event::PointerMoved(at));
    harness.run();
    harness.state().demo.change(heal);
    harness.run();
    assert!(top(&harness, troubled) < top(&harness, well));
    harness.event(egui::Event::PointerMoved(egui::pos2(600.0, 300.0)));
    harness.run();
    harness.run();
    assert!(top(&harness, troubled) > top(&harness, well));
}

#[test]
fn a_target_has_a_menu_by_mouse_and_by_keyboard() {
    let mut harness = open("idle");
    open_menu(&mut harness);
    let sent = click(&mut harness, "Custom server");
    let [Command::PutTarget(added)] = sent.as_slice() else { panic!("{sent:?}") };
    let row = "New target";
    harness.get_by_role_and_label(Role::Button, row).click_secondary();
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::MenuItemRadio, "Turn off").click();
    let off = Command::PutTarget(Target { enabled: false, ..added.clone() });
    assert_eq!(commands(&mut harness), [off]);
    harness.get_by_role_and_label(Role::Button, row).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::MenuItemRadio, "Remove target and key").click();
    assert_eq!(commands(&mut harness), [Command::RemoveTarget(added.id)]);
}

/// Loses the connection to the built-in server, whose cause the health bar then shows.
fn lose_built_in_server(snapshot: &mut onair::studio::Snapshot) {
    let entry = &mut snapshot.targets[0];
    entry.state = Some(onair::studio::targets::TargetState::Reconnecting);
    entry.cause = Some(problem!("net-closed"));
}

#[test]
fn the_cause_is_on_a_card_only_if_the_health_bar_shows_another_cause() {
    let mut harness = open("targets");
    let card = |harness: &Harness<'static, Window>| second_line(harness, "media.school.example").0;
    let attempt = "Reconnecting, attempt 4 in 3 s";
    let cause = "Connection refused: nothing is listening on this port";
    harness.get_by_label(&format!("Attempt 4 in 3 s · {cause}"));
    assert_eq!(card(&harness), attempt);
    harness.state().demo.change(lose_built_in_server);
    harness.run();
    harness.get_by_label("On air, but not on Built-in server.");
    harness.get_by_label("The server closed the connection · Trying now");
    assert_eq!(second_line(&harness, "Built-in server").0, "Reconnecting, attempt 1");
    assert_eq!(card(&harness), format!("{attempt} · {cause}"));
}

#[test]
fn a_problem_of_a_target_takes_more_lines_in_the_smallest_window() {
    for language in [Language::English, Language::Chinese] {
        let height = |size: Vec2, name: &str| {
            let mut harness = open_as("targets", size, preferences(language, Theme::Dark));
            harness.state().demo.change(lose_built_in_server);
            harness.run();
            harness.get_by_role_and_label(egui::Role::Button, name).rect().height()
        };
        let small = Vec2::new(960.0, 600.0);
        let usual = height(small, "Twitch");
        let troubled = height(small, "media.school.example");
        assert!(troubled >= usual + 12.0, "{troubled} {usual}: two lines of words");
        // A target without a problem keeps its height.
        assert!((usual - 38.0).abs() < 0.5, "{usual}");
    }
}

#[test]
fn what_was_typed_for_a_target_is_not_used_for_that_of_another_profile() {
    let mut harness = open("custom");
    open_card(&mut harness, "live.example.com");
    harness.get_by_role(Role::PasswordInput).focus();
    harness.run();
    harness.event(egui::Event::Text("-typed".into()));
    let sent = commands(&mut harness);
    assert!(matches!(sent.as_slice(), [Command::PutTarget(_)]), "{sent:?}");
    // The target of the other profile has the same id.
    let server = "rtmp://other.example.com/app".to_owned();
    let place = TargetPlace::Custom { server, key: Secret::new("other-key") };
    let wanted = place.clone();
    harness.state().demo.change(|snapshot| {
        std::sync::Arc::make_mut(&mut snapshot.parts).changes += 1;
        snapshot.targets[1].target.place = place;
    });
    harness.run();
    harness.get_by_role_and_label(Role::CheckBox, "Remember the key").click_accesskit();
    let sent = commands(&mut harness);
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(target.place, wanted);
}

#[test]
fn a_key_stays_until_another_one_is_pasted() {
    let mut harness = open("custom");
    open_card(&mut harness, "live.example.com");
    // The clipboard may contain no text.
    assert_eq!(click(&mut harness, "Paste"), []);
    assert!(harness.state().requests.contains(&WindowRequest::Paste));
    assert!(harness.get_by_role(Role::PasswordInput).is_focused());
    harness.event(egui::Event::Paste("new-key".into()));
    let sent = commands(&mut harness);
    let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(target.key().map(Secret::expose), Some("new-key"));
}
