//! Tests of the user guide inside the window.

use onair::base::Stop;

use super::*;

fn guide(language: Language, size: Vec2) -> Harness<'static, Window> {
    let mut harness = open_as("idle", size, preferences(language, Theme::Dark));
    harness.key_press(Key::F1);
    harness.run();
    harness
}

fn heading(harness: &Harness<'static, Window>) -> String {
    let heading = harness.get_all_by_role(Role::Heading).next().expect("a page has a heading");
    heading.accesskit_node().label().expect("a heading has words")
}

fn press(harness: &mut Harness<'static, Window>, role: Role, name: &str) {
    // The dialog comes last, because a list behind it may have an entry with the same name.
    harness.query_all_by_role_and_label(role, name).last().expect(name).focus();
    harness.run();
    harness.key_press(Key::Enter);
    harness.run();
}

#[test]
fn the_guide_opens_in_the_language_of_the_window() {
    let size = Vec2::new(1280.0, 720.0);
    assert_eq!(heading(&guide(Language::English, size)), "First broadcast in the window");
    assert_eq!(heading(&guide(Language::Chinese, size)), "在窗口里第一次直播");
}

#[test]
fn topics_and_links_are_followed_by_keyboard_and_back_again() {
    let mut harness = guide(Language::English, Vec2::new(1280.0, 720.0));
    // The list has the keyboard focus when the help opens.
    let first = "First broadcast in the window";
    assert!(harness.get_by_role_and_label(Role::RadioButton, first).is_focused());
    press(&mut harness, Role::RadioButton, "Read the health bar");
    assert_eq!(heading(&harness), "Read the health bar");
    press(&mut harness, Role::Link, "restricted networks");
    assert_eq!(heading(&harness), "Stream over a slow or restricted network");
    press(&mut harness, Role::Button, "Back");
    assert_eq!(heading(&harness), "Read the health bar");
    press(&mut harness, Role::Button, "Back");
    assert_eq!(heading(&harness), first);
    // The help opens again at the same page.
    press(&mut harness, Role::RadioButton, "Run a server");
    harness.key_press(Key::Escape);
    harness.run();
    assert!(harness.query_by_role(Role::Heading).is_none());
    harness.key_press(Key::F1);
    harness.run();
    assert_eq!(heading(&harness), "Run a server");
}

#[test]
fn a_link_into_a_page_goes_to_its_heading() {
    let mut harness = guide(Language::English, Vec2::new(1280.0, 720.0));
    press(&mut harness, Role::RadioButton, "Record a broadcast");
    press(&mut harness, Role::Link, "audio tracks");
    assert_eq!(heading(&harness), "Audio");
    harness.run();
    let heading = harness.get_by_role_and_label(Role::Heading, "Tracks of recordings");
    assert!((80.0..400.0).contains(&heading.rect().top()), "{:?}", heading.rect());
}

#[test]
fn a_page_shows_its_images_until_the_help_closes() {
    for (language, page, text) in [
        (
            Language::English,
            "Read the health bar",
            "The studio on air: the health bar shows All good.",
        ),
        (Language::Chinese, "看懂状态条", "直播中的工作台：状态条显示一切正常"),
    ] {
        let size = Vec2::new(1280.0, 720.0);
        let mut harness = open_as("idle", size, preferences(language, Theme::Dark));
        let textures =
            |harness: &Harness<'static, Window>| harness.ctx.tex_manager().read().num_allocated();
        let before = textures(&harness);
        harness.key_press(Key::F1);
        harness.run();
        press(&mut harness, Role::RadioButton, page);
        let place = harness.get_by_role_and_label(Role::Image, text).rect();
        assert!(place.width() > 500.0, "{place:?}");
        assert!((place.width() / place.height() - 16.0 / 9.0).abs() < 0.01, "{place:?}");
        // Another thread decodes the image.
        let is_drawn = |harness: &mut Harness<'static, Window>| {
            harness.run();
            textures(harness) > before
        };
        let is_drawn = (0..3_000)
            .any(|_| is_drawn(&mut harness) || Stop::new().wait(Duration::from_millis(10)));
        assert!(is_drawn);
        harness.key_press(Key::Escape);
        harness.run();
        assert_eq!(textures(&harness), before);
    }
}

#[test]
fn hotkeys_are_a_topic_and_lead_to_their_settings() {
    let mut harness = guide(Language::English, Vec2::new(1280.0, 720.0));
    press(&mut harness, Role::RadioButton, "Keyboard shortcuts");
    harness.get_by_label("Ctrl+L");
    press(&mut harness, Role::Button, "Change hotkeys…");
    assert!(harness.query_by_label("Reset all hotkeys").is_some());
}

#[test]
fn code_is_copied() {
    let mut harness = guide(Language::English, Vec2::new(1280.0, 720.0));
    press(&mut harness, Role::RadioButton, "Test how a publisher handles faults");
    let name = "Copy onair serve --fault reset@media:3s..8s --fault busy@publish:2";
    harness.get_by_label(name).click();
    harness.step();
    let copied =
        harness.output().platform_output.commands.iter().find_map(|command| match command {
            egui::OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        });
    assert!(copied.expect("the code is copied").contains("reject@connect:InvalidApp*1"));
}

#[test]
fn the_keys_of_a_page_scroll_it() {
    let mut harness = guide(Language::English, Vec2::new(1280.0, 720.0));
    let top = |harness: &Harness<'static, Window>| {
        harness.get_all_by_role(Role::Heading).next().unwrap().rect().top()
    };
    let before = top(&harness);
    harness.key_press(Key::PageDown);
    harness.run();
    harness.run();
    assert!(top(&harness) < before - 100.0, "{before} {}", top(&harness));
    harness.key_press(Key::Home);
    harness.run();
    harness.run();
    assert!((top(&harness) - before).abs() < 1.0);
}

#[test]
fn every_page_fits_the_smallest_and_the_largest_window() {
    for (size, language) in [
        (Vec2::new(960.0, 600.0), Language::English),
        (Vec2::new(3840.0, 2160.0), Language::Chinese),
    ] {
        let mut harness = guide(language, size);
        let screen = egui::Rect::from_min_size(egui::Pos2::ZERO, size).expand(0.5);
        let topics = harness.get_all_by_role(Role::RadioButton);
        let topics: Vec<String> = topics
            .filter_map(|node| node.accesskit_node().label())
            .skip_while(|name| {
                !name.contains(if language == Language::English {
                    "First broadcast"
                } else {
                    "第一次直播"
                })
            })
            .collect();
        assert!(topics.len() > 20, "{topics:?}");
        for topic in topics {
            press(&mut harness, Role::RadioButton, &topic);
            for node in harness.root().children_recursive() {
                let accesskit = node.accesskit_node();
                if accesskit.is_hidden() || accesskit.label().is_none() {
                    continue;
                }
                let rect = node.rect();
                let what = format!("{topic} {size:?}: {:?} {rect:?}", accesskit.label());
                assert!(rect.left() >= screen.left() && rect.right() <= screen.right(), "{what}");
            }
        }
    }
}

#[test]
fn a_dialog_that_a_key_opens_hides_the_tooltip_below_the_pointer() {
    let name = "The scene with the longest name that anybody has given to a scene";
    let count = |harness: &Harness<'static, Window>| {
        let is_name = |shape: &egui::Shape| match shape {
            egui::Shape::Text(text) => text.galley.text() == name,
            _ => false,
        };
        let shapes = super::lists::shapes(harness, egui::Rect::EVERYTHING);
        shapes.iter().filter(|shape| is_name(shape)).count()
    };
    // The guide has a card of its own.
    for dialog in [Dialog::Settings, Dialog::Guide] {
        let mut harness = super::building::with(&[]);
        super::building::make(&mut harness, &[Edit::AddScene(name.into())]);
        let before = count(&harness);
        harness.hover_at(source(&harness, name).rect().center());
        harness.run_steps(8);
        assert_eq!(count(&harness), before + 1);
        if dialog == Dialog::Settings {
            harness.key_press_modifiers(Modifiers::COMMAND, Key::Comma);
        } else {
            harness.state_mut().screen.as_mut().unwrap().open(dialog);
        }
        harness.run_steps(4);
        assert_eq!(harness.state().screen.as_ref().unwrap().dialog(), Some(dialog));
        assert_eq!(count(&harness), before, "{dialog:?}");
    }
}
