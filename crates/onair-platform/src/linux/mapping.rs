//! Maps memory that another process or a driver writes to.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

/// A mapped, read-only part of a file.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs only to this value, is never lent out mutably, and may be read and
// unmapped from any thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` bytes of an open file, starting at `offset`. The file must have at least that
    /// length: a read past the end of the file would kill the process.
    pub fn of(file: RawFd, length: usize, offset: u32) -> io::Result<Self> {
        // SAFETY: this creates a new mapping of an open descriptor at an address that the system
        // chooses, and the result is checked; an invalid descriptor or offset gives an error.
        let start = unsafe {
            let (read, shared) = (libc::PROT_READ, libc::MAP_SHARED);
            libc::mmap(ptr::null_mut(), length, read, shared, file, offset.into())
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, length })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the beginning of a live mapping of `length` bytes, which lives as long
        // as `self`. The other side writes only on request, and this process reads the memory only
        // afterwards. If the other side wrote at another time, the bytes would be inconsistent, but
        // every byte value is valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is exactly what `of` mapped; it is unmapped once, and nothing borrows from it any
        // more.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        if done != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping memory failed");
        }
    }
}
