//! Scenes are built: what can be added, what can be done with a scene and with an item of it, and what
//! a source shows.

use super::*;
use onair::capture::text::Content;
use onair::capture::{Area, Screen as Monitor, ScreenInfo, WindowInfo};
use onair::compose::scene::{Blend, Crop, Fit, SceneId};
use onair::media::Size;
use onair::media::transport::LeftOut;
use onair::studio::scenes::MOST_SOURCES;
use onair::studio::{Collection, Level, Notice, Remedy};
use onair::ui::pick::{Pick, Then};

const SCENE: SceneId = SceneId(1);
/// The item that is worked on, between two others, and its source.
const ITEM: ItemId = ItemId(2);
const SOURCE: SourceId = SourceId(1);

/// A window whose scene has these sources over the chosen picture, called by their numbers.
fn with(choices: &[&str]) -> Harness<'static, Window> {
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

/// The pretended studio has it so from now on.
fn make(harness: &mut Harness<'static, Window>, edits: &[Edit]) {
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

/// The one edit that was asked for.
fn edit(commands: &[Command]) -> Edit {
    match commands {
        [Command::Edit(edit)] => edit.clone(),
        other => panic!("{other:?}"),
    }
}

/// Presses a line of the menu of what has this name, wherever it has been scrolled to.
fn by_menu(harness: &mut Harness<'static, Window>, name: &str, line: &str) -> Vec<Command> {
    source(harness, name).click_secondary();
    harness.run();
    press(harness, line)
}

/// Presses a line of a list.
fn press(harness: &mut Harness<'static, Window>, line: &str) -> Vec<Command> {
    harness.get_by_role_and_label(Role::MenuItemRadio, line).click_accesskit();
    let mut sent = commands(harness);
    // Looked for whenever a list of them is opened.
    sent.retain(|command| *command != Command::RefreshDevices);
    sent
}

/// Opens *Add a source* and presses one line after the other.
fn add(harness: &mut Harness<'static, Window>, lines: &[&str]) -> Vec<Command> {
    harness.get_by_label("Add a source").click_accesskit();
    harness.run();
    let mut sent = Vec::new();
    for line in lines {
        assert_eq!(sent, []);
        sent = press(harness, line);
    }
    sent
}

fn type_and_enter(harness: &mut Harness<'static, Window>, text: &str) -> Vec<Command> {
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
    make(&mut harness, &[added, Edit::AddScene("Last".into())]);
    let id = SceneId(2);
    for (line, wanted) in [
        ("Duplicate", Edit::DuplicateScene(id)),
        ("Move up", Edit::MoveScene(id, 0)),
        ("Move down", Edit::MoveScene(id, 2)),
        ("Remove", Edit::RemoveScene(id)),
    ] {
        assert_eq!(edit(&by_menu(&mut harness, "Scene", line)), wanted, "{line}");
    }
    // At an end there is no further, and the last one stays.
    assert_eq!(by_menu(&mut harness, "Last", "Move down"), []);
    assert_eq!(by_menu(&mut harness, "Scene", "Rename"), []);
    let named = edit(&type_and_enter(&mut harness, " two"));
    assert_eq!(named, Edit::RenameScene(id, "Scene two".into()));
    // By the keyboard.
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
    // Files of scenes.
    for (line, wish) in [("Import scenes…", Wish::PickScenes), ("Export scenes…", Wish::SaveScenes)]
    {
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
    let prepared = press(&mut harness, "Studio mode: prepare first");
    assert_eq!(prepared, [Command::PrepareScene(Some(SCENE))]);
    harness.state().demo.change(|snapshot| snapshot.scenes.prepared = Some(SCENE));
    harness.run();
    harness.run();
    assert_eq!(click(&mut harness, "Talk"), [Command::PrepareScene(Some(talk))]);
    assert_eq!(click(&mut harness, "Transition"), [Command::Transition]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    assert_eq!(commands(&mut harness), [Command::Transition]);
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    let over = press(&mut harness, "Studio mode: prepare first");
    assert_eq!(over, [Command::PrepareScene(None)]);
}

#[test]
fn every_kind_of_source_is_added_without_typing_its_words() {
    let mut harness = with(&[]);
    let choice = |text: &str| text.parse::<VideoChoice>().unwrap();
    let graded = choice("color:#1e2430,#3b5b8c");
    for (line, wanted) in [
        ("HD Pro Webcam C920", choice("camera:c920")),
        ("Test picture", VideoChoice::Test),
        ("Text", choice("text:Text")),
        ("Clock", choice("clock")),
        ("Countdown", choice("countdown:300")),
        ("Stopwatch", choice("stopwatch")),
        ("Colour", choice("color:#1e2430")),
        ("Gradient", graded),
        ("Remote stream", choice("stream:rtmp://127.0.0.1/live/onair")),
    ] {
        let name = line.to_owned();
        let wanted = Edit::AddSource { scene: SCENE, name, choice: wanted };
        assert_eq!(edit(&add(&mut harness, &[line])), wanted);
    }
    for (line, pick, found) in [
        ("Image…", Pick::Image, choice("image:/a/b.png")),
        ("Slide show…", Pick::Slides, choice("slides:/a/b.png")),
        ("Slide show of pictures…", Pick::Slide, choice("slides:/a/b.png")),
        ("Video file…", Pick::Video, choice("file:/a/b.png")),
        ("Text from a file…", Pick::Text, choice("text-file:/a/b.png")),
    ] {
        add(&mut harness, &[line]);
        assert_eq!(harness.state().wishes.last(), Some(&Wish::PickSource(pick, SCENE)));
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.picked_source(pick, SCENE, "/a/b.png".into());
        let wanted = Edit::AddSource { scene: SCENE, name: "b".into(), choice: found };
        assert_eq!(edit(&commands(&mut harness)), wanted);
    }
}

fn displays(harness: &mut Harness<'static, Window>) {
    let screen = |id: &str, x, primary| ScreenInfo {
        id: id.into(),
        name: if id == "all" { "All screens".into() } else { id.into() },
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
    let chosen = |sent: &[Command]| match edit(sent) {
        Edit::AddSource { choice, .. } => choice.to_string(),
        other => panic!("{other:?}"),
    };
    for (lines, wanted) in [
        (["Screen ›", "HDMI-1"], "screen:HDMI-1"),
        (["Screen ›", "All screens"], "screen:all"),
        (["Window ›", "file 0"], "window:Editor/file 0"),
        (["Window ›", "file 39"], "window:Editor/file 39"),
    ] {
        assert_eq!(chosen(&add(&mut harness, &lines)), wanted);
    }
    // Back to everything, from where something else is added.
    let lines = ["Window ›", "‹ Back", "Test picture"];
    assert_eq!(chosen(&add(&mut harness, &lines)), "test");
    // However many there are.
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
        assert_eq!(edit(&add(&mut harness, &["Show again ›", line])), wanted);
    }
    let main = Edit::ShowSource { scene: SCENE, source: SourceId(0) };
    assert_eq!(edit(&add(&mut harness, &["Chosen picture"])), main);
}

#[test]
fn what_each_pair_of_speakers_plays_is_chosen_from_the_list() {
    let mut harness = with(&[]);
    assert!(harness.query_by_label("System sound of HDMI Audio").is_none(), "it is the only one");
    harness.state().demo.change(|snapshot| {
        let other = onair::studio::snapshot::Device {
            id: "usb".into(),
            name: "Headset".into(),
            default: false,
        };
        snapshot.speakers.push(other);
    });
    harness.run();
    for (name, id) in [("System sound of HDMI Audio", "hdmi"), ("System sound of Headset", "usb")] {
        harness.get_by_label(name).click_accesskit();
        let chosen = AudioChoice::System(Some(id.into()));
        assert_eq!(commands(&mut harness), [Command::SelectAudio(chosen)]);
    }
}

#[test]
fn items_are_placed_ordered_and_grouped_by_their_menu() {
    let mut harness = with(&["test", "clock"]);
    let before = scene::Place {
        x: 0.1,
        y: 0.2,
        width: 0.5,
        height: 0.4,
        rotation: 300.0,
        ..Default::default()
    };
    make(&mut harness, &[Edit::SetPlace(ITEM, before)]);
    let whole = scene::Place { x: 0.0, y: 0.0, width: 1.0, height: 1.0, rotation: 0.0, ..before };
    let placed = |place| Edit::SetPlace(ITEM, place);
    for (line, wanted) in [
        ("Fit to the picture", placed(scene::Place { fit: Fit::Contain, ..whole })),
        ("Fill the picture", placed(scene::Place { fit: Fit::Cover, ..whole })),
        ("Stretch to the picture", placed(scene::Place { fit: Fit::Stretch, ..whole })),
        ("Center", placed(scene::Place { x: 0.25, y: 0.3, ..before })),
        ("Flip left to right", placed(scene::Place { flip_x: true, ..before })),
        ("Flip top to bottom", placed(scene::Place { flip_y: true, ..before })),
        ("Turn by 90°", placed(scene::Place { rotation: 30.0, ..before })),
        ("Reset", placed(scene::Place::default())),
        ("Move up", Edit::MoveItem(ITEM, 2)),
        ("Move down", Edit::MoveItem(ITEM, 0)),
        ("Duplicate", Edit::DuplicateItem(ITEM)),
        ("Duplicate source", Edit::DuplicateSource(ITEM)),
        ("Group with the one below", Edit::Group(vec![ITEM, ItemId(1)])),
        ("Remove", Edit::RemoveItem(ITEM)),
    ] {
        assert_eq!(edit(&by_menu(&mut harness, "Source 1", line)), wanted, "{line}");
    }
    // As large as it is, around the same middle.
    let Edit::SetPlace(_, now) = edit(&by_menu(&mut harness, "Source 1", "Original size")) else {
        panic!()
    };
    let middle = |it: &scene::Place| (it.x + it.width / 2.0, it.y + it.height / 2.0);
    assert!((middle(&now).0 - middle(&before).0).abs() < 1e-6, "{now:?}");
    assert_eq!((now.width, now.height), (1.0, 1.0), "the program's size, as nothing is known yet");
    // By the buttons and keys of its row.
    assert_eq!(edit(&click(&mut harness, "Lock Source 1")), Edit::LockItem(ITEM, true));
    assert_eq!(edit(&click(&mut harness, "Hide Source 1")), Edit::HideItem(ITEM, true));
    for (key, to) in [(Key::ArrowUp, 2), (Key::ArrowDown, 0)] {
        source(&harness, "Source 1").focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::ALT, key);
        assert_eq!(edit(&commands(&mut harness)), Edit::MoveItem(ITEM, to));
    }
    // What is locked stays where it is; a group is dissolved.
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
    // Which of both it is, the list tells by their places: the upper one is the copy.
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
    let whole = scene::Place::default();
    for (name, value, wanted) in [
        ("Left", 128.0, scene::Place { x: 0.1, ..whole }),
        ("Top", -72.0, scene::Place { y: -0.1, ..whole }),
        ("Width", 640.0, scene::Place { width: 0.5, ..whole }),
        ("Height", 180.0, scene::Place { height: 0.25, ..whole }),
        ("Rotation", 45.0, scene::Place { rotation: 45.0, ..whole }),
        ("Crop left", 10.0, scene::Place { crop: Crop { left: 0.1, ..whole.crop }, ..whole }),
        ("Crop top", 20.0, scene::Place { crop: Crop { top: 0.2, ..whole.crop }, ..whole }),
        ("Crop right", 30.0, scene::Place { crop: Crop { right: 0.3, ..whole.crop }, ..whole }),
        ("Crop bottom", 40.0, scene::Place { crop: Crop { bottom: 0.4, ..whole.crop }, ..whole }),
    ] {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        assert_eq!(edit(&commands(&mut harness)), Edit::SetPlace(ITEM, wanted), "{name}");
    }
    let cover = Edit::SetPlace(ITEM, scene::Place { fit: Fit::Cover, ..whole });
    for (list, line, wanted) in [
        ("Fit", "Fill, cut what sticks out", cover),
        ("Blend mode", "Multiply", Edit::SetBlend(ITEM, Blend::Multiply)),
    ] {
        harness.get_by_role_and_label(Role::ComboBox, list).click();
        harness.run();
        harness.get_by_role_and_label(Role::MenuItemRadio, line).click();
        assert_eq!(edit(&commands(&mut harness)), wanted);
    }
    harness.get_by_role_and_label(Role::Slider, "Opacity").set_value_accesskit(0.5);
    assert_eq!(edit(&commands(&mut harness)), Edit::SetOpacity(ITEM, 0.5));
    // The words of the command line, for who knows them.
    harness.get_by_role_and_label(Role::TextInput, "Shows").focus();
    harness.run();
    harness.event(egui::Event::Text("ing".into()));
    harness.run();
    assert!(harness.query_by_label("Show this").is_none(), "there is nothing of that name");
    for _ in 0.."testing".len() {
        harness.key_press(Key::Backspace);
        harness.run();
    }
    harness.event(egui::Event::Text("clock".into()));
    harness.run();
    let clock = VideoChoice::Text(Content::Clock(String::new()));
    assert_eq!(edit(&click(&mut harness, "Show this")), Edit::SetSource(SOURCE, clock));
}

/// What the topmost source is to show now.
fn shows(commands: &[Command]) -> String {
    match edit(commands) {
        Edit::SetSource(SOURCE, choice) => choice.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The properties of the one source, which shows this.
fn properties_of(choice: &str) -> Harness<'static, Window> {
    let mut harness = with(&[choice]);
    displays(&mut harness);
    assert_eq!(by_menu(&mut harness, "Source 1", "Properties…"), []);
    harness.get_by_label("Properties of Source 1");
    harness
}

#[test]
fn what_comes_of_properties_stands_above_its_words() {
    let harness = properties_of("text:Hello");
    let picture = harness.get_by_role_and_label(Role::Image, "The picture that goes out").rect();
    let words = harness.get_by_label_contains("What is set here").rect();
    assert!((picture.left() - words.left()).abs() < 1.0, "{picture:?} {words:?}");
    assert!(picture.bottom() < words.top() && picture.width() > 300.0, "{picture:?}");
}

#[test]
fn what_a_source_shows_is_set_in_fields() {
    let mut harness = properties_of("color:#102030");
    harness.get_by_role_and_label(Role::CheckBox, "Gradient").click();
    assert_eq!(shows(&commands(&mut harness)), "color:#102030,#000000");
    let graded = "color:#102030,#ffffff".parse::<VideoChoice>().unwrap();
    make(&mut harness, &[Edit::SetSource(SOURCE, graded)]);
    harness.get_by_role_and_label(Role::SpinButton, "Direction").set_value_accesskit(45.0);
    assert_eq!(shows(&commands(&mut harness)), "color:#102030,#ffffff,45");
    for colour in ["Colour", "To colour"] {
        assert_eq!(harness.get_all_by_label(colour).count(), 2, "its name and its button");
    }

    let mut harness = properties_of("screen:HDMI-1");
    harness.get_by_role_and_label(Role::CheckBox, "Only a part").click();
    assert_eq!(shows(&commands(&mut harness)), "screen:HDMI-1@1920x1080+0+0");
    let part = Monitor {
        id: Some("HDMI-1".into()),
        part: Some(Area::new(0, 0, 640, 480)),
        ..Default::default()
    };
    make(&mut harness, &[Edit::SetSource(SOURCE, VideoChoice::Screen(part))]);
    for (name, value, wanted) in [
        ("Left edge", 10.0, "640x480+10+0"),
        ("Top edge", 20.0, "640x480+0+20"),
        ("Width of the part", 320.0, "320x480+0+0"),
        ("Height of the part", 200.0, "640x200+0+0"),
    ] {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        assert_eq!(shows(&commands(&mut harness)), format!("screen:HDMI-1@{wanted}"), "{name}");
    }
    for (list, line, choice, wanted) in [
        ("Screen", "DP-1", "screen:HDMI-1", "screen:DP-1"),
        ("Screen", "Main screen", "screen:HDMI-1", "screen"),
        ("Screen", "All screens", "screen", "screen:all"),
        ("Window", "file 7", "window:Gone/away", "window:Editor/file 7"),
        ("Camera", "HD Pro Webcam C920", "camera:gone", "camera:c920"),
        ("Camera", "The first there is", "camera:c920", "camera"),
    ] {
        let mut harness = properties_of(choice);
        harness.get_by_role_and_label(Role::ComboBox, list).click();
        harness.run();
        assert_eq!(shows(&press(&mut harness, line)), wanted);
    }
    let mut harness = properties_of("countdown:90");
    for (name, value, wanted) in
        [("Minutes", 5.0, "countdown:330"), ("Seconds", 5.0, "countdown:65")]
    {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        assert_eq!(shows(&commands(&mut harness)), wanted);
    }
}

#[test]
fn words_are_typed_over_several_lines_and_taken_as_a_whole() {
    let mut harness = properties_of("text:Hello");
    harness.get_by_role_and_label(Role::MultilineTextInput, "Text").focus();
    harness.run();
    harness.event(egui::Event::Text(", Ada".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.event(egui::Event::Text("here".into()));
    assert_eq!(commands(&mut harness), [], "half of it is nothing to show");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    assert_eq!(shows(&commands(&mut harness)), "text:Hello, Ada\nhere");
    for (choice, field, typed, wanted) in [
        ("clock", "Format", "%H:%M", "clock:%H:%M"),
        ("stream:rtmp://a/b", "Address", "/c", "stream:rtmp://a/b/c"),
    ] {
        let mut harness = properties_of(choice);
        harness.get_by_role_and_label(Role::TextInput, field).focus();
        harness.run();
        assert_eq!(shows(&type_and_enter(&mut harness, typed)), wanted);
    }
    // The name that notices call it by.
    let mut harness = properties_of("test");
    harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    harness.run();
    let named = edit(&type_and_enter(&mut harness, "st"));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Source 1st".into()));
}

#[test]
fn what_was_just_added_shows_its_properties() {
    let mut harness = with(&[]);
    let added = edit(&add(&mut harness, &["Gradient"]));
    make(&mut harness, &[added]);
    harness.get_by_label("Properties of Gradient");
    harness.key_press(Key::Escape);
    harness.run();
    let added = edit(&add(&mut harness, &["Test picture"]));
    make(&mut harness, &[added]);
    assert!(
        harness.query_by_label("Properties of Test picture").is_none(),
        "it has nothing to set"
    );
}

#[test]
fn what_there_was_no_room_for_shows_no_properties_of_what_comes_later() {
    let mut harness = with(&["test"; MOST_SOURCES]);
    let refused = edit(&add(&mut harness, &["Gradient"]));
    let collection = harness.state().demo.snapshot().scenes.collection;
    assert!(!Collection::clone(&collection).apply(&refused));
    make(&mut harness, &[Edit::RemoveItem(ITEM)]);
    let name = "Later".to_owned();
    let choice = "color:#ff0000".parse().unwrap();
    make(&mut harness, &[Edit::AddSource { scene: SCENE, name, choice }]);
    assert!(harness.query_by_label("Properties of Later").is_none(), "nobody asked for it");
}

#[test]
fn slides_are_pictures_that_are_chosen_one_by_one() {
    let mut harness = properties_of("slides:/a/1.png");
    let wish = |harness: &Harness<'static, Window>| harness.state().wishes.last().cloned();
    let picked = |harness: &mut Harness<'static, Window>, then: Then, paths: &[&str]| {
        let paths = paths.iter().map(Into::into).collect();
        harness.state_mut().screen.as_mut().unwrap().picked_then(then, paths);
        commands(harness)
    };
    let files = |commands: &[Command]| match edit(commands) {
        Edit::SetProperties(SOURCE, properties) => properties,
        other => panic!("{other:?}"),
    };
    click(&mut harness, "Add pictures…");
    let then = Then { source: SOURCE, pick: Pick::Image, at: None };
    assert_eq!(wish(&harness), Some(Wish::PickThen(then.clone(), None)));
    // Nothing else of the source is written: it may have changed while the dialog stood open.
    let both = edit(&picked(&mut harness, then.clone(), &["/a/2.png", "/b/3.png"]));
    let add = |path: &str| Edit::AddFile(SOURCE, path.into());
    assert_eq!(both, Edit::Several(vec![add("/a/2.png"), add("/b/3.png")]));
    make(&mut harness, &[both]);
    let turned = files(&click(&mut harness, "Play 3.png earlier"));
    assert_eq!(turned.files, ["/b/3.png", "/a/2.png"].map(std::path::PathBuf::from));
    let one = files(&click(&mut harness, "Play 2.png no more"));
    assert_eq!(one.files, [std::path::PathBuf::from("/b/3.png")]);
    // One that is missing is found elsewhere, in its place.
    click(&mut harness, "Choose another file for 2.png");
    let old = std::path::PathBuf::from("/a/2.png");
    let then = Then { at: Some((0, old.clone())), ..then };
    assert_eq!(wish(&harness), Some(Wish::PickThen(then.clone(), Some("/a".into()))));
    let found = edit(&picked(&mut harness, then, &["/c/2.png"]));
    let new = "/c/2.png".into();
    assert_eq!(found, Edit::ReplaceFile { source: SOURCE, index: 0, old, new });
    click(&mut harness, "A folder…");
    let folder = Wish::PickAnother(Pick::Slides, SOURCE, Some("/a".into()));
    assert_eq!(wish(&harness), Some(folder));
}

#[test]
fn a_slide_that_is_missing_is_told_and_found_elsewhere() {
    let mut harness = with(&["slides:/a/1.png"]);
    let add = |path: &str| Edit::AddFile(SOURCE, path.into());
    make(&mut harness, &[add("/a/2.png"), add("/b/3.png")]);
    let reason = "No such file or directory (os error 2)";
    harness.state().demo.change(|snapshot| {
        let mut source = crate::demo::snapshot("media").scenes.sources.remove(0);
        source.id = SOURCE;
        let lacks = |path: &str| LeftOut { path: path.into(), reason: reason.into() };
        source.left_out = [lacks("/a/1.png"), lacks("/b/3.png")].into();
        snapshot.scenes.sources = vec![source];
        snapshot.notices = vec![Notice {
            id: 7,
            key: "scene-files-left-out",
            args: vec![
                ("source", "Source 1".into()),
                ("path", "/a/1.png".into()),
                ("reason", reason.into()),
                ("others", "1".into()),
            ],
            level: Level::Warning,
            summary: "Source 1 is shown without two".into(),
            advice: String::new(),
            detail: String::new(),
            remedy: Some(Remedy::EditSource(SOURCE)),
        }];
    });
    harness.run();
    assert_eq!(click(&mut harness, "Change source"), [Command::Dismiss(7)]);
    harness.run();
    let told = format!("Left out: {reason}");
    assert_eq!(harness.query_all_by_label(&told).count(), 2, "the first one and the third");
    click(&mut harness, "Choose another file for 3.png");
    let at = Some((1, "/b/3.png".into()));
    let then = Then { source: SOURCE, pick: Pick::Image, at };
    let wished = harness.state().wishes.last().cloned();
    assert_eq!(wished, Some(Wish::PickThen(then.clone(), Some("/b".into()))));
    let found = vec!["/c/3.png".into()];
    harness.state_mut().screen.as_mut().unwrap().picked_then(then, found);
    let replaced = edit(&commands(&mut harness));
    let (old, new) = ("/b/3.png".into(), "/c/3.png".into());
    assert_eq!(replaced, Edit::ReplaceFile { source: SOURCE, index: 1, old, new });
    // The studio has it so, and nothing more is told.
    make(&mut harness, &[replaced]);
    harness.state().demo.change(|snapshot| {
        snapshot.scenes.sources[0].left_out = std::sync::Arc::default();
    });
    harness.run();
    assert_eq!(harness.query_all_by_label(&told).count(), 0);
}

#[test]
fn what_is_missing_is_found_elsewhere_or_tried_again() {
    for (choice, pick, other, wanted) in [
        ("image:/a/b.png", Pick::Image, "/c/d.png", "image:/c/d.png"),
        ("file:/a/b.mp4", Pick::Video, "/c/d.mp4", "file:/c/d.mp4"),
        ("slides:/a/b", Pick::Slides, "/c/d", "slides:/c/d"),
        ("slides:/a/b.png", Pick::Slide, "/c/d.png", "slides:/c/d.png"),
        ("text-file:/a/b.txt", Pick::Text, "/c/d.txt", "text-file:/c/d.txt"),
    ] {
        let mut harness = with(&[choice]);
        let reason = "No such file or directory";
        harness.state().demo.change(|snapshot| {
            let mut source = crate::demo::snapshot("media").scenes.sources.remove(0);
            (source.id, source.playing) = (SOURCE, None);
            (source.state, source.reason) =
                (onair::studio::snapshot::SourceState::Failed, reason.into());
            snapshot.scenes.sources = vec![source];
            snapshot.notices = vec![Notice {
                id: 7,
                key: "scene-source-failed",
                args: vec![("source", "Source 1".into()), ("reason", reason.into())],
                level: Level::Warning,
                summary: "The source cannot be shown".into(),
                advice: String::new(),
                detail: String::new(),
                remedy: Some(Remedy::EditSource(SOURCE)),
            }];
        });
        harness.run();
        assert_eq!(click(&mut harness, "Change source"), [Command::Dismiss(7)]);
        harness.run();
        harness.get_by_label("Properties of Source 1");
        harness.get_by_label(reason);
        assert_eq!(click(&mut harness, "Try again"), [Command::TryAgain]);
        click(&mut harness, "Choose…");
        let folder = std::path::Path::new(&choice[choice.find('/').unwrap()..]).parent();
        let wish = Wish::PickAnother(pick, SOURCE, folder.map(Into::into));
        assert_eq!(harness.state().wishes.last(), Some(&wish));
        harness.state_mut().screen.as_mut().unwrap().picked_another(pick, SOURCE, other.into());
        assert_eq!(shows(&commands(&mut harness)), wanted);
    }
    // What is no file has none to choose.
    let harness = properties_of("color:#000000");
    assert!(harness.query_by_label("Choose…").is_none());
}
