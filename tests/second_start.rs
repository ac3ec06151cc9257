//! Test of a second start of the window with the same settings. The second process brings the first
//! window to the front and passes its arguments on. If the first process does not answer, the
//! second one says so. The second process never changes the settings file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Instant;

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, wait_for};
use onair::studio::Settings;

const SETTINGS: &str = "version = 2\nvideo = \"test\"\naudio = \"tone\"\n\
    quality = { size = \"320x180\", fps = \"25\", video_bitrate = 500000 }\n\
    window = { reduced_motion = true }\n";

/// Starts the studio again with these arguments and the settings of the first one.
fn again(desktop: &Desktop, home: &Path, words: &[&str]) -> Output {
    let mut command = desktop.onair(home);
    command.env("XDG_RUNTIME_DIR", home).args(["studio", "--settings"]);
    command.arg(home.join("settings.toml")).args(words).output().unwrap()
}

fn errors_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_second_start_raises_the_first_window_and_a_hanging_one_is_reported() {
    peers::require!("Xvfb", "dbus-daemon", "openbox", "xdotool", "xprop", "ffplay");
    let desktop = Desktop::start();
    let _manager = desktop.manage();
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("settings.toml");
    fs::create_dir_all(home.path().join("profiles")).unwrap();
    let small = home.path().join("profiles/Small.toml");
    fs::write(&small, "[quality]\nsize = \"160x90\"\n").unwrap();
    fs::write(&path, SETTINGS).unwrap();
    let mut first = desktop.onair(home.path());
    first.env("XDG_RUNTIME_DIR", home.path()).args(["--log", "info", "studio", "--settings"]);
    let mut first = peers::Peer::start_command(first.arg(&path));
    let id = desktop.shown(&mut first);
    let _other = desktop.play_test_picture();
    let active = || {
        let number = desktop.output_of("xdotool", &["getactivewindow"]).parse().unwrap_or(0_u32);
        format!("{number:#x}")
    };
    wait_for("another window in front", LIMIT, || desktop.windows().len() == 2 && active() != id);
    let second = again(&desktop, home.path(), &["--profile", "Small"]);
    assert!(second.status.success() && errors_of(&second).contains("already open"), "{second:?}");
    wait_for("the first window in front", LIMIT, || active() == id);
    wait_for("its profile", LIMIT, || Settings::read(&path).0.in_use.profile == "Small");
    // Meanwhile, other commands may not write the settings, and nothing is lost.
    let collection = || {
        // The window also saves its size.
        let text = fs::read_to_string(&path).unwrap();
        text.split_once("[collection]").unwrap().1.to_owned()
    };
    let before = collection();
    let scenes = home.path().join("scenes.toml");
    fs::write(&scenes, "[[collection.scenes]]\nname = 'Other'\n").unwrap();
    let import = desktop
        .onair(home.path())
        .args(["scenes", "import"])
        .arg(&scenes)
        .arg("--settings")
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(import.status.code(), Some(3), "{}", errors_of(&import));
    assert!(errors_of(&import).contains("another onair process has these settings open"));
    assert_eq!(collection(), before);
    // A further start does not wait long for a first one that hangs.
    let process = first.id().to_string();
    assert!(Command::new("kill").args(["-STOP", &process]).status().unwrap().success());
    let begin = Instant::now();
    let third = again(&desktop, home.path(), &[]);
    Command::new("kill").args(["-CONT", &process]).status().unwrap();
    assert_eq!(third.status.code(), Some(1), "{}", errors_of(&third));
    assert!(
        errors_of(&third).contains("is not responding") && errors_of(&third).contains(&process)
    );
    assert!(begin.elapsed() < LIMIT / 2, "{:?}", begin.elapsed());
    // The first one still runs, and ends normally. The next start is then the first again.
    first.signal("TERM");
    assert_eq!(first.wait(LIMIT).code(), Some(0), "{}", first.errors());
    let mut next = desktop.onair(home.path());
    next.env("XDG_RUNTIME_DIR", home.path()).args(["--log", "info", "studio", "--settings"]);
    let mut next = peers::Peer::start_command(next.arg(&path));
    desktop.shown(&mut next);
    assert_eq!(Settings::read(&path).0.in_use.profile, "Small");
}
