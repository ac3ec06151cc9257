//! New files that never overwrite existing ones.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::trouble::change_error;
use crate::platform::files::{check_new_name, refuse_readers};

/// Maximum number of names that are tried.
const MAX_NAME_ATTEMPTS: u32 = 10_000;
/// A younger empty file may be unlocked because another program is only just creating it.
const MIN_ABANDONED_AGE: Duration = Duration::from_mins(1);

/// Returns the path of a new file in `folder`, named after the local time.
pub fn new_path(folder: &Path, what: &str, extension: &str) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y-%m-%d %H-%M-%S").to_string();
    folder.join(format!("{what} {time}.{extension}"))
}

/// Returns the possible names of a new file: `NAME.mp4`, then `NAME-1.mp4`, `NAME-2.mp4`, and so
/// on.
pub fn numbered_names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let numbered = (1..MAX_NAME_ATTEMPTS).map(|number| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        if let Some(extension) = path.extension() {
            name.push(".");
            name.push(extension);
        }
        path.with_file_name(name)
    });
    std::iter::once(path.to_owned()).chain(numbered)
}

fn all_taken() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "all its names are taken")
}

/// Locks a new file until it is closed, so that nothing repairs or copies an unfinished file. The
/// file stays unlocked if its file system has no locks, or if players could not read a locked file.
fn lock_new(file: &File) {
    if !refuse_readers(file) {
        let _ = file.try_lock();
    }
}

/// Creates a file with this name, or with the first free number, and returns its path. The file is
/// locked until it is closed ([`MediaFile::is_being_written`](super::MediaFile::is_being_written)).
///
/// # Errors
/// Fails if the file cannot be created, or if all its names are taken.
pub fn create_new(path: &Path) -> io::Result<(File, PathBuf)> {
    check_new_name(path)?;
    for name in numbered_names(path) {
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(file) => {
                lock_new(&file);
                return Ok((file, name));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(change_error(path, error)),
        }
    }
    Err(all_taken())
}

/// Removes a file that an interrupted program left behind. The file stays if it is locked, if it is
/// new and empty, and where new files are not locked.
pub fn remove_abandoned(path: &Path) {
    if let Ok(file) = OpenOptions::new().write(true).open(path)
        && !refuse_readers(&file)
        && (file.metadata().is_ok_and(|it| it.len() > 0) || is_old(&file))
        && file.try_lock().is_ok()
    {
        // Another name is used if the file stays.
        let _ = fs::remove_file(path);
    }
}

fn is_old(file: &File) -> bool {
    let modified = file.metadata().and_then(|it| it.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age >= MIN_ABANDONED_AGE))
}

/// Creates a file like [`create_new`], but opens an existing device or pipe of this name for
/// writing.
///
/// # Errors
/// Fails with the same errors as [`create_new`].
pub fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    check_new_name(path)?;
    if path.metadata().is_ok_and(|it| !it.is_file()) {
        return File::create(path).map(|file| (file, path.to_owned()));
    }
    create_new(path)
}

/// Renames a file within its folder, and never overwrites an existing file.
///
/// # Errors
/// Fails if a file of that name exists ([`io::ErrorKind::AlreadyExists`]), or if the system
/// refuses.
pub fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => fs::remove_file(from),
        Err(error) => match error.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound => Err(error),
            _ if to.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
            // A file system without hard links, such as on a memory card.
            _ => fs::rename(from, to),
        },
    }
}

/// Renames a file like [`rename_new`], to the first free numbered name, and returns the new path.
///
/// # Errors
/// Fails if the system refuses, or if all names are taken.
pub fn rename_numbered(from: &Path, to: &Path) -> io::Result<PathBuf> {
    for name in numbered_names(to) {
        match rename_new(from, &name) {
            Ok(()) => return Ok(name),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(all_taken())
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn names_that_are_taken_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a show.flv");
        for name in ["a show.flv", "a show-1.flv", "a show-2.flv"] {
            let (_, made) = create_new(&path).unwrap();
            assert_eq!(made, folder.path().join(name));
        }
        // The name of a broken symbolic link is taken, too.
        std::os::unix::fs::symlink("nowhere", folder.path().join("a show-3.flv")).unwrap();
        assert_eq!(create(&path).unwrap().1, folder.path().join("a show-4.flv"));
        assert!(create_new(&folder.path().join("no/where.flv")).is_err());
    }

    #[test]
    fn a_file_that_another_program_is_about_to_lock_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a copy");
        let file = File::create(&path).unwrap();
        remove_abandoned(&path);
        assert!(path.exists());
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        remove_abandoned(&path);
        assert!(!path.exists());
        fs::write(&path, "a part of the copy").unwrap();
        remove_abandoned(&path);
        assert!(!path.exists(), "the program that wrote this is gone");
    }

    #[test]
    fn names_have_an_end() {
        let names: Vec<PathBuf> = numbered_names(Path::new("/v/a show.png")).collect();
        assert_eq!(names.len(), MAX_NAME_ATTEMPTS as usize);
        assert_eq!(names.last().unwrap(), Path::new("/v/a show-9999.png"));
    }

    #[test]
    fn a_device_is_written_to() {
        assert_eq!(create(Path::new("/dev/null")).unwrap().1, Path::new("/dev/null"));
        assert!(create(&std::env::temp_dir()).is_err(), "a folder is no file");
    }

    #[test]
    fn a_renamed_file_replaces_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, three] = ["one", "two", "three"].map(|name| folder.path().join(name));
        fs::write(&one, "1").unwrap();
        fs::write(&two, "2").unwrap();
        assert_eq!(rename_new(&one, &two).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        rename_new(&one, &three).unwrap();
        assert_eq!(
            (one.exists(), fs::read(&two).unwrap(), fs::read(&three).unwrap()),
            (false, b"2".to_vec(), b"1".to_vec())
        );
        assert_eq!(rename_numbered(&three, &two).unwrap(), folder.path().join("two-1"));
        assert_eq!(
            rename_new(&one, &folder.path().join("four")).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}
