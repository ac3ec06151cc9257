//! Cameras whose driver uses separate memory for each plane (`V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE`),
//! such as those of ARM boards and some HDMI inputs. The library does not support such cameras, so
//! this module requests, maps and exchanges the buffers.

#![allow(unsafe_code)]

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use v4l::buffer::Flags;
use v4l::device::Handle;
use v4l::v4l_sys::{timeval, v4l2_buffer, v4l2_plane, v4l2_requestbuffers};

use crate::base::Mapping;
use crate::capture::camera::backend::format::DriverFormat;
use crate::capture::camera::backend::ioctl::{
    self, BUFFER_COUNT, Call, IoctlData as _, Queue, age, fault,
};
use crate::capture::camera::driver::{Camera, Fault, Layout, PlaneBytes, RawFrame};
use crate::capture::camera::pixel_format::Pixel;

/// `VIDEO_MAX_PLANES`.
const MAX_PLANES: usize = 8;
/// `V4L2_MEMORY_MMAP`.
const MEMORY_MMAP: u32 = 1;
/// Maximum number of buffers, because a driver may return more than requested.
const MAX_BUFFERS: u32 = 32;

/// `VIDIOC_REQBUFS`.
const REQUEST_BUFFERS: Call<v4l2_requestbuffers> = Call::new(8);
/// `VIDIOC_QUERYBUF`.
const QUERY_BUFFER: Call<v4l2_buffer> = Call::new(9);
/// `VIDIOC_QBUF`.
const QUEUE_BUFFER: Call<v4l2_buffer> = Call::new(15);
/// `VIDIOC_DQBUF`.
const DEQUEUE_BUFFER: Call<v4l2_buffer> = Call::new(17);

/// See the module documentation.
pub(super) struct Open {
    handle: Arc<Handle>,
    /// The mapped planes of each buffer.
    buffers: Vec<Vec<Mapping>>,
    layout: Layout,
    strides: [u32; 3],
    /// The buffer that the driver has handed out.
    held: Option<u32>,
    started: bool,
}

impl Open {
    /// Requests buffers from a configured camera.
    pub(super) fn begin(
        handle: Arc<Handle>,
        format: &DriverFormat,
        pixel: Pixel,
    ) -> Result<Self, Fault> {
        let given = request(handle.fd(), BUFFER_COUNT);
        let given = given.map_err(|error| fault("asking for buffers", &error))?;
        // From here on, dropping the value releases the buffers.
        let mut open = Self {
            handle,
            buffers: Vec::new(),
            layout: format.layout(pixel),
            strides: format.strides,
            held: None,
            started: false,
        };
        for index in 0..given.min(MAX_BUFFERS) {
            let mapped = open.map(index).map_err(|error| fault("mapping buffers", &error))?;
            open.buffers.push(mapped);
        }
        if open.buffers.is_empty() {
            return Err(Fault::Other("the driver gives no buffers".to_owned()));
        }
        Ok(open)
    }

    fn map(&self, index: u32) -> io::Result<Vec<Mapping>> {
        let device = self.handle.fd();
        let (about, planes) = ask(device, &QUERY_BUFFER, index)?;
        let count = (about.length as usize).min(MAX_PLANES);
        let one = |plane: &v4l2_plane| {
            // SAFETY: for mapped memory, the union contains the offset, for which any number is
            // valid.
            let offset = unsafe { plane.m.mem_offset };
            Mapping::of(device, plane.length as usize, offset)
        };
        planes.iter().take(count).map(one).collect()
    }

    /// Returns a buffer to the driver.
    fn give(&self, index: u32) -> Result<(), Fault> {
        let given = ask(self.handle.fd(), &QUEUE_BUFFER, index);
        given.map(drop).map_err(|error| fault("handing out a buffer", &error))
    }

    fn start(&mut self) -> Result<(), Fault> {
        for (index, _) in (0..).zip(&self.buffers) {
            self.give(index)?;
        }
        let done = ioctl::start(self.handle.fd(), Queue::Several);
        done.map_err(|error| fault("starting the camera", &error))?;
        self.started = true;
        Ok(())
    }
}

fn request(device: RawFd, count: u32) -> io::Result<u32> {
    let mut request = v4l2_requestbuffers::blank();
    (request.count, request.type_, request.memory) = (count, Queue::Several.number(), MEMORY_MMAP);
    REQUEST_BUFFERS.ask(device, &mut request)?;
    Ok(request.count)
}

/// Makes a call about a buffer and its planes.
fn ask(
    device: RawFd,
    call: &Call<v4l2_buffer>,
    index: u32,
) -> io::Result<(v4l2_buffer, [v4l2_plane; MAX_PLANES])> {
    let (mut about, mut planes) = (v4l2_buffer::blank(), [v4l2_plane::blank(); MAX_PLANES]);
    (about.index, about.type_, about.memory) = (index, Queue::Several.number(), MEMORY_MMAP);
    // The kernel writes at most `length` planes to an array that outlives the call; the pointer is
    // not used afterwards.
    about.length = MAX_PLANES as u32;
    about.m.planes = planes.as_mut_ptr();
    call.ask(device, &mut about)?;
    Ok((about, planes))
}

impl Camera for Open {
    fn frame(&mut self, limit: Duration) -> Result<Option<RawFrame<'_>>, Fault> {
        if !self.started {
            self.start()?;
        }
        if let Some(index) = self.held.take() {
            self.give(index)?;
        }
        if !ioctl::wait(&self.handle, limit) {
            return Ok(None);
        }
        let (about, planes) = match ask(self.handle.fd(), &DEQUEUE_BUFFER, 0) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(fault("taking a frame", &error)),
        };
        self.held = Some(about.index);
        if Flags::from(about.flags).contains(Flags::ERROR) {
            return Ok(None);
        }
        let buffer = self.buffers.get(about.index as usize);
        let buffer = buffer.ok_or_else(|| Fault::Other("a buffer of nobody's".to_owned()))?;
        let mut parts =
            buffer.iter().zip(&planes).zip(self.strides).map(|((mapping, plane), stride)| {
                let (from, to) = (plane.data_offset as usize, plane.bytesused as usize);
                let bytes = mapping.bytes();
                // Some drivers do not report the length.
                let to = if to == 0 { bytes.len() } else { to.min(bytes.len()) };
                PlaneBytes { data: bytes.get(from..to).unwrap_or(&[]), stride }
            });
        let mut part = || parts.next().unwrap_or_default();
        let PlaneBytes { data, .. } = part();
        let more = [part(), part()];
        let timeval { tv_sec, tv_usec } = about.timestamp;
        Ok(Some(RawFrame { data, more, age: age(tv_sec, tv_usec), layout: self.layout }))
    }

    fn waker(&self) -> Box<dyn Fn() + Send> {
        let handle = Arc::clone(&self.handle);
        Box::new(move || ioctl::stop(handle.fd(), Queue::Several))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        ioctl::stop(self.handle.fd(), Queue::Several);
        // A device is busy as long as it has buffers, and it has buffers as long as they are
        // mapped.
        self.buffers.clear();
        if let Err(error) = request(self.handle.fd(), 0) {
            tracing::debug!(%error, "returning a camera's buffers failed");
        }
    }
}
