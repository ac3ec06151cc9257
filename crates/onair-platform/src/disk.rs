//! The free space of a disk, also for a folder that does not exist yet, and how many files the disk still has
//! room for.

use std::path::Path;

pub use crate::system::disk::{free, free_files};

/// Returns the number of bytes that the current user can still write to files in this folder, or
/// `None` if it is unknown. If the folder does not exist, it will be on the disk of the nearest
/// folder above it.
pub fn free_for(folder: &Path) -> Option<u64> {
    free(folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new(".")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_room_and_what_is_not_there_has_none() {
        assert!(free(&std::env::temp_dir()).is_some());
        assert_eq!(free(Path::new("/no/such/place")), None);
        // Not every file system counts its files.
        assert!(free_files(&std::env::temp_dir()).is_none_or(|free| free > 0));
        assert_eq!(free_files(Path::new("/no/such/place")), None);
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_space_of_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_for(&folder.path().join("not/yet/made")).is_some());
        assert!(free_for(Path::new("not-yet-made")).is_some(), "below the current folder");
    }
}
