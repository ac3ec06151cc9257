//! Detects changes of a file without reading it.

use std::fs::Metadata;
use std::path::Path;
use std::time::SystemTime;

use crate::text::problem::{Problem, problem};

/// The modification time and the length of a file in bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct FileStamp {
    changed: Option<SystemTime>,
    pub bytes: u64,
}

impl FileStamp {
    /// Returns the current stamp of a file, or the reason why the file cannot be read.
    pub fn of(path: &Path) -> Result<Self, Problem> {
        let meta = std::fs::metadata(path)?;
        // Opening a pipe would block until another process writes to it.
        if !meta.is_file() {
            return Err(problem!("io-not-a-file"));
        }
        Ok(Self::from(&meta))
    }

    /// Returns the stamp of any existing path, or `None` if the path does not exist.
    pub fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().map(Self::from)
    }
}

impl From<&Metadata> for FileStamp {
    fn from(meta: &Metadata) -> Self {
        Self { changed: meta.modified().ok(), bytes: meta.len() }
    }
}
