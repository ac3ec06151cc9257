//! Tests of the *Recordings* page, and of the card after a broadcast that opens it. The file is long because all of them
//! need the same recordings.

use super::*;
use onair::broadcast::recorder::remux::Cut;
use onair::player::{PlayerMessage, Severity};
use onair::studio::live::recording::library::RecordingsCommand;
use onair::studio::live::recording::library::view::Outcome;
use onair::studio::live::recording::library::view::{CopyProgress, FileState, RecordingFile};
use onair::studio::live::view::BroadcastTarget;
use onair::studio::notices::Notice;
use onair::studio::notices::message::StudioMessage;
use onair::studio::snapshot::TargetView;
use onair::text::problem::problem;

const FOLDER: &str = "/home/ada/Videos";

fn path(name: &str) -> PathBuf {
    PathBuf::from(FOLDER).join(name)
}

/// Returns the commands about recordings.
fn asked(commands: Vec<Command>) -> Vec<RecordingsCommand> {
    let asked = commands.into_iter().filter_map(|command| match command {
        Command::Recordings(command) => Some(command),
        _ => None,
    });
    asked.collect()
}

fn row<'h>(harness: &'h Harness<'static, Window>, name: &str) -> egui_kittest::Node<'h> {
    harness
        .query_all_by_role(Role::RadioButton)
        .find(|row| row.accesskit_node().label().is_some_and(|label| label.starts_with(name)))
        .expect(name)
}

fn select(harness: &mut Harness<'static, Window>, name: &str) {
    row(harness, name).click();
    harness.run();
    harness.run();
}

fn change(
    harness: &Harness<'static, Window>,
    change: impl FnOnce(&mut onair::studio::live::recording::library::view::RecordingsView),
) {
    harness.state().demo.change(|snapshot| {
        change(std::sync::Arc::make_mut(&mut snapshot.recordings));
    });
}

#[test]
fn the_folder_is_read_as_long_as_the_page_is_shown() {
    let mut harness = open("recordings");
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::Open]);
    let names = shown(&harness);
    for text in ["interview.mp4", "being written", "unreadable", "00:42:34"] {
        assert!(names.iter().any(|name| name.contains(text)), "{text}: {names:#?}");
    }
    assert!(names.iter().any(|name| name == "/home/ada/Videos · 81.0\u{a0}GB free"), "{names:#?}");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::Close]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::Open]);
}

#[test]
fn an_interrupted_recording_is_repaired_unless_it_is_being_written() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    assert!(harness.query_by_label("Repair").is_none());
    change(&harness, |view| {
        let FileState::Known(details) = &mut view.files[2].state else { panic!() };
        std::sync::Arc::make_mut(details).unfinished = true;
    });
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Repair").click();
    let repair = RecordingsCommand::Repair(path("interview.mp4"));
    assert_eq!(asked(commands(&mut harness)), [repair]);
    harness.state().demo.change(|snapshot| {
        let recording = Demo::new("recording").snapshot().recording.unwrap();
        let path = path("interview.mp4");
        snapshot.recording = Some(onair::studio::snapshot::RecordingFigures { path, ..recording });
    });
    harness.run();
    // A paused recording does not change, but it was not interrupted.
    let text = "This file is not finished yet. The details appear when the file is complete.";
    harness.get_by_label(text);
    for text in ["Repair", "This recording was interrupted.", "Save a copy"] {
        assert!(harness.query_by_label(text).is_none(), "{text}");
    }
}

#[test]
fn a_recording_is_played_shown_renamed_and_moved_to_the_trash_after_a_question() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    harness.get_by_role_and_label(Role::Button, "Show in folder").click();
    let show = RecordingsCommand::ShowInFolder(path("interview.mp4"));
    assert_eq!(asked(commands(&mut harness)), [show]);
    // The page explains beside the field why a name is invalid, and does not send it.
    let name = || (Role::TextInput, "Name");
    harness.get_by_role_and_label(name().0, name().1).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("a/b".into()));
    harness.run();
    harness.get_by_label("A name cannot contain /, \\ or control characters.");
    harness.key_press(Key::Enter);
    assert_eq!(asked(commands(&mut harness)), []);
    harness.get_by_role_and_label(name().0, name().1).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("Ada talks".into()));
    harness.run();
    harness.key_press(Key::Enter);
    let rename = RecordingsCommand::Rename(path("interview.mp4"), "Ada talks".into());
    assert_eq!(asked(commands(&mut harness)), [rename]);
    // The renamed recording stays selected.
    change(&harness, |view| {
        view.files[2].path = path("Ada talks.mp4");
        view.outcome = Some(Outcome {
            number: 1,
            path: path("interview.mp4"),
            now: Some(path("Ada talks.mp4")),
            failed: false,
            text: problem!("recordings-renamed", name = "Ada talks.mp4"),
        });
    });
    harness.run();
    harness.get_by_label("The recording is now called Ada talks.mp4.");
    harness.get_by_role_and_label(Role::Button, "Move to trash").click();
    assert_eq!(asked(commands(&mut harness)), []);
    harness.get_by_label("Move Ada talks.mp4 to the trash?");
    harness.get_by_role_and_label(Role::Button, "Cancel").click();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Move to trash").click();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Move to trash").click();
    let trash = RecordingsCommand::Trash(path("Ada talks.mp4"));
    assert_eq!(asked(commands(&mut harness)), [trash]);
    harness.get_by_role_and_label(Role::Button, "Play").click();
    let play = Command::Watch { url: path("Ada talks.mp4").display().to_string() };
    assert!(commands(&mut harness).contains(&play));
    assert_eq!(harness.state().screen.as_ref().unwrap().page(), Page::Watch);
}

/// Returns the name of the control with the keyboard focus.
fn focused(harness: &Harness<'static, Window>) -> String {
    let node = harness.root().children_recursive().find(|node| node.is_focused());
    node.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

#[test]
fn the_keyboard_moves_in_the_list_and_answers_the_question_about_the_trash() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "onair 2026-11-20 09-12");
    assert!(focused(&harness).starts_with("onair 2026-11-20 09-12"), "{}", focused(&harness));
    for (key, name) in [
        (Key::ArrowDown, "interview.mp4"),
        (Key::ArrowDown, "voice only.mp4"),
        (Key::ArrowUp, "interview.mp4"),
    ] {
        harness.key_press(key);
        harness.run();
        assert!(focused(&harness).starts_with(name), "{name}: {}", focused(&harness));
    }
    // The list is one stop of the Tab key.
    harness.key_press_modifiers(Modifiers::SHIFT, Key::Tab);
    harness.run();
    harness.key_press(Key::Tab);
    harness.run();
    assert!(focused(&harness).starts_with("interview.mp4"), "{}", focused(&harness));
    for key in [Key::Escape, Key::Enter] {
        harness.get_by_role_and_label(Role::Button, "Move to trash").focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.run();
        let question = harness.get_by_label("Move interview.mp4 to the trash?");
        let live = question.accesskit_node().data().live();
        assert_eq!(live, Some(egui::accesskit::Live::Polite));
        assert_eq!(focused(&harness), "Cancel");
        harness.key_press(key);
        assert_eq!(asked(commands(&mut harness)), []);
        harness.run();
        assert!(harness.query_by_label("Move interview.mp4 to the trash?").is_none(), "{key:?}");
        assert!(focused(&harness).starts_with("interview.mp4"), "{key:?}: {}", focused(&harness));
    }
}

#[test]
fn the_keys_of_a_focused_row_rename_remove_and_play() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    // A key that is held since another control had the focus does nothing.
    let delete = |pressed| egui::Event::Key {
        key: Key::Delete,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    harness.get_by_role_and_label(Role::Button, "Show in folder").focus();
    harness.run();
    harness.event(delete(true));
    harness.run();
    row(&harness, "interview.mp4").focus();
    harness.run();
    harness.event(delete(true));
    harness.run();
    assert!(harness.query_by_label("Move interview.mp4 to the trash?").is_none());
    harness.event(delete(false));
    harness.run();
    // The menu shows the keys.
    row(&harness, "interview.mp4").click_secondary();
    harness.run();
    harness.run();
    for (item, key) in [("Play", "Enter"), ("Rename", "F2"), ("Move to trash", "Delete")] {
        let item = harness.get_by_role_and_label(Role::MenuItemRadio, item);
        assert_eq!(item.accesskit_node().data().keyboard_shortcut(), Some(key));
    }
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    // New text replaces the whole name.
    row(&harness, "interview.mp4").focus();
    harness.run();
    harness.key_press(Key::F2);
    harness.run();
    harness.run();
    harness.event(egui::Event::Text("Ada".into()));
    harness.run();
    harness.key_press(Key::Enter);
    let rename = RecordingsCommand::Rename(path("interview.mp4"), "Ada".into());
    assert_eq!(asked(commands(&mut harness)), [rename]);
    // The row has the focus again.
    harness.key_press(Key::Delete);
    harness.run();
    harness.get_by_label("Move interview.mp4 to the trash?");
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    // The row has the focus again.
    harness.key_press(Key::Enter);
    let play = Command::Watch { url: path("interview.mp4").display().to_string() };
    assert!(commands(&mut harness).contains(&play));
}

#[test]
fn a_row_that_gets_the_focus_scrolls_into_view() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    harness.get_by_role_and_label(Role::Button, "Show in folder").focus();
    harness.run();
    // New recordings move the selected one out of the window.
    change(&harness, |view| {
        let file = view.files.last().unwrap().clone();
        let new = |number| RecordingFile { path: path(&format!("{number}.flv")), ..file.clone() };
        view.files.splice(0..0, (0..30).map(new));
    });
    harness.run();
    let name = "interview.mp4";
    let rect = row(&harness, name).rect();
    assert!(rect.top() > 720.0, "{rect:?}");
    // The Tab key reaches the selected row.
    row(&harness, name).focus();
    harness.run();
    harness.run();
    let (rect, is_focused) = (row(&harness, name).rect(), row(&harness, name).is_focused());
    assert!(is_focused && rect.top() > 0.0 && rect.bottom() < 720.0, "{rect:?} {is_focused}");
}

#[test]
fn the_menu_does_not_move_a_file_to_the_trash_that_is_being_written() {
    let mut harness = open("recordings");
    for (name, is_busy) in [("onair 2026-11-20 10-15-00", true), ("interview.mp4", false)] {
        row(&harness, name).click_secondary();
        harness.run();
        harness.run();
        let item = harness.get_by_role_and_label(Role::MenuItemRadio, "Move to trash");
        assert_eq!(item.accesskit_node().is_disabled(), is_busy);
        harness.key_press(Key::Escape);
        harness.run();
    }
}

#[test]
fn a_part_is_cut_at_a_keyframe_and_the_whole_is_converted() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    let button = |harness: &Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::Button, "Save a copy").accesskit_node().is_disabled()
    };
    assert!(button(&harness), "there is nothing to change yet");
    harness.get_by_role_and_label(Role::TextInput, "From").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("1:05".into()));
    harness.run();
    harness.key_press(Key::Enter);
    // The page shows the frame at which the part really begins.
    let at = Duration::from_secs(64);
    let frame = RecordingsCommand::FrameAt(path("interview.mp4"), at);
    assert_eq!(asked(commands(&mut harness)), [frame]);
    harness.get_by_label("The copy starts at the keyframe at 1:04.0.");
    harness.get_by_role_and_label(Role::Slider, "To (timeline)").set_value_accesskit(30.0);
    commands(&mut harness);
    harness.get_by_label("The end must be after the start.");
    assert!(button(&harness));
    harness.get_by_role_and_label(Role::Slider, "To (timeline)").set_value_accesskit(100.0);
    commands(&mut harness);
    harness.get_by_role_and_label(Role::Button, "Save a copy").click_accesskit();
    let part = Cut { from: at, to: Some(Duration::from_secs(100)) };
    let (from, to) = (path("interview.mp4"), path("interview part.mp4"));
    let copy = RecordingsCommand::Copy { from: from.clone(), to, part };
    assert_eq!(asked(commands(&mut harness)), [copy]);
    // The page shows the progress of the copy.
    change(&harness, |view| {
        let to = path("interview part.mp4");
        view.copy = Some(CopyProgress { from: from.clone(), to, share: 0.42, repairs: false });
    });
    harness.run();
    harness.get_by_label("Saving the copy interview part.mp4: 42 %");
    harness.get_by_role_and_label(Role::Button, "Stop copying").click_accesskit();
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::StopCopy]);
    // A repair has a progress too.
    change(&harness, |view| {
        let to = from.clone();
        view.copy = Some(CopyProgress { from: from.clone(), to, share: 0.5, repairs: true });
    });
    harness.run();
    harness.get_by_label("Repairing interview.mp4: 50 %");
    harness.get_by_role_and_label(Role::Button, "Stop the repair").click_accesskit();
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::StopCopy]);
    change(&harness, |view| view.copy = None);
    // Another recording is converted as a whole to another format.
    select(&mut harness, "onair 2026-11-20 09-12");
    choose(&mut harness, "File format", "MP4");
    harness.get_by_role_and_label(Role::Button, "Save a copy").click_accesskit();
    let from = path("onair 2026-11-20 09-12-00.mkv");
    let to = path("onair 2026-11-20 09-12-00.mp4");
    let copy = RecordingsCommand::Copy { from, to, part: Cut::default() };
    assert_eq!(asked(commands(&mut harness)), [copy]);
}

#[test]
fn the_sliders_of_a_part_move_only_when_the_user_moves_them() {
    let mut harness = open("recordings");
    // At 29.97 fps, keyframes are between the steps of the sliders.
    change(&harness, |view| {
        let FileState::Known(details) = &mut view.files[2].state else { panic!() };
        let details = std::sync::Arc::make_mut(details);
        details.duration = Duration::from_millis(65_433);
        details.keyframes = (0..32).map(|key| Duration::from_millis(key * 2_002)).collect();
    });
    commands(&mut harness);
    let cannot_save = |harness: &Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::Button, "Save a copy").accesskit_node().is_disabled()
    };
    select(&mut harness, "interview.mp4");
    assert_eq!(asked(commands(&mut harness)), []);
    assert!(cannot_save(&harness), "the whole recording is selected");
    // A slider at its end does not cut the last milliseconds off.
    for end in [30.0, 65.433] {
        harness.get_by_role_and_label(Role::Slider, "To (timeline)").set_value_accesskit(end);
        commands(&mut harness);
    }
    assert!(cannot_save(&harness));
    harness.get_by_role_and_label(Role::TextInput, "From").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.event(egui::Event::Text("0:05".into()));
    harness.run();
    harness.key_press(Key::Enter);
    let at = Duration::from_millis(4_004);
    let frame = RecordingsCommand::FrameAt(path("interview.mp4"), at);
    assert_eq!(asked(commands(&mut harness)), [frame]);
    harness.run_steps(10);
    assert_eq!(asked(commands(&mut harness)), []);
    harness.get_by_label("The copy starts at the keyframe at 0:04.0.");
    // Each key goes to the next keyframe.
    for (key, at) in [(Key::ArrowRight, 6_006), (Key::ArrowLeft, 4_004)] {
        harness.get_by_role_and_label(Role::Slider, "From (timeline)").focus();
        harness.run();
        harness.key_press(key);
        let at = Duration::from_millis(at);
        let frame = RecordingsCommand::FrameAt(path("interview.mp4"), at);
        assert_eq!(asked(commands(&mut harness)), [frame]);
    }
}

#[test]
fn closing_asks_before_it_stops_a_copy() {
    let mut harness = open("recordings");
    change(&harness, |view| {
        let (from, to) = (path("interview.mp4"), path("interview part.mp4"));
        view.copy = Some(CopyProgress { from, to, share: 0.42, repairs: false });
    });
    harness.run();
    harness.state_mut().screen.as_mut().unwrap().ask_to_close();
    harness.run();
    assert!(!harness.state().closed);
    harness.get_by_label("Close while saving a copy?");
    // The question ends with the copy.
    change(&harness, |view| view.copy = None);
    harness.run();
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
    harness.state_mut().screen.as_mut().unwrap().ask_to_close();
    harness.run();
    assert!(harness.state().closed);
}

#[test]
fn the_card_after_a_broadcast_leads_to_its_recording() {
    let mut harness = open("ended");
    for text in [
        "Broadcast ended",
        "Twitch (live.twitch.tv:1935) · Built-in server",
        "36 (<0.1\u{a0}%)",
        "Interrupted: 0:19",
        "14",
    ] {
        let names = shown(&harness);
        assert!(names.iter().any(|name| name.contains(text)), "{text}: {names:#?}");
    }
    // A computer that was too slow is not hidden behind a connection that dropped nothing.
    let skipped = |harness: &Harness<'static, Window>| {
        shown(harness).iter().any(|name| name.contains("Skipped frames") && name.contains("57"))
    };
    assert!(!skipped(&harness));
    harness.state().demo.change(|snapshot| {
        snapshot.last_broadcast.as_mut().unwrap().skipped_frames = 57;
    });
    harness.run();
    assert!(skipped(&harness), "{:#?}", shown(&harness));
    // The folder also contains other recordings.
    harness.state().demo.change(|snapshot| {
        snapshot.recordings = Demo::new("recordings").snapshot().recordings;
    });
    harness.get_by_role_and_label(Role::Button, "Show recording").click();
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().page(), Page::Recordings);
    let is_selected = harness.query_all_by_role(Role::RadioButton).any(|row| {
        let row = row.accesskit_node();
        let is_it = |name: String| name.starts_with("onair 2026-11-20 09-12-00.mkv");
        row.label().is_some_and(is_it) && row.toggled() == Some(egui::accesskit::Toggled::True)
    });
    assert!(is_selected);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Play").click();
    let sent = commands(&mut harness);
    let url = path("onair 2026-11-20 09-12-00.mkv").display().to_string();
    assert!(sent.contains(&Command::Watch { url }), "{sent:?}");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    harness.run();
    click(&mut harness, "Close the summary");
    assert!(harness.query_by_label("Broadcast ended").is_none());
}

#[test]
fn the_buttons_of_a_notice_open_the_file_that_it_names() {
    let mut harness = open("recordings");
    let names = ["onair 2026-11-20 09-12-00.mkv", "interview.mp4", "voice only.mp4"];
    let [recording, watched, repaired] = names;
    let named = |name: &str| path(name).display().to_string();
    harness.state().demo.change(|snapshot| {
        let saved = StudioMessage::RecordingSaved { path: named(recording) };
        let (severity, detail) = (Severity::Info, named(watched));
        let problem = problem!("player-saved", detail = detail.as_str());
        let stream = PlayerMessage { problem, severity, quiet: false, detail };
        let stream = StudioMessage::Player(stream);
        let repaired = StudioMessage::RecordingRepaired { path: named(repaired) };
        let messages = [saved, stream, repaired];
        snapshot.notices = (1..).zip(&messages).map(|(id, it)| it.notice(id, "")).collect();
    });
    harness.run();
    for name in names {
        harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
        harness.run();
        harness.run();
        let button = harness.query_all_by_role(Role::Button).find(|button| {
            let label = button.accesskit_node().label().unwrap_or_default();
            label.starts_with("Show recording: ") && label.contains(name)
        });
        button.unwrap().click_accesskit();
        harness.run();
        harness.run();
        let toggled = row(&harness, name).accesskit_node().toggled();
        assert_eq!(toggled, Some(egui::accesskit::Toggled::True), "{name}");
    }
    // The texts of the notice may name the file less exactly.
    let url = path("exact.mkv").display().to_string();
    harness.state().demo.change(|snapshot| {
        let saved = StudioMessage::RecordingSaved { path: named("shown.mkv") };
        snapshot.notices = vec![Notice { file: Some(url.clone().into()), ..saved.notice(3, "") }];
    });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
    harness.run();
    harness.run();
    let button = harness.query_all_by_role(Role::Button).find(|button| {
        let label = button.accesskit_node().label().unwrap_or_default();
        label.starts_with("Play: ") && label.contains("shown.mkv")
    });
    button.unwrap().click_accesskit();
    let sent = commands(&mut harness);
    assert!(sent.contains(&Command::Watch { url }), "{sent:?}");
}

#[test]
fn the_notices_of_a_replay_and_a_screenshot_show_the_file_in_its_folder() {
    let mut harness = open("recordings");
    let named = |name: &str| path(name).display().to_string();
    let screenshot = StudioMessage::SnapshotSaved { path: named("onair.png") };
    let replay = StudioMessage::ReplaySaved { path: named("replay.mkv") };
    let show = |name: &str| Command::Recordings(RecordingsCommand::ShowInFolder(path(name)));
    let play = Command::Watch { url: named("replay.mkv") };
    for (id, saved, button, wanted) in [
        (1, &screenshot, "Show in folder: ", show("onair.png")),
        (2, &replay, "Show in folder: ", show("replay.mkv")),
        (3, &replay, "Play: ", play),
    ] {
        harness.state().demo.change(|snapshot| snapshot.notices = vec![saved.notice(id, "")]);
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::N);
        harness.run();
        harness.run();
        let is_it = |it: &egui_kittest::Node<'_>| {
            let label = it.accesskit_node().label().unwrap_or_default();
            label.starts_with(button) && label.contains("saved")
        };
        harness.query_all_by_role(Role::Button).find(is_it).unwrap().click_accesskit();
        let sent = commands(&mut harness);
        assert!(sent.contains(&wanted), "{sent:?}");
        // The folder can be shown again.
        assert_eq!(sent.contains(&Command::Dismiss(id)), id == 3, "{sent:?}");
    }
}

#[test]
fn a_long_recording_name_keeps_its_end_in_the_summary() {
    let mut harness = open("ended");
    let name = "onair 2026-11-20 09-12-00 the service on Sunday with everyone.mkv";
    harness.state().demo.change(|snapshot| {
        snapshot.last_broadcast.as_mut().unwrap().recording = Some(path(name));
    });
    harness.run();
    let mut shapes = harness.output().shapes.iter().map(|it| &it.shape);
    let painted = shapes.find_map(|shape| match shape {
        egui::Shape::Text(text) if text.galley.text().starts_with("onair 2026") => {
            Some(text.galley.text().to_owned())
        }
        _ => None,
    });
    let painted = painted.unwrap();
    assert!(painted.contains('…') && painted.ends_with(".mkv"), "{painted}");
    // A screen reader says the whole name.
    harness.get_by_label(&format!("Recording: {name}"));
}

#[test]
fn the_card_after_a_broadcast_names_each_target_as_the_list_does() {
    let mut harness = open("ended");
    let server = "rtmp://live.example.com/app";
    let on_one_host = |id| Target::custom(id, server, format!("key{id}").as_str().into());
    harness.state().demo.change(|snapshot| {
        for id in [3, 4] {
            snapshot.targets.push(TargetView::idle(on_one_host(id)));
        }
        let label = "live.example.com:1935".to_owned();
        let summary = snapshot.last_broadcast.as_mut().unwrap();
        let known = |id| BroadcastTarget { id: Some(id), label: label.clone(), was_live: true };
        summary.targets = [3, 4].map(known).to_vec();
    });
    harness.run();
    let targets = |harness: &Harness<'static, Window>| {
        let mut names = shown(harness).into_iter();
        let name = names.find_map(|name| Some(name.strip_prefix("Sent to: ")?.to_owned()));
        name.unwrap_or_default()
    };
    // The built-in server is the first target in the list.
    assert_eq!(targets(&harness), "live.example.com #2 · live.example.com #3");
    harness.state().demo.change(|snapshot| {
        snapshot.targets[1].target.name = "Main stage".into();
    });
    harness.run();
    assert_eq!(targets(&harness), "Main stage · live.example.com");
    // A target without the stream is not among those that got it.
    let reach = |harness: &mut Harness<'static, Window>, was_live| {
        harness.state().demo.change(|snapshot| {
            snapshot.last_broadcast.as_mut().unwrap().targets[1].was_live = was_live;
        });
        harness.run();
    };
    reach(&mut harness, false);
    assert_eq!(targets(&harness), "Main stage");
    harness.get_by_label("Not reached: live.example.com (Warning)");
    reach(&mut harness, true);
    assert!(!shown(&harness).iter().any(|name| name.starts_with("Not reached")));
    // A target that was removed keeps the name that it had.
    harness.state().demo.change(|snapshot| drop(snapshot.targets.remove(1)));
    harness.run();
    assert_eq!(targets(&harness), "live.example.com:1935 · live.example.com");
    // The list of another profile may have a target with the same number.
    harness.state().demo.change(|snapshot| {
        snapshot.last_broadcast.as_mut().unwrap().targets[1].id = None;
    });
    harness.run();
    assert_eq!(targets(&harness), "live.example.com:1935 · live.example.com:1935");
}

#[test]
fn the_newest_recording_is_selected_as_the_page_opens_and_older_ones_are_listed_on_request() {
    let mut harness = open("recordings");
    commands(&mut harness);
    let chosen = |harness: &Harness<'static, Window>| -> Vec<String> {
        let rows = harness.query_all_by_role(Role::RadioButton);
        let selected = rows
            .filter(|row| row.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True));
        let names = selected.filter_map(|row| row.accesskit_node().label());
        // Rows of recordings contain date and size, unlike the tabs of the pages.
        names.filter(|name| name.contains(" · ")).collect()
    };
    let newest = chosen(&harness);
    let is_newest = |name: &String| name.starts_with("onair 2026-11-20 10-15-00.mp4");
    assert!(newest.len() == 1 && is_newest(&newest[0]), "{newest:?}");
    // The selected recording stays selected.
    select(&mut harness, "interview.mp4");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num3);
    commands(&mut harness);
    let chosen = chosen(&harness);
    assert!(chosen.len() == 1 && chosen[0].starts_with("interview.mp4"), "{chosen:?}");
    harness.get_by_label("Show more").click_accesskit();
    assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::ListMore]);
    // If all recordings are listed, the button is gone.
    change(&harness, |view| view.more = 0);
    harness.run();
    assert!(harness.query_by_label("Show more").is_none());
}

#[test]
fn a_new_name_is_not_lost_when_another_recording_is_selected() {
    let mut harness = open("recordings");
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    let type_name = |harness: &mut Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::TextInput, "Name").focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.event(egui::Event::Text(name.into()));
        harness.run();
    };
    type_name(&mut harness, "Ada talks");
    select(&mut harness, "voice only.mp4");
    let renames = |harness: &mut Harness<'static, Window>| {
        let mut sent = asked(commands(harness));
        sent.retain(|command| matches!(command, RecordingsCommand::Rename(..)));
        sent
    };
    let rename = RecordingsCommand::Rename(path("interview.mp4"), "Ada talks".into());
    assert_eq!(renames(&mut harness), [rename]);
    // A name that is not valid is not used.
    type_name(&mut harness, "a/b");
    select(&mut harness, "interview.mp4");
    assert_eq!(renames(&mut harness), []);
}

/// Reports the result of a change, as the studio does.
fn report(
    harness: &mut Harness<'static, Window>,
    number: u64,
    (from, now): (&str, Option<&str>),
    text: Problem,
) {
    let outcome = Outcome { number, path: path(from), now: now.map(path), failed: false, text };
    change(harness, |view| view.outcome = Some(outcome));
    harness.run();
    harness.run();
}

#[test]
fn the_keyboard_focus_stays_in_the_list_when_a_recording_is_renamed_or_removed() {
    // The studio may report the new name before or after it lists the renamed file.
    for lists_first in [false, true] {
        let mut harness = open("recordings");
        commands(&mut harness);
        select(&mut harness, "interview.mp4");
        harness.key_press(Key::F2);
        harness.run();
        harness.run();
        // A wrong name stays in its field, which keeps the focus.
        harness.event(egui::Event::Text("a/b".into()));
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.run();
        let field = harness.get_by_role_and_label(Role::TextInput, "Name");
        assert!(field.is_focused());
        assert_eq!(field.accesskit_node().value().as_deref(), Some("a/b"));
        harness.key_press(Key::Escape);
        harness.run();
        harness.run();
        assert!(focused(&harness).starts_with("interview.mp4"), "{}", focused(&harness));
        harness.key_press(Key::F2);
        harness.run();
        harness.run();
        harness.event(egui::Event::Text("Ada".into()));
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        let list = |harness: &mut Harness<'static, Window>| {
            change(harness, |view| view.files[2].path = path("Ada.mp4"));
            harness.run();
            harness.run();
        };
        if lists_first {
            list(&mut harness);
        }
        let renamed = problem!("recordings-renamed", name = "Ada.mp4");
        report(&mut harness, 1, ("interview.mp4", Some("Ada.mp4")), renamed);
        if !lists_first {
            list(&mut harness);
        }
        assert!(focused(&harness).starts_with("Ada.mp4"), "{lists_first}: {}", focused(&harness));
        commands(&mut harness);
        // The next recording replaces one that was moved to the trash, and the last one gives way to
        // the one before it.
        for (number, name, next) in
            [(2, "Ada.mp4", "voice only.mp4"), (3, "older.flv", "cut off.mkv")]
        {
            select(&mut harness, name);
            harness.key_press(Key::Delete);
            harness.run();
            harness.run();
            harness.get_by_role_and_label(Role::Button, "Move to trash").focus();
            harness.run();
            harness.key_press(Key::Enter);
            assert_eq!(asked(commands(&mut harness)), [RecordingsCommand::Trash(path(name))]);
            let list = |harness: &mut Harness<'static, Window>| {
                change(harness, |view| view.files.retain(|file| file.path != path(name)));
                harness.run();
                harness.run();
            };
            if lists_first {
                list(&mut harness);
            }
            report(&mut harness, number, (name, None), problem!("recordings-trashed", name = name));
            if !lists_first {
                list(&mut harness);
            }
            let focused = focused(&harness);
            assert!(focused.starts_with(next), "{lists_first} {name}: {focused}");
            let toggled = row(&harness, next).accesskit_node().toggled();
            assert_eq!(toggled, Some(egui::accesskit::Toggled::True), "{name}");
        }
    }
}

#[test]
fn the_result_of_a_change_is_in_sight_and_ends_with_the_selection() {
    let size = Vec2::new(960.0, 600.0);
    let mut harness = open_as("recordings", size, preferences(Language::English, Theme::Dark));
    commands(&mut harness);
    select(&mut harness, "interview.mp4");
    // The field has a name that can be seen, like the times.
    harness.get_by_role_and_label(Role::Label, "File format");
    let copied = || problem!("recordings-copied", name = "interview.mkv", seconds = "642.0");
    let text = "interview.mkv is ready: 642.0 s, copied without re-encoding.";
    let save = |harness: &Harness<'static, Window>| {
        harness.get_by_role_and_label(Role::Button, "Save a copy").rect()
    };
    choose(&mut harness, "File format", "MKV");
    harness.get_by_role_and_label(Role::Button, "Save a copy").focus();
    harness.run_steps(30);
    let before = save(&harness);
    // Without a change, there is nothing to copy, but the panel has the same height.
    choose(&mut harness, "File format", "MP4");
    harness.run_steps(30);
    assert_eq!(save(&harness), before);
    choose(&mut harness, "File format", "MKV");
    harness.get_by_role_and_label(Role::Button, "Save a copy").focus();
    harness.run_steps(30);
    report(&mut harness, 1, ("interview.mp4", Some("interview.mkv")), copied());
    assert_eq!(save(&harness), before);
    assert!(harness.get_by_role_and_label(Role::Button, "Save a copy").is_focused());
    let rect = harness.get_by_label(text).rect();
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
    assert!(window.contains_rect(rect), "{rect:?}");
    // The result of a copy of one recording is not beside another recording.
    select(&mut harness, "voice only.mp4");
    assert!(harness.query_by_label(text).is_none());
    select(&mut harness, "interview.mp4");
    assert!(harness.query_by_label(text).is_none());
    // A result that was seen does not return with the page.
    report(&mut harness, 2, ("interview.mp4", Some("interview.mkv")), copied());
    harness.get_by_label(text);
    for key in [Key::Num1, Key::Num3] {
        harness.key_press_modifiers(Modifiers::COMMAND, key);
        commands(&mut harness);
    }
    assert!(harness.query_by_label(text).is_none());
}
