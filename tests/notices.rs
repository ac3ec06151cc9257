//! Every notice has its words in each language of the window.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use onair::studio::message::Message;
use onair::studio::preflight::Found;

#[test]
fn every_notice_is_said_in_chinese() {
    let texts = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/i18n/zh-CN/onair.ftl");
    let texts = std::fs::read_to_string(texts).unwrap();
    let said = |key: &str| texts.lines().any(|line| line.starts_with(&format!("notice-{key} =")));
    let keys = Message::KEYS.iter().chain(Found::KEYS);
    let missing: Vec<_> = keys.filter(|key| !said(key)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
