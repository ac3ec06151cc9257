//! Test of the player's MPRIS interface. A real window runs on a virtual display with a private
//! session bus. The third-party programs playerctl and dbus-send act as the desktop.

use crate::peers::desktop::Desktop;
use crate::peers::{self, LIMIT, Peer, wait_for};

/// What `playerctl` reports about our player.
fn player(desktop: &Desktop, arguments: &[&str]) -> String {
    desktop.output_of("playerctl", &[&["--player=onair"], arguments].concat())
}

fn wait(desktop: &Desktop, what: &str, arguments: &[&str], enough: impl Fn(&str) -> bool) {
    wait_for(what, LIMIT * 2, || enough(&player(desktop, arguments)));
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

    wait(&desktop, "the player on the bus", &["status"], |output| output == "Playing");
    assert_eq!(player(&desktop, &["metadata", "xesam:title"]), "a film.mp4");
    wait(&desktop, "its length", &["metadata", "mpris:length"], |output| {
        output.parse::<i64>().is_ok_and(|micros| (299_000_000..301_000_000).contains(&micros))
    });
    // The metadata contain the title of the file, but not its path.
    assert!(!player(&desktop, &["metadata"]).contains(folder.path().to_str().unwrap()));

    // Changes are signaled.
    let mut monitor = desktop.command("playerctl");
    monitor.args(["--player=onair", "--follow", "status"]);
    let monitor = Peer::start_command(&mut monitor);
    wait_for("the first status", LIMIT, || monitor.output().contains("Playing"));
    player(&desktop, &["pause"]);
    wait(&desktop, "a pause", &["status"], |output| output == "Paused");
    wait_for("word of it", LIMIT, || monitor.output().contains("Paused"));
    player(&desktop, &["play-pause"]);
    wait(&desktop, "going on", &["status"], |output| output == "Playing");

    // Seeking in the recording, and volume.
    let position = |output: &str| output.parse::<f64>().unwrap_or(-1.0);
    player(&desktop, &["position", "200"]);
    wait(&desktop, "another place", &["position"], |output| {
        (198.0..300.0).contains(&position(output))
    });
    player(&desktop, &["position", "150-"]);
    wait(&desktop, "a step back", &["position"], |output| {
        (40.0..190.0).contains(&position(output))
    });
    player(&desktop, &["volume", "0.25"]);
    wait(&desktop, "another loudness", &["volume"], |output| {
        (output.parse::<f64>().unwrap_or(0.0) - 0.25).abs() < 0.01
    });

    // A second window has its process ID in its name.
    let home = tempfile::tempdir().unwrap();
    let mut second = desktop.play(&file, home.path());
    let names = || {
        let bus = ["--session", "--print-reply", "--dest=org.freedesktop.DBus"];
        let call = ["/org/freedesktop/DBus", "org.freedesktop.DBus.ListNames"];
        desktop.output_of("dbus-send", &[&bus[..], &call].concat())
    };
    let apart = format!("\"org.mpris.MediaPlayer2.onair.instance{}\"", second.id());
    wait_for("a second player", LIMIT * 2, || names().contains(&apart));
    desktop.output_of("playerctl", &[&format!("--player=onair.instance{}", second.id()), "stop"]);
    assert_eq!(player(&desktop, &["status"]), "Playing", "the first one goes on");
    second.kill();
    wait_for("its end", LIMIT, || !names().contains(&apart));

    player(&desktop, &["stop"]);
    wait(&desktop, "the end", &["status"], |output| output == "Stopped");
    player(&desktop, &["play"]);
    wait(&desktop, "a new beginning", &["status"], |output| output == "Playing");

    // The window closes as if by its button, and the player disappears from the bus.
    let quit = ["--session", "--type=method_call", "--dest=org.mpris.MediaPlayer2.onair"];
    desktop.output_of(
        "dbus-send",
        &[&quit[..], &["/org/mpris/MediaPlayer2", "org.mpris.MediaPlayer2.Quit"]].concat(),
    );
    assert!(window.wait(LIMIT).success(), "{}", window.output());
    assert!(!names().contains("org.mpris.MediaPlayer2.onair"), "{}", names());
}
