//! Frames in the memory of a graphics card, as encoders of VAAPI and Vulkan take them. Each frame is uploaded once; FFmpeg
//! finds the device, and keeps and reuses the memory.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

use crate::encode::backend::process::functions::{Object, functions};
use crate::encode::backend::process::system::Loaded;
use crate::encode::backend::process::trouble::NO_DEVICE;
use crate::encode::backend::process::wire::Refusal;

functions! {
    Functions:
    fn av_buffer_ref(Object) -> Object;
    fn av_buffer_unref(*mut Object);
    fn av_frame_alloc() -> Object;
    fn av_frame_free(*mut Object);
    fn av_frame_unref(Object);
    fn av_get_pix_fmt(*const c_char) -> c_int;
    fn av_hwdevice_ctx_create(*mut Object, c_int, *const c_char, Object, c_int) -> c_int;
    fn av_hwdevice_find_type_by_name(*const c_char) -> c_int;
    fn av_hwframe_ctx_alloc(Object) -> Object;
    fn av_hwframe_ctx_init(Object) -> c_int;
    fn av_hwframe_get_buffer(Object, Object, c_int) -> c_int;
    fn av_hwframe_transfer_data(Object, Object, c_int) -> c_int;
}

/// `AV_PIX_FMT_NV12`.
pub(super) const NV12: c_int = 23;
/// `AV_PIX_FMT_NONE`, which both formats have until they are set.
const NO_FORMAT: c_int = -1;

/// An `AVBufferRef`, which is the same in all known versions.
#[repr(C)]
struct BufferReference {
    buffer: *mut c_void,
    data: *mut c_void,
    size: usize,
}

/// What `AVHWFramesContext` has from its pointer to the device on. Older versions have one pointer more before it.
#[repr(C)]
struct FramesEnd {
    device: *mut c_void,
    hardware: *mut c_void,
    free: *mut c_void,
    user: *mut c_void,
    pool: *mut c_void,
    pool_size: c_int,
    format: c_int,
    software_format: c_int,
    width: c_int,
    height: c_int,
}

/// The places of the pointer to the device, counted in pointers: since version 59 of libavutil, and before.
const DEVICE_PLACES: [usize; 2] = [2, 3];

/// A device, and the memory of its frames.
pub(super) struct Surfaces {
    functions: Functions,
    /// References to the device and to the pool of frames.
    device: Object,
    frames: Object,
    /// The frame that is encoded.
    surface: Object,
}

impl Drop for Surfaces {
    fn drop(&mut self) {
        // SAFETY: the objects came from the library's functions, are freed only here, and may be null.
        unsafe {
            (self.functions.av_frame_free)(&raw mut self.surface);
            (self.functions.av_buffer_unref)(&raw mut self.frames);
            (self.functions.av_buffer_unref)(&raw mut self.device);
        }
    }
}

impl Surfaces {
    /// Opens the first device of this kind, `vaapi` or `vulkan`, for frames of this width and height in pixels. `check`
    /// turns an error of the library into its text.
    pub(super) fn open(
        library: &Loaded,
        kind: &str,
        (width, height): (usize, usize),
        check: &dyn Fn(c_int) -> Result<(), String>,
    ) -> Result<Self, String> {
        let functions = Functions::of(library).map_err(|refusal| match refusal {
            Refusal::Incomplete { function } => format!("the library lacks {function}"),
            _ => "the library lacks a function".to_owned(),
        })?;
        let name = CString::new(kind).map_err(|_| "not a kind of device".to_owned())?;
        // SAFETY: the function allocates, and null is checked below.
        let surface = unsafe { (functions.av_frame_alloc)() };
        let (device, frames) = (ptr::null_mut(), ptr::null_mut());
        // From here on, `drop` frees the objects.
        let mut surfaces = Self { functions, device, frames, surface };
        surfaces
            .open_device(kind, &name, check)
            .map_err(|reason| format!("{NO_DEVICE}: {reason}"))?;
        // SAFETY: the device is open. Null is checked below.
        surfaces.frames = unsafe { (surfaces.functions.av_hwframe_ctx_alloc)(surfaces.device) };
        if surfaces.frames.is_null() || surface.is_null() {
            return Err("out of memory".to_owned());
        }
        // SAFETY: the name ends with a zero.
        let format = unsafe { (surfaces.functions.av_get_pix_fmt)(name.as_ptr()) };
        let side = |pixels: usize| c_int::try_from(pixels).unwrap_or(0);
        // SAFETY: nobody else uses the context yet.
        let end = unsafe { &mut *surfaces.frames_end()? };
        (end.format, end.software_format) = (format, NV12);
        (end.width, end.height) = (side(width), side(height));
        // SAFETY: the context has its formats and its size.
        check(unsafe { (surfaces.functions.av_hwframe_ctx_init)(surfaces.frames) })?;
        Ok(surfaces)
    }

    /// Opens the first device that works. Some drivers of VAAPI need a connection to X11 instead.
    fn open_device(
        &mut self,
        kind: &str,
        name: &CStr,
        check: &dyn Fn(c_int) -> Result<(), String>,
    ) -> Result<(), String> {
        let create = self.functions.av_hwdevice_ctx_create;
        // SAFETY: the name ends with a zero.
        let number = unsafe { (self.functions.av_hwdevice_find_type_by_name)(name.as_ptr()) };
        let (device, options) = (&raw mut self.device, ptr::null_mut());
        // SAFETY: the call writes the reference, or null. Without the name of a device, the library takes the first one.
        let opened = check(unsafe { create(device, number, ptr::null(), options, 0) });
        let display = std::env::var("DISPLAY").ok().and_then(|display| CString::new(display).ok());
        match display.filter(|_| opened.is_err() && kind == "vaapi") {
            // SAFETY: as above, and the name ends with a zero. The first reason is the more useful one.
            Some(display) => {
                check(unsafe { create(device, number, display.as_ptr(), options, 0) }).or(opened)
            }
            None => opened,
        }
    }

    /// Finds the fields of the context of the frames. Fails if it is not what it was in the known versions.
    fn frames_end(&self) -> Result<*mut FramesEnd, String> {
        // SAFETY: both are references of the library with this layout. The context is longer than the places that are
        // looked at.
        let found = unsafe {
            let device = (*self.device.cast::<BufferReference>()).data;
            let context = (*self.frames.cast::<BufferReference>()).data.cast::<*mut c_void>();
            let place = DEVICE_PLACES.into_iter().find(|place| *context.add(*place) == device);
            place.map(|place| context.add(place).cast::<FramesEnd>())
        };
        // SAFETY: the pointer to the device is where it was expected, and so are the fields after it.
        let is_new = |end: &*mut FramesEnd| unsafe {
            ((**end).format, (**end).software_format) == (NO_FORMAT, NO_FORMAT)
        };
        found
            .filter(is_new)
            .ok_or_else(|| "the library's structures have another layout".to_owned())
    }

    /// Returns a new reference to the pool of frames, for an encoder.
    pub(super) fn frames(&self) -> Object {
        // SAFETY: the reference is alive.
        unsafe { (self.functions.av_buffer_ref)(self.frames) }
    }

    /// Uploads a frame, and returns the one to encode.
    pub(super) fn upload(
        &mut self,
        frame: Object,
        check: &dyn Fn(c_int) -> Result<(), String>,
    ) -> Result<Object, String> {
        let functions = &self.functions;
        // SAFETY: the frames and the pool are alive. The encoder keeps its own references.
        unsafe {
            (functions.av_frame_unref)(self.surface);
            check((functions.av_hwframe_get_buffer)(self.frames, self.surface, 0))?;
            check((functions.av_hwframe_transfer_data)(self.surface, frame, 0))?;
        }
        Ok(self.surface)
    }
}
