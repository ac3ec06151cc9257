//! Tests of the figures of a broadcast in the window, and of the event log.

use std::sync::Arc;

use onair::studio::notices::event_log::LogEntry;
use onair::text::problem::problem;

use super::sound::paints;
use super::*;

#[test]
fn dropped_audio_is_shown_beside_the_dropped_frames() {
    let mut harness = open("slow");
    let is_shown = |harness: &Harness<'static, Window>, words: &str| {
        harness.query_all_by_label_contains(words).count() > 0
    };
    assert!(is_shown(&harness, "904 (") && !is_shown(&harness, ", sound "));
    harness.state().demo.change(|snapshot| snapshot.figures.dropped_audio = 1_250);
    harness.run();
    assert!(is_shown(&harness, "%) video, 1\u{a0}250 audio"));
}

#[test]
fn a_bad_figure_has_a_mark_and_a_word_and_not_only_a_color() {
    let harness = open("slow");
    let shapes: Vec<&egui::Shape> = harness.output().shapes.iter().map(|it| &it.shape).collect();
    let has_mark = |words: &str| {
        let text = shapes.iter().find(|it| paints(it, words)).unwrap().visual_bounding_rect();
        let before = text.with_min_x(text.left() - 20.0).with_max_x(text.left());
        let mut marks = shapes.iter().filter(|it| matches!(it, egui::Shape::Path(_)));
        marks.any(|it| before.contains(it.visual_bounding_rect().center()))
    };
    let names = shown(&harness);
    let has_word =
        |words: &str| names.iter().any(|it| it.contains(words) && it.ends_with(" (Warning)"));
    for bad in ["1.84\u{a0}s", "24.3 fps", "904 (4.0\u{a0}%)"] {
        assert!(has_mark(bad) && has_word(bad), "{bad}: {names:?}");
    }
    assert!(!has_mark("212\u{a0}ms") && !has_word("212\u{a0}ms"), "{names:?}");
}

#[test]
fn without_a_connection_only_a_passthrough_has_a_send_queue() {
    let mut harness = open("reconnecting");
    let queue = |harness: &Harness<'static, Window>| {
        shown(harness).into_iter().find(|it| it.starts_with("Send queue: "))
    };
    assert_eq!(queue(&harness).as_deref(), Some("Send queue: –"));
    harness.state().demo.change(|snapshot| snapshot.figures.queued = Duration::from_secs(40));
    harness.run();
    assert_eq!(queue(&harness).as_deref(), Some("Send queue: 40.0\u{a0}s (Warning)"));
}

#[test]
fn the_event_log_names_the_level_of_each_entry() {
    let mut harness = open("idle");
    let entry = |problem, level, lasted| LogEntry {
        wall_micros: 0,
        notice: Notice {
            target: None,
            id: 1,
            problem,
            level,
            detail: String::new(),
            file: None,
            remedies: Vec::new(),
            wall_micros: 0,
            times: 1,
        },
        times: 1,
        lasted,
    };
    let lasted = Some(Duration::from_secs(8));
    let entries = [
        entry(problem!("delay-on", time = "5:00"), Level::Info, None),
        entry(problem!("camera-lost", device = "Cam"), Level::Warning, None),
        entry(problem!("microphone-lost", device = "Mic"), Level::Warning, lasted),
        entry(problem!("camera-lost", device = "Other"), Level::Error, None),
    ];
    harness.state().demo.change(|snapshot| snapshot.event_log = Arc::new(entries.into()));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::H);
    harness.run();
    harness.run();
    for name in ["Information", "Warning", "Resolved", "Error"] {
        harness.get_by_role_and_label(Role::Image, name);
    }
}

#[test]
fn no_frame_rate_is_shown_before_the_first_frame_is_encoded() {
    let has = |state: &str, words: &str| shown(&open(state)).iter().any(|name| name == words);
    assert!(has("connecting", "0 dropped") && !has("connecting", "0.0 fps"));
    assert!(has("on-air", "0 dropped") && has("on-air", "30.0 fps"));
    // On air, the rate is not known until a whole second has passed.
    let mut harness = open("on-air");
    harness.state().demo.change(|snapshot| snapshot.figures.fps_pending = true);
    harness.run();
    assert!(!shown(&harness).iter().any(|name| name.contains("30.0 fps")), "{:?}", shown(&harness));
}

#[test]
fn a_chinese_window_has_chinese_units() {
    let opened = || {
        let chinese = preferences(Language::Chinese, Theme::Dark);
        open_as("media", Vec2::new(1280.0, 720.0), chinese)
    };
    let mut harness = opened();
    settings_page(&mut harness, "视频");
    let rate = chosen(&harness, "帧率");
    assert!(rate.ends_with(" 帧/秒"), "{rate}");
    let mut harness = opened();
    let fade = Transition { kind: Kind::Fade, duration: Duration::from_millis(700) };
    apply(&mut harness, &Edit::SetTransition(fade));
    for name in ["转场和工作室模式", "转场设置…"] {
        harness.get_by_label(name).click();
        harness.run();
    }
    harness.run();
    let time = harness.get_by_role_and_label(Role::SpinButton, "时长").accesskit_node().value();
    assert!(time.as_deref().is_some_and(|it| it.ends_with(" 秒")), "{time:?}");
}
