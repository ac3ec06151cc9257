//! Tests of the address and the recent streams of the *Watch* page.

use super::*;

/// Returns the number of lines in which the window draws this text.
fn lines_of(shape: &egui::Shape, words: &str) -> Option<usize> {
    match shape {
        egui::Shape::Text(text) => (text.galley.text() == words).then(|| text.galley.rows.len()),
        egui::Shape::Vec(shapes) => shapes.iter().find_map(|shape| lines_of(shape, words)),
        _ => None,
    }
}

#[test]
fn the_advice_of_the_empty_page_is_one_line_in_chinese() {
    for size in [Vec2::new(960.0, 600.0), Vec2::new(1280.0, 720.0)] {
        let harness = open_as("watch-idle", size, preferences(Language::Chinese, Theme::Dark));
        let advice = "在上方输入直播流地址并点击“播放”，或打开文件。";
        let shapes = &harness.output().shapes;
        let lines = shapes.iter().find_map(|it| lines_of(&it.shape, advice));
        assert_eq!(lines, Some(1), "{size:?}");
    }
}
