//! Memory that this process fills and a helper process reads.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::ptr::{self, NonNull};

use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile,
    PAGE_READWRITE, UnmapViewOfFile,
};

/// Memory that two processes have mapped. It cannot change its size.
#[derive(Debug)]
pub struct SharedMemory {
    view: Mapping,
    section: OwnedHandle,
}

impl SharedMemory {
    /// Creates memory of this length, which must not be 0.
    ///
    /// # Errors
    /// Fails if the system has no such memory left.
    pub fn new(length: usize) -> io::Result<Self> {
        let (high, low) = ((length as u64 >> 32) as u32, length as u32);
        // SAFETY: a plain call. The handle is new and has no other owner.
        let section = unsafe {
            let file = INVALID_HANDLE_VALUE;
            let section =
                CreateFileMappingW(file, ptr::null(), PAGE_READWRITE, high, low, ptr::null());
            if section.is_null() {
                return Err(io::Error::last_os_error());
            }
            OwnedHandle::from_raw_handle(section)
        };
        Ok(Self { view: Mapping::writable(section.as_raw_handle(), length)?, section })
    }

    /// Returns the handle of the memory, which can also write.
    pub(super) fn handle(&self) -> HANDLE {
        self.section.as_raw_handle()
    }

    /// Copies these parts into the memory, one after the other. Returns false, without copying, if
    /// they do not fit.
    pub fn fill(&mut self, parts: &[&[u8]]) -> bool {
        if parts.iter().map(|part| part.len()).sum::<usize>() > self.view.length {
            return false;
        }
        let mut at = 0;
        for part in parts {
            // SAFETY: the parts fit into the view (checked above), which belongs to this value, is writable and does
            // not overlap with other memory of this process.
            unsafe {
                let place = self.view.start.as_ptr().add(at);
                ptr::copy_nonoverlapping(part.as_ptr(), place, part.len());
            }
            at += part.len();
        }
        true
    }
}

/// A view of memory.
#[derive(Debug)]
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the view belongs only to this value, is never lent out mutably, and may be read, written and unmapped from
// any thread.
unsafe impl Send for Mapping {}

impl Mapping {
    /// Returns a view that only reads. Fails if the memory is shorter.
    pub(super) fn of(section: HANDLE, length: usize) -> io::Result<Self> {
        Self::with(section, length, FILE_MAP_READ)
    }

    pub(super) fn writable(section: HANDLE, length: usize) -> io::Result<Self> {
        Self::with(section, length, FILE_MAP_WRITE)
    }

    fn with(section: HANDLE, length: usize, access: u32) -> io::Result<Self> {
        // SAFETY: the address is chosen by the system, which refuses what is longer than the memory; the result is
        // checked.
        let view = unsafe { MapViewOfFile(section, access, 0, 0, length) };
        let start = NonNull::new(view.Value.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, length })
    }

    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the beginning of a live view of `length` bytes, which lives as long as `self`. The other
        // side writes only on request, and this process reads the memory only afterwards. If the other side wrote at
        // another time, the bytes would be inconsistent, but every byte value is valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let view = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.start.as_ptr().cast::<c_void>() };
        // SAFETY: this is exactly what `with` mapped; it is unmapped once, and nothing borrows from it.
        if unsafe { UnmapViewOfFile(view) } == 0 {
            tracing::debug!(error = %io::Error::last_os_error(), "unmapping memory failed");
        }
    }
}
