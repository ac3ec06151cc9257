//! Tests of the lists of scenes and sources: what a scene is used for, and where a dragged row lands.

use egui::{Pos2, Rect, Shape};
use onair::compose::scene::SceneId;
use onair::studio::live::view::LiveState;

use super::*;

/// Returns the shapes in a part of the window, as they were drawn last.
fn shapes(harness: &Harness<'static, Window>, room: Rect) -> Vec<Shape> {
    fn each(shape: &Shape, room: Rect, found: &mut Vec<Shape>) {
        match shape {
            Shape::Vec(all) => all.iter().for_each(|shape| each(shape, room, found)),
            other if room.contains_rect(other.visual_bounding_rect()) => found.push(other.clone()),
            _ => {}
        }
    }
    let mut found = Vec::new();
    harness.output().shapes.iter().for_each(|it| each(&it.shape, room, &mut found));
    found
}

fn description(node: &egui_kittest::Node<'_>) -> String {
    node.accesskit_node().data().description().unwrap_or_default().to_owned()
}

/// Opens a window with three scenes, of which the first is in the program.
fn three_scenes(layout: &str) -> Harness<'static, Window> {
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.panels.layout = layout.to_owned();
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), chosen);
    for name in ["Second", "Third"] {
        apply(&mut harness, &Edit::AddScene(name.into()));
    }
    let first = harness.state().demo.snapshot().scenes.collection.scenes[0].id;
    apply(&mut harness, &Edit::RenameScene(first, "First".into()));
    harness.run();
    drop(commands(&mut harness));
    harness
}

#[test]
fn program_and_preview_differ_in_shape_and_words() {
    for layout in ["simple", "studio"] {
        let mut harness = three_scenes(layout);
        harness.state().demo.change(|snapshot| {
            snapshot.scenes.prepared = Some(snapshot.scenes.collection.scenes[1].id);
        });
        harness.run();
        let told = |harness: &Harness<'static, Window>| {
            ["First", "Second", "Third"].map(|name| description(&source(harness, name)))
        };
        assert_eq!(told(&harness), ["In the program", "In the preview", ""], "{layout}");
        let end = |harness: &Harness<'static, Window>, name| {
            let row = source(harness, name).rect();
            shapes(harness, row.with_min_x(row.right() - 30.0))
        };
        let is_circle = |shape: &Shape| matches!(shape, Shape::Circle(_));
        let is_polygon = |shape: &Shape| matches!(shape, Shape::Path(path) if path.closed);
        if layout == "simple" {
            assert!(end(&harness, "First").iter().any(is_circle));
            assert!(!end(&harness, "Second").iter().any(is_circle));
            assert!(end(&harness, "Second").iter().any(is_polygon));
        }
        harness.state().demo.change(|snapshot| snapshot.live = LiveState::OnAir);
        harness.run();
        assert_eq!(told(&harness), ["On air", "In the preview", ""], "{layout}");
        // Outside studio mode, the selected scene is the one in the program.
        harness.state().demo.change(|snapshot| {
            (snapshot.live, snapshot.scenes.prepared) = (LiveState::Idle, None);
        });
        harness.run();
        assert_eq!(told(&harness), ["", "", ""], "{layout}");
    }
}

/// Presses at a place and moves to another, without a release. Returns the lines that appeared.
fn held(harness: &mut Harness<'static, Window>, from: Pos2, to: Pos2) -> Vec<[Pos2; 2]> {
    let lines = |harness: &Harness<'static, Window>| {
        let all = shapes(harness, Rect::EVERYTHING).into_iter();
        let segments = all.filter_map(|shape| match shape {
            Shape::LineSegment { points, .. } => Some(points),
            _ => None,
        });
        segments.collect::<Vec<_>>()
    };
    harness.hover_at(from);
    harness.run();
    let before = lines(harness);
    harness.drag_at(from);
    harness.run();
    for at in [from + (to - from) / 2.0, to] {
        harness.hover_at(at);
        harness.run();
    }
    lines(harness).into_iter().filter(|line| !before.contains(line)).collect()
}

#[test]
fn a_line_shows_where_a_dragged_scene_lands() {
    let mut harness = three_scenes("simple");
    let row = |harness: &Harness<'static, Window>, name| source(harness, name).rect();
    let (first, third) = (row(&harness, "First"), row(&harness, "Third"));
    let lines = held(&mut harness, first.center(), third.center());
    let [line] = lines[..] else { panic!("{lines:?}") };
    assert_eq!((line[0].y, line[1].y), (third.bottom(), third.bottom()));
    assert!(line[0].x <= third.left() && line[1].x >= third.right(), "{line:?} {third:?}");
    harness.drop_at(third.center());
    assert_eq!(commands(&mut harness), [Command::Edit(Edit::MoveScene(SceneId(1), 2))]);
    // Upwards, the line is above the row.
    let lines = held(&mut harness, third.center(), first.center());
    assert!(matches!(lines[..], [line] if line[0].y == first.top()), "{lines:?} {first:?}");
    harness.drop_at(third.center());
    assert_eq!(commands(&mut harness), [], "nothing moves");
}

#[test]
fn a_line_shows_where_a_dragged_source_lands() {
    let mut harness = building::with(&["test", "test"]);
    let row = |harness: &Harness<'static, Window>, name| source(harness, name).rect();
    let (upper, lower) = (row(&harness, "Source 2"), row(&harness, "Source 1"));
    let lines = held(&mut harness, upper.center(), lower.center());
    let [line] = lines[..] else { panic!("{lines:?}") };
    assert!((line[0].y - lower.bottom()).abs() < 1.0, "{line:?} {lower:?}");
    harness.drop_at(lower.center());
    assert!(
        matches!(commands(&mut harness)[..], [Command::Edit(Edit::MoveItem(_, 1))]),
        "the order changes"
    );
}

#[test]
fn the_row_has_the_focus_again_after_it_was_renamed() {
    let mut harness = three_scenes("simple");
    source(&harness, "Second").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    harness.event(egui::Event::Text(" talk".into()));
    harness.run();
    harness.key_press(Key::Enter);
    let sent = commands(&mut harness);
    assert_eq!(sent, [Command::Edit(Edit::RenameScene(SceneId(2), "Second talk".into()))]);
    assert!(source(&harness, "Second").is_focused());
}
