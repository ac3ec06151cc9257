//! The player to the desktop (MPRIS): a real window on a display without a screen, a session bus of
//! its own, and playerctl and dbus-send, which we did not write, as the desktop.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "test code: a panic is how it fails"
)]

#[path = "peers/mod.rs"]
mod peers;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use peers::{LIMIT, Peer, wait_for};

/// A program that prints a line when it is ready; ends with the test.
struct Helper(Child, String);

impl Helper {
    fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "{command:?} has not started");
        Self(child, line.trim().to_owned())
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A display and a session bus.
struct Desktop {
    display: Helper,
    bus: Helper,
}

impl Desktop {
    fn start() -> Self {
        let mut xvfb = Command::new("Xvfb");
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        Self { display: Helper::start(&mut xvfb), bus: Helper::start(&mut bus) }
    }

    /// A program of this desktop.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.bus.1);
        command.env("DISPLAY", format!(":{}", self.display.1)).env_remove("WAYLAND_DISPLAY");
        command
    }

    fn said(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.command(program).args(arguments).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    /// What `playerctl` says of our player.
    fn player(&self, arguments: &[&str]) -> String {
        self.said("playerctl", &[&["--player=onair"], arguments].concat())
    }

    fn wait(&self, what: &str, arguments: &[&str], enough: impl Fn(&str) -> bool) {
        wait_for(what, LIMIT * 2, || enough(&self.player(arguments)));
    }

    /// Plays a file in a window.
    fn play(&self, file: &Path, home: &Path) -> Peer {
        let mut command = self.command(env!("CARGO_BIN_EXE_onair"));
        // Settings and logs of its own.
        let folders = ["HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"];
        command.envs(folders.map(|name| (name, home))).env("LIBGL_ALWAYS_SOFTWARE", "1");
        Peer::start_command(command.arg("play").arg(file).arg("--mute"))
    }
}

#[test]
fn the_desktop_sees_the_player_and_its_keys_work() {
    peers::require!("Xvfb", "dbus-daemon", "dbus-send", "playerctl", "ffmpeg");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a film.mp4");
    peers::ffmpeg::make(&file, "160x90", "300", &["-g", "25"]);
    let desktop = Desktop::start();
    let home_of_first = tempfile::tempdir().unwrap();
    let mut window = desktop.play(&file, home_of_first.path());

    desktop.wait("the player on the bus", &["status"], |said| said == "Playing");
    assert_eq!(desktop.player(&["metadata", "xesam:title"]), "a film.mp4");
    desktop.wait("its length", &["metadata", "mpris:length"], |said| {
        said.parse::<i64>().is_ok_and(|micros| (299_000_000..301_000_000).contains(&micros))
    });
    // Nothing of where it is: only what it is called.
    assert!(!desktop.player(&["metadata"]).contains(folder.path().to_str().unwrap()));

    // What has changed is told.
    let mut monitor = desktop.command("playerctl");
    monitor.args(["--player=onair", "--follow", "status"]);
    let monitor = Peer::start_command(&mut monitor);
    wait_for("the first status", LIMIT, || monitor.output().contains("Playing"));
    desktop.player(&["pause"]);
    desktop.wait("a pause", &["status"], |said| said == "Paused");
    wait_for("word of it", LIMIT, || monitor.output().contains("Paused"));
    desktop.player(&["play-pause"]);
    desktop.wait("going on", &["status"], |said| said == "Playing");

    // Places in the recording, and loudness.
    let position = |said: &str| said.parse::<f64>().unwrap_or(-1.0);
    desktop.player(&["position", "200"]);
    desktop.wait("another place", &["position"], |said| (198.0..300.0).contains(&position(said)));
    desktop.player(&["position", "150-"]);
    desktop.wait("a step back", &["position"], |said| (40.0..190.0).contains(&position(said)));
    desktop.player(&["volume", "0.25"]);
    desktop.wait("another loudness", &["volume"], |said| {
        (said.parse::<f64>().unwrap_or(0.0) - 0.25).abs() < 0.01
    });

    // Another window is told apart by its process.
    let home = tempfile::tempdir().unwrap();
    let mut second = desktop.play(&file, home.path());
    let names = || {
        let bus = ["--session", "--print-reply", "--dest=org.freedesktop.DBus"];
        let call = ["/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"];
        desktop.said("dbus-send", &[&bus[..], &call].concat())
    };
    let apart = format!("\"org.mpris.MediaPlayer2.onair.instance{}\"", second.id());
    wait_for("a second player", LIMIT * 2, || names().contains(&apart));
    desktop.said("playerctl", &[&format!("--player=onair.instance{}", second.id()), "stop"]);
    assert_eq!(desktop.player(&["status"]), "Playing", "the first one goes on");
    second.kill();
    wait_for("its end", LIMIT, || !names().contains(&apart));

    desktop.player(&["stop"]);
    desktop.wait("the end", &["status"], |said| said == "Stopped");
    desktop.player(&["play"]);
    desktop.wait("a new beginning", &["status"], |said| said == "Playing");

    // The window closes as by its button, and the player is gone.
    let quit = ["--session", "--type=method_call", "--dest=org.mpris.MediaPlayer2.onair"];
    desktop.said(
        "dbus-send",
        &[&quit[..], &["/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Quit"]].concat(),
    );
    assert!(window.wait(LIMIT).success(), "{}", window.output());
    assert!(!names().contains("org.mpris.MediaPlayer2.onair"), "{}", names());
}
