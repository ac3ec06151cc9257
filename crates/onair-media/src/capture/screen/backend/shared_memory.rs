//! Memory into which the X server writes frames. The server allocates the memory and passes its
//! descriptor.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use crate::base::Mapping;

/// A mapped segment, read-only.
#[derive(Debug)]
pub(in crate::capture) struct Segment {
    memory: Mapping,
    /// The descriptor, which is kept although the mapping does not need it, so that the checked
    /// size stays valid.
    _descriptor: OwnedFd,
}

/// Returns the length of a memory file in bytes.
pub(in crate::capture) fn length(descriptor: BorrowedFd<'_>) -> io::Result<u64> {
    let mut about = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the descriptor is open, and `about` has room for one `stat`, which may be all zeros.
    let status = unsafe { libc::fstat(descriptor.as_raw_fd(), about.as_mut_ptr()) };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the structure was filled above (and zeroed before).
    Ok(u64::try_from(unsafe { about.assume_init() }.st_size).unwrap_or(0))
}

impl Segment {
    /// Maps `length` bytes of the server's memory.
    pub(in crate::capture) fn map(descriptor: OwnedFd, length: usize) -> io::Result<Self> {
        let held = self::length(descriptor.as_fd())?;
        if length == 0 || held < length as u64 {
            // Reading past the end of a shorter file would terminate the process.
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a segment that is too short",
            ));
        }
        let memory = Mapping::of(descriptor.as_raw_fd(), length, 0)?;
        Ok(Self { memory, _descriptor: descriptor })
    }

    /// Returns the bytes of the segment. The server writes to these bytes only on request, and the
    /// caller must wait for its reply before reading.
    pub(in crate::capture) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }
}
