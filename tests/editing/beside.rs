//! Tests of scenes beside the program: their views, and imported scenes for which there is no room.

use std::fs;

use super::{PROGRAM, collection, quiet};
use crate::peers::{LIMIT, Onair, wait_for};
use onair::capture::VideoChoice;
use onair::compose::filter::{Filter, Slot};
use onair::compose::{ViewDetail, ViewOf};
use onair::media::{NumericSettings, Size};
use onair::studio::{Command, Edit, Settings};

#[test]
fn what_is_looked_at_is_drawn_beside_the_program_and_follows_the_scenes() {
    // The program shows white; another scene is black.
    let [white, black]: [VideoChoice; 2] =
        ["color:#ffffff", "color:#000000"].map(|choice| choice.parse().unwrap());
    let mut collection = collection(&[white]);
    let (shown, name) = (collection.current, "Other".to_owned());
    assert!(collection.apply(&Edit::AddScene(name)));
    let other = collection.scenes[1].id;
    let add = Edit::AddSource { scene: other, name: "Black".into(), choice: black };
    assert!(collection.apply(&add));
    let source = collection.sources[1].id;
    let studio = quiet(Settings { collection, ..Settings::default() });
    let (scene, alone) = (ViewOf::Scene(other), ViewOf::Source(source));
    let wanted = [
        (ViewOf::Scene(shown), ViewDetail::Thumbnail),
        (scene, ViewDetail::Thumbnail),
        (alone, ViewDetail::Full),
    ];
    studio.send(Command::LookAt(wanted.into()));
    // The size of the frame in a view, and the luma in its middle.
    let seen = |of: ViewOf| {
        let views = studio.snapshot().scenes.views;
        let frame = views.get(&of)?.get()?;
        let (size, planes) = (frame.size(), frame.planes());
        Some((size, planes.y[planes.y.len() / 2 + size.width as usize / 2]))
    };
    let small = Size::new(480, 270);
    wait_for("the program's scene", LIMIT, || seen(wanted[0].0) == Some((small, 235)));
    wait_for("the other scene", LIMIT, || seen(scene) == Some((small, 16)));
    wait_for("the source alone", LIMIT, || seen(alone) == Some((PROGRAM, 16)));
    // An edit to a scene that is not on the program shows in its view.
    let grey = "color:#808080".parse().unwrap();
    studio.send(Command::Edit(Edit::SetSource(source, grey)));
    wait_for("the edit", LIMIT, || {
        [scene, alone]
            .iter()
            .all(|of| seen(*of).is_some_and(|(_, luma)| (100..160).contains(&luma)))
    });
    // A view that nobody looks at is no longer drawn.
    let slot = studio.snapshot().scenes.views[&scene].clone();
    studio.send(Command::LookAt([wanted[0]].into()));
    wait_for("the end of the others", LIMIT, || studio.snapshot().scenes.views.len() == 1);
    let white = "color:#ffffff".parse().unwrap();
    studio.send(Command::Edit(Edit::SetSource(source, white)));
    studio.send(Command::SwitchScene(other));
    studio.send(Command::SwitchScene(shown));
    wait_for("another look", LIMIT, || {
        studio.snapshot().scenes.collection.current == shown && seen(wanted[0].0).is_some()
    });
    let luma = slot.get().map(|frame| frame.planes().y[0]);
    assert!(luma.is_some_and(|luma| luma < 200), "{luma:?}");
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_source_is_drawn_as_it_is_before_one_of_its_filters() {
    let mut collection = collection(&["color:#00ff00".parse().unwrap()]);
    let id = collection.sources[0].id;
    let mut darker = Filter::of_kind("color").unwrap();
    assert!(darker.set("gain", 0.5));
    let key = Filter::of_kind("chroma-key").unwrap();
    let slots = [darker, key].map(|filter| Slot { enabled: true, filter });
    assert!(collection.apply(&Edit::SetFilters(id, slots.to_vec())));
    let studio = quiet(Settings { collection, ..Settings::default() });
    for (index, expected) in [(0, 171..=175), (1, 92..=96)] {
        let of = ViewOf::BeforeFilter(id, index);
        studio.send(Command::LookAt([(of, ViewDetail::Full)].into()));
        wait_for("the view before a filter", LIMIT, || {
            let views = studio.snapshot().scenes.views;
            let frame = views.get(&of).and_then(|slot| slot.get());
            frame.is_some_and(|frame| expected.contains(&frame.planes().y[0]))
        });
    }
    studio.end(LIMIT).unwrap();
}

#[test]
fn imported_scenes_without_room_beside_existing_ones_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("more.json");
    let source = |number: u32| serde_json::json!({"name": format!("S{number}"), "source": "test"});
    let items = [1, 64].map(|number| serde_json::json!({"source": format!("S{number}")}));
    let json = serde_json::json!({"version": 1, "collection": {
        "current": "More", "transition": "cut", "transition_ms": 0,
        "sources": (1..=64).map(source).collect::<Vec<_>>(),
        "scenes": [{"name": "More", "items": items}],
    }});
    fs::write(&file, json.to_string()).unwrap();
    let settings =
        || Settings { collection: collection(&[VideoChoice::Test]), ..Settings::default() };
    let wanted = [
        "the default transition (onair keeps your current one)",
        "the source 'S64' (limit of 64 sources reached)",
        "the item for 'S64' in the scene 'More'",
    ];
    // An import in the window.
    let studio = quiet(settings());
    studio.send(Command::ImportScenes(file.clone()));
    let left_out = || {
        let notices = studio.snapshot().notices;
        notices.iter().find(|it| it.key() == "scenes-left-out").and_then(|it| it.value("what"))
    };
    wait_for("what did not come", LIMIT, || left_out() == Some(wanted.join("; ")));
    let now = studio.snapshot().scenes.collection;
    assert_eq!((now.sources.len(), now.scenes[1].items.len()), (64, 1));
    studio.end(LIMIT).unwrap();
    // An import with the command.
    let path = folder.path().join("settings.toml");
    settings().write(&path).unwrap();
    let words = ["scenes", "import", file.to_str().unwrap(), "--settings", path.to_str().unwrap()];
    let event = Onair::start(&words).wait_named("scenes");
    assert_eq!(event["left_out"], serde_json::json!(wanted));
    assert_eq!(event["sources"].as_array().unwrap().len(), 63);
}
