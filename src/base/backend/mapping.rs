//! Memory that another process or a driver writes into.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;
use std::ptr::{self, NonNull};

/// A part of a file, mapped; read only.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the mapping belongs to this value alone, is never handed out mutably, and may be read and
// unmapped from any thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Maps `length` bytes of an open file from `offset`. The file must be that long: a read past
    /// its end would end the process.
    pub fn of(file: RawFd, length: usize, offset: u32) -> io::Result<Self> {
        // SAFETY: a new mapping of an open descriptor at an address of the system's choice, whose result
        // is looked at; a descriptor or an offset that is none is an error.
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
        // SAFETY: `start` is the beginning of a live mapping of `length` bytes, which lives as long as
        // `self`. The other side writes only while it is asked to, and it is read only after that; were
        // it to break that, the bytes would be torn, of which any value is valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `of` mapped, unmapped once; nothing borrows from it any more.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        if done != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping memory");
        }
    }
}
