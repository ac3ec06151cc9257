//! Finds file systems whose locks also refuse reading.
#![allow(unsafe_code)]

use std::fs::File;

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
