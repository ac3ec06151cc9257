//! New files where there may be others already: none is written over.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Names tried before giving up.
const MOST_NAMES: u32 = 10_000;

/// `NAME.mp4`, then `NAME-1.mp4`, `NAME-2.mp4`…
fn names(path: &Path) -> impl Iterator<Item = PathBuf> {
    let numbered = (1..MOST_NAMES).map(|number| {
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

/// The first of these names that nothing has.
///
/// # Errors
/// When all of them are taken.
pub fn free_name(path: &Path) -> io::Result<PathBuf> {
    free_but(path, |name| name.symlink_metadata().is_ok())
}

fn free_but(path: &Path, taken: impl Fn(&Path) -> bool) -> io::Result<PathBuf> {
    names(path).find(|name| !taken(name)).ok_or_else(all_taken)
}

fn all_taken() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "all its names are taken")
}

/// Makes a file of this name, or of the first with a number that is free; and says which that is.
///
/// # Errors
/// When it cannot be made, or all its names are taken.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_taken_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a show.flv");
        assert_eq!(free_name(&path).unwrap(), path);
        for name in ["a show.flv", "a show-1.flv", "a show-2.flv"] {
            let (_, made) = create_new(&path).unwrap();
            assert_eq!(made, folder.path().join(name));
        }
        assert_eq!(free_name(&path).unwrap(), folder.path().join("a show-3.flv"));
        assert!(create_new(&folder.path().join("no/where.flv")).is_err());
    }

    #[test]
    fn where_all_names_are_taken_there_is_none() {
        let tried = std::cell::RefCell::new(Vec::new());
        let none = free_but(Path::new("/v/a show.png"), |name| {
            tried.borrow_mut().push(name.to_owned());
            true
        });
        assert_eq!(none.unwrap_err().to_string(), "all its names are taken");
        let tried = tried.into_inner();
        assert_eq!(tried.len(), MOST_NAMES as usize);
        assert_eq!(tried.last().unwrap(), Path::new("/v/a show-9999.png"));
    }
}
