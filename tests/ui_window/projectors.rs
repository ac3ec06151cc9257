//! Tests of the multiview and of projectors: their contents, their reaction to clicks, and how they
//! close.

use std::collections::BTreeMap;

use onair::compose::scene::SceneId;
use onair::compose::{ViewDetail, ViewOf};
use onair::media::Size;
use onair::studio::settings::{Panel, ProjectorContent, ProjectorPlace};
use onair::ui::Display;

use super::*;

/// Runs a command by its name in the palette, and returns what the window sends.
fn command(harness: &mut Harness<'static, Window>, words: &str) -> Vec<Command> {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text(words.into()));
    harness.run();
    harness.key_press(Key::Enter);
    // Visible thumbnails repaint without end, so the test runs a fixed number of steps.
    harness.run_steps(6);
    harness.state().demo.taken()
}

/// Opens a studio with three scenes. The first one is in the program.
fn three_scenes() -> (Harness<'static, Window>, [SceneId; 3]) {
    let mut harness = open("idle");
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        let names = ["Main", "Talk", "Break"];
        let missing = names.iter().skip(collection.scenes.len());
        for name in missing {
            assert!(collection.apply(&Edit::AddScene((*name).into())));
        }
        for (scene, name) in collection.scenes.clone().iter().zip(names) {
            collection.apply(&Edit::RenameScene(scene.id, name.into()));
        }
        collection.current = collection.scenes[0].id;
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run();
    let collection = harness.state().demo.snapshot().scenes.collection;
    assert_eq!(collection.scenes.len(), 3);
    let ids = [0, 1, 2].map(|place| collection.scenes[place].id);
    harness.state().demo.taken();
    (harness, ids)
}

fn display(name: &str, is_own: bool) -> Display {
    Display { name: name.into(), size: Size::new(1920, 1080), is_own }
}

/// Connects these displays, and returns what the window sends before it draws the next frame.
fn set_displays(harness: &mut Harness<'static, Window>, displays: &[Display]) -> Vec<Command> {
    let ctx = harness.ctx.clone();
    let screen = harness.state_mut().screen.as_mut().unwrap();
    let sent = screen.set_displays(&ctx, displays.to_vec());
    harness.run_steps(4);
    sent
}

/// Returns true if a projector with this content is drawn.
fn projects(harness: &Harness<'static, Window>, name: &str) -> bool {
    // The studio page also has an image of the program.
    let of_page = usize::from(name == "Program");
    harness.query_all_by_role_and_label(Role::Image, name).count() > of_page
}

fn press(harness: &mut Harness<'static, Window>, key: Key) -> Vec<Command> {
    harness.key_press(key);
    harness.run_steps(4);
    harness.state().demo.taken()
}

fn press_cell(harness: &mut Harness<'static, Window>, name: &str) -> Vec<Command> {
    harness.get_by_role_and_label(Role::RadioButton, name).click();
    harness.run_steps(4);
    harness.state().demo.taken()
}

#[test]
fn the_multiview_is_drawn_only_while_it_is_seen_and_shows_a_scene_by_a_click() {
    let (mut harness, ids) = three_scenes();
    let all: BTreeMap<_, _> =
        ids.iter().map(|id| (ViewOf::Scene(*id), ViewDetail::Thumbnail)).collect();
    assert_eq!(command(&mut harness, "multiview"), [Command::LookAt(all.clone())]);
    harness.get_by_role_and_label(Role::RadioButton, "Scene Main (program)");
    assert_eq!(press_cell(&mut harness, "Scene Talk"), [Command::SwitchScene(ids[1])]);
    assert_eq!(press_cell(&mut harness, "Scene Main (program)"), [], "it is there already");
    // The multiview is not visible on the *Watch* page.
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    harness.run_steps(4);
    assert_eq!(harness.state().demo.taken(), [Command::LookAt(BTreeMap::new())]);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num1);
    harness.run_steps(4);
    assert_eq!(harness.state().demo.taken(), [Command::LookAt(all)]);
    // It is not visible in a hidden window either. The window reports this once.
    let screen = harness.state_mut().screen.as_mut().unwrap();
    assert_eq!(screen.look_away(), Some(Command::LookAt(BTreeMap::new())));
    assert_eq!(screen.look_away(), None);
    // The multiview is a panel. The same command hides it again.
    let panels = screen.preferences().panels.clone();
    assert!(panels.layouts["simple"].to_string().contains(Panel::Multiview.name()), "{panels:?}");
    harness.run_steps(4);
    harness.state().demo.taken();
    assert_eq!(command(&mut harness, "multiview"), [Command::LookAt(BTreeMap::new())]);
    assert!(harness.query_by_role_and_label(Role::RadioButton, "Scene Talk").is_none());
}

#[test]
fn in_studio_mode_the_multiview_prepares_a_scene_and_takes_it_by_a_second_click() {
    let (mut harness, ids) = three_scenes();
    harness.state_mut().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(ids[1]));
    harness.run();
    command(&mut harness, "multiview");
    harness.get_by_role_and_label(Role::RadioButton, "Scene Main (program)");
    harness.get_by_role_and_label(Role::RadioButton, "Scene Talk (preview)");
    let prepare = [Command::SetPreviewScene(Some(ids[2]))];
    assert_eq!(press_cell(&mut harness, "Scene Break"), prepare);
    // The keyboard works too.
    harness.get_by_role_and_label(Role::RadioButton, "Scene Break").focus();
    harness.run_steps(2);
    assert_eq!(press(&mut harness, Key::Enter), prepare);
    // A double click, separate from earlier clicks.
    let at = harness.get_by_role_and_label(Role::RadioButton, "Scene Talk (preview)");
    let pos = at.rect().center();
    harness.hover_at(pos);
    harness.run_steps(30);
    harness.state().demo.taken();
    // Each step of the test takes a quarter of a second.
    harness.ctx.options_mut(|options| options.input_options.max_double_click_delay = 5.0);
    for pressed in [true, false, true, false] {
        let (button, modifiers) = (egui::PointerButton::Primary, Modifiers::NONE);
        harness.event(egui::Event::PointerButton { pos, button, pressed, modifiers });
        harness.step();
    }
    harness.run_steps(2);
    let sent = harness.state().demo.taken();
    assert_eq!(sent.last(), Some(&Command::Transition), "{sent:?}");
}

#[test]
fn a_projector_is_opened_by_a_command_and_closed_by_escape() {
    let (mut harness, _) = three_scenes();
    assert!(!projects(&harness, "Program"));
    assert_eq!(command(&mut harness, "projector: program in a window"), []);
    assert!(projects(&harness, "Program"));
    press(&mut harness, Key::Escape);
    assert!(!projects(&harness, "Program"));
    // The same command closes the projector again.
    command(&mut harness, "projector: program in a window");
    command(&mut harness, "projector: program in a window");
    assert!(!projects(&harness, "Program"));
    // Hotkeys also work in a projector. Projectors are not saved unless the user asks for this.
    command(&mut harness, "projector: program in a window");
    harness.key_press_modifiers(Modifiers::ALT, Key::Num2);
    harness.run_steps(3);
    assert!(matches!(harness.state().demo.taken()[..], [Command::SwitchScene(_)]));
    let kept = harness.state().screen.as_ref().unwrap().preferences().projectors.clone();
    assert!(kept.open.is_empty(), "{kept:?}");
    command(&mut harness, "close all projectors");
    assert!(!projects(&harness, "Program"));
}

#[test]
fn the_multiview_of_a_projector_is_on_black() {
    use onair::ui::style::theme::Theme as Colors;

    let (mut harness, _) = three_scenes();
    let grounds = |harness: &Harness<'static, Window>| {
        let is_ground = |shape: &egui::Shape| match shape {
            egui::Shape::Rect(it) => it.fill == Colors::DARK.canvas && it.rect.width() > 100.0,
            _ => false,
        };
        harness.output().shapes.iter().filter(|it| is_ground(&it.shape)).count()
    };
    let before = grounds(&harness);
    command(&mut harness, "projector: multiview in a window");
    harness.get_by_role_and_label(Role::RadioButton, "Scene Main (program)");
    assert_eq!(grounds(&harness), before);
}

#[test]
fn one_source_and_the_preview_are_drawn_for_a_projector_alone() {
    let (mut harness, ids) = three_scenes();
    harness.state_mut().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(ids[1]));
    harness.run();
    let preview: BTreeMap<_, _> = [(ViewOf::Scene(ids[1]), ViewDetail::Full)].into();
    let sent = command(&mut harness, "projector: preview in a window");
    assert_eq!(sent, [Command::LookAt(preview.clone())]);
    assert!(projects(&harness, "Preview"));
    // The multiview uses the full view of the preview, instead of another thumbnail.
    let sent = command(&mut harness, "projector: multiview in a window");
    let mut all = preview;
    for id in [ids[0], ids[2]] {
        all.insert(ViewOf::Scene(id), ViewDetail::Thumbnail);
    }
    assert_eq!(sent, [Command::LookAt(all)]);
    command(&mut harness, "close all projectors");

    let mut harness = open("media");
    source(&harness, "Opening").click();
    harness.run();
    let snapshot = harness.state().demo.snapshot();
    let id = snapshot.scenes.collection.sources.iter().find(|it| it.name == "Opening").unwrap().id;
    let one: BTreeMap<_, _> = [(ViewOf::Source(id), ViewDetail::Full)].into();
    let sent = command(&mut harness, "projector: selected source in a window");
    assert!(sent.contains(&Command::LookAt(one)), "{sent:?}");
    assert!(projects(&harness, "Opening"));
    // If a source is removed, its projector closes.
    harness.state_mut().demo.change(|snapshot| {
        let mut collection = (*snapshot.scenes.collection).clone();
        collection.sources.retain(|source| source.id != id);
        snapshot.scenes.collection = std::sync::Arc::new(collection);
    });
    harness.run_steps(4);
    assert!(!projects(&harness, "Opening"));
    assert!(harness.state().demo.taken().contains(&Command::LookAt(BTreeMap::new())));
}

#[test]
fn a_projector_on_a_display_is_opened_by_a_menu_goes_with_the_display_and_is_remembered() {
    let (mut harness, _) = three_scenes();
    let both = [display("eDP-1", true), display("HDMI-1", false)];
    set_displays(&mut harness, &both);
    harness.get_by_role(Role::Canvas).focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::SHIFT, Key::F10);
    harness.step();
    harness.step();
    harness.get_by_label("Program on HDMI-1 (1920×1080)").click_accesskit();
    harness.run_steps(4);
    assert!(projects(&harness, "Program"));
    // The projector is saved only if the user asks for this.
    let place =
        ProjectorPlace { shows: ProjectorContent::Program, display: Some("HDMI-1".to_owned()) };
    let kept = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().unwrap().preferences().projectors.open.clone()
    };
    assert_eq!(kept(&harness), []);
    harness.get_all_by_role_and_label(Role::Image, "Program").last().unwrap().click_secondary();
    harness.run_steps(3);
    harness.get_by_label("Reopen projectors at startup").click_accesskit();
    harness.run_steps(3);
    assert_eq!(kept(&harness), std::slice::from_ref(&place));
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
    // The display is disconnected, and then returns.
    let expected = |is_gone| [Command::ProjectorDisplay { name: "HDMI-1".to_owned(), is_gone }];
    assert_eq!(set_displays(&mut harness, &both[..1]), expected(true));
    assert!(!projects(&harness, "Program"));
    assert_eq!(kept(&harness), std::slice::from_ref(&place), "nobody closed it");
    assert_eq!(set_displays(&mut harness, &both), expected(false));
    assert!(projects(&harness, "Program"));
    press(&mut harness, Key::Escape);
    assert_eq!(kept(&harness), []);

    // At the next start, the projector opens as soon as the displays are known.
    let mut again = preferences(Language::English, Theme::Dark);
    again.projectors.restore = true;
    again.projectors.open.push(place);
    let mut harness = open_as("idle", Vec2::new(1280.0, 720.0), again);
    assert!(!projects(&harness, "Program"));
    set_displays(&mut harness, &both);
    assert!(projects(&harness, "Program"));
}
