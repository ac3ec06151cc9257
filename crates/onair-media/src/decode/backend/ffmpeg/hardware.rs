//! Hardware decoding through VAAPI: the device, and its use by a decoder. If the hardware fails
//! during a stream, the decoder continues without it.
#![allow(unsafe_code)]

use std::ptr;

use crate::decode::backend::ffmpeg::library::Code;
use crate::decode::backend::ffmpeg::system as ffi;
use crate::text::Problem;
use crate::text::problem::problem;

/// The name of the hardware interface.
pub(super) const INTERFACE_NAME: &str = "VAAPI";

/// The library's device, which exists until the process ends. There is at most one.
pub(super) struct Device(*mut ffi::AVBufferRef);

// SAFETY: this is a reference to an object with atomic reference counting; each user takes its own
// reference.
unsafe impl Send for Device {}
// SAFETY: as above; nothing changes through this reference.
unsafe impl Sync for Device {}

impl Device {
    /// Opens the default device. Fails with the reason.
    pub fn open() -> Result<Self, Problem> {
        ffi::load()?;
        let mut raw = ptr::null_mut();
        // SAFETY: the library writes one pointer; without a name it opens the default device.
        let code = unsafe {
            let kind = ffi::AV_HWDEVICE_TYPE_VAAPI;
            ffi::av_hwdevice_ctx_create(&raw mut raw, kind, ptr::null(), ptr::null_mut(), 0)
        };
        if code < 0 || raw.is_null() {
            Err(problem!("decode-no-device", device = INTERFACE_NAME, reason = Code(code).text()))
        } else {
            Ok(Self(raw))
        }
    }

    /// Lets a decoder use the hardware if possible.
    pub fn attach(&self, context: &mut ffi::AVCodecContext) {
        // SAFETY: the device exists until the process ends; the context releases its own reference.
        context.hw_device_ctx = unsafe { ffi::av_buffer_ref(self.0) };
        context.get_format = Some(choose);
    }
}

/// Chooses the hardware format if a decoder offers it, otherwise the library's preference.
unsafe extern "C" fn choose(
    context: *mut ffi::AVCodecContext,
    formats: *const ffi::AVPixelFormat,
) -> ffi::AVPixelFormat {
    let mut next = formats;
    // SAFETY: the library passes a list that ends with "none".
    unsafe {
        while *next != ffi::AV_PIX_FMT_NONE {
            if *next == ffi::AV_PIX_FMT_VAAPI {
                return *next;
            }
            next = next.add(1);
        }
        ffi::avcodec_default_get_format(context, formats)
    }
}
