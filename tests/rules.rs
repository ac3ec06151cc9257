//! Rules of the settings file and of the command line, in a broadcast without a window.

use std::fs;

use crate::peers::{self, LIMIT, Onair, wait_for};
use crate::screen::XServer;
use tempfile::TempDir;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, PropMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

/// Starts a broadcast with the scenes *Main* and *Break*, and these rules.
fn live(folder: &TempDir, saved: &str, rules: &[&str]) -> Onair {
    let settings = folder.path().join("settings.toml");
    let text = format!(
        "version = 2\nvideo = 'test'\naudio = 'silence'\n{saved}\
         [quality]\nsize = '320x180'\n\
         [window]\nrecording_folder = '{}'\n\
         [collection]\ncurrent = 'Main'\n\
         [[collection.scenes]]\nname = 'Main'\n[[collection.scenes.items]]\nmain = true\n\
         [[collection.scenes]]\nname = 'Break'\n",
        folder.path().display(),
    );
    fs::write(&settings, text).unwrap();
    let mut words = vec!["live", "--settings", settings.to_str().unwrap(), "--built-in"];
    rules.iter().for_each(|rule| words.extend(["--rule", rule]));
    Onair::start(&words)
}

#[test]
fn a_saved_rule_and_one_of_the_command_line_run_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let saved = "[[rules]]\nwhen = 'silent:1'\nthen = 'scene:Break'\n";
    let mut onair = live(&folder, saved, &["scene:Break => screenshot"]);
    let is_png = |entry: fs::DirEntry| entry.path().extension().is_some_and(|it| it == "png");
    wait_for("the screenshot of the second rule", LIMIT, || {
        fs::read_dir(folder.path()).unwrap().flatten().any(is_png)
    });
    assert!(onair.stop(LIMIT).success());
}

#[test]
fn rules_that_run_each_other_for_ever_are_paused_with_a_notice() {
    let folder = tempfile::tempdir().unwrap();
    let rules =
        ["silent:1 => scene:Break", "scene:Break => scene:Main", "scene:Main => scene:Break"];
    let mut onair = live(&folder, "", &rules);
    let notice = onair.wait_event("the notice", |event| {
        event["event"] == "notice" && event["key"] == "rule-paused"
    });
    assert!(notice.to_string().contains("=> scene:"), "{notice}");
    assert!(onair.stop(LIMIT).success());
}

#[test]
fn a_window_that_comes_to_the_front_runs_its_rule() {
    peers::require!("Xvfb");
    let server = XServer::start("640x480x24");
    let (client, number) = RustConnection::connect(Some(&server.1)).unwrap();
    let root = client.setup().roots[number].root;
    let window = |class: &str| {
        let id = client.generate_id().unwrap();
        let (kind, look) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
        client.create_window(0, id, root, 0, 0, 64, 64, 0, kind, 0, &look).unwrap();
        let names = format!("x\0{class}\0");
        let (name, text) = (AtomEnum::WM_CLASS, AtomEnum::STRING);
        client.change_property8(PropMode::REPLACE, id, name, text, names.as_bytes()).unwrap();
        client.map_window(id).unwrap();
        id
    };
    let (game, editor) = (window("Gaming"), window("Editor"));
    let active = client.intern_atom(false, b"_NET_ACTIVE_WINDOW").unwrap().reply().unwrap().atom;
    let front = |id: u32| {
        let kind = AtomEnum::WINDOW;
        client.change_property32(PropMode::REPLACE, root, active, kind, &[id]).unwrap();
        client.flush().unwrap();
    };
    front(editor);
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    let text = format!(
        "video = 'test'\naudio = 'silence'\n[quality]\nsize = '320x180'\n\
         [window]\nrecording_folder = '{}'\n",
        folder.path().display(),
    );
    fs::write(&settings, text).unwrap();
    let rule = "window:gaming => screenshot";
    let words = ["live", "--settings", settings.to_str().unwrap(), "--built-in", "--rule", rule];
    // The usual rig takes the display away.
    let mut onair = Onair::start_with(&words, &[("DISPLAY", &server.1)]);
    onair.wait_named("stats");
    let pictures = || {
        let all = fs::read_dir(folder.path()).unwrap().flatten();
        all.filter(|it| it.path().extension().is_some_and(|it| it == "png")).count()
    };
    assert_eq!(pictures(), 0);
    front(game);
    wait_for("the screenshot", LIMIT, || pictures() == 1);
    assert!(onair.stop(LIMIT).success());
}

#[test]
fn a_rule_for_a_window_is_refused_in_a_session_that_tells_none() {
    let words = ["live", "--video", "test", "--rule", "window:gaming => screenshot"];
    for (variables, reason) in
        [(&[("WAYLAND_DISPLAY", "wayland-0")][..], "Wayland"), (&[], "no display was found")]
    {
        let mut onair = Onair::start_with(&words, variables);
        assert!(!onair.peer.wait(LIMIT).success());
        let errors = onair.peer.errors();
        assert!(errors.contains(reason), "{errors}");
    }
}
