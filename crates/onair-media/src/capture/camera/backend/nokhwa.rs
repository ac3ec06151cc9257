//! Reads cameras through nokhwa, the preferred reader. This module works around limits of nokhwa,
//! which supports only integer rates, uses the current rate instead of the requested one, and waits
//! without a limit. If nokhwa does not open a camera, `v4l.rs` reads it directly.

#![allow(unsafe_code)]

use std::fs;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use nokhwa::utils::{
    ApiBackend, CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType,
    Resolution,
};

use crate::capture::camera::backend::ioctl::{self, MAX_TIMESTAMP_AGE, Queue, fault_of};
use crate::capture::camera::driver::{Camera, Fault, Layout, OfferedCamera, RawFrame};
use crate::capture::camera::pixel_format::Pixel;

/// Returns true if nokhwa supports this offer: raw pixels at an integer rate, in a format that
/// nokhwa knows. JPEG frames from nokhwa arrive as whole buffers with stale bytes, and stop on a
/// loopback camera.
pub(super) fn takes(offer: OfferedCamera) -> bool {
    kind(offer.pixel).is_some() && offer.rate.1 != 0 && offer.rate.0.is_multiple_of(offer.rate.1)
}

/// Returns the name of a pixel format in nokhwa.
fn kind(pixel: Pixel) -> Option<FrameFormat> {
    match pixel {
        Pixel::Yuyv => Some(FrameFormat::YUYV),
        Pixel::Nv12 => Some(FrameFormat::NV12),
        _ => None,
    }
}

/// Opens the camera at `path` (device number `number`), whose format and rate are configured.
pub(super) fn open(
    number: u32,
    path: &Path,
    offer: OfferedCamera,
    layout: Layout,
) -> Result<Box<dyn Camera>, Fault> {
    let kind = kind(offer.pixel).ok_or_else(|| Fault::Format(offer.pixel.name().to_owned()))?;
    let format = CameraFormat::new(
        Resolution::new(offer.size.width, offer.size.height),
        kind,
        offer.rate.0 / offer.rate.1.max(1),
    );
    let kinds = [format.format()];
    let exact = RequestedFormatType::Exact(format);
    let request = RequestedFormat::with_formats(exact, &kinds);
    let index = CameraIndex::Index(number);
    let camera = nokhwa::Camera::with_backend(index, request, ApiBackend::Video4Linux);
    let mut camera = camera.map_err(|error| fault(&error.to_string()))?;
    camera.open_stream().map_err(|error| fault(&error.to_string()))?;
    let descriptor = Arc::new(descriptor(path)?);
    Ok(Box::new(Open { camera, descriptor, layout, last: Bytes::new(), started: false }))
}

/// Returns the kind of fault, according to the error number that every layer includes in its
/// message.
fn fault(detail: &str) -> Fault {
    let number = detail.rsplit_once("(os error ").and_then(|(_, rest)| {
        let (digits, _) = rest.split_once(')')?;
        digits.parse::<i32>().ok()
    });
    fault_of(number, detail.to_owned())
}

/// Duplicates nokhwa's open descriptor, for waiting with a limit.
fn descriptor(path: &Path) -> Result<OwnedFd, Fault> {
    let io = |error: std::io::Error| Fault::Other(format!("finding the camera's file: {error}"));
    for entry in fs::read_dir("/proc/self/fd").map_err(io)?.flatten() {
        let points_there = fs::read_link(entry.path()).is_ok_and(|to| to == *path);
        let number = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok());
        if let Some(number) = number.filter(|_| points_there) {
            // SAFETY: the number was listed as open a moment ago and belongs to the nokhwa camera,
            // which the caller holds, and which closes it only when dropped.
            let borrowed = unsafe { BorrowedFd::borrow_raw(number) };
            return borrowed.try_clone_to_owned().map_err(io);
        }
    }
    Err(Fault::Other("the camera's file is not open".to_owned()))
}

struct Open {
    camera: nokhwa::Camera,
    descriptor: Arc<OwnedFd>,
    layout: Layout,
    last: Bytes,
    started: bool,
}

impl Camera for Open {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        // The library nokhwa starts the stream with the first frame, and waits for it without a
        // limit. Until then, only the watchdog ends this wait.
        if self.started && !ready(&self.descriptor, limit) {
            return Ok(None);
        }
        self.started = true;
        let frame = self.camera.frame().map_err(|error| fault(&error.to_string()))?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let age = frame.capture_timestamp().and_then(|taken| now.checked_sub(taken));
        let age = age.filter(|age| *age < MAX_TIMESTAMP_AGE).unwrap_or_default();
        // This copies the frame: only then does nokhwa return the capture time.
        self.last = frame.buffer_bytes();
        Ok(Some(RawFrame::new(&self.last, age, self.layout)))
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let descriptor = Arc::clone(&self.descriptor);
        Box::new(move || ioctl::stop(descriptor.as_raw_fd(), Queue::Single))
    }
}

/// Waits until the camera has a frame or an error.
fn ready(descriptor: &OwnedFd, limit: Duration) -> bool {
    let mut poll = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: `poll` is one valid entry that outlives the call; the descriptor is open.
    let count = unsafe { libc::poll(&raw mut poll, 1, limit) };
    count > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_recognized_by_their_numbers() {
        let of = |detail: &str| fault(detail);
        assert!(matches!(of("stream: Device or resource busy (os error 16)"), Fault::Busy(_)));
        assert!(matches!(of("Permission denied (os error 13)"), Fault::Refused(_)));
        assert!(matches!(of("V4L2 Error: No such device (os error 19)"), Fault::Absent(_)));
        assert!(matches!(of("no idea"), Fault::Other(_)));
    }
}
