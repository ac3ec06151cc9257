//! Tests of sources, filters and transitions in the window.

use onair::media::NumericSettings;
use onair::media::playback_control::SkippedFile;
use onair::studio::notices::message::StudioMessage;
use onair::text::Problem;
use onair::ui::view::file_request::{
    FileRequest, FilterFile, PlaylistRequest, TransitionFile, TransitionFilePart,
};

use super::*;

/// Returns the source and the filters that a command sets.
pub(super) fn filters_set(commands: &[Command]) -> (SourceId, Vec<video::Slot>) {
    match commands {
        [Command::Edit(Edit::SetFilters(id, slots))] => (*id, slots.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn filters_of_a_source_are_added_moved_set_and_taken_away() {
    let mut harness = open("filters");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    // The topmost source is the guest.
    let (id, slots) = filters_set(&click(&mut harness, "Blue"));
    assert_eq!(id, SourceId(1));
    assert_eq!(slots[0].filter.clone().color(), Some(&mut [0, 0, 255]));
    harness.get_by_role_and_label(Role::Slider, "Similarity").set_value_accesskit(0.4);
    let mut filter = filters_set(&commands(&mut harness)).1[0].filter.clone();
    assert_eq!(*filter.values()[0], 0.4);
    harness.get_by_role_and_label(Role::CheckBox, "Chroma key").click();
    assert!(!filters_set(&commands(&mut harness)).1[0].enabled);
    assert_eq!(click(&mut harness, "Add a filter"), []);
    let (_, slots) = filters_set(&click(&mut harness, "Color correction"));
    assert_eq!(slots[1].filter.kind(), "color");
    assert_eq!(filters_set(&click(&mut harness, "Remove Chroma key")).1, []);
}

#[test]
fn filters_that_are_skipped_say_so_where_they_are_set() {
    let mut harness = open("filters");
    let slots = ["chroma-key", "beauty", "denoise"].map(|kind| video::Slot {
        enabled: kind != "denoise",
        filter: video::Filter::of_kind(kind).unwrap(),
    });
    apply(&mut harness, &Edit::SetFilters(SourceId(1), slots.to_vec()));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    let skipped_count = |harness: &Harness<'static, Window>| {
        harness.query_all_by_label_contains("Skipped until this computer").count()
    };
    assert_eq!(skipped_count(&harness), 0);
    harness.state().demo.change(|snapshot| snapshot.scenes.skips_filters = true);
    harness.run();
    // onair never skips a filter that hides something (chroma key), and denoise is off. Only beauty
    // is skipped.
    assert_eq!(skipped_count(&harness), 1);
}

/// Returns a notice about a file that cannot be used.
pub(super) fn lacking(key: &'static str, remedy: Remedy) -> Notice {
    let warning = StudioMessage::TransitionsDropped {}.notice(7, "");
    Notice { problem: Problem::of(key, Vec::new()), remedies: vec![remedy], ..warning }
}

const GONE: &str = "No such file or directory (os error 2)";

#[test]
fn a_filter_whose_file_is_missing_says_so_and_takes_another() {
    let mut harness = open("filters");
    let with_file = |kind: &str| {
        let mut filter = video::Filter::of_kind(kind).unwrap();
        filter.set_file(format!("/a/{kind}").into());
        video::Slot { enabled: true, filter }
    };
    let slots = ["lut", "watermark", "mask"].map(with_file);
    apply(&mut harness, &Edit::SetFilters(SourceId(1), slots.to_vec()));
    harness.state().demo.change(|snapshot| {
        let mut source = crate::demo::snapshot("media").scenes.sources.remove(0);
        source.id = SourceId(1);
        let skipped = |path: &str| SkippedFile { path: path.into(), reason: GONE.into() };
        source.filter_problems = vec![skipped("/a/watermark"), skipped("/a/mask")];
        snapshot.scenes.sources = vec![source];
        snapshot.notices = vec![lacking("filter-failed", Remedy::EditFilters(SourceId(1)))];
    });
    harness.run();
    // The button in the notice selects the first filter without its file.
    assert_eq!(click(&mut harness, "Change filter"), []);
    harness.run();
    assert_eq!(harness.query_all_by_label("onair cannot use this file.").count(), 2);
    harness.get_by_label("watermark");
    let message = format!("onair skips this filter because it cannot use the file: {GONE}.");
    harness.get_by_label(&message);
    assert_eq!(click(&mut harness, "Try again"), [Command::TryAgain]);
    click(&mut harness, "Choose a file…");
    let folder = Some("/a".into());
    let (source, was) = (SourceId(1), "/a/watermark".into());
    let of = FilterFile { source, index: 1, kind: "watermark", was };
    let request = WindowRequest::PickFilterFile(video::Asset::Image, of.clone(), folder);
    assert_eq!(harness.state().requests.last(), Some(&request));
    // If the filter has moved, its file still changes. If it is gone, no other filter changes.
    for (index, was, sets) in [(2, "/a/watermark", 1), (0, "/a/other", 0)] {
        let other = FilterFile { index, was: was.into(), ..of.clone() };
        let screen = harness.state_mut().screen.as_mut().unwrap();
        screen.picked_filter(&other, "/a/watermark".into());
        assert_eq!(commands(&mut harness).len(), sets, "{was}");
    }
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.picked_filter(&of, "/b/logo.png".into());
    let (_, set) = filters_set(&commands(&mut harness));
    let path = |slot: &video::Slot| slot.filter.file().unwrap().1.to_owned();
    assert_eq!(
        set.iter().map(path).collect::<Vec<_>>()[1..],
        [std::path::PathBuf::from("/b/logo.png"), "/a/mask".into()]
    );
    // Without its mask, the source is not visible.
    harness.get_by_role_and_label(Role::Button, "Mask").click_accesskit();
    harness.run();
    harness.get_by_label_contains("The source shows a placeholder until the file works");
    // A filter whose file exists shows no problem.
    harness.get_by_role_and_label(Role::Button, "LUT").click_accesskit();
    harness.run();
    assert!(harness.query_by_label_contains("cannot use this file: ").is_none());
    assert!(harness.query_by_label_contains("skips this filter").is_none());
    assert!(harness.query_by_label("Try again").is_none());
}

#[test]
fn a_transition_whose_file_is_missing_says_so_and_takes_another() {
    let mut harness = open("media");
    let stinger = Kind::Stinger(Stinger { file: "/a/swoosh.webm".into(), ..Stinger::default() });
    let transition = Transition { kind: stinger, ..Transition::default() };
    apply(&mut harness, &Edit::SetTransition(transition));
    harness.state().demo.change(|snapshot| {
        let file = SkippedFile { path: "/a/swoosh.webm".into(), reason: GONE.into() };
        snapshot.scenes.transition_problems = vec![file];
        snapshot.notices = vec![lacking("transition-failed", Remedy::EditTransition)];
    });
    harness.run();
    assert_eq!(click(&mut harness, "Change transition"), []);
    harness.run();
    harness.get_by_label(&format!(
        "onair cuts between scenes because it cannot use this file: {GONE}."
    ));
    assert_eq!(click(&mut harness, "Try again"), [Command::TryAgain]);
    click(&mut harness, "Choose…");
    let of = TransitionFile { scene: None, means: TransitionFilePart::Clip };
    let request = WindowRequest::PickTransitionFile(of, Some("/a".into()));
    assert_eq!(harness.state().requests.last(), Some(&request));
    harness.state().demo.change(|snapshot| snapshot.scenes.transition_problems.clear());
    harness.run();
    assert!(harness.query_by_label("Try again").is_none());
}

/// Returns the source and the properties that a command sets.
fn properties_set(commands: &[Command]) -> (SourceId, Properties) {
    match commands {
        [Command::Edit(Edit::SetProperties(id, properties))] => (*id, properties.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn properties_of_texts_slides_and_displays_are_set() {
    let mut harness = open("properties");
    let press = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::CheckBox, name).click_accesskit();
        commands(harness)
    };
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run();
    // The topmost source is the text.
    harness.get_by_label("Properties of Title");
    let (id, properties) = properties_set(&press(&mut harness, "Italic"));
    assert_eq!(id, SourceId(3));
    assert!(properties.text.style.italic);
    assert_eq!(properties.text.style.outline, Some((Rgba::BLACK, 4)), "the rest stays");
    harness.get_by_role_and_label(Role::SpinButton, "Size").set_value_accesskit(96.0);
    assert_eq!(properties_set(&commands(&mut harness)).1.text.style.size, 96);
    let (_, properties) = properties_set(&click(&mut harness, "Center"));
    assert_eq!(properties.text.style.align, Align::Center);
    assert_eq!(properties_set(&press(&mut harness, "Outline")).1.text.style.outline, None);
    harness.get_by_role_and_label(Role::TextInput, "Font").focus();
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Font").type_text("Noto Serif");
    harness.run();
    let typed = commands(&mut harness);
    let (_, properties) = properties_set(&typed[typed.len() - 1..]);
    assert_eq!(properties.text.style.family, "Noto Serif");
    harness.key_press(Key::Escape);
    harness.run();
    // The simulated studio does not apply the font, so the window has sent it again and again.
    harness.state().demo.taken();
    // The other sources are opened by their context menus.
    let by_menu = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_label(name).click_secondary();
        harness.run();
        assert_eq!(click(harness, "Inspector…"), []);
        harness.get_by_label(&format!("Properties of {name}"));
    };
    by_menu(&mut harness, "Album");
    let field = |harness: &mut Harness<'static, Window>, name: &str, value: f64| {
        harness.get_by_role_and_label(Role::SpinButton, name).set_value_accesskit(value);
        properties_set(&commands(harness)).1.slides
    };
    assert_eq!(field(&mut harness, "Time per slide", 8.5).time, Duration::from_millis(8_500));
    assert_eq!(field(&mut harness, "Fade", 0.0).fade, Duration::ZERO);
    let (id, properties) = properties_set(&click(&mut harness, "Shuffled"));
    assert_eq!((id, properties.slides.order), (SourceId(2), Order::Shuffled));
    assert!(!properties_set(&press(&mut harness, "Repeat")).1.slides.repeat);
    by_menu(&mut harness, "Desk");
    let (id, properties) = properties_set(&press(&mut harness, "Show the pointer"));
    assert!(id == SourceId(1) && properties.without_pointer);
}

fn transition_set(commands: &[Command]) -> Transition {
    match commands {
        [Command::Edit(Edit::SetTransition(transition))] => transition.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_transition_is_chosen_and_set() {
    let mut harness = open("media");
    let by_menu = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_label("Transition and studio mode").click();
        harness.run();
        click(harness, name)
    };
    let wipe = transition_set(&by_menu(&mut harness, "Wipe"));
    assert_eq!(wipe.kind, Kind::Luma(Wipe::default()));
    // The dialog shows the options immediately. The simulated studio still has the fade.
    harness.get_by_role_and_label(Role::SpinButton, "Duration").set_value_accesskit(1.5);
    let longer = transition_set(&commands(&mut harness));
    assert_eq!((longer.kind, longer.duration), (Kind::Fade, Duration::from_millis(1_500)));
    harness.get_by_role_and_label(Role::ComboBox, "Transition").click();
    harness.run();
    let stinger = transition_set(&click(&mut harness, "Stinger"));
    assert_eq!(stinger.kind, Kind::Stinger(Stinger::default()));
    harness.key_press(Key::Escape);
    harness.run();
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        assert!(collection.apply(&Edit::SetTransition(stinger)));
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    assert_eq!(by_menu(&mut harness, "Transition settings…"), []);
    harness.get_by_label("No file chosen. onair cuts between scenes.");
    harness.get_by_label("Choose…").click();
    harness.run();
    let clip = TransitionFile { scene: None, means: TransitionFilePart::Clip };
    assert!(harness.state().requests.contains(&WindowRequest::PickTransitionFile(clip, None)));
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.picked_transition(clip, "/v/swoosh.webp".into());
    let of = |transition: Transition| match transition.kind {
        Kind::Stinger(stinger) => stinger,
        other => panic!("{other:?}"),
    };
    assert!(of(transition_set(&commands(&mut harness))).file.ends_with("swoosh.webp"));
    harness.get_by_role_and_label(Role::SpinButton, "Transition point").set_value_accesskit(0.8);
    let stinger = of(transition_set(&commands(&mut harness)));
    assert_eq!(stinger.cut, Duration::from_millis(800));
    harness.get_by_role_and_label(Role::ComboBox, "Track matte").click();
    harness.run();
    let right = of(transition_set(&click(&mut harness, "Right half of the video (grayscale)")));
    assert_eq!(right.matte, Matte::Right);
}

#[test]
fn one_scene_gets_its_own_transition() {
    let mut harness = open("media");
    let scene = harness.state().demo.snapshot().scenes.collection.scenes[0].clone();
    let own = |commands: &[Command]| match commands {
        [Command::Edit(Edit::SetSceneTransition(id, own))] if *id == scene.id => own.clone(),
        other => panic!("{other:?}"),
    };
    harness.get_by_label(&scene.name).click_secondary();
    harness.run();
    assert_eq!(click(&mut harness, "Transition to this scene…"), []);
    harness.get_by_label(&format!("Transition to “{}”", scene.name));
    harness.get_by_label("This scene uses the default transition.");
    harness.get_by_role_and_label(Role::CheckBox, "Use a separate transition").click();
    let fade = own(&commands(&mut harness)).unwrap();
    assert_eq!(fade.kind, Kind::Fade, "it begins with that of all");
    let edit = Edit::SetSceneTransition(scene.id, Some(fade));
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        assert!(collection.apply(&edit));
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    harness.get_by_role_and_label(Role::SpinButton, "Duration").set_value_accesskit(2.0);
    assert_eq!(own(&commands(&mut harness)).unwrap().duration, Duration::from_secs(2));
    harness.get_by_role_and_label(Role::CheckBox, "Use a separate transition").click();
    assert_eq!(own(&commands(&mut harness)), None);
}

#[test]
fn a_file_goes_to_the_transition_that_it_was_asked_for() {
    let mut harness = open("media");
    let scene = harness.state().demo.snapshot().scenes.collection.scenes[0].clone();
    let set = |harness: &mut Harness<'static, Window>, edits: &[Edit]| {
        harness.state_mut().demo.change(|snapshot| {
            let mut collection = (*snapshot.scenes.collection).clone();
            assert!(edits.iter().all(|edit| collection.apply(edit)));
            snapshot.scenes.collection = std::sync::Arc::new(collection);
        });
        harness.run();
    };
    let stinger = Transition { kind: Kind::Stinger(Stinger::default()), ..Transition::default() };
    let own = Edit::SetSceneTransition(scene.id, Some(stinger.clone()));
    set(&mut harness, &[Edit::SetTransition(stinger.clone()), own]);
    let picked = |harness: &mut Harness<'static, Window>, of, path: &str| {
        harness.state_mut().screen.as_mut().unwrap().picked_transition(of, path.into());
        commands(harness)
    };
    // The user chooses a file for the transition of one scene. The file arrives while the dialog
    // shows the default transition.
    harness.get_by_label(&scene.name).click_secondary();
    harness.run();
    assert_eq!(click(&mut harness, "Transition to this scene…"), []);
    harness.get_by_label("Choose…").click();
    harness.run();
    let of = TransitionFile { scene: Some(scene.id), means: TransitionFilePart::Clip };
    assert_eq!(harness.state().requests.last(), Some(&WindowRequest::PickTransitionFile(of, None)));
    harness.key_press(Key::Escape);
    harness.run();
    harness.get_by_label("Transition and studio mode").click();
    harness.run();
    assert_eq!(click(&mut harness, "Transition settings…"), []);
    match &picked(&mut harness, of, "/v/own.webp")[..] {
        [Command::Edit(Edit::SetSceneTransition(id, Some(Transition { kind, .. })))] => {
            assert_eq!(*id, scene.id);
            assert!(kind.file().unwrap().ends_with("own.webp"));
        }
        other => panic!("{other:?}"),
    }
    // The file of the default transition can arrive while no dialog is open.
    harness.key_press(Key::Escape);
    harness.run();
    let all = TransitionFile { scene: None, ..of };
    let every = transition_set(&picked(&mut harness, all, "/v/all.webp"));
    assert!(every.kind.file().unwrap().ends_with("all.webp"));
    // If the transition has another kind by now, or is gone, the file is not applied.
    let picture = TransitionFile { means: TransitionFilePart::Image, ..all };
    assert_eq!(picked(&mut harness, picture, "/v/grey.png"), []);
    let wipe = Transition { kind: Kind::Luma(Wipe::default()), ..stinger };
    set(&mut harness, &[Edit::SetTransition(wipe), Edit::SetSceneTransition(scene.id, None)]);
    assert_eq!(picked(&mut harness, all, "/v/all.webp"), []);
    assert_eq!(picked(&mut harness, picture, "/v/grey.png"), [], "it is a pattern's now");
    assert_eq!(picked(&mut harness, of, "/v/own.webp"), []);
}

#[test]
fn what_plays_is_paused_moved_about_in_and_turned() {
    let mut harness = open("media");
    assert!(harness.query_by_label("Pause Opening").is_none(), "nothing is selected");
    source(&harness, "Opening").click();
    harness.run();
    let media = |go| [Command::Media(SourceId(2), go)];
    assert_eq!(click(&mut harness, "Pause Opening"), media(TransportCommand::Pause));
    assert_eq!(click(&mut harness, "Restart Opening"), media(TransportCommand::Restart));
    harness.get_by_label("0:42 / 3:05");
    harness.get_by_role_and_label(Role::Slider, "Position in Opening").focus();
    harness.run();
    harness.key_press(Key::ArrowRight);
    assert_eq!(commands(&mut harness), media(TransportCommand::To(Duration::from_secs(47))));
    for (key, go) in [
        (Key::Space, TransportCommand::Pause),
        (Key::Home, TransportCommand::Restart),
        (Key::ArrowLeft, TransportCommand::To(Duration::from_secs(37))),
    ] {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        assert_eq!(commands(&mut harness), media(go), "{key:?}");
    }
    harness.get_by_label("Album").click();
    harness.run();
    harness.get_by_label("3 of 12");
    let next = [Command::Media(SourceId(1), TransportCommand::Next)];
    assert_eq!(click(&mut harness, "Next item in Album"), next);
    let previous = [Command::Media(SourceId(1), TransportCommand::Previous)];
    assert_eq!(click(&mut harness, "Previous item in Album"), previous);
    // What happens to the file while it is hidden.
    source(&harness, "Opening").click_secondary();
    harness.run();
    assert_eq!(click(&mut harness, "Inspector…"), []);
    let (id, properties) = properties_set(&click(&mut harness, "Restart"));
    assert_eq!((id, properties.hidden), (SourceId(2), WhenHidden::Restarts));
    // What happens at its end.
    let (id, properties) = properties_set(&click(&mut harness, "Hold the last frame"));
    assert_eq!((id, properties.at_end), (SourceId(2), EndBehavior::Hold));
    let (_, properties) = properties_set(&click(&mut harness, "Show nothing"));
    assert_eq!(properties.at_end, EndBehavior::Clear);
}

/// Opens a list in the inspector by keyboard, because it may lie below the fold.
fn unfold(harness: &mut Harness<'static, Window>, list: &str) {
    harness.get_by_role_and_label(Role::ComboBox, list).focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

/// Opens the properties of a source by its context menu.
fn open_properties(harness: &mut Harness<'static, Window>, name: &str) {
    source(harness, name).click_secondary();
    harness.run();
    assert_eq!(click(harness, "Inspector…"), []);
    harness.get_by_label(&format!("Properties of {name}"));
}

#[test]
fn what_is_shown_for_a_source_that_is_black_is_chosen_among_its_properties() {
    let way = "If black or frozen";
    let mut harness = open("media");
    open_properties(&mut harness, "Opening");
    assert_eq!(chosen(&harness, way), "Keep it; hide it if its video is gone");
    let slate = Edit::SetFallback(SourceId(2), VideoFallback::Placeholder);
    let sent = choose(&mut harness, way, "Placeholder with the source's name");
    assert_eq!(sent, [Command::Edit(slate.clone())]);
    apply(&mut harness, &slate);
    assert_eq!(chosen(&harness, way), "Placeholder with the source's name");
    assert_eq!(
        choose(&mut harness, way, "Placeholder with the source's name"),
        [],
        "it is so already"
    );
    // Another source is selected with the pointer. A source cannot replace itself.
    unfold(&mut harness, way);
    assert!(harness.query_by_role_and_label(Role::MenuItemRadio, "Opening").is_none());
    harness.get_by_role_and_label(Role::MenuItemRadio, "Album").click();
    let album = VideoFallback::Source("slides:/album".parse().unwrap());
    let other = Edit::SetFallback(SourceId(2), album);
    assert_eq!(commands(&mut harness), [Command::Edit(other.clone())]);
    apply(&mut harness, &other);
    assert_eq!(chosen(&harness, way), "Album");
    let keep = Edit::SetFallback(SourceId(2), VideoFallback::Keep);
    assert_eq!(
        choose(&mut harness, way, "Keep it; hide it if its video is gone"),
        [Command::Edit(keep)]
    );
    // A slideshow has no fallback, because slides do not move.
    open_properties(&mut harness, "Album");
    assert!(harness.query_by_role_and_label(Role::ComboBox, way).is_none());

    // The main source has the setting if it is a camera.
    let mut harness = open("camera");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run();
    let slate = Edit::SetFallback(SourceId(0), VideoFallback::Placeholder);
    assert_eq!(
        choose(&mut harness, way, "Placeholder with the source's name"),
        [Command::Edit(slate)]
    );
}

#[test]
fn the_message_about_a_field_begins_below_it() {
    for language in [Language::English, Language::Chinese] {
        let mut harness =
            open_as("media", Vec2::new(1280.0, 720.0), preferences(language, Theme::Dark));
        let [way, hint, properties] = match language {
            Language::Chinese => ["黑屏或静止时", "黑屏、静止或没有画面", "属性…"],
            _ => ["If black or frozen", "Replaces black, frozen", "Inspector…"],
        };
        source(&harness, "Opening").click_secondary();
        harness.run();
        harness.get_by_label(properties).click();
        harness.run();
        let field = harness.get_by_role_and_label(Role::ComboBox, way).rect();
        let hint_rect = harness.get_by_label_contains(hint).rect();
        assert!((hint_rect.left() - field.left()).abs() < 1.0, "{hint_rect:?} {field:?}");
        assert!(
            hint_rect.top() >= field.bottom() && hint_rect.width() > 200.0,
            "{hint_rect:?} {field:?}"
        );
    }
}

#[test]
fn files_that_follow_a_media_file_are_added_moved_and_taken_away() {
    let mut harness = open("media");
    open_properties(&mut harness, "Opening");
    assert_eq!(click(&mut harness, "Add a file…"), []);
    let picked = WindowRequest::PickThen(
        PlaylistRequest { source: SourceId(2), pick: FileRequest::Video, at: None },
        None,
    );
    assert!(harness.state().requests.contains(&picked), "{:?}", harness.state().requests);
    for path in ["/films/second.mp4", "/films/third.mkv"] {
        apply(&mut harness, &Edit::AddFile(SourceId(2), path.into()));
    }
    // The dialog for the next file starts in the folder of the last one.
    harness.get_by_label("Add a file…").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let picked = WindowRequest::PickThen(
        PlaylistRequest { source: SourceId(2), pick: FileRequest::Video, at: None },
        Some("/films".into()),
    );
    assert!(harness.state().requests.contains(&picked), "{:?}", harness.state().requests);
    let files = |commands: &[Command]| {
        let (id, properties) = properties_set(commands);
        assert_eq!(id, SourceId(2));
        properties.files.iter().map(|it| it.display().to_string()).collect::<Vec<_>>()
    };
    for name in ["second.mp4", "third.mkv"] {
        harness.get_by_label(name);
    }
    harness.get_by_label("Move third.mkv up").focus();
    harness.run();
    harness.key_press(Key::Enter);
    let moved = files(&commands(&mut harness));
    assert_eq!(moved, ["/films/third.mkv", "/films/second.mp4"]);
    assert_eq!(click(&mut harness, "Move second.mp4 up"), [], "it is the first of them");
    let left = files(&click(&mut harness, "Remove second.mp4 from the list"));
    assert_eq!(left, ["/films/third.mkv"]);
}

#[test]
fn a_camera_is_set_by_what_its_driver_tells() {
    let mut harness = open("camera");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::E);
    harness.run();
    let set = |control: &str, value| {
        let (camera, control) = ("c920".to_owned(), control.to_owned());
        [Command::SetCamera { camera, control, value: Some(value) }]
    };
    harness.get_by_role_and_label(Role::SpinButton, "Gain").set_value_accesskit(90.0);
    assert_eq!(commands(&mut harness), set("gain", 90));
    harness.get_by_role_and_label(Role::SpinButton, "Focus (absolute)").set_value_accesskit(43.0);
    assert_eq!(commands(&mut harness), set("focus_absolute", 45), "as the driver steps");
    harness.get_by_role_and_label(Role::CheckBox, "White Balance Temperature, Auto").focus();
    harness.run();
    harness.key_press(Key::Space);
    assert_eq!(commands(&mut harness), set("white_balance_temperature_auto", 0));
    unfold(&mut harness, "Power Line Frequency");
    assert_eq!(click(&mut harness, "60 Hz"), set("power_line_frequency", 2));
    // The format is automatic until the user chooses one.
    unfold(&mut harness, "Format");
    let chosen = click(&mut harness, "1280×720 · 29.97 fps · MJPEG");
    let wanted = "camera:c920@1280x720,29.97,MJPEG".parse().unwrap();
    assert_eq!(chosen, [Command::SelectVideo(wanted)]);
    harness.run();
    unfold(&mut harness, "Format");
    let automatic = "camera:c920".parse().unwrap();
    assert_eq!(click(&mut harness, "Automatic"), [Command::SelectVideo(automatic)]);
    harness.run();
    let reset = [Command::ResetCamera("c920".into())];
    harness.get_by_label("Reset to defaults").focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), reset);
    // A control that an automatic control has taken over is disabled.
    let name = "White Balance Temperature";
    let taken_over = harness.get_by_role_and_label(Role::SpinButton, name);
    assert!(taken_over.accesskit_node().is_disabled());
}

#[test]
fn a_truncated_name_is_shown_in_a_tooltip() {
    let name = "The scene with the longest name that anybody has given to a scene";
    let mut harness = building::with(&[]);
    building::make(&mut harness, &[Edit::AddScene(name.into()), Edit::AddScene("Talk".into())]);
    for (name, tooltips) in [(name, 1), ("Talk", 0)] {
        let count = |harness: &Harness<'static, Window>| {
            shown(harness).iter().filter(|it| *it == name).count()
        };
        let before = count(&harness);
        harness.hover_at(source(&harness, name).rect().center());
        harness.run_steps(8);
        assert_eq!(count(&harness), before + tooltips, "{name}");
    }
}

#[test]
fn no_scene_is_marked_as_on_air_while_a_file_is_sent() {
    use onair::ui::style::theme::{self, size};
    let lamps = |state: &str| {
        let harness = open(state);
        let below = size::TOP_BAR_HEIGHT + size::HEALTH_BAR_HEIGHT;
        let is_lamp = |shape: &egui::Shape| match shape {
            egui::Shape::Circle(it) => {
                let at = it.center;
                it.fill == theme::Theme::DARK.live && at.x < size::LEFT_PANEL_WIDTH && at.y > below
            }
            _ => false,
        };
        harness.output().shapes.iter().filter(|it| is_lamp(&it.shape)).count()
    };
    assert_eq!((lamps("on-air"), lamps("film")), (1, 0));
}
