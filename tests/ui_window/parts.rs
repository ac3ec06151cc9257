//! Tests of the dialog for collections and profiles, with the pointer and with the keyboard.

use std::sync::Arc;

use onair::studio::Settings;
use onair::studio::command::PartCommand;
use onair::studio::live::view::LiveState;
use onair::studio::notices::message::StudioMessage;
use onair::studio::settings::part::PartKind;
use onair::studio::settings::part::files::PartFiles;
use onair::studio::snapshot::{PartVersions, PartsView};
use onair::text::problem::problem;

use super::*;

/// Opens a window with two collections, three profiles, and the dialog that manages them.
fn opened(language: Language) -> Harness<'static, Window> {
    let mut harness = open_as("idle", Vec2::new(960.0, 600.0), preferences(language, Theme::Dark));
    harness.state().demo.change(|snapshot| {
        snapshot.parts = Arc::new(PartsView {
            collections: vec!["Friday show".into(), "Main".into()],
            profiles: vec!["Bilibili".into(), "Main".into(), "Twitch".into()],
            is_kept: true,
            ..PartsView::default()
        });
    });
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::CollectionsAndProfiles);
    harness.run();
    harness.run();
    harness
}

fn part(sent: &[Command]) -> PartCommand {
    match sent {
        [Command::Part(command)] => command.clone(),
        other => panic!("{other:?}"),
    }
}

fn type_name(harness: &mut Harness<'static, Window>, name: &str) {
    harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run();
    harness.get_by_role_and_label(Role::TextInput, "Name").type_text(name);
    harness.run();
}

#[test]
fn one_is_used_renamed_and_removed_which_asks() {
    let mut harness = opened(Language::English);
    let used = PartCommand::Use(PartKind::Collection, "Friday show".into());
    assert_eq!(part(&click(&mut harness, "Use Friday show")), used);
    // The collection in use has no *Use* button.
    assert!(harness.query_by_label("Use Main").is_none());
    assert_eq!(click(&mut harness, "Delete Friday show"), []);
    assert_eq!(click(&mut harness, "Keep it"), []);
    assert_eq!(click(&mut harness, "Delete Friday show"), []);
    let deleted = PartCommand::Delete(PartKind::Collection, "Friday show".into());
    assert_eq!(part(&click(&mut harness, "Delete")), deleted);
    // Profiles are managed in the same way, here by keyboard.
    harness.get_by_role_and_label(Role::RadioButton, "Profiles").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    let size = harness.state().demo.snapshot().quality.size;
    // The list of targets has the built-in server too.
    let summary = format!("1 target, {}×{}", size.width, size.height);
    assert!(shown(&harness).iter().any(|it| it.contains(&summary)), "{summary}");
    assert_eq!(click(&mut harness, "Rename Twitch"), []);
    type_name(&mut harness, "Twitch 1080p");
    let renamed = PartCommand::Rename {
        kind: PartKind::Profile,
        was: "Twitch".into(),
        name: "Twitch 1080p".into(),
    };
    assert_eq!(part(&click(&mut harness, "Rename")), renamed);
}

#[test]
fn on_air_a_profile_cannot_be_used_and_a_refusal_ends_with_the_dialog() {
    let mut harness = opened(Language::English);
    harness.state().demo.change(|snapshot| {
        snapshot.live = LiveState::OnAir;
        let reason = problem!("part-profile-on-air");
        snapshot.notices = vec![StudioMessage::PartFailed { reason }.notice(7, "")];
    });
    harness.run();
    let used = PartCommand::Use(PartKind::Collection, "Friday show".into());
    assert_eq!(part(&click(&mut harness, "Use Friday show")), used);
    harness.get_by_role_and_label(Role::RadioButton, "Profiles").focus();
    harness.run();
    harness.key_press(Key::Enter);
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    let button = harness.get_by_label("Use Twitch");
    let node = button.accesskit_node();
    assert!(node.is_disabled());
    assert_eq!(node.data().description(), Some("Stop the broadcast and the recording first."));
    assert_eq!(click(&mut harness, "Use Twitch"), []);
    // The same applies to what would replace the profile in use.
    for (name, is_disabled) in [
        ("Duplicate…", true),
        ("Delete Main", true),
        ("Delete Twitch", false),
        ("Rename Main", false),
        ("New…", false),
    ] {
        let button = harness.get_by_role_and_label(Role::Button, name);
        assert_eq!(button.accesskit_node().is_disabled(), is_disabled, "{name}");
    }
    harness.hover_at(egui::pos2(1.0, 1.0));
    harness.run();
    harness.key_press(Key::Escape);
    assert_eq!(commands(&mut harness), [Command::Dismiss(7)]);
}

#[test]
fn enter_in_the_name_field_is_the_button_and_a_typed_name_replaces_the_old_one() {
    let mut harness = opened(Language::English);
    for (button, typed, wanted) in [
        (
            "Rename Friday show",
            "Sunday show",
            PartCommand::Rename {
                kind: PartKind::Collection,
                was: "Friday show".into(),
                name: "Sunday show".into(),
            },
        ),
        ("New…", "Talk", PartCommand::New(PartKind::Collection, "Talk".into())),
    ] {
        assert_eq!(click(&mut harness, button), []);
        harness.run();
        // An invalid name stays in the field.
        for name in ["a/b", typed] {
            let field = harness.get_by_role_and_label(Role::TextInput, "Name");
            assert!(field.is_focused(), "{button} {name}");
            harness.event(egui::Event::Text(name.into()));
            harness.run();
            harness.key_press(Key::Enter);
            if name == typed {
                break;
            }
            assert_eq!(commands(&mut harness), []);
            let field = harness.get_by_role_and_label(Role::TextInput, "Name");
            assert_eq!(field.accesskit_node().value().as_deref(), Some(name));
            harness.run();
            harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
            harness.run();
        }
        assert_eq!(part(&commands(&mut harness)), wanted);
    }
}

#[test]
fn the_keyboard_answers_the_question_before_a_removal() {
    let mut harness = opened(Language::English);
    let is_focused = |harness: &Harness<'static, Window>, name: &str| {
        harness.get_by_role_and_label(Role::Button, name).is_focused()
    };
    for key in [Key::Escape, Key::Enter] {
        harness.get_by_role_and_label(Role::Button, "Delete Friday show").focus();
        harness.run();
        harness.key_press(Key::Enter);
        harness.run();
        harness.run();
        let question = harness.get_by_label("Delete the scene collection 'Friday show'?");
        let live = question.accesskit_node().data().live();
        assert_eq!(live, Some(egui::accesskit::Live::Polite));
        assert!(is_focused(&harness, "Keep it"), "{key:?}");
        harness.key_press(key);
        assert_eq!(commands(&mut harness), []);
        harness.run();
        // Escape ends the question, not the dialog.
        assert!(is_focused(&harness, "Delete Friday show"), "{key:?}");
    }
}

#[test]
fn escape_returns_to_the_list_before_it_closes_the_dialog() {
    let mut harness = opened(Language::English);
    for (opener, focused) in [
        ("New…", "Rename Main"),
        ("Rename Friday show", "Rename Friday show"),
        ("Earlier versions of 'Friday show'", "Rename Friday show"),
    ] {
        click(&mut harness, opener);
        assert!(harness.query_by_label("New…").is_none(), "{opener}");
        harness.key_press(Key::Escape);
        assert_eq!(commands(&mut harness), [], "{opener}");
        harness.run();
        harness.get_by_label("New…");
        assert!(harness.get_by_role_and_label(Role::Button, focused).is_focused(), "{opener}");
    }
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
}

/// Returns the name of the control with the keyboard focus.
fn focused(harness: &Harness<'static, Window>) -> String {
    let node = harness.root().children_recursive().find(|node| node.is_focused());
    node.and_then(|node| node.accesskit_node().label()).unwrap_or_default()
}

#[test]
fn a_row_has_the_keyboard_focus_after_every_change() {
    let mut harness = opened(Language::English);
    // The studio lists the result later.
    let list = |harness: &mut Harness<'static, Window>, names: &[&str], in_use: &str| {
        harness.state().demo.change(|snapshot| {
            let parts = Arc::make_mut(&mut snapshot.parts);
            parts.collections = names.iter().map(|it| (*it).to_owned()).collect();
            parts.in_use.collection = in_use.into();
        });
        harness.run();
        harness.run();
        focused(harness)
    };
    let enter = |harness: &mut Harness<'static, Window>, button: &str, name: &str| {
        click(harness, button);
        harness.run();
        harness.event(egui::Event::Text(name.into()));
        harness.run();
        harness.key_press(Key::Enter);
        assert!(matches!(commands(harness)[..], [Command::Part(_)]), "{button}");
        harness.run();
        focused(harness)
    };
    assert_eq!(enter(&mut harness, "New…", "Talk"), "Rename Main");
    let names = ["Friday show", "Main", "Talk"];
    assert_eq!(list(&mut harness, &names, "Talk"), "Rename Talk");
    assert_eq!(enter(&mut harness, "Rename Talk", "About"), "Rename Talk");
    let names = ["About", "Friday show", "Main"];
    assert_eq!(list(&mut harness, &names, "About"), "Rename About");
    // The next one is in use after the deletion, and has one button less.
    click(&mut harness, "Delete About");
    click(&mut harness, "Delete");
    harness.run();
    assert_eq!(focused(&harness), "Delete Friday show");
    let names = ["Friday show", "Main"];
    assert_eq!(list(&mut harness, &names, "Friday show"), "Delete Friday show");
    // *Use* keeps the focus until its collection is in use. Enter must not delete anything then.
    harness.get_by_role_and_label(Role::Button, "Use Main").focus();
    harness.run();
    harness.key_press(Key::Enter);
    assert!(matches!(commands(&mut harness)[..], [Command::Part(PartCommand::Use(..))]));
    assert_eq!(list(&mut harness, &names, "Friday show"), "Use Main");
    assert_eq!(list(&mut harness, &names, "Main"), "Rename Main");
    // With the pointer, no row gets the focus.
    click(&mut harness, "Use Friday show");
    let focus = list(&mut harness, &names, "Friday show");
    assert!(!focus.starts_with("Delete"), "{focus}");
    assert_eq!(list(&mut harness, &names, "Main"), focus);
    click(&mut harness, "Delete Friday show");
    click(&mut harness, "Delete");
    assert_eq!(list(&mut harness, &["Main"], "Main"), "Delete Main");
    click(&mut harness, "Rename Main");
    click(&mut harness, "Cancel");
    harness.run();
    assert_eq!(focused(&harness), "Rename Main");
}

#[test]
fn a_failed_deletion_takes_the_focus_only_from_the_next_row() {
    for moves in [false, true] {
        let mut harness = opened(Language::English);
        click(&mut harness, "Delete Friday show");
        click(&mut harness, "Delete");
        harness.run();
        assert_eq!(focused(&harness), "Delete Main");
        if moves {
            harness.get_by_role_and_label(Role::Button, "New…").focus();
            harness.run();
        }
        harness.state().demo.change(|snapshot| {
            let reason = problem!("part-profile-on-air");
            snapshot.notices = vec![StudioMessage::PartFailed { reason }.notice(7, "")];
        });
        harness.run();
        harness.run();
        assert_eq!(focused(&harness), if moves { "New…" } else { "Delete Friday show" });
    }
}

#[test]
fn a_step_of_the_dialog_begins_with_the_focus_on_its_first_button() {
    let mut harness = opened(Language::English);
    harness.state().demo.change(|snapshot| {
        let (kind, name) = (PartKind::Profile, "Twitch".to_owned());
        let versions = Some(PartVersions { kind, name, versions: Vec::new() });
        Arc::make_mut(&mut snapshot.parts).versions = versions;
    });
    harness.get_by_role_and_label(Role::RadioButton, "Profiles").focus();
    harness.run();
    harness.key_press(Key::Enter);
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    for (opener, first, closer, row) in [
        ("Import…", "Choose file…", "Cancel", "Rename Main"),
        ("Earlier versions of 'Twitch'", "Back", "Back", "Rename Twitch"),
    ] {
        click(&mut harness, opener);
        harness.run();
        harness.run();
        assert_eq!(focused(&harness), first);
        click(&mut harness, closer);
        harness.run();
        harness.run();
        assert_eq!(focused(&harness), row, "{closer}");
    }
}

#[test]
fn a_late_list_of_versions_leaves_the_focus_where_it_is() {
    let mut harness = opened(Language::English);
    click(&mut harness, "Earlier versions of 'Friday show'");
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Back").focus();
    harness.run();
    harness.state().demo.change(|snapshot| {
        let (kind, name) = (PartKind::Collection, "Friday show".to_owned());
        let versions = Some(PartVersions { kind, name, versions: Vec::new() });
        Arc::make_mut(&mut snapshot.parts).versions = versions;
    });
    harness.run();
    assert_eq!(focused(&harness), "Back");
    // The list does not take the focus later, either.
    harness.ctx.memory_mut(|memory| memory.stop_text_input());
    harness.run();
    assert_eq!(focused(&harness), "");
}

#[test]
fn the_focus_returns_to_the_dialog_after_the_file_chooser() {
    let folder = tempfile::tempdir().unwrap();
    let mut harness = opened(Language::English);
    harness.get_by_role_and_label(Role::Button, "Import…").focus();
    harness.run();
    let ctx = harness.ctx.clone();
    let kind = onair::ui::ChooserKind::Files { endings: vec!["toml".into()], several: false };
    let screen = harness.state_mut().screen.as_mut().unwrap();
    screen.choose_file(&ctx, kind, Some(folder.path().to_owned()));
    harness.run();
    harness.run();
    assert_eq!(focused(&harness), "Path");
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    let dialog = harness.state().screen.as_ref().unwrap().dialog();
    assert_eq!(dialog, Some(Dialog::CollectionsAndProfiles));
    assert_eq!(focused(&harness), "Import…");
}

#[test]
fn two_lines_are_in_the_middle_of_their_row() {
    let harness = opened(Language::English);
    let rects = |wanted: &str| -> Vec<egui::Rect> {
        let labels = harness.query_all_by_role(Role::Label);
        let shown = labels.filter(|it| {
            let text = it.accesskit_node().label().or_else(|| it.accesskit_node().value());
            text.is_some_and(|text| text.starts_with(wanted))
        });
        shown.map(|it| it.rect()).collect()
    };
    let lower = rects("In use · ")[0];
    let is_above = |rect: &egui::Rect| (rect.bottom() - lower.top()).abs() < 2.0;
    let upper = rects("Main").into_iter().find(is_above).unwrap();
    let middle = harness.get_by_label("Rename Main").rect().center().y;
    let distance = upper.union(lower).center().y - middle;
    assert!(distance.abs() < 1.5, "{distance}");
}

#[test]
fn the_name_is_at_the_height_of_its_buttons() {
    let harness = opened(Language::English);
    let middle = |name: &str| harness.get_by_label(name).rect().center().y;
    let distance = middle("Friday show") - middle("Use Friday show");
    assert!(distance.abs() < 2.0, "{distance}");
}

#[test]
fn a_long_name_ends_before_the_buttons_of_its_row() {
    let mut harness = opened(Language::English);
    let [other, deleted] = ["W", "M"].map(|letter| letter.repeat(60));
    harness.state().demo.change(|snapshot| {
        let parts = Arc::make_mut(&mut snapshot.parts);
        parts.collections = vec!["Main".into(), other.clone()];
        parts.deleted_collections = vec![deleted.clone()];
    });
    harness.run();
    harness.run();
    let button = |first: &str, name: &str| harness.get_by_label(&format!("{first}{name}")).rect();
    for (name, button) in [
        (&other, button("Use ", &other)),
        (&deleted, button("Earlier versions of '", &format!("{deleted}'"))),
    ] {
        let place = harness.get_by_label(name).rect();
        assert!(place.width() > 100.0 && place.right() <= button.left(), "{place} {button}");
    }
}

#[test]
fn a_long_name_in_use_takes_one_line() {
    let mut harness = opened(Language::English);
    let name = "W".repeat(60);
    harness.state().demo.change(|snapshot| {
        let parts = Arc::make_mut(&mut snapshot.parts);
        parts.in_use.collection.clone_from(&name);
        parts.collections = vec![name.clone()];
    });
    harness.run();
    harness.run();
    let button = harness.get_by_label(&format!("Earlier versions of '{name}'")).rect();
    let place = harness.get_by_label(&name).rect();
    assert!(place.width() > 100.0 && place.right() <= button.left(), "{place} {button}");
    // A row is 44 points high, and has a second line.
    assert!(place.height() < 22.0, "{place}");
}

#[test]
fn a_bad_name_is_reported_beside_the_field_and_nothing_typed_is_lost() {
    let mut harness = opened(Language::English);
    for (name, wanted) in [
        ("a/b", "a name cannot contain"),
        ("FRIDAY show", "already exists"),
        (".x", "cannot begin with a dot"),
        (" ", "enter a name"),
    ] {
        if harness.query_by_role_and_label(Role::TextInput, "Name").is_none() {
            assert_eq!(click(&mut harness, "New…"), []);
        }
        type_name(&mut harness, name);
        assert_eq!(click(&mut harness, "Create"), []);
        assert!(shown(&harness).iter().any(|it| it.contains(wanted)), "{name:?}");
    }
    type_name(&mut harness, "Sunday 周日");
    let new = PartCommand::New(PartKind::Collection, "Sunday 周日".into());
    assert_eq!(part(&click(&mut harness, "Create")), new);
}

#[test]
fn an_unused_or_deleted_one_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let files = PartFiles::beside(&folder.path().join("settings.toml"));
    let kind = PartKind::Collection;
    files.park(kind, "Gone", &Settings::default()).unwrap();
    files.remove(kind, "Gone").unwrap();
    let versions = files.versions().described(kind, "Gone");
    let id = versions[0].id.clone();
    let mut harness = opened(Language::English);
    harness.state().demo.change(|snapshot| {
        let parts = Arc::make_mut(&mut snapshot.parts);
        parts.deleted_collections = files.deleted(kind, &Settings::default());
        let name = "Gone".to_owned();
        parts.versions = Some(PartVersions { kind, name, versions: versions.clone() });
    });
    harness.run();
    let listed = PartCommand::ListVersions(kind, "Gone".into());
    assert_eq!(part(&click(&mut harness, "Earlier versions of 'Gone'")), listed);
    let restore = format!("Restore the version from {}", versions[0].id.local_time());
    harness.run();
    assert_eq!(focused(&harness), restore);
    let restored = PartCommand::Restore { kind, name: "Gone".into(), id };
    assert_eq!(part(&click(&mut harness, &restore)), restored);
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    // The list shows the result. Another collection that is not in use has versions too.
    assert_eq!(focused(&harness), "Rename Main");
    let listed = PartCommand::ListVersions(kind, "Friday show".into());
    assert_eq!(part(&click(&mut harness, "Earlier versions of 'Friday show'")), listed);
}

#[test]
fn on_air_the_profile_in_use_is_not_restored() {
    let folder = tempfile::tempdir().unwrap();
    let files = PartFiles::beside(&folder.path().join("settings.toml"));
    let kind = PartKind::Profile;
    files.park(kind, "Main", &Settings::default()).unwrap();
    files.remove(kind, "Main").unwrap();
    let versions = files.versions().described(kind, "Main");
    let restore = format!("Restore the version from {}", versions[0].id.local_time());
    let mut harness = opened(Language::English);
    harness.state().demo.change(|snapshot| {
        snapshot.live = LiveState::OnAir;
        let versions = Some(PartVersions { kind, name: "Main".into(), versions });
        Arc::make_mut(&mut snapshot.parts).versions = versions;
    });
    harness.get_by_role_and_label(Role::RadioButton, "Profiles").focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    click(&mut harness, "Earlier versions of 'Main'");
    harness.run();
    harness.run();
    assert!(harness.get_by_label(&restore).accesskit_node().is_disabled());
    assert_eq!(focused(&harness), "Back");
    assert_eq!(click(&mut harness, &restore), []);
}

#[test]
fn the_versions_of_a_profile_tell_which_stream_keys_are_gone() {
    let mut harness = opened(Language::English);
    harness.state().demo.change(|snapshot| {
        Arc::make_mut(&mut snapshot.parts).deleted_profiles = vec!["Gone".into()];
    });
    harness.get_by_role_and_label(Role::RadioButton, "Profiles").focus();
    harness.run();
    harness.key_press(Key::Enter);
    // The dialog reaches its final position in its second frame.
    harness.run();
    harness.run();
    for (name, wanted) in [("Twitch", "a target that you removed"), ("Gone", "the stream keys")] {
        let listed = PartCommand::ListVersions(PartKind::Profile, name.into());
        let button = format!("Earlier versions of '{name}'");
        assert_eq!(part(&click(&mut harness, &button)), listed);
        harness.run();
        harness.run();
        assert!(shown(&harness).iter().any(|it| it.contains(wanted)), "{name}");
        assert_eq!(click(&mut harness, "Back"), []);
        harness.run();
        harness.run();
    }
}

#[test]
fn both_languages_fit_a_small_window() {
    for language in [Language::English, Language::Chinese] {
        let harness = opened(language);
        let buttons = harness.get_all_by_role(Role::Button);
        for button in buttons {
            let rect = button.rect();
            assert!(
                rect.min.x >= 0.0 && rect.max.x <= 960.0,
                "{:?} {rect:?}",
                button.accesskit_node().label()
            );
            assert!(
                rect.min.y >= 0.0 && rect.max.y <= 600.0,
                "{:?} {rect:?}",
                button.accesskit_node().label()
            );
        }
    }
}

#[test]
fn the_menu_of_many_collections_scrolls_to_the_last_one() {
    let size = Vec2::new(960.0, 600.0);
    let mut harness = open_as("idle", size, preferences(Language::English, Theme::Dark));
    harness.state().demo.change(|snapshot| {
        snapshot.parts = Arc::new(PartsView {
            collections: (10..50).map(|number| format!("Show {number}")).collect(),
            is_kept: true,
            ..PartsView::default()
        });
    });
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Scene collections").click();
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::MenuItemRadio, "Show 49").focus();
    harness.run_steps(30);
    let line = harness.get_by_role_and_label(Role::MenuItemRadio, "Show 49").rect();
    let window = egui::Rect::from_min_size(egui::Pos2::ZERO, size);
    assert!(window.contains_rect(line), "{line:?}");
    harness.key_press(Key::Enter);
    let used = PartCommand::Use(PartKind::Collection, "Show 49".into());
    assert_eq!(part(&commands(&mut harness)), used);
}
