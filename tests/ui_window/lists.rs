//! Tests of the lists of scenes and sources: what a scene is used for, and where a dragged row lands.

use egui::{Pos2, Rect, Shape};
use onair::compose::scene::SceneId;
use onair::media::Size;
use onair::studio::live::view::LiveState;
use onair::studio::scenes::edits::MovedInto;

use super::*;

/// Returns the shapes in a part of the window, as they were drawn last.
pub(super) fn shapes(harness: &Harness<'static, Window>, room: Rect) -> Vec<Shape> {
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
            snapshot.scenes.preview_scene = Some(snapshot.scenes.collection.scenes[1].id);
        });
        harness.run();
        let descriptions = |harness: &Harness<'static, Window>| {
            ["First", "Second", "Third"].map(|name| description(&source(harness, name)))
        };
        assert_eq!(descriptions(&harness), ["In program", "In preview", ""], "{layout}");
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
        assert_eq!(descriptions(&harness), ["On air", "In preview", ""], "{layout}");
        // Outside studio mode, the selected scene is the one in the program.
        harness.state().demo.change(|snapshot| {
            (snapshot.live, snapshot.scenes.preview_scene) = (LiveState::Idle, None);
        });
        harness.run();
        assert_eq!(descriptions(&harness), ["", "", ""], "{layout}");
    }
}

#[test]
fn the_sources_of_a_small_window_are_visible_below_the_scenes() {
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.panels.layout = "studio".to_owned();
    let harness = open_as("idle", Vec2::new(960.0, 600.0), chosen);
    let below = harness.get_by_role_and_label(Role::Tab, "Audio mixer").rect();
    let row = source(&harness, "HD Pro Webcam C920").rect();
    assert!(row.bottom() < below.top(), "{row:?} {below:?}");
}

#[test]
fn many_scenes_leave_room_for_the_sources() {
    let mut harness = open("idle");
    for number in 1..=20 {
        apply(&mut harness, &Edit::AddScene(format!("Extra {number}")));
    }
    let mixer = harness.get_by_label("Add audio…").rect();
    let row = source(&harness, "HD Pro Webcam C920").rect();
    assert!(row.bottom() < mixer.top(), "{row:?} {mixer:?}");
    // The list scrolls to a scene that a hotkey selects.
    let sources = harness.get_by_label("Add a source").rect();
    let last = |harness: &Harness<'static, Window>| source(harness, "Extra 20").rect();
    assert!(last(&harness).top() > sources.top(), "{:?} {sources:?}", last(&harness));
    harness.state().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        collection.current = collection.scenes.last().unwrap().id;
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.run();
    assert!(last(&harness).bottom() <= sources.top() + 1.0, "{:?} {sources:?}", last(&harness));
}

#[test]
fn a_list_scrolls_to_a_scene_that_a_key_moves_out_of_view() {
    let mut harness = open("idle");
    for number in 1..=20 {
        apply(&mut harness, &Edit::AddScene(format!("Extra {number}")));
    }
    source(&harness, "Extra 2").focus();
    harness.run();
    let id = harness.state().demo.snapshot().scenes.collection.scene_named("Extra 2").unwrap().id;
    apply(&mut harness, &Edit::MoveScene(id, 20));
    harness.run();
    let (row, sources) =
        (source(&harness, "Extra 2").rect(), harness.get_by_label("Add a source").rect());
    assert!(row.bottom() <= sources.top() + 1.0, "{row:?} {sources:?}");
}

#[test]
fn many_thumbnails_leave_room_for_the_sources() {
    let mut harness = three_scenes("studio");
    let rect = |harness: &Harness<'static, Window>, name: &str| source(harness, name).rect();
    let size = rect(&harness, "First").size();
    for number in 4..=8 {
        apply(&mut harness, &Edit::AddScene(format!("Scene {number}")));
    }
    harness.run();
    let change = rect(&harness, "First").size() - size;
    assert!(change.length() < 0.5, "the scroll bar changes no size: {change:?}");
    // The last row is in its panel, which ends above the tabs.
    let add = harness.get_by_role_and_label(Role::Button, "Add source…").rect();
    let below = harness.get_by_role_and_label(Role::Tab, "Audio mixer").rect();
    assert!(add.bottom() < below.top(), "{add:?} {below:?}");
    // The arrow keys stay in a column, also where it is scrolled out of view.
    source(&harness, "Second").focus();
    harness.run();
    for name in ["Scene 4", "Scene 6", "Scene 8"] {
        harness.key_press(Key::ArrowDown);
        harness.run();
        assert!(source(&harness, name).is_focused(), "{name}");
    }
}

#[test]
fn alt_with_an_arrow_key_moves_a_thumbnail_in_the_direction_of_the_key() {
    let mut harness = three_scenes("studio");
    for number in 4..=8 {
        apply(&mut harness, &Edit::AddScene(format!("Scene {number}")));
    }
    source(&harness, "Third").focus();
    harness.run();
    drop(commands(&mut harness));
    for (key, to) in
        [(Key::ArrowUp, 0), (Key::ArrowDown, 4), (Key::ArrowRight, 3), (Key::ArrowLeft, 1)]
    {
        harness.key_press_modifiers(Modifiers::ALT, key);
        let wanted = Command::Edit(Edit::MoveScene(SceneId(3), to));
        let sent = commands(&mut harness);
        assert!(sent.contains(&wanted), "{key:?}: {sent:?}");
    }
}

#[test]
fn the_thumbnails_scroll_to_a_scene_that_a_hotkey_selects() {
    let mut harness = three_scenes("studio");
    for number in 4..=8 {
        apply(&mut harness, &Edit::AddScene(format!("Scene {number}")));
    }
    let sources = harness.get_by_label("Add a source").rect();
    let last = |harness: &Harness<'static, Window>| source(harness, "Scene 8").rect();
    assert!(last(&harness).top() > sources.top(), "{:?} {sources:?}", last(&harness));
    harness.state().demo.change(|snapshot| {
        let last = snapshot.scenes.collection.scenes.last().map(|scene| scene.id);
        snapshot.scenes.preview_scene = last;
    });
    harness.run();
    harness.run();
    assert!(last(&harness).bottom() <= sources.top() + 1.0, "{:?} {sources:?}", last(&harness));
}

#[test]
fn the_mark_of_a_small_thumbnail_leaves_room_for_the_name() {
    let mut harness = three_scenes("studio");
    let first = harness.state().demo.snapshot().scenes.collection.scenes[0].id;
    // This name fits, and would not fit beside a mark.
    apply(&mut harness, &Edit::RenameScene(first, "Talk show".into()));
    harness.run();
    let thumbnail = shapes(&harness, source(&harness, "Talk show").rect());
    assert!(thumbnail.iter().any(|shape| matches!(shape, Shape::Circle(_))), "no mark");
    assert!(thumbnail.iter().any(|shape| super::watch::laid(shape, "Talk show")));
}

#[test]
fn in_studio_mode_the_program_is_red_only_on_air() {
    use onair::ui::style::theme::Theme as Colors;

    for layout in ["simple", "studio"] {
        let mut harness = three_scenes(layout);
        harness.state().demo.change(|snapshot| {
            snapshot.scenes.preview_scene = Some(snapshot.scenes.collection.scenes[1].id);
        });
        let red = |harness: &mut Harness<'static, Window>, live| {
            harness.state().demo.change(|snapshot| snapshot.live = live);
            harness.run();
            harness.run();
            let frames =
                shapes(harness, Rect::EVERYTHING).into_iter().filter(|shape| match shape {
                    Shape::Rect(it) => {
                        it.stroke.color == Colors::DARK.live && it.rect.height() > 60.0
                    }
                    _ => false,
                });
            let tags = |shape: &Shape| match shape {
                Shape::Rect(it) => it.fill == Colors::DARK.live_fill && it.rect.top() > 84.0,
                _ => false,
            };
            let tags = shapes(harness, Rect::EVERYTHING).into_iter().filter(tags).count();
            (frames.count(), tags)
        };
        assert_eq!(red(&mut harness, LiveState::Idle), (0, 0), "{layout}");
        let (frames, tags) = red(&mut harness, LiveState::OnAir);
        assert!(frames > 0 && tags > 0, "{layout}: {frames} frames, {tags} tags");
    }
}

#[test]
fn the_name_of_a_source_is_whole_in_a_large_window() {
    for (width, height) in [(1920.0, 1080.0), (3840.0, 2160.0)] {
        let size = Vec2::new(width, height);
        let harness = open_as("idle", size, preferences(Language::English, Theme::Dark));
        let row = source(&harness, "HD Pro Webcam C920").rect();
        let in_panel = shapes(&harness, row.expand2(Vec2::new(60.0, 0.0)));
        assert!(
            in_panel.iter().any(|it| super::watch::laid(it, "HD Pro Webcam C920")),
            "{width} × {height}"
        );
    }
}

#[test]
fn the_eye_and_the_lock_of_a_source_are_always_visible_and_brighter_when_set() {
    use onair::ui::style::theme::Theme as Colors;

    let mut harness = building::with(&["test", "test"]);
    let is_drawn = |harness: &Harness<'static, Window>, button: &str, color: egui::Color32| {
        let icon = shapes(harness, harness.get_by_label(button).rect());
        icon.iter().any(|shape| match shape {
            Shape::Circle(it) => it.stroke.color == color,
            Shape::Rect(it) => it.stroke.color == color,
            _ => false,
        })
    };
    let (usual, set) = (Colors::DARK.secondary, Colors::DARK.text);
    for button in ["Hide Source 1", "Lock Source 1", "Hide Source 2", "Lock Source 2"] {
        assert!(is_drawn(&harness, button, usual), "{button}");
    }
    building::make(
        &mut harness,
        &[Edit::LockItem(ItemId(2), true), Edit::HideItem(ItemId(2), true)],
    );
    assert!(is_drawn(&harness, "Show Source 1", set));
    assert!(is_drawn(&harness, "Unlock Source 1", set));
    assert!(is_drawn(&harness, "Hide Source 2", usual));
    source(&harness, "Source 2").focus();
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    assert!(harness.get_by_label("Hide Source 2").is_focused());
}

/// Returns the lines in the window.
fn lines(harness: &Harness<'static, Window>) -> Vec<[Pos2; 2]> {
    let all = shapes(harness, Rect::EVERYTHING).into_iter();
    let segments = all.filter_map(|shape| match shape {
        Shape::LineSegment { points, .. } => Some(points),
        _ => None,
    });
    segments.collect()
}

/// Presses at a place and moves to another, without a release. Returns the lines that appeared.
fn held(harness: &mut Harness<'static, Window>, from: Pos2, to: Pos2) -> Vec<[Pos2; 2]> {
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
    // The list ends at the row, and the line is in the list.
    assert!((line[0].y - third.bottom()).abs() <= 1.0, "{line:?} {third:?}");
    assert_eq!(line[0].y, line[1].y);
    assert!(line[0].x <= third.left() && line[1].x >= third.right(), "{line:?} {third:?}");
    harness.drop_at(third.center());
    assert_eq!(commands(&mut harness), [Command::Edit(Edit::MoveScene(SceneId(1), 2))]);
    // Upwards, the line is above the row.
    let lines = held(&mut harness, third.center(), first.center());
    assert!(
        matches!(lines[..], [line] if (line[0].y - first.top()).abs() <= 1.0),
        "{lines:?} {first:?}"
    );
    harness.drop_at(third.center());
    assert_eq!(commands(&mut harness), [], "nothing moves");
}

#[test]
fn a_scene_that_is_dragged_out_of_the_list_lands_at_a_visible_place() {
    let mut harness = open("idle");
    for number in 1..=20 {
        apply(&mut harness, &Edit::AddScene(format!("Extra {number}")));
    }
    let below = harness.get_by_label("Add a source").rect();
    let row = source(&harness, "Extra 1").rect();
    let from = row.center();
    harness.hover_at(from);
    harness.run();
    let before = lines(&harness);
    harness.drag_at(from);
    harness.run();
    // The list scrolls, but not to its end in one frame.
    harness.hover_at(Pos2::new(from.x, below.bottom()));
    harness.step();
    let is_wide = |line: &[Pos2; 2]| line[1].x - line[0].x >= row.width();
    let new = lines(&harness).into_iter().filter(|line| is_wide(line) && !before.contains(line));
    let new: Vec<_> = new.collect();
    assert!(matches!(new[..], [line] if line[0].y <= below.top()), "{new:?} {below:?}");
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
fn a_list_scrolls_while_a_row_is_dragged_to_its_edge() {
    let mut harness = building::with(&["test"; 14]);
    let add = |harness: &Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::Button, "Add source…").rect()
    };
    let mixer = harness.get_by_label("Add audio…").rect();
    assert!(add(&harness).bottom() > mixer.top(), "the list is longer than its panel");
    let from = source(&harness, "Source 14").rect().center();
    drop(held(&mut harness, from, Pos2::new(from.x, mixer.top())));
    assert!(add(&harness).bottom() < mixer.top(), "{:?} {mixer:?}", add(&harness));
    // And back.
    harness.hover_at(Pos2::new(from.x, from.y - 30.0));
    harness.run();
    let top = source(&harness, "Source 14").rect().center();
    assert!((top - from).length() < 1.0, "{top:?} {from:?}");
}

#[test]
fn the_sources_of_each_scene_keep_their_scroll_position() {
    let mut harness = building::with(&["test"; 14]);
    apply(&mut harness, &Edit::AddScene("Empty".into()));
    let show = |harness: &mut Harness<'static, Window>, index: usize| {
        harness.state().demo.change(|snapshot| {
            let mut collection = (*snapshot.scenes.collection).clone();
            collection.current = collection.scenes[index].id;
            snapshot.scenes.collection = std::sync::Arc::new(collection);
        });
        harness.run();
        harness.run();
    };
    show(&mut harness, 0);
    let row = |harness: &Harness<'static, Window>| source(harness, "Source 12").rect();
    let before = row(&harness);
    super::canvas::wheel(&mut harness, before.center(), Vec2::new(0.0, -60.0), Modifiers::NONE);
    let scrolled = row(&harness);
    assert!(scrolled.top() < before.top() - 10.0, "{scrolled:?} {before:?}");
    show(&mut harness, 1);
    show(&mut harness, 0);
    let top = row(&harness).top();
    assert!((top - scrolled.top()).abs() < 1.0, "{top} {scrolled:?}");
}

/// Opens a window with the rows Source 3, the group with Source 2 and Source 1, and the main source.
/// Also returns the ids of the group, and of Source 3 and Source 1.
fn with_group() -> (Harness<'static, Window>, [ItemId; 3]) {
    let mut harness = building::with(&["test", "test", "test"]);
    let ids = |harness: &Harness<'static, Window>| {
        let items = harness.state().demo.snapshot().scenes.collection.scenes[0].items.clone();
        items.iter().map(|item| item.id).collect::<Vec<_>>()
    };
    let [_, one, two, three] = ids(&harness)[..] else { panic!() };
    building::make(&mut harness, &[Edit::Group(vec![one, two])]);
    let group = ids(&harness)[1];
    (harness, [group, three, one])
}

fn moved(
    harness: &Harness<'static, Window>,
    item: ItemId,
    group: Option<ItemId>,
    to: usize,
) -> Command {
    let canvas: Size = harness.state().demo.snapshot().quality.size;
    Command::Edit(Edit::MoveInto(MovedInto { item, group, to, canvas }))
}

#[test]
fn a_source_is_dragged_into_a_group_and_out() {
    let (mut harness, [group, three, one]) = with_group();
    let row = |harness: &Harness<'static, Window>, name| source(harness, name).rect();
    let (upper, whole) = (row(&harness, "Source 3"), row(&harness, "Group"));
    let member = row(&harness, "Source 2");
    // Onto the row of the group: the line is below it, and indented like a member.
    let lines = held(&mut harness, upper.center(), whole.center());
    let [line] = lines[..] else { panic!("{lines:?}") };
    assert!((line[0].y - whole.bottom()).abs() < 1.0, "{line:?} {whole:?}");
    assert!(line[0].x > whole.left() + 6.0, "{line:?} {whole:?}");
    harness.drop_at(whole.center());
    let wanted = moved(&harness, three, Some(group), 2);
    assert_eq!(commands(&mut harness), [wanted]);
    // Between its members.
    drop(held(&mut harness, upper.center(), member.center()));
    harness.drop_at(member.center());
    let wanted = moved(&harness, three, Some(group), 1);
    assert_eq!(commands(&mut harness), [wanted]);
    // Out of the group: to the left of the lowest member.
    let lowest = row(&harness, "Source 1");
    let left = lowest.center() - egui::vec2(20.0, 0.0);
    let lines = held(&mut harness, lowest.center(), left);
    assert!(matches!(lines[..], [line] if (line[0].x - lowest.left()).abs() < 1.0), "{lines:?}");
    harness.drop_at(left);
    let wanted = moved(&harness, one, None, 1);
    assert_eq!(commands(&mut harness), [wanted]);
}

#[test]
fn a_source_goes_into_a_group_and_out_by_keyboard_and_menu() {
    let (mut harness, [group, three, one]) = with_group();
    let (into, out) = (moved(&harness, three, Some(group), 2), moved(&harness, one, None, 2));
    for (name, key, wanted) in
        [("Source 3", Key::ArrowRight, &into), ("Source 1", Key::ArrowLeft, &out)]
    {
        source(&harness, name).click();
        harness.run();
        harness.key_press_modifiers(Modifiers::ALT, key);
        assert_eq!(commands(&mut harness), std::slice::from_ref(wanted), "{name}");
    }
    for (name, line, wanted) in
        [("Source 3", "Move into Group", into), ("Source 1", "Move out of the group", out)]
    {
        assert_eq!(building::by_submenu(&mut harness, name, "Order", line), [wanted], "{name}");
    }
}

#[test]
fn the_next_scene_has_the_focus_after_a_removal() {
    for layout in ["simple", "studio"] {
        let mut harness = three_scenes(layout);
        source(&harness, "Second").focus();
        harness.run();
        for (id, next) in [(SceneId(2), "Third"), (SceneId(3), "First")] {
            harness.key_press(Key::Delete);
            let removed = Edit::RemoveScene(id);
            let sent = commands(&mut harness);
            assert!(sent.contains(&Command::Edit(removed.clone())), "{layout}: {sent:?}");
            apply(&mut harness, &removed);
            assert!(source(&harness, next).is_focused(), "{layout}: {next}");
        }
    }
}

#[test]
fn the_row_has_the_focus_again_after_it_was_renamed() {
    let mut harness = three_scenes("simple");
    source(&harness, "Second").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    harness.event(egui::Event::Text("Second talk".into()));
    harness.run();
    harness.key_press(Key::Enter);
    let sent = commands(&mut harness);
    assert_eq!(sent, [Command::Edit(Edit::RenameScene(SceneId(2), "Second talk".into()))]);
    assert!(source(&harness, "Second").is_focused());
}
