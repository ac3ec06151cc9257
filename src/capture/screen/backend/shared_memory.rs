//! Memory that the X server writes pictures into: the server makes it and hands over its descriptor.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

/// A mapped segment; read only.
#[derive(Debug)]
pub(in crate::capture) struct Segment {
    start: NonNull<u8>,
    length: usize,
    /// The mapping outlives the descriptor; kept so that the size can be trusted to be looked at.
    _descriptor: OwnedFd,
}

/// How many bytes a file of memory has.
pub(in crate::capture) fn length(descriptor: BorrowedFd<'_>) -> io::Result<u64> {
    let mut about = std::mem::MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: the descriptor is open and `about` has room for one `stat`, which all zeros are.
    let told = unsafe { libc::fstat(descriptor.as_raw_fd(), about.as_mut_ptr()) };
    if told != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: filled above (and zeroed before).
    Ok(u64::try_from(unsafe { about.assume_init() }.st_size).unwrap_or(0))
}

// SAFETY: the mapping belongs to this value alone, is never handed out mutably, and may be read and
// unmapped from any thread.
unsafe impl Send for Segment {}

impl Segment {
    /// Maps `length` bytes of what the server gave.
    pub(in crate::capture) fn map(descriptor: OwnedFd, length: usize) -> io::Result<Self> {
        let held = self::length(descriptor.as_fd())?;
        if length == 0 || held < length as u64 {
            // Reading past the end of a file that is shorter would end the process.
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a segment that is too short",
            ));
        }
        // SAFETY: a new mapping of an open descriptor at an address of the system's choice; the
        // result is looked at before it is used.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ,
                libc::MAP_SHARED,
                descriptor.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, length, _descriptor: descriptor })
    }

    /// Copies the first bytes out. The server may write meanwhile where it is asked to; the caller
    /// asks and waits for its answer first.
    pub(in crate::capture) fn read(&self, length: usize) -> &[u8] {
        // SAFETY: `start` is the beginning of a live mapping of `self.length` bytes, which lives as
        // long as `self`. The server writes into it only between a request and its reply, and the
        // one owner of this value asks and waits before it reads; a hostile server could break
        // that, and what would come of it are torn pixels, plain bytes of which any value is valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), length.min(self.length)) }
    }

    pub(in crate::capture) fn length(&self) -> usize {
        self.length
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, unmapped once; nothing borrows from it any more.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        if done != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping a screen's memory");
        }
    }
}
