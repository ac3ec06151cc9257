//! Every notice has its words in each language of the window, and its place in the user guide.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use onair::player;
use onair::studio::notices::message::StudioMessage;
use onair::studio::preflight::Finding;

/// The names of all messages.
fn keys() -> BTreeSet<&'static str> {
    let others = [Finding::KEYS, player::PlayerMessage::KEYS].into_iter().flatten().copied();
    StudioMessage::keys().chain(others).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

#[test]
fn every_notice_is_said_in_chinese() {
    let texts = read("assets/i18n/zh-CN/onair.ftl");
    let said = |key: &str| texts.lines().any(|line| line.starts_with(&format!("notice-{key} =")));
    let missing: Vec<_> = keys().into_iter().filter(|key| !said(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The first column of the guide's tables has every message's name, and no others.
#[test]
fn the_guide_explains_every_message_and_no_other() {
    let guide = read("docs/reference/messages.md");
    let names = guide
        .lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| line.split('|').nth(1))
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect::<Vec<_>>();
    let explained: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(explained.len(), names.len(), "a message stands in the guide twice");
    let missing: Vec<_> = keys().difference(&explained).copied().collect();
    assert!(missing.is_empty(), "not in the guide: {missing:?}");
    let unknown: Vec<_> = explained.difference(&keys()).copied().collect();
    assert!(unknown.is_empty(), "in the guide and nowhere else: {unknown:?}");
}
