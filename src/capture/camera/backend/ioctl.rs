//! Calls of Video4Linux that its library does not make as they are needed here.

#![allow(unsafe_code)]

use std::io;
use std::marker::PhantomData;
use std::os::fd::RawFd;

/// The number of a call that reads and writes a structure, whose size it carries.
pub(super) struct Call<T>(pub(super) u64, PhantomData<T>);

impl<T: Copy> Call<T> {
    /// `_IOWR('V', number, T)`; `T` is laid out as the kernel's structure is, of plain numbers.
    pub(super) const fn new(number: u8) -> Self {
        let size = (size_of::<T>() as u64) << 16;
        Self((3 << 30) | size | ((b'V' as u64) << 8) | number as u64, PhantomData)
    }

    /// Asks the driver of an open file, whose answer is in the structure then.
    pub(super) fn ask(&self, descriptor: RawFd, about: &mut T) -> io::Result<()> {
        // SAFETY: the number carries the size of `T`, so that the kernel reads and writes no more than the
        // one `about`, alive and borrowed for the call; any numbers are a valid `T`. A descriptor that is
        // not open, or of something else, is an error.
        let done = unsafe { libc::ioctl(descriptor, self.0 as _, std::ptr::from_mut(about)) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
