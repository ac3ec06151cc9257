//! Owning wrappers of FFmpeg's objects: a decoder context, a packet, a frame.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::ptr;

use crate::decode::backend::ffmpeg::system as ffi;
use crate::decode::error::NoDecoder;

/// Maximum size of a codec config in bytes. Real configs are a few hundred bytes long.
const MAX_CONFIG_BYTES: usize = 64 << 10;

/// Maximum number of threads of one decoder. The threads decode the slices and tiles of one frame,
/// so that no frame waits for later ones.
const MAX_THREADS: usize = 4;

/// An error code of the library.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Code(pub c_int);

impl Code {
    /// Returns the library's text for the error.
    pub fn text(self) -> String {
        let mut text = [0; 128];
        // SAFETY: the library writes at most the given number of bytes, with a zero at the end.
        let known = unsafe { ffi::av_strerror(self.0, text.as_mut_ptr(), text.len()) };
        // SAFETY: the text ends with a zero, and lives as long as this function.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy();
        if known == 0 { text.into_owned() } else { format!("code {}", self.0) }
    }
}

pub(super) fn check(code: c_int) -> Result<(), Code> {
    if code < 0 { Err(Code(code)) } else { Ok(()) }
}

/// A decoder of the library.
#[derive(Copy, Clone)]
pub(super) struct Codec(*const ffi::AVCodec);

// SAFETY: this is a static structure of the library that never changes.
unsafe impl Send for Codec {}

impl Codec {
    /// Finds the library's preferred decoder for a codec that works without graphics hardware.
    pub fn find(id: ffi::AVCodecID) -> Result<Self, NoDecoder> {
        ffi::load()?;
        // SAFETY: the call searches a static list.
        let codec = Self(unsafe { ffi::avcodec_find_decoder(id) });
        // The library's own AV1 decoder only wraps hardware; other AV1 decoders come first in the
        // list.
        let found = !codec.0.is_null() && codec.name() != "av1";
        found.then_some(codec).ok_or(NoDecoder::NotInLibrary)
    }

    /// Returns the decoder's name in the library.
    pub fn name(self) -> String {
        if self.0.is_null() {
            return String::new();
        }
        // SAFETY: this is a static structure, whose name is a static text that ends with a zero.
        unsafe { CStr::from_ptr((*self.0).name) }.to_string_lossy().into_owned()
    }
}

/// Owner of an `AVFrame`.
pub(super) struct Frame(*mut ffi::AVFrame);

// SAFETY: it is used by one thread at a time, and its buffers have atomic reference counts.
unsafe impl Send for Frame {}

impl Frame {
    pub fn new() -> Result<Self, Code> {
        // SAFETY: the call allocates, and null is checked.
        let raw = unsafe { ffi::av_frame_alloc() };
        if raw.is_null() { Err(Code(0)) } else { Ok(Self(raw)) }
    }

    /// Returns the content of the frame.
    pub fn get(&self) -> &ffi::AVFrame {
        // SAFETY: the pointer is not null, and no other reference exists.
        unsafe { &*self.0 }
    }

    pub fn get_mut(&mut self) -> &mut ffi::AVFrame {
        // SAFETY: the pointer is not null, and no other reference exists.
        unsafe { &mut *self.0 }
    }

    pub fn raw(&mut self) -> *mut ffi::AVFrame {
        self.0
    }

    /// Releases the buffers of the frame.
    pub fn clear(&mut self) {
        // SAFETY: the pointer is not null.
        unsafe { ffi::av_frame_unref(self.0) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the frame came from av_frame_alloc and is freed only here.
        unsafe { ffi::av_frame_free(&raw mut self.0) }
    }
}

/// Owns a packet.
struct Packet(*mut ffi::AVPacket);

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: the packet came from av_packet_alloc and is freed only here.
        unsafe { ffi::av_packet_free(&raw mut self.0) }
    }
}

/// Owns an open decoder.
pub(super) struct Context {
    raw: *mut ffi::AVCodecContext,
    packet: Packet,
    frame: Frame,
}

// SAFETY: the objects are used by one thread at a time (all mutating methods take `&mut`), and the
// library does not bind them to a thread.
unsafe impl Send for Context {}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: the context came from avcodec_alloc_context3 and is freed only here.
        unsafe { ffi::avcodec_free_context(&raw mut self.raw) }
    }
}

impl Context {
    /// Opens a decoder. `set` sets options in addition to the codec config.
    pub fn open(
        codec: Codec,
        config: &[u8],
        set: impl FnOnce(&mut ffi::AVCodecContext),
    ) -> Result<Self, Code> {
        let frame = Frame::new()?;
        // SAFETY: the call allocates, and null is checked.
        let packet = unsafe { ffi::av_packet_alloc() };
        if packet.is_null() {
            return Err(Code(0));
        }
        let packet = Packet(packet);
        // SAFETY: the codec is from the library's own list, and null is checked.
        let raw = unsafe { ffi::avcodec_alloc_context3(codec.0) };
        if raw.is_null() {
            return Err(Code(0));
        }
        let context = Self { raw, packet, frame };
        // SAFETY: the pointer is not null, and no other reference exists.
        let fields = unsafe { &mut *raw };
        if !config.is_empty() && config.len() <= MAX_CONFIG_BYTES {
            let room = config.len() + ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
            // SAFETY: the buffer has the size of the copied data plus the padding that the library
            // requires, which is zero; the context frees it.
            unsafe {
                let room = ffi::av_mallocz(room).cast::<u8>();
                if room.is_null() {
                    return Err(Code(0));
                }
                ptr::copy_nonoverlapping(config.as_ptr(), room, config.len());
                fields.extradata = room;
                fields.extradata_size = config.len() as c_int;
            }
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        fields.thread_count = cores.min(MAX_THREADS) as c_int;
        fields.thread_type = ffi::FF_THREAD_SLICE as c_int;
        set(fields);
        // SAFETY: the context is configured, and was made for this codec.
        check(unsafe { ffi::avcodec_open2(raw, codec.0, ptr::null_mut()) })?;
        Ok(context)
    }

    /// Sends a packet. All frames of the packet must be received before the next packet.
    pub fn send(&mut self, data: &[u8], pts: i64, keyframe: bool) -> Result<(), Code> {
        let size = c_int::try_from(data.len()).map_err(|_| Code(0))?;
        // SAFETY: the packet is empty; the library allocates this size with its padding, which is
        // then filled, and keeps its own references.
        unsafe {
            check(ffi::av_new_packet(self.packet.0, size))?;
            let packet = &mut *self.packet.0;
            ptr::copy_nonoverlapping(data.as_ptr(), packet.data, data.len());
            packet.pts = pts;
            packet.dts = ffi::AV_NOPTS_VALUE;
            packet.flags = if keyframe { ffi::AV_PKT_FLAG_KEY as c_int } else { 0 };
            let sent = ffi::avcodec_send_packet(self.raw, self.packet.0);
            ffi::av_packet_unref(self.packet.0);
            check(sent)
        }
    }

    /// Ends the stream, so that delayed frames can be received.
    pub fn end(&mut self) {
        // SAFETY: the context is open; a null packet means the end.
        unsafe { ffi::avcodec_send_packet(self.raw, ptr::null()) };
    }

    /// Returns the next frame, if there is one.
    pub fn receive(&mut self) -> Result<Option<&mut Frame>, Code> {
        // SAFETY: the context is open; the frame releases its previous content.
        let code = unsafe { ffi::avcodec_receive_frame(self.raw, self.frame.0) };
        match code {
            0.. => Ok(Some(&mut self.frame)),
            NEEDS_INPUT_ERROR | ffi::AVERROR_EOF => Ok(None),
            code => Err(Code(code)),
        }
    }

    /// Resets everything except the config.
    pub fn forget(&mut self) {
        // SAFETY: the context is open.
        unsafe { ffi::avcodec_flush_buffers(self.raw) }
    }
}

/// The error code of a decoder that needs more input.
const NEEDS_INPUT_ERROR: c_int = ffi::AVERROR(ffi::EAGAIN);
