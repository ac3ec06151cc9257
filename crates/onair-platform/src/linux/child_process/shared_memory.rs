//! Memory that this process fills and a helper process reads.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};

/// Memory that two processes have mapped. Its size is sealed, so neither process can make the other
/// one read past the end. Only the process that created the memory can map it for writing.
#[derive(Debug)]
pub struct SharedMemory {
    start: NonNull<u8>,
    length: usize,
    file: OwnedFd,
}

// SAFETY: the mapping belongs only to this value, is never lent out, and may be written and
// unmapped from any thread.
unsafe impl Send for SharedMemory {}

impl SharedMemory {
    /// Creates memory of this length, which must not be 0.
    ///
    /// # Errors
    /// Fails if the system has no such memory left.
    pub fn new(length: usize) -> io::Result<Self> {
        // SAFETY: the name ends with a zero; the result is checked.
        let file = unsafe {
            libc::memfd_create(
                c"onair-frames".as_ptr(),
                libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING,
            )
        };
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new and has no other owner.
        let file = unsafe { OwnedFd::from_raw_fd(file) };
        let size = libc::off_t::try_from(length).map_err(io::Error::other)?;
        // SAFETY: plain calls on an open descriptor; the address is chosen by the system, and every
        // result is checked.
        let start = unsafe {
            let raw = file.as_raw_fd();
            let fixed = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW;
            if libc::ftruncate(raw, size) != 0 || libc::fcntl(raw, libc::F_ADD_SEALS, fixed) != 0 {
                return Err(io::Error::last_os_error());
            }
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let start = libc::mmap(ptr::null_mut(), length, access, libc::MAP_SHARED, raw, 0);
            if start == libc::MAP_FAILED {
                return Err(io::Error::last_os_error());
            }
            // Kernels before 5.1 do not have this seal. Without it, the helper could change only
            // frames, which this process does not read.
            let last = libc::F_SEAL_SEAL;
            if libc::fcntl(raw, libc::F_ADD_SEALS, last | libc::F_SEAL_FUTURE_WRITE) != 0 {
                libc::fcntl(raw, libc::F_ADD_SEALS, last);
            }
            start
        };
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, length, file })
    }

    /// Returns the file of the memory, for the helper.
    pub fn file(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.file.as_fd()
    }

    /// Copies these parts into the memory, one after the other. Returns false, without copying, if
    /// they do not fit.
    pub fn fill(&mut self, parts: &[&[u8]]) -> bool {
        if parts.iter().map(|part| part.len()).sum::<usize>() > self.length {
            return false;
        }
        let mut at = 0;
        for part in parts {
            // SAFETY: the parts fit into the mapping (checked above), which belongs to this value
            // and does not overlap with other memory of this process.
            unsafe {
                ptr::copy_nonoverlapping(part.as_ptr(), self.start.as_ptr().add(at), part.len());
            }
            at += part.len();
        }
        true
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: this is exactly what `new` mapped; it is unmapped once, and nothing borrows from
        // it.
        let done = unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        if done != 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping memory failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mapping;

    #[test]
    fn the_other_side_reads_what_was_filled_and_cannot_change_the_size() {
        let mut memory = SharedMemory::new(6).unwrap();
        assert!(memory.fill(&[b"abc", b"def"]));
        assert!(!memory.fill(&[b"abcd", b"efg"]));
        let seen = Mapping::of(memory.file().as_raw_fd(), 6, 0).unwrap();
        assert_eq!(seen.bytes(), b"abcdef");
        // SAFETY: plain calls on an open descriptor.
        let (shrunk, writable) = unsafe {
            let file = memory.file().as_raw_fd();
            let access = libc::PROT_READ | libc::PROT_WRITE;
            let shrunk = libc::ftruncate(file, 1);
            (shrunk, libc::mmap(ptr::null_mut(), 6, access, libc::MAP_SHARED, file, 0))
        };
        assert_eq!((shrunk, writable), (-1, libc::MAP_FAILED));
    }
}
