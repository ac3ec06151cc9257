//! Tests of the notice tray: the order of the notices, and the effects of their buttons; and of the
//! event log.

use std::sync::Arc;

use egui::Shape;
use onair::media::BitsPerSecond;
use onair::studio::Quality;
use onair::studio::notices::Next;
use onair::studio::notices::event_log::LogEntry;
use onair::studio::notices::message::StudioMessage;
use onair::studio::snapshot::TargetView;
use onair::studio::targets::TargetState;
use onair::text::problem::problem;
use onair::ui::style::theme::Theme as Colors;
use onair::ui::text::{Language as Spoken, Texts};

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
    // The number is not a part of the sentence, which may say that onair will not retry.
    let sentence = newest.trim_end_matches(" ×4");
    assert!(has_color(sentence, Colors::DARK.text) && has_color("×4", Colors::DARK.text));
    assert!(has_color(oldest, Colors::DARK.text) && has_color(over, Colors::DARK.secondary));
    assert!(!has_color(over, Colors::DARK.text));
}

/// A warning keeps the health bar, and the tray is closed.
#[test]
fn a_confirmation_is_shown_for_a_few_seconds_beside_a_warning() {
    let mut harness = open("notices");
    let text = "Replay saved: /home/ada/replay.mp4";
    harness.state().demo.change(|snapshot| {
        let mut notice = snapshot.notices[0].clone();
        notice.id = 1_000;
        notice.level = Level::Info;
        notice.problem = problem!("replay-saved", path = "/home/ada/replay.mp4");
        snapshot.notices.push(notice);
    });
    harness.run();
    assert!(harness.query_by_role_and_label(Role::Status, text).is_some());
    let shown_until = harness.ctx.input(|input| input.time) + 6.0;
    while harness.ctx.input(|input| input.time) < shown_until {
        harness.step();
    }
    assert!(harness.query_by_role_and_label(Role::Status, text).is_none());
    // Notices from before are not shown again.
    harness.state().demo.change(|snapshot| snapshot.notices.truncate(1));
    harness.step();
    assert!(harness.query_by_role_and_label(Role::Status, text).is_none());
}

#[test]
fn the_times_of_notices_are_in_one_column_on_the_baselines_of_their_titles() {
    let mut harness = open("notices");
    harness.state().demo.change(|snapshot| snapshot.notices.truncate(2));
    harness.run();
    open_tray(&mut harness);
    let shapes = super::lists::shapes(&harness, egui::Rect::EVERYTHING);
    let texts = shapes.iter().filter_map(|shape| match shape {
        Shape::Text(text) => Some((text.galley.text(), text, shape.visual_bounding_rect().left())),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    // Each notice shows one time, such as 10:27:27.
    let is_time = |words: &str| words.len() == 8 && words.matches(':').count() == 2;
    let times: Vec<_> = texts.iter().filter(|it| is_time(it.0)).collect();
    let lefts: Vec<f32> = times.iter().map(|it| it.2).collect();
    assert!(lefts.len() == 3 && lefts.iter().all(|it| (it - lefts[0]).abs() < 3.0), "{lefts:?}");
    let baseline = |text: &egui::epaint::TextShape| {
        text.pos.y + text.galley.rows[0].pos.y + text.galley.rows[0].glyphs[0].pos.y
    };
    for title in ["Microphone Yeti Stereo Microphone is disconnected.", "No audio from Yeti."] {
        let mut rows = texts.iter().filter(|it| it.0 == title);
        let is_aligned = |row: &egui::epaint::TextShape| {
            times.iter().any(|time| (baseline(time.1) - baseline(row)).abs() < 0.6)
        };
        assert!(rows.any(|it| is_aligned(it.1)), "{title}");
    }
}

#[test]
fn the_first_button_in_the_tray_has_the_keyboard_also_below_a_notice_without_buttons() {
    let mut harness = open("on-air");
    harness.state().demo.change(|snapshot| {
        let (host, kbps) = ("YouTube".into(), Some(1_800));
        let slow = StudioMessage::FramesDropped { id: 1, host, kbps }.notice(12, "");
        let newest = Notice { id: 13, remedies: Vec::new(), ..slow.clone() };
        snapshot.notices = vec![slow, newest];
    });
    open_tray(&mut harness);
    let focused = harness.root().children_recursive().find(|node| node.is_focused());
    let name = focused.and_then(|node| node.accesskit_node().label()).unwrap_or_default();
    assert!(name.starts_with("Lower to "), "{name:?}");
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
        press(&mut harness, "Lower to 1\u{a0}800\u{a0}kbps"),
        [Command::SetQuality(lower), Command::Dismiss(12)]
    );
    // The problem of a target is over only when the target is live again.
    assert_eq!(press(&mut harness, "Retry now"), [Command::StartTarget(1)]);
    // The key may also be a part of the address.
    for (server, key, wanted) in [
        ("rtmp://a.rtmp.youtube.com/live2", "planted", Some("planted")),
        ("rtmp://a.rtmp.youtube.com/live2/planted?b=1", "", Some("planted?b=1")),
        ("rtmp://a.rtmp.youtube.com/live2", "", None),
    ] {
        harness.state().demo.change(|snapshot| {
            let known = snapshot.targets.iter_mut().find(|entry| entry.target.id == 1).unwrap();
            known.target = Target::custom(1, server, key.into());
        });
        harness.run();
        let sent = press(&mut harness, "Use port 443");
        let [Command::PutTarget(target)] = sent.as_slice() else { panic!("{sent:?}") };
        assert_eq!(target.server(), "rtmps://a.rtmps.youtube.com:443/live2");
        assert_eq!((target.id, target.key().map(Secret::expose)), (1, wanted), "{server}");
    }
}

#[test]
fn a_typed_key_replaces_the_wrong_one_after_edit_key() {
    let mut harness = open("custom");
    harness.state().demo.change(|snapshot| {
        let message = StudioMessage::Target {
            key: "target-refused",
            id: 1,
            pin: None,
            host: "live.example.com".into(),
            cause: problem!("net-unreachable"),
            next: Next::GivenUp,
        };
        snapshot.notices = vec![message.notice(11, "")];
    });
    open_tray(&mut harness);
    let is_it = |button: &egui_kittest::Node<'_>| {
        button.accesskit_node().label().is_some_and(|name| name.starts_with("Edit key"))
    };
    harness.query_all_by_role(Role::Button).find(is_it).unwrap().click();
    harness.run();
    harness.run();
    harness.event(egui::Event::Text("right".into()));
    let sent = commands(&mut harness);
    let Some(Command::PutTarget(target)) = sent.last() else { panic!("{sent:?}") };
    assert_eq!(target.key().map(Secret::expose), Some("right"));
}

#[test]
fn a_typed_address_does_not_come_back_after_the_port_is_changed() {
    let mut harness = open("custom");
    super::targets::open_card(&mut harness, "live.example.com");
    harness.get_by_role_and_label(Role::TextInput, "Server").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.event(egui::Event::Text("rtmp://a.rtmp.youtube.com/live2".into()));
    let sent = commands(&mut harness);
    assert!(matches!(sent.as_slice(), [Command::PutTarget(_)]), "{sent:?}");
    harness.state().demo.change(|snapshot| {
        let message = StudioMessage::Target {
            key: "target-unreachable",
            id: 1,
            pin: None,
            host: "YouTube".into(),
            cause: problem!("net-unreachable"),
            next: Next::GivenUp,
        };
        let mut unreachable = message.notice(11, "");
        unreachable.remedies = vec![Remedy::UsePort443(1)];
        snapshot.notices = vec![unreachable];
    });
    open_tray(&mut harness);
    let is_it = |button: &egui_kittest::Node<'_>| {
        button.accesskit_node().label().is_some_and(|name| name.starts_with("Use port 443: "))
    };
    harness.query_all_by_role(Role::Button).find(is_it).unwrap().click();
    harness.run();
    let field = harness.get_by_role_and_label(Role::TextInput, "Server");
    let server = field.value().unwrap_or_default();
    assert!(server.starts_with("rtmps://"), "{server}");
}

#[test]
fn the_buttons_of_notices_open_the_mixer_and_the_quality() {
    let silent = StudioMessage::MicrophoneLost { device: "Yeti".into() };
    let slow = StudioMessage::EncoderSlow { percent: "12 %".into() };
    for (state, message, button, dialog) in [
        ("recording", silent, "Open the audio mixer", Dialog::Mixer),
        ("idle", slow, "Change quality", Dialog::Settings),
    ] {
        let mut harness = open(state);
        harness.state().demo.change(|snapshot| snapshot.notices = vec![message.notice(11, "")]);
        harness.run();
        click(&mut harness, button);
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(dialog));
    }
}

/// The user can cancel the dialog, and the studio withdraws the notice when it records again.
#[test]
fn a_recording_that_ended_stays_a_problem_while_the_user_chooses_a_folder() {
    let mut harness = open("on-air");
    harness.state().demo.change(|snapshot| {
        let (path, reason) = ("/home/ada/Videos/a.mp4".into(), problem!("file-full"));
        snapshot.notices = vec![StudioMessage::RecordingFailed { path, reason }.notice(11, "")];
    });
    harness.run();
    open_tray(&mut harness);
    let is_it = |button: &egui_kittest::Node<'_>| {
        button.accesskit_node().label().is_some_and(|name| name.starts_with("Choose folder…: "))
    };
    harness.query_all_by_role(Role::Button).find(is_it).unwrap().click();
    assert_eq!(commands(&mut harness), []);
    assert!(harness.state().requests.contains(&WindowRequest::PickRecordingFolder));
}

#[test]
fn the_event_log_lists_the_newest_first_and_is_copied() {
    let texts = Texts::new(Spoken::English);
    let window = || {
        let mut harness = open("notices");
        harness.key_press_modifiers(Modifiers::COMMAND, Key::H);
        harness.run();
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::EventLog));
        harness
    };
    let panel = || super::panels::with_tab("notices", "Event log");
    for (mut harness, is_dialog) in [(window(), true), (panel(), false)] {
        let snapshot = harness.state().demo.snapshot();
        let [first, second, ..] = &snapshot.notices[..] else { panic!("{:?}", snapshot.notices) };
        let entry = |notice: &Notice, times, lasted| LogEntry {
            wall_micros: notice.wall_micros,
            notice: notice.clone(),
            times,
            lasted,
        };
        let lasted = Some(Duration::from_secs(12));
        let log = Arc::new([entry(first, 3, None), entry(second, 1, lasted)].into());
        harness.state().demo.change(|snapshot| {
            snapshot.event_log = log;
            snapshot.event_log_path = Some("/home/ada/onair.log".into());
        });
        harness.run();
        let title = |notice| {
            let (title, _) = onair::ui::notices::words(&texts, notice);
            title.trim_end_matches('.').to_owned()
        };
        let older = format!("{} ×3", title(first));
        let newer = format!("{} (for 12 s)", title(second));
        let top = |harness: &Harness<'static, Window>, text: &str| {
            let row = harness.query_all_by_label_contains(text).next();
            row.unwrap_or_else(|| panic!("no {text:?} in {:?}", shown(harness))).rect().top()
        };
        assert!(top(&harness, &newer) < top(&harness, &older));
        if !is_dialog {
            continue;
        }
        harness.get_by_label_contains("Saved to /home/ada/onair.log");
        harness.get_by_label("Copy as text").click_accesskit();
        harness.step();
        let copied = harness.output().platform_output.commands.iter().find_map(|it| match it {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
        let copied = copied.expect("the log is copied");
        let lines: Vec<&str> = copied.lines().collect();
        let [one, two] = lines[..] else { panic!("{copied}") };
        for (line, words, notice) in [(one, older, first), (two, newer, second)] {
            assert!(line.contains(&words), "{line}");
            assert!(line.ends_with(&format!("[{}]", notice.key())), "{line}");
        }
    }
}
