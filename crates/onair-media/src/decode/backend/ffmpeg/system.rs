//! Loads the FFmpeg libraries on demand: with their dependencies, the libraries are about a hundred
//! files and cost 14 MB of memory at each start, although they are seldom needed. Types and
//! constants are those of the headers, from [`rusty_ffmpeg`]. The functions in this module have the
//! names of the library functions. Unless [`load`] succeeded, the functions do nothing, and return
//! null or an error.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Once, OnceLock};

use libloading::Library;
pub(super) use rusty_ffmpeg::ffi::*;

use crate::decode::error::NoDecoder;

/// The return types of the library functions, each with the value that a missing function returns.
trait ReturnType {
    const MISSING_FUNCTION_RESULT: Self;
}

impl ReturnType for () {
    const MISSING_FUNCTION_RESULT: Self = ();
}

impl ReturnType for c_int {
    const MISSING_FUNCTION_RESULT: Self = AVERROR(ENOSYS);
}

impl<T> ReturnType for *const T {
    const MISSING_FUNCTION_RESULT: Self = std::ptr::null();
}

impl<T> ReturnType for *mut T {
    const MISSING_FUNCTION_RESULT: Self = std::ptr::null_mut();
}

/// Declares the library functions: a table of their addresses, and each function under its own
/// name. The compiler checks the signatures against the headers.
macro_rules! functions {
    ($($library:ident $major:ident {
        $(fn $name:ident($($value:ident: $kind:ty),* $(,)?) $(-> $result:ty)?;)*
    })*) => {
        #[allow(non_snake_case, reason = "the library's names")]
        struct Functions {
            $($($name: unsafe extern "C" fn($($kind),*) $(-> $result)?,)*)*
            /// The loaded libraries, which keep the functions valid.
            _libraries: Vec<Library>,
        }

        impl Functions {
            #[allow(non_snake_case, reason = "the library's names")]
            fn load() -> Result<Self, libloading::Error> {
                let mut libraries = Vec::new();
                $(
                    let library = open(stringify!($library), $major)?;
                    $(
                        // SAFETY: the function has the type in the headers (below), and the library
                        // has the headers' major version, within which types do not change.
                        let $name = unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? };
                    )*
                    libraries.push(library);
                )*
                Ok(Self { $($($name,)*)* _libraries: libraries })
            }
        }

        $($(
            const _: unsafe extern "C" fn($($kind),*) $(-> $result)? = rusty_ffmpeg::ffi::$name;

            #[allow(non_snake_case, reason = "the library's names")]
            #[allow(clippy::too_many_arguments, reason = "as many as the library wants")]
            pub(super) unsafe fn $name($($value: $kind),*) $(-> $result)? {
                match loaded() {
                    // SAFETY: the caller fulfills the conditions of the function.
                    Some(functions) => unsafe { (functions.$name)($($value),*) },
                    None => ReturnType::MISSING_FUNCTION_RESULT,
                }
            }
        )*)*
    };
}

functions! {
    avutil LIBAVUTIL_VERSION_MAJOR {
        fn av_buffer_ref(buffer: *const AVBufferRef) -> *mut AVBufferRef;
        fn av_channel_layout_default(layout: *mut AVChannelLayout, channels: c_int);
        fn av_frame_alloc() -> *mut AVFrame;
        fn av_frame_copy_props(into: *mut AVFrame, from: *const AVFrame) -> c_int;
        fn av_frame_free(frame: *mut *mut AVFrame);
        fn av_frame_get_buffer(frame: *mut AVFrame, align: c_int) -> c_int;
        fn av_frame_get_side_data(
            frame: *const AVFrame,
            kind: AVFrameSideDataType,
        ) -> *mut AVFrameSideData;
        fn av_frame_unref(frame: *mut AVFrame);
        fn av_hwdevice_ctx_create(
            device: *mut *mut AVBufferRef,
            kind: AVHWDeviceType,
            name: *const c_char,
            options: *mut AVDictionary,
            flags: c_int,
        ) -> c_int;
        fn av_hwframe_transfer_data(into: *mut AVFrame, from: *const AVFrame, flags: c_int) -> c_int;
        fn av_log_set_level(level: c_int);
        fn av_mallocz(size: usize) -> *mut c_void;
        fn av_pix_fmt_desc_get(format: AVPixelFormat) -> *const AVPixFmtDescriptor;
        fn av_strerror(code: c_int, text: *mut c_char, size: usize) -> c_int;
        fn av_version_info() -> *const c_char;
    }
    avcodec LIBAVCODEC_VERSION_MAJOR {
        fn av_new_packet(packet: *mut AVPacket, size: c_int) -> c_int;
        fn av_packet_alloc() -> *mut AVPacket;
        fn av_packet_free(packet: *mut *mut AVPacket);
        fn av_packet_unref(packet: *mut AVPacket);
        fn avcodec_alloc_context3(codec: *const AVCodec) -> *mut AVCodecContext;
        fn avcodec_default_get_format(
            context: *mut AVCodecContext,
            formats: *const AVPixelFormat,
        ) -> AVPixelFormat;
        fn avcodec_find_decoder(codec: AVCodecID) -> *const AVCodec;
        fn avcodec_flush_buffers(context: *mut AVCodecContext);
        fn avcodec_free_context(context: *mut *mut AVCodecContext);
        fn avcodec_open2(
            context: *mut AVCodecContext,
            codec: *const AVCodec,
            options: *mut *mut AVDictionary,
        ) -> c_int;
        fn avcodec_receive_frame(context: *mut AVCodecContext, frame: *mut AVFrame) -> c_int;
        fn avcodec_send_packet(context: *mut AVCodecContext, packet: *const AVPacket) -> c_int;
    }
    swscale LIBSWSCALE_VERSION_MAJOR {
        fn sws_freeContext(scaler: *mut SwsContext);
        fn sws_getCachedContext(
            scaler: *mut SwsContext,
            from_width: c_int,
            from_height: c_int,
            from_format: AVPixelFormat,
            to_width: c_int,
            to_height: c_int,
            to_format: AVPixelFormat,
            flags: c_int,
            from_filter: *mut SwsFilter,
            to_filter: *mut SwsFilter,
            parameters: *const f64,
        ) -> *mut SwsContext;
        fn sws_getCoefficients(space: c_int) -> *const c_int;
        fn sws_isSupportedInput(format: AVPixelFormat) -> c_int;
        fn sws_scale(
            scaler: *mut SwsContext,
            from: *const *const u8,
            from_strides: *const c_int,
            first_row: c_int,
            rows: c_int,
            to: *const *mut u8,
            to_strides: *const c_int,
        ) -> c_int;
        fn sws_setColorspaceDetails(
            scaler: *mut SwsContext,
            from: *const c_int,
            from_is_full: c_int,
            to: *const c_int,
            to_is_full: c_int,
            brightness: c_int,
            contrast: c_int,
            saturation: c_int,
        ) -> c_int;
    }
}

/// Opens the library with this name and major version under its usual file name.
fn open(name: &str, major: u32) -> Result<Library, libloading::Error> {
    // SAFETY: the code that runs on loading would also run at the program start if it were linked.
    unsafe { Library::new(format!("lib{name}.so.{major}")) }
}

fn functions() -> &'static OnceLock<Option<Functions>> {
    static LIBRARY_FUNCTIONS: OnceLock<Option<Functions>> = OnceLock::new();
    &LIBRARY_FUNCTIONS
}

fn loaded() -> Option<&'static Functions> {
    functions().get()?.as_ref()
}

/// Loads the libraries once, and keeps them from writing to standard error. Fails if the libraries
/// are unavailable.
pub(super) fn load() -> Result<(), NoDecoder> {
    static SILENCE_LOG_ONCE: Once = Once::new();
    let loaded = functions().get_or_init(|| {
        let why = |error: &libloading::Error| {
            tracing::info!(%error, "loading FFmpeg's libraries failed");
        };
        Functions::load().inspect_err(why).ok()
    });
    // SAFETY: the call sets one number.
    SILENCE_LOG_ONCE.call_once(|| unsafe { av_log_set_level(AV_LOG_QUIET) });
    loaded.as_ref().map(|_| ()).ok_or(NoDecoder::NotInstalled)
}

/// Returns true if an earlier call has loaded the libraries, or has failed to load them.
pub(super) fn is_known() -> bool {
    functions().get().is_some()
}

/// Returns the version of the FFmpeg libraries.
///
/// # Errors
/// Fails with the reason if the libraries are missing.
pub fn ffmpeg_version() -> Result<String, NoDecoder> {
    load()?;
    // SAFETY: the call has no conditions.
    let version = unsafe { av_version_info() };
    if version.is_null() {
        return Err(NoDecoder::NotInstalled);
    }
    // SAFETY: this is a static text that ends with a zero.
    Ok(unsafe { CStr::from_ptr(version) }.to_string_lossy().into_owned())
}
