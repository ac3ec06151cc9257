//! Tests of scene items that are selected together, dragged, resized and snapped on the canvas.

use super::*;

#[test]
fn several_sources_are_selected_and_changed_as_one() {
    let mut harness = open("media");
    let several = |commands: Vec<Command>| match commands.as_slice() {
        [Command::Edit(Edit::Several(edits))] => edits.clone(),
        other => panic!("{other:?}"),
    };
    source(&harness, "Opening").click();
    harness.run();
    // A single item is aligned with the program.
    source(&harness, "Opening").click_secondary();
    harness.run();
    super::building::open_submenu(&mut harness, "Align");
    harness.get_by_label("Align left").click_accesskit();
    match several(commands(&mut harness)).as_slice() {
        [Edit::SetPlace(_, place)] => assert!(place.x.abs() < 1e-6, "{place:?}"),
        other => panic!("{other:?}"),
    }
    harness.get_by_label("Album").click_modifiers(Modifiers::COMMAND);
    harness.run();
    harness.get_by_label("Canvas: use the arrow keys to move the 2 selected sources");
    let hidden = several(click(&mut harness, "Hide Opening"));
    let both = [ItemId(2), ItemId(3)];
    assert!(both.iter().all(|id| hidden.contains(&Edit::HideItem(*id, true))), "{hidden:?}");
    // The canvas moves the selected items by keyboard.
    let canvas = "Canvas: use the arrow keys to move the 2 selected sources";
    harness.get_by_label(canvas).focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    let moved = several(commands(&mut harness));
    assert_eq!(moved.len(), 2, "{moved:?}");
    let x = |edit: &Edit| match edit {
        Edit::SetPlace(_, place) => place.x,
        other => panic!("{other:?}"),
    };
    let sum: f64 = moved.iter().map(x).sum();
    assert!((sum - 0.6 - 4.0 / 1_280.0).abs() < 1e-9, "{sum}");
    // The context menu applies to all selected items.
    harness.get_by_label("Album").click_secondary();
    harness.run();
    // The pointer opens the submenu.
    harness.get_by_role_and_label(Role::MenuItem, "Align").hover();
    harness.run();
    let aligned = several(click(&mut harness, "Align left"));
    assert!(aligned.iter().all(|edit| (x(edit) - 0.05).abs() < 1e-6), "{aligned:?}");
    harness.get_by_label("Album").click_secondary();
    harness.run();
    let grouped = click(&mut harness, "Group");
    assert!(matches!(&grouped[..], [Command::Edit(Edit::Group(ids))] if ids.len() == 2));
    harness.get_by_label("Canvas: click a source to select it");
    // Selects all items, and then all rows between two.
    harness.get_by_label("Canvas: click a source to select it").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_label("Canvas: use the arrow keys to move the 3 selected sources");
    source(&harness, "Opening").click();
    harness.run();
    harness.get_by_label("Album").click_modifiers(Modifiers::SHIFT);
    harness.run();
    harness.key_press(Key::Delete);
    assert_eq!(several(commands(&mut harness)).len(), 2);
}

#[test]
fn a_secondary_click_in_the_list_selects_the_source_unless_it_is_selected() {
    for (first, canvas) in [
        (None, "Canvas: use the arrow keys to move the selected source Opening"),
        (Some("Album"), "Canvas: use the arrow keys to move the selected source Opening"),
        (Some("Opening"), "Canvas: use the arrow keys to move the 2 selected sources"),
    ] {
        let mut harness = open("media");
        if let Some(name) = first {
            source(&harness, name).click();
            harness.run();
        }
        if first == Some("Opening") {
            source(&harness, "Album").click_modifiers(Modifiers::COMMAND);
            harness.run();
        }
        source(&harness, "Opening").click_secondary();
        harness.run();
        harness.get_by_label(canvas);
    }
}

#[test]
fn items_that_are_selected_in_another_scene_are_neither_shown_nor_counted() {
    use super::building::{by_menu, make, with};
    let mut harness = with(&["test", "clock"]);
    let next = scene::SceneId(2);
    let add = |name: &str| {
        let choice = "clock".parse().unwrap();
        Edit::AddSource { scene: next, name: name.into(), choice }
    };
    make(&mut harness, &[Edit::AddScene("Next".into()), add("Slides"), add("Time")]);
    by_menu(&mut harness, "Source 1", "Inspector…");
    source(&harness, "Source 2").click_modifiers(Modifiers::COMMAND);
    harness.run();
    harness.get_by_label("Properties of Source 2");
    harness.get_by_label_contains("Another source is selected too.");
    // A hotkey switches to another scene.
    harness.state().demo.change(|snapshot| {
        std::sync::Arc::make_mut(&mut snapshot.scenes.collection).current = next;
    });
    harness.run();
    harness.get_by_label("Nothing selected");
    harness.get_by_label("Canvas: click a source to select it");
    source(&harness, "Slides").click_modifiers(Modifiers::COMMAND);
    harness.run();
    harness.get_by_label("Properties of Slides");
    assert!(harness.query_by_label_contains("are selected").is_none());
    harness.get_by_label("Canvas: use the arrow keys to move the selected source Slides");
}

#[test]
fn several_are_resized_together_by_the_frame_around_them() {
    let mut harness = open("media");
    source(&harness, "Opening").click();
    harness.run();
    harness.get_by_label("Album").click_modifiers(Modifiers::COMMAND);
    harness.run();
    let canvas = "Canvas: use the arrow keys to move the 2 selected sources";
    let canvas = harness.get_by_label(canvas).rect();
    let snapshot = harness.state().demo.snapshot();
    let collection = &snapshot.scenes.collection;
    let places = [2, 3].map(|id| collection.item(ItemId(id)).unwrap().place);
    // The sources fill the boxes of their items.
    let right = places.iter().map(|it| it.x + it.width).fold(0.0, f64::max);
    let bottom = places.iter().map(|it| it.y + it.height).fold(0.0, f64::max);
    drag(&mut harness, canvas, [(right, bottom), (right - 0.05, bottom - 0.05)]);
    let sent = commands(&mut harness);
    let Some(Command::Edit(Edit::Several(edits))) = sent.last() else { panic!("{sent:?}") };
    let left = places.iter().map(|it| it.x).fold(1.0, f64::min);
    let mut shares = Vec::new();
    for edit in edits {
        let Edit::SetPlace(id, now) = edit else { panic!("{edit:?}") };
        let before = collection.item(*id).unwrap().place;
        shares.push(now.width / before.width);
        let moved = (now.x - left) / (before.x - left).max(1e-9);
        assert!(before.x - left < 1e-6 || (moved - shares[0]).abs() < 1e-6, "{edit:?}");
    }
    assert!(shares.len() == 2 && (shares[0] - shares[1]).abs() < 1e-6, "{shares:?}");
    assert!((0.8..1.0).contains(&shares[0]), "{shares:?}");
}

/// Drags on the canvas, between two points in fractions of its size.
fn drag(harness: &mut Harness<'static, Window>, canvas: egui::Rect, way: [(f64, f64); 2]) {
    let at = |(x, y): (f64, f64)| {
        canvas.min + Vec2::new(canvas.width() * x as f32, canvas.height() * y as f32)
    };
    let [from, to] = way;
    let button = |pressed, at| egui::Event::PointerButton {
        pos: at,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    harness.event(egui::Event::PointerMoved(at(from)));
    harness.run();
    harness.event(button(true, at(from)));
    harness.run();
    // A drag begins with a small movement, so it needs two steps.
    let middle = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0);
    for place in [middle, to] {
        harness.event(egui::Event::PointerMoved(at(place)));
        harness.run();
    }
    harness.event(button(false, at(to)));
    harness.run();
}

#[test]
fn a_member_of_a_group_is_moved_within_it() {
    let mut harness = open("media");
    // The two items are in a group that fills the lower right quarter and is rotated by 180°.
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        let both = vec![ItemId(2), ItemId(3)];
        assert!(collection.apply(&Edit::Group(both)));
        let items = &collection.scene(collection.current).unwrap().items;
        let group = items.iter().find(|item| !item.members().is_empty()).unwrap().id;
        let whole = scene::Placement::default();
        let turned =
            scene::Placement { x: 0.5, y: 0.5, width: 0.5, height: 0.5, rotation: 180.0, ..whole };
        assert!(collection.apply(&Edit::SetPlace(group, turned)));
        let small = scene::Placement { x: 0.4, y: 0.4, width: 0.2, height: 0.2, ..whole };
        assert!(collection.apply(&Edit::SetPlace(ItemId(2), small)));
        let other = scene::Placement { x: 0.0, y: 0.0, width: 0.1, height: 0.1, ..whole };
        assert!(collection.apply(&Edit::SetPlace(ItemId(3), other)));
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    source(&harness, "Opening").click();
    harness.run();
    let name = "Canvas: use the arrow keys to move the selected source Opening";
    let canvas = harness.get_by_label(name).rect();
    commands(&mut harness);
    // The centers of item and group coincide. Because of the rotation, up and left become down and
    // right.
    drag(&mut harness, canvas, [(0.75, 0.75), (0.63, 0.7)]);
    let sent = commands(&mut harness);
    let Some(Command::Edit(Edit::SetPlace(ItemId(2), now))) = sent.last() else {
        panic!("{sent:?}")
    };
    assert!((now.x - 0.64).abs() < 0.01 && (now.y - 0.5).abs() < 0.01, "{now:?}");
    // A drag that begins on the other member of the group moves that member.
    drag(&mut harness, canvas, [(0.98, 0.98), (0.9, 0.98)]);
    let sent = commands(&mut harness);
    let moved = |command: &Command| matches!(command, Command::Edit(Edit::SetPlace(ItemId(3), _)));
    assert!(sent.iter().any(moved), "{sent:?}");
    // A drag that begins outside the group moves the item below it.
    drag(&mut harness, canvas, [(0.2, 0.2), (0.3, 0.3)]);
    let sent = commands(&mut harness);
    let moved = |command: &Command| matches!(command, Command::Edit(Edit::SetPlace(ItemId(1), _)));
    assert!(sent.iter().any(moved), "{sent:?}");
}

#[test]
fn a_frame_around_several_selects_them() {
    let mut harness = open("media");
    let canvas = harness.get_by_label("Canvas: click a source to select it").rect();
    let at = |x: f32, y: f32| canvas.min + Vec2::new(canvas.width() * x, canvas.height() * y);
    // With Shift, because the main source lies below everything.
    harness.event(egui::Event::PointerMoved(at(0.02, 0.25)));
    harness.run();
    let button = |pressed, pos| egui::Event::PointerButton {
        pos,
        button: egui::PointerButton::Primary,
        pressed,
        modifiers: Modifiers::SHIFT,
    };
    harness.event(egui::Event::ModifiersChanged(Modifiers::SHIFT));
    harness.event(button(true, at(0.02, 0.25)));
    harness.run();
    harness.event(egui::Event::PointerMoved(at(0.4, 0.8)));
    harness.run();
    harness.event(egui::Event::PointerMoved(at(0.97, 0.8)));
    harness.run();
    harness.event(button(false, at(0.97, 0.8)));
    harness.run();
    harness.get_by_label("Canvas: use the arrow keys to move the 3 selected sources");
}

#[test]
fn what_is_dragged_snaps_on_the_preview_as_on_the_program() {
    for studio_mode in [false, true] {
        let mut harness = open("media");
        // A second scene with one small item is in the program or in the preview.
        harness.state_mut().demo.change(|snapshot| {
            let mut collection = (*snapshot.scenes.collection).clone();
            assert!(collection.apply(&Edit::AddScene("Next".into())));
            let scene = collection.scenes.last().unwrap().id;
            assert!(collection.apply(&Edit::ShowSource { scene, source: SourceId(1) }));
            let item = collection.scene(scene).unwrap().items[0].id;
            let fit = scene::Fit::Stretch;
            let small = scene::Placement {
                x: 0.1,
                y: 0.1,
                width: 0.2,
                height: 0.2,
                fit,
                ..Default::default()
            };
            assert!(collection.apply(&Edit::SetPlace(item, small)));
            if studio_mode {
                snapshot.scenes.preview_scene = Some(scene);
            } else {
                collection.current = scene;
            }
            snapshot.scenes.collection = std::sync::Arc::new(collection);
        });
        harness.run();
        harness.run();
        let canvas = "Canvas: click a source to select it";
        let canvas = harness.get_by_label(canvas).rect();
        let stage = harness.ctx.content_rect().width();
        assert_eq!(canvas.width() < stage / 3.0, studio_mode, "{canvas:?}: beside the program");
        let placed = |harness: &mut Harness<'static, Window>| match commands(harness).last() {
            Some(Command::Edit(Edit::SetPlace(_, now))) => *now,
            other => panic!("{other:?}"),
        };
        commands(&mut harness);
        // Close to the left edge and to the vertical center.
        drag(&mut harness, canvas, [(0.2, 0.2), (0.2 - 0.094, 0.2 + 0.306)]);
        let now = placed(&mut harness);
        let (middle, case) = (now.y + now.height / 2.0, format!("studio {studio_mode}: {now:?}"));
        assert!(now.x.abs() < 1e-6 && (middle - 0.5).abs() < 1e-6, "{case}");
        // Close to the lower right corner.
        drag(&mut harness, canvas, [(0.2, 0.2), (0.906, 0.894)]);
        let now = placed(&mut harness);
        assert!((now.x - 0.8).abs() < 1e-6 && (now.y - 0.8).abs() < 1e-6, "{now:?}");
        // Far from every edge, the item stays where it is dropped.
        drag(&mut harness, canvas, [(0.2, 0.2), (0.4, 0.3)]);
        let now = placed(&mut harness);
        assert!((now.x - 0.3).abs() < 0.01 && (now.y - 0.2).abs() < 0.01, "{now:?}");
    }
}
