//! Checks whether a recording can begin at a path.

use std::path::{Path, PathBuf};

use crate::broadcast::recorder::file::{Error, File};
use crate::files::{self, Trouble, disk_space};
use crate::wire::container::{Format, Tracks};

/// Tests whether a recording could begin at `path`, by starting one, and leaves no file behind.
///
/// # Errors
/// Fails with the reason why a recording could not begin.
pub fn try_out(path: &Path) -> Result<(), Error> {
    let format = Format::of_path(path).ok_or_else(|| Error::of(path, Trouble::Format))?;
    // Folders that are created only for the file are removed with it.
    let missing = path.ancestors().skip(1).take_while(|it| !it.exists()).map(Path::to_owned);
    let missing: Vec<PathBuf> = missing.filter(|it| !it.as_os_str().is_empty()).collect();
    let tried = File::create(path, format, &Tracks::default()).and_then(|file| {
        let room = enough_room(file.path(), 0);
        file.remove();
        room
    });
    for folder in missing {
        let _ = std::fs::remove_dir(folder);
    }
    tried
}

/// Checks whether the disk has enough space to begin a recording.
pub(super) fn enough_room(path: &Path, index: u64) -> Result<(), Error> {
    match files::free_space(path) {
        Some(free) if free < disk_space::reserve(index) => {
            tracing::info!(free, "too little free space for a new file");
            Err(Error::of(path, Trouble::Full))
        }
        _ => Ok(()),
    }
}
