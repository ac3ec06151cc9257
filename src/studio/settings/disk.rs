//! Reads the settings files with a size limit, and replaces them atomically.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;

/// Maximum size of a valid settings file in bytes.
const MAX_SETTINGS_BYTES: u64 = 1 << 20;

pub(super) fn read_bounded(path: &Path) -> io::Result<String> {
    let file = fs::File::open(path)?;
    let mut text = String::new();
    file.take(MAX_SETTINGS_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SETTINGS_BYTES {
        return Err(io::Error::other("it is far too large"));
    }
    Ok(text)
}

/// Replaces a file, and creates its folder.
pub(super) fn put(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(folder_of(path))?;
    replace(path, text)
}

pub(super) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or_else(|| Path::new("."))
}

/// Replaces a file atomically, so that a reader sees the old or the new content. A symbolic link
/// stays a link, and the file that it leads to is replaced.
pub(super) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut file = tempfile::NamedTempFile::new_in(folder_of(&path))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_link_stays_and_its_file_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) =
            (folder.path().join("dotfiles/onair.toml"), folder.path().join("settings.toml"));
        put(&file, "old").unwrap();
        std::os::unix::fs::symlink("dotfiles/onair.toml", &link).unwrap();
        put(&link, "new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(read_bounded(&file).unwrap(), "new");
    }
}
