//! Waking a reader that hangs in a camera's driver.

#![allow(unsafe_code)]

use std::os::fd::RawFd;

use crate::capture::camera::backend::format::Queue;

/// Ends streaming, which makes a reader that waits return with an error.
pub(super) fn stream(descriptor: RawFd, queue: Queue) {
    let mut kind = queue.number();
    // SAFETY: VIDIOC_STREAMOFF reads one `int`, which lives through the call; a descriptor that is
    // not open, or of no video device, is an error.
    let done = unsafe {
        v4l::v4l2::ioctl(descriptor, v4l::v4l2::vidioc::VIDIOC_STREAMOFF, (&raw mut kind).cast())
    };
    if let Err(error) = done {
        tracing::debug!(%error, "stopping a camera that hangs");
    }
}
