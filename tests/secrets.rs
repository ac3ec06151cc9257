//! Tests that stream keys stay secret. The planted key contains characters that programs quote,
//! escape or split. It must not appear in trace logs, errors, JSON, the process list, the event
//! log, recordings, screenshots, settings or a crash report.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command as Process;

use crate::peers::{self, LIMIT, Nginx, Onair, wait_for};
use onair::audio::AudioChoice;
use onair::base::{Clock, Secret, Worker};
use onair::capture::VideoChoice;
use onair::cli::process::crash;
use onair::cli::process::crash::LastLines;
use onair::net::webrtc::panics::contain;
use onair::studio::{Command, Config, Settings, Studio, Target};
use tracing_subscriber::fmt::MakeWriter;

/// The planted key: quotes, a backslash, percent signs, a query, and non-ASCII letters.
const KEY: &str = "Pl4nted\"k'e\\y-ü?sign=Hidd3n&x=%2F#end";
/// Parts that reveal it in any kind of quoting.
const PARTS: &[&str] = &["Pl4nted", "Hidd3n", "pl4nted", "%50l4nted"];
/// The same for keys on a command line, which everybody can see.
const OPEN: &[&str] = &["0penKey", "0penPass"];

fn look(place: &str, bytes: &[u8]) {
    look_for(PARTS, place, bytes);
}

fn look_for(parts: &[&str], place: &str, bytes: &[u8]) {
    for part in parts {
        let found = bytes.windows(part.len()).position(|window| window == part.as_bytes());
        assert!(found.is_none(), "{place} holds {part} at {found:?}");
    }
}

fn look_in(folder: &Path, but: &Path) -> usize {
    let mut files = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files += look_in(&path, but);
        } else if path != but {
            look(&path.display().to_string(), &fs::read(&path).unwrap());
            look("a file's name", path.file_name().unwrap().as_encoded_bytes());
            files += 1;
        }
    }
    files
}

/// The command lines of all processes, as every user of the machine sees them.
fn look_at_processes() {
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        // The process has ended meanwhile, or is a kernel thread.
        let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        look(&entry.path().display().to_string(), &line);
    }
}

/// Writes the key file once for all broadcasts of a folder: while it is rewritten, another
/// broadcast would find it empty.
fn write_key(folder: &Path) {
    fs::write(folder.join("key"), format!("{KEY}\n")).unwrap();
}

/// Starts a broadcast that gets the key in this way.
fn broadcast(folder: &Path, app: &str, way: &str) -> Onair {
    let file = folder.join("key");
    let record = folder.join(format!("{way}.mp4"));
    let why = folder.join(format!("{way}.txt"));
    let mut command = Process::new(env!("CARGO_BIN_EXE_onair"));
    command.args(["live", "--video", "test", "--audio", "tone", "--size", "480x270"]);
    command.args(["--video-bitrate", "300k", "--log", "trace", "--retry-for", "1s"]);
    command.arg("--record").arg(record).arg("--why").arg(why).args(["--to", app]);
    match way {
        "env" => {
            command.args(["--key-env", "PLANTED"]).env("PLANTED", KEY);
        }
        "file" => {
            command.arg("--key-file").arg(&file);
        }
        _ => {
            command.arg("--key-stdin");
        }
    }
    // Through a shell, which redirects standard input to a file.
    if way == "stdin" {
        let mut shell = Process::new("sh");
        shell.arg("-c").arg("exec \"$0\" \"$@\" < \"$KEY_FILE\"").arg(command.get_program());
        shell.args(command.get_args()).env("KEY_FILE", &file);
        return Onair::start_command(shell.arg("--json"), &[]);
    }
    Onair::start_command(command.arg("--json"), &[])
}

#[test]
fn a_planted_key_is_nowhere_whatever_way_it_came() {
    peers::require!("nginx", "ffprobe");
    let nginx = Nginx::start();
    let app = |name: &str| format!("rtmp://127.0.0.1:{}/{name}", nginx.port);
    let folder = tempfile::tempdir().unwrap();
    write_key(folder.path());
    let mut all = Vec::new();
    for way in ["env", "file", "stdin"] {
        all.push(broadcast(folder.path(), &app("live"), way));
    }
    // The same stream name three times: one is on air, and the others are told that it is in use.
    // Then a server that refuses, and one that does not exist.
    for app in [app("refused"), format!("rtmp://127.0.0.1:{}/live", peers::free_port())] {
        let name = app.rsplit('/').next().unwrap();
        let other = folder.path().join(format!("{name}-{}", all.len()));
        fs::create_dir(&other).unwrap();
        write_key(&other);
        all.push(broadcast(&other, &app, "env"));
    }
    wait_for("a stream on air", LIMIT, || {
        let live = |onair: &Onair| {
            onair.events().iter().any(|it| it["event"] == "target" && it["state"] == "live")
        };
        all.iter().any(live)
    });
    look_at_processes();
    for onair in &mut all {
        onair.wait_named("target");
    }
    wait_for("two seconds of each, or its end", LIMIT, || {
        all.iter().all(|onair| {
            let events = onair.events();
            let count = |name| events.iter().filter(|it| it["event"] == name).count();
            count("stats") >= 2 || count("summary") > 0
        })
    });
    look_at_processes();
    let mut logged = 0;
    for onair in &mut all {
        onair.stop(LIMIT);
        logged += onair.peer.errors().len();
        look("standard output", onair.peer.output().as_bytes());
        look("the event log", onair.peer.errors().as_bytes());
    }
    assert!(logged > 1_000, "hardly anything was logged");
    let keys: Vec<_> =
        ["", "refused-3", "live-4"].iter().map(|it| folder.path().join(it)).collect();
    for place in keys {
        // The file from which the key was read.
        let _ = fs::remove_file(place.join("key"));
    }
    assert!(look_in(folder.path(), Path::new("")) >= 8, "recordings and histories");
    for onair in &all {
        look_in(onair.settings.path(), Path::new(""));
    }
}

#[test]
fn commands_that_take_a_whole_url_do_not_repeat_its_key() {
    let closed = peers::free_port();
    let url = format!("rtmp://me:0penPass@127.0.0.1:{closed}/live/0penKey?a=b");
    // 6: nothing listens on the port. 2: the address cannot be used. 3: there is no key.
    for (words, code) in [
        (vec!["check", &url], 6),
        (vec!["probe", &url], 6),
        (vec!["play", "--headless", "--no-reconnect", "--duration", "1s", &url], 6),
        (vec!["live", "--video", "test", "--retry-for", "0s", "--duration", "2s", "--to", &url], 6),
        (vec!["live", "--video", "test", "--to", "rtmp://h/live/0penKey 0penPass"], 2),
        (vec!["check", "http://h/0penKey"], 2),
        (vec!["live", "rtmp://h/live/0penKey"], 2),
        (vec!["live", "--to", "rtmp://h/live", "--key-env", "live_0penKey"], 3),
    ] {
        let mut onair = Onair::start(&[&words[..], &["--log", "trace"]].concat());
        let status = onair.peer.wait(LIMIT);
        assert_eq!(status.code(), Some(code), "{words:?}: {}", onair.peer.errors());
        let named = onair.peer.output() + &onair.peer.errors();
        assert!(code != 6 || named.contains("127.0.0.1"), "{words:?}: {named}");
        look_for(OPEN, &format!("output of {}", words[0]), onair.peer.output().as_bytes());
        look_for(OPEN, &format!("log of {}", words[0]), onair.peer.errors().as_bytes());
    }
}

#[test]
fn a_crash_leaves_a_report_for_its_owner_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let crashes = folder.path().join("onair").join("crashes");
    let lines = LastLines::default();
    let key = Secret::new(KEY);
    let mut writer = lines.make_writer();
    writer.write_all(b"INFO the line before\n").unwrap();
    for number in 0..500 {
        // In one write, as the log's formatter does.
        let line = format!("INFO line {number} with {KEY} and {KEY:?}\n");
        writer.write_all(line.as_bytes()).unwrap();
    }
    // A line that is cut off within the key must not reveal part of it.
    let long = format!("INFO {} {KEY}\n", "x".repeat(985));
    writer.write_all(long.as_bytes()).unwrap();
    crash::install(Some(crashes.clone()), lines.clone());
    // A panic of str0m that onair contains is no crash. The log mentions only the first one.
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(lines).finish();
    tracing::subscriber::with_default(log, || {
        for _ in 0..2 {
            assert!(contain(|| panic!("on an offer")).is_none());
        }
    });
    assert!(!crashes.exists(), "no report");
    let mut worker = Worker::spawn("onair-doomed", move |_| {
        panic!("cannot send to {}", key.expose());
    })
    .unwrap();
    worker.wait(LIMIT).unwrap();
    let _hook = std::panic::take_hook();

    let files: Vec<_> = fs::read_dir(&crashes).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 1);
    let mode = fs::metadata(&files[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let report = fs::read_to_string(&files[0]).unwrap();
    look("the report", report.as_bytes());
    for part in [
        concat!("onair ", env!("CARGO_PKG_VERSION")),
        "thread: onair-doomed",
        "secrets.rs:",
        "error: cannot send to ***",
        "INFO line 499 with *** and \"***\"",
    ] {
        assert!(report.contains(part), "{part} is missing in {report}");
    }
    assert_eq!(report.matches("on an offer").count(), 1, "{report}");
    // The report has only the last lines, and a limited size.
    assert!(!report.contains("the line before"), "{report}");
    assert!(report.len() < 200_000, "{}", report.len());

    // The next start reports the crash, once.
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        ..Settings::default()
    };
    for expected in [1, 0] {
        let crashes = Some(crashes.clone());
        let config =
            Config { crashes, keyring: false, ..Config::new(Clock::start(), settings.clone()) };
        let studio = Studio::start(config).unwrap();
        wait_for("a first look", LIMIT, || !studio.snapshot().targets.is_empty());
        let notices = studio.snapshot().notices;
        assert_eq!(
            notices.iter().filter(|it| it.key() == "crashed").count(),
            expected,
            "{notices:?}"
        );
        for notice in notices.iter().filter(|it| it.key() == "crashed") {
            assert!(Path::new(&notice.value("path").unwrap()).is_file(), "{notice:?}");
        }
        studio.end(LIMIT).unwrap();
    }
}

#[test]
fn the_window_keeps_and_shows_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let keys = folder.path().join("keys.toml");
    let (settings, _) = Settings::read(&path);
    let config = Config {
        keys_path: Some(keys.clone()),
        settings_path: Some(path),
        event_log_path: Some(folder.path().join("log.txt")),
        keyring: false,
        ..Config::new(
            Clock::start(),
            Settings {
                video: Some(VideoChoice::Test),
                audio: Some(AudioChoice::Silence),
                ..settings
            },
        )
    };
    let mut studio = Studio::start(config).unwrap();
    let events = studio.events().unwrap();
    let closed = format!("rtmp://127.0.0.1:{}/live", peers::free_port());
    let apart = Target {
        remember_key: true,
        keep_as: "one".into(),
        ..Target::custom(1, &closed, KEY.into())
    };
    // The key is part of the server address, and the viewer monitor watches that address.
    let whole = Target {
        monitor: Some(true),
        play_url: format!("{closed}/{KEY}").into(),
        ..Target::custom(2, &format!("{closed}/{KEY}"), Secret::default())
    };
    for target in [apart, whole] {
        look("a target in the log", format!("{target:?}").as_bytes());
        studio.send(Command::PutTarget(target));
    }
    studio.send(Command::Check { test_stream: false });
    wait_for("the look", LIMIT * 2, || {
        studio.snapshot().checked.is_some_and(|checked| !checked.running)
    });
    studio.send(Command::GoLive);
    wait_for("the trouble", LIMIT, || {
        studio.snapshot().targets.iter().filter(|it| it.cause.is_some()).count() >= 2
    });
    let snapshot = studio.snapshot();
    look("the findings", format!("{:?}", snapshot.checked).as_bytes());
    look("the notices", format!("{:?}", snapshot.notices).as_bytes());
    look("the event log", format!("{:?}", snapshot.event_log).as_bytes());
    look("the window's view", format!("{:?}", snapshot.targets).as_bytes());
    let picture = folder.path().join("picture.png");
    studio.send(Command::Screenshot(picture.clone()));
    wait_for("the picture", LIMIT, || picture.exists());
    studio.send(Command::StopLive);
    studio.end(LIMIT).unwrap();
    while let Ok(event) = events.try_recv() {
        look("an event", format!("{event:?}").as_bytes());
    }
    // The key is in the key file, and nowhere else.
    assert!(fs::read_to_string(&keys).unwrap().contains("Pl4nted"));
    assert!(look_in(folder.path(), &keys) >= 2);
}

/// Addresses of sources in scenes and strips, and addresses where targets are watched.
#[test]
fn addresses_with_secrets_are_kept_where_keys_are_and_come_back() {
    use onair::compose::scene::SourceId;
    use onair::studio::Edit;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let keys = folder.path().join("keys.toml");
    let closed = peers::free_port();
    let url = |name: &str| format!("rtmp://me:Pl4nted@127.0.0.1:{closed}/live/{name}?t=Hidd3n");
    let start = |settings: Settings| {
        Studio::start(Config {
            keys_path: Some(keys.clone()),
            settings_path: Some(path.clone()),
            event_log_path: Some(folder.path().join("log.txt")),
            keyring: false,
            ..Config::new(Clock::start(), settings)
        })
        .unwrap()
    };
    let first = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Silence),
        ..Settings::default()
    };
    let mut studio = start(first);
    let events = studio.events().unwrap();
    wait_for("the scenes", LIMIT, || !studio.snapshot().strips.is_empty());
    let scene = studio.snapshot().scenes.collection.current;
    let door = VideoChoice::Stream(url("door"));
    let source = Edit::AddSource { scene, name: "Door".into(), choice: door.clone() };
    studio.send(Command::Edit(source));
    let sound = AudioChoice::Stream(url("sound"));
    studio.send(Command::AddStrip(sound.clone()));
    let watched = Target {
        enabled: false,
        remember_key: true,
        keep_as: "one".into(),
        play_url: url("watched").into(),
        ..Target::custom(1, &format!("rtmp://127.0.0.1:{closed}/live"), KEY.into())
    };
    studio.send(Command::PutTarget(watched));
    // An export for others has no secrets, and no names of secrets.
    for name in ["given.toml", "given.json"] {
        let given = folder.path().join(name);
        studio.send(Command::ExportScenes(given.clone()));
        wait_for("the file of scenes", LIMIT, || given.exists());
        wait_for("its end", LIMIT, || {
            studio.snapshot().notices.iter().any(|notice| notice.key() == "scenes-exported")
        });
        let text = fs::read_to_string(&given).unwrap();
        assert!(text.contains("/live/door") && text.contains("/live/sound"), "{text}");
        assert!(!text.contains("kept"), "{text}");
        for notice in studio.snapshot().notices {
            studio.send(Command::Dismiss(notice.id));
        }
        wait_for("no notices", LIMIT, || {
            !studio.snapshot().notices.iter().any(|notice| notice.key() == "scenes-exported")
        });
    }
    look("the notices", format!("{:?}", studio.snapshot().notices).as_bytes());
    studio.end(LIMIT).unwrap();
    while let Ok(event) = events.try_recv() {
        look("an event", format!("{event:?}").as_bytes());
    }
    assert!(look_in(folder.path(), &keys) >= 3);
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches("#kept=").count(), 4, "{text}");
    let mode = fs::metadata(&keys).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(fs::read_to_string(&keys).unwrap().matches("Hidd3n").count(), 4);

    // The next run restores the secrets.
    let (settings, warnings) = Settings::read(&path);
    assert_eq!(warnings, Vec::<onair::text::Problem>::new());
    let studio = start(settings);
    wait_for("the whole addresses", LIMIT, || {
        let snapshot = studio.snapshot();
        let sources = &snapshot.scenes.collection.sources;
        sources.iter().any(|source| source.choice == door)
            && snapshot.strips.iter().any(|strip| strip.audio.choice == sound)
            && snapshot.targets.iter().any(|it| it.target.play_url.expose() == url("watched"))
    });
    // The secrets of a removed target are deleted. An earlier version of the collection still needs
    // those of a removed source.
    let source = studio.snapshot().scenes.collection.sources[0].id;
    assert_ne!(source, SourceId(0));
    studio.send(Command::Edit(Edit::SetSource(source, VideoChoice::Test)));
    studio.send(Command::RemoveTarget(1));
    studio.end(LIMIT).unwrap();
    let kept = fs::read_to_string(&keys).unwrap();
    assert!(!kept.contains("/live/watched"), "{}", kept.len());
    assert!(kept.contains("/live/door") && kept.contains("/live/sound"));
    look_in(folder.path(), &keys);
}

#[test]
fn scenes_taken_in_by_the_command_line_keep_no_password_in_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let scenes = other.path().join("scenes.toml");
    let text = "version = 1\n[collection]\n[[collection.sources]]\nname = 'Door'\n\
                source = 'stream:rtmp://me:Pl4nted@cam.example/live/door'\n\
                [[collection.scenes]]\nname = 'Main'\n\
                [[collection.scenes.items]]\nsource = 'Door'\n";
    fs::write(&scenes, text).unwrap();
    let settings = folder.path().join("settings.toml");
    let run = |words: &[&str]| {
        let output = Process::new(env!("CARGO_BIN_EXE_onair"))
            .args(["--json", "--log", "trace", "--settings", settings.to_str().unwrap()])
            .args(words)
            // Without a desktop session, onair uses the key file.
            .env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        look("output", &output.stdout);
        look("the event log", &output.stderr);
    };
    run(&["scenes", "import", scenes.to_str().unwrap()]);
    let given = folder.path().join("given.toml");
    run(&["scenes", "import", scenes.to_str().unwrap(), "--to", given.to_str().unwrap()]);
    let keys = folder.path().join("keys.toml");
    assert!(look_in(folder.path(), &keys) >= 2);
    assert!(fs::read_to_string(&settings).unwrap().contains("#kept="));
    assert!(fs::read_to_string(&keys).unwrap().contains("Pl4nted"));
}
