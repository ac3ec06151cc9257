//! Names of files as bytes: UTF-8, with surrogates that have no partner in the same way (WTF-8).
#![allow(unsafe_code)]

use std::ffi::{OsStr, OsString};

/// Returns the bytes of a name, with which [`of_bytes`] finds the same file, if the name is valid Unicode.
pub fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

/// Returns the name with these bytes. Bytes that are not UTF-8 are replaced.
pub fn of_bytes(bytes: Vec<u8>) -> OsString {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
        .into()
}

/// Returns the rest of a name that starts with this text.
pub fn after<'a>(name: &'a OsStr, start: &str) -> Option<&'a OsStr> {
    let rest = name.as_encoded_bytes().strip_prefix(start.as_bytes())?;
    // SAFETY: the bytes come from a name, and are split behind a text, which is valid UTF-8.
    (!start.is_empty()).then(|| unsafe { OsStr::from_encoded_bytes_unchecked(rest) })
}
