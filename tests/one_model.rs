//! Tests of the window's studio, in which every source is part of a scene: the first start,
//! settings of earlier versions, and a command-line run with the window's settings.

use std::fs;
use std::path::Path;

use crate::peers::{LIMIT, Onair, wait_for};
use onair::audio::AudioChoice;
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::compose::scene::Content;
use onair::studio::scenes::MAIN_SOURCE;
use onair::studio::snapshot::SourceState;
use onair::studio::{Collection, Command, Config, Settings, Snapshot, Studio};
use onair::text::Language;

/// The studio as the window starts it with this file.
fn window(path: &Path) -> Studio {
    let settings = Settings::read(path).0;
    let settings = Settings { audio: Some(AudioChoice::Silence), ..settings };
    let settings_path = Some(path.to_owned());
    let config = Config {
        settings_path,
        scenes_only: true,
        keyring: false,
        ..Config::new(Clock::start(), settings)
    };
    Studio::start(config).unwrap()
}

fn end(studio: &Studio) {
    studio.send(Command::Quit);
    wait_for("the end", LIMIT, || studio.snapshot().ended);
}

/// Waits until the scenes have their own source.
fn settled(studio: &Studio) -> Snapshot {
    wait_for("a source of its own", LIMIT, || {
        let mut main = false;
        let collection = studio.snapshot().scenes.collection;
        collection.each(|item| main |= item.content == Content::Source(MAIN_SOURCE));
        !main
    });
    studio.snapshot()
}

#[test]
fn a_first_start_has_a_scene_with_its_own_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let studio = window(&path);
    let snapshot = settled(&studio);
    let collection = &snapshot.scenes.collection;
    assert_eq!(collection.scenes.len(), 1);
    assert_eq!((&*collection.scenes[0].name, collection.sources.len()), ("Main", 1));
    let source = collection.sources[0].clone();
    match snapshot.cameras.first() {
        Some(camera) => assert_eq!(source.name, camera.name),
        None => assert_eq!((&*source.name, &source.choice), ("Test pattern", &VideoChoice::Test)),
    }
    wait_for("its picture", LIMIT, || {
        let snapshot = studio.snapshot();
        let state = snapshot.scenes.source(source.id).map(|it| it.state);
        state.is_some_and(|state| state != SourceState::Opening)
    });
    end(&studio);
    // The next start keeps the source without choosing again.
    let kept = Settings::read(&path).0;
    assert_eq!((kept.video, &kept.collection.sources), (None, &vec![source]));
}

#[test]
fn the_main_video_of_earlier_settings_becomes_a_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, include_str!("data/settings/main-picture.toml")).unwrap();
    let before = Settings::read(&path);
    assert!(before.1.is_empty(), "{:?}", before.1);
    assert!(before.0.collection.uses(MAIN_SOURCE));
    let studio = window(&path);
    let collection = Collection::clone(&settled(&studio).scenes.collection);
    end(&studio);
    let source = collection.sources.iter().find(|it| it.choice == VideoChoice::Test).unwrap();
    assert_eq!(source.name, "Test pattern");
    assert_eq!(source.filters.len(), 1, "with the filter that it had");
    let mut places = Vec::new();
    collection.each(|item| {
        if item.content == Content::Source(source.id) {
            places.push((item.place.x, item.name.clone()));
        }
    });
    assert_eq!(places, [(0.0, String::new()), (0.5, "Small".into())], "where it was");
    assert_eq!(Settings::read(&path).0.collection, collection);
    // Without a window the scenes are the same; `--video` still replaces the video.
    let settings = path.display().to_string();
    for flags in [&[][..], &["--video", "test"][..]] {
        let recorded = folder.path().join(format!("{}.mkv", flags.len()));
        let recorded = recorded.display().to_string();
        let words = ["live", "--settings", &settings, "--record", &recorded, "--duration", "1s"];
        let words: Vec<&str> = words.iter().copied().chain(flags.iter().copied()).collect();
        let summary = Onair::start(&words).wait_named("summary");
        assert_eq!(summary["exit"], 0, "{flags:?}");
    }
}

/// The words around a name and the name that onair chose are in one language.
#[test]
fn in_chinese_a_check_names_the_test_pattern_in_chinese() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    fs::write(&path, "[window]\nlanguage = \"zh-CN\"\n").unwrap();
    let studio = window(&path);
    settled(&studio);
    studio.send(Command::SelectVideo(VideoChoice::Test));
    wait_for("the test pattern", LIMIT, || {
        let snapshot = studio.snapshot();
        let open = |id| snapshot.scenes.source(id).is_some_and(|it| it.state == SourceState::Open);
        let sources = &snapshot.scenes.collection.sources;
        sources.iter().any(|it| it.choice == VideoChoice::Test && open(it.id))
    });
    assert_eq!(check_of_video(&studio), "视频来源正常：测试画面。");
    end(&studio);
}

#[test]
fn in_chinese_a_check_on_the_command_line_names_the_test_pattern_in_chinese() {
    let (video, audio) = (Some(VideoChoice::Test), Some(AudioChoice::Silence));
    let settings = Settings { video, audio, ..Settings::default() };
    let config = Config { keyring: false, ..Config::new(Clock::start(), settings) };
    let studio = Studio::start(config).unwrap();
    wait_for("the test pattern", LIMIT, || {
        studio.snapshot().video.is_some_and(|video| video.state == SourceState::Open)
    });
    assert_eq!(check_of_video(&studio), "视频来源正常：测试画面。");
    end(&studio);
}

/// Returns what a check says about the video, in Chinese.
fn check_of_video(studio: &Studio) -> String {
    studio.send(Command::Check { test_stream: false });
    let text = || {
        let checked = studio.snapshot().checked?;
        let found = checked.found.into_iter().find(|notice| notice.key() == "found-video")?;
        Some(Language::Chinese.say(&found.problem))
    };
    wait_for("the result for the video", LIMIT, || text().is_some());
    text().unwrap()
}

#[test]
fn the_guide_chooses_what_the_first_source_shows() {
    let folder = tempfile::tempdir().unwrap();
    let studio = window(&folder.path().join("settings.toml"));
    settled(&studio);
    let color: VideoChoice = "color:#102030".parse().unwrap();
    studio.send(Command::SelectVideo(color.clone()));
    let sources = || studio.snapshot().scenes.collection.sources.clone();
    wait_for("the choice", LIMIT, || sources().iter().any(|it| it.choice == color));
    let sources = sources();
    assert_eq!((sources.len(), &*sources[0].name), (1, "Color"));
    assert_eq!(studio.snapshot().usual_video().unwrap().choice, color);
    end(&studio);
}
