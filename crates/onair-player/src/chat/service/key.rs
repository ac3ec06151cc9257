//! The keys that some services need, from the environment: never from an argument, which other users see.

use std::io::Read;

use crate::base::Secret;
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a key in bytes.
const MAX_KEY_BYTES: u64 = 4 << 10;

/// Returns the key in this variable, or in the file that the variable with `_FILE` names. Returns `None`
/// without either.
///
/// # Errors
/// Fails if the file cannot be read, or if the key cannot be one.
pub(super) fn of(variable: &str) -> Result<Option<Secret>, Problem> {
    let text = match (std::env::var(variable), std::env::var_os(format!("{variable}_FILE"))) {
        (Ok(text), _) => text,
        (Err(_), None) => return Ok(None),
        (Err(_), Some(path)) => {
            let failed = |error: std::io::Error| {
                let path = std::path::Path::new(&path).display().to_string();
                problem!("chat-key-file", path = path, reason = error.to_string())
            };
            let mut text = String::new();
            let file = std::fs::File::open(&path).map_err(failed)?;
            file.take(MAX_KEY_BYTES).read_to_string(&mut text).map_err(failed)?;
            text
        }
    };
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // A line break would begin another header field.
    match text.len() as u64 <= MAX_KEY_BYTES && !text.contains(|it: char| it.is_control()) {
        true => Ok(Some(Secret::new(text))),
        false => Err(problem!("chat-bad-key", name = variable)),
    }
}
