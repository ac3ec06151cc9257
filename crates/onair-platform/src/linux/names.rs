//! Names of files as bytes. Any bytes without a zero are a name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// Returns the bytes of a name, with which [`of_bytes`] finds the same file.
pub fn bytes(name: &OsStr) -> &[u8] {
    name.as_bytes()
}

/// Returns the name with these bytes.
pub fn of_bytes(bytes: Vec<u8>) -> OsString {
    OsString::from_vec(bytes)
}

/// Returns the rest of a name that starts with this text.
pub fn after<'a>(name: &'a OsStr, start: &str) -> Option<&'a OsStr> {
    name.as_bytes().strip_prefix(start.as_bytes()).map(OsStr::from_bytes)
}
