//! The studio's window in a real Wayland session (sway without a monitor), by keyboard: it goes on air, is
//! seen by a program that we did not write, is watched in the same window, is asked about when the desktop
//! closes it, and ends in order.

#![cfg(all(target_os = "linux", feature = "wayland"))]

use std::collections::HashSet;
use std::fs;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, wait_for};
use crate::session::{HELPERS, Session};

/// How many colours a picture of what the display shows has.
fn colors(session: &Session) -> usize {
    let path = session.bus.folder().join("shown.png");
    let status = session.command("grim").arg(&path).status().unwrap();
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

    // A keyboard that stays, so that the window has it.
    let _keyboard = Peer::start_command(session.command("wtype").args(["-s", "600000"]));
    let tell = |words: &[&str]| {
        let output = session.command("swaymsg").args(words).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    // Under this name the desktop finds the icon.
    wait_for("the window", LIMIT, || tell(&["-t", "get_tree"]).contains("\"app_id\": \"onair\""));
    let press = |words: &[&str]| {
        assert!(session.command("wtype").args(words).status().unwrap().success());
    };
    let published = |serve: &Onair| serve.events().iter().any(|event| event["event"] == "publish");
    // Pressed once more it asks whether to stop.
    wait_for("on air", LIMIT, || {
        press(&["-s", "500", "-M", "ctrl", "-P", "l", "-s", "200", "-p", "l", "-m", "ctrl"]);
        published(&serve)
    });
    press(&["-s", "300", "-k", "Escape"]);
    let probe = ffmpeg::probe(format!("{server}/live/show"));
    assert_eq!(probe.warnings, "");
    assert_eq!(probe.stream("video")["width"], 320);
    wait_for("the test picture", LIMIT, || colors(&session) > 500);

    // The desktop closes it: it asks, and the stream goes on.
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
