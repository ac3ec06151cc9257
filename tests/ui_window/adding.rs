//! Tests of adding sources: the dialog, its lists and search, and dropped files.

use onair::capture::{Area, ScreenInfo, WindowInfo};
use onair::compose::scene::SceneId;
use onair::media::Size;
use onair::ui::view::file_request::FileRequest;

use super::building::*;
use super::*;

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
        assert_eq!(harness.state().requests.last(), Some(&WindowRequest::PickSource(pick, SCENE)));
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.picked_source(pick, SCENE, "/a/b.png".into());
        let added = placed(edit(&commands(&mut harness)));
        assert_eq!(added, ("b".into(), found.to_string(), true));
    }
}

#[test]
fn the_card_for_audio_opens_the_list_of_the_mixer() {
    let mut harness = with(&[]);
    assert_eq!(add(&mut harness, &["Audio…"]), []);
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Mixer));
    let sent = press(&mut harness, "Default microphone");
    assert_eq!(sent, [Command::AddStrip(AudioChoice::Mic(None))]);
    // The card is missing if the mixer is full.
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| {
        let strip = snapshot.strips[0].clone();
        snapshot.strips.resize(onair::studio::MAX_STRIPS, strip);
        for (number, strip) in (100..).zip(&mut snapshot.strips[1..]) {
            strip.audio.id = StripId(number);
        }
    });
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Camera");
    assert!(harness.query_by_role_and_label(Role::Button, "Audio…").is_none());
}

#[test]
fn the_first_device_has_the_focus_after_its_card_was_chosen() {
    let mut harness = with(&[]);
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Camera").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    assert!(
        harness
            .query_all_by_role_and_label(Role::RadioButton, "HD Pro Webcam C920")
            .any(|row| row.is_focused())
    );
    harness.get_by_role_and_label(Role::Button, "‹ Back").click();
    harness.run();
    harness.run();
    assert!(harness.get_by_role_and_label(Role::TextInput, "Search sources").is_focused());
}

#[test]
fn the_first_device_has_the_focus_even_if_it_appears_later() {
    let mut harness = with(&[]);
    let cameras = harness.state().demo.snapshot().cameras;
    harness.state().demo.change(|snapshot| snapshot.cameras.clear());
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Camera").click_accesskit();
    harness.run();
    harness.run();
    harness.get_by_label("Search again");
    harness.state().demo.change(|snapshot| snapshot.cameras = cameras);
    harness.run();
    harness.run();
    let mut rows = harness.query_all_by_role_and_label(Role::RadioButton, "HD Pro Webcam C920");
    assert!(rows.any(|row| row.is_focused()));
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
fn displays_windows_and_existing_sources_are_chosen_from_lists() {
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
fn the_dialog_stays_below_the_health_bar_in_a_small_window() {
    use onair::ui::style::theme::{Theme as Colors, size};

    // The harness leaves a margin around the window.
    let room = Vec2::new(980.0, 620.0);
    let below = size::TOP_BAR_HEIGHT + size::HEALTH_BAR_HEIGHT + 7.5;
    for lines in [Vec::new(), vec!["Window capture"]] {
        let mut harness = open_as("idle", room, preferences(Language::English, Theme::Dark));
        displays(&mut harness);
        add(&mut harness, &lines);
        harness.run();
        let cards = super::lists::shapes(&harness, egui::Rect::EVERYTHING);
        let cards = cards.into_iter().filter_map(|shape| match shape {
            egui::Shape::Rect(it) if it.fill == Colors::DARK.panel => Some(it.rect),
            _ => None,
        });
        let cards: Vec<egui::Rect> =
            cards.filter(|it| it.height() > 300.0 && it.width() < 900.0).collect();
        assert!(!cards.is_empty(), "{lines:?}");
        for card in cards {
            assert!(card.top() >= below && card.bottom() <= room.y, "{lines:?}: {card:?}");
        }
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
    harness.get_by_label("No sources found.");
}

#[test]
fn the_arrow_keys_reach_every_result_of_a_search() {
    let mut harness = with(&[]);
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    let press = |harness: &mut Harness<'static, Window>, key: Key| {
        harness.key_press(key);
        harness.run();
        let node = harness.root().children_recursive().find(|node| node.is_focused());
        node.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
    };
    assert_eq!(press(&mut harness, Key::ArrowDown), "Camera");
    // The last row of cards is as long as the others.
    harness.get_by_role_and_label(Role::Button, "Chat messages").focus();
    harness.run();
    assert_eq!(press(&mut harness, Key::ArrowDown), "Audio…");
    harness.get_by_role_and_label(Role::TextInput, "Search sources").focus();
    harness.run();
    harness.event(egui::Event::Text("c920".into()));
    harness.run();
    assert_eq!(press(&mut harness, Key::ArrowDown), "HD Pro Webcam C920");
}

#[test]
fn a_search_tells_existing_sources_from_new_ones() {
    let mut harness = with(&[]);
    let (name, choice) = ("HD Pro Webcam C920".to_owned(), VideoChoice::Test);
    make(&mut harness, &[Edit::AddSource { scene: SCENE, name: name.clone(), choice }]);
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.event(egui::Event::Text("c920".into()));
    harness.run();
    let rows = harness.query_all_by_role_and_label(Role::RadioButton, &name);
    let second = rows.map(|row| row.accesskit_node().data().description().map(str::to_owned));
    let second: Vec<_> = second.collect();
    let existing = second.iter().filter(|it| it.as_deref() == Some("Existing source")).count();
    assert_eq!(existing, 1, "{second:?}");
}

#[test]
fn home_and_end_reach_the_ends_of_a_menu() {
    let mut harness = open("idle");
    harness.get_by_label("Add a target").focus();
    harness.run();
    for key in [Key::Enter, Key::ArrowDown] {
        harness.key_press(key);
        harness.run();
        harness.run();
    }
    for (key, name) in [(Key::End, "Your own services"), (Key::Home, "Custom server")] {
        harness.key_press(key);
        harness.run();
        assert!(harness.get_by_role_and_label(Role::MenuItemRadio, name).is_focused(), "{key:?}");
    }
    // The last item of this menu opens a submenu.
    let mut harness = with(&["test"]);
    source(&harness, "Source 1").focus();
    harness.run();
    harness.key_press(Key::Menu);
    harness.run();
    let (first, last) = ((Role::MenuItemRadio, "Inspector…"), (Role::MenuItem, "Projector"));
    harness.get_by_role_and_label(first.0, first.1).focus();
    harness.run();
    for (key, (role, name)) in [(Key::End, last), (Key::Home, first), (Key::End, last)] {
        harness.key_press(key);
        harness.run();
        assert!(harness.get_by_role_and_label(role, name).is_focused(), "{key:?}");
    }
}

#[test]
fn after_a_search_enter_presses_the_card_that_has_the_focus() {
    let mut harness = with(&[]);
    harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
    harness.run();
    harness.event(egui::Event::Text("text".into()));
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Text from a file…").focus();
    harness.run();
    harness.key_press(Key::Enter);
    let mut sent = commands(&mut harness);
    sent.retain(|command| *command != Command::RefreshDevices);
    assert_eq!(sent, []);
    let wanted = WindowRequest::PickSource(FileRequest::Text, SCENE);
    assert_eq!(harness.state().requests.last(), Some(&wanted));
}

#[test]
fn a_new_source_is_selected_and_its_menu_opens_by_key() {
    let mut harness = with(&[]);
    let added = edit(&add(&mut harness, &["Test pattern"]));
    make(&mut harness, &[added]);
    harness.get_by_label_contains("move the selected source Test pattern");
    // The keys act on the new source at once.
    assert!(source(&harness, "Test pattern").is_focused());
    for shift in [false, true] {
        source(&harness, "Test pattern").click();
        harness.run();
        assert!(source(&harness, "Test pattern").is_focused());
        match shift {
            true => harness.key_press_modifiers(Modifiers::SHIFT, Key::F10),
            false => harness.key_press(Key::Menu),
        }
        harness.run();
        assert_eq!(edit(&press(&mut harness, "Remove")), Edit::RemoveItem(ITEM));
        harness.run();
    }
    harness.get_by_role_and_label(Role::RadioButton, "Main").click();
    assert_eq!(commands(&mut harness), [Command::SwitchScene(SCENE)]);
    harness.key_press(Key::Menu);
    harness.run();
    assert_eq!(edit(&press(&mut harness, "Duplicate")), Edit::DuplicateScene(SCENE));
}

#[test]
fn a_source_that_arrives_right_after_the_dialog_has_the_focus() {
    let mut harness = with(&[]);
    harness.get_by_role_and_label(Role::Button, "Add source…").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Test pattern").focus();
    harness.run();
    drop(commands(&mut harness));
    harness.key_down(Key::Enter);
    harness.step();
    let sent = harness.state().demo.taken();
    let added = sent.into_iter().find_map(|command| match command {
        Command::Edit(edit) => Some(edit),
        _ => None,
    });
    harness.state().demo.change(|snapshot| {
        let collection = std::sync::Arc::make_mut(&mut snapshot.scenes.collection);
        assert!(collection.apply(&added.expect("a source is added")));
    });
    harness.step();
    harness.key_up(Key::Enter);
    harness.run();
    assert!(source(&harness, "Test pattern").is_focused());
}

#[test]
fn the_keys_of_the_list_act_on_the_row_that_was_clicked() {
    let mut harness = with(&["test", "clock"]);
    source(&harness, "Source 1").click();
    assert_eq!(commands(&mut harness), []);
    // Tab continues at the row.
    harness.key_press(Key::Tab);
    harness.run();
    assert!(harness.get_by_label("Hide Source 1").is_focused());
    source(&harness, "Source 1").click();
    assert_eq!(commands(&mut harness), []);
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(edit(&commands(&mut harness)), Edit::MoveItem(ITEM, 2));
    harness.key_press(Key::Delete);
    assert_eq!(edit(&commands(&mut harness)), Edit::RemoveItem(ITEM));
    // A duplicate takes the keys from the row.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::D);
    let copied = edit(&commands(&mut harness));
    assert_eq!(copied, Edit::DuplicateItem(ITEM));
    make(&mut harness, &[copied]);
    assert_eq!(commands(&mut harness), [], "the selection changes no item");
    harness.key_press(Key::Delete);
    assert_eq!(edit(&commands(&mut harness)), Edit::RemoveItem(ItemId(4)));
    // A duplicate that is made on the canvas leaves the keys to the canvas.
    harness.get_by_label_contains("move the selected source Source 1").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::D);
    let copied = edit(&commands(&mut harness));
    make(&mut harness, &[copied]);
    assert!(harness.get_by_label_contains("move the selected source Source 1").is_focused());
}

#[derive(Debug)]
struct DroppedFile(std::path::PathBuf);

impl egui::DroppedFile for DroppedFile {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not needed".to_owned())
    }
}

/// Returns the commands sent when these files are dropped on the window.
fn drop_files<P: Into<std::path::PathBuf>>(
    harness: &mut Harness<'static, Window>,
    paths: impl IntoIterator<Item = P>,
) -> Vec<Command> {
    let files = paths.into_iter().map(|path| DroppedFile(path.into()));
    let files = files.map(|it| std::sync::Arc::new(it) as egui::DroppedFileHandle);
    harness.input_mut().dropped_files = files.collect();
    harness.run();
    commands(harness)
}

#[test]
fn dropped_files_and_addresses_become_sources() {
    let mut harness = with(&[]);
    let sent = drop_files(&mut harness, ["/v/song.mp3", "/v/film.mp4", "/v/logo.png"]);
    let [strip, Command::Edit(Edit::Several(edits))] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(*strip, Command::AddStrip(AudioChoice::File("/v/song.mp3".into())));
    let sources: Vec<_> = edits.iter().cloned().map(placed).collect();
    let wanted = [("film", "file:/v/film.mp4"), ("logo", "image:/v/logo.png")];
    assert_eq!(sources, wanted.map(|(name, choice)| (name.to_owned(), choice.to_owned(), true)));
    // In an empty scene, only the first file fills the program.
    make(&mut harness, &[Edit::RemoveItem(ItemId(1))]);
    drop(commands(&mut harness));
    let sent = drop_files(&mut harness, ["/v/film.mp4", "/v/logo.png"]);
    let [Command::Edit(Edit::Several(edits))] = sent.as_slice() else { panic!("{sent:?}") };
    let small: Vec<bool> = edits.iter().cloned().map(|edit| placed(edit).2).collect();
    assert_eq!(small, [false, true]);
    // The name of an address has neither its login nor its path.
    let url = "rtmp://ada:secret@live.example.com:1935/app/key".to_owned();
    let drop_address = |harness: &mut Harness<'static, Window>| {
        harness.state_mut().screen.as_mut().unwrap().dropped_address(url.clone());
        commands(harness)
    };
    match edit(&drop_address(&mut harness)) {
        Edit::PlaceSource { scene: SCENE, name, choice, .. } => {
            assert_eq!(
                (name.as_str(), choice),
                ("live.example.com", VideoChoice::Stream(url.clone()))
            );
        }
        other => panic!("{other:?}"),
    }
    // On the *Watch* page, it is played.
    harness.state_mut().screen.as_mut().unwrap().set_page(Page::Watch);
    harness.run();
    drop(commands(&mut harness));
    let sent = drop_address(&mut harness);
    assert_eq!(sent, [Command::Watch { url }]);
}

#[test]
fn files_beyond_the_limit_are_reported_when_they_are_dropped() {
    let mut harness = open("idle");
    let mut drop_files =
        |count: usize| drop_files(&mut harness, (0..count).map(|it| format!("/pictures/{it}.png")));
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

#[test]
fn a_stream_is_added_only_with_the_address_that_the_user_enters() {
    let mut harness = with(&[]);
    assert_eq!(add(&mut harness, &["Media source: stream"]), [], "nothing connects yet");
    let field = harness.get_by_role_and_label(Role::TextInput, "Address");
    assert!(field.is_focused() && field.value().unwrap_or_default().is_empty());
    assert!(harness.get_by_role_and_label(Role::Button, "Add").accesskit_node().is_disabled());
    let warning = "This is the address of your own stream.";
    harness.state().demo.change(|snapshot| snapshot.server.rtmp = "rtmp://127.0.0.1:1935".into());
    harness.event(egui::Event::Text("rtmp://127.0.0.1/live/onair".into()));
    harness.run();
    assert!(harness.query_by_label_contains(warning).is_some());
    harness.event(egui::Event::Text("2".into()));
    harness.run();
    assert!(harness.query_by_label_contains(warning).is_none());
    harness.key_press(Key::Enter);
    let (name, content, _) = placed(edit(&commands(&mut harness)));
    assert_eq!(
        (&*name, &*content),
        ("Media source: stream", "stream:rtmp://127.0.0.1/live/onair2")
    );
}

#[test]
fn other_programs_words_find_kinds_of_sources() {
    for (word, card) in [
        ("webcam", "Camera"),
        ("monitor", "Display capture"),
        ("game", "Window capture"),
        ("logo", "Image…"),
        ("timer", "Countdown"),
        ("mic", "Audio…"),
        ("browser", "Browser page"),
        ("alert", "Browser page"),
        ("overlay", "Browser page"),
    ] {
        let mut harness = with(&[]);
        harness.get_by_role_and_label(Role::Button, "Add source…").click_accesskit();
        harness.run();
        harness.event(egui::Event::Text(word.into()));
        harness.run();
        harness.get_by_role_and_label(Role::Button, card);
    }
}
