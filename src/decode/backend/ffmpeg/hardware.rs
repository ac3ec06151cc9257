//! Decoding by graphics hardware, through VAAPI: asked for once, and used where there is some. Where
//! it fails in the middle of a stream, the decoder goes on without it.
#![allow(unsafe_code)]

use std::ptr;
use std::sync::OnceLock;

use super::library::Code;
use super::system as ffi;

const NAME: &str = "VAAPI";

/// Owns the library's device, for as long as the program runs.
struct Device(*mut ffi::AVBufferRef);

// SAFETY: a reference to an object that counts its references atomically; each user takes one of
// their own.
unsafe impl Send for Device {}
// SAFETY: as above; nothing changes through this reference.
unsafe impl Sync for Device {}

static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();

fn device() -> &'static Result<Device, String> {
    DEVICE.get_or_init(|| {
        ffi::load().map_err(|lack| lack.to_string())?;
        let mut raw = ptr::null_mut();
        // SAFETY: the library writes one pointer; without a name it takes the usual device.
        let code = unsafe {
            let kind = ffi::AV_HWDEVICE_TYPE_VAAPI;
            ffi::av_hwdevice_ctx_create(&raw mut raw, kind, ptr::null(), ptr::null_mut(), 0)
        };
        if code < 0 || raw.is_null() {
            Err(format!("no {NAME} device could be opened ({})", Code(code).text()))
        } else {
            Ok(Device(raw))
        }
    })
}

fn told(device: &Result<Device, String>) -> Result<&'static str, String> {
    device.as_ref().map(|_| NAME).map_err(Clone::clone)
}

/// As [`name`], where that was asked before.
pub(super) fn known() -> Option<Result<&'static str, String>> {
    DEVICE.get().map(told)
}

/// Its name, or why there is none.
pub(super) fn name() -> Result<&'static str, String> {
    told(device())
}

/// Has a decoder use the hardware where it can. Says whether there is some.
pub(super) fn attach(context: &mut ffi::AVCodecContext) -> bool {
    let Ok(device) = device() else { return false };
    // SAFETY: the device lives for ever; the context gives its own reference back.
    context.hw_device_ctx = unsafe { ffi::av_buffer_ref(device.0) };
    context.get_format = Some(choose);
    !context.hw_device_ctx.is_null()
}

/// Of the formats that a decoder offers, that of the hardware, else what the library prefers.
unsafe extern "C" fn choose(
    context: *mut ffi::AVCodecContext,
    formats: *const ffi::AVPixelFormat,
) -> ffi::AVPixelFormat {
    let mut next = formats;
    // SAFETY: the library hands over a list that ends with "none".
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
