//! The lock that allows only one writer per settings file. It locks a file next to the settings
//! file. The system releases the lock when its holder ends, even after a crash. Without the lock,
//! onair only reads the settings.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::platform::files::private;
use crate::studio::settings::disk::folder_of;

/// Interval between retries while waiting for the lock.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The lock, which is held until this value is dropped.
#[derive(Debug)]
pub struct SettingsLock {
    /// `None` if the file system has no locks.
    _file: Option<File>,
}

/// The result of claiming the lock.
#[derive(Debug)]
pub enum Claimed {
    Ours(SettingsLock),
    /// Held by another process, with this id if it is known.
    Theirs(Option<u32>),
}

fn place(settings: &Path) -> PathBuf {
    let mut name = settings.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    settings.with_file_name(name)
}

impl SettingsLock {
    /// Claims the lock, and waits for at most `limit`.
    ///
    /// # Errors
    /// Fails if the lock file cannot be created, in which case the settings cannot be written
    /// either.
    pub fn claim(settings: &Path, limit: Duration) -> io::Result<Claimed> {
        let path = place(settings);
        std::fs::create_dir_all(folder_of(&path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = private(&mut options).open(&path)?;
        let begin = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => {
                    // The process id is only for users, and for the message of a second start.
                    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                    return Ok(Claimed::Ours(Self { _file: Some(file) }));
                }
                Err(TryLockError::WouldBlock) if begin.elapsed() < limit => {
                    std::thread::sleep(POLL_INTERVAL);
                }
                Err(TryLockError::WouldBlock) => return Ok(Claimed::Theirs(holder(&mut file))),
                Err(TryLockError::Error(error)) => {
                    tracing::warn!(%error, "file locks are not available: saving the settings without a lock");
                    return Ok(Claimed::Ours(Self { _file: None }));
                }
            }
        }
    }
}

fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_program_holds_the_lock_and_the_next_learns_which() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("settings.toml");
        let Claimed::Ours(first) = SettingsLock::claim(&path, Duration::ZERO).unwrap() else {
            panic!("nobody has it")
        };
        let begin = Instant::now();
        let second = SettingsLock::claim(&path, Duration::from_millis(200)).unwrap();
        let Claimed::Theirs(holder) = second else { panic!("it is held") };
        assert_eq!(holder, Some(std::process::id()));
        assert!(begin.elapsed() >= Duration::from_millis(200));
        drop(first);
        assert!(matches!(SettingsLock::claim(&path, Duration::ZERO).unwrap(), Claimed::Ours(_)));
        // Old content of the file is ignored if nothing holds the lock.
        std::fs::write(place(&path), "nonsense \u{1F600} and more than a number").unwrap();
        assert!(matches!(SettingsLock::claim(&path, Duration::ZERO).unwrap(), Claimed::Ours(_)));
    }
}
