//! Video4Linux calls that the library lacks, and the common handling of a driver's errors and
//! timestamps.

#![allow(unsafe_code)]

use std::io;
use std::marker::PhantomData;
use std::os::fd::RawFd;
use std::time::Duration;

use v4l::device::Handle;
use v4l::v4l_sys as sys;
use v4l::v4l2::{self, vidioc};

use crate::capture::camera::driver::Fault;

/// Maximum valid age of a driver's timestamp.
pub(super) const MAX_TIMESTAMP_AGE: Duration = Duration::from_secs(1);
/// Number of buffers that the driver fills in turn.
pub(super) const BUFFER_COUNT: u32 = 4;

/// The buffer type of a device: `V4L2_BUF_TYPE_VIDEO_CAPTURE…`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Queue {
    /// One memory block per frame.
    Single,
    /// One memory block per plane, even for a single plane.
    Several,
}

impl Queue {
    /// Returns the number of the buffer type in the kernel.
    pub(super) const fn number(self) -> u32 {
        match self {
            Self::Single => 1,
            Self::Several => 9,
        }
    }
}

/// A kernel structure for which any bytes are valid.
///
/// # Safety
/// The structure must consist of numbers, unions of numbers, and pointers that only the kernel
/// reads.
pub(super) unsafe trait IoctlData: Copy {
    /// Creates a structure of zeros.
    fn blank() -> Self {
        // SAFETY: any bytes are a valid value.
        unsafe { std::mem::zeroed() }
    }
}

// SAFETY: structures of `videodev2.h` that meet the conditions of the trait.
unsafe impl IoctlData for sys::v4l2_format {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_fmtdesc {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_streamparm {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_queryctrl {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_querymenu {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_control {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_requestbuffers {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_buffer {}
// SAFETY: as above.
unsafe impl IoctlData for sys::v4l2_plane {}

/// The number of a call that reads and writes a structure. The number includes the structure's
/// size.
pub(super) struct Call<T>(pub(super) u64, PhantomData<T>);

impl<T: IoctlData> Call<T> {
    /// `_IOWR('V', number, T)`.
    pub(super) const fn new(number: u8) -> Self {
        let size = (size_of::<T>() as u64) << 16;
        Self((3 << 30) | size | ((b'V' as u64) << 8) | number as u64, PhantomData)
    }

    /// Calls the driver of an open file. The structure then contains the result.
    pub(super) fn ask(&self, descriptor: RawFd, about: &mut T) -> io::Result<()> {
        // SAFETY: the number includes the size of `T`, so the kernel accesses only `about`, which
        // is borrowed for the call; any bytes are a valid `T`. A closed or unrelated descriptor
        // causes an error.
        let done = unsafe { libc::ioctl(descriptor, self.0 as _, std::ptr::from_mut(about)) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// Starts streaming.
pub(super) fn start(descriptor: RawFd, queue: Queue) -> io::Result<()> {
    switch(descriptor, queue, vidioc::VIDIOC_STREAMON)
}

/// Stops streaming. A blocked reader then returns with an error.
pub(super) fn stop(descriptor: RawFd, queue: Queue) {
    if let Err(error) = switch(descriptor, queue, vidioc::VIDIOC_STREAMOFF) {
        tracing::debug!(%error, "stopping a camera failed");
    }
}

fn switch(descriptor: RawFd, queue: Queue, call: vidioc::_IOC_TYPE) -> io::Result<()> {
    let mut kind = queue.number();
    // SAFETY: both calls read one `int`, which outlives the call; a descriptor that is closed or
    // not a video device causes an error.
    unsafe { v4l2::ioctl(descriptor, call, (&raw mut kind).cast()) }
}

/// Waits until the driver has a frame or an error, which the next call returns. Returns false if
/// there is neither.
pub(super) fn wait(handle: &Handle, limit: Duration) -> bool {
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    match handle.poll(libc::POLLIN, limit) {
        Ok(count) => count != 0,
        Err(error) => error.kind() != io::ErrorKind::Interrupted,
    }
}

/// Converts an error to a fault, according to the error number.
pub(super) fn fault(doing: &str, error: &io::Error) -> Fault {
    fault_of(error.raw_os_error(), format!("{doing}: {error}"))
}

/// Returns the kind of fault for this error number.
pub(super) fn fault_of(number: Option<i32>, detail: String) -> Fault {
    match number {
        Some(libc::EBUSY) => Fault::Busy(detail),
        Some(libc::EACCES | libc::EPERM) => Fault::Refused(detail),
        Some(libc::ENODEV | libc::ENOENT | libc::ENXIO) => Fault::Absent(detail),
        _ => Fault::Other(detail),
    }
}

/// Returns the age of a driver's timestamp, given in seconds and microseconds.
pub(super) fn age(seconds: impl TryInto<u64>, micros: impl TryInto<u32>) -> Duration {
    let taken = Duration::new(
        seconds.try_into().unwrap_or(0),
        micros.try_into().unwrap_or(0).min(999_999) * 1_000,
    );
    let age = monotonic().checked_sub(taken).filter(|age| *age < MAX_TIMESTAMP_AGE);
    age.unwrap_or_default()
}

/// Returns the current time of the clock for driver timestamps.
fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills one `timespec`, which outlives it.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    if done != 0 {
        return Duration::ZERO;
    }
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_recognized_by_their_numbers() {
        let of = |number| fault("testing", &io::Error::from_raw_os_error(number));
        assert!(matches!(of(libc::EBUSY), Fault::Busy(_)));
        assert!(matches!(of(libc::EACCES), Fault::Refused(_)));
        assert!(matches!(of(libc::ENODEV), Fault::Absent(_)));
        assert!(matches!(of(libc::EIO), Fault::Other(_)));
        assert!(matches!(fault("testing", &io::ErrorKind::TimedOut.into()), Fault::Other(_)));
        assert!(!monotonic().is_zero());
    }
}
