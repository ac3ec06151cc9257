//! Reads the free space of a file's disk, also for a folder that does not exist yet, and how many files the disk still
//! has room for.
#![allow(unsafe_code)]

use std::path::Path;

/// Returns the number of bytes that the current user can still write to the disk of `path`, or
/// `None` if it is unknown.
pub fn free(path: &Path) -> Option<u64> {
    let stats = stats(path)?;
    #[allow(clippy::useless_conversion, reason = "the types differ from system to system")]
    u64::from(stats.f_bavail).checked_mul(u64::from(stats.f_frsize))
}

/// Returns the number of files that the current user can still create on the disk of `path`, or `None` if the file
/// system has no such limit or it is unknown.
pub fn free_files(path: &Path) -> Option<u64> {
    let stats = stats(path)?;
    #[allow(clippy::useless_conversion, reason = "the types differ from system to system")]
    let (all, free) = (u64::from(stats.f_files), u64::from(stats.f_favail));
    (all > 0).then_some(free)
}

fn stats(path: &Path) -> Option<libc::statvfs> {
    use std::ffi::CString;
    use std::mem::MaybeUninit;
    use std::os::unix::ffi::OsStrExt;

    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    let mut stats = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte, and `stats` has space for the result.
    let failed = unsafe { libc::statvfs(path.as_ptr(), stats.as_mut_ptr()) } != 0;
    if failed {
        return None;
    }
    // SAFETY: the call succeeded, so the result is initialized.
    Some(unsafe { stats.assume_init() })
}

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
