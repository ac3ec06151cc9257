//! Decodes H.264 with OpenH264, through its C interface: up to the High profile, 8 bits, 4:2:0,
//! progressive, P and B frames.
//!
//! The library's own reordering delays a frame even without B-frames, misorders frames in some
//! streams with B-frames, and never releases the held frame's buffer when flushed. The library does
//! not reorder streams with the profile Scalable Baseline (83), whose parameter sets have the same
//! syntax as those of High. onair therefore declares this profile, and restores the order by the
//! timestamps ([`Reorder`]).
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::ptr;

use openh264_sys2 as sys;

use crate::base::{Pool, Timestamp};
use crate::decode::avcc::{self, Configuration};
use crate::decode::error::{Error, Step};
use crate::decode::reorder::Reorder;
use crate::decode::traits::{DecoderInfo, VideoBackend};
use crate::media::{Color, EncodedPacket, Planes, Size, VideoConfig, VideoFrame};
use crate::text::problem::problem;

const DECODER_NAME: &str = "openh264";

/// Number of frames that the pool keeps for reuse. Frames in use wait to be shown, or are on their
/// way to the window.
const MAX_IDLE_FRAMES: usize = 6;

/// The number of consecutive failed keyframes that ends the stream.
const MAX_FAILED_KEYFRAMES: u32 = 3;

/// Maximum size of a packet in bytes. The library accepts 8 MB, and enlarges its buffers to the
/// size of its input.
const MAX_PACKET_BYTES: usize = 8 << 20;

/// The OpenH264 decoder.
pub(crate) struct Decoder {
    raw: Raw,
    configuration: Configuration,
    color: Color,
    name: String,
    reorder: Reorder,
    pool: Option<(Size, Pool<Planes>)>,
    /// The buffer for a packet as a byte stream (annex B), which is reused.
    stream: Vec<u8>,
    /// True if no frame before the next keyframe can be decoded.
    waiting: bool,
    failed_keyframes: u32,
}

/// Owns the C++ object.
struct Raw(*mut sys::ISVCDecoder);

// SAFETY: the object is used by one thread at a time (all methods take `&mut`), and the library
// does not bind it to a thread while it decodes without its own threads.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the pointer came from WelsCreateDecoder and is destroyed only here.
        unsafe {
            if let Some(uninitialize) = (**self.0).Uninitialize {
                uninitialize(self.0);
            }
            sys::source::APILoader::WelsDestroyDecoder(self.0);
        }
    }
}

/// The type of codes differs from system to system.
fn codec_error(step: Step, code: impl Into<i64>) -> Error {
    Error::Codec { decoder: DECODER_NAME, step, code: code.into() }
}

/// A decoded frame inside the library, which is valid until the next call to the library.
struct DecodedFrame<'a> {
    pts: Timestamp,
    size: Size,
    /// Luma and both chroma planes, with their strides.
    planes: [(&'a [u8], usize); 3],
}

impl Raw {
    fn create() -> Result<Self, Error> {
        let mut object: *mut sys::ISVCDecoder = ptr::null_mut();
        // SAFETY: the library writes one pointer.
        let code = unsafe { sys::source::APILoader::WelsCreateDecoder(&raw mut object) };
        if code != 0 || object.is_null() {
            return Err(codec_error(Step::Start, code));
        }
        let raw = Self(object);
        let mut params = sys::SDecodingParam::default();
        params.sVideoProperty.eVideoBsType = sys::VIDEO_BITSTREAM_AVC;
        // No concealment: an incomplete frame is dropped.
        params.eEcActiveIdc = sys::ERROR_CON_DISABLE;
        let mut level = sys::WELS_LOG_QUIET;
        // SAFETY: the object is alive; it reads one integer and one structure, which outlive the
        // calls.
        let code = unsafe {
            let table = &**raw.0;
            if let Some(set) = table.SetOption {
                let level = (&raw mut level).cast::<c_void>();
                set(raw.0, sys::DECODER_OPTION_TRACE_LEVEL, level);
            }
            table.Initialize.map_or(-1, |initialize| initialize(raw.0, &raw const params))
        };
        if code == 0 { Ok(raw) } else { Err(codec_error(Step::Start, code)) }
    }

    /// Calls the library once. If `stream` is `None`, the access unit is complete.
    fn step(
        &mut self,
        stream: Option<&[u8]>,
        pts: Timestamp,
    ) -> (sys::DECODING_STATE, Option<DecodedFrame<'_>>) {
        let mut planes: [*mut u8; 3] = [ptr::null_mut(); 3];
        let mut info = sys::SBufferInfo {
            uiInBsTimeStamp: pts.as_micros().cast_unsigned(),
            ..sys::SBufferInfo::default()
        };
        let (data, len) = match stream {
            Some(stream) => (stream.as_ptr(), c_int::try_from(stream.len()).unwrap_or(0)),
            None => (ptr::null(), 0),
        };
        // SAFETY: the object is initialized; the input has the given length and outlives the call,
        // which copies it; the library writes three pointers and one structure.
        let state = unsafe {
            let Some(decode) = (**self.0).DecodeFrame2 else { return (-1, None) };
            decode(self.0, data, len, planes.as_mut_ptr(), &raw mut info)
        };
        if info.iBufferStatus != 1 || planes.iter().any(|plane| plane.is_null()) {
            return (state, None);
        }
        // SAFETY: with status 1, this is the valid member of the union.
        let form = unsafe { info.UsrData.sSystemBuffer };
        let side = |value: c_int| u32::try_from(value).unwrap_or(0);
        let size = Size::new(side(form.iWidth), side(form.iHeight));
        let stride = form.iStride.map(|stride| usize::try_from(stride).unwrap_or(0));
        let half = size.half();
        if !size.is_valid() || stride[0] < size.width as usize || stride[1] < half.width as usize {
            return (state, None);
        }
        let plane = |data: *mut u8, size: Size, stride: usize| {
            let len = stride * (size.height as usize - 1) + size.width as usize;
            // SAFETY: the plane has this many rows of `stride` bytes (the last may be shorter); the
            // library changes it only in its next call, which needs `&mut self`.
            (unsafe { std::slice::from_raw_parts(data.cast_const(), len) }, stride)
        };
        let pts = Timestamp::from_micros(info.uiOutYuvTimeStamp.cast_signed());
        let decoded = DecodedFrame {
            pts,
            size,
            planes: [
                plane(planes[0], size, stride[0]),
                plane(planes[1], half, stride[1]),
                plane(planes[2], half, stride[1]),
            ],
        };
        (state, Some(decoded))
    }
}

impl Decoder {
    pub(crate) fn open(config: &VideoConfig) -> Result<Self, Error> {
        let configuration = Configuration::parse(&config.codec_config)?;
        let name = format!("H.264 {}", configuration.profile_name());
        Ok(Self {
            raw: Raw::create()?,
            color: configuration.color(),
            configuration,
            name,
            reorder: Reorder::default(),
            pool: None,
            stream: Vec::new(),
            waiting: true,
            failed_keyframes: 0,
        })
    }

    /// Lets the library allocate its frames, and allocates the first output frame. These
    /// allocations take about as long as decoding a frame. A truncated frame suffices as input.
    fn make_room(&mut self) {
        self.stream.clear();
        self.configuration.write_parameter_sets(&mut self.stream);
        if let Some(size) = self.configuration.write_broken_frame(&mut self.stream) {
            let stream = std::mem::take(&mut self.stream);
            for part in [Some(stream.as_slice()), None] {
                // The library detects that there is no frame, and waits for a keyframe.
                let _ = self.raw.step(part, Timestamp::ZERO);
            }
            self.stream = stream;
            let pool = Planes::pool(size, MAX_IDLE_FRAMES);
            drop(pool.take());
            self.pool = Some((size, pool));
        }
    }

    /// Decodes the byte stream in `self.stream`.
    fn run(&mut self, pts: Timestamp) -> Result<(), Error> {
        let stream = std::mem::take(&mut self.stream);
        let mut state = 0;
        // The second call completes the access unit instead of waiting for the next packet.
        for part in [Some(stream.as_slice()), None] {
            let (code, decoded) = self.raw.step(part, pts);
            state |= code;
            if let Some(decoded) = decoded {
                let frame = copy(&mut self.pool, &decoded, self.color);
                self.reorder.push(frame);
            }
        }
        self.stream = stream;
        if state == sys::dsErrorFree {
            Ok(())
        } else {
            let reason = problem!("decode-code", code = format!("{state:#x}"));
            Err(Error::Damaged { codec: "H.264", reason })
        }
    }
}

/// Copies the planes to an onair frame.
fn copy(
    pool: &mut Option<(Size, Pool<Planes>)>,
    decoded: &DecodedFrame<'_>,
    color: Color,
) -> VideoFrame {
    let pool = match pool {
        Some((size, pool)) if *size == decoded.size => pool,
        other => {
            let fresh = Planes::pool(decoded.size, MAX_IDLE_FRAMES);
            &mut other.insert((decoded.size, fresh)).1
        }
    };
    let mut planes = pool.fresh();
    let (luma, chroma) = (planes.luma_stride(), planes.chroma_stride());
    let planes_mut = &mut *planes;
    for ((source, stride), (target, width)) in decoded.planes.iter().zip([
        (&mut planes_mut.y, luma),
        (&mut planes_mut.u, chroma),
        (&mut planes_mut.v, chroma),
    ]) {
        for (to, from) in target.chunks_exact_mut(width).zip(source.chunks(*stride)) {
            if let Some(from) = from.get(..width) {
                to.copy_from_slice(from);
            }
        }
    }
    VideoFrame { pts: decoded.pts, color, surface: planes.share().into() }
}

impl VideoBackend for Decoder {
    fn prepare(&mut self) {
        if self.waiting && self.pool.is_none() {
            self.make_room();
        }
    }

    fn decode(&mut self, packet: &EncodedPacket) -> Result<Vec<VideoFrame>, Error> {
        if packet.data.len() > MAX_PACKET_BYTES {
            self.waiting = true;
            return Err(Error::length("H.264", packet.data.len()));
        }
        let kind = avcc::survey(&packet.data, &mut self.configuration).inspect_err(|_| {
            self.waiting = true;
        })?;
        let idr = kind == avcc::Kind::Idr;
        if kind == avcc::Kind::NoVideo || (self.waiting && !idr) {
            return Ok(self.reorder.ready(packet.dts));
        }
        self.stream.clear();
        if idr {
            self.color = self.configuration.color();
            self.configuration.write_parameter_sets(&mut self.stream);
        }
        avcc::write_slices(&packet.data, self.configuration.length_size, &mut self.stream);
        match self.run(packet.pts) {
            Ok(()) => {
                self.waiting = false;
                self.failed_keyframes = 0;
                // All frames after an IDR frame are shown after it, so there is no wait.
                Ok(if idr { self.reorder.take() } else { self.reorder.ready(packet.dts) })
            }
            Err(error) => {
                self.waiting = true;
                if idr {
                    // The state after an error is unusable: start with a new decoder.
                    self.raw = Raw::create()?;
                    self.failed_keyframes += 1;
                    if self.failed_keyframes >= MAX_FAILED_KEYFRAMES {
                        return Err(codec_error(
                            Step::DecodeKeyframes,
                            i64::from(MAX_FAILED_KEYFRAMES),
                        ));
                    }
                }
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> Vec<VideoFrame> {
        self.reorder.take()
    }

    fn reset(&mut self) {
        self.reorder.take();
        self.waiting = true;
        self.failed_keyframes = 0;
    }

    fn is_waiting(&self) -> bool {
        self.waiting
    }

    /// Does nothing, because this library can begin only with IDR frames.
    fn begin_anywhere(&mut self) {}

    fn name(&self) -> &str {
        &self.name
    }

    fn by(&self) -> DecoderInfo {
        DecoderInfo { library: "OpenH264", hardware: None }
    }
}
