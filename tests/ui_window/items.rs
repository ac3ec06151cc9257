//! Tests of editing scene items by their menu and in the inspector.

use onair::capture::text::Content;
use onair::compose::scene::{Blend, Crop, Fit};
use onair::studio::settings::hotkeys::ChosenHotkey;

use super::building::*;
use super::*;

#[test]
fn what_each_pair_of_speakers_plays_is_chosen_from_the_list() {
    let mut harness = with(&[]);
    click(&mut harness, "Add audio…");
    assert!(harness.query_by_label("System audio: HDMI Audio").is_none(), "it is the only one");
    harness.state().demo.change(|snapshot| {
        let other = onair::studio::snapshot::Device {
            id: "usb".into(),
            name: "Headset".into(),
            default: false,
        };
        snapshot.speakers.push(other);
    });
    harness.run();
    for (name, id) in [("System audio: HDMI Audio", "hdmi"), ("System audio: Headset", "usb")] {
        if harness.query_by_label(name).is_none() {
            click(&mut harness, "Add audio…");
        }
        harness.get_by_label(name).click_accesskit();
        let chosen = AudioChoice::System(Some(id.into()));
        assert_eq!(commands(&mut harness), [Command::AddStrip(chosen)]);
        harness.run();
    }
}

#[test]
fn items_are_placed_ordered_and_grouped_by_their_menu() {
    let mut harness = with(&["test", "clock"]);
    let before = scene::Placement {
        x: 0.1,
        y: 0.2,
        width: 0.5,
        height: 0.4,
        rotation: 300.0,
        ..Default::default()
    };
    make(&mut harness, &[Edit::SetPlace(ITEM, before)]);
    let whole =
        scene::Placement { x: 0.0, y: 0.0, width: 1.0, height: 1.0, rotation: 0.0, ..before };
    let placed = |place| Edit::SetPlace(ITEM, place);
    for (line, wanted) in [
        ("Fit to canvas", placed(scene::Placement { fit: Fit::Contain, ..whole })),
        ("Fill canvas", placed(scene::Placement { fit: Fit::Cover, ..whole })),
        ("Stretch to canvas", placed(scene::Placement { fit: Fit::Stretch, ..whole })),
        ("Center", placed(scene::Placement { x: 0.25, y: 0.3, ..before })),
        ("Flip horizontally", placed(scene::Placement { flip_x: true, ..before })),
        ("Flip vertically", placed(scene::Placement { flip_y: true, ..before })),
        ("Rotate 90°", placed(scene::Placement { rotation: 30.0, ..before })),
        ("Reset", placed(scene::Placement::default())),
    ] {
        let sent = by_submenu(&mut harness, "Source 1", "Transform", line);
        assert_eq!(edit(&sent), wanted, "{line}");
    }
    for (line, to) in [("Move up", 2), ("Move down", 0), ("Move to top", 2), ("Move to bottom", 0)]
    {
        let sent = by_submenu(&mut harness, "Source 1", "Order", line);
        assert_eq!(edit(&sent), Edit::MoveItem(ITEM, to), "{line}");
    }
    for (line, wanted) in [
        ("Duplicate", Edit::DuplicateItem(ITEM)),
        ("Duplicate as new source", Edit::DuplicateSource(ITEM)),
        ("Group with item below", Edit::Group(vec![ITEM, ItemId(1)])),
        ("Remove", Edit::RemoveItem(ITEM)),
    ] {
        assert_eq!(edit(&by_menu(&mut harness, "Source 1", line)), wanted, "{line}");
    }
    // The item gets its original size, and its center stays.
    let sent = by_submenu(&mut harness, "Source 1", "Transform", "Original size");
    let Edit::SetPlace(_, now) = edit(&sent) else { panic!("{sent:?}") };
    let middle = |it: &scene::Placement| (it.x + it.width / 2.0, it.y + it.height / 2.0);
    assert!((middle(&now).0 - middle(&before).0).abs() < 1e-6, "{now:?}");
    assert_eq!((now.width, now.height), (1.0, 1.0), "the program's size, as nothing is known yet");
    // The buttons and keys of the row work too.
    assert_eq!(edit(&click(&mut harness, "Lock Source 1")), Edit::LockItem(ITEM, true));
    assert_eq!(edit(&click(&mut harness, "Hide Source 1")), Edit::HideItem(ITEM, true));
    for (key, to) in [(Key::ArrowUp, 2), (Key::ArrowDown, 0)] {
        source(&harness, "Source 1").click();
        harness.run();
        harness.key_press_modifiers(Modifiers::ALT, key);
        assert_eq!(edit(&commands(&mut harness)), Edit::MoveItem(ITEM, to));
    }
    // A locked item cannot be moved. A group can be ungrouped.
    make(&mut harness, &[Edit::LockItem(ITEM, true)]);
    assert_eq!(by_submenu(&mut harness, "Source 1", "Transform", "Reset"), []);
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(edit(&click(&mut harness, "Unlock Source 1")), Edit::LockItem(ITEM, false));
    make(&mut harness, &[Edit::Group(vec![ITEM, ItemId(3)])]);
    let group = ItemId(4);
    let Edit::Ungroup(dissolved, size) = edit(&by_menu(&mut harness, "Group", "Ungroup")) else {
        panic!()
    };
    assert!(dissolved == group && size.pixels() > 0, "on the program as it is");
}

#[test]
fn the_selection_changes_no_item_however_thin_it_is() {
    let mut harness = with(&["test"]);
    // These numbers have more digits than their fields show.
    let crop = Crop { left: 0.07, ..Crop::default() };
    let thin = scene::Placement {
        width: 0.5,
        height: 0.001,
        fit: Fit::Stretch,
        crop,
        ..scene::Placement::default()
    };
    make(&mut harness, &[Edit::SetPlace(ITEM, thin)]);
    source(&harness, "Source 1").click();
    assert_eq!(commands(&mut harness), []);
    harness.get_by_role_and_label(Role::SpinButton, "Height");
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn a_new_group_is_selected() {
    let mut harness = with(&["test", "clock"]);
    let grouped = edit(&by_menu(&mut harness, "Source 1", "Group with item below"));
    make(&mut harness, &[grouped]);
    harness.get_by_label_contains("move the selected source Group");
}

#[test]
fn a_menu_shows_the_hotkey_of_a_command_or_why_it_is_impossible() {
    let hotkey = ChosenHotkey("Ctrl+F2".parse().ok());
    for locked in [false, true] {
        let mut chosen = preferences(Language::English, Theme::Dark);
        chosen.hotkeys.keys.insert("item-fit".to_owned(), hotkey);
        let mut harness = open_as("media", Vec2::new(1280.0, 720.0), chosen);
        if locked {
            make(&mut harness, &[Edit::LockItem(ItemId(3), true)]);
        }
        source(&harness, "Opening").click_secondary();
        harness.run();
        open_submenu(&mut harness, "Transform");
        let fit = harness.get_by_role_and_label(Role::MenuItemRadio, "Fit to canvas");
        let fit = fit.accesskit_node();
        assert_eq!(fit.data().keyboard_shortcut(), Some("Ctrl+F2"));
        let mut shapes = harness.output().shapes.iter();
        assert!(shapes.any(|it| super::watch::laid(&it.shape, "Ctrl+F2")));
        let why = locked.then_some("Locked items cannot be moved. Unlock them first.");
        assert_eq!((fit.is_disabled(), fit.data().description()), (locked, why));
    }
}

#[test]
fn several_items_are_placed_together_by_their_menu() {
    let mut harness = open("media");
    source(&harness, "Opening").click();
    harness.run();
    harness.get_by_label("Album").click_modifiers(Modifiers::COMMAND);
    harness.run();
    let sent = by_submenu(&mut harness, "Opening", "Transform", "Fill canvas");
    let Edit::Several(edits) = edit(&sent) else { panic!("{sent:?}") };
    let filled = scene::Placement { fit: Fit::Cover, ..scene::Placement::default() };
    assert_eq!(edits, [3, 2].map(|id| Edit::SetPlace(ItemId(id), filled)));
}

/// Presses a key several times.
fn press_keys(harness: &mut Harness<'static, Window>, key: Key, times: usize) {
    for _ in 0..times {
        harness.key_press(key);
        harness.run();
    }
}

#[test]
fn the_menu_of_an_item_fits_a_small_window() {
    let size = Vec2::new(960.0, 600.0);
    let mut harness = open_as("idle", size, preferences(Language::English, Theme::Dark));
    let name = "Source 1".to_owned();
    make(&mut harness, &[Edit::AddSource { scene: SCENE, name, choice: VideoChoice::Test }]);
    source(&harness, "Source 1").click_secondary();
    harness.run();
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
    for (role, name) in [
        (Role::MenuItemRadio, "Inspector…"),
        (Role::MenuItemRadio, "Remove"),
        (Role::MenuItem, "Transform"),
        (Role::MenuItem, "Align"),
        (Role::MenuItem, "Order"),
        (Role::MenuItemRadio, "Group with item below"),
        (Role::MenuItem, "Projector"),
    ] {
        let rect = harness.get_by_role_and_label(role, name).rect();
        assert!(window.contains_rect(rect), "{name}: {rect:?}");
        let seen = harness.output().shapes.iter().any(|it| {
            super::watch::laid(&it.shape, name)
                && it.clip_rect.contains_rect(it.shape.visual_bounding_rect())
        });
        assert!(seen, "{name} is scrolled out of view");
    }
    for line in ["Rotate 90°", "Align left", "Move up", "Source 1 in a window"] {
        assert!(harness.query_by_role_and_label(Role::MenuItemRadio, line).is_none(), "{line}");
    }
}

#[test]
fn the_submenus_of_an_item_are_used_by_keyboard() {
    let mut harness = with(&["test"]);
    let has_focus = |harness: &Harness<'static, Window>, role, name: &str| {
        harness.get_by_role_and_label(role, name).is_focused()
    };
    let fit = (Role::MenuItemRadio, "Fit to canvas");
    // From the list, and from the canvas, where the arrow keys otherwise move the item.
    for from_canvas in [false, true] {
        source(&harness, "Source 1").click();
        harness.run();
        if from_canvas {
            harness.get_by_label_contains("move the selected source Source 1").focus();
            harness.run();
        }
        // The pointer must not be over the menu.
        harness.hover_at(egui::pos2(640.0, 20.0));
        harness.run();
        harness.key_press(Key::Menu);
        harness.run();
        press_keys(&mut harness, Key::ArrowDown, 5);
        assert!(has_focus(&harness, Role::MenuItem, "Transform"), "canvas: {from_canvas}");
        press_keys(&mut harness, Key::ArrowRight, 1);
        assert!(has_focus(&harness, fit.0, fit.1), "canvas: {from_canvas}");
        press_keys(&mut harness, Key::ArrowLeft, 1);
        assert!(has_focus(&harness, Role::MenuItem, "Transform"), "canvas: {from_canvas}");
        press_keys(&mut harness, Key::Enter, 1);
        assert!(has_focus(&harness, fit.0, fit.1), "canvas: {from_canvas}");
        press_keys(&mut harness, Key::ArrowDown, 1);
        assert_eq!(commands(&mut harness), [], "canvas: {from_canvas}");
        harness.key_press(Key::Enter);
        let place = scene::Placement { fit: Fit::Cover, ..scene::Placement::default() };
        assert_eq!(edit(&commands(&mut harness)), Edit::SetPlace(ITEM, place));
        harness.run();
        assert!(harness.query_by_role(Role::MenuItem).is_none(), "the menu has closed");
    }
}

#[test]
fn renaming_an_item_renames_the_source_that_is_shown_once() {
    let mut harness = with(&["test"]);
    by_menu(&mut harness, "Source 1", "Rename");
    let named = edit(&type_and_enter(&mut harness, "Source 1st"));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Source 1st".into()));
    make(&mut harness, &[named, Edit::ShowSource { scene: SCENE, source: SOURCE }]);
    // Both rows have the same name. The upper one is the copy.
    harness.get_all_by_role_and_label(Role::RadioButton, "Source 1st").next().unwrap().focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    let named = edit(&type_and_enter(&mut harness, "Source 1st, small"));
    assert_eq!(named, Edit::RenameItem(ItemId(3), "Source 1st, small".into()));
}

#[test]
fn the_settings_of_an_item_set_its_place_and_look() {
    let mut harness = with(&["test"]);
    assert_eq!(by_menu(&mut harness, "Source 1", "Inspector…"), []);
    // The inspector has one entry in the menu, and the most used entries are at its beginning.
    source(&harness, "Source 1").click_secondary();
    harness.run();
    let top = |(role, name): (Role, &str)| harness.get_by_role_and_label(role, name).rect().top();
    let lines = ["Inspector…", "Filters…", "Rename", "Remove"].map(|it| (Role::MenuItemRadio, it));
    let order = [&lines[..], &[(Role::MenuItem, "Transform"), (Role::MenuItem, "Align")]].concat();
    assert!(order.windows(2).all(|pair| top(pair[0]) < top(pair[1])));
    for name in ["Settings…", "Properties…"] {
        assert!(harness.query_by_role_and_label(Role::MenuItemRadio, name).is_none());
    }
    harness.key_press(Key::Escape);
    harness.run();
    // Words before the numbers of the crop: a letter could also mean the rotation.
    for word in ["Left", "Right", "Top", "Bottom"] {
        let mut shapes = harness.output().shapes.iter();
        assert!(shapes.any(|it| super::watch::laid(&it.shape, word)), "{word}");
    }
    let whole = scene::Placement::default();
    for (name, value, wanted) in [
        ("Left", 128.0, scene::Placement { x: 0.1, ..whole }),
        ("Top", -72.0, scene::Placement { y: -0.1, ..whole }),
        // The frame keeps its aspect ratio.
        ("Width", 640.0, scene::Placement { width: 0.5, height: 0.5, ..whole }),
        ("Height", 180.0, scene::Placement { width: 0.25, height: 0.25, ..whole }),
        ("Rotation", 45.0, scene::Placement { rotation: 45.0, ..whole }),
        ("Crop left", 10.0, scene::Placement { crop: Crop { left: 0.1, ..whole.crop }, ..whole }),
        ("Crop top", 20.0, scene::Placement { crop: Crop { top: 0.2, ..whole.crop }, ..whole }),
        ("Crop right", 30.0, scene::Placement { crop: Crop { right: 0.3, ..whole.crop }, ..whole }),
        (
            "Crop bottom",
            40.0,
            scene::Placement { crop: Crop { bottom: 0.4, ..whole.crop }, ..whole },
        ),
    ] {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        assert_eq!(edit(&commands(&mut harness)), Edit::SetPlace(ITEM, wanted), "{name}");
    }
    let cover = Edit::SetPlace(ITEM, scene::Placement { fit: Fit::Cover, ..whole });
    for (list, line, wanted) in [
        ("Fit", "Fill and crop", cover),
        ("Blend mode", "Multiply", Edit::SetBlend(ITEM, Blend::Multiply)),
    ] {
        harness.get_by_role_and_label(Role::ComboBox, list).focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, line).click();
        assert_eq!(edit(&commands(&mut harness)), wanted);
    }
    harness.get_by_role_and_label(Role::Slider, "Opacity").set_value_accesskit(0.5);
    assert_eq!(edit(&commands(&mut harness)), Edit::SetOpacity(ITEM, 0.5));
    // The field accepts sources in the words of the command line. Few users know these words.
    assert!(harness.query_by_role_and_label(Role::TextInput, "Content").is_none());
    harness.get_by_role_and_label(Role::Button, "Advanced").click_accesskit();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Content").focus();
    harness.run();
    harness.event(egui::Event::Text("ing".into()));
    harness.run();
    harness.key_press(Key::Tab);
    assert_eq!(commands(&mut harness), [], "there is nothing of that name");
    harness.get_by_role_and_label(Role::TextInput, "Content").focus();
    harness.run();
    for _ in 0.."testing".len() {
        harness.key_press(Key::Backspace);
        harness.run();
    }
    harness.event(egui::Event::Text("clock".into()));
    harness.run();
    let clock = VideoChoice::Text(Content::Clock(String::new()));
    harness.key_press(Key::Enter);
    assert_eq!(edit(&commands(&mut harness)), Edit::SetSource(SOURCE, clock));
}
