//! Tests of scene collections and profiles: the command line uses, lists, imports and exports them,
//! and a studio that saves its settings changes them on the air.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::peers::{LIMIT, Onair, free_port, wait_for};
use onair::base::Clock;
use onair::capture::VideoChoice;
use onair::studio::command::PartCommand;
use onair::studio::live::view::LiveState;
use onair::studio::settings::keys_beside;
use onair::studio::settings::part::PartKind;
use onair::studio::{Command, Config, Edit, Quality, Settings, Snapshot, Studio};
use serde_json::Value;

/// Runs `onair` with `--json` and the settings in `home`; returns its exit code, events and errors.
fn run_onair(home: &Path, words: &[&str]) -> (i32, Vec<Value>, String) {
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_onair"))
        .args(words)
        .arg("--json")
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("XDG_CONFIG_HOME", home)
        .env("XDG_STATE_HOME", home)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let events = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (out.status.code().unwrap(), events, String::from_utf8_lossy(&out.stderr).into_owned())
}

const OWN: &str = "version = 2\nvideo = 'test'\naudio = 'tone'\n\
    [quality]\nsize = '320x180'\n\
    [[collection.scenes]]\nname = 'First'\n[[collection.scenes.items]]\nmain = true\n";

fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for folder in ["onair/collections", "onair/profiles"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    let write = |name: &str, text: &str| fs::write(home.path().join("onair").join(name), text);
    write("settings.toml", OWN).unwrap();
    write("profiles/Small.toml", "[quality]\nsize = '160x90'\nfps = '10'\n").unwrap();
    let evening = "video = 'test'\naudio = 'silence'\n[[collection.scenes]]\nname = 'Evening'\n\
        [[collection.scenes.items]]\nmain = true\n";
    write("collections/Evening.toml", evening).unwrap();
    home
}

#[test]
fn a_run_goes_by_the_collection_and_profile_that_it_names() {
    let home = home();
    let file = home.path().join("out.mkv");
    let words = ["--duration", "1s", "--record", file.to_str().unwrap()];
    let live = |more: &[&str]| {
        // Left by an earlier run; onair never overwrites a recording.
        let _ = fs::remove_file(&file);
        let words = [&["live"], more, &words].concat();
        let (code, events, errors) = run_onair(home.path(), &words);
        assert_eq!(code, 0, "{errors}");
        let encoder = events.iter().find(|it| it["event"] == "recording");
        assert!(encoder.is_some(), "{events:#?}");
        let (_, probed, _) = run_onair(home.path(), &["probe", file.to_str().unwrap()]);
        let video = probed[0]["streams"].as_array().unwrap().iter();
        let video = video.clone().find(|it| it["type"] == "video").unwrap();
        (video["width"].as_u64().unwrap(), video["height"].as_u64().unwrap())
    };
    let settings = home.path().join("onair/settings.toml");
    let settings = settings.to_str().unwrap();
    assert_eq!(live(&["--settings", settings, "--built-in"]), (320, 180));
    let both = ["--profile", "small", "--collection", "Evening", "--scene", "Evening"];
    assert_eq!(live(&[&["--settings", settings], &both[..]].concat()), (160, 90));
    // The user's own profile, unchanged.
    assert_eq!(live(&["--profile", "Small", "--video", "test"]), (160, 90));
    // A run writes no settings.
    assert_eq!(fs::read_to_string(settings).unwrap(), OWN);
    for (words, wanted) in [
        (
            ["live", "--profile", "Nobody"],
            "there is no profile 'Nobody'; your profiles: Main, Small",
        ),
        (["live", "--collection", "X"], "your scene collections: Evening, Main"),
        (["live", "--collection", "../../x"], "cannot begin with a dot"),
    ] {
        let (code, _, errors) = run_onair(home.path(), &words);
        assert!(code == 3 && errors.contains(wanted), "{code} {errors}");
    }
}

#[test]
fn a_command_refuses_the_flags_of_all_commands_that_it_does_not_use() {
    let home = home();
    for (words, prints_events) in [
        (&["serve", "--check", "--profile", "Small"][..], true),
        (&["devices", "--collection", "Evening"], false),
        (&["collections", "--collection", "Evening"], true),
        (&["profiles", "--profile", "Small"], true),
        (&["--profile", "Small", "probe", "show.flv"], false),
        (&["play", "--headless", "show.flv", "--profile", "Small"], true),
        (&["play", "--headless", "show.flv", "--settings", "show.toml"], true),
        (&["serve", "--check", "--settings", "show.toml"], true),
        (&["probe", "show.flv", "--settings", "show.toml"], false),
        (&["devices", "--settings", "show.toml"], false),
        (&[], false),
        (&["studio"], false),
        (&["man"], false),
        (&["completions", "bash"], false),
    ] {
        let (code, events, errors) = run_onair(home.path(), words);
        assert_eq!((code, events.len()), (2, usize::from(prints_events)), "{words:?} {errors}");
        for summary in &events {
            assert_eq!((&summary["event"], &summary["exit"]), (&"summary".into(), &2.into()));
            assert!(errors.contains(summary["error"].as_str().unwrap()), "{summary} {errors}");
        }
        assert!(errors.contains("does not use --") && errors.contains("Leave out"), "{errors}");
    }
}

#[test]
fn a_run_with_a_profile_is_resumed_with_this_profile() {
    let home = home();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let profile = home.path().join("onair/profiles/Small.toml");
    let text = fs::read_to_string(&profile).unwrap();
    let targets =
        format!("[[targets]]\nenabled = false\n[[targets]]\nserver = '{server}/live/show'\n");
    fs::write(profile, text + &targets).unwrap();
    let path = home.path().to_str().unwrap();
    let folders = [("XDG_CONFIG_HOME", path), ("XDG_STATE_HOME", path)];
    let words = ["live", "--profile", "small", "--video", "test"];
    let mut live = Onair::start_with(&words, &folders);
    serve.wait_named("publish");
    let mark = home.path().join("onair/on-air.toml");
    live.peer.wait_until("the record", LIMIT, |_| mark.exists());
    live.peer.kill();
    serve.wait_named("unpublish");
    let text = fs::read_to_string(&mark).unwrap();
    assert!(
        text.contains("profile = \"Small\"") && text.contains("collection = \"Main\""),
        "{text}"
    );
    let words = ["live", "--resume", "--video", "test", "--duration", "1s"];
    let (code, events, errors) = run_onair(home.path(), &words);
    assert_eq!(code, 0, "{errors}{events:#?}");
    let publishes = serve.events().iter().filter(|it| it["event"] == "publish").count();
    assert_eq!(publishes, 2, "{:#?}", serve.events());
    assert!(!mark.exists(), "it ended in order");
}

#[test]
fn they_are_listed_imported_and_exported_without_a_window() {
    let home = home();
    let list = |what: &str| {
        let (code, events, errors) = run_onair(home.path(), &[what]);
        assert_eq!(code, 0, "{errors}");
        events[0]["names"].to_string()
    };
    assert_eq!(list("profiles"), r#"["Main","Small"]"#);
    assert_eq!(list("collections"), r#"["Evening","Main"]"#);
    // An OBS profile, whose key is imported only on request.
    let obs = home.path().join("obs");
    fs::create_dir_all(&obs).unwrap();
    fs::write(obs.join("basic.ini"), "[General]\nName=Obs\n[Video]\nOutputCX=640\nOutputCY=360\n")
        .unwrap();
    let service =
        r#"{"type":"rtmp_custom","settings":{"server":"rtmp://h/app","key":"planted_key"}}"#;
    fs::write(obs.join("service.json"), service).unwrap();
    let everything = || {
        let mut all = String::new();
        for folder in ["onair", "onair/profiles", "onair/collections"] {
            for entry in fs::read_dir(home.path().join(folder)).unwrap().flatten() {
                all += &fs::read_to_string(entry.path()).unwrap_or_default();
            }
        }
        all
    };
    let (code, events, errors) =
        run_onair(home.path(), &["profiles", "import", obs.to_str().unwrap()]);
    assert_eq!((code, events[0]["name"].as_str()), (0, Some("Obs")), "{errors}");
    assert!(!everything().contains("planted"));
    let with_key = ["profiles", "import", obs.to_str().unwrap(), "--with-key"];
    let (code, events, errors) = run_onair(home.path(), &with_key);
    assert_eq!((code, events[0]["name"].as_str()), (0, Some("Obs 2")), "{errors}");
    let kept = fs::read_to_string(keys_beside(&home.path().join("onair/settings.toml"))).unwrap();
    assert!(kept.contains("planted_key"));
    let file = home.path().join("given.toml");
    let (code, _, errors) =
        run_onair(home.path(), &["profiles", "export", "Obs 2", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{errors}");
    let given = fs::read_to_string(&file).unwrap();
    assert!(given.contains("rtmp://h/app") && !given.contains("planted"), "{given}");
    // An export replaces no file, and its name states its format.
    for (name, why) in
        [("given.toml", "already exists"), ("given.json", "unsupported file name extension")]
    {
        let file = home.path().join(name);
        let words = ["profiles", "export", "Obs 2", file.to_str().unwrap()];
        let (code, _, errors) = run_onair(home.path(), &words);
        assert!(code == 3 && errors.contains(why), "{code} {errors}");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), given);
    // Invalid data is reported, and changes nothing.
    let before = everything();
    for junk in [&b"\x00\x01"[..], b"[", b"{}", b"{\"sources\": 3}", b""] {
        fs::write(&file, junk).unwrap();
        for what in ["profiles", "collections"] {
            let (code, _, errors) =
                run_onair(home.path(), &[what, "import", file.to_str().unwrap()]);
            assert!(code == 3 && errors.contains("given.toml"), "{code} {errors}");
        }
    }
    assert_eq!(everything(), before);
}

#[test]
fn an_import_that_cannot_be_saved_names_the_settings_file() {
    let home = home();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (file, own) = (path("new.toml"), path("taken/deep/settings.toml"));
    assert_eq!(run_onair(home.path(), &["collections", "export", "Main", &file]).0, 0);
    // The path leads through a file.
    fs::write(path("taken"), "").unwrap();
    let words: [&str; 5] = ["scenes", "import", &file, "--settings", &own];
    let (code, events, errors) = run_onair(home.path(), &words);
    assert_eq!((code, &events[0]["event"]), (3, &"summary".into()), "{errors}");
    let error = events[0]["error"].as_str().unwrap();
    assert!(error.contains(&own) && error.contains("another settings file"), "{error}");
    assert!(errors.contains(error), "{errors}");
}

/// Settings that cannot be read are an error, not empty settings.
#[test]
fn unreadable_settings_are_not_listed_imported_or_exported() {
    let home = home();
    let settings = home.path().join("onair/settings.toml");
    let small = home.path().join("onair/profiles/Small.toml");
    let new = home.path().join("new.toml");
    let (own, other) = (settings.to_str().unwrap(), home.path().join("other.toml"));
    fs::write(&other, fs::read_to_string(&small).unwrap()).unwrap();
    let export = |name| ["profiles", "export", name, new.to_str().unwrap()];
    let refused = |words: &[&str], why: &str| {
        let (code, events, errors) = run_onair(home.path(), words);
        assert!(code == 3 && errors.contains(why), "{words:?} {code} {errors}");
        let [summary] = &events[..] else { panic!("{words:?} {events:#?}") };
        assert_eq!((&summary["event"], &summary["exit"]), (&"summary".into(), &3.into()));
        assert!(errors.contains(summary["error"].as_str().unwrap()), "{summary} {errors}");
        assert!(!new.exists(), "{words:?}");
    };
    // A value that cannot be read would be missing in the new file.
    fs::write(&settings, OWN.replace("320x180", "wide")).unwrap();
    refused(&export("Main"), "quality.size");
    // The collection in use has no part in this value.
    let collection = ["collections", "export", "Main", new.to_str().unwrap()];
    let (code, _, errors) = run_onair(home.path(), &collection);
    assert_eq!(code, 0, "{errors}");
    fs::remove_file(&new).unwrap();
    assert_eq!(run_onair(home.path(), &export("Small")).0, 0);
    fs::remove_file(&new).unwrap();
    fs::write(&settings, OWN).unwrap();
    fs::write(&small, "[quality]\nsize = 'wide'\n").unwrap();
    refused(&export("Small"), "quality.size");
    let refused_all = || {
        for words in [
            &["collections"][..],
            &["profiles"],
            &["profiles", "--settings", own],
            &["profiles", "import", other.to_str().unwrap()],
            &["live", "--profile", "Main", "--video", "test", "--duration", "1s"],
            &export("Main"),
        ] {
            refused(words, own);
        }
        assert!(!home.path().join("onair/profiles/other.toml").exists());
    };
    fs::write(&settings, "[[targets]\n").unwrap();
    refused_all();
    fs::remove_file(&settings).unwrap();
    fs::create_dir(&settings).unwrap();
    refused_all();
}

/// A studio that saves its settings in `home`.
fn studio(home: &Path) -> Studio {
    let path = home.join("onair/settings.toml");
    let settings = Settings::read(&path).0;
    let clock = Clock::start();
    let config = Config {
        keys_path: Some(keys_beside(&path)),
        settings_path: Some(path),
        keyring: false,
        ..Config::new(clock, settings)
    };
    Studio::start(config).unwrap()
}

fn wait(studio: &Studio, what: &str, wanted: impl Fn(&Snapshot) -> bool) -> Snapshot {
    wait_for(what, LIMIT, || wanted(&studio.snapshot()));
    studio.snapshot()
}

fn has_notice(snapshot: &Snapshot, words: &str) -> bool {
    snapshot.notices.iter().any(|it| it.summary().contains(words))
}

#[test]
fn on_air_a_collection_is_a_scene_change_and_a_profile_waits() {
    let home = home();
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let path = home.path().join("onair/settings.toml");
    let targets = format!(
        "[[targets]]\nenabled = false\n[[targets]]\nserver = '{server}/live/show'\n{}",
        "[collection]\ncurrent = 'First'\n"
    );
    let text = OWN.replace(
        "[[collection.scenes]]\nname = 'First'",
        &format!("{targets}[[collection.scenes]]\nname = 'First'"),
    );
    fs::write(&path, text).unwrap();
    let studio = studio(home.path());
    let part = |command| studio.send(Command::Part(command));
    wait(&studio, "the list", |it| {
        it.parts.profiles.len() == 2 && !it.cameras.is_empty() || it.parts.is_kept
    });
    studio.send(Command::GoLive);
    wait(&studio, "on air", |it| it.live == LiveState::OnAir);
    // A new collection does not replace the program.
    part(PartCommand::New(PartKind::Collection, "Talk".into()));
    let is_listed = |it: &Snapshot| it.parts.collections.iter().any(|name| name == "Talk");
    let snapshot = wait(&studio, "the new collection", is_listed);
    assert_eq!(snapshot.parts.in_use.collection, "Main");
    assert_eq!(snapshot.scenes.collection.scenes[0].name, "First");
    part(PartCommand::Use(PartKind::Collection, "Evening".into()));
    let snapshot =
        wait(&studio, "the other collection", |it| it.parts.in_use.collection == "Evening");
    assert_eq!(snapshot.scenes.collection.scenes[0].name, "Evening");
    // A new profile does not replace the one in use.
    part(PartCommand::New(PartKind::Profile, "Later".into()));
    let is_listed = |it: &Snapshot| it.parts.profiles.iter().any(|name| name == "Later");
    let snapshot = wait(&studio, "the new profile", is_listed);
    assert_eq!(snapshot.parts.in_use.profile, "Main");
    part(PartCommand::Use(PartKind::Profile, "Small".into()));
    wait(&studio, "a refusal", |it| has_notice(it, "while you are on air"));
    // The stream was not interrupted.
    let sent = |it: &Snapshot| it.figures.sent_bytes;
    let before = sent(&studio.snapshot());
    let snapshot = wait(&studio, "more of it", |it| sent(it) > before + 20_000);
    let target = &snapshot.targets[1];
    assert_eq!((snapshot.live, target.reconnects), (LiveState::OnAir, 0));
    assert_eq!(snapshot.parts.in_use.profile, "Main");
    studio.send(Command::StopLive);
    wait(&studio, "the end", |it| it.live == LiveState::Idle);
    part(PartCommand::Use(PartKind::Profile, "Small".into()));
    let snapshot = wait(&studio, "the other profile", |it| it.parts.in_use.profile == "Small");
    assert_eq!((snapshot.quality.size.width, snapshot.targets.len()), (160, 1));
    studio.end(LIMIT).unwrap();
    let publishes = serve.events().iter().filter(|it| it["event"] == "publish").count();
    assert_eq!(publishes, 1, "{:#?}", serve.events());
    // The file says so too, and the unused parts keep their own files.
    let read = Settings::read(&path).0;
    assert_eq!((&*read.in_use.collection, &*read.in_use.profile), ("Evening", "Small"));
    let parked = fs::read_to_string(home.path().join("onair/profiles/Main.toml")).unwrap();
    assert!(parked.contains(&server), "{parked}");
}

#[test]
fn a_pipe_is_not_imported_and_stops_no_later_import() {
    let home = home();
    let pipe = home.path().join("Pipe.json");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let studio = studio(home.path());
    let part = |command| studio.send(Command::Part(command));
    wait(&studio, "the list", |it| it.parts.is_kept);
    // Nothing writes to the pipe, so reading it would never end.
    for kind in PartKind::ALL {
        part(PartCommand::Import { kind, path: pipe.clone(), with_key: false });
        wait(&studio, "a refusal", |it| has_notice(it, "Pipe.json: the path does not"));
        part(PartCommand::Use(kind, "Main".into()));
        wait(&studio, "no refusal", |it| !has_notice(it, "Nothing changed"));
    }
    studio.send(Command::ImportScenes(pipe));
    wait(&studio, "a refusal", |it| has_notice(it, "Cannot import the scenes"));
    let scene = serde_json::json!({"id": "scene", "name": "A", "settings": {"items": []}});
    let file = serde_json::json!({"current_scene": "A", "sources": [scene]});
    let path = home.path().join("Regular.json");
    fs::write(&path, file.to_string()).unwrap();
    part(PartCommand::Import { kind: PartKind::Collection, path, with_key: false });
    wait(&studio, "the import", |it| it.parts.collections.iter().any(|name| name == "Regular"));
    studio.end(LIMIT).unwrap();
}

#[test]
fn what_was_changed_can_be_had_back() {
    let home = home();
    let studio = studio(home.path());
    let part = |command| studio.send(Command::Part(command));
    let kind = PartKind::Profile;
    wait(&studio, "the list", |it| it.parts.is_kept);
    let before = studio.snapshot().quality;
    studio.send(Command::SetQuality(Quality { channels: 1, ..before }));
    studio.send(Command::Edit(Edit::AddScene("Mistake".into())));
    let versions = |it: &Snapshot| it.parts.versions.as_ref().map_or(0, |it| it.versions.len());
    wait_for("a version", LIMIT, || {
        part(PartCommand::ListVersions(kind, "Main".into()));
        std::thread::sleep(Duration::from_millis(100));
        versions(&studio.snapshot()) == 1
    });
    let list = studio.snapshot().parts.versions.clone().unwrap();
    assert_eq!((list.kind, &*list.name), (kind, "Main"));
    part(PartCommand::Restore { kind, name: "Main".into(), id: list.versions[0].id.clone() });
    let snapshot = wait(&studio, "the quality of before", |it| it.quality == before);
    assert_eq!(versions(&snapshot), 2, "what there was meanwhile is a version too");
    // The other part is unchanged.
    assert!(snapshot.scenes.collection.scene_named("Mistake").is_some());
    // New, renamed and duplicated profiles: each has one name and exists once.
    part(PartCommand::New(kind, "Fresh".into()));
    wait(&studio, "a new one", |it| it.parts.in_use.profile == "Fresh");
    part(PartCommand::Rename { kind, was: "Main".into(), name: "Home".into() });
    part(PartCommand::Duplicate(kind, "Copy".into()));
    let snapshot = wait(&studio, "a copy", |it| it.parts.in_use.profile == "Copy");
    assert_eq!(snapshot.parts.profiles, ["Copy", "Fresh", "Home", "Small"]);
    for refused in [
        PartCommand::New(kind, "home".into()),
        PartCommand::New(kind, "a/b".into()),
        PartCommand::Use(kind, "Nobody".into()),
        PartCommand::Delete(kind, "Nobody".into()),
        PartCommand::Rename { kind, was: "Home".into(), name: "COPY".into() },
    ] {
        part(refused.clone());
        let snapshot = wait(&studio, "a refusal", |it| has_notice(it, "Nothing changed"));
        assert_eq!(snapshot.parts.profiles.len(), 4, "{refused:?}");
        part(PartCommand::Use(kind, "Copy".into()));
        wait(&studio, "no refusal", |it| !has_notice(it, "Nothing changed"));
    }
    part(PartCommand::Delete(kind, "Copy".into()));
    let snapshot = wait(&studio, "one less", |it| it.parts.profiles.len() == 3);
    assert_eq!(snapshot.parts.in_use.profile, "Fresh");
    // A deleted one can be restored, and an unused one too.
    assert_eq!(snapshot.parts.deleted(kind), ["Copy"]);
    for name in ["Copy", "Home"] {
        part(PartCommand::ListVersions(kind, name.into()));
        let snapshot = wait(&studio, "its versions", |it| {
            it.parts.versions.as_ref().is_some_and(|it| it.name == name && !it.versions.is_empty())
        });
        let id = snapshot.parts.versions.as_ref().unwrap().versions[0].id.clone();
        part(PartCommand::Restore { kind, name: name.into(), id });
    }
    let snapshot = wait(&studio, "it is there again", |it| it.parts.profiles.len() == 4);
    assert_eq!(
        (snapshot.parts.profiles[0].as_str(), snapshot.parts.deleted(kind).len()),
        ("Copy", 0)
    );
    assert_eq!(snapshot.parts.in_use.profile, "Fresh");
    part(PartCommand::Use(kind, "Copy".into()));
    wait(&studio, "the restored one", |it| it.parts.in_use.profile == "Copy");
    part(PartCommand::Use(kind, "Fresh".into()));
    wait(&studio, "the other", |it| it.parts.in_use.profile == "Fresh");
    studio.end(LIMIT).unwrap();
    let read = Settings::read(&home.path().join("onair/settings.toml")).0;
    assert_eq!(read.in_use.profile, "Fresh");
}

#[test]
fn a_secret_that_is_changed_in_a_copy_stays_in_the_original() {
    let home = home();
    let studio = studio(home.path());
    let part = |command| studio.send(Command::Part(command));
    let kind = PartKind::Collection;
    let port = free_port();
    let address = |token: &str| {
        VideoChoice::Stream(format!("rtmp://127.0.0.1:{port}/live/door?token={token}"))
    };
    let has = |it: &Snapshot, token: &str| {
        it.scenes.collection.sources.iter().any(|source| source.choice == address(token))
    };
    let snapshot = wait(&studio, "the list", |it| it.parts.is_kept);
    let original = snapshot.parts.in_use.collection.clone();
    let scene = snapshot.scenes.collection.current;
    let add = |scene| Edit::AddSource { scene, name: "Door".into(), choice: address("first") };
    studio.send(Command::Edit(add(scene)));
    part(PartCommand::Duplicate(kind, "Copy".into()));
    let snapshot = wait(&studio, "a copy", |it| it.parts.in_use.collection == "Copy");
    let mut sources = snapshot.scenes.collection.sources.iter();
    let id = sources.find(|source| source.choice == address("first")).unwrap().id;
    studio.send(Command::Edit(Edit::SetSource(id, address("second"))));
    // A collection that knows nothing of the others has the same address with a third token.
    part(PartCommand::New(kind, "Fresh".into()));
    let snapshot = wait(&studio, "a new one", |it| it.parts.in_use.collection == "Fresh");
    studio.send(Command::Edit(add(snapshot.scenes.collection.current)));
    let snapshot = wait(&studio, "its source", |it| has(it, "first"));
    let id = snapshot.scenes.collection.sources[0].id;
    studio.send(Command::Edit(Edit::SetSource(id, address("third"))));
    let all = [(original.as_str(), "first"), ("Copy", "second"), ("Fresh", "third")];
    for (name, token) in [all, all].concat() {
        part(PartCommand::Use(kind, name.into()));
        wait(&studio, "its own address", |it| it.parts.in_use.collection == name && has(it, token));
    }
    // A renamed collection, whose end takes nothing from the others.
    part(PartCommand::Rename { kind, was: original, name: "Old".into() });
    part(PartCommand::Use(kind, "Old".into()));
    wait(&studio, "its own address", |it| it.parts.in_use.collection == "Old" && has(it, "first"));
    part(PartCommand::Delete(kind, "Old".into()));
    wait(&studio, "another one", |it| it.parts.in_use.collection != "Old");
    part(PartCommand::Use(kind, "Copy".into()));
    wait(&studio, "its address", |it| it.parts.in_use.collection == "Copy" && has(it, "second"));
    studio.end(LIMIT).unwrap();
}
