//! Detects changes of a file without reading it, and reads files that the user names. A pipe whose other end stays silent
//! would block forever, so waiting for it has a time limit.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::base::Worker;
use crate::base::queue::{self, Full};
use crate::platform::files;
use crate::text::problem::{Problem, problem};

/// The time limit for a pipe, for example of a program that asks for a password.
const PIPE_TIMEOUT: Duration = Duration::from_secs(60);

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

/// Opens a file that is read more than once, so that it cannot be a pipe or a socket.
///
/// # Errors
/// Fails if the path cannot be opened, or is a pipe or a socket.
pub fn open_lasting(path: &Path) -> io::Result<File> {
    let file = files::open_without_waiting(path)?;
    let about = file.metadata()?;
    match files::is_pipe(&about) || files::is_socket(&about) {
        true => Err(io::Error::new(io::ErrorKind::InvalidInput, "a pipe, not a regular file")),
        false => Ok(file),
    }
}

/// Opens and reads a file that may also be a pipe, which then must end in time.
///
/// # Errors
/// Fails if the file cannot be opened or read, or if the other end of a pipe stays silent.
pub fn read_with<T: Send + 'static>(
    path: &Path,
    read: impl FnOnce(File) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    read_within(path, read, PIPE_TIMEOUT)
}

fn read_within<T: Send + 'static>(
    path: &Path,
    read: impl FnOnce(File) -> io::Result<T> + Send + 'static,
    limit: Duration,
) -> io::Result<T> {
    if path.metadata()?.is_file() {
        return read(File::open(path)?);
    }
    let (sender, result) = queue::bounded("pipe", 1, Full::Block);
    let path = path.to_owned();
    // The thread may wait until the program ends. Nobody waits for a pipe that comes too late.
    let _reader = Worker::spawn("read-pipe", move |_| {
        let _ = sender.send(File::open(path).and_then(read));
    })?;
    result.recv_timeout(limit).unwrap_or_else(|_| {
        let why = format!("no data from this pipe in {} s", limit.as_secs());
        Err(io::Error::new(io::ErrorKind::TimedOut, why))
    })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::process::Command;

    use super::*;

    fn text(mut file: File) -> io::Result<String> {
        let mut text = String::new();
        file.read_to_string(&mut text).map(|_| text)
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_read_if_the_other_end_writes_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let [file, pipe, live] = ["file", "pipe", "live"].map(|name| folder.path().join(name));
        std::fs::write(&file, "words").unwrap();
        assert!(Command::new("mkfifo").args([&pipe, &live]).status().unwrap().success());
        assert_eq!(read_with(&file, text).unwrap(), "words");
        assert_eq!(text(open_lasting(&file).unwrap()).unwrap(), "words");
        assert!(open_lasting(&pipe).is_err(), "without waiting");
        let silent = read_within(&pipe, text, Duration::from_millis(1)).unwrap_err();
        assert_eq!(silent.kind(), io::ErrorKind::TimedOut);
        let writer = live.clone();
        let write = move |_: &_| std::fs::write(writer, "words").unwrap();
        let writer = Worker::spawn("writer", write).unwrap();
        assert_eq!(read_with(&live, text).unwrap(), "words");
        writer.join(PIPE_TIMEOUT).unwrap();
        assert!(read_with(&folder.path().join("none"), text).is_err());
        assert!(read_with(folder.path(), text).is_err());
    }
}
