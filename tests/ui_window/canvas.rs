//! Tests of the canvas view: zoom and pan by keyboard, mouse wheel and drag, cropping with Alt, and
//! safe areas.

use egui::{PointerButton, Pos2, Rect};

use super::*;

const CANVAS: &str = "Canvas: click a source to select it";

/// Opens a window whose scene has one item in the center, half as wide and half as high as the
/// program.
fn one_item() -> Harness<'static, Window> {
    let mut harness = open("media");
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        assert!(collection.apply(&Edit::AddScene("Next".into())));
        let scene = collection.scenes.last().unwrap().id;
        assert!(collection.apply(&Edit::ShowSource { scene, source: SourceId(1) }));
        let item = collection.scene(scene).unwrap().items[0].id;
        let place = scene::Placement {
            x: 0.25,
            y: 0.25,
            width: 0.5,
            height: 0.5,
            fit: scene::Fit::Stretch,
            ..Default::default()
        };
        assert!(collection.apply(&Edit::SetPlace(item, place)));
        collection.current = scene;
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.run();
    harness
}

fn canvas(harness: &Harness<'static, Window>) -> Rect {
    harness.get_by_role(Role::Canvas).rect()
}

/// Presses a button, moves the pointer in two steps, and releases the button.
fn drag(
    harness: &mut Harness<'static, Window>,
    button: PointerButton,
    modifiers: Modifiers,
    [from, to]: [Pos2; 2],
) {
    let press = |pressed, pos| egui::Event::PointerButton { pos, button, pressed, modifiers };
    // The modifiers are held until the end.
    harness.event(egui::Event::ModifiersChanged(modifiers));
    harness.event(egui::Event::PointerMoved(from));
    harness.run();
    harness.event(press(true, from));
    harness.run();
    for at in [from + (to - from) / 2.0, to] {
        harness.event(egui::Event::PointerMoved(at));
        harness.run();
    }
    harness.event(press(false, to));
    harness.run();
    harness.event(egui::Event::ModifiersChanged(Modifiers::NONE));
    harness.run();
}

pub(super) fn wheel(
    harness: &mut Harness<'static, Window>,
    at: Pos2,
    delta: Vec2,
    modifiers: Modifiers,
) {
    harness.hover_at(at);
    harness.run();
    let (unit, phase) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move);
    let source = egui::MouseWheelSource::Wheel;
    let event = egui::Event::MouseWheel { unit, delta, phase, modifiers, source };
    harness.event_modifiers(event, modifiers);
    harness.run_steps(40);
}

/// Returns the last position of the item that was sent.
fn placed(harness: &mut Harness<'static, Window>) -> Option<scene::Placement> {
    commands(harness).into_iter().rev().find_map(|command| match command {
        Command::Edit(Edit::SetPlace(_, now)) => Some(now),
        _ => None,
    })
}

pub(super) fn readout(harness: &Harness<'static, Window>) -> Option<String> {
    shown(harness).into_iter().find(|name| name.starts_with("Zoom ") && name.contains('%'))
}

#[test]
fn the_canvas_is_enlarged_by_commands_and_fits_again_by_a_click_on_its_readout() {
    let mut harness = open("media");
    assert_eq!(readout(&harness), None, "it fits");
    harness.key_press_modifiers(Modifiers::ALT, Key::Z);
    harness.run();
    let name = "Zoom 100\u{a0}%. Click to show the whole canvas.";
    harness.get_by_label(name);
    harness.key_press_modifiers(Modifiers::ALT, Key::Equals);
    harness.run();
    harness.get_by_label("Zoom 150\u{a0}%. Click to show the whole canvas.");
    harness.key_press_modifiers(Modifiers::ALT, Key::Minus);
    harness.run();
    harness.get_by_label(name).click();
    harness.run();
    assert_eq!(readout(&harness), None);
    harness.key_press_modifiers(Modifiers::ALT, Key::Equals);
    harness.run();
    assert!(readout(&harness).is_some());
    harness.key_press_modifiers(Modifiers::ALT, Key::Num0);
    harness.run();
    assert_eq!(readout(&harness), None);
    assert_eq!(commands(&mut harness), [], "nothing of the program changes");
    // The canvas menu changes the zoom too.
    harness.get_by_label(CANVAS).focus();
    harness.run();
    let empty = canvas(&harness);
    assert!(empty.width() > 100.0);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    harness.step();
    harness.step();
    harness.get_by_label("Zoom to 100\u{a0}%").click_accesskit();
    harness.run();
    harness.get_by_label(name);
}

#[test]
fn handles_and_snapping_work_where_the_canvas_is_enlarged() {
    let mut harness = one_item();
    harness.key_press_modifiers(Modifiers::ALT, Key::Z);
    harness.run();
    let middle = canvas(&harness).center();
    commands(&mut harness);
    // At 100 %, a point is a pixel of the program: 40 of 1280, and 20 of 720.
    let to = middle + Vec2::new(40.0, 20.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::COMMAND, [middle, to]);
    let now = placed(&mut harness).expect("it moves");
    let off = (now.x - 0.25 - 40.0 / 1280.0, now.y - 0.25 - 20.0 / 720.0);
    assert!(off.0.abs() < 1e-3 && off.1.abs() < 1e-3, "{now:?}");
    // At 100 %, six points are six pixels, which is close enough to snap to the center. In the
    // fitted canvas, they would be three times as many.
    let to = middle + Vec2::new(6.0, -120.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [middle, to]);
    let now = placed(&mut harness).expect("it moves");
    assert!((now.x - 0.25).abs() < 1e-6 && now.y < 0.1, "{now:?}: it snaps to the middle");
    // Twelve pixels are too far away to snap.
    let to = middle + Vec2::new(12.0, -120.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [middle, to]);
    let now = placed(&mut harness).expect("it moves");
    assert!((now.x - 0.25 - 12.0 / 1280.0).abs() < 1e-3, "{now:?}");
}

#[test]
fn the_wheel_enlarges_around_the_pointer_and_moves_what_is_enlarged() {
    let mut harness = one_item();
    let fitted = canvas(&harness);
    // The wheel alone moves nothing while the whole canvas is visible.
    wheel(&mut harness, fitted.center(), Vec2::new(0.0, 60.0), Modifiers::NONE);
    assert_eq!((readout(&harness), canvas(&harness)), (None, fitted));
    // Zooming at the upper left corner of the item: the corner stays under the pointer, and its
    // handle still works.
    let corner = fitted.min + fitted.size() * 0.25;
    wheel(&mut harness, corner, Vec2::new(0.0, 120.0), Modifiers::COMMAND);
    assert!(readout(&harness).is_some());
    let inside = corner + Vec2::splat(30.0);
    harness.hover_at(inside);
    harness.event(egui::Event::PointerButton {
        pos: inside,
        button: PointerButton::Primary,
        pressed: true,
        modifiers: Modifiers::NONE,
    });
    harness.run();
    harness.event(egui::Event::PointerButton {
        pos: inside,
        button: PointerButton::Primary,
        pressed: false,
        modifiers: Modifiers::NONE,
    });
    harness.run();
    assert!(shown(&harness).iter().any(|name| name.starts_with("Canvas: use ")), "it is selected");
    commands(&mut harness);
    let to = corner + Vec2::new(-20.0, -20.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::SHIFT, [corner, to]);
    let now = placed(&mut harness).expect("its corner is dragged");
    assert!(now.x < 0.25 && now.width > 0.5 && now.y < 0.25, "{now:?}");
    // The wheel now moves the canvas, and the corner with it.
    wheel(&mut harness, fitted.center(), Vec2::new(0.0, -50.0), Modifiers::NONE);
    let moved = corner - Vec2::new(0.0, 50.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::SHIFT, [moved, moved + Vec2::splat(9.0)]);
    let now = placed(&mut harness).expect("its corner is dragged where it is now");
    assert!(now.x > 0.25 && now.width < 0.5, "{now:?}");
}

#[test]
fn the_middle_button_and_the_space_bar_move_the_canvas_and_nothing_on_it() {
    let mut harness = one_item();
    harness.key_press_modifiers(Modifiers::ALT, Key::Z);
    harness.run();
    let middle = canvas(&harness).center();
    commands(&mut harness);
    let by = Vec2::new(50.0, 30.0);
    drag(&mut harness, PointerButton::Middle, Modifiers::NONE, [middle, middle + by]);
    harness.key_down(Key::Space);
    harness.run();
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [middle, middle + by]);
    harness.key_up(Key::Space);
    harness.run();
    assert_eq!(commands(&mut harness), [], "no item moves");
    assert!(shown(&harness).iter().any(|name| name == CANVAS), "none is selected");
    // The upper left corner of the item has moved twice with the canvas.
    let corner = middle - Vec2::new(320.0, 180.0) + by * 2.0;
    let inside = corner + Vec2::splat(40.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::COMMAND, [inside, inside + by]);
    assert!(placed(&mut harness).is_some(), "it lies where the canvas was moved to");
    let beside = corner - Vec2::splat(12.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [beside, beside - by / 4.0]);
    assert_eq!(placed(&mut harness), None);
}

#[test]
fn a_space_bar_that_is_the_push_to_talk_key_does_not_move_the_canvas() {
    let mut harness = one_item();
    harness.state_mut().demo.change(|snapshot| {
        snapshot.strips = Demo::new("mixer").snapshot().strips;
        snapshot.strips[0].audio.talk = TalkMode::PushToTalk;
    });
    harness.key_press_modifiers(Modifiers::ALT, Key::Z);
    harness.run();
    let middle = canvas(&harness).center();
    harness.key_down(Key::Space);
    harness.run();
    commands(&mut harness);
    let to = middle + Vec2::new(40.0, 20.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [middle, to]);
    assert!(placed(&mut harness).is_some(), "who talks goes on working");
    harness.key_up(Key::Space);
    harness.run();
}

#[test]
fn alt_with_a_handle_crops() {
    let mut harness = one_item();
    source_row(&mut harness);
    let fitted = canvas(&harness);
    commands(&mut harness);
    // Drags the middle of the left edge to the right, by a tenth of the program.
    let left = fitted.min + fitted.size() * Vec2::new(0.25, 0.5);
    let to = left + Vec2::new(fitted.width() * 0.1, 0.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::ALT, [left, to]);
    let now = placed(&mut harness).expect("it is cropped");
    assert!((now.crop.left - 0.2).abs() < 0.02, "{now:?}");
    assert!((now.x - 0.35).abs() < 0.01 && (now.width - 0.4).abs() < 0.01, "{now:?}");
    // Without Alt, the item becomes narrower, and nothing is cropped.
    drag(&mut harness, PointerButton::Primary, Modifiers::NONE, [left, to]);
    let now = placed(&mut harness).expect("it is made narrower");
    assert!(now.crop.left == 0.0 && (now.width - 0.4).abs() < 0.01, "{now:?}");
}

#[test]
fn a_drag_on_the_canvas_gives_it_the_keyboard() {
    let mut harness = one_item();
    source_row(&mut harness);
    assert!(!harness.get_by_role(Role::Canvas).is_focused());
    let middle = canvas(&harness).center();
    let to = middle + Vec2::new(40.0, 20.0);
    drag(&mut harness, PointerButton::Primary, Modifiers::COMMAND, [middle, to]);
    assert!(harness.get_by_role(Role::Canvas).is_focused(), "Ctrl+Z undoes the drag");
}

/// Selects the only item by its row.
fn source_row(harness: &mut Harness<'static, Window>) {
    let snapshot = harness.state().demo.snapshot();
    let name = snapshot.scenes.collection.sources[0].name.clone();
    source(harness, &name).click();
    harness.run();
    harness.run();
}

/// Returns the widths of the frames that are drawn around the center of the canvas, in percent of
/// its width.
fn frames(harness: &Harness<'static, Window>) -> Vec<f32> {
    let canvas = canvas(harness);
    let mut parts = Vec::new();
    for shape in &harness.output().shapes {
        if let egui::Shape::Rect(rect) = &shape.shape
            && (rect.rect.center() - canvas.center()).length() < 1.0
            && rect.fill == egui::Color32::TRANSPARENT
        {
            parts.push((rect.rect.width() / canvas.width() * 100.0).round());
        }
    }
    parts.dedup();
    parts
}

#[test]
fn safe_areas_are_a_choice_that_is_kept() {
    let mut harness = open("media");
    let safe = |harness: &Harness<'static, Window>| {
        let frames = frames(harness);
        frames.contains(&93.0) && frames.contains(&90.0)
    };
    assert!(!safe(&harness));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text("safe areas".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    assert!(safe(&harness), "{:?}", frames(&harness));
    assert!(harness.state().screen.as_ref().unwrap().preferences().safe_areas);
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
}
