//! Loads FFmpeg's `libavcodec` and encodes with it. Only an encoder process uses this module: the
//! libraries may be under the GPL, and drivers may crash.
//!
//! The layout of the library's structures depends on its version. Fields of the encoder's context
//! are set by name, as options, so their offsets come from the library itself. The few other fields
//! lie where they lay in all versions of [`KNOWN_VERSIONS`]; see [`Offsets`]. [`surfaces`] passes frames to encoders that
//! take them only in the memory of the graphics card.
//!
//! [`surfaces`]: crate::encode::backend::process::surfaces
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_uint, c_void};
use std::path::Path;
use std::ptr;

use crate::encode::backend::process::functions::{Object, functions};
use crate::encode::backend::process::surfaces::{NV12, Surfaces};
use crate::encode::backend::process::system::{Loaded, candidates};
use crate::encode::backend::process::wire::{Refusal, Task};

/// The known major versions of libavcodec (FFmpeg 5.1 to 8), the newest first.
const KNOWN_VERSIONS: [c_uint; 4] = [62, 61, 60, 59];
/// Newer versions, which are found only to say that they are not known.
const NEWER_VERSIONS: [c_uint; 2] = [64, 63];

const SEARCH_CHILDREN: c_int = 1;
const LOG_ERROR: c_int = 16;
const END_OF_FILE: c_int = -0x2046_4f45;
/// `EAGAIN`, which is the same number on Linux and Windows.
const AGAIN: c_int = -11;
const NO_TIMESTAMP: i64 = i64::MIN;
const PICTURE_TYPE_NONE: c_int = 0;
const PICTURE_TYPE_I: c_int = 1;
const PACKET_FLAG_KEY: c_int = 1;
/// `AV_PIX_FMT_YUV420P`.
const YUV420P: c_int = 0;

/// The start of an `AVOption`, which is the same in all known versions.
#[repr(C)]
struct AvOption {
    name: *const c_char,
    help: *const c_char,
    offset: c_int,
    kind: c_int,
}

/// The start of an `AVFrame`, which is the same in all known versions.
#[repr(C)]
struct FrameStart {
    data: [*mut u8; 8],
    linesize: [c_int; 8],
    extended_data: *mut *mut u8,
    width: c_int,
    height: c_int,
    samples: c_int,
    format: c_int,
}

/// The start of an `AVPacket`, which is the same in all known versions.
#[repr(C)]
struct PacketStart {
    buffer: *mut c_void,
    pts: i64,
    dts: i64,
    data: *const u8,
    size: c_int,
    stream: c_int,
    flags: c_int,
}

functions! {
    Functions:
    fn av_frame_alloc() -> Object;
    fn av_frame_free(*mut Object);
    fn av_frame_get_buffer(Object, c_int) -> c_int;
    fn av_frame_make_writable(Object) -> c_int;
    fn av_log_set_level(c_int);
    fn av_opt_find(Object, *const c_char, *const c_char, c_int, c_int) -> *const AvOption;
    fn av_opt_set(Object, *const c_char, *const c_char, c_int) -> c_int;
    fn av_packet_alloc() -> Object;
    fn av_packet_free(*mut Object);
    fn av_packet_unref(Object);
    fn av_strerror(c_int, *mut c_char, usize) -> c_int;
    fn av_version_info() -> *const c_char;
    fn avcodec_alloc_context3(Object) -> Object;
    fn avcodec_find_encoder_by_name(*const c_char) -> Object;
    fn avcodec_free_context(*mut Object);
    fn avcodec_open2(Object, Object, *mut Object) -> c_int;
    fn avcodec_receive_packet(Object, Object) -> c_int;
    fn avcodec_send_frame(Object, Object) -> c_int;
}

/// A loaded library.
pub(super) struct Codecs {
    functions: Functions,
    /// The version, for display.
    pub version: String,
    major: c_uint,
    /// Keeps the functions valid.
    library: Loaded,
}

/// Loads the newest library that has this encoder.
pub(super) fn load(encoder: &str) -> Result<Codecs, Refusal> {
    let mut refusal = Refusal::NoLibrary;
    let files = KNOWN_VERSIONS.into_iter().chain(NEWER_VERSIONS).flat_map(candidates);
    for file in files {
        match Codecs::load(&file, encoder) {
            Ok(codecs) => return Ok(codecs),
            Err(Refusal::NoLibrary) => {}
            // The reason of the newest known library is the most useful one.
            Err(other) if refusal == Refusal::NoLibrary => refusal = other,
            Err(_) => {}
        }
    }
    Err(refusal)
}

impl Codecs {
    /// Loads the library from this file, which must have the encoder.
    fn load(file: &Path, encoder: &str) -> Result<Self, Refusal> {
        let library = Loaded::open(file)?;
        // SAFETY: this function has the same type in all versions.
        let version = unsafe {
            let version =
                library.function::<unsafe extern "C" fn() -> c_uint>(b"avcodec_version\0");
            let incomplete = || Refusal::Incomplete { function: "avcodec_version".to_owned() };
            version.ok_or_else(incomplete)?()
        };
        let (major, minor, micro) = (version >> 16, version >> 8 & 0xff, version & 0xff);
        if !KNOWN_VERSIONS.contains(&major) {
            return Err(Refusal::UnknownVersion { major });
        }
        let functions = Functions::of(&library)?;
        // SAFETY: the call has no conditions; the text is static and ends with a zero.
        let release = unsafe {
            (functions.av_log_set_level)(LOG_ERROR);
            text((functions.av_version_info)())
        };
        let version = format!("libavcodec {major}.{minor}.{micro}, FFmpeg {release}");
        let codecs = Self { functions, version, major, library };
        if codecs.find(encoder).is_null() {
            return Err(Refusal::NotInLibrary { version: codecs.version });
        }
        if encoder == "libsvtav1"
            && let Some(version) = codecs.svt_av1_version()
            && is_old(&version)
        {
            return Err(Refusal::TooOld { version });
        }
        codecs.library.collect_messages();
        Ok(codecs)
    }

    /// Returns the version of SVT-AV1, if it is a library of its own.
    fn svt_av1_version(&self) -> Option<String> {
        // SAFETY: the function has had this type in all versions. It is found in the libraries that
        // libavcodec has loaded.
        unsafe {
            let name = b"svt_av1_get_version\0";
            let version = self.library.function::<unsafe extern "C" fn() -> *const c_char>(name);
            version.map(|version| text(version()))
        }
    }

    fn find(&self, encoder: &str) -> Object {
        let Ok(name) = CString::new(encoder) else { return ptr::null_mut() };
        // SAFETY: the name ends with a zero.
        unsafe { (self.functions.avcodec_find_encoder_by_name)(name.as_ptr()) }
    }

    /// Returns the library's text for an error.
    fn describe(&self, code: c_int) -> String {
        let mut buffer: [c_char; 128] = [0; 128];
        // SAFETY: the library writes at most this many bytes, with a zero at the end.
        let known = unsafe { (self.functions.av_strerror)(code, buffer.as_mut_ptr(), 128) };
        // SAFETY: the buffer ends with a zero.
        let text = unsafe { text(buffer.as_ptr()) };
        if known == 0 { text } else { format!("code {code}") }
    }

    fn check(&self, code: c_int) -> Result<(), String> {
        if code < 0 { Err(self.describe(code)) } else { Ok(()) }
    }
}

/// The oldest version of SVT-AV1 with real-time presets as onair uses them.
const OLDEST_SVT_AV1: (u32, u32) = (3, 1);

/// Returns true if a version of SVT-AV1, such as `v4.1.0`, is too old.
fn is_old(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.').map_while(|it| it.parse().ok());
    let version = (numbers.next().unwrap_or(u32::MAX), numbers.next().unwrap_or(0));
    version < OLDEST_SVT_AV1
}

/// Returns a text of the library.
///
/// # Safety
/// The text must be null or end with a zero.
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the text ends with a zero.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Where fields are that are no options.
struct Offsets {
    /// `AVCodecContext.extradata`; the size follows it.
    extradata: usize,
    /// `AVFrame.pict_type` and `AVFrame.pts`.
    picture_type: usize,
    pts: usize,
    /// `AVCodecContext.hw_frames_ctx`.
    frames: usize,
}

/// The formats of frames in the memory of the graphics card, which are also the names of the kinds of devices.
const ON_THE_CARD: [&str; 2] = ["vaapi", "vulkan"];

/// An open encoder.
pub(super) struct Encoder<'a> {
    codecs: &'a Codecs,
    context: Object,
    frame: Object,
    packet: Object,
    offsets: Offsets,
    /// The number of bytes of each plane's rows, and the number of rows.
    planes: [(usize, usize); 3],
    /// True if the encoder takes the second and third plane as one, with alternating bytes.
    is_interleaved: bool,
    /// The memory of the graphics card, if the encoder takes frames only there.
    surfaces: Option<Surfaces>,
}

impl Drop for Encoder<'_> {
    fn drop(&mut self) {
        let functions = &self.codecs.functions;
        // SAFETY: the objects came from the library's functions, are freed only here, and may be
        // null.
        unsafe {
            (functions.av_packet_free)(&raw mut self.packet);
            (functions.av_frame_free)(&raw mut self.frame);
            (functions.avcodec_free_context)(&raw mut self.context);
        }
    }
}

impl<'a> Encoder<'a> {
    /// Opens the encoder of a task.
    pub fn open(codecs: &'a Codecs, task: &Task) -> Result<Self, String> {
        let opened = Self::open_with(codecs, task, &task.options);
        if opened.is_ok() || task.pixels() != "vaapi" {
            return opened;
        }
        // Newer cards of Intel have only this mode. The first reason is the more useful one.
        let low_power = ("low_power".to_owned(), "1".to_owned());
        let options: Vec<_> = task.options.iter().cloned().chain([low_power]).collect();
        Self::open_with(codecs, task, &options).or(opened)
    }

    fn open_with(
        codecs: &'a Codecs,
        task: &Task,
        options: &[(String, String)],
    ) -> Result<Self, String> {
        let functions = &codecs.functions;
        let codec = codecs.find(&task.encoder);
        let (width, height) = (task.size.width as usize, task.size.height as usize);
        let chroma = (width / 2, height / 2);
        // SAFETY: the functions allocate, and null is checked below.
        let mut encoder = Self {
            codecs,
            context: unsafe { (functions.avcodec_alloc_context3)(codec) },
            frame: unsafe { (functions.av_frame_alloc)() },
            packet: unsafe { (functions.av_packet_alloc)() },
            offsets: Offsets { extradata: 0, picture_type: 0, pts: 0, frames: 0 },
            planes: [(width, height), chroma, chroma],
            is_interleaved: task.pixels() != "yuv420p",
            surfaces: None,
        };
        if codec.is_null()
            || encoder.context.is_null()
            || encoder.frame.is_null()
            || encoder.packet.is_null()
        {
            return Err("out of memory".to_owned());
        }
        encoder.find_offsets()?;
        for (name, value) in options {
            encoder.set(name, value)?;
        }
        if ON_THE_CARD.contains(&task.pixels()) {
            encoder.use_surfaces(task.pixels())?;
        }
        // SAFETY: the context was made for this codec.
        codecs
            .check(unsafe { (functions.avcodec_open2)(encoder.context, codec, ptr::null_mut()) })?;
        encoder.prepare_frame()?;
        Ok(encoder)
    }

    /// Returns the offset of an option in the context.
    fn offset_of(&self, name: &CStr) -> Option<usize> {
        // SAFETY: the context is alive, the name ends with a zero, and null is checked.
        let option = unsafe {
            let find = self.codecs.functions.av_opt_find;
            find(self.context, name.as_ptr(), ptr::null(), 0, 0).as_ref()
        };
        option.and_then(|option| usize::try_from(option.offset).ok())
    }

    /// Finds the fields that are no options. Fails if the structures are not what they were in the
    /// known versions.
    fn find_offsets(&mut self) -> Result<(), String> {
        let other = || "the library's structures have another layout".to_owned();
        let flags2 = self.offset_of(c"flags2").ok_or_else(other)?;
        let time_base = self.offset_of(c"time_base").ok_or_else(other)?;
        // `flags2` (4 bytes), `extradata` (a pointer), `extradata_size` (4 bytes), `time_base`.
        let extradata = (flags2 + 4).next_multiple_of(align_of::<*const u8>());
        if extradata + size_of::<*const u8>() + 4 != time_base {
            return Err(other());
        }
        // Version 60 of libavutil (62 of libavcodec) no longer has `key_frame` before
        // `pict_type`. The sample aspect ratio (8 bytes) and `pts` (aligned) follow.
        let picture_type = size_of::<FrameStart>() + if self.codecs.major >= 62 { 0 } else { 4 };
        let pts = (picture_type + 12).next_multiple_of(8);
        self.offsets = Offsets { extradata, picture_type, pts, frames: 0 };
        Ok(())
    }

    /// Finds `hw_frames_ctx`. Fails if its neighbours are not what they were in the known versions.
    fn offset_of_frames(&self) -> Option<usize> {
        let pointer = size_of::<*const u8>();
        let flags = self.offset_of(c"hwaccel_flags")?;
        let extra = self.offset_of(c"extra_hw_frames")?;
        if self.codecs.major >= 61 {
            // `hw_frames_ctx`, `hw_device_ctx` (both pointers), `hwaccel_flags`, `extra_hw_frames` (4 bytes each).
            return (extra == flags + 4).then(|| flags.checked_sub(2 * pointer)).flatten();
        }
        // `hw_frames_ctx` (a pointer), one or two numbers of 4 bytes, `max_pixels` (8 bytes, aligned), `hw_device_ctx` (a
        // pointer), `hwaccel_flags`.
        let pixels = self.offset_of(c"max_pixels")?;
        (flags == pixels + 8 + pointer).then(|| pixels.checked_sub(8 + pointer)).flatten()
    }

    /// Opens a device, and tells the encoder that its frames are there.
    fn use_surfaces(&mut self, kind: &str) -> Result<(), String> {
        let other = || "the library's structures have another layout".to_owned();
        self.offsets.frames = self.offset_of_frames().ok_or_else(other)?;
        let [size, ..] = self.planes;
        let check = |code| self.codecs.check(code);
        let surfaces = Surfaces::open(&self.codecs.library, kind, size, &check)?;
        // SAFETY: the context is alive, and the offset was checked against the library's own options. The context frees
        // the reference.
        unsafe {
            let place = self.context.cast::<u8>().add(self.offsets.frames);
            ptr::write_unaligned(place.cast::<Object>(), surfaces.frames());
        }
        self.surfaces = Some(surfaces);
        Ok(())
    }

    /// Sets an option of the context or of its encoder.
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let (name, is_optional) = match name.strip_prefix('?') {
            Some(name) => (name, true),
            None => (name, false),
        };
        let (Ok(c_name), Ok(c_value)) = (CString::new(name), CString::new(value)) else {
            return Err(format!("{name}: not an option"));
        };
        // SAFETY: the context is alive, and the texts end with zeros.
        let code = unsafe {
            let set = self.codecs.functions.av_opt_set;
            set(self.context, c_name.as_ptr(), c_value.as_ptr(), SEARCH_CHILDREN)
        };
        match self.codecs.check(code) {
            Err(_) if is_optional => Ok(()),
            Err(reason) => Err(format!("{name}={value}: {reason}")),
            Ok(()) => Ok(()),
        }
    }

    /// Changes options of the open encoder.
    pub fn change(&mut self, options: &[(String, String)]) -> Result<(), String> {
        options.iter().try_for_each(|(name, value)| self.set(name, value))
    }

    /// Gives the frame its size, format and memory.
    fn prepare_frame(&mut self) -> Result<(), String> {
        // SAFETY: the frame is alive, and its start has this layout.
        let start = unsafe { &mut *self.frame.cast::<FrameStart>() };
        let [(width, height), ..] = self.planes;
        start.width = c_int::try_from(width).unwrap_or(0);
        start.height = c_int::try_from(height).unwrap_or(0);
        start.format = if self.is_interleaved { NV12 } else { YUV420P };
        // SAFETY: the frame has a size and a format.
        self.codecs.check(unsafe { (self.codecs.functions.av_frame_get_buffer)(self.frame, 0) })
    }

    /// Returns the parameter sets in the library's form.
    pub fn header(&self) -> Vec<u8> {
        // SAFETY: the offsets were checked against the library's own options. The field is null or
        // points to as many bytes as the next field says.
        unsafe {
            let place = self.context.cast::<u8>().add(self.offsets.extradata);
            let data = ptr::read_unaligned(place.cast::<*const u8>());
            let length = ptr::read_unaligned(place.add(size_of::<*const u8>()).cast::<c_int>());
            match usize::try_from(length) {
                Ok(length) if !data.is_null() => std::slice::from_raw_parts(data, length).to_vec(),
                _ => Vec::new(),
            }
        }
    }

    /// Encodes the frame in `pixels`: the planes, one after the other, without padding.
    pub fn send(&mut self, pixels: &[u8], number: i64, key: bool) -> Result<(), String> {
        let functions = &self.codecs.functions;
        // SAFETY: the frame is alive and has its own memory.
        self.codecs.check(unsafe { (functions.av_frame_make_writable)(self.frame) })?;
        // SAFETY: the frame is alive, and its start has this layout.
        let start = unsafe { &*self.frame.cast::<FrameStart>() };
        let [(width, height), (half, rows), _] = self.planes;
        let joined;
        let (planes, mut rest) = if self.is_interleaved {
            let (luma, chroma) = pixels.split_at_checked(width * height).unwrap_or_default();
            let (blue, red) = chroma.split_at_checked(half * rows).unwrap_or_default();
            let pairs = blue.iter().zip(red).flat_map(|(blue, red)| [*blue, *red]);
            joined = luma.iter().copied().chain(pairs).collect::<Vec<u8>>();
            ([(width, height), (2 * half, rows), (0, 0)], joined.as_slice())
        } else {
            (self.planes, pixels)
        };
        for ((length, rows), (data, stride)) in
            planes.iter().zip(start.data.iter().zip(&start.linesize)).filter(|it| it.0.0 > 0)
        {
            let stride = usize::try_from(*stride).unwrap_or(0);
            let Some((plane, after)) = rest.split_at_checked(length * rows) else {
                return Err("the frame is too short".to_owned());
            };
            rest = after;
            if data.is_null() || stride < *length {
                return Err("the frame has no memory".to_owned());
            }
            for (row, bytes) in plane.chunks_exact(*length).enumerate() {
                // SAFETY: the library has allocated this many rows of at least this length.
                unsafe {
                    ptr::copy_nonoverlapping(bytes.as_ptr(), data.add(row * stride), *length);
                }
            }
        }
        let kind = if key { PICTURE_TYPE_I } else { PICTURE_TYPE_NONE };
        let frame = match &mut self.surfaces {
            Some(surfaces) => surfaces.upload(self.frame, &|code| self.codecs.check(code))?,
            None => self.frame,
        };
        // SAFETY: the frame is alive, and the fields are at these offsets in the known versions.
        unsafe {
            let fields = frame.cast::<u8>();
            ptr::write_unaligned(fields.add(self.offsets.picture_type).cast::<c_int>(), kind);
            ptr::write_unaligned(fields.add(self.offsets.pts).cast::<i64>(), number);
        }
        // SAFETY: the encoder is open, and keeps its own reference to the frame.
        self.codecs.check(unsafe { (functions.avcodec_send_frame)(self.context, frame) })
    }

    /// Ends the input, so that delayed packets can be received.
    pub fn finish(&mut self) {
        // SAFETY: the encoder is open; a null frame means the end.
        unsafe { (self.codecs.functions.avcodec_send_frame)(self.context, ptr::null_mut()) };
    }

    /// Passes on the next packet: PTS, DTS, whether it is a keyframe, and its bytes. Returns `None`
    /// if the encoder needs more frames or is empty.
    pub fn receive<T>(
        &mut self,
        each: impl FnOnce(i64, i64, bool, &[u8]) -> T,
    ) -> Result<Option<T>, String> {
        let functions = &self.codecs.functions;
        // SAFETY: the encoder is open, and the packet is empty.
        let code = unsafe { (functions.avcodec_receive_packet)(self.context, self.packet) };
        if matches!(code, AGAIN | END_OF_FILE) {
            return Ok(None);
        }
        self.codecs.check(code)?;
        // SAFETY: the packet is alive, and its start has this layout. Its data has this size until
        // the packet is cleared.
        let passed = unsafe {
            let packet = &*self.packet.cast::<PacketStart>();
            let length = usize::try_from(packet.size).unwrap_or(0);
            let data = match packet.data.is_null() {
                true => &[],
                false => std::slice::from_raw_parts(packet.data, length),
            };
            let dts = if packet.dts == NO_TIMESTAMP { packet.pts } else { packet.dts };
            let passed = each(packet.pts, dts, packet.flags & PACKET_FLAG_KEY != 0, data);
            (functions.av_packet_unref)(self.packet);
            passed
        };
        Ok(Some(passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_before_real_time_presets_are_old() {
        let all = ["v1.4.1", "1.4.1", "v3.0.2", "3", "v3.1.0", "v4.1.0-rc1", "unknown", ""];
        let old = all.map(is_old);
        assert_eq!(old, [true, true, true, true, false, false, false, false]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_no_such_library_has_its_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("libavcodec.so.62");
        assert_eq!(Codecs::load(&path, "libx264").err(), Some(Refusal::NoLibrary));
        std::fs::write(&path, b"\x7fELF").unwrap();
        let Some(Refusal::Unloadable { reason }) = Codecs::load(&path, "libx264").err() else {
            panic!("a truncated file was loaded")
        };
        assert!(reason.contains("libavcodec.so.62"), "{reason}");
        // The C library has none of the functions.
        let expected = Refusal::Incomplete { function: "avcodec_version".into() };
        assert_eq!(Codecs::load(Path::new("libc.so.6"), "libx264").err(), Some(expected));
    }
}
