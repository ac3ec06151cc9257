//! Texts of plugins.

use std::ffi::{CStr, c_char};

/// Maximum length of a plugin's text.
const MAX_TEXT: usize = 400;

/// Returns a text of the plugin.
pub(super) fn text(from: *const c_char) -> String {
    if from.is_null() {
        return String::new();
    }
    // SAFETY: texts of plugins end with a zero.
    let text = unsafe { CStr::from_ptr(from) };
    text.to_string_lossy().chars().filter(|it| !it.is_control()).take(MAX_TEXT).collect()
}
