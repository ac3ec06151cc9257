//! Tests of the studio's window in a real Wayland session (sway without a monitor), by keyboard.
//! The window goes on the air, and a third-party program receives the stream. If the desktop closes
//! the window, it asks for confirmation and the stream continues. A signal ends it cleanly.

#![cfg(feature = "wayland")]

use std::collections::HashSet;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, QueueHandle, delegate_noop};
use wayland_protocols::xdg::activation::v1::client::xdg_activation_token_v1::{
    self, XdgActivationTokenV1,
};
use wayland_protocols::xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1;

use crate::desktop_status;
use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use crate::session::{HELPERS, Session};

/// The number of colors in a screenshot of this display.
fn colors_of(session: &Session, display: &str) -> usize {
    let path = session.bus.folder().join("shown.png");
    let status = session.command("grim").args(["-o", display]).arg(&path).status().unwrap();
    assert!(status.success());
    let shown = image::open(path).unwrap().into_rgb8();
    shown.pixels().collect::<HashSet<_>>().len()
}

#[test]
fn the_studio_goes_on_air_and_is_closed_on_a_wayland_desktop() {
    let programs =
        ["sway", "swaymsg", "pipewire", "wireplumber", "dbus-daemon", "dbus-send", "setpriv"];
    let others = ["wtype", "grim", "ffprobe"];
    if peers::missing(&[&programs[..], &others[..], &HELPERS[..]].concat()) {
        return;
    }
    let session = Session::start("1280x720", "default_border none");
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let settings = session.bus.folder().join("settings.toml");
    let text = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ reduced_motion = true }}\n\
         targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n]\n"
    );
    fs::write(&settings, text).unwrap();
    let mut command = session.command(env!("CARGO_BIN_EXE_onair"));
    command.args(["--log", "info", "studio", "--settings"]).arg(&settings);
    let mut window = Peer::start_command(command.env("LIBGL_ALWAYS_SOFTWARE", "1"));
    window.wait_until("a first frame", LIMIT * 2, |window| {
        window.errors().contains("the window shows its first frame")
    });

    // A keyboard that stays, so that the window has the focus.
    let _keyboard = Peer::start_command(session.command("wtype").args(["-s", "600000"]));
    let tell = |words: &[&str]| {
        let output = session.command("swaymsg").args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // The desktop finds the icon by this name.
    wait_for("the window", LIMIT, || tell(&["-t", "get_tree"]).contains("\"app_id\": \"onair\""));
    let press = |words: &[&str]| {
        assert!(session.command("wtype").args(words).status().unwrap().success());
    };
    let published = |serve: &Onair| serve.events().iter().any(|event| event["event"] == "publish");
    // Another press while on air asks whether to stop.
    wait_for("on air", LIMIT, || {
        press(&["-s", "500", "-M", "ctrl", "-P", "l", "-s", "200", "-p", "l", "-m", "ctrl"]);
        published(&serve)
    });
    press(&["-s", "300", "-k", "Escape"]);
    let probe = ffmpeg::probe(format!("{server}/live/show"));
    assert_eq!(probe.warnings, "");
    assert_eq!(probe.stream("video")["width"], 320);
    wait_for("the test picture", LIMIT, || colors_of(&session, "HEADLESS-1") > 500);

    // When the desktop closes the window, it asks first, and the stream continues.
    tell(&["[app_id=onair]", "kill"]);
    press(&["-s", "1500", "-k", "Escape"]);
    assert!(window.status().is_none(), "{}", window.errors());
    let ended = |serve: &Onair| serve.events().iter().any(|event| event["event"] == "unpublish");
    assert!(!ended(&serve));
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
    let event = serve.wait_named("unpublish");
    assert_eq!(event["reason"], "unpublished", "{event}");
}

/// sway's answer to a command.
fn ask_sway(session: &Session, words: &[&str]) -> Value {
    let output = session.command("swaymsg").args(words).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{words:?}: {output:?}"))
}

/// All windows below a node of sway's tree.
fn windows(tree: &Value) -> Vec<Value> {
    let parts = ["nodes", "floating_nodes"];
    let below = parts.iter().flat_map(|part| tree[*part].as_array().into_iter().flatten());
    let mut all: Vec<Value> = below.flat_map(windows).collect();
    if tree["app_id"].is_string() {
        all.push(tree.clone());
    }
    all
}

/// The windows on the display with this name.
fn windows_on(session: &Session, display: &str) -> Vec<Value> {
    let tree = ask_sway(session, &["-t", "get_tree"]);
    let displays = tree["nodes"].as_array().unwrap();
    displays.iter().filter(|it| it["name"] == display).flat_map(windows).collect()
}

/// A studio with these settings in this session, once its window has opened.
fn studio(session: &Session, settings: &str) -> (Peer, PathBuf) {
    let path = session.bus.folder().join("settings.toml");
    fs::write(&path, settings).unwrap();
    let mut command = session.command(env!("CARGO_BIN_EXE_onair"));
    command.args(["--log", "info", "studio", "--settings"]).arg(&path);
    let mut window = Peer::start_command(command.env("LIBGL_ALWAYS_SOFTWARE", "1"));
    window.wait_until("a first frame", LIMIT * 2, |window| {
        window.errors().contains("the window shows its first frame")
    });
    (window, path)
}

const SETTINGS: &str = "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
    quality = { size = \"320x180\", fps = \"25\", video_bitrate = 500000 }\n\
    window = { reduced_motion = true }\n";

/// An application that the user has just used, and that starts another one: it gets an activation
/// token.
#[derive(Default)]
struct Launcher {
    token: Option<String>,
}

impl Launcher {
    fn token(session: &Session) -> String {
        let command = session.command("true");
        let display = command.get_envs().find(|(name, _)| *name == "WAYLAND_DISPLAY");
        let path = session.bus.folder().join(display.unwrap().1.unwrap());
        let connection = Connection::from_socket(UnixStream::connect(path).unwrap()).unwrap();
        let (globals, mut queue) = registry_queue_init::<Self>(&connection).unwrap();
        let activation: XdgActivationV1 = globals.bind(&queue.handle(), 1..=1, ()).unwrap();
        activation.get_activation_token(&queue.handle(), ()).commit();
        let mut launcher = Self::default();
        queue.roundtrip(&mut launcher).unwrap();
        launcher.token.expect("a token")
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for Launcher {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<XdgActivationTokenV1, ()> for Launcher {
    fn event(
        launcher: &mut Self,
        _: &XdgActivationTokenV1,
        event: xdg_activation_token_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_activation_token_v1::Event::Done { token } = event {
            launcher.token = Some(token);
        }
    }
}

delegate_noop!(Launcher: XdgActivationV1);

#[test]
fn a_second_start_gives_the_focus_to_the_first_window() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv", "weston-flower");
    let session =
        Session::bare("1280x720", "default_border none\nfocus_on_window_activation focus");
    let (mut window, settings) = studio(&session, SETTINGS);
    let focused = || {
        let all = windows(&ask_sway(&session, &["-t", "get_tree"]));
        all.into_iter().find(|it| it["focused"] == true).map(|it| it["app_id"].to_string())
    };
    wait_for("the window", LIMIT, || focused().is_some_and(|id| id.contains("onair")));
    let mut other = Peer::start_command(&mut session.command("weston-flower"));
    other.wait_until("its window in front", LIMIT, |_| {
        focused().is_some_and(|id| !id.contains("onair"))
    });
    let mut again = session.command(env!("CARGO_BIN_EXE_onair"));
    again.args(["studio", "--settings"]).arg(&settings);
    let again = again.env("XDG_ACTIVATION_TOKEN", Launcher::token(&session)).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    wait_for("the first window in front", LIMIT, || {
        focused().is_some_and(|id| id.contains("onair"))
    });
    // An invalid token does not end the connection to the display.
    let mut again = session.command(env!("CARGO_BIN_EXE_onair"));
    again.args(["studio", "--settings"]).arg(&settings);
    let again = again.env("XDG_ACTIVATION_TOKEN", "x".repeat(60_000)).output().unwrap();
    assert!(again.status.success(), "{again:?}");
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
}

#[test]
fn in_a_flatpak_the_window_has_the_name_of_its_desktop_file() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv");
    let session = Session::bare("1280x720", "default_border none");
    let settings = session.bus.folder().join("settings.toml");
    fs::write(&settings, SETTINGS).unwrap();
    let mut command = session.command(env!("CARGO_BIN_EXE_onair"));
    command.args(["studio", "--settings"]).arg(&settings).env("FLATPAK_ID", "io.onair.onair");
    let _window = Peer::start_command(command.env("LIBGL_ALWAYS_SOFTWARE", "1"));
    let named = |it: &Value| it["app_id"] == "io.onair.onair";
    wait_for("the window", LIMIT, || {
        windows(&ask_sway(&session, &["-t", "get_tree"])).iter().any(named)
    });
}

/// Chooses *Go Live* or *Stop* in the menu of the status icon.
fn go_live_or_stop(panel: &zbus::blocking::Connection, icon: &str) {
    let (path, interface) = ("/MenuBar", "com.canonical.dbusmenu");
    let clicked = (3_i32, "clicked", zbus::zvariant::Value::from(0_i32), 0_u32);
    panel.call_method(Some(icon), path, Some(interface), "Event", &clicked).unwrap();
}

#[test]
fn the_status_icon_goes_live_while_nobody_sees_the_window_and_stop_asks() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv");
    let session = Session::bare("1280x720", "default_border none");
    let desktop = Arc::default();
    let panel = desktop_status::serve(&session.bus.address(), &desktop);
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let targets = format!(
        "targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n]\n"
    );
    let (mut window, _) = studio(&session, &format!("{SETTINGS}{targets}"));
    wait_for("the icon", LIMIT, || desktop.lock().lamps.len() == 1);
    let icon = desktop.lock().lamps[0].clone();
    ask_sway(&session, &["workspace", "2"]);
    let ours = || {
        let all = windows(&ask_sway(&session, &["-t", "get_tree"]));
        all.into_iter().find(|it| it["app_id"] == "onair").unwrap()
    };
    wait_for("a hidden window", LIMIT, || ours()["visible"] == false);
    go_live_or_stop(&panel, &icon);
    let happened = |name: &str| serve.events().iter().any(|event| event["event"] == name);
    wait_for("on air", LIMIT, || happened("publish"));
    assert_eq!((&ours()["visible"], &ours()["urgent"]), (&Value::Bool(false), &Value::Bool(false)));
    // *Stop* asks first. The panel has given no activation token, so the desktop marks the window.
    wait_for("the question", LIMIT, || {
        go_live_or_stop(&panel, &icon);
        ours()["urgent"] == true
    });
    assert!(!happened("unpublish"));
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
}

#[test]
fn a_projector_fills_the_second_display() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv", "grim");
    let session =
        Session::bare("1280x720", "default_border none\noutput HEADLESS-2 mode 800x600@60Hz");
    ask_sway(&session, &["create_output"]);
    let projectors = "[projectors]\nrestore = true\n[[projectors.open]]\nshows = \"program\"\n\
        display = \"HEADLESS-2\"\n";
    ask_sway(&session, &["focus output HEADLESS-1"]);
    let (mut window, _) = studio(&session, &format!("{SETTINGS}{projectors}"));
    let fills = || {
        let there = windows_on(&session, "HEADLESS-2");
        there.len() == 1 && there[0]["fullscreen_mode"] == 1 && there[0]["rect"]["width"] == 800
    };
    wait_for("a projector on the second display", LIMIT, fills);
    wait_for("its picture", LIMIT, || colors_of(&session, "HEADLESS-2") > 500);
    let main = || windows_on(&session, "HEADLESS-1").len();
    assert_eq!(main(), 1, "the window stays where it is");
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
}

#[test]
fn a_projector_goes_on_and_closes_while_the_main_window_is_hidden() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv", "wtype", "grim");
    let session =
        Session::bare("1280x720", "default_border none\noutput HEADLESS-2 mode 800x600@60Hz");
    ask_sway(&session, &["create_output"]);
    let projectors = "[projectors]\nrestore = true\n[[projectors.open]]\nshows = \"program\"\n\
        display = \"HEADLESS-2\"\n";
    ask_sway(&session, &["focus output HEADLESS-1"]);
    let (mut window, _) = studio(&session, &format!("{SETTINGS}{projectors}"));
    wait_for("its picture", LIMIT, || colors_of(&session, "HEADLESS-2") > 500);
    // The desktop shows another workspace instead of the main window.
    ask_sway(&session, &["focus output HEADLESS-1"]);
    ask_sway(&session, &["workspace elsewhere"]);
    let main = || windows_on(&session, "HEADLESS-1");
    wait_for("the main window out of sight", LIMIT, || {
        main().iter().all(|it| it["visible"] == false)
    });
    let path = session.bus.folder().join("projected.png");
    let mut before = Vec::new();
    // A few frames may have been on their way.
    for _ in 0..8 {
        wait_for("a new picture", LIMIT, || {
            let grim = session.command("grim").args(["-o", "HEADLESS-2"]).arg(&path).status();
            assert!(grim.unwrap().success());
            let now = image::open(&path).unwrap().into_rgb8().into_raw();
            let is_new = now != before;
            before = now;
            is_new
        });
    }
    // Esc closes it, although the main window draws nothing.
    ask_sway(&session, &["focus output HEADLESS-2"]);
    wait_for("no projector", LIMIT, || {
        assert!(
            session
                .command("wtype")
                .args(["-s", "300", "-k", "Escape"])
                .status()
                .unwrap()
                .success()
        );
        windows_on(&session, "HEADLESS-2").is_empty()
    });
    assert_eq!(main().len(), 1);
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
}

#[test]
fn a_panel_in_its_own_window_goes_on_and_closes_while_the_main_window_is_hidden() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv", "grim");
    let session = Session::bare(
        "1280x720",
        "default_border none\noutput HEADLESS-2 mode 800x600@60Hz\n\
         for_window [title=\"^Audio mixer$\"] move container to output HEADLESS-2",
    );
    ask_sway(&session, &["create_output"]);
    let layout = "[panels]\nlayout = \"mine\"\nlayouts = { mine = \
        \"column(* program, 120 controls); mixer 360x200\" }\n";
    ask_sway(&session, &["focus output HEADLESS-1"]);
    let (mut window, path) = studio(&session, &format!("{SETTINGS}{layout}"));
    wait_for("the panel's window", LIMIT, || windows_on(&session, "HEADLESS-2").len() == 1);
    ask_sway(&session, &["focus output HEADLESS-1"]);
    ask_sway(&session, &["workspace elsewhere"]);
    let main = || windows_on(&session, "HEADLESS-1");
    wait_for("the main window out of sight", LIMIT, || {
        main().iter().all(|it| it["visible"] == false)
    });
    // The meters of the test tone move.
    let shown = session.bus.folder().join("panel.png");
    let mut before = Vec::new();
    // A few frames may have been on their way.
    for _ in 0..8 {
        wait_for("new levels", LIMIT, || {
            let grim = session.command("grim").args(["-o", "HEADLESS-2"]).arg(&shown).status();
            assert!(grim.unwrap().success());
            let now = image::open(&shown).unwrap().into_rgb8().into_raw();
            let is_new = now != before;
            before = now;
            is_new
        });
    }
    // When the desktop closes the window, the panel returns to the layout.
    ask_sway(&session, &["[title=\"^Audio mixer$\"]", "kill"]);
    wait_for("no panel", LIMIT, || windows_on(&session, "HEADLESS-2").is_empty());
    assert_eq!(main().len(), 1);
    wait_for("the panel in the stored layout", LIMIT, || {
        let kept = fs::read_to_string(&path).unwrap();
        let mine = kept.lines().find(|line| line.contains("controls")).unwrap_or_default();
        mine.contains("mixer") && !mine.contains("; mixer")
    });
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
}

#[test]
fn a_compositor_that_dies_does_not_end_the_broadcast() {
    peers::require!("sway", "swaymsg", "dbus-daemon", "setpriv", "wtype", "ffprobe");
    let session = Session::bare("1280x720", "default_border none");
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let targets = format!(
        "targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n]\n"
    );
    let (mut window, _) = studio(&session, &format!("{SETTINGS}{targets}"));
    let _keyboard = Peer::start_command(session.command("wtype").args(["-s", "600000"]));
    let happened = |name: &str| serve.events().iter().any(|event| event["event"] == name);
    // Another press while on air asks whether to stop.
    wait_for("on air", LIMIT, || {
        let keys = ["-s", "500", "-M", "ctrl", "-P", "l", "-s", "200", "-p", "l", "-m", "ctrl"];
        assert!(session.command("wtype").args(keys).status().unwrap().success());
        happened("publish")
    });
    session.compositor.signal("KILL");
    window.wait_until("what it says", LIMIT, |window| {
        window.errors().contains("continues without a window")
    });
    // The stream continues, with video.
    let probe = ffmpeg::probe(format!("{server}/live/show"));
    assert_eq!(probe.stream("video")["width"], 320);
    assert!(window.status().is_none() && !happened("unpublish"), "{}", window.errors());
    window.signal("TERM");
    assert_eq!(window.wait(LIMIT).code(), Some(0), "{}", window.errors());
    assert_eq!(serve.wait_named("unpublish")["reason"], "unpublished");
}
