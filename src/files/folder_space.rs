//! The free space for files in a folder that may not exist yet.

use std::path::Path;

use crate::files::free_space;

/// Returns the number of bytes that the current user can still write to files in this folder, or
/// `None` if it is unknown. If the folder does not exist, it will be on the disk of the nearest
/// folder above it.
pub fn free_space_for(folder: &Path) -> Option<u64> {
    free_space(folder.ancestors().find(|path| path.is_dir()).unwrap_or(Path::new(".")))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_there_yet_has_the_space_of_its_disk() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space_for(&folder.path().join("not/yet/made")).is_some());
        assert!(free_space_for(Path::new("not-yet-made")).is_some(), "below the current folder");
    }
}
