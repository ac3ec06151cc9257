//! Tests of building scenes: adding scene items, and editing scenes and scene items.

use super::*;
use onair::capture::text::Content;
use onair::capture::{Area, ScreenInfo, WindowInfo};
use onair::compose::scene::{Blend, Crop, Fit, SceneId};
use onair::compose::transition::Side;
use onair::media::Size;
use onair::studio::Collection;
use onair::ui::view::file_request::FileRequest;

pub(super) const SCENE: SceneId = SceneId(1);
/// The item under test, between two other items, and its source.
pub(super) const ITEM: ItemId = ItemId(2);
pub(super) const SOURCE: SourceId = SourceId(1);

/// Opens a window whose scene has these sources above the main source, named by number.
pub(super) fn with(choices: &[&str]) -> Harness<'static, Window> {
    let mut harness = open("idle");
    let edits = choices.iter().zip(1..).map(|(choice, number)| Edit::AddSource {
        scene: SCENE,
        name: format!("Source {number}"),
        choice: choice.parse().unwrap(),
    });
    let edits: Vec<Edit> = edits.collect();
    make(&mut harness, &edits);
    harness
}

/// Applies these edits to the simulated studio.
pub(super) fn make(harness: &mut Harness<'static, Window>, edits: &[Edit]) {
    harness.state().demo.change(|snapshot| {
        let mut collection = Collection::clone(&snapshot.scenes.collection);
        for edit in edits {
            assert!(collection.apply(edit), "{edit:?}");
        }
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.run();
}

/// Returns the edit, which must be the only command.
pub(super) fn edit(commands: &[Command]) -> Edit {
    match commands {
        [Command::Edit(edit)] => edit.clone(),
        other => panic!("{other:?}"),
    }
}

/// Clicks an entry in the context menu of the source with this name, even if it is scrolled out of
/// view.
pub(super) fn by_menu(
    harness: &mut Harness<'static, Window>,
    name: &str,
    line: &str,
) -> Vec<Command> {
    source(harness, name).click_secondary();
    harness.run();
    press(harness, line)
}

/// Clicks an entry of a list or menu.
pub(super) fn press(harness: &mut Harness<'static, Window>, line: &str) -> Vec<Command> {
    harness.get_by_role_and_label(Role::MenuItemRadio, line).click_accesskit();
    let mut sent = commands(harness);
    // Each list of devices searches for devices when it opens.
    sent.retain(|command| *command != Command::RefreshDevices);
    sent
}

/// Opens *Add source* and clicks these cards or rows in order.
pub(super) fn add(harness: &mut Harness<'static, Window>, lines: &[&str]) -> Vec<Command> {
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    let mut sent = Vec::new();
    for line in lines {
        assert_eq!(sent, []);
        // Lists of devices have rows. The panel behind the dialog may contain a source with the
        // same name.
        let card = harness.query_by_role_and_label(Role::Button, line);
        match card {
            Some(card) => card.click_accesskit(),
            None => {
                let rows = harness.get_all_by_role_and_label(Role::RadioButton, line);
                rows.last().unwrap().click_accesskit();
            }
        }
        sent = commands(harness);
        sent.retain(|command| *command != Command::RefreshDevices);
        harness.run();
    }
    sent
}

/// Returns the name and content of the new source, and whether it covers less than half of the
/// program.
fn placed(edit: Edit) -> (String, String, bool) {
    match edit {
        Edit::PlaceSource { scene: SCENE, name, choice, place } => {
            (name, choice.to_string(), place.width * place.height < 0.5)
        }
        other => panic!("{other:?}"),
    }
}

pub(super) fn type_and_enter(harness: &mut Harness<'static, Window>, text: &str) -> Vec<Command> {
    harness.event(egui::Event::Text(text.into()));
    harness.run();
    harness.key_press(Key::Enter);
    commands(harness)
}

#[test]
fn scenes_are_added_named_ordered_doubled_and_removed() {
    let mut harness = with(&[]);
    let added = edit(&click(&mut harness, "Add a scene"));
    assert_eq!(added, Edit::AddScene("Scene".into()));
    // The new scene is shown, and its name can be edited. Typed text replaces the whole name.
    make(&mut harness, &[added]);
    let id = SceneId(2);
    assert_eq!(commands(&mut harness), [Command::SwitchScene(id)]);
    let named = edit(&type_and_enter(&mut harness, "Talk"));
    assert_eq!(named, Edit::RenameScene(id, "Talk".into()));
    make(&mut harness, &[Edit::AddScene("Last".into())]);
    for (line, wanted) in [
        ("Duplicate", Edit::DuplicateScene(id)),
        ("Move up", Edit::MoveScene(id, 0)),
        ("Move down", Edit::MoveScene(id, 2)),
        ("Remove", Edit::RemoveScene(id)),
    ] {
        assert_eq!(edit(&by_menu(&mut harness, "Scene", line)), wanted, "{line}");
    }
    // The last scene cannot move down.
    assert_eq!(by_menu(&mut harness, "Last", "Move down"), []);
    assert_eq!(by_menu(&mut harness, "Scene", "Rename"), []);
    let named = edit(&type_and_enter(&mut harness, " two"));
    assert_eq!(named, Edit::RenameScene(id, "Scene two".into()));
    // The name can also be changed by keyboard.
    harness.get_by_role_and_label(Role::RadioButton, "Last").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    let named = edit(&type_and_enter(&mut harness, " of all"));
    assert_eq!(named, Edit::RenameScene(SceneId(3), "Last of all".into()));
    harness.get_by_role_and_label(Role::RadioButton, "Last").focus();
    harness.run();
    harness.key_press(Key::Delete);
    assert_eq!(edit(&commands(&mut harness)), Edit::RemoveScene(SceneId(3)));
    // Scenes are imported from and exported to files.
    for (line, wish) in [
        ("Import scenes…", WindowRequest::PickScenes),
        ("Export scenes…", WindowRequest::SaveScenes),
    ] {
        by_menu(&mut harness, "Scene", line);
        assert_eq!(harness.state().wishes.last(), Some(&wish), "{line}");
    }
}

#[test]
fn scenes_are_switched_at_once_or_prepared_first() {
    let mut harness = with(&[]);
    make(&mut harness, &[Edit::AddScene("Talk".into())]);
    let talk = SceneId(2);
    assert_eq!(click(&mut harness, "Talk"), [Command::SwitchScene(talk)]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    let prepared = press(&mut harness, "Studio mode");
    assert_eq!(prepared, [Command::PrepareScene(Some(SCENE))]);
    harness.state().demo.change(|snapshot| snapshot.scenes.prepared = Some(SCENE));
    harness.run();
    harness.run();
    assert_eq!(click(&mut harness, "Talk"), [Command::PrepareScene(Some(talk))]);
    assert_eq!(click(&mut harness, "Take"), [Command::Transition]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    assert_eq!(commands(&mut harness), [Command::Transition]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    let over = press(&mut harness, "Studio mode");
    assert_eq!(over, [Command::PrepareScene(None)]);
}

#[test]
fn in_studio_mode_one_button_takes_and_those_below_it_choose_how() {
    let mut harness = with(&[]);
    make(&mut harness, &[Edit::AddScene("Talk".into())]);
    harness.state().demo.change(|snapshot| snapshot.scenes.prepared = Some(SceneId(2)));
    harness.run();
    harness.run();
    // The list of scenes has no second button that takes.
    let takes = |harness: &Harness<'static, Window>| {
        harness
            .query_all_by_role(Role::Button)
            .filter(|it| {
                let name = it.accesskit_node().label().unwrap_or_default();
                ["Take", "Transition"].contains(&&*name)
            })
            .count()
    };
    assert_eq!(takes(&harness), 1);
    let take = harness.get_by_role_and_label(Role::Button, "Take").rect();
    let heading = harness.get_by_role_and_label(Role::Label, "Transition").rect();
    let fade = harness.get_by_role_and_label(Role::Button, "Fade").rect();
    assert!(take.bottom() <= heading.top() && heading.bottom() <= fade.top());
    // Choosing a transition changes nothing for viewers.
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_some());
    let cuts = edit(&click(&mut harness, "Cut"));
    assert!(matches!(&cuts, Edit::SetTransition(it) if it.kind == Kind::Cut), "{cuts:?}");
    make(&mut harness, &[cuts]);
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_none(), "a cut takes no time");
    // A type without a button of its own has one while it is in use.
    assert!(harness.query_by_label("Fade to color").is_none());
    let color = Transition { kind: Kind::FadeColor([0; 3]), ..Transition::default() };
    make(&mut harness, &[Edit::SetTransition(color)]);
    harness.get_by_role_and_label(Role::Button, "Fade to color");
    assert_eq!(click(&mut harness, "Take"), [Command::Transition]);
}

#[test]
fn the_take_column_shows_and_changes_the_transition_that_take_uses() {
    let mut harness = with(&[]);
    let slide = Transition { kind: Kind::Slide(Side::Left), duration: Duration::from_millis(700) };
    let talk = SceneId(2);
    make(
        &mut harness,
        &[Edit::AddScene("Talk".into()), Edit::SetSceneTransition(talk, Some(slide.clone()))],
    );
    harness.state().demo.change(|snapshot| snapshot.scenes.prepared = Some(talk));
    harness.run();
    harness.run();
    // The default transition is a fade of 300 ms. *Take* uses the one that belongs to the scene.
    assert!(harness.query_by_label("of this scene").is_some());
    harness.get_by_role_and_label(Role::Button, "Slide");
    assert!(harness.query_by_label_contains("700\u{a0}ms").is_some());
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_none());
    // Choosing another one changes this scene only, and *Take* uses it.
    let fades = edit(&click(&mut harness, "Fade"));
    let fade = Transition { kind: Kind::Fade, ..slide };
    assert_eq!(fades, Edit::SetSceneTransition(talk, Some(fade.clone())));
    make(&mut harness, &[fades]);
    let used = |harness: &Harness<'static, Window>| {
        let collection = harness.state().demo.snapshot().scenes.collection;
        collection.transition_to(talk).clone()
    };
    assert_eq!(used(&harness), fade);
    // The options are those of the scene, where the user can return to the default transition.
    click(&mut harness, "Transition: 700\u{a0}ms. Change type and duration…");
    harness.get_by_label("Transition to “Talk”");
    let own = "Use a separate transition";
    harness.get_by_role_and_label(Role::CheckBox, own).click();
    let default = edit(&commands(&mut harness));
    assert_eq!(default, Edit::SetSceneTransition(talk, None));
    make(&mut harness, &[default]);
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    assert!(harness.query_by_label("of this scene").is_none());
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_some());
    assert!(matches!(edit(&click(&mut harness, "Cut")), Edit::SetTransition(_)));
}

#[test]
fn every_kind_of_source_is_added_without_typing_its_words() {
    let mut harness = with(&[]);
    let choice = |text: &str| text.parse::<VideoChoice>().unwrap();
    let graded = choice("color:#1e2430,#3b5b8c");
    let camera = placed(edit(&add(&mut harness, &["Camera", "HD Pro Webcam C920"])));
    assert_eq!(camera, ("HD Pro Webcam C920".into(), "camera:c920".into(), true));
    for (line, wanted) in [
        ("Test pattern", VideoChoice::Test),
        ("Text", choice("text:Your text")),
        ("Clock", choice("clock")),
        ("Countdown", choice("countdown:300")),
        ("Stopwatch", choice("stopwatch")),
        ("Color", choice("color:#1e2430")),
        ("Gradient", graded),
        ("Media source: stream", choice("stream:rtmp://127.0.0.1/live/onair")),
    ] {
        let added = placed(edit(&add(&mut harness, &[line])));
        assert_eq!(added, (line.to_owned(), wanted.to_string(), true));
    }
    for (line, pick, found) in [
        ("Image…", FileRequest::Image, choice("image:/a/b.png")),
        ("Folder slide show…", FileRequest::Slides, choice("slides:/a/b.png")),
        ("Image slide show…", FileRequest::Slide, choice("slides:/a/b.png")),
        ("Media source: file…", FileRequest::Video, choice("file:/a/b.png")),
        ("Text from a file…", FileRequest::Text, choice("text-file:/a/b.png")),
    ] {
        add(&mut harness, &[line]);
        assert_eq!(harness.state().wishes.last(), Some(&WindowRequest::PickSource(pick, SCENE)));
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.picked_source(pick, SCENE, "/a/b.png".into());
        let added = placed(edit(&commands(&mut harness)));
        assert_eq!(added, ("b".into(), found.to_string(), true));
    }
}

#[test]
fn all_kinds_of_sources_are_visible_at_once() {
    let mut harness = with(&[]);
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.run();
    for name in ["Camera", "Gradient", "Existing source"] {
        let mut shapes = harness.output().shapes.iter();
        let card = shapes.find(|it| super::watch::laid(&it.shape, name)).expect(name);
        let seen = card.clip_rect.contains_rect(card.shape.visual_bounding_rect());
        assert!(seen, "{name} is cut off: {:?}", card.clip_rect);
    }
}

pub(super) fn displays(harness: &mut Harness<'static, Window>) {
    let screen = |id: &str, x, primary| ScreenInfo {
        id: id.into(),
        name: if id == "all" { "All displays".into() } else { id.into() },
        area: Area::new(x, 0, 1920, 1080),
        primary,
    };
    let window = |number: usize| WindowInfo {
        id: format!("Editor/file {number}"),
        name: format!("file {number}"),
        class: "Editor".into(),
        number: format!("{number:#x}"),
        size: Size::new(800, 600),
        shown: true,
    };
    harness.state().demo.change(|snapshot| {
        let both =
            [screen("DP-1", 0, true), screen("HDMI-1", 1920, false), screen("all", 0, false)];
        snapshot.screens = both.into();
        snapshot.windows = (0..40).map(window).collect();
    });
    harness.run();
}

#[test]
fn screens_windows_and_what_there_is_already_are_chosen_from_lists() {
    let mut harness = with(&[]);
    displays(&mut harness);
    let chosen = |sent: &[Command]| placed(edit(sent)).1;
    for (lines, wanted) in [
        (["Display capture", "HDMI-1"], "screen:HDMI-1"),
        (["Display capture", "All displays"], "screen:all"),
        (["Window capture", "file 0"], "window:Editor/file 0"),
        (["Window capture", "file 39"], "window:Editor/file 39"),
    ] {
        assert_eq!(chosen(&add(&mut harness, &lines)), wanted);
    }
    // *Back* returns to all kinds of sources.
    let lines = ["Window capture", "‹ Back", "Test pattern"];
    assert_eq!(chosen(&add(&mut harness, &lines)), "test");
    // The list works with many entries.
    let more: Vec<Edit> = (1..=30)
        .map(|number| Edit::AddSource {
            scene: SCENE,
            name: format!("Logo {number}"),
            choice: VideoChoice::Test,
        })
        .chain((1..=30).map(|number| Edit::AddScene(format!("Part {number}"))))
        .collect();
    make(&mut harness, &more);
    for (line, wanted) in [
        ("Logo 30", Edit::ShowSource { scene: SCENE, source: SourceId(30) }),
        ("Scene Part 30", Edit::ShowScene { scene: SCENE, shown: SceneId(31) }),
    ] {
        assert_eq!(edit(&add(&mut harness, &["Existing source", line])), wanted);
    }
}

#[test]
fn a_source_is_found_by_what_is_typed() {
    let mut harness = with(&[]);
    displays(&mut harness);
    for (typed, wanted) in
        [("count", "countdown:300"), ("file 39", "window:Editor/file 39"), ("c920", "camera:c920")]
    {
        harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
        harness.run();
        let mut sent = type_and_enter(&mut harness, typed);
        sent.retain(|command| *command != Command::RefreshDevices);
        assert_eq!(placed(edit(&sent)).1, wanted, "{typed}");
        harness.run();
        harness.key_press(Key::Escape);
        harness.run();
    }
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    type_and_enter(&mut harness, "no such thing");
    harness.get_by_label("Nothing found.");
}

#[test]
fn a_new_source_is_selected_and_its_menu_opens_by_key() {
    let mut harness = with(&[]);
    let added = edit(&add(&mut harness, &["Test pattern"]));
    make(&mut harness, &[added]);
    harness.get_by_label_contains("Test pattern selected");
    for shift in [false, true] {
        source(&harness, "Test pattern").focus();
        harness.run();
        match shift {
            true => harness.key_press_modifiers(Modifiers::SHIFT, Key::F10),
            false => harness.key_press(Key::Menu),
        }
        harness.run();
        assert_eq!(edit(&press(&mut harness, "Remove")), Edit::RemoveItem(ITEM));
        harness.run();
    }
    harness.get_by_role_and_label(Role::RadioButton, "Main").focus();
    harness.run();
    harness.key_press(Key::Menu);
    harness.run();
    assert_eq!(edit(&press(&mut harness, "Duplicate")), Edit::DuplicateScene(SCENE));
}

#[test]
fn what_is_copied_in_one_scene_is_pasted_in_another() {
    let mut harness = with(&["test"]);
    make(&mut harness, &[Edit::AddScene("Second".into())]);
    source(&harness, "Source 1").focus();
    harness.run();
    harness.event(egui::Event::Copy);
    assert_eq!(commands(&mut harness), []);
    harness.state().demo.change(|snapshot| {
        let mut collection = Collection::clone(&snapshot.scenes.collection);
        collection.current = SceneId(2);
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.run();
    let pasted = edit(&by_menu(&mut harness, "Second", "Paste"));
    let Edit::Paste(scene, copied) = &pasted else { panic!("{pasted:?}") };
    assert_eq!((*scene, copied.items.len(), copied.sources.len()), (SceneId(2), 1, 1));
    make(&mut harness, &[pasted]);
    harness.get_by_label("Properties of Source 1");
    // Keyboard shortcuts paste only while the desktop clipboard contains the copied source.
    source(&harness, "Source 1").focus();
    harness.run();
    harness.event(egui::Event::Paste("something else".into()));
    assert_eq!(commands(&mut harness), []);
    harness.event(egui::Event::Paste("Source 1".into()));
    assert!(matches!(edit(&commands(&mut harness)), Edit::Paste(SceneId(2), _)));
    harness.event(egui::Event::Cut);
    assert!(matches!(edit(&commands(&mut harness)), Edit::RemoveItem(_)));
}

#[test]
fn what_each_pair_of_speakers_plays_is_chosen_from_the_list() {
    let mut harness = with(&[]);
    click(&mut harness, "Add audio…");
    assert!(harness.query_by_label("System audio of HDMI Audio").is_none(), "it is the only one");
    harness.state().demo.change(|snapshot| {
        let other = onair::studio::snapshot::Device {
            id: "usb".into(),
            name: "Headset".into(),
            default: false,
        };
        snapshot.speakers.push(other);
    });
    harness.run();
    for (name, id) in [("System audio of HDMI Audio", "hdmi"), ("System audio of Headset", "usb")] {
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
        ("Move up", Edit::MoveItem(ITEM, 2)),
        ("Move down", Edit::MoveItem(ITEM, 0)),
        ("Duplicate", Edit::DuplicateItem(ITEM)),
        ("Duplicate as new source", Edit::DuplicateSource(ITEM)),
        ("Group with item below", Edit::Group(vec![ITEM, ItemId(1)])),
        ("Remove", Edit::RemoveItem(ITEM)),
    ] {
        assert_eq!(edit(&by_menu(&mut harness, "Source 1", line)), wanted, "{line}");
    }
    // The item gets its original size, and its center stays.
    let Edit::SetPlace(_, now) = edit(&by_menu(&mut harness, "Source 1", "Original size")) else {
        panic!()
    };
    let middle = |it: &scene::Placement| (it.x + it.width / 2.0, it.y + it.height / 2.0);
    assert!((middle(&now).0 - middle(&before).0).abs() < 1e-6, "{now:?}");
    assert_eq!((now.width, now.height), (1.0, 1.0), "the program's size, as nothing is known yet");
    // The buttons and keys of the row work too.
    assert_eq!(edit(&click(&mut harness, "Lock Source 1")), Edit::LockItem(ITEM, true));
    assert_eq!(edit(&click(&mut harness, "Hide Source 1")), Edit::HideItem(ITEM, true));
    for (key, to) in [(Key::ArrowUp, 2), (Key::ArrowDown, 0)] {
        source(&harness, "Source 1").focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::ALT, key);
        assert_eq!(edit(&commands(&mut harness)), Edit::MoveItem(ITEM, to));
    }
    // A locked item cannot be moved. A group can be ungrouped.
    make(&mut harness, &[Edit::LockItem(ITEM, true)]);
    assert_eq!(by_menu(&mut harness, "Source 1", "Reset"), []);
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
fn renaming_an_item_renames_the_source_that_is_shown_once() {
    let mut harness = with(&["test"]);
    by_menu(&mut harness, "Source 1", "Rename");
    let named = edit(&type_and_enter(&mut harness, "st"));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Source 1st".into()));
    make(&mut harness, &[named, Edit::ShowSource { scene: SCENE, source: SOURCE }]);
    // Both rows have the same name. The upper one is the copy.
    harness.get_all_by_role_and_label(Role::RadioButton, "Source 1st").next().unwrap().focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    let named = edit(&type_and_enter(&mut harness, ", small"));
    assert_eq!(named, Edit::RenameItem(ItemId(3), "Source 1st, small".into()));
}

#[test]
fn the_settings_of_an_item_set_its_place_and_look() {
    let mut harness = with(&["test"]);
    assert_eq!(by_menu(&mut harness, "Source 1", "Settings…"), []);
    let whole = scene::Placement::default();
    for (name, value, wanted) in [
        ("Left", 128.0, scene::Placement { x: 0.1, ..whole }),
        ("Top", -72.0, scene::Placement { y: -0.1, ..whole }),
        ("Width", 640.0, scene::Placement { width: 0.5, ..whole }),
        ("Height", 180.0, scene::Placement { height: 0.25, ..whole }),
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
    // The field accepts sources in the words of the command line.
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

#[derive(Debug)]
struct DroppedImage(std::path::PathBuf);

impl egui::DroppedFile for DroppedImage {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not needed".to_owned())
    }
}

#[test]
fn files_beyond_the_limit_are_told_when_they_are_dropped() {
    let mut harness = open("idle");
    let mut drop_files = |count: usize| {
        let files = (0..count).map(|it| DroppedImage(format!("/pictures/{it}.png").into()));
        let files = files.map(|it| std::sync::Arc::new(it) as egui::DroppedFileHandle);
        harness.input_mut().dropped_files = files.collect();
        harness.run();
        commands(&mut harness)
    };
    let added = |command: &Command| match command {
        Command::Edit(Edit::Several(edits)) => edits.len(),
        other => panic!("{other:?}"),
    };
    let sent = drop_files(16);
    assert_eq!((sent.len(), added(&sent[0])), (1, 16));
    let sent = drop_files(19);
    assert_eq!(sent[0], Command::TooManyDropped { count: 19, most: 16 });
    assert_eq!((sent.len(), added(&sent[1])), (2, 16));
}
