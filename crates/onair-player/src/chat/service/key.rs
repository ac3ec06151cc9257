//! The keys that some services need, from the environment: never from an argument, which other users see.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;

use crate::base::Secret;
use crate::base::file_stamp::read_with;
use crate::text::Problem;
use crate::text::problem::problem;

/// Maximum length of a key in bytes.
const MAX_KEY_BYTES: u64 = 4 << 10;

/// Returns the key in this variable, or in the file that the variable with `_FILE` names. Returns `None`
/// without either.
///
/// # Errors
/// Fails if the file cannot be read, or if the key cannot be one.
pub(super) async fn of(variable: &str) -> Result<Option<Secret>, Problem> {
    match (std::env::var(variable), std::env::var_os(format!("{variable}_FILE"))) {
        (Ok(text), _) => checked(&text, variable),
        (Err(_), None) => Ok(None),
        (Err(_), Some(path)) => checked(&of_file(path.into()).await?, variable),
    }
}

/// Reads a file, which may also be a pipe to which nobody writes.
async fn of_file(path: PathBuf) -> Result<String, Problem> {
    let place = path.display().to_string();
    let read = |file: File| {
        let mut text = String::new();
        file.take(MAX_KEY_BYTES + 1).read_to_string(&mut text).map(|_| text)
    };
    let read = tokio::task::spawn_blocking(move || read_with(&path, read)).await;
    let read = read.map_err(io::Error::other).and_then(|read| read);
    read.map_err(|error| problem!("chat-key-file", path = place, reason = error.to_string()))
}

fn checked(text: &str, variable: &str) -> Result<Option<Secret>, Problem> {
    let is_whole = text.len() as u64 <= MAX_KEY_BYTES;
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    // A line break would begin another header field.
    match is_whole && !text.contains(|it: char| it.is_control()) {
        true => Ok(Some(Secret::new(text))),
        false => Err(problem!("chat-bad-key", name = variable)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_gives_its_whole_key_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let read = async |text: &str| {
            std::fs::write(&path, text).unwrap();
            checked(&of_file(path.clone()).await.unwrap(), "KEY")
        };
        assert_eq!(read(" the-key\n").await, Ok(Some(Secret::new("the-key"))));
        assert_eq!(read("\n").await, Ok(None));
        for wrong in ["two\nlines".to_owned(), "x".repeat(4_097), "x".repeat(1 << 20)] {
            assert!(read(&wrong).await.is_err(), "{}", wrong.len());
        }
    }
}
