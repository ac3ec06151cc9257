//! Tests of how the studio's window on a virtual display ends while it is on the air and recording:
//! by the signals that a terminal, a service manager or a logout sends, and by losing its display.
//! Other tests check that onair inhibits sleep on the air and while recording, also without a window,
//! that a minimized window draws nothing, and that push-to-talk works behind another window.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, full_pipe, wait_for};
use tempfile::TempDir;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

/// A studio that is on air on its own server, and records.
struct Studio {
    desktop: Desktop,
    _manager: Peer,
    serve: Onair,
    /// The server's address.
    server: String,
    window: Peer,
    home: TempDir,
}

impl Studio {
    fn start() -> Self {
        Self::start_on(Desktop::start())
    }

    fn start_on(desktop: Desktop) -> Self {
        Self::start_with(desktop, "", "")
    }

    /// With more window settings, and with further settings below them.
    fn start_with(desktop: Desktop, window: &str, more: &str) -> Self {
        let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
        let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
        let home = tempfile::tempdir().unwrap();
        let text = format!(
            "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
             quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
             window = {{ recording_folder = {:?}, reduced_motion = true{window} }}\n\
             targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n]\n{more}",
            home.path()
        );
        let manager = desktop.manage();
        let window = desktop.studio(home.path(), &text, "info,onair::app=debug");
        Self { desktop, _manager: manager, serve, server, window, home }
    }

    /// Goes on air, and waits for some seconds of recording.
    fn goes_on_air(&mut self) {
        let desktop = &self.desktop;
        let id = desktop.shown(&mut self.window);
        desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
        desktop.output_of("xdotool", &["key", "ctrl+l"]);
        self.serve.wait_named("publish");
        desktop.output_of("xdotool", &["key", "ctrl+r"]);
        wait_for("a recording", LIMIT, || {
            let file = recording(self.home.path());
            file.is_some_and(|file| fs::metadata(file).is_ok_and(|it| it.len() > 200_000))
        });
    }

    /// Asserts that the stream was unpublished explicitly, and that the recording is complete.
    fn was_ended_in_order(&mut self) {
        let event = self.serve.wait_named("unpublish");
        assert_eq!(event["reason"], "unpublished", "{event}");
        let file = recording(self.home.path()).unwrap();
        let probe = ffmpeg::probe(&file);
        assert_eq!(probe.warnings, "");
        assert!(probe.packets("video").len() > 20);
        assert_eq!(ffmpeg::decode(&file), "");
        // No repair is left for the next start.
        let journal = fs::read_dir(self.home.path().join("onair/recordings")).into_iter().flatten();
        assert_eq!(journal.count(), 0, "{}", self.window.errors());
    }

    /// The exit status after these signals while the X server is stopped. The same signal is sent
    /// again only after a while. No signal is sent after the end.
    fn signalled_while_the_display_hangs(&mut self, signals: &[&str]) -> ExitStatus {
        let display = self.desktop.display_id().to_string();
        let kill = |name: &str| Command::new("kill").args([name, &display]).status().unwrap();
        assert!(kill("-STOP").success());
        let mut last = "";
        for &signal in signals {
            if signal == last {
                thread::sleep(Duration::from_millis(200));
            }
            if self.window.status().is_some() {
                break;
            }
            self.window.signal(signal);
            last = signal;
        }
        let status = self.window.wait(LIMIT);
        kill("-CONT");
        status
    }
}

fn recording(folder: &Path) -> Option<PathBuf> {
    let mut files = fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path());
    files.find(|path| path.extension().is_some_and(|it| it == "mp4"))
}

#[test]
fn a_signal_ends_the_window_in_order() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    std::thread::scope(|scope| {
        for signal in ["TERM", "INT", "HUP"] {
            scope.spawn(move || {
                let mut studio = Studio::start();
                studio.goes_on_air();
                studio.window.signal(signal);
                if signal == "HUP" {
                    // A closing terminal sends SIGHUP more than once.
                    studio.window.signal(signal);
                }
                let status = studio.window.wait(LIMIT);
                assert_eq!(status.code(), Some(0), "{signal}: {}", studio.window.errors());
                studio.was_ended_in_order();
            });
        }
    });
}

/// A window that does not answer must not keep the stream on air. Here the X server is stopped, so
/// the window's thread waits forever.
#[test]
fn a_signal_ends_it_though_the_display_hangs() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let mut studio = Studio::start();
    studio.goes_on_air();
    let status = studio.signalled_while_the_display_hangs(&["TERM"]);
    assert_eq!(status.code(), Some(0), "{}", studio.window.errors());
    studio.was_ended_in_order();
}

/// A terminal stops reading after Ctrl-S.
#[test]
fn a_log_that_nobody_reads_does_not_freeze_the_window() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop");
    let (desktop, home) = (Desktop::start(), tempfile::tempdir().unwrap());
    let _manager = desktop.manage();
    let settings = home.path().join("settings.toml");
    fs::write(&settings, "version = 2\nvideo = \"test\"\naudio = \"tone\"\n").unwrap();
    let mut command = desktop.onair(home.path());
    command.args(["--log", "info", "studio", "--settings"]).arg(&settings);
    let (_reader, errors) = full_pipe();
    let mut window = Peer::start_with_errors(&mut command, errors);
    window.wait_until("the window", LIMIT * 2, |_| !desktop.windows().is_empty());
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    std::thread::scope(|scope| {
        // The same signal counts after a while.
        for signals in [&["INT", "TERM"][..], &["INT"; 50]] {
            scope.spawn(move || {
                let mut studio = Studio::start();
                studio.goes_on_air();
                // The display hangs, so the first signal cannot have ended the process.
                let status = studio.signalled_while_the_display_hangs(signals);
                assert_eq!(status.code(), Some(1), "{}", studio.window.errors());
            });
        }
    });
}

#[test]
fn a_display_that_disappears_does_not_end_the_broadcast() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let mut studio = Studio::start();
    studio.goes_on_air();
    let display = studio.desktop.display_id().to_string();
    assert!(Command::new("kill").args(["-KILL", &display]).status().unwrap().success());
    wait_for("what it says", LIMIT, || {
        studio.window.errors().contains("continues without a window")
    });
    // Viewers and the file get more data.
    let size = || fs::metadata(recording(studio.home.path()).unwrap()).unwrap().len();
    let before = size();
    wait_for("more of the recording", LIMIT, || size() > before + 200_000);
    let ended = studio.serve.events().iter().any(|event| event["event"] == "unpublish");
    assert!(!ended, "{:#?}", studio.serve.events());
    // A later start reports the one that is on air, and does not disturb it.
    let settings = studio.home.path().join("settings.toml");
    let mut later = studio.desktop.onair(studio.home.path());
    let later = later.args(["studio", "--settings"]).arg(&settings).output().unwrap();
    let errors = String::from_utf8_lossy(&later.stderr).into_owned();
    assert!(!later.status.success() && errors.contains("without a window"), "{errors}");
    studio.window.signal("TERM");
    assert_eq!(studio.window.wait(LIMIT).code(), Some(0), "{}", studio.window.errors());
    assert!(studio.window.errors().contains("has ended"), "{}", studio.window.errors());
    studio.was_ended_in_order();
}

#[test]
fn a_display_that_disappears_while_nothing_is_on_air_ends_it_in_words() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let mut studio = Studio::start();
    studio.desktop.shown(&mut studio.window);
    let display = studio.desktop.display_id().to_string();
    assert!(Command::new("kill").args(["-KILL", &display]).status().unwrap().success());
    assert_eq!(studio.window.wait(LIMIT).code(), Some(4), "{}", studio.window.errors());
    assert!(
        studio.window.errors().contains("The connection to the desktop was lost"),
        "{}",
        studio.window.errors()
    );
}

/// A scene with the main source, and one with a single color.
const SCENES: &str = r##"[collection]
current = "Main"
[[collection.sources]]
name = "Blue"
source = "color:#1e2430"
[[collection.scenes]]
name = "Main"
[[collection.scenes.items]]
main = true
[[collection.scenes]]
name = "Break"
[[collection.scenes.items]]
source = "Blue"
"##;

#[test]
fn after_a_crash_on_air_the_next_start_resumes_it() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let mut studio = Studio::start_on(Desktop::start().without_bus());
    // The stream key is in the key file next to the settings.
    studio.desktop.shown(&mut studio.window);
    studio.window.signal("TERM");
    assert_eq!(studio.window.wait(LIMIT).code(), Some(0), "{}", studio.window.errors());
    let keys = studio.home.path().join("keys.toml");
    fs::write(&keys, "kept = \"show\"\n").unwrap();
    fs::set_permissions(keys, fs::Permissions::from_mode(0o600)).unwrap();
    let text = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ recording_folder = {:?}, reduced_motion = true }}\n\
         targets = [\n  {{ enabled = false }},\n  {{ server = \"{}/live\", remember_key = true, \
         key_name = \"kept\" }},\n]\n{SCENES}",
        studio.home.path(),
        studio.server
    );
    studio.window = studio.desktop.studio(studio.home.path(), &text, "info,onair::app=debug");
    studio.goes_on_air();
    let mark = studio.home.path().join("on-air.toml");
    wait_for("what is on air", LIMIT, || mark.exists());
    let published = |studio: &Studio| {
        let events = studio.serve.events();
        events.iter().filter(|event| event["event"] == "publish").count()
    };
    studio.window.signal("KILL");
    studio.window.wait(LIMIT);
    assert!(mark.exists() && published(&studio) == 1);
    // Without a window, with a flag.
    let settings = studio.home.path().join("settings.toml");
    let settings = settings.to_str().unwrap();
    let words = ["live", "--settings", settings, "--resume", "--duration", "2s"];
    // With the key from the key file next to the settings.
    let run = || Peer::start_command(studio.desktop.onair(studio.home.path()).args(words));
    let mut again = run();
    assert_eq!(again.wait(LIMIT).code(), Some(0), "{}{}", again.output(), again.errors());
    assert_eq!(published(&studio), 2);
    assert!(!mark.exists(), "it ended in order");
    let mut none = run();
    assert_eq!(none.wait(LIMIT).code(), Some(3), "{}", none.errors());
    // In the window, with the button in the health bar.
    while let Some(file) = recording(studio.home.path()) {
        fs::remove_file(file).unwrap();
    }
    let text = fs::read_to_string(settings).unwrap();
    studio.window = studio.desktop.studio(studio.home.path(), &text, "info,onair::app=debug");
    studio.goes_on_air();
    studio.desktop.output_of("xdotool", &["key", "alt+2"]);
    wait_for("the other scene on air", LIMIT, || {
        fs::read_to_string(&mark).is_ok_and(|text| text.contains("scene = \"Break\""))
    });
    studio.window.signal("KILL");
    studio.window.wait(LIMIT);
    let before = published(&studio);
    // These settings have the first scene.
    studio.window = studio.desktop.studio(studio.home.path(), &text, "info,onair::app=debug");
    let id = studio.desktop.shown(&mut studio.window);
    wait_for("the offer", LIMIT, || studio.window.errors().contains("ended unexpectedly"));
    studio.desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    studio.desktop.output_of("xdotool", &["key", "ctrl+period"]);
    wait_for("the stream", LIMIT, || published(&studio) > before);
    // It is the scene that was on air.
    let url = format!("{}/live/show", studio.server);
    wait_for("the other scene", LIMIT, || {
        let near = |(seen, wanted): (u8, u8)| seen.abs_diff(wanted) <= 8;
        ffmpeg::color(&url).into_iter().zip([0x1e, 0x24, 0x30]).all(near)
    });
    studio.window.signal("TERM");
    assert_eq!(studio.window.wait(LIMIT).code(), Some(0), "{}", studio.window.errors());
    assert!(!mark.exists(), "it ended in order");
}

/// Which requests the desktop received: to prevent sleep, and to allow it again.
#[derive(Clone, Default)]
struct Asked {
    held: Arc<AtomicU32>,
    let_go: Arc<AtomicU32>,
    by_portal: Arc<AtomicBool>,
}

/// The desktop's screen saver service; a stuck one never answers.
struct Saver {
    asked: Asked,
    stuck: bool,
}

#[zbus::interface(name = "org.freedesktop.ScreenSaver")]
impl Saver {
    async fn inhibit(&self, program: String, reason: String) -> u32 {
        assert_eq!((&*program, &*reason), ("onair", "On air or recording"));
        self.asked.held.fetch_add(1, Ordering::SeqCst);
        if self.stuck {
            std::future::pending::<()>().await;
        }
        4711
    }

    fn un_inhibit(&self, cookie: u32) {
        assert_eq!(cookie, 4711);
        self.asked.let_go.fetch_add(1, Ordering::SeqCst);
    }
}

/// The desktop's portal service.
struct Portal(Asked);

#[zbus::interface(name = "org.freedesktop.portal.Inhibit")]
impl Portal {
    fn inhibit(
        &self,
        _window: String,
        flags: u32,
        _options: HashMap<String, OwnedValue>,
    ) -> OwnedObjectPath {
        assert_eq!(flags, 12, "neither sleep nor idleness");
        self.0.by_portal.store(true, Ordering::SeqCst);
        OwnedObjectPath::try_from("/org/freedesktop/portal/desktop/request/1").unwrap()
    }
}

fn desktop_with(asked: &Asked, stuck: bool) -> (Desktop, Vec<zbus::blocking::Connection>) {
    let desktop = Desktop::start();
    let on = || zbus::blocking::connection::Builder::address(desktop.bus()).unwrap();
    let saver = Saver { asked: asked.clone(), stuck };
    let saver = on()
        .name("org.freedesktop.ScreenSaver")
        .unwrap()
        .serve_at("/org/freedesktop/ScreenSaver", saver)
        .unwrap();
    let portal = on()
        .name("org.freedesktop.portal.Desktop")
        .unwrap()
        .serve_at("/org/freedesktop/portal/desktop", Portal(asked.clone()))
        .unwrap();
    let services = [saver, portal].map(|builder| builder.build().unwrap()).into();
    (desktop, services)
}

#[test]
fn sleep_is_held_off_while_on_air_and_while_recording() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let asked = Asked::default();
    let (desktop, _services) = desktop_with(&asked, false);
    let mut studio = Studio::start_on(desktop);
    let held = || asked.held.load(Ordering::SeqCst);
    studio.desktop.shown(&mut studio.window);
    assert_eq!(held(), 0, "nothing is on air");
    studio.goes_on_air();
    wait_for("the request", LIMIT, || held() == 1);
    // Off air, the recording continues. The keys press *Stop* and confirm.
    let is_off_air = || studio.window.errors().contains("activity=\"recording\"");
    for _ in 0..5 {
        // The question appears after a few frames, and *Stop* is after the focused button.
        for key in ["ctrl+l", "Tab", "Return"] {
            studio.desktop.output_of("xdotool", &["key", key]);
            thread::sleep(Duration::from_millis(500));
        }
        let begin = Instant::now();
        while !is_off_air() && begin.elapsed() < LIMIT / 4 {
            thread::sleep(Duration::from_millis(20));
        }
        if is_off_air() {
            break;
        }
    }
    assert!(is_off_air(), "{}", studio.window.errors());
    let let_go = || asked.let_go.load(Ordering::SeqCst);
    assert_eq!(let_go(), 0, "the recording continues");
    // After the recording, the desktop may sleep again.
    studio.desktop.output_of("xdotool", &["key", "ctrl+r"]);
    wait_for("the end of the request", LIMIT, || let_go() == 1);
    assert_eq!((held(), asked.by_portal.load(Ordering::SeqCst)), (1, false));
}

#[test]
fn a_screen_saver_that_never_answers_is_as_none() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let asked = Asked::default();
    let (desktop, _services) = desktop_with(&asked, true);
    let mut studio = Studio::start_on(desktop);
    studio.goes_on_air();
    wait_for("the portal", LIMIT, || asked.by_portal.load(Ordering::SeqCst));
    assert_eq!(asked.held.load(Ordering::SeqCst), 1, "it was asked first");
}

#[test]
fn commands_without_a_window_hold_sleep_off_too() {
    peers::require!("Xvfb", "dbus-daemon");
    let asked = Asked::default();
    let (desktop, _services) = desktop_with(&asked, false);
    let held = || asked.held.load(Ordering::SeqCst);
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| Peer::start_command(desktop.onair(home.path()).args(words));
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let url = format!("{server}/live/show");
    let mut live = run(&["live", "--to", &url, "--video", "test", "--size", "320x180"]);
    serve.wait_named("publish");
    wait_for("the request of the broadcast", LIMIT, || held() == 1);
    let mut player = run(&["play", &url, "--headless", "--mute", "--duration", "1s"]);
    assert_eq!(player.wait(LIMIT).code(), Some(0), "{}", player.errors());
    assert_eq!(held(), 1, "the player saved nothing");
    let file = home.path().join("saved.flv");
    let words = ["play", &url, "--headless", "--mute", "--save", file.to_str().unwrap()];
    let mut player = run(&words);
    wait_for("the request of the player", LIMIT, || held() == 2);
    for peer in [&mut player, &mut live] {
        peer.signal("TERM");
        assert_eq!(peer.wait(LIMIT).code(), Some(0), "{}", peer.errors());
    }
}

#[test]
fn a_window_that_is_minimised_draws_nothing_and_stays_on_air() {
    peers::in_real_time!(a_window_that_is_minimised_draws_nothing_and_stays_on_air);
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let mut studio = Studio::start();
    studio.goes_on_air();
    let id = studio.desktop.shown(&mut studio.window);
    studio.desktop.output_of("xdotool", &["windowminimize", "--sync", &id]);
    wait_for("the window to be hidden", LIMIT, || {
        studio.window.errors().contains("the window is hidden")
    });
    // Thirty seconds would be about two megabytes, so several seconds pass while the window is
    // hidden.
    let size =
        |studio: &Studio| fs::metadata(recording(studio.home.path()).unwrap()).unwrap().len();
    let before = size(&studio);
    wait_for("more of the recording", LIMIT, || size(&studio) > before + 300_000);
    studio.desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    let again = "the window is visible again; frames drawn while hidden: ";
    wait_for("the window to be seen", LIMIT, || studio.window.errors().contains(again));
    let log = studio.window.errors();
    let drawn = log.split(again).nth(1).and_then(|rest| rest.split_whitespace().next());
    let drawn: u32 = drawn.unwrap().parse().unwrap();
    assert!(drawn <= 1, "it drew {drawn} frames that nobody saw");
    studio.window.signal("TERM");
    assert_eq!(studio.window.wait(LIMIT).code(), Some(0), "{}", studio.window.errors());
    studio.was_ended_in_order();
}

/// Whether the last tenth of a second in this file of s16le samples is audible.
fn is_audible(samples: &Path) -> Option<bool> {
    let bytes = fs::read(samples).ok()?;
    let last = bytes.len().checked_sub(9_600)? & !1;
    let loud = |pair: &[u8]| i16::from_le_bytes([pair[0], pair[1]]).unsigned_abs() > 100;
    Some(bytes[last..].chunks_exact(2).any(loud))
}

#[test]
fn the_push_to_talk_key_works_behind_another_window_and_minimized() {
    works_in_background("F8", ["keydown", "keyup"], ["F8", "F7"]);
}

/// X11 numbers the Back button 8; the middle button is another one.
#[test]
fn a_push_to_talk_button_works_behind_another_window_and_minimized() {
    works_in_background("mouse-4", ["mousedown", "mouseup"], ["8", "2"]);
}

/// `down` and `up` press and release the key; another key has no effect.
fn works_in_background(key: &str, [down, up]: [&str; 2], [it, other]: [&str; 2]) {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffmpeg", "ffprobe");
    let window = format!(", push_to_talk_key = {key:?}, push_to_talk_everywhere = true");
    let strip = "[[strips]]\ntalk = \"push-to-talk\"\n";
    let mut studio = Studio::start_with(Desktop::start(), &window, strip);
    studio.goes_on_air();
    let id = studio.desktop.shown(&mut studio.window);
    // The audio that viewers get.
    let audio_file = studio.home.path().join("heard.raw");
    let mut viewer = Command::new("ffmpeg");
    let url = format!("{}/live/show", studio.server);
    viewer.args(["-nostdin", "-v", "error", "-y", "-i", &url, "-vn"]);
    viewer
        .args(["-ac", "1", "-ar", "48000", "-f", "s16le", "-flush_packets", "1"])
        .arg(&audio_file);
    let _viewer = Peer::start_command(&mut viewer);
    let is = |what: &str, wanted: bool| {
        wait_for(what, LIMIT, || is_audible(&audio_file) == Some(wanted));
    };
    is("a strip that waits for its key", false);
    let xdotool = |arguments: &[&str]| studio.desktop.output_of("xdotool", arguments);
    // Another application, such as a game, has the focus.
    let game = studio.desktop.play_test_picture();
    wait_for("the game to have the keyboard", LIMIT, || {
        let active = xdotool(&["getactivewindow"]).parse().unwrap_or(0_u32);
        studio.desktop.windows().len() == 2 && active != 0 && format!("{active:#x}") != id
    });
    for turn in ["behind another window", "minimised"] {
        xdotool(&[down, it]);
        is(turn, true);
        xdotool(&[up, it]);
        is(turn, false);
        // Another key has no effect.
        xdotool(&[down, other]);
        xdotool(&["windowminimize", &id]);
        xdotool(&[up, other]);
    }
    drop(game);
    studio.window.signal("TERM");
    assert_eq!(studio.window.wait(LIMIT).code(), Some(0), "{}", studio.window.errors());
}
