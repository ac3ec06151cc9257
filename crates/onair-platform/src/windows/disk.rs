//! Reads the free space of a disk.
#![allow(unsafe_code)]

use std::path::Path;
use std::ptr;

use windows_sys::Win32::Storage::FileSystem::GetDiskFreeSpaceExW;

use crate::system::wide;

/// Returns the number of bytes that the current user can still write to the disk of `path`, or
/// `None` if it is unknown.
pub fn free(path: &Path) -> Option<u64> {
    // The call takes only folders.
    let folder = if path.is_dir() { path } else { path.parent()? };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut bytes = 0;
    // SAFETY: the path ends with a zero, and the call writes one integer.
    let failed = unsafe {
        GetDiskFreeSpaceExW(
            wide(folder.as_os_str()).as_ptr(),
            &raw mut bytes,
            ptr::null_mut(),
            ptr::null_mut(),
        )
    } == 0;
    (path.exists() && !failed).then_some(bytes)
}

/// Returns `None`: the file systems of Windows have no limit of files.
pub fn free_files(_path: &Path) -> Option<u64> {
    None
}
