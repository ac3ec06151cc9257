//! Test of the studio's window as a screen reader sees it: through AT-SPI, on a third-party
//! accessibility bus.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Onair, Peer};

/// Roles of widgets that take the focus or show a state.
const NAMED: [&str; 11] = [
    "push button",
    "toggle button",
    "radio button",
    "check box",
    "combo box",
    "entry",
    "slider",
    "status bar",
    "level bar",
    "image",
    "frame",
];

/// Tells the desktop that a screen reader is running, as Orca does.
pub fn starts_a_screen_reader(desktop: &Desktop) {
    for property in ["IsEnabled", "ScreenReaderEnabled"] {
        let status = desktop
            .command("gdbus")
            .args(["call", "--session", "--dest", "org.a11y.Bus", "--object-path", "/org/a11y/bus"])
            .args(["--method", "org.freedesktop.DBus.Properties.Set", "org.a11y.Status"])
            .args([property, "<true>"])
            .output()
            .unwrap();
        assert!(status.status.success(), "{status:?}");
    }
}

/// The lines that the screen reader has written so far.
fn lines(reader: &Peer) -> Vec<Value> {
    reader.output().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn reader(desktop: &Desktop) -> Peer {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rigs/reader.py");
    let mut command: Command = desktop.command("/usr/bin/python3");
    Peer::start_command(command.arg(script).arg("onair"))
}

fn named(lines: &[Value], kind: &str, role: &str, name: &str) -> bool {
    lines.iter().any(|line| {
        let is = match kind {
            "node" => line["node"] == role,
            _ => line["event"].is_string() && line["role"] == role,
        };
        is && line["name"].as_str().is_some_and(|it| it.starts_with(name))
    })
}

#[test]
fn a_screen_reader_reads_the_window_and_hears_it_go_live() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "gdbus");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    starts_a_screen_reader(&desktop);
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let server = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let home = tempfile::tempdir().unwrap();
    let settings = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ reduced_motion = true }}\n\
         targets = [\n  {{ enabled = false }},\n  {{ server = \"{server}/live/show\" }},\n]\n"
    );
    let mut window = desktop.studio(home.path(), &settings, "info");
    let id = desktop.shown(&mut window);
    desktop.output_of("xdotool", &["windowactivate", "--sync", &id]);
    let mut reader = reader(&desktop);
    reader.wait_until("the tree", LIMIT, |it| it.output().contains("\"read\""));

    // Every widget that can be used or shows a state has a name.
    let read = lines(&reader);
    let nameless = read.iter().filter(|line| {
        let role = line["node"].as_str().unwrap_or_default();
        NAMED.contains(&role) && line["name"].as_str().is_none_or(|it| it.trim().is_empty())
    });
    assert_eq!(nameless.collect::<Vec<_>>(), Vec::<&Value>::new());
    assert!(named(&read, "node", "frame", "onair"), "{read:#?}");
    assert!(named(&read, "node", "push button", "Go Live"), "{read:#?}");

    // Faders and meters have values.
    let value = |role: &str, name: &str| {
        let is_it = |line: &&Value| {
            let its_name = line["name"].as_str().unwrap_or_default();
            line["node"] == role && its_name.starts_with(name)
        };
        read.iter().find(is_it).and_then(|line| line["value"].as_f64())
    };
    assert_eq!(value("slider", "Gain of "), Some(0.0), "{read:#?}");
    let level = value("level bar", "");
    assert!(level.is_some_and(|level| (-60.0..=0.0).contains(&level)), "{level:?}: {read:#?}");

    // Tab moves the focus through the top bar in reading order, and the screen reader announces
    // each control.
    for name in ["Studio", "Watch"] {
        desktop.output_of("xdotool", &["key", "Tab"]);
        reader.wait_until(name, LIMIT, |it| named(&lines(it), "event", "toggle button", name));
    }

    // The screen reader announces going live, and the health bar's text.
    desktop.output_of("xdotool", &["key", "ctrl+l"]);
    serve.wait_named("publish");
    reader.wait_until("ON AIR", LIMIT, |it| named(&lines(it), "event", "status bar", "ON AIR"));
    reader.wait_until("Stop", LIMIT, |it| named(&lines(it), "event", "push button", "Stop"));
    let good = |it: &Peer| {
        let is_it = |line: &Value| {
            let is_announcement =
                line["event"].as_str().is_some_and(|it| it.starts_with("object:announcement"));
            is_announcement && line["role"] == "status bar" && line["text"] == "All good."
        };
        lines(it).iter().any(is_it)
    };
    reader.wait_until("the health sentence", LIMIT, good);
}
