//! Test of global hotkeys on X11. The real window receives them while another program has the
//! keyboard focus, while Caps Lock is on, and while the window is minimized.

use std::fs;

use onair::studio::Settings;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Peer, wait_for};

/// Hotkeys that work in other windows, and two scenes.
const MORE: &str = r##"recording = { replay_seconds = 30 }
[hotkeys]
other_windows = ["screenshot", "go-live", "save-replay", "scene-2", "scene:Main", "scene:Gone", "chapter", "pause-recording"]
[hotkeys.keys]
screenshot = "Ctrl+Alt+G"
go-live = "Ctrl+Alt+L"
save-replay = "Ctrl+Alt+S"
scene-2 = "Ctrl+Alt+2"
"scene:Main" = "Ctrl+Alt+1"
"scene:Gone" = "Ctrl+Alt+9"
chapter = "F13"
pause-recording = "Ctrl+4"
[collection]
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
fn hotkeys_work_behind_another_window_and_minimized() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffplay");
    let (desktop, home) = (Desktop::start(), tempfile::tempdir().unwrap());
    let _manager = desktop.manage();
    let videos = home.path().join("videos");
    fs::create_dir(&videos).unwrap();
    let settings = format!(
        "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
         quality = {{ size = \"320x180\", fps = \"25\", video_bitrate = 500000 }}\n\
         window = {{ language = \"en\", recording_folder = {videos:?} }}\n{MORE}"
    );
    let mut studio = desktop.studio(home.path(), &settings, "info,onair::app=debug");
    let id = desktop.shown(&mut studio);
    let xdotool = |arguments: &[&str]| desktop.output_of("xdotool", arguments);
    let _game = desktop.play_test_picture();
    wait_for("the game to have the keyboard", LIMIT, || {
        let active = xdotool(&["getactivewindow"]).parse().unwrap_or(0_u32);
        desktop.windows().len() == 2 && active != 0 && format!("{active:#x}") != id
    });
    let files = |kind: &str| {
        let files = fs::read_dir(&videos).unwrap().map(|it| it.unwrap().file_name());
        files.filter(|name| name.to_string_lossy().contains(kind)).count()
    };
    let presses =
        |studio: &Peer| studio.errors().matches("global hotkey pressed: screenshot").count();
    studio.wait_until("a screenshot", LIMIT, |studio| {
        if presses(studio) == 0 {
            xdotool(&["key", "ctrl+alt+g"]);
        }
        files("screenshot") > 0
    });
    // The scene, the broadcast and the replay need no window either. A second press would stop the
    // broadcast.
    xdotool(&["key", "ctrl+alt+2"]);
    let scene = || Settings::read(&home.path().join("settings.toml")).0.collection;
    wait_for("the second scene", LIMIT, || {
        scene().current().is_some_and(|scene| scene.name == "Break")
    });
    // The key of a scene that does not exist is left to other programs.
    xdotool(&["key", "ctrl+alt+9"]);
    xdotool(&["key", "ctrl+alt+1"]);
    wait_for("the scene by its name", LIMIT, || {
        scene().current().is_some_and(|scene| scene.name == "Main")
    });
    assert!(!studio.errors().contains("global hotkey pressed: scene:Gone"));
    xdotool(&["key", "ctrl+alt+l"]);
    wait_for("the broadcast", LIMIT, || studio.errors().contains("activity=\"on_air\""));
    wait_for("a replay", LIMIT, || {
        if files("replay") == 0 {
            xdotool(&["key", "ctrl+alt+s"]);
        }
        files("replay") > 0
    });
    let before = presses(&studio);
    // Another key combination does nothing, and Caps Lock makes no difference.
    xdotool(&["key", "ctrl+g"]);
    xdotool(&["key", "Caps_Lock"]);
    xdotool(&["windowminimize", &id]);
    xdotool(&["key", "ctrl+alt+g"]);
    wait_for("the hotkey of a minimised window", LIMIT, || presses(&studio) == before + 1);
    // The default layout has another symbol on F13, and 4 is also on the numeric keypad, where it
    // needs Num Lock. These are the codes of the keys.
    let pressed =
        |name: &str| studio.errors().matches(&format!("global hotkey pressed: {name}")).count();
    xdotool(&["key", "191"]);
    wait_for("F13", LIMIT, || pressed("chapter") == 1);
    xdotool(&["key", "ctrl+83"]);
    xdotool(&["key", "Num_Lock"]);
    xdotool(&["key", "ctrl+83"]);
    wait_for("the keypad", LIMIT, || pressed("pause-recording") == 1);
    studio.signal("TERM");
    assert_eq!(studio.wait(LIMIT).code(), Some(0), "{}", studio.errors());
}
