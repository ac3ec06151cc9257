//! Reads the settings files with a size limit, and replaces them atomically.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::base::FileStamp;
use crate::base::file_stamp::open_lasting;
use crate::files::{numbered_names, rename_numbered};
use crate::studio::settings::reading::syntax;
use crate::text::Problem;

/// Maximum size of a valid settings file in bytes. A collection with a playlist of 200 files in each
/// of its 64 sources has more than a megabyte.
const MAX_SETTINGS_BYTES: u64 = 8 << 20;
/// Maximum number of links that are followed, as in Linux.
const MAX_LINKS: usize = 40;

pub fn read_bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open_lasting(path)?.take(MAX_SETTINGS_BYTES + 1).read_to_string(&mut text)?;
    check_size(&text)?;
    Ok(text)
}

/// Reads a file to import, but no pipe or device, because reading it may never end.
pub fn read_import(path: &Path) -> Result<String, Problem> {
    FileStamp::of(path)?;
    read_bounded(path).map_err(|error| syntax::unreadable(&error))
}

fn check_size(text: &str) -> io::Result<()> {
    match text.len() as u64 > MAX_SETTINGS_BYTES {
        true => Err(io::Error::other("it is far too large")),
        false => Ok(()),
    }
}

/// Replaces a file, and creates its folder.
pub fn put(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    replace(path, text)
}

pub fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// Returns the file that symbolic links lead to, which may not exist yet, or the path itself.
///
/// # Errors
/// Fails if the links lead nowhere, for example because a disk is not mounted.
pub fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut file = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&file) else { break };
        file = folder_of(&file).join(target);
        folder_of(&file).metadata()?;
    }
    if file.is_symlink() { fs::canonicalize(path) } else { Ok(file) }
}

/// Replaces a file atomically, so that a reader sees the old or the new content. A symbolic link
/// stays a link, and the file that it leads to is replaced. A text that could not be read again
/// replaces nothing.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    check_size(text)?;
    write_atomically(&resolved(path)?, text.as_bytes())
}

fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Keeps a copy of an edited file that is not valid, so that nothing is lost. The copy is next to the
/// file, has this suffix, and a number if there is one already. A file without read permission is
/// renamed instead.
pub fn keep_broken(path: &Path, suffix: &str, is_valid: fn(&str) -> bool) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(suffix);
    match read_bounded(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(text) if is_valid(&text) => return Ok(()),
        Err(error) if !path.is_file() => return Err(error),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return rename_numbered(path, Path::new(&beside)).map(drop);
        }
        _ => {}
    }
    let bytes = fs::read(path)?;
    for name in numbered_names(Path::new(&beside)) {
        match fs::read(&name) {
            Ok(kept) if kept == bytes => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return write_atomically(&name, &bytes);
            }
            _ => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

#[cfg(test)]
mod tests {
    #[cfg(unix)]
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_written_can_be_read_again_and_the_rest_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let large = "#".repeat(2 << 20);
        put(&path, &large).unwrap();
        assert!(put(&path, &"#".repeat(9 << 20)).is_err());
        assert_eq!(read_bounded(&path).unwrap().len(), large.len());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("settings.toml");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(read_bounded(&pipe).unwrap_err().to_string().contains("pipe"));
        assert!(keep_broken(&pipe, ".broken", |_| false).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) =
            (folder.path().join("dotfiles/onair.toml"), folder.path().join("settings.toml"));
        put(&file, "old").unwrap();
        symlink("dotfiles/onair.toml", &link).unwrap();
        put(&link, "new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(read_bounded(&file).unwrap(), "new");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_whose_file_is_missing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("settings.toml");
        let link_to = |target: &str, name: &str| symlink(target, folder.path().join(name)).unwrap();
        link_to("other.toml", "settings.toml");
        link_to("disk/onair.toml", "other.toml");
        link_to("endless.toml", "endless.toml");
        assert!(put(&folder.path().join("endless.toml"), "new").is_err());
        // The disk is not mounted.
        assert!(put(&link, "new").is_err());
        fs::create_dir(folder.path().join("disk")).unwrap();
        put(&link, "new").unwrap();
        assert!(link.is_symlink() && folder.path().join("other.toml").is_symlink());
        assert_eq!(read_bounded(&folder.path().join("disk/onair.toml")).unwrap(), "new");
    }
}
