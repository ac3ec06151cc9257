//! Reads the free space of a disk, and how many files it still has room for (statvfs(3)).
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
