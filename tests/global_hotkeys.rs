//! Test of global hotkeys on X11. The real window receives them while another program has the
//! keyboard focus, while Caps Lock is on, and while the window is minimized.

#![cfg(target_os = "linux")]

use std::fs;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, wait_for};

#[test]
fn a_hotkey_is_heard_behind_another_window_and_minimised() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffplay");
    let (desktop, home) = (Desktop::start(), tempfile::tempdir().unwrap());
    let _manager = desktop.manage();
    let videos = home.path().join("videos");
    fs::create_dir(&videos).unwrap();
    let settings = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ language = \"en\", recording_folder = {videos:?} }}\n\
         hotkeys = {{ other_windows = [\"screenshot\"], keys = {{ screenshot = \"Ctrl+Alt+G\" }} }}\n"
    );
    let mut studio = desktop.studio(home.path(), &settings, "info,onair::app=debug");
    let id = desktop.shown(&mut studio);
    let xdotool = |arguments: &[&str]| desktop.output_of("xdotool", arguments);
    let _game = desktop.play_test_picture();
    wait_for("the game to have the keyboard", LIMIT, || {
        let active = xdotool(&["getactivewindow"]).parse().unwrap_or(0_u32);
        desktop.windows().len() == 2 && active != 0 && format!("{active:#x}") != id
    });
    let pictures = || fs::read_dir(&videos).unwrap().count();
    let presses = || studio.errors().matches("global hotkey pressed: screenshot").count();
    wait_for("a screenshot", LIMIT, || {
        if presses() == 0 {
            xdotool(&["key", "ctrl+alt+g"]);
        }
        pictures() > 0
    });
    let before = presses();
    // Another key combination does nothing, and Caps Lock makes no difference.
    xdotool(&["key", "ctrl+g"]);
    xdotool(&["key", "Caps_Lock"]);
    xdotool(&["windowminimize", &id]);
    xdotool(&["key", "ctrl+alt+g"]);
    wait_for("the hotkey of a minimised window", LIMIT, || presses() == before + 1);
    studio.signal("TERM");
    assert_eq!(studio.wait(LIMIT).code(), Some(0), "{}", studio.errors());
}
