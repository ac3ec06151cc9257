//! Tests of the lists of filters in the inspector and in the mixer.

use std::collections::BTreeMap;

use egui::PointerButton;
use onair::compose::{ViewDetail, ViewOf};
use onair::media::NumericSettings;
use onair::media::playback_control::SkippedFile;
use onair::mix::filter::Slot;
use onair::studio::settings::{PanelLayout, Panels};

use super::panels::{HD, panels};
use super::scenes::{filters_set, lacking};
use super::sound::strip_set;
use super::*;

/// Opens the inspector with these filters on the guest.
fn inspected(kinds: &[&str]) -> Harness<'static, Window> {
    let mut harness = open("filters");
    inspect(&mut harness, kinds);
    harness
}

/// Shows the inspector with these filters on the source.
fn inspect(harness: &mut Harness<'static, Window>, kinds: &[&str]) {
    let slot = |kind: &&str| {
        let filter = video::Filter::of_kind(kind).unwrap();
        video::Slot { enabled: true, filter }
    };
    let edit = Edit::SetFilters(SourceId(1), kinds.iter().map(slot).collect());
    let mut collection = (*harness.state().demo.snapshot().scenes.collection).clone();
    if collection.apply(&edit) {
        apply(harness, &edit);
    }
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    harness.run();
}

/// Opens the mixer with these filters on the first strip.
fn mixed(filters: &[Filter]) -> Harness<'static, Window> {
    let mut harness = open("mixer");
    harness.state().demo.change(|snapshot| {
        let slots = filters.iter().map(|filter| Slot { enabled: true, filter: filter.clone() });
        snapshot.strips[0].audio.strip.filters = slots.collect();
    });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::M);
    harness.run();
    harness.run();
    harness
}

/// Moves the focus to the list of filters to add. Returns the lower end of the visible part.
fn fold(harness: &mut Harness<'static, Window>) -> f32 {
    harness.get_by_role_and_label(Role::ComboBox, "Add a filter").focus();
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::ComboBox, "Add a filter").rect().bottom()
}

#[test]
fn the_settings_of_an_added_filter_are_visible() {
    let mut harness = inspected(&["chroma-key"; 8]);
    let end = fold(&mut harness);
    let (id, slots) = filters_set(&choose(&mut harness, "Add a filter", "Color correction"));
    apply(&mut harness, &Edit::SetFilters(id, slots));
    harness.run();
    let setting = harness.get_by_role_and_label(Role::Slider, "Gain").rect();
    assert!(setting.bottom() <= end + 1.0, "{setting:?} {end}");

    let mut harness = mixed(&[const { Filter::Gain { db: 0.0 } }; 8]);
    let end = fold(&mut harness);
    let (_, strip) = strip_set(&choose(&mut harness, "Add a filter", "Compressor"));
    harness.state().demo.change(|snapshot| snapshot.strips[0].audio.strip = strip);
    harness.run();
    harness.run();
    let setting = harness.get_by_role_and_label(Role::Slider, "Threshold").rect();
    assert!(setting.bottom() <= end + 1.0, "{setting:?} {end}");
}

#[test]
fn the_keyboard_enters_the_filters_or_the_list_of_filters_to_add() {
    let harness = inspected(&["color", "chroma-key"]);
    assert!(harness.get_by_role_and_label(Role::CheckBox, "Color correction").is_focused());
    let harness = inspected(&[]);
    assert!(harness.get_by_role_and_label(Role::ComboBox, "Add a filter").is_focused());
}

#[test]
fn a_filter_that_the_keyboard_enters_is_visible() {
    let mut harness = open("filters");
    let mut slots: Vec<video::Slot> = (2..video::MAX_FILTERS)
        .map(|_| video::Filter::of_kind("chroma-key").unwrap())
        .map(|filter| video::Slot { enabled: true, filter })
        .collect();
    let mut filter = video::Filter::of_kind("mask").unwrap();
    filter.set_file("/a/mask".into());
    slots.push(video::Slot { enabled: true, filter });
    apply(&mut harness, &Edit::SetFilters(SourceId(1), slots));
    harness.state().demo.change(|snapshot| {
        let mut source = crate::demo::snapshot("media").scenes.sources.remove(0);
        let reason = "No such file or directory (os error 2)".into();
        source.filter_problems = vec![SkippedFile { path: "/a/mask".into(), reason }];
        snapshot.scenes.sources = vec![source];
        snapshot.notices = vec![lacking("filter-failed", Remedy::EditFilters(SourceId(1)))];
    });
    harness.key_press_modifiers(Modifiers::COMMAND, Key::F);
    harness.run();
    harness.run();
    let end = fold(&mut harness);
    click(&mut harness, "Change filter");
    harness.run();
    harness.run();
    let entered = harness.get_by_role_and_label(Role::CheckBox, "Mask");
    assert!(entered.is_focused());
    assert!(entered.rect().bottom() <= end + 1.0, "{:?} {end}", entered.rect());
}

#[test]
fn the_first_filter_does_not_move_up_and_the_last_one_not_down() {
    let harness = inspected(&["chroma-key", "color"]);
    for (name, is_disabled) in [
        ("Move Chroma key up", true),
        ("Move Chroma key down", false),
        ("Move Color correction up", false),
        ("Move Color correction down", true),
    ] {
        let button = harness.get_by_role_and_label(Role::Button, name);
        assert_eq!(button.accesskit_node().is_disabled(), is_disabled, "{name}");
    }
}

#[test]
fn the_numbers_of_filters_are_typed() {
    let type_over = |harness: &mut Harness<'static, Window>, name: &str, text: &str| {
        harness.get_by_role_and_label(Role::SpinButton, name).focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        harness.event(egui::Event::Text(text.into()));
        commands(harness)
    };
    let mut harness = inspected(&["chroma-key", "crop"]);
    let mut filter = filters_set(&type_over(&mut harness, "Similarity", "25")).1[0].filter.clone();
    assert_eq!(*filter.values()[0], 0.25);
    let mut harness = mixed(&[Filter::Limiter { threshold_dbfs: -1.0, release_ms: 60.0 }]);
    let (_, strip) = strip_set(&type_over(&mut harness, "Release", "12.5"));
    let expected = Filter::Limiter { threshold_dbfs: -1.0, release_ms: 12.5 };
    assert_eq!(strip.filters[0].filter, expected);
}

#[test]
fn the_gain_and_the_balance_of_a_strip_are_typed() {
    let mut harness = mixed(&[]);
    for (name, text, gain, balance) in
        [("Gain of Voice", "-7,5", -7.5, 0.0), ("Balance", "−30 %", -7.5, -0.3)]
    {
        harness.get_by_role_and_label(Role::SpinButton, name).focus();
        harness.run();
        harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
        drop(commands(&mut harness));
        harness.event(egui::Event::Text(text.into()));
        let (_, strip) = strip_set(&commands(&mut harness));
        assert_eq!((strip.gain_db, strip.balance), (gain, balance), "{name}");
        harness.state().demo.change(|snapshot| snapshot.strips[0].audio.strip = strip);
        harness.run();
    }
}

#[test]
fn a_number_with_more_decimals_than_shown_is_typed() {
    let mut harness = mixed(&[Filter::HighPass { hz: 80.0 }]);
    harness.get_by_role_and_label(Role::SpinButton, "Frequency").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    drop(commands(&mut harness));
    for letter in "440.45".chars() {
        harness.event(egui::Event::Text(letter.into()));
        harness.step();
        let sent = harness.state().demo.taken();
        if !sent.is_empty() {
            let (_, strip) = strip_set(&sent);
            harness.state().demo.change(|snapshot| snapshot.strips[0].audio.strip = strip);
        }
    }
    harness.key_press(Key::Tab);
    assert_eq!(commands(&mut harness), []);
    let filter = harness.state().demo.snapshot().strips[0].audio.strip.filters[0].filter.clone();
    assert_eq!(filter, Filter::HighPass { hz: 440.0 });
}

#[test]
fn the_level_of_a_filter_is_typed_with_a_decimal() {
    let limiter = |threshold_dbfs| Filter::Limiter { threshold_dbfs, release_ms: 60.0 };
    let mut harness = mixed(&[limiter(-20.0)]);
    harness.get_by_role_and_label(Role::SpinButton, "Threshold").focus();
    harness.run();
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    drop(commands(&mut harness));
    harness.event(egui::Event::Text("-18.5".into()));
    let (_, strip) = strip_set(&commands(&mut harness));
    assert_eq!(strip.filters[0].filter, limiter(-18.5));
}

#[test]
fn an_arrow_key_changes_the_number_of_a_filter() {
    let limiter = |threshold_dbfs| Filter::Limiter { threshold_dbfs, release_ms: 60.0 };
    for (name, before, after) in [
        ("Threshold", limiter(-20.0), limiter(-19.0)),
        ("Amount", Filter::Denoise { amount: 0.5 }, Filter::Denoise { amount: 0.51 }),
        ("Frequency", Filter::HighPass { hz: 1_000.0 }, Filter::HighPass { hz: 1_010.0 }),
    ] {
        let mut harness = mixed(&[before]);
        harness.get_by_role_and_label(Role::SpinButton, name).focus();
        drop(commands(&mut harness));
        harness.key_press(Key::ArrowUp);
        let (_, strip) = strip_set(&commands(&mut harness));
        assert_eq!(strip.filters[0].filter, after);
    }
}

#[test]
fn focusing_the_number_of_a_filter_does_not_change_it() {
    let mut harness = mixed(&[Filter::Denoise { amount: 0.333 }, Filter::Gain { db: 0.0 }]);
    drop(commands(&mut harness));
    harness.get_by_role_and_label(Role::SpinButton, "Amount").focus();
    harness.run();
    harness.key_press(Key::Tab);
    assert_eq!(commands(&mut harness), []);
}

#[test]
fn a_double_click_resets_the_number_of_an_audio_filter() {
    let mut harness = mixed(&[Filter::Denoise { amount: 0.25 }]);
    harness.get_by_role_and_label(Role::Slider, "Amount").focus();
    harness.run();
    let slider = harness.get_by_role_and_label(Role::Slider, "Amount");
    let pos = slider.rect().center();
    slider.hover();
    drop(commands(&mut harness));
    for pressed in [true, false, true, false] {
        let (button, modifiers) = (egui::PointerButton::Primary, Modifiers::NONE);
        let event = egui::Event::PointerButton { pos, button, pressed, modifiers };
        harness.input_mut().events.push(event);
    }
    harness.step();
    let (_, strip) = strip_set(&commands(&mut harness));
    assert_eq!(strip.filters[0].filter, Filter::Denoise { amount: 1.0 });
}

#[test]
fn the_choices_of_a_filter_are_as_wide_as_the_other_lists() {
    let harness = inspected(&["deinterlace"]);
    let width = |name| harness.get_by_role_and_label(Role::ComboBox, name).rect().width();
    assert!((width("Field to keep") - width("Add a filter")).abs() < 0.5);
}

const PICK: &str = "Pick from the source";
/// The name of the canvas meanwhile.
const PICKING: &str = "Key color: move with the arrow keys, press Enter to pick, Esc cancels";

fn is_picking(harness: &Harness<'static, Window>) -> bool {
    harness.query_by_role_and_label(Role::Canvas, PICKING).is_some()
}

/// Begins to pick a color by keyboard.
fn begin_picking(harness: &mut Harness<'static, Window>) {
    harness.get_by_role_and_label(Role::Button, PICK).focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
    harness.run();
    drop(commands(harness));
}

/// Checks that picking ended with an edit to this key color, and that the button has the focus.
fn assert_picked(harness: &mut Harness<'static, Window>, wanted: [u8; 3]) {
    let mut sent = commands(harness);
    sent.retain(|command| !matches!(command, Command::LookAt(_)));
    let (id, mut slots) = filters_set(&sent);
    let color = *slots[0].filter.color().unwrap();
    let is_close = color.iter().zip(wanted).all(|(one, other)| one.abs_diff(other) <= 2);
    assert!(is_close && id == SourceId(1), "{color:?} instead of {wanted:?}");
    harness.run();
    assert!(harness.get_by_role_and_label(Role::Button, PICK).is_focused());
}

#[test]
fn the_key_color_is_picked_by_a_click_on_the_source_without_the_filter() {
    let mut harness = inspected(&["chroma-key"]);
    drop(commands(&mut harness));
    let wanted: BTreeMap<_, _> = [(ViewOf::BeforeFilter(SourceId(1), 0), ViewDetail::Full)].into();
    assert_eq!(click(&mut harness, PICK), [Command::LookAt(wanted)]);
    harness.run();
    let rect = harness.get_by_role_and_label(Role::Canvas, PICKING).rect();
    let pos = rect.lerp_inside(Vec2::new(0.25, 0.5));
    harness.hover_at(pos);
    harness.run();
    for pressed in [true, false] {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        harness.event(egui::Event::PointerButton { pos, button, pressed, modifiers });
        harness.step();
    }
    assert_picked(&mut harness, [0x35, 0x93, 0x3E]);
    assert!(!is_picking(&harness));
}

#[test]
fn the_key_color_is_picked_by_keyboard_and_escape_cancels() {
    let mut harness = inspected(&["chroma-key"]);
    begin_picking(&mut harness);
    assert!(is_picking(&harness));
    let canvas = harness.get_by_role_and_label(Role::Canvas, PICKING).rect();
    let hint = "Click the key color, or use the arrow keys and Enter. Esc cancels.";
    let drawn = super::lists::shapes(&harness, canvas);
    assert!(drawn.iter().any(|shape| super::watch::laid(shape, hint)), "no hint");
    // On a small canvas, the hint is cut off, so the inspector shows it too.
    harness.get_by_label(hint);
    harness.key_press(Key::Escape);
    assert_eq!(commands(&mut harness), [Command::LookAt(BTreeMap::new())]);
    harness.run();
    assert!(harness.get_by_role_and_label(Role::Button, PICK).is_focused());

    // Without Shift, the steps would not reach the gray half.
    begin_picking(&mut harness);
    let rect = harness.get_by_role_and_label(Role::Canvas, PICKING).rect();
    harness.hover_at(rect.lerp_inside(Vec2::new(0.45, 0.5)));
    harness.run();
    for _ in 0..3 {
        harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
        harness.run();
    }
    harness.key_press(Key::Enter);
    assert_picked(&mut harness, [128; 3]);
}

#[test]
fn the_focus_returns_although_the_playback_bar_returns_too() {
    let mut harness = inspected(&["chroma-key"]);
    harness.state().demo.change(|snapshot| {
        snapshot.scenes.sources = crate::demo::snapshot("media").scenes.sources;
    });
    harness.run();
    harness.get_by_label("Pause Guest");
    begin_picking(&mut harness);
    assert!(is_picking(&harness) && harness.query_by_label("Pause Guest").is_none());
    harness.key_press(Key::Escape);
    harness.run();
    harness.run();
    harness.get_by_label("Pause Guest");
    assert!(harness.get_by_role_and_label(Role::Button, PICK).is_focused());
}

#[test]
fn take_keeps_the_focus_although_the_playback_bar_comes_and_goes() {
    let mut harness = inspected(&[]);
    harness.state().demo.change(|snapshot| {
        snapshot.scenes.preview_scene = Some(snapshot.scenes.collection.current);
    });
    harness.run();
    harness.run();
    harness.get_by_role_and_label(Role::Button, "Take").focus();
    harness.run();
    let playing = crate::demo::snapshot("media").scenes.sources;
    for (sources, has_bar) in [(playing, true), (Vec::new(), false)] {
        harness.state().demo.change(|snapshot| snapshot.scenes.sources = sources);
        drop(commands(&mut harness));
        assert_eq!(harness.query_by_label("Pause Guest").is_some(), has_bar);
        assert!(harness.get_by_role_and_label(Role::Button, "Take").is_focused(), "{has_bar}");
        harness.key_press(Key::Enter);
        assert_eq!(commands(&mut harness), [Command::Transition]);
    }
}

#[test]
fn the_wheel_enlarges_the_canvas_while_a_color_is_picked() {
    let mut harness = inspected(&["chroma-key"]);
    begin_picking(&mut harness);
    let middle = harness.get_by_role_and_label(Role::Canvas, PICKING).rect().center();
    super::canvas::wheel(&mut harness, middle, Vec2::new(0.0, 120.0), Modifiers::COMMAND);
    assert!(is_picking(&harness));
    assert!(super::canvas::readout(&harness).is_some(), "the scale is visible");
}

#[test]
fn picking_ends_with_its_button_or_its_filter() {
    let mut harness = inspected(&["chroma-key"]);
    for _ in 0..2 {
        drop(click(&mut harness, PICK));
        assert!(is_picking(&harness));
        drop(click(&mut harness, PICK));
        assert!(!is_picking(&harness));
    }
    drop(click(&mut harness, PICK));
    assert!(is_picking(&harness));
    apply(&mut harness, &Edit::SetFilters(SourceId(1), Vec::new()));
    assert!(!is_picking(&harness));
    assert_eq!(commands(&mut harness), [Command::LookAt(BTreeMap::new())]);
}

/// Returns true if an edit was sent.
fn edits(sent: &[Command]) -> bool {
    sent.iter().any(|command| matches!(command, Command::Edit(_)))
}

#[test]
fn picking_ends_when_the_inspector_no_longer_shows_the_filter() {
    let changes: [fn(&mut Harness<'static, Window>); 4] = [
        // The filter is collapsed.
        |harness| harness.get_by_role_and_label(Role::Button, "Chroma key").click_accesskit(),
        // Nothing is selected.
        |harness| source(harness, "Guest").click_modifiers(Modifiers::COMMAND),
        // Another filter of this kind, or of another kind, takes its place.
        |harness| {
            let kinds = ["chroma-key", "chroma-key"];
            inspect(harness, &kinds);
            begin_picking(harness);
            let up = harness.query_all_by_role_and_label(Role::Button, "Move Chroma key up");
            up.last().unwrap().click_accesskit();
        },
        |harness| inspect(harness, &["color-key"]),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut harness = inspected(&["chroma-key"]);
        begin_picking(&mut harness);
        assert!(is_picking(&harness), "{index}");
        change(&mut harness);
        harness.run();
        assert!(!is_picking(&harness), "{index}");
    }
}

#[test]
fn escape_in_a_dialog_or_a_field_does_not_end_picking() {
    let mut harness = inspected(&["chroma-key"]);
    begin_picking(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
    harness.run();
    harness.run();
    let dialog = |harness: &Harness<'static, Window>| {
        harness.state().screen.as_ref().and_then(Screen::dialog)
    };
    assert!(dialog(&harness).is_some());
    harness.key_press(Key::Escape);
    harness.run();
    assert!(dialog(&harness).is_none() && is_picking(&harness));

    harness.get_by_role_and_label(Role::TextInput, "Name").focus();
    harness.run();
    harness.event(egui::Event::Text("New".into()));
    drop(commands(&mut harness));
    harness.key_press(Key::Escape);
    assert!(!edits(&commands(&mut harness)) && is_picking(&harness));
    harness.key_press(Key::Escape);
    harness.run();
    assert!(!is_picking(&harness));
}

#[test]
fn picking_goes_on_while_the_canvas_is_drawn_less_often() {
    let mut harness = inspected(&["chroma-key"]);
    begin_picking(&mut harness);
    let ctx = harness.ctx.clone();
    for _ in 0..3 {
        drop(harness.state_mut().screen.as_mut().unwrap().requests(&ctx, false));
    }
    harness.run();
    assert!(is_picking(&harness));
    harness.state_mut().screen.as_mut().unwrap().set_page(Page::Watch);
    harness.run_steps(8);
    assert!(commands(&mut harness).contains(&Command::LookAt(BTreeMap::new())));
    harness.state_mut().screen.as_mut().unwrap().set_page(Page::Studio);
    harness.run();
    assert!(!is_picking(&harness));
}

#[test]
fn the_button_gets_no_focus_long_after_picking() {
    let mut harness = inspected(&["chroma-key"]);
    begin_picking(&mut harness);
    harness.get_by_role_and_label(Role::Tab, "Chat").click();
    harness.run();
    harness.get_by_role_and_label(Role::Canvas, PICKING).focus();
    harness.run();
    harness.key_press(Key::Escape);
    harness.run_steps(8);
    assert!(!is_picking(&harness));
    harness.get_by_role_and_label(Role::Tab, "Inspector").click();
    harness.run();
    harness.run();
    assert!(!harness.get_by_role_and_label(Role::Button, PICK).is_focused());
}

#[test]
fn picking_shows_a_hidden_program_and_replaces_a_missing_frame() {
    let text = "row(* mixer, 304 column(* inspector, 120 controls))";
    let layout: PanelLayout = text.parse().unwrap();
    let own = Panels {
        layout: "mine".into(),
        layouts: [("mine".into(), layout)].into(),
        ..Panels::default()
    };
    let preferences =
        Preferences { panels: Box::new(own), ..preferences(Language::English, Theme::Dark) };
    let mut harness = open_as("filters", HD, preferences);
    inspect(&mut harness, &["chroma-key"]);
    begin_picking(&mut harness);
    assert!(is_picking(&harness));
    assert!(panels(&harness).layouts["mine"].to_string().contains("program"));

    let mut harness = inspected(&["chroma-key"]);
    apply(&mut harness, &Edit::RemoveItem(ItemId(1)));
    assert!(shown(&harness).iter().any(|name| name == "Opening the video source…"));
    begin_picking(&mut harness);
    assert!(is_picking(&harness));
}

#[test]
fn no_color_is_picked_from_a_placeholder() {
    let mut harness = open("missing");
    inspect(&mut harness, &["chroma-key"]);
    begin_picking(&mut harness);
    harness.key_press(Key::Enter);
    assert!(!edits(&commands(&mut harness)) && is_picking(&harness));
}
