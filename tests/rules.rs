//! Rules of the settings file and of the command line, in a broadcast without a window.

use std::fs;

use crate::peers::{LIMIT, Onair, wait_for};
use tempfile::TempDir;

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
