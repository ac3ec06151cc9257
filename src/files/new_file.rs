//! New files that never overwrite existing ones.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Names tried before giving up.
const MAX_NAMES: u32 = 10_000;

/// `NAME.mp4`, then `NAME-1.mp4`, `NAME-2.mp4`…
fn names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let numbered = (1..MAX_NAMES).map(|number| {
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

/// Creates a file with this name, or with the first free number, and returns its path.
///
/// # Errors
/// If it cannot be created, or all its names are taken.
pub fn create_new(path: &Path) -> io::Result<(File, PathBuf)> {
    for name in names(path) {
        match OpenOptions::new().write(true).create_new(true).open(&name) {
            Ok(file) => return Ok((file, name)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(all_taken())
}

/// Like [`create_new`], but writes to an existing device or pipe of this name.
///
/// # Errors
/// Like [`create_new`].
pub fn create(path: &Path) -> io::Result<(File, PathBuf)> {
    if path.metadata().is_ok_and(|it| !it.is_file()) {
        return File::create(path).map(|file| (file, path.to_owned()));
    }
    create_new(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a show.flv");
        for name in ["a show.flv", "a show-1.flv", "a show-2.flv"] {
            let (_, made) = create_new(&path).unwrap();
            assert_eq!(made, folder.path().join(name));
        }
        // A link that leads nowhere is a name that is taken, too.
        #[cfg(unix)]
        std::os::unix::fs::symlink("nowhere", folder.path().join("a show-3.flv")).unwrap();
        #[cfg(unix)]
        assert_eq!(create(&path).unwrap().1, folder.path().join("a show-4.flv"));
        assert!(create_new(&folder.path().join("no/where.flv")).is_err());
    }

    #[test]
    fn names_have_an_end() {
        let names: Vec<PathBuf> = names(Path::new("/v/a show.png")).collect();
        assert_eq!(names.len(), MAX_NAMES as usize);
        assert_eq!(names.last().unwrap(), Path::new("/v/a show-9999.png"));
    }

    #[cfg(unix)]
    #[test]
    fn a_device_is_written_to() {
        assert_eq!(create(Path::new("/dev/null")).unwrap().1, Path::new("/dev/null"));
        assert!(create(&std::env::temp_dir()).is_err(), "a folder is no file");
    }
}
