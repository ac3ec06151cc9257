//! Opens, reads and protects files.
#![allow(unsafe_code)]

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::mem::zeroed;
use std::os::windows::fs::{FileExt as _, OpenOptionsExt as _};
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::Path;

use windows_sys::Win32::Foundation::{
    ERROR_SHARING_VIOLATION, GENERIC_READ, GetLastError, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{
    BY_HANDLE_FILE_INFORMATION, FILE_FLAG_BACKUP_SEMANTICS, FILE_SHARE_DELETE, FILE_SHARE_READ,
    FILE_TYPE_DISK, GetFileInformationByHandle, GetFileType, ReOpenFile,
};

/// The identity of a file or folder, which stays the same if it is renamed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    volume: u32,
    index: u64,
}

impl FileId {
    /// Returns the identity of an open file.
    ///
    /// # Errors
    /// Fails if the system does not know it.
    pub fn of(file: &File) -> io::Result<Self> {
        let about = about(file)?;
        let index = u64::from(about.nFileIndexHigh) << 32 | u64::from(about.nFileIndexLow);
        Ok(Self { volume: about.dwVolumeSerialNumber, index })
    }

    /// Returns the identity of the file or folder at this path.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn at(path: &Path) -> io::Result<Self> {
        // A folder can be opened only with this flag, and no right is needed to ask for the identity.
        let options = OpenOptions::new()
            .access_mode(0)
            .custom_flags(FILE_FLAG_BACKUP_SEMANTICS)
            .open(path)?;
        Self::of(&options)
    }
}

fn about(file: &File) -> io::Result<BY_HANDLE_FILE_INFORMATION> {
    // SAFETY: the structure consists of integers, for which all zero bits are valid.
    let mut about: BY_HANDLE_FILE_INFORMATION = unsafe { zeroed() };
    // SAFETY: the handle is open, and the call writes only the structure.
    match unsafe { GetFileInformationByHandle(file.as_raw_handle(), &raw mut about) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(about),
    }
}

/// Opens a file for reading. Fails for a device or a pipe, such as `CON` or `\\.\pipe\name`, which could
/// wait for ever.
///
/// # Errors
/// Fails if the file cannot be opened, or is no file of a disk.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    // SAFETY: the handle is open.
    match unsafe { GetFileType(file.as_raw_handle()) } {
        FILE_TYPE_DISK => Ok(file),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "a device or a pipe, not a file")),
    }
}

/// Checks that Windows gives a new file this name.
///
/// # Errors
/// Fails with [`ForbiddenName`](crate::ForbiddenName) for the name of a device, such as `nul.mp4`, and other names that
/// are no files.
pub fn check_new_name(path: &Path) -> io::Result<()> {
    if crate::file_name::is_forbidden(path) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, crate::ForbiddenName));
    }
    Ok(())
}

/// Returns false: the pipes of Windows are in no folder.
pub fn is_pipe(_about: &Metadata) -> bool {
    false
}

/// Returns false: the sockets of Windows are in no folder.
pub fn is_socket(_about: &Metadata) -> bool {
    false
}

/// Reads from a position. Other reads of the same file must name their position too.
///
/// # Errors
/// Fails if the file ends before the buffer is full, or cannot be read.
pub fn read_exact_at(file: &File, mut buffer: &mut [u8], mut at: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        match file.seek_read(buffer, at) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => {
                buffer = buffer.get_mut(count..).unwrap_or_default();
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns true if the file is no longer in any folder.
pub fn is_unlinked(file: &File) -> bool {
    about(file).is_ok_and(|about| about.nNumberOfLinks == 0)
}

/// Changes nothing: a new file has the rights of its folder, and others cannot open the folders of a
/// user.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Changes nothing: see [`private`].
///
/// # Errors
/// Never fails on this system.
pub fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Changes nothing: see [`private`].
///
/// # Errors
/// Never fails on this system.
pub fn make_folder_private(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Creates a folder and those above it, with the rights of the folder above them.
///
/// # Errors
/// Fails if a folder cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

/// Returns true if this or another program has the file open for writing. Since new files have no locks (see
/// [`refuse_readers`]), this is how an unfinished recording is known.
pub fn is_written_elsewhere(file: &File) -> bool {
    let share = FILE_SHARE_READ | FILE_SHARE_DELETE;
    // SAFETY: the handle is open. The new one, if any, has no other owner.
    unsafe {
        let again = ReOpenFile(file.as_raw_handle(), GENERIC_READ, share, 0);
        if again == INVALID_HANDLE_VALUE {
            return GetLastError() == ERROR_SHARING_VIOLATION;
        }
        drop(OwnedHandle::from_raw_handle(again));
    }
    false
}

/// Returns true: the locks of Windows refuse reading too.
pub fn refuse_readers(_file: &File) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_being_written_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        let writer = File::create(&path).unwrap();
        let reader = File::open(&path).unwrap();
        assert!(is_written_elsewhere(&reader));
        drop(writer);
        assert!(!is_written_elsewhere(&reader));
    }

    #[test]
    fn devices_are_no_files() {
        assert!(open_without_waiting(Path::new("NUL")).is_err());
        assert!(check_new_name(Path::new("nul.mp4")).is_err());
        check_new_name(Path::new(r"C:\shows\a.mp4")).unwrap();
    }
}
