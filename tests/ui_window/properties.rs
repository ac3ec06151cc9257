//! Tests of a source's properties: fields, multi-line text, lists, and replacing missing files.

use super::adding::displays;
use super::building::*;
use super::*;
use onair::capture::{Area, DisplayTarget as Monitor};
use onair::media::playback_control::SkippedFile;
use onair::studio::Collection;
use onair::studio::scenes::MAX_SOURCES;
use onair::text::problem::problem;
use onair::ui::view::file_request::{FileRequest, PlaylistRequest};

/// Returns the new content of the topmost source.
pub(super) fn shows(commands: &[Command]) -> String {
    match edit(commands) {
        Edit::SetSource(SOURCE, choice) => choice.to_string(),
        other => panic!("{other:?}"),
    }
}

/// Opens the properties of a source with this content.
pub(super) fn properties_of(choice: &str) -> Harness<'static, Window> {
    let mut harness = with(&[choice]);
    displays(&mut harness);
    assert_eq!(by_menu(&mut harness, "Source 1", "Inspector…"), []);
    harness.get_by_label("Properties of Source 1");
    harness
}

#[test]
fn written_content_is_not_lost_when_another_source_is_selected() {
    let mut harness = with(&["test", "test"]);
    assert_eq!(by_menu(&mut harness, "Source 1", "Inspector…"), []);
    harness.get_by_role_and_label(Role::Button, "Advanced").click_accesskit();
    harness.run();
    let write = |harness: &mut Harness<'static, Window>, text: &str| {
        harness.get_by_role_and_label(Role::TextInput, "Content").focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.run();
        harness.event(egui::Event::Text(text.into()));
        commands(harness)
    };
    assert_eq!(write(&mut harness, "clock"), []);
    source(&harness, "Source 2").click();
    assert_eq!(shows(&commands(&mut harness)), "clock");
    // Text that is not valid is still there when its source is selected again.
    source(&harness, "Source 1").click();
    harness.run();
    assert_eq!(write(&mut harness, "nothing"), []);
    for name in ["Source 2", "Source 1"] {
        source(&harness, name).click();
        assert_eq!(commands(&mut harness), []);
    }
    let field = harness.get_by_role_and_label(Role::TextInput, "Content");
    assert_eq!(field.value().as_deref(), Some("nothing"));
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
    for colour in ["Color", "Second color"] {
        assert_eq!(harness.get_all_by_label(colour).count(), 2, "its name and its button");
    }

    let mut harness = properties_of("screen:HDMI-1");
    harness.get_by_role_and_label(Role::CheckBox, "Part of the display").click();
    assert_eq!(shows(&commands(&mut harness)), "screen:HDMI-1@1920x1080+0+0");
    let part = Monitor { id: Some("HDMI-1".into()), part: Some(Area::new(0, 0, 640, 480)) };
    make(&mut harness, &[Edit::SetSource(SOURCE, VideoChoice::Screen(part))]);
    for (name, value, wanted) in [
        ("Left edge", 10.0, "640x480+10+0"),
        ("Top edge", 20.0, "640x480+0+20"),
        ("Area width", 320.0, "320x480+0+0"),
        ("Area height", 200.0, "640x200+0+0"),
    ] {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        assert_eq!(shows(&commands(&mut harness)), format!("screen:HDMI-1@{wanted}"), "{name}");
    }
    for (list, line, choice, wanted) in [
        ("Display", "DP-1", "screen:HDMI-1", "screen:DP-1"),
        ("Display", "Main display", "screen:HDMI-1", "screen"),
        ("Display", "All displays", "screen", "screen:all"),
        ("Window", "file 7", "window:Gone/away", "window:Editor/file 7"),
        ("Camera", "HD Pro Webcam C920", "camera:gone", "camera:c920"),
        ("Camera", "First available", "camera:c920", "camera"),
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
fn words_are_typed_over_several_lines_and_taken_when_nobody_types_any_more() {
    let type_lines = |harness: &mut Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::MultilineTextInput, "Text").focus();
        harness.run();
        harness.event(egui::Event::Text(", Ada".into()));
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.event(egui::Event::Text("here".into()));
    };
    let mut harness = properties_of("text:Hello");
    type_lines(&mut harness);
    harness.run_steps(8);
    let sent = commands(&mut harness);
    assert_eq!(shows(&sent[sent.len() - 1..]), "text:Hello, Ada\nhere");
    let mut harness = properties_of("text:Hello");
    type_lines(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Enter);
    let sent = commands(&mut harness);
    assert_eq!(shows(&sent[sent.len() - 1..]), "text:Hello, Ada\nhere");
    // The typed text is kept if the user opens another tab.
    let mut harness = properties_of("stream:rtmp://a/b");
    harness.get_by_role_and_label(Role::TextInput, "Address").focus();
    harness.run();
    harness.event(egui::Event::Text("/c".into()));
    assert_eq!(commands(&mut harness), [], "half of an address is none");
    harness.get_by_role_and_label(Role::Tab, "Broadcast").click();
    assert_eq!(shows(&commands(&mut harness)), "stream:rtmp://a/b/c");
    for (choice, field, typed, wanted) in [
        ("clock", "Format", "%H:%M", "clock:%H:%M"),
        ("stream:rtmp://a/b", "Address", "/c", "stream:rtmp://a/b/c"),
    ] {
        let mut harness = properties_of(choice);
        harness.get_by_role_and_label(Role::TextInput, field).focus();
        harness.run();
        assert_eq!(shows(&type_and_enter(&mut harness, typed)), wanted);
    }
    // Notices use this name.
    let mut harness = properties_of("test");
    harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    harness.run();
    let named = edit(&type_and_enter(&mut harness, "st"));
    assert_eq!(named, Edit::RenameSource(SOURCE, "Source 1st".into()));
}

#[test]
fn below_an_invalid_address_of_a_stream_is_the_reason() {
    let mut harness = properties_of("stream:rtmp://a/b");
    let wrong = "This is not a valid address. Example: rtmp://server/app/stream";
    assert!(harness.query_by_label(wrong).is_none());
    harness.get_by_role_and_label(Role::TextInput, "Address").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    assert_eq!(type_and_enter(&mut harness, "camera"), []);
    let field = harness.get_by_role_and_label(Role::TextInput, "Address").rect();
    assert!(harness.get_by_label(wrong).rect().top() >= field.bottom());
}

#[test]
fn what_was_just_added_shows_its_properties() {
    let mut harness = with(&[]);
    let added = edit(&add(&mut harness, &["Gradient"]));
    make(&mut harness, &[added]);
    harness.get_by_label("Properties of Gradient");
    let added = edit(&add(&mut harness, &["Test pattern"]));
    make(&mut harness, &[added]);
    harness.get_by_label("Properties of Test pattern");
}

#[test]
fn what_there_was_no_room_for_shows_no_properties_of_what_comes_later() {
    let mut harness = with(&["test"; MAX_SOURCES]);
    let refused = edit(&add(&mut harness, &["Gradient"]));
    let collection = harness.state().demo.snapshot().scenes.collection;
    assert!(!Collection::clone(&collection).apply(&refused));
    make(&mut harness, &[Edit::RemoveItem(ITEM)]);
    // After some further commands, the window no longer waits for the source.
    harness.state().demo.change(|snapshot| snapshot.handled_commands += 9);
    harness.run();
    let name = "Later".to_owned();
    let choice = "color:#ff0000".parse().unwrap();
    make(&mut harness, &[Edit::AddSource { scene: SCENE, name, choice }]);
    assert!(harness.query_by_label("Properties of Later").is_none(), "nobody asked for it");
}

#[test]
fn slides_are_images_that_are_chosen_one_by_one() {
    let mut harness = properties_of("slides:/a/1.png");
    let last_request =
        |harness: &Harness<'static, Window>| harness.state().requests.last().cloned();
    let picked = |harness: &mut Harness<'static, Window>, then: PlaylistRequest, paths: &[&str]| {
        let paths = paths.iter().map(Into::into).collect();
        harness.state_mut().screen.as_mut().unwrap().picked_then(then, paths);
        commands(harness)
    };
    let files = |commands: &[Command]| match edit(commands) {
        Edit::SetProperties(SOURCE, properties) => properties,
        other => panic!("{other:?}"),
    };
    click(&mut harness, "Add images…");
    let then = PlaylistRequest { source: SOURCE, pick: FileRequest::Image, at: None };
    assert_eq!(last_request(&harness), Some(WindowRequest::PickThen(then.clone(), None)));
    // The edit contains only the new files, because other properties may have changed while the
    // dialog was open.
    let both = edit(&picked(&mut harness, then.clone(), &["/a/2.png", "/b/3.png"]));
    let add = |path: &str| Edit::AddFile(SOURCE, path.into());
    assert_eq!(both, Edit::Several(vec![add("/a/2.png"), add("/b/3.png")]));
    make(&mut harness, &[both]);
    let turned = files(&click(&mut harness, "Move 3.png up"));
    assert_eq!(turned.files, ["/b/3.png", "/a/2.png"].map(std::path::PathBuf::from));
    let one = files(&click(&mut harness, "Remove 2.png from the list"));
    assert_eq!(one.files, [std::path::PathBuf::from("/b/3.png")]);
    // The replacement for a missing file takes its place in the list.
    click(&mut harness, "Choose another file for 2.png");
    let old = std::path::PathBuf::from("/a/2.png");
    let then = PlaylistRequest { at: Some((0, old.clone())), ..then };
    assert_eq!(
        last_request(&harness),
        Some(WindowRequest::PickThen(then.clone(), Some("/a".into())))
    );
    let found = edit(&picked(&mut harness, then, &["/c/2.png"]));
    let new = "/c/2.png".into();
    assert_eq!(found, Edit::ReplaceFile { source: SOURCE, index: 0, old, new });
    click(&mut harness, "Folder…");
    let folder = WindowRequest::PickAnother(FileRequest::Slides, SOURCE, Some("/a".into()));
    assert_eq!(last_request(&harness), Some(folder));
}

#[test]
fn a_missing_slide_is_reported_and_found_elsewhere() {
    let mut harness = with(&["slides:/a/1.png"]);
    let add = |path: &str| Edit::AddFile(SOURCE, path.into());
    make(&mut harness, &[add("/a/2.png"), add("/b/3.png")]);
    let reason = "No such file or directory (os error 2)";
    harness.state().demo.change(|snapshot| {
        let mut source = crate::demo::snapshot("media").scenes.sources.remove(0);
        source.id = SOURCE;
        let skipped = |path: &str| SkippedFile { path: path.into(), reason: reason.into() };
        source.left_out = [skipped("/a/1.png"), skipped("/b/3.png")].into();
        snapshot.scenes.sources = vec![source];
        snapshot.notices = vec![Notice {
            target: None,
            id: 7,
            problem: problem!(
                "scene-files-left-out",
                source = "Source 1",
                path = "/a/1.png",
                reason = reason,
                others = "1",
            ),
            level: Level::Warning,
            detail: String::new(),
            file: None,
            remedies: vec![Remedy::EditSource(SOURCE)],
            wall_micros: 0,
            times: 1,
        }];
    });
    harness.run();
    assert_eq!(click(&mut harness, "Change source"), []);
    harness.run();
    let message = format!("Skipped: {reason}");
    assert_eq!(harness.query_all_by_label(&message).count(), 2, "the first one and the third");
    click(&mut harness, "Choose another file for 3.png");
    let at = Some((1, "/b/3.png".into()));
    let then = PlaylistRequest { source: SOURCE, pick: FileRequest::Image, at };
    let last_request = harness.state().requests.last().cloned();
    assert_eq!(last_request, Some(WindowRequest::PickThen(then.clone(), Some("/b".into()))));
    let found = vec!["/c/3.png".into()];
    harness.state_mut().screen.as_mut().unwrap().picked_then(then, found);
    let replaced = edit(&commands(&mut harness));
    let (old, new) = ("/b/3.png".into(), "/c/3.png".into());
    assert_eq!(replaced, Edit::ReplaceFile { source: SOURCE, index: 1, old, new });
    // After the studio has applied the edit, the list shows no more problems.
    make(&mut harness, &[replaced]);
    harness.state().demo.change(|snapshot| {
        snapshot.scenes.sources[0].left_out = std::sync::Arc::default();
    });
    harness.run();
    assert_eq!(harness.query_all_by_label(&message).count(), 0);
}

#[test]
fn what_is_missing_is_found_elsewhere_or_tried_again() {
    for (choice, pick, other, wanted) in [
        ("image:/a/b.png", FileRequest::Image, "/c/d.png", "image:/c/d.png"),
        ("file:/a/b.mp4", FileRequest::Video, "/c/d.mp4", "file:/c/d.mp4"),
        ("slides:/a/b", FileRequest::Slides, "/c/d", "slides:/c/d"),
        ("slides:/a/b.png", FileRequest::Slide, "/c/d.png", "slides:/c/d.png"),
        ("text-file:/a/b.txt", FileRequest::Text, "/c/d.txt", "text-file:/c/d.txt"),
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
                target: None,
                id: 7,
                problem: problem!("scene-source-failed", source = "Source 1", reason = reason),
                level: Level::Warning,
                detail: String::new(),
                file: None,
                remedies: vec![Remedy::EditSource(SOURCE)],
                wall_micros: 0,
                times: 1,
            }];
        });
        harness.run();
        assert_eq!(click(&mut harness, "Change source"), []);
        harness.run();
        harness.get_by_label("Properties of Source 1");
        harness.get_by_label(reason);
        assert_eq!(click(&mut harness, "Try again"), [Command::TryAgain]);
        click(&mut harness, "Choose…");
        let folder = std::path::Path::new(&choice[choice.find('/').unwrap()..]).parent();
        let request = WindowRequest::PickAnother(pick, SOURCE, folder.map(Into::into));
        assert_eq!(harness.state().requests.last(), Some(&request));
        harness.state_mut().screen.as_mut().unwrap().picked_another(pick, SOURCE, other.into());
        assert_eq!(shows(&commands(&mut harness)), wanted);
    }
    // A source that is not a file has no *Choose…* button.
    let harness = properties_of("color:#000000");
    assert!(harness.query_by_label("Choose…").is_none());
}

#[test]
fn what_is_selected_is_shown_in_the_inspector_and_else_it_says_so() {
    let mut harness = with(&["color:#102030", "test"]);
    let shown = |harness: &Harness<'static, Window>| {
        let tab = harness.get_by_role_and_label(Role::Tab, "Inspector");
        tab.accesskit_node().is_selected() == Some(true)
    };
    assert!(!shown(&harness));
    harness.get_by_role_and_label(Role::Tab, "Inspector").click();
    harness.run();
    harness.get_by_label("Nothing selected");
    harness.get_by_role_and_label(Role::Tab, "Broadcast").click();
    harness.run();
    source(&harness, "Source 1").click();
    harness.run();
    harness.run();
    assert!(shown(&harness));
    harness.get_by_label("Properties of Source 1");
    harness.get_by_label("Position and size");
    // Another source has its own fields, without those of the first one.
    source(&harness, "Source 2").click();
    harness.run();
    harness.run();
    harness.get_by_label("Properties of Source 2");
    assert!(harness.query_by_role_and_label(Role::CheckBox, "Gradient").is_none());
    // A locked item cannot be moved.
    make(&mut harness, &[Edit::LockItem(ItemId(3), true)]);
    let left = harness.get_by_role_and_label(Role::SpinButton, "Left");
    assert!(left.accesskit_node().is_disabled());
}

#[test]
fn what_is_set_fits_the_inspector_for_every_kind_of_source() {
    let size = Vec2::new(1280.0, 720.0);
    for choice in [
        "test",
        "color:#102030,#ffffff,45",
        "file:/films/opening.mp4",
        "slides:/pictures/one.png",
        "image:/pictures/one.png",
        "text:Welcome",
        "clock",
        "countdown:90",
        "screen:HDMI-1@640x480+10+0",
        "window:Editor/file 7",
        "camera:c920",
    ] {
        for language in [Language::English, Language::Chinese] {
            let mut harness = open_as("idle", size, preferences(language, Theme::Dark));
            let (name, choice) = ("Source 1".to_owned(), choice.parse().unwrap());
            make(&mut harness, &[Edit::AddSource { scene: SCENE, name, choice }]);
            displays(&mut harness);
            source(&harness, "Source 1").click();
            harness.run();
            harness.run();
            let placed =
                |node: &egui_kittest::Node<'_>| node.accesskit_node().bounding_box().is_some();
            for node in harness.root().children_recursive().filter(placed) {
                let (rect, label) = (node.rect(), node.accesskit_node().label());
                let fits = rect.right() <= size.x + 0.5;
                assert!(label.is_none() || fits, "{label:?} {rect:?}");
            }
        }
    }
}
