//! Test vectors from real encoders and from the tables of other projects, read from
//! `../shared/vectors` if that folder exists. No part of the folder belongs to this project.

use std::path::PathBuf;

use serde_json::Value;

use crate::peers;

/// Returns the folder of the test vectors, or `None` (with a message on standard error) if it does
/// not exist.
pub fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors"));
    if !folder.is_dir() {
        peers::skipped_even_in_ci(&format!("there are no vectors at {}", folder.display()));
        return None;
    }
    Some(folder)
}

/// Loads a set of test vectors.
pub fn load(name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder()?.join(name)).expect(name);
    Some(serde_json::from_str(&text).expect(name))
}

/// The items of a list of the set, which has at least one.
#[track_caller]
pub fn list(json: &Value) -> &[Value] {
    let items = json.as_array().unwrap_or_else(|| panic!("no list: {json}"));
    assert!(!items.is_empty(), "an empty list tests nothing");
    items
}

/// Decodes bytes from hexadecimal text.
pub fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "half a byte: {text}");
    let digit = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).expect("hex");
    (0..text.len()).step_by(2).map(digit).collect()
}
