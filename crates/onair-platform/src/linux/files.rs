//! Opens, reads and protects files.
#![allow(unsafe_code)]

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _,
    PermissionsExt as _,
};
use std::path::Path;

/// The identity of a file or folder, which stays the same if it is renamed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// Returns the identity of an open file.
    ///
    /// # Errors
    /// Fails if the system does not know it.
    pub fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|data| Self::of_metadata(&data))
    }

    /// Returns the identity of the file or folder at this path.
    ///
    /// # Errors
    /// Fails if there is none.
    pub fn at(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|data| Self::of_metadata(&data))
    }

    fn of_metadata(data: &Metadata) -> Self {
        Self { device: data.dev(), inode: data.ino() }
    }
}

/// Opens a file for reading. Does not wait for the other end of a pipe.
///
/// # Errors
/// Fails if the file cannot be opened.
pub fn open_without_waiting(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)
}

/// Succeeds: files can have all names.
///
/// # Errors
/// Never fails on this system.
pub fn check_new_name(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Returns true if this is a named pipe.
pub fn is_pipe(about: &Metadata) -> bool {
    about.file_type().is_fifo()
}

/// Returns true if this is a socket.
pub fn is_socket(about: &Metadata) -> bool {
    about.file_type().is_socket()
}

/// Reads from a position, without moving the position of the file.
///
/// # Errors
/// Fails if the file ends before the buffer is full, or cannot be read.
pub fn read_exact_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<()> {
    file.read_exact_at(buffer, at)
}

/// Returns true if the file is no longer in any folder.
pub fn is_unlinked(file: &File) -> bool {
    file.metadata().is_ok_and(|data| data.nlink() == 0)
}

/// Makes a file that is created with these options private: only its owner can open it.
pub fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Makes a file private: only its owner can open it.
///
/// # Errors
/// Fails if the system refuses it.
pub fn make_private(file: &File) -> io::Result<()> {
    match file.metadata()?.mode() & 0o077 {
        0 => Ok(()),
        _ => file.set_permissions(Permissions::from_mode(0o600)),
    }
}

/// Makes a folder private: only its owner can open it.
///
/// # Errors
/// Fails if the system refuses it.
pub fn make_folder_private(folder: &Path) -> io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Creates a folder and those above it. Only their owner can open them.
///
/// # Errors
/// Fails if a folder cannot be created.
pub fn create_private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Returns false: locks say it.
pub fn is_written_elsewhere(_file: &File) -> bool {
    false
}

/// Returns true if nothing can read a locked file of this file system. This is a share of an SMB
/// server (flock(2), "CIFS details").
pub fn refuse_readers(file: &File) -> bool {
    use std::mem::MaybeUninit;
    use std::os::fd::AsRawFd;

    /// `SMB_SUPER_MAGIC`, `CIFS_SUPER_MAGIC` and `SMB2_SUPER_MAGIC` in `linux/magic.h`.
    const SMB_FILE_SYSTEMS: [u32; 3] = [0x517b, 0xff53_4d42, 0xfe53_4d42];
    let mut stats = MaybeUninit::<libc::statfs>::uninit();
    // SAFETY: the descriptor is open, and `stats` has space for the result.
    let failed = unsafe { libc::fstatfs(file.as_raw_fd(), stats.as_mut_ptr()) } != 0;
    if failed {
        return false;
    }
    // SAFETY: the call succeeded, so the result is initialized.
    let stats = unsafe { stats.assume_init() };
    SMB_FILE_SYSTEMS.contains(&(stats.f_type as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_file_has_the_mode_of_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/key");
        create_private_folder(path.parent().unwrap()).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("a/b")), 0o700);
        let file = private(OpenOptions::new().write(true).create_new(true)).open(&path).unwrap();
        assert_eq!(mode(&path), 0o600);
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        make_private(&file).unwrap();
        assert_eq!(mode(&path), 0o600);
    }

    #[test]
    fn a_renamed_file_keeps_its_identity() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| folder.path().join(name));
        let file = File::create(&old).unwrap();
        let id = FileId::at(&old).unwrap();
        std::fs::rename(&old, &new).unwrap();
        std::fs::write(&old, "another").unwrap();
        assert_eq!((FileId::of(&file).unwrap(), FileId::at(&new).unwrap()), (id, id));
        assert_ne!(FileId::at(&old).unwrap(), id);
        assert!(FileId::at(&folder.path().join("none")).is_err());
        assert!(!is_unlinked(&file));
        std::fs::remove_file(&new).unwrap();
        assert!(is_unlinked(&file));
    }
}
