//! Tests of building scenes: adding, switching and preparing scenes, and copying their items.

use super::*;
use onair::compose::scene::SceneId;
use onair::compose::transition::Side;
use onair::studio::Collection;

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

/// Applies these edits to the simulated studio, and draws the result.
pub(super) fn make(harness: &mut Harness<'static, Window>, edits: &[Edit]) {
    apply(harness, edits);
    harness.run();
    harness.run();
}

fn apply(harness: &Harness<'static, Window>, edits: &[Edit]) {
    harness.state().demo.change(|snapshot| {
        let mut collection = Collection::clone(&snapshot.scenes.collection);
        for edit in edits {
            assert!(collection.apply(edit), "{edit:?}");
        }
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
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

/// Clicks an entry in a submenu of the context menu of the source with this name.
pub(super) fn by_submenu(
    harness: &mut Harness<'static, Window>,
    name: &str,
    submenu: &str,
    line: &str,
) -> Vec<Command> {
    source(harness, name).click_secondary();
    harness.run();
    open_submenu(harness, submenu);
    press(harness, line)
}

/// Opens a submenu of the open menu, unless the pointer has already opened it.
pub(super) fn open_submenu(harness: &mut Harness<'static, Window>, name: &str) {
    let submenu = harness.get_by_role_and_label(Role::MenuItem, name);
    if submenu.accesskit_node().data().is_expanded() != Some(true) {
        submenu.click_accesskit();
        harness.run();
    }
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

pub(super) fn type_and_enter(harness: &mut Harness<'static, Window>, text: &str) -> Vec<Command> {
    harness.event(egui::Event::Text(text.into()));
    harness.run();
    harness.key_press(Key::Enter);
    commands(harness)
}

#[test]
fn what_was_begun_in_one_collection_does_not_go_on_in_the_next() {
    let mut harness = with(&["text:Hello"]);
    assert_eq!(by_menu(&mut harness, "Source 1", "Rename"), []);
    // The item of the other collection has the same id.
    harness.state().demo.change(|snapshot| {
        std::sync::Arc::make_mut(&mut snapshot.parts).changes += 1;
        let mut collection = Collection::default();
        let choice = "text:Other".parse().unwrap();
        let name = "Other".to_owned();
        assert!(collection.apply(&Edit::AddSource { scene: SCENE, name, choice }));
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.run();
    // The row is not the field for a name.
    source(&harness, "Other");
}

#[test]
fn a_scene_that_the_palette_adds_is_named_at_once() {
    let mut harness = with(&[]);
    harness.key_press_modifiers(egui::Modifiers::COMMAND, egui::Key::K);
    harness.run();
    harness.event(egui::Event::Text("add a scene".into()));
    harness.run();
    harness.key_press(egui::Key::Enter);
    harness.run();
    let added = Edit::AddScene("Scene".into());
    assert_eq!(commands(&mut harness), [Command::Edit(added.clone())]);
    make(&mut harness, &[added]);
    assert_eq!(commands(&mut harness), [Command::SwitchScene(SceneId(2))]);
    let named = edit(&type_and_enter(&mut harness, "Break"));
    assert_eq!(named, Edit::RenameScene(SceneId(2), "Break".into()));
}

#[test]
fn a_name_that_is_typed_while_its_field_appears_is_complete() {
    let mut harness = with(&[]);
    for (id, name) in [(SceneId(2), "Break"), (SceneId(3), "Talk")] {
        let added = edit(&click(&mut harness, "Add a scene"));
        apply(&harness, &[added]);
        harness.step();
        // Each frame brings one letter, beginning with the first frame that shows the field.
        for letter in name.chars() {
            harness.event(egui::Event::Text(letter.into()));
            harness.step();
        }
        commands(&mut harness);
        harness.key_press(Key::Enter);
        assert_eq!(edit(&commands(&mut harness)), Edit::RenameScene(id, name.into()));
    }
}

#[test]
fn a_name_applies_when_its_row_disappears_and_the_field_does_not_return() {
    let mut harness = with(&["test"]);
    make(&mut harness, &[Edit::AddScene("Next".into())]);
    source(&harness, "Source 1").click();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    harness.event(egui::Event::Text("Source 1, left".into()));
    assert_eq!(commands(&mut harness), []);
    // A hotkey switches to another scene and back.
    let show = |harness: &mut Harness<'static, Window>, scene| {
        harness.state().demo.change(|snapshot| {
            std::sync::Arc::make_mut(&mut snapshot.scenes.collection).current = scene;
        });
        harness.run();
    };
    show(&mut harness, SceneId(2));
    let named = edit(&commands(&mut harness));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Source 1, left".into()));
    show(&mut harness, SCENE);
    source(&harness, "Source 1");
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn f2_on_the_canvas_renames_the_selected_item() {
    let mut harness = with(&["test"]);
    source(&harness, "Source 1").click();
    harness.run();
    harness.get_by_role(Role::Canvas).focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    // Typed text replaces the name.
    let named = edit(&type_and_enter(&mut harness, "Left"));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Left".into()));
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
    let named = edit(&type_and_enter(&mut harness, "Scene two"));
    assert_eq!(named, Edit::RenameScene(id, "Scene two".into()));
    // The name can also be changed by keyboard.
    harness.get_by_role_and_label(Role::RadioButton, "Last").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    let named = edit(&type_and_enter(&mut harness, "Last of all"));
    assert_eq!(named, Edit::RenameScene(SceneId(3), "Last of all".into()));
    harness.get_by_role_and_label(Role::RadioButton, "Last").focus();
    harness.run();
    harness.key_press(Key::Delete);
    assert_eq!(edit(&commands(&mut harness)), Edit::RemoveScene(SceneId(3)));
    // Scenes are imported from and exported to files.
    for (line, request) in [
        ("Import scenes…", WindowRequest::PickScenes),
        ("Export scenes…", WindowRequest::SaveScenes),
    ] {
        by_menu(&mut harness, "Scene", line);
        assert_eq!(harness.state().requests.last(), Some(&request), "{line}");
    }
}

#[test]
fn scenes_are_switched_at_once_or_go_to_preview_first() {
    let mut harness = with(&[]);
    make(&mut harness, &[Edit::AddScene("Talk".into())]);
    let talk = SceneId(2);
    assert_eq!(click(&mut harness, "Talk"), [Command::SwitchScene(talk)]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    let preview = press(&mut harness, "Studio mode");
    assert_eq!(preview, [Command::SetPreviewScene(Some(SCENE))]);
    harness.state().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(SCENE));
    harness.run();
    harness.run();
    assert_eq!(click(&mut harness, "Talk"), [Command::SetPreviewScene(Some(talk))]);
    assert_eq!(click(&mut harness, "Take"), [Command::Transition]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    assert_eq!(commands(&mut harness), [Command::Transition]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    let over = press(&mut harness, "Studio mode");
    assert_eq!(over, [Command::SetPreviewScene(None)]);
}

#[test]
fn in_studio_mode_one_button_takes_and_those_beside_it_choose_how() {
    let mut harness = with(&[]);
    make(&mut harness, &[Edit::AddScene("Talk".into())]);
    harness.state().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(SceneId(2)));
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
    let bar = harness.get_by_role_and_label(Role::Slider, "T-bar").rect();
    let fade = harness.get_by_role_and_label(Role::Button, "Fade").rect();
    let is_before = |one: egui::Rect, other: egui::Rect| {
        one.bottom() <= other.top() || one.right() <= other.left()
    };
    assert!(is_before(take, bar) && is_before(bar, fade), "{take} {bar} {fade}");
    // Choosing a transition changes nothing for viewers.
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_some());
    let cuts = edit(&click(&mut harness, "Cut"));
    assert!(matches!(&cuts, Edit::SetTransition(it) if it.kind == Kind::Cut), "{cuts:?}");
    make(&mut harness, &[cuts]);
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_none(), "a cut takes no time");
    // A type without a button of its own has one while it is in use.
    assert!(harness.query_by_label("Wipe").is_none());
    let wipe = Transition { kind: Kind::Luma(Wipe::default()), ..Transition::default() };
    make(&mut harness, &[Edit::SetTransition(wipe)]);
    harness.get_by_role_and_label(Role::Button, "Wipe");
    // The T-bar moves by its keys.
    harness.get_by_role_and_label(Role::Slider, "T-bar").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    assert_eq!(commands(&mut harness), [Command::TBar(0.01)]);
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
    harness.state().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(talk));
    harness.run();
    harness.run();
    // The default transition is a fade of 300 ms. *Take* uses the one that belongs to the scene.
    assert!(harness.query_by_label("this scene only").is_some());
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
    assert!(harness.query_by_label("this scene only").is_none());
    assert!(harness.query_by_label_contains("300\u{a0}ms").is_some());
    assert!(matches!(edit(&click(&mut harness, "Cut")), Edit::SetTransition(_)));
}

#[test]
fn what_is_copied_in_one_scene_is_pasted_in_another() {
    let mut harness = with(&["test"]);
    make(&mut harness, &[Edit::AddScene("Second".into())]);
    source(&harness, "Source 1").click();
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
    source(&harness, "Source 1").click();
    harness.run();
    harness.event(egui::Event::Paste("something else".into()));
    assert_eq!(commands(&mut harness), []);
    harness.event(egui::Event::Paste("Source 1".into()));
    assert!(matches!(edit(&commands(&mut harness)), Edit::Paste(SceneId(2), _)));
    harness.event(egui::Event::Cut);
    assert!(matches!(edit(&commands(&mut harness)), Edit::RemoveItem(_)));
}
