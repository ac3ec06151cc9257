//! Tests of the figures of a broadcast in the window.

use super::*;

#[test]
fn sound_that_went_too_is_told_beside_the_dropped_pictures() {
    let mut harness = open("slow");
    let is_shown = |harness: &Harness<'static, Window>, words: &str| {
        harness.query_all_by_label_contains(words).count() > 0
    };
    assert!(is_shown(&harness, "904 (") && !is_shown(&harness, ", sound "));
    harness.state().demo.change(|snapshot| snapshot.figures.dropped_audio = 1_250);
    harness.run();
    assert!(is_shown(&harness, "%), 1\u{a0}250 audio"));
}

#[test]
fn bad_figures_have_the_warning_color() {
    fn color(shape: &egui::Shape, words: &str) -> Option<egui::Color32> {
        match shape {
            egui::Shape::Text(text) if text.galley.text() == words => {
                text.galley.job.sections.first().map(|section| section.format.color)
            }
            egui::Shape::Vec(shapes) => shapes.iter().find_map(|shape| color(shape, words)),
            _ => None,
        }
    }
    let harness = open("slow");
    let warns = |words: &str| {
        let mut shapes = harness.output().shapes.iter();
        let warn = onair::ui::style::theme::Theme::DARK.warn;
        shapes.any(|it| color(&it.shape, words) == Some(warn))
    };
    assert!(warns("1.84\u{a0}s") && warns("24.3 fps") && warns("904 (4.0\u{a0}%)"));
    assert!(!warns("212\u{a0}ms"));
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
