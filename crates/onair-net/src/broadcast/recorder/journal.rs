//! A journal of open recordings. With the journal, onair repairs interrupted recordings at its next
//! start. Each recording has a small file in the user's state folder, which contains the
//! recording's path and is locked while the recording is open. If the lock is free, the process
//! that wrote the recording has ended.

use std::fs::{self, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::platform::names;

/// Maximum length of a valid path in bytes.
const MAX_PATH_BYTES: u64 = 64 << 10;
/// Maximum number of entries that are read.
const MAX_ENTRIES: usize = 1_000;
const JOURNAL_EXTENSION: &str = "recording";

/// An entry for an open recording. The entry remains if onair is killed.
#[derive(Debug)]
pub struct Entry {
    /// The file, which is locked until this entry is dropped.
    _file: fs::File,
    path: PathBuf,
    recording: PathBuf,
}

impl Entry {
    /// Adds an entry to `folder` for `recording`.
    ///
    /// # Errors
    /// Fails if the folder is not writable.
    pub fn create(folder: &Path, recording: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let recording = std::path::absolute(recording)?;
        // The file is locked before it gets its name.
        let mut named = tempfile::Builder::new().prefix(".new-").tempfile_in(folder)?;
        named.write_all(&to_bytes(&recording))?;
        named.as_file().lock()?;
        let unique = named.path().file_name().unwrap_or_default().to_string_lossy();
        let unique = unique.trim_start_matches(".new-");
        let path = folder.join(format!("{}-{unique}.{JOURNAL_EXTENSION}", std::process::id()));
        let file = named.persist_noclobber(&path).map_err(|error| error.error)?;
        Ok(Self { _file: file, path, recording })
    }

    /// Returns the path of the recording.
    pub fn recording(&self) -> &Path {
        &self.recording
    }

    /// Removes the entry, because the recording is complete or cannot be repaired.
    pub fn done(self) {
        // It does not matter if the file is already gone.
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the recordings in `folder` whose processes have ended.
pub fn unfinished(folder: &Path) -> Vec<Entry> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let paths = files.take(MAX_ENTRIES).filter_map(|file| Some(file.ok()?.path()));
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == JOURNAL_EXTENSION))
        .filter_map(|path| open(path).ok().flatten())
        .collect()
}

/// Opens an entry. Returns `None` if its process is still running, or if the file is not an entry.
fn open(path: PathBuf) -> io::Result<Option<Entry>> {
    let file = fs::OpenOptions::new().read(true).write(true).open(&path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let mut bytes = Vec::new();
    (&file).take(MAX_PATH_BYTES).read_to_end(&mut bytes)?;
    let recording = from_bytes(bytes);
    if recording.is_absolute() {
        return Ok(Some(Entry { _file: file, path, recording }));
    }
    // The file is not a journal entry.
    Ok(None)
}

fn to_bytes(path: &Path) -> Vec<u8> {
    names::bytes(path.as_os_str()).to_vec()
}

fn from_bytes(bytes: Vec<u8>) -> PathBuf {
    names::of_bytes(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_at_work_is_left_alone_and_what_is_left_behind_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        assert!(unfinished(&state).is_empty());
        let first = Entry::create(&state, &folder.path().join("a.mp4")).unwrap();
        let second = Entry::create(&state, &folder.path().join("b\n.mkv")).unwrap();
        assert!(unfinished(&state).is_empty(), "both are being written");
        drop(second);
        let left = unfinished(&state);
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].recording(), folder.path().join("b\n.mkv"));
        left.into_iter().for_each(Entry::done);
        first.done();
        assert_eq!(fs::read_dir(&state).unwrap().count(), 0);
    }

    #[test]
    fn other_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("x.recording"), "no absolute path").unwrap();
        fs::write(folder.path().join("x.txt"), "/a/b").unwrap();
        fs::create_dir(folder.path().join("y.recording")).unwrap();
        assert!(unfinished(folder.path()).is_empty());
    }
}
