//! Tests of onair's own file chooser: by keyboard, with typed paths, and with invalid input.

use onair::ui::ChooserKind;

use super::*;

/// Creates a folder that contains media files, a text file and a folder, and opens the chooser in
/// it.
fn chooser(kind: ChooserKind) -> (tempfile::TempDir, Harness<'static, Window>) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["film.mp4", "other.mp4", "note.txt"] {
        std::fs::write(folder.path().join(name), "x").unwrap();
    }
    std::fs::create_dir(folder.path().join("inner")).unwrap();
    std::fs::write(folder.path().join("inner/deep.mp4"), "x").unwrap();
    let mut harness = open("idle");
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.choose_file(&ctx, kind, Some(folder.path().to_owned()));
    shows(&mut harness, "inner");
    (folder, harness)
}

/// Waits until the chooser lists this name.
fn shows(harness: &mut Harness<'static, Window>, name: &str) {
    until(harness, name, |harness| harness.query_by_label(name).is_some());
}

fn until(
    harness: &mut Harness<'static, Window>,
    what: &str,
    done: impl Fn(&Harness<'static, Window>) -> bool,
) {
    for _ in 0..500 {
        harness.run();
        if done(harness) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: {:?}", shown(harness));
}

fn chosen(harness: &Harness<'static, Window>) -> Option<Option<Vec<PathBuf>>> {
    harness.state().requests.iter().find_map(|request| match request {
        WindowRequest::FilesChosen(paths) => Some(paths.clone()),
        _ => None,
    })
}

fn type_path(harness: &mut Harness<'static, Window>, name: &str, text: &str) {
    harness.get_by_role_and_label(Role::TextInput, name).focus();
    harness.run();
    harness.event(egui::Event::Text(text.into()));
    harness.run();
    harness.key_press(Key::Enter);
}

fn films() -> ChooserKind {
    ChooserKind::Files { endings: vec!["mp4".into()], several: false }
}

#[test]
fn a_file_is_chosen_by_keyboard_and_files_of_other_kinds_are_hidden() {
    let (folder, mut harness) = chooser(films());
    harness.get_by_label("film.mp4");
    assert!(harness.query_by_label("note.txt").is_none());
    // Hotkeys of the window are off while the chooser is open.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::L);
    assert_eq!(commands(&mut harness), []);
    harness.get_by_label("inner").focus();
    harness.run();
    harness.key_press(Key::Enter);
    shows(&mut harness, "deep.mp4");
    harness.get_by_label("Parent folder").click();
    shows(&mut harness, "film.mp4");
    harness.get_by_label("inner").focus();
    harness.run();
    harness.key_press(Key::ArrowDown);
    harness.run();
    assert!(harness.get_by_label("film.mp4").is_focused());
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(chosen(&harness), Some(Some(vec![folder.path().join("film.mp4")])));
}

#[test]
fn a_path_is_typed_and_nonsense_is_reported() {
    let (folder, mut harness) = chooser(films());
    // No font has this character, so a box is drawn.
    harness.ctx.set_missing_glyph_policy(egui::MissingGlyphPolicy::Tofu);
    type_path(&mut harness, "Path", "no/such\u{1F4A9}");
    shows(&mut harness, "There is no file at this path.");
    assert_eq!(chosen(&harness), None);
    // What the user types now replaces the wrong path.
    harness.event(egui::Event::Text("other.mp4".into()));
    harness.run();
    harness.key_press(Key::Enter);
    until(&mut harness, "a choice", |harness| chosen(harness).is_some());
    assert_eq!(chosen(&harness), Some(Some(vec![folder.path().join("other.mp4")])));
    let (folder_2, mut harness_2) = chooser(films());
    type_path(&mut harness_2, "Path", "inner/../other.mp4");
    until(&mut harness_2, "a choice", |harness| chosen(harness).is_some());
    assert_eq!(chosen(&harness_2), Some(Some(vec![folder_2.path().join("other.mp4")])));
    drop(folder);
    // A file cannot be chosen as a folder.
    let (folder_3, mut harness_3) = chooser(ChooserKind::Folder { may_be_new: true });
    type_path(&mut harness_3, "Path", "note.txt");
    shows(&mut harness_3, "There is no folder at this path.");
    drop(folder_3);
    // The chooser asks for a file if none is selected. Escape closes it without a file.
    let (_folder, mut harness) = chooser(films());
    click(&mut harness, "Choose");
    harness.get_by_label("Choose a file first.");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(chosen(&harness), Some(None));
}

/// The keys of the page, such as Escape, do not act under the chooser.
#[test]
fn escape_closes_the_chooser_on_the_watch_page() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = open("watching");
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.choose_file(&ctx, films(), Some(folder.path().to_owned()));
    harness.run();
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(chosen(&harness), Some(None));
}

#[test]
fn folders_and_new_files_are_chosen() {
    let (folder, mut harness) = chooser(ChooserKind::Folder { may_be_new: false });
    assert!(harness.query_by_label("film.mp4").is_none());
    click(&mut harness, "Choose");
    assert_eq!(chosen(&harness), Some(Some(vec![folder.path().to_owned()])));
    let endings = vec!["toml".to_owned(), "json".to_owned()];
    let kind = ChooserKind::NewFile { endings, name: "scenes.toml".into() };
    let (folder, mut harness) = chooser(kind);
    std::fs::write(folder.path().join("scenes.toml"), "x").unwrap();
    click(&mut harness, "Save");
    // An existing file is replaced only after a second *Save*.
    shows(&mut harness, "This file already exists. Press Save again to replace it.");
    assert_eq!(chosen(&harness), None);
    click(&mut harness, "Save");
    until(&mut harness, "a choice", |harness| chosen(harness).is_some());
    assert_eq!(chosen(&harness), Some(Some(vec![folder.path().join("scenes.toml")])));
}

#[test]
fn a_folder_that_is_created_later_can_be_chosen_only_for_recordings() {
    for may_be_new in [false, true] {
        let (folder, mut harness) = chooser(ChooserKind::Folder { may_be_new });
        // A folder whose parent is missing too is more likely a typing error.
        type_path(&mut harness, "Path", "no/such");
        shows(&mut harness, "There is no folder at this path.");
        harness.event(egui::Event::Text("new".into()));
        harness.run();
        assert!(harness.query_by_label("There is no folder at this path.").is_none());
        harness.key_press(Key::Enter);
        if may_be_new {
            until(&mut harness, "a choice", |harness| chosen(harness).is_some());
            assert_eq!(chosen(&harness), Some(Some(vec![folder.path().join("new")])));
        } else {
            shows(&mut harness, "There is no folder at this path.");
            assert_eq!(chosen(&harness), None);
        }
    }
}

#[test]
fn a_new_folder_is_created_and_the_next_choice_begins_where_the_last_one_was() {
    let (folder, mut harness) = chooser(ChooserKind::Folder { may_be_new: false });
    harness.event(egui::Event::Text("shows".into()));
    harness.run();
    click(&mut harness, "New folder");
    shows(&mut harness, "There are no subfolders. Choose selects this folder.");
    click(&mut harness, "Choose");
    let created = folder.path().join("shows");
    assert_eq!(chosen(&harness), Some(Some(vec![created.clone()])));
    assert!(created.is_dir());
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.choose_file(&ctx, films(), None);
    shows(&mut harness, "film.mp4");
    assert!(
        harness.query_by_label("New folder").is_none(),
        "nothing is created for existing files"
    );
}

#[test]
fn choose_in_an_empty_folder_says_that_it_takes_the_folder() {
    let (folder, mut harness) = chooser(ChooserKind::Folder { may_be_new: false });
    harness.get_by_label("inner").focus();
    harness.run();
    harness.key_press(Key::Enter);
    shows(&mut harness, "There are no subfolders. Choose selects this folder.");
    click(&mut harness, "Choose");
    assert_eq!(chosen(&harness), Some(Some(vec![folder.path().join("inner")])));
}

#[test]
fn a_dialog_of_the_desktop_that_never_answers_can_be_ended() {
    for (button, request) in [
        ("Cancel", WindowRequest::FilesChosen(None)),
        ("Use onair's chooser", WindowRequest::OwnFileChooser),
    ] {
        let mut harness = open("idle");
        harness.state_mut().screen.as_mut().unwrap().set_file_wait(true);
        harness.run();
        click(&mut harness, button);
        assert!(harness.state().requests.contains(&request), "{button}");
    }
}
