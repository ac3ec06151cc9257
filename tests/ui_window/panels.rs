//! Tests of panels and their layouts: choosing, changing, saving, naming and resetting them.

use super::*;
use onair::compose::scene::SceneId;
use onair::studio::settings::{PREDEFINED_LAYOUTS, PanelLayout, Panels};
use onair::wire::chat::{ChatLine, ChatPost, ChatRole};

/// Opens a window with this layout of panels.
pub(super) fn laid_out(state: &str, layout: &str, size: Vec2) -> Harness<'static, Window> {
    let panels = Panels { layout: layout.into(), ..Panels::default() };
    let preferences =
        Preferences { panels: Box::new(panels), ..preferences(Language::English, Theme::Dark) };
    open_as(state, size, preferences)
}

pub(super) fn panels(harness: &Harness<'static, Window>) -> Panels {
    (*harness.state().screen.as_ref().unwrap().preferences().panels).clone()
}

/// Runs a command by its name in the palette.
pub(super) fn command(harness: &mut Harness<'static, Window>, words: &str) {
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run();
    harness.event(egui::Event::Text(words.into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
}

/// Returns the commands, except for requests for thumbnails of scenes.
fn edits(harness: &mut Harness<'static, Window>) -> Vec<Command> {
    let mut sent = commands(harness);
    sent.retain(|command| !matches!(command, Command::LookAt(_)));
    sent
}

pub(super) const HD: Vec2 = Vec2::new(1280.0, 720.0);

#[test]
fn a_layout_is_chosen_in_the_window_and_kept() {
    let mut harness = open("idle");
    assert!(harness.query_by_role_and_label(Role::Tab, "Stats").is_none());
    assert_eq!(click(&mut harness, "Layout: Simple"), []);
    // The *Studio* layout turns studio mode on.
    harness.get_by_role_and_label(Role::MenuItemRadio, "Studio").click();
    assert_eq!(edits(&mut harness), [Command::SetPreviewScene(Some(SceneId(1)))]);
    harness.run();
    harness.get_by_role_and_label(Role::Tab, "Stats");
    assert_eq!(panels(&harness).layout, "studio");
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
    // A command changes the layout too, and studio mode follows the layout.
    harness.state().demo.change(|snapshot| snapshot.scenes.preview_scene = Some(SceneId(1)));
    harness.run();
    // Studio mode is on: *Take* brings the preview to the program.
    assert_eq!(click(&mut harness, "Take"), [Command::Transition]);
    command(&mut harness, "Layout: Monitor");
    assert_eq!(edits(&mut harness), [Command::SetPreviewScene(None)]);
    assert_eq!(panels(&harness).layout, "monitor");
    // Layouts without changes are not saved.
    assert!(panels(&harness).layouts.is_empty(), "{:?}", panels(&harness));
}

#[test]
fn every_layout_fits_and_has_its_buttons_at_the_same_place() {
    for size in [Vec2::new(960.0, 600.0), HD, Vec2::new(3840.0, 2160.0)] {
        let room = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
        let simple = laid_out("on-air", "simple", size).get_by_label("Stop").rect();
        for layout in ["studio", "monitor"] {
            let harness = laid_out("on-air", layout, size);
            let stop = harness.get_by_label("Stop").rect();
            assert!(room.contains_rect(stop), "{layout} {size:?}: {stop:?}");
            assert!((stop.bottom() - simple.bottom()).abs() < 4.0, "{layout} {size:?}: {stop:?}");
            for node in harness.root().children_recursive() {
                let accesskit = node.accesskit_node();
                if accesskit.label().is_none() || accesskit.is_hidden() {
                    continue;
                }
                let rect = node.rect();
                let what = format!("{layout} {size:?}: {:?} {rect:?}", accesskit.label());
                assert!(rect.left() >= room.left() && rect.right() <= room.right(), "{what}");
            }
        }
    }
}

#[test]
fn the_monitor_layout_shows_whole_figures_and_cards() {
    for (size, targets) in [(Vec2::new(960.0, 600.0), 1), (HD, 3)] {
        let mut harness = laid_out("on-air", "monitor", size);
        harness.state().demo.change(|snapshot| {
            for id in 1..3 {
                let server = format!("rtmp://studio-{id}.example/live");
                let target = Target::custom(id, &server, "k".into());
                snapshot.targets.push(onair::studio::snapshot::TargetView::idle(target));
            }
        });
        harness.run();
        // The figures are in the right panel, which ends above the buttons.
        let stop = harness.get_by_label("Stop").rect();
        let is_whole = |rect: egui::Rect| {
            rect.left() > stop.left() - 20.0 && rect.bottom() < stop.top() - 20.0
        };
        for name in
            ["Bitrate", "Frame rate", "Dropped", "Send queue", "Round trip", "Reconnects", "Sent"]
        {
            let words = format!("{name}: ");
            let lines = harness.query_all_by_label_contains(&words);
            let places: Vec<egui::Rect> = lines.map(|line| line.rect()).collect();
            assert!(places.iter().any(|place| is_whole(*place)), "{name} {size:?}: {places:?}");
        }
        for name in ["Built-in server", "studio-1.example", "studio-2.example"].iter().take(targets)
        {
            let card = harness.get_by_role_and_label(Role::Button, name).rect();
            assert!(is_whole(card.expand(6.0)), "{name} {size:?}: {card:?}");
        }
        // The program is next to the mixer.
        let program = harness.get_by_role_and_label(Role::Image, "Program").rect();
        assert!(program.right() < stop.left() && program.width() > 180.0, "{size:?}: {program:?}");
    }
}

#[test]
fn panels_are_hidden_named_and_reset() {
    let mut harness = open("mixer");
    command(&mut harness, "Arrange panels");
    for tab in ["Audio mixer", "Program", "Broadcast", "Scenes and sources"] {
        harness.get_by_role_and_label(Role::Tab, tab);
    }
    assert!(panels(&harness).is_simple(), "nothing was moved yet");
    // The panel with the *Go Live* button cannot be hidden.
    harness.get_by_label("Move Controls");
    assert!(harness.query_by_label("Hide Controls").is_none());
    let meters =
        |harness: &Harness<'static, Window>| harness.query_all_by_role(Role::Meter).count();
    assert!(meters(&harness) > 1);
    click(&mut harness, "Hide Audio mixer");
    harness.run();
    assert_eq!(meters(&harness), 0);
    assert!(!panels(&harness).layouts["simple"].to_string().contains("mixer"));
    // The layout is saved under a new name.
    click(&mut harness, "Layout: Simple");
    harness.get_by_role_and_label(Role::TextInput, "Save this layout as").focus();
    harness.run();
    harness.event(egui::Event::Text("studio".into()));
    harness.run();
    harness.get_by_label("This name is taken.");
    for _ in 0.."studio".len() {
        harness.key_press(Key::Backspace);
        harness.run();
    }
    harness.event(egui::Event::Text("Sunday".into()));
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    assert_eq!(panels(&harness).layout, "Sunday");
    assert_eq!(meters(&harness), 0);
    // The *Simple* layout is reset.
    command(&mut harness, "Layout: Simple");
    click(&mut harness, "Layout: Simple");
    // The menu may have to scroll to this entry.
    harness.get_by_label("Reset this layout").click_accesskit();
    harness.run();
    harness.run();
    assert!(meters(&harness) > 1);
    assert!(panels(&harness).is_simple() && panels(&harness).layouts.contains_key("Sunday"));
}

#[test]
fn the_palette_resets_a_changed_layout_and_deletes_a_saved_one() {
    for (layout, words) in [("simple", "Reset the layout"), ("Sunday", "Delete the layout")] {
        let changed = PanelLayout::preset("monitor").unwrap();
        let stored = Panels {
            layout: layout.to_owned(),
            layouts: [(layout.to_owned(), changed)].into(),
            ..Panels::default()
        };
        let preferences =
            Preferences { panels: Box::new(stored), ..preferences(Language::English, Theme::Dark) };
        let mut harness = open_as("idle", HD, preferences);
        command(&mut harness, words);
        let now = panels(&harness);
        assert!(now.is_simple() && !now.layouts.contains_key(layout), "{words}: {now:?}");
        // Then there is nothing to reset or to delete, and the palette stays open.
        command(&mut harness, words);
        let screen = harness.state().screen.as_ref().unwrap();
        assert_eq!(screen.dialog(), Some(Dialog::Palette), "{words}");
        assert_eq!(panels(&harness), now, "{words}");
    }
}

#[test]
fn a_panel_is_moved_by_keyboard_and_the_layout_is_saved() {
    let mut harness = open("mixer");
    command(&mut harness, "Arrange panels");
    // The menu lists the other groups of tabs in reading order, each with its positions.
    let mut move_mixer = |group: usize, position: usize| {
        harness.get_by_label("Move Audio mixer").focus();
        harness.run();
        for (key, times) in [
            (Key::Enter, 1),
            (Key::ArrowDown, group),
            (Key::ArrowRight, 1),
            (Key::ArrowDown, position),
            (Key::Enter, 1),
        ] {
            for _ in 0..times {
                harness.key_press(key);
                harness.run();
            }
        }
        harness.run();
        // The focus follows the panel.
        assert!(harness.get_by_role_and_label(Role::Tab, "Audio mixer").is_focused());
        panels(&harness).layouts["simple"].to_string()
    };
    let right = "304 column(* tabs(broadcast!, inspector, chat, share), 120 controls))";
    let layout = move_mixer(2, 2);
    let sizes = layout.strip_prefix("row(228 sources, * program, ");
    let size = sizes.and_then(|it| it.strip_suffix(&format!(" mixer, {right}")));
    assert!(size.is_some_and(|size| size.parse::<u16>().unwrap() > 250), "{layout}");
    let layout = move_mixer(3, 0);
    let wanted = "row(228 sources, * program, \
                  304 column(* tabs(broadcast, inspector, chat, share, mixer!), 120 controls))";
    assert_eq!(layout, wanted);
    // A screen reader presses the same entries.
    harness.get_by_label("Move Audio mixer").click_accesskit();
    harness.run();
    building::open_submenu(&mut harness, "Scenes and sources");
    building::press(&mut harness, "Below");
    harness.run();
    let layout = panels(&harness).layouts["simple"].to_string();
    assert!(layout.starts_with("row(228 column(* sources, "), "{layout}");
    assert!(layout.ends_with(&format!(" mixer), * program, {right}")), "{layout}");
    let [scenes, mixer] = ["Scenes and sources", "Audio mixer"]
        .map(|tab| harness.get_by_role_and_label(Role::Tab, tab).rect());
    assert!(mixer.top() > scenes.bottom() + 100.0, "{scenes:?} {mixer:?}");
    // *Go Live* is never behind another tab.
    harness.get_by_label("Move Audio mixer").click_accesskit();
    harness.run();
    building::open_submenu(&mut harness, "Controls");
    harness.get_by_role_and_label(Role::MenuItemRadio, "Above");
    assert!(harness.query_by_role_and_label(Role::MenuItemRadio, "As the last tab").is_none());
}

#[test]
fn tab_goes_from_a_panel_through_its_buttons_in_reading_order() {
    let mut harness = open("mixer");
    command(&mut harness, "Arrange panels");
    harness.get_by_role_and_label(Role::Tab, "Audio mixer").focus();
    harness.run();
    let buttons = ["Move Audio mixer", "Move Audio mixer to its own window", "Hide Audio mixer"];
    let mut left = tab_of(&harness, "Audio mixer").right();
    for button in buttons {
        harness.key_press(Key::Tab);
        harness.run();
        let button = harness.get_by_role_and_label(Role::Button, button);
        assert!(button.is_focused(), "{button:?}");
        assert!(button.rect().left() >= left, "{button:?}");
        left = button.rect().right() - 0.5;
    }
    // The panel is still there, and the buttons work.
    harness.key_press(Key::Space);
    harness.run();
    assert!(!panels(&harness).layouts["simple"].to_string().contains("mixer"));
}

#[test]
fn a_panel_gets_its_own_window_and_is_kept_there() {
    let mut harness = open("mixer");
    command(&mut harness, "Arrange panels");
    click(&mut harness, "Move Audio mixer to its own window");
    harness.run();
    harness.run();
    let kept = panels(&harness).layouts["simple"].to_string();
    assert!(kept.contains("; mixer "), "{kept}");
    // The panel still works in its own window.
    let (id, strip) = match &click(&mut harness, "Mute Music")[..] {
        [Command::SetStrip { id, strip, .. }] => (*id, strip.clone()),
        other => panic!("{other:?}"),
    };
    assert!(id == StripId(1) && strip.muted);
    // It stays open on the other pages and in full screen.
    for (modifiers, key) in [
        (Modifiers::COMMAND, Key::Num2),
        (Modifiers::COMMAND, Key::Num3),
        (Modifiers::COMMAND, Key::Num1),
    ] {
        harness.key_press_modifiers(modifiers, key);
        harness.run();
        harness.run();
        harness.get_by_label("Unmute Music");
    }
    command(&mut harness, "Full screen");
    harness.get_by_label("Unmute Music");
}

/// Drags a tab to this place.
fn drag_tab(harness: &mut Harness<'static, Window>, tab: &str, to: egui::Pos2) {
    let from = tab_of(harness, tab).center();
    harness.hover_at(from);
    harness.step();
    harness.drag_at(from);
    harness.step();
    for _ in 0..2 {
        harness.hover_at(to);
        harness.step();
    }
    harness.drop_at(to);
    harness.run_steps(4);
}

fn tab_of(harness: &Harness<'static, Window>, tab: &str) -> egui::Rect {
    harness.get_by_role_and_label(Role::Tab, tab).rect()
}

#[test]
fn a_tab_is_dragged_to_other_tabs_and_beside_them() {
    // The space around a tab in its bar, and around the window.
    const AROUND: Vec2 = Vec2::new(4.0, 6.0);
    const MARGIN: f32 = 8.0;
    let size = Vec2::new(1920.0, 1080.0);
    let mut harness = laid_out("idle", "studio", size);
    harness.run_steps(4);
    let status_bar = onair::ui::style::theme::size::STATUS_BAR_HEIGHT;
    let bottom = size.y - MARGIN - status_bar;
    let now = |harness: &Harness<'static, Window>| panels(harness).layouts["studio"].to_string();
    // In the middle of other tabs, it becomes the last of them.
    let (chat, stats) = (tab_of(&harness, "Chat"), tab_of(&harness, "Stats"));
    let x = f32::midpoint(chat.left(), stats.left()) - AROUND.x;
    let y = f32::midpoint(chat.bottom() + AROUND.y, bottom);
    drag_tab(&mut harness, "Stats", egui::pos2(x, y));
    let text = now(&harness);
    assert!(text.contains("tabs(chat, danmaku, guests, stats!)"), "{text}");
    assert!(!text.contains("tabs(stats"), "{text}");
    harness.get_by_label("Compositing: 2.1\u{a0}ms");
    // In the left half of a panel, it gets a part of its own before it.
    let (mixer, chat) = (tab_of(&harness, "Audio mixer"), tab_of(&harness, "Chat"));
    let x = mixer.left() - AROUND.x + (chat.left() - mixer.left()) / 4.0;
    let y = f32::midpoint(mixer.top() - AROUND.y, bottom);
    drag_tab(&mut harness, "Danmaku", egui::pos2(x, y));
    let text = now(&harness);
    assert!(text.contains("tabs(chat, guests, stats!)"), "{text}");
    let places = [" danmaku", "tabs(mixer!, loudness)", "tabs(chat"].map(|part| text.find(part));
    assert!(places.is_sorted() && places.iter().all(Option::is_some), "{text}");
}

#[test]
fn selecting_a_source_brings_the_inspector_to_the_front_wherever_it_is() {
    let mut harness = laid_out("properties", "studio", HD);
    source(&harness, "Title").click();
    harness.run();
    harness.run();
    harness.get_by_label("Properties of Title");
    let tab = harness.get_by_role_and_label(Role::Tab, "Inspector");
    assert_eq!(tab.accesskit_node().is_selected(), Some(true));
}

#[test]
fn the_studio_layout_shows_scenes_as_thumbnails_and_the_load_of_the_computer() {
    let size = Vec2::new(1920.0, 1080.0);
    let mut harness = laid_out("scenes", "studio", size);
    let ids: Vec<SceneId> =
        harness.state().demo.snapshot().scenes.collection.scenes.iter().map(|it| it.id).collect();
    let looked = commands(&mut harness).into_iter().find_map(|command| match command {
        Command::LookAt(views) => Some(views.len()),
        _ => None,
    });
    assert_eq!(looked, Some(3), "the scenes are drawn");
    for name in ["Workshop", "Screen and camera", "Be right back"] {
        let rect = harness.get_by_role_and_label(Role::RadioButton, name).rect();
        assert!(rect.height() > 80.0 && rect.width() > 1.5 * rect.height(), "{name}: {rect:?}");
    }
    assert_eq!(click(&mut harness, "Be right back"), [Command::SetPreviewScene(Some(ids[2]))]);
    // A tile is moved by keyboard in the same way as a row.
    harness.get_by_role_and_label(Role::RadioButton, "Be right back").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::ALT, Key::ArrowUp);
    assert_eq!(commands(&mut harness), [Command::Edit(Edit::MoveScene(ids[2], 1))]);
    // *Stats* has figures that *Broadcast* does not have. Every panel has a tab with its name.
    for name in ["Encoding: 4.0\u{a0}ms", "Compositing: 2.1\u{a0}ms", "Clock drift: +12\u{a0}ppm"] {
        harness.get_by_label(name);
    }
    for tab in ["Audio mixer", "Loudness", "Chat", "Danmaku", "Stats", "Event log"] {
        harness.get_by_role_and_label(Role::Tab, tab);
    }
    // In the *Simple* layout, scenes are rows.
    let harness = laid_out("scenes", "simple", size);
    let rect = harness.get_by_role_and_label(Role::RadioButton, "Workshop").rect();
    assert!(rect.height() < 40.0, "{rect:?}");
}

/// Opens the *Studio* layout, and selects this tab.
pub(super) fn with_tab(state: &str, tab: &str) -> Harness<'static, Window> {
    let mut harness = laid_out(state, "studio", Vec2::new(1920.0, 1080.0));
    harness.get_by_role_and_label(Role::Tab, tab).click();
    harness.run();
    // Drops the command that turned studio mode on.
    commands(&mut harness);
    harness
}

#[test]
fn the_loudness_of_the_program_is_compared_with_the_target() {
    let mut harness = with_tab("on-air", "Loudness");
    let lufs = "\u{a0}LUFS";
    harness.get_by_label(&format!("Integrated: −16.3{lufs}"));
    harness.get_by_label(&format!("2.3 LU quieter than −14{lufs}. Raise the faders."));
    assert!(harness.query_by_label("True peaks are above −1 dBTP. Add a limiter.").is_none());
    let graph = harness.get_by_label("Short-term loudness, 10 min").rect();
    assert!(graph.width() > 400.0 && graph.height() > 100.0, "{graph:?}");
    // Another target is selected and saved.
    harness.get_by_role_and_label(Role::ComboBox, "Loudness target").click();
    harness.run();
    harness.get_by_label(&format!("−16{lufs}")).click();
    harness.run();
    harness.run();
    harness.get_by_label(&format!("On target: −16{lufs}."));
    assert_eq!(panels(&harness).loudness_target, Some(-16));
    assert!(harness.state().requests.contains(&WindowRequest::Preferences));
    commands(&mut harness);
    assert_eq!(click(&mut harness, "Reset the loudness measurement"), [Command::ResetLoudness]);
    harness.state().demo.change(|snapshot| {
        snapshot.loudness.integrated_lufs = Some(-9.5);
        snapshot.loudness.true_peak_dbtp = -0.2;
    });
    harness.run();
    harness.get_by_label(&format!("6.5 LU louder than −16{lufs}. Lower the faders."));
    harness.get_by_label("True peaks are above −1 dBTP. Add a limiter.");
    harness.state().demo.change(|snapshot| {
        snapshot.loudness.integrated_lufs = None;
        snapshot.loudness.true_peak_dbtp = onair::mix::FLOOR_DBFS;
    });
    harness.run();
    harness.get_by_label("True peak: −∞\u{a0}dBTP");
    harness.get_by_label("Not measured yet: the program is silent.");
    // Without a measurement, the palette has nothing to reset.
    command(&mut harness, "Reset the loudness measurement");
    assert_eq!(edits(&mut harness), []);
}

#[test]
fn danmaku_flies_in_its_panel_and_is_changed_there() {
    let mut harness = with_tab("shared", "Danmaku");
    harness.get_by_role_and_label(Role::CheckBox, "Danmaku over the video").click();
    let sent = edits(&mut harness);
    let [Command::Player(WatchCommand::SetChat(choices))] = &sent[..] else { panic!("{sent:?}") };
    assert!(!choices.flying);
    // Without animations, no message flies. With animations, only new messages fly.
    let panels = Panels { layout: "studio".into(), ..Panels::default() };
    let preferences = Preferences {
        panels: Box::new(panels),
        reduced_motion: false,
        ..preferences(Language::English, Theme::Dark)
    };
    let mut harness = open_as("shared", Vec2::new(1920.0, 1080.0), preferences);
    harness.get_by_role_and_label(Role::Tab, "Danmaku").click();
    harness.run_steps(4);
    let flying = |harness: &Harness<'static, Window>, text: &str| {
        harness.query_by_label(&format!("Danmaku: {text}")).is_some()
    };
    assert!(!flying(&harness, "which crystal is that?"), "what was said before does not fly");
    let idle = "New messages scroll across this area, as they do over the video.";
    let mut shapes = harness.output().shapes.iter();
    let text = shapes.find(|it| super::watch::laid(&it.shape, idle)).expect(idle);
    assert!(text.clip_rect.contains_rect(text.shape.visual_bounding_rect()), "{text:?}");
    harness.state().demo.change(|snapshot| {
        let chat = snapshot.server.chat.as_mut().unwrap();
        let line = ChatLine::new("guest-5", "good evening").unwrap();
        let post = ChatPost { id: 99, from: 5, role: ChatRole::Viewer, line };
        chat.posts = chat.posts.iter().cloned().chain([post]).collect();
    });
    harness.run_steps(4);
    assert!(flying(&harness, "good evening"));
    // A message that is deleted for everyone leaves the panel.
    harness.state().demo.change(|snapshot| {
        let chat = snapshot.server.chat.as_mut().unwrap();
        chat.posts = chat.posts.iter().filter(|post| post.id != 99).cloned().collect();
    });
    harness.run_steps(4);
    assert!(!flying(&harness, "good evening"));
}

#[test]
fn a_single_mixer_has_vertical_faders_and_no_tab_in_every_window() {
    for size in [Vec2::new(1280.0, 720.0), Vec2::new(1600.0, 900.0), Vec2::new(1920.0, 1080.0)] {
        let harness = laid_out("clipped", "monitor", size);
        assert!(harness.query_by_role_and_label(Role::Tab, "Audio mixer").is_none(), "{size:?}");
        let fader = harness.get_by_label("Gain of Yeti Stereo Microphone").rect();
        assert!(fader.height() > fader.width(), "{size:?}: {fader:?}");
        for meter in harness.get_all_by_role(Role::Meter) {
            assert!(!meter.rect().intersects(fader), "{:?} {fader:?}", meter.rect());
        }
    }
}

#[test]
fn no_tab_of_a_predefined_layout_is_cut_off() {
    for language in [Language::English, Language::Chinese] {
        for size in [HD, Vec2::new(960.0, 600.0)] {
            for (layout, _) in PREDEFINED_LAYOUTS {
                let panels = Panels { layout: layout.into(), ..Panels::default() };
                let preferences =
                    Preferences { panels: Box::new(panels), ..preferences(language, Theme::Dark) };
                let harness = open_as("on-air", size, preferences);
                let tabs = harness.query_all_by_role(Role::Tab);
                let names: Vec<String> =
                    tabs.filter_map(|tab| tab.accesskit_node().label()).collect();
                assert!(names.len() >= 4, "{layout} {size:?}: {names:?}");
                for name in names {
                    let mut shapes = harness.output().shapes.iter();
                    let whole = shapes.any(|it| super::watch::laid(&it.shape, &name));
                    assert!(whole, "{language:?} {layout} {size:?}: {name}");
                }
            }
        }
    }
}

#[test]
fn both_graphs_of_the_stats_share_the_panel() {
    let harness = laid_out("on-air", "studio", HD);
    let [times, rates] = ["Frame time, 10 min", "Bitrate, 10 min"]
        .map(|name| harness.get_by_role_and_label(Role::Image, name).rect());
    assert!((times.height() - rates.height()).abs() < 0.5, "{times:?} {rates:?}");
    let bar = onair::ui::style::theme::size::STATUS_BAR_HEIGHT;
    assert!(rates.bottom() <= HD.y - bar, "{rates:?}");
}

#[test]
fn an_empty_player_in_a_panel_leads_to_the_watch_page() {
    let mut harness = laid_out("idle", "monitor", HD);
    harness.state().demo.change(|snapshot| snapshot.watch = WatchState::Idle);
    harness.run();
    harness.get_by_label("Open a stream on the Watch page.");
    click(&mut harness, "Show the Watch page");
    harness.run();
    assert_eq!(harness.state().screen.as_ref().unwrap().page(), Page::Watch);
    assert!(harness.query_by_label("Open a stream on the Watch page.").is_none());
}
