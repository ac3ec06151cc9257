//! Tests of the keyboard focus: each control that Tab reaches has a name and a visible ring, and Tab
//! follows the reading order.

use egui::accesskit::NodeId;
use egui::{Rect, Shape};
use onair::studio::live::view::LiveState;
use onair::ui::style::theme::FOCUS_RING_WIDTH;

use super::*;

/// No window has more controls.
const MAX_STOPS: usize = 250;
/// Scrolling to a control may need this many frames.
const MAX_SCROLL_FRAMES: usize = 4;
/// A ring is at most this far outside of its control, in points.
const RING_DISTANCE: f32 = 5.0;

/// Returns the strokes that are as wide as a ring, each with the area in which it is visible.
fn rings(harness: &Harness<'static, Window>) -> Vec<(Rect, Rect)> {
    fn each(shape: &Shape, clip: Rect, found: &mut Vec<(Rect, Rect)>) {
        let (place, stroke) = match shape {
            Shape::Vec(all) => return all.iter().for_each(|shape| each(shape, clip, found)),
            Shape::Rect(it) => (it.rect, it.stroke),
            Shape::Circle(it) => {
                (Rect::from_center_size(it.center, Vec2::splat(2.0 * it.radius)), it.stroke)
            }
            _ => return,
        };
        if (stroke.width - FOCUS_RING_WIDTH).abs() < 0.01 && stroke.color.a() > 0 {
            found.push((place, clip));
        }
    }
    let mut found = Vec::new();
    harness.output().shapes.iter().for_each(|it| each(&it.shape, it.clip_rect, &mut found));
    found
}

/// Returns the control with the focus: its id, its name and its place.
fn focused(harness: &Harness<'static, Window>) -> Option<(NodeId, String, Rect)> {
    let node = harness.root().children_recursive().find(|node| node.is_focused())?;
    let inner = node.accesskit_node();
    let name = inner.label().or_else(|| inner.value()).unwrap_or_default();
    Some((inner.locate().0, name, node.rect()))
}

fn place_of(harness: &Harness<'static, Window>, id: NodeId) -> Option<Rect> {
    let is_it = |node: &egui_kittest::Node<'_>| node.accesskit_node().locate().0 == id;
    harness.root().children_recursive().find(is_it).map(|node| node.rect())
}

/// Returns true if a visible ring that is not among `known` belongs to the control with the focus. A
/// slider has its ring around its handle.
fn has_ring(harness: &Harness<'static, Window>, known: &[(Rect, Rect)]) -> bool {
    let Some((.., place)) = focused(harness) else { return false };
    rings(harness).iter().any(|it| is_ring_of(place, *it) && !known.contains(it))
}

fn is_ring_of(place: Rect, (ring, clip): (Rect, Rect)) -> bool {
    let is_around = ring.expand(RING_DISTANCE).contains_rect(place);
    (is_around || place.contains(ring.center())) && clip.contains(ring.center())
}

/// Returns true if a reader comes to `to` before `from`. A column further to the right comes later.
fn is_before(to: Rect, from: Rect) -> bool {
    let shared = from.bottom().min(to.bottom()) - from.top().max(to.top());
    if shared >= from.height().min(to.height()) / 2.0 {
        let nested = from.contains(to.center()) || to.contains(from.center());
        return !nested && to.left() < from.left();
    }
    to.bottom() <= from.top() && to.left() < from.right()
}

/// Presses Tab until the focus is back at the first control. Returns what is wrong.
fn faults(harness: &mut Harness<'static, Window>, what: &str, in_order: bool) -> Vec<String> {
    let mut faults = Vec::new();
    let mut visited: Vec<(NodeId, String)> = Vec::new();
    for _ in 0..MAX_STOPS {
        // After scrolling, the next control and its ring may be where this one was.
        let now = focused(harness).map(|(.., place)| place);
        let mut known = rings(harness);
        known.retain(|it| now.is_none_or(|place| !is_ring_of(place, *it)));
        harness.key_down(Key::Tab);
        harness.step();
        // From the last control, Tab needs a second frame to the first one.
        let begins_again = focused(harness).is_none();
        harness.key_up(Key::Tab);
        harness.step();
        for _ in 0..MAX_SCROLL_FRAMES {
            if !has_ring(harness, &known) {
                harness.step();
            }
        }
        let Some((id, name, place)) = focused(harness) else {
            faults.push(format!("{what}: nothing has the focus after {:?}", visited.last()));
            break;
        };
        if let Some(at) = visited.iter().position(|(it, _)| *it == id) {
            if at > 0 {
                faults.push(format!("{what}: Tab returns to {name}, not to the first control"));
            }
            break;
        }
        if name.is_empty() {
            faults.push(format!("{what}: no name at {place:?} after {:?}", visited.last()));
        }
        if !has_ring(harness, &known) {
            faults.push(format!("{what}: no ring around {name:?} at {place:?}"));
        }
        if in_order
            && !begins_again
            && let Some((before, from)) = visited.last()
            && let Some(from_place) = place_of(harness, *before)
            && is_before(place, from_place)
        {
            faults.push(format!("{what}: {name:?} {place:?} comes after {from:?} {from_place:?}"));
        }
        visited.push((id, name));
    }
    if visited.len() < 2 {
        faults.push(format!("{what}: Tab reaches only {visited:?}"));
    }
    faults
}

#[test]
fn on_every_page_the_focus_is_visible_and_moves_in_reading_order() {
    let mut found = Vec::new();
    for state in
        ["notices", "mixer", "scenes", "recordings", "watch-behind", "watch-wall", "watch-chat"]
    {
        found.extend(faults(&mut open(state), state, true));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_button_keeps_the_focus_when_the_recording_beside_it_ends() {
    let mut harness = open("on-air-recording");
    let name = "Take a screenshot (Ctrl+G)";
    harness.get_by_label(name).focus();
    harness.run();
    harness.state().demo.change(|snapshot| snapshot.recording = None);
    harness.run();
    assert_eq!(focused(&harness).map(|(_, name, _)| name).as_deref(), Some(name));
}

#[test]
fn after_enter_in_a_field_tab_continues_there_and_undo_works() {
    let mut harness = open("mixer");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    let fields = [(Role::TextInput, "Name"), (Role::SpinButton, "Sync offset")];
    let enter_field = |harness: &mut Harness<'static, Window>, (role, name): (Role, &str)| {
        harness.get_all_by_role_and_label(role, name).next().unwrap().focus();
        harness.run();
    };
    let id_of_focused = |harness: &Harness<'static, Window>| focused(harness).map(|(id, ..)| id);
    let mut neighbors = Vec::new();
    for field in fields {
        for modifiers in [Modifiers::NONE, Modifiers::SHIFT] {
            enter_field(&mut harness, field);
            harness.key_press_modifiers(modifiers, Key::Tab);
            harness.run();
            neighbors.push((field, modifiers, id_of_focused(&harness)));
        }
    }
    for (field, modifiers, neighbor) in neighbors {
        enter_field(&mut harness, field);
        harness.event(egui::Event::Text("5".into()));
        harness.run();
        harness.key_press(Key::Enter);
        let sent = commands(&mut harness);
        assert_eq!(id_of_focused(&harness), None, "{field:?}: {sent:?}");
        for command in sent {
            if let Command::RenameStrip { id, name } = command {
                harness.state().demo.change(|snapshot| {
                    let strip = snapshot.strips.iter_mut().find(|it| it.audio.id == id).unwrap();
                    strip.audio.name = name;
                });
            }
        }
        harness.state().demo.change(|snapshot| snapshot.scenes.can_undo = true);
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        assert_eq!(commands(&mut harness), [Command::Undo], "{field:?}");
        harness.key_press_modifiers(modifiers, Key::Tab);
        // The field does not bring its old text back.
        let sent = commands(&mut harness);
        let renames = sent.iter().any(|it| matches!(it, Command::RenameStrip { .. }));
        assert!(!renames, "{field:?}: {sent:?}");
        assert!(neighbor.is_some() && id_of_focused(&harness) == neighbor, "{field:?}");
    }
}

fn name_of_focused(harness: &Harness<'static, Window>) -> String {
    focused(harness).map(|(_, name, _)| name).unwrap_or_default()
}

#[test]
fn after_a_removal_the_focus_stays_in_the_list_of_sources() {
    let mut harness = super::building::with(&["test", "clock"]);
    source(&harness, "Source 1").focus();
    harness.run();
    let delete = |repeat| egui::Event::Key {
        key: Key::Delete,
        physical_key: None,
        pressed: true,
        repeat,
        modifiers: Modifiers::NONE,
    };
    for next in ["HD Pro Webcam C920", "Source 2", "Add source…"] {
        harness.event(delete(false));
        let removed = super::building::edit(&commands(&mut harness));
        super::building::make(&mut harness, &[removed]);
        assert_eq!(name_of_focused(&harness), next);
        // A held key does not remove the next source.
        harness.event(delete(true));
        assert_eq!(commands(&mut harness), []);
        harness.key_up(Key::Delete);
        harness.run();
    }
}

#[test]
fn after_a_removal_the_next_target_has_the_focus() {
    let mut harness = open("custom");
    harness.get_by_role_and_label(Role::Button, "live.example.com").click();
    harness.run();
    harness.get_by_label("Remove target and key").focus();
    harness.run();
    drop(commands(&mut harness));
    harness.key_press(Key::Enter);
    assert_eq!(commands(&mut harness), [Command::RemoveTarget(1)]);
    assert_eq!(name_of_focused(&harness), "Built-in server");
}

#[test]
fn the_focus_returns_after_a_menu_a_list_and_a_dialog() {
    let mut harness = open("idle");
    let press = |harness: &mut Harness<'static, Window>, key: Key| {
        harness.key_press(key);
        harness.run();
        harness.run();
    };
    let named = |harness: &Harness<'static, Window>| {
        focused(harness).map(|(_, name, _)| name).unwrap_or_default()
    };
    let row = "HD Pro Webcam C920";
    for line in [None, Some("Copy")] {
        source(&harness, row).focus();
        harness.run();
        press(&mut harness, Key::Menu);
        if let Some(line) = line {
            harness.get_by_role_and_label(Role::MenuItemRadio, line).focus();
            harness.run();
            assert_eq!(named(&harness), line);
        }
        press(&mut harness, if line.is_some() { Key::Enter } else { Key::Escape });
        assert!(harness.query_by_role(Role::MenuItemRadio).is_none(), "{line:?}");
        assert_eq!(named(&harness), row, "{line:?}");
    }
    let button = "Add audio…";
    harness.get_by_role_and_label(Role::Button, button).focus();
    harness.run();
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::MenuItemRadio, "Default microphone").focus();
    harness.run();
    press(&mut harness, Key::Escape);
    assert_eq!(named(&harness), button);
    for closes in [Key::Escape, Key::Enter] {
        press(&mut harness, Key::F1);
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(Dialog::Help));
        harness.get_by_role_and_label(Role::Button, "Close").focus();
        harness.run();
        press(&mut harness, closes);
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), None);
        assert_eq!(named(&harness), button, "{closes:?}");
    }
    // *Add source* and the wait for the desktop's file dialog are dialogs, too.
    let button = "Add source…";
    harness.get_by_role_and_label(Role::Button, button).focus();
    harness.run();
    press(&mut harness, Key::Enter);
    assert_eq!(named(&harness), "Search sources");
    press(&mut harness, Key::Escape);
    assert!(!harness.state().screen.as_ref().unwrap().asks());
    assert_eq!(named(&harness), button);
    harness.state_mut().screen.as_mut().unwrap().set_file_wait(true);
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Cancel").focus();
    harness.run();
    press(&mut harness, Key::Enter);
    assert!(harness.state().requests.contains(&WindowRequest::FilesChosen(None)));
    assert_eq!(named(&harness), button);
    // The item of a menu that opens a dialog is gone when the dialog closes.
    let row = "Main";
    harness.get_by_role_and_label(Role::RadioButton, row).focus();
    harness.run();
    press(&mut harness, Key::Menu);
    let line = "Transition to this scene…";
    harness.get_by_role_and_label(Role::MenuItemRadio, line).focus();
    harness.run();
    press(&mut harness, Key::Enter);
    assert!(harness.state().screen.as_ref().unwrap().asks());
    harness.get_by_role_and_label(Role::Button, "Close").focus();
    harness.run();
    press(&mut harness, Key::Escape);
    assert!(!harness.state().screen.as_ref().unwrap().asks());
    assert_eq!(named(&harness), row);
    // Escape in the list of a field keeps its dialog open.
    settings_page(&mut harness, "General");
    let list = "Language";
    harness.get_by_role_and_label(Role::ComboBox, list).focus();
    harness.run();
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::MenuItemRadio, "English").focus();
    harness.run();
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_role(Role::MenuItemRadio).is_none());
    assert_eq!(named(&harness), list);
}

#[test]
fn the_switch_of_a_target_keeps_the_focus_when_the_broadcast_begins() {
    let mut harness = open("idle");
    let name = "Send to Built-in server";
    harness.get_by_label(name).focus();
    harness.run();
    harness.state().demo.change(|snapshot| snapshot.live = LiveState::OnAir);
    harness.run();
    assert_eq!(focused(&harness).map(|(_, name, _)| name).as_deref(), Some(name));
}

#[test]
fn in_the_inspector_and_between_panels_the_focus_is_visible() {
    let mut found = Vec::new();
    for (state, selected) in [("properties", "Title"), ("media", "Opening")] {
        let mut harness = open(state);
        source(&harness, selected).click();
        harness.run();
        harness.run();
        found.extend(faults(&mut harness, selected, true));
    }
    let mut harness = open("filters");
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    found.extend(faults(&mut harness, "filters", true));
    // Parts of panels beside each other may overlap in height.
    let mut chosen = preferences(Language::English, Theme::Dark);
    chosen.panels.layout = "studio".to_owned();
    let mut harness = open_as("on-air", Vec2::new(1280.0, 720.0), chosen);
    found.extend(faults(&mut harness, "panels", false));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn in_dialogs_the_focus_is_visible_and_moves_in_reading_order() {
    let mut found = Vec::new();
    for page in ["Video", "Audio", "Output", "Network"] {
        let mut harness = open("mixer");
        settings_page(&mut harness, page);
        found.extend(faults(&mut harness, page, true));
    }
    for (dialog, what) in [(Dialog::Mixer, "mixer"), (Dialog::CollectionsAndProfiles, "parts")] {
        let mut harness = open("mixer");
        harness.state().demo.change(|snapshot| {
            snapshot.parts = std::sync::Arc::new(onair::studio::snapshot::PartsView {
                collections: vec!["Friday show".into(), "Main".into()],
                is_kept: true,
                ..Default::default()
            });
        });
        harness.state_mut().screen.as_mut().unwrap().open(dialog);
        harness.run();
        // From the mixer, Tab goes on to the rest of the window.
        found.extend(faults(&mut harness, what, dialog != Dialog::Mixer));
    }
    let mut harness = open("idle");
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Guide);
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    found.extend(faults(&mut harness, "guide", true));
    let mut harness = open("on-air");
    click(&mut harness, "Stop");
    found.extend(faults(&mut harness, "stop", true));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_ring_of_a_target_is_around_its_whole_card() {
    let mut harness = open("idle");
    harness.get_by_role_and_label(Role::Button, "Built-in server").focus();
    harness.run();
    let (.., place) = focused(&harness).unwrap();
    let switch = harness.get_by_label("Send to Built-in server").rect();
    let is_far =
        |(ring, _): &(Rect, Rect)| ring.shrink(RING_DISTANCE).contains_rect(place.union(switch));
    assert!(rings(&harness).iter().any(is_far), "{place:?} {:?}", rings(&harness));
}

#[test]
fn the_ring_of_the_canvas_is_apart_from_the_frame_of_the_preview() {
    let mut harness = open("scenes");
    harness.state().demo.change(|snapshot| {
        snapshot.scenes.preview_scene = Some(snapshot.scenes.collection.current);
    });
    harness.run();
    harness.run();
    let known = rings(&harness);
    harness.get_by_role(Role::Canvas).focus();
    harness.run();
    let (.., place) = focused(&harness).unwrap();
    let around: Vec<(Rect, Rect)> = rings(&harness)
        .into_iter()
        .filter(|it| is_ring_of(place, *it) && !known.contains(it))
        .collect();
    // The frame is two points wide.
    let [(ring, clip)] = around[..] else { panic!("{around:?}") };
    assert!(ring.contains_rect(place.expand(3.0)), "{ring:?} {place:?}");
    assert!(clip.contains_rect(ring.expand(FOCUS_RING_WIDTH)), "{ring:?} {clip:?}");
}

#[test]
fn dialogs_open_with_the_focus_on_a_control() {
    for (dialog, control) in
        [(Dialog::Settings, "General"), (Dialog::Mixer, "Voice"), (Dialog::EventLog, "Close")]
    {
        let mut harness = open("mixer");
        harness.state_mut().screen.as_mut().unwrap().open(dialog);
        harness.run();
        harness.run();
        let name = focused(&harness).map(|(_, name, _)| name);
        assert_eq!(name.as_deref(), Some(control), "{dialog:?}");
    }
}

#[test]
fn the_mixer_without_audio_sources_opens_with_the_focus_on_a_control() {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| snapshot.strips.clear());
    harness.state_mut().screen.as_mut().unwrap().open(Dialog::Mixer);
    harness.run();
    harness.run();
    let name = focused(&harness).map(|(_, name, _)| name);
    assert_eq!(name.as_deref(), Some("Close"));
}
