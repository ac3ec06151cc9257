//! Tests of the address and the recent streams of the *Watch* page.

use super::*;

/// Returns true if the shape draws such a text.
fn draws(shape: &egui::Shape, is_it: &dyn Fn(&str) -> bool) -> bool {
    match shape {
        egui::Shape::Text(text) => is_it(text.galley.text()),
        egui::Shape::Vec(shapes) => shapes.iter().any(|shape| draws(shape, is_it)),
        _ => false,
    }
}

/// Returns the number of lines in which the window draws this text.
fn lines_of(shape: &egui::Shape, words: &str) -> Option<usize> {
    match shape {
        egui::Shape::Text(text) => (text.galley.text() == words).then(|| text.galley.rows.len()),
        egui::Shape::Vec(shapes) => shapes.iter().find_map(|shape| lines_of(shape, words)),
        _ => None,
    }
}

#[test]
fn the_advice_of_the_empty_page_is_one_line_in_chinese() {
    for size in [Vec2::new(960.0, 600.0), Vec2::new(1280.0, 720.0)] {
        let harness = open_as("watch-idle", size, preferences(Language::Chinese, Theme::Dark));
        let advice = "在上方输入直播流地址并点击“播放”，或打开文件。";
        let shapes = &harness.output().shapes;
        let lines = shapes.iter().find_map(|it| lines_of(&it.shape, advice));
        assert_eq!(lines, Some(1), "{size:?}");
    }
}

#[test]
fn a_long_recent_path_shows_its_file_name_below_the_address() {
    let mut harness = open("watch-idle");
    let path = format!("/home/ada/{}evening show.mkv", "a-long-name-of-a-folder/".repeat(8));
    harness.state().demo.change(|snapshot| snapshot.recent = vec![path.clone()]);
    harness.run();
    harness.get_by_label("Recent streams").click();
    harness.run();
    harness.step();
    let item = harness.get_by_role_and_label(Role::MenuItemRadio, &path).rect();
    let field = harness.get_by_role_and_label(Role::TextInput, "Stream address").rect();
    assert!((item.left() - field.left()).abs() < 20.0, "{item:?} {field:?}");
    let is_cut = |text: &str| text.starts_with("/home/ada/") && text.contains('…');
    let keeps_name = |text: &str| is_cut(text) && text.ends_with("evening show.mkv");
    let shapes = &harness.output().shapes;
    assert!(shapes.iter().any(|it| draws(&it.shape, &keeps_name)), "{:?}", shown(&harness));
    assert_eq!(click(&mut harness, &path), [Command::Watch { url: path }]);
}

#[test]
fn the_own_address_is_offered_only_while_the_built_in_server_is_a_target() {
    let mut harness = open("idle");
    let address = |harness: &mut Harness<'static, Window>, enabled: bool| {
        let set = |snapshot: &mut onair::studio::Snapshot| {
            snapshot.targets[0].target.enabled = enabled;
        };
        harness.state().demo.change(set);
        harness.run();
        let field = harness.get_by_role_and_label(Role::TextInput, "Stream address");
        field.accesskit_node().value().unwrap_or_default()
    };
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Num2);
    harness.run();
    let own = "rtmp://127.0.0.1:1935/live/onair";
    assert_eq!(address(&mut harness, true), own);
    assert_eq!(address(&mut harness, false), "", "it was offered before the target was turned off");
    harness.event(egui::Event::Text("/film.flv".into()));
    harness.run();
    for enabled in [false, true] {
        assert_eq!(address(&mut harness, enabled), "/film.flv");
    }
}

#[test]
fn the_field_shows_the_own_address_once_it_plays() {
    let mut harness = open("watch-idle");
    harness.state().demo.change(|snapshot| {
        snapshot.live = onair::studio::live::view::LiveState::OnAir;
        snapshot.targets[0].state = Some(onair::studio::targets::TargetState::Live);
    });
    let address = |harness: &Harness<'static, Window>| {
        let field = harness.get_by_role_and_label(Role::TextInput, "Stream address");
        field.accesskit_node().value().unwrap_or_default()
    };
    harness.get_by_role_and_label(Role::TextInput, "Stream address").focus();
    harness.run();
    harness.event(egui::Event::Text("/film.flv".into()));
    commands(&mut harness);
    let url = "rtmp://127.0.0.1:1935/live/onair".to_owned();
    assert_ne!(address(&harness), url);
    let watch = [Command::Watch { url: url.clone() }];
    assert_eq!(click(&mut harness, "Watch your own stream"), watch);
    harness.run();
    assert_eq!(address(&harness), url);
}
