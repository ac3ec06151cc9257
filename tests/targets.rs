//! Tests of several targets at the same time and of their stream keys. Each target starts and stops
//! while the other targets continue.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command as Process, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::peers::throttle::Throttle;
use crate::peers::{self, LIMIT, Nginx, Onair, ffmpeg, wait_for};
use onair::audio::AudioChoice;
use onair::base::{Clock, Secret};
use onair::capture::VideoChoice;
use onair::media::{BitsPerSecond, Size};
use onair::studio::live::view::LiveState;
use onair::studio::snapshot::{Snapshot, SourceState, TargetView};
use onair::studio::targets::TargetState;
use onair::studio::{
    Command, Config, Event, KeyPlace, Quality, Remedy, Settings, Studio, Target, TargetPlace,
};

fn config(settings: Settings) -> Config {
    let quality = Quality {
        size: Size::new(480, 270),
        video_bitrate: BitsPerSecond(400_000),
        ..Quality::default()
    };
    let settings = Settings {
        video: Some(VideoChoice::Test),
        audio: Some(AudioChoice::Tone),
        quality,
        ..settings
    };
    Config { keyring: false, ..Config::new(Clock::start(), settings) }
}

fn state(snapshot: &Snapshot, id: u32) -> Option<TargetState> {
    let find = |view: &&TargetView| view.target.id == id;
    snapshot.targets.iter().find(find).and_then(|view| view.state)
}

fn wait_state(studio: &Studio, id: u32, wanted: TargetState) {
    wait_for(&format!("target {id} to be {}", wanted.name()), LIMIT, || {
        state(&studio.snapshot(), id) == Some(wanted)
    });
}

#[test]
fn targets_start_stop_and_fail_while_the_others_go_on() {
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let (first, second) = (Nginx::start(), Nginx::start());
    let own = |id, nginx: &Nginx, app: &str| {
        let server = format!("rtmp://127.0.0.1:{}/{app}", nginx.port);
        Target::custom(id, &server, "show".into())
    };
    let closed = format!("rtmp://127.0.0.1:{}/live", peers::free_port());
    let targets = vec![
        Target { enabled: false, ..Target::built_in() },
        own(1, &first, "recorded"),
        Target { enabled: false, ..own(2, &second, "recorded") },
        own(3, &second, "refused"),
        Target::custom(4, &closed, "show".into()),
    ];
    let studio = Studio::start(config(Settings { targets, ..Settings::default() })).unwrap();
    studio.send(Command::GoLive);
    first.wait_published("show");
    wait_state(&studio, 1, TargetState::Live);
    // One target is refused and one is unreachable; neither affects the others.
    wait_for("the trouble of target 4", LIMIT, || {
        studio.snapshot().targets.iter().any(|it| it.target.id == 4 && it.cause.is_some())
    });
    assert_eq!(studio.snapshot().live, LiveState::OnAir);
    assert!(!second.is_published("show"));

    studio.send(Command::PutTarget(own(2, &second, "recorded")));
    second.wait_published("show");
    wait_state(&studio, 2, TargetState::Live);
    studio.send(Command::PutTarget(Target::built_in()));
    wait_state(&studio, 0, TargetState::Live);

    studio.send(Command::PutTarget(Target { enabled: false, ..own(2, &second, "recorded") }));
    second.wait_unpublished("show");
    wait_state(&studio, 2, TargetState::Stopped);
    studio.send(Command::RemoveTarget(4));
    wait_for("one target less", LIMIT, || studio.snapshot().targets.len() == 4);
    assert!(first.is_published("show"));
    let before = studio.snapshot().figures.encoded;
    wait_for("more pictures", LIMIT, || studio.snapshot().figures.encoded > before + 30);

    studio.send(Command::StopLive);
    first.wait_unpublished("show");
    wait_for("the end", LIMIT, || studio.snapshot().live == LiveState::Idle);
    studio.end(LIMIT).unwrap();
    for nginx in [&first, &second] {
        let file = nginx.recordings().join("show.flv");
        assert_eq!(ffmpeg::decode(&file), "");
        let probe = ffmpeg::probe(&file);
        assert_eq!(probe.warnings, "");
        assert!(probe.packets("video")[0].keyframe);
    }
    // Target 1 received a stream without gaps while the other targets came and went.
    let packets = ffmpeg::probe(first.recordings().join("show.flv")).packets("video");
    let gaps = packets.windows(2).filter(|pair| pair[1].dts - pair[0].dts > 0.05).count();
    assert_eq!(gaps, 0);
}

#[test]
fn on_air_one_target_gets_another_address_while_the_others_go_on() {
    peers::require!("nginx");
    let (first, second) = (Nginx::start(), Nginx::start());
    let own = |id, nginx: &Nginx, key: &str| {
        let server = format!("rtmp://127.0.0.1:{}/live", nginx.port);
        Target::custom(id, &server, key.into())
    };
    let targets = vec![own(1, &first, "stays"), own(2, &first, "moves")];
    let studio = Studio::start(config(Settings { targets, ..Settings::default() })).unwrap();
    studio.send(Command::GoLive);
    wait_state(&studio, 1, TargetState::Live);
    wait_state(&studio, 2, TargetState::Live);
    studio.send(Command::RestartTarget(own(2, &second, "moved")));
    second.wait_published("moved");
    first.wait_unpublished("moves");
    wait_state(&studio, 2, TargetState::Live);
    let snapshot = studio.snapshot();
    assert!(first.is_published("stays") && snapshot.live == LiveState::OnAir);
    let moved = snapshot.targets.iter().find(|it| it.target.id == 2).unwrap();
    assert_eq!(moved.target, own(2, &second, "moved"));
    let stays = snapshot.targets.iter().find(|it| it.target.id == 1).unwrap();
    assert_eq!((stays.state, stays.reconnects), (Some(TargetState::Live), 0));
    studio.end(LIMIT).unwrap();
}

#[test]
fn messages_name_their_target_and_go_with_it() {
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let closed = format!("127.0.0.1:{}", peers::free_port());
    let named = |id, name: &str, server: &str| {
        let target = Target::custom(id, server, "show".into());
        Target { name: name.into(), ..target }
    };
    let first = named(1, "First", &format!("rtmp://{closed}/live"));
    let targets = vec![first.clone(), named(2, "Second", &format!("{rtmp}/live"))];
    let studio = Studio::start(config(Settings { targets, ..Settings::default() })).unwrap();
    studio.send(Command::GoLive);
    wait_state(&studio, 2, TargetState::Live);
    let about = |id| {
        let notices = studio.snapshot().notices.into_iter();
        notices.filter(|it| it.target == Some(id)).collect::<Vec<_>>()
    };
    wait_for("the trouble of the first", LIMIT, || !about(1).is_empty());
    assert_eq!(studio.snapshot().live, LiveState::OnAir);
    let notices = about(1);
    assert_eq!((notices.len(), notices[0].key()), (1, "target-unreachable"), "{notices:?}");
    let began = format!(
        "First ({closed}): connection refused: nothing is listening on this port. Retrying in "
    );
    assert!(notices[0].summary().starts_with(&began), "{}", notices[0].summary());
    assert!(!notices[0].summary().contains("Not on air"));
    // The second target stops and starts; the notice of the first one stays, once, whatever the
    // number of retries.
    studio.send(Command::PutTarget(Target { enabled: false, ..named(2, "Second", &rtmp) }));
    wait_state(&studio, 2, TargetState::Stopped);
    studio.send(Command::PutTarget(named(2, "Second", &format!("{rtmp}/live"))));
    wait_state(&studio, 2, TargetState::Live);
    let times = || {
        let log = studio.snapshot().event_log;
        let all: Vec<u32> =
            log.iter().filter(|it| it.notice.target == Some(1)).map(|it| it.times).collect();
        all
    };
    wait_for("more tries", LIMIT, || times().iter().sum::<u32>() >= 4);
    assert_eq!((times().len(), about(1).len()), (1, 1));
    studio.send(Command::PutTarget(Target { enabled: false, ..first }));
    wait_for("nothing of a target that is off", LIMIT, || about(1).is_empty());
    studio.end(LIMIT).unwrap();
    assert!(serve.stop(LIMIT).success());
}

const KEY: &str = "planted-key-4711?auth=hidden&x=%2F";

fn with_paths(folder: &Path, keyring: bool) -> Config {
    let path = folder.join("settings.toml");
    let (settings, warnings) = Settings::read(&path);
    assert_eq!(warnings, Vec::<onair::text::Problem>::new());
    Config {
        keys_path: Some(folder.join("keys.toml")),
        settings_path: Some(path),
        keyring,
        ..config(settings)
    }
}

/// Enters a key, quits and starts again: the key is restored, and is not in the settings.
fn key_comes_back(folder: &Path, keyring: bool) {
    let studio = Studio::start(with_paths(folder, keyring)).unwrap();
    let place =
        TargetPlace::Custom { server: "rtmp://live.example.com/app".into(), key: KEY.into() };
    let target = Target { place, ..Target::new_for(&[Target::built_in()]) };
    studio.send(Command::PutTarget(target.clone()));
    wait_for("the target", LIMIT, || studio.snapshot().targets.len() == 2);
    studio.end(LIMIT).unwrap();

    let settings = fs::read_to_string(folder.join("settings.toml")).unwrap();
    assert!(settings.contains("live.example.com") && !settings.contains("planted"), "{settings}");
    let studio = Studio::start(with_paths(folder, keyring)).unwrap();
    wait_for("the key", LIMIT, || {
        let snapshot = studio.snapshot();
        snapshot.targets.get(1).is_some_and(|it| it.target.key() == Some(&Secret::new(KEY)))
    });
    assert!(!format!("{:?}", studio.snapshot()).contains("planted"));
    if keyring {
        assert_eq!(studio.snapshot().key_place, Some(KeyPlace::Keyring));
        assert!(!folder.join("keys.toml").exists());
    } else {
        let mode = fs::metadata(folder.join("keys.toml")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    studio.send(Command::RemoveTarget(target.id));
    wait_for("one target", LIMIT, || studio.snapshot().targets.len() == 1);
    studio.end(LIMIT).unwrap();
    let gone = fs::read_to_string(folder.join("keys.toml")).unwrap_or_default();
    assert!(!gone.contains("planted"), "forgotten with its target");
}

/// A URL with a key or a password, written into the settings by hand or typed as a whole.
fn written_key_comes_back(folder: &Path, keyring: bool) {
    let path = folder.join("settings.toml");
    let (whole, named) =
        ("rtmp://live.example.com/app/planted-key-1", "rtmp://me:planted-pass@h.example/app");
    let written =
        format!("[[targets]]\nserver = \"{whole}\"\n[[targets]]\nserver = \"{named}/s\"\n");
    fs::write(&path, written).unwrap();
    let servers = |studio: &Studio| -> Vec<String> {
        studio.snapshot().targets.iter().map(|it| it.target.server().to_owned()).collect()
    };
    let studio = Studio::start(with_paths(folder, keyring)).unwrap();
    wait_for("the file without them", LIMIT, || {
        let written = fs::read_to_string(&path).unwrap();
        written.contains("key_name") && !written.contains("planted")
    });
    // The user types another URL as a whole.
    let typed = Target {
        place: TargetPlace::Custom { server: named.into(), key: KEY.into() },
        ..Target::new_for(&[Target::built_in(), Target::custom(2, "", "".into())])
    };
    studio.send(Command::PutTarget(typed));
    wait_for("the target", LIMIT, || studio.snapshot().targets.len() == 4);
    studio.end(LIMIT).unwrap();
    let written = fs::read_to_string(&path).unwrap();
    assert!(!written.contains("planted"), "{written}");

    let studio = Studio::start(with_paths(folder, keyring)).unwrap();
    let all = ["", whole, &format!("{named}/s"), named];
    wait_for("all of them", LIMIT, || servers(&studio) == all);
    let snapshot = studio.snapshot();
    assert_eq!(snapshot.targets[3].target.key(), Some(&Secret::new(KEY)));
    assert_eq!(snapshot.notices.iter().filter(|it| it.key() == "key-not-kept").count(), 0);
    studio.end(LIMIT).unwrap();
}

#[test]
fn keys_written_into_the_settings_by_hand_move_to_the_private_file() {
    let folder = tempfile::tempdir().unwrap();
    written_key_comes_back(folder.path(), false);
    let mode = fs::metadata(folder.path().join("keys.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn keys_are_kept_in_a_private_file_where_there_is_no_keyring() {
    let folder = tempfile::tempdir().unwrap();
    key_comes_back(folder.path(), false);
}

/// Set while this test runs inside a session with a keyring.
const INSIDE: &str = "ONAIR_TEST_KEYRING";

#[test]
fn keys_are_kept_in_the_desktops_keyring() {
    if let Some(folder) = std::env::var_os(INSIDE) {
        let folder = Path::new(&folder);
        key_comes_back(folder, true);
        fs::remove_file(folder.join("settings.toml")).unwrap();
        written_key_comes_back(folder, true);
        assert!(!folder.join("keys.toml").exists());
        return;
    }
    peers::require!("dbus-run-session", "gnome-keyring-daemon");
    let folder = tempfile::tempdir().unwrap();
    // A separate session bus, with an unlocked keyring.
    let script = "printf secret | gnome-keyring-daemon --unlock --components=secrets >/dev/null \
                  && exec \"$0\" --exact targets::keys_are_kept_in_the_desktops_keyring --nocapture";
    let run = Process::new("dbus-run-session")
        .args(["--", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(INSIDE, folder.path())
        .env("XDG_DATA_HOME", folder.path())
        .env("XDG_RUNTIME_DIR", folder.path())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout) + String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{output}");
    assert!(output.contains("1 passed"), "{output}");
}

#[test]
fn the_bitrate_follows_a_slow_connection_down_and_up_again() {
    peers::in_real_time!(the_bitrate_follows_a_slow_connection_down_and_up_again);
    peers::require!("nginx", "ffmpeg", "ffprobe");
    let nginx = Nginx::start();
    let link = Throttle::start(nginx.port, 100_000_000);
    let server = format!("rtmp://127.0.0.1:{}/recorded", link.port);
    let targets = vec![Target::custom(0, &server, "show".into())];
    let mut config = config(Settings { targets, ..Settings::default() });
    config.settings.quality.video_bitrate = BitsPerSecond(1_500_000);
    config.settings.quality.adapt_frames = true;
    let mut studio = Studio::start(config).unwrap();
    let events = studio.events().unwrap();
    let lowest = Arc::new(AtomicU32::new(u32::MAX));
    let latest = Arc::new(AtomicU32::new(0));
    let (low, last) = (Arc::clone(&lowest), Arc::clone(&latest));
    let rate = Arc::new(AtomicU32::new(0));
    let its_rate = Arc::clone(&rate);
    let reader = std::thread::spawn(move || {
        while let Some(event) = events.recv() {
            if let Event::Stats(stats) = event {
                let allowed = stats.video.map_or(0, |video| video.allowed);
                low.fetch_min(allowed, Ordering::Relaxed);
                last.store(allowed, Ordering::Relaxed);
                let fps = stats.video.map_or(0.0, |video| video.fps);
                its_rate.store(fps.round() as u32, Ordering::Relaxed);
            }
        }
    });
    let notice = |key: &str| studio.snapshot().notices.iter().any(|notice| notice.key() == key);
    studio.send(Command::GoLive);
    nginx.wait_published("show");
    wait_for("three seconds", LIMIT, || studio.snapshot().figures.encoded > 90);
    assert_eq!(latest.load(Ordering::Relaxed), 1_500_000);
    link.set(800_000);
    wait_for("a lower bitrate", LIMIT, || lowest.load(Ordering::Relaxed) < 700_000);
    assert!(notice("bitrate-lowered"));
    wait_for("half the pictures", LIMIT, || (1..20).contains(&rate.load(Ordering::Relaxed)));
    link.set(100_000_000);
    wait_for("the full bitrate", LIMIT * 4, || latest.load(Ordering::Relaxed) == 1_500_000);
    wait_for("the notice", LIMIT, || notice("bitrate-restored"));
    wait_for("all pictures", LIMIT, || rate.load(Ordering::Relaxed) > 24);
    studio.end(LIMIT).unwrap();
    nginx.wait_unpublished("show");
    reader.join().unwrap();
    assert_eq!(ffmpeg::decode(nginx.recordings().join("show.flv")), "");
}

#[test]
fn a_slow_connection_of_a_target_is_reported_when_it_begins_and_when_it_ends() {
    peers::in_real_time!(a_slow_connection_of_a_target_is_reported_when_it_begins_and_when_it_ends);
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "none"]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let port = rtmp.rsplit_once(':').unwrap().1.parse().unwrap();
    let link = Throttle::start(port, 100_000_000);
    let to = format!("rtmp://127.0.0.1:{}/live/show", link.port);
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--fps", "30"];
    let more = ["--video-bitrate", "1500k", "--adapt", "off", "--to", &to];
    let mut live = Onair::start(&[&words[..], &more].concat());
    let is_notice =
        |event: &serde_json::Value, key: &str| event["event"] == "notice" && event["key"] == key;
    live.wait_event("frames", |event| {
        event["event"] == "stats" && event["targets"][0]["sent_frames"].as_u64() > Some(90)
    });
    link.set(500_000);
    let begun = live.wait_event("its beginning", |event| is_notice(event, "frames-dropped"));
    let summary = begun["summary"].as_str().unwrap();
    assert!(summary.contains("too slow") && summary.contains(&link.port.to_string()), "{begun}");
    link.set(100_000_000);
    let over = live.wait_event("its end", |event| is_notice(event, "frames-dropped-over"));
    let count = |name: &str| over["args"][name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(count("dropped") > 0 && count("dropped") <= count("total"), "{over}");
    let events = live.events();
    let all = |key: &str| events.iter().filter(|event| is_notice(event, key)).count();
    assert_eq!((all("frames-dropped"), all("frames-dropped-over")), (1, 1));
    assert!(live.stop(LIMIT).success() && serve.stop(LIMIT).success());
}

#[test]
fn a_name_in_use_is_reported_once_however_often_it_is_tried() {
    let words = ["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    let mut serve = Onair::start(&[&words[..], &["--fault", "busy@publish:4"]].concat());
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let to = format!("{rtmp}/live/show");
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--to", &to];
    let mut onair = Onair::start(&words);
    onair.wait_event("live", |event| event["event"] == "target" && event["state"] == "live");
    let events = onair.events();
    let tries = events.iter().filter(|it| it["event"] == "target" && it["retry_in"].is_number());
    let busy = events.iter().filter(|it| it["event"] == "notice" && it["key"] == "target-busy");
    assert_eq!((tries.count(), busy.count()), (4, 1), "{events:#?}");
    assert_eq!(onair.stop(LIMIT).code(), Some(0));
}

#[test]
fn the_event_log_is_written_without_keys() {
    peers::require!("nginx");
    let mut nginx = Nginx::start();
    let folder = tempfile::tempdir().unwrap();
    let why = folder.path().join("why.txt");
    let to = format!("rtmp://127.0.0.1:{}/live/{KEY}", nginx.port);
    let words = ["live", "--video", "test", "--audio", "tone", "--size", "480x270", "--to", &to];
    let mut onair = Onair::start(&[&words[..], &["--why", why.to_str().unwrap()]].concat());
    onair.wait_event("live", |event| event["event"] == "target" && event["state"] == "live");
    nginx.peer.kill();
    onair.wait_event("the loss", |event| event["state"] == "reconnecting");
    let _again = Nginx::start_on(nginx.port);
    onair.wait_event("back", |event| {
        event["event"] == "notice" && event["summary"].to_string().contains("Reconnected to")
    });
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.output());
    let text = fs::read_to_string(&why).unwrap();
    let order = ["is live.", "Retrying in", "Reconnected to", "ended after"];
    let mut from = 0;
    for words in order {
        let at = text[from..].find(words).unwrap_or_else(|| panic!("no '{words}' in {text}"));
        from += at;
    }
    assert!(!text.contains("planted") && !onair.peer.output().contains("planted"), "{text}");
}

#[test]
fn a_preflight_check_finds_errors_and_sends_nothing() {
    peers::require!("nginx");
    let nginx = Nginx::start();
    let good = format!("rtmp://127.0.0.1:{}/live", nginx.port);
    let closed = format!("rtmp://127.0.0.1:{}/live", peers::free_port());
    let targets = vec![
        Target { enabled: false, ..Target::built_in() },
        Target::custom(1, &good, "show".into()),
        Target::custom(2, &closed, "show".into()),
        Target::custom(3, "rtmp://host/app", Secret::default()),
    ];
    let studio = Studio::start(config(Settings { targets, ..Settings::default() })).unwrap();
    wait_for("the picture", LIMIT, || {
        studio.snapshot().video.is_some_and(|video| video.state == SourceState::Open)
    });
    studio.send(Command::Check { test_stream: false });
    wait_for("the end of the look", LIMIT * 2, || {
        studio.snapshot().checked.is_some_and(|checked| !checked.running)
    });
    let found = studio.snapshot().checked.unwrap().found;
    let keys: Vec<_> = found.iter().map(|notice| notice.key()).collect();
    assert!(keys.contains(&"found-video") && keys.contains(&"found-audio"), "{keys:?}");
    assert!(keys.iter().any(|key| key.starts_with("found-encoder")), "{keys:?}");
    assert_eq!(keys.iter().filter(|key| **key == "found-target").count(), 1, "{found:?}");
    let failed: Vec<_> =
        found.iter().filter(|notice| notice.key() == "found-target-failed").collect();
    let remedies: Vec<_> = failed.iter().flat_map(|notice| &notice.remedies).copied().collect();
    assert_eq!(remedies, [Remedy::EditTarget(3), Remedy::EditTarget(2)]);
    assert!(failed[1].summary().contains("connection refused"), "{failed:?}");
    assert!(!failed[1].advice().is_empty());
    assert!(!nginx.is_published("show"));
    assert_eq!(studio.snapshot().live, LiveState::Idle);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_test_stream_measures_a_custom_server_after_consent_and_never_has_the_key() {
    peers::require!("nginx");
    let nginx = Nginx::start();
    let server = |app: &str| format!("rtmp://127.0.0.1:{}/{app}", nginx.port);
    let targets = vec![
        Target { enabled: false, ..Target::built_in() },
        Target::custom(1, &server("live"), KEY.into()),
        Target::custom(2, &server("refused"), KEY.into()),
    ];
    let studio = Studio::start(config(Settings { targets, ..Settings::default() })).unwrap();
    let found = || {
        wait_for("the end of the check", LIMIT * 2, || {
            studio.snapshot().checked.is_some_and(|checked| !checked.running)
        });
        studio.snapshot().checked.unwrap().found
    };
    let has_test_stream = || nginx.stat().contains("<name>onair-test-");
    studio.send(Command::Check { test_stream: false });
    let unasked = found();
    let needed = unasked.iter().filter(|notice| notice.key() == "found-needs-test-stream");
    assert_eq!(needed.count(), 2, "{unasked:?}");
    assert!(!unasked.iter().any(|notice| notice.key() == "found-upload-total"), "{unasked:?}");
    assert!(!nginx.peer.errors().contains("publish: name="), "{}", nginx.peer.errors());

    studio.send(Command::Check { test_stream: true });
    wait_for("the test stream", LIMIT, has_test_stream);
    let agreed = found();
    let of = |key: &str| agreed.iter().filter(|it| it.key() == key).count();
    // A busy computer may send too slowly.
    assert_eq!(of("found-upload") + of("found-upload-narrow"), 1, "{agreed:?}");
    assert_eq!(of("found-upload-total"), 1, "{agreed:?}");
    assert_eq!(of("found-test-stream-refused"), 1, "{agreed:?}");
    assert_eq!(of("found-target-failed"), 0, "{agreed:?}");
    assert_eq!(studio.snapshot().live, LiveState::Idle);
    studio.end(LIMIT).unwrap();

    // The command line asks with a flag.
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let url = nginx.url("live", "planted-key");
    let text = format!("[[targets]]\nenabled = false\n[[targets]]\nserver = '{url}'\n");
    fs::write(&settings, text).unwrap();
    let small = ["--video", "test", "--audio", "tone", "--size", "480x270"];
    let words = ["check", "--settings", settings.to_str().unwrap(), "--test-stream"];
    let mut check = Onair::start(&[&words[..], &small].concat());
    assert_eq!(check.peer.wait(LIMIT * 2).code(), Some(0), "{}", check.peer.errors());
    let report = check.peer.output();
    assert!(report.contains("\"upload\"") || report.contains("\"upload-narrow\""), "{report}");

    let log = nginx.peer.errors();
    assert!(log.contains("publish: name='onair-test-"), "{log}");
    assert!(!log.contains("planted"), "{log}");
}

#[test]
fn the_replay_buffer_fills_while_nothing_is_sent() {
    peers::in_real_time!(the_replay_buffer_fills_while_nothing_is_sent);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.preferences.recording.replay = Some(std::time::Duration::from_secs(10));
    settings.preferences.recording.replay_always = true;
    let studio = Studio::start(config(settings)).unwrap();
    let filled = |studio: &Studio| studio.snapshot().replay.map(|replay| replay.filled);
    let long = std::time::Duration::from_secs(3);
    wait_for("a replay", LIMIT, || filled(&studio).is_some_and(|filled| filled > long));
    assert_eq!(studio.snapshot().live, LiveState::Idle);
    let path = folder.path().join("replay.mp4");
    studio.send(Command::SaveReplay(path.clone()));
    wait_for("the file", LIMIT, || {
        studio.snapshot().notices.iter().any(|notice| notice.key() == "replay-saved")
    });
    assert_eq!(ffmpeg::decode(&path), "");
    assert!(ffmpeg::probe(&path).packets("video").len() > 60);

    // Another quality restarts the replay buffer, but the end of a broadcast does not. Switching it
    // off ends it.
    let smaller = Quality { size: Size::new(320, 180), ..studio.snapshot().quality };
    studio.send(Command::SetQuality(smaller));
    wait_for("a new beginning", LIMIT, || filled(&studio).is_none_or(|it| it < long / 2));
    wait_for("a replay", LIMIT, || filled(&studio).is_some_and(|filled| filled > long / 2));
    studio.send(Command::GoLive);
    wait_state(&studio, 0, TargetState::Live);
    studio.send(Command::StopLive);
    wait_for("the end", LIMIT, || studio.snapshot().live == LiveState::Idle);
    assert!(filled(&studio).is_some_and(|filled| filled > long / 2), "it was thrown away");
    let mut preferences = studio.snapshot().preferences;
    preferences.recording.replay_always = false;
    studio.send(Command::SetPreferences { preferences, part_changes: 0 });
    wait_for("its end", LIMIT, || filled(&studio).is_none());
    studio.end(LIMIT).unwrap();
}
